//! `fmt`, `schema` and what `init` sets up around the files.

use std::fs;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::Value;

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        assert!(desk.run(&["init", "ws"]).ends_with("[exit 0]\n"));
        desk
    }

    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firsttouch"));
        command.args(arguments).current_dir(self.0.path()).env("COLUMNS", "100");
        let output = command.env_remove("CLICOLOR_FORCE").output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let code = output.status.code().unwrap();
        format!("$ firsttouch {}\n{}[exit {code}]\n", arguments.join(" "), text.concat())
    }

    fn say(&self, arguments: &[&str]) -> String {
        self.run(&[&["-C", "ws"], arguments].concat())
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join("ws").join(path)).unwrap()
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.0.path().join("ws").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

const SHORT: &str = "cadences/short-outbound-7d.yaml";
const VP: &str = "profiles/vp-sales-saas.yaml";

#[test]
fn the_shipped_files_are_formatted_and_name_their_schema() {
    let desk = Desk::new();
    let said = desk.say(&["fmt", "--check"]);
    assert!(said.ends_with("ok  21 files are formatted\n[exit 0]\n"), "{said}");
    for (path, kind) in
        [(SHORT, "cadence"), (VP, "profile"), ("cadences/saas-outbound-14d.yaml", "cadence")]
    {
        let lines = format!(
            "# yaml-language-server: $schema=../schema/{kind}.v1.schema.json\n# $schema: ../schema/{kind}.v1.schema.json\n"
        );
        assert!(desk.read(path).starts_with(&lines), "{path}");
    }
}

#[test]
fn what_differs_is_shown_and_then_written_and_errors_are_left_alone() {
    let desk = Desk::new();
    let (short, vp) = (desk.read(SHORT), desk.read(VP));
    desk.write(
        SHORT,
        short
            .replace("    day: 3\n", "")
            .replace("only_if: { has: [phone] } ", "only_if: {has:  [phone] } ")
            .replace("  - id: call-1\n", "  - day: 3\n    id: call-1\n"),
    );
    desk.write(VP, vp.replace("\"US\"", "US"));
    desk.write("profiles/revops-saas.yaml", "format: profile/v1\nid:   [\n");
    desk.write("cadences/other.yaml", [0xff, 0xfe]);
    let told = [
        desk.say(&["fmt", "--check", SHORT, VP]),
        desk.say(&["fmt"]),
        desk.say(&["fmt", "--json"]),
        desk.say(&["fmt", "templates"]),
    ];
    assert_snapshot!(told.join("\n"));
    assert_eq!(desk.read(VP), vp);
    assert_eq!(desk.read(SHORT), short);
    assert_eq!(desk.read("profiles/revops-saas.yaml"), "format: profile/v1\nid:   [\n");
}

#[test]
fn a_file_that_is_not_read_is_told_and_the_others_are_checked() {
    let desk = Desk::new();
    desk.write("templates/intro-pain.hbs", [b'a', 0xff]);
    desk.write("cadences/mine.yml", "format: cadence/v1\n");
    assert_snapshot!(desk.say(&["check"]));
}

#[test]
fn schemas_are_written_and_those_of_an_older_version_replaced() {
    let desk = Desk::new();
    let schema = desk.read("schema/cadence.v1.schema.json");
    desk.write("schema/cadence.v1.schema.json", "{}");
    let said = desk.say(&["schema"]);
    assert!(
        said.contains("wrote  ws/schema/cadence") && said.contains("same   ws/schema/profile"),
        "{said}"
    );
    assert_eq!(desk.read("schema/cadence.v1.schema.json"), schema);
    desk.say(&["schema", "--dir", "elsewhere"]);
    assert_eq!(desk.read("elsewhere/cadence.v1.schema.json"), schema);
}

#[test]
fn init_sets_up_the_editor_and_ci_and_touches_nothing_that_is_there() {
    let desk = Desk(tempfile::tempdir().unwrap());
    desk.write(".vscode/settings.json", "{\"mine\": true}\n");
    let said = desk.run(&["init", "ws"]);
    assert!(
        said.contains("were there already and were not touched: .vscode/settings.json"),
        "{said}"
    );
    assert_eq!(desk.read(".vscode/settings.json"), "{\"mine\": true}\n");
    let workflow = desk.read(".github/workflows/firsttouch.yml");
    for command in ["firsttouch check --format github", "firsttouch fmt --check"] {
        assert!(workflow.contains(&format!("- run: {command}\n")), "{workflow}");
        let arguments: Vec<&str> = command.split(' ').skip(1).collect();
        assert!(desk.say(&arguments).ends_with("[exit 0]\n"), "{command}");
    }
    let other = Desk::new();
    let settings: Value = serde_json::from_str(&other.read(".vscode/settings.json")).unwrap();
    for (schema, files) in settings["yaml.schemas"].as_object().unwrap() {
        assert!(other.0.path().join("ws").join(schema).exists(), "{schema}");
        assert!(files.as_str().unwrap().ends_with("/*.yaml"));
    }
}
