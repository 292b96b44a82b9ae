//! A brand and who follows it: passed on among friends.

use madang_tests::{World, join};
use serde_json::{Value, json};

use crate::MADANG;
use crate::channels::{brand, follows, reads, says};
use crate::kinds::by_hand;

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
