//! What is left when processes are killed: at random under load, and at each failpoint.
//!
//! `MADANG_SEED=N` repeats the random choices of a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use madang_node::failpoint;
use madang_tests::{CallError, DEADLINE, Dice, Person, Relay, Rpc, Said, Steady, TCP, Watcher, World, join};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const MADANG: &str = env!("CARGO_BIN_EXE_madang-under-test");

/// Kills of the run under load.
const KILLS: usize = 54;
/// Threads of texts that each person sends at once, each in its own order.
const LANES: usize = 2;
/// Time between kills, in milliseconds, beyond the restart: from nothing, so that also a start is killed, to a while of work.
const BETWEEN_KILLS_MS: u64 = 1_200;
/// How long somebody who can't be asked is left alone.
const RETRY: Duration = Duration::from_millis(20);
/// Updates of the own leaf come this often, so that commits are under way at many kills.
const LEAF_UPDATES: (&str, &str) = ("MADANG_LEAF_UPDATE_MS", "400");
/// Hits of a failpoint at which a process dies.
const HITS: [u32; 4] = [1, 2, 3, 5];

/// Starts a relay that is missed as soon as it is killed: over QUIC that takes half a minute, for which it would be out of play.
async fn relay_of(world: &World) -> Relay {
    world.relay_with(&[TCP], &[]).await
}

/// Sends texts as fast as they are acknowledged, under keys, and repeats under the same key what got no answer.
struct Lane {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Vec<(String, String)>>,
}

impl Lane {
    fn start(data: &Path, chat: &str, name: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (mut node, chat, stopped) = (Steady::new(data), chat.to_owned(), stop.clone());
        let task = tokio::spawn(async move {
            let mut sent = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let text = format!("{name} {}", sent.len());
                let params = json!({ "chat": chat, "body": { "kind": "text", "text": text }, "idempotency_key": text });
                let answer = node.ask("message.send", &params).await;
                sent.push((answer["message"].as_str().unwrap().to_owned(), text));
            }
            sent
        });
        Self { stop, task }
    }

    /// Returns what was acknowledged, in order: ids and texts.
    async fn end(self) -> Vec<(String, String)> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

fn lanes(person: &Person, name: &str, chat: &str) -> Vec<Lane> {
    let lane = |number| Lane::start(person.data(), chat, format!("{name}{number}"));
    (0..LANES).map(lane).collect()
}

async fn end(lanes: Vec<Lane>) -> Vec<Vec<(String, String)>> {
    let mut sent = Vec::new();
    for lane in lanes {
        sent.push(lane.end().await);
    }
    sent
}

fn count(sent: &[Vec<(String, String)>]) -> usize {
    sent.iter().map(Vec::len).sum()
}

fn theirs(said: Vec<Said>, own: bool) -> Vec<Said> {
    said.into_iter().filter(|said| said.own == own).collect()
}

