//! `unit`, `roles` and `to`: an enrollment that covers a company, and for whom each of its steps is.

use std::collections::BTreeSet;

use crate::domain::cadence::{Admission, Channel, Covers, What};
use crate::domain::ids::{BuyerRole, ProfileId};
use crate::formats::language::{MAX_ROLES, UNITS, UnitWord};
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{
    Findings, Map, Place, entries, is_slug, shortened, slug, texts, word,
};
use crate::formats::yaml::{At, Entry, Node};

use super::Reader;

/// Whom a step can be for.
pub(super) enum ForWhom {
    OnePerson,
    Account(Roles),
    /// The file is wrong about it; that is told, and nothing that would follow from it.
    Unclear,
}

/// The roles of an account, while its steps are read.
pub(super) struct Roles {
    names: Vec<At<String>>,
    /// Those that a step is for.
    used: BTreeSet<String>,
    /// For whom a step is could not be read, so nobody knows which roles are idle.
    is_unsure: bool,
}

impl Roles {
    fn known(&self) -> impl Iterator<Item = &str> + Clone {
        self.names.iter().map(|name| name.value.as_str())
    }
}

/// What one enrollment covers; `None` when the file does not say it well.
pub(super) fn covers(
    map: &Map<'_>,
    admission: Option<&Admission>,
    reader: &mut Reader<'_>,
) -> Option<Covers> {
    let unit = unit_word(map, &mut reader.findings);
    reader.for_whom = ForWhom::Unclear;
    match (unit?, map.get("roles")) {
        (UnitWord::Prospect, None) => {
            reader.for_whom = ForWhom::OnePerson;
            Some(Covers::Prospect)
        }
        (UnitWord::Prospect, Some(node)) => {
            let hint = "write `unit: company` above it, or take `roles` out";
            let message = "`roles` is for a cadence with `unit: company`";
            reader.findings.error_with_hint(Rule::C113, node.place(), message, hint);
            None
        }
        (UnitWord::Company, Some(node)) => roles(node, admission, reader),
        (UnitWord::Company, None) => {
            if let Some(unit) = map.get("unit")
                && !map.has("roles")
                && !map.is_meant(&["roles"])
            {
                let hint = "write `roles: { champion: a-profile }`: who is written to, each with \
                            the profile by which the person is found";
                let message = "`unit: company` needs `roles`";
                reader.findings.error_with_hint(Rule::C113, unit.place(), message, hint);
            }
            None
        }
    }
}

fn unit_word(map: &Map<'_>, findings: &mut Findings<'_>) -> Option<UnitWord> {
    match map.get("unit") {
        Some(node) => word(node, "`unit`", &UNITS, findings),
        None if map.has("unit") || map.is_meant(&["unit"]) => None,
        None => Some(UnitWord::Prospect),
    }
}

/// `roles`, and with it what the steps may be for.
fn roles(
    node: &At<Node>,
    admission: Option<&Admission>,
    reader: &mut Reader<'_>,
) -> Option<Covers> {
    let lines = entries(node, "`roles`", &mut reader.findings)?;
    if lines.is_empty() || lines.len() > MAX_ROLES {
        let message = format!("an account has 1 to {MAX_ROLES} roles, not {}", lines.len());
        reader.findings.error(Rule::C004, node.place(), message);
        return None;
    }
    let names = lines.iter().map(|line| line.key.clone()).collect();
    reader.for_whom = ForWhom::Account(Roles { names, used: BTreeSet::new(), is_unsure: false });
    let read: Vec<Option<(BuyerRole, ProfileId)>> =
        lines.iter().map(|line| role(line, admission, reader)).collect();
    let roles: Option<Vec<_>> = read.into_iter().collect();
    let roles = roles?;
    let is_known = |id: &ProfileId| reader.known.profiles.contains_key(id.as_str());
    // A name that is wrong was probably meant to be one of those.
    if roles.iter().all(|(_, profile)| is_known(profile)) {
        without_role(node.place(), &roles, admission, &mut reader.findings);
    }
    Some(Covers::Company { roles })
}

fn role(
    line: &Entry,
    admission: Option<&Admission>,
    reader: &mut Reader<'_>,
) -> Option<(BuyerRole, ProfileId)> {
    let name = &line.key.value;
    let is_name = is_slug(name);
    if !is_name {
        let message = format!("the role `{}` is not a name", shortened(name));
        let hint = "use lower-case letters, digits, - and _, at most 64 of them";
        reader.findings.error_with_hint(Rule::C004, line.key.place(), message, hint);
    }
    let profile = slug(&line.value, "the profile", &mut reader.findings)?;
    check_profile(name, &profile, admission, reader);
    is_name.then(|| (BuyerRole(name.clone()), ProfileId(profile.value)))
}

