//! A million rows of an Apollo export into SQLite, beside what does none of the work: the `csv` crate
//! reading the same file, and `sqlite3 .import` where it is installed.
//!
//! `cargo bench --bench import`; `FIRSTTOUCH_BENCH_ROWS` sets the number of rows, and
//! `FIRSTTOUCH_BENCH_DIR` where the file and the databases lie (about 5 GB for a million rows). With
//! `FIRSTTOUCH_BENCH_POSTGRES`, the address of an empty PostgreSQL database, they go there as well.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HEADER: &str = "First Name,Last Name,Title,Company Name,Company Name for Emails,Email,\
Email Status,Primary Email Source,Primary Email Verification Source,Email Confidence,\
Primary Email Catch-all Status,Primary Email Last Verified At,Seniority,Departments,Sub Departments,\
Contact Owner,Work Direct Phone,Home Phone,Mobile Phone,Corporate Phone,Other Phone,Do Not Call,Stage,\
Lists,Last Contacted,Account Owner,# Employees,Industry,Keywords,Person Linkedin Url,Website,\
Company Linkedin Url,Facebook Url,Twitter Url,City,State,Country,Company Address,Company City,\
Company State,Company Country,Company Phone,Technologies,Annual Revenue,Total Funding,Latest Funding,\
Latest Funding Amount,Last Raised At,Subsidiary of,Email Sent,Email Open,Email Bounced,Replied,Demoed,\
Number of Retail Locations,Apollo Contact Id,Apollo Account Id,Secondary Email,Secondary Email Source,\
Tertiary Email,Tertiary Email Source";

const FIRST: &[&str] = &[
    "Dana", "Erin", "Noor", "Elena", "Jordan", "Bianca", "Sam", "Zoë", "Wei", "Marek", "Aisha",
    "Tom", "Ingrid", "Luca", "Chidi", "Priya",
];
const LAST: &[&str] = &[
    "Whitfield",
    "Petrova",
    "Haddad",
    "Lockwood",
    "Blake",
    "Rossi",
    "Mokoena",
    "Müller",
    "Chen",
    "Nowak",
    "Bello",
    "Baker",
    "Larsen",
    "O'Brien",
    "Okafor",
    "Raman",
    "van der Berg",
    "McDonald",
];
const TITLES: &[&str] = &[
    "VP Sales",
    "Head of Sales Operations",
    "Chief Revenue Officer",
    "Account Executive",
    "Sales Director",
    "RevOps Manager",
    "Director of Sales Ops",
    "Founder & CEO",
    "Marketing Manager",
    "IT Director",
];
/// City, state, country, and a phone number there but for its last digits, and how many those are.
const PLACES: &[(&str, &str, &str, &str, usize)] = &[
    ("San Francisco", "California", "United States", "(415) ", 7),
    ("Boston", "Massachusetts", "United States", "+1 617-", 7),
    ("Austin", "Texas", "United States", "512.", 7),
    ("London", "England", "United Kingdom", "+44 20 7", 7),
    ("Berlin", "Berlin", "Germany", "+49 30 ", 8),
    ("Toronto", "Ontario", "Canada", "+1 (416) ", 7),
    ("Paris", "Île-de-France", "France", "+33 1 ", 8),
];

/// A local number of so many digits, as people part them.
fn local(seed: u64, digits: usize) -> String {
    let first = 2 + seed % 8;
    let rest = format!("{:08}", (seed >> 8) % 100_000_000);
    let number = format!("{first}{}", &rest[..digits - 1]);
    format!("{}-{}", &number[..3], &number[3..])
}

const ENTERPRISE: &str = r#"format: profile/v1
id: cro-enterprise
title: CRO at an enterprise account
about: Signs.
match:
  title: { any: [Chief Revenue Officer, CRO, Chief Financial Officer, CFO], none: [deputy, interim] }
  seniority: { any: [c_level] }
  employees: 1001+
  country: { any: ["US", "CA", "GB", "DE", "FR"] }
require: [email]
prefer: [phone]
"#;

/// Numbers that look drawn and are the same in every run.
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn pick<T>(from: &[T], n: u64) -> &T {
    let at = usize::try_from(n % from.len() as u64).expect("small");
    &from[at]
}

fn row(n: u64, out: &mut impl Write) -> std::io::Result<()> {
    let seed = mix(n + 1);
    let (first, last) = (pick(FIRST, seed), pick(LAST, seed >> 8));
    let company = mix(n / 4) % 250_000;
    let (city, state, country, phone, digits) = pick(PLACES, seed >> 16);
    let ascii = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase()
    };
    let (a, b) = (ascii(first), ascii(last));
    let number = 1000 + (seed >> 24) % 9000;
    let direct = format!("{phone}{}", local(mix(seed), *digits));
    let office = format!("{phone}{}", local(mix(company), *digits));
    let mobile = if seed.is_multiple_of(3) { direct.clone() } else { String::new() };
    let size = pick(&["11-50", "51-200", "201-500", "1,001", "37", "480"], seed >> 32);
    let title = pick(TITLES, seed >> 40);
    writeln!(
        out,
        "{first},{last},{title},\"Company {company}, Inc.\",Company {company},{a}.{b}{n}@c{company}.example,\
Verified,Apollo,Apollo,,Not Catch-all,2026-02-11T09:00:00+00:00,Director,Sales,\"Sales, Operations\",\
ann@us.example,{direct},,{mobile},{office},,,Cold,Q1 outbound,,ann@us.example,\"{size}\",\
computer software,\"saas, pipeline, forecasting, revenue, crm\",\
http://www.linkedin.com/in/{a}-{b}-{n},http://www.c{company}.example,\
http://www.linkedin.com/company/c{company},,,{city},{state},{country},\"{number} Main St, {city}\",{city},\
{state},{country},{office},\"Salesforce, Outreach, Gong\",{}000000,,,,,,False,False,False,False,\
False,,{n:024x},{company:024x},,,,",
        1 + seed % 90,
    )
}

