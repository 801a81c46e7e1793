//! One task as `next` shows it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::heading;
use crate::cli::output::{plain, width, wrapped};
use crate::cli::rep::{clock, kind_of};
use crate::cli::today::title;
use crate::domain::enrollment::TaskKind;
use crate::domain::queue::Place;
use crate::engine::background::{Background, Tried, linkedin};
use crate::engine::tasks::{Offered, Row};

/// Lines of a script or of a message that are shown at most.
const MOST_LINES: usize = 60;

/// Everything that a rep needs to do it: who, where, what was tried, what to say, what can be answered.
pub(super) fn page(
    row: &Row,
    background: &Background,
    (number, of): (usize, usize),
    (zone, now): (&TimeZone, Timestamp),
) -> String {
    let when = |at: Timestamp| clock(at, zone, now);
    let mut text = head(row, number, of);
    text.push_str(&format!("      {}", row.why(when, now)));
    if let Some(zone) = &row.zone {
        let local = zone.to_datetime(now).strftime("%a %H:%M");
        text.push_str(&format!(" · it is {local} there"));
    }
    if let Some(rep) = &row.line.task.covers {
        text.push_str(&format!(" · you stand in for {rep}"));
    }
    text.push('\n');
    text.push_str(&ways(row));
    let kind = row.line.task.kind;
    // A brief tells it itself.
    if kind != TaskKind::HandOff {
        text.push_str(&tried(&background.tried, when));
        text.push_str(&wrote(background, when));
    }
    text.push_str(&format!("\n      {}\n", plain(&title(&row.line), 120)));
    // What the person wrote stands above already.
    if kind != TaskKind::Reply || background.wrote.is_empty() {
        text.push_str(&block(&row.line.task.text));
    }
    text.push_str(&format!("\n{}", keys(&row.line.outcomes, row)));
    text
}

fn head(row: &Row, number: usize, of: usize) -> String {
    let line = &row.line;
    let known = &line.prospect.known;
    let mut who = plain(&line.prospect.display_name(), 60);
    if let Some(role) = &known.title {
        who.push_str(&format!(", {}", plain(role, 60)));
    }
    if let Some(company) = &known.company.name {
        who.push_str(&format!(" at {}", plain(company, 60)));
    }
    let kind = kind_of(line).to_uppercase();
    let where_ = format!("{}, {} · task {}", line.cadence, line.task.step, line.task.id);
    format!("{} · {where_}\n", heading(&format!("{number}/{of}  {kind}  {who}")))
}

/// Phones first where a call is to be made; never anything that was blocked by the person.
fn ways(row: &Row) -> String {
    let known = &row.line.prospect.known;
    let phones = known.phones.iter().map(ToString::to_string);
    let email = known.email.iter().map(ToString::to_string);
    let linkedin = known.linkedin.iter().map(|slug| linkedin(slug));
    let place = [known.city.clone(), known.country.clone()];
    let place: Vec<String> = place.into_iter().flatten().collect();
    let ways: Vec<String> = phones.chain(email).chain(linkedin).collect();
    let all: Vec<String> =
        ways.into_iter().chain((!place.is_empty()).then(|| place.join(", "))).collect();
    if all.is_empty() {
        String::new()
    } else {
        format!("      {}\n", plain(&all.join(" · "), 200))
    }
}

fn tried(tried: &[Tried], when: impl Fn(Timestamp) -> String) -> String {
    let line = |one: &Tried| {
        let note = if one.note.is_empty() {
            String::new()
        } else {
            format!(" \"{}\"", plain(&one.note, 120))
        };
        let actor =
            if one.actor == "engine" { String::new() } else { format!(" by {}", one.actor) };
        format!("      {}  {}: {}{actor}{note}\n", when(one.at), one.step, one.outcome)
    };
    let lines: String = tried.iter().rev().take(5).rev().map(line).collect();
    if lines.is_empty() {
        "      Nothing was tried yet\n".to_owned()
    } else {
        format!("      Tried:\n{lines}")
    }
}

fn wrote(background: &Background, when: impl Fn(Timestamp) -> String) -> String {
    let Some(message) = background.wrote.first() else { return String::new() };
    let words = message.text.trim().lines().take(MOST_LINES);
    let lines: String = words.map(|line| format!("      > {}\n", plain(line, 300))).collect();
    format!("      Wrote, {}:\n{lines}", when(message.received_at))
}

/// What to say, as it was written, indented.
fn block(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    if lines.is_empty() {
        return String::new();
    }
    let shown = lines.iter().take(MOST_LINES).map(|line| {
        let clean = plain(line, 2_000);
        if clean.is_empty() {
            "\n".to_owned()
        } else {
            format!("{}\n", wrapped(&clean, width().max(60), 6))
        }
    });
    let more = lines.len().saturating_sub(MOST_LINES);
    let more = if more == 0 {
        String::new()
    } else {
        format!("      … {more} more lines: `firsttouch done NUMBER` shows all\n")
    };
    format!("\n{}{more}", shown.collect::<String>())
}

fn keys(outcomes: &[Offered], row: &Row) -> String {
    let named = |offered: &Offered| match &offered.label {
        Some(label) => format!("{} ({})", offered.outcome, plain(label, 30)),
        None => offered.outcome.to_string(),
    };
    let numbered: Vec<String> = outcomes
        .iter()
        .enumerate()
        .map(|(at, one)| format!("[{}]\u{a0}{}", at + 1, named(one)))
        .collect();
    let skip = if row.line.can_be_skipped() { "[k] skip  " } else { "" };
    let later = if matches!(row.place, Place::Now(_)) { "[s] not now  " } else { "" };
    let answers = wrapped(&numbered.join(" "), width().max(60), 6);
    format!(
        "{answers}\n      {later}{skip}[n] note  [u] undo  [?] all keys  [q] quit  [Enter] next\n"
    )
}
