//! From placed nodes to values, noting everything that is wrong on the way.

use crate::domain::time::Delay;
use crate::formats::diagnostic::{Diagnostic, Severity, did_you_mean};
use crate::formats::language::Section;
use crate::formats::length;
use crate::formats::rules::Rule;

use super::{At, Entry, Node, Style};

/// A line and a column.
pub type Place = (usize, usize);

/// Everything that was found in one file so far.
pub struct Findings<'a> {
    path: &'a str,
    list: Vec<Diagnostic>,
}

impl<'a> Findings<'a> {
    /// No finding yet in the file at this path.
    pub fn new(path: &'a str) -> Self {
        Self { path, list: Vec::new() }
    }

    /// The path of the file.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// Notes an error.
    pub fn error(&mut self, code: Rule, place: Place, message: impl Into<String>) {
        self.list.push(Diagnostic::error(code, self.path, place, message.into()));
    }

    /// Notes an error and what to do about it.
    pub fn error_with_hint(
        &mut self,
        code: Rule,
        place: Place,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let error = Diagnostic::error(code, self.path, place, message.into());
        self.list.push(error.with_hint(hint));
    }

    /// Notes a warning and what to do about it.
    pub fn warning(
        &mut self,
        code: Rule,
        place: Place,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let warning = Diagnostic::warning(code, self.path, place, message.into());
        self.list.push(warning.with_hint(hint));
    }

    /// Notes that a name is not known, with the nearest one that is, or with all if they are few.
    pub fn unknown<'k>(
        &mut self,
        code: Rule,
        place: Place,
        message: &str,
        wrong: &str,
        known: impl IntoIterator<Item = &'k str> + Clone,
    ) {
        const FEW: usize = 8;
        if let Some(near) = near(wrong, known.clone()) {
            return self.error(code, place, format!("{message}; did you mean `{near}`?"));
        }
        let known: Vec<&str> = known.into_iter().take(FEW + 1).collect();
        if known.is_empty() || known.len() > FEW {
            return self.error(code, place, message);
        }
        self.error_with_hint(code, place, message, format!("known here: {}", known.join(", ")));
    }

    /// The value with the warnings, or everything in the order of the file.
    pub fn conclude<T>(
        mut self,
        value: Option<T>,
    ) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
        self.list.sort_by_key(|finding| (finding.line, finding.column));
        // A mistake behind an anchor is found once for each alias.
        self.list.dedup();
        let broken = self.list.iter().any(|finding| finding.severity == Severity::Error);
        match value {
            Some(value) if !broken => Ok((value, self.list)),
            Some(_) | None => Err(self.list),
        }
    }
}

/// A map whose keys have been checked.
pub struct Map<'a> {
    entries: &'a [Entry],
    place: Place,
    section: &'static Section,
    /// Known keys that a misspelt one was probably meant to be: their absence is not told again.
    meant: Vec<&'static str>,
}

impl<'a> Map<'a> {
    /// The map at a node; unknown keys, unsupported keys and keys without a value are noted.
    pub fn open(
        node: &'a At<Node>,
        section: &'static Section,
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let Node::Map(entries) = &node.value else {
            let message =
                format!("{} is a map of keys and values, not {}", section.of, kind(&node.value));
            match section.sample() {
                Some(sample) => {
                    let hint = format!("such as {sample}");
                    findings.error_with_hint(Rule::C004, node.place(), message, hint);
                }
                None => findings.error(Rule::C004, node.place(), message),
            }
            return None;
        };
        let meant =
            entries.iter().filter_map(|entry| check_key(entry, section, findings)).collect();
        Some(Self { entries, place: node.place(), section, meant })
    }

