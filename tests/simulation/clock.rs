//! The time that it really is, and the clock of each node, which may be wrong.

use std::sync::{Arc, Mutex, MutexGuard};

use firsttouch::ports::Clock;
use jiff::{SignedDuration, Timestamp};

pub const NODES: usize = 2;

struct Times {
    at: Timestamp,
    /// How far each node's clock is ahead.
    ahead: [SignedDuration; NODES],
    /// What a node is shown instead: a rule of the engine is broken with it.
    shown: [Option<Timestamp>; NODES],
}

/// All clocks of the world.
#[derive(Clone)]
pub struct Clocks(Arc<Mutex<Times>>);

impl Clocks {
    pub fn new(at: Timestamp) -> Self {
        let (ahead, shown) = ([SignedDuration::ZERO; NODES], [None; NODES]);
        Self(Arc::new(Mutex::new(Times { at, ahead, shown })))
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().expect("the clocks")
    }

    /// The time that it really is.
    pub fn true_now(&self) -> Timestamp {
        self.times().at
    }

    /// Time passes.
    pub fn pass(&self, by: SignedDuration) {
        self.times().at += by;
    }

    pub fn advance_to(&self, at: Timestamp) {
        let mut times = self.times();
        times.at = at.max(times.at);
    }

    /// Turns a node's clock: so far ahead of the true time it is from now on.
    pub fn turn(&self, node: usize, ahead: SignedDuration) {
        self.times().ahead[node] = ahead;
    }

    pub fn ahead(&self, node: usize) -> SignedDuration {
        self.times().ahead[node]
    }

    /// What the clock of a node says.
    pub fn of(&self, node: usize) -> Timestamp {
        let times = self.times();
        times.at + times.ahead[node]
    }

    /// Stops the clock of a node, as its process sees it, or lets it go again.
    pub fn show(&self, node: usize, at: Option<Timestamp>) {
        self.times().shown[node] = at;
    }
}

/// The clock that a process is given.
pub struct NodeClock(pub Clocks, pub usize);

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        let shown = self.0.times().shown[self.1];
        shown.unwrap_or_else(|| self.0.of(self.1))
    }
}
