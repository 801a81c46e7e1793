//! Phone numbers: several in a cell, national or international, and those that Excel has cut.

use rlibphonenumber::{PhoneNumber, PhoneNumberFormat, Region};

use super::{Fault, Found};
use crate::domain::prospect::Phone;

/// How many numbers of one cell are looked at.
const MAX_NUMBERS: usize = 10;

/// Where a number without a country code may be from, best guess first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Homes(Vec<Region>);

/// The countries of a row, each ISO 3166-1 alpha-2.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Countries<'a> {
    pub person: Option<&'a str>,
    pub company: Option<&'a str>,
    /// Only asked when the row says nothing: a number that does not fit its row is not guessed at.
    pub default: Option<&'a str>,
}

impl From<Countries<'_>> for Homes {
    fn from(countries: Countries) -> Self {
        let person = region(countries.person);
        let company = region(countries.company).filter(|company| Some(*company) != person);
        let of_row: Vec<Region> = person.into_iter().chain(company).collect();
        let of_default = || region(countries.default).into_iter().collect();
        Homes(if of_row.is_empty() { of_default() } else { of_row })
    }
}

fn region(country: Option<&str>) -> Option<Region> {
    country?.parse().ok()
}

/// The numbers in a cell, in their order.
pub(crate) fn phones(cell: &str, homes: &Homes) -> Found<Phone> {
    let Homes(regions) = homes;
    let mut found = Found { values: Vec::new(), fault: None };
    if is_single(cell) {
        match phone(cell, regions) {
            Ok(phone) => found.values.push(phone),
            Err(fault) => found.fault = Some(fault),
        }
        return found;
    }
    let parts = split(cell).flat_map(split_at_comma);
    for part in parts.filter(|part| !part.is_empty()).take(MAX_NUMBERS) {
        // A slash may stand inside a number or between two: the whole is tried first.
        match phone(part, regions) {
            Ok(phone) => push(&mut found.values, phone),
            Err(fault) if part.contains('/') => {
                let halves = part.split('/').take(MAX_NUMBERS);
                let phones: Vec<Phone> =
                    halves.filter_map(|half| phone(half, regions).ok()).collect();
                if phones.is_empty() {
                    found.fault.get_or_insert(fault);
                }
                phones.into_iter().for_each(|phone| push(&mut found.values, phone));
            }
            Err(fault) => {
                found.fault.get_or_insert(fault);
            }
        }
    }
    found
}

/// Whether nothing in a cell can part two numbers, which is most of them.
fn is_single(cell: &str) -> bool {
    cell.bytes().all(|byte| byte.is_ascii_digit() || b"+-(). '".contains(&byte))
}

fn push(phones: &mut Vec<Phone>, phone: Phone) {
    if !phones.iter().any(|known| known.e164 == phone.e164) {
        phones.push(phone);
    }
}

/// The parts of a cell that may each be a number.
fn split(cell: &str) -> impl Iterator<Item = &str> {
    let parts = cell.split([';', '|', '\n', '\r']).flat_map(|part| part.split(":::"));
    parts.flat_map(|part| part.split(" or ")).flat_map(|part| part.split(" and ")).map(str::trim)
}

/// The two sides of a comma where each has digits enough for a number: "…, ext. 204" stays whole.
fn split_at_comma(part: &str) -> impl Iterator<Item = &str> {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let is_list = part.contains(',') && part.split(',').all(|half| digits(half) >= 7);
    let (whole, halves) = if is_list { (None, Some(part)) } else { (Some(part), None) };
    let halves = halves.into_iter().flat_map(|part| part.split(',')).map(str::trim);
    whole.into_iter().chain(halves)
}

