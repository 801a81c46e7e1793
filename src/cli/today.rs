//! `today`: the rep's queue.

use serde_json::json;

use super::output::{length, plain, print, print_json, table, when};
use super::{Context, Failure};
use crate::domain::enrollment::TaskKind;
use crate::domain::ids::RepId;
use crate::engine::tasks::QueueLine;

/// Show what is to be done today, in the order in which to do it
#[derive(clap::Args)]
pub(super) struct Args {
    /// Whose queue; everybody's when there are several reps and none is named
    #[arg(long = "for", value_name = "WHO")]
    who: Option<String>,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let engine = &running.engine;
    let reps = engine.settings.team();
    if let Some(who) = args.who.as_ref().filter(|who| !reps.iter().any(|rep| rep.as_str() == **who))
    {
        let known: Vec<&str> = reps.iter().map(|rep| rep.as_str()).collect();
        let known = known.join(", ");
        return Err(Failure::usage(format!("there is no rep `{who}`; the settings know {known}")));
    }
    let rep = match (&args.who, reps.as_slice()) {
        (Some(who), _) => Some(RepId::from(who.as_str())),
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
    };
    let queue = engine.queue(rep.as_ref()).await?;
    let now = engine.now();
    if context.json {
        let items: Vec<_> = queue.iter().map(line_json).collect();
        print_json(&json!({"schema": "firsttouch.tasks.v1", "items": items, "next": null}));
        return Ok(0);
    }
    let later = queue.iter().filter(|line| line.callable_at.is_some_and(|at| at > now)).count();
    let mut text = format!("{} to do", queue.len() - later);
    if later > 0 {
        text.push_str(&format!(", {later} calls are for later: it is outside their hours there"));
    }
    let since = now - jiff::SignedDuration::from_hours(24);
    let replies = engine.store.replies(1_000).await?;
    let fresh = replies.iter().filter(|reply| reply.kind == "reply" && reply.received_at > since);
    match fresh.count() {
        0 => {}
        n => text.push_str(&format!("; replies in the last day: {n} (`firsttouch replies`)")),
    }
    text.push_str("\n\n");
    let rows: Vec<Vec<String>> = queue
        .iter()
        .map(|line| {
            let at = match line.callable_at {
                Some(at) if at > now => when(at, &config.reader_zone),
                _ => "now".to_owned(),
            };
            let known = &line.prospect.known;
            vec![
                line.task.id.to_string(),
                at,
                kind(line).to_owned(),
                plain(&line.prospect.display_name(), 28),
                plain(known.company.name.as_deref().unwrap_or(""), 28),
                plain(&title(line), 60),
                line.task.target_at.map_or_else(String::new, |at| target(at, now)),
                format!("{} {}", line.cadence, line.task.step),
            ]
        })
        .collect();
    text.push_str(&table(&rows));
    if !queue.is_empty() {
        text.push_str("\nDone with one?  firsttouch done NUMBER OUTCOME    (without an outcome it shows the task)\n");
    }
    print(&text);
    Ok(0)
}

/// How long there is until a target, or how long ago it was.
pub(super) fn target(at: jiff::Timestamp, now: jiff::Timestamp) -> String {
    let left_ms = at.as_millisecond() - now.as_millisecond();
    match left_ms >= 0 {
        true => format!("within {}", length(left_ms)),
        false => format!("late by {}", length(-left_ms)),
    }
}

/// What is to be done, and what is to be found out with it.
fn title(line: &QueueLine) -> String {
    match line.collect.as_slice() {
        [] => line.task.title.clone(),
        fields => format!("{} (asks for {})", line.task.title, fields.join(", ")),
    }
}

fn kind(line: &QueueLine) -> &'static str {
    match line.task.kind {
        TaskKind::Touch(channel) => channel.as_str(),
        TaskKind::Review => "review",
        TaskKind::Triage => "decide",
        TaskKind::Reply => "reply",
        TaskKind::HandOff => "hand-off",
        TaskKind::HandedBack => "came back",
    }
}

pub(super) fn line_json(line: &QueueLine) -> serde_json::Value {
    json!({
        "task": line.task.id.0,
        "kind": kind(line),
        "prospect": line.prospect.id.0,
        "name": line.prospect.display_name(),
        "company": line.prospect.known.company.name,
        "title": line.task.title,
        "collect": line.collect,
        "text": line.task.text,
        "cadence": line.cadence,
        "step": line.task.step.as_str(),
        "rep": line.task.rep.as_str(),
        "opened_at": line.task.opened_at.to_string(),
        "expires_at": line.task.expires_at.to_string(),
        "target_at": line.task.target_at.map(|at| at.to_string()),
        "callable_at": line.callable_at.map(|at| at.to_string()),
        "outcomes": line.outcomes.iter().map(|offered| {
            json!({"outcome": offered.outcome.as_str(), "label": offered.label})
        }).collect::<Vec<_>>(),
    })
}
