//! A rep's day: what is first, what is put off, promised, skipped or taken back, and who is away.

mod team;

use std::sync::Arc;

use firsttouch::domain::absence::Work;
use firsttouch::domain::budget::Waiting;
use firsttouch::domain::enrollment::TaskKind;
use firsttouch::domain::ids::{MailboxId, ProspectId, RepId, TaskId};
use firsttouch::domain::log::What;
use firsttouch::domain::moment::Moment;
use firsttouch::domain::prospect::{Prospect, Relationship};
use firsttouch::domain::queue::{Group, NotNow, Place};
use firsttouch::domain::suppression::Subject;
use firsttouch::domain::touch::Status;
use firsttouch::engine::away::GoingAway;
use firsttouch::engine::tasks::{Day, DoneTask, QueueLine, Snooze, TakenBack};
use firsttouch::ports::Changes;
use jiff::Timestamp;
use team::{Team, instant};

/// The rest of a cadence.
fn cadence(id: &str, rest: &str) -> (String, String) {
    let text = format!(
        "format: cadence/v1\nid: {id}\ntitle: T\ndays: business\ncalendar: standard\n\
         enroll: {{ audience: prospects, profiles: [any], again_after: 30 days }}\n{rest}"
    );
    (format!("cadences/{id}.yaml"), text)
}

const CALLS: &str = "replies: { question: triage }\nsteps:\n  \
     - { id: call, day: 1, call: { script: script } }\n  \
     - { id: research, day: 1, task: { title: Look around } }\n  \
     - { id: mail, day: 3, email: { template: hello, thread: new } }\n  \
     - { id: last, day: 5, call: { script: script } }\n";

/// Everybody has a call to make on Monday, 2 March 2026, at nine.
async fn calling(people: i64) -> Team {
    let team = Team::new(&[cadence("first", CALLS)]).await;
    team.people(people, Relationship::Prospect, &[]).await;
    team.enroll("first", people).await;
    team.until("2026-03-02T09:00:00Z").await;
    team
}

fn rep(name: &str) -> RepId {
    RepId::from(name)
}

/// What a test does with a team's queue.
trait Desk {
    async fn day(&self, who: &str) -> Day;
    async fn say(&self, task: TaskId, outcome: &str, until: Option<&str>) -> Result<(), String>;
    async fn snooze(&self, task: TaskId, until: &str) -> Result<Timestamp, String>;
    async fn undo(&self) -> Result<TakenBack, String>;
    async fn away(&self, who: &str, span: (&str, &str), work: Work) -> Result<usize, String>;
    async fn reports(&self) -> (u64, u64);
}

impl Desk for Team {
    async fn day(&self, who: &str) -> Day {
        self.engine.day(Some(&rep(who))).await.unwrap()
    }

    async fn say(&self, task: TaskId, outcome: &str, until: Option<&str>) -> Result<(), String> {
        let (outcome, actor, until) = (outcome.to_owned(), rep("ann"), until.map(instant));
        let done =
            DoneTask { task, outcome, until, actor, set: Vec::new(), text: None, note: None };
        self.engine.done(done).await.map(|_| ()).map_err(|error| error.to_string())
    }

    async fn snooze(&self, task: TaskId, until: &str) -> Result<Timestamp, String> {
        let snooze = Snooze { task, until: Moment::Instant(instant(until)), actor: rep("ann") };
        let snoozed = self.engine.snooze(&snooze).await.map_err(|error| error.to_string())?;
        Ok(snoozed.expires_at)
    }

    async fn undo(&self) -> Result<TakenBack, String> {
        self.engine.undo(&rep("ann")).await.map_err(|error| error.to_string())
    }

    async fn away(
        &self,
        who: &str,
        (from, until): (&str, &str),
        work: Work,
    ) -> Result<usize, String> {
        let (from, until, by) = (instant(from), instant(until), "test".to_owned());
        let going = GoingAway { rep: rep(who), from, until, work, by };
        self.engine.go_away(going).await.map(|noted| noted.moved).map_err(|error| error.to_string())
    }

    /// Calls that count, and human replies.
    async fn reports(&self) -> (u64, u64) {
        let tally = self.engine.tally().await.unwrap();
        (tally.touches.get("call").copied().unwrap_or(0), tally.replies)
    }
}

fn places(day: &Day) -> Vec<(i64, Place)> {
    day.now.iter().chain(&day.later).map(|row| (row.line.prospect.id.0, row.place)).collect()
}

