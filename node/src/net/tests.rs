//! Real nodes on loopback, and raw libp2p peers that misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use libp2p_stream::Control;

use super::*;

const ALICE: u8 = 1;
const BOB: u8 = 2;
const CAROL: u8 = 3;
const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
const PATIENCE: Duration = Duration::from_secs(30);

struct Node {
    handle: NetHandle,
    events: mpsc::Receiver<NetEvent>,
}

async fn node(seed: u8, listen: &str) -> Node {
    node_with(seed, listen, Role::Node, |_| {}).await
}

async fn node_with(seed: u8, listen: &str, role: Role, adjust: impl FnOnce(&mut NetLimits)) -> Node {
    let mut limits = NetLimits::node();
    // Machines that run tests are often short of memory; none of these is about that.
    limits.max_memory_share = 1.0;
    adjust(&mut limits);
    let config = NetConfig { identity: Zeroizing::new([seed; 32]), listen: vec![listen.into()], role, limits };
    let (handle, events) = start(config).await.unwrap();
    Node { handle, events }
}

impl Node {
    fn key(&self) -> PeerKey {
        self.handle.local()
    }

    async fn command(&self, command: NetCommand) {
        self.handle.command(command).await.unwrap();
    }

    async fn dial(&self, other: &Node) {
        self.command(NetCommand::Dial { peer: other.key(), addrs: other.handle.listen_addrs() }).await;
    }

    async fn send(&self, peer: PeerKey, side: Side, frame: impl Into<Bytes>) {
        self.command(NetCommand::Send { peer, side, frame: frame.into() }).await;
    }

    async fn publish(&self, topic: [u8; 32], data: &'static [u8]) -> PublishOutcome {
        let (outcome, answer) = oneshot::channel();
        self.command(NetCommand::Publish { topic, data: Bytes::from_static(data), outcome }).await;
        answer.await.unwrap()
    }

