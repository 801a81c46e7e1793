//! A list goes in: every row ends in exactly one outcome, with its reason (promise 10).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Engine, EngineError};
use crate::domain::address::EmailAddress;
use crate::domain::ids::{CompanyId, ListId, ProspectId, RepId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::prospect::{Prospect, ProspectDraft, Relationship};
use crate::domain::suppression::{Cause, Subject, Suppression};
use crate::formats::csv::{Layout, Problem, Reader, Row};
use crate::ports::{Changes, CompanyRecord, IdKind, Identity, ListRecord};

/// Rows that are looked up together.
const CHUNK: usize = 500;

/// Problems that a report keeps; the counts go on.
const PROBLEMS: usize = 10_000;

/// What a row came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    Created,
    Updated,
    Unchanged,
    Parked,
    Skipped,
    Rejected,
}

impl Outcome {
    /// Every outcome with the word that reports use, in their order.
    pub const ALL: [(&'static str, Self); 6] = [
        ("created", Self::Created),
        ("updated", Self::Updated),
        ("unchanged", Self::Unchanged),
        ("parked", Self::Parked),
        ("skipped", Self::Skipped),
        ("rejected", Self::Rejected),
    ];

    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, outcome)| *outcome == self).map_or("rejected", |(word, _)| word)
    }
}

/// What is imported, and how.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// As the report names it.
    pub file: String,
    /// Of the file's bytes.
    pub digest: String,
    pub list: String,
    pub owner: RepId,
    pub on_duplicate: OnDuplicate,
    pub mode: Mode,
}

/// Whether to do it or only to say what would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    DryRun,
    Commit,
}

/// What to do with a person who is known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDuplicate {
    /// Fill in what is not known.
    Fill,
    /// The list is right.
    Overwrite,
    /// Leave everything as it is.
    Skip,
}

/// One thing that a report tells of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    pub row: u64,
    pub line: u64,
    pub problem: Problem,
    /// Absent for a warning on a row that went in.
    pub outcome: Option<Outcome>,
}

/// What an import came to.
#[derive(Debug, Clone)]
pub struct ImportReport {
    pub file: String,
    pub list: String,
    pub layout: Layout,
    pub rows: u64,
    pub outcomes: BTreeMap<Outcome, u64>,
    pub problems: Vec<RowProblem>,
    pub dry_run: bool,
}

impl ImportReport {
    /// How many rows had that outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// The report as `firsttouch.import.v1`.
    pub fn to_json(&self) -> Value {
        let outcomes: serde_json::Map<String, Value> = Outcome::ALL
            .iter()
            .map(|(word, outcome)| ((*word).to_owned(), json!(self.count(*outcome))))
            .collect();
        let columns = self.layout.columns.iter().map(
            |column| json!({"header": column.header, "field": column.field, "why": column.why}),
        );
        let problems = self.problems.iter().map(|found| {
            json!({
                "row": found.row,
                "line": found.line,
                "column": found.problem.column,
                "value": found.problem.value,
                "problem": found.problem.problem,
                "fix": found.problem.fix,
                "outcome": found.outcome.map(Outcome::as_str),
            })
        });
        json!({
            "schema": "firsttouch.import.v1",
            "file": self.file,
            "list": self.list,
            "dry_run": self.dry_run,
            "encoding": self.layout.encoding,
            "encoding_guessed": self.layout.encoding_guessed,
            "delimiter": self.layout.delimiter.to_string(),
            "source": self.layout.source,
            "columns": columns.collect::<Vec<_>>(),
            "rows": self.rows,
            "outcomes": outcomes,
            "problems": problems.collect::<Vec<_>>(),
        })
    }
}

/// What was gathered so far.
struct Gathering {
    request: ImportRequest,
    now: Timestamp,
    list: ListId,
    changes: Changes,
    /// People of this file and of the database, by every way to recognise them.
    seen: BTreeMap<Identity, ProspectId>,
    people: BTreeMap<ProspectId, Prospect>,
    /// Where in `changes.prospects` somebody stands.
    places: BTreeMap<ProspectId, usize>,
    in_file: BTreeSet<ProspectId>,
    companies: BTreeMap<String, CompanyId>,
    report: ImportReport,
}

