//! Gossip between well-behaved nodes.

use super::*;

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
    assert_eq!(
        (source, data.as_slice(), &id),
        (
            alice.key(),
            b"bad".as_slice(),
            blake3::hash(b"bad").as_bytes().first_chunk().unwrap()
        )
    );
    bob.command(NetCommand::Verdict {
        peer: source,
        id,
        acceptance: Acceptance::Reject,
    })
    .await;
    assert_eq!(alice.publish(topic, b"good").await, PublishOutcome::Published);
    assert_eq!(alice.publish(topic, b"good").await, PublishOutcome::Duplicate);
    let (source, id, _) = bob.gossip().await;
    bob.command(NetCommand::Verdict {
        peer: source,
        id,
        acceptance: Acceptance::Accept,
    })
    .await;
    let (source, _, data) = carol.gossip().await;
    assert_eq!((source, data.as_slice()), (bob.key(), b"good".as_slice()));
    assert_eq!(bob.handle.stats().rejected_gossip, 1);
    let large = Box::leak(vec![0; MAX_GOSSIP_BYTES + 1].into_boxed_slice());
    assert_eq!(alice.publish(topic, large).await, PublishOutcome::TooLarge);
}

fn topic(number: usize) -> [u8; 32] {
    *blake3::hash(&number.to_be_bytes()).as_bytes()
}

/// Both sides' topics travel in the hello; messages on the first and last topic and the largest message arrive.
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
        let (outcome, _) = oneshot::channel();
        let data = vec![number; 60_000].into();
        alice
            .command(NetCommand::Publish {
                topic: [7; 32],
                data,
                outcome,
            })
            .await;
    }
    for number in 0..100 {
        assert_eq!(bob.gossip().await.2, vec![number; 60_000]);
    }
}
