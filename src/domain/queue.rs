//! The order of a rep's day: what is first, why it is there, and what is not for now.

use std::cmp::Reverse;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cadence::Channel;
use super::enrollment::TaskKind;
use super::ids::TaskId;

/// What the place of a task in the queue depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub id: TaskId,
    pub kind: TaskKind,
    pub is_urgent: bool,
    /// How well the person fits, more is better.
    pub score: i64,
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
    pub target_at: Option<Timestamp>,
    /// It is nobody's work before then: put off, or promised for that time.
    pub wakes_at: Option<Timestamp>,
    pub is_promised: bool,
    /// For a call: when it may be made there; `Timestamp::MAX` when nobody knows what time it is there.
    pub callable_at: Option<Timestamp>,
    /// For a mail that is read first: when it may leave.
    pub window_at: Option<Timestamp>,
    /// Until when the rep is away and everything of theirs waits.
    pub held_until: Option<Timestamp>,
}

/// Why a task stands where it does, first group first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// The person was told that we call now.
    Promised,
    /// It is urgent and its clock runs.
    Running,
    /// Nobody took the person over in time.
    CameBack,
    /// Somebody wrote, and nobody has said what it means.
    Reply,
    /// A colleague waits for an answer.
    HandOff,
    /// Nothing goes on for this person until somebody decides.
    Decide,
    /// It is working time where the person is.
    Call,
    /// The mail can still leave today.
    Review,
    Social,
    Rest,
}

impl Group {
    /// Every group with the word that is shown to programs, in the order of the queue.
    pub const ALL: [(&'static str, Self); 10] = [
        ("promised", Self::Promised),
        ("running", Self::Running),
        ("came_back", Self::CameBack),
        ("reply", Self::Reply),
        ("hand_off", Self::HandOff),
        ("decide", Self::Decide),
        ("call", Self::Call),
        ("review", Self::Review),
        ("social", Self::Social),
        ("rest", Self::Rest),
    ];

    /// The word that is shown to programs.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, group)| *group == self).map_or("rest", |(word, _)| word)
    }

    /// Whether what runs out first goes first.
    fn has_a_deadline(self) -> bool {
        matches!(self, Self::Promised | Self::Running | Self::HandOff)
    }
}

/// Why a task is not for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotNow {
    /// A rep put it off.
    Snoozed,
    /// The person was promised a call at a later time.
    Promised,
    /// Nobody is called at this hour there.
    OutsideHours,
    NoTimeZone,
    OwnerAway,
}

impl NotNow {
    /// Every reason with the word that is shown to programs.
    pub const ALL: [(&'static str, Self); 5] = [
        ("snoozed", Self::Snoozed),
        ("promised", Self::Promised),
        ("outside_hours", Self::OutsideHours),
        ("no_time_zone", Self::NoTimeZone),
        ("owner_away", Self::OwnerAway),
    ];

    /// The word that is shown to programs.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, why)| *why == self).map_or("snoozed", |(word, _)| word)
    }
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the queue.
    Now(Group),
    /// Not in it before that time, `Timestamp::MAX` when nobody knows.
    Later(NotNow, Timestamp),
}

/// Where a task stands at `now`, for a rep on the clock of `zone`.
pub fn place(item: &Item, zone: &TimeZone, now: Timestamp) -> Place {
    let later = |at: &Timestamp| *at > now;
    if let Some(until) = item.held_until.filter(later) {
        return Place::Later(NotNow::OwnerAway, until);
    }
    if let Some(at) = item.wakes_at.filter(later) {
        let why = if item.is_promised { NotNow::Promised } else { NotNow::Snoozed };
        return Place::Later(why, at);
    }
    match item.callable_at.filter(later) {
        Some(at) if at == Timestamp::MAX => Place::Later(NotNow::NoTimeZone, Timestamp::MAX),
        Some(at) => Place::Later(NotNow::OutsideHours, at),
        None => Place::Now(group(item, zone, now)),
    }
}

fn group(item: &Item, zone: &TimeZone, now: Timestamp) -> Group {
    let today = |at: Timestamp| zone.to_datetime(at).date() == zone.to_datetime(now).date();
    match item.kind {
        _ if item.is_promised => Group::Promised,
        _ if item.is_urgent && item.target_at.is_some() => Group::Running,
        TaskKind::HandedBack => Group::CameBack,
        TaskKind::Reply => Group::Reply,
        TaskKind::HandOff => Group::HandOff,
        TaskKind::Triage => Group::Decide,
        TaskKind::Touch(Channel::Call) => Group::Call,
        TaskKind::Review if item.window_at.is_some_and(today) => Group::Review,
        TaskKind::Touch(Channel::Social) => Group::Social,
        TaskKind::Review | TaskKind::Touch(Channel::Email | Channel::Task) => Group::Rest,
    }
}

/// What a queue is sorted by: the group, what runs out, the score, the age. What is for later comes
/// behind, the soonest first.
pub type Rank = (u8, Timestamp, Reverse<i64>, Timestamp, TaskId);

