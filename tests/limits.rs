//! Limits by the hour, on the people of a rep and on invitations: whole cadences on a real store.

mod team;

use std::collections::BTreeMap;
use std::sync::Arc;

use firsttouch::domain::budget::{Metered, Waiting};
use firsttouch::domain::ids::{MailboxId, ProspectId, TaskId};
use firsttouch::domain::prospect::Relationship;
use firsttouch::domain::settings::{Mailbox, Settings};
use firsttouch::engine::why::Verdict;
use firsttouch::ports::Changes;
use jiff::{SignedDuration, Timestamp};
use team::{Team, instant};

fn cadence(steps: &str) -> (String, String) {
    let head = "format: cadence/v1\nid: first\ntitle: T\ndays: business\ncalendar: standard\n\
         enroll: { audience: prospects, profiles: [any] }\n";
    ("cadences/first.yaml".to_owned(), format!("{head}{steps}"))
}

const MAIL: &str = "steps:\n  - { id: mail, day: 1, email: { template: hello, thread: new } }\n  \
     - { id: call, day: 30, call: { script: script } }\n";

/// So many people, in a team whose settings are changed first.
async fn team(steps: &str, people: i64, change: impl FnOnce(&mut Settings)) -> Team {
    let mut team = Team::new(&[cadence(steps)]).await;
    let settings = Arc::make_mut(&mut team.engine.settings);
    settings.limits.per_domain_per_day = 100;
    change(settings);
    team.people(people, Relationship::Prospect, &[]).await;
    let known = (1..=people).map(ProspectId).collect::<Vec<_>>();
    let mut there = team.engine.store.prospects(&known).await.unwrap();
    for person in &mut there {
        person.known.linkedin = Some(format!("p{}", person.id));
    }
    let prospects = there.into_iter().map(|person| (person, Vec::new())).collect();
    team.engine.store.write(Changes { prospects, ..Changes::default() }).await.unwrap();
    team.enroll("first", people).await;
    team
}

fn ann(settings: &mut Settings) -> &mut Mailbox {
    settings.mailboxes.get_mut(&MailboxId::from("ann")).unwrap()
}

/// When each mail was sent.
async fn sent(team: &Team, people: i64) -> Vec<Timestamp> {
    let mut sent = Vec::new();
    for person in 1..=people {
        let touches = team.touches(person).await;
        sent.extend(touches.iter().filter(|touch| touch.mail.is_some()).map(|touch| touch.at));
    }
    sent.sort();
    sent
}

/// What a limit says in `why`.
async fn check(team: &Team, person: i64, what: &str) -> (String, Verdict) {
    let mut story = team.engine.why(&person.to_string()).await.unwrap();
    let trace = story.enrollments.remove(0).trace.expect("a step that waits");
    let found = trace.checks.iter().rfind(|check| check.what == what);
    let found = found.unwrap_or_else(|| panic!("no `{what}` in {:#?}", trace.checks));
    (found.stands.clone(), found.verdict)
}

async fn waits_for(team: &Team, person: i64) -> Option<Waiting> {
    let record = team.enrollments(person).await.remove(0);
    record.wake.map(|wake| wake.waiting)
}

#[tokio::test]
async fn no_hour_holds_more_mails_than_the_settings_allow() {
    let team = team(MAIL, 7, |settings| ann(settings).hourly_limit = Some(2)).await;
    team.until("2026-03-02T09:10:00Z").await;
    let (stands, verdict) = check(&team, 7, "mailbox ann").await;
    assert_eq!(stands, "2 of 2 in 1 h");
    assert!(matches!(verdict, Verdict::Until(_)), "{verdict:?}");
    let board = team.engine.board(None).await.unwrap();
    assert_eq!(board.mailboxes[0].hour, Some((2, 2)));
    team.until("2026-03-02T16:00:00Z").await;
    let sent = sent(&team, 7).await;
    assert_eq!(sent.len(), 7);
    for (first, third) in sent.iter().zip(&sent[2..]) {
        assert!(first.duration_until(*third) >= SignedDuration::from_hours(1), "{sent:?}");
    }
}

