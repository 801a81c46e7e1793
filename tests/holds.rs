//! On hold nothing new is begun, and everything that was read is read: whole cadences on a real store.

mod team;

use firsttouch::domain::budget::Waiting;
use firsttouch::domain::hold::{HoldCause, HoldScope};
use firsttouch::domain::ids::{CadenceId, MailboxId, RepId};
use firsttouch::domain::log::What;
use firsttouch::domain::prospect::Relationship;
use firsttouch::domain::settings::Settings;
use firsttouch::engine::surroundings::Memory;
use firsttouch::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use team::{Team, instant};

const MAIL_AND_CALL: &str = "format: cadence/v1\nid: first\ntitle: T\ndays: business\ncalendar: standard\n\
     enroll: { audience: prospects, profiles: [any] }\nsteps:\n  \
     - { id: mail, day: 1, email: { template: hello, thread: new } }\n  \
     - { id: call, day: 2, call: { script: script } }\n  \
     - { id: bump, day: 4, email: { template: bump, thread: reply } }\n";

async fn team() -> Team {
    let cadence = ("cadences/first.yaml".to_owned(), MAIL_AND_CALL.to_owned());
    let team = Team::new(&[cadence]).await;
    team.people(2, Relationship::Prospect, &[]).await;
    team.enroll("first", 2).await;
    team
}

async fn hold(team: &Team, scope: HoldScope) {
    team.engine.hold(scope, "a  look\nfirst", "ann").await.unwrap();
}

async fn causes(team: &Team) -> Vec<(String, HoldCause)> {
    let holds = team.engine.store.holds().await.unwrap();
    holds.into_iter().map(|hold| (hold.scope.text(), hold.cause)).collect()
}

fn scopes() -> [HoldScope; 4] {
    [
        HoldScope::Everything,
        HoldScope::Mailbox(MailboxId::from("ann")),
        HoldScope::Cadence(CadenceId::from("first")),
        HoldScope::Rep(RepId::from("ann")),
    ]
}

#[tokio::test]
async fn whatever_is_held_no_mail_leaves_and_with_the_release_all_go_on_one_by_one() {
    for scope in scopes() {
        let team = team().await;
        hold(&team, scope.clone()).await;
        team.until("2026-03-03T16:00:00Z").await;
        assert_eq!(team.touches(1).await.len(), 0, "{scope:?}");
        assert_eq!(team.queue("ann").await.len(), 0, "{scope:?}");
        if !matches!(scope, HoldScope::Everything | HoldScope::Mailbox(_)) {
            let wake = team.enrollments(1).await[0].wake.clone().unwrap();
            assert_eq!(wake.waiting, Waiting::OnHold, "{scope:?}");
        }
        let lifted = team.engine.release(scope.clone(), "bo").await.unwrap();
        assert_eq!(lifted.len(), 1);
        assert_eq!(lifted[0].note, "a look first");
        team.until("2026-03-03T16:30:00Z").await;
        for person in [1, 2] {
            assert_eq!(team.touches(person).await.len(), 1, "{scope:?}");
        }
        let refused = team.engine.release(scope.clone(), "bo").await.unwrap_err().to_string();
        assert!(refused.contains("is not on hold; nothing is"), "{refused}");
        let (log, _) = team.engine.store.log_after(0, 1_000).await.unwrap();
        let told: Vec<(What, &str)> = log
            .iter()
            .filter(|entry| matches!(entry.what, What::Held | What::Released))
            .map(|entry| (entry.what, entry.actor.as_str()))
            .collect();
        assert_eq!(told, [(What::Held, "ann"), (What::Released, "bo")]);
    }
}

