//! The way of an enrollment: each state against the one before, and all of them against the log.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Book, Finding, Rule, TransitionRow};
use crate::domain::cadence::{BOUNCED, EXPIRED, REFUSED, SENT, SKIPPED};
use crate::domain::enrollment::{Ending, Passed, Phase, State};
use crate::domain::log::{Entry, What};

/// What does not fit between the states and the entries of one enrollment.
pub(super) fn findings(book: &Book) -> Vec<Finding> {
    let mut found = unreadable(book);
    began(book, &mut found);
    keeps_its_past(book, &mut found);
    steps(book, &mut found);
    endings(book, &mut found);
    left(book, &mut found);
    moved_when_said(book, &mut found);
    intents(book, &mut found);
    found
}

fn unreadable(book: &Book) -> Vec<Finding> {
    let broken = book.transitions.iter().rev().skip(1).filter(|one| one.state.is_none());
    let said = |one: &TransitionRow| {
        let row = format!("transition {}/{}", book.row.id, one.revision);
        Finding::new(
            Rule::Unreadable,
            row,
            super::row::cut(&one.text),
            "a state that this program reads",
        )
    };
    broken.map(said).collect()
}

/// It was enrolled once, in that cadence, by that profile.
fn began(book: &Book, found: &mut Vec<Finding>) {
    let begins: Vec<&Entry> = of(book, What::Enrolled).collect();
    let [entry] = begins.as_slice() else {
        let stands = format!("{} entries `enrolled` in the log", begins.len());
        return found.push(Finding::new(Rule::Log, book.name(), stands, "one"));
    };
    let profile = book.row.profile.as_deref().unwrap_or("any");
    for (column, stands, should) in [
        ("cadence_id", book.row.cadence.as_str(), entry.detail("cadence")),
        ("profile_id", profile, entry.detail("profile")),
    ] {
        if stands != should {
            let said = |value: &str| format!("{column} {value}");
            found.push(Finding::new(Rule::Log, book.name(), said(stands), said(should)));
        }
    }
}

/// What has passed stays passed; only `sent` may turn out to be `bounced`. Whoever takes something back
/// says so.
fn keeps_its_past(book: &Book, found: &mut Vec<Finding>) {
    let states = book.transitions.iter().filter_map(|one| Some((one, one.state.as_ref()?)));
    let mut before: Option<&State> = None;
    for (transition, state) in states {
        let same = |(was, is): (&Passed, &Passed)| {
            (&was.step, was.attempt) == (&is.step, is.attempt)
                && (was.outcome == is.outcome || is.outcome.as_str() == BOUNCED)
        };
        let kept = before.is_none_or(|before| {
            before.passed.len() <= state.passed.len()
                && state.passed.len() <= before.passed.len() + 1
                && before.passed.iter().zip(&state.passed).all(same)
        });
        if !kept && !something_is_taken_back(book, transition.at) {
            let row = format!("transition {}/{}", book.row.id, transition.revision);
            let stands = format!("{} steps have passed", state.passed.len());
            let should = "what had passed before, and one more at most";
            found.push(Finding::new(Rule::Transitions, row, stands, should));
        }
        before = Some(state);
    }
}

fn something_is_taken_back(book: &Book, at: Timestamp) -> bool {
    book.entries.iter().any(|entry| entry.at == at && super::touches::is_taken_back(entry))
}

/// Every step that has passed is in the log, as often and with the same outcome.
fn steps(book: &Book, found: &mut Vec<Finding>) {
    let Some(state) = book.last_state() else { return };
    let mut passed: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for one in &state.passed {
        *passed.entry((one.step.as_str(), one.outcome.as_str())).or_default() += 1;
    }
    for ((step, outcome), n) in passed {
        let logged = book.entries.iter().filter(|entry| says(entry, step, outcome)).count();
        if logged < n {
            let stands = format!("{logged} entries that step {step} was {outcome}");
            found.push(Finding::new(Rule::Steps, book.name(), stands, format!("{n} or more")));
        }
    }
}

/// Whether an entry says that a step came to this outcome.
fn says(entry: &Entry, step: &str, outcome: &str) -> bool {
    let fits = match outcome {
        SENT => matches!(entry.what, What::Sent | What::Settled),
        SKIPPED => entry.what == What::Skipped,
        EXPIRED => entry.what == What::TaskExpired,
        REFUSED => matches!(entry.what, What::Refused | What::Bounced),
        BOUNCED => entry.what == What::Bounced,
        _ => entry.what == What::TaskDone && entry.detail("outcome") == outcome,
    };
    fits && entry.detail("step") == step
}

