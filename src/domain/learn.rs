//! What earned replies: for each part of a profile, how many of the people who were touched and have it
//! replied, against those who have it not.

use std::collections::{BTreeMap, BTreeSet};

use super::cadence::{Condition, Unenrolled};
use super::facts::Facts;
use super::ids::ProspectId;
use super::log::{Entry, What};
use super::profile::{Criterion, Matcher, Person, Profile, Wants, said};
use super::report::{ENOUGH, Rate};
use super::title::completed;
use super::words::{contains, words};

/// Who was touched, and who of them replied, out of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposure {
    touched: BTreeMap<ProspectId, u64>,
    replied: BTreeMap<ProspectId, u64>,
}

impl Exposure {
    /// Takes one more entry in. The report counts touches and replies by the same entries.
    pub fn add(&mut self, entry: &Entry) {
        let Some(prospect) = entry.prospect else { return };
        let is_task = entry.touch.is_some() && entry.detail("channel") != "task";
        match entry.what {
            What::Sent | What::Settled => add(&mut self.touched, prospect),
            What::TaskDone if is_task => add(&mut self.touched, prospect),
            What::Replied => add(&mut self.replied, prospect),
            What::TaskUndone => {
                if is_task {
                    discount(&mut self.touched, prospect);
                }
                if entry.detail("replied") == "yes" {
                    discount(&mut self.replied, prospect);
                }
            }
            _ => {}
        }
    }

    /// Everybody who was touched.
    pub fn touched(&self) -> impl Iterator<Item = ProspectId> {
        self.touched.keys().copied()
    }

    /// Whether a person's reply is on record.
    pub fn has_replied(&self, prospect: ProspectId) -> bool {
        self.replied.contains_key(&prospect)
    }
}

fn add(counts: &mut BTreeMap<ProspectId, u64>, who: ProspectId) {
    *counts.entry(who).or_default() += 1;
}

/// What was taken back never was.
fn discount(counts: &mut BTreeMap<ProspectId, u64>, who: ProspectId) {
    if let Some(count) = counts.get_mut(&who) {
        *count = count.saturating_sub(1);
    }
    counts.retain(|_, count| *count > 0);
}

/// A part of a profile that people have or have not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// One word list entry of a line of `match`.
    Word { field: String, phrase: String },
    /// A whole line of `match`.
    Line { field: String, wants: String },
    /// A line of `score`.
    Points { add: i64, when: String },
    /// A field of `prefer`.
    Preferred { field: String },
}

/// What came of one part: those who have it, and the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    pub part: Part,
    pub with: Rate,
    pub without: Rate,
}

/// How far two rates lie apart, in shares, with the 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lift {
    pub difference: f64,
    pub low: f64,
    pub high: f64,
}

/// The lessons of one profile while people are added.
pub struct Learning {
    matcher: Matcher,
    tests: Vec<(Test, Lesson)>,
    /// Everybody who was added.
    pub all: Rate,
}

enum Test {
    Word { field: String, phrase: Vec<String> },
    Line(usize),
    Points(Vec<Condition>),
    Preferred(String),
}

impl Learning {
    /// Nobody yet.
    pub fn new(profile: &Profile) -> Self {
        let lines = profile.criteria.iter().enumerate();
        let lines = lines.flat_map(|(at, line)| line_tests(at, line));
        let points = profile.score.iter().map(|line| {
            let part = Part::Points { add: line.add, when: said::all_in_words(&line.when) };
            (Test::Points(line.when.clone()), part)
        });
        // A field that has points of its own is told once.
        let has_points = |field: &&String| {
            let alone = [Condition::Has(vec![(*field).clone()])];
            profile.score.iter().any(|line| line.when == alone)
        };
        let preferred = profile.prefer.iter().filter(|field| !has_points(field)).map(|field| {
            (Test::Preferred(field.clone()), Part::Preferred { field: field.clone() })
        });
        let tests = lines.chain(points).chain(preferred);
        let tests = tests.map(|(test, part)| (test, Lesson::new(part))).collect();
        Self { matcher: Matcher::new(profile), tests, all: NOBODY }
    }

    /// Takes one more person in who was touched.
    pub fn add(&mut self, facts: &Facts, has_replied: bool) {
        let (person, full) = (Person::new(facts), completed(facts));
        count(&mut self.all, has_replied);
        for (test, lesson) in &mut self.tests {
            let has_it = match test {
                Test::Word { field, phrase } => {
                    person.words_of(field).is_some_and(|words| contains(&words, phrase))
                }
                Test::Line(at) => self.matcher.holds(*at, &person),
                Test::Points(when) => when.iter().all(|line| line.holds(&full, &Unenrolled)),
                Test::Preferred(field) => full.has(field),
            };
            count(if has_it { &mut lesson.with } else { &mut lesson.without }, has_replied);
        }
    }

