//! One step: exactly one *when*, exactly one *what*, and its conditions.

use crate::formats::language::{MAX_DAY, MAX_STEPS, STEP};
use crate::formats::rules::Rule;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::cadence::{
    By, Channel, Condition, EXPIRED, MailMode, Outcome, SKIPPED, Step, StepHours, Verb, What, When,
};
use crate::domain::ids::{BuyerRole, StepId};
use crate::domain::time::Delay;
use crate::formats::yaml::reading::{
    Findings, Map, Place, count, delay, entries, items, slug, some_delay, word,
};
use crate::formats::yaml::{At, Entry, Node};

use super::condition::{Scope, StepsAbove, conditions, unknown_outcome};
use super::touch::Above;
use super::{Reader, account, anchor, head, touch, verb};

/// What the steps so far mean for the next one.
#[derive(Default)]
struct SoFar {
    /// Each with the place of its id.
    steps: Vec<(Step, Place)>,
    names: StepsAbove,
    last_day: Option<u32>,
    threads: Threads,
    told_that_days_is_missing: bool,
}

/// With whom a mail above has begun a conversation.
#[derive(Default)]
struct Threads {
    with_anybody: bool,
    with: BTreeSet<BuyerRole>,
}

impl Threads {
    /// What a mail for these roles can answer.
    fn above(&self, to: &[BuyerRole]) -> Above {
        match to.iter().find(|role| !self.with.contains(*role)) {
            _ if !self.with_anybody => Above::Nothing,
            Some(role) => Above::NothingFor(role.clone()),
            None => Above::Thread,
        }
    }
}

/// Reads all steps from the top to the bottom, each with the place of its id.
pub(super) fn steps(map: &Map<'_>, reader: &mut Reader<'_>) -> Vec<(Step, Place)> {
    let node = map.need("steps", &mut reader.findings);
    let Some(node) = node else { return Vec::new() };
    let nodes = items(node, "`steps`", &mut reader.findings).unwrap_or(&[]);
    if matches!(&node.value, Node::List(steps) if steps.is_empty()) {
        reader.findings.error(Rule::C003, node.place(), "a cadence needs at least one step");
    }
    if nodes.len() > MAX_STEPS {
        let message = format!("a cadence has at most {MAX_STEPS} steps, not {}", nodes.len());
        reader.findings.error(Rule::C004, node.place(), message);
    }
    let mut so_far = SoFar::default();
    so_far.names.all = nodes.iter().take(MAX_STEPS).filter_map(id_of).collect();
    for node in nodes.iter().take(MAX_STEPS) {
        read_step(node, &mut so_far, reader);
    }
    so_far.steps
}

/// The id of a step, before anything is judged.
fn id_of(node: &At<Node>) -> Option<String> {
    let Node::Map(entries) = &node.value else { return None };
    let id = entries.iter().find(|entry| entry.key.value == "id")?;
    let Node::Scalar(scalar) = &id.value.value else { return None };
    Some(scalar.text.clone())
}

fn read_step(node: &At<Node>, so_far: &mut SoFar, reader: &mut Reader<'_>) {
    let Some(map) = Map::open(node, &STEP, &mut reader.findings) else { return };
    let id = map.need("id", &mut reader.findings);
    let id = id.and_then(|node| slug(node, "the step id", &mut reader.findings));
    // A step without a readable id is still read, so that all its errors are told.
    let (line, column) = map.place();
    let id = id.unwrap_or(At { value: "?".to_owned(), line, column });
    check_id(&id, so_far, &mut reader.findings);
    let when = when(&map, &id, so_far, reader);
    let to = account::to(&map, reader);
    let what = what(&map, &id, &to, so_far, reader);
    if let Some(what) = &what {
        account::check_to(&map, &id, what, reader);
    }
    let step = rest(&map, &id, when, what.as_ref(), so_far, reader).map(|step| Step { to, ..step });
    let recordable = what.as_ref().map(|what| recordable(what, reader));
    so_far.names.above.push((id.value.clone(), recordable));
    let Some(step) = step else { return };
    so_far.steps.push((step, id.place()));
}

fn check_id(id: &At<String>, so_far: &SoFar, findings: &mut Findings<'_>) {
    if so_far.names.above.iter().any(|(above, _)| *above == id.value && above != "?") {
        let message = format!("there are two steps `{}`", id.value);
        findings.error(Rule::C101, id.place(), message);
    }
}

