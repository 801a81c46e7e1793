//! One daemon on SQLite, killed in the middle of its work, again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::STEPS;
use super::process::{Chance, pause, wait_until};
use super::sink::{Arrived, Sink};
use super::workspace::{Doubt, Report, Shape, Workspace};

struct Size {
    people: usize,
    mailboxes: usize,
    kills: usize,
    /// How long the server takes over a mail, half before the content and half behind it: kills fall
    /// into this.
    delay_ms: u32,
}

impl Size {
    fn chosen() -> Self {
        match std::env::var_os("FIRSTTOUCH_KILL_FULL") {
            Some(_) => Self { people: 1_000, mailboxes: 20, kills: 20, delay_ms: 60 },
            None => Self { people: 200, mailboxes: 10, kills: 6, delay_ms: 60 },
        }
    }

    /// Mails that arrive even when every kill catches every mailbox at somebody's first mail.
    fn certain(&self) -> usize {
        STEPS * (self.people - self.kills * self.mailboxes)
    }
}

#[test]
fn however_often_the_daemon_is_killed_nobody_gets_a_mail_twice_and_every_loss_is_told() {
    let size = Size::chosen();
    let seed = std::env::var("FIRSTTOUCH_KILL_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let dir = tempfile::tempdir().unwrap();
    let sink = Sink::start(dir.path(), size.delay_ms);
    let Size { people, mailboxes, .. } = size;
    let more = String::new();
    let shape = Shape { people, mailboxes, limit: 1_000, port: sink.port, more };
    let workspace = Workspace::make(dir, &shape);

    end_in_the_middle(&workspace, &sink);
    let began = Instant::now();
    kill_again_and_again(&workspace, &sink, &size, Chance(seed));
    let report = finish(&workspace, &size);

    check(&workspace, &sink, &size, &report);
    println!("{:.1} s from the first kill to the end", began.elapsed().as_secs_f64());
}

/// SIGTERM finishes what is on its way: nothing is in doubt behind it.
fn end_in_the_middle(workspace: &Workspace, sink: &Sink) {
    let mut daemon = workspace.daemon();
    wait_until("the first mails arrive", || sink.count() >= 5);
    assert_eq!(daemon.terminate().code(), Some(0));
    let report = workspace.report();
    assert_eq!(report.sent, sink.count(), "what had arrived was recorded before the end");
    assert_eq!(report.in_doubt.len(), 0, "{report:?}");
}

fn kill_again_and_again(workspace: &Workspace, sink: &Sink, size: &Size, mut chance: Chance) {
    let (first, last) = (sink.count(), size.certain() * 9 / 10);
    let mut moments: Vec<(usize, u64)> = (0..size.kills)
        .map(|_| (first + 1 + chance.below(last - first), chance.below(80) as u64))
        .collect();
    moments.sort_unstable();
    for (arrived, ms) in moments {
        let daemon = workspace.daemon();
        let before = sink.count();
        // At least one more, so that every kill meets a daemon at work.
        let arrived = arrived.max(before + 1);
        wait_until("mails arrive", || sink.count() >= arrived);
        pause(ms);
        daemon.kill_9();
        println!("killed {ms} ms behind mail {arrived}, {} had arrived", sink.count());
    }
}

/// Lets the daemon come to the end of its work, and ends it.
fn finish(workspace: &Workspace, size: &Size) -> Report {
    let mut daemon = workspace.daemon();
    // A mail on its way is listed as in doubt, too, until it is settled: two equal reports have none.
    let mut last = None;
    wait_until("nothing more is due", || {
        pause(500);
        let report = workspace.report();
        let over = report.accounted_for() == STEPS * size.people && last.as_ref() == Some(&report);
        last = Some(report);
        over
    });
    assert_eq!(daemon.terminate().code(), Some(0));
    workspace.report()
}

fn check(workspace: &Workspace, sink: &Sink, size: &Size, report: &Report) {
    let arrived = sink.arrived();
    nobody_got_a_mail_twice(&arrived);
    let doubts: BTreeMap<&str, &Doubt> =
        report.in_doubt.iter().map(|doubt| (doubt.message_id.as_str(), doubt)).collect();
    let ids: BTreeSet<&str> = arrived.iter().map(|mail| mail.message_id.as_str()).collect();
    let lost = doubts.keys().filter(|id| !ids.contains(*id)).count();
    println!(
        "{} people, {} kills: {} mails arrived, {} recorded as sent, {} in doubt ({lost} of them never arrived)",
        size.people,
        size.kills,
        arrived.len(),
        report.sent,
        doubts.len()
    );
    assert_eq!(doubts.len(), report.in_doubt.len(), "one doubt for each mail");
    assert!(!doubts.is_empty(), "the kills must have hit something, or nothing was tested");
    assert!(doubts.len() <= size.kills * size.mailboxes, "only what was on its way is in doubt");
    let sent = arrived.iter().filter(|mail| !doubts.contains_key(mail.message_id.as_str())).count();
    assert_eq!(sent, report.sent, "what is neither in doubt nor recorded as sent");
    everybody_left_out_is_in_doubt(workspace, &arrived, report);
    let verified = workspace.run(&["verify"]);
    assert!(verified.starts_with("ok"), "{verified}");
}

pub fn nobody_got_a_mail_twice(arrived: &[Arrived]) {
    let mut mails: BTreeMap<&str, Vec<&Arrived>> = BTreeMap::new();
    for mail in arrived {
        assert_ne!(mail.touch, "-", "{mail:?}");
        mails.entry(&mail.to).or_default().push(mail);
    }
    let touches: BTreeSet<&str> = arrived.iter().map(|mail| mail.touch.as_str()).collect();
    let ids: BTreeSet<&str> = arrived.iter().map(|mail| mail.message_id.as_str()).collect();
    assert_eq!(touches.len(), arrived.len(), "a touch arrived twice");
    assert_eq!(ids.len(), arrived.len(), "a Message-ID arrived twice");
    // Other touches of the same step would have other ids: the number of mails catches them.
    let too_many = mails.values().find(|mails| mails.len() > STEPS);
    assert_eq!(too_many, None);
}

fn everybody_left_out_is_in_doubt(workspace: &Workspace, arrived: &[Arrived], report: &Report) {
    let mut mails: BTreeMap<&str, usize> = BTreeMap::new();
    arrived.iter().for_each(|mail| *mails.entry(&mail.to).or_default() += 1);
    for person in &workspace.people {
        let got = mails.get(person.as_str()).copied().unwrap_or(0);
        if got == STEPS {
            continue;
        }
        let story = workspace.json(&["why", person]);
        let prospect = story["prospect"].as_u64().unwrap();
        let own: Vec<&Doubt> =
            report.in_doubt.iter().filter(|doubt| doubt.prospect == prospect).collect();
        assert_eq!(own.len(), 1, "{person} got {got} mails, and in doubt are {own:?}");
        let step = own[0].step.as_str();
        let told = &story["enrollments"][0]["in_doubt"][0];
        assert_eq!(told.as_str(), Some(step), "`why` says the same as `report`");
        // The second mail does not follow a first one that is in doubt.
        let fits = matches!((step, got), ("first", 0 | 1) | ("second", 1));
        assert!(fits, "{person} got {got} mails with `{step}` in doubt");
    }
}
