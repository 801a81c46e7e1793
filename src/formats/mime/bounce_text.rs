//! Non-delivery reports without a machine-readable part: who sent them, and what they say in words.

use super::bounce_words::{DAEMONS, DELAY, FAILURE, GIVEN_UP};
use super::codes;
use super::headers::is_address;
use super::parse::Mail;
use super::words::{clip, find, fold, fold_line};

/// Characters of a report that are looked at.
const REPORT_LIMIT: usize = 20_000;
const RECIPIENT_LIMIT: usize = 20;

/// What a report in words says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Report {
    Failed { hard: bool, status: Option<String>, recipients: Vec<String>, words: &'static str },
    Delayed { words: &'static str },
}

/// Whether the envelope sender is empty, as RFC 5321, section 4.5.5, demands of reports.
pub(super) fn has_null_return_path(mail: &Mail) -> bool {
    mail.headers.all("return-path").next().is_some_and(|path| {
        let path = path.trim().to_ascii_lowercase();
        matches!(path.as_str(), "" | "<>" | "<null>") || path.starts_with("<mailer-daemon")
    })
}

/// Whether the sender is the mail system itself.
pub(super) fn is_from_daemon(mail: &Mail) -> bool {
    let from = mail.headers.text("from");
    // What stands behind an @ is a company's name, whatever it sounds like.
    let sender: Vec<&str> =
        from.split_whitespace().filter_map(|word| word.split('@').next()).collect();
    let is_empty = mail.headers.get("from").is_some_and(|from| matches!(from.trim(), "" | "<>"));
    is_empty
        || find(&fold_line(&sender.join(" ")), DAEMONS).is_some()
        || mail.headers.has_any(&["x-failed-recipients"])
}

/// Reads a report in words; `None` when it is none. A sender that is not known as a machine of the mail
/// system is only believed when it also names a recipient or a reply code.
pub(super) fn read(mail: &Mail, text: &str) -> Option<Report> {
    let daemon = is_from_daemon(mail);
    if !daemon && !has_null_return_path(mail) {
        return None;
    }
    let text = clip(text, REPORT_LIMIT);
    let (report, _) = split_original(text);
    let all = fold_line(&format!("{} \n {report}", mail.headers.text("subject")));
    let delay = find(&all, DELAY);
    if let Some(words) = delay.filter(|_| find(&all, GIVEN_UP).is_none()) {
        return Some(Report::Delayed { words });
    }
    let words = find(&all, FAILURE)?;
    let recipients = recipients(mail, text);
    let told = reply_lines(report);
    if !daemon && recipients.is_empty() && told.is_empty() {
        return None;
    }
    let (hard, status) = judge(&told, &all);
    Some(Report::Failed { hard, status, recipients, words })
}

/// The server's own words decide when they say anything; otherwise the whole report does.
pub(super) fn judge(told: &str, report: &str) -> (bool, Option<String>) {
    let status = codes::status_in(told).or_else(|| codes::status_in(report));
    let words = if codes::is_telling(told) { told } else { report };
    (codes::is_dead(status.as_deref(), words), status)
}

/// The lines with an SMTP reply code, and what is wrapped below them.
pub(super) fn reply_lines(report: &str) -> String {
    let mut told = String::new();
    let mut follow = 0;
    for line in report.lines().take(1_000) {
        if has_reply_code(line) {
            follow = 3;
        }
        if follow > 0 && !line.trim().is_empty() {
            told.push_str(line.trim());
            told.push(' ');
            follow -= 1;
        } else {
            follow = 0;
        }
    }
    told
}

fn has_reply_code(line: &str) -> bool {
    let is_code = |word: &str| {
        word.len() == 3 && word.starts_with(['4', '5']) && word.chars().all(|c| c.is_ascii_digit())
    };
    let is_dotted = |word: &str| codes::status_in(word).is_some();
    line.split(|c: char| c.is_whitespace() || "-:;()#".contains(c))
        .any(|word| is_code(word) || is_dotted(word))
}

/// The report, and what follows it of the mail that it is about.
pub(super) fn split_original(text: &str) -> (&str, &str) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if at > 0 && begins_original(line) {
            return text.split_at(at);
        }
        at += line.len();
    }
    (text, "")
}

/// How reports introduce the mail that they return.
const ORIGINALS: &[&str] = &[
    "original message",
    "original mail",
    "original headers",
    "copy of the message",
    "copy of your message",
    "copy of the original",
    "copy of the mail",
    "copy of the headers",
    "unsent message",
    "message headers",
    "message header",
    "undelivered message",
    "returned message",
    "returned mail follows",
    "message follows",
    "message text follows",
    "headers of the message",
    "your original message",
    "this line is a copy",
    "ursprungliche nachricht",
    "message original",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "исходное сообщение",
    "元のメッセージ",
    "原始邮件",
];

fn begins_original(line: &str) -> bool {
    let folded = fold(line.trim_end());
    let is_field = ["return-path:", "received: from", "received: by", "dkim-signature:"]
        .iter()
        .any(|name| line.to_ascii_lowercase().starts_with(name));
    let marked = folded.starts_with(['-', '=', '_', '*'])
        || folded.ends_with([':', '-'])
        || folded.trim_end_matches('.').ends_with("follows");
    is_field || (marked && line.len() < 120 && find(&folded, ORIGINALS).is_some())
}

