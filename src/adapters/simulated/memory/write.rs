//! Applying one [`Changes`]: first everything is checked, then everything is done.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::{Inside, Kept, days, has_ended};
use crate::domain::budget::Waiting;
use crate::domain::enrollment::Phase;
use crate::domain::hold::{Hold, HoldCause, HoldScope, Release};
use crate::domain::ids::{EnrollmentId, ProspectId, TouchId};
use crate::domain::touch::{Milestone, Status, Touch};
use crate::ports::{
    Changes, EnrollmentMove, EnrollmentRecord, HoldBack, MilestoneRecord, Start, StoreError,
    TaskRecord, TransitionRecord, Wake,
};

/// Applies all changes, or none.
pub(super) fn apply(inside: &mut Inside, mut changes: Changes) -> Result<(), StoreError> {
    check(inside, &changes)?;
    let days = days::of(&mut changes);
    put_files(inside, &changes);
    for company in changes.companies {
        inside.companies.entry(company.key.clone()).or_insert(company);
    }
    for (prospect, identities) in changes.prospects {
        for identity in identities {
            inside.identities.entry(identity).or_insert(prospect.id);
        }
        inside.prospects.insert(prospect.id, prospect);
    }
    inside.told.extend(changes.told.map(|told| (told.key.clone(), told)));
    inside.starts.extend(changes.starts);
    for start in &changes.started {
        inside.starts.remove(start);
    }
    // Ends come first: whoever is switched may come into the same cadence again.
    changes.moved.into_iter().for_each(|moved| move_on(inside, moved));
    changes.enrolled.into_iter().for_each(|record| enroll(inside, record));
    changes.touches.into_iter().for_each(|touch| put_touch(inside, touch));
    for (id, status) in changes.settled {
        settle(inside, id, status);
    }
    for (id, at) in changes.came_back {
        if let Some(kept) = inside.touches.get_mut(&id) {
            kept.came_back_at.get_or_insert(at);
            inside.undelivered.remove(&(kept.touch.at, id));
        }
    }
    for (enrollment, _) in changes.close_tasks {
        close_tasks(inside, enrollment);
    }
    days::put(inside, days);
    changes.tasks.into_iter().for_each(|task| open_task(inside, task));
    for block in changes.suppressions {
        let known = inside.suppressions.entry(block.subject.clone()).or_default();
        if !known.iter().any(|other| other.cause == block.cause) {
            known.push(block);
        }
    }
    changes.milestones.into_iter().for_each(|reached| put_milestone(inside, reached));
    for message in changes.inbound {
        inside.known_messages.insert(message.message.message_id.clone());
        inside.inbound.push(message);
    }
    if let Some(read) = changes.inbox_read {
        let record = inside.mailboxes.entry(read.mailbox).or_default();
        (record.cursor, record.inbox_read_at) = (read.cursor, Some(read.at));
    }
    for hold in changes.held {
        let same = |other: &Hold| other.scope == hold.scope && other.cause == hold.cause;
        if !inside.holds.iter().any(same) {
            inside.holds.push(hold);
        }
    }
    changes.released.iter().for_each(|release| let_go(inside, release));
    if let Some(wait) = changes.mailbox_waits {
        let record = inside.mailboxes.entry(wait.mailbox).or_default();
        record.waits = Some((wait.until, wait.reason));
    }
    inside.log.extend(changes.log);
    Ok(())
}

/// Whoever was held back is looked at again at once.
fn let_go(inside: &mut Inside, release: &Release) {
    if let HoldScope::Mailbox(id) = &release.scope
        && inside.holds.iter().any(|hold| {
            hold.scope == release.scope
                && matches!(hold.cause, HoldCause::Bounces | HoldCause::Complaints)
        })
    {
        inside.breaker_resets.insert(id.clone(), release.at);
    }
    inside.holds.retain(|hold| hold.scope != release.scope);
    let held = |record: &&EnrollmentRecord| {
        record.wake.as_ref().is_some_and(|wake| wake.waiting == Waiting::OnHold)
    };
    let ids: Vec<EnrollmentId> =
        inside.enrollments.values().filter(held).map(|record| record.id).collect();
    for id in ids {
        put_off(inside, id, release.at, Waiting::OnHold);
    }
}

/// Puts off everybody whose next step is due and on hold; how many they were.
pub(super) fn hold_back(inside: &mut Inside, back: &HoldBack) -> u64 {
    let held = |record: &&EnrollmentRecord| {
        let due = |wake: &Wake| wake.lane == back.lane && wake.at <= back.now;
        let covered = match &back.scope {
            HoldScope::Cadence(id) => record.cadence == *id,
            HoldScope::Rep(id) => record.owner == *id,
            HoldScope::Everything | HoldScope::Mailbox(_) => true,
        };
        covered
            && record.wake.as_ref().is_some_and(due)
            && matches!(record.state.phase, Phase::Waiting { .. })
    };
    let ids: Vec<EnrollmentId> =
        inside.enrollments.values().filter(held).map(|record| record.id).collect();
    for id in &ids {
        put_off(inside, *id, back.until, back.waiting);
    }
    ids.len() as u64
}

