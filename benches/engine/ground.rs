//! A workspace of the real program, filled with as many people as one likes: two are enrolled by the
//! engine itself, and the database multiplies them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use firsttouch::adapters::clock::SystemClock;
use firsttouch::adapters::smtp::{SmtpMailer, SmtpSettings, Tls};
use firsttouch::adapters::store::SqlStore;
use firsttouch::domain::delivery::{Envelope, Failure};
use firsttouch::domain::ids::MailboxId;
use firsttouch::engine::{Engine, Parts};
use firsttouch::ports::{Batch, Inbox, InboxError, Mailer, Offered};
use firsttouch::{config, wiring};
use jiff::Timestamp;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe, Executor, Row};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_firsttouch");

/// Ids of those who were multiplied lie above the engine's own.
const BASE: i64 = 1_000_000_000;

/// People who are written in one transaction.
const PORTION: i64 = 50_000;

/// Those who wait belong to so many mailboxes, nearly all of them to the first.
const MAILBOXES: usize = 10;

/// A workspace with its database.
pub struct Ground {
    pub path: PathBuf,
    pub url: String,
    pub pool: AnyPool,
    server: Option<String>,
    /// How many were multiplied so far.
    made: i64,
    /// Enrollments: one that waits for its second mail, and one that has not begun.
    begun: i64,
    fresh: i64,
}

/// People who become due.
pub struct Due {
    pub from: i64,
    pub count: i64,
    pub mailboxes: usize,
    /// In milliseconds: when the first becomes due, and how much later each one behind.
    pub first_at: i64,
    pub apart: i64,
}

impl Ground {
    /// A new workspace; on PostgreSQL in a database that goes away with it.
    pub async fn make(server: Option<&str>, name: &str) -> Self {
        sqlx::any::install_default_drivers();
        let dir = std::env::var_os("FIRSTTOUCH_BENCH_DIR").map_or_else(
            || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-engine"),
            PathBuf::from,
        );
        let kind = if server.is_some() { "postgres" } else { "sqlite" };
        let path = dir.join(format!("{kind}-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        let url = match server {
            None => format!("sqlite:{}", path.join("firsttouch.db").display()),
            Some(server) => make_database(server, name).await,
        };
        for (file, text) in
            [("cadences/bench.yaml", CADENCE), ("templates/a.hbs", A), ("templates/b.hbs", B)]
        {
            let file = path.join(file);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            fs::write(file, text).expect("a file");
        }
        let server = server.map(str::to_owned);
        settle(&path, server.as_ref().map(|_| url.as_str()), MAILBOXES, 25);
        run(&path, &["apply"]);
        let pool = pool(&url).await;
        let mut ground = Self { path, url, pool, server, made: 0, begun: 0, fresh: 0 };
        ground.begun = ground.enroll("begun").await;
        let engine = ground.engine(1, Arc::new(Taker), "sole").await;
        engine.collect(&mailbox(0)).await.expect("an empty inbox");
        engine.work_mailbox(&mailbox(0)).await.expect("the first mail");
        engine.leave().await.expect("the lease of its mailbox");
        ground.fresh = ground.enroll("fresh").await;
        // The one who is multiplied is not written to.
        let later = Timestamp::now().as_millisecond() + 365 * 86_400_000;
        let sql = format!("update enrollment set wake_at = {later} where id = {}", ground.fresh);
        tell(&ground.pool, sql).await;
        ground
    }

    pub fn name(&self) -> &'static str {
        if self.server.is_some() { "PostgreSQL" } else { "SQLite" }
    }

    pub fn is_postgres(&self) -> bool {
        self.server.is_some()
    }

    /// Removes the database and the workspace.
    pub async fn tear_down(self) {
        self.pool.close().await;
        if let Some(server) = &self.server {
            let admin = pool(server).await;
            let name = self.url.rsplit('/').next().expect("a name");
            tell(&admin, format!("drop database {name} with (force)")).await;
        }
        let _ = fs::remove_dir_all(&self.path);
    }

    /// Settings with so many mailboxes, which send to a port of this machine.
    pub fn settle(&self, mailboxes: usize, port: u16) {
        settle(&self.path, self.server.as_ref().map(|_| self.url.as_str()), mailboxes, port);
    }

