//! All rows of one database into another, page by page, and the proof that they arrived.

use sha2::{Digest, Sha256};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};
use thiserror::Error;

use super::{SqlStore, Table};
use crate::adapters::store::{Dialect, failed};
use crate::ports::StoreError;

type Tx = Transaction<'static, Any>;

/// Rows that are read at a time, and parameters of one statement at most.
const ROWS: usize = 1_000;
const PARAMETERS: usize = 2_400;

/// Tables whose rows a database makes by itself when it is opened.
const OWN: [&str; 3] = ["meta", "sequence", "lease"];

/// Why nothing was copied.
#[derive(Debug, Error)]
pub enum TransferError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its rows would be lost, or mixed with the others.
    #[error("the target is not empty: its table `{table}` has rows. Give a new database")]
    NotEmpty { table: String },
    /// The two do not have the same tables or columns.
    #[error("table `{table}` is not the same in both databases")]
    OtherShape { table: String },
    /// PostgreSQL cannot hold such a text.
    #[error("{table} {row}: column `{column}` holds a zero byte, which PostgreSQL cannot store")]
    ZeroByte { table: String, row: String, column: String },
    /// What arrived is not what left.
    #[error("table `{table}` did not arrive as it left: {left} rows left, {arrived} arrived")]
    Differs { table: String, left: u64, arrived: u64 },
}

/// A table that was copied: how many rows, and the sum over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub table: String,
    pub rows: u64,
    pub checksum: String,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Number(Option<i64>),
    Text(Option<String>),
}

/// Copies everything in one transaction; then both sides are read again and compared.
///
/// # Errors
/// See [`TransferError`]; the target is then as it was, but where the comparison fails.
pub async fn copy(
    source: &SqlStore,
    target: &SqlStore,
    listener: &mut (dyn FnMut(&str, u64) + Send),
) -> Result<Vec<Copied>, TransferError> {
    let tables = source.tables().await?;
    let there = target.tables().await?;
    for table in &tables {
        let same = there.iter().find(|other| other.name == table.name);
        if same.is_none_or(|same| same.columns != table.columns || same.key != table.key) {
            return Err(TransferError::OtherShape { table: table.name.clone() });
        }
    }
    let mut from = begin_to_read(source).await?;
    let mut into = target.begin().await?;
    empty(&there, &mut into).await?;
    let mut copied = Vec::new();
    for table in &tables {
        let mut sum = Sum::default();
        let mut pages = Pages::new(table);
        while let Some(rows) = pages.next(&mut from).await? {
            rows.iter().for_each(|row| sum.add(row));
            if target.dialect == Dialect::Postgres {
                no_zero_bytes(table, &rows)?;
            }
            insert(target.dialect, &mut into, table, &rows).await?;
            listener(&table.name, sum.rows);
        }
        copied.push(sum.of(table));
    }
    into.commit().await.map_err(failed("commit"))?;
    compare(&copied, target, &tables).await?;
    Ok(copied)
}

async fn begin_to_read(store: &SqlStore) -> Result<Tx, StoreError> {
    let begun = match store.dialect {
        Dialect::Sqlite => store.readers.begin().await,
        Dialect::Postgres => {
            store.readers.begin_with("begin isolation level repeatable read read only").await
        }
    };
    begun.map_err(failed("begin to read"))
}

/// The rows of a whole database, table by table.
///
/// # Errors
/// The database could not be read.
pub async fn sums(store: &SqlStore) -> Result<Vec<Copied>, StoreError> {
    let tables = store.tables().await?;
    let mut from = begin_to_read(store).await?;
    let mut all = Vec::new();
    for table in &tables {
        let (mut sum, mut pages) = (Sum::default(), Pages::new(table));
        while let Some(rows) = pages.next(&mut from).await? {
            rows.iter().for_each(|row| sum.add(row));
        }
        all.push(sum.of(table));
    }
    Ok(all)
}

async fn compare(
    copied: &[Copied],
    target: &SqlStore,
    tables: &[Table],
) -> Result<(), TransferError> {
    let arrived = sums(target).await?;
    for (left, table) in copied.iter().zip(tables) {
        let there = arrived.iter().find(|there| there.table == table.name);
        if there != Some(left) {
            let (table, arrived) = (table.name.clone(), there.map_or(0, |there| there.rows));
            return Err(TransferError::Differs { table, left: left.rows, arrived });
        }
    }
    Ok(())
}

/// Nothing may be there but what a database makes by itself.
async fn empty(tables: &[Table], into: &mut Tx) -> Result<(), TransferError> {
    for table in tables.iter().rev() {
        let own = OWN.contains(&table.name.as_str());
        let sql = match own {
            true => format!("delete from {}", table.name),
            false => format!("select 1 as n from {} limit 1", table.name),
        };
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&mut **into)
            .await
            .map_err(failed("look at the target"))?;
        if !own && !rows.is_empty() {
            return Err(TransferError::NotEmpty { table: table.name.clone() });
        }
    }
    Ok(())
}

fn no_zero_bytes(table: &Table, rows: &[Vec<Value>]) -> Result<(), TransferError> {
    for row in rows {
        for (column, value) in table.columns.iter().zip(row) {
            if matches!(value, Value::Text(Some(text)) if text.contains('\0')) {
                return Err(TransferError::ZeroByte {
                    table: table.name.clone(),
                    row: named(table, row),
                    column: column.name.clone(),
                });
            }
        }
    }
    Ok(())
}

