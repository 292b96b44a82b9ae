//! Bounds of the network: unit, reason, source. Those of [`NetLimits`] can be set by the caller, the others are fixed.

use std::time::Duration;

/// Bytes of one custody frame after its prefix (the custody protocol's frame bound).
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;
/// Bytes of one gossip message: an encoded envelope (DESIGN §2.2).
pub const MAX_GOSSIP_BYTES: usize = 64 * 1024;
/// Addresses of one dial (guess: more only multiply attempts); further ones are left out.
pub const MAX_DIAL_ADDRESSES: usize = 16;
/// Bytes of a multiaddr as text.
pub const MAX_ADDRESS_BYTES: usize = 256;

/// Bytes of a gossip RPC, hence of gossipsub's receive buffer, which it counts whole: it has to hold one message and the
/// next read's 8 KiB (our cap + 16 KiB, or bursts kill the stream), a hello of [`NetLimits::max_topics`] topics at 72 bytes
/// (144 KB) and a full IHAVE of [`MAX_CONTROL_IDS`] (90 KB).
pub(super) const MAX_RPC_BYTES: usize = 256 * 1024;
/// Bytes of control messages in one RPC (DESIGN §2.2; the default of 16 KiB loses a hello of 200 topics whole).
pub(super) const MAX_CONTROL_BYTES: usize = 1024 * 1024;
/// Ids in an IHAVE or IWANT (gossipsub's default); at 18 bytes each they fit [`MAX_RPC_BYTES`].
pub(super) const MAX_CONTROL_IDS: usize = 5_000;
/// Messages queued for one gossip peer: 64 MiB at worst, 1 MiB at 1 KB (guess). When full, publishing says so.
pub(super) const GOSSIP_QUEUE: usize = 1_024;
/// How long an id counts as seen: well beyond the 5 heartbeats of history, and half the default's memory in a flood.
pub(super) const GOSSIP_SEEN: Duration = Duration::from_secs(30);
/// Subscription changes that a peer may make at once, in shares of [`NetLimits::max_topics`], and per second after (guess).
pub(super) const TOPIC_BURST: usize = 2;
/// See [`TOPIC_BURST`].
pub(super) const TOPIC_CHANGES_PER_SECOND: f64 = 50.0;

/// Commands in the Swarm task's inbox; the sender waits when it is full.
pub(super) const COMMANDS: usize = 1_024;
/// Commands taken before the Swarm gets its turn again (guess).
pub(super) const COMMAND_BATCH: usize = 256;
/// Events in the core's inbox. When it is full stream readers wait, gossip is dropped, see also [`BACKLOG`].
pub(super) const EVENTS: usize = 1_024;
/// Dial failures and listen addresses that wait for room in the core's inbox; the oldest is dropped beyond it.
pub(super) const BACKLOG: usize = 1_024;
/// Streams and subscription changes that wait for a peer's task; beyond it the stream is dropped (its opener tries again)
/// or the peer disconnected. Above a hello of all topics.
pub(super) const PEER_INBOX: usize = 4_096;
/// Offences that wait for the Swarm task; beyond it they go unpunished, though counted.
pub(super) const OFFENCES: usize = 256;

/// Bytes that a stream's writer gathers before it writes and flushes once (DESIGN §2.2: 64–256 KiB).
pub(super) const WRITE_BATCH_BYTES: usize = 256 * 1024;
/// Bytes of a reader's buffer while data flows.
pub(super) const READ_CHUNK_BYTES: usize = 64 * 1024;
/// Bytes of a reader's buffer while it waits: a relay holds thousands of idle streams (budget: 15 kB a connection over bare).
pub(super) const READ_IDLE_BYTES: usize = 256;
/// Bytes a second below which a frame counts as stalled, once its base deadline has passed (guess: a poor mobile link).
pub(super) const SLOWEST_BYTES_PER_SECOND: usize = 8 * 1024;
/// Delays between attempts to open a stream, doubled from the first to the second, each jittered by half (guess).
pub(super) const REOPEN_DELAY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));
/// A stream that lived this long starts the delays anew (guess).
pub(super) const REOPEN_RESET: Duration = Duration::from_secs(10);

