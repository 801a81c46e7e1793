//! One person going through one cadence: the states, the events, and the one function between them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use std::collections::{BTreeMap, BTreeSet};

use super::cadence::{
    BOUNCED, Cadence, Channel, EMAIL_REPLIED, HandOff, Outcome, REFUSED, SKIPPED, Verb, Way, When,
};
use super::calendar::Calendar;
use super::facts::Facts;
use super::ids::{BuyerRole, CadenceId, ProspectId, StepId};

mod account;
mod asked;
mod moves;
mod relocate;
mod timing;

pub use account::{Account, Member, turned};
pub use moves::step;
pub use relocate::{ahead, relocate};
pub use timing::{begin, retimed};

/// The rules that one person follows: the cadence, on which calendar, on whose clock.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    pub cadence: &'a Cadence,
    pub calendar: &'a Calendar,
    pub zone: &'a TimeZone,
    /// The person's dates that the cadence counts from, as far as they are known.
    pub dates: &'a Dates,
}

/// Dates of a person by the field that holds them.
pub type Dates = BTreeMap<String, Date>;

/// The dates that a cadence counts from, out of what is known of somebody.
pub fn dates(cadence: &Cadence, facts: impl FnOnce() -> Facts) -> Dates {
    let anchors = cadence.steps.iter().filter_map(|step| match &step.when {
        When::At(anchor) => Some(&anchor.field),
        When::Day(_) | When::After(_) => None,
    });
    let fields: BTreeSet<&String> = anchors.collect();
    if fields.is_empty() {
        return Dates::new();
    }
    let facts = facts();
    let dated = |field: &String| Some((field.clone(), facts.date(field)?));
    fields.into_iter().filter_map(dated).collect()
}

/// Where somebody stands in a cadence.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub phase: Phase,
    /// The number of the day that the last passed `day:` step stood on; 1 at the beginning.
    pub day: u32,
    /// When the last step was done or skipped; the enrollment at the beginning.
    pub anchor_at: Timestamp,
    /// Nothing further falls due before this.
    pub not_before: Option<Timestamp>,
    /// How often this step's mail was put off by a server.
    pub tries: u32,
    /// When the way began; steps on dates before that are passed over. `None` for those who were under
    /// way before there were such steps.
    pub began_at: Option<Timestamp>,
    /// What else has happened on the way, as conditions name it.
    pub happened: BTreeSet<String>,
    /// A person replied while a mail was on its way: as soon as its fate is known, the owner is asked.
    pub reply_waits: bool,
    /// The mail that a person of ours has read and let go; it may leave as soon as it may be sent.
    pub released: Option<Released>,
    /// Steps whose tasks were work among ourselves: they touch nobody, and begin nothing.
    pub inward: BTreeSet<StepId>,
    /// The people of the company, where the enrollment covers one.
    pub account: Option<Account>,
    /// What has happened, in order. A step in here never fires again with the same attempt.
    pub passed: Vec<Passed>,
}

/// The mail of one attempt of a step, let go by a person of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Released {
    pub step: StepId,
    pub attempt: u32,
    /// What is sent in place of the template, when that person changed the text.
    pub edited: Option<Edited>,
}

/// A mail as a person of ours wrote it, for one person only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    pub subject: String,
    /// Without the footer.
    pub text: String,
}

/// One attempt of a step that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed {
    pub step: StepId,
    pub attempt: u32,
    pub outcome: Outcome,
    pub at: Timestamp,
}

