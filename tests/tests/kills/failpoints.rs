//! A process dies at each failpoint of talking, of leaf updates and of making contact, and is started again as a user would.

use std::time::{Duration, Instant};

use madang_node::failpoint;
use madang_tests::{CallError, DEADLINE, Person, Relay, Rpc, World, arrived};
use serde_json::{Value, json};

use crate::{LEAF_UPDATES, MADANG, relay_of};

/// How long somebody who can't be asked is left alone.
const RETRY: Duration = Duration::from_millis(20);
/// Hits of a failpoint at which a process dies.
const HITS: [u32; 4] = [1, 2, 3, 5];

/// Hits of a failpoint of a compaction, of which there are fewer.
const COMPACTION_HITS: [u32; 2] = [1, 2];
/// A victim's store compacts itself again after so many commits.
const COMPACTIONS: (&str, &str) = ("MADANG_COMPACT_EVERY", "3");
/// Texts before the first compaction, and their bytes: more than a compaction copies at a stretch.
const FILL: (usize, usize) = (12, 30_000);

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
    compacts: bool,
    deaths: usize,
}

impl Play {
    /// Starts the victim, to die at the `nth` hit of a point; `None` for a life without an end.
    async fn arm(&mut self, point: Option<(&str, u32)>) {
        let value = point.map(|(name, nth)| format!("{name}:{nth}"));
        let mut envs: Vec<(&str, &str)> = value.iter().map(|value| ("MADANG_FAILPOINT", value.as_str())).collect();
        if self.compacts {
            envs.push(COMPACTIONS);
        }
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
        self.talk_at_length(chat, name, (many, 0)).await
    }

    /// The same with texts that are longer by a number of bytes.
    async fn talk_at_length(
        &mut self,
        chat: &str,
        name: &str,
        (many, more): (usize, usize),
    ) -> [Vec<(String, String)>; 2] {
        let mut sent = [Vec::new(), Vec::new()];
        for n in 0..many {
            for (at, who) in [Victim::Alice, Victim::Bob].into_iter().enumerate() {
                let key = format!("{who:?} {name} {n}");
                let text = format!("{key}{}", "x".repeat(more));
                let params = json!({ "chat": chat, "body": { "kind": "text", "text": text }, "idempotency_key": key });
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
    let relay = relay_of(world).await;
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
        compacts: false,
        deaths: 0,
    }
}

/// Dies at each of some failpoints while two talk.
async fn talk_dying(victim: Victim, compacts: bool) {
    let world = World::new(MADANG);
    let mut play = play(&world, victim, false).await;
    let chat = play.join(false).await;
    let mut all = [Vec::new(), Vec::new()];
    let (points, hits): (Vec<&str>, &[u32]) = if compacts {
        all = play.talk_at_length(&chat, "at length", FILL).await;
        play.compacts = true;
        (failpoint::COMPACTION_NAMES.to_vec(), &COMPACTION_HITS)
    } else {
        (points(victim).collect(), &HITS)
    };
    let mut plays = 0;
    for point in points {
        for nth in hits {
            play.arm_anew(point, *nth).await;
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
    talk_dying(Victim::Alice, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_f26_the_relay_dies_at_each_failpoint_while_two_talk() {
    talk_dying(Victim::Relay, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_alice_dies_at_each_step_of_a_compaction_while_two_talk() {
    talk_dying(Victim::Alice, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_f26_the_relay_dies_at_each_step_of_a_compaction_while_two_talk() {
    talk_dying(Victim::Relay, true).await;
}

/// What the two above would meet if a compaction removed the old generation before it has copied it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f28_a_generation_that_went_too_early_is_missed_at_the_start() {
    let world = World::new(MADANG);
    let mut play = play(&world, Victim::Alice, false).await;
    let chat = play.join(false).await;
    play.talk(&chat, "before", 3).await;
    play.compacts = true;
    play.arm_anew("compact.before_switch", 1).await;
    let deadline = Instant::now() + DEADLINE;
    while !play.victim_has_ended() {
        assert!(Instant::now() < deadline, "no compaction comes so far");
        if let Some(rpc) = Rpc::open(play.alice.data()) {
            let params = json!({ "chat": chat, "body": { "kind": "text", "text": "more" } });
            // It dies of one of these.
            drop(rpc.call("message.send", params).await);
        }
    }

    let current = std::fs::read_to_string(play.alice.data().join("current")).unwrap();
    let [_, "over", old, ..] = current.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("no compaction is under way: {current}");
    };
    std::fs::remove_dir_all(play.alice.data().join(format!("g{old}"))).unwrap();
    assert!(play.alice.try_up(&[]).await.is_err(), "it starts without its rows");
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
