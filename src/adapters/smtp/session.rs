//! One conversation with one server, phase by phase.

use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use lettre::transport::smtp::authentication::{Credentials as Login, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::{ClientId, Extension};
use lettre::transport::smtp::response::{Response, Severity};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::failure::{broken, late, local_refusal, one_line, refused_or_broken, unclear};
use super::start_tls::agree_on_tls;
use super::{Encryption, SmtpSettings, Timeouts, Tls};
use crate::adapters::line::Line;
use crate::domain::delivery::{Envelope, Failure, Phase};

/// A goodbye is a courtesy; nobody waits long for it.
const QUIT_LIMIT: Duration = Duration::from_secs(2);

/// More than this in answer to one command is no SMTP server.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// An open line to a server that has let us in.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    timeouts: Timeouts,
    mails: u32,
    used_at: Instant,
}

impl Session {
    /// Connects, greets and logs in.
    pub(super) async fn open(
        settings: &SmtpSettings,
        encryption: &Encryption,
    ) -> Result<Self, Failure> {
        let limit = settings.timeouts.connect;
        let connection = timeout(limit, connect(settings, encryption))
            .await
            .map_err(|_| late(Phase::Connect, limit))??;
        let timeouts = settings.timeouts;
        let mut session = Self { connection, timeouts, mails: 0, used_at: Instant::now() };
        session.log_in(settings).await?;
        Ok(session)
    }

    async fn log_in(&mut self, settings: &SmtpSettings) -> Result<(), Failure> {
        let Some(credentials) = &settings.credentials else { return Ok(()) };
        let password = credentials.password.reveal().to_owned();
        let login = Login::new(credentials.user.clone(), password);
        let limit = self.timeouts.command;
        let asking = self.connection.auth(&[Mechanism::Plain, Mechanism::Login], &login);
        let answer = timeout(limit, asking).await.map_err(|_| late(Phase::Auth, limit))?;
        let response = answer.map_err(|error| refused_or_broken(Phase::Auth, &error))?;
        completed(Phase::Auth, &response)
    }

    /// Whether it has carried enough mails or lain idle for too long.
    pub(super) fn is_worn_out(&self, settings: &SmtpSettings) -> bool {
        self.mails >= settings.max_mails_per_connection
            || self.used_at.elapsed() > settings.max_idle
    }

    /// `MAIL FROM`.
    pub(super) async fn sender(&mut self, envelope: &Envelope) -> Result<(), Failure> {
        let mut parameters = String::new();
        if self.offers(Extension::EightBitMime) {
            parameters.push_str(" BODY=8BITMIME");
        }
        if !envelope.from.as_str().is_ascii() || !envelope.to.as_str().is_ascii() {
            self.must_take_smtputf8(envelope)?;
            parameters.push_str(" SMTPUTF8");
        }
        let command = format!("MAIL FROM:<{}>{parameters}\r\n", envelope.from);
        let response = self.ask(Phase::Sender, self.timeouts.command, command).await?;
        completed(Phase::Sender, &response)
    }

    fn must_take_smtputf8(&self, envelope: &Envelope) -> Result<(), Failure> {
        if self.offers(Extension::SmtpUtfEight) {
            return Ok(());
        }
        let ours = !envelope.from.as_str().is_ascii();
        let phase = if ours { Phase::Sender } else { Phase::Recipient };
        // RFC 6531, section 3.5: the code of a server that does not take such an address.
        Err(local_refusal(phase, 553, (5, 6, 7), "the server takes no addresses beyond ASCII"))
    }

    /// `RCPT TO`.
    pub(super) async fn recipient(&mut self, envelope: &Envelope) -> Result<(), Failure> {
        let command = format!("RCPT TO:<{}>\r\n", envelope.to);
        let response = self.ask(Phase::Recipient, self.timeouts.command, command).await?;
        completed(Phase::Recipient, &response)
    }

    /// `DATA`, up to the server's 354, for a message that the server can carry.
    pub(super) async fn data(&mut self, message: &[u8]) -> Result<(), Failure> {
        self.must_carry(message)?;
        let response = self.ask(Phase::Data, self.timeouts.data, "DATA\r\n").await?;
        if response.has_code(354) { Ok(()) } else { Err(unclear(Phase::Data)) }
    }

    fn must_carry(&self, message: &[u8]) -> Result<(), Failure> {
        let refuse = |why| Err(local_refusal(Phase::Data, 554, (5, 6, 0), why));
        if !message.is_ascii() && !self.offers(Extension::EightBitMime) {
            return refuse("the server takes no content beyond ASCII");
        }
        // A lone line feed or carriage return could be taken for the end of the mail by one server
        // and not by the next.
        if has_lone_line_end(message) {
            return refuse("the message has a line end other than CRLF");
        }
        Ok(())
    }

