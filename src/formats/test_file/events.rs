//! `events`: what the person and their mail system do.

use jiff::civil::{DateTime, Time, time};

use crate::domain::cadence::Outcome;
use crate::domain::test_case::{Happening, Incoming, Letter, Moment, Person, ReadAs, meanings};
use crate::domain::time::{Delay, Unit};
use crate::formats::language::{EVENT, MAX_DAY, MAX_EVENTS, REPLY};
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{Map, count, delay, items, text, word};
use crate::formats::yaml::{At, Node};

use super::{Reader, at_most, moment, role, step};

/// The time of an event that names only a day.
const NOON: Time = time(12, 0, 0, 0);
/// How long behind a step, when nothing is said.
const SOON: Delay = Delay::new(1, Unit::Hours);
const WHEN: [&str; 3] = ["day", "on", "once"];
const WHAT: [&str; 4] = ["reply", "out_of_office", "bounce", "opt_out"];

/// What happens, in the order of the file.
pub(super) fn events(
    map: &Map<'_>,
    (enrolled_at, person): (DateTime, &Person),
    reader: &mut Reader<'_>,
) -> Vec<Happening> {
    let Some(node) = map.get("events") else { return Vec::new() };
    let all = items(node, "`events`", &mut reader.findings).unwrap_or(&[]);
    at_most(all, MAX_EVENTS, "events in one test", reader);
    if let Some(first) = all.first().filter(|_| person.without.contains("email")) {
        let message = "without an e-mail address nobody can write to us";
        reader.findings.error(Rule::C709, first.place(), message);
    }
    let mut events = Vec::new();
    for node in all.iter().take(MAX_EVENTS) {
        let Some(event) = event(node, reader) else { continue };
        if let Moment::On(date, time) = event.moment
            && date.to_datetime(time) < enrolled_at
        {
            let message = "this happens before the person is enrolled";
            reader.findings.error(Rule::C709, node.place(), message);
        }
        events.push(event);
    }
    events
}

fn event(node: &At<Node>, reader: &mut Reader<'_>) -> Option<Happening> {
    let map = Map::open(node, &EVENT, &mut reader.findings)?;
    let whole = exactly_one(&map, &WHEN, "when it happens", reader)
        & exactly_one(&map, &WHAT, "what happens", reader);
    let moment = moment_of(&map, reader);
    let what = what(&map, reader);
    whole.then_some(())?;
    let from = map.get("from").map(|node| role(node, "`from`", reader));
    let from = match from {
        Some(role) => Some(role?),
        None => None,
    };
    Some(Happening { moment: moment?, what: what?, from, line: node.line })
}

/// Notes a map that has none of the keys, or several (C003, C004).
pub(super) fn exactly_one(
    map: &Map<'_>,
    keys: &[&str],
    what: &str,
    reader: &mut Reader<'_>,
) -> bool {
    let found = map.count(keys);
    let names = keys.join("`, `");
    match found {
        1 => return true,
        0 if map.is_meant(keys) => return false,
        0 => {
            let message = format!("nothing says {what}: write one of `{names}`");
            reader.findings.error(Rule::C003, map.place(), message);
        }
        _ => {
            let message = format!("only one of `{names}` can say {what}");
            reader.findings.error(Rule::C004, map.place(), message);
        }
    }
    false
}

fn moment_of(map: &Map<'_>, reader: &mut Reader<'_>) -> Option<Moment> {
    let at = map.get("at").map(|node| moment::time(node, "`at`", &mut reader.findings));
    let after = map.get("after").map(|node| delay(node, "`after`", &mut reader.findings));
    if let Some(node) = map.get("once") {
        if at.is_some() {
            let message = "`at` goes with `day` and `on`; behind a step it is `after`";
            reader.findings.error(Rule::C004, map.place(), message);
        }
        let step = step(node, "`once`", reader)?;
        return Some(Moment::Behind(step, after.unwrap_or(Some(SOON))?));
    }
    if after.is_some() {
        let message = "`after` goes with `once`; on a day it is `at`";
        reader.findings.error(Rule::C004, map.place(), message);
    }
    let at = at.unwrap_or(Some(NOON))?;
    if let Some(node) = map.get("day") {
        return Some(Moment::Day(count(node, "`day`", MAX_DAY, &mut reader.findings)?, at));
    }
    Some(Moment::On(moment::date(map.get("on")?, "`on`", &mut reader.findings)?, at))
}

fn what(map: &Map<'_>, reader: &mut Reader<'_>) -> Option<Incoming> {
    if let Some(node) = map.get("reply") {
        return letter(node, reader).map(Incoming::Reply);
    }
    let findings = &mut reader.findings;
    if let Some(node) = map.get("out_of_office") {
        let says_nothing = matches!(&node.value, Node::Scalar(s) if s.text == "no_date");
        let until = match says_nothing {
            true => None,
            false => Some(moment::date(node, "`out_of_office`", findings)?),
        };
        return Some(Incoming::OutOfOffice(until));
    }
    if let Some(node) = map.get("bounce") {
        let hard = word(node, "`bounce`", &[("hard", true), ("soft", false)], findings)?;
        return Some(Incoming::Bounce { hard });
    }
    let ways = [("by_mail", Incoming::OptOut), ("spam_report", Incoming::SpamReport)];
    word(map.get("opt_out")?, "`opt_out`", &ways, findings)
}

fn letter(node: &At<Node>, reader: &mut Reader<'_>) -> Option<Letter> {
    if !matches!(node.value, Node::Map(_)) {
        let means = Some(meaning(node, reader)?);
        return Some(Letter { text: None, means, read_as: None });
    }
    let map = Map::open(node, &REPLY, &mut reader.findings)?;
    let said = map.get("text").map(|n| text(n, "`text`", &mut reader.findings));
    let means = map.get("means").map(|n| meaning(n, reader));
    let read_as = map.get("read_as");
    let read_as = read_as.map(|n| word(n, "`read_as`", &ReadAs::ALL, &mut reader.findings));
    let text = match said {
        Some(said) => Some(said?.value),
        None => None,
    };
    Some(Letter { text, means: means.flatten(), read_as: read_as.flatten() })
}

fn meaning(node: &At<Node>, reader: &mut Reader<'_>) -> Option<Outcome> {
    let known: Vec<String> = meanings().into_iter().map(str::to_owned).collect();
    let said = super::answers::outcome(node, Some(&known), reader)?;
    Some(Outcome(said))
}
