//! An edit of a live cadence: what the plan says of people in flight, and what applying it does to them.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use firsttouch::adapters::maildir::Maildirs;
use firsttouch::adapters::outbox_dir::OutboxDir;
use firsttouch::adapters::simulated::clock::SimulatedClock;
use firsttouch::adapters::store::SqlStore;
use firsttouch::domain::budget::Ramp;
use firsttouch::domain::calendar::{Calendar, weekly};
use firsttouch::domain::identity::Identity;
use firsttouch::domain::ids::{CadenceId, MailboxId, ProspectId, RepId};
use firsttouch::domain::prospect::{Prospect, ProspectDraft, Relationship};
use firsttouch::domain::settings::{Clock as Whose, Clockwork, Company, Limits, Mailbox, Settings};
use firsttouch::domain::time::DaySpan;
use firsttouch::engine::apply::InFlight;
use firsttouch::engine::enroll::Mode;
use firsttouch::engine::plan::{CadencePlan, Kind, Reach};
use firsttouch::engine::tasks::DoneTask;
use firsttouch::engine::workspace::{self, Files, Workspace};
use firsttouch::engine::{Engine, Parts};
use firsttouch::ports::{Changes, Clock};
use firsttouch::wiring::repo::{Outcome, Repo};
use jiff::civil::{Weekday, time};
use jiff::{SignedDuration, tz::TimeZone};

const CADENCE: &str = r#"format: cadence/v1
id: live
title: Live
enroll: { audience: prospects, profiles: [any], again_after: never }
days: calendar
calendar: always
send_window: ["00:00-23:59"]
limits: { new_per_rep_per_day: 100, per_company_at_once: 50, touches_per_prospect_per_day: 9 }
defaults: { expires_after: 90 days }
steps:
  - id: look
    after: 0 minutes
    task: { title: Look }
  - id: mail
    after: 1 hour
    email: { template: hello, thread: new }
  - id: ring
    after: 1 hour
    task: { title: Ring, notes: script }
at_end: stop
"#;

/// The engine on a clock of our own, and the files as they are being edited.
struct Team {
    engine: Arc<Engine>,
    clock: Arc<SimulatedClock>,
    files: Files,
    folder: tempfile::TempDir,
}

fn settings() -> Settings {
    let days = [0, 1, 2, 3, 4, 5, 6].map(|n| Weekday::Monday.wrapping_add(n));
    let day = DaySpan::new(time(0, 0, 0, 0), time(23, 59, 0, 0)).unwrap();
    let calendar =
        Calendar { name: "always".into(), hours: weekly(&days, &[day]), holidays: [].into() };
    let clockwork = Clockwork { clock: Whose::Fixed(TimeZone::UTC), ..Clockwork::new(calendar) };
    let mailbox = Mailbox {
        id: MailboxId::from("ann"),
        from: "ann@us.example".parse().unwrap(),
        from_name: None,
        owner: RepId::from("ann"),
        daily_limit: 1_000,
        hourly_limit: None,
        ramp: Ramp { start: 1_000, add_per_day: 0 },
        gap: (SignedDuration::ZERO, SignedDuration::from_secs(1)),
        has_inbox: false,
        card: [("first_name".to_owned(), "Ann".to_owned())].into(),
        unsubscribe_url: None,
    };
    Settings {
        roles: Default::default(),
        company: Company { name: "Us".to_owned(), postal_address: "1 Road, Town".to_owned() },
        mailboxes: [(mailbox.id.clone(), mailbox)].into(),
        calendars: [("always".to_owned(), clockwork)].into(),
        limits: Limits::default(),
        linkedin: Default::default(),
        reply_freshness: SignedDuration::from_mins(15),
        bounce_window: SignedDuration::from_hours(72),
        reader_zone: TimeZone::UTC,
        secret: b"a secret of the test".to_vec(),
    }
}

