//! Names of people: titles, degrees, nicknames, emoji and capitals.

use super::text::{folded, is_invisible};

/// A name as we keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Name {
    pub salutation: Option<String>,
    pub first: Option<String>,
    pub last: Option<String>,
    pub nickname: Option<String>,
    /// How the name stood there when it was in one case only.
    pub as_written: Option<String>,
}

/// What the name columns of a row say, cleaned; empty where they say nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Given<'a> {
    pub salutation: &'a str,
    pub first: &'a str,
    pub last: &'a str,
    pub full: &'a str,
}

/// Words in front of a name that are not the name, folded.
const SALUTATIONS: &[&str] = &[
    "dame",
    "dipling",
    "doktor",
    "dott",
    "dottssa",
    "dr",
    "dra",
    "drs",
    "fr",
    "frau",
    "herr",
    "hr",
    "ing",
    "ir",
    "lady",
    "lord",
    "madame",
    "mag",
    "miss",
    "mlle",
    "mme",
    "monsieur",
    "mr",
    "mrs",
    "ms",
    "mx",
    "prof",
    "professor",
    "rev",
    "sig",
    "sir",
    "sra",
    "sr",
    "srta",
];

/// Degrees and the like behind a name, folded.
const CREDENTIALS: &[&str] = &[
    "ba", "bsc", "cfa", "cissp", "cpa", "csm", "dds", "dmd", "dvm", "ea", "esq", "ii", "iii", "iv",
    "jd", "jr", "llb", "llm", "ma", "mba", "md", "mph", "msc", "msw", "mscis", "pe", "pharmd",
    "phd", "phr", "pmp", "rn", "shrmcp", "shrmscp", "sphr", "sr",
];

/// Words that belong to the last name and stay small.
const PARTICLES: &[&str] = &[
    "af", "al", "av", "bin", "bint", "da", "das", "de", "degli", "del", "della", "den", "der",
    "des", "di", "do", "dos", "du", "el", "ibn", "la", "las", "le", "los", "ten", "ter", "van",
    "vom", "von", "y", "zu", "zum", "zur",
];

/// The name in a row.
pub(crate) fn name(given: &Given) -> Name {
    let mut name = Name { salutation: filled(given.salutation), ..Name::default() };
    let first = name.take_apart(given.first);
    let last = without_credentials(&name.take_apart(given.last));
    let (mut first, mut last) = (first, last);
    if first.is_empty() || last.is_empty() {
        let (from_first, from_last) = name.split(given.full);
        if first.is_empty() && last.is_empty() {
            (first, last) = (from_first, from_last);
        } else if last.is_empty() && (same(&first, &from_first) || from_last.is_empty()) {
            // "Dana Whitfield", or the last name only, as in "Vorname, Name".
            let is_first_again = from_last.is_empty() && same(&first, &from_first);
            last = if is_first_again || !from_last.is_empty() { from_last } else { from_first };
        } else if first.is_empty() && same(&last, &from_last) {
            first = from_first;
        }
    }
    last = without_first(&first, last);
    if let Some(recased) = recased(&first, &last) {
        name.as_written = Some(format!("{first} {last}").trim().to_owned());
        (first, last) = recased;
    }
    name.first = filled(&first);
    name.last = filled(&last);
    name
}

/// Some tables repeat the first name in the column of the last.
fn without_first(first: &str, last: String) -> String {
    let rest = last.strip_prefix(first).and_then(|rest| rest.strip_prefix(' '));
    match rest.filter(|rest| !first.is_empty() && !rest.is_empty()) {
        Some(rest) => rest.to_owned(),
        None => last,
    }
}

/// Whether a cell says only how to address somebody: "Mr.", "Frau".
pub(crate) fn is_form_of_address(text: &str) -> bool {
    const FORMS: &[&str] = &[
        "dr", "frau", "herr", "herrn", "m", "madame", "miss", "mlle", "mme", "monsieur", "mr",
        "mrs", "ms", "mx", "sig", "signor", "signora", "sr", "sra", "srta",
    ];
    text.len() <= 10 && FORMS.contains(&folded(text).as_str())
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn same(a: &str, b: &str) -> bool {
    folded(a) == folded(b)
}

impl Name {
    /// A name without what is not part of it; salutation and nickname are kept aside.
    fn take_apart(&mut self, text: &str) -> String {
        let (text, nickname) = without_brackets(text);
        self.nickname = self.nickname.take().or(nickname);
        let text = only_letters(&text);
        let mut rest = text.as_str();
        let mut salutation: Vec<&str> = Vec::new();
        // "Prof. Dr. Dr. …" ends somewhere.
        for _ in 0..4 {
            let Some((word, tail)) = rest.split_once(' ') else { break };
            if !is_salutation(word) {
                break;
            }
            salutation.push(word);
            rest = tail.trim_start();
        }
        self.salutation = self.salutation.take().or_else(|| filled(&salutation.join(" ")));
        let has_letters = rest.chars().any(char::is_alphanumeric);
        if has_letters { rest.trim_matches([' ', ',', '-']).to_owned() } else { String::new() }
    }

    /// First and last name in one text: `Last, First`, or parted at the last space but for particles.
    fn split(&mut self, full: &str) -> (String, String) {
        let full = without_credentials_behind_commas(&self.take_apart(full));
        if let Some((last, first)) = full.split_once(',') {
            return (first.trim().to_owned(), last.trim().to_owned());
        }
        let full = without_credentials(&full);
        let words: Vec<&str> = full.split(' ').filter(|word| !word.is_empty()).collect();
        let mut at = words.len().saturating_sub(1);
        while at > 1 && words.get(at - 1).is_some_and(|word| is_particle(word)) {
            at -= 1;
        }
        let (first, last) = words.split_at(at.max(1).min(words.len()));
        (first.join(" "), last.join(" "))
    }
}

/// "M." is a salutation only with its dot, and "Sr" in front is a señor.
fn is_salutation(word: &str) -> bool {
    word == "M." || SALUTATIONS.contains(&folded(word).as_str())
}

fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&folded(word).as_str())
}

