//! The daemon, the reps and the passing of time: one event after the other, until nothing is left.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use firsttouch::domain::cadence::Channel;
use firsttouch::domain::enrollment::TaskKind;
use firsttouch::domain::ids::{CadenceId, MailboxId, ProspectId, RepId};
use firsttouch::domain::settings::Settings;
use firsttouch::domain::touch::Status;
use firsttouch::engine::enroll::Mode;
use firsttouch::engine::tasks::{DoneTask, QueueLine};
use firsttouch::engine::{Engine, Parts};
use firsttouch::ports::{Lane, Store};
use jiff::{SignedDuration, Timestamp};

use super::base::Base;
use super::letters::Says;
use super::mail::{SimInbox, SimMailer};
use super::store::SimStore;
use super::world::{Mutation, Signal, World};
use super::{checks, workspace};

/// What a run came to.
pub struct Ran {
    pub hash: u64,
    pub findings: Vec<String>,
    pub story: String,
    pub log: String,
    pub accepted: usize,
    pub crashes: u32,
    pub meanwhiles: u32,
}

type Answer = Result<Option<Timestamp>, String>;
type Operation = Pin<Box<dyn Future<Output = Answer>>>;

/// What the driver can do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Mailbox(usize),
    Desk,
    Collect(usize),
    Rep,
    House,
    Clock,
}

const JOBS: [Job; 8] = [
    Job::Mailbox(0),
    Job::Mailbox(1),
    Job::Desk,
    Job::Collect(0),
    Job::Collect(1),
    Job::Rep,
    Job::House,
    Job::Clock,
];

/// Days with faults, and days by whose end everything must have ended.
const FAULTY_DAYS: i64 = 40;
const LAST_DAY: i64 = 300;

struct Driver {
    world: World,
    base: Base,
    settings: Arc<Settings>,
    /// Two nodes on one database; the second only works while the first waits.
    nodes: Vec<(Arc<dyn Store>, Arc<Engine>)>,
    generation: u32,
    next: [Timestamp; JOBS.len()],
    /// When each lane wakes, as last seen.
    known: [Timestamp; 3],
    to_enroll: Vec<(&'static str, Vec<ProspectId>)>,
    begins_at: Timestamp,
}

/// Runs one seed to its end.
pub async fn run(seed: u64, mutation: Mutation) -> Ran {
    let mut driver = Driver::new(seed, mutation).await;
    let world = driver.world.clone();
    driver.live().await;
    let store = driver.nodes[0].0.clone();
    let broken = !world.state().findings.is_empty();
    if !broken {
        checks::at_the_end(&world, &*store, &driver.settings).await;
    }
    driver.close().await;
    let story = world.story();
    let state = world.state();
    Ran {
        hash: state.hash,
        findings: state.findings.clone(),
        story,
        log: state.log.clone(),
        accepted: state.accepted.len(),
        crashes: state.crashes,
        meanwhiles: state.meanwhiles,
    }
}

/// A process dies while its mail is on its way, and the person replies before anybody looks. How the
/// touch stands in the end.
pub async fn reply_behind_a_crash(names_it: bool) -> Status {
    let mut driver = Driver::new(3, Mutation::None).await;
    let world = driver.world.clone();
    let of_list = |(cadence, _): &&(&str, Vec<ProspectId>)| *cadence == "simulated";
    let groups = driver.to_enroll.iter().filter(of_list);
    let people: Vec<ProspectId> = groups.flat_map(|(_, people)| people.clone()).collect();
    let (store, engine) = driver.nodes[0].clone();
    let cadence = CadenceId::from("simulated");
    engine.enroll(&people, &cadence, Mode::Commit).await.expect("enrolled");
    world.clock.jump(SignedDuration::from_hours(34));
    for mailbox in [0, 1] {
        driver.once_as(Job::Collect(mailbox), 0).await;
    }
    world.state().dies_at = Some("content sent");
    let worked = driver.once_as(Job::Mailbox(0), 0).await;
    assert!(worked.is_none(), "the process lives");
    let mail = world.state().accepted.last().cloned().expect("a mail");
    world.state().inboxes.coming.clear();
    world.deliver(&mail, Says::Reply, names_it, world.now());
    world.clock.jump(SignedDuration::from_mins(5));
    driver.once_as(Job::Collect(0), 1).await;
    world.clock.jump(SignedDuration::from_mins(20));
    driver.once_as(Job::Desk, 1).await;
    driver.once_as(Job::House, 1).await;
    assert_eq!(world.state().findings, Vec::<String>::new());
    let touch = store.touch_by_message_id(&[mail.message_id]).await.expect("read");
    driver.close().await;
    touch.expect("a touch").status
}

impl Driver {
    async fn new(seed: u64, mutation: Mutation) -> Self {
        let begins_at: Timestamp = "2026-03-02T06:00:00Z".parse().expect("a time");
        let world = World::new(seed, mutation, begins_at);
        let base = Base::of(seed);
        let settings = Arc::new(workspace::settings(&mut world.state().chance));
        let mut driver = Self {
            world,
            base,
            settings,
            nodes: Vec::new(),
            generation: 0,
            next: [begins_at; JOBS.len()],
            known: [Timestamp::MAX; 3],
            to_enroll: Vec::new(),
            begins_at,
        };
        driver.set_up().await;
        driver
    }

