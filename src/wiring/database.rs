//! The database of a workspace as a whole: its books, its copies, and how it weighs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use super::{STATE, WiringError, lock, now};
use crate::adapters::store::{SqlStore, copy_all};
use crate::config::Config;
use crate::domain::hold::{Hold, HoldCause, HoldScope};
use crate::domain::log::{Entry, What};
use crate::ports::{Bookkeeper, Changes, Store, StoreError};

pub use crate::adapters::store::{Copied, OpenError, Schema, Stats, TransferError};

/// A database whose books are open.
pub struct Ledger {
    pub store: Arc<dyn Store>,
    pub keeper: Arc<dyn Bookkeeper>,
    _lock: Option<fs::File>,
}

impl Ledger {
    fn of(store: SqlStore, lock: Option<fs::File>) -> Self {
        let store = Arc::new(store);
        Self { store: store.clone(), keeper: store, _lock: lock }
    }
}

/// Why something could not be done with a whole database.
#[derive(Debug, Error)]
pub enum DatabaseError {
    #[error(transparent)]
    Wiring(#[from] WiringError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error("{what} {path}: {source}")]
    File { what: &'static str, path: String, source: io::Error },
    #[error("{0}")]
    Refused(String),
    /// Somebody else has it open.
    #[error("{0}")]
    Busy(String),
}

/// Says which file could not be used, and for what.
fn file_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DatabaseError {
    let path = path.display().to_string();
    move |source| DatabaseError::File { what, path, source }
}

/// The file of a database on SQLite.
pub fn sqlite_file(config: &Config) -> Option<PathBuf> {
    config.database.strip_prefix("sqlite:").map(PathBuf::from)
}

fn url_of(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// Opens the books only to read them; a daemon may be at work meanwhile.
///
/// # Errors
/// There is no database, or not one that this program can read.
pub async fn ledger(config: &Config) -> Result<Ledger, WiringError> {
    is_there(config)?;
    Ok(Ledger::of(SqlStore::open_to_read(&config.database).await?, None))
}

/// Opens the books to mend them; nobody else may be at work.
///
/// # Errors
/// A daemon has the database, or there is none.
pub async fn ledger_to_mend(config: &Config) -> Result<Ledger, WiringError> {
    is_there(config)?;
    let lock = alone(config)?;
    Ok(Ledger::of(SqlStore::open(&config.database).await?, lock))
}

/// The daemon's lock, so that none begins meanwhile; PostgreSQL has none.
fn alone(config: &Config) -> Result<Option<fs::File>, WiringError> {
    sqlite_file(config).map(|file| lock(&file)).transpose()
}

fn is_there(config: &Config) -> Result<(), WiringError> {
    match sqlite_file(config) {
        Some(file) if !file.exists() => {
            Err(WiringError::NoDatabase { path: file.display().to_string() })
        }
        _ => Ok(()),
    }
}

/// What the database itself finds wrong, and its schema.
///
/// # Errors
/// There is no database, or it cannot be read at all.
pub async fn soundness(config: &Config) -> Result<(Schema, Vec<String>), DatabaseError> {
    is_there(config)?;
    let store = SqlStore::open_as_it_is(&config.database).await?;
    Ok((store.schema().await?, store.unsound().await?))
}

/// What the database weighs, and of SQLite what waits beside it, in bytes.
///
/// # Errors
/// There is no database, or it cannot be read.
pub async fn stats(config: &Config) -> Result<(Stats, Option<u64>), DatabaseError> {
    is_there(config)?;
    let store = SqlStore::open_as_it_is(&config.database).await?;
    let wal = sqlite_file(config).map(|file| {
        let beside = beside(&file, "-wal");
        fs::metadata(beside).map_or(0, |metadata| metadata.len())
    });
    Ok((store.stats().await?, wal))
}

/// A path with something behind its name.
fn beside(file: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", file.display()))
}

/// A copy in a file, as it was found when it was looked at.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub file: PathBuf,
    pub bytes: u64,
    pub stats: Stats,
    /// Where the workspace's key lies beside it.
    pub key: Option<PathBuf>,
}

/// Writes a copy of the database and of the workspace's key; a daemon may be at work meanwhile.
///
/// # Errors
/// There is something of that name, or the copy is not sound; then nothing is left of it.
pub async fn backup(
    workspace: &Path,
    config: &Config,
    file: &Path,
) -> Result<Snapshot, DatabaseError> {
    is_there(config)?;
    for taken in [file.to_owned(), key_beside(file)] {
        if taken.exists() {
            let message = format!("{} is there already: give another name", taken.display());
            return Err(DatabaseError::Refused(message));
        }
    }
    let making = beside(file, &format!(".{}.tmp", std::process::id()));
    write_sound_copy(config, &making, file).await?;
    let own = key_of(workspace);
    if own.exists() {
        let key = fs::read(&own).map_err(file_error("cannot read", &own))?;
        super::write_secret_key(&key_beside(file), &key)
            .map_err(file_error("cannot write", &key_beside(file)))?;
    }
    look_at(file).await
}

/// A copy under its name, or nothing at all.
async fn write_sound_copy(
    config: &Config,
    making: &Path,
    file: &Path,
) -> Result<(), DatabaseError> {
    let made = try_copy(config, making, file).await;
    for end in ["", "-journal", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(making, end));
    }
    made
}

async fn try_copy(config: &Config, making: &Path, file: &Path) -> Result<(), DatabaseError> {
    let store = SqlStore::open_as_it_is(&config.database).await?;
    store.snapshot(making).await?;
    store.close().await;
    let copy = SqlStore::open_as_it_is(&url_of(making)).await?;
    let unsound = copy.unsound().await?;
    copy.close().await;
    if let Some(first) = unsound.first() {
        let message = format!("the copy is not sound, and was thrown away: {first}");
        return Err(DatabaseError::Refused(message));
    }
    put_in_place(making, file)
}

/// On disk first, then under its name: a power cut leaves the whole file or none.
fn put_in_place(made: &Path, file: &Path) -> Result<(), DatabaseError> {
    use std::os::unix::fs::PermissionsExt;
    let open = fs::File::open(made).map_err(file_error("cannot read", made))?;
    open.sync_all().map_err(file_error("cannot write", made))?;
    fs::set_permissions(made, fs::Permissions::from_mode(0o600))
        .map_err(file_error("cannot write", made))?;
    fs::rename(made, file).map_err(file_error("cannot write", file))?;
    sync_folder(file);
    Ok(())
}

/// Not every file system lets a folder be synced; then the rename is as safe as it gets.
fn sync_folder(file: &Path) {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let opened = fs::File::open(folder.unwrap_or(Path::new(".")));
    let _ = opened.and_then(|folder| folder.sync_all());
}

fn key_of(workspace: &Path) -> PathBuf {
    workspace.join(STATE).join("secret")
}

/// The workspace's key lies beside the copy: Message-IDs are made with it.
fn key_beside(file: &Path) -> PathBuf {
    beside(file, ".secret")
}

/// Opens a copy, has it checked, and says what is in it.
///
/// # Errors
/// It is no sound database that this program can use.
pub async fn look_at(file: &Path) -> Result<Snapshot, DatabaseError> {
    let bytes = fs::metadata(file).map_err(file_error("cannot read", file))?.len();
    let no_copy = |why: String| {
        let message = format!("{} cannot be restored: {why}", file.display());
        DatabaseError::Refused(message)
    };
    let store =
        SqlStore::open_as_it_is(&url_of(file)).await.map_err(|error| no_copy(error.to_string()))?;
    let looked = async {
        let schema = store.schema().await.map_err(|_| {
            no_copy("it is no database of firsttouch, or not a whole one".to_owned())
        })?;
        if schema.found > schema.known {
            return Err(no_copy(format!(
                "it is newer than this program (schema {}, this program knows {})",
                schema.found, schema.known
            )));
        }
        let unsound = store.unsound().await.map_err(|error| no_copy(error.to_string()))?;
        match unsound.first() {
            Some(first) => Err(no_copy(format!("it is not sound: {first}"))),
            None => store.stats().await.map_err(|error| no_copy(error.to_string())),
        }
    };
    let stats = looked.await;
    store.close().await;
    let key = Some(key_beside(file)).filter(|key| key.exists());
    Ok(Snapshot { file: file.to_owned(), bytes, stats: stats?, key })
}

/// What was restored, and what was there before.
#[derive(Debug, Clone)]
pub struct Restored {
    pub snapshot: Snapshot,
    /// Where the database lies that was there.
    pub aside: Option<PathBuf>,
    /// Whether the key was put back, too, and where the other one lies.
    pub key: KeyRestored,
}

/// What became of the workspace's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRestored {
    /// It is the same.
    Same,
    PutBack {
        aside: Option<PathBuf>,
    },
    /// The copy has none beside it.
    Missing,
}

