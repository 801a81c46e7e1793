//! Stand-ins for the outside world that speak its real protocols: for the demo and for tests.

pub mod smtp_server;
