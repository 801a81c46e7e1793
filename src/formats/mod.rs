//! Pure text to domain and back. No files are read here.

pub mod diagnostic;
pub mod mime;
