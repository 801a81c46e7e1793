//! People in flight when a cadence changes.

use jiff::Timestamp;

use super::account::turned;
use super::moves::advance;
use super::timing::{begins_at, due_at};
use super::{Course, Effect, Phase, State};
use crate::domain::cadence::{Cadence, Step, What};
use crate::domain::ids::StepId;

/// The same person on a changed cadence: a passed step never fires again, and a step added before
/// the one that is waited for is not fired. When that one is gone, the person goes on behind the last
/// step before it that is still there.
///
/// `None` when the person has to finish the old version, because the step is gone on which a mail on its
/// way, or a question to a person, stands.
pub fn relocate(
    before: &Cadence,
    course: &Course,
    state: State,
    now: Timestamp,
) -> Option<(State, Vec<Effect>)> {
    let (state, effects) = relocated(before, course, state, now)?;
    Some((turned(course.cadence, state), effects))
}

fn relocated(
    before: &Cadence,
    course: &Course,
    state: State,
    now: Timestamp,
) -> Option<(State, Vec<Effect>)> {
    // What was let go as the old file had it may be another text now: it is read again.
    let released = state.released.clone().filter(|released| released.edited.is_some());
    let state = State { released, ..state };
    let Some((id, attempt)) = state.phase.step().map(|(id, attempt)| (id.clone(), attempt)) else {
        return Some((state, Vec::new()));
    };
    if let Some((_, step)) = course.cadence.step(&id) {
        let was = before.step(&id).map(|(_, step)| step);
        let is_retimed = was.is_none_or(|was| is_retimed(before, was, course.cadence, step));
        let state = if is_retimed { retimed(course, state, step, attempt, now) } else { state };
        return Some((state, Vec::new()));
    }
    let behind = still_there_before(before, course.cadence, &id);
    match state.phase {
        Phase::Sending { .. } | Phase::InDoubt { .. } => None,
        // A question to a person stays open; its answer goes on behind the last step that is still there.
        Phase::Triage { .. }
        | Phase::OnReply { .. }
        | Phase::Offered { .. }
        | Phase::HandedBack { .. } => {
            let step = asked_about(course.cadence, &state, behind?)?.clone();
            let phase = asked_at(state.phase, step);
            Some((State { phase, ..state }, Vec::new()))
        }
        Phase::Waiting { .. }
        | Phase::OnTask { .. }
        | Phase::Paused { .. }
        | Phase::Closing { .. }
        | Phase::Ended { .. } => Some(go_on(course, state, behind, now)),
    }
}

/// The steps that may still fire for somebody, in their order. A step whose task is open, or whose mail
/// is on its way, has fired.
pub fn ahead<'a>(cadence: &'a Cadence, state: &State) -> Vec<&'a StepId> {
    let Some((id, attempt)) = state.phase.step() else { return Vec::new() };
    let Some((position, step)) = cadence.step(id) else { return Vec::new() };
    let has_fired = match state.phase {
        Phase::Waiting { .. } | Phase::Paused { .. } => false,
        // A reply may have come before the step: when the person goes on, it is still to come.
        Phase::OnReply { .. } | Phase::Triage { .. } | Phase::HandedBack { .. } => {
            state.attempts_of(id) >= attempt
        }
        Phase::Offered { .. } => matches!(step.what, What::HandOff(_)) || state.attempts_of(id) > 0,
        Phase::Sending { .. }
        | Phase::InDoubt { .. }
        | Phase::OnTask { .. }
        | Phase::Closing { .. }
        | Phase::Ended { .. } => true,
    };
    let steps = cadence.steps.iter().skip(position).map(|step| &step.id);
    let is_left = |step: &&StepId| match *step == id {
        true => !has_fired,
        false => state.outcome_of(step).is_none(),
    };
    steps.filter(is_left).collect()
}

/// The last step before a removed one that the changed cadence still has.
fn still_there_before<'a>(before: &'a Cadence, after: &Cadence, id: &StepId) -> Option<&'a StepId> {
    let above = before.steps.iter().map(|step| &step.id).take_while(|step| *step != id);
    above.filter(|step| after.step(step).is_some()).last()
}

