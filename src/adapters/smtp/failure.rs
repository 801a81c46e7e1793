//! What went wrong, in the words of the domain: never an address, a password or a line of the message.

use std::error::Error as _;
use std::time::Duration;

use lettre::transport::smtp::Error;

use crate::domain::delivery::{Answer, Failure, Phase};

const MAX_TEXT_CHARS: usize = 500;

/// A failure without an answer.
pub(super) fn broken(phase: Phase, detail: &str) -> Failure {
    Failure { phase, answer: None, detail: one_line(detail) }
}

/// The time limit of the phase ran out.
pub(super) fn late(phase: Phase, limit: Duration) -> Failure {
    let seconds = limit.as_secs_f32();
    broken(phase, &format!("no answer to {} within {seconds} s", question(phase)))
}

/// An answer that fits no question.
pub(super) fn unclear(phase: Phase) -> Failure {
    broken(phase, &format!("the answer to {} was not to be understood", question(phase)))
}

/// What the server is certain to refuse is not even asked; it reads like the server's own answer.
pub(super) fn local_refusal(
    phase: Phase,
    code: u16,
    enhanced: (u8, u16, u16),
    why: &str,
) -> Failure {
    let answer = Answer { code, enhanced: Some(enhanced), text: why.to_owned() };
    Failure { phase, detail: format!("not even tried: {why}"), answer: Some(answer) }
}

/// The server's definite refusal, or a line that broke.
pub(super) fn refused_or_broken(phase: Phase, error: &Error) -> Failure {
    match error.status() {
        Some(code) => {
            let words = error.source().map(ToString::to_string).unwrap_or_default();
            refused(phase, answer(code.into(), &words))
        }
        None => broken(phase, &format!("{} at {}", cause(error), question(phase))),
    }
}

fn refused(phase: Phase, answer: Answer) -> Failure {
    let enhanced = answer.enhanced.map(|(a, b, c)| format!(" {a}.{b}.{c}")).unwrap_or_default();
    let detail = format!("{} was refused: {}{enhanced}", question(phase), answer.code);
    Failure { phase, answer: Some(answer), detail }
}

/// Code, enhanced code and words of a reply.
pub(super) fn answer(code: u16, words: &str) -> Answer {
    let words = words.trim_start();
    let (first, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    match enhanced(first).filter(|(class, _, _)| u16::from(*class) == code / 100) {
        Some(enhanced) => Answer { code, enhanced: Some(enhanced), text: one_line(rest) },
        None => Answer { code, enhanced: None, text: one_line(words) },
    }
}

/// `class.subject.detail` of RFC 3463, section 2.
fn enhanced(word: &str) -> Option<(u8, u16, u16)> {
    let mut parts = word.split('.').map(|part| {
        let digits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u16>().ok()).flatten()
    });
    let class = u8::try_from(parts.next()??).ok()?;
    let found = (class, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(found)
}

/// The text on one line, at most 500 characters.
pub(super) fn one_line(text: &str) -> String {
    let spaced = text.replace(char::is_control, " ");
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_TEXT_CHARS).collect()
}

fn question(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "the greeting",
        Phase::Auth => "the login",
        Phase::Sender => "the sender",
        Phase::Recipient => "the recipient",
        Phase::Data => "the request to send content",
        Phase::Content => "the content",
    }
}

/// The codec's own words may quote the server; only those of the operating system are passed on.
fn cause(error: &Error) -> String {
    if error.is_client() {
        return "the server does not offer what is needed".to_owned();
    }
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    match source {
        Some(io) => format!("the line broke ({})", io.kind()),
        None => "the line was closed or the answer not understood".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_taken_apart_into_code_enhanced_code_and_words() {
        for (code, words, enhanced, text) in [
            (550, "5.1.1 nobody here", Some((5, 1, 1)), "nobody here"),
            (450, "4.2.0  Greylisted,\ttry again", Some((4, 2, 0)), "Greylisted, try again"),
            (550, "5.7.515 policy", Some((5, 7, 515)), "policy"),
            (550, "5.1.1", Some((5, 1, 1)), ""),
            (550, "No such user", None, "No such user"),
            // RFC 2034, section 4: the class must agree with the code.
            (550, "4.1.1 odd", None, "4.1.1 odd"),
            (550, "5.1.1.1 an address of a machine", None, "5.1.1.1 an address of a machine"),
            (550, "5.1234.1 x", None, "5.1234.1 x"),
            (550, "5..1 x", None, "5..1 x"),
            (421, "", None, ""),
        ] {
            let expected = Answer { code, enhanced, text: text.to_owned() };
            assert_eq!(answer(code, words), expected, "{code} {words}");
        }
    }

    #[test]
    fn an_endless_reply_is_cut() {
        assert_eq!(answer(550, &"ä ".repeat(2000)).text.chars().count(), 500);
    }

    #[test]
    fn the_detail_of_a_refusal_does_not_repeat_the_servers_words() {
        let failure = refused(Phase::Recipient, answer(550, "5.1.1 <dana@x.test> unknown"));
        assert_eq!(failure.detail, "the recipient was refused: 550 5.1.1");
    }
}
