//! What `profile` and the profiles in `why` say, as snapshots: the words, the JSON, stderr and the exit code.

use std::fs;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

const PROGRAM: &str = env!("CARGO_BIN_EXE_firsttouch");

/// A folder of its own with a workspace in `ws`: the shipped files, applied.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.say(&["init", "ws"]);
        assert!(desk.say(&["-C", "ws", "apply"]).ends_with("[exit 0]\n"));
        desk
    }

    /// With a list of people who fit, nearly fit and do not fit.
    fn with_people() -> Self {
        let desk = Self::new();
        fs::write(desk.0.path().join("people.csv"), PEOPLE).unwrap();
        let said = desk.say(&["-C", "ws", "import", "people.csv"]);
        assert!(said.contains("9 rows"), "{said}");
        desk
    }

    fn change(&self, path: &str, from: &str, to: &str) {
        let path = self.0.path().join(path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{path:?} has no {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn say(&self, arguments: &[&str]) -> String {
        self.say_in("80", arguments)
    }

    /// The command line and everything that came of it, on a screen so wide.
    fn say_in(&self, columns: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command.env("COLUMNS", columns).env_remove("CLICOLOR_FORCE");
        let output = command.output().unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let code = output.status.code().unwrap();
        format!("$ firsttouch {}\n{out}{err}[exit {code}]\n", arguments.join(" "))
    }

    fn all(&self, commands: &[&[&str]]) -> String {
        commands.iter().map(|arguments| self.say(arguments)).collect::<Vec<_>>().join("\n")
    }
}

const PEOPLE: &str = "First Name,Last Name,Title,Company,Email,Phone,Employees,Industry,Country,Trigger\n\
     Dana,Reed,\"VP, Sales\",Northwind,dana@northwind.test,,51-200,SaaS,US,\n\
     Ada,Quill,Chief Revenue Officer,Inkwell,ada@inkwell.test,+1 415 555 2671,200,Software,GB,New office\n\
     Odd,Vik,Vice-President of Sales,Fjell,odd@fjell.test,,300,SaaS,NO,\n\
     Rita,Moss,Head of RevOps,Mossy,rita@mossy.test,,80,SaaS,IE,New office\n\
     Bo,Lund,CRO,Bigcorp,bo@bigcorp.test,,1001-5000,SaaS,US,\n\
     Max,Noor,Head of Sales,Mailless,,+1 415 555 2672,90,SaaS,US,\n\
     Ivy,Hall,Executive Assistant to the CRO,Inkwell,ivy@inkwell.test,,200,Software,GB,\n\
     Fay,Past,Former VP Sales,Inkwell,fay@inkwell.test,,200,Software,GB,\n\
     Eli,Stone,Carpenter,Woodworks,eli@woodworks.test,,,,NL,\n";

const TEST: [&str; 5] = ["-C", "ws", "profile", "test", "people"];

#[test]
fn a_list_is_held_against_the_profiles_and_every_reason_is_told() {
    let desk = Desk::with_people();
    let one = [&TEST[..], &["--profile", "vp-sales-saas"]].concat();
    assert_snapshot!(desk.all(&[&TEST, &one, &[&one[..], &["--json"]].concat()]));
}

#[test]
fn every_profile_is_listed_and_shown_with_its_version() {
    let desk = Desk::with_people();
    desk.change("ws/profiles/revops-saas.yaml", "employees:  51-1000", "employees:  100000+");
    assert_snapshot!(desk.all(&[
        &["-C", "ws", "profile", "list"],
        &["-C", "ws", "profile", "list", "--json"],
        &["-C", "ws", "profile", "show", "vp-sales-saas"],
        &["-C", "ws", "profile", "test", "people", "--profile", "revops-saas"],
    ]));
}

#[test]
fn what_is_not_there_is_told_with_what_there_is() {
    let desk = Desk::new();
    assert_snapshot!(desk.all(&[
        &["-C", "ws", "profile", "test", "people"],
        &["-C", "ws", "profile", "test", "people", "--profile", "cfo", "--json"],
        &["-C", "ws", "profile", "list"],
        &["-C", "ws", "profile", "learn"],
    ]));
}

#[test]
fn why_tells_every_line_for_somebody_who_was_never_enrolled() {
    let desk = Desk::with_people();
    let why = |who, columns| {
        let said = desk.say_in(columns, &["-C", "ws", "why", who]);
        // The log has the time of the import.
        let kept = said.lines().filter(|line| !line.contains("imported")).collect::<Vec<_>>();
        kept.join("\n")
    };
    let said = [why("ada@inkwell.test", "120"), why("eli@woodworks.test", "80")];
    assert_snapshot!(said.join("\n\n"));
}

#[test]
fn what_earned_replies_is_told_with_its_interval() {
    let desk = Desk(tempfile::tempdir().unwrap());
    desk.say(&["demo", "--days", "4", "--seed", "7", "--keep", "demo"]);
    let learn = ["-C", "demo", "profile", "learn", "--profile", "vp-sales-saas"];
    let json = desk.say(&[&learn[..], &["--json"]].concat());
    assert!(json.contains(r#""schema":"firsttouch.profile_learn.v1""#), "{json}");
    assert_snapshot!(format!("{}\n{}", desk.say(&learn), desk.say(&["profile", "--help"])));
}