/// The rank of a task in its place; no two tasks have the same.
pub fn rank(item: &Item, place: Place) -> Rank {
    let deadline = || match item.is_promised {
        true => item.wakes_at.unwrap_or(item.opened_at),
        false => item.target_at.unwrap_or(item.expires_at),
    };
    let (group, at) = match place {
        Place::Now(group) if group.has_a_deadline() => (group as u8, deadline()),
        Place::Now(group) => (group as u8, Timestamp::MIN),
        Place::Later(_, at) => (u8::MAX, at),
    };
    (group, at, Reverse(item.score), item.opened_at, item.id)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    /// Ten o'clock in the morning.
    const NOW: i64 = 600;

    fn item(id: i64, kind: TaskKind) -> Item {
        Item {
            id: TaskId(id),
            kind,
            is_urgent: false,
            score: 0,
            opened_at: at(0),
            expires_at: at(5_000),
            target_at: None,
            wakes_at: None,
            is_promised: false,
            callable_at: None,
            window_at: None,
            held_until: None,
        }
    }

    fn call(id: i64) -> Item {
        Item { callable_at: Some(at(NOW)), ..item(id, TaskKind::Touch(Channel::Call)) }
    }

    fn sorted(items: &[Item]) -> Vec<i64> {
        let now = at(NOW);
        let mut items = items.to_vec();
        items.sort_by_key(|item| rank(item, place(item, &TimeZone::UTC, now)));
        items.iter().map(|item| item.id.0).collect()
    }

    #[test]
    fn what_a_person_waits_for_comes_before_what_we_would_like_to_do() {
        let review =
            |id, window| Item { window_at: Some(at(window)), ..item(id, TaskKind::Review) };
        let promised =
            |id, wakes| Item { is_promised: true, wakes_at: Some(at(wakes)), ..call(id) };
        let items = [
            item(12, TaskKind::Touch(Channel::Task)),
            item(10, TaskKind::Touch(Channel::Social)),
            review(13, NOW + 24 * 60),
            review(9, NOW + 60),
            Item { score: 10, ..call(8) },
            Item { score: 50, ..call(7) },
            item(6, TaskKind::Triage),
            item(5, TaskKind::HandOff),
            item(4, TaskKind::Reply),
            item(3, TaskKind::HandedBack),
            Item { is_urgent: true, target_at: Some(at(NOW + 9)), ..call(2) },
            Item { is_urgent: true, target_at: Some(at(NOW + 4)), ..call(1) },
            promised(0, NOW),
            promised(14, NOW + 30),
            Item { callable_at: Some(at(NOW + 20)), ..call(15) },
        ];
        let wanted = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 14];
        assert_eq!(sorted(&items), wanted);
    }

    #[test]
    fn what_is_not_for_now_says_until_when() {
        let place = |item: Item| place(&item, &TimeZone::UTC, at(NOW));
        let later = at(NOW + 5);
        let cases = [
            (Item { wakes_at: Some(later), ..call(1) }, NotNow::Snoozed),
            (Item { wakes_at: Some(later), is_promised: true, ..call(1) }, NotNow::Promised),
            (Item { callable_at: Some(later), ..call(1) }, NotNow::OutsideHours),
            (Item { held_until: Some(later), ..call(1) }, NotNow::OwnerAway),
        ];
        for (item, why) in cases {
            assert_eq!(place(item), Place::Later(why, later));
        }
        let nowhere = Item { callable_at: Some(Timestamp::MAX), ..call(1) };
        assert_eq!(place(nowhere), Place::Later(NotNow::NoTimeZone, Timestamp::MAX));
        let over = Item { wakes_at: Some(at(NOW)), ..call(1) };
        assert_eq!(place(over), Place::Now(Group::Call));
    }

    fn any_kind() -> impl Strategy<Value = TaskKind> {
        prop::sample::select(vec![
            TaskKind::Touch(Channel::Call),
            TaskKind::Touch(Channel::Social),
            TaskKind::Touch(Channel::Task),
            TaskKind::Review,
            TaskKind::Triage,
            TaskKind::Reply,
            TaskKind::HandOff,
            TaskKind::HandedBack,
        ])
    }

    prop_compose! {
        fn any_item()(
            id in 0i64..1_000,
            kind in any_kind(),
            (is_urgent, is_promised) in any::<(bool, bool)>(),
            score in -50i64..50,
            opened in 0i64..600,
            times in prop::array::uniform5(prop::option::of(0i64..2_000)),
        ) -> Item {
            let [target_at, wakes_at, callable_at, window_at, held_until] =
                times.map(|minutes| minutes.map(at));
            Item {
                is_urgent, is_promised, score, opened_at: at(opened), target_at, wakes_at,
                callable_at, window_at, held_until, ..item(id, kind)
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_is_for_now_whose_time_has_not_come(item in any_item()) {
            let now = at(NOW);
            let times = [item.wakes_at, item.callable_at, item.held_until];
            let waits = times.into_iter().flatten().any(|at| at > now);
            match place(&item, &TimeZone::UTC, now) {
                Place::Now(_) => prop_assert!(!waits),
                Place::Later(_, until) => prop_assert!(waits && until > now),
            }
        }

        #[test]
        fn the_order_does_not_depend_on_where_anything_stood(
            mut items in prop::collection::vec(any_item(), 0..30),
        ) {
            items.sort_by_key(|item| item.id);
            items.dedup_by_key(|item| item.id);
            let forwards = sorted(&items);
            items.reverse();
            prop_assert_eq!(forwards, sorted(&items));
        }

        #[test]
        fn the_groups_come_one_after_the_other(items in prop::collection::vec(any_item(), 0..30)) {
            let now = at(NOW);
            let mut places: Vec<_> = items.iter().map(|item| {
                let place = place(item, &TimeZone::UTC, now);
                (rank(item, place), place)
            }).collect();
            places.sort_by_key(|(rank, _)| *rank);
            let order = |place: &Place| match place {
                Place::Now(group) => *group as usize,
                Place::Later(..) => usize::MAX,
            };
            let order: Vec<usize> = places.iter().map(|(_, place)| order(place)).collect();
            prop_assert!(order.is_sorted());
        }
    }
}