fn write_list(path: &Path, rows: u64) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(out, "{HEADER}")?;
    for n in 0..rows {
        row(n, &mut out)?;
    }
    out.flush()
}

fn read_with_csv(path: &Path) -> (u64, Duration) {
    let begins = Instant::now();
    let mut reader = csv::Reader::from_path(path).expect("the list");
    let mut record = csv::StringRecord::new();
    let mut rows = 0;
    while reader.read_record(&mut record).expect("a row") {
        rows += 1;
    }
    (rows, begins.elapsed())
}

fn sqlite_import(path: &Path, dir: &Path) -> Option<Duration> {
    let database = dir.join("plain.db");
    let _ = fs::remove_file(&database);
    let begins = Instant::now();
    let command = format!(".import --csv {} people", path.display());
    let done = Command::new("sqlite3").arg(&database).arg(command).status().ok()?;
    done.success().then(|| begins.elapsed())
}

/// The largest resident size that a process has had, in MiB.
fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb / 1024)
}

fn firsttouch(workspace: &Path, list: &Path, name: &str) -> (Duration, u64, String) {
    let begins = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_firsttouch"))
        .args(["-C", workspace.to_str().expect("a path"), "import", "--list", name])
        .arg(list)
        .args(["--owner", "me"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("firsttouch");
    let mut most = 0;
    loop {
        most = most.max(peak(child.id()).unwrap_or(0));
        if child.try_wait().expect("a process").is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = begins.elapsed();
    let output = child.wait_with_output().expect("its answer");
    (took, most, String::from_utf8_lossy(&output.stdout).into_owned())
}

fn main() {
    // `cargo test --all-targets` starts this as well: that is not the time to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let rows: u64 = std::env::var("FIRSTTOUCH_BENCH_ROWS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    let dir = std::env::var_os("FIRSTTOUCH_BENCH_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-import"),
        PathBuf::from,
    );
    let workspace = dir.join("workspace");
    let _ = fs::remove_dir_all(&workspace);
    fs::create_dir_all(&dir).expect("a directory");
    let list = dir.join("people.csv");
    write_list(&list, rows).expect("the list");
    let bytes = fs::metadata(&list).expect("the list").len();
    println!("{rows} rows, 61 columns, {} MB", bytes / 1_000_000);
    let per_second = |took: Duration| {
        #[allow(clippy::cast_precision_loss, reason = "a speed for people")]
        let rows = rows as f64;
        rows / took.as_secs_f64()
    };
    let line = |what: &str, took: Duration, base: Duration| {
        let ratio = took.as_secs_f64() / base.as_secs_f64();
        println!(
            "{what:<44} {:>7.1} s {:>10.0} rows/s  {ratio:>6.1} x",
            took.as_secs_f64(),
            per_second(took)
        );
    };
    let (read, csv) = read_with_csv(&list);
    assert_eq!(read, rows);
    line("csv crate, reading only", csv, csv);
    match sqlite_import(&list, &dir) {
        Some(took) => line("sqlite3 .import, no work done", took, csv),
        None => println!("sqlite3 is not installed: no comparison with .import"),
    }
    import_twice(&workspace, "", &list, |what, took| line(what, took, csv));
    if let Ok(url) = std::env::var("FIRSTTOUCH_BENCH_POSTGRES") {
        println!("into PostgreSQL:");
        let settings = format!("\n[store]\nurl = \"{url}\"\n");
        let workspace = dir.join("workspace-postgres");
        let _ = fs::remove_dir_all(&workspace);
        import_twice(&workspace, &settings, &list, |what, took| line(what, took, csv));
    }
}

/// Imports a list into a new workspace with three profiles, and then once more.
fn import_twice(workspace: &Path, settings: &str, list: &Path, line: impl Fn(&str, Duration)) {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firsttouch"));
        let status = command.args(arguments).stdout(Stdio::null()).status();
        assert!(status.expect("firsttouch").success());
    };
    let path = workspace.to_str().expect("a path");
    run(&["init", path]);
    // The third profile of three.
    fs::write(workspace.join("profiles/cro-enterprise.yaml"), ENTERPRISE).expect("a profile");
    let file = workspace.join("firsttouch.toml");
    let text = fs::read_to_string(&file).expect("settings");
    fs::write(&file, text + settings).expect("settings");
    run(&["-C", path, "apply"]);
    for (what, name) in [("firsttouch import", "first"), ("the same again, all unchanged", "again")]
    {
        let (took, most, said) = firsttouch(workspace, list, name);
        line(what, took);
        println!("    at most {most} MiB resident");
        for outcome in said.lines().skip(2).take(6) {
            println!("  {outcome}");
        }
    }
}
