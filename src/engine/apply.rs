//! From files to what runs: immutable versions, and what a change means for people in flight.

use std::collections::BTreeMap;

use super::workspace::{CadenceFile, Workspace};
use super::{Engine, EngineError};
use crate::domain::cadence::Cadence;
use crate::domain::enrollment::{self, Phase};
use crate::domain::ids::StepId;
use crate::domain::log::{Entry, What as Happened};
use crate::ports::{Changes, EnrollmentMove, EnrollmentRecord, ProfileRecord, VersionRecord};

/// What people in flight do when steps were added, removed or reordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFlight {
    /// They go on with the new version, for steps that they have not reached.
    Move,
    /// They finish the version that they began.
    Stay,
}

/// What applying the files would change.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub cadences: Vec<CadencePlan>,
    /// Profiles that are new or changed.
    pub profiles: Vec<String>,
}

/// What applying one cadence would change.
#[derive(Debug, Clone)]
pub struct CadencePlan {
    pub cadence: String,
    pub digest: String,
    pub kind: Kind,
    /// One sentence for each difference, with the people that it touches.
    pub notes: Vec<String>,
    /// People who are under way in it.
    pub in_flight: usize,
}

/// How a cadence differs from what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    New,
    Unchanged,
    /// Texts or times: people in flight get them for steps that they have not reached.
    Content,
    /// Steps were added, removed or reordered: somebody must say what people in flight do.
    Structure,
}

impl Plan {
    /// Whether applying would change anything.
    pub fn is_empty(&self) -> bool {
        let unchanged = self.cadences.iter().all(|plan| plan.kind == Kind::Unchanged);
        unchanged && self.profiles.is_empty()
    }

    /// The cadences for which `--in-flight` has to be given.
    pub fn undecided(&self) -> Vec<&str> {
        let undecided = |plan: &&CadencePlan| plan.kind == Kind::Structure && plan.in_flight > 0;
        self.cadences.iter().filter(undecided).map(|plan| plan.cadence.as_str()).collect()
    }
}

impl Engine {
    /// Compares the files with what runs.
    ///
    /// # Errors
    /// The store failed, or an applied version does not run any more.
    pub async fn plan(&self, workspace: &Workspace) -> Result<Plan, EngineError> {
        let running: BTreeMap<String, VersionRecord> = self
            .store
            .current_cadences()
            .await?
            .into_iter()
            .map(|version| (version.cadence.0.clone(), version))
            .collect();
        let mut plan = Plan::default();
        for file in &workspace.cadences {
            let before = running.get(file.cadence.id.as_str());
            plan.cadences.push(self.plan_one(file, before).await?);
        }
        let profiles = self.store.current_profiles().await?;
        let known: Vec<&str> = profiles.iter().map(|profile| profile.digest.as_str()).collect();
        let changed =
            workspace.profiles.iter().filter(|file| !known.contains(&file.digest.as_str()));
        plan.profiles = changed.map(|file| file.profile.id.0.clone()).collect();
        Ok(plan)
    }

    async fn plan_one(
        &self,
        file: &CadenceFile,
        before: Option<&VersionRecord>,
    ) -> Result<CadencePlan, EngineError> {
        let (cadence, digest) = (file.cadence.id.0.clone(), file.digest.clone());
        let new = |kind| CadencePlan { cadence, digest, kind, notes: Vec::new(), in_flight: 0 };
        let Some(before) = before else {
            return Ok(new(Kind::New));
        };
        if before.digest == file.digest {
            return Ok(new(Kind::Unchanged));
        }
        let people = self.in_flight(file).await?;
        let old = self.version(&before.digest).await?;
        let same = step_ids(&old.cadence) == step_ids(&file.cadence);
        let kind = if same { Kind::Content } else { Kind::Structure };
        let notes = differences(&old.cadence, before, file, &people);
        Ok(CadencePlan { notes, in_flight: people.len(), ..new(kind) })
    }

    async fn in_flight(&self, file: &CadenceFile) -> Result<Vec<EnrollmentRecord>, EngineError> {
        let all = self.store.enrollments_in(&file.cadence.id).await?;
        let open = |record: &EnrollmentRecord| !matches!(record.state.phase, Phase::Ended { .. });
        Ok(all.into_iter().filter(open).collect())
    }

