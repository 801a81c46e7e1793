//! Promise 4: caps in every rolling window, gaps, quiet times and colleagues, counted by the checks.

use firsttouch::domain::cadence::Channel;
use firsttouch::domain::enrollment::{Phase, TaskKind};
use firsttouch::domain::ids::{CompanyId, EnrollmentId, ProspectId};
use firsttouch::domain::touch::{Status, Touch};
use firsttouch::ports::{Guards, TaskRecord};
use jiff::{SignedDuration, Timestamp};

use super::model::{Seen, has_begun, has_ended};
use crate::plan::CadenceLimits;
use crate::workspace::mailbox_number;
use crate::world::State;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What is about to touch somebody.
struct About<'a> {
    enrollment: EnrollmentId,
    prospect: ProspectId,
    seen: &'a Seen,
    limits: CadenceLimits,
    at: Timestamp,
}

/// A mail is intended.
pub fn on_mail(state: &mut State, touch: &Touch, broken: &mut Vec<String>) {
    let Some(mail) = &touch.mail else { return };
    let at = touch.at;
    let plan = state.plan.clone();
    if let Some(last) = state.model.last_mail.insert(mail.mailbox.clone(), at)
        && last.duration_until(at).abs() < plan.gap.0
    {
        broken.push(format!("promise 4: the gap of {} is {last} to {at}", mail.mailbox));
    }
    if state.model.left_alone_until.get(&mail.mailbox).is_some_and(|until| at < *until) {
        broken.push(format!("{}, in trouble, is not left alone at {at}", mail.mailbox));
    }
    let (days, silent) = sending_days(state, touch);
    let ramp = plan.ramp(mailbox_number(&mail.mailbox.0), days, silent);
    up_to(state, &format!("mailbox {}", mail.mailbox), ramp, DAY, at, broken);
    if let Some(limit) = plan.hourly {
        let (limit, hour) = (limit as usize, SignedDuration::from_hours(1));
        every(state, &format!("hour of {}", mail.mailbox), limit, hour, at, broken);
    }
    let domain = state
        .people
        .get(&touch.prospect)
        .and_then(|person| person.known.email.as_ref().map(|email| email.domain().to_owned()));
    if let Some(domain) = domain.filter(|domain| domain != "gmail.com") {
        every(state, &format!("domain {domain}"), plan.per_domain, DAY, at, broken);
    }
    let who = (touch.enrollment, touch.prospect);
    on_person(state, who, at, Counts::Touch, broken);
}

/// A task is opened that touches somebody, or a mail is to be read that begins a conversation.
pub fn on_task(state: &mut State, task: &TaskRecord, guards: &Guards, broken: &mut Vec<String>) {
    let counts = match task.kind {
        TaskKind::Touch(Channel::Task) => return,
        TaskKind::Touch(_) => Counts::Touch,
        TaskKind::Review => Counts::Beginning,
        TaskKind::Triage | TaskKind::Reply | TaskKind::HandOff | TaskKind::HandedBack => return,
    };
    on_person(state, (task.enrollment, task.prospect), guards.now, counts, broken);
    if is_invitation(task) {
        invitations(state, task, guards.now, broken);
    }
}

/// The one step that asks to connect, in a task of the first cadence.
fn is_invitation(task: &TaskRecord) -> bool {
    task.kind == TaskKind::Touch(Channel::Social) && task.step.as_str() == "view"
}

/// Only so many requests to connect: those that a rep has sent, and those that wait to be sent.
fn invitations(state: &State, task: &TaskRecord, at: Timestamp, broken: &mut Vec<String>) {
    let Some(limit) = state.plan.invites_per_week else { return };
    let open = state.model.open_tasks.values();
    let open = open.filter(|other| other.rep == task.rep && is_invitation(other)).count();
    let since = at - DAY * 7;
    let sent = state.model.invited.get(&task.rep).into_iter().flatten();
    let sent = sent.filter(|sent| **sent > since).count();
    if open + sent >= limit {
        broken.push(format!(
            "promise 4: invitations of {}: {sent} sent and {open} open, {limit} may be, at {at}",
            task.rep
        ));
    }
}

