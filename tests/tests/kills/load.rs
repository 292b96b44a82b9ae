//! Kills at random, while messages go both ways as fast as they are acknowledged.

use std::time::{Duration, Instant};

use madang_tests::{Dice, Lane, Watcher, World, arrived, count, delivered, end, join};
use serde_json::Value;

use crate::{LEAF_UPDATES, MADANG, relay_of};

/// Kills of the run under load.
const KILLS: usize = 54;
/// Threads of texts that each person sends at once, each in its own order.
const LANES: usize = 2;
/// Time between kills, in milliseconds, beyond the restart: from nothing, so that also a start is killed, to a while of work.
const BETWEEN_KILLS_MS: u64 = 1_200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_f27_killed_at_random_under_load_nothing_acknowledged_is_lost_or_doubled() {
    let mut dice = Dice::seeded();
    let world = World::new(MADANG);
    let mut relay = relay_of(&world).await;
    let mut alice = world.person("alice", relay.addresses());
    let mut bob = world.person("bob", relay.addresses());
    for person in [&mut alice, &mut bob] {
        person.set_env(LEAF_UPDATES.0, LEAF_UPDATES.1);
        person.up().await;
    }
    let chat = join(&mut alice, &mut bob).await;
    let watchers = [Watcher::start(alice.data()), Watcher::start(bob.data())];
    let from_alice = Lane::start_many(alice.data(), &chat, "alice", LANES);
    let from_bob = Lane::start_many(bob.data(), &chat, "bob", LANES);

    let began = Instant::now();
    let mut kills = [0; 3];
    while kills.iter().sum::<usize>() < KILLS {
        tokio::time::sleep(Duration::from_millis(dice.below(BETWEEN_KILLS_MS))).await;
        let victim = usize::try_from(dice.below(3)).unwrap();
        kills[victim] += 1;
        match victim {
            0 => {
                relay.kill().await;
                relay.up().await;
            }
            1 => {
                alice.kill().await;
                alice.up().await;
            }
            _ => {
                bob.kill().await;
                bob.up().await;
            }
        }
    }
    let (from_alice, from_bob) = (end(from_alice).await, end(from_bob).await);
    let (many, took) = (count(&from_alice) + count(&from_bob), began.elapsed());
    println!("kills of relay, alice, bob: {kills:?}; {many} messages acknowledged in {took:?}");
    assert!(many > KILLS, "too little load to show anything");

    for (person, sent) in [(&mut alice, &from_alice), (&mut bob, &from_bob)] {
        delivered(person, &chat, sent).await;
    }
    println!("all delivered {:?} after the last kill", began.elapsed() - took);
    let wanted = [count(&from_bob), count(&from_alice)];
    for (watcher, wanted) in watchers.iter().zip(wanted) {
        watcher.has_received(wanted).await;
    }
    let [of_alice, of_bob] = watchers.map(Watcher::end);
    arrived(&from_alice, &alice, &bob, &chat, &of_bob).await;
    arrived(&from_bob, &bob, &alice, &chat, &of_alice).await;
    // Whoever kept its cursor over all the kills saw what the log holds.
    for (person, seen) in [(&mut alice, of_alice), (&mut bob, of_bob)] {
        let log = person.all_events().await;
        let of = |events: &[Value]| {
            events
                .iter()
                .map(|event| (event["cursor"].clone(), event["kind"].clone()))
                .collect::<Vec<_>>()
        };
        let log = of(log);
        assert_eq!(of(&seen), log[..seen.len()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_what_a_killed_relay_has_signed_for_is_there_after_its_restart() {
    let mut dice = Dice::seeded();
    let world = World::new(MADANG);
    let mut relay = relay_of(&world).await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;
    bob.stop().await;

    let lane = Lane::start(alice.data(), &chat, "alice".to_owned());
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(dice.below(500))).await;
        relay.kill().await;
        relay.up().await;
    }
    let sent = lane.end().await;
    let held = sent.len() / 2;
    alice.ledger_says(&sent[held].0, "held").await;
    // Whatever the relay has signed for so far it must give without its author.
    relay.kill().await;
    let messages = alice.rpc().messages(&chat).await;
    let held: Vec<&str> = messages
        .iter()
        .filter(|message| message["ledger"]["state"] == "held")
        .map(|message| message["message"].as_str().unwrap())
        .collect();
    println!(
        "{} messages acknowledged, {} of them held by the relay",
        sent.len(),
        held.len()
    );
    alice.kill().await;
    relay.up().await;
    bob.up().await;
    for id in &held {
        bob.receives(id).await;
    }
    alice.up().await;
    bob.receives(&sent.last().unwrap().0).await;
    alice.ledger_says(&sent.last().unwrap().0, "delivered").await;
    let events = bob.all_events().await.to_vec();
    arrived(&[sent], &alice, &bob, &chat, &events).await;
    bob.events_are_sound().await;
}
