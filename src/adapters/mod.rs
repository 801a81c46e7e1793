//! One outside thing per file. No decisions.

pub mod secret;
pub mod simulated;
pub mod smtp;
pub mod tls;
