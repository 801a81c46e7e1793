//! The books: a real life has no difference, every deliberate damage is found and named, and what stands
//! beside the log is mended; and the database as a whole is copied without losing a byte.
//!
//! The life is the demo's: lists, cadences, accounts, tasks, replies, bounces and opt-outs. PostgreSQL
//! is asked for with `FIRSTTOUCH_TEST_POSTGRES`, as in `tests/store`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use firsttouch::adapters::store::{Copied, SqlStore, sums};
use firsttouch::engine::verify::{self, Verified};
use jiff::Timestamp;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe, Row};

mod damages;
mod whole;

const PROGRAM: &str = env!("CARGO_BIN_EXE_firsttouch");

/// The workspace of a demo that has been lived.
pub struct Life {
    dir: tempfile::TempDir,
}

impl Life {
    pub fn lived() -> Self {
        let life = Self { dir: tempfile::tempdir().unwrap() };
        let kept = kept();
        let copied = Command::new("cp").arg("-r").arg(kept).arg(life.workspace()).status().unwrap();
        assert!(copied.success());
        life
    }

    pub fn workspace(&self) -> PathBuf {
        self.dir.path().join("demo")
    }

    pub fn file(&self) -> PathBuf {
        self.workspace().join("firsttouch.db")
    }

    pub fn url(&self) -> String {
        format!("sqlite:{}", self.file().display())
    }

    /// Another file with the same content, of that number.
    pub fn copy(&self, number: usize) -> String {
        let file = self.dir.path().join(format!("copy-{number}.db"));
        std::fs::copy(self.file(), &file).unwrap();
        // What the program has not yet put into the file stands beside it.
        let beside = self.workspace().join("firsttouch.db-wal");
        if beside.exists() {
            std::fs::copy(beside, self.dir.path().join(format!("copy-{number}.db-wal"))).unwrap();
        }
        format!("sqlite:{}", file.display())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs the program in the workspace.
    pub fn run(&self, arguments: &[&str]) -> Output {
        Command::new(PROGRAM).arg("-C").arg(self.workspace()).args(arguments).output().unwrap()
    }

    /// The same, which must work; its answer.
    pub fn works(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, which must fail with this code; what it complains about.
    pub fn fails(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        told
    }
}

/// One demo for all tests of this program: each of them runs in a process of its own.
fn kept() -> PathBuf {
    let made_at = std::fs::metadata(PROGRAM).unwrap().modified().unwrap();
    let age = made_at.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("books");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let kept = folder.join(format!("{age}"));
    if kept.exists() {
        return kept;
    }
    for old in std::fs::read_dir(&folder).unwrap().filter_map(Result::ok) {
        let _ = std::fs::remove_dir_all(old.path());
    }
    let making = folder.join("making");
    let output = Command::new(PROGRAM)
        .args(["demo", "--days", "16", "--keep"])
        .arg(&making)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::rename(making, &kept).unwrap();
    kept
}

/// A database that no test shares, or nothing where no server is named.
pub struct Server {
    admin: AnyPool,
    base: String,
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

impl Server {
    pub async fn asked_for() -> Option<Self> {
        let Ok(url) = std::env::var("FIRSTTOUCH_TEST_POSTGRES") else {
            println!("skipped: FIRSTTOUCH_TEST_POSTGRES is not set");
            return None;
        };
        let (base, _) = url.rsplit_once('/').expect("an address with a database");
        Some(Self { admin: raw(&url).await, base: base.to_owned() })
    }

    /// A new database; with a template the same as that one.
    pub async fn database(&self, template: Option<&str>) -> String {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("firsttouch_books_{}_{number}", std::process::id());
        self.say(&format!("drop database if exists {name}")).await;
        let like = template.map(|url| format!("template {}", name_of(url))).unwrap_or_default();
        self.say(&format!("create database {name} {like}")).await;
        format!("{}/{name}", self.base)
    }

    pub async fn drop(&self, url: &str) {
        self.say(&format!("drop database {} with (force)", name_of(url))).await;
    }

    async fn say(&self, sql: &str) {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&self.admin).await.expect("it is done");
    }
}

fn name_of(url: &str) -> &str {
    url.rsplit_once('/').expect("a database").1
}

/// A connection behind the store's back.
pub async fn raw(url: &str) -> AnyPool {
    sqlx::any::install_default_drivers();
    AnyPoolOptions::new().max_connections(1).connect(url).await.expect("the database answers")
}

/// The first value of the first row, as a text.
pub async fn ask(pool: &AnyPool, sql: &str) -> Option<String> {
    let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_optional(pool).await;
    let row = row.unwrap_or_else(|error| panic!("{sql}: {error}"))?;
    row.try_get::<Option<String>, _>(0).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The instant of the last mail: the life is simulated, and the windows of its caps count from then.
pub async fn now(url: &str) -> Timestamp {
    let pool = raw(url).await;
    let ms = ask(&pool, "select cast(max(at) as text) from event where what = 'intended'")
        .await
        .expect("a log");
    pool.close().await;
    Timestamp::from_millisecond(ms.parse().unwrap()).unwrap()
}

pub async fn verified(url: &str, now: Timestamp) -> Verified {
    let store = SqlStore::open(url).await.expect("it opens");
    let verified = verify::verify(&store, &store, now, &mut ()).await.expect("verified");
    store.close().await;
    verified
}

/// Every table with its rows and their sum.
pub async fn all_sums(url: &str) -> Vec<Copied> {
    let store = SqlStore::open(url).await.expect("it opens");
    let mut sums = sums(&store).await.expect("sums");
    sums.sort_by(|a, b| a.table.cmp(&b.table));
    store.close().await;
    sums
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
