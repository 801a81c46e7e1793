//! A finding with the line that it is about, and a mark under what is meant.

use unicode_width::UnicodeWidthChar;

use super::one_line;
use crate::cli::output::colour_on;
use crate::engine::workspace::Files;
use crate::formats::diagnostic::{Diagnostic, Severity};

/// A tab is shown as so many blanks.
const TAB: usize = 4;
/// The beginning of a step further up than this is not looked for, in lines.
const FAR: usize = 60;

/// Shows findings beside the text of their files.
pub(super) struct Frames<'a> {
    files: &'a Files,
    /// Columns of the screen.
    width: usize,
    coloured: bool,
}

impl<'a> Frames<'a> {
    pub(super) fn new(files: &'a Files, width: usize) -> Self {
        Self { files, width, coloured: colour_on(&std::io::stdout()) }
    }

    /// The finding, its line with a mark, and what to do about it.
    pub(super) fn of(&self, finding: &Diagnostic) -> String {
        let mut text = self.headline(finding);
        if let Some(frame) = self.frame(finding) {
            text.push_str(&frame);
        }
        if let Some(hint) = &finding.hint {
            text.push_str(&format!("\n  {}", one_line(hint)));
        }
        text
    }

    fn headline(&self, finding: &Diagnostic) -> String {
        let mut place = one_line(&finding.path);
        for number in [finding.line, finding.column].iter().filter(|number| **number > 0) {
            place.push_str(&format!(":{number}"));
        }
        let word = format!("{}[{}]", finding.severity.as_str(), finding.code);
        let word = self.paint(&word, colour(finding.severity));
        format!("{}: {word}: {}", self.paint(&place, BOLD), one_line(&finding.message))
    }

    fn frame(&self, finding: &Diagnostic) -> Option<String> {
        let lines: Vec<&str> = self.files.texts.get(&finding.path)?.lines().collect();
        let index = finding.line.checked_sub(1)?;
        let line = lines.get(index)?;
        let digits = finding.line.to_string().len();
        let gutter = |number: Option<usize>| {
            let number = number.map_or_else(String::new, |number| number.to_string());
            self.paint(&format!("\n{number:>digits$} |"), DIM)
        };
        let room = self.width.saturating_sub(digits + 3).max(20);
        let mut text = gutter(None);
        // The step that the line belongs to says more than the lines just above.
        if let Some(head) = item_head(&lines, index) {
            let shown = Shown::new(lines.get(head)?, None, room);
            text.push_str(&format!("{} {}", gutter(Some(head + 1)), shown.text));
            if head + 1 < index {
                text.push_str(&self.paint(&format!("\n{:>digits$} |", "…"), DIM));
            }
        }
        let mark = finding.column.checked_sub(1).map(|at| marked(&finding.path, line, at));
        let shown = Shown::new(line, mark, room);
        text.push_str(&format!("{} {}", gutter(Some(finding.line)), shown.text));
        if let Some((before, under)) = shown.mark {
            let carets = self.paint(&"^".repeat(under), colour(finding.severity));
            text.push_str(&format!("{} {}{carets}", gutter(None), " ".repeat(before)));
        }
        Some(text)
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

const BOLD: &str = "1";
const DIM: &str = "2";

fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Note => "1;36",
    }
}

/// The line on which the list item begins that a line is in, if it is another one.
fn item_head(lines: &[&str], index: usize) -> Option<usize> {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut inside = indent(lines.get(index)?);
    for (at, line) in lines.iter().enumerate().take(index).rev().take(FAR) {
        if line.trim().is_empty() || indent(line) >= inside {
            continue;
        }
        if line.trim_start().starts_with("- ") {
            return Some(at);
        }
        inside = indent(line);
    }
    None
}

/// The characters that are meant: from a place on, to the end of the value or name that begins there.
fn marked(path: &str, line: &str, at: usize) -> std::ops::Range<usize> {
    let rest: Vec<char> = line.chars().skip(at).collect();
    let length = match rest.first() {
        Some(quote @ ('"' | '\'')) => {
            let closing = rest.iter().skip(1).position(|c| c == quote);
            closing.map_or(rest.len(), |closing| closing + 2)
        }
        Some('{') if path.ends_with(".hbs") => {
            let closing = rest.windows(2).position(|pair| matches!(pair, ['}', '}']));
            let single = rest.iter().position(|c| *c == '}');
            closing.map_or_else(|| single.map_or(1, |at| at + 1), |at| at + 2)
        }
        Some('{' | '[') | None => 1,
        Some(_) if path.ends_with(".yaml") => value_length(&rest),
        Some(_) => {
            let part = |c: &&char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@' | '/');
            rest.iter().take_while(part).count()
        }
    };
    at..at + length.max(1)
}

/// How long a plain YAML value or key is that begins here.
fn value_length(rest: &[char]) -> usize {
    let ends = |at: usize, c: char| {
        let next = rest.get(at + 1).copied().unwrap_or(' ');
        let before = at.checked_sub(1).and_then(|before| rest.get(before)).copied();
        matches!(c, ',' | '[' | ']' | '{' | '}')
            || (c == ':' && next == ' ')
            || (c == '#' && before == Some(' '))
    };
    let value: String =
        rest.iter().enumerate().take_while(|(at, c)| !ends(*at, **c)).map(|(_, c)| *c).collect();
    value.trim_end().chars().count()
}

/// A line as it fits on the screen, and where the mark stands: columns before it and under it.
struct Shown {
    text: String,
    mark: Option<(usize, usize)>,
}

impl Shown {
    /// Cut around the marked characters when the line is wider than there is room.
    fn new(line: &str, mark: Option<std::ops::Range<usize>>, room: usize) -> Self {
        let cells: Vec<(String, usize)> = line.chars().map(cell).collect();
        let width = |cells: &[(String, usize)]| cells.iter().map(|(_, width)| width).sum::<usize>();
        let part = |from: usize, to: usize| cells.get(from..to.min(cells.len())).unwrap_or(&[]);
        let from = mark.as_ref().map_or(0, |mark| mark.start.min(cells.len()));
        let all = width(&cells);
        let mut start = 0;
        if all > room {
            // A third of the room stays for what stands before the mark.
            while start < from
                && width(part(start, from)) > room / 3
                && width(part(start, cells.len())) > room - 1
            {
                start += 1;
            }
        }
        let mut end = start;
        let cut_before = start > 0;
        let left = room - usize::from(cut_before) - usize::from(all > room);
        while end < cells.len() && width(part(start, end + 1)) <= left {
            end += 1;
        }
        let mut text: String = if cut_before { "…".to_owned() } else { String::new() };
        text.extend(part(start, end).iter().map(|(shown, _)| shown.as_str()));
        if end < cells.len() {
            text.push('…');
        }
        let mark = mark.map(|mark| {
            let before = usize::from(cut_before) + width(part(start, from));
            let under = width(part(from, mark.end.min(end))).max(1);
            (before, under)
        });
        Self { text: text.trim_end().to_owned(), mark }
    }
}

/// A character as it is shown, and its columns: tabs as blanks, nothing that a terminal obeys.
fn cell(c: char) -> (String, usize) {
    match c {
        '\t' => (" ".repeat(TAB), TAB),
        c if c.is_control() => ("·".to_owned(), 1),
        c => (c.to_string(), c.width().unwrap_or(0)),
    }
}
