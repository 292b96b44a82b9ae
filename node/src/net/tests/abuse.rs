//! Peers that misbehave, against the rows of the fault table.

use super::*;

#[tokio::test]
async fn f07_an_oversized_length_prefix_closes_the_stream_and_is_counted_until_the_peer_is_banned() {
    let mut alice = node(ALICE, TCP).await;
    let mut mallory = raw(&alice);
    for _ in 0..2 {
        let mut stream = raw_stream(&mut mallory, &alice).await;
        stream
            .write_all(&(MAX_FRAME_BYTES as u32 + 1).to_be_bytes())
            .await
            .unwrap();
        stream.flush().await.unwrap();
        assert!(ends(&mut stream).await);
    }
    alice
        .until("the peer is disconnected", |event| {
            matches!(event, NetEvent::Disconnected { .. }).then_some(())
        })
        .await;
    let stats = alice.handle.stats();
    assert_eq!((stats.oversize_frames, stats.banned_peers), (2, 1));
}

#[tokio::test]
async fn f06_a_frame_that_never_ends_is_closed_by_its_deadline_and_others_are_served() {
    let mut alice = node_with(ALICE, TCP, Role::Node, |limits| {
        limits.frame_deadline = Duration::from_millis(200)
    })
    .await;
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
    alice
        .until("the stream closes", |event| {
            matches!(event, NetEvent::StreamClosed { side: Side::Server, .. }).then_some(())
        })
        .await;
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
    while let Ok(stream) = mallory
        .open_stream(alice.key().peer_id().unwrap(), stream::CUSTODY)
        .await
    {
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
async fn f09_rejected_gossip_costs_the_peer_its_connection() {
    let (mut alice, mut bob) = (node(ALICE, TCP).await, node(BOB, TCP).await);
    for node in [&alice, &bob] {
        node.command(NetCommand::Subscribe { topic: [7; 32] }).await;
    }
    alice.dial(&bob).await;
    tokio::join!(alice.joins(1), bob.joins(1));
    for number in 0..10_u8 {
        let (outcome, _) = oneshot::channel();
        alice
            .command(NetCommand::Publish {
                topic: [7; 32],
                data: vec![number].into(),
                outcome,
            })
            .await;
        let (peer, id, _) = bob.gossip().await;
        bob.command(NetCommand::Verdict {
            peer,
            id,
            acceptance: Acceptance::Reject,
        })
        .await;
    }
    bob.until("alice is disconnected", |event| {
        matches!(event, NetEvent::Disconnected { .. }).then_some(())
    })
    .await;
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
    alice
        .until("bob is disconnected", |event| {
            matches!(event, NetEvent::Disconnected { .. }).then_some(())
        })
        .await;
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
    let mut stream = mallory
        .open_stream(peer, StreamProtocol::new("/meshsub/1.1.0"))
        .await
        .unwrap();
    let name = hex::encode([7; 32]);
    let subscribe = field(1, &[&[0x08, 1], field(2, name.as_bytes()).as_slice()].concat());
    let prune = field(
        3,
        &field(4, &[field(1, name.as_bytes()).as_slice(), &[0x18, 60]].concat()),
    );
    let graft = field(3, &field(3, &field(1, name.as_bytes())));
    for rpc in [vec![subscribe, prune], vec![graft; 20]].concat() {
        stream
            .write_all(&[&[rpc.len() as u8], rpc.as_slice()].concat())
            .await
            .unwrap();
    }
    stream.flush().await.unwrap();
    alice
        .until("mallory is disconnected", |event| {
            matches!(event, NetEvent::Disconnected { .. }).then_some(())
        })
        .await;
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

#[test]
fn offences_add_up_and_are_forgiven() {
    use penalty::{Offence, Penalties};
    let (mut penalties, peer, now) = (Penalties::default(), PeerKey([1; 32]), std::time::Instant::now());
    assert!(!penalties.add(peer, Offence::OversizeFrame, now));
    let later = now + Duration::from_secs(300);
    assert!(!penalties.add(peer, Offence::OversizeFrame, later));
    assert!(penalties.add(peer, Offence::OversizeFrame, later));
}
