//! People who come in by themselves: through an event that somebody tells, or a field that has some value.

mod team;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use firsttouch::domain::cadence::Cadence;
use firsttouch::domain::ids::{CadenceId, ProspectId, RepId};
use firsttouch::domain::log::What;
use firsttouch::domain::prospect::Relationship;
use firsttouch::engine::Engine;
use firsttouch::engine::enroll::{Enrolled, Mode};
use firsttouch::engine::event::{Answer, Telling, Told};
use firsttouch::engine::import::{self, OnDuplicate};
use firsttouch::engine::workspace::{Files, check};
use firsttouch::ports::Clock;
use firsttouch::wiring::list_file::ListFile;
use firsttouch::wiring::lists::{self, Asked, Imported, Progress};
use jiff::SignedDuration;
use team::{Team, instant};

fn cadence(id: &str, enroll: &str, steps: &str) -> (String, String) {
    let text = format!(
        "format: cadence/v1\nid: {id}\ntitle: T\ndays: business\ncalendar: standard\n\
         enroll: {{ audience: prospects, profiles: [any], again_after: 30 days, {enroll} }}\nsteps:\n{steps}"
    );
    (format!("cadences/{id}.yaml"), text)
}

const MAIL: &str = "  - { id: mail, after: 0 minutes, email: { template: hello, thread: new } }\n";
const FORM: &str = "when: { event: form_submitted }";
const WON: &str = "when: { field: { deal.stage: closed_won } }";

fn told(name: &str, who: &str) -> Telling {
    Telling {
        name: name.to_owned(),
        who: who.to_owned(),
        key: None,
        happened_at: None,
        set: Vec::new(),
        actor: RepId::from("engine"),
    }
}

fn keyed(name: &str, who: &str, key: &str) -> Telling {
    Telling { key: Some(key.to_owned()), ..told(name, who) }
}

async fn tell(team: &Team, telling: &Telling) -> Told {
    team.engine.tell_event(telling, Mode::Commit).await.unwrap()
}

async fn refused(team: &Team, telling: &Telling) -> String {
    team.engine.tell_event(telling, Mode::Commit).await.unwrap_err().to_string()
}

