//! Whole lists: what goes in as text and comes out as people.

use super::*;

mod bad_input;
mod mess;
mod mess_table;
mod nasty;
mod products;
mod properties;

fn options() -> Options {
    Options::default()
}

fn with_map(map: &[(&str, &str)]) -> Options {
    let map = map.iter().map(|(column, field)| ((*column).to_owned(), (*field).to_owned()));
    Options { map: map.collect(), ..Options::default() }
}

fn open<'a>(text: &'a str, options: &Options) -> Reader<&'a [u8]> {
    Reader::open(text.as_bytes(), options).expect("a list")
}

fn rows(text: &str) -> Vec<Row> {
    let mut reader = open(text, &options());
    std::iter::from_fn(|| reader.next_row()).collect()
}

fn only_row(text: &str) -> Row {
    let mut rows = rows(text);
    assert_eq!(rows.len(), 1, "{rows:#?}");
    rows.remove(0)
}

fn person(text: &str) -> ProspectDraft {
    only_row(text).parsed.expect("a person")
}
