//! Taking back the last thing that somebody did with a task, as long as nothing came of it.

use jiff::{SignedDuration, Timestamp};

use crate::domain::enrollment::{Event, Pause, Phase, State, TaskKind};
use crate::domain::ids::{EnrollmentId, RepId, TaskId, TouchId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::prospect::Prospect;
use crate::domain::suppression::{Cause, Subject, Suppression, closed_channels};
use crate::domain::touch::Status;
use crate::engine::dispatch::transition;
use crate::engine::{Engine, EngineError, Person};
use crate::ports::{Changes, TaskRecord, TransitionRecord};

/// What lies further back stays as it is.
const AT_MOST_AGO: SignedDuration = SignedDuration::from_hours(24);

/// Deeds that are looked through for the last one that was not taken back.
const DEEDS: u32 = 200;

/// What was taken back.
#[derive(Debug, Clone)]
pub struct TakenBack {
    /// The task that is open again.
    pub task: TaskRecord,
    pub prospect: Prospect,
    /// What had been said of it; nothing where it had been put off.
    pub outcome: Option<String>,
    /// When that was.
    pub at: Timestamp,
    /// Numbers that are not blocked any more.
    pub unblocked: usize,
}

/// What somebody did, as the log tells it.
struct Deed {
    entry: Entry,
    task: TaskId,
    /// Whom it moved, and from which revision.
    moved: Vec<(EnrollmentId, i64)>,
    began: Vec<EnrollmentId>,
    /// How many entries about the person belong to it.
    follow: usize,
}

impl Engine {
    /// Takes back the last thing that somebody did with a task.
    ///
    /// # Errors
    /// There is nothing to take back, or something has happened since.
    pub async fn undo(&self, actor: &RepId) -> Result<TakenBack, EngineError> {
        let now = self.now();
        let deed = self.last_deed(actor, now).await?;
        let gone = || EngineError::Refused(format!("task {} is not there any more", deed.task));
        let task = self.store.task(deed.task).await?.ok_or_else(gone)?;
        let person = self.member(task.enrollment, task.prospect).await?.ok_or_else(gone)?;
        self.check_nothing_happened(&person, &deed).await?;
        let (changes, taken_back) = match deed.entry.what {
            Happened::TaskSnoozed => self.wake_up(&person, task, &deed, now).await?,
            _ => self.open_again(&person, task, &deed, now).await?,
        };
        self.store.write(changes).await?;
        Ok(taken_back)
    }

    /// The last thing that somebody did and that was not taken back.
    async fn last_deed(&self, actor: &RepId, now: Timestamp) -> Result<Deed, EngineError> {
        let mut taken_back: Vec<TaskId> = Vec::new();
        for entry in self.store.deeds(actor, DEEDS).await? {
            let Some(task) = entry.detail("task").parse().ok().map(TaskId) else { continue };
            if entry.what == Happened::TaskUndone {
                taken_back.push(task);
                continue;
            }
            if let Some(at) = taken_back.iter().position(|known| *known == task) {
                taken_back.remove(at);
                continue;
            }
            if entry.at.duration_until(now) > AT_MOST_AGO {
                return Err(EngineError::Refused(format!(
                    "the last thing that {actor} did with a task ({} of task {task}) was more than 24 \
                     hours ago: that stays",
                    entry.detail("outcome")
                )));
            }
            return Ok(Deed::read(entry, task));
        }
        Err(EngineError::Refused(format!("{actor} has done nothing that could be taken back")))
    }

    /// Whether nothing came of it yet.
    async fn check_nothing_happened(
        &self,
        person: &Person,
        deed: &Deed,
    ) -> Result<(), EngineError> {
        let log = self.store.log_of(person.prospect.id).await?;
        let Some(at) = log.iter().rposition(|entry| *entry == deed.entry) else {
            return Err(EngineError::Refused("the log does not know it any more".to_owned()));
        };
        let since = standing(log.get(at + 1 + deed.follow..).unwrap_or_default());
        let matters = |entry: &&&Entry| {
            let theirs = entry
                .enrollment
                .is_none_or(|id| id == person.enrollment.id || deed.began.contains(&id));
            if theirs { !is_harmless(entry.what) } else { is_about_everything(entry.what) }
        };
        let happened: Vec<String> =
            since.iter().filter(matters).map(|entry| self.in_words(entry)).collect();
        if happened.is_empty() {
            return Ok(());
        }
        Err(EngineError::Refused(format!(
            "{} of task {} cannot be taken back any more; since then: {}",
            deed.said(),
            deed.task,
            happened.join("; ")
        )))
    }

    fn in_words(&self, entry: &Entry) -> String {
        let at = entry.at.to_zoned(self.settings.reader_zone.clone());
        let step = match entry.detail("step") {
            "" => String::new(),
            step => format!(" {step}"),
        };
        format!(
            "{}{step} ({})",
            entry.what.as_str().replace('_', " "),
            at.strftime("%a %-d %b %H:%M")
        )
    }

    /// The person where they stood before the deed, with the changes that put them there.
    async fn put_back(
        &self,
        person: &Person,
        deed: &Deed,
        now: Timestamp,
    ) -> Result<(Changes, State), EngineError> {
        let Some((_, revision)) = deed.moved.iter().find(|(id, _)| *id == person.enrollment.id)
        else {
            let state = person.enrollment.state.clone();
            return Ok((person.moved(state.clone(), now), state));
        };
        let before = self.state_at(person.enrollment.id, *revision).await?;
        // Whoever says it again has as much time as was left then.
        let state = later(before.state, deed.entry.at.duration_until(now));
        let mut changes = match before.prospect == person.prospect.id {
            true => person.moved(state.clone(), now),
            false => match self.member(person.enrollment.id, before.prospect).await? {
                Some(turn) => turn.moved(state.clone(), now),
                None => person.moved(state.clone(), now),
            },
        };
        for moved in &mut changes.moved {
            moved.revision = person.enrollment.revision;
        }
        Ok((changes, state))
    }

    async fn state_at(
        &self,
        enrollment: EnrollmentId,
        revision: i64,
    ) -> Result<TransitionRecord, EngineError> {
        let all = self.store.transitions_of(enrollment).await?;
        let found = all.into_iter().rev().find(|one| one.revision <= revision);
        found.ok_or_else(|| {
            EngineError::Refused(format!(
                "nobody knows how enrollment {enrollment} stood before: it is older than the states \
                 that are kept"
            ))
        })
    }

    async fn wake_up(
        &self,
        person: &Person,
        task: TaskRecord,
        deed: &Deed,
        now: Timestamp,
    ) -> Result<(Changes, TakenBack), EngineError> {
        if !task.open {
            return Err(EngineError::Refused(format!(
                "task {} was put off and is not open any more",
                task.id
            )));
        }
        let (mut changes, state) = self.put_back(person, deed, now).await?;
        let was = deed.entry.detail("was").parse().ok();
        let expires_at = expires_at(&state).unwrap_or(task.expires_at);
        let task = TaskRecord { wakes_at: was, expires_at, ..task };
        changes.tasks_changed.push(task.clone());
        changes.log.push(undone(person, deed, now));
        let prospect = person.prospect.clone();
        let (outcome, at, unblocked) = (None, deed.entry.at, 0);
        Ok((changes, TakenBack { task, prospect, outcome, at, unblocked }))
    }

    async fn open_again(
        &self,
        person: &Person,
        task: TaskRecord,
        deed: &Deed,
        now: Timestamp,
    ) -> Result<(Changes, TakenBack), EngineError> {
        let (mut changes, state) = self.put_back(person, deed, now).await?;
        let mut log = undone(person, deed, now);
        if !matches!(state.phase, Phase::Ended { .. })
            && matches!(person.enrollment.state.phase, Phase::Ended { .. })
        {
            log = log.with("ended", "yes");
        }
        changes.log.push(log);
        changes.close_tasks.push((person.enrollment.id, now));
        let expires_at = expires_at(&state).unwrap_or(task.expires_at);
        let task = TaskRecord { open: true, expires_at, ..task };
        changes.tasks_reopened.push(task.clone());
        if let Some(touch) = deed.entry.touch {
            changes.settled.push((touch, Status::TakenBack));
            changes.milestones_gone.push(touch);
        }
        changes.suppressions_gone = self.blocks_of(person, &task, deed).await?;
        let unblocked = changes.suppressions_gone.len();
        self.put_colleagues_back(person, deed, now, &mut changes).await?;
        self.take_out_begun(deed, now, &mut changes).await?;
        let prospect = person.prospect.clone();
        let outcome = Some(deed.entry.detail("outcome").to_owned());
        let at = deed.entry.at;
        Ok((changes, TakenBack { task, prospect, outcome, at, unblocked }))
    }

    /// The blocks that the deed made, and nobody else.
    async fn blocks_of(
        &self,
        person: &Person,
        task: &TaskRecord,
        deed: &Deed,
    ) -> Result<Vec<Suppression>, EngineError> {
        let blocks = self.store.suppressions(&Subject::all_of(&person.prospect)).await?;
        let (own, others): (Vec<_>, Vec<_>) = blocks.into_iter().partition(|block| {
            block.at == deed.entry.at
                && block.source == deed.entry.actor
                && matches!(block.cause, Cause::DoNotCall | Cause::BadNumber)
        });
        let closed = closed_channels(&person.prospect, &others);
        match task.kind {
            TaskKind::Touch(channel) if closed.contains(&channel) => {
                Err(EngineError::Refused(format!(
                    "it cannot be taken back: {} must not be touched by {} any more",
                    person.prospect.display_name(),
                    channel.as_str()
                )))
            }
            _ => Ok(own),
        }
    }

    /// People of the same company whom the deed let wait go on, and those whom it let go on wait again.
    async fn put_colleagues_back(
        &self,
        person: &Person,
        deed: &Deed,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        for (id, revision) in deed.moved.iter().filter(|(id, _)| *id != person.enrollment.id) {
            let Some(colleague) = self.person(*id).await? else { continue };
            let before = self.state_at(*id, *revision).await?.state;
            let name = colleague.prospect.display_name();
            let event = match (&before.phase, &colleague.enrollment.state.phase) {
                (Phase::Ended { .. }, _) => continue,
                (_, Phase::Ended { .. }) => {
                    return Err(EngineError::Refused(format!(
                        "it cannot be taken back: {name} of the same company was taken out because of it"
                    )));
                }
                (
                    Phase::Paused { why: Pause::ByColleague, until: Some(until), .. },
                    Phase::Waiting { .. },
                ) => Event::ColleagueHeard { until: *until },
                (Phase::Paused { why: Pause::ByColleague, .. }, _) => {
                    return Err(EngineError::Refused(format!(
                        "it cannot be taken back: {name} of the same company has gone on since"
                    )));
                }
                (_, Phase::Paused { why: Pause::ByColleague, .. }) => Event::ColleagueSettled,
                _ => continue,
            };
            let (state, effects) = transition(&colleague, event, now)?;
            changes.append(self.changes(&colleague, state, &effects, now).await?);
        }
        Ok(())
    }

    /// What began in another cadence because of it ends before anything was tried.
    async fn take_out_begun(
        &self,
        deed: &Deed,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        for id in &deed.began {
            let Some(person) = self.person(*id).await? else { continue };
            let state = &person.enrollment.state;
            if state.has_begun() {
                return Err(EngineError::Refused(format!(
                    "it cannot be taken back: {} has begun meanwhile",
                    person.enrollment.cadence
                )));
            }
            let (state, effects) = transition(&person, Event::Stopped, now)?;
            changes.append(self.changes(&person, state, &effects, now).await?);
        }
        Ok(())
    }
}

impl Deed {
    fn read(entry: Entry, task: TaskId) -> Self {
        let pair = |text: &str| {
            let (id, revision) = text.split_once('@')?;
            Some((EnrollmentId(id.parse().ok()?), revision.parse().ok()?))
        };
        let moved = entry.detail("moved").split(' ').filter_map(pair).collect();
        let id = |text: &str| text.parse().ok().map(EnrollmentId);
        let began = entry.detail("began").split(' ').filter_map(id).collect();
        let follow = entry.detail("follow").parse().unwrap_or(0);
        Self { moved, began, follow, task, entry }
    }

    fn said(&self) -> String {
        match self.entry.what {
            Happened::TaskSnoozed => "putting off".to_owned(),
            _ => format!("`{}`", self.entry.detail("outcome")),
        }
    }
}

/// Without the deeds that were taken back, and what belonged to them.
fn standing(entries: &[Entry]) -> Vec<&Entry> {
    let mut deeds: Vec<(&str, std::ops::RangeInclusive<usize>)> = Vec::new();
    let mut gone: Vec<std::ops::RangeInclusive<usize>> = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let task = entry.detail("task");
        match entry.what {
            Happened::TaskDone | Happened::TaskSnoozed => {
                let follow: usize = entry.detail("follow").parse().unwrap_or(0);
                deeds.push((task, at..=at.saturating_add(follow)));
            }
            Happened::TaskUndone => {
                let last = deeds.iter().rposition(|(known, _)| *known == task);
                gone.extend(last.map(|last| deeds.remove(last).1));
            }
            _ => {}
        }
    }
    let stands = |at: &usize| !gone.iter().any(|range| range.contains(at));
    let entries = entries.iter().enumerate();
    entries.filter(|(at, _)| stands(at)).map(|(_, entry)| entry).collect()
}

