//! Where the clock of a person may stand: IANA zones by country, region and phone number.

use rlibphonenumber::{PhoneNumber, PhoneNumberType};

mod table;

/// The IANA zones in which a person may be, best guess first; empty when nothing is known.
///
/// `country` is ISO 3166-1 alpha-2, `region` the ISO 3166-2 subdivision without the country, as in
/// [`ProspectDraft`](crate::domain::prospect::ProspectDraft). Only without a country does the phone
/// number tell it, and only its country: people keep their number when they move within one.
pub fn time_zones(
    country: Option<&str>,
    region: Option<&str>,
    phone_e164: Option<&str>,
) -> Vec<String> {
    let zones = match country {
        Some(country) => zones_of(country, region),
        None => {
            phone_e164.and_then(country_of_phone).and_then(|country| zones_of(&country, region))
        }
    };
    zones.unwrap_or_default().iter().map(|zone| (*zone).to_owned()).collect()
}

/// Whether a region has zones of its own; both codes as in [`time_zones`].
pub fn is_known_region(country: &str, region: &str) -> bool {
    let (country, region) = (country.to_ascii_uppercase(), region.to_ascii_uppercase());
    let key = (country.as_str(), region.as_str());
    table::REGIONS.binary_search_by(|(known, _)| known.cmp(&key)).is_ok()
}

/// The region's zones, else all of the country's.
fn zones_of(country: &str, region: Option<&str>) -> Option<&'static [&'static str]> {
    let country = country.to_ascii_uppercase();
    let region = region.map(str::to_ascii_uppercase).unwrap_or_default();
    let key = (country.as_str(), region.as_str());
    if let Ok(at) = table::REGIONS.binary_search_by(|(known, _)| known.cmp(&key)) {
        return table::REGIONS.get(at).map(|(_, zones)| *zones);
    }
    let at = table::COUNTRIES.binary_search_by(|(known, _)| known.cmp(&key.0)).ok()?;
    table::COUNTRIES.get(at).map(|(_, zones)| *zones)
}

/// The country of a number that belongs to a place or a person; toll-free numbers have none.
fn country_of_phone(e164: &str) -> Option<String> {
    use PhoneNumberType::{FixedLine, FixedLineOrMobile, Mobile};
    let number = PhoneNumber::parse(e164, None).ok()?;
    let placed = matches!(number.get_type(), FixedLine | Mobile | FixedLineOrMobile);
    let region = placed.then(|| number.get_region_code()).flatten()?;
    Some(region.as_region_str().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_every_zone_exists() {
        assert!(table::COUNTRIES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(table::REGIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let countries = table::COUNTRIES.iter().map(|(_, zones)| zones);
        for zone in
            countries.chain(table::REGIONS.iter().map(|(_, zones)| zones)).copied().flatten()
        {
            assert!(jiff::tz::TimeZone::get(zone).is_ok(), "{zone}");
        }
    }

    #[test]
    fn zones_come_from_the_region_then_the_country_then_the_phone() {
        type Known = (Option<&'static str>, Option<&'static str>, Option<&'static str>);
        let cases: &[(Known, &[&str])] = &[
            ((Some("US"), Some("CA"), None), &["America/Los_Angeles"]),
            ((Some("us"), Some("tn"), None), &["America/Chicago", "America/New_York"]),
            ((Some("CA"), Some("QC"), None), &["America/Toronto"]),
            ((Some("AU"), Some("WA"), None), &["Australia/Perth"]),
            ((Some("US"), Some("WA"), None), &["America/Los_Angeles"]),
            ((Some("DE"), Some("Bavaria"), None), &["Europe/Berlin"]),
            ((Some("DE"), None, Some("+14155552671")), &["Europe/Berlin"]),
            ((None, None, Some("+442079460958")), &["Europe/London"]),
            ((None, None, Some("+18004444444")), &[]),
            ((None, None, Some("nonsense")), &[]),
            ((None, Some("CA"), None), &[]),
            ((Some("ZZ"), None, Some("+442079460958")), &[]),
            ((None, None, None), &[]),
        ];
        for ((country, region, phone), zones) in cases {
            let found = time_zones(*country, *region, *phone);
            assert_eq!(found, *zones, "{country:?} {region:?} {phone:?}");
        }
    }

    #[test]
    fn a_country_of_several_zones_without_a_region_gives_all_its_mainland_zones() {
        let zones = time_zones(Some("US"), Some("unheard of"), None);
        assert_eq!(zones.first().map(String::as_str), Some("America/New_York"));
        assert!(zones.iter().any(|zone| zone == "America/Los_Angeles"));
        assert!(!zones.iter().any(|zone| zone == "Pacific/Honolulu"));
    }
}
