//! When an absent person returns, as their note says it.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

use super::calendar_words::{FILLERS, MARKERS, MONTHS, RANGES, TRAILING, WEEKDAYS};
use super::words::{clip, fold_line};

/// Characters of a note that are looked at.
const TEXT_LIMIT: usize = 6_000;
/// Words between "back on" and the date.
const MARKER_REACH: usize = 7;
/// A return further away is more likely a misreading than an absence.
const DAYS_AHEAD: i32 = 120;

/// The last date that a note names as a return or an end, within the next 120 days.
pub(super) fn until(note: &str, received_on: Date) -> Option<Date> {
    let folded = fold_line(clip(note, TEXT_LIMIT));
    let words: Vec<&str> = folded.split(' ').flat_map(split_word).collect();
    let order = order_of(&words);
    let mut found: Vec<Date> = Vec::new();
    let mut at = 0;
    let mut last_end: Option<usize> = None;
    while at < words.len() {
        let Some((length, days)) = date_at(&words, at) else {
            at += 1;
            continue;
        };
        if is_marked(&words, at) || ends_range(&words, at, last_end) || is_cjk(&words, at) {
            found.extend(days.in_order(order).resolve(received_on));
        }
        at += length;
        last_end = Some(at);
    }
    found.extend(weekday_alone(&words, received_on));
    found.into_iter().max()
}

/// Not in the past, and not further ahead than absences go.
pub(super) fn is_plausible(date: Date, received_on: Date) -> bool {
    let limit = received_on.checked_add(Span::new().days(DAYS_AHEAD)).unwrap_or(received_on);
    (received_on..=limit).contains(&date)
}

/// A date as written: perhaps without a year, perhaps with day and month in doubt.
enum Written {
    Days(Vec<(Option<i16>, i8, i8)>),
    /// "lunes 5": the next such day of a month.
    DayOfMonth(i8),
}

/// Which number comes first in dates with slashes.
#[derive(Clone, Copy)]
enum Order {
    DayFirst,
    MonthFirst,
}

/// One date of a note that can be read in one way only tells how to read the others.
fn order_of(words: &[&str]) -> Option<Order> {
    words.iter().find_map(|word| {
        let mut numbers = word.split('/').map(small);
        match (numbers.next()??, numbers.next()??) {
            (13.., _) => Some(Order::DayFirst),
            (_, 13..) => Some(Order::MonthFirst),
            _ => None,
        }
    })
}

impl Written {
    /// Without the reading that the rest of the note excludes; the day-first one is always the first.
    fn in_order(self, order: Option<Order>) -> Self {
        match (self, order) {
            (Self::Days(mut readings), Some(Order::DayFirst)) => {
                readings.truncate(1);
                Self::Days(readings)
            }
            (Self::Days(readings), Some(Order::MonthFirst)) => {
                Self::Days(readings.into_iter().next_back().into_iter().collect())
            }
            (other, _) => other,
        }
    }

    /// The latest plausible reading.
    fn resolve(&self, received_on: Date) -> Option<Date> {
        let readings = match self {
            Self::Days(readings) => {
                readings.iter().filter_map(|reading| on(*reading, received_on)).collect()
            }
            Self::DayOfMonth(day) => {
                let months = (0..2).filter_map(|ahead| {
                    received_on.first_of_month().checked_add(ahead.months()).ok()
                });
                let days =
                    months.filter_map(|month| Date::new(month.year(), month.month(), *day).ok());
                days.filter(|date| *date >= received_on).take(1).collect::<Vec<_>>()
            }
        };
        readings.into_iter().filter(|date| is_plausible(*date, received_on)).max()
    }
}

/// Without a year: the first such date that has not passed.
fn on((year, month, day): (Option<i16>, i8, i8), received_on: Date) -> Option<Date> {
    if let Some(year) = year {
        return Date::new(year, month, day).ok();
    }
    let years = [received_on.year(), received_on.year() + 1];
    years
        .into_iter()
        .filter_map(|year| Date::new(year, month, day).ok())
        .find(|date| *date >= received_on)
}

/// Dashes between dates are words of their own.
fn split_word(word: &str) -> Vec<&str> {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-');
    let figures =
        |part: &str| part.contains(['.', '/']) && part.starts_with(|c: char| c.is_ascii_digit());
    match bare.split_once('-') {
        Some((from, to)) if figures(from) && figures(to) => {
            vec![from.trim_end_matches('.'), "-", to]
        }
        _ => vec![bare],
    }
}

