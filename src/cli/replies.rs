//! `replies`: what came in, newest first, and what it was taken for.

use serde_json::json;

use super::output::{length, plain, print, print_json, table, when};
use super::{Context, Failure};

/// Show what came in: replies, automatic answers, bounces, opt-outs, newest first
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only this kind: reply, auto_reply, bounce, unsubscribe, complaint, notice
    #[arg(long)]
    kind: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    const KINDS: [&str; 6] =
        ["reply", "auto_reply", "bounce", "unsubscribe", "complaint", "notice"];
    if let Some(kind) = args.kind.as_ref().filter(|kind| !KINDS.contains(&kind.as_str())) {
        let known = KINDS.join(", ");
        return Err(Failure::usage(format!("`{kind}` is no kind of message; they are: {known}")));
    }
    let (running, config) = context.engine().await?;
    let engine = &running.engine;
    let mut replies = engine.store.replies(args.limit.min(10_000)).await?;
    replies.retain(|reply| args.kind.as_ref().is_none_or(|kind| *kind == reply.kind));
    if context.json {
        let items = replies.iter().map(|reply| {
            json!({
                "id": reply.id.0,
                "kind": reply.kind,
                "prospect": reply.prospect.map(|id| id.0),
                "enrollment": reply.enrollment.map(|id| id.0),
                "from": reply.from,
                "subject": reply.subject,
                "text": reply.text,
                "reason": reply.reason,
                "received_at": reply.received_at.to_string(),
                "latency_ms": reply.latency.map(|latency| latency.as_millis() as i64),
                "answers": reply.answers_step.as_ref().map(|step| step.as_str()),
            })
        });
        let items: Vec<_> = items.collect();
        print_json(&json!({"schema": "firsttouch.replies.v1", "items": items, "next": null}));
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = replies
        .iter()
        .map(|reply| {
            let after = reply.latency.map(|latency| length(latency.as_millis() as i64));
            let answers = reply.answers_step.as_ref().zip(after);
            vec![
                when(reply.received_at, &config.reader_zone),
                reply.kind.clone(),
                plain(&reply.from, 34),
                answers.map_or_else(|| "-".into(), |(step, after)| format!("{step} after {after}")),
                format!("\"{}\"", plain(&reply.text, 60)),
            ]
        })
        .collect();
    print(&format!("{} messages\n\n{}", rows.len(), table(&rows)));
    Ok(0)
}
