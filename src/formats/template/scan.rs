//! A first look at a template's text, before any parser sees it: bounds, and habits of other tools.

use super::place::{Origin, Place};
use crate::formats::diagnostic::Diagnostic;
use crate::formats::rules::Rule;

/// The longest source that is read, in bytes.
pub(super) const MAX_SOURCE_BYTES: usize = 64 * 1024;
// The parser recurses on brackets and blocks and scans ahead from each tag: these keep it within any stack and within
// milliseconds, far above what a mail needs.
const MAX_TAGS: usize = 300;
const MAX_BRACKETS: usize = 200;

/// What the first look found.
pub(super) struct Scan {
    pub findings: Vec<Diagnostic>,
    /// Whether the text may be given to the parser.
    pub parseable: bool,
}

/// Looks at a text without parsing it.
pub(super) fn scan(path: &str, text: &str, origin: Origin) -> Scan {
    let at = |offset| origin.of(Place::at(text, offset));
    let bounds = out_of_bounds(text);
    if let Some((offset, message)) = bounds {
        let finding = Diagnostic::error(Rule::T103, path, at(offset), message);
        return Scan { findings: vec![finding], parseable: false };
    }
    let pipes: Vec<Diagnostic> = segments(text)
        .filter_map(|segment| match segment {
            Segment::Tag { start, inner } => Some((start, foreign_filter(inner)?)),
            Segment::Text { .. } => None,
        })
        .map(|(start, hint)| {
            let message = "a value cannot be followed by `|` here".to_owned();
            Diagnostic::error(Rule::T100, path, at(start), message).with_hint(hint)
        })
        .collect();
    let parseable = pipes.is_empty();
    let braces = segments(text).filter_map(|segment| match segment {
        Segment::Text { start, text } => Some((start, text)),
        Segment::Tag { .. } => None,
    });
    let braces = braces.flat_map(|(start, text)| single_braces(text, start));
    let braces = braces.filter_map(|(start, inner)| brace_finding(path, at(start), inner));
    Scan { findings: pipes.into_iter().chain(braces).collect(), parseable }
}

/// What makes a text unfit for the parser, and where.
fn out_of_bounds(text: &str) -> Option<(usize, String)> {
    if text.len() > MAX_SOURCE_BYTES {
        let size = text.len();
        let message = format!("the text has {size} bytes; at most {MAX_SOURCE_BYTES} are read");
        return Some((0, message));
    }
    // With these two out of the way, a `{{` always opens a tag.
    if let Some(offset) = text.find("\\{{") {
        return Some((offset, "a backslash before `{{` is not supported".to_owned()));
    }
    if let Some(offset) = text.find("{{{{") {
        return Some((offset, "raw blocks (`{{{{`) are not supported".to_owned()));
    }
    if let Some((offset, _)) = text.match_indices("{{").nth(MAX_TAGS) {
        return Some((offset, format!("the text has more than {MAX_TAGS} `{{{{` tags")));
    }
    if let Some((offset, _)) = text.match_indices(['(', '[']).nth(MAX_BRACKETS) {
        return Some((offset, format!("the text has more than {MAX_BRACKETS} brackets")));
    }
    let braces = text.match_indices('{').nth(2 * MAX_TAGS + MAX_BRACKETS);
    braces.map(|(offset, _)| (offset, "the text has too many braces".to_owned()))
}

/// A stretch of text or the inside of one `{{…}}`.
#[derive(Debug, PartialEq)]
enum Segment<'a> {
    Text { start: usize, text: &'a str },
    Tag { start: usize, inner: &'a str },
}

/// The text cut into its segments; an unclosed tag reaches to the end.
fn segments(text: &str) -> impl Iterator<Item = Segment<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let here = start;
        let Some(inside) = rest.strip_prefix("{{") else {
            let length = rest.find("{{").unwrap_or(rest.len());
            start += length;
            return Some(Segment::Text { start: here, text: &rest[..length] });
        };
        let closing = if inside.starts_with("!--") { "--}}" } else { "}}" };
        let length = inside.find(closing).unwrap_or(inside.len());
        start += (2 + length + closing.len()).min(rest.len());
        Some(Segment::Tag { start: here, inner: &inside[..length] })
    })
}

