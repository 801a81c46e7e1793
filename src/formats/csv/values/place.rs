//! Countries and regions by the names that people write.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::text::folded;

/// Names of countries, folded, to ISO 3166-1 alpha-2.
static COUNTRIES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let names = toml::from_str::<HashMap<String, Vec<String>>>(include_str!("countries.toml"));
    by_name(names.unwrap_or_default())
});

/// Names of regions, folded, to their code, by country.
static REGIONS: LazyLock<HashMap<String, HashMap<String, String>>> = LazyLock::new(|| {
    type Regions = HashMap<String, HashMap<String, Vec<String>>>;
    let regions = toml::from_str::<Regions>(include_str!("regions.toml")).unwrap_or_default();
    regions.into_iter().map(|(country, names)| (country, by_name(names))).collect()
});

/// Turns `code = [names]` around; the code is one of its names.
fn by_name(names: HashMap<String, Vec<String>>) -> HashMap<String, String> {
    let mut by_name = HashMap::new();
    for (code, names) in names {
        for name in names {
            by_name.insert(folded(&name), code.clone());
        }
        by_name.insert(folded(&code), code);
    }
    by_name
}

/// ISO 3166-1 alpha-2 of a country in any of its usual spellings.
pub(crate) fn country(name: &str) -> Option<&'static str> {
    // "England, United Kingdom" says it twice; "Germany (DE)" too.
    let known = |name: &str| COUNTRIES.get(&folded(name)).map(String::as_str);
    let last = || name.rsplit([',', '(']).next().and_then(known);
    known(name).or_else(|| name.contains([',', '(']).then(last).flatten())
}

/// The region's ISO 3166-2 code without the country where we know it, else the text.
pub(crate) fn region(country: Option<&str>, name: &str) -> String {
    let regions = country.and_then(|country| REGIONS.get(country));
    let code = name.strip_prefix(country.unwrap_or("-")).and_then(|rest| rest.strip_prefix('-'));
    let code = regions.and_then(|regions| regions.get(&folded(code.unwrap_or(name))));
    code.cloned().unwrap_or_else(|| name.to_owned())
}

/// A place in one text, as far as it is understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub city: Option<String>,
    pub region: Option<String>,
    pub country: Option<&'static str>,
}

/// Reads `City, Region, Country` and shorter forms. Without a country at its end a text is understood
/// when it ends in a region that only one country has, or names one of the areas that LinkedIn uses.
pub(crate) fn location(text: &str) -> Place {
    let text = text.trim();
    let area = ["Metropolitan Area", "Metropolitan Region", "Metro Area", "Metroplex", "Area"]
        .iter()
        .find_map(|area| text.strip_suffix(area))
        .unwrap_or(text);
    let area = area.trim_end_matches([',', ' ']);
    let area = area.strip_prefix("Greater ").unwrap_or(area);
    if let Some((city, region, country)) = metro(area) {
        let region = (!region.is_empty()).then(|| region.to_owned());
        return Place { city: Some(city.to_owned()), region, country: Some(country) };
    }
    let parts: Vec<&str> = area.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let Some((last, rest)) = parts.split_last() else { return Place::default() };
    // Two letters at the end are rather a state: "Atlanta, GA", "San Diego, CA"; so may be Georgia.
    let is_doubtful = rest.len() == 1 && (last.len() <= 2 || folded(last) == "georgia");
    let Some(country) = country(last).filter(|_| !is_doubtful) else {
        return city_and_region(last, rest);
    };
    let text = |at: usize| rest.get(at).map(|part| (*part).to_owned());
    match rest.len() {
        0 => Place { country: Some(country), ..Place::default() },
        1 if is_region(country, rest.first().copied().unwrap_or_default()) => {
            Place { region: text(0), country: Some(country), ..Place::default() }
        }
        1 => Place { city: text(0), country: Some(country), ..Place::default() },
        more => Place { city: text(0), region: text(more - 1), country: Some(country) },
    }
}

