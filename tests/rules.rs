//! Every rule has a page that is true: its bad example gives that rule and nothing else, its good one
//! gives nothing, and no id stands in the code without use.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use firsttouch::formats::rules::{Example, Rule};
use serde_json::Value;

const SETTINGS: &str = "
[calendar.standard]
hours = \"mon-fri 08:00-17:00\"
[calendar.weekend]
hours = \"sat-sun 08:00-17:00\"
[[rep]]
id = \"cara\"
roles = [\"account_manager\"]
";
const COMPANY: &str = "[company]\nname = \"Acme\"\npostal_address = \"2 Side St, Springfield\"\n";

/// What a cadence or a profile has beside the part that an example shows.
const CADENCE: [(&str, &str); 7] = [
    ("format:", "format: cadence/v1\n"),
    ("id:", "id: example\n"),
    ("title:", "title: Example\n"),
    ("enroll:", "enroll: { audience: prospects, profiles: [buyers] }\n"),
    ("days:", "days: business\n"),
    ("calendar:", "calendar: standard\n"),
    ("steps:", "steps:\n  - { id: call, day: 1, call: { script: opener } }\n"),
];
const PROFILE: [(&str, &str); 4] = [
    ("format:", "format: profile/v1\n"),
    ("id:", "id: example\n"),
    ("title:", "title: Example\n"),
    ("match:", "match:\n  title: { any: [CRO] }\n"),
];

const TESTS: [(&str, &str); 4] = [
    ("format:", "format: test/v1\n"),
    ("cadence:", "cadence: base\n"),
    ("enrolled:", "enrolled: \"2026-03-02\"\n"),
    ("tests:", "tests:\n  - { name: a, ends: open }\n"),
];

fn completed(example: Example) -> String {
    let rest: &[(&str, &str)] = match example.path.split('/').next() {
        _ if example.path.contains("/tests/") => &TESTS,
        Some("cadences") => &CADENCE,
        Some("profiles") => &PROFILE,
        _ => &[],
    };
    let has = |key: &str| example.text.lines().any(|line| line.starts_with(key));
    let whole = example.text.starts_with("format:") && has("steps:");
    let rest = rest.iter().filter(|(key, _)| !whole && !has(key)).map(|(_, line)| *line);
    format!("{}{}", example.text, rest.collect::<String>())
}

fn subject(text: &str) -> String {
    format!("---\nsubject: A question\n---\n{text}\n")
}

/// A workspace in which everything is used and nothing is found.
fn workspace() -> Vec<(String, String)> {
    let templates = [
        ("intro", subject("Hi {{first_name}}")),
        ("intro-b", subject("Hello {{first_name}}")),
        ("bump", "Any thoughts?\n".to_owned()),
        ("opener", "Is this a bad time?\n".to_owned()),
        ("note", "Hi {{first_name}}, glad to connect.\n".to_owned()),
        ("long-note", "Long ".repeat(70)),
        ("example", "Hi\n".to_owned()),
        ("partials/signature", "Ann\n".to_owned()),
    ];
    let path = |name: &str| format!("templates/{name}.hbs");
    let mut files: Vec<_> = templates.map(|(name, text)| (path(name), text)).into();
    files[2].1.push_str("{{> signature}}\n");
    let names = templates_in_use();
    let steps = names.iter().enumerate().map(|(at, name)| {
        format!("  - {{ id: t{at}, day: {}, task: {{ title: T, notes: {name} }} }}\n", at + 1)
    });
    let base = format!(
        "format: cadence/v1\nid: base\ntitle: Base\ndays: business\ncalendar: standard\n\
         enroll: {{ audience: prospects, profiles: [buyers, example] }}\nsteps:\n{}\
         \x20 - {{ id: mail, day: 9, email: {{ template: intro, thread: new }} }}\n",
        steps.collect::<String>()
    );
    files.push(("cadences/base.yaml".to_owned(), base));
    let profile = |id: &str| {
        format!(
            "format: profile/v1\nid: {id}\ntitle: Buyers\nmatch:\n  title: {{ any: [CRO] }}\n\
             require: [email]\nsay:\n  proof: Northwind did it\nlanguage: en-gb\n"
        )
    };
    files.push(("profiles/buyers.yaml".to_owned(), profile("buyers")));
    files.push(("profiles/example.yaml".to_owned(), profile("example")));
    files.push(("firsttouch.toml".to_owned(), format!("{COMPANY}{SETTINGS}")));
    files
}

fn templates_in_use() -> [&'static str; 7] {
    ["intro", "intro-b", "bump", "opener", "note", "long-note", "example"]
}

/// What `check` finds with one file in place of the workspace's own.
fn findings(path: &str, text: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    workspace().iter().for_each(|(path, text)| write(path, text));
    write(path, text);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firsttouch"));
        command.arg("-C").arg(folder.path()).args(arguments).output().unwrap()
    };
    // Only a list shows what its people lack.
    let output = if text.contains("nobody_has_this") {
        let people = folder.path().join("people.csv");
        fs::write(&people, "First Name,Title,Email,Country\nDana,CRO,dana@northwind.test,US\n")
            .unwrap();
        run(&["import", people.to_str().unwrap(), "--list", "people"]);
        run(&["check", "--format", "json", "--list", "people"])
    } else {
        run(&["check", "--format", "json"])
    };
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["findings"].as_array().unwrap().clone()
}

