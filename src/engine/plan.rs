//! What applying the files would change, and which people each change touches.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::workspace::{CadenceFile, Version, Workspace, templates_of};
use super::{Engine, EngineError};
use crate::domain::cadence::{Cadence, EnrollWhen, Step};
use crate::domain::enrollment::{self, Course, Dates, Phase, ahead};
use crate::domain::ids::{CadenceId, StepId};
use crate::formats::cadence_file::changes::{Aspect, Change, changes};
use crate::formats::template::TemplateSet;
use crate::ports::{EnrollmentRecord, VersionRecord};

/// What applying the files would change.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub cadences: Vec<CadencePlan>,
    /// Profiles that differ; they count for whoever is enrolled from then on.
    pub profiles: Vec<(String, ProfileChange)>,
}

/// How a profile differs from what counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileChange {
    New,
    Changed,
    /// Its file is gone.
    Removed,
}

/// What applying one cadence would change.
#[derive(Debug, Clone)]
pub struct CadencePlan {
    pub cadence: String,
    /// The version that runs.
    pub before: Option<String>,
    /// The version of the files; `None` when there is none any more.
    pub digest: Option<String>,
    pub kind: Kind,
    pub lines: Vec<Line>,
    pub people: People,
}

/// How a cadence differs from what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    New,
    Unchanged,
    /// Texts, times and the like: people in flight get them for steps that they have not reached.
    Content,
    /// Steps were added, removed or reordered: somebody must say what people in flight do.
    Structure,
    /// Its file is gone: people in flight go on, nobody new comes in.
    Removed,
}

/// The people under way in a cadence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// On the version that runs, wherever they stand.
    pub under_way: usize,
    /// Those of them who wait for a step or are at one: what they do has to be decided.
    pub to_decide: usize,
    /// Those of them who finish their version in any case: what they are at is gone from the new one.
    pub held: usize,
    /// On earlier versions, which they finish.
    pub on_earlier: usize,
    /// How many stand at each step, in the order of the steps.
    pub positions: Vec<(String, usize)>,
    /// Who is for the cadence already by the fields that it now waits for, and does not come in by itself.
    pub met: usize,
}

/// One difference, and whom it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub change: Change,
    pub reach: Reach,
}

/// Whom a difference touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nobody's steps.
    Nobody,
    /// Only who is enrolled from then on.
    NewPeople,
    /// Everybody under way, from then on.
    UnderWay(usize),
    /// By where they stand: they get the step as it is then, they never get it, they are past it.
    Step { get: usize, skip: usize, past: usize },
}

impl Plan {
    /// Whether applying would change anything.
    pub fn is_empty(&self) -> bool {
        let unchanged = self.cadences.iter().all(|plan| plan.kind == Kind::Unchanged);
        unchanged && self.profiles.is_empty()
    }

    /// The cadences for which `--in-flight` has to be given.
    pub fn undecided(&self) -> Vec<&CadencePlan> {
        self.cadences.iter().filter(|plan| plan.is_undecided()).collect()
    }
}

impl CadencePlan {
    /// Whether somebody has to say what people in flight do.
    pub fn is_undecided(&self) -> bool {
        self.kind == Kind::Structure && self.people.to_decide > 0
    }
}

/// A version with its texts, applied or not.
pub(super) struct Edition<'a> {
    pub cadence: &'a Cadence,
    pub templates: &'a TemplateSet,
    pub files: &'a BTreeMap<String, String>,
}

impl<'a> Edition<'a> {
    pub(super) fn of_version(version: &'a Version, record: &'a VersionRecord) -> Self {
        let Version { cadence, templates } = version;
        Self { cadence, templates, files: &record.files }
    }

    pub(super) fn of_files(file: &'a CadenceFile, workspace: &'a Workspace) -> Self {
        Self { cadence: &file.cadence, templates: &workspace.templates, files: &file.files }
    }

    /// The files from which a step takes its words.
    fn texts_of(&self, step: &Step) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        for name in templates_of(&step.what) {
            let partials = self.templates.get(&name).map(|template| template.partials.clone());
            let partials = partials.unwrap_or_default().into_iter();
            paths.extend(partials.map(|partial| format!("templates/partials/{partial}.hbs")));
            paths.insert(format!("templates/{name}.hbs"));
        }
        paths
    }
}

