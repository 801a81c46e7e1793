//! A buyer profile: which people fit, why, and how well.

use std::collections::BTreeMap;

use super::cadence::{Condition, Unenrolled};
use super::facts::Facts;
use super::ids::ProfileId;
use super::prospect::Range;
use super::title::completed;
use super::words::{contains, words};

mod matcher;
pub(in crate::domain) mod said;
#[cfg(test)]
mod tests;

pub use matcher::{Matcher, Matchers, Person, Quick};
use said::all_in_words;

/// One profile file after parsing.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub id: ProfileId,
    pub title: String,
    pub about: String,
    /// Every line must hold; never empty. In the order of the file.
    pub criteria: Vec<Criterion>,
    /// Without these fields a person who fits is incomplete.
    pub require: Vec<String>,
    /// Each of these fields that is known adds one point: enough to order equals.
    pub prefer: Vec<String>,
    pub score: Vec<ScoreLine>,
    /// `{{profile.say.<key>}}` in templates.
    pub say: BTreeMap<String, String>,
    /// A language tag such as `en`.
    pub language: Option<String>,
}

/// One line of `match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    pub field: String,
    pub wants: Wants,
}

/// What a line of `match` asks of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wants {
    /// Whole words: one of `any` (unless that is empty), and none of `none`.
    Words { any: Vec<String>, none: Vec<String> },
    /// A number in this range. A company's own range ("51-200") counts as inside when most of it is;
    /// conditions and templates see its low end.
    Within(Range),
}

/// One line of `score`.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreLine {
    pub add: i64,
    /// All of these hold.
    pub when: Vec<Condition>,
}

/// What came of holding one person against one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// One line for each line of `match`, in its order.
    pub lines: Vec<Line>,
    pub fit: Fit,
    /// The points that were given, and why; their sum is the score.
    pub score_lines: Vec<(i64, String)>,
}

/// One line of `match` and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The field.
    pub label: String,
    pub verdict: Verdict,
    /// In words, naming the value.
    pub reason: String,
}

/// Whether a line of `match` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Held,
    Failed,
    /// Nothing is known of the field, or not in a form that can be compared. Does not fit.
    Unknown,
}

/// Whether a person fits a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    Fits {
        score: i64,
    },
    /// Every line holds, but these required fields are not known.
    Incomplete {
        missing: Vec<String>,
    },
    /// These lines do not hold, or nothing is known for them.
    DoesNotFit {
        failed: Vec<String>,
    },
}

/// The profile that a person comes in with, and how every profile was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice<'a> {
    /// The best that fits, with its score.
    pub chosen: Option<(&'a Profile, i64)>,
    /// In the order in which the profiles were given.
    pub evaluations: Vec<(&'a Profile, Evaluation)>,
}

/// Holds what is known of a person against a profile.
pub fn evaluate(profile: &Profile, facts: &Facts) -> Evaluation {
    let full = completed(facts);
    let lines: Vec<Line> = profile.criteria.iter().map(|line| judge(line, facts, &full)).collect();
    let score_lines = score_lines(profile, &full);
    let fit = fit(profile, &full, &lines, &score_lines);
    Evaluation { lines, fit, score_lines }
}

/// The fitting profile with the best score; of equals the one that was given first.
pub fn best<'a>(profiles: impl Iterator<Item = &'a Profile>, facts: &Facts) -> Choice<'a> {
    let evaluations: Vec<_> = profiles.map(|profile| (profile, evaluate(profile, facts))).collect();
    let mut chosen: Option<(&Profile, i64)> = None;
    for (profile, evaluation) in &evaluations {
        let Fit::Fits { score } = evaluation.fit else { continue };
        if chosen.is_none_or(|(_, best)| score > best) {
            chosen = Some((profile, score));
        }
    }
    Choice { chosen, evaluations }
}

fn fit(profile: &Profile, facts: &Facts, lines: &[Line], points: &[(i64, String)]) -> Fit {
    let failed = lines.iter().filter(|line| line.verdict != Verdict::Held);
    let failed: Vec<String> = failed.map(|line| line.label.clone()).collect();
    if !failed.is_empty() {
        return Fit::DoesNotFit { failed };
    }
    let missing = profile.require.iter().filter(|field| !facts.has(field));
    let missing: Vec<String> = missing.cloned().collect();
    if !missing.is_empty() {
        return Fit::Incomplete { missing };
    }
    Fit::Fits { score: points.iter().fold(0, |sum, (add, _)| sum.saturating_add(*add)) }
}

