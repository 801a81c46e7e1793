//! Values as YAML that every reader takes for the same.

/// A value to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number, or a word that needs no quotes.
    Plain(String),
    Text(String),
    List(Vec<Value>),
    /// In this order.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A list of texts.
    pub fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    /// A map with one key.
    pub fn one(key: &str, value: Self) -> Self {
        Self::Map(vec![(key.to_owned(), value)])
    }
}

/// A value on one line.
pub fn inline(value: &Value) -> String {
    match value {
        Value::Plain(text) => text.clone(),
        Value::Text(text) => scalar(text),
        Value::List(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Map(entries) => {
            let entry =
                |(key, value): &(String, Value)| format!("{}: {}", scalar(key), inline(value));
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A text as a scalar: as it is where every reader of YAML takes it for that text, else in quotes.
pub fn scalar(text: &str) -> String {
    if is_plain(text, "") { text.to_owned() } else { quoted(text) }
}

/// A text as a scalar that stands behind a key on its line, where a comma has no meaning.
pub fn scalar_on_its_own(text: &str) -> String {
    if is_plain(text, ",\"") { text.to_owned() } else { quoted(text) }
}

/// Whether no reader takes the text for anything but itself, with these signs in it, too.
fn is_plain(text: &str, signs: &str) -> bool {
    let mut letters = text.chars();
    let begins = match letters.next() {
        Some(c) if c.is_alphabetic() => true,
        // `3 business days`, but not `012`, `1e3` or `2026-03-02 10:00`.
        Some(c) if c.is_ascii_digit() => {
            let behind = text.trim_start_matches(|c: char| c.is_ascii_digit());
            behind.strip_prefix(' ').is_some_and(|unit| unit.starts_with(char::is_alphabetic))
        }
        Some(_) | None => false,
    };
    let fits = |c: char| c.is_alphanumeric() || " -_.+'()/!?%&@:*".contains(c) || signs.contains(c);
    let is_word_of_yaml = super::FALSE_FRIENDS.contains(&text.to_ascii_lowercase().as_str())
        || text.eq_ignore_ascii_case("null");
    begins
        && text.chars().all(fits)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !is_word_of_yaml
}

/// A text in quotes, on one line.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if needs_escape(c) && u32::from(c) <= 0xFFFF => {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c if needs_escape(c) => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What a reader may refuse, fold or drop: control characters, line ends of Unicode, marks of byte order,
/// and characters that are none.
fn needs_escape(c: char) -> bool {
    let is_none = u32::from(c) & 0xFFFE == 0xFFFE || ('\u{FDD0}'..='\u{FDEF}').contains(&c);
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}') || is_none
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::formats::yaml::{Node, parse};

    #[test]
    fn quotes_stand_only_where_a_reader_could_be_misled() {
        for (text, wanted) in [
            ("saas-outbound", "saas-outbound"),
            ("3 business days", "3 business days"),
            ("Will it work? Dana's view", "Will it work? Dana's view"),
            ("NO", "\"NO\""),
            ("null", "\"null\""),
            ("012", "\"012\""),
            ("14d-outbound", "\"14d-outbound\""),
            (">= 200", "\">= 200\""),
            ("a: b", "\"a: b\""),
            ("a, b", "\"a, b\""),
            ("08:00-11:00", "\"08:00-11:00\""),
            ("", "\"\""),
            ("two\nlines\u{7}", "\"two\\nlines\\u0007\""),
        ] {
            assert_eq!(scalar(text), wanted, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_back_as_it_was(text in any::<String>(), plain in "[a-z :#'!&*%?-]{1,12}") {
            for text in [text, plain] {
                let written = inline(&Value::List(vec![Value::one("k", Value::text(text.as_str()))]));
                let read = parse("x.yaml", &written).unwrap();
                let Node::List(items) = read.value else { panic!("{written}") };
                let Node::Map(entries) = &items[0].value else { panic!("{written}") };
                let Node::Scalar(scalar) = &entries[0].value.value else { panic!("{written}") };
                prop_assert_eq!(&scalar.text, &text, "{}", written);
                let written = format!("k: {}\n", scalar_on_its_own(&text));
                let Node::Map(entries) = parse("x.yaml", &written).unwrap().value else { panic!("{written}") };
                let Node::Scalar(scalar) = &entries[0].value.value else { panic!("{written}") };
                prop_assert_eq!(&scalar.text, &text, "{}", written);
            }
        }
    }
}
