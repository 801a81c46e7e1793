//! Every cadence that comes with the product, from the first step to the last: on a real store, with its own
//! texts, and with people who answer as they are told to.

mod team;

use std::collections::BTreeMap;
use std::path::Path;

use firsttouch::domain::enrollment::TaskKind;
use firsttouch::domain::identity::Identity;
use firsttouch::domain::ids::{CompanyId, MailboxId, ProspectId, RepId};
use firsttouch::domain::log::{Entry, What};
use firsttouch::domain::prospect::{
    CompanyDraft, Phone, Prospect, ProspectDraft, Range, Relationship,
};
use firsttouch::engine::tasks::{DoneTask, QueueLine};
use firsttouch::ports::{Changes, Clock, Lane};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use team::{Team, instant};

/// What comes of the tasks of each step, try by try; a task without an answer expires.
type Answers<'a> = &'a [(&'a str, &'a [&'a str])];

/// The files of the repository that make up a workspace.
fn shipped() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = BTreeMap::new();
    for folder in ["cadences", "profiles", "templates", "templates/partials"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                texts.insert(format!("{folder}/{name}"), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    texts
}

/// Somebody who fits a profile for outbound.
fn prospect() -> ProspectDraft {
    ProspectDraft {
        first_name: Some("Dana".to_owned()),
        title: Some("VP Sales".to_owned()),
        email: "p1@acme.test".parse().ok(),
        phones: vec![Phone { e164: "+14155550101".to_owned(), extension: None }],
        linkedin: Some("dana-example-1".to_owned()),
        country: Some("US".to_owned()),
        time_zones: vec!["UTC".to_owned()],
        company: CompanyDraft {
            name: Some("Acme".to_owned()),
            employees: Some(Range { low: 200, high: Some(200) }),
            industry: Some("Software".to_owned()),
            ..CompanyDraft::default()
        },
        ..ProspectDraft::default()
    }
}

/// The same with an address and nothing else.
fn hardly_known() -> ProspectDraft {
    ProspectDraft {
        email: "p1@acme.test".parse().ok(),
        country: Some("US".to_owned()),
        time_zones: vec!["UTC".to_owned()],
        ..ProspectDraft::default()
    }
}

/// A customer who bought on the first Friday of March, with these columns.
fn customer(columns: &[(&str, &str)]) -> ProspectDraft {
    let fixed =
        [("customer_role", "admin"), ("close_date", "2026-03-06"), ("renewal_date", "2027-03-06")];
    let extra = fixed.iter().chain(columns);
    let extra = extra.map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    ProspectDraft { extra, ..prospect() }
}

async fn enrolled(cadence: &str, known: ProspectDraft, relationship: Relationship) -> Team {
    enrolled_at("2026-03-02T08:00:00Z", cadence, known, relationship).await
}

async fn enrolled_at(
    at: &str,
    cadence: &str,
    known: ProspectDraft,
    relationship: Relationship,
) -> Team {
    let team = Team::with_files(shipped()).await;
    team.clock.set(instant(at));
    let (id, owner) = (ProspectId(1), RepId::from("ann"));
    let identity = Identity::new(Identity::EMAIL, "p1@acme.test");
    let company = team.company().await;
    let prospect = Prospect { id, company_id: Some(company), owner, relationship, known };
    let changes = Changes { prospects: vec![(prospect, vec![identity])], ..Changes::default() };
    team.engine.store.write(changes).await.unwrap();
    team.enroll(cadence, 1).await;
    team
}

impl Team {
    async fn company(&self) -> CompanyId {
        self.people(0, Relationship::Prospect, &[]).await;
        CompanyId(1)
    }

    /// Lets time go by until then, from one thing that is due to the next; tasks are done as soon as they
    /// may be.
    async fn play(&self, until: &str, answers: Answers<'_>) {
        let (until, mailbox) = (instant(until), MailboxId::from("ann"));
        let mut left: BTreeMap<&str, &[&str]> = answers.iter().copied().collect();
        loop {
            self.engine.collect(&mailbox).await.unwrap();
            // Not before the gap of the mailbox is over, however due somebody is.
            let mail = self.engine.work_mailbox(&mailbox).await.unwrap();
            self.engine.work_desk().await.unwrap();
            let desk = self.engine.store.next_wake(&Lane::Desk).await.unwrap();
            let lane = Lane::Mailbox(mailbox.clone());
            let mail = match mail {
                Some(at) => Some(at),
                None => self.engine.store.next_wake(&lane).await.unwrap(),
            };
            let now = self.clock.now();
            let (answered, callable) = self.answer(now, &mut left).await;
            if answered {
                continue;
            }
            if now >= until {
                break;
            }
            let next = [mail, desk, callable].into_iter().flatten().min().unwrap_or(until);
            self.clock.set(next.max(now + SignedDuration::from_mins(1)).min(until));
        }
        assert!(left.values().all(|left| left.is_empty()), "never asked for: {left:?}");
    }

    /// Whether a task was done, and when the next one can be.
    async fn answer(
        &self,
        now: Timestamp,
        left: &mut BTreeMap<&str, &[&str]>,
    ) -> (bool, Option<Timestamp>) {
        let mut callable = None;
        for line in self.engine.queue(None).await.unwrap() {
            let key = key(&line);
            let Some((outcome, later)) = left.get(key.as_str()).and_then(|l| l.split_first())
            else {
                continue;
            };
            if let Some(at) = line.callable_at.filter(|at| *at > now) {
                callable = Some(callable.map_or(at, |other: Timestamp| other.min(at)));
                continue;
            }
            let (task, actor) = (line.task.id, line.task.rep.clone());
            // `done next_step=…` fills in a field, too.
            let mut words = outcome.split(' ');
            let outcome = words.next().unwrap_or_default().to_owned();
            let field =
                |word: &str| word.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
            let set = words.filter_map(field).collect();
            let done = DoneTask { task, outcome, until: None, actor, set, text: None, note: None };
            self.engine.done(done).await.unwrap();
            *left.get_mut(key.as_str()).unwrap() = later;
            return (true, None);
        }
        (false, callable)
    }

    /// What happened, a line for each thing that somebody would see, and how it stands.
    async fn story(&self) -> String {
        let log = self.engine.store.log_of(ProspectId(1)).await.unwrap();
        let mut lines: Vec<String> = log.iter().filter_map(line).collect();
        lines.extend(self.ways(1).await);
        lines.join("\n")
    }
}

/// What an answer is looked up by: the step, and what is asked where it is not the step itself.
fn key(line: &QueueLine) -> String {
    let asked = match line.task.kind {
        TaskKind::Touch(_) => "",
        TaskKind::Review => "/review",
        TaskKind::HandOff => "/offer",
        TaskKind::HandedBack => "/back",
        TaskKind::Reply => "/reply",
        TaskKind::Triage => "/triage",
    };
    format!("{}{asked}", line.task.step)
}

fn line(entry: &Entry) -> Option<String> {
    let detail = match entry.what {
        What::Sent => "template",
        What::TaskDone => "outcome",
        What::Skipped => "reason",
        What::Enrolled => "cadence",
        What::TaskExpired | What::Replied => "",
        What::Ended => "ending",
        _ => return None,
    };
    let at = TimeZone::UTC.to_datetime(entry.at).strftime("%a %d %b %H:%M");
    let detail = if detail.is_empty() { "" } else { entry.detail(detail) };
    let (what, step) = (entry.what.as_str(), entry.detail("step"));
    Some(format!("{at}  {what:<13}{step:<25}{detail}").trim_end().to_owned())
}

#[tokio::test]
async fn outbound_runs_fourteen_working_days_and_leads_to_nurture() {
    let team = enrolled("saas-outbound-14d", prospect(), Relationship::Prospect).await;
    let answers: Answers<'_> = &[
        ("li-view", &["done"]),
        ("call-1", &["no_answer", "left_voicemail"]),
        ("li-connect", &["accepted"]),
        ("call-2", &["gatekeeper"]),
        ("call-3", &["no_answer"]),
        ("li-message", &["done"]),
    ];
    team.play("2026-06-01T08:00:00Z", answers).await;
    insta::assert_snapshot!(team.story().await);
}

#[tokio::test]
async fn outbound_that_interests_somebody_is_handed_to_an_account_executive() {
    let team = enrolled("saas-outbound-14d", prospect(), Relationship::Prospect).await;
    team.play("2026-03-02T12:00:00Z", &[("li-view", &["done"])]).await;
    team.answers(1, "Tell me more.").await;
    team.play("2026-03-02T13:00:00Z", &[]).await;
    let reply = team.only_task("ann").await;
    team.done(reply.task.id, "interested").await;
    let offer = team.only_task("cara").await;
    assert!(offer.task.text.contains("What we wrote about: ramp time"), "{}", offer.task.text);
    team.done(offer.task.id, "accepted").await;
    assert_eq!(team.ways(1).await, ["saas-outbound-14d handed_off"]);
}

#[tokio::test]
async fn a_request_is_called_at_once_then_less_and_less_and_leads_to_nurture() {
    let team = enrolled("inbound-speed-to-lead", prospect(), Relationship::Prospect).await;
    let answers: Answers<'_> = &[
        ("call-now", &["no_answer", "no_answer", "left_voicemail"]),
        ("call-later", &["no_answer"]),
        ("call-day-3", &["left_voicemail"]),
    ];
    team.play("2026-03-13T08:00:00Z", answers).await;
    insta::assert_snapshot!(team.story().await);
}

#[tokio::test]
async fn a_request_that_nobody_calls_in_a_quarter_of_an_hour_goes_to_the_pool_and_back() {
    let team = enrolled("inbound-speed-to-lead", prospect(), Relationship::Prospect).await;
    team.play("2026-03-02T08:20:00Z", &[]).await;
    let offer = team.only_task("cara").await;
    assert_eq!(offer.task.kind, TaskKind::HandOff);
    assert!(offer.task.text.contains("+14155550101"), "{}", offer.task.text);
    team.play("2026-03-02T08:30:00Z", &[("call-now/back", &["hand_off"])]).await;
    team.play("2026-03-02T08:31:00Z", &[("call-now/offer", &["accepted"])]).await;
    assert_eq!(team.ways(1).await, ["inbound-speed-to-lead handed_off"]);
}

#[tokio::test]
async fn a_request_at_night_without_a_number_is_answered_at_night_by_one_mail() {
    let night = "2026-03-07T02:00:00Z";
    let team =
        enrolled_at(night, "inbound-speed-to-lead", hardly_known(), Relationship::Prospect).await;
    team.play("2026-03-16T08:00:00Z", &[]).await;
    insta::assert_snapshot!(team.story().await);
}

#[tokio::test]
async fn a_hand_off_is_accepted_introduced_and_taken_over() {
    let team = enrolled("team-hand-off", prospect(), Relationship::Prospect).await;
    let answers: Answers<'_> = &[
        ("write-down", &["done x.next_step=trial"]),
        ("offer/offer", &["accepted"]),
        ("prepare", &["done"]),
        ("first-call", &["no_answer", "left_voicemail"]),
        ("take-over/offer", &["accepted"]),
    ];
    team.play("2026-03-13T08:00:00Z", answers).await;
    insta::assert_snapshot!(team.story().await);
}

#[tokio::test]
async fn a_hand_off_that_nobody_accepts_comes_back_and_nobody_is_introduced() {
    let team = enrolled("team-hand-off", prospect(), Relationship::Prospect).await;
    team.play("2026-03-02T12:30:00Z", &[("write-down", &["done x.next_step=trial"])]).await;
    assert_eq!(team.ways(1).await, ["team-hand-off handed_back"]);
    team.play("2026-03-02T12:45:00Z", &[("offer/back", &["stop"])]).await;
    assert_eq!(team.ways(1).await, ["team-hand-off removed"]);
    assert!(team.touches(1).await.iter().all(|touch| touch.mail.is_none()));
}

#[tokio::test]
async fn a_customer_who_is_well_is_met_on_every_date_up_to_the_renewal() {
    let known = customer(&[("seats_used_pct", "85")]);
    let team = enrolled("post-sale-relationship", known, Relationship::Customer).await;
    let answers: Answers<'_> = &[
        ("welcome/review", &["released"]),
        ("kick-off", &["done go_live_date=2026-04-07"]),
        ("first-check-in", &["no_answer", "healthy"]),
        ("first-value/review", &["released"]),
        ("upsell-mail/review", &["released"]),
        ("upsell-call", &["not_now"]),
        ("ask-for-a-name", &["done"]),
        ("renewal-mail/review", &["released"]),
        ("renewal-call", &["healthy"]),
    ];
    team.play("2027-03-01T08:00:00Z", answers).await;
    insta::assert_snapshot!(team.story().await);
}

