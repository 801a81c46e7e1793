//! Sizes and revenues: one number or two, with units, and those that Excel has made dates of.

use super::Fault;
use crate::domain::prospect::Range;

/// How many people work there.
///
/// # Errors
/// Excel has made a date of it, or it is no number.
pub(crate) fn employees(cell: &str) -> Result<Range, Fault> {
    if cell.bytes().all(|byte| byte.is_ascii_digit())
        && let Some(exactly) = number(cell, 1)
    {
        return Ok(Range { low: exactly, high: Some(exactly) });
    }
    if is_excel_date(cell) {
        return Err(Fault::new(
            "Excel has made a date of it",
            "Write the size again, such as 2-10, with the column set to Text.",
        ));
    }
    range(cell, 1)
        .ok_or_else(|| Fault::new("not a number", "Write it like 51-200, or leave the cell empty."))
}

/// Whole US dollars a year; `None` when it is nothing.
pub(crate) fn revenue(cell: &str, unit: u64) -> Result<Option<Range>, Fault> {
    const OTHERS: [&str; 11] =
        ["€", "£", "¥", "₹", "eur", "gbp", "jpy", "inr", "chf", "cad", "aud"];
    if cell.bytes().all(|byte| byte.is_ascii_digit()) {
        let exactly = number(cell, unit).filter(|number| *number > 0);
        return Ok(exactly.map(|exactly| Range { low: exactly, high: Some(exactly) }));
    }
    let lower = cell.to_lowercase();
    if OTHERS.iter().any(|other| lower.contains(other)) {
        return Err(Fault::new("not in US dollars", KEPT));
    }
    let amount = lower.split_once(|c: char| c.is_alphabetic()).map_or(&*lower, |(n, _)| n.trim());
    match range(&lower, unit).or_else(|| range(amount, unit).filter(|r| r.high == Some(0))) {
        Some(range) => Ok((range.high != Some(0)).then_some(range)),
        None => Err(Fault::new("no amount of money", KEPT)),
    }
}

/// What becomes of a revenue that cannot be compared.
const KEPT: &str = "It was kept as x.revenue, for templates; profiles compare US dollars.";

/// `51-200`, `1,001 - 5,000`, `10K+`, `under $5 mil.`; each number counted in `unit` unless it says more.
fn range(text: &str, unit: u64) -> Option<Range> {
    let text = text.to_lowercase().replace("us$", "$").replace("usd", "");
    let text = text.trim();
    let text = ["employees", "employee", "people", "mitarbeiter"]
        .iter()
        .fold(text, |text, word| text.strip_suffix(word).unwrap_or(text).trim());
    if ["self-employed", "self employed", "myself only"].contains(&text) {
        return Some(Range { low: 1, high: Some(1) });
    }
    if let Some(low) =
        after_any(text, &[">", "over ", "more than "]).or_else(|| text.strip_suffix('+'))
    {
        return Some(Range { low: number(low, unit)?, high: None });
    }
    if let Some(high) = after_any(text, &["<", "under ", "less than ", "up to "]) {
        return Some(Range { low: 0, high: Some(number(high, unit)?) });
    }
    let Some((low, high)) = ends(text) else {
        let exactly = number(text, unit)?;
        return Some(Range { low: exactly, high: Some(exactly) });
    };
    let (low, high) = (number(low, unit)?, number(high, unit)?);
    (low <= high).then_some(Range { low, high: Some(high) })
}

fn after_any<'a>(text: &'a str, words: &[&str]) -> Option<&'a str> {
    words.iter().find_map(|word| text.strip_prefix(word))
}

/// Both ends of a range, if it is one.
fn ends(text: &str) -> Option<(&str, &str)> {
    [" to ", " bis ", "–", "—", "-"].iter().find_map(|between| text.split_once(between))
}

/// One number with its unit, such as `$10M`, `1,001`, `2.5 bil.`.
fn number(text: &str, unit: u64) -> Option<u64> {
    let text = text.trim().trim_start_matches('$').trim();
    let digits_end = text.find(|c: char| !(c.is_ascii_digit() || " ,.'’\u{a0}".contains(c)));
    let (digits, word) = text.split_at(digits_end.unwrap_or(text.len()));
    let unit = match word.trim().trim_end_matches('.') {
        "" => unit,
        "k" | "thousand" | "tsd" => 1_000,
        "m" | "mm" | "mil" | "mill" | "mio" | "mn" | "million" => 1_000_000,
        "b" | "bn" | "bil" | "bill" | "billion" | "mrd" => 1_000_000_000,
        _ => return None,
    };
    scaled(&plain(digits.trim())?, unit)
}

