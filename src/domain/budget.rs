//! Caps, ramps and gaps as arithmetic over counters.
//!
//! A cap holds in every rolling window: what was used is counted in buckets that are much shorter than
//! the window, and every bucket that overlaps the window counts in full. That errs on the safe side by
//! at most one bucket.

use jiff::{SignedDuration, Timestamp};

/// At most `limit` uses in any window of that length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// What is counted, such as `mailbox:ann` or `domain:acme.test`; also the order of locking.
    pub scope: String,
    /// The word of the closed list of reasons for waiting.
    pub reason: Waiting,
    pub limit: u32,
    pub window: SignedDuration,
}

/// Why something waits: the closed list that `why`, the board and the metrics share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Waiting {
    NotDue,
    OutsideHours,
    Holiday,
    MailboxLimit,
    MailboxDown,
    DomainLimit,
    RepLimit,
    CompanyLimit,
    ProspectLimit,
    InboxStale,
    InDoubt,
    OutOfOffice,
    PausedByRep,
    ColleagueHeard,
    OwnerAway,
    NeedsPerson,
    MissingField,
    NoTimeZone,
    TryLater,
    OnHold,
}

impl Waiting {
    /// Every reason with the word that is stored and shown.
    pub const ALL: [(&'static str, Self); 20] = [
        ("not_due", Self::NotDue),
        ("outside_hours", Self::OutsideHours),
        ("holiday", Self::Holiday),
        ("mailbox_limit", Self::MailboxLimit),
        ("mailbox_down", Self::MailboxDown),
        ("domain_limit", Self::DomainLimit),
        ("rep_limit", Self::RepLimit),
        ("company_limit", Self::CompanyLimit),
        ("prospect_limit", Self::ProspectLimit),
        ("inbox_stale", Self::InboxStale),
        ("in_doubt", Self::InDoubt),
        ("out_of_office", Self::OutOfOffice),
        ("paused_by_rep", Self::PausedByRep),
        ("colleague_heard", Self::ColleagueHeard),
        ("owner_away", Self::OwnerAway),
        ("needs_person", Self::NeedsPerson),
        ("missing_field", Self::MissingField),
        ("no_time_zone", Self::NoTimeZone),
        ("try_later", Self::TryLater),
        ("on_hold", Self::OnHold),
    ];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, reason)| *reason == self).map_or("not_due", |(word, _)| word)
    }

    /// Who can change it, and how.
    pub fn changed_by(self) -> &'static str {
        match self {
            Self::NotDue | Self::OutsideHours => "the manager: the cadence's days and hours",
            Self::Holiday => "the manager: the holidays of the calendar in firsttouch.toml",
            Self::MailboxLimit => "the operator: daily_limit, ramp and gap of the mailbox",
            Self::MailboxDown => "the operator: the mailbox's server and settings",
            Self::DomainLimit => "the operator: limits.per_domain_per_day",
            Self::RepLimit => "the manager: limits.new_per_rep_per_day of the cadence",
            Self::CompanyLimit => {
                "the operator or the manager: limits per company in firsttouch.toml or the cadence"
            }
            Self::ProspectLimit => {
                "the operator or the manager: limits.prospect_gap, limits of the cadence"
            }
            Self::InboxStale => "the operator: why the inbox cannot be read",
            Self::InDoubt => "time: a day without evidence and it counts as sent",
            Self::OutOfOffice => "time: the day on which they are back",
            Self::PausedByRep | Self::NeedsPerson => "the rep: `firsttouch today`",
            Self::ColleagueHeard => {
                "the rep: say what the colleague's reply means (`firsttouch today`)"
            }
            Self::OwnerAway => "a person: `firsttouch away end WHO`, or `firsttouch reassign`",
            Self::MissingField => "the rep: fill in the field",
            Self::NoTimeZone => "the rep: a country or a time zone",
            Self::TryLater => "time: it is tried again by itself",
            Self::OnHold => "a person: `firsttouch holds`",
        }
    }

    /// What the word means, for people.
    pub fn explain(self) -> &'static str {
        match self {
            Self::NotDue => "its time has not come",
            Self::OutsideHours => "outside the hours in which this may be done there",
            Self::Holiday => "it is a holiday there",
            Self::MailboxLimit => {
                "the mailbox has reached its limit, or keeps its gap between two mails"
            }
            Self::MailboxDown => "the mailbox's server does not take mail",
            Self::DomainLimit => "enough mail went to that company's domain for now",
            Self::RepLimit => "the rep has started enough new people for now",
            Self::CompanyLimit => "enough colleagues at that company are being worked",
            Self::ProspectLimit => "this person was touched a short time ago",
            Self::InboxStale => {
                "the mailbox's inbox could not be read lately, so nothing is sent from it"
            }
            Self::InDoubt => {
                "nobody knows whether the last mail left; it is not sent again by itself"
            }
            Self::OutOfOffice => "the person is out of office",
            Self::PausedByRep => "a person paused this",
            Self::ColleagueHeard => {
                "somebody at the same company replied or took a meeting: that is settled first"
            }
            Self::OwnerAway => "whose prospect this is, is away: see `firsttouch away list`",
            Self::NeedsPerson => "waits for a person: see `firsttouch today`",
            Self::MissingField => "the template needs a field that is not known",
            Self::NoTimeZone => "nobody knows what time it is there: set a country or a time zone",
            Self::TryLater => "the receiving server asked to try again later",
            Self::OnHold => "on hold until a person releases it: see `firsttouch holds`",
        }
    }
}

