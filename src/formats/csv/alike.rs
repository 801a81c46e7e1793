//! Headers that are like a known one: `Contact Email`, `Account City`, `Phone 3`.

use super::field::{Field, Target};
use super::synonyms::{Meaning, Rank};

/// Words in front of a header that only say whose it is.
const PERSON: &[&str] =
    &["candidate", "contact", "current", "lead", "main", "people", "person", "primary", "prospect"];

/// Words behind a header that only say whose it is: `Country (Person)`.
const BEHIND: &[&str] = &["current", "person", "prospect"];

/// Words in front of a header that mean the company.
const COMPANY: &[&str] = &["account", "employer", "org", "organisation", "organization"];

/// How many words are taken off at most.
const MAX_STEPS: usize = 4;

/// The meaning of a header that is like one that `known` knows.
pub(super) fn meaning<'a>(
    key: &str,
    known: impl Fn(&str) -> Option<&'a Meaning>,
) -> Option<(Target, Rank)> {
    let mut words: Vec<&str> = key.split(' ').filter(|word| *word != "value").collect();
    let number = number_behind(&mut words);
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    for _ in 0..MAX_STEPS {
        if let Some(meaning) = known(&words.join(" ")) {
            return numbered(&meaning.target, number).map(|target| (target, meaning.rank));
        }
        match words.as_mut_slice() {
            ["company", second] if COMPANY.contains(second) => {
                words.pop();
            }
            [first, _, ..] if COMPANY.contains(first) => *first = "company",
            [first, _, ..] if PERSON.contains(first) => {
                words.remove(0);
            }
            [_, .., last] if BEHIND.contains(last) => {
                words.pop();
            }
            [_, .., last] if *last == "company" => words.rotate_right(1),
            _ => return None,
        }
    }
    None
}

/// Takes off the number in `phone 3`.
fn number_behind(words: &mut Vec<&str>) -> Option<u32> {
    let number = words.last()?.parse().ok()?;
    words.pop();
    Some(number)
}

fn singular(word: &str) -> &str {
    match word {
        "emails" => "email",
        "phones" => "phone",
        "numbers" => "number",
        word => word,
    }
}

/// What the second, third … of a kind is: only of addresses and numbers there are several.
fn numbered(target: &Target, number: Option<u32>) -> Option<Target> {
    let field = match target {
        Target::Field(field) => *field,
        Target::Extra(_) | Target::Ignored => {
            return number.is_none_or(|number| number < 2).then(|| target.clone());
        }
    };
    if number.is_none_or(|number| number < 2) {
        return Some(target.clone());
    }
    let further = match field {
        Field::Email | Field::SecondEmail => Field::SecondEmail,
        Field::Phone | Field::PhoneDirect | Field::PhoneOther => Field::PhoneOther,
        Field::PersonalEmail | Field::PhoneMobile | Field::PhoneOffice => field,
        _ => return None,
    };
    Some(Target::Field(further))
}

#[cfg(test)]
mod tests {
    use super::super::key::key;
    use super::super::synonyms::synonyms;

    #[test]
    fn headers_that_are_like_known_ones_mean_the_same() {
        let synonyms = synonyms(None).expect("our own");
        for (header, field) in [
            ("Contact Email", Some("email")),
            ("Primary Contact Primary Email", Some("email")),
            ("Lead First Name", Some("first_name")),
            ("Prospect LinkedIn URL", Some("linkedin_url")),
            ("Account City", Some("company_city")),
            ("Organization - Website", Some("company_website")),
            ("Emails", Some("email")),
            ("Email 7", Some("email_2")),
            ("E-mail 4 - Value", Some("email_2")),
            ("Contact Phone 3", Some("phone_other")),
            ("Company Phone 9", Some("phone_office")),
            ("Mobile Phone 2", Some("phone_mobile")),
            ("Country (Person)", Some("country")),
            ("Title (Current)", Some("title")),
            ("Industry (Company)", Some("industry")),
            ("Company/Organization", Some("company")),
            ("Lead Company", Some("company")),
            ("EMAILADDRESS", Some("email")),
            ("Company 2", None),
            ("Phone 2 Type", None),
            ("Owner Email", None),
            ("Last Contact", None),
            ("Parent Company", None),
            ("Type (Company)", None),
            ("Account ID", None),
            ("Lead Score", None),
            ("Primary Email Source", None),
        ] {
            let found = synonyms.meaning(&key(header)).and_then(|meaning| meaning.target.name());
            assert_eq!(found.as_deref(), field, "{header}");
        }
    }
}
