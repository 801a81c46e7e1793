//! YAML to a tree of placed nodes. The only module that names the YAML parser.
//!
//! The tree keeps every scalar as it is written and knows where it stands, so that the readers of
//! cadences and profiles can report everything that is wrong with a file at once: a typed
//! deserializer would stop at the first unknown key.

use crate::formats::rules::Rule;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Location, Options, Spanned};

use super::diagnostic::Diagnostic;

pub mod reading;
pub mod writing;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// How many values one file may have, its aliases written out; a real cadence has a few hundred.
const MAX_NODES: usize = 20_000;
const MAX_DEPTH: usize = 32;
const MAX_ALIASES: usize = 100;

/// The parser may quote whole lines of the file; so many characters of that are enough.
const MAX_COMPLAINT: usize = 300;

/// What YAML 1.1, and so most other tools, reads as true or false when it has no quotes.
pub const FALSE_FRIENDS: [&str; 8] = ["y", "yes", "n", "no", "on", "off", "true", "false"];

/// A value and where it stands in its file: line and column are 1-based, 0 when unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    pub value: T,
    pub line: usize,
    pub column: usize,
}

impl<T> At<T> {
    /// Line and column.
    pub fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }

    fn new(value: T, location: Location) -> Self {
        let number = |n: u64| usize::try_from(n).unwrap_or(0);
        Self { value, line: number(location.line()), column: number(location.column()) }
    }
}

/// One node of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A key without a value, or `null`.
    Nothing,
    /// Text, a number or a truth value, as written.
    Scalar(Scalar),
    List(Vec<At<Node>>),
    /// In the order of the file; no key occurs twice.
    Map(Vec<Entry>),
}

/// One scalar as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    pub text: String,
    /// Whether quotes or a block (`|`, `>`) say that it is text.
    pub style: Style,
}

/// Whether a scalar says by itself that it is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `NO`: other readers of YAML may take it for something else.
    Plain,
    /// `"NO"`, or a block of text.
    Quoted,
}

/// One key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: At<String>,
    pub value: At<Node>,
}

/// Reads one YAML document.
///
/// # Errors
/// C001 with its place: not YAML, a key twice in one map, too large, too deep, too many aliases.
pub fn parse(path: &str, text: &str) -> Result<At<Node>, Diagnostic> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than {MAX_BYTES}", text.len());
        return Err(Diagnostic::error(Rule::C001, path, (0, 0), message));
    }
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| not_yaml(path, text, &error))?;
    Ok(placed(raw, text))
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: MAX_NODES,
            max_depth: MAX_DEPTH,
            max_aliases: MAX_ALIASES,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Merge,
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

/// The parser's complaint as one line of ours.
fn not_yaml(path: &str, text: &str, error: &Error) -> Diagnostic {
    let error = error.without_snippet();
    let place = error.location().map_or((0, 0), |location| At::new((), location).place());
    if let Some(line) = line_with_tab(text, place.0) {
        let message = format!("line {line} begins with a tab: use blanks");
        return Diagnostic::error(Rule::C001, path, place, message);
    }
    let message = complaint(error).chars().take(MAX_COMPLAINT).collect();
    let diagnostic = Diagnostic::error(Rule::C001, path, place, message);
    match unquoted(text, place.0) {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}

/// The line at the place of a mistake, or beside it, that is indented with a tab.
fn line_with_tab(text: &str, at: usize) -> Option<usize> {
    let is_indented = |line: &str| {
        let indent = line.len() - line.trim_start().len();
        line.get(..indent).is_some_and(|indent| indent.contains('\t')) && indent < line.len()
    };
    let near = [at, at.saturating_add(1), at.saturating_sub(1)].into_iter();
    let near = near.filter(|line| at > 0 && *line > 0);
    let mut near = near.filter(|line| text.lines().nth(line - 1).is_some_and(is_indented));
    near.next()
}

/// What to do about `title: Dental: five steps`, which reads as a map in a map.
fn unquoted(text: &str, at: usize) -> Option<String> {
    let near = [at, at.saturating_sub(1)].into_iter().filter_map(|line| line.checked_sub(1));
    let mut near = near.filter_map(|line| text.lines().nth(line));
    near.find_map(|line| {
        let (key, value) = line.trim().trim_start_matches("- ").split_once(": ")?;
        let value = value.split(" #").next().unwrap_or(value).trim();
        let is_plain = !value.starts_with(['"', '\'', '[', '{', '|', '>', '&', '*']);
        let is_one = is_plain && value.contains(": ") && !key.contains([' ', '{', '[', '"']);
        let shown: String = value.chars().take(60).collect();
        (is_one && shown == value && !value.contains('"'))
            .then(|| format!("a text with `: ` needs quotes: {key}: \"{value}\""))
    })
}

fn complaint(error: &Error) -> String {
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key `{key}` is written twice in one map")
        }
        Error::Budget { .. } | Error::AliasReplayLimitExceeded { .. } => format!(
            "a file is one document of at most {MAX_NODES} values, {MAX_DEPTH} levels deep, with \
             at most {MAX_ALIASES} aliases"
        ),
        other => {
            let text = other.to_string();
            let first_line = text.lines().next().unwrap_or("this is not YAML");
            // The place is told once, in front.
            first_line.split(" at line ").next().unwrap_or(first_line).to_owned()
        }
    }
}

