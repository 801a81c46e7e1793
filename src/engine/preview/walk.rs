//! One person's way through a cadence, step by step, as it would go if nobody answered.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Seen;
use crate::domain::budget::Waiting;
use crate::domain::cadence::{Channel, Content, Outcome, SocialAct, Step, What, When};
use crate::domain::enrollment::{Effect, Event, Phase, State, TaskKind, retimed};
use crate::domain::facts::{DATES, Facts, fill};

use crate::domain::ids::{BuyerRole, StepId, TouchId};
use crate::domain::outlook::{Answer, OPEN, Outlook, outlook};
use crate::domain::schedule;
use crate::domain::settings::{Mailbox, Settings};
use crate::domain::touch::{Status, Touch};
use crate::engine::dispatch::{circumstances, transition};
use crate::engine::letter::{self, NoLetter, Ready, Share};
use crate::engine::opening::Words;
use crate::engine::workspace::templates_of;
use crate::engine::{EngineError, Person};
use crate::formats::cadence_file::{FREE_NOTE, PAID_NOTE};

/// Everything that would happen, in order.
pub struct Plan {
    pub seen: Seen,
    pub items: Vec<Item>,
    /// What is to be known of the mailbox that would write.
    pub mailbox: Option<Mailbox>,
}

/// One step of the plan.
pub struct Item {
    pub step: StepId,
    pub when: When,
    /// When it would be done; limits and gaps may move it later.
    pub at: Timestamp,
    /// On whose clock it is dated.
    pub zone: TimeZone,
    /// For whom, at an account: the name and the role.
    pub who: Option<(String, BuyerRole)>,
    /// When a person of ours is asked to read it before it leaves.
    pub read_at: Option<Timestamp>,
    /// No time zone is known: it is not done at all.
    pub has_no_zone: bool,
    pub outlook: Outlook,
    pub does: Does,
}

/// What a step would do.
pub enum Does {
    Mail(Result<Box<MailText>, String>),
    Task {
        channel: Channel,
        title: String,
        text: String,
        /// What it lacks, or where it is too long.
        lacks: Vec<String>,
    },
}

/// A mail as it would be sent.
pub struct MailText {
    pub template: String,
    pub share: Share,
    /// The variants of a split with their weights; empty without one.
    pub variants: Vec<(String, u32)>,
    pub to: String,
    pub subject: String,
    pub preview: Option<String>,
    pub text: String,
    pub html: String,
}

/// Dates and renders every step for a person who begins now.
pub(super) fn plan(settings: &Settings, seen: Seen, now: Timestamp) -> Result<Plan, EngineError> {
    let mailbox = settings.mailbox_of(&seen.person.enrollment.owner).cloned();
    let steps = seen.person.version.cadence.steps.len();
    let mut walk = Walk { settings, mailbox, seen, sent: Vec::new() };
    let mut items = Vec::new();
    let mut now = now;
    // No step comes twice: nothing here retries.
    for _ in 0..steps {
        let Some(item) = walk.next(now)? else { break };
        now = item.at;
        items.push(item);
    }
    Ok(Plan { seen: walk.seen, items, mailbox: walk.mailbox })
}

struct Walk<'a> {
    settings: &'a Settings,
    mailbox: Option<Mailbox>,
    seen: Seen,
    /// The mails until now, so that replies find their thread.
    sent: Vec<Touch>,
}