    async fn once_as(&mut self, job: Job, node: usize) -> Option<Answer> {
        self.world.state().calls = 0;
        let operation = self.operation(job, node);
        self.drive(operation).await
    }

    async fn set_up(&mut self) {
        self.start().await;
        let (store, engine) = self.nodes[0].clone();
        let mut chance = self.world.state().chance.clone();
        let people = workspace::people(&*store, &mut chance).await;
        engine.apply(&workspace::checked(&workspace::files("Hi")), None).await.expect("applied");
        self.to_enroll = people.groups;
        let mut state = self.world.state();
        state.chance = chance;
        state.people = people.all.into_iter().map(|person| (person.id, person)).collect();
    }

    /// New processes on the same database: nothing is left of what they had in memory.
    async fn start(&mut self) {
        self.close().await;
        self.generation += 1;
        for node in ["a", "b"] {
            let real = self.base.open().await;
            let store = SimStore { real: real.clone(), world: self.world.clone() };
            let parts = Parts {
                clock: self.world.clock.clone(),
                store: Arc::new(store),
                mailer: Arc::new(SimMailer(self.world.clone())),
                inbox: Arc::new(SimInbox(self.world.clone())),
                settings: self.settings.clone(),
                node: format!("{node}{}", self.generation),
            };
            self.nodes.push((real, Arc::new(Engine::new(parts))));
        }
        let now = self.world.now();
        self.next = self.next.map(|at| at.min(now));
    }

    async fn close(&mut self) {
        self.nodes.clear();
        self.base.close().await;
    }

    async fn restart(&mut self) {
        loop {
            let (down_for, alone) = {
                let chance = &mut self.world.state().chance;
                (chance.secs(2, 2_000), chance.percent(60))
            };
            self.world.clock.jump(down_for);
            self.start().await;
            self.world.note(&format!("restart, alone: {alone}"));
            if !alone {
                return;
            }
            let engine = self.nodes[0].1.clone();
            let recover = Box::pin(async move {
                engine.recover().await.map(|_| None).map_err(|error| error.to_string())
            });
            // The daemon does not begin before this has worked.
            if let Some(Ok(_)) = self.drive(recover).await {
                return;
            }
        }
    }

    async fn live(&mut self) {
        let day = |n: i64| self.begins_at + SignedDuration::from_hours(24 * n);
        let (calm_at, last_at) = (day(FAULTY_DAYS), day(LAST_DAY));
        for _ in 0..200_000 {
            let (position, at) = self.earliest();
            self.world.clock.advance_to(at);
            let now = self.world.now();
            self.world.state().faulty = now < calm_at;
            let broken = !self.world.state().findings.is_empty();
            if now > last_at || broken || self.is_over(now).await {
                return;
            }
            self.once(position).await;
        }
        self.world.finding("promise 9: there is no end of it");
    }

    fn earliest(&self) -> (usize, Timestamp) {
        let times = self.next.iter().copied().enumerate();
        times.min_by_key(|(_, at)| *at).expect("a job")
    }

    async fn is_over(&self, now: Timestamp) -> bool {
        if !self.to_enroll.is_empty() {
            return false;
        }
        let coming = self.world.state().inboxes.coming.values().any(|letters| !letters.is_empty());
        if coming || now < self.begins_at + SignedDuration::from_hours(24 * 5) {
            return false;
        }
        let census = self.nodes[0].0.census().await.expect("a census");
        let unread = self.world.state().inboxes.reads.values().any(|reads| {
            reads.last().is_none_or(|at| at.duration_until(now) > SignedDuration::from_hours(30))
        });
        census.is_empty() && !unread && self.unread().await == 0
    }

