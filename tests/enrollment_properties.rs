//! Properties of the one function that moves an enrollment, over random cadences and random events.

use std::collections::BTreeMap;

use firsttouch::domain::address::EmailAddress;
use firsttouch::domain::cadence::{
    Admission, Anchor, Audience, By, Cadence, Channel, Colleagues, Condition, Content, Covers,
    DayKind, EnrollWhen, HandOff, Limits, MailMode, Outcome, Priority, SocialAct, Step, StepHours,
    Thread, Verb, What, When,
};
use firsttouch::domain::calendar::{Calendar, weekly};
use firsttouch::domain::enrollment::{
    Circumstances, Course, Dates, Effect, Ending, Event, Passed, Phase, State, TaskKind, ahead,
    begin, relocate, step,
};
use firsttouch::domain::facts::Facts;
use firsttouch::domain::ids::{CadenceId, RoleId, StepId};
use firsttouch::domain::prospect::{Phone, ProspectDraft};
use firsttouch::domain::reply::ReplyKind;
use firsttouch::domain::schedule::{DOUBT_GRACE, IN_FLIGHT_AT_MOST};
use firsttouch::domain::time::{DaySpan, Delay, Side, Unit};
use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const STEP_IDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Outcomes of every kind of step, and one that nobody knows.
const OUTCOMES: [&str; 15] = [
    "sent",
    "refused",
    "expired",
    "skipped",
    "done",
    "no_answer",
    "not_now",
    "meeting_booked",
    "interested",
    "replied",
    "continue",
    "own_word",
    "accepted",
    "declined",
    "hand_off",
];

fn calendar() -> Calendar {
    let days = [Weekday::Monday, Weekday::Tuesday, Weekday::Thursday, Weekday::Friday];
    let hours = DaySpan::new(time(9, 0, 0, 0), time(17, 0, 0, 0)).expect("a span");
    let holidays = ["2026-12-25".parse().expect("a date")].into();
    Calendar { name: "office".into(), hours: weekly(&days, &[hours]), holidays }
}

fn start() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().expect("an instant")
}

fn any_delay() -> impl Strategy<Value = Delay> {
    let units = [
        Unit::Minutes,
        Unit::Hours,
        Unit::Days,
        Unit::Weeks,
        Unit::BusinessMinutes,
        Unit::BusinessHours,
        Unit::BusinessDays,
    ];
    (0u32..5, select(units.to_vec())).prop_map(|(amount, unit)| Delay::new(amount, unit))
}

fn any_verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        6 => Just(Verb::Continue),
        1 => Just(Verb::Triage),
        1 => Just(Verb::Stop),
        3 => (any_delay(), 0u32..3).prop_map(|(after, max)| Verb::Retry { after, max }),
        2 => any_delay().prop_map(Verb::Pause),
        1 => any_delay().prop_map(|after| Verb::SwitchTo { cadence: "next".into(), after }),
        1 => any_hand_off().prop_map(Verb::HandOff),
    ]
}

fn any_hand_off() -> impl Strategy<Value = HandOff> {
    any_delay().prop_map(|accept_within| HandOff {
        to: RoleId::from("account_manager"),
        brief: None,
        accept_within,
    })
}

/// Half of the cadences say nothing of replies.
fn any_replies() -> impl Strategy<Value = BTreeMap<ReplyKind, Verb>> {
    let kinds = ReplyKind::ALL.map(|(_, kind)| kind).to_vec();
    let some = prop::collection::btree_map(select(kinds), any_verb(), 1..6);
    prop_oneof![Just(BTreeMap::new()), some]
}

const DATES: [&str; 3] = ["close_date", "renewal_date", "unknown_date"];

/// A date in the weeks around the beginning, and one that nobody knows.
fn any_anchor() -> impl Strategy<Value = Anchor> {
    let units = vec![Unit::Days, Unit::Weeks, Unit::BusinessDays];
    let side = select(vec![Side::Before, Side::Behind]);
    (select(&DATES), side, 0u32..12, select(units)).prop_map(|(field, side, amount, unit)| Anchor {
        field: field.to_owned(),
        side,
        delay: Delay::new(amount, unit),
    })
}

fn dates() -> Dates {
    let date = |field: &str, text: &str| (field.to_owned(), text.parse().expect("a date"));
    [date("close_date", "2026-11-20"), date("renewal_date", "2026-12-10")].into()
}

fn any_mode() -> impl Strategy<Value = MailMode> {
    prop_oneof![2 => Just(MailMode::Auto), 1 => Just(MailMode::Review)]
}

fn any_what() -> impl Strategy<Value = What> {
    let content = Content::Template("t".into());
    prop_oneof![
        3 => any_mode().prop_map(move |mode| What::Email {
            content: content.clone(),
            thread: Thread::New,
            mode,
        }),
        2 => Just(What::Call { script: "s".into(), voicemail: None }),
        1 => Just(What::Social { network: "linkedin".into(), act: SocialAct::View, text: None }),
        1 => Just(What::Task { title: "t".into(), notes: None, collect: Vec::new() }),
        1 => any_hand_off().prop_map(What::HandOff),
        // Calls have the most outcomes.
        1 => Just(What::Call { script: "s".into(), voicemail: None }),
    ]
}