impl Walk<'_> {
    fn next(&mut self, now: Timestamp) -> Result<Option<Item>, EngineError> {
        let person = &self.seen.person;
        let phase = person.enrollment.state.phase.clone();
        let Phase::Waiting { step: id, attempt, .. } = &phase else { return Ok(None) };
        let cadence = person.version.cadence.clone();
        let Some((_, step)) = cadence.step(id) else { return Ok(None) };
        let Some(next) = schedule::next(&person.place(), &person.enrollment.state) else {
            return Ok(None);
        };
        let at = next.at.max(now);
        let state = &person.enrollment.state;
        let (who, zone) = (whose(person, step), person.zone());
        let outlook = outlook(step, &Facts::of(&person.prospect), &person.closed, state);
        let outlook = match who_is_missing(person, step) {
            Some(closed) => Outlook { closed: Some(closed), answer: Answer::No, ..outlook },
            None => outlook,
        };
        let ready = self.write(step, *attempt, at);
        let does = self.does(step, ready.as_ref(), at);
        let is_written = ready.as_ref().is_none_or(Result::is_ok);
        if let Some(Ok(ready)) = ready.filter(|_| outlook.answer != Answer::No) {
            self.sent.push(touch(&self.seen.person, id, *attempt, ready, at));
        }
        let sent_at = self.advance(&outlook, is_written, at)?;
        let (at, read_at) = (sent_at.unwrap_or(at), sent_at.map(|_| at));
        let has_no_zone = next.waiting == Waiting::NoTimeZone;
        let (step, when) = (id.clone(), step.when.clone());
        Ok(Some(Item { step, when, at, zone, who, read_at, has_no_zone, outlook, does }))
    }

    /// The mail of a step; nothing for what a person does.
    fn write(&self, step: &Step, attempt: u32, at: Timestamp) -> Option<Result<Ready, NoLetter>> {
        let What::Email { .. } = step.what else { return None };
        let Some(mailbox) = &self.mailbox else {
            return Some(Err(NoLetter::Unfit("there is no mailbox to send it".to_owned())));
        };
        let person = &self.seen.person;
        let to_them = |touch: &&Touch| touch.prospect == person.prospect.id;
        let sent: Vec<Touch> = self.sent.iter().filter(to_them).cloned().collect();
        Some(letter::write(self.settings, person, mailbox, (&step.id, attempt), &sent, at))
    }

    fn does(&self, step: &Step, ready: Option<&Result<Ready, NoLetter>>, at: Timestamp) -> Does {
        if let Some(ready) = ready {
            let mail = ready.as_ref().map(|ready| Box::new(mail_text(step, ready)));
            return Does::Mail(mail.map_err(no_letter));
        }
        let Words { title, text } = self.seen.person.words(self.settings, &step.what, at);
        let lacks = self.lacks(&step.what, at);
        Does::Task { channel: step.what.channel(), title, text, lacks }
    }

    fn lacks(&self, what: &What, at: Timestamp) -> Vec<String> {
        let mut lacks = Vec::new();
        for name in templates_of(what) {
            let filling = self.seen.fill(self.settings, &name, at);
            lacks.extend(filling.missing.iter().map(|field| format!("`{field}` is not known")));
            lacks.extend(filling.failed);
            let length = filling.rendered.map_or(0, |text| text.text.trim().chars().count());
            lacks.extend(too_long(what, length));
        }
        lacks
    }

    /// What the engine would make of it: a mail counts as sent, a task as done in time. The result is
    /// when a mail leaves that somebody reads first, if it is one.
    fn advance(
        &mut self,
        outlook: &Outlook,
        is_written: bool,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, EngineError> {
        let mut circumstances = circumstances(&self.seen.person);
        if !is_written {
            circumstances.closed.push(Channel::Email);
        }
        let mut effects = self.apply(Event::Due(circumstances.clone()), at)?;
        let mut sent_at = None;
        if effects
            .iter()
            .any(|effect| matches!(effect, Effect::OpenTask { kind: TaskKind::Review, .. }))
        {
            self.apply(Event::Released { edited: None }, at)?;
            let person = &self.seen.person;
            let next = schedule::next(&person.place(), &person.enrollment.state);
            let left_at = next.map_or(at, |next| next.at.max(at));
            effects = self.apply(Event::Due(circumstances), left_at)?;
            sent_at = Some(left_at);
        }
        let is = |wanted: fn(&Effect) -> bool| effects.iter().any(wanted);
        if is(|effect| matches!(effect, Effect::SendMail { .. })) {
            let at = sent_at.unwrap_or(at);
            self.apply(Event::Intended, at)?;
            self.apply(Event::Sent, at)?;
        } else if is(|effect| matches!(effect, Effect::OpenTask { .. })) {
            self.collect();
            self.apply(Event::Done { outcome: Outcome::from(OPEN), until: None }, at)?;
        }
        if outlook.answer == Answer::Open
            && let Some(passed) = self.seen.person.enrollment.state.passed.last_mut()
        {
            passed.outcome = Outcome::from(OPEN);
        }
        Ok(sent_at)
    }

    fn apply(&mut self, event: Event, at: Timestamp) -> Result<Vec<Effect>, EngineError> {
        let (state, effects) = transition(&self.seen.person, event, at)?;
        self.seen.turn(state);
        Ok(effects)
    }

    /// What the task of the phase asks for is known of everybody there.
    fn collect(&mut self) {
        let state = &self.seen.person.enrollment.state;
        let step = state.phase.step().and_then(|(id, _)| self.seen.person.version.cadence.step(id));
        let Some(step) = step.map(|(_, step)| step.clone()) else { return };
        let people = [&mut self.seen.person].into_iter().chain(&mut self.seen.colleagues);
        people.for_each(|person| person.find_out(&step));
    }
}

