//! What a team has agreed on, drawn from the seed, as the checks know it: hours, limits, cadences.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::chance::Chance;

/// A span of minutes of a local day.
pub type Span = (i32, i32);

/// The limits of one cadence.
#[derive(Debug, Clone, Copy, Default)]
pub struct CadenceLimits {
    pub new_per_rep: Option<usize>,
    pub per_company_at_once: Option<usize>,
    pub per_prospect: Option<usize>,
    pub per_company_week: Option<usize>,
}

/// The team that is simulated.
#[derive(Debug, Clone)]
pub struct Plan {
    pub begins_at: Timestamp,
    /// Days with faults, and days by whose end everything must have ended.
    pub faulty_days: i64,
    pub last_day: i64,
    pub mailboxes: usize,
    pub people: i64,
    pub companies: i64,
    pub accounts: i64,
    pub customers: i64,
    /// So many people are enrolled in one go, and how often somebody does so.
    pub groups_of: usize,
    pub group_every: SignedDuration,
    /// Monday first.
    pub works: [bool; 7],
    pub holidays: BTreeSet<Date>,
    pub window: Vec<Span>,
    pub freshness: SignedDuration,
    pub gap: (SignedDuration, SignedDuration),
    pub quiet: SignedDuration,
    pub per_domain: usize,
    pub new_per_company: usize,
    pub active_per_company: usize,
    pub active_per_rep: Option<usize>,
    /// Requests to connect, for one rep in seven days.
    pub invites_per_week: Option<usize>,
    /// Mails of one mailbox in an hour.
    pub hourly: Option<u32>,
    /// Start, more each sending day, and the limit in the end, for each mailbox.
    pub ramps: Vec<(u32, u32, u32)>,
    pub limits: BTreeMap<&'static str, CadenceLimits>,
    /// Cadence files by id.
    pub files: BTreeMap<&'static str, String>,
    /// The ids of each cadence's steps in their order.
    pub steps: BTreeMap<&'static str, Vec<&'static str>>,
    /// Whether colleagues of somebody who replied wait in the first cadence.
    pub colleagues_wait: bool,
}

pub const POSTAL_ADDRESS: &str = "1 Road, Town";

/// Every cadence that is run.
pub const CADENCES: [&str; 4] = ["simulated", "nurture", "account", "dates"];

/// For whom each step of the account is, first choice first.
pub const ROLES: [(&str, &[&str]); 6] = [
    ("champion-1", &["champion"]),
    ("economic-1", &["economic", "champion"]),
    ("champion-call", &["champion"]),
    ("technical-1", &["technical"]),
    ("champion-2", &["champion"]),
    ("economic-2", &["economic", "technical"]),
];

/// Around changes of the clocks north and south, a year's end and a leap day.
const BEGINS: [&str; 7] = [
    "2026-03-02T06:00:00Z",
    "2026-10-12T06:00:00Z",
    "2027-12-13T06:00:00Z",
    "2028-02-07T06:00:00Z",
    "2026-06-01T06:00:00Z",
    "2027-03-15T06:00:00Z",
    "2027-09-20T06:00:00Z",
];

const WINDOWS: [&[Span]; 5] = [
    &[(480, 660), (840, 990)],
    &[(540, 1020)],
    &[(450, 600)],
    &[(60, 270), (780, 900)],
    &[(600, 690), (930, 1050)],
];

const WORKS: [[bool; 7]; 4] = [
    [true, true, true, true, true, false, false],
    [true, true, true, true, false, false, true],
    [true, true, true, true, true, true, false],
    [true; 7],
];

