//! What relays tell a brand of who reads it.

use madang_protocol::custody::{ClientFrame, CustodianFrame, Watch};
use madang_protocol::keys::TopicId;
use madang_tests::bench::wire::{CUSTODY, Link};
use madang_tests::{TCP, World};
use serde_json::json;

use crate::MADANG;
use crate::channels::{brand, follows, held, reads, says};
use crate::kinds::by_hand;

/// Somebody who watches a channel at a relay from its beginning, and has had what is there.
async fn watcher(address: &str, topic: TopicId) -> Link {
    let mut link = Link::open(address, CUSTODY).await;
    let topics = vec![(topic, None)];
    link.send(&ClientFrame::Watch(Watch { request: 1, topics })).await;
    loop {
        match link.next().await {
            CustodianFrame::Items(page) if page.caught_up => return link,
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brand_is_told_tens_of_who_watches_and_was_handed_a_post_and_a_follower_nothing() {
    let world = World::new(MADANG);
    let first = world.relay_with(&[TCP], &[]).await;
    let mut second = world.relay_with(&[TCP], &[]).await;
    let relays = [first.addresses(), second.addresses()].concat();
    let mut alice = world.person_up("alice", &relays).await;
    let mut bob = world.person_up("bob", &[]).await;
    let (channel, link) = brand(&alice, "shop").await;
    let post = says(&alice, &channel, "hello").await;
    held(&mut alice, &channel, &post, 2).await;
    follows(&mut bob, &link, &channel).await;
    reads(&mut bob, &channel, &["hello"]).await;
    let topic: TopicId = channel.parse().unwrap();
    let address = &first.addresses()[0];
    let mut crowd = Vec::new();
    for _ in 0..24 {
        crowd.push(watcher(address, topic).await);
    }

    let about = json!({ "channel": channel, "post": post });
    let found = alice.ask("channel.figures", about.clone()).await;
    assert_eq!((&found["watchers"], &found["deliveries"]), (&json!(20), &json!(20)));
    let told = found["relays"].as_array().unwrap();
    let mut watchers: Vec<u64> = told.iter().map(|told| told["watchers"].as_u64().unwrap()).collect();
    watchers.sort_unstable();
    assert_eq!(watchers, [0, 20], "fewer than 20 at the other");
    assert!(told.iter().all(|told| told["state"] == "told"));
    // They leave, and nobody sees that for an hour.
    drop(crowd);
    let again = alice.ask("channel.figures", about.clone()).await;
    assert_eq!(again["relays"], found["relays"]);

    let error = bob.rpc().call("channel.figures", about.clone()).await.unwrap_err();
    assert_eq!(error.code(), "not_found", "bob writes nothing there");
    second.kill().await;
    alice
        .until("one relay is away", async |alice| {
            let found = alice.ask("channel.figures", about.clone()).await;
            let states: Vec<&str> = found["relays"]
                .as_array()
                .unwrap()
                .iter()
                .map(|told| told["state"].as_str().unwrap())
                .collect();
            (states.contains(&"away") && states.contains(&"told")).then_some(())
        })
        .await;
    let printed = by_hand(&alice, &["channel", "figures", "shop", &post]).await;
    assert!(
        printed.contains("watching: 20") && printed.contains("handed to: 20"),
        "{printed}"
    );
    assert!(printed.contains("not connected"), "{printed}");
}