#[tokio::test]
async fn on_hold_no_task_is_opened_and_those_that_are_open_can_be_done() {
    let team = team().await;
    team.until("2026-03-03T09:00:00Z").await;
    let queue = team.queue("ann").await;
    assert_eq!(queue.len(), 2, "both calls are open");
    hold(&team, HoldScope::Everything).await;
    team.done(queue[0].task.id, "no_answer").await;
    team.until("2026-03-06T12:00:00Z").await;
    let mails = |touches: Vec<firsttouch::domain::touch::Touch>| {
        touches.iter().filter(|touch| touch.mail.is_some()).count()
    };
    assert_eq!(mails(team.touches(1).await), 1, "the second mail waits");
    team.engine.release(HoldScope::Everything, "ann").await.unwrap();
    team.until("2026-03-06T13:00:00Z").await;
    assert_eq!(mails(team.touches(1).await), 2);
}

#[tokio::test]
async fn replies_are_read_on_hold_and_whoever_answered_gets_nothing_behind_it() {
    let team = team().await;
    team.until("2026-03-02T09:00:00Z").await;
    hold(&team, HoldScope::Everything).await;
    team.answers(1, "No, thank you. We are fine.").await;
    team.until("2026-03-02T10:00:00Z").await;
    assert_eq!(team.ways(1).await, ["first replied"]);
    team.engine.release(HoldScope::Everything, "ann").await.unwrap();
    team.until("2026-03-10T10:00:00Z").await;
    assert_eq!(team.touches(1).await.len(), 1);
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_held_and_the_nearest_name_is_told() {
    let team = team().await;
    for (scope, words) in [
        (
            HoldScope::Mailbox(MailboxId::from("an")),
            "there is no mailbox `an`; did you mean `ann`?",
        ),
        (HoldScope::Cadence(CadenceId::from("frist")), "did you mean `first`?"),
        (
            HoldScope::Rep(RepId::from("zacharias")),
            "there is no rep `zacharias`: the settings know ann, cara",
        ),
    ] {
        let refused = team.engine.hold(scope, "x", "ann").await.unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    assert_eq!(causes(&team).await, []);
}

/// A clock that is set while the machine runs on.
struct SetClock {
    shown: std::sync::Mutex<Timestamp>,
    steady: std::sync::Mutex<SignedDuration>,
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.shown.lock().unwrap()
    }

    fn steady(&self) -> SignedDuration {
        *self.steady.lock().unwrap()
    }
}

impl SetClock {
    fn pass(&self, time: SignedDuration, jump: SignedDuration) {
        *self.shown.lock().unwrap() += time + jump;
        *self.steady.lock().unwrap() += time;
    }
}

#[tokio::test]
async fn a_clock_that_is_set_puts_everything_on_hold_before_the_next_mail() {
    let hours = SignedDuration::from_hours;
    for (jump, held) in [
        (SignedDuration::ZERO, false),
        (SignedDuration::from_mins(9), false),
        (-SignedDuration::from_mins(9), false),
        (-hours(24 * 365), true),
        (hours(24 * 31), true),
        (-SignedDuration::from_mins(10), true),
    ] {
        let mut team = team().await;
        let shown = std::sync::Mutex::new(instant("2026-03-02T07:00:00Z"));
        let clock = std::sync::Arc::new(SetClock { shown, steady: Default::default() });
        team.engine.clock = clock.clone();
        let ann = MailboxId::from("ann");
        team.engine.work_mailbox(&ann).await.unwrap();
        clock.pass(hours(2), jump);
        team.engine.collect(&ann).await.unwrap();
        team.engine.work_mailbox(&ann).await.unwrap();
        let everything = ("everything".to_owned(), HoldCause::ClockJump);
        let expected = if held { vec![everything] } else { Vec::new() };
        assert_eq!(causes(&team).await, expected, "{jump:?}");
        assert_eq!(
            team.touches(1).await.len() + team.touches(2).await.len() > 0,
            !held,
            "{jump:?}"
        );
    }
}

#[tokio::test]
async fn a_hold_that_could_not_be_written_is_written_before_anything_leaves() {
    let mut team = team().await;
    let shown = std::sync::Mutex::new(instant("2026-03-02T07:00:00Z"));
    let clock = std::sync::Arc::new(SetClock { shown, steady: Default::default() });
    team.engine.clock = clock.clone();
    let ann = MailboxId::from("ann");
    team.engine.work_mailbox(&ann).await.unwrap();
    clock.pass(SignedDuration::from_hours(2), SignedDuration::from_hours(24));
    team.engine.collect(&ann).await.unwrap();
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}", team.dir.path().join("runs.db").display());
    let raw = sqlx::any::AnyPoolOptions::new().connect(&url).await.unwrap();
    sqlx::query("alter table hold rename to elsewhere").execute(&raw).await.unwrap();
    assert!(team.engine.work_mailbox(&ann).await.is_err());
    sqlx::query("alter table elsewhere rename to hold").execute(&raw).await.unwrap();
    raw.close().await;
    team.engine.work_mailbox(&ann).await.unwrap();
    assert_eq!(causes(&team).await, [("everything".to_owned(), HoldCause::ClockJump)]);
    assert_eq!(team.touches(1).await.len() + team.touches(2).await.len(), 0);
}