    /// The content, the dot, and the server's last word on one line.
    pub(super) async fn content(&mut self, message: &[u8]) -> Result<String, Failure> {
        // The dot is written with a line end before it.
        let message = message.strip_suffix(b"\r\n").unwrap_or(message);
        let limit = self.timeouts.content;
        let answer = timeout(limit, self.connection.message(message)).await;
        let response = answer
            .map_err(|_| late(Phase::Content, limit))?
            .map_err(|error| refused_or_broken(Phase::Content, &error))?;
        completed(Phase::Content, &response)?;
        self.mails += 1;
        self.used_at = Instant::now();
        let words: Vec<&str> = response.message().collect();
        Ok(one_line(&format!("{} {}", response.code(), words.join(" "))))
    }

    /// Has the server forget sender and recipient.
    pub(super) async fn reset(&mut self) -> Result<(), Failure> {
        let response = self.ask(Phase::Recipient, self.timeouts.command, "RSET\r\n").await?;
        self.used_at = Instant::now();
        completed(Phase::Recipient, &response)
    }

    /// Says goodbye.
    pub(super) async fn quit(mut self) {
        let _ = timeout(QUIT_LIMIT, self.connection.command("QUIT\r\n")).await;
    }

    async fn ask(
        &mut self,
        phase: Phase,
        limit: Duration,
        command: impl Display,
    ) -> Result<Response, Failure> {
        let answer = timeout(limit, self.connection.command(command)).await;
        answer.map_err(|_| late(phase, limit))?.map_err(|error| refused_or_broken(phase, &error))
    }

    fn offers(&self, extension: Extension) -> bool {
        self.connection.server_info().supports_feature(extension)
    }
}

/// A 2xx. Another answer that is no refusal belongs to some other question: the line is out of step.
fn completed(phase: Phase, response: &Response) -> Result<(), Failure> {
    match response.code().severity {
        Severity::PositiveCompletion => Ok(()),
        Severity::PositiveIntermediate
        | Severity::TransientNegativeCompletion
        | Severity::PermanentNegativeCompletion => Err(unclear(phase)),
    }
}

fn has_lone_line_end(message: &[u8]) -> bool {
    let mut before = 0;
    let lone = |byte: &u8| {
        let lone = (*byte == b'\n') != (before == b'\r');
        before = *byte;
        lone
    };
    message.iter().any(lone) || message.last() == Some(&b'\r')
}

async fn connect(
    settings: &SmtpSettings,
    encryption: &Encryption,
) -> Result<AsyncSmtpConnection, Failure> {
    if settings.hello.is_empty() || !settings.hello.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(broken(Phase::Connect, "our own host name cannot be said in EHLO"));
    }
    let stream = open_stream(settings, encryption).await?;
    let hello = ClientId::Domain(settings.hello.clone());
    let greeting = AsyncSmtpConnection::connect_with_transport(stream, &hello);
    // The codec panics at an EHLO answer with a blank line; a server must not be able to do that.
    match AssertUnwindSafe(greeting).catch_unwind().await {
        Ok(connected) => connected.map_err(|error| refused_or_broken(Phase::Connect, &error)),
        Err(_) => Err(unclear(Phase::Connect)),
    }
}

async fn open_stream(
    settings: &SmtpSettings,
    encryption: &Encryption,
) -> Result<Box<dyn AsyncTokioStream>, Failure> {
    let host = settings.host.as_str();
    let failed = |error: std::io::Error| {
        broken(Phase::Connect, &format!("connect to {host}:{}: {error}", settings.port))
    };
    let stream = TcpStream::connect((host, settings.port)).await.map_err(failed)?;
    // Content and dot are two writes: without this each mail waits for a delayed acknowledgement.
    stream.set_nodelay(true).map_err(failed)?;
    let peer = stream.peer_addr().map_err(failed)?;
    match settings.tls {
        Tls::Plain => Ok(Box::new(Line::new(stream, peer, MAX_ANSWER_BYTES))),
        Tls::Implicit => {
            let encrypted = encryption.encrypt(stream, host).await.map_err(failed)?;
            Ok(Box::new(Line::new(encrypted, peer, MAX_ANSWER_BYTES)))
        }
        Tls::StartTls => {
            let stream = agree_on_tls(stream, &settings.hello).await?;
            let encrypted = encryption.encrypt(stream, host).await.map_err(failed)?;
            Ok(Box::new(Line::new(encrypted, peer, MAX_ANSWER_BYTES).already_greeted()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_line_ends_may_be_sent() {
        for (message, lone) in [
            ("", false),
            ("a\r\nb\r\n", false),
            ("\r\n\r\n", false),
            ("a\nb\r\n", true),
            ("\n", true),
            ("a\rb", true),
            ("a\r\r\n", true),
            ("a\r", true),
        ] {
            assert_eq!(has_lone_line_end(message.as_bytes()), lone, "{message:?}");
        }
    }
}
