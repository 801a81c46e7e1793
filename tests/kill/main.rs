//! Daemons killed in the middle of their work, again and again: nobody gets a mail twice, and whoever
//! may not have got one is listed as in doubt.
//!
//! Real processes throughout: the program, and an SMTP server of its own process whose file says what
//! arrived. `FIRSTTOUCH_KILL_FULL=1` runs longer, with more people and more kills; `FIRSTTOUCH_KILL_SEED`
//! picks other moments.

mod bad_days;
mod nodes;
mod one;
mod process;
mod sink;
mod workspace;

const PROGRAM: &str = env!("CARGO_BIN_EXE_firsttouch");

/// Mails that everybody is to get.
const STEPS: usize = 2;
