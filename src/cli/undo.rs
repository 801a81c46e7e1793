//! `undo`: takes back the last thing that somebody did with a task.

use serde_json::json;

use super::output::{print, print_json};
use super::rep::one_rep;
use super::{Context, Failure};
use crate::engine::tasks::TakenBack;

/// Take back the last thing you did with a task, within 24 hours and if nothing came of it yet
#[derive(clap::Args)]
pub(super) struct Args {
    /// Whose last deed
    #[arg(long = "for", visible_alias = "as", value_name = "WHO")]
    who: Option<String>,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let (running, _) = context.engine().await?;
    let engine = &running.engine;
    let rep = one_rep(engine, args.who.as_deref(), "--for")?;
    let taken_back = engine.undo(&rep).await?;
    if context.json {
        print_json(&json!({"schema": "firsttouch.undo.v1", "task": taken_back.task.id.0,
            "outcome": taken_back.outcome, "prospect": taken_back.prospect.id.0}));
    } else {
        print(&text(&taken_back));
    }
    Ok(0)
}

/// What was taken back, in a line.
pub(super) fn text(taken_back: &TakenBack) -> String {
    let (name, task) = (taken_back.prospect.display_name(), taken_back.task.id);
    let what = match &taken_back.outcome {
        Some(outcome) => format!("`{outcome}` is taken back, task {task} is open again"),
        None => format!("task {task} is not put off any more"),
    };
    let unblocked = match taken_back.unblocked {
        0 => String::new(),
        1 => "; a number is not blocked any more".to_owned(),
        n => format!("; {n} numbers are not blocked any more"),
    };
    format!("ok  {name}: {what}{unblocked}")
}
