//! Three daemons on one PostgreSQL, killed, stopped and started again at random while they work: what
//! the SMTP server took says whether a mail left twice, a cap broke, or anything was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::any::AnyPoolOptions;
use sqlx::{AssertSqlSafe, Row};

use super::process::{Chance, Process, pause, wait_until};
use super::sink::Sink;
use super::workspace::{Report, Shape, Workspace};

const NODES: usize = 3;

/// Leases are short, so that much is taken over in little time.
const LEASE_SECONDS: u64 = 5;

struct Size {
    people: usize,
    mailboxes: usize,
    /// Mails that a mailbox may send: fewer than its people are to get, so that the cap binds.
    limit: usize,
    trouble: Duration,
    delay_ms: u32,
}

impl Size {
    fn chosen() -> Self {
        match std::env::var_os("FIRSTTOUCH_KILL_FULL") {
            Some(_) => Self {
                people: 6_000,
                mailboxes: 10,
                limit: 900,
                trouble: Duration::from_secs(600),
                delay_ms: 400,
            },
            None => Self {
                people: 180,
                mailboxes: 6,
                limit: 45,
                trouble: Duration::from_secs(15),
                delay_ms: 200,
            },
        }
    }
}

/// What happens to a node.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// It dies at once and another one is started in its place.
    Dies,
    /// It is told to end, and another one is started in its place.
    IsReplaced,
    /// It stands still for longer than its leases last, and then goes on.
    Sleeps,
}

#[test]
fn whatever_happens_to_three_nodes_nobody_gets_a_mail_twice_and_every_cap_holds() {
    let Ok(server) = std::env::var("FIRSTTOUCH_TEST_POSTGRES") else {
        println!("skipped: FIRSTTOUCH_TEST_POSTGRES is not set");
        return;
    };
    let size = Size::chosen();
    let seed = std::env::var("FIRSTTOUCH_KILL_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let database = Database::make(&server, "kill");
    let dir = tempfile::tempdir().unwrap();
    let sink = Sink::start(dir.path(), size.delay_ms);
    let shape = Shape {
        people: size.people,
        mailboxes: size.mailboxes,
        limit: size.limit,
        port: sink.port,
        more: format!(
            "[store]\nurl = \"{}\"\n[nodes]\nlease = \"{LEASE_SECONDS} seconds\"\n",
            database.url
        ),
    };
    let workspace = Workspace::make(dir, &shape);
    let nodes: Vec<PathBuf> = (0..NODES).map(|n| node(&workspace, n)).collect();

    let mut running: Vec<Process> = nodes.iter().map(|path| workspace.daemon_in(path)).collect();
    wait_until("the first mails arrive", || sink.count() >= 5);
    trouble(&workspace, &nodes, &mut running, &size, Chance(seed));
    let at_the_end_of_trouble = sink.count();
    let report = settle(&workspace, &sink);
    for mut process in running {
        assert_eq!(process.terminate().code(), Some(0));
    }
    println!("{at_the_end_of_trouble} mails at the end of the trouble, {} in all", sink.count());
    check(&workspace, &sink, &size, &report, &database.doubts());
}

/// A database that goes away with the test.
pub struct Database {
    server: String,
    pub name: String,
    pub url: String,
}

impl Database {
    pub fn make(server: &str, purpose: &str) -> Self {
        let name = format!("firsttouch_{purpose}_{}", std::process::id());
        let (base, _) = server.rsplit_once('/').unwrap();
        let url = format!("{base}/{name}");
        let made = Self { server: server.to_owned(), name, url };
        made.tell(&format!("drop database if exists {}", made.name));
        made.tell(&format!("create database {}", made.name));
        made
    }

    /// Mails of which nobody knows whether they left. What a dead node had on its way is listed as in
    /// doubt a quarter of an hour later; on record it is at once.
    pub fn doubts(&self) -> BTreeSet<String> {
        let sql = "select message_id from touch where status in ('intended', 'in_doubt')";
        let rows = Self::ask(&self.url, sql);
        rows.iter().map(|row| row.get::<String, _>(0)).collect()
    }

    pub fn tell(&self, sql: &str) {
        Self::ask(&self.server, sql);
    }

    fn ask(url: &str, sql: &str) -> Vec<sqlx::any::AnyRow> {
        sqlx::any::install_default_drivers();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let pool = AnyPoolOptions::new().max_connections(1).connect(url).await.unwrap();
            sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&pool).await.unwrap()
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.tell(&format!("drop database {} with (force)", self.name));
        }
    }
}

