//! Each guard of an intent by itself: what it lets pass, what it refuses, and until when.

use firsttouch::domain::budget::Waiting;
use firsttouch::domain::cadence::Channel;
use firsttouch::domain::ids::{CompanyId, EnrollmentId, MailboxId, ProspectId};
use firsttouch::domain::suppression::{Cause, Subject, Suppression};
use firsttouch::domain::touch::{Status, Touch};
use firsttouch::ports::{
    Changes, EnrollmentRecord, Guards, InboxRead, Intent, MailboxGuard, MailboxWait, Store,
};
use jiff::{SignedDuration, Timestamp};

use crate::Database;
use crate::samples::*;

/// An intent that leaves one line in the log when it is committed, and nothing when it is not.
async fn intend(store: &dyn Store, guards: Guards) -> Intent {
    let (_, before) = store.log_after(0, 1000).await.unwrap();
    let changes = Changes { log: vec![note(0, 1)], ..Changes::default() };
    let intent = store.intend(changes, guards).await.expect("the store answers");
    let (_, after) = store.log_after(0, 1000).await.unwrap();
    assert_eq!(after > before, intent == Intent::Committed, "{intent:?}");
    intent
}

fn wait(reason: Waiting, until: Timestamp) -> Intent {
    Intent::Wait { reason, until }
}

pub async fn a_lost_or_run_out_lease_stops_an_intent(database: Database) {
    let store = database.open().await;
    let with = |name: &str, epoch: i64, now: i64| Guards {
        lease: Some((name.to_owned(), epoch)),
        ..no_guards(at(now))
    };
    assert_eq!(intend(&*store, with("mailbox:ann", 1, 0)).await, Intent::NotOurs);
    assert_eq!(store.lease(lease("node-1", 0, 10)).await.unwrap(), Some(1));
    for (guards, expected) in [
        (with("mailbox:ann", 1, 9), Intent::Committed),
        (with("mailbox:ann", 1, 10), Intent::NotOurs),
        (with("mailbox:ann", 0, 9), Intent::NotOurs),
        (with("mailbox:ann", 2, 9), Intent::NotOurs),
        (with("mailbox:bob", 1, 9), Intent::NotOurs),
    ] {
        let asked = format!("{:?} at {}", guards.lease, guards.now);
        assert_eq!(intend(&*store, guards).await, expected, "{asked}");
    }
    // Somebody else took over, and the first comes late.
    assert_eq!(store.lease(lease("node-2", 10, 20)).await.unwrap(), Some(2));
    assert_eq!(intend(&*store, with("mailbox:ann", 1, 11)).await, Intent::NotOurs);
    assert_eq!(intend(&*store, with("mailbox:ann", 2, 11)).await, Intent::Committed);
}

pub async fn a_lease_is_renewed_refused_and_taken_over_with_a_higher_epoch(database: Database) {
    let store = database.open().await;
    for (holder, now, until, expected) in [
        ("node-1", 0, 10, Some(1)),
        ("node-1", 5, 15, Some(1)),
        ("node-2", 14, 30, None),
        ("node-2", 15, 30, Some(2)),
        ("node-1", 16, 40, None),
        ("node-1", 31, 40, Some(3)),
        // Nobody took it in the meantime: it is still the same.
        ("node-1", 90, 99, Some(3)),
        // Its clock was far ahead: nobody waits until then.
        ("node-1", 91, 99_999, Some(3)),
        ("node-2", 92, 99, Some(4)),
        ("node-1", 93, 100, None),
    ] {
        let taken = store.lease(lease(holder, now, until)).await.unwrap();
        assert_eq!(taken, expected, "{holder} at {now}");
    }
}

pub async fn a_block_of_address_domain_or_person_stops_an_intent(database: Database) {
    let store = database.open().await;
    let (email, domain) =
        (Subject::Email("p@acme.test".into()), Subject::Domain("acme.test".into()));
    let (person, phone) = (Subject::Person(ProspectId(1)), Subject::Phone("+4366012345".into()));
    let all = [email, domain, person, phone];
    let with = |subjects: &[Subject]| Guards { subjects: subjects.to_vec(), ..no_guards(at(0)) };
    assert_eq!(intend(&*store, with(&all)).await, Intent::Committed);
    for (position, subject) in all.iter().enumerate() {
        let block = |subject: Subject| {
            let cause = Cause::OptOut;
            let block = Suppression { subject, cause, source: "reply".into(), at: at(0) };
            Changes { suppressions: vec![block], ..Changes::default() }
        };
        // The same words under another kind block nobody.
        let other = match subject {
            Subject::Phone(number) => Subject::Domain(number.clone()),
            Subject::Email(_) | Subject::Domain(_) | Subject::Person(_) => {
                Subject::Phone(subject.value())
            }
        };
        store.write(block(other)).await.unwrap();
        assert_eq!(intend(&*store, with(&all[position..])).await, Intent::Committed, "{subject:?}");
        store.write(block(subject.clone())).await.unwrap();
        assert_eq!(intend(&*store, with(&all[position..])).await, Intent::Blocked, "{subject:?}");
        assert_eq!(intend(&*store, with(&all)).await, Intent::Blocked, "{subject:?}");
    }
}

