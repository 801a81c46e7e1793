//! Ranges as profiles write them: `51-1000`, `1001+`, `<= 50`, `5M-200M USD`.

use crate::domain::prospect::Range;

/// Whether a range counts money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Money {
    No,
    /// Whole US dollars; the range may end in `USD`.
    Usd,
}

/// Why a text is no range; says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotARange {
    #[error("`{text}` is not a range; write one like {like}")]
    Unreadable { text: String, like: &'static str },
    #[error("`{0}` runs backwards")]
    Backwards(String),
    #[error("`{0}` has a unit on one side only; write it on both, like 5M-200M")]
    OneUnit(String),
    #[error("`{0}` leaves out every number")]
    Empty(String),
}

/// Reads a range of whole numbers; K, M and B stand for thousands, millions and billions.
///
/// # Errors
/// When it is no range, runs backwards, or says `5-200M`, which could mean two things.
pub fn parse(text: &str, money: Money) -> Result<Range, NotARange> {
    let unreadable = || {
        let like = match money {
            Money::No => "51-1000 or 1001+",
            Money::Usd => "5M-200M USD or 200M+ USD",
        };
        NotARange::Unreadable { text: text.to_owned(), like }
    };
    let bare = match money {
        Money::No => text.trim(),
        Money::Usd => text.trim().trim_end_matches("USD").trim_end(),
    };
    if bare.starts_with(['<', '>']) {
        let range = bound(bare).ok_or_else(unreadable)?;
        return range.ok_or_else(|| NotARange::Empty(text.to_owned()));
    }
    if let Some(low) = bare.strip_suffix('+') {
        let low = Amount::parse(low).ok_or_else(unreadable)?;
        return Ok(Range { low: low.value, high: None });
    }
    let (low, high) = bare.split_once(['-', '–']).ok_or_else(unreadable)?;
    let low = Amount::parse(low).ok_or_else(unreadable)?;
    let high = Amount::parse(high).ok_or_else(unreadable)?;
    if high.has_unit && !low.has_unit && low.value > 0 {
        return Err(NotARange::OneUnit(text.to_owned()));
    }
    if low.value > high.value {
        return Err(NotARange::Backwards(text.to_owned()));
    }
    Ok(Range { low: low.value, high: Some(high.value) })
}

/// `>= 200`, `<= 50`, `> 1000`, `< 10K`; `Some(None)` when no number is left.
fn bound(text: &str) -> Option<Option<Range>> {
    let behind = |sign: &str| text.strip_prefix(sign).map(Amount::parse);
    let at_most = |high: u64| Range { low: 0, high: Some(high) };
    let at_least = |low: u64| Range { low, high: None };
    if let Some(amount) = behind(">=") {
        return Some(Some(at_least(amount?.value)));
    }
    if let Some(amount) = behind("<=") {
        return Some(Some(at_most(amount?.value)));
    }
    if let Some(amount) = behind(">") {
        return Some(amount?.value.checked_add(1).map(at_least));
    }
    Some(behind("<")??.value.checked_sub(1).map(at_most))
}

struct Amount {
    value: u64,
    has_unit: bool,
}

impl Amount {
    /// `51`, `1,000`, `5M`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let unit = match text.chars().last()?.to_ascii_uppercase() {
            'K' => 1_000,
            'M' => 1_000_000,
            'B' => 1_000_000_000,
            _ => 1,
        };
        let digits = if unit == 1 { text } else { text.get(..text.len() - 1)? };
        let digits = without_commas(digits.trim_end())?;
        let value = digits.parse::<u64>().ok()?.checked_mul(unit)?;
        Some(Self { value, has_unit: unit != 1 })
    }
}

/// `1,000` is `1000`; a comma anywhere else could be a decimal one.
fn without_commas(text: &str) -> Option<String> {
    let mut groups = text.split(',');
    let first = groups.next()?;
    let even = first.len() <= 3 && groups.all(|group| group.len() == 3);
    let all_digits = text.bytes().all(|b| b.is_ascii_digit() || b == b',');
    let fits = !first.is_empty() && all_digits && (even || !text.contains(','));
    fits.then(|| text.replace(',', ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_range_has_two_ends_or_a_plus() {
        let cases = [
            ("51-1000", Money::No, 51, Some(1000)),
            ("51 - 1,000", Money::No, 51, Some(1000)),
            ("51–1000", Money::No, 51, Some(1000)),
            ("1-1", Money::No, 1, Some(1)),
            ("1001+", Money::No, 1001, None),
            ("10K+", Money::No, 10_000, None),
            ("5M-200M USD", Money::Usd, 5_000_000, Some(200_000_000)),
            ("0-200M", Money::Usd, 0, Some(200_000_000)),
            ("500k-1b", Money::Usd, 500_000, Some(1_000_000_000)),
            ("200M+ USD", Money::Usd, 200_000_000, None),
            ("<= 50", Money::No, 0, Some(50)),
            ("<50", Money::No, 0, Some(49)),
            (">= 1,001", Money::No, 1001, None),
            ("> 10K", Money::No, 10_001, None),
            ("<= 5M USD", Money::Usd, 0, Some(5_000_000)),
        ];
        for (text, money, low, high) in cases {
            assert_eq!(parse(text, money), Ok(Range { low, high }), "{text}");
        }
    }

    #[test]
    fn what_is_no_range_says_what_to_write() {
        let cases = [
            ("50", Money::No, "`50` is not a range; write one like 51-1000 or 1001+"),
            ("1001", Money::Usd, "`1001` is not a range; write one like 5M-200M USD or 200M+ USD"),
            ("", Money::No, "is not a range"),
            ("<= ", Money::No, "is not a range"),
            (">", Money::No, "is not a range"),
            ("=> 50", Money::No, "is not a range"),
            ("< 0", Money::No, "`< 0` leaves out every number"),
            ("-", Money::No, "is not a range"),
            ("+", Money::No, "is not a range"),
            ("1-2-3", Money::No, "is not a range"),
            ("1,00-200", Money::No, "is not a range"),
            ("1.5M-2M", Money::Usd, "is not a range"),
            ("5M-200M EUR", Money::Usd, "is not a range"),
            ("51-1000 USD", Money::No, "is not a range"),
            ("99999999999999999999+", Money::No, "is not a range"),
            ("99999999999999B+", Money::No, "is not a range"),
            ("1000-51", Money::No, "`1000-51` runs backwards"),
            ("5-200M", Money::Usd, "`5-200M` has a unit on one side only"),
        ];
        for (text, money, wanted) in cases {
            let said = parse(text, money).unwrap_err().to_string();
            assert!(said.contains(wanted), "{text}: {said}");
        }
    }

    proptest! {
        #[test]
        fn a_written_range_reads_back(low in 0_u64..1_000_000, more in proptest::option::of(0_u64..1_000_000)) {
            let high = more.map(|more| low + more);
            let text = high.map_or(format!("{low}+"), |high| format!("{low}-{high}"));
            prop_assert_eq!(parse(&text, Money::No), Ok(Range { low, high }));
        }

        #[test]
        fn no_text_makes_the_reader_of_ranges_panic(text in "[0-9KMBé+,USD –-]{0,12}|\\PC{0,12}") {
            let _ = (parse(&text, Money::No), parse(&text, Money::Usd));
        }
    }
}
