//! One use case per file: loads what a decision needs, lets `domain` decide, writes what was decided.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::domain::budget::mix;
use crate::domain::cadence::{Channel, Content};
use crate::domain::call_hours::Calls;
use crate::domain::enrollment::{self, Course};
use crate::domain::facts::Facts;
use crate::domain::hold::HoldScope;
use crate::domain::ids::{EnrollmentId, ProspectId, RepId, StepId};
use crate::domain::profile::Profile;
use crate::domain::prospect::Prospect;
use crate::domain::schedule::{self, Place};
use crate::domain::suppression::{Subject, closed_channels};
use crate::formats::profile_file;
use crate::formats::template::Context;
use crate::ports::{Clock, EnrollmentRecord, IdKind, Inbox, Lane, Mailer, Store, StoreError, Wake};

mod accounts;
pub mod apply;
pub mod away;
pub mod background;
pub mod board;
pub mod colleagues;
pub mod collect;
pub mod daemon;
pub mod desk;
pub mod dispatch;
pub mod enroll;
pub mod event;
pub mod history;
pub mod holds;
pub mod import;
pub mod letter;
mod nodes;
pub mod opening;
pub mod plan;
pub mod preview;
pub mod profiles;
pub mod report;
pub mod starts;

pub mod suppress;
pub mod surroundings;
pub mod tasks;
pub mod transition;
pub mod verify;
pub mod why;
pub mod workspace;

use crate::domain::settings::{Clock as Whose, Clockwork, LEASE, Mailbox, Settings};
use workspace::Version;

/// The engine: the same for the daemon, the demo and the simulation; only what it is given differs.
pub struct Engine {
    pub clock: Arc<dyn Clock>,
    pub store: Arc<dyn Store>,
    pub mailer: Arc<dyn Mailer>,
    pub inbox: Arc<dyn Inbox>,
    pub settings: Arc<Settings>,
    /// Names this process towards the others.
    pub node: String,
    /// How long a lease lasts; it is renewed at half of it.
    pub lease_lasts: SignedDuration,
    versions: Mutex<BTreeMap<String, Arc<Version>>>,
    profiles: Mutex<BTreeMap<String, Arc<Profile>>>,
    leases: Mutex<BTreeMap<String, (i64, Timestamp)>>,
    /// Leases that somebody else held, and when to ask again.
    refused: Mutex<BTreeMap<String, Timestamp>>,
    others: Mutex<nodes::Others>,
    /// Caps on new people of a rep that were found full, and until when.
    full: Mutex<BTreeMap<String, Timestamp>>,
    /// What the clock showed when it was last looked at, and the steady time then.
    seen: Mutex<Option<(Timestamp, SignedDuration)>>,
    stopping: AtomicBool,
}

/// What the engine is made of.
pub struct Parts {
    pub clock: Arc<dyn Clock>,
    pub store: Arc<dyn Store>,
    pub mailer: Arc<dyn Mailer>,
    pub inbox: Arc<dyn Inbox>,
    pub settings: Arc<Settings>,
    pub node: String,
}

/// Why the engine could not do something. Nothing was half done.
#[derive(Debug, Error)]
pub enum EngineError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An applied version does not run any more.
    #[error("cadence version {digest} cannot be run by this program: {detail}")]
    Version { digest: String, detail: String },
    /// Something that was named is not there.
    #[error("there is no {what} `{name}`{hint}")]
    NotFound { what: &'static str, name: String, hint: String },
    /// Something that cannot be done as asked.
    #[error("{0}")]
    Refused(String),
    /// Somebody else is at it; the same works later.
    #[error("{0}")]
    Busy(String),
}

/// One person on the way through one cadence, with everything that a decision needs.
#[derive(Clone)]
pub struct Person {
    pub enrollment: EnrollmentRecord,
    pub prospect: Prospect,
    pub version: Arc<Version>,
    pub profile: Option<Arc<Profile>>,
    pub clockwork: Clockwork,
    /// Every zone in which the person may be; never empty once enrolled, unless the settings changed.
    pub zones: Vec<TimeZone>,
    /// The same, whatever clock the calendar is read on: calls reach people where they are.
    pub there: Vec<TimeZone>,
    pub closed: Vec<Channel>,
}

impl Engine {
    /// An engine over the given world.
    pub fn new(parts: Parts) -> Self {
        let Parts { clock, store, mailer, inbox, settings, node } = parts;
        let (versions, profiles) = (Mutex::default(), Mutex::default());
        let (refused, others) = (Mutex::default(), Mutex::default());
        let (leases, full) = (Mutex::default(), Mutex::default());
        let (seen, stopping) = (Mutex::default(), AtomicBool::new(false));
        Self {
            clock,
            store,
            mailer,
            inbox,
            settings,
            node,
            lease_lasts: LEASE,
            versions,
            profiles,
            leases,
            refused,
            others,
            full,
            seen,
            stopping,
        }
    }

