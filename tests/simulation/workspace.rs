//! The team that is simulated: its files, its settings and the people on its list.

use std::collections::BTreeMap;

use firsttouch::domain::budget::Ramp;
use firsttouch::domain::calendar::{Calendar, weekly};
use firsttouch::domain::identity::Identity;
use firsttouch::domain::ids::{CompanyId, MailboxId, ProspectId, RepId, RoleId};
use firsttouch::domain::prospect::{CompanyDraft, Phone, Prospect, ProspectDraft, Relationship};
use firsttouch::domain::settings::{Clockwork, Company, Limits, Mailbox, Settings};
use firsttouch::domain::time::DaySpan;
use firsttouch::engine::workspace::{self, Files, Workspace};
use firsttouch::ports::{Changes, CompanyRecord, IdKind, Store};
use jiff::civil::{Date, Weekday, time};
use jiff::{SignedDuration, tz::TimeZone};

use super::chance::Chance;

pub const CADENCE: &str = r#"format: cadence/v1
id: simulated
title: Simulated
about: Three channels, two threads, a retry and conditions.
enroll: { audience: prospects, profiles: [any], when: manual, again_after: 180 days }
days: business
calendar: standard
send_window: ["08:00-11:00", "14:00-16:30"]
limits: { new_per_rep_per_day: 6, per_company_at_once: 3, touches_per_prospect_per_day: 2 }
defaults: { expires_after: 2 business days }
replies:
  question: triage
  referral: continue
  interested: { pause: 5 days }
  not_now: { switch_to: { cadence: nurture, after: 20 days } }
  problem: { hand_off: { to: account_manager, accept_within: 4 business hours } }
steps:
  - id: email-1
    day: 1
    email: { template: hello, thread: new }
  - id: view
    day: 1
    only_if: { has: [linkedin_url] }
    social: { network: linkedin, act: connect }
  - id: call-1
    day: 2
    only_if: { has: [phone] }
    call: { script: script, voicemail: none }
    outcomes:
      no_answer: { retry: { after: 4 business hours, max: 1 } }
  - id: email-2
    day: 3
    skip_if: { outcome: { call-1: [left_voicemail] } }
    email: { template: bump, thread: reply }
  - id: message
    day: 4
    only_if: { outcome: { view: [accepted, already_connected] } }
    social: { network: linkedin, act: message, text: note }
  - id: email-3
    after: 2 business days
    email: { template: again, thread: new }
at_end: { switch_to: { cadence: nurture, after: 15 days } }
"#;

/// Where those go on who did not answer.
const NURTURE: &str = r#"format: cadence/v1
id: nurture
title: Nurture
enroll: { audience: prospects, profiles: [any], when: manual, again_after: 180 days }
days: business
calendar: standard
send_window: ["08:00-11:00", "14:00-16:30"]
steps:
  - id: news
    day: 1
    email: { template: again, thread: new, mode: review }
  - id: news-call
    after: 2 business days
    only_if: { has: [phone] }
    call: { script: script, voicemail: none }
at_end: stop
"#;

/// Two of a company and whoever else is there, one conversation.
const ACCOUNT: &str = r#"format: cadence/v1
id: account
title: Account
unit: company
roles: { champion: head-of-sales, economic: finance, technical: security }
enroll: { audience: prospects, profiles: [head-of-sales, finance, security], when: manual, again_after: 180 days }
days: business
calendar: standard
send_window: ["08:00-11:00", "14:00-16:30"]
company: { on_reply: pause_others, on_meeting: stop_others }
defaults: { expires_after: 2 business days }
replies:
  question: triage
  referral: continue
  interested: { hand_off: { to: account_manager, accept_within: 4 business hours } }
  not_now: { pause: 3 business days }
  not_interested: stop
steps:
  - id: research
    day: 1
    task: { title: Find a trigger, collect: [x.trigger] }
  - id: champion-1
    day: 2
    to: [champion]
    email: { template: hello, thread: new }
  - id: economic-1
    day: 3
    to: [economic, champion]
    email: { template: trigger, thread: new, mode: review }
  - id: champion-call
    day: 3
    to: [champion]
    call: { script: script, voicemail: none }
    outcomes:
      no_answer: { retry: { after: 4 business hours, max: 1 } }
  - id: technical-1
    day: 4
    to: [technical]
    email: { template: hello, thread: new }
  - id: champion-2
    day: 5
    to: [champion]
    email: { template: bump, thread: reply }
  - id: economic-2
    after: 1 business day
    to: [economic, technical]
    email: { template: again, thread: new }
at_end: stop
"#;

/// For whom each step of the account is, first choice first.
pub const ROLES: [(&str, &[&str]); 6] = [
    ("champion-1", &["champion"]),
    ("economic-1", &["economic", "champion"]),
    ("champion-call", &["champion"]),
    ("technical-1", &["technical"]),
    ("champion-2", &["champion"]),
    ("economic-2", &["economic", "technical"]),
];

/// The people of one account: the titles that the profiles ask for.
const TITLES: [(&str, &str); 3] =
    [("head-of-sales", "Head of Sales"), ("finance", "CFO"), ("security", "IT Security Lead")];