/// A workspace of its own with the settings and the key of the first one.
fn node(workspace: &Workspace, n: usize) -> PathBuf {
    let path = workspace.dir.path().join(format!("node-{n}"));
    fs::create_dir_all(path.join(".firsttouch")).unwrap();
    for file in ["firsttouch.toml", ".firsttouch/secret"] {
        fs::copy(workspace.path().join(file), path.join(file)).unwrap();
    }
    path
}

fn trouble(
    workspace: &Workspace,
    nodes: &[PathBuf],
    running: &mut [Process],
    size: &Size,
    mut chance: Chance,
) {
    let ends = Instant::now() + size.trouble;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut asleep: [Option<Instant>; NODES] = [None; NODES];
    while Instant::now() < ends || asleep.iter().any(Option::is_some) {
        pause(200 + chance.below(1_200) as u64);
        wake_up(running, &mut asleep);
        let n = chance.below(NODES);
        if asleep[n].is_some() || Instant::now() >= ends {
            continue;
        }
        let trouble = match chance.below(12) {
            0..=8 => Trouble::Dies,
            9..=10 => Trouble::IsReplaced,
            _ => Trouble::Sleeps,
        };
        *counts.entry(format!("{trouble:?}")).or_default() += 1;
        befall(workspace, &nodes[n], &mut running[n], trouble);
        if let Trouble::Sleeps = trouble {
            asleep[n] = Some(Instant::now() + Duration::from_secs(LEASE_SECONDS + 2));
        }
    }
    println!("{counts:?}");
    assert!(counts.contains_key("Dies"), "nobody was killed");
}

fn signal(process: &Process, name: &str) {
    let pid = process.0.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

fn wake_up(running: &[Process], asleep: &mut [Option<Instant>; NODES]) {
    for (process, until) in running.iter().zip(asleep) {
        if until.is_some_and(|until| Instant::now() >= until) {
            signal(process, "-CONT");
            *until = None;
        }
    }
}

fn befall(workspace: &Workspace, path: &Path, process: &mut Process, trouble: Trouble) {
    match trouble {
        Trouble::Dies => {
            process.0.kill().unwrap();
            process.0.wait().unwrap();
            *process = workspace.daemon_in(path);
        }
        Trouble::IsReplaced => {
            assert_eq!(process.terminate().code(), Some(0));
            *process = workspace.daemon_in(path);
        }
        Trouble::Sleeps => signal(process, "-STOP"),
    }
}

/// Waits until nothing arrives any more: every mailbox is at its limit, or has nothing left to send.
fn settle(workspace: &Workspace, sink: &Sink) -> Report {
    let (mut last, mut since) = (sink.count(), Instant::now());
    wait_until("nothing arrives any more", || {
        pause(500);
        let count = sink.count();
        if count != last {
            (last, since) = (count, Instant::now());
        }
        since.elapsed() > Duration::from_secs(4 * LEASE_SECONDS)
    });
    workspace.report()
}

fn check(
    workspace: &Workspace,
    sink: &Sink,
    size: &Size,
    report: &Report,
    doubts: &BTreeSet<String>,
) {
    let arrived = sink.arrived();
    super::one::nobody_got_a_mail_twice(&arrived);
    let settled = arrived.iter().filter(|mail| !doubts.contains(&mail.message_id)).count();
    let never = doubts.len() - (arrived.len() - settled);
    println!(
        "{} mails arrived, {} recorded as sent, {} in doubt ({never} of them never arrived)",
        arrived.len(),
        report.sent,
        doubts.len()
    );
    assert_eq!(settled, report.sent, "what arrived and is not in doubt is recorded as sent");
    let share = size.people / size.mailboxes;
    let mut sent: BTreeMap<usize, usize> = BTreeMap::new();
    for mail in &arrived {
        let person = workspace.people.iter().position(|known| *known == mail.to).unwrap();
        *sent.entry(person / share).or_default() += 1;
    }
    println!("{sent:?} by mailbox, {} may be sent", size.limit);
    assert!(sent.values().all(|count| *count <= size.limit), "a cap broke");
    // A mail that never arrived has used its place; whoever is in doubt waits a day for the next one.
    let lost: usize = sent.values().map(|count| size.limit - count).sum();
    assert!(lost <= never, "{lost} mails less than may be sent, and {never} are in doubt");
}
