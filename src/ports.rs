//! The four ports: what the engine asks of the outside world. The store has a file of its own, and so
//! have its rows for those who check them.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::domain::delivery::{Envelope, Failure};
use crate::domain::ids::MailboxId;

mod books;
mod store;
pub use books::*;
pub use store::*;

/// Tells the time. The only place where `now` comes from.
pub trait Clock: Send + Sync {
    /// The instant that it is.
    fn now(&self) -> Timestamp;

    /// The time that has passed since some fixed moment, whatever somebody does to the clock: what
    /// [`Clock::now`] gains on it was not lived through.
    fn steady(&self) -> SignedDuration {
        Timestamp::UNIX_EPOCH.duration_until(self.now())
    }
}

/// Hands mail to servers, one conversation at a time for each mailbox.
///
/// The conversation is split at the one point that matters: nothing of the content leaves before
/// [`Offered::content`] is called, and the engine commits its intent between the two.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Opens or reuses the mailbox's conversation and has sender and recipient accepted.
    ///
    /// # Errors
    /// The failure's phase is `Connect`, `Auth`, `Sender` or `Recipient`: certainly nothing was sent.
    async fn offer(&self, envelope: &Envelope) -> Result<Box<dyn Offered>, Failure>;
}

/// A server that has accepted sender and recipient and waits for the content.
#[async_trait]
pub trait Offered: Send {
    /// Sends the whole message (CRLF lines, headers first) and waits for the server's last word.
    /// Returns that word, on one line.
    ///
    /// # Errors
    /// The failure's phase is `Data` (certainly not sent) or `Content` (the answer decides; without
    /// one the mail is in doubt).
    async fn content(self: Box<Self>, message: &[u8]) -> Result<String, Failure>;

    /// Takes the offer back; the conversation may be used again.
    async fn withdraw(self: Box<Self>);
}

/// Reads what came into a mailbox, without changing anything there.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// The next messages behind `cursor` (an opaque text that an earlier batch gave; `None` at first),
    /// at most `limit` of them. A message may come twice, never not at all.
    ///
    /// # Errors
    /// The mailbox could not be read; nothing may be sent from it until it can.
    async fn fetch(
        &self,
        mailbox: &MailboxId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Batch, InboxError>;
}

/// Some messages, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub messages: Vec<RawMessage>,
    /// To be stored with what the messages caused, and given back at the next call.
    pub cursor: Option<String>,
    /// Whether there is more to be read now.
    pub more: bool,
}

/// One message as it lies in the mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMessage {
    /// Where it lies, for the log: a file name, or folder and UID.
    pub place: String,
    /// The whole message; at most [`MAX_MESSAGE_BYTES`], cut there.
    pub bytes: Vec<u8>,
}

/// What is read of one inbound message at most, in bytes: enough for headers, text and reports.
pub const MAX_MESSAGE_BYTES: usize = 2 * 1024 * 1024;

/// An inbox that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("mailbox `{mailbox}`: {attempted}: {detail}")]
pub struct InboxError {
    pub mailbox: MailboxId,
    /// Such as "open the Maildir".
    pub attempted: String,
    /// One line; never a password or message text.
    pub detail: String,
}