fn stays_out(told: &Told, cadence: &str) -> String {
    let answer = told.answers.iter().find(|(id, _)| id.as_str() == cadence);
    match answer {
        Some((_, Answer::StaysOut(reason))) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whoever_an_event_happens_to_comes_in_at_once_and_the_log_says_so() {
    let team =
        Team::new(&[cadence("form", FORM, MAIL), cadence("plain", "when: manual", MAIL)]).await;
    team.people(2, Relationship::Prospect, &[]).await;
    let would = told("form_submitted", "p1@acme.test");
    let would = team.engine.tell_event(&would, Mode::DryRun).await.unwrap();
    assert!(matches!(would.answers[..], [(_, Answer::Starts(Some(_)))]), "{would:?}");
    assert_eq!(team.engine.store.log_of(ProspectId(1)).await.unwrap(), []);
    let came = tell(&team, &told("form_submitted", "p1@acme.test")).await;
    assert!(matches!(came.answers[..], [(_, Answer::Starts(Some(_)))]), "{came:?}");
    assert_eq!(team.ways(1).await, ["form waiting"]);
    assert_eq!(team.log(1, What::Told).await[0].detail("event"), "form_submitted");
    assert_eq!(team.log(1, What::Enrolled).await[0].detail("event"), "form_submitted");
    assert_eq!(team.ways(2).await, [""; 0]);
    team.until("2026-03-02T09:00:00Z").await;
    assert_eq!(team.touches(1).await.len(), 1);
}

#[tokio::test]
async fn the_same_key_counts_once_and_never_for_something_else() {
    let team = Team::new(&[cadence("form", FORM, MAIL)]).await;
    team.people(2, Relationship::Prospect, &[]).await;
    let event = keyed("form_submitted", "1", "form-17");
    assert_eq!(tell(&team, &event).await.before, None);
    let again = tell(&team, &event).await;
    assert_eq!((again.before, again.answers.len()), (Some(instant("2026-03-02T08:00:00Z")), 0));
    assert_eq!(team.log(1, What::Told).await.len(), 1);
    let other = refused(&team, &keyed("form_submitted", "2", "form-17")).await;
    assert!(other.contains("the key `form-17` was used already"), "{other}");
    assert_eq!(team.ways(2).await, [""; 0]);
}

#[tokio::test]
async fn two_who_tell_the_same_event_at_once_enroll_once() {
    let team = Team::new(&[cadence("form", FORM, MAIL)]).await;
    team.people(20, Relationship::Prospect, &[]).await;
    for id in 1..=20 {
        let event = keyed("form_submitted", &id.to_string(), &format!("k{id}"));
        let tell = || team.engine.tell_event(&event, Mode::Commit);
        let (one, two) = tokio::join!(tell(), tell());
        let before = [one.unwrap().before, two.unwrap().before];
        assert_eq!(before.iter().filter(|before| before.is_none()).count(), 1, "{before:?}");
        assert_eq!(team.ways(id).await, ["form waiting"]);
        assert_eq!(team.log(id, What::Told).await.len(), 1);
    }
}

#[tokio::test]
async fn who_may_not_come_in_stays_out_for_the_reasons_of_enroll() {
    let customers = cadence("form", FORM, MAIL).1.replace("prospects", "customers");
    let team = Team::new(&[
        ("cadences/form.yaml".to_owned(), customers),
        cadence("also", FORM, MAIL),
        cadence("plain", "when: manual", MAIL),
    ])
    .await;
    team.people(2, Relationship::Prospect, &[]).await;
    let came = tell(&team, &told("form_submitted", "1")).await;
    assert_eq!(stays_out(&came, "form"), "is not a customer yet: this cadence is for customers");
    assert_eq!(team.ways(1).await, ["also waiting"]);
    team.enroll_only("plain", 2).await;
    let came = tell(&team, &told("form_submitted", "2")).await;
    assert_eq!(stays_out(&came, "also"), "is already in a cadence");
    assert_eq!(team.ways(2).await, ["plain waiting"]);
    assert_eq!(team.log(2, What::NotEnrolled).await.len(), 2);
    team.until("2026-03-02T12:00:00Z").await;
    let again = tell(&team, &told("form_submitted", "1")).await;
    assert!(stays_out(&again, "also").starts_with("has been in this cadence"), "{again:?}");
}

impl Team {
    async fn enroll_only(&self, cadence: &str, person: i64) {
        let (people, cadence) = ([ProspectId(person)], CadenceId::from(cadence));
        let enrolled = self.engine.enroll(&people, &cadence, Mode::Commit).await.unwrap();
        assert_eq!(enrolled.enrolled, 1, "{enrolled:?}");
    }
}

#[tokio::test]
async fn slips_are_told_and_change_nothing() {
    let steps = "  - { id: mail, after: 0 minutes, only_if: { event: [meeting_held] }, \
                 email: { template: hello, thread: new } }\n";
    let team = Team::new(&[cadence("form", FORM, steps)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    let at = Some(instant("2026-03-02T08:00:01Z"));
    let set = |field: &str, value: &str| Telling {
        set: vec![(field.to_owned(), value.to_owned())],
        ..told("form_submitted", "1")
    };
    for (telling, said) in [
        (
            told("form_submited", "1"),
            "did you mean `form_submitted`? Cadences wait for: form_submitted, meeting_held",
        ),
        (
            told("webinar", "1"),
            "there is no cadence that waits for the event `webinar`; cadences wait for: ",
        ),
        (told("email_replied", "1"), "firsttouch notes `email_replied` by itself"),
        (
            told("form_submitted", "x@acme.test"),
            "there is no person `x@acme.test`: import them first",
        ),
        (told("form_submitted", "77"), "there is no person `77`: import them first"),
        (keyed("form_submitted", "1", " "), "the key needs 1 to 200 characters"),
        (
            Telling { happened_at: at, ..told("form_submitted", "1") },
            "it cannot have happened in the future",
        ),
        (set("titel", "CEO"), "there is no field `titel`; did you mean `title`?"),
        (set("email", "a@b.test"), "`email` comes from lists only"),
        (set("close_date", "soon"), "`close_date`: write a date like 2026-03-12"),
        (set("deal.Stage", "won"), "there is no field `deal.Stage`"),
    ] {
        let error = refused(&team, &telling).await;
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(team.engine.store.log_of(ProspectId(1)).await.unwrap(), []);
}

#[tokio::test]
async fn an_event_on_the_way_counts_in_conditions_and_one_from_before_does_not() {
    let steps = "  - { id: first, after: 0 minutes, task: { title: Look } }\n  \
                 - { id: mail, after: 1 day, only_if: { event: [webinar_joined] }, email: { template: hello, thread: new } }\n";
    for (happened_at, mails) in [("2026-03-02T10:00:00Z", 1), ("2026-03-01T10:00:00Z", 0)] {
        let team = Team::new(&[cadence("plain", "when: manual", steps)]).await;
        team.people(1, Relationship::Prospect, &[]).await;
        team.enroll("plain", 1).await;
        team.until("2026-03-02T11:00:00Z").await;
        let happened_at = Some(instant(happened_at));
        let came = tell(&team, &Telling { happened_at, ..told("webinar_joined", "1") }).await;
        assert_eq!((came.noted.len(), came.answers.len()), (mails, 0));
        team.done(team.only_task("ann").await.task.id, "done").await;
        team.until("2026-03-04T12:00:00Z").await;
        assert_eq!(team.touches(1).await.iter().filter(|t| t.mail.is_some()).count(), mails);
    }
}

#[tokio::test]
async fn an_event_beside_an_open_task_leaves_the_task_as_it_is() {
    let steps = "  - { id: call, after: 0 minutes, call: { script: script } }\n  \
                 - { id: mail, after: 1 day, skip_if: { event: [meeting_held] }, email: { template: hello, thread: new } }\n";
    let team = Team::new(&[cadence("plain", "when: manual", steps)]).await;
    team.people(1, Relationship::Prospect, &[]).await;
    team.enroll("plain", 1).await;
    team.until("2026-03-02T09:00:00Z").await;
    let before = team.enrollments(1).await[0].clone();
    tell(&team, &told("meeting_held", "1")).await;
    let after = team.enrollments(1).await[0].clone();
    assert_eq!((after.wake, after.state.phase), (before.wake, before.state.phase));
    assert_eq!(team.only_task("ann").await.task.step.as_str(), "call");
}

#[tokio::test]
async fn what_is_set_with_an_event_is_known_and_may_be_what_a_cadence_waits_for() {
    let team =
        Team::new(&[cadence("won", WON, MAIL), cadence("form", "when: { event: deal_won }", MAIL)])
            .await;
    team.people(2, Relationship::Prospect, &[("deal_stage", "open")]).await;
    let set = vec![("deal.stage".to_owned(), " Closed_won ".to_owned())];
    let came = tell(&team, &Telling { set: set.clone(), ..told("deal_won", "1") }).await;
    assert_eq!(stays_out(&came, "won"), "is already in a cadence");
    assert_eq!(came.prospect.known.extra["deal_stage"], "Closed_won");
    assert_eq!(team.ways(1).await, ["form waiting"]);
    // What was so before starts nothing.
    team.until("2026-03-02T12:00:00Z").await;
    let again = tell(&team, &Telling { set, ..told("deal_won", "1") }).await;
    assert_eq!(again.answers.len(), 1, "{again:?}");
}

// Lists.

struct Import {
    team: Team,
    engine: Arc<Engine>,
}

impl Import {
    async fn new(cadences: &[(String, String)]) -> Self {
        let mut team = Team::new(cadences).await;
        let parts = firsttouch::engine::Parts {
            clock: team.clock.clone(),
            store: team.engine.store.clone(),
            mailer: team.engine.mailer.clone(),
            inbox: team.engine.inbox.clone(),
            settings: team.engine.settings.clone(),
            node: "importer".to_owned(),
        };
        let engine = Arc::new(Engine::new(parts));
        team.engine.node = "daemon".to_owned();
        Self { team, engine }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.team.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    async fn import(&self, name: &str, text: &str, change: fn(&mut Asked)) -> Imported {
        self.import_with(name, text, change, &mut ()).await
    }

    async fn import_with(
        &self,
        name: &str,
        text: &str,
        change: fn(&mut Asked),
        progress: &mut dyn Progress,
    ) -> Imported {
        let mut asked = Asked {
            list: Some("people".to_owned()),
            owner: Some(RepId::from("ann")),
            default_country: None,
            map: Vec::new(),
            synonyms: None,
            on_duplicate: OnDuplicate::Overwrite,
            relationship: Relationship::Prospect,
            mode: import::Mode::Commit,
        };
        change(&mut asked);
        let list = ListFile::open(&self.file(name, text)).unwrap();
        // No two imports at the same time.
        self.team.clock.set(self.team.clock.now() + SignedDuration::from_mins(1));
        lists::import(&self.engine, &list, &asked, None, progress).await.unwrap()
    }

    async fn enrolled(&self) -> usize {
        self.engine.store.enrollments_in(&CadenceId::from("won")).await.unwrap().len()
    }
}

const HEADER: &str = "Email,First Name,Country,Deal Stage\n";

fn started(imported: &Imported) -> (usize, usize) {
    let came = imported.report.started.get(&CadenceId::from("won"));
    came.map_or((0, 0), |came| (came.people, came.enrolled))
}

fn people(n: usize, stage: &str) -> String {
    let row = |n| format!("p{n}@c{n}.test,Ann,GB,{stage}\n");
    format!("{HEADER}{}", (1..=n).map(row).collect::<String>())
}

#[tokio::test]
async fn an_import_takes_in_who_newly_has_the_value_and_nobody_twice() {
    let lists = Import::new(&[cadence("won", WON, MAIL)]).await;
    let first = format!(
        "{HEADER}a@a.test,Ann,GB,closed_won\nb@b.test,Bo,GB,open\nc@c.test,Cy,,closed_won\n"
    );
    let dry = lists.import("l.csv", &first, |asked| asked.mode = import::Mode::DryRun).await;
    assert_eq!((started(&dry), lists.enrolled().await), ((2, 1), 0));
    let imported = lists.import("l.csv", &first, |_| {}).await;
    assert_eq!((started(&imported), lists.enrolled().await), ((2, 1), 1));
    let came: &Enrolled = &imported.report.started[&CadenceId::from("won")];
    assert!(came.skipped.keys().all(|why| why.starts_with("no time zone")), "{came:?}");
    assert_eq!(lists.team.log(1, What::Enrolled).await[0].detail("field"), "deal.stage");
    // The same again, with one whose deal was won meanwhile.
    let second = first.replace("open", "closed_won");
    let dry = lists.import("m.csv", &second, |asked| asked.mode = import::Mode::DryRun).await;
    assert_eq!(started(&dry), (1, 1));
    let imported = lists.import("m.csv", &second, |_| {}).await;
    assert_eq!((started(&imported), lists.enrolled().await), ((1, 1), 2));
    let again = lists.import("n.csv", &format!("{second}\n"), |_| {}).await;
    assert_eq!((started(&again), lists.enrolled().await), ((0, 0), 2));
}

struct StopAt(u64, u64);

impl Progress for StopAt {
    fn at(&mut self, rows: u64, _: u64) {
        self.1 = rows;
    }

    fn stops(&self) -> bool {
        self.1 >= self.0
    }
}

#[tokio::test]
async fn an_import_that_was_stopped_takes_everybody_in_once() {
    let text = people(2_300, "closed_won");
    for daemon_helps in [false, true] {
        let lists = Import::new(&[cadence("won", WON, MAIL)]).await;
        let first = lists.import_with("l.csv", &text, |_| {}, &mut StopAt(500, 0)).await;
        assert!(first.report.stopped && lists.enrolled().await == 0);
        if daemon_helps {
            lists.team.engine.keep_house().await.unwrap();
            assert_eq!(lists.enrolled().await as u64, first.report.rows);
        }
        lists.import("l.csv", &text, |_| {}).await;
        assert_eq!(lists.enrolled().await, 2_300, "{daemon_helps}");
        assert_eq!(lists.engine.store.waiting_to_start(1).await.unwrap(), []);
    }
}

#[tokio::test]
async fn an_import_that_is_taken_back_keeps_whom_it_enrolled_and_starts_nobody_else() {
    let lists = Import::new(&[cadence("won", WON, MAIL)]).await;
    let text = people(2_300, "closed_won");
    let first = lists.import_with("l.csv", &text, |_| {}, &mut StopAt(500, 0)).await;
    let undone = lists.engine.undo_import(&first.report.import, false).await.unwrap();
    assert_eq!(undone.removed, first.report.rows);
    assert_eq!(lists.engine.store.waiting_to_start(1).await.unwrap(), []);
    let imported = lists.import("m.csv", &people(3, "closed_won"), |_| {}).await;
    assert_eq!(lists.enrolled().await, 3);
    let undone = lists.engine.undo_import(&imported.report.import, false).await.unwrap();
    assert_eq!((undone.removed, undone.reasons.values().sum::<u64>()), (0, 3));
    assert_eq!(lists.enrolled().await, 3);
}

fn read(cadences: &[(String, String)]) -> Cadence {
    let mut texts: std::collections::BTreeMap<_, _> = cadences.iter().cloned().collect();
    let hello = "---\nsubject: A question\n---\nHi {{first_name}}\n";
    texts.insert("templates/hello.hbs".to_owned(), hello.to_owned());
    let (workspace, findings) = check(&Files { texts }, &["standard".to_owned()].into());
    workspace.unwrap_or_else(|| panic!("{findings:?}")).cadences.remove(0).cadence
}

#[tokio::test]
async fn who_has_the_value_already_waits_to_be_asked_for() {
    let lists = Import::new(&[cadence("other", "when: manual", MAIL)]).await;
    lists.import("l.csv", &people(3, "closed_won"), |_| {}).await;
    let engine = &lists.engine;
    assert_eq!(engine.met(&read(&[cadence("won", WON, MAIL)])).await.unwrap().len(), 3);
    let refused = engine.met_by(&CadenceId::from("other")).await.unwrap_err().to_string();
    assert!(refused.contains("waits for no field"), "{refused}");
}
