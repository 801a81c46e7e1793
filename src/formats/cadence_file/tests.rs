//! Example 1 of the language in the subset that runs, and broken copies of it.

use proptest::prelude::*;

use crate::domain::cadence::{
    Admission, Audience, Condition, Content, Outcome, SocialAct, Thread, Verb, What, When,
};
use crate::domain::ids::{ProfileId, StepId};
use crate::formats::diagnostic::Severity;

use super::*;

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
  touches_per_prospect_per_day: 1

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
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let with = |names: &[&str], has_subject| -> Vec<(String, TemplateInfo)> {
        names.iter().map(|name| ((*name).to_owned(), TemplateInfo { has_subject })).collect()
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
        calendars: set(&["us-sales", "de-sales"]),
        profiles: set(&["vp-sales-saas", "revops-saas"]),
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

/// Where a part of the example begins.
fn place(part: &str) -> (usize, usize) {
    let before = &SAAS[..SAAS.find(part).unwrap_or_else(|| panic!("{part}"))];
    let line_begins = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_begins..].chars().count() + 1)
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
    assert_eq!(first.what, What::Email { content: Content::Split(split), thread: Thread::New });
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
fn never_and_continue_have_their_meaning() {
    let text = SAAS.replace("again_after: 90 days", "again_after: never");
    let (cadence, _) = parse(PATH, &text, &known()).unwrap();
    assert_eq!(cadence.again_after, None);
    let text = SAAS.replace("at_end: { pause: 60 days }", "at_end: continue");
    let (cadence, _) = parse(PATH, &text, &known()).unwrap();
    assert_eq!(cadence.at_end, Verb::Stop);
}

/// A part of the example, what stands there instead, where inside of that the finding is, and what
/// it says.
type Mistake = (&'static str, &'static str, &'static str, &'static str);

fn check(mistakes: &[Mistake]) {
    for (part, instead, wrong, said) in mistakes {
        let (line, column) = place(part);
        let before =
            &instead[..instead.find(wrong).unwrap_or_else(|| panic!("{instead}: {wrong}"))];
        let column = match before.rfind('\n') {
            Some(newline) => before[newline + 1..].chars().count() + 1,
            None => column + before.chars().count(),
        };
        let line = line + before.matches('\n').count();
        let wanted = format!("{PATH}:{line}:{column}: {said}");
        let found = findings(&SAAS.replacen(part, instead, 1));
        assert!(found.iter().any(|line| line.starts_with(&wanted)), "{wanted}\n{found:#?}");
    }
}

#[test]
fn the_broken_copies_of_the_language_give_their_messages() {
    check(&[
        (
            "{ template: close-the-loop, ",
            "{ templte: close-the-loop, ",
            "templte",
            "error[C002]: an email has no key `templte`; did you mean `template`?",
        ),
        (
            "{ retry: { after: 4 business hours, max: 1 } }",
            "{ retry: { after: 4, max: 1 } }",
            "4",
            "error[C005]: `4` is not a length of time; write a number and a unit, like '3 business \
             days', '30 days' or '45 minutes'",
        ),
        (
            "{ intro-pain: 50, intro-trigger: 50 }",
            "{ intro-pain: 50, intro-trigger: 40 }",
            "{",
            "error[C301]: the weights add up to 90, not 100",
        ),
        (
            "thread: new",
            "thread: reply",
            "reply",
            "error[C302]: `thread: reply`, but no earlier email step starts a thread",
        ),
        (
            "li-connect: [accepted",
            "li-conect: [accepted",
            "li-conect",
            "error[C201]: there is no step `li-conect`; did you mean `li-connect`?",
        ),
        (
            "research\n    after: 2 hours",
            "research\n    day: 4\n    after: 2 hours",
            "research",
            "error[C102]: step `research` needs exactly one of day, after (it has 2)",
        ),
        (
            "call-4\n    day: 12",
            "call-4\n    day: 8",
            "call-4",
            "error[C105]: step `call-4` is on day 8, before the step above it (day 9)",
        ),
    ]);
}