/// A request to connect was sent: notes when, and whose it was.
pub fn on_invitation(state: &mut State, touch: &Touch) {
    let nothing_sent = ["already_connected", "not_found", "skipped"];
    let outcome = touch.outcome.as_ref().map(|outcome| outcome.as_str()).unwrap_or_default();
    if touch.status != Status::Done || nothing_sent.contains(&outcome) {
        return;
    }
    let ids = state.model.tasks_of.get(&touch.enrollment).into_iter().flatten();
    let mut tasks = ids.filter_map(|id| state.model.open_tasks.get(id));
    let rep = tasks.find(|task| is_invitation(task)).map(|task| task.rep.clone());
    if let Some(rep) = rep.filter(|_| touch.step.as_str() == "view") {
        state.model.invited.entry(rep).or_default().push(touch.at);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Counts {
    Touch,
    /// Reading a mail touches nobody.
    Beginning,
}

fn on_person(
    state: &mut State,
    (enrollment, prospect): (EnrollmentId, ProspectId),
    at: Timestamp,
    counts: Counts,
    broken: &mut Vec<String>,
) {
    let plan = state.plan.clone();
    let Some(seen) = state.model.enrollments.get(&enrollment) else {
        return broken.push(format!("enrollment {enrollment} is touched and was never written"));
    };
    let limits = plan.limits.get(seen.cadence.as_str()).copied().unwrap_or_default();
    let about = About { enrollment, prospect, seen, limits, at };
    if counts == Counts::Touch {
        quiet(state, &about, plan.quiet, broken);
        held(state, &about, broken);
    }
    let begins = !has_begun(&about.seen.stands);
    if begins {
        colleagues(state, &about, plan.active_per_company, broken);
        of_the_rep(state, &about, broken);
    }
    let (company, owner, cadence) = (seen.company, seen.owner.clone(), seen.cadence.clone());
    if counts == Counts::Touch {
        if let Some(limit) = limits.per_prospect {
            up_to(state, &format!("prospect {prospect}"), limit, DAY, at, broken);
        }
        if let Some((limit, company)) = limits.per_company_week.zip(company) {
            up_to(state, &format!("company {company}"), limit, DAY * 7, at, broken);
        }
    }
    if !begins {
        return;
    }
    if let Some(limit) = limits.new_per_rep {
        every(state, &format!("new of {owner} in {cadence}"), limit, DAY, at, broken);
    }
    if let Some(company) = company {
        let scope = format!("new at company {company}");
        every(state, &scope, plan.new_per_company, DAY, at, broken);
    }
}

/// Touches of the same person from other enrollments keep their distance.
fn quiet(state: &State, about: &About, quiet: SignedDuration, broken: &mut Vec<String>) {
    let touches = state.model.touches_to.get(&about.prospect).into_iter().flatten();
    for seen in touches.filter_map(|id| state.model.touches.get(id)) {
        let touch = &seen.touch;
        let counts = touch.enrollment != about.enrollment
            && touch.channel != Channel::Task
            && !matches!(seen.status, Status::Retryable | Status::Refused);
        if counts && touch.at.duration_until(about.at) < quiet {
            broken.push(format!(
                "promise 4: quiet: prospect {} was touched at {} and is at {}",
                about.prospect, touch.at, about.at
            ));
        }
    }
}

/// Whoever is heard of the same company in the same cadence is settled first.
fn held(state: &State, about: &About, broken: &mut Vec<String>) {
    if !state.plan.colleagues_wait || about.seen.cadence != "simulated" {
        return;
    }
    for (id, other) in others(state, about.seen.company, about.enrollment) {
        let asked = matches!(other.stands.phase, Phase::OnReply { .. });
        if asked && other.cadence == about.seen.cadence && other.prospect != about.prospect {
            broken.push(format!(
                "promise 3: enrollment {} is touched, and a colleague replied in {id}",
                about.enrollment
            ));
        }
    }
}

/// Only so many at once of one company.
fn colleagues(state: &State, about: &About, active: usize, broken: &mut Vec<String>) {
    let limit = about.limits.per_company_at_once.unwrap_or(active);
    let under_way =
        |(_, other): &(EnrollmentId, &Seen)| has_begun(&other.stands) && !has_ended(&other.stands);
    let n = others(state, about.seen.company, about.enrollment).filter(under_way).count();
    if about.seen.company.is_some() && n >= limit {
        broken.push(format!(
            "promise 4: colleagues: {n} others are under way, {limit} may be, and {} begins",
            about.enrollment
        ));
    }
}

/// Only so many at once of one rep.
fn of_the_rep(state: &State, about: &About, broken: &mut Vec<String>) {
    let Some(limit) = state.plan.active_per_rep else { return };
    let under_way = |(id, other): &(&EnrollmentId, &Seen)| {
        let same = **id != about.enrollment && other.owner == about.seen.owner;
        same && has_begun(&other.stands) && !has_ended(&other.stands)
    };
    let n = state.model.enrollments.iter().filter(under_way).count();
    if n >= limit {
        broken.push(format!(
            "promise 4: people of {}: {n} others are under way, {limit} may be, and {} begins",
            about.seen.owner, about.enrollment
        ));
    }
}

fn others(
    state: &State,
    company: Option<CompanyId>,
    but: EnrollmentId,
) -> impl Iterator<Item = (EnrollmentId, &Seen)> {
    let there = company.and_then(|company| state.model.at_company.get(&company));
    let others = there.into_iter().flatten().filter(move |id| **id != but);
    others.filter_map(|id| Some((*id, state.model.enrollments.get(id)?)))
}

/// Days on which this mailbox had sent before, and how many these were behind its last silence.
fn sending_days(state: &mut State, touch: &Touch) -> (usize, Option<usize>) {
    let day = touch.at.as_millisecond().div_euclid(86_400_000);
    let Some(mail) = &touch.mail else { return (0, None) };
    let days = state.model.sending_days.entry(mail.mailbox.clone()).or_insert((0, day, None));
    if days.1 != day {
        let silent = if day > days.1 + 14 { Some(days.0 + 1) } else { days.2 };
        *days = (days.0 + 1, day, silent);
    }
    (days.0, days.2)
}

/// At most so many in every window.
fn every(
    state: &mut State,
    scope: &str,
    limit: usize,
    window: SignedDuration,
    at: Timestamp,
    broken: &mut Vec<String>,
) {
    let (uses, place) = use_one(state, scope, at);
    let full = |first: usize| {
        let last = uses.get(first + limit);
        last.is_some_and(|last| uses[first].duration_until(*last) < window)
    };
    if (place.saturating_sub(limit)..=place).any(full) {
        broken.push(format!("promise 4: more than {limit} in {window:#} for {scope}, at {at}"));
    }
}

/// At most so many up to now, where limits are not always the same.
fn up_to(
    state: &mut State,
    scope: &str,
    limit: usize,
    window: SignedDuration,
    at: Timestamp,
    broken: &mut Vec<String>,
) {
    let (uses, place) = use_one(state, scope, at);
    let recent = uses[..=place].iter().rev().take_while(|t| t.duration_until(at) < window).count();
    if recent > limit {
        broken.push(format!(
            "promise 4: {recent} in {window:#} for {scope}, {limit} may be, at {at}"
        ));
    }
}

fn use_one<'a>(state: &'a mut State, scope: &str, at: Timestamp) -> (&'a [Timestamp], usize) {
    let uses = state.model.uses.entry(scope.to_owned()).or_default();
    let place = uses.partition_point(|other| *other <= at);
    uses.insert(place, at);
    (uses, place)
}
