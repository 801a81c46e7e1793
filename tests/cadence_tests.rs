//! `firsttouch test`: the tests that come with the cadences pass, fail when a cadence is changed, and say
//! what differs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use serde_json::Value;

struct Desk(tempfile::TempDir);

impl Desk {
    /// A new workspace as `init` makes it.
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.run(&["init", "."]);
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> (String, String, i32) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firsttouch"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env("COLUMNS", "100").env_remove("CLICOLOR_FORCE");
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

    fn write(&self, path: &str, text: &str) {
        fs::write(self.path().join(path), text).unwrap();
    }

    fn change(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        self.write(path, &text.replacen(from, to, 1));
    }

    /// Only the tests that are written here.
    fn only(&self, tests: &str) {
        fs::remove_dir_all(self.path().join("cadences/tests")).unwrap();
        fs::create_dir(self.path().join("cadences/tests")).unwrap();
        let head = "format: test/v1\ncadence: short-outbound-7d\nenrolled: \"2026-03-02 08:00\"\n\
                    answers: { research: [done] }\ntests:\n";
        self.write("cadences/tests/mine.yaml", &format!("{head}{tests}"));
    }
}

const CADENCES: [&str; 7] = [
    "abm-buying-group",
    "inbound-speed-to-lead",
    "nurture-quarterly",
    "post-sale-relationship",
    "saas-outbound-14d",
    "short-outbound-7d",
    "team-hand-off",
];

