//! Exports of other products, written by hand after what their interfaces document, become files that
//! `check` takes and `fmt` leaves as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use insta::assert_snapshot;

/// A workspace of the shipped files.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        assert!(desk.run(&["init", "ws"]).ends_with("[exit 0]\n"));
        desk
    }

    /// Everything that a command says.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firsttouch"));
        command.args(arguments).current_dir(self.0.path()).env("COLUMNS", "100");
        let output = command.env_remove("CLICOLOR_FORCE").output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let code = output.status.code().unwrap();
        text.concat().replace(&fixture("").display().to_string(), "") + &format!("[exit {code}]\n")
    }

    fn say(&self, arguments: &[&str]) -> String {
        self.run(&[&["-C", "ws"], arguments].concat())
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join("ws").join(path)).unwrap()
    }

    fn write(&self, path: &str, text: &str) -> String {
        fs::write(self.0.path().join(path), text).unwrap();
        path.to_owned()
    }

    /// The new files of a folder, one after the other.
    fn files(&self, folder: &str, prefix: &str) -> String {
        let entries = fs::read_dir(self.0.path().join("ws").join(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name.starts_with(prefix));
        names.sort();
        let file = |name: &String| format!("== {name}\n{}", self.read(&format!("{folder}/{name}")));
        names.iter().map(file).collect()
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/convert").join(name)
}

/// What `convert` says and writes; the result is clean.
fn converted(name: &str, prefix: &str) -> String {
    let desk = Desk::new();
    let said = desk.say(&["convert", fixture(name).to_str().unwrap()]);
    let check = desk.say(&["check", "--format", "json"]);
    assert!(check.contains("\"errors\":0"), "{check}");
    let stable = desk.say(&["fmt", "--check"]);
    assert!(stable.ends_with("[exit 0]\n"), "{stable}");
    format!("{said}{}{}", desk.files("cadences", prefix), desk.files("templates", prefix))
}

#[test]
fn a_salesloft_cadence_becomes_files_and_what_is_lost_is_told() {
    assert_snapshot!(converted("salesloft.json", "q3-outbound"));
}

#[test]
fn an_outreach_sequence_becomes_files_and_what_is_lost_is_told() {
    assert_snapshot!(converted("outreach.json", "inbound-follow-up"));
}

#[test]
fn an_apollo_sequence_becomes_files_and_what_is_lost_is_told() {
    assert_snapshot!(converted("apollo.json", "apollo-vp-sales"));
}

#[test]
fn nothing_is_overwritten_and_a_dry_run_writes_nothing() {
    let desk = Desk::new();
    let apollo = fixture("apollo.json");
    let apollo = apollo.to_str().unwrap();
    let dry = desk.say(&["convert", apollo, "--dry-run", "--json"]);
    assert!(dry.contains("\"written\":false") && dry.ends_with("[exit 3]\n"), "{dry}");
    assert_eq!(desk.files("cadences", "apollo"), "");
    desk.write("ws/templates/apollo-vp-sales-call-1.hbs", "mine\n");
    let clash = desk.say(&["convert", apollo]);
    assert!(clash.contains("there already: ws/templates/apollo-vp-sales-call-1.hbs;"), "{clash}");
    assert!(clash.ends_with("[exit 1]\n"), "{clash}");
    assert_eq!(desk.files("cadences", "apollo"), "");
    assert_eq!(desk.read("templates/apollo-vp-sales-call-1.hbs"), "mine\n");
    let elsewhere = desk.say(&["convert", apollo, "--out", "new"]);
    assert!(elsewhere.ends_with("[exit 3]\n"), "{elsewhere}");
    assert!(desk.0.path().join("new/cadences/apollo-vp-sales.yaml").exists());
}

#[test]
fn what_is_no_export_is_refused_with_what_one_looks_like() {
    let desk = Desk::new();
    let apollo = fs::read_to_string(fixture("apollo.json")).unwrap();
    let spintax = apollo.replace("Shall I", "{Shall|Should} I");
    let deep = "[".repeat(300);
    for (text, from, wanted) in [
        ("{", None, "this is not JSON"),
        (deep.as_str(), None, "this is not JSON: recursion limit exceeded"),
        ("{\"a\": 1}", None, "this looks like none of the exports"),
        ("{\"a\": 1}", Some("outreach"), "$: this is no export of Outreach: it has 0 sequences"),
        ("{\"a\": 1}", Some("salesloft"), "there are no `step_groups`"),
        (&apollo, Some("salesloft"), "there are no `step_groups`"),
        (
            &spintax,
            None,
            "$.emailer_templates[3]: spintax `{Shall|Should}` makes texts that nobody has read",
        ),
    ] {
        let file = desk.write("export.json", text);
        let mut arguments = vec!["convert", &file];
        arguments.extend(from.iter().flat_map(|from| ["--from", from]));
        let said = desk.say(&arguments);
        assert!(said.contains(wanted) && said.ends_with("[exit 1]\n"), "{said}");
    }
    let missing = desk.say(&["convert", "nothing.json"]);
    assert!(missing.ends_with("[exit 6]\n"), "{missing}");
}
