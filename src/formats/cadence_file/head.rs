//! Everything of a cadence above its steps.

use crate::domain::cadence::{
    Admission, Audience, By, Colleagues, Covers, DayKind, EnrollWhen, Limits, Others, Priority,
};
use crate::domain::ids::{ProfileId, RoleId};
use crate::domain::time::{DaySpan, Delay, Unit};
use crate::formats::language::{
    AUDIENCES, COMPANY, DAYS, DEFAULTS, ENROLL, ENROLL_WHEN, LIMITS, MAX_LIMIT,
};
use crate::formats::length;
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{
    Findings, Map, Place, count, delay, near, not_yet, shortened, slug, some_delay, text, texts,
    word,
};
use crate::formats::yaml::{At, Node};

use super::account::ForWhom;
use super::{Defaults, Reader, condition, verb};

/// Whom the cadence takes in.
pub(super) struct Enroll {
    pub audience: Option<Audience>,
    pub profiles: Option<Admission>,
    pub when: Option<EnrollWhen>,
    /// Where that is said.
    when_at: Place,
    pub again_after: Option<Delay>,
}

pub(super) fn enroll(map: &Map<'_>, reader: &mut Reader<'_>) -> Option<Enroll> {
    let node = map.need("enroll", &mut reader.findings)?;
    let map = Map::open(node, &ENROLL, &mut reader.findings)?;
    let audience = map.need("audience", &mut reader.findings);
    let audience =
        audience.and_then(|node| word(node, "`audience`", &AUDIENCES, &mut reader.findings));
    let profiles = map.need("profiles", &mut reader.findings);
    let profiles = profiles.and_then(|node| admission(node, reader));
    let when_at = map.get("when").map_or(node.place(), At::place);
    let when = when(&map, &mut reader.findings);
    let again_after = match map.get("again_after") {
        Some(node) => again_after(node, &mut reader.findings),
        None => Some(Delay::new(180, Unit::Days)),
    };
    Some(Enroll { audience, profiles, when, when_at, again_after })
}

/// What happens to one person does not say who of the company has which role (C900).
pub(super) fn check_when(enroll: Option<&Enroll>, unit: &Covers, reader: &mut Reader<'_>) {
    let Some(Enroll { when: Some(when), when_at, .. }) = enroll else { return };
    if matches!(unit, Covers::Company { .. }) && *when != EnrollWhen::Manual {
        not_yet("enroll.when with unit: company", *when_at, &mut reader.findings);
    }
}

fn when(map: &Map<'_>, findings: &mut Findings<'_>) -> Option<EnrollWhen> {
    let Some(node) = map.get("when") else { return Some(EnrollWhen::Manual) };
    match &node.value {
        Node::Map(_) => by_itself(node, findings),
        Node::Scalar(_) | Node::List(_) | Node::Nothing => {
            let written = text(node, "`when`", findings)?;
            if written.value == "manual" {
                return Some(EnrollWhen::Manual);
            }
            let wrong = shortened(&written.value);
            let message = format!("`when` is {WAYS_IN}, not `{wrong}`");
            match near(&wrong, ["manual"]) {
                Some(near) => {
                    let message = format!("{message}; did you mean `{near}`?");
                    findings.error(Rule::C004, node.place(), message);
                }
                None => findings.error(Rule::C004, node.place(), message),
            }
            None
        }
    }
}

const WAYS_IN: &str = "manual, { event: NAME } or { field: { NAME: VALUE } }";

/// `{ event: … }` or `{ field: … }`.
fn by_itself(node: &At<Node>, findings: &mut Findings<'_>) -> Option<EnrollWhen> {
    let map = Map::open(node, &ENROLL_WHEN, findings)?;
    match (map.get("event"), map.get("field")) {
        (Some(event), None) => condition::own_event(event, findings).map(EnrollWhen::Event),
        (None, Some(field)) => {
            let tests = condition::tests(field, findings);
            (!tests.is_empty()).then_some(EnrollWhen::Field(tests))
        }
        (Some(_), Some(_)) => {
            let message = "`when` waits for an event or for fields, not for both";
            findings.error(Rule::C004, node.place(), message);
            None
        }
        (None, None) => {
            if map.count(&["event", "field"]) == 0 && !map.is_meant(&["event", "field"]) {
                findings.error(Rule::C004, node.place(), format!("`when` is {WAYS_IN}"));
            }
            None
        }
    }
}

fn again_after(node: &At<Node>, findings: &mut Findings<'_>) -> Option<Delay> {
    let never = matches!(&node.value, Node::Scalar(scalar) if scalar.text.trim() == "never");
    if never { None } else { delay(node, "`again_after`", findings) }
}

fn admission(node: &At<Node>, reader: &mut Reader<'_>) -> Option<Admission> {
    let names = texts(node, "`profiles`", &mut reader.findings);
    if names.iter().any(|name| name.value == "any") {
        if names.len() > 1 {
            let message = "`any` lets everybody in, so it stands alone";
            reader.findings.error(Rule::C004, node.place(), message);
        }
        return Some(Admission::Anybody);
    }
    let applied = reader.known.applied;
    for name in
        names.iter().filter(|name| !applied && !reader.known.profiles.contains_key(&name.value))
    {
        let message = format!("there is no profile `{}`", shortened(&name.value));
        let known = reader.known.profiles.keys().map(String::as_str);
        reader.findings.unknown(Rule::C108, name.place(), &message, &name.value, known);
    }
    let ids: Vec<ProfileId> = names.into_iter().map(|name| ProfileId(name.value)).collect();
    (!ids.is_empty()).then_some(Admission::OneOf(ids))
}