/// What somebody is waiting for.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// For a step to fall due.
    Waiting { step: StepId, attempt: u32, due_at: Timestamp },
    /// For a server's last word: the intent is on record, content may have left.
    Sending { step: StepId, attempt: u32, since: Timestamp },
    /// For evidence: nobody knows whether the mail left. Never sent again by itself.
    InDoubt { step: StepId, attempt: u32, since: Timestamp },
    /// For a person to do the step's task.
    OnTask { step: StepId, attempt: u32, expires_at: Timestamp },
    /// For the owner to look and decide.
    Triage { step: StepId, expires_at: Timestamp },
    /// For the owner to say what a reply means. Until then nothing goes out; `left` is the delay that
    /// remained until the step.
    OnReply { step: StepId, attempt: u32, left: SignedDuration, expires_at: Timestamp },
    /// For somebody of a role to take the person over.
    Offered { step: StepId, attempt: u32, hand_off: HandOff, expires_at: Timestamp },
    /// For the giver to decide, because nobody took the person over.
    HandedBack { step: StepId, hand_off: HandOff, why: Returned, expires_at: Timestamp },
    /// For a pause to end; the delay that was left then goes on.
    Paused {
        why: Pause,
        until: Option<Timestamp>,
        step: StepId,
        attempt: u32,
        left: SignedDuration,
    },
    /// For the quiet time behind the last step to end.
    Closing { until: Timestamp },
    /// For nothing.
    Ended { ending: Ending, at: Timestamp },
}

/// Why somebody is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    OutOfOffice,
    ByRep,
    /// An outcome said so, such as `not_now`.
    ByOutcome,
    /// Somebody of the same company replied or took a meeting.
    ByColleague,
}

/// Why somebody who was handed over came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    Declined,
    NotAccepted,
}

/// How an enrollment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ending {
    Replied,
    Meeting,
    NoReply,
    NotInterested,
    Bounced,
    OptedOut,
    /// Somebody else took the person over.
    HandedOff,
    /// The person goes on in another cadence.
    Switched,
    Removed,
}

impl Ending {
    /// Every ending with the word that is stored and shown.
    pub const ALL: [(&'static str, Self); 9] = [
        ("replied", Self::Replied),
        ("meeting", Self::Meeting),
        ("no_reply", Self::NoReply),
        ("not_interested", Self::NotInterested),
        ("bounced", Self::Bounced),
        ("opted_out", Self::OptedOut),
        ("handed_off", Self::HandedOff),
        ("switched", Self::Switched),
        ("removed", Self::Removed),
    ];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, ending)| *ending == self).map_or("removed", |(word, _)| word)
    }
}

/// What can happen to an enrollment.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The time that the phase waits for has come.
    Due(Circumstances),
    /// The intent to send is being committed.
    Intended,
    /// The server took the mail over.
    Sent,
    /// Certainly not sent, and worth another try then.
    Deferred {
        until: Timestamp,
    },
    /// Certainly not sent, and never will be.
    Refused,
    /// Nobody knows whether it was sent.
    Lost,
    /// What was in doubt counts as sent: by evidence, or because the grace is over.
    Settled,
    /// A person did the task, or decided in triage.
    Done {
        outcome: Outcome,
        until: Option<Timestamp>,
    },
    /// A person of ours puts off what they are asked to do: it expires so much later.
    Snoozed {
        by: SignedDuration,
    },
    /// A person of ours read the mail and lets it go.
    Released {
        edited: Option<Edited>,
    },
    /// What was let go cannot be written any more: it has to be read again.
    Unwritable,
    /// A person replied: the enrollment ends, or its owner is asked what the reply means.
    Replied,
    /// The person wants no more, complained, or must not be contacted.
    OptedOut,
    /// The mail of this step came back: the address is dead. The cadence goes on with what remains.
    Bounced {
        step: StepId,
    },
    /// Somebody tells of an event of the team's own.
    Told {
        event: String,
    },
    /// A machine says that the person is away until then.
    Away {
        until: Timestamp,
    },
    /// The person does not work there any more.
    LeftCompany,
    /// A person of ours pauses, resumes or ends it.
    PausedByRep {
        until: Option<Timestamp>,
    },
    Resumed,
    Stopped,
    /// Somebody of the same company replied or took a meeting: wait until that is settled.
    ColleagueHeard {
        until: Timestamp,
    },
    /// What the colleague said is settled.
    ColleagueSettled,
    /// One of those happened to this person, who need not be the one whose turn it is at the account.
    Of {
        who: ProspectId,
        event: Box<Event>,
    },
}

