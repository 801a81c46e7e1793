//! The SMTP adapter against a real server on this machine that misbehaves at every phase.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firsttouch::adapters::simulated::smtp_server::{
    AcceptAll, Behaviour, ContentReply, Delivered, Reply, ServerOptions, ServerTls, SmtpServer,
};
use firsttouch::adapters::smtp::{Credentials, Secret, SmtpMailer, SmtpSettings, Timeouts, Tls};
use firsttouch::domain::delivery::{Envelope, Failure, Phase, Verdict};
use firsttouch::ports::Mailer;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

const MESSAGE: &[u8] = b"Message-ID: <1@out.example>\r\nSubject: hello\r\n\r\nHi.\r\n";
/// Longer than any test waits: whoever depends on it fails by hanging.
const PATIENT: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(150);

/// Follows a list of answers for each phase, then takes everything like [`AcceptAll`].
#[derive(Default)]
struct Script {
    connections: AtomicUsize,
    resets: AtomicUsize,
    greeting: Mutex<VecDeque<Reply>>,
    login: Mutex<VecDeque<Reply>>,
    sender: Mutex<VecDeque<Reply>>,
    recipient: Mutex<VecDeque<Reply>>,
    /// An address that the server never knows, whichever conversation asks.
    nobody: Mutex<String>,
    data: Mutex<VecDeque<Reply>>,
    content: Mutex<VecDeque<ContentReply>>,
    taken: AcceptAll,
}

impl Script {
    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn next<T>(list: &Mutex<VecDeque<T>>) -> Option<T> {
    list.lock().unwrap().pop_front()
}

impl Behaviour for Script {
    fn on_connect(&self) -> Reply {
        self.connections.fetch_add(1, Ordering::SeqCst);
        next(&self.greeting).unwrap_or_else(|| self.taken.on_connect())
    }
    fn on_login(&self, user: &str) -> Reply {
        next(&self.login).unwrap_or_else(|| self.taken.on_login(user))
    }
    fn on_sender(&self, from: &str) -> Reply {
        next(&self.sender).unwrap_or_else(|| self.taken.on_sender(from))
    }
    fn on_recipient(&self, from: &str, to: &str) -> Reply {
        if *self.nobody.lock().unwrap() == to {
            return say(550, "5.1.1 nobody");
        }
        next(&self.recipient).unwrap_or_else(|| self.taken.on_recipient(from, to))
    }
    fn on_data(&self, from: &str, to: &str) -> Reply {
        next(&self.data).unwrap_or_else(|| self.taken.on_data(from, to))
    }
    fn on_reset(&self) -> Reply {
        self.resets.fetch_add(1, Ordering::SeqCst);
        self.taken.on_reset()
    }
    fn on_content(&self, delivered: &Delivered) -> ContentReply {
        next(&self.content).unwrap_or_else(|| self.taken.on_content(delivered))
    }
    fn accept(&self, delivered: Delivered) {
        self.taken.accept(delivered);
    }
}

/// A server, a mailer that knows it as mailbox `alex`, and what the server was told to do.
struct Bench {
    script: Arc<Script>,
    mailer: SmtpMailer,
    _server: SmtpServer,
}

fn bench_with(
    script: Script,
    options: ServerOptions,
    adjust: impl FnOnce(&mut SmtpSettings),
) -> Bench {
    let script = Arc::new(script);
    let behaviour: Arc<dyn Behaviour> = script.clone();
    let server = SmtpServer::start_with(behaviour, options).unwrap();
    let mut settings = SmtpSettings::new("127.0.0.1", server.addr().port(), Tls::Plain);
    settings.timeouts =
        Timeouts { connect: PATIENT, command: PATIENT, data: PATIENT, content: PATIENT };
    adjust(&mut settings);
    let mailer = SmtpMailer::new(BTreeMap::from([("alex".into(), settings)]));
    Bench { script, mailer, _server: server }
}

fn bench(script: Script) -> Bench {
    bench_with(script, ServerOptions::default(), |_| {})
}

fn envelope(to: &str) -> Envelope {
    Envelope {
        mailbox: "alex".into(),
        from: "alex@out.example".parse().unwrap(),
        to: to.parse().unwrap(),
    }
}

impl Bench {
    async fn send_bytes(&self, to: &str, message: &[u8]) -> Result<String, Failure> {
        self.mailer.offer(&envelope(to)).await?.content(message).await
    }

