//! The store port: what the engine remembers, and the two ways to change it.
//!
//! Everything that changes goes through [`Store::write`] as one [`Changes`], in one transaction; a mail's
//! intent and the opening of a task go through [`Store::intend`], which checks the guards in that same
//! transaction.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::domain::absence::Absence;
use crate::domain::address::EmailAddress;
use crate::domain::budget::{Cap, Metered, Quota, QuotaUsed, SendingDays, Used, Waiting};

use crate::domain::enrollment::{Phase, State, TaskKind};
use crate::domain::hold::{Health, Hold, HoldScope, Release};
use crate::domain::identity::Identity;
use crate::domain::ids::{
    CadenceId, CompanyId, EnrollmentId, ImportId, InboundId, ListId, MailboxId, ProfileId,
    ProspectId, RepId, StepId, TaskId, TouchId,
};
use crate::domain::log::Entry;
use crate::domain::prospect::{Prospect, ProspectDraft, Relationship};
use crate::domain::reply::Inbound;
use crate::domain::suppression::{Subject, Suppression};
use crate::domain::touch::{Milestone, Status, Touch};

/// What remembers. The same on SQLite and on PostgreSQL.
#[async_trait]
pub trait Store: Send + Sync {
    /// Applies all changes, or none.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when an enrollment has moved on since it was read: read it again.
    async fn write(&self, changes: Changes) -> Result<(), StoreError>;

    /// Applies all changes if every guard lets them pass, in one transaction.
    async fn intend(&self, changes: Changes, guards: Guards) -> Result<Intent, StoreError>;

    /// `n` fresh ids, the first of a run of consecutive ones.
    async fn ids(&self, kind: IdKind, n: u32) -> Result<i64, StoreError>;

    /// Takes or renews a lease; the epoch to fence with, or `None` when somebody else holds it.
    async fn lease(&self, request: LeaseRequest) -> Result<Option<i64>, StoreError>;

    /// How many leases with names that begin so are held.
    async fn count_leases(&self, prefix: &str, now: Timestamp) -> Result<u64, StoreError>;

    /// The instant by the store's own clock, where it has one that several processes share.
    async fn clock(&self) -> Result<Option<Timestamp>, StoreError>;

    // What was applied from files.
    async fn current_cadences(&self) -> Result<Vec<VersionRecord>, StoreError>;
    /// Every time that a cadence was applied or taken out, oldest first.
    async fn applications(&self, cadence: &CadenceId) -> Result<Vec<AppliedRecord>, StoreError>;
    async fn cadence_version(&self, digest: &str) -> Result<Option<VersionRecord>, StoreError>;
    async fn current_profiles(&self) -> Result<Vec<ProfileRecord>, StoreError>;
    async fn profile_version(&self, digest: &str) -> Result<Option<ProfileRecord>, StoreError>;

