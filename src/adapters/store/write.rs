//! Applying one [`Changes`]: every row of one transition, inside one transaction.

use sqlx::{Any, Transaction};

use super::{SqlStore, days, failed, holds, json, lists, rows, starts, transitions};
use crate::domain::budget::{Metered, rank_of_new};
use crate::domain::enrollment::{Phase, State};
use crate::domain::ids::EnrollmentId;
use crate::domain::log::Entry;
use crate::domain::touch::Touch;
use crate::ports::{
    AppliedRecord, Changes, EnrollmentMove, EnrollmentRecord, InboundRecord, InboxRead,
    MailboxWait, MilestoneRecord, ProfileRecord, StoreError, TaskRecord, VersionRecord, Wake,
};

type Tx = Transaction<'static, Any>;

/// Writes everything, in an order in which rows only refer to rows that are there.
pub(super) async fn apply(
    store: &SqlStore,
    tx: &mut Tx,
    changes: &Changes,
) -> Result<(), StoreError> {
    for version in &changes.versions {
        put_version(tx, version).await?;
    }
    for applied in &changes.applied {
        put_applied(tx, applied).await?;
    }
    for (position, profile) in changes.profiles.iter().enumerate() {
        put_profile(tx, profile, position).await?;
    }
    for profile in &changes.profiles_gone {
        sqlx::query("delete from profile_current where profile_id = $1")
            .bind(profile.0.clone())
            .execute(&mut **tx)
            .await
            .map_err(failed("take out a profile"))?;
    }
    lists::put(store, tx, changes).await?;
    starts::put(tx, changes).await?;
    holds::put(tx, changes).await?;
    // Ends come first: whoever is switched may come into the same cadence again.
    for moved in &changes.moved {
        move_enrollment(tx, moved).await?;
    }
    for enrollment in &changes.enrolled {
        insert_enrollment(tx, enrollment).await?;
    }
    for touch in &changes.touches {
        put_touch(tx, touch).await?;
    }
    put_outcomes(store, tx, changes).await?;
    for inbound in &changes.inbound {
        insert_inbound(tx, inbound).await?;
    }
    if let Some(read) = &changes.inbox_read {
        put_inbox_read(tx, read).await?;
    }
    if let Some(wait) = &changes.mailbox_waits {
        put_mailbox_wait(tx, wait).await?;
    }
    insert_log(store, tx, &changes.log).await
}

async fn put_outcomes(store: &SqlStore, tx: &mut Tx, changes: &Changes) -> Result<(), StoreError> {
    for (touch, status) in &changes.settled {
        sqlx::query("update touch set status = $2 where id = $1")
            .bind(touch.0)
            .bind(status.as_str())
            .execute(&mut **tx)
            .await
            .map_err(failed("settle a touch"))?;
    }
    for (touch, at) in &changes.came_back {
        sqlx::query("update touch set came_back_at = $2 where id = $1 and came_back_at is null")
            .bind(touch.0)
            .bind(at.as_millisecond())
            .execute(&mut **tx)
            .await
            .map_err(failed("record a bounce"))?;
    }
    for (enrollment, at) in &changes.close_tasks {
        sqlx::query(
            "update task set closed_at = $2 where enrollment_id = $1 and closed_at is null",
        )
        .bind(enrollment.0)
        .bind(at.as_millisecond())
        .execute(&mut **tx)
        .await
        .map_err(failed("close tasks"))?;
    }
    days::put(tx, changes).await?;
    for task in &changes.tasks {
        insert_task(tx, task).await?;
    }
    lists::put_suppressions(store.dialect, tx, &changes.suppressions).await?;
    for milestone in &changes.milestones {
        put_milestone(tx, milestone).await?;
    }
    Ok(())
}

async fn put_version(tx: &mut Tx, version: &VersionRecord) -> Result<(), StoreError> {
    sqlx::query(
        "insert into cadence_version (digest, cadence_id, files, applied_at) values ($1, $2, $3, $4) \
         on conflict (digest) do nothing",
    )
    .bind(version.digest.clone())
    .bind(version.cadence.0.clone())
    .bind(json::to_text(&version.files))
    .bind(version.applied_at.as_millisecond())
    .execute(&mut **tx)
    .await
    .map_err(failed("write a cadence version"))?;
    sqlx::query(
        "insert into cadence_current (cadence_id, digest) values ($1, $2) \
         on conflict (cadence_id) do update set digest = excluded.digest",
    )
    .bind(version.cadence.0.clone())
    .bind(version.digest.clone())
    .execute(&mut **tx)
    .await
    .map_err(failed("write a cadence version"))?;
    Ok(())
}

