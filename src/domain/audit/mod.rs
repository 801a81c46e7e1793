//! The books held against each other: what the log says against what stands beside it. Rows come in as
//! they lie in the store, because what is compared may be damaged; differences go out.

use jiff::Timestamp;

use super::budget::SendingDays;
use super::enrollment::State;
use super::identity::Identity;
use super::ids::{EnrollmentId, ProspectId, TaskId, TouchId};
use super::log::Entry;

mod charges;
mod milestones;
mod numbers;
mod row;
mod tasks;
mod touches;
mod way;

pub use charges::{BY_THE_HOUR, Charges, Limited, charged, oldest_bucket};
pub use numbers::{Counts, compare};

/// Everything that the store holds of one enrollment.
#[derive(Debug, Clone)]
pub struct Book {
    pub row: EnrollmentRow,
    /// The first one first; what a row leaves out is filled in from the one before.
    pub transitions: Vec<TransitionRow>,
    /// The entries of the log about it, in their order.
    pub entries: Vec<Entry>,
    pub touches: Vec<TouchRow>,
    pub tasks: Vec<TaskRow>,
    pub milestones: Vec<MilestoneRow>,
    /// The people of its account.
    pub members: Vec<(ProspectId, String)>,
}

/// A row of `enrollment`.
#[derive(Debug, Clone)]
pub struct EnrollmentRow {
    pub id: EnrollmentId,
    pub prospect: ProspectId,
    pub company: Option<i64>,
    pub cadence: String,
    pub digest: String,
    pub profile: Option<String>,
    pub score: i64,
    pub owner: String,
    pub mailbox: Option<String>,
    pub phase: String,
    pub state: String,
    pub revision: i64,
    pub begun: i64,
    pub lane: Option<String>,
    pub lane_rank: Option<i64>,
    pub has_wake: bool,
    pub enrolled_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// A row of `transition`; `state` is absent when the text cannot be read.
#[derive(Debug, Clone)]
pub struct TransitionRow {
    pub revision: i64,
    pub at: Timestamp,
    pub text: String,
    pub state: Option<State>,
    pub prospect: Option<ProspectId>,
    pub mailbox: Option<String>,
    pub owner: Option<String>,
    pub digest: Option<String>,
}

/// A row of `touch`.
#[derive(Debug, Clone)]
pub struct TouchRow {
    pub id: TouchId,
    pub prospect: ProspectId,
    pub step: String,
    pub attempt: i64,
    pub channel: String,
    pub status: String,
    pub at: Timestamp,
    pub actor: String,
    pub outcome: Option<String>,
    pub mailbox: Option<String>,
    pub came_back_at: Option<Timestamp>,
    /// The domain of the person's address, as it is known now.
    pub domain: Option<String>,
}

/// A row of `task`.
#[derive(Debug, Clone)]
pub struct TaskRow {
    pub id: TaskId,
    pub kind: String,
    pub step: String,
    pub attempt: i64,
    pub opened_at: Timestamp,
    pub closed_at: Option<Timestamp>,
}

/// A row of `milestone`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilestoneRow {
    pub milestone: String,
    pub prospect: ProspectId,
    pub touch: TouchId,
    pub at: Timestamp,
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub rule: Rule,
    /// Which row, such as `enrollment 17`.
    pub row: String,
    pub stands: String,
    pub should: String,
    /// How it can be mended; `None` where the log itself would have to be changed.
    pub mend: Option<Mend>,
}

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    Unreadable,
    Enrollment,
    Transitions,
    Log,
    Steps,
    Ending,
    Account,
    Touch,
    Task,
    Milestone,
    Suppression,
    Inbound,
    Budget,
    Mailbox,
    Identity,
    Import,
    Sequence,
    Orphan,
    Report,
}

