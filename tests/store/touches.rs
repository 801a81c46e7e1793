//! Promise 1 in the database, and what is found by touches; the queue of tasks.

use firsttouch::domain::cadence::Channel;
use firsttouch::domain::enrollment::TaskKind;
use firsttouch::domain::ids::{EnrollmentId, ProspectId, RepId, StepId, TaskId, TouchId};
use firsttouch::domain::touch::{Milestone, Status, Touch};
use firsttouch::ports::{Changes, MilestoneRecord, StoreError, TaskRecord};

use crate::Database;
use crate::samples::*;

fn touches(touches: Vec<Touch>) -> Changes {
    Changes { touches, ..Changes::default() }
}

pub async fn a_second_touch_for_an_attempt_is_refused_with_the_whole_write(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 1).await;
    let settled_as = [
        Status::Intended,
        Status::Sent,
        Status::Refused,
        Status::InDoubt,
        Status::AssumedSent,
        Status::Done,
    ];
    let first = touch(1, 1, "one", Status::Intended);
    store.write(touches(vec![first.clone()])).await.unwrap();
    for status in settled_as {
        let settled = vec![(TouchId(1), status)];
        store.write(Changes { settled, ..Changes::default() }).await.unwrap();
        for id in [1, 2] {
            let second = touch(id, 1, "one", Status::Intended);
            let state = waiting("two", at(9), Vec::new());
            let changes = Changes {
                moved: vec![moved(1, 1, state, wake(ann(), at(9)))],
                log: vec![note(1, 1)],
                ..touches(vec![touch(3, 1, "two", Status::Intended), second])
            };
            let refused = store.write(changes).await;
            assert!(matches!(refused, Err(StoreError::Stale(EnrollmentId(1)))), "{refused:?}");
        }
        let there = store.touches_of(EnrollmentId(1)).await.unwrap();
        assert_eq!(there, [Touch { status, ..first.clone() }]);
        let record = store.enrollment(EnrollmentId(1)).await.unwrap();
        assert_eq!(record, Some(enrollment(1)));
        assert_eq!(store.log_of(ProspectId(1)).await.unwrap(), []);
    }
    // Another attempt is another touch.
    let third = Touch { attempt: 2, ..touch(2, 1, "one", Status::Intended) };
    store.write(touches(vec![third])).await.unwrap();
    assert_eq!(store.touches_of(EnrollmentId(1)).await.unwrap().len(), 2);
}

pub async fn a_touch_that_was_not_sent_may_be_tried_again_under_its_id_to_whomever_it_is_now(
    database: Database,
) {
    let store = database.open().await;
    write_enrolled(&*store, 2).await;
    let first = touch(1, 1, "one", Status::Intended);
    store.write(touches(vec![first.clone()])).await.unwrap();
    // The same mail again; then one to somebody else of the account, because the first one has left it.
    for (minute, id, person) in [(30, 1, 1), (60, 2, 2)] {
        let settled = vec![(TouchId(1), Status::Retryable)];
        store.write(Changes { settled, ..Changes::default() }).await.unwrap();
        let prospect = ProspectId(person);
        let again = Touch { at: at(minute), prospect, ..touch(id, 1, "one", Status::Intended) };
        store.write(touches(vec![again.clone()])).await.unwrap();
        let there = store.touches_of(EnrollmentId(1)).await.unwrap();
        assert_eq!(there, [Touch { id: TouchId(1), ..again }]);
    }
    let answered = |id: &str| [format!("{id}@out.example")];
    let found = store.touch_by_message_id(&answered("m2")).await.unwrap();
    assert_eq!(found.map(|touch| touch.prospect), Some(ProspectId(2)));
    assert_eq!(store.touch_by_message_id(&answered("m1")).await.unwrap(), None);
    let refused = store.write(touches(vec![first])).await;
    assert!(matches!(refused, Err(StoreError::Stale(_))), "{refused:?}");
}

fn ids(touches: &[Touch]) -> Vec<i64> {
    touches.iter().map(|touch| touch.id.0).collect()
}

