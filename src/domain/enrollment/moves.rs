//! The one function between the states, and how an enrollment begins.

use jiff::{SignedDuration, Timestamp};

use super::{
    Circumstances, Course, Effect, Ending, Event, IllegalTransition, Passed, Pause, Phase, State,
    TRIAGE_OUTCOMES, TaskKind,
};
use crate::domain::cadence::{
    BOUNCED, Channel, DayKind, EXPIRED, Outcome, REFUSED, SENT, SKIPPED, Step, Verb, What, When,
};
use crate::domain::calendar::start_of_day;
use crate::domain::ids::StepId;
use crate::domain::time::{Delay, Unit};

/// How long a question to the owner may stay open before the enrollment ends.
const TRIAGE_EXPIRES: Delay = Delay::new(10, Unit::BusinessDays);

/// A new enrollment: waiting for the first step. `None` for a cadence without steps.
pub fn begin(course: &Course, now: Timestamp) -> Option<State> {
    let first = course.cadence.steps.first()?;
    let begins_at = begins_at(course, now);
    let state = State {
        phase: Phase::Closing { until: now },
        day: 1,
        anchor_at: begins_at,
        not_before: None,
        tries: 0,
        passed: Vec::new(),
    };
    let due_at = due_at(course, &state, first).max(begins_at);
    Some(State {
        phase: Phase::Waiting { step: first.id.clone(), attempt: 1, due_at },
        anchor_at: now,
        ..state
    })
}

/// The instant from which the steps of somebody who was enrolled then are counted: the beginning of day 1.
pub(super) fn begins_at(course: &Course, enrolled_at: Timestamp) -> Timestamp {
    let date = course.zone.to_datetime(enrolled_at).date();
    let day_one = match course.cadence.days {
        DayKind::Business => course.calendar.working_day_from(date),
        DayKind::Calendar => date,
    };
    start_of_day(day_one, course.zone, enrolled_at).max(enrolled_at)
}

/// The instant at which a step falls due, before windows, holidays of the window, and caps.
///
/// `day:` keeps the gap to the step before: when that was late, this moves with it, by whole days.
pub(super) fn due_at(course: &Course, state: &State, step: &Step) -> Timestamp {
    let planned = match step.when {
        When::After(delay) => course.calendar.after(state.anchor_at, delay, course.zone),
        When::Day(day) => {
            let gap = course.cadence.days.delay(day.saturating_sub(state.day));
            if gap.amount == 0 {
                state.anchor_at
            } else {
                let on = course.calendar.after(state.anchor_at, gap, course.zone);
                start_of_day(course.zone.to_datetime(on).date(), course.zone, on)
            }
        }
    };
    planned.max(state.not_before.unwrap_or(planned))
}

/// What an event makes of a state.
///
/// # Errors
/// The event cannot happen in this phase; the caller keeps the old state.
pub fn step(
    course: &Course,
    state: State,
    event: Event,
    now: Timestamp,
) -> Result<(State, Vec<Effect>), IllegalTransition> {
    match event {
        Event::Due(circumstances) => on_due(course, state, &circumstances, now),
        Event::Intended => on_intended(state, now),
        Event::Sent | Event::Settled => on_mail_over(course, state, SENT, now),
        Event::Refused => on_mail_over(course, state, REFUSED, now),
        Event::Deferred { until } => on_deferred(state, until),
        Event::Lost => on_lost(state),
        Event::Done { outcome, until } => on_done(course, state, outcome, until, now),
        Event::Replied => Ok(end(state, Ending::Replied, now)),
        Event::OptedOut => Ok(end(state, Ending::OptedOut, now)),
        Event::LeftCompany | Event::Stopped => Ok(end(state, Ending::Removed, now)),
        Event::Bounced { step } => Ok((on_bounced(state, &step), Vec::new())),
        Event::Away { until } => Ok(pause(state, Pause::OutOfOffice, Some(until), now)),
        Event::PausedByRep { until } => Ok(pause(state, Pause::ByRep, until, now)),
        Event::Resumed => on_resumed(state, now),
    }
}

type Stepped = Result<(State, Vec<Effect>), IllegalTransition>;

