//! Header fields: unfolded, decoded (RFC 2047) and asked for by name.

use mail_parser::parsers::MessageStream;

use super::charset;

const FIELD_LIMIT: usize = 500;
/// Bytes of one field's value that are kept.
const VALUE_BYTES: usize = 16 << 10;
const ID_LIMIT: usize = 100;
const ADDRESS_LIMIT: usize = 50;

/// The header fields of a message or part, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers(Vec<(String, String)>);

/// What the `Content-Type` field says.
pub(super) struct ContentType {
    /// Such as `text/plain`, lower case.
    pub(super) kind: String,
    pub(super) boundary: Option<String>,
    pub(super) charset: Option<String>,
    pub(super) report_type: Option<String>,
    pub(super) method: Option<String>,
}

impl Headers {
    /// The fields at the top of a message, and its body. An mbox line and blank lines above are skipped.
    pub(super) fn read(bytes: &[u8]) -> (Self, &[u8]) {
        let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        if rest.starts_with(b"From ") || rest.starts_with(b">From ") {
            rest = split_line(rest).1;
        }
        Self::read_part(rest)
    }

    /// The fields at the top of a MIME part (it may have none), and its body.
    pub(super) fn read_part(bytes: &[u8]) -> (Self, &[u8]) {
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (line, after) = split_line(rest);
            if line.trim_ascii().is_empty() {
                rest = after;
                break;
            }
            match (fields.last_mut(), field(line)) {
                (Some((_, value)), _) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                    append(value, line);
                }
                (_, Some((name, value))) => {
                    if fields.len() < FIELD_LIMIT {
                        fields.push((name, clip(value.trim_ascii()).to_vec()));
                    }
                }
                // Not a field: the blank line is missing and the body begins.
                _ => break,
            }
            rest = after;
        }
        let decoded = fields.into_iter().map(|(name, value)| (name, charset::decode(&value, None)));
        (Self(decoded.collect()), rest)
    }

    /// The first field of that (lower case) name, unfolded but not decoded.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Every field of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Whether any of these fields is there.
    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        self.0.iter().any(|(field, _)| names.contains(&field.as_str()))
    }

    /// The field as a reader sees it, encoded words decoded.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).map(decode_words).unwrap_or_default()
    }

    /// The lower-case addresses of a field.
    pub(super) fn addresses(&self, name: &str) -> Vec<String> {
        let parsed = self.all(name).map(|value| {
            let line = format!("{value}\n");
            let value = MessageStream::new(line.as_bytes()).parse_address().into_owned();
            value.into_address().map(mail_parser::Address::into_list).unwrap_or_default()
        });
        let addresses = parsed.flatten().filter_map(|address| address.address);
        addresses
            .map(|address| address.trim().to_lowercase())
            .filter(|address| is_address(address))
            .take(ADDRESS_LIMIT)
            .collect()
    }

    /// The Message-IDs of a field, without angle brackets.
    pub(super) fn ids(&self, name: &str) -> Vec<String> {
        let values: Vec<&str> = self.all(name).collect();
        let mut ids: Vec<String> = values.iter().flat_map(|value| bracketed(value)).collect();
        if ids.is_empty() {
            let words = values.iter().flat_map(|value| value.split_whitespace());
            ids = words.filter(|word| word.contains('@')).map(str::to_owned).collect();
        }
        ids.truncate(ID_LIMIT);
        ids
    }

    /// What the `Content-Type` field says; plain text when there is none (RFC 2045, section 5.2).
    pub(super) fn content_type(&self) -> ContentType {
        let line = format!("{}\n", self.get("content-type").unwrap_or("text/plain"));
        let value = MessageStream::new(line.as_bytes()).parse_content_type();
        let content = value.as_content_type();
        let attribute = |name: &str| {
            let value = content.and_then(|content| content.attribute(name));
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let subtype = content.and_then(|content| content.subtype()).unwrap_or("plain");
        let kind = format!("{}/{subtype}", content.map_or("text", |content| content.ctype()));
        ContentType {
            kind: kind.to_lowercase(),
            boundary: attribute("boundary"),
            charset: attribute("charset"),
            report_type: attribute("report-type").map(|value| value.to_lowercase()),
            method: attribute("method").map(|value| value.to_lowercase()),
        }
    }
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (bytes.get(..end).unwrap_or(bytes), bytes.get(end + 1..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}

/// A field's lower-case name and its value (RFC 5322, section 2.2); blanks before the colon are obsolete
/// but legal.
fn field(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = line.iter().take(80).position(|byte| *byte == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    is_name.then(|| {
        (
            String::from_utf8_lossy(name).to_ascii_lowercase(),
            line.get(colon + 1..).unwrap_or_default(),
        )
    })
}

fn append(value: &mut Vec<u8>, line: &[u8]) {
    let room = VALUE_BYTES.saturating_sub(value.len() + 1);
    if room > 0 {
        value.push(b' ');
        let line = line.trim_ascii();
        value.extend_from_slice(line.get(..room).unwrap_or(line));
    }
}

fn clip(value: &[u8]) -> &[u8] {
    value.get(..VALUE_BYTES).unwrap_or(value)
}

fn decode_words(value: &str) -> String {
    let line = format!("{value}\n");
    let decoded = MessageStream::new(line.as_bytes()).parse_unstructured().into_owned();
    decoded.into_text().map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// Something before and after one `@`, no blanks, no longer than RFC 5321 allows.
pub(super) fn is_address(text: &str) -> bool {
    let sides = text.split_once('@');
    let filled = sides.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    filled
        && text.len() <= 254
        && !text.contains(|c: char| c.is_whitespace() || "<>,;\"()".contains(c))
}

fn bracketed(value: &str) -> Vec<String> {
    let inside = value.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
    let ids = inside.map(|(id, _)| id.split_whitespace().collect::<String>());
    ids.filter(|id| !id.is_empty()).take(ID_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Headers {
        Headers::read(text.as_bytes()).0
    }

    #[test]
    fn fields_are_unfolded_decoded_and_found_by_name() {
        let headers = read(
            "From x@y Mon\nSubject: =?utf-8?q?gr=C3=BC?=\n =?utf-8?q?n?=\nFROM : Dana <D@North.test>, e@f.test\n\
             References: <a@b> <c\n\td@e>\nIn-Reply-To: bare@id\n\nbody",
        );
        assert_eq!(headers.text("subject"), "grün");
        assert_eq!(headers.addresses("from"), ["d@north.test", "e@f.test"]);
        assert_eq!(headers.ids("references"), ["a@b", "cd@e"]);
        assert_eq!(headers.ids("in-reply-to"), ["bare@id"]);
        assert_eq!(headers.get("x-none"), None);
    }

    #[test]
    fn content_types_are_read_whatever_their_spelling() {
        let content =
            read("Content-Type: Multipart/REPORT; Report-Type=Delivery-Status;\n boundary=\"a b\"");
        let content = content.content_type();
        assert_eq!(content.kind, "multipart/report");
        assert_eq!(content.report_type.as_deref(), Some("delivery-status"));
        assert_eq!(content.boundary.as_deref(), Some("a b"));
        assert_eq!(read("Subject: x").content_type().kind, "text/plain");
        assert_eq!(read("Content-Type: ").content_type().kind, "text/plain");
    }

    #[test]
    fn a_body_without_a_blank_line_before_it_is_not_lost() {
        let (headers, body) = Headers::read(b"Subject: a\nno field here\nmore");
        assert_eq!(headers.text("subject"), "a");
        assert_eq!(body, b"no field here\nmore");
    }
}
