//! `event`: something happened to a person.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::done::field_and_value;
use super::output::{plain, print, print_json, table, when};
use super::{Context, Failure};
use crate::domain::ids::RepId;
use crate::engine::enroll::Mode;
use crate::engine::event::{Answer, Telling, Told};

/// Tell that something happened to a person, so that cadences take them in or note it
#[derive(clap::Args)]
pub(super) struct Args {
    /// What happened, as cadences name it, such as form_submitted
    name: String,
    /// To whom: an e-mail address or a prospect id
    #[arg(long = "for", value_name = "PERSON")]
    who: String,
    /// Names this one event: told again with the same key, nothing is done
    #[arg(long)]
    key: Option<String>,
    /// When it happened, if not now: 2026-03-02T08:15 on your clock, or with Z or an offset
    #[arg(long)]
    at: Option<String>,
    /// What is known with it: FIELD="value"; may be given several times
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// Say what would be done and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let zone = &config.reader_zone;
    let set = args.set.iter().map(|given| field_and_value(given)).collect::<Result<_, _>>()?;
    let telling = Telling {
        name: args.name.clone(),
        who: args.who.clone(),
        key: args.key.clone(),
        happened_at: args.at.as_deref().map(|at| instant(at, zone)).transpose()?,
        set,
        actor: RepId::from("engine"),
    };
    let mode = if args.dry_run { Mode::DryRun } else { Mode::Commit };
    let told = running.engine.tell_event(&telling, mode).await?;
    if context.json {
        print_json(&told_json(&told, &args));
    } else {
        print(&text(&told, &args, zone));
    }
    Ok(0)
}

fn instant(text: &str, zone: &TimeZone) -> Result<Timestamp, Failure> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let there = text.parse::<jiff::civil::DateTime>();
    let there = there.and_then(|at| at.to_zoned(zone.clone())).map(|at| at.timestamp());
    there.map_err(|_| {
        Failure::usage(format!(
            "--at {text}: write a time like 2026-03-02T08:15 or 2026-03-02T08:15Z"
        ))
    })
}

fn text(told: &Told, args: &Args, zone: &TimeZone) -> String {
    let name = plain(&told.prospect.display_name(), 60);
    if let Some(before) = told.before {
        let key = args.key.as_deref().unwrap_or_default();
        let at = when(before, zone);
        return format!(
            "{}: {name}\nTold already with the key `{key}`, {at}: nothing was done.\n",
            args.name
        );
    }
    let mut rows = Vec::new();
    for cadence in &told.noted {
        let noted = if args.dry_run { "would be noted on" } else { "noted on" };
        rows.push(vec![noted.to_owned(), cadence.0.clone(), "under way".to_owned()]);
    }
    for (cadence, answer) in &told.answers {
        let (what, why) = match answer {
            Answer::Starts(due) => {
                let due = due.map(|at| format!("the first step is due {}", when(at, zone)));
                (if args.dry_run { "would start in" } else { "starts in" }, due.unwrap_or_default())
            }
            Answer::StaysOut(reason) => ("stays out of", reason.clone()),
        };
        rows.push(vec![what.to_owned(), cadence.0.clone(), why]);
    }
    let nobody = if rows.is_empty() { "  no cadence does anything with it now\n" } else { "" };
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|row| row.into_iter().enumerate().map(indented).collect()).collect();
    let ends = if args.dry_run { "Nothing was changed.\n" } else { "" };
    format!("{}: {name}\n{}{nobody}{ends}", args.name, table(&rows))
}

fn indented((column, text): (usize, String)) -> String {
    if column == 0 { format!("  {text}") } else { text }
}

fn told_json(told: &Told, args: &Args) -> serde_json::Value {
    let cadences = told.answers.iter().map(|(cadence, answer)| match answer {
        Answer::Starts(due) => {
            json!({"cadence": cadence.as_str(), "enrolled": true,
                "first_due_at": due.map(|at| at.to_string())})
        }
        Answer::StaysOut(reason) => {
            json!({"cadence": cadence.as_str(), "enrolled": false, "reason": reason})
        }
    });
    json!({
        "schema": "firsttouch.event.v1",
        "event": args.name,
        "prospect": told.prospect.id.0,
        "key": args.key,
        "dry_run": args.dry_run,
        "told_before": told.before.map(|at| at.to_string()),
        "noted": told.noted.iter().map(|cadence| cadence.as_str()).collect::<Vec<_>>(),
        "cadences": cadences.collect::<Vec<_>>(),
    })
}
