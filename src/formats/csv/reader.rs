//! Opening a list and going through its rows.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use super::dialect::{self, SAMPLE, SAMPLE_RECORDS};
use super::field::Target;
use super::header::{self, Header};
use super::lines::Lines;
use super::records::{Flaw, MAX_COLUMNS, Record, Records};
use super::row;
use super::synonyms::{Synonyms, synonyms};
use super::table::{RawRow, Table};
use super::values::place;
use super::{Layout, Options, ReadError, Row, excerpt};
use super::{inspect, key};

/// How many lines below the table are held back until it is known that nothing follows.
const MAX_FOOTERS: usize = 20;
/// How many rows [`Reader::inspect`] looks at, and at how many bytes of them.
const INSPECTED_ROWS: usize = 200;
const INSPECTED_BYTES: usize = 4 * 1024 * 1024;

/// An opened list: dialect and header are understood, the rows are to come. Memory stays constant.
pub struct Reader<R> {
    records: Records<R>,
    layout: Layout,
    table: Arc<Table>,
    synonyms: Cow<'static, Synonyms>,
    /// Read while the header was searched.
    unread: VecDeque<Record>,
    /// Rows that were looked at, and lines that looked like footers until a row followed.
    ready: VecDeque<Record>,
    rows: u64,
    footers: u64,
    line: u64,
    state: State,
}

/// Whether there is more to be had from the source.
enum State {
    Reading,
    /// It failed; the row that says so is still to come.
    Failed(io::Error),
    Over,
}

impl<R: Read> Reader<R> {
    /// Understands the beginning of a list.
    ///
    /// # Errors
    /// The source fails, is no CSV text, has no header that leads to a person, or the options name
    /// what is not there.
    pub fn open(mut source: R, options: &Options) -> Result<Self, ReadError> {
        let default_country = default_country(options)?;
        let synonyms = synonyms(options.synonyms.as_deref())?;
        let mut sample = Vec::with_capacity(SAMPLE);
        source.by_ref().take(SAMPLE as u64).read_to_end(&mut sample)?;
        let mapped: Vec<String> = options.map.iter().map(|(column, _)| key::key(column)).collect();
        let is_known = |key: &str| is_known(&synonyms, key, &mapped);
        let dialect = dialect::sniff(&sample, is_known)?;
        sample.drain(..dialect.bom);
        let lines = Lines::new(sample, source, dialect.encoding);
        let mut records = Records::new(lines, dialect.delimiter);
        if dialect.has_sep_line {
            records.skip_line()?;
        }
        let (found, unread) = find_header(&mut records, &synonyms, is_known)?;
        let headers: Vec<String> = found.cells.iter().map(str::to_owned).collect();
        let Header { columns, source, fingerprint, plan } =
            header::read(&headers, options, &synonyms)?;
        if !plan.has_channel() {
            let headers = header::listed(&found.cells);
            return Err(ReadError::NoChannel { headers, product: source, fingerprint });
        }
        let headers = columns.iter().map(|column| column.header.clone()).collect();
        let layout = Layout {
            encoding: dialect.encoding.to_string(),
            encoding_guessed: dialect.guessed,
            delimiter: dialect.delimiter,
            source,
            fingerprint,
            is_empty: false,
            columns,
        };
        let mut reader = Self {
            records,
            layout,
            table: Arc::new(Table { plan, headers, dates: Vec::new(), default_country }),
            synonyms,
            unread,
            ready: VecDeque::new(),
            rows: 0,
            footers: 0,
            line: found.line,
            state: State::Reading,
        };
        let first = reader.take_record();
        reader.layout.is_empty = first.is_none() && !matches!(reader.state, State::Failed(_));
        if let Some(first) = first {
            reader.ready.push_front(first);
        }
        Ok(reader)
    }