#[test]
fn every_cadence_of_a_new_workspace_has_tests_and_they_pass() {
    let desk = Desk::new();
    let (out, err, code) = desk.run(&["test"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for cadence in CADENCES {
        assert!(out.contains(&format!("ok  cadences/tests/{cadence}.yaml")), "{out}");
    }
    assert!(!desk.path().join("firsttouch.db").exists(), "a test opened the database");
    assert!(!desk.path().join("outbox").exists(), "a test wrote a mail");
    let answer = desk.json(&["test"]);
    assert_eq!(answer["failed"], 0);
    assert!(answer["passed"].as_u64().unwrap() >= 60, "{}", answer["passed"]);
    // The same to the byte: nothing in it is left to chance.
    let story = ["test", "saas-outbound-14d", "--timeline"];
    assert_eq!(desk.run(&story), desk.run(&story));
}

#[test]
fn tests_pass_in_any_zone_and_whatever_the_limits_of_the_mailbox() {
    let desk = Desk::new();
    let settings = "time_zone = \"Asia/Tokyo\"\n[company]\nname = \"Us\"\npostal_address = \"1 Road\"\n[[mailbox]]\nid = \"ann\"\n\
        from = \"Ann <ann@us.example>\"\nowner = \"ann\"\ndaily_limit = 1\n\
        ramp = { start = 1, add_per_day = 0 }\ngap = [\"30 minutes\", \"40 minutes\"]\nmaildir = \"mail\"\n\
        [[rep]]\nid = \"cara\"\nroles = [\"account_executive\", \"account_manager\", \"inbound_pool\", \
        \"support_lead\"]\n\
        [calendar.standard]\nhours = \"mon-fri 08:00-17:00\"\nclock = \"prospect\"\n\
        if_zone_unknown = \"hold\"\nholidays = [\"2026-12-25\", \"2027-01-01\"]\n";
    desk.write("firsttouch.toml", settings);
    let (out, err, code) = desk.run(&["test"]);
    assert_eq!(code, 0, "{out}{err}");
}

/// A change of a cadence that somebody would want to hear of, and whose tests must fail.
const CHANGES: [(&str, &str, &str); 17] = [
    ("abm-buying-group", "touches_per_company_per_week: 6", "touches_per_company_per_week: 3"),
    ("saas-outbound-14d", "    day: 7\n", "    day: 8\n"),
    ("saas-outbound-14d", "    day: 14\n", "    day: 13\n"),
    ("saas-outbound-14d", "skip_if: { outcome: { call-1: [left_voicemail] } }", "priority: low"),
    ("saas-outbound-14d", "after: 90 days", "after: 60 days"),
    ("saas-outbound-14d", "not_interested: stop", "not_interested: triage"),
    ("saas-outbound-14d", "accept_within: 4 business hours", "accept_within: 3 business days"),
    ("short-outbound-7d", "    day: 5\n", "    day: 6\n"),
    (
        "short-outbound-7d",
        "retry: { after: 1 business day, max: 1 }",
        "retry: { after: 3 business days, max: 1 }",
    ),
    ("nurture-quarterly", "after: 13 weeks", "after: 12 weeks"),
    ("nurture-quarterly", "pause: 180 days", "pause: 30 days"),
    (
        "inbound-speed-to-lead",
        "expires_after: 15 business minutes",
        "expires_after: 2 business days",
    ),
    ("inbound-speed-to-lead", "    hours: any  ", "    priority: low  "),
    ("team-hand-off", "only_if: { outcome: { offer: [accepted] } }", "only_if: { has: [phone] }"),
    ("team-hand-off", "after: 60 days", "after: 90 days"),
    ("post-sale-relationship", "renewal_date - 90 days", "renewal_date - 30 days"),
    ("post-sale-relationship", "\">= 80\"", "\">= 20\""),
];

#[test]
fn whoever_changes_a_shipped_cadence_hears_of_it() {
    let desk = Desk::new();
    for (cadence, from, to) in CHANGES {
        let path = format!("cadences/{cadence}.yaml");
        let before = fs::read_to_string(desk.path().join(&path)).unwrap();
        desk.change(&path, from, to);
        let (out, err, code) = desk.run(&["test", cadence]);
        assert_eq!(code, 1, "{cadence}: {from} -> {to}\n{out}{err}");
        assert!(out.contains("FAILED"), "{cadence}: {from} -> {to}\n{out}{err}");
        desk.write(&path, &before);
    }
}

#[test]
fn a_failure_shows_the_timeline_around_what_differs() {
    let desk = Desk::new();
    desk.only(
        "  - name: a step on another day and one that is not there\n\
         \x20   answers: { call-1: [no_answer, left_voicemail] }\n\
         \x20   timeline:\n\
         \x20     - { day: 1, task: research }\n\
         \x20     - { day: 2, at: \"14:00-16:00\", sent: email-1 }\n\
         \x20     - { day: 3, task: call-1, outcome: no_answer }\n\
         \x20     - { day: 5, sent: email-2, template: proof-similar-company }\n\
         \x20     - { day: 6, skipped: call-2, why: conditions }\n\
         \x20     - { sent: email-3 }\n\
         \x20     - { asked: hand_off }\n\
         \x20     - { ended: no_reply }\n\
         \x20 - name: what must not be\n\
         \x20   events: [{ once: email-1, out_of_office: \"2026-03-20\" }]\n\
         \x20   expect: [{ sent: email-1 }]\n\
         \x20   never: [email-2]\n\
         \x20   ends: replied\n\
         \x20 - name: what was never asked for, and what never happened\n\
         \x20   answers: { call-2: [no_answer, no_answer, left_voicemail], call-1: [bad_number] }\n\
         \x20   events:\n\
         \x20     - { once: call-2, reply: interested }\n\
         \x20     - { once: email-1, reply: { text: Please remove me from your list., read_as: reply } }\n\
         \x20   ends: opted_out\n\
         \x20 - name: somebody who is not let in\n\
         \x20   prospect: { title: Carpenter }\n\
         \x20   ends: no_reply\n\
         \x20 - name: somebody who is\n\
         \x20   not_enrolled: customer\n",
    );
    assert_snapshot!(desk.say(&["test"]));
    let answer = desk.json(&["test", "--filter", "WHAT MUST"]);
    assert_snapshot!(serde_json::to_string_pretty(&answer).unwrap());
}

#[test]
fn what_happens_is_printed_as_lines_that_can_be_copied() {
    let desk = Desk::new();
    let test = "  - name: a story\n    answers: { call-1: [no_answer, left_voicemail] }\n";
    desk.only(&format!("{test}    ends: no_reply\n"));
    let out = desk.say(&["test", "--timeline"]);
    assert_snapshot!(out);
    let lines = out.lines().filter_map(|line| line.trim_start().strip_prefix("- { "));
    let lines: String = lines.map(|line| format!("      - {{ {line}\n")).collect();
    desk.only(&format!("{test}    timeline:\n{lines}"));
    let (out, err, code) = desk.run(&["test"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn a_question_that_nobody_decides_expires_and_a_word_of_the_person_closes_it() {
    let desk = Desk::new();
    let answers = "answers: { call-1: [call_back] }";
    let optout = "events: [{ once: call-1, after: 1 day, opt_out: by_mail }]";
    let story = |name: &str, more: &str, outcome: &str| {
        format!(
            "  - {{ name: {name}, {answers}, {more}expect: [{{ asked: triage, outcome: {outcome} }}] \
             }}\n"
        )
    };
    let left = story("left alone", "", "expired");
    let gone = story("asks to be left alone", &format!("{optout}, "), "closed");
    desk.only(&format!("{left}{gone}"));
    let (out, err, code) = desk.run(&["test", "--timeline"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn every_mistake_in_a_file_with_tests_is_told_at_once() {
    let desk = Desk::new();
    desk.only(
        "  - name: wrong in many ways\n\
         \x20   prospect: { phone: \"12\", emial: x@y.example, time_zone: Mars }\n\
         \x20   without: phone\n\
         \x20   holidays: [\"3 January\"]\n\
         \x20   answers: { call-1: [no_anwser], call-9: [done], email-1: [sent] }\n\
         \x20   decisions: { hand_of: [accepted], triage: [maybe] }\n\
         \x20   events:\n\
         \x20     - { day: 4, reply: intrested }\n\
         \x20     - { reply: interested }\n\
         \x20     - { on: \"2025-03-04\", bounce: hard }\n\
         \x20     - { once: email-1, at: \"08:00\", out_of_office: \"3.1.\" }\n\
         \x20   expect:\n\
         \x20     - { day: 1, sent: call-1 }\n\
         \x20     - { day: 1, send: email-1 }\n\
         \x20     - { day: 2, at: 7:30, sent: email-1, template: short-introo }\n\
         \x20     - { day: 2, on: \"2026-03-03\", sent: email-1, why: conditions }\n\
         \x20   never: [email-1]\n\
         \x20   ends: noreply\n\
         \x20 - { name: nothing, until: \"2026-01-01\" }\n\
         \x20 - { name: nothing, ends: open }\n",
    );
    assert_snapshot!(desk.say(&["check", "cadences/tests"]));
    // A file that is not clean is not run.
    let (_, err, code) = desk.run(&["test"]);
    assert_eq!(code, 1);
    assert!(err.contains("error[C703]"), "{err}");
}

#[test]
fn what_is_asked_for_is_run_and_what_is_not_there_is_told() {
    let desk = Desk::new();
    let lines = |arguments: &[&str]| {
        let out = desk.say(arguments);
        out.replace("  \n", "\n")
    };
    let said = [
        lines(&["test", "nurture-quarterly"]),
        lines(&["test", "cadences/nurture-quarterly.yaml"]),
        lines(&["test", "./cadences/tests/nurture-quarterly.yaml", "nurture-quarterly"]),
        lines(&["test", "--list", "--filter", "Christmas"]),
        lines(&["test", "nurture-quaterly"]),
        lines(&["test", "templates"]),
        lines(&["test", "--filter", "no such words"]),
    ];
    assert_snapshot!(said.join("\n"));
    fs::remove_file(desk.path().join("cadences/tests/nurture-quarterly.yaml")).unwrap();
    let none = lines(&["test", "nurture-quarterly"]);
    fs::remove_dir_all(desk.path().join("cadences/tests")).unwrap();
    assert_snapshot!(format!("{none}\n{}", lines(&["test"])));
}

#[test]
fn a_long_cadence_takes_no_time() {
    let desk = Desk::new();
    let begun = std::time::Instant::now();
    desk.run(&["test", "post-sale-relationship"]);
    // A year and more, nine times; without the jumps from wake to wake it would be minutes.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
