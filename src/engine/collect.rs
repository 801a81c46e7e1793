//! Reading inboxes: each message is taken apart, matched to a touch, and drives the enrollments of the
//! person who sent it.

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::desk::settle;
use super::{Engine, EngineError, Person};
use crate::domain::address::EmailAddress;
use crate::domain::enrollment::{Effect, Event, State, TaskKind, step};
use crate::domain::ids::{EnrollmentId, InboundId, MailboxId, ProspectId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::prospect::Prospect;
use crate::domain::reply::{AutoReply, Inbound, Kind};
use crate::domain::settings::Mailbox;
use crate::domain::suppression::{Cause, Subject, Suppression};
use crate::domain::touch::{Milestone, Status, Touch};
use crate::formats::mime;
use crate::ports::{
    Changes, IdKind, InboundRecord, InboxError, InboxRead, MilestoneRecord, RawMessage, StoreError,
    TaskRecord,
};

/// Messages that are read at a time.
const BATCH: usize = 100;

/// Without a return date somebody is away for so long (product.md).
const AWAY_DAYS: i64 = 7;

/// Nobody is away for longer than this.
const AWAY_AT_MOST_DAYS: i64 = 60;

/// A transition that lost a race is tried again so often.
const RACES: usize = 5;

/// What reading an inbox came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Collected {
    pub messages: usize,
    pub replies: usize,
}

/// Why an inbox could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<StoreError> for CollectError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

/// Whom a message is about.
#[derive(Default)]
struct Match {
    prospect: Option<ProspectId>,
    touch: Option<Touch>,
    /// The message names the mail itself; an address alone proves nothing about a certain mail.
    names_the_mail: bool,
}

impl Engine {
    /// Reads everything new in a mailbox. Only when that worked may the mailbox send (promise 2).
    ///
    /// # Errors
    /// The inbox could not be read, or the store failed; what was read until then is on record.
    pub async fn collect(&self, id: &MailboxId) -> Result<Collected, CollectError> {
        let (mut collected, mut alarms) = (Collected::default(), false);
        let mut cursor = self.store.mailbox(id).await?.cursor;
        loop {
            let read_at = self.now();
            let batch = self.inbox.fetch(id, cursor.as_deref(), BATCH).await?;
            for message in &batch.messages {
                let kind = self.take(id, message).await?;
                collected.messages += usize::from(kind.is_some());
                collected.replies += usize::from(matches!(kind, Some(Kind::Reply)));
                alarms |= kind.is_some_and(|kind| counts_for_breakers(&kind));
            }
            cursor = batch.cursor;
            // Only an inbox that was read to its end is fresh.
            let at = if batch.more { None } else { Some(read_at) };
            let before = self.store.mailbox(id).await?.inbox_read_at;
            let at = at.or(before).unwrap_or(Timestamp::MIN);
            let inbox_read = Some(InboxRead { mailbox: id.clone(), cursor: cursor.clone(), at });
            self.store.write(Changes { inbox_read, ..Changes::default() }).await?;
            if alarms {
                self.check_breakers(id).await?;
            }
            if !batch.more {
                return Ok(collected);
            }
        }
    }

    /// Takes one message in, once; its kind, or `None` when it was known already.
    async fn take(
        &self,
        mailbox: &MailboxId,
        raw: &RawMessage,
    ) -> Result<Option<Kind>, CollectError> {
        let Some(settings) = self.settings.mailboxes.get(mailbox) else {
            return Ok(None);
        };
        let now = self.now();
        let message = mime::read(&raw.bytes, self.settings.reader_zone.to_datetime(now).date());
        if self.store.knows_message(&message.message_id).await? {
            return Ok(None);
        }
        let kind = message.kind.clone();
        for attempt in 1..=RACES {
            match self.try_take(settings, message.clone(), now).await {
                Err(EngineError::Store(StoreError::Stale(_))) if attempt < RACES => {}
                Err(error) => return Err(error.into()),
                Ok(()) => break,
            }
        }
        Ok(Some(kind))
    }