/// On dates of the customer, some known, one that a task asks for.
const DATES: &str = r#"format: cadence/v1
id: dates
title: Dates
enroll: { audience: customers, profiles: [any], when: manual, again_after: never }
calendar: standard
send_window: ["08:00-11:00", "14:00-16:30"]
defaults: { expires_after: 2 business days }
replies: { question: triage, not_interested: continue, not_now: continue, problem: stop }
custom_outcomes: { healthy: All is well }
steps:
  - id: welcome
    at: close_date + 1 business day
    email: { template: hello, thread: new, mode: review }
  - id: kick-off
    at: close_date + 2 business days
    task: { title: Ask when they begin, collect: [go_live_date] }
  - id: check-in
    at: go_live_date + 3 days
    only_if: { has: [phone] }
    call: { script: script, voicemail: none }
    outcomes: { not_interested: continue }
  - id: value
    at: go_live_date + 5 days
    skip_if: { outcome: { check-in: [healthy] } }
    email: { template: again, thread: new }
  - id: renewal
    at: renewal_date - 30 days
    email: { template: bump, thread: reply, mode: review }
at_end: stop
"#;

/// Every cadence that is run.
pub const CADENCES: [&str; 4] = ["simulated", "nurture", "account", "dates"];

/// Spans of the send window above, as hours and minutes of a local day.
pub const WINDOW: [((i8, i8), (i8, i8)); 2] = [((8, 0), (11, 0)), ((14, 0), (16, 30))];

pub const HOLIDAY: Date = jiff::civil::date(2026, 4, 3);

pub const FRESHNESS: SignedDuration = SignedDuration::from_mins(15);

pub const PER_DOMAIN: u32 = 2;

pub fn files(hello: &str) -> Files {
    let text = |text: &str| text.to_owned();
    let profile = |(id, title): (&str, &str)| {
        let match_title = format!("match:\n  title: {{ any: [{title}] }}\nrequire: [email]\n");
        (
            format!("profiles/{id}.yaml"),
            format!("format: profile/v1\nid: {id}\ntitle: T\n{match_title}"),
        )
    };
    let mut texts = BTreeMap::from([
        ("cadences/account.yaml".to_owned(), text(ACCOUNT)),
        ("cadences/dates.yaml".to_owned(), text(DATES)),
        (
            "templates/trigger.hbs".to_owned(),
            text("---\nsubject: \"A reason\"\nneeds: [trigger]\nlanguage: en\n---\n{{trigger}}.\n"),
        ),
        ("cadences/simulated.yaml".to_owned(), text(CADENCE)),
        ("cadences/nurture.yaml".to_owned(), text(NURTURE)),
        (
            "templates/hello.hbs".to_owned(),
            format!(
                "---\nsubject: \"A question, {{{{first_name}}}}\"\nneeds: [first_name]\nlanguage: en\n---\n{hello} {{{{first_name}}}},\n\nhow do you do it?\n"
            ),
        ),
        (
            "templates/bump.hbs".to_owned(),
            text(
                "---\nneeds: [first_name]\nlanguage: en\n---\nHi {{first_name}},\n\none question.\n",
            ),
        ),
        (
            "templates/again.hbs".to_owned(),
            text(
                "---\nsubject: \"Another way\"\nneeds: [first_name]\nlanguage: en\n---\nHi {{first_name}},\n\nlast one.\n",
            ),
        ),
        ("templates/script.hbs".to_owned(), text("Ask {{default first_name \"them\"}}.\n")),
        ("templates/note.hbs".to_owned(), text("Thank you, {{default first_name \"you\"}}.\n")),
    ]);
    texts.extend(TITLES.map(profile));
    Files { texts }
}

pub fn checked(files: &Files) -> Workspace {
    let (workspace, findings) = workspace::check(files, &["standard".to_owned()].into());
    workspace.unwrap_or_else(|| panic!("{findings:#?}"))
}

pub fn settings(chance: &mut Chance) -> Settings {
    use Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
    let office = DaySpan::new(time(8, 0, 0, 0), time(17, 0, 0, 0)).expect("a day");
    let calendar = Calendar {
        name: "standard".to_owned(),
        hours: weekly(&[Monday, Tuesday, Wednesday, Thursday, Friday], &[office]),
        holidays: [HOLIDAY].into(),
    };
    let clockwork = Clockwork { calendar, fixed_zone: None, if_zone_unknown: None };
    let mailboxes = ["ann", "bob"].map(|name| mailbox(name, chance));
    Settings {
        company: Company { name: "Us".to_owned(), postal_address: "1 Road, Town".to_owned() },
        mailboxes: mailboxes.into_iter().map(|mailbox| (mailbox.id.clone(), mailbox)).collect(),
        roles: [(RepId::from("cara"), vec![RoleId::from("account_manager")])].into(),
        calendars: [("standard".to_owned(), clockwork)].into(),
        limits: Limits { per_domain_per_day: PER_DOMAIN, ..Limits::default() },
        reply_freshness: FRESHNESS,
        bounce_window: SignedDuration::from_hours(72),
        reader_zone: TimeZone::UTC,
        secret: b"a secret of the simulation".to_vec(),
    }
}

