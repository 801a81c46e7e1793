//! `enroll`: people into a cadence, with the reasons of those who stay out.

use serde_json::json;

use super::output::{print, print_json, table, when};
use super::{Context, Failure, IN_PART, NOT_FOUND};
use crate::domain::ids::{CadenceId, ProspectId};
use crate::engine::Engine;
use crate::engine::enroll::{Enrolled, Mode};

/// Put people into a cadence: those of a list, or single ones by address or id
#[derive(clap::Args)]
pub(super) struct Args {
    /// People by e-mail address or prospect id
    people: Vec<String>,
    /// Everybody on an imported list
    #[arg(long, conflicts_with_all = ["people", "matching"])]
    list: Option<String>,
    /// Everybody whose fields are what the cadence waits for (`enroll.when: { field: … }`)
    #[arg(long, conflicts_with = "people", required_unless_present_any = ["people", "list"])]
    matching: bool,
    /// The cadence
    #[arg(long)]
    cadence: String,
    /// Say what would be done and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let engine = &running.engine;
    let people = people(engine, args).await?;
    let cadence = CadenceId(args.cadence.clone());
    let mut result = engine.enroll(&people, &cadence, Mode::DryRun).await?;
    if !args.dry_run && result.enrolled > 0 {
        ask(context, args, &result)?;
        result = engine.enroll(&people, &cadence, Mode::Commit).await?;
    }
    if context.json {
        print_json(&json!({
            "schema": "firsttouch.enroll.v1",
            "dry_run": args.dry_run,
            "people": result.people,
            "enrolled": result.enrolled,
            "accounts": result.accounts,
            "skipped": result.skipped,
        }));
    } else {
        print(&text(&result, args, &config.reader_zone));
    }
    Ok(if result.enrolled == result.people { 0 } else { IN_PART })
}

async fn people(engine: &Engine, args: &Args) -> Result<Vec<ProspectId>, Failure> {
    if args.matching {
        return Ok(engine.met_by(&CadenceId(args.cadence.clone())).await?);
    }
    if let Some(name) = &args.list {
        let Some(list) = engine.store.list(name).await? else {
            let known: Vec<String> =
                engine.store.lists().await?.into_iter().map(|l| l.name).collect();
            let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
            let message = format!("there is no list `{name}`; imported are: {known}");
            return Err(Failure { code: NOT_FOUND, kind: "not_found", message });
        };
        return Ok(engine.store.list_prospects(list.id).await?);
    }
    let mut people = Vec::new();
    for who in &args.people {
        let found = engine.find_prospect(who).await?;
        let missing =
            format!("there is no prospect `{who}`: give an address that was imported, or an id");
        people.push(found.ok_or(Failure {
            code: NOT_FOUND,
            kind: "not_found",
            message: missing,
        })?);
    }
    Ok(people)
}

/// More than one person is only enrolled when somebody said yes.
fn ask(context: &Context, args: &Args, result: &Enrolled) -> Result<(), Failure> {
    use std::io::{BufRead, IsTerminal, Write};
    if args.yes || result.enrolled <= 1 {
        return Ok(());
    }
    if context.json || !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "{} people would start: say --yes to do it, or --dry-run to look first",
            result.enrolled
        )));
    }
    eprint!("{} people start in {}. Go on? [y/N] ", result.enrolled, args.cadence);
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::usage("nothing was changed")),
    }
}

fn text(result: &Enrolled, args: &Args, zone: &jiff::tz::TimeZone) -> String {
    let would = if args.dry_run { "would start" } else { "started" };
    let mut text = format!("{} people\n", result.people);
    let companies = match result.accounts {
        0 => String::new(),
        1 => ", of 1 company".to_owned(),
        n => format!(", of {n} companies"),
    };
    let mut rows = vec![vec![
        format!("{:>7}", result.enrolled),
        format!("{would} in {}{companies}", args.cadence),
    ]];
    let mut skipped: Vec<_> = result.skipped.iter().collect();
    skipped.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    rows.extend(skipped.into_iter().map(|(reason, n)| vec![format!("{n:>7}"), reason.clone()]));
    text.push_str(&table(&rows));
    if let Some(at) = result.first_due_at {
        text.push_str(&format!("\nThe first step is due {}.\n", when(at, zone)));
    }
    text.push_str(match (args.dry_run, result.enrolled) {
        (true, _) => "Nothing was changed.\n",
        (false, 0) => "",
        (false, _) => "Next:  firsttouch run\n",
    });
    text
}
