//! Guests of groups: by links without approval and with it, named by all, and put back by members whom they don't know.

use madang_tests::{Person, World, copy_directory, join};
use serde_json::{Value, json};

use crate::MADANG;
use crate::groups::{account, is_in, replace};

/// States that a node keeps in these tests, and milliseconds after which one that lacks a state asks to be put back.
const SETTINGS: [(&str, &str); 2] = [("MADANG_FROZEN_STATES", "3"), ("MADANG_REJOIN_MS", "2000")];

/// Asks by a link until the inviter's card was found.
async fn accepts(guest: &mut Person, invite: &Value) -> Value {
    guest
        .until("the link is accepted", async |guest| {
            let accepted = guest.rpc().call("contact.accept", json!({ "invite": invite })).await;
            accepted.ok().map(|accepted| accepted["chat"].clone())
        })
        .await
}

/// The names of a group's members as one of them sees them.
async fn names(person: &Person, chat: &str) -> Vec<String> {
    let members = person.ask("chat.members", json!({ "chat": chat })).await;
    let mut names: Vec<String> = members["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["name"].as_str().unwrap_or("nobody").to_owned())
        .collect();
    names.sort();
    names
}

async fn all_are_named(person: &mut Person, chat: &str, wanted: &[&str]) {
    person
        .until("all members have names", async |person| {
            (names(person, chat).await == wanted).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_come_by_links_are_named_and_are_put_back_by_who_is_no_contact() {
    let world = World::new(MADANG);
    let mut relay = world.relay().await;
    let mut people = Vec::new();
    for name in ["alice", "bob", "carol", "dave"] {
        let mut person = world.person(name, relay.addresses());
        for (setting, value) in SETTINGS {
            person.set_env(setting, value);
        }
        person.up().await;
        people.push(person);
    }
    let [alice, bob, carol, dave] = people.as_mut_slice() else {
        panic!("four people");
    };
    join(alice, bob).await;
    let members = json!([account(bob).await]);
    let made = alice
        .ask("chat.create", json!({ "name": "garden", "members": members }))
        .await;
    let chat = made["chat"].as_str().unwrap().to_owned();
    is_in(bob, &chat, 2).await;

    // Without approval: carol knows alice's link and nobody else.
    let refused = bob.rpc().call("chat.invite", json!({ "chat": chat })).await;
    assert!(refused.is_err(), "{refused:?}");
    let made = alice
        .ask("chat.invite", json!({ "chat": chat, "approval": false, "max_uses": 3 }))
        .await;
    assert_eq!(accepts(carol, &made["invite"]).await, chat.as_str());
    for person in [&mut *alice, &mut *bob, &mut *carol] {
        is_in(person, &chat, 3).await;
        all_are_named(person, &chat, &["alice", "bob", "carol"]).await;
    }
    let hello = carol.send(&chat, "hello all").await;
    bob.receives(&hello).await;
    let said = bob.ask("message.get", json!({ "message": hello })).await;
    assert_eq!(said["name"], "carol");
    let answer = bob.send(&chat, "welcome").await;
    carol.receives(&answer).await;
    assert_eq!(carol.ask("contact.list", json!({})).await["items"], json!([]));

    // With approval: dave waits, is declined, asks by another link, and is let in.
    let made = alice.ask("chat.invite", json!({ "chat": chat })).await;
    accepts(dave, &made["invite"]).await;
    let shown = dave.ask("chat.get", json!({ "chat": chat })).await;
    assert_eq!(
        (&shown["state"], &shown["name"]),
        (&json!("requested"), &json!("garden"))
    );
    let request = waiting(alice).await;
    assert_eq!(
        (&request["chat_name"], &request["name"]),
        (&json!("garden"), &json!("dave"))
    );
    alice
        .ask("contact.decline", json!({ "request": request["request"] }))
        .await;
    let open = alice.ask("chat.invites", json!({ "chat": chat })).await;
    assert_eq!(open["items"].as_array().unwrap().len(), 2);
    alice.ask("chat.uninvite", json!({ "invite": made["invite"] })).await;
    let made = alice.ask("chat.invite", json!({ "chat": chat })).await;
    accepts(dave, &made["invite"]).await;
    let request = waiting(alice).await;
    alice.kill().await;
    alice.up().await;
    let approved = alice
        .ask("contact.approve", json!({ "request": request["request"] }))
        .await;
    assert_eq!(approved["chat"], chat.as_str());
    for person in [&mut *alice, &mut *bob, &mut *carol, &mut *dave] {
        is_in(person, &chat, 4).await;
        all_are_named(person, &chat, &["alice", "bob", "carol", "dave"]).await;
    }

    // Carol is away for more changes than states are kept, and the relay comes back without them. Alice, whose guest she was, is gone.
    let copy = world.dir().join("relay-before");
    relay.stop().await;
    copy_directory(relay.data(), &copy);
    relay.up().await;
    carol.kill().await;
    for round in 0..8 {
        let name = format!("garden {round}");
        alice.ask("chat.update", json!({ "chat": chat, "name": name })).await;
        for person in [&mut *bob, &mut *dave] {
            person
                .until("the change is here", async |person| {
                    let found = person.ask("chat.get", json!({ "chat": chat })).await;
                    (found["name"] == name.as_str()).then_some(())
                })
                .await;
        }
    }
    alice.kill().await;
    replace(&mut relay, &copy).await;
    let asked = bob.send(&chat, "are you there?").await;
    carol.up().await;
    carol.receives(&asked).await;
    let yes = carol.send(&chat, "yes").await;
    for person in [&mut *bob, &mut *dave] {
        person.receives(&yes).await;
    }
    carol
        .until("she is where the others are", async |carol| {
            let found = carol.ask("chat.get", json!({ "chat": chat })).await;
            (found["name"] == "garden 7" && found["rejoining"] == false).then_some(())
        })
        .await;
}

/// The request that waits for the user.
async fn waiting(person: &mut Person) -> Value {
    person
        .until("a request waits", async |person| {
            let list = person.ask("contact.requests", json!({})).await;
            list["items"].get(0).cloned()
        })
        .await
}