    /// Messages that lie in an inbox behind its cursor.
    async fn unread(&self) -> usize {
        let mut unread = 0;
        for mailbox in self.settings.mailboxes.keys() {
            let record = self.nodes[0].0.mailbox(mailbox).await.expect("a mailbox");
            let cursor: usize = record.cursor.and_then(|c| c.parse().ok()).unwrap_or(0);
            let state = self.world.state();
            unread += state.inboxes.there.get(mailbox).map_or(0, Vec::len).saturating_sub(cursor);
        }
        unread
    }

    /// One job of the first node, and when it is to be done again.
    async fn once(&mut self, position: usize) {
        let job = JOBS[position];
        self.world.state().calls = 0;
        let operation = match job {
            Job::Clock => {
                self.turn_clock();
                Box::pin(async { Ok(None) })
            }
            _ => self.operation(job, 0),
        };
        let before = self.known;
        let answer = self.drive(operation).await;
        let now = self.world.now();
        match answer {
            None => {
                self.restart().await;
                return;
            }
            Some(answer) => self.next[position] = self.again(job, &answer, now).await,
        }
        let after = self.wakes().await;
        self.known = after;
        for lane in 0..3 {
            if lane != position && before[lane] != after[lane] {
                self.next[lane] = after[lane].max(now);
            }
        }
        if matches!(job, Job::Collect(_) | Job::Desk | Job::Rep) {
            checks::no_task_after_a_no(&self.world, &*self.nodes[0].0).await;
        }
    }

    /// When each lane wakes, as the database has it.
    async fn wakes(&self) -> [Timestamp; 3] {
        let store = &self.nodes[0].0;
        let mut wakes = [Timestamp::MAX; 3];
        for (lane, wake) in wakes.iter_mut().enumerate() {
            let lane = match lane {
                2 => Lane::Desk,
                n => Lane::Mailbox(self.mailbox(n)),
            };
            *wake = store.next_wake(&lane).await.expect("a time").unwrap_or(Timestamp::MAX);
        }
        wakes
    }

    fn mailbox(&self, n: usize) -> MailboxId {
        self.settings.mailboxes.keys().nth(n).expect("a mailbox").clone()
    }

    async fn again(&mut self, job: Job, answer: &Answer, now: Timestamp) -> Timestamp {
        let later = |hours| now + SignedDuration::from_hours(hours);
        if let (Job::Mailbox(n), Ok(Some(at))) = (job, answer)
            && *at <= now + SignedDuration::from_secs(60)
        {
            // Mail is due: its inbox is read soon, and not only at its turn.
            let soon = now + self.world.state().chance.mins(1, 14);
            self.next[3 + n] = self.next[3 + n].min(soon);
        }
        match job {
            Job::Mailbox(_) | Job::Desk => match answer {
                Ok(at) => at.unwrap_or_else(|| later(24)).max(now + SignedDuration::from_millis(1)),
                Err(_) => now + SignedDuration::from_secs(60),
            },
            Job::Collect(n) => {
                let wake = self.wakes().await[n];
                let chance = &mut self.world.state().chance;
                match wake < now + SignedDuration::from_mins(30) {
                    true => now + chance.mins(5, 15),
                    false => (now + chance.mins(60, 400)).min(wake - SignedDuration::from_mins(5)),
                }
            }
            Job::Rep => now + self.world.state().chance.mins(30, 300),
            Job::House => later(24),
            Job::Clock => later(self.world.state().chance.between(20, 160)),
        }
    }

    fn turn_clock(&self) {
        let by = {
            let mut state = self.world.state();
            if !state.faulty {
                return;
            }
            match state.chance.percent(50) {
                true => state.chance.mins(1, 20) * -1,
                false => state.chance.mins(20, 300),
            }
        };
        self.world.clock.jump(by);
        self.world.note(&format!("the clock was turned by {by}"));
    }

    fn operation(&mut self, job: Job, node: usize) -> Operation {
        let engine = self.nodes[node].1.clone();
        match job {
            Job::Mailbox(n) => {
                let mailbox = self.mailbox(n);
                Box::pin(
                    async move { engine.work_mailbox(&mailbox).await.map_err(|e| e.to_string()) },
                )
            }
            Job::Desk => {
                Box::pin(async move { engine.work_desk().await.map_err(|e| e.to_string()) })
            }
            Job::Collect(n) => {
                let mailbox = self.mailbox(n);
                Box::pin(async move {
                    engine.collect(&mailbox).await.map(|_| None).map_err(|e| e.to_string())
                })
            }
            Job::Rep => self.rep(engine),
            Job::House => Box::pin(async move {
                engine.keep_house().await.map(|_| None).map_err(|e| e.to_string())
            }),
            Job::Clock => Box::pin(async { Ok(None) }),
        }
    }

