//! What can go wrong, by name: every kind is counted, and every kind can be switched off.

use std::collections::{BTreeMap, BTreeSet};

/// One kind of misfortune.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    CrashBeforeCommit,
    CrashBehindCommit,
    /// At any other call to the world.
    Crash,
    /// Others do something while a call waits.
    Interleave,
    /// A process stands still for longer than its lease, while the other works, and goes on.
    Sleep,
    ReadError,
    ErrorBeforeCommit,
    /// It is committed, and nobody says so.
    ErrorBehindCommit,
    TimeoutBeforeCommit,
    TimeoutBehindCommit,
    /// No write works for some minutes.
    DatabaseFull,
    /// Nothing works for some minutes.
    DatabaseLocked,
    LeaseRefused,
    /// Whoever is worked was listed a while ago: others have moved them since.
    OldList,
    ServerRefuses,
    ServerSlow,
    /// A mailbox's server takes nothing for a day.
    ServerGone,
    AnswerLost,
    /// The server has the mail, and nobody says so.
    AcceptedAnswerLost,
    AnswerLater,
    AnswerNever,
    InboxError,
    InboxSlow,
    /// An inbox cannot be read for a day.
    InboxGone,
    DeliveredTwice,
    ReadTwice,
    Reordered,
    ClockSmall,
    ClockYearBack,
    ClockMonthAhead,
    /// The clocks of the nodes differ by seconds.
    ClockSkew,
    /// A clock that runs backwards now and then.
    ClockBackwards,
    /// The machine is off for hours or days.
    LongOutage,
}

impl Kind {
    /// Every kind with the name by which it is switched off.
    pub const ALL: [(&'static str, Self); 33] = [
        ("crash-before-commit", Self::CrashBeforeCommit),
        ("crash-behind-commit", Self::CrashBehindCommit),
        ("crash", Self::Crash),
        ("interleave", Self::Interleave),
        ("sleep", Self::Sleep),
        ("read-error", Self::ReadError),
        ("error-before-commit", Self::ErrorBeforeCommit),
        ("error-behind-commit", Self::ErrorBehindCommit),
        ("timeout-before-commit", Self::TimeoutBeforeCommit),
        ("timeout-behind-commit", Self::TimeoutBehindCommit),
        ("database-full", Self::DatabaseFull),
        ("database-locked", Self::DatabaseLocked),
        ("lease-refused", Self::LeaseRefused),
        ("old-list", Self::OldList),
        ("server-refuses", Self::ServerRefuses),
        ("server-slow", Self::ServerSlow),
        ("server-gone", Self::ServerGone),
        ("answer-lost", Self::AnswerLost),
        ("accepted-answer-lost", Self::AcceptedAnswerLost),
        ("answer-later", Self::AnswerLater),
        ("answer-never", Self::AnswerNever),
        ("inbox-error", Self::InboxError),
        ("inbox-slow", Self::InboxSlow),
        ("inbox-gone", Self::InboxGone),
        ("delivered-twice", Self::DeliveredTwice),
        ("read-twice", Self::ReadTwice),
        ("reordered", Self::Reordered),
        ("clock-small", Self::ClockSmall),
        ("clock-year-back", Self::ClockYearBack),
        ("clock-month-ahead", Self::ClockMonthAhead),
        ("clock-skew", Self::ClockSkew),
        ("clock-backwards", Self::ClockBackwards),
        ("long-outage", Self::LongOutage),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// Which kinds are off, and how often each of the others happened.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    pub off: BTreeSet<Kind>,
    pub counts: BTreeMap<Kind, u64>,
}

impl Faults {
    /// Kinds by name, with commas.
    pub fn without(names: &str) -> Self {
        let find = |name: &str| {
            let found = Kind::ALL.iter().find(|(known, _)| *known == name);
            found.unwrap_or_else(|| panic!("there is no fault `{name}`")).1
        };
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self { off: names.map(find).collect(), counts: BTreeMap::new() }
    }

    /// The names that switch off the same.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.off.iter().map(|kind| kind.name()).collect();
        names.join(",")
    }

    /// Counts a fault, if its kind is on.
    pub fn happens(&mut self, kind: Kind) -> bool {
        let on = !self.off.contains(&kind);
        *self.counts.entry(kind).or_default() += u64::from(on);
        on
    }

    pub fn add(&mut self, other: &Self) {
        for (kind, n) in &other.counts {
            *self.counts.entry(*kind).or_default() += n;
        }
    }

    /// Kinds that are on and never happened.
    pub fn missing(&self) -> Vec<&'static str> {
        let never = |kind: &Kind| self.counts.get(kind).copied().unwrap_or(0) == 0;
        let all = Kind::ALL.iter().filter(|(_, kind)| !self.off.contains(kind) && never(kind));
        all.map(|(name, _)| *name).collect()
    }

    /// Name and number of each, on one line.
    pub fn summary(&self) -> String {
        let one = |(kind, n): (&Kind, &u64)| format!("{} {n}", kind.name());
        self.counts.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}
