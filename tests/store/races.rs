//! Two nodes at the same time.

use firsttouch::domain::budget::Waiting;
use firsttouch::domain::ids::{CompanyId, EnrollmentId, ProspectId};
use firsttouch::domain::touch::{Status, Touch};
use firsttouch::ports::{Changes, EnrollmentRecord, Guards, IdKind, Intent, Store, StoreError};

use crate::Database;
use crate::samples::*;

/// Often enough that both orders, and real overlap, come up.
const ROUNDS: i64 = 25;

pub async fn the_last_place_of_a_cap_is_given_to_one_of_two_nodes(database: Database) {
    let (one, two) = (database.open_sql().await, database.open_sql().await);
    for round in 0..ROUNDS {
        let scope = format!("mailbox:{round}");
        // In neighbouring buckets: the two must see each other all the same.
        let guards = |minutes| Guards {
            caps: vec![cap(&scope, 1, Waiting::MailboxLimit)],
            ..no_guards(at(minutes))
        };
        let (one, two) = tokio::join!(
            one.intend(Changes::default(), guards(59)),
            two.intend(Changes::default(), guards(60)),
        );
        let intents = [one.unwrap(), two.unwrap()];
        let committed = intents.iter().filter(|intent| **intent == Intent::Committed).count();
        assert_eq!(committed, 1, "round {round}: {intents:?}");
    }
}

pub async fn a_free_lease_is_given_to_one_of_two_nodes(database: Database) {
    let (one, two) = (database.open_sql().await, database.open_sql().await);
    for round in 0..ROUNDS {
        let (now, until) = (round * 10, round * 10 + 5);
        let (one, two) = tokio::join!(
            one.lease(lease(&format!("one-{round}"), now, until)),
            two.lease(lease(&format!("two-{round}"), now, until)),
        );
        let mut epochs = [one.unwrap(), two.unwrap()];
        epochs.sort_unstable();
        assert_eq!(epochs, [None, Some(round + 1)]);
    }
}

pub async fn two_nodes_that_write_the_same_touch_write_it_once(database: Database) {
    let (one, two) = (database.open_sql().await, database.open_sql().await);
    write_enrolled(&one, ROUNDS).await;
    for id in 1..=ROUNDS {
        let changes = |touch_id: i64| Changes {
            touches: vec![touch(touch_id, id, "one", Status::Intended)],
            ..Changes::default()
        };
        let (one_wrote, two_wrote) =
            tokio::join!(one.write(changes(id)), two.write(changes(1000 + id)));
        let stale = |wrote: &Result<(), StoreError>| matches!(wrote, Err(StoreError::Stale(_)));
        let fates = [&one_wrote, &two_wrote];
        assert_eq!(fates.iter().filter(|wrote| wrote.is_ok()).count(), 1, "{fates:?}");
        assert_eq!(fates.iter().filter(|wrote| stale(wrote)).count(), 1, "{fates:?}");
        assert_eq!(one.touches_of(EnrollmentId(id)).await.unwrap().len(), 1);
    }
}

pub async fn two_nodes_never_get_the_same_ids(database: Database) {
    let (one, two) = (database.open_sql().await, database.open_sql().await);
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        let (one, two) = tokio::join!(one.ids(IdKind::Touch, 150), two.ids(IdKind::Touch, 150));
        for first in [one.unwrap(), two.unwrap()] {
            seen.extend(first..first + 150);
        }
    }
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

pub async fn two_nodes_do_not_both_begin_with_the_last_colleague(database: Database) {
    let (one, two) = (database.open_sql().await, database.open_sql().await);
    write_people(&one, 2 * ROUNDS).await;
    for round in 0..ROUNDS {
        let ids = [2 * round + 1, 2 * round + 2];
        let company = CompanyId(100 + round);
        let record = |id| EnrollmentRecord { company: Some(company), ..enrollment(id) };
        let enrolled = ids.map(record).to_vec();
        one.write(Changes { enrolled, ..Changes::default() }).await.unwrap();
        let guards =
            |id| Guards { company: Some((company, EnrollmentId(id), 1)), ..no_guards(at(0)) };
        let begins = |id| {
            let state = waiting("two", at(0), vec![sent("one")]);
            Changes { moved: vec![moved(id, 1, state, wake(ann(), at(0)))], ..Changes::default() }
        };
        let (one, two) = tokio::join!(
            one.intend(begins(ids[0]), guards(ids[0])),
            two.intend(begins(ids[1]), guards(ids[1])),
        );
        let both = [one.unwrap(), two.unwrap()].iter().all(|intent| *intent == Intent::Committed);
        assert!(!both, "round {round}");
    }
}

pub async fn two_nodes_do_not_both_touch_one_person(database: Database) {
    let (one, two) = (database.open_sql().await, database.open_sql().await);
    write_people(&one, 2 * ROUNDS).await;
    for round in 0..ROUNDS {
        let ids = [2 * round + 1, 2 * round + 2];
        let enrolled = ids.map(enrollment).to_vec();
        one.write(Changes { enrolled, ..Changes::default() }).await.unwrap();
        let person = ProspectId(ids[0]);
        let guards =
            |id| Guards { quiet: Some((person, EnrollmentId(id), mins(60))), ..no_guards(at(1)) };
        let touches = |id| {
            let touch = Touch { prospect: person, ..touch(id, id, "one", Status::Intended) };
            Changes { touches: vec![touch], ..Changes::default() }
        };
        let (one, two) = tokio::join!(
            one.intend(touches(ids[0]), guards(ids[0])),
            two.intend(touches(ids[1]), guards(ids[1])),
        );
        let both = [one.unwrap(), two.unwrap()].iter().all(|intent| *intent == Intent::Committed);
        assert!(!both, "round {round}");
    }
}
