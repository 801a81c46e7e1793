//! The lists that come with firsttouch can be tried out without reaching anybody.

use std::path::Path;

/// All of them, one behind the other; the first is the large one.
fn list() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lists");
    let read = |name: &str| {
        std::fs::read_to_string(folder.join(format!("{name}.csv"))).expect("a list in UTF-8")
    };
    ["demo", "demo-accounts", "demo-customers", "demo-inbound"].map(read).concat()
}

/// The domains of RFC 2606 that nobody can own.
fn is_reserved(domain: &str) -> bool {
    let domain = domain.trim_end_matches(['.', '"', ' ']).to_lowercase();
    domain.ends_with(".test") || domain.ends_with(".example")
}

fn up_to_a_break(text: &str) -> &str {
    text.split([',', ';', ' ', '"', '/', '\r', '\n']).next().unwrap_or_default()
}

#[test]
fn every_address_and_site_is_at_a_domain_that_nobody_can_own() {
    let list = list();
    let behind = |mark: &'static str| list.split(mark).skip(1).map(up_to_a_break);
    // Two of the five broken addresses have no whole domain.
    let domains = behind("@").filter(|domain| !["", "acme"].contains(domain));
    let (addresses, sites) = (domains.clone().count(), behind("http://www.").count());
    assert!(addresses > 150 && sites > 150, "{addresses} {sites}");
    let sites = behind("http://www.").filter(|site| *site != "linkedin.com");
    let owned: Vec<&str> = domains.chain(sites).filter(|domain| !is_reserved(domain)).collect();
    assert_eq!(owned, Vec::<&str>::new());
}

#[test]
fn every_profile_is_marked_as_an_example() {
    let list = list();
    let profiles: Vec<&str> = list.split("linkedin.com/in/").skip(1).map(up_to_a_break).collect();
    assert!(profiles.len() > 100);
    assert!(profiles.iter().all(|profile| profile.contains("-example-")));
}

#[test]
fn every_north_american_number_is_one_of_those_kept_for_fiction() {
    let list = list();
    let digits = |cell: &str| cell.chars().filter(char::is_ascii_digit).collect::<String>();
    let cells = list.split([',', '\n']).filter(|cell| cell.contains("555"));
    let numbers: Vec<String> =
        cells.map(digits).filter(|digits| digits.len() == 10 || digits.len() == 11).collect();
    assert!(numbers.len() > 60, "{}", numbers.len());
    let real: Vec<&String> = numbers.iter().filter(|number| !number.contains("55501")).collect();
    assert_eq!(real, Vec::<&String>::new());
}

#[test]
fn the_list_begins_with_a_byte_order_mark_as_exports_do() {
    assert!(list().starts_with("\u{feff}First Name,Last Name,Title,"));
}
