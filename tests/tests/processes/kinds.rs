//! Replies, reactions, edits, deletions and polls between two real nodes, by JSON-RPC and by the command line, over a kill.

use std::ffi::OsString;
use std::path::Path;

use madang_tests::{DEADLINE, Person, World, join, run};
use serde_json::{Value, json};

use crate::MADANG;

/// Waits until a message is shown so; returns it.
async fn shows(person: &mut Person, message: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    person
        .until(what, async |person| {
            let found = person.ask("message.get", json!({ "message": message })).await;
            fits(&found).then_some(found)
        })
        .await
}

/// Runs a command of the command line on a person's node; returns what it printed.
pub(crate) async fn by_hand(person: &Person, args: &[&str]) -> String {
    let mut all: Vec<OsString> = args.iter().map(OsString::from).collect();
    all.extend(["--data".into(), person.data().into()]);
    let output = run(Path::new(MADANG), &all, DEADLINE).await;
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {}: {error}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_reaches_the_other_and_outlives_a_kill() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let account = bob.ask("account.get", json!({})).await["account"].clone();

    let first = alice.send(&chat, "who comes @bob?").await;
    bob.receives(&first).await;
    let mention = json!({ "account": account, "start_bytes": 10, "length_bytes": 4 });
    let edit = json!({ "message": first, "text": "who comes @bob", "mentions": [mention] });
    let edited = alice.ask("message.edit", edit).await;
    assert_eq!(edited["body"]["mentions"][0]["account"], account);
    let body = json!({ "kind": "text", "text": "me", "reply_to": first });
    let answer = bob.ask("message.send", json!({ "chat": chat, "body": body })).await["message"].clone();
    let answer = answer.as_str().unwrap().to_owned();
    alice.receives(&answer).await;
    let view = shows(&mut alice, &answer, "the answer names its message", |view| {
        view["body"]["reply_to"] == first.as_str()
    })
    .await;
    assert_eq!(view["body"]["text"], "me");

    let refused = bob
        .rpc()
        .call("message.edit", json!({ "message": first, "text": "mine" }))
        .await;
    assert_eq!(refused.unwrap_err().code(), "not_allowed");
    let body = json!({ "kind": "poll", "question": "when?", "options": ["now", "later"] });
    let poll = alice.ask("message.send", json!({ "chat": chat, "body": body })).await["message"].clone();
    let poll = poll.as_str().unwrap().to_owned();
    bob.receives(&poll).await;

    // The rest while alice is killed: it waits for her.
    alice.kill().await;
    let by_prefix = by_hand(&bob, &["react", &first[..12], "👍"]).await;
    assert!(by_prefix.contains("who comes @bob  (edited)  👍 1"), "{by_prefix}");
    let voted = by_hand(&bob, &["vote", &poll, "2"]).await;
    assert!(voted.contains("2. later  (1)"), "{voted}");
    by_hand(&bob, &["delete", &answer]).await;
    alice.up().await;

    let view = shows(&mut alice, &first, "bob's reaction", |view| {
        view["reactions"] != Value::Null
    })
    .await;
    assert_eq!(view["reactions"], json!([{ "emoji": "👍", "accounts": [account] }]));
    assert_eq!(view["body"]["text"], "who comes @bob");
    let view = shows(&mut alice, &poll, "bob's vote", |view| {
        view["body"]["options"][1]["accounts"] != json!([])
    })
    .await;
    let options = json!([{ "text": "now", "accounts": [] }, { "text": "later", "accounts": [account] }]);
    assert_eq!(view["body"]["options"], options);
    shows(&mut alice, &answer, "the deletion", |view| {
        view["body"]["kind"] == "deleted"
    })
    .await;
    alice
        .event("the deletion is told", |kind, data| {
            kind == "message.updated" && data["message"] == answer.as_str()
        })
        .await;

    // Both show three entries, and the same.
    let listed = |messages: Vec<Value>| -> Vec<(Value, Value)> {
        let entry = |message: &Value| (message["message"].clone(), message["body"].clone());
        messages.iter().map(entry).collect()
    };
    let (hers, his) = (alice.rpc().messages(&chat).await, bob.rpc().messages(&chat).await);
    assert_eq!(hers.len(), 3);
    assert_eq!(listed(hers), listed(his));
    let read = by_hand(&alice, &["read", "bob", "--ids"]).await;
    assert!(read.contains("(deleted)") && read.contains(&first[..8]), "{read}");
    for person in [&mut alice, &mut bob] {
        person.events_are_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f25_who_types_is_told_to_whoever_is_connected_and_seldom() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let hello = alice.send(&chat, "hello").await;
    bob.receives(&hello).await;
    by_hand(&alice, &["typing", &chat]).await;
    let account = alice.ask("account.get", json!({})).await["account"].clone();
    let typing = |data: &Value| data["chat"] == chat.as_str() && data["account"] == account;
    let heard = bob
        .event("alice types", |kind, data| kind == "chat.typing" && typing(data))
        .await;
    assert_eq!(heard["active"], true, "{heard}");
    for _ in 0..20 {
        alice.ask("chat.typing", json!({ "chat": chat })).await;
    }
    alice.ask("chat.typing", json!({ "chat": chat, "active": false })).await;
    bob.event("alice has stopped", |kind, data| {
        kind == "chat.typing" && typing(data) && data["active"] == false
    })
    .await;
    let there = alice.send(&chat, "there").await;
    bob.receives(&there).await;
    let events = bob.all_events().await;
    assert_eq!(events.iter().filter(|event| event["kind"] == "chat.typing").count(), 2);
    assert_eq!(bob.said(&chat).await.len(), 2, "nothing of it is kept as a message");
}
