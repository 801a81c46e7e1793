//! Lines to records: the quoting of RFC 4180, read leniently and never losing more than one row.
//!
//! A quote that is never closed would make the rest of the file one cell. So the lines behind an open
//! quote are only looked at; when it turns out to have no end, the line that opened it is given out
//! as one flawed record and reading goes on at the next line.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::cells::Cells;
use super::lines::{Line, Lines, MAX_LINE, Oddity};

/// How many cells of one record are kept.
pub(super) const MAX_COLUMNS: usize = 2_000;
/// How many characters of one cell are kept.
pub(super) const MAX_CELL: usize = 10_000;
/// How many lines one record may span.
const MAX_LINES: usize = 1_000;

/// One record of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The line on which it starts.
    pub line: u64,
    pub cells: Cells,
    /// How many cells there were, also of those that were not kept.
    pub count: usize,
    pub flaw: Option<Flaw>,
    /// Some line was not valid in the encoding of the file.
    pub recoded: bool,
    /// Some cell was longer than [`MAX_CELL`].
    pub shortened: bool,
}

/// What may make a record unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A quote was opened and never closed.
    UnclosedQuote,
    /// A quote stands inside a quoted cell without being doubled; the cells may be the wrong ones.
    StrayQuote,
    /// Longer than a line may be.
    TooLong,
}

impl Record {
    /// Whether there is nothing in any cell.
    pub fn is_blank(&self) -> bool {
        self.flaw.is_none() && self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// The records of a file.
pub(super) struct Records<R> {
    lines: Lines<R>,
    delimiter: char,
    ahead: VecDeque<Line>,
    max_lines: usize,
    /// How many cells and bytes the last record had: most likely the next one has as many.
    last: (usize, usize),
}

impl<R: Read> Records<R> {
    /// The records in `lines`, their cells parted by `delimiter`.
    pub fn new(lines: Lines<R>, delimiter: char) -> Self {
        Self { lines, delimiter, ahead: VecDeque::new(), max_lines: MAX_LINES, last: (0, 0) }
    }

    /// Leaves out one line.
    pub fn skip_line(&mut self) -> io::Result<()> {
        self.peek(0)?;
        self.ahead.pop_front();
        Ok(())
    }

    /// The next record, blank ones included; `None` at the end of the file.
    pub fn next(&mut self) -> io::Result<Option<Record>> {
        let mut splitter = Splitter::new(self.delimiter, self.last);
        let mut bytes = 0;
        for ahead in 0..self.max_lines {
            let Some(line) = self.peek(ahead)? else { break };
            bytes += line.text.len();
            if line.oddity == Some(Oddity::TooLong) || bytes > MAX_LINE {
                break;
            }
            match splitter.feed(line) {
                Fed::Complete => {
                    self.ahead.drain(..=ahead);
                    let cells = &splitter.record.cells;
                    self.last = (cells.len(), cells.bytes());
                    return Ok(Some(splitter.record));
                }
                Fed::Open => {}
                Fed::Hopeless => return Ok(self.give_up()),
            }
        }
        if self.ahead.len() > 1 {
            // A file full of such quotes must not be read a thousand times.
            self.max_lines = (self.max_lines / 2).max(16);
        }
        Ok(self.give_up())
    }

    /// The first line that waits as a record of its own, quotes not understood.
    fn give_up(&mut self) -> Option<Record> {
        let line = self.ahead.pop_front()?;
        let cells = line.text.split(self.delimiter);
        let is_too_long = line.oddity == Some(Oddity::TooLong) || line.text.len() > MAX_LINE;
        let flaw = if is_too_long { Flaw::TooLong } else { Flaw::UnclosedQuote };
        let mut record = Record { line: line.number, flaw: Some(flaw), ..Record::default() };
        cells.for_each(|cell| record.push(cell));
        Some(record)
    }

    /// The line so many lines ahead, if the file has it.
    fn peek(&mut self, ahead: usize) -> io::Result<Option<&Line>> {
        while self.ahead.len() <= ahead {
            match self.lines.next()? {
                Some(line) => self.ahead.push_back(line),
                None => return Ok(None),
            }
        }
        Ok(self.ahead.get(ahead))
    }
}

impl Record {
    fn push(&mut self, cell: &str) {
        self.cells.write(cell);
        self.end_cell();
    }

    /// Ends the cell that is being written.
    fn end_cell(&mut self) {
        self.count += 1;
        let cell = self.cells.written();
        if cell.len() > MAX_CELL
            && let Some((end, _)) = cell.char_indices().nth(MAX_CELL)
        {
            self.cells.cut(end);
            self.shortened = true;
        }
        match self.cells.len() < MAX_COLUMNS {
            true => self.cells.end(),
            false => self.cells.cut(0),
        }
    }
}

/// What a line did to a record.
enum Fed {
    Complete,
    /// A quote is open: the next line belongs to it.
    Open,
    /// A quote from an earlier line ends where no cell can end: it was not meant to be open.
    Hopeless,
}

/// Cuts the lines of one record into cells.
struct Splitter {
    delimiter: char,
    record: Record,
    /// The line that opened the quote of the cell that is being written.
    open: Option<u64>,
}

impl Splitter {
    fn new(delimiter: char, (cells, bytes): (usize, usize)) -> Self {
        let cells = Cells::with_capacity(cells, bytes + bytes / 4);
        let record = Record { cells, ..Record::default() };
        Self { delimiter, record, open: None }
    }

    fn feed(&mut self, line: &Line) -> Fed {
        match self.open {
            Some(_) => self.record.cells.write("\n"),
            None => self.record.line = line.number,
        }
        self.record.recoded |= line.oddity == Some(Oddity::Recoded);
        let mut rest = line.text.as_str();
        loop {
            let step = match self.open.take() {
                Some(since) => self.quoted(rest, since, line.number),
                None => self.cell(rest, line.number),
            };
            match step {
                Step::On(tail) => rest = tail,
                Step::Done(fed) => return fed,
            }
        }
    }

    /// Reads a cell from its beginning: plain, or up to its opening quote.
    fn cell<'a>(&mut self, rest: &'a str, line: u64) -> Step<'a> {
        if let Some(quoted) = rest.trim_start_matches(' ').strip_prefix('"') {
            self.open = Some(line);
            return Step::On(quoted);
        }
        // Cells are short and delimiters are ASCII: looking at byte by byte is the fastest.
        let end = rest.bytes().position(|byte| char::from(byte) == self.delimiter);
        let cut = end.and_then(|end| Some((rest.get(..end)?, rest.get(end + 1..)?)));
        match cut {
            Some((cell, tail)) => {
                self.record.push(cell);
                Step::On(tail)
            }
            None => {
                self.record.push(rest);
                Step::Done(Fed::Complete)
            }
        }
    }

