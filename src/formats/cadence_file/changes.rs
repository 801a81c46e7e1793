//! What differs between two cadences, key by key, as the file says it.
//!
//! The keys and their values come from [`super::write`], which names every field of a cadence: a new one
//! does not compile until it is written, and from then on it is compared, too.

use std::collections::BTreeSet;

use crate::domain::cadence::{Cadence, Step};
use crate::domain::ids::StepId;
use crate::formats::yaml::writing::{Value, inline};

use super::Defaults;
use super::write::{step as step_keys, tree};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The step that it is about; `None` for the cadence as a whole.
    pub step: Option<StepId>,
    pub aspect: Aspect,
    /// As the file says it, such as `limits.per_company_at_once`; the file of a text.
    pub key: String,
    /// The value before; `None` when there was none, or when the value is a whole text or step.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What kind of thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aspect {
    /// The step is new.
    Added,
    /// The step is gone.
    Removed,
    /// The step stands at another place among those that were there before.
    Moved,
    /// What is said or done.
    Text,
    /// When it falls due, and how soon it should be done.
    Timing,
    /// For whom.
    Conditions,
    /// What its outcomes lead to.
    Outcomes,
    /// Any other key.
    Setting,
}

impl Aspect {
    /// The word that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Moved => "moved",
            Self::Text => "text",
            Self::Timing => "timing",
            Self::Conditions => "conditions",
            Self::Outcomes => "outcomes",
            Self::Setting => "setting",
        }
    }

    /// Whether it changes which steps there are, or in which order.
    pub fn is_of_structure(self) -> bool {
        matches!(self, Self::Added | Self::Removed | Self::Moved)
    }

    fn of_key(key: &str) -> Self {
        match key.split_once('.').map_or(key, |(head, _)| head) {
            "email" | "call" | "social" | "task" | "hand_off" => Self::Text,
            "day" | "after" | "at" | "hours" | "within" => Self::Timing,
            "only_if" | "skip_if" => Self::Conditions,
            "outcomes" => Self::Outcomes,
            _ => Self::Setting,
        }
    }
}

/// Everything that differs: first the cadence as a whole, then its steps in their new order, then the
/// removed ones.
pub fn changes(before: &Cadence, after: &Cadence) -> Vec<Change> {
    let mut found = compared(None, &head(before), &head(after));
    let moved = moved(before, after);
    for step in &after.steps {
        let Some((_, was)) = before.step(&step.id) else {
            found.push(of_step(step, Aspect::Added));
            continue;
        };
        if moved.contains(&step.id) {
            found.push(of_step(step, Aspect::Moved));
        }
        found.extend(compared(Some(&step.id), &flat_step(was), &flat_step(step)));
    }
    let is_gone = |step: &&Step| after.step(&step.id).is_none();
    found.extend(before.steps.iter().filter(is_gone).map(|step| of_step(step, Aspect::Removed)));
    found
}

fn of_step(step: &Step, aspect: Aspect) -> Change {
    let (id, key) = (Some(step.id.clone()), "steps".to_owned());
    Change { step: id, aspect, key, before: None, after: None }
}

/// Keys and values in the order of the file.
type Keys = Vec<(String, String)>;

fn compared(step: Option<&StepId>, before: &Keys, after: &Keys) -> Vec<Change> {
    let of = |keys: &Keys, key: &str| {
        keys.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
    };
    let gone = before.iter().filter(|(key, _)| of(after, key).is_none());
    let keys = after.iter().chain(gone).map(|(key, _)| key);
    let change = |key: &String| {
        let (was, is) = (of(before, key), of(after, key));
        let aspect = if step.is_some() { Aspect::of_key(key) } else { Aspect::Setting };
        let (step, key) = (step.cloned(), key.clone());
        (was != is).then_some(Change { step, aspect, key, before: was, after: is })
    };
    keys.filter_map(change).collect()
}

/// The keys of a cadence without its steps. What the steps have in common is compared with them.
fn head(cadence: &Cadence) -> Keys {
    let without_steps = Cadence { steps: Vec::new(), ..cadence.clone() };
    let keys = tree(&without_steps).unwrap_or_default();
    let is_said = |(key, _): &(String, Value)| !matches!(key.as_str(), "format" | "steps");
    flat(keys.into_iter().filter(is_said).collect())
}