/// Parses one number.
fn phone(part: &str, regions: &[Region]) -> Result<Phone, Fault> {
    let part = without_label(part.trim().trim_start_matches('\'').trim_start());
    if is_cut_by_excel(part) {
        return Err(Fault::new(
            "cut off by Excel",
            "Set the column to Text in Excel, export again, or leave the cell empty.",
        ));
    }
    let dialled = part.strip_prefix("00").map(|rest| format!("+{rest}"));
    let found = regions.iter().find_map(|region| valid(part, Some(*region)));
    let found = found.or_else(|| valid(dialled.as_deref().unwrap_or(part), None));
    found.ok_or_else(|| fault(part, regions))
}

/// The number in `Mobile: +1 415 555 2671 (work)`: what it is called is not dialled.
fn without_label(part: &str) -> &str {
    let label =
        part.split_once(':').filter(|(label, _)| !label.contains(|c: char| c.is_ascii_digit()));
    let part = label.map_or(part, |(_, number)| number.trim_start());
    let behind = part.strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    let behind = behind.filter(|(_, label)| label.chars().all(|c| c.is_alphabetic() || c == ' '));
    behind.map_or(part, |(number, _)| number.trim_end())
}

fn fault(part: &str, regions: &[Region]) -> Fault {
    let digits = part.chars().filter(char::is_ascii_digit).count();
    if regions.is_empty() && !part.starts_with('+') && (6..=15).contains(&digits) {
        return Fault::new(
            "has no country code, and the row has no country",
            "Write the number with + and its country code, fill the country, or give --default-country.",
        );
    }
    Fault::new("not a phone number", "Correct the number or leave the cell empty.")
}

fn valid(part: &str, region: Option<Region>) -> Option<Phone> {
    match north_american(part) {
        Some(number) => number
            .is_valid()
            .then(|| Phone { e164: format!("+1{}", number.national_number), extension: None }),
        None => parsed(part, region),
    }
}

/// A number written with +1 and ten digits, which need no more parsing: half of most lists.
fn north_american(part: &str) -> Option<PhoneNumber> {
    let rest = part.strip_prefix("+1")?;
    let mut national_number = 0;
    let mut digits = 0;
    for byte in rest.bytes() {
        match byte {
            b'0'..=b'9' => {
                national_number = national_number * 10 + u64::from(byte - b'0');
                digits += 1;
            }
            b' ' | b'-' | b'.' | b'(' | b')' => {}
            _ => return None,
        }
        if digits > 10 {
            return None;
        }
    }
    let is_whole = digits == 10 && national_number >= 2_000_000_000;
    is_whole.then(|| PhoneNumber { country_code: 1, national_number, ..PhoneNumber::default() })
}

fn parsed(part: &str, region: Option<Region>) -> Option<Phone> {
    let number = PhoneNumber::parse(part, region).ok()?;
    number.is_valid().then(|| Phone {
        e164: number.format_as(PhoneNumberFormat::E164).into_owned(),
        extension: number.extension.clone().filter(|extension| !extension.is_empty()),
    })
}

