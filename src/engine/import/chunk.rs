//! Some rows of a list: looked up together, decided one by one, written together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::people::{Ways, adds, identities, merged, subjects};
use super::{Importing, Listener, Mode, OnDuplicate, Outcome, Profiles, RowProblem};
use crate::domain::cadence::Seen;
use crate::domain::facts::Facts;
use crate::domain::identity::{ByIdentity, Identity};
use crate::domain::ids::{CompanyId, ImportId, ProspectId, RepId};
use crate::domain::profile::{Person, Profile, Quick};
use crate::domain::prospect::{Prospect, ProspectDraft, Relationship};
use crate::domain::suppression::{Cause, Subject, Suppression};
use crate::engine::EngineError;
use crate::engine::workspace::Version;
use crate::formats::csv::{Problem, Row};
use crate::ports::{Before, Changes, CompanyRecord, ImportRow, Start, Store, StoreError};

/// Rows whose people are being looked up.
pub(super) struct Asked {
    rows: Vec<Row>,
    ways: Vec<Ways>,
    known: AbortOnDropHandle<Result<Known, StoreError>>,
}

/// What is known of the rows of a chunk, and what they change.
pub(super) struct Chunk {
    pub changes: Changes,
    known: Known,
    /// What the chunks behind this one must know before this one is written.
    pub new_companies: HashMap<String, CompanyId>,
    /// In a dry run: who would pass the tests of which cadences.
    pub would_start: Vec<(Vec<Arc<Version>>, Prospect)>,
    row_column: Option<usize>,
}

/// What the store is asked about some rows.
struct Question {
    /// Of each row the best way to recognise its person, and the others.
    ways: Vec<(Identity, Vec<Identity>)>,
    /// An earlier import, and those of its rows that are mended here.
    mends: Option<(ImportId, Vec<u64>)>,
    companies: Vec<String>,
    subjects: BTreeSet<Subject>,
}

/// What the store knows of some rows.
#[derive(Default)]
struct Known {
    /// People by every way to recognise them that had to be asked for.
    people_by: ByIdentity,
    /// People of the rows of the import that these rows mend.
    mended: BTreeMap<u64, ProspectId>,
    people: BTreeMap<ProspectId, Prospect>,
    last_imports: BTreeMap<ProspectId, ImportId>,
    companies: BTreeMap<String, CompanyId>,
    blocked: BTreeSet<Subject>,
    blocked_people: BTreeSet<ProspectId>,
}

impl Asked {
    /// Begins to look up everything that the rows may be about.
    pub fn new(store: Arc<dyn Store>, importing: &Importing, rows: Vec<Row>) -> Self {
        let ways = |row: &Row| row.parsed.as_ref().map(Ways::of).unwrap_or_default();
        let ways: Vec<Ways> = rows.iter().map(ways).collect();
        let question = Question::new(importing, &rows, &ways);
        let known = tokio::spawn(async move { question.ask(&*store).await });
        Self { rows, ways, known: AbortOnDropHandle::new(known) }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows, and the chunk that decides on them.
    pub async fn answered(
        self,
        importing: &Importing,
    ) -> Result<(Chunk, impl Iterator<Item = (Row, Ways)> + use<>), EngineError> {
        let known = self.known.await.map_err(|error| {
            EngineError::Refused(format!("the rows could not be looked up: {error}"))
        })??;
        let chunk = Chunk {
            changes: Changes::default(),
            known,
            new_companies: HashMap::new(),
            would_start: Vec::new(),
            row_column: row_column(importing),
        };
        Ok((chunk, self.rows.into_iter().zip(self.ways)))
    }
}

impl Question {
    fn new(importing: &Importing, rows: &[Row], ways: &[Ways]) -> Self {
        let drafts = || rows.iter().filter_map(|row| row.parsed.as_ref().ok());
        let asked = |ways: &Ways| {
            let mut ways = ways.all().filter(|way| importing.index.may_be_known(*way));
            Some((ways.next()?, ways.collect()))
        };
        let column = row_column(importing);
        let numbers = || rows.iter().filter_map(|row| mended_row(row, column)).collect();
        Self {
            ways: ways.iter().filter_map(asked).collect(),
            mends: importing.request.mends.map(|import| (import, numbers())),
            companies: drafts().filter_map(|draft| draft.company.key()).collect(),
            subjects: drafts().flat_map(subjects).collect(),
        }
    }

