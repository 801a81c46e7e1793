//! A team on a real store, with a clock of the test's own.
#![allow(dead_code, reason = "each test that shares this uses a part of it")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use firsttouch::adapters::outbox_dir::OutboxDir;
use firsttouch::adapters::simulated::clock::SimulatedClock;
use firsttouch::adapters::store::SqlStore;
use firsttouch::domain::budget::Ramp;
use firsttouch::domain::calendar::{Calendar, weekly};
use firsttouch::domain::delivery::{self, Answer, Envelope, Failure};
use firsttouch::domain::enrollment::Phase;
use firsttouch::domain::identity::Identity;
use firsttouch::domain::ids::{CadenceId, CompanyId, MailboxId, ProspectId, RepId, RoleId, TaskId};
use firsttouch::domain::log::{Entry, What};
use firsttouch::domain::prospect::{Phone, Prospect, ProspectDraft, Relationship};
use firsttouch::domain::settings::{Clockwork, Company, Limits, Mailbox, Settings};
use firsttouch::domain::time::DaySpan;
use firsttouch::domain::touch::Touch;
use firsttouch::engine::enroll::Mode;
use firsttouch::engine::tasks::{DoneTask, QueueLine};
use firsttouch::engine::workspace::{Files, check};
use firsttouch::engine::{Engine, Parts};
use firsttouch::ports::{
    Batch, Changes, Clock, CompanyRecord, EnrollmentRecord, Inbox, InboxError, Mailer, Offered,
    RawMessage,
};
use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Letters that lie in the one inbox.
#[derive(Default)]
pub struct Letters(pub Mutex<Vec<String>>);

#[async_trait]
impl Inbox for Letters {
    async fn fetch(
        &self,
        _mailbox: &MailboxId,
        cursor: Option<&str>,
        _limit: usize,
    ) -> Result<Batch, InboxError> {
        let letters = self.0.lock().unwrap();
        let seen = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let message =
            |text: &String| RawMessage { place: String::new(), bytes: text.as_bytes().to_vec() };
        let messages = letters.iter().skip(seen).map(message).collect();
        Ok(Batch { messages, cursor: Some(letters.len().to_string()), more: false })
    }
}

/// A way out whose line breaks behind the content, or whose server wants to see the mail later, while
/// it is told to.
pub struct Line {
    outbox: OutboxDir,
    pub breaks: Arc<AtomicBool>,
    pub puts_off: Arc<AtomicBool>,
}

struct Open {
    offered: Box<dyn Offered>,
    breaks: bool,
    puts_off: bool,
}

#[async_trait]
impl Mailer for Line {
    async fn offer(&self, envelope: &Envelope) -> Result<Box<dyn Offered>, Failure> {
        let breaks = self.breaks.load(Ordering::Relaxed);
        let puts_off = self.puts_off.load(Ordering::Relaxed);
        Ok(Box::new(Open { offered: self.outbox.offer(envelope).await?, breaks, puts_off }))
    }
}

#[async_trait]
impl Offered for Open {
    async fn content(self: Box<Self>, message: &[u8]) -> Result<String, Failure> {
        if self.puts_off {
            let answer = Answer { code: 451, enhanced: None, text: "try again later".to_owned() };
            let (phase, detail) = (delivery::Phase::Content, String::new());
            return Err(Failure { phase, answer: Some(answer), detail });
        }
        let answer = self.offered.content(message).await?;
        let detail = "the line broke".to_owned();
        match self.breaks {
            true => Err(Failure { phase: delivery::Phase::Content, answer: None, detail }),
            false => Ok(answer),
        }
    }

    async fn withdraw(self: Box<Self>) {
        self.offered.withdraw().await;
    }
}

pub struct Team {
    pub dir: tempfile::TempDir,
    /// Whether mails leave without an answer from now on.
    pub breaks: Arc<AtomicBool>,
    /// Whether the server wants to see mails later.
    pub puts_off: Arc<AtomicBool>,
    pub clock: Arc<SimulatedClock>,
    pub letters: Arc<Letters>,
    pub engine: Engine,
}

