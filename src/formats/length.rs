//! Lengths of time and spans of a day as people write them: `3 business days`, `08:30-11:00`.

use jiff::civil;

use crate::domain::time::{DaySpan, Delay, Unit};

/// No cadence waits longer than about ten years; this also keeps all later date arithmetic in range.
const MAX_MINUTES: u64 = 10 * 366 * 24 * 60;

/// Each unit in the singular, and the minutes that it is at least worth.
const UNITS: [(&str, Unit, u64); 7] = [
    ("minute", Unit::Minutes, 1),
    ("hour", Unit::Hours, 60),
    ("day", Unit::Days, 24 * 60),
    ("week", Unit::Weeks, 7 * 24 * 60),
    ("business minute", Unit::BusinessMinutes, 1),
    ("business hour", Unit::BusinessHours, 60),
    ("business day", Unit::BusinessDays, 24 * 60),
];

/// Why a text is no length of time or no span of a day; says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(
        "`{0}` is not a length of time; write a whole number and one of: minutes, hours, days, \
         weeks, business minutes, business hours, business days"
    )]
    Length(String),
    #[error("`{text}` is not a length of time; did you mean `{meant}`?")]
    Misspelt { text: String, meant: Delay },
    #[error("`{text}` counts in {unit}s, which are not all equally long; write '{instead}'")]
    Uneven { text: String, unit: &'static str, instead: &'static str },
    #[error("`{0}` is more than ten years")]
    TooLong(String),
    #[error(
        "`{0}` is not a span of a day; write opening and closing time on the 24-hour clock, \
         like \"08:30-11:00\""
    )]
    Span(String),
    #[error("`{0}` closes before it opens")]
    Backwards(String),
    #[error("`{0}` and `{1}` overlap")]
    Overlap(DaySpan, DaySpan),
    #[error("a list of windows needs at least one, like \"08:30-11:00\"")]
    NoWindow,
}

/// Reads a length of time: a whole number and a unit, in singular or plural.
///
/// # Errors
/// When the unit is missing, unknown or uneven (months, years), or the length is over ten years.
pub fn delay(text: &str) -> Result<Delay, Unreadable> {
    let text = text.trim();
    let no_length = || match meant(text) {
        Some(meant) => Unreadable::Misspelt { text: text.to_owned(), meant },
        None => Unreadable::Length(text.to_owned()),
    };
    let (amount, unit) = text.split_once(char::is_whitespace).ok_or_else(no_length)?;
    if amount.is_empty() || !amount.bytes().all(|b| b.is_ascii_digit()) {
        return Err(no_length());
    }
    let unit = unit.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let unit = unit.strip_suffix('s').unwrap_or(&unit);
    let uneven = |unit, instead| Unreadable::Uneven { text: text.to_owned(), unit, instead };
    match unit {
        "month" => return Err(uneven("month", "30 days")),
        "year" => return Err(uneven("year", "365 days")),
        _ => {}
    }
    let known = UNITS.iter().find(|(name, _, _)| *name == unit);
    let (_, unit, minutes) = known.ok_or_else(no_length)?;
    let too_long = || Unreadable::TooLong(text.to_owned());
    let amount: u32 = amount.parse().map_err(|_| too_long())?;
    if u64::from(amount) * minutes > MAX_MINUTES {
        return Err(too_long());
    }
    Ok(Delay::new(amount, *unit))
}

/// What people write for a unit, in the singular, and the unit that they mean.
const MEANT: [(&str, Unit); 17] = [
    ("m", Unit::Minutes),
    ("min", Unit::Minutes),
    ("h", Unit::Hours),
    ("hr", Unit::Hours),
    ("d", Unit::Days),
    ("calendar day", Unit::Days),
    ("w", Unit::Weeks),
    ("wk", Unit::Weeks),
    ("working minute", Unit::BusinessMinutes),
    ("work hour", Unit::BusinessHours),
    ("working hour", Unit::BusinessHours),
    ("bd", Unit::BusinessDays),
    ("work day", Unit::BusinessDays),
    ("workday", Unit::BusinessDays),
    ("working day", Unit::BusinessDays),
    ("week day", Unit::BusinessDays),
    ("weekday", Unit::BusinessDays),
];

