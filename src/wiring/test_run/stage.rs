//! One test from the enrollment to the end.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::adapters::simulated::clock::SimulatedClock;
use crate::adapters::simulated::letters::{Letters, LettersIn, LettersOut, Writes};
use crate::adapters::simulated::memory::MemoryStore;
use crate::domain::cadence::{Cadence, DayKind, When};
use crate::domain::calendar::Calendar;
use crate::domain::enrollment::Phase;
use crate::domain::ids::{EnrollmentId, MailboxId, StepId};
use crate::domain::log::{Entry, What as Happened};
use crate::domain::settings::Settings;
use crate::domain::test_case::{
    Answer, Happening, Incoming, Letter, Moment, Question, ReadAs, Standing, TestCase, TestFile,
};
use crate::engine::enroll::Mode;
use crate::engine::workspace::Workspace;
use crate::engine::{Engine, Parts, zones_of};
use crate::ports::{EnrollmentRecord, Lane, Store};

use super::hands::{Desk, Did, Hands};
use super::{Played, TestError, cast, instant, story};

/// An enrollment that goes on for longer does not end within a test.
const MOST_DAYS: i64 = 1_500;

/// Looks at the clock in one test; a year of weekly retries needs some hundred.
const MOST_LOOKS: usize = 20_000;

/// What people write when a test does not say it.
const FRIENDLY: &str = "Thanks for your mail. How would that work for us?";

/// Everything that one test needs.
pub(super) struct Stage<'a> {
    test: &'a TestCase,
    cadence: Cadence,
    calendar: Calendar,
    zone: TimeZone,
    engine: Engine,
    store: Arc<MemoryStore>,
    clock: Arc<SimulatedClock>,
    letters: Arc<Letters>,
    people: Vec<cast::Actor>,
    mailbox: MailboxId,
    hands: Hands,
    /// What has not happened yet.
    coming: Vec<&'a Happening>,
    complaints: Vec<String>,
    /// Why the person was not let in.
    refused: Option<String>,
}

impl<'a> Stage<'a> {
    pub(super) async fn set(
        settings: Arc<Settings>,
        workspace: &Workspace,
        file: &TestFile,
        test: &'a TestCase,
    ) -> Result<Self, TestError> {
        let missing = || TestError::NoCadence(file.cadence.0.clone());
        let cadence = workspace.cadences.iter().find(|c| c.cadence.id == file.cadence);
        let cadence = cadence.ok_or_else(missing)?.cadence.clone();
        let people = cast::people(&settings, workspace, &cadence, test)?;
        let first = &people.first().ok_or(TestError::Nobody)?.prospect;
        let clockwork = settings.calendars.get(&cadence.calendar).cloned();
        let clockwork = clockwork.ok_or_else(missing)?.of(first);
        let zone =
            zones_of(first, &first.owner, &clockwork).into_iter().next().unwrap_or(TimeZone::UTC);
        let mailbox = settings.mailbox_of(&first.owner).ok_or(TestError::NoRep)?.id.clone();
        let clock = Arc::new(SimulatedClock::new(instant(test.enrolled_at, &zone)));
        let (store, letters) = (Arc::new(MemoryStore::default()), Letters::new(clock.clone()));
        let letters = Arc::new(letters);
        let engine = Engine::new(Parts {
            clock: clock.clone(),
            store: store.clone(),
            mailer: Arc::new(LettersOut(letters.clone())),
            inbox: Arc::new(LettersIn(letters.clone())),
            settings,
            node: "test".to_owned(),
        });
        let mut stage = Self {
            test,
            cadence,
            calendar: clockwork.calendar,
            zone,
            engine,
            store,
            clock,
            letters,
            people,
            mailbox,
            hands: Hands::new(test),
            coming: test.events.iter().collect(),
            complaints: Vec::new(),
            refused: None,
        };
        stage.enroll(workspace).await?;
        Ok(stage)
    }

    async fn enroll(&mut self, workspace: &Workspace) -> Result<(), TestError> {
        self.engine.apply(workspace, None).await?;
        for actor in &self.people {
            cast::enter(&actor.prospect, &*self.store).await?;
        }
        let people: Vec<_> = self.people.iter().map(|actor| actor.prospect.id).collect();
        let enrolled = self.engine.enroll(&people, &self.cadence.id, Mode::Commit).await?;
        if enrolled.enrolled == 0 {
            self.refused = enrolled.skipped.into_keys().next();
        }
        Ok(())
    }

    /// Lets time go by until it is over; what happened.
    pub(super) async fn play(mut self) -> Result<Played, TestError> {
        if self.refused.is_some() {
            return Ok(Played { not_enrolled: self.refused, ..Played::default() });
        }
        let Some(first) = self.enrollment().await? else { return Ok(Played::default()) };
        let mut looks = 0;
        while looks < MOST_LOOKS && self.look(first.id).await? {
            looks += 1;
        }
        if looks == MOST_LOOKS {
            self.complaints.push(format!("it was not over after {MOST_LOOKS} looks at the clock"));
        }
        self.conclude(first.id).await
    }

