//! Mails from the database into a server of its own process, beside our own client without a database.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use firsttouch::adapters::smtp::SmtpMailer;
use firsttouch::domain::delivery::Envelope;
use firsttouch::ports::Mailer;
use tokio::task::JoinSet;

use super::ground::{Ground, mailbox, smtp};
use super::sink::Sink;
use super::table::{Line, Table, float};
use super::transitions::work_all;

pub async fn measure(ground: &mut Ground, touches: i64, connections: usize, table: &mut Table) {
    let sink = Sink::start(&ground.path, "arrived.tsv");
    ground.make_due_now(touches, connections).await;
    let before = ground.sent().await;
    let engine = ground.engine(connections, Arc::new(smtp(connections, sink.port)), "node-0").await;
    let took = work_all(&[engine], connections).await;
    let arrived = i64::try_from(sink.each_once()).expect("a count");
    assert_eq!(
        (arrived, ground.sent().await - before),
        (touches, touches),
        "arrived and on record"
    );
    let bytes = sink.arrived().iter().map(|mail| mail.bytes).max().unwrap_or(0);
    drop(sink);
    let plain = plain(ground, touches, connections, bytes).await;
    let value = float(touches) / took;
    let (aim, least) = match connections {
        10 => ("3,000 mails/s", 3_000.0),
        _ => ("5,000 mails/s", 5_000.0),
    };
    table.add(Line {
        what: format!("mails over {connections} connections, {bytes} bytes"),
        value,
        unit: "mails/s",
        ceiling: Some(plain),
        target: Some((aim, value >= least)),
    });
}

/// What the same server takes from our client alone.
async fn plain(ground: &Ground, touches: i64, connections: usize, bytes: usize) -> f64 {
    let sink = Sink::start(&ground.path, "plain.tsv");
    let mailer = Arc::new(smtp(connections, sink.port));
    let begins = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..connections {
        let mailer = mailer.clone();
        let own = (0..touches).skip(worker).step_by(connections);
        workers.spawn(async move {
            for n in own {
                send(&mailer, worker, n, bytes).await;
            }
        });
    }
    while let Some(done) = workers.join_next().await {
        done.expect("a worker");
    }
    let took = begins.elapsed().as_secs_f64();
    assert_eq!(i64::try_from(sink.each_once()), Ok(touches));
    float(touches) / took
}

async fn send(mailer: &SmtpMailer, worker: usize, n: i64, bytes: usize) {
    let envelope = Envelope {
        mailbox: mailbox(worker),
        from: format!("m{worker}@acme.test").parse().expect("an address"),
        to: format!("pat@company-{n}.test").parse().expect("an address"),
    };
    let offered = mailer.offer(&envelope).await.expect("an offer");
    offered.content(&message(n, bytes)).await.expect("a mail");
}

fn message(n: i64, bytes: usize) -> Vec<u8> {
    let mut text = format!("Message-ID: <{n}@acme.test>\r\nSubject: A question\r\n\r\n");
    while text.len() + 66 < bytes {
        let _ = write!(text, "{:.<64}\r\n", "Hi Pat, who looks after purchasing?");
    }
    text.into_bytes()
}
