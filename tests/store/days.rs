//! A rep's day: tasks that change hands, what is taken back, and who is away.

use firsttouch::domain::absence::{Absence, Work};
use firsttouch::domain::budget::Waiting;
use firsttouch::domain::cadence::{Channel, Outcome};
use firsttouch::domain::enrollment::TaskKind;
use firsttouch::domain::ids::*;
use firsttouch::domain::log::{Entry, What};
use firsttouch::domain::suppression::{Cause, Subject, Suppression};
use firsttouch::domain::touch::{Milestone, Status, Touch};
use firsttouch::ports::{
    Changes, EnrollmentMove, Guards, Intent, Lane, MilestoneRecord, StoreError, TaskRecord,
};

use crate::Database;
use crate::samples::*;

fn task(id: i64, rep: &str) -> TaskRecord {
    TaskRecord {
        id: TaskId(id),
        enrollment: EnrollmentId(id),
        prospect: ProspectId(id),
        rep: RepId::from(rep),
        kind: TaskKind::Touch(Channel::Call),
        step: StepId::from("one"),
        attempt: 1,
        title: "Call".to_owned(),
        version: None,
        text: String::new(),
        priority: 2,
        opened_at: at(id),
        expires_at: at(100),
        target_at: None,
        wakes_at: None,
        promised: false,
        covers: None,
        metered: None,
        open: true,
    }
}

pub async fn an_open_task_changes_hands_and_times_and_a_closed_one_does_not(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 2).await;
    let tasks = vec![task(1, "ada"), task(2, "ada")];
    store.write(Changes { tasks, ..Changes::default() }).await.unwrap();
    let covers = Some(RepId::from("ada"));
    let changed = TaskRecord {
        covers,
        wakes_at: Some(at(9)),
        promised: true,
        expires_at: at(200),
        ..task(1, "bea")
    };
    let tasks_changed = vec![changed.clone()];
    store.write(Changes { tasks_changed, ..Changes::default() }).await.unwrap();
    assert_eq!(store.task(TaskId(1)).await.unwrap(), Some(changed));
    let bea = RepId::from("bea");
    assert_eq!(store.tasks(Some(&bea)).await.unwrap().len(), 1);
    let close_tasks = vec![(EnrollmentId(2), at(3))];
    store.write(Changes { close_tasks, ..Changes::default() }).await.unwrap();
    let too_late = Changes {
        tasks_changed: vec![task(2, "bea")],
        log: vec![note(4, 2)],
        ..Changes::default()
    };
    let refused = store.write(too_late).await;
    assert!(matches!(refused, Err(StoreError::Stale(EnrollmentId(2)))), "{refused:?}");
    assert!(store.log_of(ProspectId(2)).await.unwrap().is_empty());
}

