//! `check`: everything that is wrong with the files; a database is read only for `--list`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::output::{plain, print, width};
use super::{Context, FAILED, Failure, NOT_FOUND};
use crate::config::{self, Config};
use crate::engine::preview::{Basis, coverage};
use crate::engine::workspace::{self, Files, Workspace};
use crate::formats::cadence_file::WorkingDays;
use crate::formats::diagnostic::{Diagnostic, Severity};
use crate::formats::rules::Rule;
use crate::wiring::{self, AllFiles};

mod frame;
mod machine;

/// Check settings, cadences, profiles and templates; reads the database only with --list
#[derive(clap::Args)]
pub(super) struct Args {
    /// Show only what is found in these files or folders; all are read in any case
    paths: Vec<PathBuf>,
    /// How the findings are written; `--json` is short for `--format json`
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Also tell which templates lack fields for the people of an imported list; this reads the database
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
}

/// Who reads the findings.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// People, with the line that is meant
    Human,
    /// Scripts
    Json,
    /// Code scanning: SARIF 2.1.0
    Sarif,
    /// Annotations in GitHub Actions
    Github,
}

/// Everything that was read and found.
struct Checked {
    files: Files,
    findings: Vec<Diagnostic>,
    /// There when nothing is wrong with the files.
    workspace: Option<Workspace>,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let format = format(context, args)?;
    let mut checked = check(&context.workspace)?;
    if let Some(list) = &args.list {
        hold_against(context, &mut checked, list).await?;
    }
    let shown = chosen(&checked, &context.workspace, &args.paths)?;
    match format {
        Format::Human => {
            let frames = frame::Frames::new(&checked.files, width());
            for finding in &shown {
                print(&frames.of(finding));
                print("");
            }
            print(&summary(&checked, &shown));
        }
        Format::Json => print(&machine::json(&shown, checked.files.texts.len())),
        Format::Sarif => print(&machine::sarif(&shown, &context.workspace)),
        Format::Github => {
            shown.iter().for_each(|finding| print(&machine::github(finding, &context.workspace)));
            eprintln!("{}", summary(&checked, &shown));
        }
    }
    Ok(if count(&shown, Severity::Error) > 0 { FAILED } else { 0 })
}

/// Adds what the people of a list lack, as far as the files can be used at all.
async fn hold_against(context: &Context, checked: &mut Checked, list: &str) -> Result<(), Failure> {
    let Some(workspace) = &checked.workspace else { return Ok(()) };
    let (running, _) = context.engine().await?;
    let engine = &running.engine;
    let mut coverages = Vec::new();
    for file in &workspace.cadences {
        let basis = Basis::of_cadence(workspace, &engine.settings, &file.cadence)?;
        let coverage = engine.coverage(&basis, None, list).await?;
        coverages.push((file.cadence.id.0.clone(), coverage));
    }
    checked.findings.extend(coverage::findings(&coverages, &workspace.templates));
    checked.findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    Ok(())
}

fn format(context: &Context, args: &Args) -> Result<Format, Failure> {
    match (args.format, context.json) {
        (None, false) => Ok(Format::Human),
        (None | Some(Format::Json), _) => Ok(Format::Json),
        (Some(format), false) => Ok(format),
        (Some(_), true) => Err(Failure::usage("`--json` and `--format` ask for two formats")),
    }
}

/// Reads and checks everything. Settings that are wrong are findings like any other.
fn check(workspace: &Path) -> Result<Checked, Failure> {
    let path = workspace.join(config::FILE);
    if !path.exists() {
        config::load(workspace).map_err(|wrong| Failure::new(wrong.join("\n")))?;
    }
    let AllFiles { mut files, unread, misnamed } = wiring::all_files(workspace)?;
    // Their names are known, so that nothing else is said of them.
    files.texts.extend(unread.iter().map(|(path, _)| (path.clone(), String::new())));
    let (settings, mut findings) = match config::load(workspace) {
        Ok(config) => {
            let warning = |text: &String| setting(Diagnostic::warning, Rule::S002, text);
            let today = wiring::now().to_zoned(config.reader_zone.clone()).date();
            let findings: Vec<_> = config.warnings_on(today).iter().map(warning).collect();
            (Some(config), findings)
        }
        Err(wrong) => {
            (None, wrong.iter().map(|text| setting(Diagnostic::error, Rule::S001, text)).collect())
        }
    };
    let (workspace, found) = workspace::examine_for(
        &files,
        settings.as_ref().map(calendars),
        settings.as_ref().map(roles),
    );
    let is_read = |finding: &Diagnostic| !unread.iter().any(|(path, _)| depends(finding, path));
    findings.extend(found.into_iter().filter(is_read));
    findings.extend(unread.iter().map(|(path, why)| cannot_be_read(path, why)));
    findings.extend(misnamed.iter().map(|path| is_misnamed(path)));
    findings.sort_by(|a, b| {
        (&a.path, a.line, a.column, a.code).cmp(&(&b.path, b.line, b.column, b.code))
    });
    if let Ok(text) = std::fs::read_to_string(path) {
        files.texts.insert(config::FILE.to_owned(), text);
    }
    Ok(Checked { files, findings, workspace })
}

