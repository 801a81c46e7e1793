//! `report`: first touches and replies, out of the log.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::output::{bold, length, print, print_json, table, when};
use super::{Context, Failure};
use crate::domain::budget::Waiting;
use crate::domain::report::{ENOUGH, Rate, Tally};
use crate::domain::touch::Touch;
use crate::engine::Engine;

/// Show first touches and replies, with how sure the numbers are
#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(context: &Context, _: &Args) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let numbers = Numbers::of(&running.engine).await?;
    if context.json {
        print_json(&numbers.json());
    } else {
        print(&numbers.text(&config.reader_zone));
    }
    Ok(0)
}

/// Everything that the report says.
pub(super) struct Numbers {
    pub tally: Tally,
    pub doubts: Vec<Touch>,
    waiting: Vec<(String, Option<Waiting>, u64)>,
}

impl Numbers {
    pub(super) async fn of(engine: &Engine) -> Result<Self, Failure> {
        Ok(Self {
            tally: engine.tally().await?,
            doubts: engine.doubts().await?,
            waiting: engine.store.census().await?,
        })
    }

    pub(super) fn json(&self) -> Value {
        let tally = &self.tally;
        let rate = tally.reply_rate();
        json!({
            "schema": "firsttouch.report.v1",
            "enrolled": tally.enrolled,
            "touches": tally.touches,
            "first_touches": tally.first_touches(),
            "reached": rate.of,
            "replied": rate.hits,
            "reply_rate": rate.share().map(|(p, low, high)| json!({"rate": p, "low": low, "high": high})),
            "replies": tally.replies,
            "median_latency_ms": tally.median_latency_ms(),
            "auto_replies": tally.auto_replies,
            "bounces": tally.bounces,
            "soft_bounces": tally.soft_bounces,
            "opted_out": tally.opted_out,
            "complaints": tally.complaints,
            "skipped_steps": tally.skipped,
            "expired_tasks": tally.expired,
            "in_time": {"hits": tally.in_time.hits, "of": tally.in_time.of},
            "endings": tally.endings,
            "in_doubt": self.doubts.iter().map(doubt_json).collect::<Vec<_>>(),
            "assumed_sent": tally.assumed_sent,
        })
    }

    pub(super) fn text(&self, zone: &TimeZone) -> String {
        let tally = &self.tally;
        let mut text = format!("{}\n", bold("First touches and replies"));
        let count = |n: u64| format!("{n:>7}");
        let by_channel = |counts: Vec<String>| counts.join(" · ");
        let touches = tally.touches.iter().map(|(channel, n)| format!("{n} {channel}"));
        let firsts = tally.first_touches();
        let first_touches = firsts.iter().map(|(channel, n)| format!("{n} by {channel}"));
        let rows = vec![
            vec![count(tally.enrolled), "enrolled".into(), String::new()],
            vec![
                count(tally.touches.values().sum()),
                "touches".into(),
                by_channel(touches.collect()),
            ],
            vec![
                count(firsts.values().sum()),
                "first touches".into(),
                by_channel(first_touches.collect()),
            ],
            vec![count(tally.replies), "replies".into(), self.latency()],
            vec![
                count(tally.auto_replies),
                "automatic replies".into(),
                "never counted as replies".into(),
            ],
            vec![
                count(tally.bounces),
                "bounces".into(),
                format!("{} soft beside them", tally.soft_bounces),
            ],
            vec![
                count(tally.opted_out),
                "opted out".into(),
                format!("{} complaints", tally.complaints),
            ],
            vec![
                count(tally.expired),
                "tasks expired".into(),
                format!("{} steps skipped", tally.skipped),
            ],
        ];
        text.push_str(&table(&rows));
        text.push_str(&format!("\n{}\n", rate_text(tally.reply_rate())));
        if tally.in_time.of > 0 {
            let Rate { hits, of } = tally.in_time;
            text.push_str(&format!("done within their target (`within`): {hits} of {of} tasks\n"));
        }
        let endings = tally.endings.iter().map(|(ending, n)| format!("{n} {ending}"));
        if !tally.endings.is_empty() {
            text.push_str(&format!("ended: {}\n", by_channel(endings.collect())));
        }
        text.push_str(&self.waiting_text());
        for touch in &self.doubts {
            let (step, at) = (&touch.step, when(touch.at, zone));
            text.push_str(&format!(
                "IN DOUBT: prospect {}, {step} of {at}: nobody knows whether it left; it is not sent again by \
                 itself, and counts as sent after a day\n",
                touch.prospect
            ));
        }
        text
    }

    fn latency(&self) -> String {
        let median = self.tally.median_latency_ms();
        median.map_or_else(String::new, |ms| {
            format!("half of them within {} of the touch", length(ms))
        })
    }

    fn waiting_text(&self) -> String {
        let waiting = self.waiting.iter().filter_map(|(_, reason, n)| Some((reason.as_ref()?, n)));
        let mut by_reason: std::collections::BTreeMap<&Waiting, u64> = Default::default();
        for (reason, n) in waiting {
            *by_reason.entry(reason).or_default() += n;
        }
        let lines = by_reason.iter().map(|(reason, n)| format!("{n} {}", reason.as_str()));
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() { String::new() } else { format!("waiting: {}\n", lines.join(" · ")) }
    }
}

/// The rate with its definition, its interval and what it is of.
fn rate_text(rate: Rate) -> String {
    let definition =
        "reply rate = enrollments with a human reply / enrollments with a touch, whole log";
    match rate.share() {
        None => format!(
            "{} of {} replied; below {ENOUGH} a rate says nothing.  ({definition})",
            rate.hits, rate.of
        ),
        Some((p, low, high)) => format!(
            "reply rate {:.1} % [{:.1}–{:.1}], {} of {}, 95 % Wilson interval.  ({definition})",
            p * 100.0,
            low * 100.0,
            high * 100.0,
            rate.hits,
            rate.of
        ),
    }
}

fn doubt_json(touch: &Touch) -> Value {
    json!({"touch": touch.id.0, "prospect": touch.prospect.0, "enrollment": touch.enrollment.0,
        "step": touch.step.as_str(), "at": touch.at.to_string(),
        "message_id": touch.mail.as_ref().map(|mail| mail.message_id.as_str())})
}
