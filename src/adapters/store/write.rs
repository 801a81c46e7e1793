//! Applying one [`Changes`]: every row of one transition, inside one transaction.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sqlx::{Any, Transaction};

use super::set::{Set, of_rows};
use super::{Dialect, SqlStore, days, failed, get, holds, json, lists, rows, starts, transitions};
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
    all: &[&Changes],
) -> Result<(), StoreError> {
    for changes in all {
        put_files(tx, changes).await?;
        lists::put(store, tx, changes).await?;
        starts::put(tx, changes).await?;
        holds::put(tx, changes).await?;
    }
    // Ends come first: whoever is switched may come into the same cadence again.
    move_enrollments(store.dialect, tx, all).await?;
    for enrollment in all.iter().flat_map(|changes| &changes.enrolled) {
        insert_enrollment(tx, enrollment).await?;
    }
    put_touches(store.dialect, tx, all).await?;
    put_outcomes(store, tx, all).await?;
    for changes in all {
        put_mail(tx, changes).await?;
    }
    insert_log(store, tx, all).await
}

async fn put_files(tx: &mut Tx, changes: &Changes) -> Result<(), StoreError> {
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
    Ok(())
}

async fn put_mail(tx: &mut Tx, changes: &Changes) -> Result<(), StoreError> {
    for inbound in &changes.inbound {
        insert_inbound(tx, inbound).await?;
    }
    if let Some(read) = &changes.inbox_read {
        put_inbox_read(tx, read).await?;
    }
    if let Some(wait) = &changes.mailbox_waits {
        put_mailbox_wait(tx, wait).await?;
    }
    Ok(())
}

const SETTLE: Set = Set {
    sql: of_rows!(
        "update touch set status = r.value ->> 1 from",
        "where touch.id = cast(r.value ->> 0 as bigint)"
    ),
    attempted: "settle a touch",
};

const CLOSE_TASKS: Set = Set {
    sql: of_rows!(
        "update task set closed_at = cast(r.value ->> 1 as bigint) from",
        "where task.enrollment_id = cast(r.value ->> 0 as bigint) and task.closed_at is null"
    ),
    attempted: "close tasks",
};

const MILESTONES: Set = Set {
    sql: of_rows!(
        "insert into milestone (enrollment_id, milestone, prospect_id, touch_id, at) \
         select cast(r.value ->> 0 as bigint), r.value ->> 1, cast(r.value ->> 2 as bigint), \
         cast(r.value ->> 3 as bigint), cast(r.value ->> 4 as bigint) from",
        "where true on conflict do nothing"
    ),
    attempted: "write a milestone",
};

