//! Mail that changes nothing: receipts, calendar answers, recalls, challenges, notes of mailing lists.

use super::notice_words::{ACCEPTED, CHALLENGE, LISTED, RECALLED, RECALLING, RECEIPTS, REFUSED};
use super::parse::Mail;
use super::report;
use super::words::{clip, find, fold_line};

/// Characters of a text that are looked at.
const TEXT_LIMIT: usize = 6_000;

/// What a disposition notification (RFC 8098) says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    /// Displayed, deleted, or the like: nothing to do.
    Receipt,
    /// A mail filter refused the mail and says so in this form (RFC 5429, section 2.1.2).
    Refused { recipient: Option<String> },
}

/// The disposition notification in a mail, when it is one.
pub(super) fn disposition(mail: &Mail, text: &str) -> Option<Disposition> {
    let part =
        mail.part(&["message/disposition-notification", "message/global-disposition-notification"]);
    let is_report =
        mail.headers.content_type().report_type.as_deref() == Some("disposition-notification");
    if part.is_none() && !is_report {
        return None;
    }
    let fields = part.map(|part| part.text.as_str()).unwrap_or_default();
    let automatic = report::field(fields, "disposition")
        .is_some_and(|value| value.to_lowercase().contains("automatic-action"));
    if automatic && find(&fold_line(clip(text, TEXT_LIMIT)), REFUSED).is_some() {
        return Some(Disposition::Refused {
            recipient: report::recipients(fields)
                .into_iter()
                .find_map(|recipient| recipient.address),
        });
    }
    Some(Disposition::Receipt)
}

/// The Message-ID that a disposition notification is about.
pub(super) fn disposed_id(mail: &Mail) -> Option<String> {
    let part = mail.part(&["message/disposition-notification"])?;
    let id = report::field(&part.text, "original-message-id")?;
    Some(id.trim_matches(['<', '>', ' ']).to_owned()).filter(|id| !id.is_empty())
}

/// An answer to an invitation (RFC 5546): accepted, declined, or another time proposed. An invitation
/// itself is a person's move.
pub(super) fn is_calendar_answer(mail: &Mail, subject: &str, new_text: &str) -> bool {
    let answers = |method: &str| matches!(method, "reply" | "counter" | "declinecounter");
    let part = mail.part(&["text/calendar", "application/ics"]);
    if let Some(part) = part {
        let method = part.headers.content_type().method.or_else(|| calendar_method(&part.text));
        return method.is_some_and(|method| answers(&method));
    }
    new_text.is_empty() && begins(subject, ACCEPTED)
}

fn calendar_method(text: &str) -> Option<String> {
    let line = text
        .lines()
        .take(50)
        .find(|line| line.get(..7).is_some_and(|name| name.eq_ignore_ascii_case("method:")))?;
    Some(line.get(7..)?.trim().to_lowercase())
}

/// A sender's system wants a proof of humanity first.
pub(super) fn challenge(subject: &str, text: &str) -> Option<&'static str> {
    find(&fold_line(&format!("{subject} \n {}", clip(text, TEXT_LIMIT))), CHALLENGE)
}

/// Outlook takes a mail back, or tells how that went.
pub(super) fn is_recall(subject: &str, text: &str) -> bool {
    begins(subject, RECALLED) && find(&fold_line(clip(text, TEXT_LIMIT)), RECALLING).is_some()
}

/// A subject that only a read or delivery receipt has.
pub(super) fn is_receipt(subject: &str, new_text: &str) -> bool {
    begins(subject, RECEIPTS)
        && find(&fold_line(clip(new_text, TEXT_LIMIT)), REFUSED).is_none()
        && is_receipt_text(new_text)
}

/// Receipts repeat the header of the mail and say when; a person's mail under such a subject does not.
fn is_receipt_text(text: &str) -> bool {
    let folded = fold_line(clip(text, TEXT_LIMIT));
    folded.is_empty()
        || folded.starts_with("your message")
        || folded.starts_with("ihre nachricht")
        || folded.starts_with("votre message")
}

/// A mailing list's software has something to say.
pub(super) fn list_note(mail: &Mail, text: &str) -> Option<&'static str> {
    let from = mail.headers.addresses("from").into_iter().next().unwrap_or_default();
    let local = from.split('@').next().unwrap_or_default();
    let is_list = mail.headers.has_any(&[
        "list-id",
        "x-mailman-version",
        "x-beenthere",
        "x-list-administrivia",
    ]) || local.ends_with("-bounces")
        || local.ends_with("-owner")
        || local.ends_with("-request")
        || matches!(local, "mailman" | "listserv" | "majordomo" | "sympa");
    find(&fold_line(clip(text, TEXT_LIMIT)), LISTED).filter(|_| is_list)
}

/// One of the words, then a colon.
fn begins(subject: &str, words: &[&str]) -> bool {
    let subject = fold_line(subject);
    words.iter().any(|word| {
        let rest = subject.strip_prefix(word).map(str::trim_start);
        rest.is_some_and(|rest| rest.starts_with(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Mail {
        Mail::read(text.as_bytes())
    }

    #[test]
    fn receipts_and_refusals_are_told_apart() {
        let mail = |disposition: &str| {
            read(&format!(
                "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\n\n--b\n\
             Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; a@x.test\n\
             Original-Message-ID: <id@our.test>\nDisposition: {disposition}\n--b--"
            ))
        };
        let shown = mail("manual-action/MDN-sent-manually; displayed");
        assert_eq!(disposition(&shown, "Your message was displayed."), Some(Disposition::Receipt));
        assert_eq!(disposed_id(&shown).as_deref(), Some("id@our.test"));
        let refused = mail("automatic-action/MDN-sent-automatically; deleted");
        let expected = Disposition::Refused { recipient: Some("a@x.test".to_owned()) };
        assert_eq!(
            disposition(&refused, "Your message was automatically rejected"),
            Some(expected)
        );
        assert_eq!(disposition(&read("Subject: x\n\n"), "rejected"), None);
    }

    #[test]
    fn answers_to_invitations_are_notices_and_invitations_are_not() {
        for (mail, answer) in [
            ("Content-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR", true),
            ("Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:REPLY\n", true),
            ("Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR", false),
        ] {
            assert_eq!(is_calendar_answer(&read(mail), "x", ""), answer, "{mail}");
        }
        assert!(is_calendar_answer(&read("Subject: x\n\n"), "Zugesagt: Termin", ""));
        assert!(!is_calendar_answer(
            &read("Subject: x\n\n"),
            "Accepted: your offer",
            "We take it."
        ));
    }

    #[test]
    fn machines_of_lists_and_gates_are_known_by_their_words() {
        assert!(
            challenge(
                "Please confirm",
                "To deliver your message, please verify that you are a human"
            )
            .is_some()
        );
        assert!(challenge("Hello", "Could you confirm the meeting?").is_none());
        assert!(is_recall("Recall: Offer", "Dana would like to recall the message \"Offer\"."));
        assert!(!is_recall("Recall: our talk", "As discussed."));
        let list = read("From: x-owner@lists.test\n\n");
        assert!(
            list_note(&list, "Your mail is being held until the list moderator can review it")
                .is_some()
        );
        assert!(list_note(&read("From: a@b.test\n\n"), "held for approval").is_none());
    }
}
