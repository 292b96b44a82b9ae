//! What goes through the network's channels: peers, commands, events, errors.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use libp2p::PeerId;
use libp2p::bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

#[cfg(doc)]
use super::{MAX_ADDRESS_BYTES, MAX_DIAL_ADDRESSES, MAX_FRAME_BYTES, MAX_GOSSIP_BYTES, NetLimits};

/// A peer: its Ed25519 transport key. Shown as hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerKey(pub [u8; 32]);

/// What precedes an Ed25519 key in a peer id: the identity multihash of its protobuf (libp2p peer-ids specification).
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

impl PeerKey {
    pub(super) fn peer_id(&self) -> Option<PeerId> {
        PeerId::from_bytes(&[PEER_ID_PREFIX.as_slice(), &self.0].concat()).ok()
    }

    /// `None` for keys of other kinds, which nobody here has.
    pub(super) fn from_peer_id(id: &PeerId) -> Option<Self> {
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

/// Bytes from a peer. While it lives it counts against [`NetLimits::inbound_bytes`], so drop it when done.
pub struct Payload {
    bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Bytes of one permit of the semaphore behind [`NetLimits::inbound_bytes`]; each payload takes one more, for its event.
pub(super) const ROOM_UNIT: usize = 256;

impl Payload {
    fn units(bytes: &[u8]) -> u32 {
        u32::try_from(bytes.len() / ROOM_UNIT + 1).unwrap_or(u32::MAX)
    }

    pub(super) async fn wait(bytes: Vec<u8>, room: &Arc<Semaphore>) -> Option<Self> {
        let room = room.clone().acquire_many_owned(Self::units(&bytes)).await.ok()?;
        Some(Self {
            bytes: bytes.into(),
            _room: Some(room),
        })
    }

    pub(super) fn try_now(bytes: Vec<u8>, room: &Arc<Semaphore>) -> Option<Self> {
        let room = room.clone().try_acquire_many_owned(Self::units(&bytes)).ok()?;
        Some(Self {
            bytes: bytes.into(),
            _room: Some(room),
        })
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
        Self {
            bytes: bytes.into(),
            _room: None,
        }
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
    /// Queues a frame on a stream. If that one is no longer open it is dropped; if the queue is full the stream is closed.
    Send {
        /// The peer.
        peer: PeerKey,
        /// Which of its streams.
        side: Side,
        /// The number that `StreamOpen` told.
        stream: u64,
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
    /// Takes no connection more, sends what is queued, closes and stops; the event channel ends.
    Close,
    /// Stops the network at once; the event channel ends.
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
        /// Its number, never used again.
        stream: u64,
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