    // People.
    async fn prospects(&self, ids: &[ProspectId]) -> Result<Vec<Prospect>, StoreError>;
    async fn find_identity(
        &self,
        keys: &[Identity],
    ) -> Result<BTreeMap<Identity, ProspectId>, StoreError>;
    /// The next ways behind `after` by which anybody is recognised, in their order.
    async fn identities_after(
        &self,
        after: Option<Identity>,
        limit: u32,
    ) -> Result<Vec<Identity>, StoreError>;
    async fn find_companies(
        &self,
        keys: &[String],
    ) -> Result<BTreeMap<String, CompanyId>, StoreError>;
    async fn list(&self, name: &str) -> Result<Option<ListRecord>, StoreError>;
    async fn list_with_digest(&self, digest: &str) -> Result<Option<ListRecord>, StoreError>;
    async fn lists(&self) -> Result<Vec<ListRecord>, StoreError>;
    async fn list_prospects(&self, list: ListId) -> Result<Vec<ProspectId>, StoreError>;
    async fn all_prospects(&self) -> Result<Vec<ProspectId>, StoreError>;
    /// Imports, the newest first.
    async fn imports(&self) -> Result<Vec<ImportRecord>, StoreError>;
    async fn imports_of(&self, digest: &str) -> Result<Vec<ImportRecord>, StoreError>;
    /// The report of a finished import, as JSON.
    async fn import_report(&self, import: ImportId) -> Result<Option<String>, StoreError>;
    /// What rows behind `after` created or changed, the first ones first.
    async fn import_rows(
        &self,
        import: ImportId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ImportRow>, StoreError>;
    /// Whom these rows of an import made or changed.
    async fn people_of_rows(
        &self,
        import: ImportId,
        rows: &[u64],
    ) -> Result<BTreeMap<u64, ProspectId>, StoreError>;
    /// The import that made or last changed each of these people.
    async fn last_imports(
        &self,
        ids: &[ProspectId],
    ) -> Result<BTreeMap<ProspectId, ImportId>, StoreError>;
    /// Those of these people with whom something was done: enrolled, or heard from.
    async fn with_history(&self, ids: &[ProspectId]) -> Result<BTreeSet<ProspectId>, StoreError>;
    /// The lists on which somebody stands.
    async fn lists_of(&self, prospect: ProspectId) -> Result<Vec<ListRecord>, StoreError>;
    /// Those of these people who stand on another list than this one.
    async fn on_other_lists(
        &self,
        list: ListId,
        ids: &[ProspectId],
    ) -> Result<BTreeSet<ProspectId>, StoreError>;
    /// Columns and fields that somebody gave files of this fingerprint.
    async fn column_map(&self, fingerprint: &str) -> Result<Vec<(String, String)>, StoreError>;
    async fn suppressions(&self, subjects: &[Subject]) -> Result<Vec<Suppression>, StoreError>;
    async fn all_suppressions(&self) -> Result<Vec<Suppression>, StoreError>;

    // Enrollments.
    async fn enrollment(&self, id: EnrollmentId) -> Result<Option<EnrollmentRecord>, StoreError>;
    async fn enrollments_of(
        &self,
        prospect: ProspectId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError>;
    async fn enrollments_in(
        &self,
        cadence: &CadenceId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError>;
    /// Those of a cadence at a company that have not ended.
    async fn enrollments_at(
        &self,
        company: CompanyId,
        cadence: &CadenceId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError>;
    /// Those that wait for a mailbox which is none of these.
    async fn enrollments_without(
        &self,
        mailboxes: &[MailboxId],
    ) -> Result<Vec<EnrollmentRecord>, StoreError>;
    /// Those whose mail was on its way when somebody last looked.
    async fn enrollments_on_their_way(&self) -> Result<Vec<EnrollmentRecord>, StoreError>;
    /// Those of a lane whose time has come, in the order in which they should be done.
    async fn due(
        &self,
        lane: &Lane,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<EnrollmentId>, StoreError>;
    /// The next instant at which anything in a lane wakes.
    async fn next_wake(&self, lane: &Lane) -> Result<Option<Timestamp>, StoreError>;
    async fn touches_of(&self, enrollment: EnrollmentId) -> Result<Vec<Touch>, StoreError>;
    async fn touches_in_doubt(&self) -> Result<Vec<Touch>, StoreError>;
    /// How many non-ended enrollments there are, by phase and reason for waiting.
    async fn census(&self) -> Result<Vec<(String, Option<Waiting>, u64)>, StoreError>;

    /// Everybody by cadence, phase, step and reason; `due` is who wakes at or before `until`.
    async fn board(&self, until: Timestamp) -> Result<Vec<BoardLine>, StoreError>;
    /// How often each step was done.
    async fn done_by_step(&self) -> Result<Vec<(CadenceId, StepId, u64)>, StoreError>;
    /// What was used of a cap, in the buckets that still count at `now`.
    async fn used(&self, cap: &Cap, now: Timestamp) -> Result<Vec<Used>, StoreError>;
    /// How many others at a company are under way.
    async fn begun_at(&self, company: CompanyId, except: EnrollmentId) -> Result<u64, StoreError>;
    /// How many others of a rep are under way; counting ends at `most`.
    async fn begun_of(
        &self,
        owner: &RepId,
        except: EnrollmentId,
        most: u32,
    ) -> Result<u64, StoreError>;
    /// What was used of a quota, as far as it counts at `now`.
    async fn quota_used(&self, quota: &Quota, now: Timestamp) -> Result<QuotaUsed, StoreError>;

    // What lets people in by itself.
    /// The event that was told with this key.
    async fn told_event(&self, key: &str) -> Result<Option<ToldEvent>, StoreError>;
    /// People who newly are for a cadence and wait to be taken in; those of one cadence together.
    async fn waiting_to_start(&self, limit: u32) -> Result<Vec<Start>, StoreError>;

    // Holds, and what the daemon notes about itself.
    /// The holds that are in force, oldest first.
    async fn holds(&self) -> Result<Vec<Hold>, StoreError>;
    /// Puts off everybody in a lane whose next step is due and on hold, at once; how many they were.
    async fn hold_back(&self, back: HoldBack) -> Result<u64, StoreError>;
    /// How the mails of a mailbox fared since then, or since its breaker was last reset.
    async fn health(&self, mailbox: &MailboxId, since: Timestamp) -> Result<Health, StoreError>;
    /// What was noted under that name.
    async fn note(&self, key: &str) -> Result<Option<String>, StoreError>;
    async fn put_note(&self, key: &str, value: &str) -> Result<(), StoreError>;
    /// Notes it unless something is noted there already; what stands in the end, whoever noted it.
    async fn note_first(&self, key: &str, value: &str) -> Result<String, StoreError>;
    /// Every state in which an enrollment was, the first one first.
    async fn transitions_of(
        &self,
        enrollment: EnrollmentId,
    ) -> Result<Vec<TransitionRecord>, StoreError>;

    // Mailboxes and what came in.
    async fn mailbox(&self, id: &MailboxId) -> Result<MailboxRecord, StoreError>;
    async fn touch_by_message_id(&self, ids: &[String]) -> Result<Option<Touch>, StoreError>;
    async fn prospects_by_email(
        &self,
        addresses: &[EmailAddress],
    ) -> Result<Vec<ProspectId>, StoreError>;
    /// The newest mail touch to a prospect.
    async fn last_mail_to(&self, prospect: ProspectId) -> Result<Option<Touch>, StoreError>;
    async fn knows_message(&self, message_id: &str) -> Result<bool, StoreError>;
    async fn replies(&self, limit: u32) -> Result<Vec<ReplyRecord>, StoreError>;

    // Tasks.
    async fn tasks(&self, rep: Option<&RepId>) -> Result<Vec<TaskRecord>, StoreError>;
    async fn task(&self, id: TaskId) -> Result<Option<TaskRecord>, StoreError>;

    // A rep's day.
    /// The enrollments of a rep's people that have not ended.
    async fn enrollments_of_owner(
        &self,
        owner: &RepId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError>;
    /// The reps for whose return anybody waits.
    async fn owners_waited_for(&self) -> Result<Vec<RepId>, StoreError>;
    /// What somebody did with tasks and took back, the newest first.
    async fn deeds(&self, actor: &RepId, limit: u32) -> Result<Vec<Entry>, StoreError>;
    /// The absences that were to end behind `since`, in the order in which they begin.
    async fn absences(&self, since: Timestamp) -> Result<Vec<Absence>, StoreError>;
    /// What came in from somebody, the newest first.
    async fn replies_of(
        &self,
        prospect: ProspectId,
        limit: u32,
    ) -> Result<Vec<ReplyRecord>, StoreError>;

    // The log.
    async fn log_of(&self, prospect: ProspectId) -> Result<Vec<Entry>, StoreError>;
    /// Entries behind an id in the order in which they were written, with the id of the last one.
    async fn log_after(&self, id: i64, limit: u32) -> Result<(Vec<Entry>, i64), StoreError>;
    async fn milestones(&self) -> Result<Vec<MilestoneRecord>, StoreError>;
    /// Mails that were taken over before `until`, did not come back, and are no milestone yet.
    async fn undelivered_before(
        &self,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Touch>, StoreError>;
}

/// A store that could not do what it was asked. Nothing was changed.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// Somebody else changed the enrollment in between.
    #[error("enrollment {0} has moved on since it was read")]
    Stale(EnrollmentId),
    /// Somebody else has told of this event, or has taken this person in, at the same time.
    #[error("{0} was done by somebody else at the same time")]
    Taken(String),
    /// A value in the database is not one that this version writes.
    #[error("the database holds {what} `{value}`, which this version does not know")]
    Unknown { what: &'static str, value: String },
    /// The database said no.
    #[error("the database could not {attempted}: {detail}")]
    Database { attempted: &'static str, detail: String },
}

/// Everything that one transition changes.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub versions: Vec<VersionRecord>,
    pub profiles: Vec<ProfileRecord>,
    /// Notes who applied what; a cadence without a version is taken out.
    pub applied: Vec<AppliedRecord>,
    /// Profiles that let nobody in any more.
    pub profiles_gone: Vec<ProfileId>,
    pub lists: Vec<ListRecord>,
    pub list_members: Vec<(ListId, ProspectId)>,
    /// New imports, or how far they have come.
    pub imports: Vec<ImportRecord>,
    /// What those did to whom.
    pub import_rows: Vec<ImportRow>,
    pub undone: Option<Undone>,
    /// How people are recognised whose rows came without.
    pub recognised: Vec<(Identity, ProspectId)>,
    pub column_map: Option<ColumnMap>,
    pub companies: Vec<CompanyRecord>,
    /// New or changed, with every identity under which they can be found.
    pub prospects: Vec<(Prospect, Vec<Identity>)>,
    /// Refused as taken when its key is known.
    pub told: Option<ToldEvent>,
    /// People who wait to be taken in from now on.
    pub starts: Vec<Start>,
    /// Those who do not wait any more; refused as taken when one of them did not.
    pub started: Vec<Start>,
    pub enrolled: Vec<EnrollmentRecord>,
    /// Moves an enrollment on; refused as stale when its revision is not the expected one.
    pub moved: Vec<EnrollmentMove>,
    pub touches: Vec<Touch>,
    /// Sets the status of touches that exist.
    pub settled: Vec<(TouchId, Status)>,
    /// Marks sent mails that came back.
    pub came_back: Vec<(TouchId, Timestamp)>,
    pub tasks: Vec<TaskRecord>,
    /// Closes every open task of these enrollments, at that time.
    pub close_tasks: Vec<(EnrollmentId, Timestamp)>,
    /// Open tasks whose rep or time is another one; refused as stale when one is not open any more.
    pub tasks_changed: Vec<TaskRecord>,
    /// Closed tasks that are open again, with their rep and their times.
    pub tasks_reopened: Vec<TaskRecord>,
    /// Takes back the firsts that these touches were.
    pub milestones_gone: Vec<TouchId>,
    pub suppressions_gone: Vec<Suppression>,
    /// All people of the first rep are the second's.
    pub people_of: Option<(RepId, RepId)>,
    /// New absences, or when they were ended.
    pub absences: Vec<Absence>,
    /// Whoever waits for this rep to come back is looked at then.
    pub woken: Vec<(RepId, Timestamp)>,
    pub suppressions: Vec<Suppression>,
    pub milestones: Vec<MilestoneRecord>,
    pub inbound: Vec<InboundRecord>,
    pub inbox_read: Option<InboxRead>,
    pub held: Vec<Hold>,
    /// Lifts every hold on these.
    pub released: Vec<Release>,
    /// Nothing leaves this mailbox before that time.
    pub mailbox_waits: Option<MailboxWait>,
    pub log: Vec<Entry>,
}

impl Changes {
    /// Adds what a transition of an enrollment changes.
    pub fn append(&mut self, other: Changes) {
        self.enrolled.extend(other.enrolled);
        self.moved.extend(other.moved);
        self.touches.extend(other.touches);
        self.settled.extend(other.settled);
        self.tasks.extend(other.tasks);
        self.close_tasks.extend(other.close_tasks);
        self.tasks_changed.extend(other.tasks_changed);
        self.suppressions.extend(other.suppressions);
        self.milestones.extend(other.milestones);
        self.log.extend(other.log);
    }
}

/// A new position of an enrollment.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrollmentMove {
    pub id: EnrollmentId,
    /// The revision that was read; the new one is one more.
    pub revision: i64,
    pub at: Timestamp,
    pub state: State,
    pub wake: Option<Wake>,
    /// The version that the enrollment goes on with, when it changes.
    pub digest: Option<String>,
    /// The mailbox that the enrollment goes on with, when it changes.
    pub mailbox: Option<MailboxId>,
    /// Whose turn it is at an account.
    pub prospect: Option<ProspectId>,
    /// Whose people they are from now on, when that changes.
    pub owner: Option<RepId>,
}

/// When and where to look at an enrollment again, and why not earlier. Absent once it has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    pub lane: Lane,
    pub at: Timestamp,
    pub waiting: Waiting,
}

/// Who works a waiting enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// The worker of a mailbox: the next thing is a mail.
    Mailbox(MailboxId),
    /// The worker of everything else: tasks to open, pauses to end, doubts to settle.
    Desk,
}

/// What must hold for an intent, checked inside its transaction.
#[derive(Debug, Clone, Default)]
pub struct Guards {
    pub now: Timestamp,
    /// The worker's lease: name and epoch.
    pub lease: Option<(String, i64)>,
    /// None of these may be on hold.
    pub holds: Vec<HoldScope>,
    /// None of these may be blocked.
    pub subjects: Vec<Subject>,
    /// Each must have room; each is charged once.
    pub caps: Vec<Cap>,
    /// At most so many other people of this company may be under way, in whatever cadence.
    pub company: Option<(CompanyId, EnrollmentId, u32)>,
    /// At most so many other people of this rep may be under way, in whatever cadence.
    pub rep: Option<(RepId, EnrollmentId, u32)>,
    /// What networks allow a rep; each must have room.
    pub quotas: Vec<Quota>,
    /// Nothing else may have touched this person for so long.
    pub quiet: Option<(ProspectId, EnrollmentId, SignedDuration)>,
    pub mailbox: Option<MailboxGuard>,
    /// The work of this rep must not wait for them to come back.
    pub owner: Option<RepId>,
}

/// What must hold of the mailbox that sends.
#[derive(Debug, Clone)]
pub struct MailboxGuard {
    pub mailbox: MailboxId,
    /// How old the last successful read of the inbox may be; `None` for a mailbox that only writes files.
    pub inbox_fresh_for: Option<SignedDuration>,
    /// The pause behind this mail.
    pub gap: SignedDuration,
    /// The number of the sending day, for the ramp.
    pub day: i64,
}

/// What came of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// On record: it may be done now, once.
    Committed,
    /// The lease is lost; somebody else works this lane.
    NotOurs,
    /// The person is blocked.
    Blocked,
    /// Not now.
    Wait { reason: Waiting, until: Timestamp },
}

/// What ids are handed out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdKind {
    Prospect,
    Company,
    List,
    Import,
    Enrollment,
    Touch,
    Task,
    Inbound,
    Absence,
}

/// People who stand at the same place for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardLine {
    pub cadence: CadenceId,
    /// As [`Phase::name`].
    pub phase: String,
    /// The step that the phase is about; for those who ended, how.
    pub about: String,
    pub begun: bool,
    pub waiting: Option<Waiting>,
    pub due: bool,
    pub people: u64,
    /// When the first of them wakes.
    pub first_at: Option<Timestamp>,
}

/// People who are put off because their cadence, their rep or everything is on hold.
#[derive(Debug, Clone)]
pub struct HoldBack {
    pub lane: Lane,
    /// Nothing is put off for a mailbox: its own worker waits.
    pub scope: HoldScope,
    pub now: Timestamp,
    pub until: Timestamp,
    /// Why, as everybody is told.
    pub waiting: Waiting,
}

/// No lease is asked for so far ahead: one that is held for longer was taken by a clock that was wrong,
/// and whoever asks for it gets it.
pub const LEASE_AT_MOST: SignedDuration = SignedDuration::from_hours(1);

/// A wish for a lease.
#[derive(Debug, Clone)]
pub struct LeaseRequest {
    pub name: String,
    pub holder: String,
    pub now: Timestamp,
    pub until: Timestamp,
}

/// One applied version of a cadence with everything it needs: an immutable bundle of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRecord {
    pub cadence: CadenceId,
    pub digest: String,
    /// Path to text: the cadence file and every template and partial.
    pub files: BTreeMap<String, String>,
    pub applied_at: Timestamp,
}

