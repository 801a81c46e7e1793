//! `db`: the database as a whole: copies, soundness, schema and size.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::output::{grouped, print, print_json, table, when};
use super::{BUSY, Context, FAILED, Failure, who};
use crate::config::Config;
use crate::engine::verify;
use crate::wiring::database::{self, Copied, DatabaseError, KeyRestored, Schema, Snapshot};

/// Copy, restore, check and measure the database of the workspace
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Write a sound copy into FILE, with the workspace's key beside it; the daemon may go on
    Backup { file: PathBuf },
    /// Put a copy in the place of the database; everything is on hold behind it
    Restore {
        file: PathBuf,
        /// Only look whether the copy can be restored
        #[arg(long)]
        verify_only: bool,
    },
    /// Look whether the database is sound: the file, its references, its schema, its imports and ids
    Check {},
    /// Bring the schema up to date; on SQLite a copy of before is kept
    Migrate {
        /// Say what would be done and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Show how many rows and bytes there are, and from when to when the log goes
    Stats {},
    /// Copy everything into another, empty database: `postgres://…` or `sqlite:PATH`
    Copy { to: String },
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = context.config()?;
    match &args.what {
        What::Backup { file } => backup(context, &config, file).await,
        What::Restore { file, verify_only: true } => look(context, &config, file).await,
        What::Restore { file, verify_only: false } => restore(context, &config, file).await,
        What::Check {} => check(context, &config).await,
        What::Migrate { dry_run } => migrate(context, &config, *dry_run).await,
        What::Stats {} => stats(context, &config).await,
        What::Copy { to } => copy(context, &config, to).await,
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Wiring(error) => error.into(),
            DatabaseError::Store(error) => error.into(),
            DatabaseError::Open(error) => super::WiringError::from(error).into(),
            DatabaseError::Busy(message) => Self { code: BUSY, kind: "busy", message },
            DatabaseError::Transfer(_) | DatabaseError::File { .. } | DatabaseError::Refused(_) => {
                Self::new(error)
            }
        }
    }
}

/// PostgreSQL has tools of its own for this, which know its users and its disks.
fn only_sqlite(config: &Config, instead: &str) -> Result<(), Failure> {
    match database::sqlite_file(config) {
        Some(_) => Ok(()),
        None => Err(Failure::new(format!(
            "this workspace is on PostgreSQL, which has tools of its own:\n  {instead}"
        ))),
    }
}

const PG_DUMP: &str = "pg_dump --format=custom --file=FILE \"$URL\"     and copy .firsttouch/secret, too: \
     Message-IDs are made with it";
const PG_RESTORE: &str = "stop every `firsttouch run`;  pg_restore --clean --if-exists --dbname=\"$URL\" FILE; \
     then, before any run:\n  firsttouch hold-all \"restored from a backup\"     \
     because it does not know what was sent since";

async fn backup(context: &Context, config: &Config, file: &Path) -> Result<u8, Failure> {
    only_sqlite(config, PG_DUMP)?;
    let snapshot = database::backup(&context.workspace, config, file).await?;
    if context.json {
        print_json(&described(&snapshot));
        return Ok(0);
    }
    print(&format!("ok  {}: {}", file.display(), words(config, &snapshot)));
    print(match &snapshot.key {
        Some(_) => {
            "    The workspace's key is beside it (.secret): keep both, and keep them to yourselves.\n    \
             Message-IDs are made with the key; without it answers do not find their mails."
        }
        None => "    There is no key of the workspace yet: nothing was ever sent from here.",
    });
    Ok(0)
}

async fn look(context: &Context, config: &Config, file: &Path) -> Result<u8, Failure> {
    let snapshot = database::look_at(file).await?;
    if context.json {
        print_json(&described(&snapshot));
        return Ok(0);
    }
    print(&format!("ok  {} can be restored: {}", file.display(), words(config, &snapshot)));
    if snapshot.key.is_none() {
        print("!   The workspace's key is not beside it (FILE.secret)");
    }
    Ok(0)
}

fn words(config: &Config, snapshot: &Snapshot) -> String {
    let newest = match snapshot.stats.newest {
        Some(at) => format!("newest event {}", when(at, &config.reader_zone)),
        None => "no event yet".to_owned(),
    };
    let (size, schema) = (bytes(snapshot.bytes), snapshot.stats.schema);
    format!("{size}, integrity ok, schema {schema}, {newest}")
}

