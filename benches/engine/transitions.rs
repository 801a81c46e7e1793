//! Touches through both phases with every check, beside the same rows in two bare transactions.

use std::sync::Arc;
use std::time::Instant;

use firsttouch::engine::Engine;
use jiff::Timestamp;
use sqlx::{AnyPool, Executor};
use tokio::task::JoinSet;

use super::ground::{Due, Ground, Taker, mailbox};
use super::table::{Line, Table, float};

const MAILBOXES: usize = 10;
const SHARE: &str = "at least half of the bare ones";

pub async fn measure(ground: &mut Ground, touches: i64, table: &mut Table) {
    let nodes: &[usize] = if ground.is_postgres() { &[1, 2] } else { &[1] };
    let mut before = bare(ground, touches).await;
    for nodes in nodes {
        let value = checked(ground, touches, *nodes).await;
        // Others may use the machine: the ceiling is taken on both sides.
        let after = bare(ground, touches).await;
        let ceiling = f64::midpoint(before, after);
        before = after;
        table.add(Line {
            what: format!("touches through both phases, {nodes} node(s)"),
            value,
            unit: "touches/s",
            ceiling: Some(ceiling),
            target: Some((SHARE, value >= ceiling / 2.0)),
        });
    }
}

/// The engine's own way, with a server that takes everything at once.
async fn checked(ground: &mut Ground, touches: i64, nodes: usize) -> f64 {
    let due = ground.make_due_now(touches, MAILBOXES).await;
    let before = ground.sent().await;
    let mut engines = Vec::new();
    for n in 0..nodes {
        engines.push(ground.engine(MAILBOXES, Arc::new(Taker), &format!("node-{n}")).await);
    }
    let took = work_all(&engines, due.mailboxes).await;
    assert_eq!(ground.sent().await - before, touches, "everybody is on record, once");
    float(touches) / took
}

/// Works all mailboxes side by side as the daemon does, until nobody is due; in seconds. Nodes have
/// their mailboxes in turn.
pub async fn work_all(engines: &[Arc<Engine>], mailboxes: usize) -> f64 {
    for n in 0..mailboxes {
        engines[n % engines.len()].collect(&mailbox(n)).await.expect("an empty inbox");
    }
    let begins = Instant::now();
    let mut workers = JoinSet::new();
    for n in 0..mailboxes {
        let engine = engines[n % engines.len()].clone();
        workers.spawn(async move {
            while engine
                .work_mailbox(&mailbox(n))
                .await
                .expect("mails are sent")
                .is_some_and(|again_at| again_at <= engine.now())
            {}
        });
    }
    while let Some(done) = workers.join_next().await {
        done.expect("a worker");
    }
    let took = begins.elapsed().as_secs_f64();
    for engine in engines {
        engine.leave().await.expect("leases that others may take");
    }
    took
}

