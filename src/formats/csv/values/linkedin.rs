//! LinkedIn addresses: the public profile is an identity, everything else is not.

use super::Fault;

/// The slug of a public profile, lower case.
///
/// # Errors
/// The address is a company page, a Sales Navigator link, an internal id, or none of LinkedIn's.
pub(crate) fn slug(cell: &str) -> Result<String, Fault> {
    let path = path(cell).ok_or_else(|| fault("not a LinkedIn profile address"))?;
    // Links of the app and of its mails have a word in front.
    let detours = ["comm", "m", "mwlite"];
    let parts = path.split('/').filter(|part| !part.is_empty());
    let mut parts = parts.skip_while(|part| detours.contains(part));
    match (parts.next(), parts.next()) {
        (Some(kind), Some(slug)) if kind.eq_ignore_ascii_case("in") => public(slug),
        (Some("sales" | "recruiter" | "talent"), _) => {
            Err(fault("a Sales Navigator link, which names nobody outside of it"))
        }
        (Some("company" | "school" | "showcase"), _) => Err(fault("a company page, not a person")),
        _ => Err(fault("not a LinkedIn profile address")),
    }
}

fn public(slug: &str) -> Result<String, Fault> {
    // Internal ids are case-sensitive and change with who looks; only the public slug is a name.
    let is_internal =
        slug.len() > 30 && ["ACwAA", "ACoAA", "AEMAA"].iter().any(|id| slug.starts_with(id));
    if is_internal {
        return Err(fault("an internal LinkedIn link, not the public profile"));
    }
    let slug = percent_decoded(slug).to_lowercase();
    let ok =
        |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '\'' | '’') || !c.is_ascii();
    let is_slug = !slug.is_empty()
        && slug.chars().count() <= 150
        && slug.chars().all(|c| ok(c) && !c.is_whitespace() && !c.is_control());
    is_slug.then_some(slug).ok_or_else(|| fault("not a LinkedIn profile address"))
}

fn fault(problem: &str) -> Fault {
    Fault::new(
        problem,
        "Give the address of the public profile, linkedin.com/in/…, or leave the cell empty.",
    )
}

/// What stands behind LinkedIn's host, without query.
fn path(cell: &str) -> Option<&str> {
    let address = cell.trim().split(['?', '#']).next()?.trim();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    if let Some(path) = address.strip_prefix("/in/").or_else(|| address.strip_prefix("in/")) {
        return (!path.is_empty()).then(|| address.trim_start_matches('/'));
    }
    let (host, path) = address.split_once('/')?;
    let host = host.to_ascii_lowercase();
    (host == "linkedin.com" || host.ends_with(".linkedin.com")).then_some(path)
}

/// Resolves `%C3%A9`; what is not so written stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        match (first, hex(tail)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits.get(..2)?).ok()?;
    digits
        .bytes()
        .all(|digit| digit.is_ascii_hexdigit())
        .then(|| u8::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_one_profile_are_one_slug() {
        for cell in [
            "https://www.linkedin.com/in/Dana-Whitfield",
            "http://linkedin.com/in/dana-whitfield/",
            "linkedin.com/in/dana-whitfield/en?trk=x#top",
            "https://uk.linkedin.com/in/dana-whitfield/details/experience",
            "www.LinkedIn.com/in/dana%2Dwhitfield",
            "/in/dana-whitfield",
            "https://www.linkedin.com/comm/in/dana-whitfield?midToken=x",
            "https://m.linkedin.com/mwlite/in/dana-whitfield",
        ] {
            assert_eq!(slug(cell).as_deref(), Ok("dana-whitfield"), "{cell:?}");
        }
        assert_eq!(slug("https://linkedin.com/in/ren%C3%A9-d%C3%BCr").as_deref(), Ok("rené-dür"));
    }

    #[test]
    fn links_that_name_no_person_are_refused() {
        for cell in [
            "https://www.linkedin.com/company/northwind",
            "https://www.linkedin.com/sales/lead/ACwAAA123,NAME,x",
            "https://www.linkedin.com/in/ACwAAA8BYqEBCGLg_vT_ca6mMEqkpp9nVffJ3hc",
            "https://www.linkedin.com/pub/dana/1/2/3",
            "https://notlinkedin.com/in/dana",
            "https://evil.test/linkedin.com/in/dana",
            "https://www.linkedin.com/in/",
            "https://www.linkedin.com/in/a%0d%0ab",
            "Dana",
            "yes",
        ] {
            assert!(slug(cell).is_err(), "{cell:?}");
        }
    }
}
