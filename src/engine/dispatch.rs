//! The worker of a mailbox: the send protocol of engine.md, 3.5, one mail at a time.
//!
//! Sender and recipient accepted; then the intent, committed together with every check; only then the
//! first byte of content; then the result. Between intent and result nothing is ever sent again.

use jiff::{SignedDuration, Timestamp};

use super::letter::{NoLetter, Ready};
use super::{Engine, EngineError, Person};
use crate::domain::budget::Waiting;
use crate::domain::cadence::Channel;
use crate::domain::delivery::{Envelope, Failure, Verdict};
use crate::domain::enrollment::{self, Circumstances, Effect, Event, Phase};
use crate::domain::facts::Facts;
use crate::domain::ids::{EnrollmentId, MailboxId, StepId, TouchId};
use crate::domain::log::What as Happened;
use crate::domain::schedule;
use crate::domain::settings::Mailbox;
use crate::domain::touch::Status;
use crate::ports::{Changes, IdKind, Intent, Lane, MailboxWait, StoreError};

mod guards;
mod record;

pub(super) use guards::{blocking, lease_name};
use record::{refused, touch};

/// Rows that one round of a mailbox looks at.
const ROUND: u32 = 50;

/// Rounds before a worker looks up: nothing may hold it for ever.
const ROUNDS: u32 = 1_000;

/// Content must begin so soon after its intent, or it does not begin at all: an opt-out that comes
/// behind the intent is honoured but for this moment.
const CONTENT_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// A mailbox whose server is in trouble is left alone for so long.
const TROUBLE_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// How soon a worker looks again whether a hold was lifted.
const HOLD_LOOK: SignedDuration = SignedDuration::from_secs(60);

/// What came of one due enrollment.
enum Done {
    /// Something was sent, or tried so that the mailbox's gap begins.
    Sent,
    /// The enrollment moved on or waits by itself.
    Moved,
    /// The whole mailbox has to wait.
    LaneWaits(Timestamp),
}

/// What is about to leave.
struct Sending<'a> {
    mailbox: &'a Mailbox,
    step: StepId,
    attempt: u32,
    ready: Ready,
    touch: TouchId,
}

impl Engine {
    /// Works what is due in a mailbox, and says when to come back.
    ///
    /// # Errors
    /// The store failed; what was on its way is settled later by its record.
    pub async fn work_mailbox(&self, id: &MailboxId) -> Result<Option<Timestamp>, EngineError> {
        let Some(mailbox) = self.settings.mailboxes.get(id) else {
            return Ok(None);
        };
        let lane = Lane::Mailbox(id.clone());
        for _ in 0..ROUNDS {
            let now = self.now();
            if self.hold_back(&lane, now).await? {
                return Ok(Some(now + HOLD_LOOK));
            }
            if let Some(until) = self.mailbox_waits(mailbox, now).await? {
                return Ok(Some(until));
            }
            let due = self.store.due(&lane, now, ROUND).await?;
            if due.is_empty() {
                return Ok(self.store.next_wake(&lane).await?);
            }
            for enrollment in due {
                if self.is_stopping() {
                    return Ok(None);
                }
                match self.work_one(mailbox, enrollment).await? {
                    Done::Moved => {}
                    // Without a gap there is nothing that the next one would have to wait for.
                    Done::Sent if mailbox.gap.1.is_zero() => {}
                    Done::Sent => break,
                    Done::LaneWaits(until) => return Ok(Some(until)),
                }
            }
        }
        Ok(Some(self.now()))
    }

