//! What came of tests, for people: a line for each file, and for each failure the timeline around the
//! difference, in the words of the test file.

use jiff::civil::DateTime;

use super::Ran;
use crate::cli::output::{bold, colour_on, plain, table};
use crate::domain::test_case::{Deed, Details, Kind, Line, Row};

/// Rows that are shown on either side of a difference.
const AROUND: usize = 3;
/// Rows that are shown when no row differs.
const LAST: usize = 8;
/// A name or a sentence is no longer on the screen.
const WIDE: usize = 200;

/// The whole answer.
pub(super) fn answer(ran: &[Ran<'_>], timeline: bool) -> String {
    let mut parts = vec![files(ran)];
    for ran in ran {
        if !ran.passed() {
            parts.push(failure(ran, timeline));
        } else if timeline {
            parts.push(passed(ran));
        }
    }
    let failed = ran.iter().filter(|ran| !ran.passed()).count();
    parts.push(counts(ran.len() - failed, failed));
    parts.join("\n")
}

/// One line for each file.
fn files(ran: &[Ran<'_>]) -> String {
    let mut rows: Vec<(&str, usize, usize)> = Vec::new();
    for ran in ran {
        let failed = usize::from(!ran.passed());
        match rows.last_mut().filter(|(path, _, _)| *path == ran.file.path) {
            Some((_, good, bad)) => (*good, *bad) = (*good + 1 - failed, *bad + failed),
            None => rows.push((&ran.file.path, 1 - failed, failed)),
        }
    }
    let row = |(path, good, bad): &(&str, usize, usize)| {
        let word = if *bad == 0 { "ok" } else { "FAILED" };
        vec![word.to_owned(), (*path).to_owned(), counts(*good, *bad)]
    };
    table(&rows.iter().map(row).collect::<Vec<_>>())
}

fn counts(passed: usize, failed: usize) -> String {
    match failed {
        0 => format!("{passed} passed"),
        _ => format!("{passed} passed, {failed} failed"),
    }
}

fn head(ran: &Ran<'_>, word: &str) -> String {
    let name = bold(&format!("{word}  {}: {}", ran.file.cadence, plain(&ran.test.name, WIDE)));
    format!("{name}\n  {}:{}\n", ran.file.path, ran.test.line)
}

fn passed(ran: &Ran<'_>) -> String {
    let rows = rows(ran);
    let shown: Vec<&Shown> = rows.iter().collect();
    format!("{}{}", head(ran, "passed"), told(&shown, &rows))
}

fn failure(ran: &Ran<'_>, whole: bool) -> String {
    let mut text = head(ran, "FAILED");
    for complaint in &ran.complaints {
        text.push_str(&format!("  {}\n", plain(complaint, WIDE * 2)));
    }
    let rows = rows(ran);
    let shown: Vec<&Shown> = match whole {
        true => rows.iter().collect(),
        false => around(&rows),
    };
    if rows.iter().any(|row| row.mark != Mark::None) {
        text.push_str("  - expected, + happened\n");
    }
    text.push_str(&told(&shown, &rows));
    text
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    Expected,
    Happened,
}

/// One row on the screen.
struct Shown {
    /// Where it stands among all rows.
    at: usize,
    mark: Mark,
    text: String,
    comment: String,
}

/// Everything in order, with what came in between.
fn rows(ran: &Ran<'_>) -> Vec<Shown> {
    let compared = ran.compared();
    let mut notes = ran.played.notes.iter().peekable();
    let mut rows = Vec::new();
    let mut push = |mark: Mark, text: String, comment: String| {
        let at = rows.len();
        rows.push(Shown { at, mark, text, comment });
    };
    for row in &compared.rows {
        let deed = match row {
            Row::Fine(deed) | Row::Other(_, deed) | Row::Unwanted(deed) => Some(*deed),
            Row::Missing(_) => None,
        };
        while let Some((at, note)) = notes.next_if(|(at, _)| deed.is_some_and(|d| *at <= d.at)) {
            push(Mark::None, String::new(), format!("{}  {note}", when(*at)));
        }
        match row {
            Row::Fine(deed) => push(Mark::None, happened(ran, deed, false), when(deed.at)),
            Row::Unwanted(deed) => {
                let why = if is_never(ran, deed) { "  must never be" } else { "" };
                let comment = format!("{}{why}", when(deed.at));
                push(Mark::Happened, happened(ran, deed, false), comment);
            }
            Row::Missing(line) => push(Mark::Expected, expected(line), place(line)),
            Row::Other(line, deed) => {
                push(Mark::Expected, expected(line), place(line));
                push(Mark::Happened, happened(ran, deed, line.at.is_some()), when(deed.at));
            }
        }
    }
    for (at, note) in notes {
        push(Mark::None, String::new(), format!("{}  {note}", when(*at)));
    }
    rows
}

fn is_never(ran: &Ran<'_>, deed: &Deed) -> bool {
    ran.test.never.iter().any(|step| step.as_str() == deed.name)
}

/// The rows near a difference; the last ones when there is none.
fn around(rows: &[Shown]) -> Vec<&Shown> {
    let marked: Vec<usize> =
        rows.iter().filter(|row| row.mark != Mark::None).map(|row| row.at).collect();
    let is_near = |row: &&Shown| match marked.is_empty() {
        true => row.at + LAST >= rows.len(),
        false => marked.iter().any(|at| row.at.abs_diff(*at) <= AROUND),
    };
    rows.iter().filter(is_near).collect()
}

/// Rows under each other, with a mark where some are left out.
fn told(shown: &[&Shown], all: &[Shown]) -> String {
    const MOST: usize = 70;
    let widths = shown.iter().map(|row| row.text.chars().count()).filter(|width| *width <= MOST);
    let width = widths.max().unwrap_or(0);
    let mut text = String::new();
    let mut next = 0;
    for row in shown {
        if row.at > next {
            text.push_str("    …\n");
        }
        next = row.at + 1;
        text.push_str(&painted(row, width));
    }
    if next < all.len() {
        text.push_str("    …\n");
    }
    text
}

fn painted(row: &Shown, width: usize) -> String {
    let (sign, colour) = match row.mark {
        Mark::None => (' ', ""),
        Mark::Expected => ('-', "\x1b[31m"),
        Mark::Happened => ('+', "\x1b[32m"),
    };
    let line = match row.text.is_empty() {
        true => format!("  {sign}   # {}", row.comment),
        false => format!("  {sign}   {:<width$}  # {}", row.text, row.comment),
    };
    match !colour.is_empty() && colour_on(&std::io::stdout()) {
        true => format!("{colour}{line}\x1b[0m\n"),
        false => format!("{line}\n"),
    }
}

fn when(at: DateTime) -> String {
    at.strftime("%a %-d %b %Y %H:%M").to_string()
}

fn place(line: &Line) -> String {
    format!("line {}", line.line)
}

/// A line of a timeline that is true of what happened.
fn happened(ran: &Ran<'_>, deed: &Deed, with_time: bool) -> String {
    let day = match deed.day.filter(|_| ran.played.counts_days) {
        Some(day) => format!("day: {day}"),
        None => format!("on: \"{}\"", deed.at.date()),
    };
    let time = deed.at.time();
    let at = with_time.then(|| format!("at: \"{:02}:{:02}\"", time.hour(), time.minute()));
    written(vec![Some(day), at], (deed.kind, &deed.name), &deed.details)
}

/// A line as a test has it.
fn expected(line: &Line) -> String {
    let day = line.day.map(|day| format!("day: {day}"));
    let on = line.on.map(|on| format!("on: \"{on}\""));
    let at = line.at.map(|at| format!("at: \"{at}\""));
    written(vec![day, on, at], (line.kind, &line.name), &line.details)
}

fn written(when: Vec<Option<String>>, (kind, name): (Kind, &str), details: &Details) -> String {
    let value = |key: &str, value: &Option<String>| Some(format!("{key}: {}", value.as_ref()?));
    let what = format!("{}: {name}", kind.as_str());
    let more = vec![
        Some(what),
        value("template", &details.template),
        value("outcome", &details.outcome),
        value("why", &details.why),
        details.begins.map(|begins| format!("begins: \"{begins}\"")),
    ];
    let parts: Vec<String> = when.into_iter().chain(more).flatten().collect();
    format!("- {{ {} }}", parts.join(", "))
}
