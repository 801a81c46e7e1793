//! `test/v1`: tests of a cadence from their file, with everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime};

use crate::domain::cadence::Cadence;
use crate::domain::ids::{BuyerRole, CadenceId, StepId};
use crate::domain::prospect::Relationship;
use crate::domain::test_case::{Answer, Extent, Line, Person, Standing, TestCase, TestFile};
use crate::formats::rules::Rule;

use super::diagnostic::Diagnostic;
use super::language::{MAX_EVENTS, MAX_LINES, MAX_TESTS, RELATIONSHIPS, TEST, TEST_CASE};
use super::yaml::reading::{Findings, Map, items, shortened, text, word};
use super::yaml::{At, Node, parse as parse_yaml};

mod answers;
mod events;
mod lines;
mod moment;
pub mod person;
#[cfg(test)]
mod tests;

/// Whether a file of the workspace holds tests.
pub fn is_test(path: &str) -> bool {
    path.starts_with("cadences/") && path.contains("/tests/")
}

/// The cadences of the workspace.
#[derive(Debug, Clone, Default)]
pub struct Known<'a> {
    /// The ids of all, also of those that cannot be read.
    pub ids: BTreeSet<String>,
    pub cadences: BTreeMap<&'a str, &'a Cadence>,
}

/// What is known while a file is being read.
struct Reader<'a> {
    findings: Findings<'a>,
    /// `None` when it is not there or cannot be read: then nothing is held against it.
    cadence: Option<&'a Cadence>,
    known: &'a Known<'a>,
}

/// What holds for every test of a file.
#[derive(Default)]
struct Common {
    enrolled_at: Option<DateTime>,
    /// There is one, but it cannot be read.
    enrolled_is_meant: bool,
    person: Person,
    holidays: BTreeSet<Date>,
    answers: BTreeMap<StepId, Vec<Answer>>,
}

/// Reads a file with tests. With it come the warnings.
///
/// # Errors
/// Everything that is wrong with the file, warnings included, in the order of the file.
pub fn parse(
    path: &str,
    text: &str,
    known: &Known<'_>,
) -> Result<(TestFile, Vec<Diagnostic>), Vec<Diagnostic>> {
    let root = parse_yaml(path, text).map_err(|not_yaml| vec![not_yaml])?;
    let mut reader = Reader { findings: Findings::new(path), cadence: None, known };
    let file = file(&root, &mut reader);
    reader.findings.conclude(file)
}

fn file(root: &At<Node>, reader: &mut Reader<'_>) -> Option<TestFile> {
    let map = Map::open(root, &TEST, &mut reader.findings)?;
    map.check_format("test/v1", &mut reader.findings);
    let cadence = cadence(&map, reader);
    let common = Common {
        enrolled_at: enrolled_at(&map, reader),
        enrolled_is_meant: map.has("enrolled") || map.is_meant(&["enrolled"]),
        person: person(&map, &Person::default(), reader),
        holidays: holidays(&map, reader),
        answers: answers::answers(&map, reader),
    };
    let tests = map.need("tests", &mut reader.findings);
    let tests = tests.map(|node| tests_of(node, &common, reader));
    Some(TestFile { path: reader.findings.path().to_owned(), cadence: cadence?, tests: tests? })
}

fn cadence(map: &Map<'_>, reader: &mut Reader<'_>) -> Option<CadenceId> {
    let node = map.need("cadence", &mut reader.findings)?;
    let id = text(node, "`cadence`", &mut reader.findings)?;
    reader.cadence = reader.known.cadences.get(id.value.as_str()).copied();
    if !reader.known.ids.contains(&id.value) {
        let message = format!("there is no cadence `{}`", shortened(&id.value));
        let known = reader.known.ids.iter().map(String::as_str);
        reader.findings.unknown(Rule::C701, node.place(), &message, &id.value, known);
    }
    Some(CadenceId(id.value))
}

fn tests_of(node: &At<Node>, common: &Common, reader: &mut Reader<'_>) -> Vec<TestCase> {
    let all = items(node, "`tests`", &mut reader.findings).unwrap_or(&[]);
    if matches!(&node.value, Node::List(all) if all.is_empty()) {
        reader.findings.error(Rule::C004, node.place(), "`tests` is empty");
    }
    at_most(all, MAX_TESTS, "tests in one file", reader);
    let mut tests: Vec<TestCase> = Vec::new();
    for node in all.iter().take(MAX_TESTS) {
        let Some(test) = test(node, common, reader) else { continue };
        if let Some(twin) = tests.iter().find(|other| other.name == test.name) {
            let message = format!("line {} has a test `{}` already", twin.line, test.name);
            reader.findings.error(Rule::C708, node.place(), message);
        }
        tests.push(test);
    }
    tests
}

