//! The templates that come with firsttouch are right, complete and fit the cadences that use them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use firsttouch::domain::facts::Facts;
use firsttouch::formats::template::{
    Context, ExtraFields, RenderError, Source, TemplateSet, html_from_text,
};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).expect(folder);
    let paths = entries.map(|entry| entry.expect(folder).path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    paths.sort();
    paths
}

fn source(path: &Path) -> Source {
    let path = path.strip_prefix(root()).expect("a path in the repository");
    let path = path.to_str().expect("a plain name").replace('\\', "/");
    let name = path.trim_start_matches("templates/").trim_end_matches(".hbs").to_owned();
    let text = std::fs::read_to_string(root().join(&path)).expect("a readable template");
    Source { name, path, text }
}

fn sources() -> Vec<Source> {
    let paths = [files("templates", "hbs"), files("templates/partials", "hbs")].concat();
    paths.iter().map(|path| source(path)).collect()
}

/// Columns of their own that the list that comes with firsttouch and lists of customers have.
const COLUMNS: [&str; 6] =
    ["trigger", "champion_hook", "economic_metric", "next_step", "renewal_date", "seats_used_pct"];

fn shipped() -> TemplateSet {
    let columns = ExtraFields::Known(COLUMNS.map(str::to_owned).into());
    let (set, warnings) = TemplateSet::load(&sources(), columns).expect("no errors");
    assert_eq!(warnings, []);
    set
}

fn words<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

const FACTS: [(&str, &str); 14] = [
    ("first_name", "Siobhán"),
    ("last_name", "O'Connor-Castellanos"),
    ("title", "Vice President of Sales"),
    ("company.name", "Harbourline Analytics & Partners, Inc."),
    ("company.short", "Harbourline Analytics & Partners"),
    ("company.domain", "harbourline.example"),
    ("email", "siobhan@harbourline.example"),
    ("phone", "+1 415 555 0177"),
    ("x.champion_hook", "You wrote that half of your Monday goes into the forecast sheet"),
    ("x.economic_metric", "Your annual report puts the sales cycle at 140 days"),
    ("x.next_step", "a test with your own deals by the end of March"),
    ("x.renewal_date", "2027-03-06"),
    ("x.seats_used_pct", "85"),
    ("x.trigger", "You are hiring four account executives in Austin"),
];

/// Everything is known, but for these fields.
fn somebody(unknown: &[&str], say: BTreeMap<String, String>) -> Context {
    let known = FACTS.iter().filter(|(name, _)| !unknown.contains(&name.trim_start_matches("x.")));
    let facts = known.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Context {
        facts: Facts::from_iter(facts),
        sender: words([
            ("first_name", "Ann"),
            ("last_name", "Field"),
            ("title", "Account Executive"),
            ("company", "Brightline"),
            ("phone", "+1 415 555 0134"),
            ("calendar_link", "https://brightline.example/ann"),
        ]),
        say,
        language: Some("en".to_owned()),
        today: jiff::civil::date(2026, 3, 9),
        ..Context::default()
    }
}

fn yaml(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a readable file");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn say(id: &str) -> BTreeMap<String, String> {
    let say = yaml(&root().join(format!("profiles/{id}.yaml")))["say"].clone();
    serde_json::from_value(say).expect("texts")
}

/// Every template of the cadences, with what the profiles that their people come in by say; where anybody
/// may come in, nothing may be said at all.
fn spoken_to() -> Vec<(String, Vec<BTreeMap<String, String>>)> {
    let mut found = Vec::new();
    for path in files("cadences", "yaml") {
        let cadence = yaml(&path);
        let ids = cadence["enroll"]["profiles"].as_array().expect("profiles").iter();
        let of = |id: &str| if id == "any" { BTreeMap::new() } else { say(id) };
        let profiles: Vec<_> = ids.map(|id| of(id.as_str().expect("an id"))).collect();
        let mut names = BTreeSet::new();
        named(&cadence, &mut names);
        found.extend(names.into_iter().map(|name| (name, profiles.clone())));
    }
    found
}

/// The templates that are named anywhere in a cadence.
fn named(value: &Value, found: &mut BTreeSet<String>) {
    const KEYS: [&str; 6] = ["template", "script", "voicemail", "text", "notes", "brief"];
    match value {
        Value::Array(items) => items.iter().for_each(|item| named(item, found)),
        Value::Object(map) => {
            let split = map.get("split").and_then(Value::as_object);
            found.extend(split.into_iter().flatten().map(|(name, _)| name.clone()));
            let direct = KEYS.iter().filter_map(|key| map.get(*key)?.as_str());
            found.extend(direct.filter(|name| *name != "none").map(str::to_owned));
            map.values().for_each(|value| named(value, found));
        }
        _ => {}
    }
}

