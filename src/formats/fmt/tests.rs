//! Nothing is lost, nothing changes its meaning, and what is formatted stays as it is.

use proptest::prelude::*;

use super::*;
use crate::formats::cadence_file::tests::any::{any_cadence, known};
use crate::formats::cadence_file::{self, write};

mod messy;

fn formatted(text: &str) -> String {
    let new = rewritten(Kind::Cadence, text).expect("an outline");
    assert_eq!(format("cadences/x.yaml", Kind::Cadence, text).expect("YAML"), new, "held back");
    assert_eq!(rewritten(Kind::Cadence, &new).as_deref(), Some(new.as_str()), "not stable");
    new
}

#[test]
fn keys_blanks_and_brackets_come_into_their_order() {
    let cases = [
        ("id: a\nformat: cadence/v1\n", "format: cadence/v1\nid: a\n"),
        (
            "limits:\n      per_company_at_once:   2   # third\n",
            "limits:\n  per_company_at_once:   2   # third\n",
        ),
        ("a:   \n\n\n\nb: 1   \n\n\n", "a:\n\nb: 1\n"),
        (
            "steps:\n- day: 1\n  id: a\n  task: {notes: list,title: T}\n- id: b\n  after: 1 day\n  call: { script: s }",
            "steps:\n  - id: a\n    day: 1\n    task: { title: T, notes: list }\n\n  - id: b\n    after: 1 day\n    call: { script: s }\n",
        ),
        (
            "steps:\n  - outcomes: { no_answer: triage }\n    call: { script: s }\n    # who has a number\n    only_if: {has: [ phone ]}\n    day: 1\n    id: a\n",
            "steps:\n  - id: a\n    day: 1\n    # who has a number\n    only_if: { has: [phone] }\n    call: { script: s }\n    outcomes: { no_answer: triage }\n",
        ),
        (
            "steps:\n  # the first\n  -   day: 1\n      # its name\n      id: a\n",
            "steps:\n  # the first\n  # its name\n  - id: a\n    day: 1\n",
        ),
        // Brackets over several lines are joined, and a list is not put into an order.
        (
            "enroll: { profiles: [b,\n   a ],\n  audience: prospects }\n",
            "enroll: { audience: prospects, profiles: [b, a] }\n",
        ),
        // What a merge brings in comes first; what is not known comes last.
        (
            "steps:\n  - zz: 1\n    id: a\n    <<: *b\n",
            "steps:\n  - <<: *b\n    id: a\n    zz: 1\n",
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(rewritten(Kind::Cadence, text).as_deref(), Some(wanted), "{text}");
        assert_eq!(rewritten(Kind::Cadence, wanted).as_deref(), Some(wanted), "{wanted}");
    }
}

#[test]
fn an_alias_never_comes_before_its_anchor() {
    let text = "defaults: { priority: &p high }\nlimits: { x: *p }\nid: a\n";
    assert_eq!(formatted(text), text);
    let apart = "steps:\n  - { id: a }\nshared: &s { x: 1 }\nformat: cadence/v1\n";
    let wanted = "format: cadence/v1\nshared: &s { x: 1 }\nsteps:\n  - { id: a }\n";
    assert_eq!(formatted(apart), wanted);
}

#[test]
fn comments_keep_their_place() {
    let text = "# the file\n\n# about the id\nid: a   # its name\nlimits:\n    a: 1 # one\n    # b: 2\n# days\ndays: business\n# end\n";
    let wanted = "# the file\n\n# about the id\nid: a   # its name\n# days\ndays: business\nlimits:\n  a: 1 # one\n  # b: 2\n# end\n";
    assert_eq!(formatted(text), wanted);
    let schema = "# yaml-language-server: $schema=x\n# $schema: x\ntitle: T\nid: a\n";
    let wanted = "# yaml-language-server: $schema=x\n# $schema: x\nid: a\ntitle: T\n";
    assert_eq!(formatted(schema), wanted);
}

#[test]
fn what_is_not_understood_stays_as_it_is_written() {
    let cases = [
        "title: \"two\n  lines\"\nid:   a\n",
        "title: two\n  lines # c\n\n\n\nid: a\n",
        "about: |2\n    a\n   b\nid: a\n",
        "enroll: { a: b, # why\n  c: d }\nid: a\n",
        "? a\n: b\n",
        "--- \nid: a\n",
        "{ id: a }\n",
        "- a\n",
    ];
    for text in cases {
        let new = format("cadences/x.yaml", Kind::Cadence, text).unwrap();
        let line = text.split("\nid").next().unwrap().trim_end();
        assert!(new.contains(line), "{text} became {new}");
    }
}

#[test]
fn the_lines_of_a_text_keep_their_own_indentation_and_blanks() {
    let text = "about: |   # what\n\n      one  \n        two\n\n      # three\n\n\nid: a\n";
    let wanted = "id: a\nabout: |   # what\n\n  one  \n    two\n\n  # three\n";
    assert_eq!(formatted(text), wanted);
}

#[test]
fn what_does_not_fit_on_a_line_is_opened() {
    let phrase = "Vice President of Sales and of quite a few other things";
    let text = format!("match:\n  title: {{ any: [{phrase}, {phrase}], none: [intern] }} # who\n");
    let wanted = format!(
        "match:\n  title: # who\n    any:\n      - {phrase}\n      - {phrase}\n    none: [intern]\n"
    );
    assert_eq!(rewritten(Kind::Profile, &text), Some(wanted.clone()));
    assert_eq!(rewritten(Kind::Profile, &wanted), Some(wanted));
}

#[test]
fn words_that_other_tools_misread_get_quotes() {
    let text =
        "match:\n  country: { any: [NO, 'SE', us] }\n  x.active: { any: [yes] }\nlanguage: no\n";
    let wanted = "match:\n  country: { any: [\"NO\", 'SE', \"us\"] }\n  x.active: { any: [\"yes\"] }\nlanguage: \"no\"\n";
    assert_eq!(rewritten(Kind::Profile, text).as_deref(), Some(wanted));
}

#[test]
fn what_is_no_yaml_is_an_error() {
    let error = format("cadences/x.yaml", Kind::Cadence, "a: [\n").unwrap_err();
    assert_eq!(error.code, "C001");
}

#[test]
fn only_cadences_and_profiles_are_formatted() {
    assert_eq!(Kind::of_path("cadences/a.yaml"), Some(Kind::Cadence));
    assert_eq!(Kind::of_path("profiles/a.yaml"), Some(Kind::Profile));
    for path in ["templates/a.hbs", "cadences/a.yml", "a.yaml", "firsttouch.toml"] {
        assert_eq!(Kind::of_path(path), None, "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_cadence_means_the_same_however_badly_it_was_written(
        cadence in any_cadence(), chance in prop::collection::vec(any::<u8>(), 64..256),
    ) {
        let path = format!("cadences/{}.yaml", cadence.id);
        let keys = write::tree(&cadence).unwrap();
        let messy::Messy { text, comments } = messy::write(keys, &chance);
        let before = cadence_file::parse(&path, &text, &known()).map(|(cadence, _)| cadence);
        prop_assert_eq!(before.as_ref(), Ok(&cadence), "{}", text);
        // The rewriting itself, without the look at what it means, is right.
        let new = rewritten(Kind::Cadence, &text);
        let Some(new) = new else { return Err(TestCaseError::fail(format!("no outline: {text}"))) };
        let after = cadence_file::parse(&path, &new, &known()).map(|(cadence, _)| cadence);
        prop_assert_eq!(after.as_ref(), Ok(&cadence), "{}\n=====\n{}", text, new);
        let again = rewritten(Kind::Cadence, &new);
        prop_assert_eq!(again.as_ref(), Some(&new), "{}\n=====\n", text);
        for comment in comments {
            prop_assert_eq!(new.matches(&comment).count(), 1, "{} in\n{}\n=====\n{}", comment, text, new);
        }
        prop_assert!(new.lines().all(|line| !line.ends_with(' ') || text.contains(line.trim_start())));
    }

    #[test]
    fn no_text_is_given_another_meaning_or_ends_in_a_panic(
        text in "([a-z]{1,3}: |- |\\{|\\}|\\[|\\]|, |\n|\n  |\n    |\n  - |#a|  #b|\"|'|&a |\\*a|\\||>|[a-z]{1,4}|: ){0,24}",
    ) {
        for kind in [Kind::Cadence, Kind::Profile] {
            let Ok(new) = format("cadences/x.yaml", kind, &text) else { continue };
            let meaning = |text: &str| order::meaning(&yaml::parse("x", text).unwrap().value, kind.section());
            prop_assert_eq!(meaning(&text), meaning(&new));
            prop_assert_eq!(format("cadences/x.yaml", kind, &new).unwrap(), new, "{}", text);
        }
    }
}