pub(super) fn days(map: &Map<'_>, reader: &mut Reader<'_>) -> Option<DayKind> {
    word(map.get("days")?, "`days`", &DAYS, &mut reader.findings)
}

pub(super) fn calendar(map: &Map<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let known = reader.known.calendars.iter().flat_map(|known| known.keys());
    let known: Vec<String> = known.take(8).map(|name| format!("`calendar: {name}`")).collect();
    let hint = match known.is_empty() {
        true => "such as `calendar: standard`, a section of firsttouch.toml".to_owned(),
        false => format!("write {}", known.join(" or ")),
    };
    let node = map.need_as("calendar", &hint, &mut reader.findings)?;
    let name = text(node, "`calendar`", &mut reader.findings)?.value;
    if let Some(known) = &reader.known.calendars
        && !reader.known.applied
        && !known.contains_key(&name)
    {
        let message = format!("there is no calendar `{}` in the settings", shortened(&name));
        let known = known.keys().map(String::as_str);
        reader.findings.unknown(Rule::C107, node.place(), &message, &name, known);
    }
    Some(name)
}

pub(super) fn send_window(map: &Map<'_>, reader: &mut Reader<'_>) -> Option<Vec<DaySpan>> {
    let findings = &mut reader.findings;
    let Some(node) = map.get("send_window") else {
        return Some(vec![DaySpan::new(
            jiff::civil::time(8, 0, 0, 0),
            jiff::civil::time(17, 0, 0, 0),
        )?]);
    };
    let written = texts(node, "`send_window`", findings);
    let mut spans = Vec::new();
    for span in &written {
        match length::day_span(&shortened(&span.value)) {
            Ok(span) => spans.push(span),
            Err(error) => findings.error(Rule::C106, span.place(), error.to_string()),
        }
    }
    if spans.is_empty() || spans.len() < written.len() {
        return None;
    }
    let windows = length::windows(spans);
    windows.map_err(|error| findings.error(Rule::C106, node.place(), error.to_string())).ok()
}

pub(super) fn limits(map: &Map<'_>, reader: &mut Reader<'_>) -> Limits {
    let findings = &mut reader.findings;
    let map = map.get("limits").and_then(|node| Map::open(node, &LIMITS, findings));
    let Some(map) = map else { return Limits::default() };
    if let (ForWhom::Account(_), Some(node)) = (&reader.for_whom, map.get("per_company_at_once")) {
        let message = "`per_company_at_once` has no meaning with `unit: company`";
        let hint =
            "a company has one enrollment here, and one thing happens at a time: take it out";
        findings.warning(Rule::C118, node.place(), message, hint);
    }
    let mut limit = |key: &'static str| {
        map.get(key).and_then(|node| count(node, &format!("`{key}`"), MAX_LIMIT, findings))
    };
    Limits {
        new_per_rep_per_day: limit("new_per_rep_per_day"),
        active_per_rep: limit("active_per_rep"),
        per_company_at_once: limit("per_company_at_once"),
        touches_per_prospect_per_day: limit("touches_per_prospect_per_day"),
        touches_per_company_per_week: limit("touches_per_company_per_week"),
    }
}

/// What a reply or a meeting does to the others of a company.
pub(super) fn company(map: &Map<'_>, usual: Colleagues, reader: &mut Reader<'_>) -> Colleagues {
    let findings = &mut reader.findings;
    let map = map.get("company").and_then(|node| Map::open(node, &COMPANY, findings));
    let Some(map) = map else { return usual };
    let mut others = |key: &'static str| {
        map.get(key).and_then(|node| word(node, &format!("`{key}`"), &Others::ALL, findings))
    };
    let company = Colleagues {
        on_reply: others("on_reply").unwrap_or(usual.on_reply),
        on_meeting: others("on_meeting").unwrap_or(usual.on_meeting),
    };
    if let (ForWhom::Account(_), Others::Nothing, Some(node)) =
        (&reader.for_whom, company.on_reply, map.get("on_reply"))
    {
        let message = "with `unit: company` the others always wait while somebody has answered";
        let hint = "write `on_reply: pause_others` or `stop_others`, or leave it out";
        findings.error_with_hint(Rule::C118, node.place(), message, hint);
    }
    company
}

pub(super) fn defaults(map: &Map<'_>, reader: &mut Reader<'_>) -> Defaults {
    let built_in = Defaults::default();
    let node = map.get("defaults");
    let map = node.and_then(|node| Map::open(node, &DEFAULTS, &mut reader.findings));
    let Some(map) = map else { return built_in };
    let by = by(&map, reader).unwrap_or(built_in.by);
    let findings = &mut reader.findings;
    Defaults {
        by,
        expires_after: expires_after(&map, findings).unwrap_or(built_in.expires_after),
        priority: priority(&map, findings).unwrap_or(built_in.priority),
    }
}

/// Who does it: `owner`, or a role.
pub(super) fn by(map: &Map<'_>, reader: &mut Reader<'_>) -> Option<By> {
    let by = slug(map.get("by")?, "the role", &mut reader.findings)?;
    if by.value == "owner" {
        return Some(By::Owner);
    }
    verb::check_role(&by, reader);
    Some(By::Role(RoleId(by.value)))
}

pub(super) fn expires_after(map: &Map<'_>, findings: &mut Findings<'_>) -> Option<Delay> {
    some_delay(map.get("expires_after")?, "`expires_after`", findings)
}

pub(super) fn priority(map: &Map<'_>, findings: &mut Findings<'_>) -> Option<Priority> {
    word(map.get("priority")?, "`priority`", &Priority::ALL, findings)
}