fn put_off(inside: &mut Inside, id: EnrollmentId, until: Timestamp, waiting: Waiting) {
    let Some(mut record) = inside.enrollments.get(&id).cloned() else { return };
    inside.forget(&record);
    if let Some(wake) = &mut record.wake {
        (wake.at, wake.waiting) = (until, waiting);
    }
    inside.index(&record);
    inside.enrollments.insert(id, record);
}

/// Whether everything can be done; nothing is done yet.
fn check(inside: &Inside, changes: &Changes) -> Result<(), StoreError> {
    let knows_no_lists = changes.lists.is_empty()
        && changes.list_members.is_empty()
        && changes.imports.is_empty()
        && changes.import_rows.is_empty()
        && changes.undone.is_none()
        && changes.recognised.is_empty()
        && changes.column_map.is_none();
    if !knows_no_lists {
        return Err(refused("keep a list", "a simulation has no imports"));
    }
    check_starts(inside, changes)?;
    check_enrolled(inside, &changes.enrolled)?;
    check_moves(inside, &changes.moved)?;
    check_touches(inside, &changes.touches)?;
    days::check(inside, changes)?;
    let known = |id: &str| inside.known_messages.contains(id);
    match changes.inbound.iter().any(|inbound| known(&inbound.message.message_id)) {
        true => Err(refused("write an inbound message", "it is known already")),
        false => Ok(()),
    }
}

fn refused(attempted: &'static str, detail: &str) -> StoreError {
    StoreError::Database { attempted, detail: detail.to_owned() }
}

/// An event counts once, and nobody is taken in twice.
fn check_starts(inside: &Inside, changes: &Changes) -> Result<(), StoreError> {
    if let Some(told) = changes.told.as_ref().filter(|told| inside.told.contains_key(&told.key)) {
        return Err(StoreError::Taken(format!("event `{}`", told.key)));
    }
    let waits = |start: &Start| inside.starts.contains(start) || changes.starts.contains(start);
    match changes.started.iter().find(|start| !waits(start)) {
        Some(start) => Err(StoreError::Taken(format!("taking in prospect {}", start.prospect))),
        None => Ok(()),
    }
}

fn check_enrolled(inside: &Inside, enrolled: &[EnrollmentRecord]) -> Result<(), StoreError> {
    for (position, record) in enrolled.iter().enumerate() {
        let same = |other: &EnrollmentRecord| {
            other.cadence == record.cadence
                && other.prospect == record.prospect
                && other.wake.is_some()
        };
        let ids = inside.of_prospect.get(&record.prospect).map(Vec::as_slice).unwrap_or_default();
        let before = ids.iter().filter_map(|id| inside.enrollments.get(id));
        let beside = enrolled.iter().take(position);
        let twice = record.wake.is_some() && before.chain(beside).any(same);
        if twice || inside.enrollments.contains_key(&record.id) {
            return Err(refused("write an enrollment", "that person is in the cadence already"));
        }
    }
    Ok(())
}

fn check_moves(inside: &Inside, moves: &[EnrollmentMove]) -> Result<(), StoreError> {
    let mut revisions: HashMap<EnrollmentId, i64> = HashMap::new();
    for moved in moves {
        let stored = inside.enrollments.get(&moved.id).map(|record| record.revision);
        let current = revisions.get(&moved.id).copied().or(stored);
        if current != Some(moved.revision) {
            return Err(StoreError::Stale(moved.id));
        }
        revisions.insert(moved.id, moved.revision + 1);
    }
    Ok(())
}

/// Promise 1: at most one touch for each attempt of a step, but for one that was certainly not sent.
fn check_touches(inside: &Inside, touches: &[Touch]) -> Result<(), StoreError> {
    for (position, touch) in touches.iter().enumerate() {
        let same = |other: &Touch| {
            other.enrollment == touch.enrollment
                && other.step == touch.step
                && other.attempt == touch.attempt
        };
        let before = inside.same_attempt(touch.enrollment, &touch.step, touch.attempt);
        let open = |before: &Touch| matches!(before.status, Status::Retryable | Status::TakenBack);
        let again = before.is_some_and(|before| !open(before));
        if again || touches.iter().take(position).any(same) {
            return Err(StoreError::Stale(touch.enrollment));
        }
        let message = touch.mail.as_ref().and_then(|mail| inside.by_message.get(&mail.message_id));
        if before.is_none() && (message.is_some() || inside.touches.contains_key(&touch.id)) {
            return Err(refused("write a touch", "its id is taken"));
        }
    }
    Ok(())
}

fn put_files(inside: &mut Inside, changes: &Changes) {
    for version in &changes.versions {
        inside.current.insert(version.cadence.clone(), version.digest.clone());
        inside.versions.entry(version.digest.clone()).or_insert_with(|| version.clone());
    }
    for applied in &changes.applied {
        if applied.digest.is_none() {
            inside.current.remove(&applied.cadence);
        }
        inside.applied.push(applied.clone());
    }
    for (position, profile) in changes.profiles.iter().enumerate() {
        let current = (position, profile.digest.clone());
        inside.current_profiles.insert(profile.profile.clone(), current);
        inside.profiles.entry(profile.digest.clone()).or_insert_with(|| profile.clone());
    }
    for gone in &changes.profiles_gone {
        inside.current_profiles.remove(gone);
    }
}

