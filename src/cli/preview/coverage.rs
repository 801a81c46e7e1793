//! A list held against templates, as people read it.

use super::super::output::{bold, colour_on, grouped, wrapped};
use super::super::profile::chart::{Ink, bar};
use crate::engine::preview::coverage::{Coverage, Line, Split};

/// The widest bar, in columns.
const BAR: usize = 12;

pub(super) fn text(name: &str, is_cadence: bool, coverage: &Coverage, width: usize) -> String {
    let (all, let_in) = (grouped(coverage.people), grouped(coverage.let_in));
    let head = format!(
        "{} on {}: {all} people, {let_in} of them would be let in",
        bold(name),
        coverage.list
    );
    let mut text = format!("{head}\n");
    if coverage.let_in < coverage.people {
        let out = "The others are not counted below; `firsttouch enroll --dry-run` says why each stays out.";
        text.push_str(&format!("{}\n", wrapped(out, width, 0)));
    }
    text.push('\n');
    let numbers = |line: &Line| format!("{} of {}", grouped(line.can()), grouped(line.asked()));
    let widest = coverage.lines.iter().map(|line| numbers(line).len()).max().unwrap_or(0);
    for line in &coverage.lines {
        let step = line.step.as_ref().filter(|_| is_cadence);
        let step = step.map_or_else(String::new, |step| format!("{step}  "));
        let (bar, numbers) = (drawn(line), numbers(line));
        let skip = match line.skipped {
            0 => String::new(),
            n => format!(", {} skip it", grouped(n)),
        };
        text.push_str(&format!("  {bar} {numbers:>widest$}  {step}{}{skip}\n", line.template));
        let parts = parts(line).join(", ");
        if line.complete < line.asked() || line.too_long > 0 {
            text.push_str(&format!("{}\n", wrapped(&parts, width, BAR + 5)));
        }
        let split = coverage.splits.iter().find(|split| Some(&split.step) == line.step.as_ref());
        let last =
            |split: &&Split| split.variants.last().is_some_and(|(name, _)| *name == line.template);
        if let Some(split) = split.filter(last) {
            text.push_str(&format!("{}\n", wrapped(&split_text(split), width, BAR + 5)));
        }
    }
    text
}

/// A bar of everybody whom the step asks; a full one is for everybody, and for nobody less.
fn drawn(line: &Line) -> String {
    let ink = if colour_on(&std::io::stdout()) { Ink::Blocks } else { Ink::Plain };
    let as_u64 = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let (can, asked) = (line.can(), line.asked());
    let bar = bar(as_u64(can), as_u64(asked).max(1), BAR, ink);
    let most = if can < asked { BAR - 1 } else { BAR };
    format!("[{:<BAR$}]", bar.chars().take(most).collect::<String>())
}

/// `1,004 complete`, `71 without trigger (needs)` and so on.
fn parts(line: &Line) -> Vec<String> {
    let mut parts = vec![format!("{} complete", grouped(line.complete))];
    for (field, (n, is_needed)) in &line.missing {
        let needs = if *is_needed { " (needs)" } else { "" };
        parts.push(format!("{} without `{field}`{needs}", grouped(*n)));
    }
    let fallbacks = line.fallbacks.iter();
    parts.extend(
        fallbacks.map(|(field, n)| format!("{} use a fallback for `{field}`", grouped(*n))),
    );
    parts.extend(line.failed.iter().map(|(why, n)| format!("{} fail: {why}", grouped(*n))));
    if let Some(why) = &line.longest {
        parts.push(format!("{} too long for LinkedIn, at worst {why}", grouped(line.too_long)));
    }
    parts
}

fn split_text(split: &Split) -> String {
    let names: Vec<&str> = split.variants.iter().map(|(name, _)| name.as_str()).collect();
    let mut text =
        format!("A/B {}: {} can get every variant", names.join(" / "), grouped(split.in_test));
    if split.not_in_test > 0 {
        let n = grouped(split.not_in_test);
        text.push_str(&format!("; {n} get the one they can get and are not in the test"));
    }
    if split.nothing > 0 {
        text.push_str(&format!("; {} get none", grouped(split.nothing)));
    }
    text
}
