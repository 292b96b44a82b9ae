//! What runs on the blocking thread: the relay's state machine on its store, one turn at a time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use madang_protocol::Step;
use madang_protocol::custody::relay::{Relay, RelayConfig as Rules, RelayEffect, RelayInput};
use madang_protocol::keys::{TransportKey, TransportSecret};
use madang_protocol::rows::{Batch, Rows, RowsError, Tree};
use zeroize::Zeroizing;

use super::inbox::{Arrived, Incoming, Operation, input};
use super::metrics::Metrics;
use super::reports::Reports;
use crate::clock::now_ms;
use crate::config::{NodeError, RelayConfig};
use crate::disk;
use crate::failpoint;
use crate::net::{Bytes, NetCommand, PeerKey, Side};
use crate::store::{Store, StoreError, StoreKind, Unlock};

/// The row with the seed of the relay's transport key.
const TRANSPORT_KEY: &[u8] = b"relay.transport_key";
/// The row that is written to learn whether the disk takes writes again.
const PROBE: &[u8] = b"relay.probe";
/// Bytes of writes and frames after which a step is committed although inputs wait: half of what the store takes at once, so that
/// the input that passes it still fits.
const STEP_BYTES: usize = crate::store::MAX_BATCH / 2;
/// Steps of one turn, each after the first only of pushes that the one before brought about; bounds the frames held at once.
const STEPS: usize = 4;
/// Delays before the store is tried again after a failed commit, doubled from the first to the second (guess).
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Free bytes below which the relay takes nothing more: what the store needs to tidy up is left to it (guess: a few segments).
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of a frame from which it is shared with its watchers instead of copied for each.
const SHARED_BYTES: usize = 512;

/// What a turn has made durable.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub commands: Vec<NetCommand>,
    /// There is more to do without waiting for anything.
    pub again: bool,
    /// Why deposits are refused at present.
    pub read_only: Option<String>,
    pub took: Duration,
}

/// Why a relay couldn't be opened.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Rows(#[from] RowsError),
    #[error("the transport key is damaged; restore it from a copy, or start with an empty directory")]
    Key,
    #[error("the operating system gave no randomness: {0}")]
    Entropy(getrandom::Error),
}

/// Why the relay takes no deposits, and when the disk is tried again.
#[derive(Debug)]
struct Halt {
    reason: String,
    next: Instant,
    delay: Duration,
}

/// The state machine and its store.
pub(super) struct Keeper {
    store: Store,
    relay: Relay,
    key: TransportSecret,
    metrics: Arc<Metrics>,
    /// The streams that the state machine knows of, at most the network's connections.
    streams: BTreeMap<PeerKey, u64>,
    /// Our own streams to other relays.
    others: BTreeMap<PeerKey, u64>,
    halt: Option<Halt>,
    reports: Reports,
    #[cfg(feature = "failpoints")]
    lies: super::lies::Lies,
}

impl Keeper {
    /// Opens the data directory, or creates it with a new transport key.
    pub(super) fn open(config: &RelayConfig, others: &[PeerKey], metrics: Arc<Metrics>) -> Result<Self, NodeError> {
        let fault = |error: OpenError| NodeError::Store {
            data: config.data.clone(),
            reason: error.to_string(),
        };
        let keeper = Self::try_open(config, others, metrics).map_err(fault)?;
        keeper.metrics.quotas(keeper.relay.config());
        keeper.metrics.update(&keeper.relay.stats());
        Ok(keeper)
    }

    fn try_open(config: &RelayConfig, others: &[PeerKey], metrics: Arc<Metrics>) -> Result<Self, OpenError> {
        let unlock = match &config.passphrase {
            Some(passphrase) => Unlock::Passphrase(passphrase.clone()),
            None => Unlock::KeyFile,
        };
        let store = Store::open(&config.data, unlock, StoreKind::Relay)?;
        let key = transport_key(&store)?;
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(OpenError::Entropy)?;
        let rules = rules(config);
        let mut relay = Relay::load(rules, key.clone(), *seed, &store, now_ms())?;
        relay.set_others(others.iter().map(|peer| TransportKey(peer.0)), &store)?;
        Ok(Self {
            store,
            relay,
            key,
            metrics,
            streams: BTreeMap::new(),
            others: BTreeMap::new(),
            halt: None,
            reports: Reports::open(&config.data),
            #[cfg(feature = "failpoints")]
            lies: super::lies::Lies::asked_for(),
        })
    }

