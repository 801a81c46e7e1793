//! Some rows of a list: looked up together, decided one by one, written together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::people::{NAME_AT_COMPANY, adds, identities, merged, subjects};
use super::{Importing, Listener, Mode, OnDuplicate, Outcome, Profiles, RowProblem};
use crate::domain::facts::Facts;
use crate::domain::ids::{CompanyId, ImportId, ProspectId, RepId};
use crate::domain::profile::{Person, Profile, Quick};
use crate::domain::prospect::{Prospect, ProspectDraft, Relationship};
use crate::domain::suppression::{Cause, Subject, Suppression};
use crate::engine::{Engine, EngineError};
use crate::formats::csv::{Problem, Row};
use crate::ports::{Before, Changes, CompanyRecord, Identity, ImportRow};

/// What is known of the rows of a chunk, and what they change.
pub(super) struct Chunk {
    pub changes: Changes,
    /// People of the database, by every way to recognise them.
    known: HashMap<Identity, ProspectId>,
    /// People of the rows of the import that these rows mend.
    mended: BTreeMap<u64, ProspectId>,
    people: BTreeMap<ProspectId, Prospect>,
    last_imports: BTreeMap<ProspectId, ImportId>,
    companies: HashMap<String, CompanyId>,
    blocked: BTreeSet<Subject>,
    blocked_people: BTreeSet<ProspectId>,
    /// What the chunk behind this one must know before this one is written.
    pub new_companies: HashMap<String, CompanyId>,
    row_column: Option<usize>,
    /// How each row is recognised, in their order.
    ways: std::vec::IntoIter<Vec<Identity>>,
}

impl Chunk {
    /// Reads everything that the rows may be about.
    pub async fn look_up(
        engine: &Engine,
        importing: &Importing,
        rows: &[Row],
    ) -> Result<Self, EngineError> {
        let drafts = || rows.iter().filter_map(|row| row.parsed.as_ref().ok());
        let ways = |row: &Row| row.parsed.as_ref().map(identities).unwrap_or_default();
        let ways: Vec<Vec<Identity>> = rows.iter().map(ways).collect();
        let keys: Vec<Identity> = ways.iter().flatten().cloned().collect();
        let known = engine.store.find_identity(&keys).await?;
        let row_column = importing.report.layout.columns.iter().position(|c| c.header == "_row");
        let mended = match importing.request.mends {
            Some(import) => {
                let numbers: Vec<u64> =
                    rows.iter().filter_map(|row| mended_row(row, row_column)).collect();
                engine.store.people_of_rows(import, &numbers).await?
            }
            None => BTreeMap::new(),
        };
        let ids: BTreeSet<ProspectId> = known.values().chain(mended.values()).copied().collect();
        let ids = Vec::from_iter(ids);
        let people = engine.store.prospects(&ids).await?;
        let last_imports = engine.store.last_imports(&ids).await?;
        let companies: Vec<String> = drafts().filter_map(|draft| draft.company.key()).collect();
        let companies = engine.store.find_companies(&companies).await?;
        let all: BTreeSet<Subject> = drafts().flat_map(subjects).collect();
        let persons = ids.iter().map(|id| Subject::Person(*id));
        let all: Vec<Subject> = all.into_iter().chain(persons).collect();
        let blocks = engine.store.suppressions(&all).await?;
        let mut chunk = Self {
            changes: Changes::default(),
            known: known.into_iter().collect(),
            mended,
            people: people.into_iter().map(|person| (person.id, person)).collect(),
            last_imports,
            companies: companies.into_iter().collect(),
            blocked: BTreeSet::new(),
            blocked_people: BTreeSet::new(),
            new_companies: HashMap::new(),
            row_column,
            ways: ways.into_iter(),
        };
        for block in blocks {
            match block.subject {
                Subject::Person(id) => drop(chunk.blocked_people.insert(id)),
                subject => drop(chunk.blocked.insert(subject)),
            }
        }
        if let Some(writing) = &importing.writing {
            for (key, id) in &writing.companies {
                chunk.companies.entry(key.clone()).or_insert(*id);
            }
        }
        Ok(chunk)
    }

