//! Rows as they lie in the tables, and what they mean. Every conversion can fail, and says where.

use sqlx::any::AnyRow;

use super::get;
use super::json;
use crate::domain::budget::{Metered, Waiting};
use crate::domain::cadence::{Channel, Outcome};
use crate::domain::enrollment::TaskKind;
use crate::domain::ids::{
    CadenceId, CompanyId, EnrollmentId, InboundId, ListId, MailboxId, ProfileId, ProspectId, RepId,
    StepId, TaskId, TouchId,
};
use crate::domain::log::{Entry, What};
use crate::domain::prospect::{Prospect, Relationship};
use crate::domain::suppression::{Cause, Subject, Suppression};
use crate::domain::touch::{Milestone, SentMail, Status, Touch};
use crate::ports::{
    AppliedRecord, EnrollmentRecord, Lane, ListRecord, MailboxRecord, MilestoneRecord,
    ProfileRecord, ReplyRecord, StoreError, TaskRecord, VersionRecord, Wake,
};

/// The value that belongs to a word, or an error that names both.
fn known<T: Copy>(
    what: &'static str,
    all: &[(&'static str, T)],
    word: &str,
) -> Result<T, StoreError> {
    let found = all.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
    found.ok_or_else(|| StoreError::Unknown { what, value: word.to_owned() })
}

fn unreadable(what: &'static str) -> impl Fn(String) -> StoreError {
    move |value| StoreError::Unknown { what, value }
}

const CHANNELS: [(&str, Channel); 4] = [
    ("email", Channel::Email),
    ("call", Channel::Call),
    ("social", Channel::Social),
    ("task", Channel::Task),
];

const RELATIONSHIPS: [(&str, Relationship); 2] =
    [("prospect", Relationship::Prospect), ("customer", Relationship::Customer)];

pub(super) fn relationship_word(relationship: Relationship) -> &'static str {
    match relationship {
        Relationship::Prospect => "prospect",
        Relationship::Customer => "customer",
    }
}

pub(super) fn task_kind_word(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Touch(channel) => channel.as_str(),
        TaskKind::Review => "review",
        TaskKind::Triage => "triage",
        TaskKind::Reply => "reply",
        TaskKind::HandOff => "hand_off",
        TaskKind::HandedBack => "handed_back",
    }
}

fn task_kind(word: &str) -> Result<TaskKind, StoreError> {
    match word {
        "review" => Ok(TaskKind::Review),
        "triage" => Ok(TaskKind::Triage),
        "reply" => Ok(TaskKind::Reply),
        "hand_off" => Ok(TaskKind::HandOff),
        "handed_back" => Ok(TaskKind::HandedBack),
        word => known("a task kind", &CHANNELS, word).map(TaskKind::Touch),
    }
}

pub(super) fn lane_text(lane: &Lane) -> String {
    match lane {
        Lane::Mailbox(id) => format!("mail:{id}"),
        Lane::Desk => "desk".to_owned(),
    }
}

fn lane(text: &str) -> Result<Lane, StoreError> {
    match text.split_once(':') {
        Some(("mail", id)) => Ok(Lane::Mailbox(MailboxId::from(id))),
        None if text == "desk" => Ok(Lane::Desk),
        _ => Err(StoreError::Unknown { what: "a lane", value: text.to_owned() }),
    }
}

pub(super) fn version(row: &AnyRow) -> Result<VersionRecord, StoreError> {
    let files: String = get(row, "files")?;
    Ok(VersionRecord {
        cadence: CadenceId(get(row, "cadence_id")?),
        digest: get(row, "digest")?,
        files: json::from_text(&files).map_err(unreadable("a cadence version"))?,
        applied_at: json::timestamp(get(row, "applied_at")?),
    })
}

pub(super) fn applied(row: &AnyRow) -> Result<AppliedRecord, StoreError> {
    Ok(AppliedRecord {
        cadence: CadenceId(get(row, "cadence_id")?),
        digest: get(row, "digest")?,
        at: json::timestamp(get(row, "applied_at")?),
        by: get(row, "applied_by")?,
    })
}

pub(super) fn profile(row: &AnyRow) -> Result<ProfileRecord, StoreError> {
    Ok(ProfileRecord {
        profile: ProfileId(get(row, "profile_id")?),
        digest: get(row, "digest")?,
        path: get(row, "path")?,
        text: get(row, "body")?,
        applied_at: json::timestamp(get(row, "applied_at")?),
    })
}

