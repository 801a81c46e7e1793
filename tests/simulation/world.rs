//! What happens outside the engine, and what was seen of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use firsttouch::domain::ids::{EnrollmentId, MailboxId, ProspectId, StepId};
use firsttouch::domain::prospect::Prospect;
use firsttouch::ports::{Changes, Guards, Store};
use jiff::{SignedDuration, Timestamp};

use super::chance::Chance;
use super::checks::model::Model;
use super::clock::Clocks;
use super::faults::{Faults, Kind};
use super::letters::{self, About, Says};
use super::mutations::Mutation;
use super::plan::Plan;

/// What one call asks of the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The process is gone.
    Crash,
    /// Other things happen before this call goes on.
    Meanwhile,
    /// This process stands still, and the other works.
    Sleep,
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
    /// The true time.
    pub at: Timestamp,
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
    pub coming: BTreeMap<MailboxId, BTreeMap<(Timestamp, usize), Incoming>>,
    pub there: BTreeMap<MailboxId, Vec<Incoming>>,
    /// Complete reads, the last ones, as the reading node's clock had it.
    pub reads: BTreeMap<MailboxId, Vec<Timestamp>>,
    /// The last complete read, in true time.
    pub read_at: BTreeMap<MailboxId, Timestamp>,
    pub gone_until: BTreeMap<MailboxId, Timestamp>,
    pub written: usize,
}

pub struct State {
    pub plan: Arc<Plan>,
    pub chance: Chance,
    pub faulty: bool,
    /// Every fault is so many times as rare.
    pub rarity: u64,
    pub faults: Faults,
    /// How deep the driver is in calls that interrupt others.
    pub depth: u32,
    signal: Option<Signal>,
    /// The process dies at the next call there.
    pub dies_at: Option<&'static str>,
    resumed: bool,
    /// Whether a mailbox is being worked.
    pub sends: bool,
    /// Calls to the world in this operation.
    pub calls: u64,
    pub seq: u64,
    keeps_log: bool,
    pub log: String,
    pub findings: Vec<String>,
    pub mutation: Mutation,
    /// No write works until then, nothing at all works until then.
    pub full_until: Timestamp,
    pub locked_until: Timestamp,
    pub servers_gone_until: BTreeMap<MailboxId, Timestamp>,
    pub people: HashMap<ProspectId, Prospect>,
    pub accepted: Vec<Accepted>,
    pub answered: HashMap<String, Vec<Answered>>,
    pub intended: HashMap<String, Intended>,
    /// Messages whose server is being asked, and by which node.
    pub on_its_way: BTreeMap<String, usize>,
    pub stopped: BTreeMap<ProspectId, Stopped>,
    pub dead: BTreeMap<String, Stopped>,
    pub dead_domains: BTreeMap<String, Stopped>,
    pub dead_phones: BTreeSet<String>,
    pub opted_out: BTreeMap<ProspectId, Timestamp>,
    /// Enrollments about which a person is asked, as last committed.
    pub asked: BTreeSet<EnrollmentId>,
    /// Accounts by their enrollment.
    pub accounts: BTreeMap<EnrollmentId, Team>,
    pub inboxes: Inboxes,
    pub model: Model,
    /// For broken rules: the store itself, and what was not written when it should have been.
    pub store: Option<Arc<dyn Store>>,
    pub held_back: Option<(Changes, Guards)>,
    /// Who was last listed as due, in whatever lane.
    pub listed: Vec<EnrollmentId>,
}

/// The world as one node sees it; its state is shared by the ports and the driver.
#[derive(Clone)]
pub struct World {
    pub clocks: Clocks,
    state: Arc<Mutex<State>>,
    pub node: usize,
}

/// More calls than this in one operation: it goes round in circles.
const CALLS: u64 = 30_000;

impl World {
    pub fn new(seed: u64, mutation: Mutation, plan: Plan, faults: Faults) -> Self {
        let clocks = Clocks::new(plan.begins_at);
        let state = State {
            plan: Arc::new(plan),
            chance: Chance::new(seed),
            faulty: false,
            rarity: 1,
            faults,
            depth: 0,
            signal: None,
            dies_at: None,
            resumed: false,
            sends: false,
            calls: 0,
            seq: 0,
            keeps_log: false,
            log: String::new(),
            findings: Vec::new(),
            mutation,
            full_until: Timestamp::MIN,
            locked_until: Timestamp::MIN,
            servers_gone_until: BTreeMap::new(),
            people: HashMap::new(),
            accepted: Vec::new(),
            answered: HashMap::new(),
            intended: HashMap::new(),
            on_its_way: BTreeMap::new(),
            stopped: BTreeMap::new(),
            dead: BTreeMap::new(),
            dead_domains: BTreeMap::new(),
            dead_phones: BTreeSet::new(),
            opted_out: BTreeMap::new(),
            asked: BTreeSet::new(),
            accounts: BTreeMap::new(),
            inboxes: Inboxes::default(),
            model: Model::default(),
            store: None,
            held_back: None,
            listed: Vec::new(),
        };
        Self { clocks, state: Arc::new(Mutex::new(state)), node: 0 }
    }

    /// The same world as another node sees it.
    pub fn of(&self, node: usize) -> Self {
        Self { node, ..self.clone() }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the world")
    }

    /// What this node's clock says.
    pub fn now(&self) -> Timestamp {
        self.clocks.of(self.node)
    }

    pub fn true_now(&self) -> Timestamp {
        self.clocks.true_now()
    }

    pub fn pass(&self, by: SignedDuration) {
        self.clocks.pass(by);
    }

    /// From now on everything is noted.
    pub fn keep_log(&self) {
        self.state().keeps_log = true;
    }

