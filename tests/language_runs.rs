//! What a cadence says is what happens: whole cadences on a real store, with a clock of the test's own.

mod team;

use std::sync::atomic::Ordering;

use firsttouch::domain::enrollment::TaskKind;
use firsttouch::domain::ids::{MailboxId, ProspectId, RepId, TaskId};
use firsttouch::domain::log::What;
use firsttouch::domain::prospect::Relationship;
use firsttouch::domain::touch::Status;
use firsttouch::engine::tasks::{DoneTask, QueueLine};
use jiff::tz::TimeZone;
use team::{Team, instant};

const HEAD: &str =
    "calendar: standard\nenroll: { audience: prospects, profiles: [any], again_after: 30 days }\n";

/// The rest of a cadence that leads to `nurture` or needs nothing else.
fn cadence(id: &str, rest: &str) -> (String, String) {
    let head = if rest.contains("enroll:") { "calendar: standard\n" } else { HEAD };
    let text = format!("format: cadence/v1\nid: {id}\ntitle: T\ndays: business\n{head}{rest}");
    (format!("cadences/{id}.yaml"), text)
}

const MAIL: &str = "steps:\n  - { id: mail, day: 1, email: { template: hello, thread: new } }\n";
const TWO_MAILS: &str = "steps:\n  - { id: mail, day: 1, email: { template: hello, thread: new } }\n  \
     - { id: bump, day: 4, email: { template: bump, thread: reply } }\n";

fn with(rest: &str, steps: &str) -> String {
    format!("{rest}{steps}")
}

