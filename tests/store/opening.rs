//! Opening, reopening, and databases that are not ours to open.

use firsttouch::adapters::store::{Dialect, OpenError, SqlStore};
use firsttouch::domain::ids::EnrollmentId;
use firsttouch::ports::{IdKind, Store};
use sqlx::{AssertSqlSafe, Row};

use crate::Database;
use crate::samples::*;

async fn execute(database: &Database, sql: &'static str) {
    let pool = database.raw().await;
    sqlx::query(sql).execute(&pool).await.expect("the statement runs");
    pool.close().await;
}

/// Every table, and every schema step that was applied.
async fn shape(database: &Database, dialect: Dialect) -> Vec<String> {
    let tables = match dialect {
        Dialect::Sqlite => "select name from sqlite_master where type = 'table'",
        Dialect::Postgres => {
            "select cast(tablename as text) as name from pg_tables where schemaname = 'public'"
        }
    };
    let steps = "select cast(version as text) as name from _sqlx_migrations";
    let pool = database.raw().await;
    let sql = AssertSqlSafe(format!("{tables} union all {steps} order by 1"));
    let rows = sqlx::query(sql).fetch_all(&pool).await.expect("the schema can be read");
    pool.close().await;
    rows.iter().map(|row| row.get("name")).collect()
}

pub async fn a_database_that_is_newer_is_refused_and_left_alone(database: Database) {
    let store = database.open_sql().await;
    let dialect = store.dialect();
    store.close().await;
    execute(&database, "update _sqlx_migrations set version = 999 where version = 3").await;
    execute(&database, "drop table lease").await;
    let before = shape(&database, dialect).await;
    let refused = SqlStore::open(&database.url).await.err();
    let is_newer = matches!(refused, Some(OpenError::Newer { found: 999, known }) if known < 999);
    assert!(is_newer, "{refused:?}");
    assert_eq!(shape(&database, dialect).await, before);
}

pub async fn a_schema_step_that_was_altered_is_refused(database: Database) {
    let store = database.open_sql().await;
    let other = match store.dialect() {
        Dialect::Sqlite => "update _sqlx_migrations set checksum = x'00'",
        Dialect::Postgres => "update _sqlx_migrations set checksum = '\\x00'",
    };
    store.close().await;
    execute(&database, other).await;
    let refused = SqlStore::open(&database.url).await.err();
    assert!(matches!(refused, Some(OpenError::Altered { version: 1 })), "{refused:?}");
}

pub async fn what_was_written_is_there_after_reopening(database: Database) {
    let store = database.open_sql().await;
    write_enrolled(&store, 1).await;
    store.close().await;
    let store = database.open_sql().await;
    let read = store.enrollment(EnrollmentId(1)).await.unwrap();
    assert_eq!(read, Some(enrollment(1)));
    assert_eq!(store.enrollment(EnrollmentId(2)).await.unwrap(), None);
}

pub async fn ids_are_consecutive_and_never_repeat_over_reopening(database: Database) {
    let mut seen = Vec::new();
    for _ in 0..3 {
        let store = database.open_sql().await;
        for n in [1, 3, 150, 1, 150, 1000] {
            let first = store.ids(IdKind::Touch, n).await.unwrap();
            assert!(first > 0);
            seen.extend(first..first + i64::from(n));
        }
        store.close().await;
    }
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
    let store = database.open_sql().await;
    assert_eq!(store.ids(IdKind::Task, 1).await.unwrap(), 1, "each kind counts by itself");
}
