//! The outgoing message: one letter as RFC 5322 text, the same bytes for the same letter.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, MultiPartKind, SinglePart};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::domain::address::EmailAddress;

/// Everything that one outgoing mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Without angle brackets, like every id here.
    pub message_id: String,
    pub date: Timestamp,
    pub from_name: Option<String>,
    pub from: EmailAddress,
    pub to_name: Option<String>,
    pub to: EmailAddress,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The message that this one answers.
    pub in_reply_to: Option<String>,
    /// The thread so far, oldest first.
    pub references: Vec<String>,
    /// `mailto:` URL that takes an opt-out.
    pub unsubscribe_mailto: Option<String>,
    /// `https:` URL that takes a one-click opt-out (RFC 8058).
    pub unsubscribe_url: Option<String>,
    /// Value of `X-Firsttouch-Touch`, by which a copy in a Sent folder is found again.
    pub touch_header: String,
}

/// Why a letter cannot become a message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ComposeError {
    /// The id is not `left@right` in visible ASCII.
    #[error("`{0}` is not a Message-ID")]
    MessageId(String),
    /// Before 1970 or after 9999.
    #[error("`{0}` is not a date that a mail can carry")]
    Date(Timestamp),
    /// An address that cannot stand in a header.
    #[error("`{0}` cannot stand in a mail header")]
    Address(EmailAddress),
    /// The subject is longer than one header line may be.
    #[error("the subject is longer than {MAX_SUBJECT_CHARS} characters")]
    LongSubject,
    /// Not an `https:` or `mailto:` URL in visible ASCII, or too long for one line.
    #[error("`{0}` cannot stand in List-Unsubscribe")]
    Unsubscribe(String),
    /// The value of our own header is empty or not visible ASCII.
    #[error("`{0}` cannot stand in X-Firsttouch-Touch")]
    Touch(String),
    /// The builder refused.
    #[error("the message could not be built: {0}")]
    Build(String),
}

/// A line may have 998 octets (RFC 5322, section 2.1.1), and a word cannot be folded.
const MAX_SUBJECT_CHARS: usize = 900;
const MAX_NAME_CHARS: usize = 200;
const MAX_ID_BYTES: usize = 500;
const MAX_URL_BYTES: usize = 450;
/// How many ids `References` keeps of each end of a long thread.
const KEPT_REFERENCES: usize = 10;
const LAST_SECOND: i64 = 253_402_300_799;

/// The whole message with CRLF lines: `multipart/alternative` of text and HTML.
///
/// # Errors
/// See [`ComposeError`]. Names and texts are made fit instead; ids of others that are none are left out.
pub fn compose(letter: &Letter) -> Result<Vec<u8>, ComposeError> {
    let builder = Message::builder()
        .message_id(Some(own_id(&letter.message_id)?))
        .date(date(letter.date)?)
        .from(mailbox(letter.from_name.as_deref(), &letter.from)?)
        .to(mailbox(letter.to_name.as_deref(), &letter.to)?)
        .subject(subject(&letter.subject)?);
    let builder = with_thread(builder, letter);
    let builder = with_unsubscribe(builder, letter)?
        .raw_header(plain_header("X-Firsttouch-Touch", touch(&letter.touch_header)?));
    let message =
        builder.multipart(body(letter)).map_err(|error| ComposeError::Build(error.to_string()))?;
    Ok(message.formatted())
}

fn own_id(id: &str) -> Result<String, ComposeError> {
    bracketed(id).ok_or_else(|| ComposeError::MessageId(id.to_owned()))
}

/// `<id>`, if the id is one: visible ASCII with something on both sides of an `@`.
fn bracketed(id: &str) -> Option<String> {
    let visible = id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b'>');
    let (left, right) = id.rsplit_once('@')?;
    (visible && id.len() <= MAX_ID_BYTES && !left.is_empty() && !right.is_empty())
        .then(|| format!("<{id}>"))
}

fn date(date: Timestamp) -> Result<SystemTime, ComposeError> {
    // The builder panics outside of these bounds.
    match date.as_second() {
        0..=LAST_SECOND => Ok(SystemTime::from(date)),
        _ => Err(ComposeError::Date(date)),
    }
}

