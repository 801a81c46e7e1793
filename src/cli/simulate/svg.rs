//! The load and the funnel as a picture, readable on light and on dark.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::ToSpan;
use jiff::civil::Date;

use super::Told;
use super::text::day;
use crate::domain::forecast::{Load, Run};

/// The picture and its two charts, in pixels.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 620.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const LOAD_TOP: f64 = 96.0;
const LOAD_HEIGHT: f64 = 240.0;
const FUNNEL_TOP: f64 = 430.0;
const BAR: f64 = 28.0;
const LABELS: f64 = 170.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2430}.t{font-size:18px;font-weight:600}\
.h{font-size:14px;font-weight:600}.s{fill:#5b6472}.p{fill:#fff}.g{stroke:#d9dde3}.m{fill:#2f6fb5}\
.c{fill:#d9822b}.o{fill:#3c9a6b}.f{fill:#2f6fb5}@media(prefers-color-scheme:dark){text{fill:#e6e9ee}\
.s{fill:#a3acb9}.p{fill:#15181e}.g{stroke:#39404b}.m,.f{fill:#6aa5e3}.c{fill:#eba55b}.o{fill:#6cc397}}";

pub(super) fn draw(told: &Told) -> String {
    let empty = Run::default();
    let run = told.forecast.runs.first().unwrap_or(&empty);
    let title = format!("{}: {} people, {} days", told.args.cadence, run.people, told.args.days);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{0}\">\n<title>{0}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"bg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"none\"/>\n",
        escaped(&title)
    );
    text(&mut svg, (LEFT, 32.0), "t", &title);
    let from = format!(
        "simulated from {}, seed {}; how people answer is assumed",
        day(told.scenario.begins_on),
        told.args.seed
    );
    text(&mut svg, (LEFT, 52.0), "s", &from);
    load(&mut svg, told, run);
    funnel(&mut svg, run);
    svg.push_str("</svg>\n");
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn text(svg: &mut String, (x, y): (f64, f64), class: &str, words: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>",
        escaped(words)
    );
}

fn text_end(svg: &mut String, (x, y): (f64, f64), class: &str, words: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\" text-anchor=\"end\">{}</text>",
        escaped(words)
    );
}

/// Touches by day, one colour for each channel, all mailboxes and reps together.
fn load(svg: &mut String, told: &Told, run: &Run) {
    let mut by_day: BTreeMap<Date, Load> = BTreeMap::new();
    for ((date, _), load) in &run.load {
        let all = by_day.entry(*date).or_default();
        all.mails += load.mails;
        all.calls += load.calls;
        all.social += load.social;
    }
    let most = by_day.values().map(Load::touches).max().unwrap_or(0);
    let step = round_step(most);
    let top = step * most.div_ceil(step).max(1);
    text(svg, (LEFT, LOAD_TOP - 14.0), "h", "Touches by day");
    legend(svg);
    let bottom = LOAD_TOP + LOAD_HEIGHT;
    for tick in (0..=top).step_by(usize::try_from(step).unwrap_or(1)) {
        let y = bottom - LOAD_HEIGHT * tick as f64 / top as f64;
        let _ = writeln!(
            svg,
            "<line class=\"g\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
            WIDTH - RIGHT
        );
        text_end(svg, (LEFT - 8.0, y + 4.0), "s", &tick.to_string());
    }
    let days = i64::from(told.scenario.days);
    let slot = (WIDTH - LEFT - RIGHT) / days as f64;
    for n in 0..days {
        let date = told.scenario.begins_on.saturating_add(n.days());
        let x = LEFT + slot * n as f64;
        if let Some(load) = by_day.get(&date) {
            stack(svg, (x, bottom), (slot * 0.8, LOAD_HEIGHT / top as f64), load, date);
        }
        // A label each week, and not so many that they touch.
        let every = 7 * (1 + days / 84);
        if n % every == 0 {
            text(svg, (x, bottom + 18.0), "s", &date.strftime("%-d %b").to_string());
        }
    }
}

fn legend(svg: &mut String) {
    for (at, (class, word)) in
        [("m", "mails"), ("c", "calls"), ("o", "social")].into_iter().enumerate()
    {
        let x = WIDTH - RIGHT - 240.0 + 84.0 * at as f64;
        let y = LOAD_TOP - 14.0;
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"12\" height=\"12\" rx=\"2\"/>",
            y - 11.0
        );
        text(svg, (x + 18.0, y), "s", word);
    }
}

fn stack(
    svg: &mut String,
    (x, bottom): (f64, f64),
    (width, scale): (f64, f64),
    load: &Load,
    date: Date,
) {
    let mut y = bottom;
    let _ = write!(
        svg,
        "<g><title>{}: {} mails, {} calls, {} social</title>",
        day(date),
        load.mails,
        load.calls,
        load.social
    );
    for (class, n) in [("m", load.mails), ("c", load.calls), ("o", load.social)] {
        let height = n as f64 * scale;
        y -= height;
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.2}\" width=\"{width:.1}\" height=\"{height:.2}\"/>"
        );
    }
    svg.push_str("</g>\n");
}

/// 1, 2, 5, 10 and so on, so that there are at most six lines.
fn round_step(most: u64) -> u64 {
    let steps = (0..18).flat_map(|power| [1, 2, 5].map(|n: u64| n * 10_u64.pow(power)));
    { steps }.find(|step| most.div_ceil(*step) <= 6).unwrap_or(most.max(1))
}

/// From everybody to meetings.
fn funnel(svg: &mut String, run: &Run) {
    let meetings = run.tally.endings.get("meeting").copied().unwrap_or(0);
    let rows = [
        ("people", run.people),
        ("enrolled", run.enrolled),
        ("touched", run.touched()),
        ("answered", run.replied()),
        ("meetings", meetings),
    ];
    text(svg, (LEFT, FUNNEL_TOP - 18.0), "h", "Funnel, in people");
    let room = WIDTH - LABELS - RIGHT - 120.0;
    for (at, (label, n)) in rows.into_iter().enumerate() {
        let y = FUNNEL_TOP + (BAR + 8.0) * at as f64;
        let width = room * n as f64 / run.people.max(1) as f64;
        let share = 100.0 * n as f64 / run.people.max(1) as f64;
        text_end(svg, (LABELS - 10.0, y + 19.0), "", label);
        let _ = writeln!(
            svg,
            "<rect class=\"f\" x=\"{LABELS}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"2\"/>",
            width.max(1.0)
        );
        let words = format!("{n} ({share:.1} %)");
        text(svg, (LABELS + width.max(1.0) + 8.0, y + 19.0), "", &words);
    }
}