/// Puts a copy in the place of the database. Everything is on hold behind it: what was sent since the
/// copy was made is not in it.
///
/// # Errors
/// A daemon runs, somebody has the database open, or the copy cannot be used; then all is as before.
pub async fn restore(
    workspace: &Path,
    config: &Config,
    file: &Path,
    by: &str,
) -> Result<Restored, DatabaseError> {
    let Some(database) = sqlite_file(config) else {
        return Err(DatabaseError::Refused("only a database on SQLite is a file".to_owned()));
    };
    let snapshot = look_at(file).await?;
    let _lock = lock(&database)?;
    let making = beside(&database, &format!(".{}.tmp", std::process::id()));
    let clear = || {
        for end in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(beside(&making, end));
        }
    };
    let made = prepare(file, &making, &snapshot, by).await;
    let put = match made {
        Ok(()) => exchange(&making, &database).await,
        Err(error) => Err(error),
    };
    clear();
    let aside = put?;
    let key = restore_key(workspace, snapshot.key.as_deref())?;
    Ok(Restored { snapshot, aside, key })
}

/// A copy of the copy, brought up to date, and on hold.
async fn prepare(
    file: &Path,
    making: &Path,
    snapshot: &Snapshot,
    by: &str,
) -> Result<(), DatabaseError> {
    fs::copy(file, making).map_err(file_error("cannot copy", file))?;
    let store = SqlStore::open(&url_of(making)).await?;
    let at = now();
    let newest = snapshot.stats.newest.map_or("nothing".to_owned(), |newest| newest.to_string());
    let note = format!("restored from {}, which knows nothing behind {newest}", file.display());
    let (scope, cause) = (HoldScope::Everything, HoldCause::Restored);
    let mut entry = Entry::new(at, What::Held).with("scope", scope.text());
    entry = entry.with("cause", cause.as_str()).with("note", &note);
    by.clone_into(&mut entry.actor);
    let hold = Hold { scope, cause, note, by: by.to_owned(), at };
    let (held, log) = (vec![hold], vec![entry]);
    store.write(Changes { held, log, ..Changes::default() }).await?;
    store.put_note("restored_at", &at.to_string()).await?;
    store.settle_file().await?;
    store.close().await;
    Ok(())
}