fn only(lines: Vec<QueueLine>) -> QueueLine {
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.into_iter().next().unwrap()
}

#[tokio::test]
async fn calls_outside_the_hours_of_a_person_are_counted_with_the_time_from_which_they_may_be_made()
{
    let team = Team::new(&[cadence("first", CALLS)]).await;
    team.people(2, Relationship::Prospect, &[]).await;
    team.enroll("first", 2).await;
    team.until("2026-03-02T09:00:00Z").await;
    // The second one has moved to Denver, where it is two in the morning.
    let mut moved = team.engine.store.prospects(&[ProspectId(2)]).await.unwrap().remove(0);
    moved.known.time_zones = vec!["America/Denver".to_owned()];
    let prospects = vec![(moved, Vec::new())];
    team.engine.store.write(Changes { prospects, ..Changes::default() }).await.unwrap();
    let day = team.day("ann").await;
    let later = Place::Later(NotNow::OutsideHours, instant("2026-03-02T15:00:00Z"));
    assert_eq!(places(&day), [(1, Place::Now(Group::Call)), (2, later)]);
    let why = day.later[0].why(|at| at.to_string(), team.engine.now());
    assert_eq!(why, "outside their hours; callable from 2026-03-02T15:00:00Z");
}

#[tokio::test]
async fn a_promised_call_is_first_at_its_time_and_everything_else_waits_for_it() {
    let team = calling(2).await;
    let queue = team.queue("ann").await;
    let promised = queue.iter().find(|line| line.prospect.id == ProspectId(2)).unwrap().clone();
    team.say(promised.task.id, "call_back", Some("2026-03-04T18:30:00Z")).await.unwrap();
    team.until("2026-03-04T18:00:00Z").await;
    let at = instant("2026-03-04T18:30:00Z");
    let day = team.day("ann").await;
    let later = Place::Later(NotNow::Promised, at);
    assert!(places(&day).contains(&(2, later)), "{:?}", places(&day));
    // The mail of day 3 did not leave: the promise holds the rest.
    assert_eq!(team.touches(2).await.len(), 1);
    team.until("2026-03-04T18:30:00Z").await;
    let day = team.day("ann").await;
    assert_eq!(places(&day)[0], (2, Place::Now(Group::Promised)));
    let again = &day.now[0].line.task;
    assert_eq!((again.attempt, again.step.as_str()), (2, "call"));
    team.say(again.id, "no_answer", None).await.unwrap();
    let outcomes: Vec<_> =
        team.touches(2).await.iter().map(|t| (t.attempt, t.outcome.clone().unwrap().0)).collect();
    assert_eq!(outcomes, [(1, "call_back".to_owned()), (2, "no_answer".to_owned())]);
    team.until("2026-03-05T09:00:00Z").await;
    assert!(team.queue("ann").await.iter().any(|line| line.task.step.as_str() == "research"));
}

#[tokio::test]
async fn a_promise_that_nobody_keeps_runs_out_and_the_cadence_goes_on() {
    let team = calling(1).await;
    let call = team.only_task("ann").await;
    team.say(call.task.id, "call_back", Some("2026-03-03T10:00:00Z")).await.unwrap();
    team.until("2026-03-06T09:30:00Z").await;
    assert_eq!(team.only_task("ann").await.task.attempt, 2);
    team.until("2026-03-06T10:15:00Z").await;
    let next = team.only_task("ann").await;
    assert_eq!(next.task.step.as_str(), "research");
    assert_eq!(team.log(1, What::TaskExpired).await.len(), 1);
}

#[tokio::test]
async fn nobody_is_promised_a_call_in_the_past_at_night_or_next_year() {
    let team = calling(1).await;
    let call = team.only_task("ann").await.task.id;
    for (until, wrong) in [
        ("2026-03-02T08:00:00Z", "is over already"),
        ("2026-03-03T21:00:00Z", "that is Tue 21:00 there"),
        ("2026-03-03T07:59:00Z", "calls are made 08:00-21:00"),
        ("2027-03-03T10:00:00Z", "90 days"),
    ] {
        let said = team.say(call, "call_back", Some(until)).await.unwrap_err();
        assert!(said.contains(wrong), "{until}: {said}");
    }
    // Without a time the owner decides, as before.
    team.say(call, "call_back", None).await.unwrap();
    assert_eq!(team.only_task("ann").await.task.kind, TaskKind::Triage);
}

