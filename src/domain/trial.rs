//! Many people held against profiles: how many fit, which lines keep the others out, who is close.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::facts::Facts;
use super::ids::ProspectId;
use super::profile::{Matcher, Matchers, Person, Profile, Quick, evaluate};
use super::prospect::Prospect;

/// People who are kept by name for each line of each profile.
pub const NEAR_SHOWN: usize = 3;

/// The counts so far. People are added one by one and, but for the closest, not kept.
pub struct Trial<'a> {
    profiles: &'a [Profile],
    matchers: Matchers,
    /// Everybody who was added.
    pub people: u64,
    /// In the order of the profiles.
    pub tried: Vec<Tried>,
    /// People whom no profile lets in.
    pub chosen_by_none: u64,
}

/// What came of one profile.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    pub fits: u64,
    /// Every line holds, but a required field is not known.
    pub incomplete: u64,
    pub does_not_fit: u64,
    /// People whom this profile lets in because no other scores better.
    pub chosen: u64,
    /// In the order of `match`.
    pub lines: Vec<LineCount>,
    /// Required fields that were not known of people who fit otherwise.
    pub missing: BTreeMap<String, u64>,
    /// Score to people who fit.
    pub scores: BTreeMap<i64, u64>,
    /// People whom only one line keeps out.
    pub near: u64,
    /// The best by score, for each line of `match`.
    closest: Vec<BTreeMap<(Reverse<i64>, ProspectId), Prospect>>,
}

/// How often one line of `match` did not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineCount {
    pub field: String,
    /// People for whom it did not hold.
    pub failed: u64,
    /// Those of them for whom every other line held.
    pub only: u64,
    /// Those of them of whom nothing is known that it could be compared with.
    pub unknown: u64,
}

/// Somebody whom only one line keeps out.
#[derive(Debug, Clone, PartialEq)]
pub struct NearMiss {
    pub prospect: Prospect,
    pub field: String,
    /// Why the line does not hold, naming the value.
    pub reason: String,
    /// What the score would be.
    pub score: i64,
}

impl<'a> Trial<'a> {
    /// Nobody yet, against these profiles.
    pub fn new(profiles: &'a [Profile]) -> Self {
        let matchers = Matchers::new(profiles);
        let tried = profiles.iter().map(Tried::new).collect();
        Self { profiles, matchers, people: 0, tried, chosen_by_none: 0 }
    }

    /// Takes one more person in.
    pub fn add(&mut self, prospect: &Prospect) {
        let facts = Facts::of(prospect);
        let person = Person::new(&facts);
        self.people += 1;
        let best = self.matchers.best(&person).and_then(|(at, _)| self.tried.get_mut(at));
        match best {
            Some(chosen) => chosen.chosen += 1,
            None => self.chosen_by_none += 1,
        }
        let profiles = self.profiles.iter().zip(self.matchers.iter());
        for ((profile, matcher), tried) in profiles.zip(&mut self.tried) {
            tried.add(profile, matcher, &person, prospect);
        }
    }

    /// The closest of those whom only this line of a profile keeps out, best score first.
    pub fn closest(&self, at: usize, field: &str) -> Vec<NearMiss> {
        let (Some(profile), Some(tried)) = (self.profiles.get(at), self.tried.get(at)) else {
            return Vec::new();
        };
        let line = tried.lines.iter().position(|line| line.field == field);
        let closest = line.and_then(|line| Some((line, tried.closest.get(line)?)));
        let near = closest.into_iter().flat_map(|(line, people)| {
            people.iter().filter_map(move |((Reverse(score), _), prospect)| {
                let line = evaluate(profile, &Facts::of(prospect)).lines.into_iter().nth(line)?;
                let (field, reason) = (line.label, line.reason);
                Some(NearMiss { prospect: prospect.clone(), field, reason, score: *score })
            })
        });
        near.collect()
    }
}

impl Tried {
    fn new(profile: &Profile) -> Self {
        let line = |field: &String| LineCount { field: field.clone(), ..LineCount::default() };
        let lines: Vec<_> = profile.criteria.iter().map(|line_of| line(&line_of.field)).collect();
        let closest = vec![BTreeMap::new(); lines.len()];
        Self { lines, closest, ..Self::default() }
    }

    /// The lines that keep anybody out: the one that keeps most out first, of equals the one that does
    /// so alone more often.
    pub fn obstacles(&self) -> Vec<&LineCount> {
        let mut lines: Vec<&LineCount> = self.lines.iter().filter(|l| l.failed > 0).collect();
        lines.sort_by_key(|line| Reverse((line.failed, line.only)));
        lines
    }

    fn add(&mut self, profile: &Profile, matcher: &Matcher, who: &Person<'_>, known: &Prospect) {
        match matcher.quick(who) {
            Quick::Fits { score } => {
                self.fits += 1;
                *self.scores.entry(score).or_default() += 1;
            }
            Quick::Incomplete { missing, .. } => {
                self.incomplete += 1;
                for field in missing.iter().filter_map(|at| profile.require.get(*at)) {
                    *self.missing.entry(field.clone()).or_default() += 1;
                }
            }
            Quick::DoesNotFit { failed } => self.add_failed(&failed, matcher, who, known),
        }
    }

