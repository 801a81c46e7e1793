//! `init`: a workspace to begin with.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::{print, print_json};
use super::shipped::SHIPPED;
use super::{Context, Failure};

/// Make a workspace: settings, example cadences, profiles and templates, and schemas for your editor
#[derive(clap::Args)]
pub(super) struct Args {
    /// The folder; made if it does not exist. The present one when absent
    dir: Option<PathBuf>,
}

const SETTINGS: &str = r#"# Settings of this workspace. `firsttouch check` says what is wrong with them.
time_zone = "America/New_York"          # in which you read dates

[company]                               # every mail must say who sends it
name = "Acme Inc."
postal_address = "1 Main St, Springfield, IL 62701, USA"

# Without any [[mailbox]] the daemon writes mails as .eml files into outbox/ and nobody gets them.
# A mailbox that sends must also be read, because nobody may be chased after they answered.
#
# [[mailbox]]
# id = "ann"
# from = "Ann Reyes <ann@acme.test>"
# owner = "ann"
# title = "Account Executive"
# daily_limit = 40                      # in any 24 hours, once the ramp is over
# hourly_limit = 12                     # in any 60 minutes; without it, what the gap leaves
# ramp = { start = 5, add_per_day = 2 }
# gap = ["4 minutes", "9 minutes"]      # between two mails
# smtp = { host = "smtp.acme.test", port = 587, tls = "starttls", user = "ann@acme.test", password = { file = ".firsttouch/smtp-password" } }
# imap = { host = "imap.acme.test", port = 993, tls = "implicit", user = "ann@acme.test", password = { file = ".firsttouch/imap-password" } }

# Who takes people over when a cadence says hand_off: { to: account_manager }. The roles below are those of
# the cadences that came with this workspace; give each of them to whoever does it in your team.
[[rep]]
id = "cara"                             # `today --for cara` shows her tasks
roles = ["account_executive", "account_manager", "inbound_pool", "support_lead"]

# What LinkedIn takes from an account of yours. Without these lines nothing is counted.
#
# [linkedin]
# invites_per_week = 80                 # for each rep, in any 7 days
# notes_per_month = 5                   # of these with a note, in any 30 days
# note_limit = 200                      # characters of such a note

[calendar.standard]
hours = "mon-fri 08:00-17:00"
clock = "prospect"                      # prospect, owner, or a zone like "Europe/Berlin"
if_zone_unknown = "hold"                # hold, or a zone
holidays = ["prospect"]                 # of wherever the person is; also "US", "DE-BY", dates, calendars/our.ics

# The daemon imports lists that are dropped into lists/inbox/, or into lists/inbox/<rep>/.
#
# [lists]
# owner = "ann"                         # whose people they are, unless they lie in a rep's folder
# default_country = "US"                # of rows that name none
"#;

const IGNORED: &str = ".firsttouch/\nfirsttouch.db*\noutbox/\nlists/\n";

/// Editors that do not read the first lines of a file find the schemas here.
const EDITOR: &str = r#"{
  "yaml.schemas": {
    "./schema/cadence.v1.schema.json": "cadences/*.yaml",
    "./schema/profile.v1.schema.json": "profiles/*.yaml",
    "./schema/test.v1.schema.json": "cadences/tests/*.yaml"
  }
}
"#;

const CI: &str = r#"# Every pull request is checked before anybody is written to. GitHub reads this file at the top of a
# repository: if this folder is not the top, move it there and add `-C <this folder>` to the commands.
name: firsttouch

on:
  pull_request:
  push:
    branches: [main]

permissions:
  contents: read

jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      # Put a step here that brings firsttouch to the runner, as your team gets its programs.
      - run: firsttouch --version
      - run: firsttouch check --format github
      - run: firsttouch fmt --check
      - run: firsttouch test
      # `firsttouch plan --exit-code` says which people a change touches and ends with 5 when there are
      # changes. It needs the database, which is not here: run it where the daemon runs, or let
      # `firsttouch run --watch` apply there what is merged and clean.
"#;

/// What a new workspace has beside the shipped files.
const OWN: [(&str, &str); 4] = [
    (crate::config::FILE, SETTINGS),
    (".gitignore", IGNORED),
    (".vscode/settings.json", EDITOR),
    (".github/workflows/firsttouch.yml", CI),
];

pub(super) fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let dir = args.dir.clone().unwrap_or_else(|| context.workspace.clone());
    if dir.join(crate::config::FILE).exists() {
        return Err(Failure::new(format!(
            "{} is a workspace already; nothing was changed",
            dir.display()
        )));
    }
    let (mut written, mut kept) = (Vec::new(), Vec::new());
    let shipped = SHIPPED.iter().filter(|(path, _)| !path.starts_with("lists/"));
    for (path, text) in OWN.iter().chain(shipped) {
        match write_new(&dir, path, text)? {
            Some(path) => written.push(path),
            None => kept.push(*path),
        }
    }
    if context.json {
        let (schema, kept) = ("firsttouch.init.v1", kept);
        print_json(&json!({"schema": schema, "written": written, "kept": kept}));
    } else {
        print(&format!("made a workspace in {}: {} files", dir.display(), written.len()));
        if !kept.is_empty() {
            print(&format!("were there already and were not touched: {}", kept.join(", ")));
        }
        let there = match dir.as_os_str() == "." {
            true => String::new(),
            false => format!(" -C {}", dir.display()),
        };
        print(&format!(
            "Next:  edit firsttouch.toml, then  firsttouch{there} check  and  firsttouch{there} apply"
        ));
    }
    Ok(0)
}

/// Writes the shipped files into a folder, for the demo.
pub(super) fn write_shipped(dir: &Path, settings: &str) -> Result<(), Failure> {
    write_new(dir, crate::config::FILE, settings)?;
    for (path, text) in SHIPPED {
        write_new(dir, path, text)?;
    }
    Ok(())
}

/// Writes a file that is not there yet; one that is there is left as it is.
fn write_new(dir: &Path, path: &str, text: &str) -> Result<Option<String>, Failure> {
    let file = dir.join(path);
    let failed = |error| Failure::new(format!("cannot write {}: {error}", file.display()));
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let opened = fs::OpenOptions::new().write(true).create_new(true).open(&file);
    match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(failed(error)),
        Ok(mut opened) => {
            use std::io::Write;
            opened.write_all(text.as_bytes()).map_err(failed)?;
            Ok(Some(path.to_owned()))
        }
    }
}
