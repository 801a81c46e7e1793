//! The rules: plain values in, decisions out. No clock, chance, I/O, async, logging or serde.

pub mod address;
pub mod delivery;
pub mod ids;
pub mod prospect;
