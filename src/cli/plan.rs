//! `plan` and `apply`: what the files would change, and for whom.

use serde_json::json;

use super::output::{print, print_json};
use super::{CHANGES, Context, Failure};
use crate::engine::apply::{InFlight, Kind, Plan};

/// Show what applying the files would change, and which people it touches
#[derive(clap::Args)]
pub(super) struct PlanArgs {
    /// Exit with 5 when there are changes
    #[arg(long)]
    exit_code: bool,
}

/// Make the files what runs: all of them or none
#[derive(clap::Args)]
pub(super) struct ApplyArgs {
    /// What people under way do when steps were added, removed or reordered
    #[arg(long, value_enum)]
    in_flight: Option<InFlightArg>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum InFlightArg {
    /// They go on with the new version, for steps that they have not reached
    Move,
    /// They finish the version that they began
    Stay,
}

pub(super) async fn plan(context: &Context, args: &PlanArgs) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let workspace = context.checked(&config)?;
    let plan = running.engine.plan(&workspace).await?;
    show(context, &plan, "Nothing was applied. `firsttouch apply` applies it.");
    Ok(if args.exit_code && !plan.is_empty() { CHANGES } else { 0 })
}

pub(super) async fn apply(context: &Context, args: &ApplyArgs) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let workspace = context.checked(&config)?;
    let in_flight = args.in_flight.map(|choice| match choice {
        InFlightArg::Move => InFlight::Move,
        InFlightArg::Stay => InFlight::Stay,
    });
    let plan = running.engine.apply(&workspace, in_flight).await?;
    show(context, &plan, "Applied.");
    Ok(0)
}

fn show(context: &Context, plan: &Plan, conclusion: &str) {
    if context.json {
        let cadences = plan.cadences.iter().map(|cadence| {
            json!({
                "cadence": cadence.cadence,
                "version": cadence.digest,
                "change": word(cadence.kind),
                "notes": cadence.notes,
                "in_flight": cadence.in_flight,
            })
        });
        print_json(&json!({
            "schema": "firsttouch.plan.v1",
            "changes": !plan.is_empty(),
            "cadences": cadences.collect::<Vec<_>>(),
            "profiles": plan.profiles,
        }));
        return;
    }
    for cadence in plan.cadences.iter().filter(|cadence| cadence.kind != Kind::Unchanged) {
        let people = match cadence.in_flight {
            0 => String::new(),
            n => format!("  {n} people under way"),
        };
        print(&format!("{}  {}{people}", cadence.cadence, word(cadence.kind)));
        cadence.notes.iter().for_each(|note| print(&format!("    {note}")));
    }
    for profile in &plan.profiles {
        print(&format!("profile {profile}  new or changed"));
    }
    print(if plan.is_empty() { "Nothing has changed." } else { conclusion });
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::New => "new",
        Kind::Unchanged => "unchanged",
        Kind::Content => "changed",
        Kind::Structure => "steps changed",
    }
}