/// "Austin, Texas" and "Austin, TX": the region tells the country where only one has it.
fn city_and_region(last: &str, rest: &[&str]) -> Place {
    let is_state = last.len() == 2
        && last.chars().all(char::is_uppercase)
        && country(last).is_none()
        && REGIONS.get("US").is_some_and(|states| states.contains_key(&folded(last)));
    let country = if is_state { Some("US") } else { country_of_region(last) };
    match (country, rest) {
        (Some(country), [city, ..]) => Place {
            city: Some((*city).to_owned()),
            region: Some(last.to_owned()),
            country: Some(country),
        },
        (Some(country), []) if last.len() > 3 => {
            Place { region: Some(last.to_owned()), country: Some(country), ..Place::default() }
        }
        _ => Place::default(),
    }
}

/// The country of a region by its whole name, if only one country has it and no country is called so.
pub(crate) fn country_of_region(name: &str) -> Option<&'static str> {
    let name = folded(name);
    if name.len() < 4 || COUNTRIES.contains_key(&name) {
        return None;
    }
    let mut having = REGIONS.iter().filter(|(_, regions)| regions.contains_key(&name));
    let (country, _) = having.next()?;
    having.next().is_none().then_some(country.as_str())
}

/// Areas that LinkedIn names without their country, folded: city, region and country.
const METROS: &[(&str, (&str, &str, &str))] = &[
    ("atlanta", ("Atlanta", "GA", "US")),
    ("austin", ("Austin", "TX", "US")),
    ("bengaluru", ("Bengaluru", "", "IN")),
    ("boston", ("Boston", "MA", "US")),
    ("charlotte", ("Charlotte", "NC", "US")),
    ("chicago", ("Chicago", "IL", "US")),
    ("cleveland", ("Cleveland", "OH", "US")),
    ("dallasfortworth", ("Dallas", "TX", "US")),
    ("delhi", ("Delhi", "", "IN")),
    ("denver", ("Denver", "CO", "US")),
    ("detroit", ("Detroit", "MI", "US")),
    ("hamburg", ("Hamburg", "", "DE")),
    ("houston", ("Houston", "TX", "US")),
    ("losangeles", ("Los Angeles", "CA", "US")),
    ("madrid", ("Madrid", "", "ES")),
    ("melbourne", ("Melbourne", "VIC", "AU")),
    ("miamifortlauderdale", ("Miami", "FL", "US")),
    ("milan", ("Milan", "", "IT")),
    ("minneapolisstpaul", ("Minneapolis", "MN", "US")),
    ("montreal", ("Montreal", "QC", "CA")),
    ("mumbai", ("Mumbai", "", "IN")),
    ("munich", ("Munich", "", "DE")),
    ("nashville", ("Nashville", "TN", "US")),
    ("newyorkcity", ("New York", "NY", "US")),
    ("orlando", ("Orlando", "FL", "US")),
    ("paris", ("Paris", "", "FR")),
    ("philadelphia", ("Philadelphia", "PA", "US")),
    ("phoenix", ("Phoenix", "AZ", "US")),
    ("pittsburgh", ("Pittsburgh", "PA", "US")),
    ("raleighdurhamchapelhill", ("Raleigh", "NC", "US")),
    ("sacramento", ("Sacramento", "CA", "US")),
    ("saltlakecity", ("Salt Lake City", "UT", "US")),
    ("sandiego", ("San Diego", "CA", "US")),
    ("sanfranciscobay", ("San Francisco", "CA", "US")),
    ("seattle", ("Seattle", "WA", "US")),
    ("stlouis", ("St. Louis", "MO", "US")),
    ("stockholm", ("Stockholm", "", "SE")),
    ("sydney", ("Sydney", "NSW", "AU")),
    ("tampabay", ("Tampa", "FL", "US")),
    ("toronto", ("Toronto", "ON", "CA")),
    ("vancouver", ("Vancouver", "BC", "CA")),
    ("washingtondcbaltimore", ("Washington", "DC", "US")),
    ("zurich", ("Zurich", "", "CH")),
];

fn metro(area: &str) -> Option<(&'static str, &'static str, &'static str)> {
    if area.contains(',') {
        return None;
    }
    let area = folded(area);
    METROS.iter().find(|(known, _)| *known == area).map(|(_, place)| *place)
}

