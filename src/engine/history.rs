//! Looking back at the versions of a cadence, and at what differs between two of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::plan::{Edition, differences};
use super::workspace::Workspace;
use super::{Engine, EngineError};
use crate::domain::ids::CadenceId;
use crate::formats::cadence_file::changes::{Aspect, Change};
use crate::ports::{AppliedRecord, VersionRecord};

/// Digits of a digest that people see and type.
pub const SHORT: usize = 8;

/// One time that a cadence was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// 1 is the first.
    pub number: usize,
    pub at: Timestamp,
    pub by: String,
    /// `None` when the cadence was taken out.
    pub digest: Option<String>,
    /// What changed, in one line.
    pub summary: String,
    /// Whether it is what people are enrolled in now.
    pub is_current: bool,
    /// Who is under way on this version now.
    pub people: usize,
}

/// What differs between two versions.
#[derive(Debug, Clone)]
pub struct Difference {
    pub before: Side,
    pub after: Side,
    pub changes: Vec<Change>,
}

/// One of two versions that are compared.
#[derive(Debug, Clone)]
pub struct Side {
    pub digest: String,
    pub files: BTreeMap<String, String>,
}

impl Engine {
    /// Every time that a cadence was applied, oldest first.
    ///
    /// # Errors
    /// It was never applied.
    pub async fn history(&self, cadence: &CadenceId) -> Result<Vec<Applied>, EngineError> {
        let records = self.applications(cadence).await?;
        let current = self.current_digest(cadence).await?;
        let people = self.in_flight(cadence).await?;
        let newest = records.iter().rposition(|record| record.digest == current);
        let mut lines = Vec::new();
        for (at, record) in records.iter().enumerate() {
            let on_it = |digest: &String| {
                let is_last =
                    !records.iter().skip(at + 1).any(|later| later.digest == record.digest);
                // A version that came back has its people in one line only.
                if is_last { people.iter().filter(|one| one.digest == *digest).count() } else { 0 }
            };
            lines.push(Applied {
                number: at + 1,
                at: record.at,
                by: record.by.clone(),
                digest: record.digest.clone(),
                summary: self.summary(records.get(..at).unwrap_or_default(), record).await?,
                is_current: current.is_some() && newest == Some(at),
                people: record.digest.as_ref().map_or(0, on_it),
            });
        }
        Ok(lines)
    }

    /// What differs between two versions: each `current`, `files`, or the first digits of a version.
    ///
    /// # Errors
    /// There is no such version, or there are several.
    pub async fn difference(
        &self,
        cadence: &CadenceId,
        names: [&str; 2],
        workspace: Option<&Workspace>,
    ) -> Result<Difference, EngineError> {
        let file = workspace.and_then(|workspace| {
            let file = workspace.cadences.iter().find(|file| file.cadence.id == *cadence)?;
            Some((file, workspace))
        });
        let mut found = Vec::new();
        for name in names {
            found.push(match name {
                "files" => None,
                _ => {
                    let digest = self.named(cadence, name).await?;
                    Some((self.version(&digest).await?, self.stored(&digest).await?))
                }
            });
        }
        let no_file = || EngineError::NotFound {
            what: "file of cadence",
            name: cadence.0.clone(),
            hint: String::new(),
        };
        let mut editions = Vec::new();
        for version in &found {
            editions.push(match (version, file) {
                (Some((version, record)), _) => {
                    (record.digest.clone(), Edition::of_version(version, record))
                }
                (None, Some((file, workspace))) => {
                    (file.digest.clone(), Edition::of_files(file, workspace))
                }
                (None, None) => return Err(no_file()),
            });
        }
        let [(old, before), (new, after)] = editions.as_slice() else { return Err(no_file()) };
        let side = |digest: &String, edition: &Edition| Side {
            digest: digest.clone(),
            files: edition.files.clone(),
        };
        let changes = differences(before, after);
        Ok(Difference { before: side(old, before), after: side(new, after), changes })
    }

