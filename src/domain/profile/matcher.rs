//! The same judgement without the reasons: each profile is taken apart once, each person once, so that
//! a million people can be held against several profiles while they are imported.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::rc::Rc;

use super::{Criterion, Overlap, Profile, Wants, overlap};
use crate::domain::cadence::{Condition, Unenrolled};
use crate::domain::facts::{Facts, column};
use crate::domain::title::{completed, department_of, seniority_of};
use crate::domain::words::{Phrases, words};

/// A person whose words are taken apart at most once, however many profiles ask.
pub struct Person<'a> {
    facts: &'a Facts,
    seniority: OnceCell<Option<&'a str>>,
    department: OnceCell<Option<&'a str>>,
    completed: OnceCell<Facts>,
    words: RefCell<HashMap<String, Rc<[String]>>>,
}

/// A profile that is ready to be held against many people.
pub struct Matcher {
    criteria: Vec<Ready>,
    require: Vec<String>,
    prefer: Vec<String>,
    score: Vec<(i64, Vec<Condition>)>,
    /// Whether a field that may come from the title decides about points or completeness.
    asks_derived: bool,
}

/// One line of `match`.
struct Ready {
    field: String,
    wants: ReadyWants,
}

enum ReadyWants {
    Words { any: Option<Phrases>, none: Phrases },
    Within(crate::domain::prospect::Range),
}

/// What came of holding one person against one profile, without reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quick {
    Fits {
        score: i64,
    },
    /// The places in `require` of what is not known, and the score that it would be.
    Incomplete {
        missing: Vec<usize>,
        score: i64,
    },
    /// The places in `match` of the lines that do not hold, or of whose field nothing is known.
    DoesNotFit {
        failed: Vec<usize>,
    },
}

/// Several profiles at once, in their order.
pub struct Matchers {
    matchers: Vec<Matcher>,
}

impl<'a> Person<'a> {
    /// Somebody of whom this is known.
    pub fn new(facts: &'a Facts) -> Self {
        Self {
            facts,
            seniority: OnceCell::new(),
            department: OnceCell::new(),
            completed: OnceCell::new(),
            words: RefCell::default(),
        }
    }

    fn value(&self, field: &str) -> Option<&str> {
        match field {
            "seniority" => *self.seniority.get_or_init(|| seniority_of(self.facts)),
            "department" => *self.department.get_or_init(|| department_of(self.facts)),
            _ => self.facts.get(field),
        }
    }

    /// What is known of the field, as words.
    pub(crate) fn words_of(&self, field: &str) -> Option<Rc<[String]>> {
        if let Some(known) = self.words.borrow().get(field) {
            return Some(known.clone());
        }
        let taken: Rc<[String]> = words(self.value(field)?).into();
        self.words.borrow_mut().insert(field.to_owned(), taken.clone());
        Some(taken)
    }

    fn completed(&self) -> &Facts {
        self.completed.get_or_init(|| completed(self.facts))
    }
}

impl Matcher {
    /// Takes a profile apart.
    pub fn new(profile: &Profile) -> Self {
        let score = profile.score.iter().map(|line| (line.add, line.when.clone()));
        Self {
            criteria: profile.criteria.iter().map(Ready::new).collect(),
            require: profile.require.clone(),
            prefer: profile.prefer.clone(),
            score: score.collect(),
            asks_derived: asks_derived(profile),
        }
    }

    /// The score of somebody who fits; stops at the first line that does not hold.
    pub fn score(&self, person: &Person<'_>) -> Option<i64> {
        if !self.criteria.iter().all(|line| line.holds(person)) {
            return None;
        }
        let facts = self.facts(person);
        self.require.iter().all(|field| facts.has(field)).then(|| self.points(facts))
    }

    /// Whether somebody fits, how well, and else every line that does not hold.
    pub fn quick(&self, person: &Person<'_>) -> Quick {
        let lines = self.criteria.iter().enumerate();
        let failed: Vec<usize> =
            lines.filter(|(_, line)| !line.holds(person)).map(|(at, _)| at).collect();
        if !failed.is_empty() {
            return Quick::DoesNotFit { failed };
        }
        let (missing, score) = (self.missing(person), self.score_if_it_fitted(person));
        if missing.is_empty() {
            Quick::Fits { score }
        } else {
            Quick::Incomplete { missing, score }
        }
    }

    /// Whether a line of `match`, by its place, holds.
    pub fn holds(&self, at: usize, person: &Person<'_>) -> bool {
        self.criteria.get(at).is_some_and(|line| line.holds(person))
    }

