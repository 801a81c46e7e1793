//! What a person gives with a task beside its outcome: values of fields, and the text of a mail.

use jiff::Timestamp;

use super::DoneTask;
use crate::domain::cadence::{Outcome, What};
use crate::domain::enrollment::{Edited, Event, RELEASED, TaskKind};
use crate::domain::facts::{DATES, Facts, fill};
use crate::domain::ids::ProspectId;
use crate::domain::prospect::{Prospect, ProspectDraft};
use crate::engine::import::identities;
use crate::engine::letter::Draft;
use crate::engine::{Engine, EngineError, Person};
use crate::ports::{Changes, TaskRecord};

/// A value or a text that is longer is a mistake.
const MAX_VALUE: usize = 2_000;
const MAX_TEXT: usize = 50_000;

/// The outcome with which a task is really done.
const DONE: &str = "done";

impl Engine {
    /// What a person's word means for the enrollment.
    pub(super) async fn told(
        &self,
        person: &Person,
        task: &TaskRecord,
        outcome: &Outcome,
        done: &DoneTask,
        now: Timestamp,
    ) -> Result<Event, EngineError> {
        let releases = task.kind == TaskKind::Review && outcome.as_str() == RELEASED;
        if !releases && done.text.is_some() {
            let message = "a text can only be given for a mail that is released";
            return Err(EngineError::Refused(message.to_owned()));
        }
        if !releases {
            return Ok(Event::Done { outcome: outcome.clone(), until: done.until });
        }
        let draft = self.draft(person, (&task.step, task.attempt), now).await?;
        let edited = match (&done.text, &draft) {
            (Some(text), draft) => Some(edited(text, draft.as_ref().ok())?),
            (None, Ok(_)) => None,
            (None, Err(why)) => {
                return Err(EngineError::Refused(format!(
                    "this mail cannot be written: {why}. Write it with --edit or --text FILE, or say \
                     `skipped`"
                )));
            }
        };
        Ok(Event::Released { edited })
    }

    /// Keeps what was given. What a task about an account collects is known of all its people.
    pub(super) async fn keep_filled(
        &self,
        person: &Person,
        task: &TaskRecord,
        filled: Option<Prospect>,
        set: &[(String, String)],
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        let Some(prospect) = filled else { return Ok(()) };
        let step = person.version.cadence.step(&task.step).map(|(_, step)| step);
        let is_of_all = step.is_some_and(|step| step.to.is_empty());
        let account = person.enrollment.state.account.iter().filter(|_| is_of_all);
        let others: Vec<ProspectId> = account
            .flat_map(|account| account.members.iter().map(|member| member.who))
            .filter(|who| *who != prospect.id)
            .collect();
        let asked = asked_for(person, task);
        for mut other in self.store.prospects(&others).await? {
            for (name, value) in set {
                fill(&mut other.known, meant(name, asked)?, value.trim());
            }
            let identities = identities(&other.known);
            changes.prospects.push((other, identities));
        }
        let identities = identities(&prospect.known);
        changes.prospects.push((prospect, identities));
        Ok(())
    }

    /// What the mail that a task asks about says, ready to be changed.
    ///
    /// # Errors
    /// There is no such open task, or it is not about a mail.
    pub async fn mail_to_read(
        &self,
        task: crate::domain::ids::TaskId,
    ) -> Result<String, EngineError> {
        let open = self.store.task(task).await?.filter(|task| task.open);
        let review = open.filter(|task| task.kind == TaskKind::Review);
        let refused =
            || EngineError::Refused(format!("task {task} is not about a mail to release"));
        let review = review.ok_or_else(refused)?;
        let person = self.member(review.enrollment, review.prospect).await?.ok_or_else(refused)?;
        let draft = self.draft(&person, (&review.step, review.attempt), self.now()).await?;
        Ok(match draft {
            Ok(draft) => format!("Subject: {}\n\n{}\n", draft.subject, draft.text.trim()),
            Err(_) => "Subject: \n\n".to_owned(),
        })
    }
}

/// A mail as a person wrote it: a line `Subject:`, an empty line, the text. Without that line the
/// subject stays.
fn edited(written: &str, draft: Option<&Draft>) -> Result<Edited, EngineError> {
    let refused = |why: String| Err(EngineError::Refused(format!("{why}. Nothing was released")));
    let (head, rest) = written.split_once('\n').unwrap_or((written, ""));
    let (subject, text) = match head.strip_prefix("Subject:") {
        Some(subject) => (Some(subject.trim().to_owned()), rest),
        None => (None, written),
    };
    let subject = subject.or_else(|| draft.map(|draft| draft.subject.clone())).unwrap_or_default();
    let text = text.trim();
    if text.is_empty() {
        return refused("the text is empty".to_owned());
    }
    if subject.is_empty() || subject.chars().count() > 200 {
        return refused(
            "the subject needs 1 to 200 characters: `Subject: …` in the first line".to_owned(),
        );
    }
    if text.len() > MAX_TEXT {
        return refused(format!("the text has more than {MAX_TEXT} bytes"));
    }
    if [subject.as_str(), text].iter().any(|part| part.contains("{{") || part.contains("}}")) {
        return refused("there is still a `{{…}}` in it, which nobody fills in".to_owned());
    }
    if let Some(draft) = draft.filter(|draft| !draft.begins_thread && draft.subject != subject) {
        return refused(format!(
            "an answer keeps the subject of its conversation: {}",
            draft.subject
        ));
    }
    Ok(Edited { subject, text: format!("{text}\n") })
}

