//! The stream under a codec: it bounds what the codec would read without end.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// After `STARTTLS` a server does not greet again (RFC 3207, section 4.2), but the SMTP codec waits for it.
const GREETING: &[u8] = b"220 encrypted\r\n";

/// A stream of which only so many bytes can be read between two writes.
pub(super) struct Line<S> {
    stream: S,
    peer: SocketAddr,
    greeting: &'static [u8],
    max_answer_bytes: usize,
    read: usize,
}

impl<S> Line<S> {
    pub(super) fn new(stream: S, peer: SocketAddr, max_answer_bytes: usize) -> Self {
        Self { stream, peer, greeting: b"", max_answer_bytes, read: 0 }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    /// The greeting has been read by somebody else: reading begins with a made one.
    pub(super) fn already_greeted(self) -> Self {
        Self { greeting: GREETING, ..self }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.greeting.is_empty() {
            let (now, later) = self.greeting.split_at(self.greeting.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.greeting = later;
            return Poll::Ready(Ok(()));
        }
        if self.read > self.max_answer_bytes {
            return Poll::Ready(Err(io::Error::other("an endless answer")));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.read += buffer.filled().len() - before;
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.read = 0;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S> std::fmt::Debug for Line<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a line to {}", self.peer)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> AsyncTokioStream for Line<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
