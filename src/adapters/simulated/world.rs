//! The people behind a simulated mail server: some answer, some are away, some are gone, some want to be
//! left alone. Everything they do follows from a seed and their address.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::clock::SimulatedClock;
use super::smtp_server::{Behaviour, ContentReply, Delivered, Reply};
use crate::domain::budget::mix;
use crate::ports::Clock;

/// A mail that the world took in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub at: Timestamp,
    pub from: String,
    pub to: String,
    pub message_id: String,
}

/// The people, their inboxes and what they are about to send.
pub struct World {
    seed: u64,
    clock: Arc<SimulatedClock>,
    /// Where the mail for each of our addresses is delivered.
    maildirs: BTreeMap<String, PathBuf>,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    taken: Vec<Taken>,
    /// By the time at which it arrives; the number keeps equal times apart.
    on_the_way: BTreeMap<(Timestamp, usize), (String, String)>,
    sent: usize,
}

/// How somebody treats our mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Temper {
    /// The server knows nobody of that name.
    Unknown,
    /// The server takes the mail and sends it back later.
    Returns,
    /// Answers this mail (1 is the first).
    Answers(usize),
    OptsOut(usize),
    Complains,
    /// Is away when the first mail comes.
    Away,
    Silent,
}

impl World {
    /// A world whose people write into these Maildirs (by our address).
    pub fn new(seed: u64, clock: Arc<SimulatedClock>, maildirs: BTreeMap<String, PathBuf>) -> Self {
        Self { seed, clock, maildirs, inside: Mutex::default() }
    }

    /// Everything that was taken in so far, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.lock().taken.clone()
    }

    /// When the next message arrives.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.lock().on_the_way.keys().next().map(|(at, _)| *at)
    }

    /// Puts everything that has arrived by now into the Maildirs; how many messages that was.
    ///
    /// # Errors
    /// A Maildir could not be written.
    pub fn deliver(&self, now: Timestamp) -> io::Result<usize> {
        let mut inside = self.lock();
        let later = inside.on_the_way.split_off(&(now + SignedDuration::from_millis(1), 0));
        let due = std::mem::replace(&mut inside.on_the_way, later);
        for ((_, number), (to, text)) in &due {
            if let Some(folder) = self.maildirs.get(to) {
                fs::create_dir_all(folder.join("new"))?;
                fs::write(folder.join("new").join(format!("{number:08}.world")), text)?;
            }
        }
        Ok(due.len())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that belongs to an address and a purpose.
    fn draw(&self, address: &str, purpose: u64) -> u64 {
        address.bytes().fold(mix(self.seed ^ purpose), |seed, byte| mix(seed ^ u64::from(byte)))
    }

    fn temper(&self, address: &str) -> Temper {
        match self.draw(address, 1) % 100 {
            0..=2 => Temper::Unknown,
            3..=5 => Temper::Returns,
            6..=15 => Temper::Answers(1 + (self.draw(address, 2) % 3) as usize),
            16..=20 => Temper::OptsOut(1 + (self.draw(address, 2) % 2) as usize),
            21 => Temper::Complains,
            22..=29 => Temper::Away,
            _ => Temper::Silent,
        }
    }

    /// What the person who got a mail does about it.
    fn react(&self, inside: &mut Inside, mail: &Taken, original: &[u8]) {
        let nth = inside.taken.iter().filter(|taken| taken.to == mail.to).count();
        let text = match self.temper(&mail.to) {
            Temper::Returns if nth == 1 => bounce(mail),
            Temper::Answers(at) if nth == at => {
                answer(mail, original, ANSWERS, self.draw(&mail.to, 3))
            }
            Temper::OptsOut(at) if nth == at => {
                answer(mail, original, OPT_OUTS, self.draw(&mail.to, 3))
            }
            Temper::Complains if nth == 1 => complaint(mail),
            Temper::Away if nth == 1 => away(mail, 3 + self.draw(&mail.to, 4) % 9),
            Temper::Unknown
            | Temper::Returns
            | Temper::Answers(_)
            | Temper::OptsOut(_)
            | Temper::Complains
            | Temper::Away
            | Temper::Silent => return,
        };
        // Machines answer at once, people within a day and a half.
        let minutes = match self.temper(&mail.to) {
            Temper::Returns | Temper::Away => 1 + self.draw(&mail.to, 5) % 20,
            _ => 20 + self.draw(&mail.to, 5) % 2_000,
        };
        let at = mail.at + SignedDuration::from_mins(i64::try_from(minutes).unwrap_or(60));
        inside.sent += 1;
        let number = inside.sent;
        inside.on_the_way.insert((at, number), (mail.from.clone(), text));
    }
}

impl Behaviour for World {
    fn on_recipient(&self, _from: &str, to: &str) -> Reply {
        match self.temper(&to.to_lowercase()) {
            Temper::Unknown => Reply::Say(550, "5.1.1 no such user here".to_owned()),
            _ => Reply::Say(250, "2.1.5 ok".to_owned()),
        }
    }

