//! From the outline back to text, in the one way to write it.

use super::block::{Block, Comment, Item, Shape, Trivia, Value};
use super::flow::{self, Flow};
use super::{WIDTH, order};
use crate::formats::language::{Section, Takes};
use crate::formats::yaml::FALSE_FRIENDS;

/// A whole file.
pub(super) fn file(mut block: Block, section: &'static Section) -> String {
    let header = header(&mut block);
    let context = Context { takes: None, section: Some(section), country: false };
    let tail = std::mem::take(&mut block.tail);
    let mut lines = Vec::new();
    trivia(&header, 0, &mut lines);
    lines.extend(context.block(block, 0));
    if !tail.is_empty() {
        trivia(&tail, 0, &mut lines);
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let from = lines.iter().position(|line| !line.is_empty()).unwrap_or(0);
    lines.get(from..).unwrap_or_default().iter().map(|line| format!("{line}\n")).collect()
}

/// What belongs to the file and not to its first key: everything above the last blank line before that
/// key, and the lines that tell an editor the schema.
fn header(block: &mut Block) -> Vec<Trivia> {
    let Some(first) = block.items.first_mut() else { return Vec::new() };
    let is_schema = |line: &Trivia| {
        let Trivia::Comment(text) = line else { return true };
        text.contains("$schema")
    };
    let own = first.leading.iter().rposition(is_schema).map_or(0, |at| at + 1);
    let own: Vec<Trivia> = first.leading.drain(..own).collect();
    own
}

/// What the language says of the place that is printed.
#[derive(Clone, Copy)]
struct Context {
    takes: Option<&'static Takes>,
    /// The keys of the map here.
    section: Option<&'static Section>,
    /// Inside a field that holds country codes.
    country: bool,
}

impl Context {
    fn new(takes: Option<&'static Takes>, country: bool) -> Self {
        Self { takes, section: order::section(takes), country }
    }

    fn under(self, key: &str) -> Self {
        let known = self.section.and_then(|section| section.key(key)).map(|key| &key.takes);
        let country = self.country || matches!(key, "country" | "company.country");
        Self::new(known.or_else(|| order::under(self.takes, key)), country)
    }

    fn element(self) -> Self {
        Self::new(order::element(self.takes), self.country)
    }

    fn of(self, key: Option<&str>) -> Self {
        key.map_or_else(|| self.element(), |key| self.under(bare(key)))
    }

    /// The lines of a block.
    fn block(self, block: Block, indent: usize) -> Vec<String> {
        let Block { shape, items, tail } = block;
        let items = match shape {
            Shape::Map => self.in_order(items),
            Shape::List => items,
        };
        let apart = self.items_stand_apart(&items, indent);
        let mut lines: Vec<String> = Vec::new();
        for (at, mut item) in items.into_iter().enumerate() {
            lift_leading(&mut item, self);
            let leading = tidy(std::mem::take(&mut item.leading), at > 0, apart);
            trivia(&leading, indent, &mut lines);
            lines.extend(self.item(item, shape, indent));
        }
        trivia(&tail, indent, &mut lines);
        lines
    }

    /// In the order of the language, unless an anchor and its alias would change places.
    fn in_order(self, mut items: Vec<Item>) -> Vec<Item> {
        let Some(section) = self.section else { return items };
        if items.iter().any(|item| matches!(item.value, Value::Verbatim(_))) {
            return items;
        }
        let rank = |item: &Item| order::rank(section, bare(item.key.as_deref().unwrap_or("")));
        let before: Vec<Vec<String>> = items.iter().map(references).collect();
        let mut sorted: Vec<usize> = (0..items.len()).collect();
        sorted.sort_by_key(|at| items.get(*at).map(rank));
        let moved = sorted.iter().filter_map(|at| before.get(*at)).flatten();
        if moved.eq(before.iter().flatten()) {
            items.sort_by_key(rank);
        }
        items
    }

    /// Steps of more than one line have a blank line between them.
    fn items_stand_apart(self, items: &[Item], indent: usize) -> bool {
        let is_step = order::section(order::element(self.takes)).is_some_and(|s| s.name == "step");
        let is_long = |item: &Item| match &item.value {
            Value::Block(_) => true,
            Value::Flow(flow) => indent + 2 + self.element().flow(flow).chars().count() > WIDTH,
            Value::Nothing | Value::Scalar(_) | Value::Literal(..) | Value::Verbatim(_) => false,
        };
        is_step && items.iter().any(is_long)
    }

    fn item(self, item: Item, shape: Shape, indent: usize) -> Vec<String> {
        let Item { key, gap, anchor, value, comment, indent: old, .. } = item;
        let context = self.of(key.as_deref());
        let mut head = match (shape, &key) {
            (Shape::Map, Some(key)) => format!("{}{key}:", " ".repeat(indent)),
            (Shape::List, _) | (Shape::Map, None) => format!("{}-", " ".repeat(indent)),
        };
        let gap = " ".repeat(if shape == Shape::Map { gap.max(1) } else { 1 });
        if let Some(anchor) = &anchor {
            head.push_str(&format!("{gap}{anchor}"));
        }
        let gap = if anchor.is_some() { " ".to_owned() } else { gap };
        let comment = comment.map(|comment| (comment, indent as isize - old as isize));
        let with_comment = |head: String| vec![commented(head, comment.as_ref())];
        match value {
            Value::Verbatim(lines) => shifted(&lines, old, indent),
            Value::Nothing => with_comment(head),
            Value::Scalar(text) => {
                let text = context.scalar(&text);
                with_comment(format!("{head}{gap}{text}"))
            }
            Value::Flow(flow) => {
                let line = format!("{head}{gap}{}", context.flow(&flow));
                match opened(flow) {
                    Ok(block) if line.chars().count() > WIDTH => {
                        // The column of the comment was that of the long line.
                        let comment = comment.map(|(c, shift)| (Comment { column: 0, ..c }, shift));
                        context.nested(head, block, shape, indent, comment.as_ref())
                    }
                    Ok(_) | Err(()) => with_comment(line),
                }
            }
            Value::Literal(header, content) => {
                let inside = " ".repeat(indent + 2);
                let line =
                    |line: String| if line.is_empty() { line } else { inside.clone() + &line };
                let mut lines = with_comment(format!("{head}{gap}{header}"));
                lines.extend(content.into_iter().map(line));
                lines
            }
            Value::Block(block) => context.nested(head, block, shape, indent, comment.as_ref()),
        }
    }

    /// A block under a key, or behind the dash of a list.
    fn nested(
        self,
        head: String,
        block: Block,
        shape: Shape,
        indent: usize,
        comment: Option<&(Comment, isize)>,
    ) -> Vec<String> {
        let joins = shape == Shape::List && head.ends_with('-') && comment.is_none();
        let mut lines = self.block(block, indent + 2);
        if joins && let Some(first) = lines.first_mut() {
            *first = format!("{head} {}", first.trim_start());
            return lines;
        }
        lines.insert(0, commented(head, comment));
        lines
    }

    fn scalar(self, text: &str) -> String {
        let is_word = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphabetic());
        let is_code = self.country && text.len() == 2;
        let is_misread = FALSE_FRIENDS.contains(&text.to_ascii_lowercase().as_str());
        if is_word && (is_code || is_misread) { format!("\"{text}\"") } else { text.to_owned() }
    }

    fn flow(self, flow: &Flow) -> String {
        let text = match &flow.shape {
            flow::Shape::Nothing => String::new(),
            flow::Shape::Scalar(text) => self.scalar(text),
            flow::Shape::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.element().flow(item)).collect();
                format!("[{}]", items.join(", "))
            }
            flow::Shape::Map(entries) if entries.is_empty() => "{}".to_owned(),
            flow::Shape::Map(entries) => {
                let entry = |(key, value): &(String, Flow)| {
                    let value = self.under(bare(key)).flow(value);
                    format!("{key}: {value}").trim_end().to_owned()
                };
                let entries: Vec<_> = self.flow_in_order(entries).into_iter().map(entry).collect();
                format!("{{ {} }}", entries.join(", "))
            }
        };
        match &flow.anchor {
            Some(anchor) => format!("{anchor} {text}").trim_end().to_owned(),
            None => text,
        }
    }

    fn flow_in_order(self, entries: &[(String, Flow)]) -> Vec<&(String, Flow)> {
        let as_written: Vec<_> = entries.iter().collect();
        let Some(section) = self.section else { return as_written };
        let mut sorted = as_written.clone();
        sorted.sort_by_key(|(key, _)| order::rank(section, bare(key)));
        let references = |entries: &[&(String, Flow)]| {
            let mut found = Vec::new();
            entries.iter().for_each(|(_, value)| value.references(&mut found));
            found
        };
        if references(&sorted) == references(&as_written) { sorted } else { as_written }
    }
}