#[tokio::test]
async fn a_customer_who_cannot_be_reached_is_asked_by_mail_and_not_sold_to() {
    let team = enrolled("post-sale-relationship", customer(&[]), Relationship::Customer).await;
    let answers: Answers<'_> = &[
        ("welcome/review", &["released"]),
        ("first-check-in", &["left_voicemail"]),
        ("renewal-mail/review", &["released"]),
    ];
    team.play("2027-03-01T08:00:00Z", answers).await;
    insta::assert_snapshot!(team.story().await);
}

#[tokio::test]
async fn a_customer_at_risk_goes_to_support_and_gets_no_more_mail() {
    let team = enrolled("post-sale-relationship", customer(&[]), Relationship::Customer).await;
    let answers: Answers<'_> = &[
        ("welcome/review", &["released"]),
        ("kick-off", &["done go_live_date=2026-04-07"]),
        ("first-check-in", &["at_risk"]),
        ("first-check-in/offer", &["accepted"]),
    ];
    team.play("2026-06-30T08:00:00Z", answers).await;
    assert_eq!(team.ways(1).await, ["post-sale-relationship handed_off"]);
    assert_eq!(team.touches(1).await.iter().filter(|touch| touch.mail.is_some()).count(), 1);
}

#[tokio::test]
async fn nurture_is_one_mail_a_quarter_for_somebody_of_whom_only_an_address_is_known() {
    let team = enrolled("nurture-quarterly", hardly_known(), Relationship::Prospect).await;
    team.play("2027-01-01T08:00:00Z", &[]).await;
    insta::assert_snapshot!(team.story().await);
}

