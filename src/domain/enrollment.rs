//! One person going through one cadence: the states, the events, and the one function between them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::cadence::{BOUNCED, Cadence, Channel, Outcome, REFUSED, SKIPPED, Verb};
use super::calendar::Calendar;
use super::facts::Facts;
use super::ids::StepId;

mod moves;
mod relocate;

pub use moves::{begin, step};
pub use relocate::{ahead, relocate};

/// The rules that one person follows: the cadence, on which calendar, on whose clock.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    pub cadence: &'a Cadence,
    pub calendar: &'a Calendar,
    pub zone: &'a TimeZone,
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
    /// What has happened, in order. A step in here never fires again with the same attempt.
    pub passed: Vec<Passed>,
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
    Removed,
}

impl Ending {
    /// Every ending with the word that is stored and shown.
    pub const ALL: [(&'static str, Self); 7] = [
        ("replied", Self::Replied),
        ("meeting", Self::Meeting),
        ("no_reply", Self::NoReply),
        ("not_interested", Self::NotInterested),
        ("bounced", Self::Bounced),
        ("opted_out", Self::OptedOut),
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
    /// A person replied, on any channel that ends the cadence.
    Replied,
    /// The person wants no more, complained, or must not be contacted.
    OptedOut,
    /// The mail of this step came back: the address is dead. The cadence goes on with what remains.
    Bounced {
        step: StepId,
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
    OpenTask { step: StepId, attempt: u32, kind: TaskKind, expires_at: Timestamp },
    /// Take every open task of this enrollment out of the queue.
    CloseTasks,
    /// Record that an attempt is over.
    Pass { step: StepId, attempt: u32, outcome: Outcome },
    /// The enrollment has ended.
    End { ending: Ending },
}

/// What a task asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskKind {
    /// Do the step.
    Touch(Channel),
    /// Look at this person and decide.
    Triage,
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

impl Phase {
    /// The phase in a word, as it is stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Sending { .. } => "sending",
            Self::InDoubt { .. } => "in_doubt",
            Self::OnTask { .. } => "on_task",
            Self::Triage { .. } => "triage",
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
            | Self::Paused { step, attempt, .. } => Some((step, *attempt)),
            Self::Triage { step, .. } => Some((step, 1)),
            Self::Closing { .. } | Self::Ended { .. } => None,
        }
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

    /// Whether nobody was ever reached, because every way was closed.
    fn nothing_left(&self) -> bool {
        let reached =
            |passed: &Passed| !matches!(passed.outcome.as_str(), SKIPPED | REFUSED | BOUNCED);
        !self.passed.iter().any(reached)
    }

    /// Whether anything was tried yet, or is under way.
    pub fn has_begun(&self) -> bool {
        let under_way = matches!(
            self.phase,
            Phase::Sending { .. }
                | Phase::InDoubt { .. }
                | Phase::OnTask { .. }
                | Phase::Triage { .. }
        );
        under_way || self.passed.iter().any(|passed| passed.outcome.as_str() != SKIPPED)
    }
}
