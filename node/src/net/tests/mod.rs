//! Real nodes on loopback, and raw libp2p peers that misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{Multiaddr, StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use libp2p_stream::Control;
use tokio::sync::oneshot;

use super::*;

mod abuse;
mod gossip;
mod streams;

const ALICE: u8 = 1;
const BOB: u8 = 2;
const CAROL: u8 = 3;
const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
const PATIENCE: Duration = Duration::from_secs(30);

struct Node {
    handle: NetHandle,
    events: mpsc::Receiver<NetEvent>,
    streams: HashMap<(PeerKey, Side), u64>,
}

async fn node(seed: u8, listen: &str) -> Node {
    node_with(seed, listen, Role::Node, |_| {}).await
}

async fn node_with(seed: u8, listen: &str, role: Role, adjust: impl FnOnce(&mut NetLimits)) -> Node {
    let mut limits = NetLimits::node();
    // Machines that run tests are often short of memory; none of these is about that.
    limits.max_memory_share = 1.0;
    adjust(&mut limits);
    let config = NetConfig {
        identity: Zeroizing::new([seed; 32]),
        listen: vec![listen.into()],
        role,
        limits,
    };
    let (handle, events) = start(config).await.unwrap();
    Node {
        handle,
        events,
        streams: HashMap::new(),
    }
}

impl Node {
    fn key(&self) -> PeerKey {
        self.handle.local()
    }

    async fn command(&self, command: NetCommand) {
        self.handle.command(command).await.unwrap();
    }

    async fn dial(&self, other: &Node) {
        self.command(NetCommand::Dial {
            peer: other.key(),
            addrs: other.handle.listen_addrs(),
        })
        .await;
    }

    async fn send(&self, peer: PeerKey, side: Side, frame: impl Into<Bytes>) {
        let stream = self.streams.get(&(peer, side)).copied().unwrap_or_default();
        self.command(NetCommand::Send {
            peer,
            side,
            stream,
            frame: frame.into(),
        })
        .await;
    }

    async fn publish(&self, topic: [u8; 32], data: &'static [u8]) -> PublishOutcome {
        let (outcome, answer) = oneshot::channel();
        self.command(NetCommand::Publish {
            topic,
            data: Bytes::from_static(data),
            outcome,
        })
        .await;
        answer.await.unwrap()
    }

    /// Takes events until one fits.
    async fn until<T>(&mut self, what: &str, mut fits: impl FnMut(NetEvent) -> Option<T>) -> T {
        let search = async {
            loop {
                let event = self
                    .events
                    .recv()
                    .await
                    .unwrap_or_else(|| panic!("{what}: the network stopped"));
                if let NetEvent::StreamOpen { peer, side, stream } = &event {
                    self.streams.insert((*peer, *side), *stream);
                }
                if let Some(found) = fits(event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search)
            .await
            .unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
    }

    async fn open(&mut self, side: Side) {
        self.until("a stream opens", |event| {
            matches!(event, NetEvent::StreamOpen { side: s, .. } if s == side).then_some(())
        })
        .await;
    }

    async fn both_open(&mut self) {
        let mut open = 0;
        self.until("both streams open", |event| {
            open += usize::from(matches!(event, NetEvent::StreamOpen { .. }));
            (open == 2).then_some(())
        })
        .await;
    }

    async fn frame(&mut self) -> (Side, Vec<u8>) {
        self.until("a frame", |event| match event {
            NetEvent::Frame { side, bytes, .. } => Some((side, bytes.to_vec())),
            _ => None,
        })
        .await
    }

    async fn joins(&mut self, count: usize) {
        let mut seen = 0;
        self.until("peers join topics", |event| {
            seen += usize::from(matches!(event, NetEvent::GossipPeer { subscribed: true, .. }));
            (seen == count).then_some(())
        })
        .await;
    }

    async fn gossip(&mut self) -> (PeerKey, [u8; 16], Vec<u8>) {
        self.until("gossip", |event| match event {
            NetEvent::Gossip { peer, id, data, .. } => Some((peer, id, data.to_vec())),
            _ => None,
        })
        .await
    }

    /// Waits until a counter has moved.
    async fn counted(&self, what: &str, read: impl Fn(NetStats) -> u64) {
        let poll = async {
            while read(self.handle.stats()) == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, poll)
            .await
            .unwrap_or_else(|_| panic!("{what}: not counted"));
    }
}

/// A peer that speaks libp2p and no more: what it does with a stream is the test's affair.
fn raw(victim: &Node) -> Control {
    let mut swarm: Swarm<libp2p_stream::Behaviour> = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_quic()
        .with_behaviour(|_| libp2p_stream::Behaviour::new())
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
        .build();
    let control = swarm.behaviour().new_control();
    swarm
        .dial(victim.handle.listen_addrs()[0].parse::<Multiaddr>().unwrap())
        .unwrap();
    tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    control
}

/// A custody stream of a raw peer, acknowledged.
async fn raw_stream(control: &mut Control, victim: &Node) -> libp2p::Stream {
    let mut stream = control
        .open_stream(victim.key().peer_id().unwrap(), stream::CUSTODY)
        .await
        .unwrap();
    let mut accepted = [0];
    stream.read_exact(&mut accepted).await.unwrap();
    assert_eq!(accepted, [1]);
    stream
}

/// Whether the other side has closed the stream.
async fn ends(stream: &mut libp2p::Stream) -> bool {
    let mut byte = [0];
    matches!(
        tokio::time::timeout(PATIENCE, stream.read(&mut byte)).await,
        Ok(Ok(0) | Err(_))
    )
}
