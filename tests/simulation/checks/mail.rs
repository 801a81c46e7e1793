//! What is checked of every mail: when it is intended, when its content leaves, when a server has it.

use firsttouch::domain::delivery::Envelope;
use firsttouch::domain::ids::ProspectId;
use firsttouch::domain::prospect::Prospect;
use firsttouch::domain::touch::Touch;
use firsttouch::ports::Guards;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::mail::{CONTENT_WITHIN, header};
use crate::plan::{POSTAL_ADDRESS, Plan};
use crate::world::{Accepted, Answered, Intended, State, Stopped, World};

/// How far a clock is set back at once that runs backwards.
const CLOCK_STEP: SignedDuration = SignedDuration::from_secs(10);

/// How far the clocks of two nodes may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// An intent was committed.
pub fn on_intent(
    state: &mut State,
    touch: &Touch,
    guards: Option<&Guards>,
    broken: &mut Vec<String>,
) {
    let Some(mail) = &touch.mail else { return };
    let (seq, at) = (state.seq, touch.at);
    fenced(state, guards, broken);
    let same = state.model.touch_of.get(&(touch.enrollment, touch.step.clone(), touch.attempt));
    let before = same.and_then(|id| state.model.touches.get(id)?.touch.mail.clone());
    if before.is_some_and(|before| before.message_id != mail.message_id) {
        broken.push(format!(
            "promise 1: {} is another Message-ID of the same touch",
            mail.message_id
        ));
    }
    let to = state.people.get(&touch.prospect).and_then(|person| person.known.email.clone());
    let to = to.map(|to| to.to_string()).unwrap_or_default();
    for stopped in said_no(state, touch.prospect, &to) {
        broken.push(format!(
            "promise 3: {} is intended for prospect {} behind {}",
            mail.message_id, touch.prospect, stopped.why
        ));
    }
    let intended = Intended {
        enrollment: touch.enrollment,
        prospect: touch.prospect,
        step: touch.step.clone(),
        attempt: touch.attempt,
        at,
        seq,
    };
    state.intended.insert(mail.message_id.clone(), intended);
}

/// Whoever sends holds the lease as it was last given.
fn fenced(state: &State, guards: Option<&Guards>, broken: &mut Vec<String>) {
    let lease = guards.and_then(|guards| Some((guards.now, guards.lease.as_ref()?)));
    let Some((now, (name, epoch))) = lease else {
        return broken.push("promise 1: an intent without a lease".to_owned());
    };
    let Some(held) = state.model.leases.get(name) else {
        return broken.push(format!("promise 1: {name} was never leased"));
    };
    if held.epoch != *epoch {
        let current = held.epoch;
        broken.push(format!("promise 1: a lost lease: {name}, {epoch} is not {current}"));
    } else if held.until <= now {
        broken.push(format!("promise 1: a lease that had run out: {name} at {now}"));
    }
}

/// Every "no" that covers a mail to somebody at that address.
fn said_no(state: &State, prospect: ProspectId, to: &str) -> Vec<Stopped> {
    let domain = to.split('@').next_back().unwrap_or_default();
    let person = state.stopped.get(&prospect);
    let dead = state.dead.get(to);
    let domain = state.dead_domains.get(domain);
    person.into_iter().chain(dead).chain(domain).cloned().collect()
}

/// The first byte of a mail is about to leave.
pub fn on_content(world: &World, id: &str, envelope: &Envelope, message: &[u8]) {
    let (now, true_now) = (world.now(), world.true_now());
    let mut broken = Vec::new();
    let state = world.state();
    let before = state.answered.get(id).map(Vec::as_slice).unwrap_or_default();
    if !before.iter().all(|answered| *answered == Answered::Later) {
        broken.push(format!("promise 1: {id} leaves again behind {before:?}"));
    }
    let fresh_for = state.plan.freshness + CONTENT_WITHIN;
    let reads = state.inboxes.reads.get(&envelope.mailbox).map(Vec::as_slice).unwrap_or_default();
    let fresh = |at: &Timestamp| *at <= now + SKEW && at.duration_until(now) <= fresh_for;
    // On a clock that was set back meanwhile a read of a moment ago lies ahead: it is one all the same.
    let truly = state.inboxes.read_at.get(&envelope.mailbox);
    let truly = truly.is_some_and(|at| at.duration_until(true_now) <= fresh_for);
    if !truly && !reads.iter().rev().any(fresh) {
        broken.push(format!("promise 2: {id} leaves, and {} was not read", envelope.mailbox));
    }
    if !header(message, "to").contains(envelope.to.as_str()) {
        broken.push(format!("{id} is addressed to somebody else than its envelope"));
    }
    may_be_sent(id, message, &mut broken);
    let answers = header(message, "in-reply-to");
    let left = |answered: &Answered| !matches!(answered, Answered::Later | Answered::Never);
    let known = state.answered.get(&answers).is_some_and(|all| all.iter().any(left));
    if !answers.is_empty() && !known && !state.intended.contains_key(&answers) {
        broken.push(format!("{id} answers {answers}, which never left"));
    }
    match state.intended.get(id) {
        None => broken.push(format!("promise 1: sent without an intent: {id}")),
        Some(intended) => {
            timely(&state, id, intended, (now, true_now), envelope, &mut broken);
        }
    }
    drop(state);
    world.findings(broken);
}

