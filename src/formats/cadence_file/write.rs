//! A cadence as its file: the way back from [`super::parse`].
//!
//! Every field of a cadence is named here, so that a new one does not compile until it is written, too.

use thiserror::Error;

use crate::domain::cadence::{
    Admission, Audience, By, Cadence, Colleagues, Condition, Content, Covers, DayKind, EnrollWhen,
    HandOff, Limits, MailMode, Others, Priority, SocialAct, Step, StepHours, Test, Thread, Verb,
    What, When,
};
use crate::domain::ids::{BuyerRole, ProfileId, StepId};
use crate::domain::time::Delay;
use crate::formats::fmt::{self, Kind};
use crate::formats::yaml::writing::{Value, inline, scalar, scalar_on_its_own};

use super::Defaults;

/// Why a cadence has no file. One that was read from a file always has one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unwritable {
    #[error("step `{0}`: a condition has two lines of one kind")]
    TwoOfAKind(StepId),
    #[error("{place}: `{value}` would be read as a comparison")]
    LooksLikeAComparison { place: String, value: String },
}

/// The lines that tell an editor which keys there are, for a file in `cadences/`.
pub const SCHEMA_LINES: &str = "# yaml-language-server: $schema=../schema/cadence.v1.schema.json\n\
    # $schema: ../schema/cadence.v1.schema.json\n";

/// The text of the file in which a cadence stands, as `firsttouch fmt` writes it.
///
/// # Errors
/// The conditions of a step cannot be said in the language.
pub fn write(cadence: &Cadence) -> Result<String, Unwritable> {
    let rough = rough(tree(cadence)?);
    let path = format!("cadences/{}.yaml", cadence.id);
    Ok(fmt::format(&path, Kind::Cadence, &rough).unwrap_or(rough))
}

/// The keys of the file in their order.
pub(in crate::formats) fn tree(cadence: &Cadence) -> Result<Vec<(String, Value)>, Unwritable> {
    let Cadence {
        id,
        title,
        about,
        unit,
        audience,
        profiles,
        enroll_when,
        again_after,
        days,
        calendar,
        send_window,
        limits,
        company,
        replies,
        custom_outcomes,
        steps,
        at_end,
    } = cadence;
    let defaults = defaults(steps);
    let steps = steps.iter().map(|one| step(one, &defaults).map(Value::Map));
    let steps = steps.collect::<Result<Vec<_>, _>>()?;
    let spans = send_window.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut keys = Keys::default();
    keys.put("format", Value::text("cadence/v1"));
    keys.put("id", Value::text(id.as_str()));
    keys.put("title", Value::text(title));
    keys.put_if(!about.is_empty(), "about", || Value::text(about));
    if let Covers::Company { roles } = unit {
        keys.put("unit", Value::text("company"));
        let role = |(role, profile): &(BuyerRole, ProfileId)| {
            (role.to_string(), Value::text(profile.as_str()))
        };
        keys.put_map("roles", Keys(roles.iter().map(role).collect()));
    }
    keys.put("enroll", enroll(*audience, profiles, enroll_when, *again_after)?);
    keys.put("days", Value::text(day_kind(*days)));
    keys.put("calendar", Value::text(calendar));
    keys.put("send_window", Value::texts(spans.iter().map(String::as_str)));
    keys.put_map("limits", limits_of(limits));
    keys.put_map("company", company_of(company, unit, !replies.is_empty()));
    keys.put_map("defaults", defaults_of(&defaults));
    let replies = replies.iter().map(|(kind, to)| (kind.as_str().to_owned(), verb(to)));
    keys.put_map("replies", Keys(replies.collect()));
    let own = custom_outcomes.iter().map(|(slug, label)| (slug.to_string(), Value::text(label)));
    keys.put_map("custom_outcomes", Keys(own.collect()));
    keys.put("steps", Value::List(steps));
    keys.put("at_end", verb(at_end));
    Ok(keys.0)
}

/// Keys with their values, in the order in which they were put in.
#[derive(Default)]
struct Keys(Vec<(String, Value)>);

impl Keys {
    fn put(&mut self, key: &str, value: Value) {
        self.0.push((key.to_owned(), value));
    }

    fn put_if(&mut self, is_said: bool, key: &str, value: impl FnOnce() -> Value) {
        if is_said {
            self.put(key, value());
        }
    }

    fn put_map(&mut self, key: &str, map: Keys) {
        self.put_if(!map.0.is_empty(), key, || Value::Map(map.0));
    }

