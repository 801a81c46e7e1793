//! A simulation: the engine of `run` over a store in memory, on a clock that jumps from one wake to the
//! next, among people and reps who behave as somebody assumed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::adapters::clock::SystemClock;
use crate::adapters::simulated::clock::SimulatedClock;
use crate::adapters::simulated::mail::{SimulatedInbox, SimulatedMail, SimulatedMailer};
use crate::adapters::simulated::memory::MemoryStore;
use crate::domain::budget::{Waiting, mix};
use crate::domain::enrollment::Phase;
use crate::domain::forecast::{Assumptions, Run, Waits};
use crate::domain::ids::{CadenceId, EnrollmentId, MailboxId, RepId};
use crate::domain::settings::Settings;
use crate::engine::collect::CollectError;
use crate::engine::enroll::Mode;
use crate::engine::workspace::Workspace;
use crate::engine::{Engine, EngineError, Parts};
use crate::ports::{Clock, EnrollmentRecord, Lane, StoreError};

pub(in crate::wiring) mod cast;
mod forecast;
mod reps;

pub use cast::Cast;
pub use forecast::{Forecast, Remedy, forecast};

/// What is to be simulated.
#[derive(Clone)]
pub struct Scenario {
    pub settings: Arc<Settings>,
    /// The files as they are now, applied or not.
    pub workspace: Arc<Workspace>,
    pub cadence: CadenceId,
    pub cast: Arc<Cast>,
    pub assumed: Assumptions,
    pub begins_on: Date,
    pub days: u32,
    pub seed: u64,
    pub ends: Ends,
    /// Days that are simulated so far, counted for a progress bar.
    pub days_done: Arc<AtomicU64>,
}

/// When a simulation is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// When its days are over.
    OnTime,
    /// On the day on which nobody waits for a first touch any more.
    WhenEverybodyBegan,
}

/// What can stop a simulation.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Collect(#[from] CollectError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the simulation could not start: {0}")]
    Runtime(#[from] std::io::Error),
    #[error("{0} is no day on which a simulation can begin")]
    Begins(Date),
}

/// Inboxes are read when the last time is so long ago (shorter than the reply freshness).
const POLL: SignedDuration = SignedDuration::from_mins(10);

/// Nothing happens in between that only the house knows: deliveries to note.
const HOUSEKEEPING: SignedDuration = SignedDuration::from_hours(24);

/// Simulates from the first day to the last.
///
/// # Errors
/// The engine or its store failed.
pub fn play(scenario: &Scenario) -> Result<Run, SimulateError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let mut stage = Stage::set(scenario).await?;
        while stage.step().await? {}
        Ok(stage.run())
    })
}

struct Stage<'a> {
    scenario: &'a Scenario,
    engine: Engine,
    store: Arc<MemoryStore>,
    clock: Arc<SimulatedClock>,
    mail: Arc<SimulatedMail>,
    ends_at: Timestamp,
    next_session: Timestamp,
    next_housekeeping: Timestamp,
    /// When each mailbox is to be worked again, unless something else happens before.
    again_at: BTreeMap<MailboxId, Timestamp>,
    /// Tasks that each rep has done today.
    done_today: BTreeMap<RepId, u32>,
    run: Run,
}

impl<'a> Stage<'a> {
    async fn set(scenario: &'a Scenario) -> Result<Self, SimulateError> {
        let zone = &scenario.settings.reader_zone;
        let midnight = |date: Date| {
            let zoned = date.to_zoned(zone.clone());
            zoned.map(|zoned| zoned.timestamp()).map_err(|_| SimulateError::Begins(date))
        };
        let begins_at = midnight(scenario.begins_on)?;
        let ends_at = midnight(scenario.begins_on.saturating_add(i64::from(scenario.days).days()))?;
        let clock = Arc::new(SimulatedClock::new(begins_at));
        let store = Arc::new(MemoryStore::default());
        let mail = SimulatedMail::new(scenario.seed, clock.clone(), scenario.assumed);
        let mail = Arc::new(mail);
        let engine = Engine::new(Parts {
            clock: clock.clone(),
            store: store.clone(),
            mailer: Arc::new(SimulatedMailer(mail.clone())),
            inbox: Arc::new(SimulatedInbox(mail.clone())),
            settings: scenario.settings.clone(),
            node: "simulation".to_owned(),
        });
        let again_at =
            scenario.settings.mailboxes.keys().map(|id| (id.clone(), begins_at)).collect();
        let mut stage = Self {
            scenario,
            engine,
            store,
            clock,
            mail,
            ends_at,
            next_session: begins_at,
            next_housekeeping: begins_at,
            again_at,
            done_today: BTreeMap::new(),
            run: Run::default(),
        };
        stage.enroll().await?;
        stage.next_session = stage.session_behind(begins_at - SignedDuration::from_secs(1));
        Ok(stage)
    }

    async fn enroll(&mut self) -> Result<(), SimulateError> {
        self.engine.apply(&self.scenario.workspace, None).await?;
        let people = self.scenario.cast.enter(&self.store, &*self.store).await?;
        let enrolled = self.engine.enroll(&people, &self.scenario.cadence, Mode::Commit).await?;
        self.run.people = enrolled.people as u64;
        self.run.covers_companies = enrolled.accounts > 0;
        let enrollments = if enrolled.accounts > 0 { enrolled.accounts } else { enrolled.enrolled };
        self.run.enrolled = enrollments as u64;
        self.run.skipped = enrolled.skipped.into_iter().map(|(why, n)| (why, n as u64)).collect();
        Ok(())
    }

