//! CSV lists to prospects: any encoding, delimiter and header that the usual tools write.
//!
//! [`Reader::open`] understands the dialect (`dialect`) and the header (`header`, with the tables of
//! `synonyms.toml`); [`Reader::next_row`] then gives one row at a time, in constant memory: bytes to
//! lines (`lines`), lines to records (`records`), cells to values (`values`), values to a
//! [`ProspectDraft`] (`row`). A bad cell costs the cell, a bad row the row, and both say why.
//! Reading and parsing may be done by two threads: [`Reader::next_record`] gives records that the
//! [`Table`] of the file turns into rows.

use std::borrow::Cow;
use std::io;

use thiserror::Error;

use crate::domain::prospect::ProspectDraft;

mod alike;
mod cells;
mod dialect;
mod field;
mod header;
mod inspect;
mod key;
mod lines;
mod reader;
mod records;
mod row;
mod synonyms;
mod table;
mod values;

pub use cells::Cells;
pub use reader::Reader;
pub use table::{RawRow, Table};
pub(crate) use values::place::country as country_code;

/// What to assume and what the user decided.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The country of rows that name none: ISO 3166-1 alpha-2, or a name.
    pub default_country: Option<String>,
    /// Column and field, such as `("Direkt", "phone_direct")`; the field may be `x.…` or `ignore`.
    pub map: Vec<(String, String)>,
    /// The text of the workspace's own `synonyms.toml`, in the form of ours; it comes first.
    pub synonyms: Option<String>,
}

/// How a list is written and what its columns are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Such as `UTF-8`.
    pub encoding: String,
    /// Nothing in the file proves the encoding.
    pub encoding_guessed: bool,
    pub delimiter: char,
    /// The product that wrote it, such as "Apollo contacts".
    pub source: Option<String>,
    /// The same for every file with these headers, in whatever order: 16 hexadecimal digits.
    pub fingerprint: String,
    /// Nothing stands below the header.
    pub is_empty: bool,
    pub columns: Vec<Column>,
}

/// One column of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub header: String,
    /// Such as `first_name` or `x.icebreaker`; `None` when the column is ignored.
    pub field: Option<String>,
    /// Why it is that field.
    pub why: String,
    /// A value or two from the first rows; after [`Reader::inspect`].
    pub examples: Vec<String>,
    /// Why the values look like something else, such as "only 3 of 40 values are e-mail addresses";
    /// after [`Reader::inspect`].
    pub doubt: Option<String>,
}

/// One row of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// 1 = the first row below the header, blank ones not counted.
    pub number: u64,
    /// The line of the file on which it starts; 1 = the first.
    pub line: u64,
    /// The cells as they are, each at most 10,000 characters.
    pub raw: Cells,
    /// The person, or why there is none.
    pub parsed: Result<ProspectDraft, Problem>,
    /// Why it must wait for somebody although nothing speaks against the person, such as a mistyped
    /// domain in the only address. With an error in `parsed` there is nothing to store meanwhile.
    pub parked: Option<Problem>,
    /// What else is wrong with it: something was left out, or is doubtful.
    pub warnings: Vec<Problem>,
    /// What is good to know of it: nothing was left out.
    pub notes: Vec<Problem>,
}

/// One thing that is wrong with a row or a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The header of the cell; `None` when it is about the whole row.
    pub column: Option<String>,
    /// The cell, at most 80 characters of it.
    pub value: String,
    /// A sentence fragment such as "not an e-mail address".
    pub problem: String,
    /// What to do, in a sentence.
    pub fix: String,
}

/// Why a list could not be opened.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The source failed.
    #[error("the file could not be read: {0}")]
    Io(#[from] io::Error),
    /// Nothing is in it.
    #[error("the file is empty; export the list again")]
    Empty,
    /// No text is in it.
    #[error("this is not a text file; export the list as CSV")]
    Binary,
    /// An Excel or OpenDocument workbook, or another ZIP archive.
    #[error(
        "this is a spreadsheet or a ZIP file, not CSV; open it and save the sheet as CSV (UTF-8)"
    )]
    Spreadsheet,
    /// A file of another kind that is text as well.
    #[error("this is {what}, not CSV; {fix}")]
    OtherFormat { what: &'static str, fix: &'static str },
    /// The header never ends.
    #[error(
        "line {line} is longer than 1 MiB; this does not look like a list: export it again as CSV"
    )]
    TooLong { line: u64 },
    /// More columns than any list has.
    #[error("the header has {count} columns, more than 2,000; leave out those that are not needed")]
    TooManyColumns { count: usize },
    /// No line looks like a header.
    #[error(
        "no header was found in the first lines; the first line with text is: {headers}. \
         Name the columns in the first line, or say what they are with --map 'Column=field'"
    )]
    NoKnownColumn { headers: String },
    /// The header has nothing by which a person can be reached.
    #[error(
        "{}none of the columns is an e-mail address, a phone number or a LinkedIn profile: {headers}. \
         Say which one is with --map 'Column=email'",
        of_product(product)
    )]
    NoChannel {
        headers: String,
        product: Option<String>,
        /// As in [`Layout`]: somebody may have said before how such files are to be read.
        fingerprint: String,
    },
    /// There is a header and nothing below it.
    #[error("there is a header and no row below it; export the list again")]
    NoRows,
    /// The workspace's own words for headers cannot be understood.
    #[error("synonyms.toml, line {line}: {problem}")]
    Synonyms { line: usize, problem: String },
    /// `--map` names a field that we do not have.
    #[error(
        "--map: there is no field `{field}`{}; for a field of your own write x.{}",
        suggestion(did_you_mean),
        own_name(field)
    )]
    UnknownField { field: String, did_you_mean: Option<String> },
    /// `--map` names a column that the file does not have.
    #[error("--map: the file has no column `{column}`{}", suggestion(did_you_mean))]
    UnknownColumn { column: String, did_you_mean: Option<String> },
    /// `--default-country` is no country.
    #[error(
        "--default-country: `{country}` is no country we know; write its two letters, such as US"
    )]
    UnknownCountry { country: String },
}

fn suggestion(meant: &Option<String>) -> String {
    meant.as_ref().map(|meant| format!(", did you mean `{meant}`?")).unwrap_or_default()
}

fn of_product(product: &Option<String>) -> String {
    product.as_ref().map(|product| format!("this is a list of {product}; ")).unwrap_or_default()
}

fn own_name(field: &str) -> String {
    key::key(field).replace(' ', "_")
}

/// The cell as it may be written to a CSV file again: what a spreadsheet would run as a formula
/// (`=`, `+`, `-`, `@`, tab or carriage return in front) gets an apostrophe, which reading takes off.
pub fn safe_cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return Cow::Owned(format!("'{text}"));
    }
    Cow::Borrowed(text)
}

/// At most 80 characters of a text, on one line.
fn excerpt(text: &str) -> String {
    let line: String =
        text.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests;
