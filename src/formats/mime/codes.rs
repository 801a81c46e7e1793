//! Whether a server's words and its enhanced status code (RFC 3463) say that an address is dead.

use super::bounce_words::{DEAD, DISABLED, NOT_DEAD, SENDER};
use super::words::{find, fold_line};

/// The first enhanced status code in a text that says more than "it failed", else the first at all.
pub(super) fn status_in(text: &str) -> Option<String> {
    let precise = codes(text).find(|code| !is_vague(code));
    precise.or_else(|| codes(text).next()).map(str::to_owned)
}

fn codes(text: &str) -> impl Iterator<Item = &str> {
    let outside = |c: char| !c.is_ascii_digit() && c != '.';
    text.split(outside).map(|word| word.trim_matches('.')).filter(|word| is_status(word))
}

/// Class 2, 4 or 5, and two numbers of up to three figures (RFC 3463, section 2).
fn is_status(word: &str) -> bool {
    let numbers: Vec<&str> = word.split('.').collect();
    let [class, subject, detail] = numbers.as_slice() else { return false };
    // More than one figure for the subject is a version or an address, whatever the standard allows.
    matches!(*class, "2" | "4" | "5") && subject.len() == 1 && (1..=3).contains(&detail.len())
}

/// Whether a code says nothing but "it failed".
fn is_vague(status: &str) -> bool {
    matches!(status, "5.0.0" | "5.1.0" | "5.2.0" | "5.3.0" | "5.4.0" | "5.5.0")
}

/// The more precise of the report's code and that in the server's words.
pub(super) fn precise(status: Option<&str>, words: &str) -> Option<String> {
    let said = status_in(words);
    match (status, said) {
        (Some(status), Some(said)) if is_vague(status) && !is_vague(&said) => Some(said),
        (Some(status), _) => Some(status.to_owned()),
        (None, said) => said,
    }
}

/// Whether the address is dead. Words about the sender, the content or a full mailbox win over a vague
/// code: a prospect is not given up for our own trouble.
pub(super) fn is_dead(status: Option<&str>, words: &str) -> bool {
    let words = without_names(&fold_line(words));
    let says = |phrases: &[&str]| find(&words, phrases).is_some();
    if says(SENDER) {
        return false;
    }
    let dead = says(DEAD);
    let maybe_alive = says(NOT_DEAD);
    match status.unwrap_or_default() {
        "5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10" | "5.4.4" => dead || !maybe_alive,
        // Exchange Online refuses unknown recipients with it, and relaying too.
        "5.4.1" => !maybe_alive && (dead || says(&["recipient address rejected"])),
        "5.2.1" => !maybe_alive && (dead || says(DISABLED)),
        // An unverified address that the sender gave up on (Postfix, reject_unverified_recipient).
        "" | "4.1.1" => dead && !maybe_alive,
        status => is_vague(status) && dead && !maybe_alive,
    }
}

/// Whether a server's words say anything about whose trouble it is.
pub(super) fn is_telling(words: &str) -> bool {
    let words = without_names(&fold_line(words));
    [DEAD, NOT_DEAD, SENDER, DISABLED].iter().any(|phrases| find(&words, phrases).is_some())
}

/// What servers and mailboxes are called says nothing: `relay.spam-filter.example` is no verdict.
fn without_names(words: &str) -> String {
    let is_dotted = |word: &str| {
        let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
        let mut labels = inner.split('.');
        let lettered = |label: &str| label.chars().any(char::is_alphabetic);
        inner.contains('.')
            && labels.all(|label| !label.is_empty())
            && inner.rsplit('.').next().is_some_and(lettered)
    };
    let kept = words
        .split([' ', '[', ']', '(', ')', '<', '>'])
        .filter(|word| !word.contains('@') && !is_dotted(word));
    kept.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_from_addresses_and_versions() {
        for (text, code) in [
            ("550 5.1.1 User unknown", Some("5.1.1")),
            ("550-5.7.26 unauthenticated", Some("5.7.26")),
            ("(#5.1.1)", Some("5.1.1")),
            ("host 192.0.2.5 said", None),
            ("host 5.1.1.9 said 554", None),
            ("Postfix 3.1.0", None),
            ("", None),
        ] {
            assert_eq!(status_in(text).as_deref(), code, "{text}");
        }
    }

    #[test]
    fn only_a_dead_address_is_dead() {
        for (status, words, dead) in [
            (Some("5.1.1"), "550 5.1.1 no such user", true),
            (Some("5.1.1"), "", true),
            (Some("5.1.1"), "Mailbox full", false),
            (
                None,
                "host relay.spam.test[192.0.2.1] said: 550 <policy@spam.test> user unknown",
                true,
            ),
            (Some("5.0.0"), "550 User unknown", true),
            (Some("5.0.0"), "554 rejected", false),
            (None, "550 <x>: Recipient address rejected: User unknown in virtual table", true),
            (None, "Benutzer unbekannt", true),
            (Some("5.7.1"), "550 5.7.1 relaying denied", false),
            (Some("5.4.1"), "550 5.4.1 Recipient address rejected: Access denied", true),
            (Some("5.4.1"), "no answer from host", false),
            (Some("5.2.1"), "The account has been disabled", true),
            (Some("5.2.2"), "user unknown or over quota", false),
            (Some("4.4.7"), "delivery time expired", false),
            (Some("4.0.0"), "lookup responded with NXDOMAIN", false),
            (Some("5.4.4"), "host not found", true),
            (Some("5.4.4"), "malformed or unexpected name server reply", false),
            (Some("5.1.8"), "Sender address rejected: Domain not found", false),
            (Some("4.1.1"), "450 4.1.1 unverified address: user unknown", true),
        ] {
            assert_eq!(is_dead(status, words), dead, "{status:?} {words}");
        }
    }

    #[test]
    fn the_more_precise_code_is_reported() {
        for (status, words, code) in [
            (Some("5.0.0"), "550 5.1.1 unknown", Some("5.1.1")),
            (Some("5.1.1"), "550 5.7.1 x", Some("5.1.1")),
            (None, "550 5.2.2 full", Some("5.2.2")),
            (Some("5.0.0"), "5.1.0 address error 550-'5.7.1 access denied'", Some("5.7.1")),
            (Some("5.0.0"), "no", Some("5.0.0")),
            (None, "no", None),
        ] {
            assert_eq!(precise(status, words).as_deref(), code);
        }
    }
}