    /// Where the map begins.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The value of a key, if there is one.
    pub fn get(&self, key: &str) -> Option<&'a At<Node>> {
        let entry = self.entries.iter().find(|entry| entry.key.value == key);
        entry.map(|entry| &entry.value).filter(|value| value.value != Node::Nothing)
    }

    /// The value of a key; its absence is noted with an example (C003).
    pub fn need(&self, key: &str, findings: &mut Findings<'_>) -> Option<&'a At<Node>> {
        const SHORT: usize = 60;
        let example = self.section.key(key).map_or("", |key| key.example);
        match example.len() <= SHORT && !example.is_empty() {
            true => self.need_as(key, &format!("such as `{key}: {example}`"), findings),
            false => self.need_as(key, "", findings),
        }
    }

    /// The value of a key; its absence is noted with what to write (C003).
    pub fn need_as(
        &self,
        key: &str,
        hint: &str,
        findings: &mut Findings<'_>,
    ) -> Option<&'a At<Node>> {
        if !self.has(key) && !self.meant.contains(&key) {
            let message = format!("{} needs `{key}`", self.section.of);
            match hint.is_empty() {
                true => findings.error(Rule::C003, self.place, message),
                false => findings.error_with_hint(Rule::C003, self.place, message, hint),
            }
        }
        self.get(key)
    }

    /// Whether the key is written, even without a value.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key.value == key)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the map has no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Notes that `format` does not name the kind and version of file that is being read (C006).
    pub fn check_format(&self, format: &str, findings: &mut Findings<'_>) {
        let Some(node) = self.need("format", findings) else { return };
        let Some(written) = text(node, "`format`", findings) else { return };
        if written.value != format {
            let message = format!("`format` is `{}`, not `{format}`", shortened(&written.value));
            findings.error(Rule::C006, node.place(), message);
        }
    }

    /// The `id`, which must be the name of the file (C100).
    pub fn file_id(&self, findings: &mut Findings<'_>) -> Option<At<String>> {
        let id = slug(self.need("id", findings)?, "the id", findings)?;
        let name = findings.path().rsplit(['/', '\\']).next().unwrap_or_default();
        let name = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(name);
        if name != id.value {
            let message = format!("the id is `{}`, but the file is `{name}`", id.value);
            findings.error(Rule::C100, id.place(), message);
        }
        Some(id)
    }

    /// Whether a misspelt key was probably meant to be one of these.
    pub fn is_meant(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.meant.contains(key))
    }

    /// How many of these keys are written.
    pub fn count(&self, keys: &[&str]) -> usize {
        keys.iter().filter(|key| self.has(key)).count()
    }
}

/// Notes what is wrong with a key; returns the known key that a misspelt one was meant to be.
fn check_key(
    entry: &Entry,
    section: &'static Section,
    findings: &mut Findings<'_>,
) -> Option<&'static str> {
    let key = entry.key.value.as_str();
    let place = entry.key.place();
    match section.key(key) {
        None => return unknown_key(entry, section, findings),
        Some(_) if entry.value.value == Node::Nothing => {
            findings.error(Rule::C004, place, format!("`{key}` has no value"));
        }
        Some(_) => {}
    }
    None
}

/// The networks that people write as a kind of step of their own.
const NETWORKS: [&str; 4] = ["facebook", "linkedin", "twitter", "xing"];

fn unknown_key(
    entry: &Entry,
    section: &'static Section,
    findings: &mut Findings<'_>,
) -> Option<&'static str> {
    let key = entry.key.value.as_str();
    let place = entry.key.place();
    let message = format!("{} has no key `{}`", section.of, shortened(key));
    if let Some(social) = section.key("social").filter(|_| NETWORKS.contains(&key)) {
        let act = act_of(&entry.value).unwrap_or("view");
        let meant = format!("did you mean `social: {{ network: {key}, act: {act} }}`?");
        findings.error(Rule::C002, place, format!("{message}; {meant}"));
        return Some(social.name);
    }
    let near = near(key, section.known());
    match near {
        Some(near) => {
            findings.error(Rule::C002, place, format!("{message}; did you mean `{near}`?"));
        }
        None => {
            let hint = format!("the keys are: {}", section.known().collect::<Vec<_>>().join(", "));
            findings.error_with_hint(Rule::C002, place, message, hint);
        }
    }
    near
}

/// What is to be done on a network: `connect`, or `{ act: connect }`.
fn act_of(node: &At<Node>) -> Option<&str> {
    let text = match &node.value {
        Node::Scalar(scalar) => scalar.text.trim(),
        Node::Map(entries) => {
            let act = entries.iter().find(|entry| entry.key.value == "act")?;
            return act_of(&act.value);
        }
        Node::List(_) | Node::Nothing => return None,
    };
    is_slug(text).then_some(text)
}

/// The known name that was meant. A name of ours is short, so a long text is not compared at all.
pub fn near<'k>(wrong: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if wrong.len() > 64 { None } else { did_you_mean(wrong, known) }
}

/// Notes a part of the language that this version does not run (C900).
pub fn not_yet(what: &str, place: Place, findings: &mut Findings<'_>) {
    let message = format!(
        "`{what}` is part of the language, but this version of firsttouch does not run it yet"
    );
    findings.error(Rule::C900, place, message);
}

/// The entries of a map whose keys are free, such as step ids.
pub fn entries<'a>(
    node: &'a At<Node>,
    what: &str,
    findings: &mut Findings<'_>,
) -> Option<&'a [Entry]> {
    match &node.value {
        Node::Map(entries) => Some(entries),
        other => {
            let message = format!("{what} is a map of keys and values, not {}", kind(other));
            findings.error(Rule::C004, node.place(), message);
            None
        }
    }
}

/// The items of a list.
pub fn items<'a>(
    node: &'a At<Node>,
    what: &str,
    findings: &mut Findings<'_>,
) -> Option<&'a [At<Node>]> {
    match &node.value {
        Node::List(items) => Some(items),
        other => {
            let message = format!("{what} is a list, not {}", kind(other));
            let hint = format!("write it as [{}]", as_item(other));
            findings.error_with_hint(Rule::C004, node.place(), message, hint);
            None
        }
    }
}

