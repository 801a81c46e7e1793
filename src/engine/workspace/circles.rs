//! Cadences that switch to each other in a circle (C605).

use std::collections::BTreeMap;

use crate::domain::cadence::{Cadence, Covers, Verb};
use crate::domain::time::{Delay, Unit};
use crate::formats::diagnostic::Diagnostic;
use crate::formats::rules::Rule;

use super::CadenceFile;

/// The waits of a circle add up to this at least, in minutes.
const LEAST: u64 = 7 * 24 * 60;

/// The shortest wait from one cadence to another, in minutes.
type Waits<'a> = BTreeMap<(&'a str, &'a str), u64>;

/// Circles that turn too fast, and cadences that want to begin again sooner than they allow.
pub(super) fn circles(files: &[CadenceFile]) -> Vec<Diagnostic> {
    let waits = shortest(files);
    let mut found = Vec::new();
    for file in files {
        let cadence = &file.cadence;
        if let Some(message) = too_soon(cadence).or_else(|| too_fast(cadence, &waits)) {
            let path = format!("cadences/{}.yaml", cadence.id);
            let hint = "wait longer before `switch_to`, or end with `stop`";
            found.push(Diagnostic::error(Rule::C605, &path, (0, 0), message).with_hint(hint));
        }
    }
    found
}

/// Nobody can go on alone in a cadence that covers companies (C119).
pub(super) fn into_companies(files: &[CadenceFile]) -> Vec<Diagnostic> {
    let covers_companies = |id: &str| {
        let file = files.iter().find(|file| file.cadence.id.as_str() == id);
        file.is_some_and(|file| matches!(file.cadence.unit, Covers::Company { .. }))
    };
    let mut found = Vec::new();
    for CadenceFile { cadence, .. } in files {
        let mut to: Vec<&str> = switches(cadence).map(|(to, _)| to).collect();
        to.sort_unstable();
        to.dedup();
        for to in to.into_iter().filter(|to| covers_companies(to)) {
            let path = format!("cadences/{}.yaml", cadence.id);
            let message = format!(
                "`switch_to: {to}` leads one person into a cadence that takes in companies"
            );
            let hint = "switch to a cadence for one person, or hand over to somebody who enrolls the company";
            found.push(Diagnostic::error(Rule::C119, &path, (0, 0), message).with_hint(hint));
        }
    }
    found
}

/// Every way from cadence to cadence, each as short as it can be (Floyd and Warshall).
fn shortest(files: &[CadenceFile]) -> Waits<'_> {
    let mut waits = Waits::new();
    for file in files {
        for (to, after) in switches(&file.cadence) {
            let wait = waits.entry((file.cadence.id.as_str(), to)).or_insert(u64::MAX);
            *wait = (*wait).min(minutes(after));
        }
    }
    let ids: Vec<&str> = files.iter().map(|file| file.cadence.id.as_str()).collect();
    for by in &ids {
        for from in &ids {
            for to in &ids {
                let (Some(a), Some(b)) = (waits.get(&(*from, *by)), waits.get(&(*by, *to))) else {
                    continue;
                };
                let around = a.saturating_add(*b);
                let wait = waits.entry((*from, *to)).or_insert(u64::MAX);
                *wait = (*wait).min(around);
            }
        }
    }
    waits
}

fn switches(cadence: &Cadence) -> impl Iterator<Item = (&str, Delay)> {
    cadence.verbs().filter_map(|verb| match verb {
        Verb::SwitchTo { cadence, after } => Some((cadence.as_str(), *after)),
        Verb::Continue
        | Verb::Triage
        | Verb::Stop
        | Verb::Retry { .. }
        | Verb::Pause(_)
        | Verb::HandOff(_) => None,
    })
}

/// A circle is told once: at the first of its cadences.
fn too_fast(cadence: &Cadence, waits: &Waits<'_>) -> Option<String> {
    let id = cadence.id.as_str();
    let around = waits.get(&(id, id)).filter(|wait| **wait < LEAST)?;
    let back = |other: &str| Some(waits.get(&(id, other))? + waits.get(&(other, id))?);
    let told = waits.keys().any(|(from, _)| *from < id && back(from) == Some(*around));
    let message = format!("`{id}` leads back to itself, and the waits add up to less than 7 days");
    (!told).then_some(message)
}

fn too_soon(cadence: &Cadence) -> Option<String> {
    let itself = |(to, after): (&str, Delay)| (to == cadence.id.as_str()).then_some(after);
    let after = switches(cadence).filter_map(itself).min_by_key(|after| minutes(*after))?;
    let Some(again_after) = cadence.again_after else {
        return Some(format!("`{}` switches to itself, but nobody may come again", cadence.id));
    };
    let message = format!(
        "`{}` switches to itself after {after}, but nobody may come again before {again_after}",
        cadence.id
    );
    (minutes(after) < minutes(again_after)).then_some(message)
}

/// What a length is worth at least.
fn minutes(delay: Delay) -> u64 {
    let one = match delay.unit {
        Unit::Minutes | Unit::BusinessMinutes => 1,
        Unit::Hours | Unit::BusinessHours => 60,
        Unit::Days | Unit::BusinessDays => 24 * 60,
        Unit::Weeks => 7 * 24 * 60,
    };
    u64::from(delay.amount) * one
}

#[cfg(test)]
mod tests {
    use super::super::{Files, check};

    /// What is found in a circle of two cadences that wait so long.
    fn found(there: &str, back: &str) -> Vec<String> {
        let cadence = |id: &str, to: &str, after: &str| {
            let text = format!(
                "format: cadence/v1\nid: {id}\ntitle: T\ncalendar: standard\n\
                 enroll: {{ audience: prospects, profiles: [any] }}\n\
                 steps: [{{ id: a, after: 1 day, task: {{ title: T }} }}]\n\
                 at_end: {{ switch_to: {{ cadence: {to}, after: {after} }} }}\n"
            );
            (format!("cadences/{id}.yaml"), text)
        };
        let texts = [cadence("a", "b", there), cadence("b", "a", back)].into();
        let (_, findings) = check(&Files { texts }, &["standard".to_owned()].into());
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_circle_waits_seven_days_a_turn_and_is_told_once() {
        let fast = found("1 day", "5 days");
        assert!(fast.len() == 1 && fast[0].contains("error[C605]: `a` leads back"), "{fast:?}");
        assert_eq!(found("0 days", "1 week"), [""; 0]);
    }
}
