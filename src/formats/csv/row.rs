//! The cells of one row to a prospect.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::field::Field;
use super::table::Table;
use super::values::{Fault, company, is_yes, names, numbers, place, text};
use super::{Cells, Problem, excerpt};
use crate::domain::address::EmailAddress;
use crate::domain::prospect::{CompanyDraft, ProspectDraft, Range, ZoneSource};
use crate::formats::zone;

mod channels;

/// What came of the cells of a row.
#[derive(Debug)]
pub(super) struct Parsed {
    pub person: Result<ProspectDraft, Problem>,
    pub parked: Option<Problem>,
    pub warnings: Vec<Problem>,
    pub notes: Vec<Problem>,
}

impl Parsed {
    /// A row that is no person at all.
    pub fn refused(problem: Problem) -> Self {
        Self { person: Err(problem), parked: None, warnings: Vec::new(), notes: Vec::new() }
    }
}

/// Reads one row: the person, or why there is none, and what else is to be said of it.
pub(super) fn read(table: &Table, cells: &Cells) -> Parsed {
    let mut row = RowReader {
        table,
        cells,
        warnings: Vec::new(),
        notes: Vec::new(),
        parked: None,
        bad_channel: None,
    };
    let draft = row.draft();
    let mut warnings = row.warnings;
    let person = match draft.is_reachable() {
        true => Ok(draft),
        false => Err(match (&row.parked, row.bad_channel) {
            (Some(parked), _) => parked.clone(),
            (None, Some(at)) if at < warnings.len() => warnings.remove(at),
            (None, _) => unreachable(),
        }),
    };
    Parsed { person, parked: row.parked, warnings, notes: row.notes }
}

fn unreachable() -> Problem {
    Problem {
        column: None,
        value: String::new(),
        problem: "no e-mail, phone or LinkedIn profile".into(),
        fix: "Fill in at least one of them.".into(),
    }
}

struct RowReader<'a> {
    table: &'a Table,
    cells: &'a Cells,
    warnings: Vec<Problem>,
    notes: Vec<Problem>,
    /// Why the row must wait for somebody.
    parked: Option<Problem>,
    /// The first warning about an e-mail address, phone number or profile.
    bad_channel: Option<usize>,
}

/// The country of a person and what it was told from.
struct Home {
    country: Option<&'static str>,
    source: ZoneSource,
}

impl<'a> RowReader<'a> {
    fn draft(&mut self) -> ProspectDraft {
        let mut draft = ProspectDraft { extra: self.extras(), ..ProspectDraft::default() };
        self.read_name(&mut draft);
        self.read_position(&mut draft);
        let home = self.read_places(&mut draft);
        self.read_emails(&mut draft);
        self.compare_ending(&draft, &home);
        draft.phones = self.phones(&draft);
        draft.linkedin = self.linkedin(&mut draft);
        self.read_company(&mut draft);
        draft.owner = self.text(Field::Owner);
        draft.external_id = self.text(Field::SourceId);
        let no_contact = self.says_yes(Field::DoNotContact);
        draft.do_not_call = no_contact || self.says_yes(Field::DoNotCall);
        draft.email_opt_out = no_contact || self.says_yes(Field::EmailOptOut);
        set_zones(&mut draft, home.source);
        draft
    }

