//! The simulated reps: they read what people wrote, make the calls that may be made, and say what came of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};

use super::{Demo, DemoError};
use crate::domain::budget::mix;
use crate::domain::cadence::{Channel, SKIPPED};
use crate::domain::enrollment::{HAND_OFF_AGAIN, RELEASED, TaskKind};
use crate::domain::facts::DATES;
use crate::domain::ids::{CadenceId, ProspectId, RepId};
use crate::engine::EngineError;
use crate::engine::enroll::Mode;
use crate::engine::tasks::{DoneTask, QueueLine};
use crate::ports::TaskRecord;

/// Whoever wants to go on is handed over in this one.
const HAND_OFF: &str = "team-hand-off";

/// Who asked for a call is glad of it more often.
const INBOUND: &str = "inbound-speed-to-lead";

/// Where the rep is asked what to do with somebody who wants to go on.
const HANDED_OVER_FROM: [&str; 2] = [INBOUND, "saas-outbound-14d"];

/// A word that only the calls to customers know.
const HEALTHY: &str = "healthy";

/// Tasks of this priority are not left until the next session.
const URGENT: u8 = 0;

/// Who looks up from their work when something urgent comes: whoever has the requests for a demo, and
/// whoever takes people over.
const ON_CALL: [&str; 2] = ["ida", "dora"];

/// What the reps keep in mind from one task to the next.
#[derive(Default)]
pub(super) struct Reps {
    /// Who has said that they want to go on.
    interested: BTreeSet<ProspectId>,
    /// When somebody sees to what is urgent.
    urgent: BTreeMap<RepId, Timestamp>,
}

impl Reps {
    /// When the next urgent task is seen to.
    pub fn urgent_at(&self) -> Option<Timestamp> {
        self.urgent.values().min().copied()
    }
}

impl Demo {
    /// The reps do what can be done now.
    pub(super) async fn work_tasks(&mut self) -> Result<(), DemoError> {
        for line in self.engine().queue(None).await? {
            self.work_if_possible(&line).await?;
        }
        Ok(())
    }

    /// Whoever has seen something urgent does it.
    pub(super) async fn work_urgent_tasks(&mut self, now: Timestamp) -> Result<(), DemoError> {
        let due = |(_, at): &(&RepId, &Timestamp)| **at <= now;
        let reps: Vec<RepId> =
            self.reps.urgent.iter().filter(due).map(|(rep, _)| rep.clone()).collect();
        for rep in reps {
            self.reps.urgent.remove(&rep);
            let queue = self.engine().queue(Some(&rep)).await?;
            for line in queue.iter().filter(|line| line.task.priority == URGENT) {
                self.work_if_possible(line).await?;
            }
        }
        Ok(())
    }

    /// Somebody sees an urgent task within a few minutes.
    pub(super) async fn watch_for_urgent_tasks(&mut self, now: Timestamp) -> Result<(), DemoError> {
        for rep in ON_CALL.map(RepId::from) {
            let tasks = self.engine().store.tasks(Some(&rep)).await?;
            let is_new = |task: &&TaskRecord| task.priority == URGENT && task.opened_at == now;
            let Some(task) = tasks.iter().find(is_new) else { continue };
            let minutes = 1 + i64::try_from(self.draw(task) % 7).unwrap_or(0);
            let at = now + SignedDuration::from_mins(minutes);
            let seen = self.reps.urgent.entry(rep).or_insert(at);
            *seen = at.min(*seen);
        }
        Ok(())
    }

    /// A number that belongs to a task.
    fn draw(&self, task: &TaskRecord) -> u64 {
        mix(self.seed ^ mix(u64::try_from(task.id.0).unwrap_or(0)))
    }

    /// Does a task if it may be done now; about a tenth of the tasks nobody ever does.
    async fn work_if_possible(&mut self, line: &QueueLine) -> Result<(), DemoError> {
        let now = self.engine().now();
        let drawn = self.draw(&line.task);
        match line.callable_at.is_none_or(|at| at <= now) && !drawn.is_multiple_of(10) {
            true => self.work(line, mix(drawn)).await,
            false => Ok(()),
        }
    }

    async fn work(&mut self, line: &QueueLine, drawn: u64) -> Result<(), DemoError> {
        let who = line.prospect.id;
        let goes_over = line.task.kind == TaskKind::Triage && self.goes_over(line);
        let outcome = match line.task.kind {
            TaskKind::Reply => self.meaning(who).await?,
            TaskKind::Triage if goes_over => "stop",
            _ => drawn_outcome(line, drawn),
        };
        if outcome == "interested" {
            self.reps.interested.insert(who);
        }
        let said = self.say(line, outcome).await;
        match said {
            // It cannot be written, because nobody found out what it needs.
            Err(EngineError::Refused(_)) if outcome == RELEASED => {
                self.say(line, SKIPPED).await?;
            }
            said => said?,
        }
        if goes_over {
            let cadence = CadenceId::from(HAND_OFF);
            self.engine().enroll(&[who], &cadence, Mode::Commit).await?;
        }
        Ok(())
    }

