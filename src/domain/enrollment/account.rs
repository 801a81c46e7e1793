//! An enrollment that covers a company: several people and one conversation. One thing happens at a time;
//! each step says for whom it is, and whoever is out of it holds up nobody else.

use jiff::Timestamp;

use super::asked::go_on;
use super::moves::{Stepped, end, moved};
use super::{Course, Effect, Ending, Event, Phase, State};
use crate::domain::cadence::{Cadence, EMAIL_REPLIED, Others, Step};
use crate::domain::ids::{BuyerRole, ProfileId, ProspectId};

type Moved = (State, Vec<Effect>);

/// The people of a company.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Whose turn it is: the one whom the phase is about.
    pub turn: usize,
    /// In the order of the file's roles; never empty.
    pub members: Vec<Member>,
    /// Who replied while a mail to somebody was on its way, or somebody else was being asked about: they
    /// are asked about in this order.
    pub replied: Vec<usize>,
}

/// One person of a company, for one role.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub role: BuyerRole,
    pub who: ProspectId,
    /// The profile by which they were found, and the digest of its version.
    pub profile: Option<(ProfileId, String)>,
    /// How and when they got out of it.
    pub left: Option<(Ending, Timestamp)>,
    /// They are away until then.
    pub not_before: Option<Timestamp>,
}

impl Account {
    /// An account of these people, with the first one's turn.
    pub fn new(members: Vec<Member>) -> Self {
        Self { turn: 0, members, replied: Vec::new() }
    }

    /// Whose turn it is.
    pub fn current(&self) -> Option<&Member> {
        self.members.get(self.turn)
    }

    /// That person, if they are of the account.
    pub fn member(&self, who: ProspectId) -> Option<&Member> {
        self.members.iter().find(|member| member.who == who)
    }

    /// Those who are still in it.
    pub fn remaining(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.left.is_none())
    }

    pub(super) fn place_of(&self, who: ProspectId) -> Option<usize> {
        self.members.iter().position(|member| member.who == who)
    }

    /// For whom a step is, if they are still there: the first of its roles that somebody has; without
    /// roles the first of them all.
    fn whose(&self, step: &Step) -> Option<usize> {
        let there = |role: Option<&BuyerRole>| {
            self.members.iter().position(|member| {
                member.left.is_none() && role.is_none_or(|role| member.role == *role)
            })
        };
        match step.to.is_empty() {
            true => there(None),
            false => step.to.iter().find_map(|role| there(Some(role))),
        }
    }

    /// Until when the person is away for whom a step is.
    pub(super) fn away_until(&self, step: &Step) -> Option<Timestamp> {
        self.members.get(self.whose(step)?)?.not_before
    }

    fn leave(&mut self, place: usize, ending: Ending, now: Timestamp) -> Option<Effect> {
        let member = self.members.get_mut(place).filter(|member| member.left.is_none())?;
        member.left = Some((ending, now));
        Some(Effect::Leave { who: member.who, ending })
    }
}

/// Gives the turn to whoever the step is for that is waited for.
pub fn turned(cadence: &Cadence, mut state: State) -> State {
    let (Phase::Waiting { step, .. } | Phase::Paused { step, .. }) = &state.phase else {
        return state;
    };
    let step = cadence.step(step).map(|(_, step)| step);
    if let (Some(account), Some(step)) = (&mut state.account, step) {
        let first = || account.members.iter().position(|member| member.left.is_none());
        account.turn = account.whose(step).or_else(first).unwrap_or(0);
    }
    state
}

/// The role for which nobody is there whom the step could be for.
pub(super) fn nobody_there(state: &State, step: &Step) -> Option<BuyerRole> {
    let account = state.account.as_ref()?;
    match account.whose(step) {
        Some(_) => None,
        None => step.to.first().cloned(),
    }
}

/// Whoever has the turn gets out of it; what that means for the others, the cadence says. `None` when
/// nobody is left, or the enrollment covers one person: then it is the end.
pub(super) fn leave(
    cadence: &Cadence,
    state: &mut State,
    ending: Ending,
    now: Timestamp,
) -> Option<Vec<Effect>> {
    // Somebody else has the whole account now.
    if ending == Ending::HandedOff {
        return None;
    }
    let account = state.account.as_mut()?;
    let others = match ending {
        Ending::Meeting => cadence.company.on_meeting,
        Ending::Replied => cadence.company.on_reply,
        _ => Others::Nothing,
    };
    let mut effects: Vec<Effect> = account.leave(account.turn, ending, now).into_iter().collect();
    if others == Others::Stop {
        effects.extend(all_leave(account, None, now));
    }
    account.remaining().next().is_some().then_some(effects)
}

/// The others are told that this is another's conversation now.
pub(super) fn others_leave(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(account) = &mut state.account else { return Vec::new() };
    all_leave(account, Some(account.turn), now)
}

