//! The cells of one row to a prospect.

use super::field::{EMAILS, Field, PHONES};
use super::header::Plan;
use super::values::phones::Homes;
use super::values::{
    Fault, company, emails, is_yes, linkedin, names, numbers, phones, place, seniority, text,
};
use super::{Column, Problem, excerpt};
use crate::domain::address::EmailAddress;
use crate::domain::prospect::{CompanyDraft, Phone, ProspectDraft, Range};
use crate::formats::zone;

/// How many e-mail addresses and how many phone numbers of one person are kept.
const MAX_OF_A_KIND: usize = 10;

/// What the rows of one file have in common.
pub(super) struct Table<'a> {
    pub plan: &'a Plan,
    pub columns: &'a [Column],
    /// ISO 3166-1 alpha-2.
    pub default_country: Option<&'a str>,
}

/// Reads one row: the person, or why there is none, and what else is wrong.
pub(super) fn read(
    table: &Table,
    cells: &[String],
) -> (Result<ProspectDraft, Problem>, Vec<Problem>) {
    let mut row = RowReader { table, cells, problems: Vec::new(), bad_channel: None };
    let draft = row.draft();
    if draft.is_reachable() {
        return (Ok(draft), row.problems);
    }
    let unreachable = match row.bad_channel {
        Some(at) if at < row.problems.len() => row.problems.remove(at),
        Some(_) | None => Problem {
            column: None,
            value: String::new(),
            problem: "no e-mail, phone or LinkedIn profile".into(),
            fix: "Fill in at least one of them.".into(),
        },
    };
    (Err(unreachable), row.problems)
}

struct RowReader<'a> {
    table: &'a Table<'a>,
    cells: &'a [String],
    problems: Vec<Problem>,
    /// The first problem with an e-mail address, phone number or profile.
    bad_channel: Option<usize>,
}

impl<'a> RowReader<'a> {
    fn draft(&mut self) -> ProspectDraft {
        let mut draft = ProspectDraft::default();
        self.read_name(&mut draft);
        self.read_position(&mut draft);
        self.read_places(&mut draft);
        self.read_emails(&mut draft);
        draft.phones = self.phones(&draft);
        draft.linkedin = self.linkedin(&mut draft);
        self.read_company(&mut draft);
        draft.owner = self.text(Field::Owner);
        draft.external_id = self.text(Field::SourceId);
        draft.do_not_call = self.says_yes(Field::DoNotCall);
        draft.email_opt_out = self.says_yes(Field::EmailOptOut);
        self.read_extras(&mut draft);
        let phone = draft.phones.first().map(|phone| phone.e164.as_str());
        draft.time_zones =
            zone::time_zones(draft.country.as_deref(), draft.region.as_deref(), phone);
        draft
    }

