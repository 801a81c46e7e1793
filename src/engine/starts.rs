//! People who come in by themselves, because a field has the value that a cadence waits for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::enroll::{Enrolled, Entrance};
use super::workspace::Version;
use super::{Engine, EngineError};
use crate::domain::cadence::{Cadence, EnrollWhen, Seen};
use crate::domain::ids::{CadenceId, ProspectId};
use crate::ports::{Changes, ImportRecord, ImportStatus, Start, StoreError};

/// People who are taken in with one transaction, or looked at together.
const CHUNK: u32 = 200;

/// How often somebody who was taken in by another process meanwhile is left to it.
const RACES: usize = 20;

/// What came of people who came in by themselves, by cadence.
pub type Started = BTreeMap<CadenceId, Enrolled>;

impl Engine {
    /// The applied cadences that wait for a field. One that this program cannot run lets nobody in.
    pub(super) async fn waiting_for_fields(&self) -> Result<Vec<Arc<Version>>, EngineError> {
        let mut found = Vec::new();
        for record in self.store.current_cadences().await? {
            match self.version(&record.digest).await {
                Ok(version) if matches!(version.cadence.enroll_when, EnrollWhen::Field(_)) => {
                    found.push(version);
                }
                Ok(_) | Err(EngineError::Version { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Everybody who is for a cadence by the fields that it waits for, in it or not.
    ///
    /// # Errors
    /// The store failed.
    pub async fn met(&self, cadence: &Cadence) -> Result<Vec<ProspectId>, EngineError> {
        let mut found = Vec::new();
        for chunk in self.store.all_prospects().await?.chunks(CHUNK as usize) {
            let people = self.store.prospects(chunk).await?;
            let met = people.iter().filter(|person| cadence.is_met_by(Seen::from(*person)));
            found.extend(met.map(|person| person.id));
        }
        Ok(found)
    }

    /// Everybody whom the fields of an applied cadence are for.
    ///
    /// # Errors
    /// It was never applied, or it waits for no field.
    pub async fn met_by(&self, cadence: &CadenceId) -> Result<Vec<ProspectId>, EngineError> {
        let admitting = self.admitting(cadence).await?;
        if !matches!(admitting.cadence.enroll_when, EnrollWhen::Field(_)) {
            return Err(EngineError::Refused(format!(
                "`{cadence}` waits for no field (`enroll.when: {{ field: … }}`), so say whom: \
                 addresses, or --list NAME"
            )));
        }
        self.met(&admitting.cadence).await
    }

    /// Takes in whoever waits for it, once everybody is recognised.
    ///
    /// # Errors
    /// The store failed; who was taken in until then stays.
    pub(super) async fn take_in_waiting(&self) -> Result<Started, EngineError> {
        let mut started = Started::new();
        let mut races = 0;
        loop {
            let waiting = self.store.waiting_to_start(CHUNK).await?;
            let Some(first) = waiting.first().map(|start| start.cadence.clone()) else {
                return Ok(started);
            };
            let of_first = |start: &Start| start.cadence == first;
            let together: Vec<Start> = waiting.into_iter().take_while(of_first).collect();
            match self.take_in(&first, together).await {
                Ok(came) => started.entry(first).or_default().add(came),
                Err(EngineError::Store(StoreError::Taken(_))) if races < RACES => races += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The same where nobody is in the middle of an import: its people may not be recognised yet.
    pub(super) async fn take_in_left_behind(&self) -> Result<(), EngineError> {
        let is_behind = |record: &ImportRecord| {
            record.status == ImportStatus::Running && record.rows_indexed < record.rows_done
        };
        if self.store.waiting_to_start(1).await?.is_empty()
            || self.store.imports().await?.iter().any(is_behind)
        {
            return Ok(());
        }
        self.take_in_waiting().await.map(drop)
    }

    async fn take_in(
        &self,
        cadence: &CadenceId,
        started: Vec<Start>,
    ) -> Result<Enrolled, EngineError> {
        let ids: Vec<ProspectId> = started.iter().map(|start| start.prospect).collect();
        let mut came = Enrolled { people: ids.len(), ..Enrolled::default() };
        let changes = Changes { started, ..Changes::default() };
        let admitting = match self.admitting(cadence).await {
            Ok(admitting) => admitting,
            // It was taken out meanwhile.
            Err(EngineError::NotFound { .. }) => {
                came.skipped.insert(format!("there is no cadence `{cadence}` any more"), ids.len());
                self.store.write(changes).await?;
                return Ok(came);
            }
            Err(error) => return Err(error),
        };
        let entrance = Entrance { at: self.now(), leaving: None };
        let people = self.store.prospects(&ids).await?;
        let records = self.admit_all(&admitting, &people, &entrance, &mut came).await?;
        let because = Some(("field", waited_for(&admitting.cadence)));
        self.write_enrolled(records, because, changes).await?;
        Ok(came)
    }
}

/// The fields because of which somebody came in.
pub(super) fn waited_for(cadence: &Cadence) -> String {
    let EnrollWhen::Field(tests) = &cadence.enroll_when else { return String::new() };
    let fields: Vec<&str> = tests.iter().map(|(field, _)| field.as_str()).collect();
    fields.join(", ")
}
