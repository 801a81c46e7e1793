//! The daemon: one worker for each mailbox, one for the desk, one that reads the inboxes, one that keeps
//! house. A heartbeat wakes them; what they do is decided by what the store says is due.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::nodes::{DESK, HOUSE};
use super::{Engine, EngineError};
use crate::domain::ids::MailboxId;

/// The daemon's heartbeats: receivers of a count that grows with each beat.
#[derive(Clone)]
pub struct Beats {
    /// Several times a second: whoever waits looks whether it is over.
    pub tick: watch::Receiver<u64>,
    /// Every few minutes: deliveries to note.
    pub housekeeping: watch::Receiver<u64>,
    /// Once a day: what waits for each rep.
    pub digest: watch::Receiver<u64>,
}

/// Other processes may make something due at any time: nobody looks away for longer.
const LOOK_AWAY: SignedDuration = SignedDuration::from_secs(3);

/// Until when a worker has nothing to do. The clock may be set: nobody trusts it for longer than they
/// would look away.
#[derive(Default)]
struct Pause(Option<(Timestamp, Timestamp)>);

impl Pause {
    fn is_over(&self, now: Timestamp) -> bool {
        self.0.is_none_or(|(since, until)| now >= until || now < since)
    }

    fn until(&mut self, now: Timestamp, again_at: Option<Timestamp>) {
        let latest = now + LOOK_AWAY;
        self.0 = Some((now, again_at.map_or(latest, |at| at.min(latest))));
    }
}

impl Engine {
    /// Works until [`Engine::stop`] is called (or the heartbeat ends), then finishes what is on its way.
    pub async fn run(self: Arc<Self>, beats: Beats, poll_every: SignedDuration) {
        let mut workers = JoinSet::new();
        for mailbox in self.settings.mailboxes.keys() {
            workers.spawn(self.clone().mail_worker(mailbox.clone(), beats.tick.clone()));
            let reads = self.settings.mailboxes.get(mailbox).is_some_and(|m| m.has_inbox);
            if reads {
                let tick = beats.tick.clone();
                workers.spawn(self.clone().inbox_worker(mailbox.clone(), tick, poll_every));
            }
        }
        workers.spawn(self.clone().desk_worker(beats.tick.clone()));
        workers.spawn(self.clone().housekeeper(beats));
        while workers.join_next().await.is_some() {}
        if let Err(error) = self.leave().await {
            tracing::warn!(%error, "the leases could not be given back; they run out by themselves");
        }
    }

    async fn mail_worker(self: Arc<Self>, mailbox: MailboxId, mut tick: watch::Receiver<u64>) {
        let mut next = Pause::default();
        while !self.is_stopping() {
            if next.is_over(self.now()) {
                match self.work_own_mailbox(&mailbox).await {
                    Ok(again_at) => next.until(self.now(), again_at),
                    Err(error) => {
                        tracing::error!(%mailbox, %error, "the mailbox could not be worked");
                    }
                }
            }
            if tick.changed().await.is_err() {
                return;
            }
        }
    }

    /// Works a mailbox, if it is this node's.
    async fn work_own_mailbox(&self, id: &MailboxId) -> Result<Option<Timestamp>, EngineError> {
        match self.works_mailbox(id).await? {
            true => self.work_mailbox(id).await,
            false => Ok(None),
        }
    }

    /// Works the desk, if this node is the one that does.
    async fn work_own_desk(&self) -> Result<Option<Timestamp>, EngineError> {
        match self.works(DESK).await? {
            true => self.work_desk().await,
            false => Ok(None),
        }
    }

    async fn desk_worker(self: Arc<Self>, mut tick: watch::Receiver<u64>) {
        let mut next = Pause::default();
        while !self.is_stopping() {
            if next.is_over(self.now()) {
                match self.work_own_desk().await {
                    Ok(again_at) => next.until(self.now(), again_at),
                    Err(error) => tracing::error!(%error, "the desk could not be worked"),
                }
            }
            if tick.changed().await.is_err() {
                return;
            }
        }
    }

    async fn inbox_worker(
        self: Arc<Self>,
        mailbox: MailboxId,
        mut tick: watch::Receiver<u64>,
        every: SignedDuration,
    ) {
        let mut next_at = Timestamp::MIN;
        while !self.is_stopping() {
            let now = self.now();
            if now >= next_at || next_at.duration_since(now) > every {
                self.read_inbox(&mailbox).await;
                next_at = now + every;
            }
            if tick.changed().await.is_err() {
                return;
            }
        }
    }

    async fn read_inbox(&self, mailbox: &MailboxId) {
        match self.works_mailbox(mailbox).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return tracing::error!(%mailbox, %error, "the inbox was not read"),
        }
        match self.collect(mailbox).await {
            Ok(collected) if collected.messages > 0 => {
                tracing::info!(%mailbox, collected.messages, collected.replies, "mail came in");
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%mailbox, %error, "the inbox could not be read; nothing is sent from it meanwhile");
            }
        }
    }

    async fn housekeeper(self: Arc<Self>, mut beats: Beats) {
        while !self.is_stopping() {
            let done = tokio::select! {
                beat = beats.housekeeping.changed() => match beat {
                    Ok(()) => self.keep_own_house().await,
                    Err(_) => return,
                },
                beat = beats.digest.changed() => match beat {
                    Ok(()) => self.digest().await,
                    Err(_) => return,
                },
                beat = beats.tick.changed() => match beat {
                    Ok(()) => Ok(()),
                    Err(_) => return,
                },
            };
            if let Err(error) = done {
                tracing::error!(%error, "the housekeeping failed");
            }
        }
    }

    async fn keep_own_house(&self) -> Result<(), EngineError> {
        match self.works(HOUSE).await? {
            true => self.keep_house().await,
            false => Ok(()),
        }
    }

    /// Says in the log what waits for each rep.
    async fn digest(&self) -> Result<(), EngineError> {
        for rep in self.settings.team() {
            let tasks = self.store.tasks(Some(&rep)).await?.len();
            tracing::info!(%rep, tasks, "the day's queue");
        }
        let doubts = self.doubts().await?.len();
        if doubts > 0 {
            tracing::warn!(doubts, "mails are in doubt: see `firsttouch report`");
        }
        Ok(())
    }
}
