//! Events to processes that die, lag and come back.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use madang_tests::reader::{self, Told};
use madang_tests::{DEADLINE, Dice, Lane, Person, Process, World, end, join};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{EVENT_READER, MADANG};

/// Messages that arrive.
const MESSAGES: usize = 10_000;
/// How often the reader is killed.
const KILLS: u64 = 100;
/// After how many of these the node is killed as well.
const NODE_KILLED_EACH: u64 = 30;
/// Senders at once.
const LANES: usize = 24;
/// Bytes that a reader writes before it is killed at most: about 150 events.
const LIFE_BYTES: u64 = 13_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_killed_a_hundred_times_sees_each_event_and_none_again_that_it_acknowledged() {
    let mut dice = Dice::seeded();
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let token = token(&alice, &["chat:read"]).await;
    let told = Told::new(world.dir().join("told"));

    let lanes = Lane::start_many(bob.data(), &chat, "text ", LANES);
    for kill in 1..=KILLS {
        let reader = read(&alice, &token, &told, dice.seed());
        // Also while it connects.
        let last_words = told.bytes() + dice.below(LIFE_BYTES);
        until("the reader reads on", || told.bytes() >= last_words).await;
        reader.kill().await;
        if kill % NODE_KILLED_EACH == 0 {
            // What was acknowledged outlives the node too.
            alice.kill().await;
            alice.up().await;
        }
    }
    until("all is sent", || {
        lanes.iter().map(|lane| lane.sent().len()).sum::<usize>() >= MESSAGES
    })
    .await;
    let sent: BTreeSet<String> = end(lanes).await.into_iter().flatten().map(|(id, _)| id).collect();
    let reader = read(&alice, &token, &told, dice.seed());
    until("all is seen", || sent.is_subset(&told.checked().0)).await;
    reader.kill().await;

    let (_, again) = told.checked();
    println!(
        "{} messages, {again} events seen again before they were acknowledged",
        sent.len()
    );
    assert!(again > 0, "no kill came between an event and its acknowledgement");
}

fn read(node: &Person, token: &str, told: &Told, seed: u64) -> Process {
    let args = reader::args(node.data(), token, told.path(), seed);
    Process::start_at_once(Path::new(EVENT_READER), &args, &told.path().with_extension("log"))
}

async fn token(person: &Person, scopes: &[&str]) -> String {
    let made = person
        .ask("app.mint", json!({ "name": "reader", "scopes": scopes }))
        .await;
    made["token"].as_str().unwrap().to_owned()
}

async fn until(what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + 2 * DEADLINE;
    while !so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        sleep(Duration::from_millis(5)).await;
    }
}
