//! Bad days of a server: the disk is full, a backup locks the database, PostgreSQL is restarted, a
//! mailbox is gone from the settings. Each ends in a clear state, and nobody gets a mail twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe};

use super::nodes::Database;
use super::one::nobody_got_a_mail_twice;
use super::process::{Process, pause, wait_until};
use super::sink::Sink;
use super::workspace::{Report, Shape, Workspace};
use super::{PROGRAM, STEPS};

const PEOPLE: usize = 60;

struct Day {
    workspace: Workspace,
    sink: Sink,
}

impl Day {
    fn begin(people: usize, mailboxes: usize, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sink = Sink::start(dir.path(), 20);
        let (port, more) = (sink.port, more.to_owned());
        let workspace =
            Workspace::make(dir, &Shape { people, mailboxes, limit: 1_000, port, more });
        Self { workspace, sink }
    }

    /// Lets a daemon without any trouble come to the end, and looks whether everything is right.
    fn ends_well(&self, people: usize) -> Report {
        let mut daemon = self.workspace.daemon();
        let over = || self.workspace.report().accounted_for() >= STEPS * people;
        wait_until("everything is sent or in doubt", || {
            pause(300);
            over()
        });
        assert_eq!(daemon.terminate().code(), Some(0));
        let report = self.workspace.report();
        let arrived = self.sink.arrived();
        nobody_got_a_mail_twice(&arrived);
        let doubtful = |id: &str| report.in_doubt.iter().any(|doubt| doubt.message_id == id);
        let settled = arrived.iter().filter(|mail| !doubtful(&mail.message_id)).count();
        assert_eq!(settled, report.sent, "what arrived and is not in doubt is on record as sent");
        report
    }

    fn log(&self) -> String {
        fs::read_to_string(self.workspace.dir.path().join("daemon.log")).unwrap()
    }

    fn database(&self) -> String {
        format!("sqlite:{}", self.workspace.path().join("firsttouch.db").display())
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

async fn connect(url: &str) -> AnyPool {
    sqlx::any::install_default_drivers();
    AnyPoolOptions::new().max_connections(1).connect(url).await.unwrap()
}

/// The daemon, which cannot make any file larger than this.
fn with_a_small_disk(workspace: &Workspace, bytes: u64) -> Process {
    let log = workspace.dir.path().join("daemon.log");
    let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    // Whoever ignores the signal gets an error in its stead, as from a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" -C \"$1\" run", bytes / 512);
    let mut command = Command::new("sh");
    command.args(["-c", &script, PROGRAM]).arg(workspace.path());
    command.env("FIRSTTOUCH_LOG", "info").stdin(Stdio::null()).stderr(log);
    Process(command.spawn().unwrap())
}

#[test]
fn on_a_full_disk_nothing_is_sent_that_cannot_be_recorded_and_later_it_goes_on() {
    let day = Day::begin(PEOPLE, 3, "");
    let size = fs::metadata(day.workspace.path().join("firsttouch.db")).unwrap().len();
    let mut daemon = with_a_small_disk(&day.workspace, size + 64 * 1024);
    wait_until("the disk is full", || {
        pause(100);
        day.log().contains("the mailbox could not be worked")
    });
    // What was on its way then may still arrive; behind it nothing leaves without a committed intent.
    pause(1_000);
    let arrived = day.sink.count();
    pause(2_000);
    assert_eq!(day.sink.count(), arrived, "a mail left although nothing could be recorded");
    assert!(arrived < STEPS * PEOPLE, "the disk was large enough");
    assert!(day.log().contains("full") || day.log().contains("disk"), "{}", day.log());
    daemon.0.kill().unwrap();
    daemon.0.wait().unwrap();
    let report = day.ends_well(PEOPLE);
    assert!(report.in_doubt.len() <= 3, "only what was on its way is in doubt: {report:?}");
}

#[test]
fn while_a_backup_locks_the_database_mails_wait_and_none_is_lost() {
    let day = Day::begin(PEOPLE, 3, "");
    let mut daemon = day.workspace.daemon();
    wait_until("mails arrive", || day.sink.count() >= 5);
    let during = block_on(async {
        let pool = connect(&day.database()).await;
        sqlx::query("pragma busy_timeout = 20000").execute(&pool).await.unwrap();
        sqlx::query("begin immediate").execute(&pool).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let before = day.sink.count();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let during = day.sink.count() - before;
        sqlx::query("commit").execute(&pool).await.unwrap();
        pool.close().await;
        during
    });
    assert_eq!(during, 0, "a mail left whose intent could not be written");
    wait_until("it goes on", || day.sink.count() >= STEPS * PEOPLE);
    pause(500);
    assert_eq!(daemon.terminate().code(), Some(0));
    let report = day.ends_well(PEOPLE);
    assert_eq!((report.sent, report.in_doubt.len()), (STEPS * PEOPLE, 0), "{}", day.log());
}

#[test]
fn a_postgresql_that_is_restarted_interrupts_and_loses_nothing() {
    let Ok(server) = std::env::var("FIRSTTOUCH_TEST_POSTGRES") else {
        println!("skipped: FIRSTTOUCH_TEST_POSTGRES is not set");
        return;
    };
    let database = Database::make(&server, "restarted");
    let day = Day::begin(PEOPLE, 3, &format!("[store]\nurl = \"{}\"\n", database.url));
    let mut daemon = day.workspace.daemon();
    for n in 1..=3 {
        wait_until("mails arrive", || day.sink.count() >= n * 15);
        // What a restart does to everybody who is connected.
        database.tell(&format!(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '{}'",
            database.name
        ));
    }
    wait_until("it goes on", || {
        pause(300);
        day.sink.count() + database.doubts().len() * STEPS >= STEPS * PEOPLE
    });
    assert_eq!(daemon.terminate().code(), Some(0));
    let arrived = day.sink.arrived();
    nobody_got_a_mail_twice(&arrived);
    let doubts = database.doubts();
    let settled = arrived.iter().filter(|mail| !doubts.contains(&mail.message_id)).count();
    assert_eq!(settled, day.workspace.report().sent, "{doubts:?}");
    assert!(doubts.len() <= 9, "only what was on its way is in doubt: {doubts:?}");
}

#[test]
fn people_of_a_mailbox_that_is_gone_go_on_with_another_and_the_log_says_so() {
    let day = Day::begin(40, 2, "");
    let file = day.workspace.path().join("firsttouch.toml");
    let text = fs::read_to_string(&file).unwrap();
    let (kept, _) = text.split_once("[[mailbox]]\nid = \"m1\"").unwrap();
    fs::write(&file, kept).unwrap();
    let report = day.ends_well(40);
    assert_eq!((report.sent, report.in_doubt.len()), (STEPS * 40, 0));
    assert!(day.log().contains("people waited for a mailbox that is gone"), "{}", day.log());
    let senders = senders(&day.workspace.path());
    assert_eq!(senders, BTreeMap::from([("m0".to_owned(), 80)]));
}

/// Mails on record by mailbox.
fn senders(workspace: &Path) -> BTreeMap<String, usize> {
    use sqlx::Row;
    let url = format!("sqlite:{}", workspace.join("firsttouch.db").display());
    block_on(async {
        let pool = connect(&url).await;
        let sql = "select mailbox_id, count(*) from touch where status = 'sent' group by 1";
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&pool).await.unwrap();
        pool.close().await;
        let line = |row: &sqlx::any::AnyRow| {
            (row.get::<String, _>(0), usize::try_from(row.get::<i64, _>(1)).unwrap())
        };
        rows.iter().map(line).collect()
    })
}