impl Rule {
    /// Every rule with its word and with what to do when it is not mended by itself.
    pub const ALL: [(&'static str, Self, &'static str); 19] = [
        ("unreadable", Self::Unreadable, "restore the row from a backup"),
        ("enrollment", Self::Enrollment, "the log of it is damaged as well: restore from a backup"),
        ("transitions", Self::Transitions, "the log itself is damaged: restore from a backup"),
        ("log", Self::Log, "the log itself is damaged: restore from a backup"),
        (
            "steps",
            Self::Steps,
            "look at `firsttouch why` for the person, and restore from a backup",
        ),
        (
            "ending",
            Self::Ending,
            "look at `firsttouch why` for the person, and restore from a backup",
        ),
        ("account", Self::Account, "look at `firsttouch why` for the people of the account"),
        ("touch", Self::Touch, "touches are records: compare with the Sent folder, then a backup"),
        ("task", Self::Task, "its text is gone: the question is settled when it expires"),
        ("milestone", Self::Milestone, "restore the row from a backup"),
        (
            "suppression",
            Self::Suppression,
            "whoever said no may be written to again: `firsttouch suppress ADDRESS` now, then look",
        ),
        ("inbound", Self::Inbound, "messages are records: restore the row from a backup"),
        ("budget", Self::Budget, "it counts no more when its window is over"),
        ("mailbox", Self::Mailbox, "check daily_limit and ramp of that mailbox"),
        ("identity", Self::Identity, "import the person's list again"),
        ("import", Self::Import, "compare with the file, or take it back with `import undo`"),
        ("sequence", Self::Sequence, "no new rows until it is mended"),
        ("orphan", Self::Orphan, "the row that it belongs to is gone: restore from a backup"),
        ("report", Self::Report, "the differences above say where it comes from"),
    ];

    /// The word that is shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, rule, _)| *rule == self).map_or("log", |(word, ..)| word)
    }

    /// What to do about it when nothing can be mended.
    pub fn advice(self) -> &'static str {
        Self::ALL.iter().find(|(_, rule, _)| *rule == self).map_or("", |(.., advice)| advice)
    }
}

/// How a projection is brought back to what the log says.
#[derive(Debug, Clone, PartialEq)]
pub enum Mend {
    /// The row as its last transition says.
    Enrollment(EnrollmentId),
    /// The people as the last transition says.
    Members(EnrollmentId),
    CloseTask(TaskId, Timestamp),
    ReopenTask(TaskId),
    SetMilestone(EnrollmentId, MilestoneRow),
    DropMilestone(EnrollmentId, String),
    Budget {
        scope: String,
        bucket: i64,
        used: i64,
    },
    Mailbox {
        id: String,
        days: SendingDays,
        next_send_at: Option<Timestamp>,
    },
    Recognise(Identity, ProspectId),
    Forget(Identity),
    Sequence {
        kind: String,
        next: i64,
    },
}

impl Finding {
    /// A difference that nothing here can mend.
    pub fn new(
        rule: Rule,
        row: impl ToString,
        stands: impl ToString,
        should: impl ToString,
    ) -> Self {
        let (row, stands, should) = (row.to_string(), stands.to_string(), should.to_string());
        Self { rule, row, stands, should, mend: None }
    }

    /// The same with what mends it.
    pub fn mended_by(self, mend: Mend) -> Self {
        Self { mend: Some(mend), ..self }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match &self.mend {
            Some(_) => "`firsttouch verify --repair` mends it",
            None => self.rule.advice(),
        }
    }
}

impl Book {
    /// Whether every state since the beginning is on record; enrollments of older databases begin with
    /// where they stood.
    pub fn is_whole(&self) -> bool {
        self.transitions.first().is_some_and(|first| first.revision == 0)
    }

    /// Every difference between what stands in the rows of an enrollment and what its log says.
    pub fn findings(&self) -> Vec<Finding> {
        let mut log = way::findings(self);
        log.extend(touches::findings(self));
        // A row must not be brought in line with a log that contradicts itself.
        let may_mend = log.iter().all(|finding| !spoils_the_state(finding.rule));
        let mut rows = row::findings(self);
        rows.extend(tasks::findings(self));
        rows.extend(milestones::findings(self));
        if !may_mend {
            rows.iter_mut().for_each(|finding| finding.mend = None);
        }
        rows.extend(log);
        rows
    }

    fn last_state(&self) -> Option<&State> {
        self.transitions.last()?.state.as_ref()
    }

    fn name(&self) -> String {
        format!("enrollment {}", self.row.id)
    }
}

fn spoils_the_state(rule: Rule) -> bool {
    matches!(rule, Rule::Unreadable | Rule::Transitions | Rule::Steps | Rule::Ending)
}
