//! `why`: what happens next for a person, what does not, and which rule says so.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::output::{bold, plain, print, print_json, when, width};
use super::today::target;
use super::{Context, Failure};
use crate::domain::budget::Waiting;
use crate::domain::ids::ProspectId;
use crate::domain::log::{Entry, What};
use crate::domain::profile::{Fit, Verdict};
use crate::engine::history::short;
use crate::engine::profiles::Standing;
use crate::engine::why::{Chapter, Colleague, Story, Trace, Verdict as Check};

/// Say what happens next for a person and why, what has happened, and which profiles fit
#[derive(clap::Args)]
pub(super) struct Args {
    /// An e-mail address, a prospect id, or task:NUMBER
    who: String,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let story = running.engine.why(&args.who).await?;
    if context.json {
        print_json(&story_json(&story));
    } else {
        let zone = &config.reader_zone;
        let profiles = standings(&story, width());
        print(&format!("{}{profiles}\n{}", place(&story, zone), log(&story, zone)));
    }
    Ok(0)
}

/// Where somebody is and what has happened, without the profiles.
pub(super) fn text(story: &Story, zone: &TimeZone) -> String {
    format!("{}\n{}", place(story, zone), log(story, zone))
}

fn log(story: &Story, zone: &TimeZone) -> String {
    let line = |entry: &Entry| format!("  {}  {}\n", when(entry.at, zone), entry_text(entry));
    story.log.iter().map(line).collect()
}

/// Who it is, where they came from, where they are and what blocks them.
fn place(story: &Story, zone: &TimeZone) -> String {
    let known = &story.prospect.known;
    let mut text = bold(&story.prospect.display_name());
    for part in [known.title.as_ref(), known.company.name.as_ref()].into_iter().flatten() {
        text.push_str(&format!(" · {}", plain(part, 50)));
    }
    text.push('\n');
    if !story.lists.is_empty() {
        let lists = if story.lists.len() == 1 { "list" } else { "lists" };
        text.push_str(&format!("  from the {lists} {}\n", story.lists.join(", ")));
    }
    for chapter in &story.enrollments {
        text.push_str(&chapter_text(chapter, zone, story.now));
    }
    if story.enrollments.is_empty() {
        text.push_str("  was never enrolled\n");
    }
    for block in &story.blocks {
        let (kind, cause) = (block.subject.kind(), block.cause.as_str());
        text.push_str(&format!("  blocked ({kind}): {cause}, since {}\n", when(block.at, zone)));
    }
    text
}

fn chapter_text(chapter: &Chapter, zone: &TimeZone, now: Timestamp) -> String {
    let enrollment = &chapter.person.enrollment;
    let phase = &enrollment.state.phase;
    let state = phase.public_state(enrollment.state.has_begun());
    let step = phase.step().map_or_else(String::new, |(step, _)| format!(", {step}"));
    let version = short(&enrollment.digest);
    let mut text = format!("  {} (version {version}): {state}{step}\n", enrollment.cadence);
    if let Some((profile, digest)) = &enrollment.profile {
        let (version, score) = (digest.get(..6).unwrap_or_default(), enrollment.score);
        text.push_str(&format!("    let in by {profile} (version {version}), score {score}\n"));
    }
    for colleague in &chapter.account {
        text.push_str(&colleague_text(colleague, chapter.person.prospect.id, zone));
    }
    if let Some((at, waiting)) = chapter.waits {
        let (word, why) = (waiting.as_str(), waiting.explain());
        match at <= now {
            true if !matches!(waiting, Waiting::InboxStale | Waiting::MailboxDown) => {
                let since = when(at, zone);
                text.push_str(&format!("    is due since {since}: `firsttouch run` does it\n"));
            }
            true => text.push_str(&format!("    waits: {word}: {why}\n")),
            false => {
                text.push_str(&format!("    waits until {}: {word}: {why}\n", when(at, zone)));
            }
        }
    }
    if let Some(trace) = &chapter.trace {
        text.push_str(&trace_text(trace, zone));
    }
    if let Some(task) = &chapter.task {
        let target = task.target_at.map_or_else(String::new, |at| format!(", {}", target(at, now)));
        let title = plain(&task.title, 90);
        text.push_str(&format!("    task {} for {}: {title}{target}\n", task.id, task.rep));
    }
    for touch in &chapter.in_doubt {
        text.push_str(&format!(
            "    IN DOUBT: {} of {}; it is not sent again by itself\n",
            touch.step,
            when(touch.at, zone)
        ));
    }
    text
}

