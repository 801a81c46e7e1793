//! How answers look: dates in the reader's zone, colours only where they are welcome, no control characters.

use std::io::{IsTerminal, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::config::variable;

/// `Mon 2 Mar 07:42`, in the reader's zone.
pub(super) fn when(at: Timestamp, zone: &TimeZone) -> String {
    if at == Timestamp::MAX {
        return "until somebody resumes it".to_owned();
    }
    at.to_zoned(zone.clone()).strftime("%a %-d %b %Y %H:%M").to_string()
}

/// A length of time in the largest unit that fits.
pub(super) fn length(ms: i64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0..=119 => format!("{minutes} min"),
        120..=2_879 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

/// Text from outside, on one line and without anything that a terminal would obey.
pub(super) fn plain(text: &str, most: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= most {
        return words;
    }
    words.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// Whether a stream may have colours (no-color.org).
pub(super) fn colour_on(stream: &impl IsTerminal) -> bool {
    let is_set = |name: &str| variable(name).is_some();
    let dumb = variable("TERM").is_some_and(|term| term == "dumb");
    is_set("CLICOLOR_FORCE") || (stream.is_terminal() && !is_set("NO_COLOR") && !dumb)
}

/// Columns of the reader's screen: what `COLUMNS` says, else 80.
pub(super) fn width() -> usize {
    let told = variable("COLUMNS").and_then(|columns| columns.parse::<usize>().ok());
    told.unwrap_or(80).clamp(40, 200)
}

/// Broken between words so that it fits, indented by so much and two more behind the first line. A
/// number keeps its `%`.
pub(super) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let text = text.replace(" %", "\u{a0}%");
    let mut lines = " ".repeat(indent);
    let mut column = indent;
    for (at, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if at > 0 && column + 1 + length > width {
            lines.push_str(&format!("\n{}", " ".repeat(indent + 2)));
            column = indent + 2;
        } else if at > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines.replace('\u{a0}', " ")
}

/// Bold, where colours are welcome.
pub(super) fn bold(text: &str) -> String {
    if colour_on(&std::io::stdout()) { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

/// Prints an answer; a closed pipe is no error.
pub(super) fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

/// Prints one JSON document.
pub(super) fn print_json(value: &Value) {
    print(&value.to_string());
}

/// Columns padded to the widest cell of each; the last one is left as it is.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A whole number as people read it: `1,204`.
pub(super) fn grouped(n: impl std::fmt::Display) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_steer_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb\r\nc", 80), "a [2Jb c");
        assert_eq!(plain("abcdef", 4), "abc…");
    }

    #[test]
    fn a_long_line_is_broken_between_words_and_indented() {
        assert_eq!(wrapped("one two three", 9, 2), "  one two\n    three");
        assert_eq!(wrapped("so 33.3 %", 8, 0), "so\n  33.3 %");
        assert_eq!(wrapped("unbreakable", 4, 2), "  unbreakable");
    }

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["a".into(), "b".into()], vec!["long".into(), "c".into()]];
        assert_eq!(table(&rows), "a     b\nlong  c\n");
    }

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), text);
        }
    }
}
