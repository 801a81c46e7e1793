//! The schemas and the reference page are what the tables of the language say, and are true of every
//! shipped file.
//!
//! `FIRSTTOUCH_UPDATE=1 cargo test --test language` writes the generated files anew.

use std::fs;
use std::path::{Path, PathBuf};

use firsttouch::formats::language::schema::{files, schema, value};
use firsttouch::formats::language::{self, CADENCE, Key, Need, PROFILE, Section, Takes, reference};
use regex::Regex;
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether a generated file is what it should be; writes it when that is asked for.
fn hold(path: &str, wanted: &str) {
    let file = root().join(path);
    if std::env::var_os("FIRSTTOUCH_UPDATE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, wanted).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == wanted,
        "{path} is stale: FIRSTTOUCH_UPDATE=1 cargo test --test language writes it anew"
    );
}

#[test]
fn the_schemas_are_what_the_tables_say() {
    files().iter().for_each(|(path, text)| hold(path, text));
}

const BEGIN: &str = "<!-- Generated from src/formats/language: do not edit below. -->\n";

#[test]
fn the_reference_page_is_what_the_tables_say() {
    let page = fs::read_to_string(root().join("docs/language.md")).unwrap();
    let (written, _) = page.split_once(BEGIN).expect("a mark in front of the generated part");
    hold("docs/language.md", &format!("{written}{BEGIN}\n{}", reference::page()));
}

/// What is wrong with a value by a schema, in the part of draft 7 that we write. An unknown keyword
/// is a failure of the test, so nothing is silently not checked.
fn wrong(value: &Value, schema: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    let mut fail = |why: String| found.push(format!("{at}: {why}"));
    let fits = |schema: &Value| {
        let mut inner = Vec::new();
        wrong(value, schema, root, at, &mut inner);
        inner.is_empty()
    };
    let list = |key: &str| schema[key].as_array().cloned().unwrap_or_default();
    for (keyword, wanted) in schema.as_object().expect("a schema") {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "definitions" => {}
            "properties" | "additionalProperties" | "propertyNames" | "required" | "items" => {}
            "minProperties" => {
                let least = wanted.as_u64().unwrap();
                if value.as_object().is_some_and(|map| (map.len() as u64) < least) {
                    fail("too few keys".to_owned());
                }
            }
            "minItems" | "maxItems" => {
                let bound = wanted.as_u64().unwrap();
                let length = value.as_array().map(|items| items.len() as u64);
                let outside = |n: u64| if keyword == "minItems" { n < bound } else { n > bound };
                if length.is_some_and(outside) {
                    fail(format!("{keyword} {bound}"));
                }
            }
            "minimum" | "maximum" => {
                let bound = wanted.as_f64().unwrap();
                let outside = |n: f64| if keyword == "minimum" { n < bound } else { n > bound };
                if value.as_f64().is_some_and(outside) {
                    fail(format!("{keyword} {bound}"));
                }
            }
            "$ref" => {
                let pointer = wanted.as_str().unwrap().trim_start_matches('#');
                let target = root.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
                if schema.as_object().unwrap().len() > 1 {
                    fail("a `$ref` with something beside it, which draft 7 ignores".to_owned());
                }
                if !fits(target) {
                    let mut inner = Vec::new();
                    wrong(value, target, root, at, &mut inner);
                    found.extend(inner);
                    return;
                }
            }
            "const" if value != wanted => fail(format!("is not {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                fail(format!("is not one of {wanted}"))
            }
            "const" | "enum" => {}
            "type" => {
                let one = [wanted.clone()];
                let types = wanted.as_array().map_or(&one[..], Vec::as_slice);
                let is = |kind: &Value| match kind.as_str().unwrap() {
                    "string" => value.is_string(),
                    "number" => value.is_number(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "boolean" => value.is_boolean(),
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    other => panic!("the type {other}"),
                };
                if !types.iter().any(is) {
                    fail(format!("{value} is no {wanted}"));
                }
            }
            "pattern" => {
                let pattern = Regex::new(wanted.as_str().unwrap()).unwrap();
                if value.as_str().is_some_and(|text| !pattern.is_match(text)) {
                    fail(format!("{value} does not match {wanted}"));
                }
            }
            "allOf" => {
                for part in list("allOf").iter().filter(|part| !fits(part)) {
                    let mut inner = Vec::new();
                    wrong(value, part, root, at, &mut inner);
                    inner.into_iter().for_each(&mut fail);
                }
            }
            "anyOf" if !list("anyOf").iter().any(fits) => {
                fail(format!("{value} fits nothing of {wanted}"))
            }
            "oneOf" if list("oneOf").iter().filter(|part| fits(part)).count() != 1 => {
                fail(format!("not exactly one of {wanted}"));
            }
            "anyOf" | "oneOf" => {}
            other => panic!("the keyword {other} is not known to this test"),
        }
    }
    if let (Some(items), Some(inner)) = (value.as_array(), schema.get("items")) {
        for (n, item) in items.iter().enumerate() {
            wrong(item, inner, root, &format!("{at}[{n}]"), found);
        }
    }
    let Some(map) = value.as_object() else { return };
    for key in list("required") {
        if !map.contains_key(key.as_str().unwrap()) {
            found.push(format!("{at}: no {key}"));
        }
    }
    for (key, inner) in map {
        let here = format!("{at}.{key}");
        if let Some(names) = schema.get("propertyNames") {
            wrong(&json!(key), names, root, &here, found);
        }
        match (schema["properties"].get(key), schema.get("additionalProperties")) {
            (Some(property), _) => wrong(inner, property, root, &here, found),
            (None, Some(Value::Bool(false))) => found.push(format!("{here}: no such key")),
            (None, Some(other)) if other.is_object() => wrong(inner, other, root, &here, found),
            (None, _) => {}
        }
    }
}

fn complaints(yaml: &str, schema: &Value) -> Vec<String> {
    let value: Value =
        serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
    let mut found = Vec::new();
    wrong(&value, schema, schema, "", &mut found);
    found
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect()
}

#[test]
fn every_shipped_file_fits_its_schema_and_names_it() {
    for (folder, section) in [("cadences", &CADENCE), ("profiles", &PROFILE)] {
        let schema = schema(section);
        let files = yaml_files(folder);
        assert!(files.len() >= 2);
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(complaints(&text, &schema), [""; 0], "{}", path.display());
            let name = format!("../schema/{}.v1.schema.json", section.name);
            let lines: Vec<&str> = text.lines().take(2).collect();
            let wanted =
                [format!("# yaml-language-server: $schema={name}"), format!("# $schema: {name}")];
            assert_eq!(lines, wanted, "{}", path.display());
        }
    }
}