    /// Asks every worker to take nothing new; what is on its way is finished and recorded.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether [`Engine::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The instant that it is.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Everything about an enrollment, or `None` when there is no such.
    pub async fn person(&self, id: EnrollmentId) -> Result<Option<Person>, EngineError> {
        let Some(enrollment) = self.store.enrollment(id).await? else {
            return Ok(None);
        };
        let version = self.version(&enrollment.digest).await?;
        let clockwork = self.clockwork(&version.cadence.calendar)?;
        self.load(enrollment, version, clockwork).await
    }

    async fn load(
        &self,
        enrollment: EnrollmentRecord,
        version: Arc<Version>,
        clockwork: Clockwork,
    ) -> Result<Option<Person>, EngineError> {
        let Some(prospect) = self.store.prospects(&[enrollment.prospect]).await?.pop() else {
            return Ok(None);
        };
        let profile = match enrollment.profile_of(prospect.id) {
            Some((_, digest)) => self.profile(digest).await?,
            None => None,
        };
        let clockwork = clockwork.of(&prospect);
        let zones = zones_of(&prospect, &enrollment.owner, &clockwork);
        let there = zones_there(&prospect, &zones);
        let blocks = self.store.suppressions(&Subject::all_of(&prospect)).await?;
        let closed = closed_channels(&prospect, &blocks);
        Ok(Some(Person { enrollment, prospect, version, profile, clockwork, zones, there, closed }))
    }

    /// Somebody as one of the people of an enrollment: at an account it need not be their turn.
    pub(crate) async fn member(
        &self,
        id: EnrollmentId,
        who: ProspectId,
    ) -> Result<Option<Person>, EngineError> {
        match self.person(id).await? {
            Some(person) if person.prospect.id != who && person.is_at_account(who) => {
                self.as_member(&person, who).await
            }
            person => Ok(person),
        }
    }

    /// Another one of the account.
    async fn as_member(
        &self,
        person: &Person,
        who: ProspectId,
    ) -> Result<Option<Person>, EngineError> {
        let enrollment = EnrollmentRecord { prospect: who, ..person.enrollment.clone() };
        self.load(enrollment, person.version.clone(), person.clockwork.clone()).await
    }

    /// Whose turn it is behind a move, when it is not the person's own, and the state on their clock.
    async fn turn(
        &self,
        person: &Person,
        state: enrollment::State,
    ) -> Result<(Option<Person>, enrollment::State), EngineError> {
        let next = state.account.as_ref().and_then(|account| Some(account.current()?.who));
        let Some(who) = next.filter(|who| *who != person.prospect.id) else {
            return Ok((None, state));
        };
        let Some(next) = self.as_member(person, who).await? else { return Ok((None, state)) };
        let state =
            person.course(|before| next.course(|after| enrollment::retimed(before, after, state)));
        Ok((Some(next), state))
    }

    /// The cadence version of that digest, made ready once and kept.
    pub async fn version(&self, digest: &str) -> Result<Arc<Version>, EngineError> {
        if let Some(version) = lock(&self.versions).get(digest) {
            return Ok(version.clone());
        }
        let missing = || EngineError::Version {
            digest: digest.to_owned(),
            detail: "it is not in the database".to_owned(),
        };
        let record = self.store.cadence_version(digest).await?.ok_or_else(missing)?;
        let version =
            workspace::restore(&record.files).map_err(|findings| EngineError::Version {
                digest: digest.to_owned(),
                detail: findings.first().map_or_else(String::new, ToString::to_string),
            })?;
        let version = Arc::new(version);
        lock(&self.versions).insert(digest.to_owned(), version.clone());
        Ok(version)
    }

    async fn profile(&self, digest: &str) -> Result<Option<Arc<Profile>>, EngineError> {
        if let Some(profile) = lock(&self.profiles).get(digest) {
            return Ok(Some(profile.clone()));
        }
        let Some(record) = self.store.profile_version(digest).await? else {
            return Ok(None);
        };
        let Ok((profile, _)) = profile_file::parse(&record.path, &record.text) else {
            return Ok(None);
        };
        let profile = Arc::new(profile);
        lock(&self.profiles).insert(digest.to_owned(), profile.clone());
        Ok(Some(profile))
    }

    fn clockwork(&self, calendar: &str) -> Result<Clockwork, EngineError> {
        let found = self.settings.calendars.get(calendar).cloned();
        found.ok_or_else(|| EngineError::NotFound {
            what: "calendar",
            name: calendar.to_owned(),
            hint: ": a cadence that was applied needs it; put it back into firsttouch.toml"
                .to_owned(),
        })
    }

    async fn id(&self, kind: IdKind) -> Result<i64, EngineError> {
        Ok(self.store.ids(kind, 1).await?)
    }
}

