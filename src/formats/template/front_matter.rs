//! What stands between the two `---` lines at the top of a template.

use crate::formats::rules::Rule;
use serde::Deserialize;
use serde_saphyr::{DefaultMessageFormatter, MessageFormatter, Spanned};

use super::place::{Origin, Place};
use crate::formats::diagnostic::Diagnostic;

/// A piece of a template file and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub text: String,
    pub origin: Origin,
}

/// The head of a template.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FrontMatter {
    pub subject: Option<Placed>,
    /// What mail programs show beside the subject.
    pub preview: Option<Placed>,
    pub needs: Vec<Placed>,
    pub language: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    subject: Option<Spanned<String>>,
    preview: Option<Spanned<String>>,
    #[serde(default)]
    needs: Vec<Spanned<String>>,
    language: Option<String>,
}

const FENCE: &str = "---";
const KEYS: [&str; 4] = ["subject:", "preview:", "needs:", "language:"];
const MAX_NEEDS: usize = 50;

/// Cuts a template file (with `\n` line ends) into its head and its body.
pub(super) fn split(path: &str, text: &str) -> Result<(FrontMatter, Placed), Diagnostic> {
    let mut lines = text.split_inclusive('\n');
    if lines.next().is_none_or(|first| first.trim_end() != FENCE) {
        if let Some(line) = misplaced(text) {
            let message = "this looks like a head, but a head begins on line 1".to_owned();
            let hint = "move it up, or delete what stands above it; else it would be sent as text";
            return Err(Diagnostic::error(Rule::T105, path, (line, 1), message).with_hint(hint));
        }
        let body = Placed { text: text.to_owned(), origin: Origin::START };
        return Ok((FrontMatter::default(), body));
    }
    let yaml_lines = lines.clone().take_while(|line| line.trim_end() != FENCE).count();
    let yaml: String = lines.by_ref().take(yaml_lines).collect();
    if lines.next().is_none() {
        let message = "the `---` on line 1 is never closed by a second `---`".to_owned();
        return Err(Diagnostic::error(Rule::T105, path, (1, 1), message));
    }
    let origin = Origin(Place { line: yaml_lines + 3, column: 1 });
    Ok((read(path, &yaml)?, Placed { text: lines.collect(), origin }))
}

/// The line of a head with nothing but blank lines and comments above it, or with blanks before it.
fn misplaced(text: &str) -> Option<usize> {
    let is_nothing = |line: &str| {
        let line = line.trim();
        line.is_empty() || (line.starts_with("{{!") && line.ends_with("}}"))
    };
    let above = text.lines().take_while(|line| is_nothing(line)).count();
    let mut rest = text.lines().skip(above);
    let begins = rest.next()?.trim() == FENCE;
    let mut inside = rest.take_while(|line| line.trim() != FENCE);
    let is_key = |line: &str| KEYS.iter().any(|key| line.trim_start().starts_with(key));
    (begins && inside.any(is_key)).then_some(above + 1)
}

fn read(path: &str, yaml: &str) -> Result<FrontMatter, Diagnostic> {
    if yaml.trim().is_empty() {
        return Ok(FrontMatter::default());
    }
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_nodes: 200, max_depth: 8, max_aliases: 0, max_anchors: 0 },
    };
    let keys: Keys =
        serde_saphyr::from_str_with_options(yaml, options).map_err(|error| refuse(path, &error))?;
    if keys.needs.len() > MAX_NEEDS {
        let message = format!("`needs` names more than {MAX_NEEDS} fields");
        return Err(Diagnostic::error(Rule::T105, path, (2, 0), message));
    }
    Ok(FrontMatter {
        subject: keys.subject.map(|subject| place(yaml, subject)),
        preview: keys.preview.map(|preview| place(yaml, preview)),
        needs: keys.needs.into_iter().map(|field| place(yaml, field)).collect(),
        language: keys.language,
    })
}

fn refuse(path: &str, error: &serde_saphyr::Error) -> Diagnostic {
    let error = error.without_snippet();
    let location = error.location();
    let at = location.map_or((2, 0), |at| (as_index(at.line()) + 1, as_index(at.column())));
    let message = DefaultMessageFormatter.format_message(error).into_owned();
    let hint =
        "known keys are subject, preview, needs and language; quote a subject: \"{{first_name}}\"";
    Diagnostic::error(Rule::T105, path, at, message).with_hint(hint)
}

/// The value with the place of its first character in the file, behind the opening quote.
fn place(yaml: &str, value: Spanned<String>) -> Placed {
    let at = value.referenced;
    let start = Place { line: as_index(at.line()).max(1), column: as_index(at.column()).max(1) };
    let quoted = yaml.get(start.offset(yaml)..).is_some_and(|rest| rest.starts_with(['"', '\'']));
    let column = start.column + usize::from(quoted);
    Placed { text: value.value, origin: Origin(Place { line: start.line + 1, column }) }
}

fn as_index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(text: &str, line: usize, column: usize) -> Placed {
        Placed { text: text.to_owned(), origin: Origin(Place { line, column }) }
    }

    #[test]
    fn a_head_is_read_with_the_place_of_every_value() {
        let text = "---\nsubject: \"{{company.short}}\"\nneeds: [first_name, trigger]\nlanguage: en\n---\nHi\n";
        let (head, body) = split("t.hbs", text).expect("a good head");
        let needs = vec![placed("first_name", 3, 9), placed("trigger", 3, 21)];
        let subject = Some(placed("{{company.short}}", 2, 11));
        let language = Some("en".to_owned());
        assert_eq!(head, FrontMatter { subject, preview: None, needs, language });
        assert_eq!(body, placed("Hi\n", 6, 1));
    }

    #[test]
    fn a_head_is_optional_and_may_be_empty() {
        let cases = [("Hi", placed("Hi", 1, 1)), ("---\n---\nHi", placed("Hi", 3, 1))];
        for (text, body) in cases {
            assert_eq!(split("t.hbs", text), Ok((FrontMatter::default(), body)));
        }
    }

    #[test]
    fn a_bad_head_is_refused_at_its_place() {
        let cases = [
            ("---\nsubject: x\n", (1, 1), "never closed"),
            ("---\nsubjcet: x\n---\n", (2, 1), "subjcet"),
            ("---\nlanguage: en\nsubject: {{first_name}}\n---\n", (3, 10), ""),
            ("---\nneeds: first_name\n---\n", (2, 8), ""),
            ("---\nsubject: a\nsubject: b\n---\n", (3, 1), "subject"),
        ];
        for (text, at, message) in cases {
            let finding = split("t.hbs", text).expect_err(text);
            assert_eq!(
                (finding.code.as_str(), finding.line, finding.column),
                ("T105", at.0, at.1),
                "{finding}"
            );
            assert!(finding.message.contains(message), "{finding}");
        }
    }
}
