//! An editor, a new root and a follower with terms, at the command line and over kills.

use madang_tests::{Person, Relay, World};
use serde_json::json;

use crate::MADANG;
use crate::kinds::by_hand;

const SHOP: &str = "Shop";

/// Waits until a person reads these posts, whatever is held back.
async fn reads(person: &mut Person, channel: &str, expected: &[&str]) {
    person
        .until(&format!("the channel reads {expected:?}"), async |person| {
            let page = person.ask("channel.posts", json!({ "channel": channel })).await;
            let posts = page["items"].as_array().unwrap().iter();
            let settled = posts.clone().all(|post| post["provisional"] == false);
            let texts: Vec<&str> = posts.map(|post| post["body"]["text"].as_str().unwrap()).collect();
            (settled && texts == expected).then_some(())
        })
        .await;
}

/// Waits until so many posts are held back.
async fn held(person: &mut Person, channel: &str, posts: usize) {
    person
        .until(&format!("{posts} are held back"), async |person| {
            let shown = person.ask("channel.get", json!({ "channel": channel })).await;
            let held = shown["held"].as_array().map_or(0, Vec::len);
            (held == posts).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_a_new_root_and_a_follower_with_terms_at_the_command_line() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let mut carol = world.person_up("carol", &[]).await;
    let link = by_hand(&alice, &["channel", "new", SHOP, "--category", "news=News"]).await;
    let made = alice.ask("channel.list", json!({})).await["items"][0]["channel"].clone();
    let channel = made.as_str().unwrap();
    for person in [&mut bob, &mut carol] {
        by_hand(person, &["channel", "follow", link.trim()]).await;
        person
            .until("the manifest is here", async |person| {
                let shown = person.ask("channel.get", json!({ "channel": channel })).await;
                shown["manifest"].is_object().then_some(())
            })
            .await;
    }

    // An editor, who is killed between its posts.
    let key = by_hand(&bob, &["channel", "writer", "key", SHOP]).await;
    let add = ["channel", "writer", "add", SHOP, key.trim(), "--category", "news"];
    let certificate = by_hand(&alice, &add).await;
    by_hand(&bob, &["channel", "writer", "use", certificate.trim()]).await;
    by_hand(&bob, &["channel", "post", SHOP, "by bob", "--category", "news"]).await;
    bob.kill().await;
    bob.up().await;
    by_hand(&bob, &["channel", "post", SHOP, "by bob again", "--category", "news"]).await;
    let both = ["by bob", "by bob again"];
    for person in [&mut alice, &mut bob, &mut carol] {
        reads(person, channel, &both).await;
    }
    let listed = by_hand(&alice, &["channel", "writer", "list", SHOP]).await;
    assert!(listed.contains(key.trim()) && listed.contains("publish"), "{listed}");
    let elsewhere = json!({ "channel": channel, "body": { "kind": "text", "text": "anything" } });
    let refused = bob.rpc().call("channel.post", elsewhere).await.unwrap_err();
    assert_eq!(refused.code(), "not_allowed");

    // Terms outlive a kill, and so does what they hold back.
    let set = [
        "channel",
        "terms",
        SHOP,
        "--quiet",
        "00:00-00:00",
        "--zone",
        "Asia/Seoul",
    ];
    by_hand(&carol, &set).await;
    by_hand(&alice, &["channel", "post", SHOP, "at night"]).await;
    held(&mut carol, channel, 1).await;
    carol.kill().await;
    carol.up().await;
    held(&mut carol, channel, 1).await;
    let terms = by_hand(&carol, &["channel", "terms", SHOP]).await;
    assert_eq!(terms.trim(), "--quiet 00:00-00:00 --zone Asia/Seoul");
    let digest = by_hand(&carol, &["channel", "digest", SHOP]).await;
    assert!(digest.contains("at night"), "{digest}");
    held(&mut carol, channel, 0).await;
    by_hand(&carol, &["channel", "terms", SHOP, "--cap", "0"]).await;
    by_hand(&alice, &["channel", "post", SHOP, "later"]).await;
    held(&mut carol, channel, 1).await;
    // Other terms weigh it anew.
    by_hand(&carol, &["channel", "terms", SHOP, "--all"]).await;
    carol
        .event("what was held back is told", |kind, data| {
            kind == "channel.post" && data["body"]["text"] == "later"
        })
        .await;
    held(&mut carol, channel, 0).await;

    // The editor goes, and comes back as the root.
    by_hand(&alice, &["channel", "writer", "remove", SHOP, key.trim()]).await;
    bob.until("bob may write no more", async |bob| {
        let body = json!({ "kind": "text", "text": "still here?" });
        let params = json!({ "channel": channel, "body": body, "categories": ["news"] });
        let refused = bob.rpc().call("channel.post", params).await.err()?;
        (refused.code() == "not_allowed").then_some(())
    })
    .await;
    let key = by_hand(&alice, &["channel", "recovery-key", SHOP]).await;
    by_hand(&bob, &["channel", "recover", key.trim()]).await;
    alice
        .until("alice is its root no more", async |alice| {
            let shown = alice.ask("channel.get", json!({ "channel": channel })).await;
            (shown["own"] == false).then_some(())
        })
        .await;
    by_hand(&bob, &["channel", "change", SHOP, "--name", "Bob's shop"]).await;
    carol
        .until("the name changes", async |carol| {
            let shown = carol.ask("channel.get", json!({ "channel": channel })).await;
            assert_eq!(shown["evidence"], 0, "nobody contradicts itself");
            (shown["name"] == "Bob's shop").then_some(())
        })
        .await;
}

/// A brand with an inbox for who follows it, and a follower.
async fn brand_with_inbox(world: &World, relay: &Relay) -> (Person, Person) {
    let alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", &[]).await;
    let link = by_hand(&alice, &["channel", "new", SHOP]).await;
    let channel = alice.ask("channel.list", json!({})).await["items"][0]["channel"].clone();
    by_hand(&bob, &["channel", "follow", link.trim()]).await;
    let inbox = by_hand(&alice, &["invite", "--multi-use"]).await;
    by_hand(&alice, &["channel", "change", SHOP, "--inbox", inbox.trim()]).await;
    bob.until("the inbox is here", async |bob| {
        let shown = bob.ask("channel.get", json!({ "channel": channel })).await;
        shown["manifest"]["inbox"].is_string().then_some(())
    })
    .await;
    (alice, bob)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_writes_back_and_is_answered_in_one_chat() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let (mut alice, bob) = brand_with_inbox(&world, &relay).await;
    by_hand(&bob, &["channel", "write", SHOP, "in blue?"]).await;
    let asked = alice.event("bob asks", |kind, _| kind == "contact.requested").await;
    let params = json!({ "request": asked["request"] });
    let chat = alice.ask("contact.approve", params).await["chat"].clone();
    by_hand(&bob, &["channel", "write", SHOP, "or in green?"]).await;
    let chat = chat.as_str().unwrap();
    alice
        .until("both are there", async |alice| {
            let said: Vec<String> = alice.said(chat).await.into_iter().map(|said| said.text).collect();
            (said == ["in blue?", "or in green?"]).then_some(())
        })
        .await;
    assert_eq!(
        bob.ask("chat.list", json!({})).await["items"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_writes_back_under_an_alias_and_is_answered_without_being_known() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let (mut alice, mut bob) = brand_with_inbox(&world, &relay).await;
    by_hand(&bob, &["channel", "write", SHOP, "in blue?", "--alias=A reader"]).await;
    let asked = alice
        .event("somebody asks", |kind, _| kind == "contact.requested")
        .await;
    assert_eq!(asked["name"], "A reader");
    let params = json!({ "request": asked["request"] });
    let chat = alice.ask("contact.approve", params).await["chat"].clone();
    let chat = chat.as_str().unwrap();
    bob.kill().await;
    bob.up().await;
    by_hand(&bob, &["channel", "write", SHOP, "or in green?", "--alias=A reader"]).await;
    by_hand(&alice, &["send", chat, "in both"]).await;
    for person in [&mut alice, &mut bob] {
        person
            .until("all is there", async |person| {
                let said: Vec<String> = person.said(chat).await.into_iter().map(|said| said.text).collect();
                (said.len() == 3 && said.contains(&"in both".into())).then_some(())
            })
            .await;
    }
    // She knows an account that isn't his, no device of his, and no way to him but her relay.
    let own = bob.ask("account.get", json!({})).await;
    for (method, params) in [
        ("contact.list", json!({})),
        ("chat.get", json!({ "chat": chat })),
        ("message.list", json!({ "chat": chat })),
    ] {
        let shown = alice.ask(method, params).await.to_string();
        for own in [&own["account"], &own["device"], &json!("bob")] {
            assert!(!shown.contains(own.as_str().unwrap()), "{method}: {shown}");
        }
    }
    let path = async |person: &Person| {
        let found = person.ask("node.doctor", json!({})).await;
        let chats = found["chats"].as_array().unwrap().iter();
        let health = chats.clone().find(|health| health["chat"] == *chat);
        health.map(|health| health["path"].clone())
    };
    assert_eq!(path(&alice).await, Some(json!("relay")));
    assert_eq!(path(&bob).await, Some(json!("relay")));
    let shown = bob.ask("chat.get", json!({ "chat": chat })).await;
    assert_eq!(
        (&shown["alias"]["name"], &shown["name"]),
        (&json!("A reader"), &json!("alice"))
    );
    assert!(by_hand(&bob, &["chats"]).await.contains("under the alias A reader"));
    let contacts = bob.ask("contact.list", json!({})).await;
    assert_eq!(contacts["items"], json!([]));
}
