//! Three processes whose stores lie on one disk, and what they said before its power went.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use madang_tests::{DEADLINE, Dice, Disk, Lane, Person, Relay, TCP, Watcher, World, arrived, delivered, end, join};
use serde_json::{Value, json};

use crate::MADANG;

/// Threads of texts that each person sends at once, each in its own order.
const LANES: usize = 2;
/// Messages of each lane before the first cut, so that the stores are no new ones (guess).
const AGED: usize = 250;
/// Time under load before a cut, in milliseconds, at most (guess): from nothing to a while of work.
const BEFORE_CUT_MS: u64 = 1_000;
/// Time in which the processes meet a dead disk before they are killed, in milliseconds, at most (guess).
const AFTER_CUT_MS: u64 = 50;
/// How long somebody is left alone who doesn't have everything yet.
const RETRY: Duration = Duration::from_millis(20);
/// Updates of the own leaf come this often, so that commits are under way at many cuts.
const LEAF_UPDATES: (&str, &str) = ("MADANG_LEAF_UPDATE_MS", "400");
/// Each store compacts itself again after so many commits, so that many cuts fall into a compaction.
const COMPACTIONS: (&str, &str) = ("MADANG_COMPACT_EVERY", "40");

/// Something that was acknowledged is gone, or a store doesn't open.
#[derive(Debug)]
pub struct Lost(String);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was seen to survive.
#[derive(Debug, Default)]
pub struct Tally {
    acknowledged: usize,
    held: usize,
    /// Of the relay and the two nodes.
    compactions: [u64; 3],
}

impl Tally {
    /// Says whether there was enough at each cut to lose.
    pub fn says_enough(&self, rounds: usize) -> bool {
        self.acknowledged > 10 * rounds && self.held > rounds && self.compactions.iter().all(|many| *many > 1)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages acknowledged, {} given by the relay alone, compactions of relay, alice, bob: {:?}",
            self.acknowledged, self.held, self.compactions
        )
    }
}

/// A person under load.
struct Side {
    person: Person,
    account: Value,
    lanes: Vec<Lane>,
    watcher: Watcher,
    /// Of each lane, how many messages were found again after earlier cuts.
    checked: Vec<usize>,
}

impl Side {
    async fn start(person: Person, name: &str, chat: &str) -> Self {
        Self {
            account: person.ask("account.get", json!({})).await,
            lanes: Lane::start_many(person.data(), chat, name, LANES),
            watcher: Watcher::start(person.data()),
            checked: vec![0; LANES],
            person,
        }
    }

