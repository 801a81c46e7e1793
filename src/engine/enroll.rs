//! Letting people into a cadence: who fits, who does not and why.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::{Engine, EngineError, Person, zones_of, zones_there};
use crate::domain::cadence::{Admission, Audience, Cadence, Channel, Covers};
use crate::domain::call_hours::Calls;
use crate::domain::enrollment::{self, Course, Ending, Member, Phase, State};
use crate::domain::facts::Facts;
use crate::domain::ids::{CadenceId, EnrollmentId, MailboxId, ProfileId, ProspectId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::profile::{self, Fit, Matchers, Person as Candidate, Profile};
use crate::domain::prospect::{Prospect, Relationship};
use crate::domain::schedule::{self, Place};
use crate::domain::settings::Clockwork;
use crate::domain::suppression::{Subject, closed_channels};
use crate::ports::{Changes, EnrollmentRecord, IdKind, Lane, ProfileRecord, Wake};

/// People written in one transaction.
pub(super) const CHUNK: usize = 200;

/// What enrolling came to. Every person is in exactly one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Enrolled {
    pub people: usize,
    pub enrolled: usize,
    /// Where a cadence covers companies: so many of them, with all those people.
    pub accounts: usize,
    /// Reason, as a sentence, to people; each person under one reason.
    pub skipped: BTreeMap<String, usize>,
    pub first_due_at: Option<Timestamp>,
}

impl Enrolled {
    /// Counts other people, too.
    pub(super) fn add(&mut self, other: Self) {
        self.people += other.people;
        self.enrolled += other.enrolled;
        self.accounts += other.accounts;
        for (reason, people) in other.skipped {
            *self.skipped.entry(reason).or_default() += people;
        }
        self.first_due_at = self.first_due_at.into_iter().chain(other.first_due_at).min();
    }

    pub(super) fn skip(&mut self, reason: impl Into<String>) {
        *self.skipped.entry(reason.into()).or_default() += 1;
    }
}

/// Whether to do it or only to say what would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    DryRun,
    Commit,
}

/// When somebody comes in, and from where.
pub(super) struct Entrance {
    pub at: Timestamp,
    /// The enrollment that ends with it.
    pub leaving: Option<EnrollmentId>,
}

/// A cadence with everything that decides who may come in.
pub(super) struct Admitting {
    pub cadence: Cadence,
    pub digest: String,
    pub profiles: Vec<(Profile, String)>,
    pub matchers: Matchers,
    pub clockwork: Clockwork,
}

impl Engine {
    /// Enrolls people in the current version of a cadence.
    ///
    /// # Errors
    /// The cadence was never applied, or the store failed; people enrolled until then stay enrolled.
    pub async fn enroll(
        &self,
        people: &[ProspectId],
        cadence: &CadenceId,
        mode: Mode,
    ) -> Result<Enrolled, EngineError> {
        // Whoever is enrolled must be recognised when they answer.
        self.recognise_everybody().await?;
        let admitting = self.admitting(cadence).await?;
        let entrance = Entrance { at: self.now(), leaving: None };
        if admitting.covers_companies() {
            return self.enroll_accounts(people, &admitting, &entrance, mode).await;
        }
        let mut result = Enrolled { people: people.len(), ..Enrolled::default() };
        for chunk in people.chunks(CHUNK) {
            let prospects = self.store.prospects(chunk).await?;
            let records = self.admit_all(&admitting, &prospects, &entrance, &mut result).await?;
            if mode == Mode::Commit && !records.is_empty() {
                self.write_enrolled(records, None, Changes::default()).await?;
            }
        }
        Ok(result)
    }

    /// The enrollments of those who may come in, and in `result` why the others may not.
    pub(super) async fn admit_all(
        &self,
        admitting: &Admitting,
        prospects: &[Prospect],
        entrance: &Entrance,
        result: &mut Enrolled,
    ) -> Result<Vec<EnrollmentRecord>, EngineError> {
        let mut records = Vec::new();
        for prospect in prospects {
            match self.admit(admitting, prospect, entrance).await? {
                Ok(record) => records.push(record),
                Err(reason) => result.skip(reason),
            }
        }
        result.enrolled += records.len();
        let due = records.iter().filter_map(|record| record.wake.as_ref().map(|wake| wake.at));
        result.first_due_at = due.chain(result.first_due_at).min();
        Ok(records)
    }

