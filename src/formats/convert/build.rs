//! From what the products have in common to a cadence and its templates.

use std::collections::BTreeMap;

use jiff::civil;

use crate::domain::cadence::{
    Admission, Audience, By, Cadence, Colleagues, Content, Covers, EnrollWhen, Limits, MailMode,
    Priority, SocialAct, Step, StepHours, Thread, Verb, What,
};
use crate::domain::ids::{CadenceId, StepId};
use crate::domain::time::{DaySpan, Delay, Unit};
use crate::formats::language::{MAX_LIMIT, MAX_STEPS};
use crate::formats::yaml::writing::quoted;

use super::draft::{Draft, DraftStep, DraftWhat, Mail, Sending, changed, lost};
use super::variables::Gaps;
use super::{ConvertError, Remark, body};

/// A note with a request to connect is not longer on LinkedIn.
const MAX_NOTE: usize = 300;
/// A mail with more variants could not be told apart.
const MAX_VARIANTS: usize = 20;

pub(super) struct Built {
    pub cadence: Cadence,
    /// Name and text, in the order of the steps.
    pub templates: Vec<(String, String)>,
}

/// Makes the cadence; what cannot be carried over is noted.
pub(super) fn build(
    draft: Draft,
    calendar: &str,
    remarks: &mut Vec<Remark>,
) -> Result<Built, ConvertError> {
    let id = slug(&draft.name, "converted");
    changed(remarks, &draft.path, "anybody may come in: name your profiles under `enroll`");
    let mut builder = Builder { id: &id, remarks, templates: Vec::new(), steps: Vec::new() };
    for (at, step) in draft.steps.into_iter().enumerate() {
        if at < MAX_STEPS {
            builder.step(step)?;
        } else {
            lost(builder.remarks, &step.path, format!("a cadence has at most {MAX_STEPS} steps"));
        }
    }
    let Builder { templates, steps, .. } = builder;
    let window = DaySpan::new(civil::time(8, 0, 0, 0), civil::time(17, 0, 0, 0));
    let limit = draft.new_per_rep_per_day.map(|limit| limit.min(MAX_LIMIT));
    let cadence = Cadence {
        id: CadenceId(id),
        title: one_line(&draft.name),
        about: draft.about.map(|about| body::text(&about).text).unwrap_or_default(),
        audience: Audience::Prospects,
        profiles: Admission::Anybody,
        enroll_when: EnrollWhen::Manual,
        again_after: Some(Delay::new(180, Unit::Days)),
        days: draft.days,
        calendar: calendar.to_owned(),
        send_window: window.into_iter().collect(),
        limits: Limits { new_per_rep_per_day: limit, ..Limits::default() },
        unit: Covers::Prospect,
        company: Colleagues::usual(&Covers::Prospect, false),
        replies: BTreeMap::new(),
        custom_outcomes: BTreeMap::new(),
        steps,
        at_end: Verb::Stop,
    };
    Ok(Built { cadence, templates })
}

struct Builder<'a> {
    id: &'a str,
    remarks: &'a mut Vec<Remark>,
    templates: Vec<(String, String)>,
    steps: Vec<Step>,
}

