//! Limits by the hour, behind a silence, on the people of a rep and on what networks take; and who goes
//! first among those who are new.

use firsttouch::domain::budget::{Cap, Metered, Quota, QuotaUsed, Waiting};
use firsttouch::domain::cadence::Channel;
use firsttouch::domain::enrollment::{Ending, TaskKind};
use firsttouch::domain::ids::{EnrollmentId, MailboxId, ProspectId, RepId, StepId, TaskId};
use firsttouch::domain::touch::{Status, Touch};
use firsttouch::ports::{
    Changes, EnrollmentRecord, Guards, Intent, MailboxGuard, Store, TaskRecord,
};
use jiff::{SignedDuration, Timestamp};

use crate::Database;
use crate::samples::*;

async fn intend(store: &dyn Store, guards: Guards) -> Intent {
    store.intend(Changes::default(), guards).await.unwrap()
}

pub async fn an_hour_is_counted_by_the_minute(database: Database) {
    let store = database.open().await;
    let hourly = |minute: i64| {
        let (scope, window) = ("mailbox-hour:ann".to_owned(), SignedDuration::from_hours(1));
        let cap = Cap { scope, reason: Waiting::MailboxLimit, limit: 2, window };
        Guards { caps: vec![cap], ..no_guards(at(minute)) }
    };
    let full = |until| Intent::Wait { reason: Waiting::MailboxLimit, until: at(until) };
    for (minute, expected) in [
        (0, Intent::Committed),
        (50, Intent::Committed),
        (51, full(61)),
        (60, full(61)),
        (61, Intent::Committed),
        (62, full(111)),
    ] {
        assert_eq!(intend(&*store, hourly(minute)).await, expected, "at minute {minute}");
    }
}

pub async fn a_mailbox_that_was_silent_begins_again(database: Database) {
    let store = database.open().await;
    let ann = MailboxId::from("ann");
    for (day, before, resumed) in [
        (7, 0, None),
        (8, 1, None),
        (22, 2, None),
        (37, 3, Some(3)),
        (38, 4, Some(3)),
        (60, 5, Some(5)),
    ] {
        let guard = MailboxGuard {
            mailbox: ann.clone(),
            inbox_fresh_for: None,
            gap: SignedDuration::ZERO,
            day,
        };
        let guards = Guards { mailbox: Some(guard), ..no_guards(at(day)) };
        assert_eq!(intend(&*store, guards).await, Intent::Committed);
        let record = store.mailbox(&ann).await.unwrap();
        assert_eq!((record.sending_days, record.resumed_days), (before, resumed), "day {day}");
    }
}

pub async fn a_rep_with_enough_people_under_way_waits(database: Database) {
    let store = database.open().await;
    write_people(&*store, 5).await;
    let begun =
        |id| EnrollmentRecord { state: waiting("two", at(0), vec![sent("one")]), ..enrollment(id) };
    let bobs = EnrollmentRecord { owner: RepId::from("bob"), ..begun(4) };
    let elsewhere = EnrollmentRecord { company: None, ..begun(3) };
    let enrolled = vec![enrollment(1), begun(2), elsewhere, bobs, enrollment(5)];
    store.write(Changes { enrolled, ..Changes::default() }).await.unwrap();
    let with = |rep: &str, id: i64, limit: u32| Guards {
        rep: Some((RepId::from(rep), EnrollmentId(id), limit)),
        ..no_guards(at(0))
    };
    let refused = Intent::Wait { reason: Waiting::RepLimit, until: at(4 * 60) };
    for (rep, id, limit, expected) in [
        ("rep", 1, 3, Intent::Committed),
        ("rep", 1, 2, refused.clone()),
        // Who is under way is not in the own way.
        ("rep", 2, 2, Intent::Committed),
        ("rep", 2, 1, refused.clone()),
        ("bob", 1, 2, Intent::Committed),
        ("bob", 1, 1, refused),
        ("cid", 1, 1, Intent::Committed),
    ] {
        let intent = intend(&*store, with(rep, id, limit)).await;
        assert_eq!(intent, expected, "{id} of {rep}, {limit}");
    }
    let count =
        async |most| store.begun_of(&RepId::from("rep"), EnrollmentId(1), most).await.unwrap();
    assert_eq!((count(9).await, count(1).await), (2, 1));
    let done = moved(2, 1, ended(Ending::NoReply), None);
    store.write(Changes { moved: vec![done], ..Changes::default() }).await.unwrap();
    assert_eq!(intend(&*store, with("rep", 1, 2)).await, Intent::Committed);
}

