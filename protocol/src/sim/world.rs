//! Virtual time: the queue of what happens next, and all hosts and links it happens to.

use super::host::Host;
use super::hostile::Hostile;
use super::liar::Liar;
use super::network::{Arrival, Link, Stream};
use super::plan::{Paths, Plan};
use super::random::{Micros, Random};
use super::{Broken, Outcome, SimConfig};
use crate::client::inspect::Adopted;
use crate::client::{CommandError, Reply};
use crate::keys::ChatId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Events of one run, at most: beyond, something spins.
const EVENTS: u64 = 400_000;

/// A host, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HostId(pub usize);

/// Something that happens.
#[derive(Debug)]
pub(super) enum Event {
    /// A host's timer is due.
    Wake { host: HostId, generation: u64 },
    /// A host ends a step.
    Drain { host: HostId, process: u64 },
    /// A host's oldest step is flushed.
    Commit { host: HostId, process: u64 },
    /// The twin of a host waits for the time.
    TwinTick { host: HostId, process: u64 },
    /// A host starts.
    Boot { host: HostId, process: u64 },
    /// Something reaches a host.
    Arrive {
        host: HostId,
        process: u64,
        arrival: Arrival,
    },
    /// A host opens its custody stream on a link.
    OpenStream { link: u64, opener: HostId },
    /// Both ends know that a link is gone.
    LinkGone { link: u64 },
    /// The driver does something.
    Act,
}

/// What the driver is told.
#[derive(Debug)]
pub(super) enum Notice {
    /// A command is answered.
    Reply {
        host: HostId,
        token: u64,
        result: Result<Reply, CommandError>,
    },
    /// A step is durable.
    Committed {
        host: HostId,
        chats: Vec<ChatId>,
        adopted: Vec<Adopted>,
    },
    /// A host was killed.
    Crashed { host: HostId },
    /// It is time to act.
    Act,
}

/// All there is.
pub(super) struct World {
    pub config: SimConfig,
    pub random: Random,
    pub paths: Paths,
    /// Whether clients change their relays.
    pub moves: bool,
    pub now: Micros,
    pub hosts: Vec<Host>,
    pub links: BTreeMap<u64, Link>,
    pub streams: BTreeMap<u64, Stream>,
    /// Pairs that can't reach each other for now, lower first.
    pub cut: BTreeSet<(HostId, HostId)>,
    /// A relay was set back to a backup.
    pub restored: bool,
    /// No more faults of the network's own.
    pub calm: bool,
    pub hostile: Hostile,
    pub liar: Liar,
    /// The hostile member.
    pub mole: Option<HostId>,
    /// Seconds that relays keep what they hold; none for their default.
    pub retention_s: Option<u32>,
    pub notices: VecDeque<Notice>,
    pub outcome: Outcome,
    pub wire: blake3::Hasher,
    queue: BTreeMap<(Micros, u64), Event>,
    next: u64,
    /// The last number of a link or stream.
    pub next_link: u64,
    trace: Option<VecDeque<String>>,
}

impl World {
    pub fn new(config: &SimConfig, plan: Plan, mut random: Random, traced: bool) -> Self {
        let mut hosts: Vec<_> = plan
            .clients
            .into_iter()
            .map(|(plan, clock)| Host::client(plan, clock))
            .collect();
        hosts.extend(plan.relays.into_iter().map(|clock| Host::relay(random.bytes(), clock)));
        hosts.push(Host::stranger(random.bytes()));
        if config.brand {
            // The brand is the first.
            for host in hosts.iter_mut().skip(1).filter(|host| host.is_client()) {
                host.twin = Some(Box::default());
            }
        }
        Self {
            config: config.clone(),
            random,
            paths: plan.paths,
            moves: plan.moves,
            now: 0,
            hosts,
            links: BTreeMap::new(),
            streams: BTreeMap::new(),
            cut: BTreeSet::new(),
            restored: false,
            calm: false,
            hostile: Hostile::new(plan.hostile),
            liar: Liar::new(plan.liar),
            mole: plan.mole,
            retention_s: plan.retention_s,
            notices: VecDeque::new(),
            outcome: Outcome::default(),
            wire: blake3::Hasher::new(),
            queue: BTreeMap::new(),
            next: 0,
            next_link: 0,
            trace: traced.then(VecDeque::new),
        }
    }

    /// Lets one event happen.
    pub fn step(&mut self) -> Result<(), String> {
        let Some(((at, _), event)) = self.queue.pop_first() else {
            return Err("nothing is left to happen".into());
        };
        self.now = at;
        self.outcome.events += 1;
        // Everything is told everybody.
        let most = EVENTS * self.config.group.map_or(1, |(_, greatest)| greatest as u64);
        if self.outcome.events > most {
            return Err(format!("runaway: more than {most} events"));
        }
        match event {
            Event::Wake { host, generation } => self.wake(host, generation),
            Event::Drain { host, process } => self.end_step(host, process),
            Event::Commit { host, process } => self.commit(host, process),
            Event::TwinTick { host, process } => self.tick_twin(host, process),
            Event::Boot { host, process } => self.boot(host, process),
            Event::Arrive { host, process, arrival } => {
                if self.hosts[host.0].process != process || !self.hosts[host.0].is_up() {
                    return Ok(());
                }
                self.arrive(host, arrival)
            }
            Event::OpenStream { link, opener } => {
                self.open_stream(link, opener);
                Ok(())
            }
            Event::LinkGone { link } => {
                self.forget_link(link);
                Ok(())
            }
            Event::Act => {
                self.notices.push_back(Notice::Act);
                Ok(())
            }
        }
    }

    pub fn schedule(&mut self, delay: Micros, event: Event) {
        self.next += 1;
        self.queue.insert((self.now + delay, self.next), event);
    }

    /// Schedules what reaches a host, should it still be the same process then.
    pub fn schedule_arrival(&mut self, delay: Micros, host: HostId, arrival: Arrival) {
        let process = self.hosts[host.0].process;
        self.schedule(delay, Event::Arrive { host, process, arrival });
    }

    /// Notes what happens; the line is made only in a traced run.
    pub fn trace(&mut self, line: impl FnOnce() -> String) {
        let Some(trace) = &mut self.trace else {
            return;
        };
        trace.push_back(format!("{:>9}.{:03} ms  {}", self.now / 1000, self.now % 1000, line()));
        if trace.len() > self.config.trace {
            trace.pop_front();
        }
    }

    pub fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default().into()
    }

    pub fn clients(&self) -> Vec<HostId> {
        self.with(Host::is_client)
    }

    /// All clients but the hostile member.
    pub fn honest(&self) -> Vec<HostId> {
        let mut clients = self.clients();
        clients.retain(|client| Some(*client) != self.mole);
        clients
    }

    pub fn relays(&self) -> Vec<HostId> {
        self.with(Host::is_relay)
    }

    /// The stranger.
    pub fn stranger(&self) -> HostId {
        HostId(self.hosts.len() - 1)
    }

    /// Whether no relay, or not each, keeps all that it was given.
    pub fn forgetful(&self) -> bool {
        self.paths == Paths::DirectOnly || self.restored || self.liar.relay.is_some() || self.retention_s.is_some()
    }

    pub fn breaks(&self, broken: Broken) -> bool {
        self.config.broken == broken
    }

    fn with(&self, is: impl Fn(&Host) -> bool) -> Vec<HostId> {
        (0..self.hosts.len())
            .map(HostId)
            .filter(|id| is(&self.hosts[id.0]))
            .collect()
    }
}
