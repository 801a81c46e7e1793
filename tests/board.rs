//! Everything that waits says why, and the board counts everybody once: whole cadences on a real store.

mod team;

use firsttouch::domain::budget::Waiting;
use firsttouch::domain::hold::HoldScope;
use firsttouch::domain::ids::{CadenceId, MailboxId, RepId};
use firsttouch::domain::prospect::Relationship;
use firsttouch::engine::why::{Trace, Verdict};
use jiff::SignedDuration;
use team::{Team, instant};

const CADENCE: &str = "format: cadence/v1\nid: first\ntitle: T\ndays: business\ncalendar: standard\n\
     send_window: [\"09:00-11:00\"]\nenroll: { audience: prospects, profiles: [any] }\n\
     limits: { new_per_rep_per_day: 2 }\nsteps:\n  \
     - { id: mail, day: 1, email: { template: hello, thread: new } }\n  \
     - { id: call, day: 2, call: { script: script } }\n  \
     - { id: bump, day: 25, email: { template: bump, thread: reply } }\n";

async fn team() -> Team {
    let team = Team::new(&[("cadences/first.yaml".to_owned(), CADENCE.to_owned())]).await;
    team.people(5, Relationship::Prospect, &[]).await;
    team.enroll("first", 5).await;
    team
}

async fn trace(team: &Team, person: i64) -> Trace {
    let mut story = team.engine.why(&person.to_string()).await.unwrap();
    story.enrollments.remove(0).trace.expect("a step that waits")
}

fn check<'a>(trace: &'a Trace, what: &str) -> (&'a str, Verdict) {
    let found = trace.checks.iter().find(|check| check.what == what);
    let found = found.unwrap_or_else(|| panic!("no `{what}` in {:#?}", trace.checks));
    (found.stands.as_str(), found.verdict)
}

#[tokio::test]
async fn the_board_counts_everybody_once_and_says_what_holds_them() {
    let team = team().await;
    for at in ["2026-03-02T08:00:00Z", "2026-03-02T10:00:00Z", "2026-03-03T10:59:00Z"] {
        team.until(at).await;
        let board = team.engine.board(None).await.unwrap();
        let first = &board.cadences[&CadenceId::from("first")];
        let here: u64 = first.steps.iter().map(|step| step.here).sum();
        let others = first.paused.values().sum::<u64>() + first.ended.values().sum::<u64>();
        assert_eq!((first.people, here + others), (5, 5), "{at}: {first:?}");
    }
    let board = team.engine.board(Some(&CadenceId::from("first"))).await.unwrap();
    let steps = &board.cadences[&CadenceId::from("first")].steps;
    let names: Vec<&str> = steps.iter().map(|step| step.step.as_str()).collect();
    assert_eq!(names, ["mail", "call", "bump"]);
    assert_eq!(steps[0].done, 4, "two new people on each of two days");
    assert_eq!((steps[0].here, steps[0].not_begun), (1, 1));
    assert_eq!(steps[0].waits[&Waiting::RepLimit].0, 1);
    assert_eq!(steps[1].waits[&Waiting::NeedsPerson].0, 2);
    let mailbox = &board.mailboxes[0];
    assert_eq!((mailbox.sent, mailbox.limit, mailbox.inbox_is_stale), (2, 40, false));
    let unknown = team.engine.board(Some(&CadenceId::from("frist"))).await.unwrap_err();
    assert!(unknown.to_string().contains("did you mean `first`?"), "{unknown}");
}

#[tokio::test]
async fn why_holds_the_next_step_against_everything_and_names_the_earliest_instant() {
    let team = team().await;
    team.until("2026-03-02T08:00:00Z").await;
    let before = trace(&team, 1).await;
    assert_eq!(before.due_at, instant("2026-03-02T08:00:00Z"));
    assert_eq!(before.opens_at, instant("2026-03-02T09:00:00Z"));
    assert_eq!(before.earliest, Some(instant("2026-03-02T09:00:00Z")));
    assert_eq!(check(&before, "mailbox ann").1, Verdict::Holds);
    team.until("2026-03-02T10:00:00Z").await;
    let full = trace(&team, 5).await;
    let (stands, verdict) = check(&full, "rep ann, new people in first");
    assert_eq!(stands, "2 of 2 in 24 h");
    let Verdict::Until(until) = verdict else { panic!("{verdict:?}") };
    assert!(until >= instant("2026-03-03T09:00:00Z"), "{until}");
    assert_eq!(full.earliest, Some(until.max(instant("2026-03-03T09:00:00Z"))));
    let story = team.engine.why("5").await.unwrap();
    assert_eq!(
        story.enrollments[0].waits,
        Some((until, Waiting::RepLimit)),
        "`why` and the row agree"
    );
}

#[tokio::test]
async fn a_stale_inbox_a_hold_and_a_holiday_stand_in_the_trace() {
    let team = team().await;
    team.until("2026-03-02T08:00:00Z").await;
    team.clock.set(instant("2026-03-02T09:30:00Z"));
    team.engine.hold(HoldScope::Rep(RepId::from("ann")), "a look first", "bo").await.unwrap();
    let held = trace(&team, 1).await;
    assert_eq!(
        check(&held, "mailbox ann"),
        ("its inbox was read 90 min ago, 15 are allowed", Verdict::Open)
    );
    assert_eq!(check(&held, "rep ann"), ("on hold: a look first", Verdict::Open));
    assert_eq!(held.earliest, None, "somebody must act first");
    team.engine.release(HoldScope::Rep(RepId::from("ann")), "bo").await.unwrap();
    team.until("2026-03-03T09:30:00Z").await;
    for line in team.queue("ann").await {
        team.done(line.task.id, "no_answer").await;
    }
    // Day 25 of business days is Friday, 3 April: Good Friday in this team's calendar.
    team.clock.set(instant("2026-03-03T09:45:00Z"));
    let bump = trace(&team, 1).await;
    assert_eq!(bump.step.as_str(), "bump");
    assert!(bump.opens_at >= bump.due_at);
    assert!(
        bump.opens_at.duration_since(instant("2026-04-06T00:00:00Z")).abs()
            < SignedDuration::from_hours(24),
        "{bump:?}"
    );
    let mailbox = MailboxId::from("ann");
    assert!(team.engine.settings.mailboxes.contains_key(&mailbox));
}
