//! When somebody may be called at all, wherever they are and whatever the calendar of a cadence says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday, time};
use jiff::tz::TimeZone;

use super::calendar::{Calendar, Hours, weekly};
use super::holidays::{Days, Holidays};
use super::time::DaySpan;

/// Nobody is called outside of these, anywhere.
const EVERYWHERE: (Time, Time) = (time(8, 0, 0, 0), time(21, 0, 0, 0));

/// A law, or a rule of the team's own, about the hours of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRule {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// The ISO 3166-2 subdivision without the country; `None`: all of it.
    pub region: Option<String>,
    /// Monday first.
    pub hours: [Vec<DaySpan>; 7],
    /// Nobody is called on a public holiday there.
    pub not_on_holidays: bool,
    pub since: Option<Date>,
    /// The law, or who says so.
    pub source: String,
    /// The day on which somebody last looked whether it still says so.
    pub checked: Option<Date>,
}

impl CallRule {
    /// `US` or `US-FL`.
    pub fn scope(&self) -> String {
        match &self.region {
            Some(region) => format!("{}-{region}", self.country),
            None => self.country.clone(),
        }
    }
}

/// What holds for calls at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallHours {
    week: Calendar,
    /// The rules that together make it, with their places.
    pub rules: Vec<Arc<CallRule>>,
    /// The region is not known, so that the rules of all regions hold together.
    pub anywhere_in: Option<String>,
}

/// The rules about calls of every country and region.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CallRules {
    /// By `US` where the region is not known, by `US-` where it has no rule of its own, and by `US-FL`.
    places: BTreeMap<String, Arc<CallHours>>,
    everywhere: Arc<CallHours>,
    /// Regions by their country and their lower-case name or code.
    regions: BTreeMap<(String, String), String>,
}

/// The calls that may be made to somebody: by which rules, and on which clocks they are read.
#[derive(Debug, Clone, Copy)]
pub struct Calls<'a> {
    pub hours: &'a CallHours,
    /// Every zone in which the person may be.
    pub zones: &'a [TimeZone],
}

impl Calls<'_> {
    /// Whether a call may be made then, wherever the person may be.
    pub fn permit(&self, at: Timestamp) -> bool {
        self.hours.week.closes_at(Hours::Work, self.zones, at).is_some()
    }

    /// The first instant at or behind `from` at which one may be made.
    pub fn next_open(&self, from: Timestamp) -> Option<Timestamp> {
        self.hours.week.next_open(Hours::Work, self.zones, from)
    }

    /// Until when calls may be made, if they may now.
    pub fn closes_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.hours.week.closes_at(Hours::Work, self.zones, now)
    }
}

impl Default for CallHours {
    fn default() -> Self {
        Self::new(Vec::new(), Vec::new(), None)
    }
}

impl CallHours {
    fn new(
        rules: Vec<Arc<CallRule>>,
        holidays: Vec<Arc<Days>>,
        anywhere_in: Option<String>,
    ) -> Self {
        use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
        let days = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];
        let all_day = DaySpan::new(EVERYWHERE.0, EVERYWHERE.1);
        let every_day = weekly(&days, all_day.as_slice());
        let hours = rules.iter().fold(every_day, |hours, rule| both(&hours, &rule.hours));
        let week = Calendar { name: String::new(), hours, holidays: Holidays::new(holidays) };
        Self { week, rules, anywhere_in }
    }

    /// The hours of a day of the week; none when nobody may be called then.
    pub fn on(&self, day: Weekday) -> &[DaySpan] {
        let day = usize::from(day.to_monday_zero_offset().unsigned_abs());
        self.week.hours.get(day).map(Vec::as_slice).unwrap_or_default()
    }

    /// The hours of a date, and how a holiday is called on which nobody may be called.
    pub fn on_date(&self, date: Date) -> (&[DaySpan], Option<&str>) {
        (self.week.hours_on(date), self.week.holidays.name(date))
    }

    /// What it comes from, in a few words.
    pub fn sources(&self) -> String {
        let of = |rule: &Arc<CallRule>| format!("{}: {}", rule.scope(), rule.source);
        match (&self.anywhere_in, self.rules.as_slice()) {
            (_, []) => "everywhere".to_owned(),
            (Some(country), rules) => {
                format!("{country}, region not known: {} rules hold together", rules.len())
            }
            (None, rules) => rules.iter().map(of).collect::<Vec<_>>().join("; "),
        }
    }
}