    /// Lets the next thing happen and sets the clock to the one after it; `false` when the time is over.
    async fn step(&mut self) -> Result<bool, SimulateError> {
        let now = self.engine.now();
        if now >= self.ends_at {
            return Ok(false);
        }
        for mailbox in self.mail.deliver(now) {
            self.engine.collect(&mailbox).await?;
            self.everything_again(now);
        }
        if now >= self.next_session {
            self.session(now).await?;
        }
        let desk = self.engine.store.next_wake(&Lane::Desk).await?;
        if desk.is_some_and(|at| at <= now) {
            self.engine.work_desk().await?;
            self.urgent(now).await?;
            self.everything_again(now);
        }
        self.work_mailboxes(now).await?;
        if now >= self.next_housekeeping {
            self.engine.keep_house().await?;
            self.engine.release_its_own().await?;
            self.next_housekeeping = now + HOUSEKEEPING;
            self.scenario.days_done.fetch_add(1, Ordering::Relaxed);
        }
        let next = self.next_at().await?.min(self.ends_at);
        self.clock.set(next.max(now + SignedDuration::from_millis(1)));
        Ok(true)
    }

    async fn next_at(&self) -> Result<Timestamp, SimulateError> {
        let desk = self.engine.store.next_wake(&Lane::Desk).await?;
        let mail = self.mail.next_at();
        let mailboxes = self.again_at.values().min().copied();
        let others = [desk, mail, mailboxes].into_iter().flatten().min();
        Ok(others.unwrap_or(self.ends_at).min(self.next_session).min(self.next_housekeeping))
    }

    /// What happened may have made somebody due in any mailbox.
    fn everything_again(&mut self, now: Timestamp) {
        self.again_at.values_mut().for_each(|at| *at = now);
    }

    async fn work_mailboxes(&mut self, now: Timestamp) -> Result<(), SimulateError> {
        let due: Vec<MailboxId> = self
            .again_at
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(mailbox, _)| mailbox.clone())
            .collect();
        for mailbox in due {
            let read_at = self.engine.store.mailbox(&mailbox).await?.inbox_read_at;
            if read_at.is_none_or(|at| at.duration_until(now) >= POLL) {
                self.engine.collect(&mailbox).await?;
            }
            let again_at = self.engine.work_mailbox(&mailbox).await?.unwrap_or(Timestamp::MAX);
            self.again_at.insert(mailbox, again_at);
        }
        Ok(())
    }

    /// At the end of a working day: who waits, and for what.
    fn look_around(&mut self, day: Date, now: Timestamp) {
        let mut waits = Waits::default();
        self.store.look_at_enrollments(|record| {
            let Some(reason) = reason(record, now) else { return };
            let into = if record.state.has_begun() { &mut waits.further } else { &mut waits.first };
            *into.entry(reason).or_default() += 1;
        });
        // Whoever is in a zone that nobody knows waits for ever.
        let begun = waits.first.keys().all(|reason| *reason == Waiting::NoTimeZone);
        if self.scenario.ends == Ends::WhenEverybodyBegan && begun {
            self.ends_at = now;
        }
        self.run.waits.insert(day, waits);
    }

    /// What the store has on record at the end.
    fn run(mut self) -> Run {
        let zone = self.scenario.settings.reader_zone.clone();
        let mut owners: BTreeMap<EnrollmentId, RepId> = BTreeMap::new();
        self.store.look_at_enrollments(|record| {
            owners.insert(record.id, record.owner.clone());
        });
        let nobody = RepId::from("nobody");
        let rep_of = |id: EnrollmentId| owners.get(&id).unwrap_or(&nobody).clone();
        let run = &mut self.run;
        self.store.look_at_log(|entry| run.see(entry, &zone, rep_of));
        self.store.look_at_touches(|touch| run.take(touch, &zone));
        self.run
    }
}

/// For what somebody waits who is under way here.
fn reason(record: &EnrollmentRecord, now: Timestamp) -> Option<Waiting> {
    let wake = record.wake.as_ref()?;
    if matches!(record.state.phase, Phase::Ended { .. }) {
        return None;
    }
    // Due, and still in the queue of a mailbox: it is the mailbox that does not come to them.
    let queued = matches!(wake.lane, Lane::Mailbox(_)) && wake.at <= now;
    Some(if queued { Waiting::MailboxLimit } else { wake.waiting })
}

/// The settings of a simulation: every inbox can be read, and gaps follow from the seed.
pub fn settings(settings: Settings, seed: u64) -> Settings {
    let secret = (0..4).flat_map(|n| mix(seed ^ n).to_be_bytes()).collect();
    let mut settings = Settings { secret, ..settings };
    settings.mailboxes.values_mut().for_each(|mailbox| mailbox.has_inbox = true);
    settings
}

/// The real clock: a simulation begins today unless it is told another day.
pub fn clock() -> impl Clock {
    SystemClock
}
