//! Hours of a week as people write them.

use jiff::civil::Weekday;

use super::length;
use crate::domain::calendar::weekly;
use crate::domain::time::DaySpan;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// `mon-fri 08:00-17:00`, several parts separated by commas; Monday first.
///
/// # Errors
/// A part that is not like that; the sentence quotes it.
pub fn hours(text: &str) -> Result<[Vec<DaySpan>; 7], String> {
    let mut all: [Vec<DaySpan>; 7] = Default::default();
    for part in text.split(',') {
        let example = || format!("`{part}` is not like `mon-fri 08:00-17:00`");
        let (days, span) = part.trim().split_once(' ').ok_or_else(example)?;
        let day = |name: &str| DAYS.iter().position(|(known, _)| *known == name.trim());
        let (from, to) = days.split_once('-').unwrap_or((days, days));
        let (from, to) = day(from).zip(day(to)).ok_or_else(example)?;
        let span = length::day_span(span.trim()).map_err(|error| error.to_string())?;
        let days: Vec<Weekday> =
            DAYS.iter().take(to + 1).skip(from).map(|(_, weekday)| *weekday).collect();
        if days.is_empty() {
            return Err(example());
        }
        for (day, spans) in all.iter_mut().zip(weekly(&days, &[span])) {
            day.extend(spans);
            day.sort();
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_name_days_and_spans() {
        let all = hours("mon-thu 08:00-12:00, mon-fri 13:00-17:00").unwrap();
        assert_eq!(all.each_ref().map(Vec::len), [2, 2, 2, 2, 1, 0, 0]);
    }
}
