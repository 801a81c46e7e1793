//! The outline of a file: keys and list items by their indentation, with the comments between them.

use super::flow::{self, Flow};

/// How deep blocks may nest; the parser of the language allows no more.
const MAX_DEPTH: usize = 32;

/// A map or a list over several lines.
#[derive(Debug)]
pub(super) struct Block {
    pub shape: Shape,
    pub items: Vec<Item>,
    /// Comments behind the last item.
    pub tail: Vec<Trivia>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Map,
    List,
}

/// What has no meaning, but a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trivia {
    Blank,
    Comment(String),
}

/// One key with its value, or one item of a list.
#[derive(Debug)]
pub(super) struct Item {
    /// What stands above it.
    pub leading: Vec<Trivia>,
    /// As it is written; none in a list.
    pub key: Option<String>,
    /// Blanks before the value.
    pub gap: usize,
    /// Such as `&again`.
    pub anchor: Option<String>,
    pub value: Value,
    pub comment: Option<Comment>,
    /// The column in which it begins.
    pub indent: usize,
}

/// A comment behind something.
#[derive(Debug)]
pub(super) struct Comment {
    pub text: String,
    /// The column in which it begins, and the blanks before it.
    pub column: usize,
    pub gap: usize,
}

#[derive(Debug)]
pub(super) enum Value {
    Nothing,
    /// As it is written; an alias, too.
    Scalar(String),
    Flow(Flow),
    /// `|` or `>` with its lines, without their indentation.
    Literal(String, Vec<String>),
    Block(Block),
    /// The whole item in lines as they are written: it is not understood.
    Verbatim(Vec<String>),
}

/// The outline of a file; `None` when the file itself is not a block.
pub(super) fn read(text: &str) -> Option<Block> {
    let lines = text.split('\n').map(Line::new).collect();
    let mut reader = Reader { lines, at: 0, depth: 0 };
    let first = reader.next_content()?;
    let indent = reader.lines.get(first)?.indent;
    let block = reader.block(indent, 0)?;
    (reader.at == reader.lines.len()).then_some(block)
}

#[derive(Debug, Clone)]
struct Line {
    /// As it is written.
    raw: String,
    /// Blanks in front; in characters and in bytes.
    indent: usize,
    /// Without blanks on both sides.
    text: String,
}

impl Line {
    fn new(raw: &str) -> Self {
        let text = raw.trim_start_matches(' ');
        let indent = raw.len() - text.len();
        Self { raw: raw.to_owned(), indent, text: text.trim_end_matches([' ', '\t']).to_owned() }
    }

    fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    fn is_comment(&self) -> bool {
        self.text.starts_with('#')
    }

    fn is_item(&self) -> bool {
        self.text == "-" || self.text.starts_with("- ")
    }
}

struct Reader {
    lines: Vec<Line>,
    at: usize,
    depth: usize,
}

impl Reader {
    /// The number of the next line that is neither blank nor a comment.
    fn next_content(&self) -> Option<usize> {
        let lines = self.lines.iter().enumerate().skip(self.at);
        lines.filter(|(_, line)| !line.is_blank() && !line.is_comment()).map(|(at, _)| at).next()
    }

    fn next_indent(&self) -> Option<usize> {
        self.lines.get(self.next_content()?).map(|line| line.indent)
    }

    /// Reads the block that begins at an indentation. Comments behind it that stand at least at `own` are
    /// part of it.
    fn block(&mut self, indent: usize, own: usize) -> Option<Block> {
        self.depth += 1;
        let first = self.lines.get(self.next_content()?)?;
        let shape = if first.is_item() { Shape::List } else { Shape::Map };
        let mut items = Vec::new();
        if self.depth > MAX_DEPTH {
            return None;
        }
        while let Some(next) = self.next_content() {
            let line = self.lines.get(next)?;
            if line.indent < indent
                || (line.indent == indent && shape == Shape::List && !line.is_item())
            {
                break;
            }
            if line.indent > indent || (shape == Shape::Map && line.is_item()) {
                return None;
            }
            let leading = self.trivia(next);
            items.push(self.item(shape, leading)?);
        }
        self.depth -= 1;
        Some(Block { shape, items, tail: self.tail(own) })
    }

    /// What stands between here and a line.
    fn trivia(&mut self, until: usize) -> Vec<Trivia> {
        let lines = self.lines.get(self.at..until).unwrap_or_default();
        let trivia = lines.iter().map(|line| match line.is_blank() {
            true => Trivia::Blank,
            false => Trivia::Comment(line.text.clone()),
        });
        let trivia = trivia.collect();
        self.at = until;
        trivia
    }

