//! The daemon, the reps and the passing of time: one event after the other, until nothing is left.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use firsttouch::domain::ids::{CadenceId, MailboxId, ProspectId};
use firsttouch::domain::settings::Settings;
use firsttouch::domain::touch::Status;
use firsttouch::engine::enroll::Mode;
use firsttouch::engine::{Engine, Parts};
use firsttouch::ports::{Lane, Store};
use jiff::{SignedDuration, Timestamp};

use super::base::Base;
use super::clock::{NODES, NodeClock};
use super::faults::{Faults, Kind};
use super::letters::Says;
use super::mail::{SimInbox, SimMailer};
use super::mutations::{self, Mutation};
use super::plan::Plan;
use super::store::SimStore;
use super::world::{Signal, World};
use super::{books, checks, jobs, workspace};

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Options {
    pub seed: u64,
    pub mutation: Mutation,
    pub faults: Faults,
    /// Days with faults, and people of the list at most, when a run is cut down.
    pub days: Option<i64>,
    pub people: Option<i64>,
    pub keeps_log: bool,
    /// The broken promise that is looked for; without it any ends the run.
    pub looks_for: &'static str,
}

impl Options {
    pub fn of(seed: u64, mutation: Mutation) -> Self {
        let faults = Faults::default();
        Self { seed, mutation, faults, days: None, people: None, keeps_log: false, looks_for: "" }
    }
}

/// What a run came to.
pub struct Ran {
    pub findings: Vec<String>,
    pub story: String,
    pub log: String,
    pub accepted: usize,
    pub faults: Faults,
}

pub type Answer = Result<Option<Timestamp>, String>;
pub type Operation = Pin<Box<dyn Future<Output = Answer>>>;

/// What the driver can do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    Mailbox(usize),
    Desk,
    Collect(usize),
    Rep,
    House,
    Clock,
    /// Somebody edits a template.
    Edit,
}

/// Two processes on one store.
#[derive(Clone)]
struct Node {
    store: Arc<dyn Store>,
    engine: Arc<Engine>,
}

pub struct Driver {
    pub world: World,
    pub plan: Arc<Plan>,
    base: Base,
    settings: Settings,
    nodes: Vec<Node>,
    generation: u32,
    jobs: Vec<Job>,
    /// When each job is to be done, in true time.
    next: Vec<Timestamp>,
    /// When each lane wakes, as last seen; the desk is the last one.
    known: Vec<Timestamp>,
    pub to_enroll: Vec<(&'static str, Vec<ProspectId>)>,
    pub edits: u32,
    clock_wrong_until: Option<Timestamp>,
    next_group_at: Timestamp,
    /// The mailbox of the job that is being done.
    working_on: Option<usize>,
    looks_for: &'static str,
}

/// Runs one seed to its end.
pub async fn run(options: Options) -> Ran {
    let plan = Plan::draw(options.seed, options.days, options.people);
    let mut driver = Driver::new(options, plan).await;
    driver.live().await;
    driver.end().await
}

/// A process dies while its mail is on its way, and the person replies before anybody looks. How the
/// touch stands in the end.
pub async fn reply_behind_a_crash(names_it: bool) -> Status {
    let options = Options::of(3, Mutation::Nothing);
    let plan = Plan::quiet(3);
    let mut driver = Driver::new(options, plan).await;
    let world = driver.world.clone();
    let of_list = |(cadence, _): &&(&str, Vec<ProspectId>)| *cadence == "simulated";
    let groups = driver.to_enroll.iter().filter(of_list);
    let people: Vec<ProspectId> = groups.flat_map(|(_, people)| people.clone()).collect();
    let Node { store, engine } = driver.nodes[0].clone();
    let cadence = CadenceId::from("simulated");
    engine.enroll(&people, &cadence, Mode::Commit).await.expect("enrolled");
    world.pass(SignedDuration::from_hours(34));
    for mailbox in [0, 1] {
        driver.once_as(Job::Collect(mailbox), 0).await;
    }
    world.state().dies_at = Some("content sent");
    let worked = driver.once_as(Job::Mailbox(0), 0).await;
    assert!(worked.is_none(), "the process lives");
    let mail = world.state().accepted.last().cloned().expect("a mail");
    world.state().inboxes.coming.clear();
    world.deliver(&mail, Says::Reply, names_it, world.true_now());
    world.pass(SignedDuration::from_mins(5));
    driver.once_as(Job::Collect(0), 1).await;
    world.pass(SignedDuration::from_mins(20));
    driver.once_as(Job::Desk, 1).await;
    driver.once_as(Job::House, 1).await;
    assert_eq!(world.state().findings, Vec::<String>::new());
    let touch = store.touch_by_message_id(&[mail.message_id]).await.expect("read");
    driver.close().await;
    touch.expect("a touch").status
}

impl Driver {
    pub async fn new(options: Options, plan: Plan) -> Self {
        let Options { seed, mutation, faults, keeps_log, looks_for, .. } = options;
        let begins_at = plan.begins_at;
        let settings = workspace::settings(&plan);
        let world = World::new(seed, mutation, plan.clone(), faults);
        if keeps_log {
            world.keep_log();
        }
        let boxes = 0..plan.mailboxes;
        let jobs: Vec<Job> = boxes
            .clone()
            .map(Job::Mailbox)
            .chain([Job::Desk])
            .chain(boxes.map(Job::Collect))
            .chain([Job::Rep, Job::House, Job::Clock, Job::Edit])
            .collect();
        let mut driver = Self {
            world,
            base: Base::of(seed),
            settings,
            nodes: Vec::new(),
            generation: 0,
            next: vec![begins_at; jobs.len()],
            jobs,
            known: vec![Timestamp::MAX; plan.mailboxes + 1],
            plan: Arc::new(plan),
            to_enroll: Vec::new(),
            edits: 0,
            clock_wrong_until: None,
            next_group_at: begins_at,
            working_on: None,
            looks_for,
        };
        driver.set_up(seed).await;
        driver
    }

