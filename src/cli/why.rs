//! `why`: what happens next for a person, what does not, and which rule says so.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::output::{bold, plain, print, print_json, when};
use super::{Context, Failure};
use crate::domain::budget::Waiting;
use crate::domain::log::Entry;
use crate::engine::why::{Chapter, Story};

/// Say what happens next for a person and why, and everything that has happened
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
        print(&text(&story, &config.reader_zone));
    }
    Ok(0)
}

/// The story as people read it.
pub(super) fn text(story: &Story, zone: &TimeZone) -> String {
    let known = &story.prospect.known;
    let mut text = bold(&story.prospect.display_name());
    for part in [known.title.as_ref(), known.company.name.as_ref()].into_iter().flatten() {
        text.push_str(&format!(" · {}", plain(part, 50)));
    }
    text.push('\n');
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
    text.push('\n');
    for entry in &story.log {
        text.push_str(&format!("  {}  {}\n", when(entry.at, zone), entry_text(entry)));
    }
    text
}

fn chapter_text(chapter: &Chapter, zone: &TimeZone, now: Timestamp) -> String {
    let enrollment = &chapter.person.enrollment;
    let phase = &enrollment.state.phase;
    let state = phase.public_state(enrollment.state.has_begun());
    let step = phase.step().map_or_else(String::new, |(step, _)| format!(", {step}"));
    let version = enrollment.digest.get(..6).unwrap_or_default();
    let mut text = format!("  {} (version {version}): {state}{step}\n", enrollment.cadence);
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
    for touch in &chapter.in_doubt {
        text.push_str(&format!(
            "    IN DOUBT: {} of {}; it is not sent again by itself\n",
            touch.step,
            when(touch.at, zone)
        ));
    }
    text
}

/// One line of the log as people read it.
pub(super) fn entry_text(entry: &Entry) -> String {
    let mut text = format!("{:<12}", entry.what.as_str());
    for key in ["step", "outcome", "ending", "cadence", "kind", "template", "mailbox", "reason"] {
        let value = entry.detail(key);
        let says_it_again = key == "kind" && value == entry.what.as_str();
        if !value.is_empty() && !says_it_again {
            text.push_str(&format!(" {key}={}", plain(value, 90)));
        }
    }
    if entry.actor != "engine" {
        text.push_str(&format!(" by {}", plain(&entry.actor, 30)));
    }
    text
}

fn story_json(story: &Story) -> Value {
    let enrollments = story.enrollments.iter().map(|chapter| {
        let enrollment = &chapter.person.enrollment;
        let phase = &enrollment.state.phase;
        json!({
            "enrollment": enrollment.id.0,
            "cadence": enrollment.cadence.as_str(),
            "version": enrollment.digest,
            "state": phase.public_state(enrollment.state.has_begun()),
            "phase": phase.name(),
            "step": phase.step().map(|(step, _)| step.as_str()),
            "waits_until": chapter.waits.map(|(at, _)| at.to_string()),
            "waits_for": chapter.waits.map(|(_, waiting)| waiting.as_str()),
            "in_doubt": chapter.in_doubt.iter().map(|touch| touch.step.as_str()).collect::<Vec<_>>(),
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
        "enrollments": enrollments.collect::<Vec<_>>(),
        "blocks": blocks.collect::<Vec<_>>(),
        "log": log.collect::<Vec<_>>(),
    })
}
