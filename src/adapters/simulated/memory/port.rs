//! The store as the port describes it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Inside, MemoryStore, days, guards, write};
use crate::domain::absence::Absence;
use crate::domain::address::EmailAddress;
use crate::domain::budget::{Cap, Quota, QuotaUsed, Used, Waiting};
use crate::domain::enrollment::Phase;
use crate::domain::hold::{Health, Hold};
use crate::domain::identity::Identity;
use crate::domain::ids::{
    CadenceId, CompanyId, EnrollmentId, ImportId, ListId, MailboxId, ProspectId, RepId, StepId,
    TaskId,
};
use crate::domain::log::Entry;
use crate::domain::prospect::Prospect;
use crate::domain::reply::Kind;
use crate::domain::suppression::{Subject, Suppression};
use crate::domain::touch::{Status, Touch};
use crate::ports::{
    AppliedRecord, BoardLine, Changes, EnrollmentRecord, Guards, HoldBack, IdKind, ImportRecord,
    ImportRow, InboundRecord, Intent, LEASE_AT_MOST, Lane, LeaseRequest, ListRecord, MailboxRecord,
    MilestoneRecord, ProfileRecord, ReplyRecord, Start, Store, StoreError, TaskRecord, ToldEvent,
    TransitionRecord, VersionRecord,
};

#[async_trait]
impl Store for MemoryStore {
    async fn write(&self, changes: Changes) -> Result<(), StoreError> {
        write::apply(&mut self.lock(), changes)
    }

    async fn intend(&self, changes: Changes, guards: Guards) -> Result<Intent, StoreError> {
        let mut inside = self.lock();
        let intent = guards::check(&inside, &guards);
        if intent == Intent::Committed {
            write::apply(&mut inside, changes)?;
            guards::charge(&mut inside, &guards);
        }
        Ok(intent)
    }

    async fn ids(&self, kind: IdKind, n: u32) -> Result<i64, StoreError> {
        let mut inside = self.lock();
        let next = inside.ids.entry(kind).or_insert(1);
        let first = *next;
        *next += i64::from(n);
        Ok(first)
    }

    async fn lease(&self, request: LeaseRequest) -> Result<Option<i64>, StoreError> {
        let mut inside = self.lock();
        let (holder, until) = (request.holder, request.until);
        let epoch = match inside.leases.get(&request.name) {
            None => 1,
            Some((known, _, epoch)) if *known == holder => *epoch,
            Some((_, held_until, epoch))
                if *held_until <= request.now || *held_until > request.now + LEASE_AT_MOST =>
            {
                epoch + 1
            }
            Some(_) => return Ok(None),
        };
        inside.leases.insert(request.name, (holder, until, epoch));
        Ok(Some(epoch))
    }

    async fn count_leases(&self, prefix: &str, now: Timestamp) -> Result<u64, StoreError> {
        let inside = self.lock();
        let held = inside
            .leases
            .iter()
            .filter(|(name, (_, until, _))| name.starts_with(prefix) && *until > now);
        Ok(held.count() as u64)
    }

    async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn current_cadences(&self) -> Result<Vec<VersionRecord>, StoreError> {
        let inside = self.lock();
        let digests = inside.current.values();
        Ok(digests.filter_map(|digest| inside.versions.get(digest)).cloned().collect())
    }

    async fn applications(&self, cadence: &CadenceId) -> Result<Vec<AppliedRecord>, StoreError> {
        let inside = self.lock();
        let own = inside.applied.iter().filter(|applied| applied.cadence == *cadence);
        Ok(own.cloned().collect())
    }

    async fn cadence_version(&self, digest: &str) -> Result<Option<VersionRecord>, StoreError> {
        Ok(self.lock().versions.get(digest).cloned())
    }

    async fn current_profiles(&self) -> Result<Vec<ProfileRecord>, StoreError> {
        let inside = self.lock();
        let mut current: Vec<_> = inside.current_profiles.iter().collect();
        current.sort_by_key(|(id, (position, _))| (*position, *id));
        let found = current.into_iter().filter_map(|(_, (_, digest))| inside.profiles.get(digest));
        Ok(found.cloned().collect())
    }

