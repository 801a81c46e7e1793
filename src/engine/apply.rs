//! Making the files what runs: immutable versions, all files or none.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::{CadencePlan, Kind, Plan, ProfileChange};
use super::workspace::{CadenceFile, Version, Workspace};
use super::{Engine, EngineError};
use crate::domain::enrollment;
use crate::domain::ids::{CadenceId, EnrollmentId, ProfileId};
use crate::domain::log::{Entry, What as Happened};
use crate::ports::{
    AppliedRecord, Changes, EnrollmentMove, EnrollmentRecord, ProfileRecord, StoreError,
    VersionRecord,
};

/// How often applying begins again because people moved on meanwhile.
const RACES: usize = 20;

/// People whom a refusal names.
const NAMED: usize = 5;

/// What people in flight do when steps were added, removed or reordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFlight {
    /// They go on with the new version, for steps that they have not reached.
    Move,
    /// They finish the version that they began.
    Stay,
}

/// People who were moved, with the revision that was read: whoever has not moved on meanwhile need not
/// be read again.
type Moved = BTreeMap<EnrollmentId, (i64, Changes)>;

impl Engine {
    /// [`Engine::apply_by`] the engine itself.
    ///
    /// # Errors
    /// As [`Engine::apply_by`].
    pub async fn apply(
        &self,
        workspace: &Workspace,
        in_flight: Option<InFlight>,
    ) -> Result<Plan, EngineError> {
        self.apply_by(workspace, in_flight, "engine").await
    }

