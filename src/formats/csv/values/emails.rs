//! E-mail addresses, often several in one cell.

use std::borrow::Cow;

use super::Fault;
use super::text::is_invisible;
use crate::domain::address::{EmailAddress, is_free_mail};

/// How many addresses of one cell are looked at.
const MAX_ADDRESSES: usize = 20;

/// Domains that are always a slip of the finger, and what was meant.
const TYPOS: &[(&str, &str)] = &[
    ("gamil.com", "gmail.com"),
    ("gmai.com", "gmail.com"),
    ("gmail.co", "gmail.com"),
    ("gmail.cm", "gmail.com"),
    ("gmail.con", "gmail.com"),
    ("gmaill.com", "gmail.com"),
    ("gmal.com", "gmail.com"),
    ("gmial.com", "gmail.com"),
    ("gnail.com", "gmail.com"),
    ("hotmai.com", "hotmail.com"),
    ("hotmail.con", "hotmail.com"),
    ("hotmal.com", "hotmail.com"),
    ("hotmial.com", "hotmail.com"),
    ("iclod.com", "icloud.com"),
    ("icloud.con", "icloud.com"),
    ("outlok.com", "outlook.com"),
    ("outloo.com", "outlook.com"),
    ("outlook.con", "outlook.com"),
    ("yaho.com", "yahoo.com"),
    ("yahoo.con", "yahoo.com"),
    ("yahooo.com", "yahoo.com"),
];

/// What the address cells of a row held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Emails {
    pub values: Vec<EmailAddress>,
    /// The first thing that was no address.
    pub fault: Option<Fault>,
    /// The first address whose domain is a slip of the finger; never corrected, never kept.
    pub mistyped: Option<Fault>,
}

/// The addresses in a cell, in their order.
pub(crate) fn emails(cell: &str) -> Emails {
    let mut found = Emails::default();
    let is_between = |c: char| c.is_whitespace() || matches!(c, ';' | ',' | '|');
    let parts = cell.split(":::").flat_map(|part| part.split(is_between));
    let parts = parts.map(bare).filter(|part| part.contains('@'));
    for part in parts.take(MAX_ADDRESSES) {
        match part.parse::<EmailAddress>() {
            Ok(address) if found.values.contains(&address) => {}
            Ok(address) => match mistyped(&address).or_else(|| invented(&address)) {
                None => found.values.push(address),
                Some(Slip::Mistyped(fault)) => found.mistyped = found.mistyped.or(Some(fault)),
                Some(Slip::Invented(fault)) => found.fault = found.fault.or(Some(fault)),
            },
            Err(error) => {
                found.fault = found.fault.or_else(|| Some(no_address(&error.to_string())))
            }
        }
    }
    if found.values.is_empty() && found.fault.is_none() && found.mistyped.is_none() {
        found.fault = Some(no_address("not an e-mail address"));
    }
    found
}

/// A part of a cell without what may stand around an address.
fn bare(part: &str) -> String {
    let part = match part.is_ascii() {
        true => Cow::Borrowed(part),
        false => part.chars().filter(|c| !is_invisible(*c)).collect(),
    };
    let around: &[char] = &['<', '>', '(', ')', '[', ']', '"', '\'', ':', '.', ','];
    let part = part.trim_matches(around);
    let scheme = part.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    let part = scheme.and(part.get(7..)).unwrap_or(part);
    part.split('?').next().unwrap_or(part).to_owned()
}

/// Why an address that could be one is none.
enum Slip {
    Mistyped(Fault),
    Invented(Fault),
}

fn mistyped(address: &EmailAddress) -> Option<Slip> {
    let domain = address.domain();
    let known =
        TYPOS.iter().find(|(typo, _)| *typo == domain).map(|(_, meant)| (*meant).to_owned());
    let ending = || {
        let (head, tld) = domain.rsplit_once('.')?;
        ["con", "comm", "cmo", "ocm", "vom", "xom"].contains(&tld).then(|| format!("{head}.com"))
    };
    let meant = known.or_else(ending)?;
    Some(Slip::Mistyped(Fault::new(
        format!("looks mistyped: {domain}"),
        format!("If {}@{meant} was meant, write that.", address.local()),
    )))
}

/// What people write where a form insists on an address.
fn invented(address: &EmailAddress) -> Option<Slip> {
    const NOBODY: &[&str] =
        &["na", "n-a", "nan", "no", "noemail", "none", "null", "test", "xx", "xxx"];
    const NOWHERE: &[&str] = &[
        "a.com",
        "domain.com",
        "email.com",
        "na.com",
        "noemail.com",
        "none.com",
        "null.com",
        "test.com",
        "xxx.com",
    ];
    let local = address.local().to_ascii_lowercase();
    let is_invented = NOWHERE.contains(&address.domain()) && NOBODY.contains(&local.as_str());
    is_invented.then(|| Slip::Invented(no_address("an address that nobody has")))
}

/// What kind of mailbox it is, where it is not one person's at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Several people read it, such as info@.
    Role,
    /// At a provider where anybody can have one.
    Free,
}

