//! Holds: what a person stops and lets go on, and what the engine stops by itself because it cannot
//! know any more whether going on is right.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::workspace::hex;
use super::{Engine, EngineError, Person, lock};
use crate::domain::budget::Waiting;
use crate::domain::hold::{BREAKER_DAYS, Hold, HoldCause, HoldScope, Release};
use crate::domain::ids::{CadenceId, EnrollmentId, MailboxId, RepId};
use crate::domain::log::{Entry, What as Happened};
use crate::formats::diagnostic::did_you_mean;
use crate::ports::{Changes, EnrollmentMove, HoldBack, Lane, Wake};

/// A clock that was set by more than this did not drift: somebody or something set it.
const JUMP: SignedDuration = SignedDuration::from_mins(10);

/// After so long without a daemon nobody can know what is still right to send.
const SILENCE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The clocks of several nodes may differ by this.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// How long people who are on hold are left alone; a release wakes them at once.
const HELD_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Under which name the daemon notes when it last worked.
const BEAT: &str = "beat";
/// Under which name the database keeps with which key it is worked; a digest, not the key.
const KEY: &str = "key";
/// Under which name the database keeps who it is.
const INSTANCE: &str = "instance";

/// What a machine remembers of the database that it works, outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// The database's own name, made with it.
    pub instance: String,
    /// When a daemon here last worked on it.
    pub beat: Timestamp,
}

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
        let mut scopes: Vec<HoldScope> = holds.into_iter().map(|hold| hold.scope).collect();
        scopes.dedup();
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

    /// Holds everything when the clock was set while the daemon ran: hours, gaps and caps mean nothing
    /// until somebody has seen that it is right.
    async fn watch_clock(&self, now: Timestamp) -> Result<(), EngineError> {
        let steady = self.clock.steady();
        let before = lock(&self.seen).replace((now, steady));
        let Some((then, steady_then)) = before else { return Ok(()) };
        let jump = then.duration_until(now) - (steady - steady_then);
        if jump.abs() < JUMP {
            return Ok(());
        }
        let side = if jump.is_negative() { "back" } else { "forward" };
        let note =
            format!("the clock was set {side} by {}, from {then} to {now}", words(jump.abs()));
        self.hold_by_itself(HoldScope::Everything, HoldCause::ClockJump, note).await
    }

    /// Makes sure that every daemon on a database has the same key: Message-IDs are made with it, and
    /// a mail that is tried again on another node must keep its own.
    ///
    /// # Errors
    /// The database was worked with another key, and this one is not to take its place.
    pub async fn check_key(&self, takes_its_place: bool) -> Result<(), EngineError> {
        let digest =
            Sha256::new().chain_update(b"key ").chain_update(&self.settings.secret).finalize();
        let ours = hex(&digest[..8]);
        match self.store.note(KEY).await? {
            Some(known) if known != ours && !takes_its_place => Err(EngineError::Refused(
                "this database was worked with another key: copy the file .firsttouch/secret from the \
                 workspace of the first node (or from its backup) into this one. If it is lost for good, \
                 `firsttouch run --new-key` goes on with this one"
                    .to_owned(),
            )),
            Some(known) if known == ours => Ok(()),
            _ => Ok(self.store.put_note(KEY, &ours).await?),
        }
    }

    /// What a daemon makes sure of before it works: that the database is the one that this machine
    /// knows, and not an older copy of it, and that the clock stands behind what is on record. Whatever
    /// does not fit puts everything on hold.
    ///
    /// # Errors
    /// The store failed.
    pub async fn look_back(&self, memory: Option<&Memory>, fresh: &str) -> Result<(), EngineError> {
        let now = self.now();
        let instance = match self.store.note(INSTANCE).await? {
            Some(instance) => instance,
            None => {
                self.store.put_note(INSTANCE, fresh).await?;
                fresh.to_owned()
            }
        };
        let beat = self.store.note(BEAT).await?;
        let beat = beat.and_then(|text| text.parse::<Timestamp>().ok());
        for (cause, note) in doubts(now, beat, memory, &instance) {
            self.hold_by_itself(HoldScope::Everything, cause, note).await?;
        }
        Ok(())
    }

    /// Notes that a daemon works now, and says what its machine should remember.
    ///
    /// # Errors
    /// The store failed.
    pub async fn beat(&self) -> Result<Option<Memory>, EngineError> {
        let beat = self.now();
        self.store.put_note(BEAT, &beat.to_string()).await?;
        let instance = self.store.note(INSTANCE).await?;
        Ok(instance.map(|instance| Memory { instance, beat }))
    }

    /// Somebody who is due; nobody when what they follow cannot be run: then their cadence is put on
    /// hold, and the others go on.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn due_person(&self, id: EnrollmentId) -> Result<Option<Person>, EngineError> {
        let error = match self.person(id).await {
            Err(error @ (EngineError::Version { .. } | EngineError::NotFound { .. })) => error,
            other => return other,
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
            HoldScope::Rep(RepId(name)) => {
                ("rep", name, self.settings.team().into_iter().map(|id| id.0).collect())
            }
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

/// What does not fit together at the start of a daemon.
fn doubts(
    now: Timestamp,
    beat: Option<Timestamp>,
    memory: Option<&Memory>,
    instance: &str,
) -> Vec<(HoldCause, String)> {
    let mut doubts = Vec::new();
    if let Some(memory) = memory {
        if memory.instance != instance {
            let note = "this machine knows another database under this name".to_owned();
            doubts.push((HoldCause::Copied, note));
        } else if beat.is_none_or(|beat| beat + SKEW < memory.beat) {
            let seen = beat.map_or("never".to_owned(), |beat| format!("last on {beat}"));
            let note = format!(
                "by what it says it was {seen} worked, and a daemon here worked it on {}",
                memory.beat
            );
            doubts.push((HoldCause::Restored, note));
        }
    }
    let Some(beat) = beat else { return doubts };
    if now + JUMP < beat {
        let note = format!("it is {now} here, and a daemon worked on {beat} already");
        doubts.push((HoldCause::ClockBehind, note));
    }
    if beat.duration_until(now) > SILENCE {
        let note = format!("no daemon has worked since {beat}");
        doubts.push((HoldCause::LongSilence, note));
    }
    doubts
}

/// A span in its largest unit.
fn words(span: SignedDuration) -> String {
    let minutes = span.as_mins();
    match minutes {
        0..120 => format!("{minutes} minutes"),
        120..2880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

/// A note is one line, and not a novel.
fn one_line(note: &str) -> String {
    let words: Vec<&str> = note.split_whitespace().collect();
    words.join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn what_does_not_fit_at_the_start_is_named() {
        let now = at("2026-03-02T08:00:00Z");
        let memory =
            |instance: &str, beat| Memory { instance: instance.to_owned(), beat: at(beat) };
        let known = memory("a", "2026-03-02T07:55:00Z");
        let causes = |beat: Option<&str>, memory: Option<&Memory>| -> Vec<HoldCause> {
            let doubts = doubts(now, beat.map(at), memory, "a");
            doubts.into_iter().map(|(cause, _)| cause).collect()
        };
        assert_eq!(causes(None, None), []);
        assert_eq!(causes(Some("2026-03-02T07:55:00Z"), Some(&known)), []);
        assert_eq!(causes(Some("2026-03-02T07:58:00Z"), Some(&known)), []);
        assert_eq!(causes(Some("2026-03-02T07:54:30Z"), Some(&known)), []);
        assert_eq!(causes(Some("2026-03-02T07:50:00Z"), Some(&known)), [HoldCause::Restored]);
        assert_eq!(causes(None, Some(&known)), [HoldCause::Restored]);
        let other = memory("b", "2026-03-02T07:55:00Z");
        assert_eq!(causes(Some("2026-03-02T07:55:00Z"), Some(&other)), [HoldCause::Copied]);
        assert_eq!(causes(Some("2026-03-02T08:30:00Z"), None), [HoldCause::ClockBehind]);
        assert_eq!(causes(Some("2026-02-10T08:00:00Z"), None), [HoldCause::LongSilence]);
    }
}
