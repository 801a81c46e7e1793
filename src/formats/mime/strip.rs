//! What a person wrote, without the quotation and the signature below it.

use super::quote_words::{ATTRIBUTION_VERBS, HEADER_KEYS, OPENERS, SENT_FROM, SEPARATORS};
use super::words::{clip, find, fold};

/// Lines of a body that are looked at.
const LINE_LIMIT: usize = 5_000;
/// Characters of a line that are looked at; a pitch is never told from a quotation beyond that.
const LINE_CHARACTERS: usize = 600;
/// Characters that are kept.
const TEXT_LIMIT: usize = 10_000;
/// Mail programs wrap "On … wrote:" over at most that many lines.
const ATTRIBUTION_LINES: usize = 4;
/// A line that was wrapped because it is longer than mail programs write.
const WRAPPED_FROM: usize = 60;

/// The text that the person wrote, without quotation and signature (at most 10,000 characters).
pub fn new_text(body: &str) -> String {
    let lines: Vec<Line<'_>> = body.lines().take(LINE_LIMIT).map(Line::new).collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        match meaning(&lines, at) {
            Meaning::Written => kept.push(line.raw),
            Meaning::Quoted(count) => {
                at += count;
                continue;
            }
            Meaning::RestIsQuoted => break,
        }
        at += 1;
    }
    while kept.last().is_some_and(|line| is_rule(line)) {
        kept.pop();
    }
    clip(kept.join("\n").trim(), TEXT_LIMIT).to_owned()
}

struct Line<'a> {
    raw: &'a str,
    /// Without blanks and bold marks around, folded.
    folded: String,
}

impl<'a> Line<'a> {
    fn new(raw: &'a str) -> Self {
        let raw = raw.trim_end();
        let folded = fold(clip(raw, LINE_CHARACTERS)).replace("&quot;", "\"").replace("&gt;", ">");
        Self { raw, folded: folded.replace('*', "").trim().to_owned() }
    }

    fn is_quoted(&self) -> bool {
        self.raw.trim_start().starts_with('>')
    }
}

enum Meaning {
    Written,
    /// That many lines from here belong to a quotation; a person may go on below.
    Quoted(usize),
    RestIsQuoted,
}

