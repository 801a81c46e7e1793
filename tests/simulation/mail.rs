//! Mail servers and inboxes that do everything that real ones do.

use async_trait::async_trait;
use firsttouch::domain::delivery::{Answer, Envelope, Failure, Phase};
use firsttouch::domain::ids::MailboxId;
use firsttouch::ports::{Batch, Inbox, InboxError, Mailer, Offered, RawMessage};
use jiff::SignedDuration;

use super::world::{Accepted, Answered, Mutation, World};

pub struct SimMailer(pub World);

struct SimOffered {
    world: World,
    envelope: Envelope,
}

#[async_trait]
impl Mailer for SimMailer {
    async fn offer(&self, envelope: &Envelope) -> Result<Box<dyn Offered>, Failure> {
        self.0.gate("offer").await;
        self.0.clock.jump(self.0.state().chance.secs(0, 4));
        let refused = self.0.fault(1200).then(|| refusal(&self.0));
        self.0.gate("offered").await;
        match refused {
            Some(failure) => {
                self.0.note(&format!("offer to {} fails: {failure:?}", envelope.to));
                Err(failure)
            }
            None => Ok(Box::new(SimOffered { world: self.0.clone(), envelope: envelope.clone() })),
        }
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
        let begins_at = world.now();
        let message_id = header(message, "message-id");
        super::checks::on_content(&world, &message_id, &self.envelope, message);
        world.gate("content").await;
        let answered = draw_answer(&world);
        world.state().answered.entry(message_id.clone()).or_default().push(answered);
        world.note(&format!("content {message_id}: {answered:?}"));
        if matches!(answered, Answered::Accepted | Answered::AcceptedInDoubt) {
            let twice = world.state().mutation == Mutation::SendTwice;
            for _ in 0..1 + u32::from(twice) {
                world.accept(Accepted {
                    message_id: message_id.clone(),
                    to: self.envelope.to.to_string(),
                    mailbox: self.envelope.mailbox.clone(),
                    at: begins_at,
                });
            }
        }
        pass_time(&world, answered);
        world.gate("content sent").await;
        match answered {
            Answered::Accepted => Ok("250 2.0.0 ok".to_owned()),
            Answered::AcceptedInDoubt | Answered::LostInDoubt => Err(failure(Phase::Content, None)),
            Answered::Later => Err(failure(Phase::Content, Some((451, (4, 3, 0))))),
            Answered::Never => Err(failure(Phase::Content, Some((554, (5, 7, 1))))),
        }
    }

    async fn withdraw(self: Box<Self>) {
        self.world.gate("withdraw").await;
    }
}

fn draw_answer(world: &World) -> Answered {
    let mut state = world.state();
    if !state.faulty {
        return Answered::Accepted;
    }
    match state.chance.between(0, 99) {
        0..5 => Answered::AcceptedInDoubt,
        5..9 => Answered::LostInDoubt,
        9..14 => Answered::Later,
        14..17 => Answered::Never,
        _ => Answered::Accepted,
    }
}

/// A server that says nothing lets us wait for ten minutes.
fn pass_time(world: &World, answered: Answered) {
    let by = match answered {
        Answered::AcceptedInDoubt | Answered::LostInDoubt => world.state().chance.secs(1, 600),
        Answered::Accepted | Answered::Later | Answered::Never => world.state().chance.secs(0, 3),
    };
    world.clock.jump(by);
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
        if self.is_out(mailbox) {
            return Err(InboxError {
                mailbox: mailbox.clone(),
                attempted: "simulated".to_owned(),
                detail: "simulated".to_owned(),
            });
        }
        let batch = self.batch(mailbox, cursor, limit);
        self.0.gate("fetched").await;
        Ok(batch)
    }
}

impl SimInbox {
    /// Now and then a server is gone for hours.
    fn is_out(&self, mailbox: &MailboxId) -> bool {
        let now = self.0.now();
        let begins = self.0.fault(40);
        let mut state = self.0.state();
        if !state.faulty {
            return false;
        }
        if begins {
            let until = now + state.chance.mins(20, 400);
            state.inboxes.out_until.insert(mailbox.clone(), until);
        }
        state.inboxes.out_until.get(mailbox).is_some_and(|until| now < *until)
    }

    fn batch(&self, mailbox: &MailboxId, cursor: Option<&str>, limit: usize) -> Batch {
        let now = self.0.now();
        let mut state = self.0.state();
        let limit = limit.min(usize::try_from(state.chance.between(1, 4)).expect("small"));
        let again = state.faulty && state.chance.percent(5);
        let inboxes = &mut state.inboxes;
        let coming = inboxes.coming.entry(mailbox.clone()).or_default();
        let there = inboxes.there.entry(mailbox.clone()).or_default();
        while coming.first().is_some_and(|letter| letter.at <= now) {
            there.push(coming.remove(0));
        }
        let from: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        // A cursor may lie before messages that were read: they come twice.
        let from = if again { from.saturating_sub(2) } else { from };
        let upto = (from + limit).min(there.len());
        let raw = |letter: &super::world::Incoming| RawMessage {
            place: letter.id.clone(),
            bytes: letter.bytes.clone(),
        };
        let messages = there[from.min(upto)..upto].iter().map(raw).collect();
        let more = upto < there.len();
        if !more {
            inboxes.reads.entry(mailbox.clone()).or_default().push(now);
        }
        Batch { messages, cursor: Some(upto.to_string()), more }
    }
}

/// How far the content of a mail may lie behind its intent, with a second for rounding.
pub const CONTENT_WITHIN: SignedDuration = SignedDuration::from_secs(31);