    /// Writes enrollments together with other changes; the log says because of what.
    pub(super) async fn write_enrolled(
        &self,
        mut records: Vec<EnrollmentRecord>,
        because: Option<(&str, String)>,
        mut changes: Changes,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let n = u32::try_from(records.len()).unwrap_or(u32::MAX);
        let first = if n == 0 { 0 } else { self.store.ids(IdKind::Enrollment, n).await? };
        for (id, record) in (first..).zip(&mut records) {
            record.id = EnrollmentId(id);
            changes.log.extend(entries(record, now).into_iter().map(|entry| match &because {
                Some((key, value)) => entry.with(key, value),
                None => entry,
            }));
        }
        changes.enrolled.extend(records);
        Ok(self.store.write(changes).await?)
    }

    pub(super) async fn admitting(&self, id: &CadenceId) -> Result<Admitting, EngineError> {
        let current = self.store.current_cadences().await?;
        let Some(version) = current.iter().find(|version| version.cadence == *id) else {
            let known: Vec<&str> = current.iter().map(|version| version.cadence.as_str()).collect();
            let hint = match known.is_empty() {
                true => " yet: run `firsttouch apply` first".to_owned(),
                false => format!("; applied are: {}", known.join(", ")),
            };
            return Err(EngineError::NotFound {
                what: "applied cadence",
                name: id.0.clone(),
                hint,
            });
        };
        let ready = self.version(&version.digest).await?;
        let profiles = self.store.current_profiles().await?;
        let profiles = profiles_of(&ready.cadence, &profiles);
        let matchers = Matchers::new(profiles.iter().map(|(profile, _)| profile));
        let clockwork = self.clockwork(&ready.cadence.calendar)?;
        let (cadence, digest) = (ready.cadence.clone(), version.digest.clone());
        Ok(Admitting { cadence, digest, profiles, matchers, clockwork })
    }

    /// The enrollment that follows on one that ends now, or why there is none. Everything that holds
    /// for other people who come in holds for this one, at the time at which it begins.
    pub(super) async fn successor(
        &self,
        person: &Person,
        cadence: &CadenceId,
        at: Timestamp,
    ) -> Result<Result<EnrollmentRecord, String>, EngineError> {
        let admitting = match self.admitting(cadence).await {
            Ok(admitting) => admitting,
            Err(error @ EngineError::NotFound { .. }) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        };
        let leaving = Some(person.enrollment.id);
        let entrance = Entrance { at, leaving };
        let admitted = self.admit(&admitting, &person.prospect, &entrance).await?;
        let Ok(mut record) = admitted else { return Ok(admitted) };
        record.id = EnrollmentId(self.id(IdKind::Enrollment).await?);
        Ok(Ok(record))
    }

