//! What became of imports, how a file would be read, and taking an import back.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::output::{plain, print, print_json, table, when};
use crate::cli::{Context, Failure};
use crate::engine::import::{Outcome, Taken};
use crate::formats::csv::{Layout, Options};
use crate::ports::{ImportRecord, ImportStatus};
use crate::wiring::list_file::ListFile;
use crate::wiring::lists::own_synonyms;

#[derive(clap::Subcommand)]
pub(super) enum Past {
    /// Show how the columns of a file are read, and why
    Columns {
        /// The file, or - for standard input
        file: PathBuf,
        /// A column and its field, such as 'Direkt=phone_direct'; may be given several times
        #[arg(long, value_name = "COL=FIELD")]
        map: Vec<String>,
    },
    /// List the imports, the newest first
    List,
    /// Show the report of an import again
    Show {
        /// Its name, such as 2026-03-02-1
        import: String,
    },
    /// Take an import back: whoever it made goes, unless something has happened to them since
    Undo {
        /// Its name, such as 2026-03-02-1
        import: String,
        /// Say who would go, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) async fn run(context: &Context, past: &Past) -> Result<u8, Failure> {
    match past {
        Past::Columns { file, map } => columns(context, file, map),
        Past::List => list(context).await,
        Past::Show { import } => show(context, import).await,
        Past::Undo { import, dry_run } => undo(context, import, *dry_run).await,
    }
}

fn columns(context: &Context, file: &std::path::Path, map: &[String]) -> Result<u8, Failure> {
    let map = map.iter().map(|pair| super::split_map(pair)).collect::<Result<_, _>>()?;
    let synonyms = own_synonyms(&context.workspace);
    let options = Options { default_country: None, map, synonyms };
    let list = ListFile::open(file).map_err(Failure::new)?;
    let mut reader = list.reader(&options).map_err(Failure::new)?;
    let layout = reader.inspect();
    if context.json {
        print_json(&columns_json(&list, layout));
    } else {
        print(&columns_text(&list, layout));
    }
    Ok(0)
}

fn columns_json(list: &ListFile, layout: &Layout) -> Value {
    let column = |column: &crate::formats::csv::Column| {
        json!({"header": column.header, "field": column.field, "why": column.why,
            "examples": column.examples, "doubt": column.doubt})
    };
    json!({
        "schema": "firsttouch.import_columns.v1",
        "file": list.file_name(),
        "encoding": layout.encoding,
        "encoding_guessed": layout.encoding_guessed,
        "delimiter": layout.delimiter.to_string(),
        "source": layout.source,
        "columns": layout.columns.iter().map(column).collect::<Vec<_>>(),
    })
}

fn columns_text(list: &ListFile, layout: &Layout) -> String {
    let source = layout.source.clone().unwrap_or_else(|| "no product we know".to_owned());
    let head = ["COLUMN", "FIELD", "SUCH AS", "WHY"].map(str::to_owned).to_vec();
    let mut rows = vec![head];
    let doubtful = layout.columns.iter().filter(|column| column.doubt.is_some());
    let certain = layout.columns.iter().filter(|column| column.doubt.is_none());
    for column in doubtful.chain(certain) {
        let field = column.field.clone().unwrap_or_else(|| "-".to_owned());
        let example = column.examples.first().map(|value| plain(value, 24)).unwrap_or_default();
        let why = column.doubt.as_ref().map_or_else(
            || plain(&column.why, 48),
            |doubt| format!("not sure: {}", plain(doubt, 60)),
        );
        rows.push(vec![plain(&column.header, 32), plain(&field, 28), example, why]);
    }
    format!(
        "{}: {source} · {}, `{}`\n\n{}\nChange one:  firsttouch import {} --map 'Column=field'\n",
        list.file_name(),
        layout.encoding,
        layout.delimiter.escape_default(),
        table(&rows),
        list.path.display()
    )
}

async fn list(context: &Context) -> Result<u8, Failure> {
    let (running, _) = context.engine().await?;
    let imports = running.engine.store.imports().await?;
    if context.json {
        let imports: Vec<Value> = imports.iter().map(import_json).collect();
        print_json(&json!({"schema": "firsttouch.imports.v1", "imports": imports}));
        return Ok(0);
    }
    if imports.is_empty() {
        print("Nothing was imported yet.\nNext:  firsttouch import FILE --dry-run");
        return Ok(0);
    }
    let zone = &running.engine.settings.reader_zone;
    let mut rows = vec![
        ["IMPORT", "WHEN", "FILE", "LIST", "ROWS", "WHAT CAME OF THEM"].map(str::to_owned).to_vec(),
    ];
    for import in &imports {
        let status = match import.status {
            ImportStatus::Done => outcomes(import),
            ImportStatus::Running => format!("stopped or under way · {}", outcomes(import)),
            ImportStatus::Undone => "taken back".to_owned(),
        };
        rows.push(vec![
            import.name.clone(),
            when(import.started_at, zone),
            plain(&import.file, 30),
            plain(&import.list_name, 24),
            import.rows_done.to_string(),
            status,
        ]);
    }
    print(&table(&rows));
    Ok(0)
}

fn outcomes(import: &ImportRecord) -> String {
    let known = Outcome::ALL.iter().filter_map(|(word, _)| {
        let n = import.outcomes.get(*word).copied().filter(|n| *n > 0)?;
        Some(format!("{n} {word}"))
    });
    known.collect::<Vec<_>>().join(" · ")
}

fn import_json(import: &ImportRecord) -> Value {
    json!({
        "import": import.name,
        "file": import.file,
        "list": import.list_name,
        "status": import.status.as_str(),
        "rows": import.rows_done,
        "outcomes": import.outcomes,
        "started_at": import.started_at.to_string(),
        "finished_at": import.finished.as_ref().map(|(at, _)| at.to_string()),
    })
}

async fn show(context: &Context, name: &str) -> Result<u8, Failure> {
    let (running, _) = context.engine().await?;
    let record = running.engine.import_named(name).await?;
    let report = running.engine.store.import_report(record.id).await?;
    let report: Value =
        report.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null);
    if context.json {
        let mut json = import_json(&record);
        json["schema"] = "firsttouch.import_show.v1".into();
        json["report"] = report;
        print_json(&json);
        return Ok(0);
    }
    let zone = &running.engine.settings.reader_zone;
    let mut text = format!(
        "{}  {} · list `{}` · {}\n\n",
        record.name,
        plain(&record.file, 60),
        record.list_name,
        when(record.started_at, zone)
    );
    let status = match record.status {
        ImportStatus::Running => "stopped or under way",
        ImportStatus::Done => "done",
        ImportStatus::Undone => "taken back",
    };
    text.push_str(&format!("{status} · {} rows · {}\n", record.rows_done, outcomes(&record)));
    for (option, value) in &record.options {
        text.push_str(&format!("  {option}: {}\n", plain(value, 80)));
    }
    for reason in report["reasons"].as_array().into_iter().flatten() {
        text.push_str(&reason_line(reason));
    }
    print(&text);
    Ok(0)
}

