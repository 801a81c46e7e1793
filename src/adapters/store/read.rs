//! What is asked of the store: one statement just above its only caller.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;

use super::json::to_text;
use super::rows;
use super::set::of_rows;
use super::{Dialect, Fork, SqlStore, failed, get, query};
use crate::domain::address::EmailAddress;
use crate::domain::budget::Waiting;
use crate::domain::identity::Identity;
use crate::domain::ids::{CompanyId, ProspectId};
use crate::domain::log::Entry;
use crate::domain::suppression::{Subject, Suppression};
use crate::domain::touch::Touch;
use crate::ports::StoreError;

/// Values for one `in (…)` at most; and where each answer is short.
const CHUNK: usize = 500;
const LARGE: usize = 10_000;

const SUPPRESSIONS: Fork = of_rows!(
    "select s.* from",
    "cross join suppression s where s.kind = r.value ->> 0 and s.value = r.value ->> 1 \
     order by s.kind, s.value, s.cause"
);

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

    /// All rows of a question with two answers each, as one JSON text: a row by itself costs more
    /// than the search for it. `$1` is a list of values as in [`SqlStore::listed`].
    pub(super) async fn pairs<A: DeserializeOwned, B: DeserializeOwned>(
        &self,
        (first, second, from): (&str, &str, &str),
        values: String,
    ) -> Result<Vec<(A, B)>, StoreError> {
        let sql = match self.dialect {
            Dialect::Sqlite => {
                format!(
                    "select json_group_array(json_array({first}, {second})) as pairs from {from}"
                )
            }
            Dialect::Postgres => format!(
                "select coalesce(cast(json_agg(json_build_array({first}, {second})) as text), '[]') \
                 as pairs from {from}"
            ),
        };
        let rows = self.rows_in(sql, values).await?;
        let text: String =
            rows.first().map_or_else(|| Ok("[]".to_owned()), |row| get(row, "pairs"))?;
        super::json::from_text(&text).map_err(|value| StoreError::Unknown { what: "pairs", value })
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
        for chunk in ids.chunks(LARGE) {
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
        let from = format!("recognised where hash in {}", self.listed("bigint"));
        let mut found = BTreeMap::new();
        for chunk in keys.chunks(LARGE) {
            let hashes: Vec<i64> = chunk.iter().map(|key| key.hash()).collect();
            let pairs = self.pairs(("hash", "prospect_id", &from), to_text(&hashes)).await?;
            let pairs = pairs.into_iter();
            found.extend(pairs.map(|(hash, id)| (Identity::from_hash(hash), ProspectId(id))));
        }
        Ok(found)
    }

    pub(super) async fn read_identities_after(
        &self,
        after: Option<Identity>,
        limit: u32,
    ) -> Result<Vec<Identity>, StoreError> {
        // As one text: a million rows by themselves would take ten times as long.
        let sql = match self.dialect {
            Dialect::Sqlite => {
                "select json_group_array(hash) as hashes from \
                 (select hash from recognised where hash > $1 order by hash limit $2)"
            }
            Dialect::Postgres => {
                "select coalesce(cast(json_agg(hash) as text), '[]') as hashes from \
                 (select hash from recognised where hash > $1 order by hash limit $2) as next"
            }
        };
        let row = sqlx::query(sql)
            .bind(after.map_or(-1, Identity::hash))
            .bind(i64::from(limit))
            .fetch_one(&self.readers)
            .await
            .map_err(failed("read how people are recognised"))?;
        let text: String = get(&row, "hashes")?;
        let unreadable = |value| StoreError::Unknown { what: "hashes", value };
        let mut hashes: Vec<i64> = super::json::from_text(&text).map_err(unreadable)?;
        // An aggregate promises no order.
        hashes.sort_unstable();
        Ok(hashes.into_iter().map(Identity::from_hash).collect())
    }

    pub(super) async fn read_companies(
        &self,
        keys: &[String],
    ) -> Result<BTreeMap<String, CompanyId>, StoreError> {
        let from = format!("company where identity in {}", self.listed("text"));
        let mut found = BTreeMap::new();
        for chunk in keys.chunks(LARGE) {
            let pairs = self.pairs(("identity", "id", &from), to_text(&chunk)).await?;
            found.extend(pairs.into_iter().map(|(key, id): (String, i64)| (key, CompanyId(id))));
        }
        Ok(found)
    }

    pub(super) async fn read_suppressions(
        &self,
        subjects: &[Subject],
    ) -> Result<Vec<Suppression>, StoreError> {
        let mut found = Vec::new();
        for chunk in subjects.chunks(CHUNK) {
            let asked: Vec<_> = chunk.iter().map(|one| (one.kind(), one.value())).collect();
            let blocks = sqlx::query(self.dialect.pick(SUPPRESSIONS))
                .bind(to_text(&asked))
                .fetch_all(&self.readers)
                .await
                .map_err(failed("read"))?;
            for row in &blocks {
                found.push(rows::suppression(row)?);
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
        let keys: Vec<Identity> = addresses.iter().map(Identity::of_email).collect();
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
