//! What the engine is told once, at its start.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::address::EmailAddress;
use super::budget::Ramp;
use super::calendar::Calendar;
use super::call_hours::{CallHours, CallRules};
use super::holidays::HolidayBook;
use super::ids::{MailboxId, RepId, RoleId};
use super::prospect::Prospect;

/// How long a node that is gone keeps what it worked, unless the settings say otherwise.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// What the engine is told once, at its start: the settings after all checks.
#[derive(Debug, Clone)]
pub struct Settings {
    pub company: Company,
    pub mailboxes: BTreeMap<MailboxId, Mailbox>,
    /// People of our team by what they do; also those who own no mailbox.
    pub roles: BTreeMap<RepId, Vec<RoleId>>,
    pub calendars: BTreeMap<String, Clockwork>,
    pub limits: Limits,
    pub linkedin: LinkedIn,
    /// How old the last successful read of an inbox may be for its mailbox to send (promise 2).
    pub reply_freshness: SignedDuration,
    /// A mail that did not come back within this counts as delivered.
    pub bounce_window: SignedDuration,
    /// The zone in which reps read dates.
    pub reader_zone: TimeZone,
    /// Makes Message-IDs unguessable and gaps repeatable. Never shown.
    pub secret: Vec<u8>,
}

/// Who we are, as every mail must say.
#[derive(Debug, Clone, Default)]
pub struct Company {
    pub name: String,
    pub postal_address: String,
}

/// A sending identity.
#[derive(Debug, Clone)]
pub struct Mailbox {
    pub id: MailboxId,
    pub from: EmailAddress,
    pub from_name: Option<String>,
    pub owner: RepId,
    /// Mails in any 24 hours once the ramp is over.
    pub daily_limit: u32,
    /// Mails in any 60 minutes; `None` leaves that to the gap.
    pub hourly_limit: Option<u32>,
    pub ramp: Ramp,
    /// The shortest and the longest pause between two mails.
    pub gap: (SignedDuration, SignedDuration),
    /// Whether replies can be read. A mailbox that cannot be read writes files only.
    pub has_inbox: bool,
    /// `{{sender.*}}` and `{{owner.*}}` in templates.
    pub card: BTreeMap<String, String>,
    pub unsubscribe_url: Option<String>,
}

/// On whose clock a calendar is read.
#[derive(Debug, Clone)]
pub enum Clock {
    /// Wherever the person is.
    Prospect,
    /// Wherever the rep is whose person it is.
    Owner(Arc<RepZones>),
    /// Always this one.
    Fixed(TimeZone),
}

/// Where the reps are.
#[derive(Debug, Clone)]
pub struct RepZones {
    pub known: BTreeMap<RepId, TimeZone>,
    /// Those of whom nothing is said.
    pub others: TimeZone,
}

impl RepZones {
    /// The zone of a rep.
    pub fn of(&self, rep: &RepId) -> &TimeZone {
        self.known.get(rep).unwrap_or(&self.others)
    }
}

/// A calendar, and on whose clock it is read.
#[derive(Debug, Clone)]
pub struct Clockwork {
    pub calendar: Calendar,
    pub clock: Clock,
    /// The zone of people whose own is unknown; without it they cannot be enrolled.
    pub if_zone_unknown: Option<TimeZone>,
    /// When there: the holidays of wherever the person is count as well.
    pub abroad: Option<Arc<HolidayBook>>,
    /// When people may be called, by country and region.
    pub call_rules: Arc<CallRules>,
    /// When this person may be called.
    pub calls: Arc<CallHours>,
}

impl Clockwork {
    /// A calendar on the prospect's clock.
    pub fn new(calendar: Calendar) -> Self {
        let (call_rules, calls) = Default::default();
        let clock = Clock::Prospect;
        Self { calendar, clock, if_zone_unknown: None, abroad: None, call_rules, calls }
    }

    /// As it holds for this person: with the holidays and the rules about calls of where they are.
    pub fn of(mut self, prospect: &Prospect) -> Self {
        let known = &prospect.known;
        let (country, region) = (known.country.as_deref(), known.region.as_deref());
        let there = self.abroad.as_ref().and_then(|book| book.of(country, region));
        self.calendar.holidays = self.calendar.holidays.with(there);
        self.calls = self.call_rules.of(country, region);
        self
    }
}

/// Limits that hold across all cadences.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Mails to one recipient domain in any 24 hours; free-mail providers are exempt.
    pub per_domain_per_day: u32,
    /// New people at one company in any 24 hours.
    pub new_per_company_per_day: u32,
    /// People at one company under way at once.
    pub active_per_company: u32,
    /// People of one rep under way at once; a cadence's own number goes first.
    pub active_per_rep: Option<u32>,
    /// Between touches of one person by different enrollments.
    pub prospect_gap: SignedDuration,
}

/// What LinkedIn takes from one account; nothing is assumed that the settings do not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkedIn {
    /// Characters of the note with a request to connect.
    pub note_limit: Option<u32>,
    /// Notes with a request to connect, for one rep in any 30 days.
    pub notes_per_month: Option<u32>,
    /// Requests to connect, for one rep in any 7 days.
    pub invites_per_week: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_domain_per_day: 5,
            new_per_company_per_day: 2,
            active_per_company: 3,
            active_per_rep: None,
            prospect_gap: SignedDuration::from_hours(48),
        }
    }
}

impl Settings {
    /// The mailbox through which a rep's people are written to: the rep's own, else the first.
    pub fn mailbox_of(&self, owner: &RepId) -> Option<&Mailbox> {
        let own = self.mailboxes.values().find(|mailbox| mailbox.owner == *owner);
        own.or_else(|| self.mailboxes.values().next())
    }

    /// Who holds a role, in the order of their names.
    pub fn holders(&self, role: &RoleId) -> Vec<&RepId> {
        let holds = |(_, roles): &(&RepId, &Vec<RoleId>)| roles.contains(role);
        self.roles.iter().filter(holds).map(|(rep, _)| rep).collect()
    }

    /// The reps who own a mailbox, without doubles: whose people prospects can be.
    pub fn reps(&self) -> Vec<RepId> {
        let mut reps: Vec<RepId> = self.mailboxes.values().map(|m| m.owner.clone()).collect();
        reps.sort();
        reps.dedup();
        reps
    }

    /// Everybody who can have tasks: the reps, and those who hold a role.
    pub fn team(&self) -> Vec<RepId> {
        let mut team = [self.reps(), self.roles.keys().cloned().collect()].concat();
        team.sort();
        team.dedup();
        team
    }
}
