//! What holds for every account, whatever happens to whom of its people.

use std::collections::{BTreeMap, BTreeSet};

use firsttouch::domain::cadence::{
    Admission, Audience, By, Cadence, Channel, Colleagues, Content, Covers, DayKind, EnrollWhen,
    HandOff, Limits, MailMode, Others, Priority, Step, StepHours, Thread, Verb, What, When,
};
use firsttouch::domain::calendar::{Calendar, weekly};
use firsttouch::domain::enrollment::{
    Account, Circumstances, Course, Dates, Effect, Ending, Event, Member, Phase, State, TaskKind,
    begin, step, turned,
};
use firsttouch::domain::facts::Facts;
use firsttouch::domain::ids::{BuyerRole, CadenceId, ProspectId, StepId};
use firsttouch::domain::prospect::{Phone, ProspectDraft};
use firsttouch::domain::reply::ReplyKind;
use firsttouch::domain::schedule::{DOUBT_GRACE, IN_FLIGHT_AT_MOST};
use firsttouch::domain::time::{DaySpan, Delay, Unit};
use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const ROLES: [&str; 3] = ["champion", "economic", "technical"];
const OUTCOMES: [&str; 12] = [
    "done",
    "no_answer",
    "meeting_booked",
    "not_interested",
    "interested",
    "question",
    "continue",
    "stop",
    "accepted",
    "declined",
    "not_now",
    "skipped",
];

fn calendar() -> Calendar {
    use Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
    let hours = DaySpan::new(time(9, 0, 0, 0), time(17, 0, 0, 0)).expect("a span");
    let days = [Monday, Tuesday, Wednesday, Thursday, Friday];
    Calendar { name: "office".into(), hours: weekly(&days, &[hours]), holidays: [].into() }
}

fn start() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().expect("an instant")
}

fn any_verb() -> impl Strategy<Value = Verb> {
    let delay = || (1u32..4).prop_map(|days| Delay::new(days, Unit::BusinessDays));
    let hand_off = |accept_within| HandOff { to: "am".into(), brief: None, accept_within };
    prop_oneof![
        3 => Just(Verb::Continue),
        2 => Just(Verb::Stop),
        1 => Just(Verb::Triage),
        1 => delay().prop_map(Verb::Pause),
        1 => delay().prop_map(|after| Verb::SwitchTo { cadence: "next".into(), after }),
        1 => delay().prop_map(move |within| Verb::HandOff(hand_off(within))),
        1 => delay().prop_map(|after| Verb::Retry { after, max: 1 }),
    ]
}