    async fn send(&self, to: &str) -> Result<String, Failure> {
        self.send_bytes(to, MESSAGE).await
    }

    fn recipients(&self) -> Vec<String> {
        self.script.taken.delivered().into_iter().map(|mail| mail.to).collect()
    }
}

fn say(code: u16, text: &str) -> Reply {
    Reply::Say(code, text.to_owned())
}

/// A script that does one thing at one phase, once.
fn once(phase: Phase, reply: Reply) -> Script {
    let script = Script::default();
    let content = match reply.clone() {
        Reply::Say(code, text) => ContentReply::Say(code, text),
        Reply::Hang => ContentReply::Hang,
        Reply::Drop => ContentReply::Drop,
    };
    match phase {
        Phase::Connect => script.greeting.lock().unwrap().push_back(reply),
        Phase::Auth => script.login.lock().unwrap().push_back(reply),
        Phase::Sender => script.sender.lock().unwrap().push_back(reply),
        Phase::Recipient => script.recipient.lock().unwrap().push_back(reply),
        Phase::Data => script.data.lock().unwrap().push_back(reply),
        Phase::Content => script.content.lock().unwrap().push_back(content),
    }
    script
}

const PHASES: [Phase; 6] =
    [Phase::Connect, Phase::Auth, Phase::Sender, Phase::Recipient, Phase::Data, Phase::Content];

fn with_login() -> ServerOptions {
    let login = Some(("alex".to_owned(), "right horse".to_owned()));
    ServerOptions { login, ..ServerOptions::default() }
}

fn credentials(password: &str) -> Option<Credentials> {
    Some(Credentials { user: "alex".to_owned(), password: Secret::new(password) })
}

#[tokio::test]
async fn a_mail_arrives_byte_for_byte_and_the_servers_last_word_comes_back() {
    let bench = bench(Script::default());
    let word = bench.send("dana@northwind.test").await.unwrap();
    assert_eq!(word, "250 2.0.0 queued");
    let expected = Delivered {
        mailbox_user: None,
        from: "alex@out.example".to_owned(),
        to: "dana@northwind.test".to_owned(),
        bytes: MESSAGE.to_vec(),
    };
    assert_eq!(bench.script.taken.delivered(), [expected]);
}

#[tokio::test]
async fn a_last_word_of_several_lines_is_put_on_one() {
    let bench = bench(once(Phase::Content, say(250, "2.0.0 queued\nas 4711\nthanks")));
    let word = bench.send("dana@northwind.test").await.unwrap();
    assert_eq!(word, "250 2.0.0 queued as 4711 thanks");
}

#[tokio::test]
async fn a_talkative_server_is_heard_out_for_as_many_mails_as_there_are() {
    let script = Script::default();
    let speech = [["x"; 800].concat().as_str(); 90].join("\n");
    let answers = vec![ContentReply::Say(250, speech); 6];
    script.content.lock().unwrap().extend(answers);
    let bench = bench(script);
    for n in 0..6 {
        bench.send(&format!("p{n}@northwind.test")).await.unwrap();
    }
    assert_eq!(bench.script.connections(), 1);
}

#[tokio::test]
async fn several_mails_share_one_connection() {
    let bench = bench(Script::default());
    for n in 0..5 {
        bench.send(&format!("p{n}@northwind.test")).await.unwrap();
    }
    assert_eq!(bench.recipients().len(), 5);
    assert_eq!(bench.script.connections(), 1);
}

#[tokio::test]
async fn a_connection_is_given_up_after_so_many_mails_and_after_lying_idle() {
    let options = ServerOptions::default;
    let few = bench_with(Script::default(), options(), |s| s.max_mails_per_connection = 2);
    for n in 0..5 {
        few.send(&format!("p{n}@northwind.test")).await.unwrap();
    }
    assert_eq!(few.script.connections(), 3);

    let idle = bench_with(Script::default(), options(), |s| s.max_idle = Duration::ZERO);
    for n in 0..2 {
        idle.send(&format!("p{n}@northwind.test")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(idle.script.connections(), 2);
}

#[tokio::test]
async fn mails_offered_at_once_go_one_after_the_other() {
    let bench = Arc::new(bench(Script::default()));
    let sends = (0..20).map(|n| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { bench.send(&format!("p{n}@northwind.test")).await })
    });
    for sent in sends.collect::<Vec<_>>() {
        sent.await.unwrap().unwrap();
    }
    assert_eq!((bench.recipients().len(), bench.script.connections()), (20, 1));
}

#[tokio::test]
async fn a_refusal_is_reported_with_its_phase_and_answer_and_the_next_mail_goes_through() {
    for code in [450, 550] {
        for phase in PHASES {
            let class = code / 100;
            let script = once(phase, say(code, &format!("{class}.1.1 no <dana@northwind.test>")));
            let bench =
                bench_with(script, with_login(), |s| s.credentials = credentials("right horse"));
            let failure = bench.send("dana@northwind.test").await.unwrap_err();
            let answer = failure.answer.clone().unwrap();
            assert_eq!(failure.phase, phase, "{failure:?}");
            assert_eq!(answer.code, code);
            assert_eq!(answer.enhanced, Some((class as u8, 1, 1)));
            assert_eq!(answer.text, "no <dana@northwind.test>");
            assert!(!failure.detail.contains('@'), "{}", failure.detail);

            bench.send("eve@northwind.test").await.unwrap();
            assert_eq!(bench.recipients(), ["eve@northwind.test"], "{phase:?} {code}");
            let reconnected = matches!(phase, Phase::Connect | Phase::Auth | Phase::Sender);
            assert_eq!(bench.script.connections(), 1 + usize::from(reconnected), "{phase:?}");
        }
    }
}

#[tokio::test]
async fn a_refused_recipient_is_forgotten_by_the_server_before_the_next_mail() {
    let bench = bench(once(Phase::Recipient, say(550, "5.1.1 nobody here")));
    bench.send("dana@northwind.test").await.unwrap_err();
    assert_eq!(bench.script.resets.load(Ordering::SeqCst), 1);
    bench.send("eve@northwind.test").await.unwrap();
    assert_eq!(bench.script.connections(), 1);
}

#[tokio::test]
async fn a_server_that_says_it_closes_is_not_asked_again_on_that_line() {
    for phase in [Phase::Recipient, Phase::Data, Phase::Content] {
        let bench = bench(once(phase, say(421, "4.3.2 closing")));
        let failure = bench.send("dana@northwind.test").await.unwrap_err();
        assert_eq!((failure.phase, failure.verdict()), (phase, Verdict::MailboxTrouble));
        bench.send("eve@northwind.test").await.unwrap();
        assert_eq!(bench.script.connections(), 2);
    }
}

fn without_answer(phase: Phase) -> Verdict {
    match phase {
        Phase::Connect | Phase::Auth | Phase::Sender => Verdict::MailboxTrouble,
        Phase::Recipient | Phase::Data => Verdict::TryLater,
        Phase::Content => Verdict::InDoubt,
    }
}

#[tokio::test]
async fn a_dropped_line_has_no_answer_and_after_the_content_the_mail_is_in_doubt() {
    for phase in PHASES {
        let bench = bench_with(once(phase, Reply::Drop), with_login(), |settings| {
            settings.credentials = credentials("right horse");
        });
        let failure = bench.send("dana@northwind.test").await.unwrap_err();
        assert_eq!((failure.phase, &failure.answer), (phase, &None), "{failure:?}");
        assert_eq!(failure.verdict(), without_answer(phase));
        bench.send("eve@northwind.test").await.unwrap();
        assert_eq!(bench.recipients(), ["eve@northwind.test"]);
        assert_eq!(bench.script.connections(), 2);
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up_at_every_phase() {
    for phase in PHASES {
        let bench = bench_with(once(phase, Reply::Hang), with_login(), |settings| {
            settings.credentials = credentials("right horse");
            match phase {
                Phase::Connect => settings.timeouts.connect = SHORT,
                Phase::Auth | Phase::Sender | Phase::Recipient => {
                    settings.timeouts.command = SHORT;
                }
                Phase::Data => settings.timeouts.data = SHORT,
                Phase::Content => settings.timeouts.content = SHORT,
            }
        });
        let failure = bench.send("dana@northwind.test").await.unwrap_err();
        assert_eq!((failure.phase, &failure.answer), (phase, &None), "{failure:?}");
        assert_eq!(failure.verdict(), without_answer(phase));
        assert!(failure.detail.contains("within"), "{}", failure.detail);
    }
}

#[tokio::test]
async fn a_mail_that_was_taken_while_the_line_broke_is_in_doubt() {
    let script = Script::default();
    script.content.lock().unwrap().push_back(ContentReply::AcceptThenDrop);
    let bench = bench(script);
    let failure = bench.send("dana@northwind.test").await.unwrap_err();
    assert_eq!(failure.verdict(), Verdict::InDoubt);
    assert_eq!(bench.recipients(), ["dana@northwind.test"]);
}

#[tokio::test]
async fn a_given_up_mail_does_not_poison_the_next_one() {
    // The server answers the first mail late; on a reused line the next mail would read that answer.
    for wait_ms in [0, 20, 60] {
        let script = Script::default();
        let late = ContentReply::AcceptAfter(Duration::from_millis(100));
        script.content.lock().unwrap().push_back(late);
        let bench = bench(script);
        let sending = bench.send("dana@northwind.test");
        let given_up = tokio::time::timeout(Duration::from_millis(wait_ms), sending).await;
        assert!(given_up.is_err());
        "eve@northwind.test".clone_into(&mut bench.script.nobody.lock().unwrap());
        // Wherever the first was given up, this one gets its own answers.
        let failure = bench.send("eve@northwind.test").await.unwrap_err();
        assert_eq!(failure.verdict(), Verdict::DeadAddress, "{wait_ms} {failure:?}");
        bench.send("mallory@northwind.test").await.unwrap();
    }
}

#[tokio::test]
async fn an_offer_that_is_taken_back_leaves_the_conversation_usable() {
    let bench = bench(Script::default());
    let offer = bench.mailer.offer(&envelope("dana@northwind.test")).await.unwrap();
    offer.withdraw().await;
    bench.send("eve@northwind.test").await.unwrap();
    assert_eq!(bench.recipients(), ["eve@northwind.test"]);
    assert_eq!(bench.script.connections(), 1);
}

#[tokio::test]
async fn an_offer_that_is_dropped_takes_its_connection_with_it() {
    let bench = bench(Script::default());
    drop(bench.mailer.offer(&envelope("dana@northwind.test")).await.unwrap());
    bench.send("eve@northwind.test").await.unwrap();
    assert_eq!(bench.recipients(), ["eve@northwind.test"]);
    assert_eq!(bench.script.connections(), 2);
}

#[tokio::test]
async fn a_line_that_the_server_closed_between_two_mails_is_replaced_unnoticed() {
    for goodbye in [Reply::Drop, say(421, "4.4.2 idle for too long")] {
        let bench = bench(Script::default());
        bench.send("dana@northwind.test").await.unwrap();
        bench.script.sender.lock().unwrap().push_back(goodbye);
        bench.send("eve@northwind.test").await.unwrap();
        assert_eq!(bench.recipients(), ["dana@northwind.test", "eve@northwind.test"]);
        assert_eq!(bench.script.connections(), 2);
    }
}

#[tokio::test]
async fn an_answer_out_of_step_is_no_success() {
    for (phase, code) in
        [(Phase::Sender, 354), (Phase::Recipient, 354), (Phase::Data, 250), (Phase::Content, 354)]
    {
        let bench = bench(once(phase, say(code, "what?")));
        let failure = bench.send("dana@northwind.test").await.unwrap_err();
        assert_eq!((failure.phase, &failure.answer), (phase, &None));
        bench.send("eve@northwind.test").await.unwrap();
        assert_eq!(bench.script.connections(), 2);
    }
}

/// A mailer for a server that says one thing, whatever is asked, and then nothing more.
async fn mailer_for_parrot(speech: Vec<u8>) -> SmtpMailer {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &speech).await;
        tokio::time::sleep(PATIENT).await;
    });
    let settings = SmtpSettings::new("127.0.0.1", port, Tls::Plain);
    SmtpMailer::new(BTreeMap::from([("alex".into(), settings)]))
}

