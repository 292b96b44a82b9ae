//! A domain that vouches for a channel, or doesn't.

use madang_tests::{Domain, Person, World};
use serde_json::{Value, json};

use crate::MADANG;

const DOMAIN: &str = "shop.example";

/// What a follower is told of the domain.
async fn domain(person: &Person, channel: &Value) -> (Value, bool) {
    let shown = person.ask("channel.get", json!({ "channel": channel })).await;
    (
        shown["manifest"]["domain"].clone(),
        shown["domain_proved_ms"].is_number(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_is_shown_as_proved_only_if_it_vouches_for_the_channel() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let alice = world.person_up("alice", relay.addresses()).await;
    let site = Domain::start(DOMAIN).await;
    let mut bob = world.person("bob", &[]);
    site.known_to(&mut bob, &world);
    bob.up().await;

    let made = alice
        .ask("channel.create", json!({ "name": "Shop", "domain": DOMAIN }))
        .await;
    let channel = made["channel"].clone();
    let about = json!({ "channel": channel });
    bob.ask("channel.follow", json!({ "link": made["link"] })).await;
    bob.until("the manifest is here", async |bob| {
        let shown = bob.ask("channel.get", json!({ "channel": channel })).await;
        shown["manifest"].is_object().then_some(())
    })
    .await;
    assert_eq!(domain(&bob, &channel).await, (json!(DOMAIN), false));

    let vouched = alice.ask("channel.vouch", about.clone()).await;
    assert_eq!(vouched["url"], format!("https://{DOMAIN}/.well-known/madang.json"));
    let file = vouched["file"].as_str().unwrap();
    let other = alice
        .ask("channel.create", json!({ "name": "Other", "domain": DOMAIN }))
        .await;
    let of_other = alice.ask("channel.vouch", json!({ "channel": other["channel"] })).await;
    for (status, page, code) in [
        (404, file, "domain_unavailable"),
        (302, file, "domain_unavailable"),
        (200, "<html>", "domain_unavailable"),
        (200, &"x".repeat(1024 * 1024), "domain_unavailable"),
        (200, r#"{"madang": 1, "channels": ["AAAA"]}"#, "invalid_params"),
        (200, of_other["file"].as_str().unwrap(), "invalid_params"),
    ] {
        site.says(status, page);
        let refused = bob.rpc().call("channel.prove", about.clone()).await.unwrap_err();
        assert_eq!(refused.code(), code, "{status} {}", &page[..page.len().min(40)]);
        assert_eq!(domain(&bob, &channel).await, (json!(DOMAIN), false));
    }
    site.says(200, file);
    let proved = bob.ask("channel.prove", about).await;
    assert!(proved["domain_proved_ms"].is_number(), "{proved}");
    bob.stop().await;
    bob.up().await;
    assert_eq!(domain(&bob, &channel).await, (json!(DOMAIN), true));

    // Another domain that it names now is a claim again.
    let change = json!({ "channel": channel, "domain": "other.example" });
    alice.ask("channel.update", change).await;
    bob.until("the claim changes", async |bob| {
        (domain(bob, &channel).await == (json!("other.example"), false)).then_some(())
    })
    .await;
}
