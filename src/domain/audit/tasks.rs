//! Tasks: one is open if and only if the state waits for it.

use std::collections::{BTreeMap, BTreeSet};

use super::way::of;
use super::{Book, Finding, Mend, Rule, TaskRow};
use crate::domain::enrollment::{Phase, State};
use crate::domain::log::What;

/// What does not fit between the tasks of an enrollment, its state and the log.
pub(super) fn findings(book: &Book) -> Vec<Finding> {
    let mut found = Vec::new();
    open(book, &mut found);
    logged(book, &mut found);
    closed(book, &mut found);
    found
}

fn name(task: &TaskRow) -> String {
    format!("task {}", task.id)
}

fn said(task: &TaskRow) -> String {
    format!("open: {} for {}, attempt {}", task.kind, task.step, task.attempt)
}

fn open(book: &Book, found: &mut Vec<Finding>) {
    let Some(state) = book.last_state() else { return };
    let mut waited_for = false;
    // The newest one is the one that is asked for.
    for task in book.tasks.iter().rev().filter(|task| task.closed_at.is_none()) {
        if !waited_for && waits_for(state, task) {
            waited_for = true;
            continue;
        }
        let at = book.transitions.last().map_or(task.opened_at, |last| last.at);
        let should = format!("closed: the enrollment is {}", state.phase.name());
        let finding = Finding::new(Rule::Task, name(task), said(task), should);
        found.push(finding.mended_by(Mend::CloseTask(task.id, at)));
    }
    if !waited_for && is_waiting(state) {
        found.push(missing(book, state));
    }
}

fn missing(book: &Book, state: &State) -> Finding {
    let should = format!("open: the enrollment is {}", state.phase.name());
    match book.tasks.iter().rev().find(|task| waits_for(state, task)) {
        Some(task) => Finding::new(Rule::Task, name(task), "closed", should)
            .mended_by(Mend::ReopenTask(task.id)),
        None => Finding::new(Rule::Task, book.name(), "it has no open task", should),
    }
}

fn is_waiting(state: &State) -> bool {
    matches!(
        state.phase,
        Phase::OnTask { .. }
            | Phase::Triage { .. }
            | Phase::OnReply { .. }
            | Phase::Offered { .. }
            | Phase::HandedBack { .. }
    )
}

/// Whether this is the task for which the state waits. A changed cadence may ask at another step.
fn waits_for(state: &State, task: &TaskRow) -> bool {
    match &state.phase {
        Phase::OnTask { step, attempt, .. } => {
            let of_step =
                ["email", "call", "social", "task", "review"].contains(&task.kind.as_str());
            of_step && task.step == step.as_str() && task.attempt == i64::from(*attempt)
        }
        Phase::Triage { .. } => task.kind == "triage",
        Phase::OnReply { .. } => task.kind == "reply",
        Phase::Offered { .. } => task.kind == "hand_off",
        Phase::HandedBack { .. } => task.kind == "handed_back",
        _ => false,
    }
}

/// Every task was opened in the log, and every opening has its task.
fn logged(book: &Book, found: &mut Vec<Finding>) {
    type Key<'a> = (&'a str, &'a str, i64);
    let mut openings: BTreeMap<Key, usize> = BTreeMap::new();
    for entry in of(book, What::TaskOpened) {
        let key = (entry.detail("step"), entry.detail("kind"), entry.at.as_millisecond());
        *openings.entry(key).or_default() += 1;
    }
    for task in &book.tasks {
        let key = (task.step.as_str(), task.kind.as_str(), task.opened_at.as_millisecond());
        match openings.get_mut(&key).filter(|n| **n > 0) {
            Some(n) => *n -= 1,
            None => {
                let stands =
                    format!("{} for {}, opened at {}", task.kind, task.step, task.opened_at);
                let should = "an entry in the log that it was opened then";
                found.push(Finding::new(Rule::Task, name(task), stands, should));
            }
        }
    }
    for ((step, kind, _), _) in openings.into_iter().filter(|(_, n)| *n > 0) {
        let should = format!("the task {kind} for {step} that the log opened");
        found.push(Finding::new(Rule::Task, book.name(), "no such task", should));
    }
}

/// A task is closed by what moves its enrollment on.
fn closed(book: &Book, found: &mut Vec<Finding>) {
    if !book.is_whole() {
        return;
    }
    let moves: BTreeSet<i64> = book.transitions.iter().map(|one| one.at.as_millisecond()).collect();
    for task in &book.tasks {
        let Some(at) = task.closed_at else { continue };
        if !moves.contains(&at.as_millisecond()) && !is_asked_again(book, task) {
            let (stands, should) = (format!("closed at {at}"), "closed when a state began");
            found.push(Finding::new(Rule::Task, name(task), stands, should));
        }
    }
}

/// Then the other finding says so.
fn is_asked_again(book: &Book, task: &TaskRow) -> bool {
    book.last_state().is_some_and(|state| waits_for(state, task))
}