    /// Applies all files or none, in somebody's name. People in flight move to changed texts and times by
    /// themselves; for changed steps `in_flight` decides. Whoever is on an earlier version finishes it.
    ///
    /// # Errors
    /// Steps changed under people in flight and nobody said what they do.
    pub async fn apply_by(
        &self,
        workspace: &Workspace,
        in_flight: Option<InFlight>,
        by: &str,
    ) -> Result<Plan, EngineError> {
        let mut moved = Moved::new();
        for _ in 0..RACES {
            let plan = self.plan(workspace).await?;
            if in_flight.is_none() && !plan.undecided().is_empty() {
                return Err(self.undecided(&plan).await?);
            }
            let changes = self.to_apply(workspace, &plan, in_flight, by, &mut moved).await?;
            match self.store.write(changes).await {
                Ok(()) => return Ok(plan),
                Err(StoreError::Stale(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(EngineError::Busy(
            "people moved on all the time, so nothing was applied; try again".to_owned(),
        ))
    }

    /// Says who has to be decided about, and what to type.
    async fn undecided(&self, plan: &Plan) -> Result<EngineError, EngineError> {
        let mut text = String::from(
            "nothing was applied: steps were added, removed or reordered under people under way.\n",
        );
        for cadence in plan.undecided() {
            let who = self.some_of(cadence).await?;
            text.push_str(&format!("  {}: {who}\n", cadence.cadence));
        }
        text.push_str(
            "Say what they do:\n  firsttouch apply --in-flight move   they go on with the new steps, \
             as far as they have not reached them\n  firsttouch apply --in-flight stay   they finish \
             the version that they began",
        );
        Ok(EngineError::Refused(text))
    }

    /// The first few people who are under way in a cadence, and how many more there are.
    async fn some_of(&self, plan: &CadencePlan) -> Result<String, EngineError> {
        let people = self.in_flight(&CadenceId(plan.cadence.clone())).await?;
        let concerned = people.iter().filter(|record| Some(&record.digest) == plan.before.as_ref());
        let concerned = concerned.filter(|record| record.state.phase.step().is_some());
        let ids: Vec<_> = concerned.map(|record| record.prospect).take(NAMED).collect();
        let known = self.store.prospects(&ids).await?;
        let mut who: Vec<String> = known.iter().map(|one| one.display_name()).collect();
        if plan.people.to_decide > who.len() {
            who.push(format!("{} more", plan.people.to_decide - who.len()));
        }
        Ok(who.join(", "))
    }

    async fn to_apply(
        &self,
        workspace: &Workspace,
        plan: &Plan,
        in_flight: Option<InFlight>,
        by: &str,
        moved: &mut Moved,
    ) -> Result<Changes, EngineError> {
        let mut changes = Changes::default();
        for planned in plan.cadences.iter().filter(|planned| planned.kind != Kind::Unchanged) {
            self.note_applied(planned, by, &mut changes);
            let file = workspace.cadences.iter().find(|file| file.cadence.id.0 == planned.cadence);
            let Some(file) = file else { continue };
            changes.versions.push(VersionRecord {
                cadence: file.cadence.id.clone(),
                digest: file.digest.clone(),
                files: file.files.clone(),
                applied_at: self.now(),
            });
            let moves = planned.kind == Kind::Content || in_flight == Some(InFlight::Move);
            if let Some(before) = planned.before.as_ref().filter(|_| moves) {
                self.move_people(workspace, file, before, moved, &mut changes).await?;
            }
        }
        self.put_profiles(workspace, plan, &mut changes);
        Ok(changes)
    }

    fn note_applied(&self, planned: &CadencePlan, by: &str, changes: &mut Changes) {
        let now = self.now();
        let mut entry = Entry::new(now, Happened::Applied).with("cadence", &planned.cadence);
        entry = match &planned.digest {
            Some(digest) => entry.with("version", digest),
            None => entry.with("reason", "its file is gone"),
        };
        by.clone_into(&mut entry.actor);
        changes.log.push(entry);
        changes.applied.push(AppliedRecord {
            cadence: CadenceId(planned.cadence.clone()),
            digest: planned.digest.clone(),
            at: now,
            by: by.to_owned(),
        });
    }

    fn put_profiles(&self, workspace: &Workspace, plan: &Plan, changes: &mut Changes) {
        if plan.profiles.is_empty() {
            return;
        }
        let applied_at = self.now();
        changes.profiles.extend(workspace.profiles.iter().map(|file| ProfileRecord {
            profile: file.profile.id.clone(),
            digest: file.digest.clone(),
            path: file.path.clone(),
            text: file.text.clone(),
            applied_at,
        }));
        let gone = plan.profiles.iter().filter(|(_, change)| *change == ProfileChange::Removed);
        changes.profiles_gone.extend(gone.map(|(profile, _)| ProfileId(profile.clone())));
    }

    /// Moves everybody who is on the version that ran; earlier ones are finished by those who are on them.
    async fn move_people(
        &self,
        workspace: &Workspace,
        file: &CadenceFile,
        before: &str,
        moved: &mut Moved,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        let (cadence, templates) = (file.cadence.clone(), workspace.templates.clone());
        let version = Arc::new(Version { cadence, templates });
        for record in self.in_flight(&file.cadence.id).await? {
            if record.digest != before {
                continue;
            }
            let known = moved.get(&record.id).filter(|(revision, _)| *revision == record.revision);
            let known = known.map(|(_, changes)| changes.clone());
            let one = match known {
                Some(known) => known,
                None => self.move_one(&record, file, &version).await?,
            };
            moved.insert(record.id, (record.revision, one.clone()));
            changes.append(one);
        }
        Ok(())
    }

    async fn move_one(
        &self,
        record: &EnrollmentRecord,
        file: &CadenceFile,
        version: &Arc<Version>,
    ) -> Result<Changes, EngineError> {
        let Some(mut person) = self.person(record.id).await? else { return Ok(Changes::default()) };
        let now = self.now();
        let old = std::mem::replace(&mut person.version, version.clone());
        person.clockwork = self.clockwork(&file.cadence.calendar)?.of(&person.prospect);
        let state = person.enrollment.state.clone();
        let relocated =
            person.course(|course| enrollment::relocate(&old.cadence, course, state, now));
        // What they are at is gone: that person finishes the old version.
        let Some((state, effects)) = relocated else { return Ok(Changes::default()) };
        let mut changes = self.changes(&person, state, &effects, now).await?;
        let to_new =
            |one: EnrollmentMove| EnrollmentMove { digest: Some(file.digest.clone()), ..one };
        changes.moved = std::mem::take(&mut changes.moved).into_iter().map(to_new).collect();
        let entry = person.entry(now, Happened::Moved).with("version", &file.digest);
        changes.log.push(entry.with("from", &person.enrollment.digest));
        Ok(changes)
    }
}
