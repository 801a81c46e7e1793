//! `today`: the rep's queue, and what is not for now.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::output::{length, plain, print, print_json, table};
use super::rep::{clock, kind_of, known_kind, rep};
use super::{Context, Failure, hold};
use crate::domain::absence::Absence;
use crate::domain::queue::Place;
use crate::engine::tasks::{Day, QueueLine, Row};

/// Show what is to be done today, in the order in which to do it
#[derive(clap::Args)]
pub(super) struct Args {
    /// Whose queue; everybody's when there are several reps and none is named
    #[arg(long = "for", value_name = "WHO")]
    who: Option<String>,
    /// Only this kind: call, social, task, reply, review, decide, hand-off, came-back
    #[arg(long)]
    kind: Option<String>,
    /// Also what is not for today, with the reason
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    known_kind(args.kind.as_deref())?;
    let (running, config) = context.engine().await?;
    let engine = &running.engine;
    let rep = rep(engine, args.who.as_deref())?;
    let mut day = engine.day(rep.as_ref()).await?;
    if let Some(kind) = &args.kind {
        day.now.retain(|row| kind_of(&row.line) == kind);
        day.later.retain(|row| kind_of(&row.line) == kind);
    }
    let now = engine.now();
    if context.json {
        let items = |rows: &[Row]| rows.iter().map(row_json).collect::<Vec<_>>();
        print_json(&json!({"schema": "firsttouch.tasks.v1", "items": items(&day.now),
            "later": items(&day.later), "next": null}));
        return Ok(0);
    }
    let since = now - jiff::SignedDuration::from_hours(24);
    let replies = engine.store.replies(1_000).await?;
    let fresh = replies.iter().filter(|reply| reply.kind == "reply" && reply.received_at > since);
    let page = Page { zone: &config.reader_zone, now, everybody: rep.is_none() };
    let whose = rep.as_ref().map_or("everybody", |rep| rep.as_str());
    let mut text = page.head(&day, whose);
    for held in engine.store.holds().await? {
        text.push_str(&format!("! on hold: {}\n", hold::line(&held, &config)));
    }
    match fresh.count() {
        0 => {}
        n => text.push_str(&format!("Replies in the last day: {n} (`firsttouch replies`)\n")),
    }
    text.push_str(&page.rows(&day.now));
    text.push_str(&page.later(&day.later, args.all));
    if !day.now.is_empty() {
        text.push_str("\nOne by one:  firsttouch next        Done with one?  firsttouch done NUMBER OUTCOME\n");
    }
    print(&text);
    Ok(0)
}

/// On whose clock, and whether the tasks are of several reps.
struct Page<'a> {
    zone: &'a TimeZone,
    now: Timestamp,
    everybody: bool,
}

