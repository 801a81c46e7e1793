//! What imports leave on record, many rows at a time, and how it is taken back.

use std::collections::{BTreeMap, BTreeSet};

use firsttouch::domain::identity::Identity;
use firsttouch::domain::ids::{CompanyId, ImportId, ListId, ProspectId};
use firsttouch::domain::prospect::{Prospect, Relationship};
use firsttouch::domain::suppression::{Cause, Subject, Suppression};
use firsttouch::ports::{
    Before, Changes, ColumnMap, CompanyRecord, ImportRecord, ImportRow, ImportStatus, ListRecord,
    Store, Undone,
};

use crate::Database;
use crate::samples::*;

fn import(id: i64, rows_done: u64) -> ImportRecord {
    ImportRecord {
        id: ImportId(id),
        name: format!("2026-03-02-{id}"),
        list: ListId(1),
        list_name: "march".into(),
        file: "march.csv".into(),
        digest: format!("digest-{id}"),
        options: [("owner".to_owned(), "ann".to_owned())].into(),
        status: ImportStatus::Running,
        rows_done,
        rows_indexed: rows_done,
        outcomes: [("created".to_owned(), rows_done)].into(),
        started_at: at(id),
        finished: None,
    }
}

fn list(id: i64) -> ListRecord {
    ListRecord {
        id: ListId(id),
        name: format!("list-{id}"),
        digest: "d".into(),
        rows: 0,
        imported_at: at(1),
        report: String::new(),
    }
}

fn way(id: i64) -> Identity {
    Identity::new(Identity::EMAIL, &format!("p{id}@acme.test"))
}

fn new_row(import: i64, row: u64, prospect: i64) -> ImportRow {
    let (import, prospect) = (ImportId(import), ProspectId(prospect));
    ImportRow { import, row, prospect, before: None }
}

/// People 1 to `n` come in with import 1, as rows 1 to `n`.
async fn bring_in(store: &dyn Store, n: i64) {
    let name = |id: i64| CompanyRecord {
        id: CompanyId(id),
        key: format!("domain:c{id}.test"),
        name: format!("C{id}"),
    };
    let person = |id: i64| Prospect { company_id: Some(CompanyId(id)), ..prospect(id) };
    let changes = Changes {
        companies: (1..=n).map(name).collect(),
        prospects: (1..=n).map(|id| (person(id), vec![way(id)])).collect(),
        lists: vec![list(1)],
        list_members: (1..=n).map(|id| (ListId(1), ProspectId(id))).collect(),
        import_rows: (1..=n).map(|id| new_row(1, u64::try_from(id).unwrap(), id)).collect(),
        imports: vec![import(1, u64::try_from(n).unwrap())],
        ..Changes::default()
    };
    store.write(changes).await.unwrap();
}

pub async fn an_import_comes_back_as_far_as_it_has_come(database: Database) {
    let store = database.open_sql().await;
    let write = |imports| Changes { imports, ..Changes::default() };
    store.write(write(vec![import(1, 0)])).await.unwrap();
    store.write(write(vec![import(2, 500)])).await.unwrap();
    assert_eq!(store.imports().await.unwrap(), [import(2, 500), import(1, 0)]);
    let done = ImportRecord {
        status: ImportStatus::Done,
        finished: Some((at(9), "{\"rows\":1000}".into())),
        ..import(1, 1_000)
    };
    store.write(write(vec![done.clone()])).await.unwrap();
    let listed = ImportRecord { finished: Some((at(9), String::new())), ..done.clone() };
    assert_eq!(store.imports_of("digest-1").await.unwrap(), std::slice::from_ref(&listed));
    assert_eq!(store.imports_of("digest-3").await.unwrap(), []);
    let report = store.import_report(ImportId(1)).await.unwrap();
    assert_eq!(report.as_deref(), Some("{\"rows\":1000}"));
    // Taking it back keeps its report.
    let undone = ImportRecord { status: ImportStatus::Undone, finished: None, ..done };
    store.write(write(vec![undone])).await.unwrap();
    assert_eq!(store.import_report(ImportId(1)).await.unwrap(), report);
    assert_eq!(store.import_report(ImportId(2)).await.unwrap(), None);
}

