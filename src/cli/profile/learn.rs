//! `profile learn`: which parts of a profile earned replies.

use serde_json::{Value, json};

use super::super::output::{plain, print, print_json, width, wrapped};
use super::super::{Context, Failure};
use super::{Shelf, profiles_of};
use crate::domain::learn::{Learning, Lesson, NEEDED, Part};
use crate::domain::report::Rate;
use crate::engine::Engine;
use crate::engine::workspace::ProfileFile;

/// Learn from replies: for each word, line and point of a profile, who of those that have it replied
///
/// Everybody counts who was touched at least once, whatever profile let them in; a reply is a person's
/// own, on any channel. Each rate stands against that of the others, with its 95 % interval. With fewer
/// than 30 people on either side there is not enough to say. What goes with replies need not be what
/// earned them.
#[derive(clap::Args)]
pub(super) struct Args {
    /// One profile instead of all
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

const DEFINITION: [&str; 3] = [
    "Of everybody who was touched, once a person, by what is known of them today. [low–high] is the 95 % Wilson \
     interval.",
    "\"could be chance\": the 95 % interval of the difference (Newcombe) holds zero.",
    "Among many lines one in twenty looks better or worse by chance alone: try a change before you trust it.",
];

pub(super) async fn run(
    context: &Context,
    engine: &Engine,
    shelf: &Shelf,
    args: &Args,
) -> Result<u8, Failure> {
    let files = shelf.chosen(args.profile.as_deref())?;
    let learnings = engine.learn(&profiles_of(&files)).await?;
    let pairs = || files.iter().zip(&learnings);
    if context.json {
        let profiles: Vec<Value> =
            pairs().map(|(file, learning)| learning_json(file, learning)).collect();
        print_json(&json!({"schema": "firsttouch.profile_learn.v1", "needed": NEEDED,
            "profiles": profiles}));
        return Ok(0);
    }
    let mut text = String::new();
    for (file, learning) in pairs() {
        text.push_str(&shelf.heading(file));
        text.push_str(&lessons(learning));
        text.push('\n');
    }
    print(&(text + &DEFINITION.map(|line| wrapped(line, width(), 0)).join("\n")));
    Ok(0)
}

fn lessons(learning: &Learning) -> String {
    let mut text = format!("  {}\n", everybody(learning.all));
    if learning.all.of == 0 {
        return text;
    }
    text.push('\n');
    let (said, unsaid): (Vec<_>, Vec<_>) =
        learning.lessons().into_iter().partition(|lesson| lesson.lift().is_some());
    let line = |indent, said: String| wrapped(&said, width(), indent) + "\n";
    for lesson in said {
        let said = plain(&lesson.sentence(), 200) + &points(lesson);
        text.push_str(&line(2, said));
    }
    if !unsaid.is_empty() {
        text.push_str(&format!("\n  not enough to say, fewer than {NEEDED} on either side:\n"));
    }
    for lesson in unsaid {
        text.push_str(&line(4, too_few(lesson)));
    }
    text
}

fn too_few(lesson: &Lesson) -> String {
    let part = plain(&lesson.part.in_words(), 120);
    let Rate { hits, of } = lesson.with;
    match (of, lesson.without.of) {
        (0, _) => format!("{part}: nobody"),
        (_, 0) => format!("{part}: everybody, so there is nothing to compare with"),
        (_, others) => format!("{part}: {hits} of {of} replied ({others} others)"),
    }
}

fn everybody(all: Rate) -> String {
    match all.share() {
        None if all.of == 0 => "nobody was touched yet: there is nothing to learn from".to_owned(),
        None => format!("{} of {} who were touched replied", all.hits, all.of),
        Some((p, low, high)) => format!(
            "{} of {} who were touched replied, {:.1} % [{:.1}–{:.1}]",
            all.hits,
            all.of,
            p * 100.0,
            low * 100.0,
            high * 100.0
        ),
    }
}

fn points(lesson: &Lesson) -> String {
    let Some(lift) = lesson.lift() else { return String::new() };
    let chance = if lift.may_be_chance() { ", could be chance" } else { "" };
    format!("; {:+.1} points{chance}", lift.difference * 100.0)
}

fn learning_json(file: &ProfileFile, learning: &Learning) -> Value {
    let lessons = learning.lessons().into_iter().map(lesson_json);
    json!({"profile": file.profile.id.as_str(), "version": file.digest,
        "touched": rate_json(learning.all), "lessons": lessons.collect::<Vec<_>>()})
}

fn lesson_json(lesson: &Lesson) -> Value {
    let lift = lesson.lift().map(|lift| {
        json!({"difference": lift.difference, "low": lift.low, "high": lift.high,
            "may_be_chance": lift.may_be_chance()})
    });
    let field = match &lesson.part {
        Part::Word { field, .. } | Part::Line { field, .. } | Part::Preferred { field } => {
            Some(field.as_str())
        }
        Part::Points { .. } => None,
    };
    json!({"kind": lesson.part.kind(), "field": field, "part": lesson.part.in_words(),
        "with": rate_json(lesson.with), "without": rate_json(lesson.without), "lift": lift,
        "sentence": lesson.sentence()})
}

fn rate_json(rate: Rate) -> Value {
    let share = rate.share().map(|(p, low, high)| json!({"rate": p, "low": low, "high": high}));
    json!({"n": rate.of, "replied": rate.hits, "share": share})
}
