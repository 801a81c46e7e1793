//! Cadences of every kind, as the reader of files can make them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::{Known, TemplateInfo};
use crate::domain::cadence::{
    Admission, Anchor, Audience, By, Cadence, Colleagues, Condition, Content, Covers, DayKind,
    EVENTS, EXPIRED, EnrollWhen, HandOff, Limits, MailMode, Others, Outcome, Priority, SocialAct,
    Step, StepHours, Test, Thread, Verb, What, When,
};
use crate::domain::facts::{DATES, FIELDS};
use crate::domain::ids::{BuyerRole, CadenceId, ProfileId, RoleId, StepId};
use crate::domain::reply::ReplyKind;
use crate::domain::time::{DaySpan, Delay, Side, Unit};

/// Templates with and without a subject.
const BEGIN: [&str; 3] = ["intro", "intro-b", "012"];
const REPLY: [&str; 3] = ["bump", "no", "li: note"];

/// What the cadences refer to.
pub(in crate::formats) fn known() -> Known {
    let info = |has_subject| TemplateInfo { has_subject, least_characters: 0 };
    let begin = BEGIN.map(|name| (name.to_owned(), info(true)));
    let reply = REPLY.map(|name| (name.to_owned(), info(false)));
    let templates = begin.into_iter().chain(reply).collect();
    Known { applied: true, templates, ..Known::default() }
}

/// A text that is not blank, with everything in it that makes YAML difficult.
fn text() -> impl Strategy<Value = String> {
    let strange = any::<String>();
    let usual = "[A-Za-z0-9 ,:#'\"{}\\[\\]|>&*!%@`?.-]{1,16}";
    let lines = "[a-z #:-]{0,8}\n[ a-z#:-]{0,8}\n[a-z]{1,4}";
    let text = prop_oneof![4 => usual, 1 => strange, 1 => lines];
    text.prop_map(|text| format!("x{text}").trim().to_owned())
}

fn slug() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9_-]{0,8}",
        "[0-9]{1,4}",
        Just("null".to_owned()),
        Just("no".to_owned())
    ]
}

fn delay() -> impl Strategy<Value = Delay> {
    let units = [
        Unit::Minutes,
        Unit::Hours,
        Unit::Days,
        Unit::Weeks,
        Unit::BusinessMinutes,
        Unit::BusinessHours,
        Unit::BusinessDays,
    ];
    (1_u32..200, prop::sample::select(units.to_vec())).prop_map(|(n, unit)| Delay::new(n, unit))
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        Just(Verb::Continue),
        Just(Verb::Triage),
        Just(Verb::Stop),
        delay().prop_map(Verb::Pause),
        (delay(), 1_u32..10).prop_map(|(after, max)| Verb::Retry { after, max }),
        (slug(), delay()).prop_map(|(cadence, after)| Verb::SwitchTo {
            cadence: CadenceId(format!("z{cadence}")),
            after
        }),
        hand_off().prop_map(Verb::HandOff),
    ]
}

fn hand_off() -> impl Strategy<Value = HandOff> {
    let brief = prop::option::of(prop::sample::select(REPLY.to_vec()));
    (slug(), brief, delay()).prop_map(|(to, brief, accept_within)| HandOff {
        to: RoleId(to),
        brief: brief.map(str::to_owned),
        accept_within,
    })
}

fn when() -> impl Strategy<Value = Option<When>> {
    let side = prop_oneof![Just(Side::Before), Just(Side::Behind)];
    let unit = prop::sample::select(vec![Unit::Days, Unit::Weeks, Unit::BusinessDays]);
    let field =
        prop_oneof![prop::sample::select(DATES.to_vec()).prop_map(str::to_owned), "x\\.[a-z]{1,5}"];
    let at = (field, side, 0_u32..200, unit).prop_map(|(field, side, n, unit)| {
        // Nothing before or behind a date is the date.
        let (side, unit) = if n == 0 { (Side::Behind, Unit::Days) } else { (side, unit) };
        When::At(Anchor { field, side, delay: Delay::new(n, unit) })
    });
    prop_oneof![2 => Just(None), 2 => delay().prop_map(|d| Some(When::After(d))), 1 => at.prop_map(Some)]
}

fn content() -> impl Strategy<Value = (bool, u32)> {
    (any::<bool>(), 1_u32..99)
}

/// A role; the owner is none.
fn role() -> impl Strategy<Value = By> {
    slug().prop_map(|role| By::Role(RoleId(role)))
}

