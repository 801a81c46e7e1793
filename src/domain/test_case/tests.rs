use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn deed(day: u32, kind: Kind, name: &str) -> Deed {
    let at = date(2026, 3, 1).at(8, 0, 0, 0).checked_add(jiff::Span::new().days(i64::from(day)));
    let (name, details) = (name.to_owned(), Details::default());
    Deed { at: at.unwrap(), day: Some(day), kind, name, details }
}

fn line(day: u32, kind: Kind, name: &str) -> Line {
    let details = Details::default();
    Line { kind, name: name.to_owned(), day: Some(day), on: None, at: None, details, line: 1 }
}

fn test(extent: Extent, expected: Vec<Line>) -> TestCase {
    TestCase {
        name: "a".to_owned(),
        line: 1,
        enrolled_at: date(2026, 3, 2).at(8, 0, 0, 0),
        person: Person::default(),
        vacant: BTreeSet::new(),
        holidays: BTreeSet::new(),
        answers: BTreeMap::new(),
        usual: BTreeMap::new(),
        decisions: BTreeMap::new(),
        events: Vec::new(),
        until: None,
        expected,
        extent,
        never: Vec::new(),
        ends: None,
        not_enrolled: None,
    }
}

/// `=` fine, `~` otherwise, `-` missing, `+` unwanted.
fn signs(test: &TestCase, deeds: &[Deed]) -> String {
    let compared = compare(test, deeds);
    let sign = |row: &Row| match row {
        Row::Fine(_) => '=',
        Row::Other(..) => '~',
        Row::Missing(_) => '-',
        Row::Unwanted(_) => '+',
    };
    compared.rows.iter().map(sign).collect()
}

#[test]
fn what_differs_is_told_once_and_where_it_is() {
    use Extent::{Everything, Some};
    use Kind::{Sent, Skipped, Task};
    let story = [deed(1, Sent, "a"), deed(2, Task, "b"), deed(3, Sent, "c")];
    for (extent, lines, wanted) in [
        (Everything, vec![line(1, Sent, "a"), line(2, Task, "b"), line(3, Sent, "c")], "==="),
        (Everything, vec![line(1, Sent, "a"), line(4, Task, "b"), line(3, Sent, "c")], "=~="),
        (Everything, vec![line(1, Sent, "a"), line(2, Skipped, "b"), line(3, Sent, "c")], "=~="),
        (Everything, vec![line(1, Sent, "a"), line(3, Sent, "c")], "=+="),
        (Everything, vec![], "+++"),
        (
            Everything,
            vec![line(1, Sent, "a"), line(2, Sent, "x"), line(2, Task, "b"), line(3, Sent, "c")],
            "=-==",
        ),
        (Some, vec![line(3, Sent, "c")], "==="),
        (Some, vec![], "==="),
        (Some, vec![line(4, Sent, "c")], "==~"),
        (Some, vec![line(4, Sent, "x")], "-==="),
        // In order: what comes before cannot come behind.
        (Some, vec![line(3, Sent, "c"), line(1, Sent, "a")], "-==="),
    ] {
        let test = test(extent, lines);
        assert_eq!(signs(&test, &story), wanted, "{:?}", test.expected);
    }
}

#[test]
fn the_nearest_of_several_tries_is_the_one_that_is_meant() {
    let with = |deed: Deed, outcome: &str| {
        let outcome = Some(outcome.to_owned());
        Deed { details: Details { outcome, ..Details::default() }, ..deed }
    };
    let story =
        [with(deed(2, Kind::Task, "b"), "no_answer"), with(deed(2, Kind::Task, "b"), "done")];
    let mut second = line(2, Kind::Task, "b");
    second.details.outcome = Some("done".to_owned());
    assert_eq!(signs(&test(Extent::Some, vec![second.clone()]), &story), "==");
    second.details.outcome = Some("expired".to_owned());
    assert!(signs(&test(Extent::Some, vec![second]), &story).contains('~'));
}

#[test]
fn what_must_never_be_is_a_difference_even_when_it_was_expected_in_part() {
    let story = [deed(1, Kind::Sent, "a"), deed(2, Kind::Skipped, "b")];
    let mut forbidding = test(Extent::Some, vec![]);
    forbidding.never = vec![StepId::from("a"), StepId::from("b")];
    // A step that was passed over did not happen.
    assert_eq!(signs(&forbidding, &story), "+=");
}

#[test]
fn the_end_need_not_be_listed_where_ends_says_it() {
    let story = [deed(1, Kind::Sent, "a"), deed(1, Kind::Ended, "replied")];
    let mut listed = test(Extent::Everything, vec![line(1, Kind::Sent, "a")]);
    assert_eq!(signs(&listed, &story), "=+");
    listed.ends = Some(Standing::Ended(Ending::Replied));
    assert_eq!(signs(&listed, &story), "==");
}

#[test]
fn a_reason_is_meant_whole_or_by_its_head() {
    for (wanted, found, fits) in [
        ("missing_field", Some("missing_field:phone"), true),
        ("missing_field:phone", Some("missing_field:phone"), true),
        ("missing_field:email", Some("missing_field:phone"), false),
        ("missing", Some("missing_field:phone"), false),
        ("conditions", None, false),
    ] {
        assert_eq!(is_reason(wanted, found), fits, "{wanted} {found:?}");
    }
}

fn any_story() -> impl Strategy<Value = Vec<Deed>> {
    let kind = prop::sample::select(vec![Kind::Sent, Kind::Task, Kind::Skipped]);
    let one = (0..4_u32, kind, prop::sample::select(vec!["a", "b", "c"]));
    prop::collection::vec(one, 0..12).prop_map(|mut all| {
        all.sort_by_key(|(day, ..)| *day);
        all.into_iter().map(|(day, kind, name)| deed(day + 1, kind, name)).collect()
    })
}

fn lines_of(story: &[Deed]) -> Vec<Line> {
    story.iter().map(|deed| line(deed.day.unwrap(), deed.kind, &deed.name)).collect()
}

proptest! {
    #[test]
    fn a_story_is_like_itself_and_without_one_line_differs_once(story in any_story(), at in 0..12_usize) {
        let whole = test(Extent::Everything, lines_of(&story));
        prop_assert!(compare(&whole, &story).is_same());
        prop_assume!(at < story.len());
        let mut fewer = story.clone();
        fewer.remove(at);
        let differing = |test: &TestCase, story: &[Deed]| {
            compare(test, story).rows.iter().filter(|row| row.differs()).count()
        };
        prop_assert_eq!(differing(&whole, &fewer), 1);
        let part = test(Extent::Some, lines_of(&fewer));
        prop_assert!(compare(&part, &story).is_same());
        prop_assert_eq!(differing(&test(Extent::Everything, lines_of(&fewer)), &story), 1);
    }

    #[test]
    fn every_deed_and_every_line_stands_in_the_comparison_once(
        story in any_story(),
        other in any_story(),
        everything in any::<bool>(),
    ) {
        let extent = if everything { Extent::Everything } else { Extent::Some };
        let test = test(extent, lines_of(&other));
        let compared = compare(&test, &story);
        let deeds = compared.rows.iter().filter(|row| !matches!(row, Row::Missing(_))).count();
        prop_assert_eq!(deeds, story.len());
    }
}
