//! `test`: the tests of cadences, run on a clock of their own.

use std::path::{Path, PathBuf};

use super::output::{print, print_json, table};
use super::{Context, FAILED, Failure, NOT_FOUND};
use crate::domain::test_case::{Compared, TestCase, TestFile, compare};
use crate::engine::workspace::Workspace;
use crate::formats::diagnostic::did_you_mean;
use crate::wiring;
use crate::wiring::test_run::{Played, TestError, play, settings};

mod machine;
mod text;

/// Run the tests in cadences/tests/: is each step done when and to whom it should be?
///
/// The files are run as they are, applied or not, by the engine that sends, on a
/// clock of its own. Nothing is sent and no database is opened. The exit code is 1
/// when a test fails.
///
///   firsttouch test                                all of them
///   firsttouch test saas-outbound-14d              those of one cadence
///   firsttouch test --filter voicemail --timeline  what happens, to be copied
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// The id of a cadence, or a file or folder with tests; all when absent
    what: Vec<String>,
    /// Only tests whose name has this text, in whatever case
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// List the tests and run none
    #[arg(long)]
    list: bool,
    /// Print everything that happens, also in tests that pass, as lines for `timeline:`
    #[arg(long, conflicts_with = "list")]
    timeline: bool,
}

/// One test that was run.
struct Ran<'a> {
    file: &'a TestFile,
    test: &'a TestCase,
    played: Played,
    /// What is wrong beside the timeline.
    complaints: Vec<String>,
}

impl Ran<'_> {
    fn compared(&self) -> Compared<'_> {
        // Nothing is to be seen of somebody who was not let in.
        match self.played.not_enrolled {
            Some(_) => Compared { rows: Vec::new() },
            None => compare(self.test, &self.played.deeds),
        }
    }

    fn passed(&self) -> bool {
        self.complaints.is_empty() && self.compared().is_same()
    }
}

impl From<TestError> for Failure {
    fn from(error: TestError) -> Self {
        match error {
            TestError::Engine(error) => error.into(),
            TestError::Store(error) => error.into(),
            error => Self::new(error),
        }
    }
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = context.config()?;
    let workspace = context.checked_or(&config, "no test was run")?;
    let chosen = chosen(&workspace, &context.workspace, args)?;
    if args.list {
        list(context, &chosen);
        return Ok(0);
    }
    let settings = settings(wiring::settings(&config, Vec::new()));
    let mut ran = Vec::with_capacity(chosen.len());
    for (file, test) in chosen {
        let played = play(&settings, &workspace, file, test).await?;
        let complaints = played.complaints(test);
        ran.push(Ran { file, test, played, complaints });
    }
    let failed = ran.iter().filter(|ran| !ran.passed()).count();
    match context.json {
        true => print_json(&machine::document(&ran)),
        false => print(&text::answer(&ran, args.timeline)),
    }
    Ok(if failed > 0 { FAILED } else { 0 })
}

fn list(context: &Context, chosen: &[(&TestFile, &TestCase)]) {
    if context.json {
        return print_json(&machine::list(chosen));
    }
    let row = |(file, test): &(&TestFile, &TestCase)| {
        let place = format!("{}:{}", file.path, test.line);
        vec![file.cadence.to_string(), test.name.clone(), place]
    };
    print(&table(&chosen.iter().map(row).collect::<Vec<_>>()));
}

/// The tests that were asked for, in the order of the files.
fn chosen<'a>(
    workspace: &'a Workspace,
    folder: &Path,
    args: &Args,
) -> Result<Vec<(&'a TestFile, &'a TestCase)>, Failure> {
    let not_found = |message: String| Failure { code: NOT_FOUND, kind: "not_found", message };
    if workspace.tests.is_empty() {
        return Err(not_found(
            "there are no tests: write some into cadences/tests/NAME.yaml; docs/language.md shows how"
                .to_owned(),
        ));
    }
    let mut files = Vec::new();
    for what in &args.what {
        let before = files.len();
        files.extend(workspace.tests.iter().filter(|file| is_meant(file, what, folder)));
        if files.len() == before {
            return Err(not_found(nothing_there(workspace, what)));
        }
    }
    if args.what.is_empty() {
        files.extend(&workspace.tests);
    }
    files.sort_by_key(|file| &file.path);
    files.dedup_by_key(|file| &file.path);
    let wanted = args.filter.as_deref().unwrap_or_default().to_lowercase();
    let tests = files.into_iter().flat_map(|file| file.tests.iter().map(move |test| (file, test)));
    let tests: Vec<_> =
        tests.filter(|(_, test)| test.name.to_lowercase().contains(&wanted)).collect();
    match tests.is_empty() {
        true => Err(not_found(format!("no test has `{wanted}` in its name"))),
        false => Ok(tests),
    }
}

/// Why nothing is meant by a word on the command line.
fn nothing_there(workspace: &Workspace, what: &str) -> String {
    let mut cadences = workspace.cadences.iter().map(|file| file.cadence.id.as_str());
    if cadences.any(|id| id == what) {
        return format!("the cadence `{what}` has no tests in cadences/tests/");
    }
    let known = workspace.tests.iter().flat_map(|file| [file.cadence.as_str(), &file.path]);
    let meant = did_you_mean(what, known);
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    format!("`{what}` is no cadence and no file with tests{meant}")
}

/// Whether a word on the command line means a file: its cadence, its path, or its folder.
fn is_meant(file: &TestFile, what: &str, folder: &Path) -> bool {
    let path = PathBuf::from(what);
    let inside = path.strip_prefix(folder).unwrap_or(&path);
    let inside = inside.strip_prefix(".").unwrap_or(inside);
    file.cadence.as_str() == what
        || Path::new(&file.path).starts_with(inside)
        || format!("cadences/{}.yaml", file.cadence) == inside.to_string_lossy()
}