fn on_due(course: &Course, state: State, circumstances: &Circumstances, now: Timestamp) -> Stepped {
    match state.phase.clone() {
        Phase::Waiting { step, attempt, .. } => {
            fire(course, state, &step, attempt, circumstances, now)
        }
        Phase::OnTask { step, attempt, .. } => {
            let outcome = Outcome::from(EXPIRED);
            let (state, effects) = pass(course, state, &step, attempt, outcome, None, now);
            Ok((state, [vec![Effect::CloseTasks], effects].concat()))
        }
        Phase::Triage { .. } => Ok(end(state, Ending::NoReply, now)),
        Phase::Paused { .. } => on_resumed(state, now),
        Phase::Closing { .. } => Ok(end(state, Ending::NoReply, now)),
        Phase::Sending { .. } => on_lost(state),
        Phase::InDoubt { .. } => on_mail_over(course, state, SENT, now),
        Phase::Ended { .. } => illegal("due", &state),
    }
}

/// A step's time has come: do it, or pass over it.
fn fire(
    course: &Course,
    state: State,
    id: &StepId,
    attempt: u32,
    circumstances: &Circumstances,
    now: Timestamp,
) -> Stepped {
    let Some((_, step)) = course.cadence.step(id) else {
        return Ok(end(state, Ending::Removed, now));
    };
    if !applies(step, &state, circumstances) {
        return Ok(pass(course, state, id, attempt, Outcome::from(SKIPPED), None, now));
    }
    if let What::Email { .. } = step.what {
        let send = Effect::SendMail { step: id.clone(), attempt };
        return Ok((state, vec![send]));
    }
    let expires_at = course.calendar.after(now, step.expires_after, course.zone);
    let kind = TaskKind::Touch(step.what.channel());
    let open = Effect::OpenTask { step: id.clone(), attempt, kind, expires_at };
    let phase = Phase::OnTask { step: id.clone(), attempt, expires_at };
    Ok((State { phase, ..state }, vec![open]))
}

/// Whether a step's channel is open and its conditions hold.
fn applies(step: &Step, state: &State, circumstances: &Circumstances) -> bool {
    let channel = step.what.channel();
    let needed = match channel {
        Channel::Email => Some("email"),
        Channel::Call => Some("phone"),
        Channel::Social => Some("linkedin_url"),
        Channel::Task => None,
    };
    let outcome_of = |id: &StepId| state.outcome_of(id);
    let holds =
        |line: &crate::domain::cadence::Condition| line.holds(&circumstances.facts, &outcome_of);
    !circumstances.closed.contains(&channel)
        && needed.is_none_or(|field| circumstances.facts.has(field))
        && step.only_if.iter().all(holds)
        && (step.skip_if.is_empty() || !step.skip_if.iter().all(holds))
}

fn on_intended(state: State, now: Timestamp) -> Stepped {
    match state.phase.clone() {
        Phase::Waiting { step, attempt, .. } => {
            let phase = Phase::Sending { step, attempt, since: now };
            Ok((State { phase, ..state }, Vec::new()))
        }
        _ => illegal("intended", &state),
    }
}

fn on_mail_over(course: &Course, state: State, outcome: &str, now: Timestamp) -> Stepped {
    match state.phase.clone() {
        Phase::Sending { step, attempt, .. } | Phase::InDoubt { step, attempt, .. } => {
            Ok(pass(course, state, &step, attempt, Outcome::from(outcome), None, now))
        }
        // Refused at the recipient, before any intent.
        Phase::Waiting { step, attempt, .. } if outcome == REFUSED => {
            Ok(pass(course, state, &step, attempt, Outcome::from(outcome), None, now))
        }
        // A reply or an opt-out came while the mail was on its way.
        Phase::Ended { .. } => Ok((state, Vec::new())),
        _ => illegal("a mail's end", &state),
    }
}

fn on_deferred(state: State, until: Timestamp) -> Stepped {
    match state.phase.clone() {
        // In doubt: the sender was slow, and now brings definite knowledge.
        Phase::Sending { step, attempt, .. }
        | Phase::InDoubt { step, attempt, .. }
        | Phase::Waiting { step, attempt, .. } => {
            let phase = Phase::Waiting { step, attempt, due_at: until };
            let tries = state.tries.saturating_add(1);
            Ok((State { phase, tries, ..state }, Vec::new()))
        }
        Phase::Ended { .. } => Ok((state, Vec::new())),
        _ => illegal("deferred", &state),
    }
}

