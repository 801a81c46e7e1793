//! Pure text to domain and back. No files are read here.

pub mod csv;
pub mod diagnostic;
pub mod zone;
