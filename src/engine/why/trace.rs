//! What a step that waits is held against, one line each: when it is due, which hours hold there, every
//! limit with its count, and when it can go at the earliest.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::domain::budget::{Cap, Metered, Waiting};
use crate::domain::cadence::{Channel, What};
use crate::domain::enrollment::Phase;
use crate::domain::ids::{MailboxId, StepId};
use crate::domain::schedule;
use crate::domain::settings::Clock;
use crate::domain::touch::Status;
use crate::engine::board::is_after_silence;
use crate::engine::{Engine, EngineError, Person};

/// Why the next step of somebody goes when it goes.
#[derive(Debug, Clone)]
pub struct Trace {
    pub step: StepId,
    pub attempt: u32,
    pub channel: Channel,
    /// By the plan alone.
    pub due_at: Timestamp,
    /// The first instant behind that in the hours that hold there.
    pub opens_at: Timestamp,
    /// The hours and on whose clock they are read.
    pub hours: String,
    /// For a call: when people may be called there, and by which rule.
    pub call_hours: Option<String>,
    /// Days from the due one on that are passed over, with what they are.
    pub closed_days: Vec<(Date, String)>,
    pub checks: Vec<Check>,
    /// The clock on which days are counted for this person.
    pub there: TimeZone,
    /// The first instant that satisfies everything, as things stand now.
    pub earliest: Option<Timestamp>,
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub reason: Waiting,
    /// What is looked at, such as `mailbox ann`.
    pub what: String,
    /// How it stands, such as `12 of 40 in 24 h`.
    pub stands: String,
    pub verdict: Verdict,
}

/// Whether it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    /// From then on it does.
    Until(Timestamp),
    /// Only when somebody changes it.
    Open,
}

/// How many days that are passed over are told at most.
const CLOSED_DAYS: usize = 14;

/// How often the limits are asked in turn until they agree on an instant.
const ROUNDS: usize = 50;

