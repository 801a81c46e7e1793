//! Headers, a workspace's own words for them, and `--map`: what is refused says why, the rest is read.
#![no_main]

use firsttouch::formats::csv::{Options, Reader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str, &str)| {
    let (header, own, column, field) = input;
    let map = vec![(column.to_owned(), field.to_owned())];
    let map = if column.is_empty() { Vec::new() } else { map };
    let options = Options { default_country: None, map, synonyms: Some(own.to_owned()) };
    match Reader::open(header.as_bytes(), &options) {
        Ok(reader) => {
            assert!(!reader.layout().columns.is_empty());
            assert_eq!(reader.layout().fingerprint.len(), 16);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