fn at_most(all: &[At<Node>], most: usize, what: &str, reader: &mut Reader<'_>) {
    if let Some(first) = all.get(most) {
        let message = format!("there are {} {what}, more than {most}", all.len());
        reader.findings.error(Rule::C004, first.place(), message);
    }
}

fn test(node: &At<Node>, common: &Common, reader: &mut Reader<'_>) -> Option<TestCase> {
    let map = Map::open(node, &TEST_CASE, &mut reader.findings)?;
    let name = map.need("name", &mut reader.findings);
    let name = name.and_then(|node| text(node, "`name`", &mut reader.findings));
    let own = enrolled_at(&map, reader);
    let enrolled_at = own.or(common.enrolled_at);
    if enrolled_at.is_none() && !map.has("enrolled") && !common.enrolled_is_meant {
        let message = "a test needs `enrolled`, its own or that of the file";
        reader.findings.error(Rule::C003, map.place(), message);
    }
    // What is wrong with the rest is told all the same.
    let since = enrolled_at.unwrap_or(DateTime::MIN);
    let person = person(&map, &common.person, reader);
    let vacant = vacant(&map, reader);
    let holidays = common.holidays.iter().copied().chain(holidays(&map, reader)).collect();
    let answers = answers::answers(&map, reader);
    let decisions = answers::decisions(&map, reader);
    let events = events::events(&map, (since, &person), reader);
    let until = until(&map, since, reader);
    let (extent, expected) = expected(&map, reader);
    let never = never(&map, &expected, reader);
    let ends = map.get("ends");
    let ends = ends.and_then(|n| word(n, "`ends`", &Standing::words(), &mut reader.findings));
    let not_enrolled = map.get("not_enrolled");
    let not_enrolled =
        not_enrolled.and_then(|n| text(n, "`not_enrolled`", &mut reader.findings)).map(|t| t.value);
    expects_something(&map, reader);
    Some(TestCase {
        name: name?.value,
        line: node.line,
        enrolled_at: enrolled_at?,
        person,
        vacant,
        holidays,
        answers,
        usual: common.answers.clone(),
        decisions,
        events,
        until,
        expected,
        extent,
        never,
        ends,
        not_enrolled,
    })
}

/// Notes a test that cannot fail, or that says two things at once.
fn expects_something(map: &Map<'_>, reader: &mut Reader<'_>) {
    const ALL: [&str; 5] = ["timeline", "expect", "never", "ends", "not_enrolled"];
    let said = map.count(&ALL);
    let message = if said == 0 && !map.is_meant(&ALL) {
        "this test expects nothing, so it cannot fail"
    } else if map.has("timeline") && map.has("expect") {
        "`timeline` is everything that happens and `expect` a part of it: one test has one of them"
    } else if map.has("not_enrolled") && said > 1 {
        "whoever is not enrolled has no timeline: `not_enrolled` stands alone"
    } else {
        return;
    };
    let hint = format!("a test has one or more of: {}", ALL.join(", "));
    reader.findings.error_with_hint(Rule::C705, map.place(), message, hint);
}

fn enrolled_at(map: &Map<'_>, reader: &mut Reader<'_>) -> Option<DateTime> {
    moment::date_time(map.get("enrolled")?, "`enrolled`", &mut reader.findings)
}

fn until(map: &Map<'_>, enrolled_at: DateTime, reader: &mut Reader<'_>) -> Option<DateTime> {
    let node = map.get("until")?;
    let until = moment::date_time(node, "`until`", &mut reader.findings)?;
    if until <= enrolled_at {
        let message = "`until` is not behind `enrolled`, so nothing can happen";
        reader.findings.error(Rule::C709, node.place(), message);
    }
    Some(until)
}

fn holidays(map: &Map<'_>, reader: &mut Reader<'_>) -> BTreeSet<Date> {
    let Some(node) = map.get("holidays") else { return BTreeSet::new() };
    let days = items(node, "`holidays`", &mut reader.findings).unwrap_or(&[]);
    at_most(days, MAX_EVENTS, "holidays", reader);
    days.iter().filter_map(|day| moment::date(day, "a holiday", &mut reader.findings)).collect()
}

