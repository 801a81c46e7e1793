//! HTML as text: enough to read what a person wrote, with quotations marked by `> `. One pass.

/// Elements whose text nobody sees.
const HIDDEN: &[&str] = &["head", "style", "script", "template", "title"];
/// Elements that begin a new line.
const BLOCKS: &[&str] =
    &["p", "div", "br", "tr", "li", "ul", "ol", "table", "hr", "h1", "h2", "h3", "h4"];
/// Longer tags are damage or attack; their name is in the first characters anyway.
const NAME_BYTES: usize = 16;

/// The visible text, one line per block, lines of a `blockquote` behind `> `.
pub(in crate::formats) fn to_text(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        page.text(rest.get(..open).unwrap_or_default());
        rest = rest.get(open..).unwrap_or_default();
        let end = if rest.starts_with("<!--") {
            rest.find("-->").map(|at| at + 3)
        } else {
            rest.find('>').map(|at| at + 1)
        };
        let Some(end) = end else { return page.out };
        page.tag(rest.get(1..end).unwrap_or_default());
        rest = rest.get(end..).unwrap_or_default();
    }
    page.text(rest);
    page.out
}

#[derive(Default)]
struct Page {
    out: String,
    quotes: usize,
    hidden: Option<String>,
}

impl Page {
    fn tag(&mut self, tag: &str) {
        // In a script a bare `<` is no tag; what closes the script is behind the last one.
        let tag = if self.hidden.is_some() { tag.rsplit('<').next().unwrap_or(tag) } else { tag };
        let closing = tag.starts_with('/');
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take(NAME_BYTES)
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let name = name.to_ascii_lowercase();
        if let Some(hidden) = &self.hidden {
            if closing && *hidden == name {
                self.hidden = None;
            }
        } else if HIDDEN.contains(&name.as_str()) && !closing && !tag.ends_with("/>") {
            self.hidden = Some(name);
        } else if name == "blockquote" {
            self.out.push('\n');
            self.quotes = if closing { self.quotes.saturating_sub(1) } else { self.quotes + 1 };
        } else if name == "br" || (BLOCKS.contains(&name.as_str()) && !self.out.ends_with('\n')) {
            self.out.push('\n');
        }
    }

    fn text(&mut self, text: &str) {
        if self.hidden.is_none() {
            unescape(text).chars().for_each(|c| self.character(c));
        }
    }

    fn character(&mut self, c: char) {
        let at_start = self.out.is_empty() || self.out.ends_with('\n');
        if c.is_whitespace() {
            if !at_start && !self.out.ends_with(' ') {
                self.out.push(' ');
            }
            return;
        }
        if at_start && self.quotes > 0 {
            self.out.push_str("> ");
        }
        self.out.push(c);
    }
}

/// The characters behind the entities that mail really uses; others stay as written.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let name: String = rest
            .chars()
            .take(NAME_BYTES)
            .take_while(|c| *c == '#' || c.is_ascii_alphanumeric())
            .collect();
        match entity(&name) {
            Some(c) => {
                plain.push(c);
                rest = rest.get(name.len()..).unwrap_or_default();
                rest = rest.strip_prefix(';').unwrap_or(rest);
            }
            None => plain.push('&'),
        }
    }
    plain.push_str(rest);
    plain
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hexadecimal =
            number.strip_prefix(['x', 'X']).map(|digits| u32::from_str_radix(digits, 16));
        return char::from_u32(hexadecimal.unwrap_or_else(|| number.parse()).ok()?);
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| *c)
}

const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("atilde", 'ã'),
    ("auml", 'ä'),
    ("aring", 'å'),
    ("aelig", 'æ'),
    ("ccedil", 'ç'),
    ("egrave", 'è'),
    ("eacute", 'é'),
    ("ecirc", 'ê'),
    ("iacute", 'í'),
    ("ntilde", 'ñ'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("otilde", 'õ'),
    ("ouml", 'ö'),
    ("oslash", 'ø'),
    ("szlig", 'ß'),
    ("ugrave", 'ù'),
    ("uacute", 'ú'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Eacute", 'É'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_text_is_read_line_by_line() {
        for (html, text) in [
            ("a<b>b</b> c", "ab c"),
            ("<style>x{}</style>a <script>1<2</script>b", "a b"),
            ("a<br/>b<br>c", "a\nb\nc"),
            ("<p>a</p><p>b</p>", "a\nb"),
            ("caf&eacute; &#8364; &#x41; &unknown; &", "café € A &unknown; &"),
            ("a<!-- <p>no</p> -->b", "ab"),
            ("<blockquote>q<br>r</blockquote>a", "> q\n> r\na"),
            ("a <unclosed", "a"),
        ] {
            assert_eq!(to_text(html).trim(), text, "{html}");
        }
    }
}
