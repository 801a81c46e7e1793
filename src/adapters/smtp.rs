//! Mail out over SMTP: one conversation for each mailbox, kept between mails, every phase under a
//! time limit of its own.
//!
//! While a conversation is in use it is taken out of its slot. Whatever ends the use early (a time
//! limit, a broken line, an unclear answer, a future that is dropped) drops the connection with it,
//! so that an answer to one mail can never be read as the answer to the next.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::tls::Encryption;
use crate::domain::delivery::{Envelope, Failure, Phase};
use crate::domain::ids::MailboxId;
use crate::ports::{Mailer, Offered};

pub use super::secret::{Credentials, Secret};
pub use super::tls::Tls;

mod failure;
mod session;
mod start_tls;
use session::Session;

/// How one mailbox reaches its server.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub credentials: Option<Credentials>,
    /// One more file of root certificates (PEM), beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The host name that we give in `EHLO`.
    pub hello: String,
    pub timeouts: Timeouts,
    /// After so many mails a new connection is made.
    pub max_mails_per_connection: u32,
    /// A connection that lay idle for longer is not used again.
    pub max_idle: Duration,
}

impl SmtpSettings {
    /// Settings for a server, with the usual limits.
    pub fn new(host: impl Into<String>, port: u16, tls: Tls) -> Self {
        Self {
            host: host.into(),
            port,
            tls,
            credentials: None,
            ca_file: None,
            hello: "localhost".to_owned(),
            timeouts: Timeouts::default(),
            max_mails_per_connection: 100,
            max_idle: Duration::from_secs(60),
        }
    }
}

/// How long each phase may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP, TLS, greeting and `EHLO` together.
    pub connect: Duration,
    /// Each of `AUTH`, `MAIL`, `RCPT` and `RSET`.
    pub command: Duration,
    /// `DATA`, up to the server's 354.
    pub data: Duration,
    /// The content and the answer to it (RFC 5321, section 4.5.3.2.6, asks for ten minutes).
    pub content: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_secs(30),
            data: Duration::from_secs(60),
            content: Duration::from_secs(600),
        }
    }
}

/// Sends the mail of all mailboxes.
pub struct SmtpMailer {
    mailboxes: BTreeMap<MailboxId, Arc<Outlet>>,
}

impl SmtpMailer {
    /// With the settings of every mailbox; connects when the first mail is offered.
    pub fn new(settings: BTreeMap<MailboxId, SmtpSettings>) -> Self {
        let outlet = |(mailbox, settings)| (mailbox, Arc::new(Outlet::new(settings)));
        Self { mailboxes: settings.into_iter().map(outlet).collect() }
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn offer(&self, envelope: &Envelope) -> Result<Box<dyn Offered>, Failure> {
        let Some(outlet) = self.mailboxes.get(&envelope.mailbox) else {
            let detail = format!("mailbox `{}` has no SMTP settings", envelope.mailbox);
            return Err(Failure { phase: Phase::Connect, answer: None, detail });
        };
        let mut slot = Arc::clone(&outlet.slot).lock_owned().await;
        let mut session = outlet.session_for(slot.take(), envelope).await?;
        match session.recipient(envelope).await {
            Ok(()) => Ok(Box::new(Offer { slot, session })),
            Err(failure) => {
                put_back_after(is_definite(&failure), slot, session).await;
                Err(failure)
            }
        }
    }
}

/// One mailbox's way out. The slot is empty while its session is in use, and after trouble.
struct Outlet {
    settings: SmtpSettings,
    encryption: Encryption,
    slot: Arc<Mutex<Option<Session>>>,
}

impl Outlet {
    fn new(settings: SmtpSettings) -> Self {
        let encryption = Encryption::new(settings.ca_file.clone());
        Self { settings, encryption, slot: Arc::default() }
    }

    /// A session in which the sender has been accepted: the kept one if it still works, else a new one.
    async fn session_for(
        &self,
        kept: Option<Session>,
        envelope: &Envelope,
    ) -> Result<Session, Failure> {
        if let Some(mut session) = self.still_good(kept).await {
            match session.sender(envelope).await {
                Ok(()) => return Ok(session),
                // The server had closed the idle line; nothing was sent, a new one is no repetition.
                Err(failure) if !is_definite(&failure) => {}
                Err(failure) => return Err(failure),
            }
        }
        let mut session = Session::open(&self.settings, &self.encryption).await?;
        session.sender(envelope).await?;
        Ok(session)
    }

    async fn still_good(&self, kept: Option<Session>) -> Option<Session> {
        let session = kept?;
        if session.is_worn_out(&self.settings) {
            session.quit().await;
            return None;
        }
        Some(session)
    }
}

/// A sender and a recipient that were accepted. The slot stays locked, so that nobody else talks in between.
struct Offer {
    slot: OwnedMutexGuard<Option<Session>>,
    session: Session,
}

#[async_trait]
impl Offered for Offer {
    async fn content(self: Box<Self>, message: &[u8]) -> Result<String, Failure> {
        let Self { mut slot, mut session } = *self;
        match session.data(message).await {
            Ok(()) => {}
            Err(failure) => {
                put_back_after(is_definite(&failure), slot, session).await;
                return Err(failure);
            }
        }
        let result = session.content(message).await;
        if result.as_ref().map_or_else(is_definite, |_| true) {
            *slot = Some(session);
        }
        result
    }

    async fn withdraw(self: Box<Self>) {
        let Self { slot, session } = *self;
        put_back_after(true, slot, session).await;
    }
}

/// Whether the server said no and listens on. A 421 announces that it closes (RFC 5321, section 3.8).
fn is_definite(failure: &Failure) -> bool {
    failure.answer.as_ref().is_some_and(|answer| answer.code != 421)
}

/// Keeps a session whose mail came to nothing, if the server forgets that mail.
async fn put_back_after(
    definite: bool,
    mut slot: OwnedMutexGuard<Option<Session>>,
    mut session: Session,
) {
    if definite && session.reset().await.is_ok() {
        *slot = Some(session);
    }
}
