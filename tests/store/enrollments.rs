//! Where people stand, and who is looked at next.

use firsttouch::domain::budget::Waiting;
use firsttouch::domain::cadence::Outcome;
use firsttouch::domain::enrollment::{Ending, Passed, Pause, Phase, State};
use firsttouch::domain::ids::{
    CadenceId, CompanyId, EnrollmentId, MailboxId, ProfileId, ProspectId, StepId,
};
use firsttouch::domain::suppression::{Cause, Subject, Suppression};
use firsttouch::domain::touch::Status;
use firsttouch::ports::{
    Changes, EnrollmentRecord, Lane, Store, StoreError, TransitionRecord, Wake,
};

use crate::Database;
use crate::samples::*;

fn enrolled(enrolled: Vec<EnrollmentRecord>) -> Changes {
    Changes { enrolled, ..Changes::default() }
}

fn moves(id: i64, revision: i64, state: State, wake: Option<Wake>) -> Changes {
    Changes { moved: vec![moved(id, revision, state, wake)], ..Changes::default() }
}

pub async fn an_enrollment_comes_back_whole_and_moves_on(database: Database) {
    let store = database.open().await;
    write_people(&*store, 1).await;
    let changes = Changes { versions: vec![version("d2")], ..Changes::default() };
    store.write(changes).await.unwrap();
    let profile = Some((ProfileId::from("cto"), "p1".to_owned()));
    let mut record = EnrollmentRecord { score: 12, profile, ..enrollment(1) };
    store.write(enrolled(vec![record.clone()])).await.unwrap();
    assert_eq!(store.enrollment(record.id).await.unwrap(), Some(record.clone()));
    let waits = Wake { lane: Lane::Desk, at: at(60), waiting: Waiting::OutOfOffice };
    let phase = Phase::Paused {
        why: Pause::OutOfOffice,
        until: Some(at(60)),
        step: StepId::from("two"),
        attempt: 3,
        left: mins(7),
    };
    record.state = State { phase, ..waiting("two", at(3), vec![sent("one")]) };
    let mut change = moved(1, 1, record.state.clone(), Some(waits.clone()));
    change.digest = Some("d2".to_owned());
    store.write(Changes { moved: vec![change], ..Changes::default() }).await.unwrap();
    (record.revision, record.wake, record.digest) = (2, Some(waits), "d2".to_owned());
    assert_eq!(store.enrollments_of(ProspectId(1)).await.unwrap(), [record.clone()]);
    assert_eq!(store.enrollments_in(&CadenceId::from("c")).await.unwrap(), [record]);
    assert_eq!(store.enrollments_in(&CadenceId::from("d")).await.unwrap(), []);
}

pub async fn a_move_from_a_wrong_revision_changes_nothing_at_all(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 2).await;
    let subject = Subject::Email("p1@acme.test".into());
    let block = Suppression { subject, cause: Cause::OptOut, source: "reply".into(), at: at(1) };
    let state = ended(Ending::OptedOut);
    for revision in [0, 2] {
        let changes = Changes {
            moved: vec![moved(1, 1, state.clone(), None), moved(2, revision, state.clone(), None)],
            touches: vec![touch(1, 1, "one", Status::Intended)],
            suppressions: vec![block.clone()],
            log: vec![note(1, 1)],
            ..Changes::default()
        };
        let refused = store.write(changes).await;
        assert!(matches!(refused, Err(StoreError::Stale(EnrollmentId(2)))), "{refused:?}");
        for id in [1, 2] {
            let read = store.enrollment(EnrollmentId(id)).await.unwrap();
            assert_eq!(read, Some(enrollment(id)));
        }
        assert_eq!(store.touches_of(EnrollmentId(1)).await.unwrap(), []);
        assert_eq!(store.all_suppressions().await.unwrap(), []);
        assert_eq!(store.log_after(0, 10).await.unwrap(), (Vec::new(), 0));
    }
}

pub async fn nobody_is_twice_in_one_cadence_at_a_time(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 1).await;
    let again = EnrollmentRecord { id: EnrollmentId(2), ..enrollment(1) };
    let refused = store.write(enrolled(vec![again.clone()])).await;
    assert!(matches!(refused, Err(StoreError::Database { .. })), "{refused:?}");
    store.write(moves(1, 1, ended(Ending::NoReply), None)).await.unwrap();
    store.write(enrolled(vec![again])).await.unwrap();
    assert_eq!(store.enrollments_of(ProspectId(1)).await.unwrap().len(), 2);
}

