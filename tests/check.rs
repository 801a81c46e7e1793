//! What `check` says of broken files, to people and to programs.

use std::fs;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::{Value, json};

/// A workspace of the shipped files, to be broken.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let (_, code) = desk.run(&["init", "ws"]);
        assert_eq!(code, 0);
        desk
    }

    fn change(&self, path: &str, from: &str, to: &str) {
        let file = self.0.path().join("ws").join(path);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        fs::write(file, text.replacen(from, to, 1)).unwrap();
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.0.path().join("ws").join(path), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firsttouch"));
        command.args(arguments).current_dir(self.0.path()).env("COLUMNS", "100");
        command.env_remove("CLICOLOR_FORCE");
        command
    }

    fn run(&self, arguments: &[&str]) -> (String, i32) {
        let output = self.command(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (text.concat(), output.status.code().unwrap())
    }

    fn say(&self, arguments: &[&str]) -> String {
        let (text, code) = self.run(&[&["-C", "ws"], arguments].concat());
        format!("$ firsttouch {}\n{text}[exit {code}]\n", arguments.join(" "))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.command(&[&["-C", "ws"], arguments].concat()).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

const SAAS: &str = "cadences/saas-outbound-14d.yaml";

/// The broken copies of the design, one cadence with all of them and the one that is not YAML.
fn broken() -> Desk {
    let desk = Desk::new();
    desk.change(SAAS, "{ template: proof-similar-company", "{ templte: proof-similar-company");
    desk.change(SAAS, "after: 4 business hours", "after: 4");
    desk.change(SAAS, "intro-trigger: 50", "intro-trigger: 40");
    desk.change(SAAS, "thread: new", "thread: reply");
    desk.change(SAAS, "{ li-connect: [accepted", "{ li-conect: [accepted");
    desk.change(SAAS, "- id: call-2\n    day: 5", "- id: call-2\n    day: 5\n    after: 1 day");
    desk.change(SAAS, "- id: call-4\n    day: 12", "- id: call-4\n    day: 10");
    desk.change("profiles/revops-saas.yaml", "say:\n", "say:\n  topic: twice\n");
    desk.change("templates/close-the-loop.hbs", "{{first_name}}", "{{frist_name}}");
    desk
}

#[test]
fn every_broken_copy_of_the_design_is_told_at_once_with_its_line() {
    assert_snapshot!(broken().say(&["check"]));
}

#[test]
fn what_only_shows_across_steps_and_files_is_told() {
    let desk = Desk::new();
    desk.change(SAAS, "touches_per_prospect_per_day: 3", "touches_per_prospect_per_day: 1");
    desk.change(SAAS, "{ call-1: [left_voicemail] }", "{ call-1: [meeting_booked] }");
    desk.change(SAAS, "day: 12", "after: 3 hours");
    desk.change("profiles/revops-saas.yaml", "  proof:", "  prof:");
    desk.write("templates/forgotten.hbs", "Hi {{first_name}}\n");
    desk.write("templates/li-connect-note.hbs", &"Hi {{first_name}}, a long story. ".repeat(12));
    let (text, code) = desk.run(&["-C", "ws", "check"]);
    assert_eq!(code, 0, "warnings and notes alone are no failure");
    assert_snapshot!(text);
}

#[test]
fn the_frame_is_right_for_tabs_wide_characters_and_long_lines() {
    let desk = Desk::new();
    let long = "word ".repeat(60);
    desk.write(
        "templates/vm-last.hbs",
        &format!("日本語\t{{{{frist_name}}}}\n{long}{{{{titel}}}} {long}\n"),
    );
    desk.change(SAAS, "title: SaaS", "titel: \"\u{1b}[31mSaaS\"\ntitle: SaaS");
    desk.write("profiles/vp-sales-saas.yaml", "id: [\n\tx\n");
    assert_snapshot!(desk.say(&["check"]));
    let coloured = desk.command(&["-C", "ws", "check", SAAS]).env("CLICOLOR_FORCE", "1").output();
    let coloured = String::from_utf8(coloured.unwrap().stdout).unwrap();
    assert!(coloured.contains("\u{1b}[1;31merror[C001]\u{1b}[0m"), "{coloured}");
    assert!(!coloured.contains("\u{1b}[31m"), "the file's own escape is not obeyed");
}

#[test]
fn broken_settings_are_told_beside_everything_else() {
    let desk = broken();
    desk.change("firsttouch.toml", "postal_address", "postal_adress");
    let document = desk.json(&["check", "--json"]);
    let codes: Vec<&str> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["code"].as_str().unwrap())
        .collect();
    assert!(
        codes.contains(&"S001") && codes.contains(&"T101") && codes.contains(&"C201"),
        "{codes:?}"
    );
    assert!(!codes.contains(&"C107"), "without settings nobody knows the calendars");
    assert!(!desk.0.path().join("ws/firsttouch.db").exists(), "no database was touched");
}

#[test]
fn only_what_was_asked_for_is_shown() {
    let desk = broken();
    let template = "templates/close-the-loop.hbs";
    assert_snapshot!(
        [
            desk.say(&["check", template, "--format", "github"]),
            desk.say(&["check", "ws/templates", "--format", "github"]),
            desk.say(&["check", "lists/none.csv"]),
            desk.say(&["check", "templates/vm-last.hbs"]),
            desk.say(&["check", "--json", "--format", "sarif"]),
        ]
        .join("\n")
    );
}

#[test]
fn workflow_commands_are_escaped() {
    let desk = Desk::new();
    desk.change(SAAS, "title: SaaS", "\"100%:\\n::a,b\": x\ntitle: SaaS");
    fs::rename(desk.0.path().join("ws"), desk.0.path().join("a,b:c")).unwrap();
    let (text, _) = desk.run(&["-C", "a,b:c", "check", "--format", "github"]);
    let line = text.lines().next().unwrap();
    assert!(
        line.starts_with("::error file=a%2Cb%3Ac/cadences/saas-outbound-14d.yaml,line="),
        "{line}"
    );
    assert!(line.contains(",title=C002::") && line.contains("100%25:"), "{line}");
}

/// What SARIF 2.1.0 asks of a log, as far as we write it.
#[test]
fn the_sarif_log_is_whole() {
    let desk = broken();
    let log = desk.json(&["check", "--format", "sarif"]);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.len() > 40 && run["tool"]["driver"]["name"] == "firsttouch");
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 8, "{results:#?}");
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(desk.0.path().join(uri).exists(), "{uri} is named from the folder of the command");
        if let Some(region) = place.get("region") {
            assert!(
                region["startLine"].as_u64() >= Some(1)
                    && region["startColumn"].as_u64() >= Some(1)
            );
        }
    }
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[text]["text"].as_str().unwrap().is_empty(), "{rule}");
        }
    }
}

