//! Mail in a simulation: nothing leaves the process, and people answer as often as somebody assumed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::clock::SimulatedClock;
use super::world::{ANSWERS, OPT_OUTS, Taken, answer, away, header};
use crate::domain::budget::mix;
use crate::domain::delivery::{Answer, Envelope, Failure, Phase};
use crate::domain::forecast::{Assumptions, Share};
use crate::domain::ids::MailboxId;
use crate::ports::{Batch, Clock, Inbox, InboxError, Mailer, Offered, RawMessage};

/// The servers and the people behind them.
pub struct SimulatedMail {
    seed: u64,
    clock: Arc<SimulatedClock>,
    assumed: Assumptions,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    /// How many mails an address has had.
    mails: BTreeMap<String, u64>,
    /// By the time at which it arrives; the number keeps equal times apart.
    on_the_way: BTreeMap<(Timestamp, u64), (MailboxId, String)>,
    sent: u64,
    /// What has arrived, in order. What was read is dropped.
    arrived: BTreeMap<MailboxId, Vec<(u64, String)>>,
}

/// Why a person draws a number.
#[derive(Clone, Copy)]
enum Purpose {
    Dead = 1,
    Away,
    OptOut,
    Reply,
    Words,
    Minutes,
}

impl SimulatedMail {
    /// People who answer as assumed, each by their address and the seed.
    pub fn new(seed: u64, clock: Arc<SimulatedClock>, assumed: Assumptions) -> Self {
        Self { seed, clock, assumed, inside: Mutex::default() }
    }

    /// When the next message arrives.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.lock().on_the_way.keys().next().map(|(at, _)| *at)
    }

    /// Lets everything arrive that is due by now; the mailboxes that got something.
    pub fn deliver(&self, now: Timestamp) -> Vec<MailboxId> {
        let mut inside = self.lock();
        let later = inside.on_the_way.split_off(&(now + SignedDuration::from_millis(1), 0));
        let due = std::mem::replace(&mut inside.on_the_way, later);
        let mut mailboxes = Vec::new();
        for ((_, number), (mailbox, text)) in due {
            inside.arrived.entry(mailbox.clone()).or_default().push((number, text));
            mailboxes.push(mailbox);
        }
        mailboxes
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that belongs to an address, one of its mails, and a purpose.
    fn draw(&self, address: &str, nth: u64, purpose: Purpose) -> u64 {
        let seed = mix(self.seed ^ mix(nth << 8 | purpose as u64));
        mix(address.bytes().fold(seed, |seed, byte| mix(seed ^ u64::from(byte))))
    }

    fn comes_true(&self, share: Share, address: &str, nth: u64, purpose: Purpose) -> bool {
        share.holds(self.draw(address, nth, purpose))
    }

    /// What the person who got a mail does about it.
    fn react(&self, mailbox: &MailboxId, mail: &Taken, original: &[u8]) {
        let mut inside = self.lock();
        let mails = inside.mails.entry(mail.to.clone()).or_default();
        *mails += 1;
        let nth = *mails;
        let comes_true = |share, purpose: Purpose| self.comes_true(share, &mail.to, nth, purpose);
        let draw = |purpose: Purpose| self.draw(&mail.to, nth, purpose);
        // Machines answer at once, people within a day and a half.
        let slow = 20 + draw(Purpose::Minutes) % 2_000;
        let (minutes, text) = if comes_true(self.assumed.away, Purpose::Away) {
            (1 + slow % 20, away(mail, 3 + draw(Purpose::Words) % 9))
        } else if comes_true(self.assumed.opt_out, Purpose::OptOut) {
            (slow, answer(mail, original, OPT_OUTS, draw(Purpose::Words)))
        } else if comes_true(self.assumed.reply, Purpose::Reply) {
            (slow, answer(mail, original, ANSWERS, draw(Purpose::Words)))
        } else {
            return;
        };
        let at = mail.at + SignedDuration::from_mins(i64::try_from(minutes).unwrap_or(60));
        inside.sent += 1;
        let number = inside.sent;
        inside.on_the_way.insert((at, number), (mailbox.clone(), text));
    }
}

/// The mailer of a simulation.
pub struct SimulatedMailer(pub Arc<SimulatedMail>);

struct SimulatedOffer {
    mail: Arc<SimulatedMail>,
    envelope: Envelope,
}

#[async_trait]
impl Mailer for SimulatedMailer {
    async fn offer(&self, envelope: &Envelope) -> Result<Box<dyn Offered>, Failure> {
        let mail = &self.0;
        let to = envelope.to.as_str().to_lowercase();
        // An address is dead or it is not, whichever mail asks.
        if mail.comes_true(mail.assumed.dead_address, &to, 0, Purpose::Dead) {
            let text = "no such user here".to_owned();
            let answer = Some(Answer { code: 550, enhanced: Some((5, 1, 1)), text });
            return Err(Failure { phase: Phase::Recipient, answer, detail: String::new() });
        }
        Ok(Box::new(SimulatedOffer { mail: mail.clone(), envelope: envelope.clone() }))
    }
}

#[async_trait]
impl Offered for SimulatedOffer {
    async fn content(self: Box<Self>, message: &[u8]) -> Result<String, Failure> {
        let taken = Taken {
            at: self.mail.clock.now(),
            from: self.envelope.from.as_str().to_lowercase(),
            to: self.envelope.to.as_str().to_lowercase(),
            message_id: header(message, "message-id").trim_matches(['<', '>']).to_owned(),
        };
        self.mail.react(&self.envelope.mailbox, &taken, message);
        Ok("250 2.0.0 taken".to_owned())
    }

    async fn withdraw(self: Box<Self>) {}
}

/// The inboxes of a simulation.
pub struct SimulatedInbox(pub Arc<SimulatedMail>);

#[async_trait]
impl Inbox for SimulatedInbox {
    async fn fetch(
        &self,
        mailbox: &MailboxId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Batch, InboxError> {
        let mut inside = self.0.lock();
        let arrived = inside.arrived.entry(mailbox.clone()).or_default();
        let read: u64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        arrived.retain(|(number, _)| *number > read);
        let given = arrived.get(..limit.min(arrived.len())).unwrap_or_default();
        let raw = |(number, text): &(u64, String)| RawMessage {
            place: number.to_string(),
            bytes: text.clone().into_bytes(),
        };
        let last = given.iter().map(|(number, _)| *number).max().unwrap_or(read);
        Ok(Batch {
            messages: given.iter().map(raw).collect(),
            cursor: Some(last.to_string()),
            more: arrived.len() > given.len(),
        })
    }
}