    /// Whether the rep takes the person out to hand them over with notes, an introduction and a call.
    fn goes_over(&self, line: &QueueLine) -> bool {
        HANDED_OVER_FROM.contains(&line.cadence.as_str())
            && self.reps.interested.contains(&line.prospect.id)
    }

    async fn say(&self, line: &QueueLine, outcome: &str) -> Result<(), EngineError> {
        let (task, actor) = (line.task.id, line.task.rep.clone());
        let set = match outcome {
            "done" => line.collect.iter().map(|field| self.found(field)).collect(),
            _ => Vec::new(),
        };
        let outcome = outcome.to_owned();
        let done = DoneTask { task, outcome, until: None, actor, set, text: None, note: None };
        self.engine().done(done).await.map(drop)
    }

    /// What a rep finds out about a field.
    fn found(&self, field: &str) -> (String, String) {
        let in_four_weeks = self.engine().now() + SignedDuration::from_hours(24 * 28);
        let value = match field {
            "x.trigger" => "You are opening a second sales office in Denver".to_owned(),
            "x.champion_hook" => {
                "You wrote that half of your Monday goes into the forecast sheet".to_owned()
            }
            "x.economic_metric" => "Your annual report puts the sales cycle at 140 days".to_owned(),
            "x.next_step" => "half an hour with their own numbers".to_owned(),
            date if DATES.contains(&date) => {
                Zoned::new(in_four_weeks, TimeZone::UTC).date().to_string()
            }
            _ => "asked, and written down".to_owned(),
        };
        (field.to_owned(), value)
    }

    /// What the last thing that somebody wrote means.
    async fn meaning(&self, who: ProspectId) -> Result<&'static str, DemoError> {
        let replies = self.engine().store.replies(100_000).await?;
        let of_them = replies.iter().filter(|reply| reply.prospect == Some(who));
        let last = of_them.filter(|reply| reply.kind == "reply").max_by_key(|r| r.received_at);
        let text = last.map_or("", |reply| reply.text.as_str());
        let meanings = [
            ("pass it on", "referral"),
            ("signed with somebody else", "not_interested"),
            ("Who else", "question"),
        ];
        let found = meanings.iter().find(|(words, _)| text.contains(words));
        Ok(found.map_or("interested", |(_, meaning)| meaning))
    }
}

/// What a simulated rep hears.
fn drawn_outcome(line: &QueueLine, drawn: u64) -> &'static str {
    let percent = drawn % 100;
    match line.task.kind {
        TaskKind::Touch(Channel::Call) => call_outcome(line, percent),
        TaskKind::Touch(Channel::Social) => match percent {
            0..=64 => "done",
            65..=84 => "accepted",
            85..=93 => "already_connected",
            94..=95 => "replied",
            _ => "not_found",
        },
        TaskKind::Touch(Channel::Email | Channel::Task) => "done",
        TaskKind::Review => RELEASED,
        TaskKind::HandOff => "accepted",
        TaskKind::Reply => "question",
        // Somebody who replied and was never taken over is offered again, not written to.
        TaskKind::HandedBack => HAND_OFF_AGAIN,
        TaskKind::Triage => match percent {
            0..=49 => "meeting_booked",
            50..=79 => "continue",
            _ => "not_interested",
        },
    }
}

fn call_outcome(line: &QueueLine, percent: u64) -> &'static str {
    if line.outcomes.iter().any(|offered| offered.outcome.as_str() == HEALTHY) {
        return match percent {
            0..=24 => "no_answer",
            25..=34 => "left_voicemail",
            35..=84 => HEALTHY,
            85..=92 => "not_now",
            _ => "at_risk",
        };
    }
    if line.cadence == INBOUND || line.cadence == HAND_OFF {
        return match percent {
            0..=44 => "no_answer",
            45..=59 => "left_voicemail",
            60..=89 => "interested",
            90..=94 => "meeting_booked",
            _ => "not_now",
        };
    }
    match percent {
        0..=57 => "no_answer",
        58..=82 => "left_voicemail",
        83..=90 => "gatekeeper",
        91..=93 => "not_interested",
        94 => "not_now",
        95 => "interested",
        96 => "meeting_booked",
        97..=98 => "bad_number",
        _ => "do_not_call",
    }
}
