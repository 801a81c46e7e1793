//! Example 1 of the language in the subset that runs, and broken copies of it.

use proptest::prelude::*;

use crate::domain::cadence::{
    Admission, Audience, Condition, Content, EnrollWhen, MailMode, Outcome, Seen, SocialAct, Test,
    Thread, Verb, What, When,
};
use crate::domain::facts::fill;
use crate::domain::ids::{ProfileId, StepId};
use crate::domain::prospect::{ProspectDraft, Relationship};
use crate::formats::diagnostic::Severity;

use super::*;

mod account;
pub(in crate::formats) mod any;
mod mistakes;
mod plan;
mod writing;

const PATH: &str = "cadences/saas-outbound-14d.yaml";

const SAAS: &str = r#"# yaml-language-server: $schema=../schema/cadence.v1.schema.json
format: cadence/v1
id: saas-outbound-14d
title: SaaS outbound, 14 working days
about: |
  Cold outbound to revenue leaders at B2B SaaS companies with 51-1,000 staff.
  Goal: a 20-minute discovery call.

enroll:
  audience: prospects                # customers can never be enrolled by mistake
  profiles: [vp-sales-saas, revops-saas]
  when: manual
  again_after: 90 days

days: business
calendar: us-sales
send_window: ["15:30-17:00", "07:30-10:30"]

limits:
  new_per_rep_per_day: 25
  per_company_at_once: 2             # third colleague waits; the board says why
  touches_per_prospect_per_day: 3

defaults:
  by: owner
  expires_after: 5 business days

shared:
  again: &again
    no_answer:  { retry: { after: 4 business hours, max: 1 } }

steps:
  - id: email-1
    day: 1
    email:
      split: { intro-pain: 50, intro-trigger: 50 }
      thread: new

  - id: li-view
    day: 1
    only_if: { has: [linkedin_url] }
    social: { network: linkedin, act: view }

  - id: call-1
    day: 2
    only_if: { has: [phone] }
    call:
      script: opener-discovery
      voicemail: vm-first            # what to say if the voicemail picks up
    outcomes:
      <<: *again
      gatekeeper: { retry: { after: 1 business day, max: 2 } }
      expired: triage

  - id: email-2-after-voicemail
    day: 2
    only_if: { outcome: { call-1: [left_voicemail] } }
    email: { template: just-left-you-a-voicemail, thread: reply, mode: auto }

  - id: email-2
    day: 3
    skip_if: { outcome: { call-1: [left_voicemail] } }
    email: { template: bump-one-question, thread: reply }

  - id: li-connect
    day: 4
    only_if: { has: [linkedin_url], field: { employees: ">= 200" } }
    social: { network: linkedin, act: connect, text: li-connect-note }

  - id: research
    after: 2 hours
    priority: high
    expires_after: 1 business day
    task: { title: Find one fact, notes: research-list }

  - id: li-message
    day: 9
    only_if:
      any:
        - { outcome: { li-connect: [accepted, already_connected] } }
        - { outcome: { research: [skipped, expired] }, has_not: [x.trigger] }
    social: { network: linkedin, act: message, text: li-message-resource }

  - id: call-4
    day: 12
    call: { script: opener-last, voicemail: none }

  - id: email-5
    day: 14
    email: { template: close-the-loop, thread: reply }

at_end: { pause: 60 days }
"#;

