//! Comparing words across languages: letters without marks, blanks collapsed, whole words only.

/// Lower case, without diacritics, curly quotes made straight, every run of blanks one space;
/// line breaks stay line breaks.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '\n' => {
                trim_blank(&mut folded);
                folded.push('\n');
            }
            c if c.is_whitespace() => push_blank(&mut folded),
            // Combining marks, soft hyphens and zero-width characters carry no letter.
            '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}' => {}
            c => push_plain(&mut folded, c),
        }
    }
    trim_blank(&mut folded);
    folded
}

/// The same with line breaks as blanks, for phrases that may be wrapped.
pub(super) fn fold_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in fold(text).chars() {
        if c == '\n' { push_blank(&mut line) } else { line.push(c) }
    }
    line.trim().to_owned()
}

fn push_blank(folded: &mut String) {
    if !folded.is_empty() && !folded.ends_with([' ', '\n']) {
        folded.push(' ');
    }
}

fn trim_blank(folded: &mut String) {
    if folded.ends_with(' ') {
        folded.pop();
    }
}

fn push_plain(folded: &mut String, c: char) {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => folded.push('a'),
        'ç' | 'ć' | 'č' => folded.push('c'),
        'ď' | 'đ' | 'ð' => folded.push('d'),
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => folded.push('e'),
        'ğ' | 'ģ' => folded.push('g'),
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => folded.push('i'),
        'ķ' => folded.push('k'),
        'ł' | 'ľ' | 'ĺ' | 'ļ' => folded.push('l'),
        'ñ' | 'ń' | 'ň' | 'ņ' => folded.push('n'),
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => folded.push('o'),
        'ř' | 'ŕ' => folded.push('r'),
        'ś' | 'š' | 'ş' | 'ș' => folded.push('s'),
        'ť' | 'ţ' | 'ț' => folded.push('t'),
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' | 'ų' => folded.push('u'),
        'ý' | 'ÿ' => folded.push('y'),
        'ź' | 'ż' | 'ž' => folded.push('z'),
        'ß' => folded.push_str("ss"),
        'æ' => folded.push_str("ae"),
        'œ' => folded.push_str("oe"),
        'ё' => folded.push('е'),
        'ά' => folded.push('α'),
        'έ' => folded.push('ε'),
        'ή' => folded.push('η'),
        'ί' | 'ϊ' | 'ΐ' => folded.push('ι'),
        'ό' => folded.push('ο'),
        'ύ' | 'ϋ' | 'ΰ' => folded.push('υ'),
        'ώ' => folded.push('ω'),
        '‘' | '’' | 'ʼ' | '`' | '´' => folded.push('\''),
        '“' | '”' | '„' | '«' | '»' => folded.push('"'),
        '‐' | '‑' | '–' | '—' | '−' => folded.push('-'),
        '：' => folded.push(':'),
        c => folded.push(c),
    }
}

/// The first of the phrases (written folded) that stands in a folded text as whole words.
pub(super) fn find<'p>(text: &str, phrases: &[&'p str]) -> Option<&'p str> {
    phrases.iter().copied().find(|phrase| position(text, phrase).is_some())
}

/// Where a phrase stands in a folded text as whole words.
pub(super) fn position(text: &str, phrase: &str) -> Option<usize> {
    positions(text, phrase).next()
}

/// Every place where a phrase stands in a folded text as whole words.
pub(super) fn positions<'t>(text: &'t str, phrase: &'t str) -> impl Iterator<Item = usize> + 't {
    text.match_indices(phrase).map(|(at, _)| at).filter(move |at| is_whole(text, phrase, *at))
}

/// Scripts without blanks between words have no whole words to ask for.
fn is_whole(text: &str, phrase: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|head| head.chars().next_back());
    let after = text.get(at + phrase.len()..).and_then(|tail| tail.chars().next());
    let cut = |edge: Option<char>, outside: Option<char>| {
        edge.is_some_and(is_word) && outside.is_some_and(is_word)
    };
    !cut(phrase.chars().next(), before) && !cut(phrase.chars().next_back(), after)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{2e80}'
}

/// The first so many characters.
pub(super) fn clip(text: &str, characters: usize) -> &str {
    match text.char_indices().nth(characters) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_text_fold_to_the_same() {
        for (text, folded) in [
            ("  Désinscription\u{a0}!", "desinscription !"),
            ("Don’t", "don't"),
            ("GRÜẞE — Łódź", "grusse - lodz"),
            ("a \n  b", "a\nb"),
            ("Ёлка", "елка"),
        ] {
            assert_eq!(fold(text), folded);
        }
        assert_eq!(fold_line("a \n\n  b"), "a b");
    }

    #[test]
    fn phrases_are_found_as_whole_words_only() {
        for (text, phrase, found) in [
            ("please stop now", "stop", true),
            ("nonstop service", "stop", false),
            ("stopping by", "stop", false),
            ("stop", "stop", true),
            ("nonstop stop", "stop", true),
            ("配信停止をお願いします", "配信停止", true),
        ] {
            assert_eq!(find(text, &[phrase]).is_some(), found, "{text}");
        }
    }
}
