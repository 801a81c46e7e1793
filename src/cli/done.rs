//! `done`: what came of a task.

use serde_json::json;

use super::output::{print, print_json};
use super::{Context, Failure};
use crate::domain::ids::{RepId, TaskId};
use crate::engine::tasks::DoneTask;

/// Record what came of a task, such as: firsttouch done 17 left_voicemail
#[derive(clap::Args)]
pub(super) struct Args {
    /// The number of the task, as `today` shows it
    task: i64,
    /// What came of it; a wrong one shows the right ones
    outcome: String,
    /// For `not_now`: the day on which to go on, such as 2026-03-12
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Who did it; the task's rep when absent
    #[arg(long = "as", value_name = "WHO")]
    actor: Option<String>,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let engine = &running.engine;
    let until = match &args.until {
        None => None,
        Some(text) => Some(date(text, &config.reader_zone)?),
    };
    let task = TaskId(args.task);
    let actor = match &args.actor {
        Some(actor) => RepId::from(actor.as_str()),
        None => engine.store.task(task).await?.map_or_else(|| RepId::from("rep"), |task| task.rep),
    };
    let done = DoneTask { task, outcome: args.outcome.clone(), until, actor };
    let prospect = engine.done(done).await?;
    if context.json {
        let schema = "firsttouch.done.v1";
        print_json(&json!({"schema": schema, "task": args.task, "outcome": args.outcome,
            "prospect": prospect.id.0}));
    } else {
        print(&format!("ok  {}: {}", prospect.display_name(), args.outcome));
    }
    Ok(0)
}

fn date(text: &str, zone: &jiff::tz::TimeZone) -> Result<jiff::Timestamp, Failure> {
    let wrong = || Failure::usage(format!("--until {text}: write a date like 2026-03-12"));
    let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    Ok(date.to_zoned(zone.clone()).map_err(|_| wrong())?.timestamp())
}
