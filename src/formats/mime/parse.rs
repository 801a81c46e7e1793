//! Takes the bytes of a message apart into headers and decoded parts. Everything is bounded: hostile
//! mail costs no more than a few passes over it.

use super::charset;
use super::headers::Headers;
use super::html;

/// More than any real report nests; a bomb stops here.
const NESTING_LIMIT: usize = 8;
const PART_LIMIT: usize = 200;
/// Bytes of one part that are looked at.
const PART_BYTES: usize = 1 << 20;
/// Bytes of one message that are looked at.
const MESSAGE_BYTES: usize = 8 << 20;
const TEXTS_LIMIT: usize = 8;

/// One leaf of the MIME tree.
pub(super) struct Part {
    /// Such as `text/plain`, lower case.
    pub(super) kind: String,
    pub(super) headers: Headers,
    /// Decoded; of a part that is no text only what reads as text.
    pub(super) text: String,
}

/// A message: its headers and its leaves in order.
pub(super) struct Mail {
    pub(super) headers: Headers,
    pub(super) parts: Vec<Part>,
}

/// Line ends of all three styles as `\n`, so that every copy of a message reads the same.
pub(super) fn normalise(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.get(..MESSAGE_BYTES).unwrap_or(bytes);
    let mut lines = Vec::with_capacity(bytes.len());
    let mut after_return = false;
    for &byte in bytes {
        match byte {
            b'\n' if after_return => {}
            b'\r' => lines.push(b'\n'),
            other => lines.push(other),
        }
        after_return = byte == b'\r';
    }
    lines
}

impl Mail {
    /// Reads a message with `\n` line ends.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let (headers, body) = Headers::read(bytes);
        let mut parts = Vec::new();
        collect(&headers, body, NESTING_LIMIT, &mut parts);
        Self { headers, parts }
    }

    /// The first part of one of these kinds.
    pub(super) fn part(&self, kinds: &[&str]) -> Option<&Part> {
        self.parts.iter().find(|part| kinds.contains(&part.kind.as_str()))
    }

    /// What a reader sees: the plain text, or else the HTML as text.
    pub(super) fn text(&self) -> String {
        let plain = self.texts("text/plain").collect::<Vec<_>>().join("\n");
        if !plain.trim().is_empty() {
            return plain;
        }
        self.texts("text/html").map(html::to_text).collect::<Vec<_>>().join("\n")
    }

    fn texts<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        let shown = self.parts.iter().filter(move |part| part.kind == kind && part.is_shown());
        shown.take(TEXTS_LIMIT).map(|part| part.text.as_str())
    }
}

impl Part {
    fn is_shown(&self) -> bool {
        let disposition = self.headers.get("content-disposition").unwrap_or_default();
        !disposition.trim_start().to_ascii_lowercase().starts_with("attachment")
    }

    /// The part's text read as a message of its own: the original inside a report.
    pub(super) fn as_mail(&self) -> Mail {
        Mail::read(self.text.as_bytes())
    }
}

fn collect(headers: &Headers, body: &[u8], depth: usize, parts: &mut Vec<Part>) {
    if parts.len() >= PART_LIMIT {
        return;
    }
    let content = headers.content_type();
    if !content.kind.starts_with("multipart/") || depth == 0 {
        return parts.push(leaf(content.kind, content.charset.as_deref(), headers.clone(), body));
    }
    let boundary = content.boundary.or_else(|| guess_boundary(body));
    let sections = boundary.map(|boundary| sections(body, boundary.as_bytes())).unwrap_or_default();
    if sections.is_empty() {
        // No boundary line where one was announced: what is there is at least readable.
        return parts.push(leaf("text/plain".to_owned(), None, headers.clone(), body));
    }
    for section in sections {
        let (headers, body) = Headers::read_part(section);
        collect(&headers, body, depth - 1, parts);
    }
}

fn leaf(kind: String, charset: Option<&str>, headers: Headers, body: &[u8]) -> Part {
    let body = body.get(..PART_BYTES).unwrap_or(body);
    let encoding = headers.get("content-transfer-encoding").unwrap_or_default();
    let bytes = match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => charset::from_base64(body),
        "quoted-printable" => charset::from_quoted_printable(body),
        _ => body.to_vec(),
    };
    let text = charset::decode(&bytes, charset);
    Part { kind, headers, text: text.replace("\r\n", "\n").replace('\r', "\n") }
}

/// The slices between the boundary lines (RFC 2046, section 5.1.1); an unclosed last part counts.
fn sections<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut sections = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        if let Some(is_last) = boundary_line(line, boundary) {
            sections.extend(open.and_then(|start| body.get(start..at)));
            open = (!is_last).then_some(next);
            if is_last || sections.len() >= PART_LIMIT {
                return sections;
            }
        }
        at = next;
    }
    sections.extend(open.and_then(|start| body.get(start..)));
    sections
}

/// Whether a line is this boundary's, and then whether it is the closing one.
fn boundary_line(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?.trim_ascii_end();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// A multipart whose header lost its boundary: the first line that starts like one and is followed
/// by a part's header.
fn guess_boundary(body: &[u8]) -> Option<String> {
    let mut lines = body.split(|byte| *byte == b'\n').take(100).peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().map(|next| next.to_ascii_lowercase()).unwrap_or_default();
        if let Some(boundary) = line.strip_prefix(b"--")
            && next.starts_with(b"content-")
        {
            return Some(String::from_utf8_lossy(boundary.trim_ascii_end()).into_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Mail {
        Mail::read(&normalise(text.as_bytes()))
    }

    #[test]
    fn line_ends_of_all_three_styles_read_the_same() {
        for text in ["a\nb\n\nc", "a\r\nb\r\n\r\nc", "a\rb\r\rc"] {
            assert_eq!(normalise(text.as_bytes()), b"a\nb\n\nc");
        }
    }

    #[test]
    fn the_plain_text_is_preferred_to_the_html() {
        let mail = read(
            "Content-Type: multipart/alternative; boundary=\"b 1\"\n\npreamble\n--b 1\n\
             Content-Type: text/html\n\n<p>html</p>\n--b 1\nContent-Type: text/plain; \
             charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\ngr=FC=\nn\n--b 1--\n",
        );
        assert_eq!(mail.text().trim(), "grün");
        assert_eq!(mail.parts.len(), 2);
    }

    #[test]
    fn html_alone_is_read_as_text() {
        let mail = read("Content-Type: text/html\n\n<p>one<br>two</p><blockquote>old</blockquote>");
        assert_eq!(mail.text().trim(), "one\ntwo\n\n> old");
    }

    #[test]
    fn a_multipart_without_its_boundary_is_still_read() {
        let mail = read(
            "Content-Type: multipart/mixed;\nboundary=x\n\n--x\nContent-Type: text/plain\n\nin\n--x--",
        );
        assert_eq!(mail.text().trim(), "in");
        let mail = read("Content-Type: multipart/mixed; boundary=y\n\nplain after all");
        assert_eq!(mail.text(), "plain after all");
    }

    #[test]
    fn nesting_and_parts_are_bounded() {
        let mut bomb = String::new();
        for level in 0..5000 {
            bomb += &format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
        }
        assert!(read(&bomb).parts.len() <= PART_LIMIT);
        let many =
            format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(9000));
        assert!(read(&many).parts.len() <= PART_LIMIT);
    }
}
