//! A cadence: an ordered set of steps, each with one *when* and one *what*.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::ids::{CadenceId, ProfileId, StepId};
use super::time::{DaySpan, Delay, Unit};

/// One cadence file after parsing: everything it says, with the defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Cadence {
    pub id: CadenceId,
    pub title: String,
    pub about: String,
    pub audience: Audience,
    pub profiles: Admission,
    /// How long after an enrollment ended the same person may come again; `None` is never.
    pub again_after: Option<Delay>,
    /// What `day: 3` counts.
    pub days: DayKind,
    /// The name of a calendar in the settings.
    pub calendar: String,
    /// When automatic mail may leave, on the prospect's clock; sorted, not overlapping, not empty.
    pub send_window: Vec<DaySpan>,
    pub limits: Limits,
    /// Never empty.
    pub steps: Vec<Step>,
    pub at_end: Verb,
}

/// Whom a cadence is for. A customer can never receive a cold cadence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Prospects,
    Customers,
}

/// Which buyer profiles may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// `profiles: [any]`.
    Anybody,
    /// One of these must match; best score wins, then the order of the file.
    OneOf(Vec<ProfileId>),
}

/// Whether days are counted on the calendar of work or of the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    Business,
    Calendar,
}

impl DayKind {
    /// So many days of this kind.
    pub fn delay(self, amount: u32) -> Delay {
        match self {
            Self::Business => Delay::new(amount, Unit::BusinessDays),
            Self::Calendar => Delay::new(amount, Unit::Days),
        }
    }
}

/// How dense a cadence may get. `None` leaves the product's own limit in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    pub new_per_rep_per_day: Option<u32>,
    pub per_company_at_once: Option<u32>,
    pub touches_per_prospect_per_day: Option<u32>,
}

/// One step: when, what, for whom, and what its outcomes lead to.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub id: StepId,
    pub when: When,
    pub what: What,
    /// Skipped unless all of these hold.
    pub only_if: Vec<Condition>,
    /// Skipped if all of these hold (and there is at least one).
    pub skip_if: Vec<Condition>,
    /// A task that nobody did for so long expires, and the cadence goes on.
    pub expires_after: Delay,
    pub priority: Priority,
    /// Only what differs from the built-in behaviour.
    pub outcomes: BTreeMap<Outcome, Verb>,
}

/// From what a step's time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Day 1 is the first (working) day on or after enrollment.
    Day(u32),
    /// From the moment the step above was done or skipped.
    After(Delay),
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Email { content: Content, thread: Thread },
    Call { script: String, voicemail: Option<String> },
    Social { network: String, act: SocialAct, text: Option<String> },
    Task { title: String, notes: Option<String> },
}

/// Which template a mail uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Template(String),
    /// Template and weight; the weights add up to 100. In the order of the file.
    Split(Vec<(String, u32)>),
}

/// Whether a mail starts a conversation or goes on with the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thread {
    New,
    Reply,
}

/// What to do on a social network; always done by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocialAct {
    View,
    Follow,
    Like,
    Comment,
    Connect,
    Message,
}

impl SocialAct {
    /// Every act with the word that a cadence writes for it.
    pub const ALL: [(&'static str, Self); 6] = [
        ("view", Self::View),
        ("follow", Self::Follow),
        ("like", Self::Like),
        ("comment", Self::Comment),
        ("connect", Self::Connect),
        ("message", Self::Message),
    ];
}

/// How soon a task should be done, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    Urgent,
    High,
    Normal,
    Low,
}

impl Priority {
    /// Every priority with the word that a cadence writes for it.
    pub const ALL: [(&'static str, Self); 4] = [
        ("urgent", Self::Urgent),
        ("high", Self::High),
        ("normal", Self::Normal),
        ("low", Self::Low),
    ];
}

/// What happens next for this person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Go on to the next step.
    Continue,
    /// Stop the clock for this person and ask the owner to look.
    Triage,
    /// Finish this cadence for this person.
    Stop,
    /// The same step again, at most `max` more times; after that it continues.
    Retry { after: Delay, max: u32 },
    /// Resume at the next step after that.
    Pause(Delay),
}

/// What came of a step, as a slug such as `left_voicemail`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Outcome(pub String);

