//! Small worlds to test with: people, enrollments, touches, all numbered alike.

use firsttouch::domain::budget::{Cap, Waiting};
use firsttouch::domain::cadence::{Channel, Outcome};
use firsttouch::domain::enrollment::{Ending, Passed, Phase, State};
use firsttouch::domain::ids::{
    CadenceId, CompanyId, EnrollmentId, MailboxId, ProspectId, RepId, StepId, TouchId,
};
use firsttouch::domain::log::{Entry, What};
use firsttouch::domain::prospect::{Prospect, ProspectDraft, Relationship};
use firsttouch::domain::touch::{SentMail, Status, Touch};
use firsttouch::ports::{
    Changes, CompanyRecord, EnrollmentMove, EnrollmentRecord, Guards, Lane, LeaseRequest, Store,
    VersionRecord, Wake,
};
use jiff::{SignedDuration, Timestamp};

/// So many minutes behind an hour that begins a day.
pub fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 20_000) + mins(minutes)
}

pub fn mins(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

pub fn ann() -> Lane {
    Lane::Mailbox(MailboxId::from("ann"))
}

pub fn version(digest: &str) -> VersionRecord {
    let files = [("cadences/c.yaml".to_owned(), format!("id: c # {digest}"))].into();
    let (cadence, digest) = (CadenceId::from("c"), digest.to_owned());
    VersionRecord { cadence, digest, files, applied_at: at(0) }
}

pub fn prospect(id: i64) -> Prospect {
    let first_name = Some(format!("P{id}"));
    Prospect {
        id: ProspectId(id),
        company_id: Some(CompanyId(1)),
        owner: RepId::from("rep"),
        relationship: Relationship::Prospect,
        known: ProspectDraft { first_name, ..ProspectDraft::default() },
    }
}

pub fn waiting(step: &str, due_at: Timestamp, passed: Vec<Passed>) -> State {
    let phase = Phase::Waiting { step: StepId::from(step), attempt: 1, due_at };
    State {
        phase,
        day: 1,
        anchor_at: at(0),
        not_before: None,
        tries: 0,
        began_at: Some(at(0)),
        happened: Default::default(),
        reply_waits: false,
        released: None,
        inward: [].into(),
        account: None,
        passed,
    }
}

pub fn sent(step: &str) -> Passed {
    Passed { step: StepId::from(step), attempt: 1, outcome: Outcome::from("sent"), at: at(0) }
}

pub fn ended(ending: Ending) -> State {
    State { phase: Phase::Ended { ending, at: at(9) }, ..waiting("one", at(0), Vec::new()) }
}

pub fn wake(lane: Lane, at: Timestamp) -> Option<Wake> {
    Some(Wake { lane, at, waiting: Waiting::NotDue })
}

/// A new person in cadence `c`, due at once in ann's lane.
pub fn enrollment(id: i64) -> EnrollmentRecord {
    EnrollmentRecord {
        id: EnrollmentId(id),
        prospect: ProspectId(id),
        company: Some(CompanyId(1)),
        cadence: CadenceId::from("c"),
        digest: "d1".to_owned(),
        profile: None,
        score: 0,
        owner: RepId::from("rep"),
        mailbox: Some(MailboxId::from("ann")),
        state: waiting("one", at(0), Vec::new()),
        revision: 1,
        wake: wake(ann(), at(0)),
        enrolled_at: at(0),
    }
}

pub fn moved(id: i64, revision: i64, state: State, wake: Option<Wake>) -> EnrollmentMove {
    let (id, at) = (EnrollmentId(id), at(revision));
    let (digest, mailbox, prospect, owner) = (None, None, None, None);
    EnrollmentMove { id, revision, at, state, wake, digest, mailbox, prospect, owner }
}

/// A mail to the person of the enrollment's number.
pub fn touch(id: i64, enrollment: i64, step: &str, status: Status) -> Touch {
    Touch {
        id: TouchId(id),
        enrollment: EnrollmentId(enrollment),
        prospect: ProspectId(enrollment),
        step: StepId::from(step),
        attempt: 1,
        channel: Channel::Email,
        status,
        at: at(0),
        actor: "engine".to_owned(),
        mail: Some(SentMail {
            mailbox: MailboxId::from("ann"),
            message_id: format!("m{id}@out.example"),
            subject: "Hello".to_owned(),
            begins_thread: true,
            template: "intro".to_owned(),
        }),
        version: Some("d1".to_owned()),
        outcome: None,
    }
}

pub fn note(minutes: i64, person: i64) -> Entry {
    let prospect = Some(ProspectId(person));
    Entry { prospect, ..Entry::new(at(minutes), What::Noticed) }.with("n", minutes)
}

/// Writes version `d1`, company 1, and so many people without enrollments.
pub async fn write_people(store: &dyn Store, n: i64) {
    let company =
        CompanyRecord { id: CompanyId(1), key: "domain:acme.test".into(), name: "Acme".into() };
    let changes = Changes {
        versions: vec![version("d1")],
        companies: vec![company],
        prospects: (1..=n).map(|id| (prospect(id), Vec::new())).collect(),
        ..Changes::default()
    };
    store.write(changes).await.expect("people are written");
}

/// The same, everybody enrolled.
pub async fn write_enrolled(store: &dyn Store, n: i64) {
    write_people(store, n).await;
    let changes = Changes { enrolled: (1..=n).map(enrollment).collect(), ..Changes::default() };
    store.write(changes).await.expect("enrollments are written");
}

pub fn no_guards(now: Timestamp) -> Guards {
    Guards { now, ..Guards::default() }
}

pub fn cap(scope: &str, limit: u32, reason: Waiting) -> Cap {
    Cap { scope: scope.to_owned(), reason, limit, window: SignedDuration::from_hours(24) }
}

pub fn lease(holder: &str, now: i64, until: i64) -> LeaseRequest {
    let (name, holder) = ("mailbox:ann".to_owned(), holder.to_owned());
    LeaseRequest { name, holder, now: at(now), until: at(until) }
}
