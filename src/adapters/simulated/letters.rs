//! Mail that never leaves the process, and one person who answers when they are told to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::civil::Date;

use super::clock::SimulatedClock;
use super::world::{OPT_OUTS, Taken, answer, away_until, bounce, complaint, header, soft_bounce};
use crate::domain::delivery::{Envelope, Failure};
use crate::domain::ids::MailboxId;
use crate::ports::{Batch, Clock, Inbox, InboxError, Mailer, Offered, RawMessage};

/// What the person got, and what they and their mail system wrote.
pub struct Letters {
    clock: Arc<SimulatedClock>,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    /// Every mail that was taken over, with its text.
    taken: Vec<(Taken, Vec<u8>)>,
    arrived: Vec<String>,
}

/// What the person, or a machine for them, writes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Writes<'a> {
    Answer(&'a str),
    Away(Option<Date>),
    Bounce,
    SoftBounce,
    OptOut,
    Complaint,
}

impl Letters {
    /// Nothing was written yet.
    pub fn new(clock: Arc<SimulatedClock>) -> Self {
        Self { clock, inside: Mutex::default() }
    }

    /// Whether somebody ever got a mail.
    pub fn has_mail(&self, who: &str) -> bool {
        self.lock().taken.iter().any(|(mail, _)| mail.to.eq_ignore_ascii_case(who))
    }

    /// A message arrives: about the last mail to that address, or, where there was none, out of the blue.
    pub fn write(&self, what: Writes<'_>, from: &str, to: &str) {
        let mut inside = self.lock();
        let number = inside.arrived.len();
        let last =
            inside.taken.iter().rfind(|(mail, _)| mail.to.eq_ignore_ascii_case(from)).cloned();
        let out_of_the_blue = || Taken {
            at: self.clock.now(),
            from: to.to_owned(),
            to: from.to_owned(),
            message_id: format!("{number}@nowhere.invalid"),
        };
        let (mail, original) = last.unwrap_or_else(|| (out_of_the_blue(), Vec::new()));
        let text = match what {
            Writes::Answer(text) => answer(&mail, &original, &[text], 0),
            Writes::Away(until) => away_until(&mail, until),
            Writes::Bounce => bounce(&mail),
            Writes::SoftBounce => soft_bounce(&mail),
            Writes::OptOut => answer(&mail, &original, OPT_OUTS, 0),
            Writes::Complaint => complaint(&mail),
        };
        // Two answers to one mail are two messages.
        let text = text.replacen("Message-ID: <", &format!("Message-ID: <n{number}."), 1);
        inside.arrived.push(text);
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way out.
pub struct LettersOut(pub Arc<Letters>);

struct Offer {
    letters: Arc<Letters>,
    envelope: Envelope,
}

#[async_trait]
impl Mailer for LettersOut {
    async fn offer(&self, envelope: &Envelope) -> Result<Box<dyn Offered>, Failure> {
        Ok(Box::new(Offer { letters: self.0.clone(), envelope: envelope.clone() }))
    }
}

#[async_trait]
impl Offered for Offer {
    async fn content(self: Box<Self>, message: &[u8]) -> Result<String, Failure> {
        let taken = Taken {
            at: self.letters.clock.now(),
            from: self.envelope.from.as_str().to_lowercase(),
            to: self.envelope.to.as_str().to_lowercase(),
            message_id: header(message, "message-id").trim_matches(['<', '>']).to_owned(),
        };
        self.letters.lock().taken.push((taken, message.to_vec()));
        Ok("250 2.0.0 taken".to_owned())
    }

    async fn withdraw(self: Box<Self>) {}
}

/// The way in: every mailbox sees the same, for there is only one.
pub struct LettersIn(pub Arc<Letters>);

#[async_trait]
impl Inbox for LettersIn {
    async fn fetch(
        &self,
        _mailbox: &MailboxId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Batch, InboxError> {
        let inside = self.0.lock();
        let read: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let given: Vec<&String> = inside.arrived.iter().skip(read).take(limit).collect();
        let until = read + given.len();
        let raw =
            |text: &&String| RawMessage { place: String::new(), bytes: text.as_bytes().to_vec() };
        Ok(Batch {
            messages: given.iter().map(raw).collect(),
            cursor: Some(until.to_string()),
            more: until < inside.arrived.len(),
        })
    }
}
