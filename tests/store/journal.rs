//! What happened, what came in, and the firsts.

use firsttouch::domain::ids::{EnrollmentId, InboundId, MailboxId, ProspectId, StepId, TouchId};
use firsttouch::domain::log::{Entry, What};
use firsttouch::domain::reply::{Inbound, Kind};
use firsttouch::domain::touch::{Milestone, Status};
use firsttouch::ports::{
    Changes, Guards, InboundRecord, InboxRead, Intent, MailboxGuard, MilestoneRecord, StoreError,
};

use crate::Database;
use crate::samples::*;

fn log(log: Vec<Entry>) -> Changes {
    Changes { log, ..Changes::default() }
}

pub async fn the_log_keeps_its_order_and_is_read_in_pages(database: Database) {
    let store = database.open().await;
    // The order is that of writing, not of the clock.
    let whole = Entry {
        enrollment: Some(EnrollmentId(4)),
        touch: Some(TouchId(5)),
        actor: "ada".to_owned(),
        ..Entry::new(at(3), What::TaskDone).with("outcome", "left \"voicemail\"")
    };
    let first = vec![note(9, 1), whole.clone(), note(8, 2)];
    store.write(log(first.clone())).await.unwrap();
    store.write(log(vec![note(7, 1)])).await.unwrap();
    let all = [first, vec![note(7, 1)]].concat();
    let (mut read, mut last) = (Vec::new(), 0);
    for expected in [2, 2, 0] {
        let (page, end) = store.log_after(last, 2).await.unwrap();
        assert_eq!(page.len(), expected);
        assert!(end > last || page.is_empty() && end == last);
        (read, last) = ([read, page].concat(), end);
    }
    assert_eq!(read, all);
    assert_eq!(store.log_of(ProspectId(1)).await.unwrap(), [note(9, 1), note(7, 1)]);
    assert_eq!(store.log_of(ProspectId(3)).await.unwrap(), []);
}

pub async fn a_milestone_keeps_its_first_value(database: Database) {
    let store = database.open().await;
    let first = |milestone, minutes| MilestoneRecord {
        enrollment: EnrollmentId(1),
        prospect: ProspectId(1),
        milestone,
        touch: TouchId(minutes),
        at: at(minutes),
    };
    let (attempt, spoke) = (first(Milestone::Attempt, 5), first(Milestone::Conversation, 6));
    for milestones in [
        vec![attempt.clone()],
        vec![first(Milestone::Attempt, 3), spoke.clone()],
        vec![first(Milestone::Attempt, 9), first(Milestone::Conversation, 9)],
    ] {
        store.write(Changes { milestones, ..Changes::default() }).await.unwrap();
    }
    assert_eq!(store.milestones().await.unwrap(), [attempt, spoke]);
}

fn inbound(id: i64, message_id: &str, touch: Option<i64>) -> InboundRecord {
    let message = Inbound {
        message_id: message_id.to_owned(),
        from: vec!["p1@acme.test".to_owned(), "other@acme.test".to_owned()],
        answers: vec!["m1@out.example".to_owned()],
        subject: "Re: Hello".to_owned(),
        new_text: "Tell me more – ça va?".to_owned(),
        kind: Kind::Reply,
        reason: "a person wrote".to_owned(),
    };
    InboundRecord {
        id: InboundId(id),
        mailbox: MailboxId::from("ann"),
        message,
        prospect: Some(ProspectId(1)),
        enrollment: touch.map(EnrollmentId),
        touch: touch.map(TouchId),
        received_at: at(id),
        latency: touch.map(|_| mins(42)),
    }
}

pub async fn an_inbound_message_is_stored_once_and_its_double_changes_nothing(database: Database) {
    let store = database.open().await;
    let changes = Changes { inbound: vec![inbound(1, "r1", None)], ..Changes::default() };
    store.write(changes).await.unwrap();
    assert!(store.knows_message("r1").await.unwrap());
    assert!(!store.knows_message("r2").await.unwrap());
    let inbound = vec![inbound(2, "r2", None), inbound(3, "r1", None)];
    let refused = store.write(Changes { inbound, ..log(vec![note(1, 1)]) }).await;
    assert!(matches!(refused, Err(StoreError::Database { .. })), "{refused:?}");
    assert!(!store.knows_message("r2").await.unwrap());
    assert_eq!(store.log_of(ProspectId(1)).await.unwrap(), []);
}

pub async fn replies_are_listed_newest_first_with_the_step_they_answer(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 1).await;
    let changes = Changes {
        touches: vec![touch(1, 1, "one", Status::Sent)],
        inbound: vec![inbound(2, "r2", Some(1)), inbound(7, "r7", None), inbound(3, "r3", None)],
        ..Changes::default()
    };
    store.write(changes).await.unwrap();
    let replies = store.replies(9).await.unwrap();
    let ids: Vec<i64> = replies.iter().map(|reply| reply.id.0).collect();
    assert_eq!(ids, [7, 3, 2]);
    let answer = &replies[2];
    assert_eq!(answer.answers_step, Some(StepId::from("one")));
    assert_eq!((answer.enrollment, answer.latency), (Some(EnrollmentId(1)), Some(mins(42))));
    assert_eq!((answer.kind.as_str(), answer.from.as_str()), ("reply", "p1@acme.test"));
    assert_eq!((answer.text.as_str(), answer.received_at), ("Tell me more – ça va?", at(2)));
    assert_eq!((replies[0].answers_step.clone(), replies[0].latency), (None, None));
    assert_eq!(store.replies(2).await.unwrap(), replies[..2]);
}

pub async fn the_cursor_of_an_inbox_is_kept_beside_the_sending_days(database: Database) {
    let store = database.open().await;
    let ann = MailboxId::from("ann");
    assert_eq!(store.mailbox(&ann).await.unwrap(), Default::default());
    for (cursor, minutes) in [(Some("17:4"), 1), (Some("17:9"), 2), (None, 3)] {
        let cursor = cursor.map(str::to_owned);
        let read = InboxRead { mailbox: ann.clone(), cursor: cursor.clone(), at: at(minutes) };
        store.write(Changes { inbox_read: Some(read), ..Changes::default() }).await.unwrap();
        let guard = MailboxGuard {
            mailbox: ann.clone(),
            inbox_fresh_for: Some(mins(1)),
            gap: mins(0),
            day: minutes,
        };
        let guards = Guards { mailbox: Some(guard), ..no_guards(at(minutes)) };
        let intent = store.intend(Changes::default(), guards).await.unwrap();
        assert_eq!(intent, Intent::Committed);
        let record = store.mailbox(&ann).await.unwrap();
        assert_eq!((record.cursor, record.inbox_read_at), (cursor, Some(at(minutes))));
        assert_eq!(i64::from(record.sending_days), minutes - 1);
    }
}
