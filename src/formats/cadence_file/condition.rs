//! `only_if`, `skip_if` and a profile's `if`: conditions as data, no expressions.

use crate::domain::cadence::{Condition, EVENTS, Outcome, Test};
use crate::domain::facts::{DATES, DEAL, FIELDS};
use crate::domain::ids::StepId;
use crate::formats::language::{CONDITION, PERSON_CONDITION};
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{
    Findings, Map, Place, entries, is_slug, items, near, shortened, slug, text, texts,
};
use crate::formats::yaml::{At, Entry, Node};

/// What a condition may speak of.
#[derive(Clone, Copy)]
pub enum Scope<'a> {
    /// The person, and what came of the steps above.
    Step(&'a StepsAbove),
    /// The person only.
    Person,
}

/// The steps whose outcomes a condition may look at.
#[derive(Default)]
pub struct StepsAbove {
    /// The id and the outcomes of each step above; `None` when that step could not be read.
    pub above: Vec<(String, Option<Vec<String>>)>,
    /// The id of every step of the file.
    pub all: Vec<String>,
}

/// The lines of a condition, all of which must hold.
pub fn conditions(
    node: &At<Node>,
    what: &str,
    scope: Scope<'_>,
    findings: &mut Findings<'_>,
) -> Vec<Condition> {
    let keys = match scope {
        Scope::Step(_) => &CONDITION,
        Scope::Person => &PERSON_CONDITION,
    };
    if let (Some((step, outcome)), Scope::Step(steps)) = (two_words(node), scope)
        && steps.all.iter().any(|known| known == step)
    {
        let message = format!("{what} is a map of keys and values, not a single word or text");
        let hint = format!("write {{ outcome: {{ {step}: [{outcome}] }} }}");
        findings.error_with_hint(Rule::C004, node.place(), message, hint);
        return Vec::new();
    }
    let Some(map) = Map::open(node, keys, findings) else { return Vec::new() };
    if map.is_empty() {
        findings.error(Rule::C004, node.place(), format!("{what} says nothing"));
    }
    let mut lines = Vec::new();
    if let Some(node) = map.get("has") {
        lines.push(Condition::Has(fields(node, "`has`", findings)));
    }
    if let Some(node) = map.get("has_not") {
        lines.push(Condition::HasNot(fields(node, "`has_not`", findings)));
    }
    if let (Some(node), Scope::Step(steps)) = (map.get("outcome"), scope) {
        lines.push(Condition::Outcome(outcomes(node, steps, findings)));
    }
    if let Some(node) = map.get("field") {
        lines.push(Condition::Field(tests(node, findings)));
    }
    if let (Some(node), Scope::Step(_)) = (map.get("event"), scope) {
        lines.push(Condition::Event(events(node, findings)));
    }
    if let Some(node) = map.get("any") {
        lines.push(Condition::Any(groups(node, scope, findings)));
    }
    lines
}

/// A step and an outcome in one text, as people say it: `call-1 left_voicemail`.
fn two_words(node: &At<Node>) -> Option<(&str, &str)> {
    let Node::Scalar(scalar) = &node.value else { return None };
    let (step, outcome) = scalar.text.trim().split_once([' ', ':'])?;
    let outcome = outcome.trim();
    is_slug(outcome).then_some((step, outcome))
}

fn groups(node: &At<Node>, scope: Scope<'_>, findings: &mut Findings<'_>) -> Vec<Vec<Condition>> {
    let groups = items(node, "`any`", findings).unwrap_or(&[]);
    if groups.is_empty() {
        findings.error(Rule::C004, node.place(), "`any` needs at least one line");
    }
    groups.iter().map(|group| conditions(group, "a line of `any`", scope, findings)).collect()
}

/// The names of events: those that are noted on an enrollment, and a team's own (C204).
fn events(node: &At<Node>, findings: &mut Findings<'_>) -> Vec<String> {
    let names = texts(node, "`event`", findings);
    for name in names.iter().filter(|name| !EVENTS.contains(&name.value.as_str())) {
        let is_near = near(&name.value, EVENTS).is_some();
        if is_near || !is_slug(&name.value) {
            let message = format!("there is no event `{}`", shortened(&name.value));
            findings.unknown(Rule::C204, name.place(), &message, &name.value, EVENTS);
        }
    }
    names.into_iter().map(|name| name.value).collect()
}

/// The name of an event that somebody tells.
pub(super) fn own_event(node: &At<Node>, findings: &mut Findings<'_>) -> Option<String> {
    let name = slug(node, "the event", findings)?;
    if !EVENTS.contains(&name.value.as_str()) {
        return Some(name.value);
    }
    let message = format!("`{}` happens inside a cadence, so nobody comes in by it", name.value);
    let hint = "name an event of your own, such as form_submitted; `firsttouch event` tells it";
    findings.error_with_hint(Rule::C204, name.place(), message, hint);
    None
}