async fn put_applied(tx: &mut Tx, applied: &AppliedRecord) -> Result<(), StoreError> {
    sqlx::query(
        "insert into cadence_applied (cadence_id, number, digest, applied_at, applied_by) \
         values ($1, (select coalesce(max(number), 0) + 1 from cadence_applied \
         where cadence_id = $1), $2, $3, $4)",
    )
    .bind(applied.cadence.0.clone())
    .bind(applied.digest.clone())
    .bind(applied.at.as_millisecond())
    .bind(applied.by.clone())
    .execute(&mut **tx)
    .await
    .map_err(failed("note what was applied"))?;
    if applied.digest.is_none() {
        sqlx::query("delete from cadence_current where cadence_id = $1")
            .bind(applied.cadence.0.clone())
            .execute(&mut **tx)
            .await
            .map_err(failed("take out a cadence"))?;
    }
    Ok(())
}

async fn put_profile(
    tx: &mut Tx,
    profile: &ProfileRecord,
    position: usize,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into profile_version (digest, profile_id, path, body, applied_at) \
         values ($1, $2, $3, $4, $5) on conflict (digest) do nothing",
    )
    .bind(profile.digest.clone())
    .bind(profile.profile.0.clone())
    .bind(profile.path.clone())
    .bind(profile.text.clone())
    .bind(profile.applied_at.as_millisecond())
    .execute(&mut **tx)
    .await
    .map_err(failed("write a profile version"))?;
    sqlx::query(
        "insert into profile_current (profile_id, position, digest) values ($1, $2, $3) \
         on conflict (profile_id) do update set digest = excluded.digest, position = excluded.position",
    )
    .bind(profile.profile.0.clone())
    .bind(i64::try_from(position).unwrap_or(i64::MAX))
    .bind(profile.digest.clone())
    .execute(&mut **tx)
    .await
    .map_err(failed("write a profile version"))?;
    Ok(())
}

/// The columns that say when and by whom an enrollment is looked at again.
struct WakeColumns {
    lane: Option<String>,
    rank: Option<i64>,
    at: Option<i64>,
    waiting: Option<String>,
}

impl WakeColumns {
    fn of(wake: Option<&Wake>, begun: bool, rank_of_new: i64) -> Self {
        let Some(wake) = wake else {
            return Self { lane: None, rank: None, at: None, waiting: None };
        };
        // Follow-ups first, then new people.
        let rank = if begun { 0 } else { rank_of_new };
        Self {
            lane: Some(rows::lane_text(&wake.lane)),
            rank: Some(rank),
            at: Some(wake.at.as_millisecond()),
            waiting: Some(wake.waiting.as_str().to_owned()),
        }
    }
}

async fn insert_enrollment(tx: &mut Tx, record: &EnrollmentRecord) -> Result<(), StoreError> {
    let begun = record.state.has_begun();
    let rank_of_new = rank_of_new(record.score, record.enrolled_at);
    let wake = WakeColumns::of(record.wake.as_ref(), begun, rank_of_new);
    let state = json::state_to_text(&record.state);
    sqlx::query(
        "insert into enrollment (id, prospect_id, company_id, cadence_id, digest, profile_id, \
         profile_digest, score, owner, mailbox_id, phase, state, revision, begun, lane, lane_rank, \
         wake_at, waiting, enrolled_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
    )
    .bind(record.id.0)
    .bind(record.prospect.0)
    .bind(record.company.map(|id| id.0))
    .bind(record.cadence.0.clone())
    .bind(record.digest.clone())
    .bind(record.profile.as_ref().map(|(id, _)| id.0.clone()))
    .bind(record.profile.as_ref().map(|(_, digest)| digest.clone()))
    .bind(record.score)
    .bind(record.owner.0.clone())
    .bind(record.mailbox.as_ref().map(|id| id.0.clone()))
    .bind(record.state.phase.name())
    .bind(state.clone())
    .bind(record.revision)
    .bind(i64::from(begun))
    .bind(wake.lane)
    .bind(wake.rank)
    .bind(wake.at)
    .bind(wake.waiting)
    .bind(record.enrolled_at.as_millisecond())
    .execute(&mut **tx)
    .await
    .map_err(failed("write an enrollment"))?;
    transitions::put_first(tx, record, state).await?;
    put_members(tx, record.id, &record.state).await
}