/// The rows of a touch, without a look at anything.
async fn bare(ground: &mut Ground, touches: i64) -> f64 {
    let due = ground.make_due_now(touches, MAILBOXES).await;
    let workers = if ground.is_postgres() { MAILBOXES } else { 1 };
    let events = 1 + ground.ask("select max(id) from event").await.max(1 << 40);
    let begins = Instant::now();
    let mut tasks = JoinSet::new();
    for worker in 0..workers {
        let (pool, sqlite) = (ground.pool.clone(), !ground.is_postgres());
        let own: Vec<i64> = own(&due, worker, workers).collect();
        tasks.spawn(async move {
            for id in own {
                two_phases(&pool, sqlite, id, events + (id - 1_000_000_000) * 2).await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a worker");
    }
    float(touches) / begins.elapsed().as_secs_f64()
}

fn own(due: &Due, worker: usize, workers: usize) -> impl Iterator<Item = i64> {
    due.ids().skip(worker).step_by(workers)
}

const STATE: &str = "{\"a state\":\"about as long as that of an enrollment whose first mail is on its way \
     to the server of somebody, with the step, the attempt and since when\"}";

/// The intent and the result: what the engine leaves behind for one mail.
async fn two_phases(pool: &AnyPool, sqlite: bool, id: i64, event: i64) {
    let now = Timestamp::now().as_millisecond();
    let mut tx = begin(pool, sqlite).await;
    for scope in [format!("mailbox:m{}", id % 10), format!("domain:{id}"), format!("new:{id}")] {
        let sql = "insert into budget (scope, bucket, used) values ($1, $2, 1) \
             on conflict (scope, bucket) do update set used = budget.used + 1";
        let row = sqlx::query(sql).bind(scope).bind(now / 3_600_000);
        tx.execute(row).await.expect("a budget");
    }
    let sql = "update mailbox set next_send_at = $2 where id = $1";
    tx.execute(sqlx::query(sql).bind(format!("m{}", id % 10)).bind(now)).await.expect("a mailbox");
    move_on(&mut tx, id, 0, now, "sending").await;
    let sql = "insert into touch (id, enrollment_id, prospect_id, step_id, attempt, channel, status, at, \
         actor, mailbox_id, message_id, subject, begins_thread, template, version) values ($1, $1, $1, \
         'first', 1, 'email', 'intended', $2, 'engine', 'm0', $3, 'A question, Pat', 1, 'a', 'version')";
    let message = format!("<{id}.c2f0a1d9e8b7a6f5c4d3@acme.test>");
    tx.execute(sqlx::query(sql).bind(id).bind(now).bind(message)).await.expect("a touch");
    log(&mut tx, id, event, now).await;
    tx.commit().await.expect("an intent");

    let mut tx = begin(pool, sqlite).await;
    move_on(&mut tx, id, 1, now, "waiting").await;
    let sql = "update touch set status = 'sent' where id = $1";
    tx.execute(sqlx::query(sql).bind(id)).await.expect("a result");
    let sql = "insert into milestone (enrollment_id, milestone, prospect_id, touch_id, at) \
         values ($1, 'attempt', $1, $1, $2)";
    tx.execute(sqlx::query(sql).bind(id).bind(now)).await.expect("a milestone");
    log(&mut tx, id, event + 1, now).await;
    tx.commit().await.expect("a result");
}

type Tx = sqlx::Transaction<'static, sqlx::Any>;

async fn begin(pool: &AnyPool, sqlite: bool) -> Tx {
    let begun = match sqlite {
        true => pool.begin_with("BEGIN IMMEDIATE").await,
        false => pool.begin().await,
    };
    begun.expect("a transaction")
}

async fn move_on(tx: &mut Tx, id: i64, more: i64, now: i64, phase: &'static str) {
    let sql = "insert into transition (enrollment_id, revision, at, state) \
         select id, revision + 1, $2, $3 from enrollment where id = $1";
    tx.execute(sqlx::query(sql).bind(id).bind(now).bind(STATE)).await.expect("a transition");
    let lane = if more == 0 { "desk".to_owned() } else { format!("mail:m{}", id % 10) };
    let sql = "update enrollment set phase = $2, state = $3, revision = revision + 1, begun = 1, \
         lane = $4, lane_rank = 0, wake_at = $5, waiting = 'not_due' where id = $1";
    let row = sqlx::query(sql).bind(id).bind(phase).bind(STATE).bind(lane);
    tx.execute(row.bind(now + 2_592_000_000)).await.expect("an enrollment");
}

async fn log(tx: &mut Tx, id: i64, event: i64, now: i64) {
    let sql = "insert into event (id, at, what, prospect_id, enrollment_id, touch_id, actor, details) \
         values ($1, $2, 'mail_sent', $3, $3, $3, 'engine', $4)";
    let details =
        "{\"step\":\"first\",\"channel\":\"email\",\"mailbox\":\"m0\",\"template\":\"a\"}";
    let row = sqlx::query(sql).bind(event).bind(now).bind(id).bind(details);
    tx.execute(row).await.expect("the log");
}