impl Engine {
    /// Imports an opened list. `progress` hears the number of rows that were read.
    ///
    /// # Errors
    /// The list's name is taken, or the store failed; then nothing was imported.
    pub async fn import<R: Read + Send>(
        &self,
        mut reader: Reader<R>,
        request: ImportRequest,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<ImportReport, EngineError> {
        self.check_list(&request).await?;
        let mut gathering = self.gathering(request, reader.layout().clone()).await?;
        loop {
            let rows: Vec<Row> = std::iter::from_fn(|| reader.next_row()).take(CHUNK).collect();
            if rows.is_empty() {
                break;
            }
            self.take_rows(&mut gathering, rows).await?;
            progress(gathering.report.rows);
        }
        let Gathering { mut changes, report, request, list, now, .. } = gathering;
        if request.mode == Mode::Commit {
            let outcomes = report.to_json();
            changes.lists.push(ListRecord {
                id: list,
                name: request.list.clone(),
                digest: request.digest.clone(),
                rows: report.rows,
                imported_at: now,
                report: outcomes.to_string(),
            });
            let entry = Entry::new(now, Happened::Imported).with("list", &request.list);
            changes.log.push(entry.with("text", &outcomes["outcomes"]));
            self.store.write(changes).await?;
        }
        Ok(report)
    }

    async fn check_list(&self, request: &ImportRequest) -> Result<(), EngineError> {
        if let Some(known) = self.store.list(&request.list).await?
            && known.digest != request.digest
        {
            return Err(EngineError::Refused(format!(
                "there is a list `{}` already, of another file: give this one a name with `--list NAME`",
                request.list
            )));
        }
        Ok(())
    }

    async fn gathering(
        &self,
        request: ImportRequest,
        layout: Layout,
    ) -> Result<Gathering, EngineError> {
        let known = self.store.list(&request.list).await?;
        let list = match known {
            Some(known) => known.id,
            None => ListId(self.id(IdKind::List).await?),
        };
        let report = ImportReport {
            file: request.file.clone(),
            list: request.list.clone(),
            layout,
            rows: 0,
            outcomes: BTreeMap::new(),
            problems: Vec::new(),
            dry_run: request.mode == Mode::DryRun,
        };
        Ok(Gathering {
            request,
            now: self.now(),
            list,
            changes: Changes::default(),
            seen: BTreeMap::new(),
            people: BTreeMap::new(),
            places: BTreeMap::new(),
            in_file: BTreeSet::new(),
            companies: BTreeMap::new(),
            report,
        })
    }

    async fn take_rows(
        &self,
        gathering: &mut Gathering,
        rows: Vec<Row>,
    ) -> Result<(), EngineError> {
        let drafts = || rows.iter().filter_map(|row| row.parsed.as_ref().ok());
        let keys: Vec<Identity> = drafts().flat_map(identities).collect();
        let found = self.store.find_identity(&keys).await?;
        let ids: BTreeSet<ProspectId> =
            found.values().filter(|id| !gathering.people.contains_key(id)).copied().collect();
        for prospect in self.store.prospects(&Vec::from_iter(ids)).await? {
            gathering.people.insert(prospect.id, prospect);
        }
        for (identity, id) in found {
            gathering.seen.entry(identity).or_insert(id);
        }
        let companies: Vec<String> = drafts().filter_map(|draft| draft.company.key()).collect();
        gathering.companies.extend(self.store.find_companies(&companies).await?);
        let subjects: Vec<Subject> = drafts().flat_map(subjects).collect();
        let blocked: BTreeSet<Subject> = self
            .store
            .suppressions(&subjects)
            .await?
            .into_iter()
            .map(|block| block.subject)
            .collect();
        for row in rows {
            self.take_row(gathering, row, &blocked).await?;
        }
        Ok(())
    }

    async fn take_row(
        &self,
        gathering: &mut Gathering,
        row: Row,
        blocked: &BTreeSet<Subject>,
    ) -> Result<(), EngineError> {
        gathering.report.rows += 1;
        let (number, line) = (row.number, row.line);
        for warning in row.warnings {
            gathering.tell(number, line, warning, None);
        }
        let draft = match row.parsed {
            Ok(draft) => draft,
            Err(problem) => {
                gathering.tell(number, line, problem, Some(Outcome::Rejected));
                gathering.count(Outcome::Rejected);
                return Ok(());
            }
        };
        if subjects(&draft).iter().any(|subject| blocked.contains(subject)) {
            gathering.skip(number, line, "is on the do-not-contact list", "nothing to do");
            return Ok(());
        }
        let outcome = match gathering.find(&draft) {
            Some(id) if !gathering.in_file.insert(id) => {
                gathering.skip(number, line, "stands twice in this file", "delete one of the rows");
                return Ok(());
            }
            Some(id) => gathering.update(id, draft),
            None => {
                let id = ProspectId(self.id(IdKind::Prospect).await?);
                let company = self.company(gathering, &draft).await?;
                gathering.create(id, company, draft)
            }
        };
        if outcome == Outcome::Parked {
            gathering.tell(number, line, no_country(), Some(Outcome::Parked));
        }
        gathering.count(outcome);
        Ok(())
    }

    async fn company(
        &self,
        gathering: &mut Gathering,
        draft: &ProspectDraft,
    ) -> Result<Option<CompanyId>, EngineError> {
        let Some(key) = draft.company.key() else {
            return Ok(None);
        };
        if let Some(id) = gathering.companies.get(&key) {
            return Ok(Some(*id));
        }
        let id = CompanyId(self.id(IdKind::Company).await?);
        let name = draft.company.name.clone().unwrap_or_else(|| key.clone());
        gathering.companies.insert(key.clone(), id);
        gathering.changes.companies.push(CompanyRecord { id, key, name });
        Ok(Some(id))
    }
}

impl Gathering {
    fn tell(&mut self, row: u64, line: u64, problem: Problem, outcome: Option<Outcome>) {
        if self.report.problems.len() < PROBLEMS {
            self.report.problems.push(RowProblem { row, line, problem, outcome });
        }
    }

