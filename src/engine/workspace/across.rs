//! What only shows across files: what nothing uses, and what one file leaves out that another needs.

use std::collections::BTreeSet;

use crate::domain::cadence::Admission;
use crate::formats::diagnostic::Diagnostic;
use crate::formats::rules::Rule;
use crate::formats::template::TemplateSet;

use super::{CadenceFile, Files, ProfileFile, template_name, templates_of};

/// Everything that is found across files in which nothing is wrong by itself.
pub(super) fn findings(
    files: &Files,
    cadences: &[CadenceFile],
    profiles: &[ProfileFile],
    templates: &TemplateSet,
) -> Vec<Diagnostic> {
    let mut found = unused_profiles(cadences, profiles);
    found.extend(unused_templates(files, cadences, templates));
    found.extend(unsaid(cadences, profiles, templates));
    found
}

/// Profiles by which no cadence lets anybody in (C109).
fn unused_profiles(cadences: &[CadenceFile], profiles: &[ProfileFile]) -> Vec<Diagnostic> {
    let lets_in = |file: &ProfileFile, cadence: &CadenceFile| match &cadence.cadence.profiles {
        // Whoever fits a profile is spoken to in its words here, too.
        Admission::Anybody => true,
        Admission::OneOf(ids) => ids.contains(&file.profile.id),
    };
    let unused = profiles.iter().filter(|file| !cadences.iter().any(|c| lets_in(file, c)));
    let note = |file: &ProfileFile| {
        let message = format!("no cadence lets anybody in by the profile `{}`", file.profile.id);
        Diagnostic::note(Rule::C109, &file.path, (0, 0), message)
    };
    unused.map(note).collect()
}

/// Templates that no step names, and partials that no template in use includes (C504).
fn unused_templates(
    files: &Files,
    cadences: &[CadenceFile],
    templates: &TemplateSet,
) -> Vec<Diagnostic> {
    let steps = cadences.iter().flat_map(|file| &file.cadence.steps);
    let named: BTreeSet<String> = steps.flat_map(|step| templates_of(&step.what)).collect();
    let all = templates.names().filter_map(|name| templates.get(name));
    let included: BTreeSet<&String> = all.flat_map(|template| &template.partials).collect();
    let note = |(path, _): (&str, &str)| {
        let name = template_name(path);
        let message = match name.strip_prefix("partials/") {
            Some(partial) if included.contains(&partial.to_owned()) => return None,
            Some(partial) => format!("no template includes the partial `{partial}`"),
            None if named.contains(name) => return None,
            None => format!("no step uses the template `{name}`"),
        };
        Some(Diagnostic::note(Rule::C504, path, (0, 0), message))
    };
    files.under("templates/").filter_map(note).collect()
}

/// Gaps in templates that a profile of their cadence says nothing for (C505), each once.
fn unsaid(
    cadences: &[CadenceFile],
    profiles: &[ProfileFile],
    templates: &TemplateSet,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for file in cadences {
        let Admission::OneOf(ids) = &file.cadence.profiles else { continue };
        let admitted: Vec<&ProfileFile> =
            profiles.iter().filter(|profile| ids.contains(&profile.profile.id)).collect();
        let names = file.cadence.steps.iter().flat_map(|step| templates_of(&step.what));
        for template in names.collect::<BTreeSet<_>>().iter().filter_map(|name| templates.get(name))
        {
            for (gap, place) in &template.gaps {
                let Some(key) = gap.strip_prefix("profile.say.") else { continue };
                let silent = admitted.iter().filter(|file| !file.profile.say.contains_key(key));
                let silent = silent.map(|file| unsaid_finding(&template.path, key, *place, file));
                found.extend(silent);
            }
        }
    }
    found.sort_by(|a, b| {
        (&a.path, a.line, a.column, &a.message).cmp(&(&b.path, b.line, b.column, &b.message))
    });
    found.dedup();
    found
}

fn unsaid_finding(
    path: &str,
    key: &str,
    place: (usize, usize),
    profile: &ProfileFile,
) -> Diagnostic {
    let message = format!(
        "the profile `{}` says no `{key}`, so its people would not get this",
        profile.profile.id
    );
    let hint = format!(
        "add `{key}:` under `say:` in {}, or write {{{{default profile.say.{key} \"…\"}}}}",
        profile.path
    );
    Diagnostic::warning(Rule::C505, path, place, message).with_hint(hint)
}
