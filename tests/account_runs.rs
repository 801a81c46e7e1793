//! Cadences that cover companies, on a real store: several people, one conversation.

mod team;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use firsttouch::domain::enrollment::{Ending, Phase, TaskKind};
use firsttouch::domain::identity::Identity;
use firsttouch::domain::ids::{CadenceId, ProspectId, RepId};
use firsttouch::domain::log::What;
use firsttouch::domain::prospect::{Phone, Prospect, ProspectDraft, Relationship};
use firsttouch::domain::touch::Status;
use firsttouch::engine::enroll::{Enrolled, Mode};
use firsttouch::engine::tasks::DoneTask;
use firsttouch::ports::{Changes, EnrollmentRecord};
use team::Team;

const CADENCE: &str = "format: cadence/v1
id: abm
title: Account
unit: company
roles: { champion: head-of-sales, economic: finance, technical: security }
enroll: { audience: prospects, profiles: [head-of-sales, finance, security], again_after: 30 days }
days: business
calendar: standard
company: { on_reply: pause_others, on_meeting: stop_others }
replies: { interested: triage, question: continue, not_now: { pause: 5 business days }, not_interested: stop }
steps:
  - id: research
    day: 1
    expires_after: 5 business days
    task: { title: Find a trigger, collect: [x.trigger] }
  - { id: champion-1, day: 2, to: [champion], email: { template: opener, thread: new } }
  - { id: economic-1, day: 3, to: [economic, champion], email: { template: opener, thread: new } }
  - { id: champion-2, day: 4, to: [champion], email: { template: bump, thread: reply } }
  - { id: technical-1, day: 5, to: [technical], email: { template: opener, thread: new } }
at_end: stop
";

fn files() -> BTreeMap<String, String> {
    let profile = |id: &str, title: &str| {
        let text = format!(
            "format: profile/v1\nid: {id}\ntitle: T\nmatch:\n  title: {{ any: [{title}] }}\n\
             require: [email]\n"
        );
        (format!("profiles/{id}.yaml"), text)
    };
    let template = |name: &str, text: &str| (format!("templates/{name}.hbs"), text.to_owned());
    [
        ("cadences/abm.yaml".to_owned(), CADENCE.to_owned()),
        profile("head-of-sales", "Head of Sales"),
        profile("finance", "CFO"),
        profile("security", "IT Security Lead"),
        template("opener", "---\nsubject: A question\n---\nHi {{first_name}}, {{x.trigger}}.\n"),
        template("bump", "Any thoughts, {{first_name}}?\n"),
    ]
    .into()
}

/// Of Acme: the head of sales (1), the CFO (2), the lead of IT security in Auckland (3), another head of
/// sales (4) and a gardener (5).
const PEOPLE: [(i64, &str, &str); 5] = [
    (1, "Head of Sales", "UTC"),
    (2, "CFO", "UTC"),
    (3, "IT Security Lead", "Pacific/Auckland"),
    (4, "Head of Sales", "UTC"),
    (5, "Gardener", "UTC"),
];

struct Account(Team);

impl Account {
    /// With those of the people.
    async fn new(people: &[i64]) -> (Self, Enrolled) {
        let team = Team::with_files(files()).await;
        team.people(0, Relationship::Prospect, &[]).await;
        let mut changes = Changes::default();
        for (id, title, zone) in PEOPLE {
            let email = format!("p{id}@acme.test");
            let known = ProspectDraft {
                first_name: Some(format!("P{id}")),
                title: Some(title.to_owned()),
                email: email.parse().ok(),
                phones: vec![Phone { e164: format!("+1415555010{id}"), extension: None }],
                time_zones: vec![zone.to_owned()],
                ..ProspectDraft::default()
            };
            let (id, owner) = (ProspectId(id), RepId::from("ann"));
            let company_id = Some(firsttouch::domain::ids::CompanyId(1));
            let relationship = Relationship::Prospect;
            let prospect = Prospect { id, company_id, owner, relationship, known };
            changes.prospects.push((prospect, vec![Identity::new(Identity::EMAIL, &email)]));
        }
        team.engine.store.write(changes).await.unwrap();
        let account = Self(team);
        let enrolled = account.enroll(people).await;
        (account, enrolled)
    }

