//! Something happened to a person: cadences that wait for it take them in, and those that they are in
//! note it. All of it is one transaction, and what has a key counts once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::dispatch::transition;
use super::enroll::{Entrance, Mode, already_in, enrolled};
use super::import::identities;
use super::starts::waited_for;
use super::tasks::check_value;
use super::{Engine, EngineError};
use crate::domain::cadence::{Cadence, EVENTS, Seen};
use crate::domain::enrollment::Event;
use crate::domain::facts::{DATES, DEAL, FIELDS, FILLABLE, fill, is_fillable};
use crate::domain::ids::{CadenceId, EnrollmentId, ProspectId, RepId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::prospect::Prospect;
use crate::formats::diagnostic::did_you_mean;
use crate::formats::yaml::reading::is_slug;
use crate::ports::{Changes, EnrollmentRecord, IdKind, StoreError, ToldEvent};

/// How often telling begins again because people moved on meanwhile.
const RACES: usize = 20;

/// A longer key is a mistake.
const MAX_KEY: usize = 200;

/// Something that happened to somebody.
#[derive(Debug, Clone)]
pub struct Telling {
    pub name: String,
    /// An e-mail address or a prospect id.
    pub who: String,
    /// The same key counts once.
    pub key: Option<String>,
    /// When it happened; `None` is now.
    pub happened_at: Option<Timestamp>,
    /// Fields of the person that are known with it.
    pub set: Vec<(String, String)>,
    pub actor: RepId,
}

/// What came of an event.
#[derive(Debug, Clone)]
pub struct Told {
    pub prospect: Prospect,
    /// When the same event was told before; then nothing was done.
    pub before: Option<Timestamp>,
    /// Cadences in which the person is, and which have noted it.
    pub noted: Vec<CadenceId>,
    /// Cadences that wait for it, or for the fields that were set.
    pub answers: Vec<(CadenceId, Answer)>,
}

/// What a cadence does with somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It takes them in; when the first step is due.
    Starts(Option<Timestamp>),
    /// It does not, for this reason.
    StaysOut(String),
}

impl Engine {
    /// Tells that something happened to somebody.
    ///
    /// # Errors
    /// Nobody waits for an event of that name, the person is not known, or the key was used for
    /// something else.
    pub async fn tell_event(&self, telling: &Telling, mode: Mode) -> Result<Told, EngineError> {
        self.check(telling)?;
        if mode == Mode::Commit {
            // Whoever is enrolled must be recognised when they answer.
            self.recognise_everybody().await?;
        }
        let prospect = self.known_person(&telling.who).await?;
        let mut outcome = self.tell_once(telling, prospect, mode).await;
        for _ in 0..RACES {
            let Err(EngineError::Store(StoreError::Stale(_) | StoreError::Taken(_))) = &outcome
            else {
                break;
            };
            let prospect = self.known_person(&telling.who).await?;
            outcome = self.tell_once(telling, prospect, mode).await;
        }
        outcome
    }

    fn check(&self, telling: &Telling) -> Result<(), EngineError> {
        let refused = |why: String| Err(EngineError::Refused(why));
        let name = &telling.name;
        if EVENTS.contains(&name.as_str()) {
            return refused(format!("firsttouch notes `{name}` by itself: it is not to be told"));
        }
        let is_key = |key: &String| {
            !key.trim().is_empty() && key.len() <= MAX_KEY && !key.chars().any(char::is_control)
        };
        if telling.key.as_ref().is_some_and(|key| !is_key(key)) {
            return refused(format!("the key needs 1 to {MAX_KEY} characters in one line"));
        }
        if telling.happened_at.is_some_and(|at| at > self.now()) {
            return refused("it cannot have happened in the future".to_owned());
        }
        telling.set.iter().try_for_each(|(field, value)| {
            check_field(field)?;
            check_value(field, value)
        })
    }

    async fn known_person(&self, who: &str) -> Result<Prospect, EngineError> {
        let missing = || EngineError::NotFound {
            what: "person",
            name: who.to_owned(),
            hint: ": import them first (`firsttouch import FILE`, a list of one is enough), then \
                   tell it again"
                .to_owned(),
        };
        let id = self.find_prospect(who).await?.ok_or_else(missing)?;
        self.store.prospects(&[id]).await?.pop().ok_or_else(missing)
    }

