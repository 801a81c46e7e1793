//! `board`: who is where, what waits, and for what.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::output::{bold, print, print_json, table, when};
use super::{Context, Failure, hold};
use crate::config::Config;
use crate::domain::budget::Waiting;
use crate::domain::ids::CadenceId;
use crate::engine::board::{Board, CadenceBoard, MailboxBoard, StepBoard};

/// Show who is where in each cadence, what waits and for what, and how much each mailbox may still send
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only this cadence
    cadence: Option<String>,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let only = args.cadence.as_deref().map(CadenceId::from);
    let board = running.engine.board(only.as_ref()).await?;
    if context.json {
        print_json(&board_json(&board));
    } else {
        print(&text(&board, &config));
    }
    Ok(0)
}

fn text(board: &Board, config: &Config) -> String {
    let zone = &config.reader_zone;
    let mut text = String::new();
    for held in &board.holds {
        text.push_str(&format!("! on hold: {}\n", hold::line(held, config)));
    }
    let rows: Vec<Vec<String>> =
        board.mailboxes.iter().map(|mailbox| mailbox_row(mailbox, board.now, zone)).collect();
    text.push_str(table(&rows).trim_end());
    let shown = board.cadences.iter().filter(|(_, cadence)| cadence.people > 0);
    for (id, cadence) in shown {
        text.push_str(&format!("\n\n{}", cadence_text(id, cadence, zone)));
    }
    let idle: Vec<&str> = board
        .cadences
        .iter()
        .filter(|(_, cadence)| cadence.people == 0)
        .map(|(id, _)| id.as_str())
        .collect();
    if !idle.is_empty() {
        text.push_str(&format!("\n\nnobody yet in: {}", idle.join(", ")));
    }
    text
}

fn mailbox_row(mailbox: &MailboxBoard, now: Timestamp, zone: &TimeZone) -> Vec<String> {
    let waits = match mailbox.waits {
        Some((until, why)) => format!("next from {} ({})", when(until, zone), why.as_str()),
        None => String::new(),
    };
    let inbox = match mailbox.inbox_read_at {
        _ if !mailbox.inbox_is_stale && mailbox.inbox_read_at.is_none() => String::new(),
        None => "! its inbox was never read: nothing is sent".to_owned(),
        Some(at) if mailbox.inbox_is_stale => {
            format!("! its inbox was last read {}: nothing is sent", when(at, zone))
        }
        Some(at) => format!("inbox read {} min ago", at.duration_until(now).as_mins()),
    };
    let why = match (mailbox.after_silence, mailbox.limit < mailbox.full) {
        (true, _) => format!(" (growing again to {} after a silence)", mailbox.full),
        (false, true) => format!(" (growing to {})", mailbox.full),
        (false, false) => String::new(),
    };
    let hour = mailbox.hour.map(|(sent, limit)| format!(", {sent} of {limit} in 1 h"));
    let hour = hour.unwrap_or_default();
    let sent = format!("{} of {} in 24 h{why}{hour}", mailbox.sent, mailbox.limit);
    vec![format!("mailbox {}", mailbox.id), sent, inbox, waits]
}

fn cadence_text(id: &CadenceId, cadence: &CadenceBoard, zone: &TimeZone) -> String {
    let under_way = cadence.people - cadence.ended.values().sum::<u64>();
    let closed = if cadence.is_applied { "" } else { " · taken out: nobody new comes in" };
    let mut text = format!(
        "{}  {} people, {under_way} under way{closed}\n",
        bold(id.as_str()),
        cadence.people
    );
    let heads = ["  step", "here", "due today", "done", "waits for"].map(str::to_owned).to_vec();
    let steps = cadence.steps.iter().map(|step| step_row(step, zone));
    let rows: Vec<Vec<String>> = std::iter::once(heads).chain(steps).collect();
    text.push_str(table(&rows).trim_end());
    let counts = |what: &str, counts: Vec<(&str, u64)>| {
        let all: u64 = counts.iter().map(|(_, n)| n).sum();
        let parts: Vec<String> = counts.iter().map(|(word, n)| format!("{word} {n}")).collect();
        match counts.is_empty() {
            true => String::new(),
            false => format!("\n  {what} {all}: {}", parts.join(" · ")),
        }
    };
    let paused = cadence.paused.iter().map(|(why, n)| (why.as_str(), *n)).collect();
    let ended = cadence.ended.iter().map(|(word, n)| (word.as_str(), *n)).collect();
    text.push_str(&counts("paused", paused));
    text.push_str(&counts("ended", ended));
    text
}

fn step_row(step: &StepBoard, zone: &TimeZone) -> Vec<String> {
    let waits = step.waits.iter().map(|(why, (people, first))| {
        let until = match first {
            Some(at) if *why != Waiting::NeedsPerson => format!(" until {}", when(*at, zone)),
            _ => String::new(),
        };
        format!("{people} {}{until}", why.as_str())
    });
    let waits: Vec<String> = waits.collect();
    vec![
        format!("  {}", step.step),
        step.here.to_string(),
        step.due_today.to_string(),
        step.done.to_string(),
        waits.join(" · "),
    ]
}

fn board_json(board: &Board) -> Value {
    let cadences = board.cadences.iter().map(|(id, cadence)| {
        let paused: BTreeMap<&str, u64> =
            cadence.paused.iter().map(|(why, n)| (why.as_str(), *n)).collect();
        json!({"cadence": id.as_str(), "applied": cadence.is_applied, "people": cadence.people,
            "steps": cadence.steps.iter().map(step_json).collect::<Vec<_>>(),
            "paused": paused, "ended": cadence.ended})
    });
    let mailboxes = board.mailboxes.iter().map(|mailbox| {
        json!({"mailbox": mailbox.id.as_str(), "sent_24h": mailbox.sent, "limit": mailbox.limit,
            "full_limit": mailbox.full, "after_silence": mailbox.after_silence,
            "sent_1h": mailbox.hour.map(|(sent, _)| sent),
            "hourly_limit": mailbox.hour.map(|(_, limit)| limit),
            "waits_until": mailbox.waits.map(|(at, _)| at.to_string()),
            "waits_for": mailbox.waits.map(|(_, why)| why.as_str()),
            "inbox_read_at": mailbox.inbox_read_at.map(|at| at.to_string()),
            "inbox_stale": mailbox.inbox_is_stale})
    });
    json!({"schema": "firsttouch.board.v1", "now": board.now.to_string(),
        "holds": board.holds.iter().map(hold::of).collect::<Vec<_>>(),
        "mailboxes": mailboxes.collect::<Vec<_>>(), "cadences": cadences.collect::<Vec<_>>()})
}

fn step_json(step: &StepBoard) -> Value {
    let waits = step.waits.iter().map(|(why, (people, first))| {
        json!({"for": why.as_str(), "people": people, "first_until": first.map(|at| at.to_string())})
    });
    json!({"step": step.step, "here": step.here, "not_begun": step.not_begun,
        "due_today": step.due_today, "done": step.done, "waits": waits.collect::<Vec<_>>()})
}
