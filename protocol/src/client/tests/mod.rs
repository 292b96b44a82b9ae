//! What one client does, seen on few: alice, bob and carol with fixed entropy, disks in memory, and a wire without delay that
//! connects them directly, by gossip or through a relay. Every step is committed before its effects are carried out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::Step;
use crate::contact::Invite;
use crate::custody::relay::{CheckedReport, Relay, RelayConfig, RelayEffect, RelayInput};
use crate::custody::{ClientFrame, CustodianFrame, Items, Refusal, RunningHash};
use crate::envelope::Envelope;
use crate::keys::{MessageId, TopicSecret};
use crate::message::{Body, Durable, Inner, StreamId};
use crate::mls::Suite;
use crate::rows::{Batch, MemoryRows, Op};
use crate::seq_set::SeqSet;
use crate::wire::Wire;

mod addresses;
mod aliases;
mod backlog;
mod blobs;
mod clocks;
mod commits;
mod copies;
mod dialling;
mod divergence;
mod doors;
mod duplicates;
mod epochs;
mod expiry;
mod files;
mod floods;
mod forgeries;
mod frontiers;
mod gaps;
mod groups;
mod guests;
mod intents;
mod invites;
mod kinds;
mod ledgers;
mod passed;
mod people;
mod pins;
mod refusals;
mod search;
mod sending;
mod shares;
mod steps;
mod story;
mod trust;
mod typing;
mod welcomes;

pub(super) const ALICE: usize = 0;
pub(super) const BOB: usize = 1;
pub(super) const CAROL: usize = 2;
pub(super) const START_MS: u64 = 1_700_000_000_000;
pub(super) const DAY_MS: u64 = 24 * 3600 * 1000;
const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// A client, its disk, its clock, and what it asked of its shell.
pub(super) struct Node {
    pub client: Client,
    pub config: ClientConfig,
    pub disk: MemoryRows,
    /// What its clock is ahead of the world's, in milliseconds.
    pub ahead_ms: i64,
    pub replies: BTreeMap<u64, Result<Reply, CommandError>>,
    pub penalised: Vec<(TransportKey, &'static str)>,
    pub verdicts: Vec<Verdict>,
    pub dialled: Vec<PeerAddress>,
    /// Frames that it sent, also those that got lost.
    pub sent: Vec<(TransportKey, Side, Vec<u8>)>,
    /// What it gossiped.
    pub published: Vec<Vec<u8>>,
    /// Batches in the order committed.
    pub batches: Vec<Batch>,
    subscribed: BTreeSet<TopicId>,
    starts: u8,
    token: u64,
}

/// A relay and its disk.
pub(super) struct Keeper {
    pub relay: Relay,
    pub disk: MemoryRows,
    pub up: bool,
}

/// Everybody.
pub(super) struct World {
    pub now_ms: u64,
    pub nodes: Vec<Node>,
    pub keeper: Option<Keeper>,
    /// What the relays' operators have been shown, or why they are shown nothing.
    pub reports: Vec<(TransportKey, CheckedReport)>,
    pub refuses_reports: Option<Refusal>,
    /// Another relay, of those who name it.
    pub second: Option<Keeper>,
    /// Whether peers hear of each other's subscriptions.
    pub gossip: bool,
    /// Whether what is published gets lost.
    pub mute: bool,
    /// Frames that get lost on their way to a client.
    pub lose: fn(usize, &CustodianFrame) -> bool,
    /// Frames of a custodian that get lost.
    pub lose_from: fn(TransportKey, &CustodianFrame) -> bool,
    /// Which pairs of clients may connect.
    paths: BTreeSet<(usize, usize)>,
    joined: BTreeSet<(usize, usize)>,
    at_relay: BTreeSet<(usize, TransportKey)>,
    wire: VecDeque<Packet>,
}

enum Packet {
    Client(usize, Input),
    Relay(TransportKey, RelayInput),
}

pub(super) fn relay_secret() -> TransportSecret {
    TransportSecret::from_bytes([77; 32])
}

pub(super) fn second_secret() -> TransportSecret {
    TransportSecret::from_bytes([78; 32])
}

pub(super) fn second_address() -> PeerAddress {
    PeerAddress {
        key: second_secret().public(),
        addrs: vec!["/memory/78".into()],
    }
}

pub(super) fn relay_address() -> PeerAddress {
    PeerAddress {
        key: relay_secret().public(),
        addrs: vec!["/memory/77".into()],
    }
}

pub(super) fn config(name: &str) -> ClientConfig {
    ClientConfig {
        name: Some(name.into()),
        ..ClientConfig::new(Suite::X25519)
    }
}

impl Node {
    fn new(place: usize, config: ClientConfig, now_ms: u64) -> Self {
        let disk = MemoryRows::default();
        let client = Client::load(config.clone(), [place as u8 + 1; 32], &disk, now_ms).unwrap();
        Self {
            client,
            config,
            disk,
            ahead_ms: 0,
            replies: BTreeMap::new(),
            penalised: Vec::new(),
            verdicts: Vec::new(),
            dialled: Vec::new(),
            sent: Vec::new(),
            published: Vec::new(),
            batches: Vec::new(),
            subscribed: BTreeSet::new(),
            starts: 0,
            token: 0,
        }
    }

