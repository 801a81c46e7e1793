//! A list goes in: every row ends in exactly one outcome, with its reason (promise 10).
//!
//! Rows are taken in by the chunk, each chunk in one transaction together with how far the import has
//! come. A crash leaves whole chunks behind; the same file with the same settings then goes on behind
//! them and ends as one clean run would have ended.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::BuildHasherDefault;
use std::ops::Range;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio_util::task::AbortOnDropHandle;

use super::{Engine, EngineError};
use crate::domain::identity::{AsItIs, Identity};
use crate::domain::ids::{CompanyId, ImportId, ListId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::profile::{Matchers, Profile};
use crate::domain::prospect::Prospect;
use crate::engine::enroll::{Entrance, already_in};
use crate::engine::starts::Started;
use crate::engine::workspace::Version;
use crate::formats::csv::Layout;
use crate::formats::profile_file;
use crate::ports::{
    Changes, IdKind, ImportRecord, ImportStatus, LeaseRequest, ListRecord, StoreError,
};

mod chunk;
mod index;
mod people;
mod recognise;
mod report;
mod request;
mod undo;

use chunk::{Asked, Chunk};
use index::{Index, Seen};
pub use people::identities;
pub use report::{ImportReport, Kind, Outcome, RowProblem, Rows};
use request::Parsed;
pub use request::{ImportRequest, Listener, Mode, OnDuplicate, Source};
pub use undo::Taken;

/// Ids that are reserved at a time behind the first chunk, so that no chunk waits for them.
const IDS: u32 = 40_000;

/// One import at a time, on every node: two would not see each other's people.
const LEASE: &str = "import";
const LEASE_LASTS: SignedDuration = SignedDuration::from_secs(20);
const LEASE_IS_RENEWED: SignedDuration = SignedDuration::from_secs(5);

/// Chunks whose companies a chunk may not find in the store yet: those that were being decided or written
/// while it was looked up.
const ON_THE_WAY: usize = 2;

/// Changes on their way into the store.
struct Writing {
    task: AbortOnDropHandle<Result<(), StoreError>>,
    /// So many rows are on record then.
    rows: u64,
}

/// The profiles that are applied, made ready for many people.
struct Profiles {
    pub all: Vec<Profile>,
    pub matchers: Matchers,
    /// Every field that they ask for.
    pub fields: BTreeSet<String>,
}

/// An import under way.
struct Importing {
    pub request: ImportRequest,
    pub now: Timestamp,
    pub record: ImportRecord,
    /// When the lease was taken or renewed.
    pub held_at: Timestamp,
    /// Rows that an earlier, interrupted run has put on record.
    pub behind: u64,
    pub list: ListId,
    /// Written together with the first rows.
    pub new_list: Option<ListRecord>,
    /// How people are recognised who are on record, but not yet so.
    pub index: Index,
    /// What the last chunks made.
    pub companies: VecDeque<HashMap<String, CompanyId>>,
    /// The chunk that is being written while the next one is decided.
    pub writing: Option<Writing>,
    /// Ids that are reserved for new people and companies.
    pub prospect_ids: Range<i64>,
    pub company_ids: Range<i64>,
    /// Everybody who stood in the file so far.
    pub in_file: Seen,
    /// In a dry run: how people of the file are recognised, since they are not stored.
    pub would_be: HashSet<Identity, BuildHasherDefault<AsItIs>>,
    pub profiles: Arc<Profiles>,
    /// The applied cadences that take people in when a field has some value.
    pub waiting_for_fields: Vec<Arc<Version>>,
    pub report: ImportReport,
}

impl Engine {
    /// Imports a list. When it was stopped before its end, the same request goes on there.
    ///
    /// # Errors
    /// The list's name is taken, another import is running, or the store failed; what was on record
    /// until then stays, and the same request goes on behind it.
    pub async fn import(
        &self,
        mut source: Source,
        request: ImportRequest,
        listener: &mut dyn Listener,
    ) -> Result<ImportReport, EngineError> {
        let commits = request.mode == Mode::Commit;
        let holder = self.import_holder();
        if commits {
            self.hold_imports(&holder).await?;
        }
        let done = self.import_all(&mut source, request, &holder, listener).await;
        if commits {
            self.let_imports_go(&holder).await?;
        }
        done
    }

    async fn import_all(
        &self,
        source: &mut Source,
        request: ImportRequest,
        holder: &str,
        listener: &mut dyn Listener,
    ) -> Result<ImportReport, EngineError> {
        let commits = request.mode == Mode::Commit;
        if commits {
            self.index_left_behind().await?;
        }
        let mut importing = self.begin_import(request, source.layout.clone()).await?;
        // While a chunk is decided, the next one is looked up and the one before is written.
        let mut looked_up: Option<Asked> = None;
        loop {
            importing.learn_who_is_known(&*self.store).await?;
            let next = match source.rows.recv().await {
                Some(Parsed::Rows(rows)) => Some(Asked::new(self.store.clone(), &importing, rows)),
                Some(Parsed::End { footers }) => {
                    importing.report.footers = footers;
                    None
                }
                None => return Err(EngineError::Refused("the file could not be read".to_owned())),
            };
            let is_end = next.is_none();
            if let Some(asked) = std::mem::replace(&mut looked_up, next) {
                self.import_chunk(&mut importing, asked, holder, listener).await?;
                if listener.stops() && !is_end {
                    self.stop_import(&mut importing, listener).await?;
                    return Ok(importing.report);
                }
            }
            if is_end {
                break;
            }
        }
        written(&mut importing, listener).await?;
        listener.sound().map_err(EngineError::Refused)?;
        if commits {
            self.take_in_new(&mut importing).await?;
            self.end_import(&mut importing).await?;
        }
        Ok(importing.report)
    }

    /// Takes in whom the import made to pass the tests of a cadence, as soon as they are recognised.
    async fn take_in_new(&self, importing: &mut Importing) -> Result<(), EngineError> {
        if self.store.waiting_to_start(1).await?.is_empty() {
            return Ok(());
        }
        let recognised = importing.index.rest(&mut importing.record);
        let imports = vec![importing.record.clone()];
        self.store.write(Changes { imports, recognised, ..Changes::default() }).await?;
        importing.report.started = self.take_in_waiting().await?;
        Ok(())
    }

    /// What would come of people who would pass the tests of a cadence; nothing is stored.
    async fn count_starts(
        &self,
        would_start: &[(Vec<Arc<Version>>, Prospect)],
        started: &mut Started,
    ) -> Result<(), EngineError> {
        let entrance = Entrance { at: self.now(), leaving: None };
        for (versions, prospect) in would_start {
            let mut is_in = false;
            for version in versions {
                let came = started.entry(version.cadence.id.clone()).or_default();
                came.people += 1;
                if is_in {
                    *came.skipped.entry(already_in()).or_default() += 1;
                    continue;
                }
                let admitting = self.admitting(&version.cadence.id).await?;
                let one = std::slice::from_ref(prospect);
                is_in = !self.admit_all(&admitting, one, &entrance, came).await?.is_empty();
            }
        }
        Ok(())
    }

    /// Puts on record what was decided so far; the same request goes on behind it.
    async fn stop_import(
        &self,
        importing: &mut Importing,
        listener: &mut dyn Listener,
    ) -> Result<(), EngineError> {
        written(importing, listener).await?;
        importing.report.stopped = true;
        if importing.request.mode == Mode::Commit {
            let recognised = importing.index.rest(&mut importing.record);
            let imports = vec![importing.record.clone()];
            self.store.write(Changes { imports, recognised, ..Changes::default() }).await?;
        }
        Ok(())
    }

    /// Names one run: on SQLite every process has the same node.
    fn import_holder(&self) -> String {
        format!("{}-{}", self.node, self.now().as_nanosecond())
    }

    async fn hold_imports(&self, holder: &str) -> Result<(), EngineError> {
        let now = self.now();
        let request = LeaseRequest {
            name: LEASE.to_owned(),
            holder: holder.to_owned(),
            now,
            until: now + LEASE_LASTS,
        };
        match self.store.lease(request).await? {
            Some(_) => Ok(()),
            None => Err(EngineError::Busy(
                "another import is running: wait for its end (or for 20 seconds, if it was killed) \
                 and try again"
                    .to_owned(),
            )),
        }
    }

    async fn let_imports_go(&self, holder: &str) -> Result<(), EngineError> {
        let (now, holder) = (self.now(), holder.to_owned());
        let request = LeaseRequest { name: LEASE.to_owned(), holder, now, until: now };
        self.store.lease(request).await?;
        Ok(())
    }

    async fn begin_import(
        &self,
        request: ImportRequest,
        layout: Layout,
    ) -> Result<Importing, EngineError> {
        let now = self.now();
        let known = self.store.list(&request.list).await?;
        let stopped = self.stopped_import(&request).await?;
        if let (Some(known), None) = (&known, &stopped)
            && !request.list_is_named
            && known.digest != request.digest
        {
            return Err(EngineError::Refused(format!(
                "there is a list `{0}` already, of another file: add these people to it with \
                 `--list {0}`, or give them a list of their own with `--list NAME`",
                request.list
            )));
        }
        let is_new_list = known.is_none();
        let list = match (&known, request.mode) {
            (Some(known), _) => known.id,
            (None, Mode::Commit) => ListId(self.id(IdKind::List).await?),
            (None, Mode::DryRun) => ListId(0),
        };
        let behind = stopped.as_ref().map_or(0, |record| record.rows_done);
        let record = match stopped {
            Some(record) => record,
            None => self.new_import(&request, list, now).await?,
        };
        let report = ImportReport::new(&request, &record, layout);
        let profiles = self.current_profiles().await?;
        let (matchers, fields) = (Matchers::new(&profiles), Matchers::fields(&profiles));
        let profiles = Arc::new(Profiles { all: profiles, matchers, fields });
        let waiting_for_fields = self.waiting_for_fields().await?;
        Ok(Importing {
            now,
            held_at: now - LEASE_IS_RENEWED,
            behind,
            new_list: is_new_list.then(|| new_list(&record)),
            list,
            index: Index::default(),
            companies: VecDeque::new(),
            writing: None,
            prospect_ids: 0..0,
            company_ids: 0..0,
            in_file: Seen::default(),
            would_be: HashSet::default(),
            profiles,
            waiting_for_fields,
            report,
            record,
            request,
        })
    }

    /// The interrupted import that this request goes on with.
    async fn stopped_import(
        &self,
        request: &ImportRequest,
    ) -> Result<Option<ImportRecord>, EngineError> {
        if request.mode == Mode::DryRun {
            return Ok(None);
        }
        let earlier = self.store.imports_of(&request.digest).await?;
        let Some(stopped) =
            earlier.into_iter().find(|record| record.status == ImportStatus::Running)
        else {
            return Ok(None);
        };
        if stopped.options == request.options() && stopped.list_name == request.list {
            return Ok(Some(stopped));
        }
        Err(EngineError::Refused(format!(
            "import {0} of this file stopped behind row {1}, with other settings: finish it with the \
             same ones, or take it back with `firsttouch import undo {0}`",
            stopped.name, stopped.rows_done
        )))
    }

    async fn new_import(
        &self,
        request: &ImportRequest,
        list: ListId,
        now: Timestamp,
    ) -> Result<ImportRecord, EngineError> {
        let day = self.settings.reader_zone.to_datetime(now).date().to_string();
        let of_today = |record: &ImportRecord| {
            let n = record.name.strip_prefix(&day)?.strip_prefix('-')?;
            n.parse::<u32>().ok()
        };
        let last = self.store.imports().await?.iter().filter_map(of_today).max().unwrap_or(0);
        let id = match request.mode {
            Mode::Commit => self.id(IdKind::Import).await?,
            Mode::DryRun => 0,
        };
        Ok(ImportRecord {
            id: ImportId(id),
            name: format!("{day}-{}", last + 1),
            list,
            list_name: request.list.clone(),
            file: request.file.clone(),
            digest: request.digest.clone(),
            options: request.options(),
            status: ImportStatus::Running,
            rows_done: 0,
            rows_indexed: 0,
            outcomes: BTreeMap::new(),
            started_at: now,
            finished: None,
        })
    }

    async fn import_chunk(
        &self,
        importing: &mut Importing,
        asked: Asked,
        holder: &str,
        listener: &mut dyn Listener,
    ) -> Result<(), EngineError> {
        if importing.request.mode == Mode::Commit {
            let n = asked.len();
            self.reserve_ids(IdKind::Prospect, &mut importing.prospect_ids, n).await?;
            self.reserve_ids(IdKind::Company, &mut importing.company_ids, n).await?;
        }
        let (mut chunk, rows) = asked.answered(importing).await?;
        for row in rows {
            chunk.take(importing, row, listener);
        }
        let Chunk { mut changes, new_companies, would_start, .. } = chunk;
        if importing.request.mode == Mode::DryRun {
            self.count_starts(&would_start, &mut importing.report.started).await?;
        }
        importing.companies.push_front(new_companies);
        importing.companies.truncate(ON_THE_WAY);
        if importing.request.mode == Mode::DryRun || importing.report.rows <= importing.behind {
            listener.rows(importing.report.rows);
            return Ok(());
        }
        written(importing, listener).await?;
        listener.sound().map_err(EngineError::Refused)?;
        let now = self.now();
        if now.duration_since(importing.held_at) >= LEASE_IS_RENEWED {
            self.hold_imports(holder).await?;
            importing.held_at = now;
        }
        changes.lists.extend(importing.new_list.take());
        importing.record.rows_done = importing.report.rows;
        importing.record.outcomes = importing.report.outcomes_by_word();
        changes.recognised = importing.index.next_piece(&mut importing.record);
        changes.imports.push(importing.record.clone());
        let store = self.store.clone();
        let task = tokio::spawn(async move { store.write(changes).await });
        let task = AbortOnDropHandle::new(task);
        importing.writing = Some(Writing { task, rows: importing.report.rows });
        Ok(())
    }

    /// Reserves ids before a chunk needs them: asking the store waits for what is being written.
    async fn reserve_ids(
        &self,
        kind: IdKind,
        reserved: &mut Range<i64>,
        rows: usize,
    ) -> Result<(), EngineError> {
        let wanted = i64::try_from(rows).unwrap_or(i64::MAX);
        if reserved.end - reserved.start >= wanted {
            return Ok(());
        }
        let n = match reserved.end {
            0 => u32::try_from(rows).unwrap_or(IDS),
            _ => IDS,
        };
        let first = self.store.ids(kind, n).await?;
        *reserved = first..first + i64::from(n);
        Ok(())
    }

    async fn end_import(&self, importing: &mut Importing) -> Result<(), EngineError> {
        let now = self.now();
        let report = importing.report.to_json();
        importing.record.status = ImportStatus::Done;
        importing.record.rows_done = importing.report.rows;
        importing.record.outcomes = importing.report.outcomes_by_word();
        importing.record.finished = Some((now, report.to_string()));
        let recognised = importing.index.rest(&mut importing.record);
        let record = importing.record.clone();
        let list = ListRecord {
            id: importing.list,
            name: record.list_name.clone(),
            digest: record.digest.clone(),
            rows: importing.report.rows,
            imported_at: importing.now,
            report: record.name.clone(),
        };
        let entry = Entry::new(now, Happened::Imported)
            .with("list", &record.list_name)
            .with("import", &record.name)
            .with("text", &report["outcomes"]);
        let (imports, lists, log) = (vec![record], vec![list], vec![entry]);
        let changes = Changes { imports, lists, log, recognised, ..Changes::default() };
        Ok(self.store.write(changes).await?)
    }

    async fn current_profiles(&self) -> Result<Vec<Profile>, EngineError> {
        let records = self.store.current_profiles().await?;
        let parsed = records.iter().map(|record| profile_file::parse(&record.path, &record.text));
        Ok(parsed.filter_map(Result::ok).map(|(profile, _)| profile).collect())
    }
}

/// Waits until the chunk before is on record.
async fn written(
    importing: &mut Importing,
    listener: &mut dyn Listener,
) -> Result<(), EngineError> {
    let Some(writing) = importing.writing.take() else { return Ok(()) };
    let done = writing.task.await;
    done.map_err(|error| EngineError::Refused(format!("the rows could not be written: {error}")))??;
    listener.rows(writing.rows);
    Ok(())
}

fn new_list(record: &ImportRecord) -> ListRecord {
    ListRecord {
        id: record.list,
        name: record.list_name.clone(),
        digest: record.digest.clone(),
        rows: 0,
        imported_at: record.started_at,
        report: record.name.clone(),
    }
}
