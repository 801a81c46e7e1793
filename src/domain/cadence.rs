//! A cadence: an ordered set of steps, each with one *when* and one *what*.

use std::collections::BTreeMap;

use super::budget::Metered;
use super::ids::{BuyerRole, CadenceId, ProfileId, RoleId, StepId};
use super::reply::ReplyKind;
use super::time::{DaySpan, Delay, Side, Unit};

mod condition;
mod enroll_when;
mod outcome;
mod verb;

pub use condition::{Condition, EVENTS, Test, Unenrolled, Way};
pub(super) use condition::{EMAIL_BOUNCED, EMAIL_REPLIED, OUT_OF_OFFICE};
pub use enroll_when::{EnrollWhen, Seen};
pub use outcome::{
    BOUNCED, CALL_BACK, CALL_OUTCOMES, EMAIL_OUTCOMES, EXPIRED, HAND_OFF_OUTCOMES, Outcome,
    REFUSED, SENT, SKIPPED, SOCIAL_OUTCOMES, TASK_OUTCOMES, is_conversation,
};
pub use verb::{HandOff, Verb};

/// One cadence file after parsing: everything it says, with the defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Cadence {
    pub id: CadenceId,
    pub title: String,
    pub about: String,
    /// What one enrollment covers.
    pub unit: Covers,
    pub audience: Audience,
    pub profiles: Admission,
    /// What lets people in by itself.
    pub enroll_when: EnrollWhen,
    /// How long after an enrollment ended the same person may come again; `None` is never.
    pub again_after: Option<Delay>,
    /// What `day: 3` counts.
    pub days: DayKind,
    /// The name of a calendar in the settings.
    pub calendar: String,
    /// When automatic mail may leave, on the prospect's clock; sorted, not overlapping, not empty.
    pub send_window: Vec<DaySpan>,
    pub limits: Limits,
    /// What a reply or a meeting does to people of the same company in this cadence.
    pub company: Colleagues,
    /// What a reply of each kind leads to; when empty, a reply ends the enrollment at once.
    pub replies: BTreeMap<ReplyKind, Verb>,
    /// Outcomes of our own for everything that a person does, each with what it is called.
    pub custom_outcomes: BTreeMap<Outcome, String>,
    /// Never empty.
    pub steps: Vec<Step>,
    pub at_end: Verb,
}

/// What one enrollment covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Covers {
    /// One person.
    Prospect,
    /// One company: several people and one conversation.
    Company {
        /// Each role with the profile by which its person is found, in the order of the file: nobody
        /// has two roles, and the first choice is the first role's. Never empty.
        roles: Vec<(BuyerRole, ProfileId)>,
    },
}

impl Covers {
    /// The roles of an account; none where an enrollment covers one person.
    pub fn roles(&self) -> &[(BuyerRole, ProfileId)] {
        match self {
            Self::Prospect => &[],
            Self::Company { roles } => roles,
        }
    }
}

/// What happens to the others of a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colleagues {
    pub on_reply: Others,
    pub on_meeting: Others,
}

impl Colleagues {
    /// What holds where the file is silent: a reply holds the others where somebody is asked what it
    /// means, so that there is a moment at which they go on.
    pub fn usual(unit: &Covers, asks: bool) -> Self {
        match unit {
            // One conversation: nobody else is written to while somebody has answered, and a meeting
            // is what it was for.
            Covers::Company { .. } => Self { on_reply: Others::Pause, on_meeting: Others::Stop },
            Covers::Prospect => {
                let on_reply = if asks { Others::Pause } else { Others::Nothing };
                Self { on_reply, on_meeting: Others::Nothing }
            }
        }
    }
}

/// What the others of a company do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    Pause,
    Stop,
    Nothing,
}

impl Others {
    /// Every choice with the word that a cadence writes for it.
    pub const ALL: [(&'static str, Self); 3] =
        [("pause_others", Self::Pause), ("stop_others", Self::Stop), ("nothing", Self::Nothing)];
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
    pub active_per_rep: Option<u32>,
    pub per_company_at_once: Option<u32>,
    pub touches_per_prospect_per_day: Option<u32>,
    pub touches_per_company_per_week: Option<u32>,
}

/// One step: when, what, for whom, and what its outcomes lead to.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub id: StepId,
    pub when: When,
    pub what: What,
    /// Whose task it is, where it is one.
    pub by: By,
    /// For whom at the account: the first of these roles whose person is still in it. Empty for the
    /// account itself, and wherever an enrollment covers one person.
    pub to: Vec<BuyerRole>,
    /// Skipped unless all of these hold.
    pub only_if: Vec<Condition>,
    /// Skipped if all of these hold (and there is at least one).
    pub skip_if: Vec<Condition>,
    /// A task that nobody did for so long expires, and the cadence goes on.
    pub expires_after: Delay,
    pub priority: Priority,
    pub hours: StepHours,
    /// How soon the task should be done: a target, no limit.
    pub within: Option<Delay>,
    /// Only what differs from the built-in behaviour.
    pub outcomes: BTreeMap<Outcome, Verb>,
}

/// Who does a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// Whose prospect the person is.
    Owner,
    /// Somebody who holds that role; the owner when nobody does.
    Role(RoleId),
}

