//! One SMTP conversation, seen from the server (RFC 5321).

use std::io;
use std::sync::Arc;

use mail_parser::decoders::base64::base64_decode;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::{Behaviour, ContentReply, Delivered, Line, Reply, ServerOptions, ServerTls};

/// A command line longer than this ends the conversation.
const MAX_LINE_BYTES: u64 = 4096;
/// Nobody sends more commands than this on one line.
const MAX_COMMANDS: usize = 1_000_000;

/// Whether there is more to say.
enum Next {
    Command,
    Close,
}

/// The state between two commands.
pub(super) struct Conversation {
    line: BufReader<Box<dyn Line>>,
    behaviour: Arc<dyn Behaviour>,
    options: Arc<ServerOptions>,
    encrypted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

impl Conversation {
    pub(super) fn new(
        line: Box<dyn Line>,
        behaviour: Arc<dyn Behaviour>,
        options: Arc<ServerOptions>,
    ) -> Self {
        let encrypted = matches!(options.tls, Some(ServerTls::Implicit(_)));
        let line = BufReader::new(line);
        Self { line, behaviour, options, encrypted, user: None, from: None, to: None }
    }

    /// From the greeting to the end.
    pub(super) async fn hold(mut self) -> io::Result<()> {
        self.do_as(self.behaviour.on_connect()).await?;
        for _ in 0..MAX_COMMANDS {
            let command = self.read_line().await?;
            match self.obey(&command).await? {
                Next::Command => {}
                Next::Close => break,
            }
        }
        Ok(())
    }

    async fn obey(&mut self, command: &str) -> io::Result<Next> {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => self.hello().await?,
            "STARTTLS" => return self.start_tls().await,
            "AUTH" => self.login(rest).await?,
            "MAIL" => self.sender(rest).await?,
            "RCPT" => self.recipient(rest).await?,
            "DATA" => self.data().await?,
            "RSET" => {
                self.forget();
                self.do_as(self.behaviour.on_reset()).await?;
            }
            "NOOP" => self.say(250, "2.0.0 ok").await?,
            "QUIT" => {
                self.say(221, "2.0.0 bye").await?;
                return Ok(Next::Close);
            }
            _ => self.say(502, "5.5.1 unknown command").await?,
        }
        Ok(Next::Command)
    }

    async fn hello(&mut self) -> io::Result<()> {
        self.forget();
        let mut words = vec!["simulated.test".to_owned()];
        words.push(format!("SIZE {}", self.options.max_message_bytes));
        if self.options.beyond_ascii {
            words.extend(["8BITMIME".to_owned(), "SMTPUTF8".to_owned()]);
        }
        if matches!(self.options.tls, Some(ServerTls::StartTls(_))) && !self.encrypted {
            words.push("STARTTLS".to_owned());
        }
        if self.options.login.is_some() {
            words.push(format!("AUTH {}", self.options.mechanisms));
        }
        self.say(250, &words.join("\n")).await
    }

    async fn start_tls(&mut self) -> io::Result<Next> {
        let Some(ServerTls::StartTls(acceptor)) = self.options.tls.clone() else {
            self.say(502, "5.5.1 no TLS here").await?;
            return Ok(Next::Command);
        };
        self.say(220, "2.0.0 go ahead").await?;
        // What is already buffered came in the clear and is thrown away.
        let plain = std::mem::replace(&mut self.line, BufReader::new(Box::new(tokio::io::empty())));
        let encrypted = acceptor.accept(plain.into_inner()).await?;
        self.line = BufReader::new(Box::new(encrypted));
        self.encrypted = true;
        self.forget();
        Ok(Next::Command)
    }

