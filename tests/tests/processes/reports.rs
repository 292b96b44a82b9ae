//! Posts that are reported to a relay's operator.

use std::path::Path;

use madang_tests::{DEADLINE, TCP, World, run};
use serde_json::{Value, json};

use crate::MADANG;
use crate::channels::{brand, follows, held, reads, says};
use crate::kinds::by_hand;

/// What an operator's tool answers.
async fn operator(data: &Path, more: &[&str]) -> Value {
    let mut args = vec!["relay", "reports"];
    args.extend(more);
    args.extend(["--json", "--data", data.to_str().unwrap()]);
    let output = run(Path::new(MADANG), &args, DEADLINE).await;
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_post_waits_for_the_relay_and_reaches_its_operator_who_checks_and_dismisses_it() {
    let world = World::new(MADANG);
    let mut relay = world.relay_with(&[TCP], &[]).await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", &[]).await;
    let mut carol = world.person_up("carol", &[]).await;
    let (channel, link) = brand(&alice, "shop").await;
    let post = says(&alice, &channel, "win a prize").await;
    held(&mut alice, &channel, &post, 1).await;
    for person in [&mut bob, &mut carol] {
        follows(person, &link, &channel).await;
        reads(person, &channel, &["win a prize"]).await;
    }

    // The relay is away, and bob's node is started anew before it comes back.
    relay.stop().await;
    let more = ["--reason", "fraud", "--text", "They ask for card numbers", "--block"];
    let args = [&["channel", "report", "shop", &post][..], &more].concat();
    by_hand(&bob, &args).await;
    let blocked = bob.ask("channel.get", json!({ "channel": channel })).await;
    assert_eq!(blocked["blocked"], true);
    bob.stop().await;
    bob.up().await;
    relay.up().await;
    let told = bob
        .event("the relay has it", |kind, _| kind == "channel.reported")
        .await;
    assert_eq!((&told["post"], &told["state"]), (&json!(post), &json!("taken")));
    let params = json!({ "channel": channel, "post": post, "reason": "spam" });
    for _ in 0..2 {
        carol.ask("channel.report", params.clone()).await;
        carol.event("it is taken", |kind, _| kind == "channel.reported").await;
    }

    let listed = operator(relay.data(), &["list"]).await;
    let item = &listed["items"][0];
    assert_eq!((&item["post"], &item["channel"]), (&json!(post), &json!(channel)));
    assert_eq!(item["count"], 2, "carol counts once");
    assert_eq!(item["reasons"], json!({ "fraud": 1, "spam": 1 }));
    assert_eq!(item["notes"][0]["text"], "They ask for card numbers");
    assert_eq!(item["texts"], json!(["win a prize"]));
    let text = listed.to_string();
    for person in [&bob, &carol] {
        let account = person.ask("account.get", json!({})).await;
        assert!(!text.contains(account["account"].as_str().unwrap()));
    }

    let folder = world.dir().join("evidence");
    let shown = operator(relay.data(), &["show", &post[..12], "--to", folder.to_str().unwrap()]).await;
    let written = shown["written"][0].as_str().unwrap();
    let checked = by_hand(&carol, &["channel", "verify", written]).await;
    assert!(checked.contains("signed"), "{checked}");
    operator(relay.data(), &["dismiss", &post]).await;
    assert_eq!(operator(relay.data(), &["list"]).await, json!({ "items": [] }));
}
