//! `done`: what came of a task.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::edit::edited;
use super::output::{print, print_json};
use super::{Context, Failure};
use crate::domain::enrollment::{RELEASED, TaskKind};
use crate::domain::ids::{RepId, TaskId};
use crate::engine::Engine;
use crate::engine::tasks::{DoneTask, QueueLine};

/// Record what came of a task, such as: firsttouch done 17 left_voicemail
#[derive(clap::Args)]
pub(super) struct Args {
    /// The number of the task, as `today` shows it
    task: i64,
    /// What came of it; without one the task is shown, with everything that can be said
    outcome: Option<String>,
    /// For `not_now`: the day on which to go on, such as 2026-03-12
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Fill a field that the task asks for, such as: --set x.trigger="They hire"
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// For `released`: change the mail in $EDITOR first; for this person only
    #[arg(long, conflicts_with = "text")]
    edit: bool,
    /// For `released`: send the text of this file in place of the mail; for this person only
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// Who did it; the task's rep when absent
    #[arg(long = "as", value_name = "WHO")]
    actor: Option<String>,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    let set = args.set.iter().map(|given| field_and_value(given)).collect::<Result<_, _>>()?;
    let (running, config) = context.engine().await?;
    let engine = &running.engine;
    let task = TaskId(args.task);
    let Some(outcome) = args.outcome.clone() else {
        return show(context, engine, task).await;
    };
    let until = match &args.until {
        None => None,
        Some(text) => Some(date(text, &config.reader_zone)?),
    };
    let record = engine.store.task(task).await?;
    let actor = match &args.actor {
        Some(actor) => RepId::from(actor.as_str()),
        None => record.as_ref().map_or_else(|| RepId::from("rep"), |task| task.rep.clone()),
    };
    let text = match &args.text {
        Some(path) => Some(read(path)?),
        None if args.edit => Some(edited(&engine.mail_to_read(task).await?)?),
        None => None,
    };
    let done = DoneTask { task, outcome: outcome.clone(), until, actor, set, text, note: None };
    let prospect = engine.done(done).await?;
    if context.json {
        let schema = "firsttouch.done.v1";
        print_json(&json!({"schema": schema, "task": args.task, "outcome": outcome,
            "prospect": prospect.id.0}));
    } else {
        let released =
            record.is_some_and(|task| task.kind == TaskKind::Review) && outcome == RELEASED;
        let then = if released { "; it leaves as soon as it may" } else { "" };
        print(&format!("ok  {}: {outcome}{then}", prospect.display_name()));
    }
    Ok(0)
}

/// The task itself: what it asks, what it says, and what may be said of it.
async fn show(context: &Context, engine: &Engine, task: TaskId) -> Result<u8, Failure> {
    let queue = engine.queue(None).await?;
    let Some(line) = queue.into_iter().find(|line| line.task.id == task) else {
        let message = format!("there is no open task `{task}`: see `firsttouch today`");
        return Err(Failure { code: super::NOT_FOUND, kind: "not_found", message });
    };
    if context.json {
        let mut item = super::today::line_json(&line);
        item["schema"] = json!("firsttouch.task.v1");
        print_json(&item);
    } else {
        print(&words(&line));
    }
    Ok(0)
}

fn words(line: &QueueLine) -> String {
    let task = &line.task;
    let company = line.prospect.known.company.name.as_deref().unwrap_or("");
    let name = line.prospect.display_name();
    let mut text = format!("{}  {name}  {company}\n{}\n", task.id, task.title);
    if !task.text.trim().is_empty() {
        text.push_str(&format!("\n{}\n", task.text.trim()));
    }
    if !line.collect.is_empty() {
        text.push_str(&format!("\nIt asks for: {}\n", line.collect.join(", ")));
    }
    let outcomes: Vec<&str> = line.outcomes.iter().map(|one| one.outcome.as_str()).collect();
    text.push_str(&format!("\nfirsttouch done {} {}\n", task.id, outcomes.join(" | ")));
    text
}

pub(super) fn field_and_value(given: &str) -> Result<(String, String), Failure> {
    let parts = given.split_once('=').map(|(field, value)| (field.trim(), value.trim()));
    match parts {
        Some((field, value)) if !field.is_empty() => Ok((field.to_owned(), value.to_owned())),
        _ => Err(Failure::usage(format!("--set {given}: write it as FIELD=\"value\""))),
    }
}

/// A mail is short; what is longer than this is another file.
const MAX_BYTES: u64 = 1_000_000;

fn read(path: &Path) -> Result<String, Failure> {
    let wrong = |why: String| Failure::usage(format!("--text {}: {why}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if size > MAX_BYTES {
        return Err(wrong("that is too long for a mail".to_owned()));
    }
    std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))
}

fn date(text: &str, zone: &jiff::tz::TimeZone) -> Result<jiff::Timestamp, Failure> {
    let wrong = || Failure::usage(format!("--until {text}: write a date like 2026-03-12"));
    let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    Ok(date.to_zoned(zone.clone()).map_err(|_| wrong())?.timestamp())
}
