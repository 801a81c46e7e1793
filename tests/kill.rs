//! The daemon killed in the middle of its work, again and again: nobody gets a mail twice, and whoever
//! may not have got one is listed as in doubt.
//!
//! Real processes throughout: the program, and an SMTP server of its own process whose file says what
//! arrived. `FIRSTTOUCH_KILL_FULL=1` runs 1,000 people and 20 kills; `FIRSTTOUCH_KILL_SEED` picks other
//! moments.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_firsttouch");
const STEPS: usize = 2;

/// Nothing that is waited for may take longer.
const PATIENCE: Duration = Duration::from_secs(180);

struct Size {
    people: usize,
    mailboxes: usize,
    kills: usize,
    /// How long the server takes over a mail, half before the content and half behind it: kills fall
    /// into this.
    delay_ms: u32,
}

impl Size {
    fn chosen() -> Self {
        match std::env::var_os("FIRSTTOUCH_KILL_FULL") {
            Some(_) => Self { people: 1_000, mailboxes: 20, kills: 20, delay_ms: 60 },
            None => Self { people: 200, mailboxes: 10, kills: 6, delay_ms: 60 },
        }
    }

    /// Mails that arrive even when every kill catches every mailbox at somebody's first mail.
    fn certain(&self) -> usize {
        STEPS * (self.people - self.kills * self.mailboxes)
    }
}

/// A process that does not outlive the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// SIGTERM, and the exit status that follows soon.
    fn terminate(&mut self) -> ExitStatus {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "SIGTERM did not end the daemon within ten seconds");
            pause(10);
        }
    }

    /// SIGKILL: the process gets no chance to tidy up.
    fn kill_9(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The SMTP server, and the file with a line for each mail that it took.
struct Sink {
    _process: Process,
    port: u16,
    file: PathBuf,
}

/// A line of the sink's file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Arrived {
    to: String,
    message_id: String,
    touch: String,
}