    async fn ask(self, store: &dyn Store) -> Result<Known, StoreError> {
        let mut known = Known::default();
        // Whoever is found in the best way need not be searched for in the others.
        let first: Vec<Identity> = self.ways.iter().map(|(first, _)| *first).collect();
        known.people_by.extend(store.find_identity(&first).await?);
        let others = self.ways.iter().filter(|(way, _)| !known.people_by.contains_key(way));
        let others: Vec<Identity> = others.flat_map(|(_, others)| others).copied().collect();
        known.people_by.extend(store.find_identity(&others).await?);
        if let Some((import, rows)) = self.mends {
            known.mended = store.people_of_rows(import, &rows).await?;
        }
        let ids = known.people_by.values().chain(known.mended.values());
        let ids = Vec::from_iter(ids.copied().collect::<BTreeSet<ProspectId>>());
        let people = store.prospects(&ids).await?;
        known.people = people.into_iter().map(|person| (person.id, person)).collect();
        known.last_imports = store.last_imports(&ids).await?;
        known.companies = store.find_companies(&self.companies).await?;
        let persons = ids.iter().map(|id| Subject::Person(*id));
        let subjects: Vec<Subject> = self.subjects.into_iter().chain(persons).collect();
        for block in store.suppressions(&subjects).await? {
            match block.subject {
                Subject::Person(id) => drop(known.blocked_people.insert(id)),
                subject => drop(known.blocked.insert(subject)),
            }
        }
        Ok(known)
    }
}

impl Chunk {
    /// Decides on one row.
    pub fn take(
        &mut self,
        importing: &mut Importing,
        (mut row, ways): (Row, Ways),
        listener: &mut dyn Listener,
    ) {
        let before = importing.report.rows < importing.behind;
        importing.report.rows += 1;
        for problem in std::mem::take(&mut row.warnings) {
            importing.report.tell(&row, problem, None);
        }
        for note in std::mem::take(&mut row.notes) {
            importing.report.note(note);
        }
        let parsed = std::mem::replace(&mut row.parsed, Ok(ProspectDraft::default()));
        let (outcome, problem) = match parsed {
            Ok(_) if before => return self.take_again(importing, &ways),
            Ok(draft) => self.decide(importing, &mut row, draft, ways),
            Err(problem) => match row.parked.take() {
                // Nothing is known by which somebody could be reached, but it is plain what was meant.
                Some(parked) => (Outcome::Parked, Some(parked)),
                None => (Outcome::Rejected, Some(problem)),
            },
        };
        if let Some(problem) = problem {
            let told = importing.report.tell(&row, problem, Some(outcome));
            if matches!(outcome, Outcome::Rejected | Outcome::Parked) {
                importing.report.to_mend += 1;
                listener.to_mend(&row, &told);
            }
        }
        if !before {
            importing.report.count(outcome);
        }
    }

    /// A row that is on record since an earlier run: only who it was has to be known.
    fn take_again(&mut self, importing: &mut Importing, ways: &Ways) {
        if let Some(id) = self.find(importing, ways) {
            importing.in_file.insert(id);
        }
    }

    fn decide(
        &mut self,
        importing: &mut Importing,
        row: &mut Row,
        draft: ProspectDraft,
        ways: Ways,
    ) -> (Outcome, Option<Problem>) {
        let mended =
            mended_row(row, self.row_column).and_then(|n| self.known.mended.get(&n).copied());
        let who = mended.or_else(|| self.find(importing, &ways));
        // Before what blocks: whether a block of this same file is in force yet is a matter of luck.
        if who.is_some_and(|id| importing.in_file.has(id)) {
            return twice();
        }
        if subjects(&draft).any(|subject| self.known.blocked.contains(&subject)) {
            return skipped("is on the do-not-contact list", "Nothing is to do.");
        }
        let fit = count_fit(importing, &draft);
        let placeless = draft.country.is_none() && draft.time_zones.is_empty();
        let outcome = match who {
            Some(id) if self.known.blocked_people.contains(&id) => {
                return skipped("is on the do-not-contact list", "Nothing is to do.");
            }
            Some(id) if self.is_customer(importing, id) => {
                return skipped("is a customer", "Import customers with --audience customers.");
            }
            Some(id) => {
                importing.in_file.insert(id);
                self.update(importing, row, id, draft, mended.is_some())
            }
            None if is_twice_in_dry_run(importing, &ways) => return twice(),
            None => {
                self.suggest(importing, row, &ways);
                self.create(importing, row, draft, &ways)
            }
        };
        if outcome != Outcome::Created {
            return (outcome, None);
        }
        match row.parked.take().or_else(|| placeless.then(no_country)).or(fit) {
            Some(problem) => (Outcome::Parked, Some(problem)),
            None => (Outcome::Created, None),
        }
    }

    fn find(&self, importing: &Importing, ways: &Ways) -> Option<ProspectId> {
        ways.certain.iter().find_map(|way| self.who(importing, *way))
    }

    /// Who is recognised so: in the store, or on their way into it.
    fn who(&self, importing: &Importing, way: Identity) -> Option<ProspectId> {
        self.known.people_by.get(&way).copied().or_else(|| importing.index.get(way))
    }

