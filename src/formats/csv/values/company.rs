//! Companies: the name as a person would say it, and the domain that identifies them.

use super::Fault;
use super::text::{clean, folded};
use crate::domain::address::is_free_mail;

/// Words behind a company name that only lawyers say, folded.
const LEGAL: &[&str] = &[
    "ab",
    "ag",
    "aps",
    "as",
    "asa",
    "bv",
    "bvba",
    "co",
    "corp",
    "corporation",
    "cv",
    "doo",
    "eirl",
    "gbr",
    "gmbh",
    "inc",
    "incorporated",
    "kft",
    "kg",
    "kgaa",
    "kk",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "ltda",
    "mbh",
    "nv",
    "ohg",
    "oy",
    "oyj",
    "pc",
    "plc",
    "pllc",
    "pte",
    "pty",
    "pvt",
    "sa",
    "sapi",
    "sarl",
    "sas",
    "sasu",
    "sau",
    "sca",
    "se",
    "sl",
    "slu",
    "snc",
    "spa",
    "spzoo",
    "srl",
    "sro",
    "ug",
    "zrt",
];

/// Hosts where companies have a page and not their own domain.
const NOT_THEIRS: &[&str] = &[
    "facebook.com",
    "instagram.com",
    "linkedin.com",
    "linktr.ee",
    "twitter.com",
    "x.com",
    "youtube.com",
];

/// The company's name in a cleaned cell; some tables write a whole object there.
pub(crate) fn name(cell: &str) -> Option<String> {
    if !cell.starts_with('{') {
        return Some(cell.to_owned());
    }
    let object: serde_json::Value = serde_json::from_str(cell).ok()?;
    let name = ["name", "Name", "company", "company_name"]
        .iter()
        .find_map(|key| object.get(key)?.as_str());
    name.map(|name| clean(name).into_owned()).filter(|name| !name.is_empty())
}

/// The name without legal form, brackets and slogan; the whole name if nothing else would be left.
pub(crate) fn short(name: &str) -> String {
    let said = name.split(['|', '•', '·']).next().unwrap_or(name);
    let said = without_brackets(said);
    let mut words: Vec<&str> = said.split_whitespace().collect();
    while words.len() > 1 && words.last().is_some_and(|word| is_legal(word)) {
        words.pop();
        while words.len() > 1 && words.last().is_some_and(|word| is_joint(word)) {
            words.pop();
        }
    }
    let short = words.join(" ");
    let short = short.trim_matches([',', '-', '&', ' ', '–', '—']);
    let says_nothing = short.is_empty() || ["the", "a"].contains(&short.to_lowercase().as_str());
    if says_nothing { name.to_owned() } else { short.to_owned() }
}

fn is_legal(word: &str) -> bool {
    // "S.A." and "A/S" are one word; "as" in small letters is English.
    let is_word = word.chars().all(|c| c.is_lowercase()) && word.len() < 3;
    !is_word && LEGAL.contains(&folded(word).as_str())
}

fn is_joint(word: &str) -> bool {
    ["&", "+", "and", "und", "et", "y", "e", "-", "–", ","].contains(&word)
}

fn without_brackets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '(' | '[' | '（' => depth += 1,
            ')' | ']' | '）' => depth = depth.saturating_sub(1),
            c if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// The host of a web address or domain: lower case, punycoded, without `www.`; `None` when it is the
/// host of a mail provider or of a social network.
///
/// # Errors
/// The cell is no web address.
pub(crate) fn domain(cell: &str) -> Result<Option<String>, Fault> {
    let fault =
        || Fault::new("not a web address", "Write it like northwind.com, or leave the cell empty.");
    let address = cell.split_once("://").map_or(cell, |(_, rest)| rest);
    let host = address.trim_start_matches('/').split(['/', '?', '#', ':', ',', ';', ' ']).next();
    let host = host.and_then(|host| host.rsplit('@').next()).unwrap_or_default();
    let host = host.trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let host = idna::domain_to_ascii(host).map_err(|_| fault())?;
    // The rules for a domain are those behind an `@`.
    format!("x@{host}").parse::<crate::domain::address::EmailAddress>().map_err(|_| fault())?;
    Ok(is_own(&host).then_some(host))
}

/// Whether a web address is a company's page on LinkedIn.
pub(crate) fn is_linkedin_page(cell: &str) -> bool {
    ["linkedin.com/company/", "linkedin.com/school/", "linkedin.com/showcase/"]
        .iter()
        .any(|page| cell.contains(page))
}

/// Whether a domain can be the identity of a company.
pub(crate) fn is_own(host: &str) -> bool {
    let is_below = |site: &str| {
        host.strip_suffix(site).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !is_free_mail(host) && !NOT_THEIRS.iter().any(|site| is_below(site))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_name_is_what_people_say() {
        for (name, said) in [
            ("Acme, Inc.", "Acme"),
            ("ACME GMBH & CO. KG", "ACME"),
            ("Foo (YC W21)", "Foo"),
            ("Northwind Traders Pty Ltd", "Northwind Traders"),
            ("Globex | We're hiring", "Globex"),
            ("Initech S.p.A.", "Initech"),
            ("Novo A/S", "Novo"),
            ("Hooli B.V.", "Hooli"),
            ("Ernst & Young LLP", "Ernst & Young"),
            ("The Limited", "The Limited"),
            ("SAS", "SAS"),
            ("Good as", "Good as"),
            ("(YC W21)", "(YC W21)"),
            ("Tata Consultancy Services Pvt. Ltd.", "Tata Consultancy Services"),
        ] {
            assert_eq!(short(name), said, "{name:?}");
        }
    }

    #[test]
    fn a_table_of_companies_in_a_cell_gives_the_name() {
        assert_eq!(name("{\"name\": \"Acme\", \"id\": 3}").as_deref(), Some("Acme"));
        assert_eq!(name("{\"id\": 3}"), None);
        assert_eq!(name("{broken"), None);
        assert_eq!(name("Acme").as_deref(), Some("Acme"));
    }

    #[test]
    fn the_domain_is_the_host_and_never_a_mail_provider() {
        for (cell, domain_of) in [
            ("https://www.Northwind.com/about?x=1", Some("northwind.com")),
            ("northwind.com", Some("northwind.com")),
            ("http://northwind.com:8080", Some("northwind.com")),
            ("bücher.de", Some("xn--bcher-kva.de")),
            ("gmail.com", None),
            ("https://www.facebook.com/northwind", None),
        ] {
            assert_eq!(domain(cell), Ok(domain_of.map(str::to_owned)), "{cell:?}");
        }
        for cell in ["northwind", "http://", "yes", "127.0.0.1", "a b"] {
            assert!(domain(cell).is_err(), "{cell:?}");
        }
    }
}
