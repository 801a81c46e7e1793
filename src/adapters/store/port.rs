//! The store as the port describes it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Any, Transaction};

use super::json::timestamp;
use super::read::ms;
use super::{Block, SqlStore, failed, get, lists, rows};
use crate::domain::absence::Absence;
use crate::domain::address::EmailAddress;
use crate::domain::budget::{Cap, Quota, QuotaUsed, Used, Waiting};
use crate::domain::hold::{Health, Hold};
use crate::domain::identity::Identity;
use crate::domain::ids::{
    CadenceId, CompanyId, EnrollmentId, ImportId, ListId, MailboxId, ProspectId, RepId, StepId,
    TaskId,
};
use crate::domain::log::Entry;
use crate::domain::prospect::Prospect;
use crate::domain::suppression::{Subject, Suppression};
use crate::domain::touch::Touch;
use crate::ports::{
    AppliedRecord, BoardLine, Changes, EnrollmentRecord, Guards, HoldBack, IdKind, ImportRecord,
    ImportRow, Intent, Lane, LeaseRequest, ListRecord, MailboxRecord, MilestoneRecord,
    ProfileRecord, ReplyRecord, Start, Store, StoreError, TaskRecord, ToldEvent, TransitionRecord,
    VersionRecord,
};

/// Ids that a process reserves at a time; a restart skips what is left.
const BLOCK: u32 = 200;

#[async_trait]
impl Store for SqlStore {
    async fn write(&self, changes: Changes) -> Result<(), StoreError> {
        self.commit(changes, None).await.map(drop)
    }

    async fn intend(&self, changes: Changes, guards: Guards) -> Result<Intent, StoreError> {
        self.commit(changes, Some(guards)).await
    }

    async fn ids(&self, kind: IdKind, n: u32) -> Result<i64, StoreError> {
        if let Some(first) = self.reserved(kind, n) {
            return Ok(first);
        }
        let mut tx = self.begin().await?;
        let block = reserve(&mut tx, id_kind_word(kind), n.max(BLOCK)).await?;
        tx.commit().await.map_err(failed("commit"))?;
        let mut blocks = self.ids.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        blocks.insert(kind, Block { next: block.next + i64::from(n), ..block });
        Ok(block.next)
    }

    async fn lease(&self, request: LeaseRequest) -> Result<Option<i64>, StoreError> {
        self.take_lease(&request).await
    }

    async fn count_leases(&self, prefix: &str, now: Timestamp) -> Result<u64, StoreError> {
        self.read_lease_count(prefix, now).await
    }