fn reason_line(reason: &Value) -> String {
    let word = |key: &str| plain(reason[key].as_str().unwrap_or_default(), 110);
    let column = reason["column"].as_str().map_or_else(String::new, |column| format!("{column}: "));
    let outcome = reason["outcome"].as_str().unwrap_or("went in");
    let rows = reason["rows"].as_u64().unwrap_or(0);
    format!("\n  {rows:>6}x  {outcome:<8}  {column}{}\n           {}", word("problem"), word("fix"))
}

async fn undo(context: &Context, name: &str, dry_run: bool) -> Result<u8, Failure> {
    let (running, _) = context.engine().await?;
    let taken = running.engine.undo_import(name, dry_run).await?;
    if context.json {
        print_json(&taken_json(&taken, dry_run));
    } else {
        print(&taken_text(&taken, dry_run));
    }
    Ok(if taken.reasons.is_empty() { 0 } else { crate::cli::IN_PART })
}

fn taken_json(taken: &Taken, dry_run: bool) -> Value {
    let kept = taken
        .kept
        .iter()
        .map(|(id, name, why)| json!({"prospect": id.0, "name": name, "why": why}));
    json!({
        "schema": "firsttouch.import_undo.v1",
        "import": taken.import,
        "dry_run": dry_run,
        "removed": taken.removed,
        "restored": taken.restored,
        "kept": taken.reasons.values().sum::<u64>(),
        "kept_people": kept.collect::<Vec<_>>(),
    })
}

fn taken_text(taken: &Taken, dry_run: bool) -> String {
    let would = if dry_run { "would be " } else { "" };
    let mut text = format!(
        "{}\n  {:>7}  {would}removed: this import had made them\n  {:>7}  {would}restored: as they were before\n",
        taken.import, taken.removed, taken.restored
    );
    for (reason, n) in &taken.reasons {
        text.push_str(&format!("  {n:>7}  kept: {reason}\n"));
    }
    for (id, name, why) in taken.kept.iter().take(10) {
        text.push_str(&format!("             prospect {id} {}: {why}\n", plain(name, 40)));
    }
    if taken.kept.len() > 10 {
        text.push_str("             … --json has them all\n");
    }
    text.push_str(match dry_run {
        true => "\nNothing was changed.\n",
        false => "\nBlocks that the list asked for (opt-outs, do not call) stay in force.\n",
    });
    text
}
