//! Days on which nobody works although the week says so, each with its name.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

/// Days and how they are called; a day without a name has an empty one.
pub type Days = BTreeMap<Date, Cow<'static, str>>;

/// The holidays of a calendar: its own, and those of wherever the person is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holidays {
    own: Vec<Arc<Days>>,
    there: Option<Arc<Days>>,
}

/// The holidays of every country and region that is known.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HolidayBook {
    /// By `US` or `US-CA`.
    pub scopes: BTreeMap<String, Arc<Days>>,
    /// Regions by their country and their lower-case name, as lists write it.
    pub names: BTreeMap<(String, String), String>,
}

impl Holidays {
    /// Those of a calendar.
    pub fn new(own: Vec<Arc<Days>>) -> Self {
        Self { own, there: None }
    }

    /// The same, and those of wherever the person is in place of anybody's before.
    pub fn with(&self, there: Option<Arc<Days>>) -> Self {
        Self { own: self.own.clone(), there }
    }

    /// Whether that day is one.
    pub fn contains(&self, date: &Date) -> bool {
        self.sets().any(|days| days.contains_key(date))
    }

    /// How that day is called, if it is one; a name before none.
    pub fn name(&self, date: Date) -> Option<&str> {
        let names = self.sets().filter_map(|days| days.get(&date).map(AsRef::as_ref));
        names.max_by_key(|name| !name.is_empty())
    }

    /// Adds days without a name.
    pub fn extend(&mut self, days: impl IntoIterator<Item = Date>) {
        self.own.push(Arc::new(unnamed(days)));
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn sets(&self) -> impl Iterator<Item = &Arc<Days>> {
        self.own.iter().chain(&self.there)
    }
}

impl<const N: usize> From<[Date; N]> for Holidays {
    fn from(days: [Date; N]) -> Self {
        Self::new(vec![Arc::new(unnamed(days))])
    }
}

impl From<BTreeSet<Date>> for Holidays {
    fn from(days: BTreeSet<Date>) -> Self {
        Self::new(vec![Arc::new(unnamed(days))])
    }
}

impl HolidayBook {
    /// The holidays where somebody is: of the region, else those that count where it is not known.
    pub fn of(&self, country: Option<&str>, region: Option<&str>) -> Option<Arc<Days>> {
        let country = country?.to_ascii_uppercase();
        let of_region = region.and_then(|region| {
            let code = format!("{country}-{}", region.to_ascii_uppercase());
            let named = || self.names.get(&(country.clone(), region.to_lowercase()));
            self.scopes.get(&code).or_else(|| self.scopes.get(named()?))
        });
        of_region.or_else(|| self.scopes.get(&country)).cloned()
    }
}

fn unnamed(days: impl IntoIterator<Item = Date>) -> Days {
    days.into_iter().map(|day| (day, Cow::Borrowed(""))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: &[(&str, &'static str)]) -> Arc<Days> {
        let each = days.iter().map(|(day, name)| (day.parse().unwrap(), Cow::Borrowed(*name)));
        Arc::new(each.collect())
    }

    #[test]
    fn a_day_is_called_by_its_name_even_where_it_is_also_written_without_one() {
        let own = vec![days(&[("2026-12-24", ""), ("2026-12-25", "")])];
        let holidays = Holidays::new(own).with(Some(days(&[("2026-12-25", "Christmas Day")])));
        let name = |day: &str| holidays.name(day.parse().unwrap());
        assert_eq!(name("2026-12-25"), Some("Christmas Day"));
        assert_eq!(name("2026-12-24"), Some(""));
        assert_eq!(name("2026-12-26"), None);
    }

    #[test]
    fn another_persons_country_takes_the_place_of_the_one_before() {
        let holidays = Holidays::default();
        let french = holidays.with(Some(days(&[("2026-07-14", "Bastille Day")])));
        let day = "2026-07-14".parse().unwrap();
        assert!(french.contains(&day));
        assert!(!french.with(None).contains(&day));
    }

    #[test]
    fn a_region_that_is_not_known_has_the_holidays_of_its_country() {
        let (country, bavaria) =
            (days(&[("2026-10-03", "Unity")]), days(&[("2026-01-06", "Kings")]));
        let book = HolidayBook {
            scopes: [("DE".into(), country.clone()), ("DE-BY".into(), bavaria.clone())].into(),
            names: [(("DE".into(), "bayern".into()), "DE-BY".into())].into(),
        };
        for (place, expected) in [
            ((Some("DE"), Some("BY")), Some(&bavaria)),
            ((Some("de"), Some("Bayern")), Some(&bavaria)),
            ((Some("DE"), Some("Atlantis")), Some(&country)),
            ((Some("DE"), None), Some(&country)),
            ((Some("ZZ"), Some("BY")), None),
            ((None, Some("BY")), None),
        ] {
            assert_eq!(book.of(place.0, place.1).as_ref(), expected, "{place:?}");
        }
    }
}
