//! Mail servers and inboxes that do everything that real ones do.

use async_trait::async_trait;
use firsttouch::domain::delivery::{Answer, Envelope, Failure, Phase};
use firsttouch::domain::ids::MailboxId;
use firsttouch::ports::{
    Batch, Changes, Inbox, InboxError, InboxRead, Mailer, Offered, RawMessage,
};
use jiff::{SignedDuration, Timestamp};

use super::faults::Kind;
use super::mutations::Mutation;
use super::world::{Accepted, Answered, Incoming, World};

pub struct SimMailer(pub World);

struct SimOffered {
    world: World,
    envelope: Envelope,
}

#[async_trait]
impl Mailer for SimMailer {
    async fn offer(&self, envelope: &Envelope) -> Result<Box<dyn Offered>, Failure> {
        let world = &self.0;
        if world.state().mutation == Mutation::ReadClockOnce {
            world.clocks.show(world.node, Some(world.now()));
        }
        world.gate("offer").await;
        world.pass(world.state().chance.secs(0, 4));
        if world.fault(Kind::ServerSlow, 800) {
            world.pass(world.state().chance.secs(10, 900));
        }
        let refused = self.refused(&envelope.mailbox);
        world.gate("offered").await;
        match refused {
            Some(failure) => {
                world.clocks.show(world.node, None);
                world.note(|| format!("offer to {} fails: {failure:?}", envelope.to));
                Err(failure)
            }
            None => Ok(Box::new(SimOffered { world: world.clone(), envelope: envelope.clone() })),
        }
    }
}

impl SimMailer {
    fn refused(&self, mailbox: &MailboxId) -> Option<Failure> {
        let (world, now) = (&self.0, self.0.true_now());
        if world.fault(Kind::ServerGone, 120) {
            let until = now + world.state().chance.mins(600, 1_600);
            world.state().servers_gone_until.insert(mailbox.clone(), until);
        }
        let state = world.state();
        let gone = state.servers_gone_until.get(mailbox).is_some_and(|until| now < *until);
        let faulty = state.faulty;
        drop(state);
        if gone && faulty {
            return Some(failure(Phase::Connect, None));
        }
        world.fault(Kind::ServerRefuses, 1_200).then(|| refusal(world))
    }
}

/// Before the content: who fails, and with which words.
fn refusal(world: &World) -> Failure {
    let mut state = world.state();
    let chance = &mut state.chance;
    let phase = *chance.pick(&[
        Phase::Connect,
        Phase::Auth,
        Phase::Sender,
        Phase::Recipient,
        Phase::Recipient,
        Phase::Recipient,
    ]);
    type Code = (u16, (u8, u16, u16));
    let codes: &[Option<Code>] = &[
        None,
        Some((450, (4, 2, 0))),
        Some((421, (4, 3, 2))),
        Some((550, (5, 1, 1))),
        Some((554, (5, 7, 1))),
    ];
    failure(phase, *chance.pick(codes))
}

fn failure(phase: Phase, answer: Option<(u16, (u8, u16, u16))>) -> Failure {
    let answer = answer.map(|(code, enhanced)| Answer {
        code,
        enhanced: Some(enhanced),
        text: "simulated".to_owned(),
    });
    Failure { phase, answer, detail: "simulated".to_owned() }
}

#[async_trait]
impl Offered for SimOffered {
    async fn content(self: Box<Self>, message: &[u8]) -> Result<String, Failure> {
        let world = self.world.clone();
        world.clocks.show(world.node, None);
        let id = header(message, "message-id");
        super::checks::on_content(&world, &id, &self.envelope, message);
        world.state().on_its_way.insert(id.clone(), world.node);
        world.gate("content").await;
        let answered = draw_answer(&world);
        world.state().answered.entry(id.clone()).or_default().push(answered);
        world.note(|| format!("content {id}: {answered:?}"));
        if matches!(answered, Answered::Accepted | Answered::AcceptedInDoubt) {
            let twice = world.state().mutation == Mutation::SendTwice;
            for _ in 0..1 + u32::from(twice) {
                world.accept(Accepted {
                    message_id: id.clone(),
                    to: self.envelope.to.to_string(),
                    mailbox: self.envelope.mailbox.clone(),
                });
            }
        }
        pass_time(&world, answered);
        world.state().on_its_way.remove(&id);
        world.gate("content sent").await;
        super::mutations::write_what_was_held_back(&world).await;
        match answered {
            Answered::Accepted => Ok("250 2.0.0 ok".to_owned()),
            Answered::AcceptedInDoubt | Answered::LostInDoubt => Err(failure(Phase::Content, None)),
            Answered::Later => Err(failure(Phase::Content, Some((451, (4, 3, 0))))),
            Answered::Never => Err(failure(Phase::Content, Some((554, (5, 7, 1))))),
        }
    }

    async fn withdraw(self: Box<Self>) {
        self.world.clocks.show(self.world.node, None);
        self.world.gate("withdraw").await;
    }
}

fn draw_answer(world: &World) -> Answered {
    let kinds = [
        (Kind::AcceptedAnswerLost, 500, Answered::AcceptedInDoubt),
        (Kind::AnswerLost, 400, Answered::LostInDoubt),
        (Kind::AnswerLater, 500, Answered::Later),
        (Kind::AnswerNever, 300, Answered::Never),
    ];
    let drawn = kinds.into_iter().find(|(kind, times, _)| world.fault(*kind, *times));
    drawn.map_or(Answered::Accepted, |(_, _, answered)| answered)
}