    /// Behind the research.
    async fn researched(people: &[i64]) -> Self {
        let (account, _) = Self::new(people).await;
        account.0.until("2026-03-02T09:00:00Z").await;
        let research = account.0.only_task("ann").await;
        let done = DoneTask {
            task: research.task.id,
            outcome: "done".to_owned(),
            until: None,
            actor: RepId::from("ann"),
            set: vec![("x.trigger".to_owned(), "you hire".to_owned())],
            text: None,
            note: None,
        };
        account.0.engine.done(done).await.unwrap();
        account
    }

    async fn enroll(&self, people: &[i64]) -> Enrolled {
        let people: Vec<ProspectId> = people.iter().copied().map(ProspectId).collect();
        self.0.engine.enroll(&people, &CadenceId::from("abm"), Mode::Commit).await.unwrap()
    }

    async fn record(&self) -> EnrollmentRecord {
        self.0.enrollments(1).await.remove(0)
    }

    /// What was sent, in order: the step, to whom, on which day.
    async fn sent(&self) -> Vec<String> {
        let touches = self.0.engine.store.touches_of(self.record().await.id).await.unwrap();
        let mails = touches.iter().filter(|touch| touch.mail.is_some());
        let line = |touch: &firsttouch::domain::touch::Touch| {
            format!("{} {} {}", touch.step, touch.prospect, touch.at.strftime("%d %H"))
        };
        mails.map(line).collect()
    }

    async fn left(&self) -> Vec<(i64, Ending)> {
        let account = self.record().await.state.account.unwrap();
        let left = account.members.iter().filter_map(|m| Some((m.who.0, m.left?.0)));
        left.collect()
    }
}

#[tokio::test]
async fn each_role_gets_the_person_who_fits_and_the_others_are_told_why_not() {
    let (account, enrolled) = Account::new(&[5, 4, 3, 2, 1]).await;
    assert_eq!((enrolled.people, enrolled.enrolled, enrolled.accounts), (5, 3, 1));
    let skipped: Vec<&str> = enrolled.skipped.keys().map(String::as_str).collect();
    assert_eq!(
        skipped,
        [
            "does not match a profile: title",
            "somebody else of the company has the role that they fit"
        ]
    );
    let members = account.record().await.state.account.unwrap().members;
    let roles: Vec<String> = members.iter().map(|m| format!("{} {}", m.role, m.who)).collect();
    assert_eq!(roles, ["champion 1", "economic 2", "technical 3"]);
    let joined = account.0.log(3, What::Joined).await;
    assert_eq!(joined[0].detail("role"), "technical");
}

#[tokio::test]
async fn a_company_is_in_it_once_and_its_people_in_nothing_else() {
    let (account, _) = Account::new(&[1, 2]).await;
    let again = account.enroll(&[3, 4]).await;
    assert_eq!(again.enrolled, 0);
    assert_eq!(again.skipped.keys().next().unwrap(), "their company is in this cadence already");
}

#[tokio::test]
async fn each_step_is_for_its_person_on_their_clock_and_in_a_thread_of_their_own() {
    let account = Account::researched(&[1, 2, 3]).await;
    account.0.until("2026-03-13T08:00:00Z").await;
    // Auckland is thirteen hours ahead: their Friday morning is the evening before.
    assert_eq!(
        account.sent().await,
        ["champion-1 1 03 08", "economic-1 2 04 08", "champion-2 1 05 08", "technical-1 3 05 19"]
    );
    let touches = account.0.engine.store.touches_of(account.record().await.id).await.unwrap();
    let subjects: Vec<&str> =
        touches.iter().filter_map(|t| Some(t.mail.as_ref()?.subject.as_str())).collect();
    assert_eq!(subjects, ["A question", "A question", "Re: A question", "A question"]);
    let Phase::Ended { ending, .. } = account.record().await.state.phase else { panic!() };
    assert_eq!(ending, Ending::NoReply);
}

