//! Lines, fits, points and choices, case by case.

use super::*;
use crate::domain::cadence::Test;
use crate::domain::prospect::{CompanyDraft, ProspectDraft};

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn facts(pairs: Pairs<'_>) -> Facts {
    Facts::from_iter(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
}

pub(super) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(super) fn wants(field: &str, any: &[&str], none: &[&str]) -> Criterion {
    let wants = Wants::Words { any: strings(any), none: strings(none) };
    Criterion { field: field.to_owned(), wants }
}

pub(super) fn within(field: &str, low: u64, high: Option<u64>) -> Criterion {
    Criterion { field: field.to_owned(), wants: Wants::Within(Range { low, high }) }
}

pub(super) fn profile(id: &str, criteria: Vec<Criterion>) -> Profile {
    Profile {
        id: ProfileId::from(id),
        title: String::new(),
        about: String::new(),
        criteria,
        require: strings(&["email"]),
        prefer: strings(&["phone"]),
        score: vec![ScoreLine { add: 20, when: vec![Condition::Has(strings(&["trigger"]))] }],
        say: BTreeMap::new(),
        language: None,
    }
}

#[test]
fn every_line_has_a_verdict_and_a_reason() {
    let title = || wants("title", &["VP Sales", "Head of Sales", "CRO"], &["assistant"]);
    let level = || wants("seniority", &["c_level", "vp"], &[]);
    let staff = || within("employees", 51, Some(1000));
    let cases: Vec<(Criterion, Pairs<'_>, Verdict, &str)> = vec![
        (title(), &[("title", "VP, Sales")], Verdict::Held, "title `VP, Sales` has `VP Sales`"),
        (
            title(),
            &[("title", "Account Executive")],
            Verdict::Failed,
            "title `Account Executive` has none of: VP Sales, Head of Sales, CRO",
        ),
        (
            title(),
            &[("title", "Assistant to the CRO")],
            Verdict::Failed,
            "title `Assistant to the CRO` has `assistant`, which the profile rules out",
        ),
        (title(), &[], Verdict::Unknown, "title is unknown"),
        (
            wants("title", &[], &["intern"]),
            &[("title", "Head of International")],
            Verdict::Held,
            "title `Head of International` has none of: intern",
        ),
        (wants("title", &[], &["intern"]), &[], Verdict::Unknown, "title is unknown"),
        (
            level(),
            &[("title", "VP Sales")],
            Verdict::Held,
            "seniority `vp` (from the title) has `vp`",
        ),
        (
            level(),
            &[("title", "VP Sales"), ("seniority", "Manager")],
            Verdict::Failed,
            "seniority `manager` has none of: c_level, vp",
        ),
        (level(), &[("seniority", "C-Suite")], Verdict::Held, "seniority `c_level` has `c_level`"),
        (level(), &[("title", "Digital Nomad")], Verdict::Unknown, "seniority is unknown"),
        (staff(), &[("employees", "51")], Verdict::Held, "employees `51` is in 51 to 1000"),
        (staff(), &[("employees", "1000")], Verdict::Held, "employees `1000` is in 51 to 1000"),
        (staff(), &[("employees", "50")], Verdict::Failed, "employees `50` is not in 51 to 1000"),
        (staff(), &[("employees", "1001")], Verdict::Failed, "is not in 51 to 1000"),
        (staff(), &[("employees", "many")], Verdict::Unknown, "is not a whole number"),
        (
            within("employees", 1001, None),
            &[("employees", "90000")],
            Verdict::Held,
            "employees `90000` is in 1001 and more",
        ),
        (
            wants("x.stack", &["postgres"], &[]),
            &[("x.stack", "Rust, Postgres")],
            Verdict::Held,
            "x.stack `Rust, Postgres` has `postgres`",
        ),
    ];
    for (criterion, known, verdict, reason) in cases {
        let known = facts(known);
        let line = judge(&criterion, &known, &completed(&known));
        assert_eq!(line.verdict, verdict, "{line:?}");
        assert!(line.reason.contains(reason), "{line:?}");
    }
}

#[test]
fn a_long_list_of_words_stays_short_in_the_reason() {
    let many = strings(&["a", "b", "c", "d", "e", "f", "g", "h"]);
    assert_eq!(listed(&many), "a, b, c, d, e, f and 2 more");
}

#[test]
fn who_fits_is_scored_who_lacks_a_required_field_is_incomplete() {
    let sales =
        profile("sales", vec![wants("title", &["sales"], &[]), within("employees", 10, None)]);
    let cases: Vec<(Pairs<'_>, Fit)> = vec![
        (
            &[("title", "VP Sales"), ("employees", "20"), ("email", "a@b.example")],
            Fit::Fits { score: 0 },
        ),
        (
            &[
                ("title", "VP Sales"),
                ("employees", "20"),
                ("email", "a@b.example"),
                ("phone", "+1"),
                ("x.trigger", "new office"),
            ],
            Fit::Fits { score: 21 },
        ),
        (
            &[("title", "VP Sales"), ("employees", "20")],
            Fit::Incomplete { missing: strings(&["email"]) },
        ),
        (&[("title", "CFO")], Fit::DoesNotFit { failed: strings(&["title", "employees"]) }),
        (&[], Fit::DoesNotFit { failed: strings(&["title", "employees"]) }),
    ];
    for (known, fit) in cases {
        assert_eq!(evaluate(&sales, &facts(known)).fit, fit);
    }
}

#[test]
fn points_come_with_their_reasons() {
    let mut rich = profile("rich", vec![wants("title", &["sales"], &[])]);
    let at_least = Condition::Field(vec![("employees".to_owned(), Test::AtLeast(200.0))]);
    let lacks = Condition::HasNot(strings(&["linkedin_url"]));
    rich.score.push(ScoreLine { add: 10, when: vec![at_least, lacks.clone()] });
    rich.score.push(ScoreLine { add: -5, when: vec![Condition::Any(vec![vec![lacks]])] });
    let known = facts(&[("employees", "200"), ("trigger", "x"), ("phone", "+1")]);
    let wanted = [
        (20, "trigger is known"),
        (10, "employees is at least 200 and linkedin_url is unknown"),
        (-5, "linkedin_url is unknown"),
        (1, "preferred: phone is known"),
    ];
    let got = evaluate(&rich, &known).score_lines;
    assert_eq!(got, wanted.map(|(add, why)| (add, why.to_owned())));
}

#[test]
fn the_best_score_wins_and_of_equals_the_first() {
    let plain = profile("plain", vec![wants("title", &["sales"], &[])]);
    let twin = profile("twin", vec![wants("title", &["vp"], &[])]);
    let mut better = profile("better", vec![wants("title", &["vp sales"], &[])]);
    better.score.push(ScoreLine { add: 1, when: vec![Condition::Has(strings(&["title"]))] });
    let other = profile("other", vec![wants("title", &["cfo"], &[])]);
    let known = facts(&[("title", "VP Sales"), ("email", "a@b.example")]);
    let chosen = |list: &[&Profile]| {
        let choice = best(list.iter().copied(), &known);
        assert_eq!(choice.evaluations.len(), list.len());
        choice.chosen.map(|(profile, score)| (profile.id.to_string(), score))
    };
    assert_eq!(chosen(&[&other, &plain, &twin]), Some(("plain".to_owned(), 0)));
    assert_eq!(chosen(&[&twin, &plain, &better]), Some(("better".to_owned(), 1)));
    assert_eq!(chosen(&[&other]), None);
    assert_eq!(chosen(&[]), None);
}

#[test]
fn a_company_range_is_inside_when_most_of_it_is() {
    let range = |low, high| Range { low, high };
    let wanted = range(51, Some(1000));
    let cases = [
        (range(51, Some(200)), Overlap::All),
        (range(51, Some(1000)), Overlap::All),
        (range(50, Some(200)), Overlap::Most),
        (range(501, Some(1500)), Overlap::Most),
        (range(201, Some(5000)), Overlap::Less),
        (range(1000, Some(5000)), Overlap::Less),
        (range(501, None), Overlap::Less),
        (range(1001, Some(5000)), Overlap::None),
        (range(11, Some(50)), Overlap::None),
        (range(0, Some(u64::MAX)), Overlap::Less),
    ];
    for (value, overlapping) in cases {
        assert_eq!(overlap(value, wanted), overlapping, "{value:?}");
    }
    assert_eq!(overlap(range(501, None), range(201, None)), Overlap::All);
    assert_eq!(overlap(range(101, None), range(201, None)), Overlap::Most);
}

#[test]
fn a_range_of_the_list_is_shown_in_full() {
    let size = |employees| {
        let company = CompanyDraft { employees: Some(employees), ..CompanyDraft::default() };
        Facts::of_draft(&ProspectDraft { company, ..ProspectDraft::default() })
    };
    let cases = [
        (Range { low: 51, high: Some(200) }, "employees `51-200` is in 51 to 1000"),
        (Range { low: 40, high: Some(200) }, "employees `40-200` is mostly in 51 to 1000"),
        (Range { low: 1000, high: None }, "employees `1000+` is mostly not in 51 to 1000"),
        (Range { low: 60, high: Some(60) }, "employees `60` is in 51 to 1000"),
    ];
    for (employees, reason) in cases {
        let known = size(employees);
        let line = judge(&within("employees", 51, Some(1000)), &known, &completed(&known));
        assert_eq!(line.reason, reason);
    }
}
