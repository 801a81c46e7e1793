//! Real bounces, reports and automatic answers with labels: how many are read right.
//!
//! The folder is not part of the project: `../shared/data`, or where `FIRSTTOUCH_DATA` points.

use std::collections::BTreeMap;
use std::path::PathBuf;

use firsttouch::domain::reply::{Inbound, Kind};
use firsttouch::formats::mime;
use jiff::civil::date;
use serde::Deserialize;

#[derive(Deserialize)]
struct Label {
    file: String,
    label: String,
    accept: Vec<String>,
    hard: Option<bool>,
    status: Vec<String>,
}

fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("FIRSTTOUCH_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let bounces = root.join("mail/bounces");
    if bounces.join("labels.jsonl").is_file() {
        return Some(bounces);
    }
    println!("SKIPPED: no labelled mail at {}", bounces.display());
    None
}

fn labelled() -> Option<Vec<(Label, Vec<u8>)>> {
    let folder = folder()?;
    let labels = std::fs::read_to_string(folder.join("labels.jsonl")).unwrap();
    let labels = labels.lines().map(|line| serde_json::from_str::<Label>(line).unwrap());
    Some(
        labels
            .map(|label| {
                let bytes = std::fs::read(folder.join(&label.file)).unwrap();
                (label, bytes)
            })
            .collect(),
    )
}

fn read(bytes: &[u8]) -> Inbound {
    mime::read(bytes, date(2026, 1, 1))
}

#[test]
fn labelled_mail_is_read_as_people_labelled_it() {
    let Some(mails) = labelled() else { return };
    let mut confusion: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let (mut right, mut codes, mut code_right) = (0, 0, 0);
    let mut hard: BTreeMap<(bool, bool), usize> = BTreeMap::new();
    for (label, bytes) in &mails {
        let inbound = read(bytes);
        let kind = inbound.kind.as_str();
        *confusion.entry((label.label.clone(), kind)).or_default() += 1;
        right += usize::from(label.accept.iter().any(|accepted| accepted == kind));
        if !label.accept.iter().any(|accepted| accepted == kind) {
            println!("{}: {} read as {kind}: {}", label.file, label.label, inbound.reason);
        }
        let Kind::Bounce(bounce) = &inbound.kind else { continue };
        assert!(
            !(label.label == "delayed" && bounce.hard),
            "{}: a delay is no hard bounce",
            label.file
        );
        if let Some(expected) = label.hard {
            *hard.entry((expected, bounce.hard)).or_default() += 1;
            if expected != bounce.hard {
                println!(
                    "{}: hard {expected} read as {}, {:?}",
                    label.file, bounce.hard, bounce.status
                );
            }
        }
        let precise = label.status.iter().any(|status| !status.ends_with(".0.0"));
        codes += usize::from(precise);
        code_right += usize::from(
            precise && bounce.status.as_ref().is_some_and(|status| label.status.contains(status)),
        );
    }
    let count = |expected, found| hard.get(&(expected, found)).copied().unwrap_or_default() as f64;
    let accuracy = right as f64 / mails.len() as f64;
    let precision = count(true, true) / (count(true, true) + count(false, true)).max(1.0);
    let recall = count(true, true) / (count(true, true) + count(true, false)).max(1.0);
    println!("{confusion:#?}\nkind accuracy {accuracy:.3} of {}", mails.len());
    println!(
        "hard precision {precision:.3}, recall {recall:.3} {hard:?}; status {code_right} of {codes}"
    );
    assert!(accuracy >= 0.97 && precision >= 0.95 && recall >= 0.9);
}

#[test]
fn labelled_mail_reads_the_same_with_any_line_ends() {
    let Some(mails) = labelled() else { return };
    for (label, bytes) in mails {
        let lines: Vec<u8> = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").into_bytes();
        let with = |end: &str| String::from_utf8_lossy(&lines).replace('\n', end).into_bytes();
        let expected = read(&lines);
        assert_eq!(read(&with("\r\n")), expected, "{}", label.file);
        assert_eq!(read(&with("\r")), expected, "{}", label.file);
    }
}

#[test]
fn damaged_copies_of_labelled_mail_are_read_without_harm() {
    let Some(mails) = labelled() else { return };
    for (at, (_, bytes)) in mails.iter().enumerate() {
        for share in 1..8 {
            read(&bytes[..bytes.len() * share / 8]);
        }
        let garbled: Vec<u8> = bytes
            .iter()
            .enumerate()
            .map(|(place, byte)| if (place + at) % 97 == 0 { byte ^ 0x5a } else { *byte })
            .collect();
        read(&garbled);
    }
}