pub async fn what_was_done_is_taken_back_and_its_touch_is_used_again(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 1).await;
    let done = |id: i64, outcome: &str| Touch {
        channel: Channel::Call,
        actor: "ada".to_owned(),
        mail: None,
        outcome: Some(Outcome::from(outcome)),
        ..touch(id, 1, "one", Status::Done)
    };
    let first = |touch: i64| MilestoneRecord {
        enrollment: EnrollmentId(1),
        prospect: ProspectId(1),
        milestone: Milestone::Attempt,
        touch: TouchId(touch),
        at: at(1),
    };
    let block = |minutes: i64| Suppression {
        subject: Subject::Phone("+14155550100".to_owned()),
        cause: Cause::DoNotCall,
        source: "ada".to_owned(),
        at: at(minutes),
    };
    let changes = Changes {
        touches: vec![done(5, "do_not_call")],
        milestones: vec![first(5)],
        suppressions: vec![block(1)],
        tasks: vec![task(1, "ada")],
        ..Changes::default()
    };
    store.write(changes).await.unwrap();
    // Open still: it cannot be opened again.
    let reopen = || Changes { tasks_reopened: vec![task(1, "ada")], ..Changes::default() };
    assert!(store.write(reopen()).await.is_err());
    let close_tasks = vec![(EnrollmentId(1), at(2))];
    store.write(Changes { close_tasks, ..Changes::default() }).await.unwrap();
    let taken_back = Changes {
        settled: vec![(TouchId(5), Status::TakenBack)],
        milestones_gone: vec![TouchId(5)],
        // Another block of the same number, made at another time, stays.
        suppressions_gone: vec![block(9)],
        ..reopen()
    };
    store.write(taken_back).await.unwrap();
    assert_eq!(store.task(TaskId(1)).await.unwrap(), Some(task(1, "ada")));
    assert!(store.milestones().await.unwrap().is_empty());
    assert_eq!(store.all_suppressions_of(&block(1)).await, 1);
    let suppressions_gone = vec![block(1)];
    store.write(Changes { suppressions_gone, ..Changes::default() }).await.unwrap();
    assert_eq!(store.all_suppressions_of(&block(1)).await, 0);
    let again = done(5, "no_answer");
    store.write(Changes { touches: vec![again.clone()], ..Changes::default() }).await.unwrap();
    assert_eq!(store.touches_of(EnrollmentId(1)).await.unwrap(), [again]);
    // Done is done.
    let twice = Changes { touches: vec![done(6, "no_answer")], ..Changes::default() };
    assert!(matches!(store.write(twice).await, Err(StoreError::Stale(_))));
}

/// How often something is blocked.
trait Blocked {
    async fn all_suppressions_of(&self, block: &Suppression) -> usize;
}

impl Blocked for std::sync::Arc<dyn firsttouch::ports::Store> {
    async fn all_suppressions_of(&self, block: &Suppression) -> usize {
        self.suppressions(std::slice::from_ref(&block.subject)).await.unwrap().len()
    }
}

pub async fn what_somebody_did_is_found_newest_first(database: Database) {
    let store = database.open().await;
    write_people(&*store, 1).await;
    let entry = |minutes: i64, what: What, actor: &str| Entry {
        actor: actor.to_owned(),
        ..Entry::new(at(minutes), what)
    };
    let log = vec![
        entry(1, What::TaskDone, "ada").with("task", 1),
        entry(2, What::TaskSnoozed, "bea").with("task", 2),
        entry(3, What::TaskOpened, "ada"),
        entry(4, What::TaskUndone, "ada").with("task", 1),
        entry(5, What::TaskSnoozed, "ada").with("task", 3),
    ];
    store.write(Changes { log, ..Changes::default() }).await.unwrap();
    let ada = RepId::from("ada");
    let found = store.deeds(&ada, 9).await.unwrap();
    let told: Vec<_> = found.iter().map(|entry| (entry.what, entry.detail("task"))).collect();
    assert_eq!(told, [(What::TaskSnoozed, "3"), (What::TaskUndone, "1"), (What::TaskDone, "1")]);
    assert_eq!(store.deeds(&ada, 1).await.unwrap().len(), 1);
}

fn absence(id: i64, rep: &str, (from, until): (i64, i64), work: Work) -> Absence {
    Absence {
        id: AbsenceId(id),
        rep: RepId::from(rep),
        from: at(from),
        until: at(until),
        work,
        noted_at: at(0),
        noted_by: "cli".to_owned(),
        ended_at: None,
    }
}

pub async fn absences_come_back_in_their_order_and_can_be_ended(database: Database) {
    let store = database.open().await;
    let cover = Work::Cover(RepId::from("bea"));
    let all = [
        absence(1, "ada", (20, 30), Work::Hold),
        absence(2, "cem", (10, 50), cover),
        absence(3, "ada", (1, 5), Work::GoOn),
    ];
    store.write(Changes { absences: all.to_vec(), ..Changes::default() }).await.unwrap();
    assert_eq!(
        store.absences(at(4)).await.unwrap(),
        [all[2].clone(), all[1].clone(), all[0].clone()]
    );
    assert_eq!(store.absences(at(30)).await.unwrap(), [all[1].clone()]);
    let ended = Absence { ended_at: Some(at(25)), ..all[0].clone() };
    store.write(Changes { absences: vec![ended.clone()], ..Changes::default() }).await.unwrap();
    assert_eq!(store.absences(at(4)).await.unwrap()[2], ended);
}

