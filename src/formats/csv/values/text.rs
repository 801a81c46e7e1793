//! Cells as text: accents, hidden characters, placeholders and what Excel adds.

use std::borrow::Cow;

/// The text without what a cell should not have: control and invisible characters, runs of blanks,
/// blanks around it, and the apostrophe or formula that keeps Excel from reading it as a number.
pub(crate) fn clean(raw: &str) -> Cow<'_, str> {
    let text = unguarded(raw.trim());
    let is_clean = is_plain(text);
    if is_clean { Cow::Borrowed(text) } else { Cow::Owned(cleaned(text)) }
}

/// Whether a trimmed text is printable ASCII without runs of blanks.
fn is_plain(text: &str) -> bool {
    let mut before = b'x';
    for byte in text.bytes() {
        if !(0x20..0x7f).contains(&byte) || (byte == b' ' && before == b' ') {
            return false;
        }
        before = byte;
    }
    true
}

fn cleaned(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let start = clean.len();
        if start > 0 {
            clean.push(' ');
        }
        let before = clean.len();
        clean.extend(word.chars().filter(|c| !is_invisible(*c)));
        if clean.len() == before {
            clean.truncate(start);
        }
    }
    clean
}

/// Like [`clean`], but line ends stay.
pub(crate) fn clean_lines(raw: &str) -> Cow<'_, str> {
    if !raw.bytes().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return clean(raw);
    }
    let lines: Vec<Cow<str>> = raw.lines().map(clean).collect();
    Cow::Owned(lines.join("\n").trim().to_owned())
}

/// Takes off the apostrophe before a formula character, and `="…"` around a text.
fn unguarded(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('\'')
        && rest.starts_with(['=', '+', '-', '@', '\t', '\r'])
    {
        return rest;
    }
    let formula = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    formula.filter(|inner| !inner.contains('"')).unwrap_or(text)
}

/// Characters that are there but not seen: direction marks, zero-width blanks, byte order marks.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e007f}')
}

/// What people and programs write when they mean "nothing", in lower case, sorted.
const PLACEHOLDERS: &[&str] = &[
    "#div/0!",
    "#error!",
    "#n/a",
    "#name?",
    "#null!",
    "#num!",
    "#ref!",
    "#value!",
    "(blank)",
    "(empty)",
    "(no value)",
    "(none)",
    "(not set)",
    "-",
    "--",
    "---",
    ".",
    "/",
    "<null>",
    "?",
    "[]",
    "[blank]",
    "[empty]",
    "[null]",
    "empty",
    "k. a.",
    "k.a.",
    "keine angabe",
    "missing",
    "n. a.",
    "n.a",
    "n.a.",
    "n/a",
    "n\\a",
    "nan",
    "nil",
    "no data",
    "no email",
    "no phone",
    "no value",
    "none",
    "not applicable",
    "not available",
    "not found",
    "not provided",
    "null",
    "s/o",
    "sin datos",
    "tba",
    "tbc",
    "tbd",
    "unavailable",
    "undefined",
    "unknown",
    "{}",
];

/// The longest of [`PLACEHOLDERS`], in bytes.
const LONGEST: usize = 14;

/// Whether a cleaned text stands for nothing.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let Some(first) = text.bytes().next() else { return true };
    // Most cells are told from these by their first letter alone.
    if !(b"#(-./<?[{eEkKmMnNsStTuU\xe2".contains(&first)) {
        return false;
    }
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..text.len()) else { return false };
    lower.copy_from_slice(text.as_bytes());
    lower.make_ascii_lowercase();
    let lower = &*lower;
    let is_known = || PLACEHOLDERS.binary_search_by(|known| known.as_bytes().cmp(lower)).is_ok();
    text == "NA" || ["\u{2013}", "\u{2014}"].contains(&text) || is_known()
}

/// Whether a name stands for nothing: a person may be called Null, None or Na.
pub(crate) fn is_placeholder_name(text: &str) -> bool {
    let is_capitalised = text.chars().next().is_some_and(char::is_uppercase)
        && text.chars().skip(1).all(char::is_lowercase);
    text.is_empty() || (!is_capitalised && text != "NA" && is_placeholder(text))
}

