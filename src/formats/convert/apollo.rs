//! Apollo: `GET /v1/emailer_campaigns/{id}`.

use serde_json::Value;

use crate::domain::cadence::{DayKind, SocialAct, When};
use crate::domain::time::{Delay, Unit};

use super::draft::{Draft, DraftStep, DraftWhat, Mail, Sending, changed, lost};
use super::json::Placed;
use super::{ConvertError, Product, Remark};

pub(super) fn read(root: &Value, remarks: &mut Vec<Remark>) -> Result<Draft, ConvertError> {
    let root = Placed::root(root);
    let campaign = root.get("emailer_campaign").unwrap_or_else(|| root.clone());
    let own = root.items("emailer_steps");
    let mut steps = if own.is_empty() { campaign.items("emailer_steps") } else { own };
    if steps.is_empty() {
        let why = "there are no `emailer_steps`".to_owned();
        return Err(ConvertError::Shape { path: root.path, product: Product::Apollo.name(), why });
    }
    steps.sort_by_key(|step| step.number("position").unwrap_or(u32::MAX));
    let mut drafts = Vec::new();
    for step in &steps {
        drafts.push(read_step(step, &root, drafts.is_empty(), remarks));
    }
    for key in ["emailer_schedule_id", "label_ids"] {
        let is_set = campaign.text(key).is_some() || !campaign.items(key).is_empty();
        if is_set {
            let message = "only an id; hours stand in `send_window` and the calendar";
            lost(remarks, &format!("{}.{key}", campaign.path), message);
        }
    }
    Ok(Draft {
        name: campaign.text("name").unwrap_or("apollo-sequence").to_owned(),
        about: None,
        days: DayKind::Calendar,
        new_per_rep_per_day: None,
        steps: drafts,
        path: campaign.path,
    })
}

fn read_step(
    step: &Placed<'_>,
    root: &Placed<'_>,
    is_first: bool,
    remarks: &mut Vec<Remark>,
) -> DraftStep {
    if step.text("exact_datetime").is_some() {
        let path = format!("{}.exact_datetime", step.path);
        lost(remarks, &path, "a step on a date; it waits as its `wait_time` says");
    }
    if step.number("auto_skip_in_x_days").is_some() {
        let path = format!("{}.auto_skip_in_x_days", step.path);
        changed(
            remarks,
            &path,
            "tasks expire after 3 business days; `expires_after` says otherwise",
        );
    }
    let notes = step.text("note").map(str::to_owned);
    let social = |act| DraftWhat::Social { act, notes: notes.clone() };
    let what = match step.text("type") {
        Some("auto_email") => email(step, root, Sending::Automatic, remarks),
        Some("manual_email") => email(step, root, Sending::ByHand, remarks),
        Some("call") => DraftWhat::Call { notes },
        Some("action_item") => DraftWhat::Task { notes },
        Some("linkedin_step_connect") => social(SocialAct::Connect),
        Some("linkedin_step_message") => social(SocialAct::Message),
        Some("linkedin_step_view_profile") => social(SocialAct::View),
        Some("linkedin_step_interact_post") => social(SocialAct::Comment),
        other => {
            let kind = other.unwrap_or("none").to_owned();
            changed(remarks, &step.path, format!("a step of the kind `{kind}` became a task"));
            DraftWhat::Task { notes }
        }
    };
    let when = when(step, is_first);
    DraftStep { path: step.path.clone(), name: None, when, what }
}

fn when(step: &Placed<'_>, is_first: bool) -> When {
    let time = step.number("wait_time").unwrap_or(0);
    let delay = match step.text("wait_mode") {
        Some("second") => Delay::new(time.div_ceil(60).min(5_000_000), Unit::Minutes),
        Some("minute") => Delay::new(time.min(5_000_000), Unit::Minutes),
        Some("hour") => Delay::new(time.min(80_000), Unit::Hours),
        _ => Delay::new(time.min(3_600), Unit::Days),
    };
    if is_first && delay.amount == 0 { When::Day(1) } else { When::After(delay) }
}

fn email(
    step: &Placed<'_>,
    root: &Placed<'_>,
    sending: Sending,
    remarks: &mut Vec<Remark>,
) -> DraftWhat {
    let id = step.id("id");
    let own = root.items("emailer_touches").into_iter();
    let own = own.filter(|touch| id.is_some() && touch.id("emailer_step_id") == id);
    let touches: Vec<_> = own.chain(step.items("emailer_touches")).collect();
    let reply = touches.first().is_some_and(|touch| touch.text("type") == Some("reply_to_thread"));
    let is_on = |touch: &Placed<'_>| touch.text("status").is_none_or(|status| status == "approved");
    let some_on = touches.iter().any(is_on);
    let mut variants = Vec::new();
    for touch in touches {
        if some_on && !is_on(&touch) {
            lost(remarks, &touch.path, "the variant is not approved");
            continue;
        }
        if touch.flag("include_signature") == Some(true) {
            let path = format!("{}.include_signature", touch.path);
            lost(remarks, &path, "add {{> signature}} where the text ends");
        }
        variants.extend(mail(&touch, root, remarks));
    }
    DraftWhat::Email { variants, reply, sending }
}

fn mail(touch: &Placed<'_>, root: &Placed<'_>, remarks: &mut Vec<Remark>) -> Option<Mail> {
    let id = touch.id("emailer_template_id");
    let listed = root.items("emailer_templates").into_iter();
    let template = touch.get("emailer_template");
    let template = template.or_else(|| { listed }.find(|one| id.is_some() && one.id("id") == id));
    let Some(template) = template else {
        lost(remarks, &touch.path, "the template is not in the export");
        return None;
    };
    let body = template.text("body_html").or_else(|| template.text("body_text"));
    let subject = template.text("subject").map(str::to_owned);
    let body = body.unwrap_or_default().to_owned();
    Some(Mail { path: template.path, subject, body })
}
