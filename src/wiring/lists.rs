//! From a file and what somebody asked for to an import: the same for the command and the daemon.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::list_file::{ListError, ListFile, Mending};
use crate::domain::ids::RepId;
use crate::domain::prospect::Relationship;
use crate::engine::import::{
    ImportReport, ImportRequest, Listener, Mode, OnDuplicate, RowProblem, Source,
};
use crate::engine::{Engine, EngineError};
use crate::formats::csv::{Layout, Options, ReadError, Row};
use crate::ports::{Changes, ColumnMap, ImportRecord, ImportStatus};

/// What somebody asked for; what is absent is found out.
#[derive(Debug, Clone)]
pub struct Asked {
    pub list: Option<String>,
    pub owner: Option<RepId>,
    pub default_country: Option<String>,
    /// Columns and their fields.
    pub map: Vec<(String, String)>,
    /// The team's own words for columns: the text of its `synonyms.toml`.
    pub synonyms: Option<String>,
    pub on_duplicate: OnDuplicate,
    pub relationship: Relationship,
    pub mode: Mode,
}

/// What an import came to, and where the rows are that somebody has to mend.
pub struct Imported {
    pub report: ImportReport,
    pub to_mend: Option<PathBuf>,
}

/// Why a file could not be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    #[error(transparent)]
    List(#[from] ListError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("say whose people these are: --owner {0}")]
    NoOwner(String),
    #[error("no mailbox in firsttouch.toml belongs to `{owner}`; owners are: {known}")]
    UnknownOwner { owner: String, known: String },
    #[error("the rows to mend could not be written to {path}: {detail}")]
    Mending { path: String, detail: String },
}

/// The team's own words for the columns of lists, if it has any.
pub fn own_synonyms(workspace: &Path) -> Option<String> {
    std::fs::read_to_string(workspace.join("synonyms.toml")).ok()
}

/// How far it is, and whether to go on.
pub trait Progress: Send {
    /// So many rows are on record, so many bytes are read.
    fn at(&mut self, _rows: u64, _bytes: u64) {}

    /// Whether to stop behind the next chunk.
    fn stops(&self) -> bool {
        false
    }
}

impl Progress for () {}

struct Ears<'a> {
    list: &'a ListFile,
    mending: Mending,
    progress: &'a mut dyn Progress,
}

impl Listener for Ears<'_> {
    fn rows(&mut self, rows: u64) {
        self.progress.at(rows, self.list.bytes_read());
    }

    fn to_mend(&mut self, row: &Row, problem: &RowProblem) {
        self.mending.add(row, problem);
    }

    fn stops(&self) -> bool {
        self.progress.stops()
    }

    fn sound(&self) -> Result<(), String> {
        self.list.unchanged().map_err(|error| error.to_string())
    }
}

/// Imports a file; rows that somebody has to mend are written beside it, or into a folder.
///
/// # Errors
/// See [`ImportError`]; what was on record until then stays, and the same command goes on.
pub async fn import(
    engine: &Engine,
    list: &ListFile,
    asked: &Asked,
    mend_in: Option<&Path>,
    progress: &mut dyn Progress,
) -> Result<Imported, ImportError> {
    let (asked, layout) = &understood(engine, list, asked).await?;
    if layout.is_empty {
        return Err(ListError::Read { path: list.name(), source: ReadError::NoRows }.into());
    }
    let first = match holds_mended_rows(layout) {
        true => mended_import(engine, list).await?,
        false => None,
    };
    let by_hand = !asked.map.is_empty();
    let asked = first.as_ref().map_or_else(|| asked.clone(), |first| as_first(asked, first));
    let asked = with_remembered_columns(engine, asked, layout).await?;
    let request = request(engine, list, &asked, first.as_ref())?;
    let mut reader = list.reader(&options(&asked))?;
    reader.inspect();
    let dry_run = request.mode == Mode::DryRun;
    let path = Mending::path_for(list, mend_in);
    let mending = Mending::new(path.clone(), reader.layout().clone());
    let mut ears = Ears { list, mending, progress };
    let report = engine.import(Source::new(reader), request, &mut ears).await;
    let mending = ears.mending;
    let report = match report {
        Ok(report) if !dry_run && !report.stopped => report,
        Ok(report) => {
            mending.discard();
            return Ok(Imported { report, to_mend: None });
        }
        Err(error) => {
            mending.discard();
            return Err(error.into());
        }
    };
    if by_hand {
        remember_columns(engine, &asked, layout).await?;
    }
    let to_mend = mending.finish().map_err(|error| ImportError::Mending {
        path: path.display().to_string(),
        detail: error.to_string(),
    })?;
    Ok(Imported { report, to_mend })
}

fn options(asked: &Asked) -> Options {
    Options {
        default_country: asked.default_country.clone(),
        map: asked.map.clone(),
        synonyms: asked.synonyms.clone(),
    }
}