#[tokio::test]
async fn an_answer_that_would_upset_the_codec_is_only_a_failure() {
    let blank_line = b"220 hi\r\n250-x\r\n250-   \r\n250 ok\r\n".to_vec();
    let endless_line = [b"220 hi\r\n250-x".to_vec(), vec![b'x'; 4_000_000]].concat();
    for speech in [blank_line, endless_line, b"\xff\xfe\r\n".to_vec(), b"250\r\n".to_vec()] {
        let mailer = mailer_for_parrot(speech).await;
        let envelope = envelope("dana@northwind.test");
        let offering = mailer.offer(&envelope);
        let offered = tokio::time::timeout(Duration::from_secs(10), offering).await.unwrap();
        let failure = offered.err().unwrap();
        assert_eq!((failure.phase, failure.answer), (Phase::Connect, None));
    }
}

#[tokio::test]
async fn dots_at_the_start_of_lines_survive() {
    let bench = bench(Script::default());
    let messages: [&[u8]; 5] = [
        b"Subject: x\r\n\r\n.\r\n..\r\n.a\r\na.\r\n\r\n.\r\n",
        b".\r\n",
        b"..\r\n",
        b"Subject: x\r\n\r\nno end of line",
        b"Subject: x\r\n\r\nblank lines at the end\r\n\r\n\r\n",
    ];
    for message in messages {
        bench.send_bytes("dana@northwind.test", message).await.unwrap();
    }
    let mut taken: Vec<Vec<u8>> =
        bench.script.taken.delivered().into_iter().map(|mail| mail.bytes).collect();
    assert!(taken[3].ends_with(b"\r\n"), "a last line is always ended");
    let end = taken[3].len() - 2;
    taken[3].truncate(end);
    assert_eq!(taken, messages.map(<[u8]>::to_vec));
}

