//! Events that were told, and people who wait to be taken in.

use sqlx::{Any, Transaction};

use super::{SqlStore, failed, get, json};
use crate::domain::ids::{CadenceId, ProspectId};
use crate::ports::{Changes, Start, StoreError, ToldEvent};

type Tx = Transaction<'static, Any>;

/// Comes before everything that must not be done twice.
pub(super) async fn put(tx: &mut Tx, changes: &Changes) -> Result<(), StoreError> {
    if let Some(told) = &changes.told {
        put_told(tx, told).await?;
    }
    for start in &changes.starts {
        put_start(tx, start).await?;
    }
    for start in &changes.started {
        end_wait(tx, start).await?;
    }
    Ok(())
}

async fn put_told(tx: &mut Tx, told: &ToldEvent) -> Result<(), StoreError> {
    let done = sqlx::query(
        "insert into told_event (key, name, prospect_id, told_at) values ($1, $2, $3, $4) \
         on conflict (key) do nothing",
    )
    .bind(told.key.clone())
    .bind(told.name.clone())
    .bind(told.prospect.0)
    .bind(told.told_at.as_millisecond())
    .execute(&mut **tx)
    .await
    .map_err(failed("note an event"))?;
    match done.rows_affected() {
        0 => Err(StoreError::Taken(format!("event `{}`", told.key))),
        _ => Ok(()),
    }
}

async fn put_start(tx: &mut Tx, start: &Start) -> Result<(), StoreError> {
    sqlx::query(
        "insert into waiting_to_start (cadence_id, prospect_id) values ($1, $2) \
         on conflict (cadence_id, prospect_id) do nothing",
    )
    .bind(start.cadence.0.clone())
    .bind(start.prospect.0)
    .execute(&mut **tx)
    .await
    .map_err(failed("note who is to be taken in"))?;
    Ok(())
}

async fn end_wait(tx: &mut Tx, start: &Start) -> Result<(), StoreError> {
    let done =
        sqlx::query("delete from waiting_to_start where cadence_id = $1 and prospect_id = $2")
            .bind(start.cadence.0.clone())
            .bind(start.prospect.0)
            .execute(&mut **tx)
            .await
            .map_err(failed("note who was taken in"))?;
    match done.rows_affected() {
        0 => Err(StoreError::Taken(format!("taking in prospect {}", start.prospect))),
        _ => Ok(()),
    }
}

impl SqlStore {
    pub(super) async fn read_told_event(&self, key: &str) -> Result<Option<ToldEvent>, StoreError> {
        let row = sqlx::query("select name, prospect_id, told_at from told_event where key = $1")
            .bind(key.to_owned())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an event"))?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ToldEvent {
            key: key.to_owned(),
            name: get(&row, "name")?,
            prospect: ProspectId(get(&row, "prospect_id")?),
            told_at: json::timestamp(get(&row, "told_at")?),
        }))
    }

    pub(super) async fn read_waiting_to_start(&self, limit: u32) -> Result<Vec<Start>, StoreError> {
        let rows = sqlx::query(
            "select cadence_id, prospect_id from waiting_to_start \
             order by cadence_id, prospect_id limit $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read who is to be taken in"))?;
        let start = |row| {
            let (cadence, prospect) =
                (CadenceId(get(row, "cadence_id")?), get(row, "prospect_id")?);
            Ok(Start { cadence, prospect: ProspectId(prospect) })
        };
        rows.iter().map(start).collect()
    }
}