    fn put_text(&mut self, key: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.put(key, Value::text(text));
        }
    }
}

/// Keys with an empty line in front of them.
const PARAGRAPHS: [&str; 10] = [
    "unit",
    "enroll",
    "days",
    "limits",
    "company",
    "defaults",
    "replies",
    "custom_outcomes",
    "steps",
    "at_end",
];

/// The file as it is typed: maps and steps over several lines, what is in a step on one.
fn rough(keys: Vec<(String, Value)>) -> String {
    let mut text = SCHEMA_LINES.to_owned();
    for (key, value) in keys {
        if PARAGRAPHS.contains(&key.as_str()) {
            text.push('\n');
        }
        match value {
            Value::Map(entries) if key != "at_end" => {
                text.push_str(&format!("{key}:\n"));
                text.extend(entries.iter().map(|(key, value)| line("  ", key, value)));
            }
            Value::List(steps) if key == "steps" => {
                text.push_str("steps:\n");
                text.extend(steps.iter().map(step_lines));
            }
            Value::Text(about) if key == "about" && is_literal(&about) => {
                text.push_str("about: |\n");
                text.extend(about.lines().map(|line| format!("  {line}\n")));
            }
            value => text.push_str(&line("", &key, &value)),
        }
    }
    text
}

fn step_lines(step: &Value) -> String {
    let Value::Map(entries) = step else { return line("  - ", "", step) };
    let lines = entries.iter().enumerate();
    lines
        .map(|(at, (key, value))| line(if at == 0 { "  - " } else { "    " }, key, value))
        .collect()
}

fn line(indent: &str, key: &str, value: &Value) -> String {
    let value = match value {
        Value::Text(text) => scalar_on_its_own(text),
        other => inline(other),
    };
    format!("{indent}{}: {value}\n", scalar(key))
}

/// Whether a text of several lines can stand below its key as it is.
fn is_literal(text: &str) -> bool {
    let fits = |line: &str| {
        let is_text =
            |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}');
        line.is_empty() || (!line.ends_with(char::is_whitespace) && line.chars().all(is_text))
    };
    let starts = text.chars().next().is_some_and(|c| !c.is_whitespace());
    starts && text.contains('\n') && !text.ends_with('\n') && text.split('\n').all(fits)
}

fn enroll(
    audience: Audience,
    profiles: &Admission,
    enroll_when: &EnrollWhen,
    again_after: Option<Delay>,
) -> Result<Value, Unwritable> {
    let audience = match audience {
        Audience::Prospects => "prospects",
        Audience::Customers => "customers",
    };
    let profiles = match profiles {
        Admission::Anybody => Value::texts(["any"]),
        Admission::OneOf(ids) => Value::texts(ids.iter().map(|id| id.as_str())),
    };
    let again_after = again_after.map_or_else(|| "never".to_owned(), |delay| delay.to_string());
    let mut keys = Keys::default();
    keys.put("audience", Value::text(audience));
    keys.put("profiles", profiles);
    if let Some(when) = when(enroll_when)? {
        keys.put("when", when);
    }
    keys.put("again_after", Value::text(again_after));
    Ok(Value::Map(keys.0))
}

fn when(enroll_when: &EnrollWhen) -> Result<Option<Value>, Unwritable> {
    let (key, value) = match enroll_when {
        EnrollWhen::Manual => return Ok(None),
        EnrollWhen::Event(name) => ("event", Value::text(name)),
        EnrollWhen::Field(lines) => ("field", tests(lines, "`enroll.when`")?),
    };
    Ok(Some(Value::Map(vec![(key.to_owned(), value)])))
}

fn day_kind(days: DayKind) -> &'static str {
    match days {
        DayKind::Business => "business",
        DayKind::Calendar => "calendar",
    }
}

fn limits_of(limits: &Limits) -> Keys {
    let Limits {
        new_per_rep_per_day,
        active_per_rep,
        per_company_at_once,
        touches_per_prospect_per_day,
        touches_per_company_per_week,
    } = limits;
    let mut keys = Keys::default();
    for (key, limit) in [
        ("new_per_rep_per_day", new_per_rep_per_day),
        ("active_per_rep", active_per_rep),
        ("per_company_at_once", per_company_at_once),
        ("touches_per_prospect_per_day", touches_per_prospect_per_day),
        ("touches_per_company_per_week", touches_per_company_per_week),
    ] {
        if let Some(limit) = limit {
            keys.put(key, number(*limit));
        }
    }
    keys
}