fn described(snapshot: &Snapshot) -> Value {
    json!({
        "schema": "firsttouch.backup.v1",
        "file": snapshot.file.display().to_string(),
        "bytes": snapshot.bytes,
        "database_schema": snapshot.stats.schema,
        "newest_event": snapshot.stats.newest.map(|at| at.to_string()),
        "key": snapshot.key.as_ref().map(|key| key.display().to_string()),
    })
}

async fn restore(context: &Context, config: &Config, file: &Path) -> Result<u8, Failure> {
    only_sqlite(config, PG_RESTORE)?;
    let done = database::restore(&context.workspace, config, file, &who()).await?;
    if context.json {
        let mut document = described(&done.snapshot);
        document["schema"] = "firsttouch.restore.v1".into();
        document["aside"] = json!(done.aside.as_ref().map(|path| path.display().to_string()));
        document["on_hold"] = true.into();
        print_json(&document);
        return Ok(0);
    }
    print(&format!("ok  restored {}: {}", file.display(), words(config, &done.snapshot)));
    if let Some(aside) = &done.aside {
        print(&format!("    What was there is kept: {}", aside.display()));
    }
    print(&match &done.key {
        KeyRestored::Same => "    The workspace's key is the one of the copy.".to_owned(),
        KeyRestored::PutBack { aside: None } => {
            "    The workspace's key was put back, too.".to_owned()
        }
        KeyRestored::PutBack { aside: Some(old) } => {
            format!("    The workspace's key was put back, too; the other one is {}", old.display())
        }
        KeyRestored::Missing => {
            "!   The copy has no key beside it (FILE.secret): if the workspace's key is \
             another one than then, answers do not find their mails"
                .to_owned()
        }
    });
    print("!   Everything is on hold: what was sent since the copy was made is not in it.");
    print("    Look into the Sent folders, stop or move the people who got a mail since, then:");
    print("    firsttouch release-all");
    Ok(0)
}

async fn check(context: &Context, config: &Config) -> Result<u8, Failure> {
    let (schema, unsound) = database::soundness(config).await?;
    let mut lines: Vec<(bool, String)> = Vec::new();
    for line in &unsound {
        lines.push((false, line.clone()));
    }
    if unsound.is_empty() {
        let what = match database::sqlite_file(config) {
            Some(_) => "the file and all references are sound",
            None => "PostgreSQL keeps the references by itself",
        };
        lines.push((true, what.to_owned()));
    }
    lines.push(schema_line(&schema));
    if schema.missing.is_empty() && schema.found <= schema.known {
        let ledger = database::ledger(config).await?;
        let verified = verify::verify_quickly(&*ledger.keeper).await?;
        for finding in &verified.findings {
            let advice = finding.advice();
            let said =
                format!("{}: {}; should be: {}", finding.row, finding.stands, finding.should);
            lines.push((false, format!("{said}  ({advice})")));
        }
        if verified.is_clean() {
            lines.push((true, "imports, ids, and what belongs together".to_owned()));
        }
    }
    let is_sound = lines.iter().all(|(fits, _)| *fits);
    if context.json {
        let line = |(fits, text): &(bool, String)| json!({"ok": fits, "text": text});
        let lines: Vec<Value> = lines.iter().map(line).collect();
        print_json(&json!({"schema": "firsttouch.db_check.v1", "ok": is_sound, "lines": lines}));
    } else {
        for (fits, text) in &lines {
            print(&format!("{}  {text}", if *fits { "ok" } else { "x " }));
        }
        print("Everything that the log says is compared by:  firsttouch verify");
    }
    Ok(if is_sound { 0 } else { FAILED })
}

fn schema_line(schema: &Schema) -> (bool, String) {
    let Schema { found, known, missing } = schema;
    if found > known {
        let text =
            format!("schema {found}, and this program knows {known}: install a newer firsttouch");
        return (false, text);
    }
    match missing.is_empty() {
        true => (true, format!("schema {found}")),
        false => {
            let text =
                format!("schema {found}, this program writes {known}: firsttouch db migrate");
            (false, text)
        }
    }
}

