//! `cadence/v1`: a cadence from its file, with everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::cadence::{
    Admission, By, Cadence, Colleagues, Covers, DayKind, Outcome, Priority,
};
use crate::domain::ids::{CadenceId, ProfileId};
use crate::domain::time::{Delay, Unit};

use super::diagnostic::Diagnostic;
use super::language::CADENCE;
use super::yaml::reading::{Findings, Map, text};
use super::yaml::{At, Node, parse as parse_yaml};

mod account;
mod anchor;
pub mod changes;
pub mod condition;
mod head;
mod lint;
mod replies;
mod step;
mod touch;
mod verb;
pub mod write;

pub use touch::{FREE_NOTE, PAID_NOTE};

#[cfg(test)]
pub(in crate::formats) mod tests;

/// What else there is in the workspace: names that a cadence may refer to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// By name; `None` when the settings cannot be read, so that nobody knows.
    pub calendars: Option<BTreeMap<String, WorkingDays>>,
    /// By id, each with the fields that it requires.
    pub profiles: BTreeMap<String, BTreeSet<String>>,
    /// The file is a version that was applied before: its calendar and its profiles were checked then,
    /// and may have gone since.
    pub applied: bool,
    /// The ids of all cadences, this one included.
    pub cadences: BTreeSet<String>,
    /// The roles that somebody holds; `None` when nobody knows.
    pub roles: Option<BTreeSet<String>>,
    /// By name, without the `.hbs`.
    pub templates: BTreeMap<String, TemplateInfo>,
}

/// The days of the week on which a calendar works, Monday first.
pub type WorkingDays = [bool; 7];

/// What a cadence needs to know of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TemplateInfo {
    /// Whether the template can begin a thread.
    pub has_subject: bool,
    /// The characters that its text has in any case, before any value is filled in.
    pub least_characters: usize,
}

/// What is known while a file is being read.
struct Reader<'a> {
    findings: Findings<'a>,
    known: &'a Known,
    /// As the file says; `None` when it is silent.
    days: Option<DayKind>,
    /// Whom a step can be for.
    for_whom: account::ForWhom,
    defaults: Defaults,
    custom_outcomes: BTreeMap<Outcome, String>,
}

/// What a step does not need to repeat.
struct Defaults {
    by: By,
    expires_after: Delay,
    priority: Priority,
}

impl Default for Defaults {
    fn default() -> Self {
        let expires_after = Delay::new(3, Unit::BusinessDays);
        Self { by: By::Owner, expires_after, priority: Priority::Normal }
    }
}

/// Reads a cadence. `path` is relative to the workspace; its file name must be the `id`.
/// With the cadence come the warnings.
///
/// # Errors
/// Everything that is wrong with the file, warnings included, in the order of the file.
pub fn parse(
    path: &str,
    text: &str,
    known: &Known,
) -> Result<(Cadence, Vec<Diagnostic>), Vec<Diagnostic>> {
    let root = parse_yaml(path, text).map_err(|not_yaml| vec![not_yaml])?;
    let findings = Findings::new(path);
    let mut reader = Reader {
        findings,
        known,
        days: None,
        for_whom: account::ForWhom::Unclear,
        defaults: Defaults::default(),
        custom_outcomes: BTreeMap::new(),
    };
    let cadence = cadence(&root, &mut reader);
    reader.findings.conclude(cadence)
}

fn cadence(root: &At<Node>, reader: &mut Reader<'_>) -> Option<Cadence> {
    let map = Map::open(root, &CADENCE, &mut reader.findings)?;
    map.check_format("cadence/v1", &mut reader.findings);
    let id = map.file_id(&mut reader.findings);
    let title = map.need("title", &mut reader.findings);
    let title = title.and_then(|node| text(node, "`title`", &mut reader.findings));
    let about = map.get("about").and_then(|node| text(node, "`about`", &mut reader.findings));
    let enroll = head::enroll(&map, reader);
    let admission = enroll.as_ref().and_then(|enroll| enroll.profiles.as_ref());
    let unit = account::covers(&map, admission, reader);
    // Where the unit cannot be read, that is the error.
    let covers = unit.clone().unwrap_or(Covers::Prospect);
    head::check_when(enroll.as_ref(), &covers, reader);
    reader.days = head::days(&map, reader);
    reader.defaults = head::defaults(&map, reader);
    let calendar = head::calendar(&map, reader);
    let send_window = head::send_window(&map, reader);
    let limits = head::limits(&map, reader);
    reader.custom_outcomes = replies::custom_outcomes(&map, reader);
    let replies = replies::replies(&map, reader);
    let company = head::company(&map, Colleagues::usual(&covers, !replies.is_empty()), reader);
    let steps = step::steps(&map, reader);
    account::idle_roles(reader);
    let plan = lint::Plan {
        steps: &steps,
        days: reader.days.unwrap_or(DayKind::Business),
        touches_per_day: limits.touches_per_prospect_per_day,
        calendar: calendar.as_deref().and_then(|name| working_days(name, reader.known)),
        required: required(&covers, admission, reader.known),
        on_meeting: company.on_meeting,
    };
    lint::lint(&plan, &mut reader.findings);
    let at_end = verb::at_end(&map, reader);
    let enroll = enroll?;
    Some(Cadence {
        id: CadenceId(id?.value),
        title: title?.value,
        about: about.map_or_else(String::new, |about| about.value),
        unit: unit?,
        audience: enroll.audience?,
        profiles: enroll.profiles?,
        enroll_when: enroll.when?,
        again_after: enroll.again_after,
        days: reader.days.unwrap_or(DayKind::Business),
        calendar: calendar?,
        send_window: send_window?,
        limits,
        company,
        replies,
        custom_outcomes: std::mem::take(&mut reader.custom_outcomes),
        steps: steps.into_iter().map(|(step, _)| step).collect(),
        at_end: at_end?,
    })
}

fn working_days<'a>(calendar: &'a str, known: &Known) -> Option<(&'a str, WorkingDays)> {
    known.calendars.as_ref()?.get(calendar).map(|works| (calendar, *works))
}

/// What is known of whoever a step is for.
fn required(covers: &Covers, admission: Option<&Admission>, known: &Known) -> lint::Required {
    let of = |id: &ProfileId| known.profiles.get(id.as_str()).cloned().unwrap_or_default();
    match (covers, admission) {
        (Covers::Company { roles }, _) => {
            lint::Required::OfRoles(roles.iter().map(|(role, id)| (role.clone(), of(id))).collect())
        }
        (Covers::Prospect, Some(Admission::OneOf(ids))) => {
            lint::Required::OfAll(lint::common(ids.iter().map(of)))
        }
        (Covers::Prospect, Some(Admission::Anybody) | None) => {
            lint::Required::OfAll(BTreeSet::new())
        }
    }
}
