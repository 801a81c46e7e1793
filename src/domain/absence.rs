//! When somebody of the team is away, and what becomes of their work meanwhile.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::ids::{AbsenceId, RepId};

/// One absence of a rep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    pub id: AbsenceId,
    pub rep: RepId,
    pub from: Timestamp,
    /// The first instant at which the rep is back.
    pub until: Timestamp,
    pub work: Work,
    pub noted_at: Timestamp,
    pub noted_by: String,
    /// When it was ended before its time, or taken back.
    pub ended_at: Option<Timestamp>,
}

/// What becomes of the work of somebody who is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Somebody else does their tasks.
    Cover(RepId),
    /// Their people's automatic mails and tasks wait.
    Hold,
    /// Nothing changes, but everybody can see it.
    GoOn,
}

impl Work {
    /// The word that is stored and shown.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Cover(_) => "cover",
            Self::Hold => "hold",
            Self::GoOn => "go_on",
        }
    }

    /// Who stands in.
    pub fn cover(&self) -> Option<&RepId> {
        match self {
            Self::Cover(rep) => Some(rep),
            Self::Hold | Self::GoOn => None,
        }
    }

    /// From what is stored.
    pub fn parse(word: &str, cover: Option<String>) -> Option<Self> {
        match (word, cover) {
            ("cover", Some(rep)) => Some(Self::Cover(RepId(rep))),
            ("hold", _) => Some(Self::Hold),
            ("go_on", _) => Some(Self::GoOn),
            _ => None,
        }
    }
}

impl Absence {
    /// Until when it lasts.
    pub fn ends(&self) -> Timestamp {
        self.ended_at.map_or(self.until, |ended| ended.min(self.until))
    }

    /// Whether the rep is away then because of it.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.ends()
    }
}

/// How many people may stand in for one another in a row.
const CHAIN: usize = 8;

/// What the team knows of who is away.
#[derive(Debug, Clone, Default)]
pub struct Absences(pub Vec<Absence>);

impl Absences {
    fn of(&self, rep: &RepId, at: Timestamp) -> impl Iterator<Item = &Absence> {
        self.0.iter().filter(move |absence| absence.rep == *rep && absence.covers(at))
    }

    /// Whether somebody is away then, so that nobody new is given to them.
    pub fn is_away(&self, rep: &RepId, at: Timestamp) -> bool {
        self.of(rep, at).any(|absence| absence.work != Work::GoOn)
    }

    /// Until when the work of a rep waits.
    pub fn held_until(&self, rep: &RepId, at: Timestamp) -> Option<Timestamp> {
        let holds = self.of(rep, at).filter(|absence| absence.work == Work::Hold);
        holds.map(Absence::ends).max()
    }

    /// Everybody whose work waits at that time, and until when.
    pub fn all_held(&self, at: Timestamp) -> BTreeMap<RepId, Timestamp> {
        let reps = self.0.iter().map(|absence| &absence.rep);
        reps.filter_map(|rep| Some((rep.clone(), self.held_until(rep, at)?))).collect()
    }

    /// Who does the work of a rep then: the rep, or whoever stands in and is there.
    pub fn stand_in(&self, rep: &RepId, at: Timestamp) -> RepId {
        let mut current = rep;
        for _ in 0..CHAIN {
            let cover = self.of(current, at).find_map(|absence| absence.work.cover());
            match cover {
                Some(cover) if cover != rep => current = cover,
                Some(_) => return rep.clone(),
                None => return current.clone(),
            }
        }
        rep.clone()
    }

