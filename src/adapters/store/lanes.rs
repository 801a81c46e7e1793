//! What is due in a lane, at a price that does not depend on how many wait there.
//!
//! A lane is read in the order of `enrollment_due`: rank, then time. With one statement for all ranks a
//! database walks over everybody who waits, or sorts everybody who is due; so it is first asked which
//! ranks have somebody who is due (two searches for each rank that exists), and then for those people.

use super::{SqlStore, failed, get, rows};
use crate::domain::ids::EnrollmentId;
use crate::ports::{EnrollmentRecord, StoreError};

/// Steps from rank to rank in the index: there are as many as there are different scores.
const RANKS: &str = "with recursive ranks(lane_rank) as ( \
       select min(lane_rank) from enrollment where lane = $1 and lane is not null \
       union all \
       select (select min(e.lane_rank) from enrollment e \
               where e.lane = $1 and e.lane is not null and e.lane_rank > ranks.lane_rank) \
       from ranks where ranks.lane_rank is not null) \
     select ranks.lane_rank from ranks where ranks.lane_rank is not null and exists ( \
       select 1 from enrollment e where e.lane = $1 and e.lane is not null \
       and e.lane_rank = ranks.lane_rank and e.wake_at <= $2) \
     order by ranks.lane_rank limit $3";

const OF_RANK: &str = "select id from enrollment where lane = $1 and lane is not null \
     and lane_rank = $4 and wake_at <= $2 order by wake_at, id limit $3";

/// Steps from lane to lane in the same way.
const LANES: &str = "with recursive lanes(lane) as ( \
       select min(lane) from enrollment where lane is not null \
       union all \
       select (select min(e.lane) from enrollment e where e.lane is not null and e.lane > lanes.lane) \
       from lanes where lanes.lane is not null) \
     select lane from lanes where lane is not null";

impl SqlStore {
    pub(super) async fn read_due(
        &self,
        lane: &str,
        now: i64,
        limit: i64,
    ) -> Result<Vec<EnrollmentId>, StoreError> {
        let mut due = Vec::new();
        let mut left = limit;
        for rank in self.ranks_with_due(lane, now, limit).await? {
            let found = self.due_of_rank(lane, now, left, rank).await?;
            left -= i64::try_from(found.len()).unwrap_or(left);
            due.extend(found);
            if left <= 0 {
                break;
            }
        }
        Ok(due)
    }

    async fn ranks_with_due(
        &self,
        lane: &str,
        now: i64,
        limit: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let ranks = sqlx::query(RANKS).bind(lane.to_owned()).bind(now).bind(limit);
        let ranks = ranks.fetch_all(&self.readers).await.map_err(failed("find what is due"))?;
        ranks.iter().map(|row| get(row, "lane_rank")).collect()
    }

    async fn due_of_rank(
        &self,
        lane: &str,
        now: i64,
        limit: i64,
        rank: i64,
    ) -> Result<Vec<EnrollmentId>, StoreError> {
        let due = sqlx::query(OF_RANK).bind(lane.to_owned()).bind(now).bind(limit).bind(rank);
        let due = due.fetch_all(&self.readers).await.map_err(failed("find what is due"))?;
        due.iter().map(|row| Ok(EnrollmentId(get(row, "id")?))).collect()
    }

    /// Those who wait for a mailbox whose lane is none of these.
    pub(super) async fn read_outside(
        &self,
        known: &[String],
    ) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let lanes: Vec<String> = self.all(LANES, |row| get(row, "lane")).await?;
        let gone = |lane: &&String| lane.starts_with("mail:") && !known.contains(lane);
        let mut found = Vec::new();
        let sql = "select * from enrollment where lane = $1 and lane is not null order by id";
        for lane in lanes.iter().filter(gone) {
            found.extend(self.all_by_text(sql, lane, rows::enrollment).await?);
        }
        found.sort_by_key(|record| record.id);
        Ok(found)
    }
}
