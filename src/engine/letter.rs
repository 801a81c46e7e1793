//! One mail for one person: subject, text, thread, footer, identity. Refuses rather than sends less.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::workspace::hex;
use super::{Engine, EngineError, Person};
use crate::domain::address::EmailAddress;
use crate::domain::cadence::{Content, Thread};
use crate::domain::enrollment::Edited;
use crate::domain::ids::{StepId, TouchId};
use crate::domain::settings::{Mailbox, Settings};
use crate::domain::touch::{SentMail, Status, Touch};
use crate::formats::message::{self, Letter};
use crate::formats::template::{RenderError, Rendered, html_with_preview};

/// A mail that is ready to be sent.
pub(super) struct Ready {
    pub to: EmailAddress,
    pub mail: SentMail,
    /// What mail programs show beside the subject.
    pub preview: Option<String>,
    /// The text part, with the footer.
    pub text: String,
    /// The HTML part that is derived from it.
    pub html: String,
    pub bytes: Vec<u8>,
    pub share: Share,
    /// The touch of an earlier try that was definitely not sent: this is the same touch again.
    pub again: Option<TouchId>,
}

/// Whether a mail counts where the variants of a split are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Share {
    /// There is one template only.
    NoSplit,
    /// Every variant could have been written for this person.
    InTest,
    /// Some variant could not: who gets which text is no longer left to chance.
    NotInTest { cannot: Vec<String> },
}

impl Share {
    /// The word in the log; none without a split.
    pub fn as_str(&self) -> Option<&'static str> {
        match self {
            Self::NoSplit => None,
            Self::InTest => Some("in_test"),
            Self::NotInTest { .. } => Some("not_in_test"),
        }
    }
}

/// What a mail says, before the footer.
pub(super) struct Draft {
    pub subject: String,
    /// What mail programs show beside the subject.
    preview: Option<String>,
    pub text: String,
    /// Whether it begins a conversation, under a subject of its own.
    pub begins_thread: bool,
    template: String,
    share: Share,
    /// The Message-IDs of the conversation so far, oldest first.
    answers: Vec<String>,
}

/// Why there is no mail for this person (promise 12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoLetter {
    /// A template needs what nobody knows.
    MissingField(String),
    /// The settings or the template do not allow any mail at all.
    Unfit(String),
}

impl std::fmt::Display for NoLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MissingField(field) => write!(f, "nobody knows `{field}`"),
            Self::Unfit(why) => f.write_str(why),
        }
    }
}

impl Engine {
    /// Writes the mail of a step for a person.
    pub(super) async fn letter(
        &self,
        person: &Person,
        mailbox: &Mailbox,
        step: &StepId,
        attempt: u32,
        now: Timestamp,
    ) -> Result<Result<Ready, NoLetter>, EngineError> {
        let earlier = self.store.touches_of(person.enrollment.id).await?;
        Ok(write(&self.settings, person, mailbox, (step, attempt), &earlier, now))
    }

    /// What the mail of a step would say to a person now.
    pub(super) async fn draft(
        &self,
        person: &Person,
        (step, attempt): (&StepId, u32),
        now: Timestamp,
    ) -> Result<Result<Draft, NoLetter>, EngineError> {
        let own = person.enrollment.mailbox.as_ref().and_then(|id| self.settings.mailboxes.get(id));
        let mailbox = own.or_else(|| self.settings.mailbox_of(&person.enrollment.owner));
        let Some(mailbox) = mailbox else {
            return Ok(Err(NoLetter::Unfit("there is no mailbox".to_owned())));
        };
        let earlier = self.store.touches_of(person.enrollment.id).await?;
        Ok(draft(person, mailbox, (step, attempt), &earlier, now))
    }
}