    async fn enrollment(&self) -> Result<Option<EnrollmentRecord>, TestError> {
        Ok(self.enrollments().into_iter().min_by_key(|record| record.id))
    }

    /// Nobody else is in the store.
    fn enrollments(&self) -> Vec<EnrollmentRecord> {
        let mut all = Vec::new();
        self.store.look_at_enrollments(|record| all.push(record.clone()));
        all
    }

    fn log(&self) -> Vec<Entry> {
        let mut log = Vec::new();
        self.store.look_at_log(|entry| log.push(entry.clone()));
        log
    }

    /// Lets happen what is due and sets the clock to what comes next; `false` when it is over.
    async fn look(&mut self, first: EnrollmentId) -> Result<bool, TestError> {
        let now = self.engine.now();
        let event_at = self.happen(now).await?;
        self.engine.collect(&self.mailbox).await?;
        let mail = self.engine.work_mailbox(&self.mailbox).await?;
        let desk = self.engine.work_desk().await?;
        let desk_of = Desk {
            engine: &self.engine,
            cadence: &self.cadence,
            calendar: &self.calendar,
            zone: &self.zone,
            enrollment: first,
        };
        let task_at = match self.hands.work(&desk_of).await? {
            Did::Something => return Ok(true),
            Did::Nothing(next) => next,
        };
        let ends_at = self.ends_at();
        let coming = event_at.is_some();
        let has_ended = self.enrollment().await?.is_none_or(|record| has_ended(&record));
        if now >= ends_at || (has_ended && !coming) {
            return Ok(false);
        }
        let lane = self.store.next_wake(&Lane::Mailbox(self.mailbox.clone())).await?;
        let next = [event_at, mail.or(lane), desk, task_at].into_iter().flatten().min();
        let soonest = now + SignedDuration::from_secs(1);
        self.clock.set(next.unwrap_or(ends_at).max(soonest).min(ends_at.max(soonest)));
        Ok(true)
    }

    fn ends_at(&self) -> Timestamp {
        let begins = instant(self.test.enrolled_at, &self.zone);
        let latest = begins + SignedDuration::from_hours(24 * MOST_DAYS);
        self.test.until.map_or(latest, |until| instant(until, &self.zone).min(latest))
    }

    /// Lets everything happen that is due; when the next thing is, as far as anybody knows.
    async fn happen(&mut self, now: Timestamp) -> Result<Option<Timestamp>, TestError> {
        let log = self.log();
        let mut next = None;
        for event in std::mem::take(&mut self.coming) {
            match self.at(&event.moment, &log) {
                Some(at) if at <= now => self.come(event).await?,
                Some(at) => {
                    next = Some(next.map_or(at, |other: Timestamp| other.min(at)));
                    self.coming.push(event);
                }
                None => self.coming.push(event),
            }
        }
        Ok(next)
    }

    /// When something happens; `None` while that is not known.
    fn at(&self, moment: &Moment, log: &[Entry]) -> Option<Timestamp> {
        match moment {
            Moment::Day(day, time) => {
                let days = Days::new(self.test, &self.cadence, &self.calendar);
                Some(instant(days.date_of(*day).to_datetime(*time), &self.zone))
            }
            Moment::On(date, time) => Some(instant(date.to_datetime(*time), &self.zone)),
            Moment::Behind(step, delay) => {
                let at = done_at(log, step)?;
                Some(self.calendar.after(at, *delay, &self.zone))
            }
        }
    }

    /// Something happens now, and is read at once.
    async fn come(&mut self, event: &Happening) -> Result<(), TestError> {
        let wanted = |actor: &&cast::Actor| event.from.is_none() || actor.role == event.from;
        let actor = self.people.iter().find(wanted);
        let Some(from) = actor.and_then(|actor| actor.prospect.known.email.clone()) else {
            self.complain(event, "there is nobody with an e-mail address to write from");
            return Ok(());
        };
        let answers_a_mail = !matches!(event.what, Incoming::Reply(_));
        if answers_a_mail && !self.letters.has_mail(from.as_str()) {
            self.complain(event, "nothing was sent yet that this could answer");
            return Ok(());
        }
        let writes = match &event.what {
            Incoming::Reply(letter) => Writes::Answer(letter.text.as_deref().unwrap_or(FRIENDLY)),
            Incoming::OutOfOffice(until) => Writes::Away(*until),
            Incoming::Bounce { hard: true } => Writes::Bounce,
            Incoming::Bounce { hard: false } => Writes::SoftBounce,
            Incoming::OptOut => Writes::OptOut,
            Incoming::SpamReport => Writes::Complaint,
        };
        let mailbox = self.engine.settings.mailboxes.get(&self.mailbox);
        let to = mailbox.map(|mailbox| mailbox.from.to_string()).unwrap_or_default();
        self.letters.write(writes, from.as_str(), &to);
        self.engine.collect(&self.mailbox).await?;
        match &event.what {
            Incoming::Reply(letter) => self.replied(event, letter).await,
            _ => Ok(()),
        }
    }