    async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read_clock().await
    }

    async fn current_cadences(&self) -> Result<Vec<VersionRecord>, StoreError> {
        let sql = "select v.* from cadence_version v join cadence_current c on c.digest = v.digest \
             order by v.cadence_id";
        self.all(sql, rows::version).await
    }

    async fn applications(&self, cadence: &CadenceId) -> Result<Vec<AppliedRecord>, StoreError> {
        let sql = "select * from cadence_applied where cadence_id = $1 order by number";
        self.all_by_text(sql, cadence.as_str(), rows::applied).await
    }

    async fn cadence_version(&self, digest: &str) -> Result<Option<VersionRecord>, StoreError> {
        let sql = "select * from cadence_version where digest = $1";
        Ok(self.all_by_text(sql, digest, rows::version).await?.pop())
    }

    async fn current_profiles(&self) -> Result<Vec<ProfileRecord>, StoreError> {
        let sql = "select v.* from profile_version v join profile_current c on c.digest = v.digest \
             order by c.position, v.profile_id";
        self.all(sql, rows::profile).await
    }

    async fn profile_version(&self, digest: &str) -> Result<Option<ProfileRecord>, StoreError> {
        let sql = "select * from profile_version where digest = $1";
        Ok(self.all_by_text(sql, digest, rows::profile).await?.pop())
    }

    async fn prospects(&self, ids: &[ProspectId]) -> Result<Vec<Prospect>, StoreError> {
        self.read_prospects(ids).await
    }

    async fn find_identity(
        &self,
        keys: &[Identity],
    ) -> Result<BTreeMap<Identity, ProspectId>, StoreError> {
        self.read_identities(keys).await
    }

    async fn identities_after(
        &self,
        after: Option<Identity>,
        limit: u32,
    ) -> Result<Vec<Identity>, StoreError> {
        self.read_identities_after(after, limit).await
    }

    async fn find_companies(
        &self,
        keys: &[String],
    ) -> Result<BTreeMap<String, CompanyId>, StoreError> {
        self.read_companies(keys).await
    }

    async fn list(&self, name: &str) -> Result<Option<ListRecord>, StoreError> {
        Ok(self.all_by_text("select * from list where name = $1", name, rows::list).await?.pop())
    }

    async fn list_with_digest(&self, digest: &str) -> Result<Option<ListRecord>, StoreError> {
        let sql = "select * from list where digest = $1 order by id";
        Ok(self.all_by_text(sql, digest, rows::list).await?.into_iter().next())
    }

    async fn lists(&self) -> Result<Vec<ListRecord>, StoreError> {
        self.all("select * from list order by id", rows::list).await
    }

    async fn list_prospects(&self, list: ListId) -> Result<Vec<ProspectId>, StoreError> {
        let sql = "select prospect_id from list_member where list_id = $1 order by prospect_id";
        self.all_by_id(sql, list.0, |row| Ok(ProspectId(get(row, "prospect_id")?))).await
    }

    async fn all_prospects(&self) -> Result<Vec<ProspectId>, StoreError> {
        self.all("select id from prospect order by id", |row| Ok(ProspectId(get(row, "id")?))).await
    }

    async fn imports(&self) -> Result<Vec<ImportRecord>, StoreError> {
        self.all("select * from import order by id desc", lists::import).await
    }

    async fn imports_of(&self, digest: &str) -> Result<Vec<ImportRecord>, StoreError> {
        let sql = "select * from import where digest = $1 order by id desc";
        self.all_by_text(sql, digest, lists::import).await
    }

    async fn import_report(&self, import: ImportId) -> Result<Option<String>, StoreError> {
        let sql = "select report from import where id = $1";
        Ok(self.all_by_id(sql, import.0, |row| get(row, "report")).await?.pop().flatten())
    }

    async fn import_rows(
        &self,
        import: ImportId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ImportRow>, StoreError> {
        self.read_import_rows(import, after, limit).await
    }

    async fn people_of_rows(
        &self,
        import: ImportId,
        rows: &[u64],
    ) -> Result<BTreeMap<u64, ProspectId>, StoreError> {
        self.read_people_of_rows(import, rows).await
    }

    async fn last_imports(
        &self,
        ids: &[ProspectId],
    ) -> Result<BTreeMap<ProspectId, ImportId>, StoreError> {
        self.read_last_imports(ids).await
    }

    async fn with_history(&self, ids: &[ProspectId]) -> Result<BTreeSet<ProspectId>, StoreError> {
        self.read_with_history(ids).await
    }

    async fn lists_of(&self, prospect: ProspectId) -> Result<Vec<ListRecord>, StoreError> {
        let sql = "select l.* from list l join list_member m on m.list_id = l.id \
             where m.prospect_id = $1 order by l.id";
        self.all_by_id(sql, prospect.0, rows::list).await
    }

    async fn on_other_lists(
        &self,
        list: ListId,
        ids: &[ProspectId],
    ) -> Result<BTreeSet<ProspectId>, StoreError> {
        self.read_on_other_lists(list, ids).await
    }

    async fn column_map(&self, fingerprint: &str) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "select columns from column_map where fingerprint = $1";
        let found = self.all_by_text(sql, fingerprint, lists::columns).await?;
        Ok(found.into_iter().next().unwrap_or_default())
    }

    async fn suppressions(&self, subjects: &[Subject]) -> Result<Vec<Suppression>, StoreError> {
        self.read_suppressions(subjects).await
    }

    async fn all_suppressions(&self) -> Result<Vec<Suppression>, StoreError> {
        self.all("select * from suppression order by at, kind, value", rows::suppression).await
    }

    async fn enrollment(&self, id: EnrollmentId) -> Result<Option<EnrollmentRecord>, StoreError> {
        let sql = "select * from enrollment where id = $1";
        Ok(self.all_by_id(sql, id.0, rows::enrollment).await?.pop())
    }

    async fn enrollments_of(
        &self,
        prospect: ProspectId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let sql = "select * from enrollment where prospect_id = $1 or id in \
                   (select enrollment_id from account_member where prospect_id = $1) order by id";
        self.all_by_id(sql, prospect.0, rows::enrollment).await
    }

    async fn enrollments_without(
        &self,
        mailboxes: &[MailboxId],
    ) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let known: Vec<String> =
            mailboxes.iter().map(|id| rows::lane_text(&Lane::Mailbox(id.clone()))).collect();
        self.read_outside(&known).await
    }

    async fn enrollments_on_their_way(&self) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let sql =
            "select * from enrollment where phase = 'sending' and lane is not null order by id";
        self.all(sql, rows::enrollment).await
    }

    async fn enrollments_in(
        &self,
        cadence: &CadenceId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let sql = "select * from enrollment where cadence_id = $1 order by id";
        self.all_by_text(sql, cadence.as_str(), rows::enrollment).await
    }

    async fn enrollments_at(
        &self,
        company: CompanyId,
        cadence: &CadenceId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let found = sqlx::query(
            "select * from enrollment where company_id = $1 and cadence_id = $2 \
             and lane is not null order by id",
        )
        .bind(company.0)
        .bind(cadence.0.clone())
        .fetch_all(&self.readers)
        .await
        .map_err(failed("find the colleagues"))?;
        found.iter().map(rows::enrollment).collect()
    }

    async fn due(
        &self,
        lane: &Lane,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<EnrollmentId>, StoreError> {
        self.read_due(&rows::lane_text(lane), ms(now), i64::from(limit)).await
    }

    async fn next_wake(&self, lane: &Lane) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(
            "select min(wake_at) as at from enrollment where lane = $1 and lane is not null",
        )
        .bind(rows::lane_text(lane))
        .fetch_one(&self.readers)
        .await
        .map_err(failed("find what is next"))?;
        Ok(get::<Option<i64>>(&row, "at")?.map(timestamp))
    }

    async fn touches_of(&self, enrollment: EnrollmentId) -> Result<Vec<Touch>, StoreError> {
        let sql = "select * from touch where enrollment_id = $1 order by at, id";
        self.all_by_id(sql, enrollment.0, rows::touch).await
    }

    async fn touches_in_doubt(&self) -> Result<Vec<Touch>, StoreError> {
        let sql = "select * from touch where status in ('intended', 'in_doubt', 'assumed_sent') \
             order by at, id";
        self.all(sql, rows::touch).await
    }

    async fn census(&self) -> Result<Vec<(String, Option<Waiting>, u64)>, StoreError> {
        self.read_census().await
    }

    async fn board(&self, until: Timestamp) -> Result<Vec<BoardLine>, StoreError> {
        self.read_board(until).await
    }

    async fn done_by_step(&self) -> Result<Vec<(CadenceId, StepId, u64)>, StoreError> {
        self.read_done_by_step().await
    }

    async fn used(&self, cap: &Cap, now: Timestamp) -> Result<Vec<Used>, StoreError> {
        self.read_used(cap, now).await
    }

    async fn begun_at(&self, company: CompanyId, except: EnrollmentId) -> Result<u64, StoreError> {
        self.count_begun_at(company, except).await
    }

    async fn begun_of(
        &self,
        owner: &RepId,
        except: EnrollmentId,
        most: u32,
    ) -> Result<u64, StoreError> {
        self.count_begun_of(owner, except, most).await
    }

    async fn quota_used(&self, quota: &Quota, now: Timestamp) -> Result<QuotaUsed, StoreError> {
        self.read_quota(quota, now).await
    }

    async fn holds(&self) -> Result<Vec<Hold>, StoreError> {
        self.read_holds().await
    }

    async fn hold_back(&self, back: HoldBack) -> Result<u64, StoreError> {
        self.write_hold_back(&back).await
    }

    async fn health(&self, mailbox: &MailboxId, since: Timestamp) -> Result<Health, StoreError> {
        self.read_health(mailbox, since).await
    }

    async fn note(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.read_note(key).await
    }

    async fn put_note(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.write_note(key, value).await
    }

    async fn note_first(&self, key: &str, value: &str) -> Result<String, StoreError> {
        self.write_note_first(key, value).await
    }

    async fn mailbox(&self, id: &MailboxId) -> Result<MailboxRecord, StoreError> {
        let sql = "select * from mailbox where id = $1";
        Ok(self.all_by_text(sql, id.as_str(), rows::mailbox).await?.pop().unwrap_or_default())
    }

    async fn told_event(&self, key: &str) -> Result<Option<ToldEvent>, StoreError> {
        self.read_told_event(key).await
    }

    async fn waiting_to_start(&self, limit: u32) -> Result<Vec<Start>, StoreError> {
        self.read_waiting_to_start(limit).await
    }

    async fn transitions_of(
        &self,
        enrollment: EnrollmentId,
    ) -> Result<Vec<TransitionRecord>, StoreError> {
        self.read_transitions_of(enrollment).await
    }

    async fn touch_by_message_id(&self, ids: &[String]) -> Result<Option<Touch>, StoreError> {
        self.read_touch_by_message_id(ids).await
    }

    async fn prospects_by_email(
        &self,
        addresses: &[EmailAddress],
    ) -> Result<Vec<ProspectId>, StoreError> {
        self.read_prospects_by_email(addresses).await
    }

    async fn last_mail_to(&self, prospect: ProspectId) -> Result<Option<Touch>, StoreError> {
        let sql = "select * from touch where prospect_id = $1 and channel = 'email' \
             order by at desc, id desc limit 1";
        Ok(self.all_by_id(sql, prospect.0, rows::touch).await?.pop())
    }

    async fn knows_message(&self, message_id: &str) -> Result<bool, StoreError> {
        let sql = "select id from inbound where message_id = $1";
        Ok(!self.all_by_text(sql, message_id, |_| Ok(())).await?.is_empty())
    }

    async fn replies(&self, limit: u32) -> Result<Vec<ReplyRecord>, StoreError> {
        let sql = "select i.*, t.step_id from inbound i left join touch t on t.id = i.touch_id \
             order by i.received_at desc, i.id desc limit $1";
        self.all_by_id(sql, i64::from(limit), rows::reply).await
    }

    async fn tasks(&self, rep: Option<&RepId>) -> Result<Vec<TaskRecord>, StoreError> {
        let all = "select * from task where closed_at is null order by priority, opened_at, id";
        let of_rep = "select * from task where rep = $1 and closed_at is null \
             order by priority, opened_at, id";
        match rep {
            Some(rep) => self.all_by_text(of_rep, rep.as_str(), rows::task).await,
            None => self.all(all, rows::task).await,
        }
    }

    async fn task(&self, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
        Ok(self.all_by_id("select * from task where id = $1", id.0, rows::task).await?.pop())
    }

    async fn enrollments_of_owner(
        &self,
        owner: &RepId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let sql = "select * from enrollment where owner = $1 and lane is not null order by id";
        self.all_by_text(sql, owner.as_str(), rows::enrollment).await
    }

    async fn owners_waited_for(&self) -> Result<Vec<RepId>, StoreError> {
        let sql = "select distinct owner from enrollment where lane is not null \
             and waiting = 'owner_away' order by owner";
        self.all(sql, |row| Ok(RepId(get(row, "owner")?))).await
    }

    async fn deeds(&self, actor: &RepId, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.read_deeds(actor, limit).await
    }

    async fn absences(&self, since: Timestamp) -> Result<Vec<Absence>, StoreError> {
        self.read_absences(since).await
    }

    async fn replies_of(
        &self,
        prospect: ProspectId,
        limit: u32,
    ) -> Result<Vec<ReplyRecord>, StoreError> {
        self.read_replies_of(prospect, limit).await
    }

    async fn log_of(&self, prospect: ProspectId) -> Result<Vec<Entry>, StoreError> {
        let sql = "select * from event where prospect_id = $1 order by id";
        self.all_by_id(sql, prospect.0, rows::entry).await
    }

    async fn log_after(&self, id: i64, limit: u32) -> Result<(Vec<Entry>, i64), StoreError> {
        self.read_log_after(id, limit).await
    }

    async fn milestones(&self) -> Result<Vec<MilestoneRecord>, StoreError> {
        let sql = "select * from milestone order by at, enrollment_id, milestone";
        self.all(sql, rows::milestone).await
    }

    async fn undelivered_before(
        &self,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Touch>, StoreError> {
        let found = sqlx::query(
            "select t.* from touch t where t.channel = 'email' and t.status in ('sent', 'assumed_sent') \
             and t.came_back_at is null and t.at <= $1 and not exists (select 1 from milestone m \
             where m.enrollment_id = t.enrollment_id and m.milestone = 'first_delivered') \
             order by t.at, t.id limit $2",
        )
        .bind(ms(until))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed("find deliveries"))?;
        found.iter().map(rows::touch).collect()
    }
}

