//! Whether clock, database and key are still those with which the engine worked before. Where it cannot
//! know, it holds everything: going on might send twice, or at night.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::workspace::hex;
use super::{Engine, EngineError, lock};
use crate::domain::hold::{HoldCause, HoldScope};

/// A clock that was set by more than this did not drift: somebody or something set it.
const JUMP: SignedDuration = SignedDuration::from_mins(10);

/// After so long without a daemon nobody can know what is still right to send.
const SILENCE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The clocks of several nodes may differ by this.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

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
    /// Holds everything when the clock was set while the daemon ran: hours, gaps and caps mean nothing
    /// until somebody has seen that it is right.
    pub(super) async fn watch_clock(&self, now: Timestamp) -> Result<(), EngineError> {
        let seen = (now, self.clock.steady());
        let before = *lock(&self.seen);
        let (then, steady_then) = before.unwrap_or(seen);
        let jump = then.duration_until(now) - (seen.1 - steady_then);
        if jump.abs() >= JUMP {
            self.hold_for_clock(jump, then, now).await?;
        }
        // Only now: a hold that could not be written is tried again before anything else is done.
        *lock(&self.seen) = Some(seen);
        Ok(())
    }

    async fn hold_for_clock(
        &self,
        jump: SignedDuration,
        then: Timestamp,
        now: Timestamp,
    ) -> Result<(), EngineError> {
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
        // Of nodes that begin a database at the same time, one is the first.
        let known = self.store.note_first(KEY, &ours).await?;
        if known == ours {
            return Ok(());
        }
        match takes_its_place {
            true => Ok(self.store.put_note(KEY, &ours).await?),
            false => Err(EngineError::Refused(
                "this database was worked with another key: copy the file .firsttouch/secret from the \
                 workspace of the first node (or from its backup) into this one. If it is lost for good, \
                 `firsttouch run --new-key` goes on with this one"
                    .to_owned(),
            )),
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
        let instance = self.store.note_first(INSTANCE, fresh).await?;
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
