//! What can come of a step, and what that leads to when the file is silent.

use super::{Channel, Verb};
use crate::domain::time::{Delay, Unit};

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
/// The person wants to be called at another time.
pub const CALL_BACK: &str = "call_back";
/// A mail that was taken over and came back.
pub const BOUNCED: &str = "bounced";

/// The built-in outcomes of a call, and what they lead to when the file is silent.
pub const CALL_OUTCOMES: &[(&str, Verb)] = &[
    ("meeting_booked", Verb::Stop),
    ("interested", Verb::Triage),
    (CALL_BACK, Verb::Triage),
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

/// The built-in outcomes of a hand-off. What nobody takes over comes back to the giver.
pub const HAND_OFF_OUTCOMES: &[(&str, Verb)] =
    &[("accepted", Verb::Stop), ("declined", Verb::Triage), (EXPIRED, Verb::Triage)];

/// The outcomes of an e-mail step that the engine itself records.
pub const EMAIL_OUTCOMES: &[(&str, Verb)] = &[(SENT, Verb::Continue), (REFUSED, Verb::Continue)];

/// Whether an outcome of a call or a social touch means that the person said something to us: a reply.
pub fn is_conversation(channel: Channel, outcome: &Outcome) -> bool {
    const CALL: [&str; 7] = [
        "meeting_booked",
        "interested",
        CALL_BACK,
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
