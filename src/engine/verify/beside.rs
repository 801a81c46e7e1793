//! What stands beside the enrollments: counters, mailboxes, how people are recognised, imports and ids.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{ROWS, Verified, oldest};
use crate::domain::audit::{BY_THE_HOUR, Charges, Finding, Mend, Rule, oldest_bucket};
use crate::domain::budget::SendingDays;
use crate::domain::identity::Identity;
use crate::domain::ids::ProspectId;
use crate::engine::EngineError;
use crate::engine::import::identities;
use crate::ports::{Books, ImportSums, Page, PersonRow};

/// Counters of caps against the touches that they count, as far as they still count.
pub(super) async fn budgets(
    books: &dyn Books,
    charges: &Charges,
    now: Timestamp,
    verified: &mut Verified,
) -> Result<(), EngineError> {
    let mut should = charges.used.clone();
    let mut say = |scope: String, bucket: i64, stands: i64, used: i64| {
        let row = format!("budget {scope} {bucket}");
        let finding =
            Finding::new(Rule::Budget, row, format!("{stands} used"), format!("{used} used"));
        verified.say([finding.mended_by(Mend::Budget { scope, bucket, used })]);
    };
    for (scope, bucket, stands) in books.budgets(oldest(now)).await? {
        let used = should.remove(&(scope.clone(), bucket)).unwrap_or(0);
        // What was touched before states were kept cannot be counted again.
        let unknown = charges.is_partial && stands > used;
        if stands != used && !unknown && bucket >= oldest_bucket(&scope, now) {
            say(scope, bucket, stands, used);
        }
    }
    // An hour is counted only while the settings limit it.
    should.retain(|(scope, _), _| !scope.starts_with(BY_THE_HOUR));
    for ((scope, bucket), used) in should {
        say(scope, bucket, 0, used);
    }
    Ok(())
}

/// What is remembered of a mailbox against the mails that were intended from it.
#[derive(Default)]
struct Sent {
    days: SendingDays,
    last_at: Option<Timestamp>,
}

pub(super) async fn mailboxes(
    books: &dyn Books,
    verified: &mut Verified,
) -> Result<(), EngineError> {
    let mut sent: BTreeMap<String, Sent> = BTreeMap::new();
    let mut after = 0;
    loop {
        let Page { rows, last, .. } = books.intents(after, ROWS).await?;
        for (mailbox, at) in rows {
            let day = at.as_millisecond().div_euclid(86_400_000);
            let own = sent.entry(mailbox).or_default();
            own.days = own.days.with(day);
            own.last_at = Some(at);
        }
        let Some(last) = last else { break };
        after = last;
    }
    for row in books.mailboxes().await? {
        let own = sent.remove(&row.id).unwrap_or_default();
        mailbox(row, &own, verified);
    }
    for (id, own) in sent {
        let days = SendingDays::default();
        let row = crate::ports::MailboxRow { id, days, next_send_at: None };
        mailbox(row, &own, verified);
    }
    Ok(())
}

fn mailbox(row: crate::ports::MailboxRow, own: &Sent, verified: &mut Verified) {
    // The gap is drawn behind the last intent.
    let gap_fits = match (row.next_send_at, own.last_at) {
        (Some(next), Some(last)) => next >= last,
        (next, last) => next.is_none() == last.is_none(),
    };
    if row.days == own.days && gap_fits {
        return;
    }
    let said = |days: SendingDays, next: Option<Timestamp>| {
        let last = days.last.map_or_else(|| "never".to_owned(), |day| format!("day {day}"));
        let next = next.map_or_else(|| "at any time".to_owned(), |at| format!("not before {at}"));
        let again = days.resumed.map(|n| format!(", silent before day {n} of them"));
        format!("{} sending days before {last}{}, {next}", days.before, again.unwrap_or_default())
    };
    let next_send_at = if gap_fits { row.next_send_at } else { own.last_at };
    let stands = said(row.days, row.next_send_at);
    let should = said(own.days, next_send_at);
    let name = format!("mailbox {}", row.id);
    let mend = Mend::Mailbox { id: row.id, days: own.days, next_send_at };
    verified.say([Finding::new(Rule::Mailbox, name, stands, should).mended_by(mend)]);
}

