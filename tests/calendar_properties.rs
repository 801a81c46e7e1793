//! The arithmetic of working time, held against slow and simple definitions of the same.

use std::collections::BTreeSet;

use firsttouch::domain::calendar::{Calendar, Hours};
use firsttouch::domain::time::{DaySpan, Delay, Side, Unit};
use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;

/// Zones whose clocks change at different times of the year and of the day, and one that never does.
const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "America/Los_Angeles",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "America/Santiago",
    "UTC",
];

/// Days around which something is special: clock changes, a leap day, the end of a year.
const DAYS: [&str; 7] = [
    "2026-03-06",
    "2026-03-27",
    "2026-04-03",
    "2026-10-23",
    "2026-10-30",
    "2027-12-29",
    "2028-02-27",
];

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone")
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn instant(text: &str) -> Timestamp {
    text.parse::<jiff::Zoned>().expect("an instant").timestamp()
}

fn span(from: i8, to: i8) -> DaySpan {
    DaySpan::new(time(from, 0, 0, 0), time(to, 30, 0, 0)).expect("a span")
}

/// One or two spans on some days, in hours in which no clock changes.
fn calendars() -> impl Strategy<Value = Calendar> {
    let spans = prop_oneof![
        Just(Vec::new()),
        (5..12_i8, 0..6_i8).prop_map(|(from, long)| vec![span(from, from + long)]),
        (5..10_i8, 12..15_i8, 16..22_i8).prop_map(|(a, b, c)| vec![span(a, a + 1), span(b, c)]),
    ];
    let week = prop::collection::vec(spans, 7);
    let holidays = prop::collection::btree_set((0..DAYS.len(), 0..5_i64), 0..6);
    (week, holidays).prop_map(|(week, holidays)| {
        let off = |(base, plus): (usize, i64)| day(DAYS[base]) + plus.days();
        let holidays: BTreeSet<Date> = holidays.into_iter().map(off).collect();
        let hours = week.try_into().expect("seven days");
        Calendar { name: "any".to_owned(), hours, holidays: holidays.into() }
    })
}

fn zones() -> impl Strategy<Value = Vec<TimeZone>> {
    let some = prop::sample::subsequence(ZONES.to_vec(), 1..=3);
    some.prop_map(|names| names.into_iter().map(zone).collect())
}

fn starts() -> impl Strategy<Value = Timestamp> {
    (0..DAYS.len(), 0..4 * 24 * 60_i64).prop_map(|(base, minutes)| {
        let start = day(DAYS[base]).to_zoned(TimeZone::UTC).expect("a day").timestamp();
        start + SignedDuration::from_mins(minutes)
    })
}

/// By looking at the clock on every wall.
fn is_open(calendar: &Calendar, zones: &[TimeZone], at: Timestamp) -> bool {
    zones.iter().all(|zone| {
        let local = zone.to_datetime(at);
        let weekday = usize::try_from(local.weekday().to_monday_zero_offset()).expect("a weekday");
        let inside = |span: &DaySpan| span.opens() <= local.time() && local.time() < span.closes();
        !calendar.holidays.contains(&local.date()) && calendar.hours[weekday].iter().any(inside)
    })
}