fn text_of(example: Example) -> String {
    if example.path == "firsttouch.toml" {
        let address = "postal_address = \"2 Side St, Springfield\"\n";
        let text = example.text.replacen("[company]\n", &format!("[company]\n{address}"), 1);
        return format!("{text}{SETTINGS}");
    }
    completed(example)
}

#[test]
fn a_bad_example_gives_its_rule_and_nothing_else() {
    for rule in Rule::ALL {
        let page = rule.page();
        let found = findings(page.bad.path, &text_of(page.bad));
        let codes: BTreeSet<&str> = found.iter().map(|f| f["code"].as_str().unwrap()).collect();
        assert_eq!(codes, BTreeSet::from([rule.as_str()]), "{rule}: {found:#?}");
        let worst = found.iter().map(|f| f["severity"].as_str().unwrap()).next().unwrap();
        assert_eq!(worst, page.severity.as_str(), "{rule}: {found:#?}");
    }
}

#[test]
fn a_good_example_gives_nothing() {
    for rule in Rule::ALL {
        let good = rule.page().good;
        let found = findings(good.path, &text_of(good));
        assert!(found.is_empty(), "{rule}: {found:#?}");
    }
}

#[test]
fn every_page_says_something_and_the_ids_are_in_order() {
    let sentences = |text: &str| text.matches(". ").count() + 1;
    for rule in Rule::ALL {
        let page = rule.page();
        let length = sentences(page.about);
        assert!((2..=6).contains(&length), "{rule} has {length} sentences");
        assert!(page.about.ends_with('.') && !page.about.contains("  "), "{rule}: {}", page.about);
        assert!(page.title.len() <= 60 && !page.title.ends_with('.'), "{rule}: {}", page.title);
        assert_ne!(page.bad, page.good, "{rule}");
    }
    let ids: Vec<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_rule_is_given_somewhere_and_no_id_is_written_as_text() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let is_test = |path: &PathBuf| path.ends_with("tests.rs") || path.iter().any(|p| p == "tests");
    let is_page = |path: &PathBuf| path.iter().any(|part| part == "rules");
    let mut code = String::new();
    for path in files.iter().filter(|path| !is_test(path) && !is_page(path)) {
        let text = fs::read_to_string(path).unwrap();
        code.push_str(text.split("#[cfg(test)]\nmod tests {").next().unwrap());
    }
    for rule in Rule::ALL {
        assert!(code.contains(&format!("Rule::{rule}")), "{rule} is never given");
        assert!(!code.contains(&format!("\"{rule}\"")), "{rule} is written as text");
    }
}
