//! What a rep does not do: skip it, or put it off.

use jiff::{SignedDuration, Timestamp};

use super::{DoneTask, QueueLine, given, line, note_deed};
use crate::domain::cadence::{CALL_BACK, Channel, Outcome, SKIPPED};
use crate::domain::enrollment::{Event, TaskKind};
use crate::domain::ids::{RepId, TaskId};
use crate::domain::log::What as Happened;
use crate::domain::moment::Moment;
use crate::domain::prospect::Prospect;
use crate::engine::dispatch::transition;
use crate::engine::transition::task_word;
use crate::engine::{Engine, EngineError, Person};
use crate::ports::TaskRecord;

/// Nothing is put off for longer at a time.
const SNOOZE_AT_MOST: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Nobody remembers a promise for longer.
const PROMISE_AT_MOST: SignedDuration = SignedDuration::from_hours(24 * 90);

/// A task that is to be put off.
#[derive(Debug, Clone)]
pub struct Snooze {
    pub task: TaskId,
    pub until: Moment,
    pub actor: RepId,
}

/// A task that was put off.
#[derive(Debug, Clone)]
pub struct Snoozed {
    pub prospect: Prospect,
    pub until: Timestamp,
    /// When it runs out now.
    pub expires_at: Timestamp,
}

impl Engine {
    /// Passes over what a task asks for; the cadence goes on.
    ///
    /// # Errors
    /// There is no such open task, or somebody waits for a decision.
    pub async fn skip_task(
        &self,
        task: TaskId,
        actor: RepId,
        reason: Option<&str>,
    ) -> Result<Prospect, EngineError> {
        let now = self.now();
        given::check_note(reason)?;
        let (task, person) = self.open_task(task).await?;
        if !matches!(task.kind, TaskKind::Touch(_) | TaskKind::Review) {
            let offered: Vec<String> = line(&person, task.clone(), now)
                .outcomes
                .iter()
                .map(|one| one.outcome.0.clone())
                .collect();
            return Err(EngineError::Refused(format!(
                "task {} cannot be skipped: somebody waits for your word. Say what it is: \
                 `firsttouch done {} {}`",
                task.id,
                task.id,
                offered.join("|")
            )));
        }
        let outcome = Outcome::from(SKIPPED);
        let event = Event::Done { outcome: outcome.clone(), until: None };
        let (state, effects) = transition(&person, event, now)?;
        let after = state.clone();
        let mut changes = self.changes(&person, state, &effects, now).await?;
        self.tell_colleagues(&person, &after, now, &mut changes).await?;
        for entry in &mut changes.log {
            if entry.what == Happened::Skipped {
                entry.actor = actor.0.clone();
                let why = reason.map(str::trim).filter(|why| !why.is_empty());
                let why = why.map_or("by_rep".to_owned(), |why| format!("by_rep: {why}"));
                entry.details.insert("reason".to_owned(), why);
            }
        }
        self.note_done(&person, &task, &outcome, &actor, now, &mut changes).await?;
        note_deed(&person, &task, &mut changes);
        self.store.write(changes).await?;
        Ok(person.prospect)
    }

    /// Takes a task out of the queue until then; it runs out so much later.
    ///
    /// # Errors
    /// There is no such open task, a colleague waits for an answer, or the time is none to wait for.
    pub async fn snooze(&self, snooze: &Snooze) -> Result<Snoozed, EngineError> {
        let now = self.now();
        let (task, person) = self.open_task(snooze.task).await?;
        let until = self.check_snooze(&person, &task, snooze, now)?;
        let shown_at = task.wakes_at.unwrap_or(now).max(now);
        let by = shown_at.duration_until(until);
        let (state, effects) = transition(&person, Event::Snoozed { by }, now)?;
        let mut changes = self.changes(&person, state, &effects, now).await?;
        let expires_at = task.expires_at.checked_add(by).unwrap_or(Timestamp::MAX);
        let put_off = TaskRecord { wakes_at: Some(until), expires_at, ..task.clone() };
        changes.tasks_changed.push(put_off);
        let mut entry = person.entry(now, Happened::TaskSnoozed).with("step", &task.step);
        entry = entry.with("kind", task_word(task.kind)).with("until", until);
        if let Some(before) = task.wakes_at {
            entry = entry.with("was", before);
        }
        entry.actor = snooze.actor.0.clone();
        changes.log.insert(0, entry);
        note_deed(&person, &task, &mut changes);
        self.store.write(changes).await?;
        Ok(Snoozed { prospect: person.prospect, until, expires_at })
    }

