//! The promises of product.md, checked from what the world saw and what the store really committed.

mod accounts;

use std::collections::{BTreeMap, BTreeSet};

use firsttouch::domain::cadence::Channel;
use firsttouch::domain::delivery::Envelope;
use firsttouch::domain::enrollment::{Ending, Passed, Phase, TaskKind};
use firsttouch::domain::ids::{EnrollmentId, ProspectId};
use firsttouch::domain::log::What;
use firsttouch::domain::prospect::Prospect;
use firsttouch::domain::reply::Kind;
use firsttouch::domain::settings::Settings;
use firsttouch::domain::suppression::Subject;
use firsttouch::domain::touch::{Milestone, Status, Touch};
use firsttouch::ports::{Changes, EnrollmentMove, EnrollmentRecord, Store, TaskRecord};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::mail::{CONTENT_WITHIN, header};
use super::workspace::{CADENCES, FRESHNESS, HOLIDAY, PER_DOMAIN, WINDOW};
use super::world::{Accepted, Answered, Intended, Stopped, World};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The first byte of a mail is about to leave.
pub fn on_content(world: &World, id: &str, envelope: &Envelope, message: &[u8]) {
    let state = world.state();
    let before = state.answered.get(id).cloned().unwrap_or_default();
    let may_repeat = |answered: &Answered| *answered == Answered::Later;
    let is_fresh = state.inboxes.reads.get(&envelope.mailbox).is_some_and(|reads| {
        let now = world.now();
        let fresh =
            |at: &Timestamp| *at <= now && at.duration_until(now) <= FRESHNESS + CONTENT_WITHIN;
        reads.iter().rev().any(fresh)
    });
    drop(state);
    if !before.iter().all(may_repeat) {
        world.finding(&format!("promise 1: {id} leaves again behind {before:?}"));
    }
    if !is_fresh {
        world.finding(&format!("promise 2: {id} leaves, and {} was not read", envelope.mailbox));
    }
    if !header(message, "to").contains(envelope.to.as_str()) {
        world.finding(&format!("{id} is addressed to somebody else than its envelope"));
    }
}

/// A server took a message over.
pub fn on_accept(world: &World, mail: &Accepted) {
    let state = world.state();
    let twice = state.accepted.iter().any(|other| other.message_id == mail.message_id);
    let Some(intended) = state.intended.get(&mail.message_id).cloned() else {
        drop(state);
        return world.finding(&format!("{} was sent without an intent", mail.message_id));
    };
    let same_touch = |other: &&Accepted| {
        state.intended.get(&other.message_id).is_some_and(|other| {
            (other.enrollment, &other.step, other.attempt)
                == (intended.enrollment, &intended.step, intended.attempt)
        })
    };
    let twice = twice || state.accepted.iter().any(|other| same_touch(&other));
    let person = state.people.get(&intended.prospect).cloned();
    let stopped = state.stopped.get(&intended.prospect).cloned();
    let dead = state.dead.get(&mail.to).cloned();
    drop(state);
    if twice {
        world.finding(&format!("promise 1: {} was accepted twice", mail.message_id));
    }
    for stopped in stopped.iter().chain(&dead) {
        after_a_no(world, mail, &intended, stopped);
    }
    match person {
        Some(person) => in_window(world, &person, &intended),
        None => world.finding("a mail for nobody"),
    }
    if intended.at.duration_until(mail.at) > CONTENT_WITHIN {
        world.finding("promise 3: content began long behind its intent");
    }
}

fn after_a_no(world: &World, mail: &Accepted, intended: &Intended, stopped: &Stopped) {
    if stopped.seq < intended.seq {
        world.finding(&format!(
            "promise 3: {} was sent to prospect {} behind {}",
            mail.message_id, intended.prospect, stopped.why
        ));
    }
}

