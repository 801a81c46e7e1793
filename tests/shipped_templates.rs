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

/// The list that comes with firsttouch has one column of its own.
fn shipped() -> TemplateSet {
    let columns = ExtraFields::Known(BTreeSet::from(["trigger".to_owned()]));
    let (set, warnings) = TemplateSet::load(&sources(), columns).expect("no errors");
    assert_eq!(warnings, []);
    set
}

fn words<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

const FACTS: [(&str, &str); 7] = [
    ("first_name", "Siobhán"),
    ("last_name", "O'Connor-Castellanos"),
    ("title", "Vice President of Sales"),
    ("company.name", "Harbourline Analytics & Partners, Inc."),
    ("company.short", "Harbourline Analytics & Partners"),
    ("company.domain", "harbourline.example"),
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

/// What each shipped profile says.
fn profiles() -> Vec<BTreeMap<String, String>> {
    let say = |path: &PathBuf| {
        let profile = yaml(path);
        let say = profile["say"].as_object().expect("say").clone();
        say.into_iter()
            .map(|(key, text)| (key, text.as_str().expect("a text").to_owned()))
            .collect()
    };
    files("profiles", "yaml").iter().map(say).collect()
}

fn texts<'a>(value: &'a Value, keys: &[&str]) -> Vec<&'a str> {
    keys.iter().filter_map(|key| value[*key].as_str()).collect()
}

#[test]
fn every_template_speaks_to_every_profile_without_a_gap() {
    let (set, profiles) = (shipped(), profiles());
    assert!(profiles.len() >= 2 && set.names().count() >= 15);
    for name in set.names() {
        for say in &profiles {
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
    let (set, profiles) = (shipped(), profiles());
    let mut checked = 0;
    for template in set.names().filter_map(|name| set.get(name)) {
        for need in &template.needs {
            let result = set.render(&template.name, &somebody(&[need], profiles[0].clone()));
            assert_eq!(result, Err(RenderError::MissingField(need.clone())), "{}", template.name);
            checked += 1;
        }
    }
    assert!(checked >= 10);
}

#[test]
fn scripts_and_notes_are_there_even_for_somebody_of_whom_nothing_is_known() {
    let (set, profiles) = (shipped(), profiles());
    let nothing = FACTS.map(|(name, _)| name.trim_start_matches("x."));
    let without_needs = |name: &&str| set.get(name).is_some_and(|t| t.needs.is_empty());
    for name in set.names().filter(without_needs) {
        set.render(name, &somebody(&nothing, profiles[0].clone())).expect(name);
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
                let text =
                    set.render(name, &somebody(&[], profiles()[0].clone())).expect(name).text;
                assert!(text.ends_with("\n\nAnn\nAccount Executive, Brightline"), "{name}: {text}");
                assert!(
                    text.split_whitespace().count() <= 110,
                    "{name} is too long for a cold mail"
                );
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
    for say in profiles() {
        let note = shipped().render("li-connect-note", &somebody(&[], say)).expect("a note").text;
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