    async fn login(&mut self, rest: &str) -> io::Result<()> {
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let given = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => self.plain_login(initial).await?,
            "LOGIN" => self.prompted_login().await?,
            _ => return self.say(504, "5.5.4 unknown mechanism").await,
        };
        match (given, self.options.login.clone()) {
            (Some(given), Some(right)) if given == right => {
                let reply = self.behaviour.on_login(&given.0);
                if matches!(&reply, Reply::Say(235, _)) {
                    self.user = Some(given.0);
                }
                self.do_as(reply).await
            }
            _ => self.say(535, "5.7.8 wrong user or password").await,
        }
    }

    /// RFC 4616: `\0user\0password`.
    async fn plain_login(&mut self, initial: &str) -> io::Result<Option<(String, String)>> {
        let text = match initial {
            "" => self.prompt("").await?,
            initial => decoded(initial),
        };
        let text = text.unwrap_or_default();
        let mut parts = text.split('\0').skip(1).map(str::to_owned);
        Ok(parts.next().zip(parts.next()))
    }

    async fn prompted_login(&mut self) -> io::Result<Option<(String, String)>> {
        let user = self.prompt("VXNlcm5hbWU6").await?;
        let password = self.prompt("UGFzc3dvcmQ6").await?;
        Ok(user.zip(password))
    }

    async fn prompt(&mut self, challenge: &str) -> io::Result<Option<String>> {
        self.say(334, challenge).await?;
        Ok(decoded(&self.read_line().await?))
    }

    async fn sender(&mut self, rest: &str) -> io::Result<()> {
        if self.from.is_some() {
            return self.say(503, "5.5.1 one sender is enough").await;
        }
        let Some(from) = path(rest, "FROM:") else {
            return self.say(501, "5.5.4 bad sender").await;
        };
        let reply = self.behaviour.on_sender(&from);
        if is_welcome(&reply) {
            self.from = Some(from);
        }
        self.do_as(reply).await
    }

    async fn recipient(&mut self, rest: &str) -> io::Result<()> {
        let (Some(from), None) = (&self.from, &self.to) else {
            return self.say(503, "5.5.1 sender first, and one recipient only").await;
        };
        let Some(to) = path(rest, "TO:") else {
            return self.say(501, "5.5.4 bad recipient").await;
        };
        let reply = self.behaviour.on_recipient(from, &to);
        if is_welcome(&reply) {
            self.to = Some(to);
        }
        self.do_as(reply).await
    }

    async fn data(&mut self) -> io::Result<()> {
        let (Some(from), Some(to)) = (self.from.clone(), self.to.clone()) else {
            return self.say(503, "5.5.1 sender and recipient first").await;
        };
        let reply = self.behaviour.on_data(&from, &to);
        let goes_on = matches!(reply, Reply::Say(354, _));
        self.do_as(reply).await?;
        if !goes_on {
            return Ok(());
        }
        let bytes = self.content().await?;
        self.forget();
        if bytes.len() > self.options.max_message_bytes {
            return self.say(552, "5.3.4 too big").await;
        }
        self.decide(Delivered { mailbox_user: self.user.clone(), from, to, bytes }).await
    }

    async fn decide(&mut self, delivered: Delivered) -> io::Result<()> {
        match self.behaviour.on_content(&delivered) {
            ContentReply::Say(code, text) => {
                if (200..300).contains(&code) {
                    self.behaviour.accept(delivered);
                }
                self.say(code, &text).await
            }
            ContentReply::Hang => self.hang().await,
            ContentReply::Drop => Err(hung_up()),
            ContentReply::AcceptThenDrop => {
                self.behaviour.accept(delivered);
                Err(hung_up())
            }
            ContentReply::AcceptAfter(pause) => {
                self.behaviour.accept(delivered);
                tokio::time::sleep(pause).await;
                self.say(250, "2.0.0 queued").await
            }
        }
    }

    /// Up to the lone dot, without the stuffing; what is beyond the size limit is read but not kept.
    async fn content(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut at_line_start = true;
        loop {
            let mut chunk = Vec::new();
            let read = (&mut self.line).take(MAX_LINE_BYTES).read_until(b'\n', &mut chunk).await?;
            if read == 0 {
                return Err(hung_up());
            }
            if at_line_start && chunk == b".\r\n" {
                return Ok(bytes);
            }
            let stuffed = at_line_start && chunk.starts_with(b".");
            at_line_start = chunk.ends_with(b"\n");
            if bytes.len() <= self.options.max_message_bytes {
                bytes.extend(chunk.iter().skip(usize::from(stuffed)));
            }
        }
    }

    fn forget(&mut self) {
        self.from = None;
        self.to = None;
    }

    async fn read_line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        let read = (&mut self.line).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await?;
        if read == 0 || !line.ends_with(b"\n") {
            return Err(hung_up());
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    async fn do_as(&mut self, reply: Reply) -> io::Result<()> {
        match reply {
            Reply::Say(code, text) => self.say(code, &text).await,
            Reply::Hang => self.hang().await,
            Reply::Drop => Err(hung_up()),
        }
    }

    async fn say(&mut self, code: u16, text: &str) -> io::Result<()> {
        let lines: Vec<&str> = text.split('\n').collect();
        let (last, first) = lines.split_last().unwrap_or((&"", &[]));
        let mut reply: String = first.iter().map(|line| format!("{code}-{line}\r\n")).collect();
        reply.push_str(&format!("{code} {last}\r\n"));
        self.line.write_all(reply.as_bytes()).await?;
        self.line.flush().await
    }

    /// Listens in silence until the other side gives up.
    async fn hang(&mut self) -> io::Result<()> {
        let mut ignored = [0; 1024];
        while self.line.read(&mut ignored).await? > 0 {}
        Err(hung_up())
    }
}

fn is_welcome(reply: &Reply) -> bool {
    matches!(reply, Reply::Say(code, _) if (200..300).contains(code))
}

fn hung_up() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

fn decoded(base64: &str) -> Option<String> {
    String::from_utf8(base64_decode(base64.as_bytes())?).ok()
}

/// The address between the angle brackets.
fn path(rest: &str, keyword: &str) -> Option<String> {
    let (word, path) = rest.split_at_checked(keyword.len())?;
    if !word.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let (address, _) = path.trim_start().strip_prefix('<')?.split_once('>')?;
    Some(address.to_owned())
}