    /// Notes something that happened, when somebody wants to read it.
    pub fn note(&self, what: impl FnOnce() -> String) {
        let mut state = self.state();
        if state.keeps_log {
            let (now, node) = (self.true_now(), self.node);
            writeln!(state.log, "{now} {node} {}", what()).expect("a text");
        }
    }

    /// Notes that a promise was broken.
    pub fn finding(&self, what: &str) {
        self.note(|| format!("BROKEN: {what}"));
        self.state().findings.push(format!("{} {what}", self.true_now()));
    }

    pub fn findings(&self, broken: Vec<String>) {
        broken.iter().for_each(|broken| self.finding(broken));
    }

    /// Every call to the world passes here, before and after the real thing.
    pub async fn gate(&self, place: &'static str) {
        match self.draw(place) {
            None => {}
            Some(Signal::Crash) => std::future::pending().await,
            Some(Signal::Meanwhile | Signal::Sleep) => {
                std::future::poll_fn(|_| self.poll_resumed()).await;
            }
        }
    }

    fn poll_resumed(&self) -> Poll<()> {
        let mut state = self.state();
        match std::mem::take(&mut state.resumed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    fn draw(&self, place: &'static str) -> Option<Signal> {
        let mut state = self.state();
        state.calls += 1;
        if state.calls == CALLS {
            state.signal = Some(Signal::Crash);
            drop(state);
            self.finding("promise 9: an operation goes round in circles");
            return Some(Signal::Crash);
        }
        if state.dies_at.take_if(|at| *at == place).is_some() {
            state.signal = Some(Signal::Crash);
            return Some(Signal::Crash);
        }
        if !state.faulty {
            return None;
        }
        let signal = state.drawn_signal(place)?;
        if state.happens(Kind::ClockBackwards, 400) {
            let back = state.chance.secs(1, 5);
            self.clocks.turn(self.node, self.clocks.ahead(self.node) - back);
        }
        state.signal = Some(signal);
        drop(state);
        self.note(|| format!("{signal:?} at {place}"));
        Some(signal)
    }

    pub fn take_signal(&self) -> Option<Signal> {
        self.state().signal.take()
    }

    pub fn resume(&self) {
        self.state().resumed = true;
    }

    /// Whether a fault of that kind happens now.
    pub fn fault(&self, kind: Kind, in_10_000: u64) -> bool {
        let happens = self.state().happens(kind, in_10_000);
        if happens {
            self.note(|| kind.name().to_owned());
        }
        happens
    }

    /// A server took a message over; somebody may have something to say about it.
    pub fn accept(&self, accepted: Accepted) {
        self.note(|| {
            let Accepted { message_id, to, mailbox, .. } = &accepted;
            format!("accepted {message_id} for {to} from {mailbox}")
        });
        super::checks::on_accept(self, &accepted);
        self.state().accepted.push(accepted.clone());
        self.react(&accepted);
    }

    fn react(&self, mail: &Accepted) {
        let now = self.true_now();
        let (says, after) = {
            let chance = &mut self.state().chance;
            match chance.between(0, 99) {
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
                // At once: while others are still on their way.
                34..37 => (Says::Reply, chance.mins(0, 15)),
                _ => return,
            }
        };
        let names_it = self.state().chance.percent(75);
        self.deliver(mail, says, names_it, now + after);
    }

    /// Somebody writes back.
    pub fn deliver(&self, mail: &Accepted, says: Says, names_it: bool, at: Timestamp) {
        let mut state = self.state();
        state.inboxes.written += 1;
        let n = state.inboxes.written;
        let ours = format!("{}@us.example", mail.mailbox);
        let about = About { message_id: &mail.message_id, ours: &ours, theirs: &mail.to, names_it };
        let bytes = letters::write(says, &about, n, at);
        let again = state.happens(Kind::DeliveredTwice, 2_000).then(|| state.chance.mins(1, 3_000));
        let coming = state.inboxes.coming.entry(mail.mailbox.clone()).or_default();
        let incoming = Incoming { at, id: letters::id(n), bytes };
        if let Some(later) = again {
            let at = at + later;
            coming.insert((at, 2 * n + 1), Incoming { at, ..incoming.clone() });
        }
        coming.insert((at, 2 * n), incoming);
        drop(state);
        self.note(|| format!("letter {n} {says:?} from {} for {at}", mail.to));
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

impl State {
    /// Whether a fault of that kind happens now.
    pub fn happens(&mut self, kind: Kind, in_10_000: u64) -> bool {
        let drawn = self.chance.next() % (10_000 * self.rarity) < in_10_000;
        drawn && self.faulty && self.faults.happens(kind)
    }

    fn drawn_signal(&mut self, place: &'static str) -> Option<Signal> {
        let drawn = self.chance.next() % (10_000 * self.rarity);
        // Where it matters most something happens most often.
        let weight = match place {
            "read" | "fetched nothing" => 1,
            "content" | "fetched" | "intend" => 25,
            _ => 4,
        };
        let crash = match place {
            "write" | "intend" => Kind::CrashBeforeCommit,
            "written" | "intended" => Kind::CrashBehindCommit,
            _ => Kind::Crash,
        };
        let sleeps = if place == "intend" && self.sends { 100 * weight } else { 34 * weight };
        let (kind, signal) = match drawn {
            drawn if drawn < 3 * weight => (crash, Signal::Crash),
            _ if self.depth > 0 => return None,
            drawn if drawn < 28 * weight => (Kind::Interleave, Signal::Meanwhile),
            drawn if drawn < sleeps => (Kind::Sleep, Signal::Sleep),
            _ => return None,
        };
        self.faults.happens(kind).then_some(signal)
    }

    pub fn is_full(&self, now: Timestamp) -> bool {
        self.faulty && now < self.full_until
    }

    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.faulty && now < self.locked_until
    }
}
