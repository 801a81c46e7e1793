//! `simulate`: the same answer for the same seed, the right reason for what waits, and a database that
//! nobody has touched.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_firsttouch");

/// A fresh workspace.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        assert_eq!(desk.run(&["init", "."]).2, 0);
        desk
    }

    /// With so many mailboxes, each with a rep of its own.
    fn with_mailboxes(n: usize, limit: usize) -> Self {
        let desk = Self::new();
        let mailbox = |n: usize| {
            format!(
                "\n[[mailbox]]\nid = \"rep{n}\"\nfrom = \"rep{n}@acme.test\"\nowner = \"rep{n}\"\n\
                 daily_limit = {limit}\nramp = {{ start = {limit}, add_per_day = 0 }}\n\
                 smtp = {{ host = \"127.0.0.1\", port = 25, tls = \"none\" }}\nmaildir = \"mail/{n}\"\n"
            )
        };
        let more: String = (0..n).map(mailbox).collect();
        let path = desk.path("firsttouch.toml");
        let (head, calendars) = {
            let text = fs::read_to_string(&path).unwrap();
            let at = text.find("[calendar.").expect("a calendar");
            (text[..at].to_owned(), text[at..].to_owned())
        };
        fs::write(&path, format!("{head}{more}\n{calendars}")).unwrap();
        desk
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn run(&self, arguments: &[&str]) -> (String, String, i32) {
        let output = Command::new(PROGRAM)
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .env("COLUMNS", "100")
            .env_remove("CLICOLOR_FORCE")
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
    }

    fn simulate(&self, arguments: &[&str]) -> String {
        let first = ["simulate", "saas-outbound-14d", "--from", "2026-03-02"];
        let (out, err, code) = self.run(&[&first, arguments].concat());
        assert_eq!(code, 0, "{err}");
        out
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let out = self.simulate(&[arguments, &["--json"]].concat());
        serde_json::from_str(&out).unwrap()
    }
}

#[test]
fn the_same_seed_gives_the_same_document_to_the_byte_and_another_one_does_not() {
    let desk = Desk::with_mailboxes(2, 40);
    let ask = |seed: &str| {
        desk.simulate(&[
            "--prospects",
            "60",
            "--days",
            "20",
            "--seed",
            seed,
            "--runs",
            "3",
            "--json",
        ])
    };
    let (once, again, other) = (ask("7"), ask("7"), ask("8"));
    assert_eq!(once, again);
    assert_ne!(once, other);
    let document: Value = serde_json::from_str(&once).unwrap();
    assert_eq!(document["schema"], "firsttouch.simulate.v1");
    assert_eq!(document["runs"].as_array().unwrap().len(), 3);
    // The first run's seed is the one that was asked for.
    assert_eq!(document["runs"][0]["answered"], document["run"]["answered"]);
    assert_eq!(document["run"]["enrolled"], 60, "{}", document["run"]["not_enrolled"]);
}

#[test]
fn one_mailbox_for_many_people_is_named_and_more_of_them_are_tried() {
    let starved = Desk::with_mailboxes(1, 5);
    let lone = starved.json(&["--prospects", "160", "--days", "28"]);
    assert_eq!(lone["brake"]["reason"], "mailbox_limit", "{}", lone["verdict"]);
    let waiting = lone["run"]["waiting_for_first_touch_at_the_end"].as_u64().unwrap();
    assert!(waiting > 60, "{waiting}");
    let said = lone["verdict"].as_str().unwrap();
    let begins = format!("With 1 rep with a mailbox, the queue does not drain: {waiting} of 160");
    assert!(said.starts_with(&begins), "{said}");
    // What is said to help does help.
    let reps = lone["remedy"]["reps"].as_u64().expect("a remedy");
    assert!(said.contains(&format!("{reps} reps with a mailbox each")), "{said}");
    let helped = Desk::with_mailboxes(usize::try_from(reps).unwrap(), 5);
    let many = helped.json(&["--prospects", "160", "--days", "28"]);
    assert_eq!(many["run"]["waiting_for_first_touch_at_the_end"], 0, "{}", many["verdict"]);
}

#[test]
fn a_comfortable_team_is_told_so() {
    let desk = Desk::with_mailboxes(3, 40);
    let document = desk.json(&["--prospects", "40", "--days", "30"]);
    assert_eq!(document["brake"], Value::Null, "{}", document["verdict"]);
    assert_eq!(document["remedy"], Value::Null);
    let said = document["verdict"].as_str().unwrap();
    assert!(said.contains("no limit holds anybody up"), "{said}");
}

#[test]
fn reps_who_do_too_little_are_told_by_their_tasks_that_expire() {
    let desk = Desk::with_mailboxes(2, 40);
    let asked = ["--prospects", "60", "--days", "30", "--tasks-per-day", "3"];
    let document = desk.json(&asked);
    assert_eq!(document["brake"]["reason"], "needs_person", "{}", document["verdict"]);
    let said = document["verdict"].as_str().unwrap();
    assert!(said.contains("the reps do not keep up"), "{said}");
}

#[test]
fn mailboxes_keep_their_limit_and_reps_theirs_on_every_day() {
    let desk = Desk::with_mailboxes(2, 15);
    let asked = ["--prospects", "200", "--days", "30", "--tasks-per-day", "20"];
    let document = desk.json(&asked);
    let mut mails: BTreeMap<String, u64> = BTreeMap::new();
    for line in document["run"]["load"].as_array().unwrap() {
        let did = |what: &str| line[what].as_u64().unwrap_or(0);
        if let Some(mailbox) = line["mailbox"].as_str() {
            assert!(did("mails") <= 15, "{line}");
            *mails.entry(mailbox.to_owned()).or_default() += did("mails");
        } else {
            assert!(did("calls") + did("social") + did("other") <= 20, "{line}");
        }
    }
    let sent: u64 = mails.values().sum();
    assert_eq!(document["run"]["touches"]["email"].as_u64(), Some(sent));
    assert_eq!(mails.len(), 2);
}

