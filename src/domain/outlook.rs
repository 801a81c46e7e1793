//! What can be said of a step before everything is known on which it depends.

use super::cadence::{Channel, Condition, Outcome, Step, Test, Way};
use super::facts::Facts;

/// Stands for the outcome of a step that nobody has done yet; no file can name it.
pub const OPEN: &str = "?";

/// Whether something holds, as far as anybody can know today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    /// It depends on an outcome that is not known yet.
    Open,
}

/// One condition with what it was tested against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The condition, such as `employees >= 200`.
    pub says: String,
    /// What is known, such as `240`.
    pub value: String,
    pub answer: Answer,
}

/// What becomes of a step, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Whether it will be done.
    pub answer: Answer,
    /// Why the person cannot be touched on its channel at all.
    pub closed: Option<String>,
    pub only_if: Vec<Line>,
    pub skip_if: Vec<Line>,
}

/// What is to be expected of one step. An outcome of [`OPEN`] is one that is not known yet.
pub fn outlook(step: &Step, facts: &Facts, closed: &[Channel], way: &dyn Way) -> Outlook {
    let channel = step.what.channel();
    let closed = match channel.needed_field().filter(|field| !facts.has(field)) {
        Some(field) => Some(format!("{field} is not known")),
        None => closed.contains(&channel).then(|| "must not be contacted this way".to_owned()),
    };
    let lines = |conditions: &[Condition]| -> Vec<Line> {
        conditions.iter().flat_map(|condition| lines(condition, facts, way)).collect()
    };
    let (only_if, skip_if) = (lines(&step.only_if), lines(&step.skip_if));
    let held = all(&only_if);
    let skipped = if skip_if.is_empty() { Answer::No } else { all(&skip_if) };
    let answer = match (closed.is_some(), held, skipped) {
        (true, _, _) | (_, Answer::No, _) | (_, _, Answer::Yes) => Answer::No,
        (_, Answer::Yes, Answer::No) => Answer::Yes,
        (_, Answer::Open, _) | (_, _, Answer::Open) => Answer::Open,
    };
    Outlook { answer, closed, only_if, skip_if }
}

impl Outlook {
    /// Why it is not done, or on what it depends: each reason as a sentence's part.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<String> = self.closed.iter().cloned().collect();
        if reasons.is_empty() {
            let unmet = |line: &&Line| line.answer == self.wanted(Answer::No);
            let unmet = self.only_if.iter().filter(unmet);
            reasons.extend(unmet.map(|line| format!("only if {}", part(line))));
        }
        if reasons.is_empty() || self.answer == Answer::Open {
            let met = |line: &&Line| line.answer == self.wanted(Answer::Yes);
            let met = self.skip_if.iter().filter(met);
            reasons.extend(met.map(|line| format!("not if {}", part(line))));
        }
        reasons
    }

    /// The conditions of a step that is done: each as a sentence's part.
    pub fn held(&self) -> Vec<String> {
        let held = self.only_if.iter().filter(|line| line.answer == Answer::Yes);
        held.map(|line| format!("only if {}", part(line))).collect()
    }

    fn wanted(&self, decided: Answer) -> Answer {
        if self.answer == Answer::Open { Answer::Open } else { decided }
    }
}

/// What a line says, with the value that it looked at.
fn part(line: &Line) -> String {
    match line.value.is_empty() {
        true => line.says.clone(),
        false => format!("{} ({})", line.says, line.value),
    }
}

fn all(lines: &[Line]) -> Answer {
    if lines.iter().any(|line| line.answer == Answer::No) {
        return Answer::No;
    }
    match lines.iter().any(|line| line.answer == Answer::Open) {
        true => Answer::Open,
        false => Answer::Yes,
    }
}