    /// Applies all files or none. People in flight move to changed texts and times by themselves; for
    /// changed steps `in_flight` decides.
    ///
    /// # Errors
    /// Steps changed under people in flight and nobody said what they do.
    pub async fn apply(
        &self,
        workspace: &Workspace,
        in_flight: Option<InFlight>,
    ) -> Result<Plan, EngineError> {
        let plan = self.plan(workspace).await?;
        let undecided = plan.undecided();
        if in_flight.is_none() && !undecided.is_empty() {
            return Err(EngineError::Refused(format!(
                "steps were added, removed or reordered while people are under way in {}: say \
                 `--in-flight move` (they go on with the new steps they have not reached) or \
                 `--in-flight stay` (they finish the old version)",
                undecided.join(", ")
            )));
        }
        let now = self.now();
        let mut changes = Changes::default();
        for (file, planned) in workspace.cadences.iter().zip(&plan.cadences) {
            if planned.kind == Kind::Unchanged {
                continue;
            }
            changes.versions.push(VersionRecord {
                cadence: file.cadence.id.clone(),
                digest: file.digest.clone(),
                files: file.files.clone(),
                applied_at: now,
            });
            let applied = Entry::new(now, Happened::Applied);
            changes
                .log
                .push(applied.with("cadence", &file.cadence.id).with("version", &file.digest));
            let moves = planned.kind == Kind::Content || in_flight == Some(InFlight::Move);
            if moves && planned.kind != Kind::New {
                self.move_people(file, &mut changes).await?;
            }
        }
        if !plan.profiles.is_empty() {
            changes.profiles.extend(workspace.profiles.iter().map(|file| ProfileRecord {
                profile: file.profile.id.clone(),
                digest: file.digest.clone(),
                path: file.path.clone(),
                text: file.text.clone(),
                applied_at: now,
            }));
        }
        self.store.write(changes).await?;
        Ok(plan)
    }

    async fn move_people(
        &self,
        file: &CadenceFile,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        let now = self.now();
        for record in self.in_flight(file).await? {
            let Some(mut person) = self.person(record.id).await? else { continue };
            let old = person.version.clone();
            let templates = old.templates.clone();
            person.clockwork = self.clockwork(&file.cadence.calendar)?;
            let cadence = file.cadence.clone();
            person.version = std::sync::Arc::new(super::workspace::Version { cadence, templates });
            let state = person.enrollment.state.clone();
            let relocated =
                person.course(|course| enrollment::relocate(&old.cadence, course, state, now));
            // On its way or in doubt: that person finishes the old version.
            let Some((state, effects)) = relocated else { continue };
            let moved = self.changes(&person, state, &effects, now).await?;
            let to_new =
                |step: EnrollmentMove| EnrollmentMove { digest: Some(file.digest.clone()), ..step };
            changes.moved.extend(moved.moved.into_iter().map(to_new));
            changes.close_tasks.extend(moved.close_tasks);
            changes.log.extend(moved.log);
            changes.log.push(person.entry(now, Happened::Moved).with("version", &file.digest));
        }
        Ok(())
    }
}

fn step_ids(cadence: &Cadence) -> Vec<&StepId> {
    cadence.steps.iter().map(|step| &step.id).collect()
}

/// One sentence for each difference, with the people whom it touches.
fn differences(
    old: &Cadence,
    before: &VersionRecord,
    file: &CadenceFile,
    people: &[EnrollmentRecord],
) -> Vec<String> {
    let new = &file.cadence;
    let mut notes = Vec::new();
    for step in &old.steps {
        if new.step(&step.id).is_none() {
            let skip = not_past(people, &step.id);
            notes.push(format!(
                "{} removed: {skip} people skip it, {} are past it",
                step.id,
                people.len() - skip
            ));
        }
    }
    for (position, step) in new.steps.iter().enumerate() {
        let Some((before_at, was)) = old.step(&step.id) else {
            notes.push(format!("{} added", step.id));
            continue;
        };
        if was != step {
            notes.push(format!(
                "{} changed: {} people have not reached it",
                step.id,
                not_past(people, &step.id)
            ));
        } else if position != before_at && step_ids(old).len() == step_ids(new).len() {
            notes.push(format!("{} moved", step.id));
        }
    }
    for (path, text) in &file.files {
        if path.starts_with("templates/") && before.files.get(path) != Some(text) {
            notes.push(format!("{path} changed"));
        }
    }
    notes
}

fn not_past(people: &[EnrollmentRecord], step: &StepId) -> usize {
    people.iter().filter(|record| record.state.outcome_of(step).is_none()).count()
}
