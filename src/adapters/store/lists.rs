//! People, companies, lists and what imports did, many rows at a time.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::bulk::Insert;
use super::json::{self, timestamp, to_text};
use super::{Dialect, SqlStore, copy, failed, get, query, rows, undo};
use crate::domain::identity::Identity;
use crate::domain::ids::{CompanyId, ImportId, ListId, ProspectId};
use crate::domain::prospect::Prospect;
use crate::domain::suppression::Suppression;
use crate::ports::{
    Before, Changes, ColumnMap, ImportRecord, ImportRow, ImportStatus, ListRecord, StoreError,
};

type Tx = Transaction<'static, Any>;

/// Values for one `in (…)` at most.
pub(super) const CHUNK: usize = 500;

/// Writes everything about lists that a transition changes.
pub(super) async fn put(
    store: &SqlStore,
    tx: &mut Tx,
    changes: &Changes,
) -> Result<(), StoreError> {
    if let Some(undone) = &changes.undone {
        undo::take_back(store, tx, undone).await?;
    }
    for list in &changes.lists {
        put_list(tx, list).await?;
    }
    match copy::is_worth_it(store, changes) {
        true => copy::settle(tx, copy::stage(store, changes).await?).await?,
        false => put_rows(store, tx, changes).await?,
    }
    for import in &changes.imports {
        put_import(tx, import).await?;
    }
    match &changes.column_map {
        Some(map) => put_column_map(tx, map).await,
        None => Ok(()),
    }
}

async fn put_rows(store: &SqlStore, tx: &mut Tx, changes: &Changes) -> Result<(), StoreError> {
    let import = changes.imports.first().map(|import| import.id.0);
    COMPANIES
        .all(store.dialect, tx, &changes.companies, |query, company| {
            let (key, name) = (company.key.clone(), company.name.clone());
            query.bind(company.id.0).bind(key).bind(name).bind(import)
        })
        .await?;
    let made_by: BTreeMap<ProspectId, ImportId> =
        changes.import_rows.iter().map(|row| (row.prospect, row.import)).collect();
    let people: Vec<(&Prospect, Option<ImportId>)> = changes
        .prospects
        .iter()
        .map(|(prospect, _)| (prospect, made_by.get(&prospect.id).copied()))
        .collect();
    put_prospects(store.dialect, tx, &people).await?;
    let own = changes
        .prospects
        .iter()
        .flat_map(|(prospect, own)| own.iter().map(|identity| (*identity, prospect.id)));
    put_identities(store.dialect, tx, &own.collect::<Vec<_>>()).await?;
    put_identities(store.dialect, tx, &changes.recognised).await?;
    MEMBERS
        .all(store.dialect, tx, &changes.list_members, |query, (list, prospect)| {
            query.bind(list.0).bind(prospect.0).bind(import)
        })
        .await?;
    IMPORT_ROWS.all(store.dialect, tx, &changes.import_rows, bind_import_row).await
}

const COMPANIES: Insert = Insert {
    head: "insert into company (id, identity, name, import_id)",
    columns: 4,
    tail: "",
    attempted: "write a company",
};

const MEMBERS: Insert = Insert {
    head: "insert into list_member (list_id, prospect_id, import_id)",
    columns: 3,
    tail: "on conflict do nothing",
    attempted: "write a list",
};

const IMPORT_ROWS: Insert = Insert {
    head: "insert into import_row (import_id, row_number, prospect_id, before, before_company, \
           before_relationship, before_import)",
    columns: 7,
    tail: "",
    attempted: "write what an import did",
};

const PROSPECTS: Insert = Insert {
    head: "insert into prospect (id, company_id, owner, relationship, known, changed_by)",
    columns: 6,
    tail: "on conflict (id) do update set company_id = excluded.company_id, \
           owner = excluded.owner, relationship = excluded.relationship, known = excluded.known, \
           changed_by = coalesce(excluded.changed_by, prospect.changed_by)",
    attempted: "write a prospect",
};

