//! Salesloft: what `GET /v2/cadence_exports/{id}.json` gives, and what `POST /v2/cadence_imports.json` takes.

use serde_json::Value;

use crate::domain::cadence::{DayKind, SocialAct, When};
use crate::formats::language::MAX_DAY;

use super::draft::{Draft, DraftStep, DraftWhat, Mail, Sending, changed, lost};
use super::json::Placed;
use super::{ConvertError, Product, Remark};

pub(super) fn read(root: &Value, remarks: &mut Vec<Remark>) -> Result<Draft, ConvertError> {
    let root = Placed::root(root);
    let data = root.get("data").unwrap_or(root);
    let content = data.get("cadence_content").unwrap_or_else(|| data.clone());
    let settings = content.get("settings").or_else(|| data.get("settings"));
    let mut groups = content.items("step_groups");
    if groups.is_empty() {
        let (path, product) = (content.path, Product::Salesloft.name());
        let why = "there are no `step_groups`".to_owned();
        return Err(ConvertError::Shape { path, product, why });
    }
    groups.sort_by_key(|group| group.number("day").unwrap_or(1));
    let mut steps = Vec::new();
    for group in &groups {
        steps.extend(group_steps(group, remarks));
    }
    let weekends = groups.iter().filter_map(|group| group.get("automated_settings"));
    let weekends = { weekends }.any(|one| one.flag("allow_send_on_weekends") == Some(true));
    let days = if weekends { DayKind::Calendar } else { DayKind::Business };
    let settings_path = settings.as_ref().map_or(content.path.clone(), |one| one.path.clone());
    let name = settings.as_ref().and_then(|settings| settings.text("name"));
    if let Some(settings) = &settings {
        read_settings(settings, remarks);
    }
    let limit = settings.as_ref().and_then(|settings| settings.number("target_daily_people"));
    Ok(Draft {
        name: name.unwrap_or("salesloft-cadence").to_owned(),
        about: None,
        days,
        new_per_rep_per_day: limit.filter(|limit| *limit > 0),
        steps,
        path: settings_path,
    })
}

fn read_settings(settings: &Placed<'_>, remarks: &mut Vec<Remark>) {
    let place = |key: &str| format!("{}.{key}", settings.path);
    for key in ["remove_replied", "remove_bounced"] {
        if settings.flag(key) == Some(false) {
            let message =
                "a reply or a bounce always ends a cadence here; that cannot be turned off";
            lost(remarks, &place(key), message);
        }
    }
    if settings.text("cadence_function").is_some_and(|function| function != "outbound") {
        lost(remarks, &place("cadence_function"), "enrolling is done by hand, for prospects");
    }
    for key in ["added_stage", "bounced_stage", "finished_stage", "replied_stage"] {
        let key = format!("{key}_setting");
        if settings.get(&key).is_some() {
            lost(remarks, &place(&key), "people have no stages here");
        }
    }
    for key in ["cadence_owner", "cadence_priority", "tags"] {
        if settings.text(key).is_some() {
            lost(remarks, &place(key), "a cadence has no such key");
        }
    }
}

/// The steps of a group. Several mails in one group are variants of one step.
fn group_steps(group: &Placed<'_>, remarks: &mut Vec<Remark>) -> Vec<DraftStep> {
    let day = group.number("day").unwrap_or(1).clamp(1, MAX_DAY);
    let automatic = group.flag("automated") == Some(true);
    timing(group, remarks);
    let (on, off): (Vec<_>, Vec<_>) =
        group.items("steps").into_iter().partition(|step| step.flag("enabled") != Some(false));
    for step in off {
        lost(remarks, &step.path, "the step is not enabled");
    }
    let (mails, others): (Vec<_>, Vec<_>) =
        on.into_iter().partition(|step| step.text("type") == Some("Email"));
    let mut steps = Vec::new();
    if let Some(first) = mails.first() {
        let what = email(&mails, automatic);
        let (path, name) = (first.path.clone(), first.text("name").map(str::to_owned));
        steps.push(DraftStep { path, name, when: When::Day(day), what });
    }
    for step in others {
        let what = other(&step, remarks);
        let name = step.text("name").map(str::to_owned);
        steps.push(DraftStep { path: step.path, name, when: When::Day(day), what });
    }
    steps
}

fn timing(group: &Placed<'_>, remarks: &mut Vec<Remark>) {
    let Some(settings) = group.get("automated_settings") else { return };
    let waits = settings.number("delay_time").is_some_and(|minutes| minutes > 0);
    if settings.text("time_of_day").is_some() || waits {
        let message = "the hour of a mail; `send_window` says when mails leave";
        changed(remarks, &settings.path, message);
    }
}

fn email(steps: &[Placed<'_>], automatic: bool) -> DraftWhat {
    let settings = || steps.iter().filter_map(|step| step.get("type_settings"));
    let reply = settings().any(|one| one.get("previous_email_step_group_reference_id").is_some());
    let variant = |settings: Placed<'_>| {
        let template = settings.get("email_template");
        let text = |key| template.as_ref().and_then(|template| template.text(key));
        let path = template.as_ref().map_or(settings.path.clone(), |one| one.path.clone());
        let subject = text("subject").map(str::to_owned);
        Mail { path, subject, body: text("body").unwrap_or_default().to_owned() }
    };
    let sending = if automatic { Sending::Automatic } else { Sending::ByHand };
    DraftWhat::Email { variants: settings().map(variant).collect(), reply, sending }
}

fn other(step: &Placed<'_>, remarks: &mut Vec<Remark>) -> DraftWhat {
    let settings = step.get("type_settings");
    let notes = settings.as_ref().and_then(|one| one.text("instructions")).map(str::to_owned);
    match step.text("type") {
        Some("Phone") => DraftWhat::Call { notes },
        Some("Other") => DraftWhat::Task { notes },
        Some("Integration") => integration(step, notes, remarks),
        Some(other) => {
            let message = format!("a step of the kind `{other}` became a task");
            changed(remarks, &step.path, message);
            DraftWhat::Task { notes }
        }
        None => DraftWhat::Task { notes },
    }
}

/// The kind of a LinkedIn step is only an id of Salesloft's; its name tells what it is.
fn integration(step: &Placed<'_>, notes: Option<String>, remarks: &mut Vec<Remark>) -> DraftWhat {
    let name = step.text("name").unwrap_or_default().to_lowercase();
    let words = [
        ("connect", SocialAct::Connect),
        ("inmail", SocialAct::Message),
        ("message", SocialAct::Message),
        ("view", SocialAct::View),
        ("research", SocialAct::View),
        ("follow", SocialAct::Follow),
        ("comment", SocialAct::Comment),
        ("like", SocialAct::Like),
    ];
    let act = words.iter().find(|(word, _)| name.contains(word)).map(|(_, act)| *act);
    let Some(act) = act else {
        let message = "an integration step whose name does not say what it does became a task";
        changed(remarks, &step.path, message);
        return DraftWhat::Task { notes };
    };
    changed(remarks, &step.path, "a step on LinkedIn; what it does was read from its name");
    DraftWhat::Social { act, notes }
}
