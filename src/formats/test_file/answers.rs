//! `answers` and `decisions`: what comes of tasks.

use std::collections::BTreeMap;

use crate::domain::cadence::{EXPIRED, Step, What};
use crate::domain::enrollment::{HANDED_BACK_OUTCOMES, REVIEW_OUTCOMES, TRIAGE_OUTCOMES};
use crate::domain::ids::StepId;
use crate::domain::test_case::{Answer, Question, meanings};
use crate::formats::language::{ANSWER, MAX_ANSWERS};
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{Map, delay, entries, items, shortened, text};
use crate::formats::yaml::{At, Entry, Node};

use super::{Reader, at_most, is_step, moment, person};

/// What comes of the tasks of each step.
pub(super) fn answers(map: &Map<'_>, reader: &mut Reader<'_>) -> BTreeMap<StepId, Vec<Answer>> {
    let mut answers = BTreeMap::new();
    for line in lines(map, "answers", reader) {
        let step = StepId(line.key.value.clone());
        let known = is_step(&line.key, reader).then(|| outcomes_of(&step, reader)).flatten();
        if known.as_ref().is_some_and(Vec::is_empty) {
            let message = format!("`{step}` is a mail that leaves by itself: there is no task");
            reader.findings.error(Rule::C703, line.key.place(), message);
            continue;
        }
        answers.insert(step, list(&line.value, known.as_deref(), reader));
    }
    answers
}

/// What is answered when somebody is asked about the person.
pub(super) fn decisions(map: &Map<'_>, reader: &mut Reader<'_>) -> BTreeMap<Question, Vec<Answer>> {
    let mut decisions = BTreeMap::new();
    for line in lines(map, "decisions", reader) {
        let key = &line.key.value;
        let Some((_, question)) = Question::ALL.iter().find(|(word, _)| word == key) else {
            let message = format!("nobody is asked `{}`", shortened(key));
            let known = Question::ALL.iter().map(|(word, _)| *word);
            reader.findings.unknown(Rule::C002, line.key.place(), &message, key, known);
            continue;
        };
        let known = said_to(*question);
        decisions.insert(*question, list(&line.value, Some(&known), reader));
    }
    decisions
}

fn lines<'a>(map: &Map<'a>, key: &str, reader: &mut Reader<'_>) -> &'a [Entry] {
    let node = map.get(key);
    node.and_then(|n| entries(n, &format!("`{key}`"), &mut reader.findings)).unwrap_or(&[])
}

/// What may be said to a question.
pub(super) fn said_to(question: Question) -> Vec<String> {
    let words: Vec<&str> = match question {
        Question::Reply => meanings(),
        Question::Triage => TRIAGE_OUTCOMES.iter().map(|(slug, _)| *slug).collect(),
        Question::HandOff => vec!["accepted", "declined"],
        Question::HandedBack => HANDED_BACK_OUTCOMES.to_vec(),
    };
    words.into_iter().chain([EXPIRED]).map(str::to_owned).collect()
}

/// What may come of the task of a step; nothing when it has none, `None` when nobody knows.
pub(super) fn outcomes_of(id: &StepId, reader: &Reader<'_>) -> Option<Vec<String>> {
    let cadence = reader.cadence?;
    let (_, step): (_, &Step) = cadence.step(id)?;
    let mut words: Vec<String> = match &step.what {
        What::Email { .. } if step.what.is_reviewed() => REVIEW_OUTCOMES.map(str::to_owned).into(),
        What::Email { .. } => return Some(Vec::new()),
        What::HandOff(_) => vec!["accepted".to_owned(), "declined".to_owned()],
        What::Call { .. } | What::Social { .. } | What::Task { .. } => {
            cadence.outcomes_of(&step.what).into_iter().map(|(outcome, _)| outcome.0).collect()
        }
    };
    words.push(EXPIRED.to_owned());
    Some(words)
}

fn list(node: &At<Node>, known: Option<&[String]>, reader: &mut Reader<'_>) -> Vec<Answer> {
    let all = items(node, "what comes of a task", &mut reader.findings).unwrap_or(&[]);
    at_most(all, MAX_ANSWERS, "answers", reader);
    all.iter().take(MAX_ANSWERS).filter_map(|node| answer(node, known, reader)).collect()
}

fn answer(node: &At<Node>, known: Option<&[String]>, reader: &mut Reader<'_>) -> Option<Answer> {
    if !matches!(node.value, Node::Map(_)) {
        return Some(Answer::plain(&outcome(node, known, reader)?));
    }
    let map = Map::open(node, &ANSWER, &mut reader.findings)?;
    let said = map.need("outcome", &mut reader.findings);
    let said = said.and_then(|node| outcome(node, known, reader));
    let after = map.get("after").and_then(|n| delay(n, "`after`", &mut reader.findings));
    let until =
        map.get("until").and_then(|n| moment::date_time(n, "`until`", &mut reader.findings));
    let set = map.get("set").map(|node| person::values(node, &mut reader.findings));
    let set = set.unwrap_or_default().into_iter().collect();
    Some(Answer { after, until, set, ..Answer::plain(&said?) })
}

/// One of the words that may be said (C703).
pub(super) fn outcome(
    node: &At<Node>,
    known: Option<&[String]>,
    reader: &mut Reader<'_>,
) -> Option<String> {
    let said = text(node, "an outcome", &mut reader.findings)?;
    let Some(known) = known else { return Some(said.value) };
    if known.contains(&said.value) {
        return Some(said.value);
    }
    let message = format!("`{}` cannot come of this", shortened(&said.value));
    let words: Vec<&str> = known.iter().map(String::as_str).collect();
    let place = node.place();
    match crate::formats::yaml::reading::near(&said.value, words.iter().copied()) {
        Some(near) => {
            let message = format!("{message}; did you mean `{near}`?");
            reader.findings.error(Rule::C703, place, message);
        }
        None => {
            let hint = format!("it can be: {}", words.join(", "));
            reader.findings.error_with_hint(Rule::C703, place, message, hint);
        }
    }
    None
}