/// A step before it is known what stands above it.
#[derive(Debug, Clone)]
struct Sketch {
    when: Option<When>,
    kind: usize,
    hand_off: HandOff,
    by: By,
    /// Of a mail whether it is read first, of a task what it collects.
    asks: (bool, Vec<String>),
    /// Which of the roles it is for, when there are roles; none only where a step needs none.
    to: Vec<usize>,
    within: Option<Delay>,
    content: (bool, u32),
    act: SocialAct,
    words: (String, bool),
    conditions: [Vec<Line>; 2],
    expires_after: Delay,
    priority: Priority,
    outcomes: Vec<(usize, Verb)>,
}

#[derive(Debug, Clone)]
enum Line {
    Has(Vec<String>),
    HasNot(Vec<String>),
    /// Of a step above, by its number, some outcomes.
    Outcome(usize, usize),
    Field(BTreeMap<String, Test>),
    Event(Vec<&'static str>),
    Any(Vec<Vec<String>>),
}

fn field() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(FIELDS.to_vec()).prop_map(str::to_owned), "x\\.[a-z]{1,5}"]
}

fn test() -> impl Strategy<Value = Test> {
    prop_oneof![
        text().prop_map(Test::Is),
        (-1e9..1e9).prop_map(Test::AtLeast),
        (0.0..9.0).prop_map(Test::LessThan),
        Just(Test::MoreThan(1e300)),
        Just(Test::AtMost(0.1)),
    ]
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let fields = || prop::collection::vec(field(), 1..3);
    let has = prop::option::of(fields().prop_map(Line::Has));
    let has_not = prop::option::of(fields().prop_map(Line::HasNot));
    let outcome = prop::option::of((0_usize..9, 1_usize..3).prop_map(|(s, n)| Line::Outcome(s, n)));
    let tests = prop::collection::btree_map(field(), test(), 1..3).prop_map(Line::Field);
    let events = prop::sample::subsequence(EVENTS.to_vec(), 1..3).prop_map(Line::Event);
    let groups = prop::collection::vec(fields(), 1..3).prop_map(Line::Any);
    let (tests, events) = (prop::option::of(tests), prop::option::of(events));
    (has, has_not, outcome, tests, events, prop::option::of(groups)).prop_map(
        |(has, has_not, outcome, tests, events, groups)| {
            [has, has_not, outcome, tests, events, groups].into_iter().flatten().collect()
        },
    )
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let priority = prop::sample::select(Priority::ALL.map(|(_, p)| p).to_vec());
    let act = prop::sample::select(SocialAct::ALL.map(|(_, act)| act).to_vec());
    let outcomes = prop::collection::vec((0_usize..20, verb()), 0..3);
    let first = (when(), 0_usize..5, content(), act, (text(), any::<bool>()));
    let times = (delay(), prop::option::of(delay()));
    let by = prop_oneof![2 => Just(By::Owner), 1 => role()];
    let fields = prop::collection::btree_set("x\\.[a-z]{1,5}", 0..3);
    let asks = (any::<bool>(), fields.prop_map(|fields| fields.into_iter().collect()));
    let to = prop::collection::vec(0_usize..8, 0..3);
    (first, (hand_off(), by, asks, to), lines(), lines(), times, priority, outcomes).prop_map(
        |(
            (when, kind, content, act, words),
            (hand_off, by, asks, to),
            a,
            b,
            (expires_after, within),
            priority,
            outcomes,
        )| Sketch {
            when,
            kind,
            hand_off,
            by,
            asks,
            to,
            within,
            content,
            act,
            words,
            conditions: [a, b],
            expires_after,
            priority,
            outcomes,
        },
    )
}

/// For whom a step is.
fn to(sketch: &Sketch, roles: &[(BuyerRole, ProfileId)]) -> Vec<BuyerRole> {
    let needs = sketch.kind < 3;
    let picked = sketch.to.iter().copied().chain((needs && sketch.to.is_empty()).then_some(0));
    let mut to: Vec<BuyerRole> = Vec::new();
    for role in picked.filter_map(|at| roles.get(at % roles.len().max(1))) {
        if !to.contains(&role.0) {
            to.push(role.0.clone());
        }
    }
    to
}