impl CallRules {
    /// Lays rules together by place. `holidays` gives those of `US` or `US-FL`; `regions` says which
    /// regions there are, by country and lower-case name or code.
    pub fn new(
        rules: Vec<CallRule>,
        regions: BTreeMap<(String, String), String>,
        holidays: impl Fn(&str) -> Option<Arc<Days>>,
    ) -> Self {
        let rules: Vec<Arc<CallRule>> = rules.into_iter().map(Arc::new).collect();
        let countries: BTreeSet<&str> = rules.iter().map(|rule| rule.country.as_str()).collect();
        let mut places = BTreeMap::new();
        for country in countries {
            let of_country = || rules.iter().filter(|rule| rule.country == country).cloned();
            let made =
                |rules: Vec<Arc<CallRule>>, region: Option<&str>, anywhere: Option<String>| {
                    let off = rules.iter().filter(|rule| rule.not_on_holidays);
                    let off = off.flat_map(|rule| match region {
                        Some(region) => {
                            holidays(&format!("{country}-{region}")).or_else(|| holidays(country))
                        }
                        None => holidays(&rule.scope()).or_else(|| holidays(country)),
                    });
                    let off = off.collect();
                    Arc::new(CallHours::new(rules, off, anywhere))
                };
            let all_over = || of_country().filter(|rule| rule.region.is_none());
            let named: BTreeSet<String> =
                of_country().filter_map(|rule| rule.region.clone()).collect();
            let unknown = (!named.is_empty()).then(|| country.to_owned());
            places.insert(country.to_owned(), made(of_country().collect(), None, unknown));
            let known = regions.iter().filter(|((of, _), _)| of == country);
            let known = known.map(|(_, region)| region.clone());
            for region in named.iter().cloned().chain(known) {
                let own = of_country().filter(|rule| rule.region.as_ref() == Some(&region));
                let own = all_over().chain(own).collect();
                places
                    .entry(format!("{country}-{region}"))
                    .or_insert_with(|| made(own, Some(&region), None));
            }
        }
        Self { places, everywhere: Arc::default(), regions }
    }

    /// What holds where somebody is. Where only the country is known, the rules of all its regions.
    pub fn of(&self, country: Option<&str>, region: Option<&str>) -> Arc<CallHours> {
        let Some(country) = country.map(str::to_ascii_uppercase) else {
            return self.everywhere.clone();
        };
        let of_region = region.and_then(|region| {
            let named = self.regions.get(&(country.clone(), region.to_lowercase()));
            let code = named.cloned().unwrap_or_else(|| region.to_ascii_uppercase());
            self.places.get(&format!("{country}-{code}"))
        });
        of_region.or_else(|| self.places.get(&country)).unwrap_or(&self.everywhere).clone()
    }
}

