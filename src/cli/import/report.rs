//! The report of an import as a rep reads it.

use std::path::Path;

use crate::cli::output::{bold, grouped, plain, table};
use crate::engine::import::{ImportReport, Kind, Outcome, Rows};

/// Kinds of problems that are shown; `--json` has them all.
const SHOWN: usize = 25;

/// As [`text`], for a file: without anything that only a terminal understands.
pub(in crate::cli) fn plain_text(report: &ImportReport, to_mend: Option<&Path>) -> String {
    words(report, to_mend, str::to_owned)
}

/// What came of a list, why, and what to do next.
pub(in crate::cli) fn text(report: &ImportReport, to_mend: Option<&Path>) -> String {
    words(report, to_mend, bold)
}

fn words(report: &ImportReport, to_mend: Option<&Path>, bold: fn(&str) -> String) -> String {
    let mut text = format!("{}\n\n", head(report, bold));
    text.push_str(&table(&outcomes(report, to_mend)));
    text.push_str(&reasons(report, bold));
    text.push_str(&good_to_know(report, bold));
    text.push_str(&next(report, to_mend));
    text
}

fn head(report: &ImportReport, bold: fn(&str) -> String) -> String {
    let layout = &report.layout;
    let source = layout.source.as_ref().map_or_else(String::new, |source| format!(" · {source}"));
    let guessed = if layout.encoding_guessed { " (guessed)" } else { "" };
    format!(
        "{}  {} {}{source} · {}{guessed}, `{}`",
        bold(&report.file),
        grouped(report.rows),
        if report.rows == 1 { "row" } else { "rows" },
        layout.encoding,
        layout.delimiter.escape_default()
    )
}

fn outcomes(report: &ImportReport, to_mend: Option<&Path>) -> Vec<Vec<String>> {
    let line = |(word, outcome): &(&str, Outcome)| {
        let said = match (outcome, to_mend) {
            (Outcome::Created, _) => format!("into list `{}`, owner {}", report.list, report.owner),
            (Outcome::Updated, _) => "known already; what the list adds was taken over".to_owned(),
            (Outcome::Unchanged, _) => "known already, with nothing to add".to_owned(),
            (Outcome::Parked, _) => "went in, and wait for what is missing".to_owned(),
            (Outcome::Skipped, _) => "not to be imported".to_owned(),
            (Outcome::Rejected, Some(path)) => format!("written to {}", path.display()),
            (Outcome::Rejected, None) => "to be mended".to_owned(),
        };
        let n = report.count_of(*outcome);
        let said = if n == 0 { String::new() } else { said };
        vec![format!("{:>9}", grouped(n)), (*word).to_owned(), said]
    };
    Outcome::ALL.iter().map(line).collect()
}

/// Problems by kind: what did not go in first, then by how many rows they touch.
fn reasons(report: &ImportReport, bold: fn(&str) -> String) -> String {
    let mut text = String::new();
    let mut group = None;
    let kinds = report.sorted_kinds();
    for (kind, rows) in kinds.iter().take(SHOWN) {
        if group != Some(kind.outcome) {
            group = Some(kind.outcome);
            let title = match kind.outcome {
                Some(Outcome::Rejected) => "Rejected",
                Some(Outcome::Parked) => "Parked",
                Some(Outcome::Skipped) => "Skipped",
                _ => "Went in all the same",
            };
            text.push_str(&format!("\n{}\n", bold(title)));
        }
        text.push_str(&reason(kind, rows));
    }
    let more = kinds.len().saturating_sub(SHOWN);
    if more > 0 {
        text.push_str(&format!("  … and {more} more kinds; --json has every row\n"));
    }
    text
}

fn reason(kind: &Kind, rows: &Rows) -> String {
    let column = plain(kind.column.as_deref().unwrap_or("(whole row)"), 24);
    let example = |(row, value): &(u64, String)| match plain(value, 30) {
        value if value.is_empty() => format!("row {row}"),
        value => format!("row {row} \"{value}\""),
    };
    let examples: Vec<String> = rows.examples.iter().map(example).collect();
    let more = if rows.count > rows.examples.len() as u64 { "  …" } else { "" };
    format!(
        "  {:>6}x  {column}: {}\n           {}{more}\n           {}\n",
        grouped(rows.count),
        plain(&kind.problem, 90),
        examples.join("  "),
        plain(&rows.fix, 110)
    )
}

