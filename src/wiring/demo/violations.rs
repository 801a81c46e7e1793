//! What must never be seen in the mail that the simulated people really got.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Demo, DemoError};
use crate::adapters::simulated::world::Taken;
use crate::domain::cadence::StepHours;
use crate::domain::calendar::Hours;
use crate::domain::ids::{EnrollmentId, ProspectId};
use crate::domain::log::{Entry, What};
use crate::domain::touch::Touch;
use crate::ports::ReplyRecord;

/// Entries that are read at a time.
const PAGE: u32 = 2_000;

/// Tasks with which a person of ours says what a reply means, or takes the person over.
const ANSWERED: [&str; 3] = ["reply", "triage", "hand_off"];

/// A mail that was taken in, and the touch that it was.
struct Mail {
    at: Timestamp,
    touch: Touch,
}

/// What is on record of people and accounts.
#[derive(Default)]
struct Record {
    replies: Vec<ReplyRecord>,
    /// When a person of ours answered for somebody.
    answered: Vec<(EnrollmentId, ProspectId, Timestamp)>,
    /// Who is of which account.
    accounts: BTreeMap<EnrollmentId, BTreeSet<ProspectId>>,
    left: BTreeMap<(EnrollmentId, ProspectId), Timestamp>,
}

impl Demo {
    /// What the world saw that must never be seen, one sentence each.
    ///
    /// # Errors
    /// The store failed.
    pub async fn violations(&self) -> Result<Vec<String>, DemoError> {
        let taken = self.world.taken();
        let mut found = doubles(&taken);
        found.extend(self.caps(&taken));
        let mails = self.mails(&taken, &mut found).await?;
        let record = self.record().await?;
        found.extend(mails.iter().flat_map(|mail| record.wrongs(mail)));
        for mail in &mails {
            found.extend(self.outside_hours(mail).await?);
        }
        Ok(found)
    }

    fn caps(&self, taken: &[Taken]) -> Vec<String> {
        let day = SignedDuration::from_hours(24);
        let mut found = Vec::new();
        for mailbox in self.engine().settings.mailboxes.values() {
            let times: Vec<Timestamp> =
                taken.iter().filter(|m| m.from == mailbox.from.as_str()).map(|m| m.at).collect();
            let limit = usize::try_from(mailbox.daily_limit).unwrap_or(usize::MAX);
            let over = times.windows(limit + 1).any(|run| match (run.first(), run.last()) {
                (Some(first), Some(last)) => first.duration_until(*last) < day,
                _ => false,
            });
            if over {
                found.push(format!("mailbox {} went over its daily limit", mailbox.id));
            }
        }
        found
    }

    /// Every mail with its touch; a mail without one, or to somebody else, is found.
    async fn mails(
        &self,
        taken: &[Taken],
        found: &mut Vec<String>,
    ) -> Result<Vec<Mail>, DemoError> {
        let mut mails = Vec::new();
        for mail in taken {
            let ids = std::slice::from_ref(&mail.message_id);
            let Some(touch) = self.engine().store.touch_by_message_id(ids).await? else {
                found.push(format!("a mail at {} has no touch on record", mail.at));
                continue;
            };
            if self.engine().find_prospect(&mail.to).await? != Some(touch.prospect) {
                found.push(format!("a mail at {} went to nobody on record", mail.at));
            }
            mails.push(Mail { at: mail.at, touch });
        }
        Ok(mails)
    }

    async fn record(&self) -> Result<Record, DemoError> {
        let replies = self.engine().store.replies(100_000).await?;
        let mut record = Record { replies, ..Record::default() };
        let mut last = 0;
        loop {
            let (entries, behind) = self.engine().store.log_after(last, PAGE).await?;
            if entries.is_empty() {
                return Ok(record);
            }
            entries.iter().for_each(|entry| record.add(entry));
            last = behind;
        }
    }

    async fn outside_hours(&self, mail: &Mail) -> Result<Option<String>, DemoError> {
        let Mail { at, touch } = mail;
        let person = self.engine().member(touch.enrollment, touch.prospect).await?;
        let Some(person) = person else { return Ok(None) };
        let cadence = &person.version.cadence;
        if cadence.step(&touch.step).is_some_and(|(_, step)| step.hours == StepHours::Any) {
            return Ok(None);
        }
        let window = Hours::Window(&cadence.send_window);
        let open = person.clockwork.calendar.next_open(window, &person.zones, *at);
        let who = touch.prospect;
        let told = || format!("prospect {who} got a mail at {at}, outside the window");
        Ok((open != Some(*at)).then(told))
    }
}

impl Record {
    fn add(&mut self, entry: &Entry) {
        let Some((enrollment, prospect)) = entry.enrollment.zip(entry.prospect) else { return };
        match entry.what {
            What::TaskDone if ANSWERED.contains(&entry.detail("kind")) => {
                self.answered.push((enrollment, prospect, entry.at));
            }
            What::Joined => {
                self.accounts.entry(enrollment).or_default().insert(prospect);
            }
            What::Left => {
                self.left.insert((enrollment, prospect), entry.at);
            }
            _ => {}
        }
    }

    fn wrongs(&self, mail: &Mail) -> Vec<String> {
        let Touch { enrollment, prospect, .. } = mail.touch;
        let mut found = Vec::new();
        if self.left.get(&(enrollment, prospect)).is_some_and(|left| *left < mail.at) {
            found.push(format!(
                "prospect {prospect} got a mail at {}, out of the account since before",
                mail.at
            ));
        }
        let before = self.replies.iter().filter(|reply| reply.received_at < mail.at);
        for reply in before {
            let Some(from) = reply.prospect else { continue };
            if from == prospect && self.forbids(reply, mail) {
                found.push(format!("prospect {prospect} got a mail at {} after the end", mail.at));
            }
            if from != prospect && self.holds(reply, from, mail) {
                found.push(format!(
                    "prospect {prospect} got a mail at {}, while the reply of prospect {from} of the \
                     same account waits for its meaning",
                    mail.at
                ));
            }
        }
        found
    }

    /// Whether the mail must not go to whoever wrote this.
    fn forbids(&self, reply: &ReplyRecord, mail: &Mail) -> bool {
        match reply.kind.as_str() {
            "unsubscribe" | "complaint" => true,
            "reply" => !self.is_answered(reply, mail),
            _ => false,
        }
    }

    /// Whether the reply of somebody else of the account holds the mail.
    fn holds(&self, reply: &ReplyRecord, from: ProspectId, mail: &Mail) -> bool {
        let enrollment = mail.touch.enrollment;
        let is_in = self.accounts.get(&enrollment).is_some_and(|people| people.contains(&from));
        let left = self.left.get(&(enrollment, from));
        let is_out = left.is_some_and(|left| *left <= mail.at);
        is_in && !is_out && reply.kind == "reply" && !self.is_answered(reply, mail)
    }

    /// Whether a person of ours said what it means before the mail left.
    fn is_answered(&self, reply: &ReplyRecord, mail: &Mail) -> bool {
        let in_between = |at: Timestamp| reply.received_at <= at && at <= mail.at;
        self.answered.iter().any(|(enrollment, who, at)| {
            let is_about = Some(*who) == reply.prospect || *enrollment == mail.touch.enrollment;
            is_about && in_between(*at)
        })
    }
}

fn doubles(taken: &[Taken]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let twice = taken.iter().filter(|mail| !seen.insert(&mail.message_id));
    twice.map(|mail| format!("a mail was taken in twice at {}", mail.at)).collect()
}

#[cfg(test)]
mod tests;
