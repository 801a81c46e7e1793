//! The team in a test: it says of each task what the test tells it to, and leaves the rest alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::cadence::{Cadence, EXPIRED, What};
use crate::domain::calendar::Calendar;
use crate::domain::enrollment::TaskKind;
use crate::domain::ids::{EnrollmentId, StepId, TaskId};
use crate::domain::test_case::{Answer, Question, TestCase};
use crate::engine::tasks::{DoneTask, QueueLine};
use crate::engine::{Engine, EngineError};

use super::{TestError, instant};

/// Whose answer a task waits for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asks {
    Step(StepId),
    About(Question),
}

/// What is left to be said.
pub(super) struct Hands {
    left: BTreeMap<Asks, VecDeque<Answer>>,
    /// For steps of which the test says nothing.
    usual: BTreeMap<StepId, VecDeque<Answer>>,
    /// Nobody does these.
    alone: BTreeSet<TaskId>,
    pub(super) complaints: Vec<String>,
}

/// What came of a look at the queue.
pub(super) enum Did {
    /// A task was done, so that there may be more to do at once.
    Something,
    /// Nothing can be done before then.
    Nothing(Option<Timestamp>),
}

/// On whose clock and calendar.
pub(super) struct Desk<'a> {
    pub(super) engine: &'a Engine,
    pub(super) cadence: &'a Cadence,
    pub(super) calendar: &'a Calendar,
    pub(super) zone: &'a TimeZone,
    pub(super) enrollment: EnrollmentId,
}

impl Hands {
    pub(super) fn new(test: &TestCase) -> Self {
        let of_steps = test.answers.iter().map(|(step, all)| (Asks::Step(step.clone()), all));
        let about = test.decisions.iter().map(|(question, all)| (Asks::About(*question), all));
        let left = of_steps.chain(about);
        let unsaid = |(step, _): &(&StepId, _)| !test.answers.contains_key(*step);
        let usual = test.usual.iter().filter(unsaid);
        Self {
            usual: usual.map(|(step, all)| (step.clone(), all.iter().cloned().collect())).collect(),
            left: left.map(|(asks, all)| (asks, all.iter().cloned().collect())).collect(),
            alone: BTreeSet::new(),
            complaints: Vec::new(),
        }
    }

    /// The next thing that is said to a question, before anything else.
    pub(super) fn say_next(&mut self, question: Question, answer: Answer) {
        self.left.entry(Asks::About(question)).or_default().push_front(answer);
    }

    /// What was never asked for.
    pub(super) fn left_over(&self) -> impl Iterator<Item = String> {
        let line = |(asks, answers): (&Asks, &VecDeque<Answer>)| {
            let words: Vec<&str> = answers.iter().map(|answer| answer.outcome.as_str()).collect();
            let were = if words.len() == 1 { "was" } else { "were" };
            let s = if words.len() == 1 { "" } else { "s" };
            let words = words.join("`, `");
            match asks {
                Asks::Step(step) => format!(
                    "the answer{s} `{words}` for `{step}` {were} never asked for: take out what is \
                     too much, or move it to `answers:` of the file, where unused ones are allowed"
                ),
                Asks::About(question) => format!(
                    "the decision{s} `{words}` for `{}` {were} never asked for: take out what is too \
                     much",
                    question.as_str()
                ),
            }
        };
        self.left.iter().filter(|(_, answers)| !answers.is_empty()).map(line)
    }

    /// Does one task that can be done now.
    pub(super) async fn work(&mut self, desk: &Desk<'_>) -> Result<Did, TestError> {
        let now = desk.engine.now();
        let mut next: Option<Timestamp> = None;
        for line in desk.engine.queue(None).await? {
            let is_ours = line.task.enrollment == desk.enrollment;
            if !is_ours || self.alone.contains(&line.task.id) {
                continue;
            }
            let asks = asks(&line, desk.cadence);
            let Some(answer) = self.answers_to(&asks).and_then(|left| left.front()).cloned() else {
                continue;
            };
            let at = may_be_done_at(&line, &answer, desk);
            if at > now {
                next = Some(next.map_or(at, |other| other.min(at)));
                continue;
            }
            self.answers_to(&asks).and_then(VecDeque::pop_front);
            if answer.outcome.as_str() == EXPIRED {
                self.alone.insert(line.task.id);
                continue;
            }
            self.say(&line, answer, desk).await?;
            return Ok(Did::Something);
        }
        Ok(Did::Nothing(next))
    }

    fn answers_to(&mut self, asks: &Asks) -> Option<&mut VecDeque<Answer>> {
        match asks {
            Asks::Step(step) if self.usual.contains_key(step) => self.usual.get_mut(step),
            asks => self.left.get_mut(asks),
        }
    }

    async fn say(
        &mut self,
        line: &QueueLine,
        answer: Answer,
        desk: &Desk<'_>,
    ) -> Result<(), TestError> {
        let done = DoneTask {
            task: line.task.id,
            outcome: answer.outcome.0,
            until: answer.until.map(|until| instant(until, desk.zone)),
            actor: line.task.rep.clone(),
            set: answer.set,
            text: None,
            note: None,
        };
        match desk.engine.done(done).await {
            Ok(_) => {}
            // What a rep would be told is what the author wants to hear.
            Err(EngineError::Refused(why)) => {
                self.alone.insert(line.task.id);
                self.complaints.push(format!("the task of `{}`: {why}", line.task.step));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn asks(line: &QueueLine, cadence: &Cadence) -> Asks {
    let step = &line.task.step;
    let hands_over = || {
        let step = cadence.step(step).map(|(_, step)| &step.what);
        matches!(step, Some(What::HandOff(_)))
    };
    match line.task.kind {
        TaskKind::Touch(_) | TaskKind::Review => Asks::Step(step.clone()),
        TaskKind::HandOff if hands_over() => Asks::Step(step.clone()),
        TaskKind::HandOff => Asks::About(Question::HandOff),
        TaskKind::HandedBack => Asks::About(Question::HandedBack),
        TaskKind::Reply => Asks::About(Question::Reply),
        TaskKind::Triage => Asks::About(Question::Triage),
    }
}

/// When somebody gets to it: nobody is called at night.
fn may_be_done_at(line: &QueueLine, answer: &Answer, desk: &Desk<'_>) -> Timestamp {
    let opened_at = line.task.opened_at;
    let lain = answer.after.map(|delay| desk.calendar.after(opened_at, delay, desk.zone));
    let callable = line.callable_at.unwrap_or(opened_at);
    lain.unwrap_or(opened_at).max(callable)
}