    /// What must hold in the end, and what the run came to.
    pub async fn end(mut self) -> Ran {
        let store = self.nodes[0].store.clone();
        if !self.is_broken() {
            checks::at_the_end(&self.world, &*store).await;
            self.look_at_the_books().await;
        }
        self.close().await;
        self.ran()
    }

    /// On a database everything can be derived again from the log.
    async fn look_at_the_books(&self) {
        if let Some(database) = self.base.database() {
            books::agree(&self.world, &database).await;
        }
    }

    fn ran(&self) -> Ran {
        let story = self.world.story();
        let mut state = self.world.state();
        Ran {
            findings: state.findings.clone(),
            story,
            log: std::mem::take(&mut state.log),
            accepted: state.accepted.len(),
            faults: state.faults.clone(),
        }
    }

    async fn once_as(&mut self, job: Job, node: usize) -> Option<Answer> {
        self.world.state().calls = 0;
        let operation = jobs::operation(self, job, node);
        self.drive(operation, node).await
    }

    async fn set_up(&mut self, seed: u64) {
        self.start().await;
        let Node { store, engine } = self.nodes[0].clone();
        let mut chance = super::chance::Chance::new(seed ^ 0x9e0);
        let people = workspace::people(&*store, &self.plan, &mut chance).await;
        let files = workspace::files(&self.plan, "Hi");
        engine.apply(&workspace::checked(&files), None).await.expect("applied");
        self.to_enroll = people.groups;
        let mut state = self.world.state();
        state.people = people.all.into_iter().map(|person| (person.id, person)).collect();
    }

    /// Whom somebody enrolls now.
    pub fn next_group(&mut self) -> Option<(&'static str, Vec<ProspectId>)> {
        let now = self.world.true_now();
        if self.to_enroll.is_empty() || now < self.next_group_at {
            return None;
        }
        self.next_group_at = now + self.plan.group_every;
        Some(self.to_enroll.remove(0))
    }

    /// Works for so long, or until nothing is left.
    pub async fn live_for(&mut self, long: SignedDuration) {
        let ends_at = self.plan.begins_at + long;
        while self.earliest().1 < ends_at && !self.is_broken() {
            let (position, at) = self.earliest();
            self.world.clocks.advance_to(at);
            self.be_faulty(true);
            self.once(position).await;
        }
    }

    /// Stops where it is.
    pub async fn stop(mut self) -> Ran {
        self.close().await;
        self.ran()
    }

    pub fn engine(&self, node: usize) -> Arc<Engine> {
        self.nodes[node].engine.clone()
    }

    /// New processes on the same database: nothing is left of what they had in memory.
    async fn start(&mut self) {
        self.close().await;
        for node in 0..NODES {
            let node = self.process(node).await;
            self.nodes.push(node);
        }
        let store = self.nodes[0].store.clone();
        let mut state = self.world.state();
        state.store = Some(store);
        state.on_its_way.clear();
        drop(state);
        self.everything_again();
    }

