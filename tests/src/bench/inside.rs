//! Clients in this process, each on a store of its own, and a wire without delay: what is measured is what one client computes and commits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::time::Instant;

use madang_node::store::{Store, StoreKind, Unlock};
use madang_protocol::client::{Client, ClientConfig, Command, CommandError, Effect, Input, Reply, Side, history};
use madang_protocol::keys::{AccountId, ChatId, TransportKey};
use madang_protocol::mls::Suite;
use madang_protocol::rows::Op;

use crate::bench::floors::ms;

/// The time at which all begins.
const START_MS: u64 = 1_700_000_000_000;
/// Inputs after which those who write to each other never come to rest.
const INPUTS: usize = 1_000_000;

/// What a client did since it was last asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Milliseconds in the state machine.
    pub compute_ms: f64,
    /// Milliseconds in the store's commits.
    pub commit_ms: f64,
    /// Commits, each with its flush.
    pub commits: usize,
    /// Bytes of keys and values that they wrote.
    pub row_bytes: usize,
    /// Bytes of frames that it sent.
    pub sent_bytes: usize,
}

impl Cost {
    /// Milliseconds in all.
    pub fn ms(&self) -> f64 {
        self.compute_ms + self.commit_ms
    }
}

struct Node {
    client: Client,
    store: Store,
    cost: Cost,
    replies: BTreeMap<u64, Result<Reply, CommandError>>,
    /// What comes while it is held.
    waits: Option<VecDeque<Input>>,
}

/// Everybody, by number.
pub struct Inside {
    now_ms: u64,
    nodes: Vec<Node>,
    joined: BTreeSet<(usize, usize)>,
    wire: VecDeque<(usize, Input)>,
    token: u64,
}

impl Inside {
    /// Makes so many clients with their data below a directory.
    pub fn new(dir: &Path, count: usize, suite: Suite) -> Self {
        let mut inside = Self {
            now_ms: START_MS,
            nodes: Vec::new(),
            joined: BTreeSet::new(),
            wire: VecDeque::new(),
            token: 0,
        };
        for place in 0..count {
            let store = Store::open(&dir.join(format!("client-{place}")), Unlock::KeyFile, StoreKind::Node).unwrap();
            let config = ClientConfig {
                name: Some(format!("client {place}")),
                ..ClientConfig::new(suite)
            };
            let entropy = [u8::try_from(place + 1).unwrap(); 32];
            let client = Client::load(config, entropy, &store, START_MS).unwrap();
            inside.nodes.push(Node {
                client,
                store,
                cost: Cost::default(),
                replies: BTreeMap::new(),
                waits: None,
            });
            let addrs = vec![format!("/memory/{place}")];
            inside.input(place, Input::Listening { addrs });
        }
        inside
    }

    /// The time.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// A client, to look at.
    pub fn client(&self, place: usize) -> &Client {
        &self.nodes[place].client
    }

    /// Its store.
    pub fn store(&self, place: usize) -> &Store {
        &self.nodes[place].store
    }

    /// Its account.
    pub fn account(&self, place: usize) -> AccountId {
        self.client(place).account()
    }

    /// What a client did since this was last called.
    pub fn cost(&mut self, place: usize) -> Cost {
        std::mem::take(&mut self.nodes[place].cost)
    }

    /// Does something to a client by hand, and commits it.
    pub fn touch(&mut self, place: usize, change: impl FnOnce(&mut Client)) {
        change(&mut self.nodes[place].client);
        self.settle(place);
        self.run();
    }

    /// Holds a client: what comes for it waits.
    pub fn hold(&mut self, place: usize) {
        self.nodes[place].waits.get_or_insert_default();
    }

    /// Lets it go on, with what has come.
    pub fn release(&mut self, place: usize) {
        for input in self.nodes[place].waits.take().unwrap_or_default() {
            self.wire.push_back((place, input));
        }
        self.run();
    }

    /// Gives a command and carries out all that follows from it.
    pub fn command(&mut self, place: usize, command: Command) -> Reply {
        self.token += 1;
        let token = self.token;
        self.input(place, Input::Command { token, command });
        let reply = self.nodes[place].replies.remove(&token);
        reply.expect("it is answered at once").unwrap()
    }

    /// Connects two, and makes them contacts.
    pub fn befriend(&mut self, a: usize, b: usize) {
        self.connect(a, b);
        let invite = Command::Invite {
            multi_use: false,
            expires_in_s: None,
        };
        let Reply::Invited { link, .. } = self.command(a, invite) else {
            panic!("no invite");
        };
        self.command(b, Command::Accept { link });
        let requests = history::requests(&self.nodes[a].store).unwrap();
        let request = requests.first().expect("the request has come").request;
        self.command(a, Command::Approve { request });
        self.pass(5_000);
    }

