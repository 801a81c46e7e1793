//! One attempt of one step, and the milestones of a first contact.

use jiff::Timestamp;

use super::cadence::{Channel, Outcome};
use super::ids::{EnrollmentId, MailboxId, ProspectId, StepId, TouchId};

/// One attempt of one step. At most one exists for each (enrollment, step, attempt).
#[derive(Debug, Clone, PartialEq)]
pub struct Touch {
    pub id: TouchId,
    pub enrollment: EnrollmentId,
    pub prospect: ProspectId,
    pub step: StepId,
    pub attempt: u32,
    pub channel: Channel,
    pub status: Status,
    /// When it was intended (mail) or done (task).
    pub at: Timestamp,
    /// The rep who did it, or `engine`.
    pub actor: String,
    pub mail: Option<SentMail>,
    /// The cadence version that made it; not known of touches from before versions were noted.
    pub version: Option<String>,
    pub outcome: Option<Outcome>,
}

/// How far a touch has come. Mail: intended, then one of the next four. A task's touch is `Done`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// On record before the first byte of content; the server's word is awaited.
    Intended,
    Sent,
    /// Definitely not sent; the next try uses the same touch and the same Message-ID.
    Retryable,
    /// Refused for good.
    Refused,
    /// Nobody knows.
    InDoubt,
    /// Was in doubt until the grace ended; counts as sent, and says so.
    AssumedSent,
    /// Done by a person.
    Done,
    /// A person of ours said that it was done, and took that back: its attempt is still to be made.
    TakenBack,
}

impl Status {
    /// Every status with the word that is stored and shown.
    pub const ALL: [(&'static str, Self); 8] = [
        ("intended", Self::Intended),
        ("sent", Self::Sent),
        ("retryable", Self::Retryable),
        ("refused", Self::Refused),
        ("in_doubt", Self::InDoubt),
        ("assumed_sent", Self::AssumedSent),
        ("done", Self::Done),
        ("taken_back", Self::TakenBack),
    ];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, status)| *status == self).map_or("in_doubt", |(word, _)| word)
    }

    /// From the word that is stored.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, status)| *status)
    }
}

/// What identifies a mail and its conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMail {
    pub mailbox: MailboxId,
    /// Without angle brackets; fixed before the server is asked, the same in every try.
    pub message_id: String,
    pub subject: String,
    /// Whether it began a conversation.
    pub begins_thread: bool,
    pub template: String,
}

/// The firsts of an enrollment, each immutable once written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Milestone {
    /// We tried.
    Attempt,
    /// A mail was taken over and did not come back within the bounce window, or a call was answered or
    /// a voicemail left, or a social touch was done.
    Delivered,
    /// A person of ours did it.
    HumanTouch,
    /// Both sides spoke.
    Conversation,
}

impl Milestone {
    /// Every milestone with the word that is stored and shown.
    pub const ALL: [(&'static str, Self); 4] = [
        ("first_attempt", Self::Attempt),
        ("first_delivered", Self::Delivered),
        ("first_human_touch", Self::HumanTouch),
        ("first_conversation", Self::Conversation),
    ];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("first_attempt", |(word, _)| word)
    }

    /// The milestones that a person's outcome reaches by itself.
    pub fn of_outcome(channel: Channel, outcome: &Outcome) -> Vec<Self> {
        let conversation = super::cadence::is_conversation(channel, outcome);
        let heard = match channel {
            Channel::Call => conversation || outcome.as_str() == "left_voicemail",
            Channel::Social => outcome.as_str() != "not_found",
            Channel::Email | Channel::Task => false,
        };
        let touched = channel != Channel::Task;
        [
            (touched, Self::Attempt),
            (touched && heard, Self::Delivered),
            (touched, Self::HumanTouch),
            (conversation, Self::Conversation),
        ]
        .into_iter()
        .filter_map(|(reached, milestone)| reached.then_some(milestone))
        .collect()
    }
}
