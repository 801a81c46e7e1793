//! Somebody of the team is away: their tasks go to whoever stands in, or wait, and come back.

use jiff::{SignedDuration, Timestamp};

use super::dispatch::transition;
use super::{Engine, EngineError, Person};
use crate::domain::absence::{Absence, Absences, Work};
use crate::domain::enrollment::{Event, Phase};
use crate::domain::ids::{AbsenceId, RepId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::time::{Delay, Unit};
use crate::formats::diagnostic::did_you_mean;
use crate::ports::{Changes, IdKind, StoreError, TaskRecord};

/// Absences that ended longer ago have nothing left to be put in order.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 60);

/// Nobody is away for longer: that is somebody who has left, whose work is reassigned.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// What somebody who comes back has for what they were asked, where no step says how long.
const AGAIN: Delay = Delay::new(3, Unit::BusinessDays);

/// What is to be noted of an absence.
#[derive(Debug, Clone)]
pub struct GoingAway {
    pub rep: RepId,
    pub from: Timestamp,
    pub until: Timestamp,
    pub work: Work,
    /// Who says so.
    pub by: String,
}

/// What an absence does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    pub absence: Absence,
    /// Open tasks of the rep.
    pub tasks: usize,
    /// People of the rep who are under way.
    pub people: usize,
    /// Those of the open tasks that went to somebody else at once.
    pub moved: usize,
}

impl Engine {
    /// Who is away, or was a short time ago.
    ///
    /// # Errors
    /// The store failed.
    pub async fn absences(&self, now: Timestamp) -> Result<Absences, EngineError> {
        let since = now.checked_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
        Ok(Absences(self.store.absences(since).await?))
    }

    /// The rep of that name.
    ///
    /// # Errors
    /// There is no such rep.
    pub fn rep(&self, name: &str) -> Result<RepId, EngineError> {
        let team = self.settings.team();
        if let Some(rep) = team.iter().find(|rep| rep.as_str() == name) {
            return Ok(rep.clone());
        }
        let known: Vec<&str> = team.iter().map(RepId::as_str).collect();
        let all = known.join(", ");
        let hint = match did_you_mean(name, known.iter().copied()) {
            Some(meant) => format!(": did you mean `{meant}`? The settings know {all}"),
            None => format!(": the settings know {all}"),
        };
        Err(EngineError::NotFound { what: "rep", name: name.to_owned(), hint })
    }

    /// Notes that somebody is away, and puts their tasks in order.
    ///
    /// # Errors
    /// The time is over or overlaps another absence, or nobody can stand in like that.
    pub async fn go_away(&self, going: GoingAway) -> Result<Noted, EngineError> {
        let now = self.now();
        self.check_absence(&going, now).await?;
        let GoingAway { rep, from, until, work, by } = going;
        let id = AbsenceId(self.id(IdKind::Absence).await?);
        let noted_by = by;
        let absence =
            Absence { id, rep, from, until, work, noted_at: now, noted_by, ended_at: None };
        let tasks = self.store.tasks(Some(&absence.rep)).await?.len();
        let people = self.store.enrollments_of_owner(&absence.rep).await?.len();
        let log = vec![absence_entry(&absence, Happened::Away, now)];
        let absences = vec![absence.clone()];
        self.store.write(Changes { absences, log, ..Changes::default() }).await?;
        let moved = self.mind_absences().await?;
        Ok(Noted { absence, tasks, people, moved })
    }

    async fn check_absence(&self, going: &GoingAway, now: Timestamp) -> Result<(), EngineError> {
        let refused = |why: String| Err(EngineError::Refused(why));
        let GoingAway { rep, from, until, work, .. } = going;
        if until <= from || *until <= now {
            return refused("the absence ends before it begins, or is over already".to_owned());
        }
        if from.duration_until(*until) > LONGEST {
            return refused(format!(
                "that is more than a year: `firsttouch reassign --from {rep} --to WHO --people` gives \
                 the work of somebody who has left to somebody else"
            ));
        }
        if work.cover() == Some(rep) {
            return refused(format!("{rep} cannot stand in for {rep}"));
        }
        let absences = self.absences(now).await?;
        let overlaps = |absence: &&Absence| {
            absence.rep == *rep && absence.from < *until && *from < absence.ends()
        };
        if let Some(other) = absences.0.iter().find(overlaps) {
            let zone = &self.settings.reader_zone;
            let day = |at: Timestamp| zone.to_datetime(at).date();
            return refused(format!(
                "{rep} is away already from {} to {}: `firsttouch away end {rep}` ends that first",
                day(other.from),
                day(other.ends())
            ));
        }
        match work.cover() {
            Some(cover) if absences.stand_in(cover, *from) == *rep => {
                refused(format!("{rep} stands in for {cover} at that time: name somebody else"))
            }
            _ => Ok(()),
        }
    }

