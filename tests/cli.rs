//! What every command says, as snapshots: the words, the JSON, stderr and the exit code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use sqlx::{Connection, Executor};

const PROGRAM: &str = env!("CARGO_BIN_EXE_firsttouch");

/// A folder of its own, with a workspace in `ws` once `init` has run.
struct Desk(tempfile::TempDir);

impl Desk {
    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With the shipped files, applied.
    fn applied() -> Self {
        let desk = Self::empty();
        desk.say(&["init", "ws"]);
        assert!(desk.say(&["-C", "ws", "apply"]).ends_with("[exit 0]\n"));
        desk
    }

    fn file(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.file(path), text).unwrap();
    }

    fn change(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.file(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        self.write(path, &text.replace(from, to));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command.env("COLUMNS", "100").env_remove("CLICOLOR_FORCE");
        command
    }

    /// The command line and everything that came of it.
    fn say(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let code = output.status.code().unwrap();
        let said = format!("$ firsttouch {}\n{out}{err}[exit {code}]\n", arguments.join(" "));
        self.masked(&said)
    }

    fn all(&self, commands: &[&[&str]]) -> String {
        commands.iter().map(|arguments| self.say(arguments)).collect::<Vec<_>>().join("\n")
    }

    /// Without the folder's name and the times, which differ from run to run.
    fn masked(&self, text: &str) -> String {
        let text = text.replace(&self.0.path().display().to_string(), "[folder]");
        let lines = text.lines().map(|line| match line.split_once("step is due ") {
            Some((before, _)) => format!("{before}step is due [time]."),
            None if line.starts_with("Undo:  ") => {
                "Undo:  firsttouch import undo [import]".to_owned()
            }
            None if line.contains(" · everybody · ") => {
                let told = line.split_once(" · ").map_or(line, |(_, told)| told);
                format!("[day] · {told}")
            }
            None if line.starts_with("Told already") => "Told already [time].".to_owned(),
            None if line.starts_with("waiting: ") => "waiting: [by the time of day]".to_owned(),
            None => line.split("  manual").next().unwrap_or(line).to_owned(),
        });
        lines.map(|line| line + "\n").collect()
    }
}

const LIST: &str = "First Name,Last Name,Title,Company,Email,Employees,Industry,Country\n\
     Dana,Reed,VP Sales,Northwind,dana@northwind.test,200,SaaS,US\n\
     Eli,Stone,Carpenter,Woodworks,eli@woodworks.test,200,SaaS,US\n\
     Finn,Ode,VP Sales,Nowhere,finn@,200,SaaS,US\n";

#[test]
fn the_help_names_every_command() {
    assert_snapshot!(Desk::empty().all(&[&["--help"], &["frobnicate"]]));
}

#[test]
fn a_new_workspace_is_clean_and_its_plan_is_applied_once() {
    let desk = Desk::empty();
    assert_snapshot!(desk.all(&[
        &["-C", "ws", "check"],
        &["init", "ws"],
        &["init", "ws"],
        &["-C", "ws", "check"],
        &["-C", "ws", "plan", "--exit-code"],
        &["-C", "ws", "apply"],
        &["-C", "ws", "plan", "--exit-code"],
    ]));
}

#[test]
fn broken_files_are_told_with_place_and_advice_and_are_not_applied() {
    let desk = Desk::empty();
    desk.say(&["init", "ws"]);
    desk.change("ws/cadences/short-outbound-7d.yaml", "day: 3\n", "dya: 3\n");
    desk.change("ws/templates/short-intro.hbs", "{{first_name}}", "{{frist_name}}");
    let files = desk.all(&[&["-C", "ws", "check"], &["-C", "ws", "apply", "--json"]]);
    desk.change("ws/firsttouch.toml", "postal_address", "postal_adress");
    let settings = desk.all(&[&["-C", "ws", "check"], &["-C", "ws", "check", "--json"]]);
    assert_snapshot!(format!("{files}\n{settings}"));
}

#[test]
fn a_list_goes_in_and_every_row_and_person_is_accounted_for() {
    let desk = Desk::applied();
    desk.write("people.csv", LIST);
    desk.write("bad.csv", "Foo,Bar\n1,2\n");
    desk.write("missing.csv", "First Name,Last Name,Company\nA,B,C\n");
    let enroll = ["-C", "ws", "enroll", "--list", "people", "--cadence", "short-outbound-7d"];
    assert_snapshot!(desk.all(&[
        &["-C", "ws", "import", "people.csv", "--dry-run", "--json"],
        &["-C", "ws", "import", "people.csv"],
        &["-C", "ws", "import", "bad.csv"],
        &["-C", "ws", "import", "missing.csv", "--json"],
        &["-C", "ws", "enroll", "--list", "nope", "--cadence", "short-outbound-7d"],
        &["-C", "ws", "enroll", "--list", "people", "--cadence", "nope", "--json"],
        &[&enroll[..], &["--dry-run"]].concat(),
        &[&enroll[..], &["--yes"]].concat(),
        &[&enroll[..], &["--yes"]].concat(),
        &["-C", "ws", "report"],
    ]));
}

