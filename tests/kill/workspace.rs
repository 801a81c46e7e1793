//! Workspaces in which everybody is due at once, and what the program says of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::PROGRAM;
use super::process::Process;

/// What a workspace is made for.
pub struct Shape {
    pub people: usize,
    pub mailboxes: usize,
    /// Mails that a mailbox may send.
    pub limit: usize,
    /// Where the SMTP server listens.
    pub port: u16,
    /// More lines of the settings.
    pub more: String,
}

/// A workspace in which everybody is due at once.
pub struct Workspace {
    pub dir: tempfile::TempDir,
    pub people: Vec<String>,
}

impl Workspace {
    pub fn make(dir: tempfile::TempDir, shape: &Shape) -> Self {
        let mut workspace = Self { dir, people: Vec::new() };
        fs::create_dir(workspace.path()).unwrap();
        let write = |path: &str, text: &str| {
            let path = workspace.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let mail = workspace.path().join("mail");
        write("firsttouch.toml", &settings(shape, &mail));
        write("cadences/two-mails.yaml", CADENCE);
        write("templates/first.hbs", FIRST);
        write("templates/second.hbs", SECOND);
        for mailbox in 0..shape.mailboxes {
            for part in ["new", "cur", "tmp"] {
                fs::create_dir_all(workspace.path().join(format!("mail/m{mailbox}/{part}")))
                    .unwrap();
            }
        }
        workspace.run(&["apply"]);
        let share = shape.people / shape.mailboxes;
        for mailbox in 0..shape.mailboxes {
            workspace.enroll(mailbox, share);
        }
        workspace
    }

    pub fn enroll(&mut self, mailbox: usize, share: usize) {
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

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("workspace")
    }

    pub fn run(&self, arguments: &[&str]) -> String {
        let output =
            Command::new(PROGRAM).arg("-C").arg(self.path()).args(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--json"]].concat())).unwrap()
    }

    pub fn daemon(&self) -> Process {
        self.daemon_in(&self.path())
    }

    /// A daemon of another workspace on the same database.
    pub fn daemon_in(&self, workspace: &Path) -> Process {
        let log = self.dir.path().join("daemon.log");
        let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(PROGRAM);
        command.arg("-C").arg(workspace).arg("run").env("FIRSTTOUCH_LOG", "info");
        Process(command.stdin(Stdio::null()).stderr(log).spawn().unwrap())
    }

    pub fn report(&self) -> Report {
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
pub struct Report {
    pub sent: usize,
    pub in_doubt: Vec<Doubt>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Doubt {
    pub prospect: u64,
    pub step: String,
    pub message_id: String,
}

impl Report {
    /// Mails that are settled, or that wait behind one in doubt (for a day, so not in this test).
    pub fn accounted_for(&self) -> usize {
        let held = self.in_doubt.iter().filter(|doubt| doubt.step == "first").count();
        self.sent + self.in_doubt.len() + held
    }
}

pub const CADENCE: &str = "format: cadence/v1
id: two-mails
title: Two mails at once
enroll: { audience: prospects, profiles: [any] }
calendar: always
send_window: [\"00:00-23:59\"]
steps:
  - { id: first, after: 0 minutes, email: { template: first, thread: new } }
  - { id: second, after: 0 minutes, email: { template: second, thread: new } }
";

pub const FIRST: &str = "---\nsubject: A question, {{first_name}}\nneeds: [first_name]\nlanguage: en\n---\n\
     Hi {{first_name}}, who looks after purchasing?\n";
pub const SECOND: &str = "---\nsubject: Another question, {{first_name}}\nneeds: [first_name]\nlanguage: en\n---\n\
     Hi {{first_name}}, is it you?\n";

fn settings(shape: &Shape, mail: &Path) -> String {
    let mut text = "[company]\nname = \"Acme\"\npostal_address = \"1 Main St, Springfield\"\n\
         [calendar.always]\nhours = \"mon-sun 00:00-23:59\"\nif_zone_unknown = \"UTC\"\n\
         [limits]\nper_domain_per_day = 1000\nnew_per_company_per_day = 1000\n\
         active_per_company = 1000\n\
         [pacing]\nper_mailbox_per_minute = 100000\nper_domain_per_minute = 100000\n"
        .to_owned();
    let Shape { limit, port, .. } = shape;
    text.push_str(&shape.more);
    for n in 0..shape.mailboxes {
        let maildir = mail.join(format!("m{n}"));
        let maildir = maildir.display();
        text.push_str(&format!(
            "[[mailbox]]\nid = \"m{n}\"\nfrom = \"Rep {n} <m{n}@acme.test>\"\ndaily_limit = {limit}\n\
             ramp = {{ start = {limit}, add_per_day = 0 }}\ngap = [\"0 minutes\", \"0 minutes\"]\n\
             smtp = {{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}\nmaildir = \"{maildir}\"\n"
        ));
    }
    text
}