/// One time that a cadence was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedRecord {
    pub cadence: CadenceId,
    /// `None` when its file was gone: nobody new comes in.
    pub digest: Option<String>,
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
}

/// One applied version of a buyer profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRecord {
    pub profile: ProfileId,
    pub digest: String,
    pub path: String,
    pub text: String,
    pub applied_at: Timestamp,
}

/// One imported file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRecord {
    pub id: ListId,
    pub name: String,
    /// Of the file's bytes: the same content is never imported twice by accident.
    pub digest: String,
    pub rows: u64,
    pub imported_at: Timestamp,
    /// The import report, as JSON.
    pub report: String,
}

/// One import of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    pub id: ImportId,
    /// As people name it: the day and a number, such as `2026-03-02-1`.
    pub name: String,
    pub list: ListId,
    pub list_name: String,
    pub file: String,
    /// Of the file's bytes.
    pub digest: String,
    /// With which settings; an import goes on only with the same ones.
    pub options: BTreeMap<String, String>,
    pub status: ImportStatus,
    /// Rows that are on record.
    pub rows_done: u64,
    /// Rows whose people are recognised. A large import writes how people are recognised for many
    /// rows at a time; behind a crash [`crate::engine::Engine`] catches up.
    pub rows_indexed: u64,
    /// Rows by outcome.
    pub outcomes: BTreeMap<String, u64>,
    pub started_at: Timestamp,
    /// When it ended, and its report as JSON.
    pub finished: Option<(Timestamp, String)>,
}

