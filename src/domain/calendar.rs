//! Working hours and holidays, and the arithmetic of time on somebody's own clock.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::holidays::Holidays;
use super::time::{DaySpan, Delay, Side, Unit};

/// When people work: hours by weekday, less the holidays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    pub name: String,
    /// Monday first; sorted, not overlapping. An empty day is no working day.
    pub hours: [Vec<DaySpan>; 7],
    pub holidays: Holidays,
}

/// Which hours of a working day count.
#[derive(Debug, Clone, Copy)]
pub enum Hours<'a> {
    /// The calendar's own.
    Work,
    /// A send window, the same on every working day.
    Window(&'a [DaySpan]),
}

/// How far ahead a search for an open hour or a working day goes, in days: beyond it there is none.
const HORIZON_DAYS: usize = 400;

/// How often several zones are asked in turn until they agree. Each round moves the candidate to an
/// opening in some zone, a few for each day: zones that do not agree within some weeks hardly ever do,
/// and whoever waits for them is looked at again.
const ROUNDS: usize = 160;

impl Calendar {
    /// Whether anybody works on that day.
    pub fn works_on(&self, date: Date) -> bool {
        !self.hours_on(date).is_empty()
    }

    /// The working hours of that day; none on a holiday.
    pub fn hours_on(&self, date: Date) -> &[DaySpan] {
        if self.holidays.contains(&date) {
            return &[];
        }
        &self.hours[date.weekday().to_monday_zero_offset() as usize]
    }

    /// How the holiday is called that keeps people from work on a day of the working week.
    pub fn holiday(&self, date: Date) -> Option<&str> {
        let works =
            self.hours.get(usize::from(date.weekday().to_monday_zero_offset().unsigned_abs()));
        self.holidays.name(date).filter(|_| works.is_some_and(|spans| !spans.is_empty()))
    }

    /// The first working day on or after `date`; `date` itself when there is none within the horizon.
    pub fn working_day_from(&self, date: Date) -> Date {
        days_from(date).find(|day| self.works_on(*day)).unwrap_or(date)
    }

    /// The `n`th working day after `date` (`n` = 0: `date` itself).
    pub fn working_days_after(&self, date: Date, n: u32) -> Date {
        let mut day = date;
        for _ in 0..n {
            day = self.working_day_from(next_day(day));
        }
        day
    }

    /// The `n`th working day before `date` (`n` = 0: `date` itself).
    fn working_days_before(&self, date: Date, n: u32) -> Date {
        let mut day = date;
        for _ in 0..n {
            let days = std::iter::successors(day.yesterday().ok(), |day| day.yesterday().ok());
            day = days.take(HORIZON_DAYS).find(|day| self.works_on(*day)).unwrap_or(day);
        }
        day
    }

    /// The date that lies `delay` before or behind `date`; a part of a day is no day.
    pub fn date_from(&self, date: Date, side: Side, delay: Delay) -> Date {
        let days = match delay.unit {
            Unit::Days => i64::from(delay.amount),
            Unit::Weeks => i64::from(delay.amount) * 7,
            Unit::BusinessDays => {
                return match side {
                    Side::Before => self.working_days_before(date, delay.amount),
                    Side::Behind => self.working_days_after(date, delay.amount),
                };
            }
            Unit::Minutes | Unit::Hours | Unit::BusinessMinutes | Unit::BusinessHours => 0,
        };
        match side {
            Side::Before => date.checked_sub(days.days()).unwrap_or(date),
            Side::Behind => date.checked_add(days.days()).unwrap_or(date),
        }
    }

    /// The instant that lies `delay` behind `from`, on the clock of `zone`.
    pub fn after(&self, from: Timestamp, delay: Delay, zone: &TimeZone) -> Timestamp {
        let amount = i64::from(delay.amount);
        match delay.unit {
            Unit::Minutes => later(from, SignedDuration::from_mins(amount)),
            Unit::Hours => later(from, SignedDuration::from_hours(amount)),
            Unit::Days => days_later(from, amount, zone),
            Unit::Weeks => days_later(from, amount * 7, zone),
            Unit::BusinessDays => self.business_days_later(from, delay.amount, zone),
            Unit::BusinessHours => self.worked(from, SignedDuration::from_hours(amount), zone),
            Unit::BusinessMinutes => self.worked(from, SignedDuration::from_mins(amount), zone),
        }
    }

