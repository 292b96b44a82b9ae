//! Who has a file: any member that fetched it.

use std::path::Path;

use madang_tests::{Person, World, join};
use serde_json::{Value, json};

use crate::MADANG;
use crate::kit::{are_equal, command, file, printed};

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
