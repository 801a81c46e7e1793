//! The whole log once: for the numbers of the report, against the messages that came in, and against the
//! blocks that they made.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{ROWS, Told, Verified};
use crate::domain::audit::{Finding, Rule};
use crate::domain::log::{Entry, What};
use crate::domain::report::Tally;
use crate::engine::EngineError;
use crate::ports::{BlockRow, Books, InboundRow, Page};

/// What a message and its entry have in common.
type Message = (i64, String, Option<i64>, Option<i64>, Option<i64>, String);

/// What is kept of the log while it is read.
#[derive(Default)]
struct Journal {
    tally: Tally,
    refused: u64,
    messages: HashMap<Message, i64>,
    /// What entries say that may have made a block: when, and what.
    causes: BTreeSet<(i64, Made)>,
    /// Who asked for something, and when for the first time.
    said_no: BTreeMap<(i64, &'static str), i64>,
    bounced: BTreeMap<i64, Vec<i64>>,
}

/// What may make a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Made {
    OptOut,
    Complaint,
    Bounce,
    Task,
    Hand,
}

pub(super) async fn check(books: &dyn Books, verified: &mut Verified) -> Result<Told, EngineError> {
    let mut journal = Journal::default();
    let mut after = 0;
    loop {
        let Page { rows, last, unreadable } = books.log(after, ROWS).await?;
        // Those of enrollments are told with their enrollments.
        let told = |row: &str| verified.findings.iter().any(|finding| finding.row == row);
        let new: Vec<Finding> = unreadable.into_iter().filter(|one| !told(&one.row)).collect();
        verified.say(new);
        rows.iter().for_each(|entry| journal.take(entry));
        verified.entries += u64::try_from(rows.len()).unwrap_or(0);
        let Some(last) = last else { break };
        after = last;
    }
    messages(books, &mut journal, verified).await?;
    blocks(books, &journal, verified).await?;
    Ok(Told { tally: journal.tally, refused: journal.refused })
}

impl Journal {
    fn take(&mut self, entry: &Entry) {
        self.tally.add(entry);
        let ms = entry.at.as_millisecond();
        let by_server = entry.what == What::Bounced && !entry.detail("phase").is_empty();
        self.refused += u64::from(by_server);
        if is_message(entry) && !by_server {
            *self.messages.entry(message(entry)).or_default() += 1;
        }
        // What is told of a person must be blocked for that person.
        let of_person = entry.prospect.map(|id| id.0);
        let made = match entry.what {
            What::OptedOut => {
                self.no(of_person, "opt_out", ms);
                Made::OptOut
            }
            What::Complained => {
                self.no(of_person, "complaint", ms);
                Made::Complaint
            }
            What::Bounced => {
                let times = of_person.map(|id| self.bounced.entry(id).or_default());
                times.into_iter().for_each(|times| times.push(ms));
                Made::Bounce
            }
            // A message from nobody known may bounce or opt out as well.
            What::Unmatched => match entry.detail("kind") {
                "unsubscribe" => Made::OptOut,
                "complaint" => Made::Complaint,
                _ => Made::Bounce,
            },
            What::TaskDone => Made::Task,
            What::Suppressed => Made::Hand,
            _ => return,
        };
        self.causes.insert((ms, made));
    }

    fn no(&mut self, who: Option<i64>, cause: &'static str, ms: i64) {
        if let Some(who) = who {
            self.said_no.entry((who, cause)).or_insert(ms);
        }
    }
}

/// Whether an entry is about a message that came in.
fn is_message(entry: &Entry) -> bool {
    let kind = matches!(
        entry.what,
        What::Unmatched
            | What::Bounced
            | What::SoftBounced
            | What::Complained
            | What::AutoReplied
            | What::OptedOut
            | What::Noticed
            | What::Replied
    );
    kind && entry.detail("channel") == "email" && !entry.detail("kind").is_empty()
}

fn message(entry: &Entry) -> Message {
    (
        entry.at.as_millisecond(),
        entry.detail("kind").to_owned(),
        entry.prospect.map(|id| id.0),
        entry.enrollment.map(|id| id.0),
        entry.touch.map(|id| id.0),
        entry.detail("latency_ms").to_owned(),
    )
}

