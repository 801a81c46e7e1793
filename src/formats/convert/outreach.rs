//! Outreach: `GET /api/v2/sequences/{id}?include=sequenceSteps.sequenceTemplates.template`, in JSON:API.

use serde_json::Value;

use crate::domain::cadence::{DayKind, SocialAct, When};
use crate::domain::time::{Delay, Unit};

use super::draft::{Draft, DraftStep, DraftWhat, Mail, Sending, changed, lost};
use super::json::Placed;
use super::{ConvertError, Product, Remark};

const DAY_S: u64 = 86_400;

pub(super) fn read(root: &Value, remarks: &mut Vec<Remark>) -> Result<Draft, ConvertError> {
    let root = Placed::root(root);
    let all = resources(&root);
    let sequences: Vec<_> = all.iter().filter(|one| is_a(one, "sequence")).collect();
    let [sequence] = sequences.as_slice() else {
        let count = sequences.len();
        let why = format!("it has {count} sequences, and one is converted at a time");
        return Err(ConvertError::Shape {
            path: root.path,
            product: Product::Outreach.name(),
            why,
        });
    };
    let mut steps: Vec<_> = all.iter().filter(|one| is_a(one, "sequenceStep")).collect();
    if steps.is_empty() {
        let why = "there are no `sequenceStep`s under `included`; ask for them with \
                   `include=sequenceSteps.sequenceTemplates.template`";
        let (path, product, why) = (root.path, Product::Outreach.name(), why.to_owned());
        return Err(ConvertError::Shape { path, product, why });
    }
    steps.sort_by_key(|step| attribute(step).and_then(|a| a.number("order")).unwrap_or(u32::MAX));
    let attributes = attribute(sequence).unwrap_or_else(|| (*sequence).clone());
    read_attributes(&attributes, remarks);
    let days = match attributes.text("scheduleIntervalType") {
        Some("schedule") => DayKind::Business,
        _ => DayKind::Calendar,
    };
    let clock = clock(&steps, days, &attributes, remarks);
    let mut drafts = Vec::new();
    for step in steps {
        drafts.push(read_step(step, &all, drafts.is_empty(), clock, remarks));
    }
    Ok(Draft {
        name: attributes.text("name").unwrap_or("outreach-sequence").to_owned(),
        about: attributes.text("description").map(str::to_owned),
        days,
        new_per_rep_per_day: attributes.number("throttleMaxAddsPerDay").filter(|most| *most > 0),
        steps: drafts,
        path: attributes.path,
    })
}

/// Everything under `data` and `included`.
fn resources<'a>(root: &Placed<'a>) -> Vec<Placed<'a>> {
    let data = root.get("data");
    let one = data.iter().filter(|data| data.value.is_object()).cloned();
    let many = data.iter().flat_map(Placed::elements);
    one.chain(many).chain(root.items("included")).collect()
}

fn is_a(resource: &Placed<'_>, kind: &str) -> bool {
    resource.text("type") == Some(kind)
}

fn attribute<'a>(resource: &Placed<'a>) -> Option<Placed<'a>> {
    resource.get("attributes")
}

/// Whether a resource belongs to another one, by the id in its relationships.
fn relates(resource: &Placed<'_>, to: &str, id: Option<&String>) -> bool {
    let data = resource.get("relationships").and_then(|all| all.get(to)?.get("data"));
    id.is_some() && data.and_then(|data| data.id("id")).as_ref() == id
}

fn read_attributes(sequence: &Placed<'_>, remarks: &mut Vec<Remark>) {
    let place = |key: &str| format!("{}.{key}", sequence.path);
    if sequence.text("sequenceType") == Some("date") {
        let message = "steps on dates; each waits for no time behind the one above: set them";
        lost(remarks, &place("sequenceType"), message);
    }
    if sequence.flag("finishOnReply") == Some(false) {
        let message = "a reply always ends a cadence here; that cannot be turned off";
        lost(remarks, &place("finishOnReply"), message);
    }
    if sequence.flag("transactional") == Some(true) {
        lost(remarks, &place("transactional"), "an opt-out holds for every mail here");
    }
    if sequence.items("tags").iter().any(|tag| tag.value.is_string()) {
        lost(remarks, &place("tags"), "a cadence has no tags");
    }
}

/// How an interval is counted.
#[derive(Clone, Copy)]
struct Clock {
    seconds: u64,
    days: DayKind,
}

