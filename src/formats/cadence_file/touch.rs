//! What a step does: `email`, `call`, `social`, `task`.

use crate::domain::cadence::{Content, MailMode, SocialAct, Thread, What};
use crate::domain::facts::is_fillable;
use crate::domain::ids::BuyerRole;
use crate::formats::language::{CALL, EMAIL, SOCIAL, TASK, THREADS};
use crate::formats::rules::Rule;
use crate::formats::yaml::reading::{
    Map, Place, count, entries, near, not_yet, shortened, text, texts, word,
};
use crate::formats::yaml::{At, Node};

use super::Reader;
use super::condition::check_field;

/// Characters of a note with a request to connect, from a free account.
pub const FREE_NOTE: usize = 200;
/// Characters of such a note from a paid account.
pub const PAID_NOTE: usize = 300;

/// What a mail can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Above {
    /// A thread that a step above begins with everybody whom the mail is for.
    Thread,
    Nothing,
    /// Nothing was written to this role.
    NothingFor(BuyerRole),
}

/// An email, and whether a later reply can follow it even if the rest could not be read.
pub(super) struct Email {
    pub what: Option<What>,
    pub begins_thread: bool,
}

/// Reads an email.
pub(super) fn email(node: &At<Node>, above: &Above, reader: &mut Reader<'_>) -> Email {
    let Some(map) = Map::open(node, &EMAIL, &mut reader.findings) else {
        return Email { what: None, begins_thread: false };
    };
    let mode = mode(&map, reader);
    let thread = thread(&map, above, reader);
    let content = content(&map, reader);
    let answers_nothing = thread == Some(Thread::Reply) && *above != Above::Thread;
    if let (Some(thread), Some(content)) = (thread.filter(|_| !answers_nothing), &content) {
        check_subjects(thread, &content.templates, reader);
    }
    let what = thread.zip(content);
    let what = what.map(|(thread, written)| What::Email { content: written.content, thread, mode });
    // A reply to nothing is told once; what follows answers it.
    Email { what, begins_thread: thread.is_some() }
}

fn mode(map: &Map<'_>, reader: &mut Reader<'_>) -> MailMode {
    let mode = map.get("mode");
    let mode = mode.and_then(|node| word(node, "`mode`", &MailMode::ALL, &mut reader.findings));
    mode.unwrap_or(MailMode::Auto)
}

fn thread(map: &Map<'_>, above: &Above, reader: &mut Reader<'_>) -> Option<Thread> {
    let hint = "`thread: new` begins a conversation, `thread: reply` goes on with it";
    let node = map.need_as("thread", hint, &mut reader.findings)?;
    let thread = word(node, "`thread`", &THREADS, &mut reader.findings)?;
    let with = match (thread, above) {
        (Thread::New, _) | (Thread::Reply, Above::Thread) => return Some(thread),
        (Thread::Reply, Above::Nothing) => String::new(),
        (Thread::Reply, Above::NothingFor(role)) => format!(" with `{role}`"),
    };
    let message = format!("`thread: reply`, but no earlier email step starts a thread{with}");
    reader.findings.error(Rule::C302, node.place(), message);
    Some(thread)
}

/// The content of a mail, and where its templates are named.
struct Written {
    content: Content,
    templates: Vec<At<String>>,
}

fn content(map: &Map<'_>, reader: &mut Reader<'_>) -> Option<Written> {
    let found = map.count(&["template", "split"]);
    if found == 0 && map.is_meant(&["template", "split"]) {
        return None;
    }
    if found != 1 {
        let message = format!("an email needs exactly one of template, split (it has {found})");
        reader.findings.error(Rule::C103, map.place(), message);
        return None;
    }
    if let Some(node) = map.get("split") {
        return split(node, reader);
    }
    let name = template(map.get("template")?, "`template`", reader)?;
    let content = Content::Template(name.value.clone());
    Some(Written { content, templates: vec![name] })
}

fn split(node: &At<Node>, reader: &mut Reader<'_>) -> Option<Written> {
    let mut weights = Vec::new();
    let mut templates = Vec::new();
    let variants = entries(node, "`split`", &mut reader.findings)?;
    for variant in variants {
        check_template(&variant.key.value, variant.key.place(), reader);
        let what = format!("the weight of `{}`", shortened(&variant.key.value));
        let weight = count(&variant.value, &what, 100, &mut reader.findings);
        templates.push(variant.key.clone());
        weights.extend(weight.map(|weight| (variant.key.value.clone(), weight)));
    }
    // A weight that could not be read has its own error, and the sum means nothing.
    let sum: u32 = weights.iter().map(|(_, weight)| weight).sum();
    if weights.len() == variants.len() && sum != 100 {
        let message = format!("the weights add up to {sum}, not 100");
        reader.findings.error(Rule::C301, node.place(), message);
    }
    Some(Written { content: Content::Split(weights), templates })
}