fn on_lost(state: State) -> Stepped {
    match state.phase.clone() {
        Phase::Sending { step, attempt, since } => {
            let phase = Phase::InDoubt { step, attempt, since };
            Ok((State { phase, ..state }, Vec::new()))
        }
        Phase::InDoubt { .. } | Phase::Ended { .. } => Ok((state, Vec::new())),
        _ => illegal("lost", &state),
    }
}

/// The step counts as not reached; the address itself is closed by a suppression.
fn on_bounced(mut state: State, step: &StepId) -> State {
    let sent = |passed: &&mut Passed| passed.step == *step && passed.outcome.as_str() == SENT;
    if let Some(passed) = state.passed.iter_mut().rev().find(sent) {
        passed.outcome = Outcome::from(BOUNCED);
    }
    state
}

fn on_done(
    course: &Course,
    state: State,
    outcome: Outcome,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Stepped {
    match state.phase.clone() {
        Phase::OnTask { step, attempt, .. } => {
            let (state, effects) = pass(course, state, &step, attempt, outcome, until, now);
            Ok((state, [vec![Effect::CloseTasks], effects].concat()))
        }
        Phase::Triage { step, .. } => {
            let built_in = TRIAGE_OUTCOMES.iter().find(|(slug, _)| *slug == outcome.as_str());
            let (state, effects) = match built_in.map(|(_, verb)| verb) {
                Some(Verb::Continue) => advance(course, state, &step, now),
                _ => end(state, ending_of(&outcome), now),
            };
            Ok((state, [vec![Effect::CloseTasks], effects].concat()))
        }
        _ => illegal("done", &state),
    }
}

fn on_resumed(state: State, now: Timestamp) -> Stepped {
    match state.phase.clone() {
        Phase::Paused { step, attempt, left, .. } => {
            let due_at = now.checked_add(left).unwrap_or(Timestamp::MAX);
            Ok((State { phase: Phase::Waiting { step, attempt, due_at }, ..state }, Vec::new()))
        }
        _ => illegal("resumed", &state),
    }
}

/// An attempt is over: note it, and do what its outcome leads to.
fn pass(
    course: &Course,
    mut state: State,
    id: &StepId,
    attempt: u32,
    outcome: Outcome,
    until: Option<Timestamp>,
    now: Timestamp,
) -> (State, Vec<Effect>) {
    let step = course.cadence.step(id).map(|(_, step)| step);
    let verb = step.map_or(Verb::Continue, |step| step.verb(&outcome));
    if let Some(Step { when: When::Day(day), .. }) = step {
        state.day = state.day.max(*day);
    }
    state.anchor_at = now;
    state.tries = 0;
    state.passed.push(Passed { step: id.clone(), attempt, outcome: outcome.clone(), at: now });
    let passed = Effect::Pass { step: id.clone(), attempt, outcome: outcome.clone() };
    let (state, effects) = follow(course, state, id, attempt, verb, &outcome, until, now);
    (state, [vec![passed], effects].concat())
}

#[allow(
    clippy::too_many_arguments,
    reason = "the one place where a verb meets everything it may need"
)]
fn follow(
    course: &Course,
    state: State,
    id: &StepId,
    attempt: u32,
    verb: Verb,
    outcome: &Outcome,
    until: Option<Timestamp>,
    now: Timestamp,
) -> (State, Vec<Effect>) {
    match verb {
        Verb::Continue => advance(course, state, id, now),
        Verb::Stop => end(state, ending_of(outcome), now),
        Verb::Triage => ask_owner(course, state, id, now),
        Verb::Retry { after, max } if attempt <= max => {
            let due_at = course.calendar.after(now, after, course.zone);
            let phase = Phase::Waiting { step: id.clone(), attempt: attempt + 1, due_at };
            (State { phase, ..state }, Vec::new())
        }
        Verb::Retry { .. } => advance(course, state, id, now),
        Verb::Pause(delay) => {
            let until = until.unwrap_or_else(|| course.calendar.after(now, delay, course.zone));
            let (state, effects) = advance(course, state, id, now);
            let (state, _) = pause(state, Pause::ByOutcome, Some(until), now);
            (state, effects)
        }
    }
}

