//! What the JSON-RPC listens on: an address, one for TLS if wanted, and where the system has them a Unix socket in the data directory, which
//! only the user can open and which so needs no token.

use std::future::pending;
use std::io::{self, IoSlice};
use std::net::IpAddr;
#[cfg(unix)]
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio_rustls::server::TlsStream;

use super::tls::{Acceptor, Secure};

/// Where connections come from.
pub(super) struct Listeners {
    tcp: TcpListener,
    secure: Option<Secure>,
    #[cfg(unix)]
    unix: Option<UnixListener>,
}

/// A connection that is there, and may still have to shake hands.
pub(super) enum Arriving {
    Ready(Stream),
    Secure(TcpStream, Acceptor),
}

/// How a connection came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// At this address of ours.
    At(IpAddr),
    /// At this one, over TLS.
    Securely(IpAddr),
    /// By the Unix socket.
    Privately,
}

impl Listeners {
    pub(super) fn new(tcp: TcpListener, secure: Option<Secure>) -> Self {
        Self {
            tcp,
            secure,
            #[cfg(unix)]
            unix: None,
        }
    }

    /// Listens on a Unix socket too. What an earlier start left there is replaced.
    #[cfg(unix)]
    pub(super) fn add_unix(&mut self, path: &Path) -> io::Result<()> {
        use std::fs::{self, Permissions};
        use std::os::unix::fs::PermissionsExt as _;
        // Nobody finds it before its mode is right.
        let new = path.with_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&new)?;
        fs::set_permissions(&new, Permissions::from_mode(0o600))?;
        fs::rename(&new, path)?;
        self.unix = Some(listener);
        Ok(())
    }

    pub(super) async fn accept(&self) -> io::Result<Arriving> {
        tokio::select! {
            accepted = self.tcp.accept() => accepted.map(|(stream, _)| Arriving::Ready(Stream::Tcp(stream))),
            accepted = self.accept_secure() => accepted,
            accepted = self.accept_unix() => accepted,
        }
    }

    async fn accept_secure(&self) -> io::Result<Arriving> {
        let Some(Secure { tcp, acceptor }) = &self.secure else {
            return pending().await;
        };
        let (stream, _) = tcp.accept().await?;
        Ok(Arriving::Secure(stream, acceptor.clone()))
    }

    #[cfg(unix)]
    async fn accept_unix(&self) -> io::Result<Arriving> {
        match &self.unix {
            Some(unix) => unix
                .accept()
                .await
                .map(|(stream, _)| Arriving::Ready(Stream::Unix(stream))),
            None => pending().await,
        }
    }

    #[cfg(not(unix))]
    async fn accept_unix(&self) -> io::Result<Arriving> {
        pending().await
    }
}

impl Arriving {
    /// Shakes hands, where that is due.
    pub(super) async fn enter(self) -> io::Result<Stream> {
        match self {
            Self::Ready(stream) => Ok(stream),
            Self::Secure(stream, acceptor) => acceptor.accept(stream).await.map(Stream::Tls),
        }
    }
}

/// A connection.
pub(super) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    pub(super) fn arrived(&self) -> io::Result<Arrived> {
        match self {
            Self::Tcp(stream) => stream.local_addr().map(|address| Arrived::At(address.ip())),
            Self::Tls(stream) => stream
                .get_ref()
                .0
                .local_addr()
                .map(|address| Arrived::Securely(address.ip())),
            #[cfg(unix)]
            Self::Unix(_) => Ok(Arrived::Privately),
        }
    }

    /// Small answers leave at once.
    pub(super) fn set_nodelay(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nodelay(true),
            Self::Tls(stream) => stream.get_ref().0.set_nodelay(true),
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, buffer),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_write(context, buffer),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, buffers),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, buffers),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(context, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tls(stream) => stream.is_write_vectored(),
            _ => true,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