/// Promise 5, in every zone in which the person may be.
fn in_window(world: &World, person: &Prospect, intended: &Intended) {
    for zone in &person.known.time_zones {
        let local = TimeZone::get(zone).expect("a zone").to_datetime(intended.at);
        let weekend = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
        let minute = |(hour, minute): (i8, i8)| i32::from(hour) * 60 + i32::from(minute);
        let is_at = minute((local.hour(), local.minute()));
        let inside = WINDOW.iter().any(|(from, to)| minute(*from) <= is_at && is_at < minute(*to));
        if weekend || local.date() == HOLIDAY || !inside {
            world.finding(&format!("promise 5: a mail was intended at {local} in {zone}"));
        }
    }
}

/// What a transaction really changed.
pub fn on_commit(world: &World, changes: &Changes) {
    world.state().seq += 1;
    for touch in &changes.touches {
        intended(world, touch);
    }
    accounts::on_commit(world, changes);
    for moved in &changes.moved {
        if let Err(broken) = keeps_its_past(world, moved.id, &moved.state.passed) {
            world.finding(&broken);
        }
        let fires = match &moved.state.phase {
            Phase::Waiting { step, attempt, .. }
            | Phase::OnTask { step, attempt, .. }
            | Phase::Sending { step, attempt, .. } => Some((step, attempt)),
            _ => None,
        };
        let passed = |passed: &Passed| Some((&passed.step, &passed.attempt)) == fires;
        if moved.state.passed.iter().any(passed) {
            world.finding(&format!("promise 7: enrollment {} fires {fires:?} again", moved.id));
        }
        world.note(&format!("enrollment {} is {:?}", moved.id, moved.state.phase));
        heard(world, changes, moved);
    }
    successors(world, changes);
    for task in &changes.tasks {
        let stopped = world.state().stopped.contains_key(&task.prospect);
        if stopped && matches!(task.kind, TaskKind::Touch(_)) {
            world.finding(&format!("promise 3: a task for prospect {}", task.prospect));
        }
    }
    said_no(world, changes);
}

/// Whoever replied may be written to again when a person was asked and let it go on.
fn heard(world: &World, changes: &Changes, moved: &EnrollmentMove) {
    let is_asked = matches!(
        moved.state.phase,
        Phase::Triage { .. }
            | Phase::OnReply { .. }
            | Phase::Offered { .. }
            | Phase::HandedBack { .. }
    );
    let mut state = world.state();
    let was_asked = match is_asked {
        true => !state.asked.insert(moved.id),
        false => state.asked.remove(&moved.id),
    };
    let decided = changes
        .log
        .iter()
        .find(|entry| entry.enrollment == Some(moved.id) && entry.what == What::TaskDone);
    let Some(prospect) = decided.and_then(|entry| entry.prospect).filter(|_| was_asked) else {
        return;
    };
    if state.stopped.get(&prospect).is_some_and(|stopped| stopped.why == REPLY) {
        state.stopped.remove(&prospect);
    }
}

/// Somebody begins anew only in the transaction in which they are switched, once.
fn successors(world: &World, changes: &Changes) {
    let switched = |moved: &&EnrollmentMove| {
        matches!(moved.state.phase, Phase::Ended { ending: Ending::Switched, .. })
            && changes
                .log
                .iter()
                .any(|entry| entry.enrollment == Some(moved.id) && entry.what == What::Ended)
    };
    let ends = changes.moved.iter().filter(switched).count();
    let begins = changes.enrolled.iter().filter(|e| e.cadence.as_str() == "nurture").count();
    let refused = changes.log.iter().filter(|entry| entry.what == What::NotEnrolled).count();
    if ends != begins + refused {
        world.finding(&format!("{ends} were switched, {begins} begin and {refused} may not"));
    }
}

fn intended(world: &World, touch: &Touch) {
    let Some(mail) = touch.mail.as_ref().filter(|_| touch.status == Status::Intended) else {
        return;
    };
    let mut state = world.state();
    let seq = state.seq;
    let intended = Intended {
        enrollment: touch.enrollment,
        prospect: touch.prospect,
        step: touch.step.clone(),
        attempt: touch.attempt,
        at: touch.at,
        seq,
    };
    state.intended.insert(mail.message_id.clone(), intended);
    state.intents.push((mail.mailbox.clone(), touch.at));
}

