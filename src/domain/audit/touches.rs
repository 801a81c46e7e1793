//! Touches against the log: each has its entries, and the last of them says how it stands.

use std::collections::{BTreeMap, BTreeSet};

use super::{Book, Finding, Rule, TouchRow};
use crate::domain::ids::TouchId;
use crate::domain::log::{Entry, What};
use crate::domain::touch::Status;

/// What does not fit between the touches of an enrollment and the log.
pub(super) fn findings(book: &Book) -> Vec<Finding> {
    let mut entries: BTreeMap<TouchId, Vec<&Entry>> = BTreeMap::new();
    for entry in &book.entries {
        if let Some(touch) = entry.touch {
            entries.entry(touch).or_default().push(entry);
        }
    }
    let mut found = Vec::new();
    for touch in &book.touches {
        let own = entries.remove(&touch.id).unwrap_or_default();
        one(book, touch, &own, &mut found);
    }
    for (touch, entries) in entries {
        // A server that asked to come later before any intent leaves an entry, and no touch.
        if entries.iter().any(|entry| entry.what != What::Deferred) {
            let should = format!("enrollment {} has it in the log", book.row.id);
            found.push(Finding::new(
                Rule::Touch,
                format!("touch {touch}"),
                "it is not there",
                should,
            ));
        }
    }
    tried_twice(book, &mut found);
    found
}

/// At most one touch for each attempt of a step; the database sees to it as well.
fn tried_twice(book: &Book, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for touch in &book.touches {
        if !seen.insert((&touch.step, touch.attempt)) {
            let stands = format!("attempt {} of {} has another touch", touch.attempt, touch.step);
            found.push(Finding::new(
                Rule::Touch,
                name(touch),
                stands,
                "one touch for each attempt",
            ));
        }
    }
}

fn name(touch: &TouchRow) -> String {
    format!("touch {}", touch.id)
}

fn one(book: &Book, touch: &TouchRow, entries: &[&Entry], found: &mut Vec<Finding>) {
    let mut say = |stands: String, should: String| {
        found.push(Finding::new(Rule::Touch, name(touch), stands, should));
    };
    let Some(status) = entries.iter().rev().find_map(|entry| status(entry)) else {
        return say(
            "no entry in the log".to_owned(),
            "one that it was done or intended".to_owned(),
        );
    };
    if touch.status != status {
        say(format!("status {}", touch.status), format!("status {status}"));
    }
    let made: Vec<&&Entry> = entries.iter().filter(|entry| makes(entry)).collect();
    if !made.iter().any(|entry| entry.at.as_millisecond() == touch.at.as_millisecond()) {
        let should = made.last().map_or_else(String::new, |entry| format!("at {}", entry.at));
        say(format!("at {}", touch.at), should);
    }
    // What was taken back may be done again, with another outcome: the last word counts.
    for entry in made.into_iter().rev().take(1) {
        let outcome = entry.detail("outcome");
        for (what, stands, should) in [
            ("step", touch.step.as_str(), entry.detail("step")),
            ("channel", touch.channel.as_str(), channel(entry)),
            ("outcome", touch.outcome.as_deref().unwrap_or_default(), outcome),
            ("actor", touch.actor.as_str(), entry.actor.as_str()),
        ] {
            if stands != should {
                say(format!("{what} {stands}"), format!("{what} {should}"));
            }
        }
        if entry.prospect != Some(touch.prospect) {
            let should = entry.prospect.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
            say(format!("prospect {}", touch.prospect), format!("prospect {should}"));
        }
    }
    came_back(touch, entries, &mut say);
    if book.is_whole() && !was_tried(book, touch) {
        let stands = format!("attempt {} of {}", touch.attempt, touch.step);
        say(stands, "an attempt that one of its enrollment's states is about".to_owned());
    }
}

/// The status behind an entry, if it changes one.
fn status(entry: &Entry) -> Option<&'static str> {
    let status = match entry.what {
        What::Intended => Status::Intended,
        What::Sent => Status::Sent,
        What::Deferred => Status::Retryable,
        What::Refused => Status::Refused,
        What::Bounced if was_refused(entry) => Status::Refused,
        What::InDoubt => Status::InDoubt,
        What::Settled => Status::AssumedSent,
        What::TaskDone => Status::Done,
        _ if is_taken_back(entry) => return Some(TAKEN_BACK),
        _ => return None,
    };
    Some(status.as_str())
}

/// A touch that somebody noted by mistake.
const TAKEN_BACK: &str = "taken_back";

/// Whether somebody takes back what was done.
pub(super) fn is_taken_back(entry: &Entry) -> bool {
    entry.what.as_str() == "task_undone"
}

/// Refused by the server in the conversation, not by a message later.
pub(super) fn was_refused(entry: &Entry) -> bool {
    !entry.detail("phase").is_empty()
}

/// Whether an entry writes the touch.
fn makes(entry: &Entry) -> bool {
    match entry.what {
        What::Intended | What::TaskDone | What::Refused => true,
        What::Bounced => was_refused(entry),
        _ => false,
    }
}

fn channel(entry: &Entry) -> &str {
    match entry.what {
        What::TaskDone => entry.detail("channel"),
        _ => "email",
    }
}

/// A mail came back when a message or the server itself said so.
fn came_back(touch: &TouchRow, entries: &[&Entry], say: &mut impl FnMut(String, String)) {
    let bounce = |entry: &&&Entry| entry.what == What::Bounced;
    let Some(at) = touch.came_back_at else { return };
    let said: Vec<&&Entry> = entries.iter().filter(bounce).collect();
    if !said.iter().any(|entry| entry.at.as_millisecond() == at.as_millisecond()) {
        let should = said.first().map_or_else(|| "null".to_owned(), |entry| entry.at.to_string());
        say(format!("came_back_at {at}"), format!("came_back_at {should}"));
    }
}

/// Whether any state was about this attempt.
fn was_tried(book: &Book, touch: &TouchRow) -> bool {
    let is_it =
        |step: &str, attempt: u32| step == touch.step && i64::from(attempt) == touch.attempt;
    let states = book.transitions.iter().filter_map(|one| one.state.as_ref());
    states.rev().any(|state| {
        state.phase.step().is_some_and(|(step, attempt)| is_it(step.as_str(), attempt))
            || state.passed.iter().any(|passed| is_it(passed.step.as_str(), passed.attempt))
    })
}