impl Team {
    /// With the files applied.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("db").display());
        let store = SqlStore::open(&url).await.unwrap();
        let clock = Arc::new(SimulatedClock::new("2026-03-02T09:00:00Z".parse().unwrap()));
        let engine = Arc::new(Engine::new(Parts {
            clock: clock.clone(),
            store: Arc::new(store),
            mailer: Arc::new(OutboxDir::new(folder.path().join("outbox"))),
            inbox: Arc::new(Maildirs::new(BTreeMap::new())),
            settings: Arc::new(settings()),
            node: "test".to_owned(),
        }));
        let texts = [
            ("cadences/live.yaml", CADENCE),
            ("templates/hello.hbs", "---\nsubject: \"Hi\"\n---\nThe old words {{> sign}}\n"),
            ("templates/partials/sign.hbs", "Ann\n"),
            ("templates/script.hbs", "Old script.\n"),
        ];
        let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let team = Self { engine, clock, files: Files { texts }, folder };
        team.apply(None).await.unwrap();
        team
    }

    fn checked(&self) -> Workspace {
        let (checked, findings) = workspace::check(&self.files, &["always".to_owned()].into());
        checked.unwrap_or_else(|| panic!("{findings:#?}"))
    }

    fn change(&mut self, path: &str, from: &str, to: &str) {
        let text = self.files.texts.get_mut(path).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        *text = text.replace(from, to);
    }

    async fn plan(&self) -> CadencePlan {
        self.engine.plan(&self.checked()).await.unwrap().cadences.remove(0)
    }

    async fn apply(&self, in_flight: Option<InFlight>) -> Result<(), String> {
        let applied = self.engine.apply_by(&self.checked(), in_flight, "ann").await;
        applied.map(|_| ()).map_err(|error| error.to_string())
    }

    /// New people with these numbers, enrolled.
    async fn enroll(&self, ids: impl IntoIterator<Item = i64>) {
        let mut changes = Changes::default();
        let ids: Vec<ProspectId> = ids.into_iter().map(ProspectId).collect();
        for id in &ids {
            let email = format!("p{id}@c{id}.example").parse().unwrap();
            let identity = Identity::of_email(&email);
            let known = ProspectDraft {
                first_name: Some(format!("Person{id}")),
                email: Some(email),
                ..ProspectDraft::default()
            };
            let (owner, relationship) = (RepId::from("ann"), Relationship::Prospect);
            let person = Prospect { id: *id, company_id: None, owner, relationship, known };
            changes.prospects.push((person, vec![identity]));
        }
        self.engine.store.write(changes).await.unwrap();
        let enrolled = self.engine.enroll(&ids, &CadenceId::from("live"), Mode::Commit).await;
        assert_eq!(enrolled.unwrap().enrolled, ids.len());
    }

    /// Lets hours pass, and everything happen that is due then.
    async fn wait(&self, hours: i64) {
        for _ in 0..hours * 4 {
            self.clock.set(self.clock.now() + SignedDuration::from_mins(15));
            self.engine.work_desk().await.unwrap();
            self.engine.work_mailbox(&MailboxId::from("ann")).await.unwrap();
        }
    }

    /// Does the open task of somebody.
    async fn does(&self, id: i64) {
        let queue = self.engine.queue(None).await.unwrap();
        let line = queue.into_iter().find(|line| line.prospect.id == ProspectId(id)).unwrap();
        let (task, outcome) = (line.task.id, "done".to_owned());
        let actor = RepId::from("ann");
        let done =
            DoneTask { task, outcome, until: None, actor, set: Vec::new(), text: None, note: None };
        // Somebody who is being moved to another version is tried again, as a person would.
        let mut tries = 0;
        while let Err(error) = self.engine.done(done.clone()).await {
            tries += 1;
            assert!(tries < 20, "{error}");
        }
    }

    async fn step_of(&self, id: i64) -> Option<String> {
        let all = self.engine.store.enrollments_of(ProspectId(id)).await.unwrap();
        all[0].state.phase.step().map(|(step, _)| step.0.clone())
    }

    /// The mails in the outbox to somebody.
    fn mails_to(&self, id: i64) -> Vec<String> {
        let Ok(all) = fs::read_dir(self.folder.path().join("outbox")) else { return Vec::new() };
        let texts = all.flatten().map(|file| fs::read_to_string(file.path()).unwrap_or_default());
        texts.filter(|text| text.contains(&format!("p{id}@c{id}.example"))).collect()
    }
}