/// The user's own value as it would stand in a list.
fn as_item(node: &Node) -> String {
    match node {
        Node::Scalar(scalar) if scalar.text.trim().is_empty() => "a, b".to_owned(),
        Node::Scalar(scalar) if scalar.style == Style::Quoted => {
            format!("\"{}\"", shortened(scalar.text.trim()))
        }
        Node::Scalar(scalar) => shortened(scalar.text.trim()),
        Node::Nothing | Node::List(_) | Node::Map(_) => "a, b".to_owned(),
    }
}

/// A text that is not blank.
pub fn text(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Option<At<String>> {
    let (line, column) = node.place();
    match &node.value {
        Node::Scalar(scalar) if !scalar.text.trim().is_empty() => {
            Some(At { value: scalar.text.trim().to_owned(), line, column })
        }
        other => {
            findings.error(
                Rule::C004,
                node.place(),
                format!("{what} is a text, not {}", kind(other)),
            );
            None
        }
    }
}

/// The texts of a list that is not empty.
pub fn texts(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Vec<At<String>> {
    let items = items(node, what, findings).unwrap_or(&[]);
    if matches!(&node.value, Node::List(items) if items.is_empty()) {
        findings.error(Rule::C004, node.place(), format!("{what} is empty"));
    }
    let line = format!("a line of {what}");
    items.iter().filter_map(|item| text(item, &line, findings)).collect()
}

/// One word out of a closed set.
pub fn word<T: Clone>(
    node: &At<Node>,
    what: &str,
    words: &[(&'static str, T)],
    findings: &mut Findings<'_>,
) -> Option<T> {
    let written = text(node, what, findings)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == written.value) {
        return Some(value.clone());
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let wrong = shortened(&written.value);
    let message = format!("{what} is one of {}, not `{wrong}`", names.join(", "));
    let message = match near(&written.value, names) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message,
    };
    findings.error(Rule::C004, node.place(), message);
    None
}

/// A whole number within bounds, both included.
pub fn number(
    node: &At<Node>,
    what: &str,
    bounds: (i64, i64),
    findings: &mut Findings<'_>,
) -> Option<i64> {
    let written = text(node, what, findings)?;
    let (least, most) = bounds;
    match written.value.parse::<i64>() {
        Ok(number) if (least..=most).contains(&number) => Some(number),
        Ok(_) | Err(_) => {
            let wrong = shortened(&written.value);
            let message = format!("{what} is a whole number from {least} to {most}, not `{wrong}`");
            findings.error(Rule::C004, node.place(), message);
            None
        }
    }
}

/// A count from 1 to `most`.
pub fn count(node: &At<Node>, what: &str, most: u32, findings: &mut Findings<'_>) -> Option<u32> {
    let number = number(node, what, (1, i64::from(most)), findings)?;
    u32::try_from(number).ok()
}

/// A length of time (C005 when it is none); may be zero.
pub fn delay(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Option<Delay> {
    let written = text(node, what, findings)?;
    match length::delay(&shortened(&written.value)) {
        Ok(delay) => Some(delay),
        Err(error) => {
            findings.error(Rule::C005, node.place(), error.to_string());
            None
        }
    }
}

/// A length of time that is not zero.
pub fn some_delay(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Option<Delay> {
    let delay = delay(node, what, findings)?;
    if delay.amount == 0 {
        findings.error(Rule::C005, node.place(), format!("{what} is no time at all"));
        return None;
    }
    Some(delay)
}

/// A name: lower-case letters, digits, `-` and `_`, beginning with a letter or a digit.
pub fn slug(node: &At<Node>, what: &str, findings: &mut Findings<'_>) -> Option<At<String>> {
    let written = text(node, what, findings)?;
    if is_slug(&written.value) {
        return Some(written);
    }
    let message = format!("{what} `{}` is not a name", shortened(&written.value));
    let hint = "use lower-case letters, digits, - and _, at most 64 of them";
    findings.error_with_hint(Rule::C004, node.place(), message, hint);
    None
}

/// Whether a text can be a name.
pub fn is_slug(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    first && text.len() <= 64 && text.bytes().all(fits)
}

/// Whether a scalar has no quotes around it.
pub fn is_plain(node: &At<Node>) -> bool {
    matches!(&node.value, Node::Scalar(scalar) if scalar.style == Style::Plain)
}

/// A bad value at a length that fits a message.
pub fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() <= MOST && line.len() == text.len() {
        return text.to_owned();
    }
    let head: String = line.chars().take(MOST).collect();
    format!("{head}…")
}

fn kind(node: &Node) -> &'static str {
    match node {
        Node::Nothing => "nothing",
        Node::Scalar(scalar) if scalar.text.trim().is_empty() => "an empty text",
        Node::Scalar(_) => "a single word or text",
        Node::List(_) => "a list",
        Node::Map(_) => "a map",
    }
}
