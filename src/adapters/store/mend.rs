//! Bringing back what stands beside the log to what the log says. The log itself is never touched.

use sqlx::{Any, Transaction};

use super::{SqlStore, failed};
use crate::domain::audit::{Mend, MilestoneRow};
use crate::domain::enrollment::Phase;
use crate::domain::ids::EnrollmentId;
use crate::ports::{StoreError, TransitionRecord};

type Tx = Transaction<'static, Any>;

/// Applies all, or none.
pub(super) async fn all(store: &SqlStore, mends: &[Mend]) -> Result<(), StoreError> {
    // Read before the transaction: on SQLite there is one connection that writes.
    let mut states = Vec::new();
    for mend in mends {
        states.push(match mend {
            Mend::Enrollment(id) | Mend::Members(id) => store.read_transitions_of(*id).await?.pop(),
            _ => None,
        });
    }
    let mut tx = store.begin().await?;
    for (mend, state) in mends.iter().zip(states) {
        one(&mut tx, mend, state).await?;
    }
    tx.commit().await.map_err(failed("commit"))
}

async fn one(tx: &mut Tx, mend: &Mend, state: Option<TransitionRecord>) -> Result<(), StoreError> {
    let query = match mend {
        Mend::Enrollment(id) => return enrollment(tx, *id, state).await,
        Mend::Members(id) => return members(tx, *id, state).await,
        Mend::SetMilestone(id, row) => return milestone(tx, *id, row).await,
        Mend::CloseTask(id, at) => {
            sqlx::query("update task set closed_at = $2 where id = $1 and closed_at is null")
                .bind(id.0)
                .bind(at.as_millisecond())
        }
        Mend::ReopenTask(id) => {
            sqlx::query("update task set closed_at = null where id = $1").bind(id.0)
        }
        Mend::DropMilestone(id, word) => {
            sqlx::query("delete from milestone where enrollment_id = $1 and milestone = $2")
                .bind(id.0)
                .bind(word.clone())
        }
        Mend::Budget { scope, bucket, used } => sqlx::query(
            "insert into budget (scope, bucket, used) values ($1, $2, $3) \
             on conflict (scope, bucket) do update set used = excluded.used",
        )
        .bind(scope.clone())
        .bind(*bucket)
        .bind(*used),
        Mend::Mailbox { id, days, next_send_at } => sqlx::query(
            "insert into mailbox (id, sending_days, last_sending_day, next_send_at, resumed_days) \
             values ($1, $2, $3, $4, $5) on conflict (id) do update set \
             sending_days = excluded.sending_days, last_sending_day = excluded.last_sending_day, \
             next_send_at = excluded.next_send_at, resumed_days = excluded.resumed_days",
        )
        .bind(id.clone())
        .bind(i64::from(days.before))
        .bind(days.last)
        .bind(next_send_at.map(|at| at.as_millisecond()))
        .bind(days.resumed.map(i64::from)),
        Mend::Recognise(way, who) => sqlx::query(
            "insert into recognised (hash, prospect_id) values ($1, $2) on conflict do nothing",
        )
        .bind(way.hash())
        .bind(who.0),
        Mend::Forget(way) => sqlx::query("delete from recognised where hash = $1").bind(way.hash()),
        Mend::Sequence { kind, next } => sqlx::query(
            "insert into sequence (kind, next) values ($1, $2) \
             on conflict (kind) do update set next = excluded.next",
        )
        .bind(kind.clone())
        .bind(*next),
    };
    query.execute(&mut **tx).await.map_err(failed("mend a row"))?;
    Ok(())
}

/// The row as its last transition has it. Who has no lane and is under way goes to the desk at once,
/// which finds the right one.
async fn enrollment(
    tx: &mut Tx,
    id: EnrollmentId,
    state: Option<TransitionRecord>,
) -> Result<(), StoreError> {
    let Some(TransitionRecord { revision, at, state, prospect, mailbox, owner, digest, .. }) =
        state
    else {
        return Ok(());
    };
    let ended_at = match &state.phase {
        Phase::Ended { at, .. } => Some(at.as_millisecond()),
        _ => None,
    };
    let begun = i64::from(state.has_begun());
    sqlx::query(
        "update enrollment set phase = $2, begun = $4, state = (select state from transition \
         where enrollment_id = $1 and revision = $3), ended_at = $5, prospect_id = $6, \
         mailbox_id = $7, owner = $8, digest = $9, \
         revision = case when revision < $3 then $3 else revision end, \
         lane_rank = case when $5 is not null then null when $4 = 1 then 0 \
             when enrolled_at / 86400000 <= 20454 then case \
               when 1000000 - score < 1 then 1 else 1000000 - score end \
             when 1000000 - score + enrolled_at / 86400000 - 20454 < 1 then 1 \
             else 1000000 - score + enrolled_at / 86400000 - 20454 end, \
         wake_at = case when $5 is not null then null else coalesce(wake_at, $10) end, \
         waiting = case when $5 is not null then null else coalesce(waiting, 'try_later') end, \
         lane = case when $5 is not null then null when lane like 'mail:%' then lane else 'desk' end \
         where id = $1",
    )
    .bind(id.0)
    .bind(state.phase.name())
    .bind(revision)
    .bind(begun)
    .bind(ended_at)
    .bind(prospect.0)
    .bind(mailbox.map(|id| id.0))
    .bind(owner.0)
    .bind(digest)
    .bind(at.as_millisecond())
    .execute(&mut **tx)
    .await
    .map_err(failed("mend an enrollment"))?;
    Ok(())
}

async fn members(
    tx: &mut Tx,
    id: EnrollmentId,
    state: Option<TransitionRecord>,
) -> Result<(), StoreError> {
    let Some(record) = state else { return Ok(()) };
    sqlx::query("delete from account_member where enrollment_id = $1")
        .bind(id.0)
        .execute(&mut **tx)
        .await
        .map_err(failed("mend the people of an account"))?;
    super::write::put_members(tx, id, &record.state).await
}

async fn milestone(tx: &mut Tx, id: EnrollmentId, row: &MilestoneRow) -> Result<(), StoreError> {
    sqlx::query(
        "insert into milestone (enrollment_id, milestone, prospect_id, touch_id, at) \
         values ($1, $2, $3, $4, $5) on conflict (enrollment_id, milestone) do update set \
         prospect_id = excluded.prospect_id, touch_id = excluded.touch_id, at = excluded.at",
    )
    .bind(id.0)
    .bind(row.milestone.clone())
    .bind(row.prospect.0)
    .bind(row.touch.0)
    .bind(row.at.as_millisecond())
    .execute(&mut **tx)
    .await
    .map_err(failed("mend a milestone"))?;
    Ok(())
}
