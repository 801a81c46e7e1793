//! From settings to a running engine: the only place that names concrete adapters.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tokio_cron_scheduler::JobScheduler;

use crate::adapters::clock::SystemClock;
use crate::adapters::heartbeat::{self, Beat};
use crate::adapters::imap::{ImapInboxes, ImapSettings};
use crate::adapters::library;
use crate::adapters::maildir::Maildirs;
use crate::adapters::outbox_dir::OutboxDir;
use crate::adapters::post::{Inboxes, Pace, Post};
use crate::adapters::secret::{Credentials, Secret};
use crate::adapters::smtp::{SmtpMailer, SmtpSettings};
use crate::adapters::store::{Dialect, OpenError, SqlStore};
use crate::adapters::tls::Tls;
use crate::config::{Config, InboxConfig, Server, TlsMode};
use crate::domain::address::EmailAddress;
use crate::domain::budget::Ramp;
use crate::domain::ids::{MailboxId, RepId};
use crate::domain::settings::{Mailbox, Settings};
use crate::engine::daemon::Beats;
use crate::engine::workspace::{Files, hex};
use crate::engine::{Engine, EngineError, Parts};
use crate::ports::{Clock, Inbox, Mailer, Store};

pub mod database;
pub mod demo;
pub mod list_file;
pub mod list_inbox;
pub mod lists;
pub mod memory;
pub mod repo;
pub mod simulate;
pub mod test_run;

/// Why an engine could not be put together.
#[derive(Debug, Error)]
pub enum WiringError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Library(#[from] library::LibraryError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("{0}")]
    Secret(String),
    #[error(
        "another firsttouch runs on this database already ({path} is locked): stop it first, or use \
         PostgreSQL for several"
    )]
    SecondDaemon { path: String },
    #[error("there is no database yet ({path}): `firsttouch import` makes it")]
    NoDatabase { path: String },
    #[error("the heartbeat could not start: {0}")]
    Heartbeat(String),
}

/// The folder beside the files in which a workspace keeps what is not to be shared.
const STATE: &str = ".firsttouch";

/// An engine and what must live as long as it.
pub struct Running {
    pub engine: Arc<Engine>,
    dialect: Dialect,
    _lock: Option<fs::File>,
}

impl Running {
    /// Whether no other process can be working on the same database.
    pub fn sole(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }
}

/// Reads the texts of a workspace.
///
/// # Errors
/// A file could not be read.
pub fn files(workspace: &Path) -> Result<Files, WiringError> {
    Ok(Files { texts: library::read(workspace)? })
}

/// The files of a workspace as an author wants to hear of them: also what cannot be read, each with the
/// reason, and what has another ending.
///
/// # Errors
/// A folder could not be read.
pub fn all_files(workspace: &Path) -> Result<AllFiles, WiringError> {
    let library::Found { texts, unread, misnamed } = library::look(workspace)?;
    let why = |error: library::LibraryError| match error.source.kind() {
        std::io::ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
        _ => error.source.to_string(),
    };
    let unread = unread.into_iter().map(|(path, error)| (path, why(error)));
    Ok(AllFiles { files: Files { texts }, unread: unread.collect(), misnamed })
}

/// The files of a workspace, and what is in its folders beside them.
pub struct AllFiles {
    pub files: Files,
    /// Path from the workspace, and why it could not be read.
    pub unread: Vec<(String, String)>,
    /// Paths from the workspace of files with another ending than the one that is read.
    pub misnamed: Vec<String>,
}

/// The instant that it is, where no engine is needed.
pub fn now() -> jiff::Timestamp {
    SystemClock.now()
}

/// Writes a page into the folder of the workspace that is not to be shared; returns its path.
///
/// # Errors
/// The file could not be written.
pub fn write_page(workspace: &Path, name: &str, html: &str) -> std::io::Result<PathBuf> {
    let folder = workspace.join(STATE).join("preview");
    fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    fs::write(&path, html)?;
    Ok(path)
}

/// Puts the engine of a workspace together, for a command.
///
/// # Errors
/// See [`WiringError`].
pub async fn engine(workspace: &Path, config: &Config) -> Result<Running, WiringError> {
    let settings = Arc::new(settings(config, secret_key(workspace)?));
    let mailer = Arc::new(post(workspace, config)?);
    let inbox = Arc::new(inboxes(workspace, config)?);
    assemble(config, settings, Arc::new(SystemClock), mailer, inbox).await
}

