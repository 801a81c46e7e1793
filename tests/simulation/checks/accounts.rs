//! The promises of an account: one conversation with those who are still in it, each asked by their role.

use firsttouch::domain::enrollment::{Phase, TaskKind};
use firsttouch::domain::ids::{EnrollmentId, ProspectId, StepId};
use firsttouch::domain::log::{Entry, What};
use firsttouch::domain::reply::Kind;
use firsttouch::domain::touch::Status;
use firsttouch::ports::{Changes, EnrollmentMove};

use crate::workspace::ROLES;
use crate::world::{Team, World};

/// Looks at what is about to happen to accounts, then takes in what is new of them.
pub fn on_commit(world: &World, changes: &Changes) {
    let mails = changes.touches.iter().filter(|touch| touch.status == Status::Intended);
    for touch in mails {
        touched(world, touch.enrollment, touch.prospect, &touch.step);
    }
    let tasks = changes
        .tasks
        .iter()
        .filter(|task| matches!(task.kind, TaskKind::Touch(_) | TaskKind::Review));
    // What is about the account and no person is for nobody's role.
    for task in tasks.filter(|task| task.step.as_str() != "research") {
        touched(world, task.enrollment, task.prospect, &task.step);
    }
    changes.log.iter().for_each(|entry| joined_or_left(world, entry));
    changes.moved.iter().for_each(|moved| settled(world, changes, moved));
    replied(world, changes);
}

/// Somebody of an account is about to be touched.
fn touched(world: &World, enrollment: EnrollmentId, who: ProspectId, step: &StepId) {
    let state = world.state();
    let Some(team) = state.accounts.get(&enrollment) else { return };
    let mut wrong = Vec::new();
    if team.left.contains(&who) {
        wrong.push(format!("{step} is for prospect {who}, who is out of the account"));
    }
    if let Some(other) = team.waiting.iter().next() {
        wrong.push(format!(
            "{step} is for prospect {who}, while prospect {other} of the same account waits for an answer"
        ));
    }
    if !fits(team, who, step) {
        wrong.push(format!("{step} is for prospect {who}, who has not its role"));
    }
    drop(state);
    wrong.iter().for_each(|wrong| world.finding(&format!("account {enrollment}: {wrong}")));
}

/// The first of the step's roles whose person is still there.
fn fits(team: &Team, who: ProspectId, step: &StepId) -> bool {
    let Some((_, roles)) = ROLES.iter().find(|(id, _)| *id == step.as_str()) else { return false };
    let holder = |role: &&str| {
        let holds =
            |(person, own): &(&ProspectId, &String)| own == role && !team.left.contains(*person);
        team.roles.iter().find(holds).map(|(person, _)| *person)
    };
    roles.iter().find_map(holder).is_none_or(|first| first == who)
}

fn joined_or_left(world: &World, entry: &Entry) {
    let Some((enrollment, who)) = entry.enrollment.zip(entry.prospect) else { return };
    let mut state = world.state();
    match entry.what {
        What::Joined => {
            let team = state.accounts.entry(enrollment).or_default();
            team.roles.insert(who, entry.detail("role").to_owned());
        }
        What::Left => {
            let team = state.accounts.entry(enrollment).or_default();
            team.left.insert(who);
            team.waiting.remove(&who);
        }
        _ => {}
    }
}

/// A person of ours has said what the reply means, or it is over.
fn settled(world: &World, changes: &Changes, moved: &EnrollmentMove) {
    let mut state = world.state();
    let Some(team) = state.accounts.get_mut(&moved.id) else { return };
    let asked = ["reply", "triage", "hand_off", "handed_back"];
    let answers = |entry: &&Entry| {
        entry.enrollment == Some(moved.id)
            && entry.what == What::TaskDone
            && asked.contains(&entry.detail("kind"))
    };
    for who in changes.log.iter().filter(answers).filter_map(|entry| entry.prospect) {
        team.waiting.remove(&who);
    }
    if matches!(moved.state.phase, Phase::Ended { .. }) {
        team.waiting.clear();
    }
}

fn replied(world: &World, changes: &Changes) {
    let mut state = world.state();
    let replies = changes.inbound.iter().filter(|inbound| inbound.message.kind == Kind::Reply);
    for who in replies.filter_map(|inbound| inbound.prospect) {
        for team in state.accounts.values_mut() {
            if team.roles.contains_key(&who) && !team.left.contains(&who) {
                team.waiting.insert(who);
            }
        }
    }
}