/// How an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStatus {
    /// It is under way, or was stopped and can go on.
    Running,
    Done,
    /// It was taken back; whom it kept is in the log.
    Undone,
}

impl ImportStatus {
    /// Every status with the word that is stored and shown.
    pub const ALL: [(&'static str, Self); 3] =
        [("running", Self::Running), ("done", Self::Done), ("undone", Self::Undone)];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, status)| *status == self).map_or("running", |(word, _)| word)
    }
}

/// One row of an import that created or changed somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportRow {
    pub import: ImportId,
    /// 1 = the first row below the header.
    pub row: u64,
    pub prospect: ProspectId,
    /// `None` for somebody new.
    pub before: Option<Before>,
}

/// Somebody before an import changed them.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    pub known: ProspectDraft,
    pub company_id: Option<CompanyId>,
    pub relationship: Relationship,
    /// The import that had made or changed them until then.
    pub import: Option<ImportId>,
}

/// A part of an import that is taken back.
#[derive(Debug, Clone)]
pub struct Undone {
    pub import: ImportId,
    pub list: ListId,
    /// The rows that are taken back.
    pub rows: Vec<u64>,
    /// People that go away, with everything that hangs on them alone.
    pub removed: Vec<ProspectId>,
    /// How those were recognised who go away or are as before.
    pub forgotten: Vec<Identity>,
    /// People as they were before, how they are recognised, and the import that had made them so.
    pub restored: Vec<(Prospect, Vec<Identity>, Option<ImportId>)>,
    /// Nothing is left to take back: list entries, the list and companies go that nobody needs.
    pub finished: bool,
}