const IDENTITIES: Insert = Insert {
    head: "insert into recognised (hash, prospect_id)",
    columns: 2,
    tail: "on conflict do nothing",
    attempted: "write an identity",
};

const SUPPRESSIONS: Insert = Insert {
    head: "insert into suppression (kind, value, cause, source, at)",
    columns: 5,
    tail: "on conflict do nothing",
    attempted: "write a suppression",
};

type Bound = sqlx::query::Query<'static, Any, sqlx::any::AnyArguments>;

fn bind_import_row(query: Bound, row: &ImportRow) -> Bound {
    let before = row.before.as_ref();
    query
        .bind(row.import.0)
        .bind(number(row.row))
        .bind(row.prospect.0)
        .bind(before.map(|before| json::known_to_text(&before.known)))
        .bind(before.and_then(|before| before.company_id.map(|id| id.0)))
        .bind(before.map(|before| rows::relationship_word(before.relationship)))
        .bind(before.and_then(|before| before.import.map(|import| import.0)))
}

pub(super) async fn put_prospects(
    dialect: Dialect,
    tx: &mut Tx,
    people: &[(&Prospect, Option<ImportId>)],
) -> Result<(), StoreError> {
    PROSPECTS
        .all(dialect, tx, people, |query, (prospect, import)| {
            query
                .bind(prospect.id.0)
                .bind(prospect.company_id.map(|id| id.0))
                .bind(prospect.owner.0.clone())
                .bind(rows::relationship_word(prospect.relationship))
                .bind(json::known_to_text(&prospect.known))
                .bind(import.map(|import| import.0))
        })
        .await
}

pub(super) async fn put_identities(
    dialect: Dialect,
    tx: &mut Tx,
    identities: &[(Identity, ProspectId)],
) -> Result<(), StoreError> {
    IDENTITIES
        .all(dialect, tx, identities, |query, (identity, prospect)| {
            query.bind(identity.hash()).bind(prospect.0)
        })
        .await
}

pub(super) async fn put_suppressions(
    dialect: Dialect,
    tx: &mut Tx,
    blocks: &[Suppression],
) -> Result<(), StoreError> {
    SUPPRESSIONS
        .all(dialect, tx, blocks, |query, block| {
            query
                .bind(block.subject.kind())
                .bind(block.subject.value())
                .bind(block.cause.as_str())
                .bind(block.source.clone())
                .bind(block.at.as_millisecond())
        })
        .await
}

async fn put_list(tx: &mut Tx, list: &ListRecord) -> Result<(), StoreError> {
    sqlx::query(
        "insert into list (id, name, digest, row_count, imported_at, report) \
         values ($1, $2, $3, $4, $5, $6) \
         on conflict (id) do update set digest = excluded.digest, row_count = excluded.row_count, \
         imported_at = excluded.imported_at, report = excluded.report",
    )
    .bind(list.id.0)
    .bind(list.name.clone())
    .bind(list.digest.clone())
    .bind(number(list.rows))
    .bind(list.imported_at.as_millisecond())
    .bind(list.report.clone())
    .execute(&mut **tx)
    .await
    .map_err(failed("write a list"))?;
    Ok(())
}

async fn put_import(tx: &mut Tx, import: &ImportRecord) -> Result<(), StoreError> {
    let finished = import.finished.as_ref();
    sqlx::query(
        "insert into import (id, name, list_id, list_name, file, digest, options, status, \
         rows_done, rows_indexed, outcomes, started_at, finished_at, report) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         on conflict (id) do update set status = excluded.status, rows_done = excluded.rows_done, \
         rows_indexed = excluded.rows_indexed, \
         outcomes = excluded.outcomes, finished_at = coalesce(excluded.finished_at, import.finished_at), \
         report = coalesce(excluded.report, import.report)",
    )
    .bind(import.id.0)
    .bind(import.name.clone())
    .bind(import.list.0)
    .bind(import.list_name.clone())
    .bind(import.file.clone())
    .bind(import.digest.clone())
    .bind(to_text(&import.options))
    .bind(import.status.as_str())
    .bind(number(import.rows_done))
    .bind(number(import.rows_indexed))
    .bind(to_text(&import.outcomes))
    .bind(import.started_at.as_millisecond())
    .bind(finished.map(|(at, _)| at.as_millisecond()))
    .bind(finished.map(|(_, report)| report.clone()))
    .execute(&mut **tx)
    .await
    .map_err(failed("write an import"))?;
    Ok(())
}

