//! A crowd in virtual time: whole clients and relays, as many as the memory takes, on a network that is a model. What each says and
//! hears is counted, and how long a post takes is told by delays and uplinks, not by this machine.
//!
//! | of the model | is |
//! |---|---|
//! | clients, relays | the protocol's own state machines with their rows in memory |
//! | delay between two | 5 to 60 ms, always the same of a pair |
//! | uplink | [`RELAY_BYTES_PER_US`], [`CLIENT_BYTES_PER_US`]; a relay's frame costs [`RELAY_FRAME_US`] besides |
//! | a flush | [`FLUSH_US`]; effects leave after it |
//! | gossip | who takes a message hands it to at most [`GOSSIP_PEERS`] of its neighbours; a repeat is counted and dropped |

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use madang_protocol::address::PeerAddress;
use madang_protocol::client::{Client, ClientConfig, Command, Effect, Input, Reply, Side, Verdict};
use madang_protocol::custody::relay::{Relay, RelayConfig, RelayInput};
use madang_protocol::keys::{TopicId, TransportKey, TransportSecret};
use madang_protocol::mls::Suite;
use madang_protocol::rows::{Batch, MemoryRows, Op, Tree};

/// When all begins, Unix milliseconds.
const START_MS: u64 = 1_700_000_000_000;
/// Bytes of a microsecond from a relay: 1 Gbit/s.
const RELAY_BYTES_PER_US: f64 = 125.0;
/// Bytes of a microsecond from a node at home: 20 Mbit/s.
const CLIENT_BYTES_PER_US: f64 = 2.5;
/// Microseconds that a relay takes to send a frame (measured by the section `watchers`).
const RELAY_FRAME_US: f64 = 30.0;
/// Microseconds of a flush (measured by the section `floors`, on a disk that others use too).
const FLUSH_US: u64 = 1_000;
/// Microseconds between a relay's ticks.
const RELAY_TICK_US: u64 = 2_000_000;
/// The least and greatest delay of a pair, in microseconds.
const DELAY_US: (u64, u64) = (5_000, 60_000);
/// Neighbours that a message is passed on to: gossipsub's greatest mesh (`mesh_n_high`).
const GOSSIP_PEERS: usize = 12;
/// Bytes that a frame or message costs besides: TCP/IP, noise, yamux.
const FRAME_BYTES: usize = 80;

/// What a node said and heard.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Frames and gossip that it sent.
    pub sent: u64,
    /// And that it got.
    pub came: u64,
    /// Bytes of both, with [`FRAME_BYTES`] for each.
    pub bytes: u64,
}

enum Machine {
    Client(Box<Client>),
    Relay(Box<Relay>),
    Gone,
}

struct Node {
    machine: Machine,
    key: TransportKey,
    rows: MemoryRows,
    links: BTreeSet<usize>,
    topics: BTreeSet<TopicId>,
    seen: BTreeMap<[u8; 16], Arc<[u8]>>,
    uplink_free: f64,
    wake_at: Option<u64>,
    traffic: Traffic,
    posted_at: Option<u64>,
}

enum Arrival {
    Input(Box<Input>),
    Gossip(usize, [u8; 16], Arc<[u8]>),
    Wake,
}

