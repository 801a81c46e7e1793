//! What the checks know of the store, from what was committed and from nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use firsttouch::domain::enrollment::{Passed, Phase, State as Stands};
use firsttouch::domain::ids::{
    CompanyId, EnrollmentId, MailboxId, ProspectId, RepId, StepId, TaskId, TouchId,
};
use firsttouch::domain::touch::{Status, Touch};
use firsttouch::ports::{Changes, EnrollmentMove, EnrollmentRecord, TaskRecord};
use jiff::Timestamp;

use crate::clock::NODES;
use crate::world::State;

/// An enrollment as it was last committed.
pub struct Seen {
    pub cadence: String,
    pub company: Option<CompanyId>,
    pub owner: RepId,
    pub prospect: ProspectId,
    pub stands: Stands,
    pub revision: i64,
}

/// A lease as it was last given.
pub struct Lease {
    pub holder: String,
    pub epoch: i64,
    pub until: Timestamp,
}

pub struct SeenTouch {
    pub status: Status,
    pub touch: Touch,
}

#[derive(Default)]
pub struct Model {
    pub enrollments: BTreeMap<EnrollmentId, Seen>,
    pub at_company: HashMap<CompanyId, BTreeSet<EnrollmentId>>,
    pub touches: HashMap<TouchId, SeenTouch>,
    pub touch_of: HashMap<(EnrollmentId, StepId, u32), TouchId>,
    pub intended_of: HashMap<EnrollmentId, TouchId>,
    pub touches_to: HashMap<ProspectId, Vec<TouchId>>,
    pub open_tasks: BTreeMap<TaskId, TaskRecord>,
    pub tasks_of: HashMap<EnrollmentId, BTreeSet<TaskId>>,
    pub tasks_for: HashMap<ProspectId, BTreeSet<TaskId>>,
    pub leases: BTreeMap<String, Lease>,
    /// When each scope of a cap was used, in the order of time.
    pub uses: HashMap<String, Vec<Timestamp>>,
    pub last_mail: BTreeMap<MailboxId, Timestamp>,
    /// Number of sending days before the last one, the last one, and the number behind a silence.
    pub sending_days: BTreeMap<MailboxId, (usize, i64, Option<usize>)>,
    /// When each rep has asked somebody to connect.
    pub invited: BTreeMap<RepId, Vec<Timestamp>>,
    /// Mailboxes whose server is in trouble, as far as that was written down.
    pub left_alone_until: BTreeMap<MailboxId, Timestamp>,
    /// Messages that were taken in.
    pub taken: BTreeSet<String>,
    /// When each node last looked at the clock of its commit.
    pub committed_at: [Option<Timestamp>; NODES],
}

/// The steps of the cadences that are work among ourselves.
const INWARD: [&str; 2] = ["research", "kick-off"];

/// Whether anybody was touched yet, or is about to be: what counts as begun for the limits on new people.
pub fn has_begun(stands: &Stands) -> bool {
    let touches = |step: &StepId| !INWARD.contains(&step.as_str());
    let on_touch = matches!(&stands.phase, Phase::OnTask { step, .. } if touches(step));
    let under_way = matches!(
        stands.phase,
        Phase::Sending { .. }
            | Phase::InDoubt { .. }
            | Phase::Triage { .. }
            | Phase::OnReply { .. }
            | Phase::Offered { .. }
            | Phase::HandedBack { .. }
    );
    let tried = |passed: &Passed| passed.outcome.as_str() != "skipped" && touches(&passed.step);
    under_way || on_touch || stands.passed.iter().any(tried) || stands.released.is_some()
}

pub fn has_ended(stands: &Stands) -> bool {
    matches!(stands.phase, Phase::Ended { .. })
}

/// Takes a transaction in; what contradicts what was known is broken.
pub fn take(state: &mut State, done: &Changes, broken: &mut Vec<String>) {
    for moved in &done.moved {
        take_move(state, moved, broken);
    }
    for record in &done.enrolled {
        take_enrolled(state, record);
    }
    for touch in &done.touches {
        take_touch(state, touch, broken);
    }
    for (id, status) in &done.settled {
        settle(state, *id, *status, broken);
    }
    for (enrollment, _) in &done.close_tasks {
        close_tasks(&mut state.model, *enrollment);
    }
    for task in &done.tasks {
        open_task(&mut state.model, task, broken);
    }
}

fn take_enrolled(state: &mut State, record: &EnrollmentRecord) {
    if let Some(company) = record.company {
        state.model.at_company.entry(company).or_default().insert(record.id);
    }
    let seen = Seen {
        cadence: record.cadence.0.clone(),
        company: record.company,
        owner: record.owner.clone(),
        prospect: record.prospect,
        stands: record.state.clone(),
        revision: record.revision,
    };
    state.model.enrollments.insert(record.id, seen);
}

/// Promise 6 (who waits has a time), promise 7 (what has passed stays passed), and the order of commits.
fn take_move(state: &mut State, moved: &EnrollmentMove, broken: &mut Vec<String>) {
    let plan = state.plan.clone();
    let Some(seen) = state.model.enrollments.get_mut(&moved.id) else {
        return broken.push(format!("enrollment {} moves and was never written", moved.id));
    };
    let id = moved.id;
    waits(moved, broken);
    keeps_its_past(seen, moved, broken);
    if let Some(steps) = plan.steps.get(seen.cadence.as_str()) {
        let place = |step: &StepId| steps.iter().position(|id| *id == step.as_str());
        let places: Vec<_> = moved.state.passed.iter().map(|passed| place(&passed.step)).collect();
        if !places.is_sorted() {
            broken.push(format!("promise 7: enrollment {id} passes its steps out of their order"));
        }
    }
    if has_ended(&seen.stands) && !has_ended(&moved.state) {
        broken.push(format!("promise 9: enrollment {id} goes on behind its end"));
    }
    seen.revision = moved.revision + 1;
    seen.stands = moved.state.clone();
    seen.prospect = moved.prospect.unwrap_or(seen.prospect);
}