async fn put_column_map(tx: &mut Tx, map: &ColumnMap) -> Result<(), StoreError> {
    sqlx::query(
        "insert into column_map (fingerprint, columns, learned_at) values ($1, $2, $3) \
         on conflict (fingerprint) do update set columns = excluded.columns, \
         learned_at = excluded.learned_at",
    )
    .bind(map.fingerprint.clone())
    .bind(to_text(&map.columns))
    .bind(map.learned_at.as_millisecond())
    .execute(&mut **tx)
    .await
    .map_err(failed("remember how columns are read"))?;
    Ok(())
}

pub(super) fn import(row: &AnyRow) -> Result<ImportRecord, StoreError> {
    let status: String = get(row, "status")?;
    let status = ImportStatus::ALL
        .iter()
        .find(|(word, _)| *word == status)
        .map(|(_, s)| *s)
        .ok_or(StoreError::Unknown { what: "the status of an import", value: status })?;
    let finished_at: Option<i64> = get(row, "finished_at")?;
    let (options, outcomes): (String, String) = (get(row, "options")?, get(row, "outcomes")?);
    let unreadable = |value| StoreError::Unknown { what: "an import", value };
    Ok(ImportRecord {
        id: ImportId(get(row, "id")?),
        name: get(row, "name")?,
        list: ListId(get(row, "list_id")?),
        list_name: get(row, "list_name")?,
        file: get(row, "file")?,
        digest: get(row, "digest")?,
        options: json::from_text(&options).map_err(unreadable)?,
        status,
        rows_done: unsigned(get(row, "rows_done")?),
        rows_indexed: unsigned(get(row, "rows_indexed")?),
        outcomes: json::from_text(&outcomes).map_err(unreadable)?,
        started_at: timestamp(get(row, "started_at")?),
        // The report is long; who wants it asks for it.
        finished: finished_at.map(|at| (timestamp(at), String::new())),
    })
}

pub(super) fn columns(row: &AnyRow) -> Result<Vec<(String, String)>, StoreError> {
    let text: String = get(row, "columns")?;
    let unreadable = |value| StoreError::Unknown { what: "a map of columns", value };
    json::from_text(&text).map_err(unreadable)
}

fn import_row(row: &AnyRow) -> Result<ImportRow, StoreError> {
    let before: Option<String> = get(row, "before")?;
    let unreadable = |value| StoreError::Unknown { what: "a prospect", value };
    let before = match before {
        Some(text) => {
            let relationship: String = get(row, "before_relationship")?;
            Some(Before {
                known: json::known_from_text(&text).map_err(unreadable)?,
                company_id: get::<Option<i64>>(row, "before_company")?.map(CompanyId),
                relationship: rows::relationship(&relationship)?,
                import: get::<Option<i64>>(row, "before_import")?.map(ImportId),
            })
        }
        None => None,
    };
    Ok(ImportRow {
        import: ImportId(get(row, "import_id")?),
        row: unsigned(get(row, "row_number")?),
        prospect: ProspectId(get(row, "prospect_id")?),
        before,
    })
}

pub(super) fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

impl SqlStore {
    /// Databases of before kept identities as texts: they are taken over once.
    pub(super) async fn recognise_by_hash(&self) -> Result<(), StoreError> {
        loop {
            let rows = sqlx::query("select kind, value, prospect_id from identity limit 2000")
                .fetch_all(&self.writer)
                .await
                .map_err(failed("read how people were recognised"))?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut tx = self.begin().await?;
            for row in rows {
                let (kind, value): (String, String) = (get(&row, "kind")?, get(&row, "value")?);
                let prospect = ProspectId(get(&row, "prospect_id")?);
                let identity = Identity::new(&kind, &value);
                put_identities(self.dialect, &mut tx, &[(identity, prospect)]).await?;
                sqlx::query("delete from identity where kind = $1 and value = $2")
                    .bind(kind)
                    .bind(value)
                    .execute(&mut *tx)
                    .await
                    .map_err(failed("take over how people are recognised"))?;
            }
            tx.commit().await.map_err(failed("commit"))?;
        }
    }

