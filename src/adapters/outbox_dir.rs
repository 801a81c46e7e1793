//! Mail out into a folder: each mail becomes a file, nothing leaves the machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::domain::delivery::{Envelope, Failure, Phase};
use crate::ports::{Mailer, Offered};

/// How many mails with one Message-ID are kept side by side. There should never be a second one;
/// if there is, it must be seen.
const MAX_COPIES: u32 = 100;
const MAX_NAME_CHARS: usize = 120;

/// Writes each mail as `<message-id>.eml`, whole or not at all, never over another.
pub struct OutboxDir {
    folder: Arc<Folder>,
}

struct Folder {
    path: PathBuf,
    /// When this writer began, in nanoseconds: after a crash, process numbers come again.
    began: u128,
    drafts: AtomicU64,
}

impl OutboxDir {
    /// Writes into that folder, which is made when the first mail comes.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Self { folder: Arc::new(Folder { path: path.into(), began, drafts: AtomicU64::new(0) }) }
    }
}

#[async_trait]
impl Mailer for OutboxDir {
    async fn offer(&self, _envelope: &Envelope) -> Result<Box<dyn Offered>, Failure> {
        Ok(Box::new(Offer { folder: Arc::clone(&self.folder) }))
    }
}

struct Offer {
    folder: Arc<Folder>,
}

#[async_trait]
impl Offered for Offer {
    async fn content(self: Box<Self>, message: &[u8]) -> Result<String, Failure> {
        let message = message.to_vec();
        let writing = tokio::task::spawn_blocking(move || self.folder.keep(&message));
        // A writer that died may have got to the end.
        writing.await.unwrap_or_else(|_| Err(failure(Phase::Content, "the writer stopped")))
    }

    async fn withdraw(self: Box<Self>) {}
}

impl Folder {
    fn keep(&self, message: &[u8]) -> Result<String, Failure> {
        let not_sent = |error: io::Error| failure(Phase::Data, &error.to_string());
        fs::create_dir_all(&self.path).map_err(not_sent)?;
        let draft = self.path.join(format!(".{}.tmp", self.draft_number()));
        let published =
            write(&draft, message).map_err(not_sent).and_then(|()| self.publish(&draft, message));
        // Nothing depends on the draft any more; what is left of it is only clutter.
        let _ = fs::remove_file(&draft);
        published
    }

    /// Unlike that of any other draft, of this writer, of others and of those before a crash.
    fn draft_number(&self) -> String {
        let draft = self.drafts.fetch_add(1, Ordering::Relaxed);
        format!("{}-{}-{draft}", self.began, std::process::id())
    }

    /// Gives the draft its name. A link, other than a rename, does not replace what is there.
    fn publish(&self, draft: &Path, message: &[u8]) -> Result<String, Failure> {
        let stem = stem(message);
        for copy in 1..=MAX_COPIES {
            let name = if copy == 1 { format!("{stem}.eml") } else { format!("{stem}.{copy}.eml") };
            match fs::hard_link(draft, self.path.join(&name)) {
                Ok(()) => return self.settle(&name),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failure(Phase::Data, &error.to_string())),
            }
        }
        Err(failure(Phase::Data, "too many mails with one Message-ID"))
    }

    /// Makes the name survive a power cut. From the link on, the mail counts as perhaps sent.
    fn settle(&self, name: &str) -> Result<String, Failure> {
        File::open(&self.path)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failure(Phase::Content, &error.to_string()))?;
        Ok(format!("written to {name}"))
    }
}

fn write(draft: &Path, message: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(draft)?;
    file.write_all(message)?;
    file.sync_all()
}

/// The Message-ID without anything that could mean something in a path, or a digest of the mail.
fn stem(message: &[u8]) -> String {
    let named = message_id(message).map(|id| file_name(&id));
    // A leading dot would hide the mail, and `..` would not stay a name.
    named.filter(|name| !name.starts_with('.')).unwrap_or_else(|| digest(message))
}

