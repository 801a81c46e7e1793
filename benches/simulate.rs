//! `firsttouch simulate` from the start of the process to the answer: 5,000 people, the shipped cadence
//! of 13 steps, 60 days, on as many cores as there are.
//!
//! `cargo bench --bench simulate`. Three teams: one that is far too small, one that is large enough, and
//! the large one in four runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PEOPLE: &str = "5000";
const DAYS: &str = "60";
const CADENCE: &str = "saas-outbound-14d";
/// What the answer may take.
const AIM: Duration = Duration::from_secs(20);

fn settings(mailboxes: usize) -> String {
    let mailbox = |n: usize| {
        format!(
            "[[mailbox]]\nid = \"rep-{n}\"\nfrom = \"rep-{n}@acme.test\"\nowner = \"rep-{n}\"\n\
             smtp = {{ host = \"127.0.0.1\", port = 25, tls = \"none\" }}\nmaildir = \"mail/{n}\"\n\n"
        )
    };
    let mailboxes: String = (0..mailboxes).map(mailbox).collect();
    format!(
        "time_zone = \"America/New_York\"\n\n[company]\nname = \"Bench\"\n\
         postal_address = \"2 Side St, Springfield\"\n\n{mailboxes}[calendar.standard]\n\
         hours = \"mon-fri 08:00-17:00\"\nclock = \"prospect\"\n"
    )
}

/// The shipped files, with so many mailboxes.
fn workspace(dir: &Path, mailboxes: usize) {
    let _ = fs::remove_dir_all(dir);
    let made = firsttouch().arg("init").arg(dir).stdout(Stdio::null()).status();
    assert!(made.expect("firsttouch").success());
    fs::write(dir.join("firsttouch.toml"), settings(mailboxes)).expect("the settings");
}

fn firsttouch() -> Command {
    Command::new(env!("CARGO_BIN_EXE_firsttouch"))
}

fn simulate(dir: &Path, more: &[&str]) -> (Duration, String) {
    let begins = Instant::now();
    let output = firsttouch()
        .arg("-C")
        .arg(dir)
        .args(["simulate", CADENCE, "--prospects", PEOPLE, "--days", DAYS])
        .args(["--from", "2026-03-02"])
        .args(more)
        .stderr(Stdio::inherit())
        .output()
        .expect("firsttouch");
    assert!(output.status.success());
    (begins.elapsed(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn main() {
    // `cargo test --all-targets` starts this as well: that is not the time to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-simulate");
    println!("{PEOPLE} people, {CADENCE}, {DAYS} days, on {} cores", cores());
    let cases: [(&str, usize, &[&str]); 3] = [
        ("3 reps, far too few", 3, &[]),
        ("60 reps", 60, &[]),
        ("60 reps, 4 runs", 60, &["--runs", "4"]),
    ];
    for (what, mailboxes, more) in cases {
        workspace(&dir, mailboxes);
        let (took, said) = simulate(&dir, more);
        let word = if took < AIM { "within" } else { "beyond" };
        println!("{what:<24} {:>6.1} s  {word} the aim of {} s", took.as_secs_f64(), AIM.as_secs());
        let verdict = said.split("\n\n").nth(1).unwrap_or_default();
        println!("  {}", verdict.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    let _ = fs::remove_dir_all(&dir);
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
