//! Mail in from Maildir folders, without moving or marking anything there.
//!
//! A message is known by its base name, the part before `:2,`, which stays the same when another
//! program moves it from `new` to `cur` or sets flags. The cursor remembers how far the files' times
//! have been read, and the names inside an overlap before that instant, because a file can appear a
//! little later than its time says. Whoever delivers must not set files' times back by more than
//! that (fetchmail and the usual delivery agents do not).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::ids::MailboxId;
use crate::ports::{Batch, Inbox, InboxError, MAX_MESSAGE_BYTES, RawMessage};

/// How long before the newest file that was read others may still appear, in milliseconds.
const OVERLAP_MS: i64 = 120_000;
/// What one batch may hold in all; a single message is always taken.
const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;
/// How often a file is looked for again that another program has just renamed.
const MAX_LOOKS: usize = 3;

/// Reads the Maildirs of all mailboxes.
pub struct Maildirs {
    folders: BTreeMap<MailboxId, PathBuf>,
}

impl Maildirs {
    /// With the folder (the one that holds `new` and `cur`) of every mailbox.
    pub fn new(folders: BTreeMap<MailboxId, PathBuf>) -> Self {
        Self { folders }
    }
}

#[async_trait]
impl Inbox for Maildirs {
    async fn fetch(
        &self,
        mailbox: &MailboxId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Batch, InboxError> {
        let fail = |attempted: &str, detail: String| InboxError {
            mailbox: mailbox.clone(),
            attempted: attempted.to_owned(),
            detail,
        };
        let Some(folder) = self.folders.get(mailbox).cloned() else {
            return Err(fail("find the Maildir", "the mailbox has none".to_owned()));
        };
        let cursor = match cursor {
            None => Cursor::default(),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| fail("read the Maildir's cursor", error.to_string()))?,
        };
        let now_ms = milliseconds(SystemTime::now());
        let reading = tokio::task::spawn_blocking(move || read(&folder, cursor, now_ms, limit));
        let read = reading.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        read.map_err(|error| fail("read the Maildir", error.to_string()))
    }
}

/// How far a Maildir has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// The time of the newest file that was read; `None` before the first.
    high_ms: Option<i64>,
    /// Base names with their times, of what was read and lies inside the overlap.
    seen: BTreeMap<String, i64>,
}

impl Cursor {
    /// The same cursor, or the beginning if the clock has been set back since: files' times say
    /// nothing then, and a message may come twice but never not at all.
    fn on_the_clock(self, now_ms: i64) -> Self {
        if self.high_ms.is_some_and(|high_ms| high_ms > now_ms) { Self::default() } else { self }
    }

    fn is_new(&self, entry: &Entry) -> bool {
        let in_reach = self.high_ms.is_none_or(|high_ms| entry.time_ms >= high_ms - OVERLAP_MS);
        in_reach && !self.seen.contains_key(&entry.base)
    }

    fn note(&mut self, entry: &Entry, now_ms: i64) {
        // A file from the future must not hide those that come before it.
        let time_ms = entry.time_ms.min(now_ms);
        self.high_ms = Some(self.high_ms.map_or(time_ms, |high_ms| high_ms.max(time_ms)));
        self.seen.insert(entry.base.clone(), entry.time_ms);
    }

    fn without_the_old(mut self) -> Self {
        if let Some(high_ms) = self.high_ms {
            self.seen.retain(|_, time_ms| *time_ms >= high_ms - OVERLAP_MS);
        }
        self
    }
}

/// One message file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    time_ms: i64,
    base: String,
    path: PathBuf,
}

fn read(folder: &Path, cursor: Cursor, now_ms: i64, limit: usize) -> io::Result<Batch> {
    let mut cursor = cursor.on_the_clock(now_ms);
    let mut waiting: Vec<Entry> =
        list(folder)?.into_values().filter(|entry| cursor.is_new(entry)).collect();
    waiting.sort_by(|a, b| (a.time_ms, &a.base).cmp(&(b.time_ms, &b.base)));
    let mut messages = Vec::new();
    let (mut taken, mut bytes_taken) = (0, 0);
    for entry in waiting.iter().take(limit) {
        if bytes_taken >= MAX_BATCH_BYTES {
            break;
        }
        if let Some(message) = read_message(folder, entry)? {
            bytes_taken += message.bytes.len();
            messages.push(message);
        }
        cursor.note(entry, now_ms);
        taken += 1;
    }
    let more = taken < waiting.len();
    let cursor = serde_json::to_string(&cursor.without_the_old()).map_err(io::Error::other)?;
    Ok(Batch { messages, cursor: Some(cursor), more })
}

/// Every message by its base name. `new` before `cur`: what moves in between is found in one of them.
fn list(folder: &Path) -> io::Result<BTreeMap<String, Entry>> {
    let mut entries = BTreeMap::new();
    for part in ["new", "cur"] {
        for found in fs::read_dir(folder.join(part))? {
            if let Some(entry) = entry_of(&found?)? {
                entries.insert(entry.base.clone(), entry);
            }
        }
    }
    Ok(entries)
}

/// The message that a directory entry is, unless it is none or has just gone.
fn entry_of(found: &fs::DirEntry) -> io::Result<Option<Entry>> {
    let name = found.file_name().to_string_lossy().into_owned();
    if name.starts_with('.') {
        return Ok(None);
    }
    let Some(metadata) = unless_gone(found.metadata())? else {
        // Renamed meanwhile: it is met again under its new name, or at the next look.
        return Ok(None);
    };
    if !metadata.is_file() {
        return Ok(None);
    }
    let time_ms = milliseconds(metadata.modified()?);
    Ok(Some(Entry { time_ms, base: base_name(&name).to_owned(), path: found.path() }))
}

fn base_name(name: &str) -> &str {
    name.split_once(":2,").map_or(name, |(base, _)| base)
}

/// The message, or `None` if somebody has deleted it meanwhile.
fn read_message(folder: &Path, entry: &Entry) -> io::Result<Option<RawMessage>> {
    let mut path = entry.path.clone();
    for _ in 0..MAX_LOOKS {
        if let Some(bytes) = unless_gone(read_start(&path))? {
            return Ok(Some(RawMessage { place: place(&path), bytes }));
        }
        match list(folder)?.remove(&entry.base) {
            Some(moved) => path = moved.path,
            None => return Ok(None),
        }
    }
    let name = place(&path);
    Err(io::Error::other(format!("{name} is renamed faster than it can be read")))
}

fn read_start(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_MESSAGE_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Such as `cur/1700000000.M1P2.host:2,S`.
fn place(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.get(parts.len().saturating_sub(2)..).unwrap_or_default().join("/")
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn milliseconds(time: SystemTime) -> i64 {
    let since = |duration: std::time::Duration| i64::try_from(duration.as_millis());
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => since(after).unwrap_or(i64::MAX),
        Err(before) => since(before.duration()).map_or(i64::MIN, |before| -before),
    }
}

#[cfg(test)]
mod tests;