#[tokio::test]
async fn what_the_research_found_is_known_of_everybody() {
    let account = Account::researched(&[1, 2, 3]).await;
    let people = [1, 2, 3].map(ProspectId);
    for prospect in account.0.engine.store.prospects(&people).await.unwrap() {
        assert_eq!(prospect.known.extra["trigger"], "you hire");
    }
}

#[tokio::test]
async fn where_nobody_has_a_role_the_next_one_gets_it_or_the_step_is_passed_over() {
    let account = Account::researched(&[1]).await;
    account.0.until("2026-03-13T08:00:00Z").await;
    assert_eq!(
        account.sent().await,
        ["champion-1 1 03 08", "economic-1 1 04 08", "champion-2 1 05 08"]
    );
    let skipped = account.0.log(1, What::Skipped).await;
    assert_eq!(skipped[0].detail("reason"), "nobody_there:technical");
}

#[tokio::test]
async fn a_reply_of_one_holds_the_others_until_somebody_said_what_it_means() {
    let account = Account::researched(&[1, 2, 3]).await;
    account.0.until("2026-03-03T12:00:00Z").await;
    account.0.answers(1, "How much is it?").await;
    account.0.until("2026-03-06T12:00:00Z").await;
    assert_eq!(account.sent().await, ["champion-1 1 03 08"]);
    let task = account.0.only_task("ann").await;
    assert_eq!((task.task.kind, task.prospect.id), (TaskKind::Reply, ProspectId(1)));
    account.0.done(task.task.id, "question").await;
    account.0.until("2026-03-20T12:00:00Z").await;
    let sent = account.sent().await;
    assert_eq!(sent.len(), 4, "{sent:?}");
    assert!(sent[1].starts_with("economic-1 2"), "{sent:?}");
}

#[tokio::test]
async fn somebody_whose_turn_it_is_not_may_answer_too() {
    let account = Account::researched(&[1, 2, 3]).await;
    account.0.until("2026-03-04T12:00:00Z").await;
    // The last mail went to the CFO, and it is the champion who answers now.
    account.0.answers(1, "Tell me more.").await;
    account.0.until("2026-03-04T13:00:00Z").await;
    let task = account.0.only_task("ann").await;
    assert_eq!((task.task.kind, task.prospect.id), (TaskKind::Reply, ProspectId(1)));
    account.0.done(task.task.id, "not_interested").await;
    assert_eq!(account.left().await, [(1, Ending::NotInterested)]);
    account.0.until("2026-03-20T12:00:00Z").await;
    let sent = account.sent().await;
    assert_eq!(sent.last().unwrap().split(' ').next(), Some("technical-1"));
    assert!(!sent.iter().any(|line| line.starts_with("champion-2")), "{sent:?}");
}

#[tokio::test]
async fn when_two_have_answered_each_question_is_about_its_own_person_and_shows_their_words() {
    for said_of_the_first in ["not_interested", "question"] {
        let account = Account::researched(&[1, 2, 3]).await;
        account.0.until("2026-03-04T12:00:00Z").await;
        account.0.answers(1, "Tell me more.").await;
        account.0.until("2026-03-04T12:15:00Z").await;
        account.0.answers(2, "How much is it?").await;
        account.0.until("2026-03-04T13:00:00Z").await;
        let sent = account.sent().await.len();
        let first = account.0.only_task("ann").await;
        assert_eq!((first.prospect.id, first.task.text.as_str()), (ProspectId(1), "Tell me more."));
        account.0.done(first.task.id, said_of_the_first).await;
        account.0.until("2026-03-06T12:00:00Z").await;
        let second = account.0.only_task("ann").await;
        let about = (second.prospect.id, second.task.text.as_str());
        assert_eq!(about, (ProspectId(2), "How much is it?"), "{said_of_the_first}");
        assert_eq!(account.sent().await.len(), sent, "nothing leaves while one waits");
        account.0.done(second.task.id, "not_interested").await;
        let out: Vec<i64> = account.left().await.iter().map(|(who, _)| *who).collect();
        let expected = if said_of_the_first == "question" { vec![2] } else { vec![1, 2] };
        assert_eq!(out, expected);
    }
}

