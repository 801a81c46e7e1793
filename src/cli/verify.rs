//! `verify`: everything derived again from the log, and what differs.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::output::{grouped, plain, print, print_json};
use super::{Context, FAILED, Failure};
use crate::domain::audit::{Finding, Rule};
use crate::engine::verify::{self, Listener, Verified};
use crate::wiring::{self, database};

/// Differences that are printed; `--json` has them all.
const SHOWN: usize = 50;

/// Derive every state, counter and number again from the log, and list what differs
#[derive(clap::Args)]
pub(super) struct Args {
    /// Mend what stands beside the log (states, tasks, counters, milestones, ids); never the log itself
    #[arg(long)]
    repair: bool,
    /// With --repair: say what would be mended and change nothing
    #[arg(long, requires = "repair")]
    dry_run: bool,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = context.config()?;
    let mut bar = Bar::new();
    let now = wiring::now();
    if !args.repair || args.dry_run {
        let ledger = database::ledger(&config).await?;
        let verified = verify::verify(&*ledger.store, &*ledger.keeper, now, &mut bar).await?;
        bar.0.finish_and_clear();
        return Ok(told(context, args, &verified, None));
    }
    let ledger = database::ledger_to_mend(&config).await?;
    if ledger.keeper.is_worked_on(now).await? {
        let message = "somebody works on this database just now: stop every `firsttouch run` and every \
                       import, wait a minute, and say it again";
        return Err(Failure { code: super::BUSY, kind: "busy", message: message.to_owned() });
    }
    let repaired = verify::repair(&*ledger.store, &*ledger.keeper, now, &mut bar).await?;
    bar.0.finish_and_clear();
    Ok(told(context, args, &repaired.after, Some(&repaired.mended)))
}

/// Prints what came of it; the exit code.
fn told(context: &Context, args: &Args, verified: &Verified, mended: Option<&Vec<Finding>>) -> u8 {
    if context.json {
        print_json(&document(verified, mended));
    } else {
        print(&text(args, verified, mended));
    }
    if verified.is_clean() { 0 } else { FAILED }
}

fn document(verified: &Verified, mended: Option<&Vec<Finding>>) -> Value {
    json!({
        "schema": "firsttouch.verify.v1",
        "enrollments": verified.enrollments,
        "entries": verified.entries,
        "people": verified.people,
        "differences": verified.findings.iter().map(line).collect::<Vec<_>>(),
        "more": verified.more,
        "mended": mended.map(|all| all.iter().map(line).collect::<Vec<_>>()),
    })
}

fn line(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.as_str(),
        "row": finding.row,
        "stands": finding.stands,
        "should": finding.should,
        "repairable": finding.mend.is_some(),
        "advice": finding.advice(),
    })
}

fn text(args: &Args, verified: &Verified, mended: Option<&Vec<Finding>>) -> String {
    let mut text = String::new();
    if let Some(mended) = mended.filter(|mended| !mended.is_empty()) {
        text.push_str("mended:\n");
        text.push_str(&lines(mended));
        text.push('\n');
    }
    let what = format!(
        "{} enrollments, {} entries of the log, {} people",
        grouped(verified.enrollments),
        grouped(verified.entries),
        grouped(verified.people)
    );
    if verified.is_clean() {
        text.push_str(&format!("ok  {what}: no difference\n"));
        return text;
    }
    text.push_str(&lines(&verified.findings));
    let all = verified.findings.len() + verified.more;
    text.push_str(&format!("\nx   {what}: {} differences\n", grouped(all)));
    text.push_str(&advice(args, &verified.findings));
    text
}

fn lines(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let Finding { row, stands, should, .. } = finding;
        format!("  {row}: {}; should be: {}\n", plain(stands, 160), plain(should, 160))
    };
    let mut text: String = findings.iter().take(SHOWN).map(line).collect();
    if findings.len() > SHOWN {
        let rest = grouped(findings.len() - SHOWN);
        text.push_str(&format!("  and {rest} more: `firsttouch verify --json` has them all\n"));
    }
    text
}

/// What to do, once for each kind.
fn advice(args: &Args, findings: &[Finding]) -> String {
    let can = findings.iter().filter(|finding| finding.mend.is_some()).count();
    let mut text = match (can, args.repair) {
        (0, _) => String::new(),
        (n, true) => format!("{} would be mended. Nothing was changed.\n", grouped(n)),
        (n, false) => {
            format!("{} can be mended:  firsttouch verify --repair --dry-run\n", grouped(n))
        }
    };
    let mut others: BTreeMap<Rule, usize> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.mend.is_none()) {
        *others.entry(finding.rule).or_default() += 1;
    }
    for (rule, n) in others {
        text.push_str(&format!("{n} {}: {}\n", rule.as_str(), rule.advice()));
    }
    text
}

/// A bar on a terminal, once it takes longer than a second.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::hidden();
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {percent:>3} %  {pos} enrollments")
        {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Listener for Bar {
    fn done(&mut self, enrollments: u64, of: u64) {
        let late = self.0.elapsed() > Duration::from_secs(1);
        if self.0.is_hidden() && late && std::io::stderr().is_terminal() {
            self.0.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        self.0.set_length(of);
        self.0.set_position(enrollments);
    }
}