    fn add_failed(&mut self, failed: &[usize], matcher: &Matcher, who: &Person<'_>, p: &Prospect) {
        self.does_not_fit += 1;
        for at in failed {
            let Some(line) = self.lines.get_mut(*at) else { continue };
            line.failed += 1;
            line.only += u64::from(failed.len() == 1);
            line.unknown += u64::from(!matcher.knows(*at, who));
        }
        if let [only] = failed
            && matcher.missing(who).is_empty()
        {
            self.near += 1;
            self.keep(matcher.score_if_it_fitted(who), *only, p);
        }
    }

    fn keep(&mut self, score: i64, line: usize, prospect: &Prospect) {
        let Some(closest) = self.closest.get_mut(line) else { return };
        let key = (Reverse(score), prospect.id);
        let is_full = closest.len() >= NEAR_SHOWN;
        if is_full && closest.last_key_value().is_some_and(|(last, _)| key > *last) {
            return;
        }
        closest.insert(key, prospect.clone());
        if closest.len() > NEAR_SHOWN {
            closest.pop_last();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cadence::Condition;
    use crate::domain::ids::{ProfileId, RepId};
    use crate::domain::profile::{Criterion, ScoreLine, Wants};
    use crate::domain::prospect::{CompanyDraft, ProspectDraft, Range, Relationship};

    fn profile(id: &str, title: &str) -> Profile {
        let any = vec![title.to_owned()];
        let title = Criterion { field: "title".into(), wants: Wants::Words { any, none: vec![] } };
        let size = Wants::Within(Range { low: 51, high: None });
        Profile {
            id: ProfileId::from(id),
            title: String::new(),
            about: String::new(),
            criteria: vec![title, Criterion { field: "employees".into(), wants: size }],
            require: vec!["city".into()],
            prefer: vec![],
            score: vec![ScoreLine {
                add: 5,
                when: vec![Condition::Has(vec!["department".into()])],
            }],
            say: BTreeMap::new(),
            language: None,
        }
    }

    fn person(id: i64, title: &str, employees: Option<u64>, city: Option<&str>) -> Prospect {
        let employees = employees.map(|n| Range { low: n, high: Some(n) });
        let known = ProspectDraft {
            title: Some(title.to_owned()),
            city: city.map(str::to_owned),
            company: CompanyDraft { employees, ..CompanyDraft::default() },
            ..ProspectDraft::default()
        };
        let owner = RepId::from("ann");
        let relationship = Relationship::Prospect;
        Prospect { id: ProspectId(id), company_id: None, owner, relationship, known }
    }

    #[test]
    fn everybody_is_counted_once_for_each_profile() {
        let profiles = [profile("sales", "sales"), profile("vp", "vp")];
        let mut trial = Trial::new(&profiles);
        let people = [
            person(1, "VP Sales", Some(60), Some("Oslo")),
            person(2, "Sales Manager", Some(60), Some("Oslo")),
            person(3, "VP Sales", Some(60), None),
            person(4, "VP Sales", Some(10), Some("Oslo")),
            person(5, "VP Sales", None, Some("Oslo")),
            person(6, "Carpenter", Some(10), Some("Oslo")),
            person(7, "Carpenter", Some(60), Some("Oslo")),
        ];
        people.iter().for_each(|person| trial.add(person));
        let sales = &trial.tried[0];
        assert_eq!((sales.fits, sales.incomplete, sales.does_not_fit), (2, 1, 4));
        assert_eq!(sales.missing, [("city".to_owned(), 1)].into());
        assert_eq!(sales.scores, [(5, 2)].into());
        let line = |field: &str, failed, only, unknown| LineCount {
            field: field.to_owned(),
            failed,
            only,
            unknown,
        };
        // `employees` keeps more people out, so it comes first.
        assert_eq!(sales.obstacles(), [&line("employees", 3, 2, 1), &line("title", 2, 1, 0)]);
        assert_eq!((trial.people, sales.near, trial.chosen_by_none), (7, 3, 5));
        assert_eq!((sales.chosen, trial.tried[1].chosen), (2, 0), "of equals the first");
    }

    #[test]
    fn the_closest_are_kept_with_their_reason_and_no_more_than_that() {
        let profiles = [profile("sales", "sales")];
        let mut trial = Trial::new(&profiles);
        for id in 1..=40 {
            let title = match id {
                33 => "VP Sales",
                // The department is known from the title, so the score is better.
                20 => "CFO",
                _ => "Carpenter",
            };
            let employees = if id == 33 { 10 } else { 60 };
            trial.add(&person(id, title, Some(employees), Some("Oslo")));
        }
        let ids = |field: &str| -> Vec<i64> {
            trial.closest(0, field).iter().map(|near| near.prospect.id.0).collect()
        };
        assert_eq!(trial.tried[0].near, 40);
        assert_eq!((ids("title"), ids("employees")), (vec![20, 1, 2], vec![33]));
        let near = &trial.closest(0, "employees")[0];
        assert_eq!((near.score, near.reason.as_str()), (5, "employees `10` is not in 51 and more"));
        let near = &trial.closest(0, "title")[0];
        assert_eq!((near.score, near.reason.as_str()), (5, "title `CFO` has none of: sales"));
        assert!(ids("country").is_empty() && trial.closest(1, "title").is_empty());
    }
}
