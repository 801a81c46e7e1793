//! Headers to fields: which column is what, and why.

use std::collections::{HashMap, HashSet};

use super::field::{FIELDS, Field, Target};
use super::synonyms::{Barred, Product, synonyms};
use super::values::text;
use super::{Column, Options, ReadError};
use crate::formats::diagnostic::did_you_mean;

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

/// What the columns of a file are.
#[derive(Debug)]
pub(super) struct Header {
    pub columns: Vec<Column>,
    /// The product that wrote the file.
    pub source: Option<String>,
    pub plan: Plan,
}

/// Which cells feed which field.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Columns by [`Field`], best first.
    fields: Vec<Vec<usize>>,
    /// Columns by slug, best first.
    pub extras: Vec<(String, Vec<usize>)>,
    /// What a number in that column is counted in: 1,000 for `(in 000s USD)`.
    pub units: Vec<u64>,
}

impl Plan {
    /// The columns that feed a field, best first.
    pub fn columns(&self, field: Field) -> &[usize] {
        self.fields.get(field as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// The columns of a target; a new extra is made where needed.
    fn columns_mut(&mut self, target: &Target) -> Option<&mut Vec<usize>> {
        match target {
            Target::Field(field) => self.fields.get_mut(*field as usize),
            Target::Ignored => None,
            Target::Extra(slug) => {
                let known = self.extras.iter().position(|(known, _)| known == slug);
                let at = known.unwrap_or_else(|| {
                    self.extras.push((slug.clone(), Vec::new()));
                    self.extras.len() - 1
                });
                self.extras.get_mut(at).map(|(_, columns)| columns)
            }
        }
    }
}

/// One column on its way to a field.
struct Choice {
    target: Target,
    rank: usize,
    why: String,
}

/// Reads a header.
///
/// # Errors
/// `--map` names a field or column that is not there, or no column leads to a person.
pub(super) fn read(headers: &[String], options: &Options) -> Result<Header, ReadError> {
    let keys: Vec<String> = headers.iter().map(|header| key(header)).collect();
    let wanted = wanted(headers, &keys, options)?;
    let product = synonyms().products.iter().find(|product| product.wrote(&keys));
    let mut choices = Vec::with_capacity(headers.len());
    for (at, (header, key)) in headers.iter().zip(&keys).enumerate() {
        choices.push(match wanted.get(&at) {
            Some(target) => {
                Choice { target: target.clone(), rank: 0, why: "given with --map".into() }
            }
            None => choose(header, key, product),
        });
    }
    note_duplicates(&keys, &mut choices);
    let plan = plan(&choices, &keys);
    let columns: Vec<Column> = headers.iter().zip(choices).map(column).collect();
    if !FIELDS.iter().any(|(_, field)| field.is_channel() && !plan.columns(*field).is_empty()) {
        return Err(ReadError::NoChannel { headers: listed(headers) });
    }
    Ok(Header { columns, source: product.map(|product| product.label.clone()), plan })
}

fn column((header, choice): (&String, Choice)) -> Column {
    Column { header: text::clean(header), field: choice.target.name(), why: choice.why }
}

/// The columns that `--map` decides.
fn wanted(
    headers: &[String],
    keys: &[String],
    options: &Options,
) -> Result<HashMap<usize, Target>, ReadError> {
    let mut wanted = HashMap::new();
    for (column, field) in &options.map {
        let target = named(field).ok_or_else(|| unknown_field(field))?;
        let mut found = positions(headers, |header| header.trim() == column.trim());
        if found.is_empty() {
            found = positions(keys, |known| *known == key(column));
        }
        if found.is_empty() {
            return Err(unknown_column(column, headers));
        }
        wanted.extend(found.into_iter().map(|at| (at, target.clone())));
    }
    Ok(wanted)
}

fn positions(list: &[String], is_it: impl Fn(&String) -> bool) -> Vec<usize> {
    list.iter().enumerate().filter(|(_, item)| is_it(item)).map(|(at, _)| at).collect()
}

/// The field as a user may name it: with or without `x.` where the name is one of ours.
fn named(field: &str) -> Option<Target> {
    let field = field.trim();
    Target::named(field).or_else(|| {
        let extra = Target::named(&format!("x.{field}"))?;
        OUR_EXTRAS.contains(&field).then_some(extra)
    })
}

/// Extras that `synonyms.toml` fills under the same name from every product.
const OUR_EXTRAS: &[&str] = &[
    "company_linkedin_url",
    "company_region",
    "email_status",
    "lead_source",
    "lists",
    "middle_name",
    "notes",
    "postal_code",
    "status_in_source",
    "suffix",
    "technologies",
];

fn unknown_field(field: &str) -> ReadError {
    let known = FIELDS.iter().map(|(name, _)| *name).chain(OUR_EXTRAS.iter().copied());
    let meant = did_you_mean(field, known).map(str::to_owned);
    ReadError::UnknownField { field: field.to_owned(), did_you_mean: meant }
}

fn unknown_column(column: &str, headers: &[String]) -> ReadError {
    let meant = did_you_mean(column, headers.iter().map(String::as_str)).map(str::to_owned);
    ReadError::UnknownColumn { column: column.to_owned(), did_you_mean: meant }
}

/// What a column is when nobody has decided.
fn choose(header: &str, key: &str, product: Option<&Product>) -> Choice {
    let choice = |target, rank, why: String| Choice { target, rank, why };
    if key.is_empty() {
        return choice(Target::Ignored, 0, "has no header".into());
    }
    let barred = synonyms().barred(header, key);
    if barred == Some(Barred::Ignored) {
        return choice(Target::Ignored, 0, "columns of this kind are never imported".into());
    }
    if let Some((product, target)) = product.and_then(|p| p.meaning(key).map(|target| (p, target)))
    {
        return choice(target.clone(), 0, format!("means this in {}", product.label));
    }
    match synonyms().meaning(key) {
        Some((target, rank)) if barred.is_none() => {
            choice(target.clone(), rank, format!("known as \"{key}\""))
        }
        Some(_) | None => {
            let slug = key.replace(' ', "_");
            let why = format!("no field of ours; {{{{x.{slug}}}}} in templates");
            choice(Target::Extra(slug), 0, why)
        }
    }
}

/// Says of every repeated header what happens to it.
fn note_duplicates(keys: &[String], choices: &mut [Choice]) {
    let mut seen = HashSet::new();
    for (key, choice) in keys.iter().zip(choices) {
        if !key.is_empty() && !seen.insert(key) && choice.target != Target::Ignored {
            choice.why.push_str("; the header is there twice, the first filled cell wins");
        }
    }
}

fn plan(choices: &[Choice], keys: &[String]) -> Plan {
    let mut plan = Plan { fields: vec![Vec::new(); FIELDS.len()], ..Plan::default() };
    let mut order: Vec<usize> = (0..choices.len()).collect();
    order.sort_by_key(|at| choices.get(*at).map(|choice| choice.rank));
    for at in order {
        let Some(choice) = choices.get(at) else { continue };
        if let Some(columns) = plan.columns_mut(&choice.target) {
            columns.push(at);
        }
    }
    plan.units = keys.iter().map(|key| unit(key)).collect();
    plan
}

/// What the numbers below a header are counted in.
fn unit(key: &str) -> u64 {
    let has = |word: &str| key.split(' ').any(|known| known == word);
    match () {
        () if has("000s") || has("thousands") => 1_000,
        () if has("millions") || has("mm") => 1_000_000,
        () => 1,
    }
}

/// Some headers for a message.
pub(super) fn listed(headers: &[String]) -> String {
    let named: Vec<String> = headers
        .iter()
        .map(|header| text::clean(header))
        .filter(|header| !header.is_empty())
        .collect();
    let shown: Vec<String> = named.iter().take(8).map(|header| super::excerpt(header)).collect();
    match named.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
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