/// Every file of the workspace but those that SQLite makes for its readers.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let shared = path.to_string_lossy().ends_with("-shm");
            let empty_log =
                path.to_string_lossy().ends_with("-wal") && fs::metadata(&path).unwrap().len() == 0;
            if !shared && !empty_log {
                found.insert(path.clone(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

const LIST: &str = "First Name,Last Name,Title,Company,Email,Employees,Industry,Country,State\n\
     Dana,Reed,VP Sales,Northwind,dana@northwind.test,200,SaaS,US,NY\n\
     Kim,Low,Head of Sales,Contoso,kim@contoso.test,300,SaaS,US,NY\n\
     Lee,Moss,Head of Sales,Fabrikam,lee@fabrikam.test,300,SaaS,US,NY\n\
     Pat,Gray,Gardener,Tailspin,pat@tailspin.test,300,SaaS,US,NY\n";

#[test]
fn every_shipped_cadence_can_be_simulated() {
    let desk = Desk::new();
    for cadence in [
        "abm-buying-group",
        "inbound-speed-to-lead",
        "nurture-quarterly",
        "post-sale-relationship",
        "saas-outbound-14d",
        "short-outbound-7d",
        "team-hand-off",
    ] {
        let wanted = ["--prospects", "30", "--days", "30", "--seed", "3", "--json"];
        let (out, err, code) = desk.run(&[&["simulate", cadence], &wanted[..]].concat());
        assert_eq!(code, 0, "{cadence}: {err}");
        let told: Value = serde_json::from_str(&out).unwrap();
        assert!(told["run"]["enrolled"].as_u64() > Some(0), "{cadence}: {}", told["run"]);
    }
}

#[test]
fn a_list_is_copied_with_its_blocks_and_the_database_stays_as_it_was() {
    let desk = Desk::with_mailboxes(1, 40);
    fs::write(desk.path("people.csv"), LIST).unwrap();
    assert_eq!(desk.run(&["apply"]).2, 0);
    assert_eq!(desk.run(&["import", "people.csv", "--list", "spring"]).2, 0);
    assert_eq!(desk.run(&["suppress", "add", "kim@contoso.test"]).2, 0);
    let enrolled = ["enroll", "lee@fabrikam.test", "--cadence", "saas-outbound-14d", "--yes"];
    assert_eq!(desk.run(&enrolled).2, 0);
    let before = files(desk.0.path());
    assert!(before.keys().any(|path| path.ends_with("firsttouch.db")));
    let document = desk.json(&["--list", "spring", "--days", "20"]);
    assert_eq!(files(desk.0.path()), before);
    assert_eq!(document["run"]["people"], 4);
    let reasons = document["run"]["not_enrolled"].as_object().unwrap();
    let has = |words: &str| reasons.keys().any(|reason| reason.contains(words));
    assert!(has("already in a cadence") && has("does not match"), "{reasons:?}");
    // Nobody blocked is ever written to.
    assert_eq!(document["run"]["first_touches"], 1, "{document}");
}

#[test]
fn mistakes_are_answered_in_words_and_nothing_is_made() {
    let desk = Desk::new();
    let cases: [(&[&str], i32, &str); 5] = [
        (&["simulate", "short-outbound-7d"], 2, "say whom"),
        (
            &["simulate", "short-outbound", "--prospects", "5"],
            6,
            "there is no cadence `short-outbound`",
        ),
        (&["simulate", "short-outbound-7d", "--list", "x"], 6, "there is no database yet"),
        (&["simulate", "short-outbound-7d", "--prospects", "0"], 2, "0 is not in 1..=100000"),
        (
            &["simulate", "short-outbound-7d", "--prospects", "5", "--rep-hours", "17-9"],
            2,
            "two hours",
        ),
    ];
    let before = files(desk.0.path());
    for (arguments, code, words) in cases {
        let (_, err, exit) = desk.run(arguments);
        assert_eq!(exit, code, "{err}");
        assert!(err.contains(words), "{err}");
    }
    let cadence = desk.path("cadences/short-outbound-7d.yaml");
    fs::write(
        &cadence,
        fs::read_to_string(&cadence).unwrap().replace("template: ", "template: no-such-"),
    )
    .unwrap();
    let (_, err, exit) = desk.run(&["simulate", "short-outbound-7d", "--prospects", "5"]);
    assert_eq!(exit, 1);
    assert!(err.contains("no-such-"), "{err}");
    let left: Vec<PathBuf> = files(desk.0.path()).into_keys().collect();
    assert_eq!(left, before.into_keys().collect::<Vec<_>>());
}

#[test]
fn the_picture_names_its_axes_and_is_well_formed() {
    let desk = Desk::with_mailboxes(1, 40);
    desk.simulate(&["--prospects", "30", "--days", "20", "--svg", "out.svg"]);
    let svg = fs::read_to_string(desk.path("out.svg")).unwrap();
    for words in [
        "<title>saas-outbound-14d: 30 people, 20 days</title>",
        "Touches by day",
        "Funnel, in people",
    ] {
        assert!(svg.contains(words), "{words}");
    }
    let count = |what: &str| svg.matches(what).count();
    assert_eq!(count("<text "), count("</text>"));
    assert_eq!(count("<g>"), count("</g>"));
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}
