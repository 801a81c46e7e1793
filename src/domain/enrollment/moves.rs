//! The one function between the states, and how an enrollment begins.

use jiff::{SignedDuration, Timestamp};

use super::account::{gone, heard, leave, nobody_there, turned};
use super::asked::{
    ask_if_reply_waits, go_on, hand_back, offer, on_decided, on_offer_answered, on_replied,
    on_reply_told,
};
use super::timing::{days_of, due_at, on_date};
use super::{
    Circumstances, Course, Edited, Effect, Ending, Event, IllegalTransition, Passed, Pause, Phase,
    Released, Skipped, State, TaskKind,
};
use crate::domain::cadence::{
    BOUNCED, CALL_BACK, Channel, Condition, EMAIL_BOUNCED, EXPIRED, MailMode, OUT_OF_OFFICE,
    Others, Outcome, REFUSED, SENT, SKIPPED, Step, Verb, What, When,
};
use crate::domain::ids::{CadenceId, ProspectId, StepId};
use crate::domain::time::{Delay, Unit};

/// How long a question to the owner may stay open before the enrollment ends.
pub(super) const TRIAGE_EXPIRES: Delay = Delay::new(10, Unit::BusinessDays);

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
    let (state, effects) = moved(course, state, event, now)?;
    let (state, asks) = ask_if_reply_waits(course, state, now);
    Ok((turned(course.cadence, state), [effects, asks].concat()))
}

pub(super) fn moved(course: &Course, state: State, event: Event, now: Timestamp) -> Stepped {
    match event {
        Event::Due(circumstances) => on_due(course, state, &circumstances, now),
        Event::Intended => on_intended(state, now),
        Event::Sent | Event::Settled => on_mail_over(course, state, SENT, now),
        Event::Refused => on_mail_over(course, state, REFUSED, now),
        Event::Deferred { until } => on_deferred(state, until),
        Event::Lost => on_lost(state),
        Event::Done { outcome, until } => on_done(course, state, outcome, until, now),
        Event::Snoozed { by } => on_snoozed(state, by),
        Event::Released { edited } => on_released(course, state, edited, now),
        Event::Unwritable => match state.phase {
            Phase::Waiting { .. } => Ok((State { released: None, ..state }, Vec::new())),
            _ => illegal("unwritable", &state),
        },
        Event::Replied => Ok(on_replied(course, state, now)),
        Event::OptedOut => Ok(gone(course, state, Ending::OptedOut, now)),
        Event::LeftCompany => Ok(gone(course, state, Ending::Removed, now)),
        Event::Stopped => Ok(end(state, Ending::Removed, now)),
        Event::Bounced { step } => Ok((on_bounced(state, &step), Vec::new())),
        Event::Told { event } => {
            let mut state = state;
            if !matches!(state.phase, Phase::Ended { .. }) {
                state.happened.insert(event);
            }
            Ok((state, Vec::new()))
        }
        Event::Away { until } => {
            let (mut state, effects) = pause(state, Pause::OutOfOffice, Some(until), now);
            state.happened.insert(OUT_OF_OFFICE.to_owned());
            Ok((state, effects))
        }
        Event::PausedByRep { until } => Ok(pause(state, Pause::ByRep, until, now)),
        Event::Resumed => on_resumed(state, now),
        Event::ColleagueHeard { until } => Ok(pause_for_colleague(state, until, now)),
        Event::ColleagueSettled => match state.phase {
            Phase::Paused { why: Pause::ByColleague, .. } => on_resumed(state, now),
            _ => Ok((state, Vec::new())),
        },
        Event::Of { who, event } => heard(course, state, who, *event, now),
    }
}