    /// Whether anything is known that a line of `match`, by its place, could be compared with.
    pub fn knows(&self, at: usize, person: &Person<'_>) -> bool {
        self.criteria.get(at).is_some_and(|line| match line.wants {
            ReadyWants::Words { .. } => person.value(&line.field).is_some(),
            ReadyWants::Within(_) => person.facts.range(&line.field).is_some(),
        })
    }

    /// The places in `require` of what is not known.
    pub fn missing(&self, person: &Person<'_>) -> Vec<usize> {
        let facts = self.facts(person);
        let fields = self.require.iter().enumerate();
        fields.filter(|(_, field)| !facts.has(field)).map(|(at, _)| at).collect()
    }

    /// The points of somebody, whether they fit or not.
    pub fn score_if_it_fitted(&self, person: &Person<'_>) -> i64 {
        self.points(self.facts(person))
    }

    fn points(&self, facts: &Facts) -> i64 {
        let holds = |when: &[Condition]| when.iter().all(|line| line.holds(facts, &Unenrolled));
        let scored = self.score.iter().filter(|(_, when)| holds(when)).map(|(add, _)| *add);
        let preferred = self.prefer.iter().filter(|field| facts.has(field)).map(|_| 1);
        scored.chain(preferred).fold(0, i64::saturating_add)
    }

    fn facts<'p>(&self, person: &'p Person<'_>) -> &'p Facts {
        if self.asks_derived { person.completed() } else { person.facts }
    }
}

impl Matchers {
    /// Takes profiles apart.
    pub fn new<'a>(profiles: impl IntoIterator<Item = &'a Profile>) -> Self {
        Self { matchers: profiles.into_iter().map(Matcher::new).collect() }
    }

    /// The place of the fitting profile with the best score, and the score; of equals the first.
    pub fn best(&self, person: &Person<'_>) -> Option<(usize, i64)> {
        let mut best: Option<(usize, i64)> = None;
        for (at, matcher) in self.matchers.iter().enumerate() {
            let Some(score) = matcher.score(person) else { continue };
            if best.is_none_or(|(_, so_far)| score > so_far) {
                best = Some((at, score));
            }
        }
        best
    }

    /// Every field that any of the profiles asks for, without the `x.` of a list's own columns.
    pub fn fields<'a>(profiles: impl IntoIterator<Item = &'a Profile>) -> BTreeSet<String> {
        // What a title says stands in for the level and the department.
        let mut fields: BTreeSet<String> =
            ["title", "seniority", "department"].map(str::to_owned).into();
        for profile in profiles {
            fields.extend(profile.criteria.iter().map(|line| line.field.clone()));
            fields.extend(profile.require.iter().chain(&profile.prefer).cloned());
            let conditions = profile.score.iter().flat_map(|line| &line.when);
            conditions.for_each(|condition| condition.fields(&mut fields));
        }
        fields.iter().map(|field| column(field)).collect()
    }

    /// The profiles, ready, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.matchers.iter()
    }
}

impl Ready {
    fn new(criterion: &Criterion) -> Self {
        let wants = match &criterion.wants {
            Wants::Words { any, none } => {
                let any = (!any.is_empty()).then(|| Phrases::new(any.iter().map(String::as_str)));
                ReadyWants::Words { any, none: Phrases::new(none.iter().map(String::as_str)) }
            }
            Wants::Within(range) => ReadyWants::Within(*range),
        };
        Self { field: criterion.field.clone(), wants }
    }

    fn holds(&self, person: &Person<'_>) -> bool {
        match &self.wants {
            ReadyWants::Words { any, none } => {
                let Some(words) = person.words_of(&self.field) else { return false };
                none.first_in(&words).is_none()
                    && any.as_ref().is_none_or(|any| any.first_in(&words).is_some())
            }
            ReadyWants::Within(range) => {
                let value = person.facts.range(&self.field);
                let overlap = value.map(|value| overlap(value, *range));
                matches!(overlap, Some(Overlap::All | Overlap::Most))
            }
        }
    }
}

fn asks_derived(profile: &Profile) -> bool {
    let is_derived = |field: &String| matches!(field.as_str(), "seniority" | "department");
    let named = profile.require.iter().chain(&profile.prefer).any(is_derived);
    named || profile.score.iter().any(|line| line.when.iter().any(condition_asks_derived))
}