impl Engine {
    /// What the next step of somebody is held against; nothing when a person has to act, or it is over.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn trace(&self, person: &Person) -> Result<Option<Trace>, EngineError> {
        let Phase::Waiting { step, attempt, due_at } = &person.enrollment.state.phase else {
            return Ok(None);
        };
        let found = person.version.cadence.step(step).map(|(_, step)| step);
        let Some(found) = found else { return Ok(None) };
        let now = self.now();
        let channel = found.what.channel();
        let opens = schedule::open_for(&person.place(), Some(found), *due_at);
        let mut checks = self.checks(person, channel, now).await?;
        checks.extend(self.quota_checks(person, &found.what, now).await?);
        let opens_at = |from| schedule::open_for(&person.place(), Some(found), from).at;
        Ok(Some(Trace {
            step: step.clone(),
            attempt: *attempt,
            channel,
            due_at: *due_at,
            opens_at: opens.at,
            hours: hours(person, channel),
            call_hours: (channel == Channel::Call).then(|| call_hours(person, opens.at)),
            closed_days: closed_days(person, *due_at, opens.at),
            earliest: earliest(&checks, (*due_at).max(now), opens_at),
            there: person.zone(),
            checks,
        }))
    }

    async fn checks(
        &self,
        person: &Person,
        channel: Channel,
        now: Timestamp,
    ) -> Result<Vec<Check>, EngineError> {
        let mut checks = Vec::new();
        let holds = self.store.holds().await?;
        let over = person.holds();
        for hold in holds.iter().filter(|hold| over.contains(&hold.scope)) {
            let (what, stands) = (hold.scope.phrase(), format!("on hold: {}", hold.note));
            checks.push(Check { reason: Waiting::OnHold, what, stands, verdict: Verdict::Open });
        }
        let mut caps = self.person_caps(person);
        if channel == Channel::Email {
            let mailbox = person.enrollment.mailbox.as_ref();
            if let Some(id) = mailbox {
                checks.extend(self.mailbox_checks(id, &mut caps, now).await?);
            }
            let domain = person.prospect.known.email.as_ref().map(|email| email.domain());
            caps.extend(domain.and_then(|domain| self.domain_cap(domain)));
        }
        for cap in &caps {
            checks.push(self.cap_check(cap, now).await?);
        }
        checks.extend(self.company_check(person).await?);
        checks.extend(self.rep_check(person).await?);
        checks.extend(self.quiet_check(person, now).await?);
        Ok(checks)
    }

    async fn mailbox_checks(
        &self,
        id: &MailboxId,
        caps: &mut Vec<Cap>,
        now: Timestamp,
    ) -> Result<Vec<Check>, EngineError> {
        let what = format!("mailbox {id}");
        let Some(mailbox) = self.settings.mailboxes.get(id) else {
            let stands = "is not in firsttouch.toml any more".to_owned();
            let (reason, verdict) = (Waiting::MailboxDown, Verdict::Open);
            return Ok(vec![Check { reason, what, stands, verdict }]);
        };
        let record = self.store.mailbox(id).await?;
        caps.push(self.mailbox_cap(mailbox, &record, now));
        caps.extend(self.hourly_cap(mailbox));
        let mut checks = Vec::new();
        if mailbox.has_inbox {
            let fresh = self.is_fresh(record.inbox_read_at, now);
            let stands = match record.inbox_read_at {
                None => "its inbox was never read".to_owned(),
                Some(at) => {
                    let minutes = at.duration_until(now).as_mins();
                    let most = self.settings.reply_freshness.as_mins();
                    format!("its inbox was read {minutes} min ago, {most} are allowed")
                }
            };
            let verdict = if fresh { Verdict::Holds } else { Verdict::Open };
            let reason = Waiting::InboxStale;
            checks.push(Check { reason, what: what.clone(), stands, verdict });
        }
        if let Some((until, reason)) = record.waits.filter(|(until, _)| *until > now) {
            let (stands, verdict) = (reason.explain().to_owned(), Verdict::Until(until));
            checks.push(Check { reason, what: what.clone(), stands, verdict });
        }
        if let Some(until) = record.next_send_at.filter(|until| *until > now) {
            let stands = "keeps its gap behind the last mail".to_owned();
            let (reason, verdict) = (Waiting::MailboxLimit, Verdict::Until(until));
            checks.push(Check { reason, what, stands, verdict });
        }
        Ok(checks)
    }

    async fn cap_check(&self, cap: &Cap, now: Timestamp) -> Result<Check, EngineError> {
        let used = self.store.used(cap, now).await?;
        let count: u64 = used.iter().map(|used| u64::from(used.count)).sum();
        let verdict = cap.admit(&used, now).map_or_else(Verdict::Until, |()| Verdict::Holds);
        let lower = self.why_lower(cap, now).await?;
        let stands = format!("{count} of {} in {}{lower}", cap.limit, window(cap.window));
        let what = scope_words(&cap.scope);
        Ok(Check { reason: cap.reason, what, stands, verdict })
    }

    /// Why a mailbox may send fewer mails today than its settings say.
    async fn why_lower(&self, cap: &Cap, now: Timestamp) -> Result<String, EngineError> {
        let id = cap.scope.strip_prefix("mailbox:").map(MailboxId::from);
        let Some(mailbox) = id.and_then(|id| self.settings.mailboxes.get(&id)) else {
            return Ok(String::new());
        };
        let record = self.store.mailbox(&mailbox.id).await?;
        let full = mailbox.daily_limit;
        Ok(match cap.limit < full {
            true if is_after_silence(mailbox, &record, now) => {
                format!(" (growing again to {full} after a silence)")
            }
            true => format!(" (growing to {full})"),
            false => String::new(),
        })
    }

    /// The people of the rep who are under way, and what a network allows the rep.
    async fn rep_check(&self, person: &Person) -> Result<Option<Check>, EngineError> {
        let Some((rep, enrollment, limit)) = self.rep_guard(person) else {
            return Ok(None);
        };
        let others = self.store.begun_of(&rep, enrollment, limit).await?;
        let verdict = if others < u64::from(limit) { Verdict::Holds } else { Verdict::Open };
        let stands = format!("{others} others under way, {limit} may be at once");
        let (reason, what) = (Waiting::RepLimit, format!("rep {rep}"));
        Ok(Some(Check { reason, what, stands, verdict }))
    }

    /// What LinkedIn takes from whoever will have the task.
    async fn quota_checks(
        &self,
        person: &Person,
        what: &What,
        now: Timestamp,
    ) -> Result<Vec<Check>, EngineError> {
        let mut checks = Vec::new();
        for quota in self.quotas(&person.enrollment.owner, what.metered()) {
            let used = self.store.quota_used(&quota, now).await?;
            let (done, open) = (used.done.len(), used.open);
            let days = window(quota.window);
            let stands = format!("{done} done and {open} open of {} in {days}", quota.limit);
            let verdict = quota.admit(&used, now).map_or_else(Verdict::Until, |()| Verdict::Holds);
            let of = match quota.metered {
                Metered::Invite => "invitations",
                Metered::InviteWithNote => "invitations with a note",
            };
            let what = format!("rep {}, {of} on LinkedIn", quota.rep);
            checks.push(Check { reason: Waiting::RepLimit, what, stands, verdict });
        }
        Ok(checks)
    }

    async fn company_check(&self, person: &Person) -> Result<Option<Check>, EngineError> {
        let Some((company, enrollment, limit)) = self.company_guard(person) else {
            return Ok(None);
        };
        let others = self.store.begun_at(company, enrollment).await?;
        let verdict = if others < u64::from(limit) { Verdict::Holds } else { Verdict::Open };
        let stands = format!("{others} others under way, {limit} may be at once");
        let (reason, what) = (Waiting::CompanyLimit, "company".to_owned());
        Ok(Some(Check { reason, what, stands, verdict }))
    }

    /// Other enrollments of the same person keep their distance.
    async fn quiet_check(
        &self,
        person: &Person,
        now: Timestamp,
    ) -> Result<Option<Check>, EngineError> {
        let gap = self.settings.limits.prospect_gap;
        let mut last: Option<Timestamp> = None;
        for other in self.store.enrollments_of(person.prospect.id).await? {
            if other.id == person.enrollment.id {
                continue;
            }
            let touches = self.store.touches_of(other.id).await?;
            let counts = |touch: &&crate::domain::touch::Touch| {
                touch.prospect == person.prospect.id
                    && touch.channel != Channel::Task
                    && !matches!(touch.status, Status::Retryable | Status::Refused)
            };
            last = last.max(touches.iter().filter(counts).map(|touch| touch.at).max());
        }
        let Some(last) = last else { return Ok(None) };
        let until = last + gap;
        let verdict = if until > now { Verdict::Until(until) } else { Verdict::Holds };
        let hours = gap.as_hours();
        let stands = format!("touched by another cadence, {hours} h must lie between");
        let (reason, what) = (Waiting::ProspectLimit, "this person".to_owned());
        Ok(Some(Check { reason, what, stands, verdict }))
    }
}

