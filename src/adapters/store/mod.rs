//! The store on SQLite and PostgreSQL: one SQL text for both, forks named where they differ.

use std::collections::BTreeMap;
use std::sync::Mutex;

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Any, AnyPool, AssertSqlSafe, Executor, PgPool, SqlSafeStr, SqlStr, Transaction};
use thiserror::Error;

use crate::ports::{IdKind, StoreError};
use group::Group;

mod account_json;
mod books;
mod bulk;
mod copy;
mod days;
mod group;
mod holds;
mod intend;
mod json;
mod lanes;
mod lists;
mod mend;
mod overview;
mod port;
mod read;
mod reps;
mod rows;
mod set;
mod starts;
mod transitions;
mod undo;
mod whole;
mod write;

pub use whole::transfer::{Copied, TransferError, copy as copy_all, sums};
pub use whole::{Schema, Stats};

/// The databases that the store runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// Two texts for one statement, where the databases do not agree.
#[derive(Clone, Copy)]
pub(crate) struct Fork {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Dialect {
    fn pick(self, fork: Fork) -> &'static str {
        match self {
            Self::Sqlite => fork.sqlite,
            Self::Postgres => fork.postgres,
        }
    }
}

/// The store, open.
pub struct SqlStore {
    dialect: Dialect,
    /// One connection on SQLite, which has one writer anyway.
    writer: AnyPool,
    readers: AnyPool,
    ids: Mutex<BTreeMap<IdKind, Block>>,
    group: Group,
    /// For `COPY`, which only PostgreSQL itself speaks; connected when an import needs it.
    copier: Option<PgPool>,
}

/// A run of ids that are ours: from `next` to before `end`.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    next: i64,
    end: i64,
}

/// A database that could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Neither a path nor a `postgres://` address.
    #[error("`{url}` is neither `sqlite:<path>` nor `postgres://…`")]
    BadUrl { url: String },
    /// It was written by a newer program.
    #[error(
        "the database is newer than this program (it has schema {found}, this program knows {known}); \
         install the version of firsttouch that wrote it"
    )]
    Newer { found: i64, known: i64 },
    /// It was written by an older program, and must not be changed now.
    #[error(
        "the database has an older schema ({found}, this program writes {known}): `firsttouch apply` \
         brings it up to date"
    )]
    Older { found: i64, known: i64 },
    /// A migration that was applied is not the one that this program has.
    #[error("schema step {version} of the database is not the one that this program wrote")]
    Altered { version: i64 },
    /// Anything else.
    #[error("cannot open the database: {0}")]
    Database(String),
}

/// Readers beside SQLite's one writer, and connections to PostgreSQL.
const READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 12;

impl SqlStore {
    /// Opens a database, makes it if it does not exist, and brings its schema up to date.
    /// `url` is `sqlite:<path>` or `postgres://…`.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing is written to a database that is newer than this program.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let dialect = dialect_of(url)?;
        let (writer, readers) = match dialect {
            Dialect::Sqlite => {
                let writable = format!("{url}?mode=rwc");
                let writer = sqlite_pool(&writable, 1, &[SQLITE_SETTINGS, SQLITE_CACHE]).await?;
                (writer, sqlite_pool(&writable, READERS, &[SQLITE_SETTINGS]).await?)
            }
            Dialect::Postgres => {
                let options = AnyPoolOptions::new().max_connections(POSTGRES_CONNECTIONS);
                let bounded = options.after_connect(|connection, _| {
                    Box::pin(async move { connection.execute(POSTGRES_SETTINGS).await.map(drop) })
                });
                let pool = bounded.connect(url).await.map_err(open_error)?;
                (pool.clone(), pool)
            }
        };
        migrate(&writer, dialect).await?;
        let copier = match dialect {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(copier(url)?),
        };
        let (ids, group) = (Mutex::default(), Group::default());
        let store = Self { dialect, writer, readers, ids, group, copier };
        store.recognise_by_hash().await.map_err(|error| OpenError::Database(error.to_string()))?;
        Ok(store)
    }

    /// Opens a database that is there, only to read it: the database itself refuses every change, and
    /// its schema stays as it is.
    ///
    /// # Errors
    /// See [`OpenError`]; also when the schema is not the one that this program writes.
    pub async fn open_to_read(url: &str) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let dialect = dialect_of(url)?;
        let pool = match dialect {
            Dialect::Sqlite => {
                sqlite_pool(&format!("{url}?mode=ro"), READERS, &[SQLITE_READING]).await?
            }
            Dialect::Postgres => {
                let options = AnyPoolOptions::new().max_connections(READERS);
                let read_only = options.after_connect(|connection, _| {
                    Box::pin(async move { connection.execute(POSTGRES_READING).await.map(drop) })
                });
                read_only.connect(url).await.map_err(open_error)?
            }
        };
        check_schema(&pool).await?;
        let (writer, readers, copier) = (pool.clone(), pool, None);
        let (ids, group) = (Mutex::default(), Group::default());
        Ok(Self { dialect, writer, readers, ids, group, copier })
    }

    /// Closes every connection; what was committed is on disk.
    pub async fn close(&self) {
        if let Some(copier) = &self.copier {
            copier.close().await;
        }
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// A transaction that may write.
    async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let begun = match self.try_begin().await {
            // SQLite itself has taken a transaction back that the driver believes to be open: it does so
            // when the disk is full. Such a connection is of no more use.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                let connection = self.writer.acquire().await;
                let closed = connection.map_err(failed("begin a transaction"))?.close().await;
                closed.map_err(failed("close a connection"))?;
                self.try_begin().await
            }
            other => other,
        };
        begun.map_err(failed("begin a transaction"))
    }

    async fn try_begin(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        match self.dialect {
            // The lock is taken at once: a later upgrade could fail with "database is locked".
            Dialect::Sqlite => self.writer.begin_with("BEGIN IMMEDIATE").await,
            Dialect::Postgres => self.writer.begin().await,
        }
    }
}