/// Everybody is recognised by every way in which they are known.
pub(super) async fn people(books: &dyn Books, verified: &mut Verified) -> Result<(), EngineError> {
    // An import under way writes how people are recognised for many rows at a time.
    let behind: BTreeSet<i64> = books
        .imports()
        .await?
        .iter()
        .filter(|import| import.status == "running" || import.rows_indexed < import.rows_done)
        .map(|import| import.id)
        .collect();
    let mut after = 0;
    loop {
        let Page { rows, last, unreadable } = books.people(after, ROWS).await?;
        verified.say(unreadable);
        verified.people += u64::try_from(rows.len()).unwrap_or(0);
        let settled =
            |person: &&PersonRow| !person.changed_by.is_some_and(|id| behind.contains(&id));
        let ways: Vec<(Identity, ProspectId)> = rows
            .iter()
            .filter(settled)
            .flat_map(|person| {
                let own = identities(&person.prospect.known);
                own.into_iter().map(|way| (way, person.prospect.id))
            })
            .collect();
        let keys: Vec<Identity> = ways.iter().map(|(way, _)| *way).collect();
        let known = books.recognised(&keys).await?;
        for (way, who) in ways.into_iter().filter(|(way, _)| !known.contains_key(way)) {
            let stands = format!("not recognised by way {}", way.hash());
            let finding =
                Finding::new(Rule::Identity, format!("prospect {who}"), stands, "recognised by it");
            verified.say([finding.mended_by(Mend::Recognise(way, who))]);
        }
        let Some(last) = last else { return Ok(()) };
        after = last;
    }
}

/// The sums of each finished import, and what it left.
pub(super) async fn imports(books: &dyn Books, verified: &mut Verified) -> Result<(), EngineError> {
    for import in books.imports().await? {
        if import.status == "done" {
            verified.say(sums(&import));
        }
    }
    Ok(())
}

fn sums(import: &ImportSums) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say = |stands: String, should: String| {
        let row = format!("import {} ({})", import.id, import.name);
        found.push(Finding::new(Rule::Import, row, stands, should));
    };
    let of = |words: &[&str]| -> i64 {
        let n: u64 = words.iter().filter_map(|word| import.outcomes.get(*word)).sum();
        i64::try_from(n).unwrap_or(i64::MAX)
    };
    let all = of(&["created", "updated", "unchanged", "parked", "skipped", "rejected"]);
    if all != import.rows_done {
        say(format!("outcomes of {all} rows"), format!("of {} rows", import.rows_done));
    }
    let created = of(&["created", "parked"]);
    if created != import.created {
        let stands = format!("{} rows on record that created somebody", import.created);
        say(stands, format!("{created}, as its outcomes say"));
    }
    let updated = of(&["updated"]);
    if updated != import.changed {
        let stands = format!("{} rows on record that changed somebody", import.changed);
        say(stands, format!("{updated}, as its outcomes say"));
    }
    if !import.has_list {
        say(format!("list {}", import.list), "a list that is there".to_owned());
    }
    for who in &import.not_listed {
        say(format!("prospect {who} is not on its list"), "on it".to_owned());
    }
    found
}

/// Ids that are given out next lie above all that are there.
pub(super) async fn sequences(
    books: &dyn Books,
    verified: &mut Verified,
) -> Result<(), EngineError> {
    for (kind, next, highest) in books.sequences().await? {
        let stands = next.unwrap_or(1);
        if stands <= highest {
            let (row, next) = (format!("sequence {kind}"), highest + 1);
            let should = format!("{next} or more");
            let finding = Finding::new(Rule::Sequence, row, stands, should);
            verified.say([finding.mended_by(Mend::Sequence { kind, next })]);
        }
    }
    Ok(())
}
