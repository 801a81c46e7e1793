//! `[[call_hours]]`: when people may be called, by country and region. The laws that ship, and a team's own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;

use super::csv::country_code;
use super::{holidays, week};
use crate::domain::call_hours::{CallRule, CallRules};

/// The laws that ship.
const SHIPPED: &str = include_str!("call_hours/rules.toml");

/// One entry as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    country: String,
    region: Option<String>,
    hours: String,
    #[serde(default)]
    not_on_holidays: bool,
    since: Option<String>,
    source: Option<String>,
    checked: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    call_hours: Vec<Entry>,
}

/// The laws that ship, and the rules of a team, which narrow them.
///
/// # Errors
/// Everything that is wrong with the team's.
pub fn rules(own: Vec<Entry>) -> Result<CallRules, Vec<String>> {
    let mut rules = shipped();
    let mut wrong = Vec::new();
    for (index, entry) in own.into_iter().enumerate() {
        match read(entry) {
            Ok(rule) => rules.push(rule),
            Err(why) => wrong.push(format!("call_hours, entry {}: {why}", index + 1)),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let countries: BTreeSet<String> = rules.iter().map(|rule| rule.country.clone()).collect();
    let mut regions = BTreeMap::new();
    for country in countries {
        let of_country = holidays::regions(&country);
        regions.extend(of_country.into_iter().map(|(name, code)| ((country.clone(), name), code)));
    }
    Ok(CallRules::new(rules, regions, |scope| holidays::of(scope).ok()))
}

/// The laws that ship; a test reads each of them.
fn shipped() -> Vec<CallRule> {
    let file = toml::from_str::<File>(SHIPPED);
    let entries = file.map(|file| file.call_hours).unwrap_or_default();
    entries.into_iter().filter_map(|entry| read(entry).ok()).collect()
}

fn read(entry: Entry) -> Result<CallRule, String> {
    let country = country_code(&entry.country).ok_or_else(|| {
        format!("`{}` is no country: write its two letters, like \"US\"", entry.country)
    })?;
    let region = entry.region.map(|name| region(country, &name)).transpose()?;
    let date = |key: &str, text: Option<String>| {
        let read = |text: String| {
            let told = || format!("{key}: `{text}` is not a date; write dates like 2026-12-24");
            text.parse::<Date>().map_err(|_| told())
        };
        text.map(read).transpose()
    };
    Ok(CallRule {
        country: country.to_owned(),
        region,
        hours: week::hours(&entry.hours).map_err(|why| format!("hours: {why}"))?,
        not_on_holidays: entry.not_on_holidays,
        since: date("since", entry.since)?,
        source: entry.source.unwrap_or_else(|| "firsttouch.toml".to_owned()),
        checked: date("checked", entry.checked)?,
    })
}

/// The code of a region. Of countries whose regions are not known any is taken as lists write it.
fn region(country: &str, name: &str) -> Result<String, String> {
    let known = holidays::regions(country);
    let bare = name.strip_prefix(country).and_then(|rest| rest.strip_prefix('-')).unwrap_or(name);
    if known.is_empty() {
        return Ok(bare.to_ascii_uppercase());
    }
    known.get(&bare.to_lowercase()).cloned().ok_or_else(|| {
        let codes: BTreeSet<&str> = known.values().map(String::as_str).collect();
        let codes: Vec<&str> = codes.into_iter().collect();
        format!("{country} has no region `{name}`; its regions are {}", codes.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday};

    #[test]
    fn every_law_that_ships_can_be_read_and_names_its_source() {
        let file: File = toml::from_str(SHIPPED).unwrap();
        let read: Vec<CallRule> =
            file.call_hours.into_iter().map(|entry| read(entry).unwrap()).collect();
        assert!(read.len() >= 20);
        assert!(read.iter().all(|rule| rule.source.len() > 8), "{read:#?}");
        let scopes: BTreeSet<String> = read.iter().map(CallRule::scope).collect();
        assert_eq!(scopes.len(), read.len(), "a place is there twice");
    }

    #[test]
    fn laws_hold_at_their_place() {
        let rules = rules(Vec::new()).unwrap();
        for (country, region, day, expected) in [
            ("US", Some("FL"), Monday, "08:00-20:00"),
            ("US", Some("Florida"), Sunday, "08:00-20:00"),
            ("US", Some("NY"), Sunday, "08:00-21:00"),
            ("US", Some("AL"), Sunday, ""),
            ("US", Some("RI"), Saturday, "10:00-17:00"),
            ("US", Some("TX"), Sunday, "12:00-21:00"),
            ("US", None, Monday, "10:00-18:00"),
            ("US", None, Saturday, "10:00-17:00"),
            ("US", None, Sunday, ""),
            ("CA", Some("QC"), Friday, "09:00-21:00"),
            ("CA", None, Saturday, "10:00-18:00"),
            ("AU", Some("NSW"), Sunday, ""),
            ("DE", None, Sunday, "08:00-21:00"),
        ] {
            let hours = rules.of(Some(country), region);
            let spans: Vec<String> = hours.on(day).iter().map(ToString::to_string).collect();
            assert_eq!(spans.join(", "), expected, "{country} {region:?} {day:?}");
        }
        let christmas = "2026-12-25".parse().unwrap();
        assert!(rules.of(Some("US"), Some("AL")).on_date(christmas).0.is_empty());
        assert!(!rules.of(Some("US"), Some("FL")).on_date(christmas).0.is_empty());
    }

    #[test]
    fn rules_of_a_team_narrow_and_never_widen() {
        let own = "[[call_hours]]\ncountry = \"France\"\nhours = \"mon-fri 10:00-13:00, mon-fri 14:00-20:00\"\n\
                   not_on_holidays = true\n\
                   [[call_hours]]\ncountry = \"US\"\nregion = \"US-FL\"\nhours = \"mon-sun 06:00-23:00\"\n";
        let own: File = toml::from_str(own).unwrap();
        let rules = rules(own.call_hours).unwrap();
        let spans = |country: &str, region| {
            let hours = rules.of(Some(country), region);
            hours.on(Monday).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(spans("FR", None), "10:00-13:00, 14:00-20:00");
        assert_eq!(spans("US", Some("FL")), "08:00-20:00");
        let bastille = "2027-07-14".parse().unwrap();
        assert_eq!(rules.of(Some("FR"), None).on_date(bastille).1, Some("National Day"));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let own = "[[call_hours]]\ncountry = \"Narnia\"\nhours = \"mon 08:00-17:00\"\n\
                   [[call_hours]]\ncountry = \"US\"\nregion = \"XX\"\nhours = \"mon 08:00-17:00\"\n\
                   [[call_hours]]\ncountry = \"US\"\nhours = \"mon 8-17\"\n";
        let own: File = toml::from_str(own).unwrap();
        let wrong = rules(own.call_hours).unwrap_err().join("\n");
        for part in
            ["entry 1: `Narnia` is no country", "entry 2: US has no region `XX`", "entry 3: hours:"]
        {
            assert!(wrong.contains(part), "{part} in {wrong}");
        }
    }
}