#[tokio::test]
async fn a_database_that_is_not_what_this_machine_knows_is_put_on_hold_at_the_start() {
    let team = team().await;
    let engine = &team.engine;
    engine.look_back(None, "db-1").await.unwrap();
    let memory = engine.beat().await.unwrap().unwrap();
    assert_eq!(memory, Memory { instance: "db-1".to_owned(), beat: engine.now() });
    engine.look_back(Some(&memory), "db-2").await.unwrap();
    assert_eq!(causes(&team).await, [], "the same database, and the name is kept");
    // A day passes, and then the copy of yesterday is put back.
    let later = Memory { beat: memory.beat + SignedDuration::from_hours(24), ..memory.clone() };
    engine.look_back(Some(&later), "db-2").await.unwrap();
    assert_eq!(causes(&team).await, [("everything".to_owned(), HoldCause::Restored)]);
    engine.release(HoldScope::Everything, "ann").await.unwrap();
    let other = Memory { instance: "db-9".to_owned(), ..memory };
    engine.look_back(Some(&other), "db-2").await.unwrap();
    assert_eq!(causes(&team).await, [("everything".to_owned(), HoldCause::Copied)]);
    engine.release(HoldScope::Everything, "ann").await.unwrap();
    team.clock.set(engine.now() + SignedDuration::from_hours(24 * 15));
    engine.look_back(None, "db-2").await.unwrap();
    assert_eq!(causes(&team).await, [("everything".to_owned(), HoldCause::LongSilence)]);
}

#[tokio::test]
async fn a_node_with_another_key_is_turned_away_until_somebody_says_that_the_key_is_lost() {
    let mut team = team().await;
    team.engine.check_key(false).await.unwrap();
    team.engine.check_key(false).await.unwrap();
    let settings = Settings { secret: b"another".to_vec(), ..team::settings() };
    team.engine.settings = std::sync::Arc::new(settings);
    let refused = team.engine.check_key(false).await.unwrap_err().to_string();
    assert!(refused.contains("copy the file .firsttouch/secret"), "{refused}");
    team.engine.check_key(true).await.unwrap();
    team.engine.check_key(false).await.unwrap();
}