#[tokio::test]
async fn a_large_mail_goes_through_and_a_too_large_one_is_refused() {
    let bench = bench(Script::default());
    let large = [MESSAGE, "0123456789\r\n".repeat(80_000).as_bytes()].concat();
    bench.send_bytes("dana@northwind.test", &large).await.unwrap();
    assert_eq!(bench.script.taken.delivered()[0].bytes, large);
    let huge = [MESSAGE, "0123456789\r\n".repeat(1_000_000).as_bytes()].concat();
    let failure = bench.send_bytes("dana@northwind.test", &huge).await.unwrap_err();
    assert_eq!((failure.phase, failure.verdict()), (Phase::Content, Verdict::Refused));
}

#[tokio::test]
async fn a_message_that_could_be_cut_in_two_by_a_server_is_not_sent() {
    let bench = bench(Script::default());
    let smuggled = b"Subject: x\r\n\r\n\n.\r\nMAIL FROM:<evil@x.test>\r\n";
    let failure = bench.send_bytes("dana@northwind.test", smuggled).await.unwrap_err();
    assert_eq!((failure.phase, failure.verdict()), (Phase::Data, Verdict::Refused));
    bench.send("eve@northwind.test").await.unwrap();
    assert_eq!(bench.recipients(), ["eve@northwind.test"]);
}

