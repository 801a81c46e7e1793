//! Broken copies of the example, each with its message and its place.

use super::*;

/// Where a part of the example begins.
fn place(part: &str) -> (usize, usize) {
    let before = &SAAS[..SAAS.find(part).unwrap_or_else(|| panic!("{part}"))];
    let line_begins = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_begins..].chars().count() + 1)
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
            "error[C005]: `4` is not a length of time; write a whole number and one of: minutes, \
             hours, days, weeks, business minutes, business hours, business days",
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
            "error[C102]: step `research` needs exactly one of day, after, at (it has 2)",
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
            "error[C004]: `at_end` is stop, { pause",
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
        (
            "manual",
            "daily",
            "daily",
            "error[C004]: `when` is manual, { event: NAME } or { field: { NAME: VALUE } }, not `daily`",
        ),
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
            "error[C102]: step `research` needs exactly one of day, after, at (it has none)",
        ),
        (
            "research\n    after: 2 hours\n",
            "research\n    after: 2 hours\n    call: { script: opener-last }\n",
            "research",
            "error[C103]: step `research` needs exactly one of email, call, social, task, hand_off (it has 2)",
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
            "has: [deals.stage], f",
            "deal",
            "error[C203]: there is no field `deals.stage`",
        ),
        (
            "has: [linkedin_url], f",
            "has: linkedin_url, f",
            "linkedin",
            "error[C004]: `has` is a list, not a single word or text\n  write it as [linkedin_url]",
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
            "error[C003]: an email needs `thread`\n  `thread: new` begins a conversation, `thread: \
             reply` goes on with it",
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
fn what_people_write_in_the_place_of_a_map_shows_the_map() {
    check(&[
        (
            "gatekeeper: { retry: { after: 1 business day, max: 2 } }",
            "gatekeeper: pause for 2 working days",
            "pause",
            "error[C004]: `pause for 2 working days` is written as a map\n  write { pause: 2 \
             business days }",
        ),
        (
            "expired: triage",
            "expired: hand_off account_manager",
            "hand_off",
            "error[C004]: `hand_off account_manager` is written as a map\n  write { hand_off: { to: \
             account_manager } }",
        ),
        (
            "expired: triage",
            "expired: retry often",
            "retry",
            "error[C004]: `retry often` is written as a map\n  write { retry: { after: 4 business \
             hours, max: 1 } }",
        ),
        (
            "gatekeeper: { retry: { after: 1 business day, max: 2 } }",
            "gatekeeper: { retry: { after: 1 business day } }",
            "{ after",
            "error[C003]: `retry` needs `max`\n  such as `max: 1`",
        ),
        (
            "skip_if: { outcome: { call-1: [left_voicemail] } }",
            "skip_if: call-1 left_voicemail",
            "call-1",
            "error[C004]: `skip_if` is a map of keys and values, not a single word or text\n  write \
             { outcome: { call-1: [left_voicemail] } }",
        ),
        (
            "only_if: { has: [phone] }",
            "only_if: phone",
            "phone",
            "error[C004]: a condition is a map of keys and values, not a single word or text\n  \
             such as { has: [phone, linkedin_url] }",
        ),
        (
            "social: { network: linkedin, act: connect, text: li-connect-note }",
            "linkedin: { act: connect }",
            "linkedin",
            "error[C002]: a step has no key `linkedin`; did you mean `social: { network: linkedin, \
             act: connect }`?",
        ),
        (
            "voicemail: vm-first",
            "voicemail: vm-first.hbs",
            "vm",
            "error[C501]: there is no template `vm-first.hbs`\n  write it without `templates/` and \
             `.hbs`: vm-first",
        ),
    ]);
}

#[test]
fn what_lets_people_in_is_manual_an_event_or_fields() {
    let ways = "error[C004]: `when` is manual, { event: NAME } or { field: { NAME: VALUE } }";
    let manul = format!("{ways}, not `manul`; did you mean `manual`?").leak();
    let other = format!("{ways}, not `form_submitted`").leak();
    let both = "error[C004]: `when` waits for an event or for fields, not for both";
    let inside = "error[C204]: `email_replied` happens inside a cadence, so nobody comes in by it";
    for (instead, wrong, said) in [
        ("when: manul", "manul", &*manul),
        ("when: form_submitted", "form_submitted", &*other),
        ("when: {}", "{}", ways),
        (
            "when: { evnt: form }",
            "evnt",
            "error[C002]: `when` has no key `evnt`; did you mean `event`?",
        ),
        ("when: { event: form, field: { x.a: b } }", "{ event", both),
        ("when: { event: Form sent }", "Form", "error[C004]: the event `Form sent` is not a name"),
        ("when: { event: email_replied }", "email", inside),
        ("when: { field: {} }", "{}", "error[C004]: `field` needs at least one line"),
        (
            "when: { field: { contry: US } }",
            "contry",
            "error[C203]: there is no field `contry`; did you mean `country`?",
        ),
        (
            "when: { field: { deal.Stage: won } }",
            "deal",
            "error[C203]: there is no field `deal.Stage`",
        ),
        ("when: { field: { x.n: \"=> 5\" } }", "\"=> 5", "error[C004]: `=> 5` is not a test"),
    ] {
        check(&[("when: manual", instead, wrong, said)]);
    }
}

#[test]
fn what_this_version_does_not_run_is_refused_and_never_ignored() {
    let later = "is part of the language, but this version of firsttouch does not run it yet";
    let cases: &[(&str, &str, &str)] = &[(
        "task: { title: Find one fact,",
        "task: { title: Find one fact, collect: [phone],",
        "74:45: error[C900]: `collect: [phone]`",
    )];
    for (from, to, said) in cases {
        assert!(SAAS.contains(from), "{from}");
        let found = findings(&SAAS.replacen(from, to, 1));
        assert_eq!(found, [format!("{PATH}:{said} {later}")]);
    }
    let same = SAAS.replacen("enroll:", "unit: prospect\nenroll:", 1);
    assert_eq!(findings(&same), [""; 0]);
}

#[test]
fn mistakes_in_what_leads_elsewhere_are_told_with_what_to_write() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "{ pause: 60 days }",
            "{ switch_to: { cadence: nurtur } }",
            "92:33: error[C110]: there is no cadence `nurtur`; did you mean `nurture`?",
        ),
        (
            "{ pause: 60 days }",
            "switch_to",
            "92:9: error[C004]: `switch_to` needs to know where to",
        ),
        (
            "{ pause: 60 days }",
            "{ hand_off: { to: account_manager } }",
            "92:9: error[C004]: `at_end` is stop, { pause: 60 days } or { switch_to: { cadence: \
             nurture } }",
        ),
        (
            "expired: triage",
            "expired: { hand_off: { to: account_manger } }",
            "53:34: warning[C111]: nobody holds the role `account_manger`, so the owner would get it",
        ),
        (
            "expired: triage",
            "expired: { hand_off: { to: account_manager, brief: vm-frist } }",
            "53:58: error[C501]: there is no template `vm-frist`; did you mean `vm-first`?",
        ),
        (
            "email-1\n    day: 1",
            "email-1\n    at: close_dat + 1 day",
            "34:9: error[C203]: there is no field `close_dat`; did you mean `close_date`?",
        ),
        (
            "email-1\n    day: 1",
            "email-1\n    at: title + 1 day",
            "34:9: error[C112]: `title` is not a date",
        ),
        (
            "email-1\n    day: 1",
            "email-1\n    at: close_date + 4",
            "34:9: error[C112]: `4` is not a length of time",
        ),
        (
            "email-1\n    day: 1",
            "email-1\n    at: close_date 4 days",
            "34:9: error[C112]: `close_date 4 days` is no date to count from",
        ),
        (
            "{ has: [phone] }",
            "{ event: [email_repled] }",
            "46:24: error[C204]: there is no event `email_repled`; did you mean `email_replied`?",
        ),
        (
            "enroll:",
            "replies: { questions: triage }\nenroll:",
            "9:12: error[C002]: there is no kind of reply `questions`; did you mean `question`?",
        ),
        (
            "enroll:",
            "replies: { question: { retry: { after: 1 day, max: 1 } } }\nenroll:",
            "9:22: error[C004]: a reply is no step, so it cannot be retried",
        ),
        (
            "enroll:",
            "custom_outcomes: { no_answer: Nobody }\nenroll:",
            "9:20: error[C304]: `no_answer` is an outcome already",
        ),
        (
            "call:\n      script: opener-discovery",
            "hours: any\n    call:\n      script: opener-discovery",
            "47:12: error[C305]: `hours: any` is for mail: what people do keeps to working hours",
        ),
        (
            "email-1\n",
            "email-1\n    within: 5 minutes\n",
            "34:13: error[C305]: `within` is for what a person does; a mail leaves as soon as it may",
        ),
        (
            "email-1\n",
            "email-1\n    by: account_manager\n",
            "34:9: error[C305]: `by` is for what a person does; this mail is sent by itself",
        ),
        (
            "by: owner",
            "by: account_manger",
            "25:7: warning[C111]: nobody holds the role `account_manger`, so the owner would get it",
        ),
        (
            "task: { title: Find one fact,",
            "task: { title: Find one fact, collect: [titel],",
            "74:45: error[C203]: there is no field `titel`; did you mean `title`?",
        ),
    ];
    for (from, to, said) in cases {
        assert!(SAAS.contains(from), "{from}");
        let found = findings(&SAAS.replacen(from, to, 1));
        assert!(found.len() == 1 && found[0].contains(said), "{to}: {found:?}");
    }
}