/// What is in both weeks.
fn both(a: &[Vec<DaySpan>; 7], b: &[Vec<DaySpan>; 7]) -> [Vec<DaySpan>; 7] {
    let mut week: [Vec<DaySpan>; 7] = Default::default();
    for ((day, a), b) in week.iter_mut().zip(a).zip(b) {
        let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
        let shared = |(a, b): (&DaySpan, &DaySpan)| {
            DaySpan::new(a.opens().max(b.opens()), a.closes().min(b.closes()))
        };
        day.extend(pairs.filter_map(shared));
        day.sort();
    }
    week
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn span(from: i8, to: i8) -> DaySpan {
        DaySpan::new(time(from, 0, 0, 0), time(to, 0, 0, 0)).unwrap()
    }

    fn rule(country: &str, region: Option<&str>, week: (i8, i8), sunday: bool) -> CallRule {
        let mut hours: [Vec<DaySpan>; 7] = Default::default();
        hours
            .iter_mut()
            .take(if sunday { 7 } else { 6 })
            .for_each(|day| day.push(span(week.0, week.1)));
        CallRule {
            country: country.to_owned(),
            region: region.map(str::to_owned),
            hours,
            not_on_holidays: !sunday,
            since: None,
            source: "a law".to_owned(),
            checked: None,
        }
    }

    fn rules() -> CallRules {
        let rules = vec![
            rule("US", None, (7, 22), true),
            rule("US", Some("FL"), (8, 20), true),
            rule("US", Some("AL"), (8, 20), false),
            rule("US", Some("KY"), (10, 21), true),
            rule("CA", None, (9, 21), true),
        ];
        let known = ["NY", "FL", "AL", "KY"];
        let codes = known.map(|code| (("US".to_owned(), code.to_lowercase()), code.to_owned()));
        let named = [(("US".to_owned(), "florida".to_owned()), "FL".to_owned())];
        let holiday = [("2026-12-25".parse().unwrap(), Cow::Borrowed("Christmas Day"))];
        let holiday: Arc<Days> = Arc::new(holiday.into());
        let holidays = |scope: &str| (scope == "US-AL").then(|| holiday.clone());
        CallRules::new(rules, codes.into_iter().chain(named).collect(), holidays)
    }

    #[test]
    fn the_strictest_that_may_hold_there_holds() {
        let rules = rules();
        for ((country, region), weekday, sunday) in [
            ((Some("US"), Some("FL")), Some(span(8, 20)), Some(span(8, 20))),
            ((Some("us"), Some("Florida")), Some(span(8, 20)), Some(span(8, 20))),
            // Never earlier than anywhere, whatever the law says.
            ((Some("US"), Some("NY")), Some(span(8, 21)), Some(span(8, 21))),
            ((Some("US"), Some("AL")), Some(span(8, 20)), None),
            ((Some("US"), None), Some(span(10, 20)), None),
            ((Some("US"), Some("Narnia")), Some(span(10, 20)), None),
            ((Some("CA"), None), Some(span(9, 21)), Some(span(9, 21))),
            ((Some("CA"), Some("QC")), Some(span(9, 21)), Some(span(9, 21))),
            ((Some("DE"), Some("BY")), Some(span(8, 21)), Some(span(8, 21))),
            ((None, None), Some(span(8, 21)), Some(span(8, 21))),
        ] {
            let hours = rules.of(country, region);
            assert_eq!(
                hours.on(Weekday::Monday).first().copied(),
                weekday,
                "{country:?} {region:?}"
            );
            assert_eq!(
                hours.on(Weekday::Sunday).first().copied(),
                sunday,
                "{country:?} {region:?}"
            );
        }
    }

    #[test]
    fn a_call_must_be_permitted_in_every_zone_in_which_somebody_may_be() {
        let rules = rules();
        let zone = |name| TimeZone::get(name).unwrap();
        let zones = [zone("America/New_York"), zone("America/Los_Angeles")];
        let permits = |region: Option<&str>, zones: &[TimeZone], at: &str| {
            let at = at.parse::<jiff::Zoned>().unwrap().timestamp();
            let hours = rules.of(Some("US"), region);
            Calls { hours: &hours, zones }.permit(at)
        };
        for (region, zones, at, expected) in [
            (Some("FL"), &zones[..1], "2026-12-21T19:59[America/New_York]", true),
            (Some("FL"), &zones[..1], "2026-12-21T20:00[America/New_York]", false),
            (Some("NY"), &zones[..1], "2026-12-21T20:59[America/New_York]", true),
            (Some("NY"), &zones[..], "2026-12-21T09:00[America/New_York]", false),
            (Some("NY"), &zones[..], "2026-12-21T11:00[America/New_York]", true),
            (Some("NY"), &[], "2026-12-21T11:00[America/New_York]", false),
            (Some("AL"), &zones[..1], "2026-12-20T12:00[America/New_York]", false),
            (Some("AL"), &zones[..1], "2026-12-25T12:00[America/New_York]", false),
            (Some("FL"), &zones[..1], "2026-12-25T12:00[America/New_York]", true),
            // Where the region is not known the holidays of the strict ones count.
            (None, &zones[..1], "2026-12-25T12:00[America/New_York]", false),
        ] {
            assert_eq!(permits(region, zones, at), expected, "{region:?} {at}");
        }
    }
}
