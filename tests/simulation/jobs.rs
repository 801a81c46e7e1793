//! What the processes and the people of the team do, each as one operation.

use std::sync::Arc;

use firsttouch::domain::cadence::Channel;
use firsttouch::domain::enrollment::TaskKind;
use firsttouch::domain::ids::{CadenceId, RepId};
use firsttouch::engine::enroll::Mode;
use firsttouch::engine::tasks::{DoneTask, QueueLine};
use firsttouch::engine::{Engine, EngineError};

use super::driver::{Driver, Job, Operation};
use super::workspace;
use super::world::World;

/// The operation of a job on one of the nodes.
pub fn operation(driver: &mut Driver, job: Job, node: usize) -> Operation {
    let engine = driver.engine(node);
    match job {
        Job::Mailbox(n) => {
            let mailbox = driver.mailbox(n);
            Box::pin(async move { engine.work_mailbox(&mailbox).await.map_err(|e| e.to_string()) })
        }
        Job::Desk => Box::pin(async move { engine.work_desk().await.map_err(|e| e.to_string()) }),
        Job::Collect(n) => {
            let mailbox = driver.mailbox(n);
            Box::pin(async move {
                engine.collect(&mailbox).await.map(|_| None).map_err(|e| e.to_string())
            })
        }
        Job::Rep => rep(driver, engine),
        Job::House => {
            Box::pin(
                async move { keep_house(&engine).await.map(|()| None).map_err(|e| e.to_string()) },
            )
        }
        Job::Clock => Box::pin(async { Ok(None) }),
        Job::Edit => edit(driver, engine),
    }
}

/// The housekeeping, and an operator who lets go on what a breaker held.
async fn keep_house(engine: &Engine) -> Result<(), EngineError> {
    engine.keep_house().await?;
    engine.release_its_own().await?;
    Ok(())
}

/// A rep enrolls somebody, blocks somebody, or does some of what is in the queue.
fn rep(driver: &mut Driver, engine: Arc<Engine>) -> Operation {
    let world = driver.world.clone();
    let group = driver.next_group();
    let reps = i64::try_from(driver.plan.mailboxes).expect("small");
    Box::pin(async move {
        if let Some((cadence, people)) = group {
            let cadence = CadenceId::from(cadence);
            let enrolled = engine.enroll(&people, &cadence, Mode::Commit).await;
            world.note(|| format!("enrolled {people:?}: {enrolled:?}"));
        }
        let n = world.state().chance.between(0, reps);
        let rep = match usize::try_from(n).expect("small") {
            n if n == usize::try_from(reps).expect("small") => RepId::from("cara"),
            n => RepId::from(workspace::rep(n).as_str()),
        };
        block(&world, &engine, &rep).await?;
        let queue = engine.queue(Some(&rep)).await.map_err(|e| e.to_string())?;
        for line in queue.iter().take(3) {
            // What a reply means is not always said at once.
            let often = if line.task.kind == TaskKind::Reply { 8 } else { 60 };
            if !world.state().chance.percent(often) {
                continue;
            }
            let outcome = draw_outcome(&world, line);
            world.note(|| format!("{rep} does task {}: {outcome}", line.task.id));
            let done = DoneTask {
                task: line.task.id,
                outcome,
                until: None,
                actor: rep.clone(),
                set: found(&world, line),
                text: None,
                note: None,
            };
            if let Err(error) = engine.done(done).await {
                world.note(|| format!("not done: {error}"));
            }
        }
        Ok(None)
    })
}

/// Now and then somebody is not to be written to any more: by address, or a whole domain.
async fn block(world: &World, engine: &Engine, rep: &RepId) -> Result<(), String> {
    let what = {
        let mut state = world.state();
        if !state.faulty || !state.chance.percent(5) {
            return Ok(());
        }
        let mut ids: Vec<_> = state.people.keys().copied().collect();
        ids.sort_unstable();
        let id = *state.chance.pick(&ids);
        let email = state.people[&id].known.email.clone().expect("an address");
        match state.chance.percent(40) && email.domain() != "gmail.com" {
            true => email.domain().to_owned(),
            false => email.to_string(),
        }
    };
    world.note(|| format!("{rep} blocks {what}"));
    engine.suppress(&what, &rep.0).await.map(|_| ()).map_err(|error| error.to_string())
}

/// Somebody changes the words of a template while people are under way.
fn edit(driver: &mut Driver, engine: Arc<Engine>) -> Operation {
    if !driver.world.state().faulty {
        return Box::pin(async { Ok(None) });
    }
    driver.edits += 1;
    let files = workspace::files(&driver.plan, &format!("Hello {}", driver.edits));
    Box::pin(async move {
        let checked = workspace::checked(&files);
        engine.apply(&checked, None).await.map(|_| None).map_err(|error| error.to_string())
    })
}

fn draw_outcome(world: &World, line: &QueueLine) -> String {
    let outcomes: Vec<&str> = line.outcomes.iter().map(|one| one.outcome.as_str()).collect();
    let mut state = world.state();
    match (line.task.kind, state.chance.percent(50)) {
        // Most calls reach nobody.
        (TaskKind::Touch(Channel::Call), true) => "no_answer".to_owned(),
        (TaskKind::Touch(Channel::Social), true) => "accepted".to_owned(),
        (TaskKind::Review, true) => "released".to_owned(),
        _ => (*state.chance.pick(&outcomes)).to_owned(),
    }
}

/// What a task collects.
fn found(world: &World, line: &QueueLine) -> Vec<(String, String)> {
    let today = world.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let value = |field: &String| match field.as_str() {
        "go_live_date" => today.to_string(),
        _ => "You hire".to_owned(),
    };
    line.collect.iter().map(|field| (field.clone(), value(field))).collect()
}