/// The person of a test, from the person of all.
fn person(map: &Map<'_>, common: &Person, reader: &mut Reader<'_>) -> Person {
    let own = map.get("prospect").map(|node| person::values(node, &mut reader.findings));
    let without = map.get("without").map(|node| person::fields(node, &mut reader.findings));
    let relationship = map.get("relationship").and_then(|node| {
        word::<Relationship>(node, "`relationship`", &RELATIONSHIPS, &mut reader.findings)
    });
    let mut person = common.clone();
    for (field, value) in own.unwrap_or_default() {
        person.without.remove(&field);
        person.known.insert(field, value);
    }
    for field in without.unwrap_or_default() {
        person.known.remove(&field);
        person.without.insert(field);
    }
    person.relationship = relationship.or(person.relationship);
    person
}

/// Roles that nobody of the company has.
fn vacant(map: &Map<'_>, reader: &mut Reader<'_>) -> BTreeSet<BuyerRole> {
    let Some(node) = map.get("vacant") else { return BTreeSet::new() };
    let all = items(node, "`vacant`", &mut reader.findings).unwrap_or(&[]);
    all.iter().filter_map(|node| role(node, "a vacant role", reader)).collect()
}

/// A role of the cadence (C702).
fn role(node: &At<Node>, what: &str, reader: &mut Reader<'_>) -> Option<BuyerRole> {
    let name = text(node, what, &mut reader.findings)?;
    let Some(cadence) = reader.cadence else { return Some(BuyerRole(name.value)) };
    let known: Vec<&str> = cadence.unit.roles().iter().map(|(role, _)| role.as_str()).collect();
    if !known.contains(&name.value.as_str()) {
        let message = format!("`{}` has no role `{}`", cadence.id, shortened(&name.value));
        reader.findings.unknown(Rule::C702, node.place(), &message, &name.value, known);
        return None;
    }
    Some(BuyerRole(name.value))
}

fn expected(map: &Map<'_>, reader: &mut Reader<'_>) -> (Extent, Vec<Line>) {
    let (key, extent) = match map.has("timeline") {
        true => ("timeline", Extent::Everything),
        false => ("expect", Extent::Some),
    };
    let Some(node) = map.get(key) else { return (Extent::Some, Vec::new()) };
    let all = items(node, &format!("`{key}`"), &mut reader.findings).unwrap_or(&[]);
    if matches!(&node.value, Node::List(all) if all.is_empty()) {
        reader.findings.error(Rule::C004, node.place(), format!("`{key}` is empty"));
    }
    at_most(all, MAX_LINES, "lines in one test", reader);
    (extent, all.iter().take(MAX_LINES).filter_map(|node| lines::line(node, reader)).collect())
}

fn never(map: &Map<'_>, expected: &[Line], reader: &mut Reader<'_>) -> Vec<StepId> {
    use crate::domain::test_case::Kind;
    let Some(node) = map.get("never") else { return Vec::new() };
    let mut never = Vec::new();
    for node in items(node, "`never`", &mut reader.findings).unwrap_or(&[]) {
        let Some(step) = step(node, "a line of `never`", reader) else { continue };
        let touches = |line: &&Line| {
            line.name == step.as_str() && matches!(line.kind, Kind::Sent | Kind::Task)
        };
        if let Some(line) = expected.iter().find(touches) {
            let message = format!("`{step}` is expected on line {} and must never be", line.line);
            reader.findings.error(Rule::C705, node.place(), message);
        }
        never.push(step);
    }
    never
}

/// The step of that id, if the cadence has it (C702).
fn step(node: &At<Node>, what: &str, reader: &mut Reader<'_>) -> Option<StepId> {
    let id = text(node, what, &mut reader.findings)?;
    is_step(&id, reader).then_some(StepId(id.value))
}

/// Whether the cadence has a step of that id; noted when it has not.
fn is_step(id: &At<String>, reader: &mut Reader<'_>) -> bool {
    let Some(cadence) = reader.cadence else { return true };
    let mut known = cadence.steps.iter().map(|step| step.id.as_str());
    if known.clone().any(|known| known == id.value) {
        return true;
    }
    let message = format!("`{}` has no step `{}`", cadence.id, shortened(&id.value));
    let known: Vec<&str> = known.by_ref().collect();
    reader.findings.unknown(Rule::C702, id.place(), &message, &id.value, known);
    false
}