/// The names of fields, each of which is known.
pub fn fields(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Vec<String> {
    let names = texts(node, what, findings);
    for name in &names {
        check_field(&name.value, name.place(), findings);
    }
    names.into_iter().map(|name| name.value).collect()
}

/// Notes a field that there is not (C203). A bare name may be a column of the list.
pub fn check_field(name: &str, place: Place, findings: &mut Findings<'_>) {
    if FIELDS.contains(&name)
        || DATES.contains(&name)
        || name.strip_prefix("x.").or_else(|| name.strip_prefix(DEAL)).is_some_and(is_slug)
    {
        return;
    }
    let message = format!("there is no field `{}`", shortened(name));
    let near = near(name, FIELDS.iter().chain(DATES).copied());
    if near.is_none() && is_slug(name) {
        let message = format!("`{name}` is read from the column of that name in the list");
        return findings.warning(Rule::C203, place, message, format!("write `x.{name}` to say so"));
    }
    match near {
        Some(near) => {
            findings.error(Rule::C203, place, format!("{message}; did you mean `{near}`?"))
        }
        None => {
            let hint =
                format!("the fields are: {}, x.<column> and deal.<column>", FIELDS.join(", "));
            findings.error_with_hint(Rule::C203, place, message, hint);
        }
    }
}

fn outcomes(
    node: &At<Node>,
    steps: &StepsAbove,
    findings: &mut Findings<'_>,
) -> Vec<(StepId, Vec<Outcome>)> {
    let lines = entries(node, "`outcome`", findings).unwrap_or(&[]);
    lines.iter().map(|line| outcome_line(line, steps, findings)).collect()
}

fn outcome_line(
    line: &Entry,
    steps: &StepsAbove,
    findings: &mut Findings<'_>,
) -> (StepId, Vec<Outcome>) {
    let step = &line.key.value;
    let wanted = texts(&line.value, &format!("the outcomes of `{}`", shortened(step)), findings);
    match steps.above.iter().find(|(id, _)| id == step) {
        Some((_, Some(known))) => {
            for outcome in wanted.iter().filter(|outcome| !known.contains(&outcome.value)) {
                unknown_outcome(outcome, step, known, findings);
            }
        }
        // That step's own error is told; its outcomes cannot be.
        Some((_, None)) => {}
        None => unknown_step(&line.key, steps, findings),
    }
    let wanted = wanted.into_iter().map(|outcome| Outcome(outcome.value)).collect();
    (StepId(step.clone()), wanted)
}

/// Notes an outcome that a step of this kind cannot have (C202).
pub(super) fn unknown_outcome(
    outcome: &At<String>,
    step: &str,
    known: &[String],
    findings: &mut Findings<'_>,
) {
    let wrong = &outcome.value;
    let message = format!("step `{step}` cannot have the outcome `{}`", shortened(wrong));
    match near(wrong, known.iter().map(String::as_str)) {
        Some(near) => {
            let message = format!("{message}; did you mean `{near}`?");
            findings.error(Rule::C202, outcome.place(), message);
        }
        None => {
            let hint = format!("its outcomes are: {}", known.join(", "));
            findings.error_with_hint(Rule::C202, outcome.place(), message, hint);
        }
    }
}

fn unknown_step(step: &At<String>, steps: &StepsAbove, findings: &mut Findings<'_>) {
    let id = shortened(&step.value);
    if steps.all.contains(&step.value) {
        let message = format!("step `{id}` is not above this one; a condition can only look back");
        return findings.error(Rule::C201, step.place(), message);
    }
    let above = steps.above.iter().map(|(id, _)| id.as_str());
    let message = format!("there is no step `{id}`");
    findings.unknown(Rule::C201, step.place(), &message, &step.value, above);
}

pub(super) fn tests(node: &At<Node>, findings: &mut Findings<'_>) -> Vec<(String, Test)> {
    let lines = entries(node, "`field`", findings).unwrap_or(&[]);
    if matches!(&node.value, Node::Map(lines) if lines.is_empty()) {
        findings.error(Rule::C004, node.place(), "`field` needs at least one line");
    }
    lines.iter().filter_map(|line| test_line(line, findings)).collect()
}

fn test_line(line: &Entry, findings: &mut Findings<'_>) -> Option<(String, Test)> {
    let field = &line.key.value;
    check_field(field, line.key.place(), findings);
    let written = text(&line.value, &format!("the test of `{}`", shortened(field)), findings)?;
    let test = test(&written.value);
    if test.is_none() {
        let message = format!("`{}` is not a test", shortened(&written.value));
        let hint = "write a value, or \">= 80\", \"<= 80\", \"> 80\", \"< 80\" with a number";
        findings.error_with_hint(Rule::C004, written.place(), message, hint);
    }
    Some((field.clone(), test?))
}

/// Each sign with the comparison that it stands for; the longer ones first.
const COMPARISONS: [Comparison; 4] =
    [(">=", Test::AtLeast), ("<=", Test::AtMost), (">", Test::MoreThan), ("<", Test::LessThan)];

type Comparison = (&'static str, fn(f64) -> Test);

/// `>= 80`, or a value to be equal to.
fn test(written: &str) -> Option<Test> {
    for (sign, test) in COMPARISONS {
        if let Some(bound) = written.strip_prefix(sign) {
            let bound = bound.trim().parse::<f64>().ok().filter(|bound| bound.is_finite());
            return bound.map(test);
        }
    }
    let is_other_sign = written.starts_with(['=', '!']);
    (!is_other_sign).then(|| Test::Is(written.to_owned()))
}