/// The reference says that intervals are seconds, and the guide of the same interface shows minutes. In
/// seconds a whole sequence takes at least a day.
fn clock(
    steps: &[&Placed<'_>],
    days: DayKind,
    sequence: &Placed<'_>,
    remarks: &mut Vec<Remark>,
) -> Clock {
    let intervals = steps.iter().filter_map(|step| attribute(step)?.number("interval"));
    let sum: u64 = intervals.map(u64::from).sum();
    if sum == 0 {
        return Clock { seconds: 1, days };
    }
    let (seconds, word) = if sum >= DAY_S { (1, "seconds") } else { (60, "minutes") };
    let message = format!("the intervals of the steps were read as {word}: look at the waits");
    changed(remarks, &sequence.path, message);
    Clock { seconds, days }
}

fn read_step(
    step: &Placed<'_>,
    all: &[Placed<'_>],
    is_first: bool,
    clock: Clock,
    remarks: &mut Vec<Remark>,
) -> DraftStep {
    let attributes = attribute(step).unwrap_or_else(|| step.clone());
    let interval = attributes.number("interval").unwrap_or(0);
    let when = match is_first && interval == 0 {
        true => When::Day(1),
        false => When::After(delay(interval, clock)),
    };
    if attributes.number("taskAutoskipDelay").is_some_and(|delay| delay > 0) {
        let path = format!("{}.taskAutoskipDelay", attributes.path);
        changed(
            remarks,
            &path,
            "tasks expire after 3 business days; `expires_after` says otherwise",
        );
    }
    let notes = attributes.text("taskNote").map(str::to_owned);
    let social = |act| DraftWhat::Social { act, notes: notes.clone() };
    let what = match attributes.text("stepType") {
        Some("auto_email") => email(step, all, Sending::Automatic, remarks),
        Some("manual_email") => email(step, all, Sending::ByHand, remarks),
        Some("call") => DraftWhat::Call { notes },
        Some("task") => DraftWhat::Task { notes },
        Some("linkedin_send_connection_request") => social(SocialAct::Connect),
        Some("linkedin_send_message") => social(SocialAct::Message),
        Some("linkedin_view_profile") => social(SocialAct::View),
        Some("linkedin_interact_with_post") => social(SocialAct::Comment),
        other => {
            let kind = other.unwrap_or("none").to_owned();
            changed(remarks, &step.path, format!("a step of the kind `{kind}` became a task"));
            DraftWhat::Task { notes }
        }
    };
    let name = attributes.text("displayName").map(str::to_owned);
    DraftStep { path: step.path.clone(), name, when, what }
}

fn delay(interval: u32, clock: Clock) -> Delay {
    let seconds = u64::from(interval) * clock.seconds;
    let count = |unit: u64| u32::try_from(seconds / unit).unwrap_or(u32::MAX);
    match seconds {
        s if s >= DAY_S && s.is_multiple_of(DAY_S) => clock.days.delay(count(DAY_S).min(3_600)),
        s if s >= 3_600 && s.is_multiple_of(3_600) => {
            Delay::new(count(3_600).min(80_000), Unit::Hours)
        }
        s => Delay::new(
            u32::try_from(s.div_ceil(60)).unwrap_or(u32::MAX).min(5_000_000),
            Unit::Minutes,
        ),
    }
}

fn email(
    step: &Placed<'_>,
    all: &[Placed<'_>],
    sending: Sending,
    remarks: &mut Vec<Remark>,
) -> DraftWhat {
    let id = step.id("id");
    let joins = all.iter().filter(|one| is_a(one, "sequenceTemplate"));
    let joins: Vec<_> = joins.filter(|one| relates(one, "sequenceStep", id.as_ref())).collect();
    let flag = |join: &Placed<'_>, key| attribute(join).and_then(|a| a.flag(key));
    let reply = joins.first().is_some_and(|join| flag(join, "isReply") == Some(true));
    let mut variants = Vec::new();
    for join in joins {
        if flag(join, "enabled") == Some(false) {
            lost(remarks, &join.path, "the template is not enabled for its step");
            continue;
        }
        let data = join.get("relationships").and_then(|all| all.get("template")?.get("data"));
        let id = data.and_then(|data| data.id("id"));
        let template = all.iter().find(|one| is_a(one, "template") && one.id("id") == id);
        let Some(attributes) = template.and_then(attribute) else {
            lost(remarks, &join.path, "the template is not in the export");
            continue;
        };
        let body = attributes.text("bodyHtml").or_else(|| attributes.text("bodyText"));
        let subject = attributes.text("subject").map(str::to_owned);
        let body = body.unwrap_or_default().to_owned();
        variants.push(Mail { path: attributes.path, subject, body });
    }
    DraftWhat::Email { variants, reply, sending }
}
