//! Whether a text contains a phrase, word by word: `CRO` is in `CRO, EMEA` and not in `Microsoft`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::table::sections;

/// Words that make no difference between two job titles or industries.
const FILLERS: [&str; 4] = ["of", "the", "and", "for"];

/// Short forms with what they stand for, longest first.
static SAME: LazyLock<HashMap<&'static str, Vec<Short>>> = LazyLock::new(same);

/// A short form as words, and the words that take its place.
struct Short {
    from: Vec<String>,
    to: Vec<String>,
}

/// The words of a text as they are compared: in lower case, without accents, punctuation and fillers,
/// short forms written out (`VP` and `Vice-President` are the same), and without a plural `s`.
///
/// Full stops and apostrophes join (`V.P.` is `vp`), everything else that is no letter or digit
/// separates (`VP/Sales`).
pub fn words(text: &str) -> Vec<String> {
    let written = plain_words(text);
    let mut words = Vec::with_capacity(written.len());
    let mut at = 0;
    while let Some(word) = written.get(at) {
        let behind = written.get(at..).unwrap_or_default();
        let short = SAME.get(word.as_str()).into_iter().flatten();
        match { short }.find(|short| behind.starts_with(&short.from)) {
            Some(short) => {
                words.extend(short.to.iter().cloned());
                at += short.from.len();
            }
            None => {
                words.push(singular(word));
                at += 1;
            }
        }
    }
    words
}

/// Whether the words of `phrase` stand next to each other, in this order, among the words of `text`.
///
/// A phrase without any word is contained in nothing.
pub fn contains(text: &[String], phrase: &[String]) -> bool {
    !phrase.is_empty() && text.windows(phrase.len()).any(|run| run == phrase)
}

/// Phrases that are looked for together: taken apart once, then found by their first word.
#[derive(Debug, Clone, Default)]
pub struct Phrases {
    by_first: HashMap<String, Vec<(usize, Vec<String>)>>,
}

impl Phrases {
    /// Takes the phrases apart.
    pub fn new<'a>(phrases: impl IntoIterator<Item = &'a str>) -> Self {
        let mut by_first: HashMap<String, Vec<(usize, Vec<String>)>> = HashMap::new();
        for (at, phrase) in phrases.into_iter().enumerate() {
            let mut words = words(phrase).into_iter();
            if let Some(first) = words.next() {
                by_first.entry(first).or_default().push((at, words.collect()));
            }
        }
        Self { by_first }
    }

    /// The place of the earliest phrase, in the order in which they were given, that the text contains.
    pub fn first_in(&self, text: &[String]) -> Option<usize> {
        let found = text.iter().enumerate().filter_map(|(at, word)| {
            let behind = text.get(at + 1..).unwrap_or_default();
            let phrases = self.by_first.get(word)?.iter();
            // They stand in their order, so the first that goes on is the earliest.
            { phrases }.find(|(_, rest)| behind.starts_with(rest)).map(|(place, _)| *place)
        });
        found.min()
    }
}

/// The words as they are written, in lower case and without accents.
fn plain_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        match c {
            '.' | '\'' | '’' | '\u{300}'..='\u{36f}' => {}
            c if c.is_alphanumeric() => push_plain(&mut word, c),
            _ if word.is_empty() => {}
            _ => words.push(std::mem::take(&mut word)),
        }
    }
    words.retain(|word| !FILLERS.contains(&word.as_str()));
    words
}

/// Appends a letter in lower case and without its accent.
fn push_plain(to: &mut String, c: char) {
    if c.is_ascii() {
        return to.push(c.to_ascii_lowercase());
    }
    for c in c.to_lowercase().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')) {
        match ACCENTED.iter().find(|(accented, _)| accented.contains(c)) {
            Some((_, plain)) => to.push_str(plain),
            None => to.push(c),
        }
    }
}

/// Lower-case letters with accents and what is left without.
const ACCENTED: &[(&str, &str)] = &[
    ("àáâãäåāăą", "a"),
    ("æ", "ae"),
    ("çćĉċč", "c"),
    ("ďđð", "d"),
    ("èéêëēĕėęě", "e"),
    ("ĝğġģ", "g"),
    ("ìíîïĩīĭįı", "i"),
    ("ĺļľł", "l"),
    ("ñńņň", "n"),
    ("òóôõöøōŏő", "o"),
    ("œ", "oe"),
    ("ŕŗř", "r"),
    ("śŝşšș", "s"),
    ("ß", "ss"),
    ("ţťț", "t"),
    ("ùúûüũūŭůűų", "u"),
    ("ýÿŷ", "y"),
    ("źżž", "z"),
];

