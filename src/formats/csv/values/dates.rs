//! Dates in columns of any name: which part is the day is decided for a whole column.

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
}
