//! One IMAP connection (RFC 3501), every command under a time limit.
//!
//! Commands are run and their answers collected here rather than with the codec's own helpers,
//! because those take a refusal or a lost connection for an empty answer: "nothing new" must never
//! be said of a mailbox that could not be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use async_imap::error::Error;
use async_imap::imap_proto::{
    AttributeValue, MailboxDatum, RequestId, Response, ResponseCode, Status,
};
use async_imap::{Client, Session};
use jiff::civil::Date;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Encryption, ImapSettings, Tls};
use crate::adapters::line::Line;
use crate::ports::MAX_MESSAGE_BYTES;

/// More than this in answer to one command is refused: a message cut to size, or a list of a
/// million UIDs.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// A goodbye is a courtesy; nobody waits long for it.
const LOGOUT_LIMIT: Duration = Duration::from_secs(2);
const MAX_DETAIL_CHARS: usize = 200;

/// What could not be done, and why.
#[derive(Debug)]
pub(super) struct Trouble {
    pub attempted: String,
    pub detail: String,
}

impl Trouble {
    pub(super) fn new(attempted: &str, detail: &str) -> Self {
        Self { attempted: attempted.to_owned(), detail: clean(detail) }
    }
}

/// What a conversation is held over.
trait Stream: AsyncRead + AsyncWrite + Debug + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Debug + Send + Unpin> Stream for T {}

/// A connection that has been let in.
pub(super) struct Connection {
    session: Session<Box<dyn Stream>>,
    limit: Duration,
}

impl Connection {
    /// Connects and logs in.
    pub(super) async fn open(
        settings: &ImapSettings,
        encryption: &Encryption,
    ) -> Result<Self, Trouble> {
        let attempted = format!("connect to {}:{}", settings.host, settings.port);
        let client = timeout(settings.connect_timeout, connect(settings, encryption))
            .await
            .map_err(|_| late(&attempted, settings.connect_timeout))?
            .map_err(|detail| Trouble::new(&attempted, &detail))?;
        let session = log_in(client, settings).await?;
        Ok(Self { session, limit: settings.command_timeout })
    }

    /// Opens a folder read-only; returns its UIDVALIDITY.
    pub(super) async fn examine(&mut self, folder: &str) -> Result<u32, Trouble> {
        let attempted = format!("open folder `{folder}`");
        let Some(quoted) = quoted(folder) else {
            return Err(Trouble::new(&attempted, "the name has characters that IMAP cannot carry"));
        };
        let mut uid_validity = None;
        let look = |response: &Response<'_>| {
            if let Response::Data { status: Status::Ok, outcome } = response
                && let Some(ResponseCode::UidValidity(value)) = &outcome.code
            {
                uid_validity = Some(*value);
            }
        };
        self.run(&attempted, &format!("EXAMINE {quoted}"), look).await?;
        uid_validity.ok_or_else(|| Trouble::new(&attempted, "the server keeps no lasting UIDs"))
    }

    /// The UIDs above `after`, in order.
    pub(super) async fn search(
        &mut self,
        folder: &str,
        after: u32,
        since: Option<Date>,
    ) -> Result<Vec<u32>, Trouble> {
        let from = after.saturating_add(1);
        let since = since.map(|day| day.strftime(" SINCE %-d-%b-%Y").to_string());
        let query = format!("{from}:*{}", since.unwrap_or_default());
        let mut found = self.uids(folder, &query).await?;
        // `n:*` names the last message even if its UID is below n (RFC 3501, section 6.4.8).
        found.retain(|uid| *uid > after);
        Ok(found.into_iter().collect())
    }

    async fn uids(&mut self, folder: &str, query: &str) -> Result<BTreeSet<u32>, Trouble> {
        let mut found = BTreeSet::new();
        let look = |response: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend(uids);
            }
        };
        let attempted = format!("search folder `{folder}`");
        self.run(&attempted, &format!("UID SEARCH UID {query}"), look).await?;
        Ok(found)
    }

    /// The sizes of those messages, in bytes; one that is gone has none.
    pub(super) async fn sizes(
        &mut self,
        folder: &str,
        uids: &[u32],
    ) -> Result<BTreeMap<u32, u32>, Trouble> {
        let mut sizes = BTreeMap::new();
        if uids.is_empty() {
            return Ok(sizes);
        }
        let set = uids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let look = |response: &Response<'_>| {
            let Response::Fetch(_, attributes) = response else { return };
            if let (Some(uid), Some(size)) = (uid_of(attributes), size_of(attributes)) {
                sizes.insert(uid, size);
            }
        };
        let attempted = format!("list the messages of `{folder}`");
        self.run(&attempted, &format!("UID FETCH {set} (UID RFC822.SIZE)"), look).await?;
        Ok(sizes)
    }

    /// One message, only its beginning if it is big; `None` if it is gone.
    pub(super) async fn message(
        &mut self,
        folder: &str,
        uid: u32,
        is_big: bool,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        let part = if is_big { format!("<0.{MAX_MESSAGE_BYTES}>") } else { String::new() };
        let mut bytes = None;
        let look = |response: &Response<'_>| {
            let Response::Fetch(_, attributes) = response else { return };
            if uid_of(attributes) == Some(uid) {
                bytes = body_of(attributes).or(bytes.take());
            }
        };
        let attempted = format!("read message {uid} of `{folder}`");
        self.run(&attempted, &format!("UID FETCH {uid} (UID BODY.PEEK[]{part})"), look).await?;
        if bytes.is_none() && !self.uids(folder, &uid.to_string()).await?.is_empty() {
            return Err(Trouble::new(&attempted, "it is there, but the server gave no content"));
        }
        Ok(bytes)
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        let _ = timeout(LOGOUT_LIMIT, self.session.logout()).await;
    }

    /// Runs a command to the server's OK and shows every answer before it to `look`.
    async fn run(
        &mut self,
        attempted: &str,
        command: &str,
        look: impl FnMut(&Response<'_>),
    ) -> Result<(), Trouble> {
        let running = run(&mut self.session, command, look);
        timeout(self.limit, running)
            .await
            .map_err(|_| late(attempted, self.limit))?
            .map_err(|detail| Trouble::new(attempted, &detail))
    }
}