fn is_credential(word: &str) -> bool {
    CREDENTIALS.contains(&folded(word).as_str())
}

/// Takes out `(Bill)` and `"Bill"`: the text without it, and the nickname.
fn without_brackets(text: &str) -> (String, Option<String>) {
    const PAIRS: [(char, char); 5] = [('(', ')'), ('[', ']'), ('"', '"'), ('“', '”'), ('（', '）')];
    for (opening, closing) in PAIRS {
        if let Some((before, rest)) = text.split_once(opening)
            && let Some((inner, behind)) = rest.split_once(closing)
        {
            let nickname = only_letters(inner);
            return (format!("{} {}", before.trim(), behind.trim()), filled(&nickname));
        }
    }
    (text.to_owned(), None)
}

/// Without emoji, ticks and hearts.
fn only_letters(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" .-',".contains(&byte);
    if text.bytes().all(is_plain) && !text.contains("  ") {
        return text.trim().to_owned();
    }
    let is_part = |c: &char| {
        let is_picture = matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2460}'..='\u{27bf}');
        let is_mark = matches!(c, '\u{300}'..='\u{36f}');
        (c.is_alphanumeric() && !is_picture) || is_mark || " ,.-'’‘`´·‐‑–".contains(*c)
    };
    let kept: String = text.chars().filter(is_part).filter(|c| !is_invisible(*c)).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A last name without `, MBA` and ` PhD`.
fn without_credentials(text: &str) -> String {
    let text = text.split(',').next().unwrap_or_default().trim();
    let mut words: Vec<&str> = text.split(' ').collect();
    while words.len() > 1 && words.last().is_some_and(|word| is_written_credential(word)) {
        words.pop();
    }
    words.join(" ")
}

/// Without a comma only what is written like a degree is one: "Ma" is a name.
fn is_written_credential(word: &str) -> bool {
    let is_shouted = word.len() > 1 && word.chars().all(|c| c.is_uppercase() || c == '.');
    let is_mixed =
        ["PhD", "Ph.D.", "Ph.D", "MSc", "BSc", "PharmD", "Esq.", "Jr.", "Jr"].contains(&word);
    is_mixed || (is_shouted && is_credential(word) && folded(word).len() > 2)
}

/// `Whitfield, Dana, MBA` without `, MBA`; and `Dana Whitfield, MBA` likewise.
fn without_credentials_behind_commas(text: &str) -> String {
    let mut parts: Vec<&str> =
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part.split(' ').all(is_credential)) {
        parts.pop();
    }
    parts.truncate(2);
    parts.join(",")
}

/// Names in CAPITALS or small letters as they are usually written; never one that has both.
///
/// In capitals both must be longer than three letters: "JP" and "AJ" are meant so.
fn recased(first: &str, last: &str) -> Option<(String, String)> {
    let both = [first, last];
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
    let long = both.iter().all(|text| text.is_empty() || letters(text) > 3);
    let shouted = both.iter().all(|text| !text.chars().any(char::is_lowercase)) && long;
    let small = both.iter().all(|text| !text.chars().any(char::is_uppercase));
    let recased = (shouted || small).then(|| (capitalised(first), capitalised(last)));
    // Scripts without capitals are in no case at all.
    recased.filter(|recased| (recased.0.as_str(), recased.1.as_str()) != (first, last))
}

fn capitalised(name: &str) -> String {
    let words: Vec<&str> = name.split(' ').collect();
    let last = words.len().saturating_sub(1);
    let word = |(at, word): (usize, &&str)| match is_particle(word) && at < last {
        true => word.to_lowercase(),
        false => capitalised_word(word),
    };
    words.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
}

