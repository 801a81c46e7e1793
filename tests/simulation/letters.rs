//! What the people of the world write, as whole messages.

use firsttouch::domain::reply::{AutoReply, Kind};
use firsttouch::formats::mime;
use jiff::Timestamp;
use jiff::civil::Date;

/// What somebody, or a server, has to say about a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Reply,
    OptOut,
    Away(Date),
    HardBounce,
    SoftBounce,
}

/// A mail of ours that a message is about.
#[derive(Debug, Clone)]
pub struct About<'a> {
    pub message_id: &'a str,
    /// The address of ours that wrote it.
    pub ours: &'a str,
    pub theirs: &'a str,
    /// Whether the message names the mail that it answers.
    pub names_it: bool,
}

/// One whole message; `n` makes its id. It is what the engine's reader takes it for.
pub fn write(says: Says, about: &About<'_>, n: usize, now: Timestamp) -> Vec<u8> {
    let answers = match about.names_it {
        true => format!("In-Reply-To: <{0}>\r\nReferences: <{0}>\r\n", about.message_id),
        false => String::new(),
    };
    let text = match says {
        Says::Reply => {
            plain("Re: A question", "Interesting. Tell me more about the price.", &answers)
        }
        Says::OptOut => plain("Re: A question", "Please unsubscribe me.", &answers),
        Says::Away(until) => plain(
            "Automatic reply: A question",
            &format!("I am out of office until {until}. I will answer then."),
            &format!("Auto-Submitted: auto-replied\r\n{answers}"),
        ),
        Says::HardBounce => report(about, "5.1.1", "550 5.1.1 user unknown"),
        Says::SoftBounce => report(about, "4.2.2", "452 4.2.2 mailbox full"),
    };
    let from = match says {
        Says::HardBounce | Says::SoftBounce => "MAILER-DAEMON@mx.example",
        Says::Reply | Says::OptOut | Says::Away(_) => about.theirs,
    };
    let (ours, date) = (about.ours, now.strftime("%a, %d %b %Y %H:%M:%S +0000"));
    let head = format!(
        "From: {from}\r\nTo: {ours}\r\nDate: {date}\r\nMessage-ID: <in{n}@world.example>\r\n"
    );
    let bytes = format!("{head}{text}").into_bytes();
    let read = mime::read(&bytes, now.to_zoned(jiff::tz::TimeZone::UTC).date());
    assert!(is(says, &read.kind), "{says:?} was read as {:?}: {}", read.kind, read.reason);
    bytes
}

/// The id of the `n`th message, as the engine stores it.
pub fn id(n: usize) -> String {
    format!("in{n}@world.example")
}

fn is(says: Says, kind: &Kind) -> bool {
    match says {
        Says::Reply => *kind == Kind::Reply,
        Says::OptOut => *kind == Kind::Unsubscribe,
        Says::Away(date) => *kind == Kind::AutoReply(AutoReply::Away { until: Some(date) }),
        Says::HardBounce => matches!(kind, Kind::Bounce(bounce) if bounce.hard),
        Says::SoftBounce => matches!(kind, Kind::Bounce(bounce) if !bounce.hard),
    }
}

fn plain(subject: &str, text: &str, more: &str) -> String {
    format!("Subject: {subject}\r\n{more}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n")
}

/// A delivery status report (RFC 3464); without the original's headers it names the address only.
fn report(about: &About<'_>, status: &str, said: &str) -> String {
    let action = "failed";
    let original = match about.names_it {
        true => format!(
            "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{}>\r\nTo: {}\r\n\r\n",
            about.message_id, about.theirs
        ),
        false => String::new(),
    };
    format!(
        "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; {}\r\nAction: {action}\r\nStatus: {status}\r\n\
         Diagnostic-Code: smtp; {said}\r\n\r\n{original}--b--\r\n",
        about.theirs
    )
}
