//! E-mail addresses: parsed once at the edge, after that the type is the proof.

use thiserror::Error;

/// An address that mail can be sent to: one `@`, a dotted ASCII (punycoded) domain, bounded lengths.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress {
    text: String,
    at: usize,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// There is no `@`, or nothing on one side of it.
    #[error("not an e-mail address")]
    NoAt,
    /// RFC 5321, section 4.5.3.1: 64 octets before the `@`, 254 in all.
    #[error("longer than an e-mail address may be")]
    TooLong,
    /// White space, a control character, a quote or a bracket, or dots in the wrong place.
    #[error("has a character or a dot where an e-mail address cannot have one")]
    BadCharacter,
    /// The part behind the `@` is no dotted domain name.
    #[error("the part behind the @ is not a domain name")]
    BadDomain,
}

impl EmailAddress {
    /// The address as it is written in a `To` header; the domain is lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`, as given.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// The domain, lower case and punycoded.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// The key under which two spellings of one address are the same: lower case, without a `+tag`,
    /// and without dots for Gmail.
    pub fn canonical(&self) -> String {
        let local = self.local().to_lowercase();
        let local = local.split_once('+').map_or(local.as_str(), |(head, _)| head);
        match self.domain() {
            "gmail.com" | "googlemail.com" => format!("{}@gmail.com", local.replace('.', "")),
            domain => format!("{local}@{domain}"),
        }
    }
}

impl std::fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = AddressError;

    fn from_str(raw: &str) -> Result<Self, AddressError> {
        let raw = raw.trim();
        let (local, domain) = raw.rsplit_once('@').ok_or(AddressError::NoAt)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::NoAt);
        }
        let domain = idna::domain_to_ascii(domain).map_err(|_| AddressError::BadDomain)?;
        if local.len() > 64 || local.len() + 1 + domain.len() > 254 {
            return Err(AddressError::TooLong);
        }
        if !is_local(local) {
            return Err(AddressError::BadCharacter);
        }
        if !is_domain(&domain) {
            return Err(AddressError::BadDomain);
        }
        Ok(Self { text: format!("{local}@{domain}"), at: local.len() })
    }
}

/// A dot-atom of RFC 5322, section 3.2.3, letters beyond ASCII allowed (RFC 6532).
fn is_local(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
    })
}

/// A dotted host name of RFC 1123 whose last label is no number.
fn is_domain(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    let label_ok = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    labels.len() >= 2
        && labels.iter().all(label_ok)
        && labels
            .last()
            .is_some_and(|tld| tld.len() >= 2 && !tld.chars().all(|c| c.is_ascii_digit()))
}

/// Providers where anybody can have a mailbox: such a domain names no company and has no cap of its own.
const FREE_MAIL: &[&str] = &[
    "aol.com",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.fr",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "t-online.de",
    "wanadoo.fr",
    "web.de",
    "wp.pl",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
];

/// Whether a domain (lower case) belongs to a free-mail provider.
pub fn is_free_mail(domain: &str) -> bool {
    FREE_MAIL.binary_search(&domain).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_mail_can_reach_are_accepted() {
        for (raw, text) in [
            ("dana@northwind.test", "dana@northwind.test"),
            (" Dana.Whitfield+x@Northwind.TEST ", "Dana.Whitfield+x@northwind.test"),
            ("o'brien@sons.example", "o'brien@sons.example"),
            ("zoë@exämple.com", "zoë@xn--exmple-cua.com"),
        ] {
            assert_eq!(raw.parse::<EmailAddress>().map(|a| a.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        use AddressError::*;
        for (raw, error) in [
            ("", NoAt),
            ("n.a.", NoAt),
            ("jane.doe@", NoAt),
            ("a..b@x.com", BadCharacter),
            ("a b@x.com", BadCharacter),
            ("a@b\r\nBcc: c@d.com", BadCharacter),
            ("a@b\r\n.com", BadDomain),
            ("\"a\"@x.com", BadCharacter),
            ("a@localhost", BadDomain),
            ("a@127.0.0.1", BadDomain),
            ("a@-x.com", BadDomain),
        ] {
            assert_eq!(raw.parse::<EmailAddress>(), Err(error), "{raw:?}");
        }
    }

    #[test]
    fn spellings_of_one_mailbox_share_their_canonical_form() {
        let canonical = |raw: &str| raw.parse::<EmailAddress>().map(|a| a.canonical());
        assert_eq!(canonical("J.Doe+list@GMail.com"), canonical("jdoe@googlemail.com"));
        assert_ne!(canonical("j.doe@acme.test"), canonical("jdoe@acme.test"));
    }

    #[test]
    fn the_free_mail_table_is_sorted_so_that_it_can_be_searched() {
        assert!(FREE_MAIL.is_sorted());
        assert!(is_free_mail("web.de") && !is_free_mail("acme.test"));
    }
}
