//! Whole files: reading never panics, ends, and counts every row once.
#![no_main]

use firsttouch::formats::csv::{Options, Reader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let Ok(mut reader) = Reader::open(file, &Options::default()) else { return };
    if file.len().is_multiple_of(2) {
        reader.inspect();
    }
    let is_empty = reader.layout().is_empty;
    let (mut good, mut bad, mut line) = (0, 0, 0);
    while let Some(row) = reader.next_row() {
        if row.parsed.is_ok() {
            good += 1;
        } else {
            bad += 1;
        }
        assert_eq!(row.number, good + bad);
        assert!(row.line > line);
        line = row.line;
    }
    assert_eq!(is_empty, good + bad == 0);
    assert!(reader.next_row().is_none());
});
