//! The rep's day: what is in the queue, and what came of it.

use jiff::Timestamp;

use self::given::{asked_for, check_note, filled, missing, note_given};
use super::dispatch::transition;
use super::transition::task_word;
use super::{Engine, EngineError, Person};
use crate::domain::cadence::{self, Channel, Outcome, SKIPPED};
use crate::domain::enrollment::{HANDED_BACK_OUTCOMES, REVIEW_OUTCOMES, TRIAGE_OUTCOMES, TaskKind};
use crate::domain::ids::{RepId, TaskId, TouchId};
use crate::domain::log::What as Happened;
use crate::domain::prospect::Prospect;
use crate::domain::reply::ReplyKind;
use crate::domain::schedule;
use crate::domain::suppression::{Cause, Subject, Suppression};
use crate::domain::touch::{Milestone, Status, Touch};
use crate::formats::diagnostic::did_you_mean;
use crate::ports::{Changes, IdKind, MilestoneRecord, TaskRecord};

mod day;
mod given;
mod put_off;
mod reassign;
mod undo;

pub use day::{Day, Row};
pub(super) use given::check_value;
pub use put_off::{Snooze, Snoozed};
pub use reassign::{PeopleMoved, Reassigned};
pub use undo::TakenBack;

/// One line of the queue.
#[derive(Debug, Clone)]
pub struct QueueLine {
    pub task: TaskRecord,
    pub prospect: Prospect,
    pub cadence: String,
    /// When it may be done, where that is not always: for calls when it is a time to call there, for
    /// what was put off when it is not any more. In the past when it may be done now.
    pub callable_at: Option<Timestamp>,
    /// What may be said of it.
    pub outcomes: Vec<Offered>,
    /// The fields that have to be filled before it is done.
    pub collect: Vec<String>,
}

/// What a person did with a task.
#[derive(Debug, Clone)]
pub struct DoneTask {
    pub task: TaskId,
    pub outcome: String,
    /// For `not_now` and the like: when to go on.
    pub until: Option<Timestamp>,
    pub actor: RepId,
    /// Values for the fields that the task collects.
    pub set: Vec<(String, String)>,
    /// For a mail that is released: what is sent in place of the template, with a line `Subject:`.
    pub text: Option<String>,
    /// What whoever did it wants to be remembered.
    pub note: Option<String>,
}

impl Engine {
    /// The open tasks of a rep, or of everybody: what can be done now first, then by priority and age.
    ///
    /// # Errors
    /// The store failed.
    pub async fn queue(&self, rep: Option<&RepId>) -> Result<Vec<QueueLine>, EngineError> {
        let now = self.now();
        let mut lines = Vec::new();
        for task in self.store.tasks(rep).await? {
            let Some(person) = self.member(task.enrollment, task.prospect).await? else { continue };
            lines.push(line(&person, task, now));
        }
        lines.sort_by_key(|line| {
            let later = line.callable_at.is_some_and(|at| at > now);
            (later, line.task.priority, line.task.opened_at, line.task.id)
        });
        Ok(lines)
    }

    /// Records what came of a task, and lets the cadence go on. Returns the prospect.
    ///
    /// # Errors
    /// There is no such open task, or no such outcome for its kind.
    pub async fn done(&self, done: DoneTask) -> Result<Prospect, EngineError> {
        let now = self.now();
        check_note(done.note.as_deref())?;
        let (task, person) = self.open_task(done.task).await?;
        self.check_promise(&person, &task, &done, now)?;
        let outcome = known_outcome(&person, &task, &done.outcome)?;
        let filled = filled(&person, &task, &outcome, &done.set)?;
        let event = self.told(&person, &task, &outcome, &done, now).await?;
        let (state, effects) = transition(&person, event.clone(), now)?;
        let after = state.clone();
        let mut changes = self.changes(&person, state, &effects, now).await?;
        self.tell_colleagues(&person, &after, now, &mut changes).await?;
        self.note_done(&person, &task, &outcome, &done.actor, now, &mut changes).await?;
        note_given(&done, &event, &mut changes);
        self.keep_filled(&person, &task, filled, &done.set, &mut changes).await?;
        tell_who_takes_over(&done, &task, &mut changes);
        note_deed(&person, &task, &mut changes);
        self.store.write(changes).await?;
        Ok(person.prospect)
    }

    /// An open task and the person whom it is about.
    pub(super) async fn open_task(&self, id: TaskId) -> Result<(TaskRecord, Person), EngineError> {
        let missing = || EngineError::NotFound {
            what: "open task",
            name: id.to_string(),
            hint: ": see `firsttouch today`".to_owned(),
        };
        let task = self.store.task(id).await?.filter(|task| task.open).ok_or_else(missing)?;
        let person = self.member(task.enrollment, task.prospect).await?.ok_or_else(missing)?;
        Ok((task, person))
    }

