//! The schemas and the reference page are what the tables of the language say, and are true of every
//! shipped file.
//!
//! `FIRSTTOUCH_UPDATE=1 cargo test --test language` writes the generated files anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use firsttouch::formats::cadence_file::{self, Known, TemplateInfo};
use firsttouch::formats::diagnostic::Severity;
use firsttouch::formats::language::schema::{files, schema, value};
use firsttouch::formats::language::{
    self, CADENCE, Key, Need, PROFILE, Section, TEST, Takes, reference,
};
use firsttouch::formats::profile_file;
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

/// Holds values against a schema, in the part of draft 7 that we write. A keyword that it does not
/// know ends the test, so nothing is silently left unchecked.
struct Validator<'a> {
    root: &'a Value,
}

impl Validator<'_> {
    /// What is wrong with a value, each line with where.
    fn complaints(&self, value: &Value, schema: &Value, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (keyword, wanted) in schema.as_object().expect("a schema") {
            found.extend(match keyword.as_str() {
                "$schema" | "title" | "description" | "default" | "definitions" => Vec::new(),
                "properties" | "additionalProperties" => Vec::new(),
                "required" => missing(value, wanted, at),
                "items" => self.items(value, wanted, at),
                "propertyNames" => self.names(value, wanted, at),
                "$ref" => {
                    assert_eq!(
                        schema.as_object().unwrap().len(),
                        1,
                        "draft 7 ignores what is beside"
                    );
                    let pointer = wanted.as_str().unwrap().trim_start_matches('#');
                    self.complaints(value, self.root.pointer(pointer).expect(pointer), at)
                }
                "allOf" | "anyOf" | "oneOf" => self.combined(keyword, value, wanted, at),
                _ if fits(keyword, value, wanted) => Vec::new(),
                _ => vec![format!("{at}: {value} is not as {keyword} {wanted} says")],
            });
        }
        found.extend(self.members(value, schema, at));
        found
    }

    fn combined(&self, keyword: &str, value: &Value, parts: &Value, at: &str) -> Vec<String> {
        let parts = parts.as_array().unwrap();
        let found: Vec<_> = parts.iter().map(|part| self.complaints(value, part, at)).collect();
        let fitting = found.iter().filter(|found| found.is_empty()).count();
        match keyword {
            "allOf" => found.concat(),
            "anyOf" if fitting >= 1 => Vec::new(),
            "oneOf" if fitting == 1 => Vec::new(),
            _ => vec![format!("{at}: {value} fits {fitting} of {keyword}")],
        }
    }

    fn items(&self, value: &Value, schema: &Value, at: &str) -> Vec<String> {
        let items = value.as_array().into_iter().flatten().enumerate();
        items.flat_map(|(n, item)| self.complaints(item, schema, &format!("{at}[{n}]"))).collect()
    }

    fn names(&self, value: &Value, schema: &Value, at: &str) -> Vec<String> {
        let keys = value.as_object().into_iter().flatten().map(|(key, _)| json!(key));
        keys.flat_map(|key| self.complaints(&key, schema, at)).collect()
    }

    /// The values of a map, by the schema of their key or by that of all others.
    fn members(&self, value: &Value, schema: &Value, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (key, inner) in value.as_object().into_iter().flatten() {
            let here = format!("{at}.{key}");
            match (schema["properties"].get(key), &schema["additionalProperties"]) {
                (Some(property), _) => found.extend(self.complaints(inner, property, &here)),
                (None, Value::Bool(false)) => found.push(format!("{here}: no such key")),
                (None, Value::Null) => {}
                (None, other) => found.extend(self.complaints(inner, other, &here)),
            }
        }
        found
    }
}

fn missing(value: &Value, required: &Value, at: &str) -> Vec<String> {
    let Some(map) = value.as_object() else { return Vec::new() };
    let required = required.as_array().unwrap().iter().map(|key| key.as_str().unwrap());
    required.filter(|key| !map.contains_key(*key)).map(|key| format!("{at}: no {key}")).collect()
}