#[tokio::test]
async fn letters_beyond_ascii_are_sent_only_to_a_server_that_takes_them() {
    let content = "Subject: Grüße\r\n\r\nü\r\n".as_bytes();
    let able = bench(Script::default());
    able.send_bytes("zoë@northwind.test", content).await.unwrap();
    assert_eq!(able.recipients(), ["zoë@northwind.test"]);

    let options = ServerOptions { beyond_ascii: false, ..ServerOptions::default() };
    let unable = bench_with(Script::default(), options, |_| {});
    let address = unable.send("zoë@northwind.test").await.unwrap_err();
    assert_eq!((address.phase, address.verdict()), (Phase::Recipient, Verdict::Refused));
    let text = unable.send_bytes("eve@northwind.test", content).await.unwrap_err();
    assert_eq!((text.phase, text.verdict()), (Phase::Data, Verdict::Refused));
    unable.send("eve@northwind.test").await.unwrap();
    assert_eq!(unable.recipients(), ["eve@northwind.test"]);
}

#[tokio::test]
async fn login_works_with_both_mechanisms_and_a_wrong_password_is_mailbox_trouble() {
    for mechanisms in ["PLAIN", "LOGIN", "PLAIN LOGIN"] {
        let options = ServerOptions { mechanisms, ..with_login() };
        let right = bench_with(Script::default(), options.clone(), |settings| {
            settings.credentials = credentials("right horse");
        });
        right.send("dana@northwind.test").await.unwrap();
        let user = right.script.taken.delivered()[0].mailbox_user.clone();
        assert_eq!(user.as_deref(), Some("alex"), "{mechanisms}");

        let wrong = bench_with(Script::default(), options, |settings| {
            settings.credentials = credentials("wrong horse");
        });
        let failure = wrong.send("dana@northwind.test").await.unwrap_err();
        assert_eq!((failure.phase, failure.verdict()), (Phase::Auth, Verdict::MailboxTrouble));
        assert_eq!(failure.answer.as_ref().map(|answer| answer.code), Some(535));
        assert!(!format!("{failure:?}").contains("horse"));
    }
}