    fn count(&mut self, outcome: Outcome) {
        *self.report.outcomes.entry(outcome).or_default() += 1;
    }

    fn skip(&mut self, row: u64, line: u64, problem: &str, fix: &str) {
        let (problem, fix) = (problem.to_owned(), fix.to_owned());
        let problem = Problem { column: None, value: String::new(), problem, fix };
        self.tell(row, line, problem, Some(Outcome::Skipped));
        self.count(Outcome::Skipped);
    }

    fn find(&self, draft: &ProspectDraft) -> Option<ProspectId> {
        identities(draft).iter().find_map(|identity| self.seen.get(identity).copied())
    }

    fn create(
        &mut self,
        id: ProspectId,
        company: Option<CompanyId>,
        draft: ProspectDraft,
    ) -> Outcome {
        let own = draft.owner.clone().filter(|_| self.request.owner.as_str().is_empty());
        let owner = own.map_or_else(|| self.request.owner.clone(), RepId);
        let parked = draft.country.is_none() && draft.time_zones.is_empty();
        self.in_file.insert(id);
        self.block_opt_outs(id, &draft);
        let relationship = Relationship::Prospect;
        self.put(Prospect { id, company_id: company, owner, relationship, known: draft });
        if parked { Outcome::Parked } else { Outcome::Created }
    }

    fn update(&mut self, id: ProspectId, draft: ProspectDraft) -> Outcome {
        self.changes.list_members.push((self.list, id));
        self.block_opt_outs(id, &draft);
        let Some(before) = self.people.get(&id).cloned() else {
            return Outcome::Unchanged;
        };
        let known = match self.request.on_duplicate {
            OnDuplicate::Skip => return Outcome::Unchanged,
            OnDuplicate::Fill => merged(before.known.clone(), draft),
            OnDuplicate::Overwrite => merged(draft, before.known.clone()),
        };
        if known == before.known {
            return Outcome::Unchanged;
        }
        self.put(Prospect { known, ..before });
        Outcome::Updated
    }

    fn put(&mut self, prospect: Prospect) {
        let id = prospect.id;
        let identities = identities(&prospect.known);
        for identity in &identities {
            self.seen.entry(identity.clone()).or_insert(id);
        }
        self.people.insert(id, prospect.clone());
        match self.places.get(&id).and_then(|place| self.changes.prospects.get_mut(*place)) {
            Some(entry) => *entry = (prospect, identities),
            None => {
                self.places.insert(id, self.changes.prospects.len());
                self.changes.prospects.push((prospect, identities));
                self.changes.list_members.push((self.list, id));
            }
        }
    }