    /// An engine with the first mailboxes of the workspace, on the real clock.
    pub async fn engine(
        &self,
        mailboxes: usize,
        mailer: Arc<dyn Mailer>,
        node: &str,
    ) -> Arc<Engine> {
        self.settle(mailboxes.max(MAILBOXES), 25);
        let config = config::load(&self.path).expect("settings");
        let key = fs::read(self.path.join(".firsttouch/secret")).unwrap_or_else(|_| vec![7; 32]);
        let settings = Arc::new(wiring::settings(&config, key));
        let store = Arc::new(SqlStore::open(&self.url).await.expect("the store"));
        let (clock, inbox, node) = (Arc::new(SystemClock), Arc::new(NoMail), node.to_owned());
        Arc::new(Engine::new(Parts { clock, store, mailer, inbox, settings, node }))
    }

    /// The first number of a question.
    pub async fn ask(&self, sql: &str) -> i64 {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&self.pool).await;
        row.expect("an answer").get(0)
    }

    /// Mails that are on record as sent.
    pub async fn sent(&self) -> i64 {
        self.ask("select count(*) from touch where status = 'sent'").await
    }

    async fn enroll(&self, name: &str) -> i64 {
        let text = format!(
            "First Name,Last Name,Title,Company,Email\nPat,{name},Buyer,Company 0,pat@{name}-0.test\n"
        );
        let file = self.path.join(format!("{name}.csv"));
        fs::write(&file, text).expect("a list");
        let file = file.to_str().expect("a path");
        run(&self.path, &["import", file, "--list", name, "--owner", "m0"]);
        run(&self.path, &["enroll", "--list", name, "--cadence", "bench", "--yes"]);
        self.ask("select max(id) from enrollment").await
    }

    /// Adds people until so many wait for a day in a month; says how long that took.
    pub async fn let_wait(&mut self, n: i64) -> Duration {
        let begins = Instant::now();
        let at = Timestamp::now().as_millisecond() + 30 * 86_400_000;
        while self.made < n {
            let (from, to) = (self.made, n.min(self.made + PORTION));
            let wake = format!("{at} + i * 10");
            // One in ten waits at the desk, one in ten elsewhere, and one in five has not begun.
            let mailbox = format!(
                "case when i % 10 = 1 then 'm' || cast(1 + (i / 10) % {} as text) else 'm0' end",
                MAILBOXES - 1
            );
            let lane = format!("case when i % 10 = 0 then 'desk' else 'mail:' || {mailbox} end");
            let mut sql = people(self.fresh, from, to);
            let begun = Rows { of: self.begun, only: "i % 5 <> 4", rank: "0", from, to };
            let fresh = Rows { of: self.fresh, only: "i % 5 = 4", rank: RANK, from, to };
            for rows in [begun, fresh] {
                sql.push(rows.enrollments(&mailbox, &lane, &wake));
            }
            sql.push(touches(self.begun, from, to));
            sql.push(transitions(from, to));
            self.tell_all(sql).await;
            self.made = to;
        }
        self.analyze().await;
        begins.elapsed()
    }

    /// Adds people who have not begun and become due.
    pub async fn make_due(&mut self, count: i64, mailboxes: usize, at: i64, apart: i64) -> Due {
        let (from, to) = (self.made, self.made + count);
        let mailbox = format!("'m' || cast(i % {mailboxes} as text)");
        let rows = Rows { of: self.fresh, only: "1 = 1", rank: RANK, from, to };
        let mut sql = people(self.fresh, from, to);
        let wake = format!("{at} + (i - {from}) * {apart}");
        sql.push(rows.enrollments(&mailbox, &format!("'mail:' || {mailbox}"), &wake));
        sql.push(transitions(from, to));
        self.tell_all(sql).await;
        self.made = to;
        Due { from, count, mailboxes, first_at: at, apart }
    }

    /// People who are due at once, evenly in so many mailboxes.
    pub async fn make_due_now(&mut self, count: i64, mailboxes: usize) -> Due {
        let at = Timestamp::now().as_millisecond() - 1_000;
        let due = self.make_due(count, mailboxes, at, 0).await;
        self.analyze().await;
        due
    }

    async fn analyze(&self) {
        tell(&self.pool, "analyze".to_owned()).await;
    }

    async fn tell_all(&self, sql: Vec<String>) {
        let mut tx = self.pool.begin().await.expect("a transaction");
        for sql in sql {
            tx.execute(AssertSqlSafe(sql)).await.expect("rows");
        }
        tx.commit().await.expect("a commit");
    }
}

impl Due {
    /// The ids of the enrollments.
    pub fn ids(&self) -> std::ops::Range<i64> {
        BASE + self.from..BASE + self.from + self.count
    }

