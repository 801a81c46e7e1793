//! The books: what the store holds, row by row, for those who hold one part of it against another.
//!
//! Everything is read in one snapshot, so that a daemon at work makes no differences.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::domain::audit::{Book, Counts, Finding, Mend};
use crate::domain::budget::SendingDays;
use crate::domain::identity::Identity;
use crate::domain::ids::ProspectId;
use crate::domain::log::Entry;
use crate::domain::prospect::Prospect;

/// Opens the books, and mends what stands beside the log.
#[async_trait]
pub trait Bookkeeper: Send + Sync {
    /// All rows as they are now.
    async fn books(&self) -> Result<Box<dyn Books>, StoreError>;

    /// Applies all, or none.
    async fn mend(&self, mends: &[Mend]) -> Result<(), StoreError>;

    /// Whether a process works on the database just now, as far as its leases tell.
    async fn is_worked_on(&self, now: Timestamp) -> Result<bool, StoreError>;
}

/// One snapshot. A row that cannot be read is a finding, and left out.
#[async_trait]
pub trait Books: Send + Sync {
    async fn enrollments(&self) -> Result<u64, StoreError>;

    /// The enrollments behind an id, with everything that belongs to them.
    async fn page(&self, after: i64, limit: u32) -> Result<Page<Book>, StoreError>;

    /// The log behind an id, in its order.
    async fn log(&self, after: i64, limit: u32) -> Result<Page<Entry>, StoreError>;

    /// Messages that came in, behind an id.
    async fn inbound(&self, after: i64, limit: u32) -> Result<Page<InboundRow>, StoreError>;

    /// People behind an id.
    async fn people(&self, after: i64, limit: u32) -> Result<Page<PersonRow>, StoreError>;

    /// Whom these ways lead to.
    async fn recognised(
        &self,
        ways: &[Identity],
    ) -> Result<BTreeMap<Identity, ProspectId>, StoreError>;

    /// Every block, by when it came and why.
    async fn blocks(&self) -> Result<Vec<BlockRow>, StoreError>;

    /// Counters whose buckets are not older than these.
    async fn budgets(&self, oldest: Oldest) -> Result<Vec<(String, i64, i64)>, StoreError>;

    async fn mailboxes(&self) -> Result<Vec<MailboxRow>, StoreError>;

    /// Mails that were intended, behind an id of the log: when, and from where.
    async fn intents(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Page<(String, Timestamp)>, StoreError>;

    async fn imports(&self) -> Result<Vec<ImportSums>, StoreError>;

    /// Of each kind of id the next one to be given out, and the highest that is there.
    async fn sequences(&self) -> Result<Vec<(String, Option<i64>, i64)>, StoreError>;

    /// Rows that belong to a row that is not there.
    async fn orphans(&self) -> Result<Vec<Finding>, StoreError>;

    /// Entries of the log that name an enrollment.
    async fn entries_of_enrollments(&self) -> Result<u64, StoreError>;

    /// The numbers of the report, as far as rows alone have them.
    async fn counts(&self) -> Result<Counts, StoreError>;
}

/// Rows, the id of the last one, and those among them that cannot be read.
#[derive(Debug, Clone)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// `None` when there are no more.
    pub last: Option<i64>,
    pub unreadable: Vec<Finding>,
}

/// A row of `inbound`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InboundRow {
    pub id: i64,
    pub kind: String,
    pub prospect: Option<i64>,
    pub enrollment: Option<i64>,
    pub touch: Option<i64>,
    pub received_ms: i64,
    pub latency_ms: Option<i64>,
}

/// Somebody, and the import that made or last changed them.
#[derive(Debug, Clone)]
pub struct PersonRow {
    pub prospect: Prospect,
    pub changed_by: Option<i64>,
}

/// A row of `suppression`.
#[derive(Debug, Clone)]
pub struct BlockRow {
    pub kind: String,
    pub value: String,
    pub cause: String,
    pub source: String,
    pub at: Timestamp,
}

/// A row of `mailbox`.
#[derive(Debug, Clone)]
pub struct MailboxRow {
    pub id: String,
    pub days: SendingDays,
    pub next_send_at: Option<Timestamp>,
}

/// The oldest buckets that still count, by the window of their cap.
#[derive(Debug, Clone, Copy)]
pub struct Oldest {
    pub hour: i64,
    pub day: i64,
    pub week: i64,
}

/// What an import says of itself, and what it left.
#[derive(Debug, Clone)]
pub struct ImportSums {
    pub id: i64,
    pub name: String,
    pub list: i64,
    pub status: String,
    pub rows_done: i64,
    pub rows_indexed: i64,
    pub outcomes: BTreeMap<String, u64>,
    pub started_at: Timestamp,
    /// Rows that created somebody, and rows that changed somebody.
    pub created: i64,
    pub changed: i64,
    pub has_list: bool,
    /// Whom it made or changed, and who is not on its list; a few of them.
    pub not_listed: BTreeSet<i64>,
}