fn any_condition() -> impl Strategy<Value = Condition> {
    let of_step = |(step, outcome): (&str, &str)| {
        Condition::Outcome(vec![(StepId::from(step), vec![Outcome::from(outcome)])])
    };
    prop_oneof![
        Just(Condition::Has(vec!["phone".into()])),
        Just(Condition::HasNot(vec!["email".into()])),
        (select(&STEP_IDS), select(&OUTCOMES)).prop_map(of_step),
        Just(Condition::Event(vec!["email_replied".into()])),
    ]
}

/// One step without its id; the days come later, so that they do not run backwards.
fn any_step() -> impl Strategy<Value = Step> {
    let outcomes = prop::collection::btree_map(select(&OUTCOMES), any_verb(), 0..4);
    let conditions = || prop::collection::vec(any_condition(), 0..2);
    let when = prop_oneof![
        3 => (0u32..4).prop_map(When::Day),
        3 => any_delay().prop_map(When::After),
        1 => any_anchor().prop_map(When::At),
    ];
    (when, any_what(), conditions(), conditions(), any_delay(), outcomes).prop_map(
        |(when, what, only_if, skip_if, expires_after, outcomes)| Step {
            id: StepId::from("?"),
            when,
            what,
            by: By::Owner,
            to: Vec::new(),
            only_if,
            skip_if,
            expires_after,
            priority: Priority::Normal,
            hours: StepHours::Calendar,
            within: None,
            outcomes: outcomes.into_iter().map(|(slug, verb)| (slug.into(), verb)).collect(),
        },
    )
}

/// Ids in a random order, days that never run backwards.
fn any_cadence() -> impl Strategy<Value = Cadence> {
    let ids = subsequence(STEP_IDS.to_vec(), 1..=5).prop_shuffle();
    let days = select(vec![DayKind::Business, DayKind::Calendar]);
    let next = |after| Verb::SwitchTo { cadence: "next".into(), after };
    let at_end = prop_oneof![
        3 => Just(Verb::Stop),
        3 => any_delay().prop_map(Verb::Pause),
        1 => any_delay().prop_map(next),
    ];
    let steps = prop::collection::vec(any_step(), 5);
    (ids, days, at_end, any_replies(), steps).prop_map(|(ids, days, at_end, replies, steps)| {
        let mut day = 1;
        let named = |(id, mut step): (&str, Step)| {
            step.id = StepId::from(id);
            if let When::Day(gap) = step.when {
                day += gap;
                step.when = When::Day(day);
            }
            step
        };
        let steps = ids.into_iter().zip(steps).map(named).collect();
        Cadence { replies, ..cadence(days, at_end, steps) }
    })
}

fn cadence(days: DayKind, at_end: Verb, steps: Vec<Step>) -> Cadence {
    Cadence {
        id: CadenceId::from("c"),
        title: String::new(),
        about: String::new(),
        unit: Covers::Prospect,
        audience: Audience::Prospects,
        profiles: Admission::Anybody,
        enroll_when: EnrollWhen::Manual,
        again_after: None,
        days,
        calendar: "office".into(),
        send_window: Vec::new(),
        limits: Limits::default(),
        company: Colleagues::usual(&Covers::Prospect, false),
        replies: BTreeMap::new(),
        custom_outcomes: BTreeMap::new(),
        steps,
        at_end,
    }
}

fn any_circumstances() -> impl Strategy<Value = Circumstances> {
    let channels = vec![Channel::Email, Channel::Call, Channel::Social, Channel::Task];
    let closed = prop_oneof![3 => Just(Vec::new()), 1 => subsequence(channels, 0..=4)];
    (any::<(bool, bool, bool)>(), closed).prop_map(|((email, phone, linkedin), closed)| {
        let address = || "p@acme.test".parse::<EmailAddress>().expect("an address");
        let number = || Phone { e164: "+14155552671".into(), extension: None };
        let known = ProspectDraft {
            email: email.then(address),
            phones: phone.then(number).into_iter().collect(),
            linkedin: linkedin.then(|| "p".into()),
            ..ProspectDraft::default()
        };
        Circumstances { facts: Facts::of_draft(&known), closed }
    })
}