fn condition_asks_derived(condition: &Condition) -> bool {
    let is_derived = |field: &String| matches!(field.as_str(), "seniority" | "department");
    match condition {
        Condition::Has(fields) | Condition::HasNot(fields) => fields.iter().any(is_derived),
        Condition::Field(lines) => lines.iter().any(|(field, _)| is_derived(field)),
        Condition::Outcome(_) | Condition::Event(_) => false,
        Condition::Any(groups) => groups.iter().flatten().any(condition_asks_derived),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::tests::{profile, strings, wants, within};
    use super::super::{Evaluation, Fit, ScoreLine, Verdict, best, evaluate};
    use super::*;
    use crate::domain::cadence::Test;

    const TITLES: &[&str] = &[
        "VP Sales",
        "CRO",
        "Assistant to the CEO",
        "Former VP of Sales",
        "Head of Sales",
        "Digital Nomad",
        "Vice-President, Sales",
        "Product Owner",
    ];

    fn any_facts() -> impl Strategy<Value = Facts> {
        let field = |name: &'static str, values: &'static [&'static str]| {
            proptest::option::of(select(values))
                .prop_map(move |value| value.map(|value| (name.to_owned(), value.to_owned())))
        };
        let fields = (
            field("title", TITLES),
            field("seniority", &["C-Suite", "vp", "Manager", "boss"]),
            field("department", &["Sales", "Board"]),
            field("employees", &["20", "51", "1000", "many"]),
            field("email", &["a@b.example"]),
            field("x.trigger", &["new office"]),
        );
        fields.prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f].into_iter().flatten().collect())
    }

    fn any_profile() -> impl Strategy<Value = Profile> {
        let phrase =
            || select(&["VP Sales", "sales", "chief", "vp", "head", "assistant", "c_level"][..]);
        let phrases = move || proptest::collection::vec(phrase(), 0..3);
        let line = prop_oneof![
            (select(&["title", "seniority", "department", "x.trigger"][..]), phrases(), phrases())
                .prop_map(|(field, any, none)| wants(field, &any, &none)),
            (0_u64..60, proptest::option::of(60_u64..2000)).prop_map(|(low, high)| within(
                "employees",
                low,
                high
            )),
        ];
        let test = || Condition::Field(vec![("seniority".to_owned(), Test::Is("vp".to_owned()))]);
        (proptest::collection::vec(line, 1..4), any::<bool>(), any::<bool>()).prop_map(
            move |(criteria, asks, prefers)| {
                let mut made = profile("p", criteria);
                if asks {
                    made.score.push(ScoreLine { add: -7, when: vec![test()] });
                }
                if prefers {
                    made.prefer = strings(&["department"]);
                }
                made
            },
        )
    }

    fn quick_of(profile: &Profile, evaluation: &Evaluation) -> Quick {
        let score = evaluation.score_lines.iter().map(|(add, _)| add).sum();
        match &evaluation.fit {
            Fit::Fits { score } => Quick::Fits { score: *score },
            Fit::Incomplete { missing } => {
                let place = |field| profile.require.iter().position(|known| known == field);
                Quick::Incomplete { missing: missing.iter().filter_map(place).collect(), score }
            }
            Fit::DoesNotFit { .. } => {
                let lines = evaluation.lines.iter().enumerate();
                let failed = lines.filter(|(_, line)| line.verdict != Verdict::Held);
                Quick::DoesNotFit { failed: failed.map(|(at, _)| at).collect() }
            }
        }
    }

    proptest! {
        #[test]
        fn the_quick_way_agrees_with_the_one_that_gives_reasons(
            facts in any_facts(), profiles in proptest::collection::vec(any_profile(), 1..4),
        ) {
            let person = Person::new(&facts);
            for profile in &profiles {
                let slow = evaluate(profile, &facts);
                let matcher = Matcher::new(profile);
                prop_assert_eq!(matcher.quick(&person), quick_of(profile, &slow));
                let score = match slow.fit { Fit::Fits { score } => Some(score), _ => None };
                prop_assert_eq!(matcher.score(&person), score);
                for (at, line) in slow.lines.iter().enumerate() {
                    prop_assert_eq!(matcher.holds(at, &person), line.verdict == Verdict::Held);
                    prop_assert_eq!(matcher.knows(at, &person), line.verdict != Verdict::Unknown);
                }
            }
            let slow = best(profiles.iter(), &facts);
            let slow = slow.chosen.map(|(chosen, score)| {
                (profiles.iter().position(|profile| std::ptr::eq(profile, chosen)).unwrap(), score)
            });
            prop_assert_eq!(Matchers::new(&profiles).best(&person), slow);
        }
    }
}
