//! Reps in a simulation: so many tasks a day, hour by hour, in the order of their queue.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{SimulateError, Stage};
use crate::domain::budget::mix;
use crate::domain::cadence::{Channel, Priority, SKIPPED, SocialAct, What};
use crate::domain::enrollment::{RELEASED, TaskKind};
use crate::domain::facts::DATES;
use crate::domain::forecast::Assumptions;
use crate::domain::ids::RepId;
use crate::engine::EngineError;
use crate::engine::tasks::{DoneTask, QueueLine};

/// Hours in which a rep sits down, looked ahead at most.
const HOURS_AHEAD: i64 = 24 * 30;

/// A date that a task finds out is so many days ahead.
const FOUND_WITHIN_DAYS: i64 = 30;

/// The priority of a task that is urgent.
const URGENT: u8 = Priority::Urgent as u8;

/// Which tasks a rep looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    Urgent,
}

/// Why a task draws a number.
#[derive(Clone, Copy)]
enum Purpose {
    Answered = 1,
    Voicemail,
    Meeting,
    Talk,
    Accepted,
}

impl Stage<'_> {
    /// The next full hour behind `at` in which reps work.
    pub(super) fn session_behind(&self, at: Timestamp) -> Timestamp {
        let zone = &self.scenario.settings.reader_zone;
        let local = zone.to_datetime(at);
        let hour = local.date().at(local.hour(), 0, 0, 0);
        let begins = hour.to_zoned(zone.clone()).map_or(at, |zoned| zoned.timestamp());
        let hours = (1..HOURS_AHEAD).map(|n| begins + SignedDuration::from_hours(n));
        { hours }.find(|hour| self.works_at(*hour)).unwrap_or(self.ends_at)
    }

    fn works_at(&self, hour: Timestamp) -> bool {
        let local = self.scenario.settings.reader_zone.to_datetime(hour);
        let (from, to) = self.scenario.assumed.hours;
        (from..to).contains(&local.hour()) && self.is_working_day(local.date())
    }

    fn is_working_day(&self, date: jiff::civil::Date) -> bool {
        let cadence = &self.scenario.cadence;
        let file = self.scenario.workspace.cadences.iter().find(|f| f.cadence.id == *cadence);
        let calendar = file.map(|file| file.cadence.calendar.as_str()).unwrap_or_default();
        let clockwork = self.scenario.settings.calendars.get(calendar);
        clockwork.is_none_or(|clockwork| clockwork.calendar.works_on(date))
    }

    /// Every rep does a part of the day's work; the last hour of the day ends it.
    pub(super) async fn session(&mut self, now: Timestamp) -> Result<(), SimulateError> {
        let local = self.scenario.settings.reader_zone.to_datetime(now);
        let (from, to) = self.scenario.assumed.hours;
        let hours = u32::try_from(i32::from(to) - i32::from(from)).unwrap_or(1).max(1);
        let nth = u32::try_from(i32::from(local.hour()) - i32::from(from) + 1).unwrap_or(1);
        if nth == 1 {
            self.done_today.clear();
        }
        let upto = (self.scenario.assumed.tasks_per_day * nth).div_ceil(hours);
        for rep in self.scenario.settings.team() {
            let done = self.done_today.get(&rep).copied().unwrap_or(0);
            let did = self.work_tasks(&rep, upto.saturating_sub(done), Which::All, now).await?;
            self.done_today.insert(rep, done + did);
        }
        self.next_session = self.session_behind(now);
        self.everything_again(now);
        if nth == hours {
            self.look_around(local.date(), now);
        }
        Ok(())
    }

    /// In their hours reps do an urgent task as soon as it is there, where the cadence has any: its
    /// time is often over before the next full hour.
    pub(super) async fn urgent(&mut self, now: Timestamp) -> Result<(), SimulateError> {
        if !self.works_at(now) || !self.has_urgent_steps() {
            return Ok(());
        }
        for rep in self.scenario.settings.team() {
            let done = self.done_today.get(&rep).copied().unwrap_or(0);
            let left = self.scenario.assumed.tasks_per_day.saturating_sub(done);
            let did = self.work_tasks(&rep, left, Which::Urgent, now).await?;
            self.done_today.insert(rep, done + did);
        }
        Ok(())
    }

    fn has_urgent_steps(&self) -> bool {
        let cadence = &self.scenario.cadence;
        let file = self.scenario.workspace.cadences.iter().find(|f| f.cadence.id == *cadence);
        let mut steps = file.iter().flat_map(|file| &file.cadence.steps);
        steps.any(|step| step.priority == Priority::Urgent)
    }

    /// The rep does what can be done now, so many tasks at most; how many that were.
    async fn work_tasks(
        &self,
        rep: &RepId,
        at_most: u32,
        which: Which,
        now: Timestamp,
    ) -> Result<u32, SimulateError> {
        if at_most == 0 {
            return Ok(0);
        }
        let queue = self.engine.queue(Some(rep)).await?;
        let wanted = |line: &&QueueLine| which == Which::All || line.task.priority == URGENT;
        let doable = queue.iter().filter(|line| line.callable_at.is_none_or(|at| at <= now));
        let doable = doable.filter(wanted);
        let mut done = 0;
        for line in doable.take(usize::try_from(at_most).unwrap_or(usize::MAX)) {
            self.do_task(line, rep, now).await?;
            done += 1;
        }
        Ok(done)
    }

    async fn do_task(
        &self,
        line: &QueueLine,
        rep: &RepId,
        now: Timestamp,
    ) -> Result<(), SimulateError> {
        let (task, actor, outcome) = (line.task.id, rep.clone(), self.outcome(line).to_owned());
        let zone = &self.scenario.settings.reader_zone;
        let today = zone.to_datetime(now).date();
        let set = line.collect.iter().map(|field| (field.clone(), found(field, today))).collect();
        let done = DoneTask { task, outcome, until: None, actor, set, text: None, note: None };
        match self.engine.done(done.clone()).await {
            // A mail that cannot be written, because something is not known, is left out.
            Err(EngineError::Refused(_)) if line.task.kind == TaskKind::Review => {
                let outcome = SKIPPED.to_owned();
                self.engine.done(DoneTask { outcome, ..done }).await?;
            }
            other => drop(other?),
        }
        Ok(())
    }

    fn outcome(&self, line: &QueueLine) -> &'static str {
        let seed = mix(self.scenario.seed ^ mix(u64::try_from(line.task.id.0).unwrap_or(0)));
        let cadence = &self.scenario.cadence;
        let file = self.scenario.workspace.cadences.iter().find(|f| f.cadence.id == *cadence);
        let step = file.and_then(|file| file.cadence.step(&line.task.step)).map(|(_, step)| step);
        let connects = step
            .is_some_and(|step| matches!(step.what, What::Social { act: SocialAct::Connect, .. }));
        let draw = |purpose: Purpose| mix(seed ^ mix(purpose as u64));
        drawn(line.task.kind, connects, &self.scenario.assumed, draw)
    }
}

