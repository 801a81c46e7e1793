//! What only shows when all steps are seen together.

use super::*;

const HEAD: &str = "format: cadence/v1\nid: plan\ntitle: Plan\nenroll: { audience: prospects, \
    profiles: [vp-sales-saas] }\nlimits: { touches_per_prospect_per_day: 2 }\n";
const MAIL: &str = "email: { template: intro-pain, thread: new }";
const CALL: &str = "call: { script: opener-last }";
const VIEW: &str = "social: { network: linkedin, act: view }";
const TASK: &str = "task: { title: Think }";

/// The rules that are given for steps `a`, `b`, `c`, with the step that each is about.
fn found(head: &str, steps: &[&str]) -> Vec<String> {
    let names = ["a", "b", "c", "d"];
    let steps = steps.iter().zip(names).map(|(step, id)| format!("  - {{ id: {id}, {step} }}\n"));
    let text = format!("{HEAD}{head}steps:\n{}", steps.collect::<String>());
    let found = match parse("cadences/plan.yaml", &text, &known()) {
        Ok((_, warnings)) => warnings,
        Err(findings) => findings,
    };
    let first_step = text.lines().position(|line| line == "steps:").unwrap() + 2;
    let name = |line: usize| line.checked_sub(first_step).and_then(|at| names.get(at));
    found.iter().map(|f| format!("{} {}", f.code, name(f.line).unwrap_or(&"-"))).collect()
}

const BUSINESS: &str = "days: business\ncalendar: us-sales\n";
const WEEKEND: &str = "days: calendar\ncalendar: weekend\n";
const EVERY_DAY: &str = "days: calendar\ncalendar: us-sales\n";

#[test]
fn a_day_is_crowded_when_more_can_happen_than_the_limit_allows() {
    let has = "only_if: { has: [phone] }";
    let cases: &[(&str, &[&str], &[&str])] = &[
        (BUSINESS, &[&format!("day: 1, {MAIL}"), &format!("day: 1, {VIEW}")], &[]),
        (
            BUSINESS,
            &[&format!("day: 1, {MAIL}"), &format!("day: 1, {VIEW}"), &format!("day: 1, {CALL}")],
            &["C601 c"],
        ),
        // A task is no touch, and behind a long wait another day begins.
        (
            BUSINESS,
            &[&format!("day: 1, {TASK}"), &format!("day: 1, {VIEW}"), &format!("day: 1, {CALL}")],
            &[],
        ),
        (
            BUSINESS,
            &[
                &format!("day: 1, {MAIL}"),
                &format!("after: 1 hour, {VIEW}"),
                &format!("after: 1 week, {CALL}"),
            ],
            &[],
        ),
        (
            BUSINESS,
            &[
                &format!("day: 1, {MAIL}"),
                &format!("after: 1 hour, {VIEW}"),
                &format!("after: 5 minutes, {CALL}"),
            ],
            &["C601 c"],
        ),
        // Only one of the two calls can happen.
        (
            BUSINESS,
            &[
                &format!("day: 1, {MAIL}"),
                &format!("day: 1, {has}, {CALL}"),
                &format!("day: 1, skip_if: {{ has: [phone] }}, {VIEW}"),
            ],
            &[],
        ),
        (
            BUSINESS,
            &[
                &format!("day: 1, {MAIL}"),
                &format!("day: 1, {has}, {CALL}"),
                &format!("day: 1, only_if: {{ has_not: [phone] }}, {VIEW}"),
            ],
            &[],
        ),
    ];
    for (head, steps, wanted) in cases {
        assert_eq!(found(head, steps), *wanted, "{steps:#?}");
    }
}

#[test]
fn a_second_mail_of_a_day_is_noticed_however_the_day_is_written() {
    let second =
        |when: &str| found(BUSINESS, &[&format!("day: 3, {MAIL}"), &format!("{when}, {MAIL}")]);
    for when in ["day: 3", "after: 0 minutes", "after: 4 business hours", "after: 0 days"] {
        assert_eq!(second(when), ["C602 b"], "{when}");
    }
    for when in ["day: 4", "after: 1 business day", "after: 10 hours", "after: 2 days"] {
        assert_eq!(second(when), [""; 0], "{when}");
    }
    let apart = |a: &str, b: &str| {
        let steps = [
            format!("day: 1, {CALL}"),
            format!("day: 2, {a}, {MAIL}"),
            format!("day: 2, {b}, {MAIL}"),
        ];
        found(BUSINESS, &steps.each_ref().map(String::as_str))
    };
    let voicemail = "only_if: { outcome: { a: [left_voicemail] } }";
    assert_eq!(apart(voicemail, "only_if: { outcome: { a: [no_answer, gatekeeper] } }"), [""; 0]);
    assert_eq!(
        apart(voicemail, "only_if: { outcome: { a: [no_answer, left_voicemail] } }"),
        ["C602 c"]
    );
}

#[test]
fn a_step_whose_conditions_can_never_hold_is_named() {
    let third = |condition: &str| {
        let steps = [
            format!("day: 1, {CALL}"),
            format!("day: 2, only_if: {{ outcome: {{ a: [not_interested] }} }}, {VIEW}"),
            format!("day: 3, {condition}, {MAIL}"),
        ];
        let found = found(BUSINESS, &steps.each_ref().map(String::as_str));
        assert_eq!(found.first().map(String::as_str), Some("C603 b"), "{condition}");
        found.len() == 2 && found[1] == "C603 c"
    };
    for never in [
        "only_if: { outcome: { a: [not_interested, meeting_booked] } }",
        "only_if: { outcome: { b: [done] } }",
        "only_if: { has: [phone], has_not: [phone] }",
        "only_if: { has_not: [email] }",
        "skip_if: { has: [email] }",
        "only_if: { has: [phone] }, skip_if: { has: [phone] }",
        "only_if: { any: [ { has_not: [email] }, { outcome: { a: [not_interested] } } ] }",
    ] {
        assert!(third(never), "{never}");
    }
    for sometimes in [
        "only_if: { outcome: { a: [not_interested, no_answer] } }",
        "only_if: { outcome: { b: [skipped] } }",
        "only_if: { has: [phone], has_not: [linkedin_url] }",
        "skip_if: { has: [email, phone] }",
        "skip_if: { has: [phone] }",
        "only_if: { any: [ { has_not: [email] }, { outcome: { a: [no_answer] } } ] }",
    ] {
        assert!(!third(sometimes), "{sometimes}");
    }
}

#[test]
fn a_wait_that_always_ends_on_a_closed_day_is_named() {
    let second = |head: &str, when: &str| {
        found(head, &[&format!("day: 1, {CALL}"), &format!("{when}, {CALL}")])
    };
    for when in ["after: 2 days", "after: 12 days", "day: 4", "day: 5"] {
        assert_eq!(second(WEEKEND, when), ["C604 b"], "{when}");
    }
    for when in ["after: 1 week", "after: 1 day", "after: 6 days", "day: 2", "after: 2 hours"] {
        assert_eq!(second(WEEKEND, when), [""; 0], "{when}");
    }
    // From Monday to Friday no length always ends on a weekend.
    for days in 1..15 {
        assert_eq!(second(EVERY_DAY, &format!("after: {days} days")), [""; 0], "{days}");
    }
}
