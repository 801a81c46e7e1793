//! A store that lives in memory and is gone with the process: for simulations, in which nothing has to
//! outlive a power cut and every question is asked a million times.
//!
//! It keeps the promises of [`SqlStore`](crate::adapters::store::SqlStore): the same suite runs on both
//! (`tests/store`). It knows no imports and no lists; a simulation is given its people.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::domain::absence::Absence;
use crate::domain::address::EmailAddress;
use crate::domain::budget::rank_of_new;
use crate::domain::enrollment::Phase;
use crate::domain::hold::Hold;
use crate::domain::identity::Identity;
use crate::domain::ids::{
    AbsenceId, CadenceId, CompanyId, EnrollmentId, MailboxId, ProfileId, ProspectId, RepId, StepId,
    TaskId, TouchId,
};
use crate::domain::log::Entry;
use crate::domain::prospect::Prospect;
use crate::domain::suppression::{Subject, Suppression};
use crate::domain::touch::{Milestone, Touch};
use crate::ports::{
    AppliedRecord, CompanyRecord, EnrollmentRecord, IdKind, InboundRecord, Lane, MailboxRecord,
    MilestoneRecord, ProfileRecord, Start, TaskRecord, ToldEvent, TransitionRecord, VersionRecord,
    Wake,
};

mod days;
mod guards;
mod port;
mod write;

/// The store, open.
#[derive(Default)]
pub struct MemoryStore {
    inside: Mutex<Inside>,
}

/// Follow-ups are 0 and go first; new people follow by score.
type Rank = i64;

/// Who waits in a lane: in the order in which they are worked, and by the time alone.
#[derive(Default)]
struct Waiters {
    by_rank: BTreeSet<(Rank, Timestamp, EnrollmentId)>,
    by_time: BTreeSet<(Timestamp, EnrollmentId)>,
}

/// A touch, and when its mail came back.
struct Kept {
    touch: Touch,
    came_back_at: Option<Timestamp>,
}

#[derive(Default)]
struct Inside {
    ids: BTreeMap<IdKind, i64>,
    leases: BTreeMap<String, (String, Timestamp, i64)>,
    versions: BTreeMap<String, VersionRecord>,
    current: BTreeMap<CadenceId, String>,
    applied: Vec<AppliedRecord>,
    profiles: BTreeMap<String, ProfileRecord>,
    current_profiles: BTreeMap<ProfileId, (usize, String)>,
    prospects: HashMap<ProspectId, Prospect>,
    identities: HashMap<Identity, ProspectId>,
    companies: BTreeMap<String, CompanyRecord>,
    suppressions: HashMap<Subject, Vec<Suppression>>,
    told: BTreeMap<String, ToldEvent>,
    starts: BTreeSet<Start>,
    enrollments: BTreeMap<EnrollmentId, EnrollmentRecord>,
    transitions: HashMap<EnrollmentId, Vec<TransitionRecord>>,
    of_prospect: HashMap<ProspectId, Vec<EnrollmentId>>,
    /// Those under way that have begun.
    begun_at: HashMap<CompanyId, BTreeSet<EnrollmentId>>,
    begun_of: HashMap<RepId, BTreeSet<EnrollmentId>>,
    lanes: HashMap<Lane, Waiters>,
    touches: BTreeMap<TouchId, Kept>,
    touches_of: HashMap<EnrollmentId, Vec<TouchId>>,
    touches_to: HashMap<ProspectId, Vec<TouchId>>,
    by_message: HashMap<String, TouchId>,
    of_mailbox: HashMap<MailboxId, Vec<TouchId>>,
    /// Sent mails that are no milestone yet.
    undelivered: BTreeSet<(Timestamp, TouchId)>,
    tasks: BTreeMap<TaskId, TaskRecord>,
    queue: BTreeSet<(u8, Timestamp, TaskId)>,
    /// Tasks of which networks count how many are done.
    metered: BTreeSet<TaskId>,
    tasks_of: HashMap<EnrollmentId, Vec<TaskId>>,
    milestones: BTreeMap<(EnrollmentId, Milestone), MilestoneRecord>,
    inbound: Vec<InboundRecord>,
    known_messages: HashSet<String>,
    mailboxes: BTreeMap<MailboxId, MailboxRecord>,
    absences: BTreeMap<AbsenceId, Absence>,
    holds: Vec<Hold>,
    breaker_resets: BTreeMap<MailboxId, Timestamp>,
    notes: BTreeMap<String, String>,
    budgets: HashMap<String, BTreeMap<i64, u32>>,
    log: Vec<Entry>,
}

