//! What outlives a crash: the store in memory, or a database file.

use std::sync::Arc;

use firsttouch::adapters::simulated::memory::MemoryStore;
use firsttouch::adapters::store::SqlStore;
use firsttouch::ports::Store;
use tempfile::TempDir;

/// Every so many seeds run on a database.
const ON_SQLITE: u64 = 8;

/// What the processes of a run stand on.
pub enum Base {
    Memory(Arc<MemoryStore>),
    Sqlite { dir: TempDir, open: Vec<Arc<SqlStore>> },
}

impl Base {
    /// The memory for most seeds; `FIRSTTOUCH_SIMULATION_STORE` (`memory`, `sqlite`) says it for all.
    pub fn of(seed: u64) -> Self {
        let asked = std::env::var("FIRSTTOUCH_SIMULATION_STORE").ok();
        let on_sqlite = match asked.as_deref() {
            Some("sqlite") => true,
            Some("memory") => false,
            _ => seed % ON_SQLITE == ON_SQLITE - 1,
        };
        match on_sqlite {
            true => Self::Sqlite { dir: directory(), open: Vec::new() },
            false => Self::Memory(Arc::default()),
        }
    }

    /// The store of another process.
    pub async fn open(&mut self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => store.clone(),
            Self::Sqlite { dir, open } => {
                let url = format!("sqlite:{}", dir.path().join("sim.db").display());
                let store = Arc::new(SqlStore::open(&url).await.expect("a store"));
                open.push(store.clone());
                store
            }
        }
    }

    /// The database, where there is one and somebody has it open.
    pub fn database(&self) -> Option<Arc<SqlStore>> {
        match self {
            Self::Memory(_) => None,
            Self::Sqlite { open, .. } => open.first().cloned(),
        }
    }

    /// Every process is gone.
    pub async fn close(&mut self) {
        let Self::Sqlite { open, .. } = self else { return };
        for store in open.drain(..) {
            store.close().await;
        }
    }
}

fn directory() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let dir = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    dir.expect("a directory")
}
