//! What the processes say, searched for what they must not.

use std::collections::BTreeSet;

use madang_tests::{DEADLINE, LISTEN, Person, World, join};
use serde_json::json;

use crate::MADANG;

#[tokio::test(flavor = "multi_thread")]
async fn f65_no_secret_is_in_what_the_processes_say() {
    let world = World::new(MADANG);
    let trace = [("MADANG_LOG", "trace")];
    let mut relay = world.relay_with(&LISTEN, &trace).await;
    let mut alice = world.person("alice", relay.addresses());
    let mut bob = world.person("bob", relay.addresses());
    for person in [&mut alice, &mut bob] {
        person.set_env(trace[0].0, trace[0].1);
        person.up().await;
    }
    let phrase = alice.ask("account.phrase", json!({})).await;
    let words: Vec<&str> = phrase["words"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    let chat = join(&mut alice, &mut bob).await;
    let texts = ["the cat sleeps on the roof", "and the dog below it"];
    let id = alice.send(&chat, texts[0]).await;
    bob.receives(&id).await;
    bob.stop().await;
    let held = alice.send(&chat, texts[1]).await;
    alice.ledger_says(&held, "held").await;
    bob.up().await;
    bob.receives(&held).await;
    let refused = bob
        .rpc()
        .call("contact.accept", json!({ "invite": "madang:invite?secret-part" }))
        .await;
    assert_eq!(refused.unwrap_err().code(), "invite_invalid");
    let identities = identities(&alice, &bob, &chat).await;
    let cookies = [&alice, &bob].map(|person| std::fs::read_to_string(person.data().join("cookie")).unwrap());
    let invite = alice.ask("contact.invite", json!({})).await["invite"]
        .as_str()
        .unwrap()
        .to_owned();
    let (tokens, hook) = app_secrets(&alice).await;
    alice.stop().await;
    bob.stop().await;
    relay.stop().await;

    let mut secrets: Vec<String> = texts.map(str::to_owned).to_vec();
    secrets.extend(cookies.iter().map(|cookie| cookie.trim().to_owned()));
    secrets.push("hook-with-a-password".to_owned());
    secrets.extend(tokens);
    secrets.push(hook);
    // However the words are set apart: as a phrase or as JSON.
    secrets.extend([words[..3].join(" "), words[..3].join("\",\"")]);
    secrets.push(invite.split('?').nth(1).unwrap()[..40].to_owned());
    let outputs = world.outputs();
    let traced: usize = outputs
        .iter()
        .filter(|(name, _)| name.ends_with(".err"))
        .map(|(_, text)| text.len())
        .sum();
    assert!(
        traced > 10_000,
        "the processes trace nothing, so that this test shows nothing"
    );
    for (name, text) in &outputs {
        for secret in &secrets {
            let line = text.lines().find(|line| line.contains(secret.as_str()));
            assert!(line.is_none(), "{name} has a secret: {}", line.unwrap_or_default());
        }
        let above_debug = text
            .lines()
            .filter(|line| [" INFO ", " WARN ", "ERROR "].iter().any(|level| line.contains(level)));
        for line in above_debug {
            let found = identities.iter().find(|identity| line.contains(identity.as_str()));
            assert!(found.is_none(), "{name} names somebody above DEBUG: {line}");
        }
    }
}

/// Tokens that are used, turned away and refused something, and the secret of a webhook that can't be reached.
async fn app_secrets(alice: &Person) -> (Vec<String>, String) {
    let secret = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let asked = alice
        .rpc()
        .of_app(None)
        .ask("app.request", json!({ "name": "asks", "scopes": ["chat:read"] }))
        .await;
    let made = alice
        .ask("app.mint", json!({ "name": "reads", "scopes": ["chat:read"] }))
        .await;
    let tokens = vec![secret(&asked["token"]), secret(&made["token"])];
    let turned_away = alice
        .rpc()
        .of_app(Some(&tokens[0]))
        .call("app.self", json!({}))
        .await
        .unwrap_err();
    let reader = alice.rpc().of_app(Some(&tokens[1]));
    let refused = reader.call("node.info", json!({})).await.unwrap_err();
    let nowhere = "http://127.0.0.1:1/hook-with-a-password-in-its-path";
    let hook = json!({ "url": nowhere, "after": "0" });
    let hook = secret(&reader.ask("event.webhook_set", hook).await["secret"]);
    let failed = async || {
        let hooks = reader.ask("event.webhooks", json!({})).await;
        hooks["items"][0]["last_error"].as_str().map(str::to_owned)
    };
    let error = tokio::time::timeout(DEADLINE, async {
        loop {
            if let Some(error) = failed().await {
                return error;
            }
            tokio::task::yield_now().await;
        }
    });
    let words = format!("{turned_away:?} {refused:?} {}", error.await.unwrap());
    assert!(
        tokens
            .iter()
            .chain([&hook])
            .all(|secret| !words.contains(secret.as_str())),
        "{words}"
    );
    (tokens, hook)
}

/// Accounts, devices, peers and the chat: what isn't logged above DEBUG.
async fn identities(alice: &Person, bob: &Person, chat: &str) -> BTreeSet<String> {
    let mut identities = BTreeSet::from([chat.to_owned()]);
    for person in [alice, bob] {
        let info = person.ask("node.info", json!({})).await;
        identities.extend(["account", "device", "peer"].map(|field| info[field].as_str().unwrap().to_owned()));
    }
    identities
}
