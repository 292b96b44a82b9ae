//! Scenarios with real processes on loopback: a relay, two people, and what they do through the JSON-RPC or the command line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use madang_tests::{DEADLINE, LISTEN, Person, Process, QUIC, Rpc, TCP, World, join, run};
use serde_json::{Value, json};

const MADANG: &str = env!("CARGO_BIN_EXE_madang-under-test");
const ECHO_BOT: &str = env!("CARGO_BIN_EXE_echo-bot-under-test");

/// The exit code of a data directory that can't be opened (docs/cli.md).
const EXIT_STORE: i32 = 6;
/// How long a node that was killed may be out of reach after its restart: far below the time for which a dead connection may idle.
const FOUND_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn two_people_and_a_relay_through_the_json_rpc_alone() {
    let world = World::new(MADANG);
    let mut relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;

    let hello = alice.send(&chat, "hello bob").await;
    bob.receives(&hello).await;
    let answer = bob.send(&chat, "hello alice").await;
    alice.receives(&answer).await;

    alice.stop().await;
    let mut waiting = Vec::new();
    for text in ["one", "two", "three"] {
        waiting.push(bob.send(&chat, text).await);
    }
    for id in &waiting {
        let ledger = bob.ledger_says(id, "held").await;
        assert_eq!(ledger["held"].as_array().unwrap().len(), 1, "{ledger}");
    }
    bob.kill().await;
    bob.up().await;
    alice.up().await;
    for id in &waiting {
        alice.receives(id).await;
        bob.ledger_says(id, "delivered").await;
    }
    let through = waiting.last().unwrap();
    alice
        .ask("message.mark_read", json!({ "chat": chat, "through": through }))
        .await;
    bob.ledger_says(through, "read").await;

    relay.stop().await;
    let without = alice.send(&chat, "without a relay").await;
    bob.receives(&without).await;
    alice.ledger_says(&without, "delivered").await;

    let texts = ["hello bob", "hello alice", "one", "two", "three", "without a relay"];
    for person in [&mut alice, &mut bob] {
        let said = person.said(&chat).await;
        assert_eq!(said.iter().map(|said| said.text.as_str()).collect::<Vec<_>>(), texts);
        person.events_are_sound().await;
    }
    let doctor = bob.ask("node.doctor", json!({})).await;
    assert_eq!(doctor["chats"][0]["path"], "direct", "{doctor}");
}

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
    let tail = Process::start_at_once(Path::new(MADANG), &args, &dir.join("tail"));
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

#[tokio::test(flavor = "multi_thread")]
async fn two_people_need_no_relay_at_all() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let id = alice.send(&chat, "hello").await;
    bob.receives(&id).await;
    bob.ask("message.mark_read", json!({ "chat": chat, "through": id }))
        .await;
    alice.ledger_says(&id, "read").await;

    // What is written while the other is away waits at its author, also over a kill.
    bob.stop().await;
    let first = alice.send(&chat, "first").await;
    alice.kill().await;
    alice.up().await;
    let second = alice.send(&chat, "second").await;
    bob.up().await;
    bob.receives(&first).await;
    bob.receives(&second).await;
    alice.ledger_says(&second, "delivered").await;
    let texts: Vec<String> = bob.said(&chat).await.into_iter().map(|said| said.text).collect();
    assert_eq!(texts, ["hello", "first", "second"]);
    bob.events_are_sound().await;
}

