//! Several runs side by side, and what more reps would change: found out by simulating that as well.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use jiff::civil::Date;

use super::{Ends, Scenario, SimulateError, play};
use crate::domain::budget::Waiting;
use crate::domain::forecast::{Brake, Run};
use crate::domain::ids::{MailboxId, RepId};
use crate::domain::settings::{Mailbox, Settings};

/// What came of all runs.
pub struct Forecast {
    /// One for each seed, in the order of the seeds; never empty.
    pub runs: Vec<Run>,
    /// What holds people up in the first run.
    pub brake: Option<Brake>,
    /// What would change that, found out by a run of its own.
    pub remedy: Option<Remedy>,
}

/// More reps, each with a mailbox, and the people shared evenly among them.
#[derive(Debug, Clone, PartialEq)]
pub struct Remedy {
    pub reps: usize,
    /// The day of the last first touch.
    pub begun_by: Option<Date>,
    /// Working days that people wait each, for the limit that held them up; all touches together.
    pub working_days: f64,
    /// Of the tasks that were done or expired, those that expired.
    pub expired: f64,
}

/// How often a progress bar is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Reps that a remedy has at most.
const MOST_REPS: usize = 500;

/// Tries of a remedy, two side by side in each; of many people over many days only once.
const ROUNDS: usize = 3;
const MANY_DAYS: u64 = 100_000;

/// Simulates a scenario with so many seeds, the first one's behind it, and looks for a remedy.
///
/// # Errors
/// The engine or its store failed.
pub fn forecast(
    scenario: &Scenario,
    runs: u32,
    tell: &mut dyn FnMut(u64),
) -> Result<Forecast, SimulateError> {
    let with_seed = |n: u32| Scenario { seed: scenario.seed + u64::from(n), ..scenario.clone() };
    let runs = play_all((0..runs.max(1)).map(with_seed).collect(), tell)?;
    let brake = runs.first().and_then(Run::brake);
    let remedy = match (runs.first(), brake) {
        (Some(run), Some(brake)) => remedy(scenario, run, brake, tell)?,
        _ => None,
    };
    Ok(Forecast { runs, brake, remedy })
}

/// Plays scenarios on as many threads as there are cores; the results in the order of the scenarios.
fn play_all(
    scenarios: Vec<Scenario>,
    tell: &mut dyn FnMut(u64),
) -> Result<Vec<Run>, SimulateError> {
    let Some(days_done) = scenarios.first().map(|scenario| scenario.days_done.clone()) else {
        return Ok(Vec::new());
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let n = scenarios.len();
    let waiting = Mutex::new(scenarios.into_iter().enumerate());
    let (done, results) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..cores.min(n) {
            let (done, waiting) = (done.clone(), &waiting);
            scope.spawn(move || {
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((at, scenario)) = next else { return };
                    // Nobody listens any more only when the whole was given up.
                    if done.send((at, play(&scenario))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut runs = BTreeMap::new();
        loop {
            match results.recv_timeout(TELL_EVERY) {
                Ok((at, run)) => drop(runs.insert(at, run?)),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            tell(days_done.load(std::sync::atomic::Ordering::Relaxed));
        }
        Ok(runs.into_values().collect())
    })
}

/// Tries more reps until nobody is held up any more. A limit that more reps do not move has no remedy
/// here.
fn remedy(
    scenario: &Scenario,
    run: &Run,
    brake: Brake,
    tell: &mut dyn FnMut(u64),
) -> Result<Option<Remedy>, SimulateError> {
    let moved_by_reps = match brake {
        Brake::Limit { reason, .. } => {
            matches!(reason, Waiting::MailboxLimit | Waiting::RepLimit)
        }
        Brake::Reps { .. } => true,
    };
    let mut reps = enough(scenario, run, brake);
    let many = run.people.saturating_mul(u64::from(scenario.days)) > MANY_DAYS;
    let rounds = match moved_by_reps {
        false => 0,
        true if many => 1,
        true => ROUNDS,
    };
    for _ in 0..rounds {
        let tries = [reps, reps + reps.div_ceil(4)].map(|reps| reps.min(MOST_REPS));
        let ends = match run.still_waiting() {
            0 => Ends::OnTime,
            _ => Ends::WhenEverybodyBegan,
        };
        let scenarios = tries.map(|reps| Scenario { ends, ..with_reps(scenario, reps) });
        let runs = play_all(scenarios.into(), tell)?;
        let found = tries.into_iter().zip(&runs).find(|(_, other)| helps(run, other, brake));
        if let Some((reps, other)) = found {
            return Ok(Some(Remedy {
                reps,
                begun_by: other.last_first_touch(),
                working_days: waited(other, brake),
                expired: other.expired_share(),
            }));
        }
        reps = (reps * 2).min(MOST_REPS);
    }
    Ok(None)
}

/// How many reps would do, if everything grew with them.
fn enough(scenario: &Scenario, run: &Run, brake: Brake) -> usize {
    let now = scenario.settings.reps().len().max(1);
    let scale = |wanted: u64, had: u64| {
        let reps = (now as u64).saturating_mul(wanted).div_ceil(had.max(1));
        usize::try_from(reps).unwrap_or(MOST_REPS).clamp(now + 1, MOST_REPS)
    };
    match brake {
        Brake::Limit { .. } if run.still_waiting() > 0 => {
            scale(run.touched() + run.still_waiting(), run.touched())
        }
        Brake::Limit { .. } => now + 1,
        Brake::Reps { .. } => {
            let expired: u64 = run.expired.values().sum();
            let done: u64 = run.load.values().map(|load| load.tasks()).sum();
            scale(done + expired, done)
        }
    }
}

/// Whether the other run does what the first could not.
fn helps(run: &Run, other: &Run, brake: Brake) -> bool {
    match brake {
        Brake::Limit { .. } if run.still_waiting() > 0 => other.still_waiting() == 0,
        Brake::Limit { .. } => waited(other, brake) <= waited(run, brake) / 2.0,
        Brake::Reps { .. } => !matches!(other.brake(), Some(Brake::Reps { .. })),
    }
}

/// What the limit that holds people up costs them, in working days.
fn waited(run: &Run, brake: Brake) -> f64 {
    match brake {
        Brake::Limit { reason, .. } => run.waited().get(&reason).copied().unwrap_or(0.0),
        Brake::Reps { .. } => 0.0,
    }
}

/// The same with so many reps, each with a mailbox like those that are there.
fn with_reps(scenario: &Scenario, n: usize) -> Scenario {
    let models: Vec<&Mailbox> = scenario
        .settings
        .reps()
        .iter()
        .filter_map(|rep| scenario.settings.mailbox_of(rep))
        .collect();
    let mut mailboxes: BTreeMap<MailboxId, Mailbox> = BTreeMap::new();
    for (at, model) in models.iter().cycle().take(n).enumerate() {
        let round = at / models.len().max(1);
        let mut mailbox = (*model).clone();
        if round > 0 {
            mailbox.id = MailboxId(format!("{}+{round}", model.id));
            mailbox.owner = RepId(format!("{}+{round}", model.owner));
        }
        mailboxes.insert(mailbox.id.clone(), mailbox);
    }
    let settings = Settings { mailboxes, ..(*scenario.settings).clone() };
    let mut cast = (*scenario.cast).clone();
    cast.share_out(&settings.reps());
    let (settings, cast) = (Arc::new(settings), Arc::new(cast));
    Scenario { settings, cast, ..scenario.clone() }
}
