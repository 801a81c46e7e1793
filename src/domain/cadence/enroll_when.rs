//! What lets people into a cadence by itself: nothing, an event, or the value of a field.

use std::collections::BTreeSet;

use super::{Audience, Cadence, Condition, EVENTS, Test};
use crate::domain::facts::{Facts, column};
use crate::domain::prospect::{Prospect, ProspectDraft, Relationship};

/// What starts a cadence for somebody. A person of ours may enroll anybody in any of them.
#[derive(Debug, Clone, PartialEq)]
pub enum EnrollWhen {
    /// Nothing does by itself.
    Manual,
    /// Somebody says that this happened to a person.
    Event(String),
    /// From the moment on at which every one of these fields of a person passes its test. Never empty.
    Field(Vec<(String, Test)>),
}

/// Somebody as an import or a person of ours left them.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub known: &'a ProspectDraft,
    pub relationship: Relationship,
}

impl<'a> From<&'a Prospect> for Seen<'a> {
    fn from(person: &'a Prospect) -> Self {
        Self { known: &person.known, relationship: person.relationship }
    }
}

impl Cadence {
    /// Whether the cadence waits for that event.
    pub fn starts_with(&self, event: &str) -> bool {
        matches!(&self.enroll_when, EnrollWhen::Event(name) if name == event)
    }

    /// Whether somebody is for this cadence by the fields that it waits for; never without such fields.
    pub fn is_met_by(&self, seen: Seen<'_>) -> bool {
        let EnrollWhen::Field(tests) = &self.enroll_when else { return false };
        let audience = match self.audience {
            Audience::Prospects => Relationship::Prospect,
            Audience::Customers => Relationship::Customer,
        };
        if seen.relationship != audience {
            return false;
        }
        let asks = |field: &str| tests.iter().any(|(name, _)| column(name) == column(field));
        let facts = Facts::of_draft_for(seen.known, asks);
        tests.iter().all(|(field, test)| facts.get(field).is_some_and(|value| test.passes(value)))
    }

    /// Whether somebody is for this cadence now and was not before; nobody was before they were known.
    pub fn is_newly_met_by(&self, before: Option<Seen<'_>>, now: Seen<'_>) -> bool {
        self.is_met_by(now) && !before.is_some_and(|before| self.is_met_by(before))
    }

    /// The events of a team's own that the cadence waits for or asks for in conditions.
    pub fn own_events(&self) -> BTreeSet<&str> {
        let mut events = BTreeSet::new();
        if let EnrollWhen::Event(name) = &self.enroll_when {
            events.insert(name.as_str());
        }
        for line in self.steps.iter().flat_map(|step| step.only_if.iter().chain(&step.skip_if)) {
            add_events(line, &mut events);
        }
        events.retain(|event| !EVENTS.contains(event));
        events
    }
}

fn add_events<'a>(line: &'a Condition, to: &mut BTreeSet<&'a str>) {
    match line {
        Condition::Event(events) => to.extend(events.iter().map(String::as_str)),
        Condition::Any(groups) => groups.iter().flatten().for_each(|line| add_events(line, to)),
        Condition::Has(_) | Condition::HasNot(_) | Condition::Outcome(_) | Condition::Field(_) => {}
    }
}
