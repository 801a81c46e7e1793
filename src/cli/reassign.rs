//! `reassign`: tasks and people that are another rep's from now on.

use serde_json::json;

use super::output::{print, print_json};
use super::rep::{ask, clock};
use super::{Context, Failure, IN_PART};
use crate::domain::ids::{RepId, TaskId};
use crate::engine::Engine;
use crate::engine::tasks::{PeopleMoved, Reassigned};

/// Give tasks to another rep, or with --from everything of somebody
#[derive(clap::Args)]
pub(super) struct Args {
    /// The numbers of the tasks, as `today` shows them
    #[arg(required_unless_present = "from")]
    tasks: Vec<i64>,
    /// Every open task of this rep
    #[arg(long, value_name = "REP", conflicts_with = "tasks")]
    from: Option<String>,
    /// Who does them from now on
    #[arg(long, value_name = "REP")]
    to: String,
    /// Also the people themselves: what comes up for them later is the new rep's as well
    #[arg(long, requires = "from")]
    people: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Say what would be done and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let engine = &running.engine;
    let to = engine.rep(&args.to)?;
    // Somebody who has left may not be in the settings any more.
    let from = args.from.as_deref().map(RepId::from);
    if from.as_ref() == Some(&to) {
        return Err(Failure::usage(format!("{to} has them already")));
    }
    let tasks = match &from {
        Some(from) => engine.tasks_of(from).await?,
        None => args.tasks.iter().map(|number| TaskId(*number)).collect(),
    };
    let people = match from.as_ref().filter(|_| args.people) {
        Some(from) => engine.store.enrollments_of_owner(from).await?.len(),
        None => 0,
    };
    if args.dry_run {
        return Ok(would(context, tasks.len(), people, &to));
    }
    if tasks.len() > 1 || args.people {
        let also =
            if args.people { format!(" and {people} people under way") } else { String::new() };
        ask(context, args.yes, &format!("{} tasks{also} to {to}", tasks.len()))?;
    }
    let moved = match from.as_ref().filter(|_| args.people) {
        Some(from) => Some(engine.reassign_people(from, &to, "cli").await?),
        None => None,
    };
    let result = engine.reassign(&tasks, &to, "cli").await?;
    let away = result.away_until.map(|at| clock(at, &config.reader_zone, engine.now()));
    tell(context, engine, &result, moved, &to, away)
}

fn would(context: &Context, tasks: usize, people: usize, to: &RepId) -> u8 {
    if context.json {
        print_json(&json!({"schema": "firsttouch.reassign.v1", "dry_run": true, "tasks": tasks,
            "people": people, "to": to.as_str()}));
    } else {
        print(&format!(
            "would give {tasks} tasks and {people} people to {to}\nNothing was changed."
        ));
    }
    0
}

fn tell(
    context: &Context,
    engine: &Engine,
    result: &Reassigned,
    people: Option<PeopleMoved>,
    to: &RepId,
    away: Option<String>,
) -> Result<u8, Failure> {
    if context.json {
        let moved: Vec<i64> = result.moved.iter().map(|task| task.id.0).collect();
        let not: Vec<_> =
            result.not.iter().map(|(id, why)| json!({"task": id.0, "reason": why})).collect();
        print_json(&json!({"schema": "firsttouch.reassign.v1", "to": to.as_str(), "tasks": moved,
            "not": not, "enrollments": people.map(|people| people.enrollments),
            "mailboxes_changed": people.map(|people| people.mailboxes)}));
    } else {
        let s = if result.moved.len() == 1 { "" } else { "s" };
        print(&format!("ok  {} task{s} to {to}", result.moved.len()));
        if let Some(people) = people {
            let stay = people.enrollments - people.mailboxes;
            print(&format!(
                "ok  {} people under way to {to}: {stay} stay with the mailbox that they know, {} are \
                 written to from {to}'s",
                people.enrollments, people.mailboxes
            ));
        }
        if let Some(until) = away {
            print(&format!("!   {to} is away until {until}"));
        }
    }
    if people.is_some() && engine.settings.mailbox_of(to).is_none_or(|mailbox| mailbox.owner != *to)
    {
        eprintln!("{to} has no mailbox of their own: new conversations begin from the first one");
    }
    if !context.json {
        result.not.iter().for_each(|(id, why)| eprintln!("x   task {id} {why}"));
    }
    Ok(match (result.moved.is_empty() && people.is_none(), result.not.is_empty()) {
        (_, true) => 0,
        (false, false) => IN_PART,
        (true, false) => super::FAILED,
    })
}
