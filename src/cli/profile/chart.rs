//! A small bar chart for the terminal.

use std::collections::BTreeMap;

/// Rows of a chart at most.
const ROWS: i64 = 12;

/// Columns for one person at most.
const WIDEST: usize = 4;

/// How bars are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Ink {
    /// Eighths of a block.
    Blocks,
    /// `#`, where nothing but plain text is welcome.
    Plain,
}

/// People by score, as bars that fit in `width` columns.
pub(super) fn scores(scores: &BTreeMap<i64, u64>, width: usize, ink: Ink) -> String {
    let bins = bins(scores);
    let label = |low: i64, high: i64| match low == high {
        true => low.to_string(),
        false => format!("{low} to {high}"),
    };
    let rows: Vec<(String, u64)> =
        bins.into_iter().map(|(low, high, n)| (label(low, high), n)).collect();
    bars(&rows, width, ink)
}

/// Scores in steps of 1, 2, 5, 10 and so on, so that there are few enough of them; empty ones between.
fn bins(scores: &BTreeMap<i64, u64>) -> Vec<(i64, i64, u64)> {
    let (Some((low, _)), Some((high, _))) = (scores.first_key_value(), scores.last_key_value())
    else {
        return Vec::new();
    };
    let steps = (0..18).flat_map(|power| [1, 2, 5].map(|n: i64| n * 10_i64.pow(power)));
    let count = |step: i64| high.div_euclid(step).saturating_sub(low.div_euclid(step));
    let Some(step) = { steps }.find(|step| count(*step) < ROWS) else { return Vec::new() };
    let bin = |at: i64| {
        let (from, to) =
            (at.saturating_mul(step), at.saturating_mul(step).saturating_add(step - 1));
        (from, to, scores.range(from..=to).map(|(_, n)| n).sum())
    };
    (low.div_euclid(step)..=high.div_euclid(step)).map(bin).collect()
}

/// Labelled numbers as bars that fit in `width` columns.
pub(in crate::cli) fn bars(rows: &[(String, u64)], width: usize, ink: Ink) -> String {
    let most = rows.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    let label_width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let room = width.saturating_sub(label_width + most.to_string().len() + 5).max(8);
    // A handful of people is a short bar, however wide the screen.
    let room = room.min(usize::try_from(most).unwrap_or(room).saturating_mul(WIDEST));
    let mut text = String::new();
    for (label, n) in rows {
        let bar = bar(*n, most, room, ink);
        let bar = if bar.is_empty() { bar } else { bar + " " };
        text.push_str(&format!("  {label:>label_width$}  {bar}{n}\n"));
    }
    text
}

/// `n` of `most` as a bar of `room` columns at most; somebody is never shown as nobody.
fn bar(n: u64, most: u64, room: usize, ink: Ink) -> String {
    let eighths = (n as f64 / most as f64 * room as f64 * 8.0).round() as usize;
    let eighths = if n > 0 { eighths.max(1) } else { 0 };
    match ink {
        Ink::Plain => "#".repeat(eighths.div_ceil(8)),
        Ink::Blocks => {
            let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"].get(eighths % 8).copied();
            "█".repeat(eighths / 8) + rest.unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_round_steps_and_fits_the_width() {
        let people = BTreeMap::from([(-10, 1), (0, 3), (3, 1), (38, 40)]);
        let chart = scores(&people, 40, Ink::Plain);
        let wanted = "  -10 to -6  # 1\n   -5 to -1  0\n     0 to 4  ### 4\n     5 to 9  0\n";
        assert!(chart.starts_with(wanted), "{chart}");
        assert!(chart.ends_with(&format!("   35 to 39  {} 40\n", "#".repeat(24))), "{chart}");
        assert!(chart.lines().all(|line| line.chars().count() <= 40), "{chart}");
    }

    #[test]
    fn few_scores_have_a_row_each_and_none_at_all_has_no_chart() {
        let people = BTreeMap::from([(1, 8), (3, 1)]);
        assert_eq!(
            scores(&people, 24, Ink::Blocks),
            "  1  █████████████████ 8\n  2  0\n  3  ██▏ 1\n"
        );
        let two = BTreeMap::from([(1, 2)]);
        assert_eq!(scores(&two, 80, Ink::Plain), "  1  ######## 2\n");
        assert_eq!(scores(&BTreeMap::new(), 80, Ink::Blocks), "");
        let far = BTreeMap::from([(i64::MIN, 1), (i64::MAX, 1)]);
        assert!(scores(&far, 80, Ink::Plain).lines().count() <= 12);
    }
}