pub(super) fn prospect(row: &AnyRow) -> Result<Prospect, StoreError> {
    let relationship: String = get(row, "relationship")?;
    let text: String = get(row, "known")?;
    Ok(Prospect {
        id: ProspectId(get(row, "id")?),
        company_id: get::<Option<i64>>(row, "company_id")?.map(CompanyId),
        owner: RepId(get(row, "owner")?),
        relationship: known("a relationship", &RELATIONSHIPS, &relationship)?,
        known: json::known_from_text(&text).map_err(unreadable("a prospect"))?,
    })
}

pub(super) fn relationship(word: &str) -> Result<Relationship, StoreError> {
    known("a relationship", &RELATIONSHIPS, word)
}

pub(super) fn list(row: &AnyRow) -> Result<ListRecord, StoreError> {
    Ok(ListRecord {
        id: ListId(get(row, "id")?),
        name: get(row, "name")?,
        digest: get(row, "digest")?,
        rows: u64::try_from(get::<i64>(row, "row_count")?).unwrap_or(0),
        imported_at: json::timestamp(get(row, "imported_at")?),
        report: get(row, "report")?,
    })
}

pub(super) fn suppression(row: &AnyRow) -> Result<Suppression, StoreError> {
    let (kind, value): (String, String) = (get(row, "kind")?, get(row, "value")?);
    let cause: String = get(row, "cause")?;
    let subject = Subject::parse(&kind, &value);
    Ok(Suppression {
        subject: subject.ok_or(StoreError::Unknown { what: "a suppression", value: kind })?,
        cause: known("a cause", &Cause::ALL, &cause)?,
        source: get(row, "source")?,
        at: json::timestamp(get(row, "at")?),
    })
}

pub(super) fn enrollment(row: &AnyRow) -> Result<EnrollmentRecord, StoreError> {
    let state: String = get(row, "state")?;
    let profile_id: Option<String> = get(row, "profile_id")?;
    let profile_digest: Option<String> = get(row, "profile_digest")?;
    Ok(EnrollmentRecord {
        id: EnrollmentId(get(row, "id")?),
        prospect: ProspectId(get(row, "prospect_id")?),
        company: get::<Option<i64>>(row, "company_id")?.map(CompanyId),
        cadence: CadenceId(get(row, "cadence_id")?),
        digest: get(row, "digest")?,
        profile: profile_id.map(ProfileId).zip(profile_digest),
        score: get(row, "score")?,
        owner: RepId(get(row, "owner")?),
        mailbox: get::<Option<String>>(row, "mailbox_id")?.map(MailboxId),
        state: json::state_from_text(&state).map_err(unreadable("an enrollment's state"))?,
        revision: get(row, "revision")?,
        wake: wake(row)?,
        enrolled_at: json::timestamp(get(row, "enrolled_at")?),
    })
}

fn wake(row: &AnyRow) -> Result<Option<Wake>, StoreError> {
    let Some(text) = get::<Option<String>>(row, "lane")? else {
        return Ok(None);
    };
    let waiting: String = get(row, "waiting")?;
    Ok(Some(Wake {
        lane: lane(&text)?,
        at: json::timestamp(get(row, "wake_at")?),
        waiting: known("a reason for waiting", &Waiting::ALL, &waiting)?,
    }))
}

pub(super) fn waiting(word: &str) -> Result<Waiting, StoreError> {
    known("a reason for waiting", &Waiting::ALL, word)
}

pub(super) fn touch(row: &AnyRow) -> Result<Touch, StoreError> {
    let (channel, status): (String, String) = (get(row, "channel")?, get(row, "status")?);
    Ok(Touch {
        id: TouchId(get(row, "id")?),
        enrollment: EnrollmentId(get(row, "enrollment_id")?),
        prospect: ProspectId(get(row, "prospect_id")?),
        step: StepId(get(row, "step_id")?),
        attempt: u32::try_from(get::<i64>(row, "attempt")?).unwrap_or(1),
        channel: known("a channel", &CHANNELS, &channel)?,
        status: known("a touch's status", &Status::ALL, &status)?,
        at: json::timestamp(get(row, "at")?),
        actor: get(row, "actor")?,
        mail: sent_mail(row)?,
        version: get(row, "version")?,
        outcome: get::<Option<String>>(row, "outcome")?.map(Outcome),
    })
}

fn sent_mail(row: &AnyRow) -> Result<Option<SentMail>, StoreError> {
    let Some(message_id) = get::<Option<String>>(row, "message_id")? else {
        return Ok(None);
    };
    Ok(Some(SentMail {
        mailbox: MailboxId(get(row, "mailbox_id")?),
        message_id,
        subject: get(row, "subject")?,
        begins_thread: get::<i64>(row, "begins_thread")? == 1,
        template: get(row, "template")?,
    }))
}

