//! `replies` and `custom_outcomes`: what people say to us, and what we say of it.

use std::collections::BTreeMap;

use crate::domain::cadence::{
    CALL_OUTCOMES, EMAIL_OUTCOMES, EXPIRED, HAND_OFF_OUTCOMES, Outcome, SKIPPED, SOCIAL_OUTCOMES,
    TASK_OUTCOMES, Verb,
};
use crate::domain::reply::ReplyKind;
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{Map, entries, is_slug, shortened, text};
use crate::formats::yaml::{At, Node};

use super::{Reader, verb};

/// What a reply of each kind leads to.
pub(super) fn replies(map: &Map<'_>, reader: &mut Reader<'_>) -> BTreeMap<ReplyKind, Verb> {
    let Some(node) = map.get("replies") else { return BTreeMap::new() };
    let lines = entries(node, "`replies`", &mut reader.findings).unwrap_or(&[]);
    if matches!(&node.value, Node::Map(lines) if lines.is_empty()) {
        reader.findings.error(Rule::C004, node.place(), "`replies` needs at least one line");
    }
    let mut replies = BTreeMap::new();
    for line in lines {
        let kind = kind(&line.key, reader);
        let verb = verb::verb(&line.value, "what a reply leads to", reader);
        if let Some(Verb::Retry { .. }) = verb {
            let message = "a reply is no step, so it cannot be retried";
            reader.findings.error(Rule::C004, line.value.place(), message);
        }
        replies.extend(kind.zip(verb));
    }
    replies
}

fn kind(key: &At<String>, reader: &mut Reader<'_>) -> Option<ReplyKind> {
    let kind = ReplyKind::parse(&key.value);
    if kind.is_none() {
        let message = format!("there is no kind of reply `{}`", shortened(&key.value));
        let known = ReplyKind::ALL.iter().map(|(word, _)| *word);
        reader.findings.unknown(Rule::C002, key.place(), &message, &key.value, known);
    }
    kind
}

/// Outcomes of the file's own, each with what it is called.
pub(super) fn custom_outcomes(map: &Map<'_>, reader: &mut Reader<'_>) -> BTreeMap<Outcome, String> {
    let findings = &mut reader.findings;
    let Some(node) = map.get("custom_outcomes") else { return BTreeMap::new() };
    let lines = entries(node, "`custom_outcomes`", findings).unwrap_or(&[]);
    let mut own = BTreeMap::new();
    for line in lines {
        let slug = &line.key.value;
        let label = text(&line.value, &format!("what `{}` is called", shortened(slug)), findings);
        if !is_slug(slug) {
            let message = format!("the outcome `{}` is not a name", shortened(slug));
            let hint = "use lower-case letters, digits, - and _, at most 64 of them";
            findings.error_with_hint(Rule::C004, line.key.place(), message, hint);
        } else if is_built_in(slug) {
            let message = format!("`{slug}` is an outcome already");
            findings.error(Rule::C304, line.key.place(), message);
        } else {
            own.extend(label.map(|label| (Outcome(slug.clone()), label.value)));
        }
    }
    own
}

fn is_built_in(slug: &str) -> bool {
    let all =
        [CALL_OUTCOMES, SOCIAL_OUTCOMES, TASK_OUTCOMES, EMAIL_OUTCOMES, HAND_OFF_OUTCOMES].concat();
    let words = all.iter().map(|(slug, _)| *slug);
    words.chain([EXPIRED, SKIPPED]).any(|known| known == slug)
}