    /// The comments behind a block that are as deep as it is; blank lines only between them.
    fn tail(&mut self, own: usize) -> Vec<Trivia> {
        let until = self.next_content().unwrap_or(self.lines.len());
        let lines = self.lines.get(self.at..until).unwrap_or_default();
        let is_other = |line: &Line| line.is_comment() && line.indent < own;
        let others = lines.iter().position(is_other).unwrap_or(lines.len());
        let at_end = until == self.lines.len() && own == 0;
        let mine = lines.get(..others).unwrap_or_default();
        let last = mine.iter().rposition(Line::is_comment).map_or(0, |last| last + 1);
        self.trivia(if at_end { until } else { self.at + last })
    }

    fn item(&mut self, shape: Shape, leading: Vec<Trivia>) -> Option<Item> {
        let (start, depth) = (self.at, self.depth);
        let line = self.lines.get(start)?.clone();
        let read = match shape {
            Shape::Map => self.entry(&line),
            Shape::List => self.list_item(&line),
        };
        let item = match read {
            Some(item) => item,
            None => {
                (self.at, self.depth) = (start, depth);
                self.lines.get_mut(start)?.clone_from(&line);
                self.verbatim(&line)
            }
        };
        Some(Item { leading, ..item })
    }

    /// An item with everything that is deeper than it, as it is written.
    fn verbatim(&mut self, line: &Line) -> Item {
        let rest = self.lines.iter().skip(self.at + 1);
        let deeper = |other: &&Line| other.is_blank() || other.indent > line.indent;
        let count = rest.clone().take_while(deeper).count();
        let blank = rest.take(count).collect::<Vec<_>>();
        let blank = blank.iter().rev().take_while(|line| line.is_blank()).count();
        let end = self.at + 1 + count - blank;
        let lines = self.lines.get(self.at..end).unwrap_or_default();
        let lines = lines.iter().map(|line| line.raw.clone()).collect();
        self.at = end;
        Item::new(line.indent, None, Value::Verbatim(lines))
    }

    fn entry(&mut self, line: &Line) -> Option<Item> {
        let (key, rest) = split_key(&line.text)?;
        let value = rest.trim_start_matches(' ');
        let (key, gap) = (key.to_owned(), rest.len() - value.len());
        let column = line.indent + line.text.len() - value.len();
        self.at += 1;
        let item = self.value(value, Place { parent: line.indent, column, in_map: true })?;
        Some(Item { key: Some(key), gap, indent: line.indent, ..item })
    }

    fn list_item(&mut self, line: &Line) -> Option<Item> {
        let rest = line.text.get(1..)?;
        let value = rest.trim_start_matches(' ');
        let column = line.indent + 1 + rest.len() - value.len();
        if value.starts_with('#') {
            return None;
        }
        if split_key(value).is_some() {
            // The dash is written by itself: what stands behind it is a line of its own from here on.
            let (raw, text) = (format!("{:column$}{value}", ""), value.to_owned());
            *self.lines.get_mut(self.at)? = Line { raw, indent: column, text };
            let block = self.block(column, line.indent + 1)?;
            return Some(Item::new(line.indent, None, Value::Block(block)));
        }
        if value.starts_with("- ") {
            return None;
        }
        self.at += 1;
        let item = self.value(value, Place { parent: line.indent, column, in_map: false })?;
        Some(Item { indent: line.indent, ..item })
    }

    /// What stands behind a key or a dash, and on the lines that belong to it.
    fn value(&mut self, text: &str, place: Place) -> Option<Item> {
        let (anchor, behind) = match text.strip_prefix('&') {
            Some(name) => {
                let end = name.find(' ').map_or(text.len(), |end| end + 1);
                let (anchor, rest) = text.split_at_checked(end)?;
                (Some(anchor.to_owned()), rest.trim_start_matches(' '))
            }
            None => (None, text),
        };
        let place = Place { column: place.column + text.len() - behind.len(), ..place };
        let item = match behind.chars().next() {
            None | Some('#') => self.nested(behind, place)?,
            Some('|' | '>') => self.literal(behind, place)?,
            Some('[' | '{') => self.flow(behind, place)?,
            Some('"' | '\'') => self.inline(behind, flow::quoted_length(behind)?, place)?,
            Some(c) if "!%@`?,]}&".contains(c) => return None,
            Some(_) => self.inline(behind, plain_length(behind), place)?,
        };
        Some(Item { anchor, ..item })
    }

    fn nested(&mut self, comment: &str, place: Place) -> Option<Item> {
        let comment = Comment::read(comment, "", place);
        let next = self.next_content().and_then(|next| self.lines.get(next));
        let indent = next.map(|line| (line.indent, line.is_item()));
        let value = match indent {
            Some((indent, _)) if indent > place.parent => {
                Value::Block(self.block(indent, place.parent + 1)?)
            }
            Some((indent, true)) if indent == place.parent && place.in_map => {
                Value::Block(self.block(indent, indent + 1)?)
            }
            _ => Value::Nothing,
        };
        Some(Item { comment, ..Item::new(place.parent, None, value) })
    }

