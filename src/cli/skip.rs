//! `skip` and `snooze`: what is not done, or not now.

use super::rep::{Chosen, Results, clock, moment, would};
use super::{Context, Failure};
use crate::config::Config;
use crate::domain::ids::{RepId, TaskId};
use crate::domain::moment::Moment;
use crate::engine::Engine;
use crate::engine::tasks::Snooze;

/// Pass over a task; the cadence goes on with the next step
#[derive(clap::Args)]
pub(super) struct SkipArgs {
    /// The numbers of the tasks, as `today` shows them
    tasks: Vec<i64>,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who says so; the task's rep when absent
    #[arg(long = "as", value_name = "WHO")]
    actor: Option<String>,
    #[command(flatten)]
    chosen: Chosen,
}

/// Put a task off: it is out of `today` until then, and runs out so much later
#[derive(clap::Args)]
pub(super) struct SnoozeArgs {
    /// The numbers of the tasks, and until when: `tue 10:00`, 2026-03-12, `2 hours`, `in 2 business days`
    #[arg(value_name = "TASK… WHEN", required = true)]
    words: Vec<String>,
    /// Who says so; the task's rep when absent
    #[arg(long = "as", value_name = "WHO")]
    actor: Option<String>,
    #[command(flatten)]
    chosen: Chosen,
}

pub(super) async fn skip(context: &Context, args: SkipArgs) -> Result<u8, Failure> {
    let (running, _) = context.engine().await?;
    let engine = &running.engine;
    let tasks = args.chosen.tasks(engine, &args.tasks).await?;
    if args.chosen.dry_run {
        return would(engine, &tasks, "skip").await;
    }
    args.chosen.ask(context, tasks.len(), "skip them")?;
    let mut results = Results::default();
    for task in tasks {
        let actor = actor(engine, args.actor.as_deref(), task).await?;
        match engine.skip_task(task, actor, args.reason.as_deref()).await {
            Ok(prospect) => {
                let text = format!("ok  {}: task {task} is skipped", prospect.display_name());
                results.done.push((task, text));
            }
            Err(error) => results.failed.push((task, error.into())),
        }
    }
    results.tell(context, "firsttouch.skip.v1")
}

pub(super) async fn snooze(context: &Context, args: SnoozeArgs) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let engine = &running.engine;
    let (numbers, when) = read_words(&args.words, args.chosen.by_kind());
    let until = until(&when, engine, &config)?;
    let tasks = args.chosen.tasks(engine, &numbers).await?;
    if args.chosen.dry_run {
        return would(engine, &tasks, &format!("put off until {when}")).await;
    }
    args.chosen.ask(context, tasks.len(), &format!("put them off until {when}"))?;
    let mut results = Results::default();
    for task in tasks {
        let actor = actor(engine, args.actor.as_deref(), task).await?;
        match engine.snooze(&Snooze { task, until, actor }).await {
            Ok(snoozed) => {
                let at = clock(snoozed.until, &config.reader_zone, engine.now());
                let name = snoozed.prospect.display_name();
                results.done.push((task, format!("ok  {name}: task {task} is put off until {at}")));
            }
            Err(error) => results.failed.push((task, error.into())),
        }
    }
    results.tell(context, "firsttouch.snooze.v1")
}

/// The numbers in front are tasks, the rest is a time: `17 18 tue 10:00`, and also `17 2 hours`.
fn read_words(words: &[String], by_kind: bool) -> (Vec<i64>, String) {
    let is_number = |word: &&String| word.parse::<i64>().is_ok();
    let mut numbers = if by_kind { 0 } else { words.iter().take_while(is_number).count() };
    // `2 hours`: the last number belongs to the time, unless it is the only one.
    let behind = words.get(numbers).map(|word| word.to_lowercase());
    let units = ["minute", "hour", "day", "week", "business"];
    if numbers > 1 && behind.is_some_and(|word| units.iter().any(|unit| word.starts_with(unit))) {
        numbers -= 1;
    }
    let (tasks, when) = words.split_at(numbers);
    (tasks.iter().filter_map(|word| word.parse().ok()).collect(), when.join(" "))
}

fn until(when: &str, engine: &Engine, config: &Config) -> Result<Moment, Failure> {
    if when.is_empty() {
        return Err(Failure::usage(
            "until when? Such as: firsttouch snooze 17 tue 10:00, or: firsttouch snooze 17 in 2 business days",
        ));
    }
    moment(when, &config.reader_zone, engine.now())
}

async fn actor(engine: &Engine, who: Option<&str>, task: TaskId) -> Result<RepId, Failure> {
    match who {
        Some(who) => Ok(engine.rep(who)?),
        None => {
            let task = engine.store.task(task).await?;
            Ok(task.map_or_else(|| RepId::from("rep"), |task| task.rep))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_front_are_tasks_and_the_rest_is_a_time() {
        let cases: [(&str, &[i64], &str); 7] = [
            ("17 tue 10:00", &[17], "tue 10:00"),
            ("17 18 2026-03-12", &[17, 18], "2026-03-12"),
            ("17 2 hours", &[17], "2 hours"),
            ("17 18 2 business days", &[17, 18], "2 business days"),
            ("17 in 2 business days", &[17], "in 2 business days"),
            ("17", &[17], ""),
            ("tomorrow", &[], "tomorrow"),
        ];
        for (text, numbers, when) in cases {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            assert_eq!(read_words(&words, false), (numbers.to_vec(), when.to_owned()), "{text}");
        }
        let words = ["2", "hours"].map(str::to_owned);
        assert_eq!(read_words(&words, true), (Vec::new(), "2 hours".to_owned()));
    }
}
