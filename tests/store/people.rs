//! What was applied from files, and who is known.

use std::collections::BTreeMap;

use firsttouch::domain::address::EmailAddress;
use firsttouch::domain::identity::Identity;
use firsttouch::domain::ids::{CompanyId, ListId, ProfileId, ProspectId};
use firsttouch::domain::prospect::{Phone, ProspectDraft, Range, Relationship};
use firsttouch::domain::suppression::{Cause, Subject, Suppression};
use firsttouch::ports::{AppliedRecord, Changes, ListRecord, ProfileRecord};

use crate::Database;
use crate::samples::*;

fn profile(id: &str, digest: &str) -> ProfileRecord {
    ProfileRecord {
        profile: ProfileId::from(id),
        digest: digest.to_owned(),
        path: format!("profiles/{id}.yaml"),
        text: format!("id: {id} # 'quoted' $1 ü"),
        applied_at: at(1),
    }
}

pub async fn versions_and_profiles_come_back_and_the_last_applied_is_current(database: Database) {
    let store = database.open().await;
    for digest in ["d1", "d2", "d1"] {
        let profiles = vec![profile("z", digest), profile("a", &format!("a-{digest}"))];
        let changes = Changes { versions: vec![version(digest)], profiles, ..Changes::default() };
        store.write(changes).await.unwrap();
        assert_eq!(store.current_cadences().await.unwrap(), [version(digest)]);
        let current = store.current_profiles().await.unwrap();
        // In the order in which they were given, not of their names.
        assert_eq!(current, [profile("z", digest), profile("a", &format!("a-{digest}"))]);
    }
    assert_eq!(store.cadence_version("d2").await.unwrap(), Some(version("d2")));
    assert_eq!(store.cadence_version("d3").await.unwrap(), None);
    assert_eq!(store.profile_version("a-d2").await.unwrap(), Some(profile("a", "a-d2")));
    assert_eq!(store.profile_version("d3").await.unwrap(), None);
}

pub async fn every_time_a_cadence_is_applied_is_kept_and_one_without_a_version_is_gone(
    database: Database,
) {
    let store = database.open().await;
    let applied = |digest: Option<&str>, minutes| AppliedRecord {
        cadence: version("d1").cadence,
        digest: digest.map(str::to_owned),
        at: at(minutes),
        by: "ann".to_owned(),
    };
    let all =
        [applied(Some("d1"), 1), applied(Some("d2"), 2), applied(Some("d1"), 3), applied(None, 4)];
    for (n, record) in all.iter().enumerate() {
        let versions = record.digest.iter().map(|digest| version(digest)).collect();
        let applied = vec![record.clone()];
        store.write(Changes { versions, applied, ..Changes::default() }).await.unwrap();
        assert_eq!(store.applications(&record.cadence).await.unwrap(), all[..=n]);
    }
    assert_eq!(store.current_cadences().await.unwrap(), []);
    assert_eq!(store.applications(&"other".into()).await.unwrap(), []);
    let profiles = vec![profile("z", "d1"), profile("a", "a1")];
    store.write(Changes { profiles, ..Changes::default() }).await.unwrap();
    let profiles_gone = vec![ProfileId::from("z")];
    store.write(Changes { profiles_gone, ..Changes::default() }).await.unwrap();
    assert_eq!(store.current_profiles().await.unwrap(), [profile("a", "a1")]);
    assert_eq!(store.profile_version("d1").await.unwrap(), Some(profile("z", "d1")));
}

fn address(text: &str) -> EmailAddress {
    text.parse().expect("an address")
}

fn everything_known() -> ProspectDraft {
    let mut known = ProspectDraft {
        first_name: Some("Zoë \"Z\" O'Neil".into()),
        title: Some("VP, 日本".into()),
        email: Some(address("zoe@acme.test")),
        other_emails: vec![address("z@home.test")],
        phones: vec![Phone { e164: "+14155552671".into(), extension: Some("12".into()) }],
        time_zones: vec!["Europe/Vienna".into(), "Europe/Berlin".into()],
        do_not_call: true,
        extra: [("trigger".to_owned(), "raised a round".to_owned())].into(),
        ..ProspectDraft::default()
    };
    known.company.name = Some("Acme, Inc.".into());
    known.company.employees = Some(Range { low: 1001, high: None });
    known
}

pub async fn prospects_and_their_companies_come_back_whole(database: Database) {
    let store = database.open().await;
    write_people(&*store, 3).await;
    let mut whole = prospect(4);
    (whole.known, whole.relationship, whole.company_id) =
        (everything_known(), Relationship::Customer, None);
    let changes = Changes { prospects: vec![(whole.clone(), Vec::new())], ..Changes::default() };
    store.write(changes).await.unwrap();
    let ids = [4, 9, 2].map(ProspectId);
    assert_eq!(store.prospects(&ids).await.unwrap(), [prospect(2), whole]);
    assert_eq!(store.all_prospects().await.unwrap(), [1, 2, 3, 4].map(ProspectId));
    let keys = ["domain:acme.test".to_owned(), "domain:other.test".to_owned()];
    let found = store.find_companies(&keys).await.unwrap();
    assert_eq!(found, BTreeMap::from([(keys[0].clone(), CompanyId(1))]));
    // More than fit into one statement.
    let many: Vec<ProspectId> = (1..=1200).map(ProspectId).collect();
    assert_eq!(store.prospects(&many).await.unwrap().len(), 4);
}

