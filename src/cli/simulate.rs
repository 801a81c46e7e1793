//! `simulate`: what a cadence would do to mailboxes and reps, before anybody is enrolled.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::Date;

use super::output::{print, print_json, width};
use super::{Context, Failure, NOT_FOUND};
use crate::config::Config;
use crate::domain::cadence::Audience;
use crate::domain::forecast::{Assumptions, Share};
use crate::domain::ids::{CadenceId, MailboxId};
use crate::domain::settings::Settings;
use crate::engine::workspace::Workspace;
use crate::ports::Clock;
use crate::wiring;
use crate::wiring::simulate::{Cast, Ends, Forecast, Scenario, SimulateError, forecast, settings};

mod json;
mod svg;
mod text;

/// Run a cadence on a simulated clock: who is reached when, the load on mailboxes and reps, and what
/// holds people up
///
/// The engine that sends decides here as well, with the files, mailboxes, limits and holidays of the
/// workspace as they are now, applied or not. Nothing is sent, and the workspace's database is only
/// read. How people answer is assumed: look at the assumptions below before you believe a number. What
/// is under way already does not take part.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The cadence
    cadence: String,
    /// The people of an imported list, with their owners, blocks and earlier cadences
    #[arg(long, conflicts_with = "prospects")]
    list: Option<String>,
    /// So many people who fit the cadence's profiles, shared among the reps
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    prospects: Option<u32>,
    /// Days to simulate
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
    /// The same seed gives the same numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs with different luck; the answers are then told as a range
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    runs: u32,
    /// The first day, such as 2026-03-02; today when absent
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Draw the load and the funnel into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    assumed: Assumed,
}

/// What nobody knows beforehand.
#[derive(clap::Args)]
#[command(next_help_heading = "Assumptions (percentages)")]
struct Assumed {
    /// Mails that a person answers
    #[arg(long, value_name = "%", default_value = "2")]
    reply_rate: Share,
    /// Mails that are answered with "no more"
    #[arg(long, value_name = "%", default_value = "0.5")]
    opt_out_rate: Share,
    /// Mails that are answered by an absence note
    #[arg(long, value_name = "%", default_value = "3")]
    away_rate: Share,
    /// Addresses that do not exist any more
    #[arg(long, value_name = "%", default_value = "2")]
    bounce_rate: Share,
    /// Calls that the person answers
    #[arg(long, value_name = "%", default_value = "9")]
    answer_rate: Share,
    /// Other calls that end on a voicemail
    #[arg(long, value_name = "%", default_value = "40")]
    voicemail_rate: Share,
    /// Connection requests that are accepted
    #[arg(long, value_name = "%", default_value = "25")]
    accept_rate: Share,
    /// Answered calls that end in a meeting
    #[arg(long, value_name = "%", default_value = "10")]
    meeting_rate: Share,
    /// Calls, social touches and other tasks that a rep does in a working day, as a number
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    tasks_per_day: u32,
    /// The hours of a rep's day, in the time zone of the settings
    #[arg(long, value_name = "FROM-TO", default_value = "9-17", value_parser = hours)]
    rep_hours: (i8, i8),
    /// People with a phone number, where they are drawn
    #[arg(long, value_name = "%", default_value = "80")]
    with_phone: Share,
    /// People with a LinkedIn profile, where they are drawn
    #[arg(long, value_name = "%", default_value = "90")]
    with_linkedin: Share,
}

impl Assumed {
    fn assumptions(&self) -> Assumptions {
        Assumptions {
            reply: self.reply_rate,
            opt_out: self.opt_out_rate,
            away: self.away_rate,
            dead_address: self.bounce_rate,
            answer: self.answer_rate,
            voicemail: self.voicemail_rate,
            accept: self.accept_rate,
            meeting: self.meeting_rate,
            tasks_per_day: self.tasks_per_day,
            hours: self.rep_hours,
            with_phone: self.with_phone,
            with_linkedin: self.with_linkedin,
        }
    }
}

/// `9-17`: from the hour to the hour.
fn hours(text: &str) -> Result<(i8, i8), String> {
    let pair = text.split_once('-').and_then(|(from, to)| {
        Some((from.trim().parse::<i8>().ok()?, to.trim().parse::<i8>().ok()?))
    });
    match pair {
        Some((from, to)) if (0..24).contains(&from) && from < to && to <= 24 => Ok((from, to)),
        _ => Err("write two hours of a day, such as 9-17".to_owned()),
    }
}

impl From<SimulateError> for Failure {
    fn from(error: SimulateError) -> Self {
        match error {
            SimulateError::Engine(error) => error.into(),
            SimulateError::Store(error) => error.into(),
            SimulateError::Begins(_) => Self::usage(error),
            SimulateError::Collect(_) | SimulateError::Runtime(_) => Self::new(error),
        }
    }
}

/// Everything that the answer is told from.
struct Told<'a> {
    args: &'a Args,
    scenario: &'a Scenario,
    forecast: &'a Forecast,
}