/// Everything that differs between two versions: what the cadence says, then whose words have changed.
pub(super) fn differences(before: &Edition, after: &Edition) -> Vec<Change> {
    let mut found = changes(before.cadence, after.cadence);
    for step in &after.cadence.steps {
        let Some((_, was)) = before.cadence.step(&step.id) else { continue };
        let common = before.texts_of(was).into_iter().filter(|path| after.files.contains_key(path));
        let differs = |path: &String| match (before.files.get(path), after.files.get(path)) {
            (Some(was), Some(is)) => was != is,
            _ => false,
        };
        let step = Some(step.id.clone());
        let change = |key| Change {
            step: step.clone(),
            aspect: Aspect::Text,
            key,
            before: None,
            after: None,
        };
        found.extend(common.filter(differs).map(change));
    }
    found
}

/// One person of the version that runs: what was before them, and what would be.
struct Standing {
    at: Option<StepId>,
    was_ahead: BTreeSet<StepId>,
    is_ahead: BTreeSet<StepId>,
}

impl Engine {
    /// Compares the files with what runs.
    ///
    /// # Errors
    /// The store failed, or an applied version does not run any more.
    pub async fn plan(&self, workspace: &Workspace) -> Result<Plan, EngineError> {
        let running = self.store.current_cadences().await?;
        let mut plan = Plan::default();
        for file in &workspace.cadences {
            let before = running.iter().find(|version| version.cadence == file.cadence.id);
            plan.cadences.push(self.plan_one(workspace, file, before).await?);
        }
        let has_file = |version: &&VersionRecord| {
            workspace.cadences.iter().any(|file| file.cadence.id == version.cadence)
        };
        for gone in running.iter().filter(|version| !has_file(version)) {
            plan.cadences.push(self.plan_gone(gone).await?);
        }
        plan.profiles = self.plan_profiles(workspace).await?;
        Ok(plan)
    }

    async fn plan_profiles(
        &self,
        workspace: &Workspace,
    ) -> Result<Vec<(String, ProfileChange)>, EngineError> {
        let known = self.store.current_profiles().await?;
        let mut found = Vec::new();
        for file in &workspace.profiles {
            let change = match known.iter().find(|known| known.profile == file.profile.id) {
                None => ProfileChange::New,
                Some(known) if known.digest != file.digest => ProfileChange::Changed,
                Some(_) => continue,
            };
            found.push((file.profile.id.0.clone(), change));
        }
        for known in known {
            if !workspace.profiles.iter().any(|file| file.profile.id == known.profile) {
                found.push((known.profile.0, ProfileChange::Removed));
            }
        }
        Ok(found)
    }

    async fn plan_one(
        &self,
        workspace: &Workspace,
        file: &CadenceFile,
        before: Option<&VersionRecord>,
    ) -> Result<CadencePlan, EngineError> {
        let mut plan = CadencePlan {
            cadence: file.cadence.id.0.clone(),
            before: before.map(|before| before.digest.clone()),
            digest: Some(file.digest.clone()),
            kind: Kind::New,
            lines: Vec::new(),
            people: People::default(),
        };
        let Some(before) = before.filter(|before| before.digest != file.digest) else {
            plan.kind = if before.is_some() { Kind::Unchanged } else { Kind::New };
            if before.is_none() {
                plan.people.on_earlier = self.in_flight(&file.cadence.id).await?.len();
                plan.people.met = self.met_already(&file.cadence).await?;
            }
            return Ok(plan);
        };
        let old = self.version(&before.digest).await?;
        let people = self.in_flight(&file.cadence.id).await?;
        let (people, earlier): (Vec<_>, Vec<_>) =
            people.into_iter().partition(|record| record.digest == before.digest);
        let standings = self.standings_in(&old.cadence, &file.cadence, &people)?;
        plan.people = counted(&old.cadence, &people, standings.len());
        plan.people.on_earlier = earlier.len();
        if old.cadence.enroll_when != file.cadence.enroll_when {
            plan.people.met = self.met_already(&file.cadence).await?;
        }
        let found =
            differences(&Edition::of_version(&old, before), &Edition::of_files(file, workspace));
        let is_structure = found.iter().any(|change| change.aspect.is_of_structure());
        plan.kind = if is_structure { Kind::Structure } else { Kind::Content };
        plan.lines = found.into_iter().map(|change| line(change, &standings)).collect();
        Ok(plan)
    }

