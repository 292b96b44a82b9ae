//! Who has a file: any member that fetched it.

use std::path::Path;

use madang_tests::{Person, Relay, TCP, World, join};
use serde_json::{Value, json};

use crate::MADANG;
use crate::kit::{are_equal, chunk_bytes, comes, command, file, printed};

/// Bytes of more chunks than one answer holds, several times.
const LENGTH: u64 = 12 * 1024 * 1024;

/// Makes a group of three whose members are contacts; gives it.
async fn group(alice: &mut Person, bob: &mut Person, carol: &mut Person) -> String {
    join(alice, bob).await;
    join(alice, carol).await;
    join(bob, carol).await;
    let mut members = Vec::new();
    for person in [&*bob, &*carol] {
        members.push(person.ask("account.get", json!({})).await["account"].clone());
    }
    let made = alice
        .ask("chat.create", json!({ "name": "three", "members": members }))
        .await;
    let chat = made["chat"].as_str().unwrap().to_owned();
    for person in [bob, carol] {
        person.is_active(&chat).await;
    }
    chat
}

async fn send(person: &Person, chat: &str, path: &Path) -> String {
    let sent = printed(command(
        person.data(),
        &["send", chat, "--file", path.to_str().unwrap()],
    ))
    .await;
    sent["message"].as_str().unwrap().to_owned()
}

async fn save(person: &Person, message: &str, to: &Path) -> Value {
    printed(command(person.data(), &["save", message, "--to", to.to_str().unwrap()])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_has_the_file_serves_it_while_its_sender_is_away() {
    // Without a relay, so that nobody else has it.
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let mut carol = world.person_up("carol", &[]).await;
    let chat = group(&mut alice, &mut bob, &mut carol).await;
    let source = file(&world, "large.bin", LENGTH);
    let message = send(&alice, &chat, &source).await;
    bob.receives(&message).await;
    carol.receives(&message).await;
    save(&bob, &message, &world.dir().join("bobs")).await;
    alice.kill().await;

    let to = world.dir().join("carols");
    save(&carol, &message, &to).await;

    assert!(are_equal(&source, &to));
}

/// Sends a file that both relays take whole; gives the message.
async fn both_have(alice: &Person, chat: &str, source: &Path) -> String {
    let message = send(alice, chat, source).await;
    let blob = alice.ask("message.get", json!({ "message": message })).await["body"]["file"]["blob"].clone();
    comes("both relays have it", async || {
        let stat = alice.ask("blob.stat", json!({ "blob": blob })).await;
        stat["held"].as_array().is_some_and(|held| held.len() == 2)
    })
    .await;
    message
}

/// Chunks that a relay has served.
async fn served(relay: &Relay) -> f64 {
    relay.metric("madang_relay_chunks_served_total").await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sources_each_serve_a_part() {
    let world = World::new(MADANG);
    let relays = [world.relay_with(&[TCP], &[]).await, world.relay_with(&[TCP], &[]).await];
    let addresses = relays.each_ref().map(|relay| relay.addresses().to_vec()).concat();
    let mut alice = world.person_up("alice", &addresses).await;
    let mut bob = world.person_up("bob", &addresses).await;
    let chat = join(&mut alice, &mut bob).await;
    bob.stop().await;
    let source = file(&world, "large.bin", LENGTH);
    let message = both_have(&alice, &chat, &source).await;
    alice.stop().await;
    bob.up().await;
    bob.receives(&message).await;

    let to = world.dir().join("bobs");
    save(&bob, &message, &to).await;

    assert!(are_equal(&source, &to));
    let counts = [served(&relays[0]).await, served(&relays[1]).await];
    let all = LENGTH.div_ceil(60 * 1024) as f64;
    assert!(counts.iter().all(|count| *count > 0.0), "{counts:?}");
    assert!(counts.iter().sum::<f64>() >= all, "{counts:?} of {all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f49_a_relay_that_serves_wrong_chunks_is_noted_and_the_file_comes_from_elsewhere() {
    let world = World::new(MADANG);
    let lies = world.dir().join("lies");
    std::fs::write(&lies, "chunks").unwrap();
    let envs = [("MADANG_RELAY_LIES", lies.to_str().unwrap())];
    let liar = world.relay_with(&[TCP], &envs).await;
    let honest = world.relay_with(&[TCP], &[]).await;
    let addresses = [liar.addresses(), honest.addresses()].concat();
    let mut alice = world.person_up("alice", &addresses).await;
    let mut bob = world.person_up("bob", &addresses).await;
    let chat = join(&mut alice, &mut bob).await;
    bob.stop().await;
    let source = file(&world, "large.bin", LENGTH);
    let message = both_have(&alice, &chat, &source).await;
    alice.stop().await;
    bob.up().await;
    bob.receives(&message).await;

    let to = world.dir().join("bobs");
    save(&bob, &message, &to).await;

    assert!(are_equal(&source, &to));
    let info = bob.ask("node.info", json!({})).await;
    let relay = info["relays"].as_array().unwrap().iter().find(|relay| {
        let address = relay["address"].as_str().unwrap();
        liar.addresses().iter().any(|known| known == address)
    });
    let evidence = bob
        .ask("relay.evidence", json!({ "relay": relay.unwrap()["relay"] }))
        .await;
    assert_eq!(evidence["items"][0]["reason"], "junk", "{evidence}");
    // It was asked no more after its first answers.
    let all = LENGTH.div_ceil(60 * 1024) as f64;
    assert!(served(&liar).await < all / 2.0, "{} of {all}", served(&liar).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn f30_a_part_that_is_damaged_at_rest_is_fetched_again() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let source = file(&world, "large.bin", LENGTH);
    let message = send(&alice, &chat, &source).await;
    bob.receives(&message).await;
    save(&bob, &message, &world.dir().join("first")).await;
    assert!(chunk_bytes(bob.data()) >= LENGTH);
    bob.stop().await;
    let mut entries = std::fs::read_dir(bob.data().join("blobs")).unwrap();
    let at = entries.next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&at).unwrap();
    // Two chunks far from each other.
    let middle = bytes.len() / 2;
    for place in [1000, middle] {
        bytes[place] ^= 1;
    }
    std::fs::write(&at, bytes).unwrap();
    bob.up().await;

    let to = world.dir().join("second");
    save(&bob, &message, &to).await;

    assert!(are_equal(&source, &to));
    bob.events_are_sound().await;
}
