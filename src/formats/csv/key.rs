//! Headers in the form in which they are compared.

use super::values::text;

/// The form in which headers are compared: words of lower-case letters and digits without accents.
///
/// `camelCase` and `letters1` are parted, `#` is "number of", `E-mail` is "email".
pub(super) fn key(header: &str) -> String {
    let words = words(header);
    let mut key = String::with_capacity(header.len());
    let mut rest = words.as_slice();
    while let Some((word, tail)) = rest.split_first() {
        let joined = tail.first().and_then(|next| join(word, next));
        rest = if joined.is_some() { tail.get(1..).unwrap_or_default() } else { tail };
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(joined.unwrap_or(word));
    }
    key
}

/// Names that the parting of words has torn.
fn join(word: &str, next: &str) -> Option<&'static str> {
    match (word, next) {
        ("linked", "in") => Some("linkedin"),
        ("zoom", "info") => Some("zoominfo"),
        ("e", "mail") => Some("email"),
        ("e", "mails") => Some("emails"),
        _ => None,
    }
}

fn words(header: &str) -> Vec<String> {
    let chars: Vec<char> = header.chars().filter(|c| !text::is_invisible(*c)).collect();
    let mut words = vec![String::new()];
    let mut before = ' ';
    for (at, c) in chars.iter().copied().enumerate() {
        let behind = chars.get(at + 1..).unwrap_or_default();
        if starts_a_word(before, c, behind) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            match c {
                '#' => word.push_str("number of"),
                c if c.is_alphanumeric() => text::push_plain(word, c),
                _ => {}
            }
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a word ends between two characters: `aB`, `ABc` before the `B`, `a1`, and at any sign.
fn starts_a_word(before: char, c: char, behind: &[char]) -> bool {
    if is_mark(c) {
        return false;
    }
    !c.is_alphanumeric()
        || !(before.is_alphanumeric() || is_mark(before))
        || (before.is_lowercase() && c.is_uppercase())
        || (before.is_uppercase() && c.is_uppercase() && begins_small_letters(behind))
        || (before.is_alphabetic() && c.is_numeric())
}

/// Whether small letters follow; the `s` of "IDs" and "URLs" does not count.
fn begins_small_letters(behind: &[char]) -> bool {
    match behind {
        ['s'] => false,
        ['s', next, ..] => next.is_lowercase(),
        [first, ..] => first.is_lowercase(),
        [] => false,
    }
}

/// Accents that some systems write as characters of their own.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_compared_by_their_words() {
        for (header, expected) in [
            ("First Name", "first name"),
            ("firstName", "first name"),
            ("FIRST_NAME", "first name"),
            ("\u{feff}E-mail 1 - Value", "email 1 value"),
            ("eMail", "email"),
            ("# Employees", "number of employees"),
            ("HasOptedOutOfEmail", "has opted out of email"),
            ("linkedInProfileUrl", "linkedin profile url"),
            ("LinkedIn URL", "linkedin url"),
            ("Contact LI Profile URL", "contact li profile url"),
            ("ZoomInfo Contact ID", "zoominfo contact id"),
            ("phone_number1", "phone number 1"),
            ("Revenue (in 000s USD)", "revenue in 000s usd"),
            ("companyURLPath", "company url path"),
            ("Associated Company IDs", "associated company ids"),
            ("Prénom", "prenom"),
            ("Pre\u{301}nom", "prenom"),
            ("会社", "会社"),
            (" – ", ""),
        ] {
            assert_eq!(key(header), expected, "{header:?}");
        }
    }
}
