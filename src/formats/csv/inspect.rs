//! The values below a header, looked at to confirm what the header says.

use super::field::Field;
use super::key::key;
use super::values::phones::Homes;
use super::values::{dates, emails, linkedin, numbers, phones, place, text};
use super::{Column, excerpt};

/// How many examples of a column are kept.
const EXAMPLES: usize = 2;
/// With fewer values than these nothing is concluded from them.
const ENOUGH: usize = 5;

/// Gives a column its examples, and its doubt if most values are not what its field asks for.
pub(super) fn inspect<'a>(
    column: &mut Column,
    cells: impl Iterator<Item = &'a str>,
) -> Option<dates::Form> {
    let cells: Vec<_> =
        cells.map(text::clean_lines).filter(|cell| !text::is_placeholder(cell)).collect();
    let mut examples: Vec<String> = Vec::new();
    for cell in &cells {
        let example = excerpt(cell);
        if examples.len() < EXAMPLES && !examples.contains(&example) {
            examples.push(example);
        }
    }
    column.examples = examples;
    let values: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    column.doubt = match column.field.as_deref() {
        Some(field) if field.starts_with("x.") => dates::doubt(&values),
        Some(field) => Field::named(field).and_then(|field| doubt(field, &values)),
        None => None,
    };
    let extra = column.field.as_deref().is_some_and(|field| field.starts_with("x."));
    extra.then(|| dates::form(&key(&column.header), &values)).flatten()
}

/// "only 3 of 40 values are e-mail addresses" where fewer than six in ten are.
fn doubt(field: Field, values: &[&str]) -> Option<String> {
    let (what, is_one) = expected(field)?;
    let right = values.iter().filter(|value| is_one(value)).count();
    let is_doubtful = values.len() >= ENOUGH && right * 10 < values.len() * 6;
    let count = if right == 0 { "none".to_owned() } else { format!("only {right}") };
    is_doubtful.then(|| format!("{count} of {} values are {what}", values.len()))
}

type IsOne = fn(&str) -> bool;

/// What the values of a field are and how one is known; `None` where anything may stand.
fn expected(field: Field) -> Option<(&'static str, IsOne)> {
    use Field::*;
    match field {
        Email | SecondEmail | PersonalEmail => Some(("e-mail addresses", is_email)),
        PhoneDirect | PhoneMobile | Phone | PhoneOffice | PhoneOther => {
            Some(("phone numbers", is_phone))
        }
        Linkedin => Some(("LinkedIn profiles", |value| linkedin::slug(value).is_ok())),
        Country | CompanyCountry => Some(("countries", |value| place::country(value).is_some())),
        Employees | EmployeesRange => Some(("sizes", |value| numbers::employees(value).is_ok())),
        FirstName | LastName | FullName => Some(("names", is_name)),
        CompanyDomain | CompanyWebsite => Some(("web addresses", |value| value.contains('.'))),
        DoNotCall | EmailOptOut | DoNotContact => Some(("a yes or a no", is_yes_or_no)),
        Salutation | Title | Seniority | Department | Company | CompanyEmailName | Industry
        | Revenue | RevenueRange | City | Region | Location | CompanyCity | Owner | SourceId => {
            None
        }
    }
}

fn is_email(value: &str) -> bool {
    let found = emails::emails(value);
    !found.values.is_empty() || found.mistyped.is_some()
}

/// A number that can be dialled, or one that only lacks its country.
fn is_phone(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    ((6..=20).contains(&digits) && letters <= 4)
        || !phones::phones(value, &Homes::default()).values.is_empty()
}

fn is_name(value: &str) -> bool {
    value.chars().any(char::is_alphabetic) && !value.contains(['@', '/'])
}

fn is_yes_or_no(value: &str) -> bool {
    value.chars().count() <= 14
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspected(field: &str, values: &[&str]) -> Column {
        let mut column = Column {
            header: "Header".into(),
            field: Some(field.into()),
            why: String::new(),
            examples: Vec::new(),
            doubt: None,
        };
        inspect(&mut column, values.iter().copied());
        column
    }

    #[test]
    fn values_that_do_not_fit_their_field_are_doubted() {
        let addresses = ["a@x.test", "b@x.test", "c@x.test", "d@x.test", "e@x.test"];
        let words = ["a@x.test", "yes", "no", "maybe", "later", "n/a"];
        for (field, values, doubt) in [
            ("email", &addresses[..], None),
            ("email", &words, Some("only 1 of 5 values are e-mail addresses")),
            ("email", &words[1..5], None),
            ("phone", &addresses, Some("none of 5 values are phone numbers")),
            ("linkedin_url", &addresses, Some("none of 5 values are LinkedIn profiles")),
            ("title", &addresses, None),
            ("first_name", &addresses, Some("none of 5 values are names")),
        ] {
            assert_eq!(inspected(field, values).doubt.as_deref(), doubt, "{field} {values:?}");
        }
    }

    #[test]
    fn examples_are_the_first_different_values() {
        let column = inspected("title", &["", "n/a", "CEO", "CEO", "CTO", "CFO"]);
        assert_eq!(column.examples, ["CEO", "CTO"]);
    }

    #[test]
    fn dates_that_can_be_read_two_ways_are_doubted() {
        let column = inspected(
            "x.renewal",
            &["03/04/2026", "05/06/2026", "01/02/2026", "1/1/2026", "2/3/2026"],
        );
        assert!(column.doubt.is_some_and(|doubt| doubt.contains("day or the month")));
    }
}
