//! The language as JSON Schema, draft 7, for editors.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{CADENCE, Key, MAX_ROLES, MAX_STEPS, MAX_TESTS, Need, PROFILE, Section, TEST, Takes};
use crate::domain::cadence::{
    CALL_OUTCOMES, EMAIL_OUTCOMES, EXPIRED, HAND_OFF_OUTCOMES, SOCIAL_OUTCOMES, TASK_OUTCOMES, Verb,
};
use crate::domain::facts::{DATES, FIELDS};

/// The path in a workspace and the text of every schema.
pub fn files() -> [(&'static str, String); 3] {
    [
        ("schema/cadence.v1.schema.json", file(&CADENCE)),
        ("schema/profile.v1.schema.json", file(&PROFILE)),
        ("schema/test.v1.schema.json", file(&TEST)),
    ]
}

fn file(section: &'static Section) -> String {
    let schema = schema(section);
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    format!("{text}\n")
}

/// The schema of a kind of file.
pub fn schema(section: &'static Section) -> Value {
    let mut sections = BTreeMap::new();
    collect(section, &mut sections);
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": format!("{}/v1", section.name),
    });
    let definitions: Map<String, Value> = sections
        .into_iter()
        .filter(|(name, _)| *name != section.name)
        .map(|(name, section)| (name.to_owned(), object(section)))
        .collect();
    if let (Value::Object(schema), Value::Object(root)) = (&mut schema, object(section)) {
        schema.extend(root);
        schema.insert("definitions".to_owned(), Value::Object(definitions));
    }
    schema
}

/// Every section that can be reached; each is visited once.
fn collect(section: &'static Section, found: &mut BTreeMap<&'static str, &'static Section>) {
    if found.insert(section.name, section).is_some() {
        return;
    }
    section.keys.iter().for_each(|key| collect_in(&key.takes, found));
}

fn collect_in(takes: &Takes, found: &mut BTreeMap<&'static str, &'static Section>) {
    match takes {
        Takes::Map(section) => collect(section, found),
        Takes::List(inner) | Takes::Outcomes(inner) | Takes::Keyed(_, inner) => {
            collect_in(inner, found);
        }
        Takes::Either(all) => all.iter().for_each(|takes| collect_in(takes, found)),
        Takes::Text | Takes::Slug | Takes::Exactly(_) | Takes::Words(_) | Takes::Number(..) => {}
        Takes::Length | Takes::Span | Takes::Anchor | Takes::Template | Takes::Field => {}
        Takes::Date | Takes::DateTime | Takes::ClockTime => {}
        Takes::Test | Takes::Range | Takes::Anything => {}
    }
}

fn object(section: &Section) -> Value {
    let properties: Map<String, Value> =
        section.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> =
        section.keys.iter().filter(|key| key.need == Need::Required).map(|key| key.name).collect();
    let mut object = json!({
        "type": "object",
        "description": section.about,
        "additionalProperties": false,
        "properties": properties,
    });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    if !section.exactly_one.is_empty() {
        let one_of = |group: &&[&str]| {
            let each = group.iter().map(|key| json!({"required": [key]}));
            json!({"oneOf": each.collect::<Vec<_>>()})
        };
        object["allOf"] = section.exactly_one.iter().map(one_of).collect();
    }
    object
}

/// What a key takes, with its description and default.
fn property(key: &Key) -> Value {
    let mut about = key.about.to_owned();
    about.push_str(&format!("\n\nExample: {}: {}", key.name, key.example));
    let mut property = value(&key.takes);
    if let Value::Object(map) = &mut property {
        // In draft 7 nothing beside a `$ref` counts.
        if let Some(reference) = map.remove("$ref") {
            map.insert("allOf".to_owned(), json!([{"$ref": reference}]));
        }
        if key.name == "tests" {
            map.insert("maxItems".to_owned(), json!(MAX_TESTS));
        }
        if key.name == "steps" {
            map.insert("maxItems".to_owned(), json!(MAX_STEPS));
        }
        if key.name == "roles" {
            map.insert("maxProperties".to_owned(), json!(MAX_ROLES));
        }
        map.insert("description".to_owned(), json!(about));
        if !key.default.is_empty() && !key.default.starts_with('[') {
            map.insert("default".to_owned(), json!(key.default));
        }
    }
    property
}