/// Promise 12.
fn may_be_sent(id: &str, message: &[u8], broken: &mut Vec<String>) {
    let text = String::from_utf8_lossy(message);
    if !text.contains(POSTAL_ADDRESS) {
        broken.push(format!("promise 12: {id} does not say who we are"));
    }
    if header(message, "list-unsubscribe").is_empty() || !text.contains("unsubscribe") {
        broken.push(format!("promise 12: {id} does not say how to be left alone"));
    }
    if text.contains("{{") || text.contains("}}") {
        broken.push(format!("promise 12: {id} holds a place without its value"));
    }
}

fn timely(
    state: &State,
    id: &str,
    intended: &Intended,
    (now, true_now): (Timestamp, Timestamp),
    envelope: &Envelope,
    broken: &mut Vec<String>,
) {
    if intended.at.duration_until(now) > CONTENT_WITHIN {
        broken.push(format!("promise 3: the content of {id} begins long behind its intent"));
    }
    for stopped in said_no(state, intended.prospect, envelope.to.as_str()) {
        if stopped.at.duration_until(true_now) > CONTENT_WITHIN + SKEW {
            broken
                .push(format!("promise 3: the content of {id} begins long behind {}", stopped.why));
        }
    }
    let Some(person) = state.people.get(&intended.prospect) else {
        return broken.push(format!("{id} is a mail for nobody"));
    };
    // The window was open when the intent was made: as long before as an intent may lie.
    let open = |at: Timestamp| shut_in(&state.plan, person, at).is_none();
    if !open(now) && !open(now - CONTENT_WITHIN) && !open(now + CLOCK_STEP) {
        let shut = shut_in(&state.plan, person, now).unwrap_or_default();
        broken.push(format!("promise 5: {id} leaves at {shut}"));
    }
}

/// Promise 5: a zone in which the person may be and where no mail may leave then.
fn shut_in(plan: &Plan, person: &Prospect, at: Timestamp) -> Option<String> {
    let shut = |zone: &&String| {
        let local = TimeZone::get(zone).expect("a zone").to_datetime(at);
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let works = plan.works[local.weekday().to_monday_zero_offset() as usize];
        let inside = plan.window.iter().any(|(from, to)| *from <= minute && minute < *to);
        !works || plan.holidays.contains(&local.date()) || !inside
    };
    let zone = person.known.time_zones.iter().find(shut)?;
    let local = TimeZone::get(zone).expect("a zone").to_datetime(at);
    Some(format!("{local} in {zone}"))
}

/// A server took a message over.
pub fn on_accept(world: &World, mail: &Accepted) {
    let mut broken = Vec::new();
    let mut state = world.state();
    let Some(intended) = state.intended.get(&mail.message_id).cloned() else {
        drop(state);
        return world.finding(&format!("promise 1: sent without an intent: {}", mail.message_id));
    };
    let attempt = format!("{}/{}/{}", intended.enrollment, intended.step, intended.attempt);
    if !state.model.taken.insert(format!("accepted {attempt}")) {
        broken.push(format!("promise 1: {attempt} was accepted twice"));
    }
    for stopped in said_no(&state, intended.prospect, &mail.to) {
        if stopped.seq < intended.seq {
            broken.push(format!(
                "promise 3: {} was sent to prospect {} behind {}",
                mail.message_id, intended.prospect, stopped.why
            ));
        }
    }
    drop(state);
    world.findings(broken);
}