/// The addresses that a report names: its header for them, or those that stand out in the text, or the
/// addressees of the original.
pub(super) fn recipients(mail: &Mail, text: &str) -> Vec<String> {
    let (report, original) = split_original(text);
    let own: Vec<String> = ["to", "from", "return-path", "delivered-to", "reply-to"]
        .iter()
        .flat_map(|name| mail.headers.addresses(name))
        .collect();
    let failed = mail.headers.addresses("x-failed-recipients");
    let mut found = if failed.is_empty() { named(report, true, &own) } else { failed };
    if found.is_empty() {
        found = named(report, false, &own);
    }
    if found.is_empty() {
        found = originals(mail)
            .first()
            .map(|original| original.headers.addresses("to"))
            .unwrap_or_default();
    }
    if found.is_empty() {
        let addressee = original.lines().find(|line| line.to_ascii_lowercase().starts_with("to:"));
        found = addressee.map(|line| named(line, false, &own)).unwrap_or_default();
    }
    found.truncate(RECIPIENT_LIMIT);
    found
}

/// Addresses in a text, each once; with `leading` only those that begin their line or follow a command.
fn named(report: &str, leading: bool, own: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in report.lines().take(500) {
        let lower = line.trim().to_lowercase();
        let marked = ["rcpt to:", "recipient:", "recipient address:", "addressed to:"]
            .iter()
            .any(|mark| lower.contains(mark));
        let words = lower
            .split(|c: char| c.is_whitespace() || "<>,;()[]\"'*".contains(c))
            .filter(|word| !word.is_empty());
        let words = words.take(if leading && !marked { 1 } else { 20 });
        let addresses = words
            .map(|word| word.trim_matches([':', '.', '|']))
            .map(|word| word.strip_prefix("to:").unwrap_or(word));
        for address in addresses
            .filter(|word| is_address(word) && word.contains('.') && !word.starts_with("mailto:"))
        {
            let known = found.iter().chain(own).any(|known| known == address);
            if !known && found.len() < RECIPIENT_LIMIT {
                found.push(address.to_owned());
            }
        }
    }
    found
}

/// The mails that a report carries, whole or only their headers.
pub(super) fn originals(mail: &Mail) -> Vec<Mail> {
    let is_original = |kind: &str| {
        kind.starts_with("message/rfc822")
            || kind.starts_with("text/rfc822")
            || kind == "message/global"
    };
    mail.parts
        .iter()
        .filter(|part| is_original(&part.kind))
        .take(3)
        .map(super::parse::Part::as_mail)
        .collect()
}

/// Message-IDs that stand as header lines in a report's text.
pub(super) fn message_ids(text: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for line in clip(text, REPORT_LIMIT).lines() {
        let line = line.trim();
        let is_field = line.get(..11).is_some_and(|name| name.eq_ignore_ascii_case("message-id:"));
        let value = line.get(11..).unwrap_or_default().trim().trim_matches(['<', '>']);
        if is_field && value.contains('@') && !value.contains(char::is_whitespace) && ids.len() < 5
        {
            ids.push(value.to_owned());
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(head: &str, body: &str) -> Option<Report> {
        let mail = Mail::read(format!("{head}\nTo: me@our.test\n\n{body}").as_bytes());
        read(&mail, body)
    }

    #[test]
    fn a_daemons_words_are_understood_in_many_languages() {
        let daemon = "From: Mail Delivery <MAILER-DAEMON@mx.test>\nReturn-Path: <>";
        for (body, hard) in [
            ("Your message could not be delivered.\n<a@x.test>: 550 5.1.1 User unknown", true),
            ("Your message could not be delivered.\n<a@x.test>: 552 5.2.2 over quota", false),
            ("Ihre Nachricht konnte nicht zugestellt werden\na@x.test: Empfänger unbekannt", true),
            ("Votre message n'a pas pu être remis\na@x.test Destinataire inconnu", true),
            ("Письмо не может быть доставлено\na@x.test пользователь не найден", true),
            ("Undeliverable: a@x.test", false),
        ] {
            let Some(Report::Failed { hard: found, recipients, .. }) = report(daemon, body) else {
                panic!("{body}")
            };
            assert_eq!(
                (found, recipients.as_slice()),
                (hard, &["a@x.test".to_owned()][..]),
                "{body}"
            );
        }
    }

    #[test]
    fn a_delay_is_no_bounce_until_the_server_gives_up() {
        let daemon = "From: mailer-daemon@mx.test\nSubject: Warning";
        let delayed =
            "Delivery to a@x.test has been delayed.\nIt will be retried.\n450 user unknown";
        assert!(matches!(report(daemon, delayed), Some(Report::Delayed { .. })));
        let final_one = "a@x.test has been delayed too long; giving up. Delivery failed.";
        assert!(matches!(report(daemon, final_one), Some(Report::Failed { .. })));
    }

    #[test]
    fn a_persons_words_about_bounces_are_no_report() {
        let person = "From: Dana <dana@x.test>\nReturn-Path: <dana@x.test>";
        assert_eq!(
            report(person, "My mail to bob@x.test could not be delivered: 550 user unknown"),
            None
        );
        let company = "From: Dana <dana@bounce.test>\nReturn-Path: <dana@bounce.test>";
        assert_eq!(report(company, "Our offer to a@x.test was rejected: 550"), None);
        let vacation = "From: Dana <dana@x.test>\nReturn-Path: <>";
        assert_eq!(report(vacation, "I am away. Mail is not bounced, just late."), None);
    }

    #[test]
    fn the_returned_mail_is_told_from_the_report() {
        for mark in [
            "--- Original message ---",
            "Original message follows.",
            "------ This is a copy of the message, including all the headers. ------",
            "Return-Path: <a@b>",
        ] {
            let text = format!("report\n{mark}\nold");
            assert_eq!(split_original(&text).0, "report\n", "{mark}");
        }
        assert_eq!(
            message_ids("x\n  Message-Id: <a@b>\nMESSAGE-ID:c@d\nMessage-ID: none"),
            ["a@b", "c@d"]
        );
    }
}