fn copier(url: &str) -> Result<PgPool, OpenError> {
    // One import at a time.
    PgPoolOptions::new().max_connections(1).connect_lazy(url).map_err(open_error)
}

fn dialect_of(url: &str) -> Result<Dialect, OpenError> {
    if url.starts_with("sqlite:") {
        Ok(Dialect::Sqlite)
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(Dialect::Postgres)
    } else {
        Err(OpenError::BadUrl { url: url.chars().take(20).collect() })
    }
}

/// An import of a million people writes everywhere in its indexes: what it has just read is kept (in
/// KiB), and a page that is written again soon goes to the database once (in pages of 4 KiB).
const SQLITE_CACHE: &str = "pragma cache_size = -24576; pragma wal_autocheckpoint = 8000";

/// FULL, so that a committed intent outlives a power loss; a second writer waits for its turn.
const SQLITE_SETTINGS: &str = "pragma journal_mode = wal; pragma synchronous = full; \
     pragma busy_timeout = 20000; pragma foreign_keys = on";

const SQLITE_READING: &str = "pragma query_only = on; pragma busy_timeout = 20000";

/// A node that stands still in the middle of a transaction (a paused machine, a stopped process) would
/// let all others wait for its locks: the server takes its transaction back. Nothing was said to be
/// done by then, so nothing is lost.
const POSTGRES_SETTINGS: &str = "set idle_in_transaction_session_timeout = 5000";

const POSTGRES_READING: &str = "set session characteristics as transaction read only";

async fn sqlite_pool(
    url: &str,
    connections: u32,
    settings: &'static [&'static str],
) -> Result<AnyPool, OpenError> {
    AnyPoolOptions::new()
        .max_connections(connections)
        // A file does not go away as a server does: asking first would double every question.
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for setting in settings {
                    connection.execute(*setting).await?;
                }
                Ok(())
            })
        })
        .connect(url)
        .await
        .map_err(open_error)
}

/// Every schema step, oldest first. Steps are only ever added.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "first light", include_str!("../../../migrations/0001_first_light.sql")),
    (2, "lists", include_str!("../../../migrations/0002_lists.sql")),
    (3, "targets", include_str!("../../../migrations/0003_targets.sql")),
    (4, "versions", include_str!("../../../migrations/0004_versions.sql")),
    (5, "events", include_str!("../../../migrations/0005_events.sql")),
    (6, "accounts", include_str!("../../../migrations/0006_accounts.sql")),
    (7, "transitions", include_str!("../../../migrations/0007_transitions.sql")),
    (8, "holds", include_str!("../../../migrations/0008_holds.sql")),
    (9, "days", include_str!("../../../migrations/0009_days.sql")),
    (10, "books", include_str!("../../../migrations/0010_books.sql")),
    (11, "few among many", include_str!("../../../migrations/0011_few_among_many.sql")),
    (13, "limits", include_str!("../../../migrations/0013_limits.sql")),
];

async fn migrate(pool: &AnyPool, dialect: Dialect) -> Result<(), OpenError> {
    let known = MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or(0);
    let steps = MIGRATIONS.iter().map(|(version, name, sql)| {
        let sql = match dialect {
            // What only SQLite understands stands behind this mark, as a comment for others.
            Dialect::Sqlite => AssertSqlSafe(sql.replace("-- sqlite: ", "")).into_sql_str(),
            Dialect::Postgres => SqlStr::from_static(sql),
        };
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
    });
    let migrator = Migrator::with_migrations(steps.collect());
    match migrator.run(pool).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(_)) => {
            let mut connection = pool.acquire().await.map_err(open_error)?;
            let applied = connection.list_applied_migrations("_sqlx_migrations").await;
            let newest = applied.ok().and_then(|steps| steps.iter().map(|step| step.version).max());
            Err(OpenError::Newer { found: newest.unwrap_or(known + 1), known })
        }
        Err(MigrateError::VersionMismatch(version)) => Err(OpenError::Altered { version }),
        Err(error) => Err(OpenError::Database(error.to_string())),
    }
}

/// Whether a database that must not be changed has the schema that this program knows.
async fn check_schema(pool: &AnyPool) -> Result<(), OpenError> {
    let known = MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or(0);
    let row = sqlx::query("select max(version) as newest from _sqlx_migrations")
        .fetch_one(pool)
        .await
        .map_err(open_error)?;
    let found = get::<Option<i64>>(&row, "newest")
        .map_err(|error| OpenError::Database(error.to_string()))?
        .unwrap_or(0);
    match found.cmp(&known) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(OpenError::Newer { found, known }),
        std::cmp::Ordering::Less => Err(OpenError::Older { found, known }),
    }
}

fn open_error(error: sqlx::Error) -> OpenError {
    OpenError::Database(error.to_string())
}

/// Says what was attempted when the database refuses.
pub(crate) fn failed(attempted: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| StoreError::Database { attempted, detail: error.to_string() }
}

/// A query from a text that was put together from constants.
fn query(sql: String) -> sqlx::query::Query<'static, Any, sqlx::any::AnyArguments> {
    sqlx::query(AssertSqlSafe(sql))
}

/// Reads a column, or says which one the database does not have as expected.
fn get<'r, T>(row: &'r AnyRow, column: &'static str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, Any> + sqlx::Type<Any>,
{
    use sqlx::Row;
    row.try_get(column).map_err(failed("read a column"))
}