fn invitation(id: i64, rep: &str, metered: Option<Metered>) -> TaskRecord {
    TaskRecord {
        id: TaskId(id),
        enrollment: EnrollmentId(id),
        prospect: ProspectId(id),
        rep: RepId::from(rep),
        kind: TaskKind::Touch(Channel::Social),
        step: StepId::from("connect"),
        attempt: 1,
        title: "linkedin: connect".to_owned(),
        text: String::new(),
        version: Some("d1".to_owned()),
        priority: 2,
        opened_at: at(0),
        expires_at: at(100),
        target_at: None,
        wakes_at: None,
        promised: false,
        covers: None,
        metered,
        open: true,
    }
}

/// The task is closed, and this came of it.
fn done(id: i64, minute: i64, outcome: &str) -> Changes {
    let touch = Touch {
        channel: Channel::Social,
        at: at(minute),
        mail: None,
        outcome: Some(outcome.into()),
        ..touch(id, id, "connect", Status::Done)
    };
    let close_tasks = vec![(EnrollmentId(id), at(minute))];
    Changes { touches: vec![touch], close_tasks, ..Changes::default() }
}

fn quota(metered: Metered, limit: u32) -> Quota {
    let (rep, window) = (RepId::from("ada"), SignedDuration::from_hours(24));
    Quota { rep, metered, limit, window }
}

pub async fn an_invitation_waits_for_what_is_open_and_what_was_done_lately(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 7).await;
    let (plain, noted) = (Some(Metered::Invite), Some(Metered::InviteWithNote));
    let all = [
        (1, "ada", plain),
        (2, "ada", noted),
        (3, "ada", plain),
        (4, "ada", plain),
        (5, "ada", None),
        (6, "bob", plain),
        (7, "ada", noted),
    ];
    let tasks = all.map(|(id, rep, metered)| invitation(id, rep, metered)).to_vec();
    store.write(Changes { tasks, ..Changes::default() }).await.unwrap();
    for changes in [done(2, 10, "done"), done(1, 20, "accepted"), done(3, 30, "not_found")] {
        store.write(changes).await.unwrap();
    }
    // Closed because its enrollment went on without it.
    let close_tasks = vec![(EnrollmentId(7), at(40))];
    store.write(Changes { close_tasks, ..Changes::default() }).await.unwrap();
    let used =
        async |metered, minute| store.quota_used(&quota(metered, 9), at(minute)).await.unwrap();
    let is = |open: u32, done: &[i64]| QuotaUsed {
        open,
        done: done.iter().map(|minute| at(*minute)).collect::<Vec<Timestamp>>(),
    };
    assert_eq!(used(Metered::Invite, 50).await, is(1, &[10, 20]));
    assert_eq!(used(Metered::InviteWithNote, 50).await, is(0, &[10]));
    assert_eq!(used(Metered::Invite, 1450).await, is(1, &[20]));
    let wait = |until| Intent::Wait { reason: Waiting::RepLimit, until: at(until) };
    for (metered, limit, minute, expected) in [
        (Metered::Invite, 4, 50, Intent::Committed),
        (Metered::Invite, 3, 50, wait(1450)),
        (Metered::Invite, 3, 1449, wait(1449 + 240)),
        (Metered::Invite, 3, 1450, Intent::Committed),
        (Metered::Invite, 2, 50, wait(1460)),
        (Metered::Invite, 1, 50, wait(50 + 240)),
        (Metered::InviteWithNote, 1, 50, wait(1450)),
        (Metered::InviteWithNote, 1, 1450, Intent::Committed),
    ] {
        let guards = Guards { quotas: vec![quota(metered, limit)], ..no_guards(at(minute)) };
        let intent = intend(&*store, guards).await;
        assert_eq!(intent, expected, "{metered:?}, {limit} at {minute}");
    }
    // It is taken back: it is open again, and was not done.
    let reopened = store.task(TaskId(1)).await.unwrap().unwrap();
    let tasks_reopened = vec![reopened];
    let settled = vec![(touch(1, 1, "connect", Status::Done).id, Status::TakenBack)];
    store.write(Changes { tasks_reopened, settled, ..Changes::default() }).await.unwrap();
    assert_eq!(used(Metered::Invite, 50).await, is(2, &[10]));
    // Somebody else does it.
    let bobs =
        TaskRecord { rep: RepId::from("bob"), ..store.task(TaskId(1)).await.unwrap().unwrap() };
    store.write(Changes { tasks_changed: vec![bobs], ..Changes::default() }).await.unwrap();
    assert_eq!(used(Metered::Invite, 50).await, is(1, &[10]));
}