/// The people of an account stand in a table, so that each finds their enrollment.
pub(super) async fn put_members(
    tx: &mut Tx,
    enrollment: EnrollmentId,
    state: &State,
) -> Result<(), StoreError> {
    let members = state.account.iter().flat_map(|account| &account.members);
    for member in members {
        sqlx::query(
            "insert into account_member (enrollment_id, prospect_id, role) values ($1, $2, $3)",
        )
        .bind(enrollment.0)
        .bind(member.who.0)
        .bind(member.role.0.clone())
        .execute(&mut **tx)
        .await
        .map_err(failed("write the people of an account"))?;
    }
    Ok(())
}

async fn move_enrollment(tx: &mut Tx, moved: &EnrollmentMove) -> Result<(), StoreError> {
    let begun = moved.state.has_begun();
    let wake = WakeColumns::of(moved.wake.as_ref(), begun, 1);
    let ended_at = match &moved.state.phase {
        Phase::Ended { at, .. } => Some(at.as_millisecond()),
        _ => None,
    };
    let state = json::state_to_text(&moved.state);
    transitions::put_next(tx, moved, state.clone()).await?;
    let done = sqlx::query(concat!(
        "update enrollment set phase = $3, state = $4, revision = revision + 1, begun = $5, lane = $6, \
         lane_rank = case when $5 = 1 or $6 is null then $7 else ",
        rank_of_new!(),
        " end, \
         wake_at = $8, waiting = $9, ended_at = $10, digest = coalesce($11, digest), \
         mailbox_id = coalesce($12, mailbox_id), prospect_id = coalesce($13, prospect_id), \
         owner = coalesce($14, owner) \
         where id = $1 and revision = $2",
    ))
    .bind(moved.id.0)
    .bind(moved.revision)
    .bind(moved.state.phase.name())
    .bind(state)
    .bind(i64::from(begun))
    .bind(wake.lane)
    .bind(wake.rank)
    .bind(wake.at)
    .bind(wake.waiting)
    .bind(ended_at)
    .bind(moved.digest.clone())
    .bind(moved.mailbox.as_ref().map(|id| id.0.clone()))
    .bind(moved.prospect.map(|id| id.0))
    .bind(moved.owner.as_ref().map(|id| id.0.clone()))
    .execute(&mut **tx)
    .await
    .map_err(failed("move an enrollment"))?;
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Stale(moved.id)),
    }
}

/// A new touch, or the next try of one that was definitely not sent. Anything else breaks promise 1
/// and is refused.
async fn put_touch(tx: &mut Tx, touch: &Touch) -> Result<(), StoreError> {
    let mail = touch.mail.as_ref();
    let done = sqlx::query(
        "insert into touch (id, enrollment_id, prospect_id, step_id, attempt, channel, status, at, \
         actor, outcome, mailbox_id, message_id, subject, begins_thread, template, version) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         on conflict (enrollment_id, step_id, attempt) do update set status = excluded.status, \
         at = excluded.at, subject = excluded.subject, begins_thread = excluded.begins_thread, \
         template = excluded.template, version = excluded.version, actor = excluded.actor, \
         outcome = excluded.outcome where touch.status in ('retryable', 'taken_back')",
    )
    .bind(touch.id.0)
    .bind(touch.enrollment.0)
    .bind(touch.prospect.0)
    .bind(touch.step.0.clone())
    .bind(i64::from(touch.attempt))
    .bind(touch.channel.as_str())
    .bind(touch.status.as_str())
    .bind(touch.at.as_millisecond())
    .bind(touch.actor.clone())
    .bind(touch.outcome.as_ref().map(|outcome| outcome.0.clone()))
    .bind(mail.map(|mail| mail.mailbox.0.clone()))
    .bind(mail.map(|mail| mail.message_id.clone()))
    .bind(mail.map(|mail| mail.subject.clone()))
    .bind(mail.map(|mail| i64::from(mail.begins_thread)))
    .bind(mail.map(|mail| mail.template.clone()))
    .bind(touch.version.clone())
    .execute(&mut **tx)
    .await
    .map_err(failed("write a touch"))?;
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Stale(touch.enrollment)),
    }
}

