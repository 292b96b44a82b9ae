//! A brand, who follows it, and relays that keep something back or show each of them something else.

use data_encoding::BASE64;
use madang_tests::{Person, TCP, World, copy_directory, join};
use serde_json::{Value, json};

use crate::MADANG;
use crate::kinds::by_hand;
use crate::repair::Lies;

/// Makes a channel; returns its id and link.
pub(crate) async fn brand(person: &Person, name: &str) -> (String, String) {
    let params = json!({
        "name": name,
        "description": "Books and readings",
        "categories": [{ "id": "news", "name": "News" }],
        "posts_per_day": 500,
    });
    let made = person.ask("channel.create", params).await;
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    (text("channel"), text("link"))
}

pub(crate) async fn says(person: &Person, channel: &str, text: &str) -> String {
    let params = json!({ "channel": channel, "body": { "kind": "text", "text": text } });
    let posted = person.ask("channel.post", params).await;
    assert_eq!(posted["planned"], false);
    posted["post"].as_str().unwrap().to_owned()
}

pub(crate) async fn posts(person: &Person, channel: &str) -> Vec<Value> {
    let page = person.ask("channel.posts", json!({ "channel": channel })).await;
    page["items"].as_array().unwrap().clone()
}

async fn texts(person: &Person, channel: &str) -> Vec<String> {
    let posts = posts(person, channel).await;
    let text = |post: &Value| post["body"]["text"].as_str().unwrap_or("-").to_owned();
    posts.iter().map(text).collect()
}

/// Waits until a channel reads so.
pub(crate) async fn reads(person: &mut Person, channel: &str, expected: &[&str]) {
    person
        .until(&format!("the channel reads {expected:?}"), async |person| {
            (texts(person, channel).await == expected).then_some(())
        })
        .await;
}

/// Waits until all that waited is at so many relays.
pub(crate) async fn held(person: &mut Person, channel: &str, post: &str, relays: usize) {
    person
        .until("the relays hold it", async |person| {
            let posts = posts(person, channel).await;
            let found = posts.iter().find(|known| known["post"] == post).unwrap();
            (found["held"].as_array().unwrap().len() == relays).then_some(())
        })
        .await;
}

pub(crate) async fn follows(person: &mut Person, link: &str, channel: &str) {
    let followed = person.ask("channel.follow", json!({ "link": link })).await;
    assert_eq!(followed["channel"], channel);
    person
        .until("the manifest is here", async |person| {
            let shown = person.ask("channel.get", json!({ "channel": channel })).await;
            shown["manifest"].is_object().then_some(())
        })
        .await;
}

/// Hands bytes to a node as a blob.
pub(crate) async fn put(person: &Person, bytes: &[u8]) -> Value {
    let put = person.ask("blob.put", json!({ "length_bytes": bytes.len() })).await;
    let part = json!({ "upload": put["upload"], "offset_bytes": 0, "data": BASE64.encode(bytes) });
    person.ask("blob.write", part).await["blob"].clone()
}

/// The corner shop posts a file by the command line.
pub(crate) async fn posts_window(world: &World, person: &Person) {
    let photo = world.dir().join("window.txt");
    std::fs::write(&photo, "our window").unwrap();
    let command = [
        "channel",
        "post",
        "Corner shop",
        "Look",
        "--file",
        photo.to_str().unwrap(),
    ];
    by_hand(person, &command).await;
}

