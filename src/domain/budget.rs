//! Caps, ramps and gaps as arithmetic over counters.
//!
//! A cap holds in every rolling window: what was used is counted in buckets that are much shorter than
//! the window, and every bucket that overlaps the window counts in full. That errs on the safe side by
//! at most one bucket.

use jiff::{SignedDuration, Timestamp};

use super::ids::RepId;

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
            Self::MailboxLimit => {
                "the operator: daily_limit, hourly_limit, ramp and gap of the mailbox"
            }
            Self::MailboxDown => "the operator: the mailbox's server and settings",
            Self::DomainLimit => "the operator: limits.per_domain_per_day",
            Self::RepLimit => {
                "the manager: limits per rep of the cadence; the operator: [limits] and [linkedin]"
            }
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
            Self::RepLimit => "the rep has enough new people, or invitations, for now",
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
    /// The length of this cap's buckets in milliseconds: minutes for an hour, else a 24th of the window.
    pub fn bucket_ms(&self) -> i64 {
        let window_ms = i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX);
        if window_ms <= 3_600_000 { 60_000 } else { window_ms / 24 }
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

    /// The daily limit on the last of these days. Behind a silence it begins at half of what it had
    /// reached, though never below the start, and grows from there.
    pub fn limit_after(&self, days: SendingDays, full: u32) -> u32 {
        let usual = self.limit(days.before, full);
        let Some(resumed) = days.resumed else { return usual };
        let reached = self.limit(resumed.saturating_sub(1), full);
        let again = Self { start: self.start.max(reached / 2), ..*self };
        again.limit(days.before.saturating_sub(resumed), full).min(usual)
    }
}

/// A mailbox without a mail for more than so many days begins again at half of its limit.
pub const SILENCE_DAYS: i64 = 14;

/// The days on which a mailbox has sent, as far as its ramp asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SendingDays {
    /// How many there were before the last one.
    pub before: u32,
    /// The number of the last one; `None` when it has never sent.
    pub last: Option<i64>,
    /// How many there had been when it last began again behind a silence.
    pub resumed: Option<u32>,
}

impl SendingDays {
    /// The days once a mail has left on that one.
    pub fn with(self, day: i64) -> Self {
        let Some(last) = self.last.filter(|last| *last != day) else {
            return Self { last: Some(day), ..self };
        };
        let before = self.before.saturating_add(1);
        let was_silent = day.saturating_sub(last) > SILENCE_DAYS;
        let resumed = if was_silent { Some(before) } else { self.resumed };
        Self { before, last: Some(day), resumed }
    }
}

/// What a network counts of what a rep does there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metered {
    /// A request to connect.
    Invite,
    /// A request to connect that carries a note; it counts as an invitation, too.
    InviteWithNote,
}

impl Metered {
    /// Both with the word that is stored.
    pub const ALL: [(&'static str, Self); 2] =
        [("invite", Self::Invite), ("invite_with_note", Self::InviteWithNote)];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, metered)| *metered == self).map_or("invite", |(word, _)| word)
    }

    /// Whether this uses up what that allows.
    pub fn counts_as(self, quota: Self) -> bool {
        quota == Self::Invite || self == quota
    }
}

/// At most `limit` of what a rep does on a network, in any window of that length: what was done in it,
/// and what is offered to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    pub rep: RepId,
    pub metered: Metered,
    pub limit: u32,
    pub window: SignedDuration,
}

/// How much of a quota is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuotaUsed {
    /// Tasks that are open.
    pub open: u32,
    /// When each of those was done that still count, in the order of time.
    pub done: Vec<Timestamp>,
}

/// How soon to look again at the soonest: nobody knows when an open task is over, and everybody who waits
/// for the same place would ask whenever one is free.
pub const QUOTA_RETRY: SignedDuration = SignedDuration::from_hours(4);

impl Quota {
    /// The outcomes after which nothing was sent, so that the network has counted nothing.
    pub const NOTHING_SENT: [&'static str; 3] = ["already_connected", "not_found", "skipped"];

    /// What was done before this counts no more.
    pub fn since(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.window).unwrap_or(Timestamp::MIN)
    }

    /// Whether one more task may be opened at `now`.
    ///
    /// # Errors
    /// The instant at which to ask again.
    pub fn admit(&self, used: &QuotaUsed, now: Timestamp) -> Result<(), Timestamp> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let open = usize::try_from(used.open).unwrap_or(usize::MAX);
        let over = open.saturating_add(used.done.len()).saturating_add(1).saturating_sub(limit);
        let Some(last) = over.checked_sub(1) else { return Ok(()) };
        let retry = now.checked_add(QUOTA_RETRY).unwrap_or(Timestamp::MAX);
        let leaves = used.done.get(last).filter(|_| limit > 0);
        let leaves = leaves.map(|done| done.checked_add(self.window).unwrap_or(Timestamp::MAX));
        Err(leaves.map_or(retry, |leaves| leaves.max(retry)))
    }
}

