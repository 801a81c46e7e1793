//! Mail in over IMAP: folders are opened read-only and messages are peeked at, so that nothing
//! changes for the person whose mailbox it is.
//!
//! Each call makes a connection of its own. Of each folder the cursor remembers UIDVALIDITY and the
//! last UID that was read (RFC 3501, section 2.3.1.1); if UIDVALIDITY changes, the folder is read again
//! from its beginning.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::tls::Encryption;
use crate::domain::ids::MailboxId;
use crate::ports::{Batch, Inbox, InboxError, MAX_MESSAGE_BYTES, RawMessage};

pub use super::secret::{Credentials, Secret};
pub use super::tls::Tls;

mod connection;
use connection::{Connection, Trouble};

/// What one batch may hold in all, in bytes; a single message is always taken.
const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;

/// How one mailbox is read.
#[derive(Debug, Clone)]
pub struct ImapSettings {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub credentials: Credentials,
    /// One more file of root certificates (PEM), beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Read in this order; names beyond ASCII in IMAP's own spelling (RFC 3501, section 5.1.3).
    pub folders: Vec<String>,
    /// Messages that came in before this day are not read.
    pub since: Option<Date>,
    /// For TCP, TLS and greeting together.
    pub connect_timeout: Duration,
    /// For each command.
    pub command_timeout: Duration,
}

impl ImapSettings {
    /// Settings for the `INBOX` of a server, with the usual limits.
    pub fn new(host: impl Into<String>, port: u16, tls: Tls, credentials: Credentials) -> Self {
        Self {
            host: host.into(),
            port,
            tls,
            credentials,
            ca_file: None,
            folders: vec!["INBOX".to_owned()],
            since: None,
            connect_timeout: Duration::from_secs(30),
            command_timeout: Duration::from_secs(60),
        }
    }
}

/// Reads the IMAP mailboxes.
pub struct ImapInboxes {
    mailboxes: BTreeMap<MailboxId, (ImapSettings, Encryption)>,
}

impl ImapInboxes {
    /// With the settings of every mailbox.
    pub fn new(settings: BTreeMap<MailboxId, ImapSettings>) -> Self {
        let with_tls = |(mailbox, settings): (MailboxId, ImapSettings)| {
            let encryption = Encryption::new(settings.ca_file.clone());
            (mailbox, (settings, encryption))
        };
        Self { mailboxes: settings.into_iter().map(with_tls).collect() }
    }

    async fn read(
        &self,
        mailbox: &MailboxId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Batch, Trouble> {
        let Some((settings, encryption)) = self.mailboxes.get(mailbox) else {
            return Err(Trouble::new("find the inbox", "the mailbox has no IMAP settings"));
        };
        let cursor = Cursor::parse(cursor)?;
        let mut connection = Connection::open(settings, encryption).await?;
        let mut reading = Reading::new(cursor, settings.since, limit);
        for folder in &settings.folders {
            reading.folder(&mut connection, folder).await?;
            if reading.more {
                break;
            }
        }
        connection.close().await;
        reading.into_batch()
    }
}

#[async_trait]
impl Inbox for ImapInboxes {
    async fn fetch(
        &self,
        mailbox: &MailboxId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Batch, InboxError> {
        let read = self.read(mailbox, cursor, limit.max(1)).await;
        read.map_err(|Trouble { attempted, detail }| InboxError {
            mailbox: mailbox.clone(),
            attempted,
            detail,
        })
    }
}

/// How far each folder has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    folders: BTreeMap<String, Position>,
}

/// How far one folder has been read; the numbers mean something only under that UIDVALIDITY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    uid_validity: u32,
    last_uid: u32,
}

impl Cursor {
    fn parse(text: Option<&str>) -> Result<Self, Trouble> {
        let Some(text) = text else { return Ok(Self::default()) };
        serde_json::from_str(text)
            .map_err(|error| Trouble::new("read the inbox's cursor", &error.to_string()))
    }

    fn position(&self, folder: &str, uid_validity: u32) -> Position {
        let kept = self.folders.get(folder).copied();
        kept.filter(|position| position.uid_validity == uid_validity)
            .unwrap_or(Position { uid_validity, last_uid: 0 })
    }
}

/// One batch while it is being filled.
struct Reading {
    cursor: Cursor,
    since: Option<Date>,
    limit: usize,
    messages: Vec<RawMessage>,
    bytes: usize,
    more: bool,
}

impl Reading {
    fn new(cursor: Cursor, since: Option<Date>, limit: usize) -> Self {
        Self { cursor, since, limit, messages: Vec::new(), bytes: 0, more: false }
    }

    /// Reads what is new in one folder, as far as the batch has room.
    async fn folder(&mut self, connection: &mut Connection, folder: &str) -> Result<(), Trouble> {
        let uid_validity = connection.examine(folder).await?;
        let mut position = self.cursor.position(folder, uid_validity);
        let after = position.last_uid;
        let waiting = connection.search(folder, after, self.since).await?;
        let room = waiting.len().min(self.limit.saturating_sub(self.messages.len()));
        let sizes = connection.sizes(folder, waiting.get(..room).unwrap_or_default()).await?;
        let mut passed = 0;
        for uid in waiting.iter().copied().take(room) {
            if self.bytes >= MAX_BATCH_BYTES {
                break;
            }
            // Without a size it has probably been deleted, but only the fetch can tell.
            let size = sizes.get(&uid).copied().unwrap_or(u32::MAX);
            self.message(connection, folder, uid, size).await?;
            position.last_uid = uid;
            passed += 1;
        }
        self.more |= passed < waiting.len();
        self.cursor.folders.insert(folder.to_owned(), position);
        Ok(())
    }

    async fn message(
        &mut self,
        connection: &mut Connection,
        folder: &str,
        uid: u32,
        size: u32,
    ) -> Result<(), Trouble> {
        let is_big = usize::try_from(size).is_ok_and(|size| size > MAX_MESSAGE_BYTES);
        let Some(mut bytes) = connection.message(folder, uid, is_big).await? else {
            return Ok(());
        };
        bytes.truncate(MAX_MESSAGE_BYTES);
        self.bytes += bytes.len();
        self.messages.push(RawMessage { place: format!("{folder}/{uid}"), bytes });
        Ok(())
    }

    fn into_batch(self) -> Result<Batch, Trouble> {
        let cursor = serde_json::to_string(&self.cursor)
            .map_err(|error| Trouble::new("write the inbox's cursor", &error.to_string()))?;
        Ok(Batch { messages: self.messages, cursor: Some(cursor), more: self.more })
    }
}

#[cfg(test)]
mod tests;
