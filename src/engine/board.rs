//! Who is where, and what holds them: the counts behind `firsttouch board`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{Engine, EngineError};
use crate::domain::budget::{Cap, Waiting};
use crate::domain::hold::Hold;
use crate::domain::ids::{CadenceId, MailboxId};
use crate::domain::settings::Mailbox;
use crate::formats::diagnostic::did_you_mean;
use crate::ports::{BoardLine, MailboxRecord};

/// Everybody of one cadence.
#[derive(Debug, Clone, Default)]
pub struct CadenceBoard {
    pub people: u64,
    pub steps: Vec<StepBoard>,
    /// Paused people by reason.
    pub paused: BTreeMap<Waiting, u64>,
    /// Ended enrollments by how they ended.
    pub ended: BTreeMap<String, u64>,
    /// Whether anybody new may come in.
    pub is_applied: bool,
}

/// Everybody who stands before one step.
#[derive(Debug, Clone, Default)]
pub struct StepBoard {
    pub step: String,
    pub here: u64,
    /// Of these, who have not begun.
    pub not_begun: u64,
    /// Of these, who are looked at before the reader's day is over and wait for nothing else.
    pub due_today: u64,
    /// Of these, who wait for something, with the first instant at which any of them goes on.
    pub waits: BTreeMap<Waiting, (u64, Option<Timestamp>)>,
    pub done: u64,
}

/// A mailbox, and how much it may still send.
#[derive(Debug, Clone)]
pub struct MailboxBoard {
    pub id: MailboxId,
    /// Mails in the last 24 hours; a part of an hour more may be counted.
    pub sent: u64,
    /// How many it may be today, by the ramp.
    pub limit: u32,
    /// How many it may be once the ramp is over.
    pub full: u32,
    /// Whether the limit is lower because the mailbox was silent for long.
    pub after_silence: bool,
    /// Mails in the last 60 minutes and how many it may be, where that is limited.
    pub hour: Option<(u64, u32)>,
    /// Nothing leaves before that, and why.
    pub waits: Option<(Timestamp, Waiting)>,
    pub inbox_read_at: Option<Timestamp>,
    pub inbox_is_stale: bool,
}

/// The whole board.
#[derive(Debug, Clone)]
pub struct Board {
    pub cadences: BTreeMap<CadenceId, CadenceBoard>,
    pub mailboxes: Vec<MailboxBoard>,
    pub holds: Vec<Hold>,
    pub now: Timestamp,
}

impl Engine {
    /// Who is where in every cadence, or in one.
    ///
    /// # Errors
    /// There is no such cadence, or the store failed.
    pub async fn board(&self, only: Option<&CadenceId>) -> Result<Board, EngineError> {
        let now = self.now();
        let zone = &self.settings.reader_zone;
        let tomorrow = zone.to_datetime(now).date().saturating_add(1.day());
        let fallback = now + SignedDuration::from_hours(24);
        let day_end = crate::domain::calendar::start_of_day(tomorrow, zone, fallback);
        let mut cadences: BTreeMap<CadenceId, CadenceBoard> = BTreeMap::new();
        for version in self.store.current_cadences().await? {
            let board = cadences.entry(version.cadence.clone()).or_default();
            board.is_applied = true;
            if let Ok(version) = self.version(&version.digest).await {
                let step = |id: &str| StepBoard { step: id.to_owned(), ..StepBoard::default() };
                board.steps = version.cadence.steps.iter().map(|s| step(s.id.as_str())).collect();
            }
        }
        for line in self.store.board(day_end).await? {
            cadences.entry(line.cadence.clone()).or_default().add(&line);
        }
        for (cadence, step, n) in self.store.done_by_step().await? {
            cadences.entry(cadence).or_default().step(step.as_str()).done += n;
        }
        if let Some(only) = only {
            self.keep_only(&mut cadences, only)?;
        }
        let mut mailboxes = Vec::new();
        for mailbox in self.settings.mailboxes.values() {
            mailboxes.push(self.mailbox_board(mailbox, now).await?);
        }
        let holds = self.store.holds().await?;
        Ok(Board { cadences, mailboxes, holds, now })
    }

    fn keep_only(
        &self,
        cadences: &mut BTreeMap<CadenceId, CadenceBoard>,
        only: &CadenceId,
    ) -> Result<(), EngineError> {
        if !cadences.contains_key(only) {
            let meant = did_you_mean(only.as_str(), cadences.keys().map(CadenceId::as_str));
            let hint = match meant {
                Some(meant) => format!("; did you mean `{meant}`?"),
                None => ": `firsttouch board` shows all of them".to_owned(),
            };
            return Err(EngineError::NotFound { what: "cadence", name: only.0.clone(), hint });
        }
        cadences.retain(|id, _| id == only);
        Ok(())
    }