pub async fn follow_ups_are_due_before_new_people_and_those_by_score(database: Database) {
    let store = database.open().await;
    write_people(&*store, 6).await;
    let person = |id: i64, score: i64, due: i64, passed: Vec<Passed>| EnrollmentRecord {
        score,
        state: waiting("one", at(due), passed),
        wake: wake(ann(), at(due)),
        ..enrollment(id)
    };
    let skipped = Passed { outcome: Outcome::from("skipped"), ..sent("zero") };
    let people = vec![
        person(1, 5, 0, Vec::new()),
        person(2, 90, 3, Vec::new()),
        person(3, -4, 0, vec![sent("zero")]),
        person(4, 90, 2, Vec::new()),
        // Nothing was tried yet: no follow-up.
        person(5, 7, 0, vec![skipped]),
        person(6, 0, 1, Vec::new()),
    ];
    store.write(enrolled(people)).await.unwrap();
    let order = |ids: &[i64]| ids.iter().copied().map(EnrollmentId).collect::<Vec<_>>();
    assert_eq!(store.due(&ann(), at(5), 9).await.unwrap(), order(&[3, 4, 2, 5, 1, 6]));
    // A move keeps the score's place, and makes a follow-up of who was reached.
    store.write(moves(2, 1, waiting("one", at(4), Vec::new()), wake(ann(), at(1)))).await.unwrap();
    let followed = waiting("two", at(4), vec![sent("one")]);
    store.write(moves(6, 1, followed, wake(ann(), at(4)))).await.unwrap();
    assert_eq!(store.due(&ann(), at(5), 9).await.unwrap(), order(&[3, 6, 2, 4, 5, 1]));
}

pub async fn only_what_is_due_in_the_lane_is_given_out_and_no_more_than_asked(database: Database) {
    let store = database.open().await;
    write_people(&*store, 5).await;
    let person =
        |id: i64, lane: Lane| EnrollmentRecord { wake: wake(lane, at(id)), ..enrollment(id) };
    let bob = Lane::Mailbox("bob".into());
    let people = vec![
        person(1, ann()),
        person(2, bob.clone()),
        person(3, ann()),
        person(4, ann()),
        person(5, Lane::Desk),
    ];
    store.write(enrolled(people)).await.unwrap();
    store.write(moves(1, 1, ended(Ending::NoReply), None)).await.unwrap();
    for (lane, now, limit, expected) in [
        (ann(), 2, 9, vec![]),
        (ann(), 3, 9, vec![3]),
        (ann(), 9, 9, vec![3, 4]),
        (ann(), 9, 1, vec![3]),
        (ann(), 9, 0, vec![]),
        (bob, 9, 9, vec![2]),
        (Lane::Desk, 9, 9, vec![5]),
        (Lane::Mailbox("desk".into()), 9, 9, vec![]),
    ] {
        let expected: Vec<EnrollmentId> = expected.into_iter().map(EnrollmentId).collect();
        let due = store.due(&lane, at(now), limit).await.unwrap();
        assert_eq!(due, expected, "{lane:?} at {now}, limit {limit}");
    }
}

pub async fn people_of_a_mailbox_that_is_gone_are_found(database: Database) {
    let store = database.open().await;
    write_people(&*store, 4).await;
    let person =
        |id: i64, lane: Lane| EnrollmentRecord { wake: wake(lane, at(id)), ..enrollment(id) };
    let bob = Lane::Mailbox("bob".into());
    let people =
        vec![person(1, bob.clone()), person(2, ann()), person(3, Lane::Desk), person(4, bob)];
    store.write(enrolled(people)).await.unwrap();
    for (mailboxes, expected) in
        [(vec!["ann"], vec![1, 4]), (vec!["ann", "bob"], vec![]), (vec![], vec![1, 2, 4])]
    {
        let known: Vec<MailboxId> = mailboxes.iter().map(|id| MailboxId::from(*id)).collect();
        let found = store.enrollments_without(&known).await.unwrap();
        let ids: Vec<i64> = found.iter().map(|record| record.id.0).collect();
        assert_eq!(ids, expected, "{mailboxes:?}");
    }
}