/// Everything but the *when* and the *what*.
fn rest(
    map: &Map<'_>,
    id: &At<String>,
    when: Option<When>,
    what: Option<&What>,
    so_far: &SoFar,
    reader: &mut Reader<'_>,
) -> Option<Step> {
    let by = by(map, what, reader);
    let findings = &mut reader.findings;
    let mut condition = |key: &str| -> Vec<Condition> {
        let Some(node) = map.get(key) else { return Vec::new() };
        conditions(node, &format!("`{key}`"), Scope::Step(&so_far.names), findings)
    };
    let (only_if, skip_if) = (condition("only_if"), condition("skip_if"));
    let expires_after = head::expires_after(map, findings);
    let priority = head::priority(map, findings);
    let outcomes = map.get("outcomes").map(|node| outcomes(node, &id.value, what, reader));
    let hours = hours(map, what, &mut reader.findings);
    let within = within(map, what, &mut reader.findings);
    Some(Step {
        id: StepId(id.value.clone()),
        when: when?,
        what: what?.clone(),
        by,
        to: Vec::new(),
        only_if,
        skip_if,
        expires_after: expires_after.unwrap_or(reader.defaults.expires_after),
        priority: priority.unwrap_or(reader.defaults.priority),
        hours,
        within,
        outcomes: outcomes.unwrap_or_default(),
    })
}

/// Whose task the step is; what lies in nobody's queue is nobody's.
fn by(map: &Map<'_>, what: Option<&What>, reader: &mut Reader<'_>) -> By {
    let own = map.get("by").map(|node| (node.place(), head::by(map, reader)));
    match (what, own) {
        (Some(what), Some((place, Some(By::Role(_))))) if !what.is_a_task() => {
            let message = match what {
                What::HandOff(_) => "`by` is not for a hand-off: `to` says who gets the person",
                _ => "`by` is for what a person does; this mail is sent by itself",
            };
            reader.findings.error(Rule::C305, place, message);
            By::Owner
        }
        (Some(what), None) if !what.is_a_task() => By::Owner,
        (_, Some((_, Some(by)))) => by,
        (_, Some((_, None)) | None) => reader.defaults.by.clone(),
    }
}

/// `hours`; only a mail can leave at any hour, for everything else is done by people.
fn hours(map: &Map<'_>, what: Option<&What>, findings: &mut Findings<'_>) -> StepHours {
    let Some(node) = map.get("hours") else { return StepHours::Calendar };
    let hours = word(node, "`hours`", &StepHours::ALL, findings).unwrap_or(StepHours::Calendar);
    let is_mail = what.is_none_or(|what| what.channel() == Channel::Email);
    if hours == StepHours::Any && !is_mail {
        let message = "`hours: any` is for mail: what people do keeps to working hours";
        findings.error(Rule::C305, node.place(), message);
    }
    hours
}

/// `within`, for what a person does.
fn within(map: &Map<'_>, what: Option<&What>, findings: &mut Findings<'_>) -> Option<Delay> {
    let node = map.get("within")?;
    let within = some_delay(node, "`within`", findings);
    match what {
        Some(What::Email { mode: MailMode::Auto, .. }) => {
            let message = "`within` is for what a person does; a mail leaves as soon as it may";
            findings.error(Rule::C305, node.place(), message);
        }
        Some(What::HandOff(_)) => {
            let message = "`within` is not for a hand-off: write `accept_within` inside it";
            findings.error(Rule::C305, node.place(), message);
        }
        Some(_) | None => {}
    }
    within
}

/// Notes that a step has none or several of a set of keys, of which it needs one.
fn exactly_one(
    map: &Map<'_>,
    id: &At<String>,
    code: Rule,
    keys: &[&str],
    findings: &mut Findings<'_>,
) -> bool {
    let found = map.count(keys);
    if found == 1 {
        return true;
    }
    if found == 0 && map.is_meant(keys) {
        return false;
    }
    let runs = STEP.known().filter(|key| keys.contains(key));
    let runs = runs.collect::<Vec<_>>().join(", ");
    let found = if found == 0 { "none".to_owned() } else { found.to_string() };
    let message = format!("step `{}` needs exactly one of {runs} (it has {found})", id.value);
    findings.error(code, id.place(), message);
    false
}

