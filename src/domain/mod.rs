//! The rules: plain values in, decisions out. No clock, chance, I/O, async, logging or serde.

pub mod address;
pub mod cadence;
pub mod delivery;
pub mod facts;
pub mod ids;
pub mod prospect;
pub mod reply;
pub mod time;
pub mod budget;
pub mod calendar;
pub mod enrollment;
pub mod log;
pub mod suppression;
pub mod touch;
