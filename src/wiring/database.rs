//! The database of a workspace as a whole: its books, and soon its copies.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{WiringError, lock};
use crate::adapters::store::SqlStore;
use crate::config::Config;
use crate::ports::{Bookkeeper, Store};

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
    let lock = match config.database.strip_prefix("sqlite:") {
        Some(path) => Some(lock(Path::new(path))?),
        None => None,
    };
    Ok(Ledger::of(SqlStore::open(&config.database).await?, lock))
}

fn is_there(config: &Config) -> Result<(), WiringError> {
    match config.database.strip_prefix("sqlite:") {
        Some(path) if !Path::new(path).exists() => {
            Err(WiringError::NoDatabase { path: path.to_owned() })
        }
        _ => Ok(()),
    }
}
