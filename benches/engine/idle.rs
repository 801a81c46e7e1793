//! A tick with nothing to do, and the search for whom to write to next: what they cost must not depend
//! on how many wait, nor on how many are due behind a full mailbox.

use std::sync::Arc;
use std::time::Instant;

use firsttouch::engine::Engine;
use firsttouch::ports::Lane;
use jiff::SignedDuration;

use super::ground::{Ground, Taker, mailbox};
use super::table::{Line, Table};

const WARM_UP: usize = 100;
const ROUNDS: usize = 1_000;

/// Measures the many beside the few, turn by turn: others who use the machine meanwhile slow down both.
pub async fn measure(few: &Ground, many: &Ground, n: i64, table: &mut Table) {
    let engines = [engine(few).await, engine(many).await];
    let ticks = [
        ("tick of a mailbox", Tick::Mailbox),
        ("tick of the desk", Tick::Desk),
        ("the next 50, everybody is due", Tick::Backlog),
    ];
    for (what, tick) in ticks {
        let [few, many] = medians(&engines, tick).await;
        table.add(Line {
            what: format!("{what}, {n} people"),
            value: many,
            unit: "us",
            ceiling: Some(few),
            target: Some(("at most 1.2 x of the smallest", many <= few * 1.2)),
        });
    }
}

async fn engine(ground: &Ground) -> Arc<Engine> {
    let engine = ground.engine(1, Arc::new(Taker), "node-0").await;
    engine.collect(&mailbox(0)).await.expect("an empty inbox");
    engine
}

#[derive(Clone, Copy)]
enum Tick {
    Mailbox,
    Desk,
    /// Whom a mailbox would write to if the time of everybody had come.
    Backlog,
}

async fn medians(engines: &[Arc<Engine>; 2], tick: Tick) -> [f64; 2] {
    let mut took = [Vec::new(), Vec::new()];
    for round in 0..WARM_UP + ROUNDS {
        for (engine, took) in engines.iter().zip(&mut took) {
            let begins = Instant::now();
            once(engine, tick).await;
            if round >= WARM_UP {
                took.push(begins.elapsed().as_secs_f64() * 1e6);
            }
        }
    }
    took.map(|mut took| {
        took.sort_by(f64::total_cmp);
        took[ROUNDS / 2]
    })
}

async fn once(engine: &Engine, tick: Tick) {
    let again_at = match tick {
        Tick::Mailbox => engine.work_mailbox(&mailbox(0)).await.expect("a tick"),
        Tick::Desk => engine.work_desk().await.expect("a tick"),
        Tick::Backlog => {
            let later = engine.now() + SignedDuration::from_hours(24 * 365);
            let due = engine.store.due(&Lane::Mailbox(mailbox(0)), later, 50).await;
            assert_eq!(due.expect("people").len(), 50);
            return;
        }
    };
    assert!(again_at.expect("people wait") > engine.now(), "somebody was due");
}
