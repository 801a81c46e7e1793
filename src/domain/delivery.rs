//! What came of handing one mail to a server: where it failed decides whose trouble it is.

use super::address::EmailAddress;
use super::ids::MailboxId;

/// The stage of one SMTP conversation (RFC 5321).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// TCP, TLS, greeting, `EHLO`.
    Connect,
    /// `AUTH`.
    Auth,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`, up to the server's 354: no content has left.
    Data,
    /// The content or the dot after it was written, entirely or possibly.
    Content,
}

impl Phase {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Auth => "auth",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Data => "data",
            Self::Content => "content",
        }
    }
}

/// What a server said: a reply code, the enhanced code of RFC 3463 when there was one, and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Such as 550.
    pub code: u16,
    /// Such as (5, 1, 1).
    pub enhanced: Option<(u8, u16, u16)>,
    /// The rest of the reply on one line, at most 500 characters.
    pub text: String,
}

/// A mail that was not (certainly) taken over by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How far the conversation had come.
    pub phase: Phase,
    /// The server's definite answer; `None` when the line broke or a time limit ran out.
    pub answer: Option<Answer>,
    /// One line for the operator; never an address, a password or message text.
    pub detail: String,
}

/// What a failure means for the touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not sent, and the next try may work: greylisting, a full queue, a broken line.
    TryLater,
    /// Not sent, and this address will not work: hard bounce.
    DeadAddress,
    /// Not sent, refused for good, but not because the address is dead: policy, content.
    Refused,
    /// Not sent, and it is our mailbox or server that is in trouble: nobody can be mailed through it.
    MailboxTrouble,
    /// It may have been sent: never try again by ourselves.
    InDoubt,
}

impl Failure {
    /// What the failure means (engine.md, part 2, table "phase to outcome"; RFC 3463 for the codes).
    pub fn verdict(&self) -> Verdict {
        let Some(answer) = &self.answer else {
            return match self.phase {
                Phase::Content => Verdict::InDoubt,
                Phase::Connect | Phase::Auth | Phase::Sender => Verdict::MailboxTrouble,
                Phase::Recipient | Phase::Data => Verdict::TryLater,
            };
        };
        let permanent = answer.code >= 500;
        match self.phase {
            Phase::Connect | Phase::Auth | Phase::Sender => Verdict::MailboxTrouble,
            // 421: the server is closing the channel, whatever was asked (RFC 5321, 3.8).
            Phase::Recipient | Phase::Data | Phase::Content if answer.code == 421 => {
                Verdict::MailboxTrouble
            }
            Phase::Recipient if permanent && answer.means_dead_address() => Verdict::DeadAddress,
            Phase::Recipient | Phase::Data | Phase::Content if permanent => Verdict::Refused,
            Phase::Recipient | Phase::Data | Phase::Content => Verdict::TryLater,
        }
    }
}

impl Answer {
    /// Whether a permanent refusal says that the address or its domain does not exist, as against
    /// policy, a full mailbox or a message that is too big.
    pub fn means_dead_address(&self) -> bool {
        match self.enhanced {
            Some((5, 1, detail)) => matches!(detail, 1 | 2 | 3 | 6 | 10),
            Some((5, 4, 4)) => true,
            Some(_) => false,
            None => {
                let text = self.text.to_lowercase();
                let unknown = ["user unknown", "unknown user", "no such user", "does not exist"];
                let nobody =
                    ["no mailbox", "mailbox unavailable", "mailbox not found", "no such recipient"];
                matches!(self.code, 550 | 551 | 553)
                    && unknown.iter().chain(&nobody).any(|words| text.contains(words))
            }
        }
    }
}

/// The envelope of one mail: one sender, one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    pub mailbox: MailboxId,
    pub from: EmailAddress,
    pub to: EmailAddress,
}

#[cfg(test)]
mod tests {
    use super::*;

    type Said<'a> = (u16, Option<(u8, u16, u16)>, &'a str);

    fn failure(phase: Phase, answer: Option<Said>) -> Failure {
        let answer =
            answer.map(|(code, enhanced, text)| Answer { code, enhanced, text: text.to_owned() });
        Failure { phase, answer, detail: String::new() }
    }

    #[test]
    fn where_it_failed_decides_whose_trouble_it_is() {
        use Phase::*;
        use Verdict::*;
        for (phase, answer, verdict) in [
            (Connect, None, MailboxTrouble),
            (Auth, Some((535, Some((5, 7, 8)), "bad password")), MailboxTrouble),
            (Sender, Some((550, Some((5, 1, 8)), "sender rejected")), MailboxTrouble),
            (Recipient, None, TryLater),
            (Recipient, Some((450, Some((4, 2, 0)), "greylisted")), TryLater),
            (Recipient, Some((550, Some((5, 1, 1)), "nobody here")), DeadAddress),
            (Recipient, Some((550, None, "No such user")), DeadAddress),
            (Recipient, Some((550, None, "blocked by policy")), Refused),
            (Recipient, Some((552, Some((5, 2, 2)), "mailbox full")), Refused),
            (Recipient, Some((421, None, "closing")), MailboxTrouble),
            (Data, None, TryLater),
            (Content, None, InDoubt),
            (Content, Some((451, None, "try again")), TryLater),
            (Content, Some((554, Some((5, 7, 1)), "spam")), Refused),
        ] {
            assert_eq!(failure(phase, answer).verdict(), verdict, "{phase:?} {answer:?}");
        }
    }
}