/// The length that was probably meant: `12h`, `2 working days`, `3 buisness days`.
fn meant(text: &str) -> Option<Delay> {
    let text = text.to_lowercase();
    if matches!(text.as_str(), "half a day" | "half day" | "0.5 days" | "1/2 day") {
        return Some(Delay::new(4, Unit::BusinessHours));
    }
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let amount = text.strip_suffix(unit)?.parse::<u32>().ok()?;
    let unit = unit.split_whitespace().collect::<Vec<_>>().join(" ");
    let unit = unit.strip_suffix('s').unwrap_or(&unit);
    let said = MEANT.iter().find(|(name, _)| *name == unit).map(|(_, unit)| *unit);
    let written = || UNITS.iter().find(|(name, ..)| is_near(unit, name)).map(|(_, unit, _)| *unit);
    let (unit, least) = said.or_else(written).and_then(|unit| {
        UNITS.iter().find(|(_, other, _)| *other == unit).map(|(_, _, least)| (unit, *least))
    })?;
    (u64::from(amount) * least <= MAX_MINUTES).then(|| Delay::new(amount, unit))
}

/// Whether a unit was written without its blank, or with a slip or two.
fn is_near(wrong: &str, unit: &str) -> bool {
    wrong == unit || (wrong.len() >= 4 && strsim::damerau_levenshtein(wrong, unit) <= 2)
}

/// Reads a span of a day such as `08:30-11:00`.
///
/// # Errors
/// When it is no such span, or closes before it opens.
pub fn day_span(text: &str) -> Result<DaySpan, Unreadable> {
    let text = text.trim();
    let no_span = || Unreadable::Span(text.to_owned());
    let (opens, closes) = text.split_once('-').ok_or_else(no_span)?;
    let opens = clock(opens).ok_or_else(no_span)?;
    let closes = clock(closes).ok_or_else(no_span)?;
    DaySpan::new(opens, closes).ok_or_else(|| Unreadable::Backwards(text.to_owned()))
}

/// The windows in the order of the day.
///
/// # Errors
/// When there is none, or two overlap.
pub fn windows(mut spans: Vec<DaySpan>) -> Result<Vec<DaySpan>, Unreadable> {
    if spans.is_empty() {
        return Err(Unreadable::NoWindow);
    }
    spans.sort();
    let overlap = spans.iter().zip(spans.iter().skip(1)).find(|(a, b)| b.opens() < a.closes());
    match overlap {
        Some((a, b)) => Err(Unreadable::Overlap(*a, *b)),
        None => Ok(spans),
    }
}

