//! Bytes to numbered lines of text, in constant memory.

use std::io::{self, Cursor, Read};

use super::dialect::Encoding;

/// The longest line and the longest record that is read, in bytes.
pub(super) const MAX_LINE: usize = 1024 * 1024;
const CHUNK: usize = 64 * 1024;
/// How much of a line is skipped at most, in bytes: a source without end must end somewhere.
const MAX_SKIPPED: u64 = 4 * 1024 * 1024 * 1024;

/// One physical line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// 1 = the first line of the file.
    pub number: u64,
    pub text: String,
    pub oddity: Option<Oddity>,
}

/// What was not as it should be about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oddity {
    /// Not valid in the encoding of the file; read as Windows-1252 instead.
    Recoded,
    /// Longer than [`MAX_LINE`]; only its beginning was kept.
    TooLong,
}

/// The lines of a file, whichever of LF, CR LF and CR ends them.
pub(super) struct Lines<R> {
    source: io::Chain<Cursor<Vec<u8>>, R>,
    encoding: Encoding,
    utf16: Option<encoding_rs::Decoder>,
    /// Read but not yet given out, from `at` on; already UTF-8 when the file is UTF-16.
    buffer: Vec<u8>,
    at: usize,
    ended: bool,
    number: u64,
    /// The rest of a line that is too long is still to be skipped.
    is_inside_long_line: bool,
    most_skipped: u64,
}

impl<R: Read> Lines<R> {
    /// The lines of `sample` (without its byte order mark) followed by `source`.
    pub fn new(sample: Vec<u8>, source: R, encoding: Encoding) -> Self {
        let utf16 = match encoding {
            Encoding::Utf8 | Encoding::Windows1252 => None,
            Encoding::Utf16Le => Some(encoding_rs::UTF_16LE),
            Encoding::Utf16Be => Some(encoding_rs::UTF_16BE),
        };
        Self {
            source: Cursor::new(sample).chain(source),
            encoding,
            utf16: utf16.map(|utf16| utf16.new_decoder_without_bom_handling()),
            buffer: Vec::new(),
            at: 0,
            ended: false,
            number: 0,
            is_inside_long_line: false,
            most_skipped: MAX_SKIPPED,
        }
    }

    /// The next line; `None` at the end of the file.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        if self.is_inside_long_line {
            self.skip_line()?;
        }
        let mut searched = 0;
        loop {
            if let Some((end, next)) = self.line_end(searched) {
                return Ok(Some(self.take(end, next)));
            }
            let waiting = self.buffer.len() - self.at;
            if self.ended {
                return Ok((waiting > 0).then(|| self.take(waiting, waiting)));
            }
            if waiting > MAX_LINE {
                return Ok(Some(self.take_long_line()));
            }
            // A CR at the very end may be the first half of CR LF: look at it again.
            searched = waiting.saturating_sub(1);
            self.fill()?;
        }
    }

    /// Where the line ends and where the next begins, both counted from `at`.
    fn line_end(&self, searched: usize) -> Option<(usize, usize)> {
        let waiting = self.buffer.get(self.at..)?;
        let tail = waiting.get(searched..)?;
        let end = searched + tail.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
        match (waiting.get(end), waiting.get(end + 1)) {
            (Some(b'\n'), _) => Some((end, end + 1)),
            (_, Some(b'\n')) => Some((end, end + 2)),
            (_, None) if !self.ended => None,
            _ => Some((end, end + 1)),
        }
    }

    /// Gives out the bytes up to `end` and goes on at `next`, both counted from `at`.
    fn take(&mut self, end: usize, next: usize) -> Line {
        let bytes = self.buffer.get(self.at..self.at + end).unwrap_or_default();
        let (text, oddity) = decode(bytes, self.encoding);
        self.at += next;
        self.number += 1;
        Line { number: self.number, text, oddity }
    }

    /// Gives out the beginning of a line that is too long. The rest is only skipped when the next
    /// line is asked for: nobody who stops here has to read it.
    fn take_long_line(&mut self) -> Line {
        let mut line = self.take(1024, 1024);
        line.oddity = Some(Oddity::TooLong);
        self.is_inside_long_line = true;
        line
    }

    fn skip_line(&mut self) -> io::Result<()> {
        self.is_inside_long_line = false;
        let mut skipped = 0;
        loop {
            if let Some((_, next)) = self.line_end(0) {
                self.at += next;
                return Ok(());
            }
            if self.ended {
                self.at = self.buffer.len();
                return Ok(());
            }
            if skipped > self.most_skipped {
                return Err(io::Error::other("a line without end"));
            }
            let ends_in_cr = self.buffer.last() == Some(&b'\r');
            let rest = self.buffer.len() - usize::from(ends_in_cr);
            skipped += rest.saturating_sub(self.at) as u64;
            self.at = rest;
            self.fill()?;
        }
    }

    /// Reads one more chunk behind what waits.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let mut chunk = Vec::with_capacity(CHUNK);
        self.source.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
        self.ended = chunk.is_empty();
        match &mut self.utf16 {
            None => self.buffer.append(&mut chunk),
            Some(decoder) => decode_utf16(decoder, &chunk, self.ended, &mut self.buffer),
        }
        Ok(())
    }
}

