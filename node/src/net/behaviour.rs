//! What the Swarm is made of: transports, limits, gossip, custody streams, and every gossipsub default that had to change.

use std::io;
use std::time::Duration;

use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::gossipsub::{
    self, ConfigBuilder, DataTransform, MaxCountSubscriptionFilter, Message, MessageAuthenticity, MessageId,
    PeerScoreParams, PeerScoreThresholds, RawMessage, TopicHash, TopicSubscriptionFilter, ValidationMode,
};
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{Swarm, SwarmBuilder, memory_connection_limits, noise, ping, quic, tcp, yamux};

use super::boxed::Boxed;
use super::gate::Gate;
use super::limits::{
    CONNECTION_STREAMS, GOSSIP_QUEUE, GOSSIP_SEEN, IDLE_CONNECTION, MAX_CONTROL_BYTES, MAX_CONTROL_IDS,
    MAX_GOSSIP_BYTES, MAX_RPC_BYTES, NetLimits, PING, QUIC_KEEP_ALIVE, QUIC_WINDOWS,
};
use super::{NetError, Role};

/// Gossip with our filter and size cap.
pub(super) type Gossip = gossipsub::Behaviour<SizeCap, MaxCountSubscriptionFilter<TopicNames>>;

/// The Swarm.
pub(super) type Host = Swarm<Boxed<Wire>>;

/// All behaviours. The ones that refuse connections come first, so that the others never learn of a refused one. `identify` isn't among
/// them: addresses and abilities are told inside chats, and its handler is the largest of all.
#[derive(NetworkBehaviour)]
pub(super) struct Wire {
    pub(super) gate: Gate,
    limits: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    ping: ping::Behaviour,
    pub(super) gossip: Toggle<Boxed<Gossip>>,
    pub(super) streams: libp2p_stream::Behaviour,
}

/// TCP and QUIC; a macro because the builder's type can't be named.
macro_rules! base {
    ($key:expr) => {
        SwarmBuilder::with_existing_identity($key.clone())
            .with_tokio()
            .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux_config)
            .map_err(transport)?
            .with_quic_config(quic_config)
    };
}

/// Builds the Swarm; it listens nowhere yet.
pub(super) fn build(key: &Keypair, role: Role, limits: &NetLimits) -> Result<Host, NetError> {
    let wire = || wire(role, limits).map(Boxed);
    match base!(key).with_dns() {
        Ok(builder) => Ok(builder
            .with_behaviour(|_| wire())
            .map_err(transport)?
            .with_swarm_config(swarm_config)
            .build()),
        Err(error) => {
            // A machine without a resolver still talks on its network.
            tracing::warn!(%error, "names can't be resolved; only numeric addresses are dialled");
            Ok(base!(key)
                .with_behaviour(|_| wire())
                .map_err(transport)?
                .with_swarm_config(swarm_config)
                .build())
        }
    }
}

fn transport(error: impl std::fmt::Display) -> NetError {
    NetError::Transport {
        reason: error.to_string(),
    }
}

fn yamux_config() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(CONNECTION_STREAMS as usize);
    config
}

fn quic_config(mut config: quic::Config) -> quic::Config {
    (config.keep_alive_interval, config.max_idle_timeout) = QUIC_KEEP_ALIVE;
    (config.max_stream_data, config.max_connection_data) = QUIC_WINDOWS;
    config.max_concurrent_stream_limit = CONNECTION_STREAMS;
    config
}

fn swarm_config(config: libp2p::swarm::Config) -> libp2p::swarm::Config {
    config
        .with_idle_connection_timeout(IDLE_CONNECTION)
        .with_max_negotiating_inbound_streams(CONNECTION_STREAMS as usize)
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn wire(role: Role, limits: &NetLimits) -> Result<Wire, BoxError> {
    let connections = ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits.max_pending))
        .with_max_pending_outgoing(Some(limits.max_pending))
        .with_max_established(Some(limits.max_connections))
        .with_max_established_per_peer(Some(limits.max_per_peer));
    Ok(Wire {
        gate: Gate::new(limits.max_per_address, limits.limit_loopback),
        limits: connection_limits::Behaviour::new(connections),
        memory: memory_connection_limits::Behaviour::with_max_percentage(limits.max_memory_share),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(PING.0).with_timeout(PING.1)),
        // A relay joins no chat's gossip: chats reach it by deposit and watch.
        gossip: Toggle::from(if role == Role::Node {
            Some(Boxed(gossip(limits)?))
        } else {
            None
        }),
        streams: libp2p_stream::Behaviour::new(),
    })
}

