//! The real store or the one in memory, in a world in which every call may fail, be the last, or let others in between; it
//! also sees what was really committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use firsttouch::domain::absence::Absence;
use firsttouch::domain::address::EmailAddress;
use firsttouch::domain::budget::{Cap, Quota, QuotaUsed, Used, Waiting};
use firsttouch::domain::hold::{Health, Hold};
use firsttouch::domain::identity::Identity;
use firsttouch::domain::ids::*;
use firsttouch::domain::log::Entry;
use firsttouch::domain::prospect::Prospect;
use firsttouch::domain::suppression::{Subject, Suppression};
use firsttouch::domain::touch::Touch;
use firsttouch::ports::*;
use jiff::Timestamp;

use super::faults::Kind;
use super::mutations::Mutation;
use super::world::World;
use super::{checks, mutations};

pub struct SimStore {
    pub real: Arc<dyn Store>,
    pub world: World,
}

impl SimStore {
    fn mutation(&self) -> Mutation {
        self.world.state().mutation
    }

    async fn before_reading(&self) -> Result<(), StoreError> {
        self.world.gate("read").await;
        let locked = self.world.state().is_locked(self.world.true_now());
        match locked || self.world.fault(Kind::ReadError, 3) {
            true => Err(simulated("read")),
            false => Ok(()),
        }
    }

    async fn before_writing(&self, place: &'static str) -> Result<(), StoreError> {
        self.world.gate(place).await;
        self.trouble_begins();
        let now = self.world.true_now();
        let state = self.world.state();
        let stuck = state.is_full(now) || state.is_locked(now);
        drop(state);
        let fails = stuck
            || self.world.fault(Kind::ErrorBeforeCommit, 40)
            || self.times_out(Kind::TimeoutBeforeCommit);
        if fails { Err(simulated(place)) } else { Ok(()) }
    }

    /// Behind the commit: it is done, but perhaps nobody hears of it.
    async fn behind_writing(&self, place: &'static str) -> Result<(), StoreError> {
        self.world.gate(place).await;
        let fails = self.world.fault(Kind::ErrorBehindCommit, 40)
            || self.times_out(Kind::TimeoutBehindCommit);
        if fails { Err(simulated(place)) } else { Ok(()) }
    }

    fn times_out(&self, kind: Kind) -> bool {
        let does = self.world.fault(kind, 15);
        if does {
            self.world.pass(self.world.state().chance.secs(5, 1_200));
        }
        does
    }

    fn trouble_begins(&self) {
        let now = self.world.true_now();
        if self.world.fault(Kind::DatabaseFull, 8) {
            let mut state = self.world.state();
            state.full_until = now + state.chance.mins(1, 30);
        }
        if self.world.fault(Kind::DatabaseLocked, 8) {
            let mut state = self.world.state();
            state.locked_until = now + state.chance.mins(1, 30);
        }
    }

    async fn written(&self, changes: Changes) -> Result<(), StoreError> {
        if self.mutation() == Mutation::Nothing {
            self.real.write(changes.clone()).await?;
            checks::on_commit(&self.world, &changes, &changes, None);
            return Ok(());
        }
        let done = mutations::change(&self.world, changes.clone()).await;
        self.real.write(done.clone()).await?;
        checks::on_commit(&self.world, &changes, &done, None);
        Ok(())
    }

    async fn intended(&self, changes: Changes, guards: Guards) -> Result<Intent, StoreError> {
        let mutation = self.mutation();
        let done = match mutation {
            Mutation::Nothing => changes.clone(),
            _ => mutations::change(&self.world, changes.clone()).await,
        };
        let checked = mutations::guards(&self.world, guards.clone());
        if mutation == Mutation::IntendBehind && guards.mailbox.is_some() {
            self.world.state().held_back = Some((done, checked));
            return Ok(Intent::Committed);
        }
        let mut intent = self.real.intend(done.clone(), checked).await?;
        let refused = matches!(intent, Intent::Wait { .. } | Intent::Blocked);
        if refused && mutation == Mutation::CommitRefused {
            self.real.write(done.clone()).await?;
            intent = Intent::Committed;
        }
        if intent == Intent::Committed {
            checks::on_commit(&self.world, &changes, &done, Some(&guards));
            let frozen = (mutation == Mutation::ForgetThirtySeconds).then_some(guards.now);
            if frozen.is_some() && guards.mailbox.is_some() {
                self.world.clocks.show(self.world.node, frozen);
            }
        }
        Ok(intent)
    }
}