/// Uses in one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// The number of the bucket, as [`Cap::bucket`] gives it.
    pub bucket: i64,
    pub count: u32,
}

impl Cap {
    /// The length of this cap's buckets in milliseconds: a 24th of the window, at least a minute.
    pub fn bucket_ms(&self) -> i64 {
        let window_ms = i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX);
        (window_ms / 24).max(60_000)
    }

    /// The bucket in which an instant lies.
    pub fn bucket(&self, at: Timestamp) -> i64 {
        at.as_millisecond().div_euclid(self.bucket_ms())
    }

    /// The oldest bucket that still overlaps the window ending at `now`.
    pub fn oldest_bucket(&self, now: Timestamp) -> i64 {
        self.bucket(now.checked_sub(self.window).unwrap_or(Timestamp::MIN))
    }

    /// Whether one more use fits at `now`; `used` may hold buckets outside the window.
    ///
    /// # Errors
    /// The instant at which the next use fits, if nothing else is used until then.
    pub fn admit(&self, used: &[Used], now: Timestamp) -> Result<(), Timestamp> {
        let oldest = self.oldest_bucket(now);
        // A bucket of the future comes from another node's clock: it counts as well.
        let mut inside: Vec<Used> = used.iter().copied().filter(|u| u.bucket >= oldest).collect();
        let mut total: u64 = inside.iter().map(|u| u64::from(u.count)).sum();
        if total < u64::from(self.limit) {
            return Ok(());
        }
        inside.sort_by_key(|u| u.bucket);
        for bucket in &inside {
            total -= u64::from(bucket.count);
            if total < u64::from(self.limit) {
                return Err(self.leaves(bucket.bucket));
            }
        }
        Err(now.checked_add(self.window).unwrap_or(Timestamp::MAX))
    }

    /// The first instant at which a bucket overlaps the window no more.
    fn leaves(&self, bucket: i64) -> Timestamp {
        let end_ms = (bucket + 1).saturating_mul(self.bucket_ms());
        let end = Timestamp::from_millisecond(end_ms).unwrap_or(Timestamp::MAX);
        end.checked_add(self.window).unwrap_or(Timestamp::MAX)
    }
}

/// How a mailbox's daily limit grows from its first sending day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ramp {
    /// Mails on the first sending day.
    pub start: u32,
    /// More mails with each further sending day.
    pub add_per_day: u32,
}