    async fn profile_version(&self, digest: &str) -> Result<Option<ProfileRecord>, StoreError> {
        Ok(self.lock().profiles.get(digest).cloned())
    }

    async fn prospects(&self, ids: &[ProspectId]) -> Result<Vec<Prospect>, StoreError> {
        let inside = self.lock();
        let mut found: Vec<Prospect> =
            ids.iter().filter_map(|id| inside.prospects.get(id)).cloned().collect();
        found.sort_by_key(|prospect| prospect.id);
        found.dedup_by_key(|prospect| prospect.id);
        Ok(found)
    }

    async fn find_identity(
        &self,
        keys: &[Identity],
    ) -> Result<BTreeMap<Identity, ProspectId>, StoreError> {
        let inside = self.lock();
        let found = |key: &Identity| Some((*key, *inside.identities.get(key)?));
        Ok(keys.iter().filter_map(found).collect())
    }

    async fn identities_after(
        &self,
        after: Option<Identity>,
        limit: u32,
    ) -> Result<Vec<Identity>, StoreError> {
        let inside = self.lock();
        let mut all: Vec<Identity> =
            inside.identities.keys().copied().filter(|way| Some(*way) > after).collect();
        all.sort_unstable();
        all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(all)
    }

    async fn find_companies(
        &self,
        keys: &[String],
    ) -> Result<BTreeMap<String, CompanyId>, StoreError> {
        let inside = self.lock();
        let found = |key: &String| Some((key.clone(), inside.companies.get(key)?.id));
        Ok(keys.iter().filter_map(found).collect())
    }

    async fn list(&self, _name: &str) -> Result<Option<ListRecord>, StoreError> {
        Ok(None)
    }

    async fn list_with_digest(&self, _digest: &str) -> Result<Option<ListRecord>, StoreError> {
        Ok(None)
    }

    async fn lists(&self) -> Result<Vec<ListRecord>, StoreError> {
        Ok(Vec::new())
    }

    async fn list_prospects(&self, _list: ListId) -> Result<Vec<ProspectId>, StoreError> {
        Ok(Vec::new())
    }

    async fn all_prospects(&self) -> Result<Vec<ProspectId>, StoreError> {
        let mut ids: Vec<ProspectId> = self.lock().prospects.keys().copied().collect();
        ids.sort_unstable();
        Ok(ids)
    }

    async fn imports(&self) -> Result<Vec<ImportRecord>, StoreError> {
        Ok(Vec::new())
    }

    async fn imports_of(&self, _digest: &str) -> Result<Vec<ImportRecord>, StoreError> {
        Ok(Vec::new())
    }

    async fn import_report(&self, _import: ImportId) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn import_rows(
        &self,
        _import: ImportId,
        _after: u64,
        _limit: u32,
    ) -> Result<Vec<ImportRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn people_of_rows(
        &self,
        _import: ImportId,
        _rows: &[u64],
    ) -> Result<BTreeMap<u64, ProspectId>, StoreError> {
        Ok(BTreeMap::new())
    }

    async fn last_imports(
        &self,
        _ids: &[ProspectId],
    ) -> Result<BTreeMap<ProspectId, ImportId>, StoreError> {
        Ok(BTreeMap::new())
    }

    async fn with_history(&self, ids: &[ProspectId]) -> Result<BTreeSet<ProspectId>, StoreError> {
        let inside = self.lock();
        let enrolled = |id: &ProspectId| inside.of_prospect.contains_key(id);
        let heard = |id: &ProspectId| inside.inbound.iter().any(|m| m.prospect == Some(*id));
        Ok(ids.iter().filter(|id| enrolled(id) || heard(id)).copied().collect())
    }

    async fn lists_of(&self, _prospect: ProspectId) -> Result<Vec<ListRecord>, StoreError> {
        Ok(Vec::new())
    }

