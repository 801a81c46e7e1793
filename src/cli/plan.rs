//! `plan` and `apply`: what the files would change, and for whom.

use serde_json::{Value, json};

use super::output::{plain, print, print_json};
use super::{CHANGES, Context, Failure, who};
use crate::engine::apply::InFlight;
use crate::engine::plan::{CadencePlan, Kind, Line, Plan, ProfileChange, Reach};
use crate::formats::cadence_file::changes::{Aspect, Change};

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
    let conclusion = match plan.undecided().is_empty() {
        true => "Nothing was applied. `firsttouch apply` applies it.",
        false => {
            "Nothing was applied. `firsttouch apply --in-flight move` applies it so; with `stay` \
             people under way finish the version that they began where steps changed."
        }
    };
    show(context, &plan, None, conclusion);
    Ok(if args.exit_code && !plan.is_empty() { CHANGES } else { 0 })
}

pub(super) async fn apply(context: &Context, args: &ApplyArgs) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let workspace = context.checked(&config)?;
    let in_flight = args.in_flight.map(|choice| match choice {
        InFlightArg::Move => InFlight::Move,
        InFlightArg::Stay => InFlight::Stay,
    });
    let plan = running.engine.apply_by(&workspace, in_flight, &who()).await?;
    show(context, &plan, in_flight, "Applied.");
    Ok(0)
}

fn show(context: &Context, plan: &Plan, in_flight: Option<InFlight>, conclusion: &str) {
    if context.json {
        return print_json(&plan_json(plan, in_flight));
    }
    for cadence in plan.cadences.iter().filter(|cadence| cadence.kind != Kind::Unchanged) {
        print(&cadence_text(cadence, in_flight));
    }
    for (profile, change) in &plan.profiles {
        let (word, whom) = (profile_word(*change), "for whoever is enrolled from now on");
        print(&format!("profile {profile}  {word}: {whom}"));
    }
    print(if plan.is_empty() { "Nothing has changed." } else { conclusion });
}

fn cadence_text(plan: &CadencePlan, in_flight: Option<InFlight>) -> String {
    let mut lines = vec![format!("{}  {}", plan.cadence, head(plan))];
    let stays = plan.kind == Kind::Structure && in_flight == Some(InFlight::Stay);
    let people = &plan.people;
    match plan.kind {
        Kind::Removed if people.under_way == 0 => {
            lines.push("    its file is gone: nobody can be enrolled any more".to_owned());
        }
        Kind::Removed => lines.push(format!(
            "    its file is gone: {} on with their version; nobody new can be enrolled",
            count(people.under_way, "person goes", "people go")
        )),
        _ if stays => {
            lines.extend(plan.lines.iter().map(|line| format!("    {}", named(&line.change))));
            lines.push(format!(
                "    {} the version that they began",
                count(people.under_way, "person finishes", "people finish")
            ));
        }
        Kind::New | Kind::Unchanged | Kind::Content | Kind::Structure => {
            lines.extend(plan.lines.iter().map(|line| format!("    {}", line_text(line))));
            if plan.lines.is_empty() && plan.kind == Kind::Content {
                lines.push("    only comments, layout or texts that no step uses".to_owned());
            }
        }
    }
    if people.held > 0 && !stays && plan.kind != Kind::Removed {
        lines.push(format!(
            "    {} the version that they began: the step of a mail on its way, or of an open \
             question, is gone",
            count(people.held, "person finishes", "people finish")
        ));
    }
    if people.met > 0 {
        lines.push(format!(
            "    {} `enroll.when` already and {} not come in by this: `firsttouch enroll --matching \
             --cadence {}`",
            count(people.met, "person fits", "people fit"),
            if people.met == 1 { "does" } else { "do" },
            plan.cadence
        ));
    }
    if people.on_earlier > 0 {
        lines.push(format!(
            "    {} an earlier version, which this does not touch",
            count(people.on_earlier, "person finishes", "people finish")
        ));
    }
    lines.join("\n")
}

/// `changed, 3 people under way: 1 at email-1, 2 at call-1`.
fn head(plan: &CadencePlan) -> String {
    let word = word(plan.kind);
    if plan.people.under_way == 0 {
        return word.to_owned();
    }
    let under_way = count(plan.people.under_way, "person", "people");
    let at = plan.people.positions.iter().map(|(step, n)| format!("{n} at {step}"));
    let at: Vec<String> = at.collect();
    match at.is_empty() {
        true => format!("{word}, {under_way} under way, behind the last step"),
        false => format!("{word}, {under_way} under way: {}", at.join(", ")),
    }
}

fn line_text(line: &Line) -> String {
    let what = named(&line.change);
    match line.reach {
        Reach::Nobody => format!("{what}: touches nobody"),
        Reach::NewPeople => format!("{what}: for whoever is enrolled from now on"),
        Reach::UnderWay(n) => {
            format!("{what}: {} under way, from now on", count(n, "person", "people"))
        }
        Reach::Step { get, skip, past } => {
            format!("{what}: {}", by_position(line.change.aspect, get, skip, past))
        }
    }
}

