//! The promises of an account: one conversation with those who are still in it, each asked by their role.

use firsttouch::domain::enrollment::{Phase, TaskKind};
use firsttouch::domain::ids::{EnrollmentId, ProspectId, StepId};
use firsttouch::domain::log::{Entry, What};
use firsttouch::domain::reply::Kind;
use firsttouch::domain::touch::Status;
use firsttouch::ports::{Changes, EnrollmentMove};

use crate::plan::ROLES;
use crate::world::{State, Team};

/// Looks at what is about to happen to accounts, then takes in what is new of them.
pub fn on_commit(state: &mut State, changes: &Changes, broken: &mut Vec<String>) {
    let mails = changes.touches.iter().filter(|touch| touch.status == Status::Intended);
    for touch in mails {
        touched(state, touch.enrollment, touch.prospect, &touch.step, broken);
    }
    let tasks = changes
        .tasks
        .iter()
        .filter(|task| matches!(task.kind, TaskKind::Touch(_) | TaskKind::Review));
    // What is about the account and no person is for nobody's role.
    for task in tasks.filter(|task| task.step.as_str() != "research") {
        touched(state, task.enrollment, task.prospect, &task.step, broken);
    }
    changes.log.iter().for_each(|entry| joined_or_left(state, entry));
    changes.moved.iter().for_each(|moved| settled(state, changes, moved));
    replied(state, changes);
}

/// Somebody of an account is about to be touched.
fn touched(
    state: &State,
    enrollment: EnrollmentId,
    who: ProspectId,
    step: &StepId,
    broken: &mut Vec<String>,
) {
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
    broken.extend(wrong.iter().map(|wrong| format!("account {enrollment}: {wrong}")));
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

fn joined_or_left(state: &mut State, entry: &Entry) {
    let Some((enrollment, who)) = entry.enrollment.zip(entry.prospect) else { return };
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
fn settled(state: &mut State, changes: &Changes, moved: &EnrollmentMove) {
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

fn replied(state: &mut State, changes: &Changes) {
    let replies = changes.inbound.iter().filter(|inbound| inbound.message.kind == Kind::Reply);
    for who in replies.filter_map(|inbound| inbound.prospect) {
        for team in state.accounts.values_mut() {
            if team.roles.contains_key(&who) && !team.left.contains(&who) {
                team.waiting.insert(who);
            }
        }
    }
}