#[tokio::test]
async fn behind_a_silence_a_mailbox_sends_half_and_says_so() {
    let change = |settings: &mut Settings| {
        let ann = ann(settings);
        (ann.daily_limit, ann.ramp.start, ann.ramp.add_per_day) = (8, 2, 2);
        settings.limits.new_per_company_per_day = 100;
        settings.limits.active_per_company = 100;
    };
    let team = team(MAIL, 45, change).await;
    let board = async || team.engine.board(None).await.unwrap().mailboxes.remove(0);
    team.until("2026-03-02T16:00:00Z").await;
    let first = board().await;
    assert_eq!((first.sent, first.limit, first.full, first.after_silence), (2, 2, 8, false));
    // 2, 4, 6 and 8 mails on four days; then nobody is due for more than two weeks.
    team.until("2026-03-05T16:00:00Z").await;
    assert_eq!(sent(&team, 45).await.len(), 20);
    team.clock.set(instant("2026-03-23T08:00:00Z"));
    let (stands, _) = check(&team, 45, "mailbox ann").await;
    assert_eq!(stands, "0 of 4 in 24 h (growing again to 8 after a silence)");
    team.until("2026-03-23T16:00:00Z").await;
    assert_eq!(sent(&team, 45).await.len(), 24);
    let again = board().await;
    assert_eq!((again.sent, again.limit, again.after_silence), (4, 4, true));
    team.until("2026-03-24T16:00:00Z").await;
    assert_eq!(sent(&team, 45).await.len(), 30);
}

#[tokio::test]
async fn people_of_a_rep_begin_while_few_enough_are_under_way() {
    let in_the_cadence = format!("limits: {{ active_per_rep: 2 }}\n{MAIL}");
    for (steps, own) in [(in_the_cadence.as_str(), Some(9)), (MAIL, Some(2))] {
        let change = |settings: &mut Settings| settings.limits.active_per_rep = own;
        let team = team(steps, 4, change).await;
        team.until("2026-03-04T16:00:00Z").await;
        assert_eq!(sent(&team, 4).await.len(), 2);
        assert_eq!(waits_for(&team, 4).await, Some(Waiting::RepLimit));
        let (stands, verdict) = check(&team, 4, "rep ann").await;
        assert_eq!(stands, "2 others under way, 2 may be at once");
        assert_eq!(verdict, Verdict::Open);
        // Somebody answers, and it is over: one place is free.
        team.answers(1, "No, thank you. We are not interested.").await;
        team.until("2026-03-05T16:00:00Z").await;
        assert_eq!(sent(&team, 4).await.len(), 3);
    }
}

const CONNECT: &str = "defaults: { expires_after: 10 business days }\nsteps:\n  \
     - { id: connect, day: 1, social: { network: linkedin, act: connect } }\n  \
     - { id: call, day: 30, call: { script: script } }\n";

async fn tasks(team: &Team) -> Vec<TaskId> {
    let mut tasks: Vec<TaskId> = team.queue("ann").await.iter().map(|line| line.task.id).collect();
    tasks.sort();
    tasks
}

#[tokio::test]
async fn no_more_invitations_are_offered_than_the_network_takes_in_a_week() {
    let change = |settings: &mut Settings| settings.linkedin.invites_per_week = Some(2);
    let team = team(CONNECT, 5, change).await;
    team.until("2026-03-02T10:00:00Z").await;
    let open = tasks(&team).await;
    assert_eq!(open.len(), 2);
    let what = "rep ann, invitations on LinkedIn";
    let stands = async |person| check(&team, person, what).await.0;
    assert_eq!(stands(5).await, "0 done and 2 open of 2 in 7 days");
    assert_eq!(waits_for(&team, 5).await, Some(Waiting::RepLimit));
    // What was not sent makes room, and what was sent does not.
    team.done(open[0], "not_found").await;
    team.done(open[1], "done").await;
    team.until("2026-03-02T16:00:00Z").await;
    let open = tasks(&team).await;
    assert_eq!(open.len(), 1);
    assert_eq!(stands(5).await, "1 done and 1 open of 2 in 7 days");
    team.until("2026-03-09T09:00:00Z").await;
    assert_eq!(tasks(&team).await, open, "a week is not over");
    team.until("2026-03-09T16:00:00Z").await;
    assert_eq!(tasks(&team).await.len(), 2);
}

