//! What the commands of a rep's day share: whose day it is, times as they are typed, which tasks are
//! meant, and the question before many are changed.

use std::io::{BufRead, IsTerminal, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::output::plain;
use super::{Context, Failure, IN_PART};
use crate::domain::ids::{RepId, TaskId};
use crate::domain::moment::Moment;
use crate::engine::Engine;
use crate::engine::tasks::{QueueLine, Row};
use crate::formats::diagnostic::did_you_mean;
use crate::formats::moment;

/// The rep who is named, or the only one there is; nobody when there are several and none is named.
pub(super) fn rep(engine: &Engine, who: Option<&str>) -> Result<Option<RepId>, Failure> {
    match (who, engine.settings.team().as_slice()) {
        (Some(who), _) => {
            engine.rep(who).map(Some).map_err(|error| Failure::usage(error.to_string()))
        }
        (None, [only]) => Ok(Some(only.clone())),
        (None, _) => Ok(None),
    }
}

/// The same where somebody must be meant.
pub(super) fn one_rep(engine: &Engine, who: Option<&str>, flag: &str) -> Result<RepId, Failure> {
    let team = engine.settings.team();
    let names: Vec<&str> = team.iter().map(RepId::as_str).collect();
    rep(engine, who)?.ok_or_else(|| {
        Failure::usage(format!("there are several reps: say {flag} {}", names.join("|")))
    })
}

/// A time as somebody types it, on the reader's clock.
pub(super) fn moment(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Moment, Failure> {
    moment::parse(text, zone.to_datetime(now)).map_err(|error| Failure::usage(error.to_string()))
}

/// `10:00` today, `Tue 3 Mar 10:00` on another day, with the year when it is not this one.
pub(super) fn clock(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    if at == Timestamp::MAX {
        return "nobody knows when".to_owned();
    }
    let (then, today) = (zone.to_datetime(at), zone.to_datetime(now));
    let shape = match then.date() {
        date if date == today.date() => "%H:%M",
        date if date.year() == today.year() => "%a %-d %b %H:%M",
        _ => "%a %-d %b %Y %H:%M",
    };
    then.strftime(shape).to_string()
}

/// The words for what a task asks, as they are shown and typed.
pub(super) const KINDS: [&str; 8] =
    ["call", "social", "task", "reply", "review", "decide", "hand-off", "came-back"];

/// Whether a task is of the kind that was typed.
pub(super) fn known_kind(kind: Option<&str>) -> Result<(), Failure> {
    let Some(kind) = kind.filter(|kind| !KINDS.contains(kind)) else { return Ok(()) };
    let meant = did_you_mean(kind, KINDS);
    let meant = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
    let all = KINDS.join(", ");
    Err(Failure::usage(format!("`{kind}` is no kind of task{meant} They are: {all}")))
}

/// Which tasks are meant, other than by their numbers.
#[derive(clap::Args)]
pub(super) struct Chosen {
    /// Every task in the queue of this kind: call, social, task, reply, review, decide, hand-off, came-back
    #[arg(long)]
    kind: Option<String>,
    /// Every task in the queue for this step
    #[arg(long)]
    step: Option<String>,
    /// Only those of this rep
    #[arg(long = "for", value_name = "WHO")]
    who: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Say what would be done and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl Chosen {
    /// Whether tasks are chosen by what they are.
    pub(super) fn by_kind(&self) -> bool {
        self.kind.is_some() || self.step.is_some()
    }

    /// The tasks that are meant, in the order of the queue; by numbers also those that are for later.
    pub(super) async fn tasks(
        &self,
        engine: &Engine,
        numbers: &[i64],
    ) -> Result<Vec<TaskId>, Failure> {
        known_kind(self.kind.as_deref())?;
        match (numbers, self.by_kind()) {
            ([], false) => {
                return Err(Failure::usage(
                    "which task? Give its number, as `firsttouch today` shows it, or --kind and --step",
                ));
            }
            ([], true) => {}
            (_, true) => {
                return Err(Failure::usage("give numbers, or --kind and --step, not both"));
            }
            (numbers, false) => {
                let mut tasks: Vec<TaskId> = Vec::new();
                for number in numbers.iter().map(|number| TaskId(*number)) {
                    if !tasks.contains(&number) {
                        tasks.push(number);
                    }
                }
                return Ok(tasks);
            }
        }
        let rep = rep(engine, self.who.as_deref())?;
        let day = engine.day(rep.as_ref()).await?;
        let meant = |row: &&Row| {
            self.kind.as_deref().is_none_or(|kind| kind_of(&row.line) == kind)
                && self.step.as_deref().is_none_or(|step| row.line.task.step.as_str() == step)
        };
        Ok(day.now.iter().filter(meant).map(|row| row.line.task.id).collect())
    }

    /// More than one task is only changed when somebody said yes.
    pub(super) fn ask(&self, context: &Context, n: usize, what: &str) -> Result<(), Failure> {
        if n <= 1 {
            return Ok(());
        }
        ask(context, self.yes, &format!("{n} tasks: {what}"))
    }
}

/// Asks whether to go on.
pub(super) fn ask(context: &Context, yes: bool, what: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if context.json || !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "{what}: say --yes to do it, or --dry-run to look first"
        )));
    }
    eprint!("{what}. Go on? [y/N] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::usage("nothing was changed")),
    }
}

