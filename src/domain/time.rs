//! Lengths of time as people write them, and spans of a day.

use jiff::civil;

/// A length of time with its unit: `3 business days`, `45 minutes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delay {
    /// How many.
    pub amount: u32,
    /// Of what.
    pub unit: Unit,
}

/// The units in which a cadence may count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Minutes,
    Hours,
    /// Calendar days on the prospect's clock.
    Days,
    /// Seven calendar days.
    Weeks,
    /// Minutes inside the calendar's working hours.
    BusinessMinutes,
    /// Hours inside the calendar's working hours.
    BusinessHours,
    /// Days on which the calendar works.
    BusinessDays,
}

/// On which side of a date something lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Before,
    Behind,
}

impl Delay {
    /// So many of a unit.
    pub const fn new(amount: u32, unit: Unit) -> Self {
        Self { amount, unit }
    }

    /// No time at all.
    pub const ZERO: Self = Self::new(0, Unit::Minutes);
}

impl std::fmt::Display for Delay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.unit {
            Unit::Minutes => "minute",
            Unit::Hours => "hour",
            Unit::Days => "day",
            Unit::Weeks => "week",
            Unit::BusinessMinutes => "business minute",
            Unit::BusinessHours => "business hour",
            Unit::BusinessDays => "business day",
        };
        let plural = if self.amount == 1 { "" } else { "s" };
        write!(f, "{} {unit}{plural}", self.amount)
    }
}

/// A span of one local day: from `opens` (included) to `closes` (excluded), never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DaySpan {
    opens: civil::Time,
    closes: civil::Time,
}

impl DaySpan {
    /// A span, unless it would be empty or run backwards.
    pub fn new(opens: civil::Time, closes: civil::Time) -> Option<Self> {
        (opens < closes).then_some(Self { opens, closes })
    }

    /// The first instant inside.
    pub fn opens(&self) -> civil::Time {
        self.opens
    }

    /// The first instant behind the span.
    pub fn closes(&self) -> civil::Time {
        self.closes
    }
}

impl std::fmt::Display for DaySpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (opens, closes) = (self.opens, self.closes);
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            opens.hour(),
            opens.minute(),
            closes.hour(),
            closes.minute()
        )
    }
}