/// Each line as step or key, aspect and reach.
fn said(plan: &CadencePlan) -> Vec<(String, &'static str, Reach)> {
    let lines = plan.lines.iter().map(|line| {
        let change = &line.change;
        let place = change.step.as_ref().map_or(change.key.clone(), |step| step.0.clone());
        (place, change.aspect.as_str(), line.reach)
    });
    lines.collect()
}

fn step(get: usize, skip: usize, past: usize) -> Reach {
    Reach::Step { get, skip, past }
}

#[tokio::test]
async fn the_plan_of_an_unchanged_tree_is_empty() {
    let team = Team::new().await;
    team.enroll([1]).await;
    assert!(team.engine.plan(&team.checked()).await.unwrap().is_empty());
    team.apply(None).await.unwrap();
    assert_eq!(team.engine.history(&"live".into()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn changed_words_reach_those_who_have_not_had_them_and_each_touch_keeps_its_version() {
    let mut team = Team::new().await;
    team.enroll([1, 2, 3]).await;
    team.wait(1).await;
    team.does(1).await;
    team.wait(2).await;
    assert_eq!(team.mails_to(1).len(), 1);
    let old = team.plan().await.digest.unwrap();
    team.change("templates/hello.hbs", "old", "new");
    team.change("templates/partials/sign.hbs", "Ann", "Yours, Ann");
    let plan = team.plan().await;
    assert_eq!(plan.kind, Kind::Content);
    let line = || ("mail".to_owned(), "text", step(2, 0, 1));
    assert_eq!(said(&plan), [line(), line()]);
    team.apply(None).await.unwrap();
    team.does(2).await;
    team.wait(2).await;
    assert!(team.mails_to(1)[0].contains("The old words"));
    assert!(team.mails_to(2)[0].contains("The new words"));
    for (person, version) in [(1, old), (2, plan.digest.unwrap())] {
        let enrollment = team.engine.store.enrollments_of(ProspectId(person)).await.unwrap();
        let touches = team.engine.store.touches_of(enrollment[0].id).await.unwrap();
        let mail = touches.iter().find(|touch| touch.mail.is_some()).unwrap();
        assert_eq!(mail.version.as_ref(), Some(&version), "of person {person}");
    }
}

#[tokio::test]
async fn changed_steps_need_a_decision_when_somebody_is_under_way() {
    let mut team = Team::new().await;
    let taken = "  - id: mail\n    after: 1 hour\n    email: { template: hello, thread: new }\n";
    team.change("cadences/live.yaml", taken, "");
    // Nobody is under way: nothing has to be decided.
    assert!(!team.plan().await.is_undecided());
    team.enroll([1, 2]).await;
    team.wait(1).await;
    team.does(1).await;
    let plan = team.plan().await;
    assert_eq!((plan.kind, plan.is_undecided()), (Kind::Structure, true));
    assert_eq!(said(&plan), [("mail".to_owned(), "removed", step(0, 2, 0))]);
    assert_eq!(plan.people.positions, [("look".to_owned(), 1), ("mail".to_owned(), 1)]);
    let refused = team.apply(None).await.unwrap_err();
    for word in ["live", "Person1", "Person2", "--in-flight move", "--in-flight stay"] {
        assert!(refused.contains(word), "{refused}");
    }
    assert_eq!(team.step_of(1).await.as_deref(), Some("mail"));
    team.apply(Some(InFlight::Move)).await.unwrap();
    assert_eq!(team.step_of(1).await.as_deref(), Some("ring"));
    assert_eq!(team.step_of(2).await.as_deref(), Some("look"));
    team.wait(3).await;
    assert!(team.mails_to(1).is_empty());
}

#[tokio::test]
async fn whoever_stays_finishes_the_old_version_whatever_comes_later() {
    let mut team = Team::new().await;
    team.enroll([1]).await;
    team.change("cadences/live.yaml", "  - id: ring\n", "  - id: call\n");
    team.change("templates/hello.hbs", "old", "new");
    team.apply(Some(InFlight::Stay)).await.unwrap();
    team.enroll([2]).await;
    team.change("templates/hello.hbs", "new", "newest");
    let plan = team.plan().await;
    assert_eq!((plan.people.under_way, plan.people.on_earlier), (1, 1));
    assert_eq!(said(&plan), [("mail".to_owned(), "text", step(1, 0, 0))]);
    team.apply(None).await.unwrap();
    team.wait(1).await;
    team.does(1).await;
    team.does(2).await;
    team.wait(3).await;
    assert!(team.mails_to(1)[0].contains("The old words"));
    assert!(team.mails_to(2)[0].contains("The newest words"));
    assert_eq!(team.step_of(1).await.as_deref(), Some("ring"));
    assert_eq!(team.step_of(2).await.as_deref(), Some("call"));
    let story = team.engine.why("1").await.unwrap();
    let version = &story.enrollments[0].person.version;
    assert!(version.cadence.step(&"ring".into()).is_some());
}

#[tokio::test]
async fn a_step_added_behind_somebody_is_for_those_before_it() {
    let mut team = Team::new().await;
    team.enroll([1, 2]).await;
    team.wait(1).await;
    team.does(1).await;
    let added = "  - id: extra\n    after: 1 hour\n    task: { title: Extra }\n  - id: mail\n";
    team.change("cadences/live.yaml", "  - id: mail\n", added);
    assert_eq!(said(&team.plan().await), [("extra".to_owned(), "added", step(1, 0, 1))]);
    team.apply(Some(InFlight::Move)).await.unwrap();
    team.does(2).await;
    assert_eq!(team.step_of(1).await.as_deref(), Some("mail"));
    assert_eq!(team.step_of(2).await.as_deref(), Some("extra"));
}

#[tokio::test]
async fn no_key_changes_silently() {
    let cases = [
        ("00:00-23:59", "08:00-09:00", "send_window", Reach::UnderWay(1)),
        ("per_day: 9", "per_day: 3", "limits.touches_per_prospect_per_day", Reach::UnderWay(1)),
        ("at_end: stop", "at_end: { pause: 9 days }", "at_end", Reach::UnderWay(1)),
        ("again_after: never", "again_after: 9 days", "enroll.again_after", Reach::NewPeople),
        ("title: Live", "title: Alive", "title", Reach::Nobody),
        ("expires_after: 90 days", "expires_after: 2 days", "look", step(1, 0, 0)),
        ("title: Ring", "title: Phone", "ring", step(1, 0, 0)),
    ];
    let mut team = Team::new().await;
    team.enroll([1]).await;
    for (from, to, place, reach) in cases {
        let before = team.files.clone();
        team.change("cadences/live.yaml", from, to);
        let plan = team.plan().await;
        let found = said(&plan);
        assert!(
            found.iter().any(|(known, _, touched)| known == place && *touched == reach),
            "{place}: {found:?}"
        );
        assert_eq!(plan.kind, Kind::Content);
        team.files = before;
    }
    team.change("cadences/live.yaml", "title: Live", "title: Live # as ever");
    let plan = team.plan().await;
    assert_eq!((plan.kind, plan.lines.len()), (Kind::Content, 0));
}

#[tokio::test]
async fn without_its_file_a_cadence_goes_on_for_those_in_it_and_lets_nobody_in() {
    let mut team = Team::new().await;
    team.enroll([1]).await;
    let cadence = team.files.texts.remove("cadences/live.yaml").unwrap();
    let plan = team.plan().await;
    assert_eq!((plan.kind, plan.people.under_way), (Kind::Removed, 1));
    team.apply(None).await.unwrap();
    assert!(team.engine.plan(&team.checked()).await.unwrap().is_empty());
    let refused = team.engine.enroll(&[ProspectId(1)], &"live".into(), Mode::DryRun).await;
    assert!(refused.unwrap_err().to_string().contains("no applied cadence"));
    team.wait(1).await;
    team.does(1).await;
    team.wait(2).await;
    assert_eq!(team.mails_to(1).len(), 1);
    team.files.texts.insert("cadences/live.yaml".to_owned(), cadence);
    assert_eq!(team.plan().await.kind, Kind::New);
    team.apply(None).await.unwrap();
    let summaries = team.engine.history(&"live".into()).await.unwrap();
    let summaries: Vec<&str> = summaries.iter().map(|line| line.summary.as_str()).collect();
    let expected = ["first version", "taken out: its file was gone", "the same version again"];
    assert_eq!(summaries, expected);
}

#[tokio::test]
async fn the_history_says_what_changed_who_did_it_and_who_is_on_it() {
    let mut team = Team::new().await;
    team.enroll([1]).await;
    let first = team.files.clone();
    team.change("cadences/live.yaml", "00:00-23:59", "08:00-17:00");
    team.change("templates/hello.hbs", "old", "new");
    team.apply(None).await.unwrap();
    team.files = first;
    team.apply(None).await.unwrap();
    let history = team.engine.history(&"live".into()).await.unwrap();
    let lines: Vec<_> = history
        .iter()
        .map(|line| (line.summary.as_str(), line.by.as_str(), line.people, line.is_current))
        .collect();
    let back = format!("back to {}", &history[0].digest.as_ref().unwrap()[..8]);
    assert_eq!(
        lines,
        [
            ("first version", "ann", 0, false),
            ("send_window, mail text", "ann", 0, false),
            (back.as_str(), "ann", 1, true),
        ]
    );
    let second = &history[1].digest.as_ref().unwrap()[..6];
    let found = team.engine.difference(&"live".into(), [second, "current"], None).await.unwrap();
    assert_eq!(found.changes.len(), 2);
    let missing = team.engine.difference(&"live".into(), ["abc", "current"], None).await;
    assert!(missing.unwrap_err().to_string().contains("at least four digits"));
}

#[tokio::test]
async fn watched_files_are_applied_when_they_are_quiet_and_clean() {
    let mut team = Team::new().await;
    let write = |files: &Files| {
        for (path, text) in &files.texts {
            let path = team.folder.path().join("ws").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    };
    write(&team.files);
    let calendars = ["always".to_owned()].into();
    let mut repo = Repo::new(team.engine.clone(), &team.folder.path().join("ws"), calendars);
    assert_eq!(repo.look().await, Outcome::Nothing);
    assert_eq!(repo.look().await, Outcome::Same);
    // Words: applied once, on the second look that finds them.
    let mut files = team.files.clone();
    let hello = files.texts.get_mut("templates/hello.hbs").unwrap();
    *hello = hello.replace("old", "new");
    write(&files);
    let mut looks = Vec::new();
    for _ in 0..3 {
        looks.push(repo.look().await);
    }
    assert_eq!(looks, [Outcome::Nothing, Outcome::Applied, Outcome::Nothing]);
    let history = team.engine.history(&"live".into()).await.unwrap();
    assert_eq!(history.last().unwrap().by, "run --watch");
    // Broken: what ran before goes on, and it is said once.
    let good = files.clone();
    let cadence = files.texts.get_mut("cadences/live.yaml").unwrap();
    *cadence = cadence.replace("at_end", "at_edn");
    write(&files);
    repo.look().await;
    assert!(matches!(repo.look().await, Outcome::Kept(why) if why.contains("firsttouch check")));
    assert_eq!(repo.look().await, Outcome::Nothing);
    // Steps under somebody: a person has to say what happens.
    team.files = good;
    team.enroll([1]).await;
    team.change("cadences/live.yaml", "  - id: ring\n", "  - id: call\n");
    for (path, text) in &team.files.texts {
        fs::write(team.folder.path().join("ws").join(path), text).unwrap();
    }
    repo.look().await;
    let kept = repo.look().await;
    assert!(matches!(&kept, Outcome::Kept(why) if why.contains("--in-flight")), "{kept:?}");
    assert!(matches!(&kept, Outcome::Kept(why) if !why.contains("Person1")), "{kept:?}");
    assert_eq!(team.engine.history(&"live".into()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn people_who_move_on_meanwhile_are_moved_where_they_are_then() {
    let mut team = Team::new().await;
    team.enroll(1..=40).await;
    team.wait(1).await;
    team.change("templates/hello.hbs", "old", "new");
    let working = async {
        for id in 1..=40 {
            team.does(id).await;
        }
    };
    let (applied, ()) = tokio::join!(team.apply(None), working);
    applied.unwrap();
    let digest = team.plan().await.digest.unwrap();
    for id in 1..=40 {
        let enrollment = team.engine.store.enrollments_of(ProspectId(id)).await.unwrap();
        assert_eq!(enrollment[0].digest, digest, "person {id}");
        assert_eq!(team.step_of(id).await.as_deref(), Some("mail"));
    }
}
