//! A preview as people read it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::output::{bold, plain, when, wrapped};
use super::Page;
use crate::domain::cadence::{Channel, When};
use crate::domain::outlook::Answer;
use crate::engine::letter::Share;
use crate::engine::preview::{Does, Item, MailText, Plan, Seen, Someone};
use crate::formats::template::Filling;

/// The dated plan.
pub(super) fn plan(page: &Page<'_>, someone: &Someone, plan: &Plan, width: usize) -> String {
    let mut text = heading(page, someone, &plan.seen, width);
    text.push_str(&sender(plan, width));
    for item in &plan.items {
        text.push('\n');
        text.push_str(&step(page, item, width));
    }
    text.push_str(&format!("\n{}\n", summary(plan)));
    let assumed = "Dated as if every task is done on the day it is due and nobody answers; limits and the \
        pauses between mails can move a step later.";
    text.push_str(&wrapped(assumed, width, 0));
    text
}

fn heading(page: &Page<'_>, someone: &Someone, seen: &Seen, width: usize) -> String {
    let known = &someone.prospect.known;
    let name = someone.prospect.display_name();
    let parts = [Some(&name), known.title.as_ref(), known.company.name.as_ref()];
    let who: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    let made_up = if someone.is_sample { " (made up)" } else { "" };
    let room = width.saturating_sub(page.args.name.chars().count() + made_up.len() + 5).max(20);
    let who = plain(&who.join(" · "), room);
    let mut text = format!("{} for {who}{made_up}\n", bold(&page.args.name));
    let from = if page.args.applied { "what runs" } else { "the files, applied or not" };
    let begin = when(page.now, &page.config.reader_zone);
    let mut note = |line: String| text.push_str(&format!("{}\n", wrapped(&line, width, 2)));
    note(format!("{from}, as if enrolled {begin}"));
    let (there, here) = (seen.person.zone(), &page.config.reader_zone);
    if seen.person.zones.is_empty() {
        note("! no time zone is known: nothing that goes by their clock is done".to_owned());
    } else if differs(&there, here, page.now) {
        let there = there.iana_name().unwrap_or("their zone").to_owned();
        note(format!("times are on their clock ({there}), and yours in brackets"));
    }
    for obstacle in &seen.obstacles {
        note(format!("! would not be let in now: {}", plain(obstacle, 200)));
    }
    for (role, prospect) in seen.people() {
        let parts = [Some(prospect.display_name()), prospect.known.title.clone()];
        let who: Vec<String> = parts.into_iter().flatten().collect();
        note(format!("{role}: {}", plain(&who.join(", "), 100)));
    }
    let roles = seen.person.version.cadence.unit.roles().len();
    if seen.people().len() < roles && !someone.is_sample {
        note(
            "! only whom --for names is cast: name the others of the company with --for, too"
                .to_owned(),
        );
    }
    if let Some(profile) = seen.profile.as_ref().filter(|_| seen.people().is_empty()) {
        note(format!("in the words of the profile {}", profile.id));
    }
    for block in &someone.blocks {
        let (kind, cause) = (block.subject.kind(), block.cause.as_str());
        note(format!("! blocked ({kind}): {cause}, since {}", when(block.at, here)));
    }
    text
}

fn differs(there: &TimeZone, here: &TimeZone, at: Timestamp) -> bool {
    there.to_datetime(at) != here.to_datetime(at)
}

fn sender(plan: &Plan, width: usize) -> String {
    let line = match &plan.mailbox {
        None => "! there is no mailbox: no mail is sent".to_owned(),
        // Settings with a mailbox say how it is read; this one is the engine's own.
        Some(mailbox) if !mailbox.has_inbox => "! nothing is mailed yet: no [[mailbox]] in \
             firsttouch.toml, so mails become files in outbox/"
            .to_owned(),
        Some(mailbox) => format!("mails come from {}", mailbox.from),
    };
    format!("{}\n", wrapped(&line, width, 2))
}

fn step(page: &Page<'_>, item: &Item, width: usize) -> String {
    let there = &item.zone;
    let day = match &item.when {
        When::Day(day) => format!("day {day}"),
        When::After(delay) => format!("+{delay}"),
        When::At(anchor) => anchor.to_string(),
    };
    let here = &page.config.reader_zone;
    let mut at = if item.has_no_zone { "no time zone".to_owned() } else { clock(item.at, there) };
    if !item.has_no_zone && differs(there, here, item.at) {
        at.push_str(&format!(" ({})", brief(item.at, here, there)));
    }
    let what = match &item.does {
        Does::Mail(_) => "mail",
        Does::Task { channel, .. } => channel.as_str(),
    };
    let who = item
        .who
        .as_ref()
        .map_or_else(String::new, |(name, role)| format!("  to {} ({role})", plain(name, 40)));
    let mut text = format!("{day:<7} {at}  {}  {what}{who}\n", bold(item.step.as_str()));
    let mut note = |line: &str| text.push_str(&format!("{}\n", wrapped(line, width, 8)));
    let reasons = item.outlook.reasons();
    match item.outlook.answer {
        Answer::No => {
            note(&format!("skipped: {}", plain(&reasons.join("; "), 300)));
            return text;
        }
        Answer::Open => note(&plain(&reasons.join("; "), 300)),
        Answer::Yes => item.outlook.held().iter().for_each(|held| note(&plain(held, 300))),
    }
    if let Some(read_at) = item.read_at {
        note(&format!("somebody reads it first: in the queue from {}", clock(read_at, there)));
    }
    match &item.does {
        Does::Mail(Err(why)) => {
            note(&format!("! not sent, the step is skipped: {}", plain(why, 200)))
        }
        Does::Mail(Ok(mail)) => text.push_str(&mail_text(mail, width)),
        Does::Task { title, text: words, lacks, .. } => {
            note(&plain(title, 200));
            lacks.iter().for_each(|lack| note(&format!("! {}", plain(lack, 200))));
            text.push_str(&quoted(words, width));
        }
    }
    text
}