fn mailbox(now: Timestamp, fresh_for: Option<i64>, gap: i64, day: i64) -> Guards {
    let guard = MailboxGuard {
        mailbox: MailboxId::from("ann"),
        inbox_fresh_for: fresh_for.map(mins),
        gap: SignedDuration::from_secs(gap),
        day,
    };
    Guards { mailbox: Some(guard), ..no_guards(now) }
}

pub async fn a_mailbox_that_waits_says_why_and_until_when(database: Database) {
    let store = database.open().await;
    for (until, reason) in [(30, Waiting::MailboxDown), (60, Waiting::TryLater)] {
        let waits = MailboxWait { mailbox: MailboxId::from("ann"), until: at(until), reason };
        let changes = Changes { mailbox_waits: Some(waits), ..Changes::default() };
        store.write(changes).await.unwrap();
        let refused = intend(&*store, mailbox(at(until - 1), None, 0, 1)).await;
        assert_eq!(refused, wait(reason, at(until)));
        assert_eq!(intend(&*store, mailbox(at(until), None, 0, 1)).await, Intent::Committed);
    }
}

pub async fn an_inbox_that_was_not_read_lately_stops_its_mailbox(database: Database) {
    let store = database.open().await;
    let stale = |now: i64| wait(Waiting::InboxStale, at(now + 1));
    assert_eq!(intend(&*store, mailbox(at(0), Some(10), 0, 1)).await, stale(0));
    assert_eq!(intend(&*store, mailbox(at(0), None, 0, 1)).await, Intent::Committed);
    let read = InboxRead { mailbox: MailboxId::from("ann"), cursor: None, at: at(100) };
    store.write(Changes { inbox_read: Some(read), ..Changes::default() }).await.unwrap();
    for (now, expected) in [
        // Read in the future: a clock that was set back.
        (99, stale(99)),
        (100, Intent::Committed),
        (110, Intent::Committed),
        (111, stale(111)),
    ] {
        let guards = mailbox(at(now), Some(10), 0, 1);
        assert_eq!(intend(&*store, guards).await, expected, "at {now}");
    }
}

pub async fn the_gap_behind_a_mail_is_kept(database: Database) {
    let store = database.open().await;
    let second = SignedDuration::from_secs(1);
    let until = at(0) + second * 90;
    assert_eq!(intend(&*store, mailbox(at(0), None, 90, 1)).await, Intent::Committed);
    let refused = intend(&*store, mailbox(until - second, None, 90, 1)).await;
    assert_eq!(refused, wait(Waiting::MailboxLimit, until));
    assert_eq!(intend(&*store, mailbox(until, None, 90, 1)).await, Intent::Committed);
    let next = store.mailbox(&MailboxId::from("ann")).await.unwrap().next_send_at;
    assert_eq!(next, Some(until + second * 90));
    let mut other = mailbox(until, None, 90, 1);
    if let Some(guard) = &mut other.mailbox {
        guard.mailbox = MailboxId::from("bob");
    }
    assert_eq!(intend(&*store, other).await, Intent::Committed);
}

pub async fn a_new_day_of_sending_counts_for_the_ramp(database: Database) {
    let store = database.open().await;
    for (day, before) in [(7, 0), (7, 0), (8, 1), (8, 1), (20, 2)] {
        assert_eq!(intend(&*store, mailbox(at(day), None, 0, day)).await, Intent::Committed);
        let record = store.mailbox(&MailboxId::from("ann")).await.unwrap();
        assert_eq!((record.sending_days, record.last_sending_day), (before, Some(day)));
    }
}

