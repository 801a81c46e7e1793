//! What is on hold, and who is held back by it.

use firsttouch::domain::budget::Waiting;
use firsttouch::domain::hold::{Health, Hold, HoldCause, HoldScope, Release};
use firsttouch::domain::ids::{CadenceId, EnrollmentId, MailboxId, RepId};
use firsttouch::domain::touch::Status;
use firsttouch::ports::{Changes, Guards, HoldBack, Intent, Lane, Store};

use crate::Database;
use crate::samples::*;

fn hold(scope: HoldScope, cause: HoldCause, minutes: i64) -> Hold {
    let (note, by) = (format!("since {minutes}"), "ann".to_owned());
    Hold { scope, cause, note, by, at: at(minutes) }
}

fn mailbox() -> HoldScope {
    HoldScope::Mailbox(MailboxId::from("ann"))
}

async fn put(store: &dyn Store, held: &[Hold]) {
    let changes = Changes { held: held.to_vec(), ..Changes::default() };
    store.write(changes).await.expect("holds are written");
}

async fn release(store: &dyn Store, scope: HoldScope, minutes: i64) {
    let released = vec![Release { scope, by: "bo".to_owned(), at: at(minutes) }];
    store.write(Changes { released, ..Changes::default() }).await.expect("holds are lifted");
}

pub async fn a_hold_is_in_force_until_it_is_released_and_may_come_again(database: Database) {
    let store = database.open().await;
    let (all, own) = (HoldScope::Everything, mailbox());
    let first = hold(all.clone(), HoldCause::Manual, 1);
    let second = hold(own.clone(), HoldCause::Bounces, 2);
    let third = hold(all.clone(), HoldCause::ClockJump, 3);
    put(&*store, &[first.clone(), second.clone()]).await;
    // The same cause holds once, another one as well.
    put(&*store, &[hold(all.clone(), HoldCause::Manual, 3), third.clone()]).await;
    assert_eq!(store.holds().await.unwrap(), [first, second.clone(), third]);
    release(&*store, all.clone(), 4).await;
    assert_eq!(store.holds().await.unwrap(), std::slice::from_ref(&second));
    let again = hold(all, HoldCause::Manual, 5);
    put(&*store, std::slice::from_ref(&again)).await;
    assert_eq!(store.holds().await.unwrap(), [second, again]);
}

pub async fn what_is_on_hold_stops_an_intent(database: Database) {
    let store = database.open().await;
    let asked = vec![HoldScope::Everything, mailbox(), HoldScope::Cadence(CadenceId::from("c"))];
    for (scope, stops) in [
        (HoldScope::Everything, true),
        (mailbox(), true),
        (HoldScope::Mailbox(MailboxId::from("bob")), false),
        (HoldScope::Cadence(CadenceId::from("c")), true),
        (HoldScope::Rep(RepId::from("c")), false),
    ] {
        put(&*store, &[hold(scope.clone(), HoldCause::Manual, 0)]).await;
        let guards = Guards { holds: asked.clone(), ..no_guards(at(1)) };
        let intent = store.intend(Changes::default(), guards).await.unwrap();
        let held = matches!(intent, Intent::Wait { reason: Waiting::OnHold, .. });
        assert_eq!(held, stops, "{scope:?}: {intent:?}");
        release(&*store, scope, 2).await;
        let guards = Guards { holds: asked.clone(), ..no_guards(at(3)) };
        let intent = store.intend(Changes::default(), guards).await.unwrap();
        assert_eq!(intent, Intent::Committed);
    }
}

pub async fn who_is_on_hold_is_put_off_at_once_and_comes_back_with_the_release(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 3).await;
    let other = moved(3, 1, waiting("one", at(0), Vec::new()), wake(Lane::Desk, at(0)));
    store.write(Changes { moved: vec![other], ..Changes::default() }).await.unwrap();
    let waiting = Waiting::OnHold;
    let back = |scope| HoldBack { lane: ann(), scope, now: at(5), until: at(65), waiting };
    let due = |minutes| {
        let store = store.clone();
        async move { store.due(&ann(), at(minutes), 10).await.unwrap().len() }
    };
    for (scope, put_off) in [
        (HoldScope::Cadence(CadenceId::from("other")), 0),
        (HoldScope::Rep(RepId::from("nobody")), 0),
        (HoldScope::Cadence(CadenceId::from("c")), 2),
        (HoldScope::Rep(RepId::from("rep")), 2),
        (HoldScope::Everything, 2),
    ] {
        assert_eq!(store.hold_back(back(scope.clone())).await.unwrap(), put_off, "{scope:?}");
        assert_eq!(due(5).await, 2 - usize::try_from(put_off).unwrap());
        assert_eq!(due(65).await, 2);
        let record = store.enrollment(EnrollmentId(1)).await.unwrap().unwrap();
        let waiting = record.wake.as_ref().map(|wake| wake.waiting);
        let expected = if put_off > 0 { Waiting::OnHold } else { Waiting::NotDue };
        assert_eq!((waiting, record.revision), (Some(expected), 1));
        put(&*store, &[hold(scope.clone(), HoldCause::Manual, 0)]).await;
        release(&*store, scope, 5).await;
        assert_eq!(due(5).await, 2);
    }
}

pub async fn the_health_of_a_mailbox_counts_from_its_last_reset(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 4).await;
    let touch = |id, status| touch(id, id, "one", status);
    let touches = vec![
        touch(1, Status::Sent),
        touch(2, Status::Sent),
        touch(3, Status::Refused),
        touch(4, Status::Refused),
    ];
    // One came back, and one was dead at once; the fourth was refused for another reason.
    let came_back = [2, 3].map(|id| (firsttouch::domain::ids::TouchId(id), at(3))).to_vec();
    store.write(Changes { touches, came_back, ..Changes::default() }).await.unwrap();
    let ann = MailboxId::from("ann");
    let health = Health { mails: 3, dead: 2, complaints: 0 };
    assert_eq!(store.health(&ann, at(0)).await.unwrap(), health);
    assert_eq!(store.health(&ann, at(1)).await.unwrap(), Health::default());
    assert_eq!(store.health(&MailboxId::from("bob"), at(0)).await.unwrap(), Health::default());
    put(&*store, &[hold(mailbox(), HoldCause::Manual, 4)]).await;
    release(&*store, mailbox(), 5).await;
    assert_eq!(store.health(&ann, at(0)).await.unwrap(), health, "no breaker was reset");
    put(&*store, &[hold(mailbox(), HoldCause::Bounces, 6)]).await;
    release(&*store, mailbox(), 7).await;
    assert_eq!(store.health(&ann, at(0)).await.unwrap(), Health::default());
}

pub async fn of_those_who_note_something_first_one_is_the_first(database: Database) {
    let store = database.open().await;
    let (one, two) =
        tokio::join!(store.note_first("instance", "one"), store.note_first("instance", "two"));
    let stands = store.note("instance").await.unwrap().unwrap();
    assert_eq!((one.unwrap(), two.unwrap()), (stands.clone(), stands.clone()));
    store.put_note("instance", "three").await.unwrap();
    assert_eq!(store.note_first("instance", "four").await.unwrap(), "three");
}

pub async fn a_note_is_kept_as_it_was_last_written(database: Database) {
    let store = database.open().await;
    assert_eq!(store.note("beat").await.unwrap(), None);
    for text in ["one", "two"] {
        store.put_note("beat", text).await.unwrap();
        assert_eq!(store.note("beat").await.unwrap().as_deref(), Some(text));
    }
    assert_eq!(store.note("other").await.unwrap(), None);
}