fn any_what() -> impl Strategy<Value = What> {
    let mail =
        |mode| What::Email { content: Content::Template("t".into()), thread: Thread::New, mode };
    prop_oneof![
        3 => select(vec![MailMode::Auto, MailMode::Review]).prop_map(mail),
        3 => Just(What::Call { script: "s".into(), voicemail: None }),
        1 => Just(What::Task { title: "t".into(), notes: None, collect: Vec::new() }),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let outcomes = prop::collection::btree_map(select(&OUTCOMES), any_verb(), 0..4);
    let to = subsequence(ROLES.to_vec(), 1..=2).prop_shuffle();
    (any_what(), to, outcomes, 1u32..3).prop_map(|(what, to, outcomes, wait)| Step {
        id: StepId::from("?"),
        when: When::After(Delay::new(wait, Unit::BusinessHours)),
        to: match what {
            What::Task { .. } => Vec::new(),
            _ => to.into_iter().map(BuyerRole::from).collect(),
        },
        what,
        by: By::Owner,
        only_if: Vec::new(),
        skip_if: Vec::new(),
        expires_after: Delay::new(1, Unit::BusinessDays),
        priority: Priority::Normal,
        hours: StepHours::Calendar,
        within: None,
        outcomes: outcomes.into_iter().map(|(slug, verb)| (slug.into(), verb)).collect(),
    })
}

fn any_cadence() -> impl Strategy<Value = Cadence> {
    let kinds = ReplyKind::ALL.map(|(_, kind)| kind).to_vec();
    let replies = prop_oneof![
        1 => Just(BTreeMap::new()),
        3 => prop::collection::btree_map(select(kinds), any_verb(), 1..6),
    ];
    let others = || select(vec![Others::Pause, Others::Stop]);
    let at_end = prop_oneof![
        Just(Verb::Stop),
        Just(Verb::SwitchTo { cadence: "next".into(), after: Delay::new(1, Unit::Days) }),
    ];
    (prop::collection::vec(any_step(), 1..7), replies, others(), others(), at_end).prop_map(
        |(mut steps, replies, on_reply, on_meeting, at_end)| {
            for (at, step) in steps.iter_mut().enumerate() {
                step.id = StepId(format!("s{at}"));
            }
            let roles = ROLES.map(|role| (role.into(), role.into())).to_vec();
            Cadence {
                id: CadenceId::from("abm"),
                title: String::new(),
                about: String::new(),
                unit: Covers::Company { roles },
                audience: Audience::Prospects,
                profiles: Admission::Anybody,
                enroll_when: EnrollWhen::Manual,
                again_after: None,
                days: DayKind::Business,
                calendar: "office".into(),
                send_window: Vec::new(),
                limits: Limits::default(),
                company: Colleagues { on_reply, on_meeting },
                replies,
                custom_outcomes: BTreeMap::new(),
                steps,
                at_end,
            }
        },
    )
}

#[derive(Debug, Clone)]
enum Happening {
    Due,
    Mail,
    Lost,
    Done(&'static str),
    Released,
    Heard(i64, Event),
    Away(i64, SignedDuration),
}

fn any_happening() -> impl Strategy<Value = Happening> {
    let events = vec![Event::Replied, Event::OptedOut, Event::LeftCompany, Event::Stopped];
    let hours = (1i64..100).prop_map(SignedDuration::from_hours);
    prop_oneof![
        10 => Just(Happening::Due),
        5 => Just(Happening::Mail),
        1 => Just(Happening::Lost),
        2 => Just(Happening::Released),
        8 => select(&OUTCOMES).prop_map(Happening::Done),
        3 => (1i64..4, select(events)).prop_map(|(who, event)| Happening::Heard(who, event)),
        1 => (1i64..4, hours).prop_map(|(who, time)| Happening::Away(who, time)),
    ]
}

#[derive(Debug, Clone)]
struct Life {
    cadence: Cadence,
    /// Which roles somebody has.
    people: Vec<usize>,
    happenings: Vec<Happening>,
}

fn any_life() -> impl Strategy<Value = Life> {
    let happenings = prop::collection::vec(any_happening(), 1..50);
    let people = subsequence(vec![0usize, 1, 2], 1..=3);
    (any_cadence(), people, happenings).prop_map(|(cadence, people, happenings)| Life {
        cadence,
        people,
        happenings,
    })
}

struct Move {
    before: State,
    event: Event,
    after: State,
    effects: Vec<Effect>,
}

fn wakes_at(state: &State, now: Timestamp) -> Timestamp {
    match &state.phase {
        Phase::Waiting { due_at, .. } => *due_at,
        Phase::Sending { since, .. } => *since + IN_FLIGHT_AT_MOST,
        Phase::InDoubt { since, .. } => *since + DOUBT_GRACE,
        Phase::OnTask { expires_at, .. }
        | Phase::Triage { expires_at, .. }
        | Phase::OnReply { expires_at, .. }
        | Phase::Offered { expires_at, .. }
        | Phase::HandedBack { expires_at, .. } => *expires_at,
        Phase::Paused { until, .. } => until.unwrap_or(now),
        Phase::Closing { until } => *until,
        Phase::Ended { .. } => now,
    }
    .max(now)
}

fn circumstances() -> Circumstances {
    let known = ProspectDraft {
        email: "p@acme.test".parse().ok(),
        phones: vec![Phone { e164: "+14155552671".into(), extension: None }],
        ..ProspectDraft::default()
    };
    Circumstances { facts: Facts::of_draft(&known), closed: Vec::<Channel>::new() }
}

fn first(life: &Life, course: &Course) -> State {
    let member = |place: &usize| Member {
        role: ROLES[*place].into(),
        who: ProspectId(*place as i64 + 1),
        profile: None,
        left: None,
        not_before: None,
    };
    let account = Account::new(life.people.iter().map(member).collect());
    let state = begin(course, start()).expect("a cadence with steps");
    turned(course.cadence, State { account: Some(account), ..state })
}

/// Lives it, and then lets time go by until the end.
fn live(life: &Life) -> Vec<Move> {
    let (calendar, dates, zone) = (calendar(), Dates::new(), TimeZone::UTC);
    let course = Course { cadence: &life.cadence, calendar: &calendar, zone: &zone, dates: &dates };
    let (mut now, mut state, mut moves) = (start(), first(life, &course), Vec::new());
    let rest = [Happening::Due, Happening::Mail].into_iter().cycle().take(200);
    for happening in life.happenings.iter().cloned().chain(rest) {
        now += SignedDuration::from_mins(7);
        let who = |who: i64, event| Event::Of { who: ProspectId(who), event: Box::new(event) };
        let events = match happening {
            Happening::Due => {
                now = wakes_at(&state, now);
                vec![Event::Due(circumstances())]
            }
            Happening::Mail if matches!(state.phase, Phase::Waiting { .. }) => {
                vec![Event::Intended, Event::Sent]
            }
            Happening::Lost if matches!(state.phase, Phase::Waiting { .. }) => {
                vec![Event::Intended, Event::Lost]
            }
            Happening::Mail | Happening::Lost => Vec::new(),
            Happening::Done(word) => vec![Event::Done { outcome: word.into(), until: None }],
            Happening::Released => vec![Event::Released { edited: None }],
            Happening::Heard(person, event) => vec![who(person, event)],
            Happening::Away(person, time) => vec![who(person, Event::Away { until: now + time })],
        };
        for event in events {
            // A mail is only tried where the step asked for it.
            let Ok((after, effects)) = step(&course, state.clone(), event.clone(), now) else {
                continue;
            };
            moves.push(Move { before: state, event, after: after.clone(), effects });
            state = after;
        }
    }
    moves
}

fn account(state: &State) -> &Account {
    state.account.as_ref().expect("an account")
}

fn touched(effect: &Effect) -> Option<&StepId> {
    match effect {
        Effect::SendMail { step, .. }
        | Effect::OpenTask { step, kind: TaskKind::Touch(_) | TaskKind::Review, .. } => Some(step),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_step_is_done_for_somebody_of_its_roles_who_is_still_there(life in any_life()) {
        for moved in live(&life) {
            let account = account(&moved.after);
            let current = account.current().expect("whose turn it is");
            for id in moved.effects.iter().filter_map(touched) {
                let (_, step) = life.cadence.step(id).expect("a step");
                prop_assert_eq!(&current.left, &None);
                prop_assert!(step.to.is_empty() || step.to.contains(&current.role));
                let better = step.to.iter().take_while(|role| **role != current.role);
                for role in better {
                    prop_assert!(account.remaining().all(|member| member.role != *role));
                }
            }
        }
    }

    #[test]
    fn whoever_left_stays_out_and_is_told_once(life in any_life()) {
        let mut told = BTreeSet::new();
        for moved in live(&life) {
            for (before, after) in account(&moved.before).members.iter().zip(&account(&moved.after).members) {
                prop_assert!(before.left.is_none() || before.left == after.left);
            }
            for effect in &moved.effects {
                if let Effect::Leave { who, .. } = effect {
                    prop_assert!(told.insert(*who));
                }
            }
        }
    }

    #[test]
    fn an_account_without_people_has_ended_and_every_account_ends(life in any_life()) {
        let mut last = None;
        for moved in live(&life) {
            let is_over = matches!(moved.after.phase, Phase::Ended { .. });
            prop_assert!(is_over || account(&moved.after).remaining().next().is_some());
            last = Some(is_over);
        }
        prop_assert_eq!(last, Some(true));
    }

    #[test]
    fn while_anybody_has_answered_nobody_is_touched(life in any_life()) {
        let mut heard = BTreeSet::new();
        for moved in live(&life) {
            heard.retain(|who| account(&moved.before).member(*who).is_some_and(|m| m.left.is_none()));
            let touches = moved.effects.iter().any(|effect| touched(effect).is_some());
            prop_assert!(heard.is_empty() || !touches, "{:?} {:?}", heard, moved.effects);
            let has_ended = matches!(moved.before.phase, Phase::Ended { .. });
            match &moved.event {
                Event::Of { who, event } if **event == Event::Replied && !has_ended => {
                    heard.insert(*who);
                }
                // Somebody says what it means of whom they were asked about.
                Event::Done { .. } => {
                    if let Some(asked) = account(&moved.before).current() {
                        heard.remove(&asked.who);
                    }
                }
                _ => {}
            }
        }
    }

    #[test]
    fn what_is_asked_about_a_reply_is_about_somebody_who_replied(life in any_life()) {
        let mut replied = BTreeSet::new();
        for moved in live(&life) {
            if let Event::Of { who, event } = &moved.event && **event == Event::Replied {
                replied.insert(*who);
            }
            let asked = moved.effects.iter().any(|effect| {
                matches!(effect, Effect::OpenTask { kind: TaskKind::Reply, .. })
            });
            if asked {
                let current = account(&moved.after).current().map(|m| m.who);
                prop_assert!(current.is_some_and(|who| replied.remove(&who)), "{:?}", current);
            }
        }
    }

    #[test]
    fn an_attempt_passes_once(life in any_life()) {
        for moved in live(&life) {
            let passed: Vec<_> = moved.after.passed.iter().map(|p| (&p.step, p.attempt)).collect();
            let distinct: BTreeSet<_> = passed.iter().collect();
            prop_assert_eq!(distinct.len(), passed.len(), "{:?}", moved.after.passed);
            let before: BTreeSet<_> = moved.before.passed.iter().map(|p| (&p.step, p.attempt)).collect();
            for effect in &moved.effects {
                if let Effect::SendMail { step, attempt } = effect {
                    prop_assert!(!before.contains(&(step, *attempt)));
                }
            }
        }
    }

    #[test]
    fn an_opt_out_ends_nothing_for_the_others(life in any_life()) {
        for moved in live(&life) {
            let Event::Of { who, event } = &moved.event else { continue };
            let before = account(&moved.before);
            let others = before.remaining().any(|member| member.who != *who);
            if **event == Event::OptedOut && others && !matches!(moved.before.phase, Phase::Ended { .. }) {
                prop_assert!(!matches!(moved.after.phase, Phase::Ended { .. }), "{:?}", moved.after.phase);
            }
        }
    }

    #[test]
    fn whoever_goes_on_elsewhere_is_out_of_it_here(life in any_life()) {
        let mut elsewhere = BTreeSet::new();
        for moved in live(&life) {
            for effect in &moved.effects {
                let Effect::Begin { who: Some(who), .. } = effect else { continue };
                prop_assert!(elsewhere.insert(*who));
                let left = account(&moved.after).member(*who).and_then(|member| member.left);
                let ended = matches!(moved.after.phase, Phase::Ended { ending: Ending::Switched, .. });
                prop_assert!(ended || left.is_some_and(|(ending, _)| ending == Ending::Switched));
            }
        }
    }
}
