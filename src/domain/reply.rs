//! What an inbound message is: a bounce, a complaint, a machine's answer, an opt-out, or a person's reply.

use jiff::civil::Date;

/// What an inbound message is. The order of the tests is that of mail.md, 3.3: reports first, then
/// machines, then opt-outs, and only what is left is a person's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A server reports that it could not deliver.
    Bounce(Bounce),
    /// Somebody pressed "this is spam" (RFC 5965).
    Complaint,
    /// A machine answered in a person's name.
    AutoReply(AutoReply),
    /// The person wants no more of this.
    Unsubscribe,
    /// Nothing that changes anything: a delay, a receipt, a calendar answer, a challenge, a list's note.
    Notice,
    /// A person wrote.
    Reply,
}

impl Kind {
    /// The word that is stored and shown.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Bounce(_) => "bounce",
            Self::Complaint => "complaint",
            Self::AutoReply(_) => "auto_reply",
            Self::Unsubscribe => "unsubscribe",
            Self::Notice => "notice",
            Self::Reply => "reply",
        }
    }
}

/// What a person's reply means, as the owner says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReplyKind {
    Interested,
    Question,
    Referral,
    WrongPerson,
    NotNow,
    NotInterested,
    Problem,
}

impl ReplyKind {
    /// Every kind with the word that a cadence writes for it.
    pub const ALL: [(&'static str, Self); 7] = [
        ("interested", Self::Interested),
        ("question", Self::Question),
        ("referral", Self::Referral),
        ("wrong_person", Self::WrongPerson),
        ("not_now", Self::NotNow),
        ("not_interested", Self::NotInterested),
        ("problem", Self::Problem),
    ];

    /// The word that a cadence writes.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("problem", |(word, _)| word)
    }

    /// From the word that a cadence writes.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
    }
}

/// What a non-delivery report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// The address is dead (not merely: "the code starts with 5").
    pub hard: bool,
    /// The enhanced status code of RFC 3463, such as `5.1.1`.
    pub status: Option<String>,
    /// The addresses that could not be reached, as the report names them, lower case.
    pub recipients: Vec<String>,
}

/// What a machine's answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoReply {
    /// The person is away, until (and including) that day if it says so.
    Away { until: Option<Date> },
    /// The person does not work there any more.
    LeftCompany,
    /// An acknowledgement of receipt, such as a ticket number.
    Acknowledgement,
}

/// One inbound message, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The message's own id without angle brackets, or a hash of the message when it has none.
    pub message_id: String,
    /// Lower-case addresses of From, Reply-To and Sender, without doubles; From first.
    pub from: Vec<String>,
    /// Message-IDs that it says it answers, best first: In-Reply-To, then References from right to left,
    /// then those of the original inside a report. Without angle brackets.
    pub answers: Vec<String>,
    pub subject: String,
    /// What the person wrote, without quotation and signature; at most 10,000 characters.
    pub new_text: String,
    pub kind: Kind,
    /// Why it was taken for that, in one sentence, with the words or the header that decided.
    pub reason: String,
}
