//! An SMTP server in a process of its own that takes every mail, and what it took.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use firsttouch::adapters::simulated::smtp_server::{
    Behaviour, ContentReply, Delivered, SmtpServer,
};
use jiff::Timestamp;

/// With this and a file the benchmark is the server.
pub const FLAG: &str = "--sink";

/// The server, and the file with a line for each mail that it took.
pub struct Sink {
    process: Child,
    pub port: u16,
    file: PathBuf,
}

/// A mail that came.
pub struct Arrived {
    pub at_ms: i64,
    pub to: String,
    pub message_id: String,
    pub bytes: usize,
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Sink {
    pub fn start(folder: &Path, name: &str) -> Self {
        let file = folder.join(name);
        let _ = fs::remove_file(&file);
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.arg(FLAG).arg(&file).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("a server");
        let mut line = String::new();
        let mut said = BufReader::new(process.stdout.take().expect("what it says"));
        said.read_line(&mut line).expect("its port");
        Self { process, port: line.trim().parse().expect("a port"), file }
    }

    pub fn count(&self) -> usize {
        fs::read(&self.file).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count()
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let arrived = text.lines().map(|line| {
            let parts: Vec<&str> = line.split('\t').collect();
            let [at, to, message_id, bytes] = parts.as_slice() else { panic!("{line}") };
            Arrived {
                at_ms: at.parse().expect("a time"),
                to: (*to).to_owned(),
                message_id: (*message_id).to_owned(),
                bytes: bytes.parse().expect("a size"),
            }
        });
        arrived.collect()
    }

    /// How many came, each of them once.
    pub fn each_once(&self) -> usize {
        let arrived = self.arrived();
        let ids: BTreeSet<&str> = arrived.iter().map(|mail| mail.message_id.as_str()).collect();
        let people: BTreeSet<&str> = arrived.iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!(ids.len(), arrived.len(), "a Message-ID came twice");
        assert_eq!(people.len(), arrived.len(), "somebody got a mail twice");
        arrived.len()
    }
}

struct Ledger(Mutex<File>);

impl Behaviour for Ledger {
    fn on_content(&self, delivered: &Delivered) -> ContentReply {
        // One write of a whole line: a reader never sees half of it.
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match file.write_all(line(delivered).as_bytes()) {
            Ok(()) => ContentReply::Say(250, "2.0.0 queued".to_owned()),
            Err(error) => ContentReply::Say(451, format!("4.3.0 the ledger: {}", error.kind())),
        }
    }
}

fn line(delivered: &Delivered) -> String {
    let text = String::from_utf8_lossy(&delivered.bytes);
    let header = |line: &str| line.strip_prefix("Message-ID: ").map(str::to_owned);
    let id = text.lines().take_while(|line| !line.is_empty()).find_map(header);
    let at = Timestamp::now().as_millisecond();
    let id = id.unwrap_or_else(|| "-".to_owned());
    format!("{at}\t{}\t{id}\t{}\n", delivered.to, delivered.bytes.len())
}

/// Takes mail until the process is ended.
pub fn serve(file: &str) {
    let file = OpenOptions::new().create(true).append(true).open(file).expect("a file");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let server = SmtpServer::start(Arc::new(Ledger(Mutex::new(file)))).expect("a server");
        println!("{}", server.addr().port());
        std::future::pending::<()>().await;
    });
}
