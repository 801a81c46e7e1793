//! What a machine remembers of the database that it works, in a file beside it: the only way to notice
//! that a copy was put back, or that another database stands under the name.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use super::{STATE, WiringError, hex, random};
use crate::engine::Engine;
use crate::engine::surroundings::Memory;

/// The file, and the machine that writes it.
pub struct Memories {
    path: PathBuf,
    machine: String,
}

impl Memories {
    /// The memory of a workspace on this machine.
    pub fn of(workspace: &Path) -> Self {
        let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
        Self { path: workspace.join(STATE).join("database"), machine: machine.trim().to_owned() }
    }

    /// Compares the database with what is remembered; what does not fit puts everything on hold.
    ///
    /// # Errors
    /// The store failed, or the memory could not be written.
    pub async fn look_back(&self, engine: &Engine) -> Result<(), WiringError> {
        let fresh = random::<8>().map_err(|error| {
            WiringError::Secret(format!("cannot read the system's randomness: {error}"))
        })?;
        engine.look_back(self.read().as_ref(), &hex(&fresh)).await?;
        self.remember(engine).await
    }

    /// Notes with each beat that a daemon works, in the database and here.
    pub async fn keep(self, engine: Arc<Engine>, mut beats: watch::Receiver<u64>) {
        while beats.changed().await.is_ok() {
            if let Err(error) = self.remember(&engine).await {
                tracing::warn!(%error, "cannot note that the daemon works");
            }
        }
    }

    async fn remember(&self, engine: &Engine) -> Result<(), WiringError> {
        let Some(memory) = engine.beat().await? else { return Ok(()) };
        self.write(&memory).map_err(|error| {
            WiringError::Secret(format!("cannot write {}: {error}", self.path.display()))
        })
    }

    /// A folder that was copied to another machine knows nothing there: the machine's name is a part.
    fn read(&self) -> Option<Memory> {
        let text = fs::read_to_string(&self.path).ok()?;
        let mut lines = text.lines();
        let (instance, beat, machine) = (lines.next()?, lines.next()?, lines.next().unwrap_or(""));
        let instance =
            match machine == self.machine || machine.is_empty() || self.machine.is_empty() {
                true => instance.to_owned(),
                false => format!("{instance} on another machine"),
            };
        Some(Memory { instance, beat: beat.parse().ok()? })
    }

    /// Whole or not at all: a power cut must not make a database look like a stranger.
    fn write(&self, memory: &Memory) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = self.path.with_extension("new");
        let mut file = fs::File::create(&new)?;
        write!(file, "{}\n{}\n{}\n", memory.instance, memory.beat, self.machine)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)
    }
}
