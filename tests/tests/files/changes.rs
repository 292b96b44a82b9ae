//! Files that change while they are sent, and images that the node was killed over.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use madang_tests::{DEADLINE, World, join};
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use crate::MADANG;
use crate::kit::{chunk_bytes, command, file, has_chunks, large, printed, refused};

/// A chunk of a PNG; nobody looks at the checksum of one that is dropped.
fn chunk(kind: &[u8; 4], content: &[u8], checksum: u32) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length, kind.as_slice(), content, &checksum.to_be_bytes()].concat()
}

/// A PNG of one black pixel, with a comment.
fn telling_image() -> Vec<u8> {
    let header = chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0], 0x3a7e_9b55);
    // Zlib: one stored block of the filter and the pixel.
    let pixel = [0x78, 1, 1, 2, 0, 0xfd, 0xff, 0, 0, 0, 2, 0, 1];
    let data = chunk(b"IDAT", &pixel, 0x7e05_0dd2);
    let end = chunk(b"IEND", &[], 0xae42_6082);
    let secret = chunk(b"tEXt", b"Comment\0SECRET place", 0);
    [b"\x89PNG\r\n\x1a\n".as_slice(), &header, &secret, &data, &end].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_it_is_sent_is_not_sent() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let change = |path: &Path, how: &str| {
        let mut file = OpenOptions::new()
            .write(true)
            .append(how == "grown")
            .open(path)
            .unwrap();
        match how {
            "cut" => file.set_len(1000).unwrap(),
            _ => file.write_all(b"something else").unwrap(),
        }
    };
    for how in ["cut", "grown", "overwritten"] {
        let source = file(&world, how, large());
        let sending = command(alice.data(), &["send", &chat, "--file", source.to_str().unwrap()]);
        has_chunks(alice.data(), large() / 4).await;
        change(&source, how);

        let (_, said) = refused(sending).await;

        assert!(said.contains("changed"), "{how}: {said}");
        alice
            .until("nothing is left of it", async |alice| {
                (chunk_bytes(alice.data()) == 0).then_some(())
            })
            .await;
    }
    assert_eq!(alice.rpc().messages(&chat).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_tells_nothing_although_the_node_was_killed_before_that_was_removed() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    alice.stop().await;
    alice
        .try_up(&[("MADANG_FAILPOINT", "core.before_strip")])
        .await
        .unwrap();
    let source = world.dir().join("photo.png");
    std::fs::write(&source, telling_image()).unwrap();

    let sending = command(alice.data(), &["send", &chat, "--file", source.to_str().unwrap()]);
    let deadline = Instant::now() + DEADLINE;
    while !alice.has_ended() {
        assert!(Instant::now() < deadline, "the failpoint isn't passed");
        sleep(Duration::from_millis(10)).await;
    }
    alice.gone();
    alice.up().await;
    let sent = printed(sending).await;

    let message = sent["message"].as_str().unwrap();
    bob.receives(message).await;
    let told = bob.ask("message.get", json!({ "message": message })).await;
    assert_eq!(told["body"]["kind"], "image", "{told}");
    let saved = printed(command(
        bob.data(),
        &["save", message, "--to", world.dir().join("its").to_str().unwrap()],
    ))
    .await;
    let bytes = std::fs::read(saved["items"][0]["path"].as_str().unwrap()).unwrap();
    assert!(bytes.starts_with(b"\x89PNG") && !bytes.windows(6).any(|part| part == b"SECRET"));
}
