//! `import`: a list goes in, every row ends in one outcome; and what becomes of imports.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::{print, print_json};
use super::{Context, Failure, IN_PART};
use crate::domain::ids::RepId;
use crate::domain::prospect::Relationship;
use crate::engine::import::{Mode, OnDuplicate, Outcome};
use crate::engine::{Engine, EngineError};
use crate::wiring::list_file::ListFile;
use crate::wiring::lists::{self, Asked, ImportError, Imported, Progress};

mod past;
mod report;

pub(super) use report::{plain_text, text};

/// Import a list of people from a CSV file; every row is accounted for
///
/// Rows that cannot go in are written beside the file, with what is wrong and how to mend it:
/// edit that file and import it again.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    #[command(subcommand)]
    past: Option<past::Past>,
    /// The file, or - for standard input
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Name of the list; the file's name when absent. People are added to a list that is there
    #[arg(long)]
    list: Option<String>,
    /// The rep who works these people
    #[arg(long)]
    owner: Option<String>,
    /// Country of rows that name none, such as US
    #[arg(long, value_name = "CC")]
    default_country: Option<String>,
    /// What to do with people who are known already
    #[arg(long, value_enum, default_value = "fill")]
    on_duplicate: OnDuplicateArg,
    /// Who these people are to us
    #[arg(long, value_enum, default_value = "prospects")]
    audience: AudienceArg,
    /// A column and its field, such as 'Direkt=phone_direct'; may be given several times
    #[arg(long, value_name = "COL=FIELD")]
    map: Vec<String>,
    /// Check every row and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum OnDuplicateArg {
    /// Fill in what is not known yet
    Fill,
    /// The list is right
    Overwrite,
    /// Leave them as they are
    Skip,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum AudienceArg {
    /// People who do not buy from us yet
    Prospects,
    /// People who do
    Customers,
}

/// Seconds in which another import may come to its end.
const PATIENCE: u32 = 60;

/// Ctrl-C, as a shell counts it.
const INTERRUPTED: u8 = 130;

pub(super) async fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    match (&args.past, &args.file) {
        (Some(past), _) => past::run(context, past).await,
        (None, Some(file)) => import(context, file, &args).await,
        (None, None) => Err(Failure::usage("say which file: firsttouch import FILE")),
    }
}

async fn import(context: &Context, file: &std::path::Path, args: &Args) -> Result<u8, Failure> {
    let asked = asked(context, args)?;
    let list = ListFile::open(file).map_err(Failure::new)?;
    let (running, _) = context.engine().await?;
    let mut bar = Bar::new(list.size);
    let Imported { report, to_mend } = in_turn(&running.engine, &list, &asked, &mut bar).await?;
    bar.bar.finish_and_clear();
    if context.json {
        let mut json = report.to_json();
        json["to_mend"] = to_mend.as_ref().map(|path| path.display().to_string()).into();
        print_json(&json);
    } else {
        print(&report::text(&report, to_mend.as_deref()));
    }
    if report.stopped {
        return Ok(INTERRUPTED);
    }
    let whole = report.count_of(Outcome::Rejected) + report.count_of(Outcome::Skipped) == 0;
    Ok(if whole { 0 } else { IN_PART })
}

/// Waits while another import runs, or until one that was killed has lost its turn.
async fn in_turn(
    engine: &Engine,
    list: &ListFile,
    asked: &Asked,
    bar: &mut Bar,
) -> Result<Imported, ImportError> {
    for waited in 0..PATIENCE {
        match lists::import(engine, list, asked, None, bar).await {
            Err(ImportError::Engine(EngineError::Busy(_))) if !bar.stops() => {}
            done => return done,
        }
        if waited == 0 {
            eprintln!("another import is running, or was killed a moment ago: waiting for its end");
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    lists::import(engine, list, asked, None, bar).await
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Engine(error) => error.into(),
            ImportError::NoOwner(_) | ImportError::UnknownOwner { .. } => Self::usage(error),
            ImportError::List(_) | ImportError::Mending { .. } => Self::new(error),
        }
    }
}

fn asked(context: &Context, args: &Args) -> Result<Asked, Failure> {
    Ok(Asked {
        list: args.list.clone(),
        owner: args.owner.clone().map(RepId),
        default_country: args.default_country.clone(),
        map: args.map.iter().map(|pair| split_map(pair)).collect::<Result<_, _>>()?,
        synonyms: lists::own_synonyms(&context.workspace),
        on_duplicate: match args.on_duplicate {
            OnDuplicateArg::Fill => OnDuplicate::Fill,
            OnDuplicateArg::Overwrite => OnDuplicate::Overwrite,
            OnDuplicateArg::Skip => OnDuplicate::Skip,
        },
        relationship: match args.audience {
            AudienceArg::Prospects => Relationship::Prospect,
            AudienceArg::Customers => Relationship::Customer,
        },
        mode: if args.dry_run { Mode::DryRun } else { Mode::Commit },
    })
}

fn split_map(pair: &str) -> Result<(String, String), Failure> {
    let parts = pair.rsplit_once('=').map(|(column, field)| (column.to_owned(), field.to_owned()));
    parts.ok_or_else(|| Failure::usage(format!("--map '{pair}': write 'Column=field'")))
}

/// A bar on a terminal, a line now and then elsewhere; Ctrl-C stops behind the next chunk.
struct Bar {
    bar: ProgressBar,
    stop: Arc<AtomicBool>,
}

impl Bar {
    fn new(bytes: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = stop.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                asked.store(true, Ordering::Relaxed);
                eprintln!("stopping behind these rows; what is in stays in");
            }
        });
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new(bytes),
            false => ProgressBar::hidden(),
        };
        let look = "{bar:30} {percent:>3} %  {msg}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(look) {
            bar.set_style(style);
        }
        Self { bar, stop }
    }
}

impl Progress for Bar {
    fn at(&mut self, rows: u64, bytes: u64) {
        let seconds = self.bar.elapsed().as_secs_f64().max(0.001);
        #[allow(clippy::cast_precision_loss, reason = "a speed for people")]
        let speed = rows as f64 / seconds;
        self.bar.set_message(format!("{rows} rows, {speed:.0} rows/s"));
        self.bar.set_position(bytes);
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
