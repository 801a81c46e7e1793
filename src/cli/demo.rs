//! `demo`: the main job on real input, with nothing to set up.

mod lists;
mod summary;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use self::lists::{LISTS, Listed, requests};
use self::summary::Summary;
use super::output::print_json;
use super::report::Numbers;
use super::{Context, Failure, init};
use crate::config;
use crate::engine::workspace;
use crate::wiring;
use crate::wiring::demo::{Demo, DemoError, Stage, maildirs};

/// See it work: lists of fictional people through every cadence, against simulated people behind a real
/// SMTP server on this machine. Nobody outside is contacted
#[derive(clap::Args)]
pub(super) struct Args {
    /// Days to simulate
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i64).range(1..=365))]
    days: i64,
    /// The same seed gives the same numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Simulated minutes in one second; as fast as it goes when absent
    #[arg(long)]
    speed: Option<u32>,
    /// Keep the workspace here; otherwise it is left in a new temporary folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        Self::new(error)
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    let dir = folder(&args)?;
    let progress = Progress::new(args.days);
    progress.say(&format!("A workspace in {}", dir.display()));
    let mut demo = stage(&dir, &args).await?;
    let outbound = bring_everybody_in(&mut demo, &dir, &progress).await?;
    play(&mut demo, &args, &progress).await?;
    let engine = demo.engine();
    let summary = Summary {
        args: &args,
        engine,
        dir: &dir,
        outbound,
        numbers: Numbers::of(engine).await?,
        cadences: engine.tallies().await?.into_iter().collect(),
        held: demo.held().to_vec(),
        violations: demo.violations().await?,
    };
    if context.json {
        print_json(&summary.json());
    } else {
        summary.show().await?;
    }
    Ok(if summary.violations.is_empty() { 0 } else { super::FAILED })
}

/// Imports every list and enrolls those whom a rep enrolls; what became of the first, outbound.
async fn bring_everybody_in(
    demo: &mut Demo,
    dir: &Path,
    progress: &Progress,
) -> Result<Listed, Failure> {
    let mut outbound = None;
    for list in &LISTS {
        let listed = list.bring_in(demo, dir).await?;
        progress.say(&format!("Imported {} rows of {}", listed.report.rows, list.file()));
        if let (Some(enrolled), Some(cadence)) = (&listed.enrolled, list.cadence) {
            progress.say(&format!(
                "Enrolled {} of {} people in {cadence}",
                enrolled.enrolled, enrolled.people
            ));
        }
        for (cadence, came) in &listed.report.started {
            progress.say(&format!("{} came into {cadence} by themselves", came.enrolled));
        }
        outbound.get_or_insert(listed);
    }
    let asks = requests(demo.engine(), demo.engine().now()).await?;
    progress.say(&format!("{} people will ask for a demo", asks.len()));
    demo.expect_requests(asks);
    outbound.ok_or_else(|| Failure::new("the demo has no list"))
}

fn folder(args: &Args) -> Result<PathBuf, Failure> {
    if let Some(keep) = &args.keep {
        if keep.join(config::FILE).exists() {
            return Err(Failure::usage(format!(
                "{} is a workspace already: the demo begins with an empty folder",
                keep.display()
            )));
        }
        return Ok(keep.clone());
    }
    let base = config::temporary_folder();
    let made = (0..1000).find_map(|n| {
        let dir = base.join(format!("firsttouch-demo-{}-{n}", std::process::id()));
        std::fs::create_dir(&dir).is_ok().then_some(dir)
    });
    made.ok_or_else(|| {
        Failure::new(format!("cannot make a folder in {}; use --keep DIR", base.display()))
    })
}

/// The settings of the demo; only the port is not known beforehand.
fn settings(port: u16) -> String {
    let mailbox = |id: &str, name: &str, title: &str| {
        format!(
            "\n[[mailbox]]\nid = \"{id}\"\nfrom = \"{name} <{id}@acme.test>\"\nowner = \"{id}\"\n\
             title = \"{title}\"\nsmtp = {{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}\n\
             maildir = \"mail/{id}\"\n"
        )
    };
    format!(
        "# Made by `firsttouch demo`: the SMTP server was the demo's own and is gone.\n\
         time_zone = \"America/New_York\"\n\n[company]\nname = \"Acme Inc.\"\n\
         postal_address = \"1 Main St, Springfield, IL 62701, USA\"\n{}{}{}{}{}\n[[rep]]\nid = \"dora\"\nroles = [\"account_executive\", \"account_manager\", \"inbound_pool\", \"support_lead\"]\n\n\
         [calendar.standard]\n\
         hours = \"mon-fri 08:00-17:00\"\nclock = \"prospect\"\nif_zone_unknown = \"hold\"\n\
         holidays = [\"2026-04-03\", \"2026-05-25\"]\n",
        mailbox("ann", "Ann Reyes", "Account Executive"),
        mailbox("ben", "Ben Okafor", "Account Executive"),
        mailbox("cleo", "Cleo Martin", "Account Executive"),
        mailbox("dora", "Dora Lindt", "Account Manager"),
        // A mailbox of their own: who asks for a demo does not wait behind cold mail.
        mailbox("ida", "Ida Novak", "Inbound Sales"),
    )
}

async fn stage(dir: &Path, args: &Args) -> Result<Demo, Failure> {
    let wrong = |wrong: Vec<String>| Failure::new(wrong.join("\n"));
    let folders = maildirs(&config::parse(&settings(1), dir).map_err(wrong)?);
    for folder in folders.values() {
        for part in ["new", "cur", "tmp"] {
            std::fs::create_dir_all(folder.join(part))?;
        }
    }
    let stage = Stage::open(args.seed, folders)?;
    init::write_shipped(dir, &settings(stage.port()))?;
    let config = config::load(dir).map_err(wrong)?;
    let files = wiring::files(dir)?;
    let (checked, findings) = workspace::check(&files, &config.calendars.keys().cloned().collect());
    let Some(checked) = checked else {
        return Err(Failure::new(
            findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        ));
    };
    let demo = stage.demo(dir, &config, args.days).await?;
    demo.engine().apply(&checked, None).await?;
    Ok(demo)
}

async fn play(demo: &mut Demo, args: &Args, progress: &Progress) -> Result<(), Failure> {
    let begins = demo.engine().now();
    let mut before = begins;
    while demo.step().await? {
        let now = demo.engine().now();
        progress.day(begins.duration_until(now).as_hours() / 24);
        if let Some(speed) = args.speed.filter(|speed| *speed > 0) {
            let minutes = before.duration_until(now).as_secs_f64() / 60.0;
            let pause = Duration::from_secs_f64(minutes.max(0.0) / f64::from(speed));
            tokio::time::sleep(pause).await;
        }
        before = now;
    }
    progress.finish();
    Ok(())
}

/// A bar on a terminal, plain lines otherwise.
struct Progress {
    bar: Option<ProgressBar>,
    days: i64,
    told: std::cell::Cell<i64>,
}

impl Progress {
    fn new(days: i64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(days.unsigned_abs());
            if let Ok(style) =
                ProgressStyle::with_template("{bar:40} day {pos} of {len}  {elapsed}")
            {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, days, told: std::cell::Cell::new(0) }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    fn day(&self, day: i64) {
        match &self.bar {
            Some(bar) => bar.set_position(day.unsigned_abs()),
            None if day >= self.told.get() + 5 => {
                self.told.set(day);
                eprintln!("day {day} of {}", self.days);
            }
            None => {}
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
