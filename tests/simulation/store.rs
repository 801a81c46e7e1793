//! The real store or the one in memory, in a world in which every call may fail, be the last, or let others in between; it
//! also sees what was really committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use firsttouch::domain::address::EmailAddress;
use firsttouch::domain::budget::Waiting;
use firsttouch::domain::identity::Identity;
use firsttouch::domain::ids::*;
use firsttouch::domain::log::Entry;
use firsttouch::domain::prospect::Prospect;
use firsttouch::domain::suppression::{Subject, Suppression};
use firsttouch::domain::touch::Touch;
use firsttouch::ports::*;
use jiff::Timestamp;

use super::world::{Mutation, World};
use super::{checks, mutations};

pub struct SimStore {
    pub real: Arc<dyn Store>,
    pub world: World,
}

impl SimStore {
    fn mutation(&self) -> Mutation {
        self.world.state().mutation
    }

    async fn before(&self, place: &'static str) -> Result<(), StoreError> {
        self.world.gate(place).await;
        self.fail(place, if place == "read" { 3 } else { 40 })
    }

    /// Behind the commit: it is done, but perhaps nobody hears of it.
    async fn after(&self, place: &'static str) -> Result<(), StoreError> {
        self.world.gate(place).await;
        self.fail(place, 40)
    }

    fn fail(&self, place: &'static str, in_10_000: u64) -> Result<(), StoreError> {
        if !self.world.fault(in_10_000) {
            return Ok(());
        }
        self.world.note(&format!("store error at {place}"));
        Err(StoreError::Database { attempted: place, detail: "simulated".to_owned() })
    }
}

/// The writing half by hand, the reading half by pattern.
macro_rules! store {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl Store for SimStore {
            async fn write(&self, changes: Changes) -> Result<(), StoreError> {
                self.before("write").await?;
                let changes = mutations::change(self.mutation(), changes, self.world.now());
                self.real.write(changes.clone()).await?;
                checks::on_commit(&self.world, &changes);
                self.after("written").await
            }

            async fn intend(&self, changes: Changes, guards: Guards) -> Result<Intent, StoreError> {
                self.before("intend").await?;
                let changes = mutations::change(self.mutation(), changes, self.world.now());
                let guards = mutations::guards(self.mutation(), guards);
                let mut intent = self.real.intend(changes.clone(), guards).await?;
                if intent != Intent::Committed && self.mutation() == Mutation::CommitRefused {
                    self.real.write(changes.clone()).await?;
                    intent = Intent::Committed;
                }
                if intent == Intent::Committed {
                    checks::on_commit(&self.world, &changes);
                }
                self.after("intended").await?;
                Ok(intent)
            }

            async fn ids(&self, kind: IdKind, n: u32) -> Result<i64, StoreError> {
                self.before("read ids").await?;
                self.real.ids(kind, n).await
            }

            async fn lease(&self, request: LeaseRequest) -> Result<Option<i64>, StoreError> {
                self.before("lease").await?;
                if self.world.fault(50) {
                    self.world.note("the lease is somebody else's");
                    return Ok(None);
                }
                self.real.lease(request).await
            }

            async fn mailbox(&self, id: &MailboxId) -> Result<MailboxRecord, StoreError> {
                self.before("read").await?;
                let mut record = self.real.mailbox(id).await?;
                if self.mutation() == Mutation::ForgetFreshness {
                    record.inbox_read_at = Some(self.world.now());
                }
                Ok(record)
            }

            async fn suppressions(&self, subjects: &[Subject]) -> Result<Vec<Suppression>, StoreError> {
                self.before("read").await?;
                match self.mutation() {
                    Mutation::ForgetBlocks => Ok(Vec::new()),
                    _ => self.real.suppressions(subjects).await,
                }
            }

            async fn prospects(&self, ids: &[ProspectId]) -> Result<Vec<Prospect>, StoreError> {
                self.before("read").await?;
                let mut people = self.real.prospects(ids).await?;
                if self.mutation() == Mutation::ForgetZones {
                    for person in &mut people {
                        person.known.time_zones = vec!["Europe/London".to_owned()];
                    }
                }
                Ok(people)
            }

            $(
                async fn $name(&self, $($arg: $type),*) -> Result<$out, StoreError> {
                    self.before("read").await?;
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
    enrollments_at(company: CompanyId, cadence: &CadenceId) -> Vec<EnrollmentRecord>;
    enrollments_without(mailboxes: &[MailboxId]) -> Vec<EnrollmentRecord>;
    enrollments_on_their_way() -> Vec<EnrollmentRecord>;
    due(lane: &Lane, now: Timestamp, limit: u32) -> Vec<EnrollmentId>;
    next_wake(lane: &Lane) -> Option<Timestamp>;
    touches_of(enrollment: EnrollmentId) -> Vec<Touch>;
    touches_in_doubt() -> Vec<Touch>;
    census() -> Vec<(String, Option<Waiting>, u64)>;
    told_event(key: &str) -> Option<ToldEvent>;
    waiting_to_start(limit: u32) -> Vec<Start>;
    touch_by_message_id(ids: &[String]) -> Option<Touch>;
    prospects_by_email(addresses: &[EmailAddress]) -> Vec<ProspectId>;
    last_mail_to(prospect: ProspectId) -> Option<Touch>;
    knows_message(message_id: &str) -> bool;
    replies(limit: u32) -> Vec<ReplyRecord>;
    tasks(rep: Option<&RepId>) -> Vec<TaskRecord>;
    task(id: TaskId) -> Option<TaskRecord>;
    log_of(prospect: ProspectId) -> Vec<Entry>;
    log_after(id: i64, limit: u32) -> (Vec<Entry>, i64);
    milestones() -> Vec<MilestoneRecord>;
    undelivered_before(until: Timestamp, limit: u32) -> Vec<Touch>;
}
