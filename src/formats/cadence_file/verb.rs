//! `stop`, `triage`, `{ pause: 60 days }`: what an outcome leads to.

use crate::domain::cadence::{HandOff, Verb};
use crate::domain::ids::{CadenceId, RoleId};
use crate::domain::time::{Delay, Unit};
use crate::formats::language::{HAND_OFF, MAX_RETRIES, RETRY, SWITCH_TO, VERB, VERBS};
use crate::formats::length::{self, Unreadable};
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{
    Findings, Map, count, delay, is_slug, shortened, slug, some_delay, text, word,
};
use crate::formats::yaml::{At, Node};

use super::{Reader, touch};

/// How long a role has when the file is silent.
const ACCEPT_WITHIN: Delay = Delay::new(1, Unit::BusinessDays);

/// Examples for whoever did not say how long.
const PAUSE: Delay = Delay::new(60, Unit::Days);
const RETRY_AFTER: Delay = Delay::new(4, Unit::BusinessHours);

/// Reads a verb: a word, or a map with one key.
pub(super) fn verb(node: &At<Node>, what: &str, reader: &mut Reader<'_>) -> Option<Verb> {
    match &node.value {
        Node::Map(_) => long_verb(node, reader),
        Node::Scalar(_) | Node::List(_) | Node::Nothing => {
            short_verb(node, what, &mut reader.findings)
        }
    }
}