/// What the parser hands over: plain scalars come typed, so their text is looked up afterwards.
enum Raw {
    Nothing,
    Typed,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

/// The node with its place; recursion is bounded by the depth that the parser allows.
fn placed(raw: Spanned<Raw>, source: &str) -> At<Node> {
    let written = slice(source, raw.defined);
    let node = match raw.value {
        Raw::Nothing => Node::Nothing,
        Raw::Typed => Node::Scalar(Scalar { text: written.to_owned(), style: Style::Plain }),
        Raw::Text(text) => Node::Scalar(Scalar { style: style(&text, written), text }),
        Raw::List(items) => Node::List(items.into_iter().map(|i| placed(i, source)).collect()),
        Raw::Map(entries) => Node::Map(entries.into_iter().map(|e| entry(e, source)).collect()),
    };
    // Behind an alias, the place is where the value is written, for there it must be mended.
    At::new(node, raw.defined)
}

fn entry((key, value): (Spanned<String>, Spanned<Raw>), source: &str) -> Entry {
    Entry { key: At::new(key.value, key.defined), value: placed(value, source) }
}

/// Text that stands in the file character for character has no quotes and is no block.
fn style(text: &str, written: &str) -> Style {
    if text == written { Style::Plain } else { Style::Quoted }
}

/// The characters at a place of the file; empty when the place is unknown.
fn slice(source: &str, location: Location) -> &str {
    let span = location.span();
    let bounds = span.byte_offset().zip(span.byte_len());
    let slice = bounds.and_then(|(offset, len)| {
        let start = usize::try_from(offset).ok()?;
        source.get(start..start.checked_add(usize::try_from(len).ok()?)?)
    });
    slice.unwrap_or("").trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(node: &At<Node>) -> String {
        let inner = match &node.value {
            Node::Nothing => "~".to_owned(),
            Node::Scalar(Scalar { text, style: Style::Plain }) => text.clone(),
            Node::Scalar(Scalar { text, style: Style::Quoted }) => format!("{text:?}"),
            Node::List(items) => {
                format!("[{}]", items.iter().map(dump).collect::<Vec<_>>().join(", "))
            }
            Node::Map(entries) => {
                let line = |e: &Entry| {
                    let (line, column) = e.key.place();
                    format!("{}@{line}:{column}: {}", e.key.value, dump(&e.value))
                };
                format!("{{{}}}", entries.iter().map(line).collect::<Vec<_>>().join(", "))
            }
        };
        format!("{inner}@{}:{}", node.line, node.column)
    }

    #[test]
    fn scalars_stay_as_written_and_know_their_place() {
        let text = "a: [NO, \"SE\", 012, 5.0, true, 'it''s', ]\nb:\nc: {d: 1e3, ü: x} # note\n";
        let text = format!("{text}e: |\n  two\n  lines\n");
        let tree = parse("x.yaml", &text).unwrap();
        assert_eq!(
            dump(&tree),
            "{a@1:1: [NO@1:5, \"SE\"@1:9, 012@1:15, 5.0@1:20, true@1:25, \"it's\"@1:31]@1:4, \
             b@2:1: ~@2:2, c@3:1: {d@3:5: 1e3@3:8, ü@3:13: x@3:16}@3:4, \
             e@4:1: \"two\\nlines\\n\"@5:3}@1:1"
        );
    }

    #[test]
    fn merged_and_aliased_values_are_there() {
        let text =
            "shared:\n  again: &again { max: 007, kind: NO }\nstep:\n  <<: *again\n  own: *again\n";
        let tree = parse("x.yaml", text).unwrap();
        let seen = dump(&tree);
        assert!(
            seen.contains("step@3:1: {own@5:3: {max@2:19: 007@2:24, kind@2:29: NO@2:35}@2:17"),
            "{seen}"
        );
        assert!(seen.contains("max@2:19: 007@2:24, kind@2:29: NO@2:35}@4:3"), "{seen}");
    }

    #[test]
    fn what_is_not_yaml_is_refused_with_its_place() {
        let deep = "[".repeat(200);
        let many = "- a\n".repeat(30_000);
        let bomb = "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n\
                    c: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c]\n\
                    e: [*d, *d, *d, *d, *d, *d, *d, *d]\n";
        let large = "#".repeat(MAX_BYTES + 1);
        let cases: &[(&str, &str)] = &[
            ("a: 1\na: 2\n", "x.yaml:2:1: error[C001]: the key `a` is written twice in one map"),
            ("a: \"open\n", "error[C001]"),
            ("a: [1\nb: 2\n", "error[C001]"),
            ("a:\n\t- b\n", "x.yaml:2:2: error[C001]: line 2 begins with a tab: use blanks"),
            ("a:\n  b: 1\n\tc: 2\n", "error[C001]: line 3 begins with a tab: use blanks"),
            (
                "id: a\ntitle: Dental: five steps # of May\ndays: b\n",
                "\n  a text with `: ` needs quotes: title: \"Dental: five steps\"",
            ),
            ("a: 1\n---\nb: 2\n", "error[C001]"),
            ("a: *nowhere\n", "error[C001]"),
            (&deep, "error[C001]"),
            (&many, "error[C001]"),
            (bomb, "error[C001]"),
            (&large, "x.yaml: error[C001]: the file has 262145 bytes, more than 262144"),
        ];
        for (text, wanted) in cases {
            let found = parse("x.yaml", text).unwrap_err().to_string();
            assert!(found.contains(wanted), "{found}");
        }
    }

    #[test]
    fn an_empty_file_is_nothing() {
        assert_eq!(parse("x.yaml", "").unwrap().value, Node::Nothing);
    }
}
