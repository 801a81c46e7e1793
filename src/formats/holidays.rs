//! Public holidays by country and region: the data that ships, made once a year by `scripts/holidays`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;

use super::csv::country_code;
use super::diagnostic::did_you_mean;
use crate::domain::holidays::{Days, HolidayBook};

pub mod ical;
pub mod own;

/// What `scripts/holidays` wrote; its head says from what.
const TEXT: &str = include_str!("holidays/days.txt");

/// The first and the last year whose holidays are known.
pub fn years() -> (i16, i16) {
    parsed().years
}

/// The holidays of a country (`US`) or a region (`DE-BY`). A country alone: what is kept all over it, and
/// what more than half of its regions keep.
///
/// # Errors
/// There is no such; the sentence names the nearest that exists.
pub fn of(scope: &str) -> Result<Arc<Days>, String> {
    let code = scope.to_ascii_uppercase();
    if parsed().scopes.contains(code.as_str()) {
        return Ok(Arc::new(parsed().days(&code)));
    }
    let known = || parsed().scopes.iter().copied();
    let country = code.split('-').next().unwrap_or_default();
    let its_regions = || known().filter(|known| known.starts_with(country)).skip(1);
    let hint = match country_code(scope).filter(|code| parsed().scopes.contains(code)) {
        Some(code) => format!("; did you mean `{code}`?"),
        None if code.contains('-') && parsed().scopes.contains(country) => {
            let regions: Vec<&str> = its_regions().collect();
            match (did_you_mean(&code, its_regions()), regions.is_empty()) {
                (Some(near), _) => format!("; did you mean `{near}`?"),
                (None, true) => {
                    format!("; {country} is kept without its regions: write `{country}`")
                }
                (None, false) => format!("; its regions are {}", regions.join(", ")),
            }
        }
        None => {
            let near = did_you_mean(&code, known());
            near.map_or(String::new(), |near| format!("; did you mean `{near}`?"))
        }
    };
    Err(format!("no holidays are known of `{scope}`{hint}"))
}

/// The regions of a country that are known, by their lower-case code and names.
pub fn regions(country: &str) -> BTreeMap<String, String> {
    let prefix = format!("{country}-");
    let code = |scope: &str| scope.strip_prefix(&prefix).map(str::to_owned);
    let codes = parsed().scopes.iter().filter_map(|scope| code(scope));
    let codes = codes.map(|code| (code.to_lowercase(), code));
    let named = parsed().names().into_iter();
    let named = named.filter_map(|((_, name), scope)| Some((name, code(&scope)?)));
    // A code is meant before a name that is spelt the same.
    named.chain(codes).collect()
}

/// The holidays of every country and region.
pub fn book() -> Arc<HolidayBook> {
    static BOOK: OnceLock<Arc<HolidayBook>> = OnceLock::new();
    let make = || {
        let parsed = parsed();
        let one = |scope: &&str| ((*scope).to_owned(), Arc::new(parsed.days(scope)));
        let scopes = parsed.scopes.iter().map(one).collect();
        Arc::new(HolidayBook { scopes, names: parsed.names() })
    };
    BOOK.get_or_init(make).clone()
}

/// The lines of the data by what they are about.
struct Parsed {
    years: (i16, i16),
    /// `US`, `GB*`, `US-CA`, `!US-CA`, each with names and dates.
    lines: BTreeMap<&'static str, Vec<(&'static str, &'static str)>>,
    /// What can be asked for: `US`, `US-CA`.
    scopes: BTreeSet<&'static str>,
}

fn parsed() -> &'static Parsed {
    static PARSED: OnceLock<Parsed> = OnceLock::new();
    PARSED.get_or_init(|| Parsed::read(TEXT))
}

impl Parsed {
    fn read(text: &'static str) -> Self {
        let mut parsed = Self { years: (0, 0), lines: BTreeMap::new(), scopes: BTreeSet::new() };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((mark, rest)) = line.split_once('|') else {
                parsed.scopes.extend(line.strip_prefix('='));
                continue;
            };
            let parts = rest.split_once('|').unwrap_or((rest, ""));
            match (mark, mark.strip_prefix('=')) {
                ("years", _) => {
                    let year = |text: &str| text.parse().unwrap_or(0);
                    parsed.years = (year(parts.0), year(parts.1));
                }
                (_, Some(region)) => {
                    parsed.scopes.insert(region);
                    parsed.lines.entry(mark).or_default().push((rest, ""));
                }
                (_, None) => {
                    if !mark.starts_with('!') && !mark.ends_with('*') {
                        parsed.scopes.insert(mark);
                    }
                    parsed.lines.entry(mark).or_default().push(parts);
                }
            }
        }
        parsed
    }

    fn days(&self, scope: &str) -> Days {
        let Some((country, _)) = scope.split_once('-') else {
            return self.of_mark(&format!("{scope}*")).chain(self.of_mark(scope)).collect();
        };
        let not: BTreeSet<Date> =
            self.of_mark(&format!("!{scope}")).map(|(date, _)| date).collect();
        let of_country = self.of_mark(country).filter(|(date, _)| !not.contains(date));
        of_country.chain(self.of_mark(scope)).collect()
    }

    fn of_mark(&self, mark: &str) -> impl Iterator<Item = (Date, Cow<'static, str>)> {
        let lines = self.lines.get(mark).map(Vec::as_slice).unwrap_or_default();
        let years = self.years;
        lines.iter().flat_map(move |(name, dates)| {
            let dates = dates.split(' ').flat_map(move |text| self::dates(text, years));
            dates.map(|date| (date, Cow::Borrowed(*name)))
        })
    }

    fn names(&self) -> BTreeMap<(String, String), String> {
        let regions =
            self.lines.iter().filter_map(|(mark, lines)| Some((mark.strip_prefix('=')?, lines)));
        let named = regions.flat_map(|(scope, lines)| {
            let country = scope.split('-').next().unwrap_or_default();
            let names = lines.iter().flat_map(|(names, _)| names.split('|'));
            names.map(move |name| ((country.to_owned(), name.to_lowercase()), scope.to_owned()))
        });
        named.collect()
    }
}

