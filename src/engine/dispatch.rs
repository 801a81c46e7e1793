//! The worker of a mailbox: the send protocol of engine.md, 3.5, one mail at a time.
//!
//! Sender and recipient accepted; then the intent, committed together with every check; only then the
//! first byte of content; then the result. Between intent and result nothing is ever sent again.

use jiff::{SignedDuration, Timestamp};

use super::letter::{NoLetter, Ready};
use super::{Engine, EngineError, Person, lock};
use crate::domain::address::is_free_mail;
use crate::domain::budget::{Cap, Waiting, gap};
use crate::domain::cadence::Channel;
use crate::domain::delivery::{Envelope, Failure, Verdict};
use crate::domain::enrollment::{self, Circumstances, Effect, Event, Phase};
use crate::domain::facts::Facts;
use crate::domain::ids::{EnrollmentId, MailboxId, StepId, TouchId};
use crate::domain::log::What as Happened;
use crate::domain::schedule;
use crate::domain::settings::Mailbox;
use crate::domain::suppression::{Cause, Subject, Suppression};
use crate::domain::touch::{Milestone, Status, Touch};
use crate::ports::{
    Changes, Guards, IdKind, Intent, Lane, LeaseRequest, MailboxGuard, MailboxWait,
    MilestoneRecord, StoreError,
};

/// Rows that one round of a mailbox looks at.
const ROUND: u32 = 50;

/// Rounds before a worker looks up: nothing may hold it for ever.
const ROUNDS: u32 = 1_000;

/// A lease lasts so long and is renewed at half of it.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Content must begin so soon after its intent, or it does not begin at all: an opt-out that comes
/// behind the intent is honoured but for this moment.
const CONTENT_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// A mailbox whose server is in trouble is left alone for so long.
const TROUBLE_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// When a server asks to try later (mail.md, 1.4): these waits, then the step counts as refused.
const TRY_LATER: [i64; 6] = [15, 60, 240, 720, 720, 720];