    fn is_customer(&self, importing: &Importing, id: ProspectId) -> bool {
        importing.request.relationship == Relationship::Prospect
            && self.known.people.get(&id).is_some_and(|p| p.relationship == Relationship::Customer)
    }

    /// Says that somebody may be known already, by name and company.
    fn suggest(&self, importing: &mut Importing, row: &Row, ways: &Ways) {
        let Some(id) = ways.by_name.and_then(|name| self.who(importing, name)) else {
            return;
        };
        let name = self.known.people.get(&id).map(Prospect::display_name).unwrap_or_default();
        let problem = Problem {
            column: None,
            value: name,
            problem: "may be known already: somebody of this name is at this company".to_owned(),
            fix: format!("Compare with prospect {id} (`firsttouch why {id}`)."),
        };
        importing.report.tell(row, problem, None);
    }

    fn create(
        &mut self,
        importing: &mut Importing,
        row: &Row,
        draft: ProspectDraft,
        ways: &Ways,
    ) -> Outcome {
        let id = ProspectId(importing.prospect_ids.next().unwrap_or(0));
        importing.in_file.insert(id);
        let company_id = self.company(importing, &draft);
        let request = &importing.request;
        let own = draft.owner.clone().filter(|_| request.owner.as_str().is_empty());
        let owner = own.map_or_else(|| request.owner.clone(), RepId);
        self.block_opt_outs(importing, id, &draft);
        let relationship = request.relationship;
        let prospect = Prospect { id, company_id, owner, relationship, known: draft };
        self.put(importing, row, prospect, ways.all(), None);
        Outcome::Created
    }

    fn update(
        &mut self,
        importing: &mut Importing,
        row: &Row,
        id: ProspectId,
        draft: ProspectDraft,
        mends: bool,
    ) -> Outcome {
        self.changes.list_members.push((importing.list, id));
        self.block_opt_outs(importing, id, &draft);
        let Some(before) = self.known.people.get(&id) else {
            return Outcome::Unchanged;
        };
        let stays = importing.request.relationship != Relationship::Customer
            || before.relationship == Relationship::Customer;
        let fills = importing.request.on_duplicate == OnDuplicate::Fill && !mends;
        if fills && stays && !adds(&before.known, &draft) {
            return Outcome::Unchanged;
        }
        let before = before.clone();
        let known = match importing.request.on_duplicate {
            // Whoever mends a row means what is in it now.
            _ if mends => merged(draft, before.known.clone()),
            OnDuplicate::Skip => return Outcome::Unchanged,
            OnDuplicate::Fill => merged(before.known.clone(), draft),
            OnDuplicate::Overwrite => merged(draft, before.known.clone()),
        };
        let relationship = match importing.request.relationship {
            Relationship::Customer => Relationship::Customer,
            Relationship::Prospect => before.relationship,
        };
        if known == before.known && relationship == before.relationship {
            return Outcome::Unchanged;
        }
        let company_id = before.company_id.or_else(|| self.company(importing, &known));
        let was = Before {
            known: before.known.clone(),
            company_id: before.company_id,
            relationship: before.relationship,
            import: self.known.last_imports.get(&id).copied(),
        };
        let ways = identities(&known).into_iter();
        let prospect = Prospect { known, relationship, company_id, ..before };
        self.put(importing, row, prospect, ways, Some(was));
        Outcome::Updated
    }

    fn put(
        &mut self,
        importing: &mut Importing,
        row: &Row,
        prospect: Prospect,
        ways: impl Iterator<Item = Identity>,
        before: Option<Before>,
    ) {
        let id = prospect.id;
        let import = importing.record.id;
        let is_new = before.is_none();
        self.start(importing, &prospect, before.as_ref());
        self.changes.import_rows.push(ImportRow { import, row: row.number, prospect: id, before });
        if is_new {
            self.changes.list_members.push((importing.list, id));
        }
        ways.for_each(|way| importing.index.put(way, id));
        self.changes.prospects.push((prospect, Vec::new()));
    }

    /// Notes whom a cadence that waits for a field is for from now on.
    fn start(&mut self, importing: &Importing, person: &Prospect, before: Option<&Before>) {
        let relationship = before.map_or(person.relationship, |before| before.relationship);
        let was = before.map(|before| Seen { known: &before.known, relationship });
        let newly =
            |version: &&Arc<Version>| version.cadence.is_newly_met_by(was, Seen::from(person));
        let met: Vec<_> = importing.waiting_for_fields.iter().filter(newly).cloned().collect();
        if met.is_empty() {
            return;
        }
        match importing.request.mode {
            Mode::Commit => {
                self.changes.starts.extend(met.iter().map(|version| Start {
                    cadence: version.cadence.id.clone(),
                    prospect: person.id,
                }))
            }
            Mode::DryRun => self.would_start.push((met, person.clone())),
        }
    }