impl Person {
    /// What a task asks for is known from then on, whatever it will be; dates are not made up.
    pub(super) fn find_out(&mut self, step: &Step) {
        let What::Task { collect, .. } = &step.what else { return };
        let known = Facts::of(&self.prospect);
        let is_open = |field: &&String| !known.has(field) && !DATES.contains(&field.as_str());
        for field in collect.iter().filter(is_open) {
            let plain = field.strip_prefix("x.").unwrap_or(field).replace(['_', '-'], " ");
            fill(&mut self.prospect.known, field, &format!("(the {plain} that was found)"));
        }
    }
}

impl Seen {
    /// Takes the next state; at an account it may be somebody else's turn.
    fn turn(&mut self, state: State) {
        let next = state.account.as_ref().and_then(|account| Some(account.current()?.who));
        let place = self.colleagues.iter().position(|one| Some(one.prospect.id) == next);
        let state = match place {
            None => state,
            Some(place) => {
                let next = self.colleagues.remove(place);
                let before = std::mem::replace(&mut self.person, next);
                let person = &self.person;
                let state = before.course(|old| person.course(|new| retimed(old, new, state)));
                self.colleagues.push(before);
                state
            }
        };
        self.person.enrollment.state = state;
    }
}

/// Whom a step touches at an account; nobody where it is about the account itself.
fn whose(person: &Person, step: &Step) -> Option<(String, BuyerRole)> {
    let account = person.enrollment.state.account.as_ref()?;
    let current = account.current().filter(|current| step.to.contains(&current.role))?;
    Some((person.prospect.display_name(), current.role.clone()))
}

/// Why a step touches nobody, when nobody there has its roles.
fn who_is_missing(person: &Person, step: &Step) -> Option<String> {
    let account = person.enrollment.state.account.as_ref()?;
    let has_role = |role: &BuyerRole| account.remaining().any(|member| member.role == *role);
    let is_there = step.to.is_empty() || step.to.iter().any(has_role);
    (!is_there).then(|| {
        let roles: Vec<&str> = step.to.iter().map(BuyerRole::as_str).collect();
        format!("nobody is the {} there", roles.join(" or the "))
    })
}

/// What LinkedIn says to a note of that length.
pub(super) fn too_long(what: &What, length: usize) -> Option<String> {
    let What::Social { act: SocialAct::Connect, .. } = what else { return None };
    let (free, paid) = (FREE_NOTE, PAID_NOTE);
    let room = match length {
        length if length > paid => format!("LinkedIn takes {paid} at most"),
        length if length > free => format!("LinkedIn takes {free} from a free account"),
        _ => return None,
    };
    Some(format!("the note has {length} characters: {room}"))
}

fn no_letter(why: &NoLetter) -> String {
    match why {
        NoLetter::MissingField(field) => format!("`{field}` is not known"),
        NoLetter::Unfit(why) => why.clone(),
    }
}

fn mail_text(step: &Step, ready: &Ready) -> MailText {
    let variants = match &step.what {
        What::Email { content: Content::Split(variants), .. } => variants.clone(),
        _ => Vec::new(),
    };
    MailText {
        template: ready.mail.template.clone(),
        share: ready.share.clone(),
        variants,
        to: ready.to.to_string(),
        subject: ready.mail.subject.clone(),
        preview: ready.preview.clone(),
        text: ready.text.clone(),
        html: ready.html.clone(),
    }
}

fn touch(person: &Person, step: &StepId, attempt: u32, ready: Ready, at: Timestamp) -> Touch {
    Touch {
        id: TouchId(0),
        enrollment: person.enrollment.id,
        prospect: person.prospect.id,
        step: step.clone(),
        attempt,
        channel: Channel::Email,
        status: Status::Sent,
        at,
        actor: "engine".to_owned(),
        mail: Some(ready.mail),
        outcome: None,
        version: None,
    }
}
