//! Holds: what is stopped until a person lets it go on, and whom that puts off.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Engine, EngineError, Person};
use crate::domain::budget::Waiting;
use crate::domain::hold::{BREAKER_DAYS, Hold, HoldCause, HoldScope, Release};
use crate::domain::ids::{CadenceId, EnrollmentId, MailboxId, RepId};
use crate::domain::log::{Entry, What as Happened};
use crate::formats::diagnostic::did_you_mean;
use crate::ports::{Changes, EnrollmentMove, HoldBack, Lane, Wake};

/// How long people who are on hold are left alone; a release wakes them at once.
const HELD_FOR: SignedDuration = SignedDuration::from_hours(1);

impl Engine {
    /// Stops automatic work on something until a person lets it go on.
    ///
    /// # Errors
    /// There is no such mailbox, cadence or rep, or the store failed.
    pub async fn hold(&self, scope: HoldScope, note: &str, by: &str) -> Result<Hold, EngineError> {
        self.must_exist(&scope).await?;
        let cause = HoldCause::Manual;
        let (note, by, at) = (one_line(note), by.to_owned(), self.now());
        let hold = Hold { scope, cause, note, by, at };
        self.put_hold(hold.clone()).await?;
        Ok(hold)
    }

    /// Lets something go on: every hold on it is lifted, whatever its cause. Nothing bursts: windows,
    /// gaps and limits are as they were.
    ///
    /// # Errors
    /// It is not on hold, or the store failed.
    pub async fn release(&self, scope: HoldScope, by: &str) -> Result<Vec<Hold>, EngineError> {
        let holds = self.store.holds().await?;
        let lifted: Vec<Hold> = holds.iter().filter(|hold| hold.scope == scope).cloned().collect();
        if lifted.is_empty() {
            let held: Vec<String> = holds.iter().map(|hold| hold.scope.phrase()).collect();
            let held = match held.is_empty() {
                true => "nothing is".to_owned(),
                false => format!("on hold: {}", held.join(", ")),
            };
            return Err(EngineError::Refused(format!("{} is not on hold; {held}", scope.phrase())));
        }
        let at = self.now();
        let mut entry = Entry::new(at, Happened::Released).with("scope", scope.text());
        by.clone_into(&mut entry.actor);
        let released = vec![Release { scope, by: by.to_owned(), at }];
        self.store.write(Changes { released, log: vec![entry], ..Changes::default() }).await?;
        Ok(lifted)
    }

    /// Lifts whatever the engine holds by itself, as an operator does who has looked: in worlds that are
    /// simulated nobody else would. Says what it was.
    ///
    /// # Errors
    /// The store failed.
    pub async fn release_its_own(&self) -> Result<Vec<Hold>, EngineError> {
        let mut holds = self.store.holds().await?;
        holds.retain(|hold| hold.cause != HoldCause::Manual);
        for hold in &holds {
            self.release(hold.scope.clone(), "operator").await?;
        }
        Ok(holds)
    }

    async fn put_hold(&self, hold: Hold) -> Result<(), EngineError> {
        let mut entry = Entry::new(hold.at, Happened::Held).with("scope", hold.scope.text());
        entry = entry.with("cause", hold.cause.as_str()).with("note", &hold.note);
        entry.actor.clone_from(&hold.by);
        Ok(self
            .store
            .write(Changes { held: vec![hold], log: vec![entry], ..Changes::default() })
            .await?)
    }

    /// The engine's own holds; the same one is not put twice.
    pub(super) async fn hold_by_itself(
        &self,
        scope: HoldScope,
        cause: HoldCause,
        note: String,
    ) -> Result<(), EngineError> {
        let known = self.store.holds().await?;
        if known.iter().any(|hold| hold.scope == scope && hold.cause == cause) {
            return Ok(());
        }
        tracing::error!(
            on_hold = scope.phrase(),
            cause = cause.as_str(),
            note,
            advice = cause.advice(),
            "put on hold: nothing new is begun until a person releases it"
        );
        let (note, by, at) = (one_line(&note), "engine".to_owned(), self.now());
        self.put_hold(Hold { scope, cause, note, by, at }).await
    }

