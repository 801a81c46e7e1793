//! The people of a company, as if it were let in.

use jiff::Timestamp;

use super::{Basis, Seen, Someone};
use crate::domain::enrollment::{self, Account, Course, Member, State, turned};
use crate::domain::ids::{BuyerRole, ProfileId, ProspectId};
use crate::domain::profile::Profile;
use crate::engine::accounts::{Candidate, choose};
use crate::engine::{EngineError, Person, zones_of};

impl Basis {
    /// The account of these people. Whoever has no role is named among the obstacles; where nobody has
    /// one, the roles go to them in their order, so that there is something to see.
    pub(super) fn see_account(
        &self,
        people: &[Someone],
        roles: &[(BuyerRole, ProfileId)],
        now: Timestamp,
    ) -> Result<Seen, EngineError> {
        let obstacles = self.obstacles_of(people, now);
        let mut members = self.members(people);
        if members.is_empty() {
            let in_order = people.iter().zip(roles);
            members = in_order.map(|(one, (role, _))| member(role, one.prospect.id)).collect();
        }
        let profile_of = |role: &BuyerRole| self.profile_of(roles, role);
        let all = members.iter().filter_map(|member| {
            let someone = people.iter().find(|one| one.prospect.id == member.who)?;
            Some(self.person(someone, profile_of(&member.role), 0, now))
        });
        let mut all: Vec<Person> = all.collect();
        let nobody = || EngineError::Refused("there is nobody to see it for".to_owned());
        let state = self.begun(all.first().ok_or_else(nobody)?, &members, now)?;
        let turn = state.account.as_ref().map_or(0, |account| account.turn);
        let mut person = all.remove(turn.min(all.len().saturating_sub(1)));
        person.enrollment.state = self.begun(&person, &members, now)?;
        let profile = person.profile.as_deref().cloned();
        Ok(Seen { person, profile, obstacles, colleagues: all })
    }

    fn obstacles_of(&self, people: &[Someone], now: Timestamp) -> Vec<String> {
        let (_, others) = choose(&self.admitting, self.candidates(people));
        let of_one = |one: &Someone| {
            let name = one.prospect.display_name();
            let told = self.obstacles(one, now).into_iter();
            told.map(move |why| format!("{name}: {why}")).collect::<Vec<_>>()
        };
        let named = |(who, why): (ProspectId, String)| {
            let someone = people.iter().find(|one| one.prospect.id == who && !one.is_sample)?;
            Some(format!("{}: {why}", someone.prospect.display_name()))
        };
        people.iter().flat_map(of_one).chain(others.into_iter().filter_map(named)).collect()
    }

    fn members(&self, people: &[Someone]) -> Vec<Member> {
        if people.iter().any(|one| one.is_sample) {
            return Vec::new();
        }
        let (chosen, _) = choose(&self.admitting, self.candidates(people));
        chosen.into_iter().map(|one| one.member).collect()
    }

    fn candidates(&self, people: &[Someone]) -> Vec<Candidate> {
        let candidate = |one: &Someone| Candidate {
            prospect: one.prospect.clone(),
            zones: zones_of(&one.prospect, &one.prospect.owner, &self.admitting.clockwork),
        };
        people.iter().map(candidate).collect()
    }

    fn profile_of(&self, roles: &[(BuyerRole, ProfileId)], role: &BuyerRole) -> Option<Profile> {
        let (_, id) = roles.iter().find(|(known, _)| known == role)?;
        let found = self.admitting.profiles.iter().find(|(profile, _)| profile.id == *id);
        found.map(|(profile, _)| profile.clone())
    }

    /// The beginning on somebody's clock.
    fn begun(
        &self,
        person: &Person,
        members: &[Member],
        now: Timestamp,
    ) -> Result<State, EngineError> {
        let state = person.course(|course: &Course| enrollment::begin(course, now));
        let none = || EngineError::Refused("the cadence has no steps".to_owned());
        let account = Some(Account::new(members.to_vec()));
        Ok(turned(self.cadence(), State { account, ..state.ok_or_else(none)? }))
    }
}

fn member(role: &BuyerRole, who: ProspectId) -> Member {
    Member { role: role.clone(), who, profile: None, left: None, not_before: None }
}
