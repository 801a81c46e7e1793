//! What the products have in common: a name, and steps with a time and something to do.

use crate::domain::cadence::{DayKind, SocialAct, When};

use super::{Kind, Remark};

/// A cadence as another product has it, in our words.
pub(super) struct Draft {
    pub name: String,
    pub about: Option<String>,
    pub days: DayKind,
    pub new_per_rep_per_day: Option<u32>,
    /// In their order.
    pub steps: Vec<DraftStep>,
    /// Where the name stands.
    pub path: String,
}

/// One step.
pub(super) struct DraftStep {
    pub path: String,
    pub name: Option<String>,
    pub when: When,
    pub what: DraftWhat,
}

pub(super) enum DraftWhat {
    Email { variants: Vec<Mail>, reply: bool, sending: Sending },
    Call { notes: Option<String> },
    Social { act: SocialAct, notes: Option<String> },
    Task { notes: Option<String> },
}

/// Who sends a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    Automatic,
    ByHand,
}

/// One text of a mail.
pub(super) struct Mail {
    pub path: String,
    pub subject: Option<String>,
    /// HTML, or a plain text.
    pub body: String,
}

/// Notes that something is left out.
pub(super) fn lost(remarks: &mut Vec<Remark>, path: &str, message: impl Into<String>) {
    remarks.push(Remark { path: path.to_owned(), kind: Kind::Lost, message: message.into() });
}

/// Notes that something takes another form.
pub(super) fn changed(remarks: &mut Vec<Remark>, path: &str, message: impl Into<String>) {
    remarks.push(Remark { path: path.to_owned(), kind: Kind::Changed, message: message.into() });
}