impl Told<'_> {
    fn is_of_customers(&self) -> bool {
        audience(&self.scenario.workspace, &self.scenario.cadence) == Audience::Customers
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<u8, Failure> {
    if args.list.is_none() && args.prospects.is_none() {
        return Err(Failure::usage(
            "say whom: --list NAME for the people of an imported list, or --prospects 500 for people \
             who are drawn",
        ));
    }
    let config = context.config()?;
    let workspace = context.checked(&config)?;
    let scenario = scenario(&config, workspace, &args).await?;
    let runs = args.runs;
    let background = scenario.clone();
    // Hours of simulated days take seconds of a real core: not on the threads that wait for others.
    let forecast = tokio::task::spawn_blocking(move || {
        let mut bar = Bar::new(&background, runs);
        let done = forecast(&background, runs, &mut |days| bar.at(days));
        bar.bar.finish_and_clear();
        done
    });
    let forecast = forecast.await.map_err(Failure::new)??;
    let told = Told { args: &args, scenario: &scenario, forecast: &forecast };
    if let Some(file) = &args.svg {
        let failed = |error| Failure::new(format!("cannot write {}: {error}", file.display()));
        std::fs::write(file, svg::draw(&told)).map_err(failed)?;
    }
    match context.json {
        true => print_json(&json::document(&told)),
        false => print(&text::answer(&told, width())),
    }
    Ok(0)
}

async fn scenario(config: &Config, workspace: Workspace, args: &Args) -> Result<Scenario, Failure> {
    let cadence = CadenceId(args.cadence.clone());
    let known: Vec<&str> = workspace.cadences.iter().map(|file| file.cadence.id.as_str()).collect();
    if !known.contains(&cadence.as_str()) {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(not_found(format!("there is no cadence `{cadence}`; the files have: {known}")));
    }
    if config.company.postal_address.trim().is_empty() {
        return Err(Failure::new(
            "company.postal_address is not set in firsttouch.toml: no mail would be sent, so there is \
             nothing to simulate",
        ));
    }
    let settings = settings(wiring::settings(config, Vec::new()), args.seed);
    let assumed = args.assumed.assumptions();
    let now = wiring::simulate::clock().now();
    let begins_on = args.from.unwrap_or_else(|| today(now, config));
    let about = (&cadence, assumed, begins_on);
    let cast = cast(config, &workspace, &settings, about, args).await?;
    Ok(Scenario {
        begins_on,
        settings: Arc::new(settings),
        workspace: Arc::new(only(workspace, &cadence)),
        cadence,
        cast: Arc::new(cast),
        assumed,
        days: args.days,
        seed: args.seed,
        ends: Ends::OnTime,
        days_done: Arc::default(),
    })
}

fn today(now: Timestamp, config: &Config) -> Date {
    config.reader_zone.to_datetime(now).date()
}

fn not_found(message: String) -> Failure {
    Failure { code: NOT_FOUND, kind: "not_found", message }
}

/// Other cadences have nobody in a simulation.
fn only(mut workspace: Workspace, cadence: &CadenceId) -> Workspace {
    workspace.cadences.retain(|file| file.cadence.id == *cadence);
    workspace
}

fn audience(workspace: &Workspace, cadence: &CadenceId) -> Audience {
    let file = workspace.cadences.iter().find(|file| file.cadence.id == *cadence);
    file.map_or(Audience::Prospects, |file| file.cadence.audience)
}

async fn cast(
    config: &Config,
    workspace: &Workspace,
    settings: &Settings,
    (cadence, assumed, begins_on): (&CadenceId, Assumptions, Date),
    args: &Args,
) -> Result<Cast, Failure> {
    let Some(name) = &args.list else {
        let n = usize::try_from(args.prospects.unwrap_or(0)).unwrap_or(0);
        let drawn = Cast::drawn(workspace, cadence, (&assumed, args.seed), &settings.reps(), n);
        return Ok(match audience(workspace, cadence) {
            Audience::Customers => drawn.as_customers(begins_on),
            Audience::Prospects => drawn,
        });
    };
    let store = wiring::store_to_read(config).await?;
    let Some(list) = store.list(name).await? else {
        let known: Vec<String> = store.lists().await?.into_iter().map(|list| list.name).collect();
        let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
        return Err(not_found(format!("there is no list `{name}`; imported are: {known}")));
    };
    let mailboxes: Vec<&MailboxId> = settings.mailboxes.keys().collect();
    let cast = Cast::of_list(&*store, &list, mailboxes.into_iter()).await?;
    match cast.is_empty() {
        true => Err(Failure::new(format!("nobody is on the list `{name}`"))),
        false => Ok(cast),
    }
}

/// A bar on a terminal, for what takes longer than a moment.
struct Bar {
    bar: ProgressBar,
}

impl Bar {
    fn new(scenario: &Scenario, runs: u32) -> Self {
        let days = u64::from(scenario.days) * u64::from(runs);
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new(days),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} day {pos} of {len}  {msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    fn at(&mut self, days: u64) {
        let planned = self.bar.length().unwrap_or(days);
        if days > planned {
            self.bar.set_message("trying more reps");
        }
        self.bar.set_position(days.min(planned));
    }
}

#[cfg(test)]
mod tests {
    use super::hours;

    #[test]
    fn the_hours_of_a_day_lie_in_a_day_and_in_order() {
        assert_eq!(hours("9-17"), Ok((9, 17)));
        assert_eq!(hours(" 0 - 24 "), Ok((0, 24)));
        for text in ["", "9", "17-9", "9-9", "9-25", "-1-5", "a-b"] {
            assert!(hours(text).is_err(), "{text}");
        }
    }
}
