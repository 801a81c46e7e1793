//! What one simulated run saw.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::budget::Waiting;
use crate::domain::cadence::Channel;
use crate::domain::ids::{EnrollmentId, MailboxId, RepId};
use crate::domain::log::{Entry, What};
use crate::domain::report::Tally;
use crate::domain::touch::{Status, Touch};

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worker {
    Mailbox(MailboxId),
    Rep(RepId),
}

/// What somebody did on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    pub mails: u64,
    pub calls: u64,
    pub social: u64,
    /// Everything else that a rep does: free tasks, and people to decide about.
    pub other: u64,
}

impl Load {
    /// Everything that a rep did.
    pub fn tasks(&self) -> u64 {
        self.calls + self.social + self.other
    }

    /// Everything that touched somebody.
    pub fn touches(&self) -> u64 {
        self.mails + self.calls + self.social
    }

    fn count(&mut self, channel: Option<Channel>) {
        match channel {
            Some(Channel::Email) => self.mails += 1,
            Some(Channel::Call) => self.calls += 1,
            Some(Channel::Social) => self.social += 1,
            Some(Channel::Task) | None => self.other += 1,
        }
    }
}

/// People who wait at the end of a working day, by reason: those who wait for their first touch, and
/// those who wait for a further one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waits {
    pub first: BTreeMap<Waiting, u64>,
    pub further: BTreeMap<Waiting, u64>,
}

/// One simulated run.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Everybody who was to be enrolled.
    pub people: u64,
    /// Enrollments: people, or companies where the cadence covers companies.
    pub enrolled: u64,
    pub covers_companies: bool,
    /// Why the others were not, as sentences.
    pub skipped: BTreeMap<String, u64>,
    /// The days on which people had their first touch.
    pub first_touches: BTreeMap<Date, u64>,
    pub load: BTreeMap<(Date, Worker), Load>,
    pub waits: BTreeMap<Date, Waits>,
    /// Tasks that expired because nobody did them, by rep.
    pub expired: BTreeMap<RepId, u64>,
    /// People who answered, by the channel on which they did so first.
    pub answered: BTreeMap<String, u64>,
    /// Steps that were passed over, by the reason that the log keeps.
    pub passed_over: BTreeMap<String, u64>,
    /// What the engine held by itself, and how often; each time until the next morning.
    pub held: BTreeMap<String, u64>,
    pub tally: Tally,
    pub(super) answered_by: BTreeSet<EnrollmentId>,
    pub(super) touched: BTreeSet<EnrollmentId>,
}

impl Run {
    /// Takes one entry of the log in, in its order.
    pub fn see(&mut self, entry: &Entry, zone: &TimeZone, rep_of: impl Fn(EnrollmentId) -> RepId) {
        self.tally.add(entry);
        let (what, enrollment) = (entry.what, entry.enrollment);
        match (what, enrollment) {
            (What::Replied, Some(enrollment)) if self.answered_by.insert(enrollment) => {
                *self.answered.entry(entry.detail("channel").to_owned()).or_default() += 1;
            }
            (What::TaskExpired, Some(enrollment)) => {
                *self.expired.entry(rep_of(enrollment)).or_default() += 1;
            }
            (What::Held, _) => {
                *self.held.entry(entry.detail("scope").to_owned()).or_default() += 1;
            }
            (What::Skipped, _) if !entry.detail("reason").is_empty() => {
                *self.passed_over.entry(entry.detail("reason").to_owned()).or_default() += 1;
            }
            (What::TaskDone, _) if entry.detail("kind") == "triage" => {
                let worker = Worker::Rep(RepId(entry.actor.clone()));
                let day = zone.to_datetime(entry.at).date();
                self.load.entry((day, worker)).or_default().count(None);
            }
            _ => {}
        }
    }

    /// Takes one touch in; touches come in the order of their time.
    pub fn take(&mut self, touch: &Touch, zone: &TimeZone) {
        if !matches!(touch.status, Status::Sent | Status::AssumedSent | Status::Done) {
            return;
        }
        let worker = match &touch.mail {
            Some(mail) => Worker::Mailbox(mail.mailbox.clone()),
            None => Worker::Rep(RepId(touch.actor.clone())),
        };
        let day = zone.to_datetime(touch.at).date();
        self.load.entry((day, worker)).or_default().count(Some(touch.channel));
        if touch.channel != Channel::Task && self.touched.insert(touch.enrollment) {
            *self.first_touches.entry(day).or_default() += 1;
        }
    }

    /// People who were touched at all.
    pub fn touched(&self) -> u64 {
        self.touched.len() as u64
    }

    /// The day of the last first touch, when everybody who can be touched was.
    pub fn last_first_touch(&self) -> Option<Date> {
        self.first_touches.last_key_value().map(|(day, _)| *day)
    }

    /// The day by which half of those who were touched had their first touch.
    pub fn half_touched_by(&self) -> Option<Date> {
        let half = self.touched().div_ceil(2);
        let mut so_far = 0;
        let reached = self.first_touches.iter().find(|(_, n)| {
            so_far += **n;
            so_far >= half
        });
        reached.map(|(day, _)| *day)
    }

    /// People who answered on any channel.
    pub fn replied(&self) -> u64 {
        self.answered_by.len() as u64
    }
}
