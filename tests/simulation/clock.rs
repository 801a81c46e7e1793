//! A clock that shows what it is told.

use std::sync::Mutex;

use firsttouch::ports::Clock;
use jiff::{SignedDuration, Timestamp};

pub struct SimClock(Mutex<Timestamp>);

impl SimClock {
    pub fn new(at: Timestamp) -> Self {
        Self(Mutex::new(at))
    }

    /// Forward or backward.
    pub fn jump(&self, by: SignedDuration) {
        *self.0.lock().expect("the clock") += by;
    }

    /// Forward only.
    pub fn advance_to(&self, at: Timestamp) {
        let mut now = self.0.lock().expect("the clock");
        *now = at.max(*now);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("the clock")
    }
}