/// Appends a chunk of UTF-16 as UTF-8.
fn decode_utf16(decoder: &mut encoding_rs::Decoder, chunk: &[u8], last: bool, to: &mut Vec<u8>) {
    let room = decoder.max_utf8_buffer_length(chunk.len()).unwrap_or(chunk.len() * 3 + 8);
    let mut text = String::with_capacity(room);
    let _ = decoder.decode_to_string(chunk, &mut text, last);
    to.extend_from_slice(text.as_bytes());
}

/// The text of one line. A broken UTF-8 line costs no more than itself.
fn decode(bytes: &[u8], encoding: Encoding) -> (String, Option<Oddity>) {
    if encoding != Encoding::Windows1252 {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return (text.to_owned(), None);
        }
        return (
            encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into(),
            Some(Oddity::Recoded),
        );
    }
    (encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8], encoding: Encoding) -> Vec<(u64, String)> {
        let mut lines = Lines::new(Vec::new(), bytes, encoding);
        std::iter::from_fn(|| lines.next().expect("memory can be read"))
            .map(|line| (line.number, line.text))
            .collect()
    }

    #[test]
    fn every_kind_of_line_end_ends_a_line() {
        let expected =
            [(1, "a"), (2, "b"), (3, ""), (4, "c")].map(|(n, text)| (n, text.to_owned()));
        for text in ["a\nb\n\nc", "a\r\nb\r\n\r\nc\r\n", "a\rb\r\rc\r", "a\r\nb\n\nc\n"] {
            assert_eq!(lines(text.as_bytes(), Encoding::Utf8), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_end_that_falls_between_two_chunks_is_one_line_end() {
        let text = format!("{}\r\nb", "x".repeat(CHUNK - 1));
        let found = lines(text.as_bytes(), Encoding::Utf8);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], (2, "b".to_owned()));
    }

    #[test]
    fn utf_16_is_read_in_both_byte_orders() {
        let text = "Zoë;1\r\nJürgen;2\n";
        let expected = [(1, "Zoë;1".to_owned()), (2, "Jürgen;2".to_owned())];
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(lines(&le, Encoding::Utf16Le), expected);
        assert_eq!(lines(&be, Encoding::Utf16Be), expected);
    }

    #[test]
    fn one_line_in_another_encoding_is_recoded_and_marked() {
        let mut lines = Lines::new(b"Zo\xc3\xab\nZo\xeb\n".to_vec(), &b""[..], Encoding::Utf8);
        for oddity in [None, Some(Oddity::Recoded)] {
            let line = lines.next().expect("memory can be read").expect("a line");
            assert_eq!((line.text.as_str(), line.oddity), ("Zoë", oddity));
        }
    }

    #[test]
    fn a_line_that_really_has_no_end_is_given_up() {
        let endless = std::io::repeat(b'x');
        let mut lines = Lines::new(Vec::new(), endless, Encoding::Utf8);
        lines.most_skipped = 10 * MAX_LINE as u64;
        let line = lines.next().expect("its beginning").expect("a line");
        assert_eq!(line.oddity, Some(Oddity::TooLong));
        assert!(lines.next().is_err_and(|error| error.to_string() == "a line without end"));
        assert!(lines.buffer.len() < 2 * MAX_LINE);
    }

    #[test]
    fn a_line_without_end_is_cut_and_the_next_one_is_read() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("a{end}{}{end}b", "x".repeat(MAX_LINE + 3 * CHUNK + 5));
            let mut lines = Lines::new(Vec::new(), text.as_bytes(), Encoding::Utf8);
            let mut next = || lines.next().expect("memory can be read");
            assert_eq!(next().map(|line| line.text), Some("a".to_owned()));
            assert_eq!(next().and_then(|line| line.oddity), Some(Oddity::TooLong));
            assert_eq!(next().map(|line| (line.number, line.text)), Some((3, "b".to_owned())));
            assert_eq!(next(), None);
        }
    }
}