fn short_verb(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Option<Verb> {
    let written = text(node, what, findings)?;
    let (needs, hint) = match written.value.as_str() {
        "retry" | "pause" => (
            "needs to know how long",
            "write { pause: 60 days } or { retry: { after: 4 business hours, max: 1 } }",
        ),
        "switch_to" => ("needs to know where to", "write { switch_to: { cadence: nurture } }"),
        "hand_off" => ("needs to know to whom", "write { hand_off: { to: account_manager } }"),
        _ => match in_one_text(&written.value) {
            Some(meant) => {
                let message = format!("`{}` is written as a map", shortened(&written.value));
                let hint = format!("write {meant}");
                findings.error_with_hint(Rule::C004, node.place(), message, hint);
                return None;
            }
            None => return word(node, what, &VERBS, findings),
        },
    };
    let message = format!("`{}` {needs}", written.value);
    findings.error_with_hint(Rule::C004, node.place(), message, hint);
    None
}

/// The map that was meant by a verb and what it takes in one text, such as `pause 60 days`.
fn in_one_text(written: &str) -> Option<String> {
    let (verb, rest) = written.split_once(char::is_whitespace)?;
    let rest = rest.trim().trim_start_matches("for ").trim_start_matches("to ").trim();
    match verb {
        "pause" => Some(format!("{{ pause: {} }}", length_in(rest).unwrap_or(PAUSE))),
        "retry" => {
            let after = length_in(rest.trim_start_matches("after ")).unwrap_or(RETRY_AFTER);
            Some(format!("{{ retry: {{ after: {after}, max: 1 }} }}"))
        }
        "switch_to" if is_slug(rest) => Some(format!("{{ switch_to: {{ cadence: {rest} }} }}")),
        "hand_off" if is_slug(rest) => Some(format!("{{ hand_off: {{ to: {rest} }} }}")),
        _ => None,
    }
}

/// The length that a text is, or was meant to be.
fn length_in(text: &str) -> Option<Delay> {
    match length::delay(text) {
        Ok(delay) => Some(delay),
        Err(Unreadable::Misspelt { meant, .. }) => Some(meant),
        Err(_) => None,
    }
}

fn long_verb(node: &At<Node>, reader: &mut Reader<'_>) -> Option<Verb> {
    let map = Map::open(node, &VERB, &mut reader.findings)?;
    if map.len() != 1 {
        let message = format!("a verb has one key, not {}", map.len());
        reader.findings.error(Rule::C004, node.place(), message);
        return None;
    }
    if let Some(node) = map.get("pause") {
        return some_delay(node, "`pause`", &mut reader.findings).map(Verb::Pause);
    }
    if let Some(node) = map.get("switch_to") {
        return switch_to(node, reader);
    }
    if let Some(node) = map.get("hand_off") {
        return hand_off(node, reader).map(Verb::HandOff);
    }
    retry(map.get("retry")?, &mut reader.findings)
}

fn retry(node: &At<Node>, findings: &mut Findings<'_>) -> Option<Verb> {
    let map = Map::open(node, &RETRY, findings)?;
    let after = map.need("after", findings);
    let after = after.and_then(|node| some_delay(node, "`after`", findings));
    let max = map.need("max", findings);
    let max = max.and_then(|node| count(node, "`max`", MAX_RETRIES, findings));
    Some(Verb::Retry { after: after?, max: max? })
}

fn switch_to(node: &At<Node>, reader: &mut Reader<'_>) -> Option<Verb> {
    let map = Map::open(node, &SWITCH_TO, &mut reader.findings)?;
    let cadence = map.need("cadence", &mut reader.findings);
    let cadence = cadence.and_then(|node| slug(node, "the cadence", &mut reader.findings));
    let after = match map.get("after") {
        Some(node) => delay(node, "`after`", &mut reader.findings),
        None => Some(Delay::ZERO),
    };
    let cadence = cadence?;
    if !reader.known.applied && !reader.known.cadences.contains(&cadence.value) {
        let message = format!("there is no cadence `{}`", shortened(&cadence.value));
        let known = reader.known.cadences.iter().map(String::as_str);
        reader.findings.unknown(Rule::C110, cadence.place(), &message, &cadence.value, known);
    }
    Some(Verb::SwitchTo { cadence: CadenceId(cadence.value), after: after? })
}

/// Reads a hand-off, of a step or of a verb.
pub(super) fn hand_off(node: &At<Node>, reader: &mut Reader<'_>) -> Option<HandOff> {
    let map = Map::open(node, &HAND_OFF, &mut reader.findings)?;
    let to = map.need("to", &mut reader.findings);
    let to = to.and_then(|node| slug(node, "the role", &mut reader.findings));
    let brief = map.get("brief").and_then(|node| touch::template(node, "`brief`", reader));
    let accept_within = match map.get("accept_within") {
        Some(node) => some_delay(node, "`accept_within`", &mut reader.findings),
        None => Some(ACCEPT_WITHIN),
    };
    let to = to?;
    check_role(&to, reader);
    let brief = brief.map(|brief| brief.value);
    Some(HandOff { to: RoleId(to.value), brief, accept_within: accept_within? })
}

/// Notes a role that no rep of the settings holds (C111).
pub(super) fn check_role(role: &At<String>, reader: &mut Reader<'_>) {
    let Some(known) = &reader.known.roles else { return };
    if known.contains(&role.value) {
        return;
    }
    let message = format!("nobody holds the role `{}`, so the owner would get it", role.value);
    let hint = format!(
        "add [[rep]] with an id and roles = [\"{}\"] to firsttouch.toml{}",
        role.value,
        match known.is_empty() {
            true => String::new(),
            false => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                format!("; the roles there are: {}", known.join(", "))
            }
        }
    );
    reader.findings.warning(Rule::C111, role.place(), message, hint);
}

/// What happens after the last step; `continue` has nowhere to go, so it stops.
pub(super) fn at_end(map: &Map<'_>, reader: &mut Reader<'_>) -> Option<Verb> {
    let Some(node) = map.get("at_end") else { return Some(Verb::Stop) };
    match verb(node, "`at_end`", reader)? {
        Verb::Stop | Verb::Continue => Some(Verb::Stop),
        verb @ (Verb::Pause(_) | Verb::SwitchTo { .. }) => Some(verb),
        Verb::Triage | Verb::Retry { .. } | Verb::HandOff(_) => {
            let message =
                "`at_end` is stop, { pause: 60 days } or { switch_to: { cadence: nurture } }";
            reader.findings.error(Rule::C004, node.place(), message);
            None
        }
    }
}
