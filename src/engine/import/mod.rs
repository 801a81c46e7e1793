//! A list goes in: every row ends in exactly one outcome, with its reason (promise 10).
//!
//! Rows are taken in by the chunk, each chunk in one transaction together with how far the import has
//! come. A crash leaves whole chunks behind; the same file with the same settings then goes on behind
//! them and ends as one clean run would have ended.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio_util::task::AbortOnDropHandle;

use super::{Engine, EngineError};
use crate::domain::ids::{CompanyId, ImportId, ListId, ProspectId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::profile::{Matchers, Profile};
use crate::formats::csv::{Layout, Row};
use crate::formats::profile_file;
use crate::ports::{
    Changes, IdKind, Identity, ImportRecord, ImportStatus, LeaseRequest, ListRecord, StoreError,
};

mod chunk;
mod people;
mod recognise;
mod report;
mod request;
mod undo;

use chunk::Chunk;
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

/// Changes on their way into the store, and what the next chunk must know of them.
pub(super) struct Writing {
    task: AbortOnDropHandle<Result<(), StoreError>>,
    /// So many rows are on record then.
    rows: u64,
    pub recognised: Option<Arc<HashMap<Identity, ProspectId>>>,
    pub companies: HashMap<String, CompanyId>,
}

/// The profiles that are applied, made ready for many people.
pub(super) struct Profiles {
    pub all: Vec<Profile>,
    pub matchers: Matchers,
    /// Every field that they ask for.
    pub fields: BTreeSet<String>,
}

/// An import under way.
pub(super) struct Importing {
    pub request: ImportRequest,
    pub now: Timestamp,
    pub record: ImportRecord,
    /// Rows that an earlier, interrupted run has put on record.
    pub behind: u64,
    pub list: ListId,
    /// Written together with the first rows.
    pub new_list: Option<ListRecord>,
    /// How people are recognised who are on record, but not yet so.
    pub pending: HashMap<Identity, ProspectId>,
    /// The chunk that is being written while the next one is decided.
    pub writing: Option<Writing>,
    /// Ids that are reserved for new people and companies.
    pub prospect_ids: Range<i64>,
    pub company_ids: Range<i64>,
    /// Everybody who stood in the file so far.
    pub in_file: HashSet<ProspectId>,
    /// In a dry run: hashes of how people of the file are recognised, since they are not stored.
    pub would_be: HashSet<u64>,
    pub profiles: Arc<Profiles>,
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
        loop {
            match source.rows.recv().await {
                Some(Parsed::Rows(rows)) => {
                    self.import_chunk(&mut importing, rows, holder, listener).await?;
                }
                Some(Parsed::End { footers }) => {
                    importing.report.footers = footers;
                    break;
                }
                None => return Err(EngineError::Refused("the file could not be read".to_owned())),
            }
            if listener.stops() {
                written(&mut importing, listener).await?;
                if let Some(recognised) = importing.index_all().filter(|_| commits) {
                    let imports = vec![importing.record.clone()];
                    let recognised = Some(recognised);
                    self.store.write(Changes { imports, recognised, ..Changes::default() }).await?;
                }
                importing.report.stopped = true;
                return Ok(importing.report);
            }
        }
        written(&mut importing, listener).await?;
        listener.sound().map_err(EngineError::Refused)?;
        if commits {
            self.end_import(&mut importing).await?;
        }
        Ok(importing.report)
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
        Ok(Importing {
            now,
            behind,
            new_list: is_new_list.then(|| new_list(&record)),
            list,
            pending: HashMap::new(),
            writing: None,
            prospect_ids: 0..0,
            company_ids: 0..0,
            in_file: HashSet::new(),
            would_be: HashSet::new(),
            profiles,
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
        rows: Vec<Row>,
        holder: &str,
        listener: &mut dyn Listener,
    ) -> Result<(), EngineError> {
        if importing.request.mode == Mode::Commit {
            let n = rows.len();
            self.reserve_ids(IdKind::Prospect, &mut importing.prospect_ids, n).await?;
            self.reserve_ids(IdKind::Company, &mut importing.company_ids, n).await?;
        }
        let mut chunk = Chunk::look_up(self, importing, &rows).await?;
        for row in rows {
            chunk.take(importing, row, listener);
        }
        let Chunk { mut changes, new_companies, .. } = chunk;
        if importing.request.mode == Mode::DryRun || importing.report.rows <= importing.behind {
            listener.rows(importing.report.rows);
            return Ok(());
        }
        written(importing, listener).await?;
        listener.sound().map_err(EngineError::Refused)?;
        self.hold_imports(holder).await?;
        changes.lists.extend(importing.new_list.take());
        importing.record.rows_done = importing.report.rows;
        importing.record.outcomes = importing.report.outcomes_by_word();
        let recognised = importing.index_in_time();
        changes.recognised.clone_from(&recognised);
        changes.imports.push(importing.record.clone());
        let store = self.store.clone();
        let task = tokio::spawn(async move { store.write(changes).await });
        importing.writing = Some(Writing {
            task: AbortOnDropHandle::new(task),
            rows: importing.report.rows,
            recognised,
            companies: new_companies,
        });
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
        let recognised = importing.index_all();
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
