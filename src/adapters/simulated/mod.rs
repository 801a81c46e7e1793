//! Stand-ins for the outside world that speak its real protocols: for the demo and for tests.

pub mod clock;
pub mod crowd;
pub mod letters;
pub mod mail;
pub mod memory;
pub mod smtp_server;
pub mod world;