    /// The raw cells of a field with their columns, best first.
    fn cells(&self, field: Field) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
        let (plan, cells) = (&self.table.plan, self.cells);
        plan.columns(field)
            .iter()
            .filter_map(|at| cells.get(*at).map(|cell| (*at, cell)))
            .filter(|(_, cell)| !cell.is_empty())
    }

    /// The filled cells of a field, cleaned.
    fn texts(&self, field: Field) -> impl Iterator<Item = (usize, Cow<'a, str>)> + use<'a> {
        let cleaned = self.cells(field).map(|(at, cell)| (at, text::clean(cell)));
        cleaned.filter(|(_, cell)| !text::is_placeholder(cell))
    }

    fn text(&self, field: Field) -> Option<String> {
        self.texts(field).next().map(|(_, text)| text.into_owned())
    }

    fn name_text(&self, field: Field) -> Cow<'a, str> {
        let mut cleaned = self.cells(field).map(|(_, cell)| text::clean(cell));
        cleaned.find(|cell| !text::is_placeholder_name(cell)).unwrap_or_default()
    }

    fn says_yes(&self, field: Field) -> bool {
        self.cells(field).any(|(_, cell)| is_yes(cell))
    }

    /// What is to be said of a cell.
    fn problem(&self, at: usize, fault: Fault) -> Problem {
        let value = self.cells.get(at).map(excerpt).unwrap_or_default();
        let column = self.table.headers.get(at).cloned();
        Problem { column, value, problem: fault.problem, fix: fault.fix }
    }

    fn warn(&mut self, at: usize, fault: Fault) {
        let problem = self.problem(at, fault);
        self.warnings.push(problem);
    }

    fn warn_channel(&mut self, at: usize, fault: Fault) {
        self.bad_channel.get_or_insert(self.warnings.len());
        self.warn(at, fault);
    }

    fn read_name(&mut self, draft: &mut ProspectDraft) {
        let salutation = self.texts(Field::Salutation).next().map(|(_, text)| text);
        let given = names::Given {
            salutation: &salutation.unwrap_or_default(),
            first: &self.name_text(Field::FirstName),
            last: &self.name_text(Field::LastName),
            full: &self.name_text(Field::FullName),
        };
        let name = names::name(&given);
        if let Some(as_written) = name.as_written {
            self.note_recased(as_written, &name.first, &name.last);
        }
        draft.salutation = name.salutation;
        draft.first_name = name.first;
        draft.last_name = name.last;
        if let Some(nickname) = name.nickname {
            draft.extra.entry("nickname".into()).or_insert(nickname);
        }
    }

    fn note_recased(&mut self, value: String, first: &Option<String>, last: &Option<String>) {
        let fields = [Field::FirstName, Field::LastName, Field::FullName];
        let at = fields.into_iter().find_map(|field| self.cells(field).next()).map(|(at, _)| at);
        let column = at.and_then(|at| self.table.headers.get(at).cloned());
        let parts: Vec<&str> = [first, last].into_iter().flatten().map(String::as_str).collect();
        let fix = format!("It was written as \"{}\".", parts.join(" "));
        let is_shouted = !value.chars().any(char::is_lowercase);
        let problem = if is_shouted { "a name in capitals" } else { "a name in small letters" };
        self.notes.push(Problem { column, value: excerpt(&value), problem: problem.into(), fix });
    }

    fn read_position(&self, draft: &mut ProspectDraft) {
        for (_, title) in self.texts(Field::Title) {
            if names::is_form_of_address(&title) {
                draft.salutation.get_or_insert_with(|| title.into_owned());
            } else {
                draft.title = Some(title.into_owned());
                break;
            }
        }
        draft.department = self.text(Field::Department);
        let given = self.texts(Field::Seniority).next().map(|(_, level)| text::level_words(&level));
        // What the title says is told when somebody is held against a profile, by its rules of then.
        draft.seniority = given.filter(|level| !level.is_empty());
    }

    /// Person's and company's country first: region and phones hang on them.
    fn read_places(&mut self, draft: &mut ProspectDraft) -> Home {
        let company = self.country(Field::CompanyCountry).ok().flatten();
        let person = self.country(Field::Country);
        draft.company.city = self.text(Field::CompanyCity);
        draft.company.country = company.map(str::to_owned);
        draft.city = self.text(Field::City);
        let mut region = self.text(Field::Region);
        let mut own = person.ok().flatten();
        if draft.city.is_none() && person == Ok(None) {
            let place = self.texts(Field::Location).next().map(|(_, text)| place::location(&text));
            let place = place.unwrap_or_default();
            draft.city = place.city;
            region = region.or(place.region);
            own = place.country;
        }
        if own.is_none() && person.is_ok() {
            own = region.as_deref().and_then(place::country_of_region);
        }
        // A country that is there but not understood is nothing to assume another one over.
        let default = self.table.default_country;
        let home = match (own, person, company) {
            (None, Ok(None), Some(company)) => {
                Home { country: Some(company), source: ZoneSource::CompanyCountry }
            }
            (None, Ok(None), None) => Home { country: default, source: ZoneSource::DefaultCountry },
            (own, _, _) => Home { country: own, source: ZoneSource::Country },
        };
        draft.region = region.map(|region| place::region(home.country, &region));
        draft.country = home.country.map(str::to_owned);
        home
    }

    /// The country of a field; an error when there is one that is not understood.
    fn country(&mut self, field: Field) -> Result<Option<&'static str>, ()> {
        let mut first = None;
        for (at, text) in self.texts(field) {
            if let Some(country) = place::country(&text) {
                return Ok(Some(country));
            }
            first = first.or(Some(at));
        }
        let Some(at) = first else { return Ok(None) };
        let fix =
            "Write the country's English name or its two letters: calling hours depend on it.";
        self.warn(at, Fault::new("not a country we know", fix));
        Err(())
    }

    fn read_company(&mut self, draft: &mut ProspectDraft) {
        let name = self.texts(Field::Company).find_map(|(_, cell)| company::name(&cell));
        let short = self.text(Field::CompanyEmailName);
        let domain = self.company_domain(draft).or_else(|| company_of(&draft.email));
        draft.company = CompanyDraft {
            short: short.or_else(|| name.as_deref().map(company::short)),
            name,
            domain,
            industry: self.text(Field::Industry),
            employees: self.employees(),
            revenue: self.revenue(&mut draft.extra),
            city: draft.company.city.take(),
            country: draft.company.country.take(),
        };
    }

    fn company_domain(&mut self, draft: &mut ProspectDraft) -> Option<String> {
        for (at, cell) in self.texts(Field::CompanyDomain).chain(self.texts(Field::CompanyWebsite))
        {
            match company::domain(&cell) {
                Ok(Some(domain)) => return Some(domain),
                Ok(None) if company::is_linkedin_page(&cell) => {
                    let page = draft.extra.entry("company_linkedin_url".into());
                    page.or_insert(cell.into_owned());
                }
                Ok(None) => {}
                Err(fault) => self.warn(at, fault),
            }
        }
        None
    }

    fn employees(&mut self) -> Option<Range> {
        let mut faults = Vec::new();
        for (at, cell) in self.texts(Field::Employees).chain(self.texts(Field::EmployeesRange)) {
            match numbers::employees(&cell) {
                Ok(range) => return Some(range),
                Err(fault) => faults.push((at, fault)),
            }
        }
        faults.into_iter().for_each(|(at, fault)| self.warn(at, fault));
        None
    }

    /// The first revenue that can be compared; what cannot is kept as it is written.
    fn revenue(&mut self, extra: &mut BTreeMap<String, String>) -> Option<Range> {
        let unit = |at: usize| self.table.plan.units.get(at).copied().unwrap_or(1);
        let mut other = None;
        for (at, cell) in self.texts(Field::Revenue).chain(self.texts(Field::RevenueRange)) {
            match numbers::revenue(&cell, unit(at)) {
                Ok(Some(range)) => return Some(range),
                Ok(None) => {}
                Err(fault) => drop(other.get_or_insert((at, cell, fault))),
            }
        }
        if let Some((at, cell, fault)) = other {
            extra.entry("revenue".into()).or_insert(cell.into_owned());
            self.notes.push(self.problem(at, fault));
        }
        None
    }

    fn extras(&self) -> BTreeMap<String, String> {
        let extra = |(slug, columns): &(String, Vec<usize>)| {
            let cells = columns.iter().filter_map(|at| Some((at, self.cells.get(*at)?)));
            let mut cells = cells
                .filter(|(_, cell)| !cell.is_empty())
                .map(|(at, cell)| (at, text::clean_lines(cell)));
            let (at, cell) = cells.find(|(_, cell)| !text::is_placeholder(cell))?;
            let form = self.table.dates.get(*at).copied().flatten();
            let iso = form.and_then(|form| form.iso(&cell));
            Some((slug.clone(), iso.unwrap_or_else(|| cell.into_owned())))
        };
        let mut found = Vec::with_capacity(self.table.plan.extras.len());
        found.extend(self.table.plan.extras.iter().filter_map(extra));
        BTreeMap::from_iter(found)
    }
}

/// The zones of the place as far as it is known, else of the phone number.
fn set_zones(draft: &mut ProspectDraft, source: ZoneSource) {
    let (country, region) = (draft.country.as_deref(), draft.region.as_deref());
    let phone = draft.phones.first().map(|phone| phone.e164.as_str());
    let zones = zone::time_zones(country, region, phone);
    let by_region = matches!((country, region), (Some(country), Some(region))
        if zone::is_known_region(country, region));
    draft.zone_source = match country {
        _ if zones.is_empty() => None,
        None => Some(ZoneSource::Phone),
        Some(_) if by_region && source == ZoneSource::Country => Some(ZoneSource::Region),
        Some(_) => Some(source),
    };
    draft.time_zones = zones;
}

/// The domain of a company's own address.
fn company_of(email: &Option<EmailAddress>) -> Option<String> {
    let domain = email.as_ref()?.domain();
    company::is_own(domain).then(|| domain.to_owned())
}
