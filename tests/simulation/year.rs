//! A year of one large team, under the same checks and with faults now and then.

use std::time::Instant;

use jiff::SignedDuration;

use super::driver::{Driver, Options};
use super::mutations::Mutation;
use super::plan::Plan;

/// What the year may take, in seconds, in a release build.
const AIM_S: u64 = 120;

/// Mails that may be expected of a year in which most people are written to three times.
const AT_LEAST: usize = 10_000;

#[test]
#[ignore = "scripts/simulate year runs it"]
fn a_team_of_twenty_works_ten_thousand_people_for_a_year() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let begins = Instant::now();
    let ran = runtime.expect("a runtime").block_on(async {
        let plan = Plan::of_a_year();
        let mut driver = Driver::new(Options::of(0, Mutation::Nothing), plan).await;
        driver.world.state().rarity = 20;
        driver.live_for(SignedDuration::from_hours(24 * 365)).await;
        driver.stop().await
    });
    let took = begins.elapsed();
    println!("{} mails in {:.1} s; {}", ran.accepted, took.as_secs_f64(), ran.faults.summary());
    assert_eq!(ran.findings, Vec::<String>::new());
    assert!(ran.accepted > AT_LEAST, "only {} mails", ran.accepted);
    let optimised = !cfg!(debug_assertions);
    assert!(!optimised || took.as_secs() < AIM_S, "it took {took:?}");
}