impl Builder<'_> {
    fn step(&mut self, draft: DraftStep) -> Result<(), ConvertError> {
        let kind = match &draft.what {
            DraftWhat::Email { .. } => "email",
            DraftWhat::Call { .. } => "call",
            DraftWhat::Social { .. } => "linkedin",
            DraftWhat::Task { .. } => "task",
        };
        let count = self.steps.iter().filter(|step| step.id.as_str().starts_with(kind)).count();
        let id = format!("{kind}-{}", count + 1);
        let what = match draft.what {
            DraftWhat::Email { variants, reply, sending } => {
                self.email(&id, &draft.path, variants, reply, sending)?
            }
            DraftWhat::Call { notes } => {
                let none = || "There is no script for this call yet.".to_owned();
                let script = notes.unwrap_or_else(none);
                What::Call { script: self.text(&id, "", &draft.path, &script)?, voicemail: None }
            }
            DraftWhat::Social { act, notes } => self.social(&id, &draft.path, act, notes)?,
            DraftWhat::Task { notes } => {
                let named = draft.name.as_deref().map(one_line).filter(|name| !name.is_empty());
                let notes = self.notes(&id, &draft.path, notes)?;
                What::Task {
                    title: named.unwrap_or_else(|| "Do this by hand".to_owned()),
                    notes,
                    collect: Vec::new(),
                }
            }
        };
        self.steps.push(Step {
            by: By::Owner,
            to: Vec::new(),
            id: StepId(id),
            when: draft.when,
            what,
            only_if: Vec::new(),
            skip_if: Vec::new(),
            expires_after: Delay::new(3, Unit::BusinessDays),
            priority: Priority::Normal,
            hours: StepHours::Calendar,
            within: None,
            outcomes: BTreeMap::new(),
        });
        Ok(())
    }

    fn email(
        &mut self,
        id: &str,
        path: &str,
        mut variants: Vec<Mail>,
        reply: bool,
        sending: Sending,
    ) -> Result<What, ConvertError> {
        variants.retain(|mail| !mail.body.trim().is_empty());
        variants.truncate(MAX_VARIANTS);
        let has_thread = self.steps.iter().any(|step| matches!(step.what, What::Email { .. }));
        let thread = if reply && has_thread { Thread::Reply } else { Thread::New };
        let silent = variants.iter().any(|mail| mail.subject.is_none());
        let why = match (sending, thread) {
            _ if variants.is_empty() => "a mail without a text became a task",
            (_, Thread::New) if silent => {
                "a mail that begins a thread, but has no subject, became a task with its text"
            }
            (Sending::ByHand, _) => return self.mail(id, variants, thread, MailMode::Review),
            (Sending::Automatic, _) => return self.mail(id, variants, thread, MailMode::Auto),
        };
        changed(self.remarks, path, why);
        let first = variants.into_iter().next();
        let notes = match first {
            Some(mail) => {
                let subject = mail.subject.map(|subject| format!("Subject: {subject}\n\n"));
                let text = body::text(&mail.body).text;
                let text = format!("{}{text}", subject.unwrap_or_default());
                self.notes(id, &mail.path, Some(text))?
            }
            None => None,
        };
        let title = "Send this mail by hand".to_owned();
        Ok(What::Task { title, notes, collect: Vec::new() })
    }

    fn mail(
        &mut self,
        id: &str,
        variants: Vec<Mail>,
        thread: Thread,
        mode: MailMode,
    ) -> Result<What, ConvertError> {
        let count = u32::try_from(variants.len()).unwrap_or(1).max(1);
        let mut names = Vec::new();
        for (at, mail) in (0..count).zip(variants) {
            let suffix = if count == 1 { String::new() } else { format!("-{}", at + 1) };
            let head = match (thread, &mail.subject) {
                (Thread::New, Some(subject)) => {
                    let subject = Gaps::new(&mail.path, self.remarks).text(&one_line(subject))?;
                    format!("---\nsubject: {}\n---\n", quoted(&subject))
                }
                (Thread::Reply, Some(_)) => {
                    let path = format!("{}.subject", mail.path);
                    lost(self.remarks, &path, "a reply keeps the subject of its thread");
                    String::new()
                }
                (Thread::New | Thread::Reply, None) => String::new(),
            };
            let name = self.text(&format!("{id}{suffix}"), &head, &mail.path, &mail.body)?;
            names.push((name, 100 / count + u32::from(at < 100 % count)));
        }
        let content = match names.as_slice() {
            [(name, _)] => Content::Template(name.clone()),
            _ => Content::Split(names),
        };
        Ok(What::Email { content, thread, mode })
    }

    fn social(
        &mut self,
        id: &str,
        path: &str,
        act: SocialAct,
        notes: Option<String>,
    ) -> Result<What, ConvertError> {
        let length = notes.as_deref().map_or(0, |notes| body::text(notes).text.chars().count());
        let fits = act != SocialAct::Connect || length <= MAX_NOTE;
        if !fits {
            let message = format!(
                "the note of {length} characters; LinkedIn takes {MAX_NOTE} with a request to connect"
            );
            lost(self.remarks, path, message);
        }
        let text = self.notes(id, path, notes.filter(|_| fits))?;
        Ok(What::Social { network: "linkedin".to_owned(), act, text })
    }

    fn notes(
        &mut self,
        id: &str,
        path: &str,
        notes: Option<String>,
    ) -> Result<Option<String>, ConvertError> {
        let notes = notes.filter(|notes| !body::text(notes).text.is_empty());
        notes.map(|notes| self.text(id, "", path, &notes)).transpose()
    }

    /// Keeps a text as a template, and gives back its name.
    fn text(
        &mut self,
        id: &str,
        head: &str,
        path: &str,
        body: &str,
    ) -> Result<String, ConvertError> {
        let body::Body { text, pictures } = body::text(body);
        if pictures > 0 {
            lost(self.remarks, path, format!("pictures ({pictures}): mails are text"));
        }
        let text = Gaps::new(path, self.remarks).text(&text)?;
        let cadence: String = self.id.chars().take(40).collect();
        let name = format!("{}-{id}", cadence.trim_end_matches('-'));
        self.templates.push((name.clone(), format!("{head}{text}\n")));
        Ok(name)
    }
}

/// A name for files out of any text.
pub(super) fn slug(text: &str, otherwise: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            c if c.is_ascii_alphanumeric() => slug.push(c),
            '_' if !slug.is_empty() => slug.push('_'),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug: String = slug.chars().take(60).collect();
    let slug = slug.trim_end_matches(['-', '_']);
    if slug.is_empty() { otherwise.to_owned() } else { slug.to_owned() }
}

fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(200).collect()
}
