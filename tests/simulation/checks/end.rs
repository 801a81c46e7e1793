//! Everything that must hold when nothing is under way any more.

use std::collections::{BTreeMap, BTreeSet};

use firsttouch::domain::cadence::Channel;
use firsttouch::domain::enrollment::{Ending, Phase};
use firsttouch::domain::ids::ProspectId;
use firsttouch::domain::log::What;
use firsttouch::domain::touch::{Milestone, Status, Touch};
use firsttouch::ports::{EnrollmentRecord, ReplyRecord, Store};

use crate::plan::CADENCES;
use crate::world::{Answered, World};

/// Everything that must hold when nothing is under way any more.
pub async fn at_the_end(world: &World, store: &dyn Store) {
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
    remembered(world, store, &all).await;
    told(world, store).await;
}

/// What the store has on record is what was committed: nothing lost, nothing made up.
async fn remembered(world: &World, store: &dyn Store, all: &[EnrollmentRecord]) {
    let tasks = store.tasks(None).await.expect("tasks");
    let census = store.census().await.expect("a census");
    let mut broken = Vec::new();
    let state = world.state();
    let counted: u64 = census.iter().map(|(_, _, n)| n).sum();
    let known = state.model.enrollments.len();
    if counted != known as u64 || all.len() != known {
        broken.push(format!("promise 9: {known} were enrolled, {counted} are there"));
    }
    for record in all {
        let seen = state.model.enrollments.get(&record.id);
        if seen.map(|seen| (seen.revision, &seen.stands)) != Some((record.revision, &record.state))
        {
            broken.push(format!("enrollment {} is not as it was committed", record.id));
        }
    }
    let open: BTreeSet<_> = tasks.iter().map(|task| task.id).collect();
    let should: BTreeSet<_> = state.model.open_tasks.keys().copied().collect();
    if open != should {
        broken.push(format!("open tasks are {open:?}, and should be {should:?}"));
    }
    drop(state);
    world.findings(broken);
}

/// Promise 11: the log tells of every mail and every answer as the world saw them, once.
async fn told(world: &World, store: &dyn Store) {
    let (mut after, mut sent, mut replied) = (0, BTreeMap::new(), 0);
    loop {
        let (entries, last) = store.log_after(after, 10_000).await.expect("the log");
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            let email = entry.detail("channel") == "email";
            if let (What::Sent, Some(touch)) = (entry.what, entry.touch) {
                *sent.entry(touch).or_insert(0) += 1;
            }
            replied += usize::from(email && entry.what == What::Replied);
        }
        after = last;
    }
    let replies = store.replies(1_000_000).await.expect("replies");
    let matched = |reply: &&ReplyRecord| reply.kind == "reply" && reply.prospect.is_some();
    let mut broken = Vec::new();
    let state = world.state();
    for (id, seen) in &state.model.touches {
        let times = sent.get(id).copied().unwrap_or(0);
        if times != i32::from(seen.status == Status::Sent && seen.touch.mail.is_some()) {
            broken.push(format!("promise 11: the log has touch {id} as sent {times} times"));
        }
    }
    let taken = replies.iter().filter(matched).count();
    if taken != replied {
        broken.push(format!("promise 11: {taken} replied, and the log has {replied}"));
    }
    drop(state);
    broken.sort();
    world.findings(broken);
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
    let accepted = state.answered.get(&mail.message_id).is_some_and(|answers| {
        let took =
            |answer: &Answered| matches!(answer, Answered::Accepted | Answered::AcceptedInDoubt);
        answers.iter().any(took)
    });
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
    let all: BTreeSet<_> = all.iter().map(|enrollment| enrollment.id).collect();
    for mail in accepted {
        let id = mail.message_id;
        let touch = store.touch_by_message_id(std::slice::from_ref(&id)).await.expect("a touch");
        let known = touch.is_some_and(|touch| all.contains(&touch.enrollment));
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