/// Without a plural `s`: `operations` is `operation`, `companies` is `company`; `ops` and `saas` are
/// too short to be told from words that end so.
fn singular(word: &str) -> String {
    const SHORTEST: usize = 5;
    let is_plural = word.len() >= SHORTEST
        && word.ends_with('s')
        && !["ss", "us", "is"].iter().any(|ending| word.ends_with(ending));
    match (is_plural, word.strip_suffix("ies")) {
        (true, Some(stem)) => format!("{stem}y"),
        (true, None) => word.trim_end_matches('s').to_owned(),
        (false, _) => word.to_owned(),
    }
}

fn same() -> HashMap<&'static str, Vec<Short>> {
    let sections = sections(include_str!("words.toml"));
    let lines = sections.iter().flat_map(|section| &section.lines);
    let mut by_first: HashMap<&'static str, Vec<Short>> = HashMap::new();
    for (from, to) in lines {
        let to = to.iter().flat_map(|to| plain_words(to)).map(|word| singular(&word)).collect();
        let first = from.split(' ').next().unwrap_or(from);
        by_first.entry(first).or_default().push(Short { from: plain_words(from), to });
    }
    for shorts in by_first.values_mut() {
        shorts.sort_by_key(|short| std::cmp::Reverse(short.from.len()));
    }
    by_first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_phrase_is_found_as_whole_words_in_order() {
        let cases = [
            ("VP Sales", "VP Sales", true),
            ("VP, Sales", "VP Sales", true),
            ("VP of Sales", "VP Sales", true),
            ("VP Sales", "VP of Sales", true),
            ("VP/Sales", "VP Sales", true),
            ("VP-Sales", "VP Sales", true),
            ("V.P. of Sales & Marketing", "vp sales", true),
            ("Senior VP – Sales (EMEA)", "VP Sales", true),
            ("Global VP Sales", "vp SALES", true),
            ("Head of Sales and Marketing", "Sales Marketing", true),
            ("VP Marketing and Sales", "VP Sales", false),
            ("Sales VP", "VP Sales", false),
            ("Microsoft", "CRO", false),
            ("Macro Analyst", "CRO", false),
            ("International", "intern", false),
            ("LEITER VERTRIEB MÜNCHEN", "leiter vertrieb münchen", true),
            ("VP", "VP Sales", false),
            ("anything", "of the", false),
            ("", "VP", false),
        ];
        for (text, phrase, wanted) in cases {
            assert_eq!(contains(&words(text), &words(phrase)), wanted, "{phrase} in {text}");
        }
    }

    #[test]
    fn short_forms_and_what_they_stand_for_find_each_other() {
        let cases = [
            ("Vice-President, Sales", "VP Sales", true),
            ("VP Sales", "Vice President of Sales", true),
            ("Vice President", "President", false),
            ("SVP Sales", "Senior Vice President of Sales", true),
            ("SVP Sales", "VP Sales", true),
            ("CRO", "Chief Revenue Officer", true),
            ("Chief Revenue Officer (EMEA)", "CRO", true),
            ("Chief Risk Officer", "CRO", false),
            ("CEO", "chief", true),
            ("C.E.O.", "Chief Executive Officer", true),
            ("Cofounder", "Co-Founder", true),
            ("Sr. Sales Mgr.", "Senior Sales Manager", true),
            ("Head of Sales Ops", "Sales Operations", true),
            ("RevOps Lead", "Revenue Operations", true),
        ];
        for (text, phrase, wanted) in cases {
            assert_eq!(contains(&words(text), &words(phrase)), wanted, "{phrase} in {text}");
        }
    }

    #[test]
    fn accents_and_a_plural_make_no_difference() {
        let cases = [
            ("Geschäftsführer", "geschaftsfuhrer", true),
            ("DIRECTEUR GÉNÉRAL", "directeur general", true),
            ("Directeur Ge\u{301}ne\u{301}ral", "Directeur Général", true),
            ("Straße", "STRASSE", true),
            ("Head of Sales Operation", "Sales Operations", true),
            ("software companies", "software company", true),
            ("SaaS", "saa", false),
            ("Business", "busines", false),
            ("Campus", "campu", false),
        ];
        for (text, phrase, wanted) in cases {
            assert_eq!(contains(&words(text), &words(phrase)), wanted, "{phrase} in {text}");
        }
    }

    proptest! {
        #[test]
        fn phrases_that_are_looked_for_together_are_found_as_one_by_one(
            text in "([a-d] |VP |Vice President |sales |CRO |chief ){0,6}",
            phrases in proptest::collection::vec("([a-d] |VP |president |sales |revenue ){0,3}", 0..6),
        ) {
            let text = words(&text);
            let one_by_one = phrases.iter().position(|phrase| contains(&text, &words(phrase)));
            let together = Phrases::new(phrases.iter().map(String::as_str)).first_in(&text);
            prop_assert_eq!(together, one_by_one);
        }
    }
}
