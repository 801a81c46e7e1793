//! From when a step falls due: days of the plan, waits, and dates of the person.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::{Course, Phase, Skipped, State};
use crate::domain::cadence::{Anchor, DayKind, SKIPPED, Step, StepHours, When};
use crate::domain::calendar::start_of_day;
use crate::domain::time::{Delay, Unit};

/// A new enrollment: waiting for the first step. `None` for a cadence without steps.
pub fn begin(course: &Course, now: Timestamp) -> Option<State> {
    let first = course.cadence.steps.first()?;
    let begins_at = begins_at(course, first, now);
    let state = State {
        phase: Phase::Closing { until: now },
        day: 1,
        anchor_at: begins_at,
        not_before: None,
        tries: 0,
        began_at: Some(now),
        happened: Default::default(),
        reply_waits: false,
        released: None,
        inward: [].into(),
        account: None,
        passed: Vec::new(),
    };
    let due_at = due_at(course, &state, first).max(begins_at);
    Some(State {
        phase: Phase::Waiting { step: first.id.clone(), attempt: 1, due_at },
        anchor_at: now,
        ..state
    })
}

/// The instant from which the first step of somebody who was enrolled then is counted: the beginning of
/// day 1.
pub(super) fn begins_at(course: &Course, first: &Step, enrolled_at: Timestamp) -> Timestamp {
    let date = course.zone.to_datetime(enrolled_at).date();
    let day_one = match course.cadence.days {
        DayKind::Business => course.calendar.working_day_from(date),
        DayKind::Calendar => date,
    };
    match (&first.when, first.hours) {
        // A mail that may leave at night does not wait for a working day either.
        (When::After(_), StepHours::Any) => enrolled_at,
        (When::After(_) | When::Day(_) | When::At(_), StepHours::Any | StepHours::Calendar) => {
            start_of_day(day_one, course.zone, enrolled_at).max(enrolled_at)
        }
    }
}

/// The instant at which a step falls due, before windows, holidays of the window, and caps.
///
/// `day:` keeps the gap to the step before: when that was late, this moves with it, by whole days.
/// `at:` keeps its date.
pub(super) fn due_at(course: &Course, state: &State, step: &Step) -> Timestamp {
    let planned = match &step.when {
        When::After(delay) => course.calendar.after(state.anchor_at, *delay, course.zone),
        When::Day(day) => {
            let gap = course.cadence.days.delay(day.saturating_sub(state.day));
            if gap.amount == 0 {
                state.anchor_at
            } else {
                let on = course.calendar.after(state.anchor_at, gap, course.zone);
                start_of_day(course.zone.to_datetime(on).date(), course.zone, on)
            }
        }
        // What is not known is looked at again when the step is reached.
        When::At(anchor) => match on_date(course, state, anchor) {
            Ok(at) => at,
            Err(_) => state.anchor_at,
        },
    };
    let away = state.account.as_ref().and_then(|account| account.away_until(step));
    let latest = [state.not_before, away].into_iter().flatten().max();
    planned.max(latest.unwrap_or(planned))
}

/// The time of what is waited for, when it is somebody else's turn at an account, who may be in another
/// zone. What was put off, or waits for what was left of a delay, stays.
pub fn retimed(before: &Course, after: &Course, state: State) -> State {
    let Phase::Waiting { step: id, attempt: 1, due_at: was } = &state.phase else { return state };
    let Some((_, step)) = after.cadence.step(id) else { return state };
    if *was != due_at(before, &state, step) {
        return state;
    }
    let due_at = due_at(after, &state, step);
    State { phase: Phase::Waiting { step: id.clone(), attempt: 1, due_at }, ..state }
}

/// The days that a wait takes, as the plan counts days; hours and minutes are none.
pub(super) fn days_of(course: &Course, from: Timestamp, delay: Delay) -> u32 {
    if !matches!(delay.unit, Unit::Days | Unit::Weeks | Unit::BusinessDays) {
        return 0;
    }
    let date = |at: Timestamp| course.zone.to_datetime(at).date();
    let (first, last) = (date(from), date(course.calendar.after(from, delay, course.zone)));
    let days = first.series(1.day()).skip(1).take_while(|day| *day <= last);
    let counts = |day: &Date| match course.cadence.days {
        DayKind::Business => course.calendar.works_on(*day),
        DayKind::Calendar => true,
    };
    u32::try_from(days.filter(counts).count()).unwrap_or(u32::MAX)
}

/// When a step on a date falls due, or why it never does.
pub(super) fn on_date(
    course: &Course,
    state: &State,
    anchor: &Anchor,
) -> Result<Timestamp, Skipped> {
    let field = || anchor.field.clone();
    let on = planned_on(course, anchor).ok_or_else(|| Skipped::NoDate(field()))?;
    let date_of = |at: Timestamp| course.zone.to_datetime(at).date();
    if state.began_at.is_some_and(|began_at| on < date_of(began_at)) {
        return Err(Skipped::PastDate(field()));
    }
    let reached_on = date_of(state.anchor_at);
    let at = start_of_day(on, course.zone, state.anchor_at);
    if on >= reached_on {
        return Ok(at.max(state.anchor_at));
    }
    // Late. Dates that lie behind must not be made up for all on one day.
    let is_today = |at: Timestamp| date_of(at) == reached_on;
    let busy = state.passed.iter().any(|p| is_today(p.at) && p.outcome.as_str() != SKIPPED);
    if !busy {
        return Ok(state.anchor_at);
    }
    let next_day = course.calendar.working_days_after(reached_on, 1);
    Ok(start_of_day(next_day, course.zone, state.anchor_at).max(state.anchor_at))
}

/// The working day on or behind the date that is meant.
fn planned_on(course: &Course, anchor: &Anchor) -> Option<Date> {
    let date = course.dates.get(&anchor.field)?;
    let on = course.calendar.date_from(*date, anchor.side, anchor.delay);
    Some(course.calendar.working_day_from(on))
}