/// `7:05` or `07:05`; not `24:00`, which jiff's clock does not have.
fn clock(text: &str) -> Option<civil::Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if hour.len() > 2 || minute.len() != 2 || !digits(hour) || !digits(minute) {
        return None;
    }
    civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_length_is_a_number_and_a_unit() {
        let cases = [
            ("1 minute", Delay::new(1, Unit::Minutes)),
            ("45 minutes", Delay::new(45, Unit::Minutes)),
            (" 2  hours ", Delay::new(2, Unit::Hours)),
            ("0 days", Delay::new(0, Unit::Days)),
            ("2 weeks", Delay::new(2, Unit::Weeks)),
            ("5 business minutes", Delay::new(5, Unit::BusinessMinutes)),
            ("1 business hour", Delay::new(1, Unit::BusinessHours)),
            ("3 Business Days", Delay::new(3, Unit::BusinessDays)),
        ];
        for (text, wanted) in cases {
            assert_eq!(delay(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_says_what_to_write() {
        let plain = "is not a length of time; write a whole number and one of: minutes, hours,";
        let cases = [
            ("4", plain),
            ("", plain),
            ("days", plain),
            ("three days", plain),
            ("-1 days", plain),
            ("+1 days", plain),
            ("1.5 hours", plain),
            ("1h30m", plain),
            ("30 seconds", plain),
            ("2 business weeks", plain),
            ("1 hour 30 minutes", plain),
            (
                "2 working days",
                "`2 working days` is not a length of time; did you mean `2 business days`?",
            ),
            ("1 workday", "did you mean `1 business day`?"),
            ("12h", "did you mean `12 hours`?"),
            ("2d", "did you mean `2 days`?"),
            ("30min", "did you mean `30 minutes`?"),
            ("3days", "did you mean `3 days`?"),
            ("half a day", "did you mean `4 business hours`?"),
            ("3 buisness days", "did you mean `3 business days`?"),
            ("99999d", plain),
            (
                "3 months",
                "`3 months` counts in months, which are not all equally long; write '30 days'",
            ),
            ("1 year", "write '365 days'"),
            ("4000 days", "`4000 days` is more than ten years"),
            ("99999999999 minutes", "more than ten years"),
        ];
        for (text, wanted) in cases {
            let said = delay(text).unwrap_err().to_string();
            assert!(said.contains(wanted), "{text}: {said}");
        }
    }

    #[test]
    fn a_window_opens_before_it_closes() {
        let cases: [(&str, Result<&str, &str>); 9] = [
            ("08:30-11:00", Ok("08:30-11:00")),
            ("8:05 - 9:00", Ok("08:05-09:00")),
            ("11:00-08:30", Err("`11:00-08:30` closes before it opens")),
            ("09:00-09:00", Err("closes before it opens")),
            ("9-17", Err("is not a span of a day")),
            ("08:00-24:00", Err("is not a span of a day")),
            ("08:60-09:00", Err("is not a span of a day")),
            ("08:00", Err("is not a span of a day")),
            ("+8:00-09:00", Err("is not a span of a day")),
        ];
        for (text, wanted) in cases {
            match (day_span(text), wanted) {
                (Ok(span), Ok(shown)) => assert_eq!(span.to_string(), shown),
                (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{error}"),
                (got, wanted) => panic!("{text}: {got:?} instead of {wanted:?}"),
            }
        }
    }

    #[test]
    fn windows_are_sorted_and_may_not_overlap() {
        let spans = |texts: &[&str]| texts.iter().map(|t| day_span(t).unwrap()).collect::<Vec<_>>();
        let sorted = windows(spans(&["15:00-17:00", "08:00-10:00", "10:00-11:00"])).unwrap();
        assert_eq!(sorted, spans(&["08:00-10:00", "10:00-11:00", "15:00-17:00"]));
        let overlap = windows(spans(&["09:00-12:00", "11:00-13:00"])).unwrap_err();
        assert_eq!(overlap.to_string(), "`09:00-12:00` and `11:00-13:00` overlap");
        assert_eq!(windows(Vec::new()), Err(Unreadable::NoWindow));
    }

    proptest! {
        #[test]
        fn every_length_reads_back_what_it_shows(amount in 0_u32..500, unit in 0..UNITS.len()) {
            let written = Delay::new(amount, UNITS[unit].1);
            prop_assert_eq!(delay(&written.to_string()), Ok(written));
        }

        #[test]
        fn no_text_makes_the_readers_of_time_panic(text in "\\PC{0,20}") {
            let _ = (delay(&text), day_span(&text));
        }

        #[test]
        fn every_window_reads_back_what_it_shows(a in 0_i8..24, b in 0_i8..60, c in 0_i8..24, d in 0_i8..60) {
            let span = DaySpan::new(civil::time(a, b, 0, 0), civil::time(c, d, 0, 0));
            if let Some(span) = span {
                prop_assert_eq!(day_span(&span.to_string()), Ok(span));
            }
        }
    }
}
