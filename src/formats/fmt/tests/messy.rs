//! A file as nobody should write it, but may: keys in any order, blanks and comments anywhere.

use crate::formats::yaml::writing::{Value, inline, quoted, scalar};

/// A text and the comments that were put into it, each of them unlike the others.
pub(super) struct Messy {
    pub text: String,
    pub comments: Vec<String>,
}

/// Writes keys of a file; chance decides everything that has no meaning.
pub(super) fn write(keys: Vec<(String, Value)>, chance: &[u8]) -> Messy {
    let mut pen = Pen {
        chance: chance.iter().copied().cycle().enumerate(),
        out: Messy { text: String::new(), comments: Vec::new() },
    };
    pen.map(keys, 0, true);
    pen.trivia(0);
    pen.out
}

struct Pen<I: Iterator<Item = (usize, u8)>> {
    chance: I,
    out: Messy,
}

impl<I: Iterator<Item = (usize, u8)>> Pen<I> {
    fn dice(&mut self, sides: usize) -> usize {
        let (at, byte) = self.chance.next().unwrap();
        (usize::from(byte) + at * 7) % sides
    }

    fn blanks(&mut self, most: usize) -> String {
        " ".repeat(self.dice(most + 1))
    }

    fn comment(&mut self) -> String {
        let odd = ["", " a: b", " - x", " \"", " {", " # again", " |"];
        let odd = odd[self.dice(odd.len())];
        let comment = format!("#c{}.{odd}", self.out.comments.len());
        self.out.comments.push(format!("#c{}.", self.out.comments.len()));
        comment
    }

    /// Blank lines and comments, at most as deep as the next line.
    fn trivia(&mut self, indent: usize) {
        for _ in 0..self.dice(3) {
            match self.dice(3) {
                0 => self.out.text.push('\n'),
                1 => {
                    let comment = self.comment();
                    let indent = " ".repeat(if self.dice(4) == 0 { 0 } else { indent });
                    self.out.text.push_str(&format!("{indent}{comment}\n"));
                }
                _ => {}
            }
        }
    }

    fn line_end(&mut self) {
        if self.dice(5) == 0 {
            let comment = self.comment();
            let gap = " ".repeat(1 + self.dice(4));
            self.out.text.push_str(&format!("{gap}{comment}"));
        }
        let end = self.blanks(2);
        self.out.text.push_str(&format!("{end}\n"));
    }

    /// A map whose first line is already indented when it `is_open`.
    fn map(&mut self, mut keys: Vec<(String, Value)>, indent: usize, free: bool) {
        let turn = if free { self.dice(keys.len().max(1)) } else { 0 };
        keys.rotate_left(turn);
        for (at, (key, value)) in keys.into_iter().enumerate() {
            if at > 0 || indent == 0 {
                self.trivia(indent);
                self.out.text.push_str(&" ".repeat(indent));
            }
            let key_text = if self.dice(6) == 0 { quoted(&key) } else { scalar(&key) };
            self.out.text.push_str(&format!("{key_text}:"));
            self.value(&key, value, indent);
        }
    }

    fn value(&mut self, key: &str, value: Value, indent: usize) {
        // The order of these has a meaning, and so have their keys.
        let free = !matches!(key, "split" | "outcome" | "field" | "outcomes" | "roles");
        let deeper = indent + 1 + self.dice(4);
        match value {
            Value::Map(keys) if !keys.is_empty() && self.dice(2) == 0 => {
                self.line_end();
                self.trivia(deeper);
                self.out.text.push_str(&" ".repeat(deeper));
                self.map(keys, deeper, free);
            }
            Value::List(items) if !items.is_empty() && self.dice(2) == 0 => {
                self.line_end();
                let dash = if self.dice(2) == 0 { indent } else { deeper };
                items.into_iter().for_each(|item| self.item(item, dash));
            }
            value => {
                let gap = " ".repeat(1 + self.dice(3));
                self.out.text.push_str(&gap);
                self.inline(&value, indent, free);
                self.line_end();
            }
        }
    }

    fn item(&mut self, item: Value, dash: usize) {
        self.trivia(dash);
        let gap = 1 + self.dice(3);
        self.out.text.push_str(&format!("{}-{}", " ".repeat(dash), " ".repeat(gap)));
        match item {
            Value::Map(keys) if !keys.is_empty() && self.dice(4) > 0 => {
                self.map(keys, dash + 1 + gap, true);
            }
            item => {
                self.inline(&item, dash, true);
                self.line_end();
            }
        }
    }

    fn inline(&mut self, value: &Value, indent: usize, free: bool) {
        let text = match value {
            Value::Text(text) if self.dice(4) == 0 => quoted(text),
            Value::Text(text) if self.dice(4) == 0 && is_simple(text) => format!("'{text}'"),
            Value::Plain(_) | Value::Text(_) => inline(value),
            Value::List(items) => {
                self.bracket('[', indent);
                for (at, item) in items.iter().enumerate() {
                    self.comma(at, indent);
                    self.inline(item, indent, true);
                }
                return self.bracket(']', indent);
            }
            Value::Map(entries) => {
                self.bracket('{', indent);
                let turn = if free { self.dice(entries.len().max(1)) } else { 0 };
                let entries = entries.iter().cycle().skip(turn).take(entries.len());
                for (at, (key, value)) in entries.enumerate() {
                    self.comma(at, indent);
                    let gap = " ".repeat(1 + self.dice(2));
                    self.out.text.push_str(&format!("{}:{gap}", scalar(key)));
                    let free = !matches!(
                        key.as_str(),
                        "split" | "outcome" | "field" | "outcomes" | "roles"
                    );
                    self.inline(value, indent, free);
                }
                return self.bracket('}', indent);
            }
        };
        self.out.text.push_str(&text);
    }

    fn bracket(&mut self, bracket: char, indent: usize) {
        let before = if matches!(bracket, ']' | '}') { self.blanks(1) } else { String::new() };
        self.out.text.push_str(&format!("{before}{bracket}"));
        if matches!(bracket, '[' | '{') {
            self.fold(indent);
        }
    }

    fn comma(&mut self, at: usize, indent: usize) {
        if at > 0 {
            let before = self.blanks(1);
            self.out.text.push_str(&format!("{before}, "));
            self.fold(indent);
        }
    }

    /// Brackets may go on on the next line.
    fn fold(&mut self, indent: usize) {
        let gap = match self.dice(9) {
            0 => format!("\n{}", " ".repeat(indent + 1 + self.dice(3))),
            _ => self.blanks(1),
        };
        self.out.text.push_str(&gap);
    }
}

fn is_simple(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic() && c != '\'')
}
