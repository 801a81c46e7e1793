//! Two texts line by line, as `diff -u` shows them.

/// Lines around a difference.
const AROUND: usize = 3;

/// Lines of each text, without what they have in common at both ends, that are compared with each other;
/// longer texts are shown as wholly different there.
const COMPARED: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Same,
    Old,
    New,
}

/// The differences with a few lines around them; empty when there are none.
pub fn diff(labels: &[String; 2], old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let lines = marked(&old, &new);
    let is_shown: Vec<bool> = (0..lines.len())
        .map(|at| {
            let around = lines.iter().take(at + AROUND + 1).skip(at.saturating_sub(AROUND));
            around.into_iter().any(|(mark, _)| *mark != Mark::Same)
        })
        .collect();
    let mut text = String::new();
    // The number of the next line of each text.
    let (mut old_at, mut new_at) = (1, 1);
    let mut hunk: Vec<(Mark, &str)> = Vec::new();
    for (line, shown) in lines.iter().zip(is_shown.iter().copied()) {
        if shown {
            hunk.push(*line);
        } else {
            text.push_str(&written(&mut hunk, &mut old_at, &mut new_at));
            (old_at, new_at) = (old_at + 1, new_at + 1);
        }
    }
    text.push_str(&written(&mut hunk, &mut old_at, &mut new_at));
    let [before, after] = labels;
    if text.is_empty() { text } else { format!("--- {before}\n+++ {after}\n{text}") }
}

/// One hunk with its head; the lines are counted on.
fn written(hunk: &mut Vec<(Mark, &str)>, old_at: &mut usize, new_at: &mut usize) -> String {
    if hunk.is_empty() {
        return String::new();
    }
    let without = |mark| hunk.iter().filter(|(other, _)| *other != mark).count();
    let (old, new) = (without(Mark::New), without(Mark::Old));
    // An empty side is named by the line before it.
    let from = |at: usize, n: usize| if n == 0 { at - 1 } else { at };
    let mut text = format!("@@ -{},{old} +{},{new} @@\n", from(*old_at, old), from(*new_at, new));
    for (mark, line) in hunk.drain(..) {
        let sign = match mark {
            Mark::Same => ' ',
            Mark::Old => '-',
            Mark::New => '+',
        };
        text.push_str(&format!("{sign}{line}\n"));
    }
    (*old_at, *new_at) = (*old_at + old, *new_at + new);
    text
}

/// Every line of both, in order.
fn marked<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(Mark, &'a str)> {
    let first = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (old.get(first..).unwrap_or(&[]), new.get(first..).unwrap_or(&[]));
    let last = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let middle =
        |rest: &[&'a str]| rest.iter().take(rest.len() - last).copied().collect::<Vec<_>>();
    let same = |line: &&'a str| (Mark::Same, *line);
    let mut lines: Vec<_> = old.iter().take(first).map(same).collect();
    lines.extend(compared(&middle(old_rest), &middle(new_rest)));
    lines.extend(old.iter().skip(old.len() - last).map(same));
    lines
}

/// By the longest common subsequence.
fn compared<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(Mark, &'a str)> {
    let all = |lines: &[&'a str], mark| lines.iter().map(|line| (mark, *line)).collect::<Vec<_>>();
    if old.len() > COMPARED || new.len() > COMPARED {
        return [all(old, Mark::Old), all(new, Mark::New)].concat();
    }
    let width = new.len() + 1;
    // The length of what is common behind each pair of places.
    let mut common = vec![0u16; (old.len() + 1) * width];
    let at = |common: &[u16], i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let length = match a == b {
                true => at(&common, i + 1, j + 1) + 1,
                false => at(&common, i + 1, j).max(at(&common, i, j + 1)),
            };
            if let Some(cell) = common.get_mut(i * width + j) {
                *cell = length;
            }
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while let (Some(a), Some(b)) = (old.get(i), new.get(j)) {
        if a == b {
            lines.push((Mark::Same, *a));
            (i, j) = (i + 1, j + 1);
        } else if at(&common, i + 1, j) >= at(&common, i, j + 1) {
            lines.push((Mark::Old, *a));
            i += 1;
        } else {
            lines.push((Mark::New, *b));
            j += 1;
        }
    }
    lines.extend(all(old.get(i..).unwrap_or(&[]), Mark::Old));
    lines.extend(all(new.get(j..).unwrap_or(&[]), Mark::New));
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels() -> [String; 2] {
        ["a".to_owned(), "b".to_owned()]
    }

    #[test]
    fn what_differs_is_shown_with_the_lines_around_it() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
        let new = "1\nzwei\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n";
        let shown = "--- a\n+++ b\n@@ -1,5 +1,5 @@\n 1\n-2\n+zwei\n 3\n 4\n 5\n@@ -10,3 +10,4 @@\n 10\n 11\n 12\n+13\n";
        assert_eq!(diff(&labels(), old, new), shown);
        assert_eq!(diff(&labels(), old, old), "");
        assert_eq!(diff(&labels(), "", "x\n"), "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn both_texts_can_be_read_from_the_marks(
            old in prop::collection::vec("[abc]", 0..12),
            new in prop::collection::vec("[abc]", 0..12),
        ) {
            let (old, new): (Vec<&str>, Vec<&str>) =
                (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
            let lines = marked(&old, &new);
            let without = |mark| {
                lines.iter().filter(|(other, _)| *other != mark).map(|(_, line)| *line).collect::<Vec<_>>()
            };
            prop_assert_eq!(without(Mark::New), old);
            prop_assert_eq!(without(Mark::Old), new);
        }
    }
}