    async fn try_take(
        &self,
        mailbox: &Mailbox,
        message: Inbound,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let matched = self.match_message(mailbox, &message).await?;
        let people = self.people_of(&matched).await?;
        let mut changes = Changes::default();
        for person in &people {
            self.react(person, &message, &matched, now, &mut changes).await?;
        }
        let prospect = match people.first() {
            Some(person) => Some(person.prospect.clone()),
            None => match matched.prospect {
                Some(id) => self.store.prospects(&[id]).await?.pop(),
                None => None,
            },
        };
        // At an account the question may be about somebody else, who answered before.
        let is_about = |task: &&mut TaskRecord| {
            task.kind == TaskKind::Reply && Some(task.prospect) == matched.prospect
        };
        for task in changes.tasks.iter_mut().filter(is_about) {
            task.text.clone_from(&message.new_text);
        }
        changes.suppressions.extend(blocks(&message, prospect.as_ref(), now));
        // The cause stands before what it caused.
        changes.log.insert(0, entry(&message, &matched, now));
        let latency = matched.touch.as_ref().map(|touch| touch.at.duration_until(now));
        changes.inbound.push(InboundRecord {
            id: InboundId(self.id(IdKind::Inbound).await?),
            mailbox: mailbox.id.clone(),
            prospect: matched.prospect,
            enrollment: matched.touch.as_ref().map(|touch| touch.enrollment),
            touch: matched.touch.as_ref().map(|touch| touch.id),
            received_at: now,
            latency,
            message,
        });
        Ok(self.store.write(changes).await?)
    }

    /// By the ids it answers, then by our token, then by the address it came from (or could not reach).
    async fn match_message(
        &self,
        mailbox: &Mailbox,
        message: &Inbound,
    ) -> Result<Match, EngineError> {
        let mut ids = message.answers.clone();
        ids.extend(
            tokens(&message.subject).map(|token| format!("{token}@{}", mailbox.from.domain())),
        );
        if let Some(touch) = self.store.touch_by_message_id(&ids).await? {
            return Ok(Match {
                prospect: Some(touch.prospect),
                touch: Some(touch),
                names_the_mail: true,
            });
        }
        let addresses = match &message.kind {
            Kind::Bounce(bounce) => parse_all(&bounce.recipients),
            _ => parse_all(&message.from),
        };
        let Some(prospect) = self.store.prospects_by_email(&addresses).await?.first().copied()
        else {
            return Ok(Match::default());
        };
        let touch = self.store.last_mail_to(prospect).await?;
        Ok(Match { prospect: Some(prospect), touch, names_the_mail: false })
    }

    /// Every enrollment that the message is about: the one it answers, and all that are still open.
    async fn people_of(&self, matched: &Match) -> Result<Vec<Person>, EngineError> {
        let Some(prospect) = matched.prospect else {
            return Ok(Vec::new());
        };
        let answered: Option<EnrollmentId> = matched.touch.as_ref().map(|touch| touch.enrollment);
        let mut people = Vec::new();
        for enrollment in self.store.enrollments_of(prospect).await? {
            let is_over = enrollment.over_for(prospect).is_some();
            if !is_over || answered == Some(enrollment.id) {
                people.extend(self.member(enrollment.id, prospect).await?);
            }
        }
        Ok(people)
    }

    async fn react(
        &self,
        person: &Person,
        message: &Inbound,
        matched: &Match,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        let touch = matched.touch.as_ref().filter(|touch| touch.enrollment == person.enrollment.id);
        let unsettled = |touch: &&Touch| {
            matches!(touch.status, Status::Intended | Status::InDoubt) && matched.names_the_mail
        };
        // Whatever comes back proves that the mail had left.
        let settles = touch.filter(unsettled);
        if let Some(touch) = settles {
            settle(person, touch, Status::Sent, Happened::Sent, now, changes);
        }
        let proof = settles.map(|_| Event::Settled);
        let Some(event) = event(person, message, touch, now) else {
            let (state, effects) = all_of(person, proof.into_iter().collect(), now)?;
            return self.note(person, state, &effects, now, changes).await;
        };
        let goes = matches!(event, Event::OptedOut | Event::LeftCompany);
        // The way must not come to its end with the proof before the reply is heard.
        let reply_first = event == Event::Replied;
        let event = Event::Of { who: person.prospect.id, event: Box::new(event) };
        let mut events: Vec<Event> = proof.into_iter().chain([event]).collect();
        if reply_first {
            events.reverse();
        }
        let (state, mut effects) = all_of(person, events, now)?;
        if goes {
            effects.retain(|effect| !begins(effect, person.prospect.id));
        }
        let left = |touch: &&Touch| matches!(touch.status, Status::Sent | Status::AssumedSent);
        if let Some(touch) = touch.filter(|touch| matched.names_the_mail || left(touch)) {
            evidence(person, message, touch, now, changes);
        }
        self.note(person, state, &effects, now, changes).await
    }

