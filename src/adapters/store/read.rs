//! What is asked of the store: one statement just above its only caller.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::json::to_text;
use super::rows;
use super::{Dialect, SqlStore, failed, get, query};
use crate::domain::address::EmailAddress;
use crate::domain::budget::Waiting;
use crate::domain::ids::{CompanyId, ProspectId};
use crate::domain::log::Entry;
use crate::domain::suppression::{Subject, Suppression};
use crate::domain::touch::Touch;
use crate::ports::{Identity, StoreError};

/// Values for one `in (…)` at most.
const CHUNK: usize = 500;

impl SqlStore {
    /// The rows of a list of values that came as one JSON text in `$1`: the only way to say `in (…)`
    /// with one constant text on both databases.
    pub(super) fn listed(&self, cast: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => format!("(select cast(value as {cast}) from json_each($1))"),
            Dialect::Postgres => {
                format!(
                    "(select cast(value as {cast}) from json_array_elements_text(cast($1 as json)))"
                )
            }
        }
    }

    /// All rows of a statement without parameters.
    pub(super) async fn all<T>(
        &self,
        sql: &'static str,
        convert: fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = sqlx::query(sql).fetch_all(&self.readers).await.map_err(failed("read"))?;
        rows.iter().map(convert).collect()
    }

    /// All rows of a statement with one number.
    pub(super) async fn all_by_id<T>(
        &self,
        sql: &'static str,
        id: i64,
        convert: fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let query = sqlx::query(sql).bind(id);
        let rows = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
        rows.iter().map(convert).collect()
    }

    /// All rows of a statement with one text.
    pub(super) async fn all_by_text<T>(
        &self,
        sql: &'static str,
        text: &str,
        convert: fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let query = sqlx::query(sql).bind(text.to_owned());
        let rows = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
        rows.iter().map(convert).collect()
    }

    async fn rows_in(&self, sql: String, values: String) -> Result<Vec<AnyRow>, StoreError> {
        query(sql).bind(values).fetch_all(&self.readers).await.map_err(failed("read"))
    }

    pub(super) async fn read_prospects(
        &self,
        ids: &[ProspectId],
    ) -> Result<Vec<crate::domain::prospect::Prospect>, StoreError> {
        let sql =
            format!("select * from prospect where id in {} order by id", self.listed("bigint"));
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let values: Vec<i64> = chunk.iter().map(|id| id.0).collect();
            for row in self.rows_in(sql.clone(), to_text(&values)).await? {
                found.push(rows::prospect(&row)?);
            }
        }
        Ok(found)
    }

    pub(super) async fn read_identities(
        &self,
        keys: &[Identity],
    ) -> Result<BTreeMap<Identity, ProspectId>, StoreError> {
        let sql = format!(
            "select value, prospect_id from identity where kind = $2 and value in {}",
            self.listed("text")
        );
        let mut by_kind: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
        for key in keys {
            by_kind.entry(key.kind).or_default().push(&key.value);
        }
        let mut found = BTreeMap::new();
        for (kind, values) in by_kind {
            for chunk in values.chunks(CHUNK) {
                let query = query(sql.clone()).bind(to_text(&chunk)).bind(kind);
                let rows = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
                for row in rows {
                    let identity = Identity { kind, value: get(&row, "value")? };
                    found.insert(identity, ProspectId(get(&row, "prospect_id")?));
                }
            }
        }
        Ok(found)
    }

    pub(super) async fn read_companies(
        &self,
        keys: &[String],
    ) -> Result<BTreeMap<String, CompanyId>, StoreError> {
        let sql =
            format!("select id, identity from company where identity in {}", self.listed("text"));
        let mut found = BTreeMap::new();
        for chunk in keys.chunks(CHUNK) {
            for row in self.rows_in(sql.clone(), to_text(&chunk)).await? {
                found.insert(get(&row, "identity")?, CompanyId(get(&row, "id")?));
            }
        }
        Ok(found)
    }

    pub(super) async fn read_suppressions(
        &self,
        subjects: &[Subject],
    ) -> Result<Vec<Suppression>, StoreError> {
        let sql = format!(
            "select * from suppression where kind = $2 and value in {}",
            self.listed("text")
        );
        let mut by_kind: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for subject in subjects {
            by_kind.entry(subject.kind()).or_default().push(subject.value());
        }
        let mut found = Vec::new();
        for (kind, values) in by_kind {
            for chunk in values.chunks(CHUNK) {
                let query = query(sql.clone()).bind(to_text(&chunk)).bind(kind);
                let blocks = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
                for row in blocks {
                    found.push(rows::suppression(&row)?);
                }
            }
        }
        Ok(found)
    }

    pub(super) async fn read_touch_by_message_id(
        &self,
        ids: &[String],
    ) -> Result<Option<Touch>, StoreError> {
        let sql = format!("select * from touch where message_id in {}", self.listed("text"));
        let ids = ids.get(..ids.len().min(CHUNK)).unwrap_or_default();
        let rows = self.rows_in(sql, to_text(&ids)).await?;
        let touches: Vec<Touch> = rows.iter().map(rows::touch).collect::<Result<_, _>>()?;
        let position = |touch: &Touch| {
            let id = touch.mail.as_ref().map(|mail| &mail.message_id);
            ids.iter().position(|wanted| Some(wanted) == id)
        };
        Ok(touches.into_iter().min_by_key(|touch| position(touch).unwrap_or(usize::MAX)))
    }

    pub(super) async fn read_prospects_by_email(
        &self,
        addresses: &[EmailAddress],
    ) -> Result<Vec<ProspectId>, StoreError> {
        let keys: Vec<Identity> = addresses
            .iter()
            .map(|address| Identity { kind: "email", value: address.canonical() })
            .collect();
        let found = self.read_identities(&keys).await?;
        let mut ids: Vec<ProspectId> =
            keys.iter().filter_map(|key| found.get(key).copied()).collect();
        ids.dedup();
        Ok(ids)
    }

    pub(super) async fn read_log_after(
        &self,
        id: i64,
        limit: u32,
    ) -> Result<(Vec<Entry>, i64), StoreError> {
        let rows = sqlx::query("select * from event where id > $1 order by id limit $2")
            .bind(id)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read the log"))?;
        let last = rows.last().map_or(Ok(id), |row| get(row, "id"))?;
        let entries = rows.iter().map(rows::entry).collect::<Result<_, _>>()?;
        Ok((entries, last))
    }

    pub(super) async fn read_census(
        &self,
    ) -> Result<Vec<(String, Option<Waiting>, u64)>, StoreError> {
        let rows = sqlx::query(
            "select phase, waiting, count(*) as n from enrollment group by phase, waiting \
             order by phase, waiting",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(failed("count the enrollments"))?;
        let line = |row| {
            let waiting: Option<String> = get(row, "waiting")?;
            let waiting = waiting.map(|word| rows::waiting(&word)).transpose()?;
            Ok((get(row, "phase")?, waiting, u64::try_from(get::<i64>(row, "n")?).unwrap_or(0)))
        };
        rows.iter().map(line).collect()
    }
}

/// Milliseconds of an instant, for SQL.
pub(super) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}