#[tokio::test]
async fn a_meeting_ends_it_for_everybody() {
    let account = Account::researched(&[1, 2, 3]).await;
    account.0.until("2026-03-03T12:00:00Z").await;
    account.0.answers(1, "Let us talk on Monday.").await;
    account.0.until("2026-03-03T13:00:00Z").await;
    let task = account.0.only_task("ann").await;
    account.0.done(task.task.id, "meeting_booked").await;
    let Phase::Ended { ending, .. } = account.record().await.state.phase else { panic!() };
    assert_eq!(ending, Ending::Meeting);
}

#[tokio::test]
async fn whoever_wants_no_more_is_out_and_the_others_go_on() {
    let account = Account::researched(&[1, 2, 3]).await;
    account.0.until("2026-03-03T12:00:00Z").await;
    account.0.answers(1, "Please unsubscribe me.").await;
    account.0.until("2026-03-20T12:00:00Z").await;
    let sent = account.sent().await;
    let to: Vec<&str> = sent.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(to, ["1", "2", "3"]);
    assert_eq!(account.left().await, [(1, Ending::OptedOut)]);
    assert_eq!(account.0.log(1, What::Left).await[0].detail("ending"), "opted_out");
}

#[tokio::test]
async fn a_mail_that_was_put_off_goes_to_the_next_one_when_its_person_is_gone() {
    let account = Account::researched(&[1, 2]).await;
    account.0.until("2026-03-04T07:00:00Z").await;
    account.0.puts_off.store(true, Ordering::Relaxed);
    account.0.until("2026-03-04T08:10:00Z").await;
    let put_off = account.0.touches(2).await.pop().unwrap();
    assert_eq!((put_off.status, put_off.prospect), (Status::Retryable, ProspectId(2)));

    account.0.engine.suppress("p2@acme.test", "ann").await.unwrap();
    account.0.puts_off.store(false, Ordering::Relaxed);
    account.0.until("2026-03-04T12:00:00Z").await;
    let sent = account.sent().await;
    assert_eq!(sent, ["champion-1 1 03 08", "economic-1 1 04 08"], "{sent:?}");
    let left = account.0.touches(1).await.pop().unwrap();
    assert_eq!((left.id, left.status), (put_off.id, Status::Sent));
    let log = account.0.log(1, What::Sent).await;
    assert_eq!(log.last().and_then(|entry| entry.touch), Some(put_off.id));
}

#[tokio::test]
async fn a_block_by_hand_takes_one_out_and_the_last_one_ends_it() {
    let account = Account::researched(&[1, 2]).await;
    account.0.until("2026-03-03T12:00:00Z").await;
    account.0.engine.suppress("p2@acme.test", "ann").await.unwrap();
    assert_eq!(account.left().await, [(2, Ending::Removed)]);
    account.0.engine.suppress("p1@acme.test", "ann").await.unwrap();
    let Phase::Ended { ending, .. } = account.record().await.state.phase else { panic!() };
    assert_eq!(ending, Ending::Removed);
    account.0.until("2026-03-20T12:00:00Z").await;
    assert_eq!(account.sent().await.len(), 1);
}

#[tokio::test]
async fn why_tells_of_one_how_the_account_stands() {
    let account = Account::researched(&[1, 2, 3]).await;
    account.0.until("2026-03-03T12:00:00Z").await;
    account.0.engine.suppress("p1@acme.test", "ann").await.unwrap();
    let story = account.0.engine.why("p3@acme.test").await.unwrap();
    let told: Vec<String> = story.enrollments[0]
        .account
        .iter()
        .map(|one| {
            format!("{} {} {} {:?}", one.role, one.name, one.has_turn, one.left.map(|l| l.0))
        })
        .collect();
    assert_eq!(
        told,
        ["champion P1 false Some(Removed)", "economic P2 true None", "technical P3 false None"]
    );
    assert_eq!(story.enrollments[0].person.prospect.id, ProspectId(3));
}