#[test]
fn a_rule_is_explained_and_so_is_a_command() {
    let desk = Desk::new();
    let help = desk.run(&["help", "import"]);
    assert_eq!(help, desk.run(&["import", "--help"]));
    assert_eq!(desk.run(&["help"]), desk.run(&["--help"]));
    assert_snapshot!(
        [
            desk.say(&["help", "c201"]),
            desk.say(&["help", "C210"]),
            desk.say(&["help", "impot"]),
            desk.say(&["help", "--rules"]),
            desk.say(&["help", "T106", "--json"]),
        ]
        .join("\n")
    );
}

/// The files that the page of the language writes, by the name that stands above each.
fn files_of_the_page() -> Vec<(String, String)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/language.md");
    let page = fs::read_to_string(page).unwrap();
    let parts: Vec<&str> = page.split("\n```").collect();
    let file = |pair: &[&str]| {
        let name = pair[0].trim_end().lines().last()?.strip_prefix("File: `")?;
        let (_, text) = pair[1].split_once('\n')?;
        Some((name.trim_end_matches('`').to_owned(), format!("{text}\n")))
    };
    parts.chunks_exact(2).filter_map(file).collect()
}

#[test]
fn what_the_page_of_the_language_writes_passes() {
    let desk = Desk::new();
    let files = files_of_the_page();
    assert_eq!(files.len(), 8, "{files:?}");
    files.iter().for_each(|(name, text)| desk.write(name, text));
    let tested = desk.json(&["test", "leader-5", "--json"]);
    assert_eq!((&tested["passed"], &tested["failed"]), (&json!(3), &json!(0)), "{tested:#}");
    let document = desk.json(&["check", "--json"]);
    // The template that only shows what one may contain belongs to no cadence.
    let findings = document["findings"].as_array().unwrap();
    let codes: Vec<&Value> = findings.iter().map(|finding| &finding["code"]).collect();
    assert_eq!(codes, ["C504"], "{document:#}");
    let say = |from, to| {
        let (name, text) = files.iter().find(|(name, _)| name == "cadences/leader-5.yaml").unwrap();
        desk.write(name, &text.replacen(from, to, 1));
        desk.json(&["check", "--json"])["findings"][0]["code"].clone()
    };
    assert_eq!(say("day: 5", "dya: 5"), "C002");
    assert_eq!(say("leader-bump, thread: reply", "leader-bump, thread: new"), "C502");
}
