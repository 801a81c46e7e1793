//! The lines of `match`: words for text, ranges for numbers.

use crate::domain::facts::FIELDS;
use crate::domain::profile::{Criterion, Wants};
use crate::domain::title;
use crate::domain::words::{contains, words};
use crate::formats::cadence_file::condition::check_field;
use crate::formats::language::MATCH_LINE;
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{
    Findings, Map, entries, is_plain, near, shortened, text, texts,
};
use crate::formats::yaml::{At, Entry, FALSE_FRIENDS, Node};

use super::range::{self, Money};

/// Reads every line of `match`.
pub(super) fn criteria(node: &At<Node>, findings: &mut Findings<'_>) -> Vec<Criterion> {
    let lines = entries(node, "`match`", findings).unwrap_or(&[]);
    if matches!(&node.value, Node::Map(lines) if lines.is_empty()) {
        findings.error(Rule::C004, node.place(), "`match` has no line, so it would fit everybody");
    }
    lines.iter().filter_map(|line| criterion(line, findings)).collect()
}

fn criterion(line: &Entry, findings: &mut Findings<'_>) -> Option<Criterion> {
    let field = &line.key.value;
    check_field(field, line.key.place(), findings);
    let wants = match field.as_str() {
        "employees" => within(&line.value, field, Money::No, findings),
        "revenue" => within(&line.value, field, Money::Usd, findings),
        _ if is_own_column(field) && looks_like_range(&line.value) => {
            within(&line.value, field, Money::No, findings)
        }
        _ => word_lists(line, findings),
    };
    Some(Criterion { field: field.clone(), wants: wants? })
}

fn within(
    node: &At<Node>,
    field: &str,
    money: Money,
    findings: &mut Findings<'_>,
) -> Option<Wants> {
    let written = text(node, &format!("`{field}`"), findings)?;
    match range::parse(&shortened(&written.value), money) {
        Ok(range) => Some(Wants::Within(range)),
        Err(error) => {
            findings.error(Rule::C004, node.place(), error.to_string());
            None
        }
    }
}

fn word_lists(line: &Entry, findings: &mut Findings<'_>) -> Option<Wants> {
    let field = &line.key.value;
    if !matches!(line.value.value, Node::Map(_)) {
        let message = format!("`{}` needs lists of words", shortened(field));
        let hint = "write { any: [one, other] }, or { any: [one], none: [other] }";
        findings.error_with_hint(Rule::C004, line.value.place(), message, hint);
        return None;
    }
    let map = Map::open(&line.value, &MATCH_LINE, findings)?;
    if map.is_empty() {
        let message = format!("`{}` needs `any` or `none`", shortened(field));
        findings.error(Rule::C003, map.place(), message);
    }
    let any = map.get("any").map(|node| word_list(node, field, "any", findings));
    let none = map.get("none").map(|node| word_list(node, field, "none", findings));
    let (any, none) = (any.unwrap_or_default(), none.unwrap_or_default());
    any.iter().for_each(|phrase| check_not_ruled_out(phrase, &none, findings));
    let texts = |phrases: Vec<At<String>>| phrases.into_iter().map(|phrase| phrase.value).collect();
    Some(Wants::Words { any: texts(any), none: texts(none) })
}

/// Notes a phrase that `none` rules out wherever it stands (C404).
fn check_not_ruled_out(phrase: &At<String>, none: &[At<String>], findings: &mut Findings<'_>) {
    let wanted = words(&phrase.value);
    let Some(against) = none.iter().find(|other| contains(&wanted, &words(&other.value))) else {
        return;
    };
    let (wanted, against) = (shortened(&phrase.value), shortened(&against.value));
    let message = format!("`{wanted}` lets nobody in: `none` rules out `{against}`");
    findings.warning(Rule::C404, phrase.place(), message, "take one of the two out");
}

fn word_list(
    node: &At<Node>,
    field: &str,
    key: &str,
    findings: &mut Findings<'_>,
) -> Vec<At<String>> {
    let phrases = texts(node, &format!("`{key}` of `{}`", shortened(field)), findings);
    if let Node::List(items) = &node.value {
        items.iter().for_each(|item| check_quotes(item, field, findings));
    }
    for phrase in &phrases {
        check_phrase(phrase, field, findings);
    }
    phrases
}

/// Notes a country code, or anything else that other tools misread, without quotes (C401).
fn check_quotes(node: &At<Node>, field: &str, findings: &mut Findings<'_>) {
    let Node::Scalar(scalar) = &node.value else { return };
    let is_code = scalar.text.len() == 2 && scalar.text.bytes().all(|b| b.is_ascii_alphabetic());
    if is_country(field) && is_code && is_plain(node) {
        let code = &scalar.text;
        let message = format!("the country code `{code}` has no quotes");
        let hint = format!("write \"{code}\": many tools read a plain NO as false");
        return findings.warning(Rule::C401, node.place(), message, hint);
    }
    warn_of_false(node, findings);
}

/// Notes a plain word that most other tools read as true or false (C401).
pub(super) fn warn_of_false(node: &At<Node>, findings: &mut Findings<'_>) {
    let Node::Scalar(scalar) = &node.value else { return };
    let word = &scalar.text;
    if is_plain(node) && FALSE_FRIENDS.contains(&word.to_ascii_lowercase().as_str()) {
        let message = format!("`{word}` has no quotes, and many tools read it as true or false");
        findings.warning(Rule::C401, node.place(), message, format!("write \"{word}\""));
    }
}

/// Notes a phrase that nothing can ever match.
fn check_phrase(phrase: &At<String>, field: &str, findings: &mut Findings<'_>) {
    let written = shortened(&phrase.value);
    if words(&phrase.value).is_empty() {
        let message = format!("`{written}` has no word to look for");
        return findings.error(Rule::C004, phrase.place(), message);
    }
    let is_code = phrase.value.len() == 2 && phrase.value.bytes().all(|b| b.is_ascii_alphabetic());
    if is_country(field) && !is_code {
        let message = format!("`{written}` is not a country code");
        let hint = "write the two letters of ISO 3166, like \"US\" or \"NO\"";
        return findings.error_with_hint(Rule::C402, phrase.place(), message, hint);
    }
    if field == "seniority" && !title::levels().any(|level| level == phrase.value) {
        unknown_level(phrase, findings);
    }
}

fn unknown_level(phrase: &At<String>, findings: &mut Findings<'_>) {
    let message = format!("`{}` is none of the levels", shortened(&phrase.value));
    let meant = title::level(&phrase.value).or_else(|| near(&phrase.value, title::levels()));
    let levels = title::levels().collect::<Vec<_>>().join(", ");
    match meant {
        Some(meant) => {
            let message = format!("{message}; did you mean `{meant}`?");
            findings.error(Rule::C403, phrase.place(), message);
        }
        // A list may have a level of its own.
        None => {
            let hint = format!("the levels are: {levels}");
            findings.warning(Rule::C403, phrase.place(), message, hint);
        }
    }
}

/// A column of the list may hold numbers; the fields that we know and that are not numbers do not.
fn is_own_column(field: &str) -> bool {
    !FIELDS.contains(&field)
}

fn looks_like_range(node: &At<Node>) -> bool {
    let Node::Scalar(scalar) = &node.value else { return false };
    scalar.text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '<' | '>'))
}

fn is_country(field: &str) -> bool {
    matches!(field, "country" | "company.country")
}