/// `JEAN-PIERRE` to `Jean-Pierre`, `O'BRIEN` to `O'Brien`, `MCDONALD` to `McDonald`.
fn capitalised_word(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut begins = true;
    for (at, c) in word.char_indices() {
        let small = word.get(..at).unwrap_or_default().to_lowercase();
        let begins_here = begins || (small == "mc" && word.len() > 4);
        if begins_here {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        let is_short_elision = matches!(c, '\'' | '’') && small.chars().count() == 1;
        begins = matches!(c, '-' | '‐' | '.') || is_short_elision;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(full: &str) -> (String, String) {
        let name = name(&Given { full, ..Given::default() });
        (name.first.unwrap_or_default(), name.last.unwrap_or_default())
    }

    fn parts(first: &str, last: &str) -> (String, String) {
        let name = name(&Given { first, last, ..Given::default() });
        (name.first.unwrap_or_default(), name.last.unwrap_or_default())
    }

    fn pair((first, last): (&str, &str)) -> (String, String) {
        (first.to_owned(), last.to_owned())
    }

    #[test]
    fn one_name_column_is_parted_as_people_are_called() {
        for (text, expected) in [
            ("Dana Whitfield", ("Dana", "Whitfield")),
            ("Dana", ("Dana", "")),
            ("Mary Ann Smith", ("Mary Ann", "Smith")),
            ("Ludwig van der Berg", ("Ludwig", "van der Berg")),
            ("Maria de la Cruz", ("Maria", "de la Cruz")),
            ("Whitfield, Dana", ("Dana", "Whitfield")),
            ("Whitfield, Dana, MBA", ("Dana", "Whitfield")),
            ("Dana Whitfield, MBA, PhD", ("Dana", "Whitfield")),
            ("Dana Whitfield PhD", ("Dana", "Whitfield")),
            ("Jack Ma", ("Jack", "Ma")),
            ("Dr. Dana Whitfield", ("Dana", "Whitfield")),
            ("Prof. Dr. Jürgen Müller", ("Jürgen", "Müller")),
            ("William (Bill) Gates", ("William", "Gates")),
            ("✓ Dana Whitfield ❤️🚀", ("Dana", "Whitfield")),
            ("DANA WHITFIELD", ("Dana", "Whitfield")),
            ("🚀", ("", "")),
            ("-", ("", "")),
        ] {
            assert_eq!(full(text), pair(expected), "{text:?}");
        }
    }

    #[test]
    fn two_name_columns_are_cleaned_and_only_capitals_are_recased() {
        for (first, last, expected) in [
            ("Dana", "Whitfield, MBA", ("Dana", "Whitfield")),
            ("Mr. Dana", "Whitfield", ("Dana", "Whitfield")),
            ("DANA", "MCDONALD", ("Dana", "McDonald")),
            ("SEAMUS", "O'BRIEN", ("Seamus", "O'Brien")),
            ("JEAN-PIERRE", "VAN DER BERG", ("Jean-Pierre", "van der Berg")),
            ("dana", "whitfield", ("Dana", "Whitfield")),
            ("ann", "lee", ("Ann", "Lee")),
            ("AJ", "SMITH", ("AJ", "SMITH")),
            ("Dana", "WHITFIELD", ("Dana", "WHITFIELD")),
            ("Dana", "McDonald", ("Dana", "McDonald")),
            ("DeShawn", "de la Cruz", ("DeShawn", "de la Cruz")),
            ("Müller 💼", "", ("Müller", "")),
            ("李", "小龙", ("李", "小龙")),
        ] {
            assert_eq!(parts(first, last), pair(expected), "{first:?} {last:?}");
        }
    }

    #[test]
    fn salutation_and_nickname_are_kept_aside() {
        let found = name(&Given { full: "Dr. William \"Bill\" Gates", ..Given::default() });
        assert_eq!(found.salutation.as_deref(), Some("Dr."));
        assert_eq!(found.nickname.as_deref(), Some("Bill"));
        let found = name(&Given { salutation: "Ms.", first: "Dr. Dana", ..Given::default() });
        assert_eq!(
            (found.salutation.as_deref(), found.first.as_deref()),
            (Some("Ms."), Some("Dana"))
        );
    }

    #[test]
    fn the_full_name_fills_what_the_other_columns_leave_out() {
        let found = name(&Given { first: "Dana", full: "Dana Whitfield", ..Given::default() });
        assert_eq!(found.last.as_deref(), Some("Whitfield"));
        let found = name(&Given { first: "Dana", full: "Someone Else", ..Given::default() });
        assert_eq!(found.last, None);
        let found = name(&Given { first: "Dana", full: "Dana", ..Given::default() });
        assert_eq!(found.last, None);
        let found = name(&Given { first: "Dana", full: "Whitfield", ..Given::default() });
        assert_eq!(found.last.as_deref(), Some("Whitfield"));
    }

    #[test]
    fn a_last_name_that_repeats_the_first_loses_it() {
        assert_eq!(parts("Dana", "Dana Whitfield"), pair(("Dana", "Whitfield")));
        assert_eq!(parts("Dan", "Danaher"), pair(("Dan", "Danaher")));
        assert_eq!(parts("Dana", "Dana"), pair(("Dana", "Dana")));
    }

    #[test]
    fn forms_of_address_are_no_jobs() {
        for text in ["Mr.", "Frau", "Mme", "Dr."] {
            assert!(is_form_of_address(text), "{text}");
        }
        for text in ["Professor", "MD", "Manager", ""] {
            assert!(!is_form_of_address(text), "{text}");
        }
    }
}
