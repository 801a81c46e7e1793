//! Which encoding and which delimiter a file has, told from its beginning.

use super::ReadError;
use super::key;
use super::lines::Lines;
use super::records::{Record, Records};

/// How much of a file is looked at, in bytes.
pub(super) const SAMPLE: usize = 64 * 1024;
/// How many records are looked at: the header must be among them.
pub(super) const SAMPLE_RECORDS: usize = 30;
/// In order of preference when nothing else decides.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// How the bytes of a file are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub encoding: Encoding,
    /// Bytes of the byte order mark, to be left out.
    pub bom: usize,
    /// Whether the encoding was guessed: nothing in the file proves it.
    pub guessed: bool,
    pub delimiter: char,
    /// The first line is Excel's `sep=;` and not a record.
    pub has_sep_line: bool,
}

/// The encodings that lists come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Utf16Le => "UTF-16LE",
            Encoding::Utf16Be => "UTF-16BE",
            Encoding::Windows1252 => "Windows-1252",
        })
    }
}

/// The dialect of a file that begins with `sample`; `is_known` says whether a header is one of ours.
///
/// # Errors
/// The file is empty, or nothing that has lines of text.
pub(super) fn sniff(sample: &[u8], is_known: impl Fn(&str) -> bool) -> Result<Dialect, ReadError> {
    refuse_other_files(sample)?;
    let (encoding, bom, guessed) = encoding_of(sample)?;
    let text = sample.get(bom..).unwrap_or_default();
    refuse_other_texts(text, encoding)?;
    let first = Lines::new(Vec::new(), text, encoding).next().ok().flatten();
    let sep = first.and_then(|line| sep_line(&line.text));
    let delimiter = sep.unwrap_or_else(|| delimiter_of(text, encoding, is_known));
    Ok(Dialect { encoding, bom, guessed, delimiter, has_sep_line: sep.is_some() })
}

/// Beginnings of text files of other kinds, in small letters: what they are and what to do.
const OTHER_TEXTS: &[(&str, &str, &str)] = &[
    ("<!doctype html", "a web page", "export the list as CSV instead of saving the page"),
    ("<html", "a web page", "export the list as CSV instead of saving the page"),
    ("<?xml", "an XML file", "open it in Excel and save the sheet as CSV (UTF-8)"),
    ("<table", "a web page", "open it in Excel and save the sheet as CSV (UTF-8)"),
    ("{\\rtf", "a document", "copy its table into a spreadsheet and save that as CSV (UTF-8)"),
    ("begin:vcard", "a file of contact cards (vCard)", "export the contacts as CSV"),
    ("[{", "a JSON file", "export the list as CSV"),
    ("[[", "a JSON file", "export the list as CSV"),
    ("[\"", "a JSON file", "export the list as CSV"),
    ("{\"", "a JSON file", "export the list as CSV"),
];

/// Refuses what begins like a web page, JSON or another text that is no table.
fn refuse_other_texts(text: &[u8], encoding: Encoding) -> Result<(), ReadError> {
    let mut lines = Lines::new(Vec::new(), text, encoding);
    let lines = std::iter::from_fn(|| lines.next().ok().flatten()).take(5);
    let mut beginning: String =
        lines.flat_map(|line| line.text.into_bytes()).take(200).map(char::from).collect();
    beginning.make_ascii_lowercase();
    let is_json = beginning.trim_start().starts_with(['{', '[']);
    let beginning = match is_json {
        true => beginning.split_whitespace().collect(),
        false => beginning.trim_start().to_owned(),
    };
    let found = OTHER_TEXTS.iter().find(|(known, ..)| beginning.starts_with(known));
    found.map_or(Ok(()), |(_, what, fix)| Err(ReadError::OtherFormat { what, fix }))
}

/// Beginnings of files that people take for a CSV file: the bytes, and whether it is a spreadsheet.
const OTHER_FILES: &[(&[u8], bool)] = &[
    (b"PK\x03\x04", true),
    (b"PK\x05\x06", true),
    (b"\xd0\xcf\x11\xe0", true),
    (b"%PDF", false),
    (b"\x1f\x8b", false),
    (b"SQLite format 3", false),
];