    /// When the last time ends or ended in which the work of a rep waits.
    pub fn last_hold(&self, rep: &RepId, now: Timestamp) -> Option<Timestamp> {
        let began = |absence: &&Absence| {
            absence.rep == *rep
                && absence.work == Work::Hold
                && absence.from <= now
                && absence.from < absence.ends()
        };
        self.0.iter().filter(began).map(Absence::ends).max()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    fn absence(rep: &str, (from, until): (i64, i64), work: Work) -> Absence {
        Absence {
            id: AbsenceId(1),
            rep: RepId::from(rep),
            from: at(from),
            until: at(until),
            work,
            noted_at: at(0),
            noted_by: "cli".to_owned(),
            ended_at: None,
        }
    }

    fn cover(rep: &str, span: (i64, i64), by: &str) -> Absence {
        absence(rep, span, Work::Cover(RepId::from(by)))
    }

    #[test]
    fn somebody_is_away_from_the_first_instant_until_they_are_back() {
        let hold = absence("ann", (10, 20), Work::Hold);
        let early = Absence { ended_at: Some(at(15)), ..hold.clone() };
        let taken_back = Absence { ended_at: Some(at(5)), ..hold.clone() };
        for (absence, away) in [(hold, [10, 19]), (early, [10, 14])] {
            let absences = Absences(vec![absence]);
            let ann = RepId::from("ann");
            assert!(away.iter().all(|hour| absences.is_away(&ann, at(*hour))));
            assert!(!absences.is_away(&ann, at(away[1] + 1)));
            assert!(!absences.is_away(&ann, at(9)));
            assert!(!absences.is_away(&RepId::from("ben"), at(12)));
        }
        assert!(!Absences(vec![taken_back]).is_away(&RepId::from("ann"), at(12)));
    }

    #[test]
    fn whoever_stands_in_may_be_away_as_well_and_a_circle_ends_where_it_began() {
        let (ann, ben, cem) = (RepId::from("ann"), RepId::from("ben"), RepId::from("cem"));
        let absences = Absences(vec![cover("ann", (0, 20), "ben"), cover("ben", (10, 15), "cem")]);
        assert_eq!(absences.stand_in(&ann, at(5)), ben);
        assert_eq!(absences.stand_in(&ann, at(12)), cem);
        assert_eq!(absences.stand_in(&ann, at(20)), ann);
        let circle = Absences(vec![cover("ann", (0, 20), "ben"), cover("ben", (0, 20), "ann")]);
        assert_eq!(circle.stand_in(&ann, at(5)), ann);
    }

    #[test]
    fn a_hold_and_no_other_absence_lets_work_wait() {
        let ann = RepId::from("ann");
        let go_on = Absences(vec![absence("ann", (0, 20), Work::GoOn)]);
        assert_eq!((go_on.held_until(&ann, at(5)), go_on.is_away(&ann, at(5))), (None, false));
        let two = [(0, 20), (5, 30)].map(|span| absence("ann", span, Work::Hold));
        let two = Absences(two.into());
        assert_eq!(
            [4, 5, 25, 30].map(|hour| two.held_until(&ann, at(hour))),
            [Some(at(20)), Some(at(30)), Some(at(30)), None]
        );
    }

    #[test]
    fn the_last_hold_is_one_that_has_begun_and_was_not_taken_back() {
        let ann = RepId::from("ann");
        let hold = absence("ann", (10, 20), Work::Hold);
        let taken_back = Absence { ended_at: Some(at(5)), ..absence("ann", (8, 50), Work::Hold) };
        let absences = Absences(vec![hold, taken_back, absence("ann", (30, 40), Work::GoOn)]);
        let hours = [9, 10, 25, 35];
        let found = hours.map(|hour| absences.last_hold(&ann, at(hour)));
        assert_eq!(found, [None, Some(at(20)), Some(at(20)), Some(at(20))]);
    }

    proptest! {
        #[test]
        fn a_stand_in_is_always_found(
            covers in prop::collection::vec((0usize..4, 0usize..4, 0i64..20, 1i64..20), 0..12),
            hour in 0i64..40,
        ) {
            let names = ["ann", "ben", "cem", "dot"];
            let absences = Absences(covers.into_iter().map(|(rep, by, from, long)| {
                cover(names[rep], (from, from + long), names[by])
            }).collect());
            for name in names {
                let rep = RepId::from(name);
                let found = absences.stand_in(&rep, at(hour));
                // Either somebody who is there, or there is nobody and it stays where it was.
                prop_assert!(found == rep || !absences.is_away(&found, at(hour)));
            }
        }
    }
}
