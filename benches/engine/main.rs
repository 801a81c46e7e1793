//! How fast the engine is, each number beside what the same machine can do at most in the same run.
//!
//! `cargo bench --bench engine`, with these options behind `--`:
//!
//! * `--people 10000,100000,1000000`: how many merely wait; the last number stays for everything else.
//! * `--touches 2000`: how many mails each measurement sends.
//! * `--postgres URL` (or `FIRSTTOUCH_TEST_POSTGRES`): the same on PostgreSQL, in a database of its own.
//! * `--only idle|transitions|mails|daemon`, `--seconds 20` (of an idle daemon), `--json FILE`.
//! * `--keep yes`: the workspace stays, to look at.
//!
//! `FIRSTTOUCH_BENCH_DIR` says where the workspaces lie (about 2 GB for a million people).

use std::path::PathBuf;
use std::time::Duration;

mod daemon;
mod ground;
mod idle;
mod mails;
mod sink;
mod table;
mod transitions;

use ground::Ground;
use table::Table;

/// What is asked for on the command line.
pub struct Options {
    people: Vec<i64>,
    touches: i64,
    postgres: Option<String>,
    only: Option<String>,
    seconds: u64,
    json: Option<PathBuf>,
    keep: bool,
}

impl Options {
    fn read() -> Self {
        let mut options = Self {
            people: vec![10_000, 100_000, 1_000_000],
            touches: 2_000,
            postgres: std::env::var("FIRSTTOUCH_TEST_POSTGRES").ok(),
            only: None,
            seconds: 20,
            json: None,
            keep: false,
        };
        let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
            let number = || value.parse::<i64>().expect("a number");
            match name.as_str() {
                "--people" => options.people = numbers(&value),
                "--touches" => options.touches = number(),
                "--postgres" => options.postgres = Some(value),
                "--only" => options.only = Some(value),
                "--seconds" => options.seconds = number().unsigned_abs().max(1),
                "--keep" => options.keep = value == "yes",
                "--json" => options.json = Some(value.into()),
                _ => panic!("{name}: see the head of benches/engine/main.rs"),
            }
        }
        options
    }

    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

fn numbers(text: &str) -> Vec<i64> {
    let mut numbers: Vec<i64> = text.split(',').map(|n| n.parse().expect("a number")).collect();
    numbers.sort_unstable();
    assert!(numbers.first().is_some_and(|n| *n >= 100), "at least 100 people");
    numbers
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, file] = arguments.as_slice()
        && flag == sink::FLAG
    {
        return sink::serve(file);
    }
    // `cargo test --all-targets` starts this as well: that is not the time to measure.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let options = Options::read();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut table = Table::default();
    runtime.block_on(async {
        measure(&options, None, &mut table).await;
        if let Some(server) = &options.postgres {
            measure(&options, Some(server), &mut table).await;
        }
    });
    table.print();
    if let Some(file) = &options.json {
        std::fs::write(file, table.json()).expect("the file for the numbers");
    }
}

/// Everything on one database, SQLite unless a server of PostgreSQL is given.
async fn measure(options: &Options, server: Option<&String>, table: &mut Table) {
    let server = server.map(String::as_str);
    let mut ground = Ground::make(server, "many").await;
    table.database = ground.name();
    let few = match options.wants("idle") {
        true => Some(few(options, server).await),
        false => None,
    };
    for n in &options.people {
        let took = ground.let_wait(*n).await;
        table.note(&format!("{n} wait: filled in {:.1} s", took.as_secs_f64()));
        if let Some(few) = &few {
            idle::measure(few, &ground, *n, table).await;
        }
    }
    if options.wants("daemon") {
        daemon::measure(&mut ground, Duration::from_secs(options.seconds), table).await;
    }
    if options.wants("transitions") {
        transitions::measure(&mut ground, options.touches, table).await;
    }
    if options.wants("mails") {
        for connections in [10, 50] {
            mails::measure(&mut ground, options.touches, connections, table).await;
        }
    }
    if options.keep {
        return;
    }
    ground.tear_down().await;
    if let Some(few) = few {
        few.tear_down().await;
    }
}

/// The smallest number of people, in a database of its own: what the others stand beside.
async fn few(options: &Options, server: Option<&str>) -> Ground {
    let mut few = Ground::make(server, "few").await;
    few.let_wait(options.people.first().copied().unwrap_or(0)).await;
    few
}