    /// Puts off whoever is due in a lane and on hold; whether the whole lane is.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn hold_back(&self, lane: &Lane, now: Timestamp) -> Result<bool, EngineError> {
        self.watch_clock(now).await?;
        let holds = self.store.holds().await?;
        let stops = |hold: &Hold| match (&hold.scope, lane) {
            (HoldScope::Everything, Lane::Mailbox(_)) => true,
            (HoldScope::Mailbox(held), Lane::Mailbox(id)) => held == id,
            _ => false,
        };
        if holds.iter().any(stops) {
            return Ok(true);
        }
        let scopes: BTreeSet<HoldScope> = holds.into_iter().map(|hold| hold.scope).collect();
        for scope in scopes {
            if let HoldScope::Mailbox(_) = scope {
                continue;
            }
            let until = now + HELD_FOR;
            let (lane, waiting) = (lane.clone(), Waiting::OnHold);
            self.store.hold_back(HoldBack { lane, scope, now, until, waiting }).await?;
        }
        self.hold_back_of_the_absent(lane, now).await?;
        Ok(false)
    }

    /// The people of whoever is away and whose work waits are put off together: asking for each of them,
    /// and opening a conversation with a server for it, would come to the same.
    async fn hold_back_of_the_absent(
        &self,
        lane: &Lane,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let absences = self.absences(now).await?;
        for (rep, until) in absences.all_held(now) {
            let (lane, scope, waiting) = (lane.clone(), HoldScope::Rep(rep), Waiting::OwnerAway);
            self.store.hold_back(HoldBack { lane, scope, now, until, waiting }).await?;
        }
        Ok(())
    }

    /// Holds a mailbox whose mails go to dead addresses or annoy people (product.md).
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn check_breakers(&self, mailbox: &MailboxId) -> Result<(), EngineError> {
        let since = self.now() - SignedDuration::from_hours(24 * BREAKER_DAYS);
        let health = self.store.health(mailbox, since).await?;
        match health.trips() {
            None => Ok(()),
            Some((cause, note)) => {
                self.hold_by_itself(HoldScope::Mailbox(mailbox.clone()), cause, note).await
            }
        }
    }

    /// Somebody who is due in a lane; nobody when they have moved since they were listed, to another
    /// time or into a lane with other guards. Nobody either when what they follow cannot be run: then
    /// their cadence is put on hold, and the others go on.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn due_person(
        &self,
        id: EnrollmentId,
        lane: &Lane,
        now: Timestamp,
    ) -> Result<Option<Person>, EngineError> {
        let is_due = |person: &Person| {
            let wake = person.enrollment.wake.as_ref();
            wake.is_some_and(|wake| wake.lane == *lane && wake.at <= now)
        };
        let error = match self.person(id).await {
            Err(error @ (EngineError::Version { .. } | EngineError::NotFound { .. })) => error,
            other => return other.map(|person| person.filter(is_due)),
        };
        let Some(record) = self.store.enrollment(id).await? else { return Ok(None) };
        let (scope, cause) = (HoldScope::Cadence(record.cadence.clone()), HoldCause::BrokenVersion);
        self.hold_by_itself(scope, cause, error.to_string()).await?;
        let now = self.now();
        let until = now + HELD_FOR;
        let wake = record.wake.map(|wake| Wake { at: until, waiting: Waiting::OnHold, ..wake });
        let moved = EnrollmentMove {
            id,
            revision: record.revision,
            at: now,
            state: record.state,
            wake,
            digest: None,
            mailbox: None,
            prospect: None,
            owner: None,
        };
        self.store.write(Changes { moved: vec![moved], ..Changes::default() }).await?;
        Ok(None)
    }

    async fn must_exist(&self, scope: &HoldScope) -> Result<(), EngineError> {
        let (what, name, known): (_, &str, Vec<String>) = match scope {
            HoldScope::Everything => return Ok(()),
            HoldScope::Mailbox(MailboxId(name)) => {
                ("mailbox", name, self.settings.mailboxes.keys().map(|id| id.0.clone()).collect())
            }
            HoldScope::Rep(RepId(name)) => return self.rep(name).map(drop),
            HoldScope::Cadence(CadenceId(name)) => {
                let cadences = self.store.current_cadences().await?;
                ("cadence", name, cadences.into_iter().map(|version| version.cadence.0).collect())
            }
        };
        if known.iter().any(|known| known == name) {
            return Ok(());
        }
        let meant = did_you_mean(name, known.iter().map(String::as_str));
        let hint = match meant {
            Some(meant) => format!("; did you mean `{meant}`?"),
            None => format!("; there are: {}", known.join(", ")),
        };
        Err(EngineError::NotFound { what, name: name.to_owned(), hint })
    }
}

/// A note is one line, and not a novel.
fn one_line(note: &str) -> String {
    let words: Vec<&str> = note.split_whitespace().collect();
    words.join(" ").chars().take(300).collect()
}