/// What stands above the first key of a list item stands above its dash. The order comes first, because
/// it says which key that is.
fn lift_leading(item: &mut Item, list: Context) {
    let is_item = item.key.is_none() && item.comment.is_none() && item.anchor.is_none();
    let Value::Block(block) = &mut item.value else { return };
    if !is_item || block.shape != Shape::Map {
        return;
    }
    block.items = list.element().in_order(std::mem::take(&mut block.items));
    let Some(first) = block.items.first_mut() else { return };
    let comments = std::mem::take(&mut first.leading);
    item.leading.extend(comments.into_iter().filter(|line| *line != Trivia::Blank));
}

/// At most one blank line in a row, none in front of the first item, one between steps.
fn tidy(leading: Vec<Trivia>, has_before: bool, apart: bool) -> Vec<Trivia> {
    let mut tidied: Vec<Trivia> = Vec::new();
    if apart && has_before {
        tidied.push(Trivia::Blank);
    }
    for line in leading {
        let doubled = tidied.last().map_or(!has_before, |last| *last == Trivia::Blank);
        if line != Trivia::Blank || !doubled {
            tidied.push(line);
        }
    }
    tidied
}

fn trivia(list: &[Trivia], indent: usize, lines: &mut Vec<String>) {
    for line in list {
        match line {
            Trivia::Blank if lines.last().is_some_and(|last| !last.is_empty()) => {
                lines.push(String::new());
            }
            Trivia::Blank => {}
            Trivia::Comment(text) => lines.push(format!("{}{text}", " ".repeat(indent))),
        }
    }
}