fn mailbox(name: &str, chance: &mut Chance) -> Mailbox {
    let start = u32::try_from(chance.between(2, 4)).expect("small");
    Mailbox {
        id: MailboxId::from(name),
        from: format!("{name}@us.example").parse().expect("an address"),
        from_name: Some(name.to_owned()),
        owner: RepId::from(name),
        daily_limit: start + 4,
        ramp: Ramp { start, add_per_day: 1 },
        gap: (SignedDuration::from_mins(4), SignedDuration::from_mins(9)),
        has_inbox: true,
        card: [("first_name".to_owned(), name.to_owned())].into(),
        unsubscribe_url: None,
    }
}

/// Zones of a person; the last has two candidates.
const ZONES: &[&[&str]] = &[
    &["America/New_York"],
    &["America/Los_Angeles"],
    &["Europe/Berlin"],
    &["Asia/Tokyo"],
    &["Australia/Sydney"],
    &["America/New_York", "America/Chicago"],
];

/// The people of the list, and those whom a rep enrolls in one go, with their cadence.
pub struct People {
    pub all: Vec<Prospect>,
    pub groups: Vec<(&'static str, Vec<ProspectId>)>,
}

/// Writes companies and people; what it returns is what the world knows of them.
pub async fn people(store: &dyn Store, chance: &mut Chance) -> People {
    let companies = chance.between(3, 8);
    let first_company = store.ids(IdKind::Company, 10).await.expect("ids");
    let count = chance.between(8, 24);
    let accounts = chance.between(1, 2);
    let first = store.ids(IdKind::Prospect, 40).await.expect("ids");
    let mut changes = Changes::default();
    for company in 0..companies + accounts {
        let id = CompanyId(first_company + company);
        let (key, name) = (format!("domain:c{company}.example"), format!("Company {company}"));
        changes.companies.push(CompanyRecord { id, key, name });
    }
    let mut list = List { first, first_company, people: Vec::new() };
    for _ in 0..count {
        let company = chance.between(0, companies - 1);
        list.add(company, chance);
    }
    let mut groups: Vec<(&str, Vec<ProspectId>)> = list
        .people
        .chunks(4)
        .map(|some| ("simulated", some.iter().map(|person| person.id).collect()))
        .collect();
    for account in 0..accounts {
        let people = TITLES.map(|(_, title)| {
            let person = list.add(companies + account, chance);
            person.known.title = Some(title.to_owned());
            person.id
        });
        groups.insert(0, ("account", people.to_vec()));
    }
    let customers = [(); 2].map(|()| list.customer(chance));
    groups.insert(1, ("dates", customers.to_vec()));
    let all = list.people;
    for person in &all {
        let email = person.known.email.as_ref().expect("an address");
        changes.prospects.push((person.clone(), vec![Identity::of_email(email)]));
    }
    store.write(changes).await.expect("people");
    People { all, groups }
}

struct List {
    first: i64,
    first_company: i64,
    people: Vec<Prospect>,
}

impl List {
    fn add(&mut self, company: i64, chance: &mut Chance) -> &mut Prospect {
        let n = i64::try_from(self.people.len()).expect("small");
        self.people.push(person(self.first + n, n, company, self.first_company, chance));
        self.people.last_mut().expect("a person")
    }

    /// Somebody who has bought, with dates around the beginning.
    fn customer(&mut self, chance: &mut Chance) -> ProspectId {
        let begins = jiff::civil::date(2026, 3, 2);
        let mut day = |from: i64, to: i64| {
            (begins + SignedDuration::from_hours(24 * chance.between(from, to))).to_string()
        };
        let dates = [("close_date", day(-4, 8)), ("renewal_date", day(20, 60))];
        let person = self.add(0, chance);
        person.relationship = Relationship::Customer;
        person.known.extra = dates.map(|(field, day)| (field.to_owned(), day)).into();
        person.id
    }
}

fn person(id: i64, n: i64, company: i64, first_company: i64, chance: &mut Chance) -> Prospect {
    let domain = format!("c{company}.example");
    let phone = Phone { e164: format!("+1415555{:04}", 100 + n), extension: None };
    let zones = chance.pick(ZONES).iter().map(|zone| (*zone).to_owned()).collect();
    let known = ProspectDraft {
        first_name: Some(format!("Person{n}")),
        email: Some(format!("p{n}@{domain}").parse().expect("an address")),
        phones: if chance.percent(80) { vec![phone] } else { Vec::new() },
        linkedin: chance.percent(70).then(|| format!("person-{n}")),
        time_zones: zones,
        company: CompanyDraft { domain: Some(domain), ..CompanyDraft::default() },
        ..ProspectDraft::default()
    };
    Prospect {
        id: ProspectId(id),
        company_id: Some(CompanyId(first_company + company)),
        owner: RepId::from(if chance.percent(50) { "ann" } else { "bob" }),
        relationship: Relationship::Prospect,
        known,
    }
}