fn file_name(id: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@-_.+".contains(c);
    id.chars().take(MAX_NAME_CHARS).map(|c| if safe(c) { c } else { '_' }).collect()
}

fn digest(message: &[u8]) -> String {
    let digest = Sha256::digest(message);
    digest.iter().take(16).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn message_id(message: &[u8]) -> Option<String> {
    let parsed = mail_parser::MessageParser::default().parse_headers(message)?;
    parsed.message_id().map(str::to_owned).filter(|id| !id.is_empty())
}

fn failure(phase: Phase, why: &str) -> Failure {
    Failure { phase, answer: None, detail: format!("write to the outbox folder: {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::Verdict;

    fn envelope() -> Envelope {
        Envelope {
            mailbox: "alex".into(),
            from: "alex@out.example".parse().unwrap(),
            to: "dana@northwind.test".parse().unwrap(),
        }
    }

    async fn send(outbox: &OutboxDir, message: &str) -> Result<String, Failure> {
        outbox.offer(&envelope()).await?.content(message.as_bytes()).await
    }

    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    fn pair(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[tokio::test]
    async fn each_mail_becomes_one_file_named_by_its_id() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("made/when/needed");
        let outbox = OutboxDir::new(&folder);
        let mail = "Message-ID: <t1.k3@out.example>\r\n\r\nHi.\r\n";
        assert_eq!(send(&outbox, mail).await.unwrap(), "written to t1.k3@out.example.eml");
        assert_eq!(files(&folder), [pair("t1.k3@out.example.eml", mail)]);
    }

    #[tokio::test]
    async fn a_second_mail_with_the_same_id_is_kept_beside_the_first() {
        let folder = tempfile::tempdir().unwrap();
        for body in ["one", "two"] {
            // Another mailer is another process as far as names are concerned.
            let outbox = OutboxDir::new(folder.path());
            send(&outbox, &format!("Message-ID: <1@x.example>\r\n\r\n{body}")).await.unwrap();
        }
        let names: Vec<_> = files(folder.path()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["1@x.example.2.eml", "1@x.example.eml"]);
    }

    #[tokio::test]
    async fn an_id_cannot_lead_out_of_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("outbox");
        let outbox = OutboxDir::new(&folder);
        for id in ["../../evil@x", "/etc/passwd@x", ".hidden@x", "a\\b@x", &"l".repeat(400)] {
            send(&outbox, &format!("Message-ID: <{id}>\r\n\r\n{id}")).await.unwrap();
        }
        send(&outbox, "Subject: no id\r\n\r\n").await.unwrap();
        assert_eq!(files(&folder).len(), 6);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
        assert!(files(&folder).iter().all(|(name, _)| !name.starts_with('.')));
    }

    #[tokio::test]
    async fn many_at_once_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Arc::new(OutboxDir::new(folder.path()));
        let sends = (0..50).map(|n| {
            let outbox = Arc::clone(&outbox);
            tokio::spawn(async move {
                send(&outbox, &format!("Message-ID: <{}@x.example>\r\n\r\n{n}", n % 10)).await
            })
        });
        for sent in sends.collect::<Vec<_>>() {
            sent.await.unwrap().unwrap();
        }
        assert_eq!(files(folder.path()).len(), 50);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_means_certainly_not_sent() {
        let root = tempfile::tempdir().unwrap();
        let blocked = root.path().join("file");
        fs::write(&blocked, "in the way").unwrap();
        let failure = send(&OutboxDir::new(&blocked), "x: y\r\n\r\n").await.unwrap_err();
        assert_eq!((failure.phase, failure.verdict()), (Phase::Data, Verdict::TryLater));
    }

    #[tokio::test]
    async fn an_offer_that_is_taken_back_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = OutboxDir::new(folder.path());
        outbox.offer(&envelope()).await.unwrap().withdraw().await;
        assert_eq!(files(folder.path()), []);
    }
}
