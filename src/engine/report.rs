//! The report: the whole log, folded.

use std::collections::BTreeMap;

use super::{Engine, EngineError};
use crate::domain::ids::{CadenceId, EnrollmentId};
use crate::domain::log::What;
use crate::domain::report::Tally;
use crate::domain::schedule::IN_FLIGHT_AT_MOST;
use crate::domain::touch::{Status, Touch};

/// Entries that are read at a time.
const PAGE: u32 = 2_000;

impl Engine {
    /// All numbers of the report, out of the log.
    ///
    /// # Errors
    /// The store failed.
    pub async fn tally(&self) -> Result<Tally, EngineError> {
        let mut tally = Tally::default();
        let mut last = 0;
        loop {
            let (entries, behind) = self.store.log_after(last, PAGE).await?;
            if entries.is_empty() {
                return Ok(tally);
            }
            entries.iter().for_each(|entry| tally.add(entry));
            last = behind;
        }
    }

    /// The numbers of each cadence that anybody was ever in, out of the log.
    ///
    /// # Errors
    /// The store failed.
    pub async fn tallies(&self) -> Result<BTreeMap<CadenceId, Tally>, EngineError> {
        let mut cadences: BTreeMap<EnrollmentId, CadenceId> = BTreeMap::new();
        let mut tallies: BTreeMap<CadenceId, Tally> = BTreeMap::new();
        let mut last = 0;
        loop {
            let (entries, behind) = self.store.log_after(last, PAGE).await?;
            if entries.is_empty() {
                return Ok(tallies);
            }
            for entry in &entries {
                let Some(enrollment) = entry.enrollment else { continue };
                if entry.what == What::Enrolled {
                    cadences.insert(enrollment, CadenceId::from(entry.detail("cadence")));
                }
                if let Some(cadence) = cadences.get(&enrollment) {
                    tallies.entry(cadence.clone()).or_default().add(entry);
                }
            }
            last = behind;
        }
    }

    /// Mails of which nobody knows whether they left, oldest first. One that is just on its way is not
    /// among them.
    ///
    /// # Errors
    /// The store failed.
    pub async fn doubts(&self) -> Result<Vec<Touch>, EngineError> {
        let now = self.now();
        let doubtful = |touch: &Touch| match touch.status {
            Status::InDoubt => true,
            Status::Intended => touch.at.duration_until(now) > IN_FLIGHT_AT_MOST,
            _ => false,
        };
        let touches = self.store.touches_in_doubt().await?;
        Ok(touches.into_iter().filter(doubtful).collect())
    }
}
