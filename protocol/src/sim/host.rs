//! A host: one state machine, its disk, its clock, and steps on their way to the disk (`INV-COMMIT-FIRST`).

use super::Broken;
use super::plan::{ClientPlan, Paths};
use super::random::{Clock, MS, Micros, SECOND};
use super::twin::Twin;
use super::world::{Event, HostId, Notice, World};
use crate::address::PeerAddress;
use crate::client::inspect::Adopted;
use crate::client::{Client, ClientConfig, Effect, Input, Sabotage, Side, history};
use crate::custody::relay::{Relay, RelayConfig, RelayEffect, RelayInput};
use crate::keys::{AccountId, ChatId, DeviceId, TopicId, TransportKey, TransportSecret};
use crate::rows::{Batch, MemoryRows, Op, Rows, Tree};
use std::collections::{BTreeSet, VecDeque};

/// Virtual time between a relay's ticks.
const RELAY_TICK: Micros = 2 * SECOND;
/// Times that a timer may be due again at once.
const SPINS: u32 = 500;

/// What a host is.
pub(super) enum Kind {
    Client(ClientPlan),
    Relay(TransportSecret),
    Stranger,
}

/// What runs on a host.
pub(super) enum Machine {
    Client(Box<Client>),
    Relay(Box<Relay>),
    Stranger,
}

/// Where a host dies on its way through a step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deadfall {
    /// Once a step is drained, before it is flushed.
    BeforeFlush,
    /// Flushed, nothing said yet.
    AfterFlush,
    /// Flushed, and so many effects carried out.
    AfterEffects(usize),
}

/// A drained step that isn't durable yet.
struct Flight {
    batch: Batch,
    effects: Vec<Pinned>,
    adopted: Vec<Adopted>,
    /// What the host's twin has written.
    twin: Vec<Batch>,
}

/// An effect, and for a frame the stream that it was made for: it goes there or nowhere.
struct Pinned {
    effect: Effect,
    stream: Option<u64>,
}

/// One host.
pub(super) struct Host {
    pub kind: Kind,
    pub key: TransportKey,
    /// Of a client that has started once.
    pub identity: Option<(AccountId, DeviceId)>,
    pub machine: Option<Machine>,
    pub disk: MemoryRows,
    pub clock: Clock,
    /// Counts starts and deaths: what was meant for another process is void.
    pub process: u64,
    pub deadfall: Option<Deadfall>,
    pub subscriptions: BTreeSet<TopicId>,
    /// A backup of a relay's disk.
    pub snapshot: Option<MemoryRows>,
    /// Who differs from it in the terms of its channels alone.
    pub twin: Option<Box<Twin>>,
    flights: VecDeque<Flight>,
    last_commit: Micros,
    wake_at: Option<Micros>,
    wake_generation: u64,
    spins: u32,
    pub drain_waits: bool,
}

impl Host {
    pub fn client(plan: ClientPlan, clock: Clock) -> Self {
        Self::new(Kind::Client(plan), TransportKey([0; 32]), clock)
    }

    pub fn relay(secret: [u8; 32], clock: Clock) -> Self {
        let secret = TransportSecret::from_bytes(secret);
        let key = secret.public();
        Self::new(Kind::Relay(secret), key, clock)
    }

    pub fn stranger(secret: [u8; 32]) -> Self {
        let key = TransportSecret::from_bytes(secret).public();
        let mut host = Self::new(Kind::Stranger, key, Clock::default());
        host.machine = Some(Machine::Stranger);
        host
    }

    fn new(kind: Kind, key: TransportKey, clock: Clock) -> Self {
        Self {
            kind,
            key,
            identity: None,
            machine: None,
            disk: MemoryRows::default(),
            clock,
            process: 0,
            deadfall: None,
            subscriptions: BTreeSet::new(),
            snapshot: None,
            twin: None,
            flights: VecDeque::new(),
            last_commit: 0,
            wake_at: None,
            wake_generation: 0,
            spins: 0,
            drain_waits: false,
        }
    }

    pub fn is_up(&self) -> bool {
        self.machine.is_some()
    }