    async fn tell_once(
        &self,
        telling: &Telling,
        prospect: Prospect,
        mode: Mode,
    ) -> Result<Told, EngineError> {
        if let Some(before) = self.told_before(telling, prospect.id).await? {
            let (noted, answers) = (Vec::new(), Vec::new());
            return Ok(Told { prospect, before: Some(before), noted, answers });
        }
        let now = self.now();
        let history = self.store.enrollments_of(prospect.id).await?;
        self.check_name(&telling.name, prospect.id, &history).await?;
        let mut changes = Changes::default();
        let was = prospect.clone();
        let prospect = filled(prospect, &telling.set);
        changes.log.push(told_entry(telling, prospect.id, now));
        if prospect != was {
            changes.prospects.push((prospect.clone(), identities(&prospect.known)));
        }
        let noted = self.note_event(telling, &prospect, &history, now, &mut changes).await?;
        let answers = self.answers(telling, (&was, &prospect), mode, now, &mut changes).await?;
        if mode == Mode::Commit {
            let (name, prospect) = (telling.name.clone(), prospect.id);
            let told = |key: String| ToldEvent { key, name, prospect, told_at: now };
            changes.told = telling.key.clone().map(told);
            self.store.write(changes).await?;
        }
        Ok(Told { prospect, before: None, noted, answers })
    }

    /// When this very event was told before.
    async fn told_before(
        &self,
        telling: &Telling,
        prospect: ProspectId,
    ) -> Result<Option<Timestamp>, EngineError> {
        let Some(key) = &telling.key else { return Ok(None) };
        let Some(told) = self.store.told_event(key).await? else { return Ok(None) };
        if told.name == telling.name && told.prospect == prospect {
            return Ok(Some(told.told_at));
        }
        Err(EngineError::Refused(format!(
            "the key `{key}` was used already, for `{}` of prospect {}: an event of its own needs a \
             key of its own",
            told.name, told.prospect
        )))
    }

    /// Nobody waits for an event of another name, so that it is a slip.
    async fn check_name(
        &self,
        name: &str,
        who: ProspectId,
        history: &[EnrollmentRecord],
    ) -> Result<(), EngineError> {
        let mut known: BTreeSet<String> = BTreeSet::new();
        let current = self.store.current_cadences().await?;
        let current = current.iter().map(|record| &record.digest);
        let open = history.iter().filter(|record| is_open_for(who, record));
        let open = open.map(|record| &record.digest);
        for digest in current.chain(open) {
            let version = self.version(digest).await?;
            known.extend(version.cadence.own_events().into_iter().map(str::to_owned));
        }
        if known.contains(name) {
            return Ok(());
        }
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let hint = match (did_you_mean(name, names.iter().copied()), names.is_empty()) {
            (_, true) => ": no applied cadence waits for one. Write `when: { event: NAME }` under \
                          `enroll:` of a cadence, and `firsttouch apply` it"
                .to_owned(),
            (Some(near), _) => {
                format!("; did you mean `{near}`? Cadences wait for: {}", names.join(", "))
            }
            (None, _) => format!("; cadences wait for: {}", names.join(", ")),
        };
        let what = "cadence that waits for the event";
        Err(EngineError::NotFound { what, name: name.to_owned(), hint })
    }