    async fn applications(&self, cadence: &CadenceId) -> Result<Vec<AppliedRecord>, EngineError> {
        let records = self.store.applications(cadence).await?;
        if !records.is_empty() {
            return Ok(records);
        }
        let current = self.store.current_cadences().await?;
        let known: Vec<&str> = current.iter().map(|version| version.cadence.as_str()).collect();
        let hint = match known.is_empty() {
            true => " yet: run `firsttouch apply` first".to_owned(),
            false => format!("; applied are: {}", known.join(", ")),
        };
        Err(EngineError::NotFound { what: "applied cadence", name: cadence.0.clone(), hint })
    }

    async fn current_digest(&self, cadence: &CadenceId) -> Result<Option<String>, EngineError> {
        let current = self.store.current_cadences().await?;
        let found = current.into_iter().find(|version| version.cadence == *cadence);
        Ok(found.map(|version| version.digest))
    }

    async fn stored(&self, digest: &str) -> Result<VersionRecord, EngineError> {
        let missing = || EngineError::Version {
            digest: digest.to_owned(),
            detail: "it is not in the database".to_owned(),
        };
        self.store.cadence_version(digest).await?.ok_or_else(missing)
    }

    /// The digest that somebody means.
    async fn named(&self, cadence: &CadenceId, name: &str) -> Result<String, EngineError> {
        let records = self.applications(cadence).await?;
        let mut known: Vec<&str> = Vec::new();
        for digest in records.iter().filter_map(|record| record.digest.as_deref()) {
            if !known.contains(&digest) {
                known.push(digest);
            }
        }
        let current = self.current_digest(cadence).await?;
        if let ("current", Some(current)) = (name, current) {
            return Ok(current);
        }
        let fits: Vec<&&str> = known.iter().filter(|digest| digest.starts_with(name)).collect();
        if let ([only], true) = (fits.as_slice(), name.len() >= 4) {
            return Ok((**only).to_owned());
        }
        let known: Vec<&str> = known.iter().map(|digest| short(digest)).collect();
        Err(EngineError::NotFound {
            what: "version",
            name: name.to_owned(),
            hint: format!(
                " of {cadence}: give `current`, `files`, or at least four digits of one of {}",
                known.join(", ")
            ),
        })
    }

    async fn summary(
        &self,
        earlier: &[AppliedRecord],
        record: &AppliedRecord,
    ) -> Result<String, EngineError> {
        let Some(digest) = &record.digest else {
            return Ok("taken out: its file was gone".to_owned());
        };
        let Some(before) = earlier.iter().rev().find_map(|record| record.digest.as_ref()) else {
            return Ok("first version".to_owned());
        };
        if before == digest {
            return Ok("the same version again".to_owned());
        }
        if earlier.iter().any(|record| record.digest.as_ref() == Some(digest)) {
            return Ok(format!("back to {}", short(digest)));
        }
        // A version that this program cannot read any more is still told.
        let (Ok(old), Ok(new)) = (self.version(before).await, self.version(digest).await) else {
            return Ok("cannot be compared by this program".to_owned());
        };
        let (was, is) = (self.stored(before).await?, self.stored(digest).await?);
        let found = differences(&Edition::of_version(&old, &was), &Edition::of_version(&new, &is));
        Ok(in_one_line(&found))
    }
}

/// The first digits of a digest.
pub fn short(digest: &str) -> &str {
    digest.get(..SHORT).unwrap_or(digest)
}

/// `email-3 text, call-4 removed, send_window`.
fn in_one_line(changes: &[Change]) -> String {
    let word = |change: &Change| match (&change.step, change.aspect) {
        (Some(step), Aspect::Setting) => format!("{step} {}", change.key),
        (Some(step), aspect) => format!("{step} {}", aspect.as_str()),
        (None, _) => change.key.clone(),
    };
    let mut seen = BTreeSet::new();
    let words = changes.iter().map(word).filter(|word| seen.insert(word.clone()));
    let words: Vec<String> = words.collect();
    match words.is_empty() {
        true => "only comments, layout or texts that no step uses".to_owned(),
        false => words.join(", "),
    }
}
