//! What waits for a person's word: a reply to be read, a hand-off to be accepted, and what comes back.

use jiff::{SignedDuration, Timestamp};

use super::account::{is_asked_about, others_leave, turn_to_reply};
use super::moves::{
    TRIAGE_EXPIRES, advance, ask_owner, end, ending_of, illegal, pass, pause, stop, switch,
};
use super::timing::due_at;
use super::{
    Course, Effect, Ending, HAND_OFF_AGAIN, Pause, Phase, Returned, State, TRIAGE_OUTCOMES,
    TaskKind,
};
use crate::domain::cadence::{EMAIL_REPLIED, EXPIRED, HandOff, Others, Outcome, Verb, What};
use crate::domain::ids::StepId;
use crate::domain::reply::ReplyKind;

type Moved = (State, Vec<Effect>);

/// A person replied. Without `replies` in the file that is the end; with it the clock stops, and the
/// owner is asked what the reply means.
pub(super) fn on_replied(course: &Course, mut state: State, now: Timestamp) -> Moved {
    let has_ended = matches!(state.phase, Phase::Ended { .. });
    // At an account somebody always says what it means: the others wait for it.
    let ends = course.cadence.replies.is_empty() && state.account.is_none();
    if has_ended || ends {
        return end(state, Ending::Replied, now);
    }
    state.happened.insert(EMAIL_REPLIED.to_owned());
    // What was let go before the reply was written without knowing it: it is read again.
    state.released = None;
    match state.phase {
        // Nothing else leaves meanwhile; as soon as its fate is known, the owner is asked.
        Phase::Sending { .. } | Phase::InDoubt { .. } => {
            (State { reply_waits: true, ..state }, Vec::new())
        }
        // A person of ours looks already.
        Phase::OnReply { .. } | Phase::Offered { .. } | Phase::HandedBack { .. } => {
            (state, Vec::new())
        }
        _ => {
            let others = others_wait(course, &mut state, now);
            let (state, effects) = ask_what_it_means(course, state, now);
            (state, [others, effects].concat())
        }
    }
}

/// With `on_reply: stop_others` whoever replied is the only one from then on.
fn others_wait(course: &Course, state: &mut State, now: Timestamp) -> Vec<Effect> {
    match course.cadence.company.on_reply {
        Others::Stop => others_leave(state, now),
        Others::Pause | Others::Nothing => Vec::new(),
    }
}

/// Asks about a reply that came while a mail was on its way, now that its fate is known.
pub(super) fn ask_if_reply_waits(course: &Course, mut state: State, now: Timestamp) -> Moved {
    let on_its_way = matches!(state.phase, Phase::Sending { .. } | Phase::InDoubt { .. });
    let has_ended = matches!(state.phase, Phase::Ended { .. });
    // At an account one question comes after the other.
    let is_busy = state.account.is_some() && is_asked_about(&state.phase);
    if !state.reply_waits || on_its_way || has_ended || is_busy {
        return (state, Vec::new());
    }
    if !turn_to_reply(&mut state) {
        return (State { reply_waits: false, ..state }, Vec::new());
    }
    let others = others_wait(course, &mut state, now);
    let (mut state, effects) = ask_what_it_means(course, state, now);
    state.reply_waits = state.account.as_ref().is_some_and(|account| !account.replied.is_empty());
    (state, [others, effects].concat())
}

/// The delay that remained until the step.
fn left_of(phase: &Phase, now: Timestamp) -> SignedDuration {
    match phase {
        Phase::Waiting { due_at, .. } => now.duration_until(*due_at).max(SignedDuration::ZERO),
        Phase::Paused { left, .. } => *left,
        _ => SignedDuration::ZERO,
    }
}

fn ask_what_it_means(course: &Course, state: State, now: Timestamp) -> Moved {
    let last = || course.cadence.steps.last().map(|step| (step.id.clone(), 1));
    let step = state.phase.step().map(|(step, attempt)| (step.clone(), attempt));
    let Some((step, attempt)) = step.or_else(last) else {
        return end(state, Ending::Replied, now);
    };
    let left = left_of(&state.phase, now);
    let expires_at = course.calendar.after(now, TRIAGE_EXPIRES, course.zone);
    let kind = TaskKind::Reply;
    let open =
        Effect::OpenTask { step: step.clone(), attempt, kind, expires_at, promised_at: None };
    let phase = Phase::OnReply { step, attempt, left, expires_at };
    (State { phase, reply_waits: false, ..state }, vec![Effect::CloseTasks, open])
}

