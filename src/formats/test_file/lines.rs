//! The lines of `timeline` and `expect`.

use crate::domain::cadence::{Content, What};
use crate::domain::enrollment::Ending;
use crate::domain::ids::StepId;
use crate::domain::test_case::{Details, Kind, Line, Question};
use crate::formats::language::{LINE, MAX_DAY};
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{Map, count, shortened, text, word};
use crate::formats::yaml::{At, Node};

use super::answers::{outcome, outcomes_of, said_to};
use super::events::exactly_one;
use super::{Reader, moment, step};

/// What a task may also have come to.
const CLOSED: &str = "closed";
const OPEN: &str = "open";

/// One thing that is expected.
pub(super) fn line(node: &At<Node>, reader: &mut Reader<'_>) -> Option<Line> {
    let map = Map::open(node, &LINE, &mut reader.findings)?;
    let words = Kind::ALL.map(|(word, _)| word);
    if !exactly_one(&map, &words, "what happens", reader) {
        return None;
    }
    let (word, kind) = Kind::ALL.into_iter().find(|(word, _)| map.has(word))?;
    let name = name(kind, map.get(word)?, reader);
    let day = map.get("day").and_then(|n| count(n, "`day`", MAX_DAY, &mut reader.findings));
    let on = map.get("on").and_then(|n| moment::date(n, "`on`", &mut reader.findings));
    let at = map.get("at").and_then(|n| moment::clock(n, "`at`", &mut reader.findings));
    if map.count(&["day", "on"]) == 2 {
        let message = "`day` and `on` both say the day; write one of them";
        reader.findings.error(Rule::C004, map.place(), message);
    }
    let details = details(&map, kind, name.as_deref(), reader);
    Some(Line { kind, name: name?, day, on, at, details, line: node.line })
}

fn name(kind: Kind, node: &At<Node>, reader: &mut Reader<'_>) -> Option<String> {
    let what = format!("`{}`", kind.as_str());
    match kind {
        Kind::Sent | Kind::Refused => {
            let step = step(node, &what, reader)?;
            is_of_kind(&step, node, |what| matches!(what, What::Email { .. }), "no mail", reader);
            Some(step.0)
        }
        Kind::Task => {
            let step = step(node, &what, reader)?;
            let has_task = |what: &What| what.is_a_task() || matches!(what, What::HandOff(_));
            is_of_kind(&step, node, has_task, "a mail that leaves by itself", reader);
            Some(step.0)
        }
        Kind::Skipped => Some(step(node, &what, reader)?.0),
        Kind::Asked => {
            let question = word(node, &what, &Question::ALL, &mut reader.findings)?;
            Some(question.as_str().to_owned())
        }
        Kind::Ended => {
            let ending = word(node, &what, &Ending::ALL, &mut reader.findings)?;
            Some(ending.as_str().to_owned())
        }
        Kind::Switched => {
            let id = text(node, &what, &mut reader.findings)?;
            if !reader.known.ids.contains(&id.value) {
                let message = format!("there is no cadence `{}`", shortened(&id.value));
                let known = reader.known.ids.iter().map(String::as_str);
                reader.findings.unknown(Rule::C701, node.place(), &message, &id.value, known);
            }
            Some(id.value)
        }
    }
}

/// Notes a step that cannot do what is expected of it (C702).
fn is_of_kind(
    id: &StepId,
    node: &At<Node>,
    fits: impl Fn(&What) -> bool,
    what_it_is: &str,
    reader: &mut Reader<'_>,
) {
    let step = reader.cadence.and_then(|cadence| cadence.step(id));
    if step.is_some_and(|(_, step)| !fits(&step.what)) {
        let message = format!("the step `{id}` is {what_it_is}");
        reader.findings.error(Rule::C702, node.place(), message);
    }
}

fn details(map: &Map<'_>, kind: Kind, name: Option<&str>, reader: &mut Reader<'_>) -> Details {
    let fits = |key: &str| match key {
        "template" => kind == Kind::Sent,
        "outcome" => matches!(kind, Kind::Task | Kind::Asked),
        "why" => kind == Kind::Skipped,
        _ => kind == Kind::Switched,
    };
    for key in ["template", "outcome", "why", "begins"] {
        if map.has(key) && !fits(key) {
            let message = format!("`{key}` says nothing of `{}`", kind.as_str());
            reader.findings.error(Rule::C004, map.place(), message);
        }
    }
    let why = map.get("why").and_then(|n| text(n, "`why`", &mut reader.findings));
    Details {
        template: map.get("template").and_then(|node| template(node, name, reader)),
        outcome: map.get("outcome").and_then(|node| fate(node, kind, name, reader)),
        why: why.map(|why| why.value),
        begins: map.get("begins").and_then(|n| moment::date(n, "`begins`", &mut reader.findings)),
    }
}

fn fate(
    node: &At<Node>,
    kind: Kind,
    name: Option<&str>,
    reader: &mut Reader<'_>,
) -> Option<String> {
    let known = match kind {
        Kind::Asked => {
            let question = Question::ALL.iter().find(|(word, _)| Some(*word) == name);
            question.map(|(_, question)| said_to(*question))
        }
        _ => name.and_then(|name| outcomes_of(&StepId::from(name), reader)),
    };
    let known = known.map(|known| [known, vec![CLOSED.to_owned(), OPEN.to_owned()]].concat());
    outcome(node, known.as_deref(), reader)
}

/// A template that the step sends (C704).
fn template(node: &At<Node>, name: Option<&str>, reader: &mut Reader<'_>) -> Option<String> {
    let written = text(node, "`template`", &mut reader.findings)?.value;
    let step = name.map(StepId::from);
    let step = step.as_ref().and_then(|id| reader.cadence?.step(id));
    let Some(What::Email { content, .. }) = step.map(|(_, step)| &step.what) else {
        return Some(written);
    };
    let known: Vec<&str> = match content {
        Content::Template(name) => vec![name],
        Content::Split(names) => names.iter().map(|(name, _)| name.as_str()).collect(),
    };
    if !known.contains(&written.as_str()) {
        let message = format!("this step does not send `{}`", shortened(&written));
        let place = node.place();
        reader.findings.unknown(Rule::C704, place, &message, &written, known.iter().copied());
    }
    Some(written)
}
