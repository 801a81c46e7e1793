//! When to look at an enrollment again: from when it is due to when it may be done.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::budget::Waiting;
use super::cadence::{Cadence, Channel, Step, StepHours};
use super::calendar::{Calendar, Hours};
use super::call_hours::Calls;
use super::enrollment::{Pause, Phase, State};

/// Where somebody may be and which rules hold there.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub cadence: &'a Cadence,
    pub calendar: &'a Calendar,
    /// Every zone in which the person may be; best guess first.
    pub zones: &'a [TimeZone],
    /// When the person may be called at all.
    pub calls: Calls<'a>,
}

/// When something happens next, on which channel, and why not earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// The mailbox's worker does it when this is `Email`, else the desk.
    pub channel: Channel,
    pub at: Timestamp,
    pub waiting: Waiting,
}

/// A mail whose server says nothing for so long is in doubt: longer than all time limits of one
/// conversation together (RFC 5321, 4.5.3.2.6 asks for ten minutes behind the final dot).
pub const IN_FLIGHT_AT_MOST: SignedDuration = SignedDuration::from_mins(15);

/// What is in doubt counts as sent after so long without evidence.
pub const DOUBT_GRACE: SignedDuration = SignedDuration::from_hours(24);

/// How often the calendar and the rules about calls are asked in turn until they agree.
const ROUNDS: usize = 60;

/// Someone whose time zone nobody knows is looked at again after so long.
const ZONE_RETRY: SignedDuration = SignedDuration::from_hours(24);

/// When somebody is to be looked at again. `None` once the enrollment has ended.
pub fn next(place: &Place, state: &State) -> Option<Next> {
    let desk = |at, waiting| Some(Next { channel: Channel::Task, at, waiting });
    match &state.phase {
        Phase::Waiting { step, attempt, due_at } => {
            let is_read = state.release_of(step, *attempt).is_some();
            let step = place.cadence.step(step).map(|(_, step)| step);
            match step {
                // Somebody reads it first, in the hours of work.
                Some(step) if step.what.is_reviewed() && !is_read => {
                    Some(open(place, Channel::Task, *due_at))
                }
                step => Some(open_for(place, step, *due_at)),
            }
        }
        Phase::Sending { since, .. } => desk(*since + IN_FLIGHT_AT_MOST, Waiting::InDoubt),
        Phase::InDoubt { since, .. } => desk(*since + DOUBT_GRACE, Waiting::InDoubt),
        Phase::OnTask { expires_at, .. }
        | Phase::Triage { expires_at, .. }
        | Phase::OnReply { expires_at, .. }
        | Phase::Offered { expires_at, .. }
        | Phase::HandedBack { expires_at, .. } => desk(*expires_at, Waiting::NeedsPerson),
        Phase::Paused { until, why, .. } => {
            let waiting = match why {
                Pause::OutOfOffice => Waiting::OutOfOffice,
                Pause::ByRep => Waiting::PausedByRep,
                Pause::ByOutcome => Waiting::NotDue,
                Pause::ByColleague => Waiting::ColleagueHeard,
            };
            desk(until.unwrap_or(Timestamp::MAX), waiting)
        }
        Phase::Closing { until } => desk(*until, Waiting::NotDue),
        Phase::Ended { .. } => None,
    }
}

/// The first instant at or behind `from` at which a step may be done there.
pub fn open_for(place: &Place, step: Option<&Step>, from: Timestamp) -> Next {
    let channel = step.map_or(Channel::Task, |step| step.what.channel());
    match step.map(|step| step.hours) {
        Some(StepHours::Any) => Next { channel, at: from, waiting: Waiting::NotDue },
        Some(StepHours::Calendar) | None => open(place, channel, from),
    }
}

/// The first instant at or behind `from` at which a channel may be used there.
pub fn open(place: &Place, channel: Channel, from: Timestamp) -> Next {
    let hours = match channel {
        Channel::Email => Hours::Window(&place.cadence.send_window),
        Channel::Call | Channel::Social | Channel::Task => Hours::Work,
    };
    // Only mail and calls reach the person at an hour of theirs.
    let zones = match channel {
        Channel::Email | Channel::Call => place.zones,
        Channel::Social | Channel::Task => place.zones.get(..1).unwrap_or(&[]),
    };
    let opens = match channel {
        Channel::Call => callable(place, from),
        Channel::Email | Channel::Social | Channel::Task => {
            place.calendar.next_open(hours, zones, from)
        }
    };
    match opens {
        Some(at) if at == from => Next { channel, at, waiting: Waiting::NotDue },
        Some(at) => Next { channel, at, waiting: closed(place.calendar, zones, from) },
        None if matches!(channel, Channel::Social | Channel::Task) => {
            Next { channel, at: from, waiting: Waiting::NotDue }
        }
        None => Next { channel, at: from + ZONE_RETRY, waiting: Waiting::NoTimeZone },
    }
}

/// The first instant at or behind `from` in the working hours there at which calls are allowed there.
pub fn callable(place: &Place, from: Timestamp) -> Option<Timestamp> {
    let mut at = from;
    for _ in 0..ROUNDS {
        let works = place.calendar.next_open(Hours::Work, place.zones, at)?;
        let allowed = place.calls.next_open(works)?;
        if allowed == works {
            return Some(works);
        }
        at = allowed;
    }
    None
}

/// Why it is not open: a holiday somewhere the person may be, else the hours.
fn closed(calendar: &Calendar, zones: &[TimeZone], from: Timestamp) -> Waiting {
    let is_holiday = |zone: &TimeZone| calendar.holiday(zone.to_datetime(from).date()).is_some();
    match zones.iter().any(is_holiday) {
        true => Waiting::Holiday,
        false => Waiting::OutsideHours,
    }
}