    /// Takes what was acknowledged since the last check.
    fn acknowledged(&mut self) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        for (lane, checked) in self.lanes.iter().zip(&mut self.checked) {
            let sent = lane.sent();
            ids.extend(sent[*checked..].iter().map(|(id, _)| id.clone()));
            *checked = sent.len();
        }
        ids
    }

    /// Returns the own messages of which the node said that somebody else has them.
    fn handed_over(&self) -> BTreeSet<String> {
        let events = self.watcher.seen();
        events
            .iter()
            .filter(|event| event["kind"] == "message.ledger")
            .map(|event| event["data"]["message"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn up(&mut self, envs: &[(&str, &str)]) -> Result<(), Lost> {
        let up = self.person.try_up(envs).await;
        up.map_err(|ended| Lost(format!("the node of {} ended with {}", self.account, ended.status)))?;
        match self.person.rpc().call("account.get", json!({})).await {
            Ok(account) if account == self.account => Ok(()),
            other => Err(Lost(format!("{} became {other:?}", self.account))),
        }
    }

    /// Checks that the node has messages, within a time.
    async fn has(&self, chat: &str, mut ids: BTreeSet<String>, within: Duration, what: &str) -> Result<(), Lost> {
        let deadline = Instant::now() + within;
        loop {
            self.look_for(chat, &mut ids).await?;
            if ids.is_empty() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Lost(format!("{} of {what} are gone", ids.len())));
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Removes what it finds; pages backwards from the newest.
    async fn look_for(&self, chat: &str, ids: &mut BTreeSet<String>) -> Result<(), Lost> {
        let mut before = Value::Null;
        while !ids.is_empty() {
            let params = json!({ "chat": chat, "before": before, "limit": 200 });
            let page = self.person.rpc().call("message.list", params).await;
            let page = page.map_err(|error| Lost(format!("message.list: {error:?}")))?;
            for message in page["items"].as_array().unwrap() {
                ids.remove(message["message"].as_str().unwrap());
            }
            before = page["prev"].clone();
            if before.is_null() {
                break;
            }
        }
        Ok(())
    }
}

/// A relay and two people on one disk. The disk comes last, to be unmounted when all others are gone.
pub struct Play {
    pub tally: Tally,
    chat: String,
    relay: Relay,
    relay_addresses: Vec<String>,
    sides: [Side; 2],
    /// Of each side, what the relay was seen to hold or pass on.
    held: [BTreeSet<String>; 2],
    envs: Vec<(&'static str, &'static str)>,
    /// How long somebody may take to fetch what a relay holds.
    patience: Duration,
    _world: World,
    disk: Disk,
}

impl Play {
    /// Makes two people contacts and lets their stores age; all is put on the disk. The variables hold from then on.
    pub async fn start(disk: Disk, envs: &[(&'static str, &'static str)]) -> Self {
        let world = World::with_data(MADANG, &disk.path());
        // Over TCP a relay that was killed is missed at once: over QUIC that takes half a minute.
        let relay = world.relay_with(&[TCP], &[COMPACTIONS]).await;
        let mut people = ["alice", "bob"].map(|name| world.person(name, relay.addresses()));
        for person in &mut people {
            for (name, value) in [LEAF_UPDATES, COMPACTIONS] {
                person.set_env(name, value);
            }
            person.up().await;
        }
        let [mut alice, mut bob] = people;
        let chat = join(&mut alice, &mut bob).await;
        let sides = [
            Side::start(alice, "alice", &chat).await,
            Side::start(bob, "bob", &chat).await,
        ];
        for lane in sides.iter().flat_map(|side| &side.lanes) {
            lane.has_sent(AGED).await;
        }
        let mut play = Self {
            tally: Tally::default(),
            chat,
            relay_addresses: relay.addresses().to_vec(),
            relay,
            sides,
            held: [BTreeSet::new(), BTreeSet::new()],
            envs: envs.to_vec(),
            // Who has lost something doesn't find it by waiting longer.
            patience: if envs.is_empty() { DEADLINE } else { DEADLINE / 4 },
            _world: world,
            disk,
        };
        if !envs.is_empty() {
            play.restart().await;
        }
        play
    }

    /// Cuts the power under load at a random moment, and looks what is left.
    pub async fn round(&mut self, round: usize, dice: &mut Dice) -> Result<(), Lost> {
        // Two of three times one is away, so that only the relay has what the other sends.
        let away = (round % 3).checked_sub(1);
        if let Some(away) = away {
            self.sides[away].person.kill().await;
        }
        tokio::time::sleep(Duration::from_millis(dice.below(BEFORE_CUT_MS))).await;
        self.disk.cut();
        tokio::time::sleep(Duration::from_millis(dice.below(AFTER_CUT_MS))).await;
        self.relay.kill().await;
        for (at, side) in self.sides.iter_mut().enumerate() {
            if away != Some(at) {
                side.person.kill().await;
            }
        }
        let said: Vec<BTreeSet<String>> = self.sides.iter().map(Side::handed_over).collect();
        self.disk.replug(dice.below(2) == 0);

        self.relay_up().await?;
        if let Some(away) = away {
            let there = 1 - away;
            let held: BTreeSet<String> = said[there].difference(&self.held[there]).cloned().collect();
            self.sides[away].up(&self.envs).await?;
            self.tally.held += held.len();
            self.sides[away]
                .has(&self.chat, held, self.patience, "what the relay signed for")
                .await?;
            self.sides[there].up(&self.envs).await?;
        } else {
            for side in &mut self.sides {
                side.up(&self.envs).await?;
            }
        }
        self.held = [said[0].clone(), said[1].clone()];
        for side in &mut self.sides {
            let ids = side.acknowledged();
            self.tally.acknowledged += ids.len();
            side.has(&self.chat, ids, Duration::ZERO, "what was acknowledged")
                .await?;
        }
        Ok(())
    }

    /// Ends the load, waits until all is delivered, and checks that everything is there once and in order.
    pub async fn settled(&mut self) {
        let mut sent = Vec::new();
        for side in &mut self.sides {
            sent.push(end(std::mem::take(&mut side.lanes)).await);
        }
        for (side, sent) in self.sides.iter_mut().zip(&sent) {
            delivered(&mut side.person, &self.chat, sent).await;
        }
        for side in &mut self.sides {
            side.person.events_are_sound().await;
        }
        for (at, sent) in sent.iter().enumerate() {
            let announced = self.sides[1 - at].person.all_events().await.to_vec();
            let (sender, receiver) = (&self.sides[at].person, &self.sides[1 - at].person);
            arrived(sent, sender, receiver, &self.chat, &announced).await;
        }
        self.tally.compactions = ["relay", "alice", "bob"].map(|name| generation(&self.disk.path().join(name)));
    }

    /// Ends the load at once: the stores are beyond repair.
    pub fn abandon(self) {
        for lane in self.sides.into_iter().flat_map(|side| side.lanes) {
            lane.abort();
        }
    }

    async fn relay_up(&mut self) -> Result<(), Lost> {
        let up = self.relay.try_up(&self.envs).await;
        up.map_err(|ended| Lost(format!("the relay ended with {}", ended.status)))?;
        if self.relay.addresses() == self.relay_addresses {
            return Ok(());
        }
        Err(Lost("the relay has another key".to_owned()))
    }

    /// Stops everybody in order, and starts everybody with the variables.
    async fn restart(&mut self) {
        for side in &mut self.sides {
            side.person.stop().await;
        }
        self.relay.stop().await;
        self.relay_up().await.unwrap();
        for side in &mut self.sides {
            side.up(&self.envs).await.unwrap();
        }
    }
}

/// The number of a store's newest generation: each compaction makes one.
fn generation(data: &Path) -> u64 {
    let current = std::fs::read_to_string(data.join("current")).unwrap();
    current.split_whitespace().next().unwrap().parse().unwrap()
}
