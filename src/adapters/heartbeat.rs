//! What wakes the daemon: a pulse for what is due, and recurring jobs on tokio-cron-scheduler, in UTC.
//! Each is only a wake-up, so that a run that takes longer than its period cannot overlap itself.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// A job of the daemon: its cron line (six fields, UTC) and whom it wakes.
pub struct Beat {
    pub cron: String,
    pub wakes: watch::Sender<u64>,
}

/// Starts the scheduler. Keep what is returned: dropping it does not stop the jobs, `shutdown` does.
///
/// # Errors
/// A cron line is wrong.
pub async fn start(beats: Vec<Beat>) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    for beat in beats {
        let wakes = beat.wakes;
        let job = Job::new_async(beat.cron.as_str(), move |_, _| {
            let wakes = wakes.clone();
            Box::pin(async move { wakes.send_modify(|beats| *beats += 1) })
        })?;
        scheduler.add(job).await?;
    }
    scheduler.start().await?;
    Ok(scheduler)
}

/// Wakes at an even pace, finer than a cron line can say. Ends with the last one who listens.
pub fn pulse(every: Duration, wakes: watch::Sender<u64>) {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !wakes.is_closed() {
            ticks.tick().await;
            wakes.send_modify(|beats| *beats += 1);
        }
    });
}