    /// Counts only where the cadence waits for fields: everybody is looked at.
    async fn met_already(&self, cadence: &Cadence) -> Result<usize, EngineError> {
        match cadence.enroll_when {
            EnrollWhen::Field(_) => Ok(self.met(cadence).await?.len()),
            EnrollWhen::Manual | EnrollWhen::Event(_) => Ok(0),
        }
    }

    async fn plan_gone(&self, gone: &VersionRecord) -> Result<CadencePlan, EngineError> {
        let version = self.version(&gone.digest).await?;
        let people = self.in_flight(&gone.cadence).await?;
        Ok(CadencePlan {
            cadence: gone.cadence.0.clone(),
            before: Some(gone.digest.clone()),
            digest: None,
            kind: Kind::Removed,
            lines: Vec::new(),
            people: counted(&version.cadence, &people, people.len()),
        })
    }

    /// Everybody under way in a cadence, on whatever version.
    pub(super) async fn in_flight(
        &self,
        cadence: &CadenceId,
    ) -> Result<Vec<EnrollmentRecord>, EngineError> {
        let all = self.store.enrollments_in(cadence).await?;
        let open = |record: &EnrollmentRecord| !matches!(record.state.phase, Phase::Ended { .. });
        Ok(all.into_iter().filter(open).collect())
    }

    /// Where each of these people would stand; whoever finishes the old version is left out.
    fn standings_in(
        &self,
        old: &Cadence,
        new: &Cadence,
        people: &[EnrollmentRecord],
    ) -> Result<Vec<Standing>, EngineError> {
        let clockwork = self.clockwork(&new.calendar)?;
        // Where somebody stands does not depend on their zone and their dates; only the times do.
        let (zone, dates) = (TimeZone::UTC, Dates::new());
        let calendar = &clockwork.calendar;
        let course = Course { cadence: new, calendar, zone: &zone, dates: &dates };
        let now = self.now();
        let standing = |record: &EnrollmentRecord| {
            let state = record.state.clone();
            let (moved, _) = enrollment::relocate(old, &course, state, now)?;
            Some(Standing {
                at: record.state.phase.step().map(|(step, _)| step.clone()),
                was_ahead: ahead(old, &record.state).into_iter().cloned().collect(),
                is_ahead: ahead(new, &moved).into_iter().cloned().collect(),
            })
        };
        Ok(people.iter().filter_map(standing).collect())
    }
}

fn counted(cadence: &Cadence, people: &[EnrollmentRecord], moving: usize) -> People {
    let at = |record: &EnrollmentRecord| record.state.phase.step().map(|(step, _)| step.clone());
    let mut by_step: BTreeMap<StepId, usize> = BTreeMap::new();
    people.iter().filter_map(at).for_each(|step| *by_step.entry(step).or_default() += 1);
    let step = |step: &Step| by_step.get(&step.id).map(|n| (step.id.0.clone(), *n));
    People {
        under_way: people.len(),
        to_decide: by_step.values().sum(),
        held: people.len().saturating_sub(moving),
        on_earlier: 0,
        met: 0,
        positions: cadence.steps.iter().filter_map(step).collect(),
    }
}

fn line(change: Change, standings: &[Standing]) -> Line {
    let reach = match &change.step {
        Some(step) => reach_of(change.aspect, step, standings),
        None if change.key.starts_with("enroll.") => Reach::NewPeople,
        None if matches!(change.key.as_str(), "title" | "about") => Reach::Nobody,
        None => Reach::UnderWay(standings.len()),
    };
    Line { change, reach }
}

fn reach_of(aspect: Aspect, step: &StepId, standings: &[Standing]) -> Reach {
    let get = standings.iter().filter(|standing| standing.is_ahead.contains(step)).count();
    let skips = |standing: &&Standing| {
        // A task that is open for a removed step is closed.
        let is_at = aspect == Aspect::Removed && standing.at.as_ref() == Some(step);
        !standing.is_ahead.contains(step) && (is_at || standing.was_ahead.contains(step))
    };
    let skip = standings.iter().filter(skips).count();
    Reach::Step { get, skip, past: standings.len() - get - skip }
}
