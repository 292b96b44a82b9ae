//! The relay service: keeps envelopes for people who are offline and answers only for what is on disk.
//!
//! ```text
//!  net ── NetEvent (1,024; readers wait) ──▶ owner task ──▶ verification, on some threads (jobs of 16 KiB, four a core, in order)
//!   ▲                                          │  ▲                                  │
//!   │                                          │  └── inbox (1,024) ◀────────────────┘
//!   │                                          ▼
//!   │                                        keeper, on a blocking thread: state machine and store
//!   └────────── NetCommand (sender waits) ─────┘ effects of what is flushed
//! ```
//!
//! A turn takes all that waits, so that under load many deposits share one flush; while it commits, the next ones are verified. A lone
//! deposit begins a turn at once. What arrives beyond the bounds waits in the network's channel, which makes its readers wait in turn;
//! behind a slow disk deposits are refused as `busy` instead.
//!
//! `INV-COMMIT-FIRST`: effects leave a turn only after its flush. When a commit fails the state machine goes back to what is on disk and
//! the relay is read-only: it keeps its connections, refuses deposits, serves watches, and goes on when the disk takes writes again.

mod admission;
mod doctor;
mod http;
mod inbox;
mod keeper;
#[cfg(feature = "failpoints")]
mod lies;
mod metrics;
mod reports;
#[cfg(test)]
mod tests;

pub use admission::{RelayToken, new_relay_token, relay_tokens, revoke_relay_token};
pub use doctor::{Check, Health, relay_doctor};
pub use reports::{RelayReport, ReportNote, dismiss_relay_report, relay_reports};

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use madang_protocol::custody::relay::Door;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::blocking::blocking;
use crate::config::{Admission, NodeError, RelayConfig, RelayReady};
use crate::net::{self, NetCommand, NetConfig, NetError, NetEvent, NetHandle, NetLimits, PeerKey, Role, Side};
use inbox::{Arrived, Incoming, JOB_BYTES, Load, is_little};
use keeper::{Keeper, Turn};
use metrics::Metrics;

/// Where a relay listens unless it is told otherwise.
pub const DEFAULT_LISTEN: [&str; 2] = ["/ip4/0.0.0.0/tcp/4801", "/ip4/0.0.0.0/udp/4801/quic-v1"];
/// Inputs that wait for the next turn; the rest stays in the network's channel.
const INBOX: usize = 1024;
/// Inputs of one verification job, however short.
const JOB_INPUTS: usize = 256;
/// Verification jobs under way, for each core: so that none waits for the owner to hand out the next.
const JOBS_PER_CORE: usize = 4;
/// Time between looks at what has expired, the disk and the admission file (guess: expiry is counted in days).
const TICK: Duration = Duration::from_secs(5);
/// Other relays that are compared with (guess: an operator's and some friends').
const OTHERS: usize = 16;
/// Time between dials of other relays that aren't connected.
const DIAL: Duration = Duration::from_secs(10);
/// The same while the disk takes no writes.
const READ_ONLY_TICK: Duration = Duration::from_secs(1);
/// How long a stopping relay waits for the network to send what it has and end.
const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// Runs a relay until `stop` completes; `ready` is called once it serves. Then it takes nothing more, finishes what it has taken, sends
/// the receipts and ends.
///
/// # Errors
/// [`NodeError::Store`] if the data directory is in use, sealed otherwise, newer or damaged; [`NodeError::Config`] and
/// [`NodeError::Network`] if it can't listen.
pub async fn run_relay(
    config: RelayConfig,
    ready: impl FnOnce(RelayReady),
    stop: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let metrics = Arc::new(Metrics::new());
    let others = others(&config.peers)?;
    let keeper = blocking({
        let (config, metrics) = (config.clone(), metrics.clone());
        let keys: Vec<PeerKey> = others.keys().copied().collect();
        move || Keeper::open(&config, &keys, metrics)
    })
    .await??;
    let door = admission::door(&config.data, &config.admission)?;
    let server = match config.metrics {
        Some(address) => Some(http::serve(address, metrics.clone()).await?),
        None => None,
    };
    let listen = match config.listen.as_slice() {
        [] => DEFAULT_LISTEN.map(str::to_owned).to_vec(),
        given => given.to_vec(),
    };
    let network = NetConfig {
        identity: keeper.transport_seed(),
        listen,
        role: Role::Relay,
        limits: NetLimits::relay(),
    };
    let (net, events) = net::start(network).await.map_err(refused)?;
    let addresses = net.listen_addrs();
    tracing::info!(?addresses, "the relay serves");
    let metrics_at = server.as_ref().map(http::Server::address);
    let status = doctor::Published::new(&config, &addresses, metrics_at);
    ready(RelayReady {
        relay: net.local().to_string(),
        addresses,
        metrics: metrics_at,
    });
    let mut service = Service {
        net,
        events,
        metrics,
        data: config.data,
        admission: config.admission,
        door: Door::Open,
        inbox: VecDeque::new(),
        verifying: FuturesOrdered::new(),
        jobs: JOBS_PER_CORE * std::thread::available_parallelism().map_or(1, usize::from),
        load: Load::default(),
        read_only: false,
        again: false,
        next_tick: Instant::now(),
        others,
        next_dial: Instant::now(),
    };
    service.set_door(door);
    let ended = service.run(keeper, stop).await;
    drop((server, status));
    ended
}