fn company_of(company: &Colleagues, unit: &Covers, asks: bool) -> Keys {
    let usual = Colleagues::usual(unit, asks);
    let Colleagues { on_reply, on_meeting } = company;
    let mut keys = Keys::default();
    keys.put_if(*on_reply != usual.on_reply, "on_reply", || word(&Others::ALL, on_reply));
    keys.put_if(*on_meeting != usual.on_meeting, "on_meeting", || word(&Others::ALL, on_meeting));
    keys
}

fn number(number: u32) -> Value {
    Value::Plain(number.to_string())
}

/// What most steps have in common.
fn defaults(steps: &[Step]) -> Defaults {
    let built_in = Defaults::default();
    let expires_after = most_common(steps.iter().map(|step| step.expires_after));
    let priority = most_common(steps.iter().map(|step| step.priority));
    Defaults {
        by: By::Owner,
        expires_after: expires_after.unwrap_or(built_in.expires_after),
        priority: priority.unwrap_or(built_in.priority),
    }
}

/// The value that occurs most often; of equals the first.
fn most_common<T: PartialEq>(values: impl Iterator<Item = T> + Clone) -> Option<T> {
    let counted = values.clone().enumerate().map(|(at, value)| {
        let count = values.clone().filter(|other| *other == value).count();
        ((count, std::cmp::Reverse(at)), value)
    });
    counted.max_by_key(|(count, _)| *count).map(|(_, value)| value)
}

fn defaults_of(defaults: &Defaults) -> Keys {
    let Defaults { by: _, expires_after, priority } = defaults;
    let built_in = Defaults::default();
    let mut keys = Keys::default();
    let expires = || Value::text(expires_after.to_string());
    keys.put_if(*expires_after != built_in.expires_after, "expires_after", expires);
    keys.put_if(*priority != built_in.priority, "priority", || word(&Priority::ALL, priority));
    keys
}

/// The word that stands for a value in a closed set.
fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> Value {
    let found = words.iter().find(|(_, other)| other == value);
    Value::text(found.map_or("", |(word, _)| *word))
}

pub(super) fn step(step: &Step, defaults: &Defaults) -> Result<Vec<(String, Value)>, Unwritable> {
    let Step {
        id,
        when,
        what,
        by,
        to,
        only_if,
        skip_if,
        expires_after,
        priority,
        hours,
        within,
        outcomes,
    } = step;
    let mut keys = Keys::default();
    keys.put("id", Value::text(id.as_str()));
    match when {
        When::Day(day) => keys.put("day", number(*day)),
        When::After(delay) => keys.put("after", Value::text(delay.to_string())),
        When::At(anchor) => keys.put("at", Value::text(anchor.to_string())),
    }
    if let By::Role(role) = by {
        keys.put("by", Value::text(role.as_str()));
    }
    keys.put_if(!to.is_empty(), "to", || Value::texts(to.iter().map(BuyerRole::as_str)));
    for (key, lines) in [("only_if", only_if), ("skip_if", skip_if)] {
        if !lines.is_empty() {
            keys.put(key, conditions(lines, id)?);
        }
    }
    let expires = || Value::text(expires_after.to_string());
    keys.put_if(*expires_after != defaults.expires_after, "expires_after", expires);
    keys.put_if(*priority != defaults.priority, "priority", || word(&Priority::ALL, priority));
    keys.put_if(*hours != StepHours::Calendar, "hours", || word(&StepHours::ALL, hours));
    keys.put_text("within", within.map(|delay| delay.to_string()).as_ref());
    let (verb_key, touch) = what_of(what);
    keys.put(verb_key, touch);
    let outcomes = outcomes.iter().map(|(outcome, to)| (outcome.to_string(), verb(to)));
    keys.put_map("outcomes", Keys(outcomes.collect()));
    Ok(keys.0)
}

fn what_of(what: &What) -> (&'static str, Value) {
    let mut keys = Keys::default();
    let key = match what {
        What::Email { content, thread, mode } => {
            match content {
                Content::Template(name) => keys.put("template", Value::text(name)),
                Content::Split(names) => {
                    let names = names.iter().map(|(name, weight)| (name.clone(), number(*weight)));
                    keys.put("split", Value::Map(names.collect()));
                }
            }
            let thread = match thread {
                Thread::New => "new",
                Thread::Reply => "reply",
            };
            keys.put("thread", Value::text(thread));
            keys.put_if(*mode != MailMode::Auto, "mode", || word(&MailMode::ALL, mode));
            "email"
        }
        What::Call { script, voicemail } => {
            keys.put("script", Value::text(script));
            let none = "none".to_owned();
            keys.put_text("voicemail", Some(voicemail.as_ref().unwrap_or(&none)));
            "call"
        }
        What::Social { network, act, text } => {
            keys.put("network", Value::text(network));
            keys.put("act", word(&SocialAct::ALL, act));
            keys.put_text("text", text.as_ref());
            "social"
        }
        What::Task { title, notes, collect } => {
            keys.put("title", Value::text(title));
            keys.put_text("notes", notes.as_ref());
            keys.put_if(!collect.is_empty(), "collect", || {
                Value::texts(collect.iter().map(String::as_str))
            });
            "task"
        }
        What::HandOff(hand_off) => return ("hand_off", hand_off_of(hand_off)),
    };
    (key, Value::Map(keys.0))
}