    /// The raw cells of a field with their columns, best first.
    fn cells(&self, field: Field) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
        let (plan, cells) = (self.table.plan, self.cells);
        plan.columns(field).iter().filter_map(|at| cells.get(*at).map(|cell| (*at, cell.as_str())))
    }

    /// The filled cells of a field, cleaned.
    fn texts(&self, field: Field) -> impl Iterator<Item = (usize, String)> + use<'a> {
        let cleaned = self.cells(field).map(|(at, cell)| (at, text::clean(cell)));
        cleaned.filter(|(_, cell)| !text::is_placeholder(cell))
    }

    fn text(&self, field: Field) -> Option<String> {
        self.texts(field).next().map(|(_, text)| text)
    }

    fn name_text(&self, field: Field) -> String {
        let mut cleaned = self.cells(field).map(|(_, cell)| text::clean(cell));
        cleaned.find(|cell| !text::is_placeholder_name(cell)).unwrap_or_default()
    }

    fn says_yes(&self, field: Field) -> bool {
        self.cells(field).any(|(_, cell)| is_yes(cell))
    }

    fn note(&mut self, at: usize, fault: Fault) {
        let value = self.cells.get(at).map(|cell| excerpt(cell)).unwrap_or_default();
        let column = self.table.columns.get(at).map(|column| column.header.clone());
        self.problems.push(Problem { column, value, problem: fault.problem, fix: fault.fix });
    }

    fn note_channel(&mut self, at: usize, fault: Fault) {
        self.bad_channel.get_or_insert(self.problems.len());
        self.note(at, fault);
    }

    fn read_name(&self, draft: &mut ProspectDraft) {
        let given = names::Given {
            salutation: &self.text(Field::Salutation).unwrap_or_default(),
            first: &self.name_text(Field::FirstName),
            last: &self.name_text(Field::LastName),
            full: &self.name_text(Field::FullName),
        };
        let name = names::name(&given);
        draft.salutation = name.salutation;
        draft.first_name = name.first;
        draft.last_name = name.last;
        if let Some(nickname) = name.nickname {
            draft.extra.insert("nickname".into(), nickname);
        }
    }

    fn read_position(&self, draft: &mut ProspectDraft) {
        draft.title = self.text(Field::Title);
        draft.department = self.text(Field::Department);
        let given = self.text(Field::Seniority).map(|level| seniority::words(&level));
        let of_title = || draft.title.as_deref().and_then(seniority::of_title).map(str::to_owned);
        draft.seniority = given.filter(|level| !level.is_empty()).or_else(of_title);
    }

    /// Person's and company's country first: region and phones hang on them.
    fn read_places(&mut self, draft: &mut ProspectDraft) {
        let company = self.country(Field::CompanyCountry);
        let person = self.country(Field::Country);
        draft.company.city = self.text(Field::CompanyCity);
        draft.company.country = company.ok().flatten().map(str::to_owned);
        draft.city = self.text(Field::City);
        let mut region = self.text(Field::Region);
        let mut country = person.ok().flatten();
        if draft.city.is_none() && person == Ok(None) {
            let place = self.text(Field::Location).map(|text| place::location(&text));
            let place = place.unwrap_or_default();
            draft.city = place.city;
            region = region.or(place.region);
            country = place.country;
        }
        // A country that is there but not understood is nothing to assume another one over.
        let assumed = || draft.company.country.as_deref().or(self.table.default_country);
        let country = country.or_else(|| person.is_ok().then(assumed).flatten());
        draft.region = region.map(|region| place::region(country, &region));
        draft.country = country.map(str::to_owned);
    }

    /// The country of a field; an error when there is one that is not understood.
    fn country(&mut self, field: Field) -> Result<Option<&'static str>, ()> {
        let texts: Vec<(usize, String)> = self.texts(field).collect();
        let Some((at, _)) = texts.first() else { return Ok(None) };
        if let Some(country) = texts.iter().find_map(|(_, text)| place::country(text)) {
            return Ok(Some(country));
        }
        let fix =
            "Write the country's English name or its two letters: calling hours depend on it.";
        self.note(*at, Fault::new("not a country we know", fix));
        Err(())
    }

    fn read_emails(&mut self, draft: &mut ProspectDraft) {
        let mut found: Vec<EmailAddress> = Vec::new();
        for field in EMAILS {
            for (at, cell) in self.cells(field) {
                let cell = text::clean(cell);
                if text::is_placeholder(&cell) {
                    continue;
                }
                let emails = emails::emails(&cell);
                let new = emails.values.into_iter().filter(|email| !found.contains(email));
                let new: Vec<EmailAddress> = new.collect();
                found.extend(new);
                if let Some(fault) = emails.fault {
                    self.note_channel(at, fault);
                }
            }
        }
        let mut found = found.into_iter().take(MAX_OF_A_KIND);
        draft.email = found.next();
        draft.other_emails = found.collect();
    }

    fn phones(&mut self, draft: &ProspectDraft) -> Vec<Phone> {
        let company = draft.company.country.as_deref();
        let homes = Homes {
            person: draft.country.as_deref(),
            company,
            default: self.table.default_country,
        };
        let mut found: Vec<Phone> = Vec::new();
        for field in PHONES {
            for (at, cell) in self.cells(field) {
                let cell = text::clean_lines(cell);
                if text::is_placeholder(&cell) {
                    continue;
                }
                let phones = phones::phones(&cell, &homes);
                for phone in phones.values {
                    if !found.iter().any(|known| known.e164 == phone.e164) {
                        found.push(phone);
                    }
                }
                if let Some(fault) = phones.fault {
                    self.note_channel(at, fault);
                }
            }
        }
        found.truncate(MAX_OF_A_KIND);
        found
    }

    /// The first public profile; a link that is none is kept as an extra.
    fn linkedin(&mut self, draft: &mut ProspectDraft) -> Option<String> {
        let mut faults = Vec::new();
        for (at, cell) in self.texts(Field::Linkedin) {
            match linkedin::slug(&cell) {
                Ok(slug) => return Some(slug),
                Err(fault) => faults.push((at, cell, fault)),
            }
        }
        for (at, cell, fault) in faults {
            draft.extra.entry("linkedin_other".into()).or_insert(cell);
            self.note_channel(at, fault);
        }
        None
    }

    fn read_company(&mut self, draft: &mut ProspectDraft) {
        let name = self.texts(Field::Company).find_map(|(_, cell)| company::name(&cell));
        let short = self.text(Field::CompanyEmailName);
        let domain = self.company_domain().or_else(|| company_of(&draft.email));
        draft.company = CompanyDraft {
            short: short.or_else(|| name.as_deref().map(company::short)),
            name,
            domain,
            industry: self.text(Field::Industry),
            employees: self.employees(),
            revenue: self.revenue(),
            city: draft.company.city.take(),
            country: draft.company.country.take(),
        };
    }

    fn company_domain(&mut self) -> Option<String> {
        for (at, cell) in self.texts(Field::CompanyDomain).chain(self.texts(Field::CompanyWebsite))
        {
            match company::domain(&cell) {
                Ok(Some(domain)) => return Some(domain),
                Ok(None) => {}
                Err(fault) => self.note(at, fault),
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
        faults.into_iter().for_each(|(at, fault)| self.note(at, fault));
        None
    }

    fn revenue(&self) -> Option<Range> {
        let unit = |at: usize| self.table.plan.units.get(at).copied().unwrap_or(1);
        let mut cells = self.texts(Field::Revenue).chain(self.texts(Field::RevenueRange));
        cells.find_map(|(at, cell)| numbers::revenue(&cell, unit(at)))
    }

    fn read_extras(&self, draft: &mut ProspectDraft) {
        for (slug, columns) in &self.table.plan.extras {
            let cells = columns.iter().filter_map(|at| self.cells.get(*at));
            let mut cells = cells.map(|cell| text::clean_lines(cell));
            if let Some(cell) = cells.find(|cell| !text::is_placeholder(cell)) {
                draft.extra.insert(slug.clone(), cell);
            }
        }
    }
}

/// The domain of a company's own address.
fn company_of(email: &Option<EmailAddress>) -> Option<String> {
    let domain = email.as_ref()?.domain();
    company::is_own(domain).then(|| domain.to_owned())
}
