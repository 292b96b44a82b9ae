//! A brand and who follows it: passed on among friends.

use madang_tests::{World, join};
use serde_json::{Value, json};

use crate::MADANG;
use crate::channels::{brand, follows, reads, says};
use crate::kinds::by_hand;

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_seen_as_followers_see_it_before_it_is_published() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", &[]).await;
    let (channel, link) = brand(&alice, "Corner shop").await;
    follows(&mut bob, &link, &channel).await;
    let photo = world.dir().join("window.txt");
    std::fs::write(&photo, "our window").unwrap();
    let photo = photo.to_str().unwrap();
    let posts = [
        vec!["Look", "--file", photo, "--category", "news"],
        vec![
            "Signed",
            "--card",
            "New edition",
            "--button",
            "Order=https://shop.example/order",
            "--advertising",
        ],
        vec!["Open until nine"],
    ];
    let said = |printed: String| -> Vec<String> {
        // Without the time before each.
        let said = printed
            .lines()
            .map(|line| line.split_once("  ").map_or(line, |(_, said)| said).to_owned());
        said.collect()
    };
    for (many, post) in posts.iter().enumerate() {
        let command = ["channel", "post", "Corner shop"];
        let preview = said(by_hand(&alice, &[&command[..], post, &["--preview"]].concat()).await);
        let known = alice.ask("channel.posts", json!({ "channel": channel })).await;
        assert_eq!(known["items"].as_array().unwrap().len(), many, "it was posted");
        by_hand(&alice, &[&command[..], post].concat()).await;
        bob.until("the post is here", async |bob| {
            let page = bob.ask("channel.posts", json!({ "channel": channel })).await;
            let items = page["items"].as_array().unwrap();
            (items.len() == many + 1 && items[many]["provisional"] == false).then_some(())
        })
        .await;
        let read = said(by_hand(&bob, &["channel", "read", "Corner shop", "--limit", "1"]).await);
        assert_eq!(preview, read);
    }
    let body = json!({ "kind": "text", "text": "x".repeat(32_769) });
    let refused = alice
        .rpc()
        .call("channel.preview", json!({ "channel": channel, "body": body }))
        .await;
    assert_eq!(refused.unwrap_err().code(), "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_a_friend_passes_on_is_followed_in_one_step() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", &[]).await;
    let mut carol = world.person_up("carol", &[]).await;
    let chat = join(&mut bob, &mut carol).await;
    let (channel, link) = brand(&alice, "Corner shop").await;
    says(&alice, &channel, "open until nine").await;
    follows(&mut bob, &link, &channel).await;

    let sent = by_hand(&bob, &["channel", "share", "Corner shop", "--to", &chat, "--json"]).await;
    let sent: Value = serde_json::from_str(&sent).unwrap();
    let message = sent["items"][0]["message"].as_str().unwrap().to_owned();
    carol.receives(&message).await;
    let shown = carol.ask("message.get", json!({ "message": message })).await;
    let card = json!({ "kind": "channel", "channel": channel, "name": "Corner shop", "link": link });
    assert_eq!((&shown["body"], &shown["outgoing"]), (&card, &json!(false)));
    let bobs = bob.ask("account.get", json!({})).await["account"].clone();
    assert_eq!(shown["account"], bobs, "who passed it on");
    let read = by_hand(&carol, &["read", &chat]).await;
    assert!(read.contains("Corner shop") && read.contains(&channel[..8]), "{read}");

    let followed = by_hand(&carol, &["channel", "follow", &message[..8]]).await;
    assert!(followed.contains("Corner shop"), "{followed}");
    reads(&mut carol, &channel, &["open until nine"]).await;

    // What is no channel isn't sent.
    for link in ["madang:channel?d=AAAA", "https://shop.example"] {
        let body = json!({ "kind": "channel", "link": link });
        let refused = bob
            .rpc()
            .call("message.send", json!({ "chat": chat, "body": body }))
            .await;
        assert_eq!(refused.unwrap_err().code(), "invalid_params", "{link}");
    }
}
