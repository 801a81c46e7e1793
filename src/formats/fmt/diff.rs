//! The lines in which two texts differ, for people.

/// Longer stretches are compared as a whole.
const MAX_CELLS: usize = 4_000_000;

/// One line that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<'a> {
    /// Only in the first text, with its number there.
    Out(usize, &'a str),
    /// Only in the second text.
    In(&'a str),
}

/// Every line in which two texts differ, in order.
pub fn changes<'a>(before: &'a str, after: &'a str) -> Vec<Change<'a>> {
    let before: Vec<&str> = before.split('\n').collect();
    let after: Vec<&str> = after.split('\n').collect();
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let head = before.iter().zip(&after).take_while(same).count();
    let (old, new) =
        (before.get(head..).unwrap_or_default(), after.get(head..).unwrap_or_default());
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
    let old = old.get(..old.len() - tail).unwrap_or_default();
    let new = new.get(..new.len() - tail).unwrap_or_default();
    if old.len().saturating_mul(new.len()) > MAX_CELLS {
        let out = old.iter().enumerate().map(|(at, line)| Change::Out(head + at + 1, line));
        return out.chain(new.iter().map(|line| Change::In(line))).collect();
    }
    walk(old, new, head)
}

/// Follows the longest common subsequence.
fn walk<'a>(old: &[&'a str], new: &[&'a str], head: usize) -> Vec<Change<'a>> {
    let common = common(old, new);
    let width = new.len() + 1;
    let length = |i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
    let (mut i, mut j) = (0, 0);
    let mut changes = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (None, None) => return changes,
            (Some(a), Some(b)) if a == b => (i, j) = (i + 1, j + 1),
            (Some(line), b) if b.is_none() || length(i + 1, j) >= length(i, j + 1) => {
                changes.push(Change::Out(head + i + 1, line));
                i += 1;
            }
            (_, Some(line)) => {
                changes.push(Change::In(line));
                j += 1;
            }
            (Some(_), None) => return changes,
        }
    }
}

/// The length of the longest common subsequence of every two ends, row by row.
fn common(old: &[&str], new: &[&str]) -> Vec<u32> {
    let width = new.len() + 1;
    let mut table = vec![0_u32; (old.len() + 1) * width];
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let cell = |i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
            let best = match a == b {
                true => cell(i + 1, j + 1) + 1,
                false => cell(i + 1, j).max(cell(i, j + 1)),
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_lines_that_differ_are_told() {
        let told = changes("a\nb\nc\nd\n", "a\nB\nc\nd\ne\n");
        assert_eq!(told, [Change::Out(2, "b"), Change::In("B"), Change::In("e")]);
        assert_eq!(changes("a\n", "a\n"), []);
    }

    proptest! {
        #[test]
        fn the_second_text_can_be_made_from_the_first(
            a in "[ab\n]{0,20}", b in "[ab\n]{0,20}",
        ) {
            let told = changes(&a, &b);
            let lines = a.split('\n').enumerate();
            let stays = lines.filter(|(at, _)| !told.iter().any(
                |change| matches!(change, Change::Out(line, _) if line == &(at + 1))
            ));
            let outs = told.iter().filter(|c| matches!(c, Change::Out(..))).count();
            let ins = told.iter().filter(|c| matches!(c, Change::In(_))).count();
            let stays: Vec<&str> = stays.map(|(_, line)| line).collect();
            prop_assert_eq!(stays.len() + outs, a.split('\n').count());
            prop_assert_eq!(stays.len() + ins, b.split('\n').count());
        }
    }
}