/// The ends in the states are those in the log.
fn endings(book: &Book, found: &mut Vec<Finding>) {
    let mut ends: Vec<&Entry> = of(book, What::Ended).collect();
    // What ends twice in one instant has one state: that of the last word.
    ends.reverse();
    ends.dedup_by_key(|entry| entry.at);
    let said: Vec<&str> = ends.iter().rev().map(|entry| entry.detail("ending")).collect();
    let mut states: Vec<&str> = Vec::new();
    let mut last: Option<Ending> = None;
    for state in book.transitions.iter().filter_map(|one| one.state.as_ref()) {
        let ending = match state.phase {
            Phase::Ended { ending, .. } => Some(ending),
            _ => None,
        };
        if let Some(ending) = ending.filter(|ending| last != Some(*ending)) {
            states.push(ending.as_str());
        }
        last = ending;
    }
    // Of an older database only the last state is known.
    let fits = match book.is_whole() {
        true => said == states,
        false => states.last() == said.last(),
    };
    if !fits {
        let list =
            |all: &[&str]| if all.is_empty() { "not ended".to_owned() } else { all.join(", ") };
        let stands = format!("ended in the log: {}", list(&said));
        found.push(Finding::new(Rule::Ending, book.name(), stands, list(&states)));
    }
}

/// Whoever joined an account is of it, and whoever left it has left.
fn left(book: &Book, found: &mut Vec<Finding>) {
    let Some(state) = book.last_state() else { return };
    let Some(account) = &state.account else { return };
    let ended_at = match state.phase {
        Phase::Ended { at, .. } => Some(at),
        _ => None,
    };
    let joined: BTreeSet<_> =
        of(book, What::Joined).map(|entry| (entry.prospect, entry.detail("role"))).collect();
    let gone: BTreeSet<_> =
        of(book, What::Left).map(|entry| (entry.prospect, entry.detail("ending"))).collect();
    for member in &account.members {
        let who = Some(member.who);
        if !joined.contains(&(who, member.role.0.as_str())) {
            let stands = format!("no entry that {} joined as {}", member.who, member.role);
            found.push(Finding::new(Rule::Account, book.name(), stands, "one"));
        }
        let ending = member.left.map(|(ending, _)| ending.as_str());
        let logged = gone.iter().find(|(prospect, _)| *prospect == who).map(|(_, ending)| *ending);
        // Whoever is in it when it ends is told by the end.
        let by_end = member.left.is_some_and(|(_, at)| Some(at) == ended_at);
        let is_back = ending.is_none() && book.entries.iter().any(super::touches::is_taken_back);
        if ending != logged && !(by_end && logged.is_none()) && !is_back {
            let said = |word: Option<&str>| match word {
                Some(word) => format!("{} left: {word}", member.who),
                None => format!("{} is in it", member.who),
            };
            found.push(Finding::new(Rule::Account, book.name(), said(logged), said(ending)));
        }
    }
}

/// What changes where somebody stands has a state of the same instant.
fn moved_when_said(book: &Book, found: &mut Vec<Finding>) {
    if !book.is_whole() {
        return;
    }
    let moves: BTreeSet<i64> =
        book.transitions.iter().skip(1).map(|one| one.at.as_millisecond()).collect();
    let must_move = |entry: &&Entry| {
        matches!(
            entry.what,
            What::Intended
                | What::Skipped
                | What::TaskExpired
                | What::TaskOpened
                | What::Paused
                | What::Resumed
                | What::Left
                | What::Ended
        )
    };
    let alone = |entry: &&Entry| !moves.contains(&entry.at.as_millisecond());
    let mut told = BTreeSet::new();
    for entry in book.entries.iter().filter(must_move).filter(alone) {
        if told.insert(entry.at) {
            let stands = format!("no state of {}, when it was `{}`", entry.at, entry.what.as_str());
            found.push(Finding::new(Rule::Transitions, book.name(), stands, "one"));
        }
    }
}

/// Each intent in the log is a state, and the other way round.
fn intents(book: &Book, found: &mut Vec<Finding>) {
    if !book.is_whole() {
        return;
    }
    let since = |one: &TransitionRow| match one.state.as_ref()?.phase {
        Phase::Sending { since, .. } => Some(since.as_millisecond()),
        _ => None,
    };
    let states: BTreeSet<i64> = book.transitions.iter().filter_map(since).collect();
    let said: BTreeSet<i64> =
        of(book, What::Intended).map(|entry| entry.at.as_millisecond()).collect();
    if states != said {
        let stands = format!("{} states of a mail on its way", states.len());
        let should = format!("{}, one for each intent in the log", said.len());
        found.push(Finding::new(Rule::Transitions, book.name(), stands, should));
    }
}

/// The entries of one kind.
pub(super) fn of(book: &Book, what: What) -> impl Iterator<Item = &Entry> {
    book.entries.iter().filter(move |entry| entry.what == what)
}