fn refuse_other_files(sample: &[u8]) -> Result<(), ReadError> {
    match OTHER_FILES.iter().find(|(beginning, _)| sample.starts_with(beginning)) {
        Some((_, true)) => Err(ReadError::Spreadsheet),
        Some((_, false)) => Err(ReadError::Binary),
        None => Ok(()),
    }
}

/// The encoding, the length of its byte order mark, and whether it was guessed.
fn encoding_of(sample: &[u8]) -> Result<(Encoding, usize, bool), ReadError> {
    let found = match encoding_rs::Encoding::for_bom(sample) {
        Some((encoding, bom)) if encoding == encoding_rs::UTF_16LE => {
            (Encoding::Utf16Le, bom, false)
        }
        Some((encoding, bom)) if encoding == encoding_rs::UTF_16BE => {
            (Encoding::Utf16Be, bom, false)
        }
        Some((_, bom)) => (Encoding::Utf8, bom, false),
        None => encoding_without_bom(sample)?,
    };
    let text = sample.get(found.1..).unwrap_or_default();
    if text.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err(ReadError::Empty);
    }
    Ok(found)
}

fn encoding_without_bom(sample: &[u8]) -> Result<(Encoding, usize, bool), ReadError> {
    if let Some(encoding) = utf16_by_its_zeros(sample) {
        return Ok((encoding, 0, true));
    }
    // In a short file a stray byte or two is much.
    let tolerated = (sample.len() / 100).max(sample.len().min(100) / 10);
    if sample.iter().filter(|byte| is_binary(**byte)).count() > tolerated {
        return Err(ReadError::Binary);
    }
    match std::str::from_utf8(sample) {
        Ok(_) => Ok((Encoding::Utf8, 0, false)),
        // The sample ends in the middle of a character.
        Err(error) if error.error_len().is_none() => Ok((Encoding::Utf8, 0, false)),
        Err(_) => Ok((Encoding::Windows1252, 0, true)),
    }
}

/// Western text in UTF-16 has a zero in every other byte.
fn utf16_by_its_zeros(sample: &[u8]) -> Option<Encoding> {
    let pairs = sample.len() / 2;
    let zeros =
        |offset: usize| sample.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match () {
        () if pairs >= 4 && odd > pairs / 2 && even <= pairs / 20 => Some(Encoding::Utf16Le),
        () if pairs >= 4 && even > pairs / 2 && odd <= pairs / 20 => Some(Encoding::Utf16Be),
        () => None,
    }
}

fn is_binary(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1a | 0x1b)
}

/// The delimiter that Excel's first line `sep=;` names.
fn sep_line(line: &str) -> Option<char> {
    let line = line.trim_matches('"');
    let (key, value) = line.split_at_checked(4)?;
    let mut value = value.chars();
    let delimiter = value.next()?;
    let is_sep = key.eq_ignore_ascii_case("sep=") && value.next().is_none();
    (is_sep && DELIMITERS.contains(&delimiter)).then_some(delimiter)
}

/// The delimiter that shows the most known headers, then the one with the steadiest count of cells.
fn delimiter_of(text: &[u8], encoding: Encoding, is_known: impl Fn(&str) -> bool) -> char {
    let score = |delimiter: char| {
        let records = first_records(text, encoding, delimiter);
        let known = records.iter().map(|record| count_known(record, &is_known)).max();
        (known.unwrap_or(0), steadiness(&records))
    };
    let mut best = (DELIMITERS[0], score(DELIMITERS[0]));
    for delimiter in &DELIMITERS[1..] {
        let score = score(*delimiter);
        if score > best.1 {
            best = (*delimiter, score);
        }
    }
    best.0
}

fn first_records(text: &[u8], encoding: Encoding, delimiter: char) -> Vec<Record> {
    let mut records = Records::new(Lines::new(Vec::new(), text, encoding), delimiter);
    std::iter::from_fn(|| records.next().ok().flatten()).take(SAMPLE_RECORDS).collect()
}

fn count_known(record: &Record, is_known: impl Fn(&str) -> bool) -> usize {
    record.cells.iter().filter(|cell| is_known(&key::key(cell))).count()
}