fn enroll(inside: &mut Inside, record: EnrollmentRecord) {
    inside.index(&record);
    let account = record.state.account.iter();
    let members = account.flat_map(|account| account.members.iter().map(|member| member.who));
    let who: BTreeSet<ProspectId> = members.chain([record.prospect]).collect();
    for prospect in who {
        inside.of_prospect.entry(prospect).or_default().push(record.id);
    }
    inside.transitions.insert(record.id, vec![TransitionRecord::from(&record)]);
    inside.enrollments.insert(record.id, record);
}

fn move_on(inside: &mut Inside, moved: EnrollmentMove) {
    let Some(mut record) = inside.enrollments.remove(&moved.id) else { return };
    inside.forget(&record);
    record.revision += 1;
    (record.state, record.wake) = (moved.state, moved.wake);
    record.digest = moved.digest.unwrap_or(record.digest);
    record.mailbox = moved.mailbox.or(record.mailbox);
    record.prospect = moved.prospect.unwrap_or(record.prospect);
    record.owner = moved.owner.unwrap_or(record.owner);
    note_transition(inside, &record, moved.at);
    debug_assert!(record.wake.is_none() || !has_ended(&record));
    inside.index(&record);
    inside.enrollments.insert(record.id, record);
}

/// A move of the waking time alone is no transition.
fn note_transition(inside: &mut Inside, record: &EnrollmentRecord, at: Timestamp) {
    let known = inside.transitions.entry(record.id).or_default();
    let is_new = known.last().is_none_or(|last| {
        last.state != record.state
            || last.digest != record.digest
            || last.mailbox != record.mailbox
            || last.prospect != record.prospect
            || last.owner != record.owner
    });
    if is_new {
        known.push(TransitionRecord { at, ..TransitionRecord::from(record) });
    }
}

/// A new one; or the next try of one that was certainly not sent, under its id, perhaps to somebody else
/// and with other words.
fn put_touch(inside: &mut Inside, touch: Touch) {
    let before = inside.same_attempt(touch.enrollment, &touch.step, touch.attempt).cloned();
    let is_new = before.is_none();
    let touch = match before {
        Some(before) => {
            forget(inside, &before);
            Touch { id: before.id, ..touch }
        }
        None => touch,
    };
    let (id, status) = (touch.id, touch.status);
    if is_new {
        inside.touches_of.entry(touch.enrollment).or_default().push(id);
    }
    inside.touches_to.entry(touch.prospect).or_default().push(id);
    if let Some(mail) = &touch.mail {
        inside.by_message.insert(mail.message_id.clone(), id);
        inside.of_mailbox.entry(mail.mailbox.clone()).or_default().push(id);
    }
    let came_back_at = inside.touches.get(&id).and_then(|kept| kept.came_back_at);
    inside.touches.insert(id, Kept { touch, came_back_at });
    if is_new {
        settle(inside, id, status);
    }
}

/// Takes a touch out of what may be another one's at the next try.
fn forget(inside: &mut Inside, touch: &Touch) {
    let others = |ids: &mut Vec<TouchId>| ids.retain(|id| *id != touch.id);
    inside.touches_to.entry(touch.prospect).and_modify(others);
    if let Some(mail) = &touch.mail {
        inside.by_message.remove(&mail.message_id);
        inside.of_mailbox.entry(mail.mailbox.clone()).and_modify(others);
    }
}

fn settle(inside: &mut Inside, id: TouchId, status: Status) {
    let Some(kept) = inside.touches.get_mut(&id) else { return };
    kept.touch.status = status;
    let delivered = (kept.touch.enrollment, Milestone::Delivered);
    let left = kept.touch.mail.is_some() && matches!(status, Status::Sent | Status::AssumedSent);
    if left && kept.came_back_at.is_none() && !inside.milestones.contains_key(&delivered) {
        inside.undelivered.insert((kept.touch.at, id));
    }
}

fn close_tasks(inside: &mut Inside, enrollment: EnrollmentId) {
    let ids = inside.tasks_of.remove(&enrollment).unwrap_or_default();
    for id in ids {
        if let Some(task) = inside.tasks.get_mut(&id) {
            task.open = false;
            inside.queue.remove(&(task.priority, task.opened_at, id));
        }
    }
}

fn open_task(inside: &mut Inside, task: TaskRecord) {
    inside.queue.insert((task.priority, task.opened_at, task.id));
    inside.tasks_of.entry(task.enrollment).or_default().push(task.id);
    inside.tasks.insert(task.id, task);
}

fn put_milestone(inside: &mut Inside, reached: MilestoneRecord) {
    let key = (reached.enrollment, reached.milestone);
    if reached.milestone == Milestone::Delivered {
        let touches: Vec<_> =
            inside.touches_of(reached.enrollment).map(|k| (k.touch.at, k.touch.id)).collect();
        for touch in touches {
            inside.undelivered.remove(&touch);
        }
    }
    inside.milestones.entry(key).or_insert(reached);
}
