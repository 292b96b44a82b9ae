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
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use zeroize::Zeroizing;

mod behaviour;
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

pub use libp2p::bytes::Bytes;
pub use limits::{MAX_ADDRESS_BYTES, MAX_DIAL_ADDRESSES, MAX_FRAME_BYTES, MAX_GOSSIP_BYTES, NetLimits};
pub use stats::NetStats;

use stats::Counters;

/// A peer: its Ed25519 transport key. Shown as hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerKey(pub [u8; 32]);

/// What precedes an Ed25519 key in a peer id: the identity multihash of its protobuf (libp2p peer-ids specification).
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

impl PeerKey {
    fn peer_id(&self) -> Option<PeerId> {
        PeerId::from_bytes(&[PEER_ID_PREFIX.as_slice(), &self.0].concat()).ok()
    }

    /// `None` for keys of other kinds, which nobody here has.
    fn from_peer_id(id: &PeerId) -> Option<Self> {
        id.to_bytes().strip_prefix(&PEER_ID_PREFIX)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerKey({self})")
    }
}

/// Reads a multiaddr that ends in `/p2p/…` and gives the peer and the address in its canonical form.
///
/// # Errors
/// [`NetError::Address`] if it is longer than [`MAX_ADDRESS_BYTES`], no multiaddr, or doesn't end in an Ed25519 peer id.
pub fn parse_address(address: &str) -> Result<(PeerKey, String), NetError> {
    let wrong = |reason: &str| NetError::Address { address: address.chars().take(MAX_ADDRESS_BYTES).collect(), reason: reason.into() };
    let parsed = multiaddr(address).ok_or_else(|| wrong("it is no multiaddr like /ip4/192.0.2.1/tcp/4001/p2p/12D3…"))?;
    match parsed.iter().last() {
        Some(Protocol::P2p(id)) => {
            let peer = PeerKey::from_peer_id(&id).ok_or_else(|| wrong("its peer id is not of an Ed25519 key"))?;
            Ok((peer, parsed.to_string()))
        }
        _ => Err(wrong("it doesn't end in /p2p/ and the peer's id")),
    }
}

fn multiaddr(address: &str) -> Option<Multiaddr> {
    if address.len() > MAX_ADDRESS_BYTES { None } else { Multiaddr::from_str(address).ok() }
}

/// What the node is to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A personal node: gossips, and opens a custody stream to every peer.
    Node,
    /// A relay: takes part in no chat's gossip and only serves streams.
    Relay,
}

/// Which of a peer's two custody streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The one we opened: requests go out, replies come in.
    Client,
    /// The one the peer opened: requests come in, replies go out.
    Server,
}

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

/// Bytes from a peer. While it lives it counts against [`NetLimits::inbound_bytes`], so drop it when done.
pub struct Payload {
    bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Bytes of one permit of the semaphore behind [`NetLimits::inbound_bytes`]; each payload takes one more, for its event.
const ROOM_UNIT: usize = 256;

impl Payload {
    fn units(bytes: &[u8]) -> u32 {
        u32::try_from(bytes.len() / ROOM_UNIT + 1).unwrap_or(u32::MAX)
    }

    async fn wait(bytes: Vec<u8>, room: &Arc<Semaphore>) -> Option<Self> {
        let room = room.clone().acquire_many_owned(Self::units(&bytes)).await.ok()?;
        Some(Self { bytes: bytes.into(), _room: Some(room) })
    }

    fn try_now(bytes: Vec<u8>, room: &Arc<Semaphore>) -> Option<Self> {
        let room = room.clone().try_acquire_many_owned(Self::units(&bytes)).ok()?;
        Some(Self { bytes: bytes.into(), _room: Some(room) })
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Vec<u8>> for Payload {
    /// Bytes that no peer sent and no bound counts, for tests of the core.
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), _room: None }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.bytes.len())
    }
}

/// What the core thinks of a gossip message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// Valid: pass it on.
    Accept,
    /// Invalid: drop it, the peer pays for it.
    Reject,
    /// Of no use: drop it.
    Ignore,
}

/// What became of a publication. None of them promises delivery; that is custody's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishOutcome {
    /// At least one peer's queue took it.
    Published,
    /// No connected peer is subscribed to the topic, or this node doesn't gossip.
    NoPeers,
    /// No queue had room. It never goes out by gossip: send it by a custody stream.
    QueuesFull,
    /// The same bytes were seen in the last 30 s.
    Duplicate,
    /// Larger than [`MAX_GOSSIP_BYTES`].
    TooLarge,
}

/// Why no connection to a peer came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialFailure {
    /// None of the addresses can be dialled, or none was given.
    #[error("no usable address is known")]
    NoAddress,
    /// Nobody answered at any address.
    #[error("no address answered")]
    Unreachable,
    /// Somebody else answered.
    #[error("another peer answered at the address")]
    WrongPeer,
    /// This node's limits, or a ban, forbid it at present.
    #[error("this node's connection limits or a temporary ban forbid it")]
    Refused,
    /// The peer is this node itself.
    #[error("the address is this node's own")]
    Myself,
}

