//! People in flight when a cadence changes.

use jiff::Timestamp;

use super::moves::end;
use super::timing::due_at;
use super::{Course, Effect, Ending, Phase, State};
use crate::domain::cadence::{Cadence, Step};
use crate::domain::ids::StepId;

/// The same person on a changed cadence: a passed step never fires again, and a step added before
/// the one that is waited for is not fired. `None` while a mail is on its way or in doubt: that
/// person stays on the old version.
pub fn relocate(
    before: &Cadence,
    course: &Course,
    state: State,
    now: Timestamp,
) -> Option<(State, Vec<Effect>)> {
    // What was let go as the old file had it may be another text now: it is read again.
    let released = state.released.clone().filter(|released| released.edited.is_some());
    let state = State { released, ..state };
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
    // A question to a person stays open; its answer goes on behind the last step that is still there.
    let stays = |step: &&Step| course.cadence.step(&step.id).is_some();
    let above = before.steps.iter().take(position).rev().find(stays);
    let above = above.map_or_else(|| id.clone(), |step| step.id.clone());
    if let Some(phase) = asked_at(&state.phase, above) {
        return Some((State { phase, ..state }, Vec::new()));
    }
    let is_left = |step: &&Step| {
        course.cadence.step(&step.id).is_some() && state.outcome_of(&step.id).is_none()
    };
    let Some(next) = before.steps.iter().skip(position).find(is_left) else {
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

/// The same question about another step; `None` for what is no question to a person.
fn asked_at(phase: &Phase, step: StepId) -> Option<Phase> {
    match phase.clone() {
        Phase::Triage { expires_at, .. } => Some(Phase::Triage { step, expires_at }),
        Phase::OnReply { attempt, left, expires_at, .. } => {
            Some(Phase::OnReply { step, attempt, left, expires_at })
        }
        Phase::Offered { attempt, hand_off, expires_at, .. } => {
            Some(Phase::Offered { step, attempt, hand_off, expires_at })
        }
        Phase::HandedBack { hand_off, why, expires_at, .. } => {
            Some(Phase::HandedBack { step, hand_off, why, expires_at })
        }
        Phase::Waiting { .. }
        | Phase::Sending { .. }
        | Phase::InDoubt { .. }
        | Phase::OnTask { .. }
        | Phase::Paused { .. }
        | Phase::Closing { .. }
        | Phase::Ended { .. } => None,
    }
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
