//! The real program over a full database: how soon it is ready, what it uses while nothing is due, and
//! how soon a mail leaves that becomes due.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::ground::{Ground, PROGRAM};
use super::sink::Sink;
use super::table::{Line, Table};

const MAILBOXES: usize = 10;
/// People who become due, and how far apart.
const PEOPLE: i64 = 100;
const APART_MS: i64 = 100;
/// Before the first of them: longer than a worker looks away.
const AHEAD_MS: i64 = 5_000;
/// Nothing that is waited for may take longer.
const PATIENCE: Duration = Duration::from_secs(120);
/// Ticks of the kernel's clock in a second, as it counts the time of processes.
const TICKS: f64 = 100.0;

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub async fn measure(ground: &mut Ground, idle: Duration, table: &mut Table) {
    let sink = Sink::start(&ground.path, "due.tsv");
    ground.settle(MAILBOXES, sink.port);
    let (daemon, ready) = start(&ground.path).await;
    let line = |what: &str, value, unit, target, met| Line {
        what: what.to_owned(),
        value,
        unit,
        ceiling: None,
        target: Some((target, met)),
    };
    let ms = ready.as_secs_f64() * 1e3;
    table.add(line("from the start of the program to ready", ms, "ms", "under 1 s", ms < 1e3));
    // The first look at everything is no idling.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = cpu(daemon.0.id());
    tokio::time::sleep(idle).await;
    let share = (cpu(daemon.0.id()) - before) / idle.as_secs_f64() * 100.0;
    table.add(line("an idle daemon, share of a core", share, "%", "under 0.5 %", share < 0.5));
    let mb = resident(daemon.0.id());
    table.add(line("an idle daemon, resident", mb, "MB", "under 64 MB", mb < 64.0));
    let mut late = from_due_to_sent(ground, &sink).await;
    late.sort_by(f64::total_cmp);
    let (half, most) = (late[late.len() / 2], late[late.len() * 99 / 100]);
    table.add(Line {
        target: None,
        ..line("from due to sent, 50 of 100 within", half, "ms", "", true)
    });
    table.add(line("from due to sent, 99 of 100 within", most, "ms", "under 1 s", most < 1e3));
    end(daemon);
}

/// Starts the program, and waits until it says that it is ready.
async fn start(workspace: &Path) -> (Daemon, Duration) {
    let log = workspace.join("daemon.log");
    let file = File::create(&log).expect("a log");
    let mut command = Command::new(PROGRAM);
    command.arg("-C").arg(workspace).arg("run").env("FIRSTTOUCH_LOG", "info");
    let begins = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn();
    let mut daemon = Daemon(child.expect("firsttouch"));
    while !fs::read_to_string(&log).unwrap_or_default().contains(" ready") {
        let over = daemon.0.try_wait().expect("a process");
        assert!(over.is_none(), "{}", fs::read_to_string(&log).unwrap_or_default());
        assert!(begins.elapsed() < PATIENCE, "the daemon does not get ready");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    (daemon, begins.elapsed())
}

/// Milliseconds from the moment at which each became due to the arrival of the mail.
#[allow(clippy::cast_precision_loss, reason = "numbers for people")]
async fn from_due_to_sent(ground: &mut Ground, sink: &Sink) -> Vec<f64> {
    let at = Timestamp::now().as_millisecond() + AHEAD_MS;
    let due = ground.make_due(PEOPLE, MAILBOXES, at, APART_MS).await;
    assert!(Timestamp::now().as_millisecond() < at, "the machine was too busy to begin in time");
    let begins = Instant::now();
    while i64::try_from(sink.count()) != Ok(PEOPLE) {
        assert!(begins.elapsed() < PATIENCE, "{} of {PEOPLE} mails came", sink.count());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sink.each_once();
    sink.arrived().iter().map(|mail| (mail.at_ms - due.at(&mail.to)) as f64).collect()
}

/// Seconds that a process has computed for.
fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    // The name may have spaces; user and system time are fields 14 and 15.
    let (_, behind) = stat.rsplit_once(')').expect("a name");
    let ticks = behind.split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>() / TICKS
}

/// Megabytes of memory that a process holds.
fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
    let kb = line.split_whitespace().nth(1).expect("a number");
    kb.parse::<f64>().expect("a number") / 1024.0
}

fn end(mut daemon: Daemon) {
    let pid = daemon.0.id().to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(told.expect("kill").success());
    let begins = Instant::now();
    while daemon.0.try_wait().expect("a process").is_none() {
        assert!(begins.elapsed() < PATIENCE, "SIGTERM does not end the daemon");
        std::thread::sleep(Duration::from_millis(10));
    }
}
