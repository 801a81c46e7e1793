//! A rep's day: tasks that change hands or wait, what is taken back, and who is away.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::json::timestamp;
use super::read::ms;
use super::{SqlStore, failed, get, rows};
use crate::domain::absence::{Absence, Work};
use crate::domain::ids::{AbsenceId, ProspectId, RepId};
use crate::domain::log::Entry;
use crate::ports::{Changes, ReplyRecord, StoreError, TaskRecord};

type Tx = Transaction<'static, Any>;

/// Comes behind the closing of tasks and before new ones.
pub(super) async fn put(tx: &mut Tx, changes: &Changes) -> Result<(), StoreError> {
    for task in &changes.tasks_changed {
        change_task(tx, task, CHANGE).await?;
    }
    for task in &changes.tasks_reopened {
        change_task(tx, task, REOPEN).await?;
    }
    for touch in &changes.milestones_gone {
        sqlx::query("delete from milestone where touch_id = $1")
            .bind(touch.0)
            .execute(&mut **tx)
            .await
            .map_err(failed("take back a milestone"))?;
    }
    take_back_blocks(tx, changes).await?;
    if let Some((from, to)) = &changes.people_of {
        sqlx::query("update prospect set owner = $2 where owner = $1")
            .bind(from.0.clone())
            .bind(to.0.clone())
            .execute(&mut **tx)
            .await
            .map_err(failed("give people to another rep"))?;
    }
    for absence in &changes.absences {
        put_absence(tx, absence).await?;
    }
    for (owner, at) in &changes.woken {
        sqlx::query(
            "update enrollment set wake_at = $2 where owner = $1 and waiting = 'owner_away' \
             and lane is not null and wake_at > $2",
        )
        .bind(owner.0.clone())
        .bind(ms(*at))
        .execute(&mut **tx)
        .await
        .map_err(failed("wake who waited for a rep"))?;
    }
    Ok(())
}

const CHANGE: &str = "update task set rep = $2, expires_at = $3, wakes_at = $4, promised = $5, covers = $6 \
     where id = $1 and closed_at is null";

const REOPEN: &str = "update task set rep = $2, expires_at = $3, wakes_at = $4, promised = $5, covers = $6, \
     closed_at = null where id = $1 and closed_at is not null";

async fn change_task(tx: &mut Tx, task: &TaskRecord, sql: &'static str) -> Result<(), StoreError> {
    let done = sqlx::query(sql)
        .bind(task.id.0)
        .bind(task.rep.0.clone())
        .bind(task.expires_at.as_millisecond())
        .bind(task.wakes_at.map(|at| at.as_millisecond()))
        .bind(i64::from(task.promised))
        .bind(task.covers.as_ref().map(|rep| rep.0.clone()))
        .execute(&mut **tx)
        .await
        .map_err(failed("change a task"))?;
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Stale(task.enrollment)),
    }
}

async fn take_back_blocks(tx: &mut Tx, changes: &Changes) -> Result<(), StoreError> {
    for block in &changes.suppressions_gone {
        sqlx::query(
            "delete from suppression where kind = $1 and value = $2 and cause = $3 and source = $4 \
             and at = $5",
        )
        .bind(block.subject.kind())
        .bind(block.subject.value())
        .bind(block.cause.as_str())
        .bind(block.source.clone())
        .bind(block.at.as_millisecond())
        .execute(&mut **tx)
        .await
        .map_err(failed("take back a block"))?;
    }
    Ok(())
}

async fn put_absence(tx: &mut Tx, absence: &Absence) -> Result<(), StoreError> {
    sqlx::query(
        "insert into absence (id, rep, from_at, until_at, work, cover, noted_at, noted_by, ended_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         on conflict (id) do update set ended_at = excluded.ended_at",
    )
    .bind(absence.id.0)
    .bind(absence.rep.0.clone())
    .bind(ms(absence.from))
    .bind(ms(absence.until))
    .bind(absence.work.as_str())
    .bind(absence.work.cover().map(|rep| rep.0.clone()))
    .bind(ms(absence.noted_at))
    .bind(absence.noted_by.clone())
    .bind(absence.ended_at.map(ms))
    .execute(&mut **tx)
    .await
    .map_err(failed("note that somebody is away"))?;
    Ok(())
}

fn absence(row: &AnyRow) -> Result<Absence, StoreError> {
    let work: String = get(row, "work")?;
    let unknown = StoreError::Unknown { what: "an absence", value: work.clone() };
    Ok(Absence {
        id: AbsenceId(get(row, "id")?),
        rep: RepId(get(row, "rep")?),
        from: timestamp(get(row, "from_at")?),
        until: timestamp(get(row, "until_at")?),
        work: Work::parse(&work, get(row, "cover")?).ok_or(unknown)?,
        noted_at: timestamp(get(row, "noted_at")?),
        noted_by: get(row, "noted_by")?,
        ended_at: get::<Option<i64>>(row, "ended_at")?.map(timestamp),
    })
}

impl SqlStore {
    pub(super) async fn read_absences(&self, since: Timestamp) -> Result<Vec<Absence>, StoreError> {
        let sql = "select * from absence where until_at > $1 order by from_at, id";
        self.all_by_id(sql, ms(since), absence).await
    }

    pub(super) async fn read_deeds(
        &self,
        actor: &RepId,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let rows = sqlx::query(
            "select * from event where actor = $1 \
             and what in ('task_done', 'task_snoozed', 'task_undone') order by id desc limit $2",
        )
        .bind(actor.0.clone())
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read what somebody did"))?;
        rows.iter().map(rows::entry).collect()
    }

    pub(super) async fn read_replies_of(
        &self,
        prospect: ProspectId,
        limit: u32,
    ) -> Result<Vec<ReplyRecord>, StoreError> {
        let rows = sqlx::query(
            "select i.*, t.step_id from inbound i left join touch t on t.id = i.touch_id \
             where i.prospect_id = $1 order by i.received_at desc, i.id desc limit $2",
        )
        .bind(prospect.0)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read what somebody wrote"))?;
        rows.iter().map(rows::reply).collect()
    }
}