    /// Takes events until one fits.
    async fn until<T>(&mut self, what: &str, mut fits: impl FnMut(NetEvent) -> Option<T>) -> T {
        let search = async {
            loop {
                let event = self.events.recv().await.unwrap_or_else(|| panic!("{what}: the network stopped"));
                if let Some(found) = fits(event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
    }

    async fn open(&mut self, side: Side) {
        self.until("a stream opens", |event| matches!(event, NetEvent::StreamOpen { side: s, .. } if s == side).then_some(())).await;
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
        tokio::time::timeout(PATIENCE, poll).await.unwrap_or_else(|_| panic!("{what}: not counted"));
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
    swarm.dial(victim.handle.listen_addrs()[0].parse::<Multiaddr>().unwrap()).unwrap();
    tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    control
}

/// A custody stream of a raw peer, acknowledged.
async fn raw_stream(control: &mut Control, victim: &Node) -> libp2p::Stream {
    let mut stream = control.open_stream(victim.key().peer_id().unwrap(), stream::CUSTODY).await.unwrap();
    let mut accepted = [0];
    stream.read_exact(&mut accepted).await.unwrap();
    assert_eq!(accepted, [1]);
    stream
}

/// Whether the other side has closed the stream.
async fn ends(stream: &mut libp2p::Stream) -> bool {
    let mut byte = [0];
    matches!(tokio::time::timeout(PATIENCE, stream.read(&mut byte)).await, Ok(Ok(0) | Err(_)))
}

async fn exchange(listen: &str) {
    let (mut alice, mut bob) = (node(ALICE, listen).await, node(BOB, listen).await);
    alice.dial(&bob).await;
    tokio::join!(alice.both_open(), bob.both_open());
    alice.send(bob.key(), Side::Client, "ask").await;
    assert_eq!(bob.frame().await, (Side::Server, b"ask".to_vec()));
    bob.send(alice.key(), Side::Server, "reply").await;
    assert_eq!(alice.frame().await, (Side::Client, b"reply".to_vec()));
    bob.send(alice.key(), Side::Client, vec![7; MAX_FRAME_BYTES]).await;
    assert_eq!(alice.frame().await, (Side::Server, vec![7; MAX_FRAME_BYTES]));
    alice.send(bob.key(), Side::Server, Bytes::new()).await;
    assert_eq!(bob.frame().await, (Side::Client, vec![]));
}

#[tokio::test]
async fn frames_go_both_ways_over_tcp() {
    exchange(TCP).await;
}

#[tokio::test]
async fn frames_go_both_ways_over_quic() {
    exchange(QUIC).await;
}

#[tokio::test]
async fn a_relay_serves_streams_and_opens_none() {
    let mut relay = node_with(ALICE, TCP, Role::Relay, |_| {}).await;
    let mut bob = node(BOB, TCP).await;
    bob.dial(&relay).await;
    tokio::join!(relay.open(Side::Server), bob.open(Side::Client));
    bob.send(relay.key(), Side::Client, "deposit").await;
    assert_eq!(relay.frame().await, (Side::Server, b"deposit".to_vec()));
    assert_eq!(relay.publish([9; 32], b"x").await, PublishOutcome::NoPeers);
    // On the server side of the peer that has none, a frame is counted and gone.
    bob.send(relay.key(), Side::Server, "lost").await;
    bob.counted("an unsent frame", |stats| stats.unsent_frames).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_frames_arrive_in_order_at_a_reader_that_pauses() {
    const FRAMES: u32 = 20_000;
    const WINDOW: u32 = 10_000; // 3 MB: under the queue's bound, far over what the paused reader's inbox takes
    let (mut alice, mut bob) = (node(ALICE, TCP).await, node(BOB, TCP).await);
    alice.dial(&bob).await;
    tokio::join!(alice.both_open(), bob.both_open());
    for start in (0..FRAMES).step_by(WINDOW as usize) {
        for number in start..start + WINDOW {
            let mut frame = vec![0; 300];
            frame[..4].copy_from_slice(&number.to_be_bytes());
            alice.send(bob.key(), Side::Client, frame).await;
        }
        assert!(bob.events.len() <= limits::EVENTS);
        for number in start..start + WINDOW {
            let (_, frame) = bob.frame().await;
            assert_eq!((frame.len(), &frame[..4]), (300, number.to_be_bytes().as_slice()));
        }
        bob.send(alice.key(), Side::Server, "window done").await;
        alice.frame().await;
    }
    assert_eq!(alice.handle.stats(), NetStats::default());
}

#[tokio::test]
async fn a_stream_to_a_reader_that_never_reads_is_closed_at_its_bound_and_opened_again() {
    let small = |limits: &mut NetLimits| {
        limits.queue_bytes = 1024 * 1024;
        limits.inbound_bytes = 1;
    };
    let mut alice = node_with(ALICE, TCP, Role::Node, small).await;
    let mut bob = node_with(BOB, TCP, Role::Node, small).await;
    alice.dial(&bob).await;
    tokio::join!(alice.both_open(), bob.both_open());
    let frame = Bytes::from(vec![0; 64 * 1024]);
    while alice.handle.stats().overflowed_streams == 0 {
        alice.send(bob.key(), Side::Client, frame.clone()).await;
        tokio::task::yield_now().await;
    }
    alice.until("the stream closes", |event| matches!(event, NetEvent::StreamClosed { side: Side::Client, .. }).then_some(())).await;
    // Bob takes what had reached him, and the next stream works.
    let bob_reads = tokio::spawn(async move {
        bob.until("a frame on the new stream", |event| match event {
            NetEvent::Frame { bytes, .. } => (&bytes[..] == b"again").then_some(()),
            _ => None,
        })
        .await;
    });
    alice.open(Side::Client).await;
    let bob = PeerKey::from_peer_id(&Keypair::ed25519_from_bytes([BOB; 32]).unwrap().public().to_peer_id()).unwrap();
    alice.send(bob, Side::Client, "again").await;
    bob_reads.await.unwrap();
}

#[tokio::test]
async fn f07_an_oversized_length_prefix_closes_the_stream_and_is_counted_until_the_peer_is_banned() {
    let mut alice = node(ALICE, TCP).await;
    let mut mallory = raw(&alice);
    for _ in 0..2 {
        let mut stream = raw_stream(&mut mallory, &alice).await;
        stream.write_all(&(MAX_FRAME_BYTES as u32 + 1).to_be_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        assert!(ends(&mut stream).await);
    }
    alice.until("the peer is disconnected", |event| matches!(event, NetEvent::Disconnected { .. }).then_some(())).await;
    let stats = alice.handle.stats();
    assert_eq!((stats.oversize_frames, stats.banned_peers), (2, 1));
}

#[tokio::test]
async fn f06_a_frame_that_never_ends_is_closed_by_its_deadline_and_others_are_served() {
    let mut alice = node_with(ALICE, TCP, Role::Node, |limits| limits.frame_deadline = Duration::from_millis(200)).await;
    let mut bob = node(BOB, TCP).await;
    bob.dial(&alice).await;
    tokio::join!(alice.both_open(), bob.both_open());
    let mut mallory = raw(&alice);
    let mut stream = raw_stream(&mut mallory, &alice).await;
    stream.write_all(&[0, 0, 1, 0, 42]).await.unwrap();
    stream.flush().await.unwrap();
    bob.send(alice.key(), Side::Client, "meanwhile").await;
    assert_eq!(alice.frame().await.1, b"meanwhile");
    assert!(ends(&mut stream).await);
    assert_eq!(alice.handle.stats().stalled_frames, 1);
    bob.send(alice.key(), Side::Client, "after").await;
    assert_eq!(alice.frame().await.1, b"after");
}

#[tokio::test]
async fn f06_handshakes_that_never_come_leave_room_for_others() {
    let alice = node_with(ALICE, TCP, Role::Node, |limits| limits.max_pending = 8).await;
    let address = alice.handle.listen_addrs()[0].clone();
    let port: u16 = address.split('/').nth(4).unwrap().parse().unwrap();
    let mut silent = Vec::new();
    for _ in 0..6 {
        silent.push(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let mut bob = node(BOB, TCP).await;
    bob.dial(&alice).await;
    bob.both_open().await;
}

#[tokio::test]
async fn f08_a_stream_cut_inside_a_frame_is_closed_and_opened_again() {
    let mut alice = node(ALICE, TCP).await;
    let mut mallory = raw(&alice);
    let mut stream = raw_stream(&mut mallory, &alice).await;
    stream.write_all(&[0, 0, 0, 9, 1, 2]).await.unwrap();
    stream.close().await.unwrap();
    alice.until("the stream closes", |event| matches!(event, NetEvent::StreamClosed { side: Side::Server, .. }).then_some(())).await;
    let mut stream = raw_stream(&mut mallory, &alice).await;
    stream.write_all(&[0, 0, 0, 1, 5]).await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(alice.frame().await, (Side::Server, vec![5]));
}

#[tokio::test]
async fn f14_half_closed_quic_streams_replace_each_other_and_cost_their_peer_its_welcome() {
    let mut alice = node(ALICE, QUIC).await;
    let mut bob = node(BOB, QUIC).await;
    bob.dial(&alice).await;
    tokio::join!(alice.both_open(), bob.both_open());
    let mut mallory = raw(&alice);
    let mut held = Vec::new();
    while let Ok(stream) = mallory.open_stream(alice.key().peer_id().unwrap(), stream::CUSTODY).await {
        held.push(stream);
        assert!(held.len() < 1_000, "never refused");
        if alice.handle.stats().banned_peers > 0 {
            break;
        }
    }
    alice.counted("a ban", |stats| stats.banned_peers).await;
    bob.send(alice.key(), Side::Client, "still here").await;
    assert_eq!(alice.frame().await.1, b"still here");
}

#[tokio::test]
async fn gossip_goes_on_only_after_it_was_accepted() {
    let topic = [7; 32];
    let (mut alice, mut bob, mut carol) = (node(ALICE, TCP).await, node(BOB, TCP).await, node(CAROL, TCP).await);
    for node in [&alice, &bob, &carol] {
        node.command(NetCommand::Subscribe { topic }).await;
    }
    assert_eq!(alice.publish(topic, b"nobody").await, PublishOutcome::NoPeers);
    alice.dial(&bob).await;
    carol.dial(&bob).await;
    tokio::join!(alice.joins(1), bob.joins(2), carol.joins(1));
    assert_eq!(alice.publish(topic, b"bad").await, PublishOutcome::Published);
    let (source, id, data) = bob.gossip().await;
    assert_eq!((source, data.as_slice(), &id), (alice.key(), b"bad".as_slice(), blake3::hash(b"bad").as_bytes().first_chunk().unwrap()));
    bob.command(NetCommand::Verdict { peer: source, id, acceptance: Acceptance::Reject }).await;
    assert_eq!(alice.publish(topic, b"good").await, PublishOutcome::Published);
    assert_eq!(alice.publish(topic, b"good").await, PublishOutcome::Duplicate);
    let (source, id, _) = bob.gossip().await;
    bob.command(NetCommand::Verdict { peer: source, id, acceptance: Acceptance::Accept }).await;
    let (source, _, data) = carol.gossip().await;
    assert_eq!((source, data.as_slice()), (bob.key(), b"good".as_slice()));
    assert_eq!(bob.handle.stats().rejected_gossip, 1);
    let large = Box::leak(vec![0; MAX_GOSSIP_BYTES + 1].into_boxed_slice());
    assert_eq!(alice.publish(topic, large).await, PublishOutcome::TooLarge);
}

fn topic(number: usize) -> [u8; 32] {
    *blake3::hash(&number.to_be_bytes()).as_bytes()
}

/// Half of the topics before the connection, in the hello, and half after it.
async fn many_topics(count: usize) {
    let (mut alice, mut bob) = (node(ALICE, TCP).await, node(BOB, TCP).await);
    for number in 0..count {
        alice.command(NetCommand::Subscribe { topic: topic(number) }).await;
        bob.command(NetCommand::Subscribe { topic: topic(number) }).await;
    }
    alice.dial(&bob).await;
    tokio::join!(alice.joins(count), bob.joins(count));
    for number in [0, count / 2, count - 1] {
        let data: &'static [u8] = Box::leak(Box::new(topic(number)));
        assert_eq!(alice.publish(topic(number), data).await, PublishOutcome::Published);
        assert_eq!(bob.gossip().await.2, data);
    }
    let largest: &'static [u8] = Box::leak(vec![1; MAX_GOSSIP_BYTES].into_boxed_slice());
    assert_eq!(alice.publish(topic(1), largest).await, PublishOutcome::Published);
    assert_eq!(bob.gossip().await.2, largest);
}

#[tokio::test]
async fn three_hundred_shared_topics_deliver() {
    many_topics(300).await;
}

#[tokio::test]
async fn as_many_topics_as_a_peer_may_have_fit_one_hello() {
    many_topics(NetLimits::node().max_topics).await;
}

#[tokio::test]
async fn a_burst_of_large_gossip_messages_keeps_the_stream() {
    let (mut alice, mut bob) = (node(ALICE, TCP).await, node(BOB, TCP).await);
    for node in [&alice, &bob] {
        node.command(NetCommand::Subscribe { topic: [7; 32] }).await;
    }
    alice.dial(&bob).await;
    tokio::join!(alice.joins(1), bob.joins(1));
    for number in 0..100 {
        let (outcome, answer) = oneshot::channel();
        alice.command(NetCommand::Publish { topic: [7; 32], data: vec![number; 60_000].into(), outcome }).await;
        assert_eq!(answer.await.unwrap(), PublishOutcome::Published);
        let (peer, id, data) = bob.gossip().await;
        assert_eq!(data, vec![number; 60_000]);
        bob.command(NetCommand::Verdict { peer, id, acceptance: Acceptance::Accept }).await;
    }
}

#[tokio::test]
async fn f09_rejected_gossip_costs_the_peer_its_connection() {
    let (mut alice, mut bob) = (node(ALICE, TCP).await, node(BOB, TCP).await);
    for node in [&alice, &bob] {
        node.command(NetCommand::Subscribe { topic: [7; 32] }).await;
    }
    alice.dial(&bob).await;
    tokio::join!(alice.joins(1), bob.joins(1));
    for number in 0..10_u8 {
        let (outcome, _) = oneshot::channel();
        alice.command(NetCommand::Publish { topic: [7; 32], data: vec![number].into(), outcome }).await;
        let (peer, id, _) = bob.gossip().await;
        bob.command(NetCommand::Verdict { peer, id, acceptance: Acceptance::Reject }).await;
    }
    bob.until("alice is disconnected", |event| matches!(event, NetEvent::Disconnected { .. }).then_some(())).await;
    assert_eq!(bob.handle.stats().banned_peers, 1);
    bob.dial(&alice).await;
    let reason = bob.until("the ban holds", |event| match event {
        NetEvent::DialFailed { reason, .. } => Some(reason),
        _ => None,
    });
    assert_eq!(reason.await, DialFailure::Refused);
}

#[tokio::test]
async fn f09_a_subscription_flood_is_cut_off() {
    let mut alice = node_with(ALICE, TCP, Role::Node, |limits| limits.max_topics = 10).await;
    let mut bob = node(BOB, TCP).await;
    bob.dial(&alice).await;
    tokio::join!(alice.both_open(), bob.both_open());
    for _ in 0..60 {
        bob.command(NetCommand::Subscribe { topic: [7; 32] }).await;
        bob.command(NetCommand::Unsubscribe { topic: [7; 32] }).await;
    }
    alice.until("bob is disconnected", |event| matches!(event, NetEvent::Disconnected { .. }).then_some(())).await;
    assert_eq!(alice.handle.stats().banned_peers, 1);
}

#[tokio::test]
async fn f09_a_graft_flood_is_cut_off() {
    // gossipsub's RPC: subscriptions are field 1, control is field 3 with graft 3 and prune 4, all naming the topic.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2, bytes.len() as u8];
        if bytes.len() > 127 {
            field = vec![number << 3 | 2, bytes.len() as u8 | 0x80, (bytes.len() >> 7) as u8];
        }
        [field.as_slice(), bytes].concat()
    }
    let mut alice = node(ALICE, TCP).await;
    alice.command(NetCommand::Subscribe { topic: [7; 32] }).await;
    let mut mallory = raw(&alice);
    let _held = raw_stream(&mut mallory, &alice).await;
    let peer = alice.key().peer_id().unwrap();
    let mut stream = mallory.open_stream(peer, StreamProtocol::new("/meshsub/1.1.0")).await.unwrap();
    let name = hex::encode([7; 32]);
    let subscribe = field(1, &[&[0x08, 1], field(2, name.as_bytes()).as_slice()].concat());
    let prune = field(3, &field(4, &[field(1, name.as_bytes()).as_slice(), &[0x18, 60]].concat()));
    let graft = field(3, &field(3, &field(1, name.as_bytes())));
    for rpc in [vec![subscribe, prune], vec![graft; 20]].concat() {
        stream.write_all(&[&[rpc.len() as u8], rpc.as_slice()].concat()).await.unwrap();
    }
    stream.flush().await.unwrap();
    alice.until("mallory is disconnected", |event| matches!(event, NetEvent::Disconnected { .. }).then_some(())).await;
    assert_eq!(alice.handle.stats().banned_peers, 1);
}

#[tokio::test]
async fn f10_a_connection_flood_from_one_address_leaves_existing_peers_served() {
    let mut alice = node_with(ALICE, TCP, Role::Node, |limits| {
        limits.max_per_address = 2;
        limits.limit_loopback = true;
    })
    .await;
    let mut bob = node(BOB, TCP).await;
    bob.dial(&alice).await;
    tokio::join!(alice.both_open(), bob.both_open());
    let flood: Vec<Control> = (0..20).map(|_| raw(&alice)).collect();
    alice.counted("a refusal", |stats| stats.refused_connections).await;
    bob.send(alice.key(), Side::Client, "still here").await;
    assert_eq!(alice.frame().await.1, b"still here");
    drop(flood);
}

#[tokio::test]
async fn streams_return_after_a_disconnection() {
    let (mut alice, mut bob) = (node(ALICE, TCP).await, node(BOB, TCP).await);
    for round in 0..3_u8 {
        alice.dial(&bob).await;
        let mut seen = Vec::new();
        for node in [&mut alice, &mut bob] {
            let connected = |event| match event {
                NetEvent::Connected { peer } => Some(peer),
                _ => None,
            };
            seen.push(node.until("connected", connected).await);
            node.both_open().await;
        }
        assert_eq!(seen, [bob.key(), alice.key()]);
        alice.send(bob.key(), Side::Client, vec![round]).await;
        assert_eq!(bob.frame().await.1, [round]);
        bob.command(NetCommand::Disconnect { peer: alice.key() }).await;
        for node in [&mut alice, &mut bob] {
            let mut closed = 0;
            let gone = |event| {
                closed += usize::from(matches!(event, NetEvent::StreamClosed { .. }));
                matches!(event, NetEvent::Disconnected { .. }).then_some(())
            };
            node.until("disconnected", gone).await;
            assert_eq!(closed, 2);
        }
    }
}

#[tokio::test]
async fn a_dial_that_fails_says_why() {
    let (mut alice, bob) = (node(ALICE, TCP).await, node(BOB, TCP).await);
    let nobody = PeerKey::from_peer_id(&Keypair::ed25519_from_bytes([99; 32]).unwrap().public().to_peer_id()).unwrap();
    let there = bob.handle.listen_addrs()[0].split("/p2p/").next().unwrap().to_owned();
    let cases = [
        (nobody, vec![there], DialFailure::WrongPeer),
        (nobody, bob.handle.listen_addrs(), DialFailure::NoAddress),
        (nobody, vec!["/ip4/127.0.0.1/tcp/1".into()], DialFailure::Unreachable),
        (nobody, vec!["x".repeat(300)], DialFailure::NoAddress),
        (alice.key(), bob.handle.listen_addrs(), DialFailure::Myself),
    ];
    for (peer, addrs, expected) in cases {
        alice.command(NetCommand::Dial { peer, addrs: addrs.clone() }).await;
        let reason = alice.until("the failure", |event| match event {
            NetEvent::DialFailed { reason, .. } => Some(reason),
            _ => None,
        });
        assert_eq!(reason.await, expected, "{addrs:?}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_refused_by_name() {
    let alice = node(ALICE, TCP).await;
    let taken = alice.handle.listen_addrs()[0].split("/p2p/").next().unwrap().to_owned();
    let config =
        NetConfig { identity: Zeroizing::new([BOB; 32]), listen: vec![taken.clone()], role: Role::Node, limits: NetLimits::node() };
    let Err(NetError::Listen { address, .. }) = start(config).await else { panic!("listened twice") };
    assert_eq!(address, taken);
}

#[tokio::test]
async fn a_listen_address_leads_back_to_its_peer() {
    let alice = node(ALICE, QUIC).await;
    let address = &alice.handle.listen_addrs()[0];
    assert_eq!(parse_address(address).unwrap(), (alice.key(), address.clone()));
    assert!(parse_address("/ip4/127.0.0.1/tcp/1").is_err());
    assert!(parse_address("nonsense").is_err());
}

#[tokio::test]
async fn the_network_stops_when_told() {
    let mut alice = node(ALICE, TCP).await;
    alice.command(NetCommand::Shutdown).await;
    let drained = async { while alice.events.recv().await.is_some() {} };
    tokio::time::timeout(PATIENCE, drained).await.unwrap();
    assert!(matches!(alice.handle.command(NetCommand::Shutdown).await, Err(NetError::Stopped)));
}

#[test]
fn offences_add_up_and_are_forgiven() {
    use penalty::{Offence, Penalties};
    let (mut penalties, peer, now) = (Penalties::default(), PeerKey([1; 32]), std::time::Instant::now());
    assert!(!penalties.add(peer, Offence::OversizeFrame, now));
    let later = now + Duration::from_secs(300);
    assert!(!penalties.add(peer, Offence::OversizeFrame, later));
    assert!(penalties.add(peer, Offence::OversizeFrame, later));
}