    /// What was learned: the greatest lift first, then what there is not enough of, by how many have it.
    pub fn lessons(&self) -> Vec<&Lesson> {
        let mut lessons: Vec<&Lesson> = self.tests.iter().map(|(_, lesson)| lesson).collect();
        let difference = |lesson: &Lesson| lesson.lift().map(|lift| lift.difference);
        lessons.sort_by(|a, b| {
            let by_lift = match (difference(a), difference(b)) {
                (Some(a), Some(b)) => b.total_cmp(&a),
                (a, b) => b.is_some().cmp(&a.is_some()),
            };
            by_lift.then(b.with.of.cmp(&a.with.of))
        });
        lessons
    }
}

impl Lesson {
    fn new(part: Part) -> Self {
        Self { part, with: NOBODY, without: NOBODY }
    }

    /// How much more those who have it replied; `None` when either side has fewer than [`ENOUGH`].
    ///
    /// The interval is R. G. Newcombe's (1998, method 10): made of the two Wilson intervals.
    pub fn lift(&self) -> Option<Lift> {
        let (p, p_low, p_high) = self.with.share()?;
        let (q, q_low, q_high) = self.without.share()?;
        let difference = p - q;
        Some(Lift {
            difference,
            low: difference - (p - p_low).hypot(q_high - q),
            high: difference + (p_high - p).hypot(q - q_low),
        })
    }

    /// In one sentence.
    pub fn sentence(&self) -> String {
        let (part, Rate { hits, of }) = (self.part.in_words(), self.with);
        match (self.with.share(), self.without.share()) {
            (Some((p, low, high)), Some((q, _, _))) => {
                let percent = |share: f64| format!("{:.1}", share * 100.0);
                let interval = format!("{} % [{}–{}]", percent(p), percent(low), percent(high));
                format!("{part}: {hits} of {of} replied, {interval} against {} %", percent(q))
            }
            _ => format!(
                "{part}: {hits} of {of} replied, {} of {} of the others: not enough to say",
                self.without.hits, self.without.of
            ),
        }
    }
}

impl Lift {
    /// Whether the interval holds zero: the difference may be no difference.
    pub fn may_be_chance(&self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }
}

impl Part {
    /// The word for the kind of part.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Word { .. } => "word",
            Self::Line { .. } => "line",
            Self::Points { .. } => "score",
            Self::Preferred { .. } => "prefer",
        }
    }

    /// What somebody has who has it.
    pub fn in_words(&self) -> String {
        match self {
            Self::Word { field, phrase } => match field.as_str() {
                "country" | "company.country" | "seniority" => format!("{field} is '{phrase}'"),
                _ => format!("{field} contains '{phrase}'"),
            },
            Self::Line { field, wants } => format!("{field} {wants}"),
            Self::Points { add, when } => format!("score {add:+}, {when}"),
            Self::Preferred { field } => format!("{field} is known"),
        }
    }
}

const NOBODY: Rate = Rate { hits: 0, of: 0 };

/// People that each side needs before anything is said.
pub const NEEDED: u64 = ENOUGH;

fn count(rate: &mut Rate, has_replied: bool) {
    rate.of += 1;
    rate.hits += u64::from(has_replied);
}