/// What the next step is held against, one line each.
fn trace_text(trace: &Trace, zone: &TimeZone) -> String {
    let (step, channel, due) = (&trace.step, trace.channel.as_str(), when(trace.due_at, zone));
    let again =
        if trace.attempt > 1 { format!(", attempt {}", trace.attempt) } else { String::new() };
    let mut text = format!("    next: {step} ({channel}{again}), by the plan due {due}\n");
    let opens = match trace.opens_at == trace.due_at {
        true => String::new(),
        false => {
            let there = trace.there.to_datetime(trace.opens_at).strftime("%H:%M");
            format!(": opens {} ({there} there)", when(trace.opens_at, zone))
        }
    };
    text.push_str(&format!("      hours  {}{opens}\n", trace.hours));
    if let Some(calls) = &trace.call_hours {
        text.push_str(&format!("      calls  {calls}\n"));
    }
    for (day, what) in &trace.closed_days {
        text.push_str(&format!(
            "             {} is no day for it: {what}\n",
            day.strftime("%a %-d %b %Y")
        ));
    }
    for check in &trace.checks {
        let (mark, until) = match check.verdict {
            Check::Holds => ("ok", String::new()),
            Check::Until(at) => ("x", format!(", until {}", when(at, zone))),
            Check::Open => ("x", ", until somebody acts".to_owned()),
        };
        let word = match check.verdict {
            Check::Holds => String::new(),
            _ => format!(" [{}; {}]", check.reason.as_str(), check.reason.changed_by()),
        };
        let (what, stands) = (plain(&check.what, 60), plain(&check.stands, 120));
        text.push_str(&format!("      {mark:<6} {what}: {stands}{until}{word}\n"));
    }
    if let Some(at) = trace.earliest {
        text.push_str(&format!("      goes   {} at the earliest\n", when(at, zone)));
    }
    text
}

fn colleague_text(colleague: &Colleague, asked: ProspectId, zone: &TimeZone) -> String {
    let Colleague { role, who, name, left, has_turn } = colleague;
    let this_one = if *who == asked { " (this one)" } else { "" };
    let stands = match left {
        Some((ending, at)) => format!(": out of it since {}, {}", when(*at, zone), ending.as_str()),
        None if *has_turn => ": it is their turn".to_owned(),
        None => String::new(),
    };
    format!("    {role}: {}{this_one}{stands}\n", plain(name, 40))
}

/// Each applied profile with each of its lines and the reason.
fn standings(story: &Story, width: usize) -> String {
    let mut text = String::new();
    for standing in &story.profiles {
        let (id, evaluation) = (&standing.profile.id, &standing.evaluation);
        let version = standing.digest.get(..6).unwrap_or_default();
        let fit = fit_text(&evaluation.fit, standing.is_best && story.profiles.len() > 1);
        text.push_str(&format!("\n  {} (version {version}): {fit}\n", bold(id.as_str())));
        for line in &evaluation.lines {
            let mark = match line.verdict {
                Verdict::Held => "ok",
                Verdict::Failed => "x",
                Verdict::Unknown => "?",
            };
            text.push_str(&format!("    {mark:<4}{}\n", plain(&line.reason, width.max(100) - 8)));
        }
        for (points, why) in &evaluation.score_lines {
            text.push_str(&format!("    {points:<+4}{}\n", plain(why, width.max(100) - 8)));
        }
    }
    text
}

fn fit_text(fit: &Fit, is_best: bool) -> String {
    match fit {
        Fit::Fits { score } if is_best => format!("fits, score {score}: the best of the profiles"),
        Fit::Fits { score } => format!("fits, score {score}"),
        Fit::Incomplete { missing } => format!("fits, but {} is not known", missing.join(" and ")),
        Fit::DoesNotFit { failed } => format!("does not fit: {}", failed.join(", ")),
    }
}

fn standing_json(standing: &Standing) -> Value {
    let evaluation = &standing.evaluation;
    let (fit, score) = match &evaluation.fit {
        Fit::Fits { score } => ("fits", Some(score)),
        Fit::Incomplete { .. } => ("incomplete", None),
        Fit::DoesNotFit { .. } => ("does_not_fit", None),
    };
    let missing = match &evaluation.fit {
        Fit::Incomplete { missing } => missing.as_slice(),
        Fit::Fits { .. } | Fit::DoesNotFit { .. } => &[],
    };
    let lines = evaluation.lines.iter().map(|line| {
        let verdict = match line.verdict {
            Verdict::Held => "held",
            Verdict::Failed => "failed",
            Verdict::Unknown => "unknown",
        };
        json!({"field": line.label, "verdict": verdict, "reason": line.reason})
    });
    let points = evaluation.score_lines.iter().map(|(add, why)| json!({"add": add, "why": why}));
    json!({"profile": standing.profile.id.as_str(), "version": standing.digest, "fit": fit,
        "score": score, "best": standing.is_best, "missing": missing,
        "lines": lines.collect::<Vec<_>>(), "points": points.collect::<Vec<_>>()})
}