impl MemoryStore {
    /// What a mailbox had done before: the ramp goes on from there.
    pub fn remember_mailbox(&self, id: &MailboxId, record: MailboxRecord) {
        self.lock().mailboxes.insert(id.clone(), record);
    }

    /// Looks at every enrollment in the order of the ids, without taking any away.
    pub fn look_at_enrollments(&self, mut look: impl FnMut(&EnrollmentRecord)) {
        self.lock().enrollments.values().for_each(&mut look);
    }

    /// Looks at every entry of the log in its order.
    pub fn look_at_log(&self, mut look: impl FnMut(&Entry)) {
        self.lock().log.iter().for_each(&mut look);
    }

    /// Looks at every touch in the order of the ids.
    pub fn look_at_touches(&self, mut look: impl FnMut(&Touch)) {
        self.lock().touches.values().for_each(|kept| look(&kept.touch));
    }

    /// How many tasks are open.
    pub fn open_tasks(&self) -> usize {
        self.lock().queue.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn touches_of(&self, enrollment: EnrollmentId) -> impl Iterator<Item = &Kept> {
        let ids = self.touches_of.get(&enrollment).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.touches.get(id))
    }

    fn same_attempt(
        &self,
        enrollment: EnrollmentId,
        step: &StepId,
        attempt: u32,
    ) -> Option<&Touch> {
        let same = |kept: &&Kept| kept.touch.step == *step && kept.touch.attempt == attempt;
        self.touches_of(enrollment).find(same).map(|kept| &kept.touch)
    }

    fn blocks_of<'a>(&'a self, subjects: &[Subject]) -> Vec<&'a Suppression> {
        let found = subjects.iter().filter_map(|subject| self.suppressions.get(subject));
        found.flatten().collect()
    }

    fn by_email(&self, address: &EmailAddress) -> Option<ProspectId> {
        let key = Identity::of_email(address);
        self.identities.get(&key).copied()
    }

    /// Puts an enrollment where its lane, its time and its company find it.
    fn index(&mut self, record: &EnrollmentRecord) {
        let begun = record.state.has_begun();
        if let Some(wake) = &record.wake {
            let rank = rank(record);
            let waiters = self.lanes.entry(wake.lane.clone()).or_default();
            waiters.by_rank.insert((rank, wake.at, record.id));
            waiters.by_time.insert((wake.at, record.id));
            if let Some(company) = record.company.filter(|_| begun) {
                self.begun_at.entry(company).or_default().insert(record.id);
            }
            if begun {
                self.begun_of.entry(record.owner.clone()).or_default().insert(record.id);
            }
        }
    }

    fn forget(&mut self, record: &EnrollmentRecord) {
        if let Some(Wake { lane, at, .. }) = &record.wake
            && let Some(waiters) = self.lanes.get_mut(lane)
        {
            waiters.by_rank.remove(&(rank(record), *at, record.id));
            waiters.by_time.remove(&(*at, record.id));
        }
        if let Some(company) = record.company
            && let Some(begun) = self.begun_at.get_mut(&company)
        {
            begun.remove(&record.id);
        }
        if let Some(begun) = self.begun_of.get_mut(&record.owner) {
            begun.remove(&record.id);
        }
    }

    fn tasks_of(&self, rep: Option<&RepId>) -> Vec<TaskRecord> {
        let open = self.queue.iter().filter_map(|(_, _, id)| self.tasks.get(id));
        open.filter(|task| rep.is_none_or(|rep| task.rep == *rep)).cloned().collect()
    }
}

fn rank(record: &EnrollmentRecord) -> Rank {
    match record.state.has_begun() {
        true => 0,
        false => rank_of_new(record.score, record.enrolled_at),
    }
}

fn has_ended(record: &EnrollmentRecord) -> bool {
    matches!(record.state.phase, Phase::Ended { .. })
}
