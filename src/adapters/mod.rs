//! One outside thing per file. No decisions.

pub mod store;