    fn company(&mut self, importing: &mut Importing, draft: &ProspectDraft) -> Option<CompanyId> {
        let key = draft.company.key()?;
        let on_the_way = || importing.companies.iter().find_map(|companies| companies.get(&key));
        let here = || self.new_companies.get(&key);
        if let Some(id) = self.known.companies.get(&key).or_else(here).or_else(on_the_way) {
            return Some(*id);
        }
        let id = CompanyId(importing.company_ids.next().unwrap_or(0));
        let name = draft.company.name.clone().unwrap_or_else(|| key.clone());
        self.new_companies.insert(key.clone(), id);
        self.changes.companies.push(CompanyRecord { id, key, name });
        Some(id)
    }

    /// Opt-out columns only ever add a block.
    fn block_opt_outs(&mut self, importing: &Importing, id: ProspectId, draft: &ProspectDraft) {
        let block = |subject, cause| {
            let source = "import".to_owned();
            Suppression { subject, cause, source, at: importing.now }
        };
        if draft.do_not_call {
            let phones = draft.phones.iter().map(|phone| Subject::Phone(phone.e164.clone()));
            let blocks = phones.map(|subject| block(subject, Cause::DoNotCall));
            self.changes.suppressions.extend(blocks);
        }
        if draft.email_opt_out {
            let emails = draft.email.iter().map(Subject::email);
            let blocks = [Subject::Person(id)].into_iter().chain(emails);
            let blocks = blocks.map(|subject| block(subject, Cause::OptOut));
            self.changes.suppressions.extend(blocks);
        }
    }
}

/// Counts who fits which profile; says what is missing when somebody would fit with it.
fn count_fit(importing: &mut Importing, draft: &ProspectDraft) -> Option<Problem> {
    let profiles = importing.profiles.clone();
    let Profiles { all: profiles, matchers, fields } = &*profiles;
    if profiles.is_empty() {
        return None;
    }
    let facts = Facts::of_draft_for(draft, |field| fields.contains(field));
    let person = Person::new(&facts);
    let chosen = matchers.best(&person).and_then(|(at, _)| profiles.get(at));
    *importing.report.fits.entry(chosen.map(|profile| profile.id.clone())).or_default() += 1;
    if chosen.is_some() {
        return None;
    }
    profiles.iter().zip(matchers.iter()).find_map(|(profile, matcher)| {
        match matcher.quick(&person) {
            Quick::Incomplete { missing, .. } => {
                let missing = missing.iter().filter_map(|at| profile.require.get(*at).cloned());
                Some(incomplete(profile, &missing.collect::<Vec<_>>()))
            }
            Quick::Fits { .. } | Quick::DoesNotFit { .. } => None,
        }
    })
}

fn incomplete(profile: &Profile, missing: &[String]) -> Problem {
    let missing = missing.join(" and ");
    Problem {
        column: missing.split(' ').next().map(str::to_owned),
        value: String::new(),
        problem: format!("not known, and profile `{}` requires it", profile.id),
        fix: format!("Fill in {missing}, if it can be found."),
    }
}

/// The column in which a file of rows to mend says which rows they are.
fn row_column(importing: &Importing) -> Option<usize> {
    importing.report.layout.columns.iter().position(|column| column.header == "_row")
}

/// The row of the first import that a mended row stands for.
fn mended_row(row: &Row, column: Option<usize>) -> Option<u64> {
    row.raw.get(column?)?.trim().parse().ok()
}

/// Whether somebody of this file would be recognised in this row; nothing is stored in a dry run.
fn is_twice_in_dry_run(importing: &mut Importing, ways: &Ways) -> bool {
    if importing.request.mode == Mode::Commit {
        return false;
    }
    let twice = ways.certain.iter().any(|way| importing.would_be.contains(way));
    if !twice {
        importing.would_be.extend(&ways.certain);
    }
    twice
}

fn twice() -> (Outcome, Option<Problem>) {
    skipped("stands twice in this file", "Delete one of the rows.")
}

fn skipped(problem: &str, fix: &str) -> (Outcome, Option<Problem>) {
    let (problem, fix) = (problem.to_owned(), fix.to_owned());
    let problem = Problem { column: None, value: String::new(), problem, fix };
    (Outcome::Skipped, Some(problem))
}

/// Good, but nobody knows what time it is there: nothing can be sent at a decent hour.
fn no_country() -> Problem {
    Problem {
        column: Some("Country".to_owned()),
        value: String::new(),
        problem: "no country, so nobody knows what time it is there".to_owned(),
        fix: "Fill in the country, or import with --default-country CC.".to_owned(),
    }
}

impl Importing {
    /// A row's problem with its place.
    pub(super) fn at(row: &Row, problem: Problem, outcome: Option<Outcome>) -> RowProblem {
        RowProblem { row: row.number, line: row.line, problem, outcome }
    }
}
