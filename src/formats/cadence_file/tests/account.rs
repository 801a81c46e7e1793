//! Cadences in which an enrollment covers a company.

use super::*;
use crate::domain::cadence::{Cadence, Covers, Others};
use crate::domain::ids::BuyerRole;
use crate::formats::cadence_file::changes::changes;

const ACCOUNT: &str = "format: cadence/v1
id: account
title: Account
unit: company
roles:
  economic: revops-saas
  champion: vp-sales-saas
enroll: { audience: prospects, profiles: [vp-sales-saas, revops-saas] }
days: business
calendar: us-sales
steps:
  - { id: think, day: 1, task: { title: Think } }
  - { id: mail-1, day: 1, to: [champion], email: { template: intro-pain, thread: new } }
  - { id: mail-2, day: 1, to: [economic], email: { template: new-angle, thread: new } }
  - { id: call, day: 2, to: [economic, champion], call: { script: opener-last } }
  - { id: mail-3, day: 4, to: [champion], email: { template: bump-one-question, thread: reply } }
";

fn read(text: &str) -> Result<(Cadence, Vec<Diagnostic>), Vec<Diagnostic>> {
    parse("cadences/account.yaml", text, &known())
}

fn found(text: &str) -> Vec<String> {
    let findings = match read(text) {
        Ok((_, warnings)) => warnings,
        Err(findings) => findings,
    };
    let line = |finding: &Diagnostic| {
        finding.to_string().trim_start_matches("cadences/account.yaml:").to_owned()
    };
    findings.iter().map(line).collect()
}

/// The example with one thing different.
fn with(part: &str, instead: &str) -> String {
    assert!(ACCOUNT.contains(part), "{part}");
    ACCOUNT.replacen(part, instead, 1)
}

#[test]
fn an_account_is_read_as_it_is_written() {
    let (cadence, warnings) = read(ACCOUNT).unwrap();
    assert_eq!(warnings, []);
    let role = |role: &str, profile: &str| (BuyerRole::from(role), ProfileId::from(profile));
    let roles = vec![role("economic", "revops-saas"), role("champion", "vp-sales-saas")];
    assert_eq!(cadence.unit, Covers::Company { roles });
    let to: Vec<Vec<&str>> = { cadence.steps.iter() }
        .map(|step| step.to.iter().map(BuyerRole::as_str).collect())
        .collect();
    let call = vec!["economic", "champion"];
    assert_eq!(to, [vec![], vec!["champion"], vec!["economic"], call, vec!["champion"]]);
    assert_eq!(cadence.company.on_reply, Others::Pause);
    assert_eq!(cadence.company.on_meeting, Others::Stop);
}