/// How long a connection without any stream lives: longer than [`REOPEN_DELAY`], or the default of 10 s closes it between attempts.
pub(super) const IDLE_CONNECTION: Duration = Duration::from_secs(60);
/// Time between pings, and to answer one; a miss closes the connection (budget: 5 MB a day for an idle node).
pub(super) const PING: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(30));
/// QUIC keep-alive, below the 30 s for which common NATs keep a UDP mapping, and idle timeout in milliseconds: for so long a relay that
/// was killed and came back goes unnoticed, since libp2p's QUIC draws its connection ids anew and so sends no stateless reset.
pub(super) const QUIC_KEEP_ALIVE: (Duration, u32) = (Duration::from_secs(20), 30_000);
/// Bytes in flight on a QUIC stream and connection, which bound what sparse or unread streams can hold (guess: 10 MB/s at 100 ms).
pub(super) const QUIC_WINDOWS: (u32, u32) = (1024 * 1024, 4 * 1024 * 1024);
/// Streams of one connection; custody, gossip and ping need about ten (guess).
pub(super) const CONNECTION_STREAMS: u32 = 64;
/// How long `start` waits for a listener to say its address.
pub(super) const LISTEN_DEADLINE: Duration = Duration::from_secs(5);

/// How long a closing network waits for its queues to be written, and then for what the transports hold of them (guesses: a slow peer
/// finds the rest by its cursor; some round trips).
pub(super) const CLOSE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_millis(200));
/// Time between looks at whether a closing network is done.
pub(super) const CLOSE_LOOK: Duration = Duration::from_millis(5);
/// Offence points at which a peer is banned, and that it is forgiven a minute (guess).
pub(super) const BAN_POINTS: (f64, f64) = (100.0, 10.0);
/// Peers whose offences or bans are remembered; the mildest is forgotten beyond it.
pub(super) const REMEMBERED_OFFENDERS: usize = 4_096;
/// Time between looks at gossip scores and expired bans: no longer than a score takes to decay once.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// The bounds a caller can set.
#[derive(Clone, Debug, PartialEq)]
pub struct NetLimits {
    /// Established connections, both directions.
    pub max_connections: u32,
    /// Established connections of one peer: both dial at once, over two transports.
    pub max_per_peer: u32,
    /// Inbound connections, handshakes included, of one IPv4 address or IPv6 /64.
    pub max_per_address: u32,
    /// Whether that holds for loopback too, whose processes are the user's own.
    pub limit_loopback: bool,
    /// Connections in their handshake, per direction.
    pub max_pending: u32,
    /// Share of the machine's memory, 0 to 1, above which no connection is added.
    pub max_memory_share: f64,
    /// How long a frame that began may take, with a second more for each 8 KiB, to be read or written.
    pub frame_deadline: Duration,
    /// How long a stream's opener waits for the acknowledgement, and its acceptor to write it.
    pub open_deadline: Duration,
    /// Bytes queued for one stream; a send beyond it closes the stream.
    pub queue_bytes: usize,
    /// Bytes of frames and gossip that wait for the core, over all peers; readers wait and gossip is dropped beyond it.
    pub inbound_bytes: usize,
    /// Gossip topics of a peer, and of this node.
    pub max_topics: usize,
    /// How long a peer that offended too much is refused.
    pub ban: Duration,
}

impl NetLimits {
    /// Bounds of a personal node (guesses, but for the topics: cost grows with topics × peers, DESIGN §2.2).
    #[must_use]
    pub fn node() -> Self {
        Self {
            max_connections: 256,
            max_per_peer: 4,
            max_per_address: 32,
            limit_loopback: false,
            max_pending: 64,
            max_memory_share: 0.8,
            frame_deadline: Duration::from_secs(30),
            open_deadline: Duration::from_secs(10),
            queue_bytes: 8 * 1024 * 1024,
            inbound_bytes: 32 * 1024 * 1024,
            max_topics: 2_000,
            ban: Duration::from_secs(600),
        }
    }

    /// Bounds of a relay: as a node's, for many more connections (DESIGN §12: 10,000 watchers) and carrier-grade NATs.
    #[must_use]
    pub fn relay() -> Self {
        Self {
            max_connections: 16_384,
            max_per_address: 256,
            max_pending: 512,
            ..Self::node()
        }
    }
}
