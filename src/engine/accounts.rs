//! Letting companies in: who of the people has which role, and why the others have none.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::enroll::{Admitting, CHUNK, Enrolled, Entrance, Mode};
use super::{Engine, EngineError};
use crate::domain::cadence::Covers;
use crate::domain::enrollment::{self, Account, Course, Member, turned};
use crate::domain::facts::Facts;
use crate::domain::ids::{CompanyId, EnrollmentId, ProspectId};
use crate::domain::profile::{self, Fit, Profile};
use crate::domain::prospect::Prospect;
use crate::ports::{Changes, EnrollmentRecord};

/// Of a larger company only so many people are looked at, the oldest first.
const PEOPLE_AT_MOST: usize = 1_000;

/// Somebody who may have a role.
pub(super) struct Candidate {
    pub prospect: Prospect,
    pub zones: Vec<TimeZone>,
}

/// What became of the people of one company.
#[derive(Default)]
pub(super) struct Cast {
    /// The enrollment, when somebody has a role.
    pub record: Option<EnrollmentRecord>,
    /// Why the others are not of it, each with the number of people.
    pub skipped: BTreeMap<String, usize>,
}

impl Engine {
    /// Enrolls companies: of those people each is one of an account, or is told why not.
    pub(super) async fn enroll_accounts(
        &self,
        people: &[ProspectId],
        admitting: &Admitting,
        entrance: &Entrance,
        mode: Mode,
    ) -> Result<Enrolled, EngineError> {
        let mut result = Enrolled { people: people.len(), ..Enrolled::default() };
        let mut companies: BTreeMap<CompanyId, Vec<ProspectId>> = BTreeMap::new();
        for chunk in people.chunks(CHUNK) {
            for prospect in self.store.prospects(chunk).await? {
                match prospect.company_id {
                    Some(company) => companies.entry(company).or_default().push(prospect.id),
                    None => result.skip("their company is not known"),
                }
            }
        }
        for (company, people) in companies {
            let (looked_at, others) = people.split_at(people.len().min(PEOPLE_AT_MOST));
            others.iter().for_each(|_| result.skip("too many people of one company"));
            let cast = self.cast(company, looked_at, admitting, entrance).await?;
            for (reason, n) in cast.skipped {
                *result.skipped.entry(reason).or_default() += n;
            }
            let Some(record) = cast.record else { continue };
            result.accounts += 1;
            result.enrolled += record.state.account.as_ref().map_or(0, |a| a.members.len());
            let due_at = record.wake.as_ref().map(|wake| wake.at);
            result.first_due_at = due_at.into_iter().chain(result.first_due_at).min();
            if mode == Mode::Commit {
                self.write_enrolled(vec![record], None, Changes::default()).await?;
            }
        }
        Ok(result)
    }

    async fn cast(
        &self,
        company: CompanyId,
        people: &[ProspectId],
        admitting: &Admitting,
        entrance: &Entrance,
    ) -> Result<Cast, EngineError> {
        let mut cast = Cast::default();
        let here = self.store.enrollments_at(company, &admitting.cadence.id).await?;
        if !here.is_empty() {
            cast.skipped
                .insert("their company is in this cadence already".to_owned(), people.len());
            return Ok(cast);
        }
        let mut candidates = Vec::new();
        for chunk in people.chunks(CHUNK) {
            for prospect in self.store.prospects(chunk).await? {
                match self.may_come(admitting, &prospect, entrance).await? {
                    Ok(zones) => candidates.push(Candidate { prospect, zones }),
                    Err(reason) => *cast.skipped.entry(reason).or_default() += 1,
                }
            }
        }
        let (chosen, others) = choose(admitting, candidates);
        for (_, reason) in others {
            *cast.skipped.entry(reason).or_default() += 1;
        }
        cast.record = self.account(admitting, company, chosen, entrance);
        Ok(cast)
    }

