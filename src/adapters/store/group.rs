//! Small writes that wait for the database at the same time go there in one transaction.
//!
//! Whoever comes first leads: it takes along what else waits, checks each intent by itself, writes
//! what is admitted with one statement for each table, commits once, and tells everybody what came of
//! theirs. Nobody waits for company: a lonely write leaves at once.
//!
//! Together is never less than alone: writes that could see each other are not in one transaction, and
//! when anything goes wrong before the commit, each is tried again by itself, so that a write that is
//! refused is refused alone.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::{Any, Transaction};
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::{SqlStore, failed, intend, write};
use crate::ports::{Changes, Guards, Intent, StoreError};

type Tx = Transaction<'static, Any>;

/// Writes in one transaction at most.
const TOGETHER: usize = 64;

/// The writes that wait, and whose turn it is.
#[derive(Default)]
pub(super) struct Group {
    waiting: Mutex<VecDeque<Request>>,
    turn: tokio::sync::Mutex<()>,
}

/// One write; with guards it is an intent.
struct Write {
    changes: Changes,
    guards: Option<Guards>,
}

/// A write that somebody waits for.
struct Request {
    write: Write,
    /// What it must not share with another one of the same transaction.
    keys: BTreeSet<String>,
    answer: oneshot::Sender<Result<Intent, StoreError>>,
}

/// Why nothing was written, or nobody knows.
enum Failed {
    BeforeCommit(StoreError),
    AtCommit(StoreError),
}

impl SqlStore {
    /// Writes; an intent only when its guards admit it.
    pub(super) async fn commit(
        &self,
        changes: Changes,
        guards: Option<Guards>,
    ) -> Result<Intent, StoreError> {
        let keys = keys(&changes, guards.as_ref());
        let write = Write { changes, guards };
        match keys {
            Some(keys) => self.commit_together(write, keys).await,
            None => self.commit_alone(write).await,
        }
    }

    async fn commit_alone(&self, write: Write) -> Result<Intent, StoreError> {
        let (mut intents, tx) = self.prepare(&[&write]).await?;
        // Taking a thousand people apart again takes a while: the disk does as well.
        let (done, ()) = tokio::join!(end(tx), async { drop(write) });
        done.map_err(StoreError::from)?;
        Ok(intents.remove(0))
    }

    async fn commit_together(
        &self,
        write: Write,
        keys: BTreeSet<String>,
    ) -> Result<Intent, StoreError> {
        let (answer, mut answered) = oneshot::channel();
        self.group.push(Request { write, keys, answer });
        loop {
            let _turn = tokio::select! {
                biased;
                done = &mut answered => return done.unwrap_or_else(|_| Err(interrupted())),
                turn = self.group.turn.lock() => turn,
            };
            match answered.try_recv() {
                Ok(done) => return done,
                Err(TryRecvError::Closed) => return Err(interrupted()),
                Err(TryRecvError::Empty) => self.write_all(self.group.take()).await,
            }
        }
    }

    async fn write_all(&self, batch: Vec<Request>) {
        let writes: Vec<&Write> = batch.iter().map(|request| &request.write).collect();
        match self.try_all(&writes).await {
            Ok(intents) => {
                for (request, intent) in batch.into_iter().zip(intents) {
                    request.tell(Ok(intent));
                }
            }
            Err(Failed::BeforeCommit(_)) if batch.len() > 1 => {
                for request in batch {
                    let done = self.try_all(&[&request.write]).await;
                    request.tell(done.map(|mut intents| intents.remove(0)).map_err(Into::into));
                }
            }
            Err(failed) => {
                let error = StoreError::from(failed);
                for request in batch {
                    request.tell(Err(error.clone()));
                }
            }
        }
    }

    /// One answer for each write, in their order.
    async fn try_all(&self, writes: &[&Write]) -> Result<Vec<Intent>, Failed> {
        let (intents, tx) = self.prepare(writes).await.map_err(Failed::BeforeCommit)?;
        end(tx).await?;
        Ok(intents)
    }

    /// Everything but the commit; no transaction when nothing was admitted.
    async fn prepare(&self, writes: &[&Write]) -> Result<(Vec<Intent>, Option<Tx>), StoreError> {
        let mut tx = self.begin().await?;
        let intents = self.admit_all(&mut tx, writes).await?;
        let admitted = writes.iter().zip(&intents).filter(|(_, i)| **i == Intent::Committed);
        let admitted: Vec<&Changes> = admitted.map(|(write, _)| &write.changes).collect();
        if admitted.is_empty() {
            tx.rollback().await.map_err(failed("roll back"))?;
            return Ok((intents, None));
        }
        write::apply(self, &mut tx, &admitted).await?;
        Ok((intents, Some(tx)))
    }