fn ask_owner(course: &Course, state: State, id: &StepId, now: Timestamp) -> (State, Vec<Effect>) {
    let expires_at = course.calendar.after(now, TRIAGE_EXPIRES, course.zone);
    let open =
        Effect::OpenTask { step: id.clone(), attempt: 1, kind: TaskKind::Triage, expires_at };
    let phase = Phase::Triage { step: id.clone(), expires_at };
    (State { phase, ..state }, vec![open])
}

/// On to the step behind `id`, or to the end.
pub(super) fn advance(
    course: &Course,
    state: State,
    id: &StepId,
    now: Timestamp,
) -> (State, Vec<Effect>) {
    let mut behind = course.cadence.steps.iter().skip_while(|step| step.id != *id).skip(1);
    // In a changed cadence a step that has passed may stand behind this one.
    let next = behind.find(|step| state.outcome_of(&step.id).is_none());
    if let Some(next) = next {
        let due_at = due_at(course, &state, next);
        let phase = Phase::Waiting { step: next.id.clone(), attempt: 1, due_at };
        return (State { phase, ..state }, Vec::new());
    }
    match course.cadence.at_end {
        Verb::Pause(delay) if !state.nothing_left() => {
            let until = course.calendar.after(now, delay, course.zone);
            (State { phase: Phase::Closing { until }, ..state }, Vec::new())
        }
        _ if state.nothing_left() => end(state, Ending::Bounced, now),
        _ => end(state, Ending::NoReply, now),
    }
}

/// Stops the clock. What is on its way or in doubt stays so; only what follows has to wait.
fn pause(
    state: State,
    why: Pause,
    until: Option<Timestamp>,
    now: Timestamp,
) -> (State, Vec<Effect>) {
    let paused = |step, attempt, left| Phase::Paused { why, until, step, attempt, left };
    match state.phase.clone() {
        Phase::Waiting { step, attempt, due_at } => {
            let left = now.duration_until(due_at).max(SignedDuration::ZERO);
            (State { phase: paused(step, attempt, left), ..state }, Vec::new())
        }
        Phase::OnTask { step, attempt, .. } => {
            let phase = paused(step, attempt, SignedDuration::ZERO);
            (State { phase, ..state }, vec![Effect::CloseTasks])
        }
        Phase::Paused { step, attempt, left, until: before, .. } => {
            // A delay is never shortened; without an end it lasts until somebody resumes.
            let until = match (before, until) {
                (Some(before), Some(until)) => Some(before.max(until)),
                _ => None,
            };
            let phase = Phase::Paused { why, until, step, attempt, left };
            (State { phase, ..state }, Vec::new())
        }
        Phase::Sending { .. } | Phase::InDoubt { .. } => {
            let not_before = state.not_before.max(until);
            (State { not_before, ..state }, Vec::new())
        }
        Phase::Triage { .. } | Phase::Closing { .. } | Phase::Ended { .. } => (state, Vec::new()),
    }
}

/// Ends the enrollment. A reply that comes behind the last step still makes it `replied`; an opt-out
/// outranks everything; any other end stays as it is.
pub(super) fn end(state: State, ending: Ending, now: Timestamp) -> (State, Vec<Effect>) {
    if let Phase::Ended { ending: before, .. } = state.phase {
        let outranks = match ending {
            Ending::OptedOut => before != Ending::OptedOut,
            Ending::Replied => matches!(before, Ending::NoReply | Ending::Bounced),
            _ => false,
        };
        if !outranks {
            return (state, Vec::new());
        }
    }
    let phase = Phase::Ended { ending, at: now };
    (State { phase, ..state }, vec![Effect::CloseTasks, Effect::End { ending }])
}

fn ending_of(outcome: &Outcome) -> Ending {
    match outcome.as_str() {
        "meeting_booked" => Ending::Meeting,
        "not_interested" => Ending::NotInterested,
        "interested" | "replied" => Ending::Replied,
        _ => Ending::Removed,
    }
}

fn illegal(event: &'static str, state: &State) -> Stepped {
    Err(IllegalTransition { event, phase: state.phase.name() })
}
