//! E-mail addresses, often several in one cell.

use super::text::is_invisible;
use super::{Fault, Found};
use crate::domain::address::EmailAddress;

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

/// The addresses in a cell, in their order.
pub(crate) fn emails(cell: &str) -> Found<EmailAddress> {
    let mut found = Found { values: Vec::new(), fault: None };
    let is_between = |c: char| c.is_whitespace() || matches!(c, ';' | ',' | '|');
    let parts = cell.split(":::").flat_map(|part| part.split(is_between));
    let parts = parts.map(bare).filter(|part| part.contains('@'));
    for part in parts.take(MAX_ADDRESSES) {
        match address(&part) {
            Ok(address) if found.values.contains(&address) => {}
            Ok(address) => found.values.push(address),
            Err(fault) => found.fault = found.fault.or(Some(fault)),
        }
    }
    if found.values.is_empty() && found.fault.is_none() {
        found.fault = Some(no_address("not an e-mail address"));
    }
    found
}

/// A part of a cell without what may stand around an address.
fn bare(part: &str) -> String {
    let part: String = part.chars().filter(|c| !is_invisible(*c)).collect();
    let around: &[char] = &['<', '>', '(', ')', '[', ']', '"', '\'', ':', '.', ','];
    let part = part.trim_matches(around);
    let scheme = part.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    let part = scheme.and(part.get(7..)).unwrap_or(part);
    part.split('?').next().unwrap_or(part).to_owned()
}

fn address(part: &str) -> Result<EmailAddress, Fault> {
    let address: EmailAddress = part.parse().map_err(|error| no_address(&format!("{error}")))?;
    let meant = TYPOS.iter().find(|(typo, _)| *typo == address.domain()).map(|(_, meant)| *meant);
    match meant {
        Some(meant) => Err(Fault::new(
            format!("looks mistyped: {}", address.domain()),
            format!("If {}@{meant} was meant, write that.", address.local()),
        )),
        None => Ok(address),
    }
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
            ("a@gmial.com", "looks mistyped: gmial.com"),
        ] {
            let found = emails(cell);
            assert_eq!(found.values, [], "{cell:?}");
            assert_eq!(found.fault.map(|fault| fault.problem).as_deref(), Some(problem));
        }
    }
}