    async fn note(
        &self,
        person: &Person,
        state: State,
        effects: &[Effect],
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        if state == person.enrollment.state && effects.is_empty() {
            return Ok(());
        }
        let after = state.clone();
        changes.append(self.changes(person, state, effects, now).await?);
        self.tell_colleagues(person, &after, now, changes).await
    }
}

/// One after the other. The proof has to be possible; what else is not changes nothing.
fn all_of(
    person: &Person,
    events: Vec<Event>,
    now: Timestamp,
) -> Result<(State, Vec<Effect>), EngineError> {
    let (mut state, mut effects) = (person.enrollment.state.clone(), Vec::new());
    for event in events {
        let is_proof = event == Event::Settled;
        let stepped = person.course(|course| step(course, state.clone(), event, now));
        match stepped {
            Ok((after, more)) => {
                state = after;
                effects.extend(more);
            }
            Err(illegal) if is_proof => {
                let id = person.enrollment.id;
                return Err(EngineError::Refused(format!("enrollment {id}: {illegal}")));
            }
            Err(_) => {}
        }
    }
    Ok((state, effects))
}

/// Whether a message is one that the mailbox's breakers count.
fn counts_for_breakers(kind: &Kind) -> bool {
    match kind {
        Kind::Complaint => true,
        Kind::Bounce(bounce) => bounce.hard,
        Kind::Unsubscribe | Kind::AutoReply(_) | Kind::Notice | Kind::Reply => false,
    }
}

/// Whether the effect lets this person begin another cadence.
fn begins(effect: &Effect, person: ProspectId) -> bool {
    matches!(effect, Effect::Begin { who, .. } if who.is_none_or(|who| who == person))
}

/// What a message means for one enrollment; `None` when it changes nothing.
fn event(
    person: &Person,
    message: &Inbound,
    touch: Option<&Touch>,
    now: Timestamp,
) -> Option<Event> {
    match &message.kind {
        Kind::Bounce(bounce) if bounce.hard => {
            touch.map(|touch| Event::Bounced { step: touch.step.clone() })
        }
        Kind::Bounce(_) | Kind::Notice => None,
        Kind::Complaint | Kind::Unsubscribe => Some(Event::OptedOut),
        Kind::AutoReply(AutoReply::Away { until }) => {
            Some(Event::Away { until: back_at(person, *until, now) })
        }
        Kind::AutoReply(AutoReply::LeftCompany) => Some(Event::LeftCompany),
        Kind::AutoReply(AutoReply::Acknowledgement) => None,
        Kind::Reply => Some(Event::Replied),
    }
}

/// When somebody who is away may be touched again: the first working day behind the day of return, and
/// one more; without a date in a week; at most in sixty days.
fn back_at(person: &Person, until: Option<jiff::civil::Date>, now: Timestamp) -> Timestamp {
    let zone = person.zone();
    let today = zone.to_datetime(now).date();
    let latest = today.saturating_add(AWAY_AT_MOST_DAYS.days());
    let last_day = until.unwrap_or_else(|| today.saturating_add(AWAY_DAYS.days()));
    let last_day = last_day.clamp(today, latest);
    let calendar = &person.clockwork.calendar;
    let back_on = calendar.working_days_after(calendar.working_day_from(last_day), 1);
    let fallback = now + SignedDuration::from_hours(24);
    crate::domain::calendar::start_of_day(back_on, &zone, fallback).max(fallback)
}

/// What a message proves about the touch that it answers.
fn evidence(
    person: &Person,
    message: &Inbound,
    touch: &Touch,
    now: Timestamp,
    changes: &mut Changes,
) {
    let mut reached = |milestone| {
        changes.milestones.push(MilestoneRecord {
            enrollment: person.enrollment.id,
            prospect: person.prospect.id,
            milestone,
            touch: touch.id,
            at: if milestone == Milestone::Delivered { touch.at } else { now },
        });
    };
    match &message.kind {
        Kind::Reply => {
            reached(Milestone::Delivered);
            reached(Milestone::Conversation);
        }
        Kind::AutoReply(_) | Kind::Unsubscribe | Kind::Complaint => reached(Milestone::Delivered),
        Kind::Bounce(bounce) if bounce.hard => changes.came_back.push((touch.id, now)),
        Kind::Bounce(_) | Kind::Notice => {}
    }
}

