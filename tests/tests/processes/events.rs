//! Events to processes that die, lag and come back.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use madang_tests::bench::socket::Socket;
use madang_tests::reader::{self, Told};
use madang_tests::{DEADLINE, Dice, Lane, Person, Process, World, copy_directory, end, join};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_is_told_when_the_node_goes_on_from_an_older_copy_of_its_data() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let note = async |alice: &Person, name: &str| {
        let ask = json!({ "name": name, "scopes": ["chat:read"] });
        alice.rpc().of_app(None).ask("app.request", ask).await;
    };
    note(&alice, "before").await;
    alice.stop().await;
    let copy = world.dir().join("copy");
    copy_directory(alice.data(), &copy);
    alice.up().await;
    for name in ["lost 1", "lost 2", "lost 3"] {
        note(&alice, name).await;
    }
    let page = alice.ask("event.poll", json!({ "after": "0" })).await;
    let place = json!({ "after": page["next"], "epoch": page["epoch"] });
    assert_eq!(page["next"], "4");
    alice.stop().await;
    alice.up().await;
    let same = alice.ask("event.poll", place.clone()).await;
    assert_eq!(same["items"], json!([]), "a restart alone makes no other log");
    alice.stop().await;

    std::fs::remove_dir_all(alice.data()).unwrap();
    copy_directory(&copy, alice.data());
    alice.up().await;
    // The cursor that the reader has stands for something else by now.
    for name in ["new 2", "new 3", "new 4", "new 5"] {
        note(&alice, name).await;
    }
    let told = alice.ask("event.poll", place.clone()).await;
    let gap = &told["items"][0];
    assert_eq!(gap["data"], json!({ "from": "1", "to": "4", "reason": "other_log" }));
    let next = alice
        .ask("event.poll", json!({ "after": told["next"], "epoch": told["epoch"] }))
        .await;
    let names: Vec<_> = next["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["data"]["name"])
        .collect();
    assert_eq!(names, ["before", "new 2", "new 3", "new 4", "new 5"]);
    let shared = json!({ "after": "1", "epoch": page["items"][0]["epoch"] });
    let next = alice.ask("event.poll", shared).await;
    assert_eq!(next["items"][0]["cursor"], "2", "what both logs have isn't told again");
    let ack = json!({ "cursor": "4", "epoch": place["epoch"] });
    assert_eq!(
        alice.rpc().call("event.ack", ack).await.unwrap_err().code(),
        "invalid_params"
    );

    let (_socket, mut events) = alice.rpc().subscribe("1000").await;
    let gap: Value = events.next().await.unwrap().unwrap();
    assert_eq!(
        gap["data"],
        json!({ "from": "1", "to": "1000", "reason": "other_log" }),
        "beyond the newest"
    );
    let first: Value = events.next().await.unwrap().unwrap();
    assert_eq!(
        (&first["cursor"], &first["data"]["name"]),
        (&json!("1"), &json!("before"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn f57_who_does_not_read_is_told_how_far_behind_it_is_and_loses_nothing() {
    /// More than the system keeps for a socket, in texts of 30 KiB.
    const LARGE: usize = 400;
    /// More than a subscription may be behind without a word.
    const SMALL: usize = 1_100;
    let world = World::new(MADANG);
    let alice = world.person_up("alice", &[]).await;
    let group = alice
        .ask("chat.create", json!({ "name": "notes", "members": [] }))
        .await;
    let say = |text: String| {
        let params = json!({ "chat": group["chat"], "body": { "kind": "text", "text": text } });
        json!({ "jsonrpc": "2.0", "id": 1, "method": "message.send", "params": params }).to_string()
    };
    let mut asleep = Socket::open(alice.data()).await;
    let params = json!({ "after": "0", "filter": { "kinds": ["message.sent"] } });
    let subscribe = json!({ "jsonrpc": "2.0", "id": 1, "method": "event.subscribe", "params": params });
    asleep.send(&subscribe.to_string()).await;
    asleep.next().await;
    let mut busy = Socket::open(alice.data()).await;
    busy.calls(1, 1, |_| say("first".to_owned())).await;
    let first = event(&mut asleep).await;

    busy.calls(LARGE, 8, |_| say("x".repeat(30 * 1024))).await;
    busy.calls(SMALL, 16, |_| say("small".to_owned())).await;

    let (mut seen, mut last, mut told) = (0, cursor(&first), Vec::new());
    while seen < LARGE + SMALL {
        let event = event(&mut asleep).await;
        if event["kind"] == "lagged" {
            assert_eq!(cursor(&event), last, "a notice has the cursor of the event before it");
            told.push(event["data"]["behind"].as_u64().unwrap());
            continue;
        }
        assert!(cursor(&event) > last, "{event}");
        (seen, last) = (seen + 1, cursor(&event));
    }
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0] > 1_000, "{told:?}");
}

/// The next event of a subscription.
async fn event(socket: &mut Socket) -> Value {
    let told = timeout(DEADLINE, socket.next()).await.expect("an event in time");
    let told: Value = serde_json::from_slice(&told).unwrap();
    told["params"]["result"].clone()
}

fn cursor(event: &Value) -> u64 {
    event["cursor"].as_str().unwrap().parse().unwrap()
}

fn read(node: &Person, token: &str, told: &Told, seed: u64) -> Process {
    let args = reader::args(node.data(), token, told.path(), seed);
    Process::start_at_once(Path::new(EVENT_READER), &args, &[], &told.path().with_extension("log"))
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
