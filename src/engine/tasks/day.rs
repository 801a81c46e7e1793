//! A rep's day: the queue in its order, why each task is there, and what is not for now.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{QueueLine, line};
use crate::domain::absence::Absence;
use crate::domain::cadence::{Channel, Priority};
use crate::domain::calendar::Hours;
use crate::domain::enrollment::TaskKind;
use crate::domain::ids::RepId;
use crate::domain::queue::{self, Item, NotNow, Place, Rank};
use crate::domain::schedule;
use crate::engine::{Engine, EngineError, Person};

/// What there is to do.
#[derive(Debug, Clone)]
pub struct Day {
    /// In the order in which to do it.
    pub now: Vec<Row>,
    /// What is not for now, the soonest first.
    pub later: Vec<Row>,
    /// Who of those asked about is away now.
    pub away: Vec<Absence>,
}

/// One task of the day.
#[derive(Debug, Clone)]
pub struct Row {
    pub line: QueueLine,
    pub place: Place,
    /// Where the person is, as far as that is known.
    pub zone: Option<TimeZone>,
    /// Until when it may be done there today, for calls and for mails that are read first.
    pub closes_at: Option<Timestamp>,
}

impl Engine {
    /// The day of a rep, or of everybody.
    ///
    /// # Errors
    /// The store failed.
    pub async fn day(&self, rep: Option<&RepId>) -> Result<Day, EngineError> {
        let now = self.now();
        let zone = &self.settings.reader_zone;
        let absences = self.absences(now).await?;
        let mut rows: Vec<(Rank, Row)> = Vec::new();
        for task in self.store.tasks(rep).await? {
            let Some(person) = self.member(task.enrollment, task.prospect).await? else { continue };
            let line = line(&person, task, now);
            let held_until = absences.held_until(&line.task.rep, now);
            let item = item(&person, &line, held_until, now);
            let place = queue::place(&item, zone, now);
            let closes_at = closes_at(&person, &item, now);
            let there = person.zones.first().cloned();
            rows.push((queue::rank(&item, place), Row { line, place, zone: there, closes_at }));
        }
        rows.sort_by_key(|(rank, _)| *rank);
        let rows = rows.into_iter().map(|(_, row)| row);
        let (now_, later) = rows.partition(|row| matches!(row.place, Place::Now(_)));
        let asked = |absence: &Absence| rep.is_none_or(|rep| absence.rep == *rep);
        let away = absences.0.into_iter().filter(|absence| asked(absence) && absence.covers(now));
        Ok(Day { now: now_, later, away: away.collect() })
    }
}

fn item(person: &Person, line: &QueueLine, held_until: Option<Timestamp>, now: Timestamp) -> Item {
    let task = &line.task;
    let is_call = task.kind == TaskKind::Touch(Channel::Call);
    let step = person.version.cadence.step(&task.step).map(|(_, step)| step);
    let window = || schedule::open_for(&person.place(), step, now);
    Item {
        id: task.id,
        kind: task.kind,
        is_urgent: task.priority == Priority::Urgent as u8,
        score: person.enrollment.score,
        opened_at: task.opened_at,
        expires_at: task.expires_at,
        target_at: task.target_at,
        wakes_at: task.wakes_at,
        is_promised: task.promised,
        callable_at: line.callable_at.filter(|_| is_call && !task.promised),
        window_at: (task.kind == TaskKind::Review).then(|| window().at),
        held_until,
    }
}

/// Until when today a call may be made there, or the mail may leave, if it may now.
fn closes_at(person: &Person, item: &Item, now: Timestamp) -> Option<Timestamp> {
    let is_open = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    let hours = match item.kind {
        TaskKind::Review if is_open(item.window_at) => {
            Hours::Window(&person.version.cadence.send_window)
        }
        TaskKind::Touch(_) if is_open(item.callable_at) => Hours::Work,
        _ => return None,
    };
    let closes = person.clockwork.calendar.closes_at(hours, &person.zones, now)?;
    match item.kind {
        TaskKind::Touch(_) => Some(closes.min(person.calls().closes_at(now)?)),
        _ => Some(closes),
    }
}

impl Row {
    /// Why it stands where it does, in a few words; times are written by `when`.
    pub fn why(&self, when: impl Fn(Timestamp) -> String, now: Timestamp) -> String {
        let until = || self.closes_at.map_or(String::new(), |at| format!(" until {}", when(at)));
        let task = &self.line.task;
        match self.place {
            Place::Now(group) => self.why_now(group, until, &when, now),
            Place::Later(NotNow::Snoozed, at) => format!("put off until {}", when(at)),
            Place::Later(NotNow::Promised, at) => {
                format!("promised for {}{}", when(at), self.there(at))
            }
            Place::Later(NotNow::OutsideHours, at) => {
                format!("outside their hours; callable from {}", when(at))
            }
            Place::Later(NotNow::NoTimeZone, _) => {
                "nobody knows what time it is there: set a country or a time zone".to_owned()
            }
            Place::Later(NotNow::OwnerAway, at) => {
                format!("{} is away until {}", task.rep, when(at))
            }
        }
    }

    /// The time of the day there.
    fn there(&self, at: Timestamp) -> String {
        let Some(zone) = &self.zone else { return String::new() };
        format!(" ({} there)", zone.to_datetime(at).strftime("%H:%M"))
    }

    fn why_now(
        &self,
        group: queue::Group,
        until: impl Fn() -> String,
        when: &impl Fn(Timestamp) -> String,
        now: Timestamp,
    ) -> String {
        use queue::Group;
        let task = &self.line.task;
        let answer_by = || format!("wants an answer by {}", when(task.expires_at));
        match group {
            Group::Promised => match task.wakes_at {
                Some(at) if at <= now => {
                    format!("you promised {}{}", when(at), self.there(at))
                }
                _ => "you promised a call".to_owned(),
            },
            Group::Running => match task.target_at {
                Some(at) if at >= now => format!("its clock runs until {}", when(at)),
                Some(at) => format!("its clock ran out {}", when(at)),
                None => "urgent".to_owned(),
            },
            Group::CameBack => "nobody took it over".to_owned(),
            Group::Reply => format!("wrote; nobody has sorted it since {}", when(task.opened_at)),
            Group::HandOff => answer_by(),
            Group::Decide => "waits for your decision".to_owned(),
            Group::Call => format!("working hours there{}", until()),
            Group::Review => match self.closes_at {
                Some(at) => format!("can leave today until {}", when(at)),
                None => "can leave later today".to_owned(),
            },
            Group::Social | Group::Rest if task.expires_at <= now => {
                format!("ran out {}", when(task.expires_at))
            }
            Group::Social | Group::Rest => format!("until {}", when(task.expires_at)),
        }
    }
}