/// Mailboxes that belong to an office and not to a person, sorted.
const ROLES: &[&str] = &[
    "abuse",
    "accounting",
    "accounts",
    "admin",
    "administration",
    "bewerbung",
    "billing",
    "booking",
    "bookings",
    "buchhaltung",
    "career",
    "careers",
    "contact",
    "contacto",
    "contato",
    "customercare",
    "customerservice",
    "datenschutz",
    "einkauf",
    "enquiries",
    "enquiry",
    "events",
    "feedback",
    "finance",
    "hallo",
    "hello",
    "help",
    "helpdesk",
    "hi",
    "hola",
    "hostmaster",
    "hr",
    "humanresources",
    "info",
    "information",
    "inquiries",
    "inquiry",
    "invoice",
    "invoices",
    "it",
    "jobs",
    "kontakt",
    "kundenservice",
    "legal",
    "mail",
    "marketing",
    "media",
    "news",
    "newsletter",
    "no-reply",
    "noreply",
    "office",
    "operations",
    "orders",
    "personal",
    "postmaster",
    "presse",
    "press",
    "privacy",
    "procurement",
    "purchasing",
    "reception",
    "recruiting",
    "recruitment",
    "rh",
    "root",
    "sales",
    "security",
    "service",
    "services",
    "support",
    "team",
    "ventas",
    "verkauf",
    "vertrieb",
    "webmaster",
    "welcome",
    "zentrale",
];

/// The kind of an address, if it is of a kind.
pub(crate) fn kind(address: &EmailAddress) -> Option<Kind> {
    let local = address.local();
    let is_role = ROLES.iter().any(|role| local.eq_ignore_ascii_case(role));
    match () {
        () if is_role => Some(Kind::Role),
        () if is_free_mail(address.domain()) => Some(Kind::Free),
        () => None,
    }
}

/// The country whose ending a domain has; endings that the whole world uses name none.
pub(crate) fn country_of_ending(domain: &str) -> Option<&str> {
    const OF_THE_WORLD: &[&str] = &[
        "ac", "ai", "am", "as", "bz", "cc", "cd", "co", "cx", "eu", "fm", "gg", "gl", "gs", "im",
        "io", "is", "la", "li", "ly", "me", "ms", "mu", "nu", "pm", "pw", "sc", "sh", "so", "st",
        "su", "tc", "tk", "to", "tv", "vc", "vg", "ws",
    ];
    let tld = domain.rsplit_once('.')?.1;
    (tld.len() == 2 && !OF_THE_WORLD.contains(&tld)).then_some(if tld == "uk" { "gb" } else { tld })
}

fn no_address(problem: &str) -> Fault {
    Fault::new(problem, "Correct the address or leave the cell empty.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_in_a_cell_is_found() {
        for (cell, expected) in [
            ("dana@x.test", &["dana@x.test"][..]),
            ("a@x.test; b@x.test", &["a@x.test", "b@x.test"]),
            ("a@x.test ::: b@x.test:::c@x.test", &["a@x.test", "b@x.test", "c@x.test"]),
            ("mailto:a@x.test?subject=hi", &["a@x.test"]),
            ("Dana Whitfield <dana@x.test>", &["dana@x.test"]),
            ("'dana@x.test'", &["dana@x.test"]),
            ("a@x.test\na@x.test", &["a@x.test"]),
            ("\u{200b}a@x.test\u{feff}", &["a@x.test"]),
        ] {
            let found: Vec<String> = emails(cell).values.iter().map(|a| a.to_string()).collect();
            assert_eq!(found, expected, "{cell:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_a_fault_that_says_what_to_do() {
        for (cell, problem) in [
            ("jane.doe@", "not an e-mail address"),
            ("n.a", "not an e-mail address"),
            ("a@localhost", "the part behind the @ is not a domain name"),
            ("none@none.com", "an address that nobody has"),
        ] {
            let found = emails(cell);
            assert_eq!(found.values, [], "{cell:?}");
            assert_eq!(found.fault.map(|fault| fault.problem).as_deref(), Some(problem));
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_told_and_never_corrected() {
        for (cell, fix) in [
            ("a@gmial.com", "If a@gmail.com was meant, write that."),
            ("a@acme.con", "If a@acme.com was meant, write that."),
        ] {
            let found = emails(cell);
            assert_eq!((found.values.len(), found.fault), (0, None), "{cell:?}");
            assert_eq!(found.mistyped.map(|fault| fault.fix).as_deref(), Some(fix));
        }
        assert_eq!(emails("a@gmail.com, a@gmial.com").values.len(), 1);
        assert_eq!(emails("a@mail.com").mistyped, None);
    }

    #[test]
    fn mailboxes_of_an_office_and_of_a_free_provider_are_known() {
        let kind = |text: &str| kind(&text.parse().expect("an address"));
        assert_eq!(kind("Info@acme.test"), Some(Kind::Role));
        assert_eq!(kind("dana@gmail.com"), Some(Kind::Free));
        assert_eq!(kind("dana@acme.test"), None);
    }

    #[test]
    fn endings_name_a_country_unless_the_world_uses_them() {
        for (domain, country) in [
            ("acme.de", Some("de")),
            ("acme.co.uk", Some("gb")),
            ("acme.io", None),
            ("acme.com", None),
        ] {
            assert_eq!(country_of_ending(domain), country, "{domain}");
        }
    }
}