/// What the core asks of the network.
#[derive(Debug)]
pub enum NetCommand {
    /// Connects to a peer; nothing happens if it is connected or being dialled. Ends in `Connected` or `DialFailed`.
    Dial {
        /// The peer, and only it: another one that answers is hung up on.
        peer: PeerKey,
        /// Multiaddrs, with or without `/p2p/…`; at most [`MAX_DIAL_ADDRESSES`], each at most [`MAX_ADDRESS_BYTES`].
        addrs: Vec<String>,
    },
    /// Queues a frame on the stream that is open at present. Without one it is dropped; if the queue is full the stream is closed.
    Send {
        /// The peer.
        peer: PeerKey,
        /// Which of its streams.
        side: Side,
        /// At most [`MAX_FRAME_BYTES`].
        frame: Bytes,
    },
    /// Joins a topic's gossip; every connected node learns that we did.
    Subscribe {
        /// The topic's key.
        topic: [u8; 32],
    },
    /// Leaves it.
    Unsubscribe {
        /// The topic's key.
        topic: [u8; 32],
    },
    /// Publishes to who is connected and subscribed right now; a late joiner gets nothing of before.
    Publish {
        /// The topic's key.
        topic: [u8; 32],
        /// At most [`MAX_GOSSIP_BYTES`].
        data: Bytes,
        /// Learns what became of it; may be dropped.
        outcome: oneshot::Sender<PublishOutcome>,
    },
    /// Passes a gossip message on, or not. Due within 5 s.
    Verdict {
        /// Who it came from.
        peer: PeerKey,
        /// Its id.
        id: [u8; 16],
        /// The verdict.
        acceptance: Acceptance,
    },
    /// Closes all connections to the peer.
    Disconnect {
        /// The peer.
        peer: PeerKey,
    },
    /// Counts an offence that the core saw; four within minutes and the peer is disconnected and refused for a while.
    Penalise {
        /// The peer.
        peer: PeerKey,
    },
    /// Stops the network; the event channel ends.
    Shutdown,
}

/// What the network tells the core. For the order of a peer's events see the invariants in `peer.rs`.
#[derive(Debug)]
pub enum NetEvent {
    /// The first connection to the peer is up.
    Connected {
        /// The peer.
        peer: PeerKey,
    },
    /// The last connection to the peer is gone.
    Disconnected {
        /// The peer.
        peer: PeerKey,
    },
    /// No connection came about.
    DialFailed {
        /// The peer.
        peer: PeerKey,
        /// Why.
        reason: DialFailure,
    },
    /// A custody stream is open in both directions; on the client side, the peer has acknowledged it.
    StreamOpen {
        /// The peer.
        peer: PeerKey,
        /// Which stream.
        side: Side,
    },
    /// It ended. A client stream is opened again by itself.
    StreamClosed {
        /// The peer.
        peer: PeerKey,
        /// Which stream.
        side: Side,
    },
    /// A frame arrived.
    Frame {
        /// The peer.
        peer: PeerKey,
        /// On which stream.
        side: Side,
        /// The frame.
        bytes: Payload,
    },
    /// A gossip message arrived; it goes no further before a [`NetCommand::Verdict`].
    Gossip {
        /// Who passed it on, not who wrote it.
        peer: PeerKey,
        /// The topic's key.
        topic: [u8; 32],
        /// Its id: the first 16 bytes of the data's BLAKE3 hash.
        id: [u8; 16],
        /// The data.
        data: Payload,
    },
    /// A connected peer joined or left a topic's gossip.
    GossipPeer {
        /// The peer.
        peer: PeerKey,
        /// The topic's key.
        topic: [u8; 32],
        /// Whether it joined.
        subscribed: bool,
    },
    /// A new address to be reached at, ending in `/p2p/…`.
    ListenAddr(String),
}

/// Why the network can't start or be commanded.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The transport key is unusable.
    #[error("the transport key can't be used; restore the data directory from a backup")]
    Identity,
    /// The transports can't be set up.
    #[error("the network can't be set up: {reason}")]
    Transport {
        /// What the system said.
        reason: String,
    },
    /// An address can't be used.
    #[error("the address {address} can't be used: {reason}")]
    Address {
        /// The address.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address can't be listened on.
    #[error("can't listen on {address}: {reason}; choose a free port or another address")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// The inbox is full; try again after taking events.
    #[error("the network is busy")]
    Busy,
    /// The network has stopped.
    #[error("the network has stopped")]
    Stopped,
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
    let NetConfig { identity, listen, role, limits } = config;
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
async fn bind(swarm: &mut libp2p::Swarm<behaviour::Wire>, listen: &[String], id: PeerId) -> Result<Vec<String>, NetError> {
    let mut waiting = Vec::new();
    for address in listen {
        let parsed = multiaddr(address)
            .ok_or_else(|| NetError::Address { address: address.clone(), reason: "it is no multiaddr like /ip4/0.0.0.0/tcp/4001".into() })?;
        let refused = |error: &dyn fmt::Display| NetError::Listen { address: address.clone(), reason: error.to_string() };
        waiting.push((swarm.listen_on(parsed).map_err(|error| refused(&error))?, address));
    }
    let mut bound = Vec::new();
    let deadline = tokio::time::Instant::now() + limits::LISTEN_DEADLINE;
    while let Some((_, first)) = waiting.first() {
        let late = |reason: &str| NetError::Listen { address: (*first).clone(), reason: reason.into() };
        let event = tokio::time::timeout_at(deadline, swarm.select_next_some()).await.map_err(|_| late("no interface took it"))?;
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                bound.push(address.with(Protocol::P2p(id)).to_string());
                waiting.retain(|(waits, _)| *waits != listener_id);
            }
            SwarmEvent::ListenerError { error, .. } => return Err(late(&error.to_string())),
            SwarmEvent::ListenerClosed { reason, .. } => {
                return Err(late(&reason.err().map_or_else(|| "it closed".into(), |error| error.to_string())));
            }
            _ => {}
        }
    }
    Ok(bound)
}