pub(super) type Stepped = Result<(State, Vec<Effect>), IllegalTransition>;

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
        Phase::Triage { .. } | Phase::HandedBack { .. } | Phase::Closing { .. } => {
            Ok(end_quietly(state, now))
        }
        Phase::OnReply { .. } => Ok(end(state, Ending::Replied, now)),
        Phase::Offered { .. } => Ok(on_offer_answered(course, state, EXPIRED.into(), now)),
        Phase::Paused { .. } => on_resumed(state, now),
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
    if let Some(role) = nobody_there(&state, step) {
        return Ok(skip(course, state, id, attempt, Skipped::NobodyThere(role), now));
    }
    match time_of(course, &state, step, attempt) {
        Err(why) => return Ok(skip(course, state, id, attempt, why, now)),
        Ok(due_at) if due_at > now => {
            let phase = Phase::Waiting { step: id.clone(), attempt, due_at };
            return Ok((State { phase, ..state }, Vec::new()));
        }
        Ok(_) => {}
    }
    if let Some(why) = skipped(step, &state, circumstances) {
        return Ok(skip(course, state, id, attempt, why, now));
    }
    let kind = match &step.what {
        What::Email { mode: MailMode::Review, .. } if state.release_of(id, attempt).is_none() => {
            TaskKind::Review
        }
        What::Email { .. } => {
            return Ok((state, vec![Effect::SendMail { step: id.clone(), attempt }]));
        }
        What::HandOff(hand_off) => {
            return Ok(offer(course, state, id, attempt, hand_off.clone(), now));
        }
        What::Call { .. } | What::Social { .. } | What::Task { .. } => {
            TaskKind::Touch(step.what.channel())
        }
    };
    let expires_at = course.calendar.after(now, step.expires_after, course.zone);
    let promised_at = None;
    let open = Effect::OpenTask { step: id.clone(), attempt, kind, expires_at, promised_at };
    let phase = Phase::OnTask { step: id.clone(), attempt, expires_at };
    let mut state = State { phase, ..state };
    if kind == TaskKind::Touch(Channel::Task) && state.attempts_of(id) == 0 {
        state.inward.insert(id.clone());
    }
    Ok((state, vec![open]))
}

/// The time of a step on a date, as the date is now. Anything else has waited for its time, and what
/// was tried before is not put off again.
fn time_of(
    course: &Course,
    state: &State,
    step: &Step,
    attempt: u32,
) -> Result<Timestamp, Skipped> {
    match &step.when {
        When::At(anchor) if attempt == 1 && state.tries == 0 => on_date(course, state, anchor),
        When::At(_) | When::Day(_) | When::After(_) => Ok(Timestamp::MIN),
    }
}

/// Why a step is passed over, unless its channel is open and its conditions hold.
fn skipped(step: &Step, state: &State, circumstances: &Circumstances) -> Option<Skipped> {
    let channel = step.what.channel();
    let needed = channel.needed_field();
    let facts = &circumstances.facts;
    let holds = |line: &Condition| line.holds(facts, state);
    let applies = step.only_if.iter().all(holds)
        && (step.skip_if.is_empty() || !step.skip_if.iter().all(holds));
    if !applies {
        return Some(Skipped::Conditions);
    }
    if circumstances.closed.contains(&channel) {
        return Some(Skipped::ChannelClosed);
    }
    let missing = needed.filter(|field| !facts.has(field));
    missing.map(|field| Skipped::Missing(field.to_owned()))
}

fn skip(
    course: &Course,
    state: State,
    id: &StepId,
    attempt: u32,
    why: Skipped,
    now: Timestamp,
) -> (State, Vec<Effect>) {
    let outcome = Outcome::from(SKIPPED);
    let (state, mut effects) = pass(course, state, id, attempt, outcome, None, now);
    if let Some(Effect::Pass { skipped, .. }) = effects.first_mut() {
        *skipped = Some(why);
    }
    (state, effects)
}

/// The mail may leave from now on, as soon as it may be sent.
fn on_released(course: &Course, state: State, edited: Option<Edited>, now: Timestamp) -> Stepped {
    let is_mail = |id: &StepId| {
        let step = course.cadence.step(id).map(|(_, step)| step);
        step.is_some_and(|step| step.what.channel() == Channel::Email)
    };
    match state.phase.clone() {
        Phase::OnTask { step, attempt, .. } if is_mail(&step) => {
            let released = Some(Released { step: step.clone(), attempt, edited });
            let phase = Phase::Waiting { step, attempt, due_at: now };
            Ok((State { phase, released, ..state }, vec![Effect::CloseTasks]))
        }
        _ => illegal("released", &state),
    }
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
    state.happened.insert(EMAIL_BOUNCED.to_owned());
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
        Phase::Triage { .. } | Phase::HandedBack { .. } => on_decided(course, state, &outcome, now),
        Phase::OnReply { .. } => Ok(on_reply_told(course, state, &outcome, until, now)),
        Phase::Offered { .. } => Ok(on_offer_answered(course, state, outcome, now)),
        _ => illegal("done", &state),
    }
}