impl Plan {
    /// The team of a seed; `people` says how many there are at most.
    pub fn draw(seed: u64, days: Option<i64>, people: Option<i64>) -> Self {
        let chance = &mut Chance::new(seed ^ 0x7ea3);
        let begins_at: Timestamp = chance.pick(&BEGINS).parse().expect("a time");
        let faulty_days = days.unwrap_or(40);
        let window = if chance.percent(50) { WINDOWS[0] } else { *chance.pick(&WINDOWS) };
        let works = if chance.percent(50) { WORKS[0] } else { *chance.pick(&WORKS) };
        let today = begins_at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let holidays = (0..chance.between(1, 4))
            .map(|_| today + SignedDuration::from_hours(24 * chance.between(1, 21)))
            .collect();
        let least = chance.mins(1, 6);
        let count = |chance: &mut Chance, least, most| {
            usize::try_from(chance.between(least, most)).expect("small")
        };
        // Drawn apart: what was drawn before there were such limits stays as it was.
        let apart = &mut Chance::new(seed ^ 0x11f7);
        let mut plan = Self {
            begins_at,
            faulty_days,
            last_day: faulty_days + 900,
            mailboxes: 2,
            people: chance.between(6, 26).min(people.unwrap_or(i64::MAX)),
            companies: chance.between(2, 6),
            accounts: chance.between(1, 2),
            customers: 2,
            groups_of: 4,
            group_every: chance.mins(0, 3_000),
            works,
            holidays,
            window: window.to_vec(),
            freshness: chance.mins(10, 20),
            gap: (least, least + chance.mins(0, 6)),
            quiet: SignedDuration::from_hours(chance.between(24, 72)),
            per_domain: count(chance, 1, 3),
            new_per_company: count(chance, 1, 3),
            active_per_company: count(chance, 2, 4),
            active_per_rep: apart.percent(35).then(|| count(apart, 2, 5)),
            invites_per_week: apart.percent(35).then(|| count(apart, 1, 4)),
            hourly: apart.percent(35).then(|| u32::try_from(count(apart, 1, 3)).expect("small")),
            ramps: Vec::new(),
            limits: BTreeMap::new(),
            files: BTreeMap::new(),
            steps: BTreeMap::new(),
            colleagues_wait: chance.percent(75),
        };
        if people.is_some() {
            (plan.accounts, plan.customers) = (0, 0);
        }
        for _ in 0..plan.mailboxes {
            let start = u32::try_from(chance.between(1, 4)).expect("small");
            let add = u32::try_from(chance.between(0, 2)).expect("small");
            let more = u32::try_from(chance.between(0, 4)).expect("small");
            plan.ramps.push((start, add, start + more));
        }
        if apart.percent(25) {
            plan.close_for_weeks(apart, people);
        }
        plan.write(chance);
        plan
    }

    /// The works holidays: nobody sends for so long that mailboxes begin again with less; and then many are
    /// due at once.
    fn close_for_weeks(&mut self, chance: &mut Chance, people: Option<i64>) {
        let first = self.begins_at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let from = chance.between(6, 12);
        let days =
            (from..from + chance.between(16, 22)).map(|day| SignedDuration::from_hours(24 * day));
        self.holidays.extend(days.map(|day| first + day));
        self.people = self.people.max(20).min(people.unwrap_or(i64::MAX));
        (self.ramps, self.hourly) = (vec![(1, 2, 4); self.mailboxes], None);
        (self.per_domain, self.groups_of) = (3, 6);
    }

    /// Twenty mailboxes and ten thousand people, who come in week by week for most of a year.
    pub fn of_a_year() -> Self {
        let mut plan = Self::quiet(3);
        plan.begins_at = "2026-01-05T06:00:00Z".parse().expect("a time");
        (plan.faulty_days, plan.last_day) = (365, 400);
        (plan.mailboxes, plan.people, plan.companies) = (20, 10_000, 4_000);
        (plan.accounts, plan.customers) = (50, 50);
        plan.window = vec![(540, 1_020)];
        plan.freshness = SignedDuration::from_mins(15);
        plan.gap = (SignedDuration::from_mins(4), SignedDuration::from_mins(9));
        plan.quiet = SignedDuration::from_hours(48);
        (plan.per_domain, plan.new_per_company, plan.active_per_company) = (5, 2, 3);
        (plan.active_per_rep, plan.invites_per_week, plan.hourly) = (Some(250), Some(80), Some(12));
        plan.ramps = vec![(5, 2, 40); plan.mailboxes];
        (plan.groups_of, plan.group_every) = (50, SignedDuration::from_hours(36));
        plan.write(&mut Chance::new(3));
        plan
    }