/// How the columns of a kind of file are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMap {
    pub fingerprint: String,
    pub columns: Vec<(String, String)>,
    pub learned_at: Timestamp,
}

/// A company as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyRecord {
    pub id: CompanyId,
    pub key: String,
    pub name: String,
}

/// An event that was told with a key, so that it counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldEvent {
    pub key: String,
    pub name: String,
    pub prospect: ProspectId,
    pub told_at: Timestamp,
}

/// Somebody who is to be taken in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Start {
    pub cadence: CadenceId,
    pub prospect: ProspectId,
}

/// One person going through one cadence, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrollmentRecord {
    pub id: EnrollmentId,
    /// At an account the one whose turn it is; the others are in its state.
    pub prospect: ProspectId,
    pub company: Option<CompanyId>,
    pub cadence: CadenceId,
    /// The version of the cadence.
    pub digest: String,
    /// The profile that let the person in, and the digest of its version.
    pub profile: Option<(ProfileId, String)>,
    pub score: i64,
    pub owner: RepId,
    pub mailbox: Option<MailboxId>,
    pub state: State,
    pub revision: i64,
    pub wake: Option<Wake>,
    pub enrolled_at: Timestamp,
}

impl EnrollmentRecord {
    /// The profile by which somebody came in, and the digest of its version.
    pub fn profile_of(&self, who: ProspectId) -> Option<&(ProfileId, String)> {
        let member = self.state.account.as_ref().and_then(|account| account.member(who));
        member.map_or(self.profile.as_ref(), |member| member.profile.as_ref())
    }