/// What a person is asked stays open for longer. An offer to others does not: they have their own time.
fn on_snoozed(mut state: State, by: SignedDuration) -> Stepped {
    match &mut state.phase {
        Phase::OnTask { expires_at, .. }
        | Phase::Triage { expires_at, .. }
        | Phase::OnReply { expires_at, .. }
        | Phase::HandedBack { expires_at, .. } => {
            *expires_at = expires_at.checked_add(by).unwrap_or(Timestamp::MAX);
            Ok((state, Vec::new()))
        }
        _ => illegal("snoozed", &state),
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
pub(super) fn pass(
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
    match step.map(|step| &step.when) {
        Some(When::Day(day)) => state.day = state.day.max(*day),
        // A wait of days is a part of the plan: `day: 7` behind it is the seventh day, too.
        Some(When::After(delay)) if attempt == 1 => {
            state.day = state.day.saturating_add(days_of(course, state.anchor_at, *delay));
        }
        Some(When::After(_) | When::At(_)) | None => {}
    }
    state.anchor_at = now;
    state.tries = 0;
    state.released = None;
    state.passed.push(Passed { step: id.clone(), attempt, outcome: outcome.clone(), at: now });
    let skipped = None;
    let passed = Effect::Pass { step: id.clone(), attempt, outcome: outcome.clone(), skipped };
    let promised =
        step.and_then(|step| promised(step, &verb, &outcome, until, now).zip(Some(step)));
    let (state, effects) = match promised {
        Some((at, step)) => call_again(course, state, step, attempt, at),
        None => follow(course, state, id, attempt, verb, &outcome, until, now),
    };
    (state, [vec![passed], effects].concat())
}

/// The time at which the person wants to be called, where the file does not lead elsewhere.
fn promised(
    step: &Step,
    verb: &Verb,
    outcome: &Outcome,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let stays = matches!(verb, Verb::Triage | Verb::Continue | Verb::Retry { .. });
    let asks = step.what.channel() == Channel::Call && outcome.as_str() == CALL_BACK;
    until.filter(|at| stays && asks && *at > now)
}

/// The same call once more, at the time that was promised. Everything else waits for it.
fn call_again(
    course: &Course,
    state: State,
    step: &Step,
    attempt: u32,
    at: Timestamp,
) -> (State, Vec<Effect>) {
    let (id, attempt) = (step.id.clone(), attempt + 1);
    let expires_at = course.calendar.after(at, step.expires_after, course.zone);
    let (kind, promised_at) = (TaskKind::Touch(Channel::Call), Some(at));
    let open = Effect::OpenTask { step: id.clone(), attempt, kind, expires_at, promised_at };
    let phase = Phase::OnTask { step: id, attempt, expires_at };
    (State { phase, ..state }, vec![open])
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
        Verb::Stop => stop(course, state, (id, attempt), None, ending_of(outcome), now),
        Verb::Triage => match course.cadence.step(id).map(|(_, step)| &step.what) {
            Some(What::HandOff(hand_off)) => {
                hand_back(course, state, id, hand_off.clone(), outcome, now)
            }
            _ => ask_owner(course, state, id, now),
        },
        Verb::SwitchTo { cadence, after } => {
            switch(course, state, (id, attempt), None, (cadence, after), now)
        }
        Verb::HandOff(hand_off) => offer(course, state, id, attempt, hand_off, now),
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

/// Nobody touches this person here any more. That is the end, unless others of an account are left.
pub(super) fn stop(
    course: &Course,
    mut state: State,
    (id, attempt): (&StepId, u32),
    left: Option<SignedDuration>,
    ending: Ending,
    now: Timestamp,
) -> (State, Vec<Effect>) {
    let Some(left_it) = leave(course.cadence, &mut state, ending, now) else {
        return end(state, ending, now);
    };
    let (mut state, on) = go_on(course, state, id, attempt, left, now);
    if ending == Ending::Meeting && course.cadence.company.on_meeting == Others::Pause {
        let until = course.calendar.after(now, TRIAGE_EXPIRES, course.zone);
        (state, _) = pause(state, Pause::ByColleague, Some(until), now);
    }
    (state, [left_it, on].concat())
}

/// The person goes on in another cadence after that, and not here.
pub(super) fn switch(
    course: &Course,
    state: State,
    step: (&StepId, u32),
    left: Option<SignedDuration>,
    (cadence, after): (CadenceId, Delay),
    now: Timestamp,
) -> (State, Vec<Effect>) {
    let at = course.calendar.after(now, after, course.zone);
    let who = state.account.as_ref().and_then(|account| Some(account.current()?.who));
    let (state, mut effects) = stop(course, state, step, left, Ending::Switched, now);
    effects.push(Effect::Begin { cadence, at, who });
    (state, effects)
}

/// Behind the last step everybody who is left goes on in another cadence.
fn switch_all(
    course: &Course,
    state: State,
    (cadence, after): (&CadenceId, Delay),
    now: Timestamp,
) -> (State, Vec<Effect>) {
    let at = course.calendar.after(now, after, course.zone);
    let who: Vec<Option<ProspectId>> = match &state.account {
        Some(account) => account.remaining().map(|member| Some(member.who)).collect(),
        None => vec![None],
    };
    let (state, mut effects) = end(state, Ending::Switched, now);
    let begins = who.into_iter().map(|who| Effect::Begin { cadence: cadence.clone(), at, who });
    effects.extend(begins);
    (state, effects)
}

pub(super) fn ask_owner(
    course: &Course,
    state: State,
    id: &StepId,
    now: Timestamp,
) -> (State, Vec<Effect>) {
    let expires_at = course.calendar.after(now, TRIAGE_EXPIRES, course.zone);
    let (kind, promised_at) = (TaskKind::Triage, None);
    let open = Effect::OpenTask { step: id.clone(), attempt: 1, kind, expires_at, promised_at };
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
    // A step that a change took out has no place: what has not passed is still to come.
    let upto = course.cadence.step(id).map_or(0, |(position, _)| position + 1);
    let mut behind = course.cadence.steps.iter().skip(upto);
    // In a changed cadence a step that has passed may stand behind this one.
    let next = behind.find(|step| state.outcome_of(&step.id).is_none());
    if let Some(next) = next {
        let due_at = due_at(course, &state, next);
        let phase = Phase::Waiting { step: next.id.clone(), attempt: 1, due_at };
        return (State { phase, ..state }, Vec::new());
    }
    match &course.cadence.at_end {
        // Not before somebody has said what the reply means.
        _ if state.reply_waits => {
            (State { phase: Phase::Closing { until: now }, ..state }, Vec::new())
        }
        _ if state.nothing_left() => end(state, Ending::Bounced, now),
        Verb::Pause(delay) => {
            let until = course.calendar.after(now, *delay, course.zone);
            (State { phase: Phase::Closing { until }, ..state }, Vec::new())
        }
        Verb::SwitchTo { cadence, after } => switch_all(course, state, (cadence, *after), now),
        // The file can say none of the others here.
        Verb::Continue | Verb::Triage | Verb::Stop | Verb::Retry { .. } | Verb::HandOff(_) => {
            end_quietly(state, now)
        }
    }
}

/// The end without a last word of anybody.
fn end_quietly(state: State, now: Timestamp) -> (State, Vec<Effect>) {
    let ending = if state.has_replied() { Ending::Replied } else { Ending::NoReply };
    end(state, ending, now)
}

/// Stops the clock. What is on its way or in doubt stays so; only what follows has to wait.
pub(super) fn pause(
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
        Phase::Triage { .. }
        | Phase::OnReply { .. }
        | Phase::Offered { .. }
        | Phase::HandedBack { .. }
        | Phase::Closing { .. }
        | Phase::Ended { .. } => (state, Vec::new()),
    }
}

/// Whoever is paused already stays so for their own reason, and at least as long.
fn pause_for_colleague(state: State, until: Timestamp, now: Timestamp) -> (State, Vec<Effect>) {
    let why = match state.phase {
        Phase::Paused { why, .. } => why,
        _ => Pause::ByColleague,
    };
    pause(state, why, Some(until), now)
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

pub(super) fn ending_of(outcome: &Outcome) -> Ending {
    match outcome.as_str() {
        "meeting_booked" => Ending::Meeting,
        "not_interested" => Ending::NotInterested,
        "interested" | "replied" => Ending::Replied,
        "accepted" => Ending::HandedOff,
        _ => Ending::Removed,
    }
}

pub(super) fn illegal(event: &'static str, state: &State) -> Stepped {
    Err(IllegalTransition { event, phase: state.phase.name() })
}