/// What a due step's conditions are tested against.
#[derive(Debug, Clone, PartialEq)]
pub struct Circumstances {
    pub facts: Facts,
    /// Channels on which this person must not be touched.
    pub closed: Vec<Channel>,
}

/// What the shell has to do because of a transition; everything is committed with the new state.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Try to send the step's mail now.
    SendMail { step: StepId, attempt: u32 },
    /// Put a task into the owner's queue.
    OpenTask {
        step: StepId,
        attempt: u32,
        kind: TaskKind,
        expires_at: Timestamp,
        /// The person was promised this at that time; it is nobody's work before.
        promised_at: Option<Timestamp>,
    },
    /// Take every open task of this enrollment out of the queue.
    CloseTasks,
    /// Record that an attempt is over; when it was passed over, why.
    Pass { step: StepId, attempt: u32, outcome: Outcome, skipped: Option<Skipped> },
    /// The enrollment has ended.
    End { ending: Ending },
    /// Enroll the person in that cadence, so that it begins at that time; at an account, this one.
    Begin { cadence: CadenceId, at: Timestamp, who: Option<ProspectId> },
    /// This person of the account is out of it; the others go on.
    Leave { who: ProspectId, ending: Ending },
}

/// Why a step was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skipped {
    Conditions,
    /// Nobody at the account has one of the step's roles, or not any more.
    NobodyThere(BuyerRole),
    ChannelClosed,
    /// Nothing is known of the person by which the channel could be used.
    Missing(String),
    /// The date that the step counts from is not known.
    NoDate(String),
    /// It had passed when the way began.
    PastDate(String),
}

impl Skipped {
    /// The reason as the log keeps it.
    pub fn reason(&self) -> String {
        match self {
            Self::Conditions => "conditions".to_owned(),
            Self::NobodyThere(role) => format!("nobody_there:{role}"),
            Self::ChannelClosed => "channel_closed".to_owned(),
            Self::Missing(field) => format!("missing_field:{field}"),
            Self::NoDate(field) => format!("no_date:{field}"),
            Self::PastDate(field) => format!("past_date:{field}"),
        }
    }
}

/// What a task asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskKind {
    /// Do the step.
    Touch(Channel),
    /// Read the step's mail, and let it go or pass over it.
    Review,
    /// Look at this person and decide.
    Triage,
    /// Say what a reply means.
    Reply,
    /// Take the person over.
    HandOff,
    /// Nobody took the person over: decide.
    HandedBack,
}

/// An event that makes no sense in a phase. The shell has a bug or lost a race; nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{event}` cannot happen while {phase}")]
pub struct IllegalTransition {
    pub event: &'static str,
    pub phase: &'static str,
}

/// What a person may decide in triage, and where that leads.
pub const TRIAGE_OUTCOMES: [(&str, Verb); 4] = [
    ("continue", Verb::Continue),
    ("meeting_booked", Verb::Stop),
    ("not_interested", Verb::Stop),
    ("stop", Verb::Stop),
];

/// What a person may decide about somebody who came back.
pub const HANDED_BACK_OUTCOMES: [&str; 5] =
    ["continue", HAND_OFF_AGAIN, "meeting_booked", "not_interested", "stop"];

/// What a person may say of a mail that is to be read before it leaves.
pub const REVIEW_OUTCOMES: [&str; 2] = [RELEASED, SKIPPED];

/// A person of ours lets a mail go. It is sent when it may be sent.
pub const RELEASED: &str = "released";

/// Asks the role once more.
pub const HAND_OFF_AGAIN: &str = "hand_off";

