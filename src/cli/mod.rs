//! The command line: one file a command; stdout is the answer, stderr is everything else.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde_json::json;
use thiserror::Error;
use tracing_subscriber::EnvFilter;

use crate::config::{self, Config};
use crate::engine::EngineError;
use crate::engine::workspace::{self, Workspace};
use crate::ports::StoreError;
use crate::wiring::{self, Running, WiringError};

mod away;
mod board;
mod check;
mod convert;
mod db;
mod demo;
mod done;
mod edit;
mod enroll;
mod event;
mod fmt;
mod help;
mod history;
mod hold;
mod import;
mod init;
mod next;
mod output;
mod plan;
mod preview;
mod profile;
mod reassign;
mod rep;
mod replace;
mod replies;
mod report;
mod run;
mod schema;
mod shipped;
mod simulate;
mod skip;
mod suppress;
mod test;
mod today;
mod undo;
mod verify;
mod why;

/// Work lists of people through cadences of e-mails, calls and social touches, and record every first
/// touch and its reply.
///
/// First steps:  firsttouch demo            see it work, with nothing to set up
///               firsttouch init my-team    make a workspace; it says what comes next
#[derive(Parser)]
#[command(
    name = "firsttouch",
    version,
    verbatim_doc_comment,
    propagate_version = true,
    disable_help_subcommand = true
)]
struct Cli {
    /// The workspace: the folder with firsttouch.toml
    #[arg(short = 'C', long, global = true, value_name = "DIR", default_value = ".")]
    workspace: PathBuf,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    Check(check::Args),
    Fmt(fmt::Args),
    Schema(schema::Args),
    Convert(convert::Args),
    Test(test::Args),
    Preview(preview::Args),
    Plan(plan::PlanArgs),
    Apply(plan::ApplyArgs),
    History(history::HistoryArgs),
    Diff(history::DiffArgs),
    Import(import::Args),
    Profile(profile::Args),
    Simulate(simulate::Args),
    Enroll(enroll::Args),
    Event(event::Args),
    Run(run::Args),
    Today(today::Args),
    Next(next::Args),
    Done(done::Args),
    Skip(skip::SkipArgs),
    Snooze(skip::SnoozeArgs),
    Undo(undo::Args),
    Reassign(reassign::Args),
    Away(away::Args),
    Replies(replies::Args),
    Why(why::Args),
    Board(board::Args),
    Report(report::Args),
    Verify(verify::Args),
    Db(db::Args),
    Suppress(suppress::Args),
    HoldAll(hold::HoldAllArgs),
    ReleaseAll(hold::ReleaseAllArgs),
    Hold(hold::HoldArgs),
    Release(hold::ReleaseArgs),
    Holds(hold::HoldsArgs),
    Demo(demo::Args),
    Help(help::Args),
}

/// What every command gets.
struct Context {
    workspace: PathBuf,
    json: bool,
}

/// Why a command failed: what is printed, and the exit code.
#[derive(Debug, Error)]
#[error("{message}")]
struct Failure {
    code: u8,
    kind: &'static str,
    message: String,
}

/// Exit codes; scripts must treat unknown ones as failure.
const FAILED: u8 = 1;
const USAGE: u8 = 2;
const IN_PART: u8 = 3;
const CHANGES: u8 = 5;
const NOT_FOUND: u8 = 6;
const BUSY: u8 = 7;

impl Failure {
    fn new(message: impl ToString) -> Self {
        Self { code: FAILED, kind: "failed", message: message.to_string() }
    }