    async fn admit_all(&self, tx: &mut Tx, writes: &[&Write]) -> Result<Vec<Intent>, StoreError> {
        let asked: Vec<&Guards> = writes.iter().filter_map(|write| write.guards.as_ref()).collect();
        if asked.is_empty() {
            return Ok(vec![Intent::Committed; writes.len()]);
        }
        let mut decided = intend::admit(self, tx, &asked).await?.into_iter();
        let of = |write: &&Write| match write.guards {
            Some(_) => decided.next().unwrap_or(Intent::NotOurs),
            None => Intent::Committed,
        };
        Ok(writes.iter().map(of).collect())
    }
}

async fn end(tx: Option<Tx>) -> Result<(), Failed> {
    match tx {
        Some(tx) => tx.commit().await.map_err(|error| Failed::AtCommit(failed("commit")(error))),
        None => Ok(()),
    }
}

impl Group {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Request>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, request: Request) {
        self.waiting().push_back(request);
    }

    /// Those from the front that go together, in their order. Whoever shares something with one before
    /// stays behind it.
    fn take(&self) -> Vec<Request> {
        let mut waiting = self.waiting();
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let (mut batch, mut left) = (Vec::new(), VecDeque::new());
        for request in waiting.drain(..) {
            let fits = batch.len() < TOGETHER && request.keys.is_disjoint(&taken);
            taken.extend(request.keys.iter().cloned());
            match fits {
                true => batch.push(request),
                false => left.push_back(request),
            }
        }
        *waiting = left;
        batch
    }
}

impl Request {
    /// Whoever does not wait any more need not know.
    fn tell(self, done: Result<Intent, StoreError>) {
        drop(self.answer.send(done));
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::BeforeCommit(error) | Failed::AtCommit(error) => error,
        }
    }
}

/// The one who wrote for us was stopped: nobody knows whether it is on record.
fn interrupted() -> StoreError {
    StoreError::Database { attempted: "commit", detail: "the write was interrupted".to_owned() }
}

/// What a write must not share with another one of the same transaction; `None` when it goes alone,
/// because it changes what guards look at or what is not kept row by row.
fn keys(changes: &Changes, guards: Option<&Guards>) -> Option<BTreeSet<String>> {
    let Changes { moved, touches, tasks, milestones, close_tasks, log, .. } = changes;
    if !is_small(changes) {
        return None;
    }
    let mut keys = BTreeSet::new();
    let enrollments = moved.iter().map(|moved| moved.id);
    let enrollments = enrollments.chain(touches.iter().map(|touch| touch.enrollment));
    let enrollments = enrollments.chain(tasks.iter().map(|task| task.enrollment));
    let enrollments = enrollments.chain(milestones.iter().map(|record| record.enrollment));
    let enrollments = enrollments.chain(close_tasks.iter().map(|(enrollment, _)| *enrollment));
    let enrollments = enrollments.chain(log.iter().filter_map(|entry| entry.enrollment));
    keys.extend(enrollments.map(|id| format!("enrollment:{id}")));
    let people = touches.iter().map(|touch| touch.prospect);
    let people = people.chain(log.iter().filter_map(|entry| entry.prospect));
    keys.extend(people.map(|id| format!("person:{id}")));
    if let Some(guards) = guards {
        keys.extend(guards.quiet.iter().map(|(person, ..)| format!("person:{person}")));
        keys.extend(guards.company.iter().map(|(company, ..)| format!("company:{company}")));
        keys.extend(guards.mailbox.iter().map(|guard| format!("mailbox:{}", guard.mailbox)));
    }
    Some(keys)
}

/// Whether a write is a step of somebody's way and nothing else.
fn is_small(changes: &Changes) -> bool {
    let Changes {
        moved: _,
        touches: _,
        settled: _,
        tasks: _,
        close_tasks: _,
        milestones: _,
        log: _,
        versions,
        profiles,
        applied,
        profiles_gone,
        lists,
        list_members,
        imports,
        import_rows,
        undone,
        recognised,
        column_map,
        companies,
        prospects,
        told,
        starts,
        started,
        enrolled,
        came_back,
        tasks_changed,
        tasks_reopened,
        milestones_gone,
        suppressions_gone,
        people_of,
        absences,
        woken,
        suppressions,
        inbound,
        inbox_read,
        held,
        released,
        mailbox_waits,
    } = changes;
    let many = [
        versions.len(),
        profiles.len(),
        applied.len(),
        profiles_gone.len(),
        lists.len(),
        list_members.len(),
        imports.len(),
        import_rows.len(),
        recognised.len(),
        companies.len(),
        prospects.len(),
        starts.len(),
        started.len(),
        enrolled.len(),
        came_back.len(),
        tasks_changed.len(),
        tasks_reopened.len(),
        milestones_gone.len(),
        suppressions_gone.len(),
        absences.len(),
        woken.len(),
        suppressions.len(),
        inbound.len(),
        held.len(),
        released.len(),
    ];
    let one = [
        undone.is_some(),
        column_map.is_some(),
        told.is_some(),
        people_of.is_some(),
        inbox_read.is_some(),
        mailbox_waits.is_some(),
    ];
    many.iter().all(|n| *n == 0) && one.iter().all(|is_there| !is_there)
}
