//! Every cadence and profile that comes with the product is read without an error.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use firsttouch::domain::cadence::Cadence;
use firsttouch::domain::profile::Profile;
use firsttouch::formats::cadence_file::{self, Known, TemplateInfo};
use firsttouch::formats::diagnostic::Diagnostic;
use firsttouch::formats::profile_file;

/// The calendar names that the shipped cadences may use.
const CALENDARS: [&str; 1] = ["standard"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder with that ending, in order; none when there is no such folder.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root().join(folder)) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == ending)).collect();
    files.sort();
    files
}

/// The path inside the repository and the text of a file.
fn read(path: &Path) -> (String, String) {
    let shown = path.strip_prefix(root()).unwrap().display().to_string();
    (shown, std::fs::read_to_string(path).unwrap())
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// A template has a subject when its front matter says so.
fn has_subject(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("---\n") else { return false };
    let head = rest.split_once("\n---").map_or("", |(head, _)| head);
    head.lines().any(|line| line.starts_with("subject:"))
}

fn templates() -> BTreeMap<String, TemplateInfo> {
    let paths = files("templates", "hbs");
    let info = |path: &PathBuf| TemplateInfo {
        has_subject: has_subject(&read(path).1),
        ..TemplateInfo::default()
    };
    paths.iter().map(|path| (stem(path), info(path))).collect()
}

fn known() -> Known {
    Known {
        applied: false,
        calendars: Some(CALENDARS.map(|name| (name.to_owned(), [true; 7])).into()),
        profiles: files("profiles", "yaml")
            .iter()
            .map(|path| (stem(path), BTreeSet::new()))
            .collect(),
        cadences: files("cadences", "yaml").iter().map(|path| stem(path)).collect(),
        roles: None,
        templates: templates(),
    }
}

/// Reads every file of a folder; what is wrong with any of them fails the test.
fn all<T>(
    folder: &str,
    parse: impl Fn(&str, &str) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>>,
) -> Vec<T> {
    let paths = files(folder, "yaml");
    if paths.is_empty() {
        println!("there is no {folder}/*.yaml, so nothing was checked");
    }
    let mut wrong = Vec::new();
    let mut read_well = Vec::new();
    for path in paths {
        let (shown, text) = read(&path);
        match parse(&shown, &text) {
            Ok((value, _)) => read_well.push(value),
            Err(findings) => wrong.extend(findings.iter().map(ToString::to_string)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    read_well
}

#[test]
fn every_shipped_cadence_is_read_without_an_error() {
    let known = known();
    let cadences: Vec<Cadence> =
        all("cadences", |path, text| cadence_file::parse(path, text, &known));
    let ids: BTreeSet<_> = cadences.iter().map(|cadence| &cadence.id).collect();
    assert_eq!(ids.len(), files("cadences", "yaml").len());
}

#[test]
fn every_shipped_profile_is_read_without_an_error() {
    let profiles: Vec<Profile> = all("profiles", profile_file::parse);
    let ids: BTreeSet<_> = profiles.iter().map(|profile| &profile.id).collect();
    assert_eq!(ids.len(), files("profiles", "yaml").len());
}
