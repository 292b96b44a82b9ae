//! Disks that are full: each of the three stops where it is, and goes on once there is room.

use std::path::Path;
use std::time::Duration;

use data_encoding::BASE64;
use madang_tests::{World, join, run};
use serde_json::json;

use crate::MADANG;
use crate::kit::{are_equal, comes, command, file, printed};

/// Bytes of the file, and of those that a full disk takes of it: more than the rest of a store has.
const LENGTH: u64 = 24 * 1024 * 1024;
const ROOM: u64 = 16 * 1024 * 1024;
/// Runs a program that is told of writes beyond a bound by their error, as on a full disk, and not by a signal.
const TOLD: &str = "#!/bin/sh\ntrap '' XFSZ\nexec \"$MADANG_TOLD\" \"$@\"\n";

/// Sets to how many bytes a process may extend a file.
async fn bound(process: u32, bytes: &str) {
    let args = ["--pid", &process.to_string(), &format!("--fsize={bytes}:unlimited")];
    let done = run(Path::new("prlimit"), &args, Duration::from_secs(20)).await;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn f29_a_file_waits_for_room_at_the_sender_the_relay_and_the_reader() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("told");
    std::fs::write(&program, TOLD.replace("$MADANG_TOLD", MADANG)).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let world = World::new(program.to_str().unwrap());
    let relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;
    bob.stop().await;
    let source = file(&world, "large.bin", LENGTH);
    let is_full = async |who: &str| {
        comes(&format!("the disk of {who} is full"), async || {
            let logs = world.outputs();
            let of_it = |name: &str| name.starts_with(&format!("{who}."));
            logs.iter()
                .any(|(name, text)| of_it(name) && text.contains("a commit failed"))
        })
        .await;
    };
    let room = ROOM.to_string();

    bound(alice.id(), &room).await;
    bound(relay.id(), &room).await;
    let sending = command(alice.data(), &["send", &chat, "--file", source.to_str().unwrap()]);
    is_full("alice").await;
    bound(alice.id(), "unlimited").await;
    let sent = printed(sending).await;
    let message = sent["message"].as_str().unwrap();
    let blob = alice.ask("message.get", json!({ "message": message })).await["body"]["file"]["blob"].clone();

    is_full("relay").await;
    bound(relay.id(), "unlimited").await;
    comes("the relay has all of it", async || {
        let stat = alice.ask("blob.stat", json!({ "blob": blob })).await;
        stat["state"] == "sent"
    })
    .await;
    alice.stop().await;

    bob.up().await;
    bob.receives(message).await;
    bound(bob.id(), &room).await;
    let to = world.dir().join("its");
    let saving = command(bob.data(), &["save", message, "--to", to.to_str().unwrap()]);
    is_full("bob").await;
    bound(bob.id(), "unlimited").await;
    printed(saving).await;
    assert!(are_equal(&source, &to));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_nearly_full_takes_messages_and_no_files() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let begun = alice.ask("blob.put", json!({ "length_bytes": 3 })).await;
    let part = json!({ "upload": begun["upload"], "offset_bytes": 0, "data": BASE64.encode(b"abc") });
    let little = [("MADANG_FREE_BYTES", "60000000")];
    alice.stop().await;
    alice.try_up(&little).await.unwrap();

    for (method, params) in [("blob.put", json!({ "length_bytes": 3 })), ("blob.write", part.clone())] {
        assert_eq!(
            alice.rpc().call(method, params).await.unwrap_err().code(),
            "disk_full",
            "{method}"
        );
    }
    let text = alice.send(&chat, "still here").await;
    bob.receives(&text).await;

    alice.stop().await;
    alice.up().await;
    let written = alice.ask("blob.write", part).await;
    let body = json!({ "kind": "file", "file": { "blob": written["blob"], "name": "abc" } });
    bob.stop().await;
    let sent = alice.ask("message.send", json!({ "chat": chat, "body": body })).await;
    let message = sent["message"].as_str().unwrap();
    bob.try_up(&little).await.unwrap();
    bob.receives(message).await;
    let refused = bob.rpc().call("blob.fetch", json!({ "message": message })).await;
    assert_eq!(refused.unwrap_err().code(), "disk_full");

    bob.stop().await;
    bob.up().await;
    printed(command(
        bob.data(),
        &["save", message, "--to", world.dir().join("abc").to_str().unwrap()],
    ))
    .await;
    assert_eq!(std::fs::read(world.dir().join("abc")).unwrap(), b"abc");
}