    /// Ends every absence of somebody that is not over, also those that are still to come; how many that
    /// were, and how many tasks came back.
    ///
    /// # Errors
    /// The rep is not away.
    pub async fn come_back(&self, rep: &RepId, by: &str) -> Result<(usize, usize), EngineError> {
        let now = self.now();
        let absences = self.absences(now).await?.0;
        let mut changes = Changes::default();
        for absence in absences.into_iter().filter(|one| one.rep == *rep && one.ends() > now) {
            let ended = Absence { ended_at: Some(now), noted_by: by.to_owned(), ..absence };
            changes.log.push(absence_entry(&ended, Happened::Back, now));
            changes.absences.push(ended);
        }
        let n = changes.absences.len();
        if n == 0 {
            return Err(EngineError::Refused(format!(
                "{rep} is not away, and nothing is noted of a later absence"
            )));
        }
        changes.woken.push((rep.clone(), now));
        self.store.write(changes).await?;
        Ok((n, self.mind_absences().await?))
    }

    /// Gives tasks to whoever stands in and back again, and wakes whoever waits for somebody who is back;
    /// how many tasks changed hands.
    ///
    /// # Errors
    /// The store failed; what was done until then is on record.
    pub async fn mind_absences(&self) -> Result<usize, EngineError> {
        let now = self.now();
        let absences = self.absences(now).await?;
        for owner in self.store.owners_waited_for().await? {
            if absences.held_until(&owner, now).is_none() {
                let woken = vec![(owner, now)];
                self.store.write(Changes { woken, ..Changes::default() }).await?;
            }
        }
        if !absences.0.iter().any(|absence| absence.work.cover().is_some()) {
            return Ok(0);
        }
        let mut moved = 0;
        for task in self.store.tasks(None).await? {
            let whose = task.covers.as_ref().unwrap_or(&task.rep);
            let does = absences.stand_in(whose, now);
            if does != task.rep {
                moved += usize::from(self.hand_on(&task, does, now).await?);
            }
        }
        Ok(moved)
    }

    /// Gives a task to whoever stands in, or back; whether it was still open.
    async fn hand_on(
        &self,
        task: &TaskRecord,
        does: RepId,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let whose = task.covers.clone().unwrap_or_else(|| task.rep.clone());
        let covers = (does != whose).then_some(whose);
        let log = vec![reassigned(task, &does, "away", now)];
        let tasks_changed = vec![TaskRecord { rep: does, covers, ..task.clone() }];
        match self.store.write(Changes { tasks_changed, log, ..Changes::default() }).await {
            Ok(()) => Ok(true),
            // Somebody has just done it.
            Err(StoreError::Stale(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether what somebody is asked stays open beyond its time, because they were away: whoever comes
    /// back has the whole time again.
    pub(super) async fn waits_for_return(
        &self,
        person: &Person,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let phase = &person.enrollment.state.phase;
        let step = match phase {
            Phase::OnTask { step, .. } => Some(step),
            Phase::Triage { .. } | Phase::OnReply { .. } | Phase::HandedBack { .. } => None,
            _ => return Ok(false),
        };
        let absences = self.absences(now).await?;
        let Some(back_at) = absences.last_hold(&person.enrollment.owner, now) else {
            return Ok(false);
        };
        let step = step.and_then(|step| person.version.cadence.step(step));
        let again = step.map_or(AGAIN, |(_, step)| step.expires_after);
        let until = person.clockwork.calendar.after(back_at, again, &person.zone());
        if until <= now {
            return Ok(false);
        }
        let by = now.duration_until(until);
        let (state, effects) = transition(person, Event::Snoozed { by }, now)?;
        let mut changes = self.changes(person, state, &effects, now).await?;
        let open = self.store.tasks(None).await?;
        for task in open.into_iter().filter(|task| task.enrollment == person.enrollment.id) {
            changes.tasks_changed.push(TaskRecord { expires_at: until, ..task });
        }
        let snoozed = person.entry(now, Happened::TaskSnoozed).with("reason", "owner_away");
        changes.log.push(snoozed.with("until", until));
        self.store.write(changes).await?;
        Ok(true)
    }
}

/// The log entry of a task that is somebody else's now.
pub(super) fn reassigned(task: &TaskRecord, to: &RepId, why: &str, now: Timestamp) -> Entry {
    let entry = Entry {
        prospect: Some(task.prospect),
        enrollment: Some(task.enrollment),
        ..Entry::new(now, Happened::Reassigned)
    };
    entry.with("task", task.id).with("from", &task.rep).with("to", to).with("reason", why)
}

fn absence_entry(absence: &Absence, what: Happened, now: Timestamp) -> Entry {
    let entry = Entry { actor: absence.noted_by.clone(), ..Entry::new(now, what) };
    let entry = entry.with("rep", &absence.rep).with("from", absence.from);
    let entry = entry.with("until", absence.ends()).with("work", absence.work.as_str());
    match absence.work.cover() {
        Some(cover) => entry.with("cover", cover),
        None => entry,
    }
}