/// Notes a profile that there is not (C108), and one by which nobody may come in (C114).
fn check_profile(
    role: &str,
    profile: &At<String>,
    admission: Option<&Admission>,
    reader: &mut Reader<'_>,
) {
    let id = &profile.value;
    let known = &reader.known.profiles;
    if !reader.known.applied && !known.contains_key(id) {
        let message = format!("there is no profile `{}`", shortened(id));
        let known = known.keys().map(String::as_str);
        return reader.findings.unknown(Rule::C108, profile.place(), &message, id, known);
    }
    let Some(Admission::OneOf(let_in)) = admission else { return };
    if !let_in.iter().any(|other| other.as_str() == id) {
        let message = format!(
            "`{}` is found by the profile `{id}`, but `enroll.profiles` does not let it in",
            shortened(role)
        );
        let hint = format!("add `{id}` to `enroll.profiles`");
        reader.findings.error_with_hint(Rule::C114, profile.place(), message, hint);
    }
}

/// Notes profiles that are let in, but by which nobody is found (C114).
fn without_role(
    place: Place,
    roles: &[(BuyerRole, ProfileId)],
    admission: Option<&Admission>,
    findings: &mut Findings<'_>,
) {
    let Some(Admission::OneOf(let_in)) = admission else { return };
    for id in let_in.iter().filter(|id| roles.iter().all(|(_, profile)| profile != *id)) {
        let message = format!("`enroll.profiles` lets in `{id}`, but no role is found by it");
        let hint = "give it a role, or take it out of `enroll.profiles`";
        findings.warning(Rule::C114, place, message, hint);
    }
}

/// The roles that a step is for: `to`.
pub(super) fn to(map: &Map<'_>, reader: &mut Reader<'_>) -> Vec<BuyerRole> {
    let Some(node) = map.get("to") else { return Vec::new() };
    let findings = &mut reader.findings;
    let names = texts(node, "`to`", findings);
    let roles = match &mut reader.for_whom {
        ForWhom::OnePerson => {
            let message = "`to` is for a cadence with `unit: company`";
            let hint = "write `unit: company` and `roles` at the top of the file, or take `to` out";
            findings.error_with_hint(Rule::C113, node.place(), message, hint);
            return as_written(names);
        }
        ForWhom::Unclear => return as_written(names),
        ForWhom::Account(roles) => roles,
    };
    roles.is_unsure |= names.is_empty();
    let mut to: Vec<BuyerRole> = Vec::new();
    for name in names {
        if to.iter().any(|role| role.as_str() == name.value) {
            let message = format!("`to` names `{}` twice", shortened(&name.value));
            findings.error(Rule::C115, name.place(), message);
            roles.is_unsure = true;
            continue;
        }
        if let Some(role) = known_role(&name, roles, findings) {
            to.push(role);
        }
    }
    to
}

/// The names themselves, so that two steps for two of them are not taken for one person's.
fn as_written(names: Vec<At<String>>) -> Vec<BuyerRole> {
    names.into_iter().map(|name| BuyerRole(name.value)).collect()
}

fn known_role(
    name: &At<String>,
    roles: &mut Roles,
    findings: &mut Findings<'_>,
) -> Option<BuyerRole> {
    if roles.known().any(|known| known == name.value) {
        roles.used.insert(name.value.clone());
        return Some(BuyerRole(name.value.clone()));
    }
    let message = format!("there is no role `{}`", shortened(&name.value));
    findings.unknown(Rule::C115, name.place(), &message, &name.value, roles.known());
    roles.is_unsure = true;
    None
}

/// Notes a touch that does not say whom it touches (C117).
pub(super) fn check_to(map: &Map<'_>, id: &At<String>, what: &What, reader: &mut Reader<'_>) {
    let ForWhom::Account(roles) = &mut reader.for_whom else { return };
    let is_touch = what.channel() != Channel::Task;
    if !is_touch || map.has("to") {
        return;
    }
    roles.is_unsure = true;
    if map.is_meant(&["to"]) {
        return;
    }
    let known: Vec<&str> = roles.known().collect();
    let first = known.first().copied().unwrap_or_default();
    let message = format!("step `{}` touches somebody, but does not say whom", id.value);
    let hint = format!("say for whom: `to: [{first}]`; the roles are: {}", known.join(", "));
    reader.findings.error_with_hint(Rule::C117, id.place(), message, hint);
}

/// Notes the roles that no step is for (C116).
pub(super) fn idle_roles(reader: &mut Reader<'_>) {
    let ForWhom::Account(roles) = &reader.for_whom else { return };
    if roles.is_unsure {
        return;
    }
    for name in roles.names.iter().filter(|name| !roles.used.contains(&name.value)) {
        let message = format!("no step is for the role `{}`", shortened(&name.value));
        let hint = "its person would be in the account without being touched: take the role out, \
                    or write a step with it in `to`";
        reader.findings.warning(Rule::C116, name.place(), message, hint);
    }
}