    /// The enrollment of a company with these people; none when there is nobody.
    pub(super) fn account(
        &self,
        admitting: &Admitting,
        company: CompanyId,
        chosen: Vec<Chosen>,
        entrance: &Entrance,
    ) -> Option<EnrollmentRecord> {
        let score = chosen.iter().map(|one| one.score).max()?;
        let lead = chosen.first()?;
        let owner = lead.candidate.prospect.owner.clone();
        let profile = lead.member.profile.clone();
        let account = Account::new(chosen.iter().map(|one| one.member.clone()).collect());
        // Days are counted on the clock of whoever has the first turn.
        let on_clock_of = |turn: &Candidate| {
            let zone = turn.zones.first().cloned().unwrap_or(TimeZone::UTC);
            let dates = enrollment::dates(&admitting.cadence, || Facts::of(&turn.prospect));
            let clockwork = admitting.clockwork.clone().of(&turn.prospect);
            let (cadence, calendar) = (&admitting.cadence, &clockwork.calendar);
            let course = Course { dates: &dates, cadence, calendar, zone: &zone };
            let state = enrollment::begin(&course, entrance.at)?;
            let state = enrollment::State { account: Some(account.clone()), ..state };
            Some(turned(cadence, state))
        };
        let turn = on_clock_of(&lead.candidate)?.account?.turn;
        let first = &chosen.get(turn)?.candidate;
        let state = on_clock_of(first)?;
        let mailbox = self.settings.mailbox_of(&owner).map(|mailbox| mailbox.id.clone());
        Some(EnrollmentRecord {
            id: EnrollmentId(0),
            prospect: first.prospect.id,
            company: Some(company),
            cadence: admitting.cadence.id.clone(),
            digest: admitting.digest.clone(),
            profile,
            score,
            owner,
            wake: super::enroll::wake(
                admitting,
                &first.prospect,
                &first.zones,
                mailbox.as_ref(),
                &state,
            ),
            mailbox,
            state,
            revision: 0,
            enrolled_at: self.now(),
        })
    }
}

/// Somebody with a role.
pub(super) struct Chosen {
    pub candidate: Candidate,
    pub member: Member,
    score: i64,
}

/// Who has which role: for each role in the order of the file the one who fits it best, of the same fit
/// the oldest. With it come the reasons of those who have none.
pub(super) fn choose(
    admitting: &Admitting,
    mut candidates: Vec<Candidate>,
) -> (Vec<Chosen>, Vec<(ProspectId, String)>) {
    let Covers::Company { roles } = &admitting.cadence.unit else {
        return (Vec::new(), Vec::new());
    };
    let mut chosen = Vec::new();
    for (role, wanted) in roles {
        let found = admitting.profiles.iter().find(|(profile, _)| profile.id == *wanted);
        let Some((profile, digest)) = found else { continue };
        let fits = |candidate: &Candidate| score(profile, &candidate.prospect);
        let best = candidates.iter().enumerate().filter_map(|(at, one)| Some((fits(one)?, at)));
        let best = best.max_by_key(|(score, at)| (*score, std::cmp::Reverse(*at)));
        let Some((score, at)) = best else { continue };
        let candidate = candidates.remove(at);
        let member = Member {
            role: role.clone(),
            who: candidate.prospect.id,
            profile: Some((profile.id.clone(), digest.clone())),
            left: None,
            not_before: None,
        };
        chosen.push(Chosen { candidate, member, score });
    }
    let others = candidates.iter().map(|one| (one.prospect.id, no_role(admitting, one)));
    (chosen, others.collect())
}

fn score(profile: &Profile, prospect: &Prospect) -> Option<i64> {
    match profile::evaluate(profile, &Facts::of(prospect)).fit {
        Fit::Fits { score } => Some(score),
        Fit::Incomplete { .. } | Fit::DoesNotFit { .. } => None,
    }
}

fn no_role(admitting: &Admitting, candidate: &Candidate) -> String {
    match super::enroll::choose(admitting, &candidate.prospect) {
        Ok(_) => "somebody else of the company has the role that they fit".to_owned(),
        Err(reason) => reason,
    }
}