/// The first instant at or behind `from` that is open and satisfies every limit, if nothing else is used
/// until then; nothing when a person must act first.
fn earliest(
    checks: &[Check],
    from: Timestamp,
    opens_at: impl Fn(Timestamp) -> Timestamp,
) -> Option<Timestamp> {
    if checks.iter().any(|check| check.verdict == Verdict::Open) {
        return None;
    }
    let until = checks.iter().filter_map(|check| match check.verdict {
        Verdict::Until(until) => Some(until),
        Verdict::Holds | Verdict::Open => None,
    });
    let mut at = until.fold(from, Timestamp::max);
    for _ in 0..ROUNDS {
        let open = opens_at(at);
        if open == at {
            return Some(at);
        }
        at = open;
    }
    Some(at)
}

fn hours(person: &Person, channel: Channel) -> String {
    let calendar = &person.clockwork.calendar;
    let window = match channel {
        Channel::Email => {
            let spans = person.version.cadence.send_window.iter().map(ToString::to_string);
            spans.collect::<Vec<_>>().join(", ")
        }
        Channel::Call | Channel::Social | Channel::Task => "working hours".to_owned(),
    };
    let zones: Vec<&str> = person.zones.iter().filter_map(|zone| zone.iana_name()).collect();
    let whose = match (&person.clockwork.clock, zones.len()) {
        (_, 0) => "no time zone is known".to_owned(),
        (Clock::Fixed(_), _) => format!("always {}", zones.join(", ")),
        (Clock::Owner(_), _) => {
            format!("{} of {}, whose person it is", zones.join(", "), person.enrollment.owner)
        }
        (Clock::Prospect, 1) => zones.join(", "),
        (Clock::Prospect, _) => format!("in all of {}", zones.join(", ")),
    };
    format!("{window} on days of the calendar `{}`, {whose}", calendar.name)
}

