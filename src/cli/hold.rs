//! `hold`, `hold-all`, `release`, `release-all`, `holds`: stop automatic work, and let it go on.

use serde_json::{Value, json};

use super::output::{plain, print, print_json, when};
use super::{Context, Failure, who};
use crate::config::Config;
use crate::domain::hold::{Hold, HoldScope};
use crate::domain::ids::{CadenceId, MailboxId, RepId};
use crate::engine::Engine;

/// Stop everything that is sent or begun by itself, until somebody releases it; replies are still read
#[derive(clap::Args)]
pub(super) struct HoldAllArgs {
    /// Why: whoever finds it on hold reads this
    reason: String,
}

/// Stop what is sent or begun by itself for one mailbox, one cadence or one rep
#[derive(clap::Args)]
pub(super) struct HoldArgs {
    what: Kind,
    /// Which one
    name: String,
    /// Why: whoever finds it on hold reads this
    reason: String,
}

/// Let everything go on that `hold-all`, or the daemon itself, has stopped
#[derive(clap::Args)]
pub(super) struct ReleaseAllArgs {}

/// Let one mailbox, cadence or rep go on
#[derive(clap::Args)]
pub(super) struct ReleaseArgs {
    what: Kind,
    /// Which one
    name: String,
}

/// Show what is on hold, since when and why
#[derive(clap::Args)]
pub(super) struct HoldsArgs {}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    Mailbox,
    Cadence,
    Rep,
}

impl Kind {
    fn scope(self, name: &str) -> HoldScope {
        match self {
            Self::Mailbox => HoldScope::Mailbox(MailboxId::from(name)),
            Self::Cadence => HoldScope::Cadence(CadenceId::from(name)),
            Self::Rep => HoldScope::Rep(RepId::from(name)),
        }
    }
}

pub(super) async fn hold_all(context: &Context, args: &HoldAllArgs) -> Result<u8, Failure> {
    hold(context, HoldScope::Everything, &args.reason).await
}

pub(super) async fn hold_one(context: &Context, args: &HoldArgs) -> Result<u8, Failure> {
    hold(context, args.what.scope(&args.name), &args.reason).await
}

async fn hold(context: &Context, scope: HoldScope, reason: &str) -> Result<u8, Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::usage("give a reason: whoever finds it on hold reads it"));
    }
    let (running, config) = context.engine().await?;
    let held = running.engine.hold(scope, reason, &who()).await?;
    if context.json {
        print_json(&json!({"schema": "firsttouch.hold.v1", "held": of(&held)}));
    } else {
        print(&format!("ok  on hold: {}", held.scope.phrase()));
        print(
            "    No mail leaves and no task is opened; a mail that is leaving just now is finished.",
        );
        print("    Replies are read, and open tasks can be done.");
        let release = release_command(&held.scope);
        print(&format!("    Since {}. Go on with: {release}", when(held.at, &config.reader_zone)));
    }
    Ok(0)
}

pub(super) async fn release_all(context: &Context, _: &ReleaseAllArgs) -> Result<u8, Failure> {
    release(context, HoldScope::Everything).await
}

pub(super) async fn release_one(context: &Context, args: &ReleaseArgs) -> Result<u8, Failure> {
    release(context, args.what.scope(&args.name)).await
}

async fn release(context: &Context, scope: HoldScope) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let lifted = running.engine.release(scope.clone(), &who()).await?;
    let rest = running.engine.store.holds().await?;
    if context.json {
        let (lifted, rest): (Vec<_>, Vec<_>) =
            (lifted.iter().map(of).collect(), rest.iter().map(of).collect());
        print_json(
            &json!({"schema": "firsttouch.release.v1", "released": lifted, "still_on_hold": rest}),
        );
        return Ok(0);
    }
    print(&format!("ok  {} goes on; nothing is made up for in a burst", scope.phrase()));
    for hold in &lifted {
        print(&format!("    was on hold: {}", line(hold, &config)));
    }
    if !rest.is_empty() {
        print("still on hold:");
        rest.iter().for_each(|hold| print(&format!("  {}", line(hold, &config))));
    }
    Ok(0)
}

pub(super) async fn list(context: &Context, _: &HoldsArgs) -> Result<u8, Failure> {
    let (running, config) = context.engine().await?;
    let holds = running.engine.store.holds().await?;
    if context.json {
        let items: Vec<Value> = holds.iter().map(of).collect();
        print_json(&json!({"schema": "firsttouch.holds.v1", "items": items, "next": null}));
    } else if holds.is_empty() {
        print("nothing is on hold");
    } else {
        for hold in &holds {
            print(&line(hold, &config));
            print(&format!("    {}", hold.cause.advice()));
            print(&format!("    go on with: {}", release_command(&hold.scope)));
        }
    }
    Ok(0)
}

/// Says in the log what is on hold, where somebody might wonder why nothing happens.
pub(super) async fn warn(engine: &Engine, config: &Config) -> Result<(), Failure> {
    for hold in engine.store.holds().await? {
        tracing::warn!("on hold: {} (see `firsttouch holds`)", line(&hold, config));
    }
    Ok(())
}

/// One hold on one line.
pub(super) fn line(hold: &Hold, config: &Config) -> String {
    let (scope, cause) = (hold.scope.phrase(), hold.cause.as_str());
    let since = when(hold.at, &config.reader_zone);
    format!("{scope}  {cause} since {since}, by {}: {}", hold.by, plain(&hold.note, 200))
}

fn release_command(scope: &HoldScope) -> String {
    match scope {
        HoldScope::Everything => "firsttouch release-all".to_owned(),
        scope => format!("firsttouch release {}", scope.phrase()),
    }
}

/// One hold as JSON.
pub(super) fn of(hold: &Hold) -> Value {
    json!({"scope": hold.scope.text(), "cause": hold.cause.as_str(), "note": hold.note,
        "by": hold.by, "since": hold.at.to_string(), "advice": hold.cause.advice()})
}
