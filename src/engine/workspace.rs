//! The files that a team reviews: cadences and their tests, profiles, templates; checked together, or not used at all.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::domain::cadence::{Cadence, Content, Verb, What};
use crate::domain::profile::Profile;
use crate::domain::test_case::TestFile;
use crate::formats::cadence_file::{self, Known, TemplateInfo, WorkingDays};
use crate::formats::diagnostic::{Diagnostic, Severity};
use crate::formats::profile_file;
use crate::formats::rules::Rule;
use crate::formats::template::{ExtraFields, Source, TemplateSet};
use crate::formats::test_file::{self, is_test};

mod across;
mod circles;

/// The texts of a workspace by path (`cadences/x.yaml`), as a reader of folders finds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    pub texts: BTreeMap<String, String>,
}

/// A workspace in which nothing is wrong.
#[derive(Debug, Clone)]
pub struct Workspace {
    pub cadences: Vec<CadenceFile>,
    pub profiles: Vec<ProfileFile>,
    pub templates: TemplateSet,
    /// By path.
    pub tests: Vec<TestFile>,
}

/// One cadence with everything that it needs.
#[derive(Debug, Clone)]
pub struct CadenceFile {
    pub cadence: Cadence,
    /// Of the cadence and every template and partial that it uses.
    pub digest: String,
    pub files: BTreeMap<String, String>,
}

/// One buyer profile.
#[derive(Debug, Clone)]
pub struct ProfileFile {
    pub profile: Profile,
    pub digest: String,
    pub path: String,
    pub text: String,
}

/// Checks a whole workspace for use. The findings hold errors, warnings and notes; the workspace is
/// there only when there is no error.
pub fn check(files: &Files, calendars: &BTreeSet<String>) -> (Option<Workspace>, Vec<Diagnostic>) {
    let calendars = calendars.iter().map(|name| (name.clone(), [true; 7])).collect();
    examine(files, Some(calendars))
}

/// [`check`] as an author asks for it: with the days on which each calendar works, or without any
/// calendar when the settings cannot be read.
pub fn examine(
    files: &Files,
    calendars: Option<BTreeMap<String, WorkingDays>>,
) -> (Option<Workspace>, Vec<Diagnostic>) {
    examine_for(files, calendars, None)
}

/// [`examine`] with the roles that somebody of the team holds; `None` when nobody knows.
pub fn examine_for(
    files: &Files,
    calendars: Option<BTreeMap<String, WorkingDays>>,
    roles: Option<BTreeSet<String>>,
) -> (Option<Workspace>, Vec<Diagnostic>) {
    let mut findings = Vec::new();
    let profiles = profiles(files, &mut findings);
    let templates = match TemplateSet::load(&template_sources(files), ExtraFields::Any) {
        Ok((templates, warnings)) => {
            findings.extend(warnings);
            Some(templates)
        }
        Err(errors) => {
            findings.extend(errors);
            None
        }
    };
    let known = Known {
        calendars,
        applied: false,
        profiles: required_fields(files, &profiles),
        cadences: cadence_ids(files),
        roles,
        templates: template_names(files, templates.as_ref()),
    };
    let cadences = cadences(files, &known, &mut findings);
    findings.extend(circles::circles(&cadences));
    findings.extend(circles::into_companies(&cadences));
    let tests = tests(files, &cadences, &mut findings);
    if let Some(templates) = &templates {
        let is_whole = findings.iter().all(|finding| finding.severity < Severity::Error);
        findings.extend(across::unfit(&cadences, &profiles, templates));
        if is_whole {
            // What a broken file uses is not known.
            findings.extend(across::unused(files, &cadences, &profiles, templates));
        }
    }
    findings.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
    let is_clean = findings.iter().all(|finding| finding.severity < Severity::Error);
    let workspace = templates.filter(|_| is_clean);
    let workspace = workspace.map(|templates| Workspace { cadences, profiles, templates, tests });
    (workspace, findings)
}

impl Files {
    /// The files of one folder, in the order of their paths.
    pub fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        all.filter(move |(path, _)| path.starts_with(folder))
    }
}

/// The fields that each profile requires; none are known of one that cannot be read.
fn required_fields(files: &Files, profiles: &[ProfileFile]) -> BTreeMap<String, BTreeSet<String>> {
    let unread = files.under("profiles/").map(|(path, _)| (stem(path).to_owned(), BTreeSet::new()));
    let read = profiles.iter().map(|file| &file.profile);
    let read = read.map(|p| (p.id.to_string(), p.require.iter().cloned().collect()));
    unread.chain(read).collect()
}

fn profiles(files: &Files, findings: &mut Vec<Diagnostic>) -> Vec<ProfileFile> {
    let mut profiles = Vec::new();
    for (path, text) in files.under("profiles/") {
        match profile_file::parse(path, text) {
            Ok((profile, warnings)) => {
                findings.extend(warnings);
                let (path, text) = (path.to_owned(), text.to_owned());
                profiles.push(ProfileFile { profile, digest: digest([&text]), path, text });
            }
            Err(errors) => findings.extend(errors),
        }
    }
    profiles
}

fn cadences(files: &Files, known: &Known, findings: &mut Vec<Diagnostic>) -> Vec<CadenceFile> {
    let mut cadences = Vec::new();
    for (path, text) in files.under("cadences/").filter(|(path, _)| !is_test(path)) {
        match cadence_file::parse(path, text, known) {
            Ok((cadence, warnings)) => {
                findings.extend(warnings);
                let files = bundle(files, path, text, &cadence);
                let digest = digest(files.iter().flat_map(|(path, text)| [path, text]));
                cadences.push(CadenceFile { cadence, digest, files });
            }
            Err(errors) => findings.extend(errors),
        }
    }
    cadences
}