    pub fn is_client(&self) -> bool {
        matches!(self.kind, Kind::Client(_))
    }

    pub fn is_relay(&self) -> bool {
        matches!(self.kind, Kind::Relay(_))
    }

    /// Whether it opens a custody stream to every peer.
    pub fn opens_streams(&self) -> bool {
        !self.is_relay()
    }
}

impl World {
    /// Starts a host from its disk.
    pub fn boot(&mut self, id: HostId, process: u64) -> Result<(), String> {
        if self.hosts[id.0].process != process || self.hosts[id.0].is_up() {
            return Ok(());
        }
        let entropy = self.random.bytes();
        self.move_house(id);
        let machine = match &self.hosts[id.0].kind {
            Kind::Client(plan) => {
                let client = self.load_client(id, plan.clone(), entropy, &self.hosts[id.0].disk)?;
                Machine::Client(Box::new(client))
            }
            Kind::Relay(secret) => {
                let host = &self.hosts[id.0];
                let mut config = RelayConfig::default();
                config.retention_s = self.retention_s.unwrap_or(config.retention_s);
                config.cursor_unhashed = self.breaks(Broken::CursorUnhashed);
                let relay = Relay::load(config, secret.clone(), entropy, &host.disk, host.clock.read(self.now));
                Machine::Relay(Box::new(
                    relay.map_err(|error| format!("{id:?} doesn't start: {error}"))?,
                ))
            }
            Kind::Stranger => Machine::Stranger,
        };
        self.trace(|| format!("{id:?} starts"));
        let now = self.now;
        let host = &mut self.hosts[id.0];
        host.process += 1;
        host.last_commit = now;
        host.wake_at = None;
        host.drain_waits = false;
        let first = host.identity.is_none();
        if let Machine::Client(client) = &machine {
            let identity = (client.account(), client.device());
            if host.identity.is_some_and(|known| known != identity) {
                return Err(format!("{id:?} starts as somebody else"));
            }
            host.identity = Some(identity);
            host.key = client.transport();
        }
        host.machine = Some(machine);
        self.boot_twin(id, entropy)?;
        self.drain(id)?;
        if first {
            let process = self.hosts[id.0].process;
            while !self.hosts[id.0].flights.is_empty() {
                self.commit(id, process)?;
            }
        }
        if self.hosts[id.0].is_client() && self.paths != Paths::RelayOnly {
            let addrs = vec![format!("/sim/{}/{}", id.0, self.random.below(2))];
            self.feed(id, Input::Listening { addrs })?;
        }
        if self.hosts[id.0].is_relay() {
            self.wake_in(id, RELAY_TICK);
        }
        Ok(())
    }

    /// The first client starts with other relays now and then; its contacts learn it from its messages. Two who move at once, before
    /// either has told the other, may lose each other where there is no direct path: a stated limit.
    fn move_house(&mut self, id: HostId) {
        let relays = self.relays();
        if id != HostId(0) || self.calm || !self.moves || !self.random.chance(30) {
            return;
        }
        let Some(relay) = self.random.pick(&relays) else {
            return;
        };
        if let Kind::Client(plan) = &mut self.hosts[id.0].kind {
            plan.relays = vec![relay];
        }
        self.trace(|| format!("{id:?} moves to {relay:?}"));
    }

    /// Kills a host: its memory and all that isn't flushed is gone. It starts again after `down_for`.
    pub fn crash(&mut self, id: HostId, down_for: Micros) {
        if !self.hosts[id.0].is_up() {
            return;
        }
        self.trace(|| format!("{id:?} is killed"));
        self.outcome.crashes += 1;
        let host = &mut self.hosts[id.0];
        host.machine = None;
        if let Some(twin) = &mut host.twin {
            twin.crash();
        }
        host.flights.clear();
        host.subscriptions.clear();
        host.deadfall = None;
        host.process += 1;
        host.wake_generation += 1;
        let process = host.process;
        self.drop_links_of(id);
        self.schedule(down_for, Event::Boot { host: id, process });
        self.notices.push_back(Notice::Crashed { host: id });
    }