/// When people may be called there on that day, and by which rule.
fn call_hours(person: &Person, at: Timestamp) -> String {
    let zone = person.there.first().cloned().unwrap_or_else(|| person.zone());
    let hours = &person.clockwork.calls;
    let spans: Vec<String> =
        hours.on(zone.to_datetime(at).weekday()).iter().map(ToString::to_string).collect();
    format!("{} ({})", spans.join(" and "), hours.sources())
}

/// The days from the due one until it opens on which nobody works.
fn closed_days(person: &Person, due: Timestamp, opens: Timestamp) -> Vec<(Date, String)> {
    let (zone, calendar) = (person.zone(), &person.clockwork.calendar);
    let (first, last) = (zone.to_datetime(due).date(), zone.to_datetime(opens).date());
    let days = std::iter::successors(Some(first), |day| day.checked_add(1.day()).ok());
    let days = days.take_while(|day| *day < last).take(400);
    let closed = days.filter(|day| !calendar.works_on(*day));
    let named = closed.map(|day| (day, what_day(calendar.holidays.name(day))));
    named.take(CLOSED_DAYS).collect()
}

/// What keeps people from working on a day: the holiday with its name, or the week.
fn what_day(holiday: Option<&str>) -> String {
    match holiday {
        Some("") => "holiday".to_owned(),
        Some(name) => format!("holiday: {name}"),
        None => "no working day".to_owned(),
    }
}

fn window(window: SignedDuration) -> String {
    match window.as_hours() {
        hours @ 0..=48 => format!("{hours} h"),
        hours => format!("{} days", hours / 24),
    }
}

/// `rep-new:ann:saas` as people say it.
fn scope_words(scope: &str) -> String {
    let Some((kind, rest)) = scope.split_once(':') else { return scope.to_owned() };
    match kind {
        "prospect" => "this person".to_owned(),
        "company" => "company".to_owned(),
        "company-new" => "company, new people".to_owned(),
        "mailbox-hour" => format!("mailbox {rest}"),
        "rep-new" => match rest.split_once(':') {
            Some((rep, cadence)) => format!("rep {rep}, new people in {cadence}"),
            None => format!("rep {rest}, new people"),
        },
        kind => format!("{kind} {rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
    }

    fn check(verdict: Verdict) -> Check {
        let (what, stands) = (String::new(), String::new());
        Check { reason: Waiting::MailboxLimit, what, stands, verdict }
    }

    #[test]
    fn the_earliest_instant_satisfies_the_hours_and_every_limit() {
        // Open from 8 to 17 each day.
        let opens = |at: Timestamp| {
            let hour = at.as_second() / 3600;
            let (day, of_day) = (hour / 24, hour % 24);
            match of_day {
                0..8 => self::at(day * 24 + 8),
                8..17 => at,
                _ => self::at(day * 24 + 32),
            }
        };
        for (verdicts, from, expected) in [
            (vec![], 9, Some(9)),
            (vec![], 3, Some(8)),
            (vec![Verdict::Holds, Verdict::Until(at(12))], 9, Some(12)),
            (vec![Verdict::Until(at(20)), Verdict::Until(at(12))], 9, Some(32)),
            (vec![Verdict::Open, Verdict::Until(at(12))], 9, None),
            (vec![Verdict::Until(at(5))], 9, Some(9)),
        ] {
            let checks: Vec<Check> = verdicts.into_iter().map(check).collect();
            assert_eq!(earliest(&checks, at(from), opens), expected.map(at), "{checks:?}");
        }
    }
}
