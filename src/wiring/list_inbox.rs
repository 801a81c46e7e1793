//! The watched folder: whoever drops a list into it has it imported once it is complete, unattended.
//!
//! A list in `lists/inbox/` goes to the rep of the settings, one in `lists/inbox/<rep>/` to that rep.
//! What was imported is moved to `lists/done/`, what cannot be to `lists/failed/`, with a report beside
//! it. The same content is never imported twice: a crash between the import and the move does no harm.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::list_file::ListFile;
use super::lists::{self, Asked, ImportError, Imported, Progress};
use crate::config::ListsConfig;
use crate::domain::ids::RepId;
use crate::domain::prospect::Relationship;
use crate::engine::import::{ImportReport, Mode, OnDuplicate};
use crate::engine::{Engine, EngineError};
use crate::ports::ImportStatus;

/// A file that has not changed for so long is complete.
const COMPLETE_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// Beats of the daemon between two looks.
const LOOK_EVERY: u64 = 3;

/// Files that one look takes up.
const AT_ONCE: usize = 1_000;

/// Endings of files that a browser or a copy has not finished.
const UNFINISHED: [&str; 6] =
    [".part", ".partial", ".tmp", ".crdownload", ".download", ".filepart"];

/// Puts a report into words.
pub type Words = fn(&ImportReport, Option<&Path>) -> String;

/// The folder and what is known of the files in it.
pub struct ListInbox {
    engine: Arc<Engine>,
    root: PathBuf,
    settings: ListsConfig,
    words: Words,
    /// Length and time of change of each file, and since when they are so.
    seen: BTreeMap<PathBuf, (u64, Option<SystemTime>, Timestamp)>,
}

/// What becomes of a file.
enum Fate {
    Done {
        name: String,
        report: String,
    },
    Failed {
        report: String,
    },
    /// Nothing is wrong with it: it is tried again.
    Later(String),
}

struct WhileRunning<'a>(&'a Engine);

impl Progress for WhileRunning<'_> {
    fn stops(&self) -> bool {
        self.0.is_stopping()
    }
}