/// The database of a workspace, only to be read: nothing is written to it, not even its schema.
///
/// # Errors
/// There is no database, or not one that this program can read.
pub async fn store_to_read(config: &Config) -> Result<Arc<dyn Store>, WiringError> {
    if let Some(path) = config.database.strip_prefix("sqlite:")
        && !Path::new(path).exists()
    {
        return Err(WiringError::NoDatabase { path: path.to_owned() });
    }
    Ok(Arc::new(SqlStore::open_to_read(&config.database).await?))
}

/// The same around other parts: the demo's clock and its world.
///
/// # Errors
/// The database could not be opened.
pub async fn assemble(
    config: &Config,
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
    mailer: Arc<dyn Mailer>,
    inbox: Arc<dyn Inbox>,
) -> Result<Running, WiringError> {
    let store = Arc::new(SqlStore::open(&config.database).await?);
    let dialect = store.dialect();
    let node = node(dialect)?;
    let mut engine = Engine::new(Parts { clock, store, mailer, inbox, settings, node });
    engine.lease_lasts = config.lease;
    let engine = Arc::new(engine);
    Ok(Running { engine, dialect, _lock: None })
}

/// How this process signs its leases. On SQLite the lock on the file lets only one daemon live, and a
/// restarted one must not wait until the leases of its dead forerunner have run out. On PostgreSQL the
/// process id alone is not enough: in containers everybody is process 1.
fn node(dialect: Dialect) -> Result<String, WiringError> {
    match dialect {
        Dialect::Sqlite => Ok("sole".to_owned()),
        Dialect::Postgres => {
            let chance = random::<8>().map_err(|error| {
                WiringError::Secret(format!("cannot read the system's randomness: {error}"))
            })?;
            Ok(format!("pid-{}-{}", std::process::id(), hex(&chance)))
        }
    }
}

fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0u8; N];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The engine of the daemon: on SQLite it must be the only one.
///
/// # Errors
/// As [`engine`], and when another daemon runs on the same file.
pub async fn daemon(workspace: &Path, config: &Config) -> Result<Running, WiringError> {
    let lock = match config.database.strip_prefix("sqlite:") {
        Some(path) => Some(lock(Path::new(path))?),
        None => None,
    };
    let running = engine(workspace, config).await?;
    Ok(Running { _lock: lock, ..running })
}

fn lock(database: &Path) -> Result<fs::File, WiringError> {
    let path = PathBuf::from(format!("{}.lock", database.display()));
    let second = || WiringError::SecondDaemon { path: path.display().to_string() };
    let open = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = open
        .map_err(|error| WiringError::Secret(format!("cannot lock {}: {error}", path.display())))?;
    file.try_lock().map_err(|_| second())?;
    Ok(file)
}

/// A worker that has nothing to do looks at its own note then, not at the database: what is due leaves
/// within a second with room to spare.
const PULSE: Duration = Duration::from_millis(200);

/// Starts the heartbeats of the daemon.
///
/// # Errors
/// The scheduler did not start.
pub async fn beats() -> Result<(JobScheduler, Beats), WiringError> {
    let (tick, ticks) = watch::channel(0);
    let (house, housekeeping) = watch::channel(0);
    let (daily, digest) = watch::channel(0);
    let beat = |cron: &str, wakes| Beat { cron: cron.to_owned(), wakes };
    let beats = vec![beat("0 */5 * * * *", house), beat("0 0 6 * * *", daily)];
    heartbeat::pulse(PULSE, tick);
    let scheduler = heartbeat::start(beats).await;
    let scheduler = scheduler.map_err(|error| WiringError::Heartbeat(error.to_string()))?;
    Ok((scheduler, Beats { tick: ticks, housekeeping, digest }))
}

/// The engine's settings. Without any mailbox there is one that only writes files.
pub fn settings(config: &Config, secret: Vec<u8>) -> Settings {
    let mut mailboxes: BTreeMap<MailboxId, Mailbox> = config
        .mailboxes
        .iter()
        .map(|configured| (configured.mailbox.id.clone(), configured.mailbox.clone()))
        .collect();
    if mailboxes.is_empty() {
        mailboxes.extend(outbox_mailbox(config).map(|mailbox| (mailbox.id.clone(), mailbox)));
    }
    Settings {
        company: config.company.clone(),
        mailboxes,
        roles: config.roles.clone(),
        calendars: config.calendars.clone(),
        limits: config.limits.clone(),
        reply_freshness: config.reply_freshness,
        bounce_window: config.bounce_window,
        reader_zone: config.reader_zone.clone(),
        secret,
    }
}