#[test]
fn every_mistake_above_the_steps_is_told_with_its_place() {
    check(&[
        (
            "cadence/v1",
            "profile/v1",
            "p",
            "error[C006]: `format` is `profile/v1`, not `cadence/v1`",
        ),
        (
            "saas-outbound-14d\n",
            "saas-outbound\n",
            "s",
            "error[C100]: the id is `saas-outbound`, but the file is `saas-outbound-14d`",
        ),
        ("saas-outbound-14d\n", "SaaS 14\n", "S", "error[C004]: the id `SaaS 14` is not a name"),
        ("audience: prospects", "audience: leads", "leads", "error[C004]: `audience` is one of"),
        (
            "revops-saas]",
            "revop-saas]",
            "r",
            "error[C108]: there is no profile `revop-saas`; did you mean `revops-saas`?",
        ),
        ("again_after: 90 days", "again_after: 3 months", "3", "error[C005]: `3 months` counts in"),
        ("days: business", "days: working", "working", "error[C004]: `days` is one of business"),
        (
            "us-sales",
            "us-sale",
            "us",
            "error[C107]: there is no calendar `us-sale` in the settings; did you mean `us-sales`?",
        ),
        ("\"15:30-17:00\"", "17:30", "17", "error[C106]: `17:30` is not a span of a day"),
        (
            "\"15:30-17:00\"",
            "\"17:00-15:30\"",
            "\"",
            "error[C106]: `17:00-15:30` closes before it opens",
        ),
        (
            "[\"15:30-17:00\", ",
            "[\"10:00-17:00\", ",
            "[",
            "error[C106]: `07:30-10:30` and `10:00-17:00` overlap",
        ),
        ("per_day: 25", "per_day: 0", "0", "error[C004]: `new_per_rep_per_day` is a whole number"),
        ("5 business days", "0 days", "0", "error[C005]: `expires_after` is no time at all"),
        (
            "at_end: { pause: 60 days }",
            "at_end: triage",
            "triage",
            "error[C004]: `at_end` is stop or",
        ),
        (
            "at_end: { pause: 60 days }",
            "at_end: pause",
            "pause",
            "error[C004]: `pause` needs to know",
        ),
        ("at_end:", "on_end:", "on_end", "error[C002]: a cadence has no key `on_end`"),
        (
            "title: SaaS outbound, 14 working days",
            "title:",
            "title",
            "error[C004]: `title` has no value",
        ),
        ("manual", "daily", "daily", "error[C004]: `when` is one of manual, not `daily`"),
    ]);
}

#[test]
fn every_mistake_in_a_step_is_told_with_its_place() {
    check(&[
        ("li-view\n", "email-1\n", "email-1", "error[C101]: there are two steps `email-1`"),
        (
            "research\n    after: 2 hours\n",
            "research\n",
            "research",
            "error[C102]: step `research` needs exactly one of day, after (it has none)",
        ),
        (
            "research\n    after: 2 hours\n",
            "research\n    after: 2 hours\n    call: { script: opener-last }\n",
            "research",
            "error[C103]: step `research` needs exactly one of email, call, social, task (it has 2)",
        ),
        ("day: 14", "day: 0", "0", "error[C004]: `day` is a whole number from 1 to 1000, not `0`"),
        (
            "call-1: [left_voicemail]",
            "call-1: [left_voice_mail]",
            "left_voice",
            "error[C202]: step `call-1` cannot have the outcome `left_voice_mail`; did you mean \
             `left_voicemail`?",
        ),
        (
            "call-1: [left_voicemail]",
            "email-5: [sent]",
            "email-5",
            "error[C201]: step `email-5` is not above this one; a condition can only look back",
        ),
        (
            "call-1: [left_voicemail]",
            "email-1: [expired]",
            "expired",
            "error[C202]: step `email-1` cannot have the outcome `expired`",
        ),
        (
            "call-1: [left_voicemail]",
            "call-1: sent",
            "sent",
            "error[C004]: the outcomes of `call-1`",
        ),
        ("gatekeeper: {", "accepted: {", "a", "error[C202]: step `call-1` cannot have the outcome"),
        ("expired: triage", "skipped: triage", "s", "error[C202]: step `call-1` cannot have the"),
        (
            "expired: triage",
            "expired: ignore",
            "ignore",
            "error[C004]: what an outcome leads to is",
        ),
        (
            "expired: triage",
            "expired: { stop: now }",
            "stop",
            "error[C002]: a verb has no key `stop`",
        ),
        (
            "has: [linkedin_url], f",
            "has: [trigger], f",
            "trigger",
            "warning[C203]: `trigger` is read from the column of that name in the list",
        ),
        (
            "has: [linkedin_url], f",
            "has: [linkdin_url], f",
            "linkdin",
            "error[C203]: there is no field `linkdin_url`; did you mean `linkedin_url`?",
        ),
        (
            "has: [linkedin_url], f",
            "has: [deal.stage], f",
            "deal",
            "error[C203]: there is no field `deal.stage`",
        ),
        (
            "has: [linkedin_url], f",
            "has: linkedin_url, f",
            "linkedin",
            "error[C004]: `has` is a list",
        ),
        ("\">= 200\"", "\"== 200\"", "\"", "error[C004]: `== 200` is not a test"),
        (
            "template: bump-one-question",
            "template: bump-one-qestion",
            "bump",
            "error[C501]: there is no template `bump-one-qestion`; did you mean `bump-one-question`?",
        ),
        ("intro-pain: 50", "intro-gain: 50", "intro", "error[C501]: there is no template"),
        (
            "script: opener-discovery",
            "script: opener",
            "opener",
            "error[C501]: there is no template",
        ),
        ("voicemail: vm-first", "voicemail: vm-frist", "vm", "error[C501]: there is no template"),
        ("text: li-connect-note", "text: nothing-like-it", "nothing", "error[C501]: there is no"),
        ("notes: research-list", "notes: research-lists", "research", "error[C501]: there is no"),
        (
            "template: close-the-loop",
            "template: new-angle",
            "new-angle",
            "error[C502]: the template `new-angle` has a subject, but a reply keeps the subject",
        ),
        (
            "close-the-loop, thread: reply",
            "close-the-loop, thread: new",
            "close",
            "error[C502]: the template `close-the-loop` has no subject, so it cannot begin a thread",
        ),
        ("act: view", "act: poke", "poke", "error[C004]: `act` is one of view, follow, like"),
        (
            "email: { template: close-the-loop, thread: reply }",
            "email: { template: close-the-loop, thread: reply }\n    outcomes: { sent: { retry: \
             { after: 1 day, max: 3 } } }",
            "{ retry",
            "error[C303]: an email is never sent a second time, so it cannot be retried",
        ),
        (
            "email: { template: close-the-loop, thread: reply }",
            "email: { template: close-the-loop }",
            "{",
            "error[C003]: an email needs `thread`",
        ),
        (
            "email: { template: close-the-loop, thread: reply }",
            "email: { thread: reply }",
            "{",
            "error[C103]: an email needs exactly one of template, split (it has 0)",
        ),
        (
            "email-2\n    day: 3\n    skip_if: { outcome: { call-1: [left_voicemail] } }",
            "email-2\n    day: 2",
            "email-2",
            "warning[C602]: `email-2` is a second automatic mail on day 2, after \
             `email-2-after-voicemail`",
        ),
    ]);
}

