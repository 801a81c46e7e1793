//! `done`: what came of a task, or of several.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;

use super::edit::edited;
use super::output::{print, print_json};
use super::rep::{Chosen, Results, clock, moment, would};
use super::{Context, Failure};
use crate::config::Config;
use crate::domain::cadence::CALL_BACK;
use crate::domain::enrollment::{RELEASED, TaskKind};
use crate::domain::ids::{RepId, TaskId};
use crate::engine::Engine;
use crate::engine::tasks::{DoneTask, QueueLine};

/// Record what came of a task, such as: firsttouch done 17 left_voicemail
#[derive(clap::Args)]
pub(super) struct Args {
    /// The numbers of the tasks, as `today` shows them, and what came of them; without an outcome the
    /// task is shown, with everything that can be said
    #[arg(value_name = "TASK… OUTCOME", required = true)]
    words: Vec<String>,
    /// For `call_back`: when you promised to call. For `not_now`: when to go on. Such as `thu 14:00`,
    /// 2026-03-12 or `in 2 business days`
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// What is to be remembered of it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
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
    #[command(flatten)]
    chosen: Chosen,
}

/// Numbers of tasks, and the word for what came of them.
fn read_words(words: &[String]) -> Result<(Vec<i64>, Option<String>), Failure> {
    let mut numbers = Vec::new();
    let mut outcome = None;
    for word in words {
        match (word.parse::<i64>(), &outcome) {
            (Ok(number), None) => numbers.push(number),
            (Err(_), None) => outcome = Some(word.clone()),
            (_, Some(first)) => {
                return Err(Failure::usage(format!(
                    "`{word}` stands behind `{first}`: first the numbers of the tasks, then one outcome, \
                     such as `firsttouch done 17 18 no_answer`"
                )));
            }
        }
    }
    Ok((numbers, outcome))
}

pub(super) async fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    let (numbers, outcome) = read_words(&args.words)?;
    let set = args.set.iter().map(|given| field_and_value(given)).collect::<Result<_, _>>()?;
    let (running, config) = context.engine().await?;
    let engine = &running.engine;
    let tasks = args.chosen.tasks(engine, &numbers).await?;
    let Some(outcome) = outcome else {
        return match tasks.as_slice() {
            [task] => show(context, engine, *task).await,
            _ => Err(Failure::usage("what came of them? Such as: firsttouch done 17 18 no_answer")),
        };
    };
    let many = tasks.len() != 1;
    if many && (args.edit || args.text.is_some()) {
        return Err(Failure::usage("--edit and --text are for one task"));
    }
    if args.chosen.dry_run {
        return would(engine, &tasks, &format!("record {outcome}")).await;
    }
    args.chosen.ask(context, tasks.len(), &outcome)?;
    let saying = Saying { outcome, set, many };
    let mut results = Results::default();
    for task in tasks {
        match saying.say(engine, &config, &args, task).await {
            Ok(said) if !many && context.json => {
                print_json(&said.json);
                return Ok(0);
            }
            Ok(said) => results.done.push((task, said.text)),
            Err(failure) => results.failed.push((task, failure)),
        }
    }
    results.tell(context, "firsttouch.done.v1")
}

/// What is said of each task.
struct Saying {
    outcome: String,
    set: Vec<(String, String)>,
    many: bool,
}

struct Said {
    text: String,
    json: serde_json::Value,
}

impl Saying {
    async fn say(
        &self,
        engine: &Engine,
        config: &Config,
        args: &Args,
        task: TaskId,
    ) -> Result<Said, Failure> {
        let record = engine.store.task(task).await?;
        let actor = match &args.actor {
            Some(actor) => engine.rep(actor)?,
            None => record.as_ref().map_or_else(|| RepId::from("rep"), |task| task.rep.clone()),
        };
        let now = engine.now();
        let until = match &args.until {
            Some(text) => {
                let said = moment(text, &config.reader_zone, now)?;
                Some(engine.instant_for(task, said).await?)
            }
            None => None,
        };
        let text = match &args.text {
            Some(path) => Some(read(path)?),
            None if args.edit => Some(edited(&engine.mail_to_read(task).await?)?),
            None => None,
        };
        let (outcome, set, note) = (self.outcome.clone(), self.set.clone(), args.note.clone());
        let done = DoneTask { task, outcome, until, actor, set, text, note };
        let prospect = engine.done(done).await?;
        let kind = record.map(|task| task.kind);
        let then = then(kind, &self.outcome, until, |at| clock(at, &config.reader_zone, now));
        let number = if self.many { format!("{task}  ") } else { String::new() };
        Ok(Said {
            text: format!("ok  {number}{}: {}{then}", prospect.display_name(), self.outcome),
            json: json!({"schema": "firsttouch.done.v1", "task": task.0, "outcome": self.outcome,
                "prospect": prospect.id.0, "until": until.map(|at| at.to_string())}),
        })
    }
}

/// What follows from an outcome, where it is not plain.
pub(super) fn then(
    kind: Option<TaskKind>,
    outcome: &str,
    until: Option<Timestamp>,
    when: impl Fn(Timestamp) -> String,
) -> String {
    match (kind, outcome, until) {
        (Some(TaskKind::Review), RELEASED, _) => "; it leaves as soon as it may".to_owned(),
        (Some(TaskKind::Touch(_)), CALL_BACK, Some(at)) => {
            format!("; the call is first in the queue {}", when(at))
        }
        (Some(TaskKind::Touch(_)), CALL_BACK, None) => {
            "; no time was promised (--until), so you decide what happens next".to_owned()
        }
        _ => String::new(),
    }
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
    let skips = if line.can_be_skipped() {
        format!("firsttouch skip {} | ", task.id)
    } else {
        String::new()
    };
    text.push_str(&format!("{skips}firsttouch snooze {} WHEN\n", task.id));
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
