//! `convert`: a cadence of another product as files of this workspace.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::{plain, print, print_json};
use super::{Context, Failure, IN_PART, NOT_FOUND};
use crate::engine::workspace::{self, Files};
use crate::formats::convert::{self, Conversion, Kind, MAX_BYTES, Product, Remark};
use crate::formats::diagnostic::{Diagnostic, Severity};

/// Make a cadence and its templates out of an export of another product; nothing is overwritten
#[derive(clap::Args)]
pub(super) struct Args {
    /// JSON: a Salesloft cadence export, an Outreach sequence with what it includes, an Apollo sequence
    file: PathBuf,
    /// Whose export it is; recognised when absent
    #[arg(long, value_enum)]
    from: Option<From>,
    /// The folder in which cadences/ and templates/ are written; the workspace when absent
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write nothing; say what would be written and what cannot be carried over
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum From {
    Salesloft,
    Outreach,
    Apollo,
}

impl From {
    fn product(self) -> Product {
        match self {
            Self::Salesloft => Product::Salesloft,
            Self::Outreach => Product::Outreach,
            Self::Apollo => Product::Apollo,
        }
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let text = read(&args.file)?;
    let calendars = calendars(context);
    let calendar = match calendars.get("standard") {
        Some(_) => "standard",
        None => calendars.keys().next().map_or("standard", String::as_str),
    };
    let converted = convert::convert(&text, args.from.map(From::product), calendar)
        .map_err(|error| Failure::new(format!("{}: {error}", args.file.display())))?;
    let findings = check(&converted, calendar)?;
    let out = args.out.as_deref().unwrap_or(&context.workspace);
    refuse_clash(out, &converted)?;
    if !args.dry_run {
        converted.files.iter().try_for_each(|(path, text)| write_new(&out.join(path), text))?;
    }
    if context.json {
        print_json(&as_json(&converted, args.dry_run));
    } else {
        tell(&converted, &findings, out, args.dry_run);
    }
    let lost = converted.remarks.iter().any(|remark| remark.kind == Kind::Lost);
    Ok(if lost { IN_PART } else { 0 })
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound { NOT_FOUND } else { 1 };
        let message = format!("cannot read {}: {error}", path.display());
        Failure { code, kind: if code == NOT_FOUND { "not_found" } else { "failed" }, message }
    };
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > MAX_BYTES as u64 {
        let error = convert::ConvertError::TooLarge(usize::try_from(size).unwrap_or(usize::MAX));
        return Err(Failure::new(format!("{}: {error}", path.display())));
    }
    fs::read_to_string(path).map_err(failed)
}

/// Outside a workspace there are none.
fn calendars(context: &Context) -> BTreeMap<String, ()> {
    let config = context.config().ok();
    config
        .into_iter()
        .flat_map(|config| config.calendars.into_keys())
        .map(|name| (name, ()))
        .collect()
}

/// The warnings of `check` about the new files.
fn check(converted: &Conversion, calendar: &str) -> Result<Vec<Diagnostic>, Failure> {
    let files = Files { texts: converted.files.iter().cloned().collect() };
    let calendars = BTreeMap::from([(calendar.to_owned(), [true; 7])]);
    let (_, findings) = workspace::examine(&files, Some(calendars));
    let wrong: Vec<_> = findings.iter().filter(|f| f.severity == Severity::Error).collect();
    if wrong.is_empty() {
        return Ok(findings);
    }
    let wrong = wrong.iter().map(|finding| finding.to_string()).collect::<Vec<_>>().join("\n");
    Err(Failure::new(format!(
        "the export has something that does not fit here, so nothing was written:\n{wrong}"
    )))
}

fn refuse_clash(out: &Path, converted: &Conversion) -> Result<(), Failure> {
    let there = converted.files.iter().map(|(path, _)| out.join(path));
    let there: Vec<String> = there
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| path.display().to_string())
        .collect();
    if there.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "nothing was written, for these files are there already: {}; move them, or name another \
         folder with --out",
        there.join(", ")
    )))
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("cannot write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let opened = fs::OpenOptions::new().write(true).create_new(true).open(path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)
}

fn tell(converted: &Conversion, findings: &[Diagnostic], out: &Path, dry_run: bool) {
    let (name, count) = (converted.product.name(), converted.files.len());
    let word = if dry_run { "would write" } else { "wrote" };
    print(&format!("{name}: {word} {count} files in {}", out.display()));
    converted.files.iter().for_each(|(path, _)| print(&format!("  {path}")));
    for (kind, title) in
        [(Kind::Lost, "Not carried over:"), (Kind::Changed, "Carried over otherwise:")]
    {
        let remarks: Vec<&Remark> = converted.remarks.iter().filter(|r| r.kind == kind).collect();
        if remarks.is_empty() {
            continue;
        }
        print(&format!("\n{title}"));
        for remark in remarks {
            print(&format!(
                "  {}\n      {}",
                plain(&remark.path, 200),
                plain(&remark.message, 400)
            ));
        }
    }
    let warnings: Vec<_> = findings.iter().filter(|f| f.severity == Severity::Warning).collect();
    if !warnings.is_empty() {
        print("\nLook at:");
        warnings.iter().for_each(|finding| print(&format!("  {finding}")));
    }
    if !dry_run {
        print("\nNext:  read the mails, then  firsttouch check  and  firsttouch plan");
    }
}

fn as_json(converted: &Conversion, dry_run: bool) -> serde_json::Value {
    let remark = |remark: &Remark| {
        let kind = match remark.kind {
            Kind::Lost => "lost",
            Kind::Changed => "changed",
        };
        json!({"path": remark.path, "kind": kind, "message": remark.message})
    };
    json!({
        "schema": "firsttouch.convert.v1",
        "product": converted.product.name(),
        "cadence": converted.id,
        "written": !dry_run,
        "files": converted.files.iter().map(|(path, _)| path).collect::<Vec<_>>(),
        "remarks": converted.remarks.iter().map(remark).collect::<Vec<_>>(),
    })
}