pub async fn many_rows_are_written_at_once_and_all_come_back(database: Database) {
    let store = database.open_sql().await;
    bring_in(&store, 2_500).await;
    let everybody = store.all_prospects().await.unwrap();
    assert_eq!(everybody.len(), 2_500);
    assert_eq!(store.list_prospects(ListId(1)).await.unwrap(), everybody);
    let ways: Vec<Identity> = (1..=2_500).map(way).collect();
    let found = store.find_identity(&ways).await.unwrap();
    let expected: BTreeMap<_, _> = (1..=2_500).map(|id| (way(id), ProspectId(id))).collect();
    assert_eq!(found, expected);
    let mut known: Vec<Identity> = ways.clone();
    known.sort();
    let first = store.identities_after(None, 1_000).await.unwrap();
    let rest = store.identities_after(first.last().copied(), 9_999).await.unwrap();
    assert_eq!([first, rest].concat(), known);
    assert_eq!(store.identities_after(known.last().copied(), 9).await.unwrap(), []);
    let rows = store.import_rows(ImportId(1), 2_498, 10).await.unwrap();
    assert_eq!(rows, [new_row(1, 2_499, 2_499), new_row(1, 2_500, 2_500)]);
    let people = store.people_of_rows(ImportId(1), &[7, 9_999]).await.unwrap();
    assert_eq!(people, BTreeMap::from([(7, ProspectId(7))]));
    let last = store.last_imports(&[ProspectId(1), ProspectId(9_999)]).await.unwrap();
    assert_eq!(last, BTreeMap::from([(ProspectId(1), ImportId(1))]));
}

pub async fn a_changed_person_keeps_what_was_before_and_who_made_it(database: Database) {
    let store = database.open_sql().await;
    bring_in(&store, 2).await;
    let before = Before {
        known: prospect(2).known,
        company_id: Some(CompanyId(2)),
        relationship: Relationship::Prospect,
        import: Some(ImportId(1)),
    };
    let row = ImportRow { before: Some(before), ..new_row(2, 5, 2) };
    let mut changed = prospect(2);
    changed.known.title = Some("CEO".into());
    changed.relationship = Relationship::Customer;
    let changes = Changes {
        prospects: vec![(changed.clone(), vec![way(99)])],
        import_rows: vec![row.clone()],
        imports: vec![import(2, 5)],
        ..Changes::default()
    };
    store.write(changes).await.unwrap();
    assert_eq!(store.import_rows(ImportId(2), 0, 10).await.unwrap(), std::slice::from_ref(&row));
    let last = store.last_imports(&[ProspectId(1), ProspectId(2)]).await.unwrap();
    assert_eq!(last.values().copied().collect::<Vec<_>>(), [ImportId(1), ImportId(2)]);
    // A change by something else than an import leaves the import that made it.
    let changes = Changes { prospects: vec![(changed, Vec::new())], ..Changes::default() };
    store.write(changes).await.unwrap();
    assert_eq!(store.last_imports(&[ProspectId(2)]).await.unwrap().len(), 1);
    let restored = Prospect { company_id: Some(CompanyId(2)), ..prospect(2) };
    let undone = Undone {
        import: ImportId(2),
        list: ListId(1),
        rows: vec![5],
        removed: Vec::new(),
        forgotten: vec![way(2), way(99)],
        restored: vec![(restored.clone(), vec![way(2)], Some(ImportId(1)))],
        finished: true,
    };
    store.write(Changes { undone: Some(undone), ..Changes::default() }).await.unwrap();
    assert_eq!(store.prospects(&[ProspectId(2)]).await.unwrap(), [restored]);
    let found = store.find_identity(&[way(2), way(99)]).await.unwrap();
    assert_eq!(found, BTreeMap::from([(way(2), ProspectId(2))]));
    assert_eq!(store.import_rows(ImportId(2), 0, 10).await.unwrap(), []);
    let last = store.last_imports(&[ProspectId(2)]).await.unwrap();
    assert_eq!(last.get(&ProspectId(2)), Some(&ImportId(1)));
    assert_eq!(store.list_prospects(ListId(1)).await.unwrap().len(), 2);
}