/// "California, United States" names no city, "New York, United States" rather does.
fn is_region(country: &str, name: &str) -> bool {
    let is_city_too = ["newyork", "washington", "quebec"].contains(&folded(name).as_str());
    !is_city_too && REGIONS.get(country).is_some_and(|regions| regions.contains_key(&folded(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_is_known_by_its_code_and_every_name_stands_for_one() {
        let names: HashMap<String, Vec<String>> =
            toml::from_str(include_str!("countries.toml")).expect("valid TOML");
        assert!(names.len() >= 249);
        let mut seen: HashMap<String, &str> = HashMap::new();
        for (code, spellings) in &names {
            assert_eq!(country(code), Some(code.as_str()));
            for spelling in spellings {
                assert_eq!(country(spelling), Some(code.as_str()), "{spelling}");
                let other = seen.insert(folded(spelling), code);
                assert!(
                    other.is_none_or(|other| other == code),
                    "{spelling} is {code} and {other:?}"
                );
            }
            assert!(!crate::formats::zone::time_zones(Some(code), None, None).is_empty(), "{code}");
        }
    }

    #[test]
    fn countries_are_understood_as_people_write_them() {
        for (name, code) in [
            ("USA", Some("US")),
            ("U.S.", Some("US")),
            ("United States of America", Some("US")),
            ("the united states", Some("US")),
            ("Deutschland", Some("DE")),
            ("Österreich", Some("AT")),
            ("UK", Some("GB")),
            ("England", Some("GB")),
            ("Scotland, United Kingdom", Some("GB")),
            ("Türkiye", Some("TR")),
            ("Côte d’Ivoire", Some("CI")),
            ("South Korea", Some("KR")),
            ("日本", Some("JP")),
            ("Georgia", Some("GE")),
            ("de", Some("DE")),
            ("Congo", None),
            ("EMEA", None),
            ("", None),
        ] {
            assert_eq!(country(name), code, "{name:?}");
        }
    }

    #[test]
    fn regions_become_codes_where_we_know_them() {
        for (of, name, code) in [
            (Some("US"), "California", "CA"),
            (Some("US"), "ca", "CA"),
            (Some("US"), "US-TX", "TX"),
            (Some("US"), "Washington, D.C.", "DC"),
            (Some("CA"), "Québec", "QC"),
            (Some("AU"), "Western Australia", "WA"),
            (Some("DE"), "Bavaria", "Bavaria"),
            (None, "California", "California"),
        ] {
            assert_eq!(region(of, name), code, "{of:?} {name:?}");
        }
    }

    #[test]
    fn a_location_is_read_only_where_it_tells_its_country() {
        let place = |text: &str| {
            let place = location(text);
            (
                place.city.unwrap_or_default(),
                place.region.unwrap_or_default(),
                place.country.unwrap_or(""),
            )
        };
        let expected =
            |city: &str, region: &str, country| (city.to_owned(), region.to_owned(), country);
        assert_eq!(
            place("San Francisco, California, United States"),
            expected("San Francisco", "California", "US")
        );
        assert_eq!(place("Cardiff, United Kingdom"), expected("Cardiff", "", "GB"));
        assert_eq!(place("California, United States"), expected("", "California", "US"));
        assert_eq!(place("New York, United States"), expected("New York", "", "US"));
        assert_eq!(place("Germany"), expected("", "", "DE"));
        assert_eq!(place("Greater Boston Area"), expected("Boston", "MA", "US"));
        assert_eq!(place("San Francisco Bay Area"), expected("San Francisco", "CA", "US"));
        assert_eq!(place("Austin, Texas Metropolitan Area"), expected("Austin", "Texas", "US"));
        assert_eq!(place("Greater Paris Metropolitan Region"), expected("Paris", "", "FR"));
        assert_eq!(place("London Area, United Kingdom"), expected("London Area", "", "GB"));
        assert_eq!(place("Austin, Texas"), expected("Austin", "Texas", "US"));
        assert_eq!(place("Austin, TX"), expected("Austin", "TX", "US"));
        assert_eq!(place("Perth, Western Australia"), expected("Perth", "Western Australia", "AU"));
        assert_eq!(place("Ontario"), expected("", "Ontario", "CA"));
        // Gabon or Georgia, Canada or California: nothing that can be relied on.
        assert_eq!(place("Atlanta, GA"), expected("", "", ""));
        assert_eq!(place("San Diego, CA"), expected("", "", ""));
        assert_eq!(place("Atlanta, Georgia"), expected("", "", ""));
        assert_eq!(place("Remote"), expected("", "", ""));
        assert_eq!(place("Greater Nowhere Area"), expected("", "", ""));
    }
}