/// A condition cut into its smallest parts; each is tested by [`Condition::holds`].
fn lines(condition: &Condition, facts: &Facts, way: &dyn Way) -> Vec<Line> {
    let value = |field: &String| facts.get(field).unwrap_or("not known").to_owned();
    let test = |part: Condition, says: String, value: String| {
        let holds = part.holds(facts, way);
        Line { says, value, answer: if holds { Answer::Yes } else { Answer::No } }
    };
    match condition {
        Condition::Has(fields) => {
            let one = |field: &String| {
                test(Condition::Has(vec![field.clone()]), format!("has {field}"), value(field))
            };
            fields.iter().map(one).collect()
        }
        Condition::HasNot(fields) => {
            let one = |field: &String| {
                let part = Condition::HasNot(vec![field.clone()]);
                test(part, format!("has no {field}"), value(field))
            };
            fields.iter().map(one).collect()
        }
        Condition::Field(tests) => {
            let one = |(field, wanted): &(String, Test)| {
                let part = Condition::Field(vec![(field.clone(), wanted.clone())]);
                test(part, format!("{field} {}", words(wanted)), value(field))
            };
            tests.iter().map(one).collect()
        }
        Condition::Outcome(outcomes) => outcomes
            .iter()
            .map(|(step, wanted)| {
                let names: Vec<&str> = wanted.iter().map(Outcome::as_str).collect();
                let says = format!("{step} ends in {}", names.join(" or "));
                let got = way.outcome_of(step);
                if got.as_ref().is_some_and(|got| got.as_str() == OPEN) {
                    return Line { says, value: String::new(), answer: Answer::Open };
                }
                let value = got.map_or_else(|| "nothing".to_owned(), |got| got.0);
                test(Condition::Outcome(vec![(step.clone(), wanted.clone())]), says, value)
            })
            .collect(),
        Condition::Event(events) => {
            let says = format!("{} has happened", events.join(" or "));
            let has_happened = events.iter().any(|event| way.has_happened(event));
            let answer = if has_happened { Answer::Yes } else { Answer::Open };
            vec![Line { says, value: String::new(), answer }]
        }
        Condition::Any(groups) => vec![any(groups, facts, way)],
    }
}

fn any(groups: &[Vec<Condition>], facts: &Facts, way: &dyn Way) -> Line {
    let group = |group: &Vec<Condition>| -> Vec<Line> {
        group.iter().flat_map(|condition| lines(condition, facts, way)).collect()
    };
    let groups: Vec<Vec<Line>> = groups.iter().map(group).collect();
    let answers: Vec<Answer> = groups.iter().map(|group| all(group)).collect();
    let answer = match (answers.contains(&Answer::Yes), answers.contains(&Answer::Open)) {
        (true, _) => Answer::Yes,
        (false, true) => Answer::Open,
        (false, false) => Answer::No,
    };
    let join = |of: fn(&Line) -> &String| {
        let one = |group: &Vec<Line>| {
            let parts: Vec<&str> = group.iter().map(|line| of(line).as_str()).collect();
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" and ")
        };
        let parts = groups.iter().map(one).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>()
    };
    let (says, value) = (join(|line| &line.says), join(|line| &line.value));
    Line { says: says.join(" or "), value: value.join(", "), answer }
}