/// Promise 7: what has passed stays passed; only "sent" may turn out to be "bounced".
fn keeps_its_past(world: &World, id: EnrollmentId, now: &[Passed]) -> Result<(), String> {
    let mut state = world.state();
    let before = state.passed.insert(id, now.to_vec()).unwrap_or_default();
    let same = |(before, now): (&Passed, &Passed)| {
        (&before.step, before.attempt) == (&now.step, now.attempt)
            && (before.outcome == now.outcome || now.outcome.as_str() == "bounced")
    };
    if before.len() > now.len() || !before.iter().zip(now).all(same) {
        return Err(format!("promise 7: enrollment {id} forgot its past"));
    }
    let attempts: BTreeSet<_> = now.iter().map(|passed| (&passed.step, passed.attempt)).collect();
    match attempts.len() == now.len() {
        true => Ok(()),
        false => Err(format!("promise 7: enrollment {id} passed a step twice")),
    }
}

fn said_no(world: &World, changes: &Changes) {
    let mut state = world.state();
    let seq = state.seq;
    for inbound in &changes.inbound {
        let Some(prospect) = inbound.prospect else { continue };
        let why = inbound.message.kind.as_str().to_owned();
        match inbound.message.kind {
            Kind::Reply => {
                state.stopped.entry(prospect).or_insert(Stopped { seq, why });
            }
            Kind::Complaint | Kind::Unsubscribe => for_good(&mut state, prospect, why),
            Kind::Bounce(_) | Kind::AutoReply(_) | Kind::Notice => {}
        }
        if inbound.message.kind == Kind::Unsubscribe {
            state.opted_out.insert(prospect, inbound.received_at);
        }
    }
    for block in &changes.suppressions {
        let why = format!("a block ({})", block.cause.as_str());
        match &block.subject {
            Subject::Person(id) => for_good(&mut state, *id, why),
            Subject::Email(address) => {
                state.dead.entry(address.clone()).or_insert(Stopped { seq, why });
            }
            Subject::Domain(_) | Subject::Phone(_) => {}
        }
    }
}

/// What is recorded of a reply; it stops only until a person has said what it means.
const REPLY: &str = "reply";

/// A "no" that nobody can lift, whatever was said before.
fn for_good(state: &mut super::world::State, prospect: ProspectId, why: String) {
    let seq = state.seq;
    let before = state.stopped.get(&prospect).filter(|stopped| stopped.why != REPLY);
    if before.is_none() {
        state.stopped.insert(prospect, Stopped { seq, why });
    }
}

/// No open task for anybody who said no; about a reply a person may be asked.
pub async fn no_task_after_a_no(world: &World, store: &dyn Store) {
    let tasks = store.tasks(None).await.expect("tasks");
    let state = world.state();
    let is_wrong = |task: &&TaskRecord| {
        let stopped = state.stopped.get(&task.prospect);
        let asks = !matches!(task.kind, TaskKind::Touch(_));
        stopped.is_some_and(|stopped| !(asks && stopped.why == REPLY))
    };
    let wrong: Vec<ProspectId> = tasks.iter().filter(is_wrong).map(|task| task.prospect).collect();
    let broken = (!wrong.is_empty()).then(|| format!("promise 3: open tasks for {wrong:?}"));
    drop(state);
    if let Some(broken) = broken {
        world.finding(&broken);
    }
}

/// Everything that must hold when nothing is under way any more.
pub async fn at_the_end(world: &World, store: &dyn Store, settings: &Settings) {
    caps(world, settings);
    let mut all = Vec::new();
    for cadence in CADENCES {
        all.extend(store.enrollments_in(&cadence.into()).await.expect("enrollments"));
    }
    opted_out(world, &all);
    one_successor(world, &all);
    for enrollment in &all {
        let touches = store.touches_of(enrollment.id).await.expect("touches");
        ended(world, enrollment);
        for touch in &touches {
            agrees(world, touch);
        }
        proven(world, enrollment, &touches);
    }
    recorded(world, store, &all).await;
    taken_in(world, store).await;
    delivered(world, store, &all).await;
}

