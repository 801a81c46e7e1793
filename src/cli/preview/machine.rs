//! A preview for other programs.

use serde_json::{Value, json};

use crate::domain::cadence::When;
use crate::domain::outlook::{Answer, Line as Tested};
use crate::engine::letter::Share;
use crate::engine::preview::coverage::{Coverage, Line};
use crate::engine::preview::{Basis, Does, Item, MailText, Plan, Seen, Someone};
use crate::formats::template::Filling;

const SCHEMA: &str = "firsttouch.preview.v1";

pub(super) fn plan(basis: &Basis, someone: &Someone, plan: &Plan) -> Value {
    let seen = &plan.seen;
    json!({
        "schema": SCHEMA,
        "kind": "cadence",
        "cadence": basis.cadence().id.as_str(),
        "prospect": someone.prospect.id.0,
        "sample": someone.is_sample,
        "name": someone.prospect.display_name(),
        "profile": seen.profile.as_ref().map(|profile| profile.id.as_str()),
        "time_zone": seen.person.zones.first().and_then(|zone| zone.iana_name()),
        "obstacles": seen.obstacles,
        "mailbox": plan.mailbox.as_ref().map(|mailbox| mailbox.id.as_str()),
        "steps": plan.items.iter().map(item).collect::<Vec<_>>(),
    })
}

fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::Open => "open",
    }
}

fn item(item: &Item) -> Value {
    let (day, after, date) = match &item.when {
        When::Day(day) => (Some(*day), None, None),
        When::After(delay) => (None, Some(delay.to_string()), None),
        When::At(anchor) => (None, None, Some(anchor.to_string())),
    };
    let tested = |line: &Tested| json!({"condition": line.says, "value": line.value, "holds": answer(line.answer)});
    let tested = |lines: &[Tested]| lines.iter().map(tested).collect::<Vec<_>>();
    let mut value = json!({
        "step": item.step.as_str(),
        "day": day,
        "after": after,
        "date": date,
        "at": (!item.has_no_zone).then(|| item.at.to_string()),
        "who": item.who.as_ref().map(|(name, role)| json!({"name": name, "role": role.as_str()})),
        "read_at": item.read_at.map(|at| at.to_string()),
        "happens": answer(item.outlook.answer),
        "reasons": item.outlook.reasons(),
        "only_if": tested(&item.outlook.only_if),
        "skip_if": tested(&item.outlook.skip_if),
    });
    match &item.does {
        Does::Mail(Ok(mail)) => value["mail"] = mail_json(mail),
        Does::Mail(Err(why)) => value["stopped"] = json!(why),
        Does::Task { channel, title, text, lacks } => {
            value["task"] =
                json!({"channel": channel.as_str(), "title": title, "text": text, "lacks": lacks});
        }
    }
    value
}

fn mail_json(mail: &MailText) -> Value {
    let cannot = match &mail.share {
        Share::NotInTest { cannot } => cannot.as_slice(),
        Share::NoSplit | Share::InTest => &[],
    };
    json!({"template": mail.template, "split": mail.share.as_str(), "cannot": cannot, "to": mail.to,
        "subject": mail.subject, "preview": mail.preview, "text": mail.text, "html": mail.html})
}

pub(super) fn template(name: &str, seen: &Seen, filling: &Filling) -> Value {
    let rendered = filling.rendered.as_ref();
    json!({
        "schema": SCHEMA,
        "kind": "template",
        "template": name,
        "prospect": seen.person.prospect.id.0,
        "profile": seen.profile.as_ref().map(|profile| profile.id.as_str()),
        "subject": rendered.and_then(|text| text.subject.as_ref()),
        "preview": rendered.and_then(|text| text.preview.as_ref()),
        "text": rendered.map(|text| &text.text),
        "used": filling.used,
        "fallbacks": filling.fallbacks,
        "missing": filling.missing,
        "absent": filling.absent,
        "failed": filling.failed,
    })
}

pub(super) fn coverage(name: &str, coverage: &Coverage) -> Value {
    let splits = coverage.splits.iter().map(|split| {
        let variants: Vec<&str> = split.variants.iter().map(|(name, _)| name.as_str()).collect();
        json!({"step": split.step, "variants": variants, "in_test": split.in_test,
            "not_in_test": split.not_in_test, "nothing": split.nothing})
    });
    json!({
        "schema": SCHEMA,
        "kind": "coverage",
        "name": name,
        "list": coverage.list,
        "people": coverage.people,
        "let_in": coverage.let_in,
        "kept_out": coverage.kept_out,
        "templates": coverage.lines.iter().map(line).collect::<Vec<_>>(),
        "splits": splits.collect::<Vec<_>>(),
    })
}

fn line(line: &Line) -> Value {
    let missing = line.missing.iter().map(|(field, (people, is_needed))| {
        json!({"field": field, "people": people, "needs": is_needed})
    });
    json!({"step": line.step, "template": line.template, "complete": line.complete,
        "with_fallback": line.with_fallback, "without": line.without, "skipped": line.skipped,
        "missing": missing.collect::<Vec<_>>(), "fallbacks": line.fallbacks, "failed": line.failed,
        "too_long": line.too_long})
}
