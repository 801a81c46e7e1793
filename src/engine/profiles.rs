//! Buyer profiles against people: who of a list would fit, and what earned replies.

use super::{Engine, EngineError};
use crate::domain::facts::Facts;
use crate::domain::ids::ProspectId;
use crate::domain::learn::{Exposure, Learning};
use crate::domain::profile::{Evaluation, Fit, Profile, evaluate};
use crate::domain::prospect::Prospect;
use crate::domain::trial::Trial;
use crate::formats::profile_file;

/// People that are read at a time.
const BATCH: usize = 500;

/// Entries that are read at a time.
const PAGE: u32 = 2_000;

/// How one person stands to one applied profile.
pub struct Standing {
    pub profile: Profile,
    /// The digest of the applied version.
    pub digest: String,
    pub evaluation: Evaluation,
    /// Of all profiles this one fits best.
    pub is_best: bool,
}

impl Engine {
    /// Holds everybody on a list against profiles.
    ///
    /// # Errors
    /// There is no such list, or the store failed.
    pub async fn try_on_list<'a>(
        &self,
        name: &str,
        profiles: &'a [Profile],
    ) -> Result<Trial<'a>, EngineError> {
        let Some(list) = self.store.list(name).await? else {
            return Err(self.no_list(name).await?);
        };
        let people = self.store.list_prospects(list.id).await?;
        self.try_on(&people, profiles).await
    }

    /// Holds everybody there is against profiles.
    ///
    /// # Errors
    /// The store failed.
    pub async fn try_on_everybody<'a>(
        &self,
        profiles: &'a [Profile],
    ) -> Result<Trial<'a>, EngineError> {
        let people = self.store.all_prospects().await?;
        self.try_on(&people, profiles).await
    }

    async fn try_on<'a>(
        &self,
        people: &[ProspectId],
        profiles: &'a [Profile],
    ) -> Result<Trial<'a>, EngineError> {
        let mut trial = Trial::new(profiles);
        for batch in people.chunks(BATCH) {
            self.store.prospects(batch).await?.iter().for_each(|prospect| trial.add(prospect));
        }
        Ok(trial)
    }

    pub(super) async fn no_list(&self, name: &str) -> Result<EngineError, EngineError> {
        const SHOWN: usize = 10;
        let lists = self.store.lists().await?;
        let names: Vec<&str> = lists.iter().map(|list| list.name.as_str()).take(SHOWN).collect();
        let hint = match (names.is_empty(), lists.len().saturating_sub(SHOWN)) {
            (true, _) => " yet: `firsttouch import FILE.csv` makes one".to_owned(),
            (false, 0) => format!("; the lists are: {}", names.join(", ")),
            (false, more) => format!("; the lists are: {} and {more} more", names.join(", ")),
        };
        Ok(EngineError::NotFound { what: "list", name: name.to_owned(), hint })
    }

    /// What earned replies, profile by profile, from everybody who was touched.
    ///
    /// # Errors
    /// The store failed.
    pub async fn learn(&self, profiles: &[Profile]) -> Result<Vec<Learning>, EngineError> {
        let exposure = self.exposure().await?;
        let touched: Vec<ProspectId> = exposure.touched().collect();
        let mut learnings: Vec<Learning> = profiles.iter().map(Learning::new).collect();
        for batch in touched.chunks(BATCH) {
            for prospect in self.store.prospects(batch).await? {
                let facts = Facts::of(&prospect);
                let has_replied = exposure.has_replied(prospect.id);
                learnings.iter_mut().for_each(|learning| learning.add(&facts, has_replied));
            }
        }
        Ok(learnings)
    }

    async fn exposure(&self) -> Result<Exposure, EngineError> {
        let mut exposure = Exposure::default();
        let mut last = 0;
        loop {
            let (entries, behind) = self.store.log_after(last, PAGE).await?;
            if entries.is_empty() {
                return Ok(exposure);
            }
            entries.iter().for_each(|entry| exposure.add(entry));
            last = behind;
        }
    }

    /// How a person stands to each applied profile.
    ///
    /// # Errors
    /// The store failed.
    pub async fn standings(&self, prospect: &Prospect) -> Result<Vec<Standing>, EngineError> {
        let facts = Facts::of(prospect);
        let records = self.store.current_profiles().await?;
        let parsed = records.into_iter().filter_map(|record| {
            let (profile, _) = profile_file::parse(&record.path, &record.text).ok()?;
            let evaluation = evaluate(&profile, &facts);
            Some(Standing { profile, digest: record.digest, evaluation, is_best: false })
        });
        let mut standings: Vec<Standing> = parsed.collect();
        let scores = standings.iter().enumerate().filter_map(|(at, standing)| {
            let Fit::Fits { score } = standing.evaluation.fit else { return None };
            Some((std::cmp::Reverse(score), at))
        });
        let best = scores.min().map(|(_, at)| at);
        if let Some(best) = best.and_then(|at| standings.get_mut(at)) {
            best.is_best = true;
        }
        Ok(standings)
    }

    /// The names of the lists that a person is on, oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn lists_of(&self, prospect: ProspectId) -> Result<Vec<String>, EngineError> {
        let lists = self.store.lists_of(prospect).await?;
        Ok(lists.into_iter().map(|list| list.name).collect())
    }
}
