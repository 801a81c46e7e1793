//! `away`: somebody of the team is not there, and what becomes of their work.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::output::{print, print_json, table, when};
use super::rep::moment;
use super::{Context, Failure};
use crate::config::Config;
use crate::domain::absence::{Absence, Work};
use crate::domain::calendar::Calendar;
use crate::domain::moment::Moment;
use crate::engine::Engine;
use crate::engine::away::GoingAway;

/// Note that somebody is away: others stand in, or their work waits
///
/// firsttouch away ann --from mon --until 2026-03-20 --cover ben
/// firsttouch away list
/// firsttouch away end ann
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Who is away; or `list`, or `end WHO`
    #[arg(value_name = "WHO", required = true, num_args = 1..=2)]
    words: Vec<String>,
    /// From when, if not now: `mon`, 2026-03-12, `tue 12:00`
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// The first day, or time, at which they are back
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Who does their tasks until then
    #[arg(long, value_name = "REP", conflicts_with_all = ["hold", "go_on"])]
    cover: Option<String>,
    /// Their people's automatic mails and tasks wait until then; this is so when nothing is said
    #[arg(long, conflicts_with = "go_on")]
    hold: bool,
    /// Everything goes on; it is only shown that they are away
    #[arg(long)]
    go_on: bool,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let engine = &running.engine;
    match args.words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["list"] => list(context, engine, &config).await,
        ["end"] => Err(Failure::usage("whose absence? Such as: firsttouch away end ann")),
        ["end", who] => end(context, engine, who).await,
        [who] => note(context, engine, &config, &args, who).await,
        _ => Err(Failure::usage(
            "say who is away and until when, such as: firsttouch away ann --until 2026-03-20 --cover ben",
        )),
    }
}

async fn note(
    context: &Context,
    engine: &Engine,
    config: &Config,
    args: &Args,
    who: &str,
) -> Result<u8, Failure> {
    let rep = engine.rep(who)?;
    let Some(until) = &args.until else {
        return Err(Failure::usage(format!(
            "until when? Such as: firsttouch away {rep} --until 2026-03-20"
        )));
    };
    let now = engine.now();
    let from = match &args.from {
        Some(from) => instant(engine, moment(from, &config.reader_zone, now)?, now),
        None => now,
    };
    let until = instant(engine, moment(until, &config.reader_zone, now)?, now);
    let work = match (&args.cover, args.go_on) {
        (Some(cover), _) => Work::Cover(engine.rep(cover)?),
        (None, true) => Work::GoOn,
        (None, false) => Work::Hold,
    };
    let noted = engine.go_away(GoingAway { rep, from, until, work, by: "cli".to_owned() }).await?;
    let absence = &noted.absence;
    if context.json {
        let mut item = absence_json(absence);
        item["schema"] = json!("firsttouch.away.v1");
        item["tasks"] = json!(noted.tasks);
        item["tasks_moved"] = json!(noted.moved);
        item["people"] = json!(noted.people);
        print_json(&item);
        return Ok(0);
    }
    let zone = &config.reader_zone;
    let span = format!("{} to {}", when(absence.from, zone), when(absence.until, zone));
    let rep = &absence.rep;
    let is_later = absence.from > now;
    let then = match &absence.work {
        Work::Cover(cover) if is_later => {
            format!("{cover} has the {} open tasks from then on, and what comes up", noted.tasks)
        }
        Work::Cover(cover) => format!("{cover} has {} tasks now, and what comes up", noted.moved),
        Work::Hold => format!(
            "mails and tasks of {} people wait until then; who answers is read all the same. With \
             --cover REP somebody else does the tasks",
            noted.people
        ),
        Work::GoOn => "everything goes on".to_owned(),
    };
    print(&format!(
        "ok  {rep} is away, {span}: {then}\n    Earlier back:  firsttouch away end {rep}"
    ));
    Ok(0)
}

/// A day begins at midnight: who is back on Monday has Monday's work.
fn instant(engine: &Engine, moment: Moment, now: Timestamp) -> Timestamp {
    let settings = &engine.settings;
    let calendar = settings.calendars.values().next().map(|clockwork| &clockwork.calendar);
    let none =
        Calendar { name: String::new(), hours: Default::default(), holidays: Default::default() };
    moment.beginning(calendar.unwrap_or(&none), &settings.reader_zone, now)
}

async fn end(context: &Context, engine: &Engine, who: &str) -> Result<u8, Failure> {
    let rep = engine.rep(who)?;
    let (ended, tasks) = engine.come_back(&rep, "cli").await?;
    if context.json {
        print_json(
            &json!({"schema": "firsttouch.away-end.v1", "rep": rep.as_str(), "ended": ended,
            "tasks_moved": tasks}),
        );
    } else {
        let tasks = if tasks == 0 { String::new() } else { format!("; {tasks} tasks came back") };
        print(&format!("ok  {rep} is back{tasks}"));
    }
    Ok(0)
}

async fn list(context: &Context, engine: &Engine, config: &Config) -> Result<u8, Failure> {
    let now = engine.now();
    let mut absences = engine.absences(now).await?.0;
    absences.retain(|absence| absence.ends() > now);
    if context.json {
        let items: Vec<Value> = absences.iter().map(absence_json).collect();
        print_json(&json!({"schema": "firsttouch.absences.v1", "items": items, "next": null}));
        return Ok(0);
    }
    if absences.is_empty() {
        print("nobody is away");
        return Ok(0);
    }
    let zone = &config.reader_zone;
    let row = |absence: &Absence| {
        let work = match &absence.work {
            Work::Cover(cover) => format!("{cover} stands in"),
            Work::Hold => "mails and tasks wait".to_owned(),
            Work::GoOn => "everything goes on".to_owned(),
        };
        let state = if absence.covers(now) { "away" } else { "later" };
        let until = format!("until {}", when(absence.ends(), zone));
        vec![absence.rep.to_string(), state.to_owned(), when(absence.from, zone), until, work]
    };
    print(&table(&absences.iter().map(row).collect::<Vec<_>>()));
    Ok(0)
}

fn absence_json(absence: &Absence) -> Value {
    json!({
        "rep": absence.rep.as_str(),
        "from": absence.from.to_string(),
        "until": absence.ends().to_string(),
        "work": absence.work.as_str(),
        "cover": absence.work.cover().map(|rep| rep.as_str()),
    })
}