/// The number with a point only before its decimals: a sign before three digits parts thousands.
fn plain(digits: &str) -> Option<String> {
    let digits: String =
        digits.chars().filter(|c| !matches!(c, ' ' | '\'' | '’' | '\u{a0}')).collect();
    let parts: Vec<&str> = digits.split([',', '.']).collect();
    let is_number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    if digits.is_empty() || digits.len() > 24 || !parts.iter().all(is_number) {
        return None;
    }
    let (last, head) = parts.split_last()?;
    let Some((whole, middle)) = head.split_first() else { return Some(digits) };
    if !middle.iter().all(|part| part.len() == 3) {
        return None;
    }
    let parts_thousands = last.len() == 3 && whole.len() <= 3 && *whole != "0";
    let point = if parts_thousands { "" } else { "." };
    Some(format!("{}{point}{last}", head.concat()))
}

/// A decimal number times a unit, rounded down.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut rest = 0_u64;
    let mut place = unit;
    for digit in decimals.chars().take(9).filter_map(|c| c.to_digit(10)) {
        place /= 10;
        rest += u64::from(digit) * place;
    }
    // Databases keep signed numbers.
    whole.checked_add(rest).filter(|number| i64::try_from(*number).is_ok())
}

/// `2-Oct` and `Nov-50`: what Excel makes of `2-10` and `11-50`.
fn is_excel_date(text: &str) -> bool {
    const MONTHS: [&str; 18] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mrz",
        "mär", "mai", "okt", "dez", "avr",
    ];
    let is_month = |part: &str| {
        let part = part.trim().trim_end_matches('.').to_lowercase();
        MONTHS.iter().any(|month| part == *month || (part.len() > 4 && part.starts_with(month)))
    };
    let is_day = |part: &str| {
        let part = part.trim().trim_end_matches('.');
        !part.is_empty() && part.len() <= 4 && part.chars().all(|c| c.is_ascii_digit())
    };
    let parts: Vec<&str> = text.split(['-', ' ', '/']).filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [a, b] => (is_month(a) && is_day(b)) || (is_day(a) && is_month(b)),
        // A whole date, such as 2026-02-10 or 10/02/2026.
        [a, b, c] => [a, b, c].iter().all(|part| is_day(part)) && (a.len() == 4 || c.len() == 4),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exactly(number: u64) -> Option<Range> {
        Some(Range { low: number, high: Some(number) })
    }

    fn from_to(low: u64, high: u64) -> Option<Range> {
        Some(Range { low, high: Some(high) })
    }

    #[test]
    fn sizes_are_read_in_every_spelling() {
        for (cell, range) in [
            ("51-200", from_to(51, 200)),
            ("1,001 - 5,000 employees", from_to(1001, 5000)),
            ("1.001–5.000", from_to(1001, 5000)),
            ("10K+", Some(Range { low: 10_000, high: None })),
            ("10001+ employees", Some(Range { low: 10_001, high: None })),
            ("1001", exactly(1001)),
            ("1234.0", exactly(1234)),
            ("1,234,567.8", exactly(1_234_567)),
            ("2 to 10", from_to(2, 10)),
            ("<10", from_to(0, 10)),
            ("Self-employed", exactly(1)),
            ("> 500", Some(Range { low: 500, high: None })),
        ] {
            assert_eq!(employees(cell).ok(), range, "{cell:?}");
        }
    }

    #[test]
    fn sizes_that_excel_has_made_dates_of_are_faults() {
        for cell in ["2-Oct", "Nov-50", "10-Feb", "Oct-2", "11. Nov", "2026-10-02", "10/02/2026"] {
            let problem = employees(cell).err().map(|fault| fault.problem);
            assert_eq!(problem.as_deref(), Some("Excel has made a date of it"), "{cell:?}");
        }
        for cell in ["many", "10-2", "1,2,3", "99999999999999999999", "-"] {
            assert!(employees(cell).is_err(), "{cell:?}");
        }
    }

    #[test]
    fn revenue_counts_in_the_unit_of_its_header_or_its_own() {
        for (cell, unit, range) in [
            ("$10M", 1, exactly(10_000_000)),
            ("10,000", 1_000, exactly(10_000_000)),
            ("$1.5 bil.", 1, exactly(1_500_000_000)),
            ("$10 mil. - $25 mil.", 1, from_to(10_000_000, 25_000_000)),
            ("Under $500,000", 1, from_to(0, 500_000)),
            ("$1B+", 1, Some(Range { low: 1_000_000_000, high: None })),
            ("12500000.0", 1, exactly(12_500_000)),
            ("0", 1, None),
            ("0.0 ONE", 1, None),
        ] {
            assert_eq!(revenue(cell, unit).ok(), Some(range), "{cell:?}");
        }
        for cell in ["€10M", "10M EUR", "lots"] {
            assert!(revenue(cell, 1).is_err(), "{cell:?}");
        }
    }
}