/// How many records have the most frequent number of cells above one, and that number.
fn steadiness(records: &[Record]) -> (usize, usize) {
    let counts = records.iter().map(|record| record.count).filter(|count| *count > 1);
    counts
        .map(|count| (records.iter().filter(|record| record.count == count).count(), count))
        .max()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(sample: &[u8]) -> Result<(Encoding, bool, char), ReadError> {
        sniff(sample, |key| ["first name", "email"].contains(&key))
            .map(|dialect| (dialect.encoding, dialect.guessed, dialect.delimiter))
    }

    #[test]
    fn encoding_and_delimiter_are_told_from_the_first_bytes() {
        use Encoding::*;
        let utf16 =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        let be: Vec<u8> = "First Name\tEmail\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = [b"\xff\xfe".to_vec(), utf16("First Name\tEmail\n")].concat();
        type Told = (Encoding, bool, char);
        let cases: &[(&[u8], Told)] = &[
            (b"First Name,Email\nDana,d@x.test\n", (Utf8, false, ',')),
            (b"\xef\xbb\xbfFirst Name;Email\nDana;d@x.test\n", (Utf8, false, ';')),
            (b"First Name\tEmail\nDana\td@x.test\n", (Utf8, false, '\t')),
            (b"First Name|Email|a,b,c,d\n1|2|a,b,c,d\n", (Utf8, false, '|')),
            (b"sep=;\nFirst Name;Email\n", (Utf8, false, ';')),
            (b"\"sep=|\"\r\nFirst Name,Email\n", (Utf8, false, '|')),
            (b"Email\nd@x.test\n", (Utf8, false, ',')),
            (b"what;ever\n1,5;2\n1,6;3\n", (Utf8, false, ';')),
            (b"Email;Name\nd@x.test;J\xfcrgen\n", (Windows1252, true, ';')),
            (&marked, (Utf16Le, false, '\t')),
            (&utf16("First Name;Email\n"), (Utf16Le, true, ';')),
            (&be, (Utf16Be, true, '\t')),
        ];
        for (sample, expected) in cases {
            assert_eq!(
                dialect(sample).ok(),
                Some(*expected),
                "{:?}",
                sample.escape_ascii().to_string()
            );
        }
    }

    #[test]
    fn what_is_no_text_is_refused_by_name() {
        assert!(matches!(dialect(b""), Err(ReadError::Empty)));
        assert!(matches!(dialect(b"\xef\xbb\xbf \r\n\n"), Err(ReadError::Empty)));
        assert!(matches!(dialect(b"PK\x03\x04\x14\0\x06\0"), Err(ReadError::Spreadsheet)));
        assert!(matches!(dialect(b"\xd0\xcf\x11\xe0\xa1\xb1"), Err(ReadError::Spreadsheet)));
        assert!(matches!(dialect(b"PAR1\x15\x04\x15\x0c\x15\0"), Err(ReadError::Binary)));
        assert!(matches!(dialect(b"\x7fELF\x02\x01\x01\0\0\0\x03\x04"), Err(ReadError::Binary)));
    }

    #[test]
    fn other_texts_are_refused_by_what_they_are() {
        for (text, expected) in [
            ("<!DOCTYPE html>\n<html><body>First Name,Email", Some("a web page")),
            ("\n  <html lang=en>", Some("a web page")),
            ("<?xml version=\"1.0\"?><Workbook>", Some("an XML file")),
            ("[{\"email\": \"d@x.test\"}]", Some("a JSON file")),
            ("[\n  {\n    \"email\": 1}]", Some("a JSON file")),
            ("{\"email\": \"d@x.test\"}\n{\"email\": 1}", Some("a JSON file")),
            ("BEGIN:VCARD\nVERSION:3.0", Some("a file of contact cards (vCard)")),
            ("{First Name},{Email}\nDana,d@x.test\n", None),
            ("<Name>,Email\nDana,d@x.test\n", None),
        ] {
            let found = match dialect(text.as_bytes()) {
                Err(ReadError::OtherFormat { what, .. }) => Some(what),
                _ => None,
            };
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn a_character_cut_at_the_end_of_the_sample_does_not_change_the_encoding() {
        assert_eq!(
            dialect("Email;é".as_bytes().split_last().expect("bytes").1).ok(),
            Some((Encoding::Utf8, false, ';'))
        );
    }
}