    /// A rep enrolls somebody, or does some of what is in the queue.
    fn rep(&mut self, engine: Arc<Engine>) -> Operation {
        let world = self.world.clone();
        let group = (!self.to_enroll.is_empty()).then(|| self.to_enroll.remove(0));
        Box::pin(async move {
            if let Some((cadence, people)) = group {
                let cadence = CadenceId::from(cadence);
                let enrolled = engine.enroll(&people, &cadence, Mode::Commit).await;
                world.note(&format!("enrolled {people:?}: {}", enrolled.is_ok()));
            }
            let rep = RepId::from(*world.state().chance.pick(&["ann", "bob", "cara"]));
            let queue = engine.queue(Some(&rep)).await.map_err(|e| e.to_string())?;
            for line in queue.iter().take(3) {
                if !world.state().chance.percent(60) {
                    continue;
                }
                let outcome = draw_outcome(&world, line);
                world.note(&format!("{rep} does task {}: {outcome}", line.task.id));
                let done = DoneTask {
                    task: line.task.id,
                    outcome,
                    until: None,
                    actor: rep.clone(),
                    set: found(&world, line),
                    text: None,
                };
                if let Err(error) = engine.done(done).await {
                    world.note(&format!("not done: {error}"));
                }
            }
            Ok(None)
        })
    }

    /// Polls an operation; in between, what the world asks for happens. `None`: it crashed.
    async fn drive(&mut self, mut operation: Operation) -> Option<Answer> {
        let world = self.world.clone();
        loop {
            let polled = std::future::poll_fn(|context| match operation.as_mut().poll(context) {
                Poll::Ready(answer) => Poll::Ready(Ok(answer)),
                Poll::Pending => match world.take_signal() {
                    Some(signal) => Poll::Ready(Err(signal)),
                    None => Poll::Pending,
                },
            });
            match polled.await {
                Ok(answer) => {
                    self.judge(&answer);
                    return Some(answer);
                }
                Err(Signal::Crash) => return None,
                Err(Signal::Meanwhile) => {
                    self.world.state().depth += 1;
                    let survived = self.meanwhile().await;
                    self.world.state().depth -= 1;
                    if !survived {
                        return None;
                    }
                    self.world.resume();
                }
            }
        }
    }

    /// Errors are the world's doing, or findings.
    fn judge(&self, answer: &Answer) {
        let Err(error) = answer else { return };
        self.world.note(&format!("error: {error}"));
        // Two readers of one inbox may take the same message at the same time; one is told so.
        if !error.contains("simulated")
            && !error.contains("UNIQUE")
            && !error.contains("it is known already")
            && !error.contains("moved on")
        {
            self.world.finding(&format!("an error of our own: {error}"));
        }
    }

    /// Something else happens while a call waits; whether the process lives on.
    async fn meanwhile(&mut self) -> bool {
        let drawn = self.world.state().chance.between(0, 9);
        let (job, node) = match drawn {
            0..3 => {
                let by = self.world.state().chance.secs(1, 90);
                self.world.clock.jump(by);
                return true;
            }
            3 => {
                let by = self.world.state().chance.mins(5, 180);
                self.world.clock.jump(by);
                return true;
            }
            4 | 5 => (Job::Collect(usize::from(drawn == 4)), 1),
            6 => (Job::Desk, 1),
            7 => (Job::Rep, 1),
            _ => (Job::Mailbox(usize::from(drawn == 8)), 1),
        };
        let operation = self.operation(job, node);
        Box::pin(self.drive(operation)).await.is_some()
    }
}

fn draw_outcome(world: &World, line: &QueueLine) -> String {
    let outcomes: Vec<&str> = line.outcomes.iter().map(|one| one.outcome.as_str()).collect();
    let mut state = world.state();
    match (line.task.kind, state.chance.percent(50)) {
        // Most calls reach nobody.
        (TaskKind::Touch(Channel::Call), true) => "no_answer".to_owned(),
        (TaskKind::Touch(Channel::Social), true) => "accepted".to_owned(),
        _ => (*state.chance.pick(&outcomes)).to_owned(),
    }
}

/// What a task collects.
fn found(world: &World, line: &QueueLine) -> Vec<(String, String)> {
    let today = world.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let value = |field: &String| match field.as_str() {
        "go_live_date" => today.to_string(),
        _ => "You hire".to_owned(),
    };
    line.collect.iter().map(|field| (field.clone(), value(field))).collect()
}