    /// A new enrollment for one person, or why there is none.
    pub(super) async fn admit(
        &self,
        admitting: &Admitting,
        prospect: &Prospect,
        entrance: &Entrance,
    ) -> Result<Result<EnrollmentRecord, String>, EngineError> {
        if admitting.covers_companies() {
            let cadence = &admitting.cadence.id;
            return Ok(Err(format!("{cadence} takes in companies, not one person")));
        }
        let zones = match self.may_come(admitting, prospect, entrance).await? {
            Ok(zones) => zones,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let chosen = match choose(admitting, prospect) {
            Ok(chosen) => chosen,
            Err(reason) => return Ok(Err(reason)),
        };
        let mailbox = self.settings.mailbox_of(&prospect.owner).map(|mailbox| mailbox.id.clone());
        let zone = zones.first().cloned().unwrap_or(TimeZone::UTC);
        let dates = enrollment::dates(&admitting.cadence, || Facts::of(prospect));
        let clockwork = admitting.clockwork.clone().of(prospect);
        let course = Course {
            dates: &dates,
            cadence: &admitting.cadence,
            calendar: &clockwork.calendar,
            zone: &zone,
        };
        let Some(state) = enrollment::begin(&course, entrance.at) else {
            return Ok(Err("the cadence has no steps".to_owned()));
        };
        let wake = wake(admitting, prospect, &zones, mailbox.as_ref(), &state);
        Ok(Ok(EnrollmentRecord {
            id: EnrollmentId(0),
            prospect: prospect.id,
            company: prospect.company_id,
            cadence: admitting.cadence.id.clone(),
            digest: admitting.digest.clone(),
            score: chosen.as_ref().map_or(0, |(_, _, score)| *score),
            profile: chosen.map(|(id, digest, _)| (id, digest)),
            owner: prospect.owner.clone(),
            mailbox,
            state,
            revision: 0,
            wake,
            enrolled_at: self.now(),
        }))
    }

    /// The zones in which somebody may be who may come in, whatever profile they fit; or why not.
    pub(super) async fn may_come(
        &self,
        admitting: &Admitting,
        prospect: &Prospect,
        entrance: &Entrance,
    ) -> Result<Result<Vec<TimeZone>, String>, EngineError> {
        let blocks = self.store.suppressions(&Subject::all_of(prospect)).await?;
        let closed = closed_channels(prospect, &blocks);
        let history = self.store.enrollments_of(prospect.id).await?;
        let zones = zones_of(prospect, &prospect.owner, &admitting.clockwork);
        let refusal = refusal(admitting, prospect, &closed)
            .or_else(|| busy(admitting, prospect.id, &history, entrance, self.now()))
            .or_else(|| zones.is_empty().then(no_zone));
        Ok(refusal.map_or(Ok(zones), Err))
    }
}

impl Admitting {
    pub(super) fn covers_companies(&self) -> bool {
        matches!(self.cadence.unit, Covers::Company { .. })
    }
}

/// When and where a new enrollment is looked at first.
pub(super) fn wake(
    admitting: &Admitting,
    prospect: &Prospect,
    zones: &[TimeZone],
    mailbox: Option<&MailboxId>,
    state: &State,
) -> Option<Wake> {
    let clockwork = admitting.clockwork.clone().of(prospect);
    let (cadence, calendar) = (&admitting.cadence, &clockwork.calendar);
    let there = zones_there(prospect, zones);
    let calls = Calls { hours: &clockwork.calls, zones: &there };
    let next = schedule::next(&Place { cadence, calendar, zones, calls }, state)?;
    let lane = match (mailbox, next.channel) {
        (Some(mailbox), Channel::Email) => Lane::Mailbox(mailbox.clone()),
        _ => Lane::Desk,
    };
    Some(Wake { lane, at: next.at, waiting: next.waiting })
}

pub(super) fn already_in() -> String {
    "is already in a cadence".to_owned()
}

pub(super) fn no_zone() -> String {
    "no time zone is known: set a country (`import --default-country`)".to_owned()
}

/// The profiles that may let somebody in, in the order in which the cadence names them.
fn profiles_of(cadence: &Cadence, records: &[ProfileRecord]) -> Vec<(Profile, String)> {
    let of_roles: Vec<ProfileId> =
        cadence.unit.roles().iter().map(|(_, profile)| profile.clone()).collect();
    let wanted = match (&cadence.unit, &cadence.profiles) {
        (Covers::Company { .. }, _) => &of_roles,
        (Covers::Prospect, Admission::OneOf(wanted)) => wanted,
        (Covers::Prospect, Admission::Anybody) => return Vec::new(),
    };
    let find = |id: &ProfileId| records.iter().find(|record| record.profile == *id);
    let parsed = wanted.iter().filter_map(find).filter_map(|record| {
        let (profile, _) = crate::formats::profile_file::parse(&record.path, &record.text).ok()?;
        Some((profile, record.digest.clone()))
    });
    parsed.collect()
}

/// Reasons that have nothing to do with profiles.
pub(super) fn refusal(
    admitting: &Admitting,
    prospect: &Prospect,
    closed: &[Channel],
) -> Option<String> {
    let audience = admitting.cadence.audience;
    if prospect.relationship == Relationship::Customer && audience == Audience::Prospects {
        return Some("is a customer: a cold cadence is not for them".to_owned());
    }
    if prospect.relationship == Relationship::Prospect && audience == Audience::Customers {
        return Some("is not a customer yet: this cadence is for customers".to_owned());
    }
    let usable = |channel: &Channel| !closed.contains(channel);
    let has = |channel: &Channel| match channel {
        Channel::Email => prospect.known.email.is_some(),
        Channel::Call => !prospect.known.phones.is_empty(),
        Channel::Social => prospect.known.linkedin.is_some(),
        Channel::Task => false,
    };
    let open = [Channel::Email, Channel::Call, Channel::Social].iter().any(|c| usable(c) && has(c));
    (!open).then(|| "do-not-contact, or no channel is left".to_owned())
}

/// Already under way somewhere, or here a short time before it would begin.
pub(super) fn busy(
    admitting: &Admitting,
    who: ProspectId,
    history: &[EnrollmentRecord],
    entrance: &Entrance,
    now: Timestamp,
) -> Option<String> {
    let ended_at = |record: &EnrollmentRecord| match record.over_for(who) {
        None if entrance.leaving == Some(record.id) => Some(now),
        over => over,
    };
    if history.iter().any(|record| ended_at(record).is_none()) {
        return Some(already_in());
    }
    // Whoever was taken out before anything was tried has not been here.
    let was_here = |record: &&EnrollmentRecord| match record.state.phase {
        Phase::Ended { ending: Ending::Removed, .. } => record.state.has_begun(),
        _ => true,
    };
    let here = history.iter().filter(|record| record.cadence == admitting.cadence.id);
    let here = here.filter(was_here);
    let last = here.filter_map(ended_at).max()?;
    let again = match admitting.cadence.again_after {
        None => return Some("has been in this cadence, which is for once only".to_owned()),
        Some(delay) => admitting.clockwork.calendar.after(last, delay, &TimeZone::UTC),
    };
    (again > entrance.at).then(|| {
        let on = Zoned::new(again, TimeZone::UTC).date();
        format!("has been in this cadence; may come again from {} on", on.first_of_month())
    })
}

/// The log entries of a new enrollment: of an account one for each of its people.
fn entries(record: &EnrollmentRecord, now: Timestamp) -> Vec<Entry> {
    let first = enrolled(record, now);
    let Some(account) = &record.state.account else { return vec![first] };
    let joined = |member: &Member| {
        let prospect = Some(member.who);
        let entry =
            Entry { prospect, enrollment: Some(record.id), ..Entry::new(now, Happened::Joined) };
        let profile = member.profile.as_ref().map_or("any", |(id, _)| id.as_str());
        entry.with("cadence", &record.cadence).with("role", &member.role).with("profile", profile)
    };
    [first].into_iter().chain(account.members.iter().map(joined)).collect()
}

/// The log entry of a new enrollment.
pub(super) fn enrolled(record: &EnrollmentRecord, now: Timestamp) -> Entry {
    let (prospect, enrollment) = (Some(record.prospect), Some(record.id));
    let entry = Entry { prospect, enrollment, ..Entry::new(now, Happened::Enrolled) };
    let profile = record.profile.as_ref().map_or("any", |(id, _)| id.as_str());
    entry.with("cadence", &record.cadence).with("profile", profile)
}

pub(super) type Chosen = Option<(ProfileId, String, i64)>;

/// The profile that lets the person in, or the reason why none does.
pub(super) fn choose(admitting: &Admitting, prospect: &Prospect) -> Result<Chosen, String> {
    if admitting.cadence.profiles == Admission::Anybody && !admitting.covers_companies() {
        return Ok(None);
    }
    let facts = Facts::of(prospect);
    if let Some((at, score)) = admitting.matchers.best(&Candidate::new(&facts)) {
        let chosen = admitting.profiles.get(at);
        return Ok(chosen.map(|(profile, digest)| (profile.id.clone(), digest.clone(), score)));
    }
    let judge = |(profile, _): &(Profile, String)| profile::evaluate(profile, &facts).fit;
    let fits: Vec<Fit> = admitting.profiles.iter().map(judge).collect();
    // The nearest miss explains most: fewest lines failed.
    let incomplete = fits.iter().find_map(|fit| match fit {
        Fit::Incomplete { missing } => Some(missing.join(" and ")),
        Fit::Fits { .. } | Fit::DoesNotFit { .. } => None,
    });
    if let Some(missing) = incomplete {
        return Err(format!("fits a profile, but {missing} is not known"));
    }
    let failed = fits.iter().filter_map(|fit| match fit {
        Fit::DoesNotFit { failed } => Some(failed),
        Fit::Fits { .. } | Fit::Incomplete { .. } => None,
    });
    let nearest = failed.min_by_key(|failed| failed.len());
    Err(match nearest.and_then(|failed| failed.first()) {
        Some(line) => format!("does not match a profile: {line}"),
        None => "does not match a profile".to_owned(),
    })
}