fn hand_off_of(hand_off: &HandOff) -> Value {
    let HandOff { to, brief, accept_within } = hand_off;
    let mut keys = Keys::default();
    keys.put("to", Value::text(to.as_str()));
    keys.put_text("brief", brief.as_ref());
    keys.put("accept_within", Value::text(accept_within.to_string()));
    Value::Map(keys.0)
}

fn verb(verb: &Verb) -> Value {
    match verb {
        Verb::Continue => Value::text("continue"),
        Verb::Triage => Value::text("triage"),
        Verb::Stop => Value::text("stop"),
        Verb::Pause(length) => Value::one("pause", Value::text(length.to_string())),
        Verb::Retry { after, max } => {
            let mut keys = Keys::default();
            keys.put("after", Value::text(after.to_string()));
            keys.put("max", number(*max));
            Value::one("retry", Value::Map(keys.0))
        }
        Verb::SwitchTo { cadence, after } => {
            let mut keys = Keys::default();
            keys.put("cadence", Value::text(cadence.as_str()));
            keys.put("after", Value::text(after.to_string()));
            Value::one("switch_to", Value::Map(keys.0))
        }
        Verb::HandOff(hand_off) => Value::one("hand_off", hand_off_of(hand_off)),
    }
}

/// The lines of a condition; each kind stands there once.
fn conditions(lines: &[Condition], step: &StepId) -> Result<Value, Unwritable> {
    let mut keys = Keys::default();
    for line in lines {
        let (key, value) = condition(line, step)?;
        if keys.0.iter().any(|(other, _)| other == key) {
            return Err(Unwritable::TwoOfAKind(step.clone()));
        }
        keys.put(key, value);
    }
    Ok(Value::Map(keys.0))
}

fn condition(line: &Condition, step: &StepId) -> Result<(&'static str, Value), Unwritable> {
    let texts = |list: &[String]| Value::texts(list.iter().map(String::as_str));
    Ok(match line {
        Condition::Has(fields) => ("has", texts(fields)),
        Condition::HasNot(fields) => ("has_not", texts(fields)),
        Condition::Outcome(lines) => {
            let line = |(id, outcomes): &(StepId, Vec<_>)| {
                let outcomes: &Vec<crate::domain::cadence::Outcome> = outcomes;
                (id.to_string(), Value::texts(outcomes.iter().map(|outcome| outcome.as_str())))
            };
            ("outcome", Value::Map(lines.iter().map(line).collect()))
        }
        Condition::Field(lines) => ("field", tests(lines, &format!("step `{step}`"))?),
        Condition::Event(events) => ("event", texts(events)),
        Condition::Any(groups) => {
            let groups = groups.iter().map(|group| conditions(group, step));
            ("any", Value::List(groups.collect::<Result<_, _>>()?))
        }
    })
}

fn tests(lines: &[(String, Test)], place: &str) -> Result<Value, Unwritable> {
    let line = |(field, wanted): &(String, Test)| Ok((field.clone(), test(wanted, place)?));
    Ok(Value::Map(lines.iter().map(line).collect::<Result<_, _>>()?))
}

fn test(test: &Test, place: &str) -> Result<Value, Unwritable> {
    let text = match test {
        Test::Is(text) if text.starts_with(['<', '>', '=', '!']) => {
            let (place, value) = (place.to_owned(), text.clone());
            return Err(Unwritable::LooksLikeAComparison { place, value });
        }
        Test::Is(text) => text.clone(),
        Test::AtLeast(bound) => format!(">= {bound}"),
        Test::AtMost(bound) => format!("<= {bound}"),
        Test::MoreThan(bound) => format!("> {bound}"),
        Test::LessThan(bound) => format!("< {bound}"),
    };
    Ok(Value::text(text))
}
