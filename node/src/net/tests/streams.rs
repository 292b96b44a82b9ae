//! Connections and custody streams between well-behaved nodes.

use super::*;

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
    alice
        .until("the stream closes", |event| {
            matches!(event, NetEvent::StreamClosed { side: Side::Client, .. }).then_some(())
        })
        .await;
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
        alice
            .command(NetCommand::Dial {
                peer,
                addrs: addrs.clone(),
            })
            .await;
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
    let config = NetConfig {
        identity: Zeroizing::new([BOB; 32]),
        listen: vec![taken.clone()],
        role: Role::Node,
        limits: NetLimits::node(),
    };
    let Err(NetError::Listen { address, .. }) = start(config).await else {
        panic!("listened twice")
    };
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
    assert!(matches!(
        alice.handle.command(NetCommand::Shutdown).await,
        Err(NetError::Stopped)
    ));
}

#[tokio::test]
async fn two_nodes_that_dial_each_other_at_once_share_their_streams() {
    let (mut alice, mut bob) = (node(ALICE, TCP).await, node(BOB, TCP).await);
    tokio::join!(alice.dial(&bob), bob.dial(&alice));
    tokio::join!(alice.both_open(), bob.both_open());
    for side in [Side::Client, Side::Server] {
        alice.send(bob.key(), side, "hello").await;
        assert_eq!(bob.frame().await.1, b"hello");
    }
    while let Ok(event) = alice.events.try_recv() {
        assert!(!matches!(
            event,
            NetEvent::Connected { .. } | NetEvent::Disconnected { .. }
        ));
    }
}