fn flat_step(step: &Step) -> Keys {
    match step_keys(step, &Defaults::default()) {
        Ok(keys) => flat(keys),
        // Never of a cadence that was read from a file: its conditions can be said in the language.
        Err(_) => vec![("step".to_owned(), format!("{step:?}"))],
    }
}

/// A verb and a condition are compared whole; of roles the order counts, too.
const WHOLE: [&str; 4] = ["at_end", "only_if", "skip_if", "roles"];

/// `limits: { a: 1 }` as `limits.a: 1`, but for what stays whole.
fn flat(keys: Vec<(String, Value)>) -> Keys {
    let mut flat = Vec::new();
    for (key, value) in keys {
        match value {
            Value::Map(entries) if !WHOLE.contains(&key.as_str()) => {
                let entry = |(inner, value)| (format!("{key}.{inner}"), inline(&value));
                flat.extend(entries.into_iter().map(entry));
            }
            value => flat.push((key, inline(&value))),
        }
    }
    flat
}

/// The fewest steps that have to be taken out so that the rest stands in its old order.
fn moved(before: &Cadence, after: &Cadence) -> BTreeSet<StepId> {
    let ids = after.steps.iter().map(|step| &step.id);
    let common: Vec<(usize, &StepId)> =
        ids.filter_map(|id| before.step(id).map(|(at, _)| (at, id))).collect();
    // The longest run that ends at each place, and where it came from.
    let mut runs: Vec<(usize, Option<usize>)> = Vec::new();
    for (place, (at, _)) in common.iter().enumerate() {
        let above = common.iter().zip(&runs).take(place).enumerate();
        let fitting = above.filter(|(_, ((earlier, _), _))| earlier < at);
        let lengths = fitting.map(|(from, (_, (length, _)))| (*length, from));
        runs.push(lengths.max().map_or((1, None), |(length, from)| (length + 1, Some(from))));
    }
    let mut stays = BTreeSet::new();
    let mut place = (0..runs.len()).max_by_key(|place| runs.get(*place).map(|(length, _)| *length));
    while let Some((here, (_, from))) = place.and_then(|here| Some((here, *runs.get(here)?))) {
        stays.insert(here);
        place = from;
    }
    let is_moved = |(place, (_, id)): (usize, &(usize, &StepId))| {
        (!stays.contains(&place)).then(|| (*id).clone())
    };
    common.iter().enumerate().filter_map(is_moved).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::any::any_cadence;
    use super::*;

    fn with_order(order: &[&str]) -> Cadence {
        let text = format!(
            "format: cadence/v1\nid: c\ntitle: C\nenroll: {{ audience: prospects, profiles: [any], again_after: never }}\n\
             days: calendar\ncalendar: standard\nsend_window: [\"08:00-11:00\"]\nsteps:\n{}at_end: stop\n",
            order
                .iter()
                .map(|id| format!("  - id: {id}\n    after: 1 day\n    task: {{ title: {id} }}\n"))
                .collect::<String>()
        );
        let known = super::super::Known { applied: true, ..Default::default() };
        super::super::parse("cadences/c.yaml", &text, &known).expect("a cadence").0
    }

    fn said(before: &[&str], after: &[&str]) -> Vec<String> {
        let changes = changes(&with_order(before), &with_order(after));
        let line = |change: Change| {
            let step = change.step.map(|step| step.0).unwrap_or_default();
            format!("{step} {}", change.aspect.as_str())
        };
        changes.into_iter().map(line).collect()
    }

    #[test]
    fn steps_are_added_removed_and_moved() {
        let none: [&str; 0] = [];
        assert_eq!(said(&["a", "b"], &["a", "b"]), none);
        assert_eq!(said(&["a", "b"], &["a", "x", "b"]), ["x added"]);
        assert_eq!(said(&["a", "b"], &["a", "c"]), ["c added", "b removed"]);
        assert_eq!(said(&["a", "b", "c", "d"], &["b", "c", "d", "a"]), ["a moved"]);
        assert_eq!(said(&["a", "b", "c", "d"], &["d", "a", "b", "c"]), ["d moved"]);
        assert_eq!(said(&["a", "b", "c"], &["x", "c", "a"]), ["x added", "c moved", "b removed"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn cadences_that_differ_have_changes_and_those_that_do_not_have_none(
            before in any_cadence(),
            other in any_cadence(),
        ) {
            prop_assert_eq!(changes(&before, &before), []);
            let is_same = before == other;
            prop_assert_eq!(changes(&before, &other).is_empty(), is_same);
        }
    }
}