pub async fn an_intent_waits_for_whoever_is_away_and_whose_work_is_held(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 2).await;
    let early = Absence { ended_at: Some(at(60)), ..absence(4, "dot", (10, 90), Work::Hold) };
    let absences = vec![
        absence(1, "ada", (10, 20), Work::Hold),
        absence(2, "ada", (15, 40), Work::Hold),
        absence(3, "bea", (10, 20), Work::GoOn),
        early,
    ];
    store.write(Changes { absences, ..Changes::default() }).await.unwrap();
    let guards = |rep: &str, minutes: i64| Guards {
        owner: Some(RepId::from(rep)),
        ..no_guards(at(minutes))
    };
    let wait = |until: i64| Intent::Wait { reason: Waiting::OwnerAway, until: at(until) };
    for (rep, minutes, wanted) in [
        ("ada", 9, Intent::Committed),
        ("ada", 10, wait(20)),
        ("ada", 16, wait(40)),
        ("ada", 40, Intent::Committed),
        ("bea", 15, Intent::Committed),
        ("dot", 59, wait(60)),
        ("dot", 60, Intent::Committed),
    ] {
        let intent = store.intend(Changes::default(), guards(rep, minutes)).await.unwrap();
        assert_eq!(intent, wanted, "{rep} {minutes}");
    }
}

pub async fn whoever_waits_for_a_rep_is_found_and_woken(database: Database) {
    let store = database.open().await;
    write_enrolled(&*store, 3).await;
    let waits = |id: i64, waiting: Waiting| {
        let wake =
            wake(Lane::Desk, at(500)).map(|wake| firsttouch::ports::Wake { waiting, ..wake });
        moved(id, 1, waiting_state(), wake)
    };
    let given = |id: i64| EnrollmentMove {
        owner: Some(RepId::from("ada")),
        ..waits(id, Waiting::OwnerAway)
    };
    let moved = vec![given(1), waits(2, Waiting::OwnerAway), waits(3, Waiting::NotDue)];
    store.write(Changes { moved, ..Changes::default() }).await.unwrap();
    let (ada, other) = (RepId::from("ada"), RepId::from("rep"));
    assert_eq!(store.owners_waited_for().await.unwrap(), [ada.clone(), other.clone()]);
    let owned = store.enrollments_of_owner(&ada).await.unwrap();
    assert_eq!(owned.iter().map(|record| record.id.0).collect::<Vec<_>>(), [1]);
    let states = store.transitions_of(EnrollmentId(1)).await.unwrap();
    assert_eq!(states.last().map(|state| state.owner.clone()), Some(ada));
    let woken = vec![(other, at(7))];
    store.write(Changes { woken, ..Changes::default() }).await.unwrap();
    let due = store.due(&Lane::Desk, at(8), 9).await.unwrap();
    assert_eq!(due, [EnrollmentId(2)]);
    let wake = store.enrollment(EnrollmentId(3)).await.unwrap().unwrap().wake.unwrap();
    assert_eq!(wake.at, at(500));
}

fn waiting_state() -> firsttouch::domain::enrollment::State {
    waiting("one", at(0), Vec::new())
}

pub async fn everybody_of_a_rep_is_anothers(database: Database) {
    let store = database.open().await;
    write_people(&*store, 2).await;
    let before = store.prospects(&[ProspectId(1)]).await.unwrap().remove(0).owner;
    let people_of = Some((before, RepId::from("bea")));
    store.write(Changes { people_of, ..Changes::default() }).await.unwrap();
    let people = store.prospects(&[ProspectId(1), ProspectId(2)]).await.unwrap();
    assert!(people.iter().all(|prospect| prospect.owner == RepId::from("bea")));
}
