//! `history` and `diff`: the versions of a cadence, and what differs between two of them.

use std::collections::BTreeSet;

use serde_json::json;

use super::output::{plain, print, print_json, table, when};
use super::plan::{change_json, named};
use super::{Context, Failure};
use crate::engine::history::{Applied, Difference, short};
use crate::formats::unified;

/// Show every version of a cadence: when it was applied and by whom, what changed, who is on it
#[derive(clap::Args)]
pub(super) struct HistoryArgs {
    cadence: String,
}

/// Show what differs between two versions of a cadence
#[derive(clap::Args)]
pub(super) struct DiffArgs {
    cadence: String,
    /// The first digits of a version, `current`, or `files`
    before: String,
    /// The same
    after: String,
    /// Show the lines of the files that differ
    #[arg(long)]
    text: bool,
}

pub(super) async fn history(context: &Context, args: &HistoryArgs) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let lines = running.engine.history(&args.cadence.as_str().into()).await?;
    if context.json {
        let items = lines.iter().map(|line| {
            json!({"number": line.number, "at": line.at.to_string(), "by": line.by,
                "version": line.digest, "changed": line.summary, "current": line.is_current,
                "people": line.people})
        });
        let items: Vec<_> = items.collect();
        let schema = "firsttouch.history.v1";
        print_json(&json!({"schema": schema, "cadence": args.cadence, "items": items}));
        return Ok(0);
    }
    let row = |line: &Applied| {
        let now = if line.is_current { ", current" } else { "" };
        let people = match line.people {
            0 => "nobody on it".to_owned(),
            1 => "1 person on it".to_owned(),
            n => format!("{n} people on it"),
        };
        vec![
            line.digest.as_deref().map_or("-", short).to_owned(),
            when(line.at, &config.reader_zone),
            format!("by {}", plain(&line.by, 40)),
            format!("{people}{now}"),
            plain(&line.summary, 200),
        ]
    };
    print(&table(&lines.iter().map(row).collect::<Vec<_>>()));
    Ok(0)
}

pub(super) async fn diff(context: &Context, args: &DiffArgs) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let names = [args.before.as_str(), args.after.as_str()];
    let workspace = match names.contains(&"files") {
        true => Some(context.checked(&config)?),
        false => None,
    };
    let cadence = args.cadence.as_str().into();
    let found = running.engine.difference(&cadence, names, workspace.as_ref()).await?;
    if context.json {
        let text = args.text.then(|| unified_text(&found));
        let changes: Vec<_> = found.changes.iter().map(change_json).collect();
        print_json(&json!({"schema": "firsttouch.diff.v1", "cadence": args.cadence,
            "before": found.before.digest, "after": found.after.digest, "changes": changes,
            "text": text}));
    } else if args.text {
        print(&unified_text(&found));
    } else if found.changes.is_empty() {
        let same = found.before.digest == found.after.digest;
        print(match same {
            true => "They are the same version.",
            false => "Only comments, layout or texts that no step uses; `--text` shows them.",
        });
    } else {
        found.changes.iter().for_each(|change| print(&named(change)));
    }
    Ok(0)
}

/// Every file that differs, as `diff -u` writes it.
fn unified_text(found: &Difference) -> String {
    let paths: BTreeSet<&String> =
        found.before.files.keys().chain(found.after.files.keys()).collect();
    let mut text = String::new();
    for path in paths {
        let (old, new) = (found.before.files.get(path), found.after.files.get(path));
        let label = |side: Option<&String>, digest: &str| match side {
            Some(_) => format!("{path}\t{}", short(digest)),
            None => "/dev/null".to_owned(),
        };
        let labels = [label(old, &found.before.digest), label(new, &found.after.digest)];
        let of = |side: Option<&String>| side.cloned().unwrap_or_default();
        text.push_str(&unified::diff(&labels, &of(old), &of(new)));
    }
    text
}
