use std::sync::{Arc, Mutex};

use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

/// Longer than any test waits: whoever depends on it fails by hanging.
const PATIENT: Duration = Duration::from_secs(60);

/// What the server does instead of its duty when it hears a command that starts with certain words.
#[derive(Clone)]
enum Fault {
    /// Gives this as its tagged answer, such as `NO sorry`.
    Say(&'static str),
    /// Gives this without a tag, and then its tagged OK.
    Instead(&'static str),
    Hang,
    Drop,
}

/// The state of the simulated server, which a test may change between two batches.
#[derive(Default)]
struct State {
    uid_validity: u32,
    folders: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    faults: Vec<(&'static str, Fault)>,
    heard: Vec<String>,
}

struct Server {
    state: Arc<Mutex<State>>,
    port: u16,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Server {
    async fn start(inbox: &[(u32, &str)]) -> Self {
        Self::start_with(inbox, Tls::Plain, None).await
    }

    async fn start_with(inbox: &[(u32, &str)], tls: Tls, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { uid_validity: 7, ..State::default() }));
        let served = Arc::clone(&state);
        let listening = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(greet(stream, Arc::clone(&served), tls, acceptor.clone()));
            }
        });
        let server = Self { state, port, listening };
        server.put("INBOX", inbox);
        server
    }

    fn put(&self, folder: &str, messages: &[(u32, &str)]) {
        let mut state = self.state.lock().unwrap();
        let held = state.folders.entry(folder.to_owned()).or_default();
        held.extend(messages.iter().map(|(uid, text)| (*uid, text.as_bytes().to_vec())));
    }

    fn fault(&self, command: &'static str, fault: Fault) {
        self.state.lock().unwrap().faults.push((command, fault));
    }

    fn settings(&self) -> ImapSettings {
        let credentials =
            Credentials { user: "alex@out.example".to_owned(), password: Secret::new("hor\"se") };
        let mut settings = ImapSettings::new("127.0.0.1", self.port, Tls::Plain, credentials);
        (settings.connect_timeout, settings.command_timeout) = (PATIENT, PATIENT);
        settings
    }

    fn reader(&self) -> Reader {
        Reader { settings: self.settings(), cursor: None }
    }
}

