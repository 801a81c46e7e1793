//! What an outcome leads to.

use crate::domain::ids::{CadenceId, RoleId};
use crate::domain::time::Delay;

/// What happens next for this person.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Finish here, and begin in another cadence after that.
    SwitchTo { cadence: CadenceId, after: Delay },
    /// Ask a role to take the person over.
    HandOff(HandOff),
}

/// Who is asked to take a person over, with what, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOff {
    pub to: RoleId,
    /// The template of what the role gets to read.
    pub brief: Option<String>,
    /// When nobody accepts in this time, it comes back to the giver.
    pub accept_within: Delay,
}