pub async fn doubts_deliveries_and_the_last_mail_are_found(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 7).await;
    let mail = |id: i64, status| Touch { at: at(id), ..touch(id, id, "one", status) };
    let call = Touch {
        channel: Channel::Call,
        mail: None,
        status: Status::Done,
        ..touch(9, 2, "two", Status::Done)
    };
    let sent = vec![
        mail(1, Status::Intended),
        mail(2, Status::Sent),
        mail(3, Status::InDoubt),
        mail(4, Status::AssumedSent),
        mail(5, Status::Refused),
        mail(6, Status::Sent),
        mail(7, Status::Sent),
        Touch { at: at(90), ..call },
    ];
    let milestone = MilestoneRecord {
        enrollment: EnrollmentId(7),
        prospect: ProspectId(7),
        milestone: Milestone::Delivered,
        touch: TouchId(7),
        at: at(8),
    };
    let changes = Changes {
        came_back: vec![(TouchId(6), at(7))],
        milestones: vec![milestone],
        ..touches(sent)
    };
    store.write(changes).await.unwrap();
    assert_eq!(ids(&store.touches_in_doubt().await.unwrap()), [1, 3, 4]);
    assert_eq!(ids(&store.undelivered_before(at(9), 9).await.unwrap()), [2, 4]);
    assert_eq!(ids(&store.undelivered_before(at(3), 9).await.unwrap()), [2]);
    assert_eq!(ids(&store.undelivered_before(at(9), 1).await.unwrap()), [2]);
    let last = store.last_mail_to(ProspectId(2)).await.unwrap();
    assert_eq!(last.map(|touch| touch.id), Some(TouchId(2)));
    // Best first, not newest first.
    let asked = ["unknown", "m4@out.example", "m5@out.example"].map(str::to_owned);
    let found = store.touch_by_message_id(&asked).await.unwrap();
    assert_eq!(found.map(|touch| touch.id), Some(TouchId(4)));
    assert_eq!(store.touch_by_message_id(&asked[..1]).await.unwrap(), None);
}

fn task(id: i64, enrollment: i64, rep: &str, priority: u8) -> TaskRecord {
    TaskRecord {
        id: TaskId(id),
        enrollment: EnrollmentId(enrollment),
        prospect: ProspectId(enrollment),
        rep: RepId::from(rep),
        kind: if id == 1 { TaskKind::Triage } else { TaskKind::Touch(Channel::Call) },
        step: StepId::from("call"),
        attempt: 2,
        title: "Call P1".to_owned(),
        version: Some("d1".to_owned()),
        text: "Say hello".to_owned(),
        priority,
        opened_at: at(id),
        expires_at: at(100),
        target_at: (id == 2).then(|| at(7)),
        wakes_at: (id == 3).then(|| at(9)),
        promised: id == 3,
        covers: (id == 3).then(|| RepId::from("bea")),
        open: true,
    }
}

pub async fn tasks_are_queued_by_urgency_and_closed_with_their_enrollment(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 3).await;
    let all =
        [task(1, 1, "ada", 2), task(2, 2, "bea", 1), task(3, 3, "ada", 0), task(4, 1, "ada", 2)];
    store.write(Changes { tasks: all.to_vec(), ..Changes::default() }).await.unwrap();
    let queue = |tasks: Vec<TaskRecord>| tasks.iter().map(|task| task.id.0).collect::<Vec<_>>();
    let ada = RepId::from("ada");
    assert_eq!(store.tasks(Some(&ada)).await.unwrap()[1], all[0]);
    assert_eq!(queue(store.tasks(None).await.unwrap()), [3, 2, 1, 4]);
    assert_eq!(queue(store.tasks(Some(&ada)).await.unwrap()), [3, 1, 4]);
    // A new task may take the place of the closed ones in the same write.
    let changes = Changes {
        close_tasks: vec![(EnrollmentId(1), at(7))],
        tasks: vec![task(5, 1, "ada", 3)],
        log: vec![note(7, 1)],
        ..Changes::default()
    };
    store.write(changes).await.unwrap();
    assert_eq!(queue(store.tasks(Some(&ada)).await.unwrap()), [3, 5]);
    let closed = store.task(TaskId(1)).await.unwrap();
    assert_eq!(closed, Some(TaskRecord { open: false, ..all[0].clone() }));
    assert_eq!(store.task(TaskId(8)).await.unwrap(), None);
}
