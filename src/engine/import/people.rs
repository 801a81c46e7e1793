//! How people of lists are recognised, what blocks them, and what becomes of what two lists say.

use crate::domain::address::EmailAddress;
use crate::domain::identity::Identity;
use crate::domain::prospect::{CompanyDraft, ProspectDraft};
use crate::domain::suppression::Subject;

/// Every way to recognise somebody.
#[derive(Debug, Clone, Default)]
pub(super) struct Ways {
    /// Best first: whoever has one of them is the same person.
    pub certain: Vec<Identity>,
    /// Somebody of the same name at the same company: perhaps the same person, never merged by itself.
    pub by_name: Option<Identity>,
}

impl Ways {
    pub fn of(draft: &ProspectDraft) -> Self {
        let external =
            draft.external_id.iter().map(|id| Identity::new(Identity::EXTERNAL, id.as_str()));
        let emails = draft.email.iter().chain(&draft.other_emails).map(Identity::of_email);
        let linkedin =
            draft.linkedin.iter().map(|slug| Identity::new(Identity::LINKEDIN, slug.as_str()));
        // Relatives and colleagues of one name share an office number: the initial tells them apart.
        let initial = draft.first_name.as_ref().and_then(|name| name.chars().next());
        let initial = initial.map(|c| c.to_lowercase().to_string()).unwrap_or_default();
        let last = draft.last_name.as_ref().map(|name| name.to_lowercase());
        let phones = draft.phones.iter().take(2).filter_map(|phone| {
            let value = format!("{}/{}/{initial}", phone.e164, last.as_ref()?);
            Some(Identity::new(Identity::PHONE_NAME, &value))
        });
        Self {
            certain: external.chain(emails).chain(linkedin).chain(phones).collect(),
            by_name: name_at_company(draft).map(|v| Identity::new(Identity::NAME_COMPANY, &v)),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = Identity> {
        self.certain.iter().copied().chain(self.by_name)
    }
}

/// Every way to recognise somebody, best first; the last one may only suggest.
pub fn identities(draft: &ProspectDraft) -> Vec<Identity> {
    Ways::of(draft).all().collect()
}

fn name_at_company(draft: &ProspectDraft) -> Option<String> {
    let (first, last) = (draft.first_name.as_ref()?, draft.last_name.as_ref()?);
    let domain = draft.company.domain.as_ref()?;
    Some(format!("{}/{}/{domain}", first.to_lowercase(), last.to_lowercase()))
}

/// Everything under which a row may be blocked before it is anybody.
pub(super) fn subjects(draft: &ProspectDraft) -> impl Iterator<Item = Subject> {
    let emails = draft.email.iter().chain(&draft.other_emails).map(Subject::email);
    let domain = draft.email.iter().map(|email| Subject::Domain(email.domain().to_owned()));
    emails.chain(domain)
}

/// Whether [`merged`] would add anything to what is known; asked for everybody on a list, so that
/// nothing is copied for those to whom nothing is new.
pub(super) fn adds(known: &ProspectDraft, other: &ProspectDraft) -> bool {
    fn new<T>(known: &Option<T>, other: &Option<T>) -> bool {
        known.is_none() && other.is_some()
    }
    let (company, theirs) = (&known.company, &other.company);
    let is_known = |email: &EmailAddress| {
        known.email.as_ref() == Some(email) || known.other_emails.contains(email)
    };
    let texts = [
        (&known.first_name, &other.first_name),
        (&known.last_name, &other.last_name),
        (&known.salutation, &other.salutation),
        (&known.title, &other.title),
        (&known.seniority, &other.seniority),
        (&known.department, &other.department),
        (&known.linkedin, &other.linkedin),
        (&known.city, &other.city),
        (&known.region, &other.region),
        (&known.country, &other.country),
        (&known.owner, &other.owner),
        (&known.external_id, &other.external_id),
        (&company.name, &theirs.name),
        (&company.short, &theirs.short),
        (&company.domain, &theirs.domain),
        (&company.industry, &theirs.industry),
        (&company.city, &theirs.city),
        (&company.country, &theirs.country),
    ];
    texts.iter().any(|(known, other)| new(known, other))
        || new(&company.employees, &theirs.employees)
        || new(&company.revenue, &theirs.revenue)
        || other.email.iter().chain(&other.other_emails).any(|email| !is_known(email))
        // An address of the second row moves up when there is no first one.
        || (known.email.is_none() && !known.other_emails.is_empty())
        || (known.phones.is_empty() && !other.phones.is_empty())
        || (known.time_zones.is_empty()
            && (!other.time_zones.is_empty() || known.zone_source != other.zone_source))
        || (other.do_not_call && !known.do_not_call)
        || (other.email_opt_out && !known.email_opt_out)
        || other.extra.keys().any(|key| !known.extra.contains_key(key))
}

/// What is known, filled up with what another source says.
pub(super) fn merged(known: ProspectDraft, other: ProspectDraft) -> ProspectDraft {
    let company = CompanyDraft {
        name: known.company.name.or(other.company.name),
        short: known.company.short.or(other.company.short),
        domain: known.company.domain.or(other.company.domain),
        industry: known.company.industry.or(other.company.industry),
        employees: known.company.employees.or(other.company.employees),
        revenue: known.company.revenue.or(other.company.revenue),
        city: known.company.city.or(other.company.city),
        country: known.company.country.or(other.company.country),
    };
    let filled = |list: Vec<_>, other: Vec<_>| if list.is_empty() { other } else { list };
    let mut extra = other.extra;
    extra.extend(known.extra);
    let mut other_emails = known.other_emails;
    for email in other.email.iter().chain(&other.other_emails) {
        if known.email.as_ref() != Some(email) && !other_emails.contains(email) {
            other_emails.push(email.clone());
        }
    }
    let email = known.email.or_else(|| (!other_emails.is_empty()).then(|| other_emails.remove(0)));
    ProspectDraft {
        first_name: known.first_name.or(other.first_name),
        last_name: known.last_name.or(other.last_name),
        salutation: known.salutation.or(other.salutation),
        title: known.title.or(other.title),
        seniority: known.seniority.or(other.seniority),
        department: known.department.or(other.department),
        email,
        other_emails,
        phones: if known.phones.is_empty() { other.phones } else { known.phones },
        linkedin: known.linkedin.or(other.linkedin),
        city: known.city.or(other.city),
        region: known.region.or(other.region),
        country: known.country.or(other.country),
        zone_source: if known.time_zones.is_empty() {
            other.zone_source
        } else {
            known.zone_source
        },
        time_zones: filled(known.time_zones, other.time_zones),
        company,
        owner: known.owner.or(other.owner),
        external_id: known.external_id.or(other.external_id),
        do_not_call: known.do_not_call || other.do_not_call,
        email_opt_out: known.email_opt_out || other.email_opt_out,
        extra,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::prospect::{Phone, Range, ZoneSource};

    fn text() -> impl Strategy<Value = Option<String>> {
        proptest::option::weighted(0.4, "[ab]")
    }

    fn email() -> impl Strategy<Value = EmailAddress> {
        "[ab]@x\\.test".prop_map(|text| text.parse().expect("an address"))
    }

    fn draft() -> impl Strategy<Value = ProspectDraft> {
        let names = (text(), text(), text(), text(), text(), text());
        let places = (text(), text(), text(), text(), text());
        let company = (text(), text(), text(), text(), text(), text());
        let emails = (proptest::option::of(email()), proptest::collection::vec(email(), 0..2));
        let rest = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
        let extra = proptest::collection::btree_map("[ab]", "[ab]", 0..2);
        (names, places, company, emails, rest, extra).prop_map(|(n, p, c, e, r, extra)| {
            let range = r.2.then_some(Range { low: 1, high: None });
            let phone = Phone { e164: "+14155552671".to_owned(), extension: None };
            ProspectDraft {
                first_name: n.0,
                last_name: n.1,
                salutation: n.2,
                title: n.3,
                seniority: n.4,
                department: n.5,
                linkedin: p.0,
                city: p.1,
                region: p.2,
                country: p.3,
                owner: p.4,
                company: CompanyDraft {
                    name: c.0,
                    short: c.1,
                    domain: c.2,
                    industry: c.3,
                    city: c.4,
                    country: c.5,
                    employees: range,
                    revenue: range,
                },
                email: e.0,
                other_emails: e.1,
                do_not_call: r.0,
                email_opt_out: r.1,
                phones: if r.3 { vec![phone] } else { Vec::new() },
                time_zones: if r.4 { vec!["UTC".to_owned()] } else { Vec::new() },
                zone_source: r.4.then_some(ZoneSource::Country),
                extra,
                ..ProspectDraft::default()
            }
        })
    }

    proptest! {
        #[test]
        fn somebody_to_whom_nothing_is_added_stays_as_they_are(known in draft(), other in draft()) {
            if !adds(&known, &other) {
                prop_assert_eq!(merged(known.clone(), other), known);
            }
        }

        #[test]
        fn the_same_row_again_adds_nothing(known in draft()) {
            let known = merged(known.clone(), known);
            prop_assert!(!adds(&known, &known));
        }
    }
}