fn mailbox(name: Option<&str>, address: &EmailAddress) -> Result<Mailbox, ComposeError> {
    let parsed = address.as_str().parse().map_err(|_| ComposeError::Address(address.to_owned()))?;
    Ok(Mailbox::new(name.and_then(display_name), parsed))
}

/// A name on one line; the builder panics at a line break in it.
fn display_name(raw: &str) -> Option<String> {
    let name: String = one_line(raw).chars().take(MAX_NAME_CHARS).collect();
    Some(name.trim_end().to_owned()).filter(|name| !name.is_empty())
}

/// The text without control characters, each run of white space as one blank.
fn one_line(raw: &str) -> String {
    let spaced = raw.replace(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}', " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn subject(raw: &str) -> Result<String, ComposeError> {
    let subject = one_line(raw);
    if subject.chars().count() > MAX_SUBJECT_CHARS {
        return Err(ComposeError::LongSubject);
    }
    Ok(subject)
}

fn with_thread(mut builder: MessageBuilder, letter: &Letter) -> MessageBuilder {
    if let Some(parent) = letter.in_reply_to.as_deref().and_then(bracketed) {
        builder = builder.in_reply_to(parent);
    }
    let ids: Vec<String> = letter.references.iter().filter_map(|id| bracketed(id)).collect();
    if ids.is_empty() {
        return builder;
    }
    builder.references(ends_of(&ids).join(" "))
}

/// The ids, or the first and last ten of a long thread: an id is never cut.
fn ends_of(ids: &[String]) -> Vec<String> {
    if ids.len() <= 2 * KEPT_REFERENCES {
        return ids.to_vec();
    }
    let first = ids.iter().take(KEPT_REFERENCES);
    first.chain(ids.iter().skip(ids.len() - KEPT_REFERENCES)).cloned().collect()
}

/// RFC 2369, and RFC 8058 when there is an `https:` URL: without one the POST header means nothing.
fn with_unsubscribe(
    builder: MessageBuilder,
    letter: &Letter,
) -> Result<MessageBuilder, ComposeError> {
    let one_click = letter.unsubscribe_url.as_deref().map(|url| target(url, "https://"));
    let by_mail = letter.unsubscribe_mailto.as_deref().map(|url| target(url, "mailto:"));
    let is_one_click = one_click.is_some();
    let targets: Vec<String> =
        one_click.into_iter().chain(by_mail).collect::<Result<_, ComposeError>>()?;
    if targets.is_empty() {
        return Ok(builder);
    }
    let builder = builder.raw_header(plain_header("List-Unsubscribe", targets.join(", ")));
    if !is_one_click {
        return Ok(builder);
    }
    let post = plain_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned());
    Ok(builder.raw_header(post))
}

/// `<url>`, if it has that scheme and nothing that could end the brackets or the line.
fn target(url: &str, scheme: &str) -> Result<String, ComposeError> {
    let clean = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,\"".contains(&byte));
    if clean && url.len() > scheme.len() && url.len() <= MAX_URL_BYTES && url.starts_with(scheme) {
        return Ok(format!("<{url}>"));
    }
    Err(ComposeError::Unsubscribe(url.to_owned()))
}

fn touch(value: &str) -> Result<String, ComposeError> {
    let visible = value.bytes().all(|byte| byte.is_ascii_graphic());
    if value.is_empty() || value.len() > MAX_ID_BYTES || !visible {
        return Err(ComposeError::Touch(value.to_owned()));
    }
    Ok(value.to_owned())
}

/// A header whose value has been checked to be visible ASCII; it is not folded, because some
/// signers break a folded List-Unsubscribe.
fn plain_header(name: &'static str, value: String) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str(name);
    HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value)
}

fn body(letter: &Letter) -> MultiPart {
    MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(boundary(&letter.message_id))
        .singlepart(part(ContentType::TEXT_PLAIN, &letter.text))
        .singlepart(part(ContentType::TEXT_HTML, &letter.html))
}

fn part(content_type: ContentType, text: &str) -> SinglePart {
    SinglePart::builder().header(content_type).body(crlf(text))
}

