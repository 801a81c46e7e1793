//! `import`: a list goes in, every row ends in one outcome.

use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use super::output::{bold, plain, print, print_json, table};
use super::{Context, Failure, IN_PART, rep};
use crate::domain::ids::RepId;
use crate::engine::import::{ImportReport, ImportRequest, Mode, OnDuplicate, Outcome};
use crate::engine::workspace::hex;
use crate::formats::csv::{Options, Reader};

/// Import a list of people from a CSV file; every row is accounted for
#[derive(clap::Args)]
pub(super) struct Args {
    /// The file, or - for standard input
    file: PathBuf,
    /// Name of the list; the file's name when absent
    #[arg(long)]
    list: Option<String>,
    /// The rep who works these people
    #[arg(long)]
    owner: Option<String>,
    /// Country of rows that name none, such as US
    #[arg(long, value_name = "CC")]
    default_country: Option<String>,
    /// What to do with people who are known already
    #[arg(long, value_enum, default_value = "fill")]
    on_duplicate: OnDuplicateArg,
    /// A column and its field, such as 'Direkt=phone_direct'; may be given several times
    #[arg(long, value_name = "COL=FIELD")]
    map: Vec<String>,
    /// Check every row and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum OnDuplicateArg {
    /// Fill in what is not known yet
    Fill,
    /// The list is right
    Overwrite,
    /// Leave them as they are
    Skip,
}

/// Files beyond this are refused, in bytes: they are held in memory while they are imported.
const MAX_FILE: u64 = 512 * 1024 * 1024;

pub(super) async fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    let bytes = read(&args.file)?;
    let options = Options {
        default_country: args.default_country.clone(),
        map: args.map.iter().map(|pair| split_map(pair)).collect::<Result<_, _>>()?,
        synonyms: None,
    };
    let name = args.file.display().to_string();
    let reader = Reader::open(bytes.as_slice(), &options)
        .map_err(|error| Failure::new(format!("{name}: {error}")))?;
    let (running, _) = context.engine().await?;
    let engine = &running.engine;
    let Some(owner) = rep(engine, args.owner.as_deref()) else {
        let reps: Vec<String> = engine.settings.reps().into_iter().map(|rep| rep.0).collect();
        return Err(Failure::usage(format!(
            "say whose people these are: --owner {}",
            reps.join("|")
        )));
    };
    let reps = engine.settings.reps();
    if !reps.contains(&owner) {
        let known: Vec<&str> = reps.iter().map(RepId::as_str).collect();
        let known = known.join(", ");
        return Err(Failure::usage(format!(
            "no mailbox in firsttouch.toml belongs to `{owner}`; owners are: {known}"
        )));
    }
    let request = request(&args, &bytes, owner);
    let bar = progress_bar();
    let report = engine.import(reader, request, &|rows| bar.set_position(rows)).await?;
    bar.finish_and_clear();
    if context.json {
        print_json(&report.to_json());
    } else {
        print(&text(&report));
    }
    let whole = report.count(Outcome::Rejected) + report.count(Outcome::Skipped) == 0;
    Ok(if whole { 0 } else { IN_PART })
}

fn request(args: &Args, bytes: &[u8], owner: RepId) -> ImportRequest {
    let stem = args.file.file_stem().map_or_else(|| "list".into(), |stem| stem.to_string_lossy());
    ImportRequest {
        file: args
            .file
            .file_name()
            .map_or_else(|| "-".into(), |name| name.to_string_lossy().into()),
        digest: hex(&Sha256::digest(bytes)[..16]),
        list: args.list.clone().unwrap_or_else(|| stem.into_owned()),
        owner,
        on_duplicate: match args.on_duplicate {
            OnDuplicateArg::Fill => OnDuplicate::Fill,
            OnDuplicateArg::Overwrite => OnDuplicate::Overwrite,
            OnDuplicateArg::Skip => OnDuplicate::Skip,
        },
        mode: if args.dry_run { Mode::DryRun } else { Mode::Commit },
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    let failed =
        |error: std::io::Error| Failure::new(format!("cannot read {}: {error}", path.display()));
    let too_big = || Failure::new(format!("{} is larger than 512 MiB: split it", path.display()));
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
        return if bytes.len() as u64 > MAX_FILE { Err(too_big()) } else { Ok(bytes) };
    }
    let meta = fs::metadata(path).map_err(failed)?;
    if meta.is_dir() {
        return Err(Failure::new(format!("{} is a folder: name the file in it", path.display())));
    }
    if meta.len() > MAX_FILE {
        return Err(too_big());
    }
    fs::read(path).map_err(failed)
}

fn split_map(pair: &str) -> Result<(String, String), Failure> {
    let parts = pair.rsplit_once('=').map(|(column, field)| (column.to_owned(), field.to_owned()));
    parts.ok_or_else(|| Failure::usage(format!("--map '{pair}': write 'Column=field'")))
}

fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} rows, {per_sec}") {
        bar.set_style(style);
    }
    bar
}

/// The report as a rep reads it.
pub(super) fn text(report: &ImportReport) -> String {
    let layout = &report.layout;
    let source = layout.source.as_ref().map_or_else(String::new, |source| format!(" · {source}"));
    let guessed = if layout.encoding_guessed { " (guessed)" } else { "" };
    let mut text = format!(
        "{}  {} rows{source} · {}{guessed}, `{}`\n\n",
        bold(&report.file),
        report.rows,
        layout.encoding,
        layout.delimiter.escape_default()
    );
    let would = if report.dry_run { "would be " } else { "" };
    let rows: Vec<Vec<String>> = Outcome::ALL
        .iter()
        .map(|(word, outcome)| {
            vec![format!("{:>7}", report.count(*outcome)), format!("{would}{word}")]
        })
        .collect();
    text.push_str(&table(&rows));
    text.push_str(&problems(report));
    if report.dry_run {
        text.push_str("\nNothing was changed.\n");
    } else {
        text.push_str(&format!(
            "\nNext:  firsttouch enroll --list {} --cadence NAME --dry-run\n",
            report.list
        ));
    }
    text
}

/// Problems by kind, the one that touches most rows first, with a few of their rows.
fn problems(report: &ImportReport) -> String {
    let mut kinds: BTreeMap<(Option<Outcome>, &str, &str), Vec<String>> = BTreeMap::new();
    for found in &report.problems {
        let column = found.problem.column.as_deref().unwrap_or("(whole row)");
        let value = plain(&found.problem.value, 30);
        let value = if value.is_empty() { String::new() } else { format!(" \"{value}\"") };
        let key = (found.outcome, column, found.problem.problem.as_str());
        kinds.entry(key).or_default().push(format!("row {}{value}", found.row));
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|((outcome, ..), rows)| (outcome.is_none(), std::cmp::Reverse(rows.len())));
    let mut lines = Vec::new();
    for ((outcome, column, problem), rows) in kinds.iter().take(25) {
        let fate = outcome.map_or("went in", Outcome::as_str);
        let shown = rows.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let more = if rows.len() > 3 { ", …" } else { "" };
        lines.push(vec![
            format!("{:>5}x", rows.len()),
            fate.to_owned(),
            plain(column, 24),
            plain(problem, 70),
            format!("{shown}{more}"),
        ]);
    }
    if lines.is_empty() { String::new() } else { format!("\n{}", table(&lines)) }
}
