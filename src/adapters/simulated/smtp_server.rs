//! A real SMTP server on this machine that does what a test or the demo tells it to.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

mod conversation;
use conversation::Conversation;

/// What the server does when it is asked something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Answers with a code and a text; a line break in the text makes a reply of several lines.
    Say(u16, String),
    /// Never answers.
    Hang,
    /// Closes the line without an answer.
    Drop,
}

/// What the server does after the dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentReply {
    /// Takes the mail if the code is 2xx, refuses it otherwise.
    Say(u16, String),
    /// Neither takes the mail nor answers.
    Hang,
    /// Closes the line without taking the mail.
    Drop,
    /// Takes the mail and closes the line before answering.
    AcceptThenDrop,
    /// Takes the mail at once and says so after a while.
    AcceptAfter(Duration),
}

/// One mail that came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The user that had logged in.
    pub mailbox_user: Option<String>,
    pub from: String,
    pub to: String,
    /// The content as it was before dot-stuffing.
    pub bytes: Vec<u8>,
}

/// What the server does at each point of a conversation; everything is welcome unless said otherwise.
pub trait Behaviour: Send + Sync + 'static {
    /// The greeting.
    fn on_connect(&self) -> Reply {
        Reply::Say(220, "simulated.test ESMTP".to_owned())
    }

    /// After right credentials.
    fn on_login(&self, _user: &str) -> Reply {
        Reply::Say(235, "2.7.0 welcome".to_owned())
    }

    /// `MAIL FROM`.
    fn on_sender(&self, _from: &str) -> Reply {
        Reply::Say(250, "2.1.0 sender ok".to_owned())
    }

    /// `RCPT TO`.
    fn on_recipient(&self, _from: &str, _to: &str) -> Reply {
        Reply::Say(250, "2.1.5 recipient ok".to_owned())
    }

    /// `DATA`, before any content.
    fn on_data(&self, _from: &str, _to: &str) -> Reply {
        Reply::Say(354, "go ahead".to_owned())
    }

    /// `RSET`.
    fn on_reset(&self) -> Reply {
        Reply::Say(250, "2.0.0 forgotten".to_owned())
    }

    /// After the dot.
    fn on_content(&self, _delivered: &Delivered) -> ContentReply {
        ContentReply::Say(250, "2.0.0 queued".to_owned())
    }

    /// Keeps a mail that [`Behaviour::on_content`] took, before the client is told.
    fn accept(&self, _delivered: Delivered) {}
}

/// Takes every mail and remembers it.
#[derive(Debug, Default)]
pub struct AcceptAll {
    delivered: Mutex<Vec<Delivered>>,
}

impl AcceptAll {
    /// What has come so far, in order.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Behaviour for AcceptAll {
    fn accept(&self, delivered: Delivered) {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).push(delivered);
    }
}

/// How the server presents itself.
#[derive(Clone)]
pub struct ServerOptions {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// User and password; whoever gives others is refused. Without one, `AUTH` is not offered.
    pub login: Option<(String, String)>,
    /// The mechanisms offered after `AUTH`.
    pub mechanisms: &'static str,
    /// Whether and how TLS is spoken.
    pub tls: Option<ServerTls>,
    /// Whether `SMTPUTF8` and `8BITMIME` are offered.
    pub beyond_ascii: bool,
    /// A larger content is refused with 552.
    pub max_message_bytes: usize,
}

/// How the server speaks TLS.
#[derive(Clone)]
pub enum ServerTls {
    /// From the first byte.
    Implicit(TlsAcceptor),
    /// After `STARTTLS`.
    StartTls(TlsAcceptor),
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            login: None,
            mechanisms: "PLAIN LOGIN",
            tls: None,
            beyond_ascii: true,
            max_message_bytes: 10 * 1024 * 1024,
        }
    }
}

/// A running server; it stops, with all its conversations, when this is dropped.
pub struct SmtpServer {
    address: SocketAddr,
    listening: JoinHandle<()>,
}

impl SmtpServer {
    /// Starts on a free port of the loopback interface. Needs a running tokio runtime.
    ///
    /// # Errors
    /// No port could be opened.
    pub fn start(behaviour: Arc<dyn Behaviour>) -> io::Result<Self> {
        Self::start_with(behaviour, ServerOptions::default())
    }

    /// Starts as the options say.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn start_with(behaviour: Arc<dyn Behaviour>, options: ServerOptions) -> io::Result<Self> {
        let listener = StdListener::bind(options.address)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let listening = tokio::spawn(listen(listener, behaviour, Arc::new(options)));
        Ok(Self { address, listening })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        // The conversations live in the task's `JoinSet` and end with it.
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, behaviour: Arc<dyn Behaviour>, options: Arc<ServerOptions>) {
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A failed accept is that client's trouble.
                let Ok((stream, _)) = accepted else { continue };
                conversations.spawn(serve(stream, Arc::clone(&behaviour), Arc::clone(&options)));
            }
            Some(_) = conversations.join_next() => {}
        }
    }
}

/// What a conversation is held over.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// One conversation to its end; how it ended is of no interest to the server.
async fn serve(stream: TcpStream, behaviour: Arc<dyn Behaviour>, options: Arc<ServerOptions>) {
    let _ = stream.set_nodelay(true);
    let line: Box<dyn Line> = match &options.tls {
        Some(ServerTls::Implicit(acceptor)) => match acceptor.accept(stream).await {
            Ok(stream) => Box::new(stream),
            Err(_) => return,
        },
        Some(ServerTls::StartTls(_)) | None => Box::new(stream),
    };
    let _ = Conversation::new(line, behaviour, options).hold().await;
}