/// What does not matter to somebody who takes something back: what was only opened is closed again.
fn is_harmless(what: Happened) -> bool {
    matches!(
        what,
        Happened::TaskOpened
            | Happened::Skipped
            | Happened::Noticed
            | Happened::Reassigned
            | Happened::Imported
            | Happened::NotEnrolled
            | Happened::TaskUndone
    )
}

/// What matters wherever it happened: the person is somewhere else now, or wants no more.
fn is_about_everything(what: Happened) -> bool {
    matches!(
        what,
        Happened::Enrolled
            | Happened::Joined
            | Happened::Replied
            | Happened::OptedOut
            | Happened::Complained
            | Happened::Suppressed
    )
}

fn undone(person: &Person, deed: &Deed, now: Timestamp) -> Entry {
    let mut entry = person.entry(now, Happened::TaskUndone).with("task", deed.task);
    for key in ["step", "kind", "outcome", "channel", "in_time"] {
        if let Some(value) = deed.entry.details.get(key) {
            entry.details.insert(key.to_owned(), value.clone());
        }
    }
    if deed.entry.what == Happened::TaskDone && deed.entry.detail("talked") == "yes" {
        entry = entry.with("replied", "yes");
    }
    let touch: Option<TouchId> = deed.entry.touch;
    Entry { actor: deed.entry.actor.clone(), touch, ..entry }
}

/// The same state, in which what a person is asked runs out so much later.
fn later(mut state: State, by: SignedDuration) -> State {
    if let Phase::OnTask { expires_at, .. }
    | Phase::Triage { expires_at, .. }
    | Phase::OnReply { expires_at, .. }
    | Phase::Offered { expires_at, .. }
    | Phase::HandedBack { expires_at, .. } = &mut state.phase
    {
        *expires_at = expires_at.checked_add(by.max(SignedDuration::ZERO)).unwrap_or(*expires_at);
    }
    state
}

fn expires_at(state: &State) -> Option<Timestamp> {
    match state.phase {
        Phase::OnTask { expires_at, .. }
        | Phase::Triage { expires_at, .. }
        | Phase::OnReply { expires_at, .. }
        | Phase::Offered { expires_at, .. }
        | Phase::HandedBack { expires_at, .. } => Some(expires_at),
        _ => None,
    }
}