/// The other relays that addresses name.
fn others(addresses: &[String]) -> Result<BTreeMap<PeerKey, Vec<String>>, NodeError> {
    let mut others: BTreeMap<PeerKey, Vec<String>> = BTreeMap::new();
    for address in addresses {
        let (peer, address) = net::parse_address(address).map_err(|error| NodeError::Config {
            field: "--peer",
            reason: error.to_string(),
        })?;
        others.entry(peer).or_default().push(address);
    }
    if others.len() > OTHERS {
        return Err(NodeError::Config {
            field: "--peer",
            reason: format!("at most {OTHERS} other relays are allowed"),
        });
    }
    Ok(others)
}

fn refused(error: NetError) -> NodeError {
    match error {
        NetError::Address { address, reason } => NodeError::Config {
            field: "--listen",
            reason: format!("{address}: {reason}"),
        },
        NetError::Listen { address, reason } => NodeError::Network {
            reason: format!(
                "can't listen on {address}: {reason}; if another relay runs here, stop it, or give another address with --listen"
            ),
        },
        other => NodeError::Network {
            reason: other.to_string(),
        },
    }
}

/// A turn under way: the keeper, what it left of its inputs, and what it made durable.
type TurnHandle = JoinHandle<(Keeper, VecDeque<Arrived>, Turn)>;

struct Service {
    net: NetHandle,
    events: mpsc::Receiver<NetEvent>,
    metrics: Arc<Metrics>,
    data: PathBuf,
    admission: Admission,
    door: Door,
    /// What the next turn takes.
    inbox: VecDeque<Arrived>,
    /// Inputs whose envelopes are being verified, in order; all of them go before what arrives now.
    verifying: FuturesOrdered<JoinHandle<Vec<Arrived>>>,
    /// How many such jobs there may be.
    jobs: usize,
    load: Load,
    read_only: bool,
    again: bool,
    next_tick: Instant,
    /// Other relays, with their addresses.
    others: BTreeMap<PeerKey, Vec<String>>,
    next_dial: Instant,
}

impl Service {
    async fn run(mut self, keeper: Keeper, stop: impl Future<Output = ()>) -> Result<(), NodeError> {
        let mut stop = pin!(stop);
        let mut keeper = Some(keeper);
        let mut turn: Option<TurnHandle> = None;
        loop {
            self.tick();
            self.dial_others().await?;
            if let Some(idle) = keeper.take_if(|_| self.has_work()) {
                turn = Some(self.begin(idle));
            }
            tokio::select! {
                biased;
                () = &mut stop => break,
                done = joined(&mut turn), if turn.is_some() => {
                    let commands = self.end(done?, &mut keeper);
                    if let Some(idle) = keeper.take_if(|_| self.has_work()) {
                        turn = Some(self.begin(idle));
                    }
                    self.carry_out(commands).await?;
                }
                Some(done) = self.verifying.next(), if self.inbox.len() < INBOX => self.inbox.extend(done.map_err(failed)?),
                event = self.events.recv(), if self.verifying.len() < self.jobs && self.inbox.len() < INBOX => match event {
                    Some(event) => self.take(event, keeper.is_some()),
                    None => return Err(NodeError::Network { reason: "it stopped by itself; start the relay again".into() }),
                },
                () = sleep_until(self.next_tick) => {}
            }
        }
        self.finish(keeper, turn).await
    }

    /// Commits what was taken, sends the receipts and closes.
    async fn finish(mut self, mut keeper: Option<Keeper>, mut turn: Option<TurnHandle>) -> Result<(), NodeError> {
        self.metrics.set_stopping();
        loop {
            if turn.is_some() {
                let done = joined(&mut turn).await?;
                let commands = self.end(done, &mut keeper);
                self.carry_out(commands).await?;
            }
            if let Some(done) = self.verifying.next().await {
                self.inbox.extend(done.map_err(failed)?);
            }
            if self.inbox.is_empty() && self.verifying.is_empty() {
                break;
            }
            turn = keeper.take().map(|idle| self.begin(idle));
        }
        self.close().await;
        // Closing the store flushes and takes a while.
        blocking(move || drop(keeper)).await
    }

    fn has_work(&self) -> bool {
        self.again || !self.inbox.is_empty()
    }

    fn begin(&mut self, mut keeper: Keeper) -> TurnHandle {
        if std::mem::take(&mut self.again) {
            self.inbox.push_back(Arrived::now(Incoming::Tick));
        }
        let mut inbox = std::mem::take(&mut self.inbox);
        tokio::task::spawn_blocking(move || {
            let turn = keeper.turn(&mut inbox);
            (keeper, inbox, turn)
        })
    }

