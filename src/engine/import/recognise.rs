//! Whom the store knows already, and how people of interrupted imports are caught up on.

use super::index::{Filter, Known, MOST_KNOWN};
use super::{Importing, Outcome, identities};
use crate::domain::ids::ProspectId;
use crate::domain::prospect::Prospect;
use crate::engine::{Engine, EngineError};
use crate::ports::{Changes, ImportRecord, ImportStatus, Store, StoreError};

/// Ways to recognise people that are read at a time.
const AT_A_TIME: u32 = 50_000;

/// New people of an import from which on asking the store for each next one costs more than reading
/// once whom it knows.
const MANY: u64 = 20_000;

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
                let recognised = people.iter().flat_map(ways).collect();
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
    /// Learns whom the store knows: at once where that are few, in large lists of new people when it
    /// has become clear that they are.
    ///
    /// Nobody but an import makes people, and there is one at a time: what is learned stays true.
    pub(super) async fn learn_who_is_known(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let is_begin = self.report.rows == 0;
        let created = self.report.outcomes.get(&Outcome::Created).copied().unwrap_or(0);
        let is_time = matches!(self.index.known, Known::Nothing) && (is_begin || created >= MANY);
        if !is_time {
            return Ok(());
        }
        let mut filter = Filter::new();
        let (mut last, mut all) = (None, 0);
        loop {
            let ways = store.identities_after(last, AT_A_TIME).await?;
            all += ways.len();
            last = ways.last().copied();
            ways.iter().for_each(|way| filter.add(*way));
            if ways.len() < AT_A_TIME as usize {
                self.index.know(filter);
                return Ok(());
            }
            if is_begin {
                return Ok(());
            }
            if all > MOST_KNOWN {
                self.index.known = Known::TooMany;
                return Ok(());
            }
        }
    }
}
