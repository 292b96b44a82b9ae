//! What two people do through the JSON-RPC: with a relay, without one, and over kills.

use std::time::{Duration, Instant};

use madang_tests::{DEADLINE, QUIC, TCP, World, join};
use serde_json::{Value, json};

use crate::MADANG;

/// How long a node that was killed may be out of reach after its restart: far below the time for which a dead connection may idle.
const FOUND_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn two_people_and_a_relay_through_the_json_rpc_alone() {
    let world = World::new(MADANG);
    let mut relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;

    let hello = alice.send(&chat, "hello bob").await;
    bob.receives(&hello).await;
    let answer = bob.send(&chat, "hello alice").await;
    alice.receives(&answer).await;

    alice.stop().await;
    let mut waiting = Vec::new();
    for text in ["one", "two", "three"] {
        waiting.push(bob.send(&chat, text).await);
    }
    for id in &waiting {
        let ledger = bob.ledger_says(id, "held").await;
        assert_eq!(ledger["held"].as_array().unwrap().len(), 1, "{ledger}");
    }
    bob.kill().await;
    bob.up().await;
    alice.up().await;
    for id in &waiting {
        alice.receives(id).await;
        bob.ledger_says(id, "delivered").await;
    }
    let through = waiting.last().unwrap();
    alice
        .ask("message.mark_read", json!({ "chat": chat, "through": through }))
        .await;
    bob.ledger_says(through, "read").await;

    relay.stop().await;
    let without = alice.send(&chat, "without a relay").await;
    bob.receives(&without).await;
    alice.ledger_says(&without, "delivered").await;

    let texts = ["hello bob", "hello alice", "one", "two", "three", "without a relay"];
    for person in [&mut alice, &mut bob] {
        let said = person.said(&chat).await;
        assert_eq!(said.iter().map(|said| said.text.as_str()).collect::<Vec<_>>(), texts);
        person.events_are_sound().await;
    }
    let doctor = bob.ask("node.doctor", json!({})).await;
    assert_eq!(doctor["chats"][0]["path"], "direct", "{doctor}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_need_no_relay_at_all() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let id = alice.send(&chat, "hello").await;
    bob.receives(&id).await;
    bob.ask("message.mark_read", json!({ "chat": chat, "through": id }))
        .await;
    alice.ledger_says(&id, "read").await;

    // What is written while the other is away waits at its author, also over a kill.
    bob.stop().await;
    let first = alice.send(&chat, "first").await;
    alice.kill().await;
    alice.up().await;
    let second = alice.send(&chat, "second").await;
    bob.up().await;
    bob.receives(&first).await;
    bob.receives(&second).await;
    alice.ledger_says(&second, "delivered").await;
    let texts: Vec<String> = bob.said(&chat).await.into_iter().map(|said| said.text).collect();
    assert_eq!(texts, ["hello", "first", "second"]);
    bob.events_are_sound().await;
}

/// Kills one of two who have no relay, more often than a peer may have connections; `listen` is their only transport.
async fn found_again(listen: &str) {
    let world = World::new(MADANG);
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| world.person(name, &[]));
    for person in [&mut alice, &mut bob] {
        person.set_listen(listen);
        person.up().await;
    }
    let chat = join(&mut alice, &mut bob).await;
    for round in 0..7 {
        bob.kill().await;
        let there = alice.send(&chat, &format!("there {round}")).await;
        bob.up().await;
        let back = bob.send(&chat, &format!("back {round}")).await;
        let began = Instant::now();
        bob.receives(&there).await;
        alice.receives(&back).await;
        assert!(
            began.elapsed() < FOUND_WITHIN,
            "round {round} took {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_is_found_again_at_once_over_quic() {
    found_again(QUIC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_is_found_again_at_once_over_tcp() {
    found_again(TCP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_never_meet_talk_through_the_relay() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;
    bob.stop().await;

    // Each is there only while the other isn't.
    let mut theirs = Vec::new();
    for round in 0..2 {
        let id = alice.send(&chat, &format!("alice {round}")).await;
        alice.ledger_says(&id, "held").await;
        alice.stop().await;
        bob.up().await;
        bob.receives(&id).await;
        let answer = bob.send(&chat, &format!("bob {round}")).await;
        bob.ledger_says(&answer, "held").await;
        bob.stop().await;
        alice.up().await;
        alice.receives(&answer).await;
        // Bob's confirmation came through the relay as well.
        alice.ledger_says(&id, "delivered").await;
        theirs.extend([id, answer]);
    }
    let said: Vec<String> = alice.said(&chat).await.into_iter().map(|said| said.id).collect();
    assert_eq!(said, theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_repeated_over_a_kill_sends_one_message() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let params = json!({ "chat": chat, "body": { "kind": "text", "text": "once" }, "idempotency_key": "key" });
    let first = alice.ask("message.send", params.clone()).await;
    alice.kill().await;
    alice.up().await;
    let again = alice.ask("message.send", params).await;
    assert_eq!(again["message"], first["message"]);
    let other = json!({ "chat": chat, "body": { "kind": "text", "text": "other" }, "idempotency_key": "key" });
    let refused = alice.rpc().call("message.send", other).await.unwrap_err();
    assert_eq!(refused.code(), "idempotency_conflict");

    let last = alice.send(&chat, "last").await;
    bob.receives(&last).await;
    for person in [&alice, &bob] {
        let texts: Vec<String> = person.said(&chat).await.into_iter().map(|said| said.text).collect();
        assert_eq!(texts, ["once", "last"]);
    }
    bob.events_are_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_neither_lost_nor_doubled_over_kills() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let mut sent = Vec::new();
    for round in 0..3 {
        for n in 0..5 {
            sent.push(alice.send(&chat, &format!("{round} {n}")).await);
        }
        bob.receives(sent.last().unwrap()).await;
        bob.kill().await;
        bob.up().await;
    }
    // What was seen piece by piece, with cursors of before each kill, is what the log holds.
    let pieces = bob.all_events().await.to_vec();
    let whole = bob.ask("event.poll", json!({ "after": "0", "limit": 1000 })).await;
    assert_eq!(pieces, *whole["items"].as_array().unwrap());
    let received: Vec<&Value> = pieces
        .iter()
        .filter(|event| event["kind"] == "message.received")
        .collect();
    let ids: Vec<&str> = received
        .iter()
        .map(|event| event["data"]["message"].as_str().unwrap())
        .collect();
    assert_eq!(ids, sent);
    bob.events_are_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_subscription_carries_what_polling_gives() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let (_socket, mut events) = bob.rpc().subscribe("0").await;
    let mut last = String::new();
    for n in 0..10 {
        last = alice.send(&chat, &n.to_string()).await;
    }
    bob.receives(&last).await;
    let polled = bob.all_events().await.to_vec();
    let mut pushed = Vec::new();
    while pushed.len() < polled.len() {
        let event = tokio::time::timeout(DEADLINE, events.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        pushed.push(event);
    }
    assert_eq!(pushed, polled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_goes_forward_only() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;
    let (_socket, mut events) = alice.rpc().subscribe("0").await;
    let id = alice.send(&chat, "read me").await;
    bob.receives(&id).await;
    let chats = bob.rpc().list("chat.list", &json!({})).await;
    assert_eq!(chats[0]["unread"], 1);
    bob.ask("message.mark_read", json!({ "chat": chat, "through": id }))
        .await;
    assert_eq!(bob.rpc().list("chat.list", &json!({})).await[0]["unread"], 0);
    let ledger = alice.ledger_says(&id, "read").await;
    assert_eq!(ledger["read"].as_array().unwrap().len(), 1, "{ledger}");
    // The stream ends at `read`, and never goes back on the way.
    let states = ["queued", "held", "delivered", "read"];
    let mut reached = 0;
    while reached < 3 {
        let event = tokio::time::timeout(DEADLINE, events.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        if event["kind"] == "message.ledger" && event["data"]["message"] == id.as_str() {
            let state = states
                .iter()
                .position(|state| event["data"]["ledger"]["state"] == *state)
                .unwrap();
            assert!(state >= reached, "went back: {event}");
            reached = state;
        }
    }
    alice.events_are_sound().await;
}