#[test]
fn every_mistake_with_roles_is_told_once_and_with_its_place() {
    let two_days = ("touches_per_company_per_week: 4", "per_company_at_once: 2");
    let limits = |limit: &str| with("days: bus", &format!("limits: {{ {limit} }}\ndays: bus"));
    assert_eq!(found(&limits(two_days.0)), [""; 0]);
    let cases = [
        (limits(two_days.1), "9:32: warning[C118]: `per_company_at_once` has no meaning"),
        (with("unit: company\n", ""), "5:3: error[C113]: `roles` is for a cadence with"),
        (with("unit: company", "unit: prospect"), "6:3: error[C113]: `roles` is for a cadence"),
        (with("unit: company", "unti: company"), "4:1: error[C002]: a cadence has no key `unti`"),
        (
            with("unit: company", "unit: compny"),
            "4:7: error[C004]: `unit` is one of prospect, company, not `compny`; did you mean `company`?",
        ),
        (
            with("revops-saas] }", "revops-saas], when: { event: form } }"),
            "8:78: error[C900]: `enroll.when with unit: company` is part of the language",
        ),
        (with("unit: company", "unit:"), "4:1: error[C004]: `unit` has no value"),
        (
            with("roles:\n  economic: revops-saas\n  champion: vp-sales-saas\n", ""),
            "4:7: error[C113]: `unit: company` needs `roles`",
        ),
        (with("roles:", "rols:"), "5:1: error[C002]: a cadence has no key `rols`; did you mean"),
        (with("roles:\n", "roles: [a]\nshared:\n"), "5:8: error[C004]: `roles` is a map of keys"),
        (
            with("economic: revops-saas", "economic: revop-saas"),
            "6:13: error[C108]: there is no profile `revop-saas`; did you mean `revops-saas`?",
        ),
        (
            with("profiles: [vp-sales-saas, revops-saas]", "profiles: [vp-sales-saas]"),
            "6:13: error[C114]: `economic` is found by the profile `revops-saas`, but \
             `enroll.profiles` does not let it in\n  add `revops-saas` to",
        ),
        (
            with("economic: revops-saas", "economic: vp-sales-saas"),
            "6:3: warning[C114]: `enroll.profiles` lets in `revops-saas`, but no role",
        ),
        (
            with("to: [champion]", "to: [champoin]"),
            "13:32: error[C115]: there is no role `champoin`; did you mean `champion`?",
        ),
        (
            with("to: [economic, champion]", "to: [economic, economic]"),
            "15:40: error[C115]: `to` names `economic` twice",
        ),
        (
            with("to: [champion]", "to: champion"),
            "13:31: error[C004]: `to` is a list, not a single word or text\n  write it as [champion]",
        ),
        (
            with("to: [economic, champion]", "to: [technical]"),
            "15:30: error[C115]: there is no role `technical`\n  known here: economic, champion",
        ),
        (
            with("to: [champion]", "tos: [champion]"),
            "13:27: error[C002]: a step has no key `tos`; did you mean `to`?",
        ),
        (
            with("  champion: vp", "  technical: revops-saas\n  champion: vp"),
            "7:3: warning[C116]: no step is for the role `technical`",
        ),
        (
            with("to: [economic, champion], ", ""),
            "15:11: error[C117]: step `call` touches somebody, but does not say whom\n  say for \
             whom: `to: [economic]`; the roles are: economic, champion",
        ),
        (
            with("days: bus", "company: { on_reply: nothing }\ndays: bus"),
            "9:22: error[C118]: with `unit: company` the others always wait",
        ),
        (
            with("day: 4, to: [champion]", "day: 4, to: [champion, economic]").replace(
                "to: [economic], email: { template: new-angle, thread: new }",
                "to: [economic], task: { title: T }",
            ),
            "16:99: error[C302]: `thread: reply`, but no earlier email step starts a thread with `economic`",
        ),
    ];
    let mut wrong = Vec::new();
    for (text, said) in cases {
        let found = found(&text);
        if found.len() != 1 || !found[0].starts_with(said) {
            wrong.push(format!("{said}\n{found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn for_single_persons_nothing_is_for_a_role() {
    let person =
        with("unit: company\nroles:\n  economic: revops-saas\n  champion: vp-sales-saas\n", "");
    let found = found(&person);
    let codes: Vec<&str> = found.iter().filter_map(|f| f.split(['[', ']']).nth(1)).collect();
    assert_eq!(codes, ["C113"; 4], "{found:#?}");
}

#[test]
fn an_account_has_one_role_to_eight() {
    let roles = |count: usize| {
        let lines = (0..count).map(|n| format!("  r{n}: vp-sales-saas\n"));
        with("  champion: vp", &format!("{}  champion: vp", lines.collect::<String>()))
    };
    let is_too_many = |text: &str| found(text).iter().any(|f| f.contains("1 to 8 roles, not 9"));
    assert!(!is_too_many(&roles(6)) && is_too_many(&roles(7)));
}

#[test]
fn what_happens_on_one_day_is_counted_for_each_role() {
    let mail = "email: { template: new-angle, thread: new }";
    let second = |to: &str| {
        let step =
            format!("  - {{ id: call, day: 1, to: [{to}], {mail} }}\n  - {{ id: call-1, day: 2,");
        found(&with("  - { id: call, day: 2,", &step))
    };
    let is_told = |to: &str| second(to).iter().any(|f| f.contains("C602"));
    // Both of the first day have a mail already.
    assert!(is_told("champion") && is_told("economic") && is_told("economic, champion"));
    let limits = "limits: { touches_per_prospect_per_day: 1 }\ndays: bus";
    let one_a_day = with("days: bus", limits);
    assert_eq!(found(&one_a_day), [""; 0]);
    let two =
        one_a_day.replace("call, day: 2, to: [economic, champion]", "call, day: 1, to: [champion]");
    assert!(found(&two).len() == 1 && found(&two)[0].contains("C601"), "{:?}", found(&two));
}

#[test]
fn one_persons_no_ends_nothing_for_the_others() {
    let after = |condition: &str, to: &str| {
        let step = format!(
            "- {{ id: mail-3, day: 4, only_if: {{ outcome: {{ {condition} }} }}, to: [{to}]"
        );
        let text = with("- { id: mail-3, day: 4, to: [champion]", &step)
            .replace("call, day: 2, to: [economic, champion]", "call, day: 2, to: [champion]");
        let found = found(&text);
        assert!(found.iter().all(|f| f.contains("C603")), "{found:#?}");
        found.len()
    };
    assert_eq!(after("call: [not_interested]", "economic"), 0);
    assert_eq!(after("call: [not_interested]", "champion"), 1);
    assert_eq!(after("call: [no_answer, not_interested]", "champion"), 0);
    // A meeting with one ends it for all.
    assert_eq!(after("call: [meeting_booked]", "economic"), 1);
}

#[test]
fn only_what_all_people_of_a_step_have_is_taken_for_granted() {
    let mut known = known();
    known.profiles.insert("revops-saas".to_owned(), ["phone".to_owned()].into());
    let step = |to: &str| {
        let step = format!("only_if: {{ has_not: [phone] }}, to: [{to}], call");
        let text = with("to: [economic, champion], call", &step);
        parse("cadences/account.yaml", &text, &known).unwrap().1.len()
    };
    assert_eq!((step("economic"), step("champion"), step("economic, champion")), (1, 0, 0));
}

#[test]
fn what_changes_for_accounts_is_told_key_by_key() {
    let changed = |text: &str| -> Vec<(String, Option<String>, Option<String>)> {
        let (before, after) = (read(ACCOUNT).unwrap().0, read(text).unwrap().0);
        changes(&before, &after).into_iter().map(|c| (c.key, c.before, c.after)).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    let swapped = with(
        "  economic: revops-saas\n  champion: vp-sales-saas\n",
        "  champion: vp-sales-saas\n  economic: revops-saas\n",
    );
    let before = text("{ economic: revops-saas, champion: vp-sales-saas }");
    let after = text("{ champion: vp-sales-saas, economic: revops-saas }");
    assert_eq!(changed(&swapped), [("roles".to_owned(), before, after)]);
    let fewer = with("to: [economic, champion]", "to: [champion]");
    let (before, after) = (text("[economic, champion]"), text("[champion]"));
    assert_eq!(changed(&fewer), [("to".to_owned(), before, after)]);
}

#[test]
fn an_account_is_written_as_a_person_would() {
    let (cadence, _) = read(ACCOUNT).unwrap();
    let text = crate::formats::cadence_file::write::write(&cadence).unwrap();
    let head =
        "\nunit: company\nroles:\n  economic: revops-saas\n  champion: vp-sales-saas\n\nenroll:";
    assert!(text.contains(head), "{text}");
    assert!(text.contains("    day: 2\n    to: [economic, champion]\n    call:"), "{text}");
    assert!(!text.contains("company:\n"), "{text}");
    assert_eq!(read(&text).unwrap().0, cadence);
}
