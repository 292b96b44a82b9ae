//! A relay that goes back to an old copy of its data: its people find out by themselves, and rely on another.

use madang_tests::{TCP, World, copy_directory, join};
use serde_json::{Value, json};

use crate::MADANG;
use crate::groups::replace;

#[tokio::test(flavor = "multi_thread")]
async fn f18_a_relay_from_an_old_copy_is_demoted_with_evidence_and_nothing_is_lost() {
    let world = World::new(MADANG);
    let mut relays = [world.relay_with(&[TCP], &[]).await, world.relay_with(&[TCP], &[]).await];
    let addresses = relays.each_ref().map(|relay| relay.addresses().to_vec()).concat();
    let mut alice = world.person_up("alice", &addresses).await;
    let mut bob = world.person_up("bob", &addresses).await;
    let chat = join(&mut alice, &mut bob).await;
    let first = alice.send(&chat, "before the copy").await;
    bob.receives(&first).await;
    relays[0].stop().await;
    let copy = world.dir().join("old-copy");
    copy_directory(relays[0].data(), &copy);
    relays[0].up().await;

    bob.stop().await;
    let waits = alice.send(&chat, "after the copy").await;
    alice
        .until("both relays hold it", async |alice| {
            let message = alice.ask("message.get", json!({ "message": waits })).await;
            (message["ledger"]["held"].as_array().unwrap().len() == 2).then_some(())
        })
        .await;
    replace(&mut relays[0], &copy).await;

    let told = alice
        .event("the relay is demoted", |kind, _| kind == "relay.demoted")
        .await;
    let relay = told["relay"].as_str().unwrap().to_owned();
    let info = alice.ask("node.info", json!({})).await;
    let state = |relay: &str| -> Value {
        let relays = info["relays"].as_array().unwrap();
        relays.iter().find(|known| known["relay"] == relay).unwrap().clone()
    };
    assert_eq!(state(&relay)["state"], "demoted", "{info}");
    assert_eq!(state(&relay)["reason"], "forgot", "{info}");
    assert!(
        relays[0]
            .addresses()
            .iter()
            .any(|address| state(&relay)["address"] == address.as_str())
    );
    let trusted = info["relays"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|known| known["state"] == "trusted");
    assert_eq!(trusted.count(), 1, "{info}");
    let evidence = alice.ask("relay.evidence", json!({ "relay": relay })).await;
    assert_eq!(evidence["items"][0]["reason"], "forgot", "{evidence}");
    assert_eq!(
        evidence["items"][0]["receipts"].as_array().unwrap().len(),
        1,
        "{evidence}"
    );
    let doctor = alice.ask("node.doctor", json!({})).await;
    assert_eq!(doctor["ok"], false, "{doctor}");

    bob.up().await;
    bob.receives(&waits).await;
    alice.ledger_says(&waits, "delivered").await;
    let said = bob.said(&chat).await;
    assert_eq!(said.len(), 2, "something is shown twice");
    for person in [&mut alice, &mut bob] {
        person.events_are_sound().await;
    }
}
