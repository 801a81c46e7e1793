//! The language of cadences, profiles and tests as tables: every key, what it takes, and what it means.
//!
//! The one source of what the parsers accept, of the JSON Schemas with which editors help
//! ([`schema`]), and of the reference page ([`reference`]).

use crate::domain::cadence::{Audience, DayKind, Thread, Verb};
use crate::domain::prospect::Relationship;

mod cadence;
mod profile;
pub mod reference;
pub mod schema;
mod test;

pub use cadence::{
    AT_END, CADENCE, CALL, COMPANY, CONDITION, DEFAULTS, EMAIL, ENROLL, ENROLL_WHEN, HAND_OFF,
    LIMITS, RETRY, SOCIAL, STEP, SWITCH_TO, TASK, VERB,
};
pub use profile::{MATCH_LINE, PERSON_CONDITION, PROFILE, SCORE_LINE};
pub use test::{ANSWER, EVENT, LINE, REPLY, TEST, TEST_CASE};

/// One kind of map: which keys it may have.
pub struct Section {
    /// Its name in the schema and on the reference page, such as `step`.
    pub name: &'static str,
    /// What the map is, for messages, such as "a step".
    pub of: &'static str,
    pub about: &'static str,
    pub keys: &'static [Key],
    /// Groups of keys of each of which exactly one is written.
    pub exactly_one: &'static [&'static [&'static str]],
}

/// One key of a map.
#[derive(Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    pub takes: Takes,
    pub about: &'static str,
    /// A value as it stands in a file.
    pub example: &'static str,
    /// What holds when the key is not written; empty when nothing does.
    pub default: &'static str,
    pub need: Need,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
}

/// What a key takes.
#[derive(Clone, Copy)]
pub enum Takes {
    Text,
    /// A name: lower-case letters, digits, `-` and `_`.
    Slug,
    /// One text and no other.
    Exactly(&'static str),
    /// One of these words.
    Words(fn() -> Vec<&'static str>),
    /// A whole number within bounds, both included.
    Number(i64, i64),
    /// A length of time.
    Length,
    /// A span of a day.
    Span,
    /// A date.
    Date,
    /// A date, with or without a time of the day.
    DateTime,
    /// A time of the day, or a span.
    ClockTime,
    /// A date of the person, company or deal, and a length before or behind it.
    Anchor,
    /// The name of a file in `templates/`.
    Template,
    /// A field of a person or company.
    Field,
    /// A value, or a comparison with a number.
    Test,
    /// A range of numbers, or of money.
    Range,
    List(&'static Takes),
    Map(&'static Section),
    /// Free keys, which are names of this kind.
    Keyed(&'static Takes, &'static Takes),
    /// These keys, and free ones behind them; each with what it does by itself.
    Outcomes(&'static Takes),
    /// Any one of these.
    Either(&'static [Takes]),
    Anything,
}

impl Section {
    /// The names of the keys.
    pub fn known(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.keys.iter().map(|key| key.name)
    }

    /// A short map with everything that is needed; none where that would be long.
    pub fn sample(&self) -> Option<String> {
        const FEW: usize = 3;
        let required = self.keys.iter().filter(|key| key.need == Need::Required);
        let one_of = self.exactly_one.iter().filter_map(|group| self.key(group.first()?));
        let mut keys: Vec<&Key> = required.chain(one_of).collect();
        if keys.is_empty() {
            keys.extend(self.keys.first());
        }
        let pairs = keys.iter().map(|key| format!("{}: {}", key.name, key.example));
        let pairs = pairs.collect::<Vec<_>>().join(", ");
        (keys.len() <= FEW).then(|| format!("{{ {pairs} }}"))
    }

    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Key {
    const fn new(
        name: &'static str,
        takes: Takes,
        example: &'static str,
        about: &'static str,
    ) -> Self {
        Self { name, takes, about, example, default: "", need: Need::Optional }
    }

    const fn required(self) -> Self {
        Self { need: Need::Required, ..self }
    }

    const fn or(self, default: &'static str) -> Self {
        Self { default, ..self }
    }
}

/// What `unit` says that goes through a cadence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitWord {
    Prospect,
    Company,
}

/// A cadence with more steps is a mistake, or pestering.
pub const MAX_STEPS: usize = 100;
/// More people of one company at once would be a crowd.
pub const MAX_ROLES: usize = 8;
/// No step stands on a later day.
pub const MAX_DAY: u32 = 1_000;
/// No limit of a cadence is higher.
pub const MAX_LIMIT: u32 = 10_000;
/// More attempts at one step would be pestering.
pub const MAX_RETRIES: u32 = 10;
/// One file holds no more tests.
pub const MAX_TESTS: usize = 200;
/// One test has no more events.
pub const MAX_EVENTS: usize = 50;
/// One test expects no more lines.
pub const MAX_LINES: usize = 300;
/// One step or question gets no more answers.
pub const MAX_ANSWERS: usize = 20;
/// Points beyond this would make the other lines meaningless.
pub const MAX_POINTS: i64 = 1_000;

/// The words of `audience`.
pub const AUDIENCES: [(&str, Audience); 2] =
    [("prospects", Audience::Prospects), ("customers", Audience::Customers)];
/// The words of `relationship`.
pub const RELATIONSHIPS: [(&str, Relationship); 2] =
    [("prospect", Relationship::Prospect), ("customer", Relationship::Customer)];
/// The words of `days`.
pub const DAYS: [(&str, DayKind); 2] =
    [("business", DayKind::Business), ("calendar", DayKind::Calendar)];
/// The words of `thread`.
pub const THREADS: [(&str, Thread); 2] = [("new", Thread::New), ("reply", Thread::Reply)];
/// The words of `unit`.
pub const UNITS: [(&str, UnitWord); 2] =
    [("prospect", UnitWord::Prospect), ("company", UnitWord::Company)];
/// The verbs that need nothing else.
pub const VERBS: [(&str, Verb); 3] =
    [("continue", Verb::Continue), ("triage", Verb::Triage), ("stop", Verb::Stop)];

/// The words of a closed set.
fn words<T>(set: &[(&'static str, T)]) -> Vec<&'static str> {
    set.iter().map(|(word, _)| *word).collect()
}
