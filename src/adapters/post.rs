//! The post office: each mailbox its way out and its way in, and governor's pace on the way out.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use async_trait::async_trait;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::imap::ImapInboxes;
use super::maildir::Maildirs;
use super::outbox_dir::OutboxDir;
use super::smtp::SmtpMailer;
use crate::domain::delivery::{Envelope, Failure};
use crate::domain::ids::MailboxId;
use crate::ports::{Batch, Inbox, InboxError, Mailer, Offered};

/// Sends over SMTP where a server is set, else writes into the outbox folder.
pub struct Post {
    pub smtp: SmtpMailer,
    pub with_smtp: BTreeSet<MailboxId>,
    pub outbox: OutboxDir,
    pub pace: Option<Pace>,
}

/// Smooths what one process does; the caps across processes and restarts live in the database.
pub struct Pace {
    per_mailbox: DefaultKeyedRateLimiter<String>,
    per_domain: DefaultKeyedRateLimiter<String>,
}

/// Keys that a limiter holds before it forgets the idle ones.
const KEYS: usize = 10_000;

impl Pace {
    /// At most so many mails a minute from one mailbox and to one domain, evenly spread.
    pub fn new(per_mailbox: u32, per_domain: u32) -> Self {
        let limiter = |per_minute: u32| {
            let n = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
            // Without a burst of one, a whole minute's worth would leave at once.
            RateLimiter::keyed(Quota::per_minute(n).allow_burst(NonZeroU32::MIN))
        };
        Self { per_mailbox: limiter(per_mailbox), per_domain: limiter(per_domain) }
    }

    async fn wait(&self, envelope: &Envelope) {
        self.per_mailbox.until_key_ready(&envelope.mailbox.0).await;
        self.per_domain.until_key_ready(&envelope.to.domain().to_owned()).await;
        if self.per_domain.len() > KEYS {
            self.per_domain.retain_recent();
            self.per_domain.shrink_to_fit();
        }
    }
}

#[async_trait]
impl Mailer for Post {
    async fn offer(&self, envelope: &Envelope) -> Result<Box<dyn Offered>, Failure> {
        if !self.with_smtp.contains(&envelope.mailbox) {
            return self.outbox.offer(envelope).await;
        }
        if let Some(pace) = &self.pace {
            pace.wait(envelope).await;
        }
        self.smtp.offer(envelope).await
    }
}

/// Reads each mailbox where its mail lies.
pub struct Inboxes {
    pub imap: ImapInboxes,
    pub with_imap: BTreeSet<MailboxId>,
    pub maildirs: Maildirs,
}

#[async_trait]
impl Inbox for Inboxes {
    async fn fetch(
        &self,
        mailbox: &MailboxId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Batch, InboxError> {
        match self.with_imap.contains(mailbox) {
            true => self.imap.fetch(mailbox, cursor, limit).await,
            false => self.maildirs.fetch(mailbox, cursor, limit).await,
        }
    }
}