    pub(super) async fn read_import_rows(
        &self,
        import: ImportId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ImportRow>, StoreError> {
        let found = sqlx::query(
            "select * from import_row where import_id = $1 and row_number > $2 \
             order by row_number limit $3",
        )
        .bind(import.0)
        .bind(number(after))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("read what an import did"))?;
        found.iter().map(import_row).collect()
    }

    pub(super) async fn read_people_of_rows(
        &self,
        import: ImportId,
        rows: &[u64],
    ) -> Result<BTreeMap<u64, ProspectId>, StoreError> {
        let sql = format!(
            "select row_number, prospect_id from import_row where import_id = $2 and row_number in {}",
            self.listed("bigint")
        );
        let mut found = BTreeMap::new();
        for chunk in rows.chunks(CHUNK) {
            let query = query(sql.clone()).bind(to_text(&chunk)).bind(import.0);
            let rows = query.fetch_all(&self.readers).await.map_err(failed("read an import"))?;
            for row in rows {
                let person = ProspectId(get(&row, "prospect_id")?);
                found.insert(unsigned(get(&row, "row_number")?), person);
            }
        }
        Ok(found)
    }

    pub(super) async fn read_last_imports(
        &self,
        ids: &[ProspectId],
    ) -> Result<BTreeMap<ProspectId, ImportId>, StoreError> {
        let from =
            format!("prospect where changed_by is not null and id in {}", self.listed("bigint"));
        let mut found = BTreeMap::new();
        for chunk in ids.chunks(CHUNK) {
            let ids: Vec<i64> = chunk.iter().map(|id| id.0).collect();
            let pairs = self.pairs(("id", "changed_by", &from), to_text(&ids)).await?;
            found.extend(pairs.into_iter().map(|(id, by)| (ProspectId(id), ImportId(by))));
        }
        Ok(found)
    }

    pub(super) async fn read_with_history(
        &self,
        ids: &[ProspectId],
    ) -> Result<BTreeSet<ProspectId>, StoreError> {
        let sql = format!(
            "select prospect_id from enrollment where prospect_id in {0} union \
             select prospect_id from account_member where prospect_id in {0}",
            self.listed("bigint")
        );
        let heard = format!(
            "select distinct prospect_id from event where prospect_id in {}",
            self.listed("bigint")
        );
        let mut found = BTreeSet::new();
        for sql in [sql, heard] {
            for row in self.rows_of(&sql, ids).await? {
                found.insert(ProspectId(get(&row, "prospect_id")?));
            }
        }
        Ok(found)
    }

    pub(super) async fn read_on_other_lists(
        &self,
        list: ListId,
        ids: &[ProspectId],
    ) -> Result<BTreeSet<ProspectId>, StoreError> {
        let sql = format!(
            "select prospect_id, list_id from list_member where prospect_id in {}",
            self.listed("bigint")
        );
        let mut found = BTreeSet::new();
        for row in self.rows_of(&sql, ids).await? {
            if get::<i64>(&row, "list_id")? != list.0 {
                found.insert(ProspectId(get(&row, "prospect_id")?));
            }
        }
        Ok(found)
    }

    async fn rows_of(&self, sql: &str, ids: &[ProspectId]) -> Result<Vec<AnyRow>, StoreError> {
        let mut found = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            let ids: Vec<i64> = chunk.iter().map(|id| id.0).collect();
            let query = query(sql.to_owned()).bind(to_text(&ids));
            found.extend(query.fetch_all(&self.readers).await.map_err(failed("read people"))?);
        }
        Ok(found)
    }
}
