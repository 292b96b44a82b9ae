//! TLS for use from other machines: an address of its own, beside the plain one of the tools on this machine.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::server::RpcError;

/// Where TLS listens, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The address; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The certificate and those between it and its root, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// A listener for TLS.
pub(super) struct Secure {
    pub(super) tcp: TcpListener,
    pub(super) acceptor: Acceptor,
}

/// Makes connections of a listener private.
#[derive(Clone)]
pub(super) struct Acceptor(TlsAcceptor);

impl Secure {
    /// Listens.
    pub(super) async fn bind(config: &TlsConfig) -> Result<(Self, SocketAddr), RpcError> {
        let unusable = |path: &Path, reason: String| RpcError::Tls {
            path: path.to_owned(),
            reason,
        };
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&config.certificate)
            .and_then(Iterator::collect)
            .map_err(|error| unusable(&config.certificate, error.to_string()))?;
        let key =
            PrivateKeyDer::from_pem_file(&config.key).map_err(|error| unusable(&config.key, error.to_string()))?;
        let settings = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .map(|builder| builder.with_no_client_auth())
            .and_then(|builder| builder.with_single_cert(certificates, key));
        let mut settings = settings.map_err(|error| unusable(&config.certificate, error.to_string()))?;
        settings.alpn_protocols = vec![b"http/1.1".to_vec()];
        let bind_error = |source| RpcError::Bind {
            address: config.bind,
            source,
        };
        let tcp = TcpListener::bind(config.bind).await.map_err(bind_error)?;
        let bound = tcp.local_addr().map_err(bind_error)?;
        let acceptor = Acceptor(TlsAcceptor::from(Arc::new(settings)));
        Ok((Self { tcp, acceptor }, bound))
    }
}

impl Acceptor {
    /// Shakes hands.
    pub(super) async fn accept(self, stream: TcpStream) -> io::Result<Box<TlsStream<TcpStream>>> {
        self.0.accept(stream).await.map(Box::new)
    }
}
