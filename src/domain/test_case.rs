//! A test of a cadence: who is enrolled, what happens to them, and what is expected to come of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime, Time};

use super::cadence::Outcome;
use super::enrollment::Ending;
use super::ids::{BuyerRole, CadenceId, StepId};
use super::prospect::Relationship;
use super::reply::ReplyKind;
use super::time::{DaySpan, Delay};

mod compare;
#[cfg(test)]
mod tests;

pub use compare::{Compared, Row, compare};

/// One file with tests of one cadence.
#[derive(Debug, Clone, PartialEq)]
pub struct TestFile {
    /// From the workspace, such as `cadences/tests/short.yaml`.
    pub path: String,
    pub cadence: CadenceId,
    /// In the order of the file; no name occurs twice.
    pub tests: Vec<TestCase>,
}

/// One person, what happens, and what is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    pub name: String,
    /// The line of the file on which it begins.
    pub line: usize,
    /// On the prospect's clock.
    pub enrolled_at: DateTime,
    pub person: Person,
    /// Where the cadence covers a company: roles for which there is nobody.
    pub vacant: BTreeSet<BuyerRole>,
    /// Days off beside those of the calendar.
    pub holidays: BTreeSet<Date>,
    /// What comes of the task of a step, try by try.
    pub answers: BTreeMap<StepId, Vec<Answer>>,
    /// The same for steps that are not in `answers`; it does not matter whether they are asked for.
    pub usual: BTreeMap<StepId, Vec<Answer>>,
    /// What is said when somebody is asked about the person.
    pub decisions: BTreeMap<Question, Vec<Answer>>,
    pub events: Vec<Happening>,
    /// The test ends then, on the prospect's clock; else with the enrollment.
    pub until: Option<DateTime>,
    /// In order.
    pub expected: Vec<Line>,
    pub extent: Extent,
    /// Steps that never touch the person and never become a task.
    pub never: Vec<StepId>,
    pub ends: Option<Standing>,
    /// The person is not let in, and the reason has these words.
    pub not_enrolled: Option<String>,
}

/// What differs from the person who is made up when nothing is said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Person {
    /// Values by field, as a list would give them.
    pub known: BTreeMap<String, String>,
    /// Fields that are not known.
    pub without: BTreeSet<String>,
    /// That of the cadence's audience when nothing is said.
    pub relationship: Option<Relationship>,
}

/// Whether anything may happen that is not expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// `timeline:` everything is listed.
    Everything,
    /// `expect:` other things may happen in between.
    Some,
}

/// What comes of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// `expired`: nobody does it.
    pub outcome: Outcome,
    /// How long the task lies there first.
    pub after: Option<Delay>,
    /// For `not_now` and the like: when to go on, on the prospect's clock.
    pub until: Option<DateTime>,
    /// Values for the fields that a task collects.
    pub set: Vec<(String, String)>,
}

impl Answer {
    /// Just an outcome, at once.
    pub fn plain(outcome: &str) -> Self {
        Self { outcome: Outcome::from(outcome), after: None, until: None, set: Vec::new() }
    }
}

/// What somebody of ours is asked about a person beside the task of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// What a reply means.
    Reply,
    Triage,
    /// Whether they take the person over, because a reply or an outcome says so.
    HandOff,
    /// What to do with somebody whom nobody took over.
    HandedBack,
}

impl Question {
    /// Every question with the word that a test writes for it.
    pub const ALL: [(&'static str, Self); 4] = [
        ("reply", Self::Reply),
        ("triage", Self::Triage),
        ("hand_off", Self::HandOff),
        ("handed_back", Self::HandedBack),
    ];

    /// The word that a test writes.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, question)| *question == self).map_or("reply", |(word, _)| word)
    }
}

/// Something that the person or their mail system does.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    pub moment: Moment,
    pub what: Incoming,
    /// Who of a company; the person where there is only one.
    pub from: Option<BuyerRole>,
    /// The line of the file.
    pub line: usize,
}

/// When something happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Moment {
    /// On that day of the cadence, at that time of the prospect's day.
    Day(u32, Time),
    On(Date, Time),
    /// So long after the step was sent or its task was done.
    Behind(StepId, Delay),
}

/// What comes in.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    Reply(Letter),
    /// A machine says that the person is away, until that day when it says so.
    OutOfOffice(Option<Date>),
    /// The last mail comes back.
    Bounce {
        hard: bool,
    },
    OptOut,
    SpamReport,
}

/// A mail in the person's own words.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// What it says; a friendly line when nothing is said.
    pub text: Option<String>,
    /// What the owner says that it means.
    pub means: Option<Outcome>,
    pub read_as: Option<ReadAs>,
}

/// What an inbound message is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAs {
    Reply,
    OptOut,
    AutoReply,
    Notice,
}