    async fn process(&mut self, node: usize) -> Node {
        self.generation += 1;
        let store = self.base.open().await;
        let world = self.world.of(node);
        self.world.clocks.show(node, None);
        let mutation = world.state().mutation;
        let settings = mutations::settings(mutation, self.settings.clone(), self.generation);
        let parts = Parts {
            clock: Arc::new(NodeClock(self.world.clocks.clone(), node)),
            store: Arc::new(SimStore { real: store.clone(), world: world.clone() }),
            mailer: Arc::new(SimMailer(world.clone())),
            inbox: Arc::new(SimInbox(world)),
            settings: Arc::new(settings),
            node: format!("node{node}-{}", self.generation),
        };
        Node { store, engine: Arc::new(Engine::new(parts)) }
    }

    fn everything_again(&mut self) {
        let now = self.world.true_now();
        self.next.iter_mut().for_each(|at| *at = now.min(*at));
    }

    async fn close(&mut self) {
        self.nodes.clear();
        self.world.state().store = None;
        self.base.close().await;
    }

    /// Behind a crash: one process begins anew while the other lives on, or all of them.
    async fn restart(&mut self, node: usize, one_only: bool) {
        if one_only {
            return self.restart_one(node).await;
        }
        self.restart_all().await;
    }

    async fn restart_one(&mut self, node: usize) {
        self.nodes[node] = self.process(node).await;
        self.world.state().on_its_way.retain(|_, sender| *sender != node);
        self.everything_again();
    }

    async fn restart_all(&mut self) {
        loop {
            let outage = self.world.fault(Kind::LongOutage, 600);
            let (down_for, alone) = {
                let chance = &mut self.world.state().chance;
                let down_for = if outage { chance.mins(120, 4_000) } else { chance.secs(2, 2_000) };
                (down_for, chance.percent(60))
            };
            self.world.pass(down_for);
            self.start().await;
            self.world.note(|| format!("restart, alone: {alone}"));
            if !alone {
                return;
            }
            let engine = self.engine(0);
            let recover: Operation = Box::pin(async move {
                engine.recover().await.map(|_| None).map_err(|error| error.to_string())
            });
            // The daemon does not begin before this has worked.
            if let Some(Ok(_)) = self.drive(recover, 0).await {
                return;
            }
        }
    }

    pub async fn live(&mut self) {
        let day = |n: i64| self.plan.begins_at + SignedDuration::from_hours(24 * n);
        let (calm_at, last_at) = (day(self.plan.faulty_days), day(self.plan.last_day));
        for n in 0_u32..20_000_000 {
            if n % 500 == 499 {
                self.look_at_the_books().await;
            }
            let (position, at) = self.earliest();
            self.world.clocks.advance_to(at);
            let now = self.world.true_now();
            self.be_faulty(now < calm_at);
            if self.is_broken() || self.is_over(position, now).await {
                return;
            }
            if now > last_at {
                break;
            }
            self.once(position).await;
        }
        self.world.finding("promise 9: there is no end of it");
    }

    /// Whether what was looked for was found, or so much else that nothing more is worth while.
    fn is_broken(&self) -> bool {
        let findings = &self.world.state().findings;
        let found = findings.iter().any(|finding| finding.contains(self.looks_for));
        found || findings.len() > 300
    }

    fn be_faulty(&mut self, faulty: bool) {
        let was = std::mem::replace(&mut self.world.state().faulty, faulty);
        if was && !faulty {
            (0..NODES).for_each(|node| self.world.clocks.turn(node, SignedDuration::ZERO));
            self.everything_again();
        }
    }

    fn earliest(&self) -> (usize, Timestamp) {
        let times = self.next.iter().copied().enumerate();
        times.min_by_key(|(_, at)| *at).expect("a job")
    }

    /// Looked at when the house is kept: nobody is under way, and nothing lies unread.
    async fn is_over(&self, position: usize, now: Timestamp) -> bool {
        let calm = !self.world.state().faulty;
        if self.jobs[position] != Job::House || !self.to_enroll.is_empty() || !calm {
            return false;
        }
        let waits = {
            let state = self.world.state();
            let letters = state.inboxes.coming.values().any(|letters| !letters.is_empty());
            let read = |at: &Timestamp| at.duration_until(now) <= SignedDuration::from_hours(30);
            let unread = !state.inboxes.read_at.values().all(read);
            let mut seen = state.model.enrollments.values();
            letters || unread || seen.any(|seen| !checks::model::has_ended(&seen.stands))
        };
        if waits {
            return false;
        }
        self.unread().await == 0
    }