pub fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Team {
    /// On Monday, 2 March 2026, 08:00 in UTC, where everybody lives, with these cadences and some texts.
    pub async fn new(cadences: &[(String, String)]) -> Self {
        let subject = |text: &str| format!("---\nsubject: A question\n---\n{text}\n");
        let mut texts: BTreeMap<String, String> = cadences.iter().cloned().collect();
        for (name, text) in [
            ("hello", subject("Hi {{first_name}}")),
            ("hook", subject("{{x.hook}}")),
            ("bump", "Any thoughts?\n".to_owned()),
            ("script", "Ask.\n".to_owned()),
            ("brief", "{{first_name}} wants to talk.\n".to_owned()),
        ] {
            texts.insert(format!("templates/{name}.hbs"), text);
        }
        Self::with_files(texts).await
    }

    /// The same with these files and no others.
    pub async fn with_files(texts: BTreeMap<String, String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("runs.db").display());
        let clock = Arc::new(SimulatedClock::new(instant("2026-03-02T08:00:00Z")));
        let letters = Arc::new(Letters::default());
        let (breaks, puts_off) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let engine = Engine::new(Parts {
            clock: clock.clone(),
            store: Arc::new(SqlStore::open(&url).await.unwrap()),
            mailer: Arc::new(Line {
                outbox: OutboxDir::new(dir.path().join("outbox")),
                breaks: breaks.clone(),
                puts_off: puts_off.clone(),
            }),
            inbox: letters.clone(),
            settings: Arc::new(settings()),
            node: "sole".to_owned(),
        });
        let (workspace, findings) = check(&Files { texts }, &["standard".to_owned()].into());
        let workspace = workspace.unwrap_or_else(|| panic!("{findings:#?}"));
        engine.apply(&workspace, None).await.unwrap();
        Self { dir, breaks, puts_off, clock, letters, engine }
    }

    /// People 1 to `n`, all of one company, with dates of their own.
    pub async fn people(&self, n: i64, relationship: Relationship, dates: &[(&str, &str)]) {
        let mut changes = Changes::default();
        let (id, name) = (CompanyId(1), "Acme".to_owned());
        changes.companies.push(CompanyRecord { id, key: "domain:acme.test".to_owned(), name });
        for id in 1..=n {
            let email = format!("p{id}@acme.test");
            let known = ProspectDraft {
                first_name: Some(format!("P{id}")),
                email: email.parse().ok(),
                phones: vec![Phone { e164: format!("+1415555010{id}"), extension: None }],
                time_zones: vec!["UTC".to_owned()],
                extra: dates.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
                ..ProspectDraft::default()
            };
            let identity = Identity::new(Identity::EMAIL, &email);
            let (owner, company_id) = (RepId::from("ann"), Some(CompanyId(1)));
            let id = ProspectId(id);
            let prospect = Prospect { id, company_id, owner, relationship, known };
            changes.prospects.push((prospect, vec![identity]));
        }
        self.engine.store.write(changes).await.unwrap();
    }

    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    pub async fn enroll(&self, cadence: &str, people: i64) {
        let people: Vec<ProspectId> = (1..=people).map(ProspectId).collect();
        let enrolled =
            self.engine.enroll(&people, &CadenceId::from(cadence), Mode::Commit).await.unwrap();
        assert_eq!(enrolled.enrolled, people.len(), "{enrolled:?}");
    }

    /// Works every quarter of an hour until then.
    pub async fn until(&self, at: &str) {
        let at = instant(at);
        let mailbox = MailboxId::from("ann");
        loop {
            self.engine.collect(&mailbox).await.unwrap();
            self.engine.work_mailbox(&mailbox).await.unwrap();
            self.engine.work_desk().await.unwrap();
            let now = self.clock.now();
            if now >= at {
                return;
            }
            self.clock.set((now + SignedDuration::from_mins(15)).min(at));
        }
    }

    pub async fn enrollments(&self, prospect: i64) -> Vec<EnrollmentRecord> {
        self.engine.store.enrollments_of(ProspectId(prospect)).await.unwrap()
    }

    /// How the enrollments of somebody stand: the cadence, and the phase or the ending.
    pub async fn ways(&self, prospect: i64) -> Vec<String> {
        let way = |record: &EnrollmentRecord| match &record.state.phase {
            Phase::Ended { ending, .. } => format!("{} {}", record.cadence, ending.as_str()),
            phase => format!("{} {}", record.cadence, phase.name()),
        };
        self.enrollments(prospect).await.iter().map(way).collect()
    }

    pub async fn queue(&self, rep: &str) -> Vec<QueueLine> {
        self.engine.queue(Some(&RepId::from(rep))).await.unwrap()
    }

    pub async fn only_task(&self, rep: &str) -> QueueLine {
        let mut queue = self.queue(rep).await;
        assert_eq!(queue.len(), 1, "{queue:?}");
        queue.remove(0)
    }

    pub async fn done(&self, task: TaskId, outcome: &str) {
        self.try_done(task, outcome).await.unwrap();
    }

    pub async fn try_done(&self, task: TaskId, outcome: &str) -> Result<(), String> {
        let (outcome, actor) = (outcome.to_owned(), RepId::from("ann"));
        let done =
            DoneTask { task, outcome, until: None, actor, set: Vec::new(), text: None, note: None };
        self.engine.done(done).await.map(|_| ()).map_err(|error| error.to_string())
    }

    pub async fn log(&self, prospect: i64, what: What) -> Vec<Entry> {
        let log = self.engine.store.log_of(ProspectId(prospect)).await.unwrap();
        log.into_iter().filter(|entry| entry.what == what).collect()
    }

    pub async fn touches(&self, prospect: i64) -> Vec<Touch> {
        let mut touches = Vec::new();
        for record in self.enrollments(prospect).await {
            touches.extend(self.engine.store.touches_of(record.id).await.unwrap());
        }
        touches
    }

    /// The person answers the newest mail.
    pub async fn answers(&self, prospect: i64, text: &str) {
        let touches = self.touches(prospect).await;
        let to_them = touches.iter().filter(|touch| touch.prospect == ProspectId(prospect));
        let mail = to_them.rev().find_map(|touch| touch.mail.as_ref()).unwrap();
        let id = &mail.message_id;
        let mut letters = self.letters.0.lock().unwrap();
        let number = letters.len();
        letters.push(format!(
            "From: <p{prospect}@acme.test>\r\nTo: <ann@us.example>\r\nSubject: Re: A question\r\n\
             Message-ID: <r{number}@acme.test>\r\nIn-Reply-To: <{id}>\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        ));
    }
}

/// What Cara does.
const ROLES: [&str; 4] = ["account_executive", "account_manager", "inbound_pool", "support_lead"];

pub fn settings() -> Settings {
    use Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
    let office = DaySpan::new(time(8, 0, 0, 0), time(17, 0, 0, 0)).unwrap();
    let calendar = Calendar {
        name: "standard".to_owned(),
        hours: weekly(&[Monday, Tuesday, Wednesday, Thursday, Friday], &[office]),
        holidays: ["2026-04-03".parse().unwrap()].into(),
    };
    let mailbox = Mailbox {
        id: MailboxId::from("ann"),
        from: "ann@us.example".parse().unwrap(),
        from_name: None,
        owner: RepId::from("ann"),
        daily_limit: 40,
        hourly_limit: None,
        ramp: Ramp { start: 40, add_per_day: 0 },
        gap: (SignedDuration::from_secs(1), SignedDuration::from_secs(2)),
        has_inbox: true,
        card: [
            ("first_name".to_owned(), "Ann".to_owned()),
            ("company".to_owned(), "Us".to_owned()),
        ]
        .into(),
        unsubscribe_url: None,
    };
    Settings {
        company: Company { name: "Us".to_owned(), postal_address: "1 Road".to_owned() },
        mailboxes: [(mailbox.id.clone(), mailbox)].into(),
        roles: [(RepId::from("cara"), ROLES.map(RoleId::from).to_vec())].into(),
        calendars: [("standard".to_owned(), Clockwork::new(calendar))].into(),
        linkedin: Default::default(),
        limits: Limits {
            prospect_gap: SignedDuration::ZERO,
            new_per_company_per_day: 10,
            active_per_company: 10,
            active_per_rep: None,
            ..Limits::default()
        },
        reply_freshness: SignedDuration::from_mins(15),
        bounce_window: SignedDuration::from_hours(72),
        reader_zone: TimeZone::UTC,
        secret: b"secret".to_vec(),
    }
}
