//! Apps: one asks a running node to be let in, the user approves it at the command line, and it does what it may, over a kill.

use madang_tests::{World, join};
use serde_json::{Value, json};

use crate::MADANG;
use crate::kinds::by_hand;

#[tokio::test(flavor = "multi_thread")]
async fn f58_an_app_asks_is_approved_narrower_and_ends_with_its_token() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;

    let ask = json!({ "name": "notifier", "scopes": ["chat:read", "chat:send", "contact:read"] });
    let asked = alice.rpc().of_app(None).ask("app.request", ask).await;
    let token = asked["token"].as_str().unwrap().to_owned();
    let (app, id) = (alice.rpc().of_app(Some(&token)), asked["app"].clone());
    assert!(app.call("chat.list", json!({})).await.is_err(), "not approved yet");
    let event = alice.event("an app asks", |kind, _| kind == "app.requested").await;
    assert_eq!((&event["app"], &event["name"]), (&id, &json!("notifier")));

    let scope = format!("chat:{chat}:read");
    let listed = by_hand(&alice, &["app", "list"]).await;
    assert!(listed.contains("notifier") && listed.contains("requested"), "{listed}");
    by_hand(&alice, &["app", "approve", "notifier", "--scope", &scope]).await;
    let own = app.ask("app.self", json!({})).await;
    assert_eq!((&own["scopes"], &own["state"]), (&json!([scope]), &json!("active")));
    let send = json!({ "chat": chat, "body": { "kind": "text", "text": "no" } });
    assert_eq!(
        app.call("message.send", send).await.unwrap_err().code(),
        "scope_missing"
    );

    let message = bob.send(&chat, "for the notifier").await;
    alice.receives(&message).await;
    let from = json!({ "after": "ack", "filter": { "kinds": ["message.received"] } });
    let page = app.ask("event.poll", from.clone()).await;
    let seen = page["items"].as_array().unwrap();
    assert_eq!(seen.len(), 1, "{page}");
    assert_eq!(seen[0]["data"]["message"], message.as_str());
    app.ask("event.ack", json!({ "cursor": seen[0]["cursor"] })).await;

    alice.kill().await;
    alice.up().await;
    let app = alice.rpc().of_app(Some(&token));
    assert_eq!(
        app.ask("event.poll", from).await["items"],
        json!([]),
        "an event comes again"
    );
    assert_eq!(
        app.ask("message.list", json!({ "chat": chat })).await["items"][0]["message"],
        message.as_str()
    );

    let made = by_hand(&alice, &["app", "token", "owner's script", "--scope", "node:read"]).await;
    let script = alice.rpc().of_app(Some(made.trim()));
    script.ask("node.info", json!({})).await;
    by_hand(&alice, &["app", "revoke", "notifier"]).await;
    assert!(app.call("app.self", json!({})).await.is_err(), "revoked");
    script.ask("node.info", json!({})).await;
    let left: Value = serde_json::from_str(&by_hand(&alice, &["app", "list", "--json"]).await).unwrap();
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_is_an_apps_own_and_outlives_a_kill() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let mut tokens = Vec::new();
    for name in ["one", "other"] {
        let made = alice
            .ask(
                "app.mint",
                json!({ "name": name, "scopes": ["chat:send", "chat:manage"] }),
            )
            .await;
        tokens.push(made["token"].as_str().unwrap().to_owned());
    }
    let say = |text: &str| json!({ "chat": chat, "body": { "kind": "text", "text": text }, "idempotency_key": "k" });
    let (mut sent, mut groups) = (Vec::new(), Vec::new());
    for restarted in [false, true] {
        if restarted {
            alice.kill().await;
            alice.up().await;
        }
        let (one, other) = (
            alice.rpc().of_app(Some(&tokens[0])),
            alice.rpc().of_app(Some(&tokens[1])),
        );
        for (who, text) in [(&one, "one"), (&other, "other"), (alice.rpc(), "owner")] {
            sent.push(who.ask("message.send", say(text)).await["message"].clone());
            let again = who.ask("message.send", say(text)).await["message"].clone();
            assert_eq!(Some(&again), sent.last(), "{text} again");
            let refused = who.call("message.send", say("something else")).await.unwrap_err();
            assert_eq!(refused.code(), "idempotency_conflict", "{text}");
            let group = |name: &str| json!({ "name": name, "members": [], "idempotency_key": "g" });
            groups.push(who.ask("chat.create", group(text)).await["chat"].clone());
            let again = who.ask("chat.create", group(text)).await["chat"].clone();
            assert_eq!(Some(&again), groups.last(), "{text} again");
            let refused = who.call("chat.create", group("something else")).await.unwrap_err();
            assert_eq!(refused.code(), "idempotency_conflict", "{text}");
        }
    }
    assert_eq!(sent[..3], sent[3..]);
    assert_eq!(groups[..3], groups[3..]);
    let chats = alice.ask("chat.list", json!({})).await;
    assert_eq!(chats["items"].as_array().unwrap().len(), 4);
    assert_eq!(alice.said(&chat).await.len(), 3);
}
