//! People in flight when a cadence changes.

use jiff::Timestamp;

use super::moves::{due_at, end};
use super::{Course, Effect, Ending, Phase, State};
use crate::domain::cadence::{Cadence, Step};

/// The same person on a changed cadence: a passed step never fires again, and a step added before
/// the one that is waited for is not fired. `None` while a mail is on its way or in doubt: that
/// person stays on the old version.
pub fn relocate(
    before: &Cadence,
    course: &Course,
    state: State,
    now: Timestamp,
) -> Option<(State, Vec<Effect>)> {
    let (id, attempt) = match &state.phase {
        Phase::Sending { .. } | Phase::InDoubt { .. } => return None,
        phase => match phase.step() {
            Some((id, attempt)) => (id.clone(), attempt),
            None => return Some((state, Vec::new())),
        },
    };
    if let Some((_, step)) = course.cadence.step(&id) {
        return Some((retimed(course, state, step, attempt, now), Vec::new()));
    }
    let position = before.step(&id).map_or(0, |(position, _)| position);
    // A question to the owner stays open; its answer goes on behind the last step that is still there.
    if let Phase::Triage { expires_at, .. } = state.phase {
        let stays = |step: &&Step| course.cadence.step(&step.id).is_some();
        if let Some(step) = before.steps[..position].iter().rev().find(stays) {
            let phase = Phase::Triage { step: step.id.clone(), expires_at };
            return Some((State { phase, ..state }, Vec::new()));
        }
    }
    let is_left = |step: &&Step| {
        course.cadence.step(&step.id).is_some() && state.outcome_of(&step.id).is_none()
    };
    let Some(next) = before.steps[position..].iter().find(is_left) else {
        let (state, effects) = end(state, Ending::NoReply, now);
        return Some((state, effects));
    };
    let due_at = due_at(course, &state, next).max(now);
    let phase = match state.phase.clone() {
        Phase::Paused { why, until, left, .. } => {
            Phase::Paused { why, until, step: next.id.clone(), attempt: 1, left }
        }
        _ => Phase::Waiting { step: next.id.clone(), attempt: 1, due_at },
    };
    Some((State { phase, ..state }, vec![Effect::CloseTasks]))
}

/// A changed timing moves a first attempt that is still waited for, but never into the past.
fn retimed(course: &Course, state: State, step: &Step, attempt: u32, now: Timestamp) -> State {
    match &state.phase {
        Phase::Waiting { due_at: before, .. } if attempt == 1 && *before > now => {
            let due_at = due_at(course, &state, step).max(now);
            let phase = Phase::Waiting { step: step.id.clone(), attempt, due_at };
            State { phase, ..state }
        }
        _ => state,
    }
}
