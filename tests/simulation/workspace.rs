//! The files, the settings and the list of the simulated team.

use std::collections::BTreeMap;

use firsttouch::domain::budget::Ramp;
use firsttouch::domain::calendar::{Calendar, weekly};
use firsttouch::domain::identity::Identity;
use firsttouch::domain::ids::{CompanyId, MailboxId, ProspectId, RepId, RoleId};
use firsttouch::domain::prospect::{CompanyDraft, Phone, Prospect, ProspectDraft, Relationship};
use firsttouch::domain::settings::{Clockwork, Company, Limits, LinkedIn, Mailbox, Settings};
use firsttouch::domain::time::DaySpan;
use firsttouch::engine::workspace::{self, Files, Workspace};
use firsttouch::ports::{Changes, CompanyRecord, IdKind, Store};
use jiff::civil::{Weekday, time};
use jiff::{SignedDuration, tz::TimeZone};

use super::chance::Chance;
use super::plan::{POSTAL_ADDRESS, Plan};

/// The people of one account: the titles that the profiles ask for.
const TITLES: [(&str, &str); 3] =
    [("head-of-sales", "Head of Sales"), ("finance", "CFO"), ("security", "IT Security Lead")];

/// The files of the team; `hello` is a word that somebody edits now and then.
pub fn files(plan: &Plan, hello: &str) -> Files {
    let text = |text: &str| text.to_owned();
    let profile = |(id, title): (&str, &str)| {
        let match_title = format!("match:\n  title: {{ any: [{title}] }}\nrequire: [email]\n");
        (
            format!("profiles/{id}.yaml"),
            format!("format: profile/v1\nid: {id}\ntitle: T\n{match_title}"),
        )
    };
    let mut texts = BTreeMap::from([
        (
            "templates/trigger.hbs".to_owned(),
            text("---\nsubject: \"A reason\"\nneeds: [trigger]\nlanguage: en\n---\n{{trigger}}.\n"),
        ),
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
    let cadences = plan.files.iter();
    texts.extend(cadences.map(|(id, text)| (format!("cadences/{id}.yaml"), text.clone())));
    Files { texts }
}

pub fn checked(files: &Files) -> Workspace {
    let (workspace, findings) = workspace::check(files, &["standard".to_owned()].into());
    workspace.unwrap_or_else(|| panic!("{findings:#?}"))
}

pub fn settings(plan: &Plan) -> Settings {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let office = DaySpan::new(time(8, 0, 0, 0), time(17, 0, 0, 0)).expect("a day");
    let week = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];
    let days = week.iter().zip(plan.works).filter_map(|(day, works)| works.then_some(*day));
    let calendar = Calendar {
        name: "standard".to_owned(),
        hours: weekly(&days.collect::<Vec<_>>(), &[office]),
        holidays: plan.holidays.clone().into(),
    };
    let clockwork = Clockwork::new(calendar);
    let count = |n: usize| u32::try_from(n).expect("small");
    let mailboxes = (0..plan.mailboxes).map(|n| mailbox(plan, n));
    Settings {
        company: Company { name: "Us".to_owned(), postal_address: POSTAL_ADDRESS.to_owned() },
        mailboxes: mailboxes.map(|mailbox| (mailbox.id.clone(), mailbox)).collect(),
        roles: [(RepId::from("cara"), vec![RoleId::from("account_manager")])].into(),
        calendars: [("standard".to_owned(), clockwork)].into(),
        limits: Limits {
            per_domain_per_day: count(plan.per_domain),
            new_per_company_per_day: count(plan.new_per_company),
            active_per_company: count(plan.active_per_company),
            active_per_rep: plan.active_per_rep.map(count),
            prospect_gap: plan.quiet,
        },
        linkedin: LinkedIn {
            note_limit: None,
            notes_per_month: None,
            invites_per_week: plan.invites_per_week.map(count),
        },
        reply_freshness: plan.freshness,
        bounce_window: SignedDuration::from_hours(72),
        reader_zone: TimeZone::UTC,
        secret: b"a secret of the simulation".to_vec(),
    }
}

/// The reps who own a mailbox each, by number.
pub fn rep(n: usize) -> String {
    match n {
        0 => "ann".to_owned(),
        1 => "bob".to_owned(),
        n => format!("rep{n:02}"),
    }
}

/// The number of the mailbox of that name.
pub fn mailbox_number(name: &str) -> usize {
    match name {
        "ann" => 0,
        "bob" => 1,
        name => name.trim_start_matches("rep").parse().expect("a number"),
    }
}

fn mailbox(plan: &Plan, n: usize) -> Mailbox {
    let name = rep(n);
    let (start, add_per_day, daily_limit) = plan.ramps[n];
    Mailbox {
        id: MailboxId::from(name.as_str()),
        from: format!("{name}@us.example").parse().expect("an address"),
        from_name: Some(name.clone()),
        owner: RepId::from(name.as_str()),
        daily_limit,
        hourly_limit: plan.hourly,
        ramp: Ramp { start, add_per_day },
        gap: plan.gap,
        has_inbox: true,
        card: [("first_name".to_owned(), name)].into(),
        unsubscribe_url: None,
    }
}

/// Zones of a person, some with two candidates: half hours, changes of the clock north and south.
const ZONES: &[&[&str]] = &[
    &["America/New_York"],
    &["America/Los_Angeles"],
    &["Europe/Berlin"],
    &["Asia/Tokyo"],
    &["Australia/Sydney"],
    &["America/New_York", "America/Chicago"],
    &["Asia/Kolkata"],
    &["Asia/Kathmandu"],
    &["America/St_Johns"],
    &["Australia/Lord_Howe"],
    &["Europe/London", "Europe/Paris"],
    &["America/Santiago"],
];

/// The people of the list, and those whom a rep enrolls in one go, with their cadence.
pub struct People {
    pub all: Vec<Prospect>,
    pub groups: Vec<(&'static str, Vec<ProspectId>)>,
}

/// Writes companies and people; what it returns is what the world knows of them.
pub async fn people(store: &dyn Store, plan: &Plan, chance: &mut Chance) -> People {
    let id = |n: i64| u32::try_from(n).expect("small");
    let (companies, accounts) = (plan.companies, plan.accounts);
    let first_company =
        store.ids(IdKind::Company, id(companies + accounts + 1)).await.expect("ids");
    let all = plan.people + accounts * 3 + plan.customers;
    let first = store.ids(IdKind::Prospect, id(all + 1)).await.expect("ids");
    let mut changes = Changes::default();
    for company in 0..companies + accounts {
        let id = CompanyId(first_company + company);
        let (key, name) = (format!("domain:c{company}.example"), format!("Company {company}"));
        changes.companies.push(CompanyRecord { id, key, name });
    }
    let mut list = List { first, first_company, plan, people: Vec::new() };
    for _ in 0..plan.people {
        let company = chance.between(0, companies - 1);
        list.add(company, chance);
    }
    let mut groups: Vec<(&str, Vec<ProspectId>)> = list
        .people
        .chunks(plan.groups_of)
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
    let customers: Vec<ProspectId> = (0..plan.customers).map(|_| list.customer(chance)).collect();
    groups.insert(groups.len().min(1), ("dates", customers));
    groups.retain(|(_, people)| !people.is_empty());
    let all = list.people;
    for person in &all {
        let email = person.known.email.as_ref().expect("an address");
        changes.prospects.push((person.clone(), vec![Identity::of_email(email)]));
    }
    store.write(changes).await.expect("people");
    People { all, groups }
}

struct List<'a> {
    first: i64,
    first_company: i64,
    plan: &'a Plan,
    people: Vec<Prospect>,
}

impl List<'_> {
    fn add(&mut self, company: i64, chance: &mut Chance) -> &mut Prospect {
        let n = i64::try_from(self.people.len()).expect("small");
        let owner =
            RepId::from(rep(usize::try_from(n).expect("small") % self.plan.mailboxes).as_str());
        let person = person(self.first + n, n, company, chance);
        let company_id = Some(CompanyId(self.first_company + company));
        self.people.push(Prospect { company_id, owner, ..person });
        self.people.last_mut().expect("a person")
    }

    /// Somebody who has bought, with dates around the beginning.
    fn customer(&mut self, chance: &mut Chance) -> ProspectId {
        let begins = TimeZone::UTC.to_datetime(self.plan.begins_at).date();
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

fn person(id: i64, n: i64, company: i64, chance: &mut Chance) -> Prospect {
    let domain = format!("c{company}.example");
    // One telephone for some of a company.
    let number = if chance.percent(10) { 99 } else { 100 + n };
    let phone = Phone { e164: format!("+1415555{number:04}"), extension: None };
    let zones = chance.pick(ZONES).iter().map(|zone| (*zone).to_owned()).collect();
    let at = if chance.percent(10) { "gmail.com" } else { &domain };
    let known = ProspectDraft {
        first_name: chance.percent(95).then(|| format!("Person{n}")),
        email: Some(format!("p{n}@{at}").parse().expect("an address")),
        phones: if chance.percent(80) { vec![phone] } else { Vec::new() },
        linkedin: chance.percent(70).then(|| format!("person-{n}")),
        time_zones: zones,
        company: CompanyDraft { domain: Some(domain), ..CompanyDraft::default() },
        ..ProspectDraft::default()
    };
    Prospect {
        id: ProspectId(id),
        company_id: None,
        owner: RepId::from("ann"),
        relationship: Relationship::Prospect,
        known,
    }
}
