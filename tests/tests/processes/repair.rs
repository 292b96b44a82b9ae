//! Messages that relays leave out: they show as gaps and come from elsewhere.

use std::path::{Path, PathBuf};

use madang_tests::{Person, Relay, TCP, World, join};
use serde_json::{Value, json};

use crate::MADANG;

/// What a relay tells, by a file that it reads before it tells anything.
pub(crate) struct Lies(PathBuf);

impl Lies {
    pub(crate) fn new(dir: &Path) -> Self {
        let lies = Self(dir.join("lies"));
        lies.tell("the truth");
        lies
    }

    /// In one step, so that the relay never reads half of it.
    pub(crate) fn tell(&self, how: &str) {
        let next = self.0.with_extension("next");
        std::fs::write(&next, how).unwrap();
        std::fs::rename(next, &self.0).unwrap();
    }

    pub(crate) async fn relay(&self, world: &World) -> Relay {
        world
            .relay_with(&[TCP], &[("MADANG_RELAY_LIES", self.0.to_str().unwrap())])
            .await
    }
}

/// Waits until a message is held by so many relays.
async fn held(person: &mut Person, message: &str, relays: usize) {
    person
        .until("the relays hold it", async |person| {
            let found = person.ask("message.get", json!({ "message": message })).await;
            let held = found["ledger"]["held"].as_array().unwrap().len();
            (held == relays).then_some(())
        })
        .await;
}

async fn gaps(person: &Person, chat: &str) -> Vec<Value> {
    let found = person.ask("chat.gaps", json!({ "chat": chat })).await;
    found["items"].as_array().unwrap().clone()
}

/// Waits until a gap shows, and gives it.
async fn gap(person: &mut Person, chat: &str) -> Value {
    let told = person
        .event("a gap is told", |kind, data| {
            kind == "chat.gap" && data["chat"] == chat && data["state"] == "open"
        })
        .await;
    let found = gaps(person, chat).await;
    assert_eq!(found.len(), 1, "{found:?}");
    for name in ["account", "device", "first", "last"] {
        assert_eq!(found[0][name], told[name]);
    }
    let chat = person.ask("chat.get", json!({ "chat": chat })).await;
    assert_eq!(chat["gaps"], 1, "{chat}");
    let doctor = person.ask("node.doctor", json!({})).await;
    let chats = doctor["chats"].as_array().unwrap().iter();
    assert_eq!(chats.filter(|chat| chat["gaps"] == 1).count(), 1, "{doctor}");
    found[0].clone()
}

async fn filled(person: &mut Person, chat: &str, gap: &Value) {
    person
        .event("the gap is filled", |kind, data| {
            kind == "chat.gap" && data["state"] == "filled" && data["first"] == gap["first"]
        })
        .await;
    assert_eq!(gaps(person, chat).await, [] as [Value; 0]);
    assert_eq!(person.ask("chat.get", json!({ "chat": chat })).await["gaps"], 0);
}