    /// Since when it is over for somebody; at an account that may be before its end.
    pub fn over_for(&self, who: ProspectId) -> Option<Timestamp> {
        let member = self.state.account.as_ref().and_then(|account| account.member(who));
        match (&self.state.phase, member.and_then(|member| member.left)) {
            (_, Some((_, at))) => Some(at),
            (Phase::Ended { at, .. }, None) => Some(*at),
            (_, None) => None,
        }
    }
}

/// A state in which an enrollment was from some time on, and what of its row goes with that. Only the
/// time of its next look may have changed behind it without another record.
#[derive(Debug, Clone, PartialEq)]
pub struct TransitionRecord {
    pub enrollment: EnrollmentId,
    /// That of the enrollment behind the write that made it.
    pub revision: i64,
    pub at: Timestamp,
    pub state: State,
    pub prospect: ProspectId,
    pub mailbox: Option<MailboxId>,
    pub owner: RepId,
    pub digest: String,
}

impl From<&EnrollmentRecord> for TransitionRecord {
    /// The first of an enrollment.
    fn from(record: &EnrollmentRecord) -> Self {
        Self {
            enrollment: record.id,
            revision: record.revision,
            at: record.enrolled_at,
            state: record.state.clone(),
            prospect: record.prospect,
            mailbox: record.mailbox.clone(),
            owner: record.owner.clone(),
            digest: record.digest.clone(),
        }
    }
}

