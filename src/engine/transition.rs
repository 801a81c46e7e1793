//! From a decision to the changes that record it.

use jiff::Timestamp;

use super::{Engine, EngineError, Person};
use crate::domain::cadence::{self, Outcome, What};
use crate::domain::enrollment::{Effect, State, TaskKind};
use crate::domain::ids::{StepId, TaskId};
use crate::domain::log::{Entry, What as Happened};
use crate::ports::{Changes, EnrollmentMove, IdKind, TaskRecord};

impl Person {
    /// A log entry about this person.
    pub(super) fn entry(&self, at: Timestamp, what: Happened) -> Entry {
        Entry {
            prospect: Some(self.prospect.id),
            enrollment: Some(self.enrollment.id),
            ..Entry::new(at, what)
        }
    }

    /// The changes that move this person to a new state.
    pub(super) fn moved(&self, state: State) -> Changes {
        let wake = self.wake(&state.phase);
        let (id, revision) = (self.enrollment.id, self.enrollment.revision);
        let moved = EnrollmentMove { id, revision, state, wake, digest: None, mailbox: None };
        Changes { moved: vec![moved], ..Changes::default() }
    }
}

impl Engine {
    /// The changes for a new state and its effects. Sending a mail is not among them: that is a
    /// protocol of its own.
    pub(super) async fn changes(
        &self,
        person: &Person,
        state: State,
        effects: &[Effect],
        now: Timestamp,
    ) -> Result<Changes, EngineError> {
        let mut changes = person.moved(state);
        for effect in effects {
            match effect {
                Effect::SendMail { .. } => {}
                Effect::OpenTask { step, attempt, kind, expires_at } => {
                    let task =
                        self.new_task(person, step, *attempt, *kind, *expires_at, now).await?;
                    let opened = person.entry(now, Happened::TaskOpened).with("step", step);
                    changes.log.push(opened.with("kind", task_word(*kind)));
                    changes.tasks.push(task);
                }
                Effect::CloseTasks => changes.close_tasks.push((person.enrollment.id, now)),
                Effect::Pass { step, outcome, .. } => {
                    changes.log.extend(passed(person, step, outcome, now));
                }
                Effect::End { ending } => {
                    let ended = person.entry(now, Happened::Ended);
                    changes.log.push(ended.with("ending", ending.as_str()));
                }
            }
        }
        Ok(changes)
    }

    async fn new_task(
        &self,
        person: &Person,
        step: &StepId,
        attempt: u32,
        kind: TaskKind,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TaskRecord, EngineError> {
        let found = person.version.cadence.step(step).map(|(_, step)| step);
        let (title, text) = match (kind, found) {
            (TaskKind::Touch(_), Some(step)) => self.words(person, &step.what, now),
            _ => (triage_title(person), String::new()),
        };
        let priority = match (kind, found) {
            (TaskKind::Touch(_), Some(step)) => step.priority as u8,
            // A person who said something waits for nobody.
            _ => 0,
        };
        Ok(TaskRecord {
            id: TaskId(self.id(IdKind::Task).await?),
            enrollment: person.enrollment.id,
            prospect: person.prospect.id,
            rep: person.enrollment.owner.clone(),
            kind,
            step: step.clone(),
            attempt,
            title,
            text,
            version: Some(person.enrollment.digest.clone()),
            priority,
            opened_at: now,
            expires_at,
            open: true,
        })
    }

    /// What a task says: one line of what to do, and the words to use.
    fn words(&self, person: &Person, what: &What, now: Timestamp) -> (String, String) {
        let sender = self.settings.mailbox_of(&person.enrollment.owner);
        let context = person.context(sender, now);
        let render = |name: &String| match person.version.templates.render(name, &context) {
            Ok(rendered) => rendered.text.trim().to_owned(),
            Err(error) => format!("({error})"),
        };
        match what {
            What::Email { .. } => (String::new(), String::new()),
            What::Call { script, voicemail } => {
                let phone = person.prospect.known.phones.first();
                let title =
                    phone.map_or_else(|| "call".to_owned(), |phone| format!("call {phone}"));
                let voicemail =
                    voicemail.as_ref().map(|name| format!("\n\nVoicemail:\n{}", render(name)));
                (title, format!("{}{}", render(script), voicemail.unwrap_or_default()))
            }
            What::Social { network, act, text } => {
                let act = cadence::SocialAct::ALL.iter().find(|(_, known)| known == act);
                let title = format!("{network}: {}", act.map_or("touch", |(word, _)| word));
                (title, text.as_ref().map(render).unwrap_or_default())
            }
            What::Task { title, notes } => {
                (title.clone(), notes.as_ref().map(render).unwrap_or_default())
            }
        }
    }
}

fn triage_title(person: &Person) -> String {
    let last = person.enrollment.state.passed.last();
    match last {
        Some(passed) => format!("decide what happens next ({}: {})", passed.step, passed.outcome),
        None => "decide what happens next".to_owned(),
    }
}

pub(super) fn task_word(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Touch(channel) => channel.as_str(),
        TaskKind::Triage => "triage",
    }
}

/// Skipped and expired steps are logged here; what was done is logged by who did it.
fn passed(person: &Person, step: &StepId, outcome: &Outcome, now: Timestamp) -> Option<Entry> {
    let what = match outcome.as_str() {
        cadence::SKIPPED => Happened::Skipped,
        cadence::EXPIRED => Happened::TaskExpired,
        _ => return None,
    };
    Some(person.entry(now, what).with("step", step))
}
