//! From the log to what a test looks at.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::cadence::{Cadence, What};
use crate::domain::enrollment::Phase;
use crate::domain::ids::EnrollmentId;
use crate::domain::log::{Entry, What as Happened};
use crate::domain::test_case::{Deed, Details, Kind, Question};
use crate::ports::EnrollmentRecord;

use super::stage::Days;

/// What became of a task that nobody answered.
const OPEN: &str = "open";
const CLOSED: &str = "closed";
const EXPIRED: &str = "expired";

/// On whose clock, and about which enrollment.
pub(super) struct Teller<'a> {
    pub(super) zone: &'a TimeZone,
    pub(super) days: &'a Days<'a>,
    pub(super) cadence: &'a Cadence,
    pub(super) first: EnrollmentId,
    /// Every enrollment of the person.
    pub(super) others: &'a [EnrollmentRecord],
}

impl Teller<'_> {
    /// What was done, and what else is good to know, in order.
    pub(super) fn tell(&self, log: &[Entry]) -> (Vec<Deed>, Vec<(DateTime, String)>) {
        let (mut deeds, mut notes) = (Vec::new(), Vec::new());
        let mut heard_at = None;
        for entry in log {
            if is_heard(entry) {
                heard_at = Some(entry.at);
            }
            if let Some(note) = self.note(entry) {
                notes.push((self.zone.to_datetime(entry.at), note));
            }
            if entry.what == Happened::Enrolled && !entry.detail("from").is_empty() {
                deeds.push(self.switched(entry));
            }
            if entry.enrollment == Some(self.first) {
                self.take(entry, &mut deeds, heard_at);
            }
        }
        (deeds, notes)
    }

    fn deed(&self, at: Timestamp, kind: Kind, name: &str) -> Deed {
        let at = self.zone.to_datetime(at);
        let day = self.days.number_of(at.date());
        Deed { at, day, kind, name: name.to_owned(), details: Details::default() }
    }

    /// What an entry about the enrollment adds, or how it settles an open task.
    fn take(&self, entry: &Entry, deeds: &mut Vec<Deed>, heard_at: Option<Timestamp>) {
        let step = entry.detail("step");
        let new = |kind: Kind, name: &str| self.deed(entry.at, kind, name);
        match entry.what {
            Happened::Sent | Happened::Settled => {
                let mut deed = new(Kind::Sent, step);
                deed.details.template = some(entry.detail("template"));
                deeds.push(deed);
            }
            Happened::Refused => deeds.push(new(Kind::Refused, step)),
            // What a person passed over is told with its task.
            Happened::Skipped if !entry.detail("reason").is_empty() => {
                let mut deed = new(Kind::Skipped, step);
                deed.details.why = some(entry.detail("reason"));
                deeds.push(deed);
            }
            Happened::TaskOpened => {
                let question = question(entry.detail("kind"), self.hands_over(step));
                let expires = question == Some(Question::HandedBack);
                settle(deeds, if expires { EXPIRED } else { CLOSED });
                let mut deed = match question {
                    Some(question) => new(Kind::Asked, question.as_str()),
                    None => new(Kind::Task, step),
                };
                deed.details.outcome = some(OPEN);
                deeds.push(deed);
            }
            Happened::TaskDone => settle(deeds, entry.detail("outcome")),
            Happened::TaskExpired => settle(deeds, EXPIRED),
            Happened::Ended => {
                // What nobody decided ends by itself; a word of the person makes a question needless.
                let by_itself = heard_at != Some(entry.at) && open_is_a_question(deeds);
                settle(deeds, if by_itself { EXPIRED } else { CLOSED });
                deeds.push(new(Kind::Ended, entry.detail("ending")));
            }
            _ => {}
        }
    }

    /// Whether the step itself is a hand-off.
    fn hands_over(&self, step: &str) -> bool {
        let found = self.cadence.steps.iter().find(|known| known.id.as_str() == step);
        found.is_some_and(|step| matches!(step.what, What::HandOff(_)))
    }

    fn switched(&self, entry: &Entry) -> Deed {
        let mut deed = self.deed(entry.at, Kind::Switched, entry.detail("cadence"));
        let next = self.others.iter().find(|record| Some(record.id) == entry.enrollment);
        if let Some(Phase::Waiting { due_at, .. }) = next.map(|record| &record.state.phase) {
            deed.details.begins = Some(self.zone.to_datetime(*due_at).date());
        }
        deed
    }

    /// What came in, and what went on without touching anybody.
    fn note(&self, entry: &Entry) -> Option<String> {
        let ours = entry.enrollment.is_none_or(|id| id == self.first);
        let text = match entry.what {
            Happened::Replied if entry.detail("channel") == "email" => "a reply came",
            Happened::AutoReplied => "an automatic reply came",
            Happened::Bounced => "the mail came back: the address is dead",
            Happened::SoftBounced => "the mail came back: try again later",
            Happened::OptedOut => "the person asked to be left alone",
            Happened::Complained => "the person reported spam",
            Happened::Noticed => "a notice came that changes nothing",
            Happened::Paused if ours => "a pause begins",
            Happened::Resumed if ours => "a pause is over",
            Happened::NotEnrolled => {
                let (cadence, why) = (entry.detail("cadence"), entry.detail("reason"));
                return Some(format!("not enrolled in {cadence}: {why}"));
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether the person, or a machine of theirs, was heard of.
fn is_heard(entry: &Entry) -> bool {
    matches!(
        entry.what,
        Happened::Replied
            | Happened::OptedOut
            | Happened::Complained
            | Happened::Bounced
            | Happened::TaskDone
    )
}

fn open_is_a_question(deeds: &[Deed]) -> bool {
    let is_open = |deed: &&Deed| deed.details.outcome.as_deref() == Some(OPEN);
    deeds.iter().rev().find(is_open).is_some_and(|deed| deed.kind == Kind::Asked)
}

/// What a task asks about the person; nothing when it is the task of its step.
fn question(kind: &str, is_of_step: bool) -> Option<Question> {
    let question = Question::ALL.iter().find(|(word, _)| *word == kind);
    question.map(|(_, question)| *question).filter(|q| *q != Question::HandOff || !is_of_step)
}

/// The open task came to that.
fn settle(deeds: &mut [Deed], outcome: &str) {
    let is_open = |deed: &&mut Deed| deed.details.outcome.as_deref() == Some(OPEN);
    if let Some(open) = deeds.iter_mut().rev().find(is_open) {
        open.details.outcome = Some(outcome.to_owned());
    }
}