fn known() -> Known {
    let weekdays = [true, true, true, true, true, false, false];
    let weekend = [false, false, false, false, false, true, true];
    let calendars = [("us-sales", weekdays), ("de-sales", weekdays), ("weekend", weekend)]
        .map(|(name, works)| (name.to_owned(), works));
    let profiles = ["vp-sales-saas", "revops-saas"];
    let profiles = profiles.map(|name| (name.to_owned(), ["email".to_owned()].into()));
    let with = |names: &[&str], has_subject| -> Vec<(String, TemplateInfo)> {
        let info = TemplateInfo { has_subject, least_characters: 80 };
        names.iter().map(|name| ((*name).to_owned(), info)).collect()
    };
    let plain = [
        "just-left-you-a-voicemail",
        "bump-one-question",
        "close-the-loop",
        "opener-discovery",
        "opener-last",
        "vm-first",
        "li-connect-note",
        "li-message-resource",
        "research-list",
    ];
    let begins = ["intro-pain", "intro-trigger", "new-angle"];
    Known {
        applied: false,
        calendars: Some(calendars.into()),
        profiles: profiles.into(),
        cadences: ["saas-outbound-14d".to_owned(), "nurture".to_owned()].into(),
        roles: Some(["account_manager".to_owned()].into()),
        templates: with(&plain, false).into_iter().chain(with(&begins, true)).collect(),
    }
}

