//! The core: the one owner of the client's state machine and of the store's writer.
//!
//! ```text
//!  net ── NetEvent (1,024; readers wait) ──▶ owner task ── inbox (256) ──▶ engine, on a blocking thread: client and store
//!  rpc ── Ask (256; full is `overloaded`) ──▶   │  ▲                            │
//!   ▲                                           │  └── effects of what is flushed ┘
//!   └── answers, newest event ──────────────────┴── NetCommand (sender waits) ──▶ net
//! ```
//!
//! A turn takes all that waits, so that under load many messages share one flush; a lone message begins a turn at once.
//!
//! `INV-COMMIT-FIRST`: effects and answers leave a turn only after its flush. After a failed commit the state in memory is dropped,
//! everyone is disconnected, and the core begins again from its rows once the store takes writes.

mod api;
mod apps;
mod archive;
mod blobs;
mod cards;
mod channels;
mod chats;
mod claims;
mod directory;
mod engine;
mod epochs;
mod feedback;
mod figures;
mod manifests;
mod media;
mod mend;
mod names;
mod opens;
mod pictures;
mod polls;
mod relays;
mod replies;
mod reports;
mod search;
mod shares;
mod show;
mod terms;
mod webhooks;

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::blocking::blocking;
use crate::clock::now_ms;
use crate::config::NodeError;
use crate::net::{self, NetCommand, NetEvent, NetHandle, PeerKey};
use crate::rpc::access::Grants;
use crate::rpc::webhooks::Hooks;
pub(crate) use api::Facade;
use api::Shown;
pub(crate) use engine::Engine;
use engine::{Ask, Incoming, Turn, TurnError};
pub(crate) use feedback::keep_feedback;
pub(crate) use relays::peer_addresses;
pub(crate) use search::keep_index;

/// Inputs that wait for the next turn; the rest stays in the channels.
const INBOX: usize = 256;
/// Questions of the local API that wait; beyond, callers are told that the node is busy.
const ASKS: usize = 256;
/// Longest time between turns, so that a clock that jumped back is noticed.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Delays before the store is tried again after a failed commit, doubled from the first to the second (guess).
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long a stopping node waits for the network to end.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// The owner task's side of the core.
pub(crate) struct Core {
    net: NetHandle,
    events: mpsc::Receiver<NetEvent>,
    asks: mpsc::Receiver<Ask>,
    newest: watch::Sender<u64>,
    grants: watch::Sender<Arc<Grants>>,
    hooks: watch::Sender<Arc<Hooks>>,
    read_only: Arc<Mutex<Option<String>>>,
    inbox: VecDeque<Incoming>,
    peers: BTreeSet<PeerKey>,
    wake: Instant,
}

impl Core {
    /// Makes the core and the way to ask it.
    pub(crate) fn new(
        engine: &Engine,
        store: crate::store::StoreReader,
        net: NetHandle,
        events: mpsc::Receiver<NetEvent>,
    ) -> Result<(Self, Facade), NodeError> {
        let (ask, asks) = mpsc::channel(ASKS);
        let newest_event = engine.newest_event().map_err(|error| NodeError::Other {
            reason: error.to_string(),
        })?;
        let (newest, watch) = watch::channel(newest_event);
        let read_only = Arc::new(Mutex::new(None));
        let (grants, granted) = watch::channel(Arc::new(engine.grants()));
        let (hooks, hooked) = watch::channel(Arc::new(engine.hooks()));
        let facade = Facade::new(
            engine.client(),
            store,
            ask,
            Shown {
                newest: watch,
                grants: granted,
                hooks: hooked,
                epochs: engine.epochs(),
            },
            net.clone(),
            read_only.clone(),
        );
        let listening = addresses(&net);
        let core = Self {
            net,
            events,
            asks,
            newest,
            grants,
            hooks,
            read_only,
            inbox: VecDeque::from([Incoming::Listening(listening), Incoming::Tick]),
            peers: BTreeSet::new(),
            wake: Instant::now(),
        };
        Ok((core, facade))
    }

    /// Runs until `stop` completes; then what is under way is finished and the store closed.
    pub(crate) async fn run(mut self, mut engine: Engine, stop: impl Future<Output = ()>) -> Result<(), NodeError> {
        let mut stop = pin!(stop);
        loop {
            if self.inbox.is_empty() {
                tokio::select! {
                    biased;
                    () = &mut stop => break,
                    ask = self.asks.recv() => match ask {
                        Some(ask) => self.inbox.push_back(Incoming::Ask(ask)),
                        None => break,
                    },
                    event = self.events.recv() => match event {
                        Some(event) => self.take(event),
                        None => return Err(NodeError::Network { reason: "it stopped by itself; start the node again".into() }),
                    },
                    () = sleep_until(self.wake) => {}
                }
            } else if futures::FutureExt::now_or_never(&mut stop).is_some() {
                break;
            }
            if Instant::now() >= self.wake {
                self.inbox.push_back(Incoming::Tick);
            }
            self.gather();
            let mut inbox = std::mem::take(&mut self.inbox);
            let outcome;
            (engine, inbox, outcome) = blocking(move || {
                let outcome = engine.turn(&mut inbox);
                (engine, inbox, outcome)
            })
            .await?;
            self.inbox = inbox;
            match outcome {
                Ok(turn) => {
                    self.carry_out(turn).await?;
                }
                Err(error) => {
                    tokio::select! {
                        () = &mut stop => return self.close().await,
                        recovered = self.recover(engine, error) => engine = recovered?,
                    }
                }
            }
        }
        // Closing the store flushes and takes a while.
        blocking(move || drop(engine)).await?;
        self.close().await
    }