/// Checks that what one acknowledged is at the other once and in order: in its list, and in the events that it announced.
async fn arrived(sent: &[Vec<(String, String)>], sender: &Person, receiver: &Person, chat: &str, events: &[Value]) {
    let (out, came) = (
        theirs(sender.said(chat).await, true),
        theirs(receiver.said(chat).await, false),
    );
    let ids = |said: &[Said]| said.iter().map(|said| said.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&out), ids(&came), "the lists differ");
    let acknowledged: BTreeSet<&String> = sent.iter().flatten().map(|(id, _)| id).collect();
    assert_eq!(acknowledged.len(), count(sent), "an id was given twice");
    assert_eq!(
        acknowledged,
        came.iter().map(|said| &said.id).collect(),
        "lost or invented"
    );
    assert_eq!(came.len(), acknowledged.len(), "doubled");
    for lane in sent {
        let wanted: Vec<&String> = lane.iter().map(|(_, text)| text).collect();
        let ids: BTreeSet<&String> = lane.iter().map(|(id, _)| id).collect();
        let found: Vec<&String> = came
            .iter()
            .filter(|said| ids.contains(&said.id))
            .map(|said| &said.text)
            .collect();
        assert_eq!(found, wanted, "out of order");
    }
    // That each is announced only once was checked when the events were taken.
    let announced: BTreeSet<String> = events
        .iter()
        .filter(|event| event["kind"] == "message.received")
        .map(|event| event["data"]["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(announced, acknowledged.into_iter().cloned().collect(), "announced");
}

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
    let (from_alice, from_bob) = (lanes(&alice, "alice", &chat), lanes(&bob, "bob", &chat));

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
        for lane in sent {
            person.ledger_says(&lane.last().unwrap().0, "delivered").await;
        }
        let all: Vec<&String> = sent.iter().flatten().map(|(id, _)| id).collect();
        person
            .until("all is delivered", async |person| {
                let messages = person.rpc().messages(&chat).await;
                let done = |message: &Value| message["ledger"]["state"] == "delivered" || message["outgoing"] == false;
                (messages.len() >= all.len() && messages.iter().all(done)).then_some(())
            })
            .await;
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

/// Who is killed at a failpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Alice,
    Bob,
    Relay,
}

/// The failpoints that a victim passes.
fn points(victim: Victim) -> impl Iterator<Item = &'static str> {
    let other = if victim == Victim::Relay { "core." } else { "relay." };
    failpoint::NAMES
        .into_iter()
        .filter(move |name| !name.starts_with(other))
}

/// Three processes, one of which dies at a failpoint.
struct Play {
    relay: Relay,
    alice: Person,
    bob: Person,
    victim: Victim,
    deaths: usize,
}

impl Play {
    /// Starts the victim, to die at the `nth` hit of a point; `None` for a life without an end.
    async fn arm(&mut self, point: Option<(&str, u32)>) {
        let value = point.map(|(name, nth)| format!("{name}:{nth}"));
        let envs: Vec<(&str, &str)> = value.iter().map(|value| ("MADANG_FAILPOINT", value.as_str())).collect();
        // It may die before it is ready, which is as good as later.
        drop(match self.victim {
            Victim::Alice => self.alice.try_up(&envs).await,
            Victim::Bob => self.bob.try_up(&envs).await,
            Victim::Relay => self.relay.try_up(&envs).await,
        });
    }

    /// Ends the victim, if it still lives, and starts it to die.
    async fn arm_anew(&mut self, point: &str, nth: u32) {
        self.end_victim().await;
        self.arm(Some((point, nth))).await;
    }

    /// Ends the victim, if it still lives, and starts it for a life without an end.
    async fn disarm(&mut self) {
        self.end_victim().await;
        self.arm(None).await;
    }

    async fn end_victim(&mut self) {
        if self.victim_has_ended() {
            self.deaths += 1;
            return;
        }
        match self.victim {
            Victim::Alice => self.alice.kill().await,
            Victim::Bob => self.bob.kill().await,
            Victim::Relay => self.relay.kill().await,
        }
    }

    fn victim_has_ended(&mut self) -> bool {
        match self.victim {
            Victim::Alice => self.alice.has_ended(),
            Victim::Bob => self.bob.has_ended(),
            Victim::Relay => self.relay.has_ended(),
        }
    }

    /// Starts the victim again if it has died.
    async fn revive(&mut self) {
        if self.victim_has_ended() {
            self.deaths += 1;
            self.arm(None).await;
        }
    }

    /// Waits until the victim dies by itself, and starts it again.
    async fn dies(&mut self) {
        let deadline = Instant::now() + DEADLINE;
        while !self.victim_has_ended() {
            assert!(
                Instant::now() < deadline,
                "{:?} never comes to its failpoint",
                self.victim
            );
            tokio::time::sleep(RETRY).await;
        }
        self.revive().await;
    }

