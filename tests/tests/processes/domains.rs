//! A domain that vouches for a channel or an app, or doesn't.

use std::path::{Path, PathBuf};

use madang_tests::{Domain, Person, World, join};
use serde_json::{Value, json};

use crate::MADANG;
use crate::handlers::{card_of, new_app, typed};
use crate::kinds::by_hand;

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

/// Makes an app that says that it belongs to the domain.
async fn app_of_domain(world: &World, name: &str) -> PathBuf {
    let (app, _) = new_app(world, name).await;
    let manifest = app.join("manifest.json");
    let mut said: Value = serde_json::from_str(&std::fs::read_to_string(&manifest).unwrap()).unwrap();
    said["domains"] = json!([DOMAIN]);
    said["handlers"] = json!([{ "os": "linux", "verified_link": format!("https://{DOMAIN}/open") }]);
    std::fs::write(&manifest, said.to_string()).unwrap();
    app
}

async fn vouched(app: &Path) -> String {
    typed(&["app", "vouch", app.to_str().unwrap(), DOMAIN]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn f63_a_domain_is_asked_about_an_app_when_the_user_acts_and_its_link_is_opened_only_then() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let site = Domain::start(DOMAIN).await;
    let mut bob = world.person("bob", &[]);
    site.known_to(&mut bob, &world);
    bob.up().await;
    let chat = join(&mut alice, &mut bob).await;
    let app = app_of_domain(&world, "shop").await;
    let mut send = card_of(&app).await;
    send["chats"] = json!([chat]);
    send["idempotency_key"] = json!("k");
    let sent = alice.ask("share.send", send).await["items"][0].clone();
    let about = json!({ "message": sent["message"] });
    bob.receives(sent["message"].as_str().unwrap()).await;

    let domains = async |bob: &Person| {
        let got = bob.ask("message.get", about.clone()).await;
        got["body"]["card"]["by"]["domains"].clone()
    };
    let claimed = json!([{ "domain": DOMAIN }]);
    assert_eq!(domains(&bob).await, claimed);
    let read = by_hand(&bob, &["read", &chat]).await;
    assert!(read.contains("says it belongs to shop.example"), "{read}");
    // A button that leads nowhere asks nobody either.
    let mut press = about.clone();
    press["button"] = json!("buttons[0]");
    bob.ask("share.open", press).await;
    assert_eq!(site.asked(), 0, "shown, and the domain was told");

    let mut open = about.clone();
    open["os"] = json!("linux");
    let opened = bob.ask("share.open", open.clone()).await;
    assert_eq!((opened["action"]["kind"].as_str(), site.asked()), (Some("web"), 1));
    bob.ask("share.open", open.clone()).await;
    assert_eq!(
        (domains(&bob).await, site.asked()),
        (claimed.clone(), 1),
        "asked again at once"
    );
    let unknown = bob.ask("share.prove", about.clone()).await;
    assert_eq!(unknown["unavailable"][0]["domain"], DOMAIN, "{unknown}");

    let other = app_of_domain(&world, "other").await;
    for (of, is_proved) in [(&other, false), (&app, true)] {
        site.says(200, &vouched(of).await);
        let proved = bob.ask("share.prove", about.clone()).await;
        assert_eq!(
            proved["by"]["domains"][0]["proved_ms"].is_number(),
            is_proved,
            "{proved}"
        );
    }
    let asked = site.asked();
    bob.stop().await;
    bob.up().await;
    let opened = bob.ask("share.open", open.clone()).await;
    let url = format!("https://{DOMAIN}/open?recipe=7");
    assert_eq!(opened["action"], json!({ "kind": "verified_link", "url": url }));
    assert_eq!(site.asked(), asked, "it has just vouched");
    let read = by_hand(&bob, &["read", &chat]).await;
    assert!(read.contains("proved to belong to shop.example"), "{read}");
    // A card that shows an older manifest than was opened is marked, and the newer isn't.
    let manifest = app.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let mut newer: Value = serde_json::from_str(&text).unwrap();
    newer["number"] = json!(2);
    std::fs::write(&manifest, newer.to_string()).unwrap();
    let mut send = card_of(&app).await;
    send["chats"] = json!([chat]);
    send["idempotency_key"] = json!("newer");
    let second = alice.ask("share.send", send).await["items"][0]["message"].clone();
    bob.receives(second.as_str().unwrap()).await;
    let outdated = async |bob: &Person, message: &Value| {
        let got = bob.ask("message.get", json!({ "message": message })).await;
        got["body"]["card"]["by"]["outdated"].clone()
    };
    assert_eq!(outdated(&bob, &sent["message"]).await, Value::Null);
    bob.ask("share.open", json!({ "message": second })).await;
    assert_eq!(outdated(&bob, &sent["message"]).await, true);
    assert_eq!(outdated(&bob, &second).await, Value::Null);
    // What can't be reached has taken nothing back; what it doesn't say any more it has.
    site.says(503, "");
    bob.ask("share.prove", about.clone()).await;
    assert!(domains(&bob).await[0]["proved_ms"].is_number());
    site.says(200, r#"{"madang": 1}"#);
    bob.ask("share.prove", about.clone()).await;
    assert_eq!(domains(&bob).await, claimed);
}