/// Writes the mail of a step behind what the enrollment sent before; touches nothing.
pub(super) fn write(
    settings: &Settings,
    person: &Person,
    mailbox: &Mailbox,
    (step, attempt): (&StepId, u32),
    earlier: &[Touch],
    now: Timestamp,
) -> Result<Ready, NoLetter> {
    let unfit = |why: &str| NoLetter::Unfit(why.to_owned());
    let Some(to) = person.prospect.known.email.clone() else {
        return Err(NoLetter::MissingField("email".to_owned()));
    };
    if settings.company.postal_address.trim().is_empty() {
        return Err(unfit("company.postal_address is not set in firsttouch.toml"));
    }
    let Draft { subject, preview, text, begins_thread, template, share, answers } =
        draft(person, mailbox, (step, attempt), earlier, now)?;
    let message_id = message_id(settings, person, step, attempt, &mailbox.from);
    let text = with_footer(settings, &text);
    let token = message_id.split('@').next().unwrap_or_default();
    let known = &person.prospect.known;
    let letter = Letter {
        message_id: message_id.clone(),
        date: now,
        from_name: mailbox.from_name.clone(),
        from: mailbox.from.clone(),
        to_name: known.first_name.is_some().then(|| person.prospect.display_name()),
        to: to.clone(),
        subject: subject.clone(),
        html: html_with_preview(preview.as_deref(), &text),
        text,
        in_reply_to: answers.last().cloned(),
        references: answers,
        unsubscribe_mailto: Some(format!("mailto:{}?subject=unsubscribe%20{token}", mailbox.from)),
        unsubscribe_url: mailbox.unsubscribe_url.as_ref().map(|url| format!("{url}/{token}")),
        touch_header: token.to_owned(),
    };
    let bytes = message::compose(&letter).map_err(|error| NoLetter::Unfit(error.to_string()))?;
    let mailbox = mailbox.id.clone();
    let mail = SentMail { mailbox, message_id, subject, begins_thread, template };
    let same = |touch: &&Touch| touch.step == *step && touch.attempt == attempt;
    // Also when it was to somebody else, who has left the account since: it is the same touch.
    let again = earlier.iter().find(same).map(|touch| touch.id);
    let Letter { text, html, .. } = letter;
    Ok(Ready { to, mail, preview, text, html, bytes, share, again })
}

/// The words of a mail: those of its template, unless a person of ours wrote others.
fn draft(
    person: &Person,
    mailbox: &Mailbox,
    (step, attempt): (&StepId, u32),
    earlier: &[Touch],
    now: Timestamp,
) -> Result<Draft, NoLetter> {
    let found = person.version.cadence.step(step).map(|(_, step)| &step.what);
    let Some(crate::domain::cadence::What::Email { content, thread, .. }) = found else {
        return Err(NoLetter::Unfit("the step is not a mail".to_owned()));
    };
    let released = person.enrollment.state.release_of(step, attempt);
    let edited = released.and_then(|released| released.edited.as_ref());
    let Written { template, rendered, share } = match edited {
        Some(edited) => as_edited(person.template(step, content), edited),
        None => render_any(person, mailbox, step, content, now)?,
    };
    // At an account a conversation is with one of them.
    let own = earlier.iter().filter(|touch| touch.prospect == person.prospect.id);
    let thread_so_far = thread_of(*thread, own);
    let (subject, begins_thread) = match thread_so_far.first() {
        Some(first) => (reply_subject(&first.subject), false),
        None => (first_subject(person, mailbox, step, rendered.subject.as_ref(), now)?, true),
    };
    let answers = thread_so_far.iter().map(|mail| mail.message_id.clone()).collect();
    let (template, Rendered { preview, text, .. }) = (template.to_owned(), rendered);
    Ok(Draft { subject, preview, text, begins_thread, template, share, answers })
}

fn render(
    person: &Person,
    mailbox: &Mailbox,
    template: &str,
    now: Timestamp,
) -> Result<Rendered, NoLetter> {
    let context = person.context(Some(mailbox), now);
    person.version.templates.render(template, &context).map_err(|error| match error {
        RenderError::MissingField(field) => NoLetter::MissingField(field),
        error => NoLetter::Unfit(error.to_string()),
    })
}

struct Written<'a> {
    template: &'a str,
    rendered: Rendered,
    share: Share,
}

/// The words that a person of ours wrote instead of those of the template. They tell nothing of how the
/// variants of a split compare.
fn as_edited<'a>(template: &'a str, Edited { subject, text }: &Edited) -> Written<'a> {
    let (subject, text) = (Some(subject.clone()), text.clone());
    Written { template, rendered: Rendered { subject, preview: None, text }, share: Share::NoSplit }
}