    /// Waits until both are connected to the relay, or it has died of that.
    async fn meets_relay(&mut self) {
        let before = self.deaths;
        for who in [Victim::Alice, Victim::Bob] {
            let deadline = Instant::now() + DEADLINE;
            while self.deaths == before {
                let info = self.insist(who, "node.info", &json!({})).await.unwrap();
                if info["relays"][0]["connected"] == true {
                    break;
                }
                assert!(Instant::now() < deadline, "{who:?} never meets the relay");
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Calls a method as a person does who starts a node that died again and then repeats what got no answer.
    async fn insist(&mut self, who: Victim, method: &str, params: &Value) -> Result<Value, CallError> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            self.revive().await;
            let person = if who == Victim::Alice { &self.alice } else { &self.bob };
            let error = match Rpc::open(person.data()) {
                Some(rpc) => match rpc.call(method, params.clone()).await {
                    Err(CallError::Refused {
                        code,
                        retryable: false,
                        message,
                    }) if code != "internal" => {
                        return Err(CallError::Refused {
                            code,
                            retryable: false,
                            message,
                        });
                    }
                    Err(error) => error,
                    Ok(answer) => return Ok(answer),
                },
                None => CallError::Unreachable("no node".into()),
            };
            assert!(Instant::now() < deadline, "{method} gets no answer: {error:?}");
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Waits until a list of somebody has an item that fits; whoever died is started again.
    async fn listed(&mut self, who: Victim, method: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let page = self.insist(who, method, &json!({})).await.unwrap();
            if let Some(found) = page["items"].as_array().unwrap().iter().find(|item| fits(item)) {
                return found.clone();
            }
            assert!(Instant::now() < deadline, "{what} never comes");
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Makes contact as two people would, whoever dies on the way; returns the chat.
    async fn join(&mut self, multi_use: bool) -> String {
        let made = self
            .insist(Victim::Alice, "contact.invite", &json!({ "multi_use": multi_use }))
            .await;
        let invite = json!({ "invite": made.unwrap()["invite"] });
        let accepted = self.insist(Victim::Bob, "contact.accept", &invite).await.unwrap();
        let asked = self
            .listed(Victim::Alice, "contact.requests", "the request", |_| true)
            .await;
        let approval = json!({ "request": asked["request"] });
        // Repeated after a crash it may have taken place, and there is no such request any more.
        match self.insist(Victim::Alice, "contact.approve", &approval).await {
            Ok(approved) => assert_eq!(approved["chat"], accepted["chat"]),
            Err(error) => assert_eq!(error.code(), "not_found"),
        }
        for who in [Victim::Alice, Victim::Bob] {
            self.listed(who, "chat.list", "the active chat", |chat| chat["state"] == "active")
                .await;
            let contacts = self.insist(who, "contact.list", &json!({})).await.unwrap();
            assert_eq!(contacts["items"].as_array().unwrap().len(), 1, "{contacts}");
        }
        accepted["chat"].as_str().unwrap().to_owned()
    }

    /// Both send `many` texts in turn, whoever dies on the way; returns what was acknowledged, of Alice and of Bob.
    async fn talk(&mut self, chat: &str, name: &str, many: usize) -> [Vec<(String, String)>; 2] {
        let mut sent = [Vec::new(), Vec::new()];
        for n in 0..many {
            for (at, who) in [Victim::Alice, Victim::Bob].into_iter().enumerate() {
                let text = format!("{who:?} {name} {n}");
                let params = json!({ "chat": chat, "body": { "kind": "text", "text": text }, "idempotency_key": text });
                let answer = self.insist(who, "message.send", &params).await.unwrap();
                sent[at].push((answer["message"].as_str().unwrap().to_owned(), text));
            }
        }
        sent
    }

    /// Waits until both have all that was sent, and checks it.
    async fn settled(&mut self, chat: &str, sent: &[Vec<(String, String)>; 2]) {
        self.disarm().await;
        for (person, sent) in [(&mut self.alice, &sent[0]), (&mut self.bob, &sent[1])] {
            for (id, _) in sent {
                person.ledger_says(id, "delivered").await;
            }
        }
        let of_alice = self.alice.all_events().await.to_vec();
        let of_bob = self.bob.all_events().await.to_vec();
        arrived(&sent[..1], &self.alice, &self.bob, chat, &of_bob).await;
        arrived(&sent[1..], &self.bob, &self.alice, chat, &of_alice).await;
        self.alice.events_are_sound().await;
        self.bob.events_are_sound().await;
    }
}

async fn play(world: &World, victim: Victim, leaf_updates: bool) -> Play {
    let relay = relay_of(&world).await;
    let mut alice = world.person("alice", relay.addresses());
    let mut bob = world.person("bob", relay.addresses());
    for person in [&mut alice, &mut bob] {
        if leaf_updates {
            person.set_env(LEAF_UPDATES.0, LEAF_UPDATES.1);
        }
        person.up().await;
    }
    Play {
        relay,
        alice,
        bob,
        victim,
        deaths: 0,
    }
}

/// Dies at each failpoint while two talk.
async fn talk_dying(victim: Victim) {
    let world = World::new(MADANG);
    let mut play = play(&world, victim, false).await;
    let chat = play.join(false).await;
    let mut all = [Vec::new(), Vec::new()];
    let mut plays = 0;
    for point in points(victim) {
        for nth in HITS {
            play.arm_anew(point, nth).await;
            play.meets_relay().await;
            plays += 1;
            let deadline = Instant::now() + DEADLINE;
            for n in 0.. {
                let sent = play.talk(&chat, &format!("{point}:{nth}:{n}"), 1).await;
                for (all, sent) in all.iter_mut().zip(sent) {
                    all.extend(sent);
                }
                if play.deaths == plays {
                    break;
                }
                assert!(Instant::now() < deadline, "{victim:?} never comes to {point}:{nth}");
            }
        }
    }
    play.settled(&chat, &all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_alice_dies_at_each_failpoint_while_two_talk() {
    talk_dying(Victim::Alice).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_f26_the_relay_dies_at_each_failpoint_while_two_talk() {
    talk_dying(Victim::Relay).await;
}

/// Dies at each failpoint while only leaf updates go to and fro, and while what comes after them is sent.
async fn update_dying(victim: Victim) {
    let world = World::new(MADANG);
    let mut play = play(&world, victim, true).await;
    let chat = play.join(false).await;
    let mut all = [Vec::new(), Vec::new()];
    for point in points(victim) {
        for nth in HITS {
            play.arm_anew(point, nth).await;
            play.dies().await;
            let sent = play.talk(&chat, &format!("{point}:{nth}"), 1).await;
            for (all, sent) in all.iter_mut().zip(sent) {
                all.extend(sent);
            }
        }
    }
    play.settled(&chat, &all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_alice_dies_at_each_failpoint_of_leaf_updates() {
    update_dying(Victim::Alice).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_the_relay_dies_at_each_failpoint_of_leaf_updates() {
    update_dying(Victim::Relay).await;
}

/// Dies at each failpoint on the way to a contact.
async fn join_dying(victim: Victim) {
    let (mut deaths, mut plays) = (0, 0);
    for point in points(victim) {
        for nth in HITS {
            let world = World::new(MADANG);
            let mut play = play(&world, victim, false).await;
            play.arm_anew(point, nth).await;
            play.meets_relay().await;
            // By turns with an invite for many: its first guest has the last-resort key package, so that a leaf update follows.
            let chat = play.join(nth % 2 == 0).await;
            let sent = play.talk(&chat, "after", 1).await;
            play.settled(&chat, &sent).await;
            deaths += play.deaths;
            plays += 1;
        }
    }
    println!("{victim:?} died {deaths} times in {plays} plays");
    assert!(deaths * 2 > plays, "too few deaths to show anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_the_inviter_dies_at_each_failpoint_of_a_join() {
    join_dying(Victim::Alice).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_the_guest_dies_at_each_failpoint_of_a_join() {
    join_dying(Victim::Bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_the_relay_dies_at_each_failpoint_of_a_join() {
    join_dying(Victim::Relay).await;
}
