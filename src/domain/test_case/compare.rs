//! What was expected beside what happened, with as few differences as there can be.

use super::{Deed, Extent, Kind, Line, TestCase};

/// One row of the comparison, in the order in which things happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Row<'a> {
    /// As expected; or nobody asked.
    Fine(&'a Deed),
    /// Expected otherwise.
    Other(&'a Line, &'a Deed),
    /// Expected, and did not happen.
    Missing(&'a Line),
    /// Happened, and must not.
    Unwanted(&'a Deed),
}

/// The whole comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared<'a> {
    pub rows: Vec<Row<'a>>,
}

impl Row<'_> {
    /// Whether it is a difference.
    pub fn differs(&self) -> bool {
        !matches!(self, Self::Fine(_))
    }
}

impl Compared<'_> {
    /// Whether there is no difference.
    pub fn is_same(&self) -> bool {
        self.rows.iter().all(|row| !row.differs())
    }
}

/// Holds what happened against what a test expects.
pub fn compare<'a>(test: &'a TestCase, deeds: &'a [Deed]) -> Compared<'a> {
    let lines = &test.expected;
    let table = costs(lines, deeds, test.extent);
    let cost = |i: usize, j: usize| at(&table, i, j);
    let (mut i, mut j) = (0, 0);
    let mut rows = Vec::with_capacity(lines.len().max(deeds.len()));
    loop {
        match (lines.get(i), deeds.get(j)) {
            (None, None) => return Compared { rows },
            (Some(line), None) => {
                rows.push(Row::Missing(line));
                i += 1;
            }
            (None, Some(deed)) => {
                rows.push(alone(test, deed));
                j += 1;
            }
            (Some(line), Some(deed)) => {
                let together = pair(line, deed, test.extent).map(|c| c + cost(i + 1, j + 1));
                if together == Some(cost(i, j)) {
                    rows.push(side_by_side(test, line, deed));
                    (i, j) = (i + 1, j + 1);
                } else if cost(i, j) == LACK + cost(i + 1, j) {
                    rows.push(Row::Missing(line));
                    i += 1;
                } else {
                    rows.push(alone(test, deed));
                    j += 1;
                }
            }
        }
    }
}

/// What a difference costs: a line that is missing, and half as much again for one that is otherwise,
/// so that a step on another day is one difference and not two.
const LACK: u32 = 4;
const OTHERWISE: u32 = 6;
const OTHER_DEED: u32 = 7;

/// What it costs to take these two for one; `None` when they have nothing to do with each other.
fn pair(line: &Line, deed: &Deed, extent: Extent) -> Option<u32> {
    // What happens besides costs nothing in a part, so a difference must cost less than a lack there.
    let (otherwise, other_deed) = match extent {
        Extent::Everything => (OTHERWISE, OTHER_DEED),
        Extent::Some => (LACK - 2, LACK - 1),
    };
    let about_a_step =
        |kind: Kind| matches!(kind, Kind::Sent | Kind::Task | Kind::Skipped | Kind::Refused);
    if line.fits(deed) {
        Some(0)
    } else if line.is_about(deed) {
        Some(otherwise)
    } else if line.name == deed.name && about_a_step(line.kind) && about_a_step(deed.kind) {
        Some(other_deed)
    } else {
        (line.kind == Kind::Ended && deed.kind == Kind::Ended).then_some(other_deed)
    }
}

/// The least that the rest of both costs, from every place in both.
fn costs(lines: &[Line], deeds: &[Deed], extent: Extent) -> Vec<Vec<u32>> {
    let extra = match extent {
        Extent::Everything => LACK,
        Extent::Some => 0,
    };
    let mut below: Vec<u32> = (0..=deeds.len()).map(|j| times(deeds.len() - j, extra)).collect();
    let mut table = vec![below.clone()];
    for (n, line) in lines.iter().rev().enumerate() {
        let mut row = vec![times(n + 1, LACK)];
        for (k, deed) in deeds.iter().rev().enumerate() {
            let j = deeds.len() - 1 - k;
            let before = row.last().copied().unwrap_or(0);
            let down = below.get(j).copied().unwrap_or(0);
            let diagonal = below.get(j + 1).copied().unwrap_or(0);
            let together = pair(line, deed, extent).map(|cost| cost + diagonal);
            let apart = (down + LACK).min(before + extra);
            row.push(together.map_or(apart, |together| together.min(apart)));
        }
        row.reverse();
        below = row.clone();
        table.push(row);
    }
    table.reverse();
    table
}

fn times(n: usize, cost: u32) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX).saturating_mul(cost)
}

fn at(table: &[Vec<u32>], i: usize, j: usize) -> u32 {
    table.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0)
}

fn side_by_side<'a>(test: &TestCase, line: &'a Line, deed: &'a Deed) -> Row<'a> {
    match line.fits(deed) {
        true if is_forbidden(test, deed) => Row::Unwanted(deed),
        true => Row::Fine(deed),
        false => Row::Other(line, deed),
    }
}

/// What happened and no line is about.
fn alone<'a>(test: &TestCase, deed: &'a Deed) -> Row<'a> {
    // `ends:` says it already.
    let is_the_end = matches!(deed.kind, Kind::Ended | Kind::Switched) && test.ends.is_some();
    match test.extent {
        _ if is_forbidden(test, deed) => Row::Unwanted(deed),
        Extent::Some => Row::Fine(deed),
        Extent::Everything if is_the_end => Row::Fine(deed),
        Extent::Everything => Row::Unwanted(deed),
    }
}

fn is_forbidden(test: &TestCase, deed: &Deed) -> bool {
    let touches = matches!(deed.kind, Kind::Sent | Kind::Task | Kind::Refused);
    touches && test.never.iter().any(|step| step.as_str() == deed.name)
}