fn simulated(attempted: &'static str) -> StoreError {
    StoreError::Database { attempted, detail: "simulated".to_owned() }
}

/// The writing half by hand, the reading half by pattern.
macro_rules! store {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl Store for SimStore {
            async fn write(&self, changes: Changes) -> Result<(), StoreError> {
                self.before_writing("write").await?;
                self.written(changes).await?;
                self.behind_writing("written").await
            }

            async fn intend(&self, changes: Changes, guards: Guards) -> Result<Intent, StoreError> {
                self.before_writing("intend").await?;
                let intent = self.intended(changes, guards).await?;
                self.behind_writing("intended").await?;
                Ok(intent)
            }

            async fn ids(&self, kind: IdKind, n: u32) -> Result<i64, StoreError> {
                self.before_reading().await?;
                self.real.ids(kind, n).await
            }

            async fn lease(&self, request: LeaseRequest) -> Result<Option<i64>, StoreError> {
                self.before_writing("lease").await?;
                if self.world.fault(Kind::LeaseRefused, 50) {
                    return Ok(None);
                }
                let wanted = mutations::lease(self.mutation(), request.clone());
                let epoch = self.real.lease(wanted).await?;
                checks::on_lease(&self.world, &request, epoch);
                Ok(epoch)
            }

            async fn mailbox(&self, id: &MailboxId) -> Result<MailboxRecord, StoreError> {
                self.before_reading().await?;
                Ok(mutations::mailbox(&self.world, self.real.mailbox(id).await?))
            }

            async fn suppressions(&self, subjects: &[Subject]) -> Result<Vec<Suppression>, StoreError> {
                self.before_reading().await?;
                let mut blocks = self.real.suppressions(subjects).await?;
                let mutation = self.mutation();
                blocks.retain(|block| !mutation.forgets(&block.subject));
                Ok(blocks)
            }

            async fn prospects(&self, ids: &[ProspectId]) -> Result<Vec<Prospect>, StoreError> {
                self.before_reading().await?;
                let mut people = self.real.prospects(ids).await?;
                let mutation = self.mutation();
                people.iter_mut().for_each(|person| mutations::person(mutation, person));
                Ok(people)
            }

            async fn enrollments_at(
                &self,
                company: CompanyId,
                cadence: &CadenceId,
            ) -> Result<Vec<EnrollmentRecord>, StoreError> {
                self.before_reading().await?;
                match self.mutation() {
                    Mutation::ForgetToHold => Ok(Vec::new()),
                    _ => self.real.enrollments_at(company, cadence).await,
                }
            }

            async fn due(
                &self,
                lane: &Lane,
                now: Timestamp,
                limit: u32,
            ) -> Result<Vec<EnrollmentId>, StoreError> {
                self.before_reading().await?;
                let mut due = self.real.due(lane, now, limit).await?;
                let old = self.world.fault(Kind::OldList, 60);
                let mut state = self.world.state();
                let listed = std::mem::replace(&mut state.listed, due.clone());
                if old {
                    due.extend(listed.into_iter().filter(|id| !due.contains(id)).collect::<Vec<_>>());
                }
                Ok(due)
            }

            async fn knows_message(&self, message_id: &str) -> Result<bool, StoreError> {
                self.before_reading().await?;
                match self.mutation() {
                    Mutation::TakeTwice => Ok(false),
                    _ => self.real.knows_message(message_id).await,
                }
            }

            $(
                async fn $name(&self, $($arg: $type),*) -> Result<$out, StoreError> {
                    self.before_reading().await?;
                    self.real.$name($($arg),*).await
                }
            )*
        }
    };
}