pub async fn what_is_taken_back_leaves_only_what_others_need(database: Database) {
    let store = database.open_sql().await;
    bring_in(&store, 600).await;
    let block = |id: i64| Suppression {
        subject: Subject::Person(ProspectId(id)),
        cause: Cause::OptOut,
        source: "import".into(),
        at: at(1),
    };
    let changes = Changes { suppressions: vec![block(1), block(600)], ..Changes::default() };
    store.write(changes).await.unwrap();
    // Person 600 stays, and so does what hangs on them.
    let undone = |removed: Vec<i64>, finished| Undone {
        import: ImportId(1),
        list: ListId(1),
        rows: removed.iter().map(|row| u64::try_from(*row).unwrap()).collect(),
        forgotten: removed.iter().map(|id| way(*id)).collect(),
        removed: removed.into_iter().map(ProspectId).collect(),
        restored: Vec::new(),
        finished,
    };
    let write = |undone| Changes { undone: Some(undone), ..Changes::default() };
    store.write(write(undone((1..600).collect(), false))).await.unwrap();
    store.write(write(undone(Vec::new(), true))).await.unwrap();
    assert_eq!(store.all_prospects().await.unwrap(), [ProspectId(600)]);
    let found = store.find_identity(&[way(1), way(600)]).await.unwrap();
    assert_eq!(found, BTreeMap::from([(way(600), ProspectId(600))]));
    let companies = ["domain:c1.test".to_owned(), "domain:c600.test".to_owned()];
    assert_eq!(store.find_companies(&companies).await.unwrap().len(), 1);
    assert_eq!(store.list_prospects(ListId(1)).await.unwrap(), [ProspectId(600)]);
    assert_eq!(store.all_suppressions().await.unwrap(), [block(600)]);
    assert_eq!(store.lists().await.unwrap().len(), 1);
    store.write(write(undone(vec![600], false))).await.unwrap();
    store.write(write(undone(Vec::new(), true))).await.unwrap();
    assert_eq!(store.all_prospects().await.unwrap(), []);
    assert_eq!(store.find_companies(&companies).await.unwrap().len(), 0);
    assert_eq!(store.lists().await.unwrap(), []);
}

pub async fn reasons_to_keep_somebody_are_found(database: Database) {
    let store = database.open_sql().await;
    bring_in(&store, 3).await;
    let all = [1, 2, 3].map(ProspectId);
    assert_eq!(store.with_history(&all).await.unwrap(), BTreeSet::new());
    assert_eq!(store.on_other_lists(ListId(1), &all).await.unwrap(), BTreeSet::new());
    let changes = Changes {
        lists: vec![list(2)],
        list_members: vec![(ListId(2), ProspectId(3))],
        log: vec![note(1, 2)],
        ..Changes::default()
    };
    store.write(changes).await.unwrap();
    assert_eq!(store.with_history(&all).await.unwrap(), [ProspectId(2)].into());
    assert_eq!(store.on_other_lists(ListId(1), &all).await.unwrap(), [ProspectId(3)].into());
    let lists = store.lists_of(ProspectId(3)).await.unwrap();
    assert_eq!(lists.iter().map(|list| list.id).collect::<Vec<_>>(), [1, 2].map(ListId));
}

pub async fn how_columns_are_read_is_remembered_by_fingerprint(database: Database) {
    let store = database.open_sql().await;
    let map = |field: &str| ColumnMap {
        fingerprint: "f1".into(),
        columns: vec![("Direkt".into(), field.into())],
        learned_at: at(1),
    };
    for field in ["phone", "phone_direct"] {
        let changes = Changes { column_map: Some(map(field)), ..Changes::default() };
        store.write(changes).await.unwrap();
    }
    assert_eq!(store.column_map("f1").await.unwrap(), map("phone_direct").columns);
    assert_eq!(store.column_map("f2").await.unwrap(), []);
}

pub async fn people_of_an_older_database_are_still_recognised(database: Database) {
    let store = database.open_sql().await;
    bring_in(&store, 1).await;
    store.close().await;
    let old = "insert into identity (kind, value, prospect_id) values \
         ('email', 'old@acme.test', 1), ('linkedin', 'old', 1), ('unheard-of', 'x', 1)";
    let pool = database.raw().await;
    sqlx::query(old).execute(&pool).await.unwrap();
    pool.close().await;
    let store = database.open_sql().await;
    let old = Identity::new(Identity::EMAIL, "old@acme.test");
    let linkedin = Identity::new(Identity::LINKEDIN, "old");
    let found = store.find_identity(&[old, linkedin, way(1)]).await.unwrap();
    assert_eq!(found.len(), 3);
}

pub async fn awkward_texts_come_back_from_many_rows_as_they_went(database: Database) {
    let store = database.open_sql().await;
    let texts =
        ["a\tb", "a\nb\r\n", "back\\slash \\N", "\"quoted\"", "日本 ü 🙂", "'; drop table x; --"];
    let person = |id: i64| {
        let mut person = prospect(id);
        person.company_id = None;
        let text = texts[usize::try_from(id).unwrap() % texts.len()].to_owned();
        person.known.title = Some(text.clone());
        person.known.extra = [("note".to_owned(), text)].into();
        person
    };
    let changes = Changes {
        prospects: (1..=600).map(|id| (person(id), vec![way(id)])).collect(),
        imports: vec![import(1, 600)],
        ..Changes::default()
    };
    store.write(changes).await.unwrap();
    let ids: Vec<ProspectId> = (1..=600).map(ProspectId).collect();
    let expected: Vec<_> = (1..=600).map(person).collect();
    assert_eq!(store.prospects(&ids).await.unwrap(), expected);
}
