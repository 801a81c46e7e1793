//! What a simulation takes for granted, what it saw, and what that means.

use std::fmt;
use std::str::FromStr;

mod brake;
mod run;

pub use brake::Brake;
pub use run::{Load, Run, Waits, Worker};

/// A share in hundredths of a percent, at most all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

/// Hundredths of a percent in the whole.
const WHOLE: u32 = 10_000;

impl Share {
    /// A share from hundredths of a percent.
    pub const fn of_hundredths(hundredths: u32) -> Self {
        Self(if hundredths > WHOLE { WHOLE } else { hundredths })
    }

    /// Whether a drawn number falls into the share.
    pub fn holds(self, drawn: u64) -> bool {
        drawn % u64::from(WHOLE) < u64::from(self.0)
    }

    /// The share as a number between 0 and 100.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl FromStr for Share {
    type Err = String;

    /// `2`, `2.5`, `2.5%` or `2.5 %`.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.trim().trim_end_matches('%').trim();
        let percent: f64 =
            number.parse().map_err(|_| "write a percentage, such as 2.5".to_owned())?;
        if !(0.0..=100.0).contains(&percent) {
            return Err("a percentage lies between 0 and 100".to_owned());
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10,000")]
        Ok(Self((percent * 100.0).round() as u32))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.2}", self.percent());
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// What a simulation takes for granted of people and reps. None of it is known beforehand: a result is
/// worth as much as these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assumptions {
    /// Mails that are answered by a person, each by itself.
    pub reply: Share,
    /// Mails that are answered with "leave me alone".
    pub opt_out: Share,
    /// Mails that are answered by an absence note.
    pub away: Share,
    /// Addresses that do not exist any more.
    pub dead_address: Share,
    /// Calls that the person answers.
    pub answer: Share,
    /// Calls that are not answered and end on a voicemail.
    pub voicemail: Share,
    /// Connection requests that are accepted.
    pub accept: Share,
    /// Conversations on the phone that end in a meeting.
    pub meeting: Share,
    /// Calls, social touches and other tasks that a rep does in a working day.
    pub tasks_per_day: u32,
    /// From which hour to which hour a rep works, in the reader's zone.
    pub hours: (i8, i8),
    /// People whose phone number is known, where people are drawn.
    pub with_phone: Share,
    /// People whose profile on LinkedIn is known, where people are drawn.
    pub with_linkedin: Share,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_written_as_people_write_percentages() {
        for (text, shown) in [("2", "2"), ("2.5%", "2.5"), (" 0.25 % ", "0.25"), ("100", "100")] {
            assert_eq!(text.parse::<Share>().map(|share| share.to_string()), Ok(shown.to_owned()));
        }
        for text in ["", "x", "-1", "101", "NaN", "1e9"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_holds_as_often_as_it_says() {
        let share = Share::of_hundredths(250);
        assert_eq!((0..10_000).filter(|drawn| share.holds(*drawn)).count(), 250);
        assert!(!Share::of_hundredths(0).holds(0));
        assert!(Share::of_hundredths(10_000).holds(9_999));
    }
}