impl Ramp {
    /// The daily limit of a mailbox that has sent on `sending_days` days before today.
    pub fn limit(&self, sending_days: u32, full: u32) -> u32 {
        self.start.saturating_add(self.add_per_day.saturating_mul(sending_days)).min(full)
    }
}

/// The pause between two mails of one mailbox, between `least` and `most`, drawn from a seed: the same
/// mail has the same pause in every run.
pub fn gap(least: SignedDuration, most: SignedDuration, seed: u64) -> SignedDuration {
    let least_ms = u64::try_from(least.as_millis()).unwrap_or(0);
    let most_ms = u64::try_from(most.as_millis()).unwrap_or(0).max(least_ms);
    let spread = most_ms - least_ms + 1;
    let drawn = least_ms + mix(seed) % spread;
    SignedDuration::from_millis(i64::try_from(drawn).unwrap_or(i64::MAX))
}

/// A well-spread number from a seed (SplitMix64, public domain, Sebastiano Vigna).
pub fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cap(limit: u32) -> Cap {
        let reason = Waiting::MailboxLimit;
        Cap { scope: "mailbox:ann".into(), reason, limit, window: SignedDuration::from_hours(24) }
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    #[test]
    fn a_full_window_names_the_instant_at_which_it_has_room_again() {
        let used = [Used { bucket: 0, count: 2 }, Used { bucket: 5, count: 1 }];
        assert_eq!(cap(4).admit(&used, at(6)), Ok(()));
        assert_eq!(cap(3).admit(&used, at(6)), Err(at(25)));
        assert_eq!(cap(1).admit(&used, at(6)), Err(at(30)));
        assert_eq!(cap(3).admit(&used, at(25)), Ok(()));
        assert_eq!(cap(0).admit(&[], at(6)), Err(at(30)));
    }

    #[test]
    fn a_ramp_grows_by_the_day_up_to_the_full_limit() {
        let ramp = Ramp { start: 5, add_per_day: 2 };
        assert_eq!([0, 1, 17, 18, 500].map(|days| ramp.limit(days, 40)), [5, 7, 39, 40, 40]);
    }

    proptest! {
        #[test]
        fn no_rolling_window_ever_holds_more_than_the_limit(
            limit in 1u32..6,
            waits in prop::collection::vec(0i64..400, 1..120),
        ) {
            let cap = cap(limit);
            let (mut now, mut uses, mut used) = (at(1000), Vec::new(), Vec::<Used>::new());
            for wait in waits {
                now += SignedDuration::from_mins(wait);
                if cap.admit(&used, now).is_err() {
                    continue;
                }
                uses.push(now);
                match used.iter_mut().find(|u| u.bucket == cap.bucket(now)) {
                    Some(bucket) => bucket.count += 1,
                    None => used.push(Used { bucket: cap.bucket(now), count: 1 }),
                }
            }
            for start in &uses {
                let inside = |t: &&Timestamp| **t >= *start && **t < *start + cap.window;
                prop_assert!(uses.iter().filter(inside).count() <= limit as usize);
            }
        }

        #[test]
        fn what_is_refused_fits_at_the_instant_it_was_told(
            limit in 0u32..5,
            buckets in prop::collection::vec((0i64..30, 1u32..4), 0..12),
        ) {
            let cap = cap(limit);
            let used: Vec<Used> =
                buckets.into_iter().map(|(bucket, count)| Used { bucket, count }).collect();
            if let Err(free) = cap.admit(&used, at(29)) {
                prop_assert!(free > at(29));
                prop_assert!(limit == 0 || cap.admit(&used, free).is_ok());
            }
        }

        #[test]
        fn a_gap_stays_between_its_bounds(least in 0i64..600, more in 0i64..600, seed: u64) {
            let (least, most) = (SignedDuration::from_secs(least), SignedDuration::from_secs(least + more));
            let drawn = gap(least, most, seed);
            prop_assert!(least <= drawn && drawn <= most);
        }
    }
}
