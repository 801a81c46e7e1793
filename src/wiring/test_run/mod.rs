//! Tests of cadences: the engine of `run` over a store in memory, on a clock that jumps from one wake to
//! the next, with one person who does what a test says. No database is opened, and nothing is sent.

use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use crate::domain::budget::Ramp;
use crate::domain::settings::Settings;
use crate::domain::test_case::{Deed, Standing, TestCase, TestFile};
use crate::engine::EngineError;
use crate::engine::collect::CollectError;
use crate::engine::workspace::Workspace;
use crate::ports::StoreError;

mod cast;
mod hands;
mod stage;
mod story;

/// What came of one test, before anybody holds it against what was expected.
#[derive(Debug, Clone, Default)]
pub struct Played {
    pub deeds: Vec<Deed>,
    /// Whether the cadence counts days at all, so that their numbers mean something.
    pub counts_days: bool,
    /// What came in, and what else is good to know, in words; by the clock of the person.
    pub notes: Vec<(DateTime, String)>,
    /// Why the person was not let in.
    pub not_enrolled: Option<String>,
    /// How the enrollment stands; `None` when there is none.
    pub stands: Option<Standing>,
    /// What the test says and nobody asked for, and what was read as something else.
    pub complaints: Vec<String>,
}

impl Played {
    /// What is wrong beside the timeline, in sentences.
    pub fn complaints(&self, test: &TestCase) -> Vec<String> {
        if let Some(why) = &self.not_enrolled {
            return match &test.not_enrolled {
                Some(wanted) if why.contains(wanted.as_str()) => Vec::new(),
                Some(wanted) => {
                    vec![format!("not enrolled, but for another reason than `{wanted}`: {why}")]
                }
                None => vec![format!("the person was not enrolled: {why}")],
            };
        }
        let let_in = test.not_enrolled.as_ref();
        let let_in = let_in.map(|_| "the person was enrolled, and should not have been".to_owned());
        let stands = self.stands.zip(test.ends).filter(|(stands, wanted)| stands != wanted);
        let stands = stands.map(|(stands, wanted)| {
            format!("it ends as `{}`, not as `{}`", stands.as_str(), wanted.as_str())
        });
        let_in.into_iter().chain(stands).chain(self.complaints.iter().cloned()).collect()
    }
}

/// What can stop a test.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Collect(#[from] CollectError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no mailbox, so there is no rep whose prospect this could be")]
    NoRep,
    #[error("every role is vacant, so there is nobody")]
    Nobody,
    #[error("the cadence `{0}` is not there")]
    NoCadence(String),
}

/// The same for every test on every machine.
const SEED: u64 = 1;

/// Settings in which one person alone is never held up by a mailbox.
pub fn settings(settings: Settings) -> Settings {
    let mut settings = super::simulate::settings(settings, SEED);
    for mailbox in settings.mailboxes.values_mut() {
        mailbox.daily_limit = mailbox.daily_limit.max(1_000);
        mailbox.ramp = Ramp { start: mailbox.daily_limit, add_per_day: 0 };
        mailbox.gap = (SignedDuration::from_secs(1), SignedDuration::from_secs(1));
    }
    settings
}

/// Runs one test to its end.
///
/// # Errors
/// The engine or its store failed.
pub async fn play(
    settings: &Settings,
    workspace: &Workspace,
    file: &TestFile,
    test: &TestCase,
) -> Result<Played, TestError> {
    let mut settings = settings.clone();
    for clockwork in settings.calendars.values_mut() {
        clockwork.calendar.holidays.extend(test.holidays.iter().copied());
    }
    let stage = stage::Stage::set(Arc::new(settings), workspace, file, test).await?;
    stage.play().await
}

/// The instant that a clock on the wall shows, in a zone.
fn instant(at: DateTime, zone: &jiff::tz::TimeZone) -> Timestamp {
    at.to_zoned(zone.clone()).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}
