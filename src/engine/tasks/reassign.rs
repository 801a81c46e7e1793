//! Tasks and people that are another rep's from now on.

use jiff::Timestamp;

use crate::domain::ids::{MailboxId, RepId, TaskId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::touch::Touch;
use crate::engine::away::reassigned;
use crate::engine::{Engine, EngineError, Person};
use crate::ports::{Changes, EnrollmentRecord, StoreError, TaskRecord};

/// How often somebody is looked at again who has just moved on.
const RACES: usize = 5;

/// What became of tasks that were to be somebody else's.
#[derive(Debug, Clone, Default)]
pub struct Reassigned {
    pub moved: Vec<TaskRecord>,
    /// Those that are not, and why.
    pub not: Vec<(TaskId, String)>,
    /// Until when the new rep is away.
    pub away_until: Option<Timestamp>,
}

/// What became of somebody's people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeopleMoved {
    /// Enrollments under way that have another owner.
    pub enrollments: usize,
    /// Those of them whose next mails come from another mailbox, because none had left yet or the one
    /// before is gone.
    pub mailboxes: usize,
}

impl Engine {
    /// Gives these tasks to somebody, each by itself.
    ///
    /// # Errors
    /// The store failed; what was done until then is on record.
    pub async fn reassign(
        &self,
        tasks: &[TaskId],
        to: &RepId,
        by: &str,
    ) -> Result<Reassigned, EngineError> {
        let now = self.now();
        let absences = self.absences(now).await?;
        let away = absences.0.iter().filter(|one| one.rep == *to && one.covers(now));
        let away_until = away.map(|absence| absence.ends()).max();
        let mut result = Reassigned { away_until, ..Reassigned::default() };
        for id in tasks {
            match self.store.task(*id).await? {
                Some(task) if task.open && task.rep == *to => {
                    result.not.push((*id, format!("is {to}'s already")));
                }
                Some(task) if task.open => match self.give(&task, to, by, now).await {
                    Ok(()) => result.moved.push(task),
                    Err(StoreError::Stale(_)) => result.not.push((*id, "was done just now".into())),
                    Err(error) => return Err(error.into()),
                },
                _ => result.not.push((*id, "is no open task".to_owned())),
            }
        }
        Ok(result)
    }

    async fn give(
        &self,
        task: &TaskRecord,
        to: &RepId,
        by: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let entry = Entry { actor: by.to_owned(), ..reassigned(task, to, "by_hand", now) };
        let tasks_changed = vec![TaskRecord { rep: to.clone(), covers: None, ..task.clone() }];
        self.store.write(Changes { tasks_changed, log: vec![entry], ..Changes::default() }).await
    }

    /// The open tasks of a rep, also those that somebody else does meanwhile.
    ///
    /// # Errors
    /// The store failed.
    pub async fn tasks_of(&self, rep: &RepId) -> Result<Vec<TaskId>, EngineError> {
        let is_theirs = |task: &TaskRecord| task.covers.as_ref().unwrap_or(&task.rep) == rep;
        let all = self.store.tasks(None).await?;
        Ok(all.into_iter().filter(is_theirs).map(|task| task.id).collect())
    }

    /// Makes somebody's people another rep's. Conversations stay with the mailbox that began them, unless
    /// it is gone.
    ///
    /// # Errors
    /// The store failed; what was done until then is on record, and the same again does the rest.
    pub async fn reassign_people(
        &self,
        from: &RepId,
        to: &RepId,
        by: &str,
    ) -> Result<PeopleMoved, EngineError> {
        let mut moved = PeopleMoved::default();
        for record in self.store.enrollments_of_owner(from).await? {
            let changed_mailbox = self.change_owner(record, to, by).await?;
            moved.enrollments += 1;
            moved.mailboxes += usize::from(changed_mailbox);
        }
        let now = self.now();
        let entry = Entry { actor: by.to_owned(), ..Entry::new(now, Happened::Reassigned) };
        let log = vec![entry.with("from", from).with("to", to).with("reason", "people")];
        let people_of = Some((from.clone(), to.clone()));
        self.store.write(Changes { people_of, log, ..Changes::default() }).await?;
        Ok(moved)
    }

    async fn change_owner(
        &self,
        record: EnrollmentRecord,
        to: &RepId,
        by: &str,
    ) -> Result<bool, EngineError> {
        for _ in 0..RACES {
            let Some(mut person) = self.person(record.id).await? else { return Ok(false) };
            let now = self.now();
            let mailbox = self.next_mailbox(&person, to).await?;
            if let Some(mailbox) = &mailbox {
                person.enrollment.mailbox = Some(mailbox.clone());
            }
            let wake = person.enrollment.wake.clone();
            let mut changes = person.moved(person.enrollment.state.clone(), now);
            for moved in &mut changes.moved {
                moved.owner = Some(to.clone());
                moved.mailbox = mailbox.clone();
                keep_waiting(moved.wake.as_mut(), wake.as_ref());
            }
            let entry = person.entry(now, Happened::Reassigned).with("reason", "people");
            let entry = entry.with("from", &record.owner).with("to", to);
            changes.log.push(Entry { actor: by.to_owned(), ..entry });
            match self.store.write(changes).await {
                Err(StoreError::Stale(_)) => {}
                other => return other.map(|()| mailbox.is_some()).map_err(Into::into),
            }
        }
        Err(EngineError::Busy(format!("enrollment {} moves on all the time: try again", record.id)))
    }

    /// The mailbox from which the next mails come, where that is another one.
    async fn next_mailbox(
        &self,
        person: &Person,
        to: &RepId,
    ) -> Result<Option<MailboxId>, EngineError> {
        let current = person.enrollment.mailbox.as_ref();
        let is_there = current.is_some_and(|id| self.settings.mailboxes.contains_key(id));
        let touches = self.store.touches_of(person.enrollment.id).await?;
        let is_known_there = touches.iter().any(|touch: &Touch| touch.mail.is_some());
        if is_there && is_known_there {
            return Ok(None);
        }
        let next = self.settings.mailbox_of(to).map(|mailbox| mailbox.id.clone());
        Ok(next.filter(|next| Some(next) != current))
    }
}

/// What was put off for a reason of its own stays so.
fn keep_waiting(wake: Option<&mut crate::ports::Wake>, before: Option<&crate::ports::Wake>) {
    use crate::domain::budget::Waiting;
    if let Some((wake, before)) = wake.zip(before)
        && before.at > wake.at
        && before.waiting != Waiting::OwnerAway
    {
        (wake.at, wake.waiting) = (before.at, before.waiting);
    }
}