#[tokio::test]
async fn an_answer_by_mail_takes_a_promised_call_out_of_the_queue() {
    let mails_first = "replies: { question: triage }\nsteps:\n  \
         - { id: mail, day: 1, email: { template: hello, thread: new } }\n  \
         - { id: call, day: 1, call: { script: script } }\n";
    let team = Team::new(&[cadence("first", mails_first)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("first", 1).await;
    team.until("2026-03-02T12:00:00Z").await;
    let call = team.only_task("ann").await;
    team.say(call.task.id, "call_back", Some("2026-03-04T10:00:00Z")).await.unwrap();
    team.answers(1, "Who are you?").await;
    team.until("2026-03-04T12:00:00Z").await;
    assert_eq!(team.only_task("ann").await.task.kind, TaskKind::Reply);
}

#[tokio::test]
async fn what_is_skipped_touches_nobody_and_the_cadence_goes_on() {
    let team = calling(1).await;
    let call = team.only_task("ann").await.task.id;
    team.engine.skip_task(call, rep("ann"), Some("no phone at hand")).await.unwrap();
    assert!(team.touches(1).await.is_empty());
    let skipped = team.log(1, What::Skipped).await;
    let told = (skipped[0].detail("reason"), skipped[0].actor.as_str());
    assert_eq!(told, ("by_rep: no phone at hand", "ann"));
    assert_eq!(team.reports().await, (0, 0));
    team.until("2026-03-02T09:15:00Z").await;
    assert_eq!(team.only_task("ann").await.task.step.as_str(), "research");
    // What waits for a word cannot be passed over.
    team.done(team.only_task("ann").await.task.id, "done").await;
    team.until("2026-03-04T12:00:00Z").await;
    team.answers(1, "Why?").await;
    team.until("2026-03-04T12:15:00Z").await;
    let reply = team.only_task("ann").await.task.id;
    let said = team.engine.skip_task(reply, rep("ann"), None).await.unwrap_err().to_string();
    assert!(said.contains(&format!("firsttouch done {reply} interested|")), "{said}");
}

#[tokio::test]
async fn what_is_put_off_is_away_until_then_and_runs_out_so_much_later() {
    let team = calling(1).await;
    let call = team.only_task("ann").await.task;
    assert_eq!(call.expires_at, instant("2026-03-05T09:00:00Z").min(call.expires_at));
    let expires_at = team.snooze(call.id, "2026-03-03T09:00:00Z").await.unwrap();
    assert_eq!(call.expires_at.duration_until(expires_at).as_hours(), 24);
    let at = instant("2026-03-03T09:00:00Z");
    assert_eq!(places(&team.day("ann").await), [(1, Place::Later(NotNow::Snoozed, at))]);
    // Past the old time and not past the new one.
    team.until("2026-03-05T12:00:00Z").await;
    assert_eq!(places(&team.day("ann").await), [(1, Place::Now(Group::Call))]);
    // Put off once more: only the time from the moment at which it is looked at counts.
    let later = team.snooze(call.id, "2026-03-05T14:00:00Z").await.unwrap();
    assert_eq!(expires_at.duration_until(later).as_hours(), 2);
    team.until("2026-03-06T09:00:00Z").await;
    assert_eq!(team.only_task("ann").await.task.id, call.id);
    team.until("2026-03-06T17:00:00Z").await;
    assert_ne!(team.only_task("ann").await.task.id, call.id);
    assert_eq!(team.log(1, What::TaskExpired).await.len(), 1);
}

#[tokio::test]
async fn nothing_is_put_off_into_the_past_for_ever_or_on_the_back_of_a_colleague() {
    let hands = "steps:\n  - { id: over, day: 1, hand_off: { to: account_manager, accept_within: 4 business hours } }\n";
    let team = Team::new(&[cadence("first", CALLS), cadence("over", hands)]).await;
    team.people(2, Relationship::Prospect, &[]).await;
    team.enroll("first", 1).await;
    let over = [ProspectId(2)];
    let mode = firsttouch::engine::enroll::Mode::Commit;
    team.engine.enroll(&over, &"over".into(), mode).await.unwrap();
    team.until("2026-03-02T09:00:00Z").await;
    let call = team.only_task("ann").await.task.id;
    let offer = team.only_task("cara").await.task.id;
    for (task, until, wrong) in [
        (call, "2026-03-02T08:00:00Z", "is over already"),
        (call, "2026-04-02T09:00:00Z", "30 days at most"),
        (offer, "2026-03-02T12:00:00Z", "a colleague waits for an answer"),
        (TaskId(999), "2026-03-02T12:00:00Z", "there is no open task"),
    ] {
        let said = team.snooze(task, until).await.unwrap_err();
        assert!(said.contains(wrong), "{until}: {said}");
    }
}

#[tokio::test]
async fn what_was_said_of_a_call_is_taken_back_whole_and_said_again_on_the_same_touch() {
    let team = calling(1).await;
    let call = team.only_task("ann").await.task;
    team.say(call.id, "do_not_call", None).await.unwrap();
    assert_eq!(team.reports().await, (1, 1));
    assert_eq!(team.engine.store.milestones().await.unwrap().len(), 4);
    let phone = [Subject::Phone("+14155550101".to_owned())];
    assert_eq!(team.engine.store.suppressions(&phone).await.unwrap().len(), 1);
    // The next task is opened; that alone does not stand in the way.
    team.until("2026-03-02T09:30:00Z").await;
    assert_eq!(team.only_task("ann").await.task.step.as_str(), "research");
    let taken_back = team.undo().await.unwrap();
    assert_eq!((taken_back.task.id, taken_back.unblocked), (call.id, 1));
    let again = team.only_task("ann").await.task;
    assert_eq!((again.id, again.attempt, again.open), (call.id, 1, true));
    // What was left is left, on the task and in the enrollment.
    assert_eq!(call.expires_at.duration_until(again.expires_at).as_mins(), 30);
    assert!(team.engine.store.suppressions(&phone).await.unwrap().is_empty());
    assert!(team.engine.store.milestones().await.unwrap().is_empty());
    assert_eq!(team.reports().await, (0, 0));
    assert_eq!(team.touches(1).await[0].status, Status::TakenBack);
    team.say(call.id, "left_voicemail", None).await.unwrap();
    let touches = team.touches(1).await;
    assert_eq!(touches.len(), 1);
    assert_eq!(touches[0].status, Status::Done);
    assert_eq!(touches[0].outcome.as_ref().unwrap().as_str(), "left_voicemail");
    let firsts = team.engine.store.milestones().await.unwrap();
    assert!(!firsts.is_empty() && firsts.iter().all(|first| first.touch == touches[0].id));
    assert_eq!(team.reports().await, (1, 0));
    // The log keeps all three.
    assert_eq!(team.log(1, What::TaskDone).await.len(), 2);
    assert_eq!(team.log(1, What::TaskUndone).await.len(), 1);
}

#[tokio::test]
async fn an_end_is_taken_back_and_what_began_elsewhere_ends_before_it_begins() {
    let steps = CALLS.replace(
        "{ id: call, day: 1, call: { script: script } }",
        "{ id: call, day: 1, call: { script: script }, \
         outcomes: { not_now: { switch_to: { cadence: nurture, after: 9 days } } } }",
    );
    let nurture = "steps:\n  - { id: mail, day: 1, email: { template: hello, thread: new } }\n";
    let team = Team::new(&[cadence("first", &steps), cadence("nurture", nurture)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("first", 1).await;
    team.until("2026-03-02T09:00:00Z").await;
    let call = team.only_task("ann").await.task.id;
    team.say(call, "meeting_booked", None).await.unwrap();
    assert_eq!(team.ways(1).await, ["first meeting"]);
    team.undo().await.unwrap();
    assert_eq!(team.ways(1).await, ["first on_task"]);
    assert!(team.engine.tally().await.unwrap().endings.is_empty());
    team.say(call, "not_now", None).await.unwrap();
    assert_eq!(team.ways(1).await, ["first switched", "nurture waiting"]);
    team.until("2026-03-02T12:00:00Z").await;
    team.undo().await.unwrap();
    assert_eq!(team.ways(1).await, ["first on_task", "nurture removed"]);
    // Said again, they come in again, although `again_after` is 30 days: nothing was tried there.
    team.say(call, "not_now", None).await.unwrap();
    assert_eq!(team.ways(1).await, ["first switched", "nurture removed", "nurture waiting"]);
    team.until("2026-03-12T12:00:00Z").await;
    let mails = team.touches(1).await.iter().filter(|touch| touch.mail.is_some()).count();
    assert_eq!(mails, 1);
}

#[tokio::test]
async fn what_something_came_of_stays_and_is_told() {
    let team = calling(1).await;
    let call = team.only_task("ann").await.task.id;
    team.say(call, "no_answer", None).await.unwrap();
    team.until("2026-03-02T10:00:00Z").await;
    let research = team.only_task("ann").await.task.id;
    team.say(research, "done", None).await.unwrap();
    // The last one first; then the one before.
    assert_eq!(team.undo().await.unwrap().task.id, research);
    assert_eq!(team.undo().await.unwrap().task.id, call);
    let nothing = team.undo().await.unwrap_err();
    assert!(nothing.contains("has done nothing that could be taken back"), "{nothing}");
    team.say(call, "no_answer", None).await.unwrap();
    team.until("2026-03-02T10:15:00Z").await;
    // Another one does the next task: then the call cannot be taken back.
    let research = team.only_task("ann").await.task.id;
    let (outcome, actor) = ("done".to_owned(), rep("cara"));
    let done = DoneTask {
        task: research,
        outcome,
        until: None,
        actor,
        set: Vec::new(),
        text: None,
        note: None,
    };
    team.engine.done(done).await.unwrap();
    let said = team.undo().await.unwrap_err();
    assert!(said.contains("since then: task done research"), "{said}");
}

#[tokio::test]
async fn nothing_is_taken_back_behind_a_mail_a_reply_or_a_day() {
    let team = Team::new(&[cadence("first", &CALLS.replace("day: 3", "day: 1"))]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("first", 1).await;
    team.until("2026-03-02T09:00:00Z").await;
    let call = team.only_task("ann").await.task.id;
    team.say(call, "no_answer", None).await.unwrap();
    team.until("2026-03-02T09:15:00Z").await;
    let research = team.only_task("ann").await.task.id;
    team.say(research, "done", None).await.unwrap();
    team.until("2026-03-02T10:00:00Z").await;
    let said = team.undo().await.unwrap_err();
    assert!(said.contains("sent mail"), "{said}");
    team.until("2026-03-03T09:16:00Z").await;
    let said = team.undo().await.unwrap_err();
    assert!(said.contains("more than 24 hours ago"), "{said}");
}

#[tokio::test]
async fn a_skip_and_a_snooze_are_taken_back_as_well() {
    let team = calling(1).await;
    let call = team.only_task("ann").await.task;
    team.snooze(call.id, "2026-03-04T09:00:00Z").await.unwrap();
    team.until("2026-03-02T10:00:00Z").await;
    team.undo().await.unwrap();
    let again = team.only_task("ann").await.task;
    assert_eq!((again.wakes_at, again.id), (None, call.id));
    assert_eq!(call.expires_at.duration_until(again.expires_at).as_hours(), 1);
    team.engine.skip_task(call.id, rep("ann"), None).await.unwrap();
    assert_eq!(team.engine.tally().await.unwrap().skipped, 1);
    team.undo().await.unwrap();
    assert_eq!(team.only_task("ann").await.task.id, call.id);
    assert_eq!(team.engine.tally().await.unwrap().skipped, 0);
    team.say(call.id, "no_answer", None).await.unwrap();
    assert_eq!(team.touches(1).await.len(), 1);
}

#[tokio::test]
async fn a_reply_that_was_sorted_wrong_is_asked_about_again_and_colleagues_wait_again() {
    let mails = "replies: { question: triage, referral: continue }\ncompany: { on_reply: pause_others }\nsteps:\n  \
         - { id: mail, day: 1, email: { template: hello, thread: new } }\n  \
         - { id: bump, day: 9, email: { template: bump, thread: reply } }\n";
    let team = Team::new(&[cadence("first", mails)]).await;
    team.people(2, Relationship::Prospect, &[]).await;
    team.enroll("first", 2).await;
    team.until("2026-03-02T12:00:00Z").await;
    team.answers(1, "Ask somebody else.").await;
    team.until("2026-03-02T12:15:00Z").await;
    assert_eq!(team.ways(2).await, ["first paused"]);
    let reply = team.only_task("ann").await.task.id;
    team.say(reply, "referral", None).await.unwrap();
    assert_eq!(team.ways(2).await, ["first waiting"]);
    team.undo().await.unwrap();
    assert_eq!(
        [team.ways(1).await, team.ways(2).await].concat(),
        ["first on_reply", "first paused"]
    );
    assert_eq!(team.only_task("ann").await.task.id, reply);
    team.say(reply, "not_interested", None).await.unwrap();
    assert_eq!(
        [team.ways(1).await, team.ways(2).await].concat(),
        ["first not_interested", "first waiting"]
    );
}

#[tokio::test]
async fn tasks_and_people_change_hands_and_conversations_stay_where_they_began() {
    let mails = "steps:\n  - { id: mail, day: 1, email: { template: hello, thread: new } }\n  \
         - { id: call, day: 1, call: { script: script } }\n  \
         - { id: bump, day: 3, email: { template: bump, thread: reply } }\n";
    let calls_first = "steps:\n  - { id: call, day: 1, call: { script: script } }\n  \
         - { id: mail, day: 2, email: { template: hello, thread: new } }\n";
    let mut team = Team::new(&[cadence("mails", mails), cadence("calls", calls_first)]).await;
    let settings = Arc::make_mut(&mut team.engine.settings);
    let ann = settings.mailboxes[&MailboxId::from("ann")].clone();
    let (id, owner) = (MailboxId::from("ben"), rep("ben"));
    let from = "ben@us.example".parse().unwrap();
    settings
        .mailboxes
        .insert(id.clone(), firsttouch::domain::settings::Mailbox { id, owner, from, ..ann });
    team.people(2, Relationship::Prospect, &[]).await;
    let mode = firsttouch::engine::enroll::Mode::Commit;
    team.engine.enroll(&[ProspectId(1)], &"mails".into(), mode).await.unwrap();
    team.engine.enroll(&[ProspectId(2)], &"calls".into(), mode).await.unwrap();
    team.until("2026-03-02T12:00:00Z").await;
    let tasks: Vec<TaskId> = team.queue("ann").await.iter().map(|line| line.task.id).collect();
    assert_eq!(tasks.len(), 2);
    let given = team.engine.reassign(&[tasks[0], TaskId(999)], &rep("ben"), "cli").await.unwrap();
    assert_eq!((given.moved.len(), given.not.len()), (1, 1));
    assert_eq!(only(team.queue("ben").await).task.id, tasks[0]);
    let people = team.engine.reassign_people(&rep("ann"), &rep("ben"), "cli").await.unwrap();
    assert_eq!((people.enrollments, people.mailboxes), (2, 1));
    let owners = |records: Vec<firsttouch::ports::EnrollmentRecord>| {
        (records[0].owner.0.clone(), records[0].mailbox.clone().unwrap().0)
    };
    assert_eq!(owners(team.enrollments(1).await), ("ben".to_owned(), "ann".to_owned()));
    assert_eq!(owners(team.enrollments(2).await), ("ben".to_owned(), "ben".to_owned()));
    let known: Vec<Prospect> =
        team.engine.store.prospects(&[ProspectId(1), ProspectId(2)]).await.unwrap();
    assert!(known.iter().all(|prospect| prospect.owner == rep("ben")));
    let states = team.engine.store.transitions_of(team.enrollments(1).await[0].id).await.unwrap();
    assert_eq!(states.last().unwrap().owner, rep("ben"));
    let rest = team.engine.tasks_of(&rep("ann")).await.unwrap();
    team.engine.reassign(&rest, &rep("ben"), "cli").await.unwrap();
    for line in team.queue("ben").await {
        team.say(line.task.id, "no_answer", None).await.unwrap();
    }
    // The conversation goes on from ann's mailbox; the new one begins from ben's.
    let ben = MailboxId::from("ben");
    for hour in 9..17 {
        team.until(&format!("2026-03-04T{hour:02}:00:00Z")).await;
        team.engine.collect(&ben).await.unwrap();
        team.engine.work_mailbox(&ben).await.unwrap();
    }
    let from = |touches: Vec<firsttouch::domain::touch::Touch>| {
        touches
            .iter()
            .filter_map(|touch| touch.mail.as_ref())
            .map(|mail| mail.mailbox.0.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(from(team.touches(1).await), ["ann", "ann"]);
    assert_eq!(from(team.touches(2).await), ["ben"]);
}

#[tokio::test]
async fn whoever_stands_in_has_the_open_tasks_and_the_new_ones_until_the_end() {
    let team = calling(2).await;
    let cover = Work::Cover(rep("cara"));
    let span = ("2026-03-02T12:00:00Z", "2026-03-04T00:00:00Z");
    assert_eq!(team.away("ann", span, cover).await, Ok(0));
    assert_eq!(team.queue("ann").await.len(), 2);
    team.until("2026-03-02T12:00:00Z").await;
    assert_eq!(team.engine.mind_absences().await.unwrap(), 2);
    assert!(team.queue("ann").await.is_empty());
    let covered = team.queue("cara").await;
    assert_eq!(covered[0].task.covers, Some(rep("ann")));
    team.done(covered[0].task.id, "no_answer").await;
    team.until("2026-03-02T12:15:00Z").await;
    let new = team.queue("cara").await;
    assert!(new.iter().any(|line| line.task.step.as_str() == "research"), "{new:?}");
    team.until("2026-03-04T00:00:00Z").await;
    assert_eq!(team.engine.mind_absences().await.unwrap(), 2);
    assert_eq!((team.queue("ann").await.len(), team.queue("cara").await.len()), (2, 0));
    assert!(team.queue("ann").await.iter().all(|line| line.task.covers.is_none()));
    assert_eq!(team.engine.mind_absences().await.unwrap(), 0);
}

#[tokio::test]
async fn while_somebody_is_away_and_their_work_waits_nothing_begins_and_nothing_is_lost() {
    let mails = "steps:\n  - { id: mail, day: 1, email: { template: hello, thread: new } }\n  \
         - { id: research, day: 2, task: { title: Look around } }\n";
    let team = Team::new(&[cadence("first", mails)]).await;
    team.people(3, Relationship::Prospect, &[]).await;
    team.away("ann", ("2026-03-02T08:00:00Z", "2026-03-05T00:00:00Z"), Work::Hold).await.unwrap();
    team.enroll("first", 3).await;
    team.until("2026-03-04T17:00:00Z").await;
    assert!(team.touches(1).await.is_empty());
    let wake = team.enrollments(1).await[0].wake.clone().unwrap();
    assert_eq!((wake.waiting, wake.at), (Waiting::OwnerAway, instant("2026-03-05T00:00:00Z")));
    team.until("2026-03-05T17:00:00Z").await;
    for person in 1..=3 {
        assert_eq!(team.touches(person).await.len(), 1);
    }
    // The steps keep their distance: the task comes on the next day, not at once.
    assert!(team.queue("ann").await.is_empty());
    team.until("2026-03-06T09:00:00Z").await;
    assert_eq!(team.queue("ann").await.len(), 3);
}

#[tokio::test]
async fn whoever_comes_back_early_finds_their_people_going_on_at_once() {
    let team = Team::new(&[cadence("first", CALLS)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.away("ann", ("2026-03-02T08:00:00Z", "2026-03-20T00:00:00Z"), Work::Hold).await.unwrap();
    team.enroll("first", 1).await;
    team.until("2026-03-03T10:00:00Z").await;
    assert!(team.queue("ann").await.is_empty());
    assert_eq!(team.engine.come_back(&rep("ann"), "cli").await.unwrap(), (1, 0));
    team.until("2026-03-03T10:15:00Z").await;
    assert_eq!(team.only_task("ann").await.task.step.as_str(), "call");
    assert_eq!(team.log(1, What::Ended).await.len(), 0);
    let again = team.engine.come_back(&rep("ann"), "cli").await.unwrap_err().to_string();
    assert!(again.contains("ann is not away"), "{again}");
}

#[tokio::test]
async fn what_is_asked_of_somebody_does_not_run_out_while_they_are_away() {
    let team = calling(1).await;
    let call = team.only_task("ann").await.task;
    team.away("ann", ("2026-03-03T00:00:00Z", "2026-03-16T00:00:00Z"), Work::Hold).await.unwrap();
    team.until("2026-03-13T12:00:00Z").await;
    let day = team.day("ann").await;
    let back = instant("2026-03-16T00:00:00Z");
    assert_eq!(places(&day), [(1, Place::Later(NotNow::OwnerAway, back))]);
    assert_eq!(day.away.len(), 1);
    // Back, they have the whole time again: three working days.
    team.until("2026-03-18T17:00:00Z").await;
    assert_eq!(team.only_task("ann").await.task.id, call.id);
    team.until("2026-03-19T17:00:00Z").await;
    assert_eq!(team.log(1, What::TaskExpired).await.len(), 1);
}

#[tokio::test]
async fn whoever_is_away_is_passed_over_when_people_are_handed_over() {
    let hands = "steps:\n  - { id: over, day: 1, hand_off: { to: account_manager, accept_within: 4 business hours } }\n";
    let mut team = Team::new(&[cadence("over", hands)]).await;
    let settings = Arc::make_mut(&mut team.engine.settings);
    settings.roles.insert(rep("dot"), vec!["account_manager".into()]);
    team.people(4, Relationship::Prospect, &[]).await;
    team.away("cara", ("2026-03-02T08:00:00Z", "2026-03-03T00:00:00Z"), Work::Hold).await.unwrap();
    team.enroll("over", 2).await;
    team.until("2026-03-02T09:00:00Z").await;
    assert_eq!((team.queue("cara").await.len(), team.queue("dot").await.len()), (0, 2));
    team.engine.come_back(&rep("cara"), "cli").await.unwrap();
    let rest = [ProspectId(3), ProspectId(4)];
    let mode = firsttouch::engine::enroll::Mode::Commit;
    team.engine.enroll(&rest, &"over".into(), mode).await.unwrap();
    team.until("2026-03-02T09:15:00Z").await;
    assert_eq!((team.queue("cara").await.len(), team.queue("dot").await.len()), (1, 3));
}

#[tokio::test]
async fn an_absence_that_makes_no_sense_is_refused() {
    let team = Team::new(&[cadence("first", CALLS)]).await;
    let week = ("2026-03-09T00:00:00Z", "2026-03-16T00:00:00Z");
    team.away("ann", week, Work::Hold).await.unwrap();
    let cases = [
        ("ann", ("2026-03-10T00:00:00Z", "2026-03-12T00:00:00Z"), Work::GoOn, "is away already"),
        (
            "ann",
            ("2026-03-20T00:00:00Z", "2026-03-19T00:00:00Z"),
            Work::Hold,
            "ends before it begins",
        ),
        ("ann", ("2026-02-01T00:00:00Z", "2026-02-05T00:00:00Z"), Work::Hold, "is over already"),
        ("ann", ("2026-04-01T00:00:00Z", "2027-08-05T00:00:00Z"), Work::Hold, "more than a year"),
        (
            "ann",
            ("2026-04-01T00:00:00Z", "2026-04-05T00:00:00Z"),
            Work::Cover(rep("ann")),
            "cannot stand in",
        ),
    ];
    for (who, span, work, wrong) in cases {
        let said = team.away(who, span, work).await.unwrap_err();
        assert!(said.contains(wrong), "{said}");
    }
    team.away("cara", ("2026-04-01T00:00:00Z", "2026-04-05T00:00:00Z"), Work::Cover(rep("ann")))
        .await
        .unwrap();
    let span = ("2026-04-02T00:00:00Z", "2026-04-03T00:00:00Z");
    let said = team.away("ann", span, Work::Cover(rep("cara"))).await.unwrap_err();
    assert!(said.contains("ann stands in for cara"), "{said}");
    let said = team.engine.rep("carla").unwrap_err().to_string();
    assert_eq!(said, "there is no rep `carla`: did you mean `cara`? The settings know ann, cara");
}

#[tokio::test]
async fn whoever_takes_over_reads_who_it_is_what_was_tried_and_what_was_written() {
    let rest = "replies:\n  problem: { hand_off: { to: account_manager, brief: brief, accept_within: 4 business hours } }\nsteps:\n  \
         - { id: call, day: 1, call: { script: script } }\n  \
         - { id: mail, day: 1, email: { template: hello, thread: new } }\n  \
         - { id: bump, day: 9, email: { template: bump, thread: reply } }\n";
    let team = Team::new(&[cadence("first", rest)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("first", 1).await;
    team.until("2026-03-02T09:00:00Z").await;
    let (task, actor) = (team.only_task("ann").await.task.id, rep("ann"));
    let (outcome, note) = ("left_voicemail".to_owned(), Some("the mailbox is full".to_owned()));
    let done = DoneTask { task, outcome, until: None, actor, set: Vec::new(), text: None, note };
    team.engine.done(done).await.unwrap();
    team.until("2026-03-02T10:00:00Z").await;
    team.answers(1, "It does not work.\nCall me.").await;
    team.until("2026-03-02T10:15:00Z").await;
    let reply = team.only_task("ann").await.task.id;
    team.say(reply, "problem", None).await.unwrap();
    let offer = team.only_task("cara").await;
    insta::assert_snapshot!(offer.task.text);
    let day = team.day("cara").await;
    let why = day.now[0].why(|at| at.to_string(), team.engine.now());
    assert_eq!(
        (day.now[0].place, why.as_str()),
        (Place::Now(Group::HandOff), "wants an answer by 2026-03-02T14:15:00Z")
    );
}
