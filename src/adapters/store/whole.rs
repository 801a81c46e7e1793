//! The database as a whole: its shape, its soundness, a snapshot of it.

use std::path::Path;

use jiff::Timestamp;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe, Row};

use super::group::Group;
use super::json::timestamp;
use super::{
    Dialect, MIGRATIONS, OpenError, SqlStore, copier, dialect_of, failed, get, open_error,
};
use crate::ports::StoreError;

pub mod transfer;

/// A table, as the database itself describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// The columns by which its rows are told apart, in their order.
    pub key: Vec<String>,
    /// Tables to whose rows its own refer.
    refers_to: Vec<String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// Otherwise it is a text.
    pub is_number: bool,
}

/// What a database weighs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    pub schema: i64,
    pub tables: Vec<(String, u64)>,
    pub bytes: u64,
    pub oldest: Option<Timestamp>,
    pub newest: Option<Timestamp>,
}

/// The schema of a database, and what this program would add to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    pub found: i64,
    pub known: i64,
    /// Names of the steps that are missing, oldest first.
    pub missing: Vec<(i64, &'static str)>,
}

/// Tables that are nobody's data.
const OTHERS: [&str; 2] = ["_sqlx_migrations", "import_staging"];

impl SqlStore {
    /// Opens a database as it is, whatever its schema, only to look at it as a whole.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn open_as_it_is(url: &str) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let dialect = dialect_of(url)?;
        let url = match dialect {
            Dialect::Sqlite => format!("{url}?mode=ro"),
            Dialect::Postgres => url.to_owned(),
        };
        let options = AnyPoolOptions::new().max_connections(2);
        let pool: AnyPool = options.connect(&url).await.map_err(open_error)?;
        let copier = match dialect {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(copier(&url)?),
        };
        let (writer, readers, ids) = (pool.clone(), pool, Default::default());
        Ok(Self { dialect, writer, readers, ids, group: Group::default(), copier })
    }

    async fn texts(&self, sql: impl Into<String>) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query(AssertSqlSafe(sql.into()));
        let rows = query.fetch_all(&self.readers).await.map_err(failed("read the schema"))?;
        rows.iter().map(|row| row.try_get(0).map_err(failed("read the schema"))).collect()
    }

    /// Which steps of the schema it has.
    ///
    /// # Errors
    /// It is no database of this program.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        let sql = "select cast(version as text) as v from _sqlx_migrations order by version";
        let applied: Vec<i64> =
            self.texts(sql).await?.iter().filter_map(|version| version.parse().ok()).collect();
        let known = MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or(0);
        let missing = MIGRATIONS.iter().filter(|(version, ..)| !applied.contains(version));
        let missing = missing.map(|(version, name, _)| (*version, *name)).collect();
        Ok(Schema { found: applied.last().copied().unwrap_or(0), known, missing })
    }

    /// Its tables, each behind those to whose rows its own refer.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn tables(&self) -> Result<Vec<Table>, StoreError> {
        let mut tables = Vec::new();
        for name in self.texts(TABLES[usize::from(self.dialect == Dialect::Postgres)]).await? {
            if !OTHERS.contains(&name.as_str()) {
                tables.push(self.table(name).await?);
            }
        }
        Ok(in_order(tables))
    }

    async fn table(&self, name: String) -> Result<Table, StoreError> {
        let [columns, key, refers_to] = match self.dialect {
            Dialect::Sqlite => [
                format!(
                    "select lower(name || ' ' || type) from pragma_table_info('{name}') order by cid"
                ),
                format!("select name from pragma_table_info('{name}') where pk > 0 order by pk"),
                format!("select distinct \"table\" from pragma_foreign_key_list('{name}')"),
            ],
            Dialect::Postgres => [
                format!(
                    "select cast(column_name || ' ' || data_type as text) from information_schema.columns \
                     where table_schema = current_schema() and table_name = '{name}' \
                     order by ordinal_position"
                ),
                format!(
                    "select cast(a.attname as text) from pg_index i \
                     cross join lateral unnest(i.indkey) with ordinality as k (n, place) \
                     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.n \
                     where i.indrelid = to_regclass('{name}') and i.indisprimary order by k.place"
                ),
                format!(
                    "select distinct cast(f.relname as text) from pg_constraint c \
                     join pg_class f on f.oid = c.confrelid \
                     where c.contype = 'f' and c.conrelid = to_regclass('{name}')"
                ),
            ],
        };
        let column = |text: String| {
            let (name, kind) = text.split_once(' ').unwrap_or((&text, "text"));
            Column { name: name.to_owned(), is_number: kind.contains("int") }
        };
        Ok(Table {
            columns: self.texts(columns).await?.into_iter().map(column).collect(),
            key: self.texts(key).await?,
            refers_to: self.texts(refers_to).await?,
            name,
        })
    }

    /// How many rows each table has, and from when to when its log goes.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        let mut stats = Stats { schema: self.schema().await?.found, ..Stats::default() };
        for table in self.tables().await? {
            let n = self.rows_of_table(&table.name).await?;
            stats.tables.push((table.name, n));
        }
        stats.tables.sort();
        let size = match self.dialect {
            Dialect::Sqlite => {
                "select cast(p.page_count * s.page_size as text) \
                 from pragma_page_count() p, pragma_page_size() s"
            }
            Dialect::Postgres => "select cast(pg_database_size(current_database()) as text)",
        };
        let size = self.texts(size).await?;
        stats.bytes = size.first().and_then(|n| n.parse().ok()).unwrap_or(0);
        let row = sqlx::query("select min(at) as first, max(at) as last from event")
            .fetch_one(&self.readers)
            .await
            .map_err(failed("read the log"))?;
        stats.oldest = get::<Option<i64>>(&row, "first")?.map(timestamp);
        stats.newest = get::<Option<i64>>(&row, "last")?.map(timestamp);
        Ok(stats)
    }

    async fn rows_of_table(&self, table: &str) -> Result<u64, StoreError> {
        let n = self.texts(format!("select cast(count(*) as text) from {table}")).await?;
        Ok(n.first().and_then(|n| n.parse().ok()).unwrap_or(0))
    }

    /// What the database itself finds wrong with its file and its references. PostgreSQL holds
    /// references by itself, and is not asked.
    ///
    /// # Errors
    /// The database could not be read at all.
    pub async fn unsound(&self) -> Result<Vec<String>, StoreError> {
        if self.dialect == Dialect::Postgres {
            return Ok(Vec::new());
        }
        let found = self.texts("pragma integrity_check(50)").await?;
        let mut found: Vec<String> = found.into_iter().filter(|line| line != "ok").collect();
        let keys = "select f.\"table\" || ' ' || coalesce(f.rowid, '') || ' refers to a row of ' \
             || f.parent || ' that is not there' from pragma_foreign_key_check() f limit 50";
        found.extend(self.texts(keys).await?);
        Ok(found)
    }

    /// Writes all of it, as it is now, into a new file; only SQLite can.
    ///
    /// # Errors
    /// The file could not be written.
    pub async fn snapshot(&self, file: &Path) -> Result<(), StoreError> {
        let name = file.display().to_string().replace('\'', "''");
        sqlx::query(AssertSqlSafe(format!("vacuum into '{name}'")))
            .execute(&self.readers)
            .await
            .map_err(failed("write the copy"))?;
        Ok(())
    }

    /// Brings what is beside the database's file into it; whether nobody else had it open.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn settle_file(&self) -> Result<bool, StoreError> {
        let row = sqlx::query("pragma wal_checkpoint(truncate)")
            .fetch_one(&self.writer)
            .await
            .map_err(failed("settle the file"))?;
        let busy: i64 = row.try_get(0).map_err(failed("settle the file"))?;
        Ok(busy == 0)
    }
}

const TABLES: [&str; 2] = [
    "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name",
    "select cast(tablename as text) from pg_tables where schemaname = current_schema() \
     order by tablename",
];

/// Each table behind those to whose rows its own refer.
fn in_order(mut tables: Vec<Table>) -> Vec<Table> {
    let mut sorted: Vec<Table> = Vec::new();
    while !tables.is_empty() {
        let is_there = |name: &String| sorted.iter().any(|table| table.name == *name);
        let is_ready = |table: &Table| {
            table.refers_to.iter().all(|other| is_there(other) || *other == table.name)
        };
        // References never go in a circle here; if they did, the database would say so.
        let at = tables.iter().position(is_ready).unwrap_or(0);
        sorted.push(tables.remove(at));
    }
    sorted
}
