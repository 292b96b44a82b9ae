//! A data directory that is an old copy.

use madang_tests::{World, copy_directory, join};

use crate::MADANG;

#[tokio::test(flavor = "multi_thread")]
async fn f33_an_old_copy_of_a_data_directory_put_back_loses_and_doubles_nothing() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;
    let one = alice.send(&chat, "one").await;
    bob.receives(&one).await;
    alice.ledger_says(&one, "delivered").await;
    alice.stop().await;
    let copy = world.dir().join("copy");
    copy_directory(alice.data(), &copy);

    alice.up().await;
    for text in ["two", "three"] {
        let id = alice.send(&chat, text).await;
        bob.receives(&id).await;
        alice.ledger_says(&id, "delivered").await;
    }
    let seen = bob.send(&chat, "seen").await;
    alice.receives(&seen).await;
    alice.stop().await;

    std::fs::remove_dir_all(alice.data()).unwrap();
    copy_directory(&copy, alice.data());
    // Whoever reads its events begins anew: the log is an old one too.
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let four = alice.send(&chat, "four").await;
    let text = |said: &[madang_tests::Said]| said.iter().map(|said| said.text.clone()).collect::<Vec<_>>();
    let expected = ["one", "two", "three", "seen", "four"];
    bob.until("all in order", async |bob| {
        (text(&bob.said(&chat).await) == expected).then_some(())
    })
    .await;
    alice.ledger_says(&four, "delivered").await;
    let five = bob.send(&chat, "five").await;
    alice.receives(&five).await;
    let six = alice.send(&chat, "six").await;
    bob.receives(&six).await;
    alice.ledger_says(&six, "delivered").await;
    let all = text(&bob.said(&chat).await);
    assert_eq!(all, ["one", "two", "three", "seen", "four", "five", "six"]);
    let own = text(&alice.said(&chat).await);
    assert_eq!(
        own,
        ["one", "seen", "four", "five", "six"],
        "what the other copy sent isn't in this one"
    );
    bob.events_are_sound().await;
}