    fn business_days_later(&self, from: Timestamp, n: u32, zone: &TimeZone) -> Timestamp {
        let local = zone.to_datetime(from);
        at(DateTime::from_parts(self.working_days_after(local.date(), n), local.time()), zone, from)
    }

    /// The instant by which `work` of working time has passed since `from`.
    fn worked(&self, from: Timestamp, work: SignedDuration, zone: &TimeZone) -> Timestamp {
        let mut left = work;
        for date in days_from(zone.to_datetime(from).date()) {
            for span in self.hours_on(date) {
                let opens = at(DateTime::from_parts(date, span.opens()), zone, from).max(from);
                let closes = at(DateTime::from_parts(date, span.closes()), zone, from);
                let open_for = opens.duration_until(closes);
                if open_for >= left {
                    return later(opens, left);
                }
                left -= open_for.max(SignedDuration::ZERO);
            }
        }
        later(from, work)
    }

    /// The first instant at or behind `from` that lies inside the hours on a working day in *every* zone.
    /// `None` when there is none within the horizon, or when no zone is known.
    pub fn next_open(
        &self,
        hours: Hours,
        zones: &[TimeZone],
        from: Timestamp,
    ) -> Option<Timestamp> {
        if zones.is_empty() {
            return None;
        }
        let mut candidate = from;
        for _ in 0..ROUNDS {
            let mut agreed = candidate;
            for zone in zones {
                agreed = agreed.max(self.next_open_in(hours, zone, candidate)?);
            }
            if agreed == candidate {
                return Some(agreed);
            }
            candidate = agreed;
        }
        None
    }

    /// Until when it stays open in every zone, if it is open now.
    pub fn closes_at(&self, hours: Hours, zones: &[TimeZone], now: Timestamp) -> Option<Timestamp> {
        let closes = zones.iter().map(|zone| {
            let local = zone.to_datetime(now);
            let spans = match hours {
                Hours::Work => self.hours_on(local.date()),
                Hours::Window(spans) if self.works_on(local.date()) => spans,
                Hours::Window(_) => &[],
            };
            let span =
                spans.iter().find(|s| s.opens() <= local.time() && local.time() < s.closes())?;
            Some(at(DateTime::from_parts(local.date(), span.closes()), zone, now))
        });
        closes.collect::<Option<Vec<Timestamp>>>()?.into_iter().min()
    }

    fn next_open_in(&self, hours: Hours, zone: &TimeZone, from: Timestamp) -> Option<Timestamp> {
        let first = zone.to_datetime(from).date();
        for date in days_from(first).filter(|date| self.works_on(*date)) {
            let spans = match hours {
                Hours::Work => self.hours_on(date),
                Hours::Window(spans) => spans,
            };
            for span in spans {
                let opens = at(DateTime::from_parts(date, span.opens()), zone, from);
                let closes = at(DateTime::from_parts(date, span.closes()), zone, from);
                let open = opens.max(from);
                // In the hour that a clock change repeats, only its first passage counts.
                if open < closes && zone.to_datetime(open).time() < span.closes() {
                    return Some(open);
                }
            }
        }
        None
    }
}

/// Weekday hours from the same spans on the given weekdays.
pub fn weekly(days: &[Weekday], spans: &[DaySpan]) -> [Vec<DaySpan>; 7] {
    let mut hours: [Vec<DaySpan>; 7] = Default::default();
    for day in days {
        hours[day.to_monday_zero_offset() as usize] = spans.to_vec();
    }
    hours
}

/// The start of a local day. Where midnight does not exist, the first instant behind the gap.
pub fn start_of_day(date: Date, zone: &TimeZone, fallback: Timestamp) -> Timestamp {
    at(date.at(0, 0, 0, 0), zone, fallback)
}

fn days_later(from: Timestamp, days: i64, zone: &TimeZone) -> Timestamp {
    let local = zone.to_datetime(from);
    let later = local.checked_add(days.days()).unwrap_or(local);
    at(later, zone, from)
}

/// A local time as an instant: in a gap the instant behind it, in a fold the first of the two.
fn at(local: DateTime, zone: &TimeZone, fallback: Timestamp) -> Timestamp {
    zone.to_ambiguous_timestamp(local).compatible().unwrap_or(fallback)
}

