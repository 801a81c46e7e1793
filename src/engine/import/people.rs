//! How people of lists are recognised, what blocks them, and what becomes of what two lists say.

use crate::domain::address::EmailAddress;
use crate::domain::prospect::{CompanyDraft, ProspectDraft};
use crate::domain::suppression::Subject;
use crate::ports::Identity;

/// Somebody of the same name at the same company: perhaps the same person, never merged by itself.
pub(super) const NAME_AT_COMPANY: &str = "name_company";

/// Every way to recognise somebody, best first; the last one only suggests.
pub fn identities(draft: &ProspectDraft) -> Vec<Identity> {
    let identity = |kind, value: String| Identity { kind, value };
    let external = draft.external_id.iter().map(|id| identity("external", id.clone()));
    let emails = draft.email.iter().chain(&draft.other_emails);
    let emails = emails.map(|email| identity("email", EmailAddress::canonical(email)));
    let linkedin = draft.linkedin.iter().map(|slug| identity("linkedin", slug.clone()));
    let last = draft.last_name.as_ref().map(|name| name.to_lowercase());
    let phones = draft.phones.iter().take(2).filter_map(|phone| {
        Some(identity("phone_name", format!("{}/{}", phone.e164, last.as_ref()?)))
    });
    let name = name_at_company(draft).map(|value| identity(NAME_AT_COMPANY, value));
    external.chain(emails).chain(linkedin).chain(phones).chain(name).collect()
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