    /// The usual team, with nothing unusual about it.
    pub fn quiet(seed: u64) -> Self {
        let mut plan = Self::draw(seed, None, None);
        plan.begins_at = BEGINS[0].parse().expect("a time");
        (plan.window, plan.works) = (WINDOWS[0].to_vec(), WORKS[0]);
        plan.holidays.clear();
        plan.write(&mut Chance::new(seed));
        plan
    }

    /// The files of the cadences.
    fn write(&mut self, chance: &mut Chance) {
        self.simulated(chance);
        let head = self.head();
        let limited = self.draw_limits("nurture", chance);
        self.files.insert("nurture", nurture(&head, &limited));
        self.steps.insert("nurture", vec!["news", "news-call"]);
        let limited = self.draw_limits("account", chance);
        self.files.insert("account", account(&head, &limited));
        let steps = ["research"].into_iter().chain(ROLES.map(|(id, _)| id)).collect();
        self.steps.insert("account", steps);
        self.limits.insert("dates", CadenceLimits::default());
        self.files.insert("dates", DATES.replace("HEAD", &head));
        let steps = vec!["welcome", "kick-off", "check-in", "value", "renewal"];
        self.steps.insert("dates", steps);
    }

    fn head(&self) -> String {
        let minute = |at: i32| format!("{:02}:{:02}", at / 60, at % 60);
        let spans: Vec<String> = self
            .window
            .iter()
            .map(|(from, to)| format!("\"{}-{}\"", minute(*from), minute(*to)))
            .collect();
        format!("calendar: standard\nsend_window: [{}]", spans.join(", "))
    }

    /// Some limits of a cadence, and the line that says them.
    fn draw_limits(&mut self, cadence: &'static str, chance: &mut Chance) -> String {
        let mut draw = |percent, least, most| {
            let n = chance.between(least, most);
            chance.percent(percent).then(|| usize::try_from(n).expect("small"))
        };
        let drawn = CadenceLimits {
            new_per_rep: draw(80, 1, 5),
            per_company_at_once: draw(60, 1, 3),
            per_prospect: draw(60, 1, 2),
            per_company_week: draw(50, 3, 7),
        };
        let of_a_large_team = CadenceLimits {
            new_per_rep: Some(12),
            per_company_at_once: Some(3),
            per_prospect: Some(2),
            per_company_week: Some(12),
        };
        let limits = if self.mailboxes > 2 { of_a_large_team } else { drawn };
        self.limits.insert(cadence, limits);
        let said = [
            ("new_per_rep_per_day", limits.new_per_rep),
            ("per_company_at_once", limits.per_company_at_once),
            ("touches_per_prospect_per_day", limits.per_prospect),
            ("touches_per_company_per_week", limits.per_company_week),
        ];
        let said = said.into_iter().filter_map(|(key, n)| n.map(|n| format!("{key}: {n}")));
        match said.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => String::new(),
            said => format!("limits: {{ {said} }}\n"),
        }
    }

    /// The cadence of the list, with other steps for every seed.
    fn simulated(&mut self, chance: &mut Chance) {
        let limited = self.draw_limits("simulated", chance);
        let company = if self.colleagues_wait { "pause_others" } else { "nothing" };
        let replies = if chance.percent(70) { REPLIES } else { "" };
        let mut text = format!(
            "format: cadence/v1\nid: simulated\ntitle: Simulated\nabout: Three channels.\n\
             enroll: {{ audience: prospects, profiles: [any], when: manual, again_after: 180 days }}\n\
             days: business\n{}\n{limited}defaults: {{ expires_after: 2 business days }}\n\
             company: {{ on_reply: {company} }}\n{replies}steps:\n",
            self.head()
        );
        let mut steps = vec!["email-1"];
        text += match chance.percent(15) {
            true => {
                "  - id: email-1\n    day: 1\n    email: { template: hello, thread: new, mode: review }\n"
            }
            false => "  - id: email-1\n    day: 1\n    email: { template: hello, thread: new }\n",
        };
        let view = chance.percent(70);
        if view {
            text += "  - id: view\n    day: 1\n    only_if: { has: [linkedin_url] }\n    social: { network: linkedin, act: connect }\n";
            steps.push("view");
        }
        let call = chance.percent(80);
        if call {
            text += CALL;
            if chance.percent(70) {
                text += "    outcomes:\n      no_answer: { retry: { after: 4 business hours, max: 1 } }\n";
            }
            steps.push("call-1");
        }
        let thread = if chance.percent(60) { "bump, thread: reply" } else { "again, thread: new" };
        let skip = match call {
            true => "    skip_if: { outcome: { call-1: [left_voicemail] } }\n",
            false => "",
        };
        text +=
            &format!("  - id: email-2\n    day: 3\n{skip}    email: {{ template: {thread} }}\n");
        steps.push("email-2");
        if view && chance.percent(80) {
            text += MESSAGE;
            steps.push("message");
        }
        let waits = ["2 business days", "26 hours", "1 day", "5 business hours"];
        text += &format!(
            "  - id: email-3\n    after: {}\n    email: {{ template: again, thread: new }}\n",
            chance.pick(&waits)
        );
        steps.push("email-3");
        let ends = ["15 days", "1 day", "1 day", "8 hours"];
        text += &format!(
            "at_end: {{ switch_to: {{ cadence: nurture, after: {} }} }}\n",
            chance.pick(&ends)
        );
        self.files.insert("simulated", text);
        self.steps.insert("simulated", steps);
    }

    /// The limit of a mailbox behind so many earlier sending days; `silent` is how many there had been
    /// when it last had not sent for more than two weeks.
    pub fn ramp(&self, mailbox: usize, days: usize, silent: Option<usize>) -> usize {
        let (start, add, full) = self.ramps[mailbox];
        let (start, add, full) = (start as usize, add as usize, full as usize);
        let usual = |days: usize| (start + add * days).min(full);
        match silent {
            None => usual(days),
            Some(silent) => {
                let again = start.max(usual(silent - 1) / 2) + add * (days - silent);
                again.min(usual(days))
            }
        }
    }
}