fn gossip(limits: &NetLimits) -> Result<Gossip, BoxError> {
    let config = ConfigBuilder::default()
        // The envelope is signed already, and a signature by the transport key would tell strangers who wrote.
        .validation_mode(ValidationMode::Anonymous)
        // Nothing spreads before the core has verified it. Its verdict counts within 5 heartbeats (the history's length).
        .validate_messages()
        // 16 bytes: with the default's long ids an IHAVE passes 16 KB, which kills the stream silently.
        .message_id_fn(message_id)
        .max_control_messages_sent(MAX_CONTROL_IDS)
        // The default of 16 KB loses a hello of more than 200 topics whole, and IHAVEs as above.
        .max_control_message_size(MAX_CONTROL_BYTES)
        // The default of 64 KiB is compared with the whole receive buffer, so bursts of large messages kill the stream;
        // it bounds hellos and IHAVEs too, whatever the control limit says. `SizeCap` keeps messages at their own bound.
        .max_transmit_size(MAX_RPC_BYTES)
        // A slow peer holds at most this many messages; when all are full `publish` says so, and the message never
        // goes out by gossip: its retry would say `Duplicate`.
        .connection_handler_queue_len(GOSSIP_QUEUE)
        .duplicate_cache_time(GOSSIP_SEEN)
        .build()?;
    // The default filter ignores the subscriptions of a peer with more than 100 topics. Both counts, since the
    // cost is topics times peers in each heartbeat.
    let filter = MaxCountSubscriptionFilter {
        filter: TopicNames,
        max_subscribed_topics: limits.max_topics,
        max_subscriptions_per_request: limits.max_topics,
    };
    let mut gossip =
        Gossip::new_with_subscription_filter_and_transform(MessageAuthenticity::Anonymous, config, filter, SizeCap)?;
    gossip.with_peer_score(scoring(), PeerScoreThresholds::default())?;
    Ok(gossip)
}

/// The score below which gossipsub ignores a peer; the Swarm task then bans it.
pub(super) fn graylist() -> f64 {
    PeerScoreThresholds::default().graylist_threshold
}

/// Scores for misbehaviour only: GRAFTs during backoff and IHAVE promises not kept.
fn scoring() -> PeerScoreParams {
    PeerScoreParams {
        // Many peers behind one address are a household or a carrier's NAT; the gate bounds their number.
        ip_colocation_factor_weight: 0.0,
        // A slow peer is not a bad one.
        slow_peer_weight: 0.0,
        // A few broken promises happen under load; the ninth within some seconds means the graylist.
        behaviour_penalty_weight: -10.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: 0.9,
        retain_score: Duration::from_secs(60),
        ..PeerScoreParams::default()
    }
}

/// The id of a gossip message: the first 16 bytes of its BLAKE3 hash.
fn message_id(message: &Message) -> MessageId {
    let hash = blake3::hash(&message.data);
    MessageId::new(hash.as_bytes().first_chunk::<16>().map_or(&[], |id| id.as_slice()))
}

/// The name of a topic: its key in lower-case hex.
pub(super) fn topic_hash(topic: &[u8; 32]) -> TopicHash {
    TopicHash::from_raw(hex::encode(topic))
}

/// The key that a topic's name stands for.
pub(super) fn topic_key(name: &TopicHash) -> Option<[u8; 32]> {
    let name = name.as_str();
    if name.len() != 64 || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut key = [0; 32];
    hex::decode_to_slice(name, &mut key).ok().map(|()| key)
}

/// Lets topics pass whose names are keys, so that a peer can't store long names here.
pub(super) struct TopicNames;

impl TopicSubscriptionFilter for TopicNames {
    fn can_subscribe(&mut self, name: &TopicHash) -> bool {
        topic_key(name).is_some()
    }
}

/// Refuses messages over our cap, which is below what an RPC may hold.
pub(super) struct SizeCap;

impl SizeCap {
    fn check(data: Vec<u8>) -> io::Result<Vec<u8>> {
        if data.len() > MAX_GOSSIP_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "message over the limit"));
        }
        Ok(data)
    }
}

impl DataTransform for SizeCap {
    fn inbound_transform(&self, raw: RawMessage) -> io::Result<Message> {
        Ok(Message {
            source: raw.source,
            data: Self::check(raw.data)?,
            sequence_number: raw.sequence_number,
            topic: raw.topic,
        })
    }

    fn outbound_transform(&self, _: &TopicHash, data: Vec<u8>) -> io::Result<Vec<u8>> {
        Self::check(data)
    }
}