    /// Gives a machine an input and ends the step now or a little later.
    pub fn feed(&mut self, id: HostId, input: Input) -> Result<(), String> {
        let host = &mut self.hosts[id.0];
        let now_ms = host.clock.read(self.now);
        let again = host.twin.is_some().then(|| input.clone());
        let fed = match &mut host.machine {
            Some(Machine::Client(client)) => client.handle(now_ms, input, &host.disk),
            Some(Machine::Relay(relay)) => match relay_input(input) {
                Some(input) => relay.handle(now_ms, input, &host.disk),
                None => Ok(()),
            },
            Some(Machine::Stranger) | None => return Ok(()),
        };
        fed.map_err(|error| format!("{id:?}: {error}"))?;
        if let Some(input) = again {
            self.feed_twin(id, now_ms, input)?;
        }
        if !self.random.chance(25) {
            return self.drain(id);
        }
        let host = &mut self.hosts[id.0];
        if !host.drain_waits {
            host.drain_waits = true;
            let process = host.process;
            let delay = self.random.between(100, 4000);
            self.schedule(delay, Event::Drain { host: id, process });
        }
        Ok(())
    }

    pub fn end_step(&mut self, id: HostId, process: u64) -> Result<(), String> {
        if self.hosts[id.0].process != process {
            return Ok(());
        }
        self.hosts[id.0].drain_waits = false;
        self.drain(id)
    }

    pub fn wake(&mut self, id: HostId, generation: u64) -> Result<(), String> {
        if self.hosts[id.0].wake_generation != generation || !self.hosts[id.0].is_up() {
            return Ok(());
        }
        self.hosts[id.0].wake_at = None;
        self.hosts[id.0].spins += 1;
        self.feed(id, Input::Tick)
    }

    /// The oldest step is flushed: its rows are on the disk, its effects are carried out, the machine is told.
    pub fn commit(&mut self, id: HostId, process: u64) -> Result<(), String> {
        if self.hosts[id.0].process != process || !self.hosts[id.0].is_up() {
            return Ok(());
        }
        let Some(flight) = self.hosts[id.0].flights.pop_front() else {
            return Ok(());
        };
        let chats = if self.hosts[id.0].is_client() {
            written(&flight.batch)
        } else {
            Vec::new()
        };
        self.hosts[id.0].disk.apply(&flight.batch);
        self.commit_twin(id, &flight.twin)?;
        self.outcome.commits += 1;
        let bound = match self.hosts[id.0].deadfall {
            Some(Deadfall::AfterFlush) => Some(0),
            Some(Deadfall::AfterEffects(count)) => Some(count),
            _ => None,
        };
        self.carry_out(id, flight.effects, bound.unwrap_or(usize::MAX))?;
        let adopted = flight.adopted;
        self.notices.push_back(Notice::Committed {
            host: id,
            chats,
            adopted,
        });
        if bound.is_some() {
            let down_for = self.down_time();
            self.crash(id, down_for);
            return Ok(());
        }
        self.feed(id, Input::Committed)
    }

    /// How long a killed host stays down.
    pub fn down_time(&mut self) -> Micros {
        if self.random.chance(80) {
            self.random.between(5 * MS, 500 * MS)
        } else {
            self.random.between(SECOND, 8 * SECOND)
        }
    }

