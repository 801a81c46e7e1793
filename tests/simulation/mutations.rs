//! Rules broken on purpose, outside the engine: each must make some seed fail.

use firsttouch::domain::budget::Waiting;
use firsttouch::domain::enrollment::Phase;
use firsttouch::domain::ids::MailboxId;
use firsttouch::domain::log::What;
use firsttouch::domain::prospect::Prospect;
use firsttouch::domain::reply::Kind;
use firsttouch::domain::settings::Settings;
use firsttouch::domain::suppression::{Cause, Subject};
use firsttouch::domain::touch::Status;
use firsttouch::ports::{Changes, Guards, Lane, LeaseRequest, MailboxRecord, Wake};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::world::World;

/// Which rule of the engine is broken on purpose, to see that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    Nothing,
    /// A worker whose lease somebody else has taken is let pass.
    ForgetEpoch,
    /// A lease is given to whoever asks, although it has not run out.
    ForgetLeaseEnd,
    /// Nobody asks whether an enrollment has moved on since it was read.
    ForgetRevision,
    /// Blocks of that kind are neither found nor checked.
    ForgetBlocks(&'static str),
    /// A mailbox whose server is in trouble is not left alone.
    ForgetTrouble,
    /// No gap between two mails.
    ForgetGap,
    /// Every inbox counts as just read.
    ForgetFreshness,
    /// Caps of that scope are not checked.
    ForgetCap(&'static str),
    /// A mailbox may send its full number from the first day on.
    ForgetRamp,
    /// Windows of 23 hours where 24 are meant.
    ShortWindow,
    /// A mailbox goes on at its full number behind a silence.
    ForgetSilence,
    /// Any number of colleagues at once.
    ForgetColleagues,
    /// Any number of people of one rep at once.
    ForgetPeopleOfRep,
    /// Any number of requests to connect.
    ForgetQuotas,
    /// Work among ourselves counts as a touch: whoever is researched first counts as nobody new.
    ForgetInward,
    /// No quiet time between enrollments of one person.
    ForgetQuiet,
    /// Colleagues of somebody who replied go on.
    ForgetToHold,
    /// The clock is read once, before the server is asked.
    ReadClockOnce,
    /// The clock stands still between the intent and the content.
    ForgetThirtySeconds,
    /// The intent is written behind the mail.
    IntendBehind,
    /// What a guard refuses is done all the same.
    CommitRefused,
    /// What is in doubt is tried again.
    RetryDoubt,
    /// What is on its way is in doubt at once.
    DoubtAtOnce,
    /// The content of a mail leaves twice.
    SendTwice,
    /// Every process makes Message-IDs with a key of its own.
    NewMessageId,
    /// A reply is noted, but the enrollment goes on.
    ForgetReplies,
    /// What comes twice is taken in twice.
    TakeTwice,
    /// The place in the inbox is noted before its messages are taken in.
    MoveCursorFirst,
    /// Addresses that turned out to be dead are not noted.
    ForgetBounces,
    /// Tasks stay open, whatever happens.
    ForgetToClose,
    /// Every task is opened twice.
    OpenTwice,
    /// Everybody lives in London.
    ForgetZones,
    /// The clocks there are never changed.
    ForgetDaylightSaving,
    /// Only the first of the zones counts in which somebody may be.
    ForgetCandidates,
    /// There are no holidays.
    ForgetHolidays,
    /// Mails do not say who we are.
    ForgetAddress,
    /// Whoever is switched begins nowhere.
    LoseSuccessor,
    /// After its second step an enrollment begins again.
    BeginAgain,
    /// What has passed is forgotten.
    ForgetThePast,
    /// Nothing ends.
    NeverEnd,
    /// Whoever waits, waits for nothing.
    ForgetToWake,
    /// What came in is read, but not written down.
    LoseInbound,
    /// What was refused for good counts as sent.
    CallRefusedSent,
    /// What was sent is not written into the log.
    LoseLog,
    /// Whoever is out of an account is in it all the same.
    ForgetWhoLeft,
    /// The reply of one is noted, and the account goes on.
    ForgetTheOthers,
}

use Mutation::*;

/// Every mutation with the promise that must be seen to break.
pub const ALL: [(Mutation, &str); 54] = [
    (ForgetEpoch, "promise 1: a lost lease"),
    (ForgetLeaseEnd, "is held by two"),
    (ForgetRevision, "promise 7: a stale write"),
    (ForgetBlocks("email"), "promise 3"),
    (ForgetBlocks("domain"), "promise 3"),
    (ForgetBlocks("person"), "promise 3"),
    (ForgetTrouble, "in trouble"),
    (ForgetGap, "promise 4: the gap"),
    (ForgetFreshness, "promise 2"),
    (ForgetCap("mailbox:"), "promise 4"),
    (ForgetCap("mailbox-hour:"), "promise 4"),
    (ForgetCap("domain:"), "promise 4"),
    (ForgetCap("prospect:"), "promise 4"),
    (ForgetCap("company:"), "promise 4"),
    (ForgetCap("rep-new:"), "promise 4"),
    (ForgetCap("company-new:"), "promise 4"),
    (ForgetRamp, "promise 4"),
    (ShortWindow, "promise 4"),
    (ForgetSilence, "promise 4"),
    (ForgetColleagues, "promise 4: colleagues"),
    (ForgetPeopleOfRep, "promise 4: people of"),
    (ForgetQuotas, "promise 4: invitations"),
    (ForgetInward, "promise 4"),
    (ForgetQuiet, "promise 4: quiet"),
    (ForgetToHold, "a colleague replied"),
    (ReadClockOnce, "promise 5"),
    (ForgetThirtySeconds, "behind its intent"),
    (IntendBehind, "promise 1: sent without an intent"),
    (CommitRefused, "promise"),
    (RetryDoubt, "promise 1"),
    (DoubtAtOnce, "is doubted while its server is asked"),
    (SendTwice, "promise 1"),
    (NewMessageId, "another Message-ID"),
    (ForgetReplies, "promise 3"),
    (TakeTwice, "taken in twice"),
    (MoveCursorFirst, "was never taken in"),
    (ForgetBounces, "promise 3"),
    (ForgetToClose, "promise 3"),
    (OpenTwice, "opened twice"),
    (ForgetZones, "promise 5"),
    (ForgetDaylightSaving, "promise 5"),
    (ForgetCandidates, "promise 5"),
    (ForgetHolidays, "promise 5"),
    (ForgetAddress, "promise 12"),
    (LoseSuccessor, "were switched"),
    (BeginAgain, "promise 7"),
    (ForgetThePast, "promise 7"),
    (NeverEnd, "promise 9"),
    (ForgetToWake, "promise 6"),
    (LoseInbound, "taken in"),
    (CallRefusedSent, "counts as"),
    (LoseLog, "promise 11"),
    (ForgetWhoLeft, "out of the account"),
    (ForgetTheOthers, "of the same account waits"),
];

impl Mutation {
    pub fn forgets(self, subject: &Subject) -> bool {
        matches!(self, ForgetBlocks(kind) if subject.kind().starts_with(kind))
    }
}

/// What must hold for an intent, with the broken rule left out.
pub fn guards(world: &World, mut guards: Guards) -> Guards {
    let mutation = world.state().mutation;
    match mutation {
        ForgetBlocks(_) => guards.subjects.retain(|subject| !mutation.forgets(subject)),
        ForgetCap(scope) => guards.caps.retain(|cap| !cap.scope.starts_with(scope)),
        ForgetColleagues => guards.company = None,
        ForgetPeopleOfRep => guards.rep = None,
        ForgetQuotas => guards.quotas.clear(),
        ForgetQuiet => guards.quiet = None,
        ShortWindow => {
            for cap in guards.caps.iter_mut().filter(|cap| cap.window.as_hours() == 24) {
                cap.window = SignedDuration::from_hours(22);
            }
        }
        ForgetRamp => {
            for cap in &mut guards.caps {
                let Some(mailbox) = cap.scope.strip_prefix("mailbox:") else { continue };
                let state = world.state();
                let full = state.plan.ramps[crate::workspace::mailbox_number(mailbox)].2;
                cap.limit = full;
            }
        }
        ForgetFreshness => {
            if let Some(mailbox) = &mut guards.mailbox {
                mailbox.inbox_fresh_for = None;
            }
        }
        ForgetGap => {
            if let Some(mailbox) = &mut guards.mailbox {
                mailbox.gap = SignedDuration::ZERO;
            }
        }
        ForgetEpoch => {
            let state = world.state();
            if let Some((name, epoch)) = &mut guards.lease
                && let Some(lease) = state.model.leases.get(name)
            {
                *epoch = lease.epoch;
            }
        }
        _ => {}
    }
    guards
}

/// What is asked of the store when a lease is.
pub fn lease(mutation: Mutation, request: LeaseRequest) -> LeaseRequest {
    let ahead = SignedDuration::from_hours(if mutation == ForgetLeaseEnd { 2 } else { 0 });
    LeaseRequest { now: request.now + ahead, ..request }
}

/// What a mailbox is said to have done, with the broken rule left out.
pub fn mailbox(world: &World, mut record: MailboxRecord) -> MailboxRecord {
    match world.state().mutation {
        ForgetFreshness => record.inbox_read_at = Some(world.now()),
        ForgetTrouble => record.waits = None,
        ForgetGap => record.next_send_at = None,
        ForgetSilence => record.resumed_days = None,
        _ => {}
    }
    record
}

/// What is known of somebody, with the broken rule left out.
pub fn person(mutation: Mutation, person: &mut Prospect) {
    let zones = &mut person.known.time_zones;
    match mutation {
        ForgetZones => *zones = vec!["Europe/London".to_owned()],
        ForgetCandidates => zones.truncate(1),
        ForgetDaylightSaving => zones.iter_mut().for_each(|zone| *zone = winter(zone)),
        _ => {}
    }
}

/// The zone with the offset of January, where there is one by whole hours.
fn winter(name: &str) -> String {
    let january: Timestamp = "2026-01-15T00:00:00Z".parse().expect("a time");
    let zone = TimeZone::get(name).expect("a zone");
    let offset = zone.to_offset(january).seconds();
    match (offset % 3_600, offset / 3_600) {
        (0, hours) if hours > 0 => format!("Etc/GMT-{hours}"),
        (0, hours) if hours < 0 => format!("Etc/GMT+{}", -hours),
        _ => name.to_owned(),
    }
}

/// What the team has agreed on, as a process understands it.
pub fn settings(mutation: Mutation, mut settings: Settings, process: u32) -> Settings {
    match mutation {
        NewMessageId => settings.secret.extend(process.to_be_bytes()),
        ForgetAddress => settings.company.postal_address = "somewhere".to_owned(),
        ForgetHolidays => {
            settings.calendars.values_mut().for_each(|clock| clock.calendar.holidays.clear());
        }
        _ => {}
    }
    settings
}

pub async fn write_what_was_held_back(world: &World) {
    let Some((changes, guards)) = world.state().held_back.take() else { return };
    let store = world.state().store.clone().expect("a store");
    let changes_of = changes.clone();
    if store.intend(changes, guards.clone()).await.is_ok() {
        super::checks::on_commit(world, &changes_of, &changes_of, Some(&guards));
    }
}

pub async fn change(world: &World, mut changes: Changes) -> Changes {
    let (mutation, now) = (world.state().mutation, world.now());
    let is_reply = |kind: &Kind| matches!(kind, Kind::Reply | Kind::Unsubscribe);
    let heard = changes.inbound.iter().any(|inbound| is_reply(&inbound.message.kind));
    match mutation {
        RetryDoubt => retry_doubt(&mut changes, now),
        ForgetReplies if heard => {
            changes.moved.clear();
            changes.close_tasks.clear();
            changes.tasks.clear();
        }
        ForgetBounces => changes.suppressions.retain(|block| block.cause != Cause::HardBounce),
        ForgetInward => changes.moved.iter_mut().for_each(|moved| moved.state.inward.clear()),
        ForgetToClose => changes.close_tasks.clear(),
        OpenTwice => open_twice(&mut changes),
        ForgetWhoLeft => forget_who_left(&mut changes),
        ForgetTheOthers if heard => {
            changes.moved.retain(|moved| moved.state.account.is_none());
            changes.tasks.clear();
            changes.close_tasks.clear();
        }
        BeginAgain => begin_again(&mut changes, now),
        ForgetThePast => {
            for moved in &mut changes.moved {
                if moved.state.passed.len() > 1 {
                    moved.state.passed.clear();
                }
            }
        }
        NeverEnd => never_end(&mut changes, now),
        ForgetToWake => {
            for moved in &mut changes.moved {
                if let Phase::Paused { .. } = moved.state.phase {
                    moved.wake = None;
                }
            }
        }
        DoubtAtOnce => {
            for moved in &mut changes.moved {
                let Phase::Sending { since, .. } = moved.state.phase else { continue };
                moved.wake = moved.wake.take().map(|wake| Wake { at: since, ..wake });
            }
        }
        LoseSuccessor => lose_successors(&mut changes),
        LoseInbound => changes.inbound.clear(),
        LoseLog => changes.log.retain(|entry| entry.what != What::Sent),
        ForgetTrouble => changes.mailbox_waits = None,
        TakeTwice => {
            for inbound in &mut changes.inbound {
                let twin = format!("{}#{}", inbound.message.message_id, inbound.id);
                inbound.message.message_id = twin;
            }
        }
        CallRefusedSent => {
            for (_, status) in &mut changes.settled {
                if *status == Status::Refused {
                    *status = Status::Sent;
                }
            }
        }
        ForgetRevision => read_revisions(world, &mut changes).await,
        _ => {}
    }
    changes
}

/// Every move is told to be about the enrollment as it is now.
async fn read_revisions(world: &World, changes: &mut Changes) {
    let store = world.state().store.clone().expect("a store");
    for moved in &mut changes.moved {
        let record = store.enrollment(moved.id).await.expect("an enrollment");
        moved.revision = record.map_or(moved.revision, |record| record.revision);
    }
}

fn retry_doubt(changes: &mut Changes, now: Timestamp) {
    for (_, status) in &mut changes.settled {
        if *status == Status::InDoubt {
            *status = Status::Retryable;
        }
    }
    for moved in &mut changes.moved {
        let Phase::InDoubt { step, attempt, .. } = &moved.state.phase else { continue };
        let due_at = now + SignedDuration::from_mins(1);
        moved.state.phase = Phase::Waiting { step: step.clone(), attempt: *attempt, due_at };
        let lane = Lane::Mailbox(MailboxId::from("ann"));
        moved.wake = moved.wake.take().map(|wake| Wake { lane: lane.clone(), at: due_at, ..wake });
    }
}

fn begin_again(changes: &mut Changes, now: Timestamp) {
    for moved in &mut changes.moved {
        let Phase::Waiting { .. } = &moved.state.phase else { continue };
        let Some(first) = moved.state.passed.first().filter(|_| moved.state.passed.len() > 1)
        else {
            continue;
        };
        let step = first.step.clone();
        moved.state.phase = Phase::Waiting { step, attempt: 1, due_at: now };
        moved.wake = moved.wake.take().map(|wake| Wake { lane: Lane::Desk, at: now, ..wake });
    }
}

fn open_twice(changes: &mut Changes) {
    let mut again = changes.tasks.clone();
    for task in &mut again {
        task.id.0 += 1_000_000;
    }
    changes.tasks.extend(again);
}

/// Everybody of an account stays in it.
fn forget_who_left(changes: &mut Changes) {
    for moved in &mut changes.moved {
        for member in moved.state.account.iter_mut().flat_map(|account| &mut account.members) {
            member.left = None;
        }
    }
}

/// Nobody goes on in the second cadence.
fn lose_successors(changes: &mut Changes) {
    changes.enrolled.retain(|record| record.cadence.as_str() != "nurture");
}

fn never_end(changes: &mut Changes, now: Timestamp) {
    lose_successors(changes);
    changes.log.retain(|entry| entry.what != What::NotEnrolled);
    for moved in &mut changes.moved {
        if let Phase::Ended { .. } = &moved.state.phase {
            let until = now + SignedDuration::from_hours(24);
            moved.state.phase = Phase::Closing { until };
            moved.wake = Some(Wake { lane: Lane::Desk, at: until, waiting: Waiting::NotDue });
        }
    }
}
