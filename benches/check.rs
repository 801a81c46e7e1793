//! `check` over a large workspace, beside what does none of the work: reading the same files, and
//! parsing their YAML.
//!
//! `cargo bench --bench check`; the aim is under a second for 200 cadences and 1,000 templates.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const CADENCES: usize = 200;
const TEMPLATES: usize = 1_000;
const PROFILES: usize = 20;
const STEPS: usize = 12;
const ROUNDS: usize = 7;
const AIM: Duration = Duration::from_secs(1);

/// Mails with a subject come first, then answers, scripts and notes without.
fn template(n: usize) -> String {
    let head = if n < TEMPLATES / 2 {
        "---\nsubject: \"{{default x.topic company.short}}\"\nneeds: [first_name]\n---\n"
    } else {
        ""
    };
    format!(
        "{head}Hi {{{{first_name}}}},\n\nNumber {n}: {{{{profile.say.pain}}}}.{{{{#if x.trigger}}}} \
         {{{{x.trigger}}}} is why I write.{{{{else}}}} That is why I write.{{{{/if}}}}\n\n\
         {{{{profile.say.ask}}}}\n\n{{{{> signature}}}}\n"
    )
}

fn profile(n: usize) -> String {
    format!(
        "format: profile/v1\nid: profile-{n}\ntitle: Profile {n}\nmatch:\n  title: {{ any: [VP Sales, \
         Head of Sales, CRO], none: [assistant, former] }}\n  employees: 51-1000\n  country: {{ any: \
         [\"US\", \"CA\", \"GB\"] }}\nrequire: [email]\nscore:\n  - {{ add: 20, if: {{ has: [phone] }} }}\n\
         say:\n  pain: the pain of {n}\n  ask: Worth 20 minutes?\n"
    )
}

fn step(cadence: usize, at: usize) -> String {
    let day = 1 + at;
    // Every fourth step begins a thread; every template is used by some step.
    let half = TEMPLATES / 2;
    let with_subject = (cadence * (STEPS / 4) + at / 4) % half;
    let without = half + (cadence * (STEPS - STEPS / 4) + at - at / 4) % half;
    match at % 4 {
        0 => format!(
            "  - id: s{at}\n    day: {day}\n    email: {{ template: t{with_subject}, thread: new }}\n"
        ),
        1 => format!(
            "  - id: s{at}\n    day: {day}\n    only_if: {{ has: [phone] }}\n    call: {{ script: \
             t{without} }}\n    outcomes:\n      no_answer: {{ retry: {{ after: 4 business hours, max: 1 }} }}\n"
        ),
        2 => format!(
            "  - id: s{at}\n    day: {day}\n    skip_if: {{ outcome: {{ s{}: [left_voicemail] }} }}\n    \
             email: {{ template: t{without}, thread: reply }}\n",
            at - 1
        ),
        _ => format!(
            "  - id: s{at}\n    day: {day}\n    only_if: {{ has: [linkedin_url] }}\n    social: {{ network: \
             linkedin, act: message, text: t{without} }}\n"
        ),
    }
}

fn cadence(n: usize) -> String {
    let mut text = format!(
        "format: cadence/v1\nid: cadence-{n}\ntitle: Cadence {n}\nenroll:\n  audience: prospects\n  \
         profiles: [profile-{}, profile-{}]\ndays: business\ncalendar: standard\nsend_window: \
         [\"08:00-11:00\"]\nlimits: {{ touches_per_prospect_per_day: 1 }}\nsteps:\n",
        n % PROFILES,
        (n + 1) % PROFILES
    );
    (0..STEPS).for_each(|at| write!(text, "{}", step(n, at)).expect("a text"));
    text + "at_end: stop\n"
}

fn write_workspace(dir: &Path) -> Vec<PathBuf> {
    let settings = "[company]\nname = \"Bench\"\npostal_address = \"2 Side St, Springfield\"\n\
         [calendar.standard]\nhours = \"mon-fri 08:00-17:00\"\n";
    let mut files = vec![("firsttouch.toml".to_owned(), settings.to_owned())];
    files.push((
        "templates/partials/signature.hbs".to_owned(),
        "{{sender.first_name}}\n".to_owned(),
    ));
    files.extend((0..TEMPLATES).map(|n| (format!("templates/t{n}.hbs"), template(n))));
    files.extend((0..PROFILES).map(|n| (format!("profiles/profile-{n}.yaml"), profile(n))));
    files.extend((0..CADENCES).map(|n| (format!("cadences/cadence-{n}.yaml"), cadence(n))));
    let write = |(path, text): (String, String)| {
        let file = dir.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, text).expect("a file");
        file
    };
    files.into_iter().map(write).collect()
}

/// The shortest of some rounds: what the machine does beside is not ours.
fn shortest(mut work: impl FnMut()) -> Duration {
    let round = |work: &mut dyn FnMut()| {
        let begins = Instant::now();
        work();
        begins.elapsed()
    };
    (0..ROUNDS).map(|_| round(&mut work)).min().unwrap_or_default()
}

fn read_all(files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|file| fs::read_to_string(file).expect("a file")).collect()
}

fn parse_all(files: &[PathBuf]) {
    let yaml = files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    for file in yaml {
        let text = fs::read_to_string(file).expect("a file");
        let value: serde_json::Value = serde_saphyr::from_str(&text).expect("YAML");
        assert!(value.is_object());
    }
}

fn check(dir: &Path, expected: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_firsttouch"))
        .arg("-C")
        .arg(dir)
        .args(["check", "--format", "json"])
        .stderr(Stdio::inherit())
        .output()
        .expect("firsttouch");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(expected), "{}", said.chars().take(600).collect::<String>());
}

fn main() {
    // `cargo test --all-targets` starts this as well: that is not the time to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-check");
    let _ = fs::remove_dir_all(&dir);
    let files = write_workspace(&dir);
    let bytes: usize = read_all(&files).iter().map(String::len).sum();
    println!(
        "{CADENCES} cadences, {TEMPLATES} templates, {PROFILES} profiles: {} kB",
        bytes / 1_000
    );
    let reading = shortest(|| drop(read_all(&files)));
    let parsing = shortest(|| parse_all(&files));
    let clean = shortest(|| check(&dir, "\"findings\":[]"));
    for n in 0..CADENCES {
        fs::write(
            dir.join(format!("cadences/cadence-{n}.yaml")),
            cadence(n).replace("s1: [", "s0x: ["),
        )
        .expect("a file");
    }
    let wrong = shortest(|| check(&dir, "there is no step `s0x`"));
    for (what, took) in [
        ("reading the files", reading),
        ("reading, and a bare parse of the YAML", parsing),
        ("firsttouch check, nothing found", clean),
        ("firsttouch check, every cadence wrong", wrong),
    ] {
        let ratio = took.as_secs_f64() / reading.as_secs_f64();
        println!("{what:<40} {:>8.1} ms  {ratio:>6.1} x", took.as_secs_f64() * 1e3);
    }
    let word = if clean < AIM { "within" } else { "beyond" };
    println!("{word} the aim of {} ms", AIM.as_millis());
    let _ = fs::remove_dir_all(&dir);
}