fn good_to_know(report: &ImportReport, bold: fn(&str) -> String) -> String {
    let mut lines = Vec::new();
    for (note, (rows, value)) in &report.notes {
        let rows_are = if *rows == 1 { "row" } else { "rows" };
        let value = plain(value, 40);
        let such = if value.is_empty() { String::new() } else { format!(", such as \"{value}\"") };
        lines.push(format!("{} {rows_are}: {}{such}.", grouped(*rows), plain(note, 90)));
    }
    for column in &report.layout.columns {
        if let Some(doubt) = &column.doubt {
            let name = plain(&column.header, 30);
            lines.push(format!("Not sure about column `{name}`: {}.", plain(doubt, 90)));
        }
    }
    let kept = report.layout.columns.iter().filter_map(|column| column.field.as_deref());
    let kept: Vec<&str> = kept.filter(|field| field.starts_with("x.")).collect();
    if let Some(first) = kept.first() {
        let were = if kept.len() == 1 { "column was" } else { "columns were" };
        lines.push(format!("{} {were} kept for templates, such as {{{{{first}}}}}.", kept.len()));
    }
    if report.layout.encoding_guessed {
        lines.push(format!(
            "Nothing in the file proves its encoding; it was read as {}. Look at names with accents.",
            report.layout.encoding
        ));
    }
    if report.footers > 0 {
        let n = report.footers;
        let lines_were =
            if n == 1 { "line below the table was" } else { "lines below the table were" };
        lines.push(format!("{n} {lines_were} left out."));
    }
    lines.extend(fits(report));
    lines.extend(started(report));
    if lines.is_empty() {
        return String::new();
    }
    let lines = lines.iter().map(|line| format!("  {line}\n")).collect::<String>();
    format!("\n{}\n{lines}", bold("Good to know"))
}

fn fits(report: &ImportReport) -> Option<String> {
    let mut fits: Vec<(&str, u64)> = report
        .fits
        .iter()
        .filter_map(|(profile, n)| Some((profile.as_ref()?.as_str(), *n)))
        .collect();
    fits.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let none = report.fits.get(&None).copied().unwrap_or(0);
    if report.fits.is_empty() {
        return None;
    }
    let mut parts: Vec<String> =
        fits.iter().map(|(profile, n)| format!("{} fit {profile}", grouped(*n))).collect();
    if none > 0 {
        parts.push(format!("{} fit no profile", grouped(none)));
    }
    Some(format!("{}.", parts.join(", ")))
}

/// Who came in by themselves, and why others did not.
fn started(report: &ImportReport) -> Vec<String> {
    let would = if report.dry_run { "would start" } else { "started" };
    let mut lines = Vec::new();
    for (cadence, came) in &report.started {
        let n = grouped(u64::try_from(came.enrolled).unwrap_or(u64::MAX));
        lines.push(format!("{n} {would} in {cadence}, which waits for such people."));
        for (reason, people) in &came.skipped {
            let people = grouped(u64::try_from(*people).unwrap_or(u64::MAX));
            lines.push(format!("{people} not in {cadence}: {}.", plain(reason, 90)));
        }
    }
    lines
}

fn next(report: &ImportReport, to_mend: Option<&Path>) -> String {
    let import = &report.import;
    if report.stopped {
        return format!(
            "\nStopped behind row {}. What is in stays in; the same command goes on from there.\n\
             Undo:  firsttouch import undo {import}\n",
            report.rows
        );
    }
    if report.dry_run {
        return "\nNothing was changed.\n".to_owned();
    }
    let mut text = String::new();
    if report.went_on_behind > 0 {
        text.push_str(&format!(
            "\nThe first {} rows were in already: this went on behind them.\n",
            grouped(report.went_on_behind)
        ));
    }
    text.push('\n');
    let mut label = "Next:";
    if let Some(path) = to_mend {
        text.push_str(&format!("{label}  firsttouch import {}\n", path.display()));
        label = "     ";
    }
    text.push_str(&format!(
        "{label}  firsttouch enroll --list {} --cadence NAME --dry-run\n",
        report.list
    ));
    text.push_str(&format!("Undo:  firsttouch import undo {import}\n"));
    text
}
