//! A template and one person become a text, or an error that says what is missing.

use std::collections::BTreeMap;
use std::io;

use handlebars::{Handlebars, RenderErrorReason};
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::helpers::LANGUAGE_KEY;
use crate::domain::facts::Facts;

/// The longest subject, in characters.
const MAX_SUBJECT_CHARS: usize = 150;
/// The longest text, in bytes.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// Everything that a template may say to one person.
#[derive(Debug, Clone, Default)]
pub struct Context {
    pub facts: Facts,
    /// Who writes: `first_name`, `last_name`, `title`, `company`, `phone`, `calendar_link`.
    pub sender: BTreeMap<String, String>,
    /// Who looks after the person; the same names.
    pub owner: BTreeMap<String, String>,
    /// `profile.say.*` of the profile that matched.
    pub say: BTreeMap<String, String>,
    /// The profile's language, such as `en`; absent is English.
    pub language: Option<String>,
    /// The day and the kind (`email`, `call`, `social`) of the last touch.
    pub last_touch: Option<(Date, String)>,
    pub today: Date,
}

/// What a person gets to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line without control characters, at most 150 characters.
    pub subject: Option<String>,
    /// What mail programs show beside the subject, as one line.
    pub preview: Option<String>,
    /// Lines end in `\n`; no other control character but the tab.
    pub text: String,
}

/// Why a template could not be rendered for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error(
        "`{0}` is not known: fill it in, or give the template a fallback with {{{{default {0} \"…\"}}}}"
    )]
    MissingField(String),
    #[error("there is no template `{0}`: add templates/{0}.hbs or correct the name in the cadence")]
    UnknownTemplate(String),
    #[error("template `{template}` cannot be rendered: {reason}")]
    Failed { template: String, reason: String },
}

/// The context as the template engine reads it. Blank values are absent, so that strict mode stops at them.
pub(super) fn data(context: &Context) -> Value {
    let mut data = Map::new();
    for (name, value) in context.facts.iter() {
        insert(&mut data, name, value);
    }
    for (root, values) in [("sender", &context.sender), ("owner", &context.owner)] {
        data.insert(root.to_owned(), object(values));
    }
    let say = Map::from_iter([("say".to_owned(), object(&context.say))]);
    data.insert("profile".to_owned(), Value::Object(say));
    data.insert("today".to_owned(), Value::String(context.today.to_string()));
    let last_touch = context.last_touch.iter().flat_map(|(date, kind)| {
        [("date".to_owned(), date.to_string()), ("kind".to_owned(), kind.clone())]
    });
    data.insert("last_touch".to_owned(), object(&last_touch.collect()));
    if let Some(language) = &context.language {
        data.insert(LANGUAGE_KEY.to_owned(), Value::String(language.clone()));
    }
    lift_own_columns(&mut data);
    Value::Object(data)
}

/// `company.name` becomes `name` in the object `company`; a column's slug may hold anything.
fn insert(data: &mut Map<String, Value>, name: &str, value: &str) {
    let value = Value::String(value.to_owned());
    let Some((root, field)) = name.split_once('.') else {
        data.insert(name.to_owned(), value);
        return;
    };
    let object = data.entry(root).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(object) = object {
        object.insert(field.to_owned(), value);
    }
}

fn object(values: &BTreeMap<String, String>) -> Value {
    let known = values.iter().filter(|(_, value)| !value.trim().is_empty());
    Value::Object(known.map(|(name, value)| (name.clone(), value.clone().into())).collect())
}

/// A list's own column is also found without `x.`, unless a field of ours has that name.
fn lift_own_columns(data: &mut Map<String, Value>) {
    let Some(Value::Object(own)) = data.get("x").cloned() else { return };
    for (slug, value) in own {
        data.entry(slug).or_insert(value);
    }
}

/// Whether the data has a value for a name such as `company.short`.
pub(super) fn has(data: &Value, name: &str) -> bool {
    value(data, name).is_some()
}

/// The value of a name such as `company.short`; blank ones are not there.
pub(super) fn value<'a>(data: &'a Value, name: &str) -> Option<&'a str> {
    let found = name.split('.').try_fold(data, |object, key| object.get(key));
    found.and_then(Value::as_str)
}

/// Renders one registered piece of a template.
pub(super) fn render_piece(
    registry: &Handlebars<'_>,
    piece: &str,
    template: &str,
    data: &handlebars::Context,
) -> Result<String, RenderError> {
    let failed = |reason: String| RenderError::Failed { template: template.to_owned(), reason };
    let mut out = Capped(Vec::new());
    registry.render_with_context_to_write(piece, data, &mut out).map_err(|error| {
        match error.reason() {
            RenderErrorReason::MissingVariable(Some(field)) => {
                RenderError::MissingField(field.clone())
            }
            reason => failed(reason.to_string()),
        }
    })?;
    String::from_utf8(out.0).map_err(|error| failed(error.to_string()))
}

/// A buffer that refuses to grow without end.
struct Capped(Vec<u8>);

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_TEXT_BYTES {
            return Err(io::Error::other("the text is longer than 256 KiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One line: control characters and runs of blanks become a blank.
pub(super) fn clean_subject(subject: &str) -> String {
    let plain: String = subject.chars().map(|c| if breaks_line(c) { ' ' } else { c }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let capped: String = plain.chars().take(MAX_SUBJECT_CHARS).collect();
    capped.trim_end().to_owned()
}

fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Lines without trailing blanks or control characters, and never more than one blank line in a row.
pub(super) fn clean_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    let text: String =
        text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.dedup_by(|next, one| next.is_empty() && one.is_empty());
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_short_line() {
        let long = "é".repeat(200);
        let cases = [
            ("Hi\r\nBcc: everybody@example.test", "Hi Bcc: everybody@example.test"),
            (" a\u{0}\u{1b}[31m  b\u{2028}c ", "a [31m b c"),
            (long.as_str(), &"é".repeat(150)),
            ("", ""),
        ];
        for (subject, clean) in cases {
            assert_eq!(clean_subject(subject), clean);
        }
    }

    #[test]
    fn a_text_has_no_stray_blanks_and_control_characters() {
        let text = "\n\nHi,  \r\n\r\n\r\n\n  indented\ttab\u{7}\rend\n\n";
        assert_eq!(clean_text(text), "Hi,\n\n  indented\ttab\nend");
    }

    #[test]
    fn the_data_has_own_columns_with_and_without_their_prefix() {
        let fields = [
            ("first_name", "Dana"),
            ("company.short", "Acme"),
            ("x.trigger", "hiring"),
            ("x.first_name", "wrong"),
            ("x.company", "wrong"),
            ("x.sender", "wrong"),
            ("x.blank", " "),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let context = Context { facts: Facts::from_iter(fields), ..Context::default() };
        let data = data(&context);
        assert_eq!(data["first_name"], "Dana");
        assert_eq!(data["trigger"], "hiring");
        assert_eq!(data["x"]["first_name"], "wrong");
        assert!(has(&data, "company.short") && !has(&data, "company") && !has(&data, "blank"));
        assert!(data["sender"].is_object());
    }
}