proptest! {
    #[test]
    fn the_next_open_instant_is_the_first_open_minute(
        calendar in calendars(), zones in zones(), from in starts(),
    ) {
        const MINUTES: i64 = 3 * 24 * 60;
        let minute = |n: i64| from + SignedDuration::from_mins(n);
        let first = (0..MINUTES).map(minute).find(|at| is_open(&calendar, &zones, *at));
        let found = calendar.next_open(Hours::Work, &zones, from);
        match first {
            Some(first) => prop_assert_eq!(found, Some(first)),
            None => prop_assert!(found.is_none_or(|found| found >= minute(MINUTES))),
        }
        if let Some(found) = found {
            prop_assert!(is_open(&calendar, &zones, found));
            prop_assert_eq!(calendar.next_open(Hours::Work, &zones, found), Some(found));
        }
    }

    #[test]
    fn it_stays_open_until_it_closes_and_not_longer(
        calendar in calendars(), zones in zones(), from in starts(),
    ) {
        let closes = calendar.closes_at(Hours::Work, &zones, from);
        prop_assert_eq!(closes.is_some(), is_open(&calendar, &zones, from));
        if let Some(closes) = closes {
            let last = closes - SignedDuration::from_nanos(1);
            prop_assert!(is_open(&calendar, &zones, last));
            // Spans of one day do not touch, and none goes over midnight.
            prop_assert!(!is_open(&calendar, &zones, closes));
        }
    }

    #[test]
    fn working_days_forward_and_back_lead_to_where_they_began(
        calendar in calendars(), base in 0..DAYS.len(), plus in 0..5_i64, n in 0..40_u32,
    ) {
        let start = calendar.working_day_from(day(DAYS[base]) + plus.days());
        prop_assume!(calendar.works_on(start));
        let delay = Delay::new(n, Unit::BusinessDays);
        let there = calendar.date_from(start, Side::Behind, delay);
        prop_assert!(calendar.works_on(there));
        prop_assert_eq!(calendar.date_from(there, Side::Before, delay), start);
        let between = start.series(1.day()).skip(1).take_while(|day| *day <= there);
        let worked = between.filter(|day| calendar.works_on(*day)).count();
        prop_assert_eq!(worked, usize::try_from(n).expect("small"));
    }

    #[test]
    fn working_time_in_two_parts_is_as_long_as_in_one(
        calendar in calendars(), zones in zones(), from in starts(), a in 0..900_u32, b in 0..900_u32,
    ) {
        prop_assume!(calendar.hours.iter().any(|spans| !spans.is_empty()));
        let zone = &zones[0];
        let minutes = |n| Delay::new(n, Unit::BusinessMinutes);
        let in_two = calendar.after(calendar.after(from, minutes(a), zone), minutes(b), zone);
        let at_once = calendar.after(from, minutes(a + b), zone);
        if b > 0 {
            prop_assert_eq!(in_two, at_once);
        }
        prop_assert!(at_once >= from);
    }

    #[test]
    fn days_later_shows_the_same_time_on_the_wall_unless_it_does_not_exist(
        zones in zones(), from in starts(), n in 0..400_u32,
    ) {
        let calendar = Calendar { name: String::new(), hours: Default::default(), holidays: [].into() };
        let zone = &zones[0];
        let before = zone.to_datetime(from);
        let later = zone.to_datetime(calendar.after(from, Delay::new(n, Unit::Days), zone));
        let date = before.date() + i64::from(n).days();
        let exists = !zone.to_ambiguous_timestamp(date.to_datetime(before.time())).offset().is_gap();
        if exists {
            prop_assert_eq!(later, date.to_datetime(before.time()));
        } else {
            prop_assert!(later > date.to_datetime(before.time()));
        }
    }
}

trait IsGap {
    fn is_gap(&self) -> bool;
}

impl IsGap for jiff::tz::AmbiguousOffset {
    fn is_gap(&self) -> bool {
        matches!(self, Self::Gap { .. })
    }
}

fn every_day(from: (i8, i8), to: (i8, i8)) -> Calendar {
    let span = DaySpan::new(time(from.0, from.1, 0, 0), time(to.0, to.1, 0, 0)).expect("a span");
    let hours: [Vec<DaySpan>; 7] = std::array::from_fn(|_| vec![span]);
    Calendar { name: "every day".to_owned(), hours, holidays: [].into() }
}

