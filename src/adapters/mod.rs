//! One outside thing per file. No decisions.

pub mod imap;
mod line;
pub mod maildir;
pub mod outbox_dir;
pub mod secret;
pub mod simulated;
pub mod smtp;
pub mod store;
pub mod tls;