/// The variant that was drawn for this person; when it cannot be written, the first one that can. Only
/// somebody for whom every variant can be written takes part in the comparison: who gets a text because
/// they lack a field of the other is another kind of person.
fn render_any<'a>(
    person: &Person,
    mailbox: &Mailbox,
    step: &StepId,
    content: &'a Content,
    now: Timestamp,
) -> Result<Written<'a>, NoLetter> {
    let drawn = person.template(step, content);
    let Content::Split(variants) = content else {
        let rendered = render(person, mailbox, drawn, now)?;
        return Ok(Written { template: drawn, rendered, share: Share::NoSplit });
    };
    let (mut written, mut cannot, mut why) = (Vec::new(), Vec::new(), None);
    for (name, _) in variants {
        match render(person, mailbox, name, now) {
            Ok(rendered) => written.push((name.as_str(), rendered)),
            Err(error) => {
                cannot.push(name.clone());
                if name == drawn || why.is_none() {
                    why = Some(error);
                }
            }
        }
    }
    let best = written.iter().position(|(name, _)| *name == drawn).unwrap_or(0);
    if best >= written.len() {
        let none = || NoLetter::Unfit("the split has no variants".to_owned());
        return Err(why.unwrap_or_else(none));
    }
    let (template, rendered) = written.swap_remove(best);
    let share = if cannot.is_empty() { Share::InTest } else { Share::NotInTest { cannot } };
    Ok(Written { template, rendered, share })
}

/// The mails of the conversation that a step goes on with, oldest first; empty when it begins one.
/// A mail that was in doubt counts: the person may have it.
fn thread_of<'a>(thread: Thread, earlier: impl Iterator<Item = &'a Touch>) -> Vec<&'a SentMail> {
    if thread == Thread::New {
        return Vec::new();
    }
    let left = |touch: &&Touch| {
        matches!(touch.status, Status::Sent | Status::AssumedSent | Status::InDoubt)
    };
    let sent: Vec<&SentMail> =
        earlier.filter(left).filter_map(|touch| touch.mail.as_ref()).collect();
    let begins = sent.iter().rposition(|mail| mail.begins_thread).unwrap_or(0);
    sent.get(begins..).unwrap_or_default().to_vec()
}

/// When the mail that should have begun the conversation was skipped, this one begins it under the
/// subject of the last `thread: new` template.
fn first_subject(
    person: &Person,
    mailbox: &Mailbox,
    step: &StepId,
    own: Option<&String>,
    now: Timestamp,
) -> Result<String, NoLetter> {
    if let Some(own) = own {
        return Ok(own.clone());
    }
    let steps = &person.version.cadence.steps;
    let upto = person.version.cadence.step(step).map_or(0, |(position, _)| position);
    let begins = |step: &&crate::domain::cadence::Step| {
        matches!(step.what, crate::domain::cadence::What::Email { thread: Thread::New, .. })
    };
    let opener = steps.get(..upto).unwrap_or_default().iter().rev().find(begins);
    let Some(opener) = opener else {
        return Err(NoLetter::Unfit("no earlier mail gives this one a subject".to_owned()));
    };
    let content = match &opener.what {
        crate::domain::cadence::What::Email { content, .. } => content.clone(),
        _ => Content::Template(String::new()),
    };
    let opening = render_any(person, mailbox, &opener.id, &content, now)?;
    opening
        .rendered
        .subject
        .ok_or_else(|| NoLetter::Unfit("the first mail has no subject".to_owned()))
}

fn reply_subject(first: &str) -> String {
    match first.to_lowercase().starts_with("re:") {
        true => first.to_owned(),
        false => format!("Re: {first}"),
    }
}

/// Who we are and how to be left alone, in every mail (mail.md, R9 and R10).
fn with_footer(settings: &Settings, text: &str) -> String {
    let company = &settings.company;
    format!(
        "{}\n\n--\n{}, {}\nIf you would rather not hear from me, reply with \"no thanks\" or \"unsubscribe\" \
         and I will not write again.\n",
        text.trim_end(),
        company.name,
        company.postal_address
    )
}

/// The identity of a mail: nobody can guess it, and every try of the same touch has the same, on every
/// node and after a restore.
fn message_id(
    settings: &Settings,
    person: &Person,
    step: &StepId,
    attempt: u32,
    from: &EmailAddress,
) -> String {
    let what = format!("{}/{step}/{attempt}", person.enrollment.id);
    format!("ft{}@{}", keyed(&settings.secret, &what), from.domain())
}

/// 128 bits of HMAC-SHA256 in hexadecimal.
fn keyed(secret: &[u8], what: &str) -> String {
    // HMAC takes a key of any length (RFC 2104, section 2).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return String::new();
    };
    mac.update(what.as_bytes());
    hex(&mac.finalize().into_bytes()[..16])
}
