//! `only_if` and `skip_if` as data: what must hold of a person and of the way so far.

use std::collections::BTreeSet;

use super::Outcome;
use crate::domain::facts::Facts;
use crate::domain::ids::StepId;

/// The events that the engine notes on an enrollment by itself; any other name is one that somebody tells.
pub const EVENTS: [&str; 3] = [EMAIL_REPLIED, OUT_OF_OFFICE, EMAIL_BOUNCED];

/// A person answered a mail.
pub(in crate::domain) const EMAIL_REPLIED: &str = "email_replied";
/// A machine said that the person is away.
pub(in crate::domain) const OUT_OF_OFFICE: &str = "out_of_office";
/// A mail came back, and the address is dead.
pub(in crate::domain) const EMAIL_BOUNCED: &str = "email_bounced";

/// What has happened on somebody's way through a cadence.
pub trait Way {
    /// What came of a step.
    fn outcome_of(&self, step: &StepId) -> Option<Outcome>;
    /// Whether that event was noted.
    fn has_happened(&self, event: &str) -> bool;
}

/// A person who is on no way yet.
pub struct Unenrolled;

impl Way for Unenrolled {
    fn outcome_of(&self, _step: &StepId) -> Option<Outcome> {
        None
    }

    fn has_happened(&self, _event: &str) -> bool {
        false
    }
}

/// One line of `only_if` or `skip_if`.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All of these fields are known.
    Has(Vec<String>),
    /// None of these fields is known.
    HasNot(Vec<String>),
    /// Each of these steps had one of its outcomes.
    Outcome(Vec<(StepId, Vec<Outcome>)>),
    /// Each of these fields passes its test.
    Field(Vec<(String, Test)>),
    /// At least one of these events has happened on the way.
    Event(Vec<String>),
    /// At least one of these groups holds in all its lines.
    Any(Vec<Vec<Condition>>),
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The same text, whatever its case.
    Is(String),
    AtLeast(f64),
    AtMost(f64),
    MoreThan(f64),
    LessThan(f64),
}

impl Condition {
    /// Adds the fields that it asks for.
    pub fn fields(&self, to: &mut BTreeSet<String>) {
        match self {
            Self::Has(fields) | Self::HasNot(fields) => to.extend(fields.iter().cloned()),
            Self::Field(tests) => to.extend(tests.iter().map(|(field, _)| field.clone())),
            Self::Any(groups) => {
                groups.iter().flatten().for_each(|condition| condition.fields(to));
            }
            Self::Outcome(_) | Self::Event(_) => {}
        }
    }
}

impl Test {
    /// Whether a known value passes. A value that is no number fails every comparison.
    pub fn passes(&self, value: &str) -> bool {
        let number = value.trim().parse::<f64>().ok();
        let compare =
            |holds: fn(f64, f64) -> bool, bound: f64| number.is_some_and(|n| holds(n, bound));
        match self {
            Self::Is(text) => value.to_lowercase() == text.to_lowercase(),
            Self::AtLeast(bound) => compare(|n, b| n >= b, *bound),
            Self::AtMost(bound) => compare(|n, b| n <= b, *bound),
            Self::MoreThan(bound) => compare(|n, b| n > b, *bound),
            Self::LessThan(bound) => compare(|n, b| n < b, *bound),
        }
    }
}

impl Condition {
    /// Whether the line holds, given what is known of the person and what has happened on the way.
    pub fn holds(&self, facts: &Facts, way: &dyn Way) -> bool {
        match self {
            Self::Has(fields) => fields.iter().all(|field| facts.has(field)),
            Self::HasNot(fields) => !fields.iter().any(|field| facts.has(field)),
            Self::Outcome(lines) => lines.iter().all(|(step, wanted)| {
                way.outcome_of(step).is_some_and(|got| wanted.contains(&got))
            }),
            Self::Field(lines) => lines
                .iter()
                .all(|(field, test)| facts.get(field).is_some_and(|value| test.passes(value))),
            Self::Event(wanted) => wanted.iter().any(|event| way.has_happened(event)),
            Self::Any(groups) => {
                groups.iter().any(|group| group.iter().all(|line| line.holds(facts, way)))
            }
        }
    }
}