const REPLIES: &str = "replies:
  question: triage
  referral: continue
  interested: { pause: 5 days }
  not_now: { switch_to: { cadence: nurture, after: 1 day } }
  problem: { hand_off: { to: account_manager, accept_within: 4 business hours } }
";

const CALL: &str = "  - id: call-1
    day: 2
    only_if: { has: [phone] }
    call: { script: script, voicemail: none }
";

const MESSAGE: &str = "  - id: message
    day: 4
    only_if: { outcome: { view: [accepted, already_connected] } }
    social: { network: linkedin, act: message, text: note }
";

/// Where those go on who did not answer.
fn nurture(head: &str, limited: &str) -> String {
    format!(
        r#"format: cadence/v1
id: nurture
title: Nurture
enroll: {{ audience: prospects, profiles: [any], when: manual, again_after: 180 days }}
days: business
{head}
{limited}steps:
  - id: news
    day: 1
    email: {{ template: again, thread: new, mode: review }}
  - id: news-call
    after: 2 business days
    only_if: {{ has: [phone] }}
    call: {{ script: script, voicemail: none }}
at_end: stop
"#
    )
}

/// Two of a company and whoever else is there, one conversation.
fn account(head: &str, limited: &str) -> String {
    ACCOUNT.replace("HEAD", head).replace("LIMITS\n", limited)
}

const ACCOUNT: &str = r#"format: cadence/v1
id: account
title: Account
unit: company
roles: { champion: head-of-sales, economic: finance, technical: security }
enroll: { audience: prospects, profiles: [head-of-sales, finance, security], when: manual, again_after: 180 days }
days: business
HEAD
LIMITS
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

/// On dates of the customer, some known, one that a task asks for.
const DATES: &str = r#"format: cadence/v1
id: dates
title: Dates
enroll: { audience: customers, profiles: [any], when: manual, again_after: never }
HEAD
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