    /// The seed of the transport key, for the network.
    pub(super) fn transport_seed(&self) -> Zeroizing<[u8; 32]> {
        self.key.to_bytes()
    }

    /// Takes inputs from the front of `inbox` until it is empty or the step is large, commits, and goes on with what the commit
    /// brought about. When the disk refuses, the relay becomes read-only and says so to who waits.
    pub(super) fn turn(&mut self, inbox: &mut VecDeque<Arrived>) -> Turn {
        let began = Instant::now();
        let mut taken = Vec::new();
        while self.relay.pending_bytes() < STEP_BYTES {
            let Some(arrived) = inbox.pop_front() else {
                break;
            };
            if let Some(operation) = arrived.operation() {
                taken.push((operation, arrived.at));
            }
            self.take(arrived.what);
        }
        let mut turn = Turn::default();
        for _ in 0..STEPS {
            self.report_damage();
            let step = self.relay.drain();
            if step.batch.is_empty() && step.effects.is_empty() {
                break;
            }
            self.metrics.uncommitted(step.batch.ops.len());
            let Some(effects) = self.commit(step) else {
                continue;
            };
            turn.commands
                .extend(effects.into_iter().filter_map(|effect| self.command(effect)));
            let pushes = Instant::now();
            let pages = self.relay.stats().pages;
            self.handle(RelayInput::Committed);
            let pages = self.relay.stats().pages - pages;
            self.metrics.took_each(Operation::Push, pages, pushes.elapsed());
        }
        for (operation, at) in taken {
            self.metrics.took(operation, at.elapsed());
        }
        turn.again = self.relay.pending_bytes() > 0 || self.relay.has_more();
        turn.read_only = self.halt.as_ref().map(|halt| halt.reason.clone());
        turn.took = began.elapsed();
        self.metrics.update(&self.relay.stats());
        self.metrics.set_read_only(turn.read_only.clone());
        turn
    }

    fn take(&mut self, incoming: Incoming) {
        match &incoming {
            Incoming::Opened(peer, stream) => {
                self.streams.insert(*peer, *stream);
            }
            Incoming::Closed(peer) => {
                self.streams.remove(peer);
            }
            Incoming::OtherOpened(peer, stream) => {
                self.others.insert(*peer, *stream);
            }
            Incoming::OtherClosed(peer) => {
                self.others.remove(peer);
            }
            Incoming::Door(door) => self.relay.set_door(door.clone()),
            Incoming::Tick => {
                self.look_at_disk();
                self.reports.tick();
                self.metrics.reports(self.reports.len());
                self.metrics.guests(self.relay.guests());
                if let Ok(next) = self.relay.next_expiry_s(&self.store) {
                    self.metrics.next_expiry(next);
                }
            }
            _ => {}
        }
        let is_tick = matches!(incoming, Incoming::Tick);
        let Some(input) = input(incoming) else {
            return;
        };
        if !is_tick {
            return self.handle(input);
        }
        let (began, expired) = (Instant::now(), self.relay.stats().expired);
        self.handle(input);
        if self.relay.stats().expired > expired {
            self.metrics.took(Operation::Expiry, began.elapsed());
        }
    }

    /// Rows that can't be read at all are a disk that has failed, like one that takes no writes.
    fn handle(&mut self, input: RelayInput) {
        if let Err(error) = self.relay.handle(now_ms(), input, &self.store) {
            self.halted(error.to_string(), Step::default());
        }
    }

    /// Commits a step and gives what may leave now; `None` if the disk refused.
    fn commit(&mut self, step: Step<RelayEffect>) -> Option<Vec<RelayEffect>> {
        if step.batch.is_empty() {
            return Some(step.effects);
        }
        let began = Instant::now();
        let committed = self.store.commit(&step.batch);
        self.metrics.flushed(began.elapsed(), committed.is_ok());
        match committed {
            Ok(()) => {
                failpoint::hit("relay.after_flush");
                Some(step.effects)
            }
            Err(error) => {
                self.halted(error.to_string(), step);
                None
            }
        }
    }

    fn halted(&mut self, reason: String, step: Step<RelayEffect>) {
        tracing::error!(reason, "no deposit is accepted until the disk takes writes again");
        let (delay, _) = RETRY;
        self.halt = Some(Halt {
            reason,
            next: Instant::now() + delay,
            delay,
        });
        self.relay.failed(step, &self.store);
    }

