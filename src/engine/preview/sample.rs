//! A made-up person of whom everything is known.

use std::collections::BTreeMap;

use super::{Basis, Someone};
use crate::domain::facts::FIELDS;
use crate::domain::ids::{BuyerRole, ProspectId, RepId};
use crate::domain::prospect::{
    CompanyDraft, Phone, Prospect, ProspectDraft, Range, Relationship, ZoneSource,
};

impl Basis {
    /// Somebody who has every field that the templates name; nobody can be reached at the address
    /// (RFC 2606) or the number.
    pub fn sample(&self) -> Someone {
        let reps = self.settings.reps();
        let owner = reps.into_iter().next().unwrap_or_else(|| RepId::from("me"));
        let known = ProspectDraft { extra: self.columns(), ..dana() };
        let relationship = match self.cadence().audience {
            crate::domain::cadence::Audience::Prospects => Relationship::Prospect,
            crate::domain::cadence::Audience::Customers => Relationship::Customer,
        };
        let prospect = Prospect { id: ProspectId(0), company_id: None, owner, relationship, known };
        Someone { prospect, blocks: Vec::new(), history: Vec::new(), is_sample: true }
    }

    /// The same; for a cadence that covers companies one for each role.
    pub fn samples(&self) -> Vec<Someone> {
        let roles = self.cadence().unit.roles();
        if roles.is_empty() {
            return vec![self.sample()];
        }
        let named = (1..).zip(roles).zip(COLLEAGUES.iter().cycle());
        named.map(|((id, (role, _)), name)| self.colleague(ProspectId(id), role, name)).collect()
    }

    fn colleague(&self, id: ProspectId, role: &BuyerRole, (first, last): &(&str, &str)) -> Someone {
        let mut someone = self.sample();
        someone.prospect.id = id;
        let known = &mut someone.prospect.known;
        known.email = format!("{first}.{last}@northwind.example").to_lowercase().parse().ok();
        known.title = Some(format!("({role})"));
        known.first_name = Some((*first).to_owned());
        known.last_name = Some((*last).to_owned());
        someone
    }

    /// Every column of a list that a template names, with a value that says so.
    fn columns(&self) -> BTreeMap<String, String> {
        let templates = self.templates();
        let all = templates.names().filter_map(|name| templates.get(name));
        let fields = all.flat_map(|template| template.fields.iter().chain(&template.needs));
        let own = fields.filter_map(|field| match field.strip_prefix("x.") {
            Some(own) => Some(own),
            None => {
                (!FIELDS.contains(&field.as_str()) && !is_ours(field)).then_some(field.as_str())
            }
        });
        own.map(|slug| (slug.to_owned(), format!("(their {})", slug.replace(['_', '-'], " "))))
            .collect()
    }
}

/// Made-up people of one company.
const COLLEAGUES: [(&str, &str); 8] = [
    ("Dana", "Whitfield"),
    ("Priya", "Nair"),
    ("Tomas", "Becker"),
    ("Grace", "Okafor"),
    ("Henrik", "Lund"),
    ("Mei", "Tanaka"),
    ("Lucia", "Moretti"),
    ("Samuel", "Adeyemi"),
];

fn is_ours(field: &str) -> bool {
    field.contains('.') || field == "today"
}

fn dana() -> ProspectDraft {
    let text = |text: &str| Some(text.to_owned());
    ProspectDraft {
        first_name: text("Dana"),
        last_name: text("Whitfield"),
        salutation: text("Ms"),
        title: text("VP Sales"),
        seniority: text("vp"),
        department: text("sales"),
        email: "dana.whitfield@northwind.example".parse().ok(),
        phones: vec![Phone { e164: "+14155550123".to_owned(), extension: None }],
        linkedin: text("dana-whitfield-example"),
        city: text("San Francisco"),
        region: text("CA"),
        country: text("US"),
        time_zones: vec!["America/Los_Angeles".to_owned()],
        zone_source: Some(ZoneSource::Region),
        company: CompanyDraft {
            name: text("Northwind Data, Inc."),
            short: text("Northwind Data"),
            domain: text("northwind.example"),
            industry: text("software"),
            employees: Some(Range { low: 240, high: Some(240) }),
            revenue: Some(Range { low: 30_000_000, high: Some(30_000_000) }),
            city: text("San Francisco"),
            country: text("US"),
        },
        ..ProspectDraft::default()
    }
}
