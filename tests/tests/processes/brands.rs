//! A brand and who follows it: passed on among friends.

use madang_tests::tools::repository;
use madang_tests::{Person, Relay, TCP, World, join};
use serde_json::{Value, json};

use crate::MADANG;
use crate::channels::{brand, follows, held, posts_window, put, reads, saves, says};
use crate::kinds::by_hand;

/// Alice's shop at a relay, and bob, who follows it.
async fn shop() -> (World, Relay, Person, Person, String) {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", &[]).await;
    let (channel, link) = brand(&alice, "Corner shop").await;
    follows(&mut bob, &link, &channel).await;
    (world, relay, alice, bob, channel)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_seen_as_followers_see_it_before_it_is_published() {
    let (world, _relay, alice, mut bob, channel) = shop().await;
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
async fn cards_of_a_post_have_their_pictures() {
    let (world, _relay, alice, mut bob, channel) = shop().await;
    let photo = std::fs::read(repository("cli/src/demo/bread.png")).unwrap();
    let path = world.dir().join("photo.png");
    std::fs::write(&path, &photo).unwrap();
    let path = path.to_str().unwrap();
    let card = [
        "channel",
        "post",
        "Corner shop",
        "Signed",
        "--card",
        "New edition",
        "--picture",
        path,
    ];
    let preview = by_hand(&alice, &[&card[..], &["--preview"]].concat()).await;
    assert!(preview.contains("photo.png"), "{preview}");
    by_hand(&alice, &card).await;
    // Of several cards side by side only the second has one; a coupon has one too.
    let image = json!({ "blob": put(&alice, &photo).await, "name": "second.png" });
    let cards = json!([{ "title": "one" }, { "title": "two", "image": image }, { "title": "three" }]);
    let coupon = json!({ "card": { "title": "Two for one", "image": { "blob": put(&alice, &photo).await, "name": "third.png" } }, "starts_s": 1, "ends_s": 2 });
    for body in [
        json!({ "kind": "carousel", "cards": cards }),
        json!({ "kind": "coupon", "coupon": coupon }),
    ] {
        alice
            .ask("channel.post", json!({ "channel": channel, "body": body }))
            .await;
    }
    let posts = bob
        .until("all are here, with their pictures", async |bob| {
            let page = bob.ask("channel.posts", json!({ "channel": channel })).await;
            let posts = page["items"].as_array().unwrap().clone();
            if posts.len() < 3 {
                return None;
            }
            for at in [
                "/0/body/card/image",
                "/1/body/cards/1/image",
                "/2/body/coupon/card/image",
            ] {
                let blob = json!(posts).pointer(at).unwrap()["blob"].clone();
                let stat = bob.rpc().call("blob.stat", json!({ "blob": blob })).await.ok()?;
                (stat["state"] == "fetched").then_some(())?;
            }
            Some(posts)
        })
        .await;
    assert_eq!(posts[1]["body"]["cards"][0]["image"], Value::Null);
    let image = &posts[0]["body"]["card"]["image"];
    assert_eq!(
        (&image["name"], &image["media_type"]),
        (&json!("photo.png"), &json!("image/png"))
    );
    assert!(image["width"].is_u64() && image["thumbnail"].is_string(), "{image}");
    let post = posts[0]["post"].as_str().unwrap();
    assert_eq!(saves(&world, &bob, post).await, photo);

    // What is part of another post is no picture, nor is what is no image.
    let used = posts[1]["body"]["cards"][1]["image"]["blob"].clone();
    let text = put(&alice, b"x").await;
    for blob in [used, text] {
        let image = json!({ "blob": blob, "name": "x.png" });
        let body = json!({ "kind": "card", "card": { "title": "x", "image": image } });
        let refused = alice
            .rpc()
            .call("channel.post", json!({ "channel": channel, "body": body }))
            .await;
        assert_eq!(refused.unwrap_err().code(), "invalid_params");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_moves_to_another_relay_and_who_follows_goes_along() {
    let world = World::new(MADANG);
    let mut first = world.relay_with(&[TCP], &[]).await;
    let second = world.relay_with(&[TCP], &[]).await;
    let mut alice = world.person_up("alice", first.addresses()).await;
    let mut bob = world.person_up("bob", &[]).await;
    let mut carol = world.person_up("carol", &[]).await;
    let (channel, link) = brand(&alice, "Corner shop").await;
    posts_window(&world, &alice).await;
    let hello = says(&alice, &channel, "hello").await;
    follows(&mut bob, &link, &channel).await;
    reads(&mut bob, &channel, &["Look", "hello"]).await;

    let list = async |person: &Person| by_hand(person, &["channel", "relays", "list", "Corner shop"]).await;
    let old = list(&alice).await;
    let add = [
        &["channel", "relays", "add", "Corner shop"][..],
        &[&second.addresses()[0]],
    ]
    .concat();
    let both = by_hand(&alice, &add).await;
    assert_eq!((old.lines().count(), both.lines().count()), (1, 2), "{both}");
    held(&mut alice, &channel, &hello, 2).await;
    let key = old.split_whitespace().next().unwrap();
    let kept = by_hand(&alice, &["channel", "relays", "remove", "Corner shop", &key[..8]]).await;
    assert!(!kept.contains(key) && kept.contains(&second.addresses()[0]), "{kept}");
    bob.until("bob knows", async |bob| (list(bob).await == kept).then_some(()))
        .await;
    first.stop().await;

    let moved = says(&alice, &channel, "we moved").await;
    reads(&mut bob, &channel, &["Look", "hello", "we moved"]).await;
    held(&mut alice, &channel, &moved, 1).await;
    // Who comes now has the past too, with its photo.
    let link = alice.ask("channel.get", json!({ "channel": channel })).await["link"].clone();
    follows(&mut carol, link.as_str().unwrap(), &channel).await;
    reads(&mut carol, &channel, &["Look", "hello", "we moved"]).await;
    let page = carol.ask("channel.posts", json!({ "channel": channel })).await;
    let post = page["items"][0]["post"].as_str().unwrap();
    assert_eq!(saves(&world, &carol, post).await, b"our window");

    for (relays, code) in [
        (json!([]), "invalid_params"),
        (json!(["/ip4/192.0.2.1/tcp/1"]), "invalid_params"),
    ] {
        let params = json!({ "channel": channel, "relays": relays });
        let refused = alice.rpc().call("channel.update", params).await.unwrap_err();
        assert_eq!(refused.code(), code, "{relays}");
    }
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
