//! What a caller tells a node or a relay at its start, and what it is told back.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use zeroize::Zeroizing;

pub use crate::rpc::TlsConfig;

/// The settings of a personal node.
#[derive(Clone)]
pub struct NodeConfig {
    /// The data directory; created, with a new account in it, if it is absent or empty.
    pub data: PathBuf,
    /// Wraps the store's key; without one the key lies in a file of mode 0600.
    pub passphrase: Option<Zeroizing<String>>,
    /// Where the JSON-RPC listens; port 0 takes a free one.
    pub rpc: SocketAddr,
    /// Where it listens for TLS as well.
    pub rpc_tls: Option<TlsConfig>,
    /// Names under which this machine's JSON-RPC is reached from others.
    pub rpc_hosts: Vec<String>,
    /// Multiaddrs to listen on; empty takes the defaults.
    pub listen: Vec<String>,
    /// Multiaddrs of relays, each ending in `/p2p/…`.
    pub relays: Vec<String>,
    /// Tokens by which relays admit this account, `TOKEN` where there is one relay or `KEY=TOKEN`, with the key after `/p2p/`. They are
    /// remembered.
    pub relay_tokens: Vec<Zeroizing<String>>,
    /// Bytes of files that are kept, own and fetched ones; `None` takes the default.
    pub file_bytes: Option<u64>,
    /// The name shown to contacts; `None` keeps the stored one.
    pub name: Option<String>,
}

/// The settings of a relay.
#[derive(Clone)]
pub struct RelayConfig {
    /// The data directory; created if it is absent.
    pub data: PathBuf,
    /// Wraps the store's key; without one the key lies in a file of mode 0600.
    pub passphrase: Option<Zeroizing<String>>,
    /// Multiaddrs to listen on; empty takes the defaults.
    pub listen: Vec<String>,
    /// Where metrics and health are served; `None` serves none.
    pub metrics: Option<SocketAddr>,
    /// Whom it serves.
    pub admission: Admission,
    /// What it keeps at most.
    pub quotas: RelayQuotas,
    /// Whether channels can be found at it that want to.
    pub directory: bool,
    /// Other relays with which it compares what both keep: multiaddrs that end in `/p2p/…`.
    pub peers: Vec<String>,
}

/// Whom a relay serves. The others may only use topics that one of these uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Admission {
    /// Everybody.
    #[default]
    Open,
    /// Whoever names a token made by `madang relay token new`.
    Token,
    /// The transport keys in a file, one a line, in hex or as an address that ends in `/p2p/…`.
    List(PathBuf),
}

impl Admission {
    /// Its name on the command line.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Token => "token",
            Self::List(_) => "list",
        }
    }
}

/// Bounds of what a relay keeps, in bytes with the store's overhead; `None` takes the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayQuotas {
    /// Of all topics.
    pub total_bytes: Option<u64>,
    /// Of one topic's messages.
    pub topic_bytes: Option<u64>,
    /// Of one topic's files.
    pub topic_blob_bytes: Option<u64>,
    /// Of what one peer deposits in a day.
    pub depositor_bytes_per_day: Option<u64>,
}

/// What a node says once it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReady {
    /// The account, `madang1…`.
    pub account: String,
    /// The device's public key in hex.
    pub device: String,
    /// The JSON-RPC's HTTP address.
    pub http: String,
    /// The JSON-RPC's WebSocket address.
    pub ws: String,
    /// The JSON-RPC's address for TLS.
    pub https: Option<String>,
    /// The multiaddrs it listens on.
    pub listen: Vec<String>,
    /// Whether this start created the account.
    pub created: bool,
}

/// What a relay says once it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayReady {
    /// The relay's public key in hex.
    pub relay: String,
    /// Its multiaddrs, each ending in `/p2p/…`, as `--relay` takes them.
    pub addresses: Vec<String>,
    /// Where metrics are served.
    pub metrics: Option<SocketAddr>,
}

/// Why a node or relay couldn't start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The data directory is locked, newer than this program, sealed by another passphrase, or damaged.
    #[error("the data directory {data} can't be used: {reason}", data = data.display())]
    Store {
        /// The directory.
        data: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A setting can't be used.
    #[error("{field} can't be used: {reason}")]
    Config {
        /// The setting, as the command line names it.
        field: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// An address can't be listened on, or the network stopped.
    #[error("the network can't be used: {reason}")]
    Network {
        /// What is wrong and what to do.
        reason: String,
    },
    /// Anything else.
    #[error("{reason}")]
    Other {
        /// What is wrong and what to do.
        reason: String,
    },
}

/// The family of a [`NodeError`], from which callers take their exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The store is locked or unusable.
    Store,
    /// A setting can't be used.
    Config,
    /// The network can't be used.
    Network,
    /// Anything else.
    Other,
}

impl NodeError {
    /// Returns the family of the error.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Store { .. } => FaultKind::Store,
            Self::Config { .. } => FaultKind::Config,
            Self::Network { .. } => FaultKind::Network,
            Self::Other { .. } => FaultKind::Other,
        }
    }
}

impl fmt::Debug for NodeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeConfig")
            .field("data", &self.data)
            .field("passphrase", &redacted(self.passphrase.as_ref()))
            .field("rpc", &self.rpc)
            .field("rpc_tls", &self.rpc_tls)
            .field("rpc_hosts", &self.rpc_hosts)
            .field("listen", &self.listen)
            .field("relays", &self.relays)
            .field("relay_tokens", &self.relay_tokens.len())
            .field("file_bytes", &self.file_bytes)
            .field("name", &self.name)
            .finish()
    }
}

impl fmt::Debug for RelayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayConfig")
            .field("data", &self.data)
            .field("passphrase", &redacted(self.passphrase.as_ref()))
            .field("listen", &self.listen)
            .field("metrics", &self.metrics)
            .field("admission", &self.admission)
            .field("quotas", &self.quotas)
            .finish()
    }
}

fn redacted(passphrase: Option<&Zeroizing<String>>) -> Option<&'static str> {
    passphrase.map(|_| "redacted")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn f65_debug_shows_no_passphrase() {
        let passphrase = Some(Zeroizing::new("correct horse".to_owned()));
        let node = NodeConfig {
            data: "d".into(),
            passphrase: passphrase.clone(),
            rpc: "127.0.0.1:0".parse().unwrap(),
            rpc_tls: None,
            rpc_hosts: Vec::new(),
            listen: vec![],
            relays: vec![],
            relay_tokens: vec![Zeroizing::new("correct horse".to_owned())],
            file_bytes: None,
            name: None,
        };
        let relay = RelayConfig {
            data: "d".into(),
            passphrase,
            listen: vec![],
            metrics: None,
            admission: Admission::Open,
            quotas: RelayQuotas::default(),
            directory: true,
            peers: Vec::new(),
        };
        assert!(!format!("{node:?} {relay:?}").contains("horse"));
    }
}