struct Event {
    at: u64,
    order: u64,
    node: usize,
    what: Arrival,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Event {}
impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Event {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Relays and clients, by number.
pub struct Crowd {
    now: u64,
    order: u64,
    events: BinaryHeap<Reverse<Event>>,
    nodes: Vec<Node>,
    places: HashMap<TransportKey, usize>,
    replies: BTreeMap<u64, Reply>,
    token: u64,
    /// Inputs that were handled.
    pub steps: u64,
}

impl Crowd {
    /// Nobody.
    pub fn new() -> Self {
        Self {
            now: 0,
            order: 0,
            events: BinaryHeap::new(),
            nodes: Vec::new(),
            places: HashMap::new(),
            replies: BTreeMap::new(),
            token: 0,
            steps: 0,
        }
    }

    /// Adds a relay.
    pub fn relay(&mut self) -> usize {
        let seed = self.seed();
        let secret = TransportSecret::from_bytes(seed);
        let (key, rows) = (secret.public(), MemoryRows::default());
        let relay = Relay::load(RelayConfig::default(), secret, seed, &rows, START_MS).unwrap();
        let place = self.add(Machine::Relay(Box::new(relay)), key, rows);
        self.settle(place);
        self.schedule(self.now + RELAY_TICK_US, place, Arrival::Wake);
        place
    }

    /// Adds a client whose account has relays.
    pub fn client(&mut self, relays: &[usize]) -> usize {
        let seed = self.seed();
        let config = ClientConfig {
            relays: Some(relays.iter().map(|relay| self.address(*relay)).collect()),
            ..ClientConfig::new(Suite::XWing)
        };
        let rows = MemoryRows::default();
        let client = Client::load(config, seed, &rows, self.now_ms()).unwrap();
        let key = client.transport();
        let place = self.add(Machine::Client(Box::new(client)), key, rows);
        self.settle(place);
        let addrs = vec![format!("/ip4/192.0.2.1/tcp/{}", place % 60_000 + 1)];
        self.input(place, Input::Listening { addrs });
        place
    }

    /// Where a node is.
    pub fn address(&self, place: usize) -> PeerAddress {
        PeerAddress {
            key: self.nodes[place].key,
            addrs: vec![format!("/ip4/192.0.2.1/tcp/{}", place % 60_000 + 1)],
        }
    }

    /// A node's rows.
    pub fn rows(&self, place: usize) -> &MemoryRows {
        &self.nodes[place].rows
    }

    /// Gives a command; what follows from it comes with time.
    pub fn command(&mut self, place: usize, command: Command) -> Reply {
        self.token += 1;
        let token = self.token;
        self.input(place, Input::Command { token, command });
        self.replies.remove(&token).expect("it is answered at once")
    }

    /// Lets time pass.
    pub fn pass(&mut self, us: u64) {
        let end = self.now + us;
        while self.events.peek().is_some_and(|Reverse(event)| event.at <= end) {
            let Some(Reverse(event)) = self.events.pop() else {
                break;
            };
            self.now = event.at;
            match event.what {
                Arrival::Input(input) => {
                    if matches!(*input, Input::Frame { .. }) {
                        self.nodes[event.node].traffic.came += 1;
                    }
                    self.input(event.node, *input);
                }
                Arrival::Gossip(from, id, bytes) => {
                    self.nodes[event.node].traffic.came += 1;
                    self.gossiped(event.node, from, id, bytes);
                }
                Arrival::Wake if self.nodes[event.node].wake_at.is_none_or(|at| at <= self.now) => {
                    self.nodes[event.node].wake_at = None;
                    self.input(event.node, Input::Tick);
                }
                Arrival::Wake => {}
            }
        }
        self.now = end;
    }

    /// Ends a node: whoever was connected to it hears of that.
    pub fn end(&mut self, place: usize) {
        self.nodes[place].machine = Machine::Gone;
        let peer = self.nodes[place].key;
        for other in std::mem::take(&mut self.nodes[place].links) {
            self.nodes[other].links.remove(&place);
            self.schedule(self.now, other, Arrival::Input(Box::new(Input::Disconnected { peer })));
        }
    }

    /// Forgets what was counted, and who has a post.
    pub fn count_anew(&mut self) {
        for node in &mut self.nodes {
            node.traffic = Traffic::default();
            node.posted_at = None;
        }
    }

    /// What a node said and heard since.
    pub fn traffic(&self, place: usize) -> Traffic {
        self.nodes[place].traffic
    }

    /// The time, in microseconds.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// When a node stored its first post since, in microseconds.
    pub fn posted_at(&self, place: usize) -> Option<u64> {
        self.nodes[place].posted_at
    }

    fn now_ms(&self) -> u64 {
        START_MS + self.now / 1_000
    }

    fn seed(&self) -> [u8; 32] {
        let mut seed = [41; 32];
        seed[..8].copy_from_slice(&(self.nodes.len() as u64).to_le_bytes());
        seed
    }

    fn add(&mut self, machine: Machine, key: TransportKey, rows: MemoryRows) -> usize {
        self.nodes.push(Node {
            machine,
            key,
            rows,
            links: BTreeSet::new(),
            topics: BTreeSet::new(),
            seen: BTreeMap::new(),
            uplink_free: 0.0,
            wake_at: None,
            traffic: Traffic::default(),
            posted_at: None,
        });
        self.places.insert(key, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn schedule(&mut self, at: u64, node: usize, what: Arrival) {
        self.order += 1;
        let order = self.order;
        self.events.push(Reverse(Event { at, order, node, what }));
    }

    fn is_relay(&self, place: usize) -> bool {
        matches!(self.nodes[place].machine, Machine::Relay(_))
    }

    /// When bytes of one get to another.
    fn arrives(&mut self, from: usize, to: usize, bytes: usize) -> u64 {
        let relay = self.is_relay(from);
        let node = &mut self.nodes[from];
        let bytes = bytes + FRAME_BYTES;
        let took = if relay {
            bytes as f64 / RELAY_BYTES_PER_US + RELAY_FRAME_US
        } else {
            bytes as f64 / CLIENT_BYTES_PER_US
        };
        node.uplink_free = node.uplink_free.max((self.now + FLUSH_US) as f64) + took;
        node.traffic.sent += 1;
        node.traffic.bytes += bytes as u64;
        let at = node.uplink_free as u64 + delay(from, to);
        self.nodes[to].traffic.bytes += bytes as u64;
        at
    }

    fn input(&mut self, place: usize, input: Input) {
        self.steps += 1;
        let now_ms = self.now_ms();
        let node = &mut self.nodes[place];
        match &mut node.machine {
            Machine::Client(client) => client.handle(now_ms, input, &node.rows).unwrap(),
            Machine::Relay(relay) => {
                let input = match input {
                    Input::Tick => RelayInput::Tick,
                    Input::Opened { peer, .. } => RelayInput::Connected { peer },
                    Input::Disconnected { peer } => RelayInput::Disconnected { peer },
                    Input::Frame { peer, bytes, .. } => RelayInput::Frame { peer, bytes },
                    _ => return,
                };
                relay.handle(now_ms, input, &node.rows).unwrap();
            }
            Machine::Gone => return,
        }
        self.settle(place);
    }

    fn settle(&mut self, place: usize) {
        let now_ms = self.now_ms();
        loop {
            let node = &mut self.nodes[place];
            let (batch, effects) = match &mut node.machine {
                Machine::Client(client) => {
                    let step = client.drain().unwrap();
                    (step.batch, step.effects)
                }
                Machine::Relay(relay) => {
                    let step = relay.drain();
                    (
                        step.batch,
                        step.effects.into_iter().filter_map(Effect::of_relay).collect(),
                    )
                }
                Machine::Gone => return,
            };
            let empty = batch.is_empty() && effects.is_empty();
            if !empty {
                self.committed(place, &batch);
                let node = &mut self.nodes[place];
                match &mut node.machine {
                    Machine::Client(client) => client.handle(now_ms, Input::Committed, &node.rows).unwrap(),
                    Machine::Relay(relay) => relay.handle(now_ms, RelayInput::Committed, &node.rows).unwrap(),
                    Machine::Gone => return,
                }
                for effect in effects {
                    self.effect(place, effect);
                }
            }
            let more = matches!(&self.nodes[place].machine, Machine::Relay(relay) if relay.has_more());
            if empty && !more {
                break;
            }
            let node = &mut self.nodes[place];
            if let Machine::Relay(relay) = &mut node.machine
                && empty
            {
                relay.handle(now_ms, RelayInput::Tick, &node.rows).unwrap();
            }
        }
        self.set_timer(place);
    }

    fn committed(&mut self, place: usize, batch: &Batch) {
        let node = &mut self.nodes[place];
        node.rows.apply(batch);
        let stored = |op: &Op| {
            matches!(
                op,
                Op::Put {
                    tree: Tree::ChannelEntries,
                    ..
                }
            )
        };
        if node.posted_at.is_none() && batch.ops.iter().any(stored) {
            node.posted_at = Some(self.now + FLUSH_US);
        }
    }

    fn set_timer(&mut self, place: usize) {
        let due = match &self.nodes[place].machine {
            Machine::Client(client) => client.next_timer().map(|due_ms| {
                due_ms
                    .saturating_sub(START_MS)
                    .saturating_mul(1_000)
                    .max(self.now + 1_000)
            }),
            Machine::Relay(_) => Some(self.now + RELAY_TICK_US),
            Machine::Gone => None,
        };
        let Some(due) = due else {
            return;
        };
        if self.nodes[place].wake_at.is_none_or(|at| due < at) {
            self.nodes[place].wake_at = Some(due);
            self.schedule(due, place, Arrival::Wake);
        }
    }

    fn effect(&mut self, place: usize, effect: Effect) {
        match effect {
            Effect::Dial(address) => self.dial(place, address.key),
            Effect::Send { peer, side, frame } => {
                let Some(to) = self.linked(place, &peer) else {
                    return;
                };
                let at = self.arrives(place, to, frame.len());
                let side = match side {
                    Side::Client => Side::Server,
                    Side::Server => Side::Client,
                };
                let peer = self.nodes[place].key;
                let bytes = frame;
                self.schedule(at, to, Arrival::Input(Box::new(Input::Frame { peer, side, bytes })));
            }
            Effect::Subscribe(topic) => self.subscribe(place, topic, true),
            Effect::Unsubscribe(topic) => self.subscribe(place, topic, false),
            Effect::Publish { topic, bytes } => {
                let mut id = [0; 16];
                id.copy_from_slice(&bytes[bytes.len() - 16..]);
                let bytes: Arc<[u8]> = bytes.into();
                self.nodes[place].seen.insert(id, bytes.clone());
                self.pass_on(place, None, topic, id, &bytes);
            }
            Effect::Verdict { peer, id, verdict } => {
                let Some(bytes) = self.nodes[place].seen.get(&id).cloned() else {
                    return;
                };
                let topic = madang_protocol::envelope::Envelope::peek(&bytes).map(|(topic, _)| topic);
                if let (Verdict::Accept, Ok(topic)) = (verdict, topic) {
                    let from = self.places.get(&peer).copied();
                    self.pass_on(place, from, topic, id, &bytes);
                }
            }
            Effect::Penalise { reason, .. } => panic!("node {place} finds fault with another: {reason}"),
            Effect::Reply { token, result } => {
                self.replies.insert(token, result.unwrap());
            }
            Effect::Events { .. } => {}
        }
    }

    fn linked(&self, place: usize, peer: &TransportKey) -> Option<usize> {
        let to = *self.places.get(peer)?;
        self.nodes[place].links.contains(&to).then_some(to)
    }

    fn dial(&mut self, place: usize, peer: TransportKey) {
        let to = self.places.get(&peer).copied();
        let up = to.filter(|to| !matches!(self.nodes[*to].machine, Machine::Gone));
        let Some(to) = up else {
            self.schedule(
                self.now + DELAY_US.1,
                place,
                Arrival::Input(Box::new(Input::DialFailed { peer })),
            );
            return;
        };
        if !self.nodes[place].links.insert(to) {
            return;
        }
        self.nodes[to].links.insert(place);
        let way = delay(place, to);
        // TCP, the handshake of noise, yamux: three ways there and back.
        for (one, other, at) in [(place, to, 6 * way), (to, place, 5 * way)] {
            let (at, peer) = (self.now + at, self.nodes[other].key);
            self.schedule(at, one, Arrival::Input(Box::new(Input::Connected { peer })));
            for side in [Side::Client, Side::Server] {
                // A relay opens none of its own.
                let opener = if side == Side::Client { one } else { other };
                if !self.is_relay(opener) {
                    self.schedule(at, one, Arrival::Input(Box::new(Input::Opened { peer, side })));
                }
            }
            for topic in self.nodes[other].topics.clone() {
                let subscribed = true;
                let told = Input::GossipPeer {
                    peer,
                    topic,
                    subscribed,
                };
                self.schedule(at, one, Arrival::Input(Box::new(told)));
            }
        }
    }

    fn subscribe(&mut self, place: usize, topic: TopicId, subscribed: bool) {
        if subscribed {
            self.nodes[place].topics.insert(topic);
        } else {
            self.nodes[place].topics.remove(&topic);
        }
        let peer = self.nodes[place].key;
        for to in self.nodes[place].links.clone() {
            if !self.is_relay(to) {
                let at = self.arrives(place, to, topic.0.len());
                let told = Input::GossipPeer {
                    peer,
                    topic,
                    subscribed,
                };
                self.schedule(at, to, Arrival::Input(Box::new(told)));
            }
        }
    }

    fn pass_on(&mut self, place: usize, from: Option<usize>, topic: TopicId, id: [u8; 16], bytes: &Arc<[u8]>) {
        let others: Vec<usize> = self.nodes[place]
            .links
            .range(place..)
            .chain(self.nodes[place].links.range(..place))
            .copied()
            .filter(|to| Some(*to) != from && self.nodes[*to].topics.contains(&topic))
            .take(GOSSIP_PEERS)
            .collect();
        for to in others {
            let at = self.arrives(place, to, bytes.len());
            self.schedule(at, to, Arrival::Gossip(place, id, bytes.clone()));
        }
    }

    fn gossiped(&mut self, place: usize, from: usize, id: [u8; 16], bytes: Arc<[u8]>) {
        if self.nodes[place].seen.insert(id, bytes.clone()).is_some() {
            return;
        }
        let peer = self.nodes[from].key;
        let bytes = bytes.to_vec();
        self.input(place, Input::Gossip { peer, id, bytes });
    }
}

/// Microseconds from one node to another, the same both ways.
fn delay(one: usize, other: usize) -> u64 {
    let (least, most) = DELAY_US;
    let mut mixed = (one.min(other) as u64) << 32 | one.max(other) as u64;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    least + (mixed ^ (mixed >> 31)) % (most - least)
}
