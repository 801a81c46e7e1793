//! `fmt`: cadences, profiles and tests in the one way to write them.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::{plain, print, print_json};
use super::replace::replace;
use super::{Context, FAILED, Failure, NOT_FOUND};
use crate::engine::workspace::{self, Files};
use crate::formats::diagnostic::{Diagnostic, Severity};
use crate::formats::fmt::diff::{Change, changes};
use crate::formats::fmt::{self, Kind};
use crate::formats::rules::Rule;
use crate::wiring::{self, AllFiles};

/// Write cadences, profiles and tests in the one way there is: order, blanks, quotes. Comments stay
#[derive(clap::Args)]
pub(super) struct Args {
    /// These files or folders only; all of cadences/ and profiles/ when absent
    files: Vec<PathBuf>,
    /// Change nothing: list the files that are written otherwise, and exit with 1 when there are any
    #[arg(long)]
    check: bool,
}

/// So many lines of a difference are shown for one file.
const SHOWN: usize = 12;

/// What came of one file.
enum Outcome {
    Same,
    /// Written otherwise; the new text.
    Other(String),
    /// It has errors, the first of which is this.
    Broken(Diagnostic),
}

pub(super) fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let AllFiles { mut files, unread, .. } = wiring::all_files(&context.workspace)?;
    files.texts.extend(unread.iter().map(|(path, _)| (path.clone(), String::new())));
    let (_, findings) = workspace::examine(&files, None);
    let mut outcomes = Vec::new();
    for (path, kind) in chosen(&files, &context.workspace, &args.files)? {
        if let Some((_, why)) = unread.iter().find(|(other, _)| other == path) {
            let message = format!("this file cannot be read: {why}");
            let error = Diagnostic::error(Rule::C001, path, (0, 0), message);
            outcomes.push((path, "", Outcome::Broken(error)));
            continue;
        }
        let text = files.texts.get(path).map_or("", String::as_str);
        outcomes.push((path, text, outcome(path, kind, text, &findings)));
    }
    if !args.check {
        for (path, _, outcome) in &outcomes {
            if let Outcome::Other(new) = outcome {
                replace(&context.workspace.join(path), new)?;
            }
        }
    }
    if context.json {
        print_json(&as_json(&outcomes));
    } else {
        tell(&outcomes, args.check);
    }
    let is_wrong = |outcome: &Outcome| match outcome {
        Outcome::Same => false,
        Outcome::Other(_) => args.check,
        Outcome::Broken(_) => true,
    };
    let wrong = outcomes.iter().any(|(_, _, outcome)| is_wrong(outcome));
    Ok(if wrong { FAILED } else { 0 })
}

/// The files that were asked for and can be formatted.
fn chosen<'a>(
    files: &'a Files,
    workspace: &Path,
    wanted: &[PathBuf],
) -> Result<Vec<(&'a str, Kind)>, Failure> {
    let all = files.texts.keys().filter_map(|path| Some((path.as_str(), Kind::of_path(path)?)));
    let all: Vec<_> = all.collect();
    if wanted.is_empty() {
        return Ok(all);
    }
    let mut chosen = Vec::new();
    for path in wanted {
        let inside = path.strip_prefix(workspace).unwrap_or(path);
        let inside = inside.strip_prefix(".").unwrap_or(inside);
        let under = all.iter().filter(|(file, _)| Path::new(file).starts_with(inside));
        let before = chosen.len();
        chosen.extend(under.copied());
        if chosen.len() == before {
            let message = format!(
                "{} is no cadence, no profile and no test of the workspace",
                path.display()
            );
            return Err(Failure { code: NOT_FOUND, kind: "not_found", message });
        }
    }
    chosen.sort_by_key(|(path, _)| *path);
    chosen.dedup();
    Ok(chosen)
}

fn outcome(path: &str, kind: Kind, text: &str, findings: &[Diagnostic]) -> Outcome {
    // What is wrong with another file is no reason.
    const ELSEWHERE: [Rule; 6] =
        [Rule::C107, Rule::C108, Rule::C501, Rule::C502, Rule::C503, Rule::C900];
    let own = |finding: &&Diagnostic| {
        finding.path == path
            && finding.severity == Severity::Error
            && !ELSEWHERE.contains(&finding.code)
    };
    if let Some(error) = findings.iter().find(own) {
        return Outcome::Broken(error.clone());
    }
    match fmt::format(path, kind, text) {
        Ok(new) if new == text => Outcome::Same,
        Ok(new) => Outcome::Other(new),
        Err(error) => Outcome::Broken(error),
    }
}

fn tell(outcomes: &[(&str, &str, Outcome)], check: bool) {
    let mut others = 0;
    let mut broken = 0;
    for (path, text, outcome) in outcomes {
        match outcome {
            Outcome::Same => {}
            Outcome::Other(new) => {
                others += 1;
                let word = if check { "differs  " } else { "formatted" };
                print(&format!("{word}  {path}"));
                if check {
                    show(&changes(text, new));
                }
            }
            Outcome::Broken(error) => {
                broken += 1;
                eprintln!("left as it is: {error}");
            }
        }
    }
    let all = outcomes.len();
    let summary = match (check, others, broken) {
        (_, 0, 0) => format!("ok  {all} files are formatted"),
        (true, others, 0) => {
            format!("{others} of {all} files differ; `firsttouch fmt` writes them so")
        }
        (false, others, 0) => format!("{others} of {all} files were written anew"),
        (true, others, broken) => {
            format!("{others} of {all} files differ, and {broken} have errors; mend those first")
        }
        (false, others, broken) => format!(
            "{others} of {all} files were written anew; {broken} with errors were left as they are"
        ),
    };
    print(&summary);
}

fn show(changes: &[Change<'_>]) {
    for change in changes.iter().take(SHOWN) {
        match change {
            Change::Out(line, text) => print(&format!("  {line:>4} - {}", visible(text))),
            Change::In(text) => print(&format!("       + {}", visible(text))),
        }
    }
    if changes.len() > SHOWN {
        print(&format!("       … {} more", changes.len() - SHOWN));
    }
}

/// A line as it is, but for what a terminal would obey; a blank at its end can be seen.
fn visible(text: &str) -> String {
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    let shown = format!("{indent}{}", plain(text, 120));
    if text.ends_with(char::is_whitespace) { format!("{}·", shown.trim_end()) } else { shown }
}

fn as_json(outcomes: &[(&str, &str, Outcome)]) -> serde_json::Value {
    let file = |(path, _, outcome): &(&str, &str, Outcome)| match outcome {
        Outcome::Same => json!({"path": path, "state": "same"}),
        Outcome::Other(_) => json!({"path": path, "state": "other"}),
        Outcome::Broken(error) => {
            json!({"path": path, "state": "errors", "error": error.to_string()})
        }
    };
    let files: Vec<_> = outcomes.iter().map(file).collect();
    json!({"schema": "firsttouch.fmt.v1", "files": files})
}
