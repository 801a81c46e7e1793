//! A rep's day at the command line. The clock is the real one, so times are masked.

use std::io::Write;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

struct Desk(tempfile::TempDir);

/// A country in which people may be called now, and its zone: nothing depends on the hour at which the
/// tests run.
fn awake() -> (&'static str, &'static str) {
    match jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).hour() {
        0..=8 => ("JP", "Asia/Tokyo"),
        9..=19 => ("GB", "Europe/London"),
        _ => ("FJ", "Pacific/Fiji"),
    }
}

/// The working hours never end.
const SETTINGS: &str = r#"time_zone = "ZONE"
[company]
name = "Acme Inc."
postal_address = "1 Main St, Springfield, IL 62701, USA"
[[mailbox]]
id = "ann"
from = "Ann Reyes <ann@acme.test>"
owner = "ann"
smtp = { host = "127.0.0.1", port = 9, tls = "none" }
maildir = "mail/ann"
[[mailbox]]
id = "ben"
from = "Ben Okafor <ben@acme.test>"
owner = "ben"
smtp = { host = "127.0.0.1", port = 9, tls = "none" }
maildir = "mail/ben"
[calendar.standard]
hours = "mon-sun 00:00-23:59"
clock = "ZONE"
if_zone_unknown = "ZONE"
"#;

const PEOPLE: &str = "First Name,Last Name,Title,Company,Email,Phone,LinkedIn,Country\n\
     Dana,Reed,VP Sales,Northwind,dana@northwind.test,+14155550101,https://www.linkedin.com/in/dana-x,LAND\n\
     Eli,Stone,VP Sales,Woodworks,eli@woodworks.test,+14155550102,https://www.linkedin.com/in/eli-x,LAND\n\
     Finn,Ode,VP Sales,Nowhere,finn@nowhere.test,+14155550103,https://www.linkedin.com/in/finn-x,LAND\n";

fn cadence(id: &str, steps: &str) -> String {
    format!(
        "format: cadence/v1\nid: {id}\ntitle: T\ndays: calendar\ncalendar: standard\n\
         enroll: {{ audience: prospects, profiles: [any], again_after: 30 days }}\nsteps:\n{steps}"
    )
}

impl Desk {
    /// Ann has two social tasks (1, 2) and a call (3).
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let file = |path: &str, text: &str| {
            let path = desk.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let (land, zone) = awake();
        file("demo/firsttouch.toml", &SETTINGS.replace("ZONE", zone));
        file("demo/templates/ask.hbs", "\"Hi {{first_name}}, a minute?\"\n\nThen be quiet.\n");
        let view = "  - { id: view, day: 1, social: { network: linkedin, act: view } }\n  \
             - { id: note, day: 4, task: { title: Write a note } }\n";
        let ring = "  - { id: ring, day: 1, call: { script: ask } }\n";
        file("demo/cadences/look.yaml", &cadence("look", view));
        file("demo/cadences/ring.yaml", &cadence("ring", ring));
        file("people.csv", &PEOPLE.replace("LAND", land));
        for arguments in [
            &["apply"][..],
            &["import", "../people.csv", "--owner", "ann"],
            &["enroll", "dana@northwind.test", "eli@woodworks.test", "--cadence", "look", "--yes"],
            &["enroll", "finn@nowhere.test", "--cadence", "ring", "--yes"],
        ] {
            let said = desk.run(arguments, "");
            assert!(said.ends_with("[exit 0]\n"), "{said}");
        }
        desk.work();
        desk
    }

    /// What the daemon does: it opens the tasks whose time has come.
    fn work(&self) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let workspace = self.0.path().join("demo");
            let config = firsttouch::config::load(&workspace).unwrap();
            let running = firsttouch::wiring::engine(&workspace, &config).await.unwrap();
            running.engine.work_desk().await.unwrap();
        });
    }

    /// What a command says in the workspace of the demo.
    fn say(&self, arguments: &[&str], input: &str) -> String {
        let said = self.run(arguments, input);
        let said = masked(&format!("$ firsttouch {}\n{said}", arguments.join(" ")));
        said.replace(&format!("· {}", awake().0), "· LAND")
    }

    fn all(&self, commands: &[&[&str]]) -> String {
        let said = commands.iter().map(|arguments| self.say(arguments, ""));
        said.collect::<Vec<_>>().join("\n")
    }

    fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firsttouch"));
        command.args(arguments).current_dir(self.0.path().join("demo"));
        command.env("COLUMNS", "100").env_remove("CLICOLOR_FORCE");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        format!("{out}{err}[exit {}]\n", output.status.code().unwrap())
    }
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn is_clock(word: &str) -> bool {
    let (hour, minute) = word.split_once(':').unwrap_or_default();
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    digits(hour) && digits(minute)
}

/// Columns by two blanks, and every date and time as `[time]`.
fn masked(text: &str) -> String {
    text.lines().map(|line| masked_line(line) + "\n").collect()
}

