//! What holds people up: read out of what a run saw, never guessed.

use std::collections::BTreeMap;

use super::Run;
use crate::domain::budget::Waiting;

/// A reason for waiting that somebody can do something about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Brake {
    /// People wait for a touch because of a limit: so many working days each, all touches together.
    Limit { reason: Waiting, working_days: f64 },
    /// Reps do not come to their tasks before these expire.
    Reps { expired: f64 },
}

/// Reasons that come from a limit that was set, and not from the cadence's own pace.
const LIMITS: [Waiting; 6] = [
    Waiting::MailboxLimit,
    Waiting::RepLimit,
    Waiting::CompanyLimit,
    Waiting::DomainLimit,
    Waiting::ProspectLimit,
    Waiting::MailboxDown,
];

/// A wait that is shorter than this on average holds nobody up, in working days.
const WORTH_NAMING_DAYS: f64 = 1.0;

/// Expired tasks below this share are everyday life.
const WORTH_NAMING_EXPIRED: f64 = 0.05;

impl Run {
    /// The limit that makes people wait longest; else tasks that expire.
    pub fn brake(&self) -> Option<Brake> {
        let waited = self.waited();
        let longest = LIMITS
            .iter()
            .filter_map(|reason| Some((*reason, *waited.get(reason)?)))
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        match longest {
            Some((reason, working_days)) if working_days >= WORTH_NAMING_DAYS => {
                Some(Brake::Limit { reason, working_days })
            }
            _ => {
                let expired = self.expired_share();
                (expired >= WORTH_NAMING_EXPIRED).then_some(Brake::Reps { expired })
            }
        }
    }

    /// Working days that somebody who was enrolled waited on average, by reason.
    pub fn waited(&self) -> BTreeMap<Waiting, f64> {
        let mut days: BTreeMap<Waiting, f64> = BTreeMap::new();
        for waits in self.waits.values() {
            for (reason, people) in waits.first.iter().chain(&waits.further) {
                *days.entry(*reason).or_default() += *people as f64;
            }
        }
        days.values_mut().for_each(|days| *days /= self.enrolled.max(1) as f64);
        days
    }

    /// People whom a limit still keeps from their first touch at the end.
    pub fn still_waiting(&self) -> u64 {
        let held =
            |waits: &super::Waits| LIMITS.iter().filter_map(|reason| waits.first.get(reason)).sum();
        self.waits.last_key_value().map_or(0, |(_, waits)| held(waits))
    }

    /// Of the tasks that were done or expired, those that expired.
    pub fn expired_share(&self) -> f64 {
        let expired: u64 = self.expired.values().sum();
        let done: u64 = self.load.values().map(super::Load::tasks).sum();
        expired as f64 / (expired + done).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::forecast::{Load, Waits, Worker};
    use crate::domain::ids::RepId;

    fn waited(reason: Waiting, people: &[u64]) -> Run {
        let days = people.iter().enumerate().map(|(day, people)| {
            let first = BTreeMap::from([(reason, *people), (Waiting::OutsideHours, 90)]);
            let day = i8::try_from(day).unwrap() + 1;
            (jiff::civil::date(2026, 3, day), Waits { first, ..Waits::default() })
        });
        Run { enrolled: 100, waits: days.collect(), ..Run::default() }
    }

    fn tasks(done: u64, expired: u64) -> Run {
        let load = Load { calls: done, ..Load::default() };
        let ann = RepId::from("ann");
        Run {
            enrolled: 100,
            load: [((jiff::civil::date(2026, 3, 2), Worker::Rep(ann.clone())), load)].into(),
            expired: [(ann, expired)].into(),
            ..Run::default()
        }
    }

    #[test]
    fn a_limit_is_a_brake_when_it_costs_a_working_day_on_average() {
        let full = waited(Waiting::MailboxLimit, &[100, 80, 20]);
        let brake = Brake::Limit { reason: Waiting::MailboxLimit, working_days: 2.0 };
        assert_eq!(full.brake(), Some(brake));
        assert_eq!(full.still_waiting(), 20);
        assert_eq!(waited(Waiting::MailboxLimit, &[60, 39]).brake(), None);
        // Nobody set the hours in which people sleep.
        assert_eq!(waited(Waiting::OutsideHours, &[100, 100, 100]).brake(), None);
    }

    #[test]
    fn waiting_for_a_further_touch_counts_as_well() {
        let mut run = waited(Waiting::MailboxLimit, &[50, 50]);
        assert_eq!(run.waited().get(&Waiting::MailboxLimit), Some(&1.0));
        for waits in run.waits.values_mut() {
            waits.further.insert(Waiting::MailboxLimit, 100);
        }
        let brake = Brake::Limit { reason: Waiting::MailboxLimit, working_days: 3.0 };
        assert_eq!(run.brake(), Some(brake));
    }

    #[test]
    fn reps_are_a_brake_when_one_task_in_twenty_expires() {
        assert_eq!(tasks(95, 5).brake(), Some(Brake::Reps { expired: 0.05 }));
        assert_eq!(tasks(96, 4).brake(), None);
        assert_eq!(tasks(0, 0).brake(), None);
    }
}