pub async fn a_full_cap_says_why_and_until_when(database: Database) {
    let store = database.open().await;
    let with = |scope: &str, limit, reason, now: i64| Guards {
        caps: vec![cap(scope, limit, reason)],
        ..no_guards(at(now))
    };
    let reasons = [
        ("mailbox:ann", Waiting::MailboxLimit),
        ("domain:acme.test", Waiting::DomainLimit),
        ("rep:ada", Waiting::RepLimit),
        ("prospect:1", Waiting::ProspectLimit),
    ];
    for (scope, reason) in reasons {
        for now in [0, 61] {
            let intent = intend(&*store, with(scope, 2, reason, now)).await;
            assert_eq!(intent, Intent::Committed, "{scope}");
        }
        // The first hour has to leave the window of a day.
        let free = 25 * 60;
        for now in [62, 600, free - 1] {
            let refused = intend(&*store, with(scope, 2, reason, now)).await;
            assert_eq!(refused, wait(reason, at(free)), "{scope} at {now}");
        }
        assert_eq!(intend(&*store, with(scope, 2, reason, free)).await, Intent::Committed);
        let refused = intend(&*store, with(scope, 2, reason, free)).await;
        assert_eq!(refused, wait(reason, at(26 * 60)), "{scope}");
    }
}

pub async fn a_company_with_enough_people_under_way_waits(database: Database) {
    let store = database.open().await;
    write_people(&*store, 5).await;
    let begun =
        |id| EnrollmentRecord { state: waiting("two", at(0), vec![sent("one")]), ..enrollment(id) };
    let elsewhere = EnrollmentRecord { company: None, ..begun(4) };
    let enrolled = vec![enrollment(1), begun(2), begun(3), elsewhere, enrollment(5)];
    store.write(Changes { enrolled, ..Changes::default() }).await.unwrap();
    let with = |id: i64, limit: u32| Guards {
        company: Some((CompanyId(1), EnrollmentId(id), limit)),
        ..no_guards(at(0))
    };
    let refused = wait(Waiting::CompanyLimit, at(4 * 60));
    for (id, limit, expected) in [
        (1, 3, Intent::Committed),
        (1, 2, refused.clone()),
        // Who is under way is not in the own way.
        (2, 2, Intent::Committed),
        (2, 1, refused),
    ] {
        assert_eq!(intend(&*store, with(id, limit)).await, expected, "{id} of {limit}");
    }
    let done = moved(2, 1, ended(firsttouch::domain::enrollment::Ending::NoReply), None);
    store.write(Changes { moved: vec![done], ..Changes::default() }).await.unwrap();
    assert_eq!(intend(&*store, with(1, 2)).await, Intent::Committed);
}

pub async fn a_person_whom_another_cadence_touched_is_left_in_peace(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 2).await;
    let with = |enrollment: i64, now: i64| Guards {
        quiet: Some((ProspectId(1), EnrollmentId(enrollment), mins(60))),
        ..no_guards(at(now))
    };
    let task = Touch {
        channel: Channel::Task,
        mail: None,
        at: at(30),
        ..touch(2, 1, "note", Status::Done)
    };
    let touches = vec![touch(1, 1, "one", Status::Sent), task];
    store.write(Changes { touches, ..Changes::default() }).await.unwrap();
    assert_eq!(intend(&*store, with(1, 59)).await, Intent::Committed, "its own touch");
    assert_eq!(intend(&*store, with(9, 59)).await, wait(Waiting::ProspectLimit, at(60)));
    assert_eq!(intend(&*store, with(9, 60)).await, Intent::Committed);
}

pub async fn a_refusal_charges_nothing(database: Database) {
    let store = database.open().await;
    let caps = |limits: [u32; 2]| {
        let scope = [("a", limits[0]), ("b", limits[1])];
        scope.map(|(scope, limit)| cap(scope, limit, Waiting::DomainLimit)).to_vec()
    };
    let with = |limits| Guards { caps: caps(limits), ..mailbox(at(0), None, 90, 7) };
    // The mailbox and `a` have room, and then `b` has none.
    for _ in 0..3 {
        let refused = intend(&*store, with([1, 0])).await;
        assert!(
            matches!(refused, Intent::Wait { reason: Waiting::DomainLimit, .. }),
            "{refused:?}"
        );
        let record = store.mailbox(&MailboxId::from("ann")).await.unwrap();
        assert_eq!(record, Default::default());
    }
    assert_eq!(intend(&*store, with([1, 1])).await, Intent::Committed);
    let later = |limits| Guards { now: at(5), ..with(limits) };
    for limits in [[1, 2], [2, 1]] {
        let refused = intend(&*store, later(limits)).await;
        assert_eq!(refused, wait(Waiting::DomainLimit, at(25 * 60)), "{limits:?}");
    }
    assert_eq!(intend(&*store, later([2, 2])).await, Intent::Committed);
}
