//! What runs on the blocking thread: the relay's state machine on its store, one turn at a time.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use madang_protocol::Step;
use madang_protocol::custody::relay::{Relay, RelayConfig as Rules, RelayEffect, RelayInput};
use madang_protocol::keys::{TransportKey, TransportSecret};
use madang_protocol::rows::{Batch, Rows, RowsError, Tree};
use zeroize::Zeroizing;

use super::metrics::Metrics;
use crate::config::{NodeError, RelayConfig};
use crate::failpoint;
use crate::net::{NetCommand, Payload, PeerKey, Side};
use crate::store::{Store, StoreError, StoreKind, Unlock};

/// The row with the seed of the relay's transport key.
const TRANSPORT_KEY: &[u8] = b"relay.transport_key";
/// Bytes of writes and frames after which a step is committed although inputs wait: half of what the store takes at once, so that
/// the input that passes it still fits.
const STEP_BYTES: usize = crate::store::MAX_BATCH / 2;
/// Steps of one turn, each after the first only of pushes that the one before brought about; bounds the frames held at once.
const STEPS: usize = 4;

/// What happened outside.
#[derive(Debug)]
pub(super) enum Incoming {
    /// With the stream's number.
    Opened(PeerKey, u64),
    Closed(PeerKey),
    Frame(PeerKey, Payload),
    Tick,
}

impl From<Incoming> for RelayInput {
    fn from(incoming: Incoming) -> Self {
        match incoming {
            Incoming::Opened(peer, _) => Self::Connected {
                peer: TransportKey(peer.0),
            },
            Incoming::Closed(peer) => Self::Disconnected {
                peer: TransportKey(peer.0),
            },
            Incoming::Frame(peer, bytes) => Self::Frame {
                peer: TransportKey(peer.0),
                bytes: bytes.to_vec(),
            },
            Incoming::Tick => Self::Tick,
        }
    }
}

/// What a turn has made durable.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub commands: Vec<NetCommand>,
    /// There is more to do without waiting for anything.
    pub again: bool,
}

/// Why a turn failed; nothing of its unflushed part has left.
#[derive(Debug, thiserror::Error)]
pub(super) enum TurnError {
    #[error(transparent)]
    Commit(#[from] StoreError),
    #[error("{source}")]
    Rows { source: RowsError, closed: bool },
    #[error("the operating system gave no randomness: {0}")]
    Entropy(getrandom::Error),
}

impl TurnError {
    /// Whether waiting may help: a full disk, but not a damaged row.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Commit(_) | Self::Entropy(_) => true,
            Self::Rows { closed, .. } => *closed,
        }
    }
}

/// The state machine and its store.
pub(super) struct Keeper {
    store: Store,
    relay: Relay,
    key: TransportSecret,
    metrics: Arc<Metrics>,
    /// The streams that the state machine knows of, at most the network's connections.
    streams: BTreeMap<PeerKey, u64>,
}

impl Keeper {
    /// Opens the data directory, or creates it with a new transport key.
    pub(super) fn open(config: &RelayConfig, metrics: Arc<Metrics>) -> Result<Self, NodeError> {
        let unlock = match &config.passphrase {
            Some(passphrase) => Unlock::Passphrase(passphrase.clone()),
            None => Unlock::KeyFile,
        };
        let fault = |reason: String| NodeError::Store {
            data: config.data.clone(),
            reason,
        };
        let store = Store::open(&config.data, unlock, StoreKind::Relay).map_err(|error| fault(error.to_string()))?;
        let key = transport_key(&store).map_err(|error| fault(error.to_string()))?;
        let relay = load(&store, &key).map_err(|error| fault(error.to_string()))?;
        let keeper = Self {
            store,
            relay,
            key,
            metrics,
            streams: BTreeMap::new(),
        };
        keeper.metrics.update(&keeper.relay.stats());
        Ok(keeper)
    }

    /// The seed of the transport key, for the network.
    pub(super) fn transport_seed(&self) -> Zeroizing<[u8; 32]> {
        self.key.to_bytes()
    }

