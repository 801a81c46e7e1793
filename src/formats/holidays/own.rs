//! Days off that a team writes down itself, in YAML.

use std::borrow::Cow;

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use crate::domain::holidays::Days;
use crate::formats::diagnostic::did_you_mean;
use crate::formats::yaml::{self, At, Entry, Node};

/// The most days of one file, those of events of several days and of each year counted out.
const MAX_DAYS: usize = 10_000;

/// The most mistakes of one file that are told.
const MAX_TOLD: usize = 20;

/// What cannot be read, each with its line.
#[derive(Default)]
pub(super) struct Mistakes(Vec<String>);

impl Mistakes {
    /// Notes a mistake; line 0 is the whole file.
    pub(super) fn add(&mut self, line: usize, what: impl AsRef<str>) {
        if self.0.len() < MAX_TOLD {
            let what = what.as_ref();
            self.0.push(if line == 0 { what.to_owned() } else { format!("{line}: {what}") });
        }
    }

    /// The days, when nothing is wrong.
    pub(super) fn conclude(self, days: Days) -> Result<Days, Vec<String>> {
        if self.0.is_empty() { Ok(days) } else { Err(self.0) }
    }
}

/// Adds a day; several names on one day are all kept.
pub(super) fn add(
    days: &mut Days,
    day: Date,
    name: Cow<'static, str>,
    line: usize,
    mistakes: &mut Mistakes,
) {
    if days.len() >= MAX_DAYS {
        return mistakes.add(line, format!("the file has more than {MAX_DAYS} days"));
    }
    let known = days.entry(day).or_default();
    if known.is_empty() {
        *known = name;
    } else if !name.is_empty() && *known != name {
        known.to_mut().push_str(&format!(" / {name}"));
    }
}

/// Reads `dates: [{ on: 2026-12-24, name: … }, { from: …, to: …, name: … }]`.
///
/// # Errors
/// Everything that is wrong, each with its line.
pub fn parse(text: &str) -> Result<Days, Vec<String>> {
    let mut mistakes = Mistakes::default();
    let mut days = Days::new();
    match yaml::parse("", text) {
        Err(finding) => mistakes.add(finding.line, finding.message),
        Ok(root) => file(&root, &mut days, &mut mistakes),
    }
    mistakes.conclude(days)
}

fn file(root: &At<Node>, days: &mut Days, mistakes: &mut Mistakes) {
    const SHAPE: &str =
        "days off are written as `dates: [{ on: 2026-12-24, name: Christmas Eve }]`";
    let Node::Map(entries) = &root.value else { return mistakes.add(root.line, SHAPE) };
    check_keys(entries, &["dates"], mistakes);
    match entries.iter().find(|entry| entry.key.value == "dates").map(|entry| &entry.value) {
        Some(At { value: Node::List(items), .. }) => {
            items.iter().for_each(|item| one(item, days, mistakes));
        }
        Some(other) => mistakes.add(other.line, SHAPE),
        None => mistakes.add(root.line, SHAPE),
    }
}

fn one(item: &At<Node>, days: &mut Days, mistakes: &mut Mistakes) {
    let entries = match &item.value {
        Node::Map(entries) => entries,
        // A date alone is a day without a name.
        Node::Scalar(_) => {
            if let Some(day) = date(item, mistakes) {
                add(days, day, Cow::Borrowed(""), item.line, mistakes);
            }
            return;
        }
        Node::Nothing | Node::List(_) => {
            return mistakes.add(item.line, "a day is `{ on: 2026-12-24, name: … }`");
        }
    };
    check_keys(entries, &["on", "from", "to", "name"], mistakes);
    let value = |key: &str| entries.iter().find(|e| e.key.value == key).map(|e| &e.value);
    let mut day = |key: &str| value(key).map(|node| date(node, mistakes));
    let (first, last) = match (day("on"), day("from"), day("to")) {
        (Some(on), None, None) => (on, on),
        (None, Some(from), Some(to)) => (from, to),
        _ => {
            let told = "a day has `on`, several have `from` and `to`";
            return mistakes.add(item.line, told);
        }
    };
    let (Some(first), Some(last)) = (first, last) else { return };
    let name = match value("name").map(|node| &node.value) {
        None | Some(Node::Nothing) => String::new(),
        Some(Node::Scalar(name)) => name.text.clone(),
        Some(Node::List(_) | Node::Map(_)) => return mistakes.add(item.line, "`name` is a text"),
    };
    if last < first || last > first.saturating_add(Span::new().days(366)) {
        return mistakes.add(item.line, format!("from {first} to {last} is not up to a year"));
    }
    for day in first.series(1.day()).take_while(|day| *day <= last) {
        add(days, day, Cow::Owned(name.clone()), item.line, mistakes);
    }
}

fn check_keys(entries: &[Entry], known: &[&str], mistakes: &mut Mistakes) {
    for entry in entries.iter().filter(|entry| !known.contains(&entry.key.value.as_str())) {
        let key = &entry.key.value;
        let near = did_you_mean(key, known.iter().copied());
        let near = near.map_or_else(
            || format!("; known here: {}", known.join(", ")),
            |near| format!("; did you mean `{near}`?"),
        );
        mistakes.add(entry.key.line, format!("unknown key `{key}`{near}"));
    }
}

fn date(node: &At<Node>, mistakes: &mut Mistakes) -> Option<Date> {
    let text = match &node.value {
        Node::Scalar(scalar) => scalar.text.as_str(),
        Node::Nothing | Node::List(_) | Node::Map(_) => "",
    };
    let date = text.parse().ok();
    if date.is_none() {
        mistakes.add(node.line, format!("`{text}` is not a date; write dates like 2026-12-24"));
    }
    date
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_stretches_have_names() {
        let text = "dates:\n  - { on: 2026-12-24, name: Christmas Eve }\n  - { from: 2027-12-30, to: 2028-01-01, \
                    name: Works holiday }\n  - 2028-02-29\n  - { on: 2026-12-24, name: Party }\n";
        let days = parse(text).unwrap();
        let all: Vec<String> = days.iter().map(|(day, name)| format!("{day} {name}")).collect();
        assert_eq!(
            all,
            [
                "2026-12-24 Christmas Eve / Party",
                "2027-12-30 Works holiday",
                "2027-12-31 Works holiday",
                "2028-01-01 Works holiday",
                "2028-02-29 ",
            ]
        );
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_line() {
        for (text, told) in [
            ("dates:\n  - { on: 24.12.2026 }\n", "2: `24.12.2026` is not a date"),
            ("dates:\n  - { one: 2026-12-24 }\n", "2: unknown key `one`; did you mean `on`?"),
            (
                "dates:\n  - { from: 2026-12-24 }\n",
                "2: a day has `on`, several have `from` and `to`",
            ),
            (
                "dates:\n  - { from: 2026-12-24, to: 2026-12-23 }\n",
                "2: from 2026-12-24 to 2026-12-23",
            ),
            (
                "dates:\n  - { from: 2026-12-24, to: 2036-12-23 }\n",
                "2: from 2026-12-24 to 2036-12-23",
            ),
            ("dates:\n  - { on: 2026-02-29 }\n", "2: `2026-02-29` is not a date"),
            ("days: []\n", "1: unknown key `days`; did you mean `dates`?"),
            ("- 2026-12-24\n", "1: days off are written as"),
            ("dates: [", "1: "),
        ] {
            let wrong = parse(text).unwrap_err();
            assert!(wrong.iter().any(|wrong| wrong.starts_with(told)), "{text}: {wrong:?}");
        }
    }
}
