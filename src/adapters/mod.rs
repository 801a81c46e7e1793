//! One outside thing per file. No decisions.

pub mod clock;
pub mod heartbeat;
pub mod imap;
pub mod library;
mod line;
pub mod maildir;
pub mod outbox_dir;
pub mod post;
pub mod secret;
pub mod simulated;
pub mod smtp;
pub mod store;
pub mod tls;