/// A server that says nothing lets us wait for ten minutes.
fn pass_time(world: &World, answered: Answered) {
    let by = match answered {
        Answered::AcceptedInDoubt | Answered::LostInDoubt => world.state().chance.secs(1, 600),
        Answered::Accepted | Answered::Later | Answered::Never => world.state().chance.secs(0, 3),
    };
    world.pass(by);
}

/// The value of a header, unfolded, without angle brackets.
pub fn header(message: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(message);
    let head = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
    let line = head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    });
    line.unwrap_or_default().trim_matches(['<', '>']).to_owned()
}

pub struct SimInbox(pub World);

#[async_trait]
impl Inbox for SimInbox {
    async fn fetch(
        &self,
        mailbox: &MailboxId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Batch, InboxError> {
        self.0.gate("fetch").await;
        if self.0.fault(Kind::InboxSlow, 100) {
            self.0.pass(self.0.state().chance.secs(30, 900));
        }
        if self.is_gone(mailbox) || self.0.fault(Kind::InboxError, 60) {
            return Err(InboxError {
                mailbox: mailbox.clone(),
                attempted: "simulated".to_owned(),
                detail: "simulated".to_owned(),
            });
        }
        let batch = self.batch(mailbox, cursor, limit);
        self.move_cursor_first(mailbox, &batch).await;
        let nothing = batch.messages.is_empty();
        self.0.gate(if nothing { "fetched nothing" } else { "fetched" }).await;
        Ok(batch)
    }
}

impl SimInbox {
    /// Now and then a server is gone for hours or a day.
    fn is_gone(&self, mailbox: &MailboxId) -> bool {
        let now = self.0.true_now();
        let begins = self.0.fault(Kind::InboxGone, 20);
        let mut state = self.0.state();
        if begins {
            let until = now + state.chance.mins(20, 1_500);
            state.inboxes.gone_until.insert(mailbox.clone(), until);
        }
        state.faulty && state.inboxes.gone_until.get(mailbox).is_some_and(|until| now < *until)
    }

    fn batch(&self, mailbox: &MailboxId, cursor: Option<&str>, limit: usize) -> Batch {
        let (now, true_now) = (self.0.now(), self.0.true_now());
        let mut state = self.0.state();
        let limit = limit.min(usize::try_from(state.chance.between(1, 4)).expect("small"));
        arrive(&mut state, mailbox, true_now);
        // A cursor may lie before messages that were read: they come twice.
        let from: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let new = state.inboxes.there.get(mailbox).is_some_and(|there| there.len() > from);
        let again = new && state.happens(Kind::ReadTwice, 800);
        let inboxes = &mut state.inboxes;
        let there = inboxes.there.entry(mailbox.clone()).or_default();
        let from = if again { from.saturating_sub(2) } else { from };
        let upto = (from + limit).min(there.len());
        let raw = |letter: &Incoming| RawMessage {
            place: letter.id.clone(),
            bytes: letter.bytes.clone(),
        };
        let messages = there[from.min(upto)..upto].iter().map(raw).collect();
        let more = upto < there.len();
        if !more {
            let reads = inboxes.reads.entry(mailbox.clone()).or_default();
            if reads.len() > 200 {
                reads.drain(..100);
            }
            reads.push(now);
            inboxes.read_at.insert(mailbox.clone(), true_now);
        }
        Batch { messages, cursor: Some(upto.to_string()), more }
    }

    /// A broken rule: what has not been taken in yet is never asked for again.
    async fn move_cursor_first(&self, mailbox: &MailboxId, batch: &Batch) {
        if self.0.state().mutation != Mutation::MoveCursorFirst {
            return;
        }
        let store = self.0.state().store.clone().expect("a store");
        let before = store.mailbox(mailbox).await.expect("a mailbox").inbox_read_at;
        let (mailbox, cursor) = (mailbox.clone(), batch.cursor.clone());
        let at = before.unwrap_or(Timestamp::MIN);
        let inbox_read = Some(InboxRead { mailbox, cursor, at });
        store.write(Changes { inbox_read, ..Changes::default() }).await.expect("written");
        // Such a program does not hurry either.
        for _ in 0..8 {
            self.0.gate("moved the cursor").await;
        }
    }
}

/// What has come lies in the inbox, not always in the order in which it was sent.
fn arrive(state: &mut super::world::State, mailbox: &MailboxId, now: Timestamp) {
    loop {
        let coming = state.inboxes.coming.entry(mailbox.clone()).or_default();
        let Some(first) = coming.first_entry().filter(|first| first.get().at <= now) else {
            return;
        };
        let letter = first.remove();
        let next = coming.first_key_value().map(|(_, next)| next.at);
        let soon = next.is_some_and(|at| at <= now + SignedDuration::from_hours(24));
        if soon && state.happens(Kind::Reordered, 8_000) {
            let at = next.unwrap_or(now) + SignedDuration::from_secs(1);
            state.inboxes.written += 1;
            let place = 2 * state.inboxes.written;
            let coming = state.inboxes.coming.entry(mailbox.clone()).or_default();
            coming.insert((at, place), Incoming { at, ..letter });
            continue;
        }
        state.inboxes.there.entry(mailbox.clone()).or_default().push(letter);
    }
}

/// How far the content of a mail may lie behind its intent, with a second for rounding.
pub const CONTENT_WITHIN: SignedDuration = SignedDuration::from_secs(31);
