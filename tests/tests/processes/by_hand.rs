//! The whole story through the command line alone, and the demo.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use madang_tests::{DEADLINE, LISTEN, Process, World, run};
use serde_json::{Value, json};

use crate::MADANG;

/// The command line, used by hand: each step is a command of its own.
struct Hand<'a> {
    data: &'a Path,
}

impl Hand<'_> {
    async fn output(&self, args: &[&str]) -> std::process::Output {
        let mut all: Vec<OsString> = args.iter().map(OsString::from).collect();
        all.extend(["--data".into(), self.data.into()]);
        run(Path::new(MADANG), &all, DEADLINE).await
    }

    /// Runs a command that must succeed; returns what it printed.
    async fn says(&self, args: &[&str]) -> String {
        let output = self.output(args).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {}: {error}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Repeats a command until it prints something that fits; a command is the only way to see it.
    async fn until(&self, args: &[&str], fits: impl Fn(&str) -> bool) -> String {
        let said = async {
            loop {
                let said = self.says(args).await;
                if fits(&said) {
                    return said;
                }
            }
        };
        tokio::time::timeout(DEADLINE, said)
            .await
            .unwrap_or_else(|_| panic!("{args:?} never said what it should"))
    }
}

fn listen_args() -> Vec<OsString> {
    LISTEN
        .iter()
        .flat_map(|address| ["--listen".into(), OsString::from(address)])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_and_a_relay_by_hand_through_the_command_line_alone() {
    let world = World::new(MADANG);
    let dir = world.dir();
    let start = async |name: &str, more: &[OsString]| {
        let mut args = more.to_vec();
        args.extend(listen_args());
        args.extend(["--data".into(), dir.join(name).into()]);
        Process::start(Path::new(MADANG), &args, &[], &dir.join(name))
            .await
            .unwrap()
    };
    let relay = start("relay", &["relay".into()]).await;
    let address = relay
        .lines()
        .into_iter()
        .find(|line| line.contains("/quic-v1/p2p/"))
        .unwrap();
    let up = |name: &str| -> Vec<OsString> {
        vec![
            "up".into(),
            "--name".into(),
            name.into(),
            "--relay".into(),
            address.clone().into(),
        ]
    };
    let node = start("alice", &up("Alice")).await;
    assert!(node.lines().iter().any(|line| line == "created a new account"));
    let other = start("bob", &up("Bob")).await;
    let (alice, bob) = (
        Hand {
            data: &dir.join("alice"),
        },
        Hand { data: &dir.join("bob") },
    );

    let account = alice.says(&["whoami"]).await;
    assert!(account.contains("Alice") && account.contains("madang1"), "{account}");
    let phrase = alice.says(&["phrase", "--json"]).await;
    let phrase: Value = serde_json::from_str(&phrase).unwrap();
    assert_eq!(phrase["words"].as_array().unwrap().len(), 24);
    assert!(
        !node.lines().concat().contains(phrase["words"][0].as_str().unwrap()),
        "the phrase is only shown when asked for"
    );

    let invite = alice.says(&["invite"]).await;
    assert!(
        invite.starts_with("madang:invite?") && invite.lines().count() == 1,
        "{invite}"
    );
    bob.says(&["accept", invite.trim()]).await;
    alice.until(&["requests"], |said| said.contains("Bob")).await;
    alice.says(&["approve", "bob"]).await;
    alice.until(&["chats"], |said| said.contains("Bob")).await;
    bob.until(&["chats", "--json"], |said| said.contains("\"active\""))
        .await;

    let args = ["tail", "--after", "0", "--json", "--data"].map(OsString::from);
    let mut args: Vec<OsString> = args.to_vec();
    args.push(dir.join("bob").into());
    let tail = Process::start_at_once(Path::new(MADANG), &args, &[], &dir.join("tail"));
    alice.says(&["send", "Bob", "Hello from the command line"]).await;
    bob.until(&["read", "Alice"], |said| said.contains("Hello from the command line"))
        .await;
    alice
        .until(&["read", "Bob"], |said| {
            said.contains("you: Hello from the command line  [read]")
        })
        .await;
    bob.says(&["send", "Alice", "-1", "--idempotency-key", "k"]).await;
    bob.says(&["send", "Alice", "-1", "--idempotency-key", "k"]).await;
    let read = alice.until(&["read", "Bob"], |said| said.contains("Bob: -1")).await;
    assert_eq!(read.matches("-1").count(), 1, "{read}");
    tail.says(|line| line.contains("\"message.received\"")).await;
    for line in tail.lines() {
        let event: Value = serde_json::from_str(&line).unwrap();
        assert!(event["cursor"].is_string() && event["kind"].is_string(), "{line}");
    }
    alice.says(&["doctor"]).await;

    assert_eq!(alice.output(&["send", "Nobody", "x"]).await.status.code(), Some(4));
    assert_eq!(
        alice.output(&["accept", "madang:invite?x"]).await.status.code(),
        Some(5)
    );
    assert!(node.stop().await.success());
    assert_eq!(alice.output(&["whoami"]).await.status.code(), Some(3));
    tail.kill().await;
    assert!(other.stop().await.success());
    assert!(relay.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_ends_well() {
    let output = run(Path::new(MADANG), &["demo", "--json"], Duration::from_secs(60)).await;
    let said = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{error}");
    let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((&last["event"], &last["ok"]), (&json!("done"), &json!(true)));
    assert!(last["took_ms"].as_u64().unwrap() < 50_000, "{last}");
}
