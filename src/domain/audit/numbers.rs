//! Every number of the report twice: out of the log, and out of the rows beside it.

use std::collections::BTreeMap;

use super::{Finding, Rule};
use crate::domain::report::Tally;

/// The numbers of the report as the rows have them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub enrolled: u64,
    /// Mails that a server took over, and what persons did, by channel.
    pub touches: BTreeMap<String, u64>,
    /// People who were touched at least once.
    pub first_touches: u64,
    /// Enrollments with at least one touch, and those of them that replied.
    pub reached: u64,
    pub replied: u64,
    pub replies: u64,
    pub auto_replies: u64,
    /// Messages that a mail could not be delivered.
    pub bounce_messages: u64,
    pub opted_out: u64,
    pub complaints: u64,
    pub assumed_sent: u64,
    /// Steps that were passed over, and tasks that nobody did, as the states say.
    pub skipped: u64,
    pub expired: u64,
    pub in_time: (u64, u64),
    /// How enrollments ended, as the states say.
    pub endings: BTreeMap<String, u64>,
    pub median_latency_ms: Option<i64>,
}

/// What differs; `refused` are dead addresses that a server named in the conversation, which are no
/// messages.
pub fn compare(log: &Tally, refused: u64, rows: &Counts) -> Vec<Finding> {
    let rate = log.reply_rate();
    let first_touches: u64 = log.first_touches().values().sum();
    let of = |n: u64| n.to_string();
    let list = |counts: &BTreeMap<String, u64>| {
        let all: Vec<String> = counts.iter().map(|(word, n)| format!("{n} {word}")).collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    };
    let bounces = (log.bounces + log.soft_bounces).saturating_sub(refused);
    let (hits, due) = rows.in_time;
    let median = |ms: Option<i64>| super::row::shown(ms);
    [
        ("enrolled", of(log.enrolled), of(rows.enrolled)),
        ("touches", list(&log.touches), list(&rows.touches)),
        ("first_touches", of(first_touches), of(rows.first_touches)),
        ("reached", of(rate.of), of(rows.reached)),
        ("replied", of(rate.hits), of(rows.replied)),
        ("replies", of(log.replies), of(rows.replies)),
        ("auto_replies", of(log.auto_replies), of(rows.auto_replies)),
        ("bounces and soft_bounces by message", of(bounces), of(rows.bounce_messages)),
        ("opted_out", of(log.opted_out), of(rows.opted_out)),
        ("complaints", of(log.complaints), of(rows.complaints)),
        ("assumed_sent", of(log.assumed_sent), of(rows.assumed_sent)),
        ("skipped_steps", of(log.skipped), of(rows.skipped)),
        ("expired_tasks", of(log.expired), of(rows.expired)),
        (
            "in_time",
            format!("{} of {}", log.in_time.hits, log.in_time.of),
            format!("{hits} of {due}"),
        ),
        ("endings", list(&log.endings), list(&rows.endings)),
        ("median_latency_ms", median(log.median_latency_ms()), median(rows.median_latency_ms)),
    ]
    .into_iter()
    .filter(|(_, log, rows)| log != rows)
    .map(|(name, log, rows)| {
        let (log, rows) = (format!("{log} in the log"), format!("{rows} in the rows"));
        Finding::new(Rule::Report, format!("report {name}"), rows, log)
    })
    .collect()
}
