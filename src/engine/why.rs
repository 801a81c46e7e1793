//! Why something waits: what happens next for a person, and everything that has happened.

use jiff::Timestamp;

use super::profiles::Standing;
use super::{Engine, EngineError, Person};
use crate::domain::address::EmailAddress;
use crate::domain::budget::Waiting;
use crate::domain::enrollment::{Ending, Member};
use crate::domain::ids::{BuyerRole, ProspectId, TaskId};
use crate::domain::log::Entry;
use crate::domain::prospect::Prospect;
use crate::domain::suppression::{Subject, Suppression};
use crate::domain::touch::{Status, Touch};
use crate::ports::{Lane, TaskRecord};

mod trace;

pub use trace::{Check, Trace, Verdict};

/// Everything that is known of why a person is where they are.
pub struct Story {
    pub prospect: Prospect,
    /// The lists that brought the person, oldest first.
    pub lists: Vec<String>,
    /// The applied profiles, and how the person stands to each.
    pub profiles: Vec<Standing>,
    pub enrollments: Vec<Chapter>,
    pub blocks: Vec<Suppression>,
    pub log: Vec<Entry>,
    /// When it was told.
    pub now: Timestamp,
}

/// One enrollment of the story.
pub struct Chapter {
    pub person: Person,
    /// Until when it waits, and for what; the mailbox's own reason when that is what holds it.
    pub waits: Option<(Timestamp, Waiting)>,
    pub in_doubt: Vec<Touch>,
    /// Everything that was tried, each with the version that made it.
    pub touches: Vec<Touch>,
    /// What the next step is held against.
    pub trace: Option<Trace>,
    /// What a person is asked to do.
    pub task: Option<TaskRecord>,
    /// The people of the account, where the enrollment covers a company.
    pub account: Vec<Colleague>,
}

/// One of the people of an account.
pub struct Colleague {
    pub role: BuyerRole,
    pub who: ProspectId,
    pub name: String,
    pub left: Option<(Ending, Timestamp)>,
    /// Whether it is their turn.
    pub has_turn: bool,
}

impl Engine {
    /// The story of a prospect, found by id, address or name of a task.
    ///
    /// # Errors
    /// There is no such prospect.
    pub async fn why(&self, who: &str) -> Result<Story, EngineError> {
        let id = self.find_prospect(who).await?;
        let not_found = || EngineError::NotFound {
            what: "prospect or task",
            name: who.to_owned(),
            hint: ": give an e-mail address, a prospect id, or `task:<number>`".to_owned(),
        };
        let id = id.ok_or_else(not_found)?;
        let prospect = self.store.prospects(&[id]).await?.pop().ok_or_else(not_found)?;
        let mut enrollments = Vec::new();
        for record in self.store.enrollments_of(id).await? {
            if let Some(person) = self.member(record.id, id).await? {
                enrollments.push(self.chapter(person).await?);
            }
        }
        let blocks = self.store.suppressions(&Subject::all_of(&prospect)).await?;
        let log = self.store.log_of(id).await?;
        let lists = self.lists_of(id).await?;
        let profiles = self.standings(&prospect).await?;
        Ok(Story { prospect, lists, profiles, enrollments, blocks, log, now: self.now() })
    }

    /// A prospect by address, id or task.
    ///
    /// # Errors
    /// The store failed.
    pub async fn find_prospect(&self, who: &str) -> Result<Option<ProspectId>, EngineError> {
        if let Ok(address) = who.parse::<EmailAddress>() {
            return Ok(self.store.prospects_by_email(&[address]).await?.first().copied());
        }
        if let Some(number) = who.strip_prefix("task:").and_then(|number| number.parse().ok()) {
            return Ok(self.store.task(TaskId(number)).await?.map(|task| task.prospect));
        }
        Ok(who.parse().ok().map(ProspectId))
    }

    async fn chapter(&self, person: Person) -> Result<Chapter, EngineError> {
        let touches = self.store.touches_of(person.enrollment.id).await?;
        let doubtful = |touch: &Touch| matches!(touch.status, Status::InDoubt | Status::Intended);
        let in_doubt = touches.iter().filter(|touch| doubtful(touch)).cloned().collect();
        let mut waits = person.enrollment.wake.as_ref().map(|wake| (wake.at, wake.waiting));
        if let Some(wake) = &person.enrollment.wake
            && let Lane::Mailbox(mailbox) = &wake.lane
            && wake.at <= self.now()
        {
            let record = self.store.mailbox(mailbox).await?;
            let now = self.now();
            let stale = !self.is_fresh(record.inbox_read_at, now);
            let gone = !self.settings.mailboxes.contains_key(mailbox);
            let has_inbox = self.settings.mailboxes.get(mailbox).is_some_and(|m| m.has_inbox);
            let gap = record.next_send_at.map(|at| (at, Waiting::MailboxLimit));
            let held = record.waits.max(gap).filter(|(until, _)| *until > now);
            waits = match held {
                // `run` gives these people to their owner's mailbox when it starts.
                _ if gone => Some((now, Waiting::MailboxDown)),
                Some(held) => Some(held),
                None if stale && has_inbox => Some((now, Waiting::InboxStale)),
                None => waits,
            };
        }
        let tasks = self.store.tasks(None).await?;
        let task = tasks.into_iter().find(|task| task.enrollment == person.enrollment.id);
        let account = self.colleagues_of(&person).await?;
        let trace = self.trace(&person).await?;
        Ok(Chapter { person, waits, in_doubt, touches, trace, task, account })
    }

    async fn colleagues_of(&self, person: &Person) -> Result<Vec<Colleague>, EngineError> {
        let Some(account) = &person.enrollment.state.account else { return Ok(Vec::new()) };
        let ids: Vec<ProspectId> = account.members.iter().map(|member| member.who).collect();
        let people = self.store.prospects(&ids).await?;
        let name = |who| {
            let found = people.iter().find(|prospect| prospect.id == who);
            found.map_or_else(|| who.to_string(), Prospect::display_name)
        };
        let colleague = |(at, member): (usize, &Member)| Colleague {
            role: member.role.clone(),
            who: member.who,
            name: name(member.who),
            left: member.left,
            has_turn: at == account.turn,
        };
        Ok(account.members.iter().enumerate().map(colleague).collect())
    }
}
