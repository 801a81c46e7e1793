//! From a decision to the changes that record it.

use jiff::Timestamp;

use super::enroll::enrolled;
use super::opening::Opening;
use super::{Engine, EngineError, Person};
use crate::domain::cadence::{self, Outcome};
use crate::domain::enrollment::{Effect, Skipped, State, TaskKind};
use crate::domain::ids::{CadenceId, StepId};
use crate::domain::log::{Entry, What as Happened};
use crate::ports::{Changes, EnrollmentMove};

impl Person {
    /// A log entry about this person.
    pub(super) fn entry(&self, at: Timestamp, what: Happened) -> Entry {
        Entry {
            prospect: Some(self.prospect.id),
            enrollment: Some(self.enrollment.id),
            ..Entry::new(at, what)
        }
    }

    /// The changes that move this person to a new state.
    pub(super) fn moved(&self, state: State, at: Timestamp) -> Changes {
        let wake = self.wake(&state);
        let (id, revision) = (self.enrollment.id, self.enrollment.revision);
        let prospect = state.account.as_ref().map(|_| self.prospect.id);
        let (digest, mailbox, owner) = (None, None, None);
        let moved =
            EnrollmentMove { id, revision, at, state, wake, digest, mailbox, prospect, owner };
        Changes { moved: vec![moved], ..Changes::default() }
    }
}

impl Engine {
    /// The changes for a new state and its effects. Sending a mail is not among them: that is a
    /// protocol of its own.
    pub(super) async fn changes(
        &self,
        person: &Person,
        state: State,
        effects: &[Effect],
        now: Timestamp,
    ) -> Result<Changes, EngineError> {
        let (next, state) = self.turn(person, state).await?;
        // Whoever has the turn behind the move: what is asked now is about them.
        let current = next.as_ref().unwrap_or(person);
        let mut changes = current.moved(state.clone(), now);
        for effect in effects {
            match effect {
                Effect::SendMail { .. } => {}
                Effect::OpenTask { step, attempt, kind, expires_at, promised_at } => {
                    let (kind, attempt, expires_at) = (*kind, *attempt, *expires_at);
                    let promised_at = *promised_at;
                    let opening =
                        Opening { step, attempt, kind, expires_at, promised_at, state: &state };
                    let task = self.new_task(current, &opening, now).await?;
                    let opened = current.entry(now, Happened::TaskOpened).with("step", step);
                    changes.log.push(opened.with("kind", task_word(kind)));
                    changes.tasks.push(task);
                }
                Effect::CloseTasks => changes.close_tasks.push((person.enrollment.id, now)),
                Effect::Pass { step, outcome, skipped, .. } => {
                    changes.log.extend(passed(person, step, outcome, skipped.as_ref(), now));
                }
                Effect::End { ending } => {
                    let ended = person.entry(now, Happened::Ended);
                    changes.log.push(ended.with("ending", ending.as_str()));
                }
                Effect::Leave { who, ending } => {
                    let left = Entry { prospect: Some(*who), ..person.entry(now, Happened::Left) };
                    changes.log.push(left.with("ending", ending.as_str()));
                }
                Effect::Begin { cadence, at, who } => {
                    let member = match who.filter(|who| *who != person.prospect.id) {
                        Some(who) => self.as_member(person, who).await?,
                        None => None,
                    };
                    let person = member.as_ref().unwrap_or(person);
                    self.begin_again(person, cadence, *at, now, &mut changes).await?;
                }
            }
        }
        Ok(changes)
    }

    /// The next enrollment of a person who is switched, in the same transaction as the end of the one
    /// before: a crash can neither lose nor double it.
    async fn begin_again(
        &self,
        person: &Person,
        cadence: &CadenceId,
        at: Timestamp,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        let from = &person.enrollment.cadence;
        match self.successor(person, cadence, at).await? {
            Ok(record) => {
                changes.log.push(enrolled(&record, now).with("from", from));
                changes.enrolled.push(record);
            }
            Err(reason) => {
                let refused = person.entry(now, Happened::NotEnrolled);
                changes.log.push(refused.with("cadence", cadence).with("reason", reason));
            }
        }
        Ok(())
    }
}

pub(super) fn task_word(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Touch(channel) => channel.as_str(),
        TaskKind::Review => "review",
        TaskKind::Triage => "triage",
        TaskKind::Reply => "reply",
        TaskKind::HandOff => "hand_off",
        TaskKind::HandedBack => "handed_back",
    }
}

/// Skipped and expired steps are logged here; what was done is logged by who did it.
fn passed(
    person: &Person,
    step: &StepId,
    outcome: &Outcome,
    skipped: Option<&Skipped>,
    now: Timestamp,
) -> Option<Entry> {
    let what = match outcome.as_str() {
        cadence::SKIPPED => Happened::Skipped,
        cadence::EXPIRED => Happened::TaskExpired,
        _ => return None,
    };
    let entry = person.entry(now, what).with("step", step);
    Some(match skipped {
        Some(skipped) => entry.with("reason", skipped.reason()),
        None => entry,
    })
}