/// What happens, with its times counted from the moment at which it happens.
#[derive(Debug, Clone)]
enum Happening {
    /// The time of the phase comes.
    Due(Circumstances),
    /// The whole way of a mail that goes well.
    Mail,
    Plain(Event),
    Deferred(SignedDuration),
    Done(&'static str, Option<SignedDuration>),
    Bounced(&'static str),
    Away(SignedDuration),
    Colleague(SignedDuration),
    PausedByRep(Option<SignedDuration>),
    /// The cadence is changed to another one.
    Changed,
}

fn any_time() -> impl Strategy<Value = SignedDuration> {
    (0i64..200).prop_map(SignedDuration::from_hours)
}

fn any_happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let plain = [
        Event::Intended,
        Event::Sent,
        Event::Refused,
        Event::Lost,
        Event::Settled,
        Event::Resumed,
        Event::ColleagueSettled,
        Event::Released { edited: None },
        Event::Released { edited: None },
        Event::Unwritable,
        Event::Told { event: "form_submitted".to_owned() },
    ];
    let last = [Event::Replied, Event::OptedOut, Event::LeftCompany, Event::Stopped];
    prop_oneof![
        40 => any_circumstances().prop_map(Due),
        12 => Just(Mail),
        16 => select(plain.to_vec()).prop_map(Plain),
        1 => select(last.to_vec()).prop_map(Plain),
        1 => Just(Plain(Event::Replied)),
        4 => any_time().prop_map(Deferred),
        24 => (select(&OUTCOMES), prop::option::of(any_time())).prop_map(|(o, t)| Done(o, t)),
        3 => select(&STEP_IDS).prop_map(Bounced),
        2 => any_time().prop_map(Away),
        2 => any_time().prop_map(Colleague),
        2 => prop::option::of(any_time()).prop_map(PausedByRep),
        3 => Just(Changed),
    ]
}

/// One life: the cadence, the one that it is changed to, what happens, and how long after what was before.
#[derive(Debug, Clone)]
struct Life {
    cadences: [Cadence; 2],
    happenings: Vec<(SignedDuration, Happening)>,
}

fn any_life() -> impl Strategy<Value = Life> {
    let pace = (0i64..60).prop_map(SignedDuration::from_mins);
    let happenings = prop::collection::vec((pace, any_happening()), 1..60);
    ([any_cadence(), any_cadence()], happenings)
        .prop_map(|(cadences, happenings)| Life { cadences, happenings })
}

/// The same with every mail read first.
fn reviewing(mut life: Life) -> Life {
    for step in life.cadences.iter_mut().flat_map(|cadence| &mut cadence.steps) {
        if let What::Email { mode, .. } = &mut step.what {
            *mode = MailMode::Review;
        }
    }
    life
}

/// One event with what it was and what it made.
struct Move {
    before: State,
    event: Option<Event>,
    after: State,
    effects: Vec<Effect>,
    now: Timestamp,
}

/// When the phase wants to be looked at, as the schedule says it, without hours and windows.
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
}

fn events_of(happening: &Happening, now: Timestamp) -> Vec<Event> {
    let at = |wait: &SignedDuration| now + *wait;
    match happening {
        Happening::Due(circumstances) => vec![Event::Due(circumstances.clone())],
        Happening::Mail => vec![Event::Intended, Event::Sent],
        Happening::Plain(event) => vec![event.clone()],
        Happening::Deferred(wait) => vec![Event::Deferred { until: at(wait) }],
        Happening::Done(outcome, until) => {
            vec![Event::Done { outcome: Outcome::from(*outcome), until: until.as_ref().map(at) }]
        }
        Happening::Bounced(id) => vec![Event::Bounced { step: StepId::from(*id) }],
        Happening::Away(wait) => vec![Event::Away { until: at(wait) }],
        Happening::Colleague(wait) => vec![Event::ColleagueHeard { until: at(wait) }],
        Happening::PausedByRep(wait) => {
            vec![Event::PausedByRep { until: wait.as_ref().map(at) }]
        }
        Happening::Changed => Vec::new(),
    }
}

/// Lives it: every move that was legal. An event that is refused leaves the state as it was.
fn live(life: &Life) -> Vec<Move> {
    let (calendar, dates) = (calendar(), dates());
    let zone = TimeZone::get("Europe/Vienna").expect("a zone");
    let mut which = 0;
    let mut now = start();
    let course = |which: usize| Course {
        cadence: &life.cadences[which],
        calendar: &calendar,
        zone: &zone,
        dates: &dates,
    };
    let mut state = begin(&course(0), now).expect("a cadence with steps");
    let mut moves = Vec::new();
    for (wait, happening) in &life.happenings {
        now += *wait;
        if let Happening::Due(_) = happening {
            now = now.max(wakes_at(&state, now));
        }
        if let Happening::Changed = happening {
            let other = 1 - which;
            let changed = relocate(&life.cadences[which], &course(other), state.clone(), now);
            if let Some((after, effects)) = changed {
                moves.push(Move { before: state, event: None, after: after.clone(), effects, now });
                (state, which) = (after, other);
            }
        }
        for event in events_of(happening, now) {
            let stepped = step(&course(which), state.clone(), event.clone(), now);
            let Ok((after, effects)) = stepped else { continue };
            let event = Some(event);
            moves.push(Move { before: state, event, after: after.clone(), effects, now });
            state = after;
        }
    }
    moves
}

/// The attempt that an effect touches somebody for; triage touches nobody.
fn touched(effect: &Effect) -> Option<(StepId, u32)> {
    match effect {
        Effect::SendMail { step, attempt }
        | Effect::OpenTask { step, attempt, kind: TaskKind::Touch(_), .. } => {
            Some((step.clone(), *attempt))
        }
        Effect::OpenTask {
            kind:
                TaskKind::Review
                | TaskKind::Triage
                | TaskKind::Reply
                | TaskKind::HandOff
                | TaskKind::HandedBack,
            ..
        }
        | Effect::Begin { .. }
        | Effect::Leave { .. }
        | Effect::CloseTasks
        | Effect::Pass { .. }
        | Effect::End { .. } => None,
    }
}

