//! How people of a list are recognised: written for many rows at once, and caught up on behind a crash.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Importing, identities};
use crate::domain::ids::ProspectId;
use crate::domain::prospect::Prospect;
use crate::engine::{Engine, EngineError};
use crate::ports::{Changes, Identity, ImportRecord, ImportStatus};

/// How people are recognised is written for a quarter of the rows that are in, but never for more
/// identities than these: an index that is written all over costs more than everything else.
const PENDING: usize = 80_000;

/// Rows of an interrupted import that are caught up on at a time.
const CATCH_UP: u32 = 5_000;

impl Engine {
    /// Catches up on how people of interrupted imports are recognised.
    pub(super) async fn index_left_behind(&self) -> Result<(), EngineError> {
        for mut record in self.store.imports().await? {
            while record.status == ImportStatus::Running && record.rows_indexed < record.rows_done {
                let rows = self.store.import_rows(record.id, record.rows_indexed, CATCH_UP).await?;
                let ids: Vec<ProspectId> = rows.iter().map(|row| row.prospect).collect();
                let people = self.store.prospects(&ids).await?;
                let ways = |person: &Prospect| {
                    let id = person.id;
                    identities(&person.known).into_iter().map(move |way| (way, id))
                };
                let recognised = Some(Arc::new(people.iter().flat_map(ways).collect()));
                record.rows_indexed = match rows.last() {
                    Some(last) if rows.len() == CATCH_UP as usize => last.row,
                    _ => record.rows_done,
                };
                let imports = vec![record.clone()];
                self.store.write(Changes { imports, recognised, ..Changes::default() }).await?;
            }
        }
        Ok(())
    }

    /// The same while nothing is imported; somebody else may be at it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn recognise_everybody(&self) -> Result<(), EngineError> {
        let behind = |record: &ImportRecord| {
            record.status == ImportStatus::Running && record.rows_indexed < record.rows_done
        };
        if !self.store.imports().await?.iter().any(behind) {
            return Ok(());
        }
        let holder = self.import_holder();
        match self.hold_imports(&holder).await {
            Err(EngineError::Busy(_)) => return Ok(()),
            held => held?,
        }
        let done = self.index_left_behind().await;
        self.let_imports_go(&holder).await?;
        done
    }
}

impl Importing {
    /// How people are recognised, when enough of that has come together.
    pub(super) fn index_in_time(&mut self) -> Option<Arc<HashMap<Identity, ProspectId>>> {
        let rows = self.record.rows_done - self.record.rows_indexed;
        let enough = rows * 4 >= self.record.rows_done || self.pending.len() >= PENDING;
        if enough { self.index_all() } else { None }
    }

    pub(super) fn index_all(&mut self) -> Option<Arc<HashMap<Identity, ProspectId>>> {
        self.record.rows_indexed = self.record.rows_done;
        let pending = std::mem::take(&mut self.pending);
        (!pending.is_empty()).then(|| Arc::new(pending))
    }
}