fn all_leave(account: &mut Account, but: Option<usize>, now: Timestamp) -> Vec<Effect> {
    let places = (0..account.members.len()).filter(|place| Some(*place) != but);
    places
        .collect::<Vec<_>>()
        .into_iter()
        .filter_map(|at| account.leave(at, Ending::Removed, now))
        .collect()
}

/// What is heard of one person. At an account it need not be the one whose turn it is.
pub(super) fn heard(
    course: &Course,
    mut state: State,
    who: ProspectId,
    event: Event,
    now: Timestamp,
) -> Stepped {
    let Some(account) = &mut state.account else { return moved(course, state, event, now) };
    let is_in = |place: &usize| account.members.get(*place).is_some_and(|m| m.left.is_none());
    let Some(place) = account.place_of(who).filter(is_in) else { return Ok((state, Vec::new())) };
    let has_turn = account.turn == place;
    match event {
        Event::OptedOut => Ok(gone_at(course, state, place, Ending::OptedOut, now)),
        Event::LeftCompany | Event::Stopped => {
            Ok(gone_at(course, state, place, Ending::Removed, now))
        }
        Event::Away { until } if !has_turn => {
            if let Some(member) = account.members.get_mut(place) {
                member.not_before = member.not_before.max(Some(until));
            }
            Ok((state, Vec::new()))
        }
        Event::Replied => {
            let on_its_way = matches!(state.phase, Phase::Sending { .. } | Phase::InDoubt { .. });
            let has_ended = matches!(state.phase, Phase::Ended { .. });
            if on_its_way || (is_asked_about(&state.phase) && !has_turn) {
                if !account.replied.contains(&place) {
                    account.replied.push(place);
                }
                state.happened.insert(EMAIL_REPLIED.to_owned());
                return Ok((State { reply_waits: true, released: None, ..state }, Vec::new()));
            }
            if !has_ended {
                account.turn = place;
            }
            moved(course, state, Event::Replied, now)
        }
        event => moved(course, state, event, now),
    }
}

/// Whether a person of ours is being asked about somebody.
pub(super) fn is_asked_about(phase: &Phase) -> bool {
    matches!(
        phase,
        Phase::OnReply { .. }
            | Phase::Triage { .. }
            | Phase::Offered { .. }
            | Phase::HandedBack { .. }
    )
}

/// Gives the turn to the next one who replied and is still there; whether there is one.
pub(super) fn turn_to_reply(state: &mut State) -> bool {
    let Some(account) = &mut state.account else { return true };
    let is_in = |place: &usize| account.members.get(*place).is_some_and(|m| m.left.is_none());
    let waiting: Vec<usize> = account.replied.drain(..).filter(is_in).collect();
    let Some((first, others)) = waiting.split_first() else { return false };
    account.turn = *first;
    account.replied = others.to_vec();
    true
}

/// Whoever has the turn must not be contacted any more, or is gone.
pub(super) fn gone(course: &Course, state: State, ending: Ending, now: Timestamp) -> Moved {
    let place = state.account.as_ref().map_or(0, |account| account.turn);
    gone_at(course, state, place, ending, now)
}

/// One person is out of it. The account goes on with the others: with them it begins anew what was asked
/// of this person, or about them.
fn gone_at(
    course: &Course,
    mut state: State,
    place: usize,
    ending: Ending,
    now: Timestamp,
) -> Moved {
    let Some(account) = &mut state.account else { return end(state, ending, now) };
    let had_turn = account.turn == place;
    let left: Vec<Effect> = account.leave(place, ending, now).into_iter().collect();
    if account.remaining().next().is_none() {
        let (state, effects) = end(state, ending, now);
        return (state, [left, effects].concat());
    }
    if !had_turn {
        return (state, left);
    }
    let (state, effects) = match state.phase.clone() {
        Phase::OnTask { step, attempt, .. } => {
            let phase = Phase::Waiting { step, attempt, due_at: now };
            (State { phase, ..state }, vec![Effect::CloseTasks])
        }
        Phase::OnReply { step, attempt, left, .. } => {
            let (state, effects) = go_on(course, state, &step, attempt, Some(left), now);
            (state, [vec![Effect::CloseTasks], effects].concat())
        }
        Phase::Triage { step, .. }
        | Phase::HandedBack { step, .. }
        | Phase::Offered { step, .. } => {
            let (state, effects) = go_on(course, state, &step, 1, None, now);
            (state, [vec![Effect::CloseTasks], effects].concat())
        }
        // The fate of what is on its way will be known; the others are waited for anyway.
        Phase::Waiting { .. }
        | Phase::Paused { .. }
        | Phase::Sending { .. }
        | Phase::InDoubt { .. }
        | Phase::Closing { .. }
        | Phase::Ended { .. } => (state, Vec::new()),
    };
    (state, [left, effects].concat())
}