    /// Whether the mailbox has to wait, as far as can be seen without its server.
    async fn mailbox_waits(
        &self,
        mailbox: &Mailbox,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, EngineError> {
        let record = self.store.mailbox(&mailbox.id).await?;
        let waits = record.waits.map(|(until, _)| until);
        let until = waits.max(record.next_send_at).filter(|until| *until > now);
        if until.is_some() {
            return Ok(until);
        }
        let stale = mailbox.has_inbox && !self.is_fresh(record.inbox_read_at, now);
        Ok(stale.then(|| now + SignedDuration::from_secs(60)))
    }

    async fn work_one(&self, mailbox: &Mailbox, id: EnrollmentId) -> Result<Done, EngineError> {
        match self.try_one(mailbox, id).await {
            // Somebody replied, or a person of ours acted: the next round sees it.
            Err(EngineError::Store(StoreError::Stale(_))) => Ok(Done::Moved),
            other => other,
        }
    }

    async fn try_one(&self, mailbox: &Mailbox, id: EnrollmentId) -> Result<Done, EngineError> {
        let Some(person) = self.due_person(id).await? else {
            return Ok(Done::Moved);
        };
        let now = self.now();
        let Phase::Waiting { .. } = person.enrollment.state.phase else {
            return Ok(Done::Moved);
        };
        let circumstances = circumstances(&person);
        let event = Event::Due(circumstances);
        let (state, effects) = transition(&person, event, now)?;
        let send = effects.iter().find_map(|effect| match effect {
            Effect::SendMail { step, attempt } => Some((step.clone(), *attempt)),
            _ => None,
        });
        let Some((step, attempt)) = send else {
            let changes = self.changes(&person, state, &effects, now).await?;
            self.store.write(changes).await?;
            return Ok(Done::Moved);
        };
        if let Some(opens) = closed_until(&person, &step, now) {
            self.put_off(&person, opens.0, opens.1).await?;
            return Ok(Done::Moved);
        }
        if let Some(until) = self.rep_is_full_until(&person, now) {
            self.put_off(&person, until, Waiting::RepLimit).await?;
            return Ok(Done::Moved);
        }
        if self.waits_for_colleague(&person, now).await? {
            return Ok(Done::Moved);
        }
        match self.letter(&person, mailbox, &step, attempt, now).await? {
            Ok(ready) => {
                let touch = match ready.again {
                    Some(touch) => touch,
                    None => TouchId(self.id(IdKind::Touch).await?),
                };
                self.send(&person, Sending { mailbox, step, attempt, ready, touch }).await
            }
            Err(NoLetter::MissingField(_)) if person.is_reviewed(&step) => {
                self.review_again(&person, now).await
            }
            Err(why) => self.skip(&person, &why, now).await,
        }
    }

    /// What a person let go cannot be written any more: the same person is asked again.
    async fn review_again(&self, person: &Person, now: Timestamp) -> Result<Done, EngineError> {
        let (state, effects) = transition(person, Event::Unwritable, now)?;
        let changes = self.changes(person, state, &effects, now).await?;
        self.store.write(changes).await?;
        Ok(Done::Moved)
    }

    /// A mail that cannot be written is not sent; the cadence goes on without it, and says so.
    async fn skip(
        &self,
        person: &Person,
        why: &NoLetter,
        now: Timestamp,
    ) -> Result<Done, EngineError> {
        let facts = Facts::of(&person.prospect);
        let event = Event::Due(Circumstances { facts, closed: vec![Channel::Email] });
        let (state, effects) = transition(person, event, now)?;
        let mut changes = self.changes(person, state, &effects, now).await?;
        let reason = match why {
            NoLetter::MissingField(field) => format!("missing_field:{field}"),
            NoLetter::Unfit(reason) => reason.clone(),
        };
        if let Some(entry) = changes.log.iter_mut().find(|entry| entry.what == Happened::Skipped) {
            entry.details.insert("reason".to_owned(), reason);
        }
        self.store.write(changes).await?;
        Ok(Done::Moved)
    }

    async fn send(&self, person: &Person, sending: Sending<'_>) -> Result<Done, EngineError> {
        let envelope = Envelope {
            mailbox: sending.mailbox.id.clone(),
            from: sending.mailbox.from.clone(),
            to: sending.ready.to.clone(),
        };
        let offered = match self.mailer.offer(&envelope).await {
            Ok(offered) => offered,
            Err(failure) => return self.not_offered(person, &sending, &failure).await,
        };
        // The server may have taken its time: what follows is checked against the clock as it is now.
        let intended_at = self.now();
        if let Some(opens) = closed_until(person, &sending.step, intended_at) {
            offered.withdraw().await;
            self.put_off(person, opens.0, opens.1).await?;
            return Ok(Done::Moved);
        }
        let intent = match self.intend(person, &sending, intended_at).await {
            Ok(intent) => intent,
            Err(error) => {
                offered.withdraw().await;
                return Err(error);
            }
        };
        if intent != Intent::Committed {
            offered.withdraw().await;
            return self.not_intended(person, &sending, intent).await;
        }
        let result = if intended_at.duration_until(self.now()) > CONTENT_WITHIN {
            offered.withdraw().await;
            Err(too_late())
        } else {
            offered.content(&sending.ready.bytes).await
        };
        let (state, _) = transition(person, Event::Intended, intended_at)?;
        let mut on_its_way = person.clone();
        (on_its_way.enrollment.state, on_its_way.enrollment.revision) =
            (state, person.enrollment.revision + 1);
        self.settle(&on_its_way, &sending, result).await
    }

    /// Before any intent: certainly nothing was sent, and there is no touch to settle.
    async fn not_offered(
        &self,
        person: &Person,
        sending: &Sending<'_>,
        failure: &Failure,
    ) -> Result<Done, EngineError> {
        let now = self.now();
        match failure.verdict() {
            Verdict::MailboxTrouble | Verdict::InDoubt => {
                let until = now + TROUBLE_PAUSE;
                let reason = Waiting::MailboxDown;
                tracing::warn!(mailbox = %sending.mailbox.id, phase = failure.phase.as_str(),
                    detail = failure.detail, "the server does not take mail");
                self.let_wait(&sending.mailbox.id, until, reason).await?;
                Ok(Done::LaneWaits(until))
            }
            Verdict::TryLater => self.defer(person, sending, failure, None).await,
            Verdict::DeadAddress | Verdict::Refused => {
                let (state, effects) = transition(person, Event::Refused, now)?;
                let mut changes = self.changes(person, state, &effects, now).await?;
                changes.touches.push(touch(person, sending, Status::Refused, now));
                refused(person, sending, failure, &mut changes, now);
                self.store.write(changes).await?;
                self.check_breakers(&sending.mailbox.id).await?;
                Ok(Done::Moved)
            }
        }
    }

    async fn intend(
        &self,
        person: &Person,
        sending: &Sending<'_>,
        now: Timestamp,
    ) -> Result<Intent, EngineError> {
        let Some(lease) = self.lease(&lease_name(&sending.mailbox.id), now).await? else {
            return Ok(Intent::NotOurs);
        };
        let (state, _) = transition(person, Event::Intended, now)?;
        let mut changes = person.moved(state, now);
        changes.touches.push(touch(person, sending, Status::Intended, now));
        let mut intended = person.entry(now, Happened::Intended).with("step", &sending.step);
        intended.touch = Some(sending.touch);
        changes.log.push(intended);
        let guards = self.guards(person, sending, lease, now).await?;
        Ok(self.store.intend(changes, guards).await?)
    }

    async fn not_intended(
        &self,
        person: &Person,
        sending: &Sending<'_>,
        intent: Intent,
    ) -> Result<Done, EngineError> {
        match intent {
            Intent::Committed => Ok(Done::Sent),
            Intent::NotOurs => Ok(Done::LaneWaits(self.now() + self.lease_lasts)),
            Intent::Blocked => {
                let why = NoLetter::Unfit("suppressed".to_owned());
                self.skip(person, &why, self.now()).await
            }
            // Somebody held it just now: the next look holds back whom it covers.
            Intent::Wait { reason: Waiting::OnHold, .. } => Ok(Done::LaneWaits(self.now())),
            Intent::Wait { reason, until } if is_the_mailboxes(reason) => {
                if reason != Waiting::InboxStale {
                    self.let_wait(&sending.mailbox.id, until, reason).await?;
                }
                Ok(Done::LaneWaits(until))
            }
            Intent::Wait { reason, until } => {
                if reason == Waiting::RepLimit {
                    self.rep_is_full(person, until);
                }
                self.put_off(person, until, reason).await?;
                Ok(Done::Moved)
            }
        }
    }

    /// Moves only the time at which the enrollment is looked at again.
    pub(super) async fn put_off(
        &self,
        person: &Person,
        until: Timestamp,
        reason: Waiting,
    ) -> Result<(), EngineError> {
        let mut changes = person.moved(person.enrollment.state.clone(), self.now());
        for moved in &mut changes.moved {
            if let Some(wake) = &mut moved.wake {
                (wake.at, wake.waiting) = (until, reason);
            }
        }
        Ok(self.store.write(changes).await?)
    }

    async fn let_wait(
        &self,
        mailbox: &MailboxId,
        until: Timestamp,
        reason: Waiting,
    ) -> Result<(), EngineError> {
        let mailbox_waits = Some(MailboxWait { mailbox: mailbox.clone(), until, reason });
        Ok(self.store.write(Changes { mailbox_waits, ..Changes::default() }).await?)
    }
}

/// What a due step's conditions are tested against.
pub(super) fn circumstances(person: &Person) -> Circumstances {
    Circumstances { facts: Facts::of(&person.prospect), closed: person.closed.clone() }
}

/// The pure step, with the enrollment's own rules.
pub(super) fn transition(
    person: &Person,
    event: Event,
    now: Timestamp,
) -> Result<(enrollment::State, Vec<Effect>), EngineError> {
    let state = person.enrollment.state.clone();
    let stepped = person.course(|course| enrollment::step(course, state, event, now));
    stepped.map_err(|illegal| {
        EngineError::Refused(format!("enrollment {}: {illegal}", person.enrollment.id))
    })
}

/// When the mail of a step may leave, unless it may leave now.
fn closed_until(person: &Person, step: &StepId, now: Timestamp) -> Option<(Timestamp, Waiting)> {
    let step = person.version.cadence.step(step).map(|(_, step)| step);
    let next = schedule::open_for(&person.place(), step, now);
    (next.at > now).then_some((next.at, next.waiting))
}

fn is_the_mailboxes(reason: Waiting) -> bool {
    matches!(reason, Waiting::MailboxLimit | Waiting::MailboxDown | Waiting::InboxStale)
}

/// Our own refusal to begin: too much time has passed since the intent.
fn too_late() -> Failure {
    Failure {
        phase: crate::domain::delivery::Phase::Data,
        answer: None,
        detail: "too much time passed between the intent and the content".to_owned(),
    }
}