async fn migrate(context: &Context, config: &Config, dry_run: bool) -> Result<u8, Failure> {
    let schema = database::schema(config).await?;
    let steps: Vec<String> =
        schema.missing.iter().map(|(version, name)| format!("{version} {name}")).collect();
    let kept = match dry_run || steps.is_empty() {
        true => None,
        false => database::migrate(config).await?,
    };
    if context.json {
        print_json(&json!({
            "schema": "firsttouch.migrate.v1",
            "found": schema.found,
            "known": schema.known,
            "steps": steps,
            "dry_run": dry_run,
            "kept": kept.as_ref().map(|path| path.display().to_string()),
        }));
        return Ok(0);
    }
    if steps.is_empty() {
        print(&format!("ok  schema {}: nothing to do", schema.found));
        return Ok(0);
    }
    let steps = steps.join(", ");
    match dry_run {
        true => print(&format!(
            "would bring schema {} to {}: {steps}\nNothing was changed.",
            schema.found, schema.known
        )),
        false => print(&format!("ok  schema {}: {steps}", schema.known)),
    }
    if let Some(kept) = kept {
        print(&format!("    As it was before: {}", kept.display()));
    }
    Ok(0)
}

async fn stats(context: &Context, config: &Config) -> Result<u8, Failure> {
    let (stats, wal) = database::stats(config).await?;
    if context.json {
        let tables: serde_json::Map<String, Value> =
            stats.tables.iter().map(|(name, n)| (name.clone(), json!(n))).collect();
        print_json(&json!({
            "schema": "firsttouch.db_stats.v1",
            "database_schema": stats.schema,
            "tables": tables,
            "bytes": stats.bytes,
            "wal_bytes": wal,
            "oldest_event": stats.oldest.map(|at| at.to_string()),
            "newest_event": stats.newest.map(|at| at.to_string()),
        }));
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = stats
        .tables
        .iter()
        .map(|(name, n)| vec![format!("{:>12}", grouped(*n)), name.clone()])
        .collect();
    print(&table(&rows));
    let wal = wal.map_or_else(String::new, |wal| format!(", {} beside it (WAL)", bytes(wal)));
    print(&format!("\n{}{wal}, schema {}", bytes(stats.bytes), stats.schema));
    if let Some((oldest, newest)) = stats.oldest.zip(stats.newest) {
        let zone = &config.reader_zone;
        print(&format!("The log goes from {} to {}", when(oldest, zone), when(newest, zone)));
    }
    Ok(0)
}

/// `3.1 MB`.
fn bytes(n: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match units.into_iter().find(|(_, size)| n >= *size) {
        Some((unit, size)) => format!("{}.{} {unit}", n / size, n % size * 10 / size),
        None => format!("{n} bytes"),
    }
}

async fn copy(context: &Context, config: &Config, to: &str) -> Result<u8, Failure> {
    let bar = ProgressBar::hidden();
    if let Ok(style) = ProgressStyle::with_template("{spinner}  {pos} rows of {msg}") {
        bar.set_style(style);
    }
    let mut told = |table: &str, rows: u64| {
        let late = bar.elapsed() > Duration::from_secs(1) && std::io::stderr().is_terminal();
        if bar.is_hidden() && late {
            bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        bar.set_message(table.to_owned());
        bar.set_position(rows);
    };
    let copied = database::copy(config, to, &mut told).await?;
    bar.finish_and_clear();
    let rows: u64 = copied.iter().map(|table| table.rows).sum();
    if context.json {
        let line =
            |one: &Copied| json!({"table": one.table, "rows": one.rows, "checksum": one.checksum});
        let tables: Vec<Value> = copied.iter().map(line).collect();
        print_json(&json!({"schema": "firsttouch.db_copy.v1", "rows": rows, "tables": tables}));
        return Ok(0);
    }
    let tables = copied.len();
    print(&format!(
        "ok  {} rows of {tables} tables copied; counts and checksums are the same on both sides",
        grouped(rows)
    ));
    print(
        "    This workspace goes on with the database that it has. To go on with the other one, stop the",
    );
    print("    daemon, and write into firsttouch.toml:");
    let setting = match to.strip_prefix("sqlite:") {
        Some(path) => format!("path = \"{path}\""),
        None => format!("url = \"{}\"", without_password(to)),
    };
    print(&format!("      [store]\n      {setting}"));
    Ok(0)
}

/// An address that may be shown.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    match user.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:…@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            ("postgres://ann:p@ss@db.test/firsttouch", "postgres://ann:…@db.test/firsttouch"),
            ("postgres://ann@db.test/firsttouch", "postgres://ann@db.test/firsttouch"),
            ("postgres://db.test/firsttouch", "postgres://db.test/firsttouch"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn sizes_are_in_the_largest_unit_that_fits() {
        for (n, text) in [(0, "0 bytes"), (999, "999 bytes"), (3_150_000, "3.1 MB")] {
            assert_eq!(bytes(n), text);
        }
    }
}
