//! `firsttouch`: an outbound prospecting cadence engine.
//!
//! Functional core, imperative shell: `domain` decides, `engine` asks and does as told, `adapters`
//! touch the world. ARCHITECTURE.md has the picture and the reasons.

pub mod adapters;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod formats;
pub mod ports;
pub mod wiring;