/// A line with its comment, in the column where the comment stood beside it.
fn commented(line: String, comment: Option<&(Comment, isize)>) -> String {
    let Some((comment, shift)) = comment else { return line };
    let length = line.chars().count();
    let column = comment.column.saturating_add_signed(*shift);
    let gap = column.saturating_sub(length).max(comment.gap.clamp(1, 2));
    format!("{line}{}{}", " ".repeat(gap), comment.text)
}

/// Lines as they are written, at another indentation.
fn shifted(lines: &[String], old: usize, new: usize) -> Vec<String> {
    let line = |line: &String| match line.split_at_checked(old) {
        Some((blanks, text)) if blanks.trim().is_empty() => {
            format!("{}{text}", " ".repeat(new))
        }
        _ => line.trim_start().to_owned(),
    };
    let blank = |line: String| if line.trim().is_empty() { String::new() } else { line };
    lines.iter().map(line).map(blank).collect()
}

/// Brackets as a block, one line for each entry; what has an anchor or is empty cannot be opened.
fn opened(flow: Flow) -> Result<Block, ()> {
    let item = |key: Option<String>, flow: Flow| {
        let Flow { anchor, shape } = flow;
        let value = match shape {
            flow::Shape::Nothing => Value::Nothing,
            flow::Shape::Scalar(text) => Value::Scalar(text),
            shape => Value::Flow(Flow { anchor: None, shape }),
        };
        Item { anchor, ..Item::new(0, key, value) }
    };
    let (shape, items): (Shape, Vec<Item>) = match flow.shape {
        _ if flow.anchor.is_some() => return Err(()),
        flow::Shape::List(items) if !items.is_empty() => {
            (Shape::List, items.into_iter().map(|value| item(None, value)).collect())
        }
        flow::Shape::Map(entries) if !entries.is_empty() => {
            let items = entries.into_iter().map(|(key, value)| item(Some(key), value));
            (Shape::Map, items.collect())
        }
        _ => return Err(()),
    };
    Ok(Block { shape, items, tail: Vec::new() })
}

/// The anchors and aliases of an item, in their order.
fn references(item: &Item) -> Vec<String> {
    let mut found: Vec<String> = item.anchor.iter().cloned().collect();
    match &item.value {
        Value::Scalar(text) if text.starts_with('*') => found.push(text.clone()),
        Value::Nothing | Value::Scalar(_) | Value::Literal(..) | Value::Verbatim(_) => {}
        Value::Flow(flow) => flow.references(&mut found),
        Value::Block(block) => found.extend(block.items.iter().flat_map(references)),
    }
    found
}

/// A key without its quotes.
fn bare(key: &str) -> &str {
    key.trim_matches(['"', '\''])
}
