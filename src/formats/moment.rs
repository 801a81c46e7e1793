//! Times as people type them: `tue 10:00`, `2026-03-12`, `tomorrow`, `in 2 business days`.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{Timestamp, ToSpan};
use thiserror::Error;

use super::length;
use crate::domain::moment::Moment;

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoMoment {
    #[error(
        "`{0}` is not a time; write it like `tue 10:00`, `tomorrow 14:30`, `15:00`, `2026-03-12`, \
         `2 hours` or `in 2 business days`"
    )]
    Unknown(String),
    #[error(transparent)]
    Length(#[from] length::Unreadable),
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// Reads a time that is said at `now`, on the clock of whoever says it.
///
/// # Errors
/// It is none of the ways to write one.
pub fn parse(text: &str, now: DateTime) -> Result<Moment, NoMoment> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Ok(at) = words.parse::<Timestamp>() {
        return Ok(Moment::Instant(at));
    }
    let lower = words.to_lowercase();
    if let Some(rest) = lower.strip_prefix("in ") {
        return Ok(Moment::In(length::delay(rest)?));
    }
    let unknown = || NoMoment::Unknown(text.trim().to_owned());
    if let Some(moment) = on_a_day(&lower, now) {
        return Ok(moment);
    }
    match length::delay(&lower) {
        Ok(delay) => Ok(Moment::In(delay)),
        Err(misspelt @ length::Unreadable::Misspelt { .. }) => Err(misspelt.into()),
        Err(_) => Err(unknown()),
    }
}

/// A day, a time of the day, or both.
fn on_a_day(text: &str, now: DateTime) -> Option<Moment> {
    if let Some(time) = clock(text) {
        let today = now.date().to_datetime(time);
        let tomorrow = now.date().tomorrow().ok()?.to_datetime(time);
        return Some(Moment::At(if today > now { today } else { tomorrow }));
    }
    let split = text.split_once([' ', 't']).filter(|(day, _)| is_date(day));
    let (day, time) = match split.or_else(|| text.split_once(' ')) {
        Some((day, time)) => (day, Some(clock(time)?)),
        None => (text, None),
    };
    let date = date(day, time, now)?;
    Some(match time {
        Some(time) => Moment::At(date.to_datetime(time)),
        None => Moment::On(date),
    })
}

fn is_date(text: &str) -> bool {
    text.parse::<Date>().is_ok()
}

/// The day that is meant. A weekday is the next one; today only for a time that is still to come.
fn date(day: &str, time: Option<Time>, now: DateTime) -> Option<Date> {
    let today = now.date();
    match day {
        "today" => return Some(today),
        "tomorrow" => return today.tomorrow().ok(),
        _ => {}
    }
    let is_meant = |(name, _): &&(&str, Weekday)| day.len() >= 3 && name.starts_with(day);
    let Some((_, weekday)) = WEEKDAYS.iter().find(is_meant) else {
        return day.parse::<Date>().ok();
    };
    let is_ahead = time.is_some_and(|time| today.to_datetime(time) > now);
    let from = if is_ahead { today } else { today.tomorrow().ok()? };
    from.series(1.day()).take(7).find(|date| date.weekday() == *weekday)
}

/// `9:30` or `09:30`.
fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if hour.len() > 2 || minute.len() != 2 || !digits(hour) || !digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::time::{Delay, Unit};

    /// A Tuesday.
    fn now() -> DateTime {
        datetime(2026, 3, 10, 9, 30, 0, 0)
    }

    fn at(day: i8, hour: i8, minute: i8) -> Moment {
        Moment::At(datetime(2026, 3, day, hour, minute, 0, 0))
    }

    #[test]
    fn people_say_a_day_a_time_of_the_day_both_or_a_length() {
        let on = |day| Moment::On(date(2026, 3, day));
        let length = |amount, unit| Moment::In(Delay::new(amount, unit));
        let cases = [
            ("tue 10:00", at(10, 10, 0)),
            ("Tue 9:00", at(17, 9, 0)),
            ("tue", on(17)),
            ("wednesday", on(11)),
            ("thurs 14:30", at(12, 14, 30)),
            ("monday 08:00", at(16, 8, 0)),
            ("today 16:00", at(10, 16, 0)),
            ("tomorrow", on(11)),
            ("tomorrow 7:15", at(11, 7, 15)),
            ("15:00", at(10, 15, 0)),
            ("9:30", at(11, 9, 30)),
            ("2026-03-12", on(12)),
            (" 2026-03-12   10:00 ", at(12, 10, 0)),
            ("2026-03-12T10:00", at(12, 10, 0)),
            ("2026-03-12T10:00:00Z", Moment::Instant("2026-03-12T10:00:00Z".parse().unwrap())),
            ("2 hours", length(2, Unit::Hours)),
            ("in 2 business days", length(2, Unit::BusinessDays)),
            ("30 minutes", length(30, Unit::Minutes)),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse(text, now()), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_says_how_to_write_one() {
        let cases = [
            ("", "is not a time"),
            ("later", "is not a time; write it like `tue 10:00`"),
            ("tu", "is not a time"),
            ("tue 25:00", "is not a time"),
            ("10", "is not a time"),
            ("2026-02-30", "is not a time"),
            ("tue at ten", "is not a time"),
            ("2h", "did you mean `2 hours`?"),
            ("in 2 fortnights", "is not a length of time"),
            ("in a bit", "is not a length of time"),
        ];
        for (text, wanted) in cases {
            let said = parse(text, now()).unwrap_err().to_string();
            assert!(said.contains(wanted), "{text}: {said}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_of_times_panic(text in "\\PC{0,24}") {
            let _ = parse(&text, now());
        }

        #[test]
        fn a_weekday_is_never_more_than_a_week_away_and_never_in_the_past(
            weekday in 0usize..7, hour in 0i8..24,
        ) {
            let text = format!("{} {hour}:00", WEEKDAYS[weekday].0);
            let Ok(Moment::At(meant)) = parse(&text, now()) else { panic!("{text}") };
            prop_assert!(meant > now());
            prop_assert!(meant <= now() + 7.days());
        }
    }
}