    /// The limit of a mailbox for the next mail, as the intent will see it.
    pub(super) fn mailbox_cap(
        &self,
        mailbox: &Mailbox,
        record: &MailboxRecord,
        now: Timestamp,
    ) -> Cap {
        let day = now.as_millisecond().div_euclid(86_400_000);
        let days = record.days().with(day);
        Cap {
            scope: format!("mailbox:{}", mailbox.id),
            reason: Waiting::MailboxLimit,
            limit: mailbox.ramp.limit_after(days, mailbox.daily_limit),
            window: SignedDuration::from_hours(24),
        }
    }

    /// How many mails may leave it in an hour, where the settings say so.
    pub(super) fn hourly_cap(&self, mailbox: &Mailbox) -> Option<Cap> {
        let scope = format!("mailbox-hour:{}", mailbox.id);
        let (reason, window) = (Waiting::MailboxLimit, SignedDuration::from_hours(1));
        mailbox.hourly_limit.map(|limit| Cap { scope, reason, limit, window })
    }

    async fn mailbox_board(
        &self,
        mailbox: &Mailbox,
        now: Timestamp,
    ) -> Result<MailboxBoard, EngineError> {
        let record = self.store.mailbox(&mailbox.id).await?;
        let cap = self.mailbox_cap(mailbox, &record, now);
        let used = self.store.used(&cap, now).await?;
        let gap = record.next_send_at.map(|at| (at, Waiting::MailboxLimit));
        let mut hour = None;
        if let Some(cap) = self.hourly_cap(mailbox) {
            let used = self.store.used(&cap, now).await?;
            hour = Some((used.iter().map(|used| u64::from(used.count)).sum(), cap.limit));
        }
        Ok(MailboxBoard {
            id: mailbox.id.clone(),
            sent: used.iter().map(|used| u64::from(used.count)).sum(),
            limit: cap.limit,
            full: mailbox.daily_limit,
            after_silence: is_after_silence(mailbox, &record, now),
            hour,
            waits: record.waits.max(gap).filter(|(until, _)| *until > now),
            inbox_is_stale: mailbox.has_inbox && !self.is_fresh(record.inbox_read_at, now),
            inbox_read_at: record.inbox_read_at,
        })
    }

    /// Whether an inbox was read lately enough for its mailbox to send (promise 2). A read in the
    /// future is a clock that was set back: as good as none.
    pub(super) fn is_fresh(&self, read_at: Option<Timestamp>, now: Timestamp) -> bool {
        let lately =
            |at: Timestamp| at <= now && at.duration_until(now) <= self.settings.reply_freshness;
        read_at.is_some_and(lately)
    }
}

/// Whether a mailbox may send fewer mails because it was silent for long.
pub(super) fn is_after_silence(mailbox: &Mailbox, record: &MailboxRecord, now: Timestamp) -> bool {
    let days = record.days().with(now.as_millisecond().div_euclid(86_400_000));
    let without = mailbox.ramp.limit(days.before, mailbox.daily_limit);
    mailbox.ramp.limit_after(days, mailbox.daily_limit) < without
}

impl CadenceBoard {
    /// Steps of older versions come behind those of the current one.
    fn step(&mut self, id: &str) -> &mut StepBoard {
        let at = self.steps.iter().position(|step| step.step == id).unwrap_or_else(|| {
            self.steps.push(StepBoard { step: id.to_owned(), ..StepBoard::default() });
            self.steps.len() - 1
        });
        &mut self.steps[at]
    }

    fn add(&mut self, line: &BoardLine) {
        self.people += line.people;
        match line.phase.as_str() {
            "ended" => *self.ended.entry(line.about.clone()).or_default() += line.people,
            "paused" => {
                let why = line.waiting.unwrap_or(Waiting::NotDue);
                *self.paused.entry(why).or_default() += line.people;
            }
            _ if line.about.is_empty() => {
                *self.ended.entry("closing".to_owned()).or_default() += line.people;
            }
            _ => self.step(&line.about).add(line),
        }
    }
}

impl StepBoard {
    fn add(&mut self, line: &BoardLine) {
        self.here += line.people;
        self.not_begun += if line.begun { 0 } else { line.people };
        match line.waiting {
            None | Some(Waiting::NotDue) => {
                self.due_today += if line.due { line.people } else { 0 }
            }
            // Where the hours open today, it is for today.
            Some(Waiting::OutsideHours | Waiting::Holiday) if line.due => {
                self.due_today += line.people
            }
            Some(why) => {
                let (people, first) = self.waits.entry(why).or_default();
                *people += line.people;
                *first = match (*first, line.first_at) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
    }
}