/// Whether a value is as one keyword says that needs nothing else of the schema.
fn fits(keyword: &str, value: &Value, wanted: &Value) -> bool {
    let number = || wanted.as_f64().unwrap();
    #[allow(clippy::cast_precision_loss, reason = "short lists")]
    let length = |length: Option<usize>| length.map(|length| length as f64);
    match keyword {
        "const" => value == wanted,
        "enum" => wanted.as_array().unwrap().contains(value),
        "minimum" => value.as_f64().is_none_or(|n| n >= number()),
        "maximum" => value.as_f64().is_none_or(|n| n <= number()),
        "minItems" => length(value.as_array().map(Vec::len)).is_none_or(|n| n >= number()),
        "maxItems" => length(value.as_array().map(Vec::len)).is_none_or(|n| n <= number()),
        "maxProperties" => length(value.as_object().map(|m| m.len())).is_none_or(|n| n <= number()),
        "minProperties" => length(value.as_object().map(|m| m.len())).is_none_or(|n| n >= number()),
        "pattern" => {
            let pattern = Regex::new(wanted.as_str().unwrap()).unwrap();
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        "type" => match wanted.as_array() {
            Some(types) => types.iter().any(|kind| is_of(kind.as_str().unwrap(), value)),
            None => is_of(wanted.as_str().unwrap(), value),
        },
        other => panic!("the keyword {other} is not known to this test"),
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other}"),
    }
}

fn complaints(yaml: &str, schema: &Value) -> Vec<String> {
    let value: Value =
        serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
    Validator { root: schema }.complaints(&value, schema, "")
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect()
}

#[test]
fn every_shipped_file_fits_its_schema_and_names_it() {
    for (folder, section, up) in [
        ("cadences", &CADENCE, ".."),
        ("profiles", &PROFILE, ".."),
        ("cadences/tests", &TEST, "../.."),
    ] {
        let schema = schema(section);
        let files = yaml_files(folder);
        assert!(files.len() >= 2);
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(complaints(&text, &schema), [""; 0], "{}", path.display());
            let name = format!("{up}/schema/{}.v1.schema.json", section.name);
            let lines: Vec<&str> = text.lines().take(2).collect();
            let wanted =
                [format!("# yaml-language-server: $schema={name}"), format!("# $schema: {name}")];
            assert_eq!(lines, wanted, "{}", path.display());
        }
    }
}

/// The examples of the design use all of the language.
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

/// Every template that a sample names, with a subject where it begins a thread.
fn templates_of(value: &Value, found: &mut BTreeMap<String, TemplateInfo>) {
    const KEYS: [&str; 6] = ["template", "script", "voicemail", "text", "notes", "brief"];
    let has_subject = value["thread"] == "new";
    let mut add = |name: &str| {
        let info = TemplateInfo { has_subject, ..TemplateInfo::default() };
        found.insert(name.to_owned(), info);
    };
    KEYS.iter().filter_map(|key| value[*key].as_str()).for_each(&mut add);
    value["split"].as_object().into_iter().flatten().for_each(|(name, _)| add(name));
    let items = value.as_array().into_iter().flatten();
    let members = value.as_object().into_iter().flatten().map(|(_, inner)| inner);
    items.chain(members).for_each(|inner| templates_of(inner, found));
}

#[test]
fn the_whole_language_is_read_without_an_error() {
    for path in yaml_files("tests/language_samples") {
        let name = path.file_name().unwrap().to_string_lossy().replace(".cadence", "");
        let text = fs::read_to_string(&path).unwrap();
        let wrong = if let Some(name) = name.strip_suffix(".profile.yaml") {
            profile_file::parse(&format!("profiles/{name}.yaml"), &text).err()
        } else {
            let mut templates = BTreeMap::new();
            templates_of(&serde_saphyr::from_str(&text).unwrap(), &mut templates);
            let known = Known { applied: true, templates, ..Known::default() };
            cadence_file::parse(&format!("cadences/{name}"), &text, &known).err()
        };
        let wrong: Vec<String> = { wrong.into_iter().flatten() }
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.to_string())
            .collect();
        assert_eq!(wrong, [""; 0], "{name}");
    }
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
    for root in [&CADENCE, &PROFILE, &TEST] {
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
    assert_eq!(language::STEP.key("hand_off").map(|key| key.need), Some(Need::Optional));
    assert_eq!(language::STEP.key("to").map(|key| key.need), Some(Need::Optional));
}