/// A task in somebody's queue.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRecord {
    pub id: TaskId,
    pub enrollment: EnrollmentId,
    pub prospect: ProspectId,
    pub rep: RepId,
    pub kind: TaskKind,
    pub step: StepId,
    pub attempt: u32,
    /// What to do, in one line.
    pub title: String,
    /// What to say or write.
    pub text: String,
    /// The cadence version that opened it; not known of tasks from before versions were noted.
    pub version: Option<String>,
    /// 0 is most urgent.
    pub priority: u8,
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
    /// Until when it should be done, where its step says so.
    pub target_at: Option<Timestamp>,
    /// It is nobody's work before that time.
    pub wakes_at: Option<Timestamp>,
    /// The person was told that we call at `wakes_at`.
    pub promised: bool,
    /// Whose it is, while `rep` stands in for them.
    pub covers: Option<RepId>,
    /// What a network counts when it is done.
    pub metered: Option<Metered>,
    pub open: bool,
}

/// A first, once reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilestoneRecord {
    pub enrollment: EnrollmentId,
    pub prospect: ProspectId,
    pub milestone: Milestone,
    pub touch: TouchId,
    pub at: Timestamp,
}

/// A message that came in, with what it was taken for.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundRecord {
    pub id: InboundId,
    pub mailbox: MailboxId,
    pub message: Inbound,
    pub prospect: Option<ProspectId>,
    pub enrollment: Option<EnrollmentId>,
    pub touch: Option<TouchId>,
    pub received_at: Timestamp,
    /// Between the touch and this message.
    pub latency: Option<SignedDuration>,
}

/// A message that came in, as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplyRecord {
    pub id: InboundId,
    pub prospect: Option<ProspectId>,
    pub enrollment: Option<EnrollmentId>,
    pub kind: String,
    pub from: String,
    pub subject: String,
    pub text: String,
    pub reason: String,
    pub received_at: Timestamp,
    pub latency: Option<SignedDuration>,
    pub answers_step: Option<StepId>,
}

/// A successful read of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRead {
    pub mailbox: MailboxId,
    pub cursor: Option<String>,
    pub at: Timestamp,
}

/// A mailbox that has to wait, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxWait {
    pub mailbox: MailboxId,
    pub until: Timestamp,
    pub reason: Waiting,
}

/// What is remembered of a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailboxRecord {
    pub cursor: Option<String>,
    pub inbox_read_at: Option<Timestamp>,
    pub waits: Option<(Timestamp, Waiting)>,
    /// When the gap behind the last mail ends.
    pub next_send_at: Option<Timestamp>,
    /// Days on which it has sent before the last one, and the number of the last one.
    pub sending_days: u32,
    pub last_sending_day: Option<i64>,
    /// How many sending days there had been when it last began again behind a silence.
    pub resumed_days: Option<u32>,
}

impl MailboxRecord {
    /// The days on which it has sent, as its ramp counts them.
    pub fn days(&self) -> SendingDays {
        SendingDays {
            before: self.sending_days,
            last: self.last_sending_day,
            resumed: self.resumed_days,
        }
    }

    /// Notes the days on which it has sent.
    pub fn set_days(&mut self, days: SendingDays) {
        self.sending_days = days.before;
        self.last_sending_day = days.last;
        self.resumed_days = days.resumed;
    }
}
