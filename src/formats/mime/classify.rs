//! What a message is: the tests of mail.md, 3.3, in their order.

use jiff::civil::Date;

use super::bounce_text::{self, Report};
use super::notice::{self, Disposition};
use super::parse::Mail;
use super::report::{self, Action, Recipient};
use super::words::fold_line;
use super::{auto, codes, opt_out};
use crate::domain::reply::{AutoReply, Bounce, Kind};

/// A message as the tests look at it.
pub(super) struct Seen<'a> {
    pub(super) mail: &'a Mail,
    pub(super) subject: &'a str,
    /// All that a reader sees.
    pub(super) text: &'a str,
    /// What the person wrote of it.
    pub(super) new_text: &'a str,
    pub(super) received_on: Date,
}

/// What the message is and why.
pub(super) struct Verdict {
    pub(super) kind: Kind,
    pub(super) reason: String,
}

type Test = fn(&Seen<'_>) -> Option<Verdict>;

/// Reports first, for they carry the marks of machines too; then what a person asks in so many words;
/// machines before the wording of people.
const TESTS: [Test; 12] = [
    no_mail,
    complaint,
    delivery_report,
    disposition,
    opt_out_subject,
    calendar,
    gate_or_list,
    bounce_in_words,
    unreadable_report,
    machine,
    opt_out_text,
    machine_wording,
];

/// Finds out what a message is.
pub(super) fn classify(seen: &Seen<'_>) -> Verdict {
    let found = TESTS.iter().find_map(|test| test(seen));
    found.unwrap_or_else(|| verdict(Kind::Reply, "no mark of a machine and no wish to stop"))
}

fn verdict(kind: Kind, reason: impl Into<String>) -> Verdict {
    Verdict { kind, reason: reason.into() }
}

fn no_mail(seen: &Seen<'_>) -> Option<Verdict> {
    let names = [
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "received",
        "return-path",
        "content-type",
        "sender",
    ];
    let is_mail = seen.mail.headers.has_any(&names);
    (!is_mail).then(|| verdict(Kind::Notice, "no mail: it has no header fields"))
}

/// RFC 5965, and Microsoft's reports that have no part for it.
fn complaint(seen: &Seen<'_>) -> Option<Verdict> {
    let part = seen.mail.part(&["message/feedback-report"]);
    if let Some(kind) = part.and_then(|part| report::field(&part.text, "feedback-type")) {
        let reason = format!("feedback report of type {kind}");
        return Some(match kind.to_lowercase().as_str() {
            "opt-out" | "opt-out-list" => verdict(Kind::Unsubscribe, reason),
            // The one takes a complaint back, the other is about our domain's authentication.
            "not-spam" | "auth-failure" | "dmarc" => verdict(Kind::Notice, reason),
            _ => verdict(Kind::Complaint, reason),
        });
    }
    let says_so = fold_line(seen.subject).starts_with("complaint about message from");
    let mut originals = bounce_text::originals(seen.mail).into_iter();
    let is_microsofts = originals
        .any(|original| says_so || original.headers.has_any(&["x-hmxmroriginalrecipient"]));
    is_microsofts
        .then(|| verdict(Kind::Complaint, "complaint report without a feedback part (Microsoft)"))
}

/// RFC 3464, per recipient.
fn delivery_report(seen: &Seen<'_>) -> Option<Verdict> {
    let recipients =
        reported(seen.mail).or_else(|| wrapped(seen)).or_else(|| reported_in_text(seen))?;
    if let Some(words) = notice::challenge(seen.subject, seen.text) {
        return Some(verdict(Kind::Notice, format!("a challenge to the sender: \"{words}\"")));
    }
    let of = |action: Action| {
        recipients.iter().filter(|recipient| recipient.action == action).collect::<Vec<_>>()
    };
    let failed = of(Action::Failed);
    if !failed.is_empty() {
        return Some(failure(seen, &failed));
    }
    let delayed = of(Action::Delayed);
    let reason = if delayed.is_empty() {
        "delivery report: delivered"
    } else {
        "delivery report: delayed, the server still tries"
    };
    Some(verdict(Kind::Notice, reason))
}

fn reported(mail: &Mail) -> Option<Vec<Recipient>> {
    let kinds = ["message/delivery-status", "message/global-delivery-status"];
    let part = mail.parts.iter().find(|part| {
        kinds.contains(&part.kind.as_str()) || part.kind.ends_with("/delivery-status")
    })?;
    Some(report::recipients(&part.text)).filter(|recipients| !recipients.is_empty())
}

/// A report inside a forwarded mail counts only when a machine forwarded it.
fn wrapped(seen: &Seen<'_>) -> Option<Vec<Recipient>> {
    if !is_from_machine(seen.mail) {
        return None;
    }
    bounce_text::originals(seen.mail).iter().find_map(reported)
}

/// A report whose MIME structure is lost still has its fields in the text.
fn reported_in_text(seen: &Seen<'_>) -> Option<Vec<Recipient>> {
    if !is_from_machine(seen.mail) {
        return None;
    }
    let fields = seen.text.find("Final-Recipient:").and_then(|at| seen.text.get(at..))?;
    let recipients = report::recipients(fields);
    Some(recipients)
        .filter(|recipients| recipients.iter().any(|recipient| recipient.address.is_some()))
}

fn is_from_machine(mail: &Mail) -> bool {
    bounce_text::is_from_daemon(mail) || bounce_text::has_null_return_path(mail)
}

/// The dead addresses when there are any; otherwise all that failed.
fn failure(seen: &Seen<'_>, failed: &[&Recipient]) -> Verdict {
    let (report, _) = bounce_text::split_original(seen.text);
    // With several recipients the text cannot be told apart.
    let text = if failed.len() == 1 { report } else { "" };
    let judged: Vec<(&Recipient, bool)> =
        failed.iter().map(|recipient| (*recipient, is_dead(recipient, text))).collect();
    let hard = judged.iter().any(|(_, dead)| *dead);
    let meant: Vec<&Recipient> =
        judged.iter().filter(|(_, dead)| *dead == hard).map(|(recipient, _)| *recipient).collect();
    let status = meant
        .iter()
        .find_map(|recipient| codes::precise(recipient.status.as_deref(), &recipient.diagnostic));
    let mut recipients: Vec<String> =
        meant.iter().filter_map(|recipient| recipient.address.clone()).collect();
    if recipients.is_empty() {
        recipients = bounce_text::recipients(seen.mail, seen.text);
    }
    recipients.sort();
    recipients.dedup();
    let reason = format!("delivery report: failed, status {}", status.as_deref().unwrap_or("none"));
    verdict(Kind::Bounce(Bounce { hard, status, recipients }), reason)
}

fn is_dead(recipient: &Recipient, text: &str) -> bool {
    let status = codes::precise(recipient.status.as_deref(), &recipient.diagnostic);
    if codes::is_telling(&recipient.diagnostic) || text.is_empty() {
        return codes::is_dead(status.as_deref(), &recipient.diagnostic);
    }
    let told = bounce_text::reply_lines(text);
    let words = if codes::is_telling(&told) { told.as_str() } else { text };
    codes::is_dead(status.as_deref(), words)
}

fn disposition(seen: &Seen<'_>) -> Option<Verdict> {
    Some(match notice::disposition(seen.mail, seen.text)? {
        Disposition::Receipt => verdict(Kind::Notice, "a receipt (disposition notification)"),
        Disposition::Refused { recipient } => {
            let bounce =
                Bounce { hard: false, status: None, recipients: recipient.into_iter().collect() };
            verdict(Kind::Bounce(bounce), "a mail filter refused it (disposition notification)")
        }
    })
}

fn opt_out_subject(seen: &Seen<'_>) -> Option<Verdict> {
    let words = opt_out::in_subject(seen.subject).filter(|_| !is_from_machine(seen.mail))?;
    Some(verdict(Kind::Unsubscribe, format!("the subject asks for it: \"{words}\"")))
}

/// An opt-out outranks every other reading of what a person wrote.
fn calendar(seen: &Seen<'_>) -> Option<Verdict> {
    let answers = notice::is_calendar_answer(seen.mail, seen.subject, seen.new_text);
    answers.then(|| {
        opt_out_text(seen).unwrap_or_else(|| verdict(Kind::Notice, "an answer to an invitation"))
    })
}

fn gate_or_list(seen: &Seen<'_>) -> Option<Verdict> {
    if let Some(words) = notice::challenge(seen.subject, seen.new_text) {
        return Some(verdict(Kind::Notice, format!("a challenge to the sender: \"{words}\"")));
    }
    if notice::is_recall(seen.subject, seen.text) {
        return Some(verdict(Kind::Notice, "a recall of a message"));
    }
    if notice::is_receipt(seen.subject, seen.new_text) {
        return Some(verdict(Kind::Notice, "a receipt, by its subject"));
    }
    let words = notice::list_note(seen.mail, seen.new_text)
        .filter(|_| !bounce_text::is_from_daemon(seen.mail))?;
    Some(verdict(Kind::Notice, format!("a mailing list's note: \"{words}\"")))
}

fn bounce_in_words(seen: &Seen<'_>) -> Option<Verdict> {
    Some(match bounce_text::read(seen.mail, seen.text)? {
        Report::Delayed { words } => {
            verdict(Kind::Notice, format!("the server still tries: \"{words}\""))
        }
        Report::Failed { hard, status, recipients, words } => verdict(
            Kind::Bounce(Bounce { hard, status, recipients }),
            format!("the mail system says: \"{words}\""),
        ),
    })
}

/// Announced as a delivery report, but nothing in it can be read: no reason to touch anybody.
fn unreadable_report(seen: &Seen<'_>) -> Option<Verdict> {
    let kind = seen.mail.headers.content_type().report_type;
    let is_report = kind.as_deref() == Some("delivery-status");
    is_report.then(|| verdict(Kind::Notice, "a delivery report that names no recipient"))
}

fn machine(seen: &Seen<'_>) -> Option<Verdict> {
    if let Some(header) = auto::header_evidence(seen.mail) {
        return Some(auto_reply(seen, format!("the header {header} says that a machine wrote it")));
    }
    let words = auto::subject_evidence(seen.subject)?;
    Some(auto_reply(seen, format!("the subject begins with \"{words}\"")))
}

fn opt_out_text(seen: &Seen<'_>) -> Option<Verdict> {
    let words = opt_out::in_text(seen.new_text)?;
    Some(verdict(Kind::Unsubscribe, format!("the text asks for it: \"{words}\"")))
}

fn machine_wording(seen: &Seen<'_>) -> Option<Verdict> {
    let words = auto::wording_evidence(seen.mail, seen.subject, seen.new_text)?;
    Some(auto_reply(seen, format!("it reads like a machine's answer: \"{words}\"")))
}

fn auto_reply(seen: &Seen<'_>, reason: String) -> Verdict {
    let answer: AutoReply = auto::read(seen.mail, seen.subject, seen.new_text, seen.received_on);
    verdict(Kind::AutoReply(answer), reason)
}
