//! The person of a test: values by field, read as an import would read them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use crate::domain::facts::{FIELDS, fill};
use crate::domain::prospect::{ProspectDraft, ZoneSource};
use crate::domain::test_case::Person;
use crate::formats::csv::{Options, Problem, Reader};
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{Findings, entries, is_slug, items, shortened, text};
use crate::formats::yaml::{At, Node};
use crate::formats::zone;

/// A value that is longer is a mistake.
const MAX_VALUE: usize = 2_000;

/// Fields of a person that lists call otherwise.
const LIST_NAMES: [(&str, &str); 4] = [
    ("company.city", "company_city"),
    ("company.country", "company_country"),
    ("company.domain", "company_domain"),
    ("company.name", "company"),
];

/// The values of a map by field; each is held against what an import takes (C707).
pub(super) fn values(node: &At<Node>, findings: &mut Findings<'_>) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for line in entries(node, "a person", findings).unwrap_or(&[]) {
        let field = &line.key.value;
        if !is_field(&line.key, findings) {
            continue;
        }
        let what = format!("`{}`", shortened(field));
        let Some(value) = text(&line.value, &what, findings) else { continue };
        if let Err(problem) = read(field, &value.value) {
            let message = format!("{field} `{}`: {problem}", shortened(&value.value));
            findings.error(Rule::C707, line.value.place(), message);
        }
        values.insert(field.clone(), value.value);
    }
    values
}

/// The fields of a list.
pub(super) fn fields(node: &At<Node>, findings: &mut Findings<'_>) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for item in items(node, "`without`", findings).unwrap_or(&[]) {
        let Some(field) = text(item, "a field", findings) else { continue };
        if is_field(&field, findings) {
            fields.insert(field.value);
        }
    }
    fields
}

/// One of ours, or a column of a list (C707).
fn is_field(field: &At<String>, findings: &mut Findings<'_>) -> bool {
    let name = field.value.as_str();
    let column = name.strip_prefix("x.");
    if FIELDS.contains(&name) || column.is_some_and(is_slug) {
        return true;
    }
    let near = crate::formats::yaml::reading::near(name, FIELDS.iter().copied());
    // A column of a list may be written without `x.`, unless one of our fields was meant.
    if is_slug(name) && near.is_none() {
        return true;
    }
    let message = format!("there is no field `{}`", shortened(name));
    match near {
        Some(near) => {
            let message = format!("{message}; did you mean `{near}`?");
            findings.error(Rule::C707, field.place(), message);
        }
        None => {
            let hint = "a column of a list is x. and a name in lower-case letters, digits, - and _";
            findings.error_with_hint(Rule::C707, field.place(), message, hint);
        }
    }
    false
}

/// What an import makes of one value; on its own where that is possible.
fn read(field: &str, value: &str) -> Result<ProspectDraft, String> {
    if value.len() > MAX_VALUE {
        return Err(format!("longer than {MAX_VALUE} bytes"));
    }
    match field {
        "time_zone" => {
            let known = TimeZone::get(value).is_ok();
            let problem = "not a time zone; write one such as Europe/London";
            known.then(ProspectDraft::default).ok_or_else(|| problem.to_owned())
        }
        "company.short" => {
            let mut draft = ProspectDraft::default();
            draft.company.short = Some(value.to_owned());
            Ok(draft)
        }
        field if FIELDS.contains(&field) => row(field, value),
        other => {
            let mut draft = ProspectDraft::default();
            fill(&mut draft, other, value);
            Ok(draft)
        }
    }
}

/// A list with one row and one column beside an address by which the person can be reached.
fn row(field: &str, value: &str) -> Result<ProspectDraft, String> {
    let column = LIST_NAMES.iter().find(|(ours, _)| *ours == field);
    let column = column.map_or(field, |(_, column)| column);
    let reach = if field == "email" { "source_id" } else { "email" };
    let list = format!("{column},{reach}\r\n\"{}\",a@b.example\r\n", value.replace('"', "\"\""));
    let map = vec![(column.to_owned(), column.to_owned())];
    let options = Options { map, ..Options::default() };
    let mut reader = Reader::open(list.as_bytes(), &options).map_err(|error| error.to_string())?;
    let told = |problem: &Problem| problem.problem.clone();
    let Some(row) = reader.next_row() else { return Err("not a value of a list".to_owned()) };
    let about = |problem: &&Problem| problem.column.as_deref() == Some(column);
    if let Some(problem) = row.warnings.iter().find(about) {
        return Err(told(problem));
    }
    row.parsed.map_err(|problem| told(&problem))
}

/// The made-up person as a test changes them.
pub fn dressed(mut known: ProspectDraft, person: &Person) -> ProspectDraft {
    for field in &person.without {
        take_off(&mut known, field);
    }
    for (field, value) in &person.known {
        if let Ok(read) = read(field, value) {
            put_on(&mut known, field, read);
        }
    }
    place(&mut known, person);
    known
}

/// Where the person's clock stands follows from the place, unless it is said.
fn place(known: &mut ProspectDraft, person: &Person) {
    let says = |field: &str| person.known.contains_key(field) || person.without.contains(field);
    if says("country") && !says("region") {
        known.region = None;
    }
    if says("country") && !says("city") {
        known.city = None;
    }
    if says("country") || says("region") {
        let phone = known.phones.first().map(|phone| phone.e164.as_str());
        known.time_zones =
            zone::time_zones(known.country.as_deref(), known.region.as_deref(), phone);
        let source = if known.region.is_some() { ZoneSource::Region } else { ZoneSource::Country };
        known.zone_source = Some(source).filter(|_| !known.time_zones.is_empty());
    }
    if let Some(zone) = person.known.get("time_zone") {
        known.time_zones = vec![zone.clone()];
    }
    if person.without.contains("time_zone") {
        known.time_zones.clear();
    }
}

fn put_on(known: &mut ProspectDraft, field: &str, read: ProspectDraft) {
    let (company, from) = (&mut known.company, read.company);
    match field {
        "city" => known.city = read.city,
        "company.city" => company.city = from.city,
        "company.country" => company.country = from.country,
        "company.domain" => company.domain = from.domain,
        "company.name" => (company.name, company.short) = (from.name, from.short),
        "company.short" => company.short = from.short,
        "country" => known.country = read.country,
        "department" => known.department = read.department,
        "email" => known.email = read.email,
        "employees" => company.employees = from.employees,
        "first_name" => known.first_name = read.first_name,
        "industry" => company.industry = from.industry,
        "last_name" => known.last_name = read.last_name,
        "linkedin_url" => known.linkedin = read.linkedin,
        "phone" => known.phones = read.phones,
        "region" => known.region = read.region,
        "revenue" => company.revenue = from.revenue,
        "salutation" => known.salutation = read.salutation,
        "seniority" => known.seniority = read.seniority,
        "title" => known.title = read.title,
        // `place` sets it.
        "time_zone" => {}
        _ => known.extra.extend(read.extra),
    }
}

fn take_off(known: &mut ProspectDraft, field: &str) {
    match field {
        "country" => (known.country, known.company.country) = (None, None),
        field if FIELDS.contains(&field) => put_on(known, field, ProspectDraft::default()),
        column => {
            known.extra.remove(column.strip_prefix("x.").unwrap_or(column));
        }
    }
}
