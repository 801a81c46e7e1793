//! Transfer encodings and character sets, decoded leniently: a damaged part is read as far as it goes.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;

/// Text in the named character set; without a name (or with an unknown one) UTF-8, else ISO-2022-JP
/// by its escapes, else Windows-1252.
pub(super) fn decode(bytes: &[u8], charset: Option<&str>) -> String {
    let name = charset.map(|name| name.trim().to_ascii_lowercase()).unwrap_or_default();
    let is_utf8 = matches!(name.as_str(), "" | "utf-8" | "utf8" | "us-ascii" | "ascii");
    if is_utf8 && let Ok(text) = std::str::from_utf8(bytes) {
        return if has_japanese_escape(bytes) {
            decode_as("iso-2022-jp", bytes)
        } else {
            text.to_owned()
        };
    }
    match charset_decoder(name.as_bytes()) {
        Some(decoder) if !is_utf8 => decoder(bytes),
        _ => decode_unnamed(bytes),
    }
}

fn decode_unnamed(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => decode_as("windows-1252", bytes),
    }
}

fn decode_as(name: &str, bytes: &[u8]) -> String {
    match charset_decoder(name.as_bytes()) {
        Some(decoder) => decoder(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn has_japanese_escape(bytes: &[u8]) -> bool {
    bytes.windows(3).any(|window| matches!(window, b"\x1b$B" | b"\x1b$@"))
}

/// The bytes behind base64 text; what is outside its alphabet is skipped.
pub(super) fn from_base64(body: &[u8]) -> Vec<u8> {
    let is_code = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut code: Vec<u8> = body
        .split(|byte| *byte == b'=')
        .next()
        .unwrap_or_default()
        .iter()
        .filter(is_code)
        .copied()
        .collect();
    // A single left-over character carries no whole byte.
    if code.len() % 4 == 1 {
        code.pop();
    }
    while !code.len().is_multiple_of(4) {
        code.push(b'=');
    }
    base64_decode(&code).unwrap_or_else(|| body.to_vec())
}

/// The bytes behind quoted-printable text (RFC 2045, section 6.7); a stray `=` stays as it is.
pub(super) fn from_quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body;
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'=', [b'\n', after @ ..]) => after,
            (b'=', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or(0) << 4 | hex(*low).unwrap_or(0));
                after
            }
            _ => {
                bytes.push(*first);
                tail
            }
        };
    }
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn character_sets_are_decoded_and_guessed() {
        for (bytes, charset, text) in [
            (&b"gr\xc3\xbcn"[..], Some("UTF-8"), "grün"),
            (b"gr\xfcn", Some("iso-8859-1"), "grün"),
            (b"gr\xfcn", Some("us-ascii"), "grün"),
            (b"gr\xfcn", None, "grün"),
            (b"gr\xc3\xbcn", Some("no-such-set"), "grün"),
            (b"\x1b$B$3$N\x1b(B", Some("us-ascii"), "この"),
            (b"\xcf\xf0\xe8", Some("windows-1251"), "При"),
        ] {
            assert_eq!(decode(bytes, charset), text, "{charset:?}");
        }
    }

    #[test]
    fn damaged_encodings_are_read_as_far_as_they_go() {
        assert_eq!(from_base64(b"aGVs\nbG8="), b"hello");
        assert_eq!(from_base64(b"aGVs*bG8"), b"hello");
        assert_eq!(from_quoted_printable(b"a=3Db=\nc =ZZ ="), b"a=bc =ZZ =");
    }
}