/// From what a step's time is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Day 1 is the first (working) day on or after enrollment.
    Day(u32),
    /// From the moment the step above was done or skipped.
    After(Delay),
    /// A date of the person.
    At(Anchor),
}

/// A date of the person, and a length before or behind it: `close_date + 14 days`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The field that holds the date.
    pub field: String,
    pub side: Side,
    /// In days, weeks or business days.
    pub delay: Delay,
}

impl std::fmt::Display for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { field, side, delay } = self;
        let sign = match side {
            Side::Before => '-',
            Side::Behind => '+',
        };
        match delay.amount {
            0 => f.write_str(field),
            _ => write!(f, "{field} {sign} {delay}"),
        }
    }
}

/// Which hours a step keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepHours {
    /// The calendar's, and for mail the send window.
    Calendar,
    /// None: this mail may leave at night.
    Any,
}

impl StepHours {
    /// Every choice with the word that a cadence writes for it.
    pub const ALL: [(&'static str, Self); 2] = [("calendar", Self::Calendar), ("any", Self::Any)];
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Email {
        content: Content,
        thread: Thread,
        mode: MailMode,
    },
    Call {
        script: String,
        voicemail: Option<String>,
    },
    Social {
        network: String,
        act: SocialAct,
        text: Option<String>,
    },
    Task {
        title: String,
        notes: Option<String>,
        /// The task is not done until these fields of the person are known.
        collect: Vec<String>,
    },
    HandOff(HandOff),
}

/// Whether a person reads a mail before it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailMode {
    Auto,
    Review,
}

impl MailMode {
    /// Every mode with the word that a cadence writes for it.
    pub const ALL: [(&'static str, Self); 2] = [("auto", Self::Auto), ("review", Self::Review)];
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

impl What {
    /// What LinkedIn counts when this is done there.
    pub fn metered(&self) -> Option<Metered> {
        let Self::Social { network, act: SocialAct::Connect, text } = self else { return None };
        let metered = if text.is_some() { Metered::InviteWithNote } else { Metered::Invite };
        network.eq_ignore_ascii_case("linkedin").then_some(metered)
    }

    /// The outcomes that a person (or the engine, for mail) may record for such a step.
    pub fn outcomes(&self) -> &'static [(&'static str, Verb)] {
        match self {
            Self::Email { .. } => EMAIL_OUTCOMES,
            Self::Call { .. } => CALL_OUTCOMES,
            Self::Social { .. } => SOCIAL_OUTCOMES,
            Self::Task { .. } => TASK_OUTCOMES,
            Self::HandOff(_) => HAND_OFF_OUTCOMES,
        }
    }

    /// Whether it is a mail that a person reads before it leaves.
    pub fn is_reviewed(&self) -> bool {
        matches!(self, Self::Email { mode: MailMode::Review, .. })
    }

    /// Whether it lies in somebody's queue before anything happens.
    pub fn is_a_task(&self) -> bool {
        match self {
            Self::Email { .. } => self.is_reviewed(),
            Self::Call { .. } | Self::Social { .. } | Self::Task { .. } => true,
            Self::HandOff(_) => false,
        }
    }

    /// Whether a person does it and says what came of it, in words of the file's own if it has some.
    pub fn takes_own_outcomes(&self) -> bool {
        match self {
            Self::Call { .. } | Self::Social { .. } | Self::Task { .. } => true,
            Self::Email { .. } | Self::HandOff(_) => false,
        }
    }

    /// The channel that the step touches.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Email { .. } => Channel::Email,
            Self::Call { .. } => Channel::Call,
            Self::Social { .. } => Channel::Social,
            Self::Task { .. } | Self::HandOff(_) => Channel::Task,
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
            Some(verb) => verb.clone(),
            None => built_in().map_or(Verb::Continue, |(_, verb)| verb.clone()),
        }
    }
}

impl Cadence {
    /// The step of that id and where it stands.
    pub fn step(&self, id: &StepId) -> Option<(usize, &Step)> {
        self.steps.iter().enumerate().find(|(_, step)| step.id == *id)
    }

    /// What may be recorded for a step, each with what it is called when the file says so.
    pub fn outcomes_of(&self, what: &What) -> Vec<(Outcome, Option<&str>)> {
        let built_in = what.outcomes().iter().map(|(slug, _)| (Outcome::from(*slug), None));
        let own = self.custom_outcomes.iter().filter(|_| what.takes_own_outcomes());
        let own = own.map(|(outcome, label)| (outcome.clone(), Some(label.as_str())));
        built_in.filter(|(slug, _)| slug.as_str() != EXPIRED).chain(own).collect()
    }

    /// Every verb of the file.
    pub fn verbs(&self) -> impl Iterator<Item = &Verb> {
        let of_steps = self.steps.iter().flat_map(|step| step.outcomes.values());
        of_steps.chain(self.replies.values()).chain([&self.at_end])
    }
}
