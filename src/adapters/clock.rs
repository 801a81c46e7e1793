//! The real clock.

use jiff::{SignedDuration, Timestamp};

use crate::ports::Clock;

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// The time since the machine was started; it runs on while the machine sleeps.
    #[cfg(target_os = "linux")]
    fn steady(&self) -> SignedDuration {
        let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        SignedDuration::new(since.tv_sec, i32::try_from(since.tv_nsec).unwrap_or(0))
    }
}