/// What a message closes: opt-outs the whole person and the address it came from, dead addresses themselves.
fn blocks(message: &Inbound, prospect: Option<&Prospect>, now: Timestamp) -> Vec<Suppression> {
    let block = |subject, cause| Suppression { subject, cause, source: "mail".to_owned(), at: now };
    let person = |cause| prospect.map(|prospect| block(Subject::Person(prospect.id), cause));
    let own = |cause| {
        let email = prospect.and_then(|prospect| prospect.known.email.as_ref());
        email.map(|email| block(Subject::email(email), cause))
    };
    match &message.kind {
        Kind::Unsubscribe => {
            let from = parse_all(&message.from);
            let from = from.iter().map(|address| block(Subject::email(address), Cause::OptOut));
            from.chain(person(Cause::OptOut)).chain(own(Cause::OptOut)).collect()
        }
        Kind::Complaint => {
            person(Cause::Complaint).into_iter().chain(own(Cause::Complaint)).collect()
        }
        Kind::Bounce(bounce) if bounce.hard => dead_addresses(bounce, prospect)
            .into_iter()
            .map(|address| block(Subject::email(&address), Cause::HardBounce))
            .collect(),
        Kind::Bounce(_) | Kind::AutoReply(_) | Kind::Notice | Kind::Reply => Vec::new(),
    }
}

/// Only addresses that are the person's: a report that was forwarded names others as well.
fn dead_addresses(
    bounce: &crate::domain::reply::Bounce,
    prospect: Option<&Prospect>,
) -> Vec<EmailAddress> {
    let Some(prospect) = prospect else {
        return Vec::new();
    };
    let own: Vec<&EmailAddress> =
        prospect.known.email.iter().chain(&prospect.known.other_emails).collect();
    let named = parse_all(&bounce.recipients);
    let is_named = |address: &&&EmailAddress| {
        named.iter().any(|recipient| recipient.canonical() == address.canonical())
    };
    let found: Vec<EmailAddress> =
        own.iter().filter(is_named).map(|address| (*address).clone()).collect();
    match found.is_empty() {
        true => prospect.known.email.iter().cloned().collect(),
        false => found,
    }
}

fn entry(message: &Inbound, matched: &Match, now: Timestamp) -> Entry {
    let what = match (&message.kind, matched.prospect) {
        (_, None) => Happened::Unmatched,
        (Kind::Bounce(bounce), _) if bounce.hard => Happened::Bounced,
        (Kind::Bounce(_), _) => Happened::SoftBounced,
        (Kind::Complaint, _) => Happened::Complained,
        (Kind::AutoReply(_), _) => Happened::AutoReplied,
        (Kind::Unsubscribe, _) => Happened::OptedOut,
        (Kind::Notice, _) => Happened::Noticed,
        (Kind::Reply, _) => Happened::Replied,
    };
    let mut entry = Entry {
        prospect: matched.prospect,
        enrollment: matched.touch.as_ref().map(|touch| touch.enrollment),
        touch: matched.touch.as_ref().map(|touch| touch.id),
        ..Entry::new(now, what)
    };
    entry = entry.with("kind", message.kind.as_str()).with("channel", "email");
    if let Some(touch) = &matched.touch {
        let latency_ms = touch.at.duration_until(now).as_millis();
        entry = entry.with("step", &touch.step).with("latency_ms", latency_ms);
    }
    entry.with("reason", &message.reason)
}

/// Words in a subject that look like our token.
fn tokens(subject: &str) -> impl Iterator<Item = &str> {
    let is_token = |word: &&str| {
        word.len() == 34
            && word.starts_with("ft")
            && word[2..].bytes().all(|b| b.is_ascii_hexdigit())
    };
    subject.split_whitespace().filter(|word| word.is_ascii()).filter(is_token).take(4)
}

fn parse_all(addresses: &[String]) -> Vec<EmailAddress> {
    addresses.iter().take(20).filter_map(|address| address.parse().ok()).collect()
}
