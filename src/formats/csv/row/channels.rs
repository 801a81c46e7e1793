//! How a person of a row can be reached: addresses, numbers and the profile.

use super::{Home, RowReader};
use crate::domain::address::EmailAddress;
use crate::domain::prospect::{Phone, ProspectDraft, ZoneSource};
use crate::formats::csv::field::{EMAILS, Field, PHONES};
use crate::formats::csv::values::phones::{Countries, Homes};
use crate::formats::csv::values::{Fault, emails, linkedin, phones, text};

/// How many e-mail addresses and how many phone numbers of one person are kept.
const MAX_OF_A_KIND: usize = 10;

impl RowReader<'_> {
    pub(super) fn read_emails(&mut self, draft: &mut ProspectDraft) {
        let mut found: Vec<EmailAddress> = Vec::new();
        let mut mistyped = None;
        for field in EMAILS {
            for (at, cell) in self.texts(field) {
                let emails = emails::emails(&cell);
                for email in emails.values {
                    if found.len() < MAX_OF_A_KIND && !found.contains(&email) {
                        self.flag(at, &email, draft, found.is_empty());
                        found.push(email);
                    }
                }
                mistyped = mistyped.or(emails.mistyped.map(|fault| (at, fault)));
                if let Some(fault) = emails.fault {
                    self.warn_channel(at, fault);
                }
            }
        }
        match mistyped {
            Some((at, fault)) if found.is_empty() => self.parked = Some(self.problem(at, fault)),
            Some((at, fault)) => self.warn_channel(at, fault),
            None => {}
        }
        let mut found = found.into_iter();
        draft.email = found.next();
        draft.other_emails = found.collect();
    }

    /// Says what kind of mailbox the first address is, where it is not one person's at work.
    pub(super) fn flag(
        &mut self,
        at: usize,
        email: &EmailAddress,
        draft: &mut ProspectDraft,
        is_first: bool,
    ) {
        let Some(kind) = emails::kind(email).filter(|_| is_first) else { return };
        let (word, problem, fix) = match kind {
            emails::Kind::Role => {
                ("role", "a shared mailbox", "It was kept; somebody else may read it.")
            }
            emails::Kind::Free => {
                ("free", "a private mailbox", "It was kept; it says nothing of the company.")
            }
        };
        draft.extra.entry("email_kind".into()).or_insert_with(|| word.into());
        let note = self.problem(at, Fault::new(problem, fix));
        self.notes.push(note);
    }

    /// An address that ends in one country and a person who is said to be in another.
    pub(super) fn compare_ending(&mut self, draft: &ProspectDraft, home: &Home) {
        let (Some(email), Some(country), ZoneSource::Country) =
            (&draft.email, home.country, home.source)
        else {
            return;
        };
        let Some(ending) = emails::country_of_ending(email.domain()) else { return };
        let company = draft.company.country.as_deref().unwrap_or(country);
        if [country, company].iter().any(|known| known.eq_ignore_ascii_case(ending)) {
            return;
        }
        let Some((at, _)) = EMAILS.iter().find_map(|field| self.texts(*field).next()) else {
            return;
        };
        let problem = format!("the address ends in .{}, the country is {country}", tld(email));
        let fix = "Check the country: calling hours and the rules for mail depend on it.";
        self.warn(at, Fault::new(problem, fix));
    }

    pub(super) fn phones(&mut self, draft: &ProspectDraft) -> Vec<Phone> {
        let homes = Homes::from(Countries {
            person: draft.country.as_deref(),
            company: draft.company.country.as_deref(),
            default: self.table.default_country,
        });
        let mut found: Vec<Phone> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for field in PHONES {
            for (at, cell) in self.cells(field) {
                // The number of the company often stands there twice.
                if seen.contains(&cell) {
                    continue;
                }
                seen.push(cell);
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
                    self.warn_channel(at, fault);
                }
            }
        }
        found.truncate(MAX_OF_A_KIND);
        found
    }

    /// The first public profile; a link that is none is kept as an extra.
    pub(super) fn linkedin(&mut self, draft: &mut ProspectDraft) -> Option<String> {
        let mut faults = Vec::new();
        for (at, cell) in self.texts(Field::Linkedin) {
            match linkedin::slug(&cell) {
                Ok(slug) => return Some(slug),
                Err(fault) => faults.push((at, cell, fault)),
            }
        }
        for (at, cell, fault) in faults {
            draft.extra.entry("linkedin_other".into()).or_insert(cell.into_owned());
            self.warn_channel(at, fault);
        }
        None
    }
}

fn tld(email: &EmailAddress) -> &str {
    email.domain().rsplit('.').next().unwrap_or_default()
}
