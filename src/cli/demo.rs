//! `demo`: the main job on real input, with nothing to set up.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::output::{bold, print, print_json};
use super::report::Numbers;
use super::{Context, Failure, import, init, why};
use crate::config;
use crate::domain::ids::{CadenceId, ProspectId, RepId};
use crate::domain::log::What;
use crate::domain::prospect::Relationship;
use crate::engine::Engine;
use crate::engine::enroll;
use crate::engine::import::{ImportReport, ImportRequest, Mode, OnDuplicate, Source};
use crate::engine::workspace::{self, digest};
use crate::formats::csv::{Options, Reader};
use crate::wiring;
use crate::wiring::demo::{Demo, DemoError, Stage, maildirs};

/// See it work: a list of fictional people through a cadence, against simulated people behind a real
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

const CADENCE: &str = "saas-outbound-14d";
const LIST: &str = "lists/demo.csv";

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
    let report = import_list(&demo, &dir).await?;
    progress.say(&format!("Imported {} rows of {LIST}", report.rows));
    let people = everybody(demo.engine()).await?;
    let cadence = CadenceId::from(CADENCE);
    let enrolled = demo.engine().enroll(&people, &cadence, enroll::Mode::Commit).await?;
    progress.say(&format!(
        "Enrolled {} of {} people in {CADENCE}",
        enrolled.enrolled,
        people.len()
    ));
    play(&mut demo, &args, &progress).await?;
    let violations = demo.violations().await?;
    let numbers = Numbers::of(demo.engine()).await?;
    if context.json {
        print_json(&summary(&args, &report, &enrolled, &numbers, &violations));
    } else {
        show(&demo, &dir, &report, &numbers, &violations).await?;
    }
    Ok(if violations.is_empty() { 0 } else { super::FAILED })
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
    let mailbox = |id: &str, name: &str| {
        format!(
            "\n[[mailbox]]\nid = \"{id}\"\nfrom = \"{name} <{id}@acme.test>\"\nowner = \"{id}\"\n\
             title = \"Account Executive\"\nsmtp = {{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}\n\
             maildir = \"mail/{id}\"\n"
        )
    };
    format!(
        "# Made by `firsttouch demo`: the SMTP server was the demo's own and is gone.\n\
         time_zone = \"America/New_York\"\n\n[company]\nname = \"Acme Inc.\"\n\
         postal_address = \"1 Main St, Springfield, IL 62701, USA\"\n{}{}{}\n[[rep]]\nid = \"dora\"\nroles = [\"account_executive\", \"account_manager\", \"inbound_pool\", \"support_lead\"]\n\n\
         [calendar.standard]\n\
         hours = \"mon-fri 08:00-17:00\"\nclock = \"prospect\"\nif_zone_unknown = \"hold\"\n\
         holidays = [\"2026-04-03\", \"2026-05-25\"]\n",
        mailbox("ann", "Ann Reyes"),
        mailbox("ben", "Ben Okafor"),
        mailbox("cleo", "Cleo Martin")
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

async fn import_list(demo: &Demo, dir: &Path) -> Result<ImportReport, Failure> {
    let text = std::fs::read(dir.join(LIST))?;
    let digest = digest([&String::from_utf8_lossy(&text).into_owned()]);
    let text = std::io::Cursor::new(text);
    let reader = Reader::open(text, &Options::default()).map_err(Failure::new)?;
    let request = ImportRequest {
        file: "demo.csv".to_owned(),
        digest,
        list: "demo".to_owned(),
        list_is_named: false,
        owner: RepId::from("ann"),
        on_duplicate: OnDuplicate::Fill,
        relationship: Relationship::Prospect,
        mends: None,
        reading: BTreeMap::new(),
        mode: Mode::Commit,
    };
    let report = demo.engine().import(Source::new(reader), request, &mut ()).await?;
    share_out(demo.engine()).await?;
    Ok(report)
}

/// Shares the people among the reps by company, so that colleagues have one owner.
async fn share_out(engine: &Engine) -> Result<(), Failure> {
    let reps = engine.settings.reps();
    let people = everybody(engine).await?;
    let mut changes = crate::ports::Changes::default();
    for mut prospect in engine.store.prospects(&people).await? {
        let company = prospect.company_id.map_or(prospect.id.0, |company| company.0);
        let index = usize::try_from(company).unwrap_or(0) % reps.len().max(1);
        if let Some(rep) = reps.get(index) {
            prospect.owner = rep.clone();
            changes.prospects.push((prospect, Vec::new()));
        }
    }
    Ok(engine.store.write(changes).await?)
}

async fn everybody(engine: &Engine) -> Result<Vec<ProspectId>, Failure> {
    Ok(engine.store.all_prospects().await?)
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

async fn show(
    demo: &Demo,
    dir: &Path,
    report: &ImportReport,
    numbers: &Numbers,
    violations: &[String],
) -> Result<(), Failure> {
    let zone = demo.engine().settings.reader_zone.clone();
    print(&import::text(report, None));
    for (title, prospect) in two_people(demo.engine()).await? {
        print(&format!("\n{}", bold(&title)));
        print(&timeline(demo.engine(), prospect, &zone).await?);
    }
    print("");
    print(&numbers.text(&zone));
    print(&format!("violations: {}", violations.len()));
    violations.iter().for_each(|violation| print(&format!("  {violation}")));
    print(&format!(
        "\nLook around:  firsttouch -C {0} today      firsttouch -C {0} replies      firsttouch -C {0} why ADDRESS",
        dir.display()
    ));
    Ok(())
}

/// Somebody who replied to a mail and somebody who opted out; else anybody.
async fn two_people(engine: &Engine) -> Result<Vec<(String, ProspectId)>, Failure> {
    let replies = engine.store.replies(100_000).await?;
    let of_kind =
        |kind: &str| replies.iter().rev().find(|r| r.kind == kind).and_then(|r| r.prospect);
    let wanted = [
        ("Somebody who replied", of_kind("reply")),
        ("Somebody who opted out", of_kind("unsubscribe")),
    ];
    Ok(wanted.into_iter().filter_map(|(title, id)| Some((title.to_owned(), id?))).collect())
}

async fn timeline(
    engine: &Engine,
    prospect: ProspectId,
    zone: &TimeZone,
) -> Result<String, Failure> {
    let mut story = engine.why(&prospect.to_string()).await?;
    story.log.retain(|entry| entry.what != What::Intended);
    Ok(why::text(&story, zone))
}

fn summary(
    args: &Args,
    report: &ImportReport,
    enrolled: &enroll::Enrolled,
    numbers: &Numbers,
    violations: &[String],
) -> Value {
    let import = report.to_json();
    let mut counts = serde_json::Map::new();
    counts.insert("rows".to_owned(), json!(report.rows));
    if let Some(outcomes) = import["outcomes"].as_object() {
        counts.extend(outcomes.clone());
    }
    let tally = &numbers.tally;
    let touches = |channel: &str| tally.touches.get(channel).copied().unwrap_or(0);
    json!({
        "schema": "firsttouch.demo.v1",
        "days": args.days,
        "seed": args.seed,
        "import": counts,
        "enrolled": enrolled.enrolled,
        "not_enrolled": enrolled.skipped,
        "touches": {"email": touches("email"), "call": touches("call"), "social": touches("social")},
        "first_touches": tally.first_touches().values().sum::<u64>(),
        "first_touches_by_channel": tally.first_touches(),
        "replies": tally.replies,
        "auto_replies": tally.auto_replies,
        "bounces": tally.bounces,
        "opted_out": tally.opted_out,
        "complaints": tally.complaints,
        "endings": tally.endings,
        "in_doubt": numbers.doubts.len(),
        "violations": violations,
    })
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
