//! A large file goes through a relay while each of the three is killed and started again.

use std::path::Path;

use madang_tests::{World, join};
use serde_json::json;

use crate::MADANG;
use crate::kit::{are_equal, chunk_bytes, command, file, has_chunks, is_small, large, printed, restart};

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_survives_a_kill_of_each_of_the_three() {
    let world = World::new(MADANG);
    let mut relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;
    bob.stop().await;
    let length = large();
    let source = file(&world, "large.bin", length);

    // While it is sealed.
    let sending = command(
        alice.data(),
        &["send", &chat, "here it is", "--file", source.to_str().unwrap()],
    );
    has_chunks(alice.data(), length / 3).await;
    is_small("alice, sealing", alice.id());
    alice.kill().await;
    alice.up().await;
    let sent = printed(sending).await;
    let message = sent["message"].as_str().unwrap();
    let blob = alice.ask("message.get", json!({ "message": message })).await["body"]["file"]["blob"].clone();

    // On its way to the relay: the sender, then the relay.
    has_chunks(relay.data(), length / 4).await;
    is_small("alice, sending", alice.id());
    alice.kill().await;
    alice.up().await;
    has_chunks(relay.data(), length / 2).await;
    is_small("the relay, taking", relay.id());
    restart(&mut relay).await;
    alice
        .until("the relay has all of it", async |alice| {
            let stat = alice.ask("blob.stat", json!({ "blob": blob })).await;
            (stat["state"] == "sent").then_some(())
        })
        .await;
    is_small("alice", alice.id());
    alice.stop().await;

    // On its way to the reader: the relay, then the reader.
    bob.up().await;
    bob.receives(message).await;
    let asked = bob.ask("blob.fetch", json!({ "message": message })).await;
    assert_eq!(asked["items"][0]["state"], "fetching");
    let refused = bob.rpc().call("blob.get", json!({ "blob": blob })).await.unwrap_err();
    assert_eq!(refused.code(), "not_whole");
    has_chunks(bob.data(), length / 4).await;
    is_small("the relay, serving", relay.id());
    restart(&mut relay).await;
    has_chunks(bob.data(), length / 2).await;
    is_small("bob, fetching", bob.id());
    bob.kill().await;
    assert!(chunk_bytes(bob.data()) < length, "it was whole before the kill");
    bob.up().await;
    let saved = printed(command(
        bob.data(),
        &["save", message, "--to", world.dir().to_str().unwrap()],
    ))
    .await;

    let path = saved["items"][0]["path"].as_str().unwrap();
    assert!(path.ends_with("large (2).bin"), "{path}");
    assert!(are_equal(&source, Path::new(path)));
    is_small("bob", bob.id());
    is_small("the relay", relay.id());
}