    /// Takes back the keeper, and what may leave now.
    fn end(&mut self, done: (Keeper, VecDeque<Arrived>, Turn), keeper: &mut Option<Keeper>) -> Vec<NetCommand> {
        let (idle, mut left, turn) = done;
        *keeper = Some(idle);
        left.append(&mut self.inbox);
        self.inbox = left;
        self.load.note(turn.took);
        self.again = turn.again;
        self.read_only = turn.read_only.is_some();
        turn.commands
    }

    /// Hands in what time asks for, when it is due.
    fn tick(&mut self) {
        if Instant::now() < self.next_tick {
            return;
        }
        self.next_tick = Instant::now() + if self.read_only { READ_ONLY_TICK } else { TICK };
        match admission::door(&self.data, &self.admission) {
            Ok(door) => self.set_door(door),
            Err(error) => tracing::error!(%error, "whom the relay admits stays as it was"),
        }
        self.metrics.network(&self.net.stats());
        self.inbox.push_back(Arrived::now(Incoming::Tick));
    }

    /// Dials other relays; nothing happens where there is a connection.
    async fn dial_others(&mut self) -> Result<(), NodeError> {
        if self.others.is_empty() || Instant::now() < self.next_dial {
            return Ok(());
        }
        self.next_dial = Instant::now() + DIAL;
        for (peer, addrs) in &self.others {
            let (peer, addrs) = (*peer, addrs.clone());
            self.net
                .command(NetCommand::Dial { peer, addrs })
                .await
                .map_err(refused)?;
        }
        Ok(())
    }

    fn set_door(&mut self, door: Door) {
        if door != self.door {
            self.door = door.clone();
            self.inbox.push_back(Arrived::now(Incoming::Door(door)));
        }
    }

    /// Takes an event and what waits behind it, as one job: verified at once if it is little and nothing else is going on.
    fn take(&mut self, first: NetEvent, is_idle: bool) {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(event) = next {
            if let Some(incoming) = incoming(event) {
                let waiting = self.inbox.len() + self.verifying.len() * JOB_INPUTS + batch.len();
                let arrived = self.load.judge(Arrived::now(incoming), waiting);
                bytes += arrived.bytes_to_verify();
                batch.push(arrived);
            }
            next = (bytes < JOB_BYTES && batch.len() < JOB_INPUTS)
                .then(|| self.events.try_recv().ok())
                .flatten();
        }
        self.metrics.queue("network", self.events.len() as u64);
        if self.verifying.is_empty() && (bytes == 0 || (is_idle && is_little(&batch))) {
            self.inbox.extend(batch);
        } else {
            let verify = move || batch.into_iter().map(Arrived::verified).collect();
            self.verifying.push_back(tokio::task::spawn_blocking(verify));
        }
        self.metrics.queue("verification", self.verifying.len() as u64);
        self.metrics.queue("inbox", self.inbox.len() as u64);
    }

    /// Sends what a turn has made durable.
    async fn carry_out(&self, commands: Vec<NetCommand>) -> Result<(), NodeError> {
        for command in commands {
            self.net.command(command).await.map_err(refused)?;
        }
        Ok(())
    }

    async fn close(&mut self) {
        if self.net.command(NetCommand::Close).await.is_err() {
            return;
        }
        let ended = async { while self.events.recv().await.is_some() {} };
        if timeout(STOP_DEADLINE, ended).await.is_err() {
            tracing::warn!("the network takes long to stop");
        }
    }
}

/// Waits for a turn and takes it out; for ever if there is none.
async fn joined(turn: &mut Option<TurnHandle>) -> Result<(Keeper, VecDeque<Arrived>, Turn), NodeError> {
    match turn {
        Some(handle) => {
            let done = handle.await.map_err(failed);
            *turn = None;
            done
        }
        None => std::future::pending().await,
    }
}

fn failed(error: tokio::task::JoinError) -> NodeError {
    NodeError::Other {
        reason: format!("the relay's thread failed: {error}"),
    }
}

fn incoming(event: NetEvent) -> Option<Incoming> {
    match event {
        NetEvent::StreamOpen {
            peer,
            side: Side::Server,
            stream,
        } => Some(Incoming::Opened(peer, stream)),
        NetEvent::StreamClosed {
            peer,
            side: Side::Server,
        } => Some(Incoming::Closed(peer)),
        NetEvent::Frame {
            peer,
            side: Side::Server,
            bytes,
        } => Some(Incoming::Frame(peer, bytes)),
        NetEvent::StreamOpen {
            peer,
            side: Side::Client,
            stream,
        } => Some(Incoming::OtherOpened(peer, stream)),
        NetEvent::StreamClosed {
            peer,
            side: Side::Client,
        } => Some(Incoming::OtherClosed(peer)),
        NetEvent::Frame {
            peer,
            side: Side::Client,
            bytes,
        } => Some(Incoming::OtherFrame(peer, bytes)),
        NetEvent::ListenAddr(address) => {
            tracing::info!(address, "listening");
            None
        }
        _ => None,
    }
}
