//! `suppress`: who must not be touched.

use serde_json::json;

use super::output::{print, print_json, table, when};
use super::{Context, Failure};
use crate::engine::suppress::parse;

/// Block an address, a domain or a phone number at once, or list what is blocked
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Block an e-mail address (and its person), a domain, or a phone number
    Add {
        /// Such as dana@northwind.test, northwind.test or +14155552671
        what: String,
        /// Say what would be blocked and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Show everything that is blocked, and why
    List,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let engine = &running.engine;
    match &args.action {
        Action::Add { what, dry_run: true } => {
            let subject = parse(what)?;
            let named = format!("{} {}", subject.kind(), subject.value());
            if context.json {
                let schema = "firsttouch.suppress.v1";
                print_json(&json!({"schema": schema, "dry_run": true, "blocked": [named]}));
            } else {
                print(&format!("would be blocked: {named}\nNothing was changed."));
            }
        }
        Action::Add { what, dry_run: false } => {
            let blocked = engine.suppress(what, "cli").await?;
            if context.json {
                print_json(
                    &json!({"schema": "firsttouch.suppress.v1", "blocked": blocked.subjects,
                    "enrollments_ended": blocked.ended}),
                );
            } else {
                print(&format!("ok  blocked: {}", blocked.subjects.join(", ")));
                print(&format!("    {} enrollments ended", blocked.ended));
            }
        }
        Action::List => {
            let blocks = engine.store.all_suppressions().await?;
            if context.json {
                let items = blocks.iter().map(|block| {
                    json!({"kind": block.subject.kind(), "value": block.subject.value(),
                        "cause": block.cause.as_str(), "source": block.source, "at": block.at.to_string()})
                });
                let items: Vec<_> = items.collect();
                print_json(
                    &json!({"schema": "firsttouch.suppressions.v1", "items": items, "next": null}),
                );
            } else {
                let rows: Vec<Vec<String>> = blocks
                    .iter()
                    .map(|block| {
                        vec![
                            block.subject.kind().to_owned(),
                            block.subject.value(),
                            block.cause.as_str().to_owned(),
                            when(block.at, &config.reader_zone),
                        ]
                    })
                    .collect();
                print(&format!("{} blocked\n\n{}", rows.len(), table(&rows)));
            }
        }
    }
    Ok(0)
}
