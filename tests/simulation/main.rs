//! The whole engine on a simulated clock, in a world of faults, from one seed.
//!
//! Whatever breaks a promise prints its seed and the command that repeats it.

mod base;
mod books;
mod chance;
mod checks;
mod clock;
mod driver;
mod faults;
mod jobs;
mod letters;
mod mail;
mod mutations;
mod plan;
mod runs;
mod store;
mod workspace;
mod world;
mod year;

use driver::Options;
use firsttouch::domain::touch::Status;
use mutations::Mutation;

/// Seeds that are always run.
const SEEDS: u64 = 16;

/// A rule that is broken on purpose is seen by one of so many seeds.
const SEEDS_OF_A_MUTATION: u64 = 60;

#[test]
fn promises_hold_for_every_seed_and_every_fault_happens() {
    if let Some(seed) = runs::number("FIRSTTOUCH_SEED") {
        let ran = runs::keeps_its_promises(seed).unwrap_or_else(|failure| panic!("{failure}"));
        return println!("{} mails; {}", ran.accepted, ran.faults.summary());
    }
    let seeds = runs::number("FIRSTTOUCH_SEEDS").unwrap_or(SEEDS);
    let (accepted, faults) = runs::all(0..seeds);
    println!("{accepted} mails; {}", faults.summary());
    assert_eq!(faults.missing(), Vec::<&str>::new(), "the world was too kind");
}

/// Many seeds, for `scripts/simulate`.
#[test]
#[ignore = "scripts/simulate runs it"]
fn as_many_seeds_as_asked_for() {
    let first = runs::number("FIRSTTOUCH_FIRST").unwrap_or(0);
    let seeds = runs::number("FIRSTTOUCH_SEEDS").expect("FIRSTTOUCH_SEEDS");
    let (accepted, faults) = runs::all(first..first + seeds);
    println!("{seeds} seeds, {accepted} mails, no violation\n{}", faults.summary());
}

#[test]
fn the_same_seed_is_the_same_story() {
    let options = Options { keeps_log: true, ..Options::of(77, Mutation::Nothing) };
    let (once, again) = (runs::run(options.clone()), runs::run(options));
    let differ = once.log.lines().zip(again.log.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None);
    assert_eq!(once.log.len(), again.log.len());
    assert!(once.accepted > 0);
}

#[test]
fn a_reply_behind_a_crash_leaves_no_touch_on_its_way() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    // A reply that names the mail proves that it left; any other leaves it in doubt.
    assert_eq!(runtime.block_on(driver::reply_behind_a_crash(true)), Status::Sent);
    assert_eq!(runtime.block_on(driver::reply_behind_a_crash(false)), Status::InDoubt);
}

/// A test that cannot fail is a defect: every rule that is broken on purpose is noticed.
#[test]
fn rules_broken_on_purpose_are_noticed() {
    let only = std::env::var("FIRSTTOUCH_MUTATION").unwrap_or_default();
    let log = std::env::var("FIRSTTOUCH_SIMULATION_LOG").unwrap_or_default();
    let all: Vec<_> = mutations::ALL
        .iter()
        .filter(|(mutation, _)| format!("{mutation:?}").contains(&only))
        .collect();
    let unnoticed = runs::in_parallel(all.len(), |at| {
        let (mutation, promise) = all[at];
        let sees = |seed: &u64| {
            let options = Options::of(*seed, *mutation);
            let ran =
                runs::run(Options { looks_for: promise, keeps_log: !log.is_empty(), ..options });
            if !log.is_empty() {
                std::fs::write(format!("{log}.{seed}"), &ran.log).expect("the log");
            }
            if !only.is_empty() {
                println!("{mutation:?}, seed {seed}: {:?}", ran.findings.first());
            }
            ran.findings.iter().any(|finding| finding.contains(promise))
        };
        let seen = (0..SEEDS_OF_A_MUTATION).find(sees);
        println!("{mutation:?} breaks {promise}: seed {seen:?}");
        seen.is_none().then(|| format!("{mutation:?} breaks `{promise}`, and no seed shows it"))
    });
    let unnoticed: Vec<String> = unnoticed.into_iter().flatten().collect();
    assert_eq!(unnoticed, Vec::<String>::new());
}
