//! The books held against each other: every state, counter and number of the report derived again from
//! the log, and what differs from what stands.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::EngineError;
use super::workspace;
use crate::domain::audit::{
    BY_THE_HOUR, Book, Charges, Counts, Finding, Limited, Mend, Rule, charged, compare,
    oldest_bucket,
};
use crate::domain::cadence::Limits;
use crate::domain::enrollment::Phase;
use crate::domain::report::Tally;
use crate::ports::{Bookkeeper, Books, Oldest, Page, Store};

mod beside;
mod journal;

/// Rows that are read at a time.
const ENROLLMENTS: u32 = 100;
const ROWS: u32 = 2_000;

/// Differences that are kept; more of them say nothing new.
const KEPT: usize = 10_000;

/// Differences that are mended in one transaction.
const TOGETHER: usize = 200;

/// How often mending begins anew, because one mended row brought another to light.
const ROUNDS: usize = 4;

/// Hears how far it has come.
pub trait Listener: Send {
    /// So many of so many enrollments were looked at.
    fn done(&mut self, enrollments: u64, of: u64);
}

impl Listener for () {
    fn done(&mut self, _: u64, _: u64) {}
}

/// What was looked at, and what differs.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    pub enrollments: u64,
    pub entries: u64,
    pub people: u64,
    pub findings: Vec<Finding>,
    /// Differences beyond those that are kept.
    pub more: usize,
}

impl Verified {
    fn say(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            match self.findings.len() < KEPT {
                true => self.findings.push(finding),
                false => self.more += 1,
            }
        }
    }

    /// Whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// What can be mended.
    pub fn mends(&self) -> Vec<Mend> {
        let mut mends: Vec<Mend> = Vec::new();
        for mend in self.findings.iter().filter_map(|finding| finding.mend.as_ref()) {
            // Several columns of a row are mended at once.
            if !mends.iter().rev().take(TOGETHER).any(|known| known == mend) {
                mends.push(mend.clone());
            }
        }
        mends
    }
}

/// What was mended, and what differs behind it.
#[derive(Debug, Clone, Default)]
pub struct Repaired {
    pub mended: Vec<Finding>,
    pub after: Verified,
}

/// The limits of the versions that anybody was ever in.
#[derive(Default)]
struct Versions(BTreeMap<String, Option<Limits>>);

impl Limited for Versions {
    fn limits(&self, digest: &str) -> Option<Limits> {
        self.0.get(digest).cloned().flatten()
    }
}

impl Versions {
    async fn know(&mut self, store: &dyn Store, book: &Book) -> Result<(), EngineError> {
        for digest in book.transitions.iter().filter_map(|one| one.digest.as_ref()) {
            if self.0.contains_key(digest) {
                continue;
            }
            let record = store.cadence_version(digest).await?;
            let version = record.and_then(|record| workspace::restore(&record.files).ok());
            self.0.insert(digest.clone(), version.map(|version| version.cadence.limits));
        }
        Ok(())
    }
}

/// Derives everything again and lists what differs. Changes nothing.
///
/// # Errors
/// The store failed.
pub async fn verify(
    store: &dyn Store,
    keeper: &dyn Bookkeeper,
    now: Timestamp,
    listener: &mut dyn Listener,
) -> Result<Verified, EngineError> {
    let books = keeper.books().await?;
    let mut verified = Verified::default();
    let mut rows = books.counts().await?;
    let charges = enrollments(store, &*books, now, &mut rows, &mut verified, listener).await?;
    let tally = journal::check(&*books, &mut verified).await?;
    verified.say(compare(&tally.tally, tally.refused, &rows));
    beside::budgets(&*books, &charges, now, &mut verified).await?;
    beside::mailboxes(&*books, &mut verified).await?;
    beside::people(&*books, &mut verified).await?;
    beside::imports(&*books, &mut verified).await?;
    beside::sequences(&*books, &mut verified).await?;
    verified.say(books.orphans().await?);
    Ok(verified)
}

/// The part that takes no time: ids, rows without the row that they belong to, and imports.
///
/// # Errors
/// The store failed.
pub async fn verify_quickly(keeper: &dyn Bookkeeper) -> Result<Verified, EngineError> {
    let books = keeper.books().await?;
    let mut verified = Verified::default();
    beside::imports(&*books, &mut verified).await?;
    beside::sequences(&*books, &mut verified).await?;
    verified.say(books.orphans().await?);
    Ok(verified)
}

async fn enrollments(
    store: &dyn Store,
    books: &dyn Books,
    now: Timestamp,
    rows: &mut Counts,
    verified: &mut Verified,
    listener: &mut dyn Listener,
) -> Result<Charges, EngineError> {
    let all = books.enrollments().await?;
    let (mut versions, mut charges) = (Versions::default(), Charges::default());
    let (mut after, mut entries) = (0, 0);
    loop {
        let Page { rows: page, last, unreadable } = books.page(after, ENROLLMENTS).await?;
        verified.say(unreadable);
        for book in &page {
            versions.know(store, book).await?;
            verified.say(book.findings());
            charged(book, &versions, now, &mut charges);
            count(book, rows);
            entries += u64::try_from(book.entries.len()).unwrap_or(0);
            verified.enrollments += 1;
        }
        let Some(last) = last else { break };
        after = last;
        listener.done(verified.enrollments, all);
    }
    let named = books.entries_of_enrollments().await?;
    if named != entries && !verified.findings.iter().any(|one| one.rule == Rule::Unreadable) {
        let stands = format!("{named} entries name an enrollment");
        let should = format!("{entries}: each with somebody who is of it");
        verified.say([Finding::new(Rule::Log, "log", stands, should)]);
    }
    Ok(charges)
}

/// What the states say of steps and ends, for the report.
fn count(book: &Book, rows: &mut Counts) {
    let Some(state) = book.transitions.last().and_then(|last| last.state.as_ref()) else { return };
    let passed = |word: &str| {
        let n = state.passed.iter().filter(|passed| passed.outcome.as_str() == word).count();
        u64::try_from(n).unwrap_or(0)
    };
    rows.skipped += passed(crate::domain::cadence::SKIPPED);
    rows.expired += passed(crate::domain::cadence::EXPIRED);
    if let Phase::Ended { ending, .. } = state.phase {
        *rows.endings.entry(ending.as_str().to_owned()).or_default() += 1;
    }
}

/// What the log says of the whole.
struct Told {
    tally: Tally,
    /// Dead addresses that a server named in the conversation.
    refused: u64,
}

/// Mends what stands beside the log, until nothing is left that can be mended.
///
/// # Errors
/// The store failed, or a row could not be mended.
pub async fn repair(
    store: &dyn Store,
    keeper: &dyn Bookkeeper,
    now: Timestamp,
    listener: &mut dyn Listener,
) -> Result<Repaired, EngineError> {
    let mut repaired = Repaired::default();
    for _ in 0..ROUNDS {
        repaired.after = verify(store, keeper, now, listener).await?;
        let mends = repaired.after.mends();
        if mends.is_empty() {
            return Ok(repaired);
        }
        for together in mends.chunks(TOGETHER) {
            keeper.mend(together).await?;
        }
        let mended = repaired.after.findings.iter().filter(|finding| finding.mend.is_some());
        repaired.mended.extend(mended.cloned());
    }
    repaired.after = verify(store, keeper, now, listener).await?;
    Ok(repaired)
}

fn oldest(now: Timestamp) -> Oldest {
    let of = |scope| oldest_bucket(scope, now);
    Oldest { hour: of(BY_THE_HOUR), day: of("mailbox:"), week: of("company:") }
}
