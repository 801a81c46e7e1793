//! What is known of a person, field by field: the one vocabulary of conditions, profiles and templates.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::prospect::{Prospect, ProspectDraft, Range};

/// Known, non-blank values by field name; numbers as plain digits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    values: BTreeMap<String, String>,
    /// The whole of what a list gives as a range; `values` holds its low end.
    ranges: BTreeMap<String, Range>,
}

/// The fields that a condition, a profile or a template may name, beside `x.<column>`.
pub const FIELDS: &[&str] = &[
    "city",
    "company.city",
    "company.country",
    "company.domain",
    "company.name",
    "company.short",
    "country",
    "department",
    "email",
    "employees",
    "first_name",
    "industry",
    "last_name",
    "linkedin_url",
    "phone",
    "region",
    "revenue",
    "salutation",
    "seniority",
    "time_zone",
    "title",
];

/// Dates of a customer that a list brings as columns of its own, so that no `x.` is needed for them.
pub const DATES: &[&str] = &["close_date", "go_live_date", "renewal_date"];

/// Fields of a deal begin so; a list brings them as columns such as `Deal stage`.
pub const DEAL: &str = "deal.";

/// The fields of a person that somebody may fill by hand, beside dates and columns of our own.
pub const FILLABLE: &[&str] =
    &["city", "department", "first_name", "industry", "last_name", "region", "salutation", "title"];

/// The list's own column that a field may stand for: `trigger` for `trigger` and `x.trigger`,
/// `deal_stage` for `deal.stage`.
pub fn column(field: &str) -> String {
    match field.strip_prefix("x.") {
        Some(column) => column.to_owned(),
        None if field.starts_with(DEAL) => field.replace('.', "_"),
        None => field.to_owned(),
    }
}

/// Whether [`fill`] can fill a field of that name.
pub fn is_fillable(field: &str) -> bool {
    FILLABLE.contains(&field) || !FIELDS.contains(&field)
}

/// Fills a field; what is none of ours is a column of its own. Whether it could be filled.
pub fn fill(known: &mut ProspectDraft, field: &str, value: &str) -> bool {
    let value = value.to_owned();
    match field {
        "city" => known.city = Some(value),
        "department" => known.department = Some(value),
        "first_name" => known.first_name = Some(value),
        "industry" => known.company.industry = Some(value),
        "last_name" => known.last_name = Some(value),
        "region" => known.region = Some(value),
        "salutation" => known.salutation = Some(value),
        "title" => known.title = Some(value),
        other if FIELDS.contains(&other) => return false,
        other => {
            known.extra.insert(column(other), value);
        }
    }
    true
}

impl Facts {
    /// Everything that is known of a prospect.
    pub fn of(prospect: &Prospect) -> Self {
        Self::of_draft(&prospect.known)
    }

    /// Everything that one row says.
    pub fn of_draft(known: &ProspectDraft) -> Self {
        Self::of_draft_for(known, |_| true)
    }

    /// What one row says of the wanted fields.
    pub fn of_draft_for(known: &ProspectDraft, wanted: impl Fn(&str) -> bool) -> Self {
        let company = &known.company;
        let named = FIELDS.iter().filter(|field| wanted(field));
        let named = named.filter_map(|field| Some(((*field).to_owned(), value(known, field)?)));
        // A field without `x.` also finds the list's own column.
        let extra = known.extra.iter().filter(|(slug, _)| wanted(slug));
        let extra = extra.map(|(slug, value)| (format!("x.{slug}"), value.clone()));
        let mut facts = Self::from_iter(named.chain(extra));
        let ranges = [("employees", company.employees), ("revenue", company.revenue)];
        let ranges = ranges.into_iter().filter_map(|(name, range)| Some((name.to_owned(), range?)));
        facts.ranges = ranges.collect();
        facts
    }

    /// The same with these values in place of what they were.
    pub fn with<'a>(&self, values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut facts = self.clone();
        for (field, value) in values.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
            facts.ranges.remove(field);
            facts.values.insert(field.to_owned(), value.to_owned());
        }
        facts
    }

    /// The numbers that a field may stand for: a range as the list gives it, or one whole number.
    pub fn range(&self, field: &str) -> Option<Range> {
        if let Some(range) = self.ranges.get(field) {
            return Some(*range);
        }
        let number = self.get(field)?.trim().parse::<u64>().ok()?;
        Some(Range { low: number, high: Some(number) })
    }

    /// Whether the field is known.
    pub fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    /// The value of a field. `trigger` also finds the list's own column `x.trigger`, and `deal.stage`
    /// the column `x.deal_stage`.
    pub fn get(&self, field: &str) -> Option<&str> {
        let direct = self.values.get(field);
        let own = || match field.starts_with(DEAL) {
            true => self.values.get(&format!("x.{}", column(field))),
            false => self.values.get(&format!("x.{field}")),
        };
        direct.or_else(own).map(String::as_str)
    }

    /// The date that a field holds, written as `2026-03-04`, with or without a time behind it.
    pub fn date(&self, field: &str) -> Option<Date> {
        self.get(field)?.trim().get(..10)?.parse().ok()
    }

    /// Every known field with its value, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn value(known: &ProspectDraft, field: &str) -> Option<String> {
    let company = &known.company;
    let low = |range: Option<Range>| range.map(|range| range.low.to_string());
    match field {
        "city" => known.city.clone(),
        "company.city" => company.city.clone(),
        "company.country" => company.country.clone(),
        "company.domain" => company.domain.clone(),
        "company.name" => company.name.clone(),
        "company.short" => company.short.clone().or_else(|| company.name.clone()),
        "country" => known.country.clone().or_else(|| company.country.clone()),
        "department" => known.department.clone(),
        "email" => known.email.as_ref().map(ToString::to_string),
        "employees" => low(company.employees),
        "first_name" => known.first_name.clone(),
        "industry" => company.industry.clone(),
        "last_name" => known.last_name.clone(),
        "linkedin_url" => {
            known.linkedin.as_ref().map(|slug| format!("https://www.linkedin.com/in/{slug}"))
        }
        "phone" => known.phones.first().map(ToString::to_string),
        "region" => known.region.clone(),
        "revenue" => low(company.revenue),
        "salutation" => known.salutation.clone(),
        "seniority" => known.seniority.clone(),
        "time_zone" => known.time_zones.first().cloned(),
        "title" => known.title.clone(),
        _ => None,
    }
}

impl FromIterator<(String, String)> for Facts {
    /// Blank values are left out: a field is either known or absent.
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        let values = fields.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        Self { values, ranges: BTreeMap::new() }
    }
}