/// `41 people will get the new one; 3 are past it`.
fn by_position(aspect: Aspect, get: usize, skip: usize, past: usize) -> String {
    let gets = match aspect {
        Aspect::Added => "will get it",
        Aspect::Text => "will get the new one",
        Aspect::Moved => "will get it at its new place",
        Aspect::Timing => "will get it at the new time",
        Aspect::Removed | Aspect::Conditions | Aspect::Outcomes | Aspect::Setting => {
            "have not reached it"
        }
    };
    let gets = match (get, gets) {
        (1, "have not reached it") => "has not reached it",
        (_, gets) => gets,
    };
    let mut parts = Vec::new();
    if aspect != Aspect::Removed {
        parts.push(format!("{} {gets}", count(get, "person", "people")));
    }
    if skip > 0 || aspect == Aspect::Removed {
        parts.push(count(skip, "person skips it", "people skip it"));
    }
    if past > 0 {
        parts.push(match past {
            1 => "1 is past it".to_owned(),
            n => format!("{n} are past it"),
        });
    }
    parts.join("; ")
}

/// `email-3 changed timing (day: 3 to 5)`.
pub(super) fn named(change: &Change) -> String {
    let values = values(change);
    match (&change.step, change.aspect) {
        (None, _) => format!("{} changed ({})", change.key, values.trim_start_matches(": ")),
        (Some(step), aspect) if aspect.is_of_structure() => format!("{step} {}", aspect.as_str()),
        (Some(step), Aspect::Setting) => format!("{step} changed ({}{values})", change.key),
        (Some(step), aspect) => {
            format!("{step} changed {} ({}{values})", aspect.as_str(), change.key)
        }
    }
}

/// `: old to new`; nothing for a whole text.
fn values(change: &Change) -> String {
    let short = |value: &String| plain(value, 60);
    match (change.before.as_ref().map(short), change.after.as_ref().map(short)) {
        (Some(before), Some(after)) => format!(": {before} to {after}"),
        (Some(before), None) => format!(": {before}, gone now"),
        (None, Some(after)) => format!(": {after}, new"),
        (None, None) => String::new(),
    }
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn plan_json(plan: &Plan, in_flight: Option<InFlight>) -> Value {
    let profiles = plan.profiles.iter();
    let profiles = profiles
        .map(|(profile, change)| json!({"profile": profile, "change": profile_word(*change)}));
    json!({
        "schema": "firsttouch.plan.v2",
        "changes": !plan.is_empty(),
        "in_flight": in_flight.map(|choice| match choice {
            InFlight::Move => "move",
            InFlight::Stay => "stay",
        }),
        "cadences": plan.cadences.iter().map(cadence_json).collect::<Vec<_>>(),
        "profiles": profiles.collect::<Vec<_>>(),
    })
}

fn cadence_json(plan: &CadencePlan) -> Value {
    let people = &plan.people;
    let positions = people.positions.iter().map(|(step, n)| json!({"step": step, "people": n}));
    let lines = plan.lines.iter().map(|line| {
        let mut value = change_json(&line.change);
        value["people"] = match line.reach {
            Reach::Nobody => json!({"touched": "nobody"}),
            Reach::NewPeople => json!({"touched": "new_people"}),
            Reach::UnderWay(n) => json!({"touched": "under_way", "under_way": n}),
            Reach::Step { get, skip, past } => {
                json!({"touched": "by_position", "get": get, "skip": skip, "past": past})
            }
        };
        value
    });
    json!({
        "cadence": plan.cadence,
        "before": plan.before,
        "version": plan.digest,
        "change": word(plan.kind).replace(' ', "_"),
        "needs_in_flight": plan.is_undecided(),
        "lines": lines.collect::<Vec<_>>(),
        "people": {
            "under_way": people.under_way,
            "finish_their_version": people.held,
            "on_earlier_versions": people.on_earlier,
            "fit_already": people.met,
            "positions": positions.collect::<Vec<_>>(),
        },
    })
}

pub(super) fn change_json(change: &Change) -> Value {
    json!({
        "step": change.step.as_ref().map(|step| step.as_str()),
        "change": change.aspect.as_str(),
        "key": change.key,
        "before": change.before,
        "after": change.after,
    })
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::New => "new",
        Kind::Unchanged => "unchanged",
        Kind::Content => "changed",
        Kind::Structure => "steps changed",
        Kind::Removed => "taken out",
    }
}

fn profile_word(change: ProfileChange) -> &'static str {
    match change {
        ProfileChange::New => "new",
        ProfileChange::Changed => "changed",
        ProfileChange::Removed => "taken out",
    }
}