    pub fn texts(&self, chat: ChatId) -> Vec<String> {
        let list = history::messages(&self.disk, &chat, None, None, usize::MAX).unwrap();
        list.into_iter()
            .map(|(_, message)| match message.body {
                Body::Text(text) => text,
                other => panic!("not a text: {other:?}"),
            })
            .collect()
    }

    pub fn events(&self) -> Vec<EventRow> {
        let events = history::events(&self.disk, 0, usize::MAX).unwrap();
        events.events.into_iter().map(|(_, event)| event).collect()
    }

    pub fn count_events(&self, wanted: &EventRow) -> usize {
        self.events().iter().filter(|event| *event == wanted).count()
    }

    pub fn ledger(&self, message: MessageId) -> LedgerView {
        history::message(&self.disk, &message).unwrap().unwrap().ledger.unwrap()
    }

    pub fn requests(&self) -> Vec<RequestId> {
        let list = history::requests(&self.disk).unwrap();
        list.into_iter().map(|request| request.request).collect()
    }

    /// What a member's device seals, whatever it says, as an envelope of the chat.
    pub fn forge(&mut self, chat: ChatId, inner: &Inner) -> Envelope {
        let client = &mut self.client;
        let chat = client.chats.get_mut(&chat).unwrap();
        let body = chat
            .group
            .seal(&client.crypto, &client.account.device, None, &inner.encode())
            .unwrap();
        Envelope::sign(&chat.row.topic, 3600, &body).unwrap()
    }