fn meaning(lines: &[Line<'_>], at: usize) -> Meaning {
    let tail = lines.get(at..).unwrap_or_default();
    let Some(line) = tail.first() else { return Meaning::RestIsQuoted };
    if line.is_quoted() || is_wrapped_quote(lines, at) {
        return Meaning::Quoted(1);
    }
    if line.folded.is_empty() {
        return Meaning::Written;
    }
    if let Some(count) = attribution(tail) {
        return after_attribution(tail, count);
    }
    let ends = is_separator(tail)
        || is_header_block(tail)
        || is_signature(tail)
        || is_sent_from(&line.folded);
    if ends { Meaning::RestIsQuoted } else { Meaning::Written }
}

/// Below "On … wrote:" either `>` lines follow, and then the person may go on, or all of it is old.
fn after_attribution(tail: &[Line<'_>], count: usize) -> Meaning {
    let next = tail.iter().skip(count).find(|line| !line.folded.is_empty());
    if next.is_some_and(Line::is_quoted) { Meaning::Quoted(count) } else { Meaning::RestIsQuoted }
}

/// The end of a long quoted line that a mail program wrapped without a new `>`.
fn is_wrapped_quote(lines: &[Line<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| lines.get(at));
    let after = lines.get(at + 1);
    let long = |line: &Line<'_>| line.is_quoted() && line.raw.chars().count() >= WRAPPED_FROM;
    before.is_some_and(long) && after.is_some_and(Line::is_quoted)
}

/// How many lines an attribution ("On … wrote:") takes, when one begins here.
fn attribution(tail: &[Line<'_>]) -> Option<usize> {
    let mut text = String::new();
    for (index, line) in tail.iter().take(ATTRIBUTION_LINES).enumerate() {
        if line.folded.is_empty() {
            return None;
        }
        text.push(' ');
        text.push_str(line.folded.trim_matches('-').trim());
        if is_attribution(text.trim()) {
            return Some(index + 1);
        }
        // Only what begins like an attribution can go on in the next line.
        if index == 0 && !begins_attribution(text.trim()) {
            return None;
        }
    }
    None
}

fn begins_attribution(text: &str) -> bool {
    let first = text.split([' ', ',', '.']).next().unwrap_or_default();
    OPENERS.contains(&first) || text.starts_with(|c: char| c.is_ascii_digit())
}

/// A date, somebody who wrote, and a colon at the end: the three marks that attributions share in every
/// language.
fn is_attribution(text: &str) -> bool {
    let ends = text.ends_with([':', '>']) || find(tail_of(text), ATTRIBUTION_VERBS).is_some();
    if !ends || !text.contains(|c: char| c.is_ascii_digit()) || text.starts_with("http") {
        return false;
    }
    let names_verb = find(text, ATTRIBUTION_VERBS).is_some();
    let names_address = text.contains('@') && has_date(text) && text.ends_with(':');
    names_address || (names_verb && (begins_attribution(text) || has_date(text)))
}

fn tail_of(text: &str) -> &str {
    let start = text.char_indices().rev().nth(14).map_or(0, |(at, _)| at);
    text.get(start..).unwrap_or(text)
}

/// A year, a clock time or a date in figures.
fn has_date(text: &str) -> bool {
    let is_number = |word: &&str| word.len() <= 4 && word.chars().all(|c| c.is_ascii_digit());
    let numbers: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .filter(is_number)
        .collect();
    numbers.len() >= 2
}

/// "-----Original Message-----" and its relatives.
fn is_separator(tail: &[Line<'_>]) -> bool {
    let Some(line) = tail.first() else { return false };
    let bare = line.folded.trim_matches(['-', '_', '=', '*', ' ', '>']);
    if bare.chars().count() > 60 || !line.folded.starts_with(['-', '_', '=']) {
        return false;
    }
    if find(bare, SEPARATORS).is_some() {
        return true;
    }
    // A rule followed by a header block is Outlook's and others' way.
    let rest = tail.get(1..).unwrap_or_default();
    let next = rest.iter().position(|line| !line.folded.is_empty());
    next.and_then(|at| rest.get(at..))
        .is_some_and(|tail| is_rule(line.raw) && is_header_block(tail))
}

fn is_rule(line: &str) -> bool {
    let bare = line.trim();
    bare.is_empty() || (bare.chars().count() >= 3 && bare.chars().all(|c| "-_=*—–".contains(c)))
}

/// "From: … Sent: … To: … Subject: …" in any of our languages.
fn is_header_block(tail: &[Line<'_>]) -> bool {
    let starts = tail.first().and_then(|line| header_key(&line.folded));
    let Some(first) = starts else { return false };
    let mut keys = vec![first];
    for line in tail.iter().skip(1).take(8) {
        keys.extend(header_key(&line.folded));
        // Some programs write two fields on one line.
        keys.extend(HEADER_KEYS.iter().filter(|key| line.folded.contains(&format!(" {key}"))));
    }
    keys.sort_unstable();
    keys.dedup();
    keys.len() >= 3
}

fn header_key(line: &str) -> Option<&'static str> {
    let name = line.split(':').next().filter(|name| name.len() < line.len())?.trim();
    let line = format!("{name}:");
    HEADER_KEYS.iter().copied().find(|key| *key == line)
}

/// RFC 3676, section 4.3, and the long dashes that phones make of it.
fn is_signature(tail: &[Line<'_>]) -> bool {
    let Some(line) = tail.first() else { return false };
    let mark = line.raw.trim();
    let is_long_dash =
        mark.chars().all(|c| c == '—') || (mark.len() >= 2 && mark.chars().all(|c| c == '_'));
    let filled = tail.iter().skip(1).filter(|line| !line.folded.is_empty());
    mark == "--" || (is_long_dash && filled.take(10).count() < 10)
}

/// "Sent from my phone": short, alone on its line and no sentence.
fn is_sent_from(line: &str) -> bool {
    let Some(opener) = SENT_FROM.iter().find(|opener| line.starts_with(**opener)) else {
        return false;
    };
    let rest = line.get(opener.len()..).unwrap_or_default();
    let rest = rest.split(['<', '(', '[']).next().unwrap_or_default();
    let words = rest.split_whitespace().count();
    let apart = !opener.is_ascii() || rest.starts_with(' ');
    apart && words <= 5 && !rest.contains(',') && !rest.trim_end().ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_of_all_styles_are_left_out() {
        for quotation in [
            "> unsubscribe\n> here",
            "On Mon, 5 Jan 2026 at 10:00, Ann <a@x.test> wrote:\n> unsubscribe",
            "On Mon, 5 Jan 2026 at 10:00, Ann <a@x.test> wrote:\n\nunsubscribe",
            "On Mon, 5 Jan 2026 at 10:00, Ann Longname\n<a@x.test>\nwrote:\nunsubscribe",
            "Am 05.01.2026 um 10:00 schrieb Ann:\n> abmelden",
            "Am 5. Januar 2026 schrieb Ann <a@x.test>:\nunsubscribe",
            "Le lun. 5 janv. 2026 à 10:00, Ann <a@x.test> a écrit :\nunsubscribe",
            "El 5 ene 2026, a las 10:00, Ann <a@x.test> escribió:\nunsubscribe",
            "Il giorno lun 5 gen 2026 alle ore 10:00 Ann <a@x.test> ha scritto:\nunsubscribe",
            "Em seg., 5 de jan. de 2026 às 10:00, Ann <a@x.test> escreveu:\nunsubscribe",
            "Op ma 5 jan 2026 om 10:00 schreef Ann <a@x.test>:\nunsubscribe",
            "W dniu 5.01.2026 o 10:00, Ann pisze:\nunsubscribe",
            "пн, 5 янв. 2026 г. в 10:00, Ann <a@x.test>:\nunsubscribe",
            "2026年1月5日(月) 10:00 Ann <a@x.test>:\nunsubscribe",
            "-----Original Message-----\nunsubscribe",
            "-----Ursprüngliche Nachricht-----\nunsubscribe",
            "---------- Forwarded message ---------\nunsubscribe",
            "From: Ann <a@x.test>\nSent: Monday\nTo: Bob\nSubject: Hi\n\nunsubscribe",
            "*From:* Ann\n*Date:* Monday\n*To:* Bob\n\nunsubscribe",
            "Von: Ann\nGesendet: Montag\nAn: Bob\nBetreff: Hi\n\nunsubscribe",
            "________________________________\nDe : Ann\nEnvoyé : lundi\nÀ : Bob\nObjet : x\n\nunsubscribe",
            "发件人: Ann\n发送时间: 2026\n收件人: Bob\n主题: x\n\nunsubscribe",
            "Sent from my iPhone\n\nunsubscribe",
            "Von meinem iPhone gesendet\nunsubscribe",
            "-- \nunsubscribe",
        ] {
            assert_eq!(
                new_text(&format!("Sounds good.\n\n{quotation}\n")),
                "Sounds good.",
                "{quotation}"
            );
        }
    }

    #[test]
    fn what_the_person_wrote_is_kept_wherever_it_stands() {
        for text in [
            "On the one hand yes.\nOn the other hand, we have 2 of them.",
            "I wrote: call me at 5.",
            "From: here on it is easy.",
            "The mail was sent from my iPhone app to all users.",
            "Sent from my desk, is much easier then my mobile phone.",
            "a\n----\nb",
            "-- first point needs to be checked\n-- second",
            "2024-01-15 14:30:25\nis a date",
        ] {
            assert_eq!(new_text(text), text);
        }
        let between = "> first?\nYes.\n> second?\nNo.";
        assert_eq!(new_text(between), "Yes.\nNo.");
        let below = "On 5 Jan 2026 at 10:00, Ann <a@x.test> wrote:\n> question\n\nanswer below";
        assert_eq!(new_text(below), "answer below");
    }

    #[test]
    fn a_line_that_the_quoting_program_wrapped_is_not_the_persons() {
        let body = "Yes\n> We write because we think that this is for you, else please just\nunsubscribe\n> Ann";
        assert_eq!(new_text(body), "Yes");
    }

    #[test]
    fn the_text_is_clipped_to_its_limit() {
        assert_eq!(new_text(&"ä".repeat(20_000)).chars().count(), TEXT_LIMIT);
    }

    #[test]
    fn the_word_lists_are_written_folded() {
        for list in [ATTRIBUTION_VERBS, HEADER_KEYS, OPENERS, SENT_FROM, SEPARATORS] {
            list.iter().for_each(|word| assert_eq!(fold(word), *word));
        }
    }
}