/// The new file under the name of the old one, which stays beside it.
async fn exchange(making: &Path, database: &Path) -> Result<Option<PathBuf>, DatabaseError> {
    let mut aside = None;
    if database.exists() {
        settle_old(database).await?;
        let stamp = now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let old = beside(database, &format!(".before-restore-{stamp}"));
        for end in ["-wal", "-shm", ""] {
            let (from, to) = (beside(database, end), beside(&old, end));
            if from.exists() {
                fs::rename(&from, &to).map_err(file_error("cannot move", &from))?;
            }
        }
        aside = Some(old);
    }
    put_in_place(making, database)?;
    Ok(aside)
}

/// Whoever has the old file open would go on writing into it, and lose it.
async fn settle_old(database: &Path) -> Result<(), DatabaseError> {
    // A file that cannot be opened any more may be why there is a restore.
    let Ok(store) = SqlStore::open(&url_of(database)).await else { return Ok(()) };
    let settled = store.settle_file().await;
    store.close().await;
    match settled {
        Ok(false) => Err(DatabaseError::Busy(format!(
            "somebody has {} open: end every other firsttouch, then restore again",
            database.display()
        ))),
        Ok(true) | Err(_) => Ok(()),
    }
}

fn restore_key(workspace: &Path, beside_copy: Option<&Path>) -> Result<KeyRestored, DatabaseError> {
    let Some(from) = beside_copy else { return Ok(KeyRestored::Missing) };
    let own = key_of(workspace);
    let key = fs::read(from).map_err(file_error("cannot read", from))?;
    let mut aside = None;
    if own.exists() {
        if fs::read(&own).map_err(file_error("cannot read", &own))? == key {
            return Ok(KeyRestored::Same);
        }
        let stamp = now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let old = beside(&own, &format!(".before-restore-{stamp}"));
        fs::rename(&own, &old).map_err(file_error("cannot move", &own))?;
        aside = Some(old);
    }
    super::write_secret_key(&own, &key).map_err(file_error("cannot write", &own))?;
    Ok(KeyRestored::PutBack { aside })
}

/// The schema of the database, and what this program would add.
///
/// # Errors
/// There is no database, or it cannot be read.
pub async fn schema(config: &Config) -> Result<Schema, DatabaseError> {
    is_there(config)?;
    Ok(SqlStore::open_as_it_is(&config.database).await?.schema().await?)
}

/// Brings the schema up to date; on SQLite a copy of before is kept beside it.
///
/// # Errors
/// A daemon runs, or the database is newer than this program.
pub async fn migrate(config: &Config) -> Result<Option<PathBuf>, DatabaseError> {
    is_there(config)?;
    let _lock = alone(config)?;
    let found = schema(config).await?;
    let mut kept = None;
    if let Some(file) = sqlite_file(config).filter(|_| !found.missing.is_empty()) {
        let before = beside(&file, &format!(".schema-{}", found.found));
        if !before.exists() {
            write_sound_copy(config, &beside(&before, ".tmp"), &before).await?;
        }
        kept = Some(before);
    }
    SqlStore::open(&config.database).await?.close().await;
    Ok(kept)
}

/// Copies the whole database into another one, and compares both sides.
///
/// # Errors
/// Somebody works on the source, or the target has rows.
pub async fn copy(
    config: &Config,
    target: &str,
    listener: &mut (dyn FnMut(&str, u64) + Send),
) -> Result<Vec<Copied>, DatabaseError> {
    is_there(config)?;
    if target == config.database {
        let message = "that is the database of this workspace itself".to_owned();
        return Err(DatabaseError::Refused(message));
    }
    let _lock = alone(config)?;
    let source = SqlStore::open(&config.database).await?;
    if source.is_worked_on(now()).await? {
        let message = "somebody works on this database just now: stop every `firsttouch run` and every \
                       import, wait a minute, and copy again";
        return Err(DatabaseError::Busy(message.to_owned()));
    }
    let into = SqlStore::open(target).await?;
    let copied = copy_all(&source, &into, listener).await;
    into.close().await;
    source.close().await;
    Ok(copied?)
}