/// Every message has its entry, and every entry its message.
async fn messages(
    books: &dyn Books,
    journal: &mut Journal,
    verified: &mut Verified,
) -> Result<(), EngineError> {
    let mut after = 0;
    loop {
        let Page { rows, last, unreadable } = books.inbound(after, ROWS).await?;
        verified.say(unreadable);
        for row in &rows {
            let InboundRow { received_ms, kind, prospect, enrollment, touch, latency_ms, .. } = row;
            let latency = latency_ms.map_or_else(String::new, |ms| ms.to_string());
            let key = (*received_ms, kind.clone(), *prospect, *enrollment, *touch, latency);
            match journal.messages.get_mut(&key).filter(|n| **n > 0) {
                Some(n) => *n -= 1,
                None => {
                    let should = "an entry in the log of the same time, kind, person and touch";
                    let (row, stands) =
                        (format!("inbound {}", row.id), format!("{kind} without one"));
                    verified.say([Finding::new(Rule::Inbound, row, stands, should)]);
                }
            }
        }
        let Some(last) = last else { break };
        after = last;
    }
    let mut left: Vec<&Message> =
        journal.messages.iter().filter(|(_, n)| **n > 0).map(|(key, _)| key).collect();
    left.sort();
    for (ms, kind, prospect, ..) in left {
        let who = prospect.map_or_else(|| "nobody known".to_owned(), |id| format!("prospect {id}"));
        let row = format!("{kind} of {who} at {}", when(*ms));
        let should = "the message of which the log tells";
        verified.say([Finding::new(Rule::Inbound, row, "no such message", should)]);
    }
    Ok(())
}

fn when(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string())
}

/// Every block has what made it, and everybody who said no is blocked.
async fn blocks(
    books: &dyn Books,
    journal: &Journal,
    verified: &mut Verified,
) -> Result<(), EngineError> {
    let blocks = books.blocks().await?;
    let imports: BTreeSet<i64> =
        books.imports().await?.iter().map(|one| one.started_at.as_millisecond()).collect();
    for block in &blocks {
        let ms = block.at.as_millisecond();
        let is_told = made_by(block).iter().any(|made| journal.causes.contains(&(ms, *made)));
        // A list that goes on behind a crash has the time of its second beginning.
        let by_import = block.source == "import" && !imports.is_empty();
        if !is_told && !by_import {
            let row = format!("suppression {} {}", block.kind, block.value);
            let stands = format!("{} from {} at {}", block.cause, block.source, block.at);
            verified.say([Finding::new(
                Rule::Suppression,
                row,
                stands,
                "an entry in the log of then",
            )]);
        }
    }
    let person = |who: i64, cause: &str| {
        let value = who.to_string();
        blocks.iter().find(|b| b.kind == "person" && b.value == value && b.cause == cause)
    };
    for ((who, cause), ms) in &journal.said_no {
        if person(*who, cause).is_none_or(|block| block.at.as_millisecond() > *ms) {
            let (row, stands) = (format!("prospect {who}"), format!("not blocked for {cause}"));
            let should = format!("blocked since {}", when(*ms));
            verified.say([Finding::new(Rule::Suppression, row, stands, should)]);
        }
    }
    bounces(&blocks, journal, verified);
    Ok(())
}

/// Whose address is dead has a block of the time at which it was found out.
fn bounces(blocks: &[BlockRow], journal: &Journal, verified: &mut Verified) {
    let dead: BTreeSet<i64> = blocks
        .iter()
        .filter(|block| block.cause == "hard_bounce")
        .map(|block| block.at.as_millisecond())
        .collect();
    for (who, times) in &journal.bounced {
        if !times.iter().any(|ms| dead.contains(ms)) {
            let row = format!("prospect {who}");
            let should = format!(
                "a dead address, blocked since {}",
                when(times.first().copied().unwrap_or(0))
            );
            let stands = "no block for hard_bounce";
            verified.say([Finding::new(Rule::Suppression, row, stands, should)]);
        }
    }
}

fn made_by(block: &BlockRow) -> &'static [Made] {
    match block.cause.as_str() {
        "opt_out" => &[Made::OptOut],
        "complaint" => &[Made::Complaint],
        "hard_bounce" => &[Made::Bounce],
        "do_not_call" | "bad_number" => &[Made::Task],
        "manual" => &[Made::Hand],
        _ => &[],
    }
}
