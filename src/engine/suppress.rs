//! Blocking somebody by hand: at once, on everything that waits.

use jiff::Timestamp;

use super::dispatch::transition;
use super::{Engine, EngineError};
use crate::domain::address::{EmailAddress, is_free_mail};
use crate::domain::enrollment::Event;
use crate::domain::identity::Identity;
use crate::domain::ids::ProspectId;
use crate::domain::log::{Entry, What as Happened};
use crate::domain::suppression::{Cause, Subject, Suppression};
use crate::ports::{Changes, StoreError};

/// A block that lost a race is tried again so often.
const RACES: usize = 5;

/// What a block stopped.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// What was written into the list of suppressions.
    pub subjects: Vec<String>,
    /// How many enrollments ended because of it.
    pub ended: usize,
}

impl Engine {
    /// Blocks an address (and the person who has it), a domain or a phone number.
    ///
    /// # Errors
    /// The text is none of these, or a free-mail domain.
    pub async fn suppress(&self, what: &str, actor: &str) -> Result<Blocked, EngineError> {
        let subject = parse(what)?;
        for _ in 0..RACES {
            match self.try_suppress(&subject, actor).await {
                // Somebody of these is just being worked: look again.
                Err(EngineError::Store(StoreError::Stale(_))) => {}
                other => return other,
            }
        }
        self.try_suppress(&subject, actor).await
    }

    /// The block and the ends that it brings, in one transaction.
    async fn try_suppress(&self, subject: &Subject, actor: &str) -> Result<Blocked, EngineError> {
        let now = self.now();
        let people = self.people_under(subject).await?;
        let subjects = [subject.clone()].into_iter();
        let subjects = subjects.chain(people.iter().map(|id| Subject::Person(*id)));
        let mut entry = Entry::new(now, Happened::Suppressed).with("kind", subject.kind());
        entry.actor = actor.to_owned();
        let mut changes = Changes { log: vec![entry], ..Changes::default() };
        let mut blocked = Blocked::default();
        for subject in subjects {
            blocked.subjects.push(format!("{} {}", subject.kind(), subject.value()));
            let (cause, source) = (Cause::Manual, actor.to_owned());
            changes.suppressions.push(Suppression { subject, cause, source, at: now });
        }
        for person in people {
            blocked.ended += self.end_all(person, now, &mut changes).await?;
        }
        self.store.write(changes).await?;
        Ok(blocked)
    }

    /// What [`Engine::suppress`] would write, and how many people it covers.
    ///
    /// # Errors
    /// As [`Engine::suppress`].
    pub async fn would_suppress(&self, what: &str) -> Result<(String, usize), EngineError> {
        let subject = parse(what)?;
        let people = self.people_under(&subject).await?.len();
        Ok((format!("{} {}", subject.kind(), subject.value()), people))
    }

    /// The prospects that an address belongs to.
    async fn people_under(&self, subject: &Subject) -> Result<Vec<ProspectId>, EngineError> {
        let Subject::Email(canonical) = subject else {
            return Ok(Vec::new());
        };
        let key = Identity::new(Identity::EMAIL, canonical);
        Ok(self.store.find_identity(&[key]).await?.into_values().collect())
    }

    async fn end_all(
        &self,
        prospect: ProspectId,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<usize, EngineError> {
        let mut ended = 0;
        for enrollment in self.store.enrollments_of(prospect).await? {
            if enrollment.over_for(prospect).is_some() {
                continue;
            }
            let Some(person) = self.member(enrollment.id, prospect).await? else { continue };
            let stopped = Event::Of { who: prospect, event: Box::new(Event::Stopped) };
            let (state, effects) = transition(&person, stopped, now)?;
            let after = state.clone();
            changes.append(self.changes(&person, state, &effects, now).await?);
            self.tell_colleagues(&person, &after, now, changes).await?;
            ended += 1;
        }
        Ok(ended)
    }
}

pub(crate) fn parse(what: &str) -> Result<Subject, EngineError> {
    let what = what.trim();
    if let Ok(address) = what.parse::<EmailAddress>() {
        return Ok(Subject::email(&address));
    }
    let digits = what.strip_prefix('+').filter(|rest| {
        (7..=15).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit())
    });
    if digits.is_some() {
        return Ok(Subject::Phone(what.to_owned()));
    }
    let domain = what.trim_start_matches('@').to_lowercase();
    if is_free_mail(&domain) {
        return Err(EngineError::Refused(format!(
            "{domain} is a free-mail provider: blocking it would block strangers. Block the address instead"
        )));
    }
    match format!("postmaster@{domain}").parse::<EmailAddress>() {
        Ok(address) => Ok(Subject::Domain(address.domain().to_owned())),
        Err(_) => Err(EngineError::Refused(format!(
            "`{what}` is neither an e-mail address, nor a domain, nor a phone number like +14155552671"
        ))),
    }
}