    /// How the list is written and what its columns are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What all rows have in common: it turns records into rows, in any thread.
    pub fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table)
    }

    /// How many lines below the table were left out, such as Salesforce's "Copyright …"; to be asked
    /// after the last row.
    pub fn footers(&self) -> u64 {
        self.footers
    }

    /// Looks at the values of the first rows, at most 200: [`Layout::columns`] then has examples and
    /// doubts. The rows are still to come. To be called before the first row is taken.
    pub fn inspect(&mut self) -> &Layout {
        let mut seen = VecDeque::new();
        let mut bytes = 0;
        while seen.len() < INSPECTED_ROWS && bytes < INSPECTED_BYTES {
            let Some(record) = self.take_record() else { break };
            bytes += record.cells.bytes();
            seen.push_back(record);
        }
        let cells = || seen.iter().filter(|record| record.flaw.is_none()).map(|r| &r.cells);
        let mut dates = Vec::with_capacity(self.layout.columns.len());
        for (at, column) in self.layout.columns.iter_mut().enumerate() {
            let cells = cells().filter_map(|cells| cells.get(at));
            dates.push(inspect::inspect(column, cells));
        }
        // Nobody else has the table before the first row is taken.
        if let Some(table) = Arc::get_mut(&mut self.table) {
            table.dates = dates;
        }
        seen.append(&mut self.ready);
        self.ready = seen;
        &self.layout
    }

    /// The next row; `None` at the end of the file. A source that fails ends in one bad row.
    pub fn next_row(&mut self) -> Option<Row> {
        let raw = self.next_record()?;
        Some(self.table.row(raw))
    }

    /// The next row with its cells not understood yet, for [`Table::row`].
    pub fn next_record(&mut self) -> Option<RawRow> {
        let record = match self.take_record() {
            Some(record) => Ok(record),
            None => match std::mem::replace(&mut self.state, State::Over) {
                State::Failed(error) => Err(error.to_string()),
                State::Reading | State::Over => return None,
            },
        };
        self.rows += 1;
        self.line = record.as_ref().map_or(self.line + 1, |record| record.line);
        Some(RawRow { number: self.rows, line: self.line, record })
    }

    /// The next record that is a row; `None` at the end and when the source has failed.
    fn take_record(&mut self) -> Option<Record> {
        if let Some(record) = self.ready.pop_front() {
            return Some(record);
        }
        match self.state {
            State::Reading => {}
            State::Failed(_) | State::Over => return None,
        }
        match self.read_record() {
            Ok(Some(record)) => Some(record),
            Ok(None) => {
                self.state = State::Over;
                None
            }
            Err(error) => {
                self.state = State::Failed(error);
                None
            }
        }
    }

    /// Reads on to a record that is neither blank nor below the table.
    fn read_record(&mut self) -> io::Result<Option<Record>> {
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
            if !is_footer && held.is_empty() {
                return Ok(Some(record));
            }
            held.push_back(record);
            if !is_footer {
                self.ready = held;
                return Ok(self.ready.pop_front());
            }
        }
    }

    /// One lonely cell in a table of several columns, by which nobody can be reached.
    fn may_be_footer(&self, record: &Record) -> bool {
        if self.table.headers.len() < 2 || record.flaw.is_some() {
            return false;
        }
        let mut filled = record.cells.iter().filter(|cell| !cell.trim().is_empty());
        let first = filled.next();
        let is_lonely = filled.next().is_none();
        let looks_so =
            || record.count == 1 || first.is_some_and(|cell| self.synonyms.is_footer(cell));
        is_lonely && looks_so() && row::read(&self.table, &record.cells).person.is_err()
    }
}

fn default_country(options: &Options) -> Result<Option<&'static str>, ReadError> {
    let Some(name) = &options.default_country else { return Ok(None) };
    let unknown = || ReadError::UnknownCountry { country: excerpt(name) };
    place::country(name).map(Some).ok_or_else(unknown)
}

fn is_known(synonyms: &Synonyms, key: &str, mapped: &[String]) -> bool {
    let is_mapped = || !key.is_empty() && mapped.iter().any(|mapped| mapped == key);
    synonyms.meaning(key).is_some() || is_mapped()
}

/// The header and the records behind it that were read on the way.
fn find_header<R: Read>(
    records: &mut Records<R>,
    synonyms: &Synonyms,
    is_known: impl Fn(&str) -> bool,
) -> Result<(Record, VecDeque<Record>), ReadError> {
    let mut seen: VecDeque<Record> = VecDeque::new();
    let mut at = None;
    while at.is_none() && seen.len() < SAMPLE_RECORDS {
        let Some(record) = records.next()? else { break };
        let known = record.cells.iter().filter(|cell| is_known(&key::key(cell))).take(2).count();
        at = (known == 2).then_some(seen.len());
        let is_hopeless = record.flaw == Some(Flaw::TooLong);
        seen.push_back(record);
        if is_hopeless {
            // What follows is the rest of a line that may have no end.
            break;
        }
    }
    let narrow = |record| is_narrow_header(record, synonyms, &is_known);
    let at = at.or_else(|| seen.iter().position(narrow));
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
fn is_narrow_header(record: &Record, synonyms: &Synonyms, is_known: impl Fn(&str) -> bool) -> bool {
    let leads_to_people = |key: &str| match synonyms.meaning(key).map(|meaning| meaning.target) {
        Some(Target::Field(field)) => field.is_channel(),
        Some(Target::Extra(_) | Target::Ignored) => false,
        None => is_known(key),
    };
    let has_address = record.cells.iter().any(|cell| cell.contains('@'));
    !has_address && record.cells.iter().any(|cell| leads_to_people(&key::key(cell)))
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