    /// Decides on one row.
    pub fn take(&mut self, importing: &mut Importing, mut row: Row, listener: &mut dyn Listener) {
        let before = importing.report.rows < importing.behind;
        importing.report.rows += 1;
        for problem in std::mem::take(&mut row.warnings) {
            importing.report.tell(&row, problem, None);
        }
        for note in std::mem::take(&mut row.notes) {
            importing.report.note(note);
        }
        let parsed = std::mem::replace(&mut row.parsed, Ok(ProspectDraft::default()));
        let ways = self.ways.next().unwrap_or_default();
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
    fn take_again(&mut self, importing: &mut Importing, ways: &[Identity]) {
        if let Some(id) = self.find(importing, ways) {
            importing.in_file.insert(id);
        }
    }

    fn decide(
        &mut self,
        importing: &mut Importing,
        row: &mut Row,
        draft: ProspectDraft,
        ways: Vec<Identity>,
    ) -> (Outcome, Option<Problem>) {
        if subjects(&draft).any(|subject| self.blocked.contains(&subject)) {
            return skipped("is on the do-not-contact list", "Nothing is to do.");
        }
        let fit = count_fit(importing, &draft);
        let placeless = draft.country.is_none() && draft.time_zones.is_empty();
        let mended = mended_row(row, self.row_column).and_then(|n| self.mended.get(&n).copied());
        let outcome = match mended.or_else(|| self.find(importing, &ways)) {
            Some(id) if self.blocked_people.contains(&id) => {
                return skipped("is on the do-not-contact list", "Nothing is to do.");
            }
            Some(id) if !importing.in_file.insert(id) => return twice(),
            Some(id) if self.is_customer(importing, id) => {
                return skipped("is a customer", "Import customers with --audience customers.");
            }
            Some(id) => self.update(importing, row, id, draft, mended.is_some()),
            None if is_twice_in_dry_run(importing, &ways) => return twice(),
            None => {
                self.suggest(importing, row, &ways);
                self.create(importing, row, draft, ways)
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

    fn find(&self, importing: &Importing, ways: &[Identity]) -> Option<ProspectId> {
        let mut certain = ways.iter().filter(|known| known.kind != NAME_AT_COMPANY);
        certain.find_map(|identity| self.who(importing, identity))
    }

    /// Who is recognised so: in the database, or on their way into it.
    fn who(&self, importing: &Importing, identity: &Identity) -> Option<ProspectId> {
        let pending = || importing.pending.get(identity);
        let on_the_way = || importing.writing.as_ref()?.recognised.as_ref()?.get(identity);
        self.known.get(identity).or_else(pending).or_else(on_the_way).copied()
    }

    fn is_customer(&self, importing: &Importing, id: ProspectId) -> bool {
        importing.request.relationship == Relationship::Prospect
            && self.people.get(&id).is_some_and(|p| p.relationship == Relationship::Customer)
    }

    /// Says that somebody may be known already, by name and company.
    fn suggest(&self, importing: &mut Importing, row: &Row, ways: &[Identity]) {
        let mut names = ways.iter().filter(|known| known.kind == NAME_AT_COMPANY);
        let Some(id) = names.find_map(|name| self.who(importing, name)) else {
            return;
        };
        let name = self.people.get(&id).map(Prospect::display_name).unwrap_or_default();
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
        ways: Vec<Identity>,
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
        self.put(importing, row, prospect, ways, None);
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
        let Some(before) = self.people.get(&id) else {
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
            import: self.last_imports.get(&id).copied(),
        };
        let ways = identities(&known);
        let prospect = Prospect { known, relationship, company_id, ..before };
        self.put(importing, row, prospect, ways, Some(was));
        Outcome::Updated
    }

    fn put(
        &mut self,
        importing: &mut Importing,
        row: &Row,
        prospect: Prospect,
        ways: Vec<Identity>,
        before: Option<Before>,
    ) {
        let id = prospect.id;
        let import = importing.record.id;
        let is_new = before.is_none();
        self.changes.import_rows.push(ImportRow { import, row: row.number, prospect: id, before });
        if is_new {
            self.changes.list_members.push((importing.list, id));
        }
        for identity in ways {
            importing.pending.entry(identity).or_insert(id);
        }
        self.changes.prospects.push((prospect, Vec::new()));
    }

    fn company(&mut self, importing: &mut Importing, draft: &ProspectDraft) -> Option<CompanyId> {
        let key = draft.company.key()?;
        if let Some(id) = self.companies.get(&key) {
            return Some(*id);
        }
        let id = CompanyId(importing.company_ids.next().unwrap_or(0));
        let name = draft.company.name.clone().unwrap_or_else(|| key.clone());
        self.companies.insert(key.clone(), id);
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

/// The row of the first import that a mended row stands for.
fn mended_row(row: &Row, column: Option<usize>) -> Option<u64> {
    row.raw.get(column?)?.trim().parse().ok()
}

/// Whether somebody of this file would be recognised in this row; nothing is stored in a dry run.
fn is_twice_in_dry_run(importing: &mut Importing, ways: &[Identity]) -> bool {
    if importing.request.mode == Mode::Commit {
        return false;
    }
    let hash = |identity: &Identity| {
        let mut hasher = DefaultHasher::new();
        identity.hash(&mut hasher);
        hasher.finish()
    };
    let certain = ways.iter().filter(|known| known.kind != NAME_AT_COMPANY);
    let hashes: Vec<u64> = certain.map(hash).collect();
    let twice = hashes.iter().any(|hash| importing.would_be.contains(hash));
    if !twice {
        importing.would_be.extend(hashes);
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
