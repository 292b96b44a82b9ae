//! A connection that isn't read while its peer doesn't read, and that ends if that goes on.
//!
//! jsonrpsee answers each WebSocket message in a task of its own, without bound. As answers wait while the socket can't be written,
//! reading no more requests meanwhile bounds them.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::limits::STALL_DEADLINE;
use super::listen::Stream;

/// Ends a connection from outside, also once it has become a WebSocket.
#[derive(Debug, Default)]
pub(super) struct Cut {
    is_cut: AtomicBool,
    reader: AtomicWaker,
}

impl Cut {
    /// Whoever reads finds the connection broken.
    pub(super) fn now(&self) {
        self.is_cut.store(true, Ordering::Release);
        self.reader.wake();
    }
}

/// A connection with back-pressure.
pub(super) struct Socket {
    cut: Arc<Cut>,
    stream: Stream,
    patience: Duration,
    /// There while a write waits for the peer to read.
    stall: Option<Pin<Box<Sleep>>>,
    reader: Option<Waker>,
}

impl Socket {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            cut: Arc::default(),
            stream,
            patience: STALL_DEADLINE,
            stall: None,
            reader: None,
        }
    }

    pub(super) fn cut(&self) -> Arc<Cut> {
        Arc::clone(&self.cut)
    }

    fn settle<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_pending() {
            let patience = self.patience;
            let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(patience)));
            if stall.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        let timed_out = written.is_pending();
        self.stall = None;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        if timed_out {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.reader.register(context.waker());
        if self.cut.is_cut.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if self.stall.is_some() {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        if self.cut.is_cut.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let written = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.settle(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.settle(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (accepted, peer) = tokio::join!(listener.accept(), TcpStream::connect(address));
        (Socket::new(Stream::Tcp(accepted.unwrap().0)), peer.unwrap())
    }

    #[tokio::test]
    async fn f57_a_socket_is_read_again_when_its_peer_reads() {
        let (mut socket, mut peer) = pair().await;
        let chunk = vec![0; 1024 * 1024];
        let mut written = 0;
        peer.write_all(b"request").await.unwrap();
        // The first read is there to find out that there is something to read.
        let Stream::Tcp(stream) = &socket.stream else {
            panic!("not TCP");
        };
        stream.readable().await.unwrap();
        while let Poll::Ready(len) = futures::poll!(Box::pin(socket.write(&chunk))) {
            written += len.unwrap();
        }
        let mut request = [0; 7];
        assert!(futures::poll!(Box::pin(socket.read_exact(&mut request))).is_pending());

        let (mut reader, mut writer) = tokio::io::split(socket);
        let mut rest = vec![0; written];
        let (read, _, _) = tokio::join!(
            reader.read_exact(&mut request),
            writer.write_all(b"more"),
            peer.read_exact(&mut rest),
        );
        assert_eq!((read.unwrap(), &request), (7, b"request"));
    }

    #[tokio::test]
    async fn f57_a_socket_whose_peer_never_reads_breaks() {
        let (mut socket, _peer) = pair().await;
        socket.patience = Duration::from_millis(50);
        let chunk = vec![0; 64 * 1024 * 1024];
        let error = socket.write_all(&chunk).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
