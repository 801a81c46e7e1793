//! Files that are no list, or a broken one: each says what it is, and what can be read is read.

use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

use super::*;

fn refusal(bytes: &[u8]) -> String {
    Reader::open(bytes, &options()).err().expect("refused").to_string()
}

/// The first names of all rows, or what is wrong with them.
fn drained(bytes: &[u8]) -> Vec<String> {
    let mut reader = Reader::open(bytes, &options()).expect("a list");
    let rows = std::iter::from_fn(|| reader.next_row());
    let told = |row: Row| match row.parsed {
        Ok(person) => person.first_name.unwrap_or_default(),
        Err(problem) => format!("! {}", problem.problem),
    };
    rows.map(told).collect()
}

#[test]
fn files_that_are_no_list_are_refused_by_what_they_are() {
    for (bytes, message) in [
        (&b""[..], "empty"),
        (b"\n\r\n  \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"PK\x03\x04\x14\0\x06\0\x08\0xl/workbook.xml", "spreadsheet"),
        (b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0", "spreadsheet"),
        (b"%PDF-1.7\n", "not a text file"),
        (b"\x1f\x8b\x08\0\0\0", "not a text file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a text file"),
        (b"<html><body><table>", "a web page, not CSV"),
        (b"[{\"email\": \"d@x.test\"}]", "a JSON file, not CSV"),
        (b"just some words\nand some more\n", "no header was found"),
    ] {
        let found = refusal(bytes);
        assert!(found.contains(message), "{}: {found}", bytes.escape_ascii());
    }
}

#[test]
fn a_header_without_rows_opens_and_says_so() {
    for text in ["First Name,Email", "First Name,Email\n", "First Name,Email\r\n\r\n,\r\n"] {
        let mut reader = open(text, &options());
        assert!(reader.layout().is_empty, "{text:?}");
        assert_eq!(reader.next_row(), None);
    }
    assert!(!open("First Name,Email\nDana,\n", &options()).layout().is_empty);
}

/// Some text, then one letter for ever; counts what was taken.
struct Endless {
    head: &'static [u8],
    taken: Rc<Cell<u64>>,
}

impl Read for Endless {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = match self.head.read(to)? {
            0 => {
                to.fill(b'x');
                to.len()
            }
            count => count,
        };
        self.taken.set(self.taken.get() + count as u64);
        Ok(count)
    }
}

#[test]
fn a_line_without_end_is_neither_buffered_nor_waited_for() {
    let endless = |head| {
        let taken = Rc::new(Cell::new(0));
        (Endless { head, taken: Rc::clone(&taken) }, taken)
    };
    let (source, taken) = endless(b"");
    let error = Reader::open(source, &options()).err();
    assert!(matches!(error, Some(ReadError::TooLong { line: 1 })));
    assert!(taken.get() < 3 * 1024 * 1024, "{}", taken.get());

    let (source, taken) = endless(b"Name,Email\nDana,d@x.test\n");
    let mut reader = Reader::open(source, &options()).expect("a list");
    assert!(reader.next_row().is_some_and(|row| row.parsed.is_ok()));
    let row = reader.next_row().expect("the long line");
    assert_eq!(
        row.parsed.err().map(|problem| problem.problem).as_deref(),
        Some("longer than 1 MiB")
    );
    assert!(taken.get() < 3 * 1024 * 1024, "{}", taken.get());
}

#[test]
fn nul_bytes_are_left_out_of_values() {
    assert_eq!(drained(b"First Name,Email\nDa\0na,d@x.test\0\n"), ["Da na"]);
}

#[test]
fn an_unclosed_quote_costs_one_row_and_the_rows_around_it_survive() {
    let text = b"First Name,Email\nAnn,a@x.test\n\"Bob,b@x.test\nCid,c@x.test\nDan,d@x.test";
    let broken = "! a quote opened on line 3 is never closed";
    assert_eq!(drained(text), ["Ann", broken, "Cid", "Dan"]);
}

#[test]
fn every_kind_of_line_end_and_their_mixture_is_read() {
    let expected = ["Ann", "Bob", "Cid"];
    for text in [
        "First Name,Email\rAnn,a@x.test\rBob,b@x.test\rCid,c@x.test\r",
        "First Name,Email\r\nAnn,a@x.test\nBob,b@x.test\rCid,c@x.test",
        "sep=,\r\nFirst Name,Email\r\n\r\nAnn,a@x.test\r\n\r\nBob,b@x.test\n\rCid,c@x.test\n",
    ] {
        assert_eq!(drained(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn utf_16_is_read_in_both_orders_with_and_without_its_mark() {
    let text = "First Name\tEmail\r\nJürgen\tj@x.test\r\nZoë\tz@x.test\r\n";
    type Bytes = fn(u16) -> [u8; 2];
    for order in [u16::to_le_bytes as Bytes, u16::to_be_bytes as Bytes] {
        let plain: Vec<u8> = text.encode_utf16().flat_map(order).collect();
        let marked = [order(0xfeff).to_vec(), plain.clone()].concat();
        assert_eq!(drained(&plain), ["Jürgen", "Zoë"]);
        assert_eq!(drained(&marked), ["Jürgen", "Zoë"]);
        // Cut in the middle of a character.
        assert_eq!(drained(&marked[..marked.len() - 1]), ["Jürgen", "Zoë"]);
    }
}

#[test]
fn a_character_cut_off_at_the_end_costs_no_more_than_a_warning() {
    let text = "Email,First Name\na@x.test,Ann\nz@x.test,Zoë".as_bytes();
    let mut reader = Reader::open(&text[..text.len() - 1], &options()).expect("a list");
    let rows: Vec<Row> = std::iter::from_fn(|| reader.next_row()).collect();
    assert_eq!(rows.len(), 2);
    assert!(rows[1].parsed.is_ok() && rows[1].warnings.len() == 1, "{:?}", rows[1]);
}

#[test]
fn lines_before_the_header_are_skipped() {
    let text = "Contacts of the spring fair\n\nExported by Ann,2 March 2026\nFirst Name,Email\nDana,d@x.test\n";
    assert_eq!(drained(text.as_bytes()), ["Dana"]);
}

#[test]
fn reader_and_table_may_be_used_by_threads() {
    // That it compiles is the test.
    fn goes<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    goes::<Reader<std::fs::File>>();
    goes::<RawRow>();
    is_shared::<Table>();
}

#[test]
fn records_are_parsed_in_another_thread_with_the_same_result() {
    let text = "First Name,Email\nDana,d@x.test\n\"x,y\nAnn,n/a\n";
    let expected = rows(text);
    let mut reader = open(text, &options());
    let table = reader.table();
    let (send, receive) = std::sync::mpsc::channel();
    let parser =
        std::thread::spawn(move || receive.iter().map(|raw| table.row(raw)).collect::<Vec<Row>>());
    while let Some(raw) = reader.next_record() {
        send.send(raw).expect("a parser");
    }
    drop(send);
    assert_eq!(parser.join().expect("no panic"), expected);
}

#[test]
fn inspecting_gives_examples_and_doubts_and_loses_no_row() {
    let line = |n: u32| format!("Dana{n},maybe,d{n}@x.test\n");
    let text: String = (0..300).map(line).collect();
    let text = format!("First Name,Email,Mail\n{text}");
    let before = rows(&text);
    let mut reader = open(&text, &options());
    let columns = reader.inspect().columns.clone();
    assert_eq!(columns[0].examples, ["Dana0", "Dana1"]);
    assert_eq!(columns[0].doubt, None);
    assert_eq!(columns[1].doubt.as_deref(), Some("none of 200 values are e-mail addresses"));
    assert_eq!(columns[2].doubt, None);
    let after: Vec<Row> = std::iter::from_fn(|| reader.next_row()).collect();
    assert_eq!(after, before);
}

#[test]
fn a_workspaces_own_words_are_used() {
    let own = "[fields]\nemail = [\"Elektropost\"]\n";
    let options = Options { synonyms: Some(own.to_owned()), ..Options::default() };
    let mut reader = open("Vorname,Elektropost\nDana,d@x.test\n", &options);
    assert_eq!(reader.layout().columns[1].field.as_deref(), Some("email"));
    assert!(reader.next_row().is_some_and(|row| row.parsed.is_ok()));
}

#[test]
fn the_fingerprint_is_that_of_the_headers_and_not_of_what_import_wrote_in_front() {
    let fingerprint = |header: &str| open(header, &options()).layout().fingerprint.clone();
    let plain = fingerprint("First Name,Email\n");
    assert_eq!(plain.len(), 16);
    assert_eq!(fingerprint("_row,_problem,_fix,Email,first_name\n"), plain);
    assert_ne!(fingerprint("First Name,Email,Phone\n"), plain);
    // Mappings are remembered under it: it must never change.
    assert_eq!(plain, "0496caa581edf3ff");
}
