//! What came of tests, for scripts.

use serde_json::{Value, json};

use super::Ran;
use crate::domain::test_case::{Deed, Details, Line, Row, TestCase, TestFile};

/// The whole answer.
pub(super) fn document(ran: &[Ran<'_>]) -> Value {
    let failed = ran.iter().filter(|ran| !ran.passed()).count();
    let tests: Vec<Value> = ran.iter().map(one).collect();
    json!({
        "schema": "firsttouch.test.v1",
        "passed": ran.len() - failed,
        "failed": failed,
        "tests": tests,
    })
}

/// The tests that there are.
pub(super) fn list(tests: &[(&TestFile, &TestCase)]) -> Value {
    let test = |(file, test): &(&TestFile, &TestCase)| named(file, test);
    let tests: Vec<Value> = tests.iter().map(test).collect();
    json!({"schema": "firsttouch.tests.v1", "tests": tests})
}

fn named(file: &TestFile, test: &TestCase) -> Value {
    json!({
        "file": file.path,
        "line": test.line,
        "cadence": file.cadence.as_str(),
        "name": test.name,
    })
}

fn one(ran: &Ran<'_>) -> Value {
    let compared = ran.compared();
    let differences = compared.rows.iter().filter_map(difference).collect::<Vec<_>>();
    let timeline: Vec<Value> = ran.played.deeds.iter().map(deed).collect();
    let mut test = named(ran.file, ran.test);
    if let Value::Object(map) = &mut test {
        map.insert("passed".to_owned(), json!(ran.passed()));
        map.insert("complaints".to_owned(), json!(ran.complaints));
        map.insert("differences".to_owned(), json!(differences));
        map.insert("timeline".to_owned(), json!(timeline));
    }
    test
}

fn difference(row: &Row<'_>) -> Option<Value> {
    match row {
        Row::Fine(_) => None,
        Row::Other(wanted, found) => {
            Some(json!({"expected": line(wanted), "happened": deed(found)}))
        }
        Row::Missing(wanted) => Some(json!({"expected": line(wanted), "happened": null})),
        Row::Unwanted(found) => Some(json!({"expected": null, "happened": deed(found)})),
    }
}

fn deed(deed: &Deed) -> Value {
    let mut value = details(&deed.details);
    value["at"] = json!(deed.at.strftime("%Y-%m-%dT%H:%M:%S").to_string());
    value["day"] = json!(deed.day);
    value["what"] = json!(deed.kind.as_str());
    value["name"] = json!(deed.name);
    value
}

fn line(line: &Line) -> Value {
    let mut value = details(&line.details);
    value["line"] = json!(line.line);
    value["day"] = json!(line.day);
    value["on"] = json!(line.on.map(|on| on.to_string()));
    value["at"] = json!(line.at.map(|at| at.to_string()));
    value["what"] = json!(line.kind.as_str());
    value["name"] = json!(line.name);
    value
}

fn details(details: &Details) -> Value {
    json!({
        "template": details.template,
        "outcome": details.outcome,
        "why": details.why,
        "begins": details.begins.map(|begins| begins.to_string()),
    })
}