store! {
    current_cadences() -> Vec<VersionRecord>;
    applications(cadence: &CadenceId) -> Vec<AppliedRecord>;
    cadence_version(digest: &str) -> Option<VersionRecord>;
    current_profiles() -> Vec<ProfileRecord>;
    profile_version(digest: &str) -> Option<ProfileRecord>;
    find_identity(keys: &[Identity]) -> BTreeMap<Identity, ProspectId>;
    identities_after(after: Option<Identity>, limit: u32) -> Vec<Identity>;
    find_companies(keys: &[String]) -> BTreeMap<String, CompanyId>;
    list(name: &str) -> Option<ListRecord>;
    list_with_digest(digest: &str) -> Option<ListRecord>;
    lists() -> Vec<ListRecord>;
    list_prospects(list: ListId) -> Vec<ProspectId>;
    all_prospects() -> Vec<ProspectId>;
    imports() -> Vec<ImportRecord>;
    imports_of(digest: &str) -> Vec<ImportRecord>;
    import_report(import: ImportId) -> Option<String>;
    import_rows(import: ImportId, after: u64, limit: u32) -> Vec<ImportRow>;
    people_of_rows(import: ImportId, rows: &[u64]) -> BTreeMap<u64, ProspectId>;
    last_imports(ids: &[ProspectId]) -> BTreeMap<ProspectId, ImportId>;
    with_history(ids: &[ProspectId]) -> BTreeSet<ProspectId>;
    lists_of(prospect: ProspectId) -> Vec<ListRecord>;
    on_other_lists(list: ListId, ids: &[ProspectId]) -> BTreeSet<ProspectId>;
    column_map(fingerprint: &str) -> Vec<(String, String)>;
    all_suppressions() -> Vec<Suppression>;
    enrollment(id: EnrollmentId) -> Option<EnrollmentRecord>;
    enrollments_of(prospect: ProspectId) -> Vec<EnrollmentRecord>;
    enrollments_in(cadence: &CadenceId) -> Vec<EnrollmentRecord>;
    enrollments_without(mailboxes: &[MailboxId]) -> Vec<EnrollmentRecord>;
    enrollments_on_their_way() -> Vec<EnrollmentRecord>;
    next_wake(lane: &Lane) -> Option<Timestamp>;
    touches_of(enrollment: EnrollmentId) -> Vec<Touch>;
    touches_in_doubt() -> Vec<Touch>;
    census() -> Vec<(String, Option<Waiting>, u64)>;
    board(until: Timestamp) -> Vec<BoardLine>;
    done_by_step() -> Vec<(CadenceId, StepId, u64)>;
    used(cap: &Cap, now: Timestamp) -> Vec<Used>;
    begun_at(company: CompanyId, except: EnrollmentId) -> u64;
    begun_of(owner: &RepId, except: EnrollmentId, most: u32) -> u64;
    quota_used(quota: &Quota, now: Timestamp) -> QuotaUsed;
    count_leases(prefix: &str, now: Timestamp) -> u64;
    clock() -> Option<Timestamp>;
    holds() -> Vec<Hold>;
    hold_back(back: HoldBack) -> u64;
    health(mailbox: &MailboxId, since: Timestamp) -> Health;
    note(key: &str) -> Option<String>;
    put_note(key: &str, value: &str) -> ();
    note_first(key: &str, value: &str) -> String;
    transitions_of(enrollment: EnrollmentId) -> Vec<TransitionRecord>;
    enrollments_of_owner(owner: &RepId) -> Vec<EnrollmentRecord>;
    owners_waited_for() -> Vec<RepId>;
    deeds(actor: &RepId, limit: u32) -> Vec<Entry>;
    absences(since: Timestamp) -> Vec<Absence>;
    replies_of(prospect: ProspectId, limit: u32) -> Vec<ReplyRecord>;
    told_event(key: &str) -> Option<ToldEvent>;
    waiting_to_start(limit: u32) -> Vec<Start>;
    touch_by_message_id(ids: &[String]) -> Option<Touch>;
    prospects_by_email(addresses: &[EmailAddress]) -> Vec<ProspectId>;
    last_mail_to(prospect: ProspectId) -> Option<Touch>;
    replies(limit: u32) -> Vec<ReplyRecord>;
    tasks(rep: Option<&RepId>) -> Vec<TaskRecord>;
    task(id: TaskId) -> Option<TaskRecord>;
    log_of(prospect: ProspectId) -> Vec<Entry>;
    log_after(id: i64, limit: u32) -> (Vec<Entry>, i64);
    milestones() -> Vec<MilestoneRecord>;
    undelivered_before(until: Timestamp, limit: u32) -> Vec<Touch>;
}