#[test]
fn windows_in_the_hour_of_a_clock_change() {
    for (from, to, after, opens, closes) in [
        // 02:00 to 03:00 does not exist that night: the next one is a day later.
        (
            (2, 0),
            (3, 0),
            "2026-03-29T00:00[Europe/Berlin]",
            "2026-03-30T02:00[Europe/Berlin]",
            "2026-03-30T03:00[Europe/Berlin]",
        ),
        // A window around the gap is an hour shorter.
        (
            (1, 0),
            (4, 0),
            "2026-03-29T00:00[Europe/Berlin]",
            "2026-03-29T01:00[Europe/Berlin]",
            "2026-03-29T04:00[Europe/Berlin]",
        ),
        // In the hour that comes twice only its first passage counts.
        (
            (2, 0),
            (2, 30),
            "2026-10-25T00:00:00[Europe/Berlin]",
            "2026-10-25T02:00:00+02:00[Europe/Berlin]",
            "2026-10-25T02:30:00+02:00[Europe/Berlin]",
        ),
        (
            (2, 0),
            (2, 30),
            "2026-10-25T02:00:00+01:00[Europe/Berlin]",
            "2026-10-26T02:00:00[Europe/Berlin]",
            "2026-10-26T02:30:00[Europe/Berlin]",
        ),
        // Where midnight does not exist the day begins behind the gap.
        (
            (0, 0),
            (2, 0),
            "2026-09-05T12:00[America/Santiago]",
            "2026-09-06T01:00[America/Santiago]",
            "2026-09-06T02:00[America/Santiago]",
        ),
        // Half an hour is moved there.
        (
            (1, 30),
            (3, 0),
            "2026-10-04T00:00[Australia/Lord_Howe]",
            "2026-10-04T01:30[Australia/Lord_Howe]",
            "2026-10-04T03:00[Australia/Lord_Howe]",
        ),
    ] {
        let name = after.split('[').nth(1).and_then(|rest| rest.strip_suffix(']')).expect("a zone");
        let (calendar, zones) = (every_day(from, to), [zone(name)]);
        let found = calendar.next_open(Hours::Work, &zones, instant(after));
        assert_eq!(found, Some(instant(opens)), "{from:?}-{to:?} {after}");
        let closing = calendar.closes_at(Hours::Work, &zones, instant(opens));
        assert_eq!(closing, Some(instant(closes)), "{from:?}-{to:?} {after}");
    }
}

#[test]
fn leap_days_and_the_ends_of_years_are_days_like_others() {
    let calendar = every_day((9, 0), (17, 0));
    let (mut off, berlin) = (calendar.clone(), zone("Europe/Berlin"));
    off.holidays = ["2028-02-29", "2026-12-31", "2027-01-01"].map(day).into();
    for (calendar, from, delay, until) in [
        (&calendar, "2028-02-28", (1, Unit::Days), "2028-02-29"),
        (&calendar, "2028-02-29", (1, Unit::Weeks), "2028-03-07"),
        (&calendar, "2027-02-28", (1, Unit::Days), "2027-03-01"),
        (&calendar, "2028-02-28", (2, Unit::BusinessDays), "2028-03-01"),
        (&off, "2028-02-28", (1, Unit::BusinessDays), "2028-03-01"),
        (&off, "2026-12-30", (1, Unit::BusinessDays), "2027-01-02"),
        (&calendar, "2026-12-31", (1, Unit::Days), "2027-01-01"),
        (&calendar, "2027-12-31", (366, Unit::Days), "2028-12-31"),
    ] {
        let at = |day: &str| instant(&format!("{day}T10:00[Europe/Berlin]"));
        let delay = Delay::new(delay.0, delay.1);
        assert_eq!(calendar.after(at(from), delay, &berlin), at(until), "{from} + {delay}");
        assert_eq!(
            calendar.date_from(day(from), Side::Behind, delay),
            day(until),
            "{from} + {delay}"
        );
    }
}

#[test]
fn zones_on_both_sides_of_the_date_line_share_few_hours() {
    let calendar = every_day((8, 0), (20, 0));
    let zones = [zone("Pacific/Auckland"), zone("America/Los_Angeles")];
    let from = instant("2026-06-01T00:00[UTC]");
    // 13:00 in Los Angeles is 08:00 of the next day in Auckland.
    let found = calendar.next_open(Hours::Work, &zones, from);
    assert_eq!(found, Some(from));
    let closes = calendar.closes_at(Hours::Work, &zones, from);
    assert_eq!(closes, Some(instant("2026-05-31T20:00[America/Los_Angeles]")));
    let next = calendar.next_open(Hours::Work, &zones, closes.expect("open"));
    assert_eq!(next, Some(instant("2026-06-02T08:00[Pacific/Auckland]")));
}
