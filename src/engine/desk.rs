//! The worker of everything that is no mail: tasks to open, tasks that expire, pauses that end, doubts
//! to settle.

use jiff::Timestamp;

use super::dispatch::{blocking, circumstances, transition};
use super::{Engine, EngineError, Person};
use crate::domain::cadence::Channel;
use crate::domain::enrollment::{Effect, Event, Phase, State, TaskKind};
use crate::domain::ids::{EnrollmentId, MailboxId};
use crate::domain::log::What as Happened;
use crate::domain::schedule::IN_FLIGHT_AT_MOST;
use crate::domain::touch::{Milestone, Status, Touch};
use crate::ports::{Changes, Guards, Intent, Lane, MilestoneRecord, StoreError};

/// Rows that one round looks at.
const ROUND: u32 = 200;

impl Engine {
    /// Works what is due at the desk, and says when to come back.
    ///
    /// # Errors
    /// The store failed; what was done until then is on record.
    pub async fn work_desk(&self) -> Result<Option<Timestamp>, EngineError> {
        loop {
            let now = self.now();
            self.hold_back(&Lane::Desk, now).await?;
            let due = self.store.due(&Lane::Desk, now, ROUND).await?;
            if due.is_empty() {
                return Ok(self.store.next_wake(&Lane::Desk).await?);
            }
            for enrollment in due {
                match self.desk_one(enrollment, now).await {
                    Err(EngineError::Store(StoreError::Stale(_))) => {}
                    other => other?,
                }
            }
        }
    }

    /// After a crash of the only process on a database: what was on its way is in doubt at once.
    ///
    /// # Errors
    /// The store failed.
    pub async fn recover(&self) -> Result<usize, EngineError> {
        let on_their_way = self.store.enrollments_on_their_way().await?;
        let now = self.now();
        for enrollment in &on_their_way {
            if let Some(person) = self.person(enrollment.id).await? {
                self.lose(&person, now).await?;
            }
        }
        Ok(on_their_way.len())
    }

    /// People who wait for a mailbox that is not in the settings any more go on with their owner's.
    ///
    /// # Errors
    /// The store failed.
    pub async fn adopt(&self) -> Result<usize, EngineError> {
        let mailboxes: Vec<MailboxId> = self.settings.mailboxes.keys().cloned().collect();
        let mut adopted = 0;
        for record in self.store.enrollments_without(&mailboxes).await? {
            let Some(mut person) = self.person(record.id).await? else { continue };
            let Some(mailbox) = self.settings.mailbox_of(&record.owner) else { continue };
            let now = self.now();
            person.enrollment.mailbox = Some(mailbox.id.clone());
            let mut changes = person.moved(record.state, now);
            for moved in &mut changes.moved {
                moved.mailbox = Some(mailbox.id.clone());
            }
            let entry = person.entry(now, Happened::Moved).with("mailbox", &mailbox.id);
            changes.log.push(entry);
            self.store.write(changes).await?;
            adopted += 1;
        }
        Ok(adopted)
    }

    async fn desk_one(&self, id: EnrollmentId, now: Timestamp) -> Result<(), EngineError> {
        let Some(person) = self.due_person(id, &Lane::Desk, now).await? else {
            return Ok(());
        };
        match &person.enrollment.state.phase {
            Phase::Sending { .. } => self.lose(&person, now).await,
            Phase::InDoubt { .. } => self.assume_sent(&person, now).await,
            Phase::Waiting { .. } => self.open(&person, now).await,
            Phase::Paused { .. } => {
                let (state, effects) = transition(&person, Event::Resumed, now)?;
                let mut changes = self.changes(&person, state, &effects, now).await?;
                changes.log.push(person.entry(now, Happened::Resumed));
                Ok(self.store.write(changes).await?)
            }
            Phase::OnTask { .. }
            | Phase::Triage { .. }
            | Phase::OnReply { .. }
            | Phase::Offered { .. }
            | Phase::HandedBack { .. }
            | Phase::Closing { .. } => {
                if self.waits_for_return(&person, now).await? {
                    return Ok(());
                }
                let event = Event::Due(circumstances(&person));
                let (state, effects) = transition(&person, event, now)?;
                let after = state.clone();
                let mut changes = self.changes(&person, state, &effects, now).await?;
                self.tell_colleagues(&person, &after, now, &mut changes).await?;
                Ok(self.store.write(changes).await?)
            }
            Phase::Ended { .. } => Ok(()),
        }
    }

    /// Nobody came back with a result: the mail is in doubt, and stays unsent or sent as it is.
    async fn lose(&self, person: &Person, now: Timestamp) -> Result<(), EngineError> {
        let (state, effects) = transition(person, Event::Lost, now)?;
        let changes = self.changes(person, state, &effects, now).await?;
        self.settle_touch(person, changes, Status::InDoubt, Happened::InDoubt, now).await
    }

    /// The grace is over without evidence: it counts as sent, and every report says so.
    async fn assume_sent(&self, person: &Person, now: Timestamp) -> Result<(), EngineError> {
        let (state, effects) = transition(person, Event::Settled, now)?;
        let changes = self.changes(person, state, &effects, now).await?;
        self.settle_touch(person, changes, Status::AssumedSent, Happened::Settled, now).await
    }

    async fn settle_touch(
        &self,
        person: &Person,
        mut changes: Changes,
        status: Status,
        what: Happened,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let touches = self.store.touches_of(person.enrollment.id).await?;
        let unsettled = |touch: &&Touch| matches!(touch.status, Status::Intended | Status::InDoubt);
        if let Some(touch) = touches.iter().find(unsettled) {
            settle(person, touch, status, what, now, &mut changes);
        }
        Ok(self.store.write(changes).await?)
    }

