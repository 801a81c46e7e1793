//! `run`: the daemon.

use tokio::signal::unix::{SignalKind, signal};

use super::{Context, Failure, hold, import, start_logging};
use crate::wiring;
use crate::wiring::list_inbox::ListInbox;
use crate::wiring::repo::Repo;

/// Run the daemon: send what is due, read replies, open tasks; SIGTERM or Ctrl-C ends it cleanly
#[derive(clap::Args)]
pub(super) struct Args {
    /// Apply changed cadences, profiles and templates by itself, when `check` finds nothing wrong
    #[arg(long)]
    watch: bool,
    /// Go on with this workspace's key although the database was worked with another one
    #[arg(long)]
    new_key: bool,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = context.config()?;
    start_logging(config.log_json);
    let running = wiring::daemon(&context.workspace, &config).await?;
    let engine = running.engine.clone();
    let today = wiring::now().to_zoned(config.reader_zone.clone()).date();
    for warning in &config.warnings_on(today) {
        tracing::warn!("{warning}");
    }
    if config.mailboxes.iter().all(|mailbox| mailbox.smtp.is_none()) {
        tracing::warn!(
            "no SMTP server is set: mails are written as .eml files into outbox/ and nobody gets them"
        );
    }
    if running.sole() {
        let lost = engine.recover().await?;
        if lost > 0 {
            tracing::warn!(
                lost,
                "mails were on their way when the last daemon died: they are in doubt and stay so"
            );
        }
    }
    engine.check_key(args.new_key).await?;
    let machine = wiring::memory::Memories::of(&context.workspace);
    machine.look_back(&engine).await?;
    let adopted = engine.adopt().await?;
    if adopted > 0 {
        tracing::warn!(
            adopted,
            "people waited for a mailbox that is gone; they go on with their owner's"
        );
    }
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (mut scheduler, beats) = wiring::beats().await?;
    hold::warn(&engine, &config).await?;
    tracing::info!(mailboxes = engine.settings.mailboxes.len(), "ready");
    let lists = ListInbox::new(
        engine.clone(),
        &context.workspace,
        config.lists.clone(),
        import::plain_text,
    )?;
    let watching = tokio::spawn(lists.watch(beats.tick.clone()));
    let repo = args.watch.then(|| {
        let calendars = config.calendars.keys().cloned().collect();
        let repo = Repo::new(engine.clone(), &context.workspace, calendars);
        tokio::spawn(repo.watch(beats.tick.clone()))
    });
    let remembering = tokio::spawn(machine.keep(engine.clone(), beats.housekeeping.clone()));
    let work = tokio::spawn(engine.clone().run(beats, config.poll_every));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: what is on its way is finished first");
    engine.stop();
    let done = work.await;
    watching.await.map_err(Failure::new)?;
    remembering.abort();
    if let Some(repo) = repo {
        repo.await.map_err(Failure::new)?;
    }
    let _ = scheduler.shutdown().await;
    done.map_err(Failure::new)?;
    tracing::info!("stopped");
    Ok(0)
}