/// What a task finds out: something, and for a date a day in the near future.
fn found(field: &str, today: Date) -> String {
    match DATES.contains(&field) {
        true => today.saturating_add(FOUND_WITHIN_DAYS.days()).to_string(),
        false => "found".to_owned(),
    }
}

/// What comes of a task.
fn drawn(
    kind: TaskKind,
    connects: bool,
    assumed: &Assumptions,
    draw: impl Fn(Purpose) -> u64,
) -> &'static str {
    match kind {
        TaskKind::Touch(Channel::Call) if assumed.answer.holds(draw(Purpose::Answered)) => {
            if assumed.meeting.holds(draw(Purpose::Meeting)) {
                return "meeting_booked";
            }
            if draw(Purpose::Talk).is_multiple_of(3) { "not_now" } else { "not_interested" }
        }
        TaskKind::Touch(Channel::Call) => match assumed.voicemail.holds(draw(Purpose::Voicemail)) {
            true => "left_voicemail",
            false => "no_answer",
        },
        TaskKind::Touch(Channel::Social) if connects => {
            if assumed.accept.holds(draw(Purpose::Accepted)) { "accepted" } else { "done" }
        }
        TaskKind::Touch(Channel::Social | Channel::Email | Channel::Task) => "done",
        TaskKind::Review => RELEASED,
        TaskKind::HandOff => "accepted",
        TaskKind::Reply => match assumed.meeting.holds(draw(Purpose::Meeting)) {
            true => "interested",
            false => "not_interested",
        },
        TaskKind::Triage | TaskKind::HandedBack => {
            match assumed.meeting.holds(draw(Purpose::Meeting)) {
                true => "meeting_booked",
                false => "not_interested",
            }
        }
    }
}