#[tokio::test]
async fn the_short_cadence_runs_seven_working_days() {
    let team = enrolled("short-outbound-7d", prospect(), Relationship::Prospect).await;
    let answers: Answers<'_> = &[
        ("research", &["done"]),
        ("call-1", &["no_answer", "left_voicemail"]),
        ("call-2", &["no_answer"]),
    ];
    team.play("2026-03-13T08:00:00Z", answers).await;
    insta::assert_snapshot!(team.story().await);
}

/// Three people of one company, each for one of the roles.
async fn account() -> Team {
    let team = Team::with_files(shipped()).await;
    team.people(0, Relationship::Prospect, &[]).await;
    let mut changes = Changes::default();
    let people = [
        (1, "Head of Sales Operations"),
        (2, "Chief Financial Officer"),
        (3, "IT Security Manager"),
    ];
    for (n, title) in people {
        let email = format!("p{n}@acme.test");
        let known = ProspectDraft {
            first_name: Some(format!("P{n}")),
            title: Some(title.to_owned()),
            email: email.parse().ok(),
            phones: vec![Phone { e164: format!("+1415555010{n}"), extension: None }],
            linkedin: Some(format!("p{n}-example-{n}")),
            company: CompanyDraft {
                name: Some("Acme".to_owned()),
                employees: Some(Range { low: 2_000, high: Some(2_000) }),
                ..CompanyDraft::default()
            },
            ..prospect()
        };
        let (id, owner, company_id) = (ProspectId(n), RepId::from("ann"), Some(CompanyId(1)));
        let relationship = Relationship::Prospect;
        let prospect = Prospect { id, company_id, owner, relationship, known };
        changes.prospects.push((prospect, vec![Identity::new(Identity::EMAIL, &email)]));
    }
    team.engine.store.write(changes).await.unwrap();
    team.enroll("abm-buying-group", 3).await;
    team
}