#[test]
fn what_this_version_does_not_run_is_refused_and_never_ignored() {
    let later = "is part of the language, but this version of firsttouch does not run it yet";
    let cases: &[(&str, &str, &str)] = &[
        ("enroll:", "unit: company\nenroll:", "9:7: error[C900]: `unit: company`"),
        ("enroll:", "roles: { champion: vp }\nenroll:", "9:1: error[C900]: `roles`"),
        ("enroll:", "replies: { question: triage }\nenroll:", "9:1: error[C900]: `replies`"),
        ("enroll:", "company: { on_reply: nothing }\nenroll:", "9:1: error[C900]: `company`"),
        ("enroll:", "custom_outcomes: { ok: Ok }\nenroll:", "9:1: error[C900]: `custom_outcomes`"),
        ("when: manual", "when: { event: form }", "12:9: error[C900]: `enroll.when`"),
        ("by: owner", "by: account_manager", "25:7: error[C900]: `by: account_manager`"),
        (
            "touches_per_prospect_per_day",
            "touches_per_company_per_week",
            "22:3: error[C900]: `touches_per_company_per_week`",
        ),
        ("email-1\n    day: 1", "email-1\n    at: close_date + 1 day", "34:5: error[C900]: `at`"),
        ("email-1\n", "email-1\n    to: [champion]\n", "34:5: error[C900]: `to`"),
        ("email-1\n", "email-1\n    hours: any\n", "34:5: error[C900]: `hours`"),
        ("email-1\n", "email-1\n    within: 5 minutes\n", "34:5: error[C900]: `within`"),
        ("email-1\n", "email-1\n    by: champion\n", "34:9: error[C900]: `by: champion`"),
        (
            "      thread: new",
            "      thread: new\n      mode: review",
            "38:13: error[C900]: `mode: review`",
        ),
        ("expired: triage", "expired: { hand_off: { to: a } }", "53:18: error[C900]: `hand_off`"),
        ("{ pause: 60 days }", "{ switch_to: { cadence: b } }", "92:11: error[C900]: `switch_to`"),
        ("{ has: [phone] }", "{ event: [email_replied] }", "46:16: error[C900]: `event`"),
        (
            "task: { title: Find one fact,",
            "task: { title: Find one fact, collect: [trigger],",
            "74:35: error[C900]: `collect`",
        ),
        (
            "call: { script: opener-last, voicemail: none }",
            "hand_off: { to: account_manager }",
            "86:5: error[C900]: `hand_off`",
        ),
    ];
    for (from, to, said) in cases {
        assert!(SAAS.contains(from), "{from}");
        let found = findings(&SAAS.replacen(from, to, 1));
        assert_eq!(found, [format!("{PATH}:{said} {later}")]);
    }
    let same = SAAS.replacen("enroll:", "unit: prospect\nenroll:", 1);
    assert_eq!(findings(&same), [""; 0]);
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
fn all_findings_of_a_file_come_at_once_and_in_its_order() {
    let text = SAAS
        .replace("calendar: us-sales", "calendr: us-sales")
        .replace("intro-trigger: 50", "intro-trigger: 5")
        .replace("act: view", "act: glance")
        .replace("day: 14", "day: fortnight");
    let found = findings(&text);
    let codes: Vec<&str> = found.iter().filter_map(|f| f.split(['[', ']']).nth(1)).collect();
    assert_eq!(codes, ["C003", "C002", "C301", "C004", "C004"], "{found:#?}");
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
