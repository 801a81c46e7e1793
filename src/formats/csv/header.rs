//! Headers to fields: which column is what, and why.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::cells::Cells;
use super::field::{FIELDS, Field, Target};
use super::key::key;
use super::synonyms::{Barred, Meaning, Product, Rank, Says, Synonyms, squashed};
use super::values::text;
use super::{Column, Options, ReadError};
use crate::formats::diagnostic::did_you_mean;

/// What the columns of a file are.
#[derive(Debug)]
pub(super) struct Header {
    pub columns: Vec<Column>,
    /// The product that wrote the file.
    pub source: Option<String>,
    /// The same for every file with these headers, whatever their order.
    pub fingerprint: String,
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

    /// Whether some column leads to a person.
    pub fn has_channel(&self) -> bool {
        FIELDS.iter().any(|(_, field)| field.is_channel() && !self.columns(*field).is_empty())
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
    rank: Rank,
    why: String,
}

/// Reads a header.
///
/// # Errors
/// `--map` names a field or column that is not there.
pub(super) fn read(
    headers: &[String],
    options: &Options,
    synonyms: &Synonyms,
) -> Result<Header, ReadError> {
    let keys: Vec<String> = headers.iter().map(|header| key(header)).collect();
    let wanted = wanted(headers, &keys, options)?;
    let known: HashSet<String> = keys.iter().map(|key| squashed(key)).collect();
    let product = synonyms.products.iter().find(|product| product.wrote(&known));
    let mut choices = Vec::with_capacity(headers.len());
    for (at, (header, key)) in headers.iter().zip(&keys).enumerate() {
        choices.push(match wanted.get(&at) {
            Some(target) => {
                let rank = Rank(Says::Map, at);
                Choice { target: target.clone(), rank, why: "given with --map".into() }
            }
            None => choose(header, key, product, synonyms),
        });
    }
    settle_names(&keys, &mut choices);
    note_duplicates(&keys, &mut choices);
    let plan = plan(&choices, &keys);
    let fingerprint = fingerprint(headers, &keys, synonyms);
    let columns: Vec<Column> = headers.iter().zip(choices).map(column).collect();
    let source = product.map(|product| product.label.clone());
    Ok(Header { columns, source, fingerprint, plan })
}

fn column((header, choice): (&String, Choice)) -> Column {
    Column {
        header: text::clean(header).into_owned(),
        field: choice.target.name(),
        why: choice.why,
        examples: Vec::new(),
        doubt: None,
    }
}

/// A short digest of the headers; what an earlier import wrote in front of them does not count.
fn fingerprint(headers: &[String], keys: &[String], synonyms: &Synonyms) -> String {
    let named = headers.iter().zip(keys);
    let theirs = named.filter(|(header, key)| !key.is_empty() && !synonyms.is_ours(header));
    let mut keys: Vec<&str> = theirs.map(|(_, key)| key.as_str()).collect();
    keys.sort_unstable();
    let digest = Sha256::digest(keys.join("\n"));
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// First names that need a last name beside them to be one: alone they head whole names.
const FIRST_OR_WHOLE: &[&str] = &["nombre", "nome"];
/// Last names that without a first name head whole names.
const LAST_OR_WHOLE: &[&str] = &["nom", "apellidos y nombre"];
/// Whole names that are the last name where the first name has a column in that language.
const WHOLE_OR_LAST: &[&str] = &["name", "naam", "namn", "navn"];
const FIRST_NAMES_ABROAD: &[&str] =
    &["vorname", "rufname", "prenom", "voornaam", "fornamn", "fornavn", "roepnaam"];

/// Titles that are a degree where the job has a column of its own.
const JOB_OR_DEGREE: &[&str] = &["titel"];

/// Decides what "Name", "Nom" and "Nombre" mean by the columns beside them.
fn settle_names(keys: &[String], choices: &mut [Choice]) {
    let has = |field, choices: &[Choice]| {
        choices.iter().any(|choice| choice.target == Target::Field(field))
    };
    let has_abroad = keys.iter().any(|key| FIRST_NAMES_ABROAD.contains(&key.as_str()));
    let (first, last) = (has(Field::FirstName, choices), has(Field::LastName, choices));
    let titles =
        choices.iter().filter(|choice| choice.target == Target::Field(Field::Title)).count();
    for (key, choice) in keys.iter().zip(choices) {
        if !matches!(choice.rank.0, Says::Table | Says::Likeness) {
            continue;
        }
        let is_among = |list: &[&str]| list.contains(&key.as_str());
        let settled = match choice.target {
            Target::Field(Field::FirstName) if !last && is_among(FIRST_OR_WHOLE) => {
                Some((Field::FullName, "no column for the last name, so this is the whole name"))
            }
            Target::Field(Field::LastName) if !first && is_among(LAST_OR_WHOLE) => {
                Some((Field::FullName, "no column for the first name, so this is the whole name"))
            }
            Target::Field(Field::FullName) if has_abroad && !last && is_among(WHOLE_OR_LAST) => {
                Some((Field::LastName, "beside a first name this is the last name"))
            }
            Target::Field(Field::Title) if titles > 1 && is_among(JOB_OR_DEGREE) => {
                Some((Field::Salutation, "beside the job this is how to address somebody"))
            }
            _ => None,
        };
        if let Some((field, why)) = settled {
            choice.target = Target::Field(field);
            choice.why = why.to_owned();
        }
    }
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
fn choose(header: &str, key: &str, product: Option<&Product>, synonyms: &Synonyms) -> Choice {
    let choice = |target, why: String| Choice { target, rank: Rank(Says::Product, 0), why };
    if key.is_empty() {
        return choice(Target::Ignored, "has no header".into());
    }
    let meaning = synonyms.meaning(key);
    let barred = synonyms.barred(header, key);
    if barred == Some(Barred::Ignored) {
        return choice(Target::Ignored, "columns of this kind are never imported".into());
    }
    let by_product = product.and_then(|p| p.meaning(key).map(|target| (p, target)));
    match (meaning, by_product) {
        (Some(Meaning { target, rank }), _) if rank.0 == Says::Workspace => {
            Choice { target, rank, why: "named in synonyms.toml of the workspace".into() }
        }
        (_, Some((product, target))) => {
            choice(target.clone(), format!("means this in {}", product.label))
        }
        (Some(Meaning { target, rank }), None) if barred.is_none() => {
            let why = match rank.0 {
                Says::Likeness => format!("like a known header: \"{key}\""),
                _ => format!("known as \"{key}\""),
            };
            Choice { target, rank, why }
        }
        (Some(_) | None, None) => {
            let slug = key.replace(' ', "_");
            let why = format!("no field of ours; {{{{x.{slug}}}}} in templates");
            choice(Target::Extra(slug), why)
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
    // Rows make sorted maps of them.
    plan.extras.sort();
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
pub(super) fn listed(headers: &Cells) -> String {
    let named: Vec<String> = headers
        .iter()
        .map(|header| text::clean(header).into_owned())
        .filter(|header| !header.is_empty())
        .collect();
    let shown: Vec<String> = named.iter().take(8).map(|header| super::excerpt(header)).collect();
    match named.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