/// Kills one of two who have no relay, more often than a peer may have connections; `listen` is their only transport.
async fn found_again(listen: &str) {
    let world = World::new(MADANG);
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| world.person(name, &[]));
    for person in [&mut alice, &mut bob] {
        person.set_listen(listen);
        person.up().await;
    }
    let chat = join(&mut alice, &mut bob).await;
    for round in 0..7 {
        bob.kill().await;
        let there = alice.send(&chat, &format!("there {round}")).await;
        bob.up().await;
        let back = bob.send(&chat, &format!("back {round}")).await;
        let began = Instant::now();
        bob.receives(&there).await;
        alice.receives(&back).await;
        assert!(
            began.elapsed() < FOUND_WITHIN,
            "round {round} took {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_is_found_again_at_once_over_quic() {
    found_again(QUIC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_is_found_again_at_once_over_tcp() {
    found_again(TCP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_never_meet_talk_through_the_relay() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;
    bob.stop().await;

    // Each is there only while the other isn't.
    let mut theirs = Vec::new();
    for round in 0..2 {
        let id = alice.send(&chat, &format!("alice {round}")).await;
        alice.ledger_says(&id, "held").await;
        alice.stop().await;
        bob.up().await;
        bob.receives(&id).await;
        let answer = bob.send(&chat, &format!("bob {round}")).await;
        bob.ledger_says(&answer, "held").await;
        bob.stop().await;
        alice.up().await;
        alice.receives(&answer).await;
        // Bob's confirmation came through the relay as well.
        alice.ledger_says(&id, "delivered").await;
        theirs.extend([id, answer]);
    }
    let said: Vec<String> = alice.said(&chat).await.into_iter().map(|said| said.id).collect();
    assert_eq!(said, theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_repeated_over_a_kill_sends_one_message() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let params = json!({ "chat": chat, "body": { "kind": "text", "text": "once" }, "idempotency_key": "key" });
    let first = alice.ask("message.send", params.clone()).await;
    alice.kill().await;
    alice.up().await;
    let again = alice.ask("message.send", params).await;
    assert_eq!(again["message"], first["message"]);
    let other = json!({ "chat": chat, "body": { "kind": "text", "text": "other" }, "idempotency_key": "key" });
    let refused = alice.rpc().call("message.send", other).await.unwrap_err();
    assert_eq!(refused.code(), "idempotency_conflict");

    let last = alice.send(&chat, "last").await;
    bob.receives(&last).await;
    for person in [&alice, &bob] {
        let texts: Vec<String> = person.said(&chat).await.into_iter().map(|said| said.text).collect();
        assert_eq!(texts, ["once", "last"]);
    }
    bob.events_are_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_neither_lost_nor_doubled_over_kills() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let mut sent = Vec::new();
    for round in 0..3 {
        for n in 0..5 {
            sent.push(alice.send(&chat, &format!("{round} {n}")).await);
        }
        bob.receives(sent.last().unwrap()).await;
        bob.kill().await;
        bob.up().await;
    }
    // What was seen piece by piece, with cursors of before each kill, is what the log holds.
    let pieces = bob.all_events().await.to_vec();
    let whole = bob.ask("event.poll", json!({ "after": "0", "limit": 1000 })).await;
    assert_eq!(pieces, *whole["items"].as_array().unwrap());
    let received: Vec<&Value> = pieces
        .iter()
        .filter(|event| event["kind"] == "message.received")
        .collect();
    let ids: Vec<&str> = received
        .iter()
        .map(|event| event["data"]["message"].as_str().unwrap())
        .collect();
    assert_eq!(ids, sent);
    bob.events_are_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_subscription_carries_what_polling_gives() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let (_socket, mut events) = bob.rpc().subscribe("0").await;
    let mut last = String::new();
    for n in 0..10 {
        last = alice.send(&chat, &n.to_string()).await;
    }
    bob.receives(&last).await;
    let polled = bob.all_events().await.to_vec();
    let mut pushed = Vec::new();
    while pushed.len() < polled.len() {
        let event = tokio::time::timeout(DEADLINE, events.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        pushed.push(event);
    }
    assert_eq!(pushed, polled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_goes_forward_only() {
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let mut alice = world.person_up("alice", relay.addresses()).await;
    let mut bob = world.person_up("bob", relay.addresses()).await;
    let chat = join(&mut alice, &mut bob).await;
    let (_socket, mut events) = alice.rpc().subscribe("0").await;
    let id = alice.send(&chat, "read me").await;
    bob.receives(&id).await;
    let chats = bob.rpc().list("chat.list", &json!({})).await;
    assert_eq!(chats[0]["unread"], 1);
    bob.ask("message.mark_read", json!({ "chat": chat, "through": id }))
        .await;
    assert_eq!(bob.rpc().list("chat.list", &json!({})).await[0]["unread"], 0);
    let ledger = alice.ledger_says(&id, "read").await;
    assert_eq!(ledger["read"].as_array().unwrap().len(), 1, "{ledger}");
    // The stream ends at `read`, and never goes back on the way.
    let states = ["queued", "held", "delivered", "read"];
    let mut reached = 0;
    while reached < 3 {
        let event = tokio::time::timeout(DEADLINE, events.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        if event["kind"] == "message.ledger" && event["data"]["message"] == id.as_str() {
            let state = states
                .iter()
                .position(|state| event["data"]["ledger"]["state"] == *state)
                .unwrap();
            assert!(state >= reached, "went back: {event}");
            reached = state;
        }
    }
    alice.events_are_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f34_a_second_node_on_one_data_directory_is_refused() {
    let world = World::new(MADANG);
    let alice = world.person_up("alice", &[]).await;
    let output = run(Path::new(MADANG), &alice.args(), DEADLINE).await;
    assert_eq!(output.status.code(), Some(EXIT_STORE));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["exit_code"], EXIT_STORE);
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("in use by another process") && message.contains("alice"),
        "{message}"
    );
    // The first goes on, and its places still lead to it.
    assert!(
        Rpc::open(alice.data())
            .unwrap()
            .call("account.get", json!({}))
            .await
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn f35_a_wrong_passphrase_is_refused_and_touches_nothing() {
    let world = World::new(MADANG);
    let mut alice = world.person("alice", &[]);
    let files = [("right", "open sesame"), ("wrong", "open barley")];
    let [right, wrong] = files.map(|(name, text)| {
        std::fs::write(world.dir().join(name), text).unwrap();
        world.dir().join(name)
    });
    alice.set_passphrase_file(&right);
    alice.up().await;
    let account = alice.ask("account.get", json!({})).await;
    alice.stop().await;

    let before = contents(alice.data());
    alice.set_passphrase_file(&wrong);
    let output = run(Path::new(MADANG), &alice.args(), DEADLINE).await;
    assert_eq!(output.status.code(), Some(EXIT_STORE));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("wrong passphrase") && !error.contains("barley"),
        "{error}"
    );
    assert_eq!(contents(alice.data()), before);

    alice.set_passphrase_file(&right);
    alice.up().await;
    assert_eq!(alice.ask("account.get", json!({})).await, account);
}

#[tokio::test(flavor = "multi_thread")]
async fn f31_data_of_a_newer_program_is_refused_and_left_alone() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    alice.stop().await;
    let path = alice.data().join("format");
    let mut format: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    format["format"] = json!(1_000);
    std::fs::write(&path, format.to_string()).unwrap();

    let before = contents(alice.data());
    let output = run(Path::new(MADANG), &alice.args(), DEADLINE).await;
    assert_eq!(output.status.code(), Some(EXIT_STORE));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("format 1000") && error.contains("update the program"),
        "{error}"
    );
    assert_eq!(contents(alice.data()), before);
}

/// All files below a directory but the lock: paths and contents.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.file_name().unwrap() != "lock" {
                found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn f65_no_secret_is_in_what_the_processes_say() {
    let world = World::new(MADANG);
    let trace = [("MADANG_LOG", "trace")];
    let mut relay = world.relay_with(&LISTEN, &trace).await;
    let mut alice = world.person("alice", relay.addresses());
    let mut bob = world.person("bob", relay.addresses());
    for person in [&mut alice, &mut bob] {
        person.set_env(trace[0].0, trace[0].1);
        person.up().await;
    }
    let phrase = alice.ask("account.phrase", json!({})).await;
    let words: Vec<&str> = phrase["words"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    let chat = join(&mut alice, &mut bob).await;
    let texts = ["the cat sleeps on the roof", "and the dog below it"];
    let id = alice.send(&chat, texts[0]).await;
    bob.receives(&id).await;
    bob.stop().await;
    let held = alice.send(&chat, texts[1]).await;
    alice.ledger_says(&held, "held").await;
    bob.up().await;
    bob.receives(&held).await;
    let refused = bob
        .rpc()
        .call("contact.accept", json!({ "invite": "madang:invite?secret-part" }))
        .await;
    assert_eq!(refused.unwrap_err().code(), "invite_invalid");
    let identities = identities(&alice, &bob, &chat).await;
    let cookies = [&alice, &bob].map(|person| std::fs::read_to_string(person.data().join("cookie")).unwrap());
    let invite = alice.ask("contact.invite", json!({})).await["invite"]
        .as_str()
        .unwrap()
        .to_owned();
    alice.stop().await;
    bob.stop().await;
    relay.stop().await;

    let mut secrets: Vec<String> = texts.map(str::to_owned).to_vec();
    secrets.extend(cookies.iter().map(|cookie| cookie.trim().to_owned()));
    // However the words are set apart: as a phrase or as JSON.
    secrets.extend([words[..3].join(" "), words[..3].join("\",\"")]);
    secrets.push(invite.split('?').nth(1).unwrap()[..40].to_owned());
    let outputs = world.outputs();
    let traced: usize = outputs
        .iter()
        .filter(|(name, _)| name.ends_with(".err"))
        .map(|(_, text)| text.len())
        .sum();
    assert!(
        traced > 10_000,
        "the processes trace nothing, so that this test shows nothing"
    );
    for (name, text) in &outputs {
        for secret in &secrets {
            let line = text.lines().find(|line| line.contains(secret.as_str()));
            assert!(line.is_none(), "{name} has a secret: {}", line.unwrap_or_default());
        }
        let above_debug = text
            .lines()
            .filter(|line| [" INFO ", " WARN ", "ERROR "].iter().any(|level| line.contains(level)));
        for line in above_debug {
            let found = identities.iter().find(|identity| line.contains(identity.as_str()));
            assert!(found.is_none(), "{name} names somebody above DEBUG: {line}");
        }
    }
}

/// Accounts, devices, peers and the chat: what isn't logged above DEBUG.
async fn identities(alice: &Person, bob: &Person, chat: &str) -> BTreeSet<String> {
    let mut identities = BTreeSet::from([chat.to_owned()]);
    for person in [alice, bob] {
        let info = person.ask("node.info", json!({})).await;
        identities.extend(["account", "device", "peer"].map(|field| info[field].as_str().unwrap().to_owned()));
    }
    identities
}

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
