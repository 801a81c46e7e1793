//! A task that is opened: whose it is, what it says, and until when.

use jiff::Timestamp;

use super::background::Background;
use super::letter::{Draft, NoLetter};
use super::{Engine, EngineError, Person};
use crate::domain::absence::Absences;
use crate::domain::cadence::{By, HandOff, SocialAct, Step, What};
use crate::domain::enrollment::{Phase, Returned, State, TaskKind};
use crate::domain::ids::{RepId, RoleId, StepId, TaskId};
use crate::domain::settings::Settings;
use crate::ports::{IdKind, TaskRecord};

/// Messages among which the last reply is looked for.
const MESSAGES: u32 = 20;

/// What the rules want opened.
pub(super) struct Opening<'a> {
    pub step: &'a StepId,
    pub attempt: u32,
    pub kind: TaskKind,
    pub expires_at: Timestamp,
    pub promised_at: Option<Timestamp>,
    /// The state that asks for it.
    pub state: &'a State,
}

/// Who of the team is away, and when that is asked.
type There<'a> = (&'a Absences, Timestamp);

/// One line of what to do, and the words to use.
pub(super) struct Words {
    pub title: String,
    pub text: String,
}

impl Engine {
    pub(super) async fn new_task(
        &self,
        person: &Person,
        opening: &Opening<'_>,
        now: Timestamp,
    ) -> Result<TaskRecord, EngineError> {
        let step = person.version.cadence.step(opening.step).map(|(_, step)| step);
        let is_touch = matches!(opening.kind, TaskKind::Touch(_));
        let of_step = |kind| matches!(kind, TaskKind::Touch(_) | TaskKind::Review);
        let touched = step.filter(|_| of_step(opening.kind));
        let team = self.absences(now).await?;
        let Words { title, text } = match opening.kind {
            TaskKind::Review => {
                let mail = (opening.step, opening.attempt);
                review_words(&self.draft(person, mail, now).await?)
            }
            _ => self.words(person, opening, step, (&team, now)),
        };
        let text = match opening.kind {
            TaskKind::HandOff => joined(&text, &self.background(person).await?),
            TaskKind::Reply => self.last_words(person).await?.unwrap_or(text),
            _ => text,
        };
        let assignee = self.assignee(person, opening, touched, (&team, now));
        let rep = team.stand_in(&assignee, now);
        let covers = (rep != assignee).then_some(assignee);
        let metered = touched.and_then(|step| step.what.metered()).filter(|_| is_touch);
        let zone = person.zone();
        let calendar = &person.clockwork.calendar;
        let target = touched.and_then(|step| step.within);
        Ok(TaskRecord {
            id: TaskId(self.id(IdKind::Task).await?),
            enrollment: person.enrollment.id,
            prospect: person.prospect.id,
            rep,
            kind: opening.kind,
            step: opening.step.clone(),
            attempt: opening.attempt,
            title,
            text,
            version: Some(person.enrollment.digest.clone()),
            // A person who said something waits for nobody.
            priority: touched.map_or(0, |step| step.priority as u8),
            opened_at: now,
            expires_at: opening.expires_at,
            target_at: target.map(|within| calendar.after(now, within, &zone)),
            wakes_at: opening.promised_at,
            promised: opening.promised_at.is_some(),
            covers,
            metered,
            open: true,
        })
    }

    /// What somebody wrote last, as far as it is on record.
    async fn last_words(&self, person: &Person) -> Result<Option<String>, EngineError> {
        let messages = self.store.replies_of(person.prospect.id, MESSAGES).await?;
        let last = messages.into_iter().find(|message| message.kind == "reply");
        Ok(last.map(|message| message.text))
    }

    /// The owner's, but what is handed over, or is for a role, goes to somebody who holds the role.
    fn assignee(
        &self,
        person: &Person,
        opening: &Opening<'_>,
        touched: Option<&Step>,
        there: There<'_>,
    ) -> RepId {
        if let Some(Step { by: By::Role(role), .. }) = touched {
            let holder = self.holder(role, person, there);
            return holder.unwrap_or_else(|| person.enrollment.owner.clone());
        }
        match (opening.kind, &opening.state.phase) {
            (TaskKind::HandOff, Phase::Offered { hand_off, .. }) => {
                let holder = self.holder(&hand_off.to, person, there);
                holder.unwrap_or_else(|| person.enrollment.owner.clone())
            }
            _ => person.enrollment.owner.clone(),
        }
    }

    /// Those who hold a role and are there take turns, by the number of the enrollment. When all of them
    /// are away, whoever's turn it is finds it at their return.
    fn holder(&self, role: &RoleId, person: &Person, (team, now): There<'_>) -> Option<RepId> {
        let all = self.settings.holders(role);
        let is_there = |rep: &&&RepId| !team.is_away(rep, now);
        let there: Vec<&RepId> = all.iter().filter(is_there).copied().collect();
        let holders = if there.is_empty() { all } else { there };
        let count = i64::try_from(holders.len()).unwrap_or(i64::MAX).max(1);
        let turn = usize::try_from(person.enrollment.id.0.rem_euclid(count)).unwrap_or(0);
        holders.get(turn).map(|rep| (*rep).clone())
    }

