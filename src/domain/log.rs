//! The append-only event log: what happened, to whom, because of what. Reports are derived from it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::ids::{EnrollmentId, ProspectId, TouchId};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub at: Timestamp,
    pub what: What,
    pub prospect: Option<ProspectId>,
    pub enrollment: Option<EnrollmentId>,
    pub touch: Option<TouchId>,
    /// `engine`, `import`, or the id of a rep.
    pub actor: String,
    /// Words for `why`: the step, the outcome, the rule.
    pub details: BTreeMap<String, String>,
}

/// The closed list of things that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    Imported,
    ImportUndone,
    /// Somebody told of an event.
    Told,
    Enrolled,
    /// Is one of the people of an account that was enrolled.
    Joined,
    NotEnrolled,
    Intended,
    Sent,
    Refused,
    Deferred,
    InDoubt,
    Settled,
    Skipped,
    TaskOpened,
    TaskDone,
    /// A person of ours put off what they were asked.
    TaskSnoozed,
    /// A person of ours took back what they had said of a task.
    TaskUndone,
    /// A task, or a person, is another rep's now.
    Reassigned,
    /// Somebody of the team is away, or was to be and is not.
    Away,
    Back,
    TaskExpired,
    Replied,
    AutoReplied,
    Bounced,
    SoftBounced,
    OptedOut,
    Complained,
    Noticed,
    Unmatched,
    Suppressed,
    Paused,
    Resumed,
    Moved,
    /// Is out of an account; the others go on.
    Left,
    Ended,
    Applied,
    /// Automatic work was stopped until a person lets it go on.
    Held,
    Released,
}

impl What {
    /// Every kind with the word that is stored and shown.
    pub const ALL: [(&'static str, Self); 38] = [
        ("imported", Self::Imported),
        ("import_undone", Self::ImportUndone),
        ("event", Self::Told),
        ("enrolled", Self::Enrolled),
        ("joined", Self::Joined),
        ("not_enrolled", Self::NotEnrolled),
        ("intended", Self::Intended),
        ("sent", Self::Sent),
        ("refused", Self::Refused),
        ("deferred", Self::Deferred),
        ("in_doubt", Self::InDoubt),
        ("settled", Self::Settled),
        ("skipped", Self::Skipped),
        ("task_opened", Self::TaskOpened),
        ("task_done", Self::TaskDone),
        ("task_snoozed", Self::TaskSnoozed),
        ("task_undone", Self::TaskUndone),
        ("reassigned", Self::Reassigned),
        ("away", Self::Away),
        ("back", Self::Back),
        ("task_expired", Self::TaskExpired),
        ("replied", Self::Replied),
        ("auto_replied", Self::AutoReplied),
        ("bounced", Self::Bounced),
        ("soft_bounced", Self::SoftBounced),
        ("opted_out", Self::OptedOut),
        ("complained", Self::Complained),
        ("noticed", Self::Noticed),
        ("unmatched", Self::Unmatched),
        ("suppressed", Self::Suppressed),
        ("paused", Self::Paused),
        ("resumed", Self::Resumed),
        ("moved", Self::Moved),
        ("left", Self::Left),
        ("ended", Self::Ended),
        ("applied", Self::Applied),
        ("held", Self::Held),
        ("released", Self::Released),
    ];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, what)| *what == self).map_or("noticed", |(word, _)| word)
    }

    /// From the word that is stored.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, what)| *what)
    }
}

impl Entry {
    /// Something the engine did.
    pub fn new(at: Timestamp, what: What) -> Self {
        let actor = "engine".to_owned();
        Self {
            at,
            what,
            prospect: None,
            enrollment: None,
            touch: None,
            actor,
            details: BTreeMap::new(),
        }
    }

    /// The same with a word for `why`.
    pub fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.details.insert(key.to_owned(), value.to_string());
        self
    }

    /// A word for `why`, or nothing.
    pub fn detail(&self, key: &str) -> &str {
        self.details.get(key).map_or("", String::as_str)
    }
}