fn tests(files: &Files, cadences: &[CadenceFile], findings: &mut Vec<Diagnostic>) -> Vec<TestFile> {
    let cadences = cadences.iter().map(|file| (file.cadence.id.as_str(), &file.cadence));
    let known = test_file::Known { ids: cadence_ids(files), cadences: cadences.collect() };
    let mut tests = Vec::new();
    for (path, text) in files.under("cadences/").filter(|(path, _)| is_test(path)) {
        match test_file::parse(path, text, &known) {
            Ok((file, warnings)) => {
                findings.extend(warnings);
                tests.push(file);
            }
            Err(errors) => findings.extend(errors),
        }
    }
    tests
}

/// The ids of all cadences, also of those that cannot be read.
fn cadence_ids(files: &Files) -> BTreeSet<String> {
    let all = files.under("cadences/").filter(|(path, _)| !is_test(path));
    all.map(|(path, _)| stem(path).to_owned()).collect()
}

/// A cadence with the templates that it names and every partial.
fn bundle(files: &Files, path: &str, text: &str, cadence: &Cadence) -> BTreeMap<String, String> {
    let used = templates_in(cadence);
    let template = |(path, _): &(&str, &str)| {
        let name = template_name(path);
        name.starts_with("partials/") || used.contains(name)
    };
    let templates = files.under("templates/").filter(template);
    let templates = templates.map(|(path, text)| (path.to_owned(), text.to_owned()));
    templates.chain([(path.to_owned(), text.to_owned())]).collect()
}

/// Every template that a cadence names: of its steps, and of the hand-offs that its verbs make.
pub fn templates_in(cadence: &Cadence) -> BTreeSet<String> {
    let of_steps = cadence.steps.iter().flat_map(|step| templates_of(&step.what));
    let briefs = cadence.verbs().filter_map(|verb| match verb {
        Verb::HandOff(hand_off) => hand_off.brief.clone(),
        Verb::Continue
        | Verb::Triage
        | Verb::Stop
        | Verb::Retry { .. }
        | Verb::Pause(_)
        | Verb::SwitchTo { .. } => None,
    });
    of_steps.chain(briefs).collect()
}

/// Every template, script and note that a step names.
pub fn templates_of(what: &What) -> Vec<String> {
    match what {
        What::Email { content: Content::Template(name), .. } => vec![name.clone()],
        What::Email { content: Content::Split(names), .. } => {
            names.iter().map(|(name, _)| name.clone()).collect()
        }
        What::Call { script, voicemail } => {
            std::iter::once(script.clone()).chain(voicemail.clone()).collect()
        }
        What::Social { text, .. } => text.iter().cloned().collect(),
        What::Task { notes, .. } => notes.iter().cloned().collect(),
        What::HandOff(hand_off) => hand_off.brief.iter().cloned().collect(),
    }
}

fn template_sources(files: &Files) -> Vec<Source> {
    let source = |(path, text): (&str, &str)| Source {
        name: template_name(path).to_owned(),
        path: path.to_owned(),
        text: text.to_owned(),
    };
    files.under("templates/").map(source).collect()
}

/// When the templates themselves are broken, their names still serve to check the cadences.
fn template_names(files: &Files, set: Option<&TemplateSet>) -> BTreeMap<String, TemplateInfo> {
    let names = files.under("templates/").map(|(path, text)| (template_name(path), text));
    let names = names.filter(|(name, _)| !name.starts_with("partials/"));
    let info = |name: &str, text: &str| {
        let loaded = set.and_then(|set| set.get(name));
        let has_subject = loaded.map(|template| template.has_subject);
        TemplateInfo {
            has_subject: has_subject.unwrap_or_else(|| text.contains("\nsubject:")),
            least_characters: loaded.map_or(0, |template| template.least_characters),
        }
    };
    names.map(|(name, text)| (name.to_owned(), info(name, text))).collect()
}

fn template_name(path: &str) -> &str {
    path.trim_start_matches("templates/").trim_end_matches(".hbs")
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".yaml").unwrap_or(name)
}

/// The content's name: SHA-256 over lengths and texts, in hexadecimal, 16 digits.
pub fn digest<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hex(&hash.finalize()[..8])
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A version as it was applied, ready to run: the cadence and its templates.
#[derive(Debug, Clone)]
pub struct Version {
    pub cadence: Cadence,
    pub templates: TemplateSet,
}

/// Makes a stored bundle run again. A bundle was checked when it was applied, so findings here mean
/// that this program reads the language differently.
pub fn restore(files: &BTreeMap<String, String>) -> Result<Version, Vec<Diagnostic>> {
    let files = Files { texts: files.clone() };
    let (templates, _) = TemplateSet::load(&template_sources(&files), ExtraFields::Any)?;
    let Some((path, text)) = files.under("cadences/").next() else {
        let missing = "the stored version holds no cadence".to_owned();
        return Err(vec![Diagnostic::error(Rule::C003, "cadences/", (0, 0), missing)]);
    };
    let names = template_names(&files, Some(&templates));
    let known = Known { applied: true, templates: names, ..Known::default() };
    let (cadence, _) = cadence_file::parse(path, text, &known)?;
    Ok(Version { cadence, templates })
}