/// Promise 9.
fn ended(world: &World, enrollment: &EnrollmentRecord) {
    if !matches!(enrollment.state.phase, Phase::Ended { .. }) {
        let phase = &enrollment.state.phase;
        world.finding(&format!("promise 9: enrollment {} is {phase:?}", enrollment.id));
    }
}

/// An opt-out outranks everything: whoever opted out has an enrollment that says so.
fn opted_out(world: &World, all: &[EnrollmentRecord]) {
    let people: Vec<ProspectId> = world.state().opted_out.keys().copied().collect();
    for prospect in people {
        let of_account = |enrollment: &EnrollmentRecord| {
            enrollment.state.account.as_ref().and_then(|account| account.member(prospect)).cloned()
        };
        let is_own = |enrollment: &&EnrollmentRecord| {
            enrollment.prospect == prospect || of_account(enrollment).is_some()
        };
        let mut own = all.iter().filter(is_own).peekable();
        let says_so = |enrollment: &EnrollmentRecord| match of_account(enrollment) {
            Some(member) => member.left.is_some(),
            None => matches!(enrollment.state.phase, Phase::Ended { ending: Ending::OptedOut, .. }),
        };
        if own.peek().is_some() && !own.any(says_so) {
            world.finding(&format!("prospect {prospect} opted out, and no enrollment says so"));
        }
    }
}

/// Nobody goes on twice, whatever crashed on the way.
fn one_successor(world: &World, all: &[EnrollmentRecord]) {
    let mut going_on: BTreeMap<ProspectId, usize> = BTreeMap::new();
    for enrollment in all.iter().filter(|enrollment| enrollment.cadence.as_str() == "nurture") {
        *going_on.entry(enrollment.prospect).or_default() += 1;
    }
    for (prospect, times) in going_on.into_iter().filter(|(_, times)| *times > 1) {
        world.finding(&format!("prospect {prospect} goes on {times} times"));
    }
}

/// What the store says of a mail is what happened to it, or a doubt.
fn agrees(world: &World, touch: &Touch) {
    let Some(mail) = &touch.mail else { return };
    let state = world.state();
    let accepted = state.accepted.iter().any(|seen| seen.message_id == mail.message_id);
    let contradiction = match touch.status {
        Status::Sent => !accepted,
        Status::Refused | Status::Retryable | Status::Done | Status::TakenBack => accepted,
        Status::InDoubt | Status::AssumedSent => false,
        Status::Intended => true,
    };
    drop(state);
    if contradiction {
        let status = touch.status;
        world.finding(&format!(
            "{} counts as sent or not: {status:?}, accepted: {accepted}",
            mail.message_id
        ));
    }
}

/// Every mail step that passed has the touch that says why.
fn proven(world: &World, enrollment: &EnrollmentRecord, touches: &[Touch]) {
    for passed in &enrollment.state.passed {
        let touch = touches.iter().find(|t| (&t.step, t.attempt) == (&passed.step, passed.attempt));
        let status = touch.map(|touch| touch.status);
        let fits = match passed.outcome.as_str() {
            "sent" | "bounced" => matches!(status, Some(Status::Sent | Status::AssumedSent)),
            "refused" => status == Some(Status::Refused),
            "skipped" | "expired" => !touch.is_some_and(|t| t.status == Status::Sent),
            _ => status == Some(Status::Done),
        };
        if !fits {
            world.finding(&format!(
                "enrollment {}: {passed:?}, but its touch is {status:?}",
                enrollment.id
            ));
        }
    }
}