#[test]
fn an_event_takes_somebody_in_once_and_slips_are_told() {
    let desk = Desk::applied();
    desk.write("people.csv", LIST);
    desk.say(&["-C", "ws", "import", "people.csv"]);
    let event = |name: &str, rest: &[&str]| {
        desk.say(&[&["-C", "ws", "event", name, "--for"][..], rest].concat())
    };
    let dana = "dana@northwind.test";
    assert_snapshot!(
        [
            event("form_submited", &[dana]),
            event("form_submitted", &["nobody@x.test", "--json"]),
            event("form_submitted", &[dana, "--set", "titel=CEO"]),
            event("form_submitted", &[dana, "--at", "yesterday"]),
            event("form_submitted", &[dana, "--key", "form-17", "--dry-run"]),
            event("form_submitted", &[dana, "--key", "form-17", "--set", "trigger=a new office"]),
            event("form_submitted", &[dana, "--key", "form-17"]),
            event("form_submitted", &[dana]),
            event("form_submitted", &[dana, "--json"]),
            desk.say(&["-C", "ws", "enroll", "--matching", "--cadence", "short-outbound-7d"]),
        ]
        .join("\n")
    );
}

#[test]
fn people_whose_fields_are_waited_for_come_in_with_their_list() {
    let desk = Desk::applied();
    let header = "Email,First Name,Country,Deal Stage,Customer Role,Close Date";
    let row = |who: &str, stage: &str| format!("{who}@acme.test,{who},US,{stage},admin,2026-03-02");
    let list = |bo: &str| format!("{header}\n{}\n{}\n", row("ann", "Closed_Won"), row("bo", bo));
    desk.write("customers.csv", &list("open"));
    desk.write("later.csv", &list("closed_won"));
    let import = |file: &str, rest: &[&str]| {
        let list = ["-C", "ws", "import", file, "--list", "customers", "--audience", "customers"];
        desk.say(&[&list[..], rest].concat())
    };
    let enroll = ["-C", "ws", "enroll", "--cadence", "post-sale-relationship", "--matching"];
    assert_snapshot!(
        [
            import("customers.csv", &["--dry-run"]),
            import("customers.csv", &[]),
            import("later.csv", &["--on-duplicate", "overwrite"]),
            desk.say(&[&enroll[..], &["--dry-run"]].concat()),
        ]
        .join("\n")
    );
}

#[test]
fn what_is_not_there_is_told_and_who_is_blocked_is_listed() {
    let desk = Desk::applied();
    assert_snapshot!(desk.all(&[
        &["-C", "ws", "today"],
        &["-C", "ws", "done", "99", "no_answer", "--json"],
        &["-C", "ws", "replies"],
        &["-C", "ws", "why", "nobody@x.test"],
        &["-C", "ws", "suppress", "add", "northwind.test", "--dry-run"],
        &["-C", "ws", "suppress", "add", "???", "--dry-run"],
        &["-C", "ws", "suppress", "add", "northwind.test"],
        &["-C", "ws", "suppress", "add", "???"],
        &["-C", "ws", "suppress", "list"],
    ]));
}

#[test]
fn the_same_seed_gives_the_same_demo_to_the_byte() {
    let desk = Desk::empty();
    let demo = || {
        let output = desk.command(&["demo", "--days", "3", "--seed", "7", "--json"]);
        let output = { output }.env("TMPDIR", desk.0.path()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let first = demo();
    assert_eq!(first, demo());
    assert_snapshot!(first);
}

#[test]
fn a_demo_tells_its_story_and_its_workspace_can_be_looked_around_in() {
    let desk = Desk::empty();
    assert_snapshot!(desk.all(&[
        &["demo", "--days", "3", "--seed", "7", "--keep", "demo"],
        &["-C", "demo", "done", "119", "hello"],
        &["-C", "demo", "done", "107", "hello", "--json"],
        &["-C", "demo", "replies", "--limit", "3"],
        &["-C", "demo", "why", "jerome.ainsworth@sablepath.test"],
    ]));
}

#[test]
fn a_second_daemon_on_one_file_ends_at_once_and_names_the_lock() {
    let desk = Desk::applied();
    let mut first = desk.command(&["-C", "ws", "run"]).stderr(Stdio::null()).spawn().unwrap();
    let lock = desk.file("ws/firsttouch.db.lock");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_locked(&lock) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Never left waiting: it is killed below, whatever the second one says.
    let locked = is_locked(&lock);
    let said = if locked { desk.say(&["-C", "ws", "run"]) } else { String::new() };
    first.kill().unwrap();
    first.wait().unwrap();
    assert_snapshot!(said);
}

fn is_locked(path: &Path) -> bool {
    fs::File::open(path).is_ok_and(|file| file.try_lock().is_err())
}

#[test]
fn a_database_of_a_newer_program_is_refused_and_left_as_it_is() {
    let desk = Desk::applied();
    let file = desk.file("ws/firsttouch.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", file.display());
        let mut database = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
             values (9000, 'from the future', true, x'00', 0); pragma wal_checkpoint(truncate)";
        database.execute(newer).await.unwrap();
        database.close().await.unwrap();
    });
    let before = fs::read(&file).unwrap();
    let said = desk.all(&[&["-C", "ws", "report"], &["-C", "ws", "report", "--json"]]);
    assert!(before == fs::read(&file).unwrap(), "the file was changed");
    assert_snapshot!(said);
}
