//! Taking an import back: whoever it made goes, unless something has happened to them since; whoever it
//! changed is again as before, unless somebody else has changed them since.

use std::collections::{BTreeMap, BTreeSet};

use super::identities;
use crate::domain::ids::{ImportId, ProspectId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::prospect::Prospect;
use crate::engine::{Engine, EngineError};
use crate::ports::{Changes, ImportRecord, ImportRow, ImportStatus, Undone};

/// Rows that are taken back in one transaction.
const CHUNK: u32 = 500;

/// Kept people that are named.
const NAMED: usize = 1_000;

/// What taking an import back came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    pub import: String,
    pub removed: u64,
    pub restored: u64,
    /// Who stays as they are, and why.
    pub kept: Vec<(ProspectId, String, &'static str)>,
    /// How many stay, by reason.
    pub reasons: BTreeMap<&'static str, u64>,
}

/// What is known of the people of some rows.
struct Known {
    people: BTreeMap<ProspectId, Prospect>,
    last: BTreeMap<ProspectId, ImportId>,
    history: BTreeSet<ProspectId>,
    elsewhere: BTreeSet<ProspectId>,
}

impl Engine {
    /// Every import, the newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn import_named(&self, name: &str) -> Result<ImportRecord, EngineError> {
        let imports = self.store.imports().await?;
        let hint = || match imports.first() {
            Some(last) => format!("; the last one is {}: see `firsttouch import list`", last.name),
            None => "; nothing was imported yet".to_owned(),
        };
        let found = imports.iter().find(|import| import.name == name).cloned();
        let name = name.to_owned();
        found.ok_or_else(|| EngineError::NotFound { what: "import", name, hint: hint() })
    }

    /// Takes an import back, as far as nothing has happened since. What was kept can be taken back
    /// later, when its reason is gone.
    ///
    /// # Errors
    /// There is no such import, another import is running, or the store failed; what was taken back
    /// until then stays so, and the same command goes on.
    pub async fn undo_import(&self, name: &str, dry_run: bool) -> Result<Taken, EngineError> {
        let record = self.import_named(name).await?;
        let holder = self.import_holder();
        if !dry_run {
            self.hold_imports(&holder).await?;
        }
        let taken = self.undo_all(&record, &holder, dry_run).await;
        if !dry_run {
            self.let_imports_go(&holder).await?;
        }
        taken
    }

    async fn undo_all(
        &self,
        record: &ImportRecord,
        holder: &str,
        dry_run: bool,
    ) -> Result<Taken, EngineError> {
        let mut taken = Taken { import: record.name.clone(), ..Taken::default() };
        let mut after = 0;
        loop {
            let rows = self.store.import_rows(record.id, after, CHUNK).await?;
            let Some(last) = rows.last() else { break };
            after = last.row;
            let undone = self.take_rows_back(record, &rows, &mut taken).await?;
            if !dry_run {
                self.hold_imports(holder).await?;
                self.store.write(Changes { undone: Some(undone), ..Changes::default() }).await?;
            }
        }
        if !dry_run {
            self.end_undo(record.clone(), &taken).await?;
        }
        Ok(taken)
    }

    async fn end_undo(&self, record: ImportRecord, taken: &Taken) -> Result<(), EngineError> {
        let now = self.now();
        let undone = Undone {
            import: record.id,
            list: record.list,
            rows: Vec::new(),
            removed: Vec::new(),
            forgotten: Vec::new(),
            restored: Vec::new(),
            finished: true,
        };
        let entry = Entry::new(now, Happened::ImportUndone)
            .with("import", &record.name)
            .with("removed", taken.removed)
            .with("restored", taken.restored)
            .with("kept", taken.reasons.values().sum::<u64>());
        let record = ImportRecord { status: ImportStatus::Undone, finished: None, ..record };
        let (imports, log) = (vec![record], vec![entry]);
        let undone = Some(undone);
        Ok(self.store.write(Changes { imports, undone, log, ..Changes::default() }).await?)
    }

    async fn take_rows_back(
        &self,
        record: &ImportRecord,
        rows: &[ImportRow],
        taken: &mut Taken,
    ) -> Result<Undone, EngineError> {
        let ids: Vec<ProspectId> = rows.iter().map(|row| row.prospect).collect();
        let people = self.store.prospects(&ids).await?;
        let known = Known {
            people: people.into_iter().map(|person| (person.id, person)).collect(),
            last: self.store.last_imports(&ids).await?,
            history: self.store.with_history(&ids).await?,
            elsewhere: self.store.on_other_lists(record.list, &ids).await?,
        };
        let mut undone = Undone {
            import: record.id,
            list: record.list,
            rows: Vec::new(),
            removed: Vec::new(),
            forgotten: Vec::new(),
            restored: Vec::new(),
            finished: false,
        };
        for row in rows {
            take_row_back(record, row, &known, &mut undone, taken);
        }
        Ok(undone)
    }
}

fn take_row_back(
    record: &ImportRecord,
    row: &ImportRow,
    known: &Known,
    undone: &mut Undone,
    taken: &mut Taken,
) {
    let Some(person) = known.people.get(&row.prospect) else {
        return undone.rows.push(row.row);
    };
    if let Some(reason) = reason_to_keep(record, row, known) {
        *taken.reasons.entry(reason).or_default() += 1;
        if taken.kept.len() < NAMED {
            taken.kept.push((row.prospect, person.display_name(), reason));
        }
        return;
    }
    undone.rows.push(row.row);
    undone.forgotten.extend(identities(&person.known));
    match &row.before {
        None => {
            taken.removed += 1;
            undone.removed.push(row.prospect);
        }
        Some(before) => {
            taken.restored += 1;
            let person = Prospect {
                known: before.known.clone(),
                company_id: before.company_id,
                relationship: before.relationship,
                ..person.clone()
            };
            let own = identities(&person.known);
            undone.restored.push((person, own, before.import));
        }
    }
}

fn reason_to_keep(record: &ImportRecord, row: &ImportRow, known: &Known) -> Option<&'static str> {
    if known.last.get(&row.prospect) != Some(&record.id) {
        return Some("was changed by a later import: take that one back first");
    }
    if row.before.is_some() {
        return None;
    }
    if known.history.contains(&row.prospect) {
        return Some("was enrolled, touched or heard from since");
    }
    known.elsewhere.contains(&row.prospect).then_some("stands on another list as well")
}
