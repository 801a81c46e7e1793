//! The reference page of the language, in Markdown.

use super::schema::in_words;
use super::{CADENCE, Key, Need, PROFILE, Section, TEST, Takes};
use crate::domain::cadence::{
    CALL_OUTCOMES, EMAIL_OUTCOMES, EVENTS, HAND_OFF_OUTCOMES, SOCIAL_OUTCOMES, TASK_OUTCOMES, Verb,
};
use crate::domain::facts::{DATES, FIELDS};
use crate::formats::rules::Rule;

/// The generated part of `docs/language.md`.
pub fn page() -> String {
    let mut page = String::new();
    for (title, section) in [
        ("Every key of a cadence", &CADENCE),
        ("Every key of a profile", &PROFILE),
        ("Every key of a test", &TEST),
    ] {
        page.push_str(&format!("## {title}\n\n"));
        for section in in_order(section) {
            page.push_str(&described(section));
        }
    }
    page.push_str(&outcomes());
    page.push_str(&format!(
        "## Every field\n\n`{}`, the dates `{}`, `x.column` for a column of your own list, and \
         `deal.column` for one about a deal: `deal.stage` is the column `Deal stage`.\n\n",
        FIELDS.join("`, `"),
        DATES.join("`, `")
    ));
    page.push_str(&format!(
        "## Every event\n\n`{}` are noted by themselves. Any other name is your own: \
         `firsttouch event NAME --for PERSON` tells it, for the cadences that wait for it with \
         `enroll.when` and for conditions of those that the person is in.\n\n",
        EVENTS.join("`, `")
    ));
    page.push_str("## Every rule of `check`\n\n| rule | says | about |\n|---|---|---|\n");
    for rule in Rule::ALL {
        let page_of = rule.page();
        page.push_str(&format!(
            "| {rule} | {} | {} |\n",
            page_of.severity.as_str(),
            cell(page_of.title)
        ));
    }
    page.push_str("\n`firsttouch help C201` explains one, with an example of each kind.\n");
    page
}

/// A section and those that its keys lead to, each once, in the order in which they are named.
fn in_order(root: &'static Section) -> Vec<&'static Section> {
    let mut found: Vec<&'static Section> = vec![root];
    let mut at = 0;
    while let Some(section) = found.get(at).copied() {
        for key in section.keys {
            for inner in sections_of(&key.takes) {
                if found.iter().all(|known| known.name != inner.name) {
                    found.push(inner);
                }
            }
        }
        at += 1;
    }
    found
}

fn sections_of(takes: &Takes) -> Vec<&'static Section> {
    match takes {
        Takes::Map(section) => vec![section],
        Takes::List(inner) | Takes::Outcomes(inner) | Takes::Keyed(_, inner) => sections_of(inner),
        Takes::Either(all) => all.iter().flat_map(sections_of).collect(),
        Takes::Text | Takes::Slug | Takes::Exactly(_) | Takes::Words(_) | Takes::Number(..) => {
            Vec::new()
        }
        Takes::Length | Takes::Span | Takes::Anchor | Takes::Template | Takes::Field => Vec::new(),
        Takes::Date | Takes::DateTime | Takes::ClockTime => Vec::new(),
        Takes::Test | Takes::Range | Takes::Anything => Vec::new(),
    }
}

fn described(section: &Section) -> String {
    let mut text = format!("### {}\n\n{}\n\n", heading(section), section.about);
    text.push_str("| key | takes | default | example | meaning |\n|---|---|---|---|---|\n");
    section.keys.iter().for_each(|key| text.push_str(&row(key)));
    for group in section.exactly_one {
        text.push_str(&format!("\nExactly one of `{}`.\n", group.join("`, `")));
    }
    text.push('\n');
    text
}

fn heading(section: &Section) -> String {
    section.name.replace('_', " ")
}

fn row(key: &Key) -> String {
    let default = match (key.need, key.default) {
        (Need::Required, _) => "required".to_owned(),
        (Need::Optional, "") => String::new(),
        (Need::Optional, default) => format!("`{default}`"),
    };
    format!(
        "| `{}` | {} | {default} | `{}` | {} |\n",
        key.name,
        cell(&takes(&key.takes)),
        cell(key.example),
        cell(key.about)
    )
}

/// What a key takes, in words.
fn takes(takes: &Takes) -> String {
    match takes {
        Takes::Text => "text".to_owned(),
        Takes::Slug => "a name".to_owned(),
        Takes::Exactly(word) => format!("`{word}`"),
        Takes::Words(words) => format!("`{}`", words().join("`, `")),
        Takes::Number(least, most) => format!("{least} to {most}"),
        Takes::Length => "a length of time".to_owned(),
        Takes::Span => "a span of a day".to_owned(),
        Takes::Date => "a date".to_owned(),
        Takes::DateTime => "a date, or a date and a time".to_owned(),
        Takes::ClockTime => "a time or a span of a day".to_owned(),
        Takes::Anchor => "a date and a length of time".to_owned(),
        Takes::Template => "a template".to_owned(),
        Takes::Field => "a field".to_owned(),
        Takes::Test => "a value, or `\">= 80\"` and the like".to_owned(),
        Takes::Range => "a range, like `51-1000`, `1001+`, `5M-200M USD`".to_owned(),
        Takes::List(inner) => format!("a list: {}", self::takes(inner)),
        Takes::Map(section) => {
            format!("[{}](#{})", heading(section), heading(section).replace(' ', "-"))
        }
        Takes::Keyed(key, inner) => {
            format!("a map: {} → {}", self::takes(key), self::takes(inner))
        }
        Takes::Outcomes(inner) => format!("a map: an outcome → {}", self::takes(inner)),
        Takes::Either(all) => all.iter().map(self::takes).collect::<Vec<_>>().join(" or "),
        Takes::Anything => "anything".to_owned(),
    }
}

fn outcomes() -> String {
    let mut text =
        "## Every outcome\n\n| of | outcome | leads to, when the file is silent |\n|---|---|---|\n"
            .to_owned();
    let kinds: [(&str, &[(&str, Verb)]); 5] = [
        ("an email", EMAIL_OUTCOMES),
        ("a call", CALL_OUTCOMES),
        ("a social touch", SOCIAL_OUTCOMES),
        ("a task", TASK_OUTCOMES),
        ("a hand-off", HAND_OFF_OUTCOMES),
    ];
    for (kind, outcomes) in kinds {
        for (outcome, verb) in outcomes {
            text.push_str(&format!("| {kind} | `{outcome}` | {} |\n", in_words(verb)));
        }
    }
    text.push_str(
        "\nA call, a social touch and a task can also be `expired`, and what `custom_outcomes` adds; that goes \
         on when the file is silent. What a hand-off leads to besides `accepted` asks the giver. Every step can be `skipped`; that \
         can be looked at in a condition and always goes on. A `call_back` with a time (`firsttouch done 17 \
         call_back --until \"thu 14:00\"`) makes the same call again: it is first in the queue at that time, \
         and nothing else goes to that person meanwhile.\n\n",
    );
    text
}

/// Text that fits into a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
