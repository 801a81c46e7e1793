//! An SMTP server of its own process, whose file says what arrived.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::PROGRAM;
use super::process::Process;

/// The SMTP server, and the file with a line for each mail that it took.
pub struct Sink {
    pub _process: Process,
    pub port: u16,
    pub file: PathBuf,
}

/// A line of the sink's file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrived {
    pub to: String,
    pub message_id: String,
    pub touch: String,
}

impl Sink {
    pub fn start(folder: &Path, delay_ms: u32) -> Self {
        let file = folder.join("arrived.tsv");
        let mut child = Command::new(sink_program())
            .args(["0".as_ref(), file.as_os_str(), delay_ms.to_string().as_ref()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse().unwrap();
        Self { _process: Process(child), port, file }
    }

    pub fn count(&self) -> usize {
        fs::read(&self.file).unwrap().iter().filter(|byte| **byte == b'\n').count()
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        let text = fs::read_to_string(&self.file).unwrap();
        let arrived = text.lines().map(|line| {
            let parts: Vec<&str> = line.split('\t').collect();
            assert_eq!(parts.len(), 3, "{line}");
            let message_id = parts[1].trim_matches(['<', '>']).to_owned();
            Arrived { to: parts[0].to_owned(), message_id, touch: parts[2].to_owned() }
        });
        arrived.collect()
    }
}

/// The example beside the program; built when only the tests were.
pub fn sink_program() -> PathBuf {
    let program = Path::new(PROGRAM).with_file_name("examples").join("smtp_sink");
    if !program.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--example", "smtp_sink"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success());
    }
    program
}