fn later(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn next_day(date: Date) -> Date {
    date.tomorrow().unwrap_or(date)
}

fn days_from(date: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(date), |day| day.tomorrow().ok()).take(HORIZON_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    fn standard() -> Calendar {
        use Weekday::*;
        let office = [DaySpan::new(time(8, 0, 0, 0), time(17, 0, 0, 0)).unwrap()];
        let holidays = ["2026-12-25".parse().unwrap()].into();
        Calendar {
            name: "standard".into(),
            hours: weekly(&[Monday, Tuesday, Wednesday, Thursday, Friday], &office),
            holidays,
        }
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn instant(text: &str) -> Timestamp {
        text.parse::<jiff::Zoned>().unwrap().timestamp()
    }

    #[test]
    fn lengths_of_time_are_counted_on_the_prospects_clock() {
        let berlin = zone("Europe/Berlin");
        for (from, delay, until) in [
            ("2026-03-27T10:00[Europe/Berlin]", (2, Unit::Days), "2026-03-29T10:00[Europe/Berlin]"),
            (
                "2026-03-28T10:00[Europe/Berlin]",
                (24, Unit::Hours),
                "2026-03-29T11:00[Europe/Berlin]",
            ),
            // A time that does not exist on the day of the change moves behind the gap.
            ("2026-03-28T02:30[Europe/Berlin]", (1, Unit::Days), "2026-03-29T03:30[Europe/Berlin]"),
            (
                "2026-12-23T10:00[Europe/Berlin]",
                (2, Unit::BusinessDays),
                "2026-12-28T10:00[Europe/Berlin]",
            ),
            (
                "2026-03-27T16:00[Europe/Berlin]",
                (4, Unit::BusinessHours),
                "2026-03-30T11:00[Europe/Berlin]",
            ),
            (
                "2026-03-28T12:00[Europe/Berlin]",
                (30, Unit::BusinessMinutes),
                "2026-03-30T08:30[Europe/Berlin]",
            ),
            (
                "2028-02-28T09:00[Europe/Berlin]",
                (1, Unit::Weeks),
                "2028-03-06T09:00[Europe/Berlin]",
            ),
            (
                "2026-12-31T09:00[Europe/Berlin]",
                (0, Unit::BusinessDays),
                "2026-12-31T09:00[Europe/Berlin]",
            ),
        ] {
            let delay = Delay::new(delay.0, delay.1);
            let got = standard().after(instant(from), delay, &berlin);
            assert_eq!(got, instant(until), "{from} + {delay}");
        }
    }

    #[test]
    fn a_window_opens_when_it_is_open_in_every_candidate_zone() {
        let window = [DaySpan::new(time(8, 0, 0, 0), time(17, 0, 0, 0)).unwrap()];
        let coasts = [zone("America/New_York"), zone("America/Los_Angeles")];
        let open = |from: &str, zones: &[TimeZone]| {
            standard().next_open(Hours::Window(&window), zones, instant(from))
        };
        assert_eq!(
            open("2026-03-02T06:00[America/New_York]", &coasts),
            Some(instant("2026-03-02T08:00[America/Los_Angeles]"))
        );
        assert_eq!(
            open("2026-03-02T17:30[America/New_York]", &coasts),
            Some(instant("2026-03-03T08:00[America/Los_Angeles]"))
        );
        assert_eq!(open("2026-03-02T06:00[America/New_York]", &[]), None);
        let nowhere = [zone("America/New_York"), zone("Asia/Tokyo")];
        assert_eq!(open("2026-03-02T06:00[America/New_York]", &nowhere), None);
    }

    #[test]
    fn a_closed_day_and_a_holiday_are_passed_over() {
        let window = [DaySpan::new(time(9, 0, 0, 0), time(10, 0, 0, 0)).unwrap()];
        let utc = [TimeZone::UTC];
        let open = |from: &str| standard().next_open(Hours::Window(&window), &utc, instant(from));
        assert_eq!(open("2026-12-24T10:00[UTC]"), Some(instant("2026-12-28T09:00[UTC]")));
        assert_eq!(open("2026-12-24T09:59[UTC]"), Some(instant("2026-12-24T09:59[UTC]")));
    }

    #[test]
    fn a_calendar_that_never_works_is_never_open() {
        let never = Calendar { hours: Default::default(), ..standard() };
        let window = [DaySpan::new(time(9, 0, 0, 0), time(10, 0, 0, 0)).unwrap()];
        assert_eq!(
            never.next_open(
                Hours::Window(&window),
                &[TimeZone::UTC],
                instant("2026-12-24T10:00[UTC]")
            ),
            None
        );
    }
}