async fn run(
    session: &mut Session<Box<dyn Stream>>,
    command: &str,
    mut look: impl FnMut(&Response<'_>),
) -> Result<(), String> {
    let id = session.run_command(command).await.map_err(words)?;
    loop {
        let answer = session.read_response().await.map_err(|error| words(error.into()))?;
        let answer = answer.ok_or_else(|| words(Error::ConnectionLost))?;
        match end_of(&id, answer.parsed()) {
            Some(end) => return end,
            None => look(answer.parsed()),
        }
    }
}

/// How the command ended, if this answer ends it.
fn end_of(id: &RequestId, answer: &Response<'_>) -> Option<Result<(), String>> {
    match answer {
        Response::Done { tag, status: Status::Ok, .. } if tag == id => Some(Ok(())),
        Response::Done { tag, outcome, .. } if tag == id => {
            let said = outcome.information.as_deref().unwrap_or("no reason given");
            Some(Err(format!("the server refused: {said}")))
        }
        Response::Data { status: Status::Bye, outcome } => {
            let said = outcome.information.as_deref().unwrap_or("no reason given");
            Some(Err(format!("the server closed: {said}")))
        }
        _ => None,
    }
}

async fn connect(
    settings: &ImapSettings,
    encryption: &Encryption,
) -> Result<Client<Box<dyn Stream>>, String> {
    let host = settings.host.as_str();
    let io = |error: std::io::Error| error.to_string();
    let stream = TcpStream::connect((host, settings.port)).await.map_err(io)?;
    stream.set_nodelay(true).map_err(io)?;
    let peer = stream.peer_addr().map_err(io)?;
    match settings.tls {
        Tls::Plain => greeted(boxed(Line::new(stream, peer, MAX_ANSWER_BYTES))).await,
        Tls::Implicit => {
            let encrypted = encryption.encrypt(stream, host).await.map_err(io)?;
            greeted(boxed(Line::new(encrypted, peer, MAX_ANSWER_BYTES))).await
        }
        Tls::StartTls => {
            let plain = agree_on_tls(Line::new(stream, peer, MAX_ANSWER_BYTES)).await?;
            let encrypted = encryption.encrypt(plain.into_inner(), host).await.map_err(io)?;
            Ok(Client::new(boxed(Line::new(encrypted, peer, MAX_ANSWER_BYTES))))
        }
    }
}

fn boxed(stream: impl Stream + 'static) -> Box<dyn Stream> {
    Box::new(stream)
}

async fn greeted<S: Stream>(stream: S) -> Result<Client<S>, String> {
    let mut client = Client::new(stream);
    let greeting = client.read_response().await.map_err(|error| words(error.into()))?;
    let greeting = greeting.ok_or_else(|| words(Error::ConnectionLost))?;
    match greeting.parsed() {
        Response::Data { status: Status::Ok | Status::PreAuth, .. } => Ok(client),
        Response::Data { outcome, .. } => {
            let said = outcome.information.as_deref().unwrap_or("no reason given");
            Err(format!("the server refused: {said}"))
        }
        _ => Err("the server did not greet".to_owned()),
    }
}

/// Greeting and STARTTLS. What may have come in the clear behind the server's consent is left in
/// the codec's buffer and thrown away with it.
async fn agree_on_tls(stream: Line<TcpStream>) -> Result<Line<TcpStream>, String> {
    let mut client = greeted(stream).await?;
    client.run_command_and_check_ok("STARTTLS", None).await.map_err(words)?;
    Ok(client.into_inner())
}

async fn log_in(
    client: Client<Box<dyn Stream>>,
    settings: &ImapSettings,
) -> Result<Session<Box<dyn Stream>>, Trouble> {
    let password = settings.credentials.password.reveal();
    let logging_in = client.login(&settings.credentials.user, password);
    match timeout(settings.command_timeout, logging_in).await {
        Err(_) => Err(late("log in", settings.command_timeout)),
        Ok(Ok(session)) => Ok(session),
        // A server may repeat the command in its complaint; the password must not get into a log.
        Ok(Err((error, _))) => Err(Trouble::new("log in", &without(&words(error), password))),
    }
}

/// The text without the password, however either of them is escaped.
fn without(text: &str, password: &str) -> String {
    let (text, password) = (text.replace('\\', ""), password.replace('\\', ""));
    if password.is_empty() { text } else { text.replace(&password, "…") }
}

/// The codec's errors can quote what it was reading, which may be somebody's message.
fn words(error: Error) -> String {
    match error {
        Error::Io(io) if io.kind() == std::io::ErrorKind::Other => {
            "the answer was not to be understood".to_owned()
        }
        Error::Io(io) => format!("the line broke ({})", io.kind()),
        Error::Bad(said) | Error::No(said) => format!("the server refused: {}", plain(&said)),
        Error::ConnectionLost => "the server hung up".to_owned(),
        Error::Validate(_) => "it has a character that IMAP cannot carry".to_owned(),
        _ => "the answer was not to be understood".to_owned(),
    }
}

/// What the server said, out of the codec's `code: None, info: Some("…")`.
fn plain(said: &str) -> &str {
    said.split_once("info: Some(\"").map_or(said, |(_, info)| info.trim_end_matches("\")"))
}

fn late(attempted: &str, limit: Duration) -> Trouble {
    Trouble::new(attempted, &format!("no answer within {} s", limit.as_secs_f32()))
}

/// One short line in which no word can be an address.
fn clean(text: &str) -> String {
    let spaced = text.replace(char::is_control, " ");
    let hide = |word| if str::contains(word, '@') { "…" } else { word };
    let line = spaced.split_whitespace().map(hide).collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_DETAIL_CHARS).collect()
}

/// A quoted string (RFC 3501, section 9), if the name can be one.
fn quoted(name: &str) -> Option<String> {
    let sayable = name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    (sayable && !name.is_empty()).then(|| format!("\"{escaped}\""))
}

fn uid_of(attributes: &[AttributeValue<'_>]) -> Option<u32> {
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    })
}

fn size_of(attributes: &[AttributeValue<'_>]) -> Option<u32> {
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::Rfc822Size(size) => Some(*size),
        _ => None,
    })
}

fn body_of(attributes: &[AttributeValue<'_>]) -> Option<Vec<u8>> {
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::BodySection { section: None, data: Some(data), .. } => Some(data.to_vec()),
        _ => None,
    })
}
