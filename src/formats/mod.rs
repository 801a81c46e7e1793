//! Pure text to domain and back. No files are read here.

pub mod cadence_file;
pub mod call_hours;
pub mod convert;
pub mod csv;
pub mod diagnostic;
pub mod fmt;
pub mod holidays;
pub mod language;
pub mod length;
pub mod message;
pub mod mime;
pub mod moment;
pub mod profile_file;
pub mod rules;
pub mod template;
pub mod test_file;
pub mod unified;
pub mod week;
pub mod yaml;
pub mod zone;
