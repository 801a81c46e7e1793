//! A clock that stands still until it is set.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use crate::ports::Clock;

/// A clock whose time somebody sets.
#[derive(Debug)]
pub struct SimulatedClock {
    ms: AtomicI64,
}

impl SimulatedClock {
    /// A clock that shows `at`.
    pub fn new(at: Timestamp) -> Self {
        Self { ms: AtomicI64::new(at.as_millisecond()) }
    }

    /// Sets the clock.
    pub fn set(&self, at: Timestamp) {
        self.ms.store(at.as_millisecond(), Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.ms.load(Ordering::Relaxed))
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
