//! The guards of an intent, in the order in which the database checks them.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Inside, days};
use crate::domain::budget::{Cap, Metered, Quota, QuotaUsed, Used, Waiting};
use crate::domain::cadence::{Channel, Outcome};
use crate::domain::ids::{EnrollmentId, RepId};
use crate::domain::touch::Status;
use crate::ports::{Guards, Intent, MailboxGuard};

/// How soon to look again at a mailbox whose inbox was not read.
const INBOX_RETRY: SignedDuration = SignedDuration::from_secs(60);

/// How soon to look again at what is on hold.
const HOLD_RETRY: SignedDuration = SignedDuration::from_hours(1);

/// How long a colleague waits before the company is counted again.
const COMPANY_RETRY: SignedDuration = SignedDuration::from_hours(4);

/// How long somebody new waits before the people of their rep are counted again.
const REP_RETRY: SignedDuration = SignedDuration::from_hours(4);

/// What stands in the way, or nothing. Charges nothing.
pub(super) fn check(inside: &Inside, guards: &Guards) -> Intent {
    if !holds_lease(inside, guards) {
        return Intent::NotOurs;
    }
    if inside.holds.iter().any(|hold| guards.holds.contains(&hold.scope)) {
        return Intent::Wait { reason: Waiting::OnHold, until: guards.now + HOLD_RETRY };
    }
    if !inside.blocks_of(&guards.subjects).is_empty() {
        return Intent::Blocked;
    }
    let waits = days::owner_waits(inside, guards)
        .or_else(|| mailbox_waits(inside, guards))
        .or_else(|| person_waits(inside, guards))
        .or_else(|| company_waits(inside, guards))
        .or_else(|| rep_waits(inside, guards))
        .or_else(|| quota_is_used(inside, guards))
        .or_else(|| caps_are_full(inside, guards));
    match waits {
        Some((reason, until)) => Intent::Wait { reason, until },
        None => Intent::Committed,
    }
}

/// Counts what an intent uses, once it is let pass.
pub(super) fn charge(inside: &mut Inside, guards: &Guards) {
    if let Some(MailboxGuard { mailbox, gap, day, .. }) = &guards.mailbox {
        let record = inside.mailboxes.entry(mailbox.clone()).or_default();
        record.next_send_at = Some(guards.now + *gap);
        record.set_days(record.days().with(*day));
    }
    for cap in &guards.caps {
        let buckets = inside.budgets.entry(cap.scope.clone()).or_default();
        // Nothing is forgotten: a clock that was ahead may be put right.
        *buckets.entry(cap.bucket(guards.now)).or_default() += 1;
    }
}

fn holds_lease(inside: &Inside, guards: &Guards) -> bool {
    let Some((name, epoch)) = &guards.lease else {
        return true;
    };
    let held = inside.leases.get(name);
    held.is_some_and(|(_, until, current)| current == epoch && *until > guards.now)
}

type Wait = Option<(Waiting, Timestamp)>;

fn mailbox_waits(inside: &Inside, guards: &Guards) -> Wait {
    let guard = guards.mailbox.as_ref()?;
    let record = inside.mailboxes.get(&guard.mailbox).cloned().unwrap_or_default();
    if let Some((until, reason)) = record.waits.filter(|(until, _)| *until > guards.now) {
        return Some((reason, until));
    }
    if let Some(fresh_for) = guard.inbox_fresh_for {
        let fresh = |at: Timestamp| at <= guards.now && at.duration_until(guards.now) <= fresh_for;
        if !record.inbox_read_at.is_some_and(fresh) {
            return Some((Waiting::InboxStale, guards.now + INBOX_RETRY));
        }
    }
    let gap = record.next_send_at.filter(|until| *until > guards.now);
    gap.map(|until| (Waiting::MailboxLimit, until))
}

fn person_waits(inside: &Inside, guards: &Guards) -> Wait {
    let (prospect, enrollment, quiet) = guards.quiet.as_ref()?;
    let ids = inside.touches_to.get(prospect)?;
    let touches = ids.iter().filter_map(|id| inside.touches.get(id)).map(|kept| &kept.touch);
    let disturbs = touches.filter(|touch| {
        touch.enrollment != *enrollment
            && touch.channel != Channel::Task
            && !matches!(touch.status, Status::Retryable | Status::Refused | Status::TakenBack)
    });
    let until = disturbs.map(|touch| touch.at).max()? + *quiet;
    (until > guards.now).then_some((Waiting::ProspectLimit, until))
}

fn company_waits(inside: &Inside, guards: &Guards) -> Wait {
    let (company, enrollment, limit) = guards.company.as_ref()?;
    let begun = inside.begun_at.get(company)?;
    let others = begun.iter().filter(|id| *id != enrollment).count();
    let full = others >= usize::try_from(*limit).unwrap_or(usize::MAX);
    full.then_some((Waiting::CompanyLimit, guards.now + COMPANY_RETRY))
}

fn rep_waits(inside: &Inside, guards: &Guards) -> Wait {
    let (rep, enrollment, limit) = guards.rep.as_ref()?;
    let full = begun_of(inside, rep, *enrollment, *limit) >= u64::from(*limit);
    full.then_some((Waiting::RepLimit, guards.now + REP_RETRY))
}

pub(super) fn begun_of(inside: &Inside, rep: &RepId, except: EnrollmentId, most: u32) -> u64 {
    let begun = inside.begun_of.get(rep).into_iter().flatten();
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    begun.filter(|id| **id != except).take(most).count() as u64
}

fn quota_is_used(inside: &Inside, guards: &Guards) -> Wait {
    guards.quotas.iter().find_map(|quota| {
        let used = quota_used(inside, quota, guards.now);
        quota.admit(&used, guards.now).err().map(|until| (Waiting::RepLimit, until))
    })
}

pub(super) fn quota_used(inside: &Inside, quota: &Quota, now: Timestamp) -> QuotaUsed {
    let (mut open, mut done) = (0, BTreeSet::new());
    let tasks = inside.metered.iter().filter_map(|id| inside.tasks.get(id));
    let counts = |metered: Metered| metered.counts_as(quota.metered);
    for task in tasks.filter(|task| task.rep == quota.rep && task.metered.is_some_and(counts)) {
        if task.open {
            open += 1;
        } else if let Some(touch) = inside.same_attempt(task.enrollment, &task.step, task.attempt)
            && touch.status == Status::Done
            && touch.at > quota.since(now)
            && !touch.outcome.as_ref().is_some_and(nothing_sent)
        {
            // A task that was opened twice was done once.
            done.insert((touch.at, touch.id));
        }
    }
    QuotaUsed { open, done: done.into_iter().map(|(at, _)| at).collect() }
}

fn nothing_sent(outcome: &Outcome) -> bool {
    Quota::NOTHING_SENT.contains(&outcome.as_str())
}

fn caps_are_full(inside: &Inside, guards: &Guards) -> Wait {
    let mut caps: Vec<&Cap> = guards.caps.iter().collect();
    caps.sort_by(|a, b| a.scope.cmp(&b.scope));
    caps.into_iter().find_map(|cap| {
        let oldest = cap.oldest_bucket(guards.now).max(0);
        let used = |(bucket, count): (&i64, &u32)| Used { bucket: *bucket, count: *count };
        let buckets = inside.budgets.get(&cap.scope);
        let used: Vec<Used> =
            buckets.map(|b| b.range(oldest..).map(used).collect()).unwrap_or_default();
        cap.admit(&used, guards.now).err().map(|until| (cap.reason, until))
    })
}
