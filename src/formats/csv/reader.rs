//! Opening a list and going through its rows.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::dialect::{self, SAMPLE, SAMPLE_RECORDS};
use super::field::Target;
use super::header::{self, Header, Plan};
use super::lines::Lines;
use super::records::{Flaw, MAX_COLUMNS, Record, Records};
use super::row::{self, Table};
use super::synonyms::synonyms;
use super::values::place;
use super::{Layout, Options, Problem, ReadError, Row, excerpt};

/// How many lines below the table are held back until it is known that nothing follows.
const MAX_FOOTERS: usize = 20;

/// An opened list: dialect and header are understood, the rows are to come. Memory stays constant.
pub struct Reader<R> {
    records: Records<R>,
    layout: Layout,
    plan: Plan,
    default_country: Option<&'static str>,
    /// Read while the header was searched.
    unread: VecDeque<Record>,
    /// Looked like footers until a row followed.
    ready: VecDeque<Record>,
    rows: u64,
    footers: u64,
    line: u64,
    failed: bool,
}

impl<R: Read> Reader<R> {
    /// Understands the beginning of a list.
    ///
    /// # Errors
    /// The source fails, is no CSV text, has no header that leads to a person, or the options name
    /// what is not there.
    pub fn open(mut source: R, options: &Options) -> Result<Self, ReadError> {
        let default_country = default_country(options)?;
        let mut sample = Vec::with_capacity(SAMPLE);
        source.by_ref().take(SAMPLE as u64).read_to_end(&mut sample)?;
        let mapped: Vec<String> =
            options.map.iter().map(|(column, _)| header::key(column)).collect();
        let is_known = |key: &str| is_known(key, &mapped);
        let dialect = dialect::sniff(&sample, is_known)?;
        sample.drain(..dialect.bom);
        let lines = Lines::new(sample, source, dialect.encoding);
        let mut records = Records::new(lines, dialect.delimiter);
        if dialect.has_sep_line {
            records.skip_line()?;
        }
        let (header, unread) = find_header(&mut records, is_known)?;
        let Header { columns, source, plan } = header::read(&header.cells, options)?;
        let layout = Layout {
            encoding: dialect.encoding.to_string(),
            encoding_guessed: dialect.guessed,
            delimiter: dialect.delimiter,
            source,
            columns,
        };
        let ready = VecDeque::new();
        let line = header.line;
        Ok(Self {
            records,
            layout,
            plan,
            default_country,
            unread,
            ready,
            rows: 0,
            footers: 0,
            line,
            failed: false,
        })
    }

    /// How the list is written and what its columns are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How many lines below the table were left out, such as Salesforce's "Copyright …"; to be asked
    /// after the last row.
    pub fn footers(&self) -> u64 {
        self.footers
    }

    /// The next row; `None` at the end of the file. A source that fails ends in one bad row.
    pub fn next_row(&mut self) -> Option<Row> {
        if self.failed {
            return None;
        }
        let record = match self.next_record() {
            Ok(record) => record?,
            Err(error) => {
                self.failed = true;
                return Some(self.unreadable(&error));
            }
        };
        self.rows += 1;
        self.line = record.line;
        let (parsed, warnings) = self.parse(&record);
        Some(Row { number: self.rows, line: record.line, raw: record.cells, parsed, warnings })
    }

    fn unreadable(&mut self, error: &io::Error) -> Row {
        self.rows += 1;
        let fix = "Import the file again; rows that are already there are not doubled.";
        let parsed = Err(of_row(format!("the file could not be read any further: {error}"), fix));
        Row {
            number: self.rows,
            line: self.line + 1,
            raw: Vec::new(),
            parsed,
            warnings: Vec::new(),
        }
    }

    /// The next record that is a row: neither blank nor below the table.
    fn next_record(&mut self) -> io::Result<Option<Record>> {
        if let Some(record) = self.ready.pop_front() {
            return Ok(Some(record));
        }
        let mut held = VecDeque::new();
        loop {
            let record = match self.unread.pop_front() {
                Some(record) => record,
                None => match self.records.next()? {
                    Some(record) => record,
                    None => {
                        self.footers += held.len() as u64;
                        return Ok(None);
                    }
                },
            };
            if record.is_blank() {
                continue;
            }
            let is_footer = held.len() < MAX_FOOTERS && self.may_be_footer(&record);
            held.push_back(record);
            if !is_footer {
                self.ready = held;
                return Ok(self.ready.pop_front());
            }
        }
    }

