//! Caps: what their counters must show, out of the states in which a touch was intended.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::way::of;
use super::{Book, TransitionRow};
use crate::domain::address::is_free_mail;
use crate::domain::budget::{Cap, Waiting};
use crate::domain::cadence::Limits;
use crate::domain::enrollment::{Phase, State};
use crate::domain::log::{Entry, What};

/// Uses by scope and bucket.
#[derive(Debug, Clone, Default)]
pub struct Charges {
    pub used: BTreeMap<(String, i64), i64>,
    /// Somebody was touched before states were kept, so that there may be more uses than these.
    pub is_partial: bool,
}

/// The limits of a cadence version, by its digest.
pub trait Limited {
    /// `None` when this program cannot read that version.
    fn limits(&self, digest: &str) -> Option<Limits>;
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
const WEEK: SignedDuration = SignedDuration::from_hours(168);

/// The oldest bucket of a scope that still counts at `now`.
pub fn oldest_bucket(scope: &str, now: Timestamp) -> i64 {
    cap(scope, now).1
}

fn cap(scope: &str, at: Timestamp) -> (i64, i64) {
    let window = if scope.starts_with("company:") { WEEK } else { DAY };
    let (scope, reason) = (scope.to_owned(), Waiting::TryLater);
    let cap = Cap { scope, reason, limit: 0, window };
    (cap.bucket(at), cap.oldest_bucket(at))
}

/// Adds what the touches of an enrollment have used, as far as it still counts.
pub fn charged(book: &Book, limited: &dyn Limited, now: Timestamp, charges: &mut Charges) {
    // One bucket more than the longest window.
    let since = now.checked_sub(WEEK + WEEK / 24).unwrap_or(Timestamp::MIN);
    let recent = |at: Timestamp| at >= since;
    if !book.is_whole() && book.touches.iter().any(|touch| recent(touch.at)) {
        charges.is_partial = true;
    }
    let mut before: Option<&TransitionRow> = None;
    for transition in &book.transitions {
        if let Some(before) = before.filter(|_| recent(transition.at)) {
            let scopes = scopes(book, before, transition, limited).unwrap_or_default();
            for scope in scopes {
                let (bucket, _) = cap(&scope, transition.at);
                if bucket >= oldest_bucket(&scope, now) {
                    *charges.used.entry((scope, bucket)).or_default() += 1;
                }
            }
        }
        before = Some(transition);
    }
}

/// The scopes that a state has charged when it began; `None` when it is no touch.
fn scopes(
    book: &Book,
    before: &TransitionRow,
    transition: &TransitionRow,
    limited: &dyn Limited,
) -> Option<Vec<String>> {
    let (was, is) = (before.state.as_ref()?, transition.state.as_ref()?);
    let limits = limited.limits(transition.digest.as_deref()?)?;
    // By its step as well: one task may be done and the next one opened in the same millisecond.
    let said = |step: &str| {
        let step = step.to_owned();
        move |entry: &&Entry| entry.at == transition.at && entry.detail("step") == step
    };
    let person = transition.prospect?;
    let mut scopes = Vec::new();
    let touches = match &is.phase {
        Phase::Sending { step, .. } => {
            let intended = of(book, What::Intended).find(said(step.as_str()))?;
            let touch = book.touches.iter().find(|touch| Some(touch.id) == intended.touch)?;
            if touch.step != step.as_str() {
                return None;
            }
            scopes.push(format!("mailbox:{}", touch.mailbox.as_deref()?));
            let domain = touch.domain.iter().filter(|domain| !is_free_mail(domain));
            scopes.extend(domain.map(|domain| format!("domain:{domain}")));
            true
        }
        Phase::OnTask { step, .. } => {
            let opened = of(book, What::TaskOpened).find(said(step.as_str()))?;
            match opened.detail("kind") {
                "call" | "social" | "email" => true,
                "review" => false,
                _ => return None,
            }
        }
        _ => return None,
    };
    if !matches!(was.phase, Phase::Waiting { .. }) {
        return None;
    }
    if touches {
        if limits.touches_per_prospect_per_day.is_some() {
            scopes.push(format!("prospect:{person}"));
        }
        let company = limits.touches_per_company_per_week.and(book.row.company);
        scopes.extend(company.map(|company| format!("company:{company}")));
    }
    let owner = before.owner.as_deref().unwrap_or(&book.row.owner);
    scopes.extend(new_scopes(book, owner, was, &limits));
    Some(scopes)
}

/// What counts who begins; nothing for somebody who has begun.
fn new_scopes(book: &Book, owner: &str, was: &State, limits: &Limits) -> Vec<String> {
    let mut scopes = Vec::new();
    if was.has_begun() {
        return scopes;
    }
    let row = &book.row;
    if limits.new_per_rep_per_day.is_some() {
        scopes.push(format!("rep-new:{owner}:{}", row.cadence));
    }
    scopes.extend(row.company.map(|company| format!("company-new:{company}")));
    scopes
}