/// Advice for `{{first_name|there}}` and `{{ first_name | default: "there" }}`.
fn foreign_filter(inner: &str) -> Option<String> {
    let (name, rest) = inner.split_once('|')?;
    let name = name.trim();
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let word = rest.trim().trim_start_matches("default").trim_start_matches([':', '=', ' ']);
    let word = word.trim().trim_matches(['"', '\'']).replace('"', "'");
    let word = if word.is_empty() { "there" } else { word.as_str() };
    Some(format!("write {{{{default {name} \"{word}\"}}}}"))
}

/// Every `{…}` on one line of a text that holds no tags, with its offset in the file's text.
fn single_braces(text: &str, start: usize) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('{').filter_map(move |(offset, _)| {
        let inside = text.get(offset + 1..)?;
        let inside = inside.get(..inside.find(['{', '}', '\n'])?)?;
        let closed = text[offset + 1 + inside.len()..].starts_with('}');
        closed.then_some((start + offset, inside))
    })
}

/// What is wrong with a group in single braces, if it looks like another tool's syntax.
fn brace_finding(path: &str, at: (usize, usize), inside: &str) -> Option<Diagnostic> {
    if inside.contains('|') {
        let message = format!("spintax `{{{inside}}}` makes texts that nobody has read");
        let hint = "write two or three whole templates and share them out with `split:`";
        return Some(Diagnostic::error(Rule::T106, path, at, message).with_hint(hint));
    }
    let field = inside.trim().to_lowercase().replace(' ', "_");
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    if field.is_empty() || !field.chars().all(is_name) {
        return None;
    }
    let message = format!("`{{{inside}}}` in single braces would be sent as it stands");
    let hint = format!("write {{{{{field}}}}}");
    Some(Diagnostic::error(Rule::T100, path, at, message).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let scan = scan("t.hbs", text, Origin::START);
        scan.findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn habits_of_other_tools_are_named_with_what_to_write_instead() {
        let cases = [
            (
                "Hi {{first_name|there}}",
                "t.hbs:1:4: error[T100]: a value cannot be followed by `|` here\n  write {{default first_name \"there\"}}",
            ),
            (
                "Hi\n{{ first_name | default: 'friend' }}",
                "t.hbs:2:1: error[T100]: a value cannot be followed by `|` here\n  write {{default first_name \"friend\"}}",
            ),
            (
                "Grüße {First Name},",
                "t.hbs:1:7: error[T100]: `{First Name}` in single braces would be sent as it stands\n  write {{first_name}}",
            ),
            (
                "{Hi|Hello} {{first_name}}",
                "t.hbs:1:1: error[T106]: spintax `{Hi|Hello}` makes texts that nobody has read\n  write two or three whole templates and share them out with `split:`",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(findings(text), [expected], "{text}");
        }
    }

    #[test]
    fn ordinary_text_has_no_findings() {
        for text in [
            "",
            "Hi {{first_name}}, see {curly, braces} and {} and {",
            "{{!-- {Hi|Hello} {{first_name|there}} --}}",
            "{{#if (eq title \"CEO\")}}a{{/if}}",
            "a | b",
        ] {
            assert_eq!(findings(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn what_would_strain_the_parser_never_reaches_it() {
        let hostile = [
            "x".repeat(MAX_SOURCE_BYTES + 1),
            "{{#if a}}".repeat(MAX_TAGS + 1),
            format!("{{{{{}", "(a ".repeat(MAX_BRACKETS + 1)),
            format!("{{{{x {}", "{\"a\":".repeat(2 * MAX_TAGS + MAX_BRACKETS + 1)),
            "\\{{first_name}}".to_owned(),
            "{{{{raw}}}} {{{{/raw}}}}".to_owned(),
        ];
        for text in hostile {
            let scan = scan("t.hbs", &text, Origin::START);
            assert!(!scan.parseable);
            assert_eq!(scan.findings.len(), 1);
            assert_eq!(scan.findings[0].code, "T103");
        }
    }

    #[test]
    fn segments_cover_the_text_whatever_is_unclosed() {
        let cut: Vec<Segment<'_>> = segments("a{{b}}c{{!-- }} --}}{{d").collect();
        let expected = [
            Segment::Text { start: 0, text: "a" },
            Segment::Tag { start: 1, inner: "b" },
            Segment::Text { start: 6, text: "c" },
            Segment::Tag { start: 7, inner: "!-- }} " },
            Segment::Tag { start: 20, inner: "d" },
        ];
        assert_eq!(cut, expected);
    }
}
