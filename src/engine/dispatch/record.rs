//! What a server's answer leaves on record.

use jiff::{SignedDuration, Timestamp};

use super::{Done, Sending, transition};
use crate::domain::budget::Waiting;
use crate::domain::cadence::Channel;
use crate::domain::delivery::{Failure, Verdict};
use crate::domain::enrollment::Event;
use crate::domain::ids::{EnrollmentId, TouchId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::suppression::{Cause, Subject, Suppression};
use crate::domain::touch::{Milestone, Status, Touch};
use crate::engine::{Engine, EngineError, Person};
use crate::ports::{Changes, MilestoneRecord};

/// When a server asks to try later (mail.md, 1.4): these waits, then the step counts as refused.
const TRY_LATER: [i64; 6] = [15, 60, 240, 720, 720, 720];

/// How a transition that lost a race is tried again.
const RACES: usize = 5;

impl Engine {
    /// Records what the server said. Definite knowledge is tried to be written several times; if the
    /// store is gone, the record stays "intended", and becomes "in doubt" by itself. The first try
    /// takes the person as the intent left them: hardly anybody else moves what is on its way.
    pub(super) async fn settle(
        &self,
        on_its_way: &Person,
        sending: &Sending<'_>,
        result: Result<String, Failure>,
    ) -> Result<Done, EngineError> {
        let mut outcome = self.record(on_its_way, sending, &result).await;
        for _ in 0..RACES {
            if !matches!(&outcome, Err(EngineError::Store(_))) {
                break;
            }
            let id = on_its_way.enrollment.id;
            let Some(current) = self.member(id, on_its_way.prospect.id).await? else {
                return Ok(Done::Moved);
            };
            // A write that failed for us may have been committed all the same: then the person has
            // moved on, and the same result would fall on the next step.
            if !self.is_open(sending.touch, id).await? {
                return Ok(Done::Sent);
            }
            outcome = self.record(&current, sending, &result).await;
        }
        outcome
    }

    /// Whether the result of a touch is not on record yet.
    async fn is_open(&self, touch: TouchId, enrollment: EnrollmentId) -> Result<bool, EngineError> {
        let touches = self.store.touches_of(enrollment).await?;
        let open = |status| matches!(status, Status::Intended | Status::InDoubt);
        Ok(touches.iter().any(|known| known.id == touch && open(known.status)))
    }

    async fn record(
        &self,
        person: &Person,
        sending: &Sending<'_>,
        result: &Result<String, Failure>,
    ) -> Result<Done, EngineError> {
        let now = self.now();
        match result {
            Ok(_) => {
                let (state, effects) = transition(person, Event::Sent, now)?;
                let mut changes = self.changes(person, state, &effects, now).await?;
                changes.settled.push((sending.touch, Status::Sent));
                changes.milestones.push(first_attempt(person, sending.touch, now));
                changes.log.insert(0, mail_entry(person, sending, Happened::Sent, now));
                self.store.write(changes).await?;
                Ok(Done::Sent)
            }
            Err(failure) => self.record_failure(person, sending, failure, now).await,
        }
    }

    async fn record_failure(
        &self,
        person: &Person,
        sending: &Sending<'_>,
        failure: &Failure,
        now: Timestamp,
    ) -> Result<Done, EngineError> {
        match failure.verdict() {
            Verdict::TryLater | Verdict::MailboxTrouble => {
                self.defer(person, sending, failure, Some(sending.touch)).await
            }
            Verdict::DeadAddress | Verdict::Refused => {
                let (state, effects) = transition(person, Event::Refused, now)?;
                let mut changes = self.changes(person, state, &effects, now).await?;
                changes.settled.push((sending.touch, Status::Refused));
                refused(person, sending, failure, &mut changes, now);
                self.store.write(changes).await?;
                self.check_breakers(&sending.mailbox.id).await?;
                Ok(Done::Sent)
            }
            Verdict::InDoubt => {
                let (state, effects) = transition(person, Event::Lost, now)?;
                let mut changes = self.changes(person, state, &effects, now).await?;
                changes.settled.push((sending.touch, Status::InDoubt));
                changes.milestones.push(first_attempt(person, sending.touch, now));
                changes.log.push(mail_entry(person, sending, Happened::InDoubt, now));
                self.store.write(changes).await?;
                Ok(Done::Sent)
            }
        }
    }

    /// Certainly not sent: again later, with the same Message-ID, until the patience is over.
    pub(super) async fn defer(
        &self,
        person: &Person,
        sending: &Sending<'_>,
        failure: &Failure,
        intended: Option<TouchId>,
    ) -> Result<Done, EngineError> {
        let now = self.now();
        let tries = usize::try_from(person.enrollment.state.tries).unwrap_or(usize::MAX);
        let wait = TRY_LATER.get(tries).map(|minutes| SignedDuration::from_mins(*minutes));
        let event = match wait {
            Some(wait) => Event::Deferred { until: now + wait },
            None => Event::Refused,
        };
        let status = if wait.is_some() { Status::Retryable } else { Status::Refused };
        let (state, effects) = transition(person, event, now)?;
        let mut changes = self.changes(person, state, &effects, now).await?;
        if let Some(moved) = changes.moved.first_mut().and_then(|moved| moved.wake.as_mut())
            && wait.is_some()
        {
            moved.waiting = Waiting::TryLater;
        }
        match intended {
            Some(touch) => changes.settled.push((touch, status)),
            None if wait.is_none() => {
                changes.touches.push(touch(person, sending, Status::Refused, now));
            }
            None => {}
        }
        let what = if wait.is_some() { Happened::Deferred } else { Happened::Refused };
        changes.log.push(with_failure(mail_entry(person, sending, what, now), failure));
        self.store.write(changes).await?;
        Ok(if intended.is_some() { Done::Sent } else { Done::Moved })
    }
}

pub(super) fn touch(
    person: &Person,
    sending: &Sending<'_>,
    status: Status,
    at: Timestamp,
) -> Touch {
    Touch {
        id: sending.touch,
        enrollment: person.enrollment.id,
        prospect: person.prospect.id,
        step: sending.step.clone(),
        attempt: sending.attempt,
        channel: Channel::Email,
        status,
        at,
        actor: "engine".to_owned(),
        mail: Some(sending.ready.mail.clone()),
        version: Some(person.enrollment.digest.clone()),
        outcome: None,
    }
}

fn mail_entry(person: &Person, sending: &Sending<'_>, what: Happened, now: Timestamp) -> Entry {
    let mut entry = person.entry(now, what).with("step", &sending.step).with("channel", "email");
    entry =
        entry.with("mailbox", &sending.mailbox.id).with("template", &sending.ready.mail.template);
    if let Some(share) = sending.ready.share.as_str() {
        entry = entry.with("split", share);
    }
    entry.touch = Some(sending.touch);
    entry
}

fn with_failure(entry: Entry, failure: &Failure) -> Entry {
    let code = failure.answer.as_ref().map_or(0, |answer| answer.code);
    entry.with("code", code).with("phase", failure.phase.as_str())
}

/// A refusal for good: on record as a first attempt; a dead address is closed for everybody.
pub(super) fn refused(
    person: &Person,
    sending: &Sending<'_>,
    failure: &Failure,
    changes: &mut Changes,
    now: Timestamp,
) {
    changes.milestones.push(first_attempt(person, sending.touch, now));
    let dead = failure.verdict() == Verdict::DeadAddress;
    let what = if dead { Happened::Bounced } else { Happened::Refused };
    changes.log.insert(0, with_failure(mail_entry(person, sending, what, now), failure));
    if dead {
        changes.came_back.push((sending.touch, now));
        changes.suppressions.push(Suppression {
            subject: Subject::email(&sending.ready.to),
            cause: Cause::HardBounce,
            source: "smtp".to_owned(),
            at: now,
        });
    }
}

fn first_attempt(person: &Person, touch: TouchId, at: Timestamp) -> MilestoneRecord {
    let (enrollment, prospect) = (person.enrollment.id, person.prospect.id);
    MilestoneRecord { enrollment, prospect, milestone: Milestone::Attempt, touch, at }
}
