//! A time as somebody says it: `tue 10:00`, a day, or `in 2 business days`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, time};
use jiff::tz::TimeZone;

use super::calendar::{Calendar, start_of_day};
use super::time::Delay;

/// A time that is not an instant before it is known on whose clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Instant(Timestamp),
    /// On the clock of whoever says it.
    At(DateTime),
    /// When work begins on that day.
    On(Date),
    /// So long from now.
    In(Delay),
}

/// When work begins on a day on which nobody works.
const MORNING: Time = time(8, 0, 0, 0);

impl Moment {
    /// The instant that is meant, said at `now` on that clock.
    pub fn instant(self, calendar: &Calendar, zone: &TimeZone, now: Timestamp) -> Timestamp {
        let on_clock = |local: DateTime| {
            let instant = zone.to_ambiguous_timestamp(local).compatible();
            instant.unwrap_or_else(|_| start_of_day(local.date(), zone, now))
        };
        match self {
            Self::Instant(at) => at,
            Self::At(local) => on_clock(local),
            Self::On(date) => {
                let opens = calendar.hours_on(date).first().map_or(MORNING, |span| span.opens());
                on_clock(DateTime::from_parts(date, opens))
            }
            Self::In(delay) => calendar.after(now, delay, zone),
        }
    }

    /// The beginning of what is meant: a day begins at midnight.
    pub fn beginning(self, calendar: &Calendar, zone: &TimeZone, now: Timestamp) -> Timestamp {
        match self {
            Self::On(date) => start_of_day(date, zone, now),
            Self::Instant(_) | Self::At(_) | Self::In(_) => self.instant(calendar, zone, now),
        }
    }
}