    /// Takes what waits, up to the inbox's bound.
    fn gather(&mut self) {
        while self.inbox.len() < INBOX {
            if let Ok(ask) = self.asks.try_recv() {
                self.inbox.push_back(Incoming::Ask(ask));
                continue;
            }
            let Ok(event) = self.events.try_recv() else {
                return;
            };
            self.take(event);
        }
    }

    fn take(&mut self, event: NetEvent) {
        match &event {
            NetEvent::Connected { peer } => {
                self.peers.insert(*peer);
            }
            NetEvent::Disconnected { peer } => {
                self.peers.remove(peer);
            }
            NetEvent::ListenAddr(_) => {
                let listening = addresses(&self.net);
                self.inbox.push_back(Incoming::Listening(listening));
                return;
            }
            _ => {}
        }
        self.inbox.push_back(Incoming::Net(event));
    }

    /// Lets go of what a turn has made durable.
    async fn carry_out(&mut self, turn: Turn) -> Result<(), NodeError> {
        if let Some(newest) = turn.newest_event {
            self.newest.send_replace(newest);
        }
        if let Some(grants) = turn.grants {
            self.grants.send_replace(Arc::new(grants));
        }
        if let Some(hooks) = turn.hooks {
            self.hooks.send_if_modified(|known| {
                let changed = **known != hooks;
                *known = Arc::new(hooks);
                changed
            });
        }
        for kept in turn.kept {
            kept.send(()).ok();
        }
        for (answer, result) in turn.app_answers {
            drop(answer.send(result));
        }
        for (answer, result) in turn.answers {
            // Whoever asked may have gone; what was asked for took place all the same.
            drop(answer.send(result));
        }
        for command in turn.commands {
            self.net.command(command).await.map_err(stopped)?;
        }
        let wait = turn
            .timer_ms
            .map_or(LONGEST_WAIT, |at| Duration::from_millis(at.saturating_sub(now_ms())));
        self.wake = Instant::now() + wait.min(LONGEST_WAIT);
        Ok(())
    }

    /// Disconnects everyone and waits until the store takes writes again.
    async fn recover(&mut self, mut engine: Engine, error: TurnError) -> Result<Engine, NodeError> {
        tracing::error!(%error, "nothing is sent or taken until the store takes writes again");
        self.set_read_only(Some(error.to_string()));
        self.inbox.clear();
        for peer in std::mem::take(&mut self.peers) {
            self.net
                .command(NetCommand::Disconnect { peer })
                .await
                .map_err(stopped)?;
        }
        let (mut delay, longest) = RETRY;
        loop {
            sleep(delay).await;
            // Callers learn at once that nothing is taken: their questions are dropped unanswered.
            while self.asks.try_recv().is_ok() {}
            delay = (delay * 2).min(longest);
            let outcome;
            (engine, outcome) = blocking(move || {
                let outcome = engine.reload();
                (engine, outcome)
            })
            .await?;
            match outcome {
                Ok(()) => break,
                Err(error) => tracing::warn!(%error, "the store still takes no writes"),
            }
        }
        tracing::info!("the store takes writes again");
        self.set_read_only(None);
        self.inbox.clear();
        let listening = addresses(&self.net);
        self.inbox.extend([Incoming::Listening(listening), Incoming::Tick]);
        Ok(engine)
    }

    fn set_read_only(&self, reason: Option<String>) {
        *self.read_only.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    async fn close(mut self) -> Result<(), NodeError> {
        if self.net.command(NetCommand::Shutdown).await.is_ok() {
            let ended = async { while self.events.recv().await.is_some() {} };
            if timeout(STOP_DEADLINE, ended).await.is_err() {
                tracing::warn!("the network takes long to stop");
            }
        }
        Ok(())
    }
}

/// Where the node listens, without its own key.
fn addresses(net: &NetHandle) -> Vec<String> {
    net.listen_addrs().iter().map(|address| bare(address)).collect()
}

/// An address without its `/p2p/…`.
pub(crate) fn bare(address: &str) -> String {
    address
        .rsplit_once("/p2p/")
        .map_or(address, |(bare, _)| bare)
        .to_owned()
}

fn stopped(error: net::NetError) -> NodeError {
    NodeError::Network {
        reason: error.to_string(),
    }
}
