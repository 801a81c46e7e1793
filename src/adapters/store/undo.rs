//! How what an import did is taken back.

use sqlx::{Any, Transaction};

use super::json::to_text;
use super::lists::{CHUNK, number, put_identities, put_prospects};
use super::{SqlStore, failed, query};
use crate::domain::identity::Identity;
use crate::domain::ids::{ImportId, ProspectId};
use crate::domain::prospect::Prospect;
use crate::ports::{StoreError, Undone};

type Tx = Transaction<'static, Any>;

pub(super) async fn take_back(
    store: &SqlStore,
    tx: &mut Tx,
    undone: &Undone,
) -> Result<(), StoreError> {
    let gone: Vec<i64> = undone.removed.iter().map(|id| id.0).collect();
    let forgotten: Vec<i64> = undone.forgotten.iter().map(|way| way.hash()).collect();
    store.delete_in(tx, ("recognised where hash", "bigint"), &forgotten).await?;
    store.delete_in(tx, ("list_member where prospect_id", "bigint"), &gone).await?;
    // Whoever is as before is not to be taken in either.
    let as_before = undone.restored.iter().map(|(person, ..)| person.id.0);
    let waiting: Vec<i64> = gone.iter().copied().chain(as_before).collect();
    store.delete_in(tx, ("waiting_to_start where prospect_id", "bigint"), &waiting).await?;
    store.delete_in(tx, ("suppression where kind = 'person' and value", "text"), &gone).await?;
    store.delete_in(tx, ("prospect where id", "bigint"), &gone).await?;
    let people: Vec<(&Prospect, Option<ImportId>)> =
        undone.restored.iter().map(|(person, _, import)| (person, *import)).collect();
    put_prospects(store.dialect, tx, &people).await?;
    for (person, _, import) in &undone.restored {
        sqlx::query("update prospect set changed_by = $2 where id = $1")
            .bind(person.id.0)
            .bind(import.map(|import| import.0))
            .execute(&mut **tx)
            .await
            .map_err(failed("restore a prospect"))?;
    }
    let identities: Vec<(Identity, ProspectId)> = undone
        .restored
        .iter()
        .flat_map(|(person, own, _)| own.iter().map(|identity| (*identity, person.id)))
        .collect();
    put_identities(store.dialect, tx, &identities).await?;
    for row in &undone.rows {
        sqlx::query("delete from import_row where import_id = $1 and row_number = $2")
            .bind(undone.import.0)
            .bind(number(*row))
            .execute(&mut **tx)
            .await
            .map_err(failed("take back a row"))?;
    }
    if undone.finished { tidy_up(tx, undone).await } else { Ok(()) }
}

/// What only the import had needed. Whoever was kept keeps everything.
async fn tidy_up(tx: &mut Tx, undone: &Undone) -> Result<(), StoreError> {
    sqlx::query(
        "delete from list_member where list_id = $1 and import_id = $2 and prospect_id not in \
         (select prospect_id from import_row where import_id = $2)",
    )
    .bind(undone.list.0)
    .bind(undone.import.0)
    .execute(&mut **tx)
    .await
    .map_err(failed("tidy a list up"))?;
    sqlx::query(
        "delete from company where import_id = $1 and id not in \
         (select company_id from prospect where company_id is not null) and id not in \
         (select company_id from enrollment where company_id is not null)",
    )
    .bind(undone.import.0)
    .execute(&mut **tx)
    .await
    .map_err(failed("remove companies"))?;
    sqlx::query(
        "delete from list where id = $1 and not exists \
         (select 1 from list_member where list_id = $1)",
    )
    .bind(undone.list.0)
    .execute(&mut **tx)
    .await
    .map_err(failed("remove a list"))?;
    Ok(())
}

impl SqlStore {
    /// `rest` ends before `in (…)`; the ids are compared as `cast`.
    async fn delete_in(
        &self,
        tx: &mut Tx,
        (rest, cast): (&'static str, &'static str),
        ids: &[i64],
    ) -> Result<(), StoreError> {
        for chunk in ids.chunks(CHUNK) {
            let sql = format!("delete from {rest} in {}", self.listed(cast));
            let query = query(sql).bind(to_text(&chunk));
            query.execute(&mut **tx).await.map_err(failed("remove people"))?;
        }
        Ok(())
    }
}