/// The owner said what the reply means.
pub(super) fn on_reply_told(
    course: &Course,
    state: State,
    outcome: &Outcome,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Moved {
    let Phase::OnReply { step, attempt, left, .. } = state.phase.clone() else {
        return (state, Vec::new());
    };
    let (state, effects) = match verb_of_reply(course, outcome) {
        Verb::Triage => ask_owner(course, state, &step, now),
        Verb::Stop => {
            stop(course, state, (&step, attempt), Some(left), ending_of_reply(outcome), now)
        }
        Verb::SwitchTo { cadence, after } => {
            switch(course, state, (&step, attempt), Some(left), (cadence, after), now)
        }
        Verb::HandOff(hand_off) => offer(course, state, &step, attempt, hand_off, now),
        Verb::Pause(delay) => {
            let until = until.unwrap_or_else(|| course.calendar.after(now, delay, course.zone));
            let (state, effects) = go_on(course, state, &step, attempt, Some(left), now);
            let (state, _) = pause(state, Pause::ByOutcome, Some(until), now);
            (state, effects)
        }
        // No file says `retry` here.
        Verb::Continue | Verb::Retry { .. } => {
            go_on(course, state, &step, attempt, Some(left), now)
        }
    };
    (state, [vec![Effect::CloseTasks], effects].concat())
}

/// The file's word for a kind of reply, else triage's; a kind that the file leaves out stops.
fn verb_of_reply(course: &Course, outcome: &Outcome) -> Verb {
    let kind = ReplyKind::parse(outcome.as_str());
    let said = kind.and_then(|kind| course.cadence.replies.get(&kind));
    let built_in = || TRIAGE_OUTCOMES.iter().find(|(slug, _)| *slug == outcome.as_str());
    said.or_else(|| built_in().map(|(_, verb)| verb)).cloned().unwrap_or(Verb::Stop)
}

fn ending_of_reply(outcome: &Outcome) -> Ending {
    match ending_of(outcome) {
        Ending::Removed => Ending::Replied,
        told => told,
    }
}

/// On with the step that was waited for, or behind it when it has passed.
pub(super) fn go_on(
    course: &Course,
    state: State,
    id: &StepId,
    attempt: u32,
    left: Option<SignedDuration>,
    now: Timestamp,
) -> Moved {
    if state.attempts_of(id) >= attempt {
        return advance(course, state, id, now);
    }
    let Some((_, step)) = course.cadence.step(id) else {
        return advance(course, state, id, now);
    };
    let due_at = match left {
        Some(left) => now.checked_add(left).unwrap_or(Timestamp::MAX),
        None => due_at(course, &state, step).max(now),
    };
    let phase = Phase::Waiting { step: id.clone(), attempt, due_at };
    (State { phase, ..state }, Vec::new())
}

/// Asks a role to take the person over.
pub(super) fn offer(
    course: &Course,
    state: State,
    step: &StepId,
    attempt: u32,
    hand_off: HandOff,
    now: Timestamp,
) -> Moved {
    let expires_at = course.calendar.after(now, hand_off.accept_within, course.zone);
    let kind = TaskKind::HandOff;
    let open =
        Effect::OpenTask { step: step.clone(), attempt, kind, expires_at, promised_at: None };
    let phase = Phase::Offered { step: step.clone(), attempt, hand_off, expires_at };
    (State { phase, ..state }, vec![open])
}

/// Somebody of the role answered, or (with `expired`) nobody did.
pub(super) fn on_offer_answered(
    course: &Course,
    state: State,
    outcome: Outcome,
    now: Timestamp,
) -> Moved {
    let Phase::Offered { step, attempt, hand_off, .. } = state.phase.clone() else {
        return (state, Vec::new());
    };
    let is_the_step = course.cadence.step(&step).is_some_and(|(_, step)| {
        matches!(step.what, What::HandOff(_)) && state.attempts_of(&step.id) < attempt
    });
    let (state, effects) = match outcome.as_str() {
        _ if is_the_step => pass(course, state, &step, attempt, outcome, None, now),
        "accepted" => end(state, Ending::HandedOff, now),
        _ => hand_back(course, state, &step, hand_off, &outcome, now),
    };
    (state, [vec![Effect::CloseTasks], effects].concat())
}

/// Nobody took the person over: the giver decides.
pub(super) fn hand_back(
    course: &Course,
    state: State,
    step: &StepId,
    hand_off: HandOff,
    outcome: &Outcome,
    now: Timestamp,
) -> Moved {
    let why = match outcome.as_str() {
        EXPIRED => Returned::NotAccepted,
        _ => Returned::Declined,
    };
    let expires_at = course.calendar.after(now, TRIAGE_EXPIRES, course.zone);
    let kind = TaskKind::HandedBack;
    let promised_at = None;
    let open = Effect::OpenTask { step: step.clone(), attempt: 1, kind, expires_at, promised_at };
    let phase = Phase::HandedBack { step: step.clone(), hand_off, why, expires_at };
    (State { phase, ..state }, vec![open])
}

/// The giver decided about somebody who came back, or the owner in triage.
pub(super) fn on_decided(
    course: &Course,
    state: State,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Moved, super::IllegalTransition> {
    let (step, hand_off) = match state.phase.clone() {
        Phase::Triage { step, .. } => (step, None),
        Phase::HandedBack { step, hand_off, .. } => (step, Some(hand_off)),
        _ => return illegal("decided", &state),
    };
    let built_in = TRIAGE_OUTCOMES.iter().find(|(slug, _)| *slug == outcome.as_str());
    let (state, effects) = match (built_in.map(|(_, verb)| verb), hand_off) {
        (Some(Verb::Continue), _) => go_on(course, state, &step, 1, None, now),
        (None, Some(hand_off)) if outcome.as_str() == HAND_OFF_AGAIN => {
            let attempt = state.attempts_of(&step) + 1;
            offer(course, state, &step, attempt, hand_off, now)
        }
        _ => {
            let ending = if state.has_replied() { ending_of_reply } else { ending_of };
            stop(course, state, (&step, 1), None, ending(outcome), now)
        }
    };
    Ok((state, [vec![Effect::CloseTasks], effects].concat()))
}