async fn recorded(world: &World, store: &dyn Store, all: &[EnrollmentRecord]) {
    let accepted = world.state().accepted.clone();
    for mail in accepted {
        let id = mail.message_id;
        let touch = store.touch_by_message_id(std::slice::from_ref(&id)).await.expect("a touch");
        let known = touch.is_some_and(|touch| all.iter().any(|e| e.id == touch.enrollment));
        if !known {
            world.finding(&format!("{id} was accepted, and no touch says so"));
        }
    }
}

async fn taken_in(world: &World, store: &dyn Store) {
    let there: Vec<String> =
        world.state().inboxes.there.values().flatten().map(|letter| letter.id.clone()).collect();
    for id in there {
        if !store.knows_message(&id).await.expect("a message") {
            world.finding(&format!("message {id} was never taken in"));
        }
    }
}

/// "First delivered" and "first conversation" rest on mails that left.
async fn delivered(world: &World, store: &dyn Store, all: &[EnrollmentRecord]) {
    let mut touches: BTreeMap<_, Touch> = BTreeMap::new();
    for enrollment in all {
        for touch in store.touches_of(enrollment.id).await.expect("touches") {
            touches.insert(touch.id, touch);
        }
    }
    for milestone in store.milestones().await.expect("milestones") {
        let Some(touch) = touches.get(&milestone.touch) else {
            world.finding("a milestone without its touch");
            continue;
        };
        let left = touch.channel != Channel::Email
            || matches!(touch.status, Status::Sent | Status::AssumedSent | Status::InDoubt);
        if milestone.milestone != Milestone::Attempt && !left {
            world.finding(&format!(
                "{:?} rests on a mail that is {:?}",
                milestone.milestone, touch.status
            ));
        }
    }
}

/// Promise 4, over what the world accepted, by the time of its intent.
fn caps(world: &World, settings: &Settings) {
    let state = world.state();
    let at = |mail: &Accepted| state.intended.get(&mail.message_id).map_or(mail.at, |i| i.at);
    let mut uses: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
    let mut broken = Vec::new();
    for mail in &state.accepted {
        let (_, domain) = mail.to.split_once('@').expect("an address");
        uses.entry(format!("domain {domain}")).or_default().push(at(mail));
        uses.entry(format!("mailbox {}", mail.mailbox)).or_default().push(at(mail));
        broken.extend(over_ramp(&state, mail, at(mail), settings));
    }
    for (scope, mut times) in uses {
        let limit = match scope.strip_prefix("mailbox ") {
            Some(id) => settings.mailboxes[&id.into()].daily_limit,
            None => PER_DOMAIN,
        };
        times.sort();
        let limit = usize::try_from(limit).expect("small");
        if times.windows(limit + 1).any(|run| run[0].duration_until(run[limit]) < DAY) {
            broken.push(format!("promise 4: more than {limit} in a day for {scope}"));
        }
    }
    drop(state);
    broken.iter().for_each(|broken| world.finding(broken));
}

/// The ramp, counted from the days on which anything was intended.
fn over_ramp(
    state: &super::world::State,
    mail: &Accepted,
    at: Timestamp,
    settings: &Settings,
) -> Option<String> {
    let day = |at: Timestamp| at.as_millisecond().div_euclid(86_400_000);
    let own = state.intents.iter().filter(|(mailbox, _)| *mailbox == mail.mailbox);
    let days: BTreeSet<i64> = own.map(|(_, at)| day(*at)).filter(|d| *d < day(at)).collect();
    let mailbox = &settings.mailboxes[&mail.mailbox];
    let limit = mailbox.ramp.limit(u32::try_from(days.len()).expect("days"), mailbox.daily_limit);
    let of_mailbox = state.accepted.iter().filter(|other| other.mailbox == mail.mailbox);
    let intended = of_mailbox.filter_map(|other| state.intended.get(&other.message_id));
    let recent =
        intended.filter(|other| other.at <= at && other.at.duration_until(at) < DAY).count();
    (recent > usize::try_from(limit).expect("small")).then(|| {
        format!("promise 4: {recent} from {} at {at}, and the ramp allows {limit}", mail.mailbox)
    })
}