fn findings(text: &str) -> Vec<String> {
    let found = match parse(PATH, text, &known()) {
        Ok((_, warnings)) => warnings,
        Err(findings) => findings,
    };
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn the_example_is_read_as_it_is_written() {
    let (cadence, warnings) = parse(PATH, SAAS, &known()).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(cadence.id.as_str(), "saas-outbound-14d");
    assert!(cadence.about.ends_with("discovery call."), "{}", cadence.about);
    assert_eq!(cadence.audience, Audience::Prospects);
    let profiles = ["vp-sales-saas", "revops-saas"].map(ProfileId::from).to_vec();
    assert_eq!(cadence.profiles, Admission::OneOf(profiles));
    assert_eq!(cadence.again_after, Some(Delay::new(90, Unit::Days)));
    assert_eq!((cadence.days, cadence.calendar.as_str()), (DayKind::Business, "us-sales"));
    let windows: Vec<String> = cadence.send_window.iter().map(ToString::to_string).collect();
    assert_eq!(windows, ["07:30-10:30", "15:30-17:00"]);
    assert_eq!(cadence.limits.per_company_at_once, Some(2));
    assert_eq!(cadence.at_end, Verb::Pause(Delay::new(60, Unit::Days)));
    assert_eq!(cadence.steps.len(), 10);
}

#[test]
fn every_kind_of_step_is_read_as_it_is_written() {
    let (cadence, _) = parse(PATH, SAAS, &known()).unwrap();
    let step = |id: &str| cadence.step(&StepId::from(id)).unwrap().1;
    let first = step("email-1");
    let split = vec![("intro-pain".to_owned(), 50), ("intro-trigger".to_owned(), 50)];
    assert_eq!(
        first.what,
        What::Email { content: Content::Split(split), thread: Thread::New, mode: MailMode::Auto }
    );
    assert_eq!(first.when, When::Day(1));
    assert_eq!(first.expires_after, Delay::new(5, Unit::BusinessDays));
    assert_eq!(first.priority, Priority::Normal);

    let call = step("call-1");
    let voicemail = Some("vm-first".to_owned());
    assert_eq!(call.what, What::Call { script: "opener-discovery".to_owned(), voicemail });
    let again = Verb::Retry { after: Delay::new(4, Unit::BusinessHours), max: 1 };
    assert_eq!(call.verb(&Outcome::from("no_answer")), again);
    assert_eq!(call.verb(&Outcome::from("expired")), Verb::Triage);
    assert_eq!(call.verb(&Outcome::from("meeting_booked")), Verb::Stop);

    let research = step("research");
    assert_eq!(research.when, When::After(Delay::new(2, Unit::Hours)));
    assert_eq!(research.expires_after, Delay::new(1, Unit::BusinessDays));
    assert_eq!(research.priority, Priority::High);

    let message = step("li-message");
    let text = Some("li-message-resource".to_owned());
    let act = SocialAct::Message;
    assert_eq!(message.what, What::Social { network: "linkedin".to_owned(), act, text });
    let line = |id: &str, outcomes: &[&str]| {
        let outcomes = outcomes.iter().map(|slug| Outcome::from(*slug)).collect();
        Condition::Outcome(vec![(StepId::from(id), outcomes)])
    };
    let has_not = Condition::HasNot(vec!["x.trigger".to_owned()]);
    let second = vec![has_not, line("research", &["skipped", "expired"])];
    let first = vec![line("li-connect", &["accepted", "already_connected"])];
    assert_eq!(message.only_if, [Condition::Any(vec![first, second])]);
    assert_eq!(
        step("call-4").what,
        What::Call { script: "opener-last".to_owned(), voicemail: None }
    );
}

#[test]
fn what_the_file_leaves_out_has_a_default() {
    let text = "format: cadence/v1\nid: short\ntitle: Short\nenroll: { audience: customers, \
                profiles: [any] }\ncalendar: us-sales\nsteps:\n  - { id: a, after: 0 minutes, \
                task: { title: Say hello } }\n";
    let (cadence, warnings) = parse("short.yml", text, &known()).unwrap();
    assert_eq!(warnings, []);
    assert_eq!((cadence.audience, &cadence.profiles), (Audience::Customers, &Admission::Anybody));
    assert_eq!(cadence.again_after, Some(Delay::new(180, Unit::Days)));
    let windows: Vec<String> = cadence.send_window.iter().map(ToString::to_string).collect();
    assert_eq!(windows, ["08:00-17:00"]);
    assert_eq!((cadence.days, cadence.at_end), (DayKind::Business, Verb::Stop));
    assert_eq!(cadence.steps[0].expires_after, Delay::new(3, Unit::BusinessDays));
    assert_eq!(cadence.steps[0].priority, Priority::Normal);
}

#[test]
fn what_lets_people_in_is_read_as_it_is_written() {
    let field = |field: &str, test| EnrollWhen::Field(vec![(field.to_owned(), test)]);
    for (written, wanted) in [
        ("manual", EnrollWhen::Manual),
        ("{ event: form_submitted }", EnrollWhen::Event("form_submitted".to_owned())),
        (
            "{ field: { deal.stage: closed_won } }",
            field("deal.stage", Test::Is("closed_won".to_owned())),
        ),
        ("{ field: { x.seats: \">= 50\" } }", field("x.seats", Test::AtLeast(50.0))),
    ] {
        let text = SAAS.replace("when: manual", &format!("when: {written}"));
        let (cadence, warnings) = parse(PATH, &text, &known()).unwrap();
        assert_eq!((cadence.enroll_when, warnings), (wanted, Vec::new()), "{written}");
    }
}

#[test]
fn somebody_is_newly_for_a_cadence_when_every_field_and_the_audience_are() {
    let when = "when: { field: { deal.stage: closed_won, industry: saas } }";
    let text = SAAS.replace("when: manual", when).replace("prospects", "customers");
    let (cadence, _) = parse(PATH, &text, &known()).unwrap();
    let draft = |stage: &str| {
        let mut known = ProspectDraft::default();
        known.company.industry = Some("SaaS".to_owned());
        assert!(fill(&mut known, "deal.stage", stage));
        known
    };
    let (won, open) = (draft("Closed_Won"), draft("open"));
    let nothing = ProspectDraft::default();
    let seen = |known, relationship| Seen { known, relationship };
    let (customer, prospect) = (Relationship::Customer, Relationship::Prospect);
    for (before, now, newly) in [
        (None, seen(&won, customer), true),
        (None, seen(&won, prospect), false),
        (None, seen(&open, customer), false),
        (None, seen(&nothing, customer), false),
        (Some(seen(&open, customer)), seen(&won, customer), true),
        (Some(seen(&won, customer)), seen(&won, customer), false),
        (Some(seen(&won, prospect)), seen(&won, customer), true),
    ] {
        assert_eq!(cadence.is_newly_met_by(before, now), newly, "{before:?} {now:?}");
    }
}

#[test]
fn conditions_may_ask_for_events_of_a_teams_own() {
    let text = SAAS.replacen("{ has: [phone] }", "{ event: [form_submitted, email_replied] }", 1);
    let (cadence, warnings) = parse(PATH, &text, &known()).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(cadence.own_events().into_iter().collect::<Vec<_>>(), ["form_submitted"]);
}

#[test]
fn never_and_continue_have_their_meaning() {
    let text = SAAS.replace("again_after: 90 days", "again_after: never");
    let (cadence, _) = parse(PATH, &text, &known()).unwrap();
    assert_eq!(cadence.again_after, None);
    let text = SAAS.replace("at_end: { pause: 60 days }", "at_end: continue");
    let (cadence, _) = parse(PATH, &text, &known()).unwrap();
    assert_eq!(cadence.at_end, Verb::Stop);
}

#[test]
fn a_day_needs_to_know_what_it_counts() {
    let text = SAAS.replacen("days: business\n", "", 1);
    assert_eq!(
        findings(&text),
        [format!(
            "{PATH}:33:10: error[C104]: `day: 1` of what?\n  write `days: business` or `days: \
             calendar` at the top of the file"
        )]
    );
}

#[test]
fn two_mails_on_one_day_are_fine_when_only_one_can_go_out() {
    let same_day = SAAS.replacen("email-2\n    day: 3", "email-2\n    day: 2", 1);
    assert_eq!(findings(&same_day), [""; 0]);
    let both = same_day.replacen("skip_if: { outcome", "only_if: { outcome", 1);
    assert!(findings(&both).iter().all(|f| f.contains("C602")) && findings(&both).len() == 1);
}

#[test]
fn a_mistake_behind_an_anchor_is_told_once_and_where_it_is_written() {
    let text = SAAS.replacen("after: 4 business hours", "after: 4", 1).replacen(
        "voicemail: none }",
        "voicemail: none }\n    outcomes: *again",
        1,
    );
    let found = findings(&text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(&format!("{PATH}:30:35: error[C005]")), "{found:#?}");
}

#[test]
fn all_findings_of_a_file_come_at_once_and_in_its_order() {
    let text = SAAS
        .replace("calendar: us-sales", "calendr: us-sales")
        .replace("intro-trigger: 50", "intro-trigger: 5")
        .replace("act: view", "act: glance")
        .replace("day: 14", "day: fortnight");
    let found = findings(&text);
    let codes: Vec<&str> = found.iter().filter_map(|f| f.split(['[', ']']).nth(1)).collect();
    assert_eq!(codes, ["C002", "C301", "C004", "C004"], "{found:#?}");
}

#[test]
fn what_is_no_cadence_at_all_is_refused() {
    for text in ["", "- a\n", "hello\n", "format: cadence/v1\nsteps: []\n", "a: [\n"] {
        assert!(parse(PATH, text, &known()).is_err(), "{text}");
    }
    let many = "  - { id: a, after: 1 day, task: { title: T } }\n".repeat(101);
    let text = format!("steps:\n{many}");
    let found = findings(&text);
    assert!(found.iter().any(|f| f.contains("at most 100 steps, not 101")), "{found:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_mangled_cadence_never_panics_and_says_why_it_is_refused(
        cut in 0..SAAS.len(), len in 0_usize..60, put in "[-a-z:{}\\[\\], \n\"'&*!|>0-9]{0,12}",
    ) {
        let end = (cut + len).min(SAAS.len());
        let text = format!("{}{put}{}", &SAAS[..cut], &SAAS[end..]);
        if let Err(findings) = parse(PATH, &text, &known()) {
            prop_assert!(findings.iter().any(|f| f.severity == Severity::Error));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "([a-z_]{1,8}(: |:\n  |, |\\[|\\]|\\{|\\}|\n|- |\\PC)){0,40}") {
        let _ = parse(PATH, &text, &known());
    }
}
