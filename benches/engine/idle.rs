//! A tick with nothing to do: what it costs must not depend on how many wait.

use std::time::Instant;

use firsttouch::engine::Engine;

use super::ground::{Ground, Taker, mailbox};
use super::table::{Line, Table};

const WARM_UP: usize = 100;
const ROUNDS: usize = 1_000;

/// The cost with the smallest number, by lane.
pub type Smallest = Option<[f64; 2]>;

pub async fn measure(ground: &Ground, n: i64, smallest: &mut Smallest, table: &mut Table) {
    let engine = ground.engine(1, std::sync::Arc::new(Taker), "sole").await;
    engine.collect(&mailbox(0)).await.expect("an empty inbox");
    let costs = [median(&engine, true).await, median(&engine, false).await];
    let base = *smallest.get_or_insert(costs);
    for (what, (cost, base)) in
        ["tick of a mailbox", "tick of the desk"].into_iter().zip(costs.into_iter().zip(base))
    {
        let even = ("no more than 1.2 x of the smallest", cost <= base * 1.2);
        table.add(Line {
            what: format!("{what}, {n} wait"),
            value: cost,
            unit: "us",
            ceiling: Some(base),
            target: Some(even),
        });
    }
}

async fn median(engine: &Engine, mail: bool) -> f64 {
    let mut took = Vec::with_capacity(ROUNDS);
    for round in 0..WARM_UP + ROUNDS {
        let begins = Instant::now();
        let again_at = match mail {
            true => engine.work_mailbox(&mailbox(0)).await,
            false => engine.work_desk().await,
        };
        let elapsed = begins.elapsed();
        let again_at = again_at.expect("a tick").expect("people wait");
        assert!(again_at > engine.now(), "somebody was due");
        if round >= WARM_UP {
            took.push(elapsed.as_secs_f64() * 1e6);
        }
    }
    took.sort_by(f64::total_cmp);
    took[ROUNDS / 2]
}