#[tokio::test]
async fn a_note_counts_for_the_month_and_one_that_is_too_long_is_told() {
    let noted = CONNECT.replace("act: connect", "act: connect, text: bump");
    let change = |settings: &mut Settings| {
        settings.linkedin.notes_per_month = Some(1);
        settings.linkedin.note_limit = Some(12);
    };
    let team = team(&noted, 2, change).await;
    team.until("2026-03-02T10:00:00Z").await;
    let line = team.only_task("ann").await;
    assert_eq!(line.task.metered, Some(Metered::InviteWithNote));
    assert_eq!(
        line.task.title,
        "linkedin: connect (the note has 13 characters, 12 fit: make it shorter)"
    );
    team.done(line.task.id, "done").await;
    let waiting = if team.enrollments(1).await[0].state.has_begun() { 2 } else { 1 };
    let (stands, until) =
        check(&team, waiting, "rep ann, invitations with a note on LinkedIn").await;
    assert_eq!(stands, "1 done and 0 open of 1 in 30 days");
    assert_eq!(until, Verdict::Until(instant("2026-04-01T10:00:00Z")));
    team.until("2026-04-01T09:45:00Z").await;
    assert_eq!(tasks(&team).await, []);
    team.until("2026-04-01T16:00:00Z").await;
    assert_eq!(tasks(&team).await.len(), 1);
}

#[tokio::test]
async fn whoever_was_only_worked_on_among_ourselves_is_new_at_the_first_mail() {
    let steps = "limits: { new_per_rep_per_day: 2 }\nsteps:\n  \
         - { id: research, day: 1, task: { title: Read } }\n  \
         - { id: mail, day: 1, email: { template: hello, thread: new } }\n  \
         - { id: bump, day: 2, email: { template: bump, thread: reply } }\n";
    let change = |settings: &mut Settings| {
        settings.limits.new_per_company_per_day = 100;
        settings.limits.active_per_company = 100;
    };
    let team = team(steps, 5, change).await;
    team.until("2026-03-02T10:00:00Z").await;
    let research = tasks(&team).await;
    assert_eq!(research.len(), 5, "everybody is researched at once");
    for record in team.enrollments(1).await {
        assert!(!record.state.has_begun(), "{record:?}");
    }
    for task in research {
        team.done(task, "done").await;
    }
    team.until("2026-03-02T16:00:00Z").await;
    assert_eq!(sent(&team, 5).await.len(), 2);
    team.until("2026-03-03T16:00:00Z").await;
    // Two more are new; the first two are followed up.
    assert_eq!(sent(&team, 5).await.len(), 6);
    let mut all: BTreeMap<usize, usize> = BTreeMap::new();
    for person in 1..=5 {
        *all.entry(team.touches(person).await.len()).or_default() += 1;
    }
    // The task is noted among the touches, and touches nobody.
    assert_eq!(all, BTreeMap::from([(1, 1), (2, 2), (3, 2)]));
}

#[tokio::test]
async fn a_low_score_is_passed_by_better_ones_for_so_many_days_only() {
    let steps = format!("limits: {{ new_per_rep_per_day: 1 }}\n{MAIL}");
    let change = |settings: &mut Settings| {
        settings.limits.new_per_company_per_day = 100;
        settings.limits.active_per_company = 100;
    };
    let team = team(&steps, 1, change).await;
    // Everybody else scores three points more, and one of them comes each day.
    let low = team.enrollments(1).await.remove(0);
    let mut days: i64 = 0;
    while team.touches(1).await.is_empty() {
        days += 1;
        assert!(days < 9, "it waits for ever");
        let id = 100 + days;
        let mut person = team.engine.store.prospects(&[ProspectId(1)]).await.unwrap().remove(0);
        person.id = ProspectId(id);
        person.known.email = format!("p{id}@acme.test").parse().ok();
        let better = firsttouch::ports::EnrollmentRecord {
            id: firsttouch::domain::ids::EnrollmentId(id),
            prospect: person.id,
            score: low.score + 3,
            enrolled_at: team.clock_now(),
            ..low.clone()
        };
        let prospects = vec![(person, Vec::new())];
        team.engine
            .store
            .write(Changes { prospects, enrolled: vec![better], ..Changes::default() })
            .await
            .unwrap();
        let now = team.clock_now();
        team.until(&(now + SignedDuration::from_hours(24)).to_string()).await;
    }
    assert_eq!(days, 4, "the better ones of three days go first");
}