    /// Messages that lie in an inbox behind its cursor.
    async fn unread(&self) -> usize {
        let mut unread = 0;
        for mailbox in self.settings.mailboxes.keys() {
            let record = self.nodes[0].store.mailbox(mailbox).await.expect("a mailbox");
            let cursor: usize = record.cursor.and_then(|c| c.parse().ok()).unwrap_or(0);
            let state = self.world.state();
            unread += state.inboxes.there.get(mailbox).map_or(0, Vec::len).saturating_sub(cursor);
        }
        unread
    }

    /// One job of one of the nodes, and when it is to be done again.
    async fn once(&mut self, position: usize) {
        let job = self.jobs[position];
        let node = usize::from(self.world.state().chance.percent(30));
        self.world.state().calls = 0;
        self.world.state().sends = matches!(job, Job::Mailbox(_));
        if job == Job::Clock {
            self.turn_clocks();
        }
        self.working_on = match job {
            Job::Mailbox(n) | Job::Collect(n) => Some(n),
            _ => None,
        };
        let operation = jobs::operation(self, job, node);
        let Some(answer) = self.drive(operation, node).await else {
            let one_only = self.world.state().chance.percent(40);
            self.restart(node, one_only).await;
            return;
        };
        self.next[position] = self.again(job, &answer, node);
        self.look_at_wakes(position).await;
    }

    /// Lanes whose first one wakes at another time are worked then.
    async fn look_at_wakes(&mut self, done: usize) {
        let now = self.world.true_now();
        for lane in 0..self.known.len() {
            let wake = self.wake(lane).await;
            let before = std::mem::replace(&mut self.known[lane], wake);
            if lane != done && before != wake {
                self.next[lane] = self.in_true_time(wake, 0).max(now);
            }
        }
    }

    /// When a lane wakes, as the database has it.
    async fn wake(&self, lane: usize) -> Timestamp {
        let lane = match lane == self.plan.mailboxes {
            true => Lane::Desk,
            false => Lane::Mailbox(self.mailbox(lane)),
        };
        let wake = self.nodes[0].store.next_wake(&lane).await.expect("a time");
        wake.unwrap_or(Timestamp::MAX)
    }

    fn in_true_time(&self, at: Timestamp, node: usize) -> Timestamp {
        at.checked_sub(self.world.clocks.ahead(node)).unwrap_or(at)
    }

    pub fn mailbox(&self, n: usize) -> MailboxId {
        self.settings.mailboxes.keys().nth(n).expect("a mailbox").clone()
    }

    fn again(&mut self, job: Job, answer: &Answer, node: usize) -> Timestamp {
        let now = self.world.true_now();
        let later = |hours| now + SignedDuration::from_hours(hours);
        if let (Job::Mailbox(n), Ok(Some(at))) = (job, answer)
            && self.in_true_time(*at, node) <= now + SignedDuration::from_secs(60)
        {
            // Mail is due: its inbox is read soon, and not only at its turn.
            let soon = now + self.world.state().chance.mins(1, 9);
            let collect = self.plan.mailboxes + 1 + n;
            self.next[collect] = self.next[collect].min(soon);
        }
        match job {
            Job::Mailbox(_) | Job::Desk => match answer {
                Ok(Some(at)) => self
                    .in_true_time(*at, node)
                    .clamp(now + SignedDuration::from_secs(1), later(24 * 30)),
                Ok(None) => later(24),
                Err(_) => now + SignedDuration::from_secs(60),
            },
            Job::Collect(n) => self.read_again(n, now),
            Job::Rep => {
                let pause = if self.world.state().faulty { (30, 300) } else { (200, 600) };
                now + self.world.state().chance.mins(pause.0, pause.1)
            }
            Job::House => later(24),
            Job::Clock => now + self.world.state().chance.mins(240, 4_000),
            Job::Edit => later(self.world.state().chance.between(72, 400)),
        }
    }