impl Sink {
    fn start(folder: &Path, delay_ms: u32) -> Self {
        let file = folder.join("arrived.tsv");
        let mut child = Command::new(sink_program())
            .args(["0".as_ref(), file.as_os_str(), delay_ms.to_string().as_ref()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse().unwrap();
        Self { _process: Process(child), port, file }
    }

    fn count(&self) -> usize {
        fs::read(&self.file).unwrap().iter().filter(|byte| **byte == b'\n').count()
    }

    fn arrived(&self) -> Vec<Arrived> {
        let text = fs::read_to_string(&self.file).unwrap();
        let arrived = text.lines().map(|line| {
            let parts: Vec<&str> = line.split('\t').collect();
            assert_eq!(parts.len(), 3, "{line}");
            let message_id = parts[1].trim_matches(['<', '>']).to_owned();
            Arrived { to: parts[0].to_owned(), message_id, touch: parts[2].to_owned() }
        });
        arrived.collect()
    }
}

/// The example beside the program; built when only the tests were.
fn sink_program() -> PathBuf {
    let program = Path::new(PROGRAM).with_file_name("examples").join("smtp_sink");
    if !program.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--example", "smtp_sink"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success());
    }
    program
}

/// A workspace in which everybody is due at once.
struct Workspace {
    dir: tempfile::TempDir,
    people: Vec<String>,
}

impl Workspace {
    fn make(dir: tempfile::TempDir, size: &Size, port: u16) -> Self {
        let mut workspace = Self { dir, people: Vec::new() };
        fs::create_dir(workspace.path()).unwrap();
        let write = |path: &str, text: &str| {
            let path = workspace.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("firsttouch.toml", &settings(size.mailboxes, port));
        write("cadences/two-mails.yaml", CADENCE);
        write("templates/first.hbs", FIRST);
        write("templates/second.hbs", SECOND);
        for mailbox in 0..size.mailboxes {
            for part in ["new", "cur", "tmp"] {
                fs::create_dir_all(workspace.path().join(format!("mail/m{mailbox}/{part}")))
                    .unwrap();
            }
        }
        workspace.run(&["apply"]);
        let share = size.people / size.mailboxes;
        for mailbox in 0..size.mailboxes {
            workspace.enroll(mailbox, share);
        }
        workspace
    }

    fn enroll(&mut self, mailbox: usize, share: usize) {
        let (list, owner) = (format!("list-{mailbox}"), format!("m{mailbox}"));
        let mut csv = "First Name,Last Name,Title,Company,Email\n".to_owned();
        for person in mailbox * share..(mailbox + 1) * share {
            let email = format!("pat@company-{person}.test");
            csv.push_str(&format!("Pat,Number{person},Buyer,Company {person},{email}\n"));
            self.people.push(email);
        }
        let file = self.path().join(format!("{list}.csv"));
        fs::write(&file, csv).unwrap();
        self.run(&["import", file.to_str().unwrap(), "--list", &list, "--owner", &owner]);
        self.run(&["enroll", "--list", &list, "--cadence", "two-mails", "--yes"]);
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("workspace")
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output =
            Command::new(PROGRAM).arg("-C").arg(self.path()).args(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--json"]].concat())).unwrap()
    }

    fn daemon(&self) -> Process {
        let log = self.dir.path().join("daemon.log");
        let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(PROGRAM);
        command.arg("-C").arg(self.path()).arg("run").env("FIRSTTOUCH_LOG", "info");
        Process(command.stdin(Stdio::null()).stderr(log).spawn().unwrap())
    }

    fn report(&self) -> Report {
        let json = self.json(&["report"]);
        let count = |value: &Value| usize::try_from(value.as_u64().unwrap_or(0)).unwrap();
        let in_doubt = json["in_doubt"].as_array().unwrap().iter().map(|doubt| Doubt {
            prospect: doubt["prospect"].as_u64().unwrap(),
            step: doubt["step"].as_str().unwrap().to_owned(),
            message_id: doubt["message_id"].as_str().unwrap().trim_matches(['<', '>']).to_owned(),
        });
        Report { sent: count(&json["touches"]["email"]), in_doubt: in_doubt.collect() }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Report {
    sent: usize,
    in_doubt: Vec<Doubt>,
}

#[derive(Debug, PartialEq, Eq)]
struct Doubt {
    prospect: u64,
    step: String,
    message_id: String,
}

impl Report {
    /// Mails that are settled, or that wait behind one in doubt (for a day, so not in this test).
    fn accounted_for(&self) -> usize {
        let held = self.in_doubt.iter().filter(|doubt| doubt.step == "first").count();
        self.sent + self.in_doubt.len() + held
    }
}

const CADENCE: &str = "format: cadence/v1
id: two-mails
title: Two mails at once
enroll: { audience: prospects, profiles: [any] }
calendar: always
send_window: [\"00:00-23:59\"]
steps:
  - { id: first, after: 0 minutes, email: { template: first, thread: new } }
  - { id: second, after: 0 minutes, email: { template: second, thread: new } }
";

const FIRST: &str = "---\nsubject: A question, {{first_name}}\nneeds: [first_name]\nlanguage: en\n---\n\
     Hi {{first_name}}, who looks after purchasing?\n";
const SECOND: &str = "---\nsubject: Another question, {{first_name}}\nneeds: [first_name]\nlanguage: en\n---\n\
     Hi {{first_name}}, is it you?\n";

fn settings(mailboxes: usize, port: u16) -> String {
    let mut text = "[company]\nname = \"Acme\"\npostal_address = \"1 Main St, Springfield\"\n\
         [calendar.always]\nhours = \"mon-sun 00:00-23:59\"\nif_zone_unknown = \"UTC\"\n\
         [limits]\nper_domain_per_day = 1000\nnew_per_company_per_day = 1000\n\
         active_per_company = 1000\n\
         [pacing]\nper_mailbox_per_minute = 100000\nper_domain_per_minute = 100000\n"
        .to_owned();
    for n in 0..mailboxes {
        text.push_str(&format!(
            "[[mailbox]]\nid = \"m{n}\"\nfrom = \"Rep {n} <m{n}@acme.test>\"\ndaily_limit = 1000\n\
             ramp = {{ start = 1000, add_per_day = 0 }}\ngap = [\"0 minutes\", \"0 minutes\"]\n\
             smtp = {{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}\nmaildir = \"mail/m{n}\"\n"
        ));
    }
    text
}

/// Chance that replays (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap() % end
    }
}

fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        pause(3);
    }
}

#[test]
fn however_often_the_daemon_is_killed_nobody_gets_a_mail_twice_and_every_loss_is_told() {
    let size = Size::chosen();
    let seed = std::env::var("FIRSTTOUCH_KILL_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let dir = tempfile::tempdir().unwrap();
    let sink = Sink::start(dir.path(), size.delay_ms);
    let workspace = Workspace::make(dir, &size, sink.port);

    end_in_the_middle(&workspace, &sink);
    let began = Instant::now();
    kill_again_and_again(&workspace, &sink, &size, Chance(seed));
    let report = finish(&workspace, &size);

    check(&workspace, &sink, &size, &report);
    println!("{:.1} s from the first kill to the end", began.elapsed().as_secs_f64());
}

/// SIGTERM finishes what is on its way: nothing is in doubt behind it.
fn end_in_the_middle(workspace: &Workspace, sink: &Sink) {
    let mut daemon = workspace.daemon();
    wait_until("the first mails arrive", || sink.count() >= 5);
    assert_eq!(daemon.terminate().code(), Some(0));
    let report = workspace.report();
    assert_eq!(report.sent, sink.count(), "what had arrived was recorded before the end");
    assert_eq!(report.in_doubt.len(), 0, "{report:?}");
}

fn kill_again_and_again(workspace: &Workspace, sink: &Sink, size: &Size, mut chance: Chance) {
    let (first, last) = (sink.count(), size.certain() * 9 / 10);
    let mut moments: Vec<(usize, u64)> = (0..size.kills)
        .map(|_| (first + 1 + chance.below(last - first), chance.below(80) as u64))
        .collect();
    moments.sort_unstable();
    for (arrived, ms) in moments {
        let daemon = workspace.daemon();
        let before = sink.count();
        // At least one more, so that every kill meets a daemon at work.
        let arrived = arrived.max(before + 1);
        wait_until("mails arrive", || sink.count() >= arrived);
        pause(ms);
        daemon.kill_9();
        println!("killed {ms} ms behind mail {arrived}, {} had arrived", sink.count());
    }
}

/// Lets the daemon come to the end of its work, and ends it.
fn finish(workspace: &Workspace, size: &Size) -> Report {
    let mut daemon = workspace.daemon();
    // A mail on its way is listed as in doubt, too, until it is settled: two equal reports have none.
    let mut last = None;
    wait_until("nothing more is due", || {
        pause(500);
        let report = workspace.report();
        let over = report.accounted_for() == STEPS * size.people && last.as_ref() == Some(&report);
        last = Some(report);
        over
    });
    assert_eq!(daemon.terminate().code(), Some(0));
    workspace.report()
}

fn check(workspace: &Workspace, sink: &Sink, size: &Size, report: &Report) {
    let arrived = sink.arrived();
    nobody_got_a_mail_twice(&arrived);
    let doubts: BTreeMap<&str, &Doubt> =
        report.in_doubt.iter().map(|doubt| (doubt.message_id.as_str(), doubt)).collect();
    let ids: BTreeSet<&str> = arrived.iter().map(|mail| mail.message_id.as_str()).collect();
    let lost = doubts.keys().filter(|id| !ids.contains(*id)).count();
    println!(
        "{} people, {} kills: {} mails arrived, {} recorded as sent, {} in doubt ({lost} of them never arrived)",
        size.people,
        size.kills,
        arrived.len(),
        report.sent,
        doubts.len()
    );
    assert_eq!(doubts.len(), report.in_doubt.len(), "one doubt for each mail");
    assert!(!doubts.is_empty(), "the kills must have hit something, or nothing was tested");
    assert!(doubts.len() <= size.kills * size.mailboxes, "only what was on its way is in doubt");
    let sent = arrived.iter().filter(|mail| !doubts.contains_key(mail.message_id.as_str())).count();
    assert_eq!(sent, report.sent, "what is neither in doubt nor recorded as sent");
    everybody_left_out_is_in_doubt(workspace, &arrived, report);
    let verified = workspace.run(&["verify"]);
    assert!(verified.starts_with("ok"), "{verified}");
}

fn nobody_got_a_mail_twice(arrived: &[Arrived]) {
    let mut mails: BTreeMap<&str, Vec<&Arrived>> = BTreeMap::new();
    for mail in arrived {
        assert_ne!(mail.touch, "-", "{mail:?}");
        mails.entry(&mail.to).or_default().push(mail);
    }
    let touches: BTreeSet<&str> = arrived.iter().map(|mail| mail.touch.as_str()).collect();
    let ids: BTreeSet<&str> = arrived.iter().map(|mail| mail.message_id.as_str()).collect();
    assert_eq!(touches.len(), arrived.len(), "a touch arrived twice");
    assert_eq!(ids.len(), arrived.len(), "a Message-ID arrived twice");
    // Other touches of the same step would have other ids: the number of mails catches them.
    let too_many = mails.values().find(|mails| mails.len() > STEPS);
    assert_eq!(too_many, None);
}

fn everybody_left_out_is_in_doubt(workspace: &Workspace, arrived: &[Arrived], report: &Report) {
    let mut mails: BTreeMap<&str, usize> = BTreeMap::new();
    arrived.iter().for_each(|mail| *mails.entry(&mail.to).or_default() += 1);
    for person in &workspace.people {
        let got = mails.get(person.as_str()).copied().unwrap_or(0);
        if got == STEPS {
            continue;
        }
        let story = workspace.json(&["why", person]);
        let prospect = story["prospect"].as_u64().unwrap();
        let own: Vec<&Doubt> =
            report.in_doubt.iter().filter(|doubt| doubt.prospect == prospect).collect();
        assert_eq!(own.len(), 1, "{person} got {got} mails, and in doubt are {own:?}");
        let step = own[0].step.as_str();
        let told = &story["enrollments"][0]["in_doubt"][0];
        assert_eq!(told.as_str(), Some(step), "`why` says the same as `report`");
        // The second mail does not follow a first one that is in doubt.
        let fits = matches!((step, got), ("first", 0 | 1) | ("second", 1));
        assert!(fits, "{person} got {got} mails with `{step}` in doubt");
    }
}
