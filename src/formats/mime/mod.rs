//! Inbound mail: from the bytes of a message to what it is and what was written.
//!
//! `parse` takes it apart, `classify` asks the tests in their order, the other files know one kind each.

mod auto;
mod auto_words;
mod away;
mod bounce_text;
mod bounce_words;
mod calendar_words;
mod charset;
mod classify;
mod codes;
mod headers;
pub(in crate::formats) mod html;
mod notice;
mod notice_words;
mod opt_out;
mod opt_out_words;
mod parse;
mod quote_words;
mod report;
mod strip;
mod words;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

pub use strip::new_text;

use crate::domain::reply::{Inbound, Kind};
use classify::Seen;
use parse::Mail;

/// Characters of a subject that are kept.
const SUBJECT_LIMIT: usize = 1_000;
/// Ids and addresses of one message that are kept.
const LIST_LIMIT: usize = 200;

/// Takes a message apart and says what it is. `received_on` is used for dates without a year. Never
/// fails: what is no mail at all is a notice.
pub fn read(bytes: &[u8], received_on: Date) -> Inbound {
    let lines = parse::normalise(bytes);
    let mail = Mail::read(&lines);
    let subject = words::clip(&mail.headers.text("subject"), SUBJECT_LIMIT).to_owned();
    let text = mail.text();
    let new_text = new_text(&text);
    let seen =
        Seen { mail: &mail, subject: &subject, text: &text, new_text: &new_text, received_on };
    let verdict = classify::classify(&seen);
    let answers = answers(&mail, &text, &verdict.kind);
    Inbound {
        message_id: without_nul(message_id(&mail, &lines)),
        from: senders(&mail).into_iter().map(without_nul).collect(),
        answers: answers.into_iter().map(without_nul).collect(),
        subject: without_nul(subject),
        new_text: without_nul(new_text),
        kind: verdict.kind,
        reason: without_nul(verdict.reason),
    }
}

/// PostgreSQL's texts cannot hold a NUL, and `=00` is enough to write one.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

fn message_id(mail: &Mail, lines: &[u8]) -> String {
    let own = mail.headers.ids("message-id").into_iter().next();
    let bare =
        || mail.headers.get("message-id").map(|id| id.trim_matches(['<', '>', ' ']).to_owned());
    own.or_else(bare).filter(|id| !id.is_empty() && id.len() <= 998).unwrap_or_else(|| hash(lines))
}

/// A name for a message that has none: the same for every copy of it.
fn hash(lines: &[u8]) -> String {
    let digest = Sha256::digest(lines);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn senders(mail: &Mail) -> Vec<String> {
    without_doubles(
        ["from", "reply-to", "sender"].iter().flat_map(|name| mail.headers.addresses(name)),
    )
}

/// In-Reply-To, References from right to left, Exchange's own field, and what a report is about.
fn answers(mail: &Mail, text: &str, kind: &Kind) -> Vec<String> {
    let headers = &mail.headers;
    let mut ids = headers.ids("in-reply-to");
    ids.extend(headers.ids("references").into_iter().rev());
    ids.extend(headers.ids("x-ms-exchange-parent-message-id"));
    if matches!(kind, Kind::Bounce(_) | Kind::Complaint | Kind::Notice | Kind::Unsubscribe) {
        let originals = bounce_text::originals(mail);
        ids.extend(originals.iter().flat_map(|original| original.headers.ids("message-id")));
        ids.extend(notice::disposed_id(mail));
        ids.extend(bounce_text::message_ids(text));
    }
    without_doubles(ids)
}

fn without_doubles(found: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in found.into_iter().take(LIST_LIMIT) {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
