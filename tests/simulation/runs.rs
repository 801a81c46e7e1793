//! Seeds on all cores, and what is printed of one that failed.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::driver::{self, Options, Ran};
use super::faults::{Faults, Kind};
use super::mutations::Mutation;

/// Runs one seed to its end.
pub fn run(options: Options) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(driver::run(options))
}

pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What a seed is run with, as the environment says: faults that are off, days, people.
fn options(seed: u64) -> Options {
    let off = std::env::var("FIRSTTOUCH_SIMULATION_OFF").unwrap_or_default();
    let small = |name| number(name).and_then(|n| i64::try_from(n).ok());
    Options {
        faults: Faults::without(&off),
        days: small("FIRSTTOUCH_SIMULATION_DAYS"),
        people: small("FIRSTTOUCH_SIMULATION_PEOPLE"),
        keeps_log: std::env::var("FIRSTTOUCH_SIMULATION_LOG").is_ok(),
        ..Options::of(seed, Mutation::Nothing)
    }
}

/// # Errors
/// A promise was broken: the seed, the promise, and the command that repeats the smallest run that
/// shows it. The whole run is printed at once.
pub fn keeps_its_promises(seed: u64) -> Result<Ran, String> {
    let options = options(seed);
    let ran = run(options.clone());
    if let Ok(path) = std::env::var("FIRSTTOUCH_SIMULATION_LOG") {
        std::fs::write(path, &ran.log).expect("the log");
    }
    if ran.findings.is_empty() {
        return Ok(ran);
    }
    println!("seed {seed} broke a promise:\n{}repeat it with\n  {}", ran.story, command(&options));
    let (least, story) = minimise(options, ran.story);
    let least = command(&least);
    let failure = format!("seed {seed}, the smallest run that shows it:\n{story}  {least}\n");
    println!("{failure}");
    Err(failure)
}

fn command(options: &Options) -> String {
    let mut words = vec![format!("FIRSTTOUCH_SEED={}", options.seed)];
    if !options.faults.off.is_empty() {
        words.push(format!("FIRSTTOUCH_SIMULATION_OFF={}", options.faults.names()));
    }
    words.extend(options.days.map(|days| format!("FIRSTTOUCH_SIMULATION_DAYS={days}")));
    words.extend(options.people.map(|people| format!("FIRSTTOUCH_SIMULATION_PEOPLE={people}")));
    format!(
        "{} FIRSTTOUCH_SIMULATION_LOG=sim.log cargo test --test simulation promises",
        words.join(" ")
    )
}

/// Switches off one kind of fault after the other, and cuts days and people down, as long as the run
/// still breaks a promise.
pub fn minimise(mut least: Options, mut story: String) -> (Options, String) {
    let mut still_fails = |smaller: Options, least: &mut Options| {
        let ran = run(smaller.clone());
        if !ran.findings.is_empty() {
            (*least, story) = (smaller, ran.story);
        }
    };
    for (_, kind) in Kind::ALL {
        let mut smaller = least.clone();
        if smaller.faults.off.insert(kind) {
            still_fails(smaller, &mut least);
        }
    }
    for days in [20, 10, 5, 3] {
        still_fails(Options { days: Some(days), ..least.clone() }, &mut least);
    }
    for people in [12, 6, 3, 2, 1] {
        still_fails(Options { people: Some(people), ..least.clone() }, &mut least);
    }
    (least, story)
}

/// How often the progress of a long run is printed, in seeds.
const PROGRESS: usize = 100;

/// Behind so many failures nothing new is tried.
const FAILURES: usize = 5;

/// Runs seeds on all cores; mails that were accepted, and faults that happened.
///
/// # Panics
/// Some seeds broke promises.
pub fn all(seeds: Range<u64>) -> (usize, Faults) {
    let count = usize::try_from(seeds.end - seeds.start).expect("small");
    let (begins, done, failed) = (Instant::now(), AtomicUsize::new(0), AtomicUsize::new(0));
    let ran = in_parallel(count, |at| {
        if failed.load(Ordering::Relaxed) >= FAILURES {
            return Ok((0, Faults::default()));
        }
        let ran = keeps_its_promises(seeds.start + at as u64);
        failed.fetch_add(usize::from(ran.is_err()), Ordering::Relaxed);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(PROGRESS) {
            println!("{done} of {count} seeds in {} s", begins.elapsed().as_secs());
        }
        ran.map(|ran| (ran.accepted, ran.faults))
    });
    let failures: Vec<&String> = ran.iter().filter_map(|ran| ran.as_ref().err()).collect();
    assert!(failures.is_empty(), "{} seeds broke promises", failures.len());
    let (mut accepted, mut faults) = (0, Faults::default());
    for (mails, happened) in ran.iter().flatten() {
        accepted += mails;
        faults.add(happened);
    }
    (accepted, faults)
}

/// Calls `one` for every number below `count`, on `FIRSTTOUCH_CORES` or all cores; answers in order.
pub fn in_parallel<T: Send>(count: usize, one: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cores = number("FIRSTTOUCH_CORES").and_then(|n| n.try_into().ok()).unwrap_or(cores);
    let next = AtomicUsize::new(0);
    let answers: Mutex<Vec<Option<T>>> = Mutex::new((0..count).map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    let answer = one(at);
                    answers.lock().expect("answers")[at] = Some(answer);
                }
            });
        }
    });
    let answers = answers.into_inner().expect("answers");
    answers.into_iter().map(|answer| answer.expect("an answer")).collect()
}