/// Nobody can be reached from here: the address is reserved (RFC 2606), the mails are files.
fn outbox_mailbox(config: &Config) -> Option<Mailbox> {
    let from: EmailAddress = "outbox@firsttouch.invalid".parse().ok()?;
    let company = match config.company.name.is_empty() {
        true => "firsttouch".to_owned(),
        false => config.company.name.clone(),
    };
    Some(Mailbox {
        id: MailboxId::from("outbox"),
        from,
        from_name: None,
        owner: RepId::from("me"),
        daily_limit: 40,
        ramp: Ramp { start: 40, add_per_day: 0 },
        gap: (jiff::SignedDuration::from_mins(4), jiff::SignedDuration::from_mins(9)),
        has_inbox: false,
        card: [("first_name".to_owned(), "Me".to_owned()), ("company".to_owned(), company)].into(),
        unsubscribe_url: None,
    })
}

fn post(workspace: &Path, config: &Config) -> Result<Post, WiringError> {
    let mut smtp = BTreeMap::new();
    for configured in &config.mailboxes {
        if let Some(server) = &configured.smtp {
            let mut settings = SmtpSettings::new(server.host.clone(), server.port, tls(server.tls));
            settings.credentials = credentials(workspace, server)?;
            settings.ca_file = server.ca_file.as_ref().map(|file| workspace.join(file));
            configured.mailbox.from.domain().clone_into(&mut settings.hello);
            smtp.insert(configured.mailbox.id.clone(), settings);
        }
    }
    let with_smtp = smtp.keys().cloned().collect();
    let (per_mailbox, per_domain) = config.pacing;
    Ok(Post {
        smtp: SmtpMailer::new(smtp),
        with_smtp,
        outbox: OutboxDir::new(workspace.join("outbox")),
        pace: Some(Pace::new(per_mailbox, per_domain)),
    })
}

fn inboxes(workspace: &Path, config: &Config) -> Result<Inboxes, WiringError> {
    let (mut imap, mut maildirs) = (BTreeMap::new(), BTreeMap::new());
    for configured in &config.mailboxes {
        let id = configured.mailbox.id.clone();
        match &configured.inbox {
            None => {}
            Some(InboxConfig::Maildir(path)) => {
                maildirs.insert(id, path.clone());
            }
            Some(InboxConfig::Imap(server)) => {
                let missing =
                    || WiringError::Secret(format!("mailbox `{id}`: imap needs user and password"));
                let credentials = credentials(workspace, server)?.ok_or_else(missing)?;
                let mut settings = ImapSettings::new(
                    server.host.clone(),
                    server.port,
                    tls(server.tls),
                    credentials,
                );
                settings.ca_file = server.ca_file.as_ref().map(|file| workspace.join(file));
                imap.insert(id, settings);
            }
        }
    }
    let with_imap: BTreeSet<MailboxId> = imap.keys().cloned().collect();
    Ok(Inboxes { imap: ImapInboxes::new(imap), with_imap, maildirs: Maildirs::new(maildirs) })
}

fn tls(mode: TlsMode) -> Tls {
    match mode {
        TlsMode::None => Tls::Plain,
        TlsMode::StartTls => Tls::StartTls,
        TlsMode::Implicit => Tls::Implicit,
    }
}

fn credentials(workspace: &Path, server: &Server) -> Result<Option<Credentials>, WiringError> {
    let Some((user, source)) = server.user.as_ref().zip(server.password.as_ref()) else {
        return Ok(None);
    };
    let password = source.read(workspace).map_err(WiringError::Secret)?;
    Ok(Some(Credentials { user: user.clone(), password: Secret::new(password) }))
}

/// The workspace's own key, made once from the system's randomness.
fn secret_key(workspace: &Path) -> Result<Vec<u8>, WiringError> {
    let path = workspace.join(STATE).join("secret");
    match fs::read(&path) {
        Ok(key) if key.len() >= 32 => Ok(key),
        Ok(_) => Err(WiringError::Secret(format!(
            "{} is damaged: restore it from a backup",
            path.display()
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_secret_key(&path),
        Err(error) => Err(WiringError::Secret(format!("cannot read {}: {error}", path.display()))),
    }
}

fn make_secret_key(path: &Path) -> Result<Vec<u8>, WiringError> {
    let made = || -> std::io::Result<Vec<u8>> {
        let key = hex(&random::<32>()?).into_bytes();
        write_secret_key(path, &key)?;
        Ok(key)
    };
    made().map_err(|error| WiringError::Secret(format!("cannot make {}: {error}", path.display())))
}

/// Writes a workspace's key so that only its owner can read it; an existing one is kept.
///
/// # Errors
/// The file could not be written.
pub fn write_secret_key(path: &Path, key: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key)?;
    file.sync_all()
}