/// Promise 6.
fn waits(moved: &EnrollmentMove, broken: &mut Vec<String>) {
    let ended = has_ended(&moved.state);
    let endless = matches!(moved.state.phase, Phase::Paused { until: None, .. });
    let fits = match &moved.wake {
        None => ended,
        Some(wake) => !ended && (endless || wake.at < Timestamp::MAX),
    };
    if !fits {
        let phase = moved.state.phase.name();
        broken.push(format!(
            "promise 6: enrollment {} is {phase} and wakes {:?}",
            moved.id, moved.wake
        ));
    }
}

/// Only "sent" may turn out to be "bounced".
fn keeps_its_past(seen: &Seen, moved: &EnrollmentMove, broken: &mut Vec<String>) {
    let (before, now) = (&seen.stands.passed, &moved.state.passed);
    let same = before.len() <= now.len()
        && before.iter().zip(now).all(|(before, now)| {
            (&before.step, before.attempt) == (&now.step, now.attempt)
                && (before.outcome == now.outcome || now.outcome.as_str() == "bounced")
        });
    if !same {
        broken.push(format!("promise 7: enrollment {} forgot its past", moved.id));
    }
    let attempts: BTreeSet<_> = now.iter().map(|passed| (&passed.step, passed.attempt)).collect();
    if attempts.len() != now.len() {
        broken.push(format!("promise 7: enrollment {} passed a step twice", moved.id));
    }
    let fires = match &moved.state.phase {
        Phase::Waiting { step, attempt, .. }
        | Phase::OnTask { step, attempt, .. }
        | Phase::Sending { step, attempt, .. } => Some((step, *attempt)),
        _ => None,
    };
    if fires.is_some_and(|fires| attempts.contains(&fires)) {
        broken.push(format!("promise 7: enrollment {} fires {fires:?} again", moved.id));
    }
}

/// Promise 1, on record: one touch for each attempt, and at most one on its way.
fn take_touch(state: &mut State, touch: &Touch, broken: &mut Vec<String>) {
    let key = (touch.enrollment, touch.step.clone(), touch.attempt);
    let known = state.model.touch_of.get(&key).copied();
    let before = known.and_then(|id| state.model.touches.get(&id)).map(|seen| seen.status);
    let id = known.unwrap_or(touch.id);
    if before.is_some_and(|before| before != Status::Retryable) {
        broken.push(format!("promise 1: touch {id} is {before:?} and begins again"));
    }
    if known.is_none() {
        state.model.touch_of.insert(key, id);
        state.model.touches_to.entry(touch.prospect).or_default().push(id);
    }
    let (status, touch) = (touch.status, touch.clone());
    if status == Status::Intended {
        let other = state.model.intended_of.insert(touch.enrollment, id);
        if other.is_some_and(|other| other != id) {
            broken.push(format!("promise 1: two mails of enrollment {} at once", touch.enrollment));
        }
    }
    state.model.touches.insert(id, SeenTouch { status, touch });
}

/// A touch moves along the allowed edges only; definite knowledge is the server's.
fn settle(state: &mut State, id: TouchId, status: Status, broken: &mut Vec<String>) {
    let now = state.model.touches.get_mut(&id);
    let Some(seen) = now else {
        return broken.push(format!("touch {id} is settled and was never written"));
    };
    use Status::{AssumedSent, InDoubt, Intended, Refused, Retryable, Sent};
    let before = std::mem::replace(&mut seen.status, status);
    let allowed = matches!(
        (before, status),
        (Intended, Sent | Refused | Retryable | InDoubt)
            | (InDoubt, Sent | Refused | Retryable | InDoubt | AssumedSent)
    );
    if !allowed {
        broken.push(format!("promise 1: touch {id} goes from {before:?} to {status:?}"));
    }
    if status != Intended {
        state.model.intended_of.remove(&seen.touch.enrollment);
    }
    let message = seen.touch.mail.as_ref().map(|mail| mail.message_id.clone());
    if status == InDoubt && message.is_some_and(|message| state.on_its_way.contains_key(&message)) {
        let since = seen.touch.at;
        let clock = state.model.committed_at.iter().flatten().max().copied();
        let early = clock.is_some_and(|clock| since.duration_until(clock).as_mins() < 15);
        if early {
            broken.push(format!("promise 1: touch {id} is doubted while its server is asked"));
        }
    }
}

fn close_tasks(model: &mut Model, enrollment: EnrollmentId) {
    for id in model.tasks_of.remove(&enrollment).unwrap_or_default() {
        if let Some(task) = model.open_tasks.remove(&id)
            && let Some(tasks) = model.tasks_for.get_mut(&task.prospect)
        {
            tasks.remove(&id);
        }
    }
}

fn open_task(model: &mut Model, task: &TaskRecord, broken: &mut Vec<String>) {
    let ids = model.tasks_of.entry(task.enrollment).or_default();
    let same = |other: &TaskRecord| {
        (&other.step, other.attempt, other.kind) == (&task.step, task.attempt, task.kind)
    };
    if ids.iter().filter_map(|id| model.open_tasks.get(id)).any(same) {
        broken.push(format!(
            "task {}: {} of {} is opened twice",
            task.id, task.step, task.enrollment
        ));
    }
    ids.insert(task.id);
    model.tasks_for.entry(task.prospect).or_default().insert(task.id);
    model.open_tasks.insert(task.id, task.clone());
}