    /// A scalar on one line; `length` bytes of the text are it.
    fn inline(&mut self, text: &str, length: usize, place: Place) -> Option<Item> {
        let (scalar, behind) = text.split_at_checked(length)?;
        let comment = behind_value(scalar, behind, place)?;
        if self.next_indent().is_some_and(|indent| indent > place.parent) {
            return None;
        }
        let value = Value::Scalar(scalar.to_owned());
        Some(Item { comment, ..Item::new(place.parent, None, value) })
    }

    /// Brackets, which may go on over several lines, but without a comment between them.
    fn flow(&mut self, text: &str, place: Place) -> Option<Item> {
        let mut all = text.to_owned();
        let mut column = place.column;
        let mut last = 0;
        while flow::closed_at(&all).is_none() {
            let line = self.lines.get(self.at)?;
            if line.is_blank() || line.is_comment() || line.text.contains('\t') {
                return None;
            }
            all.push(' ');
            last = all.len();
            column = line.indent;
            all.push_str(&line.text);
            self.at += 1;
        }
        let (brackets, behind) = all.split_at_checked(flow::closed_at(&all)?)?;
        let on_last = brackets.get(last..).unwrap_or_default();
        let comment = behind_value(on_last, behind, Place { column, ..place })?;
        if self.next_indent().is_some_and(|indent| indent > place.parent) {
            return None;
        }
        let value = Value::Flow(flow::read(brackets)?);
        Some(Item { comment, ..Item::new(place.parent, None, value) })
    }

    fn literal(&mut self, text: &str, place: Place) -> Option<Item> {
        let length = text.find(' ').unwrap_or(text.len());
        let (header, behind) = text.split_at_checked(length)?;
        if !matches!(header, "|" | ">" | "|-" | ">-") {
            return None;
        }
        let comment = behind_value(header, behind, place)?;
        let rest = self.lines.get(self.at..)?;
        let inside = |line: &&Line| line.raw.trim().is_empty() || line.indent > place.parent;
        let count = rest.iter().take_while(inside).count();
        let lines = rest.get(..count)?;
        let last = lines.iter().rposition(|line| !line.raw.trim().is_empty())?;
        let lines = lines.get(..=last)?;
        let indent = lines.iter().find(|line| !line.raw.trim().is_empty())?.indent;
        let content = lines.iter().map(|line| match line.raw.split_at_checked(indent) {
            Some((blanks, content)) if blanks.trim().is_empty() => Some(content.to_owned()),
            _ => line.raw.trim().is_empty().then(String::new),
        });
        let content = content.collect::<Option<Vec<String>>>()?;
        self.at += last + 1;
        let value = Value::Literal(header.to_owned(), content);
        Some(Item { comment, ..Item::new(place.parent, None, value) })
    }
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The indentation of what it belongs to.
    parent: usize,
    /// Where it begins on its line, in bytes.
    column: usize,
    in_map: bool,
}

impl Item {
    pub(super) fn new(indent: usize, key: Option<String>, value: Value) -> Self {
        Self { leading: Vec::new(), key, gap: 1, anchor: None, value, comment: None, indent }
    }
}

impl Comment {
    /// The comment that a text consists of, behind `before`.
    fn read(text: &str, before: &str, place: Place) -> Option<Self> {
        let comment = text.trim_start_matches(' ');
        let gap = text.len() - comment.len();
        let column = place.column + before.chars().count() + gap;
        comment.starts_with('#').then(|| Self { text: comment.to_owned(), column, gap: gap.max(1) })
    }
}

/// What stands behind a value: nothing, or a comment. `None` when it is something else.
fn behind_value(value: &str, behind: &str, place: Place) -> Option<Option<Comment>> {
    if behind.trim().is_empty() {
        return Some(None);
    }
    let comment = Comment::read(behind, value, place).filter(|_| behind.starts_with(' '))?;
    Some(Some(comment))
}

/// The bytes of a plain scalar, without the comment behind it.
fn plain_length(text: &str) -> usize {
    let comment = text.find(" #").unwrap_or(text.len());
    text.get(..comment).unwrap_or(text).trim_end().len()
}

/// A key as it is written, and what stands behind its colon.
pub(super) fn split_key(text: &str) -> Option<(&str, &str)> {
    let ends_here = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    if text.starts_with(['"', '\'']) {
        let (key, rest) = text.split_at_checked(flow::quoted_length(text)?)?;
        let rest = rest.strip_prefix(':')?;
        return ends_here(rest).then_some((key, rest));
    }
    if text.starts_with(|c: char| "[]{},&*!|>%@`?#".contains(c)) || text.starts_with("- ") {
        return None;
    }
    let (key, rest) = text.match_indices(':').find_map(|(at, _)| {
        let rest = text.get(at + 1..)?;
        ends_here(rest).then_some((text.get(..at)?, rest))
    })?;
    let is_plain = !key.is_empty() && key.trim_end() == key && !key.contains(" #");
    is_plain.then_some((key, rest))
}
