//! One outside thing per file. No decisions.