    async fn on_other_lists(
        &self,
        _list: ListId,
        _ids: &[ProspectId],
    ) -> Result<BTreeSet<ProspectId>, StoreError> {
        Ok(BTreeSet::new())
    }

    async fn column_map(&self, _fingerprint: &str) -> Result<Vec<(String, String)>, StoreError> {
        Ok(Vec::new())
    }

    async fn suppressions(&self, subjects: &[Subject]) -> Result<Vec<Suppression>, StoreError> {
        Ok(self.lock().blocks_of(subjects).into_iter().cloned().collect())
    }

    async fn all_suppressions(&self) -> Result<Vec<Suppression>, StoreError> {
        let inside = self.lock();
        let mut all: Vec<Suppression> = inside.suppressions.values().flatten().cloned().collect();
        all.sort_by_key(|block| (block.at, block.subject.kind(), block.subject.value()));
        Ok(all)
    }

    async fn enrollment(&self, id: EnrollmentId) -> Result<Option<EnrollmentRecord>, StoreError> {
        Ok(self.lock().enrollments.get(&id).cloned())
    }

    async fn enrollments_of(
        &self,
        prospect: ProspectId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let inside = self.lock();
        let mut ids = inside.of_prospect.get(&prospect).cloned().unwrap_or_default();
        ids.sort_unstable();
        Ok(ids.iter().filter_map(|id| inside.enrollments.get(id)).cloned().collect())
    }

    async fn enrollments_in(
        &self,
        cadence: &CadenceId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError> {
        Ok(self.lock().enrollments_where(|record| record.cadence == *cadence))
    }

    async fn enrollments_at(
        &self,
        company: CompanyId,
        cadence: &CadenceId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let is_there = |record: &EnrollmentRecord| {
            record.company == Some(company) && record.cadence == *cadence && record.wake.is_some()
        };
        Ok(self.lock().enrollments_where(is_there))
    }

    async fn enrollments_without(
        &self,
        mailboxes: &[MailboxId],
    ) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let gone = |record: &EnrollmentRecord| match record.wake.as_ref().map(|wake| &wake.lane) {
            Some(Lane::Mailbox(id)) => !mailboxes.contains(id),
            Some(Lane::Desk) | None => false,
        };
        Ok(self.lock().enrollments_where(gone))
    }