/// `4.47912E+11`: Excel shows and writes long numbers so, and the last digits are gone.
fn is_cut_by_excel(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let is_number = |text: &str, signs: &str| {
        text.contains(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_digit() || signs.contains(c))
    };
    is_number(mantissa, "+.,") && is_number(exponent, "+") && exponent.len() <= 3
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const US: Countries = Countries { person: Some("US"), company: None, default: None };
    const GB: Countries = Countries { person: Some("GB"), company: None, default: None };
    const DE: Countries = Countries { person: Some("DE"), company: None, default: None };
    const NOWHERE: Countries = Countries { person: None, company: None, default: None };

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let cases: &[(&str, Countries, &[&str])] = &[
            ("(415) 555-2671 ext. 204", US, &["+14155552671 ext. 204"]),
            ("415.555.2671 x204", US, &["+14155552671 ext. 204"]),
            ("415 555 2671 #204", US, &["+14155552671 ext. 204"]),
            ("14155552671", US, &["+14155552671"]),
            ("'+14155552671", NOWHERE, &["+14155552671"]),
            ("+44 (0)20 7946 0958", NOWHERE, &["+442079460958"]),
            ("020 7946 0958", GB, &["+442079460958"]),
            ("0049 89 636 48018", US, &["+498963648018"]),
            ("0049 89 636 48018", NOWHERE, &["+498963648018"]),
            ("+1 415 555 2671, +1 415 555 2672", NOWHERE, &["+14155552671", "+14155552672"]),
            ("415-555-2671, ext. 204", US, &["+14155552671 ext. 204"]),
            ("+1 415 555 2671 and +1 415 555 2672", NOWHERE, &["+14155552671", "+14155552672"]),
            ("Mobile: +1 415 555 2671 (work)", NOWHERE, &["+14155552671"]),
            ("' +1 415 555 2671", NOWHERE, &["+14155552671"]),
            ("089/63648018", DE, &["+498963648018"]),
            ("415-555-2671 / 415-555-2672", US, &["+14155552671", "+14155552672"]),
            ("415-555-2671; 415-555-2671", US, &["+14155552671"]),
            ("+1 415 555 2671 or +1 415 555 2672", US, &["+14155552671", "+14155552672"]),
            ("+1 415 555 2671 ::: +44 20 7946 0958", US, &["+14155552671", "+442079460958"]),
        ];
        for (cell, homes, expected) in cases {
            let found = phones(cell, &Homes::from(*homes));
            let numbers: Vec<String> = found.values.iter().map(ToString::to_string).collect();
            assert_eq!(
                (numbers.as_slice(), found.fault),
                (owned(expected).as_slice(), None),
                "{cell:?}"
            );
        }
    }

    fn owned(numbers: &[&str]) -> Vec<String> {
        numbers.iter().map(|number| (*number).to_owned()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_short_way_for_north_america_comes_to_what_the_library_says(
            // Real area codes, so that many are valid, and any.
            area in prop_oneof!["[2-9][0-9]{2}", Just("415".to_owned()), Just("800".to_owned())],
            digits in "[0-9]{7}",
            signs in proptest::collection::vec("[ .()-]{0,2}", 11),
            region in proptest::sample::select(vec![None, Some("US"), Some("CA"), Some("GB")]),
        ) {
            let mut number = "+1".to_owned();
            for (digit, sign) in area.chars().chain(digits.chars()).zip(&signs) {
                number.push_str(sign);
                number.push(digit);
            }
            number.push_str(&signs[10]);
            prop_assert!(north_american(&number).is_some());
            let region = super::region(region);
            prop_assert_eq!(valid(&number, region), parsed(&number, region), "{}", number);
        }
    }

    #[test]
    fn a_number_is_from_the_rows_country_then_the_companys_and_only_then_the_default() {
        let homes = |person, company, default| Homes::from(Countries { person, company, default });
        let first = |homes: &Homes| phones("(415) 555-2671", homes).values.pop().map(|p| p.e164);
        let number = Some("+14155552671".to_owned());
        assert_eq!(first(&homes(Some("GB"), Some("US"), None)), number);
        assert_eq!(first(&homes(None, None, Some("US"))), number);
        assert_eq!(first(&homes(Some("FR"), None, Some("US"))), None);
    }

    #[test]
    fn what_cannot_be_dialled_says_why() {
        for (cell, homes, problem) in [
            ("4.47912E+11", US, "cut off by Excel"),
            ("4,47912E+11", GB, "cut off by Excel"),
            ("415-555-2671", NOWHERE, "has no country code, and the row has no country"),
            ("12", US, "not a phone number"),
            ("call me", US, "not a phone number"),
            ("4155552671E10", US, "cut off by Excel"),
            ("+999 12345678", US, "not a phone number"),
        ] {
            let found = phones(cell, &Homes::from(homes));
            assert_eq!(found.values, [], "{cell:?}");
            assert_eq!(
                found.fault.map(|fault| fault.problem).as_deref(),
                Some(problem),
                "{cell:?}"
            );
        }
    }
}
