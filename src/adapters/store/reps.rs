//! What a rep may have at once, and what networks allow them: counted in the transaction of the intent.

use jiff::Timestamp;
use sqlx::{Any, Executor, Transaction};

use super::json::timestamp;
use super::{failed, get};
use crate::domain::budget::{Quota, QuotaUsed, Waiting};
use crate::domain::ids::{EnrollmentId, RepId};
use crate::ports::{Guards, StoreError};

type Tx = Transaction<'static, Any>;

/// How long somebody new waits before the people of their rep are counted again.
const REP_RETRY: jiff::SignedDuration = jiff::SignedDuration::from_hours(4);

/// Of whom something is counted: one at a time begins with them, or opens a task for them.
pub(super) fn of(guards: &Guards) -> impl Iterator<Item = &RepId> {
    let quotas = guards.quotas.iter().map(|quota| &quota.rep);
    guards.rep.iter().map(|(rep, ..)| rep).chain(quotas)
}

/// Whether a rep has enough people under way, or has used up what a network allows; asks nothing where
/// nothing limits them.
pub(super) async fn wait(
    tx: &mut Tx,
    guards: &Guards,
) -> Result<Option<(Waiting, Timestamp)>, StoreError> {
    if let Some((rep, enrollment, limit)) = &guards.rep
        && begun_of(&mut **tx, rep, *enrollment, *limit).await? >= u64::from(*limit)
    {
        return Ok(Some((Waiting::RepLimit, guards.now + REP_RETRY)));
    }
    for quota in &guards.quotas {
        let used = QuotaUsed {
            open: open(&mut **tx, quota).await?,
            done: done(&mut **tx, quota, guards.now).await?,
        };
        if let Err(until) = quota.admit(&used, guards.now) {
            return Ok(Some((Waiting::RepLimit, until)));
        }
    }
    Ok(None)
}

/// How many others of a rep are under way; nobody is counted beyond `most`.
pub(super) async fn begun_of<'e>(
    database: impl Executor<'e, Database = Any>,
    owner: &RepId,
    except: EnrollmentId,
    most: u32,
) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "select count(*) as n from (select 1 as one from enrollment \
         where owner = $1 and id <> $2 and lane is not null and begun = 1 limit $3) as others",
    )
    .bind(owner.0.clone())
    .bind(except.0)
    .bind(i64::from(most))
    .fetch_one(database)
    .await
    .map_err(failed("count the people of a rep"))?;
    Ok(u64::try_from(get::<i64>(&row, "n")?).unwrap_or(0))
}

/// The tasks that are open; one with a note counts as an invitation, too.
pub(super) async fn open<'e>(
    database: impl Executor<'e, Database = Any>,
    quota: &Quota,
) -> Result<u32, StoreError> {
    let row = sqlx::query(
        "select count(*) as n from task where rep = $1 and closed_at is null \
         and metered is not null and metered in ($2, 'invite_with_note')",
    )
    .bind(quota.rep.0.clone())
    .bind(quota.metered.as_str())
    .fetch_one(database)
    .await
    .map_err(failed("count the open tasks"))?;
    Ok(u32::try_from(get::<i64>(&row, "n")?).unwrap_or(u32::MAX))
}

/// When what was done was done. What was taken back, or found to be needless, was not.
pub(super) async fn done<'e>(
    database: impl Executor<'e, Database = Any>,
    quota: &Quota,
    now: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    // A task that was opened twice was done once.
    let rows = sqlx::query(
        "select distinct touch.id, touch.at from task join touch \
         on touch.enrollment_id = task.enrollment_id and touch.step_id = task.step_id \
         and touch.attempt = task.attempt \
         where task.rep = $1 and task.metered is not null \
         and task.metered in ($2, 'invite_with_note') and task.closed_at >= $3 \
         and touch.at > $3 and touch.status = 'done' \
         and touch.outcome not in ('already_connected', 'not_found', 'skipped') \
         order by touch.at, touch.id",
    )
    .bind(quota.rep.0.clone())
    .bind(quota.metered.as_str())
    .bind(quota.since(now).as_millisecond())
    .fetch_all(database)
    .await
    .map_err(failed("read what was done"))?;
    rows.iter().map(|row| Ok(timestamp(get(row, "at")?))).collect()
}