    /// One lonely cell in a table of several columns, by which nobody can be reached.
    fn may_be_footer(&self, record: &Record) -> bool {
        if self.layout.columns.len() < 2 || record.flaw.is_some() {
            return false;
        }
        let mut filled = record.cells.iter().filter(|cell| !cell.trim().is_empty());
        let first = filled.next();
        let is_lonely = filled.next().is_none();
        let looks_so = record.count == 1 || first.is_some_and(|cell| synonyms().is_footer(cell));
        is_lonely && looks_so && row::read(&self.table(), &record.cells).0.is_err()
    }

    fn table(&self) -> Table<'_> {
        let columns = &self.layout.columns;
        Table { plan: &self.plan, columns, default_country: self.default_country }
    }

    fn parse(
        &self,
        record: &Record,
    ) -> (Result<crate::domain::prospect::ProspectDraft, Problem>, Vec<Problem>) {
        if let Some(problem) = self.unusable(record) {
            return (Err(problem), Vec::new());
        }
        let (parsed, mut warnings) = row::read(&self.table(), &record.cells);
        warnings.extend(self.oddities(record));
        (parsed, warnings)
    }

    /// Why the cells of a record cannot be trusted to stand below their headers.
    fn unusable(&self, record: &Record) -> Option<Problem> {
        let (count, expected) = (record.count, self.layout.columns.len());
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
        let value = record.cells.first().map(|cell| excerpt(cell)).unwrap_or_default();
        Some(Problem { value, ..of_row(problem, fix) })
    }

    /// What is odd about a usable record.
    fn oddities(&self, record: &Record) -> Vec<Problem> {
        let (count, expected) = (record.count, self.layout.columns.len());
        let mut odd = Vec::new();
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
        odd
    }
}

fn of_row(problem: impl Into<String>, fix: &str) -> Problem {
    Problem { column: None, value: String::new(), problem: problem.into(), fix: fix.to_owned() }
}

fn default_country(options: &Options) -> Result<Option<&'static str>, ReadError> {
    let Some(name) = &options.default_country else { return Ok(None) };
    let unknown = || ReadError::UnknownCountry { country: excerpt(name) };
    place::country(name).map(Some).ok_or_else(unknown)
}

fn is_known(key: &str, mapped: &[String]) -> bool {
    let is_mapped = || !key.is_empty() && mapped.iter().any(|mapped| mapped == key);
    synonyms().meaning(key).is_some() || is_mapped()
}

/// The header and the records behind it that were read on the way.
fn find_header<R: Read>(
    records: &mut Records<R>,
    is_known: impl Fn(&str) -> bool,
) -> Result<(Record, VecDeque<Record>), ReadError> {
    let mut seen: VecDeque<Record> = VecDeque::new();
    let mut at = None;
    while at.is_none() && seen.len() < SAMPLE_RECORDS {
        let Some(record) = records.next()? else { break };
        let known = record.cells.iter().filter(|cell| is_known(&header::key(cell))).take(2).count();
        at = (known == 2).then_some(seen.len());
        seen.push_back(record);
    }
    let at = at.or_else(|| seen.iter().position(|record| is_narrow_header(record, &is_known)));
    let Some(at) = at else { return Err(no_header(&seen)) };
    let rest = seen.split_off(at + 1);
    let header = seen.pop_back().unwrap_or_default();
    match header.count {
        count if count > MAX_COLUMNS => Err(ReadError::TooManyColumns { count }),
        _ => Ok((header, rest)),
    }
}

/// A header with one column that we know: it must be one by which people are reached, or one that
/// `--map` names.
fn is_narrow_header(record: &Record, is_known: impl Fn(&str) -> bool) -> bool {
    let leads_to_people = |key: &str| match synonyms().meaning(key) {
        Some((Target::Field(field), _)) => field.is_channel(),
        Some(_) => false,
        None => is_known(key),
    };
    let has_address = record.cells.iter().any(|cell| cell.contains('@'));
    !has_address && record.cells.iter().any(|cell| leads_to_people(&header::key(cell)))
}

fn no_header(seen: &VecDeque<Record>) -> ReadError {
    let first = seen.iter().find(|record| !record.is_blank());
    match first {
        Some(record) if record.flaw == Some(Flaw::TooLong) => {
            ReadError::TooLong { line: record.line }
        }
        Some(record) => ReadError::NoKnownColumn { headers: header::listed(&record.cells) },
        None => ReadError::Empty,
    }
}
