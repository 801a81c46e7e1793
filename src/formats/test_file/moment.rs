//! Dates and times of the day as a test writes them.

use jiff::civil::{Date, DateTime, Time};

use crate::domain::test_case::Clock;
use crate::formats::length;
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{Findings, is_plain, shortened, text};
use crate::formats::yaml::{At, Node};

/// When a day begins for whom no time is given.
const MORNING: Time = jiff::civil::time(8, 0, 0, 0);

/// The years in which a test may lie.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2200;

/// A date such as `"2026-03-04"`.
pub(super) fn date(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Option<Date> {
    let written = quoted(node, what, findings)?;
    let date = written.parse::<Date>().ok().filter(|date| is_date(&written, *date));
    if date.is_none() {
        wrong(node, what, &written, "\"2026-03-04\"", findings);
    }
    date
}

/// A date such as `"2026-03-04"`, with or without a time behind it.
pub(super) fn date_time(
    node: &At<Node>,
    what: &str,
    findings: &mut Findings<'_>,
) -> Option<DateTime> {
    let written = quoted(node, what, findings)?;
    let (day, time) = match written.split_once(' ') {
        None => (written.as_str(), Some(MORNING)),
        Some((day, time)) => (day, minute(time)),
    };
    let date = day.parse::<Date>().ok().filter(|date| is_date(day, *date));
    let moment = date.zip(time).map(|(date, time)| date.to_datetime(time));
    if moment.is_none() {
        wrong(node, what, &written, "\"2026-03-04 08:30\"", findings);
    }
    moment
}

/// A time of the day such as `"14:30"`.
pub(super) fn time(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Option<Time> {
    let written = quoted(node, what, findings)?;
    let time = minute(&written);
    if time.is_none() {
        wrong(node, what, &written, "\"14:30\"", findings);
    }
    time
}

/// A time of the day, or a span such as `"08:00-11:00"`.
pub(super) fn clock(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Option<Clock> {
    let written = quoted(node, what, findings)?;
    let clock = match written.contains('-') {
        true => length::day_span(&written).ok().map(Clock::Within),
        false => minute(&written).map(Clock::Minute),
    };
    if clock.is_none() {
        wrong(node, what, &written, "\"07:30\" or \"07:30-10:30\"", findings);
    }
    clock
}

/// Of the ways to write a date only the one that everybody reads alike.
fn is_date(written: &str, date: Date) -> bool {
    YEARS.contains(&date.year()) && date.to_string() == written
}

fn minute(text: &str) -> Option<Time> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hours) || !digits(minutes) || minutes.len() != 2 || hours.len() > 2 {
        return None;
    }
    Time::new(hours.parse().ok()?, minutes.parse().ok()?, 0, 0).ok()
}

/// The text; a warning when it has no quotes, for other tools make a number or a date of it.
fn quoted(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Option<String> {
    let written = text(node, what, findings)?.value;
    if is_plain(node) {
        let message = format!("{what} `{}` has no quotes", shortened(&written));
        let hint =
            format!("write \"{}\": many tools make something else of it", shortened(&written));
        findings.warning(Rule::C401, node.place(), message, hint);
    }
    Some(written)
}

fn wrong(node: &At<Node>, what: &str, written: &str, like: &str, findings: &mut Findings<'_>) {
    let message = format!("{what} is written like {like}, not `{}`", shortened(written));
    findings.error(Rule::C706, node.place(), message);
}