impl Phase {
    /// The phase in a word, as it is stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Sending { .. } => "sending",
            Self::InDoubt { .. } => "in_doubt",
            Self::OnTask { .. } => "on_task",
            Self::Triage { .. } => "triage",
            Self::OnReply { .. } => "on_reply",
            Self::Offered { .. } => "offered",
            Self::HandedBack { .. } => "handed_back",
            Self::Paused { .. } => "paused",
            Self::Closing { .. } => "closing",
            Self::Ended { .. } => "ended",
        }
    }

    /// Product.md's state: `pending` until something was done, `active`, `paused`, `ended`.
    pub fn public_state(&self, begun: bool) -> &'static str {
        match self {
            Self::Ended { .. } => "ended",
            Self::Paused { .. } => "paused",
            Self::Waiting { .. } if !begun => "pending",
            _ => "active",
        }
    }

    /// The step that the phase is about.
    pub fn step(&self) -> Option<(&StepId, u32)> {
        match self {
            Self::Waiting { step, attempt, .. }
            | Self::Sending { step, attempt, .. }
            | Self::InDoubt { step, attempt, .. }
            | Self::OnTask { step, attempt, .. }
            | Self::OnReply { step, attempt, .. }
            | Self::Offered { step, attempt, .. }
            | Self::Paused { step, attempt, .. } => Some((step, *attempt)),
            Self::Triage { step, .. } | Self::HandedBack { step, .. } => Some((step, 1)),
            Self::Closing { .. } | Self::Ended { .. } => None,
        }
    }
}

impl Way for State {
    fn outcome_of(&self, step: &StepId) -> Option<Outcome> {
        Self::outcome_of(self, step)
    }

    fn has_happened(&self, event: &str) -> bool {
        self.happened.contains(event)
    }
}

impl State {
    /// What came of a step: the outcome of its last attempt.
    pub fn outcome_of(&self, id: &StepId) -> Option<Outcome> {
        self.passed
            .iter()
            .rev()
            .find(|passed| passed.step == *id)
            .map(|passed| passed.outcome.clone())
    }

    /// Whether the owner is still being asked what a reply means.
    pub fn is_triaged(&self) -> bool {
        match self.phase {
            Phase::OnReply { .. } => true,
            Phase::Triage { .. } => self.has_replied(),
            _ => self.reply_waits,
        }
    }

    /// Whether a person has answered a mail of this enrollment.
    fn has_replied(&self) -> bool {
        self.happened.contains(EMAIL_REPLIED)
    }

    /// What a person of ours said of the mail of this attempt, if it may leave.
    pub fn release_of(&self, id: &StepId, attempt: u32) -> Option<&Released> {
        let this = |released: &&Released| released.step == *id && released.attempt == attempt;
        self.released.as_ref().filter(this)
    }

    /// The number of the last attempt of a step that is over; 0 when none is.
    fn attempts_of(&self, id: &StepId) -> u32 {
        let of_step = self.passed.iter().rev().find(|passed| passed.step == *id);
        of_step.map_or(0, |passed| passed.attempt)
    }

    /// Whether nobody was ever reached, because every way was closed.
    fn nothing_left(&self) -> bool {
        let reached =
            |passed: &Passed| !matches!(passed.outcome.as_str(), SKIPPED | REFUSED | BOUNCED);
        !self.passed.iter().any(reached)
    }

    /// Whether this person was touched yet, or is about to be.
    pub fn has_begun(&self) -> bool {
        let under_way = match &self.phase {
            Phase::OnTask { step, .. } => !self.inward.contains(step),
            Phase::Sending { .. }
            | Phase::InDoubt { .. }
            | Phase::Triage { .. }
            | Phase::OnReply { .. }
            | Phase::Offered { .. }
            | Phase::HandedBack { .. } => true,
            Phase::Waiting { .. }
            | Phase::Paused { .. }
            | Phase::Closing { .. }
            | Phase::Ended { .. } => false,
        };
        let touched = |passed: &Passed| {
            passed.outcome.as_str() != SKIPPED && !self.inward.contains(&passed.step)
        };
        under_way || self.released.is_some() || self.passed.iter().any(touched)
    }
}