fn date_at(words: &[&str], at: usize) -> Option<(usize, Written)> {
    let word = words.get(at)?;
    if let Some(days) = in_figures(word) {
        return Some((1, Written::Days(days)));
    }
    if let Some(reading) = in_cjk(word) {
        return Some((1, Written::Days(vec![reading])));
    }
    day_then_month(words, at)
        .or_else(|| month_then_day(words, at))
        .or_else(|| weekday_and_day(words, at))
}

/// `2026-01-05`, `5.1.2026`, `5/1/26`, `5.1`, `1/5`.
fn in_figures(word: &str) -> Option<Vec<(Option<i16>, i8, i8)>> {
    let separator = word.chars().find(|c| !c.is_ascii_digit()).filter(|c| "./-".contains(*c))?;
    let numbers: Vec<&str> = word.split(separator).filter(|number| !number.is_empty()).collect();
    let number = |text: &str| text.parse::<i16>().ok();
    match numbers.as_slice() {
        [year, month, day] if year.len() == 4 => {
            Some(vec![(number(year), small(month)?, small(day)?)])
        }
        [first, second, year] if matches!(year.len(), 2 | 4) => {
            let year = number(year).map(|year| if year < 100 { 2000 + year } else { year });
            Some(both_orders(year, small(first)?, small(second)?, separator))
        }
        [first, second] if separator != '-' => {
            Some(both_orders(None, small(first)?, small(second)?, separator))
        }
        _ => None,
    }
}

/// Day and month in either order; with dots the day always comes first.
fn both_orders(
    year: Option<i16>,
    first: i8,
    second: i8,
    separator: char,
) -> Vec<(Option<i16>, i8, i8)> {
    let mut orders = vec![(year, second, first)];
    if separator != '.' {
        orders.push((year, first, second));
    }
    orders
}

fn small(number: &str) -> Option<i8> {
    number.parse::<i8>().ok().filter(|number| (1..=31).contains(number))
}

/// `2026年1月5日`, `1月5日`, `1월5일`.
fn in_cjk(word: &str) -> Option<(Option<i16>, i8, i8)> {
    let (head, tail) = word.split_once(['月', '월'])?;
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let last = |text: &str| {
        text.chars()
            .rev()
            .take_while(char::is_ascii_digit)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<String>()
    };
    let year = head.split_once(['年', '년']).and_then(|(year, _)| last(year).parse().ok());
    Some((year, small(&last(head))?, small(&digits(tail))?))
}

fn is_cjk(words: &[&str], at: usize) -> bool {
    words.get(at).is_some_and(|word| in_cjk(word).is_some())
}

/// `5 January 2026`, `5th of January`, `5 de enero de 2026`, `5. Januar`.
fn day_then_month(words: &[&str], at: usize) -> Option<(usize, Written)> {
    let day = day(words.get(at)?)?;
    let month_at = skip_fillers(words, at + 1);
    let month = month(words.get(month_at)?)?;
    Some(with_year(words, at, month_at + 1, month, day))
}

/// `January 5th, 2026`.
fn month_then_day(words: &[&str], at: usize) -> Option<(usize, Written)> {
    let month = month(words.get(at)?)?;
    let day_at = skip_fillers(words, at + 1);
    let day = day(words.get(day_at)?)?;
    Some(with_year(words, at, day_at + 1, month, day))
}

fn with_year(words: &[&str], at: usize, next: usize, month: i8, day: i8) -> (usize, Written) {
    let year_at = skip_fillers(words, next);
    let year = words
        .get(year_at)
        .and_then(|word| word.parse::<i16>().ok())
        .filter(|year| (2000..2100).contains(year));
    let end = if year.is_some() { year_at + 1 } else { next };
    (end - at, Written::Days(vec![(year, month, day)]))
}

fn weekday_and_day(words: &[&str], at: usize) -> Option<(usize, Written)> {
    weekday(words.get(at)?)?;
    let day_at = skip_fillers(words, at + 1);
    let day = day(words.get(day_at)?)?;
    Some((day_at + 1 - at, Written::DayOfMonth(day)))
}

fn skip_fillers(words: &[&str], at: usize) -> usize {
    if words.get(at).is_some_and(|word| FILLERS.contains(word)) { at + 1 } else { at }
}

fn day(word: &str) -> Option<i8> {
    let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
    let suffix = word.get(digits.len()..).unwrap_or_default();
    let ordinal = matches!(suffix, "" | "st" | "nd" | "rd" | "th" | "er" | "º" | "°" | "e" | ":e");
    small(&digits).filter(|_| ordinal)
}

fn month(word: &str) -> Option<i8> {
    let index = MONTHS.iter().position(|names| names.contains(&word))?;
    i8::try_from(index + 1).ok()
}

fn weekday(word: &str) -> Option<Weekday> {
    let index = WEEKDAYS.iter().position(|names| names.contains(&word))?;
    Weekday::from_monday_zero_offset(i8::try_from(index).ok()?).ok()
}

