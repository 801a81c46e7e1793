//! What all rows of a file have in common, and records to rows by it.

use super::header::Plan;
use super::records::{Flaw, Record};
use super::row::{self, Parsed};
use super::values::dates::Form;
use super::{Cells, Problem, Row, excerpt};

/// What all rows of one file have in common; threads may share it.
#[derive(Debug)]
pub struct Table {
    pub(super) plan: Plan,
    pub(super) headers: Vec<String>,
    /// How the dates of a column are written, by column; empty until the values were looked at.
    pub(super) dates: Vec<Option<Form>>,
    /// ISO 3166-1 alpha-2.
    pub(super) default_country: Option<&'static str>,
}

/// A row whose cells are not understood yet; it may go to another thread.
#[derive(Debug)]
pub struct RawRow {
    pub(super) number: u64,
    pub(super) line: u64,
    /// The record, or why the file could not be read any further.
    pub(super) record: Result<Record, String>,
}

impl Table {
    /// Understands the cells of a row.
    pub fn row(&self, raw: RawRow) -> Row {
        let (number, line) = (raw.number, raw.line);
        let (cells, parsed) = match raw.record {
            Ok(record) => {
                let parsed = self.parse(&record);
                (record.cells, parsed)
            }
            Err(error) => (Cells::default(), Parsed::refused(unreadable(&error))),
        };
        let Parsed { person, parked, warnings, notes } = parsed;
        Row { number, line, raw: cells, parsed: person, parked, warnings, notes }
    }

    fn parse(&self, record: &Record) -> Parsed {
        if let Some(problem) = self.unusable(record) {
            return Parsed::refused(problem);
        }
        let mut parsed = row::read(self, &record.cells);
        self.add_oddities(record, &mut parsed.warnings);
        parsed
    }

    /// Why the cells of a record cannot be trusted to stand below their headers.
    fn unusable(&self, record: &Record) -> Option<Problem> {
        let (count, expected) = (record.count, self.headers.len());
        let (problem, fix) = match record.flaw {
            Some(Flaw::UnclosedQuote) => (
                format!("a quote opened on line {} is never closed", record.line),
                "Add the closing quote, or take the opening one away.",
            ),
            Some(Flaw::TooLong) => ("longer than 1 MiB".to_owned(), "Shorten its cells."),
            Some(Flaw::StrayQuote) if count != expected => (
                format!("its quotes do not match: it has {count} cells, the header has {expected}"),
                "Write every quote inside a quoted cell twice.",
            ),
            Some(Flaw::StrayQuote) | None if count > expected => (
                format!("has {count} cells, the header has {expected}"),
                "Put quotes around cells that contain the delimiter.",
            ),
            Some(Flaw::StrayQuote) | None => return None,
        };
        let value = record.cells.get(0).map(excerpt).unwrap_or_default();
        Some(Problem { value, ..of_row(problem, fix) })
    }

    /// What is odd about a usable record.
    fn add_oddities(&self, record: &Record, odd: &mut Vec<Problem>) {
        let (count, expected) = (record.count, self.headers.len());
        if count < expected {
            let problem = format!("has {count} cells, the header has {expected}");
            odd.push(of_row(
                problem,
                "The missing ones were taken as empty; check that none is shifted.",
            ));
        }
        if record.recoded {
            let fix = "It was read as Windows-1252; check its accents, and save the file as UTF-8.";
            odd.push(of_row("is not written in the encoding of the file", fix));
        }
        if record.shortened {
            odd.push(of_row(
                "a cell is longer than 10,000 characters",
                "The rest of it was left out.",
            ));
        }
    }
}

fn unreadable(error: &str) -> Problem {
    let fix = "Import the file again; rows that are already there are not doubled.";
    of_row(format!("the file could not be read any further: {error}"), fix)
}

fn of_row(problem: impl Into<String>, fix: &str) -> Problem {
    Problem { column: None, value: String::new(), problem: problem.into(), fix: fix.to_owned() }
}
