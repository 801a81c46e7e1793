//! The plain part of a conversation that is about to be encrypted (RFC 3207).
//!
//! It is not left to the codec because that would keep bytes that came in the clear behind the
//! server's consent and read them as if they had come encrypted.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::failure::{answer, broken, unclear};
use crate::domain::delivery::{Failure, Phase};

const MAX_LINE_BYTES: u64 = 1000;
const MAX_LINES: usize = 100;

/// One reply: its code and the text of its lines.
struct PlainReply {
    code: u16,
    lines: Vec<String>,
}

/// Reads the greeting and has the server agree to TLS; the handshake is next.
pub(super) async fn agree_on_tls(stream: TcpStream, hello: &str) -> Result<TcpStream, Failure> {
    let mut line = BufReader::new(stream);
    expect(220, read_reply(&mut line).await?)?;
    let offered = expect(250, ask(&mut line, &format!("EHLO {hello}\r\n")).await?)?;
    if !offered.iter().any(|word| word.trim().eq_ignore_ascii_case("STARTTLS")) {
        return Err(broken(Phase::Connect, "the server does not offer STARTTLS"));
    }
    expect(220, ask(&mut line, "STARTTLS\r\n").await?)?;
    if !line.buffer().is_empty() {
        return Err(broken(Phase::Connect, "somebody spoke between STARTTLS and TLS"));
    }
    Ok(line.into_inner())
}

async fn ask(line: &mut BufReader<TcpStream>, command: &str) -> Result<PlainReply, Failure> {
    let written = line.get_mut().write_all(command.as_bytes()).await;
    written.map_err(|error| broken(Phase::Connect, &format!("the line broke ({error})")))?;
    read_reply(line).await
}

fn expect(code: u16, reply: PlainReply) -> Result<Vec<String>, Failure> {
    if reply.code == code {
        return Ok(reply.lines);
    }
    if reply.code < 400 {
        return Err(unclear(Phase::Connect));
    }
    let answer = answer(reply.code, &reply.lines.join(" "));
    let detail = format!("the greeting was refused: {}", reply.code);
    Err(Failure { phase: Phase::Connect, answer: Some(answer), detail })
}

async fn read_reply(line: &mut BufReader<TcpStream>) -> Result<PlainReply, Failure> {
    let mut lines = Vec::new();
    for _ in 0..MAX_LINES {
        let mut bytes = Vec::new();
        let read = (&mut *line).take(MAX_LINE_BYTES).read_until(b'\n', &mut bytes).await;
        read.map_err(|error| broken(Phase::Connect, &format!("the line broke ({error})")))?;
        let (code, more, text) = parse_line(&bytes).ok_or_else(|| unclear(Phase::Connect))?;
        lines.push(text);
        if !more {
            return Ok(PlainReply { code, lines });
        }
    }
    Err(unclear(Phase::Connect))
}

/// Code, whether another line follows, and text (RFC 5321, section 4.2.1).
fn parse_line(bytes: &[u8]) -> Option<(u16, bool, String)> {
    let line = String::from_utf8_lossy(bytes.strip_suffix(b"\r\n")?).into_owned();
    let (digits, rest) = line.split_at_checked(3)?;
    let code = digits.parse().ok().filter(|code| (200..600).contains(code))?;
    let text = rest.get(1..).unwrap_or_default().to_owned();
    match rest.chars().next() {
        Some('-') => Some((code, true, text)),
        Some(' ') | None => Some((code, false, text)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_line_is_code_sign_and_text() {
        for (line, expected) in [
            ("220 hello\r\n", Some((220, false, "hello"))),
            ("250-SIZE 10\r\n", Some((250, true, "SIZE 10"))),
            ("250\r\n", Some((250, false, ""))),
            ("250 no end", None),
            ("25\r\n", None),
            ("abc hello\r\n", None),
            ("150 hello\r\n", None),
            ("250xhello\r\n", None),
            ("2é0 hello\r\n", None),
        ] {
            let expected = expected.map(|(code, more, text)| (code, more, text.to_owned()));
            assert_eq!(parse_line(line.as_bytes()), expected, "{line:?}");
        }
    }
}