fn score_lines(profile: &Profile, facts: &Facts) -> Vec<(i64, String)> {
    // A profile is about the person; what came of steps is not known here.
    let holds = |line: &&ScoreLine| line.when.iter().all(|when| when.holds(facts, &Unenrolled));
    let scored =
        profile.score.iter().filter(holds).map(|line| (line.add, all_in_words(&line.when)));
    let preferred = profile.prefer.iter().filter(|field| facts.has(field));
    scored.chain(preferred.map(|field| (1, format!("preferred: {field} is known")))).collect()
}

/// Judges one line by the full facts; the listed ones tell what was derived from the title.
fn judge(criterion: &Criterion, listed: &Facts, full: &Facts) -> Line {
    let label = criterion.field.clone();
    let Some(value) = full.get(&label) else {
        return Line { reason: format!("{label} is unknown"), label, verdict: Verdict::Unknown };
    };
    let origin = if listed.has(&label) { "" } else { " (from the title)" };
    let (verdict, said) = match &criterion.wants {
        Wants::Words { any, none } => judge_words(value, any, none),
        Wants::Within(range) => judge_range(full.range(&label), *range),
    };
    let value = shown(full, &label, value);
    Line { verdict, reason: format!("{label} `{value}`{origin} {said}"), label }
}

fn judge_words(value: &str, any: &[String], none: &[String]) -> (Verdict, String) {
    let value = words(value);
    let hit = |phrases: &[String]| phrases.iter().find(|p| contains(&value, &words(p))).cloned();
    if let Some(phrase) = hit(none) {
        return (Verdict::Failed, format!("has `{phrase}`, which the profile rules out"));
    }
    match hit(any) {
        Some(phrase) => (Verdict::Held, format!("has `{phrase}`")),
        None if any.is_empty() => (Verdict::Held, format!("has none of: {}", listed(none))),
        None => (Verdict::Failed, format!("has none of: {}", listed(any))),
    }
}

fn judge_range(value: Option<Range>, wanted: Range) -> (Verdict, String) {
    let bounds = bounds(wanted);
    match value.map(|value| overlap(value, wanted)) {
        Some(Overlap::All) => (Verdict::Held, format!("is in {bounds}")),
        Some(Overlap::Most) => (Verdict::Held, format!("is mostly in {bounds}")),
        Some(Overlap::Less) => (Verdict::Failed, format!("is mostly not in {bounds}")),
        Some(Overlap::None) => (Verdict::Failed, format!("is not in {bounds}")),
        None => (Verdict::Unknown, "is not a whole number".to_owned()),
    }
}

/// A range in words.
pub(super) fn bounds(range: Range) -> String {
    match range.high {
        Some(high) => format!("{} to {high}", range.low),
        None => format!("{} and more", range.low),
    }
}

/// How much of a company's own range lies inside the wanted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overlap {
    All,
    /// At least half of it.
    Most,
    Less,
    None,
}

fn overlap(value: Range, wanted: Range) -> Overlap {
    let most = |range: Range| range.high.unwrap_or(u64::MAX);
    let low = value.low.max(wanted.low);
    let high = most(value).min(most(wanted));
    if low > high {
        return Overlap::None;
    }
    if (low, high) == (value.low, most(value)) {
        return Overlap::All;
    }
    let count = |low: u64, high: u64| u128::from(high - low) + 1;
    // A range without an end is never mostly inside one that has an end.
    let is_most = 2 * count(low, high) >= count(value.low, most(value));
    if is_most { Overlap::Most } else { Overlap::Less }
}

/// A value as a reason shows it: a range in full.
fn shown(facts: &Facts, field: &str, value: &str) -> String {
    match facts.range(field) {
        Some(Range { low, high: None }) => format!("{low}+"),
        Some(Range { low, high: Some(high) }) if low < high => format!("{low}-{high}"),
        Some(_) | None => value.to_owned(),
    }
}

/// A list that stays readable on one line.
pub(super) fn listed(phrases: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = phrases.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match phrases.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
