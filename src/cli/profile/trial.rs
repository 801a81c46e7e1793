//! `profile test`: a list against the profiles, before anybody is enrolled.

use serde_json::{Value, json};

use super::super::output::{colour_on, plain, print, print_json, table, width};
use super::super::{Context, Failure};
use super::chart::{self, Ink};
use super::{Shelf, nobody_fits, profiles_of};
use crate::domain::prospect::Prospect;
use crate::domain::trial::{NEAR_SHOWN, NearMiss, Trial, Tried};
use crate::engine::Engine;
use crate::engine::workspace::ProfileFile;

/// Hold a list against the profiles: how many fit, which lines keep the others out, who is close
///
/// "fails" counts everybody for whom a line does not hold, "only this" those for whom every other line
/// does: that many more would fit if the line let them in. A near miss is somebody whom one line keeps
/// out and of whom every required field is known. The score orders who comes first; it does not decide
/// who is in.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The name of an imported list
    list: String,
    /// One profile instead of all
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

pub(super) async fn run(
    context: &Context,
    engine: &Engine,
    shelf: &Shelf,
    args: &Args,
) -> Result<u8, Failure> {
    let files = shelf.chosen(args.profile.as_deref())?;
    let profiles = profiles_of(&files);
    let trial = engine.try_on_list(&args.list, &profiles).await?;
    let report = Report { list: &args.list, shelf, files, trial };
    if context.json {
        print_json(&report.json());
    } else {
        print(&report.text(width()));
    }
    let fits: Vec<u64> = report.trial.tried.iter().map(|tried| tried.fits).collect();
    nobody_fits(&report.files, &fits, report.trial.people);
    Ok(0)
}

struct Report<'a> {
    list: &'a str,
    shelf: &'a Shelf,
    files: Vec<&'a ProfileFile>,
    trial: Trial<'a>,
}

impl Report<'_> {
    fn text(&self, width: usize) -> String {
        let (people, n) = (self.trial.people, self.files.len());
        let against = if n == 1 { "1 profile" } else { &format!("{n} profiles") };
        let mut text = format!("{}: {people} people against {against}\n", self.list);
        for (at, (file, tried)) in self.files.iter().zip(&self.trial.tried).enumerate() {
            text.push_str(&format!("\n{}", self.shelf.heading(file)));
            text.push_str(&fits(tried, people));
            text.push_str(&obstacles(tried));
            text.push_str(&self.closest(at, tried, width));
            text.push_str(&distribution(tried, width));
        }
        if self.files.len() > 1 {
            text.push_str(&self.chosen());
        }
        text
    }

    /// People whom one line keeps out, a few for each line.
    fn closest(&self, at: usize, tried: &Tried, width: usize) -> String {
        if tried.near == 0 {
            return String::new();
        }
        let near = tried.obstacles().into_iter();
        let near: Vec<NearMiss> =
            near.flat_map(|line| self.trial.closest(at, &line.field)).collect();
        let best = match usize::try_from(tried.near) {
            Ok(all) if all == near.len() => String::new(),
            _ => format!(", the best {NEAR_SHOWN} of each line shown"),
        };
        let mut text = format!("\n  near misses, one line away: {}{best}\n", tried.near);
        for miss in near {
            let who = person(&miss.prospect, width.saturating_sub(4));
            let reason = plain(&miss.reason, width.saturating_sub(6));
            text.push_str(&format!("    {who}\n      {reason}\n"));
        }
        text
    }

    /// With several profiles: which one lets how many in.
    fn chosen(&self) -> String {
        let row = |n: u64, name: &str| vec![count(n), name.to_owned()];
        let tried = self.files.iter().zip(&self.trial.tried);
        let mut rows: Vec<Vec<String>> =
            tried.map(|(file, tried)| row(tried.chosen, file.profile.id.as_str())).collect();
        rows.push(row(self.trial.chosen_by_none, "none of them"));
        let head = "Who lets them in: the best score wins, of equals the first file";
        format!("\n{head}\n{}", table(&rows))
    }

    fn json(&self) -> Value {
        let tried = self.files.iter().zip(&self.trial.tried).enumerate();
        let profiles = tried.map(|(at, (file, tried))| self.profile_json(at, file, tried));
        json!({
            "schema": "firsttouch.profile_test.v1",
            "list": self.list,
            "people": self.trial.people,
            "profiles": profiles.collect::<Vec<_>>(),
            "chosen_by_none": self.trial.chosen_by_none,
        })
    }

    fn profile_json(&self, at: usize, file: &ProfileFile, tried: &Tried) -> Value {
        let lines = tried.lines.iter().map(|line| {
            json!({"field": line.field, "failed": line.failed, "only": line.only,
                "unknown": line.unknown})
        });
        let near = tried.obstacles().into_iter();
        let near = near.flat_map(|line| self.trial.closest(at, &line.field));
        let scores = tried.scores.iter().map(|(score, n)| json!({"score": score, "people": n}));
        json!({
            "profile": file.profile.id.as_str(),
            "title": file.profile.title,
            "version": file.digest,
            "state": self.shelf.state(file),
            "fits": tried.fits,
            "incomplete": tried.incomplete,
            "does_not_fit": tried.does_not_fit,
            "chosen": tried.chosen,
            "missing": tried.missing,
            "lines": lines.collect::<Vec<_>>(),
            "near": tried.near,
            "near_misses": near.map(|near| near_json(&near)).collect::<Vec<_>>(),
            "scores": scores.collect::<Vec<_>>(),
        })
    }
}

fn count(n: u64) -> String {
    format!("{n:>7}")
}

fn fits(tried: &Tried, people: u64) -> String {
    let share = |n: u64| match people {
        0 => String::new(),
        people => format!("{:>5.1} %", n as f64 / people as f64 * 100.0),
    };
    let missing = tried.missing.iter().map(|(field, n)| format!("{field} unknown: {n}"));
    let missing = missing.collect::<Vec<_>>().join(", ");
    let row = |n: u64, what: &str, more: String| vec![count(n), share(n), what.to_owned(), more];
    table(&[
        row(tried.fits, "fit", String::new()),
        row(tried.incomplete, "incomplete", missing),
        row(tried.does_not_fit, "do not fit", String::new()),
    ])
}

fn obstacles(tried: &Tried) -> String {
    let lines = tried.obstacles();
    if lines.is_empty() {
        return String::new();
    }
    let head = ["  what keeps them out", "  fails", "only this", "of them unknown"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for line in lines {
        let (failed, only) = (count(line.failed), format!("{:>9}", line.only));
        let unknown = format!("{:>15}", line.unknown);
        rows.push(vec![format!("  {}", line.field), failed, only, unknown]);
    }
    format!("\n{}", table(&rows))
}

/// `Dana Reed · VP Sales · Northwind`.
fn person(prospect: &Prospect, width: usize) -> String {
    let known = &prospect.known;
    let name = prospect.display_name();
    let parts = [Some(&name), known.title.as_ref(), known.company.name.as_ref()];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    plain(&parts.join(" · "), width)
}

fn distribution(tried: &Tried, width: usize) -> String {
    if tried.scores.is_empty() {
        return String::new();
    }
    let ink = if colour_on(&std::io::stdout()) { Ink::Blocks } else { Ink::Plain };
    format!("\n  scores of those who fit\n{}", chart::scores(&tried.scores, width, ink))
}

fn near_json(near: &NearMiss) -> Value {
    let known = &near.prospect.known;
    json!({"prospect": near.prospect.id.0, "name": near.prospect.display_name(),
        "title": known.title, "company": known.company.name, "field": near.field,
        "reason": near.reason, "score": near.score})
}