    async fn enrollments_on_their_way(&self) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let sending = |record: &EnrollmentRecord| {
            matches!(record.state.phase, Phase::Sending { .. }) && record.wake.is_some()
        };
        Ok(self.lock().enrollments_where(sending))
    }

    async fn due(
        &self,
        lane: &Lane,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<EnrollmentId>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.lock().due(lane, now, limit))
    }

    async fn next_wake(&self, lane: &Lane) -> Result<Option<Timestamp>, StoreError> {
        let inside = self.lock();
        let first = inside.lanes.get(lane).and_then(|waiters| waiters.by_time.first().copied());
        Ok(first.map(|(at, _)| at))
    }

    async fn touches_of(&self, enrollment: EnrollmentId) -> Result<Vec<Touch>, StoreError> {
        let inside = self.lock();
        let found = inside.touches_of(enrollment).map(|kept| kept.touch.clone());
        Ok(in_order(found.collect()))
    }

    async fn touches_in_doubt(&self) -> Result<Vec<Touch>, StoreError> {
        let inside = self.lock();
        let touches = inside.touches.values().map(|kept| &kept.touch);
        let doubtful = touches.filter(|touch| {
            matches!(touch.status, Status::Intended | Status::InDoubt | Status::AssumedSent)
        });
        Ok(in_order(doubtful.cloned().collect()))
    }

    async fn census(&self) -> Result<Vec<(String, Option<Waiting>, u64)>, StoreError> {
        let inside = self.lock();
        let mut counts: BTreeMap<(String, Option<&'static str>), (Option<Waiting>, u64)> =
            BTreeMap::new();
        for record in inside.enrollments.values() {
            let waiting = record.wake.as_ref().map(|wake| wake.waiting);
            let key = (record.state.phase.name().to_owned(), waiting.map(Waiting::as_str));
            counts.entry(key).or_insert((waiting, 0)).1 += 1;
        }
        Ok(counts.into_iter().map(|((phase, _), (waiting, n))| (phase, waiting, n)).collect())
    }

    async fn board(&self, until: Timestamp) -> Result<Vec<BoardLine>, StoreError> {
        let inside = self.lock();
        let mut lines: BTreeMap<_, BoardLine> = BTreeMap::new();
        for record in inside.enrollments.values() {
            let phase = &record.state.phase;
            let about = match phase {
                Phase::Ended { ending, .. } => ending.as_str(),
                phase => phase.step().map_or("", |(step, _)| step.as_str()),
            };
            let waiting = record.wake.as_ref().map(|wake| wake.waiting);
            let first_at = record.wake.as_ref().map(|wake| wake.at);
            let (begun, due) = (record.state.has_begun(), first_at.is_some_and(|at| at <= until));
            let (cadence, phase, about) =
                (record.cadence.clone(), phase.name().to_owned(), about.to_owned());
            let word = waiting.map_or("", Waiting::as_str);
            let key = (cadence.clone(), phase.clone(), word, about.clone(), due, begun);
            let line =
                BoardLine { cadence, phase, about, begun, waiting, due, people: 0, first_at };
            let line = lines.entry(key).or_insert(line);
            line.people += 1;
            line.first_at = line.first_at.min(first_at);
        }
        Ok(lines.into_values().collect())
    }

    async fn done_by_step(&self) -> Result<Vec<(CadenceId, StepId, u64)>, StoreError> {
        let inside = self.lock();
        let mut counts: BTreeMap<(CadenceId, StepId), u64> = BTreeMap::new();
        for kept in inside.touches.values() {
            let touch = &kept.touch;
            let done = matches!(touch.status, Status::Sent | Status::AssumedSent | Status::Done);
            if let Some(record) = inside.enrollments.get(&touch.enrollment).filter(|_| done) {
                *counts.entry((record.cadence.clone(), touch.step.clone())).or_default() += 1;
            }
        }
        Ok(counts.into_iter().map(|((cadence, step), n)| (cadence, step, n)).collect())
    }

    async fn used(&self, cap: &Cap, now: Timestamp) -> Result<Vec<Used>, StoreError> {
        let inside = self.lock();
        let buckets = inside.budgets.get(&cap.scope).into_iter();
        let counted = buckets.flat_map(|b| b.range(cap.oldest_bucket(now).max(0)..));
        Ok(counted.map(|(bucket, count)| Used { bucket: *bucket, count: *count }).collect())
    }

    async fn begun_at(&self, company: CompanyId, except: EnrollmentId) -> Result<u64, StoreError> {
        let inside = self.lock();
        let begun = inside.begun_at.get(&company).into_iter().flatten();
        Ok(begun.filter(|id| **id != except).count() as u64)
    }

    async fn begun_of(
        &self,
        owner: &RepId,
        except: EnrollmentId,
        most: u32,
    ) -> Result<u64, StoreError> {
        Ok(guards::begun_of(&self.lock(), owner, except, most))
    }

    async fn quota_used(&self, quota: &Quota, now: Timestamp) -> Result<QuotaUsed, StoreError> {
        Ok(guards::quota_used(&self.lock(), quota, now))
    }

    async fn holds(&self) -> Result<Vec<Hold>, StoreError> {
        Ok(self.lock().holds.clone())
    }

    async fn hold_back(&self, back: HoldBack) -> Result<u64, StoreError> {
        Ok(write::hold_back(&mut self.lock(), &back))
    }

    async fn health(&self, mailbox: &MailboxId, since: Timestamp) -> Result<Health, StoreError> {
        let inside = self.lock();
        let since = inside.breaker_resets.get(mailbox).map_or(since, |reset| since.max(*reset));
        let ids = inside.of_mailbox.get(mailbox).into_iter().flatten();
        let own = ids.filter_map(|id| inside.touches.get(id));
        let mut health = Health::default();
        for kept in own.filter(|kept| kept.touch.at >= since) {
            let left = matches!(kept.touch.status, Status::Sent | Status::AssumedSent);
            health.mails += u64::from(left || kept.came_back_at.is_some());
            health.dead += u64::from(kept.came_back_at.is_some());
        }
        let complains = |inbound: &&InboundRecord| {
            inbound.mailbox == *mailbox
                && inbound.received_at >= since
                && inbound.message.kind == Kind::Complaint
        };
        health.complaints = inside.inbound.iter().filter(complains).count() as u64;
        Ok(health)
    }

    async fn note(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self.lock().notes.get(key).cloned())
    }

    async fn put_note(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.lock().notes.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn note_first(&self, key: &str, value: &str) -> Result<String, StoreError> {
        let mut inside = self.lock();
        Ok(inside.notes.entry(key.to_owned()).or_insert_with(|| value.to_owned()).clone())
    }

    async fn mailbox(&self, id: &MailboxId) -> Result<MailboxRecord, StoreError> {
        Ok(self.lock().mailboxes.get(id).cloned().unwrap_or_default())
    }

    async fn told_event(&self, key: &str) -> Result<Option<ToldEvent>, StoreError> {
        Ok(self.lock().told.get(key).cloned())
    }

    async fn waiting_to_start(&self, limit: u32) -> Result<Vec<Start>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.lock().starts.iter().take(limit).cloned().collect())
    }

    async fn transitions_of(
        &self,
        enrollment: EnrollmentId,
    ) -> Result<Vec<TransitionRecord>, StoreError> {
        Ok(self.lock().transitions.get(&enrollment).cloned().unwrap_or_default())
    }

    async fn touch_by_message_id(&self, ids: &[String]) -> Result<Option<Touch>, StoreError> {
        let inside = self.lock();
        let found = ids.iter().find_map(|id| inside.by_message.get(id));
        Ok(found.and_then(|id| inside.touches.get(id)).map(|kept| kept.touch.clone()))
    }

    async fn prospects_by_email(
        &self,
        addresses: &[EmailAddress],
    ) -> Result<Vec<ProspectId>, StoreError> {
        let inside = self.lock();
        let mut ids: Vec<ProspectId> =
            addresses.iter().filter_map(|address| inside.by_email(address)).collect();
        ids.dedup();
        Ok(ids)
    }

    async fn last_mail_to(&self, prospect: ProspectId) -> Result<Option<Touch>, StoreError> {
        let inside = self.lock();
        let ids = inside.touches_to.get(&prospect).map(Vec::as_slice).unwrap_or_default();
        let touches = ids.iter().filter_map(|id| inside.touches.get(id)).map(|kept| &kept.touch);
        let mails = touches.filter(|touch| touch.mail.is_some());
        Ok(mails.max_by_key(|touch| (touch.at, touch.id)).cloned())
    }

    async fn knows_message(&self, message_id: &str) -> Result<bool, StoreError> {
        Ok(self.lock().known_messages.contains(message_id))
    }

    async fn replies(&self, limit: u32) -> Result<Vec<ReplyRecord>, StoreError> {
        let inside = self.lock();
        let mut newest: Vec<&InboundRecord> = inside.inbound.iter().collect();
        newest.sort_by_key(|record| std::cmp::Reverse((record.received_at, record.id)));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(newest.into_iter().take(limit).map(|record| inside.reply(record)).collect())
    }

    async fn tasks(&self, rep: Option<&RepId>) -> Result<Vec<TaskRecord>, StoreError> {
        Ok(self.lock().tasks_of(rep))
    }

    async fn task(&self, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
        Ok(self.lock().tasks.get(&id).cloned())
    }

    async fn enrollments_of_owner(
        &self,
        owner: &RepId,
    ) -> Result<Vec<EnrollmentRecord>, StoreError> {
        let owned = |record: &EnrollmentRecord| record.owner == *owner && record.wake.is_some();
        Ok(self.lock().enrollments_where(owned))
    }

    async fn owners_waited_for(&self) -> Result<Vec<RepId>, StoreError> {
        Ok(days::owners_waited_for(&self.lock()))
    }

    async fn deeds(&self, actor: &RepId, limit: u32) -> Result<Vec<Entry>, StoreError> {
        Ok(days::deeds(&self.lock(), actor, limit))
    }

    async fn absences(&self, since: Timestamp) -> Result<Vec<Absence>, StoreError> {
        Ok(days::absences(&self.lock(), since))
    }

    async fn replies_of(
        &self,
        prospect: ProspectId,
        limit: u32,
    ) -> Result<Vec<ReplyRecord>, StoreError> {
        let all = self.replies(u32::MAX).await?;
        let theirs = all.into_iter().filter(|reply| reply.prospect == Some(prospect));
        Ok(theirs.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn log_of(&self, prospect: ProspectId) -> Result<Vec<Entry>, StoreError> {
        let inside = self.lock();
        let own = inside.log.iter().filter(|entry| entry.prospect == Some(prospect));
        Ok(own.cloned().collect())
    }

    async fn log_after(&self, id: i64, limit: u32) -> Result<(Vec<Entry>, i64), StoreError> {
        let inside = self.lock();
        let behind = usize::try_from(id.max(0)).unwrap_or(usize::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let entries: Vec<Entry> = inside.log.iter().skip(behind).take(limit).cloned().collect();
        let last = id + i64::try_from(entries.len()).unwrap_or(0);
        Ok((entries, last))
    }

    async fn milestones(&self) -> Result<Vec<MilestoneRecord>, StoreError> {
        let mut all: Vec<MilestoneRecord> = self.lock().milestones.values().cloned().collect();
        all.sort_by_key(|record| (record.at, record.enrollment, record.milestone.as_str()));
        Ok(all)
    }

    async fn undelivered_before(
        &self,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Touch>, StoreError> {
        let inside = self.lock();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let early = inside.undelivered.iter().take_while(|(at, _)| *at <= until);
        let touches = early.filter_map(|(_, id)| inside.touches.get(id));
        Ok(touches.take(limit).map(|kept| kept.touch.clone()).collect())
    }
}

fn in_order(mut touches: Vec<Touch>) -> Vec<Touch> {
    touches.sort_by_key(|touch| (touch.at, touch.id));
    touches
}

impl Inside {
    fn enrollments_where(
        &self,
        wanted: impl Fn(&EnrollmentRecord) -> bool,
    ) -> Vec<EnrollmentRecord> {
        self.enrollments.values().filter(|record| wanted(record)).cloned().collect()
    }

    /// Rank by rank, and in each those whose time has come.
    fn due(&self, lane: &Lane, now: Timestamp, limit: usize) -> Vec<EnrollmentId> {
        let Some(waiters) = self.lanes.get(lane) else {
            return Vec::new();
        };
        let (mut found, mut from) = (Vec::new(), i64::MIN);
        while found.len() < limit {
            let start = (from, Timestamp::MIN, EnrollmentId(i64::MIN));
            let Some((rank, ..)) = waiters.by_rank.range(start..).next() else { break };
            let due = waiters.by_rank.range((*rank, Timestamp::MIN, EnrollmentId(i64::MIN))..);
            let due = due.take_while(|(other, at, _)| other == rank && *at <= now);
            found.extend(due.map(|(_, _, id)| *id).take(limit - found.len()));
            from = rank + 1;
        }
        found
    }

    fn reply(&self, record: &InboundRecord) -> ReplyRecord {
        let touch = record.touch.and_then(|id| self.touches.get(&id));
        let message = &record.message;
        ReplyRecord {
            id: record.id,
            prospect: record.prospect,
            enrollment: record.enrollment,
            kind: message.kind.as_str().to_owned(),
            from: message.from.first().cloned().unwrap_or_default(),
            subject: message.subject.clone(),
            text: message.new_text.clone(),
            reason: message.reason.clone(),
            received_at: record.received_at,
            latency: record.latency,
            answers_step: touch.map(|kept| kept.touch.step.clone()),
        }
    }
}