    async fn replied(&mut self, event: &Happening, letter: &Letter) -> Result<(), TestError> {
        let log = self.log();
        let read = log.iter().rev().find_map(|entry| Some((read_as(entry.what)?, entry)));
        if let (Some(wanted), Some((found, entry))) = (letter.read_as, read)
            && wanted != found
        {
            let (wanted, found) = (wanted.as_str(), found.as_str());
            let why = entry.detail("reason");
            self.complain(event, &format!("read as `{found}` ({why}), not as `{wanted}`"));
        }
        // Without `replies` in the cadence a reply ends everything, and nobody asks.
        if let Some(means) = letter.means.as_ref().filter(|_| !self.cadence.replies.is_empty()) {
            self.hands.say_next(Question::Reply, Answer::plain(means.as_str()));
        }
        Ok(())
    }

    fn complain(&mut self, event: &Happening, what: &str) {
        self.complaints.push(format!("the event on line {}: {what}", event.line));
    }

    async fn conclude(mut self, first: EnrollmentId) -> Result<Played, TestError> {
        let is_over = self.test.until.is_some();
        for event in std::mem::take(&mut self.coming) {
            let why = match &event.moment {
                Moment::Behind(step, _) => format!("`{step}` was never sent or done"),
                Moment::Day(..) | Moment::On(..) if is_over => {
                    "the test was over before".to_owned()
                }
                Moment::Day(..) | Moment::On(..) => "it never came to that".to_owned(),
            };
            self.complain(event, &format!("did not happen, for {why}"));
        }
        let record = self.enrollment().await?;
        let stands = record.as_ref().map(|record| match &record.state.phase {
            Phase::Ended { ending, .. } => Standing::Ended(*ending),
            _ => Standing::Open,
        });
        if stands == Some(Standing::Open) && !is_over {
            let message =
                format!("it goes on after {MOST_DAYS} days; say `until` for a test of a part");
            self.complaints.push(message);
        }
        self.complaints.append(&mut self.hands.complaints);
        self.complaints.extend(self.hands.left_over());
        let log = self.log();
        let days = Days::new(self.test, &self.cadence, &self.calendar);
        let others = self.enrollments();
        let (zone, cadence) = (&self.zone, &self.cadence);
        let teller = story::Teller { zone, days: &days, cadence, first, others: &others };
        let (deeds, notes) = teller.tell(&log);
        let complaints = self.complaints;
        let counts_days = cadence.steps.iter().any(|step| matches!(step.when, When::Day(_)));
        Ok(Played { deeds, counts_days, notes, not_enrolled: None, stands, complaints })
    }
}

/// The days of a cadence, counted from the enrollment.
pub(super) struct Days<'a> {
    calendar: &'a Calendar,
    kind: DayKind,
    first: Date,
}

impl<'a> Days<'a> {
    fn new(test: &TestCase, cadence: &Cadence, calendar: &'a Calendar) -> Self {
        let date = test.enrolled_at.date();
        let first = match cadence.days {
            DayKind::Business => calendar.working_day_from(date),
            DayKind::Calendar => date,
        };
        Self { calendar, kind: cadence.days, first }
    }

    /// The date of a day as the cadence counts, when nothing is late.
    pub(super) fn date_of(&self, day: u32) -> Date {
        let behind = day.saturating_sub(1);
        match self.kind {
            DayKind::Business => self.calendar.working_days_after(self.first, behind),
            DayKind::Calendar => self.first.saturating_add(i64::from(behind).days()),
        }
    }

    /// The number of a day; none before the first one, and on a day that is not counted.
    pub(super) fn number_of(&self, date: Date) -> Option<u32> {
        let counts = |date: Date| match self.kind {
            DayKind::Business => self.calendar.works_on(date),
            DayKind::Calendar => true,
        };
        if date < self.first || !counts(date) {
            return None;
        }
        let days = self.first.series(1.day()).take_while(|day| *day <= date);
        u32::try_from(days.filter(|day| counts(*day)).count()).ok()
    }
}

fn has_ended(record: &EnrollmentRecord) -> bool {
    matches!(record.state.phase, Phase::Ended { .. })
}

/// When the mail of a step was sent or its task was done, at last.
fn done_at(log: &[Entry], step: &StepId) -> Option<Timestamp> {
    const QUESTIONS: [&str; 4] = ["triage", "reply", "handed_back", "review"];
    let is_done = |entry: &&Entry| {
        let of_step = entry.detail("step") == step.as_str();
        let done = match entry.what {
            Happened::Sent => true,
            Happened::TaskDone => !QUESTIONS.contains(&entry.detail("kind")),
            _ => false,
        };
        of_step && done
    };
    log.iter().rfind(is_done).map(|entry| entry.at)
}

fn read_as(what: Happened) -> Option<ReadAs> {
    match what {
        Happened::Replied => Some(ReadAs::Reply),
        Happened::OptedOut => Some(ReadAs::OptOut),
        Happened::AutoReplied => Some(ReadAs::AutoReply),
        Happened::Noticed | Happened::Bounced | Happened::SoftBounced | Happened::Complained => {
            Some(ReadAs::Notice)
        }
        _ => None,
    }
}