impl ReadAs {
    /// Every kind with the word that a test writes for it.
    pub const ALL: [(&'static str, Self); 4] = [
        ("reply", Self::Reply),
        ("opt_out", Self::OptOut),
        ("auto_reply", Self::AutoReply),
        ("notice", Self::Notice),
    ];

    /// The word that a test writes.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, read_as)| *read_as == self).map_or("reply", |(word, _)| word)
    }
}

/// The outcomes that a reply may mean: the kinds, and what ends it all.
pub fn meanings() -> Vec<&'static str> {
    let kinds = ReplyKind::ALL.iter().map(|(word, _)| *word);
    kinds.chain(["meeting_booked", "continue", "stop"]).collect()
}

/// What the engine can do to a person, as far as a test looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The mail of a step left.
    Sent,
    /// The task of a step came into somebody's queue.
    Task,
    /// Somebody was asked about the person.
    Asked,
    Skipped,
    /// A server refused the mail of a step for good.
    Refused,
    /// The person was enrolled in another cadence.
    Switched,
    Ended,
}

impl Kind {
    /// Every kind with the word that a test writes for it.
    pub const ALL: [(&'static str, Self); 7] = [
        ("sent", Self::Sent),
        ("task", Self::Task),
        ("asked", Self::Asked),
        ("skipped", Self::Skipped),
        ("refused", Self::Refused),
        ("switched", Self::Switched),
        ("ended", Self::Ended),
    ];

    /// The word that a test writes.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("sent", |(word, _)| word)
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// On the prospect's clock.
    pub at: DateTime,
    /// The number of that day as the cadence counts; none on a day that it does not count.
    pub day: Option<u32>,
    pub kind: Kind,
    /// The step, the question, the cadence, or the ending.
    pub name: String,
    pub details: Details,
}

/// What more there is to say of a deed, or is expected of one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// With which template a mail was sent.
    pub template: Option<String>,
    /// What came of a task, or what was answered.
    pub outcome: Option<String>,
    /// Why a step was skipped.
    pub why: Option<String>,
    /// The first day in the other cadence.
    pub begins: Option<Date>,
}

/// One thing that is expected. What it does not say may be anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub kind: Kind,
    pub name: String,
    pub day: Option<u32>,
    pub on: Option<Date>,
    pub at: Option<Clock>,
    pub details: Details,
    /// The line of the file.
    pub line: usize,
}

/// A time of the day: a minute, or a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Minute(Time),
    Within(DaySpan),
}

impl Clock {
    /// Whether a time of the day is meant by it.
    pub fn fits(self, time: Time) -> bool {
        match self {
            Self::Minute(minute) => {
                (minute.hour(), minute.minute()) == (time.hour(), time.minute())
            }
            Self::Within(span) => (span.opens()..span.closes()).contains(&time),
        }
    }
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Minute(time) => write!(f, "{:02}:{:02}", time.hour(), time.minute()),
            Self::Within(span) => span.fmt(f),
        }
    }
}

/// How an enrollment stands when a test is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Ended(Ending),
    Open,
}

impl Standing {
    /// The word that a test writes for an enrollment that goes on.
    pub const OPEN: &'static str = "open";

    /// The word that a test writes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ended(ending) => ending.as_str(),
            Self::Open => Self::OPEN,
        }
    }

    /// Every word that a test may write.
    pub fn words() -> Vec<(&'static str, Self)> {
        let endings = Ending::ALL.iter().map(|(word, ending)| (*word, Self::Ended(*ending)));
        endings.chain([(Self::OPEN, Self::Open)]).collect()
    }
}

impl Line {
    /// Whether it is about that: the same thing done to the same step.
    pub fn is_about(&self, deed: &Deed) -> bool {
        self.kind == deed.kind && self.name == deed.name
    }

    /// Whether everything that it says is true of what happened.
    pub fn fits(&self, deed: &Deed) -> bool {
        self.is_about(deed)
            && self.day.is_none_or(|day| deed.day == Some(day))
            && self.on.is_none_or(|on| deed.at.date() == on)
            && self.at.is_none_or(|at| at.fits(deed.at.time()))
            && self.details.fit(&deed.details)
    }
}

impl Details {
    fn fit(&self, happened: &Self) -> bool {
        let same =
            |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        same(&self.template, &happened.template)
            && same(&self.outcome, &happened.outcome)
            && (self.begins.is_none() || self.begins == happened.begins)
            && self.why.as_ref().is_none_or(|why| is_reason(why, happened.why.as_deref()))
    }
}

/// `missing_field` is meant by `missing_field`, and by `missing_field:phone` only that.
fn is_reason(wanted: &str, found: Option<&str>) -> bool {
    let Some(found) = found else { return false };
    found == wanted || found.split_once(':').is_some_and(|(head, _)| head == wanted)
}