#[tokio::test]
async fn a_server_without_login_or_a_port_without_server_is_mailbox_trouble() {
    let bench = bench_with(Script::default(), ServerOptions::default(), |settings| {
        settings.credentials = credentials("right horse");
    });
    let failure = bench.send("dana@northwind.test").await.unwrap_err();
    assert_eq!((failure.phase, failure.verdict()), (Phase::Auth, Verdict::MailboxTrouble));

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let settings = SmtpSettings::new("127.0.0.1", port, Tls::Plain);
    let mailer = SmtpMailer::new(BTreeMap::from([("alex".into(), settings)]));
    let failure = mailer.offer(&envelope("dana@northwind.test")).await.err().unwrap();
    assert_eq!((failure.phase, failure.verdict()), (Phase::Connect, Verdict::MailboxTrouble));

    let nobody = Envelope { mailbox: "nobody".into(), ..envelope("dana@northwind.test") };
    let failure = mailer.offer(&nobody).await.err().unwrap();
    assert_eq!(failure.phase, Phase::Connect);
}

/// A certificate for `localhost` that signs itself, written to a file, and a server that shows it.
fn self_made_certificate(folder: &Path) -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn both_kinds_of_tls_work_with_a_trusted_certificate_only() {
    let folder = tempfile::tempdir().unwrap();
    let acceptor = self_made_certificate(folder.path());
    for (tls, server_tls) in [
        (Tls::Implicit, ServerTls::Implicit(acceptor.clone())),
        (Tls::StartTls, ServerTls::StartTls(acceptor.clone())),
    ] {
        let options = || ServerOptions { tls: Some(server_tls.clone()), ..with_login() };
        let trusted = bench_with(Script::default(), options(), |settings| {
            settings.host = "localhost".to_owned();
            settings.tls = tls;
            settings.ca_file = Some(folder.path().join("ca.pem"));
            settings.credentials = credentials("right horse");
        });
        for n in 0..3 {
            trusted.send(&format!("p{n}@northwind.test")).await.unwrap();
        }
        assert_eq!((trusted.recipients().len(), trusted.script.connections()), (3, 1), "{tls:?}");

        let strange = bench_with(Script::default(), options(), |settings| {
            settings.host = "localhost".to_owned();
            settings.tls = tls;
            settings.credentials = credentials("right horse");
        });
        let failure = strange.send("dana@northwind.test").await.unwrap_err();
        assert_eq!((failure.phase, failure.verdict()), (Phase::Connect, Verdict::MailboxTrouble));
        assert!(failure.detail.contains("certificate"), "{}", failure.detail);
        assert_eq!(strange.recipients(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_server_that_does_not_offer_starttls_gets_no_password() {
    let bench = bench_with(Script::default(), with_login(), |settings| {
        settings.tls = Tls::StartTls;
        settings.credentials = credentials("right horse");
    });
    let failure = bench.send("dana@northwind.test").await.unwrap_err();
    assert_eq!(failure.phase, Phase::Connect);
    assert!(failure.detail.contains("STARTTLS"));
}
