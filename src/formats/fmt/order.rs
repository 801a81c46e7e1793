//! What the language says of the order of keys.

use crate::formats::language::{Section, Takes};
use crate::formats::yaml::{At, Entry, Node};

/// What stands behind a key of a value, as far as the language says.
pub(super) fn under(takes: Option<&'static Takes>, key: &str) -> Option<&'static Takes> {
    match takes? {
        Takes::Map(section) => section.key(key).map(|key| &key.takes),
        Takes::Keyed(_, inner) | Takes::Outcomes(inner) => Some(inner),
        Takes::Either(all) => all.iter().find_map(|takes| under(Some(takes), key)),
        _ => None,
    }
}

/// What the items of a list are, as far as the language says.
pub(super) fn element(takes: Option<&'static Takes>) -> Option<&'static Takes> {
    match takes? {
        Takes::List(inner) => Some(inner),
        Takes::Either(all) => all.iter().find_map(|takes| element(Some(takes))),
        _ => None,
    }
}

/// The keys of a map, as far as the language says.
pub(super) fn section(takes: Option<&'static Takes>) -> Option<&'static Section> {
    match takes? {
        Takes::Map(section) => Some(section),
        Takes::Either(all) => all.iter().find_map(|takes| section(Some(takes))),
        _ => None,
    }
}

/// Where a key stands among its neighbours: what a merge brings in, then the keys in the order of the
/// language, then the unknown ones. What a step does stands behind its conditions, and what its outcomes
/// lead to behind that.
pub(super) fn rank(section: &Section, key: &str) -> (u8, usize) {
    if key == "<<" {
        return (0, 0);
    }
    let Some(at) = section.keys.iter().position(|known| known.name == key) else { return (4, 0) };
    let is_outcomes =
        section.keys.get(at).is_some_and(|key| matches!(key.takes, Takes::Outcomes(_)));
    match section.exactly_one.get(1) {
        _ if is_outcomes => (3, at),
        Some(what) if what.contains(&key) => (2, at),
        _ => (1, at),
    }
}

/// A file without places, styles, and the order of keys where that says nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Nothing,
    Scalar(String),
    List(Vec<Meaning>),
    Map(Vec<(String, Meaning)>),
}

/// What a file says.
pub(super) fn meaning(node: &Node, root: &'static Section) -> Meaning {
    map_or_other(node, Some(root), &|key| root.key(key).map(|key| &key.takes))
}

fn meaning_of(node: &At<Node>, takes: Option<&'static Takes>) -> Meaning {
    match &node.value {
        Node::List(items) => {
            Meaning::List(items.iter().map(|item| meaning_of(item, element(takes))).collect())
        }
        other => map_or_other(other, section(takes), &|key| under(takes, key)),
    }
}

fn map_or_other(
    node: &Node,
    section: Option<&'static Section>,
    under: &dyn Fn(&str) -> Option<&'static Takes>,
) -> Meaning {
    match node {
        Node::Nothing => Meaning::Nothing,
        Node::Scalar(scalar) => Meaning::Scalar(scalar.text.clone()),
        Node::List(items) => {
            Meaning::List(items.iter().map(|item| meaning_of(item, None)).collect())
        }
        Node::Map(entries) => {
            let line = |entry: &Entry| {
                let key = &entry.key.value;
                (key.clone(), meaning_of(&entry.value, under(key)))
            };
            let mut lines: Vec<_> = entries.iter().map(line).collect();
            if section.is_some() {
                lines.sort_by(|(a, _), (b, _)| a.cmp(b));
            }
            Meaning::Map(lines)
        }
    }
}
