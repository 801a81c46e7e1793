//! A finding with the line that it is about, and a mark under what is meant.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::one_line;
use crate::cli::output::colour_on;
use crate::engine::workspace::Files;
use crate::formats::diagnostic::{Diagnostic, Severity};

/// A tab is shown as so many blanks.
const TAB: usize = 4;
/// The beginning of a step further up than this is not looked for, in lines.
const FAR: usize = 60;

/// No mark is longer, in characters.
const LONGEST_MARK: usize = 300;

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
fn marked(path: &str, line: &str, at: usize) -> Range<usize> {
    let rest: Vec<char> = line.chars().skip(at).take(LONGEST_MARK).collect();
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
    fn new(line: &str, mark: Option<Range<usize>>, room: usize) -> Self {
        let from = mark.as_ref().map_or(0, |mark| mark.start);
        // What is further away than the room is wide cannot be seen, and is not measured.
        let first = from.saturating_sub(room);
        let near: Vec<Cell> = line.chars().skip(first).take(3 * room).map(Cell::of).collect();
        let fits = first == 0 && near.len() < 3 * room && columns(&near) <= room;
        let at = (from - first).min(near.len());
        let (before, behind) = near.split_at(at);
        let before = if fits { before } else { last_within(before, room / 3) };
        let cut_before = first > 0 || before.len() < at;
        // One column for each sign of a cut.
        let left = room - columns(before) - usize::from(cut_before) - usize::from(!fits);
        let behind_shown = if fits { behind } else { first_within(behind, left) };
        let cut_behind = behind_shown.len() < behind.len() || near.len() == 3 * room;
        let shown = before.iter().chain(behind_shown).map(|cell| cell.shown.as_str());
        let text = std::iter::once(if cut_before { "…" } else { "" })
            .chain(shown)
            .chain(std::iter::once(if cut_behind { "…" } else { "" }))
            .collect::<String>();
        let mark = mark.map(|mark| {
            let marked = behind_shown.get(..mark.len()).unwrap_or(behind_shown);
            (usize::from(cut_before) + columns(before), columns(marked).max(1))
        });
        Self { text: text.trim_end().to_owned(), mark }
    }
}

/// A character as it is shown, and its columns.
struct Cell {
    shown: String,
    columns: usize,
}

impl Cell {
    /// Tabs as blanks, and nothing that a terminal obeys.
    fn of(c: char) -> Self {
        match c {
            '\t' => Self { shown: " ".repeat(TAB), columns: TAB },
            c if c.is_control() => Self { shown: "·".to_owned(), columns: 1 },
            c => Self { shown: c.to_string(), columns: c.width().unwrap_or(0) },
        }
    }
}

fn columns(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| cell.columns).sum()
}

/// As many of the first cells as there is room for.
fn first_within(cells: &[Cell], room: usize) -> &[Cell] {
    let mut used = 0;
    let fits = cells.iter().take_while(|cell| {
        used += cell.columns;
        used <= room
    });
    let count = fits.count();
    cells.get(..count).unwrap_or(cells)
}

/// As many of the last cells as there is room for.
fn last_within(cells: &[Cell], room: usize) -> &[Cell] {
    let mut used = 0;
    let fits = cells.iter().rev().take_while(|cell| {
        used += cell.columns;
        used <= room
    });
    let count = fits.count();
    cells.get(cells.len() - count..).unwrap_or(cells)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn width(text: &str) -> usize {
        text.chars().map(|c| c.width().unwrap_or(0)).sum()
    }

    #[test]
    fn the_mark_stands_under_what_is_meant() {
        let cases = [
            ("a.yaml", "    email: { templte: proof, thread: reply }", 13, "templte"),
            ("a.yaml", "  again_after: 3 months   # soon", 15, "3 months"),
            ("a.yaml", "send_window: [\"8-11\", x]", 14, "\"8-11\""),
            ("a.yaml", "  split: { a: 50 }", 9, "{"),
            ("a.yaml", "titel: x", 0, "titel"),
            ("a.hbs", "Hi {{first_name|there}},", 3, "{{first_name|there}}"),
            ("a.hbs", "Hi {First Name},", 3, "{First Name}"),
            ("a.hbs", "Hi {{frist_name}},", 5, "frist_name"),
            ("a.yaml", "short", 9, ""),
        ];
        for (path, line, at, meant) in cases {
            let range = marked(path, line, at);
            let marked: String = line.chars().skip(range.start).take(range.len()).collect();
            assert_eq!(marked, meant, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_screen_and_the_mark_is_inside(
            line in "[a-z日\t\u{1b}\u{301} {}\"]{0,300}", at in 0_usize..310, room in 20_usize..120,
        ) {
            let range = marked("a.yaml", &line, at);
            let shown = Shown::new(&line, Some(range), room);
            prop_assert!(width(&shown.text) <= room, "{} in {room}: {}", width(&shown.text), shown.text);
            prop_assert!(!shown.text.contains(char::is_control));
            let (before, under) = shown.mark.unwrap();
            if at < line.chars().count() {
                prop_assert!(before + under <= room + TAB, "{before} + {under} in {room}");
            }
        }

        #[test]
        fn a_line_that_fits_is_shown_whole(line in "[a-z]{0,20}") {
            prop_assert_eq!(Shown::new(&line, None, 20).text, line);
        }
    }
}