/// What a task asks for, in a word.
pub(super) fn kind_of(line: &QueueLine) -> &'static str {
    use crate::domain::enrollment::TaskKind;
    match line.task.kind {
        TaskKind::Touch(channel) => channel.as_str(),
        TaskKind::Review => "review",
        TaskKind::Triage => "decide",
        TaskKind::Reply => "reply",
        TaskKind::HandOff => "hand-off",
        TaskKind::HandedBack => "came-back",
    }
}

/// What came of each of several tasks.
#[derive(Default)]
pub(super) struct Results {
    pub(super) done: Vec<(TaskId, String)>,
    pub(super) failed: Vec<(TaskId, Failure)>,
}

impl Results {
    /// What was done on stdout, what was not on stderr; the exit code says whether all was.
    pub(super) fn tell(mut self, context: &Context, schema: &str) -> Result<u8, Failure> {
        if self.done.is_empty()
            && self.failed.len() == 1
            && let Some((_, failure)) = self.failed.pop()
        {
            return Err(failure);
        }
        if self.done.is_empty() && self.failed.is_empty() && !context.json {
            super::output::print("0 tasks: there is none like that in the queue");
            return Ok(0);
        }
        if context.json {
            let done: Vec<i64> = self.done.iter().map(|(task, _)| task.0).collect();
            let failed = self.failed.iter().map(|(task, failure)| {
                serde_json::json!({"task": task.0, "code": failure.kind, "message": failure.message})
            });
            let failed: Vec<_> = failed.collect();
            super::output::print_json(
                &serde_json::json!({"schema": schema, "done": done, "failed": failed}),
            );
        } else {
            let lines: Vec<&str> = self.done.iter().map(|(_, text)| text.as_str()).collect();
            if !lines.is_empty() {
                super::output::print(&lines.join("\n"));
            }
            for (task, failure) in &self.failed {
                eprintln!("x   task {task}: {}", failure.message);
            }
        }
        Ok(match (self.done.is_empty(), self.failed.is_empty()) {
            (_, true) => 0,
            (false, false) => IN_PART,
            (true, false) => super::FAILED,
        })
    }
}

/// A person and where they work, on one line.
pub(super) fn name_of(line: &QueueLine) -> String {
    let name = plain(&line.prospect.display_name(), 40);
    match &line.prospect.known.company.name {
        Some(company) => format!("{name} ({})", plain(company, 40)),
        None => name,
    }
}

/// Prints which tasks would be changed.
pub(super) async fn would(engine: &Engine, tasks: &[TaskId], what: &str) -> Result<u8, Failure> {
    let day = engine.day(None).await?;
    let rows: Vec<&Row> = day.now.iter().chain(&day.later).collect();
    let mut text = String::new();
    for task in tasks {
        let row = rows.iter().find(|row| row.line.task.id == *task);
        let who = row.map_or_else(|| "is no open task".to_owned(), |row| name_of(&row.line));
        text.push_str(&format!("would {what}: {task}  {who}\n"));
    }
    if tasks.is_empty() {
        text.push_str("0 tasks: there is none like that in the queue\n");
    }
    super::output::print(&format!("{text}Nothing was changed."));
    Ok(0)
}
