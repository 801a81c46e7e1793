//! Numbers out of the event log: every one can be derived again from the same entries (promise 11).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::cadence::SKIPPED;
use super::ids::{EnrollmentId, ProspectId, TouchId};
use super::log::{Entry, What};

/// First touches, replies and what else came of the enrollments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub enrolled: u64,
    /// Touches by channel: mails that a server took over, tasks that a person did.
    pub touches: BTreeMap<String, u64>,
    /// The channel, and the touch where a person did it.
    first_touched: BTreeMap<ProspectId, (String, Option<TouchId>)>,
    /// How many touches of each enrollment there are.
    reached: BTreeMap<EnrollmentId, u64>,
    replied: BTreeMap<EnrollmentId, Heard>,
    pub replies: u64,
    pub auto_replies: u64,
    pub bounces: u64,
    pub soft_bounces: u64,
    pub opted_out: u64,
    pub complaints: u64,
    pub in_doubt: u64,
    pub assumed_sent: u64,
    pub skipped: u64,
    pub expired: u64,
    /// Tasks with a target (`within`), and those of them that were done in time.
    pub in_time: Rate,
    /// Enrollments by how they ended.
    pub endings: BTreeMap<String, u64>,
    last_ending: BTreeMap<EnrollmentId, String>,
}

/// The replies to one enrollment. Which was first is told by their times, never by the order of the
/// log: with a clock that is set back, or several nodes, the two differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Heard {
    /// On the phone or a network, where a person wrote it down: no latency is known, and it can be
    /// taken back.
    spoken: u32,
    /// The first by mail: when it was taken in, and its latency in milliseconds.
    written: Option<(Timestamp, i64)>,
}

impl Tally {
    /// Takes one more entry in, in the order of the log.
    pub fn add(&mut self, entry: &Entry) {
        match entry.what {
            What::Enrolled => self.enrolled += 1,
            What::Sent => self.touch(entry, "email"),
            What::Settled => {
                self.assumed_sent += 1;
                self.touch(entry, "email");
            }
            What::TaskDone if entry.touch.is_some() => {
                self.target(entry);
                let channel = entry.detail("channel").to_owned();
                self.touch(entry, &channel);
            }
            What::TaskUndone => self.take_back(entry),
            What::Replied => self.reply(entry),
            What::AutoReplied => self.auto_replies += 1,
            What::Bounced => self.bounces += 1,
            What::SoftBounced => self.soft_bounces += 1,
            What::OptedOut => self.opted_out += 1,
            What::Complained => self.complaints += 1,
            What::InDoubt => self.in_doubt += 1,
            What::Skipped => self.skipped += 1,
            What::TaskExpired => self.expired += 1,
            What::Ended => self.end(entry),
            What::Imported
            | What::ImportUndone
            | What::Told
            | What::Joined
            | What::NotEnrolled
            | What::Intended
            | What::Refused
            | What::Deferred
            | What::TaskOpened
            | What::TaskDone
            | What::TaskSnoozed
            | What::Reassigned
            | What::Away
            | What::Back
            | What::Noticed
            | What::Unmatched
            | What::Suppressed
            | What::Paused
            | What::Resumed
            | What::Moved
            | What::Left
            | What::Applied
            | What::Held
            | What::Released => {}
        }
    }

    fn touch(&mut self, entry: &Entry, channel: &str) {
        *self.touches.entry(channel.to_owned()).or_default() += 1;
        if channel == "task" {
            return;
        }
        if let Some(prospect) = entry.prospect {
            let first = || (channel.to_owned(), entry.touch);
            self.first_touched.entry(prospect).or_insert_with(first);
        }
        if let Some(enrollment) = entry.enrollment {
            *self.reached.entry(enrollment).or_default() += 1;
        }
    }

    /// What a person said of a task and took back was never said. The entry tells what it was.
    fn take_back(&mut self, entry: &Entry) {
        if entry.detail("outcome") == SKIPPED {
            self.skipped = self.skipped.saturating_sub(1);
        }
        if entry.touch.is_some() {
            self.take_back_touch(entry, entry.detail("channel"));
            let in_time = entry.detail("in_time");
            self.in_time.of -= u64::from(!in_time.is_empty()).min(self.in_time.of);
            self.in_time.hits -= u64::from(in_time == "yes").min(self.in_time.hits);
        }
        let Some(enrollment) = entry.enrollment else { return };
        if entry.detail("replied") == "yes" {
            self.replies = self.replies.saturating_sub(1);
            if let Some(heard) = self.replied.get_mut(&enrollment) {
                heard.spoken = heard.spoken.saturating_sub(1);
            }
            self.replied.retain(|_, heard| heard.spoken > 0 || heard.written.is_some());
        }
        if entry.detail("ended") == "yes"
            && let Some(ending) = self.last_ending.remove(&enrollment)
            && let Some(count) = self.endings.get_mut(&ending)
        {
            *count = count.saturating_sub(1);
            self.endings.retain(|_, count| *count > 0);
        }
    }

    fn take_back_touch(&mut self, entry: &Entry, channel: &str) {
        if let Some(count) = self.touches.get_mut(channel) {
            *count = count.saturating_sub(1);
            self.touches.retain(|_, count| *count > 0);
        }
        if channel == "task" {
            return;
        }
        if let Some(prospect) = entry.prospect {
            self.first_touched.retain(|id, (_, touch)| *id != prospect || *touch != entry.touch);
        }
        if let Some(enrollment) = entry.enrollment
            && let Some(count) = self.reached.get_mut(&enrollment)
        {
            *count = count.saturating_sub(1);
            self.reached.retain(|_, count| *count > 0);
        }
    }

