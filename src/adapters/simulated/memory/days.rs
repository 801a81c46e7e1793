//! A rep's day, as the databases keep it (`adapters/store/days.rs`).

use jiff::Timestamp;

use super::Inside;
use crate::domain::absence::{Absence, Absences};
use crate::domain::budget::Waiting;
use crate::domain::ids::{EnrollmentId, RepId};
use crate::domain::log::{Entry, What};
use crate::ports::{Changes, Guards, StoreError, TaskRecord};

/// Whether the tasks that are changed are as open or closed as whoever changes them has seen them.
pub(super) fn check(inside: &Inside, changes: &Changes) -> Result<(), StoreError> {
    let closes = |task: &TaskRecord| {
        changes.close_tasks.iter().any(|(enrollment, _)| *enrollment == task.enrollment)
    };
    let is_open = |task: &TaskRecord| {
        let known = inside.tasks.get(&task.id);
        known.is_some_and(|known| known.open) && !closes(task)
    };
    let changed = changes.tasks_changed.iter().find(|task| !is_open(task));
    let reopened = changes.tasks_reopened.iter().find(|task| is_open(task));
    match changed.or(reopened) {
        Some(task) => Err(StoreError::Stale(task.enrollment)),
        None => Ok(()),
    }
}

/// The part of changes that is written here.
pub(super) fn of(changes: &mut Changes) -> Changes {
    Changes {
        tasks_changed: std::mem::take(&mut changes.tasks_changed),
        tasks_reopened: std::mem::take(&mut changes.tasks_reopened),
        milestones_gone: std::mem::take(&mut changes.milestones_gone),
        suppressions_gone: std::mem::take(&mut changes.suppressions_gone),
        people_of: changes.people_of.take(),
        absences: std::mem::take(&mut changes.absences),
        woken: std::mem::take(&mut changes.woken),
        ..Changes::default()
    }
}

/// Comes behind the closing of tasks and before new ones.
pub(super) fn put(inside: &mut Inside, changes: Changes) {
    for task in changes.tasks_changed {
        inside.tasks.insert(task.id, task);
    }
    for task in changes.tasks_reopened {
        inside.queue.insert((task.priority, task.opened_at, task.id));
        inside.tasks_of.entry(task.enrollment).or_default().push(task.id);
        inside.tasks.insert(task.id, TaskRecord { open: true, ..task });
    }
    for touch in changes.milestones_gone {
        inside.milestones.retain(|_, reached| reached.touch != touch);
    }
    for block in changes.suppressions_gone {
        if let Some(known) = inside.suppressions.get_mut(&block.subject) {
            known.retain(|other| *other != block);
        }
    }
    if let Some((from, to)) = changes.people_of {
        for prospect in inside.prospects.values_mut().filter(|prospect| prospect.owner == from) {
            prospect.owner = to.clone();
        }
    }
    for absence in changes.absences {
        let known = inside.absences.entry(absence.id).or_insert_with(|| absence.clone());
        known.ended_at = absence.ended_at;
    }
    for (owner, at) in changes.woken {
        wake(inside, &owner, at);
    }
}

fn wake(inside: &mut Inside, owner: &RepId, at: Timestamp) {
    let ids: Vec<EnrollmentId> =
        inside.enrollments.values().filter(|one| one.owner == *owner).map(|one| one.id).collect();
    for id in ids {
        let Some(mut record) = inside.enrollments.remove(&id) else { continue };
        inside.forget(&record);
        if let Some(wake) = record.wake.as_mut()
            && wake.waiting == Waiting::OwnerAway
        {
            wake.at = wake.at.min(at);
        }
        inside.index(&record);
        inside.enrollments.insert(id, record);
    }
}

/// Nothing begins for the people of somebody who is away and whose work waits.
pub(super) fn owner_waits(inside: &Inside, guards: &Guards) -> Option<(Waiting, Timestamp)> {
    if inside.absences.is_empty() {
        return None;
    }
    let absences = Absences(inside.absences.values().cloned().collect());
    let until = absences.held_until(guards.owner.as_ref()?, guards.now)?;
    Some((Waiting::OwnerAway, until))
}

pub(super) fn owners_waited_for(inside: &Inside) -> Vec<RepId> {
    let waits = inside.enrollments.values().filter(|record| {
        record.wake.as_ref().is_some_and(|wake| wake.waiting == Waiting::OwnerAway)
    });
    let mut owners: Vec<RepId> = waits.map(|record| record.owner.clone()).collect();
    owners.sort();
    owners.dedup();
    owners
}

pub(super) fn deeds(inside: &Inside, actor: &RepId, limit: u32) -> Vec<Entry> {
    let is_deed =
        |what: What| matches!(what, What::TaskDone | What::TaskSnoozed | What::TaskUndone);
    let newest = inside.log.iter().rev();
    let own = newest.filter(|entry| entry.actor == actor.0 && is_deed(entry.what));
    own.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect()
}

pub(super) fn absences(inside: &Inside, since: Timestamp) -> Vec<Absence> {
    let behind = inside.absences.values().filter(|absence| absence.until > since);
    let mut found: Vec<Absence> = behind.cloned().collect();
    found.sort_by_key(|absence| (absence.from, absence.id));
    found
}
