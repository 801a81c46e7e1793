//! Several nodes on one database: each mailbox is worked by one of them, and none is left alone.

mod team;

use std::sync::Arc;

use firsttouch::domain::ids::MailboxId;
use firsttouch::engine::{Engine, Parts};
use jiff::SignedDuration;
use team::Team;

const MAILBOXES: [&str; 5] = ["ann", "bo", "cy", "di", "ed"];

/// A process on the team's database.
fn node(team: &Team, name: &str) -> Engine {
    let mut settings = team::settings();
    let (_, ann) = settings.mailboxes.pop_first().unwrap();
    for id in MAILBOXES.map(MailboxId::from) {
        let mut mailbox = ann.clone();
        mailbox.id = id.clone();
        settings.mailboxes.insert(id, mailbox);
    }
    Engine::new(Parts {
        clock: team.engine.clock.clone(),
        store: team.engine.store.clone(),
        mailer: team.engine.mailer.clone(),
        inbox: team.engine.inbox.clone(),
        settings: Arc::new(settings),
        node: name.to_owned(),
    })
}

/// Lets so many seconds pass, in which every node looks after every mailbox once a second. How many
/// mailboxes each of them works in the end.
async fn pass(team: &Team, nodes: &[&Engine], seconds: u32) -> Vec<usize> {
    for _ in 0..seconds {
        let now = team.clock_now();
        team.clock.set(now + SignedDuration::from_secs(1));
        for id in MAILBOXES.map(MailboxId::from) {
            let mut workers = 0;
            for node in nodes {
                workers += usize::from(node.works_mailbox(&id).await.unwrap());
            }
            assert!(workers <= 1, "{id} is worked by {workers} nodes");
        }
    }
    let mut counts = Vec::new();
    for node in nodes {
        let mut count = 0;
        for id in MAILBOXES.map(MailboxId::from) {
            count += usize::from(node.works_mailbox(&id).await.unwrap());
        }
        counts.push(count);
    }
    counts
}

#[tokio::test]
async fn mailboxes_are_shared_out_and_taken_over_when_a_node_dies_or_leaves() {
    let team = Team::new(&[]).await;
    let (one, two, three) = (node(&team, "one"), node(&team, "two"), node(&team, "three"));
    assert_eq!(pass(&team, &[&one], 5).await, [5], "alone it does everything");
    assert_eq!(pass(&team, &[&one, &two], 60).await, [3, 2], "a second one gets its share");
    let mut shares = pass(&team, &[&one, &two, &three], 60).await;
    shares.sort_unstable();
    assert_eq!(shares, [1, 2, 2]);
    // The second dies without a word: within two leases the others have its mailboxes.
    let after = pass(&team, &[&one, &three], 120).await;
    assert_eq!(after.iter().sum::<usize>(), 5, "{after:?}");
    // The third goes in peace: nobody waits for its leases.
    three.leave().await.unwrap();
    assert_eq!(pass(&team, &[&one], 20).await, [5]);
}