/// The first of the days by which waiting is counted: 1 January 2026.
const FIRST_DAY: i64 = 20_454;

/// The place of somebody new in a lane, the lowest first: by score, and each day of waiting counts as
/// much as one point. Everybody grows older at the same pace, so that the place never changes; and who
/// scores less by `n` points is passed by those only who came in the first `n` days behind them.
pub fn rank_of_new(score: i64, enrolled_at: Timestamp) -> i64 {
    let day = enrolled_at.as_millisecond().div_euclid(86_400_000).saturating_sub(FIRST_DAY);
    1_000_000_i64.saturating_sub(score).saturating_add(day.max(0)).max(1)
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

    #[test]
    fn behind_a_silence_a_mailbox_begins_at_half_of_what_it_had_reached() {
        let ramp = Ramp { start: 5, add_per_day: 2 };
        let sent_on =
            |days: &[i64]| days.iter().fold(SendingDays::default(), |all, d| all.with(*d));
        let daily: Vec<i64> = (0..30).collect();
        let with = |more: &[i64]| [daily.clone(), more.to_vec()].concat();
        for (days, limit, told) in [
            (vec![], 5, "never"),
            (vec![0], 5, "first day"),
            (vec![0, 0, 0], 5, "one day"),
            (vec![0, 1, 14], 9, "13 days are no silence"),
            (with(&[43]), 40, "14 days are none"),
            (with(&[44]), 20, "more than 14 days are one"),
            (with(&[44, 44, 45]), 22, "it grows again"),
            (with(&[44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54]), 40, "up to the full limit"),
            (with(&[44, 45, 60]), 20, "the second silence"),
            (vec![0, 15], 5, "never below the start"),
            (vec![0, 1, 2, 17, 18], 7, "and on from there"),
            (vec![20, 3, 4], 9, "a clock that was set back is no silence"),
        ] {
            assert_eq!(ramp.limit_after(sent_on(&days), 40), limit, "{told}: {days:?}");
        }
        let none = Ramp { start: 40, add_per_day: 0 };
        assert_eq!(none.limit_after(sent_on(&[0, 90]), 40), 40, "without a ramp there is nothing");
    }

    #[test]
    fn a_quota_counts_what_is_open_and_what_was_done_in_its_window() {
        let quota = |limit| Quota {
            rep: "ann".into(),
            metered: Metered::Invite,
            limit,
            window: SignedDuration::from_hours(168),
        };
        let used = QuotaUsed { open: 2, done: vec![at(10), at(20)] };
        let retry = Err(at(30) + QUOTA_RETRY);
        for (limit, expected) in
            [(5, Ok(())), (4, Err(at(178))), (3, Err(at(188))), (2, retry), (0, retry)]
        {
            assert_eq!(quota(limit).admit(&used, at(30)), expected, "{limit}");
        }
        assert_eq!(quota(4).admit(&used, at(177)), Err(at(177) + QUOTA_RETRY));
        assert!(Metered::InviteWithNote.counts_as(Metered::Invite));
        assert!(!Metered::Invite.counts_as(Metered::InviteWithNote));
    }

    #[test]
    fn each_day_of_waiting_counts_as_much_as_one_point() {
        let day = |n: i64| Timestamp::from_second((FIRST_DAY + n) * 86_400).unwrap();
        let mut places = [(10, 3), (12, 4), (12, 5), (40, 20), (11, 3), (40, 34)]
            .map(|(score, n)| (rank_of_new(score, day(n)), score, n));
        places.sort();
        let order = places.map(|(_, score, n)| (score, n));
        assert_eq!(order, [(40, 20), (11, 3), (12, 4), (10, 3), (12, 5), (40, 34)]);
        assert_eq!(rank_of_new(40, day(-900)), 999_960);
        assert_eq!(rank_of_new(i64::MAX, day(1)), 1);
    }

    proptest! {
        #[test]
        fn no_rolling_window_ever_holds_more_than_the_limit(
            limit in 1u32..6,
            minutes in prop::sample::select(vec![60i64, 24 * 60, 7 * 24 * 60]),
            waits in prop::collection::vec(0i64..400, 1..120),
        ) {
            let cap = Cap { window: SignedDuration::from_mins(minutes), ..cap(limit) };
            let (mut now, mut uses, mut used) = (at(1000), Vec::new(), Vec::<Used>::new());
            for wait in waits {
                now += SignedDuration::from_secs(wait * minutes / 24);
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