async fn insert_task(tx: &mut Tx, task: &TaskRecord) -> Result<(), StoreError> {
    sqlx::query(
        "insert into task (id, enrollment_id, prospect_id, rep, kind, step_id, attempt, title, body, \
         priority, opened_at, expires_at, target_at, version, wakes_at, promised, covers, \
         metered) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    )
    .bind(task.id.0)
    .bind(task.enrollment.0)
    .bind(task.prospect.0)
    .bind(task.rep.0.clone())
    .bind(rows::task_kind_word(task.kind))
    .bind(task.step.0.clone())
    .bind(i64::from(task.attempt))
    .bind(task.title.clone())
    .bind(task.text.clone())
    .bind(i64::from(task.priority))
    .bind(task.opened_at.as_millisecond())
    .bind(task.expires_at.as_millisecond())
    .bind(task.target_at.map(|at| at.as_millisecond()))
    .bind(task.version.clone())
    .bind(task.wakes_at.map(|at| at.as_millisecond()))
    .bind(i64::from(task.promised))
    .bind(task.covers.as_ref().map(|rep| rep.0.clone()))
    .bind(task.metered.map(Metered::as_str))
    .execute(&mut **tx)
    .await
    .map_err(failed("open a task"))?;
    Ok(())
}

async fn put_milestone(tx: &mut Tx, record: &MilestoneRecord) -> Result<(), StoreError> {
    sqlx::query(
        "insert into milestone (enrollment_id, milestone, prospect_id, touch_id, at) \
         values ($1, $2, $3, $4, $5) on conflict do nothing",
    )
    .bind(record.enrollment.0)
    .bind(record.milestone.as_str())
    .bind(record.prospect.0)
    .bind(record.touch.0)
    .bind(record.at.as_millisecond())
    .execute(&mut **tx)
    .await
    .map_err(failed("write a milestone"))?;
    Ok(())
}

async fn insert_inbound(tx: &mut Tx, record: &InboundRecord) -> Result<(), StoreError> {
    let message = &record.message;
    let latency_ms = record.latency.and_then(|latency| i64::try_from(latency.as_millis()).ok());
    sqlx::query(
        "insert into inbound (id, mailbox_id, message_id, kind, reason, from_address, subject, \
         new_text, prospect_id, enrollment_id, touch_id, received_at, latency_ms) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(record.id.0)
    .bind(record.mailbox.0.clone())
    .bind(message.message_id.clone())
    .bind(message.kind.as_str())
    .bind(message.reason.clone())
    .bind(message.from.first().cloned().unwrap_or_default())
    .bind(message.subject.clone())
    .bind(message.new_text.clone())
    .bind(record.prospect.map(|id| id.0))
    .bind(record.enrollment.map(|id| id.0))
    .bind(record.touch.map(|id| id.0))
    .bind(record.received_at.as_millisecond())
    .bind(latency_ms)
    .execute(&mut **tx)
    .await
    .map_err(failed("write an inbound message"))?;
    Ok(())
}

async fn put_inbox_read(tx: &mut Tx, read: &InboxRead) -> Result<(), StoreError> {
    sqlx::query(
        "insert into mailbox (id, cursor, inbox_read_at, sending_days) values ($1, $2, $3, 0) \
         on conflict (id) do update set cursor = excluded.cursor, inbox_read_at = excluded.inbox_read_at",
    )
    .bind(read.mailbox.0.clone())
    .bind(read.cursor.clone())
    .bind(read.at.as_millisecond())
    .execute(&mut **tx)
    .await
    .map_err(failed("record that an inbox was read"))?;
    Ok(())
}

async fn put_mailbox_wait(tx: &mut Tx, wait: &MailboxWait) -> Result<(), StoreError> {
    sqlx::query(
        "insert into mailbox (id, waits_until, waits_for, sending_days) values ($1, $2, $3, 0) \
         on conflict (id) do update set waits_until = excluded.waits_until, \
         waits_for = excluded.waits_for",
    )
    .bind(wait.mailbox.0.clone())
    .bind(wait.until.as_millisecond())
    .bind(wait.reason.as_str())
    .execute(&mut **tx)
    .await
    .map_err(failed("let a mailbox wait"))?;
    Ok(())
}

async fn insert_log(store: &SqlStore, tx: &mut Tx, log: &[Entry]) -> Result<(), StoreError> {
    if log.is_empty() {
        return Ok(());
    }
    let first = store.event_ids(tx, log.len()).await?;
    for (id, entry) in (first..).zip(log) {
        sqlx::query(
            "insert into event (id, at, what, prospect_id, enrollment_id, touch_id, actor, details) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id)
        .bind(entry.at.as_millisecond())
        .bind(entry.what.as_str())
        .bind(entry.prospect.map(|id| id.0))
        .bind(entry.enrollment.map(|id| id.0))
        .bind(entry.touch.map(|id| id.0))
        .bind(entry.actor.clone())
        .bind(json::to_text(&entry.details))
        .execute(&mut **tx)
        .await
        .map_err(failed("write the log"))?;
    }
    Ok(())
}