    fn target(&mut self, entry: &Entry) {
        let in_time = entry.detail("in_time");
        self.in_time.of += u64::from(!in_time.is_empty());
        self.in_time.hits += u64::from(in_time == "yes");
    }

    fn reply(&mut self, entry: &Entry) {
        self.replies += 1;
        let Some(enrollment) = entry.enrollment else { return };
        let heard = self.replied.entry(enrollment).or_default();
        if entry.detail("channel") == "email" {
            let written = (entry.at, entry.detail("latency_ms").parse().unwrap_or(0));
            heard.written = Some(heard.written.map_or(written, |first| first.min(written)));
        } else {
            heard.spoken += 1;
        }
    }

    /// A later ending of the same enrollment (a reply behind the last step) takes the place of the first.
    fn end(&mut self, entry: &Entry) {
        let ending = entry.detail("ending").to_owned();
        if let Some(enrollment) = entry.enrollment
            && let Some(before) = self.last_ending.insert(enrollment, ending.clone())
            && let Some(count) = self.endings.get_mut(&before)
        {
            *count -= 1;
        }
        *self.endings.entry(ending).or_default() += 1;
        self.endings.retain(|_, count| *count > 0);
    }

    /// People who were touched at least once, by the channel of their first touch.
    pub fn first_touches(&self) -> BTreeMap<&str, u64> {
        let mut by_channel = BTreeMap::new();
        for (channel, _) in self.first_touched.values() {
            *by_channel.entry(channel.as_str()).or_default() += 1;
        }
        by_channel
    }

    /// Enrollments with at least one touch, and those of them with at least one human reply.
    pub fn reply_rate(&self) -> Rate {
        let of = self.reached.len() as u64;
        let hits = self.replied.keys().filter(|id| self.reached.contains_key(id)).count() as u64;
        Rate { hits, of }
    }

    /// The median time from a touch to the first reply by mail, in milliseconds; replies on the phone
    /// have none.
    pub fn median_latency_ms(&self) -> Option<i64> {
        let written = self.replied.values().filter_map(|heard| heard.written);
        let mut latencies: Vec<i64> = written.map(|(_, ms)| ms).filter(|ms| *ms > 0).collect();
        latencies.sort_unstable();
        latencies.get(latencies.len() / 2).copied()
    }
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    pub hits: u64,
    pub of: u64,
}

/// Below this a share says nothing: only counts are shown.
pub const ENOUGH: u64 = 30;

impl Rate {
    /// The share with its 95 % Wilson interval (E. B. Wilson, 1927); `None` below [`ENOUGH`].
    pub fn share(&self) -> Option<(f64, f64, f64)> {
        if self.of < ENOUGH {
            return None;
        }
        const Z: f64 = 1.959_963_984_540_054;
        let (n, p) = (self.of as f64, self.hits as f64 / self.of as f64);
        let middle = p + Z * Z / (2.0 * n);
        let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Some((p, ((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_the_interval_of_wilson_and_none_when_there_are_too_few() {
        let (p, low, high) = Rate { hits: 58, of: 498 }.share().unwrap();
        let rounded = [p, low, high].map(|x| (x * 1000.0).round());
        assert_eq!(rounded, [116.0, 91.0, 148.0]);
        assert_eq!(Rate { hits: 3, of: 29 }.share(), None);
        assert_eq!(Rate { hits: 0, of: 40 }.share().map(|(_, low, _)| low), Some(0.0));
    }

    fn reply(enrollment: i64, channel: &str, second: i64, latency_ms: i64) -> Entry {
        let at = Timestamp::new(second, 0).unwrap();
        let entry =
            Entry { enrollment: Some(EnrollmentId(enrollment)), ..Entry::new(at, What::Replied) };
        entry.with("channel", channel).with("latency_ms", latency_ms)
    }

    #[test]
    fn the_first_reply_by_mail_is_told_by_its_time_whatever_was_logged_before_it() {
        let mails = [reply(1, "email", 90, 7), reply(1, "email", 50, 5)];
        let call = reply(1, "call", 10, 0);
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let mut tally = Tally::default();
            for index in order {
                tally.add([&mails[0], &mails[1], &call][index]);
            }
            assert_eq!((tally.replies, tally.median_latency_ms()), (3, Some(5)));
        }
    }

    #[test]
    fn of_two_replies_on_the_phone_one_can_be_taken_back_and_the_other_stands() {
        let mut tally = Tally::default();
        tally.add(&reply(1, "call", 10, 0));
        tally.add(&reply(1, "call", 20, 0));
        let back = Entry {
            enrollment: Some(EnrollmentId(1)),
            ..Entry::new(Timestamp::UNIX_EPOCH, What::TaskUndone)
        };
        tally.add(&back.clone().with("replied", "yes"));
        assert_eq!((tally.replies, tally.replied.len()), (1, 1));
        tally.add(&back.with("replied", "yes"));
        assert_eq!((tally.replies, tally.replied.len()), (0, 0));
    }

    #[test]
    fn a_reply_behind_the_last_step_takes_the_place_of_the_first_ending() {
        let mut tally = Tally::default();
        for ending in ["no_reply", "replied"] {
            let at = Timestamp::UNIX_EPOCH;
            let entry = Entry { enrollment: Some(EnrollmentId(1)), ..Entry::new(at, What::Ended) };
            tally.add(&entry.with("ending", ending));
        }
        assert_eq!(tally.endings, [("replied".to_owned(), 1)].into());
    }
}