    pub fn load_client(
        &self,
        id: HostId,
        plan: ClientPlan,
        entropy: [u8; 32],
        disk: &dyn Rows,
    ) -> Result<Client, String> {
        let mut config = ClientConfig::new(self.config.suite);
        config.name = Some(plan.name);
        config.relays = Some(
            plan.relays
                .iter()
                .map(|relay| PeerAddress {
                    key: self.hosts[relay.0].key,
                    addrs: vec![format!("/sim/{}", relay.0)],
                })
                .collect(),
        );
        config.frozen_states = plan.frozen_states;
        config.frozen_ms = plan.frozen_ms;
        config.leaf_update_ms = plan.leaf_update_ms;
        config.report_delay_ms = plan.report_delay_ms;
        config.nudge_ms = plan.nudge_ms;
        config.direct_grace_ms = plan.direct_grace_ms;
        config.dial_backoff_ms = plan.dial_backoff_ms;
        config.rejoin_ms = plan.rejoin_ms;
        config.sabotage = match self.config.broken {
            Broken::NoDurableDedup => Sabotage::NoDurableDedup,
            Broken::ArrivalDecides => Sabotage::ArrivalDecides,
            Broken::LowestHashDecides => Sabotage::LowestHashDecides,
            Broken::LoserNotRetried => Sabotage::LoserNotRetried,
            Broken::TopicStays => Sabotage::TopicStays,
            Broken::RelayBelieved => Sabotage::RelayBelieved,
            Broken::TermsShown => Sabotage::TermsShown,
            Broken::None | Broken::AckBeforeFlush | Broken::CursorUnhashed => Sabotage::None,
        };
        let host = &self.hosts[id.0];
        Client::load(config, entropy, disk, host.clock.read(self.now))
            .map_err(|error| format!("{id:?} doesn't start: {error}"))
    }

    /// Ends what a host has begun.
    pub fn drain(&mut self, id: HostId) -> Result<(), String> {
        let host = &mut self.hosts[id.0];
        let (batch, effects, adopted) = match &mut host.machine {
            Some(Machine::Client(client)) => {
                let step = client.drain().map_err(|error| format!("{id:?}: {error}"))?;
                (step.batch, step.effects, client.take_adopted())
            }
            Some(Machine::Relay(relay)) => {
                let step = relay.drain();
                let effects = step.effects.into_iter().filter_map(Effect::of_relay).collect();
                (step.batch, effects, Vec::new())
            }
            Some(Machine::Stranger) | None => return Ok(()),
        };
        let twin = self.drain_twin(id, &effects)?;
        if effects.is_empty() && batch.is_empty() {
            if let Some(batch) = twin {
                self.keep_twin(id, batch)?;
            }
            return self.set_timer(id);
        }
        let pin = |effect| {
            let stream = match &effect {
                Effect::Send { peer, side, .. } => self.stream_of(id, peer, *side),
                _ => None,
            };
            Pinned { effect, stream }
        };
        let effects: Vec<_> = effects.into_iter().map(pin).collect();
        let (effects, early) = if self.breaks(Broken::AckBeforeFlush) {
            (Vec::new(), effects)
        } else {
            (effects, Vec::new())
        };
        let delay = if batch.is_empty() { 0 } else { self.flush_time() };
        let host = &mut self.hosts[id.0];
        host.last_commit = host.last_commit.max(self.now + delay);
        let wait = host.last_commit - self.now;
        host.flights.push_back(Flight {
            batch,
            effects,
            adopted,
            twin: twin.into_iter().collect(),
        });
        let process = host.process;
        self.schedule(wait, Event::Commit { host: id, process });
        self.carry_out(id, early, usize::MAX)?;
        if matches!(self.hosts[id.0].deadfall, Some(Deadfall::BeforeFlush)) {
            let down_for = self.down_time();
            self.crash(id, down_for);
            return Ok(());
        }
        self.set_timer(id)
    }

    /// What a twin wrote by itself is durable once what was written before it is.
    pub fn keep_twin(&mut self, id: HostId, batch: Batch) -> Result<(), String> {
        match self.hosts[id.0].flights.back_mut() {
            Some(flight) => {
                flight.twin.push(batch);
                Ok(())
            }
            None => self.commit_twin(id, &[batch]),
        }
    }

    fn flush_time(&mut self) -> Micros {
        match self.random.below(10) {
            0 => self.random.between(20 * MS, 400 * MS),
            _ => self.random.between(100, 15 * MS),
        }
    }

