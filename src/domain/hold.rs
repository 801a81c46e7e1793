//! Holds: automatic work that a person, or the engine itself, has stopped until a person lets it go on.
//!
//! On hold nothing new is begun: no mail leaves and no task is opened. Replies are read all the same, and
//! what is open already can be done.

use jiff::Timestamp;

use super::ids::{CadenceId, MailboxId, RepId};

/// What is on hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HoldScope {
    Everything,
    Mailbox(MailboxId),
    Cadence(CadenceId),
    /// Everybody whom a rep works.
    Rep(RepId),
}

/// Why: the closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HoldCause {
    /// Somebody of ours said so.
    Manual,
    /// The machine's clock was set to another time while the daemon ran.
    ClockJump,
    /// The clock stands before the last time at which a daemon worked on this database.
    ClockBehind,
    /// No daemon has worked on this database for so long that nobody can know what is still right.
    LongSilence,
    /// The database is older than what this machine has seen of it: a copy was put back.
    Restored,
    /// The database was worked by another machine before.
    Copied,
    /// Too many addresses of this mailbox's mails were dead.
    Bounces,
    /// Too many people complained about this mailbox's mails.
    Complaints,
    /// A version that people follow cannot be run with the settings as they are.
    BrokenVersion,
}

impl HoldCause {
    /// Every cause with the word that is stored and shown.
    pub const ALL: [(&'static str, Self); 9] = [
        ("manual", Self::Manual),
        ("clock_jump", Self::ClockJump),
        ("clock_behind", Self::ClockBehind),
        ("long_silence", Self::LongSilence),
        ("restored", Self::Restored),
        ("copied", Self::Copied),
        ("bounces", Self::Bounces),
        ("complaints", Self::Complaints),
        ("broken_version", Self::BrokenVersion),
    ];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, cause)| *cause == self).map_or("manual", |(word, _)| word)
    }

    /// From the word that is stored.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, cause)| *cause)
    }

    /// What somebody should look at before they let it go on.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Manual => "a person held it; ask them",
            Self::ClockJump | Self::ClockBehind => {
                "see that the clock of this machine is right (`timedatectl`), then let it go on"
            }
            Self::LongSilence => {
                "look at `firsttouch board`: what is due may be out of date; stop or move those people first"
            }
            Self::Restored => {
                "mails that left since the copy was made are not on record: stop or move the people who \
                 got one (look into the Sent folders), then let it go on"
            }
            Self::Copied => {
                "if the other machine still runs, stop it or this one: both would send; then let it go on"
            }
            Self::Bounces => {
                "look where these addresses came from, and clean the lists, before this mailbox goes on"
            }
            Self::Complaints => {
                "people called these mails spam: change whom you write to, or what, before it goes on"
            }
            Self::BrokenVersion => {
                "put back what is missing (see the note), or move the people to another version"
            }
        }
    }
}

/// One hold, in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub scope: HoldScope,
    pub cause: HoldCause,
    /// One line: the reason that a person gave, or the numbers.
    pub note: String,
    /// `engine`, or who it was.
    pub by: String,
    pub at: Timestamp,
}

/// Holds that a person lifts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub scope: HoldScope,
    pub by: String,
    pub at: Timestamp,
}

impl HoldScope {
    /// As it is stored and typed: `everything`, `mailbox:ann`.
    pub fn text(&self) -> String {
        match self {
            Self::Everything => "everything".to_owned(),
            Self::Mailbox(id) => format!("mailbox:{id}"),
            Self::Cadence(id) => format!("cadence:{id}"),
            Self::Rep(id) => format!("rep:{id}"),
        }
    }

    /// From [`HoldScope::text`].
    pub fn parse(text: &str) -> Option<Self> {
        if text == "everything" {
            return Some(Self::Everything);
        }
        let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty())?;
        match kind {
            "mailbox" => Some(Self::Mailbox(MailboxId::from(name))),
            "cadence" => Some(Self::Cadence(CadenceId::from(name))),
            "rep" => Some(Self::Rep(RepId::from(name))),
            _ => None,
        }
    }

    /// For people: `everything`, `mailbox ann`.
    pub fn phrase(&self) -> String {
        self.text().replacen(':', " ", 1)
    }

    /// Everything that would hold this person's next step.
    pub fn all_over(
        mailbox: Option<&MailboxId>,
        cadence: &CadenceId,
        owner: &RepId,
    ) -> Vec<HoldScope> {
        let mailbox = mailbox.map(|id| Self::Mailbox(id.clone()));
        let others = [Self::Cadence(cadence.clone()), Self::Rep(owner.clone())];
        std::iter::once(Self::Everything).chain(mailbox).chain(others).collect()
    }
}

/// How the mails of one mailbox fared in the window of the breakers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// Mails that were sent, and those whose address turned out to be dead at once.
    pub mails: u64,
    /// Those whose address was dead.
    pub dead: u64,
    pub complaints: u64,
}

/// The breakers look back so many days (product.md).
pub const BREAKER_DAYS: i64 = 28;

/// Fewer mails than this say nothing about bounces (product.md).
const MAILS_AT_LEAST: u64 = 20;

/// Fewer complaints than this may be chance (product.md).
const COMPLAINTS_AT_LEAST: u64 = 3;

impl Health {
    /// Why the mailbox must be held, if it must: 2 % dead addresses with 20 mails or more, or 0.1 %
    /// complaints with three or more (product.md).
    pub fn trips(&self) -> Option<(HoldCause, String)> {
        let Self { mails, dead, complaints } = *self;
        if complaints >= COMPLAINTS_AT_LEAST && complaints * 1000 >= mails {
            let note =
                format!("{complaints} complaints about {mails} mails in {BREAKER_DAYS} days");
            return Some((HoldCause::Complaints, note));
        }
        if mails >= MAILS_AT_LEAST && dead * 50 >= mails {
            let note =
                format!("{dead} of {mails} mails in {BREAKER_DAYS} days went to dead addresses");
            return Some((HoldCause::Bounces, note));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breaker_trips_at_its_share_and_not_below() {
        let health = |mails, dead, complaints| Health { mails, dead, complaints };
        for (health, cause) in [
            (health(0, 0, 0), None),
            (health(19, 19, 0), None),
            (health(20, 0, 0), None),
            (health(20, 1, 0), Some(HoldCause::Bounces)),
            (health(50, 1, 0), Some(HoldCause::Bounces)),
            (health(51, 1, 0), None),
            (health(100, 1, 0), None),
            (health(100, 2, 0), Some(HoldCause::Bounces)),
            (health(10, 0, 2), None),
            (health(3000, 0, 3), Some(HoldCause::Complaints)),
            (health(3001, 0, 3), None),
            (health(20, 5, 3), Some(HoldCause::Complaints)),
        ] {
            assert_eq!(health.trips().map(|(cause, _)| cause), cause, "{health:?}");
        }
    }

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        let all = HoldScope::all_over(
            Some(&MailboxId::from("ann")),
            &CadenceId::from("saas:outbound"),
            &RepId::from("bo"),
        );
        assert_eq!(all.len(), 4);
        for scope in all {
            assert_eq!(HoldScope::parse(&scope.text()), Some(scope));
        }
        for text in ["", "mailbox:", "mailbox", "person:1"] {
            assert_eq!(HoldScope::parse(text), None, "{text}");
        }
    }
}