/// The key of a row.
fn named(table: &Table, row: &[Value]) -> String {
    let key = table.columns.iter().zip(row).filter(|(column, _)| table.key.contains(&column.name));
    let shown = key.map(|(_, value)| match value {
        Value::Number(number) => number.map_or_else(String::new, |number| number.to_string()),
        Value::Text(text) => text.clone().unwrap_or_default(),
    });
    shown.collect::<Vec<_>>().join("/")
}

/// The rows of a table in the order of its key.
struct Pages<'a> {
    table: &'a Table,
    last: Option<Vec<Value>>,
    is_over: bool,
}

impl<'a> Pages<'a> {
    fn new(table: &'a Table) -> Self {
        Self { table, last: None, is_over: false }
    }

    async fn next(&mut self, from: &mut Tx) -> Result<Option<Vec<Vec<Value>>>, StoreError> {
        if self.is_over {
            return Ok(None);
        }
        let table = self.table;
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let (columns, key) = (columns.join(", "), table.key.join(", "));
        let name = &table.name;
        let sql = match &self.last {
            None => format!("select {columns} from {name} order by {key} limit {ROWS}"),
            Some(last) => {
                let places: Vec<String> = (1..=last.len()).map(|n| format!("${n}")).collect();
                let places = places.join(", ");
                format!(
                    "select {columns} from {name} where ({key}) > ({places}) order by {key} limit {ROWS}"
                )
            }
        };
        let query = sqlx::query(AssertSqlSafe(sql));
        let query = self.last.iter().flatten().fold(query, |query, value| bind(query, value));
        let found = query.fetch_all(&mut **from).await.map_err(failed("read a table"))?;
        let rows: Vec<Vec<Value>> =
            found.iter().map(|row| values(table, row)).collect::<Result<_, _>>()?;
        self.is_over = rows.len() < ROWS;
        self.last = rows.last().map(|row| key_of(table, row));
        Ok((!rows.is_empty()).then_some(rows))
    }
}

fn key_of(table: &Table, row: &[Value]) -> Vec<Value> {
    let value = |name: &String| {
        let at = table.columns.iter().position(|column| column.name == *name)?;
        row.get(at).cloned()
    };
    table.key.iter().filter_map(value).collect()
}

fn values(table: &Table, row: &AnyRow) -> Result<Vec<Value>, StoreError> {
    let value = |(at, column): (usize, &super::Column)| {
        let value = match column.is_number {
            true => row.try_get(at).map(Value::Number),
            false => row.try_get(at).map(Value::Text),
        };
        value.map_err(failed("read a column"))
    };
    table.columns.iter().enumerate().map(value).collect()
}

type Bound = Query<'static, Any, AnyArguments>;

fn bind(query: Bound, value: &Value) -> Bound {
    match value {
        Value::Number(number) => query.bind(*number),
        Value::Text(text) => query.bind(text.clone()),
    }
}

async fn insert(
    dialect: Dialect,
    into: &mut Tx,
    table: &Table,
    rows: &[Vec<Value>],
) -> Result<(), StoreError> {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let most = (PARAMETERS / columns.len().max(1)).max(1);
    for chunk in rows.chunks(most) {
        let mut n = 0;
        let row = |n: &mut usize| {
            let places = columns.iter().map(|_| {
                *n += 1;
                match dialect {
                    Dialect::Sqlite => "?".to_owned(),
                    Dialect::Postgres => format!("${n}"),
                }
            });
            format!("({})", places.collect::<Vec<_>>().join(", "))
        };
        let places: Vec<String> = chunk.iter().map(|_| row(&mut n)).collect();
        let (name, columns, places) = (&table.name, columns.join(", "), places.join(", "));
        let sql = format!("insert into {name} ({columns}) values {places}");
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        let query = chunk.iter().flatten().fold(query, bind);
        query.execute(&mut **into).await.map_err(failed("write a table"))?;
    }
    Ok(())
}

/// A sum over rows that does not depend on their order: each database sorts texts in its own.
#[derive(Default)]
struct Sum {
    rows: u64,
    halves: [u64; 2],
}

impl Sum {
    fn add(&mut self, row: &[Value]) {
        let mut hash = Sha256::new();
        for value in row {
            // The length keeps neighbours apart.
            match value {
                Value::Number(None) | Value::Text(None) => hash.update([0]),
                Value::Number(Some(number)) => {
                    hash.update([1]);
                    hash.update(number.to_be_bytes());
                }
                Value::Text(Some(text)) => {
                    hash.update([2]);
                    hash.update(text.len().to_be_bytes());
                    hash.update(text.as_bytes());
                }
            }
        }
        let digest = hash.finalize();
        for (half, bytes) in self.halves.iter_mut().zip(digest.chunks(8)) {
            let part = bytes.iter().fold(0_u64, |part, byte| part << 8 | u64::from(*byte));
            *half = half.wrapping_add(part);
        }
        self.rows += 1;
    }

    fn of(&self, table: &Table) -> Copied {
        let [a, b] = self.halves;
        Copied { table: table.name.clone(), rows: self.rows, checksum: format!("{a:016x}{b:016x}") }
    }
}