fn is_marked(words: &[&str], at: usize) -> bool {
    let before = words.get(at.saturating_sub(MARKER_REACH)..at).unwrap_or_default();
    let mut after = words.get(at..).unwrap_or_default().iter().take(MARKER_REACH - 2);
    before.iter().any(|word| MARKERS.contains(word)) || after.any(|word| TRAILING.contains(word))
}

/// "22 Dec to 2 Jan": a date right behind another one and a word or dash between them.
fn ends_range(words: &[&str], at: usize, last_end: Option<usize>) -> bool {
    let Some(last_end) = last_end else { return false };
    let between = words.get(last_end..at).unwrap_or_default();
    between.len() <= 3 && between.iter().any(|word| RANGES.contains(word))
}

/// "back on Monday": the next Monday after the note.
fn weekday_alone(words: &[&str], received_on: Date) -> Option<Date> {
    let days = words.iter().enumerate().filter_map(|(at, word)| {
        let day = weekday(word)?;
        let reach = words.get(at.saturating_sub(3)..at).unwrap_or_default();
        let dated =
            date_at(words, at).is_some() || (1..=2).any(|next| date_at(words, at + next).is_some());
        let marked = reach.iter().any(|word| MARKERS.contains(word));
        (marked && !dated).then_some(day)
    });
    let dates = days.filter_map(|day| received_on.nth_weekday(1, day).ok());
    dates.max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::mime::words::fold;
    use jiff::civil::date;

    #[test]
    fn return_dates_are_read_in_many_languages() {
        // A Thursday.
        let on = date(2026, 1, 1);
        for (note, expected) in [
            ("I am out of the office until 5 January 2026.", Some(date(2026, 1, 5))),
            ("I will be back on January 12th.", Some(date(2026, 1, 12))),
            ("Returning Monday, Jan. 5, 2026", Some(date(2026, 1, 5))),
            ("returning 05/02/2026", Some(date(2026, 2, 5))),
            ("returning 03/02/2026", Some(date(2026, 3, 2))),
            ("returning 01/13/2026", Some(date(2026, 1, 13))),
            ("I am away from 22 Dec to 9 Jan.", Some(date(2026, 1, 9))),
            ("Out 22/12/2025 - 02/01/2026", Some(date(2026, 1, 2))),
            ("Out 12/22/2025 - 02/01/2026", Some(date(2026, 2, 1))),
            ("until 2026-01-20", Some(date(2026, 1, 20))),
            ("I'm back on Monday.", Some(date(2026, 1, 5))),
            ("Ich bin ab dem 12. Januar wieder erreichbar", Some(date(2026, 1, 12))),
            ("Ich bin bis einschließlich 9.1.2026 im Urlaub", Some(date(2026, 1, 9))),
            ("vom 22.12.-09.01. nicht im Büro", Some(date(2026, 1, 9))),
            ("Je serai de retour le lundi 12 janvier 2026", Some(date(2026, 1, 12))),
            ("absent jusqu'au 9 janvier inclus", Some(date(2026, 1, 9))),
            ("Estaré fuera hasta el 9 de enero de 2026", Some(date(2026, 1, 9))),
            ("regreso el lunes 5", Some(date(2026, 1, 5))),
            ("Sarò in ferie fino al 9 gennaio", Some(date(2026, 1, 9))),
            ("Estarei ausente até 9 de janeiro", Some(date(2026, 1, 9))),
            ("Ik ben terug op 12 januari", Some(date(2026, 1, 12))),
            ("Jag är tillbaka den 12 januari", Some(date(2026, 1, 12))),
            ("Wracam 12 stycznia", Some(date(2026, 1, 12))),
            ("Вернусь 12 января", Some(date(2026, 1, 12))),
            ("1月9日まで休暇をいただいております", Some(date(2026, 1, 9))),
            ("Bis 5. Januar abwesend / away until 6 January", Some(date(2026, 1, 6))),
            ("until 5 January 2025", None),
            ("until 5 December 2026", None),
            ("Call +49 30 123 until 17.30 o'clock", None),
            ("I am away.", None),
            ("Our fair is on 12 January.", None),
            ("until 31 February", None),
            ("until 99/99/9999", None),
        ] {
            assert_eq!(until(note, on), expected, "{note}");
        }
    }

    #[test]
    fn the_calendar_words_are_written_folded() {
        let lists = MONTHS.iter().chain(WEEKDAYS).chain([&MARKERS, &RANGES, &FILLERS, &TRAILING]);
        lists.flat_map(|list| list.iter()).for_each(|word| assert_eq!(fold(word), *word));
    }
}
