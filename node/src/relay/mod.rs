//! The relay service: keeps envelopes for people who are offline and answers only for what is on disk.
//!
//! ```text
//!  net ── NetEvent (1,024; readers wait) ──▶ owner task ── inbox (256) ──▶ keeper, on a blocking thread: state machine and store
//!   ▲                                          │  ▲                            │
//!   └────────── NetCommand (sender waits) ─────┘  └── effects of what is flushed ┘
//! ```
//!
//! A turn takes all that waits, so that under load many deposits share one flush; a lone deposit begins a turn at once. What
//! arrives meanwhile waits in the network's channel, which makes its readers wait in turn.
//!
//! `INV-COMMIT-FIRST`: effects leave a turn only after its flush. After a failed commit the state in memory is dropped, everyone is
//! disconnected, and the relay begins again from its rows once the store takes writes.

mod http;
mod keeper;
mod metrics;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::future::{Future, ready as now};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::config::{NodeError, RelayConfig, RelayReady};
use crate::net::{self, NetCommand, NetConfig, NetError, NetEvent, NetHandle, NetLimits, PeerKey, Role, Side};
use keeper::{Incoming, Keeper, TurnError};
use metrics::Metrics;

/// Where a relay listens unless it is told otherwise.
pub const DEFAULT_LISTEN: [&str; 2] = ["/ip4/0.0.0.0/tcp/4801", "/ip4/0.0.0.0/udp/4801/quic-v1"];
/// Inputs that wait for the next turn; the rest stays in the network's channel.
const INBOX: usize = 256;
/// Time between looks at what has expired (guess: expiry is counted in days).
const TICK: Duration = Duration::from_secs(5);
/// Delays before the store is tried again after a failed commit, doubled from the first to the second (guess).
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long a stopping relay waits for the network to end.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// Runs a relay until `stop` completes; `ready` is called once it serves.
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
    let keeper = blocking({
        let (config, metrics) = (config.clone(), metrics.clone());
        move || Keeper::open(&config, metrics)
    })
    .await??;
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
    ready(RelayReady {
        relay: net.local().to_string(),
        addresses,
        metrics: server.as_ref().map(http::Server::address),
    });
    let mut service = Service {
        net,
        events,
        metrics,
        inbox: VecDeque::new(),
        streams: BTreeSet::new(),
        next_tick: Instant::now(),
    };
    let ended = service.run(keeper, stop).await;
    service.close().await;
    ended
}

/// Runs what blocks, on a thread for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, NodeError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| NodeError::Other {
            reason: format!("the relay's thread failed: {error}"),
        })
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

struct Service {
    net: NetHandle,
    events: mpsc::Receiver<NetEvent>,
    metrics: Arc<Metrics>,
    /// What the next turn takes.
    inbox: VecDeque<Incoming>,
    /// Peers with an open stream, at most the network's connections.
    streams: BTreeSet<PeerKey>,
    next_tick: Instant,
}

impl Service {
    async fn run(&mut self, mut keeper: Keeper, stop: impl Future<Output = ()>) -> Result<(), NodeError> {
        let mut stop = pin!(stop);
        let mut again = false;
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = now(()), if again || !self.inbox.is_empty() => {}
                () = sleep_until(self.next_tick) => {}
                event = self.events.recv() => match event {
                    Some(event) => self.take(event),
                    None => return Err(NodeError::Network { reason: "it stopped by itself; start the relay again".into() }),
                },
            }
            if again || Instant::now() >= self.next_tick {
                self.inbox.push_back(Incoming::Tick);
                self.next_tick = Instant::now() + TICK;
            }
            self.gather();
            let mut inbox = std::mem::take(&mut self.inbox);
            let outcome;
            (keeper, inbox, outcome) = blocking(move || {
                let outcome = keeper.turn(&mut inbox);
                (keeper, inbox, outcome)
            })
            .await?;
            self.inbox = inbox;
            match outcome {
                Ok(turn) => {
                    again = turn.again;
                    self.carry_out(turn.commands).await?;
                }
                Err(error) => {
                    again = true;
                    tokio::select! {
                        () = &mut stop => return Ok(()),
                        recovered = self.recover(keeper, error) => keeper = recovered?,
                    }
                }
            }
        }
        // Closing the store flushes and takes a while.
        blocking(move || drop(keeper)).await
    }

    /// Takes what waits, up to the inbox's bound.
    fn gather(&mut self) {
        while self.inbox.len() < INBOX {
            let Ok(event) = self.events.try_recv() else {
                return;
            };
            self.take(event);
        }
    }

    fn take(&mut self, event: NetEvent) {
        let incoming = match event {
            NetEvent::StreamOpen {
                peer,
                side: Side::Server,
                stream,
            } => {
                self.streams.insert(peer);
                Incoming::Opened(peer, stream)
            }
            NetEvent::StreamClosed {
                peer,
                side: Side::Server,
            } => {
                self.streams.remove(&peer);
                Incoming::Closed(peer)
            }
            NetEvent::Frame {
                peer,
                side: Side::Server,
                bytes,
            } => Incoming::Frame(peer, bytes),
            NetEvent::ListenAddr(address) => {
                tracing::info!(address, "listening");
                return;
            }
            _ => return,
        };
        self.inbox.push_back(incoming);
    }

    /// Sends what a turn has made durable.
    async fn carry_out(&self, commands: Vec<NetCommand>) -> Result<(), NodeError> {
        for command in commands {
            self.net.command(command).await.map_err(refused)?;
        }
        Ok(())
    }

    /// Disconnects everyone and waits until the store takes writes again.
    async fn recover(&mut self, mut keeper: Keeper, error: TurnError) -> Result<Keeper, NodeError> {
        if !error.may_pass() {
            return Err(keeper.failed(&error));
        }
        tracing::error!(%error, "nothing is accepted until the store takes writes again");
        self.metrics.set_healthy(false);
        self.inbox.clear();
        for peer in std::mem::take(&mut self.streams) {
            self.net
                .command(NetCommand::Disconnect { peer })
                .await
                .map_err(refused)?;
        }
        let (mut delay, longest) = RETRY;
        loop {
            sleep(delay).await;
            delay = (delay * 2).min(longest);
            let outcome;
            (keeper, outcome) = blocking(move || {
                let outcome = keeper.reload();
                (keeper, outcome)
            })
            .await?;
            match outcome {
                Ok(()) => break,
                Err(error) if error.may_pass() => {
                    tracing::warn!(%error, "the store still takes no writes")
                }
                Err(error) => return Err(keeper.failed(&error)),
            }
        }
        tracing::info!("the store takes writes again");
        self.metrics.set_healthy(true);
        Ok(keeper)
    }

    async fn close(mut self) {
        if self.net.command(NetCommand::Shutdown).await.is_err() {
            return;
        }
        let ended = async { while self.events.recv().await.is_some() {} };
        if timeout(STOP_DEADLINE, ended).await.is_err() {
            tracing::warn!("the network takes long to stop");
        }
    }
}
