//! Recurring jobs on tokio-cron-scheduler: in UTC, each only a wake-up, so that a run that takes longer
//! than its period cannot overlap itself.

use tokio::sync::watch;
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