    /// A step's time has come: its task is opened under the same guards as a mail, or it is passed over.
    async fn open(&self, person: &Person, now: Timestamp) -> Result<(), EngineError> {
        let (state, effects) = transition(person, Event::Due(circumstances(person)), now)?;
        let opens = effects.iter().find_map(|effect| match effect {
            Effect::OpenTask { kind: kind @ (TaskKind::Touch(_) | TaskKind::Review), .. } => {
                Some(*kind)
            }
            _ => None,
        });
        // A mail that waits at the desk has no mailbox: it is looked at again when one is there.
        if effects.iter().any(|effect| matches!(effect, Effect::SendMail { .. })) {
            let until = now + jiff::SignedDuration::from_hours(1);
            return self.put_off(person, until, crate::domain::budget::Waiting::MailboxDown).await;
        }
        match opens {
            Some(kind) if kind != TaskKind::Touch(Channel::Task) => {
                if self.waits_for_colleague(person, now).await? {
                    return Ok(());
                }
                self.open_guarded(person, (state, effects), kind, now).await
            }
            _ => {
                let changes = self.changes(person, state, &effects, now).await?;
                let owner = Some(person.enrollment.owner.clone());
                let guards = Guards { now, holds: person.holds(), owner, ..Guards::default() };
                self.intend_at_desk(person, changes, guards).await
            }
        }
    }

    async fn open_guarded(
        &self,
        person: &Person,
        (state, effects): (State, Vec<Effect>),
        kind: TaskKind,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let changes = self.changes(person, state, &effects, now).await?;
        // Reading a mail touches nobody: the touch is counted when it is sent, under guards of its own.
        let (channel, caps, touches) = match kind {
            TaskKind::Touch(channel) => (channel, self.person_caps(person), true),
            _ => (Channel::Email, self.new_caps(person), false),
        };
        let (prospect, enrollment) = (person.prospect.id, person.enrollment.id);
        let asked = changes.tasks.iter().flat_map(|task| self.quotas(&task.rep, task.metered));
        let quotas = asked.collect();
        let guards = Guards {
            now,
            lease: None,
            holds: person.holds(),
            subjects: blocking(person, channel),
            caps,
            company: self.company_guard(person),
            rep: self.rep_guard(person),
            quotas,
            quiet: touches.then_some((prospect, enrollment, self.settings.limits.prospect_gap)),
            mailbox: None,
            owner: Some(person.enrollment.owner.clone()),
        };
        self.intend_at_desk(person, changes, guards).await
    }

    async fn intend_at_desk(
        &self,
        person: &Person,
        changes: Changes,
        guards: Guards,
    ) -> Result<(), EngineError> {
        match self.store.intend(changes, guards).await? {
            Intent::Wait { reason, until } => self.put_off(person, until, reason).await,
            // Blocked: the next look finds the channel closed and passes over the step.
            Intent::Committed | Intent::NotOurs | Intent::Blocked => Ok(()),
        }
    }

    /// What nobody waits for, so that no other worker does it.
    ///
    /// # Errors
    /// The store failed; what was done until then is on record.
    pub async fn keep_house(&self) -> Result<(), EngineError> {
        self.doubt_the_lost().await?;
        self.recognise_everybody().await?;
        self.take_in_left_behind().await?;
        self.note_deliveries().await?;
        self.mind_absences().await?;
        Ok(())
    }

    /// A mail was on its way when its process died, and a reply ended the enrollment before anybody
    /// looked: the desk never sees it again, so it is put in doubt here.
    async fn doubt_the_lost(&self) -> Result<usize, EngineError> {
        let now = self.now();
        let mut lost = 0;
        for touch in self.store.touches_in_doubt().await? {
            let left_alone = touch.at.duration_until(now) > IN_FLIGHT_AT_MOST;
            if touch.status != Status::Intended || !left_alone {
                continue;
            }
            let Some(person) = self.member(touch.enrollment, touch.prospect).await? else {
                continue;
            };
            if let Phase::Sending { .. } = person.enrollment.state.phase {
                continue;
            }
            let mut changes = Changes::default();
            settle(&person, &touch, Status::InDoubt, Happened::InDoubt, now, &mut changes);
            self.store.write(changes).await?;
            lost += 1;
        }
        Ok(lost)
    }

    /// Notes deliveries: mails that did not come back within the bounce window.
    ///
    /// # Errors
    /// The store failed.
    pub async fn note_deliveries(&self) -> Result<usize, EngineError> {
        let now = self.now();
        let until = now - self.settings.bounce_window;
        let touches = self.store.undelivered_before(until, 500).await?;
        let milestones: Vec<MilestoneRecord> = touches
            .iter()
            .map(|touch| MilestoneRecord {
                enrollment: touch.enrollment,
                prospect: touch.prospect,
                milestone: Milestone::Delivered,
                touch: touch.id,
                at: touch.at,
            })
            .collect();
        let n = milestones.len();
        if n > 0 {
            self.store.write(Changes { milestones, ..Changes::default() }).await?;
        }
        Ok(n)
    }
}

/// What is known of a mail without its server's word, and that it was tried.
pub(super) fn settle(
    person: &Person,
    touch: &Touch,
    status: Status,
    what: Happened,
    now: Timestamp,
    changes: &mut Changes,
) {
    changes.settled.push((touch.id, status));
    let mut entry = person.entry(now, what).with("step", &touch.step).with("channel", "email");
    entry.touch = Some(touch.id);
    changes.log.push(entry);
    changes.milestones.push(MilestoneRecord {
        enrollment: person.enrollment.id,
        prospect: person.prospect.id,
        milestone: Milestone::Attempt,
        touch: touch.id,
        at: now,
    });
}