    fn carry_out(&mut self, id: HostId, effects: Vec<Pinned>, bound: usize) -> Result<(), String> {
        for Pinned { effect, stream } in effects.into_iter().take(bound) {
            match effect {
                Effect::Dial(address) => self.dial(id, address.key),
                Effect::Send { peer, side, frame } => self.send(id, peer, side, stream, frame)?,
                Effect::Subscribe(topic) => self.subscribe(id, topic, true),
                Effect::Unsubscribe(topic) => self.subscribe(id, topic, false),
                Effect::Publish { topic, bytes } => self.publish(id, topic, &bytes),
                Effect::Verdict {
                    peer,
                    id: gossip,
                    verdict,
                } => self.verdict(id, peer, gossip, verdict)?,
                Effect::Penalise { peer, reason } => self.penalise(id, peer, reason)?,
                Effect::Reply { token, result } => self.notices.push_back(Notice::Reply {
                    host: id,
                    token,
                    result,
                }),
                Effect::Events { newest } => {
                    let found = history::newest_event(&self.hosts[id.0].disk).map_err(|error| error.to_string())?;
                    if found < newest && !self.breaks(Broken::AckBeforeFlush) {
                        return Err(format!(
                            "{id:?} announces event {newest} before it is durable; the newest is {found}"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    fn set_timer(&mut self, id: HostId) -> Result<(), String> {
        let host = &mut self.hosts[id.0];
        let wait = match &host.machine {
            Some(Machine::Client(client)) => {
                let now_ms = host.clock.read(self.now);
                client
                    .next_timer()
                    .map(|due| due.saturating_sub(now_ms).saturating_mul(MS))
            }
            Some(Machine::Relay(relay)) => Some(if relay.has_more() { 0 } else { RELAY_TICK }),
            Some(Machine::Stranger) | None => None,
        };
        let Some(wait) = wait else {
            host.wake_at = None;
            host.wake_generation += 1;
            return Ok(());
        };
        // Only ticks count: much may be done before the next one, such as a burst of commits.
        if wait > 0 {
            host.spins = 0;
        }
        if host.spins > SPINS {
            return Err(format!("{id:?}: its timer is due again and again"));
        }
        let relay_waits = host.is_relay() && wait > 0 && host.wake_at.is_some_and(|at| at > self.now);
        if !relay_waits && host.wake_at != Some(self.now + wait.max(MS)) {
            self.wake_in(id, wait.max(MS));
        }
        Ok(())
    }

    fn wake_in(&mut self, id: HostId, wait: Micros) {
        let at = self.now.saturating_add(wait);
        let host = &mut self.hosts[id.0];
        host.wake_at = Some(at);
        host.wake_generation += 1;
        let generation = host.wake_generation;
        self.schedule(at - self.now, Event::Wake { host: id, generation });
    }
}

/// The chats whose rows a batch writes.
fn written(batch: &Batch) -> Vec<ChatId> {
    let chat = |op: &Op| match op {
        Op::Put {
            tree: Tree::Chats, key, ..
        } => key.as_slice().try_into().ok().map(ChatId),
        _ => None,
    };
    batch.ops.iter().filter_map(chat).collect()
}

/// What a relay makes of it: relays only serve.
fn relay_input(input: Input) -> Option<RelayInput> {
    Some(match input {
        Input::Tick => RelayInput::Tick,
        Input::Committed => RelayInput::Committed,
        Input::Opened {
            peer,
            side: Side::Server,
        } => RelayInput::Connected { peer },
        Input::Closed {
            peer,
            side: Side::Server,
        }
        | Input::Disconnected { peer } => RelayInput::Disconnected { peer },
        Input::Frame {
            peer,
            side: Side::Server,
            bytes,
        } => RelayInput::Frame { peer, bytes },
        _ => return None,
    })
}

impl Effect {
    /// A relay's effect in a client's words; none for what is its operator's.
    #[must_use]
    pub fn of_relay(effect: RelayEffect) -> Option<Self> {
        Some(match effect {
            RelayEffect::Send { peer, frame } => Self::Send {
                peer,
                side: Side::Server,
                frame: frame.to_vec(),
            },
            RelayEffect::Ask { peer, frame } => Self::Send {
                peer,
                side: Side::Client,
                frame: frame.to_vec(),
            },
            RelayEffect::Penalise { peer, reason } => Self::Penalise { peer, reason },
            RelayEffect::Report { .. } => return None,
        })
    }
}