async fn put_outcomes(store: &SqlStore, tx: &mut Tx, all: &[&Changes]) -> Result<(), StoreError> {
    let settled = all.iter().flat_map(|changes| &changes.settled);
    let settled = settled.map(|(touch, status)| json!([touch.0, status.as_str()])).collect();
    SETTLE.run(store.dialect, tx, settled).await?;
    for (touch, at) in all.iter().flat_map(|changes| &changes.came_back) {
        sqlx::query("update touch set came_back_at = $2 where id = $1 and came_back_at is null")
            .bind(touch.0)
            .bind(at.as_millisecond())
            .execute(&mut **tx)
            .await
            .map_err(failed("record a bounce"))?;
    }
    let closed = all.iter().flat_map(|changes| &changes.close_tasks);
    let closed = closed.map(|(enrollment, at)| json!([enrollment.0, at.as_millisecond()]));
    CLOSE_TASKS.run(store.dialect, tx, closed.collect()).await?;
    for changes in all {
        days::put(tx, changes).await?;
        for task in &changes.tasks {
            insert_task(tx, task).await?;
        }
        lists::put_suppressions(store.dialect, tx, &changes.suppressions).await?;
    }
    let milestones = all.iter().flat_map(|changes| &changes.milestones).map(|record| {
        let MilestoneRecord { enrollment, milestone, prospect, touch, at } = record;
        json!([enrollment.0, milestone.as_str(), prospect.0, touch.0, at.as_millisecond()])
    });
    MILESTONES.run(store.dialect, tx, milestones.collect()).await?;
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
    fn of(wake: Option<&Wake>, begun: bool, score: i64) -> Self {
        let Some(wake) = wake else {
            return Self { lane: None, rank: None, at: None, waiting: None };
        };
        // Follow-ups first, then new people, best score first.
        let rank = if begun { 0 } else { (1_000_000 - score).max(1) };
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
    let wake = WakeColumns::of(record.wake.as_ref(), begun, record.score);
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

const MOVE: Set = Set {
    sql: of_rows!(
        "update enrollment set phase = r.value ->> 2, state = r.value ->> 3, \
         revision = enrollment.revision + 1, begun = cast(r.value ->> 4 as bigint), \
         lane = r.value ->> 5, lane_rank = case \
           when cast(r.value ->> 4 as bigint) = 1 or r.value ->> 5 is null \
             then cast(r.value ->> 6 as bigint) \
           when 1000000 - enrollment.score < 1 then 1 else 1000000 - enrollment.score end, \
         wake_at = cast(r.value ->> 7 as bigint), waiting = r.value ->> 8, \
         ended_at = cast(r.value ->> 9 as bigint), \
         digest = coalesce(r.value ->> 10, enrollment.digest), \
         mailbox_id = coalesce(r.value ->> 11, enrollment.mailbox_id), \
         prospect_id = coalesce(cast(r.value ->> 12 as bigint), enrollment.prospect_id), \
         owner = coalesce(r.value ->> 13, enrollment.owner) from",
        "where enrollment.id = cast(r.value ->> 0 as bigint) \
         and enrollment.revision = cast(r.value ->> 1 as bigint) returning enrollment.id"
    ),
    attempted: "move an enrollment",
};

/// All of them, or an error that names the first one that had moved on since it was read.
async fn move_enrollments(
    dialect: Dialect,
    tx: &mut Tx,
    all: &[&Changes],
) -> Result<(), StoreError> {
    let moved: Vec<&EnrollmentMove> = all.iter().flat_map(|changes| &changes.moved).collect();
    let rows: Vec<Value> = moved.iter().map(|moved| move_row(moved)).collect();
    transitions::put_next(dialect, tx, rows.clone()).await?;
    let done = MOVE.ask(dialect, tx, rows).await?;
    let done: BTreeSet<i64> = done.iter().map(|row| get(row, "id")).collect::<Result<_, _>>()?;
    let stale = moved.iter().find(|moved| !done.contains(&moved.id.0));
    stale.map_or(Ok(()), |moved| Err(StoreError::Stale(moved.id)))
}

/// The cells that [`MOVE`] and the log of transitions read.
fn move_row(moved: &EnrollmentMove) -> Value {
    let begun = moved.state.has_begun();
    let wake = WakeColumns::of(moved.wake.as_ref(), begun, 0);
    let ended_at = match &moved.state.phase {
        Phase::Ended { at, .. } => Some(at.as_millisecond()),
        _ => None,
    };
    json!([
        moved.id.0,
        moved.revision,
        moved.state.phase.name(),
        json::state_to_text(&moved.state),
        i64::from(begun),
        wake.lane,
        wake.rank,
        wake.at,
        wake.waiting,
        ended_at,
        moved.digest,
        moved.mailbox.as_ref().map(|id| &id.0),
        moved.prospect.map(|id| id.0),
        moved.owner.as_ref().map(|id| &id.0),
        moved.at.as_millisecond(),
    ])
}

const TOUCH: Set = Set {
    sql: of_rows!(
        "insert into touch (id, enrollment_id, prospect_id, step_id, attempt, channel, status, at, \
         actor, outcome, mailbox_id, message_id, subject, begins_thread, template, version) \
         select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), \
         cast(r.value ->> 2 as bigint), r.value ->> 3, cast(r.value ->> 4 as bigint), \
         r.value ->> 5, r.value ->> 6, cast(r.value ->> 7 as bigint), r.value ->> 8, \
         r.value ->> 9, r.value ->> 10, r.value ->> 11, r.value ->> 12, \
         cast(r.value ->> 13 as bigint), r.value ->> 14, r.value ->> 15 from",
        "where true \
         on conflict (enrollment_id, step_id, attempt) do update set status = excluded.status, \
         prospect_id = excluded.prospect_id, mailbox_id = excluded.mailbox_id, \
         message_id = excluded.message_id, at = excluded.at, subject = excluded.subject, begins_thread = excluded.begins_thread, \
         template = excluded.template, version = excluded.version, actor = excluded.actor, \
         outcome = excluded.outcome where touch.status in ('retryable', 'taken_back') \
         returning enrollment_id"
    ),
    attempted: "write a touch",
};

/// New touches, or the next try of those that were definitely not sent, under their ids and perhaps to
/// somebody else of the account. Anything else breaks promise 1 and is refused.
async fn put_touches(dialect: Dialect, tx: &mut Tx, all: &[&Changes]) -> Result<(), StoreError> {
    let touches: Vec<&Touch> = all.iter().flat_map(|changes| &changes.touches).collect();
    let done = TOUCH.ask(dialect, tx, touches.iter().map(|touch| touch_row(touch)).collect());
    let mut left: BTreeMap<i64, usize> = BTreeMap::new();
    for row in &done.await? {
        *left.entry(get(row, "enrollment_id")?).or_default() += 1;
    }
    for touch in touches {
        match left.get_mut(&touch.enrollment.0).filter(|n| **n > 0) {
            Some(n) => *n -= 1,
            None => return Err(StoreError::Stale(touch.enrollment)),
        }
    }
    Ok(())
}

fn touch_row(touch: &Touch) -> Value {
    let mail = touch.mail.as_ref();
    json!([
        touch.id.0,
        touch.enrollment.0,
        touch.prospect.0,
        touch.step.0,
        touch.attempt,
        touch.channel.as_str(),
        touch.status.as_str(),
        touch.at.as_millisecond(),
        touch.actor,
        touch.outcome.as_ref().map(|outcome| &outcome.0),
        mail.map(|mail| &mail.mailbox.0),
        mail.map(|mail| &mail.message_id),
        mail.map(|mail| &mail.subject),
        mail.map(|mail| i64::from(mail.begins_thread)),
        mail.map(|mail| &mail.template),
        touch.version,
    ])
}

async fn insert_task(tx: &mut Tx, task: &TaskRecord) -> Result<(), StoreError> {
    sqlx::query(
        "insert into task (id, enrollment_id, prospect_id, rep, kind, step_id, attempt, title, body, \
         priority, opened_at, expires_at, target_at, version, wakes_at, promised, covers) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
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
    .execute(&mut **tx)
    .await
    .map_err(failed("open a task"))?;
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

const LOG: Set = Set {
    sql: of_rows!(
        "insert into event (id, at, what, prospect_id, enrollment_id, touch_id, actor, details) \
         select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint), r.value ->> 2, \
         cast(r.value ->> 3 as bigint), cast(r.value ->> 4 as bigint), \
         cast(r.value ->> 5 as bigint), r.value ->> 6, r.value ->> 7 from",
        ""
    ),
    attempted: "write the log",
};

/// Comes last: on PostgreSQL whoever takes numbers of the log lets others wait for theirs.
async fn insert_log(store: &SqlStore, tx: &mut Tx, all: &[&Changes]) -> Result<(), StoreError> {
    let log: Vec<&Entry> = all.iter().flat_map(|changes| &changes.log).collect();
    if log.is_empty() {
        return Ok(());
    }
    let first = store.event_ids(tx, log.len()).await?;
    let row = |(id, entry): (i64, &Entry)| {
        json!([
            id,
            entry.at.as_millisecond(),
            entry.what.as_str(),
            entry.prospect.map(|id| id.0),
            entry.enrollment.map(|id| id.0),
            entry.touch.map(|id| id.0),
            entry.actor,
            json::to_text(&entry.details),
        ])
    };
    LOG.run(store.dialect, tx, (first..).zip(log).map(row).collect()).await?;
    Ok(())
}
