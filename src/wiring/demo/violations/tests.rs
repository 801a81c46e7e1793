//! A check that cannot fail is a defect: everything that must never be seen is told, and nothing else.

use super::*;
use crate::domain::cadence::Channel;
use crate::domain::ids::{InboundId, TouchId};
use crate::domain::touch::Status;

fn at(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
}

/// A mail of enrollment 1.
fn mail(to: i64, hour: i64) -> Mail {
    let touch = Touch {
        id: TouchId(1),
        enrollment: EnrollmentId(1),
        prospect: ProspectId(to),
        step: "mail".into(),
        attempt: 1,
        channel: Channel::Email,
        status: Status::Sent,
        at: at(hour),
        actor: "engine".to_owned(),
        mail: None,
        version: None,
        outcome: None,
    };
    Mail { at: at(hour), touch }
}

fn reply(from: i64, kind: &str, hour: i64) -> ReplyRecord {
    ReplyRecord {
        id: InboundId(1),
        prospect: Some(ProspectId(from)),
        enrollment: Some(EnrollmentId(1)),
        kind: kind.to_owned(),
        from: String::new(),
        subject: String::new(),
        text: String::new(),
        reason: String::new(),
        received_at: at(hour),
        latency: None,
        answers_step: None,
    }
}

fn entry(what: What, who: i64, hour: i64) -> Entry {
    let (enrollment, prospect) = (Some(EnrollmentId(1)), Some(ProspectId(who)));
    Entry { enrollment, prospect, ..Entry::new(at(hour), what) }
}

fn done(kind: &str, who: i64, hour: i64) -> Entry {
    entry(What::TaskDone, who, hour).with("kind", kind)
}

/// How many wrongs are seen in a mail to 1 at hour 10.
fn wrongs(replies: Vec<ReplyRecord>, entries: &[Entry]) -> usize {
    let mut record = Record { replies, ..Record::default() };
    entries.iter().for_each(|entry| record.add(entry));
    record.wrongs(&mail(1, 10)).len()
}

#[test]
fn a_mail_behind_a_reply_is_wrong_until_somebody_said_what_it_means() {
    assert_eq!(wrongs(vec![reply(1, "reply", 8)], &[]), 1);
    for kind in ANSWERED {
        assert_eq!(wrongs(vec![reply(1, "reply", 8)], &[done(kind, 1, 9)]), 0, "{kind}");
    }
    // Before the reply, behind the mail, or of a call.
    for entry in [done("reply", 1, 7), done("reply", 1, 11), done("call", 1, 9)] {
        assert_eq!(wrongs(vec![reply(1, "reply", 8)], &[entry]), 1);
    }
    assert_eq!(wrongs(vec![reply(1, "reply", 10)], &[]), 0);
    assert_eq!(wrongs(vec![reply(1, "auto_reply", 8)], &[]), 0);
}

#[test]
fn a_mail_behind_an_opt_out_or_a_complaint_is_wrong_whatever_was_said() {
    for kind in ["unsubscribe", "complaint"] {
        assert_eq!(wrongs(vec![reply(1, kind, 8)], &[done("triage", 1, 9)]), 1, "{kind}");
    }
}

#[test]
fn the_reply_of_one_holds_the_others_of_the_account() {
    let account = [entry(What::Joined, 1, 1), entry(What::Joined, 2, 1)];
    let with = |more: Entry| [&account[..], &[more]].concat();
    let replied = || vec![reply(2, "reply", 8)];
    assert_eq!(wrongs(replied(), &account), 1);
    assert_eq!(wrongs(replied(), &with(done("reply", 2, 9))), 0);
    assert_eq!(wrongs(replied(), &with(entry(What::Left, 2, 9))), 0);
    // Somebody who is not of it holds nobody.
    assert_eq!(wrongs(replied(), &[]), 0);
}

#[test]
fn whoever_is_out_of_an_account_gets_nothing_more() {
    assert_eq!(wrongs(Vec::new(), &[entry(What::Left, 1, 9)]), 1);
    assert_eq!(wrongs(Vec::new(), &[entry(What::Left, 2, 9), entry(What::Left, 1, 11)]), 0);
}
