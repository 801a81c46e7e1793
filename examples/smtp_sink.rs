//! An SMTP server that takes every mail and writes one line for it before it says so.
//!
//! `cargo run --example smtp_sink -- PORT FILE [DELAY_MS]`: the line is
//! `recipient<TAB>Message-ID<TAB>X-Firsttouch-Touch`. It runs as a process of its own, so that the
//! sender can be killed at any moment and the file tells what had really arrived. One half of the delay
//! lies before the content, one half behind it: a sender that dies in the first half has sent nothing,
//! one that dies in the second does not know that it has.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use firsttouch::adapters::simulated::smtp_server::{
    Behaviour, ContentReply, Delivered, Reply, ServerOptions, SmtpServer,
};
use mail_parser::MessageParser;

struct Ledger {
    file: Mutex<File>,
    delay: Duration,
}

impl Behaviour for Ledger {
    fn on_data(&self, _from: &str, _to: &str) -> Reply {
        tokio::task::block_in_place(|| std::thread::sleep(self.delay / 2));
        Reply::Say(354, "go ahead".to_owned())
    }

    fn on_content(&self, delivered: &Delivered) -> ContentReply {
        // One write of a whole line: a reader never sees half of it.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match file.write_all(line(delivered).as_bytes()) {
            Ok(()) => ContentReply::AcceptAfter(self.delay / 2),
            Err(error) => ContentReply::Say(451, format!("4.3.0 the ledger: {}", error.kind())),
        }
    }
}

fn line(delivered: &Delivered) -> String {
    let parsed = MessageParser::default().parse_headers(&delivered.bytes);
    let id = parsed.as_ref().and_then(|message| message.message_id()).unwrap_or("-");
    let touch = parsed.as_ref().and_then(|message| message.header_raw("X-Firsttouch-Touch"));
    format!("{}\t{id}\t{}\n", delivered.to, touch.unwrap_or("-").trim())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (port, path, delay_ms) = match arguments.as_slice() {
        [port, path] => (port.parse()?, path, 0),
        [port, path, delay_ms] => (port.parse()?, path, delay_ms.parse()?),
        _ => return Err("usage: smtp_sink PORT FILE [DELAY_MS]".into()),
    };
    let file = Mutex::new(OpenOptions::new().create(true).append(true).open(path)?);
    let ledger = Ledger { file, delay: Duration::from_millis(delay_ms) };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let options = ServerOptions { address, ..ServerOptions::default() };
    let server = SmtpServer::start_with(Arc::new(ledger), options)?;
    println!("listening on {}", server.addr());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