fn masked_line(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let mut words: Vec<String> = Vec::new();
    let mut is_date = false;
    for word in line.split_whitespace() {
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_day = plain.len() == 10 && plain.split('-').count() == 3;
        let digits = !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit());
        let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
        let is_month = plain.len() == 3 && months.contains(plain);
        if is_day && plain.starts_with("20") {
            words.push(word.replace(plain, "[date]"));
        } else if DAYS.contains(&plain) || is_clock(plain) || (is_date && (digits || is_month)) {
            if !is_date {
                words.push("[time]".to_owned());
            }
            is_date = !is_clock(plain);
        } else {
            is_date = false;
            words.push(word.to_owned());
        }
    }
    words.dedup_by(|a, b| a == "[time]" && b == "[time]");
    format!("{}{}", " ".repeat(indent), words.join(" "))
}

#[test]
fn the_queue_says_why_each_task_is_there_and_slips_are_told() {
    let desk = Desk::new();
    assert_snapshot!(desk.all(&[
        &["today", "--for", "ann"],
        &["today", "--kind", "social"],
        &["today", "--kind", "socail"],
        &["today", "--for", "anne"],
        &["today", "--for", "ben"],
        &["done", "1"],
        &["next"],
        &["next", "--for", "ann", "--json"],
        &["undo"],
    ]));
}

#[test]
fn the_queue_is_worked_one_by_one_from_plain_lines() {
    let desk = Desk::new();
    let call = desk.say(
        &["next", "--for", "ann"],
        "?\n99\nfoo\nn sounds busy\n3\ntomorrow 23:30\n3\ntomorrow 10:00\nu\n9 \nu\n\nq\n",
    );
    let social = desk.say(
        &["next", "--for", "ann", "--kind", "social"],
        "1 saw the profile\ns\n2 fortnights\ns 2 hours\n",
    );
    let over = desk.say(&["next", "--for", "ann", "--kind", "social"], "");
    let why = desk.say(&["next", "--for", "ann"], "w\nk not a fit\nq\n");
    let all = desk.say(&["today", "--for", "ann", "--all"], "");
    assert_snapshot!([call, social, over, why, all].join("\n"));
}

#[test]
fn tasks_are_skipped_put_off_taken_back_and_done_by_the_dozen() {
    let desk = Desk::new();
    assert_snapshot!(desk.all(&[
        &["skip", "1", "--reason", "left the company"],
        &["undo", "--for", "ann"],
        &["undo", "--for", "ann", "--json"],
        &["skip"],
        &["snooze", "2", "yesterday"],
        &["snooze", "2"],
        &["snooze", "2", "in", "40", "days"],
        &["snooze", "2", "2", "hours"],
        &["snooze", "1", "2", "tomorrow", "--dry-run"],
        &["undo", "--for", "ann", "--json"],
        &["done", "--kind", "social", "done"],
        &["done", "--kind", "social", "done", "--dry-run"],
        &["done", "--kind", "social", "--step", "veiw", "done"],
        &["done", "1", "9999", "done", "--yes"],
        &["done", "2", "9999", "done", "--yes", "--json"],
        &["done", "3", "call_back", "--until", "yesterday"],
        &["done", "3", "call_back", "--until", "tomorrow 23:30"],
        &["done", "3", "call_back", "--until", "tomorrow 10:00", "--note", "asked for the morning"],
        &["done", "3", "no_answer"],
        &["done", "no_answer", "17"],
        &["why", "finn@nowhere.test"],
    ]));
}

#[test]
fn whoever_is_away_is_shown_and_work_changes_hands() {
    let desk = Desk::new();
    assert_snapshot!(desk.all(&[
        &["away", "list"],
        &["away", "ann"],
        &["away", "anne", "--until", "fri"],
        &["away", "ann", "--until", "in 2 days", "--cover", "ann"],
        &["away", "ann", "--until", "in 2 days", "--cover", "ben"],
        &["away", "ann", "--until", "in 2 days"],
        &["today", "--for", "ann"],
        &["today", "--for", "ben"],
        &["away", "end", "ann"],
        &["away", "end", "ann"],
        &["away", "ann", "--until", "in 2 days", "--cover", "nobody", "--json"],
        &["away", "ann", "--until", "in 2 days"],
        &["away", "list"],
        &["today", "--for", "ann"],
        &["away", "end", "ann", "--json"],
        &["reassign", "1", "2", "--to", "ben"],
        &["reassign", "1", "9999", "--to", "ben", "--yes"],
        &["reassign", "--from", "ann", "--to", "ben", "--people", "--dry-run"],
        &["reassign", "--from", "ann", "--to", "ben", "--people", "--yes"],
        &["reassign", "--from", "ben", "--to", "ben"],
        &["reassign", "--to", "ben"],
    ]));
}