impl SqlStore {
    /// Ids out of the block that is ours already, if it has so many.
    fn reserved(&self, kind: IdKind, n: u32) -> Option<i64> {
        let mut blocks = self.ids.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        blocks.entry(kind).or_default().take(i64::from(n))
    }

    /// Ids for log entries, reserved inside the transaction that writes them: the order of the ids is
    /// the order of the commits, so a reader behind the log misses nothing.
    pub(super) async fn event_ids(
        &self,
        tx: &mut Transaction<'static, Any>,
        n: usize,
    ) -> Result<i64, StoreError> {
        Ok(reserve(tx, "event", u32::try_from(n).unwrap_or(u32::MAX)).await?.next)
    }
}

impl Block {
    fn take(&mut self, n: i64) -> Option<i64> {
        (self.end - self.next >= n).then(|| {
            let first = self.next;
            self.next += n;
            first
        })
    }
}

async fn reserve(
    tx: &mut Transaction<'static, Any>,
    kind: &str,
    n: u32,
) -> Result<Block, StoreError> {
    let row = sqlx::query(
        "insert into sequence (kind, next) values ($1, 1 + $2) \
         on conflict (kind) do update set next = sequence.next + $2 returning next",
    )
    .bind(kind.to_owned())
    .bind(i64::from(n))
    .fetch_one(&mut **tx)
    .await
    .map_err(failed("reserve ids"))?;
    let end: i64 = get(&row, "next")?;
    Ok(Block { next: end - i64::from(n), end })
}

fn id_kind_word(kind: IdKind) -> &'static str {
    match kind {
        IdKind::Prospect => "prospect",
        IdKind::Company => "company",
        IdKind::List => "list",
        IdKind::Import => "import",
        IdKind::Enrollment => "enrollment",
        IdKind::Touch => "touch",
        IdKind::Task => "task",
        IdKind::Inbound => "inbound",
        IdKind::Absence => "absence",
    }
}