impl Outcome {
    /// The slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Outcome {
    fn from(slug: &str) -> Self {
        Self(slug.to_owned())
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A mail was taken over by a server.
pub const SENT: &str = "sent";
/// A task that nobody did in time.
pub const EXPIRED: &str = "expired";
/// A step whose conditions did not hold, whose channel is closed, or that a person skipped.
pub const SKIPPED: &str = "skipped";
/// A mail that a server refused for good.
pub const REFUSED: &str = "refused";
/// A mail that was taken over and came back.
pub const BOUNCED: &str = "bounced";

/// The built-in outcomes of a call, and what they lead to when the file is silent.
pub const CALL_OUTCOMES: &[(&str, Verb)] = &[
    ("meeting_booked", Verb::Stop),
    ("interested", Verb::Triage),
    ("call_back", Verb::Triage),
    ("not_now", Verb::Pause(Delay::new(60, Unit::Days))),
    ("not_interested", Verb::Stop),
    ("referred", Verb::Triage),
    ("gatekeeper", Verb::Continue),
    ("left_voicemail", Verb::Continue),
    ("no_answer", Verb::Continue),
    ("bad_number", Verb::Continue),
    ("do_not_call", Verb::Continue),
];

/// The built-in outcomes of a social task.
pub const SOCIAL_OUTCOMES: &[(&str, Verb)] = &[
    ("done", Verb::Continue),
    ("accepted", Verb::Continue),
    ("already_connected", Verb::Continue),
    ("replied", Verb::Triage),
    ("not_found", Verb::Continue),
];

/// The built-in outcomes of a free task.
pub const TASK_OUTCOMES: &[(&str, Verb)] = &[("done", Verb::Continue)];

/// The outcomes of an e-mail step that the engine itself records.
pub const EMAIL_OUTCOMES: &[(&str, Verb)] = &[(SENT, Verb::Continue), (REFUSED, Verb::Continue)];

impl What {
    /// The outcomes that a person (or the engine, for mail) may record for such a step.
    pub fn outcomes(&self) -> &'static [(&'static str, Verb)] {
        match self {
            Self::Email { .. } => EMAIL_OUTCOMES,
            Self::Call { .. } => CALL_OUTCOMES,
            Self::Social { .. } => SOCIAL_OUTCOMES,
            Self::Task { .. } => TASK_OUTCOMES,
        }
    }

    /// The channel that the step touches.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Email { .. } => Channel::Email,
            Self::Call { .. } => Channel::Call,
            Self::Social { .. } => Channel::Social,
            Self::Task { .. } => Channel::Task,
        }
    }
}

/// The way on which somebody is touched; `Task` touches nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    Email,
    Call,
    Social,
    Task,
}

impl Channel {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Call => "call",
            Self::Social => "social",
            Self::Task => "task",
        }
    }
}

impl Channel {
    /// The field without which nobody can be touched on this channel.
    pub fn needed_field(self) -> Option<&'static str> {
        match self {
            Self::Email => Some("email"),
            Self::Call => Some("phone"),
            Self::Social => Some("linkedin_url"),
            Self::Task => None,
        }
    }
}

impl Step {
    /// What an outcome of this step leads to: the file's word, else the built-in one.
    pub fn verb(&self, outcome: &Outcome) -> Verb {
        let built_in = || self.what.outcomes().iter().find(|(slug, _)| *slug == outcome.as_str());
        match self.outcomes.get(outcome) {
            Some(verb) => *verb,
            None => built_in().map_or(Verb::Continue, |(_, verb)| *verb),
        }
    }
}

impl Cadence {
    /// The step of that id and where it stands.
    pub fn step(&self, id: &StepId) -> Option<(usize, &Step)> {
        self.steps.iter().enumerate().find(|(_, step)| step.id == *id)
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
    pub fn fields(&self, to: &mut std::collections::BTreeSet<String>) {
        match self {
            Self::Has(fields) | Self::HasNot(fields) => to.extend(fields.iter().cloned()),
            Self::Field(tests) => to.extend(tests.iter().map(|(field, _)| field.clone())),
            Self::Any(groups) => {
                groups.iter().flatten().for_each(|condition| condition.fields(to));
            }
            Self::Outcome(_) => {}
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
    /// Whether the line holds, given what is known of the person and what came of the earlier steps.
    pub fn holds(&self, facts: &Facts, outcome_of: &dyn Fn(&StepId) -> Option<Outcome>) -> bool {
        match self {
            Self::Has(fields) => fields.iter().all(|field| facts.has(field)),
            Self::HasNot(fields) => !fields.iter().any(|field| facts.has(field)),
            Self::Outcome(lines) => lines
                .iter()
                .all(|(step, wanted)| outcome_of(step).is_some_and(|got| wanted.contains(&got))),
            Self::Field(lines) => lines
                .iter()
                .all(|(field, test)| facts.get(field).is_some_and(|value| test.passes(value))),
            Self::Any(groups) => {
                groups.iter().any(|group| group.iter().all(|line| line.holds(facts, outcome_of)))
            }
        }
    }
}

/// Whether an outcome of a call or a social touch means that the person said something to us: a reply.
pub fn is_conversation(channel: Channel, outcome: &Outcome) -> bool {
    const CALL: [&str; 7] = [
        "meeting_booked",
        "interested",
        "call_back",
        "not_now",
        "not_interested",
        "referred",
        "do_not_call",
    ];
    match channel {
        Channel::Call => CALL.contains(&outcome.as_str()),
        Channel::Social => outcome.as_str() == "replied",
        Channel::Email | Channel::Task => false,
    }
}
