//! Several processes on one database: who works which mailbox, and who keeps house.
//!
//! A lease says who works a lane, and its epoch fences what is committed in its name, so nothing here can
//! make a mail leave twice. What is here makes the work go round: mailboxes are shared out evenly among
//! the nodes that are alive, and those of a node that is gone are taken over when its leases run out.

use jiff::{SignedDuration, Timestamp};

use super::dispatch::lease_name;
use super::{Engine, EngineError, lock};
use crate::domain::ids::MailboxId;
use crate::ports::LeaseRequest;

/// A node whose clock is so far from the database's works nothing: leases would mean nothing.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// The lane of everything that is no mail.
pub(super) const DESK: &str = "desk";
/// The lane of what nobody waits for.
pub(super) const HOUSE: &str = "house";

const MAILBOXES: &str = "mailbox:";
const NODES: &str = "node:";

/// What a node knows of the others.
#[derive(Debug, Default)]
pub(super) struct Others {
    looked_at: Option<Timestamp>,
    alive: usize,
    clock_is_wrong: bool,
}

impl Engine {
    /// Whether this node works a mailbox now: it has the lease, and no more than its share of them.
    ///
    /// # Errors
    /// The store failed.
    pub async fn works_mailbox(&self, id: &MailboxId) -> Result<bool, EngineError> {
        let now = self.now();
        let Some(alive) = self.alive(now).await? else { return Ok(false) };
        let share = self.settings.mailboxes.len().div_ceil(alive.max(1));
        let name = lease_name(id);
        let (is_ours, ours) = {
            let leases = lock(&self.leases);
            let valid = |(_, until): &(i64, Timestamp)| *until > now;
            let own =
                leases.iter().filter(|(name, lease)| name.starts_with(MAILBOXES) && valid(lease));
            (leases.get(&name).is_some_and(valid), own.count())
        };
        if is_ours && ours > share {
            self.give_up(&name, now).await?;
            return Ok(false);
        }
        if !is_ours && ours >= share {
            return Ok(false);
        }
        self.takes(&name, now).await
    }

    /// Whether this node does what only one node at a time needs to do.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn works(&self, lane: &str) -> Result<bool, EngineError> {
        let now = self.now();
        match self.alive(now).await? {
            Some(_) => self.takes(lane, now).await,
            None => Ok(false),
        }
    }

    /// Gives back every lease, so that others need not wait until they run out.
    ///
    /// # Errors
    /// The store failed: they run out by themselves.
    pub async fn leave(&self) -> Result<(), EngineError> {
        let names: Vec<String> = lock(&self.leases).keys().cloned().collect();
        for name in names {
            self.give_up(&name, self.now()).await?;
        }
        Ok(())
    }

    /// Takes or keeps a lease; what somebody else holds is tried again later.
    async fn takes(&self, name: &str, now: Timestamp) -> Result<bool, EngineError> {
        if lock(&self.refused)
            .get(name)
            .is_some_and(|again_at| now < *again_at && *again_at < now + self.look() * 2)
        {
            return Ok(false);
        }
        let taken = self.lease(name, now).await?.is_some();
        match taken {
            true => lock(&self.refused).remove(name),
            false => lock(&self.refused).insert(name.to_owned(), now + self.look()),
        };
        Ok(taken)
    }

    /// How often a node says that it is alive, counts the others, and tries what others held.
    fn look(&self) -> SignedDuration {
        self.lease_lasts / 4
    }

    async fn give_up(&self, name: &str, now: Timestamp) -> Result<(), EngineError> {
        lock(&self.leases).remove(name);
        lock(&self.refused).insert(name.to_owned(), now + self.look());
        let (name, holder) = (name.to_owned(), self.node.clone());
        self.store.lease(LeaseRequest { name, holder, now, until: now }).await?;
        Ok(())
    }

    /// How many nodes are alive, this one included; nothing while this one's clock cannot be trusted.
    async fn alive(&self, now: Timestamp) -> Result<Option<usize>, EngineError> {
        {
            let others = lock(&self.others);
            let looked = others.looked_at.is_some_and(|at| at <= now && now < at + self.look());
            if looked {
                return Ok((!others.clock_is_wrong).then_some(others.alive));
            }
        }
        let skew = match self.store.clock().await? {
            Some(theirs) => theirs.duration_until(self.now()).abs(),
            None => SignedDuration::ZERO,
        };
        let clock_is_wrong = skew > SKEW;
        if clock_is_wrong {
            tracing::error!(
                seconds = skew.as_secs(),
                "the clock of this machine is not the database's: \
                this node works nothing until it is set right"
            );
        } else {
            self.lease(&format!("{NODES}{}", self.node), now).await?;
        }
        let alive = usize::try_from(self.store.count_leases(NODES, now).await?).unwrap_or(1);
        *lock(&self.others) = Others { looked_at: Some(now), alive, clock_is_wrong };
        Ok((!clock_is_wrong).then_some(alive))
    }
}