fn key(kind: &'static str, value: &str) -> Identity {
    Identity::new(kind, value)
}

pub async fn a_changed_prospect_keeps_the_identities_it_had(database: Database) {
    let store = database.open().await;
    write_people(&*store, 2).await;
    let (email, linkedin) = (key("email", "p1@acme.test"), key("linkedin", "p1"));
    for keys in [vec![email], vec![linkedin]] {
        let changes = Changes { prospects: vec![(prospect(1), keys)], ..Changes::default() };
        store.write(changes).await.unwrap();
    }
    // The identity of somebody else is not taken over.
    let changes = Changes { prospects: vec![(prospect(2), vec![email])], ..Changes::default() };
    store.write(changes).await.unwrap();
    let found = store.find_identity(&[email, linkedin]).await.unwrap();
    assert_eq!(found, BTreeMap::from([(email, ProspectId(1)), (linkedin, ProspectId(1))]));
}

pub async fn an_identity_is_found_only_under_its_kind(database: Database) {
    let store = database.open().await;
    write_people(&*store, 2).await;
    let (external, linkedin) = (key("external", "same"), key("linkedin", "same"));
    let prospects = vec![(prospect(1), vec![external]), (prospect(2), vec![linkedin])];
    store.write(Changes { prospects, ..Changes::default() }).await.unwrap();
    let phone = key("phone_name", "same");
    let found = store.find_identity(&[linkedin, phone]).await.unwrap();
    assert_eq!(found, BTreeMap::from([(linkedin, ProspectId(2))]));
    let found = store.find_identity(&[external, linkedin]).await.unwrap();
    assert_eq!(found, BTreeMap::from([(external, ProspectId(1)), (linkedin, ProspectId(2))]));
}

pub async fn an_address_finds_a_person_in_every_spelling(database: Database) {
    let store = database.open().await;
    write_people(&*store, 1).await;
    let written = key("email", &address("Jo.Doe+list@GMail.com").canonical());
    let changes = Changes { prospects: vec![(prospect(1), vec![written])], ..Changes::default() };
    store.write(changes).await.unwrap();
    for (spelling, expected) in
        [("jodoe@gmail.com", vec![ProspectId(1)]), ("jodoe@acme.test", Vec::new())]
    {
        let found = store.prospects_by_email(&[address(spelling)]).await.unwrap();
        assert_eq!(found, expected, "{spelling}");
    }
}

pub async fn lists_come_back_by_name_and_by_content(database: Database) {
    let store = database.open().await;
    write_people(&*store, 3).await;
    let list = |id: i64, digest: &str| ListRecord {
        id: ListId(id),
        name: format!("list-{id}"),
        digest: digest.to_owned(),
        rows: 3,
        imported_at: at(id),
        report: r#"{"rows":3}"#.to_owned(),
    };
    let members = [(1, 2), (1, 3), (2, 1)].map(|(l, p)| (ListId(l), ProspectId(p))).to_vec();
    let lists = vec![list(1, "x"), list(2, "y")];
    let changes = Changes { lists, list_members: members.clone(), ..Changes::default() };
    store.write(changes).await.unwrap();
    // The same file again, changed: the list is kept and nobody is in it twice.
    let changes =
        Changes { lists: vec![list(1, "z")], list_members: members, ..Changes::default() };
    store.write(changes).await.unwrap();
    assert_eq!(store.lists().await.unwrap(), [list(1, "z"), list(2, "y")]);
    assert_eq!(store.list("list-1").await.unwrap(), Some(list(1, "z")));
    assert_eq!(store.list("list-3").await.unwrap(), None);
    assert_eq!(store.list_with_digest("y").await.unwrap(), Some(list(2, "y")));
    assert_eq!(store.list_with_digest("x").await.unwrap(), None);
    assert_eq!(store.list_prospects(ListId(1)).await.unwrap(), [2, 3].map(ProspectId));
}

pub async fn suppressions_are_not_confused_between_kinds(database: Database) {
    let store = database.open().await;
    let block =
        |subject: Subject, cause| Suppression { subject, cause, source: "rep".into(), at: at(1) };
    let first = block(Subject::Person(ProspectId(7)), Cause::OptOut);
    let domain = block(Subject::Domain("acme.test".into()), Cause::Manual);
    let suppressions = vec![first.clone(), domain.clone()];
    store.write(Changes { suppressions, ..Changes::default() }).await.unwrap();
    // Again, later: the first one stays; another cause is another block.
    let later = Suppression { at: at(5), ..first.clone() };
    let complaint = Suppression { at: at(6), ..block(first.subject.clone(), Cause::Complaint) };
    let suppressions = vec![later, complaint.clone()];
    store.write(Changes { suppressions, ..Changes::default() }).await.unwrap();
    let asked = [Subject::Phone("7".into()), Subject::Email("acme.test".into())];
    assert_eq!(store.suppressions(&asked).await.unwrap(), []);
    let asked = [first.subject.clone()];
    let mut found = store.suppressions(&asked).await.unwrap();
    found.sort_by_key(|block| block.at);
    assert_eq!(found, [first.clone(), complaint.clone()]);
    let mut all = store.all_suppressions().await.unwrap();
    all.sort_by_key(|block| (block.at, block.subject.kind()));
    assert_eq!(all, [domain, first, complaint]);
}
