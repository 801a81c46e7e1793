//! What happens outside the engine, and what was seen of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use firsttouch::domain::enrollment::Passed;
use firsttouch::domain::ids::{EnrollmentId, MailboxId, ProspectId, StepId};
use firsttouch::domain::prospect::Prospect;
use firsttouch::ports::Clock;
use jiff::{SignedDuration, Timestamp};

use super::chance::Chance;
use super::clock::SimClock;
use super::letters::{self, About, Says};

/// What one call asks of the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The process is gone.
    Crash,
    /// Other things happen before this call goes on.
    Meanwhile,
}

/// Which rule of the engine is broken on purpose, to see that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    None,
    /// Blocks are neither found nor checked.
    ForgetBlocks,
    /// No cap is checked.
    ForgetCaps,
    /// Every inbox counts as just read.
    ForgetFreshness,
    /// What a guard refuses is done all the same.
    CommitRefused,
    /// What is in doubt is tried again.
    RetryDoubt,
    /// The content of a mail leaves twice.
    SendTwice,
    /// A reply is noted, but the enrollment goes on.
    ForgetReplies,
    /// Everybody lives in London.
    ForgetZones,
    /// Whoever is switched begins nowhere.
    LoseSuccessor,
    /// After its second step an enrollment begins again.
    BeginAgain,
    /// Nothing ends.
    NeverEnd,
    /// What came in is read, but not written down.
    LoseInbound,
    /// What was refused for good counts as sent.
    CallRefusedSent,
    /// Whoever is out of an account is in it all the same.
    ForgetWhoLeft,
    /// The reply of one is noted, and the account goes on.
    ForgetTheOthers,
}

/// How a server answered one try to hand over content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    Accepted,
    /// Accepted, but nobody told us.
    AcceptedInDoubt,
    LostInDoubt,
    Later,
    Never,
}

/// One message that a server took over.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub message_id: String,
    pub to: String,
    pub mailbox: MailboxId,
    pub at: Timestamp,
}

/// An intent as the store committed it.
#[derive(Debug, Clone)]
pub struct Intended {
    pub enrollment: EnrollmentId,
    pub prospect: ProspectId,
    pub step: StepId,
    pub attempt: u32,
    pub at: Timestamp,
    pub seq: u64,
}

/// A message on its way to an inbox, or there.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub at: Timestamp,
    pub id: String,
    pub bytes: Vec<u8>,
}

/// When somebody's "no" was recorded.
#[derive(Debug, Clone)]
pub struct Stopped {
    pub seq: u64,
    pub why: String,
}

/// The people of an account, as the log has them.
#[derive(Debug, Default)]
pub struct Team {
    pub roles: BTreeMap<ProspectId, String>,
    pub left: BTreeSet<ProspectId>,
    /// Whose replies wait for their meaning.
    pub waiting: BTreeSet<ProspectId>,
}

#[derive(Debug, Default)]
pub struct Inboxes {
    pub coming: BTreeMap<MailboxId, Vec<Incoming>>,
    pub there: BTreeMap<MailboxId, Vec<Incoming>>,
    /// Complete reads.
    pub reads: BTreeMap<MailboxId, Vec<Timestamp>>,
    pub out_until: BTreeMap<MailboxId, Timestamp>,
    pub written: usize,
}

pub struct State {
    pub chance: Chance,
    pub faulty: bool,
    /// How deep the driver is in calls that interrupt others.
    pub depth: u32,
    signal: Option<Signal>,
    /// The process dies at the next call there.
    pub dies_at: Option<&'static str>,
    resumed: bool,
    /// Calls to the world in this operation.
    pub calls: u64,
    pub seq: u64,
    pub log: String,
    pub hash: u64,
    pub findings: Vec<String>,
    pub mutation: Mutation,
    pub people: BTreeMap<ProspectId, Prospect>,
    pub accepted: Vec<Accepted>,
    pub answered: BTreeMap<String, Vec<Answered>>,
    pub intended: BTreeMap<String, Intended>,
    pub intents: Vec<(MailboxId, Timestamp)>,
    pub stopped: BTreeMap<ProspectId, Stopped>,
    pub dead: BTreeMap<String, Stopped>,
    pub opted_out: BTreeMap<ProspectId, Timestamp>,
    pub passed: BTreeMap<EnrollmentId, Vec<Passed>>,
    /// Enrollments about which a person is asked, as last committed.
    pub asked: BTreeSet<EnrollmentId>,
    /// Accounts by their enrollment.
    pub accounts: BTreeMap<EnrollmentId, Team>,
    pub inboxes: Inboxes,
    pub crashes: u32,
    pub meanwhiles: u32,
}

/// The world, shared by the ports and the driver.
#[derive(Clone)]
pub struct World {
    pub clock: Arc<SimClock>,
    state: Arc<Mutex<State>>,
}

/// More calls than this in one operation: it goes round in circles.
const CALLS: u64 = 30_000;