pub async fn of_many_who_are_due_the_first_by_rank_time_and_number_are_given_out(
    database: Database,
) {
    let store = database.open().await;
    write_people(&*store, 60).await;
    let person = |id: i64| EnrollmentRecord {
        score: id % 3,
        wake: wake(ann(), at(if id % 2 == 0 { 1 } else { 90 })),
        ..enrollment(id)
    };
    store.write(enrolled((1..=60).map(person).collect())).await.unwrap();
    let due = store.due(&ann(), at(5), 15).await.unwrap();
    // Of score 2 there are ten who are due; the next are those of score 1.
    let expected = [2, 8, 14, 20, 26, 32, 38, 44, 50, 56, 4, 10, 16, 22, 28];
    assert_eq!(due, expected.map(EnrollmentId));
}

pub async fn the_next_wake_is_the_earliest_of_the_lane(database: Database) {
    let store = database.open().await;
    write_people(&*store, 3).await;
    assert_eq!(store.next_wake(&ann()).await.unwrap(), None);
    let person = |id: i64, due: i64, lane: Lane| EnrollmentRecord {
        wake: wake(lane, at(due)),
        ..enrollment(id)
    };
    let people = vec![person(1, 30, ann()), person(2, 20, ann()), person(3, 10, Lane::Desk)];
    store.write(enrolled(people)).await.unwrap();
    assert_eq!(store.next_wake(&ann()).await.unwrap(), Some(at(20)));
    assert_eq!(store.next_wake(&Lane::Desk).await.unwrap(), Some(at(10)));
    store.write(moves(2, 1, ended(Ending::Replied), None)).await.unwrap();
    assert_eq!(store.next_wake(&ann()).await.unwrap(), Some(at(30)));
}

pub async fn every_state_is_given_back_and_a_later_look_alone_is_none(database: Database) {
    let store = database.open().await;
    write_people(&*store, 3).await;
    store.write(enrolled(vec![enrollment(1), enrollment(2)])).await.unwrap();
    let changes = Changes { versions: vec![version("d2")], ..Changes::default() };
    store.write(changes).await.unwrap();
    let first = enrollment(1).state;
    let two = waiting("two", at(3), vec![sent("one")]);
    // The same state, looked at later: it is no transition.
    store.write(moves(1, 1, first.clone(), wake(ann(), at(60)))).await.unwrap();
    let mut on = moved(1, 2, two.clone(), wake(ann(), at(3)));
    on.prospect = Some(ProspectId(1));
    store.write(Changes { moved: vec![on], ..Changes::default() }).await.unwrap();
    let mut to_other = moved(1, 3, two.clone(), wake(ann(), at(3)));
    to_other.digest = Some("d2".to_owned());
    store.write(Changes { moved: vec![to_other], ..Changes::default() }).await.unwrap();
    let mut handed = moved(1, 4, two.clone(), wake(ann(), at(3)));
    (handed.mailbox, handed.prospect) = (Some("bob".into()), Some(ProspectId(3)));
    store.write(Changes { moved: vec![handed], ..Changes::default() }).await.unwrap();
    let refused = store.write(moves(1, 2, ended(Ending::Replied), None)).await;
    assert!(matches!(refused, Err(StoreError::Stale(_))), "{refused:?}");
    let over = ended(Ending::NoReply);
    store.write(moves(1, 5, over.clone(), None)).await.unwrap();

    let begin = TransitionRecord::from(&enrollment(1));
    let one = TransitionRecord { revision: 3, at: at(2), state: two.clone(), ..begin.clone() };
    let new = TransitionRecord { revision: 4, at: at(3), digest: "d2".into(), ..one.clone() };
    let (prospect, mailbox) = (ProspectId(3), Some("bob".into()));
    let bobs = TransitionRecord { revision: 5, at: at(4), prospect, mailbox, ..new.clone() };
    let last = TransitionRecord { revision: 6, at: at(5), state: over, ..bobs.clone() };
    let all = store.transitions_of(EnrollmentId(1)).await.unwrap();
    assert_eq!(all, [begin, one, new, bobs, last]);
    let other = store.transitions_of(EnrollmentId(2)).await.unwrap();
    assert_eq!(other, [TransitionRecord::from(&enrollment(2))]);
    assert_eq!(store.transitions_of(EnrollmentId(3)).await.unwrap(), []);
}