fn texts<'a>(value: &'a Value, keys: &[&str]) -> Vec<&'a str> {
    keys.iter().filter_map(|key| value[*key].as_str()).collect()
}

#[test]
fn every_template_speaks_to_every_profile_without_a_gap() {
    let set = shipped();
    assert!(set.names().count() >= 50);
    for (name, profiles) in spoken_to() {
        for say in &profiles {
            let name = name.as_str();
            let rendered = set.render(name, &somebody(&[], say.clone())).expect(name);
            let all = format!("{}\n{}", rendered.subject.unwrap_or_default(), rendered.text);
            let gap = ["{{", "}}", "  ", " ,", " .", "..", "\n\n\n"]
                .iter()
                .find(|gap| all.contains(**gap));
            assert_eq!(gap, None, "{name}: {all}");
            assert!(html_from_text(&rendered.text).starts_with("<p>"), "{name}");
        }
    }
}

#[test]
fn what_a_template_needs_is_named_when_it_is_missing() {
    let set = shipped();
    let mut checked = 0;
    for template in set.names().filter_map(|name| set.get(name)) {
        for need in &template.needs {
            let result = set.render(
                &template.name,
                &somebody(&[need.trim_start_matches("x.")], say("vp-sales-saas")),
            );
            assert_eq!(result, Err(RenderError::MissingField(need.clone())), "{}", template.name);
            checked += 1;
        }
    }
    assert!(checked >= 10);
}

#[test]
fn every_text_is_whole_for_somebody_of_whom_nothing_is_known_but_what_it_needs() {
    let set = shipped();
    let nothing = FACTS.map(|(name, _)| name.trim_start_matches("x."));
    for (name, profiles) in spoken_to() {
        let needs = &set.get(&name).expect("a template").needs;
        let unknown: Vec<&str> = { nothing.iter().copied() }
            .filter(|field| !needs.iter().any(|need| need.trim_start_matches("x.") == *field))
            .collect();
        let text = set.render(&name, &somebody(&unknown, profiles[0].clone())).expect(&name).text;
        let gap = ["  ", " ,", " .", "..", "\n\n\n", "()"].iter().find(|gap| text.contains(**gap));
        assert_eq!(gap, None, "{name}: {text}");
    }
}

#[test]
fn the_cadences_find_every_template_and_subjects_where_a_thread_begins() {
    let set = shipped();
    for path in files("cadences", "yaml") {
        let cadence = yaml(&path);
        for step in cadence["steps"].as_array().expect("steps") {
            let mail = &step["email"];
            let split = mail["split"].as_object().into_iter().flat_map(|split| split.keys());
            let mails = split.map(String::as_str).chain(texts(mail, &["template"]));
            for name in mails {
                let template = set.get(name).unwrap_or_else(|| panic!("{name}"));
                assert_eq!(template.has_subject, mail["thread"] == "new", "{name}");
                let text = set.render(name, &somebody(&[], say("vp-sales-saas"))).expect(name).text;
                let words = text.split_whitespace().count();
                assert!(text.ends_with("\n\nAnn\nAccount Executive, Brightline"), "{name}: {text}");
                assert!(words <= 110, "{name} is too long for a mail: {words} words");
            }
            let call = texts(&step["call"], &["script", "voicemail"]);
            let rest =
                [texts(&step["social"], &["text"]), texts(&step["task"], &["notes"])].concat();
            for name in call.into_iter().chain(rest).filter(|name| *name != "none") {
                assert!(set.get(name).is_some_and(|template| !template.has_subject), "{name}");
            }
        }
    }
}

#[test]
fn a_note_to_connect_fits_into_what_a_free_account_may_send() {
    for id in ["vp-sales-saas", "revops-saas"] {
        let note =
            shipped().render("li-connect-note", &somebody(&[], say(id))).expect("a note").text;
        assert!(note.chars().count() <= 200, "{} characters: {note}", note.chars().count());
    }
}

#[test]
fn the_first_mail_with_a_trigger_reads_as_meant() {
    let say = yaml(&root().join("profiles/vp-sales-saas.yaml"))["say"].clone();
    let say = serde_json::from_value(say).expect("texts");
    let rendered = shipped().render("intro-trigger", &somebody(&[], say)).expect("a mail");
    assert_eq!(rendered.subject.as_deref(), Some("ramp time at Harbourline Analytics & Partners"));
    insta::assert_snapshot!(rendered.text, @r"
    Hi Siobhán,

    You are hiring four account executives in Austin - that is why I am writing. At this point it often means new reps take two quarters to hit quota.

    Northwind cut ramp from seven months to four. What changed: every new rep works from the calls that closed last quarter, not from a slide deck.

    Worth 20 minutes next week?

    Ann
    Account Executive, Brightline
    ");
}
