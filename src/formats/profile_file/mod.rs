//! `profile/v1`: a buyer profile from its file, with everything that is wrong with it.

use crate::formats::rules::Rule;
use std::collections::BTreeMap;

use crate::domain::ids::ProfileId;
use crate::domain::profile::{Profile, ScoreLine};

use super::cadence_file::condition::{Scope, conditions, fields};
use super::diagnostic::Diagnostic;
use super::language::{MAX_POINTS, PROFILE, SCORE_LINE};
use super::yaml::reading::{Findings, Map, entries, is_slug, items, number, shortened, slug, text};
use super::yaml::{At, Entry, Node, parse as parse_yaml};

mod criteria;
pub mod range;

#[cfg(test)]
mod tests;

/// Reads a buyer profile. `path` is relative to the workspace; its file name must be the `id`.
/// With the profile come the warnings.
///
/// # Errors
/// Everything that is wrong with the file, warnings included, in the order of the file.
pub fn parse(path: &str, text: &str) -> Result<(Profile, Vec<Diagnostic>), Vec<Diagnostic>> {
    let root = parse_yaml(path, text).map_err(|not_yaml| vec![not_yaml])?;
    let mut findings = Findings::new(path);
    let profile = profile(&root, &mut findings);
    findings.conclude(profile)
}

fn profile(root: &At<Node>, findings: &mut Findings<'_>) -> Option<Profile> {
    let map = Map::open(root, &PROFILE, findings)?;
    map.check_format("profile/v1", findings);
    let id = map.file_id(findings);
    let title = map.need("title", findings);
    let title = title.and_then(|node| text(node, "`title`", findings));
    let about = map.get("about").and_then(|node| text(node, "`about`", findings));
    let criteria = map.need("match", findings);
    let criteria = criteria.map(|node| criteria::criteria(node, findings));
    let require = map.get("require").map(|node| fields(node, "`require`", findings));
    let prefer = map.get("prefer").map(|node| fields(node, "`prefer`", findings));
    let score = map.get("score").map(|node| score(node, findings));
    let say = map.get("say").map(|node| say(node, findings));
    let language = map.get("language").and_then(|node| language(node, findings));
    Some(Profile {
        id: ProfileId(id?.value),
        title: title?.value,
        about: about.map_or_else(String::new, |about| about.value),
        criteria: criteria?,
        require: require.unwrap_or_default(),
        prefer: prefer.unwrap_or_default(),
        score: score.unwrap_or_default(),
        say: say.unwrap_or_default(),
        language,
    })
}

fn score(node: &At<Node>, findings: &mut Findings<'_>) -> Vec<ScoreLine> {
    let lines = items(node, "`score`", findings).unwrap_or(&[]);
    lines.iter().filter_map(|line| score_line(line, findings)).collect()
}

fn score_line(node: &At<Node>, findings: &mut Findings<'_>) -> Option<ScoreLine> {
    let map = Map::open(node, &SCORE_LINE, findings)?;
    let add = map.need("add", findings);
    let add = add.and_then(|node| number(node, "`add`", (-MAX_POINTS, MAX_POINTS), findings));
    let when = map.need("if", findings);
    let when = when.map(|node| conditions(node, "`if`", Scope::Person, findings));
    Some(ScoreLine { add: add?, when: when? })
}

fn say(node: &At<Node>, findings: &mut Findings<'_>) -> BTreeMap<String, String> {
    let lines = entries(node, "`say`", findings).unwrap_or(&[]);
    lines.iter().filter_map(|line| say_line(line, findings)).collect()
}

fn say_line(line: &Entry, findings: &mut Findings<'_>) -> Option<(String, String)> {
    let key = &line.key.value;
    if !is_slug(key) {
        let message = format!("`{}` cannot be named in a template", shortened(key));
        let hint = "use lower-case letters, digits, - and _";
        findings.error_with_hint(Rule::C004, line.key.place(), message, hint);
    }
    let said = text(&line.value, &format!("what `say.{}` says", shortened(key)), findings)?;
    Some((key.clone(), said.value))
}

fn language(node: &At<Node>, findings: &mut Findings<'_>) -> Option<String> {
    criteria::warn_of_false(node, findings);
    slug(node, "the language", findings).map(|tag| tag.value)
}