    /// Takes inputs from the front of `inbox` until it is empty or the step is large, commits, and goes on with what the commit
    /// brought about.
    pub(super) fn turn(&mut self, inbox: &mut VecDeque<Incoming>) -> Result<Turn, TurnError> {
        while self.relay.pending_bytes() < STEP_BYTES {
            let Some(incoming) = inbox.pop_front() else {
                break;
            };
            match &incoming {
                Incoming::Opened(peer, stream) => {
                    self.streams.insert(*peer, *stream);
                }
                Incoming::Closed(peer) => {
                    self.streams.remove(peer);
                }
                _ => {}
            }
            self.handle(incoming.into())?;
        }
        let mut turn = Turn::default();
        for _ in 0..STEPS {
            let Step { batch, effects } = self.relay.drain();
            if batch.is_empty() && effects.is_empty() {
                break;
            }
            self.commit(&batch)?;
            turn.commands
                .extend(effects.into_iter().filter_map(|effect| self.command(effect)));
            self.handle(RelayInput::Committed)?;
        }
        turn.again = self.relay.pending_bytes() > 0 || self.relay.has_more();
        self.metrics.update(&self.relay.stats());
        Ok(turn)
    }

    /// Begins again from what is on disk, once the store takes writes.
    pub(super) fn reload(&mut self) -> Result<(), TurnError> {
        self.streams.clear();
        let mut probe = Batch::default();
        probe.put(Tree::Meta, TRANSPORT_KEY, self.key.to_bytes().to_vec());
        self.store.commit(&probe)?;
        self.relay = load(&self.store, &self.key)?;
        self.metrics.update(&self.relay.stats());
        Ok(())
    }

    /// The error that ends the relay.
    pub(super) fn failed(&self, error: &TurnError) -> NodeError {
        let data: PathBuf = self.store.dir().to_owned();
        NodeError::Store {
            data,
            reason: format!("{error}; restore it from a copy, or start with an empty one"),
        }
    }

    fn handle(&mut self, input: RelayInput) -> Result<(), TurnError> {
        let store = &self.store;
        self.relay
            .handle(now_ms(), input, store)
            .map_err(|source| rows_error(store, source))
    }

    fn command(&self, effect: RelayEffect) -> Option<NetCommand> {
        match effect {
            RelayEffect::Send { peer, frame } => {
                let peer = PeerKey(peer.0);
                Some(NetCommand::Send {
                    peer,
                    side: Side::Server,
                    stream: *self.streams.get(&peer)?,
                    frame: frame.into(),
                })
            }
            RelayEffect::Penalise { peer, reason } => {
                let peer = PeerKey(peer.0);
                tracing::debug!(%peer, reason, "offence");
                Some(NetCommand::Penalise { peer })
            }
        }
    }

    fn commit(&self, batch: &Batch) -> Result<(), TurnError> {
        if batch.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        self.store.commit(batch)?;
        self.metrics.flushed(began.elapsed());
        failpoint::hit("relay.after_flush");
        Ok(())
    }
}

fn rows_error(store: &Store, source: RowsError) -> TurnError {
    TurnError::Rows {
        source,
        closed: store.read_only().is_some(),
    }
}

fn load(store: &Store, key: &TransportSecret) -> Result<Relay, TurnError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(TurnError::Entropy)?;
    Relay::load(Rules::default(), key.clone(), *seed, store, now_ms()).map_err(|source| rows_error(store, source))
}

fn transport_key(store: &Store) -> Result<TransportSecret, TurnError> {
    let stored = store
        .get(Tree::Meta, TRANSPORT_KEY)
        .map_err(|source| rows_error(store, source))?;
    if let Some(stored) = stored.map(Zeroizing::new) {
        let seed = <[u8; 32]>::try_from(stored.as_slice()).map_err(|_| TurnError::Rows {
            source: RowsError {
                reason: "the transport key is damaged".into(),
            },
            closed: false,
        })?;
        return Ok(TransportSecret::from_bytes(seed));
    }
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(TurnError::Entropy)?;
    let mut batch = Batch::default();
    batch.put(Tree::Meta, TRANSPORT_KEY, seed.as_slice());
    store.commit(&batch)?;
    Ok(TransportSecret::from_bytes(*seed))
}

/// Unix milliseconds; a clock before 1970 counts as 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