    fn words(
        &self,
        person: &Person,
        opening: &Opening<'_>,
        step: Option<&Step>,
        there: There<'_>,
    ) -> Words {
        let now = there.1;
        let only = |title: String| Words { title, text: String::new() };
        match (opening.kind, step, &opening.state.phase) {
            (TaskKind::Touch(_), Some(step), _) => person.words(&self.settings, &step.what, now),
            (TaskKind::HandOff, _, Phase::Offered { hand_off, .. }) => {
                self.hand_off_words(person, hand_off, opening.state, there)
            }
            (TaskKind::HandedBack, _, Phase::HandedBack { hand_off, why, .. }) => {
                only(came_back(hand_off, *why))
            }
            (TaskKind::Reply, ..) => only("say what the reply means".to_owned()),
            _ => only(triage_title(opening.state)),
        }
    }

    fn hand_off_words(
        &self,
        person: &Person,
        hand_off: &HandOff,
        state: &State,
        there: There<'_>,
    ) -> Words {
        let now = there.1;
        let giver = &person.enrollment.owner;
        let because = last_outcome(state).map_or_else(String::new, |last| format!(" ({last})"));
        let title = match self.holder(&hand_off.to, person, there) {
            Some(_) => format!("take over from {giver}{because}"),
            None => format!("nobody holds the role {}: take over or decline", hand_off.to),
        };
        let text = hand_off.brief.as_ref().map(|brief| person.rendered(&self.settings, brief, now));
        Words { title, text: text.unwrap_or_default() }
    }
}

impl Person {
    /// What a task for a step says.
    pub(super) fn words(&self, settings: &Settings, what: &What, now: Timestamp) -> Words {
        let render = |name: &String| self.rendered(settings, name, now);
        match what {
            What::Email { .. } => Words { title: String::new(), text: String::new() },
            What::HandOff(HandOff { to, brief, .. }) => {
                let text = brief.as_ref().map(render).unwrap_or_default();
                Words { title: format!("hand over to {to}"), text }
            }
            What::Call { script, voicemail } => {
                let phone = self.prospect.known.phones.first();
                let title =
                    phone.map_or_else(|| "call".to_owned(), |phone| format!("call {phone}"));
                let voicemail =
                    voicemail.as_ref().map(|name| format!("\n\nVoicemail:\n{}", render(name)));
                let text = format!("{}{}", render(script), voicemail.unwrap_or_default());
                Words { title, text }
            }
            What::Social { network, act, text } => {
                let act = SocialAct::ALL.iter().find(|(_, known)| known == act);
                let text = text.as_ref().map(render).unwrap_or_default();
                let over = too_long(what, &text, settings.linkedin.note_limit);
                let act = act.map_or("touch", |(word, _)| word);
                let title = format!("{network}: {act}{}", over.unwrap_or_default());
                Words { title, text }
            }
            What::Task { title, notes, .. } => {
                let text = notes.as_ref().map(render).unwrap_or_default();
                Words { title: title.clone(), text }
            }
        }
    }

    fn rendered(&self, settings: &Settings, name: &str, now: Timestamp) -> String {
        let sender = settings.mailbox_of(&self.enrollment.owner);
        let context = self.context(sender, now);
        match self.version.templates.render(name, &context) {
            Ok(rendered) => rendered.text.trim().to_owned(),
            Err(error) => format!("({error})"),
        }
    }
}

/// What a rep is told of a note that LinkedIn would cut.
fn too_long(what: &What, text: &str, limit: Option<u32>) -> Option<String> {
    what.metered()?;
    let (length, limit) = (text.chars().count(), limit?);
    let fits = usize::try_from(limit).is_ok_and(|limit| length <= limit);
    (!fits).then(|| format!(" (the note has {length} characters, {limit} fit: make it shorter)"))
}

/// What there is to read before a mail leaves.
fn review_words(draft: &Result<Draft, NoLetter>) -> Words {
    match draft {
        Ok(Draft { subject, text, .. }) => Words {
            title: format!("read and release: {subject}"),
            text: format!("Subject: {subject}\n\n{}\n", text.trim()),
        },
        Err(why) => Words {
            title: format!("write this mail yourself: {why}"),
            text: format!("The mail cannot be written: {why}.\n"),
        },
    }
}

/// The brief, and below it what is known.
fn joined(brief: &str, background: &Background) -> String {
    format!("{}\n\n{}", brief.trim(), background.text()).trim().to_owned()
}

fn last_outcome(state: &State) -> Option<String> {
    let last = state.passed.last()?;
    Some(format!("{}: {}", last.step, last.outcome))
}

fn triage_title(state: &State) -> String {
    match last_outcome(state) {
        Some(last) => format!("decide what happens next ({last})"),
        None => "decide what happens next".to_owned(),
    }
}

fn came_back(hand_off: &HandOff, why: Returned) -> String {
    let HandOff { to, accept_within, .. } = hand_off;
    match why {
        Returned::Declined => format!("came back: {to} declined; decide what happens next"),
        Returned::NotAccepted => {
            format!("came back: no {to} accepted within {accept_within}; decide what happens next")
        }
    }
}
