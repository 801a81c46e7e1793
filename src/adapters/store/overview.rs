//! Counts over everybody under way: what the board shows, and what `why` holds a person against.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::json::timestamp;
use super::{Fork, SqlStore, failed, get, intend, reps, rows};
use crate::domain::budget::{Cap, Quota, QuotaUsed, Used};
use crate::domain::ids::{CadenceId, CompanyId, EnrollmentId, RepId, StepId};
use crate::ports::{BoardLine, StoreError};

/// The step that a phase is about, or how it ended, out of the state as it is stored.
const BOARD: Fork = Fork {
    sqlite: "select cadence_id, phase, coalesce(waiting, '') as waiting, \
             coalesce(json_extract(state, '$.phase.' || phase || '.step'), \
             json_extract(state, '$.phase.ended.ending'), '') as about, \
             case when wake_at <= $1 then 1 else 0 end as due, count(*) as n, \
             min(wake_at) as at, max(begun) as begun from enrollment group by 1, 2, 3, 4, 5, begun \
             order by 1, 2, 3, 4, 5, begun",
    postgres: "select cadence_id, phase, coalesce(waiting, '') as waiting, \
               coalesce(cast(state as json) -> 'phase' -> phase ->> 'step', \
               cast(state as json) -> 'phase' -> 'ended' ->> 'ending', '') as about, \
               case when wake_at <= $1 then 1 else 0 end as due, count(*) as n, \
               min(wake_at) as at, max(begun) as begun from enrollment group by 1, 2, 3, 4, 5, begun \
               order by 1, 2, 3, 4, 5, begun",
};

impl SqlStore {
    pub(super) async fn read_board(&self, until: Timestamp) -> Result<Vec<BoardLine>, StoreError> {
        let rows = sqlx::query(self.dialect.pick(BOARD))
            .bind(until.as_millisecond())
            .fetch_all(&self.readers)
            .await
            .map_err(failed("count who is where"))?;
        rows.iter().map(board_line).collect()
    }

    pub(super) async fn read_done_by_step(
        &self,
    ) -> Result<Vec<(CadenceId, StepId, u64)>, StoreError> {
        let sql = "select e.cadence_id, t.step_id, count(*) as n \
             from touch t join enrollment e on e.id = t.enrollment_id \
             where t.status in ('sent', 'assumed_sent', 'done') \
             group by e.cadence_id, t.step_id order by e.cadence_id, t.step_id";
        let line = |row: &AnyRow| {
            let (cadence, step) = (get(row, "cadence_id")?, get(row, "step_id")?);
            Ok((CadenceId(cadence), StepId(step), whole(row)?))
        };
        self.all(sql, line).await
    }

    pub(super) async fn read_used(
        &self,
        cap: &Cap,
        now: Timestamp,
    ) -> Result<Vec<Used>, StoreError> {
        intend::used(&self.readers, cap, now).await
    }

    pub(super) async fn count_begun_at(
        &self,
        company: CompanyId,
        except: EnrollmentId,
    ) -> Result<u64, StoreError> {
        intend::begun_at(&self.readers, company, except).await
    }

    pub(super) async fn read_quota(
        &self,
        quota: &Quota,
        now: Timestamp,
    ) -> Result<QuotaUsed, StoreError> {
        let open = reps::open(&self.readers, quota).await?;
        Ok(QuotaUsed { open, done: reps::done(&self.readers, quota, now).await? })
    }

    pub(super) async fn count_begun_of(
        &self,
        owner: &RepId,
        except: EnrollmentId,
        most: u32,
    ) -> Result<u64, StoreError> {
        reps::begun_of(&self.readers, owner, except, most).await
    }
}

fn whole(row: &AnyRow) -> Result<u64, StoreError> {
    Ok(u64::try_from(get::<i64>(row, "n")?).unwrap_or(0))
}

fn board_line(row: &AnyRow) -> Result<BoardLine, StoreError> {
    let waiting: String = get(row, "waiting")?;
    let waiting = match waiting.as_str() {
        "" => None,
        word => Some(rows::waiting(word)?),
    };
    Ok(BoardLine {
        cadence: CadenceId(get(row, "cadence_id")?),
        phase: get(row, "phase")?,
        about: get(row, "about")?,
        begun: get::<i64>(row, "begun")? == 1,
        waiting,
        due: get::<i64>(row, "due")? == 1,
        people: whole(row)?,
        first_at: get::<Option<i64>>(row, "at")?.map(timestamp),
    })
}
