//! What only shows when all steps are seen together: days that get crowded, steps that nobody can
//! reach, waits that always end on a closed day.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::cadence::{
    Channel, Condition, DayKind, Others, Outcome, SKIPPED, Step, Verb, When,
};
use crate::domain::ids::{BuyerRole, StepId};
use crate::domain::time::{Delay, Unit};
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{Findings, Place};

use super::WorkingDays;

/// The steps of a cadence in their order, and what else bears on them.
pub(super) struct Plan<'a> {
    /// Each step with the place of its id.
    pub steps: &'a [(Step, Place)],
    pub days: DayKind,
    pub touches_per_day: Option<u32>,
    /// The calendar's name, and on which days it works; `None` when it is not known.
    pub calendar: Option<(&'a str, WorkingDays)>,
    pub required: Required,
    /// What a meeting does to the others of an account.
    pub on_meeting: Others,
}

/// The fields that everybody has who is let in.
pub(super) enum Required {
    OfAll(BTreeSet<String>),
    /// Of an account: whoever has a role was found by its profile.
    OfRoles(BTreeMap<BuyerRole, BTreeSet<String>>),
}

impl Required {
    /// What whoever a step is for has in any case.
    fn of(&self, step: &Step) -> BTreeSet<String> {
        match self {
            Self::OfAll(fields) => fields.clone(),
            Self::OfRoles(roles) if step.to.is_empty() => common(roles.values().cloned()),
            Self::OfRoles(roles) => {
                common(step.to.iter().map(|role| roles.get(role).cloned().unwrap_or_default()))
            }
        }
    }
}

/// What is in all of these.
pub(super) fn common(sets: impl Iterator<Item = BTreeSet<String>>) -> BTreeSet<String> {
    sets.reduce(|a, b| a.intersection(&b).cloned().collect()).unwrap_or_default()
}

/// Notes everything that the plan will not do as it reads.
pub(super) fn lint(plan: &Plan<'_>, findings: &mut Findings<'_>) {
    let spots = spots(plan);
    let unreachable = unreachable(plan, findings);
    for (at, (step, place)) in plan.steps.iter().enumerate() {
        let before = plan.steps.iter().zip(&spots).take(at);
        let same_day = before.filter(|(_, spot)| spots.get(at) == Some(spot));
        let same_day: Vec<&Step> = same_day
            .map(|((step, _), _)| step)
            .filter(|other| !unreachable.contains(&other.id))
            .collect();
        if !unreachable.contains(&step.id) {
            second_mail(step, *place, &same_day, findings);
            crowded_day(plan, step, *place, &same_day, findings);
        }
        closed_day(plan, at, findings);
    }
}

/// A day of the plan: steps of one spot are meant for one day. Behind a wait whose length in days is
/// not known, a new stretch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spot {
    stretch: usize,
    day: u32,
}

fn spots(plan: &Plan<'_>) -> Vec<Spot> {
    let mut here = Spot { stretch: 0, day: 1 };
    let mut spots = Vec::new();
    for (at, (step, _)) in plan.steps.iter().enumerate() {
        here = match &step.when {
            When::Day(day) => Spot { stretch: 0, day: *day },
            When::At(_) => Spot { stretch: at + 1, day: 1 },
            When::After(delay) => match whole_days(*delay, plan.days) {
                Some(days) => Spot { day: here.day.saturating_add(days), ..here },
                None => Spot { stretch: at + 1, day: 1 },
            },
        };
        spots.push(here);
    }
    spots
}

/// How many days of the cadence's kind a wait is; a part of a day is none.
fn whole_days(delay: Delay, days: DayKind) -> Option<u32> {
    const PART_OF_A_DAY: u32 = 8;
    match (delay.unit, days) {
        (Unit::Minutes | Unit::BusinessMinutes, _) => {
            (delay.amount < PART_OF_A_DAY * 60).then_some(0)
        }
        (Unit::Hours | Unit::BusinessHours, _) => (delay.amount < PART_OF_A_DAY).then_some(0),
        (Unit::Days, DayKind::Calendar) | (Unit::BusinessDays, DayKind::Business) => {
            Some(delay.amount)
        }
        (Unit::Weeks, DayKind::Calendar) => delay.amount.checked_mul(7),
        (Unit::Days | Unit::Weeks | Unit::BusinessDays, _) => (delay.amount == 0).then_some(0),
    }
}

