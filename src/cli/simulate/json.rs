//! The answer for machines: every number, and what was assumed beside it.

use serde_json::{Map, Value, json};

use super::Told;
use super::text::verdict;
use crate::domain::forecast::{Assumptions, Brake, Run, Worker};

pub(super) fn document(told: &Told) -> Value {
    let (scenario, forecast) = (told.scenario, told.forecast);
    let first = forecast.runs.first();
    json!({
        "schema": "firsttouch.simulate.v1",
        "cadence": told.args.cadence,
        "list": told.args.list,
        "from": scenario.begins_on.to_string(),
        "days": scenario.days,
        "seed": scenario.seed,
        "assumed": assumed(&scenario.assumed),
        "verdict": first.map(|run| verdict(told, run)),
        "brake": forecast.brake.map(brake),
        "remedy": forecast.remedy.as_ref().map(|remedy| json!({
            "reps": remedy.reps,
            "last_first_touch": remedy.begun_by.map(|date| date.to_string()),
            "working_days": share(remedy.working_days),
            "expired_share": share(remedy.expired),
        })),
        "limits": limits(told),
        "run": first.map(run),
        "runs": forecast.runs.iter().map(in_short).collect::<Vec<_>>(),
    })
}

fn assumed(a: &Assumptions) -> Value {
    json!({
        "reply_rate": a.reply.percent(),
        "opt_out_rate": a.opt_out.percent(),
        "away_rate": a.away.percent(),
        "bounce_rate": a.dead_address.percent(),
        "answer_rate": a.answer.percent(),
        "voicemail_rate": a.voicemail.percent(),
        "accept_rate": a.accept.percent(),
        "meeting_rate": a.meeting.percent(),
        "tasks_per_day": a.tasks_per_day,
        "rep_hours": [a.hours.0, a.hours.1],
        "with_phone": a.with_phone.percent(),
        "with_linkedin": a.with_linkedin.percent(),
    })
}

fn brake(brake: Brake) -> Value {
    match brake {
        Brake::Limit { reason, working_days } => {
            json!({"reason": reason.as_str(), "working_days": share(working_days)})
        }
        Brake::Reps { expired } => {
            json!({"reason": "needs_person", "expired_share": share(expired)})
        }
    }
}

/// Four digits are more than anybody can assume.
fn share(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

/// What a mailbox and a rep can do in a day.
fn limits(told: &Told) -> Value {
    let mailboxes = told.scenario.settings.mailboxes.values();
    let mailboxes: Map<String, Value> =
        mailboxes.map(|mailbox| (mailbox.id.0.clone(), json!(mailbox.daily_limit))).collect();
    json!({
        "mails_per_mailbox": mailboxes,
        "tasks_per_rep": told.scenario.assumed.tasks_per_day,
        "reps": told.scenario.settings.reps().iter().map(|rep| rep.0.clone()).collect::<Vec<_>>(),
    })
}

fn in_short(run: &Run) -> Value {
    json!({
        "first_touches": run.touched(),
        "last_first_touch": run.last_first_touch().map(|date| date.to_string()),
        "answered": run.replied(),
        "answered_by_channel": run.answered,
        "meetings": run.tally.endings.get("meeting").copied().unwrap_or(0),
    })
}

fn run(run: &Run) -> Value {
    let days = |(date, n): (&jiff::civil::Date, &u64)| (date.to_string(), json!(n));
    let waits = run.waits.iter().map(|(date, waits)| {
        let counts = |counts: &std::collections::BTreeMap<crate::domain::budget::Waiting, u64>| {
            counts.iter().map(|(why, n)| (why.as_str().to_owned(), json!(n))).collect::<Map<_, _>>()
        };
        let day = json!({"first": counts(&waits.first), "further": counts(&waits.further)});
        (date.to_string(), day)
    });
    let waited = run.waited();
    let waited = waited.iter().map(|(why, days)| (why.as_str().to_owned(), json!(share(*days))));
    json!({
        "people": run.people,
        "enrolled": run.enrolled,
        "unit": if run.covers_companies { "company" } else { "prospect" },
        "not_enrolled": run.skipped,
        "first_touches": run.touched(),
        "last_first_touch": run.last_first_touch().map(|date| date.to_string()),
        "waiting_for_first_touch_at_the_end": run.still_waiting(),
        "working_days_waited": waited.collect::<Map<_, _>>(),
        "first_touches_by_day": run.first_touches.iter().map(days).collect::<Map<_, _>>(),
        "touches": run.tally.touches,
        "answered": run.replied(),
        "answered_by_channel": run.answered,
        "opted_out": run.tally.opted_out,
        "dead_addresses": run.tally.bounces,
        "absence_notes": run.tally.auto_replies,
        "tasks_expired": run.expired.iter().map(|(rep, n)| (rep.0.clone(), json!(n))).collect::<Map<_, _>>(),
        "held": run.held,
        "passed_over": run.passed_over,
        "endings": run.tally.endings,
        "load": load(run),
        "waiting": waits.collect::<Map<_, _>>(),
    })
}

fn load(run: &Run) -> Value {
    let line =
        |((date, worker), load): (&(jiff::civil::Date, Worker), &crate::domain::forecast::Load)| {
            match worker {
                Worker::Mailbox(id) => {
                    json!({"day": date.to_string(), "mailbox": id.as_str(), "mails": load.mails})
                }
                Worker::Rep(id) => json!({
                    "day": date.to_string(), "rep": id.as_str(), "calls": load.calls,
                    "social": load.social, "other": load.other,
                }),
            }
        };
    run.load.iter().map(line).collect()
}
