//! The demo: the engine of `run` on an accelerated clock, against simulated people behind a real SMTP
//! server on loopback, with tasks done by simulated reps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Running, WiringError, assemble, inboxes, post, settings, write_secret_key};
use crate::adapters::post::Post;
use crate::adapters::simulated::clock::SimulatedClock;
use crate::adapters::simulated::smtp_server::SmtpServer;
use crate::adapters::simulated::world::{Taken, World};
use crate::config::{Config, InboxConfig};
use crate::domain::budget::mix;
use crate::domain::cadence::Channel;
use crate::domain::calendar::Hours;
use crate::domain::enrollment::{HAND_OFF_AGAIN, RELEASED, TaskKind};
use crate::engine::collect::CollectError;
use crate::engine::tasks::{DoneTask, QueueLine};
use crate::engine::workspace::hex;
use crate::engine::{Engine, EngineError};

/// A demo that is ready to go.
pub struct Demo {
    pub running: Running,
    clock: Arc<SimulatedClock>,
    world: Arc<World>,
    seed: u64,
    pub ends_at: Timestamp,
    next_session: Timestamp,
    next_housekeeping: Timestamp,
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
            ends_at: now + SignedDuration::from_hours(24 * days),
            next_session: now + SignedDuration::from_hours(9),
            next_housekeeping: now,
            _server: self.server,
        })
    }
}

impl Demo {
    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.running.engine
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
        if now >= self.next_housekeeping {
            self.engine().keep_house().await?;
            self.next_housekeeping = now + SignedDuration::from_hours(24);
        }
        next = next.min(self.world.next_at().unwrap_or(next));
        self.clock.set(next.max(now + SignedDuration::from_millis(1)));
        Ok(true)
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

    /// The reps do what can be done now; about a tenth of the tasks nobody ever does.
    async fn work_tasks(&self) -> Result<(), DemoError> {
        let now = self.engine().now();
        for line in self.engine().queue(None).await? {
            let callable = line.callable_at.is_none_or(|at| at <= now);
            let drawn = mix(self.seed ^ mix(u64::try_from(line.task.id.0).unwrap_or(0)));
            if !callable || drawn.is_multiple_of(10) {
                continue;
            }
            let outcome = drawn_outcome(&line, mix(drawn)).to_owned();
            let (task, actor) = (line.task.id, line.task.rep.clone());
            self.engine()
                .done(DoneTask { task, outcome, until: None, actor, set: Vec::new(), text: None })
                .await?;
        }
        Ok(())
    }

    /// What the world saw that must never be seen, one sentence each.
    ///
    /// # Errors
    /// The store failed.
    pub async fn violations(&self) -> Result<Vec<String>, DemoError> {
        let taken = self.world.taken();
        let mut found = doubles(&taken);
        found.extend(self.caps(&taken));
        found.extend(self.after_the_end(&taken).await?);
        found.extend(self.outside_hours(&taken).await?);
        Ok(found)
    }

    fn caps(&self, taken: &[Taken]) -> Vec<String> {
        let day = SignedDuration::from_hours(24);
        let mut found = Vec::new();
        for mailbox in self.engine().settings.mailboxes.values() {
            let times: Vec<Timestamp> =
                taken.iter().filter(|m| m.from == mailbox.from.as_str()).map(|m| m.at).collect();
            let limit = usize::try_from(mailbox.daily_limit).unwrap_or(usize::MAX);
            let over = times.windows(limit + 1).any(|run| match (run.first(), run.last()) {
                (Some(first), Some(last)) => first.duration_until(*last) < day,
                _ => false,
            });
            if over {
                found.push(format!("mailbox {} went over its daily limit", mailbox.id));
            }
        }
        found
    }

    /// Mail to somebody whose reply, opt-out or complaint was on record already.
    async fn after_the_end(&self, taken: &[Taken]) -> Result<Vec<String>, DemoError> {
        let ends = ["reply", "unsubscribe", "complaint"];
        let mut ended: BTreeMap<i64, Timestamp> = BTreeMap::new();
        for reply in self.engine().store.replies(100_000).await? {
            if let Some(prospect) = reply.prospect.filter(|_| ends.contains(&reply.kind.as_str())) {
                let at = ended.entry(prospect.0).or_insert(reply.received_at);
                *at = (*at).min(reply.received_at);
            }
        }
        let mut found = Vec::new();
        for mail in taken {
            let Some(prospect) = self.engine().find_prospect(&mail.to).await? else {
                found.push(format!("a mail at {} went to nobody on record", mail.at));
                continue;
            };
            if ended.get(&prospect.0).is_some_and(|at| mail.at > *at) {
                found.push(format!("prospect {prospect} got a mail at {} after the end", mail.at));
            }
        }
        Ok(found)
    }

    async fn outside_hours(&self, taken: &[Taken]) -> Result<Vec<String>, DemoError> {
        let mut found = Vec::new();
        for mail in taken {
            let touch = self
                .engine()
                .store
                .touch_by_message_id(std::slice::from_ref(&mail.message_id))
                .await?;
            let Some(touch) = touch else {
                found.push(format!("a mail at {} has no touch on record", mail.at));
                continue;
            };
            let Some(person) = self.engine().person(touch.enrollment).await? else { continue };
            let window = Hours::Window(&person.version.cadence.send_window);
            let open = person.clockwork.calendar.next_open(window, &person.zones, mail.at);
            if open != Some(mail.at) {
                found.push(format!(
                    "prospect {} got a mail at {}, outside the window",
                    touch.prospect, mail.at
                ));
            }
        }
        Ok(found)
    }
}

fn doubles(taken: &[Taken]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let twice = taken.iter().filter(|mail| !seen.insert(&mail.message_id));
    twice.map(|mail| format!("a mail was taken in twice at {}", mail.at)).collect()
}

/// What a simulated rep hears.
fn drawn_outcome(line: &QueueLine, drawn: u64) -> &'static str {
    let percent = drawn % 100;
    match line.task.kind {
        TaskKind::Touch(Channel::Call) => match percent {
            0..=57 => "no_answer",
            58..=82 => "left_voicemail",
            83..=90 => "gatekeeper",
            91..=93 => "not_interested",
            94 => "not_now",
            95 => "interested",
            96 => "meeting_booked",
            97..=98 => "bad_number",
            _ => "do_not_call",
        },
        TaskKind::Touch(Channel::Social) => match percent {
            0..=64 => "done",
            65..=84 => "accepted",
            85..=93 => "already_connected",
            94..=95 => "replied",
            _ => "not_found",
        },
        TaskKind::Touch(Channel::Email | Channel::Task) => "done",
        TaskKind::Review => RELEASED,
        TaskKind::HandOff => "accepted",
        TaskKind::Reply => "interested",
        // Somebody who replied and was never taken over is offered again, not written to.
        TaskKind::HandedBack => HAND_OFF_AGAIN,
        TaskKind::Triage => match percent {
            0..=49 => "meeting_booked",
            50..=79 => "continue",
            _ => "not_interested",
        },
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