/// A text that is not blank.
const TEXT: &str = r"\S";
const SLUG: &str = "^[a-z0-9][a-z0-9_-]{0,63}$";
const LENGTH: &str = "^[0-9]+ +(business +(minute|hour|day)|minute|hour|day|week)s?$";
const SPAN: &str = "^([01]?[0-9]|2[0-3]):[0-5][0-9] ?- ?([01]?[0-9]|2[0-3]):[0-5][0-9]$";
const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
const DATE_TIME: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}( ([01]?[0-9]|2[0-3]):[0-5][0-9])?$";
const CLOCK_TIME: &str = "^([01]?[0-9]|2[0-3]):[0-5][0-9]( ?- ?([01]?[0-9]|2[0-3]):[0-5][0-9])?$";
const ANCHOR: &str = "^[a-z][a-z0-9_.-]*( +[+-] +[0-9]+ +(business +day|day|week)s?)?$";
const COLUMN: &str = r"^((x|deal)\.)?[a-z0-9][a-z0-9_-]{0,63}$";
const RANGE: &str = "^([<>]=? ?[0-9][0-9,]*[KMBkmb]?|[0-9][0-9,]*[KMBkmb]?(\\+| ?[-–] ?[0-9][0-9,]*[KMBkmb]?))( ?USD)?$";

/// What a value must be.
pub fn value(takes: &Takes) -> Value {
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    match takes {
        Takes::Text => json!({"type": ["string", "number"], "pattern": TEXT}),
        Takes::Slug | Takes::Template => text(SLUG),
        Takes::Exactly(word) => json!({"const": word}),
        Takes::Words(words) => json!({"enum": words()}),
        Takes::Number(least, most) => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Takes::Length => text(LENGTH),
        Takes::Span => text(SPAN),
        Takes::Date => text(DATE),
        Takes::DateTime => text(DATE_TIME),
        Takes::ClockTime => text(CLOCK_TIME),
        Takes::Anchor => text(ANCHOR),
        Takes::Field => json!({"anyOf": [{"enum": FIELDS}, {"enum": DATES}, text(COLUMN)]}),
        Takes::Test => json!({"type": ["string", "number", "boolean"]}),
        Takes::Range => text(RANGE),
        Takes::List(inner) => json!({"type": "array", "minItems": 1, "items": value(inner)}),
        Takes::Map(section) => json!({"$ref": format!("#/definitions/{}", section.name)}),
        Takes::Keyed(key, inner) => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": named(value(key)),
            "additionalProperties": value(inner),
        }),
        Takes::Outcomes(inner) => outcomes(inner),
        Takes::Either(all) => json!({"anyOf": all.iter().map(value).collect::<Vec<_>>()}),
        Takes::Anything => json!({}),
    }
}

/// A key of that form, or the one by which YAML merges in what an anchor stands for: editors ask for it
/// before they merge.
fn named(form: Value) -> Value {
    json!({"anyOf": [form, {"const": "<<"}]})
}

/// The built-in outcomes with what they do by themselves, so that an editor can offer them.
fn outcomes(takes: &Takes) -> Value {
    let mut properties = Map::new();
    for (kind, outcomes) in [
        ("an email", EMAIL_OUTCOMES),
        ("a call", CALL_OUTCOMES),
        ("a social touch", SOCIAL_OUTCOMES),
        ("a task", TASK_OUTCOMES),
        ("a hand-off", HAND_OFF_OUTCOMES),
        ("a task of any kind", &[(EXPIRED, Verb::Continue)]),
    ] {
        for (outcome, verb) in outcomes {
            let about = format!("An outcome of {kind}. When nothing is said: {}.", in_words(verb));
            let property = json!({"description": about, "allOf": [value(takes)]});
            properties.entry((*outcome).to_owned()).or_insert(property);
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "propertyNames": named(json!({"pattern": SLUG})),
        "additionalProperties": value(takes),
    })
}

/// A verb as a cadence writes it.
pub(super) fn in_words(verb: &Verb) -> String {
    match verb {
        Verb::Continue => "continue".to_owned(),
        Verb::Triage => "triage".to_owned(),
        Verb::Stop => "stop".to_owned(),
        Verb::Retry { after, max } => format!("retry after {after}, {max} times at most"),
        Verb::Pause(length) => format!("pause for {length}"),
        Verb::SwitchTo { cadence, after } => format!("switch to {cadence} after {after}"),
        Verb::HandOff(hand_off) => format!("hand off to {}", hand_off.to),
    }
}