/// The fields that a task collects.
pub(super) fn asked_for<'a>(person: &'a Person, task: &TaskRecord) -> &'a [String] {
    let step = person.version.cadence.step(&task.step).map(|(_, step)| &step.what);
    match (task.kind, step) {
        (TaskKind::Touch(_), Some(What::Task { collect, .. })) => collect,
        _ => &[],
    }
}

/// Those of them that nobody knows.
pub(super) fn missing(known: &ProspectDraft, fields: &[String]) -> Vec<String> {
    if fields.is_empty() {
        return Vec::new();
    }
    let facts = Facts::of_draft(known);
    fields.iter().filter(|field| !facts.has(field)).cloned().collect()
}

/// The person with the values that were given; `None` when there were none.
///
/// # Errors
/// A value is for a field that the task does not ask for, or a field is still missing.
pub(super) fn filled(
    person: &Person,
    task: &TaskRecord,
    outcome: &Outcome,
    set: &[(String, String)],
) -> Result<Option<Prospect>, EngineError> {
    let asked = asked_for(person, task);
    let mut prospect = person.prospect.clone();
    for (name, value) in set {
        let field = meant(name, asked)?;
        check_value(field, value)?;
        fill(&mut prospect.known, field, value.trim());
    }
    let missing = missing(&prospect.known, asked);
    if outcome.as_str() == DONE && !missing.is_empty() {
        let flags: Vec<String> =
            missing.iter().map(|field| format!("--set {field}=\"…\"")).collect();
        return Err(EngineError::Refused(format!(
            "the task is not done until these are known: {}. Add {}",
            missing.join(", "),
            flags.join(" ")
        )));
    }
    Ok((!set.is_empty()).then_some(prospect))
}

/// The field of that name; `trigger` also means `x.trigger`.
fn meant<'a>(name: &str, asked: &'a [String]) -> Result<&'a String, EngineError> {
    let plain = |name: &str| name.strip_prefix("x.").unwrap_or(name).to_owned();
    let found = asked.iter().find(|field| plain(field) == plain(name));
    found.ok_or_else(|| {
        EngineError::Refused(match asked {
            [] => format!("this task asks for no fields, so `{name}` cannot be set"),
            asked => format!("this task does not ask for `{name}`, but for {}", asked.join(", ")),
        })
    })
}

/// A note is remembered with the touch, so it is short.
pub(super) fn check_note(note: Option<&str>) -> Result<(), EngineError> {
    match note {
        Some(note) if note.len() > MAX_VALUE => {
            Err(EngineError::Refused(format!("a note has at most {MAX_VALUE} bytes")))
        }
        _ => Ok(()),
    }
}

pub(in crate::engine) fn check_value(field: &str, value: &str) -> Result<(), EngineError> {
    let wrong = |why: &str| Err(EngineError::Refused(format!("`{field}`: {why}")));
    if value.trim().is_empty() {
        return wrong("the value is empty");
    }
    if value.len() > MAX_VALUE || value.chars().any(|c| c.is_control() && c != '\n') {
        return wrong("write at most 2000 characters of plain text");
    }
    if DATES.contains(&field) && value.trim().parse::<jiff::civil::Date>().is_err() {
        return wrong("write a date like 2026-03-12");
    }
    Ok(())
}

/// Adds what was given to the changes.
pub(super) fn note_given(done: &DoneTask, told: &Event, changes: &mut Changes) {
    if let Some(entry) = changes.log.first_mut() {
        if let Some(note) = done.note.as_deref().map(str::trim).filter(|note| !note.is_empty()) {
            entry.details.insert("note".to_owned(), note.to_owned());
        }
        if !done.set.is_empty() {
            let names: Vec<&str> = done.set.iter().map(|(name, _)| name.as_str()).collect();
            entry.details.insert("filled".to_owned(), names.join(", "));
        }
        // No template says later what this person got, so the log does.
        if let Event::Released { edited: Some(edited) } = told {
            *entry = entry.clone().with("edited", "yes").with("subject", &edited.subject);
            *entry = entry.clone().with("text", &edited.text);
        }
    }
}
