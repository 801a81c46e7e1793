//! Rules broken on purpose, outside the engine: each must make some seed fail.

use firsttouch::domain::enrollment::Phase;
use firsttouch::domain::ids::StepId;
use firsttouch::domain::log::What;
use firsttouch::domain::reply::Kind;
use firsttouch::domain::touch::Status;
use firsttouch::ports::{Changes, Guards, Lane, Wake};
use jiff::{SignedDuration, Timestamp};

use super::world::Mutation;

/// Every mutation with the promise that must be seen to break.
pub const ALL: [(Mutation, &str); 15] = [
    (Mutation::ForgetBlocks, "promise 3"),
    (Mutation::ForgetCaps, "promise 4"),
    (Mutation::ForgetFreshness, "promise 2"),
    (Mutation::CommitRefused, "promise"),
    (Mutation::RetryDoubt, "promise 1"),
    (Mutation::SendTwice, "promise 1"),
    (Mutation::ForgetReplies, "promise 3"),
    (Mutation::ForgetZones, "promise 5"),
    (Mutation::BeginAgain, "promise 7"),
    (Mutation::NeverEnd, "promise 9"),
    (Mutation::LoseInbound, "was never taken in"),
    (Mutation::CallRefusedSent, "counts as sent"),
    (Mutation::LoseSuccessor, "were switched"),
    (Mutation::ForgetWhoLeft, "out of the account"),
    (Mutation::ForgetTheOthers, "of the same account waits"),
];

pub fn guards(mutation: Mutation, mut guards: Guards) -> Guards {
    match mutation {
        Mutation::ForgetBlocks => guards.subjects.clear(),
        Mutation::ForgetCaps => guards.caps.clear(),
        Mutation::ForgetFreshness => {
            if let Some(mailbox) = &mut guards.mailbox {
                mailbox.inbox_fresh_for = None;
            }
        }
        _ => {}
    }
    guards
}

pub fn change(mutation: Mutation, mut changes: Changes, now: Timestamp) -> Changes {
    match mutation {
        Mutation::RetryDoubt => retry_doubt(&mut changes, now),
        Mutation::ForgetReplies => {
            let is_reply = |kind: &Kind| matches!(kind, Kind::Reply | Kind::Unsubscribe);
            if changes.inbound.iter().any(|inbound| is_reply(&inbound.message.kind)) {
                changes.moved.clear();
                changes.close_tasks.clear();
            }
        }
        Mutation::ForgetWhoLeft => forget_who_left(&mut changes),
        Mutation::ForgetTheOthers => {
            let is_reply = |kind: &Kind| matches!(kind, Kind::Reply);
            if changes.inbound.iter().any(|inbound| is_reply(&inbound.message.kind)) {
                changes.moved.retain(|moved| moved.state.account.is_none());
                changes.tasks.clear();
                changes.close_tasks.clear();
            }
        }
        Mutation::BeginAgain => begin_again(&mut changes, now),
        Mutation::NeverEnd => never_end(&mut changes, now),
        Mutation::LoseSuccessor => lose_successors(&mut changes),
        Mutation::LoseInbound => changes.inbound.clear(),
        Mutation::CallRefusedSent => {
            for (_, status) in &mut changes.settled {
                if *status == Status::Refused {
                    *status = Status::Sent;
                }
            }
        }
        _ => {}
    }
    changes
}

fn retry_doubt(changes: &mut Changes, now: Timestamp) {
    for (_, status) in &mut changes.settled {
        if *status == Status::InDoubt {
            *status = Status::Retryable;
        }
    }
    for moved in &mut changes.moved {
        let Phase::InDoubt { step, attempt, .. } = &moved.state.phase else { continue };
        let due_at = now + SignedDuration::from_mins(1);
        moved.state.phase = Phase::Waiting { step: step.clone(), attempt: *attempt, due_at };
        moved.wake = moved.wake.take().map(|wake| Wake {
            lane: Lane::Mailbox("ann".into()),
            at: due_at,
            ..wake
        });
    }
}

fn begin_again(changes: &mut Changes, now: Timestamp) {
    for moved in &mut changes.moved {
        if moved.state.passed.len() != 4 {
            continue;
        }
        if let Phase::Waiting { .. } = &moved.state.phase {
            let step = StepId::from("view");
            moved.state.phase = Phase::Waiting { step, attempt: 1, due_at: now };
            moved.wake = moved.wake.take().map(|wake| Wake { lane: Lane::Desk, at: now, ..wake });
        }
    }
}

/// Everybody of an account stays in it.
fn forget_who_left(changes: &mut Changes) {
    for moved in &mut changes.moved {
        for member in moved.state.account.iter_mut().flat_map(|account| &mut account.members) {
            member.left = None;
        }
    }
}

/// Nobody goes on in the second cadence.
fn lose_successors(changes: &mut Changes) {
    changes.enrolled.retain(|record| record.cadence.as_str() != "nurture");
}

fn never_end(changes: &mut Changes, now: Timestamp) {
    lose_successors(changes);
    changes.log.retain(|entry| entry.what != What::NotEnrolled);
    for moved in &mut changes.moved {
        if let Phase::Ended { .. } = &moved.state.phase {
            let until = now + SignedDuration::from_hours(24);
            moved.state.phase = Phase::Closing { until };
            let waiting = firsttouch::domain::budget::Waiting::NotDue;
            moved.wake = Some(Wake { lane: Lane::Desk, at: until, waiting });
        }
    }
}
