//! Groups of real nodes: what people do in them, and what is left of it over kills and a relay that comes back from an old copy.

use std::collections::BTreeSet;
use std::path::Path;

use madang_tests::{Dice, Person, Relay, TCP, World, copy_directory, join};
use serde_json::{Value, json};

use crate::MADANG;

/// Nodes of the large group.
const NODES: usize = 11;
/// Rounds of its load: in each all write, somebody is killed, and somebody changes something.
const ROUNDS: usize = 6;

/// The account of a person.
pub(crate) async fn account(person: &Person) -> Value {
    person.ask("account.get", json!({})).await["account"].clone()
}

/// Waits until a person is in a group of so many.
pub(crate) async fn is_in(person: &mut Person, chat: &str, members: usize) {
    let params = json!({ "chat": chat });
    person
        .until("the group has its members", async |person| {
            let found = person.rpc().call("chat.get", params.clone()).await.ok()?;
            let many = found["members"].as_array()?.len() == members;
            (many && found["state"] == "active").then_some(())
        })
        .await;
}

/// What all must agree on.
async fn state(person: &Person, chat: &str) -> Value {
    let found = person.ask("chat.get", json!({ "chat": chat })).await;
    let role = |member: &Value| json!([member["account"], member["role"]]);
    let members: Vec<Value> = found["members"].as_array().unwrap().iter().map(role).collect();
    json!([found["epoch"], found["name"], members, found["waiting_envelopes"]])
}

/// Waits until somebody has the same state as all others; each of them may move until then.
async fn all_agree(first: &mut Person, others: &[&Person], chat: &str) {
    first
        .until("all agree", async |first| {
            let agreed = state(first, chat).await;
            for other in others {
                if state(other, chat).await != agreed {
                    return None;
                }
            }
            Some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_people_make_a_group_and_change_it() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let mut carol = world.person_up("carol", relay.addresses()).await;
    join(&mut alice, &mut bob).await;
    join(&mut alice, &mut carol).await;
    let members = json!([account(&bob).await, account(&carol).await]);
    let made = alice
        .ask("chat.create", json!({ "name": "garden", "members": members }))
        .await;
    let chat = made["chat"].as_str().unwrap().to_owned();
    for person in [&mut alice, &mut bob, &mut carol] {
        is_in(person, &chat, 3).await;
    }
    // Bob and carol aren't each other's contacts.
    let hello = bob.send(&chat, "hello all").await;
    alice.receives(&hello).await;
    carol.receives(&hello).await;
    let ledger = bob
        .until("both have it", async |bob| {
            let found = bob.ask("message.get", json!({ "message": hello })).await;
            (found["ledger"]["delivered"].as_array().unwrap().len() == 2).then(|| found["ledger"].clone())
        })
        .await;
    assert_eq!(ledger["state"], "delivered");

    let refused = bob
        .rpc()
        .call("chat.update", json!({ "chat": chat, "name": "mine" }))
        .await;
    assert!(refused.is_err(), "{refused:?}");
    alice
        .ask("chat.update", json!({ "chat": chat, "name": "orchard" }))
        .await;
    bob.event("the new name is told", |kind, data| {
        kind == "chat.updated" && data["chat"] == chat.as_str()
    })
    .await;
    carol.kill().await;
    carol.up().await;
    alice
        .ask(
            "chat.remove",
            json!({ "chat": chat, "members": [account(&carol).await] }),
        )
        .await;
    is_in(&mut bob, &chat, 2).await;
    carol
        .until("she is out", async |carol| {
            let found = carol.ask("chat.get", json!({ "chat": chat })).await;
            (found["state"] == "left").then_some(())
        })
        .await;
    let secret = alice.send(&chat, "between us").await;
    bob.receives(&secret).await;
    assert_eq!(carol.said(&chat).await.len(), 1);
    assert_eq!(bob.said(&chat).await.len(), 2);
    all_agree(&mut alice, &[&bob], &chat).await;
    bob.ask("chat.leave", json!({ "chat": chat })).await;
    is_in(&mut alice, &chat, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f18_f26_eleven_nodes_and_two_relays_lose_nothing_over_kills_and_a_relay_from_an_old_copy() {
    let mut dice = Dice::seeded();
    let world = World::new(MADANG);
    let mut relays = [world.relay_with(&[TCP], &[]).await, world.relay_with(&[TCP], &[]).await];
    let addresses = relays.each_ref().map(|relay| relay.addresses().to_vec()).concat();
    let mut people = Vec::new();
    for place in 0..NODES {
        people.push(world.person_up(&format!("person-{place}"), &addresses).await);
    }
    let (owner, others) = people.split_first_mut().unwrap();
    let mut members = Vec::new();
    for other in others.iter_mut() {
        join(owner, other).await;
        members.push(account(other).await);
    }
    let made = owner
        .ask("chat.create", json!({ "name": "village", "members": members }))
        .await;
    let chat = made["chat"].as_str().unwrap().to_owned();
    for person in &mut people {
        is_in(person, &chat, NODES).await;
    }
    for admin in [1, 2] {
        let params = json!({ "chat": chat, "account": members[admin - 1], "role": "admin" });
        people[0].ask("chat.roles", params).await;
    }
    let copy = world.dir().join("old-copy");
    let mut sent = BTreeSet::new();
    for round in 0..ROUNDS {
        for (place, person) in people.iter_mut().enumerate() {
            let text = format!("{place} in {round}");
            person.send(&chat, &text).await;
            sent.insert(text);
        }
        // Three who may change the name at once.
        for (admin, person) in people.iter().take(3).enumerate() {
            let name = format!("village {round} by {admin}");
            let params = json!({ "chat": chat, "name": name });
            // Who hasn't heard yet that it is an admin is told that it isn't.
            person.rpc().call("chat.update", params).await.ok();
        }
        let victim = usize::try_from(dice.below(NODES as u64)).unwrap();
        people[victim].kill().await;
        people[victim].up().await;
        match round {
            1 => {
                relays[0].stop().await;
                copy_directory(relays[0].data(), &copy);
                relays[0].up().await;
            }
            3 => replace(&mut relays[0], &copy).await,
            4 => {
                relays[1].kill().await;
                relays[1].up().await;
            }
            _ => {}
        }
    }
    for person in &mut people {
        person
            .until("all messages are there", async |person| {
                (person.said(&chat).await.len() >= sent.len()).then_some(())
            })
            .await;
        let said = person.said(&chat).await;
        let texts: BTreeSet<String> = said.iter().map(|said| said.text.clone()).collect();
        assert_eq!(said.len(), texts.len(), "something is shown twice");
        assert_eq!(texts, sent);
    }
    // The last changes settle among all; until then the first one's state moves too.
    let (owner, others) = people.split_first_mut().unwrap();
    all_agree(owner, &others.iter().collect::<Vec<_>>(), &chat).await;
    for person in &mut people {
        person.events_are_sound().await;
    }
}

/// Puts an old copy in the place of a relay's data while it is down.
pub async fn replace(relay: &mut Relay, copy: &Path) {
    relay.kill().await;
    std::fs::remove_dir_all(relay.data()).unwrap();
    copy_directory(copy, relay.data());
    relay.up().await;
}