fn steps(
    sketches: Vec<Sketch>,
    ids: Vec<String>,
    own: &BTreeMap<Outcome, String>,
    roles: &[(BuyerRole, ProfileId)],
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (at, (sketch, id)) in sketches.into_iter().zip(ids).enumerate() {
        let to = to(&sketch, roles);
        let mails = || steps.iter().filter(|step| matches!(step.what, What::Email { .. }));
        let mail_above = match to.is_empty() {
            true => mails().next().is_some(),
            false => to.iter().all(|role| mails().any(|mail| mail.to.contains(role))),
        };
        let what = what(&sketch, mail_above);
        let [only_if, skip_if] = sketch.conditions.map(|lines| above(lines, &steps));
        let mut known: Vec<Outcome> =
            what.outcomes().iter().map(|(slug, _)| Outcome::from(*slug)).collect();
        if what.takes_own_outcomes() {
            known.extend(own.keys().cloned().chain([Outcome::from(EXPIRED)]));
        }
        if what.is_reviewed() {
            known.push(Outcome::from(EXPIRED));
        }
        let is_mail = matches!(what, What::Email { .. });
        let outcome = |(n, verb): &(usize, Verb)| {
            let verb = match verb {
                Verb::Retry { .. } if is_mail => Verb::Stop,
                verb => verb.clone(),
            };
            (known[n % known.len()].clone(), verb)
        };
        steps.push(Step {
            id: StepId(id),
            hours: if is_mail && sketch.words.1 { StepHours::Any } else { StepHours::Calendar },
            within: sketch.within.filter(|_| what.is_a_task()),
            by: if what.is_a_task() { sketch.by } else { By::Owner },
            to,
            when: sketch.when.unwrap_or(When::Day(at as u32 + 1)),
            outcomes: sketch.outcomes.iter().map(outcome).collect(),
            what,
            only_if,
            skip_if,
            expires_after: sketch.expires_after,
            priority: sketch.priority,
        });
    }
    steps
}

fn what(sketch: &Sketch, mail_above: bool) -> What {
    let (second, weight) = sketch.content;
    let (word, named) = sketch.words.clone();
    let template = REPLY[weight as usize % 3].to_owned();
    match sketch.kind {
        0 => {
            let reply = mail_above && named;
            let (thread, names) = if reply { (Thread::Reply, REPLY) } else { (Thread::New, BEGIN) };
            let split = names.iter().zip([weight, 100 - weight]);
            let content = match second {
                true => Content::Split(split.map(|(name, n)| ((*name).to_owned(), n)).collect()),
                false => Content::Template(names[weight as usize % 3].to_owned()),
            };
            let mode = if sketch.asks.0 { MailMode::Review } else { MailMode::Auto };
            What::Email { content, thread, mode }
        }
        1 => What::Call { script: template.clone(), voicemail: named.then_some(template) },
        2 => What::Social { network: word, act: sketch.act, text: named.then_some(template) },
        3 => {
            let collect = sketch.asks.1.clone();
            What::Task { title: word, notes: named.then_some(template), collect }
        }
        _ => What::HandOff(sketch.hand_off.clone()),
    }
}

fn above(lines: Vec<Line>, steps: &[Step]) -> Vec<Condition> {
    let line = |line| match line {
        Line::Has(fields) => Some(Condition::Has(fields)),
        Line::HasNot(fields) => Some(Condition::HasNot(fields)),
        Line::Field(tests) => Some(Condition::Field(tests.into_iter().collect())),
        Line::Event(events) => {
            Some(Condition::Event(events.into_iter().map(str::to_owned).collect()))
        }
        Line::Any(groups) => {
            Some(Condition::Any(groups.into_iter().map(|g| vec![Condition::Has(g)]).collect()))
        }
        Line::Outcome(step, count) => {
            let step = steps.get(step)?;
            let known = step.what.outcomes().iter().take(count);
            let wanted = known.map(|(outcome, _)| Outcome::from(*outcome)).collect();
            Some(Condition::Outcome(vec![(step.id.clone(), wanted)]))
        }
    };
    lines.into_iter().filter_map(line).collect()
}

fn window() -> impl Strategy<Value = Vec<DaySpan>> {
    let span = |from: i8, to: i8| {
        DaySpan::new(jiff::civil::time(from, 5, 0, 0), jiff::civil::time(to, 30, 0, 0)).unwrap()
    };
    prop_oneof![Just(vec![span(8, 17)]), Just(vec![span(7, 9), span(9 + 1, 23)])]
}

fn enroll_when() -> impl Strategy<Value = EnrollWhen> {
    let tests = prop::collection::btree_map(field(), test(), 1..3);
    prop_oneof![
        Just(EnrollWhen::Manual),
        "told_[a-z]{1,6}".prop_map(EnrollWhen::Event),
        tests.prop_map(|tests| EnrollWhen::Field(tests.into_iter().collect())),
    ]
}