async fn texts(person: &Person, chat: &str) -> Vec<String> {
    person.said(chat).await.into_iter().map(|said| said.text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn f15_what_a_relay_drops_shows_as_a_gap_and_comes_from_another_relay() {
    let world = World::new(MADANG);
    let lies = Lies::new(world.dir());
    let liar = lies.relay(&world).await;
    let mut honest = world.relay_with(&[TCP], &[]).await;
    let relays = [liar.addresses(), honest.addresses()].concat();
    let mut alice = world.person_up("alice", &relays).await;
    let mut bob = world.person_up("bob", &relays).await;
    let chat = join(&mut alice, &mut bob).await;
    let hello = alice.send(&chat, "hello").await;
    bob.receives(&hello).await;
    alice.ledger_says(&hello, "delivered").await;
    bob.stop().await;

    lies.tell("drop");
    let dropped = alice.send(&chat, "dropped").await;
    held(&mut alice, &dropped, 2).await;
    lies.tell("deny");
    let seen = alice.send(&chat, "seen").await;
    held(&mut alice, &seen, 2).await;
    alice.stop().await;
    honest.kill().await;

    bob.up().await;
    bob.receives(&seen).await;
    let gap = gap(&mut bob, &chat).await;
    assert_eq!(texts(&bob, &chat).await, ["hello", "seen"]);
    honest.up().await;
    bob.receives(&dropped).await;
    filled(&mut bob, &chat, &gap).await;
    assert_eq!(texts(&bob, &chat).await, ["hello", "dropped", "seen"]);
    bob.events_are_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f15_f16_what_the_only_relay_keeps_back_comes_from_a_member() {
    let world = World::new(MADANG);
    let lies = Lies::new(world.dir());
    let liar = lies.relay(&world).await;
    let mut alice = world.person_up("alice", liar.addresses()).await;
    let mut bob = world.person_up("bob", liar.addresses()).await;
    let mut carol = world.person_up("carol", liar.addresses()).await;
    join(&mut alice, &mut bob).await;
    join(&mut alice, &mut carol).await;
    join(&mut bob, &mut carol).await;
    let mut members = Vec::new();
    for other in [&bob, &carol] {
        members.push(other.ask("account.get", json!({})).await["account"].clone());
    }
    let made = alice
        .ask("chat.create", json!({ "name": "yard", "members": members }))
        .await;
    let chat = made["chat"].as_str().unwrap().to_owned();
    for person in [&mut bob, &mut carol] {
        person
            .until("the group is there", async |person| {
                let found = person.rpc().call("chat.get", json!({ "chat": chat })).await.ok()?;
                (found["members"].as_array()?.len() == 3).then_some(())
            })
            .await;
    }
    let hello = alice.send(&chat, "hello").await;
    for person in [&mut bob, &mut carol] {
        person.receives(&hello).await;
    }
    bob.stop().await;
    // The relay serves nothing from now on, and says that this is all.
    lies.tell("swallow");
    let swallowed = alice.send(&chat, "swallowed").await;
    carol.receives(&swallowed).await;
    alice.stop().await;

    // Carol is there, and what she says shows what bob lacks. After a start her gossip remembers nothing that it could hand on.
    carol.stop().await;
    carol.up().await;
    bob.up().await;
    let after = carol.send(&chat, "did you hear?").await;
    bob.receives(&after).await;
    let gap = gap(&mut bob, &chat).await;
    bob.receives(&swallowed).await;
    filled(&mut bob, &chat, &gap).await;
    bob.events_are_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f16_f19_a_relay_that_says_that_this_is_all_keeps_nothing_back_where_there_is_another() {
    let world = World::new(MADANG);
    let lies = Lies::new(world.dir());
    let liar = lies.relay(&world).await;
    let honest = world.relay_with(&[TCP], &[]).await;
    let relays = [liar.addresses(), honest.addresses()].concat();
    let mut alice = world.person_up("alice", &relays).await;
    let mut bob = world.person_up("bob", &relays).await;
    let chat = join(&mut alice, &mut bob).await;
    bob.stop().await;
    lies.tell("swallow");
    let mut sent = Vec::new();
    for n in 0..20 {
        sent.push(alice.send(&chat, &format!("number {n}")).await);
    }
    held(&mut alice, sent.last().unwrap(), 2).await;
    alice.stop().await;
    bob.up().await;
    for message in &sent {
        bob.receives(message).await;
    }
    assert_eq!(gaps(&bob, &chat).await, [] as [Value; 0]);
    bob.events_are_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f20_what_a_relay_reorders_is_shown_in_order_and_what_it_breaks_comes_again() {
    let world = World::new(MADANG);
    let lies = Lies::new(world.dir());
    let liar = lies.relay(&world).await;
    let mut alice = world.person_up("alice", liar.addresses()).await;
    let mut bob = world.person_up("bob", liar.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;
    bob.stop().await;
    let mut sent = Vec::new();
    for n in 0..20 {
        let message = alice.send(&chat, &format!("number {n}")).await;
        alice.ledger_says(&message, "held").await;
        sent.push(message);
    }
    alice.stop().await;
    // Junk first: it is refused, and what it stood for is fetched again once the relay serves it.
    lies.tell("junk");
    bob.up().await;
    bob.until("bob is at the relay", async |bob| {
        let info = bob.ask("node.info", json!({})).await;
        info["relays"][0]["connected"].as_bool().filter(|connected| *connected)
    })
    .await;
    bob.stop().await;
    lies.tell("reorder");
    alice.up().await;
    bob.up().await;
    for message in &sent {
        bob.receives(message).await;
    }
    let expected: Vec<String> = (0..20).map(|n| format!("number {n}")).collect();
    assert_eq!(texts(&bob, &chat).await, expected);
    bob.events_are_sound().await;
}
