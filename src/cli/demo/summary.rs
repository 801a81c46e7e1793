//! What the demo came to, as text and as JSON.

use std::path::Path;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Args;
use super::lists::Listed;
use crate::cli::output::{bold, print, table};
use crate::cli::report::Numbers;
use crate::cli::{Failure, import, why};
use crate::domain::cadence::Channel;
use crate::domain::hold::Hold;
use crate::domain::ids::{CadenceId, ProspectId};
use crate::domain::log::What;
use crate::domain::report::Tally;
use crate::engine::Engine;
use crate::engine::enroll::Enrolled;

/// Everything that the demo says at its end.
pub(super) struct Summary<'a> {
    pub args: &'a Args,
    pub engine: &'a Engine,
    pub dir: &'a Path,
    pub outbound: Listed,
    pub numbers: Numbers,
    pub cadences: Vec<(CadenceId, Tally)>,
    pub held: Vec<Hold>,
    pub violations: Vec<String>,
}

const CHANNELS: [Channel; 3] = [Channel::Email, Channel::Call, Channel::Social];

impl Summary<'_> {
    pub(super) async fn show(&self) -> Result<(), Failure> {
        let zone = self.engine.settings.reader_zone.clone();
        print(&import::text(&self.outbound.report, None));
        for (title, prospect) in two_people(self.engine).await? {
            print(&format!("\n{}", bold(&title)));
            print(&timeline(self.engine, prospect, &zone).await?);
        }
        print("");
        print(&self.numbers.text(&zone));
        print(&self.by_cadence());
        for hold in &self.held {
            let (scope, note) = (hold.scope.phrase(), &hold.note);
            print(&format!("on hold until the next morning: {scope} ({note})"));
        }
        print(&format!("violations: {}", self.violations.len()));
        self.violations.iter().for_each(|violation| print(&format!("  {violation}")));
        print(&format!(
            "\nLook around:  firsttouch -C {0} today      firsttouch -C {0} replies      firsttouch -C {0} why ADDRESS",
            self.dir.display()
        ));
        Ok(())
    }

    fn by_cadence(&self) -> String {
        let head = ["", "enrolled", "touched first by", "email", "call", "social", "replies"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (cadence, tally) in &self.cadences {
            let firsts = tally.first_touches();
            let first = |channel: &Channel| count(firsts.get(channel.as_str()).copied());
            let mut row = vec![cadence.0.clone(), count(Some(tally.enrolled)), String::new()];
            row.extend(CHANNELS.iter().map(first));
            row.push(count(Some(tally.replies)));
            rows.push(row);
        }
        format!("\n{}\n{}", bold("Cadences"), table(&rows))
    }

    pub(super) fn json(&self) -> Value {
        let report = &self.outbound.report;
        let import = report.to_json();
        let mut counts = serde_json::Map::new();
        counts.insert("rows".to_owned(), json!(report.rows));
        if let Some(outcomes) = import["outcomes"].as_object() {
            counts.extend(outcomes.clone());
        }
        let tally = &self.numbers.tally;
        let touches = |channel: &str| tally.touches.get(channel).copied().unwrap_or(0);
        let outbound = self.outbound.enrolled.clone().unwrap_or_default();
        let Enrolled { enrolled, skipped, .. } = outbound;
        json!({
            "schema": "firsttouch.demo.v1",
            "days": self.args.days,
            "seed": self.args.seed,
            "import": counts,
            "enrolled": enrolled,
            "not_enrolled": skipped,
            "touches": {"email": touches("email"), "call": touches("call"), "social": touches("social")},
            "first_touches": tally.first_touches().values().sum::<u64>(),
            "first_touches_by_channel": tally.first_touches(),
            "replies": tally.replies,
            "auto_replies": tally.auto_replies,
            "bounces": tally.bounces,
            "opted_out": tally.opted_out,
            "complaints": tally.complaints,
            "endings": tally.endings,
            "in_doubt": self.numbers.doubts.len(),
            "cadences": self.cadences.iter().map(cadence_json).collect::<Vec<_>>(),
            "held": self.held.iter().map(|hold| hold.scope.text()).collect::<Vec<_>>(),
            "violations": self.violations,
        })
    }
}

fn count(n: Option<u64>) -> String {
    format!("{:>7}", n.unwrap_or(0))
}

fn cadence_json((cadence, tally): &(CadenceId, Tally)) -> Value {
    json!({
        "cadence": cadence.as_str(),
        "enrolled": tally.enrolled,
        "first_touches": tally.first_touches().values().sum::<u64>(),
        "first_touches_by_channel": tally.first_touches(),
        "replies": tally.replies,
        "endings": tally.endings,
    })
}

/// Somebody who replied to a mail and somebody who opted out; else anybody.
async fn two_people(engine: &Engine) -> Result<Vec<(String, ProspectId)>, Failure> {
    let replies = engine.store.replies(100_000).await?;
    let of_kind =
        |kind: &str| replies.iter().rev().find(|r| r.kind == kind).and_then(|r| r.prospect);
    let wanted = [
        ("Somebody who replied", of_kind("reply")),
        ("Somebody who opted out", of_kind("unsubscribe")),
    ];
    Ok(wanted.into_iter().filter_map(|(title, id)| Some((title.to_owned(), id?))).collect())
}

async fn timeline(
    engine: &Engine,
    prospect: ProspectId,
    zone: &TimeZone,
) -> Result<String, Failure> {
    let mut story = engine.why(&prospect.to_string()).await?;
    story.log.retain(|entry| entry.what != What::Intended);
    Ok(why::text(&story, zone))
}
