//! People who fit buyer profiles, drawn from a seed: for a simulation without a list.

use crate::domain::budget::mix;
use crate::domain::facts::Facts;
use crate::domain::forecast::{Assumptions, Share};
use crate::domain::profile::{Criterion, Fit, Profile, Wants, evaluate};
use crate::domain::prospect::{CompanyDraft, Phone, ProspectDraft, Range, ZoneSource};
use crate::formats::zone;

/// Colleagues at one company at most; at least one.
const COLLEAGUES: u64 = 3;

/// How often somebody is drawn anew who does not fit by chance.
const TRIES: u64 = 20;

const FIRST_NAMES: &[&str] = &[
    "Ada", "Ben", "Cleo", "Dana", "Emil", "Fatima", "Grace", "Hugo", "Ines", "Jonas", "Kira",
    "Liam", "Mara", "Noah", "Olga", "Priya", "Quinn", "Rosa", "Sven", "Tara",
];

const LAST_NAMES: &[&str] = &[
    "Adler", "Brook", "Castro", "Dunn", "Evans", "Fischer", "Garcia", "Hansen", "Ito", "Jones",
    "Keller", "Lopez", "Moreau", "Novak", "Okafor", "Patel", "Reyes", "Silva", "Tanaka", "Weber",
];

/// Where people sit in countries of several time zones: most of a country's business, not all of it.
const REGIONS: &[(&str, &[&str])] = &[
    ("AU", &["NSW", "VIC", "QLD", "WA"]),
    ("BR", &["SP", "RJ", "MG"]),
    ("CA", &["ON", "QC", "BC", "AB"]),
    ("MX", &["CMX", "NLE", "JAL"]),
    ("US", &["NY", "CA", "TX", "MA", "IL", "GA", "WA", "CO", "FL", "PA"]),
];

/// So many people. Each fits one of the profiles as far as people can be drawn for it; who does not is
/// left to the engine, which says why.
pub fn draw(
    profiles: &[Profile],
    assumed: &Assumptions,
    seed: u64,
    n: usize,
) -> Vec<ProspectDraft> {
    let mut people = Vec::with_capacity(n);
    let mut company = 0;
    while people.len() < n {
        company += 1;
        let chance = Chance(mix(seed ^ mix(company)));
        let profile = chance.pick(profiles, 1);
        for colleague in 0..=chance.number(2) % COLLEAGUES {
            if people.len() < n {
                let id = people.len() as u64 + 1;
                people.push(person(profile, assumed, (company, chance), colleague, id));
            }
        }
    }
    people
}

/// Gives a person everything that a profile asks for, so that they fit it as far as anybody can be made to.
pub fn suit(profile: &Profile, seed: u64, draft: &mut ProspectDraft) {
    let chance = Chance(mix(seed));
    for (position, criterion) in profile.criteria.iter().enumerate() {
        meet(criterion, position as u64, chance, chance, draft);
    }
    require(profile, draft);
}

/// Columns that a profile requires hold something.
fn require(profile: &Profile, draft: &mut ProspectDraft) {
    for field in profile.require.iter().filter_map(|field| field.strip_prefix("x.")) {
        draft.extra.entry(field.to_owned()).or_insert_with(|| "known".to_owned());
    }
}

/// The same by the company: at each one person for each of the profiles.
pub fn draw_accounts(
    profiles: &[Profile],
    assumed: &Assumptions,
    seed: u64,
    n: usize,
) -> Vec<ProspectDraft> {
    let each = (profiles.len() as u64).max(1);
    let one = |id: u64| {
        let (company, place) = (id / each + 1, id % each);
        let chance = Chance(mix(seed ^ mix(company)));
        let profile = usize::try_from(place).ok().and_then(|place| profiles.get(place));
        person(profile, assumed, (company, chance), place, id + 1)
    };
    (0..n as u64).map(one).collect()
}

/// Numbers that belong to one company or person.
#[derive(Clone, Copy)]
struct Chance(u64);

impl Chance {
    fn number(self, purpose: u64) -> u64 {
        mix(self.0 ^ mix(purpose))
    }

    fn pick<T>(self, from: &[T], purpose: u64) -> Option<&T> {
        let at = self.number(purpose) % (from.len() as u64).max(1);
        from.get(usize::try_from(at).unwrap_or(0))
    }

    fn holds(self, share: Share, purpose: u64) -> bool {
        share.holds(self.number(purpose))
    }
}

fn person(
    profile: Option<&Profile>,
    assumed: &Assumptions,
    (company, at_company): (u64, Chance),
    colleague: u64,
    id: u64,
) -> ProspectDraft {
    let mut draft = ProspectDraft::default();
    for attempt in 0..TRIES {
        let own = Chance(mix(at_company.0 ^ mix(colleague + 1) ^ attempt << 32));
        draft = try_person(profile, assumed, (company, at_company), own, id);
        let fits = |profile: &Profile| {
            matches!(evaluate(profile, &Facts::of_draft(&draft)).fit, Fit::Fits { .. })
        };
        if profile.is_none_or(fits) {
            break;
        }
    }
    draft
}

