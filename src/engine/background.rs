//! What somebody needs to know of a person before they speak to them: who it is, what was tried, and what
//! the person wrote.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Engine, EngineError, Person};
use crate::domain::log::{Entry, What};
use crate::domain::prospect::Prospect;
use crate::ports::ReplyRecord;

/// The last touches that are told.
const TOUCHES: usize = 10;

/// The last messages that are told, and how much of each.
const MESSAGES: u32 = 3;
const MOST_WORDS: usize = 1_500;

/// What is known of a person.
#[derive(Debug, Clone)]
pub struct Background {
    pub who: Prospect,
    /// What was tried on this way, the last ones, oldest first.
    pub tried: Vec<Tried>,
    /// What the person wrote, newest first.
    pub wrote: Vec<ReplyRecord>,
    zone: TimeZone,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    pub at: Timestamp,
    pub step: String,
    /// What came of it, such as `sent` or `left_voicemail`.
    pub outcome: String,
    /// What whoever did it wrote down.
    pub note: String,
    /// Who did it; `engine` for mails.
    pub actor: String,
}

impl Engine {
    /// What is known of somebody on the way through a cadence.
    ///
    /// # Errors
    /// The store failed.
    pub async fn background(&self, person: &Person) -> Result<Background, EngineError> {
        let id = person.prospect.id;
        let log = self.store.log_of(id).await?;
        let on_this_way = log.iter().filter(|entry| entry.enrollment == Some(person.enrollment.id));
        let mut tried: Vec<Tried> = Vec::new();
        for entry in on_this_way {
            if entry.what == What::TaskUndone {
                let taken_back = |one: &Tried| one.step == entry.detail("step");
                tried.iter().rposition(taken_back).map(|at| tried.remove(at));
            }
            tried.extend(of_entry(entry));
        }
        tried.drain(..tried.len().saturating_sub(TOUCHES));
        let mut wrote = self.store.replies_of(id, 20).await?;
        wrote.retain(|message| message.kind == "reply");
        wrote.truncate(usize::try_from(MESSAGES).unwrap_or(1));
        let zone = self.settings.reader_zone.clone();
        Ok(Background { who: person.prospect.clone(), tried, wrote, zone })
    }
}

/// Where somebody's page is, from what is stored of it.
pub fn linkedin(slug: &str) -> String {
    format!("linkedin.com/in/{slug}")
}

fn of_entry(entry: &Entry) -> Option<Tried> {
    let outcome = match entry.what {
        What::Sent => "sent",
        What::Bounced => "bounced",
        What::TaskDone => entry.detail("outcome"),
        What::TaskExpired => "expired",
        _ => return None,
    };
    Some(Tried {
        at: entry.at,
        step: entry.detail("step").to_owned(),
        outcome: outcome.to_owned(),
        note: entry.detail("note").to_owned(),
        actor: entry.actor.clone(),
    })
}

impl Background {
    /// The same in words, for a brief.
    pub fn text(&self) -> String {
        let mut text = self.who_it_is();
        if !self.tried.is_empty() {
            text.push_str("\n\nTried:");
        }
        for one in &self.tried {
            text.push_str(&format!("\n  {}  {}: {}", self.when(one.at), one.step, one.outcome));
            if !one.note.is_empty() {
                text.push_str(&format!(" (\"{}\")", one.note));
            }
        }
        for message in &self.wrote {
            text.push_str(&format!("\n\nWrote, {}:", self.when(message.received_at)));
            let words: String = message.text.trim().chars().take(MOST_WORDS).collect();
            words.lines().for_each(|line| text.push_str(&format!("\n> {line}")));
        }
        text
    }

    fn who_it_is(&self) -> String {
        let known = &self.who.known;
        let name = self.who.display_name();
        let role = [known.title.as_deref(), known.company.name.as_deref()];
        let role: Vec<&str> = role.into_iter().flatten().collect();
        let first = [name.as_str(), &role.join(" at ")].join(", ");
        let email = known.email.as_ref().map(ToString::to_string);
        let phones = known.phones.iter().map(ToString::to_string);
        let ways: Vec<String> = email
            .into_iter()
            .chain(phones)
            .chain(known.linkedin.as_deref().map(linkedin))
            .collect();
        format!("{}\n{}", first.trim_end_matches(", "), ways.join(" · ")).trim_end().to_owned()
    }

    fn when(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%a %-d %b %H:%M").to_string()
    }
}