/// One line of the log as people read it.
pub(super) fn entry_text(entry: &Entry) -> String {
    let mut text = format!("{:<12}", entry.what.as_str());
    for key in [
        "event",
        "step",
        "outcome",
        "ending",
        "cadence",
        "role",
        "from",
        "field",
        "key",
        "happened_at",
        "kind",
        "template",
        "split",
        "mailbox",
        "in_time",
        "filled",
        "edited",
        "to",
        "until",
        "note",
        "reason",
    ] {
        let value = entry.detail(key);
        let says_it_again = key == "kind" && value == entry.what.as_str();
        if !value.is_empty() && !says_it_again {
            text.push_str(&format!(" {key}={}", plain(value, 90)));
        }
    }
    if entry.what == What::Moved && !entry.detail("from").is_empty() {
        let (from, to) = (short(entry.detail("from")), short(entry.detail("version")));
        text.push_str(&format!(" from version {from} to {to}"));
    }
    if entry.actor != "engine" {
        text.push_str(&format!(" by {}", plain(&entry.actor, 30)));
    }
    text
}

fn trace_json(trace: &Trace) -> Value {
    let checks = trace.checks.iter().map(|check| {
        let until = match check.verdict {
            Check::Until(at) => Some(at.to_string()),
            Check::Holds | Check::Open => None,
        };
        json!({"reason": check.reason.as_str(), "what": check.what, "stands": check.stands,
            "holds": check.verdict == Check::Holds, "until": until,
            "changed_by": check.reason.changed_by()})
    });
    let closed =
        trace.closed_days.iter().map(|(day, what)| json!({"day": day.to_string(), "what": what}));
    json!({"step": trace.step.as_str(), "attempt": trace.attempt, "channel": trace.channel.as_str(),
        "due_at": trace.due_at.to_string(), "opens_at": trace.opens_at.to_string(),
        "hours": trace.hours, "call_hours": trace.call_hours, "closed_days": closed.collect::<Vec<_>>(),
        "checks": checks.collect::<Vec<_>>(), "earliest": trace.earliest.map(|at| at.to_string())})
}

fn colleague_json(colleague: &Colleague) -> Value {
    let Colleague { role, who, name, left, has_turn } = colleague;
    let left_as = left.map(|(ending, _)| ending.as_str());
    json!({"role": role.as_str(), "prospect": who.0, "name": name, "has_turn": has_turn,
        "left": left_as, "left_at": left.map(|(_, at)| at.to_string())})
}

fn story_json(story: &Story) -> Value {
    let enrollments = story.enrollments.iter().map(|chapter| {
        let enrollment = &chapter.person.enrollment;
        let phase = &enrollment.state.phase;
        let touches = chapter.touches.iter().map(|touch| {
            json!({"touch": touch.id.0, "step": touch.step.as_str(), "attempt": touch.attempt,
                "at": touch.at.to_string(), "status": touch.status.as_str(), "actor": touch.actor,
                "version": touch.version})
        });
        json!({
            "enrollment": enrollment.id.0,
            "cadence": enrollment.cadence.as_str(),
            "version": enrollment.digest,
            "profile": enrollment.profile.as_ref().map(|(id, _)| id.as_str()),
            "profile_version": enrollment.profile.as_ref().map(|(_, digest)| digest),
            "score": enrollment.score,
            "state": phase.public_state(enrollment.state.has_begun()),
            "phase": phase.name(),
            "step": phase.step().map(|(step, _)| step.as_str()),
            "waits_until": chapter.waits.map(|(at, _)| at.to_string()),
            "waits_for": chapter.waits.map(|(_, waiting)| waiting.as_str()),
            "task": chapter.task.as_ref().map(|task| task.id.0),
            "in_doubt": chapter.in_doubt.iter().map(|touch| touch.step.as_str()).collect::<Vec<_>>(),
            "touches": touches.collect::<Vec<_>>(),
            "next": chapter.trace.as_ref().map(trace_json),
            "account": chapter.account.iter().map(colleague_json).collect::<Vec<_>>(),
        })
    });
    let blocks = story.blocks.iter().map(|block| {
        json!({"kind": block.subject.kind(), "cause": block.cause.as_str(), "at": block.at.to_string()})
    });
    let log = story.log.iter().map(|entry| {
        json!({"at": entry.at.to_string(), "what": entry.what.as_str(), "actor": entry.actor,
            "details": entry.details})
    });
    json!({
        "schema": "firsttouch.why.v1",
        "prospect": story.prospect.id.0,
        "name": story.prospect.display_name(),
        "lists": story.lists,
        "profiles": story.profiles.iter().map(standing_json).collect::<Vec<_>>(),
        "enrollments": enrollments.collect::<Vec<_>>(),
        "blocks": blocks.collect::<Vec<_>>(),
        "log": log.collect::<Vec<_>>(),
    })
}
