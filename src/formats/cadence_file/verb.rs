//! `stop`, `triage`, `{ pause: 60 days }`: what an outcome leads to.

use crate::domain::cadence::Verb;
use crate::formats::language::{MAX_RETRIES, RETRY, VERB, VERBS};
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{Findings, Map, count, some_delay, text, word};
use crate::formats::yaml::{At, Node};

/// Reads a verb: a word, or a map with one key.
pub(super) fn verb(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Option<Verb> {
    match &node.value {
        Node::Map(_) => long_verb(node, findings),
        Node::Scalar(_) | Node::List(_) | Node::Nothing => short_verb(node, what, findings),
    }
}

fn short_verb(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Option<Verb> {
    let written = text(node, what, findings)?;
    if matches!(written.value.as_str(), "retry" | "pause") {
        let message = format!("`{}` needs to know how long", written.value);
        let hint = "write { pause: 60 days } or { retry: { after: 4 business hours, max: 1 } }";
        findings.error_with_hint(Rule::C004, node.place(), message, hint);
        return None;
    }
    word(node, what, &VERBS, findings)
}

fn long_verb(node: &At<Node>, findings: &mut Findings<'_>) -> Option<Verb> {
    let map = Map::open(node, &VERB, findings)?;
    if map.len() != 1 {
        findings.error(Rule::C004, node.place(), format!("a verb has one key, not {}", map.len()));
        return None;
    }
    if let Some(node) = map.get("pause") {
        return some_delay(node, "`pause`", findings).map(Verb::Pause);
    }
    retry(map.get("retry")?, findings)
}

fn retry(node: &At<Node>, findings: &mut Findings<'_>) -> Option<Verb> {
    let map = Map::open(node, &RETRY, findings)?;
    let after = map.need("after", findings);
    let after = after.and_then(|node| some_delay(node, "`after`", findings));
    let max = map.need("max", findings);
    let max = max.and_then(|node| count(node, "`max`", MAX_RETRIES, findings));
    Some(Verb::Retry { after: after?, max: max? })
}

/// What happens after the last step; `continue` has nowhere to go, so it stops.
pub(super) fn at_end(map: &Map<'_>, findings: &mut Findings<'_>) -> Option<Verb> {
    let Some(node) = map.get("at_end") else { return Some(Verb::Stop) };
    match verb(node, "`at_end`", findings)? {
        Verb::Stop | Verb::Continue => Some(Verb::Stop),
        Verb::Pause(length) => Some(Verb::Pause(length)),
        Verb::Triage | Verb::Retry { .. } => {
            let message = "`at_end` is stop or { pause: 60 days }";
            findings.error(Rule::C004, node.place(), message);
            None
        }
    }
}