fn check_subjects(thread: Thread, templates: &[At<String>], reader: &mut Reader<'_>) {
    for name in templates {
        let Some(info) = reader.known.templates.get(&name.value) else { continue };
        let name_of = shortened(&name.value);
        let (message, hint) = match (thread, info.has_subject) {
            (Thread::New, true) | (Thread::Reply, false) => continue,
            (Thread::New, false) => (
                format!("the template `{name_of}` has no subject, so it cannot begin a thread"),
                format!(
                    "put `subject: \"...\"` between two lines `---` at the top of \
                     templates/{name_of}.hbs, or write `thread: reply`"
                ),
            ),
            (Thread::Reply, true) => (
                format!(
                    "the template `{name_of}` has a subject, but a reply keeps the subject of its \
                     thread"
                ),
                format!(
                    "take the line `subject:` out of templates/{name_of}.hbs, or write `thread: new`"
                ),
            ),
        };
        reader.findings.error_with_hint(Rule::C502, name.place(), message, hint);
    }
}

pub(super) fn call(node: &At<Node>, reader: &mut Reader<'_>) -> Option<What> {
    let map = Map::open(node, &CALL, &mut reader.findings)?;
    let script = map.need("script", &mut reader.findings);
    let script = script.and_then(|node| template(node, "`script`", reader));
    let voicemail = map.get("voicemail").filter(|node| !is_none(node));
    let voicemail = voicemail.and_then(|node| template(node, "`voicemail`", reader));
    Some(What::Call { script: script?.value, voicemail: voicemail.map(|name| name.value) })
}

fn is_none(node: &At<Node>) -> bool {
    matches!(&node.value, Node::Scalar(scalar) if scalar.text.trim() == "none")
}

pub(super) fn social(node: &At<Node>, reader: &mut Reader<'_>) -> Option<What> {
    let map = Map::open(node, &SOCIAL, &mut reader.findings)?;
    let network = map.need("network", &mut reader.findings);
    let network = network.and_then(|node| text(node, "`network`", &mut reader.findings));
    let act = map.need("act", &mut reader.findings);
    let act = act.and_then(|node| word(node, "`act`", &SocialAct::ALL, &mut reader.findings));
    let text = map.get("text").and_then(|node| template(node, "`text`", reader));
    if let (Some(SocialAct::Connect), Some(text)) = (act, &text) {
        check_note(text, reader);
    }
    Some(What::Social { network: network?.value, act: act?, text: text.map(|name| name.value) })
}

/// Notes a note with a request to connect that LinkedIn does not take (C503).
fn check_note(name: &At<String>, reader: &mut Reader<'_>) {
    let info = reader.known.templates.get(&name.value).copied().unwrap_or_default();
    let length = info.least_characters;
    let message = format!(
        "the template `{}` has at least {length} characters, but a note on LinkedIn has room for \
         {FREE_NOTE}, or {PAID_NOTE} from a paid account",
        name.value
    );
    if length > PAID_NOTE {
        reader.findings.error(Rule::C503, name.place(), message);
    } else if length > FREE_NOTE {
        reader.findings.warning(Rule::C503, name.place(), message, "make it shorter");
    }
}

pub(super) fn task(node: &At<Node>, reader: &mut Reader<'_>) -> Option<What> {
    let map = Map::open(node, &TASK, &mut reader.findings)?;
    let title = map.need("title", &mut reader.findings);
    let title = title.and_then(|node| text(node, "`title`", &mut reader.findings));
    let notes = map.get("notes").and_then(|node| template(node, "`notes`", reader));
    let collect = map.get("collect").map(|node| collect(node, reader)).unwrap_or_default();
    Some(What::Task { title: title?.value, notes: notes.map(|name| name.value), collect })
}

/// The fields that a task asks for, each once.
fn collect(node: &At<Node>, reader: &mut Reader<'_>) -> Vec<String> {
    let findings = &mut reader.findings;
    let mut fields: Vec<String> = Vec::new();
    for field in texts(node, "`collect`", findings) {
        check_field(&field.value, field.place(), findings);
        if !is_fillable(&field.value) {
            not_yet(&format!("collect: [{}]", field.value), field.place(), findings);
        }
        if !fields.contains(&field.value) {
            fields.push(field.value);
        }
    }
    fields
}

/// The name of a template; that it is missing is noted (C501).
pub(super) fn template(node: &At<Node>, what: &str, reader: &mut Reader<'_>) -> Option<At<String>> {
    let name = text(node, what, &mut reader.findings)?;
    check_template(&name.value, name.place(), reader);
    Some(name)
}

fn check_template(name: &str, place: Place, reader: &mut Reader<'_>) {
    if reader.known.templates.contains_key(name) {
        return;
    }
    let message = format!("there is no template `{}`", shortened(name));
    let bare = name.trim_start_matches("templates/");
    let bare = bare.strip_suffix(".hbs").unwrap_or(bare);
    if bare != name && reader.known.templates.contains_key(bare) {
        let hint = format!("write it without `templates/` and `.hbs`: {bare}");
        return reader.findings.error_with_hint(Rule::C501, place, message, hint);
    }
    match near(name, reader.known.templates.keys().map(String::as_str)) {
        Some(near) => {
            let message = format!("{message}; did you mean `{near}`?");
            reader.findings.error(Rule::C501, place, message);
        }
        None => {
            let hint = format!("it would be the file templates/{}.hbs", shortened(name));
            reader.findings.error_with_hint(Rule::C501, place, message, hint);
        }
    }
}