#[tokio::test]
async fn at_the_end_somebody_goes_on_in_another_cadence_once() {
    let first = cadence(
        "first",
        &with(MAIL, "at_end: { switch_to: { cadence: nurture, after: 10 days } }\n"),
    );
    let team = Team::new(&[first, cadence("nurture", MAIL)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("first", 1).await;
    team.until("2026-03-02T12:00:00Z").await;
    assert_eq!(team.ways(1).await, ["first switched", "nurture waiting"]);
    let enrolled = team.log(1, What::Enrolled).await;
    assert_eq!((enrolled.len(), enrolled[1].detail("from")), (2, "first"));
    let wake = team.enrollments(1).await[1].wake.clone().unwrap();
    assert!(wake.at >= instant("2026-03-12T08:00:00Z"), "{wake:?}");
    team.until("2026-03-11T17:00:00Z").await;
    assert_eq!(team.touches(1).await.len(), 1);
    team.until("2026-03-12T17:00:00Z").await;
    assert_eq!(team.touches(1).await.len(), 2);
    assert_eq!(team.ways(1).await, ["first switched", "nurture no_reply"]);
}

#[tokio::test]
async fn a_reply_that_proves_the_last_mail_ends_the_way_and_nothing_else_begins() {
    let end = "at_end: { switch_to: { cadence: nurture, after: 10 days } }\n";
    let team = Team::new(&[cadence("first", &with(MAIL, end)), cadence("nurture", MAIL)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("first", 1).await;
    team.breaks.store(true, Ordering::Relaxed);
    team.until("2026-03-02T09:00:00Z").await;
    assert_eq!(team.ways(1).await, ["first in_doubt"]);
    team.answers(1, "Call me tomorrow, please.").await;
    team.until("2026-03-02T10:00:00Z").await;
    assert_eq!(team.ways(1).await, ["first replied"]);
    assert_eq!(team.touches(1).await[0].status, Status::Sent);
}

#[tokio::test]
async fn whoever_may_not_come_in_is_not_switched_and_the_log_says_why() {
    let end = "at_end: { switch_to: { cadence: again, after: 10 days } }\n";
    let never = "enroll: { audience: prospects, profiles: [any], again_after: never }\n";
    let customers = "enroll: { audience: customers, profiles: [any] }\n";
    for (other, reason) in [
        (customers, "is not a customer yet: this cadence is for customers"),
        (never, "has been in this cadence, which is for once only"),
    ] {
        let first = cadence("first", &with(MAIL, end));
        let again = cadence("again", &format!("{other}{MAIL}"));
        let team = Team::new(&[first, again]).await;
        team.people(1, Relationship::Prospect, &[]).await;
        if other == never {
            team.enroll("again", 1).await;
            team.until("2026-03-02T09:00:00Z").await;
        }
        team.enroll("first", 1).await;
        team.until("2026-03-02T12:00:00Z").await;
        assert_eq!(team.ways(1).await.last().unwrap(), "first switched");
        let refused = team.log(1, What::NotEnrolled).await;
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].detail("reason"), reason);
    }
}

#[tokio::test]
async fn a_circle_turns_as_often_as_again_after_allows() {
    let end = "at_end: { switch_to: { cadence: nurture, after: 31 days } }\n";
    let team = Team::new(&[cadence("nurture", &with(MAIL, end))]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("nurture", 1).await;
    team.until("2026-05-10T12:00:00Z").await;
    assert_eq!(
        team.ways(1).await,
        ["nurture switched", "nurture switched", "nurture switched", "nurture waiting"]
    );
    assert_eq!(team.touches(1).await.len(), 3);
}

const REPLIES: &str = "replies:\n  question: triage\n  not_now: { switch_to: { cadence: nurture, after: 20 days } }\n  \
     problem: { hand_off: { to: account_manager, brief: brief, accept_within: 4 business hours } }\n  \
     referral: continue\n  interested: { pause: 10 days }\n";

async fn replied() -> Team {
    let first = cadence("first", &with(REPLIES, TWO_MAILS));
    let team = Team::new(&[first, cadence("nurture", MAIL)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("first", 1).await;
    team.until("2026-03-03T09:00:00Z").await;
    team.answers(1, "Why would I?").await;
    team.until("2026-03-03T09:15:00Z").await;
    team
}

#[tokio::test]
async fn a_reply_stops_the_clock_and_its_kind_says_how_it_goes_on() {
    for (kind, ways) in [
        ("not_now", vec!["first switched", "nurture waiting"]),
        ("not_interested", vec!["first not_interested"]),
        ("wrong_person", vec!["first replied"]),
        ("question", vec!["first triage"]),
        ("problem", vec!["first offered"]),
        ("referral", vec!["first waiting"]),
        ("interested", vec!["first paused"]),
        ("meeting_booked", vec!["first meeting"]),
    ] {
        let team = replied().await;
        let line = team.only_task("ann").await;
        assert_eq!((line.task.kind, line.task.text.as_str()), (TaskKind::Reply, "Why would I?"));
        assert_eq!(line.task.priority, 0);
        // The bump would have been due on the 5th.
        team.until("2026-03-05T17:00:00Z").await;
        assert_eq!(team.touches(1).await.len(), 1, "{kind}");
        team.done(line.task.id, kind).await;
        assert_eq!(team.ways(1).await, ways, "{kind}");
    }
}

#[tokio::test]
async fn an_unanswered_reply_ends_as_replied_and_nothing_went_out_meanwhile() {
    let team = replied().await;
    team.until("2026-03-18T17:00:00Z").await;
    assert_eq!(team.ways(1).await, ["first replied"]);
    assert_eq!(team.touches(1).await.len(), 1);
    assert!(team.queue("ann").await.is_empty());
}

#[tokio::test]
async fn a_question_that_was_answered_goes_on_with_the_step_that_was_waited_for() {
    let team = replied().await;
    team.done(team.only_task("ann").await.task.id, "question").await;
    let line = team.only_task("ann").await;
    assert_eq!(line.task.kind, TaskKind::Triage);
    team.done(line.task.id, "continue").await;
    team.until("2026-03-06T17:00:00Z").await;
    let steps: Vec<String> = team.touches(1).await.iter().map(|t| t.step.to_string()).collect();
    assert_eq!(steps, ["mail", "bump"]);
    assert_eq!(team.ways(1).await, ["first replied"]);
}

#[tokio::test]
async fn a_wrong_word_about_a_reply_shows_the_right_ones() {
    let team = replied().await;
    let task = team.only_task("ann").await.task.id;
    let error = team.try_done(task, "notnow").await.unwrap_err();
    assert_eq!(
        error,
        "`notnow` is no outcome of a reply task; did you mean `not_now`? It can be: interested, question, \
         referral, wrong_person, not_now, not_interested, problem, continue, meeting_booked, stop"
    );
}

#[tokio::test]
async fn without_replies_a_reply_ends_the_enrollment_as_before() {
    let team = Team::new(&[cadence("first", TWO_MAILS)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("first", 1).await;
    team.until("2026-03-03T09:00:00Z").await;
    team.answers(1, "Why would I?").await;
    team.until("2026-03-03T09:15:00Z").await;
    assert_eq!(team.ways(1).await, ["first replied"]);
    assert!(team.queue("ann").await.is_empty());
}

const CUSTOM: &str = "custom_outcomes: { healthy: All good, at_risk: Customer is at risk }\nsteps:\n  \
     - id: check-in\n    day: 1\n    within: 30 business minutes\n    call: { script: script }\n    \
     outcomes:\n      at_risk: { hand_off: { to: account_manager, brief: brief, accept_within: 4 business hours } }\n  \
     - id: thanks\n    day: 2\n    only_if: { outcome: { check-in: [healthy] } }\n    \
     email: { template: hello, thread: new }\n";

async fn calling() -> (Team, QueueLine) {
    let team = Team::new(&[cadence("first", CUSTOM)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("first", 1).await;
    team.until("2026-03-02T09:00:00Z").await;
    let line = team.only_task("ann").await;
    (team, line)
}

#[tokio::test]
async fn an_outcome_of_our_own_is_offered_with_its_label_and_can_be_asked_for() {
    let (team, line) = calling().await;
    let label = |slug: &str| {
        let offered = line.outcomes.iter().find(|offered| offered.outcome.as_str() == slug);
        offered.unwrap().label.clone()
    };
    assert_eq!(label("healthy").as_deref(), Some("All good"));
    assert_eq!(label("no_answer"), None);
    let error = team.try_done(line.task.id, "unwell").await.unwrap_err();
    assert!(error.contains("at_risk (Customer is at risk)"), "{error}");
    team.done(line.task.id, "healthy").await;
    team.until("2026-03-03T17:00:00Z").await;
    assert_eq!(team.touches(1).await.len(), 2);
}

#[tokio::test]
async fn a_target_is_kept_with_the_task_and_measured() {
    let (team, line) = calling().await;
    assert_eq!(line.task.target_at, Some(instant("2026-03-02T08:30:00Z")));
    team.done(line.task.id, "healthy").await;
    assert_eq!(team.log(1, What::TaskDone).await[0].detail("in_time"), "no");
}

#[tokio::test]
async fn a_hand_off_that_is_accepted_ends_the_enrollment() {
    let (team, line) = calling().await;
    team.done(line.task.id, "at_risk").await;
    assert!(team.queue("ann").await.is_empty());
    let offer = team.only_task("cara").await;
    assert_eq!(offer.task.kind, TaskKind::HandOff);
    assert_eq!(offer.task.title, "take over from ann (check-in: at_risk)");
    let background = "P1\np1@acme.test · +14155550101\n\nJust now, ann on check-in: at_risk";
    assert_eq!(offer.task.text, format!("P1 wants to talk.\n\n{background}"));
    team.done(offer.task.id, "accepted").await;
    assert_eq!(team.ways(1).await, ["first handed_off"]);
    team.until("2026-03-04T17:00:00Z").await;
    assert_eq!(team.touches(1).await.len(), 1);
}

#[tokio::test]
async fn what_nobody_accepts_in_working_hours_comes_back_to_the_giver() {
    let (team, line) = calling().await;
    team.until("2026-03-02T15:00:00Z").await;
    team.done(line.task.id, "at_risk").await;
    team.until("2026-03-03T09:45:00Z").await;
    assert_eq!(team.ways(1).await, ["first offered"]);
    team.until("2026-03-03T10:00:00Z").await;
    assert_eq!(team.ways(1).await, ["first handed_back"]);
    assert!(team.queue("cara").await.is_empty());
    let back = team.only_task("ann").await;
    assert_eq!(back.task.priority, 0);
    assert_eq!(
        back.task.title,
        "came back: no account_manager accepted within 4 business hours; decide what happens next"
    );
    team.done(back.task.id, "hand_off").await;
    let again = team.only_task("cara").await;
    team.done(again.task.id, "declined").await;
    let back = team.only_task("ann").await;
    assert!(back.task.title.starts_with("came back: account_manager declined"));
    team.done(back.task.id, "stop").await;
    assert_eq!(team.ways(1).await, ["first removed"]);
}

#[tokio::test]
async fn a_step_hands_over_and_goes_on_when_the_file_says_so() {
    let steps = "steps:\n  - id: over\n    day: 1\n    hand_off: { to: account_manager, accept_within: 1 business hour }\n    \
         outcomes: { expired: continue }\n  - { id: mail, day: 2, email: { template: hello, thread: new } }\n";
    let team = Team::new(&[cadence("first", steps)]).await;
    team.people(2, Relationship::Prospect, &[]).await;
    team.enroll("first", 2).await;
    team.until("2026-03-02T08:30:00Z").await;
    let first = team.queue("cara").await.remove(0);
    team.done(first.task.id, "accepted").await;
    team.until("2026-03-03T17:00:00Z").await;
    let ways = [team.ways(1).await, team.ways(2).await].concat();
    assert_eq!(ways, ["first handed_off", "first no_reply"]);
    let expired = team.log(2, What::TaskExpired).await;
    assert_eq!(expired.len(), 1);
}

const CUSTOMER: &str = "enroll: { audience: customers, profiles: [any], again_after: never }\nsteps:\n  \
     - { id: welcome, at: close_date + 1 business day, email: { template: hello, thread: new } }\n  \
     - id: check-in\n    at: close_date + 14 days\n    call: { script: script }\n  \
     - { id: value, at: go_live_date + 30 days, email: { template: hello, thread: new } }\n  \
     - { id: upsell, after: 3 business days, only_if: { outcome: { check-in: [interested] } }, task: { title: T } }\n  \
     - { id: renewal, at: renewal_date - 90 days, email: { template: hello, thread: new } }\n";

#[tokio::test]
async fn a_customer_is_worked_on_their_own_dates() {
    let dates = [("close_date", "2026-03-06"), ("renewal_date", "2026-07-04")];
    let team = Team::new(&[cadence("after-sale", CUSTOMER)]).await;
    team.people(1, Relationship::Customer, &dates).await;
    team.enroll("after-sale", 1).await;
    team.until("2026-03-08T12:00:00Z").await;
    assert!(team.touches(1).await.is_empty());
    // The 6th is a Friday, so the next working day is Monday, the 9th.
    team.until("2026-03-09T12:00:00Z").await;
    assert_eq!(team.touches(1).await.len(), 1);
    team.until("2026-03-20T12:00:00Z").await;
    team.done(team.only_task("ann").await.task.id, "no_answer").await;
    team.until("2026-04-02T12:00:00Z").await;
    assert_eq!(team.touches(1).await.len(), 2);
    let skipped: Vec<(String, String)> = team
        .log(1, What::Skipped)
        .await
        .iter()
        .map(|entry| (entry.detail("step").to_owned(), entry.detail("reason").to_owned()))
        .collect();
    let wanted = [("value", "no_date:go_live_date"), ("upsell", "conditions")];
    assert_eq!(skipped, wanted.map(|(step, why)| (step.to_owned(), why.to_owned())));
    // 90 days before the renewal is a Sunday behind a holiday: it waits for Monday.
    team.until("2026-04-05T12:00:00Z").await;
    assert_eq!(team.touches(1).await.len(), 2);
    team.until("2026-04-06T12:00:00Z").await;
    assert_eq!(team.touches(1).await.len(), 3);
    assert_eq!(team.ways(1).await, ["after-sale no_reply"]);
}

#[tokio::test]
async fn dates_that_lie_behind_are_passed_over_and_never_made_up_for() {
    let dates = [
        ("close_date", "2025-09-01"),
        ("go_live_date", "2026-02-20"),
        ("renewal_date", "2026-03-20"),
    ];
    let team = Team::new(&[cadence("after-sale", CUSTOMER)]).await;
    team.people(1, Relationship::Customer, &dates).await;
    team.enroll("after-sale", 1).await;
    team.until("2026-03-20T17:00:00Z").await;
    assert!(team.touches(1).await.is_empty());
    team.until("2026-03-24T17:00:00Z").await;
    let steps: Vec<String> = team.touches(1).await.iter().map(|t| t.step.to_string()).collect();
    assert_eq!(steps, ["value"]);
    team.until("2026-04-01T17:00:00Z").await;
    let reasons: Vec<String> =
        team.log(1, What::Skipped).await.iter().map(|e| e.detail("reason").to_owned()).collect();
    let past =
        ["past_date:close_date", "past_date:close_date", "conditions", "past_date:renewal_date"];
    assert_eq!(reasons, past);
}

#[tokio::test]
async fn a_late_step_above_delays_a_date_and_two_late_ones_keep_a_day_between() {
    let steps = "enroll: { audience: customers, profiles: [any] }\nsteps:\n  \
         - { id: task, day: 1, expires_after: 20 business days, task: { title: T } }\n  \
         - { id: one, at: close_date + 1 day, email: { template: hello, thread: new } }\n  \
         - { id: two, at: close_date + 8 days, email: { template: hello, thread: new } }\n";
    let team = Team::new(&[cadence("late", steps)]).await;
    team.people(1, Relationship::Customer, &[("close_date", "2026-03-03")]).await;
    team.enroll("late", 1).await;
    team.until("2026-03-18T10:00:00Z").await;
    team.done(team.only_task("ann").await.task.id, "done").await;
    team.until("2026-03-23T17:00:00Z").await;
    let mails = team.touches(1).await;
    let days: Vec<String> = mails
        .iter()
        .filter(|touch| touch.mail.is_some())
        .map(|touch| TimeZone::UTC.to_datetime(touch.at).date().to_string())
        .collect();
    assert_eq!(days, ["2026-03-19", "2026-03-20"]);
}

#[tokio::test]
async fn a_mail_for_any_hour_leaves_at_night_and_still_waits_for_the_inbox() {
    let steps = "steps:\n  - { id: thanks, after: 1 minute, hours: any, email: { template: hello, thread: new } }\n";
    let team = Team::new(&[cadence("inbound", steps)]).await;
    team.clock.set(instant("2026-03-07T02:00:00Z"));
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("inbound", 1).await;
    team.clock.set(instant("2026-03-07T02:05:00Z"));
    team.engine.work_mailbox(&MailboxId::from("ann")).await.unwrap();
    assert!(team.touches(1).await.is_empty(), "the inbox was never read");
    team.until("2026-03-07T02:30:00Z").await;
    assert_eq!(team.touches(1).await.len(), 1);
}

#[tokio::test]
async fn a_company_gets_so_many_touches_a_week_and_no_more() {
    let limited = format!("limits: {{ touches_per_company_per_week: 2 }}\n{MAIL}");
    let team = Team::new(&[cadence("first", &limited)]).await;
    team.people(4, Relationship::Prospect, &[]).await;
    team.enroll("first", 4).await;
    let sent = async || {
        let mut sent = 0;
        for person in 1..=4 {
            sent += team.touches(person).await.len();
        }
        sent
    };
    team.until("2026-03-08T17:00:00Z").await;
    assert_eq!(sent().await, 2);
    team.until("2026-03-10T17:00:00Z").await;
    assert_eq!(sent().await, 4);
}

/// Three people of one company; the first of them has replied.
async fn colleagues(rules: &str) -> Team {
    let first = cadence("first", &format!("{rules}{REPLIES}{TWO_MAILS}"));
    let team = Team::new(&[first, cadence("nurture", MAIL)]).await;
    team.people(3, Relationship::Prospect, &[]).await;
    team.enroll("first", 3).await;
    team.until("2026-03-03T09:00:00Z").await;
    team.answers(1, "Why would I?").await;
    team.until("2026-03-03T09:15:00Z").await;
    team
}

#[tokio::test]
async fn colleagues_wait_until_a_reply_is_settled_and_then_go_on() {
    let team = colleagues("").await;
    assert_eq!([team.ways(2).await, team.ways(3).await].concat(), ["first paused", "first paused"]);
    let wake = team.enrollments(2).await[0].wake.clone().unwrap();
    assert_eq!(wake.waiting.as_str(), "colleague_heard");
    team.until("2026-03-06T12:00:00Z").await;
    assert_eq!(team.touches(2).await.len(), 1);
    team.done(team.only_task("ann").await.task.id, "question").await;
    assert_eq!(team.ways(2).await, ["first paused"]);
    team.done(team.only_task("ann").await.task.id, "stop").await;
    assert_eq!(
        [team.ways(2).await, team.ways(3).await].concat(),
        ["first waiting", "first waiting"]
    );
    team.until("2026-03-11T12:00:00Z").await;
    assert_eq!([team.touches(2).await.len(), team.touches(3).await.len()], [2, 2]);
}

#[tokio::test]
async fn a_reply_or_a_meeting_stops_the_others_or_leaves_them_alone_as_the_file_says() {
    let team = colleagues("company: { on_reply: stop_others }\n").await;
    assert_eq!(team.ways(2).await, ["first removed"]);
    let team = colleagues("company: { on_reply: nothing, on_meeting: stop_others }\n").await;
    assert_eq!(team.ways(2).await, ["first waiting"]);
    team.done(team.only_task("ann").await.task.id, "meeting_booked").await;
    assert_eq!(
        [team.ways(1).await, team.ways(2).await].concat(),
        ["first meeting", "first removed"]
    );
}

#[tokio::test]
async fn a_colleague_waits_no_longer_than_the_question_is_open() {
    let team = colleagues("").await;
    team.until("2026-03-25T12:00:00Z").await;
    assert_eq!(team.ways(1).await, ["first replied"]);
    assert_eq!([team.touches(1).await.len(), team.touches(2).await.len()], [1, 2]);
}

const REVIEWED: &str = "replies: { question: continue }\nsteps:\n  - id: mail\n    day: 1\n    \
     expires_after: 2 business days\n    email: { template: hook, thread: new, mode: review }\n  \
     - { id: bump, day: 6, email: { template: bump, thread: reply } }\n";

impl Team {
    /// The same with what a person gives beside the outcome.
    async fn give(
        &self,
        task: TaskId,
        outcome: &str,
        set: &[(&str, &str)],
        text: Option<&str>,
    ) -> Result<(), String> {
        let (outcome, actor) = (outcome.to_owned(), RepId::from("ann"));
        let set = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let text = text.map(str::to_owned);
        let done = DoneTask { task, outcome, until: None, actor, set, text, note: None };
        self.engine.done(done).await.map(|_| ()).map_err(|error| error.to_string())
    }

    /// The mails that have left, as the server got them.
    fn mails(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.dir.path().join("outbox")];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push(std::fs::read_to_string(path).unwrap()),
                }
            }
        }
        found
    }

    async fn reviewed(dates: &[(&str, &str)]) -> Self {
        let team = Team::new(&[cadence("read", REVIEWED)]).await;
        team.people(1, Relationship::Prospect, dates).await;
        team.enroll("read", 1).await;
        team.until("2026-03-02T10:00:00Z").await;
        team
    }
}

#[tokio::test]
async fn a_mail_that_is_to_be_read_leaves_only_when_a_person_has_released_it() {
    let team = Team::reviewed(&[("hook", "Your talk in Lyon")]).await;
    let line = team.only_task("ann").await;
    assert_eq!(line.task.kind, TaskKind::Review);
    assert_eq!(line.task.title, "read and release: A question");
    assert_eq!(line.task.text, "Subject: A question\n\nYour talk in Lyon\n");
    assert_eq!(team.mails(), [""; 0]);
    let wrong = team.try_done(line.task.id, "sent").await.unwrap_err();
    assert!(wrong.contains("It can be: released, skipped"), "{wrong}");
    team.done(line.task.id, "released").await;
    team.until("2026-03-02T11:00:00Z").await;
    let mails = team.mails();
    assert!(mails.len() == 1 && mails[0].contains("Your talk in Lyon"), "{mails:?}");
    assert_eq!(team.enrollments(1).await[0].state.outcome_of(&"mail".into()).unwrap().0, "sent");
    assert_eq!(team.queue("ann").await.len(), 0);
}

#[tokio::test]
async fn a_released_mail_keeps_to_the_send_window() {
    let window = "send_window: [\"08:00-09:00\"]\n";
    let team = Team::new(&[cadence("read", &format!("{window}{REVIEWED}"))]).await;
    team.people(1, Relationship::Prospect, &[("hook", "Lyon")]).await;
    team.enroll("read", 1).await;
    team.until("2026-03-02T11:00:00Z").await;
    team.done(team.only_task("ann").await.task.id, "released").await;
    team.until("2026-03-02T18:00:00Z").await;
    assert_eq!(team.mails().len(), 0);
    team.until("2026-03-03T09:00:00Z").await;
    assert_eq!(team.mails().len(), 1);
}

#[tokio::test]
async fn what_a_person_wrote_is_what_is_sent_and_to_this_person_only() {
    let team = Team::reviewed(&[]).await;
    let line = team.only_task("ann").await;
    assert_eq!(line.task.title, "write this mail yourself: nobody knows `x.hook`");
    let refused = team.try_done(line.task.id, "released").await.unwrap_err();
    assert!(refused.contains("--edit or --text FILE"), "{refused}");
    for (text, said) in [
        ("Subject: Hi\n\n \n", "the text is empty"),
        ("Subject: Hi\n\nDear {{first_name}}", "{{…}}"),
        ("Only text", "the subject needs"),
    ] {
        let refused = team.give(line.task.id, "released", &[], Some(text)).await.unwrap_err();
        assert!(refused.contains(said), "{refused}");
    }
    let text = "Subject: Your own words\n\nWritten by hand.\n";
    team.give(line.task.id, "released", &[], Some(text)).await.unwrap();
    team.until("2026-03-02T11:00:00Z").await;
    let mails = team.mails();
    assert!(mails.len() == 1 && mails[0].contains("Written by hand."), "{mails:?}");
    assert!(mails[0].contains("Your own words") && mails[0].contains("1 Road"), "{mails:?}");
    let log = team.log(1, What::TaskDone).await;
    assert_eq!((log[0].detail("outcome"), log[0].detail("edited")), ("released", "yes"));
    assert_eq!(log[0].detail("text"), "Written by hand.\n");
}

#[tokio::test]
async fn what_is_skipped_or_expires_is_never_sent() {
    for skip in [true, false] {
        let team = Team::reviewed(&[("hook", "Lyon")]).await;
        if skip {
            team.done(team.only_task("ann").await.task.id, "skipped").await;
        }
        team.until("2026-03-05T12:00:00Z").await;
        assert_eq!((team.mails().len(), team.queue("ann").await.len()), (0, 0));
        let outcome = team.enrollments(1).await[0].state.outcome_of(&"mail".into()).unwrap().0;
        assert_eq!(outcome, if skip { "skipped" } else { "expired" });
    }
}

#[tokio::test]
async fn a_reply_between_reading_and_sending_stops_the_mail_and_it_is_read_again() {
    let window = "send_window: [\"08:00-09:00\"]\n";
    let steps = REVIEWED.replace(
        "steps:\n",
        "steps:\n  - { id: first, day: 1, email: { template: hello, thread: new } }\n",
    );
    let steps =
        steps.replace("day: 1\n", "day: 2\n").replace("thread: new, mode", "thread: reply, mode");
    let steps = steps.replace("hook,", "bump,");
    let team = Team::new(&[cadence("read", &format!("{window}{steps}"))]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("read", 1).await;
    team.until("2026-03-03T11:00:00Z").await;
    assert_eq!(team.mails().len(), 1);
    team.done(team.only_task("ann").await.task.id, "released").await;
    team.answers(1, "Who are you?").await;
    team.until("2026-03-04T11:00:00Z").await;
    assert_eq!(team.mails().len(), 1);
    let line = team.only_task("ann").await;
    assert_eq!(line.task.kind, TaskKind::Reply);
    team.done(line.task.id, "question").await;
    team.until("2026-03-04T12:00:00Z").await;
    let line = team.only_task("ann").await;
    assert_eq!(line.task.kind, TaskKind::Review);
    team.done(line.task.id, "released").await;
    team.until("2026-03-05T09:00:00Z").await;
    assert_eq!(team.mails().len(), 2);
}

#[tokio::test]
async fn only_as_many_mails_a_day_are_put_up_for_reading_as_people_may_begin() {
    let limits = "limits: { new_per_rep_per_day: 2 }\n";
    let team = Team::new(&[cadence("read", &format!("{limits}{REVIEWED}"))]).await;
    team.people(4, Relationship::Prospect, &[("hook", "Lyon")]).await;
    team.enroll("read", 4).await;
    team.until("2026-03-02T12:00:00Z").await;
    let queue = team.queue("ann").await;
    assert_eq!(queue.len(), 2);
    for line in queue {
        team.done(line.task.id, "released").await;
    }
    team.until("2026-03-02T16:00:00Z").await;
    assert_eq!((team.mails().len(), team.queue("ann").await.len()), (2, 0));
}

#[tokio::test]
async fn a_task_is_not_done_before_its_fields_are_filled_and_mails_below_use_them() {
    let steps = "steps:\n  - { id: research, day: 1, task: { title: Read, collect: [x.hook, title, \
         go_live_date] } }\n  - { id: mail, day: 2, email: { template: hook, thread: new } }\n";
    let team = Team::new(&[cadence("c", steps)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("c", 1).await;
    team.until("2026-03-02T10:00:00Z").await;
    let line = team.only_task("ann").await;
    assert_eq!(line.collect, ["x.hook", "title", "go_live_date"]);
    let task = line.task.id;
    for (set, said) in [
        (&[("hook", "Lyon")][..], "until these are known: title, go_live_date"),
        (&[("hok", "Lyon")], "does not ask for `hok`, but for x.hook, title"),
        (&[("hook", " ")], "`x.hook`: the value is empty"),
        (&[("go_live_date", "soon")], "write a date like 2026-03-12"),
    ] {
        let refused = team.give(task, "done", set, None).await.unwrap_err();
        assert!(refused.contains(said), "{refused}");
    }
    let set = [("hook", "Your talk in Lyon"), ("title", "CTO"), ("go_live_date", "2026-05-01")];
    team.give(task, "done", &set, None).await.unwrap();
    assert_eq!(team.log(1, What::TaskDone).await[0].detail("filled"), "hook, title, go_live_date");
    team.until("2026-03-03T12:00:00Z").await;
    let mails = team.mails();
    assert!(mails.len() == 1 && mails[0].contains("Your talk in Lyon"), "{mails:?}");
    let known = &team.engine.store.prospects(&[ProspectId(1)]).await.unwrap()[0].known;
    assert_eq!(known.title.as_deref(), Some("CTO"));
}

#[tokio::test]
async fn a_step_of_a_role_goes_to_who_holds_it_and_else_to_the_owner() {
    let steps = "defaults: { by: account_manager }\nsteps:\n  - { id: a, day: 1, task: { title: A } }\n  \
         - { id: b, day: 1, by: owner, task: { title: B } }\n  \
         - { id: c, day: 1, by: nobody, task: { title: C } }\n";
    let team = Team::new(&[cadence("c", steps)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("c", 1).await;
    for (rep, title) in [("cara", "A"), ("ann", "B"), ("ann", "C")] {
        team.until("2026-03-02T10:00:00Z").await;
        let line = team.only_task(rep).await;
        assert_eq!(line.task.title, title);
        team.done(line.task.id, "done").await;
    }
}
