//! The rules: plain values in, decisions out. No clock, chance, I/O, async, logging or serde.

pub mod address;
pub mod cadence;
pub mod delivery;
pub mod facts;
pub mod ids;
pub mod profile;
pub mod prospect;
pub mod reply;
pub mod time;
pub mod title;
pub mod words;
