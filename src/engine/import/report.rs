//! What an import came to: outcomes that sum to the rows, and every problem with its place.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ImportRequest, Importing, Mode};
use crate::domain::ids::ProfileId;
use crate::engine::starts::Started;
use crate::formats::csv::{Layout, Problem, Row};
use crate::ports::ImportRecord;

/// Problems that a report keeps one by one; their counts go on.
const PROBLEMS: usize = 10_000;

/// Kinds of problems that are counted, and examples of each.
const KINDS: usize = 1_000;
const EXAMPLES: usize = 3;

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

    fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, outcome)| *outcome)
    }
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

/// What several rows have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Absent for a warning on rows that went in.
    pub outcome: Option<Outcome>,
    pub column: Option<String>,
    pub problem: String,
}

/// How many rows have it, and some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    pub count: u64,
    pub fix: String,
    /// Row and value.
    pub examples: Vec<(u64, String)>,
}

/// What an import came to.
#[derive(Debug, Clone)]
pub struct ImportReport {
    /// As people name it, such as `2026-03-02-1`.
    pub import: String,
    pub file: String,
    pub list: String,
    pub owner: String,
    pub layout: Layout,
    pub rows: u64,
    /// Rows that an earlier run had put on record already.
    pub went_on_behind: u64,
    pub outcomes: BTreeMap<Outcome, u64>,
    pub problems: Vec<RowProblem>,
    pub kinds: BTreeMap<Kind, Rows>,
    /// What is good to know and no problem: how many rows, and one of the values.
    pub notes: BTreeMap<String, (u64, String)>,
    /// Rows that somebody has to mend.
    pub to_mend: u64,
    /// Lines below the table that were left out, such as "Copyright …".
    pub footers: u64,
    /// People by the profile that fits best; none for those whom no profile fits.
    pub fits: BTreeMap<Option<ProfileId>, u64>,
    /// Who came in by themselves, because a field has the value that a cadence waits for.
    pub started: Started,
    pub dry_run: bool,
    /// It was asked to stop before the end.
    pub stopped: bool,
}

impl ImportReport {
    pub(super) fn new(request: &ImportRequest, record: &ImportRecord, layout: Layout) -> Self {
        let outcomes = record.outcomes.iter();
        let outcomes = outcomes.filter_map(|(word, n)| Some((Outcome::named(word)?, *n)));
        Self {
            import: record.name.clone(),
            file: request.file.clone(),
            list: request.list.clone(),
            owner: request.owner.0.clone(),
            layout,
            rows: 0,
            went_on_behind: record.rows_done,
            outcomes: outcomes.collect(),
            problems: Vec::new(),
            kinds: BTreeMap::new(),
            notes: BTreeMap::new(),
            to_mend: 0,
            footers: 0,
            fits: BTreeMap::new(),
            started: Started::new(),
            dry_run: request.mode == Mode::DryRun,
            stopped: false,
        }
    }

    /// How many rows had that outcome.
    pub fn count_of(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    pub(super) fn count(&mut self, outcome: Outcome) {
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    pub(super) fn outcomes_by_word(&self) -> BTreeMap<String, u64> {
        self.outcomes.iter().map(|(outcome, n)| (outcome.as_str().to_owned(), *n)).collect()
    }

    pub(super) fn note(&mut self, note: Problem) {
        if self.notes.len() < KINDS || self.notes.contains_key(&note.problem) {
            let noted = self.notes.entry(note.problem).or_insert((0, note.value));
            noted.0 += 1;
        }
    }

    pub(super) fn tell(
        &mut self,
        row: &Row,
        problem: Problem,
        outcome: Option<Outcome>,
    ) -> RowProblem {
        let told = Importing::at(row, problem, outcome);
        let (column, problem) = (told.problem.column.clone(), told.problem.problem.clone());
        let kind = Kind { outcome, column, problem };
        if self.kinds.len() < KINDS || self.kinds.contains_key(&kind) {
            let rows = self.kinds.entry(kind).or_default();
            rows.count += 1;
            if rows.examples.len() < EXAMPLES {
                rows.examples.push((told.row, told.problem.value.clone()));
                rows.fix.clone_from(&told.problem.fix);
            }
        }
        if self.problems.len() < PROBLEMS {
            self.problems.push(told.clone());
        }
        told
    }

    /// Kinds of problems: those of rows that did not go in first, then by how many rows they touch.
    pub fn sorted_kinds(&self) -> Vec<(&Kind, &Rows)> {
        let mut kinds: Vec<(&Kind, &Rows)> = self.kinds.iter().collect();
        let rank = |outcome: Option<Outcome>| match outcome {
            Some(Outcome::Rejected) => 0,
            Some(Outcome::Parked) => 1,
            Some(Outcome::Skipped) => 2,
            _ => 3,
        };
        kinds.sort_by_key(|(kind, rows)| (rank(kind.outcome), std::cmp::Reverse(rows.count)));
        kinds
    }

    /// The report as `firsttouch.import.v1`.
    pub fn to_json(&self) -> Value {
        let word = |(word, outcome): &(&str, Outcome)| {
            ((*word).to_owned(), json!(self.count_of(*outcome)))
        };
        let outcomes: serde_json::Map<String, Value> = Outcome::ALL.iter().map(word).collect();
        let columns = self.layout.columns.iter().map(|column| {
            json!({"header": column.header, "field": column.field, "why": column.why,
                "doubt": column.doubt})
        });
        let fits = self.fits.iter().map(|(profile, people)| {
            json!({"profile": profile.as_ref().map(ProfileId::as_str), "people": people})
        });
        let started = self.started.iter().map(|(cadence, came)| {
            json!({"cadence": cadence.as_str(), "people": came.people, "enrolled": came.enrolled,
                "skipped": came.skipped})
        });
        json!({
            "schema": "firsttouch.import.v1",
            "import": (!self.dry_run).then_some(&self.import),
            "file": self.file,
            "list": self.list,
            "dry_run": self.dry_run,
            "stopped": self.stopped,
            "encoding": self.layout.encoding,
            "encoding_guessed": self.layout.encoding_guessed,
            "delimiter": self.layout.delimiter.to_string(),
            "source": self.layout.source,
            "columns": columns.collect::<Vec<_>>(),
            "rows": self.rows,
            "outcomes": outcomes,
            "footers": self.footers,
            "fits": fits.collect::<Vec<_>>(),
            "enrolled": started.collect::<Vec<_>>(),
            "notes": self.notes.iter().map(|(note, (rows, value))| {
                json!({"note": note, "rows": rows, "example": value})
            }).collect::<Vec<_>>(),
            "reasons": self.sorted_kinds().iter().map(|(kind, rows)| reason(kind, rows)).collect::<Vec<_>>(),
            "problems": self.problems.iter().map(problem).collect::<Vec<_>>(),
        })
    }
}

fn reason(kind: &Kind, rows: &Rows) -> Value {
    let example = |(row, value): &(u64, String)| json!({"row": row, "value": value});
    json!({
        "outcome": kind.outcome.map(Outcome::as_str),
        "column": kind.column,
        "problem": kind.problem,
        "fix": rows.fix,
        "rows": rows.count,
        "examples": rows.examples.iter().map(example).collect::<Vec<_>>(),
    })
}

fn problem(told: &RowProblem) -> Value {
    json!({
        "row": told.row,
        "line": told.line,
        "column": told.problem.column,
        "value": told.problem.value,
        "problem": told.problem.problem,
        "fix": told.problem.fix,
        "outcome": told.outcome.map(Outcome::as_str),
    })
}