fn words(test: &Test) -> String {
    match test {
        Test::Is(text) => format!("is {text}"),
        Test::AtLeast(bound) => format!(">= {bound}"),
        Test::AtMost(bound) => format!("<= {bound}"),
        Test::MoreThan(bound) => format!("> {bound}"),
        Test::LessThan(bound) => format!("< {bound}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cadence::{By, Priority, StepHours, Unenrolled, What, When};
    use crate::domain::ids::StepId;
    use crate::domain::time::{Delay, Unit};

    /// `only_if`, `skip_if`, the outcome above, and what comes of it.
    type Case = (Vec<Condition>, Vec<Condition>, &'static str, Answer, &'static [&'static str]);

    fn step(only_if: Vec<Condition>, skip_if: Vec<Condition>) -> Step {
        Step {
            id: StepId::from("call-2"),
            when: When::Day(1),
            what: What::Call { script: "opener".to_owned(), voicemail: None },
            by: By::Owner,
            to: Vec::new(),
            only_if,
            skip_if,
            expires_after: Delay::new(3, Unit::BusinessDays),
            priority: Priority::Normal,
            hours: StepHours::Calendar,
            within: None,
            outcomes: Default::default(),
        }
    }

    fn facts() -> Facts {
        let known = [("phone", "+1"), ("employees", "240")];
        known.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect()
    }

    /// Every step had this outcome.
    struct Always(Outcome);

    impl Way for Always {
        fn outcome_of(&self, _step: &StepId) -> Option<Outcome> {
            Some(self.0.clone())
        }

        fn has_happened(&self, _event: &str) -> bool {
            false
        }
    }

    fn of(only_if: Vec<Condition>, skip_if: Vec<Condition>, outcome: &str) -> Outlook {
        let way = Always(Outcome::from(outcome));
        outlook(&step(only_if, skip_if), &facts(), &[], &way)
    }

    fn has(field: &str) -> Condition {
        Condition::Has(vec![field.to_owned()])
    }

    fn voicemail() -> Condition {
        Condition::Outcome(vec![(StepId::from("call-1"), vec![Outcome::from("left_voicemail")])])
    }

    #[test]
    fn what_is_known_is_decided_and_what_is_open_stays_open() {
        let big = || Condition::Field(vec![("employees".to_owned(), Test::AtLeast(500.0))]);
        let either = || Condition::Any(vec![vec![has("title")], vec![voicemail()]]);
        let replied = || Condition::Event(vec!["email_replied".to_owned()]);
        let cases: [Case; 10] = [
            (vec![replied()], vec![], OPEN, Answer::Open, &["only if email_replied has happened"]),
            (vec![], vec![], OPEN, Answer::Yes, &[]),
            (vec![has("title")], vec![], OPEN, Answer::No, &["only if has title (not known)"]),
            (vec![big()], vec![], OPEN, Answer::No, &["only if employees >= 500 (240)"]),
            (
                vec![voicemail()],
                vec![],
                OPEN,
                Answer::Open,
                &["only if call-1 ends in left_voicemail"],
            ),
            (
                vec![],
                vec![voicemail()],
                OPEN,
                Answer::Open,
                &["not if call-1 ends in left_voicemail"],
            ),
            // What is certain decides, whatever is open beside it.
            (
                vec![voicemail(), has("title")],
                vec![],
                OPEN,
                Answer::No,
                &["only if has title (not known)"],
            ),
            (vec![], vec![voicemail(), has("title")], OPEN, Answer::Yes, &[]),
            (
                vec![either()],
                vec![],
                OPEN,
                Answer::Open,
                &["only if has title or call-1 ends in left_voicemail (not known)"],
            ),
            (
                vec![],
                vec![voicemail()],
                "left_voicemail",
                Answer::No,
                &["not if call-1 ends in left_voicemail (left_voicemail)"],
            ),
        ];
        for (only_if, skip_if, outcome, answer, reasons) in cases {
            let got = of(only_if.clone(), skip_if.clone(), outcome);
            assert_eq!(got.answer, answer, "{only_if:?} {skip_if:?}");
            assert_eq!(got.reasons(), reasons, "{only_if:?} {skip_if:?}");
        }
    }

    #[test]
    fn a_closed_channel_and_a_missing_number_come_before_every_condition() {
        let step = step(vec![has("title")], vec![]);
        let blocked = outlook(&step, &facts(), &[Channel::Call], &Unenrolled);
        assert_eq!(blocked.reasons(), ["must not be contacted this way"]);
        let unknown = outlook(&step, &Facts::default(), &[], &Unenrolled);
        assert_eq!(
            (unknown.answer, unknown.reasons()),
            (Answer::No, vec!["phone is not known".to_owned()])
        );
    }
}