/// The layout of a file; where nothing in it leads to a person, by how such files were read before.
async fn understood(
    engine: &Engine,
    list: &ListFile,
    asked: &Asked,
) -> Result<(Asked, Layout), ImportError> {
    let error = match list.reader(&options(asked)) {
        Ok(reader) => return Ok((asked.clone(), reader.layout().clone())),
        Err(error) => error,
    };
    if let ListError::Read { source: ReadError::NoChannel { fingerprint, .. }, .. } = &error
        && asked.map.is_empty()
    {
        let map = engine.store.column_map(fingerprint).await.map_err(EngineError::from)?;
        if !map.is_empty() {
            let asked = Asked { map, ..asked.clone() };
            let layout = list.reader(&options(&asked))?.layout().clone();
            return Ok((asked, layout));
        }
    }
    Err(error.into())
}

/// A second file of a kind needs no `--map`.
async fn with_remembered_columns(
    engine: &Engine,
    mut asked: Asked,
    layout: &Layout,
) -> Result<Asked, ImportError> {
    if asked.map.is_empty() {
        let known = engine.store.column_map(&layout.fingerprint).await;
        let known = known.map_err(EngineError::from)?;
        let is_there = |(column, _): &(String, String)| {
            layout.columns.iter().any(|there| there.header == *column)
        };
        asked.map = known.into_iter().filter(is_there).collect();
    }
    Ok(asked)
}

async fn remember_columns(
    engine: &Engine,
    asked: &Asked,
    layout: &Layout,
) -> Result<(), ImportError> {
    let (fingerprint, columns) = (layout.fingerprint.clone(), asked.map.clone());
    let map = ColumnMap { fingerprint, columns, learned_at: engine.now() };
    let changes = Changes { column_map: Some(map), ..Changes::default() };
    Ok(engine.store.write(changes).await.map_err(EngineError::from)?)
}

fn holds_mended_rows(layout: &Layout) -> bool {
    layout.columns.iter().any(|column| column.header == "_row")
}

/// The import whose rows a file mends: the last one of the file from which it was made.
async fn mended_import(
    engine: &Engine,
    list: &ListFile,
) -> Result<Option<ImportRecord>, ImportError> {
    let stem = list.stem();
    let imports = engine.store.imports().await.map_err(EngineError::from)?;
    let is_first = |record: &ImportRecord| {
        let of_file = record.file.rsplit_once('.').map_or(record.file.as_str(), |(stem, _)| stem);
        record.status == ImportStatus::Done
            && !record.options.contains_key("mends")
            && (of_file == stem || (record.file == "-" && stem == "stdin"))
    };
    Ok(imports.into_iter().find(is_first))
}

/// What is not said anew is as it was.
fn as_first(asked: &Asked, first: &ImportRecord) -> Asked {
    let was = |key: &str| first.options.get(key).cloned();
    let map = match asked.map.is_empty() {
        true => was("map").map(|text| split_maps(&text)).unwrap_or_default(),
        false => asked.map.clone(),
    };
    let relationship = match was("audience").as_deref() {
        Some("customers") => Relationship::Customer,
        _ => asked.relationship,
    };
    Asked {
        list: asked.list.clone().or_else(|| Some(first.list_name.clone())),
        owner: asked.owner.clone().or_else(|| was("owner").map(RepId)),
        default_country: asked.default_country.clone().or_else(|| was("default-country")),
        map,
        relationship,
        ..asked.clone()
    }
}

fn request(
    engine: &Engine,
    list: &ListFile,
    asked: &Asked,
    first: Option<&ImportRecord>,
) -> Result<ImportRequest, ImportError> {
    let mut reading = std::collections::BTreeMap::new();
    if let Some(country) = &asked.default_country {
        reading.insert("default-country".to_owned(), country.clone());
    }
    if !asked.map.is_empty() {
        reading.insert("map".to_owned(), join_maps(&asked.map));
    }
    Ok(ImportRequest {
        file: list.file_name(),
        digest: list.digest.clone(),
        list: asked.list.clone().unwrap_or_else(|| list.stem()),
        list_is_named: asked.list.is_some(),
        owner: owner(engine, asked.owner.clone())?,
        on_duplicate: asked.on_duplicate,
        relationship: asked.relationship,
        mends: first.map(|first| first.id),
        reading,
        mode: asked.mode,
    })
}

/// The rep who was named, else the only one there is.
fn owner(engine: &Engine, named: Option<RepId>) -> Result<RepId, ImportError> {
    let reps = engine.settings.reps();
    let known = |between: &str| reps.iter().map(RepId::as_str).collect::<Vec<_>>().join(between);
    match (named, reps.as_slice()) {
        (Some(named), _) if reps.contains(&named) => Ok(named),
        (Some(named), _) => Err(ImportError::UnknownOwner { owner: named.0, known: known(", ") }),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(ImportError::NoOwner(known("|"))),
    }
}

fn join_maps(map: &[(String, String)]) -> String {
    let pairs = map.iter().map(|(column, field)| format!("{column}={field}"));
    pairs.collect::<Vec<_>>().join("\n")
}

fn split_maps(text: &str) -> Vec<(String, String)> {
    let pairs = text.lines().filter_map(|line| line.rsplit_once('='));
    pairs.map(|(column, field)| (column.to_owned(), field.to_owned())).collect()
}
