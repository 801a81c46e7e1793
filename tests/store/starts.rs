//! Events that count once, and people who wait to be taken in.

use firsttouch::domain::ids::{CadenceId, ImportId, ListId, ProspectId};
use firsttouch::domain::log::{Entry, What};
use firsttouch::ports::{Changes, Start, Store, StoreError, ToldEvent, Undone};

use crate::Database;
use crate::samples::*;

fn told(key: &str, prospect: i64) -> ToldEvent {
    let (key, name) = (key.to_owned(), "form_submitted".to_owned());
    ToldEvent { key, name, prospect: ProspectId(prospect), told_at: at(prospect) }
}

fn telling(told: ToldEvent) -> Changes {
    let log = vec![Entry::new(told.told_at, What::Told)];
    Changes { told: Some(told), log, ..Changes::default() }
}

fn start(cadence: &str, prospect: i64) -> Start {
    Start { cadence: CadenceId::from(cadence), prospect: ProspectId(prospect) }
}

async fn with_people(store: &dyn Store) {
    write_enrolled(store, 4).await;
}

pub async fn a_key_counts_once_and_the_second_write_changes_nothing(database: Database) {
    let store = database.open().await;
    with_people(&*store).await;
    let before = store.log_after(0, 100).await.unwrap().0.len();
    assert_eq!(store.told_event("k").await.unwrap(), None);
    store.write(telling(told("k", 1))).await.unwrap();
    let again = store.write(telling(told("k", 2))).await;
    assert!(matches!(again, Err(StoreError::Taken(_))), "{again:?}");
    store.write(telling(told("l", 2))).await.unwrap();
    assert_eq!(store.told_event("k").await.unwrap(), Some(told("k", 1)));
    assert_eq!(store.log_after(0, 100).await.unwrap().0.len(), before + 2);
}

pub async fn whoever_waits_to_be_taken_in_is_taken_in_once(database: Database) {
    let store = database.open().await;
    with_people(&*store).await;
    let starts = vec![start("b", 1), start("a", 2), start("b", 2), start("b", 1)];
    store.write(Changes { starts, ..Changes::default() }).await.unwrap();
    let all = store.waiting_to_start(10).await.unwrap();
    assert_eq!(all, [start("a", 2), start("b", 1), start("b", 2)]);
    assert_eq!(store.waiting_to_start(1).await.unwrap(), [start("a", 2)]);
    let ends = |starts: Vec<Start>| Changes { started: starts, ..Changes::default() };
    store.write(ends(vec![start("b", 1)])).await.unwrap();
    let again = store.write(ends(vec![start("a", 2), start("b", 1)])).await;
    assert!(matches!(again, Err(StoreError::Taken(_))), "{again:?}");
    assert_eq!(store.waiting_to_start(10).await.unwrap(), [start("a", 2), start("b", 2)]);
}

pub async fn nobody_waits_whom_an_import_takes_back(database: Database) {
    let store = database.open_sql().await;
    write_people(&store, 3).await;
    let starts = (1..=3).map(|id| start("a", id)).collect();
    store.write(Changes { starts, ..Changes::default() }).await.unwrap();
    let undone = Undone {
        import: ImportId(1),
        list: ListId(1),
        rows: Vec::new(),
        removed: vec![ProspectId(1)],
        forgotten: Vec::new(),
        restored: vec![(prospect(2), Vec::new(), None)],
        finished: false,
    };
    store.write(Changes { undone: Some(undone), ..Changes::default() }).await.unwrap();
    assert_eq!(store.waiting_to_start(10).await.unwrap(), [start("a", 3)]);
}

pub async fn two_nodes_that_tell_one_event_tell_it_once(database: Database) {
    let (one, two) = (database.open_sql().await, database.open_sql().await);
    with_people(&one).await;
    for round in 0..25 {
        let key = format!("k{round}");
        let (first, second) =
            tokio::join!(one.write(telling(told(&key, 1))), two.write(telling(told(&key, 2))));
        let taken = |wrote: &Result<(), StoreError>| matches!(wrote, Err(StoreError::Taken(_)));
        let fates = [&first, &second];
        assert_eq!(fates.iter().filter(|wrote| wrote.is_ok()).count(), 1, "{fates:?}");
        assert_eq!(fates.iter().filter(|wrote| taken(wrote)).count(), 1, "{fates:?}");
    }
}
