//! A buyer profile: which people fit, why, and how well.

use std::collections::BTreeMap;

use super::cadence::{Condition, Test};
use super::facts::Facts;
use super::ids::ProfileId;
use super::prospect::Range;
use super::title::completed;
use super::words::{contains, words};

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
    /// A number in this range. Of a company's own range ("51-200") the low end is compared, which
    /// is also the number that conditions and templates see.
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
    let holds = |line: &&ScoreLine| line.when.iter().all(|when| when.holds(facts, &|_| None));
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
        Wants::Within(range) => judge_number(value, *range),
    };
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

fn judge_number(value: &str, range: Range) -> (Verdict, String) {
    let bounds = match range.high {
        Some(high) => format!("{} to {high}", range.low),
        None => format!("{} and more", range.low),
    };
    match value.trim().parse::<u64>() {
        Ok(n) if n >= range.low && range.high.is_none_or(|high| n <= high) => {
            (Verdict::Held, format!("is in {bounds}"))
        }
        Ok(_) => (Verdict::Failed, format!("is not in {bounds}")),
        Err(_) => (Verdict::Unknown, "is not a whole number".to_owned()),
    }
}

/// A list that stays readable on one line.
fn listed(phrases: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = phrases.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match phrases.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn all_in_words(conditions: &[Condition]) -> String {
    conditions.iter().map(in_words).collect::<Vec<_>>().join(" and ")
}

fn in_words(condition: &Condition) -> String {
    match condition {
        Condition::Has(fields) => are(fields, "known"),
        Condition::HasNot(fields) => are(fields, "unknown"),
        Condition::Field(lines) => {
            let each = lines.iter().map(|(field, test)| format!("{field} {}", test_in_words(test)));
            each.collect::<Vec<_>>().join(" and ")
        }
        Condition::Outcome(lines) => {
            let steps = lines.iter().map(|(step, _)| step.as_str()).collect::<Vec<_>>();
            format!("the outcome of {}", steps.join(", "))
        }
        Condition::Any(groups) => {
            groups.iter().map(|group| all_in_words(group)).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn are(fields: &[String], what: &str) -> String {
    let verb = if fields.len() == 1 { "is" } else { "are" };
    format!("{} {verb} {what}", fields.join(" and "))
}

fn test_in_words(test: &Test) -> String {
    match test {
        Test::Is(text) => format!("is `{text}`"),
        Test::AtLeast(bound) => format!("is at least {bound}"),
        Test::AtMost(bound) => format!("is at most {bound}"),
        Test::MoreThan(bound) => format!("is more than {bound}"),
        Test::LessThan(bound) => format!("is less than {bound}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    fn facts(pairs: Pairs<'_>) -> Facts {
        Facts::from_iter(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn wants(field: &str, any: &[&str], none: &[&str]) -> Criterion {
        let wants = Wants::Words { any: strings(any), none: strings(none) };
        Criterion { field: field.to_owned(), wants }
    }

    fn within(field: &str, low: u64, high: Option<u64>) -> Criterion {
        Criterion { field: field.to_owned(), wants: Wants::Within(Range { low, high }) }
    }

    fn profile(id: &str, criteria: Vec<Criterion>) -> Profile {
        Profile {
            id: ProfileId::from(id),
            title: String::new(),
            about: String::new(),
            criteria,
            require: strings(&["email"]),
            prefer: strings(&["phone"]),
            score: vec![ScoreLine { add: 20, when: vec![Condition::Has(strings(&["trigger"]))] }],
            say: BTreeMap::new(),
            language: None,
        }
    }

    #[test]
    fn every_line_has_a_verdict_and_a_reason() {
        let title = || wants("title", &["VP Sales", "Head of Sales", "CRO"], &["assistant"]);
        let level = || wants("seniority", &["c_level", "vp"], &[]);
        let staff = || within("employees", 51, Some(1000));
        let cases: Vec<(Criterion, Pairs<'_>, Verdict, &str)> = vec![
            (title(), &[("title", "VP, Sales")], Verdict::Held, "title `VP, Sales` has `VP Sales`"),
            (
                title(),
                &[("title", "Account Executive")],
                Verdict::Failed,
                "title `Account Executive` has none of: VP Sales, Head of Sales, CRO",
            ),
            (
                title(),
                &[("title", "Assistant to the CRO")],
                Verdict::Failed,
                "title `Assistant to the CRO` has `assistant`, which the profile rules out",
            ),
            (title(), &[], Verdict::Unknown, "title is unknown"),
            (
                wants("title", &[], &["intern"]),
                &[("title", "Head of International")],
                Verdict::Held,
                "title `Head of International` has none of: intern",
            ),
            (wants("title", &[], &["intern"]), &[], Verdict::Unknown, "title is unknown"),
            (
                level(),
                &[("title", "VP Sales")],
                Verdict::Held,
                "seniority `vp` (from the title) has `vp`",
            ),
            (
                level(),
                &[("title", "VP Sales"), ("seniority", "Manager")],
                Verdict::Failed,
                "seniority `manager` has none of: c_level, vp",
            ),
            (
                level(),
                &[("seniority", "C-Suite")],
                Verdict::Held,
                "seniority `c_level` has `c_level`",
            ),
            (level(), &[("title", "Digital Nomad")], Verdict::Unknown, "seniority is unknown"),
            (staff(), &[("employees", "51")], Verdict::Held, "employees `51` is in 51 to 1000"),
            (staff(), &[("employees", "1000")], Verdict::Held, "employees `1000` is in 51 to 1000"),
            (
                staff(),
                &[("employees", "50")],
                Verdict::Failed,
                "employees `50` is not in 51 to 1000",
            ),
            (staff(), &[("employees", "1001")], Verdict::Failed, "is not in 51 to 1000"),
            (staff(), &[("employees", "many")], Verdict::Unknown, "is not a whole number"),
            (
                within("employees", 1001, None),
                &[("employees", "90000")],
                Verdict::Held,
                "employees `90000` is in 1001 and more",
            ),
            (
                wants("x.stack", &["postgres"], &[]),
                &[("x.stack", "Rust, Postgres")],
                Verdict::Held,
                "x.stack `Rust, Postgres` has `postgres`",
            ),
        ];
        for (criterion, known, verdict, reason) in cases {
            let known = facts(known);
            let line = judge(&criterion, &known, &completed(&known));
            assert_eq!(line.verdict, verdict, "{line:?}");
            assert!(line.reason.contains(reason), "{line:?}");
        }
    }

    #[test]
    fn a_long_list_of_words_stays_short_in_the_reason() {
        let many = strings(&["a", "b", "c", "d", "e", "f", "g", "h"]);
        assert_eq!(listed(&many), "a, b, c, d, e, f and 2 more");
    }

    #[test]
    fn who_fits_is_scored_who_lacks_a_required_field_is_incomplete() {
        let sales =
            profile("sales", vec![wants("title", &["sales"], &[]), within("employees", 10, None)]);
        let cases: Vec<(Pairs<'_>, Fit)> = vec![
            (
                &[("title", "VP Sales"), ("employees", "20"), ("email", "a@b.example")],
                Fit::Fits { score: 0 },
            ),
            (
                &[
                    ("title", "VP Sales"),
                    ("employees", "20"),
                    ("email", "a@b.example"),
                    ("phone", "+1"),
                    ("x.trigger", "new office"),
                ],
                Fit::Fits { score: 21 },
            ),
            (
                &[("title", "VP Sales"), ("employees", "20")],
                Fit::Incomplete { missing: strings(&["email"]) },
            ),
            (&[("title", "CFO")], Fit::DoesNotFit { failed: strings(&["title", "employees"]) }),
            (&[], Fit::DoesNotFit { failed: strings(&["title", "employees"]) }),
        ];
        for (known, fit) in cases {
            assert_eq!(evaluate(&sales, &facts(known)).fit, fit);
        }
    }

    #[test]
    fn points_come_with_their_reasons() {
        let mut rich = profile("rich", vec![wants("title", &["sales"], &[])]);
        let at_least = Condition::Field(vec![("employees".to_owned(), Test::AtLeast(200.0))]);
        let lacks = Condition::HasNot(strings(&["linkedin_url"]));
        rich.score.push(ScoreLine { add: 10, when: vec![at_least, lacks.clone()] });
        rich.score.push(ScoreLine { add: -5, when: vec![Condition::Any(vec![vec![lacks]])] });
        let known = facts(&[("employees", "200"), ("trigger", "x"), ("phone", "+1")]);
        let wanted = [
            (20, "trigger is known"),
            (10, "employees is at least 200 and linkedin_url is unknown"),
            (-5, "linkedin_url is unknown"),
            (1, "preferred: phone is known"),
        ];
        let got = evaluate(&rich, &known).score_lines;
        assert_eq!(got, wanted.map(|(add, why)| (add, why.to_owned())));
    }

    #[test]
    fn the_best_score_wins_and_of_equals_the_first() {
        let plain = profile("plain", vec![wants("title", &["sales"], &[])]);
        let twin = profile("twin", vec![wants("title", &["vp"], &[])]);
        let mut better = profile("better", vec![wants("title", &["vp sales"], &[])]);
        better.score.push(ScoreLine { add: 1, when: vec![Condition::Has(strings(&["title"]))] });
        let other = profile("other", vec![wants("title", &["cfo"], &[])]);
        let known = facts(&[("title", "VP Sales"), ("email", "a@b.example")]);
        let chosen = |list: &[&Profile]| {
            let choice = best(list.iter().copied(), &known);
            assert_eq!(choice.evaluations.len(), list.len());
            choice.chosen.map(|(profile, score)| (profile.id.to_string(), score))
        };
        assert_eq!(chosen(&[&other, &plain, &twin]), Some(("plain".to_owned(), 0)));
        assert_eq!(chosen(&[&twin, &plain, &better]), Some(("better".to_owned(), 1)));
        assert_eq!(chosen(&[&other]), None);
        assert_eq!(chosen(&[]), None);
    }
}