    pub fn stream(&self, chat: ChatId) -> StreamId {
        self.client.chats[&chat].stream(self.client.device())
    }
}

/// An inner message with a text.
pub(super) fn inner(stream: StreamId, sequence: u64, text: &str) -> Inner {
    let durable = Durable {
        sequence,
        previous: [0; 32],
        parents: Vec::new(),
        clock: 1,
        sent_ms: START_MS,
        fallback: String::new(),
        body: Body::Text(text.into()),
        extensions: Vec::new(),
    };
    Inner {
        stream,
        messages: vec![durable],
        frontiers: Vec::new(),
        extensions: Vec::new(),
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// Clients whose settings are changed before they start.
    pub fn with(change: impl Fn(usize, &mut ClientConfig)) -> Self {
        let mut world = Self {
            now_ms: START_MS,
            nodes: Vec::new(),
            keeper: None,
            reports: Vec::new(),
            refuses_reports: None,
            second: None,
            gossip: false,
            mute: false,
            lose: |_, _| false,
            lose_from: |_, _| false,
            paths: BTreeSet::new(),
            joined: BTreeSet::new(),
            at_relay: BTreeSet::new(),
            wire: VecDeque::new(),
        };
        for (place, name) in NAMES.iter().enumerate() {
            let mut config = config(name);
            change(place, &mut config);
            world.nodes.push(Node::new(place, config, START_MS));
            world.settle(place);
            let addrs = vec![format!("/memory/{place}")];
            world.input(place, Input::Listening { addrs });
        }
        world
    }

    /// All clients have the one relay as their own, and are connected to it.
    pub fn with_relay(relay: RelayConfig, change: impl Fn(usize, &mut ClientConfig)) -> Self {
        let mut world = Self::with(|place, config| {
            config.relays = Some(vec![relay_address()]);
            change(place, config);
        });
        let disk = MemoryRows::default();
        let relay = Relay::load(relay, relay_secret(), [9; 32], &disk, START_MS).unwrap();
        world.keeper = Some(Keeper { relay, disk, up: true });
        world.pass(60_000);
        world
    }

    /// All clients have two relays, and are connected to both.
    pub fn with_two_relays() -> Self {
        Self::with_relays(|_, config| config.relays = Some(vec![relay_address(), second_address()]))
    }

    /// Two relays run, and who has which is for the settings to say.
    pub fn with_relays(change: impl Fn(usize, &mut ClientConfig)) -> Self {
        let mut world = Self::with(change);
        for secret in [relay_secret(), second_secret()] {
            let (first, disk) = (secret.public() == relay_secret().public(), MemoryRows::default());
            let relay = Relay::load(RelayConfig::default(), secret, [9; 32], &disk, START_MS).unwrap();
            let keeper = Some(Keeper { relay, disk, up: true });
            if first {
                world.keeper = keeper;
            } else {
                world.second = keeper;
            }
        }
        world.pass(60_000);
        world
    }

    fn keeper_of(&mut self, key: TransportKey) -> Option<&mut Keeper> {
        let keeper = if key == second_secret().public() {
            &mut self.second
        } else {
            &mut self.keeper
        };
        keeper.as_mut().filter(|keeper| keeper.relay.key() == key)
    }

    /// A frame of a relay's that a test makes up.
    pub fn hear(&mut self, place: usize, frame: &CustodianFrame) {
        let input = Input::Frame {
            peer: relay_secret().public(),
            side: Side::Client,
            bytes: frame.encode(),
        };
        self.input(place, input);
    }

    pub fn relayed() -> Self {
        Self::with_relay(RelayConfig::default(), |_, _| {})
    }

    /// One more client, which has no relay.
    pub fn guest(&mut self) -> usize {
        let place = self.nodes.len();
        self.nodes
            .push(Node::new(place, config(&format!("guest {place}")), self.now_ms));
        self.settle(place);
        let addrs = vec![format!("/memory/{place}")];
        self.input(place, Input::Listening { addrs });
        place
    }

    pub fn now(&self, place: usize) -> u64 {
        self.now_ms.saturating_add_signed(self.nodes[place].ahead_ms)
    }

    pub fn key(&self, place: usize) -> TransportKey {
        self.nodes[place].client.transport()
    }

    fn place(&self, key: TransportKey) -> Option<usize> {
        (0..self.nodes.len()).find(|place| self.key(*place) == key)
    }

    /// Gives one input and carries out all that follows from it.
    pub fn input(&mut self, place: usize, input: Input) {
        self.wire.push_back(Packet::Client(place, input));
        self.run();
    }

    /// Gives one input and returns its step, which is not committed.
    pub fn hold(&mut self, place: usize, input: Input) -> Step<Effect> {
        let now = self.now(place);
        let node = &mut self.nodes[place];
        node.client.handle(now, input, &node.disk).unwrap();
        node.client.drain().unwrap()
    }

    pub fn run(&mut self) {
        let mut left = 1_000_000;
        while let Some(packet) = self.wire.pop_front() {
            left -= 1;
            assert!(left > 0, "the clients never come to rest");
            match packet {
                Packet::Client(place, input) => {
                    let now = self.now(place);
                    let node = &mut self.nodes[place];
                    node.client.handle(now, input, &node.disk).unwrap();
                    self.settle(place);
                }
                Packet::Relay(key, input) => self.relay_input_at(key, input),
            }
        }
    }

    fn settle(&mut self, place: usize) {
        let step = self.nodes[place].client.drain().unwrap();
        self.commit(place, step);
    }

    /// Commits a step and carries out its effects.
    pub fn commit(&mut self, place: usize, step: Step<Effect>) {
        let now = self.now(place);
        let node = &mut self.nodes[place];
        node.disk.apply(&step.batch);
        if !step.batch.is_empty() {
            node.batches.push(step.batch);
        }
        node.client.handle(now, Input::Committed, &node.disk).unwrap();
        for effect in step.effects {
            self.effect(place, effect);
        }
    }

    fn effect(&mut self, place: usize, effect: Effect) {
        let from = self.key(place);
        match effect {
            Effect::Dial(address) => {
                self.nodes[place].dialled.push(address.clone());
                self.dial(place, address.key);
            }
            Effect::Send { peer, side, frame } => {
                self.nodes[place].sent.push((peer, side, frame.clone()));
                if [relay_secret(), second_secret()]
                    .iter()
                    .any(|secret| secret.public() == peer)
                {
                    if self.at_relay.contains(&(place, peer)) && side == Side::Client {
                        let input = RelayInput::Frame {
                            peer: from,
                            bytes: frame,
                        };
                        self.wire.push_back(Packet::Relay(peer, input));
                    }
                    return;
                }
                let Some(to) = self.place(peer).filter(|to| self.joined.contains(&pair(place, *to))) else {
                    return;
                };
                let side = match side {
                    Side::Client => Side::Server,
                    Side::Server => Side::Client,
                };
                self.deliver(to, from, side, frame);
            }
            Effect::Subscribe(topic) => self.subscribe(place, topic, true),
            Effect::Unsubscribe(topic) => self.subscribe(place, topic, false),
            Effect::Publish { topic, bytes } => {
                self.nodes[place].published.push(bytes.clone());
                for to in 0..self.nodes.len() {
                    let hears = !self.mute && self.nodes[to].subscribed.contains(&topic);
                    if hears && self.joined.contains(&pair(place, to)) {
                        let input = gossip(from, &bytes);
                        self.wire.push_back(Packet::Client(to, input));
                    }
                }
            }
            Effect::Verdict { verdict, .. } => self.nodes[place].verdicts.push(verdict),
            Effect::Penalise { peer, reason } => self.nodes[place].penalised.push((peer, reason)),
            Effect::Reply { token, result } => {
                assert!(
                    self.nodes[place].replies.insert(token, result).is_none(),
                    "two answers to one command"
                );
            }
            Effect::Events { newest } => {
                assert_eq!(
                    newest,
                    history::newest_event(&self.nodes[place].disk).unwrap(),
                    "told before it is durable"
                );
            }
        }
    }

    fn deliver(&mut self, to: usize, peer: TransportKey, side: Side, bytes: Vec<u8>) {
        let lost =
            CustodianFrame::decode(&bytes).is_ok_and(|frame| (self.lose)(to, &frame) || (self.lose_from)(peer, &frame));
        if !lost {
            self.wire
                .push_back(Packet::Client(to, Input::Frame { peer, side, bytes }));
        }
    }

    fn subscribe(&mut self, place: usize, topic: TopicId, subscribed: bool) {
        if subscribed {
            self.nodes[place].subscribed.insert(topic);
        } else {
            self.nodes[place].subscribed.remove(&topic);
        }
        for other in 0..self.nodes.len() {
            if !self.gossip || !self.joined.contains(&pair(place, other)) {
                continue;
            }
            let (mine, theirs) = (self.key(place), self.key(other));
            let tell = |peer| Input::GossipPeer {
                peer,
                topic,
                subscribed,
            };
            self.wire.push_back(Packet::Client(other, tell(mine)));
            if subscribed && self.nodes[other].subscribed.contains(&topic) {
                self.wire.push_back(Packet::Client(place, tell(theirs)));
            }
        }
    }

    fn dial(&mut self, place: usize, peer: TransportKey) {
        if self.keeper_of(peer).is_some_and(|keeper| keeper.up) {
            self.at_relay.insert((place, peer));
            let from = self.key(place);
            self.wire
                .push_back(Packet::Relay(peer, RelayInput::Connected { peer: from }));
            self.open(place, peer);
            return;
        }
        match self.place(peer) {
            Some(_) if self.joined_with(place, peer) => self.open(place, peer),
            Some(to) if self.paths.contains(&pair(place, to)) => self.join(place, to),
            _ => self.wire.push_back(Packet::Client(place, Input::DialFailed { peer })),
        }
    }

    fn joined_with(&self, place: usize, peer: TransportKey) -> bool {
        self.place(peer)
            .is_some_and(|to| self.joined.contains(&pair(place, to)))
    }

    fn open(&mut self, place: usize, peer: TransportKey) {
        self.wire.push_back(Packet::Client(place, Input::Connected { peer }));
        for side in [Side::Client, Side::Server] {
            self.wire.push_back(Packet::Client(place, Input::Opened { peer, side }));
        }
    }

    fn join(&mut self, a: usize, b: usize) {
        self.joined.insert(pair(a, b));
        let (a_key, b_key) = (self.key(a), self.key(b));
        self.open(a, b_key);
        self.open(b, a_key);
        for (to, of) in [(a, b), (b, a)] {
            let peer = self.key(of);
            for topic in self.nodes[of].subscribed.iter().filter(|_| self.gossip) {
                let told = Input::GossipPeer {
                    peer,
                    topic: *topic,
                    subscribed: true,
                };
                self.wire.push_back(Packet::Client(to, told));
            }
        }
    }

    /// Lets two clients connect once one of them wants to.
    pub fn allow(&mut self, a: usize, b: usize) {
        self.paths.insert(pair(a, b));
    }

    pub fn are_joined(&self, a: usize, b: usize) -> bool {
        self.joined.contains(&pair(a, b))
    }

    /// Lets two clients connect, and connects them.
    pub fn connect(&mut self, a: usize, b: usize) {
        self.paths.insert(pair(a, b));
        self.join(a, b);
        self.run();
    }

    pub fn disconnect(&mut self, a: usize, b: usize) {
        self.paths.remove(&pair(a, b));
        if !self.joined.remove(&pair(a, b)) {
            return;
        }
        let (a_key, b_key) = (self.key(a), self.key(b));
        self.input(a, Input::Disconnected { peer: b_key });
        self.input(b, Input::Disconnected { peer: a_key });
    }

    /// Takes a client off its relay; it comes back when it dials next, unless the relay is down.
    pub fn leave_relay(&mut self, place: usize) {
        self.leave(place, relay_secret().public());
    }

    pub fn leave(&mut self, place: usize, relay: TransportKey) {
        if self.at_relay.remove(&(place, relay)) {
            let peer = self.key(place);
            self.wire
                .push_back(Packet::Relay(relay, RelayInput::Disconnected { peer }));
            self.input(place, Input::Disconnected { peer: relay });
        }
    }

    /// The relay goes down or up; clients dial it again in their own time.
    pub fn relay_up(&mut self, up: bool) {
        self.keeper.as_mut().unwrap().up = up;
        for place in 0..self.nodes.len() {
            self.leave_relay(place);
        }
    }

    /// The relay loses all that it has.
    pub fn empty_relay(&mut self) {
        self.relay_up(false);
        let disk = MemoryRows::default();
        let relay = Relay::load(RelayConfig::default(), relay_secret(), [10; 32], &disk, self.now_ms).unwrap();
        self.keeper = Some(Keeper { relay, disk, up: true });
    }

    pub fn relay_input(&mut self, input: RelayInput) {
        self.relay_input_at(relay_secret().public(), input);
    }

    fn relay_input_at(&mut self, key: TransportKey, input: RelayInput) {
        let mut next = VecDeque::from([input]);
        loop {
            let now_ms = self.now_ms;
            let Some(keeper) = self.keeper_of(key) else {
                return;
            };
            while let Some(input) = next.pop_front() {
                keeper.relay.handle(now_ms, input, &keeper.disk).unwrap();
            }
            let step = keeper.relay.drain();
            if step.batch.is_empty() && step.effects.is_empty() {
                if !keeper.relay.has_more() {
                    return;
                }
                next.push_back(RelayInput::Tick);
                continue;
            }
            keeper.disk.apply(&step.batch);
            next.push_back(RelayInput::Committed);
            for effect in step.effects {
                match effect {
                    RelayEffect::Send { peer, frame } => {
                        if let Some(to) = self.place(peer).filter(|to| self.at_relay.contains(&(*to, key))) {
                            self.deliver(to, key, Side::Client, frame.to_vec());
                        }
                    }
                    RelayEffect::Report { peer, request, report } => {
                        let refused = self.refuses_reports;
                        self.reports.extend(refused.is_none().then_some((key, *report)));
                        next.push_back(RelayInput::ReportKept { peer, request, refused });
                    }
                    RelayEffect::Ask { .. } | RelayEffect::Penalise { .. } => {}
                }
            }
        }
    }

    /// Starts a client anew from its disk, with fresh entropy; nothing is connected.
    pub fn restart(&mut self, place: usize) {
        self.stop(place);
        let now = self.now(place);
        let node = &mut self.nodes[place];
        node.starts += 1;
        node.subscribed.clear();
        let entropy = [node.starts.wrapping_mul(16) + place as u8 + 1; 32];
        node.client = Client::load(node.config.clone(), entropy, &node.disk, now).unwrap();
        self.settle(place);
        self.run();
    }

    pub fn stop(&mut self, place: usize) {
        for other in 0..self.nodes.len() {
            if self.joined.remove(&pair(place, other)) {
                let peer = self.key(place);
                self.wire.push_back(Packet::Client(other, Input::Disconnected { peer }));
            }
        }
        for relay in [relay_secret(), second_secret()].map(|secret| secret.public()) {
            if self.at_relay.remove(&(place, relay)) {
                let peer = self.key(place);
                self.wire
                    .push_back(Packet::Relay(relay, RelayInput::Disconnected { peer }));
            }
        }
        self.run();
    }

    /// Lets time pass, with every timer in its turn.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        let mut spins = 0;
        loop {
            let due = (0..self.nodes.len())
                .filter_map(|place| {
                    let at = self.nodes[place].client.next_timer()?;
                    Some((
                        at.saturating_add_signed(-self.nodes[place].ahead_ms).max(self.now_ms),
                        place,
                    ))
                })
                .min();
            let Some((at, place)) = due.filter(|(at, _)| *at <= end) else {
                self.now_ms = end;
                return;
            };
            spins = if at > self.now_ms { 0 } else { spins + 1 };
            assert!(spins < 1000, "a timer is due again and again");
            self.now_ms = at;
            self.input(place, Input::Tick);
        }
    }
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

fn gossip(peer: TransportKey, bytes: &[u8]) -> Input {
    let mut id = [0; 16];
    id.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    Input::Gossip {
        peer,
        id,
        bytes: bytes.to_vec(),
    }
}

/// The envelopes of the deposits that a client sent.
pub(super) fn deposits(sent: &[(TransportKey, Side, Vec<u8>)]) -> Vec<Vec<u8>> {
    sent.iter()
        .filter_map(|(_, _, frame)| match ClientFrame::decode(frame) {
            Ok(ClientFrame::Deposit(deposit)) => Some(deposit.envelopes),
            _ => None,
        })
        .flatten()
        .collect()
}