impl ListInbox {
    /// Watches `lists/inbox/` of a workspace; the folder is made if it is not there.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(
        engine: Arc<Engine>,
        workspace: &Path,
        settings: ListsConfig,
        words: Words,
    ) -> std::io::Result<Self> {
        let root = workspace.join("lists");
        fs::create_dir_all(root.join("inbox"))?;
        Ok(Self { engine, root, settings, words, seen: BTreeMap::new() })
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

    /// Takes up every file that is complete.
    pub async fn look(&mut self) {
        let now = self.engine.now();
        for (path, owner) in self.complete(now) {
            if self.engine.is_stopping() {
                return;
            }
            let fate = self.take(&path, owner).await;
            self.seen.remove(&path);
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let file = file.unwrap_or_default();
            match self.put_away(&path, &file, fate) {
                Ok(None) => {}
                Ok(Some(to)) => tracing::info!(file, to = %to.display(), "a list was taken up"),
                Err(error) => {
                    tracing::error!(file, %error, "a list could not be moved out of lists/inbox/");
                }
            }
        }
    }

    /// Files that have not changed for a while, with the rep in whose folder they lie.
    fn complete(&mut self, now: Timestamp) -> Vec<(PathBuf, Option<RepId>)> {
        let inbox = self.root.join("inbox");
        let mut found = files_in(&inbox).into_iter().map(|path| (path, None)).collect::<Vec<_>>();
        for folder in folders_in(&inbox) {
            let rep = folder.file_name().map(|name| RepId(name.to_string_lossy().into_owned()));
            found.extend(files_in(&folder).into_iter().map(|path| (path, rep.clone())));
        }
        let before = std::mem::take(&mut self.seen);
        let mut complete = Vec::new();
        for (path, owner) in found.into_iter().take(AT_ONCE) {
            let Ok(meta) = fs::metadata(&path) else { continue };
            let looks = (meta.len(), meta.modified().ok());
            let since = match before.get(&path) {
                Some((length, modified, since)) if (*length, *modified) == looks => *since,
                _ => now,
            };
            self.seen.insert(path.clone(), (looks.0, looks.1, since));
            if since.duration_until(now) >= COMPLETE_AFTER {
                complete.push((path, owner));
            }
        }
        complete
    }

    async fn take(&self, path: &Path, owner: Option<RepId>) -> Fate {
        let list = match ListFile::open(path) {
            Ok(list) => list,
            Err(error) => return Fate::Failed { report: format!("{error}\n") },
        };
        match self.imported_before(&list).await {
            Ok(None) => {}
            Ok(Some(name)) => {
                let report = format!(
                    "Nothing was imported: the same content came in with import {name} already.\n"
                );
                return Fate::Done { name, report };
            }
            Err(error) => return Fate::Later(error.to_string()),
        }
        let asked = Asked {
            list: None,
            owner: owner.or_else(|| self.settings.owner.clone()),
            default_country: self.settings.default_country.clone(),
            map: Vec::new(),
            synonyms: lists::own_synonyms(self.root.parent().unwrap_or(Path::new(""))),
            on_duplicate: OnDuplicate::Fill,
            relationship: Relationship::Prospect,
            mode: Mode::Commit,
        };
        let done = self.root.join("done");
        let mut progress = WhileRunning(&self.engine);
        match lists::import(&self.engine, &list, &asked, Some(&done), &mut progress).await {
            Ok(Imported { report, .. }) if report.stopped => {
                Fate::Later("the daemon stops; it goes on with the next start".to_owned())
            }
            Ok(Imported { report, to_mend }) => {
                let words = (self.words)(&report, to_mend.as_deref());
                Fate::Done { name: report.import, report: words }
            }
            Err(ImportError::Engine(EngineError::Store(error))) => Fate::Later(error.to_string()),
            Err(ImportError::Engine(EngineError::Busy(error))) => Fate::Later(error),
            Err(error) => Fate::Failed { report: format!("{error}\n") },
        }
    }

    async fn imported_before(&self, list: &ListFile) -> Result<Option<String>, EngineError> {
        let earlier = self.engine.store.imports_of(&list.digest).await?;
        let done = earlier.into_iter().find(|import| import.status == ImportStatus::Done);
        Ok(done.map(|import| import.name))
    }

    /// Moves a file to where it belongs, with its report beside it; where it is then.
    fn put_away(&self, path: &Path, file: &str, fate: Fate) -> std::io::Result<Option<PathBuf>> {
        let (folder, name, report) = match fate {
            Fate::Later(why) => {
                tracing::warn!(file, why, "a list waits");
                return Ok(None);
            }
            Fate::Done { name, report } => ("done", format!("{name}-{file}"), report),
            Fate::Failed { report } => {
                tracing::warn!(file, "a list could not be imported: see lists/failed/");
                ("failed", file.to_owned(), report)
            }
        };
        let folder = self.root.join(folder);
        fs::create_dir_all(&folder)?;
        let to = free(&folder, &name);
        let mut beside = to.clone().into_os_string();
        beside.push(".report.txt");
        fs::write(beside, report)?;
        fs::rename(path, &to)?;
        Ok(Some(to))
    }
}

/// A name that is not taken.
fn free(folder: &Path, name: &str) -> PathBuf {
    let numbered = |n: u32| match n {
        0 => folder.join(name),
        n => folder.join(format!("{n}-{name}")),
    };
    (0..10_000).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| folder.join(name))
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    entries(folder, |kind| kind.is_file())
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    entries(folder, |kind| kind.is_dir())
}

/// What lies in a folder, by name; hidden and unfinished things are left alone, and so are links.
fn entries(folder: &Path, wanted: impl Fn(&fs::FileType) -> bool) -> Vec<PathBuf> {
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let is_wanted = |entry: &fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let hidden = name.starts_with('.') || name.ends_with('~');
        let unfinished = UNFINISHED.iter().any(|ending| name.ends_with(ending));
        !hidden && !unfinished && entry.file_type().is_ok_and(|kind| wanted(&kind))
    };
    let found = found.flatten().filter(is_wanted).map(|entry| entry.path());
    let mut found: Vec<PathBuf> = found.collect();
    found.sort();
    found
}