    /// When somebody becomes due, in milliseconds.
    pub fn at(&self, address: &str) -> i64 {
        let number = address.trim_start_matches("pat@company-").trim_end_matches(".test");
        let number: i64 = number.parse().expect("one of those who were made");
        self.first_at + (number - self.from) * self.apart
    }
}

/// As the store ranks people who have not begun, with scores of 0 to 39, by the day on which they came.
const RANK: &str = "1000000 - i % 40 + e.enrolled_at / 86400000 - 20454";

fn numbers(from: i64, to: i64) -> String {
    format!(
        "with recursive n(i) as (select cast({from} as bigint) union all \
         select i + 1 from n where i < {to} - 1) "
    )
}

/// The company and the person of each number.
fn people(of: i64, from: i64, to: i64) -> Vec<String> {
    let insert = |table: &str, columns: &str, select: &str| {
        let numbers = numbers(from, to);
        format!("insert into {table} ({columns}) {numbers} {select}")
    };
    vec![
        insert(
            "company",
            "id, identity, name",
            &format!(
                "select {BASE} + i, 'domain:company-' || cast(i as text) || '.test', \
                 'Company ' || cast(i as text) from n"
            ),
        ),
        insert(
            "prospect",
            "id, company_id, owner, relationship, known",
            &format!(
                "select {BASE} + i, {BASE} + i, p.owner, p.relationship, replace(p.known, \
                 'fresh-0.test', 'company-' || cast(i as text) || '.test') from n cross join prospect p \
                 where p.id = (select prospect_id from enrollment where id = {of})"
            ),
        ),
    ]
}

/// Copies of an enrollment for some of the numbers.
struct Rows {
    of: i64,
    only: &'static str,
    rank: &'static str,
    from: i64,
    to: i64,
}

impl Rows {
    fn enrollments(&self, mailbox: &str, lane: &str, wake: &str) -> String {
        let Self { of, only, rank, from, to } = self;
        format!(
            "insert into enrollment (id, prospect_id, company_id, cadence_id, digest, profile_id, \
             profile_digest, score, owner, mailbox_id, phase, state, revision, begun, lane, lane_rank, \
             wake_at, waiting, enrolled_at) {} select {BASE} + i, {BASE} + i, {BASE} + i, e.cadence_id, \
             e.digest, e.profile_id, e.profile_digest, i % 40, {mailbox}, {mailbox}, e.phase, e.state, \
             e.revision, e.begun, {lane}, {rank}, {wake}, e.waiting, e.enrolled_at \
             from n cross join enrollment e where e.id = {of} and {only}",
            numbers(*from, *to),
        )
    }
}

/// The first mail of everybody who has begun.
fn touches(of: i64, from: i64, to: i64) -> String {
    format!(
        "insert into touch (id, enrollment_id, prospect_id, step_id, attempt, channel, status, at, actor, \
         mailbox_id, message_id, subject, begins_thread, template, version) \
         select e.id, e.id, e.prospect_id, t.step_id, t.attempt, t.channel, t.status, t.at, t.actor, \
         t.mailbox_id, cast(e.id as text) || t.message_id, t.subject, t.begins_thread, t.template, \
         t.version from enrollment e cross join touch t where t.enrollment_id = {of} and e.begun = 1 \
         and e.id >= {BASE} + {from} and e.id < {BASE} + {to}"
    )
}

fn transitions(from: i64, to: i64) -> String {
    format!(
        "insert into transition (enrollment_id, revision, at, state, prospect_id, mailbox_id, owner, \
         digest) select id, revision, enrolled_at, state, prospect_id, mailbox_id, owner, digest \
         from enrollment where id >= {BASE} + {from} and id < {BASE} + {to}"
    )
}

/// The id of the mailbox with that number.
pub fn mailbox(n: usize) -> MailboxId {
    MailboxId(format!("m{n}"))
}

/// Our own SMTP client with one connection for each mailbox.
pub fn smtp(mailboxes: usize, port: u16) -> SmtpMailer {
    let settings = |n| (mailbox(n), SmtpSettings::new("127.0.0.1", port, Tls::Plain));
    SmtpMailer::new((0..mailboxes).map(settings).collect::<BTreeMap<_, _>>())
}

/// Takes every mail at once and forgets it.
pub struct Taker;

#[async_trait]
impl Mailer for Taker {
    async fn offer(&self, _envelope: &Envelope) -> Result<Box<dyn Offered>, Failure> {
        Ok(Box::new(Self))
    }
}