/// `Tue 3 Mar 07:42`.
fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b %H:%M").to_string()
}

/// The time alone where the day is the same.
fn brief(at: Timestamp, here: &TimeZone, there: &TimeZone) -> String {
    let same = here.to_datetime(at).date() == there.to_datetime(at).date();
    let format = if same { "%H:%M" } else { "%a %H:%M" };
    at.to_zoned(here.clone()).strftime(format).to_string()
}

fn mail_text(mail: &MailText, width: usize) -> String {
    let mut text = String::new();
    let mut note = |line: String| text.push_str(&format!("{}\n", wrapped(&line, width, 8)));
    let all: Vec<String> = mail.variants.iter().map(|(name, n)| format!("{name} {n}")).collect();
    match &mail.share {
        Share::NoSplit => note(mail.template.clone()),
        Share::InTest => note(format!("{}, drawn from {}", mail.template, all.join(", "))),
        Share::NotInTest { cannot } => note(format!(
            "{}, not in test: {} cannot be written for them",
            mail.template,
            cannot.join(", ")
        )),
    }
    note(format!("Subject: {}", plain(&mail.subject, 200)));
    if let Some(preview) = &mail.preview {
        note(format!("Preview: {}", plain(preview, 200)));
    }
    text.push_str(&quoted(&mail.text, width));
    text
}

/// A text with a bar in front, broken between words; tabs become blanks.
fn quoted(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.trim_end().lines() {
        let indent = line.len() - line.trim_start().len();
        let words = plain(line, usize::MAX);
        let room = width.saturating_sub(10 + indent.min(20)).max(20);
        for part in wrapped(&words, room, 0).lines() {
            let line = format!("        | {}{}", " ".repeat(indent.min(20)), part.trim_start());
            out.push_str(line.trim_end());
            out.push('\n');
        }
        if words.is_empty() {
            out.push_str("        |\n");
        }
    }
    out
}

fn summary(plan: &Plan) -> String {
    let count =
        |wanted: &dyn Fn(&Item) -> bool| plan.items.iter().filter(|item| wanted(item)).count();
    let skipped = count(&|item| item.outlook.answer == Answer::No);
    let open = count(&|item| item.outlook.answer == Answer::Open);
    let stopped =
        count(&|item| item.outlook.answer != Answer::No && matches!(item.does, Does::Mail(Err(_))));
    let on = |channel: Channel| {
        count(&|item| match &item.does {
            Does::Mail(_) => channel == Channel::Email,
            Does::Task { channel: of, .. } => *of == channel,
        })
    };
    let kinds = [
        (on(Channel::Email), "mail"),
        (on(Channel::Call), "call"),
        (on(Channel::Social), "social"),
        (on(Channel::Task), "task"),
    ];
    let kinds = kinds.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    let kinds: Vec<String> = kinds.collect();
    let mut text = format!("{} steps ({})", plan.items.len(), kinds.join(", "));
    let more = [
        (skipped, "skipped"),
        (stopped, "with a mail that cannot be written"),
        (open, "hanging on an outcome"),
    ];
    for (n, what) in more.iter().filter(|(n, _)| *n > 0) {
        text.push_str(&format!(", {n} {what}"));
    }
    text
}

/// One template filled in, field by field.
pub(super) fn template(
    page: &Page<'_>,
    name: &str,
    someone: &Someone,
    seen: &Seen,
    filling: &Filling,
    width: usize,
) -> String {
    let mut text = heading(page, someone, seen, width);
    let used_by = match page.users.as_slice() {
        [] => "no cadence uses it yet".to_owned(),
        users => format!("used by {}", users.join(", ")),
    };
    text.push_str(&format!("{}\n\n", wrapped(&used_by, width, 2)));
    match &filling.rendered {
        Some(rendered) => {
            let head = [("Subject", &rendered.subject), ("Preview", &rendered.preview)];
            for (word, line) in head {
                if let Some(line) = line {
                    text.push_str(&wrapped(&format!("{word}: {}", plain(line, 200)), width, 8));
                    text.push('\n');
                }
            }
            text.push_str(&quoted(&rendered.text, width));
        }
        None => {
            let why = filling.failed.clone();
            let why = why.unwrap_or_else(|| format!("{} not known", filling.missing.join(", ")));
            let line = format!("! {name} cannot be written for them: {}", plain(&why, 200));
            text.push_str(&format!("{}\n", wrapped(&line, width, 8)));
        }
    }
    text.push('\n');
    for field in &filling.missing {
        text.push_str(&format!("  x     {field}: missing, nothing is sent without it\n"));
    }
    for field in &filling.fallbacks {
        text.push_str(&format!("  !     {field}: not known, the fallback is written\n"));
    }
    for field in &filling.absent {
        text.push_str(&format!("  -     {field}: not known, and the text does without\n"));
    }
    for (field, value) in &filling.used {
        let room = width.saturating_sub(field.chars().count() + 10).max(20);
        text.push_str(&format!("  ok    {field}: {}\n", plain(value, room)));
    }
    text
}