/// Letters and digits only, lower case, without accents: the form in which names are compared.
pub(crate) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().filter(|c| c.is_alphanumeric()) {
        push_plain(&mut folded, c);
    }
    folded
}

/// Appends a letter in lower case and without its accent.
pub(crate) fn push_plain(to: &mut String, c: char) {
    if c.is_ascii() {
        to.push(c.to_ascii_lowercase());
        return;
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
    ("àáâãäåāăąǎª", "a"),
    ("æ", "ae"),
    ("çćĉċč", "c"),
    ("ďđð", "d"),
    ("èéêëēĕėęě", "e"),
    ("ĝğġģ", "g"),
    ("ĥħ", "h"),
    ("ìíîïĩīĭįı", "i"),
    ("ĵ", "j"),
    ("ķ", "k"),
    ("ĺļľŀł", "l"),
    ("ñńņňŉ", "n"),
    ("òóôõöøōŏőơº", "o"),
    ("œ", "oe"),
    ("ŕŗř", "r"),
    ("śŝşšș", "s"),
    ("ß", "ss"),
    ("ţťŧț", "t"),
    ("þ", "th"),
    ("ùúûüũūŭůűųư", "u"),
    ("ŵ", "w"),
    ("ýÿŷ", "y"),
    ("źżž", "z"),
    ("ạảấầẩẫậắằẳẵặ", "a"),
    ("ẹẻẽếềểễệ", "e"),
    ("ỉị", "i"),
    ("ọỏốồổỗộớờởỡợ", "o"),
    ("ụủứừửữự", "u"),
    ("ỳỵỷỹ", "y"),
];

/// Lower-case words parted by one space, as a source's own level is kept: `C-Suite` is `c suite`.
pub(crate) fn level_words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        word.chars().for_each(|c| push_plain(&mut words, c));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_lose_what_nobody_sees() {
        for (raw, text) in [
            ("  Dana \t Whitfield\n", "Dana Whitfield"),
            ("\u{feff}Dana\u{200b}", "Dana"),
            ("a \u{200b} b", "a b"),
            ("Da\0na\r\nBcc: x", "Da na Bcc: x"),
            ("'+4930123456", "+4930123456"),
            ("'-", "-"),
            ("'n Sync", "'n Sync"),
            ("=\"0049301234\"", "0049301234"),
            ("=1+1", "=1+1"),
        ] {
            assert_eq!(clean(raw), text, "{raw:?}");
        }
        assert_eq!(clean_lines(" one \r\n\r\n two\n"), "one\n\ntwo");
    }

    #[test]
    fn placeholders_are_nothing_and_people_called_null_are_people() {
        for text in ["", "N/A", "n.a.", "-", "none", "NULL", "#N/A", "NaN", "NA", "\u{2014}"] {
            assert!(is_placeholder(text), "{text:?}");
        }
        for text in PLACEHOLDERS {
            assert!(is_placeholder(text) && is_placeholder(&text.to_uppercase()), "{text:?}");
        }
        assert!(PLACEHOLDERS.is_sorted());
        assert_eq!(PLACEHOLDERS.iter().map(|text| text.len()).max(), Some(LONGEST));
        for text in ["0", "Nina", "x", "no", "Namibia", "Northwind Traders Inc"] {
            assert!(!is_placeholder(text), "{text:?}");
        }
        for (text, nothing) in
            [("Null", false), ("NULL", true), ("Na", false), ("NA", false), ("-", true)]
        {
            assert_eq!(is_placeholder_name(text), nothing, "{text:?}");
        }
    }

    #[test]
    fn names_are_compared_without_accents_case_and_signs() {
        for (text, plain) in [
            ("Türkiye", "turkiye"),
            ("Côte d'Ivoire", "cotedivoire"),
            ("U.S.A.", "usa"),
            ("Cafe\u{301}", "cafe"),
            ("Straße", "strasse"),
            ("日本", "日本"),
        ] {
            assert_eq!(folded(text), plain);
        }
    }
}