fn try_person(
    profile: Option<&Profile>,
    assumed: &Assumptions,
    (company, at_company): (u64, Chance),
    own: Chance,
    id: u64,
) -> ProspectDraft {
    let (first, last) = (own.pick(FIRST_NAMES, 1), own.pick(LAST_NAMES, 2));
    let (first, last) = (first.copied().unwrap_or_default(), last.copied().unwrap_or_default());
    let domain = format!("company-{company}.example");
    let address = format!("{first}.{last}.{id}@{domain}").to_lowercase();
    let requires = |field: &str| profile.is_some_and(|p| p.require.iter().any(|f| f == field));
    let mut draft = ProspectDraft {
        first_name: Some(first.to_owned()),
        last_name: Some(last.to_owned()),
        title: Some("Manager".to_owned()),
        email: address.parse().ok(),
        country: Some("US".to_owned()),
        company: CompanyDraft {
            name: Some(format!("Company {company} Inc.")),
            short: Some(format!("Company {company}")),
            domain: Some(domain),
            employees: Some(Range { low: 200, high: Some(200) }),
            ..CompanyDraft::default()
        },
        ..ProspectDraft::default()
    };
    if requires("phone") || own.holds(assumed.with_phone, 3) {
        draft.phones.push(Phone { e164: format!("+1555{id:07}"), extension: None });
    }
    if requires("linkedin_url") || own.holds(assumed.with_linkedin, 4) {
        draft.linkedin = Some(format!("{first}-{last}-{id}").to_lowercase());
    }
    if let Some(profile) = profile {
        for (position, criterion) in profile.criteria.iter().enumerate() {
            meet(criterion, position as u64, at_company, own, &mut draft);
        }
        require(profile, &mut draft);
    }
    place(&mut draft, at_company);
    draft
}

fn place(draft: &mut ProspectDraft, at_company: Chance) {
    let country = draft.country.clone().unwrap_or_default();
    let regions = REGIONS.iter().find(|(known, _)| *known == country).map(|(_, regions)| *regions);
    if let (None, Some(regions)) = (&draft.region, regions) {
        draft.region = at_company.pick(regions, 5).map(|region| (*region).to_owned());
    }
    draft.time_zones = zone::time_zones(draft.country.as_deref(), draft.region.as_deref(), None);
    draft.zone_source =
        Some(if draft.region.is_some() { ZoneSource::Region } else { ZoneSource::Country });
    draft.company.country.clone_from(&draft.country);
}

/// Gives the person what one line of `match` asks for.
fn meet(
    criterion: &Criterion,
    position: u64,
    at_company: Chance,
    own: Chance,
    draft: &mut ProspectDraft,
) {
    // Colleagues share the company, not the title.
    let is_the_companys = matches!(
        criterion.field.as_str(),
        "employees" | "revenue" | "industry" | "country" | "region" | "city"
    ) || criterion.field.starts_with("company.");
    let chance = if is_the_companys { at_company } else { own };
    let purpose = 100 + position;
    match &criterion.wants {
        Wants::Within(range) => {
            let high = range.high.unwrap_or(range.low.saturating_mul(4)).max(range.low);
            let span = (high - range.low).saturating_add(1);
            let value = range.low + chance.number(purpose) % span;
            let exactly = Some(Range { low: value, high: Some(value) });
            match criterion.field.as_str() {
                "employees" => draft.company.employees = exactly,
                "revenue" => draft.company.revenue = exactly,
                other => put_extra(draft, other, value.to_string()),
            }
        }
        Wants::Words { any, .. } => {
            if let Some(word) = chance.pick(any, purpose) {
                put(draft, &criterion.field, word.clone());
            }
        }
    }
}

fn put(draft: &mut ProspectDraft, field: &str, value: String) {
    let company = &mut draft.company;
    let slot = match field {
        "title" => &mut draft.title,
        "seniority" => &mut draft.seniority,
        "department" => &mut draft.department,
        "salutation" => &mut draft.salutation,
        "city" => &mut draft.city,
        "region" => &mut draft.region,
        "country" => &mut draft.country,
        "industry" => &mut company.industry,
        "company.city" => &mut company.city,
        "company.name" => &mut company.name,
        other => return put_extra(draft, other, value),
    };
    *slot = Some(value);
}

fn put_extra(draft: &mut ProspectDraft, field: &str, value: String) {
    let slug = field.strip_prefix("x.").unwrap_or(field);
    draft.extra.insert(slug.to_owned(), value);
}
