//! Writes that wait for the database at the same time go there together, and each is answered for
//! itself.

use firsttouch::domain::budget::Waiting;
use firsttouch::domain::ids::{CompanyId, EnrollmentId, MailboxId, ProspectId};
use firsttouch::domain::suppression::{Cause, Subject, Suppression};
use firsttouch::domain::touch::{Status, Touch};
use firsttouch::ports::{Changes, Guards, Intent, MailboxGuard, Store, StoreError};
use futures_util::future::join_all;

use crate::Database;
use crate::samples::*;

/// A mail of each, with a move to the next step and a line in the log.
fn mail(id: i64, revision: i64) -> Changes {
    Changes {
        moved: vec![moved(id, revision, waiting("two", at(0), vec![sent("one")]), None)],
        touches: vec![touch(id, id, "one", Status::Intended)],
        log: vec![note(id, id)],
        ..Changes::default()
    }
}

pub async fn of_many_at_once_a_cap_lets_in_as_many_as_have_room(database: Database) {
    let store = database.open_sql().await;
    write_enrolled(&store, 40).await;
    let guards = || Guards {
        caps: vec![
            cap("rep-new:rep", 10, Waiting::RepLimit),
            cap("domain:acme.test", 25, Waiting::DomainLimit),
        ],
        ..no_guards(at(1))
    };
    let asked = (1..=40).map(|id| store.intend(mail(id, 1), guards()));
    let intents: Vec<Intent> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    let committed = |intent: &&Intent| **intent == Intent::Committed;
    assert_eq!(intents.iter().filter(committed).count(), 10);
    let waits = |intent: &&Intent| matches!(intent, Intent::Wait { reason: Waiting::RepLimit, .. });
    assert_eq!(intents.iter().filter(waits).count(), 30);
    for (id, intent) in (1..).zip(&intents) {
        let touches = store.touches_of(EnrollmentId(id)).await.unwrap();
        assert_eq!(touches.len(), usize::from(*intent == Intent::Committed), "{id}");
        let record = store.enrollment(EnrollmentId(id)).await.unwrap().unwrap();
        assert_eq!(record.revision, 1 + i64::from(*intent == Intent::Committed), "{id}");
    }
    let mut used = Vec::new();
    for cap in &guards().caps {
        let buckets = store.used(cap, at(1)).await.unwrap();
        used.push(buckets.iter().map(|used| used.count).sum::<u32>());
    }
    assert_eq!(used, [10, 10], "those who were refused charge nothing");
}

pub async fn whoever_is_refused_is_refused_alone(database: Database) {
    let store = database.open_sql().await;
    write_enrolled(&store, 30).await;
    let block = Suppression {
        subject: Subject::Person(ProspectId(7)),
        cause: Cause::Manual,
        source: "test".to_owned(),
        at: at(0),
    };
    store.write(Changes { suppressions: vec![block], ..Changes::default() }).await.unwrap();
    let one = |id: i64| {
        let store = &store;
        async move {
            let guards = Guards {
                subjects: vec![Subject::Person(ProspectId(id))],
                mailbox: Some(MailboxGuard {
                    mailbox: MailboxId(format!("box-{id}")),
                    inbox_fresh_for: None,
                    gap: mins(5),
                    day: 1,
                }),
                ..no_guards(at(1))
            };
            match id % 10 {
                // Moved on since it was read.
                3 => store.intend(mail(id, 9), guards).await,
                // Nobody knows that enrollment.
                5 => {
                    let lost = Touch {
                        enrollment: EnrollmentId(999),
                        ..touch(id, id, "one", Status::Intended)
                    };
                    let changes = Changes { touches: vec![lost], ..mail(id, 1) };
                    store.write(changes).await.map(|()| Intent::Committed)
                }
                8 => store.write(mail(id, 1)).await.map(|()| Intent::Committed),
                _ => store.intend(mail(id, 1), guards).await,
            }
        }
    };
    let done = join_all((1..=30).map(one)).await;
    for (id, done) in (1..).zip(&done) {
        match (id, id % 10) {
            (_, 3) => {
                assert!(matches!(done, Err(StoreError::Stale(EnrollmentId(stale))) if *stale == id))
            }
            (_, 5) => assert!(matches!(done, Err(StoreError::Database { .. })), "{done:?}"),
            (7, _) => assert_eq!(done.as_ref().unwrap(), &Intent::Blocked),
            _ => assert_eq!(done.as_ref().unwrap(), &Intent::Committed, "{id}"),
        }
        let is_there = matches!(done, Ok(Intent::Committed));
        let touches = store.touches_of(EnrollmentId(id)).await.unwrap();
        assert_eq!(touches.len(), usize::from(is_there), "{id}");
        let log = store.log_of(ProspectId(id)).await.unwrap();
        assert_eq!(log.len(), usize::from(is_there), "{id}");
    }
}

pub async fn those_who_could_see_each_other_are_decided_one_behind_the_other(database: Database) {
    let store = database.open_sql().await;
    write_enrolled(&store, 20).await;
    let person = |id| {
        let mut changes = mail(id, 1);
        changes.touches[0].prospect = ProspectId(1);
        let quiet = Some((ProspectId(1), EnrollmentId(id), mins(60)));
        store.intend(changes, Guards { quiet, ..no_guards(at(1)) })
    };
    let intents = join_all((1..=5).map(person)).await;
    assert_eq!(committed(&intents), 1, "one touch of a person: {intents:?}");

    let colleague = |id| {
        let company = Some((CompanyId(1), EnrollmentId(id), 3));
        store.intend(begins(id), Guards { company, ..no_guards(at(1)) })
    };
    let intents = join_all((6..=12).map(colleague)).await;
    assert_eq!(committed(&intents), 3, "three at a company: {intents:?}");

    let gap = |id| {
        let guard = MailboxGuard {
            mailbox: MailboxId::from("ann"),
            inbox_fresh_for: None,
            gap: mins(5),
            day: 1,
        };
        store.intend(mail(id, 1), Guards { mailbox: Some(guard), ..no_guards(at(1)) })
    };
    let intents = join_all((13..=20).map(gap)).await;
    assert_eq!(committed(&intents), 1, "a gap behind each mail: {intents:?}");
}

fn begins(id: i64) -> Changes {
    let state = waiting("two", at(0), vec![sent("one")]);
    Changes { moved: vec![moved(id, 1, state, wake(ann(), at(0)))], ..Changes::default() }
}

fn committed(intents: &[Result<Intent, StoreError>]) -> usize {
    intents.iter().filter(|intent| matches!(intent, Ok(Intent::Committed))).count()
}

pub async fn whoever_stops_waiting_takes_nobody_else_along(database: Database) {
    let store = database.open_sql().await;
    write_enrolled(&store, 12).await;
    // The first leads and is dropped in the middle of it; the others have to be told all the same.
    let leads = store.write(mail(1, 1));
    let others = join_all((2..=12).map(|id| store.write(mail(id, 1))));
    {
        let mut leads = Box::pin(leads);
        std::future::poll_fn(|cx| {
            let _ = leads.as_mut().poll(cx);
            std::task::Poll::Ready(())
        })
        .await;
    }
    let done = others.await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    // Theirs are on record, and the one that was dropped is there as a whole or not at all.
    for id in 1..=12 {
        let record = store.enrollment(EnrollmentId(id)).await.unwrap().unwrap();
        let touches = store.touches_of(EnrollmentId(id)).await.unwrap().len();
        assert_eq!(i64::try_from(touches).unwrap(), record.revision - 1, "{id}");
        assert!(id == 1 || touches == 1, "{id}");
    }
}