impl World {
    pub fn new(seed: u64, mutation: Mutation, begins_at: Timestamp) -> Self {
        let state = State {
            chance: Chance::new(seed),
            faulty: false,
            depth: 0,
            signal: None,
            dies_at: None,
            resumed: false,
            calls: 0,
            seq: 0,
            log: String::new(),
            hash: 0xcbf2_9ce4_8422_2325,
            findings: Vec::new(),
            mutation,
            people: BTreeMap::new(),
            accepted: Vec::new(),
            answered: BTreeMap::new(),
            intended: BTreeMap::new(),
            intents: Vec::new(),
            stopped: BTreeMap::new(),
            dead: BTreeMap::new(),
            opted_out: BTreeMap::new(),
            passed: BTreeMap::new(),
            asked: BTreeSet::new(),
            accounts: BTreeMap::new(),
            inboxes: Inboxes::default(),
            crashes: 0,
            meanwhiles: 0,
        };
        let clock = Arc::new(SimClock::new(begins_at));
        Self { clock, state: Arc::new(Mutex::new(state)) }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the world")
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Notes something that happened; the hash over all notes is the identity of a run.
    pub fn note(&self, what: &str) {
        let now = self.now();
        let mut state = self.state();
        let line = format!("{now} {what}\n");
        for byte in line.bytes() {
            state.hash = (state.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        state.log.push_str(&line);
    }

    /// Notes that a promise was broken.
    pub fn finding(&self, what: &str) {
        self.note(&format!("BROKEN: {what}"));
        self.state().findings.push(format!("{} {what}", self.now()));
    }

    /// Every call to the world passes here, before and after the real thing.
    pub async fn gate(&self, place: &str) {
        match self.draw(place) {
            None => {}
            Some(Signal::Crash) => std::future::pending().await,
            Some(Signal::Meanwhile) => std::future::poll_fn(|_| self.poll_resumed()).await,
        }
    }

    fn poll_resumed(&self) -> Poll<()> {
        let mut state = self.state();
        match std::mem::take(&mut state.resumed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    fn draw(&self, place: &str) -> Option<Signal> {
        let mut state = self.state();
        state.calls += 1;
        if state.calls == CALLS {
            drop(state);
            self.finding("an operation goes round in circles");
            self.state().signal = Some(Signal::Crash);
            return Some(Signal::Crash);
        }
        if state.dies_at.take_if(|at| *at == place).is_some() {
            state.signal = Some(Signal::Crash);
            return Some(Signal::Crash);
        }
        if !state.faulty {
            return None;
        }
        let weight = if place.contains("read") { 1 } else { 4 };
        let signal = if state.chance.in_10_000(3 * weight) {
            state.crashes += 1;
            Signal::Crash
        } else if state.depth == 0 && state.chance.in_10_000(25 * weight) {
            state.meanwhiles += 1;
            Signal::Meanwhile
        } else {
            return None;
        };
        state.signal = Some(signal);
        drop(state);
        self.note(&format!("{signal:?} at {place}"));
        Some(signal)
    }

    pub fn take_signal(&self) -> Option<Signal> {
        self.state().signal.take()
    }

    pub fn resume(&self) {
        self.state().resumed = true;
    }

    /// Whether a fault of that kind happens now.
    pub fn fault(&self, in_10_000: u64) -> bool {
        let mut state = self.state();
        state.faulty && state.chance.in_10_000(in_10_000)
    }

    /// A server took a message over; somebody may have something to say about it.
    pub fn accept(&self, accepted: Accepted) {
        self.note(&format!(
            "accepted {} for {} from {}",
            accepted.message_id, accepted.to, accepted.mailbox
        ));
        super::checks::on_accept(self, &accepted);
        self.state().accepted.push(accepted.clone());
        self.react(&accepted);
    }

    fn react(&self, mail: &Accepted) {
        let now = self.now();
        let drawn = self.state().chance.between(0, 99);
        let (says, after) = {
            let chance = &mut self.state().chance;
            match drawn {
                0..10 => (Says::Reply, chance.mins(2, 4_000)),
                10..15 => (Says::OptOut, chance.mins(2, 4_000)),
                15..22 => {
                    let back = now + SignedDuration::from_hours(24 * chance.between(3, 25));
                    (Says::Away(back.to_zoned(jiff::tz::TimeZone::UTC).date()), chance.mins(1, 30))
                }
                22..27 => (Says::HardBounce, chance.mins(1, 600)),
                27..32 => (Says::SoftBounce, chance.mins(1, 600)),
                // Late: weeks behind the mail.
                32..34 => (Says::Reply, chance.mins(20_000, 40_000)),
                _ => return,
            }
        };
        self.send_letter(mail, says, now + after);
    }

    fn send_letter(&self, mail: &Accepted, says: Says, at: Timestamp) {
        let names_it = self.state().chance.percent(75);
        self.deliver(mail, says, names_it, at);
    }

    /// Somebody writes back.
    pub fn deliver(&self, mail: &Accepted, says: Says, names_it: bool, at: Timestamp) {
        let mut state = self.state();
        state.inboxes.written += 1;
        let n = state.inboxes.written;
        let ours = format!("{}@us.example", mail.mailbox);
        let about = About { message_id: &mail.message_id, ours: &ours, theirs: &mail.to, names_it };
        let bytes = letters::write(says, &about, n, at);
        let again = state.chance.percent(20).then(|| state.chance.mins(1, 3_000));
        let coming = state.inboxes.coming.entry(mail.mailbox.clone()).or_default();
        coming.push(Incoming { at, id: letters::id(n), bytes: bytes.clone() });
        if let Some(later) = again {
            coming.push(Incoming { at: at + later, id: letters::id(n), bytes });
        }
        coming.sort_by_key(|letter| letter.at);
        drop(state);
        self.note(&format!("letter {n} {says:?} from {} for {at}", mail.to));
    }

    /// What somebody reads when a seed failed.
    pub fn story(&self) -> String {
        let state = self.state();
        let mut story = String::new();
        for finding in state.findings.iter().take(12) {
            writeln!(story, "  {finding}").expect("a text");
        }
        story
    }
}