fn asks_for_something(effect: &Effect) -> bool {
    matches!(effect, Effect::SendMail { .. } | Effect::OpenTask { .. })
}

fn ending(state: &State) -> Option<Ending> {
    match state.phase {
        Phase::Ended { ending, .. } => Some(ending),
        _ => None,
    }
}

fn attempts(state: &State) -> Vec<(StepId, u32)> {
    state.passed.iter().map(|passed| (passed.step.clone(), passed.attempt)).collect()
}

proptest! {
    // A failure prints its smallest case; worth an example test of its own, not a file of seeds.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn nothing_is_asked_for_after_an_opt_out_or_a_stop_or_a_reply_without_replies(life in any_life()) {
        let mut over = false;
        for moved in live(&life) {
            prop_assert!(!over || !moved.effects.iter().any(asks_for_something));
            let last = matches!(moved.event, Some(Event::OptedOut | Event::Stopped));
            let silent = life.cadences.iter().all(|cadence| cadence.replies.is_empty());
            over |= last || (silent && matches!(moved.event, Some(Event::Replied)));
            prop_assert!(!over || ending(&moved.after).is_some());
        }
    }

    #[test]
    fn behind_a_reply_nothing_goes_out_before_a_person_has_said_what_it_means(life in any_life()) {
        let mut replied = false;
        for moved in live(&life) {
            let decided = matches!(moved.event, Some(Event::Done { .. }));
            replied = !decided && (replied || matches!(moved.event, Some(Event::Replied)));
            let touches = moved.effects.iter().any(|effect| touched(effect).is_some());
            prop_assert!(!replied || !touches, "{:?}", moved.effects);
        }
    }

    #[test]
    fn a_mail_that_is_read_first_is_never_sent_before_somebody_released_that_attempt(
        life in any_life(),
    ) {
        let life = reviewing(life);
        let mut released = None;
        for moved in live(&life) {
            let sends = moved.effects.iter().find_map(|effect| match effect {
                Effect::SendMail { step, attempt } => Some((step.clone(), *attempt)),
                _ => None,
            });
            prop_assert!(sends.is_none() || sends == released, "{:?} not {:?}", sends, released);
            match moved.event {
                Some(Event::Released { .. }) => {
                    let step = moved.before.phase.step();
                    released = step.map(|(step, attempt)| (step.clone(), attempt));
                }
                // What was released before is read again.
                Some(Event::Replied | Event::Unwritable) | None => released = None,
                _ => {}
            }
        }
    }

    #[test]
    fn whoever_is_switched_has_one_successor(life in any_life()) {
        let begins = |effect: &&Effect| matches!(effect, Effect::Begin { .. });
        let mut successors = 0;
        for moved in live(&life) {
            let begun = moved.effects.iter().filter(begins).count();
            let switched = ending(&moved.after) == Some(Ending::Switched);
            prop_assert!(begun == 0 || (switched && ending(&moved.before).is_none()));
            prop_assert!(begun == 1 || !switched || ending(&moved.before).is_some());
            successors += begun;
        }
        prop_assert!(successors <= 1);
    }

    #[test]
    fn an_attempt_passes_once_and_nobody_is_touched_for_it_again(life in any_life()) {
        for moved in live(&life) {
            let passed_before = attempts(&moved.before);
            let again = moved.effects.iter().filter_map(touched).find(|t| passed_before.contains(t));
            prop_assert_eq!(again, None);
            let mut passed = attempts(&moved.after);
            let all = passed.len();
            passed.sort();
            passed.dedup();
            prop_assert_eq!(passed.len(), all, "{:?}", moved.after.passed);
        }
    }

    #[test]
    fn what_has_passed_is_told_and_kept(life in any_life()) {
        for moved in live(&life) {
            let (before, after) = (attempts(&moved.before), attempts(&moved.after));
            prop_assert!(after.starts_with(&before));
            let told = |effect: &Effect| match effect {
                Effect::Pass { step, attempt, .. } => Some((step.clone(), *attempt)),
                _ => None,
            };
            let told: Vec<(StepId, u32)> = moved.effects.iter().filter_map(told).collect();
            prop_assert_eq!(&told[..], &after[before.len()..]);
        }
    }

    #[test]
    fn nothing_falls_due_before_what_it_is_counted_from(life in any_life()) {
        for moved in live(&life) {
            prop_assert!(moved.before.anchor_at <= moved.after.anchor_at);
            prop_assert!(moved.after.anchor_at <= moved.now);
            if let Phase::Waiting { due_at, .. } = moved.after.phase {
                prop_assert!(due_at >= moved.after.anchor_at, "{:?}", moved.after);
            }
        }
    }

    #[test]
    fn a_mail_in_doubt_is_not_sent_again_by_itself(life in any_life()) {
        let mut in_doubt = None;
        for moved in live(&life) {
            if let Phase::InDoubt { step, attempt, .. } = &moved.after.phase {
                in_doubt = Some((step.clone(), *attempt));
            }
            // Definite knowledge that it did not leave.
            if let Some(Event::Deferred { .. }) = moved.event {
                in_doubt = None;
            }
            let sent = moved.effects.iter().filter_map(touched).any(|t| Some(t) == in_doubt);
            prop_assert!(!sent, "{:?} after {:?}", moved.effects, in_doubt);
        }
    }

    #[test]
    fn an_end_stays_and_only_a_reply_or_an_opt_out_may_outrank_it(life in any_life()) {
        for moved in live(&life) {
            let (Some(before), after) = (ending(&moved.before), ending(&moved.after)) else {
                let told = moved.effects.iter().any(|effect| matches!(effect, Effect::End { .. }));
                prop_assert_eq!(told, ending(&moved.after).is_some());
                continue;
            };
            let by_reply = matches!(before, Ending::NoReply | Ending::Bounced)
                && after == Some(Ending::Replied);
            let outranked = by_reply || after == Some(Ending::OptedOut);
            prop_assert!(after == Some(before) || outranked, "{:?} to {:?}", before, after);
        }
    }

    #[test]
    fn a_task_is_closed_before_the_next_thing_is_done(life in any_life()) {
        for moved in live(&life) {
            // A question to a person stays open even when a change takes its step out.
            let asked = |state: &State| matches!(
                state.phase,
                Phase::Triage { .. }
                    | Phase::OnReply { .. }
                    | Phase::Offered { .. }
                    | Phase::HandedBack { .. }
            );
            let on_task = |state: &State| asked(state) || matches!(state.phase, Phase::OnTask { .. });
            let changed = moved.event.is_none() && asked(&moved.before) && asked(&moved.after);
            let stays = changed || moved.before.phase == moved.after.phase;
            if on_task(&moved.before) && !stays {
                prop_assert!(moved.effects.contains(&Effect::CloseTasks), "{:?}", moved.effects);
            }
        }
    }

    #[test]
    fn every_enrollment_ends_by_itself(
        life in any_life(),
        circumstances in any_circumstances(),
        answers in prop::collection::vec(0u8..6, 1..8),
    ) {
        let (calendar, dates) = (calendar(), dates());
        let zone = TimeZone::get("America/New_York").expect("a zone");
        // Wherever the events have brought somebody on the first cadence.
        let happenings = life.happenings.iter().filter(|(_, h)| !matches!(h, Happening::Changed));
        let life = Life { happenings: happenings.cloned().collect(), ..life };
        let course = Course { cadence: &life.cadences[0], calendar: &calendar, zone: &zone, dates: &dates };
        let mut now = start();
        let mut state = begin(&course, now).expect("a cadence with steps");
        if let Some(last) = live(&life).pop() {
            (state, now) = (last.after, last.now);
        }
        // Five steps with three attempts each and four events an attempt, and what surrounds them.
        let mut answers = answers.into_iter().cycle();
        let mut put_off = 0;
        for _ in 0..100 {
            if ending(&state).is_some() {
                break;
            }
            now = now.max(wakes_at(&state, now));
            let (after, effects) = step(&course, state, Event::Due(circumstances.clone()), now)
                .expect("something can always come due");
            state = after;
            if effects.iter().any(|effect| matches!(effect, Effect::SendMail { .. })) {
                let answer = answers.next().unwrap_or_default();
                let (event, intended) = match answer {
                    0 => (Some(Event::Refused), false),
                    1 if put_off < 10 => {
                        put_off += 1;
                        let until = now + SignedDuration::from_hours(1);
                        (Some(Event::Deferred { until }), true)
                    }
                    // The sender dies behind its intent.
                    2 => (None, true),
                    3 => (Some(Event::Lost), true),
                    _ => (Some(Event::Sent), true),
                };
                let events = intended.then_some(Event::Intended).into_iter().chain(event);
                for event in events {
                    state = step(&course, state, event, now).expect("a mail's way").0;
                }
            }
        }
        prop_assert!(ending(&state).is_some(), "{:?}", state);
    }

    #[test]
    fn no_edit_fires_a_passed_step_again(life in any_life()) {
        for moved in live(&life) {
            let waited_for = moved.before.phase.step().map(|(step, _)| step);
            let has_passed = |id: &StepId| moved.before.passed.iter().any(|p| p.step == *id);
            // Only an outcome that says `retry` brings a step again, and then at once.
            for (step, attempt) in moved.effects.iter().filter_map(touched) {
                prop_assert!(!has_passed(&step) || (waited_for == Some(&step) && attempt > 1));
            }
            if moved.event.is_none() {
                let now_for = moved.after.phase.step().map(|(step, _)| step);
                // A question to a person stands on a step that has passed, and fires nothing.
                let asks = matches!(
                    moved.after.phase,
                    Phase::Triage { .. }
                        | Phase::OnReply { .. }
                        | Phase::Offered { .. }
                        | Phase::HandedBack { .. }
                );
                let is_new = now_for != waited_for && !asks;
                prop_assert!(!is_new || !now_for.is_some_and(has_passed), "{:?}", moved.after);
            }
        }
    }

    #[test]
    fn a_step_added_before_a_persons_position_is_not_fired_for_them(
        life in any_life(),
        added in any_step(),
        at in 0usize..6,
    ) {
        let (calendar, dates) = (calendar(), dates());
        let zone = TimeZone::get("Europe/Vienna").expect("a zone");
        let before = &life.cadences[0];
        let mut changed = before.clone();
        let at = at.min(changed.steps.len());
        changed.steps.insert(at, Step { id: StepId::from("added"), ..added });
        let course = Course { cadence: &changed, calendar: &calendar, zone: &zone, dates: &dates };
        let unchanged = |(_, happening): &&(SignedDuration, Happening)| !matches!(happening, Happening::Changed);
        let happenings: Vec<_> = life.happenings.iter().filter(unchanged).cloned().collect();
        let (first, rest) = happenings.split_at(happenings.len() / 2);
        let life_before = Life { happenings: first.to_vec(), ..life.clone() };
        let Some(last) = live(&life_before).pop() else { return Ok(()) };
        let position = last.after.phase.step().and_then(|(id, _)| before.step(id)).map(|(p, _)| p);
        let (mut state, mut now) = (last.after, last.now);
        state = relocate(before, &course, state, now).expect("no step was taken out").0;
        let is_ahead = ahead(&changed, &state).contains(&&StepId::from("added"));
        prop_assert_eq!(is_ahead, position.is_some_and(|position| at > position));
        for (wait, happening) in rest {
            now += *wait;
            for event in events_of(happening, now) {
                let Ok((after, effects)) = step(&course, state.clone(), event, now) else { continue };
                let fired = effects.iter().filter_map(touched).any(|(id, _)| id.as_str() == "added");
                prop_assert!(is_ahead || !fired, "{:?}", after);
                state = after;
            }
        }
    }

    #[test]
    fn what_is_ahead_is_all_that_may_fire(life in any_life()) {
        let unchanged = |(_, happening): &&(SignedDuration, Happening)| !matches!(happening, Happening::Changed);
        let happenings = life.happenings.iter().filter(unchanged).cloned().collect();
        let life = Life { happenings, ..life };
        for moved in live(&life) {
            let ahead = ahead(&life.cadences[0], &moved.before);
            for (step, _) in moved.effects.iter().filter_map(touched) {
                prop_assert!(ahead.contains(&&step), "{} is not in {:?}", step, ahead);
            }
        }
    }

    #[test]
    fn an_edit_of_texts_moves_nobody_in_time(life in any_life()) {
        let (calendar, dates) = (calendar(), dates());
        let zone = TimeZone::get("Europe/Vienna").expect("a zone");
        let mut changed = life.cadences[0].clone();
        for step in &mut changed.steps {
            step.expires_after = Delay::new(9, Unit::Days);
        }
        let course = Course { cadence: &changed, calendar: &calendar, zone: &zone, dates: &dates };
        let unchanged = |(_, happening): &&(SignedDuration, Happening)| !matches!(happening, Happening::Changed);
        let happenings = life.happenings.iter().filter(unchanged).cloned().collect();
        let life = Life { happenings, ..life };
        for moved in live(&life) {
            let relocated = relocate(&life.cadences[0], &course, moved.after.clone(), moved.now);
            // A mail that was let go as the old file had it is read once more.
            let released = moved.after.released.clone().filter(|released| released.edited.is_some());
            prop_assert_eq!(relocated, Some((State { released, ..moved.after }, Vec::new())));
        }
    }

    #[test]
    fn a_changed_cadence_touches_nobody_for_what_has_passed(life in any_life(), also in any_cadence()) {
        let (calendar, dates) = (calendar(), dates());
        let zone = TimeZone::UTC;
        let course = Course { cadence: &also, calendar: &calendar, zone: &zone, dates: &dates };
        for moved in live(&life) {
            let state = moved.after.clone();
            // The first of the two serves as "before": a step of neither is found at no place.
            let Some((after, effects)) = relocate(&life.cadences[0], &course, state, moved.now) else {
                let phase = moved.after.phase.name();
                let on_its_way = ["sending", "in_doubt"];
                let asked = ["triage", "on_reply", "offered", "handed_back"];
                prop_assert!(on_its_way.contains(&phase) || asked.contains(&phase), "{}", phase);
                continue;
            };
            prop_assert!(!effects.iter().any(asks_for_something));
            prop_assert_eq!(&after.passed, &moved.after.passed);
            if let Phase::Waiting { step, attempt, .. } = &after.phase {
                prop_assert!(!attempts(&after).contains(&(step.clone(), *attempt)));
            }
        }
    }
}