    /// Reads on inside a quoted cell up to its next quote.
    fn quoted<'a>(&mut self, rest: &'a str, since: u64, line: u64) -> Step<'a> {
        let cells = &mut self.record.cells;
        let Some((head, tail)) = rest.split_once('"') else {
            cells.write(rest);
            self.open = Some(since);
            return Step::Done(Fed::Open);
        };
        cells.write(head);
        if let Some(tail) = tail.strip_prefix('"') {
            cells.write("\"");
            self.open = Some(since);
            return Step::On(tail);
        }
        let behind = tail.trim_start_matches(' ');
        if behind.is_empty() {
            self.record.end_cell();
            return Step::Done(Fed::Complete);
        }
        if let Some(next) = behind.strip_prefix(self.delimiter) {
            self.record.end_cell();
            return Step::On(next);
        }
        if since < line {
            return Step::Done(Fed::Hopeless);
        }
        self.record.flaw = Some(Flaw::StrayQuote);
        cells.write("\"");
        self.open = Some(since);
        Step::On(tail)
    }
}

enum Step<'a> {
    /// Goes on with this rest of the line.
    On(&'a str),
    Done(Fed),
}

#[cfg(test)]
mod tests {
    use super::super::dialect::Encoding;
    use super::*;

    fn records(text: &str) -> Vec<Record> {
        let lines = Lines::new(Vec::new(), text.as_bytes(), Encoding::Utf8);
        let mut records = Records::new(lines, ',');
        std::iter::from_fn(|| records.next().expect("memory can be read")).collect()
    }

    #[test]
    fn cells_are_cut_as_spreadsheets_write_them() {
        let cases: &[(&str, &[&str])] = &[
            ("a,b,c", &["a", "b", "c"]),
            ("a,,", &["a", "", ""]),
            ("\"a,b\",c", &["a,b", "c"]),
            ("\"say \"\"hi\"\"\",c", &["say \"hi\"", "c"]),
            ("\"\",\"\"", &["", ""]),
            ("a, \"b, c\" ,d", &["a", "b, c", "d"]),
            ("5\" pipe,b", &["5\" pipe", "b"]),
            ("\"two\nlines\",b", &["two\nlines", "b"]),
            ("\"two\r\nlines\",b", &["two\nlines", "b"]),
        ];
        for (text, cells) in cases {
            let found = records(text);
            assert_eq!(found.len(), 1, "{text:?}");
            assert_eq!(
                (&found[0].cells, found[0].flaw),
                (&cells.iter().collect(), None),
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_unclosed_quote_costs_one_row() {
        for text in [
            "a,b\n\"x,1\nc,d\ne,f\n",
            "a,b\n\"x,1\n\"c\",\"d\"\ne,f\n",
            "a,b\nx,\"1\nc,\"d\"\ne,f\n",
        ] {
            let found = records(text);
            let flaws: Vec<_> = found.iter().map(|record| (record.line, record.flaw)).collect();
            let expected = [(1, None), (2, Some(Flaw::UnclosedQuote)), (3, None), (4, None)];
            assert_eq!(flaws, expected, "{text:?}");
        }
    }

    #[test]
    fn a_stray_quote_keeps_its_row_and_is_marked() {
        let found = records("\"Acme \"The Best\" Inc\",b\nc,d\n");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].cells, ["Acme \"The Best\" Inc", "b"].iter().collect());
        assert_eq!(found[0].flaw, Some(Flaw::StrayQuote));
    }

    #[test]
    fn a_file_full_of_unclosed_quotes_is_read_in_good_time() {
        let text = "\"\"\"\"a\n".repeat(50_000);
        assert_eq!(records(&text).len(), 50_000);
    }

    #[test]
    fn a_long_cell_is_cut_between_two_characters() {
        let found = records(&format!("{},b", "é".repeat(MAX_CELL + 1)));
        let cell = found[0].cells.get(0).expect("a cell");
        assert_eq!(cell.chars().count(), MAX_CELL);
        assert!(found[0].shortened);
    }
}