    /// Opt-out columns only ever add a block.
    fn block_opt_outs(&mut self, id: ProspectId, draft: &ProspectDraft) {
        let block = |subject, cause| {
            let source = "import".to_owned();
            Suppression { subject, cause, source, at: self.now }
        };
        if draft.do_not_call {
            let phones = draft.phones.iter().map(|phone| Subject::Phone(phone.e164.clone()));
            let blocks: Vec<_> = phones.map(|subject| block(subject, Cause::DoNotCall)).collect();
            self.changes.suppressions.extend(blocks);
        }
        if draft.email_opt_out {
            let blocks =
                [Subject::Person(id)].into_iter().chain(draft.email.iter().map(Subject::email));
            let blocks: Vec<_> = blocks.map(|subject| block(subject, Cause::OptOut)).collect();
            self.changes.suppressions.extend(blocks);
        }
    }
}

/// Good, but nobody knows what time it is there: nothing can be sent at a decent hour.
fn no_country() -> Problem {
    Problem {
        column: Some("Country".to_owned()),
        value: String::new(),
        problem: "no country, so nobody knows what time it is there".to_owned(),
        fix: "fill in the country, or import with --default-country CC".to_owned(),
    }
}

/// Every way to recognise somebody, best first.
fn identities(draft: &ProspectDraft) -> Vec<Identity> {
    let identity = |kind, value: String| Identity { kind, value };
    let external = draft.external_id.iter().map(|id| identity("external", id.clone()));
    let emails = draft.email.iter().chain(&draft.other_emails);
    let emails = emails.map(|email| identity("email", EmailAddress::canonical(email)));
    let linkedin = draft.linkedin.iter().map(|slug| identity("linkedin", slug.clone()));
    let last = draft.last_name.as_ref().map(|name| name.to_lowercase());
    let phones = draft.phones.iter().take(2).filter_map(|phone| {
        Some(identity("phone_name", format!("{}/{}", phone.e164, last.as_ref()?)))
    });
    external.chain(emails).chain(linkedin).chain(phones).collect()
}

/// Everything under which a row may be blocked before it is anybody.
fn subjects(draft: &ProspectDraft) -> Vec<Subject> {
    let emails = draft.email.iter().chain(&draft.other_emails).map(Subject::email);
    let domain = draft.email.iter().map(|email| Subject::Domain(email.domain().to_owned()));
    emails.chain(domain).collect()
}

/// What is known, filled up with what another source says.
fn merged(known: ProspectDraft, other: ProspectDraft) -> ProspectDraft {
    let company = crate::domain::prospect::CompanyDraft {
        name: known.company.name.or(other.company.name),
        short: known.company.short.or(other.company.short),
        domain: known.company.domain.or(other.company.domain),
        industry: known.company.industry.or(other.company.industry),
        employees: known.company.employees.or(other.company.employees),
        revenue: known.company.revenue.or(other.company.revenue),
        city: known.company.city.or(other.company.city),
        country: known.company.country.or(other.company.country),
    };
    let filled = |list: Vec<_>, other: Vec<_>| if list.is_empty() { other } else { list };
    let mut extra = other.extra;
    extra.extend(known.extra);
    let mut other_emails = known.other_emails;
    for email in other.email.iter().chain(&other.other_emails) {
        if known.email.as_ref() != Some(email) && !other_emails.contains(email) {
            other_emails.push(email.clone());
        }
    }
    let email = known.email.or_else(|| (!other_emails.is_empty()).then(|| other_emails.remove(0)));
    let zone_source = match known.time_zones.is_empty() {
        true => other.zone_source,
        false => known.zone_source,
    };
    ProspectDraft {
        first_name: known.first_name.or(other.first_name),
        last_name: known.last_name.or(other.last_name),
        salutation: known.salutation.or(other.salutation),
        title: known.title.or(other.title),
        seniority: known.seniority.or(other.seniority),
        department: known.department.or(other.department),
        email,
        other_emails,
        phones: if known.phones.is_empty() { other.phones } else { known.phones },
        linkedin: known.linkedin.or(other.linkedin),
        city: known.city.or(other.city),
        region: known.region.or(other.region),
        country: known.country.or(other.country),
        time_zones: filled(known.time_zones, other.time_zones),
        zone_source,
        company,
        owner: known.owner.or(other.owner),
        external_id: known.external_id.or(other.external_id),
        do_not_call: known.do_not_call || other.do_not_call,
        email_opt_out: known.email_opt_out || other.email_opt_out,
        extra,
    }
}