impl Page<'_> {
    fn head(&self, day: &Day, whose: &str) -> String {
        let date = self.zone.to_datetime(self.now).strftime("%a %-d %b");
        let mut text = format!("{date} · {whose} · {} to do\n", day.now.len());
        for absence in &day.away {
            text.push_str(&format!("{}\n", self.away(absence)));
        }
        text
    }

    fn away(&self, absence: &Absence) -> String {
        let until = clock(absence.ends(), self.zone, self.now);
        let rep = &absence.rep;
        match absence.work.cover() {
            Some(cover) => format!("{rep} is away until {until}: {cover} stands in"),
            None => match absence.work.as_str() {
                "hold" => format!("{rep} is away until {until}: everything of theirs waits"),
                _ => format!("{rep} is away until {until}: everything goes on"),
            },
        }
    }

    fn rows(&self, rows: &[Row]) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let rows: Vec<Vec<String>> = rows.iter().map(|row| self.row(row)).collect();
        format!("\n{}", table(&rows))
    }

    fn row(&self, row: &Row) -> Vec<String> {
        let line = &row.line;
        let known = &line.prospect.known;
        let why = row.why(|at| clock(at, self.zone, self.now), self.now);
        let mut cells = vec![
            line.task.id.to_string(),
            kind_of(line).to_owned(),
            plain(&line.prospect.display_name(), 26),
            plain(known.company.name.as_deref().unwrap_or(""), 26),
            plain(&title(line), 60),
            format!("{why}{}", self.covers(line)),
            format!("{} {}", line.cadence, line.task.step),
        ];
        if self.everybody {
            cells.insert(1, line.task.rep.as_str().to_owned());
        }
        cells
    }

    fn covers(&self, line: &QueueLine) -> String {
        line.task.covers.as_ref().map_or_else(String::new, |rep| format!(" (for {rep})"))
    }

    /// What is not in the list: counted, or with `--all` shown.
    fn later(&self, rows: &[Row], all: bool) -> String {
        if rows.is_empty() {
            return String::new();
        }
        if all {
            return format!("\nNot now:\n{}", self.rows(rows).trim_start_matches('\n'));
        }
        let today = self.zone.to_datetime(self.now).date();
        let is_today = |row: &&Row| match row.place {
            Place::Later(_, at) if at < Timestamp::MAX => self.zone.to_datetime(at).date() == today,
            Place::Later(..) | Place::Now(_) => false,
        };
        let later_today = rows.iter().filter(is_today).count();
        let first = rows.iter().find_map(|row| match row.place {
            Place::Later(_, at) if at < Timestamp::MAX => Some(clock(at, self.zone, self.now)),
            Place::Later(..) | Place::Now(_) => None,
        });
        let counts = match (later_today, rows.len() - later_today) {
            (0, n) => format!("{n} not today"),
            (n, 0) => format!("{n} later today"),
            (n, m) => format!("{n} later today, {m} not today"),
        };
        let first = first.map_or_else(String::new, |at| format!(", the first {at}"));
        format!("\n{counts}{first}: --all shows why\n")
    }
}

/// How long there is until a target, or how long ago it was.
pub(super) fn target(at: Timestamp, now: Timestamp) -> String {
    let left_ms = at.as_millisecond() - now.as_millisecond();
    match left_ms >= 0 {
        true => format!("within {}", length(left_ms)),
        false => format!("late by {}", length(-left_ms)),
    }
}

/// What is to be done, and what is to be found out with it.
pub(super) fn title(line: &QueueLine) -> String {
    match line.collect.as_slice() {
        [] => line.task.title.clone(),
        fields => format!("{} (asks for {})", line.task.title, fields.join(", ")),
    }
}

fn row_json(row: &Row) -> Value {
    let mut item = line_json(&row.line);
    let (place, until) = match row.place {
        Place::Now(group) => (group.as_str(), None),
        Place::Later(why, at) => (why.as_str(), (at < Timestamp::MAX).then(|| at.to_string())),
    };
    item["place"] = json!(place);
    item["not_before"] = json!(until);
    item
}

pub(super) fn line_json(line: &QueueLine) -> Value {
    json!({
        "task": line.task.id.0,
        "kind": kind_of(line),
        "prospect": line.prospect.id.0,
        "name": line.prospect.display_name(),
        "company": line.prospect.known.company.name,
        "title": line.task.title,
        "collect": line.collect,
        "text": line.task.text,
        "cadence": line.cadence,
        "step": line.task.step.as_str(),
        "rep": line.task.rep.as_str(),
        "stands_in_for": line.task.covers.as_ref().map(|rep| rep.as_str()),
        "promised": line.task.promised,
        "opened_at": line.task.opened_at.to_string(),
        "expires_at": line.task.expires_at.to_string(),
        "target_at": line.task.target_at.map(|at| at.to_string()),
        "callable_at": line.callable_at.map(|at| at.to_string()),
        "outcomes": line.outcomes.iter().map(|offered| {
            json!({"outcome": offered.outcome.as_str(), "label": offered.label})
        }).collect::<Vec<_>>(),
    })
}