/// The examples of the design use all of the language, also what this version does not run.
#[test]
fn the_whole_language_fits_the_schemas() {
    let mut checked = 0;
    for path in yaml_files("tests/language_samples") {
        let name = path.display().to_string();
        let section = if name.ends_with(".profile.yaml") { &PROFILE } else { &CADENCE };
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(complaints(&text, &schema(section)), [""; 0], "{name}");
        checked += 1;
    }
    assert_eq!(checked, 6);
}

/// The schema of one value, with what it may refer to.
fn schema_of(takes: &Takes, root: &'static Section) -> Value {
    let mut wanted = value(takes);
    wanted["definitions"] = schema(root)["definitions"].clone();
    wanted
}

fn each_key(
    section: &'static Section,
    seen: &mut Vec<&'static str>,
    visit: &mut dyn FnMut(&'static Section, &'static Key),
) {
    if seen.contains(&section.name) {
        return;
    }
    seen.push(section.name);
    for key in section.keys {
        visit(section, key);
        let mut open = vec![&key.takes];
        while let Some(takes) = open.pop() {
            match takes {
                Takes::Map(inner) => each_key(inner, seen, visit),
                Takes::List(inner) | Takes::Keyed(_, inner) | Takes::Outcomes(inner) => {
                    open.push(inner)
                }
                Takes::Either(all) => open.extend(all.iter()),
                _ => {}
            }
        }
    }
}

#[test]
fn every_key_has_a_meaning_and_an_example_that_fits() {
    let mut keys = 0;
    for root in [&CADENCE, &PROFILE] {
        each_key(root, &mut Vec::new(), &mut |section, key| {
            keys += 1;
            let name = format!("{}.{}", section.name, key.name);
            assert!(key.about.ends_with('.') && key.about.len() >= 8, "{name}: {}", key.about);
            let mut schema = schema_of(&key.takes, root);
            let reference = schema.as_object_mut().unwrap().remove("$ref");
            if let Some(reference) = reference {
                schema["allOf"] = json!([{ "$ref": reference }]);
            }
            assert_eq!(complaints(key.example, &schema), [""; 0], "{name}: {}", key.example);
            if !key.default.is_empty() {
                assert_eq!(complaints(key.default, &schema), [""; 0], "{name}: {}", key.default);
            }
        });
    }
    assert!(keys > 80, "{keys}");
}

const MINIMAL: &str = "format: cadence/v1\nid: x\ntitle: X\nenroll: { audience: prospects, profiles: [any] }\n\
    calendar: standard\nsteps:\n  - { id: a, after: 1 day, task: { title: T } }\n";

#[test]
fn what_the_language_refuses_an_editor_underlines() {
    let schema = schema(&CADENCE);
    assert_eq!(complaints(MINIMAL, &schema), [""; 0]);
    for (from, to) in [
        ("title: X\n", ""),
        ("title: X\n", "titel: X\n"),
        ("cadence/v1", "cadence/v2"),
        ("id: x", "id: X Y"),
        ("prospects,", "leads,"),
        ("1 day", "4"),
        ("1 day", "3 months"),
        ("after: 1 day", "after: 1 day, day: 3"),
        ("after: 1 day, ", ""),
        ("after: 1 day", "day: 0"),
        ("task: { title: T }", "task: { title: T }, call: { script: s }"),
        ("task: { title: T }", "social: { network: linkedin, act: poke }"),
        ("task: { title: T }", "email: { template: t, split: { a: 100 }, thread: new }"),
        (
            "task: { title: T }",
            "task: { title: T }, outcomes: { done: { pause: 60 days, retry: { after: 1 day, max: 1 } } }",
        ),
        ("task: { title: T }", "task: { title: T }, only_if: { any: [{ hass: [phone] }] }"),
        ("calendar:", "send_window: [\"17:00\"]\ncalendar:"),
    ] {
        assert!(MINIMAL.contains(from), "{from}");
        let text = MINIMAL.replacen(from, to, 1);
        assert!(!complaints(&text, &schema).is_empty(), "{to}");
    }
}

#[test]
fn every_closed_set_of_the_parser_is_in_the_schema() {
    let text = schema(&CADENCE).to_string();
    for word in [
        "prospects",
        "customers",
        "business",
        "reply",
        "review",
        "triage",
        "comment",
        "urgent",
        "left_voicemail",
    ] {
        assert!(text.contains(&format!("\"{word}\"")), "{word}");
    }
    assert_eq!(language::STEP.key("day").map(|key| key.need), Some(Need::Optional));
    assert_eq!(language::STEP.key("hand_off").map(|key| key.need), Some(Need::Later));
    assert!(text.contains("not run by this version yet"));
}