    /// Adds the event to the ways on which the person was when it happened.
    async fn note_event(
        &self,
        telling: &Telling,
        prospect: &Prospect,
        history: &[EnrollmentRecord],
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<Vec<CadenceId>, EngineError> {
        let happened_at = telling.happened_at.unwrap_or(now);
        let mut noted = Vec::new();
        let on_it = |record: &&EnrollmentRecord| {
            is_open_for(prospect.id, record) && record.enrolled_at <= happened_at
        };
        for record in history.iter().filter(on_it) {
            let Some(mut person) = self.person(record.id).await? else { continue };
            if person.prospect.id == prospect.id {
                person.prospect = prospect.clone();
            }
            let event = Event::Told { event: telling.name.clone() };
            let (state, effects) = transition(&person, event, now)?;
            if state != person.enrollment.state {
                changes.append(self.changes(&person, state, &effects, now).await?);
            }
            noted.push(record.cadence.clone());
        }
        Ok(noted)
    }

    /// What each cadence says that waits for the event, or for what was set with it. The first one that
    /// may takes the person in.
    async fn answers(
        &self,
        telling: &Telling,
        (was, is): (&Prospect, &Prospect),
        mode: Mode,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<Vec<(CadenceId, Answer)>, EngineError> {
        let entrance = Entrance { at: now, leaving: None };
        let mut answers = BTreeMap::new();
        for record in self.store.current_cadences().await? {
            let version = self.version(&record.digest).await?;
            let cadence = &version.cadence;
            let met = cadence.is_newly_met_by(Some(Seen::from(was)), Seen::from(is));
            if !cadence.starts_with(&telling.name) && !met {
                continue;
            }
            let admitting = self.admitting(&cadence.id).await?;
            let answer = match self.admit(&admitting, is, &entrance).await? {
                Ok(_) if !changes.enrolled.is_empty() => {
                    stay_out(is.id, cadence, already_in(), now, changes)
                }
                Ok(mut enrollment) => {
                    if mode == Mode::Commit {
                        enrollment.id = EnrollmentId(self.id(IdKind::Enrollment).await?);
                    }
                    start(enrollment, cadence, &telling.name, now, changes)
                }
                Err(reason) => stay_out(is.id, cadence, reason, now, changes),
            };
            answers.insert(cadence.id.clone(), answer);
        }
        Ok(answers.into_iter().collect())
    }
}

/// The event that lets somebody in has happened on their way, too.
fn start(
    mut enrollment: EnrollmentRecord,
    cadence: &Cadence,
    event: &str,
    now: Timestamp,
    changes: &mut Changes,
) -> Answer {
    enrollment.state.happened.insert(event.to_owned());
    let entry = enrolled(&enrollment, now);
    changes.log.push(match cadence.starts_with(event) {
        true => entry.with("event", event),
        false => entry.with("field", waited_for(cadence)),
    });
    let due = enrollment.wake.as_ref().map(|wake| wake.at);
    changes.enrolled.push(enrollment);
    Answer::Starts(due)
}

fn stay_out(
    prospect: ProspectId,
    cadence: &Cadence,
    reason: String,
    now: Timestamp,
    changes: &mut Changes,
) -> Answer {
    let entry = Entry { prospect: Some(prospect), ..Entry::new(now, Happened::NotEnrolled) };
    changes.log.push(entry.with("cadence", &cadence.id).with("reason", &reason));
    Answer::StaysOut(reason)
}

fn is_open_for(who: ProspectId, record: &EnrollmentRecord) -> bool {
    record.over_for(who).is_none()
}

fn filled(mut prospect: Prospect, set: &[(String, String)]) -> Prospect {
    for (field, value) in set {
        fill(&mut prospect.known, field, value.trim());
    }
    prospect
}

fn told_entry(telling: &Telling, prospect: ProspectId, now: Timestamp) -> Entry {
    let entry = Entry::new(now, Happened::Told).with("event", &telling.name);
    let mut entry = Entry { prospect: Some(prospect), actor: telling.actor.0.clone(), ..entry };
    if let Some(key) = &telling.key {
        entry = entry.with("key", key);
    }
    if let Some(at) = telling.happened_at {
        entry = entry.with("happened_at", at);
    }
    if !telling.set.is_empty() {
        let names: Vec<&str> = telling.set.iter().map(|(name, _)| name.as_str()).collect();
        entry = entry.with("filled", names.join(", "));
    }
    entry
}

/// A field that can be given with an event: of the person, a date, of the deal, or a column of a list.
fn check_field(field: &str) -> Result<(), EngineError> {
    let refused = |why: String| Err(EngineError::Refused(why));
    let own = field.strip_prefix("x.").or_else(|| field.strip_prefix(DEAL));
    if own.is_some_and(is_slug) || FILLABLE.contains(&field) || DATES.contains(&field) {
        return Ok(());
    }
    if !is_fillable(field) {
        return refused(format!("`{field}` comes from lists only: import it"));
    }
    let known = FILLABLE.iter().chain(DATES).chain(FIELDS).copied();
    match did_you_mean(field, known) {
        Some(near) => refused(format!("there is no field `{field}`; did you mean `{near}`?")),
        None if is_slug(field) => Ok(()),
        None => refused(format!(
            "there is no field `{field}`: write {}, x.COLUMN or deal.COLUMN",
            FILLABLE.join(", ")
        )),
    }
}