fn cannot_be_read(path: &str, why: &str) -> Diagnostic {
    let rule = if path.ends_with(".hbs") { Rule::T103 } else { Rule::C001 };
    Diagnostic::error(rule, path, (0, 0), format!("this file cannot be read: {why}"))
}

/// Whether a finding is only there because a file could not be read: it is about that file, or about the
/// subject of a template that nobody knows.
fn depends(finding: &Diagnostic, unread: &str) -> bool {
    let name = unread.trim_start_matches("templates/").trim_end_matches(".hbs");
    let names_it = || finding.message.contains(&format!("`{name}`"));
    finding.path == unread || (finding.code == Rule::C502 && names_it())
}

fn is_misnamed(path: &str) -> Diagnostic {
    let new = path.strip_suffix(".yml").unwrap_or(path);
    let message = "this file is not read, because its name ends in .yml".to_owned();
    Diagnostic::warning(Rule::C007, path, (0, 0), message).with_hint(format!("call it {new}.yaml"))
}

/// The roles that somebody holds.
fn roles(config: &Config) -> BTreeSet<String> {
    config.roles.values().flatten().map(|role| role.0.clone()).collect()
}

fn calendars(config: &Config) -> BTreeMap<String, WorkingDays> {
    let works = |hours: &[Vec<_>; 7]| hours.each_ref().map(|spans| !spans.is_empty());
    let all = config.calendars.iter();
    all.map(|(name, clock)| (name.clone(), works(&clock.calendar.hours))).collect()
}

/// A sentence about the settings as a finding; its place stands in front when it is known.
fn setting(
    kind: fn(Rule, &str, (usize, usize), String) -> Diagnostic,
    rule: Rule,
    text: &str,
) -> Diagnostic {
    let placed = text.strip_prefix(config::FILE).and_then(|rest| {
        let mut parts = rest.strip_prefix(':')?.splitn(3, ':');
        let line = parts.next()?.parse().ok()?;
        let column = parts.next()?.parse().ok()?;
        Some(((line, column), parts.next()?.trim_start()))
    });
    let (place, message) = placed.unwrap_or(((0, 0), text));
    kind(rule, config::FILE, place, message.to_owned())
}

/// The findings in the files that were asked for; all of them when none was.
fn chosen<'a>(
    checked: &'a Checked,
    workspace: &Path,
    paths: &[PathBuf],
) -> Result<Vec<&'a Diagnostic>, Failure> {
    let mut wanted = Vec::new();
    for path in paths {
        let inside = path.strip_prefix(workspace).unwrap_or(path);
        let inside = inside.strip_prefix(".").unwrap_or(inside);
        if !checked.files.texts.keys().any(|file| Path::new(file).starts_with(inside)) {
            let message = format!("{} is no file of the workspace", path.display());
            return Err(Failure { code: NOT_FOUND, kind: "not_found", message });
        }
        wanted.push(inside);
    }
    let is_wanted = |finding: &&Diagnostic| {
        wanted.is_empty() || wanted.iter().any(|path| Path::new(&finding.path).starts_with(path))
    };
    Ok(checked.findings.iter().filter(is_wanted).collect())
}

fn count(findings: &[&Diagnostic], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

/// `2 errors in 9 files`, or `ok` and what there is.
fn summary(checked: &Checked, shown: &[&Diagnostic]) -> String {
    let counts = [Severity::Error, Severity::Warning, Severity::Note]
        .map(|severity| (count(shown, severity), severity.as_str()));
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| plural(*count, word))
        .collect();
    let first = shown.iter().min_by_key(|finding| Reverse(finding.severity));
    let more = first.map_or_else(String::new, |first| {
        format!("    what a rule means: firsttouch help {}", first.code)
    });
    match &checked.workspace {
        Some(workspace) if count(shown, Severity::Error) == 0 => {
            let there = format!(
                "ok  {}, {}, {}",
                plural(workspace.cadences.len(), "cadence"),
                plural(workspace.profiles.len(), "profile"),
                plural(workspace.templates.names().count(), "template")
            );
            let tests = workspace.tests.iter().map(|file| file.tests.len()).sum();
            let tests = (tests > 0).then(|| plural(tests, "test"));
            let parts = std::iter::once(there).chain(tests).chain(counts);
            format!("{}{more}", parts.collect::<Vec<_>>().join(", "))
        }
        Some(_) | None if counts.is_empty() => "ok  nothing is wrong in these files".to_owned(),
        Some(_) | None => {
            let files = plural(checked.files.texts.len(), "file");
            format!("{} in {files}{more}", counts.join(", "))
        }
    }
}

fn plural(count: usize, word: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {word}{ending}")
}

/// A message as one line that a terminal cannot obey.
fn one_line(text: &str) -> String {
    plain(text, usize::MAX)
}
