//! The numbers of the report out of rows, without the log.

use std::collections::{BTreeMap, BTreeSet};

use super::SqlBooks;
use crate::adapters::store::get;
use crate::domain::audit::Counts;
use crate::domain::cadence::{Channel, Outcome, is_conversation};
use crate::ports::StoreError;

/// What counts as a touch.
const COUNTS: &str = "status in ('sent', 'assumed_sent', 'done')";

pub(super) async fn of(books: &SqlBooks) -> Result<Counts, StoreError> {
    let mut counts = Counts {
        enrolled: books.enrollments_n("select count(*) as n from enrollment").await?,
        touches: by_word(
            books,
            &format!(
                "select channel as word, count(*) as n from touch where {COUNTS} group by channel"
            ),
        )
        .await?,
        ..Counts::default()
    };
    let touched = format!("from touch where {COUNTS} and channel <> 'task'");
    let n = |what: &str| format!("select count(distinct {what}) as n {touched}");
    counts.first_touches = books.enrollments_n(&n("prospect_id")).await?;
    counts.reached = books.enrollments_n(&n("enrollment_id")).await?;
    let assumed = "select count(*) as n from touch where status = 'assumed_sent'";
    counts.assumed_sent = books.enrollments_n(assumed).await?;
    let messages = by_word(
        books,
        "select kind as word, count(*) as n from inbound where prospect_id is not null group by kind",
    )
    .await?;
    let message = |word: &str| messages.get(word).copied().unwrap_or(0);
    counts.auto_replies = message("auto_reply");
    counts.bounce_messages = message("bounce");
    counts.opted_out = message("unsubscribe");
    counts.complaints = message("complaint");
    counts.replies = message("reply");
    counts.in_time = in_time(books).await?;
    conversations(books, &mut counts).await?;
    Ok(counts)
}

impl SqlBooks {
    async fn enrollments_n(&self, sql: &str) -> Result<u64, StoreError> {
        Ok(u64::try_from(self.number(sql).await?).unwrap_or(0))
    }
}

async fn by_word(books: &SqlBooks, sql: &str) -> Result<BTreeMap<String, u64>, StoreError> {
    let rows = books.read(sql, Vec::new()).await?;
    let pair = |row| Ok((get(row, "word")?, u64::try_from(get::<i64>(row, "n")?).unwrap_or(0)));
    rows.iter().map(pair).collect()
}

/// Tasks with a target that were done, and those of them that were done by then.
async fn in_time(books: &SqlBooks) -> Result<(u64, u64), StoreError> {
    let joined = "from task k join touch t on t.enrollment_id = k.enrollment_id \
         and t.step_id = k.step_id and t.attempt = k.attempt and t.status = 'done' \
         and t.at >= k.opened_at and t.at = k.closed_at where k.target_at is not null";
    let of = books.enrollments_n(&format!("select count(*) as n {joined}")).await?;
    let hits = books
        .enrollments_n(&format!("select count(*) as n {joined} and t.at <= k.target_at"))
        .await?;
    Ok((hits, of))
}

/// Replies by mail and on the phone: the first by mail of each enrollment says how long it took.
async fn conversations(books: &SqlBooks, counts: &mut Counts) -> Result<(), StoreError> {
    let mut written: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    let sql = "select enrollment_id, received_at, latency_ms from inbound \
         where kind = 'reply' and prospect_id is not null and enrollment_id is not null order by id";
    for row in &books.read(sql, Vec::new()).await? {
        let latency = get::<Option<i64>>(row, "latency_ms")?.unwrap_or(0);
        let one = (get(row, "received_at")?, latency);
        let first = written.entry(get(row, "enrollment_id")?).or_insert(one);
        *first = (*first).min(one);
    }
    let mut heard: BTreeSet<i64> = written.keys().copied().collect();
    let sql = "select enrollment_id, channel, outcome from touch where status = 'done' \
         and outcome is not null and channel in ('call', 'social') order by id";
    for row in &books.read(sql, Vec::new()).await? {
        let (channel, outcome): (String, String) = (get(row, "channel")?, get(row, "outcome")?);
        let channel = if channel == "call" { Channel::Call } else { Channel::Social };
        if is_conversation(channel, &Outcome::from(outcome.as_str())) {
            counts.replies += 1;
            heard.insert(get(row, "enrollment_id")?);
        }
    }
    let sql = "select distinct enrollment_id from touch \
         where status in ('sent', 'assumed_sent', 'done') and channel <> 'task'";
    for row in &books.read(sql, Vec::new()).await? {
        counts.replied += u64::from(heard.contains(&get::<i64>(row, "enrollment_id")?));
    }
    let mut latencies: Vec<i64> =
        written.values().map(|(_, latency)| *latency).filter(|ms| *ms > 0).collect();
    latencies.sort_unstable();
    counts.median_latency_ms = latencies.get(latencies.len() / 2).copied();
    Ok(())
}
