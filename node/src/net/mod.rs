//! The network: one task owns the libp2p Swarm, and everything else talks to it through the channels of this module.
//!
//! It knows nothing of meaning. Custody frames and gossip messages are opaque bytes, peers are public keys. No other
//! module names `libp2p`.
//!
//! ```text
//!  core ── NetCommand (1,024, sender waits) ──▶ task: Swarm ── Note (4,096) ──▶ peer task: two streams, each with
//!   ▲                                            │                              an outbound queue bounded by bytes
//!   └── NetEvent (1,024; readers wait, gossip drops) ◀──────────────────────────┘
//! ```
//!
//! `INV-NET-NO-WAIT`: the Swarm task never waits for a peer or for the core; who is slow loses its own stream or its gossip.

use std::fmt;
use std::sync::Arc;

use futures::StreamExt;
use libp2p::PeerId;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

mod address;
mod behaviour;
mod boxed;
mod frame;
mod gate;
mod limits;
mod peer;
mod penalty;
mod queue;
mod stats;
mod stream;
mod task;
#[cfg(test)]
mod tests;
mod types;

pub use address::{full_address, parse_address};
pub use libp2p::bytes::Bytes;
pub use limits::{MAX_ADDRESS_BYTES, MAX_DIAL_ADDRESSES, MAX_FRAME_BYTES, MAX_GOSSIP_BYTES, NetLimits};
pub use stats::NetStats;
pub use types::{
    Acceptance, DialFailure, NetCommand, NetError, NetEvent, Payload, PeerKey, PublishOutcome, Role, Side,
};

use address::{multiaddr, probe};
use stats::Counters;

/// The settings of the network.
pub struct NetConfig {
    /// The Ed25519 seed of the transport key.
    pub identity: Zeroizing<[u8; 32]>,
    /// Multiaddrs to listen on, TCP and QUIC; none is fine.
    pub listen: Vec<String>,
    /// What the node is.
    pub role: Role,
    /// The bounds.
    pub limits: NetLimits,
}

/// The way to command the network; clones share it. The network stops when the last one is dropped.
#[derive(Clone)]
pub struct NetHandle {
    commands: mpsc::Sender<NetCommand>,
    local: PeerKey,
    listen: watch::Receiver<Vec<String>>,
    counters: Arc<Counters>,
}

impl NetHandle {
    /// Gives a command, waiting for room in the inbox, which the Swarm task drains whatever the core does.
    ///
    /// # Errors
    /// [`NetError::Stopped`].
    pub async fn command(&self, command: NetCommand) -> Result<(), NetError> {
        self.commands.send(command).await.map_err(|_| NetError::Stopped)
    }

    /// Gives a command without waiting.
    ///
    /// # Errors
    /// [`NetError::Busy`] or [`NetError::Stopped`].
    pub fn try_command(&self, command: NetCommand) -> Result<(), NetError> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NetError::Busy,
            mpsc::error::TrySendError::Closed(_) => NetError::Stopped,
        })
    }

    /// This node's own key.
    #[must_use]
    pub fn local(&self) -> PeerKey {
        self.local
    }

    /// The addresses it listens on at present, each ending in `/p2p/…`.
    #[must_use]
    pub fn listen_addrs(&self) -> Vec<String> {
        self.listen.borrow().clone()
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> NetStats {
        self.counters.read()
    }
}

/// Starts the network and returns once every listener has an address.
///
/// # Errors
/// [`NetError::Identity`], [`NetError::Transport`], [`NetError::Address`] and [`NetError::Listen`].
pub async fn start(config: NetConfig) -> Result<(NetHandle, mpsc::Receiver<NetEvent>), NetError> {
    let NetConfig {
        identity,
        listen,
        role,
        limits,
    } = config;
    let mut seed = identity.clone();
    let key = Keypair::ed25519_from_bytes(seed.as_mut()).map_err(|_| NetError::Identity)?;
    let id = key.public().to_peer_id();
    let local = PeerKey::from_peer_id(&id).ok_or(NetError::Identity)?;
    let mut swarm = behaviour::build(&key, role, &limits)?;
    let addresses = bind(&mut swarm, &listen, id).await?;
    let (handle, task, events) = task::Task::new(swarm, local, role, limits, addresses)?;
    tokio::spawn(task.run());
    Ok((handle, events))
}

/// Listens on each address and waits until it is known which ones they became.
async fn bind(swarm: &mut behaviour::Host, listen: &[String], id: PeerId) -> Result<Vec<String>, NetError> {
    let mut waiting = Vec::new();
    for address in listen {
        let parsed = multiaddr(address).ok_or_else(|| NetError::Address {
            address: address.clone(),
            reason: "it is no multiaddr like /ip4/0.0.0.0/tcp/4001".into(),
        })?;
        let refused = |error: &dyn fmt::Display| NetError::Listen {
            address: address.clone(),
            reason: error.to_string(),
        };
        probe(&parsed).map_err(|error| refused(&error))?;
        waiting.push((swarm.listen_on(parsed).map_err(|error| refused(&error))?, address));
    }
    let mut bound = Vec::new();
    let deadline = tokio::time::Instant::now() + limits::LISTEN_DEADLINE;
    while let Some((_, first)) = waiting.first() {
        let late = |reason: &str| NetError::Listen {
            address: (*first).clone(),
            reason: reason.into(),
        };
        let event = tokio::time::timeout_at(deadline, swarm.select_next_some())
            .await
            .map_err(|_| late("no interface took it"))?;
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                bound.push(address.with(Protocol::P2p(id)).to_string());
                waiting.retain(|(waits, _)| *waits != listener_id);
            }
            SwarmEvent::ListenerError { error, .. } => return Err(late(&error.to_string())),
            SwarmEvent::ListenerClosed { reason, .. } => {
                return Err(late(
                    &reason
                        .err()
                        .map_or_else(|| "it closed".into(), |error| error.to_string()),
                ));
            }
            _ => {}
        }
    }
    Ok(bound)
}
