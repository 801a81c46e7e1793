//! What somebody asks of an import, who listens to it, and the rows of a list on their way into it.

use std::collections::BTreeMap;
use std::io::Read;

use tokio::sync::mpsc;

use super::RowProblem;
use crate::domain::ids::{ImportId, RepId};
use crate::domain::prospect::Relationship;
use crate::formats::csv::{Layout, Reader, Row};

/// Rows of the first transaction, and of the largest: small lists are seen to go on, and in large ones
/// each page of an index is written for many people at once.
const FIRST_CHUNK: usize = 500;
const LARGEST_CHUNK: usize = 1_500;

/// What is imported, and how.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// As the report names it.
    pub file: String,
    /// Of the file's bytes.
    pub digest: String,
    pub list: String,
    /// The list was named by a person: people are added to it if it is there already.
    pub list_is_named: bool,
    /// The rep who works these people.
    pub owner: RepId,
    pub on_duplicate: OnDuplicate,
    pub relationship: Relationship,
    /// The import whose mended rows these are.
    pub mends: Option<ImportId>,
    /// Whatever else decides how rows are read, such as `--default-country`.
    pub reading: BTreeMap<String, String>,
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

impl OnDuplicate {
    /// The word that the command line uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fill => "fill",
            Self::Overwrite => "overwrite",
            Self::Skip => "skip",
        }
    }
}

/// Who hears how an import goes on.
pub trait Listener: Send {
    /// So many rows are on record.
    fn rows(&mut self, _rows: u64) {}

    /// A row that somebody has to mend.
    fn to_mend(&mut self, _row: &Row, _problem: &RowProblem) {}

    /// Whether what was read so far can be trusted; nothing is written when not.
    ///
    /// # Errors
    /// Why it cannot, and what to do.
    fn sound(&self) -> Result<(), String> {
        Ok(())
    }

    /// Whether to stop behind this chunk.
    fn stops(&self) -> bool {
        false
    }
}

/// Nobody listens.
impl Listener for () {}

/// Rows of a list, parsed on a thread of their own.
pub struct Source {
    pub(super) layout: Layout,
    pub(super) rows: mpsc::Receiver<Parsed>,
}

pub(super) enum Parsed {
    Rows(Vec<Row>),
    End { footers: u64 },
}

impl Source {
    /// Begins to read; a few chunks are read ahead.
    pub fn new<R: Read + Send + 'static>(mut reader: Reader<R>) -> Self {
        let (to, rows) = mpsc::channel(1);
        let layout = reader.layout().clone();
        tokio::task::spawn_blocking(move || {
            let mut most = FIRST_CHUNK;
            loop {
                let rows: Vec<Row> = std::iter::from_fn(|| reader.next_row()).take(most).collect();
                most = (most * 2).min(LARGEST_CHUNK);
                let is_end = rows.is_empty();
                let parsed = match is_end {
                    true => Parsed::End { footers: reader.footers() },
                    false => Parsed::Rows(rows),
                };
                // Nobody waits for more when the import has failed.
                if to.blocking_send(parsed).is_err() || is_end {
                    return;
                }
            }
        });
        Self { layout, rows }
    }
}

impl ImportRequest {
    /// What decides how rows are read and what becomes of them.
    pub(super) fn options(&self) -> BTreeMap<String, String> {
        let mut options = self.reading.clone();
        options.insert("owner".to_owned(), self.owner.0.clone());
        options.insert("on-duplicate".to_owned(), self.on_duplicate.as_str().to_owned());
        let audience = match self.relationship {
            Relationship::Prospect => "prospects",
            Relationship::Customer => "customers",
        };
        options.insert("audience".to_owned(), audience.to_owned());
        if let Some(mends) = self.mends {
            options.insert("mends".to_owned(), mends.to_string());
        }
        options
    }
}