fn task_step(id: &str) -> Step {
    Step {
        id: StepId::from(id),
        when: When::After(Delay::ZERO),
        what: What::Task { title: id.to_owned(), notes: None, collect: Vec::new() },
        by: By::Owner,
        to: Vec::new(),
        only_if: Vec::new(),
        skip_if: Vec::new(),
        expires_after: Delay::new(1, Unit::Days),
        priority: Priority::Normal,
        hours: StepHours::Calendar,
        within: None,
        outcomes: BTreeMap::new(),
    }
}

#[test]
fn a_step_that_has_passed_is_left_out_when_a_change_puts_it_behind() {
    let ordered =
        |ids: [&str; 3]| cadence(DayKind::Calendar, Verb::Stop, ids.map(task_step).to_vec());
    let (before, changed) = (ordered(["a", "b", "c"]), ordered(["b", "a", "c"]));
    let (calendar, dates, zone, now) = (calendar(), dates(), TimeZone::UTC, start());
    let course = |cadence| Course { cadence, calendar: &calendar, zone: &zone, dates: &dates };
    let done = || Event::Done { outcome: Outcome::from("done"), until: None };
    let due = || Event::Due(Circumstances { facts: Facts::default(), closed: Vec::new() });
    let mut state = begin(&course(&before), now).expect("a cadence with steps");
    for event in [due(), done()] {
        state = step(&course(&before), state, event, now).expect("a legal event").0;
    }
    state = relocate(&before, &course(&changed), state, now).expect("nothing is on its way").0;
    for event in [due(), done()] {
        state = step(&course(&changed), state, event, now).expect("a legal event").0;
    }
    assert_eq!(state.phase.step(), Some((&StepId::from("c"), 1)));
}