    /// Stops taking deposits before the disk is full to the brim, and begins again when it takes writes.
    fn look_at_disk(&mut self) {
        let free = disk::free_bytes(self.store.dir());
        self.metrics.disk(disk::used_bytes(self.store.dir()), free);
        let is_low = free.is_some_and(|free| free < RESERVE_BYTES);
        let Some(halt) = &mut self.halt else {
            if is_low {
                let reason = format!("less than {} MiB are free on the disk", RESERVE_BYTES >> 20);
                tracing::error!(reason, "no deposit is accepted until there is room again");
                self.relay.set_read_only(true);
                self.halt = Some(Halt {
                    reason,
                    next: Instant::now(),
                    delay: RETRY.0,
                });
            }
            return;
        };
        if is_low || Instant::now() < halt.next {
            return;
        }
        let mut probe = Batch::default();
        probe.put(Tree::Meta, PROBE, Vec::new());
        match self.store.commit(&probe) {
            Ok(()) => {
                tracing::info!("the disk takes writes again");
                self.halt = None;
                self.relay.set_read_only(false);
            }
            Err(error) => {
                tracing::warn!(%error, "the disk still takes no writes");
                halt.delay = (halt.delay * 2).min(RETRY.1);
                halt.next = Instant::now() + halt.delay;
                halt.reason = error.to_string();
            }
        }
    }

    fn report_damage(&mut self) {
        for (tree, key) in self.relay.take_damaged() {
            tracing::error!(?tree, key = hex::encode(key), "a damaged row is left out and removed");
        }
    }

    fn command(&mut self, effect: RelayEffect) -> Option<NetCommand> {
        match effect {
            RelayEffect::Send { peer, frame } => {
                #[cfg(feature = "failpoints")]
                let frame = self.lies.tell(frame);
                let peer = PeerKey(peer.0);
                let frame = if frame.len() < SHARED_BYTES {
                    Bytes::copy_from_slice(&frame)
                } else {
                    Bytes::from_owner(frame)
                };
                Some(NetCommand::Send {
                    peer,
                    side: Side::Server,
                    stream: *self.streams.get(&peer)?,
                    frame,
                })
            }
            RelayEffect::Ask { peer, frame } => {
                let peer = PeerKey(peer.0);
                Some(NetCommand::Send {
                    peer,
                    side: Side::Client,
                    stream: *self.others.get(&peer)?,
                    frame: Bytes::copy_from_slice(&frame),
                })
            }
            RelayEffect::Report { peer, request, report } => {
                let refused = self.reports.take(*report).err();
                self.handle(RelayInput::ReportKept { peer, request, refused });
                None
            }
            RelayEffect::Penalise { peer, reason } => {
                let peer = PeerKey(peer.0);
                tracing::debug!(%peer, reason, "offence");
                Some(NetCommand::Penalise { peer })
            }
        }
    }
}

/// The state machine's rules: its defaults, and what the operator set.
fn rules(config: &RelayConfig) -> Rules {
    let defaults = Rules::default();
    let quotas = &config.quotas;
    let total_bytes = quotas.total_bytes.unwrap_or(defaults.total_bytes);
    Rules {
        total_bytes,
        listings: if config.directory { defaults.listings } else { 0 },
        topic_bytes: quotas.topic_bytes.unwrap_or(defaults.topic_bytes),
        topic_blob_bytes: quotas.topic_blob_bytes.unwrap_or(defaults.topic_blob_bytes),
        depositor_bytes_per_day: quotas
            .depositor_bytes_per_day
            .unwrap_or(defaults.depositor_bytes_per_day),
        ..defaults
    }
}

fn transport_key(store: &Store) -> Result<TransportSecret, OpenError> {
    if let Some(stored) = store.get(Tree::Meta, TRANSPORT_KEY)?.map(Zeroizing::new) {
        let seed = <[u8; 32]>::try_from(stored.as_slice()).map_err(|_| OpenError::Key)?;
        return Ok(TransportSecret::from_bytes(seed));
    }
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(OpenError::Entropy)?;
    let mut batch = Batch::default();
    batch.put(Tree::Meta, TRANSPORT_KEY, seed.as_slice());
    store.commit(&batch)?;
    Ok(TransportSecret::from_bytes(*seed))
}