    fn usage(message: impl ToString) -> Self {
        Self { code: USAGE, kind: "usage", message: message.to_string() }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let (code, kind) = match &error {
            EngineError::NotFound { .. } => (NOT_FOUND, "not_found"),
            EngineError::Refused(_) => (FAILED, "refused"),
            EngineError::Busy(_) => (BUSY, "busy"),
            EngineError::Store(StoreError::Database { .. }) => (BUSY, "database"),
            EngineError::Store(StoreError::Taken(_)) => (BUSY, "busy"),
            EngineError::Store(StoreError::Stale(_) | StoreError::Unknown { .. })
            | EngineError::Version { .. } => (FAILED, "failed"),
        };
        Self { code, kind, message: error.to_string() }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<WiringError> for Failure {
    fn from(error: WiringError) -> Self {
        let (code, kind) = match &error {
            WiringError::SecondDaemon { .. } => (BUSY, "second_daemon"),
            WiringError::Engine(EngineError::Store(_)) | WiringError::Open(_) => (BUSY, "database"),
            WiringError::NoDatabase { .. } => (NOT_FOUND, "not_found"),
            WiringError::Engine(_)
            | WiringError::Library(_)
            | WiringError::Secret(_)
            | WiringError::Heartbeat(_) => (FAILED, "failed"),
        };
        Self { code, kind, message: error.to_string() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error)
    }
}

impl Context {
    fn config(&self) -> Result<Config, Failure> {
        config::load(&self.workspace).map_err(|wrong| Failure::new(wrong.join("\n")))
    }

    /// The engine of the workspace, and its settings.
    async fn engine(&self) -> Result<(Running, Config), Failure> {
        let config = self.config()?;
        Ok((wiring::engine(&self.workspace, &config).await?, config))
    }

    /// The checked files of the workspace; every finding is on stderr when there is an error.
    fn checked(&self, config: &Config) -> Result<Workspace, Failure> {
        self.checked_or(config, "nothing was changed")
    }

    /// The same, for a command that says in its own words what did not happen.
    fn checked_or(&self, config: &Config, instead: &str) -> Result<Workspace, Failure> {
        let files = wiring::files(&self.workspace)?;
        let calendars = config.calendars.keys().cloned().collect();
        let (workspace, findings) = workspace::check(&files, &calendars);
        workspace.ok_or_else(|| {
            findings.iter().for_each(|finding| eprintln!("{finding}"));
            Failure::new(format!(
                "{instead}: mend the errors above (`firsttouch check` shows them again)"
            ))
        })
    }
}

/// Who sits at the command line, as the system says.
fn who() -> String {
    let named = config::variable("USER").or_else(|| config::variable("LOGNAME"));
    named.map_or_else(|| "the command line".to_owned(), |name| output::plain(&name, 40))
}

/// Runs the program; the exit code says how it went.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; everything else is wrong usage.
            let code = if error.use_stderr() { USAGE } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let context = Context { workspace: cli.workspace, json: cli.json };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&context, &Failure::new(error)),
    };
    match runtime.block_on(dispatch(&context, cli.command)) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => fail(&context, &failure),
    }
}

async fn dispatch(context: &Context, command: Command) -> Result<u8, Failure> {
    match command {
        Command::Init(args) => init::run(context, &args),
        Command::Check(args) => check::run(context, &args).await,
        Command::Fmt(args) => fmt::run(context, &args),
        Command::Schema(args) => schema::run(context, &args),
        Command::Convert(args) => convert::run(context, &args),
        Command::Test(args) => test::run(context, &args).await,
        Command::Preview(args) => preview::run(context, &args).await,
        Command::Plan(args) => plan::plan(context, &args).await,
        Command::Apply(args) => plan::apply(context, &args).await,
        Command::History(args) => history::history(context, &args).await,
        Command::Diff(args) => history::diff(context, &args).await,
        Command::Import(args) => import::run(context, args).await,
        Command::Profile(args) => profile::run(context, &args).await,
        Command::Simulate(args) => simulate::run(context, args).await,
        Command::Enroll(args) => enroll::run(context, &args).await,
        Command::Event(args) => event::run(context, args).await,
        Command::Run(args) => run::run(context, &args).await,
        Command::Today(args) => today::run(context, &args).await,
        Command::Next(args) => next::run(context, args).await,
        Command::Done(args) => done::run(context, args).await,
        Command::Skip(args) => skip::skip(context, args).await,
        Command::Snooze(args) => skip::snooze(context, args).await,
        Command::Undo(args) => undo::run(context, &args).await,
        Command::Reassign(args) => reassign::run(context, args).await,
        Command::Away(args) => away::run(context, args).await,
        Command::Replies(args) => replies::run(context, &args).await,
        Command::Board(args) => board::run(context, &args).await,
        Command::Why(args) => why::run(context, &args).await,
        Command::Report(args) => report::run(context, &args).await,
        Command::Verify(args) => verify::run(context, &args).await,
        Command::Db(args) => db::run(context, &args).await,
        Command::Suppress(args) => suppress::run(context, &args).await,
        Command::HoldAll(args) => hold::hold_all(context, &args).await,
        Command::ReleaseAll(args) => hold::release_all(context, &args).await,
        Command::Hold(args) => hold::hold_one(context, &args).await,
        Command::Release(args) => hold::release_one(context, &args).await,
        Command::Holds(args) => hold::list(context, &args).await,
        Command::Demo(args) => demo::run(context, args).await,
        Command::Help(args) => help::run(context, &args),
    }
}

fn fail(context: &Context, failure: &Failure) -> ExitCode {
    if context.json {
        eprintln!("{}", json!({"error": {"code": failure.kind, "message": failure.message}}));
    } else {
        eprintln!("error: {}", failure.message);
    }
    ExitCode::from(failure.code)
}

/// Logs to stderr. Two libraries log passwords or personal data below `info`: they stay there.
fn start_logging(json: bool) {
    let asked = config::variable("FIRSTTOUCH_LOG").unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(&asked).unwrap_or_else(|_| EnvFilter::new("info"));
    let quiet = ["async_imap=info", "handlebars=info", "sqlx=warn", "tokio_cron_scheduler=warn"];
    let filter =
        quiet.iter().filter_map(|rule| rule.parse().ok()).fold(filter, EnvFilter::add_directive);
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let logs = logs.with_ansi(output::colour_on(&std::io::stderr()));
    let _ = if json { logs.json().try_init() } else { logs.with_target(false).try_init() };
}