/// What an enrollment covers; a role's profile is one of those that are let in.
fn covers(roles: Vec<(String, usize)>, profiles: &Admission) -> Covers {
    let profile = |n: usize| match profiles {
        Admission::Anybody => ProfileId("buyers".to_owned()),
        Admission::OneOf(ids) => ids[n % ids.len()].clone(),
    };
    let role = |(name, n): (String, usize)| (BuyerRole(name), profile(n));
    match roles.is_empty() {
        true => Covers::Prospect,
        false => Covers::Company { roles: roles.into_iter().map(role).collect() },
    }
}

/// A whole cadence.
pub(in crate::formats) fn any_cadence() -> impl Strategy<Value = Cadence> {
    let limit = || prop::option::of(1_u32..10_000);
    let head = (slug(), text(), prop_oneof![Just(String::new()), text()], any::<(bool, bool)>());
    let profiles = prop::collection::vec(slug(), 0..3);
    let names = prop::collection::btree_set(slug(), 1..=8).prop_shuffle_ids();
    let roles = names.prop_flat_map(|names| {
        let count = names.len();
        let profiles = prop::collection::vec(0_usize..3, count);
        profiles.prop_map(move |profiles| names.iter().cloned().zip(profiles).collect::<Vec<_>>())
    });
    let profiles = (profiles, prop_oneof![Just(Vec::new()), roles]);
    let limits = (limit(), limit(), limit(), limit(), limit());
    let ids = prop::collection::btree_set(slug(), 6).prop_shuffle_ids();
    let steps_of = (prop::collection::vec(sketch(), 1..6), ids);
    let at_end = prop_oneof![Just(Verb::Stop), delay().prop_map(Verb::Pause)];
    let others = || prop::sample::select(Others::ALL.map(|(_, others)| others).to_vec());
    let kinds = prop::sample::select(ReplyKind::ALL.map(|(_, kind)| kind).to_vec());
    let replies = prop::collection::btree_map(kinds, verb(), 0..4).prop_map(|replies| {
        let is_reply = |verb: &Verb| !matches!(verb, Verb::Retry { .. });
        replies.into_iter().filter(|(_, verb)| is_reply(verb)).collect::<BTreeMap<_, _>>()
    });
    let own = prop::collection::btree_map("own_[a-z]{1,6}".prop_map(Outcome), text(), 0..3);
    let answers = (others(), others(), replies, own);
    let end = (prop::option::of(delay()), text(), window(), at_end, enroll_when());
    (head, profiles, limits, answers, steps_of, end).prop_map(
        |(
            (id, title, about, (cold, business)),
            (profiles, roles),
            limits,
            answers,
            (sketches, ids),
            end,
        )| {
            let (on_reply, on_meeting, replies, own) = answers;
            let (again_after, calendar, send_window, at_end, enroll_when) = end;
            let profiles: Vec<_> = profiles.into_iter().map(ProfileId).collect();
            let is_any = profiles.is_empty() || profiles.iter().any(|id| id.as_str() == "any");
            let profiles = if is_any { Admission::Anybody } else { Admission::OneOf(profiles) };
            let unit = covers(roles, &profiles);
            let is_account = matches!(unit, Covers::Company { .. });
            // One conversation: the others always wait.
            let on_reply = match (&unit, on_reply) {
                (Covers::Company { .. }, Others::Nothing) => Others::Stop,
                (_, on_reply) => on_reply,
            };
            Cadence {
                id: CadenceId(id),
                title,
                about,
                steps: steps(sketches, ids, &own, unit.roles()),
                unit,
                audience: if cold { Audience::Prospects } else { Audience::Customers },
                profiles,
                enroll_when: match is_account {
                    true => EnrollWhen::Manual,
                    false => enroll_when,
                },
                again_after,
                days: if business { DayKind::Business } else { DayKind::Calendar },
                calendar,
                send_window,
                limits: Limits {
                    new_per_rep_per_day: limits.0,
                    active_per_rep: limits.4,
                    per_company_at_once: limits.1,
                    touches_per_prospect_per_day: limits.2,
                    touches_per_company_per_week: limits.3,
                },
                company: Colleagues { on_reply, on_meeting },
                replies,
                custom_outcomes: own,
                at_end,
            }
        },
    )
}

/// A set of ids in any order.
trait Shuffled: Strategy<Value = std::collections::BTreeSet<String>> + Sized {
    fn prop_shuffle_ids(self) -> impl Strategy<Value = Vec<String>> {
        self.prop_map(|ids| ids.into_iter().collect::<Vec<_>>()).prop_shuffle()
    }
}

impl<S: Strategy<Value = std::collections::BTreeSet<String>>> Shuffled for S {}