async fn greet(
    mut stream: TcpStream,
    state: Arc<Mutex<State>>,
    tls: Tls,
    acceptor: Option<TlsAcceptor>,
) -> std::io::Result<()> {
    let greeting = b"* OK ready\r\n";
    match (tls, acceptor) {
        (Tls::StartTls, Some(acceptor)) => {
            stream.write_all(greeting).await?;
            let mut line = BufReader::new(stream);
            let mut command = String::new();
            line.read_line(&mut command).await?;
            assert!(command.ends_with(" STARTTLS\r\n"), "{command}");
            line.write_all(command.replace("STARTTLS", "OK go").as_bytes()).await?;
            serve(acceptor.accept(line.into_inner()).await?, &state).await
        }
        (Tls::Implicit, Some(acceptor)) => {
            let mut stream = acceptor.accept(stream).await?;
            stream.write_all(greeting).await?;
            serve(stream, &state).await
        }
        _ => {
            stream.write_all(greeting).await?;
            serve(stream, &state).await
        }
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    state: &Mutex<State>,
) -> std::io::Result<()> {
    let mut line = BufReader::new(stream);
    let mut folder = String::new();
    loop {
        let mut command = String::new();
        if line.read_line(&mut command).await? == 0 {
            return Ok(());
        }
        let (tag, command) = command.trim_end().split_once(' ').unwrap();
        if let Some(name) = command.strip_prefix("EXAMINE ") {
            folder = name.trim_matches('"').to_owned();
        }
        let answer = state.lock().unwrap().answer(command, &folder);
        match answer {
            Ok(untagged) => {
                let answer = [untagged, format!("{tag} OK done\r\n").into_bytes()].concat();
                line.write_all(&answer).await?;
                line.flush().await?;
            }
            Err(Fault::Say(text)) => {
                line.write_all(format!("{tag} {text}\r\n").as_bytes()).await?;
            }
            Err(Fault::Instead(text)) => {
                line.write_all(format!("{text}\r\n{tag} OK done\r\n").as_bytes()).await?;
            }
            Err(Fault::Hang) => tokio::time::sleep(PATIENT).await,
            Err(Fault::Drop) => return Ok(()),
        }
    }
}

impl State {
    /// The untagged part of the answer.
    fn answer(&mut self, command: &str, folder: &str) -> Result<Vec<u8>, Fault> {
        self.heard.push(command.to_owned());
        if let Some(at) = self.faults.iter().position(|(words, _)| command.starts_with(words)) {
            return Err(self.faults.remove(at).1);
        }
        let empty = BTreeMap::new();
        let messages = self.folders.get(folder).unwrap_or(&empty);
        let words: Vec<&str> = command.split(' ').collect();
        match words.as_slice() {
            ["LOGIN", "\"alex@out.example\"", "\"hor\\\"se\""] | ["LOGOUT"] => Ok(Vec::new()),
            ["EXAMINE", ..] if self.folders.contains_key(folder) => {
                let exists = messages.len();
                let validity = self.uid_validity;
                Ok(format!("* {exists} EXISTS\r\n* OK [UIDVALIDITY {validity}] ok\r\n").into())
            }
            ["UID", "SEARCH", "UID", range, ..] => Ok(search(messages, range)),
            ["UID", "FETCH", set, "(UID", "RFC822.SIZE)"] => Ok(set
                .split(',')
                .filter_map(|uid| messages.get_key_value(&uid.parse().unwrap()))
                .map(|(uid, bytes)| fetched(*uid, &format!("RFC822.SIZE {}", bytes.len()), b""))
                .collect::<Vec<_>>()
                .concat()),
            ["UID", "FETCH", uid, "(UID", part] => {
                let uid = uid.parse().unwrap();
                let Some(bytes) = messages.get(&uid) else { return Ok(Vec::new()) };
                Ok(content(uid, bytes, part))
            }
            _ => Err(Fault::Say("BAD what?")),
        }
    }
}

/// RFC 3501: `n:*` always has the last message in it.
fn search(messages: &BTreeMap<u32, Vec<u8>>, range: &str) -> Vec<u8> {
    let first = range.split(':').next().unwrap().parse().unwrap();
    let last = messages.keys().max().copied().filter(|_| range.contains('*'));
    let inside = |uid: &u32| if last.is_some() { *uid >= first } else { *uid == first };
    let mut found: Vec<u32> = messages.keys().copied().filter(inside).collect();
    if found.is_empty() {
        found.extend(last);
    }
    // The order is the server's own business.
    let found: Vec<String> = found.iter().rev().map(ToString::to_string).collect();
    format!("* SEARCH {}\r\n", found.join(" ")).into_bytes()
}

fn content(uid: u32, bytes: &[u8], part: &str) -> Vec<u8> {
    let flags = fetched(uid, "FLAGS (\\Seen)", b"");
    let (label, bytes) = match part {
        "BODY.PEEK[])" => ("BODY[]", bytes),
        "BODY.PEEK[]<0.2097152>)" => ("BODY[]<0>", &bytes[..bytes.len().min(2_097_152)]),
        _ => panic!("{part}"),
    };
    // Flags that somebody else has just set may come at any time.
    [fetched(uid, &format!("{label} {{{}}}\r\n", bytes.len()), bytes), flags].concat()
}

fn fetched(uid: u32, attribute: &str, literal: &[u8]) -> Vec<u8> {
    [format!("* 1 FETCH (UID {uid} {attribute}").as_bytes(), literal, b")\r\n"].concat()
}

/// A reader that keeps nothing but the cursor, as after a restart between any two batches.
struct Reader {
    settings: ImapSettings,
    cursor: Option<String>,
}

impl Reader {
    async fn try_fetch(&mut self, limit: usize) -> Result<Batch, InboxError> {
        let inboxes = ImapInboxes::new(BTreeMap::from([("alex".into(), self.settings.clone())]));
        let batch = inboxes.fetch(&"alex".into(), self.cursor.as_deref(), limit).await?;
        self.cursor = batch.cursor.clone();
        Ok(batch)
    }

    /// Places of what came, and whether there is more.
    async fn fetch(&mut self, limit: usize) -> (Vec<String>, bool) {
        let batch = self.try_fetch(limit).await.unwrap();
        (batch.messages.into_iter().map(|message| message.place).collect(), batch.more)
    }
}

fn places(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn messages_come_in_order_once_and_without_a_trace() {
    let server = Server::start(&[(5, "five"), (9, "nine"), (12, "twelve")]).await;
    let mut reader = server.reader();
    let batch = reader.try_fetch(10).await.unwrap();
    let expected = [("INBOX/5", "five"), ("INBOX/9", "nine"), ("INBOX/12", "twelve")];
    let expected = expected.map(|(place, text)| RawMessage {
        place: place.to_owned(),
        bytes: text.as_bytes().to_vec(),
    });
    assert_eq!(batch.messages, expected);
    assert_eq!(reader.fetch(10).await, (places(&[]), false));
    server.put("INBOX", &[(13, "thirteen")]);
    assert_eq!(reader.fetch(10).await, (places(&["INBOX/13"]), false));
    let heard = server.state.lock().unwrap().heard.join("\n");
    assert!(!heard.contains("SELECT") && !heard.contains("STORE"), "{heard}");
    assert!(!heard.replace("BODY.PEEK[", "").contains("BODY["), "{heard}");
}

#[tokio::test]
async fn batches_are_bounded_over_all_folders() {
    let server = Server::start(&[(1, "a"), (2, "b"), (3, "c")]).await;
    server.put("Junk Mail", &[(1, "x"), (2, "y")]);
    let mut reader = server.reader();
    reader.settings.folders.push("Junk Mail".to_owned());
    assert_eq!(reader.fetch(2).await, (places(&["INBOX/1", "INBOX/2"]), true));
    assert_eq!(reader.fetch(2).await, (places(&["INBOX/3", "Junk Mail/1"]), true));
    assert_eq!(reader.fetch(2).await, (places(&["Junk Mail/2"]), false));
    assert_eq!(reader.fetch(2).await, (places(&[]), false));
}

#[tokio::test]
async fn a_folder_that_was_built_anew_is_read_again() {
    let server = Server::start(&[(50, "a"), (60, "b")]).await;
    let mut reader = server.reader();
    reader.fetch(10).await;
    {
        let mut state = server.state.lock().unwrap();
        state.uid_validity = 8;
        state.folders.get_mut("INBOX").unwrap().clear();
    }
    server.put("INBOX", &[(1, "a"), (2, "b"), (3, "c")]);
    assert_eq!(reader.fetch(10).await.0, places(&["INBOX/1", "INBOX/2", "INBOX/3"]));
    assert_eq!(reader.fetch(10).await.0, places(&[]));
}

#[tokio::test]
async fn only_the_beginning_of_a_big_message_is_asked_for() {
    let big = "x".repeat(MAX_MESSAGE_BYTES + 1);
    let exact = "y".repeat(MAX_MESSAGE_BYTES);
    let server = Server::start(&[(1, &big), (2, &exact)]).await;
    let batch = server.reader().try_fetch(10).await.unwrap();
    let lengths: Vec<_> = batch.messages.iter().map(|message| message.bytes.len()).collect();
    assert_eq!(lengths, [MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES]);
    let heard = server.state.lock().unwrap().heard.clone();
    let partial = |uid| heard.contains(&format!("UID FETCH {uid} (UID BODY.PEEK[]<0.2097152>)"));
    assert!(partial(1) && !partial(2), "{heard:?}");
}

#[tokio::test]
async fn a_batch_of_large_messages_is_split() {
    let large = "x".repeat(MAX_MESSAGE_BYTES);
    let messages: Vec<_> = (1..=10).map(|uid| (uid, large.as_str())).collect();
    let server = Server::start(&messages).await;
    let mut reader = server.reader();
    let (first, more) = reader.fetch(100).await;
    assert_eq!((first.len(), more), (8, true));
    assert_eq!(reader.fetch(100).await, (places(&["INBOX/9", "INBOX/10"]), false));
}

#[tokio::test]
async fn a_message_that_is_deleted_while_we_look_is_passed_over() {
    let server = Server::start(&[(2, "b")]).await;
    server.fault("UID SEARCH", Fault::Instead("* SEARCH 1 2"));
    assert_eq!(server.reader().fetch(10).await.0, places(&["INBOX/2"]));

    let server = Server::start(&[(2, "b")]).await;
    server.fault("UID SEARCH", Fault::Instead("* SEARCH 1 2"));
    server.fault("UID FETCH 1,2", Fault::Instead("* 1 FETCH (UID 1 RFC822.SIZE 9)"));
    assert_eq!(server.reader().fetch(10).await.0, places(&["INBOX/2"]));
}

#[tokio::test]
async fn a_message_that_is_there_but_cannot_be_had_stops_the_reading() {
    let of_another = "* 1 FETCH (UID 1 BODY[] {1}\r\na)";
    for answer in ["* 2 FETCH (UID 2 BODY[] NIL)", "* 2 FETCH (UID 2)", of_another] {
        let server = Server::start(&[(1, "a"), (2, "b")]).await;
        server.fault("UID FETCH 2 ", Fault::Instead(answer));
        let mut reader = server.reader();
        let error = reader.try_fetch(10).await.unwrap_err();
        assert_eq!(error.attempted, "read message 2 of `INBOX`");
        assert_eq!(reader.fetch(10).await.0, places(&["INBOX/1", "INBOX/2"]), "nothing was lost");
    }
}

#[tokio::test]
async fn a_refusal_or_a_broken_line_at_any_command_is_an_error_and_never_an_empty_inbox() {
    for (command, attempted) in [
        ("LOGIN", "log in"),
        ("EXAMINE", "open folder `INBOX`"),
        ("UID SEARCH", "search folder `INBOX`"),
        ("UID FETCH 1,2", "list the messages of `INBOX`"),
        ("UID FETCH 2 ", "read message 2 of `INBOX`"),
    ] {
        for fault in [
            Fault::Say("NO [UNAVAILABLE] come back later"),
            Fault::Say("BAD syntax"),
            Fault::Drop,
            Fault::Instead("* BYE shutting down"),
            Fault::Instead("* gibberish (("),
        ] {
            // The codec's own login passes over a BYE that an OK follows.
            if command == "LOGIN" && matches!(fault, Fault::Instead("* BYE shutting down")) {
                continue;
            }
            let server = Server::start(&[(1, "a"), (2, "b")]).await;
            server.fault(command, fault);
            let mut reader = server.reader();
            let error = reader.try_fetch(10).await.unwrap_err();
            assert_eq!(error.attempted, attempted, "{error}");
            assert_eq!(reader.fetch(10).await.0.len(), 2);
        }
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up_at_any_command() {
    for command in ["LOGIN", "EXAMINE", "UID SEARCH", "UID FETCH 1 (UID RFC", "UID FETCH 1 (UID B"]
    {
        let server = Server::start(&[(1, "a")]).await;
        server.fault(command, Fault::Hang);
        let mut reader = server.reader();
        reader.settings.command_timeout = Duration::from_millis(100);
        let error = reader.try_fetch(10).await.unwrap_err();
        assert!(error.detail.contains("no answer within"), "{error}");
    }
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut reader = Server::start(&[]).await.reader();
    reader.settings.port = silent.local_addr().unwrap().port();
    reader.settings.connect_timeout = Duration::from_millis(100);
    let error = reader.try_fetch(10).await.unwrap_err();
    assert!(error.attempted.starts_with("connect to") && error.detail.contains("within"));
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let server = Server::start(&[(1, "a")]).await;
    let answer = format!("* 1 FETCH (UID 1 BODY[] {{400000000}}\r\n{}", "x".repeat(20_000_000));
    server.fault("UID FETCH 1 (UID B", Fault::Instead(Box::leak(answer.into_boxed_str())));
    let error = server.reader().try_fetch(10).await.unwrap_err();
    assert_eq!(error.detail, "the answer was not to be understood");
}

#[tokio::test]
async fn neither_password_nor_addresses_get_into_an_error() {
    let server = Server::start(&[]).await;
    server.fault("LOGIN", Fault::Say("NO LOGIN alex@out.example hor\\\"se hor\"se is wrong"));
    let error = server.reader().try_fetch(10).await.unwrap_err();
    let shown = format!("{error:?} {error} {:?}", server.settings());
    assert_eq!(error.detail, "the server refused: LOGIN … … … is wrong");
    assert!(!shown.contains("hor"), "{shown}");
}

#[tokio::test]
async fn old_messages_can_be_left_out() {
    let server = Server::start(&[(1, "a")]).await;
    let mut reader = server.reader();
    reader.settings.since = Some("2026-11-03".parse().unwrap());
    reader.fetch(10).await;
    let heard = server.state.lock().unwrap().heard.join("\n");
    assert!(heard.contains("UID SEARCH UID 1:* SINCE 3-Nov-2026"), "{heard}");
}

#[tokio::test]
async fn a_folder_or_mailbox_that_is_not_there_says_so() {
    let server = Server::start(&[]).await;
    for (folder, attempted) in
        [("Nowhere", "open folder `Nowhere`"), ("A\r\nX LOGOUT", "open folder `A\r\nX LOGOUT`")]
    {
        let mut reader = server.reader();
        reader.settings.folders = places(&[folder]);
        assert_eq!(reader.try_fetch(10).await.unwrap_err().attempted, attempted);
    }
    let inboxes = ImapInboxes::new(BTreeMap::new());
    let unknown = inboxes.fetch(&"alex".into(), None, 10).await.unwrap_err();
    assert_eq!(unknown.attempted, "find the inbox");
    let mut garbled = Reader { cursor: Some("[]".to_owned()), ..server.reader() };
    assert_eq!(garbled.try_fetch(10).await.unwrap_err().attempted, "read the inbox's cursor");
}

/// A certificate for `localhost` that signs itself, as PEM, and a server that shows it.
fn self_made_certificate() -> (String, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (made.cert.pem(), TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn both_kinds_of_tls_work_with_a_trusted_certificate_only() {
    let (pem, acceptor) = self_made_certificate();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, pem).unwrap();
    for tls in [Tls::Implicit, Tls::StartTls] {
        let server = Server::start_with(&[(1, "a")], tls, Some(acceptor.clone())).await;
        let mut reader = server.reader();
        (reader.settings.host, reader.settings.tls) = ("localhost".to_owned(), tls);
        let error = reader.try_fetch(10).await.unwrap_err();
        assert!(error.detail.contains("certificate"), "{error}");
        assert_eq!(server.state.lock().unwrap().heard, Vec::<String>::new());
        reader.settings.ca_file = Some(ca_file.clone());
        assert_eq!(reader.fetch(10).await.0, places(&["INBOX/1"]), "{tls:?}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_starttls_gets_no_password() {
    let server = Server::start(&[(1, "a")]).await;
    let mut reader = server.reader();
    reader.settings.tls = Tls::StartTls;
    let error = reader.try_fetch(10).await.unwrap_err();
    assert_eq!(error.detail, "the server refused: what?");
    assert_eq!(server.state.lock().unwrap().heard, ["STARTTLS"]);
}
