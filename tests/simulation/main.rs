//! The whole engine on a simulated clock, in a world of faults, from one seed.
//!
//! Whatever breaks a promise prints its seed and the command that repeats it.

mod base;
mod chance;
mod checks;
mod clock;
mod driver;
mod letters;
mod mail;
mod mutations;
mod store;
mod workspace;
mod world;

use driver::Ran;
use firsttouch::domain::touch::Status;
use world::Mutation;

/// Runs one seed to its end, on one core: between two cores the engine and its database wait for
/// each other five times as long.
fn run(seed: u64, mutation: Mutation, core: usize) -> Ran {
    stay_on(core);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(driver::run(seed, mutation))
}

#[cfg(target_os = "linux")]
fn stay_on(core: usize) {
    use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};
    let Ok(allowed) = sched_getaffinity(None::<Pid>) else { return };
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
    // Already on one core, or not allowed to choose: slower, and no worse.
    let Some(core) = cores.get(core % cores.len().max(1)) else { return };
    let mut one = CpuSet::new();
    one.set(*core);
    let _ = sched_setaffinity(None::<Pid>, &one);
}

#[cfg(not(target_os = "linux"))]
fn stay_on(_core: usize) {}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn keeps_its_promises(seed: u64) -> Ran {
    let ran = run(seed, Mutation::None, usize::from(seed % 2 == 1));
    if !ran.findings.is_empty() {
        if let Ok(path) = std::env::var("FIRSTTOUCH_SIMULATION_LOG") {
            std::fs::write(path, &ran.log).expect("the log");
        }
        panic!(
            "seed {seed} broke a promise:\n{}\nrepeat it with\n  FIRSTTOUCH_SEED={seed} \
             FIRSTTOUCH_SIMULATION_LOG=sim.log cargo test --test simulation promises\n",
            ran.story
        );
    }
    ran
}

/// Seeds of one of two ranges, so that they run on two cores.
fn range(offset: u64) {
    if let Some(seed) = number("FIRSTTOUCH_SEED") {
        if offset == seed % 2 {
            keeps_its_promises(seed);
        }
        return;
    }
    let seeds = number("FIRSTTOUCH_SEEDS").unwrap_or(16);
    let (mut accepted, mut crashes, mut meanwhiles) = (0, 0, 0);
    for seed in (offset..seeds).step_by(2) {
        let ran = keeps_its_promises(seed);
        accepted += ran.accepted;
        crashes += ran.crashes;
        meanwhiles += ran.meanwhiles;
    }
    println!("{accepted} mails, {crashes} crashes, {meanwhiles} interruptions");
    assert!(accepted > 0 && crashes > 0 && meanwhiles > 0, "the world was too kind");
}

#[test]
fn promises_hold_for_every_even_seed() {
    range(0);
}

#[test]
fn promises_hold_for_every_odd_seed() {
    range(1);
}

#[test]
fn the_same_seed_is_the_same_story() {
    let (once, again) = (run(77, Mutation::None, 0), run(77, Mutation::None, 0));
    let differ = once.log.lines().zip(again.log.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None);
    assert_eq!(once.hash, again.hash);
}

#[test]
fn a_reply_behind_a_crash_leaves_no_touch_on_its_way() {
    stay_on(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    // A reply that names the mail proves that it left; any other leaves it in doubt.
    assert_eq!(runtime.block_on(driver::reply_behind_a_crash(true)), Status::Sent);
    assert_eq!(runtime.block_on(driver::reply_behind_a_crash(false)), Status::InDoubt);
}

/// A test that cannot fail is a defect: every rule that is broken on purpose is noticed.
fn is_noticed(mutation: Mutation, promise: &str, core: usize) {
    let seeds = 0..4;
    let noticed = seeds.clone().any(|seed| {
        let ran = run(seed, mutation, core);
        println!("{mutation:?}, seed {seed}: {:?}", ran.findings.first());
        ran.findings.iter().any(|finding| finding.contains(promise))
    });
    assert!(noticed, "{mutation:?} breaks {promise}, and seeds {seeds:?} do not show it");
}

fn mutations(part: usize) {
    for (mutation, promise) in mutations::ALL.iter().skip(part).step_by(2) {
        is_noticed(*mutation, promise, part);
    }
}

#[test]
fn rules_broken_on_purpose_are_noticed() {
    mutations(0);
}

#[test]
fn more_rules_broken_on_purpose_are_noticed() {
    mutations(1);
}
