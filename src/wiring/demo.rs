//! The demo: the engine of `run` on an accelerated clock, against simulated people behind a real SMTP
//! server on loopback, with tasks done by simulated reps.

mod reps;
mod violations;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use self::reps::Reps;
use super::{Running, WiringError, assemble, inboxes, post, settings, write_secret_key};
use crate::adapters::post::Post;
use crate::adapters::simulated::clock::SimulatedClock;
use crate::adapters::simulated::smtp_server::SmtpServer;
use crate::adapters::simulated::world::World;
use crate::config::{Config, InboxConfig};
use crate::domain::budget::mix;
use crate::domain::hold::Hold;
use crate::domain::ids::RepId;
use crate::engine::collect::CollectError;
use crate::engine::enroll::Mode;
use crate::engine::event::Telling;
use crate::engine::workspace::hex;
use crate::engine::{Engine, EngineError};

/// A demo that is ready to go.
pub struct Demo {
    pub running: Running,
    clock: Arc<SimulatedClock>,
    world: Arc<World>,
    seed: u64,
    pub ends_at: Timestamp,
    /// Who fills in the form on the website, and when; the next one last.
    requests: Vec<(Timestamp, String)>,
    reps: Reps,
    next_session: Timestamp,
    next_housekeeping: Timestamp,
    held: Vec<Hold>,
    _server: SmtpServer,
}

/// What can stop a demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Wiring(#[from] WiringError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Collect(#[from] CollectError),
    #[error(transparent)]
    Store(#[from] crate::ports::StoreError),
    #[error("the simulated world: {0}")]
    World(#[from] std::io::Error),
}

/// The world's SMTP server has to be there before the settings can name its port.
pub struct Stage {
    clock: Arc<SimulatedClock>,
    world: Arc<World>,
    server: SmtpServer,
    seed: u64,
}

/// Where the demo begins: a Monday, so that runs with one seed are the same on every day of the year.
const BEGINS: &str = "2026-03-02T06:00:00Z";

/// What the form on the website tells.
const REQUESTED: &str = "form_submitted";

/// Inboxes are read when the last time is so long ago (shorter than the reply freshness).
const POLL: SignedDuration = SignedDuration::from_mins(10);

impl Stage {
    /// Starts the world: its clock, its people, and its SMTP server on a free port of loopback.
    ///
    /// # Errors
    /// No port could be had.
    pub fn open(
        seed: u64,
        maildirs: BTreeMap<String, std::path::PathBuf>,
    ) -> std::io::Result<Self> {
        let begins: Timestamp = BEGINS.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let clock = Arc::new(SimulatedClock::new(begins));
        let world = Arc::new(World::new(seed, clock.clone(), maildirs));
        let server = SmtpServer::start(world.clone())?;
        Ok(Self { clock, world, server, seed })
    }

    /// The port of the SMTP server.
    pub fn port(&self) -> u16 {
        self.server.addr().port()
    }

    /// Puts the engine on the stage.
    ///
    /// # Errors
    /// The database or the workspace could not be made ready.
    pub async fn demo(
        self,
        workspace: &Path,
        config: &Config,
        days: i64,
    ) -> Result<Demo, DemoError> {
        let key = hex(&(0..4).flat_map(|n| mix(self.seed ^ n).to_be_bytes()).collect::<Vec<u8>>());
        write_secret_key(&workspace.join(".firsttouch").join("secret"), key.as_bytes())?;
        let settings = Arc::new(settings(config, key.into_bytes()));
        // The pace is for real servers; here time passes by itself.
        let mailer = Arc::new(Post { pace: None, ..post(workspace, config)? });
        let inbox = Arc::new(inboxes(workspace, config)?);
        let running = assemble(config, settings, self.clock.clone(), mailer, inbox).await?;
        let now = running.engine.now();
        Ok(Demo {
            running,
            clock: self.clock,
            world: self.world,
            seed: self.seed,
            requests: Vec::new(),
            reps: Reps::default(),
            ends_at: now + SignedDuration::from_hours(24 * days),
            next_session: now + SignedDuration::from_hours(9),
            next_housekeeping: now,
            held: Vec::new(),
            _server: self.server,
        })
    }
}

impl Demo {
    /// What the engine held by itself until the next morning.
    pub fn held(&self) -> &[Hold] {
        &self.held
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.running.engine
    }

    /// At these times these people ask for a demo.
    pub fn expect_requests(&mut self, mut requests: Vec<(Timestamp, String)>) {
        requests.sort_by(|one, other| other.cmp(one));
        self.requests = requests;
    }

    /// Lets the next thing happen and sets the clock to the one after it; `false` when the time is over.
    ///
    /// # Errors
    /// The engine or the world failed.
    pub async fn step(&mut self) -> Result<bool, DemoError> {
        let now = self.engine().now();
        if now >= self.ends_at {
            return Ok(false);
        }
        self.world.deliver(now)?;
        self.read_inboxes(now).await?;
        self.tell_requests(now).await?;
        self.work_urgent_tasks(now).await?;
        if now >= self.next_session {
            self.work_tasks().await?;
            // Two sessions a day: 15:00 and 18:00 UTC, when both coasts and the islands can be called.
            let hours = if self.next_session.to_zoned(TimeZone::UTC).hour() < 18 { 3 } else { 21 };
            self.next_session += SignedDuration::from_hours(hours);
        }
        let mut next = self.next_session.min(self.ends_at);
        for mailbox in self.engine().settings.mailboxes.keys() {
            next = next.min(self.engine().work_mailbox(mailbox).await?.unwrap_or(next));
        }
        next = next.min(self.engine().work_desk().await?.unwrap_or(next));
        self.watch_for_urgent_tasks(now).await?;
        let expected = self.requests.last().map(|(at, _)| *at);
        next = [expected, self.reps.urgent_at()].into_iter().flatten().fold(next, Timestamp::min);
        if now >= self.next_housekeeping {
            self.engine().keep_house().await?;
            self.held.extend(self.engine().release_its_own().await?);
            self.next_housekeeping = now + SignedDuration::from_hours(24);
        }
        next = next.min(self.world.next_at().unwrap_or(next));
        self.clock.set(next.max(now + SignedDuration::from_millis(1)));
        Ok(true)
    }

    async fn tell_requests(&mut self, now: Timestamp) -> Result<(), DemoError> {
        while let Some((_, who)) = self.requests.pop_if(|(at, _)| *at <= now) {
            let telling = Telling {
                name: REQUESTED.to_owned(),
                key: Some(format!("form of {who}")),
                who,
                happened_at: None,
                set: Vec::new(),
                actor: RepId::from("engine"),
            };
            self.engine().tell_event(&telling, Mode::Commit).await?;
        }
        Ok(())
    }

    async fn read_inboxes(&self, now: Timestamp) -> Result<(), DemoError> {
        for mailbox in self.engine().settings.mailboxes.keys() {
            let read_at = self.engine().store.mailbox(mailbox).await?.inbox_read_at;
            if read_at.is_none_or(|at| at.duration_until(now) >= POLL) {
                self.engine().collect(mailbox).await?;
            }
        }
        Ok(())
    }
}

/// The Maildirs of the settings by our address, for the world to write into.
pub fn maildirs(config: &Config) -> BTreeMap<String, std::path::PathBuf> {
    let maildir = |mailbox: &crate::config::MailboxConfig| match &mailbox.inbox {
        Some(InboxConfig::Maildir(path)) => Some((mailbox.mailbox.from.to_string(), path.clone())),
        Some(InboxConfig::Imap(_)) | None => None,
    };
    config.mailboxes.iter().filter_map(maildir).collect()
}