    fn check_snooze(
        &self,
        person: &Person,
        task: &TaskRecord,
        snooze: &Snooze,
        now: Timestamp,
    ) -> Result<Timestamp, EngineError> {
        let refused = |why: String| Err(EngineError::Refused(why));
        if task.kind == TaskKind::HandOff {
            return refused(format!(
                "task {} cannot be put off: a colleague waits for an answer. Say accepted or declined",
                task.id
            ));
        }
        let until = self.instant(person, snooze.until, now);
        if until <= now {
            return refused("that is over already: say a time that is still to come".to_owned());
        }
        if now.duration_until(until) > SNOOZE_AT_MOST {
            return refused(
                "a task can be put off for 30 days at most: `firsttouch skip` passes over it"
                    .to_owned(),
            );
        }
        match task.promised {
            true => permitted(person, until),
            false => Ok(until),
        }
    }

    /// The instant that a rep means.
    pub fn instant(&self, person: &Person, moment: Moment, now: Timestamp) -> Timestamp {
        moment.instant(&person.clockwork.calendar, &self.settings.reader_zone, now)
    }

    /// The instant that a rep means who says it of a task.
    ///
    /// # Errors
    /// There is no such open task.
    pub async fn instant_for(
        &self,
        task: TaskId,
        moment: Moment,
    ) -> Result<Timestamp, EngineError> {
        let (_, person) = self.open_task(task).await?;
        Ok(self.instant(&person, moment, self.now()))
    }

    /// Nobody is promised a call in the past, at night, or when nobody remembers.
    pub(super) fn check_promise(
        &self,
        person: &Person,
        task: &TaskRecord,
        done: &DoneTask,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let Some(until) = done.until else { return Ok(()) };
        let is_call = task.kind == TaskKind::Touch(Channel::Call);
        if !is_call || done.outcome != CALL_BACK {
            return Ok(());
        }
        let refused = |why: &str| Err(EngineError::Refused(why.to_owned()));
        if until <= now {
            return refused("that is over already: promise a time that is still to come");
        }
        if now.duration_until(until) > PROMISE_AT_MOST {
            return refused(
                "a call can be promised for the next 90 days: say not_now with --until for later",
            );
        }
        permitted(person, until).map(|_| ())
    }
}

/// A time at which somebody may be called at all, whatever they wish.
fn permitted(person: &Person, at: Timestamp) -> Result<Timestamp, EngineError> {
    if person.calls().permit(at) {
        return Ok(at);
    }
    let zone = person.there.first().cloned().unwrap_or_else(|| person.zone());
    let there = zone.to_datetime(at);
    let hours = &person.clockwork.calls;
    let allowed = match hours.on_date(there.date()) {
        ([], Some(name)) if !name.is_empty() => format!("nobody is called on that day ({name})"),
        ([], _) => "nobody is called on that day".to_owned(),
        (spans, _) => {
            let spans: Vec<String> = spans.iter().map(ToString::to_string).collect();
            format!("calls are made {} on the person's clock", spans.join(" and "))
        }
    };
    let by = match hours.rules.as_slice() {
        [] => String::new(),
        _ => format!(" ({})", hours.sources()),
    };
    let at = there.strftime("%a %H:%M");
    Err(EngineError::Refused(format!("that is {at} there: {allowed}{by}")))
}

impl QueueLine {
    /// Whether a rep may pass over it.
    pub fn can_be_skipped(&self) -> bool {
        matches!(self.task.kind, TaskKind::Touch(_) | TaskKind::Review)
    }
}