/// `260903` is one day, `1225` that day of every year.
fn dates(text: &str, years: (i16, i16)) -> Vec<Date> {
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<i8>().ok());
    let date = |year: i16, rest: &str| {
        Date::new(year, number(rest.get(..2))?, number(rest.get(2..))?).ok()
    };
    match text.len() {
        4 => (years.0..=years.1).filter_map(|year| date(year, text)).collect(),
        6 => {
            let year = number(text.get(..2)).map(|year| 2000 + i16::from(year));
            year.and_then(|year| date(year, text.get(2..)?)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn known_holidays_have_their_names() {
        for (scope, date, name) in [
            ("US", "2027-07-05", Some("Independence Day (observed)")),
            ("US", "2026-11-26", Some("Thanksgiving Day")),
            ("US", "2026-11-27", None),
            ("us-ca", "2026-11-27", Some("Day After Thanksgiving")),
            ("US-CA", "2026-12-25", Some("Christmas Day")),
            // California does not keep it.
            ("US-CA", "2026-10-12", None),
            ("US-MA", "2026-10-12", Some("Columbus Day")),
            ("FR", "2027-07-14", Some("National Day")),
            ("DE", "2026-10-03", Some("German Unity Day")),
            ("DE", "2027-01-06", None),
            ("DE-BY", "2027-01-06", Some("Epiphany")),
            // More than half of the regions keep it.
            ("GB", "2026-04-06", Some("Easter Monday")),
            ("GB-SCT", "2026-04-06", None),
            ("GB-SCT", "2026-01-02", Some("New Year Holiday")),
            ("DE", "2031-12-26", Some("Second Day of Christmas")),
        ] {
            let days = of(scope).unwrap();
            assert_eq!(days.get(&day(date)).map(AsRef::as_ref), name, "{scope} {date}");
        }
    }

    #[test]
    fn every_line_says_dates_within_the_years() {
        let (first, last) = years();
        assert!(first <= 2026 && last >= first + 5, "{first} {last}");
        let parsed = parsed();
        for (mark, lines) in parsed.lines.iter().filter(|(mark, _)| !mark.starts_with('=')) {
            for (name, dates) in lines {
                for text in dates.split(' ') {
                    let found = super::dates(text, parsed.years);
                    let years = found.iter().all(|date| (first..=last).contains(&date.year()));
                    assert!(!found.is_empty() && years, "{mark} {name} {text}");
                }
            }
        }
    }

    #[test]
    fn a_team_finds_the_countries_it_meets() {
        let countries = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO \
             CH GB US CA AU NZ JP KR SG HK IN IL ZA BR MX AR CL CO PE TR AE SA EG MA NG KE CN TW TH VN ID MY PH \
             RS";
        for country in countries.split_whitespace() {
            for year in years().0..=years().1 {
                let days = of(country).unwrap();
                let of_year = days.keys().filter(|day| day.year() == year).count();
                assert!((4..=40).contains(&of_year), "{country} {year}: {of_year}");
            }
        }
        for region in
            ["US-CA", "US-NY", "CA-QC", "AU-VIC", "GB-NIR", "DE-BY", "AT-9", "CH-ZH", "ES-CT"]
        {
            assert!(of(region).is_ok(), "{region}");
        }
    }

    #[test]
    fn what_is_not_known_is_told_with_its_neighbour() {
        for (wrong, part) in [
            ("UK", "did you mean `GB`?"),
            ("Germany", "did you mean `DE`?"),
            ("DE-BX", "did you mean `DE-"),
            ("FR-IDF", "FR is kept without its regions: write `FR`"),
            ("Narnia", "no holidays are known of `Narnia`"),
        ] {
            let told = of(wrong).unwrap_err();
            assert!(told.contains(part), "{told}");
        }
    }

    #[test]
    fn a_region_is_found_by_the_name_that_lists_write() {
        let book = book();
        let name = |region: &str, date: &str| {
            book.of(Some("DE"), Some(region))?.get(&day(date)).map(ToString::to_string)
        };
        assert_eq!(name("Bayern", "2027-01-06").as_deref(), Some("Epiphany"));
        assert_eq!(name("by", "2027-01-06").as_deref(), Some("Epiphany"));
        assert_eq!(name("Berlin", "2027-01-06"), None);
    }
}