pub(super) fn mailbox(row: &AnyRow) -> Result<MailboxRecord, StoreError> {
    let waits_until: Option<i64> = get(row, "waits_until")?;
    let waits_for: Option<String> = get(row, "waits_for")?;
    let waits = match waits_until.zip(waits_for) {
        Some((until, reason)) => Some((json::timestamp(until), waiting(&reason)?)),
        None => None,
    };
    Ok(MailboxRecord {
        cursor: get(row, "cursor")?,
        inbox_read_at: get::<Option<i64>>(row, "inbox_read_at")?.map(json::timestamp),
        waits,
        next_send_at: get::<Option<i64>>(row, "next_send_at")?.map(json::timestamp),
        sending_days: u32::try_from(get::<i64>(row, "sending_days")?).unwrap_or(0),
        last_sending_day: get(row, "last_sending_day")?,
        resumed_days: get::<Option<i64>>(row, "resumed_days")?.and_then(|n| u32::try_from(n).ok()),
    })
}

pub(super) fn reply(row: &AnyRow) -> Result<ReplyRecord, StoreError> {
    let latency_ms: Option<i64> = get(row, "latency_ms")?;
    Ok(ReplyRecord {
        id: InboundId(get(row, "id")?),
        prospect: get::<Option<i64>>(row, "prospect_id")?.map(ProspectId),
        enrollment: get::<Option<i64>>(row, "enrollment_id")?.map(EnrollmentId),
        kind: get(row, "kind")?,
        from: get(row, "from_address")?,
        subject: get(row, "subject")?,
        text: get(row, "new_text")?,
        reason: get(row, "reason")?,
        received_at: json::timestamp(get(row, "received_at")?),
        latency: latency_ms.map(jiff::SignedDuration::from_millis),
        answers_step: get::<Option<String>>(row, "step_id")?.map(StepId),
    })
}

pub(super) fn task(row: &AnyRow) -> Result<TaskRecord, StoreError> {
    let kind: String = get(row, "kind")?;
    Ok(TaskRecord {
        id: TaskId(get(row, "id")?),
        enrollment: EnrollmentId(get(row, "enrollment_id")?),
        prospect: ProspectId(get(row, "prospect_id")?),
        rep: RepId(get(row, "rep")?),
        kind: task_kind(&kind)?,
        step: StepId(get(row, "step_id")?),
        attempt: u32::try_from(get::<i64>(row, "attempt")?).unwrap_or(1),
        title: get(row, "title")?,
        text: get(row, "body")?,
        version: get(row, "version")?,
        priority: u8::try_from(get::<i64>(row, "priority")?).unwrap_or(u8::MAX),
        opened_at: json::timestamp(get(row, "opened_at")?),
        expires_at: json::timestamp(get(row, "expires_at")?),
        target_at: get::<Option<i64>>(row, "target_at")?.map(json::timestamp),
        wakes_at: get::<Option<i64>>(row, "wakes_at")?.map(json::timestamp),
        promised: get::<i64>(row, "promised")? == 1,
        covers: get::<Option<String>>(row, "covers")?.map(RepId),
        metered: match get::<Option<String>>(row, "metered")? {
            Some(word) => Some(known("what a network counts", &Metered::ALL, &word)?),
            None => None,
        },
        open: get::<Option<i64>>(row, "closed_at")?.is_none(),
    })
}

pub(super) fn milestone(row: &AnyRow) -> Result<MilestoneRecord, StoreError> {
    let word: String = get(row, "milestone")?;
    Ok(MilestoneRecord {
        enrollment: EnrollmentId(get(row, "enrollment_id")?),
        prospect: ProspectId(get(row, "prospect_id")?),
        milestone: known("a milestone", &Milestone::ALL, &word)?,
        touch: TouchId(get(row, "touch_id")?),
        at: json::timestamp(get(row, "at")?),
    })
}

pub(super) fn entry(row: &AnyRow) -> Result<Entry, StoreError> {
    let (what, details): (String, String) = (get(row, "what")?, get(row, "details")?);
    let unknown = || StoreError::Unknown { what: "a log entry", value: what.clone() };
    Ok(Entry {
        at: json::timestamp(get(row, "at")?),
        what: What::parse(&what).ok_or_else(unknown)?,
        prospect: get::<Option<i64>>(row, "prospect_id")?.map(ProspectId),
        enrollment: get::<Option<i64>>(row, "enrollment_id")?.map(EnrollmentId),
        touch: get::<Option<i64>>(row, "touch_id")?.map(TouchId),
        actor: get(row, "actor")?,
        details: json::from_text(&details).map_err(unreadable("a log entry"))?,
    })
}
