//! The example program, which knows nothing but the JSON-RPC.

use std::ffi::OsString;
use std::path::Path;

use madang_tests::{Person, Process, World};
use serde_json::json;

use crate::{ECHO_BOT, MADANG};

/// A person's echo bot.
async fn bot(world: &World, person: &Person) -> Process {
    let mut args: Vec<OsString> = vec!["--data".into(), person.data().into(), "--approve-all".into()];
    args.extend(["--state".into(), world.dir().join("echo.state").into()]);
    Process::start_at_once(Path::new(ECHO_BOT), &args, &world.dir().join("bot"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_bot_answers_each_text_once_also_over_kills() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut node = world.person_up("robot", &[]).await;
    let mut echo = bot(&world, &node).await;
    let invite = node.ask("contact.invite", json!({})).await["invite"].clone();
    let chat = alice.ask("contact.accept", json!({ "invite": invite })).await["chat"].clone();
    let chat = chat.as_str().unwrap().to_owned();
    // The bot approves.
    alice.is_active(&chat).await;

    let mut sent = Vec::new();
    for n in 0..30 {
        sent.push(format!("text {n}"));
        alice.send(&chat, &sent[n]).await;
        match n {
            5 | 11 | 17 => {
                echo.kill().await;
                echo = bot(&world, &node).await;
            }
            8 | 20 => {
                node.kill().await;
                node.up().await;
            }
            _ => {}
        }
    }
    alice
        .until("all texts are answered", async |alice| {
            let said = alice.said(&chat).await;
            (said.iter().filter(|said| !said.own).count() >= sent.len()).then_some(())
        })
        .await;
    // One more round trip: whatever would be answered twice has been answered by then.
    sent.push("last".to_owned());
    alice.send(&chat, "last").await;
    alice
        .event("the last answer arrives", |kind, data| {
            kind == "message.received" && data["body"]["text"] == "last"
        })
        .await;
    let said = alice.said(&chat).await;
    let mut answers: Vec<&str> = said
        .iter()
        .filter(|said| !said.own)
        .map(|said| said.text.as_str())
        .collect();
    // The bot answers as texts arrive, which over a kill need not be in order.
    answers.sort_unstable();
    sent.sort_unstable();
    assert_eq!(answers, sent);
    echo.kill().await;
}