#[async_trait]
impl Offered for Taker {
    async fn content(self: Box<Self>, _message: &[u8]) -> Result<String, Failure> {
        Ok("2.0.0 taken".to_owned())
    }

    async fn withdraw(self: Box<Self>) {}
}

/// Inboxes into which nothing ever comes.
struct NoMail;

#[async_trait]
impl Inbox for NoMail {
    async fn fetch(
        &self,
        _mailbox: &MailboxId,
        _cursor: Option<&str>,
        _limit: usize,
    ) -> Result<Batch, InboxError> {
        Ok(Batch { messages: Vec::new(), cursor: None, more: false })
    }
}

fn run(path: &Path, arguments: &[&str]) {
    let mut command = Command::new(PROGRAM);
    let status = command.arg("-C").arg(path).args(arguments).stdout(Stdio::null()).status();
    assert!(status.expect("firsttouch").success(), "{arguments:?}");
}

/// A connection with what the store sets for its own.
async fn pool(url: &str) -> AnyPool {
    let sqlite = url.starts_with("sqlite:");
    let options = AnyPoolOptions::new().max_connections(if sqlite { 1 } else { 12 });
    let options = options.after_connect(move |connection, _| {
        Box::pin(async move {
            if sqlite {
                connection.execute(SQLITE).await?;
            }
            Ok(())
        })
    });
    let url = if sqlite { format!("{url}?mode=rwc") } else { url.to_owned() };
    options.connect(&url).await.expect("the database")
}

const SQLITE: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 20000; \
     pragma foreign_keys = on; pragma cache_size = -24576; pragma wal_autocheckpoint = 8000";

async fn tell(pool: &AnyPool, sql: String) {
    pool.execute(AssertSqlSafe(sql)).await.expect("a statement");
}

async fn make_database(server: &str, name: &str) -> String {
    let admin = pool(server).await;
    let name = format!("firsttouch_bench_{}_{name}", std::process::id());
    tell(&admin, format!("drop database if exists {name}")).await;
    tell(&admin, format!("create database {name}")).await;
    let (base, _) = server.rsplit_once('/').expect("an address with a database");
    format!("{base}/{name}")
}

const CADENCE: &str = "format: cadence/v1
id: bench
title: Two mails a month apart
enroll: { audience: prospects, profiles: [any] }
calendar: always
send_window: [\"00:00-23:59\"]
steps:
  - { id: first, after: 0 minutes, email: { template: a, thread: new } }
  - { id: second, after: 30 days, email: { template: b, thread: new } }
";

const A: &str = "---\nsubject: A question, {{first_name}}\nneeds: [first_name]\nlanguage: en\n---\n\
     Hi {{first_name}}, who looks after purchasing?\n";
const B: &str = "---\nsubject: Another question, {{first_name}}\nneeds: [first_name]\nlanguage: en\n---\n\
     Hi {{first_name}}, is it you?\n";

/// Limits that nobody reaches: what is measured is what checking them costs.
fn settle(path: &Path, url: Option<&str>, mailboxes: usize, port: u16) {
    // Where it is noon now, midnight does not close the window while we measure.
    let west = i64::from(Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).hour()) - 12;
    let sign = if west < 0 { '-' } else { '+' };
    let mut text = format!(
        "[company]\nname = \"Acme\"\npostal_address = \"2 Side St, Springfield\"\n\
         [calendar.always]\nhours = \"mon-sun 00:00-23:59\"\n\
         if_zone_unknown = \"Etc/GMT{sign}{}\"\n\
         [limits]\nper_domain_per_day = 1000\nnew_per_company_per_day = 1000\n\
         active_per_company = 1000\n\
         [pacing]\nper_mailbox_per_minute = 100000\nper_domain_per_minute = 100000\n",
        west.abs(),
    );
    if let Some(url) = url {
        text.push_str(&format!("[store]\nurl = \"{url}\"\n"));
    }
    for n in 0..mailboxes {
        let maildir = path.join(format!("mail/m{n}"));
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(maildir.join(part)).expect("a maildir");
        }
        text.push_str(&format!(
            "[[mailbox]]\nid = \"m{n}\"\nfrom = \"Rep {n} <m{n}@acme.test>\"\ndaily_limit = 1000000\n\
             ramp = {{ start = 1000000, add_per_day = 0 }}\ngap = [\"0 minutes\", \"0 minutes\"]\n\
             smtp = {{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}\nmaildir = \"{}\"\n",
            maildir.display()
        ));
    }
    fs::write(path.join("firsttouch.toml"), text).expect("settings");
}