/// What the command line saves of a post of the corner shop.
pub(crate) async fn saves(world: &World, person: &Person, post: &str) -> Vec<u8> {
    let to = world.dir().join("saved");
    let command = ["channel", "save", "Corner shop", post, "--to", to.to_str().unwrap()];
    by_hand(person, &command).await;
    std::fs::read(to).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brand_is_followed_by_link_and_read_over_restarts() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", &[]).await;
    let (channel, link) = brand(&alice, "마당 서점").await;
    for n in 1..=80 {
        says(&alice, &channel, &format!("post {n}")).await;
    }

    follows(&mut bob, &link, &channel).await;
    let shown = bob.ask("channel.get", json!({ "channel": channel })).await;
    assert_eq!(
        (&shown["name"], &shown["manifest"]["posts_per_day"]),
        (&json!("마당 서점"), &json!(500))
    );
    let first = texts(&bob, &channel).await;
    assert_eq!(first.last().unwrap(), "post 80");
    // Older ones come from the relay as they are asked for.
    let mut all: Vec<String> = Vec::new();
    let mut before = Value::Null;
    loop {
        let params = json!({ "channel": channel, "before": before, "limit": 25 });
        let page = bob.ask("channel.posts", params).await;
        let items = page["items"].as_array().unwrap().iter();
        let texts: Vec<String> = items
            .map(|post| post["body"]["text"].as_str().unwrap().to_owned())
            .collect();
        all.splice(0..0, texts);
        before = page["prev"].clone();
        if before.is_null() {
            break;
        }
    }
    assert_eq!(all, (1..=80).map(|n| format!("post {n}")).collect::<Vec<_>>());

    // A photo, an edit and a retraction.
    let photo = vec![7_u8; 50_000];
    let blob = put(&alice, &photo).await;
    let file = json!({ "blob": blob, "name": "window.bin", "media_type": "application/octet-stream" });
    let body = json!({ "kind": "album", "files": [file], "text": "our window" });
    let params = json!({ "channel": channel, "body": body, "categories": ["news"] });
    let with_photo = alice.ask("channel.post", params).await["post"].clone();
    let heard = bob
        .event("the photo's post", |kind, data| {
            kind == "channel.post" && data["post"] == with_photo
        })
        .await;
    assert_eq!(
        (&heard["body"]["files"][0]["blob"], &heard["categories"]),
        (&blob, &json!(["news"]))
    );
    bob.until("the photo is here", async |bob| {
        let stat = bob.rpc().call("blob.stat", json!({ "blob": blob })).await.ok()?;
        (stat["state"] == "fetched").then_some(())
    })
    .await;
    let part = bob.ask("blob.get", json!({ "blob": blob })).await;
    assert_eq!(BASE64.decode(part["data"].as_str().unwrap().as_bytes()).unwrap(), photo);
    let target = says(&alice, &channel, "opne").await;
    let body = json!({ "kind": "text", "text": "open" });
    let edit = json!({ "channel": channel, "post": target, "body": body });
    alice.ask("channel.edit", edit).await;
    let retract = json!({ "channel": channel, "post": with_photo, "reason": "sold out" });
    alice.ask("channel.retract", retract).await;
    bob.event("the retraction", |kind, data| {
        kind == "channel.post_updated" && data["retracted"]["reason"] == "sold out"
    })
    .await;

    // Both are killed; what is posted meanwhile and after comes.
    bob.kill().await;
    says(&alice, &channel, "while you were away").await;
    alice.kill().await;
    bob.up().await;
    alice.up().await;
    says(&alice, &channel, "and after").await;
    bob.until("all is there", async |bob| {
        let posts = posts(bob, &channel).await;
        let [.., photo, edited, away, after] = posts.as_slice() else {
            return None;
        };
        let text = |post: &Value| post["body"]["text"].clone();
        (after["provisional"] == false
            && photo["body"]["kind"] == "retracted"
            && [text(edited), text(away), text(after)] == ["open", "while you were away", "and after"])
        .then_some(())
    })
    .await;
    let shown = bob.ask("channel.get", json!({ "channel": channel })).await;
    assert!(shown["unread"].as_u64().unwrap() > 80, "{shown}");
    let last = posts(&bob, &channel).await.pop().unwrap();
    let read = json!({ "channel": channel, "post": last["post"] });
    bob.ask("channel.mark_read", read).await;
    assert_eq!(bob.ask("channel.get", json!({ "channel": channel })).await["unread"], 0);
    bob.ask("channel.block", json!({ "channel": channel })).await;
    let refused = bob.rpc().call("channel.follow", json!({ "link": link })).await;
    assert_eq!(refused.unwrap_err().code(), "not_allowed");
    let listed = bob.rpc().list("channel.list", &json!({})).await;
    assert_eq!((listed.len(), &listed[0]["blocked"]), (1, &json!(true)));
    for person in [&mut alice, &mut bob] {
        person.events_are_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_posts_and_is_read_by_the_command_line() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", &[]).await;
    let link = by_hand(
        &alice,
        &[
            "channel",
            "new",
            "Corner shop",
            "--category",
            "news=News",
            "--web",
            "Shop=https://shop.example/",
        ],
    )
    .await;
    let link = link.trim();
    assert!(link.starts_with("madang:channel?d="), "{link}");
    let followed = by_hand(&bob, &["channel", "follow", link]).await;
    assert!(followed.contains("Corner shop"), "{followed}");
    by_hand(
        &alice,
        &[
            "channel",
            "post",
            "corner shop",
            "Open until nine",
            "--category",
            "news",
        ],
    )
    .await;
    posts_window(&world, &alice).await;
    let button = [
        "--button",
        "Order=https://shop.example/order",
        "--button",
        "Odd=javascript:alert(1)",
    ];
    let card = ["channel", "post", "Corner shop", "Signed", "--card", "New edition"];
    by_hand(&alice, &[&card[..], &button[..]].concat()).await;
    let event = r#"{"kind": "event", "event": {"title": "Reading", "starts_s": 1800000000, "ends_s": 1800003600}}"#;
    by_hand(&alice, &["channel", "post", "Corner shop", "--body", event]).await;
    let planned = by_hand(
        &alice,
        &["channel", "post", "Corner shop", "Later", "--at", "2100-01-01"],
    )
    .await;
    let plan = planned.split_whitespace().next().unwrap();
    assert!(
        by_hand(&alice, &["channel", "plans", "Corner shop"])
            .await
            .contains("Later")
    );
    by_hand(&alice, &["channel", "unplan", "Corner shop", plan]).await;
    let channel = bob.ask("channel.list", json!({})).await["items"][0]["channel"].clone();
    let channel = channel.as_str().unwrap().to_owned();
    bob.until("four posts are here", async |bob| {
        (posts(bob, &channel).await.len() == 4).then_some(())
    })
    .await;
    let chats = by_hand(&bob, &["chats"]).await;
    assert!(chats.contains("Corner shop") && chats.contains("4"), "{chats}");
    let read = by_hand(&bob, &["channel", "read", "Corner shop", "--ids"]).await;
    for part in [
        "Open until nine",
        "window.txt",
        "New edition",
        "[Order] https://shop.example/order",
        "Reading",
    ] {
        assert!(read.contains(part), "{part}: {read}");
    }
    let posts = posts(&bob, &channel).await;
    let actionable = |at: usize| posts[2]["body"]["card"]["buttons"][at]["actionable"].clone();
    assert_eq!((actionable(0), actionable(1)), (json!(true), json!(false)), "FAULTS 61");
    let ics = world.dir().join("reading.ics");
    let event = &posts[3]["post"].as_str().unwrap()[..8];
    let calendar = [
        "channel",
        "calendar",
        "Corner shop",
        event,
        "--to",
        ics.to_str().unwrap(),
    ];
    by_hand(&bob, &calendar).await;
    let written = std::fs::read_to_string(ics).unwrap();
    assert!(written.contains("\r\nDTSTART:20270115T080000Z\r\nDTEND:20270115T090000Z\r\nSUMMARY:Reading\r\n"));
    let post = posts[1]["post"].as_str().unwrap();
    assert_eq!(saves(&world, &bob, post).await, b"our window");
    let first = &posts[0]["post"].as_str().unwrap()[..8];
    by_hand(&alice, &["channel", "edit", "Corner shop", first, "Open until ten"]).await;
    by_hand(&alice, &["channel", "retract", "Corner shop", post, "--reason", "old"]).await;
    let shown = by_hand(&alice, &["channel", "read", "Corner shop"]).await;
    assert!(
        shown.contains("Open until ten") && shown.contains("(taken back) old"),
        "{shown}"
    );
    let shown = by_hand(&bob, &["channel", "show", "Corner shop"]).await;
    assert!(
        shown.contains("https://shop.example/") && shown.contains(link),
        "{shown}"
    );
    let korean = by_hand(&bob, &["channel", "list", "--lang", "ko"]).await;
    assert!(korean.contains("채널"), "{korean}");
    for command in [
        &["channel", "mute", "Corner shop"][..],
        &["channel", "block", "Corner shop"],
        &["channel", "block", "Corner shop", "--off"],
    ] {
        by_hand(&bob, command).await;
    }
    assert!(by_hand(&bob, &["channel", "list"]).await.contains("no channels"));
}

#[tokio::test(flavor = "multi_thread")]
async fn f15_f16_what_a_relay_drops_of_a_channel_shows_and_comes_from_another() {
    let world = World::new(MADANG);
    let lies = Lies::new(world.dir());
    let liar = lies.relay(&world).await;
    let mut honest = world.relay_with(&[TCP], &[]).await;
    let relays = [liar.addresses(), honest.addresses()].concat();
    let mut alice = world.person_up("alice", &relays).await;
    let mut bob = world.person_up("bob", &[]).await;
    let (channel, link) = brand(&alice, "shop").await;
    let hello = says(&alice, &channel, "hello").await;
    held(&mut alice, &channel, &hello, 2).await;
    follows(&mut bob, &link, &channel).await;
    reads(&mut bob, &channel, &["hello"]).await;

    // A post, while the honest one is away.
    honest.kill().await;
    lies.tell("drop");
    let dropped = says(&alice, &channel, "dropped").await;
    held(&mut alice, &channel, &dropped, 1).await;
    lies.tell("deny");
    says(&alice, &channel, "seen").await;
    reads(&mut bob, &channel, &["hello", "seen"]).await;
    bob.event("the gap is told", |kind, data| {
        kind == "channel.gap" && data["channel"] == channel.as_str() && data["open"] == true
    })
    .await;
    let shown = bob.ask("channel.get", json!({ "channel": channel })).await;
    let gap = json!([{ "writer": channel, "first": 2, "last": 2 }]);
    assert_eq!(shown["gaps"], gap);
    honest.up().await;
    reads(&mut bob, &channel, &["hello", "dropped", "seen"]).await;
    bob.event("the gap is over", |kind, data| {
        kind == "channel.gap" && data["open"] == false
    })
    .await;
    let shown = bob.ask("channel.get", json!({ "channel": channel })).await;
    assert_eq!(shown["gaps"], Value::Null);

    // The tail.
    lies.tell("swallow");
    says(&alice, &channel, "the tail").await;
    reads(&mut bob, &channel, &["hello", "dropped", "seen", "the tail"]).await;
    assert_eq!(shown["evidence"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn f51_two_versions_for_two_followers_are_proved_once_they_share_a_relay() {
    let world = World::new(MADANG);
    let mut first = world.relay_with(&[TCP], &[]).await;
    let mut second = world.relay_with(&[TCP], &[]).await;
    let relays = [first.addresses(), second.addresses()].concat();
    let mut alice = world.person_up("alice", &relays).await;
    let mut bob = world.person_up("bob", &[]).await;
    let mut carol = world.person_up("carol", &[]).await;
    let (channel, link) = brand(&alice, "shop").await;
    let hello = says(&alice, &channel, "hello").await;
    held(&mut alice, &channel, &hello, 2).await;
    for person in [&mut bob, &mut carol] {
        follows(person, &link, &channel).await;
        reads(person, &channel, &["hello"]).await;
    }
    alice.stop().await;
    // Somebody else has the key: a copy of the brand's data.
    let mut mallory = world.person("mallory", &relays);
    copy_directory(alice.data(), mallory.data());

    second.kill().await;
    alice.up().await;
    let price = says(&alice, &channel, "it costs 10").await;
    held(&mut alice, &channel, &price, 1).await;
    reads(&mut bob, &channel, &["hello", "it costs 10"]).await;
    carol.stop().await;
    bob.stop().await;
    alice.stop().await;
    first.kill().await;
    second.up().await;
    mallory.up().await;
    let price = says(&mallory, &channel, "it costs 20").await;
    held(&mut mallory, &channel, &price, 1).await;
    mallory.stop().await;
    carol.up().await;
    bob.up().await;
    first.up().await;
    for person in [&mut bob, &mut carol] {
        for proof in proofs(person, &channel).await {
            let checked = checked_by_a_stranger(&world, &proof).await;
            assert_eq!(
                (&checked["channel"], &checked["proof"]),
                (&proof["channel"], &proof["proof"])
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f51_two_versions_for_two_followers_are_proved_once_they_share_a_peer() {
    let world = World::new(MADANG);
    let mut first = world.relay_with(&[TCP], &[]).await;
    let mut second = world.relay_with(&[TCP], &[]).await;
    let relays = [first.addresses(), second.addresses()].concat();
    let mut alice = world.person_up("alice", &relays).await;
    let mut bob = world.person_up("bob", &[]).await;
    let mut carol = world.person_up("carol", &[]).await;
    let mut erin = world.person_up("erin", &[]).await;
    for person in [&mut bob, &mut carol] {
        join(&mut erin, person).await;
    }
    let (channel, link) = brand(&alice, "shop").await;
    let hello = says(&alice, &channel, "hello").await;
    held(&mut alice, &channel, &hello, 2).await;
    for person in [&mut bob, &mut carol] {
        follows(person, &link, &channel).await;
        reads(person, &channel, &["hello"]).await;
    }
    // One relay shows bob a version, the other one carol another.
    alice.stop().await;
    carol.stop().await;
    let mut mallory = world.person("mallory", &relays);
    copy_directory(alice.data(), mallory.data());
    second.kill().await;
    alice.up().await;
    says(&alice, &channel, "it costs 10").await;
    reads(&mut bob, &channel, &["hello", "it costs 10"]).await;
    alice.stop().await;
    bob.stop().await;
    first.kill().await;
    second.up().await;
    mallory.up().await;
    let price = says(&mallory, &channel, "it costs 20").await;
    held(&mut mallory, &channel, &price, 1).await;
    carol.up().await;
    reads(&mut carol, &channel, &["hello", "it costs 20"]).await;
    mallory.stop().await;
    second.kill().await;

    // No relay is left. Both are contacts of erin, who begins to follow, and all of them pass on.
    bob.up().await;
    let follow = json!({ "link": link, "via": "followers" });
    assert_eq!(erin.ask("channel.follow", follow).await["via"], "followers");
    for person in [&bob, &carol] {
        let via = json!({ "channel": channel, "via": "followers" });
        person.ask("channel.via", via).await;
    }
    for person in [&mut bob, &mut carol, &mut erin] {
        let kept = proofs(person, &channel).await;
        checked_by_a_stranger(&world, &kept[0]).await;
    }
    // Erin, whom no relay ever told anything, reads it all the same.
    assert_eq!(texts(&erin, &channel).await[0], "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brand_that_wants_it_is_found_at_its_relay_until_it_wants_it_no_longer() {
    let world = World::new(MADANG);
    let mut relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let (channel, link) = brand(&alice, "마당 서점").await;
    // None while the relay isn't there, or was searched too often.
    let names = async |bob: &Person, params: Value| -> Option<Vec<String>> {
        let found = bob.rpc().call("channel.search", params).await.ok()?;
        let items = found["items"].as_array().unwrap().iter();
        Some(items.map(|item| item["name"].as_str().unwrap().to_owned()).collect())
    };
    let listing = async |alice: &Person| {
        let shown = alice.ask("channel.get", json!({ "channel": channel })).await;
        shown["listings"].clone()
    };
    bob.until(
        "the relay has a directory, in which nobody is unless wanted",
        async |bob| names(bob, json!({})).await?.is_empty().then_some(()),
    )
    .await;
    alice.ask("channel.enlist", json!({ "channel": channel })).await;
    let listed = async |alice: &Person| (listing(alice).await[0]["state"] == "listed").then_some(());
    alice.until("it is listed", listed).await;
    let found = bob
        .until("it is found", async |bob| names(bob, json!({ "query": "서점" })).await)
        .await;
    assert_eq!(found, ["마당 서점"]);
    let page = bob
        .ask("channel.search", json!({ "query": "READ", "category": "news" }))
        .await;
    let item = &page["items"][0];
    assert_eq!((&item["channel"], &item["followed"]), (&json!(channel), &json!(false)));
    let others = bob
        .until("another category has none", async |bob| {
            names(bob, json!({ "category": "offers" })).await
        })
        .await;
    assert!(others.is_empty(), "{others:?}");
    // The link that is found is good for following.
    follows(&mut bob, item["link"].as_str().unwrap(), &channel).await;
    assert_eq!(item["link"], link);

    relay.stop().await;
    relay.up().await;
    bob.until("it is found after the relay's restart", async |bob| {
        let page = bob.rpc().call("channel.search", json!({ "query": "서점" })).await;
        page.is_ok_and(|page| page["items"][0]["followed"] == true)
            .then_some(())
    })
    .await;
    let printed = by_hand(&bob, &["channel", "search", "서점"]).await;
    assert!(printed.contains("마당 서점") && printed.contains(&link), "{printed}");
    by_hand(&alice, &["channel", "enlist", "마당 서점", "--off"]).await;
    let gone = async |alice: &Person| listing(alice).await.is_null().then_some(());
    alice.until("it is listed no longer", gone).await;
    bob.until("it is found no longer", async |bob| {
        names(bob, json!({})).await?.is_empty().then_some(())
    })
    .await;
}

/// What a person has as evidence against a channel, once it is told of any.
async fn proofs(person: &mut Person, channel: &str) -> Vec<Value> {
    let told = person
        .event("the contradiction is told", |kind, data| {
            kind == "channel.evidence" && data["channel"] == channel
        })
        .await;
    assert_eq!(told["writer"], channel);
    let kept = person.ask("channel.evidence", json!({ "channel": channel })).await;
    kept["items"].as_array().unwrap().clone()
}

/// Has a node that knows nobody, and no relay, check evidence.
async fn checked_by_a_stranger(world: &World, proof: &Value) -> Value {
    let mut dave = world.person("dave", &[]);
    dave.up().await;
    let checked = dave.ask("channel.verify", json!({ "data": proof["data"] })).await;
    let mut forged = BASE64.decode(proof["data"].as_str().unwrap().as_bytes()).unwrap();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let forged = json!({ "data": BASE64.encode(&forged) });
    let refused = dave.rpc().call("channel.verify", forged).await;
    assert_eq!(refused.unwrap_err().code(), "invalid_params");
    dave.stop().await;
    checked
}