    /// Often while mail is due, and when something has come; else now and then.
    fn read_again(&self, n: usize, now: Timestamp) -> Timestamp {
        let wake = self.next[n];
        let mut state = self.world.state();
        if wake < now + SignedDuration::from_mins(30) {
            return now + state.chance.mins(4, 9);
        }
        let mailbox = self.mailbox(n);
        let coming = state
            .inboxes
            .coming
            .get(&mailbox)
            .and_then(|letters| letters.first_key_value().map(|(_, letter)| letter.at));
        let idle =
            if state.faulty { state.chance.mins(60, 400) } else { SignedDuration::from_hours(24) };
        let next = (now + idle).min(wake - SignedDuration::from_mins(5));
        let next = coming.map_or(next, |at| next.min(at + state.chance.mins(1, 60)));
        next.max(now + SignedDuration::from_mins(1))
    }

    /// Somebody, or nobody, sets the clock: by minutes, by a month, by a year; later it is put right.
    fn turn_clocks(&mut self) {
        let now = self.world.true_now();
        if self.clock_wrong_until.take_if(|until| *until <= now).is_some() {
            (0..NODES).for_each(|node| self.world.clocks.turn(node, SignedDuration::ZERO));
        }
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let ahead = if self.world.fault(Kind::ClockYearBack, 250) {
            days(-365)
        } else if self.world.fault(Kind::ClockMonthAhead, 250) {
            days(30)
        } else if self.world.fault(Kind::ClockSmall, 5_000) {
            self.world.state().chance.mins(-20, 300)
        } else {
            SignedDuration::ZERO
        };
        for node in 0..NODES {
            let skewed = self.world.fault(Kind::ClockSkew, 5_000);
            let skew = if skewed { 4 } else { 0 };
            let skew = self.world.state().chance.secs(-skew, skew);
            self.world.clocks.turn(node, ahead + skew);
        }
        if !ahead.is_zero() {
            let wrong_for = self.world.state().chance.mins(20, 600);
            self.clock_wrong_until = Some(now + wrong_for);
        }
        self.world.note(|| format!("the clocks are ahead by {ahead:#}"));
        self.everything_again();
    }

    /// Polls an operation; in between, what the world asks for happens. `None`: it crashed.
    async fn drive(&mut self, mut operation: Operation, node: usize) -> Option<Answer> {
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
                Err(signal) => {
                    self.world.state().depth += 1;
                    let survived = self.meanwhile(signal, 1 - node).await;
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
        self.world.note(|| format!("error: {error}"));
        // Two readers of one inbox may take the same message at the same time; one is told so.
        let allowed =
            ["simulated", "UNIQUE", "it is known already", "in the cadence already", "moved on"];
        if !allowed.iter().any(|allowed| error.contains(allowed)) {
            self.world.finding(&format!("an error of our own: {error}"));
        }
    }

    /// Something else happens while a call waits; whether the processes live on.
    async fn meanwhile(&mut self, signal: Signal, other: usize) -> bool {
        let boxes = i64::try_from(self.plan.mailboxes).expect("small");
        let (drawn, drawn_box, asleep, at_server) = {
            let mut state = self.world.state();
            let asleep = match state.chance.percent(60) {
                true => state.chance.secs(61, 240),
                false => state.chance.secs(61, 2_400),
            };
            let drawn = (state.chance.between(0, 9), state.chance.between(0, boxes - 1));
            (
                drawn.0,
                usize::try_from(drawn.1).expect("small"),
                asleep,
                !state.on_its_way.is_empty(),
            )
        };
        let mailbox = self.working_on.filter(|_| drawn < 8).unwrap_or(drawn_box);
        let by = match (signal, drawn) {
            (Signal::Sleep, _) => asleep,
            (_, 0..2) => self.world.state().chance.secs(1, 90),
            (_, 2) => self.world.state().chance.mins(5, 180),
            _ => SignedDuration::ZERO,
        };
        self.world.pass(by);
        let job = match (signal, drawn) {
            (Signal::Sleep, 0..9) => Job::Mailbox(mailbox),
            (_, 3..7) if at_server => Job::Desk,
            (_, 0..3) => return true,
            (_, 3..5) => Job::Collect(mailbox),
            (_, 5..7) => Job::Desk,
            (_, 7) => Job::Rep,
            _ => Job::Mailbox(mailbox),
        };
        // The other one takes the lease, and comes no further.
        if signal == Signal::Sleep && self.world.state().chance.percent(70) {
            self.world.state().dies_at = Some("intend");
        }
        let operation = jobs::operation(self, job, other);
        let survived = Box::pin(self.drive(operation, other)).await.is_some();
        self.world.state().dies_at = None;
        if !survived && self.world.state().chance.percent(90) {
            // Only the other one is gone.
            self.restart_one(other).await;
            return true;
        }
        survived
    }
}
