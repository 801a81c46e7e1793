//! What a reply or a meeting does to people of the same company in the same cadence.

use jiff::Timestamp;

use super::dispatch::transition;
use super::{Engine, EngineError, Person};
use crate::domain::cadence::Others;
use crate::domain::enrollment::{Ending, Event, Pause, Phase, State};
use crate::domain::log::What as Happened;
use crate::domain::time::{Delay, Unit};
use crate::ports::{Changes, EnrollmentRecord};

/// Nobody waits longer for a colleague than a question to the owner stays open.
const AT_MOST: Delay = Delay::new(10, Unit::BusinessDays);

/// What has just been heard of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Replied,
    Meeting,
    /// The owner has said what the reply means, or nobody did in time.
    Settled,
}

impl Engine {
    /// Adds what the others do to the changes of somebody's move, so that both are one transaction.
    pub(super) async fn tell_colleagues(
        &self,
        person: &Person,
        after: &State,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        // At an account the others wait by themselves.
        if after.account.is_some() {
            return Ok(());
        }
        let Some((heard, company)) = heard(person, after).zip(person.enrollment.company) else {
            return Ok(());
        };
        let rules = person.version.cadence.company;
        let others = match heard {
            Heard::Replied => rules.on_reply,
            Heard::Meeting => rules.on_meeting,
            Heard::Settled => Others::Nothing,
        };
        let cadence = &person.enrollment.cadence;
        let open = self.store.enrollments_at(company, cadence).await?;
        let others_of = |record: &&EnrollmentRecord| record.prospect != person.prospect.id;
        // Another one of them is still being read.
        let unsettled = open.iter().filter(others_of).any(|record| record.state.is_triaged());
        for record in open.iter().filter(others_of) {
            let is_held =
                matches!(record.state.phase, Phase::Paused { why: Pause::ByColleague, .. });
            if others == Others::Nothing && (unsettled || !is_held) {
                continue;
            }
            let Some(colleague) = self.person(record.id).await? else { continue };
            self.tell(&colleague, others, now, changes).await?;
        }
        Ok(())
    }

    /// Whoever came in while a colleague's reply is being read, or has just been read themselves, waits as
    /// the others do. Whether that is so.
    pub(super) async fn waits_for_colleague(
        &self,
        person: &Person,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let (state, rules) = (&person.enrollment.state, person.version.cadence.company);
        let asks = state.account.is_none() && rules.on_reply == Others::Pause;
        let Some(company) = person.enrollment.company.filter(|_| asks) else {
            return Ok(false);
        };
        let open = self.store.enrollments_at(company, &person.enrollment.cadence).await?;
        let is_read = |record: &EnrollmentRecord| {
            record.prospect != person.prospect.id && record.state.is_triaged()
        };
        if !open.iter().any(is_read) {
            return Ok(false);
        }
        let mut changes = Changes::default();
        self.tell(person, Others::Pause, now, &mut changes).await?;
        self.store.write(changes).await?;
        Ok(true)
    }

    async fn tell(
        &self,
        colleague: &Person,
        others: Others,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        let (event, what) = match others {
            Others::Pause => {
                let calendar = &colleague.clockwork.calendar;
                let until = calendar.after(now, AT_MOST, &colleague.zone());
                (Event::ColleagueHeard { until }, Some(Happened::Paused))
            }
            Others::Stop => (Event::Stopped, None),
            Others::Nothing => (Event::ColleagueSettled, Some(Happened::Resumed)),
        };
        let (state, effects) = transition(colleague, event, now)?;
        if state == colleague.enrollment.state {
            return Ok(());
        }
        changes.append(self.changes(colleague, state, &effects, now).await?);
        let entry = what.map(|what| colleague.entry(now, what).with("reason", "colleague_heard"));
        changes.log.extend(entry);
        Ok(())
    }
}

/// What somebody's move means for the others.
fn heard(person: &Person, after: &State) -> Option<Heard> {
    let before = &person.enrollment.state;
    let ended = |state: &State| match state.phase {
        Phase::Ended { ending, .. } => Some(ending),
        _ => None,
    };
    match (ended(before), ended(after)) {
        (Some(_), _) => None,
        (None, Some(Ending::Meeting)) => Some(Heard::Meeting),
        _ if before.is_triaged() && !after.is_triaged() => Some(Heard::Settled),
        _ if !before.is_triaged() && after.is_triaged() => Some(Heard::Replied),
        (None, Some(Ending::Replied)) => Some(Heard::Replied),
        _ => None,
    }
}
