//! Rows of groups whose members are processes: deliveries a second, and coming back after an absence.

use std::time::Instant;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::bench::bare::{Bare, crowd};
use crate::bench::floors::{Pair, TEXT_BYTES, ms};
use crate::bench::host::{self, Host};
use crate::bench::people;
use crate::bench::report::{Row, Sample};
use crate::bench::scale::Scale;
use crate::{Person, World, join};
use madang_protocol::mls::{Crypto, Suite};

/// Members of the group in which deliveries are counted.
const ELEVEN: usize = 11;
/// Deliveries a second that the budget asks for.
const DELIVERIES: f64 = 20_000.0;
/// Members of the group to which one comes back: who writes, who was away, and one more.
const RETURNED: usize = 3;
/// Seconds that the budget allows for coming back.
const RETURN_S: f64 = 1.0;

/// A group of processes; the first one made it.
struct Group {
    _world: World,
    _relay: Host,
    people: Vec<Person>,
    chat: String,
}

impl Group {
    /// All know a relay; if they are `direct`, contacts connect to each other too.
    async fn start(count: usize, direct: bool) -> Self {
        let world = host::world();
        let relay = Host::relay(&world).await;
        let addresses = relay.addresses.clone();
        let mut people = Vec::new();
        for place in 0..count {
            let name = format!("person-{place}");
            people.push(host::person(&world, &name, &addresses, direct).await);
        }
        let (owner, others) = people.split_first_mut().unwrap();
        let mut members = Vec::new();
        for other in others.iter_mut() {
            join(owner, other).await;
            members.push(other.ask("account.get", json!({})).await["account"].clone());
        }
        let params = json!({ "name": "village", "members": members });
        let chat = owner.ask("chat.create", params).await["chat"]
            .as_str()
            .unwrap()
            .to_owned();
        for person in &mut people {
            let params = json!({ "chat": chat });
            person
                .until("the group is there", async |person| {
                    let found = person.rpc().call("chat.get", params.clone()).await.ok()?;
                    let whole = found["members"].as_array()?.len() == count;
                    (whole && found["state"] == "active").then_some(())
                })
                .await;
        }
        Self {
            _world: world,
            _relay: relay,
            people,
            chat,
        }
    }

    /// The owner writes; gives seconds until all others have all, and until all ledgers say so.
    async fn write(&self, messages: usize) -> (f64, f64) {
        let owner = &self.people[0];
        let mut ledger = host::events(owner.data(), None).await;
        let mut readers = Vec::new();
        for person in &self.people[1..] {
            readers.push(host::events(person.data(), None).await);
        }
        let began = Instant::now();
        let mut taking = JoinSet::new();
        for mut events in readers {
            taking.spawn(async move { people::count(&mut events, "message.received", b"", messages).await });
        }
        let chats = [self.chat.clone()];
        let taken = async {
            while let Some(done) = taking.join_next().await {
                done.unwrap();
            }
            began.elapsed().as_secs_f64()
        };
        let told = async {
            people::count(&mut ledger, "message.ledger", b"\"state\":\"delivered\"", messages).await;
            began.elapsed().as_secs_f64()
        };
        let ((), taken, told) = tokio::join!(people::send(owner.data(), &chats, messages, TEXT_BYTES), taken, told);
        (taken, told)
    }
}

/// Messages by one of eleven, until the last of the ten others has the last of them.
pub async fn deliveries(scale: &Scale) -> Vec<Row> {
    let group = Group::start(ELEVEN, true).await;
    group.write(scale.group_messages / 4 + 1).await;
    let mut pair = Pair::new();
    let others = (ELEVEN - 1) as f64;
    let messages = scale.group_messages as f64;
    let ids: Vec<u32> = group
        .people
        .iter()
        .map(|person| host::process_of(person.data()))
        .collect();
    let (mut rates, mut told, mut floor, mut sender, mut receivers) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..scale.repeats {
        let (_, open) = pair.take(scale.bare_messages);
        floor.push(1000.0 / open);
        let before: Vec<f64> = ids.iter().map(|id| host::cpu_seconds(*id)).collect();
        let (taken, delivered) = group.write(scale.group_messages).await;
        rates.push(messages * others / taken);
        told.push(messages * others / delivered);
        let used = ids
            .iter()
            .zip(before)
            .map(|(id, before)| host::cpu_seconds(*id) - before);
        let used: Vec<f64> = used.map(|seconds| seconds * 1e6 / messages).collect();
        sender.push(used[0]);
        receivers.push(used[1..].iter().sum::<f64>() / others);
    }
    let note = format!(
        "all ledgers delivered at {:.0}/s; CPU a message: sender {:.0} µs, each receiver {:.0} µs",
        Sample::new(told).median(),
        Sample::new(sender).median(),
        Sample::new(receivers).median()
    );
    vec![
        Row::new("group of 11 processes, deliveries", "/s", rates)
            .floor("MLS open of each on one core", floor)
            .at_least(DELIVERIES)
            .note(note),
    ]
}

/// A member was away while others wrote and committed; from its `ready` to the event of the last message.
pub async fn comes_back(scale: &Scale) -> Vec<Row> {
    let mut group = Group::start(RETURNED, false).await;
    let (backlog, commits) = (scale.group_backlog, scale.group_commits);
    let mut pair = Pair::new();
    let mut bare = Bare::new(Suite::XWing);
    let leaves = crowd(&Crypto::new([4; 32]), Suite::XWing, RETURNED - 1, 1_700_000_000);
    let (_, welcome) = bare.add(&leaves);
    bare.join(leaves.last().unwrap(), &welcome);
    let (mut times, mut floor, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..scale.repeats {
        let (_, open) = pair.take(scale.bare_messages);
        let applied: f64 = (0..commits).map(|_| bare.update().1).sum();
        floor.push((open * backlog as f64 + applied) / 1000.0);
        let cursor = people::newest(&group.people[1]).await;
        group.people[1].stop().await;
        let owner = &group.people[0];
        let mut ledger = host::events(owner.data(), None).await;
        let chats = [group.chat.clone()];
        let held = people::count(&mut ledger, "message.ledger", b"\"state\":\"held\"", backlog);
        let written = async {
            for at in 0..commits {
                let share = backlog / commits + usize::from(at < backlog % commits);
                people::send(owner.data(), &chats, share, TEXT_BYTES).await;
                let params = json!({ "chat": group.chat, "name": format!("village {run} {at}") });
                owner.ask("chat.update", params).await;
            }
        };
        tokio::join!(held, written);
        let epoch = epoch(owner, &group.chat).await;
        group.people[0].stop().await;
        let starting = Instant::now();
        group.people[1].up().await;
        starts.push(ms(starting));
        let ready = Instant::now();
        let mut events = host::events(group.people[1].data(), Some(&cursor)).await;
        people::count(&mut events, "message.received", b"", backlog).await;
        times.push(ready.elapsed().as_secs_f64());
        let chat = group.chat.clone();
        group.people[1]
            .until("all commits are there", async |person| {
                (self::epoch(person, &chat).await == epoch).then_some(())
            })
            .await;
        group.people[0].up().await;
    }
    let note = format!("start to ready before it: {:.0} ms", Sample::new(starts).median());
    vec![
        Row::new(
            format!("return and read {backlog} messages and {commits} commits of a group"),
            "s",
            times,
        )
        .floor("MLS on one core: open all, process all commits", floor)
        .at_most(RETURN_S)
        .note(note),
    ]
}

async fn epoch(person: &Person, chat: &str) -> Value {
    person.ask("chat.get", json!({ "chat": chat })).await["epoch"].clone()
}