    fn on_data(&self, _from: &str, _to: &str) -> Reply {
        Reply::Say(354, "go ahead".to_owned())
    }

    fn on_content(&self, _delivered: &Delivered) -> ContentReply {
        ContentReply::Say(250, "2.0.0 taken".to_owned())
    }

    fn accept(&self, delivered: Delivered) {
        let mail = Taken {
            at: self.clock.now(),
            from: delivered.from.to_lowercase(),
            to: delivered.to.to_lowercase(),
            message_id: header(&delivered.bytes, "message-id").trim_matches(['<', '>']).to_owned(),
        };
        let mut inside = self.lock();
        inside.taken.push(mail.clone());
        self.react(&mut inside, &mail, &delivered.bytes);
    }
}

/// The value of a header on one line, from a message with CRLF lines.
pub(super) fn header(bytes: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(bytes);
    let head = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
    let line = head
        .lines()
        .find(|line| line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name)));
    line.and_then(|line| line.split_once(':'))
        .map_or_else(String::new, |(_, v)| v.trim().to_owned())
}

pub(super) const ANSWERS: &[&str] = &[
    "Hi, timing is ok. Can you call Thursday after 2?",
    "Interesting. Send me two times next week.",
    "Not my area any more, but I will pass it on.",
    "We just signed with somebody else, sorry.",
    "Who else in our industry uses this?",
];

pub(super) const OPT_OUTS: &[&str] = &[
    "Please remove me from your list.",
    "unsubscribe",
    "Stop emailing me please, take me off this list.",
];

pub(super) fn answer(mail: &Taken, original: &[u8], texts: &[&str], drawn: u64) -> String {
    let index = usize::try_from(drawn % texts.len() as u64).unwrap_or(0);
    let text = texts.get(index).copied().unwrap_or_default();
    let subject = header(original, "subject");
    let subject = if subject.starts_with("Re:") { subject } else { format!("Re: {subject}") };
    format!(
        "From: <{}>\r\nTo: <{}>\r\nSubject: {subject}\r\nMessage-ID: <r.{}>\r\nIn-Reply-To: <{}>\r\n\
         References: <{}>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\r\n\
         On {}, {} wrote:\r\n> the mail from before\r\n",
        mail.to,
        mail.from,
        mail.message_id,
        mail.message_id,
        mail.message_id,
        mail.at.strftime("%a, %b %-d, %Y at %-I:%M %p"),
        header(original, "from"),
    )
}

pub(super) fn away(mail: &Taken, days: u64) -> String {
    let back = mail.at + SignedDuration::from_hours(24 * i64::try_from(days).unwrap_or(7));
    away_until(mail, Some(TimeZone::UTC.to_datetime(back).date()))
}

/// A machine's note, with the day of return when it is known.
pub(super) fn away_until(mail: &Taken, back: Option<Date>) -> String {
    let until = back.map_or_else(String::new, |back| format!(" until {back}"));
    format!(
        "From: <{}>\r\nTo: <{}>\r\nSubject: Automatic reply: out of office\r\nMessage-ID: <a.{}>\r\n\
         In-Reply-To: <{}>\r\nAuto-Submitted: auto-replied\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         I am out of the office{until}.\r\n",
        mail.to, mail.from, mail.message_id, mail.message_id
    )
}

pub(super) fn bounce(mail: &Taken) -> String {
    returned(mail, "5.1.1", "550 5.1.1 user unknown")
}

/// The mailbox is full today.
pub(super) fn soft_bounce(mail: &Taken) -> String {
    returned(mail, "4.2.2", "452 4.2.2 mailbox full")
}

fn returned(mail: &Taken, status: &str, said: &str) -> String {
    format!(
        "From: Mail Delivery System <mailer-daemon@mx.example>\r\nTo: <{}>\r\n\
         Subject: Undelivered Mail Returned to Sender\r\nMessage-ID: <b.{}>\r\nReturn-Path: <>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nThis message could not be delivered.\r\n\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; {}\r\nAction: failed\r\nStatus: {status}\r\n\
         Diagnostic-Code: smtp; {said}\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
         Message-ID: <{}>\r\n\r\n--b--\r\n",
        mail.from, mail.message_id, mail.to, mail.message_id
    )
}

pub(super) fn complaint(mail: &Taken) -> String {
    format!(
        "From: <abuse@mx.example>\r\nTo: <{}>\r\nSubject: complaint\r\nMessage-ID: <c.{}>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"c\"\r\n\r\n\
         --c\r\nContent-Type: text/plain\r\n\r\nThis is a spam report.\r\n\r\n--c\r\n\
         Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: world/1\r\n\
         Version: 1\r\n\r\n--c\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{}>\r\nTo: <{}>\r\n\r\n\
         --c--\r\n",
        mail.from, mail.message_id, mail.message_id, mail.to
    )
}