/// Two mails on one day are fine when only one of them can go out (C602).
fn second_mail(step: &Step, place: Place, same_day: &[&Step], findings: &mut Findings<'_>) {
    let is_mail = |step: &Step| step.what.channel() == Channel::Email;
    if !is_mail(step) {
        return;
    }
    let Some(other) = same_day.iter().find(|other| is_mail(other) && !exclude(other, step)) else {
        return;
    };
    let day = match &step.when {
        When::Day(day) => format!("on day {day}, after"),
        When::After(_) | When::At(_) => "on the day of".to_owned(),
    };
    let message = format!("`{}` is a second automatic mail {day} `{}`", step.id, other.id);
    let hint = "move it to another day, or give the two opposite conditions";
    findings.warning(Rule::C602, place, message, hint);
}

/// Notes a touch for which the day has no room (C601).
fn crowded_day(
    plan: &Plan<'_>,
    step: &Step,
    place: Place,
    same_day: &[&Step],
    findings: &mut Findings<'_>,
) {
    let is_touch = |step: &Step| step.what.channel() != Channel::Task;
    let Some(limit) = plan.touches_per_day.filter(|_| is_touch(step)) else { return };
    // Touches that can all happen to one person; a step that excludes one of them is left out.
    let mut together: Vec<&Step> = vec![step];
    for other in same_day.iter().filter(|other| is_touch(other)) {
        if together.iter().all(|step| !exclude(step, other)) {
            together.push(other);
        }
    }
    let count = u32::try_from(together.len()).unwrap_or(u32::MAX);
    if count <= limit {
        return;
    }
    let message = format!(
        "`{}` can be touch {count} of its day, but `touches_per_prospect_per_day` is {limit}: it \
         will wait for another day",
        step.id
    );
    findings.warning(Rule::C601, place, message, "raise the limit, or move the step");
}

/// Whether at most one of two steps can happen to one person.
fn exclude(a: &Step, b: &Step) -> bool {
    if are_for_different_people(a, b) {
        return true;
    }
    let skips = |held: &Step, other: &Step| {
        !other.skip_if.is_empty() && other.skip_if.iter().all(|line| held.only_if.contains(line))
    };
    let contradict = || a.only_if.iter().any(|x| b.only_if.iter().any(|y| contradict(x, y)));
    skips(a, b) || skips(b, a) || contradict()
}

/// Whether no role of an account can get both steps.
fn are_for_different_people(a: &Step, b: &Step) -> bool {
    !a.to.is_empty() && !b.to.is_empty() && !a.to.iter().any(|role| b.to.contains(role))
}

/// Whether two lines can never hold together.
fn contradict(a: &Condition, b: &Condition) -> bool {
    match (a, b) {
        (Condition::Has(known), Condition::HasNot(unknown))
        | (Condition::HasNot(unknown), Condition::Has(known)) => {
            known.iter().any(|field| unknown.contains(field))
        }
        (Condition::Outcome(a), Condition::Outcome(b)) => a.iter().any(|(step, wanted)| {
            let other = b.iter().find(|(other, _)| other == step);
            other.is_some_and(|(_, other)| !wanted.iter().any(|outcome| other.contains(outcome)))
        }),
        _ => false,
    }
}

/// Notes the steps whose conditions can never hold (C603), and returns their ids.
fn unreachable(plan: &Plan<'_>, findings: &mut Findings<'_>) -> BTreeSet<StepId> {
    let mut dead = BTreeSet::new();
    for (step, place) in plan.steps {
        let Some(why) = why_never(plan, step, &dead) else { continue };
        let message = format!("nobody can reach step `{}`: {why}", step.id);
        let hint = "change its conditions, or take the step out";
        findings.warning(Rule::C603, *place, message, hint);
        dead.insert(step.id.clone());
    }
    dead
}

fn why_never(plan: &Plan<'_>, step: &Step, dead: &BTreeSet<StepId>) -> Option<String> {
    let required = plan.required.of(step);
    if let Some(why) = why_impossible(plan, step, &step.only_if, dead) {
        return Some(why);
    }
    if step.skip_if.is_empty() {
        return None;
    }
    if step.skip_if.iter().all(|line| step.only_if.contains(line)) {
        return Some("`skip_if` rules out what `only_if` asks for".to_owned());
    }
    let always = |line: &Condition| match line {
        Condition::Has(fields) => fields.iter().all(|field| required.contains(field)),
        Condition::HasNot(_)
        | Condition::Outcome(_)
        | Condition::Field(_)
        | Condition::Event(_)
        | Condition::Any(_) => false,
    };
    let all = step.skip_if.iter().all(always);
    all.then(|| "everybody who is let in has what `skip_if` asks for".to_owned())
}