#[test]
fn whoever_waits_for_a_step_that_is_taken_out_goes_on_behind_the_one_before() {
    let ordered = |ids: &[&str]| {
        let steps = ids.iter().map(|id| task_step(id)).collect();
        cadence(DayKind::Calendar, Verb::Stop, steps)
    };
    let before = ordered(&["a", "b", "c"]);
    let (calendar, dates, zone, now) = (calendar(), dates(), TimeZone::UTC, start());
    // Where somebody stands, the new steps, and the step that comes next.
    let cases: [(&str, &[&str], Option<&str>); 9] = [
        ("a", &["b", "c"], Some("b")),
        ("b", &["a", "c"], Some("c")),
        ("c", &["a", "b"], None),
        // Renamed: what is in its place is what they have not had.
        ("a", &["x", "b", "c"], Some("x")),
        ("b", &["a", "x", "c"], Some("x")),
        ("c", &["a", "b", "x"], Some("x")),
        // Added before what is still there.
        ("b", &["x", "a", "c"], Some("c")),
        ("c", &["x", "b"], None),
        ("b", &["x"], Some("x")),
    ];
    for (stands, steps, next) in cases {
        let course = Course { cadence: &before, calendar: &calendar, zone: &zone, dates: &dates };
        let mut state = begin(&course, now).expect("a cadence with steps");
        while state.phase.step().is_some_and(|(id, _)| id.as_str() != stands) {
            for event in [
                Event::Due(Circumstances { facts: Facts::default(), closed: Vec::new() }),
                Event::Done { outcome: Outcome::from("done"), until: None },
            ] {
                state = step(&course, state, event, now).expect("a legal event").0;
            }
        }
        let changed = ordered(steps);
        let course = Course { cadence: &changed, calendar: &calendar, zone: &zone, dates: &dates };
        let (state, _) = relocate(&before, &course, state, now).expect("nothing is on its way");
        let found = state.phase.step().map(|(id, _)| id.as_str());
        assert_eq!(found, next, "at {stands}, changed to {steps:?}");
    }
}