/// The whole line, and each of its words that is not another spelling of an earlier one.
fn line_tests(at: usize, line: &Criterion) -> Vec<(Test, Part)> {
    let field = line.field.clone();
    let (any, wants) = match &line.wants {
        Wants::Words { any, none } if any.is_empty() => {
            (&[][..], format!("has none of: {}", super::profile::listed(none)))
        }
        Wants::Words { any, .. } => (any.as_slice(), "is as the profile wants it".to_owned()),
        Wants::Within(range) => (&[][..], format!("is {}", super::profile::bounds(*range))),
    };
    let mut tests = vec![(Test::Line(at), Part::Line { field: field.clone(), wants })];
    let mut seen = BTreeSet::new();
    for phrase in any {
        let words = words(phrase);
        if seen.insert(words.clone()) {
            let part = Part::Word { field: field.clone(), phrase: phrase.clone() };
            tests.push((Test::Word { field: field.clone(), phrase: words }, part));
        }
    }
    tests
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::ids::{ProfileId, TouchId};
    use crate::domain::profile::ScoreLine;
    use crate::domain::prospect::Range;

    fn profile() -> Profile {
        let any = ["VP Sales", "Vice President of Sales", "Head of"].map(str::to_owned).to_vec();
        let title = Criterion { field: "title".into(), wants: Wants::Words { any, none: vec![] } };
        let size = Wants::Within(Range { low: 51, high: Some(1000) });
        let phone = vec![Condition::Has(vec!["phone".into()])];
        Profile {
            id: ProfileId::from("p"),
            title: String::new(),
            about: String::new(),
            criteria: vec![title, Criterion { field: "employees".into(), wants: size }],
            require: vec![],
            prefer: vec!["x.trigger".into(), "phone".into()],
            score: vec![ScoreLine { add: 15, when: phone }],
            say: BTreeMap::new(),
            language: None,
        }
    }

    fn facts(pairs: &[(&str, &str)]) -> Facts {
        pairs.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
    }

    /// 61 heads of something, of whom 9 replied, and 115 others, of whom 7 did.
    fn learned() -> Learning {
        let mut learning = Learning::new(&profile());
        for n in 0..61 {
            learning.add(&facts(&[("title", "Head of Sales"), ("employees", "60")]), n < 9);
        }
        for n in 0..115 {
            let mut known = vec![("title", "VP, Sales"), ("employees", "60")];
            if n < 20 {
                known.extend([("phone", "+1"), ("x.trigger", "new office")]);
            }
            learning.add(&facts(&known), n < 7);
        }
        learning
    }

    #[test]
    fn a_lesson_is_said_with_its_interval_and_what_it_is_against() {
        let learning = learned();
        let sentences: Vec<String> =
            learning.lessons().iter().map(|lesson| lesson.sentence()).collect();
        assert_eq!(
            sentences,
            [
                "title contains 'Head of': 9 of 61 replied, 14.8 % [8.0–25.7] against 6.1 %",
                "title contains 'VP Sales': 7 of 115 replied, 6.1 % [3.0–12.0] against 14.8 %",
                "title is as the profile wants it: 16 of 176 replied, 0 of 0 of the others: not enough to say",
                "employees is 51 to 1000: 16 of 176 replied, 0 of 0 of the others: not enough to say",
                "score +15, phone is known: 7 of 20 replied, 9 of 156 of the others: not enough to say",
                "x.trigger is known: 7 of 20 replied, 9 of 156 of the others: not enough to say",
            ]
        );
        assert_eq!(learning.all, Rate { hits: 16, of: 176 });
    }

    #[test]
    fn a_lift_comes_with_the_interval_of_the_difference() {
        // Newcombe (1998), table II, (a): 56/70 against 48/80, method 10: 0.0524 to 0.3339.
        let lesson = Lesson {
            part: Part::Preferred { field: "phone".into() },
            with: Rate { hits: 56, of: 70 },
            without: Rate { hits: 48, of: 80 },
        };
        let lift = lesson.lift().unwrap();
        let rounded = [lift.difference, lift.low, lift.high].map(|x| (x * 10_000.0).round());
        assert_eq!(rounded, [2000.0, 524.0, 3339.0]);
        assert!(!lift.may_be_chance());
        let learning = learned();
        assert!(learning.lessons()[0].lift().unwrap().may_be_chance());
    }

    #[test]
    fn thirty_on_both_sides_are_enough_and_one_less_is_not() {
        let lesson = |with, without| Lesson {
            part: Part::Preferred { field: "phone".into() },
            with: Rate { hits: 3, of: with },
            without: Rate { hits: 2, of: without },
        };
        assert!(lesson(30, 30).lift().is_some());
        assert!(!lesson(30, 30).sentence().contains("not enough"));
        for (with, without) in [(29, 500), (500, 29)] {
            assert_eq!(lesson(with, without).lift(), None);
            assert!(lesson(with, without).sentence().ends_with("not enough to say"));
        }
    }

    #[test]
    fn only_who_was_touched_counts_and_other_work_is_no_touch() {
        let entry = |id, what| Entry {
            prospect: Some(ProspectId(id)),
            touch: Some(TouchId(1)),
            ..Entry::new(jiff::Timestamp::UNIX_EPOCH, what)
        };
        let mut exposure = Exposure::default();
        let entries = [
            entry(1, What::Sent),
            entry(1, What::Replied),
            entry(2, What::TaskDone).with("channel", "call"),
            entry(3, What::TaskDone).with("channel", "task"),
            entry(4, What::Intended),
            entry(5, What::Replied),
            entry(6, What::Settled),
            entry(6, What::AutoReplied),
        ];
        entries.iter().for_each(|entry| exposure.add(entry));
        let touched: Vec<_> =
            exposure.touched().map(|id| (id.0, exposure.has_replied(id))).collect();
        assert_eq!(touched, [(1, true), (2, false), (6, false)]);
    }
}