/// Why lines can never hold together, if they cannot. The depth is bounded by the file's.
fn why_impossible(
    plan: &Plan<'_>,
    step: &Step,
    lines: &[Condition],
    dead: &BTreeSet<StepId>,
) -> Option<String> {
    let pairs = || lines.iter().flat_map(|a| lines.iter().map(move |b| (a, b)));
    if pairs().any(|(a, b)| contradict(a, b)) {
        return Some("two lines of `only_if` contradict each other".to_owned());
    }
    lines.iter().find_map(|line| match line {
        Condition::HasNot(fields) => {
            let required = plan.required.of(step);
            let field = fields.iter().find(|field| required.contains(*field))?;
            Some(format!("everybody who is let in has `{field}`"))
        }
        Condition::Outcome(wanted) => wanted
            .iter()
            .find_map(|(above, wanted)| why_no_outcome(plan, step, above, wanted, dead)),
        Condition::Any(groups) => {
            let whys: Option<Vec<String>> =
                groups.iter().map(|group| why_impossible(plan, step, group, dead)).collect();
            whys?.into_iter().next()
        }
        Condition::Has(_) | Condition::Field(_) | Condition::Event(_) => None,
    })
}

/// Why none of these outcomes of a step above is ever followed by this step.
fn why_no_outcome(
    plan: &Plan<'_>,
    step: &Step,
    above: &StepId,
    wanted: &[Outcome],
    dead: &BTreeSet<StepId>,
) -> Option<String> {
    let (above, _) = plan.steps.iter().find(|(other, _)| other.id == *above)?;
    let first = wanted.iter().find(|outcome| outcome.as_str() != SKIPPED)?;
    if wanted.iter().any(|outcome| outcome.as_str() == SKIPPED) {
        return None;
    }
    if dead.contains(&above.id) {
        return Some(format!("it waits for `{}`, which nobody can reach", above.id));
    }
    let ends = wanted.iter().all(|outcome| is_the_end(plan, above, outcome, step));
    ends.then(|| match step.to.first() {
        Some(role) => format!("after `{first}` of `{}`, `{role}` gets nothing more", above.id),
        None => format!("`{first}` of `{}` ends the cadence", above.id),
    })
}

/// Whether nothing can come of `step` when the step above ended so. At an account one person gets out
/// of it and the others go on, unless a meeting is the end for all.
fn is_the_end(plan: &Plan<'_>, above: &Step, outcome: &Outcome, step: &Step) -> bool {
    let is_out = matches!(above.verb(outcome), Verb::Stop | Verb::SwitchTo { .. });
    let is_for_the_same = || above.to.len() == 1 && above.to == step.to;
    let is_for_all = || outcome.as_str() == MEETING && plan.on_meeting == Others::Stop;
    match plan.required {
        Required::OfAll(_) => is_out,
        Required::OfRoles(_) => is_out && (is_for_the_same() || is_for_all()),
    }
}

/// The outcome that is a meeting.
const MEETING: &str = "meeting_booked";

/// Notes a wait that leads from every working day to a closed one (C604).
fn closed_day(plan: &Plan<'_>, at: usize, findings: &mut Findings<'_>) {
    let Some((name, works)) = plan.calendar else { return };
    let Some((step, place)) = plan.steps.get(at) else { return };
    let before = at.checked_sub(1).and_then(|before| plan.steps.get(before));
    let days = match (&step.when, before.map(|(before, _)| &before.when)) {
        (When::After(Delay { amount, unit: Unit::Days }), Some(_)) => *amount,
        (When::After(Delay { amount, unit: Unit::Weeks }), Some(_)) => amount.saturating_mul(7),
        (When::Day(day), Some(When::Day(before))) if plan.days == DayKind::Calendar => {
            day.saturating_sub(*before)
        }
        (When::After(_) | When::Day(_) | When::At(_), _) => return,
    };
    let shift = usize::try_from(days % 7).unwrap_or(0);
    let later = works.iter().cycle().skip(shift);
    let meets = works.iter().zip(later).any(|(works, works_later)| *works && *works_later);
    if meets || !works.contains(&true) {
        return;
    }
    let message = format!(
        "`{}` is due {days} days after the step above, and the calendar `{name}` is closed then, \
         whatever day it was",
        step.id
    );
    findings.warning(Rule::C604, *place, message, "count business days, or another number of days");
}
