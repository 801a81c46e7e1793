//! The watched files: what a team changes is applied once it is clean and has been quiet for a moment;
//! otherwise what ran before goes on, and the log says so once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use super::files;
use crate::engine::plan::Kind;
use crate::engine::workspace::{self, Files, digest};
use crate::engine::{Engine, EngineError};
use crate::formats::diagnostic::Severity;

/// Beats of the daemon between two looks; files are quiet when two looks find the same.
const LOOK_EVERY: u64 = 2;

/// The name under which the daemon applies.
const ACTOR: &str = "run --watch";

/// The files of a workspace and what was last done about them.
pub struct Repo {
    engine: Arc<Engine>,
    workspace: PathBuf,
    calendars: BTreeSet<String>,
    /// What the last look found.
    seen: Option<String>,
    /// What was applied, or found unfit and said so.
    settled: Option<String>,
}

/// What became of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// They are what was settled before, or are still being written.
    Nothing,
    /// They are what runs already.
    Same,
    Applied,
    /// What ran before goes on, because of this.
    Kept(String),
}

impl Repo {
    /// Watches the files of a workspace, which are checked against these calendars.
    pub fn new(engine: Arc<Engine>, workspace: &Path, calendars: BTreeSet<String>) -> Self {
        Self { engine, workspace: workspace.to_owned(), calendars, seen: None, settled: None }
    }

    /// Looks every few beats until the engine stops.
    pub async fn watch(mut self, mut tick: watch::Receiver<u64>) {
        let mut beats = 0;
        while !self.engine.is_stopping() {
            if beats % LOOK_EVERY == 0 {
                self.look().await;
            }
            beats += 1;
            if tick.changed().await.is_err() {
                return;
            }
        }
    }

    /// Applies the files when they are quiet, new and clean.
    pub async fn look(&mut self) -> Outcome {
        let found = files(&self.workspace).map_err(|error| error.to_string());
        let mark = match &found {
            Ok(files) => digest(files.texts.iter().flat_map(|(path, text)| [path, text])),
            Err(error) => error.clone(),
        };
        let is_quiet = self.seen.as_ref() == Some(&mark);
        self.seen = Some(mark.clone());
        if !is_quiet || self.settled.as_ref() == Some(&mark) {
            return Outcome::Nothing;
        }
        let done = match found {
            Ok(files) => self.take(&files).await,
            Err(error) => Ok(Outcome::Kept(error)),
        };
        match done {
            Ok(outcome) => {
                self.settled = Some(mark);
                if let Outcome::Kept(why) = &outcome {
                    tracing::error!("the files are not applied, what ran before goes on: {why}");
                }
                outcome
            }
            // The files may be fit: the next look tries again.
            Err(error) => {
                tracing::error!(%error, "the files could not be applied; it is tried again");
                Outcome::Nothing
            }
        }
    }

    async fn take(&self, files: &Files) -> Result<Outcome, EngineError> {
        let (checked, findings) = workspace::check(files, &self.calendars);
        let Some(checked) = checked else {
            let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
            let first = errors.clone().next().map(ToString::to_string).unwrap_or_default();
            let n = errors.count();
            return Ok(Outcome::Kept(format!(
                "`firsttouch check` finds {n} errors, the first: {first}"
            )));
        };
        let plan = self.engine.plan(&checked).await?;
        if plan.is_empty() {
            return Ok(Outcome::Same);
        }
        let undecided = plan.undecided();
        if !undecided.is_empty() {
            let each = undecided
                .iter()
                .map(|one| format!("{} ({} people under way)", one.cadence, one.people.under_way));
            return Ok(Outcome::Kept(format!(
                "steps were added, removed or reordered in {}; somebody has to type `firsttouch \
                 apply --in-flight move` or `--in-flight stay`; `firsttouch plan` says whom it touches",
                each.collect::<Vec<_>>().join(", ")
            )));
        }
        let plan = self.engine.apply_by(&checked, None, ACTOR).await?;
        for one in plan.cadences.iter().filter(|one| one.kind != Kind::Unchanged) {
            let version = one.digest.as_deref().unwrap_or("none, taken out");
            let (cadence, people) = (&one.cadence, one.people.under_way);
            tracing::info!(cadence, version, people, by = ACTOR, "applied");
        }
        for (profile, _) in &plan.profiles {
            tracing::info!(profile, by = ACTOR, "applied");
        }
        Ok(Outcome::Applied)
    }
}
