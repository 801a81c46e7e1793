//! The promises of product.md and the invariants of engine.md, checked from what the world saw and what
//! the store really committed. Nothing here asks the engine.

mod accounts;
mod end;
mod limits;
mod mail;
pub mod model;

use std::collections::BTreeMap;

use firsttouch::domain::cadence::Channel;
use firsttouch::domain::enrollment::{Ending, Phase, TaskKind};
use firsttouch::domain::ids::ProspectId;
use firsttouch::domain::log::What;
use firsttouch::domain::reply::Kind;
use firsttouch::domain::suppression::Subject;
use firsttouch::domain::touch::Status;
use firsttouch::ports::{Changes, EnrollmentMove, Guards, LeaseRequest, TaskRecord};
use jiff::{SignedDuration, Timestamp};

pub use end::at_the_end;
pub use mail::{on_accept, on_content};
use model::Lease;

use super::world::{State, Stopped, World};

/// What a transaction really changed; `asked` is what the engine had asked for.
pub fn on_commit(world: &World, asked: &Changes, done: &Changes, guards: Option<&Guards>) {
    let mut broken = Vec::new();
    let true_now = world.true_now();
    let mut state = world.state();
    state.seq += 1;
    state.model.committed_at[world.node] = Some(world.now());
    for touch in done.touches.iter().filter(|touch| touch.status == Status::Intended) {
        mail::on_intent(&mut state, touch, guards, &mut broken);
        limits::on_mail(&mut state, touch, &mut broken);
    }
    for task in &done.tasks {
        if let Some(guards) = guards {
            limits::on_task(&mut state, task, guards, &mut broken);
        }
        for_nobody_who_said_no(&state, task, &mut broken);
    }
    accounts::on_commit(&mut state, done, &mut broken);
    successors(done, &mut broken);
    stale(&state, asked, &mut broken);
    for moved in &done.moved {
        heard(&mut state, done, moved);
    }
    for touch in &done.touches {
        limits::on_invitation(&mut state, touch);
    }
    model::take(&mut state, done, &mut broken);
    said_no(&mut state, asked, true_now);
    for who in done.inbound.iter().filter_map(|inbound| inbound.prospect) {
        no_task_after_a_no(&state, who, &mut broken);
    }
    taken_once(&mut state, asked, &mut broken);
    if let Some(wait) = &asked.mailbox_waits {
        state.model.left_alone_until.insert(wait.mailbox.clone(), wait.until);
    }
    drop(state);
    for moved in &done.moved {
        world.note(|| format!("enrollment {} is {:?}", moved.id, moved.state.phase));
    }
    world.findings(broken);
}

/// A lease was asked for: nobody else may hold it, and its epoch never goes back.
pub fn on_lease(world: &World, request: &LeaseRequest, given: Option<i64>) {
    let Some(epoch) = given else { return };
    let mut broken = Vec::new();
    let mut state = world.state();
    let (holder, until) = (request.holder.clone(), request.until);
    let before = state.model.leases.insert(request.name.clone(), Lease { holder, epoch, until });
    if let Some(before) = before {
        let same = before.holder == request.holder;
        if epoch < before.epoch || (!same && epoch == before.epoch) {
            broken.push(format!("promise 1: the epoch of {} is {epoch} again", request.name));
        }
        // Whoever had it an hour ahead and more had a wrong clock.
        let ahead = request.now.duration_until(before.until);
        if !same && ahead > SignedDuration::ZERO && ahead <= SignedDuration::from_hours(1) {
            broken.push(format!("promise 1: {} is held by two", request.name));
        }
    }
    drop(state);
    world.findings(broken);
}

/// Nothing is written over what somebody else wrote meanwhile.
fn stale(state: &State, asked: &Changes, broken: &mut Vec<String>) {
    let mut revisions = BTreeMap::new();
    for moved in &asked.moved {
        let known = || state.model.enrollments.get(&moved.id).map(|seen| seen.revision);
        let current = *revisions.entry(moved.id).or_insert_with(known);
        if current != Some(moved.revision) {
            broken.push(format!("promise 7: a stale write of enrollment {}", moved.id));
        }
        revisions.insert(moved.id, Some(moved.revision + 1));
    }
}

