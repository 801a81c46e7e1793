//! Dates in columns of any name: which part is the day is decided for a whole column.

use jiff::civil::Date;

/// Which part of dates such as 03/04/2026 is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    DayFirst,
    MonthFirst,
    /// No part is above 12.
    Unclear,
    /// Some can only be the one, some only the other.
    Contradictory,
}

/// The order of the dates among the values; `None` when there are none with slashes, dots or dashes.
pub(crate) fn order(values: &[&str]) -> Option<Order> {
    let parts: Vec<(u32, u32)> = values.iter().filter_map(|value| first_two(value)).collect();
    if parts.is_empty() || parts.len() * 10 < values.len() * 6 {
        return None;
    }
    let day_first = parts.iter().any(|(first, _)| *first > 12);
    let month_first = parts.iter().any(|(_, second)| *second > 12);
    Some(match (day_first, month_first) {
        (true, false) => Order::DayFirst,
        (false, true) => Order::MonthFirst,
        (false, false) => Order::Unclear,
        (true, true) => Order::Contradictory,
    })
}

/// How the dates of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// Absent while nobody knows which part is the day.
    day_first: Option<bool>,
    /// The header speaks of dates: a number there is Excel's count of days.
    serials: bool,
}

/// Words of headers, in key form, below which dates stand.
const DATE_WORDS: [&str; 16] = [
    "date",
    "dates",
    "datum",
    "fecha",
    "dato",
    "since",
    "until",
    "renewal",
    "renews",
    "expires",
    "expiry",
    "birthday",
    "anniversary",
    "created",
    "updated",
    "deadline",
];

/// How dates are written in a column with that header, in key form; `None` when it has none.
pub(crate) fn form(header: &str, values: &[&str]) -> Option<Form> {
    let day_first = match order(values) {
        Some(Order::DayFirst) => Some(true),
        Some(Order::MonthFirst) => Some(false),
        Some(Order::Unclear | Order::Contradictory) | None => None,
    };
    let serials = header.split(' ').any(|word| DATE_WORDS.contains(&word));
    let form = Form { day_first, serials };
    let dates = values.iter().filter(|value| form.iso(value).is_some()).count();
    (dates > 0 && dates * 10 >= values.len() * 6).then_some(form)
}

impl Form {
    /// A date as ISO 8601 writes it, with whatever stands behind it; `None` when it is clear already
    /// or cannot be told.
    pub(crate) fn iso(self, value: &str) -> Option<String> {
        let value = value.trim();
        if self.serials && value.len() == 5 && value.bytes().all(|byte| byte.is_ascii_digit()) {
            return serial(value.parse().ok()?);
        }
        let end = value.find([' ', 'T', ',']).unwrap_or(value.len());
        let (date, rest) = value.split_at_checked(end)?;
        let separator = ['.', '/', '-'].into_iter().find(|separator| date.contains(*separator))?;
        let mut parts = date.split(separator).map(|part| part.parse::<i16>().ok());
        let (first, second, year) = (parts.next()??, parts.next()??, parts.next()??);
        if parts.next().is_some() || date.starts_with(separator) {
            return None;
        }
        let year = if year < 100 { 2000 + year } else { year };
        // With dots the day is always first.
        let day_first = separator == '.' || self.day_first?;
        let (day, month) = if day_first { (first, second) } else { (second, first) };
        let (day, month) = (i8::try_from(day).ok()?, i8::try_from(month).ok()?);
        let date = Date::new(year, month, day).ok()?;
        (1900..=2100).contains(&date.year()).then(|| format!("{date}{rest}"))
    }
}

/// Excel counts days from 30 December 1899 on; outside of 1954 to 2064 it is some other number.
fn serial(days: i32) -> Option<String> {
    if !(20_000..=60_000).contains(&days) {
        return None;
    }
    let date = Date::new(1899, 12, 30).ok()?.checked_add(jiff::Span::new().days(days)).ok()?;
    Some(date.to_string())
}

/// What is to be asked about the dates of a column.
pub(crate) fn doubt(values: &[&str]) -> Option<String> {
    let example = values.iter().find(|value| first_two(value).is_some())?;
    match order(values)? {
        Order::DayFirst | Order::MonthFirst => None,
        Order::Unclear => {
            Some(format!("the first part of \"{example}\" may be the day or the month"))
        }
        Order::Contradictory => Some("some dates have the day first and some the month".to_owned()),
    }
}

/// Both parts before the year of `03/04/2026`; dates that begin with their year are clear.
fn first_two(value: &str) -> Option<(u32, u32)> {
    // A time of day may stand behind the date.
    let date = value.split([' ', 'T', ',']).next()?;
    // With dots the day is always first.
    let separator = ['/', '-'].into_iter().find(|separator| date.contains(*separator))?;
    let mut parts = date.split(separator);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_date = parts.next().is_none()
        && [first, second].iter().all(|part| (1..=2).contains(&part.len()) && is_number(part))
        && [2, 4].contains(&year.len())
        && is_number(year);
    let pair = is_date.then(|| Some((first.parse().ok()?, second.parse().ok()?))).flatten();
    pair.filter(|(first, second)| (1..=31).contains(first) && (1..=31).contains(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_above_twelve_decides_for_the_whole_column() {
        for (values, expected) in [
            (&["03/04/2026", "25/04/2026"][..], Some(Order::DayFirst)),
            (&["03/04/2026", "04/25/2026 10:00"], Some(Order::MonthFirst)),
            (&["3-4-26", "05-06-26"], Some(Order::Unclear)),
            (&["25/04/2026", "04/25/2026"], Some(Order::Contradictory)),
            (&["2026-03-04", "2026-04-25"], None),
            (&["03.04.2026"], None),
            (&["1/2", "a/b/c", "1/2/3"], None),
            (&["03/04/2026", "soon", "later", "never"], None),
            (&[], None),
        ] {
            assert_eq!(order(values), expected, "{values:?}");
        }
    }

    #[test]
    fn dates_become_iso_dates_where_their_order_is_clear() {
        let cases: [(&str, &[&str], &str, Option<&str>); 11] = [
            ("renewal", &["25/04/2026", "03/04/2026"], "03/04/2026", Some("2026-04-03")),
            ("renewal", &["04/25/2026", "03/04/2026"], "03/04/2026", Some("2026-03-04")),
            ("renewal", &["04/25/26 10:30"], "04/25/26 10:30", Some("2026-04-25 10:30")),
            ("kickoff", &["3.4.2026"], "3.4.2026", Some("2026-04-03")),
            ("renewal date", &["46115"], "46115", Some("2026-04-03")),
            ("headcount", &["46115"], "46115", None),
            ("renewal", &["03/04/2026", "05/06/2026"], "03/04/2026", None),
            ("renewal", &["25/04/2026", "04/25/2026"], "25/04/2026", None),
            ("renewal", &["2026-04-03"], "2026-04-03", None),
            ("renewal", &["25/04/2026", "31/02/2026"], "31/02/2026", None),
            ("version", &["1.2.3", "soon", "later"], "1.2.3", None),
        ];
        for (header, values, value, expected) in cases {
            let iso = form(header, values).and_then(|form| form.iso(value));
            assert_eq!(iso.as_deref(), expected, "{header} {values:?}");
        }
    }
}
