//! What `preview` says, and that it changes nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use serde_json::Value;
use sqlx::{Connection, Row};

const LIST: &str = "First Name,Last Name,Title,Company,Email,Phone,Employees,Industry,Country,Trigger\n\
     Dana,Reed,VP Sales,Northwind,dana@northwind.test,+1 415 555 0123,200,SaaS,US,You are hiring\n\
     Gil,Ames,VP Sales,Southwind,gil@southwind.test,,200,SaaS,GB,\n\
     Eli,Stone,Carpenter,Woodworks,eli@woodworks.test,,200,SaaS,US,\n";

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.run(&["init", "."]);
        fs::write(desk.path().join("people.csv"), LIST).unwrap();
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> (String, String, i32) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firsttouch"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env("COLUMNS", "80").env_remove("CLICOLOR_FORCE").env_remove("DISPLAY");
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
    }

    fn say(&self, arguments: &[&str]) -> String {
        let (out, err, code) = self.run(arguments);
        format!("$ firsttouch {}\n{out}{err}[exit {code}]\n", arguments.join(" "))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--json"]].concat()).0).unwrap()
    }

    fn import(&self) {
        self.run(&["import", "people.csv", "--list", "people"]);
    }

    /// Every row of every table.
    async fn rows(&self) -> Vec<(String, i64)> {
        let path = self.path().join("firsttouch.db");
        let mut db = sqlx::SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
        let tables = "select name from sqlite_master where type = 'table' order by name";
        let mut rows = Vec::new();
        for table in sqlx::query(tables).fetch_all(&mut db).await.unwrap() {
            let name: String = table.get(0);
            let count = format!("select count(*) from \"{name}\"");
            let count = sqlx::query(sqlx::AssertSqlSafe(count)).fetch_one(&mut db).await.unwrap();
            rows.push((name, count.get(0)));
        }
        rows
    }
}

const FROM: &str = "2026-03-02";

#[test]
fn a_made_up_person_sees_every_step_without_any_database() {
    let desk = Desk::new();
    let made_up = ["preview", "short-outbound-7d", "--sample", "--from", FROM];
    assert_snapshot!(desk.say(&made_up));
    assert!(!desk.path().join("firsttouch.db").exists());
}

#[test]
fn a_person_of_the_list_sees_what_is_skipped_and_what_hangs_on_an_outcome() {
    let desk = Desk::new();
    desk.import();
    let plan =
        desk.json(&["preview", "saas-outbound-14d", "--for", "gil@southwind.test", "--from", FROM]);
    let steps = plan["steps"].as_array().unwrap();
    let step = |id: &str| steps.iter().find(|step| step["step"] == id).unwrap();
    let happens: Vec<&str> = steps.iter().map(|step| step["happens"].as_str().unwrap()).collect();
    assert_eq!(
        happens,
        ["yes", "no", "no", "no", "yes", "no", "no", "yes", "no", "no", "yes", "no", "yes"]
    );
    // No trigger: the other variant, and no part in the comparison.
    assert_eq!(step("email-1")["mail"]["template"], "intro-pain");
    assert_eq!(step("email-1")["mail"]["split"], "not_in_test");
    assert_eq!(step("email-1")["at"], "2026-03-02T07:30:00Z");
    assert_eq!(step("call-1")["reasons"][0], "phone is not known");
    assert_eq!(step("email-3")["mail"]["subject"], "Re: ramp time at Southwind");
    let dana = desk.json(&[
        "preview",
        "saas-outbound-14d",
        "--for",
        "dana@northwind.test",
        "--from",
        FROM,
    ]);
    let open = dana["steps"].as_array().unwrap().iter().filter(|step| step["happens"] == "open");
    let open: Vec<&str> = open.map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(open, ["email-2-after-voicemail", "email-2"]);
}

#[test]
fn a_list_is_held_against_templates_and_check_says_the_same() {
    let desk = Desk::new();
    desk.import();
    let commands: [&[&str]; 7] = [
        &["preview", "intro-trigger"],
        &["preview", "saas-outbound-14d", "--coverage", "--list", "people"],
        &["preview", "templates/intro-trigger.hbs", "--coverage", "--list", "people"],
        &["preview", "intro-trigger", "--for", "gil@southwind.test", "--from", FROM],
        &["preview", "intro-triger", "--sample"],
        &["preview", "intro-trigger", "--for", "nobody@x.test"],
        &["check", "--list", "people"],
    ];
    let said: Vec<String> = commands.iter().map(|command| desk.say(command)).collect();
    assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn looking_changes_nothing_in_the_database() {
    let desk = Desk::new();
    desk.import();
    desk.run(&["apply"]);
    let before = desk.rows().await;
    let name = "saas-outbound-14d";
    for arguments in [
        &["preview", name, "--for", "dana@northwind.test", "--html"][..],
        &["preview", name, "--for", "dana@northwind.test", "--applied"],
        &["preview", name, "--coverage", "--list", "people"],
        &["check", "--list", "people"],
    ] {
        let (out, err, code) = desk.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
    }
    assert_eq!(desk.rows().await, before);
    let page =
        fs::read_to_string(desk.path().join(".firsttouch/preview/saas-outbound-14d.html")).unwrap();
    assert!(page.contains("<p>Hi Dana,</p>"), "{page}");
}

#[test]
fn what_a_task_above_asks_for_is_lacked_by_nobody_below_it() {
    let desk = Desk::new();
    desk.import();
    let head = "format: cadence/v1\nid: hook\ntitle: Hook\ndays: business\ncalendar: standard\n\
                enroll: { audience: prospects, profiles: [any] }\nsteps:\n";
    let steps = "  - { id: before, day: 1, email: { template: hook, thread: new } }\n  \
                 - { id: find, day: 2, task: { title: Find it, collect: [x.hook] } }\n  \
                 - { id: behind, day: 3, email: { template: hook, thread: new } }\n";
    fs::write(desk.path().join("cadences/hook.yaml"), format!("{head}{steps}")).unwrap();
    let template = "---\nsubject: \"For you\"\n---\nI saw {{x.hook}}.\n";
    fs::write(desk.path().join("templates/hook.hbs"), template).unwrap();
    let (out, err, code) = desk.run(&["preview", "hook", "--coverage", "--list", "people"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("0 of 3  before  hook"), "{out}");
    assert!(out.contains("3 of 3  behind  hook"), "{out}");
}