/// The zones in which somebody may be, on a calendar's terms.
pub fn zones_of(prospect: &Prospect, owner: &RepId, clockwork: &Clockwork) -> Vec<TimeZone> {
    match &clockwork.clock {
        Whose::Prospect => {}
        Whose::Owner(zones) => return vec![zones.of(owner).clone()],
        Whose::Fixed(zone) => return vec![zone.clone()],
    }
    let zones = named_zones(prospect);
    match (&clockwork.if_zone_unknown, zones.is_empty()) {
        (Some(default), true) => vec![default.clone()],
        _ => zones,
    }
}

/// The zones in which the phone may ring: those in which somebody may be, else those of the calendar.
pub fn zones_there(prospect: &Prospect, of_calendar: &[TimeZone]) -> Vec<TimeZone> {
    let zones = named_zones(prospect);
    if zones.is_empty() { of_calendar.to_vec() } else { zones }
}

fn named_zones(prospect: &Prospect) -> Vec<TimeZone> {
    let named = prospect.known.time_zones.iter();
    named.filter_map(|name| TimeZone::get(name).ok()).collect()
}

impl Person {
    /// Whether somebody is one of the people of this account.
    pub fn is_at_account(&self, who: ProspectId) -> bool {
        let account = self.enrollment.state.account.as_ref();
        account.is_some_and(|account| account.member(who).is_some())
    }

    /// The zone in which days and dates are counted.
    pub fn zone(&self) -> TimeZone {
        self.zones.first().cloned().unwrap_or(TimeZone::UTC)
    }

    /// Calls `use_it` with the rules that this person follows.
    pub fn course<T>(&self, use_it: impl FnOnce(&Course) -> T) -> T {
        let zone = self.zone();
        let dates = enrollment::dates(&self.version.cadence, || Facts::of(&self.prospect));
        use_it(&Course {
            dates: &dates,
            cadence: &self.version.cadence,
            calendar: &self.clockwork.calendar,
            zone: &zone,
        })
    }

    /// Everything that would hold the next step, were it on hold.
    pub fn holds(&self) -> Vec<HoldScope> {
        let record = &self.enrollment;
        HoldScope::all_over(record.mailbox.as_ref(), &record.cadence, &record.owner)
    }

    /// Whether somebody reads the mail of a step before it leaves.
    pub fn is_reviewed(&self, step: &StepId) -> bool {
        let step = self.version.cadence.step(step).map(|(_, step)| step);
        step.is_some_and(|step| step.what.is_reviewed())
    }

    /// Where the person is and which hours hold there.
    pub fn place(&self) -> Place<'_> {
        Place {
            cadence: &self.version.cadence,
            calendar: &self.clockwork.calendar,
            zones: &self.zones,
            calls: self.calls(),
        }
    }

    /// When the person may be called at all.
    pub fn calls(&self) -> Calls<'_> {
        Calls { hours: &self.clockwork.calls, zones: &self.there }
    }

    /// When and by whom a state is to be looked at again.
    pub fn wake(&self, state: &enrollment::State) -> Option<Wake> {
        let next = schedule::next(&self.place(), state)?;
        let lane = match (&self.enrollment.mailbox, next.channel) {
            (Some(mailbox), Channel::Email) => Lane::Mailbox(mailbox.clone()),
            _ => Lane::Desk,
        };
        Some(Wake { lane, at: next.at, waiting: next.waiting })
    }

    /// A number that belongs to this person and step: the same in every run.
    pub fn seed(&self, step: &StepId, secret: &[u8]) -> u64 {
        let bytes = secret.iter().chain(step.as_str().as_bytes());
        let seed = bytes.fold(0, |seed, byte| mix(seed ^ u64::from(*byte)));
        mix(seed ^ mix(u64::try_from(self.enrollment.id.0).unwrap_or(0)))
    }

    /// The template that a mail step uses for this person; a split never flips.
    pub fn template<'a>(&self, step: &StepId, content: &'a Content) -> &'a str {
        let variants = match content {
            Content::Template(name) => return name,
            Content::Split(variants) => variants,
        };
        let id = u64::try_from(self.prospect.id.0).unwrap_or(0);
        let drawn =
            step.as_str().bytes().fold(mix(id), |seed, byte| mix(seed ^ u64::from(byte))) % 100;
        let mut upto = 0;
        for (name, weight) in variants {
            upto += u64::from(*weight);
            if drawn < upto {
                return name;
            }
        }
        variants.last().map_or("", |(name, _)| name.as_str())
    }

    /// What templates may say to this person.
    pub fn context(&self, sender: Option<&Mailbox>, now: Timestamp) -> Context {
        let card = sender.map(|mailbox| mailbox.card.clone()).unwrap_or_default();
        Context {
            facts: Facts::of(&self.prospect),
            owner: card.clone(),
            sender: card,
            say: self.profile.as_ref().map(|profile| profile.say.clone()).unwrap_or_default(),
            language: self.profile.as_ref().and_then(|profile| profile.language.clone()),
            last_touch: None,
            today: self.zone().to_datetime(now).date(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