/// The text with CRLF line ends and without NUL, which no mail may contain.
fn crlf(text: &str) -> String {
    text.replace('\0', "").replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

/// A boundary that nobody who writes a text can know beforehand, yet the same for the same letter.
fn boundary(message_id: &str) -> String {
    let digest = Sha256::digest(message_id.as_bytes());
    digest.iter().take(16).fold("ft-".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders};
    use proptest::prelude::*;

    use super::*;

    fn letter() -> Letter {
        Letter {
            message_id: "t1.k3@out.example".to_owned(),
            date: "2026-11-23T09:30:00Z".parse().unwrap(),
            from_name: Some("Alex Moran".to_owned()),
            from: "alex@out.example".parse().unwrap(),
            to_name: Some("Dana Whitfield".to_owned()),
            to: "dana@northwind.test".parse().unwrap(),
            subject: "A question about docks".to_owned(),
            text: "Hi Dana,\n\nshall we talk?\n".to_owned(),
            html: "<p>Hi Dana,</p>\n<p>shall we talk?</p>\n".to_owned(),
            in_reply_to: None,
            references: Vec::new(),
            unsubscribe_mailto: Some("mailto:stop@out.example?subject=abc".to_owned()),
            unsubscribe_url: Some("https://u.out.example/u/abc".to_owned()),
            touch_header: "17".to_owned(),
        }
    }

    fn text_of(letter: &Letter) -> String {
        String::from_utf8(compose(letter).unwrap()).unwrap()
    }

    /// Header names in order, folded lines joined.
    fn header_names(message: &str) -> Vec<String> {
        let head = message.split("\r\n\r\n").next().unwrap();
        head.split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap().to_owned())
            .collect()
    }

    fn assert_well_formed(message: &[u8]) {
        for (at, byte) in message.iter().enumerate() {
            match byte {
                b'\n' => assert_eq!(message[at - 1], b'\r', "bare line feed at {at}"),
                b'\r' => assert_eq!(message[at + 1], b'\n', "bare carriage return at {at}"),
                _ => assert_ne!(*byte, 0),
            }
        }
        for line in message.split(|byte| *byte == b'\n') {
            assert!(line.len() <= 999, "a line of {} octets", line.len());
        }
    }

    #[test]
    fn a_letter_comes_back_from_a_parser_as_it_was_written() {
        let message = compose(&letter()).unwrap();
        assert_well_formed(&message);
        let parsed = MessageParser::default().parse(&message).unwrap();
        assert_eq!(parsed.message_id(), Some("t1.k3@out.example"));
        assert_eq!(parsed.subject(), Some("A question about docks"));
        assert_eq!(parsed.date().unwrap().to_rfc3339(), "2026-11-23T09:30:00Z");
        let from = parsed.from().unwrap().first().unwrap();
        assert_eq!((from.name(), from.address()), (Some("Alex Moran"), Some("alex@out.example")));
        let to = parsed.to().unwrap().first().unwrap();
        assert_eq!(
            (to.name(), to.address()),
            (Some("Dana Whitfield"), Some("dana@northwind.test"))
        );
        assert_eq!(
            parsed.body_text(0).unwrap().replace("\r\n", "\n").trim_end(),
            "Hi Dana,\n\nshall we talk?"
        );
        assert!(parsed.body_html(0).unwrap().contains("<p>shall we talk?</p>"));
        assert_eq!(parsed.content_type().unwrap().subtype(), Some("alternative"));
        assert_eq!(parsed.header_raw("X-Firsttouch-Touch").unwrap().trim(), "17");
    }

    #[test]
    fn the_same_letter_gives_the_same_bytes() {
        assert_eq!(compose(&letter()), compose(&letter()));
    }

    #[test]
    fn one_click_is_promised_only_with_an_https_url() {
        let both = text_of(&letter());
        assert!(both.contains(
            "List-Unsubscribe: <https://u.out.example/u/abc>, <mailto:stop@out.example?subject=abc>\r\n"
        ));
        assert!(both.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));

        let by_mail = text_of(&Letter { unsubscribe_url: None, ..letter() });
        assert!(by_mail.contains("List-Unsubscribe: <mailto:"));
        assert!(!by_mail.contains("List-Unsubscribe-Post"));

        let neither =
            text_of(&Letter { unsubscribe_url: None, unsubscribe_mailto: None, ..letter() });
        assert!(!neither.contains("List-Unsubscribe"));
    }

    #[test]
    fn a_target_that_could_leave_its_brackets_is_refused() {
        for url in [
            "http://u.example/1",
            "https://",
            "https://u.example/>, <https://evil.example",
            "https://u.example/\r\nBcc: x@y.example",
            "https://u.example/ü",
        ] {
            let bad = Letter { unsubscribe_url: Some(url.to_owned()), ..letter() };
            assert_eq!(compose(&bad), Err(ComposeError::Unsubscribe(url.to_owned())), "{url:?}");
        }
    }

    #[test]
    fn a_follow_up_names_its_thread_and_a_long_thread_loses_its_middle() {
        let references: Vec<String> = (0..40).map(|n| format!("m{n}@out.example")).collect();
        let in_reply_to = references.last().cloned();
        let message = compose(&Letter { references, in_reply_to, ..letter() }).unwrap();
        assert_well_formed(&message);
        let parsed = MessageParser::default().parse(&message).unwrap();
        assert_eq!(parsed.in_reply_to().as_text(), Some("m39@out.example"));
        let kept = parsed.references().as_text_list().unwrap();
        let expected: Vec<String> =
            (0..10).chain(30..40).map(|n| format!("m{n}@out.example")).collect();
        assert_eq!(kept, expected.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn ids_of_others_that_are_none_are_left_out() {
        let references =
            ["ok@x.example", "a b@x.example", "c@x.example>\r\nBcc: d@e.example", "none", "@", ""];
        let references = references.map(str::to_owned).to_vec();
        let in_reply_to = Some("bad\r\nBcc: d@e.example".to_owned());
        let message = text_of(&Letter { references, in_reply_to, ..letter() });
        assert!(message.contains("References: <ok@x.example>\r\n"), "{message}");
        assert!(!message.contains("In-Reply-To"));
    }

    #[test]
    fn our_own_id_and_touch_must_be_right() {
        for id in ["", "x", "a b@c.example", "a@b>\r\nBcc: c@d.example", "ü@c.example"] {
            let bad = Letter { message_id: id.to_owned(), ..letter() };
            assert_eq!(compose(&bad), Err(ComposeError::MessageId(id.to_owned())));
        }
        for value in ["", "1 2", "1\r\nBcc: c@d.example"] {
            let bad = Letter { touch_header: value.to_owned(), ..letter() };
            assert_eq!(compose(&bad), Err(ComposeError::Touch(value.to_owned())));
        }
    }

    #[test]
    fn a_line_break_in_a_name_or_subject_makes_no_header() {
        let hostile = "Dana\r\nBcc: everybody@x.example\0\n\nbody";
        let clean = header_names(&text_of(&letter()));
        let message = text_of(&Letter {
            from_name: Some(hostile.to_owned()),
            to_name: Some(hostile.to_owned()),
            subject: hostile.to_owned(),
            ..letter()
        });
        assert_eq!(header_names(&message), clean);
        let parsed = MessageParser::default().parse(&message).unwrap();
        let flat = "Dana Bcc: everybody@x.example body";
        assert_eq!(parsed.subject(), Some(flat));
        assert_eq!(parsed.to().unwrap().first().unwrap().name(), Some(flat));
        assert!(parsed.bcc().is_none());
    }

    #[test]
    fn a_name_of_nothing_visible_is_no_name() {
        for name in ["", "  ", "\r\n\t", "\0"] {
            let message = text_of(&Letter { to_name: Some(name.to_owned()), ..letter() });
            assert!(message.contains("To: dana@northwind.test\r\n"), "{name:?}");
        }
    }

    #[test]
    fn names_subjects_and_texts_beyond_ascii_survive() {
        let to_name = "Zoë, \"Ünal\" Łukasz 山田";
        let subject = "Grüße an Zoë: 50 % schneller — 山田さん, und noch viel mehr Worte bis zur zweiten Zeile";
        let message = compose(&Letter {
            to_name: Some(to_name.to_owned()),
            subject: subject.to_owned(),
            text: "Grüße\n\u{1F680}\n".to_owned(),
            ..letter()
        })
        .unwrap();
        assert!(message.is_ascii());
        assert_well_formed(&message);
        let parsed = MessageParser::default().parse(&message).unwrap();
        assert_eq!(parsed.subject(), Some(subject));
        assert_eq!(parsed.to().unwrap().first().unwrap().name(), Some(to_name));
        assert!(parsed.body_text(0).unwrap().contains("Grüße"));
    }

    #[test]
    fn long_subjects_are_folded_and_endless_ones_refused() {
        let subject = "many words ".repeat(60);
        let message = compose(&Letter { subject: subject.clone(), ..letter() }).unwrap();
        assert_well_formed(&message);
        let parsed = MessageParser::default().parse(&message).unwrap();
        assert_eq!(parsed.subject(), Some(subject.trim_end()));

        let word = Letter { subject: "x".repeat(900), ..letter() };
        assert_well_formed(&compose(&word).unwrap());
        let endless = Letter { subject: "x".repeat(901), ..letter() };
        assert_eq!(compose(&endless), Err(ComposeError::LongSubject));
    }

    #[test]
    fn endless_lines_and_lone_line_ends_in_a_text_are_made_fit() {
        let text = format!("{}\rone\ntwo\r\n.\n..\nthree\0", "x".repeat(3000));
        let message = compose(&Letter { text, ..letter() }).unwrap();
        assert_well_formed(&message);
        let parsed = MessageParser::default().parse(&message).unwrap();
        let body = parsed.body_text(0).unwrap().replace("\r\n", "\n");
        assert!(body.ends_with("x\none\ntwo\n.\n..\nthree"), "{}", &body[2990..]);
    }

    #[test]
    fn dates_that_no_mail_can_carry_are_refused() {
        let early = Letter { date: Timestamp::new(-1, 0).unwrap(), ..letter() };
        assert!(matches!(compose(&early), Err(ComposeError::Date(_))));
        let late = Letter { date: Timestamp::MAX, ..letter() };
        assert!(compose(&late).is_ok() || matches!(compose(&late), Err(ComposeError::Date(_))));
    }

    #[test]
    fn an_address_with_letters_beyond_ascii_can_be_written_to() {
        let to = "zoë@exämple.com".parse().unwrap();
        let message = text_of(&Letter { to, to_name: None, ..letter() });
        assert!(message.contains("To: zoë@xn--exmple-cua.com\r\n"), "{message}");
    }

    proptest! {
        #[test]
        fn nothing_that_people_type_breaks_the_message(
            name in any::<String>(),
            subject in "\\PC{0,80}|[\\x00-\\x7f]{0,80}",
            text in any::<String>(),
            id in any::<String>(),
        ) {
            let made = Letter {
                from_name: Some(name.clone()),
                to_name: Some(name),
                subject,
                text: text.clone(),
                html: text,
                in_reply_to: Some(id.clone()),
                references: vec![id.clone(), id],
                ..letter()
            };
            let message = compose(&made).unwrap();
            assert_well_formed(&message);
            let allowed = ["In-Reply-To", "References"];
            let mut names = header_names(&String::from_utf8_lossy(&message));
            names.retain(|name| !allowed.contains(&name.as_str()));
            prop_assert_eq!(names, header_names(&text_of(&letter())));
        }

        #[test]
        fn every_address_of_ours_can_stand_in_a_header(
            local in "[A-Za-z0-9!#$%&'*+/=?^_`{|}~äß-]{1,20}(\\.[a-z0-9]{1,10}){0,2}",
            domain in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\\.[a-z]{2,8}",
        ) {
            let Ok(to) = format!("{local}@{domain}").parse::<EmailAddress>() else { return Ok(()) };
            let text = to.to_string();
            let composed = compose(&Letter { to, to_name: None, ..letter() });
            prop_assert!(composed.is_ok(), "{} {:?}", text, composed.err());
        }
    }
}