fn when(
    map: &Map<'_>,
    id: &At<String>,
    so_far: &mut SoFar,
    reader: &mut Reader<'_>,
) -> Option<When> {
    if !exactly_one(map, id, Rule::C102, &["day", "after", "at"], &mut reader.findings) {
        return None;
    }
    if let Some(node) = map.get("after") {
        return delay(node, "`after`", &mut reader.findings).map(When::After);
    }
    if let Some(node) = map.get("at") {
        return anchor::anchor(node, &mut reader.findings).map(When::At);
    }
    let node = map.get("day")?;
    let day = count(node, "`day`", MAX_DAY, &mut reader.findings)?;
    if reader.days.is_none() && !so_far.told_that_days_is_missing {
        so_far.told_that_days_is_missing = true;
        let message = format!("`day: {day}` of what?");
        let hint = "write `days: business` or `days: calendar` at the top of the file";
        reader.findings.error_with_hint(Rule::C104, node.place(), message, hint);
    }
    if let Some(last) = so_far.last_day.filter(|last| day < *last) {
        let id_text = &id.value;
        let message =
            format!("step `{id_text}` is on day {day}, before the step above it (day {last})");
        reader.findings.error(Rule::C105, id.place(), message);
    }
    so_far.last_day = Some(day);
    Some(When::Day(day))
}

fn what(
    map: &Map<'_>,
    id: &At<String>,
    to: &[BuyerRole],
    so_far: &mut SoFar,
    reader: &mut Reader<'_>,
) -> Option<What> {
    let kinds = ["email", "call", "social", "task", "hand_off"];
    if !exactly_one(map, id, Rule::C103, &kinds, &mut reader.findings) {
        return None;
    }
    if let Some(node) = map.get("email") {
        let email = touch::email(node, &so_far.threads.above(to), reader);
        if email.begins_thread {
            so_far.threads.with_anybody = true;
            so_far.threads.with.extend(to.iter().cloned());
        }
        return email.what;
    }
    if let Some(node) = map.get("call") {
        return touch::call(node, reader);
    }
    if let Some(node) = map.get("social") {
        return touch::social(node, reader);
    }
    if let Some(node) = map.get("hand_off") {
        return verb::hand_off(node, reader).map(What::HandOff);
    }
    touch::task(map.get("task")?, reader)
}

/// Every outcome that a step of this kind can end with.
fn recordable(what: &What, reader: &Reader<'_>) -> Vec<String> {
    let mut all = decidable(what, reader);
    all.push(SKIPPED.to_owned());
    all
}

/// The outcomes whose consequence a file may change. What was skipped always continues.
fn decidable(what: &What, reader: &Reader<'_>) -> Vec<String> {
    let mut all: Vec<String> = what.outcomes().iter().map(|(slug, _)| (*slug).to_owned()).collect();
    if what.takes_own_outcomes() {
        all.extend(reader.custom_outcomes.keys().map(|outcome| outcome.0.clone()));
        all.push(EXPIRED.to_owned());
    } else if what.is_reviewed() {
        all.push(EXPIRED.to_owned());
    }
    all
}

fn outcomes(
    node: &At<Node>,
    step: &str,
    what: Option<&What>,
    reader: &mut Reader<'_>,
) -> BTreeMap<Outcome, Verb> {
    let lines = entries(node, "`outcomes`", &mut reader.findings).unwrap_or(&[]);
    let lines = lines.iter().filter_map(|line| outcome(line, step, what, reader));
    lines.collect()
}

fn outcome(
    line: &Entry,
    step: &str,
    what: Option<&What>,
    reader: &mut Reader<'_>,
) -> Option<(Outcome, Verb)> {
    let slug = &line.key.value;
    let verb = verb::verb(&line.value, "what an outcome leads to", reader);
    let what = what?;
    let known = decidable(what, reader);
    let findings = &mut reader.findings;
    if !known.contains(slug) {
        unknown_outcome(&line.key, step, &known, findings);
    }
    if what.channel() == Channel::Email && matches!(verb, Some(Verb::Retry { .. })) {
        let message = "an email is never sent a second time, so it cannot be retried";
        findings.error(Rule::C303, line.value.place(), message);
    }
    Some((Outcome(slug.clone()), verb?))
}