pub async fn whoever_waits_longest_passes_better_ones_who_came_later(database: Database) {
    let store = database.open().await;
    write_people(&*store, 6).await;
    let day = SignedDuration::from_hours(24);
    let began = at(0) + day * 1_000;
    let person = |id: i64, score: i64, days: i32| EnrollmentRecord {
        score,
        enrolled_at: began + day * days,
        ..enrollment(id)
    };
    let begun =
        EnrollmentRecord { state: waiting("two", at(0), vec![sent("one")]), ..person(6, 0, 40) };
    let enrolled = vec![
        person(1, 10, 0),
        person(2, 40, 29),
        person(3, 40, 31),
        person(4, 11, 0),
        person(5, 10, 1),
        begun,
    ];
    store.write(Changes { enrolled, ..Changes::default() }).await.unwrap();
    let due = async || {
        let due = store.due(&ann(), began + day * 50, 9).await.unwrap();
        due.iter().map(|id| id.0).collect::<Vec<_>>()
    };
    assert_eq!(due().await, [6, 2, 4, 1, 3, 5]);
    // Whoever is put off keeps the place.
    let state = waiting("one", at(0), Vec::new());
    let again = moved(3, 1, state, wake(ann(), at(1)));
    store.write(Changes { moved: vec![again], ..Changes::default() }).await.unwrap();
    assert_eq!(due().await, [6, 2, 4, 1, 5, 3]);
}

/// Often enough that both orders, and real overlap, come up.
const ROUNDS: i64 = 25;

pub async fn two_nodes_do_not_both_begin_with_the_last_person_of_a_rep(database: Database) {
    let (one, two) = (database.open_sql().await, database.open_sql().await);
    write_people(&one, 2 * ROUNDS).await;
    for round in 0..ROUNDS {
        let ids = [2 * round + 1, 2 * round + 2];
        let rep = RepId::from(format!("rep-{round}").as_str());
        let record = |id| EnrollmentRecord { owner: rep.clone(), ..enrollment(id) };
        one.write(Changes { enrolled: ids.map(record).to_vec(), ..Changes::default() })
            .await
            .unwrap();
        let guards =
            |id| Guards { rep: Some((rep.clone(), EnrollmentId(id), 1)), ..no_guards(at(0)) };
        let begins = |id| {
            let state = waiting("two", at(0), vec![sent("one")]);
            Changes { moved: vec![moved(id, 1, state, wake(ann(), at(0)))], ..Changes::default() }
        };
        let (one, two) = tokio::join!(
            one.intend(begins(ids[0]), guards(ids[0])),
            two.intend(begins(ids[1]), guards(ids[1])),
        );
        let intents = [one.unwrap(), two.unwrap()];
        let committed = intents.iter().filter(|intent| **intent == Intent::Committed).count();
        assert_eq!(committed, 1, "round {round}: {intents:?}");
    }
}

pub async fn two_nodes_do_not_both_open_the_last_invitation(database: Database) {
    let (one, two) = (database.open_sql().await, database.open_sql().await);
    write_enrolled(&one, 2 * ROUNDS).await;
    for round in 0..ROUNDS {
        let ids = [2 * round + 1, 2 * round + 2];
        let rep = format!("rep-{round}");
        let opens = |id| Changes {
            tasks: vec![invitation(id, &rep, Some(Metered::Invite))],
            ..Changes::default()
        };
        let guards = || {
            let of = Quota { rep: RepId::from(rep.as_str()), ..quota(Metered::Invite, 1) };
            Guards { quotas: vec![of], ..no_guards(at(0)) }
        };
        let (one, two) =
            tokio::join!(one.intend(opens(ids[0]), guards()), two.intend(opens(ids[1]), guards()));
        let intents = [one.unwrap(), two.unwrap()];
        let committed = intents.iter().filter(|intent| **intent == Intent::Committed).count();
        assert_eq!(committed, 1, "round {round}: {intents:?}");
    }
}