/// What was enrolled before states were kept begins with where it stands.
pub async fn the_states_of_an_older_database_begin_with_where_people_stand(database: Database) {
    let store = database.open_sql().await;
    write_enrolled(&store, 2).await;
    store.write(moves(2, 1, ended(Ending::NoReply), None)).await.unwrap();
    store.close().await;
    let pool = database.raw().await;
    for sql in ["drop table transition", "delete from _sqlx_migrations where version = 7"] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    pool.close().await;
    let store = database.open_sql().await;
    let stand = TransitionRecord::from(&enrollment(1));
    assert_eq!(store.transitions_of(EnrollmentId(1)).await.unwrap(), [stand]);
    let over = TransitionRecord::from(&enrollment(2));
    let over = TransitionRecord { revision: 2, at: at(9), state: ended(Ending::NoReply), ..over };
    assert_eq!(store.transitions_of(EnrollmentId(2)).await.unwrap(), [over]);
}

fn sending(step: &str) -> State {
    let phase = Phase::Sending { step: StepId::from(step), attempt: 1, since: at(1) };
    State { phase, ..waiting(step, at(0), Vec::new()) }
}

pub async fn mails_on_their_way_are_found_again(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 3).await;
    store.write(moves(2, 1, sending("one"), wake(Lane::Desk, at(16)))).await.unwrap();
    let found = store.enrollments_on_their_way().await.unwrap();
    let ids: Vec<i64> = found.iter().map(|record| record.id.0).collect();
    assert_eq!(ids, [2]);
}

pub async fn the_census_counts_phases_and_reasons(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 4).await;
    let doubt = Wake { lane: Lane::Desk, at: at(16), waiting: Waiting::InDoubt };
    store.write(moves(2, 1, sending("one"), Some(doubt))).await.unwrap();
    store.write(moves(3, 1, ended(Ending::NoReply), None)).await.unwrap();
    let census = store.census().await.unwrap();
    let line = |phase: &str, waiting, n| (phase.to_owned(), waiting, n);
    let expected = [
        line("ended", None, 1),
        line("sending", Some(Waiting::InDoubt), 1),
        line("waiting", Some(Waiting::NotDue), 2),
    ];
    assert_eq!(census, expected);
}

pub async fn the_board_counts_who_is_where_and_why(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 5).await;
    let later = Wake { lane: ann(), at: at(90), waiting: Waiting::MailboxLimit };
    let begun = waiting("two", at(0), vec![sent("one")]);
    store.write(moves(2, 1, begun.clone(), Some(later.clone()))).await.unwrap();
    store.write(moves(3, 1, begun, Some(Wake { at: at(80), ..later }))).await.unwrap();
    store.write(moves(4, 1, ended(Ending::NoReply), None)).await.unwrap();
    let touches = vec![
        touch(1, 2, "one", Status::Sent),
        touch(2, 3, "one", Status::AssumedSent),
        touch(3, 5, "one", Status::InDoubt),
    ];
    store.write(Changes { touches, ..Changes::default() }).await.unwrap();
    let board: Vec<_> = store
        .board(at(60))
        .await
        .unwrap()
        .into_iter()
        .map(|line| {
            let waiting = line.waiting.map(Waiting::as_str);
            (line.phase, line.about, line.begun, waiting, line.due, line.people, line.first_at)
        })
        .collect();
    let line = |phase: &str, about: &str, begun, waiting, due, n, first| {
        (phase.to_owned(), about.to_owned(), begun, waiting, due, n, first)
    };
    assert_eq!(
        board,
        [
            line("ended", "no_reply", false, None, false, 1, None),
            line("waiting", "two", true, Some("mailbox_limit"), false, 2, Some(at(80))),
            line("waiting", "one", false, Some("not_due"), true, 2, Some(at(0))),
        ]
    );
    let done = store.done_by_step().await.unwrap();
    assert_eq!(done, [(CadenceId::from("c"), StepId::from("one"), 2)]);
    let others = |id| store.begun_at(CompanyId(1), EnrollmentId(id));
    assert_eq!((others(1).await.unwrap(), others(2).await.unwrap()), (2, 1));
}