/// Messages are taken in once, however often they come.
fn taken_once(state: &mut State, asked: &Changes, broken: &mut Vec<String>) {
    for inbound in &asked.inbound {
        let id = &inbound.message.message_id;
        if !state.model.taken.insert(id.clone()) {
            broken.push(format!("message {id} is taken in twice"));
        }
    }
}

fn for_nobody_who_said_no(state: &State, task: &TaskRecord, broken: &mut Vec<String>) {
    let TaskKind::Touch(channel) = task.kind else { return };
    if let Some(stopped) = state.stopped.get(&task.prospect) {
        let who = task.prospect;
        broken.push(format!("promise 3: a task for prospect {who} behind {}", stopped.why));
    }
    let person = state.people.get(&task.prospect);
    let phones = person.map(|person| person.known.phones.as_slice()).unwrap_or_default();
    let dead = phones.iter().all(|phone| state.dead_phones.contains(&phone.e164));
    if channel == Channel::Call && dead {
        broken.push(format!(
            "promise 3: a call to prospect {}, whose numbers are closed",
            task.prospect
        ));
    }
}

/// Whoever replied may be written to again when a person was asked and let it go on.
fn heard(state: &mut State, changes: &Changes, moved: &EnrollmentMove) {
    let is_asked = matches!(
        moved.state.phase,
        Phase::Triage { .. }
            | Phase::OnReply { .. }
            | Phase::Offered { .. }
            | Phase::HandedBack { .. }
    );
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
fn successors(changes: &Changes, broken: &mut Vec<String>) {
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
        broken.push(format!("{ends} were switched, {begins} begin and {refused} may not"));
    }
}

fn said_no(state: &mut State, changes: &Changes, at: Timestamp) {
    let seq = state.seq;
    for inbound in &changes.inbound {
        let Some(prospect) = inbound.prospect else { continue };
        let why = inbound.message.kind.as_str().to_owned();
        match inbound.message.kind {
            Kind::Reply => {
                state.stopped.entry(prospect).or_insert(Stopped { seq, at, why });
            }
            Kind::Complaint | Kind::Unsubscribe => for_good(state, prospect, at, why),
            Kind::Bounce(_) | Kind::AutoReply(_) | Kind::Notice => {}
        }
        if inbound.message.kind == Kind::Unsubscribe {
            state.opted_out.insert(prospect, inbound.received_at);
        }
    }
    for block in &changes.suppressions {
        let why = format!("a block ({})", block.cause.as_str());
        match &block.subject {
            Subject::Person(id) => for_good(state, *id, at, why),
            Subject::Email(address) => {
                state.dead.entry(address.clone()).or_insert(Stopped { seq, at, why });
            }
            Subject::Domain(domain) => {
                let stopped = Stopped { seq, at, why };
                state.dead_domains.entry(domain.clone()).or_insert(stopped);
            }
            Subject::Phone(phone) => {
                state.dead_phones.insert(phone.clone());
            }
        }
    }
}

/// What is recorded of a reply; it stops only until a person has said what it means.
const REPLY: &str = "reply";

/// A "no" that nobody can lift, whatever was said before.
fn for_good(state: &mut State, prospect: ProspectId, at: Timestamp, why: String) {
    let seq = state.seq;
    let before = state.stopped.get(&prospect).filter(|stopped| stopped.why != REPLY);
    if before.is_none() {
        state.stopped.insert(prospect, Stopped { seq, at, why });
    }
}

/// No open task for anybody who said no; about a reply a person may be asked.
fn no_task_after_a_no(state: &State, who: ProspectId, broken: &mut Vec<String>) {
    let Some(stopped) = state.stopped.get(&who) else { return };
    let ids = state.model.tasks_for.get(&who).into_iter().flatten();
    let open = ids.filter_map(|id| state.model.open_tasks.get(id));
    let asks = |task: &&TaskRecord| !matches!(task.kind, TaskKind::Touch(_));
    for task in open.filter(|task| !(asks(task) && stopped.why == REPLY)) {
        broken.push(format!("promise 3: task {} is open for prospect {who}", task.id));
    }
}