/// What happened at the account, with the person whom each line is about.
async fn story_of_account(team: &Team) -> String {
    let mut entries = Vec::new();
    for person in 1..=3 {
        let log = team.engine.store.log_of(ProspectId(person)).await.unwrap();
        let own = log.into_iter().filter(|entry| entry.prospect == Some(ProspectId(person)));
        entries.extend(own.map(|entry| (entry.at, person, entry)));
    }
    entries.sort_by_key(|(at, person, _)| (*at, *person));
    let line = |(_, person, entry): &(Timestamp, i64, Entry)| {
        Some(format!("P{person}  {}", account_line(entry)?))
    };
    let mut lines: Vec<String> = entries.iter().filter_map(line).collect();
    lines.extend(team.ways(1).await);
    lines.join("\n")
}

fn account_line(entry: &Entry) -> Option<String> {
    let at = TimeZone::UTC.to_datetime(entry.at).strftime("%a %d %b %H:%M");
    match entry.what {
        What::Joined => Some(format!("{at}  joined       {}", entry.detail("role"))),
        What::Left => Some(format!("{at}  left         {}", entry.detail("ending"))),
        _ => line(entry),
    }
}

/// What a rep does at an account where nobody answers.
const WORKED: Answers<'_> = &[
    ("research", &["done trigger=You_hire champion_hook=You_wrote economic_metric=140_days"]),
    ("technical-follow", &["done"]),
    ("champion-email-1/review", &["released"]),
    ("champion-call-1", &["left_voicemail"]),
    ("economic-email-1/review", &["released"]),
    ("champion-email-2/review", &["released"]),
    ("technical-email-1/review", &["released"]),
    ("economic-call-1", &["gatekeeper", "no_answer"]),
    ("champion-li", &["done"]),
    ("economic-email-2/review", &["released"]),
];

#[tokio::test]
async fn a_named_account_is_one_conversation_with_three_people() {
    let team = account().await;
    team.play("2026-08-03T08:00:00Z", WORKED).await;
    insta::assert_snapshot!(story_of_account(&team).await);
}

#[tokio::test]
async fn an_answer_of_one_at_a_named_account_holds_the_others_and_is_handed_over() {
    let team = account().await;
    team.play("2026-03-04T12:00:00Z", &WORKED[..4]).await;
    team.answers(1, "Interesting, tell me more.").await;
    team.play("2026-03-11T08:00:00Z", &[]).await;
    let reply = team.only_task("ann").await;
    assert_eq!(reply.task.kind, TaskKind::Reply);
    team.done(reply.task.id, "interested").await;
    let offer = team.only_task("cara").await;
    team.done(offer.task.id, "accepted").await;
    team.play("2026-08-03T08:00:00Z", &[]).await;
    insta::assert_snapshot!(story_of_account(&team).await);
}
