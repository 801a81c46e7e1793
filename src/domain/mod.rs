//! The rules: plain values in, decisions out. No clock, chance, I/O, async, logging or serde.

pub mod address;
pub mod budget;
pub mod cadence;
pub mod calendar;
pub mod delivery;
pub mod enrollment;
pub mod facts;
pub mod forecast;
pub mod identity;
pub mod ids;
pub mod learn;
pub mod log;
pub mod outlook;
pub mod profile;
pub mod prospect;
pub mod reply;
pub mod report;
pub mod schedule;
pub mod settings;
pub mod suppression;
mod table;
pub mod test_case;
pub mod time;
pub mod title;
pub mod touch;
pub mod trial;
pub mod words;
