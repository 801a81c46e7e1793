//! What only shows across files: what nothing uses, and what one file leaves out that another needs.

use std::collections::BTreeSet;

use crate::domain::cadence::{Admission, Cadence, Covers};
use crate::domain::ids::{BuyerRole, ProfileId};
use crate::formats::diagnostic::Diagnostic;
use crate::formats::rules::Rule;
use crate::formats::template::{Template, TemplateSet};

use super::{CadenceFile, Files, ProfileFile, template_name, templates_in, templates_of};

/// What nothing uses, in files in which nothing is wrong.
pub(super) fn unused(
    files: &Files,
    cadences: &[CadenceFile],
    profiles: &[ProfileFile],
    templates: &TemplateSet,
) -> Vec<Diagnostic> {
    let mut found = unused_profiles(cadences, profiles);
    found.extend(unused_templates(files, cadences, templates));
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
    let named: BTreeSet<String> =
        cadences.iter().flat_map(|file| templates_in(&file.cadence)).collect();
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

/// Templates that do not suit a profile of their cadence, each told once.
pub(super) fn unfit(
    cadences: &[CadenceFile],
    profiles: &[ProfileFile],
    templates: &TemplateSet,
) -> Vec<Diagnostic> {
    let mut pairs = BTreeSet::new();
    for CadenceFile { cadence, .. } in cadences {
        match (&cadence.unit, &cadence.profiles) {
            (Covers::Company { .. }, _) => pairs.extend(pairs_of_account(cadence)),
            (Covers::Prospect, Admission::OneOf(ids)) => {
                let names = templates_in(cadence).into_iter();
                pairs.extend(names.flat_map(|name| ids.iter().map(move |id| (name.clone(), id))));
            }
            (Covers::Prospect, Admission::Anybody) => {}
        }
    }
    let mut found = Vec::new();
    for (name, id) in pairs {
        let profile = profiles.iter().find(|file| file.profile.id == *id);
        let Some((template, profile)) = templates.get(&name).zip(profile) else { continue };
        found.extend(unsaid(template, profile));
        found.extend(other_language(template, profile));
    }
    found
}

/// At an account the texts of a step are for the people of its roles.
fn pairs_of_account(cadence: &Cadence) -> impl Iterator<Item = (String, &ProfileId)> {
    cadence.steps.iter().flat_map(|step| {
        let is_for = |role: &BuyerRole| step.to.is_empty() || step.to.contains(role);
        let profiles = cadence.unit.roles().iter().filter(move |(role, _)| is_for(role));
        profiles
            .flat_map(|(_, id)| templates_of(&step.what).into_iter().map(move |name| (name, id)))
    })
}

/// Gaps of a template for which a profile says nothing (C505).
fn unsaid(template: &Template, profile: &ProfileFile) -> Vec<Diagnostic> {
    let gaps = template.gaps.iter();
    let gaps = gaps.filter_map(|(gap, place)| Some((gap.strip_prefix("profile.say.")?, place)));
    let silent = gaps.filter(|(key, _)| !profile.profile.say.contains_key(*key));
    let finding = |(key, place): (&str, &(usize, usize))| {
        let id = &profile.profile.id;
        let message =
            format!("the profile `{id}` says no `{key}`, so its people would not get this");
        let hint = format!(
            "add `{key}:` under `say:` in {}, or write {{{{default profile.say.{key} \"…\"}}}}",
            profile.path
        );
        Diagnostic::warning(Rule::C505, &template.path, *place, message).with_hint(hint)
    };
    silent.map(finding).collect()
}

/// A template in another language than a profile's (C506); `en` and `en-gb` are one.
fn other_language(template: &Template, profile: &ProfileFile) -> Option<Diagnostic> {
    let (written, spoken) = template.language.as_ref().zip(profile.profile.language.as_ref())?;
    let base = |tag: &str| tag.split(['-', '_']).next().unwrap_or(tag).to_ascii_lowercase();
    if base(written) == base(spoken) {
        return None;
    }
    let id = &profile.profile.id;
    let message =
        format!("this is written in `{written}`, but the profile `{id}` speaks `{spoken}`");
    let hint = "write a template for each language, and a cadence for each";
    Some(Diagnostic::warning(Rule::C506, &template.path, (0, 0), message).with_hint(hint))
}
