//! Who must not be touched, on which channels, and why.

use jiff::Timestamp;

use super::address::EmailAddress;
use super::cadence::Channel;
use super::ids::ProspectId;
use super::prospect::Prospect;

/// What is blocked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A mailbox, under its canonical address.
    Email(String),
    /// Every mailbox at a domain (never a free-mail one).
    Domain(String),
    /// A telephone number, E.164.
    Phone(String),
    /// A person, on every channel.
    Person(ProspectId),
}

/// Why it is blocked: the category that a rep may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    OptOut,
    Complaint,
    HardBounce,
    DoNotCall,
    BadNumber,
    /// Somebody of ours said so.
    Manual,
}

impl Cause {
    /// Every cause with the word that is stored and shown.
    pub const ALL: [(&'static str, Self); 6] = [
        ("opt_out", Self::OptOut),
        ("complaint", Self::Complaint),
        ("hard_bounce", Self::HardBounce),
        ("do_not_call", Self::DoNotCall),
        ("bad_number", Self::BadNumber),
        ("manual", Self::Manual),
    ];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, cause)| *cause == self).map_or("manual", |(word, _)| word)
    }
}

/// One block. Blocks are only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    pub subject: Subject,
    pub cause: Cause,
    /// Who or what asked, such as `reply` or a rep's id.
    pub source: String,
    pub at: Timestamp,
}

impl Subject {
    /// The kind as it is stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Domain(_) => "domain",
            Self::Phone(_) => "phone",
            Self::Person(_) => "person",
        }
    }

    /// The value as it is stored.
    pub fn value(&self) -> String {
        match self {
            Self::Email(text) | Self::Domain(text) | Self::Phone(text) => text.clone(),
            Self::Person(id) => id.to_string(),
        }
    }

    /// From what is stored.
    pub fn parse(kind: &str, value: &str) -> Option<Self> {
        match kind {
            "email" => Some(Self::Email(value.to_owned())),
            "domain" => Some(Self::Domain(value.to_owned())),
            "phone" => Some(Self::Phone(value.to_owned())),
            "person" => value.parse().ok().map(|id| Self::Person(ProspectId(id))),
            _ => None,
        }
    }

    /// The mailbox of an address, whatever its spelling.
    pub fn email(address: &EmailAddress) -> Self {
        Self::Email(address.canonical())
    }

    /// Everything under which a person may be blocked.
    pub fn all_of(prospect: &Prospect) -> Vec<Self> {
        let known = &prospect.known;
        let emails = known.email.iter().chain(&known.other_emails);
        let domain = known.email.iter().map(|email| Self::Domain(email.domain().to_owned()));
        let phones = known.phones.iter().map(|phone| Self::Phone(phone.e164.clone()));
        std::iter::once(Self::Person(prospect.id))
            .chain(emails.map(Self::email))
            .chain(domain)
            .chain(phones)
            .collect()
    }
}

/// The channels that are closed for a person, given the blocks that were found under its subjects.
pub fn closed_channels(prospect: &Prospect, blocks: &[Suppression]) -> Vec<Channel> {
    let blocked = |subject: &Subject| blocks.iter().any(|block| block.subject == *subject);
    if blocked(&Subject::Person(prospect.id)) {
        return vec![Channel::Email, Channel::Call, Channel::Social, Channel::Task];
    }
    let mut closed = Vec::new();
    let known = &prospect.known;
    let email_blocked = known.email.as_ref().is_some_and(|email| {
        blocked(&Subject::email(email)) || blocked(&Subject::Domain(email.domain().to_owned()))
    });
    if email_blocked || known.email_opt_out {
        closed.push(Channel::Email);
    }
    let dead = |phone: &super::prospect::Phone| blocked(&Subject::Phone(phone.e164.clone()));
    if known.do_not_call || (!known.phones.is_empty() && known.phones.iter().all(dead)) {
        closed.push(Channel::Call);
    }
    closed
}