/// About which step a question is from now on, so that its answer goes on behind `behind`. That one will do
/// if it has passed; one that was never reached must not be fired by the answer.
fn asked_about<'a>(cadence: &'a Cadence, state: &State, behind: &'a StepId) -> Option<&'a StepId> {
    match state.outcome_of(behind) {
        Some(_) => Some(behind),
        None => first_left(cadence, state, Some(behind)).map(|step| &step.id),
    }
}

/// The same question about another step; what is no question to a person stays as it is.
fn asked_at(phase: Phase, step: StepId) -> Phase {
    let attempt = 1;
    match phase {
        Phase::Triage { expires_at, .. } => Phase::Triage { step, expires_at },
        Phase::OnReply { left, expires_at, .. } => {
            Phase::OnReply { step, attempt, left, expires_at }
        }
        Phase::Offered { hand_off, expires_at, .. } => {
            Phase::Offered { step, attempt, hand_off, expires_at }
        }
        Phase::HandedBack { hand_off, why, expires_at, .. } => {
            Phase::HandedBack { step, hand_off, why, expires_at }
        }
        Phase::Waiting { .. }
        | Phase::Sending { .. }
        | Phase::InDoubt { .. }
        | Phase::OnTask { .. }
        | Phase::Paused { .. }
        | Phase::Closing { .. }
        | Phase::Ended { .. } => phase,
    }
}

/// The first step behind `behind` (or of all) that has not passed.
fn first_left<'a>(
    cadence: &'a Cadence,
    state: &State,
    behind: Option<&StepId>,
) -> Option<&'a Step> {
    let position = behind.and_then(|id| cadence.step(id));
    let from = position.map_or(0, |(position, _)| position + 1);
    cadence.steps.iter().skip(from).find(|step| state.outcome_of(&step.id).is_none())
}

/// To the first step behind `behind` (or of all) that has not passed; else to the end.
fn go_on(
    course: &Course,
    state: State,
    behind: Option<&StepId>,
    now: Timestamp,
) -> (State, Vec<Effect>) {
    let (state, effects) = match first_left(course.cadence, &state, behind) {
        Some(next) => {
            (State { phase: before_step(course, &state, next, now), ..state }, Vec::new())
        }
        None => match course.cadence.steps.last() {
            Some(last) => advance(course, state, &last.id, now),
            None => (state, Vec::new()),
        },
    };
    let close = Effect::CloseTasks;
    (state, if effects.contains(&close) { effects } else { [vec![close], effects].concat() })
}

/// A pause goes on before the next step; everybody else waits for it.
fn before_step(course: &Course, state: &State, next: &Step, now: Timestamp) -> Phase {
    let (step, attempt) = (next.id.clone(), 1);
    match state.phase {
        Phase::Paused { why, until, left, .. } => Phase::Paused { why, until, step, attempt, left },
        _ => Phase::Waiting { step, attempt, due_at: due_anew(course, state, next).max(now) },
    }
}

/// Whether the step's time is counted in another way.
fn is_retimed(before: &Cadence, was: &Step, after: &Cadence, step: &Step) -> bool {
    was.when != step.when
        || was.hours != step.hours
        || before.days != after.days
        || before.calendar != after.calendar
}

/// A changed timing moves a first attempt that is still waited for, but never into the past; a mail that
/// a server put off waits for that server.
fn retimed(course: &Course, state: State, step: &Step, attempt: u32, now: Timestamp) -> State {
    match &state.phase {
        Phase::Waiting { due_at: before, .. } if attempt == 1 && state.tries == 0 => {
            // What is due already and stays due keeps its place in the queue.
            let due_at = due_anew(course, &state, step).max(now.min(*before));
            let phase = Phase::Waiting { step: step.id.clone(), attempt, due_at };
            State { phase, ..state }
        }
        _ => state,
    }
}

/// When a step falls due; before the first one, counted from the beginning of day 1.
fn due_anew(course: &Course, state: &State, step: &Step) -> Timestamp {
    let anchor_at = match state.passed.is_empty() {
        true => begins_at(course, step, state.anchor_at),
        false => state.anchor_at,
    };
    due_at(course, &State { anchor_at, ..state.clone() }, step)
}