/// How a transition that lost a race is tried again.
const RACES: usize = 5;

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
        let fresh = record
            .inbox_read_at
            .is_some_and(|at| at <= now && at.duration_until(now) <= self.settings.reply_freshness);
        let stale = mailbox.has_inbox && !fresh;
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
        let Some(person) = self.person(id).await? else {
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
        if let Some(opens) = closed_until(&person, now) {
            self.put_off(&person, opens.0, opens.1).await?;
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
            Err(why) => self.skip(&person, &why, now).await,
        }
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
        if let Some(opens) = closed_until(person, intended_at) {
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
        self.settle(person, &sending, result).await
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
        let Some(lease) = self.lease(&sending.mailbox.id, now).await? else {
            return Ok(Intent::NotOurs);
        };
        let (state, _) = transition(person, Event::Intended, now)?;
        let mut changes = person.moved(state);
        changes.touches.push(touch(person, sending, Status::Intended, now));
        let mut intended = person.entry(now, Happened::Intended).with("step", &sending.step);
        intended.touch = Some(sending.touch);
        changes.log.push(intended);
        let guards = self.guards(person, sending, lease, now).await?;
        Ok(self.store.intend(changes, guards).await?)
    }

    async fn guards(
        &self,
        person: &Person,
        sending: &Sending<'_>,
        epoch: i64,
        now: Timestamp,
    ) -> Result<Guards, EngineError> {
        let mailbox = sending.mailbox;
        let day = now.as_millisecond().div_euclid(86_400_000);
        let record = self.store.mailbox(&mailbox.id).await?;
        let new_day = record.last_sending_day.is_some_and(|last| last != day);
        let sending_days = record.sending_days + u32::from(new_day);
        let mut caps = self.person_caps(person);
        caps.push(Cap {
            scope: format!("mailbox:{}", mailbox.id),
            reason: Waiting::MailboxLimit,
            limit: mailbox.ramp.limit(sending_days, mailbox.daily_limit),
            window: SignedDuration::from_hours(24),
        });
        let domain = sending.ready.to.domain();
        if !is_free_mail(domain) {
            caps.push(Cap {
                scope: format!("domain:{domain}"),
                reason: Waiting::DomainLimit,
                limit: self.settings.limits.per_domain_per_day,
                window: SignedDuration::from_hours(24),
            });
        }
        let seed = person.seed(&sending.step, &self.settings.secret);
        Ok(Guards {
            now,
            lease: Some((lease_name(&mailbox.id), epoch)),
            subjects: blocking(person, Channel::Email),
            caps,
            company: self.company_guard(person),
            quiet: Some((
                person.prospect.id,
                person.enrollment.id,
                self.settings.limits.prospect_gap,
            )),
            mailbox: Some(MailboxGuard {
                mailbox: mailbox.id.clone(),
                inbox_fresh_for: mailbox.has_inbox.then_some(self.settings.reply_freshness),
                gap: gap(mailbox.gap.0, mailbox.gap.1, seed),
                day,
            }),
        })
    }

    async fn not_intended(
        &self,
        person: &Person,
        sending: &Sending<'_>,
        intent: Intent,
    ) -> Result<Done, EngineError> {
        match intent {
            Intent::Committed => Ok(Done::Sent),
            Intent::NotOurs => Ok(Done::LaneWaits(self.now() + LEASE)),
            Intent::Blocked => {
                let why = NoLetter::Unfit("suppressed".to_owned());
                self.skip(person, &why, self.now()).await
            }
            Intent::Wait { reason, until } if is_the_mailboxes(reason) => {
                if reason != Waiting::InboxStale {
                    self.let_wait(&sending.mailbox.id, until, reason).await?;
                }
                Ok(Done::LaneWaits(until))
            }
            Intent::Wait { reason, until } => {
                self.put_off(person, until, reason).await?;
                Ok(Done::Moved)
            }
        }
    }

    /// Records what the server said. Definite knowledge is tried to be written several times; if the
    /// store is gone, the record stays "intended", and becomes "in doubt" by itself.
    async fn settle(
        &self,
        person: &Person,
        sending: &Sending<'_>,
        result: Result<String, Failure>,
    ) -> Result<Done, EngineError> {
        let mut outcome = Err(EngineError::Refused("the result was not recorded".to_owned()));
        for _ in 0..RACES {
            let Some(current) = self.person(person.enrollment.id).await? else {
                return Ok(Done::Moved);
            };
            // A write that failed for us may have been committed all the same: then the person has
            // moved on, and the same result would fall on the next step.
            if !self.is_open(sending.touch, person.enrollment.id).await? {
                return Ok(Done::Sent);
            }
            outcome = self.record(&current, sending, &result).await;
            match &outcome {
                Err(EngineError::Store(_)) => {}
                _ => break,
            }
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
    async fn defer(
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

    /// Moves only the time at which the enrollment is looked at again.
    pub(super) async fn put_off(
        &self,
        person: &Person,
        until: Timestamp,
        reason: Waiting,
    ) -> Result<(), EngineError> {
        let mut changes = person.moved(person.enrollment.state.clone());
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

    /// The fence of this worker, taken or renewed when half of it is over.
    async fn lease(&self, mailbox: &MailboxId, now: Timestamp) -> Result<Option<i64>, EngineError> {
        let name = lease_name(mailbox);
        if let Some((epoch, until)) = lock(&self.leases).get(&name)
            && now + LEASE / 2 < *until
        {
            return Ok(Some(*epoch));
        }
        let until = now + LEASE;
        let request = LeaseRequest { name: name.clone(), holder: self.node.clone(), now, until };
        let epoch = self.store.lease(request).await?;
        let mut leases = lock(&self.leases);
        match epoch {
            Some(epoch) => leases.insert(name, (epoch, until)),
            None => leases.remove(&name),
        };
        Ok(epoch)
    }

    /// The caps that count people rather than mails.
    pub(super) fn person_caps(&self, person: &Person) -> Vec<Cap> {
        let day = SignedDuration::from_hours(24);
        let limits = &person.version.cadence.limits;
        let mut caps = Vec::new();
        if let Some(limit) = limits.touches_per_prospect_per_day {
            let scope = format!("prospect:{}", person.prospect.id);
            caps.push(Cap { scope, reason: Waiting::ProspectLimit, limit, window: day });
        }
        if person.enrollment.state.has_begun() {
            return caps;
        }
        if let Some(limit) = limits.new_per_rep_per_day {
            let scope =
                format!("rep-new:{}:{}", person.enrollment.owner, person.enrollment.cadence);
            caps.push(Cap { scope, reason: Waiting::RepLimit, limit, window: day });
        }
        if let Some(company) = person.enrollment.company {
            let limit = self.settings.limits.new_per_company_per_day;
            let scope = format!("company-new:{company}");
            caps.push(Cap { scope, reason: Waiting::CompanyLimit, limit, window: day });
        }
        caps
    }

    /// At most so many colleagues at once; only the first touch asks.
    pub(super) fn company_guard(
        &self,
        person: &Person,
    ) -> Option<(crate::domain::ids::CompanyId, EnrollmentId, u32)> {
        let own = person.version.cadence.limits.per_company_at_once;
        let limit = own.unwrap_or(self.settings.limits.active_per_company);
        let first = !person.enrollment.state.has_begun();
        person.enrollment.company.filter(|_| first).map(|id| (id, person.enrollment.id, limit))
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

/// When the send window opens, unless it is open now.
fn closed_until(person: &Person, now: Timestamp) -> Option<(Timestamp, Waiting)> {
    let next = schedule::open(&person.place(), Channel::Email, now);
    (next.at > now).then_some((next.at, next.waiting))
}

/// Everything whose block forbids a touch on a channel.
pub(super) fn blocking(person: &Person, channel: Channel) -> Vec<Subject> {
    let on_channel = |subject: &Subject| match subject {
        Subject::Person(_) => true,
        Subject::Email(_) | Subject::Domain(_) => channel == Channel::Email,
        Subject::Phone(_) => false,
    };
    Subject::all_of(&person.prospect).into_iter().filter(on_channel).collect()
}

fn is_the_mailboxes(reason: Waiting) -> bool {
    matches!(reason, Waiting::MailboxLimit | Waiting::MailboxDown | Waiting::InboxStale)
}

fn lease_name(mailbox: &MailboxId) -> String {
    format!("mailbox:{mailbox}")
}

fn touch(person: &Person, sending: &Sending<'_>, status: Status, at: Timestamp) -> Touch {
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
        outcome: None,
    }
}

fn mail_entry(
    person: &Person,
    sending: &Sending<'_>,
    what: Happened,
    now: Timestamp,
) -> crate::domain::log::Entry {
    let mut entry = person.entry(now, what).with("step", &sending.step).with("channel", "email");
    entry =
        entry.with("mailbox", &sending.mailbox.id).with("template", &sending.ready.mail.template);
    entry.touch = Some(sending.touch);
    entry
}

fn with_failure(entry: crate::domain::log::Entry, failure: &Failure) -> crate::domain::log::Entry {
    let code = failure.answer.as_ref().map_or(0, |answer| answer.code);
    entry.with("code", code).with("phase", failure.phase.as_str())
}

/// A refusal for good: on record as a first attempt; a dead address is closed for everybody.
fn refused(
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

/// Our own refusal to begin: too much time has passed since the intent.
fn too_late() -> Failure {
    Failure {
        phase: crate::domain::delivery::Phase::Data,
        answer: None,
        detail: "too much time passed between the intent and the content".to_owned(),
    }
}