    /// The person whom an open task is about.
    ///
    /// # Errors
    /// The store failed.
    pub async fn person_of(&self, task: TaskId) -> Result<Option<Person>, EngineError> {
        match self.open_task(task).await {
            Ok((_, person)) => Ok(Some(person)),
            Err(EngineError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The touch of an attempt that was taken back is used again (promise 1).
    async fn touch_id(&self, task: &TaskRecord) -> Result<TouchId, EngineError> {
        let touches = self.store.touches_of(task.enrollment).await?;
        let same = |touch: &&Touch| touch.step == task.step && touch.attempt == task.attempt;
        match touches.iter().find(same).filter(|touch| touch.status == Status::TakenBack) {
            Some(touch) => Ok(touch.id),
            None => Ok(TouchId(self.id(IdKind::Touch).await?)),
        }
    }

    async fn note_done(
        &self,
        person: &Person,
        task: &TaskRecord,
        outcome: &Outcome,
        actor: &RepId,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        let mut entry = person.entry(now, Happened::TaskDone).with("step", &task.step);
        entry = entry.with("outcome", outcome).with("kind", task_word(task.kind));
        entry.actor = actor.0.clone();
        if let Some(target_at) = task.target_at {
            entry = entry.with("in_time", if now <= target_at { "yes" } else { "no" });
        }
        let channel = match task.kind {
            // Nobody was touched.
            TaskKind::Touch(_) if outcome.as_str() == SKIPPED => None,
            TaskKind::Touch(channel) => Some(channel),
            _ => None,
        };
        let Some(channel) = channel else {
            changes.log.insert(0, entry);
            return Ok(());
        };
        let touch = Touch {
            id: self.touch_id(task).await?,
            enrollment: person.enrollment.id,
            prospect: person.prospect.id,
            step: task.step.clone(),
            attempt: task.attempt,
            channel,
            status: Status::Done,
            at: now,
            actor: actor.0.clone(),
            mail: None,
            version: task.version.clone(),
            outcome: Some(outcome.clone()),
        };
        entry.touch = Some(touch.id);
        changes.log.insert(0, entry.with("channel", channel.as_str()));
        for milestone in Milestone::of_outcome(channel, outcome) {
            changes.milestones.push(MilestoneRecord {
                enrollment: person.enrollment.id,
                prospect: person.prospect.id,
                milestone,
                touch: touch.id,
                at: now,
            });
        }
        if cadence::is_conversation(channel, outcome) {
            if let Some(entry) = changes.log.first_mut() {
                entry.details.insert("talked".to_owned(), "yes".to_owned());
            }
            let mut replied = person.entry(now, Happened::Replied).with("step", &task.step);
            replied = replied.with("channel", channel.as_str()).with("outcome", outcome);
            replied = replied.with("latency_ms", 0).with("kind", "reply");
            (replied.touch, replied.actor) = (Some(touch.id), actor.0.clone());
            changes.log.push(replied);
        }
        changes.touches.push(touch);
        changes.suppressions.extend(phone_blocks(person, outcome, actor, now));
        Ok(())
    }
}

/// A line of the queue.
fn line(person: &Person, task: TaskRecord, now: Timestamp) -> QueueLine {
    let calls = task.kind == TaskKind::Touch(Channel::Call) && !task.promised;
    let callable_at = if calls { callable_at(person, now) } else { None };
    let callable_at = task.wakes_at.map_or(callable_at, |wakes_at| {
        let wakes_at = wakes_at.max(now);
        match calls {
            true => self::callable_at(person, wakes_at),
            false => Some(wakes_at),
        }
    });
    QueueLine {
        cadence: person.enrollment.cadence.0.clone(),
        callable_at,
        outcomes: offered(person, &task),
        collect: missing(&person.prospect.known, asked_for(person, &task)),
        prospect: person.prospect.clone(),
        task,
    }
}

/// Whoever takes the person over hears of the word that led to it, which is not on record yet.
fn tell_who_takes_over(done: &DoneTask, task: &TaskRecord, changes: &mut Changes) {
    let note = done.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    let note = note.map_or(String::new(), |note| format!(" (\"{note}\")"));
    let step = match task.kind {
        TaskKind::Touch(_) => format!(" on {}", task.step),
        _ => String::new(),
    };
    let told = format!("Just now, {}{step}: {}{note}", done.actor, done.outcome);
    for opened in changes.tasks.iter_mut().filter(|opened| opened.kind == TaskKind::HandOff) {
        opened.text = format!("{}\n\n{told}", opened.text).trim().to_owned();
    }
}

/// What the log keeps of a deed, so that it can be taken back: the task, the enrollments that it moved
/// with the revisions from which, those that it began, and how many entries about this person follow.
fn note_deed(person: &Person, task: &TaskRecord, changes: &mut Changes) {
    let moved: Vec<String> =
        changes.moved.iter().map(|moved| format!("{}@{}", moved.id, moved.revision)).collect();
    let began: Vec<String> = changes.enrolled.iter().map(|record| record.id.to_string()).collect();
    let about = changes.log.iter().filter(|entry| entry.prospect == Some(person.prospect.id));
    let follow = about.count().saturating_sub(1);
    if let Some(entry) = changes.log.first_mut() {
        let details = [("task", task.id.to_string()), ("moved", moved.join(" "))];
        let counted = [("began", began.join(" ")), ("follow", follow.to_string())];
        let told = details.into_iter().chain(counted).filter(|(_, value)| !value.is_empty());
        entry.details.extend(told.map(|(key, value)| (key.to_owned(), value)));
    }
}

/// When a call may be made there, at or behind `now`.
fn callable_at(person: &Person, now: Timestamp) -> Option<Timestamp> {
    Some(schedule::callable(&person.place(), now).unwrap_or(Timestamp::MAX))
}

/// One thing that may be said of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    pub outcome: Outcome,
    /// What it is called, where the cadence says so.
    pub label: Option<String>,
}

/// What may be said of a task, in the order in which it is offered.
fn offered(person: &Person, task: &TaskRecord) -> Vec<Offered> {
    let cadence = &person.version.cadence;
    let plain = |slug: &str| Offered { outcome: Outcome::from(slug), label: None };
    let triage = || TRIAGE_OUTCOMES.iter().map(|(slug, _)| *slug);
    match task.kind {
        TaskKind::Touch(_) => {
            let step = cadence.step(&task.step).map(|(_, step)| step);
            let outcomes = step.map(|step| cadence.outcomes_of(&step.what)).unwrap_or_default();
            let labelled = |(outcome, label): (Outcome, Option<&str>)| Offered {
                outcome,
                label: label.map(str::to_owned),
            };
            outcomes.into_iter().map(labelled).collect()
        }
        TaskKind::Review => REVIEW_OUTCOMES.map(plain).into(),
        TaskKind::Triage => triage().map(plain).collect(),
        TaskKind::Reply => {
            let kinds = ReplyKind::ALL.map(|(word, _)| word);
            let others = triage().filter(|slug| !kinds.contains(slug));
            kinds.into_iter().chain(others).map(plain).collect()
        }
        TaskKind::HandOff => ["accepted", "declined"].map(plain).into(),
        TaskKind::HandedBack => HANDED_BACK_OUTCOMES.map(plain).into(),
    }
}

/// The outcome of that name, if this kind of task may have it.
fn known_outcome(person: &Person, task: &TaskRecord, word: &str) -> Result<Outcome, EngineError> {
    let offered = offered(person, task);
    let known: Vec<&str> = offered.iter().map(|offered| offered.outcome.as_str()).collect();
    if known.contains(&word) {
        return Ok(Outcome::from(word));
    }
    let meant = did_you_mean(word, known.iter().copied());
    let meant = meant.map_or(".".to_owned(), |meant| format!("; did you mean `{meant}`?"));
    let shown = |offered: &Offered| match &offered.label {
        Some(label) => format!("{} ({label})", offered.outcome),
        None => offered.outcome.to_string(),
    };
    let all: Vec<String> = offered.iter().map(shown).collect();
    Err(EngineError::Refused(format!(
        "`{word}` is no outcome of a {} task{meant} It can be: {}",
        task_word(task.kind).replace('_', "-"),
        all.join(", ")
    )))
}

/// "Do not call" closes every number of the person; a bad number only the one that was dialled.
fn phone_blocks(
    person: &Person,
    outcome: &Outcome,
    actor: &RepId,
    now: Timestamp,
) -> Vec<Suppression> {
    let phones = &person.prospect.known.phones;
    let block = |phone: &crate::domain::prospect::Phone, cause| Suppression {
        subject: Subject::Phone(phone.e164.clone()),
        cause,
        source: actor.0.clone(),
        at: now,
    };
    match outcome.as_str() {
        "do_not_call" => phones.iter().map(|phone| block(phone, Cause::DoNotCall)).collect(),
        "bad_number" => {
            phones.first().map(|phone| block(phone, Cause::BadNumber)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}