#[tokio::test]
async fn a_version_that_cannot_run_holds_its_cadence_and_the_others_go_on() {
    let of = |id: &str, calendar: &str| {
        let text = MAIL_AND_CALL.replace("id: first", &format!("id: {id}"));
        let text = text.replace("calendar: standard", &format!("calendar: {calendar}"));
        (format!("cadences/{id}.yaml"), text)
    };
    let mut team = Team::new(&[of("first", "standard"), of("other", "standard")]).await;
    team.people(3, Relationship::Prospect, &[]).await;
    team.enroll("first", 2).await;
    let third = [firsttouch::domain::ids::ProspectId(3)];
    let mode = firsttouch::engine::enroll::Mode::Commit;
    team.engine.enroll(&third, &CadenceId::from("other"), mode).await.unwrap();
    // Somebody renames the calendar that `first` runs on.
    let pool = sqlx::any::AnyPoolOptions::new();
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}", team.dir.path().join("runs.db").display());
    let raw = pool.connect(&url).await.unwrap();
    let sql = "update cadence_version set files = replace(files, 'calendar: standard', \
               'calendar: gone') where cadence_id = 'first'";
    sqlx::query(sql).execute(&raw).await.unwrap();
    raw.close().await;
    let parts = firsttouch::engine::Parts {
        clock: team.engine.clock.clone(),
        store: team.engine.store.clone(),
        mailer: team.engine.mailer.clone(),
        inbox: team.engine.inbox.clone(),
        settings: team.engine.settings.clone(),
        node: "sole".to_owned(),
    };
    team.engine = firsttouch::engine::Engine::new(parts);
    team.until("2026-03-02T12:00:00Z").await;
    assert_eq!(causes(&team).await, [("cadence:first".to_owned(), HoldCause::BrokenVersion)]);
    let note = team.engine.store.holds().await.unwrap().remove(0).note;
    assert!(note.contains("there is no calendar `gone`"), "{note}");
    assert_eq!(
        team.engine.store.touches_of(firsttouch::domain::ids::EnrollmentId(1)).await.unwrap(),
        []
    );
    assert_eq!(team.touches(3).await.len(), 1);
}

#[tokio::test]
async fn a_mailbox_with_too_many_dead_addresses_is_held_and_its_breaker_starts_anew() {
    let cadence = ("cadences/first.yaml".to_owned(), MAIL_AND_CALL.to_owned());
    let mut team = Team::new(&[cadence]).await;
    let mut settings = team::settings();
    let limits = &mut settings.limits;
    (limits.per_domain_per_day, limits.new_per_company_per_day) = (100, 100);
    limits.active_per_company = 100;
    team.engine.settings = std::sync::Arc::new(settings);
    team.people(24, Relationship::Prospect, &[]).await;
    team.enroll("first", 24).await;
    team.until("2026-03-02T15:00:00Z").await;
    bounces(&team, 1).await;
    team.until("2026-03-02T15:30:00Z").await;
    let ann = ("mailbox:ann".to_owned(), HoldCause::Bounces);
    let (log, _) = team.engine.store.log_after(0, 1_000).await.unwrap();
    let mails = log.iter().filter(|entry| entry.what == What::Sent).count();
    assert!((20..50).contains(&mails), "{mails}");
    assert_eq!(causes(&team).await, [ann]);
    let note = team.engine.store.holds().await.unwrap().remove(0).note;
    assert_eq!(note, format!("1 of {mails} mails in 28 days went to dead addresses"));
    team.engine.release(HoldScope::Mailbox(MailboxId::from("ann")), "ann").await.unwrap();
    bounces(&team, 2).await;
    team.until("2026-03-02T16:00:00Z").await;
    assert_eq!(causes(&team).await, [], "what a person has seen does not count again");
}

/// The newest mail to somebody comes back: nobody is there.
async fn bounces(team: &Team, person: i64) {
    let touches = team.touches(person).await;
    let id = touches.iter().rev().find_map(|touch| touch.mail.as_ref()).unwrap();
    let id = &id.message_id;
    team.letters.0.lock().unwrap().push(format!(
        "From: MAILER-DAEMON@acme.test\r\nTo: <ann@us.example>\r\nSubject: Undelivered Mail\r\n\
         Message-ID: <b{person}@acme.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; acme.test\r\n\r\n\
         Final-Recipient: rfc822; p{person}@acme.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{id}>\r\nSubject: A question\r\n\r\nHi\r\n\
         --b--\r\n"
    ));
}