#[test]
fn a_changed_time_moves_whoever_waits_and_counts_from_day_one() {
    let timed = |when| Step { when, ..task_step("a") };
    let one = |when| cadence(DayKind::Business, Verb::Stop, vec![timed(when)]);
    let (calendar, dates, zone) = (calendar(), dates(), TimeZone::UTC);
    // A Saturday: day 1 is Monday the 30th; nobody works on Wednesdays.
    let enrolled_at: Timestamp = "2026-11-28T12:00:00Z".parse().expect("an instant");
    for (from, to) in [(1, 3), (5, 3), (3, 3)] {
        let (before, after) = (one(When::Day(from)), one(When::Day(to)));
        let course = |cadence| Course { cadence, calendar: &calendar, zone: &zone, dates: &dates };
        let state = begin(&course(&before), enrolled_at).expect("a cadence with steps");
        let later = enrolled_at + SignedDuration::from_hours(1);
        let (state, _) = relocate(&before, &course(&after), state, later).expect("moved");
        let anew = begin(&course(&after), enrolled_at).expect("a cadence with steps");
        assert_eq!(state.phase, anew.phase, "from day {from} to day {to}");
    }
}

#[test]
fn a_question_that_has_nothing_to_stand_on_stays_with_its_version() {
    let one = |id: &str| cadence(DayKind::Calendar, Verb::Stop, vec![task_step(id)]);
    let (before, changed) = (one("a"), one("b"));
    let (calendar, dates, zone, now) = (calendar(), dates(), TimeZone::UTC, start());
    let course = |cadence| Course { cadence, calendar: &calendar, zone: &zone, dates: &dates };
    let state = begin(&course(&before), now).expect("a cadence with steps");
    let phase = Phase::Triage { step: StepId::from("a"), expires_at: now };
    assert_eq!(relocate(&before, &course(&changed), State { phase, ..state }, now), None);
}