    /// Connects two.
    pub fn connect(&mut self, a: usize, b: usize) {
        if self.joined.insert((a.min(b), a.max(b))) {
            for (place, other) in [(a, b), (b, a)] {
                let peer = self.key(other);
                self.wire.push_back((place, Input::Connected { peer }));
                for side in [Side::Client, Side::Server] {
                    self.wire.push_back((place, Input::Opened { peer, side }));
                }
            }
        }
        self.run();
    }

    /// Takes the connection of two away; they don't dial each other any more.
    pub fn disconnect(&mut self, a: usize, b: usize) {
        self.joined.remove(&(a.min(b), a.max(b)));
        for (place, other) in [(a, b), (b, a)] {
            let peer = self.key(other);
            self.wire.push_back((place, Input::Disconnected { peer }));
        }
        self.run();
    }

    /// Lets time pass, with every timer of those who aren't held in its turn.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        loop {
            let due = self.nodes.iter().enumerate().filter(|(_, node)| node.waits.is_none());
            let due = due.filter_map(|(place, node)| Some((node.client.next_timer()?.max(self.now_ms), place)));
            let Some((at, place)) = due.min().filter(|(at, _)| *at <= end) else {
                break;
            };
            self.now_ms = at;
            self.input(place, Input::Tick);
        }
        self.now_ms = end;
    }

    /// The epoch that a client is in.
    pub fn epoch(&self, place: usize, chat: &ChatId) -> Option<u64> {
        Some(self.client(place).chat_status(chat)?.epoch)
    }

    fn key(&self, place: usize) -> TransportKey {
        self.nodes[place].client.transport()
    }

    fn input(&mut self, place: usize, input: Input) {
        self.wire.push_back((place, input));
        self.run();
    }

    fn run(&mut self) {
        let mut left = INPUTS;
        while let Some((place, input)) = self.wire.pop_front() {
            left -= 1;
            assert!(left > 0, "the clients never come to rest");
            let now_ms = self.now_ms;
            let node = &mut self.nodes[place];
            if let Some(waits) = &mut node.waits {
                waits.push_back(input);
                continue;
            }
            let began = Instant::now();
            node.client.handle(now_ms, input, &node.store).unwrap();
            node.cost.compute_ms += ms(began);
            self.settle(place);
        }
    }

    fn settle(&mut self, place: usize) {
        let now_ms = self.now_ms;
        let node = &mut self.nodes[place];
        let began = Instant::now();
        let step = node.client.drain().unwrap();
        node.cost.compute_ms += ms(began);
        if !step.batch.is_empty() {
            let began = Instant::now();
            node.store.commit(&step.batch).unwrap();
            node.cost.commit_ms += ms(began);
            node.cost.commits += 1;
            node.cost.row_bytes += step.batch.ops.iter().map(op_bytes).sum::<usize>();
        }
        node.client.handle(now_ms, Input::Committed, &node.store).unwrap();
        for effect in step.effects {
            self.effect(place, effect);
        }
    }

    fn effect(&mut self, place: usize, effect: Effect) {
        match effect {
            Effect::Dial(address) => {
                let known = self.nodes.iter().any(|node| node.client.transport() == address.key);
                // Those who aren't connected stay so, until the benchmark connects them.
                if !known || !self.is_joined(place, address.key) {
                    self.wire.push_back((place, Input::DialFailed { peer: address.key }));
                }
            }
            Effect::Send { peer, side, frame } => {
                self.nodes[place].cost.sent_bytes += frame.len();
                let Some(to) = (0..self.nodes.len()).find(|to| self.key(*to) == peer) else {
                    return;
                };
                if !self.joined.contains(&(place.min(to), place.max(to))) {
                    return;
                }
                let side = match side {
                    Side::Client => Side::Server,
                    Side::Server => Side::Client,
                };
                let input = Input::Frame {
                    peer: self.key(place),
                    side,
                    bytes: frame,
                };
                self.wire.push_back((to, input));
            }
            Effect::Reply { token, result } => {
                self.nodes[place].replies.insert(token, result);
            }
            Effect::Penalise { reason, .. } => panic!("client {place} finds fault with another: {reason}"),
            // There is no gossip here: what it would bring comes by stream.
            Effect::Subscribe(_)
            | Effect::Unsubscribe(_)
            | Effect::Publish { .. }
            | Effect::Verdict { .. }
            | Effect::Events { .. } => {}
        }
    }

    fn is_joined(&self, place: usize, peer: TransportKey) -> bool {
        (0..self.nodes.len()).any(|to| self.key(to) == peer && self.joined.contains(&(place.min(to), place.max(to))))
    }
}

fn op_bytes(op: &Op) -> usize {
    match op {
        Op::Put { key, value, .. } => key.len() + value.len(),
        Op::Delete { key, .. } => key.len(),
    }
}