#[test]
fn the_answer_to_a_reply_fires_no_step_that_was_passed_by() {
    let ordered = |ids: [&str; 3]| {
        let steps = ids.map(task_step).to_vec();
        let replies = [(ReplyKind::Question, Verb::Continue)].into();
        Cadence { replies, ..cadence(DayKind::Calendar, Verb::Stop, steps) }
    };
    // `x` came in before their place; they have had `a`, and once `b`.
    let (before, changed) = (ordered(["a", "x", "b"]), ordered(["a", "x", "c"]));
    let (calendar, dates, zone, now) = (calendar(), dates(), TimeZone::UTC, start());
    let course = |cadence| Course { cadence, calendar: &calendar, zone: &zone, dates: &dates };
    let state = begin(&course(&before), now).expect("a cadence with steps");
    let passed = ["a", "b"].map(|id| Passed {
        step: StepId::from(id),
        attempt: 1,
        outcome: Outcome::from("no_answer"),
        at: now,
    });
    let (step_b, left) = (StepId::from("b"), SignedDuration::ZERO);
    let phase = Phase::OnReply { step: step_b.clone(), attempt: 2, left, expires_at: now };
    let state = State { phase, passed: passed.into(), ..state };
    assert_eq!(ahead(&before, &state), [&step_b], "the second try is still to come");
    let (state, effects) = relocate(&before, &course(&changed), state, now).expect("moved");
    assert!(matches!(state.phase, Phase::OnReply { .. }) && effects.is_empty(), "{state:?}");
    assert_eq!(ahead(&changed, &state), [&StepId::from("c")]);
    let answer = Event::Done { outcome: Outcome::from("question"), until: None };
    let (state, _) = step(&course(&changed), state, answer, now).expect("an answer");
    assert!(matches!(state.phase, Phase::Waiting { .. }), "{state:?}");
    assert_eq!(state.phase.step(), Some((&StepId::from("c"), 1)));
}

#[test]
fn a_question_to_the_owner_stays_open_when_its_step_is_taken_out() {
    let ordered = |ids: &[&str]| {
        let steps = ids.iter().map(|id| task_step(id)).collect();
        cadence(DayKind::Calendar, Verb::Stop, steps)
    };
    let (before, changed) = (ordered(&["a", "b", "c"]), ordered(&["a", "c"]));
    let (calendar, dates, zone, now) = (calendar(), dates(), TimeZone::UTC, start());
    let course = |cadence| Course { cadence, calendar: &calendar, zone: &zone, dates: &dates };
    let state = begin(&course(&before), now).expect("a cadence with steps");
    let expires_at = now + SignedDuration::from_hours(48);
    let phase = Phase::Triage { step: StepId::from("b"), expires_at };
    let passed = ["a", "b"].map(|id| Passed {
        step: StepId::from(id),
        attempt: 1,
        outcome: Outcome::from("done"),
        at: now,
    });
    let state = State { phase, passed: passed.into(), ..state };
    let (state, effects) = relocate(&before, &course(&changed), state, now).expect("moved");
    assert_eq!(state.phase, Phase::Triage { step: StepId::from("a"), expires_at });
    assert!(effects.is_empty());
    let answer = Event::Done { outcome: Outcome::from("continue"), until: None };
    let (state, _) = step(&course(&changed), state, answer, now).expect("a legal event");
    assert_eq!(state.phase.step(), Some((&StepId::from("c"), 1)));
}

#[test]
fn a_reply_while_the_last_mail_is_on_its_way_is_asked_about_before_the_way_ends() {
    let content = Content::Template("t".into());
    let what = What::Email { content, thread: Thread::New, mode: MailMode::Auto };
    let at_end = Verb::SwitchTo { cadence: "next".into(), after: Delay::ZERO };
    let mut file = cadence(DayKind::Calendar, at_end, vec![Step { what, ..task_step("a") }]);
    file.replies = [(ReplyKind::Question, Verb::Continue)].into();
    let (calendar, dates, zone, now) = (calendar(), dates(), TimeZone::UTC, start());
    let course = Course { cadence: &file, calendar: &calendar, zone: &zone, dates: &dates };
    let mut state = begin(&course, now).expect("a cadence with steps");
    let told = |outcome: &str| Event::Done { outcome: outcome.into(), until: None };
    let on_its_way = [Event::Intended, Event::Lost, Event::Replied, Event::Settled];
    for event in on_its_way {
        (state, _) = step(&course, state, event, now).expect("a legal event");
    }
    assert!(matches!(state.phase, Phase::OnReply { .. }), "{:?}", state.phase);
    let (state, effects) = step(&course, state, told("question"), now).expect("a legal event");
    assert_eq!(ending(&state), Some(Ending::Switched));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Begin { .. })));
}

/// The lives above are worth something only if they get around.
#[test]
fn random_lives_reach_every_phase_and_most_endings() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..900 {
        let life = any_life().new_tree(&mut runner).expect("a life").current();
        for moved in live(&life) {
            *seen.entry(moved.after.phase.name().to_owned()).or_default() += 1;
            if let Some(ending) = ending(&moved.after) {
                *seen.entry(ending.as_str().to_owned()).or_default() += 1;
            }
        }
    }
    for wanted in [
        "waiting",
        "sending",
        "in_doubt",
        "on_task",
        "triage",
        "paused",
        "closing",
        "ended",
        "replied",
        "meeting",
        "no_reply",
        "bounced",
        "opted_out",
        "removed",
        "on_reply",
        "offered",
        "handed_back",
        "handed_off",
        "switched",
    ] {
        assert!(seen.get(wanted).is_some_and(|n| *n >= 5), "{wanted}: {seen:?}");
    }
}
