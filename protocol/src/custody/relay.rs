//! The relay: keeps envelopes, answers deposits with receipts, pushes topics to those who watch them.
//!
//! Several inputs may share one step, and more may be handled while an earlier step is being flushed: heads of topics and ids that
//! aren't durable yet are kept here in memory, while readers are served from what is durable alone. Every queue is bounded by
//! [`RelayConfig`], by the push window or by what the shell leaves uncommitted.

mod config;
mod deposit;
mod expiry;
mod push;
mod stored;
#[cfg(test)]
mod tests;
mod topics;

pub use config::{ENVELOPE_OVERHEAD_BYTES, RelayConfig, RelayStats};

use super::frames::{ClientFrame, Cursor, CustodianFrame, Refusal, Watch};
use crate::Step;
use crate::keys::{EnvelopeId, TopicId, TransportKey, TransportSecret, derive};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::{Reader, Wire};
use config::RETRY_S;
use push::{Peer, Watching};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use stored::{Head, LogRow, Place, Totals};
use topics::{Depositors, Topic, Topics};

/// What happens to a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayInput {
    /// A peer opened a custody stream; what an earlier stream of it had is forgotten.
    Connected {
        /// Who.
        peer: TransportKey,
    },
    /// A peer's stream is gone.
    Disconnected {
        /// Who.
        peer: TransportKey,
    },
    /// A peer sent a frame.
    Frame {
        /// Who.
        peer: TransportKey,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// The oldest drained step that wasn't durable is now. Steps without writes and effects aren't counted; all others are.
    Committed,
    /// Time has passed.
    Tick,
}

/// What a relay asks for once a step is flushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayEffect {
    /// Send a frame.
    Send {
        /// To whom.
        peer: TransportKey,
        /// The frame.
        frame: Vec<u8>,
    },
    /// A peer broke the protocol.
    Penalise {
        /// Who.
        peer: TransportKey,
        /// How.
        reason: &'static str,
    },
}

/// A step that isn't durable yet.
#[derive(Debug, Default)]
struct InFlight {
    heads: Vec<(TopicId, Head)>,
    ids: Vec<(TopicId, EnvelopeId)>,
    expiry: bool,
}

/// The state machine of a relay.
pub struct Relay {
    config: RelayConfig,
    key: TransportSecret,
    epoch: u64,
    topics: Topics,
    depositors: Depositors,
    totals: Totals,
    /// Where envelopes are whose `RelayIds` row isn't durable yet.
    recent: BTreeMap<(TopicId, EnvelopeId), Place>,
    peers: BTreeMap<TransportKey, Peer>,
    watches: usize,
    /// Peers that have something ready and room in their window, each once, in turn.
    runnable: VecDeque<TransportKey>,
    current: Step<RelayEffect>,
    /// Bytes of the current step's writes, about, and frames.
    current_bytes: usize,
    current_ids: Vec<(TopicId, EnvelopeId)>,
    touched: BTreeSet<TopicId>,
    totals_changed: bool,
    /// An expiry chunk isn't durable yet, so the index still shows what it took.
    expiring: bool,
    expiry_in_current: bool,
    expiry_more: bool,
    in_flight: VecDeque<InFlight>,
    stats: RelayStats,
}

impl Relay {
    /// Opens a relay's rows; a new store gets a storage epoch made from `seed`, 32 bytes of entropy.
    ///
    /// # Errors
    /// When rows can't be read or are damaged.
    pub fn load(
        config: RelayConfig,
        key: TransportSecret,
        seed: [u8; 32],
        rows: &dyn Rows,
        _now_ms: u64,
    ) -> Result<Self, RowsError> {
        let mut current = Step::default();
        let epoch = match rows.get(Tree::Meta, stored::EPOCH_KEY)? {
            Some(value) => Reader::new(&value).u64("epoch").map_err(|error| RowsError {
                reason: format!("the storage epoch is damaged: {error}"),
            })?,
            None => {
                let bytes = derive("madang 1 custody storage epoch", &[&seed]);
                let epoch = bytes
                    .iter()
                    .take(8)
                    .fold(0, |epoch, byte| epoch << 8 | u64::from(*byte));
                current.batch.put(Tree::Meta, stored::EPOCH_KEY, epoch.to_be_bytes());
                epoch
            }
        };
        let totals = stored::get(rows, Tree::Meta, stored::TOTALS_KEY)?.unwrap_or_default();
        Ok(Self {
            config,
            key,
            epoch,
            topics: Topics::default(),
            depositors: Depositors::default(),
            totals,
            recent: BTreeMap::new(),
            peers: BTreeMap::new(),
            watches: 0,
            runnable: VecDeque::new(),
            current,
            current_bytes: 0,
            current_ids: Vec::new(),
            touched: BTreeSet::new(),
            totals_changed: false,
            expiring: false,
            expiry_in_current: false,
            expiry_more: true,
            in_flight: VecDeque::new(),
            stats: RelayStats::default(),
        })
    }

    /// Takes one input. `rows` shows committed rows.
    ///
    /// # Errors
    /// When rows can't be read or are damaged; the state stays consistent, and what was asked is answered partly or not at all.
    pub fn handle(&mut self, now_ms: u64, input: RelayInput, rows: &dyn Rows) -> Result<(), RowsError> {
        let now_s = now_ms / 1000;
        match input {
            RelayInput::Connected { peer } => self.connected(peer),
            RelayInput::Disconnected { peer } => self.disconnected(&peer),
            RelayInput::Frame { peer, bytes } => self.frame(now_s, peer, &bytes, rows)?,
            RelayInput::Committed => self.committed(),
            RelayInput::Tick => self.expire(now_s, rows)?,
        }
        self.pump(rows)
    }

    /// Takes out the writes and effects of all inputs since the last call, as one step. Unless both are empty, the shell commits
    /// it after the earlier ones, carries out its effects and then says `Committed`, also when there is nothing to write.
    pub fn drain(&mut self) -> Step<RelayEffect> {
        let mut step = std::mem::take(&mut self.current);
        self.current_bytes = 0;
        let mut flight = InFlight {
            ids: std::mem::take(&mut self.current_ids),
            expiry: std::mem::take(&mut self.expiry_in_current),
            ..InFlight::default()
        };
        for id in std::mem::take(&mut self.touched) {
            let Some(topic) = self.topics.get(&id) else {
                continue;
            };
            if topic.kept {
                step.batch
                    .put(Tree::RelayTopics, id.as_bytes().as_slice(), topic.row.encode());
            } else {
                step.batch.delete(Tree::RelayTopics, id.as_bytes().as_slice());
            }
            flight.heads.push((id, topic.row.head));
        }
        if std::mem::take(&mut self.totals_changed) {
            step.batch.put(Tree::Meta, stored::TOTALS_KEY, self.totals.encode());
        }
        if !step.batch.is_empty() || !step.effects.is_empty() {
            self.in_flight.push_back(flight);
        }
        step
    }

    /// Whether pushing or expiry stopped at its bound: the shell hands in a `Tick` at once instead of waiting.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.runnable.is_empty() || (self.expiry_more && !self.expiring)
    }

    /// Bytes of the writes, about, and frames that [`Self::drain`] would give now: a shell drains before its store's bound is
    /// reached. One input adds at most a few megabytes.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.current_bytes
    }

    /// The relay's public key, which signs its receipts.
    #[must_use]
    pub fn key(&self) -> TransportKey {
        self.key.public()
    }

    /// Figures for metrics.
    #[must_use]
    pub fn stats(&self) -> RelayStats {
        RelayStats {
            envelopes: self.totals.envelopes,
            bytes: self.totals.bytes,
            topics: self.totals.topics,
            peers: self.peers.len() as u64,
            watches: self.watches as u64,
            ..self.stats.clone()
        }
    }

    fn connected(&mut self, peer: TransportKey) {
        self.disconnected(&peer);
        if self.peers.len() < self.config.peers {
            self.peers.insert(peer, Peer::default());
        }
    }

    fn disconnected(&mut self, peer: &TransportKey) {
        // What was meant for a stream that is gone must not reach its successor.
        self.current
            .effects
            .retain(|effect| !matches!(effect, RelayEffect::Send { peer: to, .. } if to == peer));
        let Some(gone) = self.peers.remove(peer) else {
            return;
        };
        self.runnable.retain(|other| other != peer);
        self.watches = self.watches.saturating_sub(gone.watches.len());
        for topic in gone.watches.keys() {
            if let Some(topic) = self.topics.get_mut(topic) {
                topic.watchers.remove(peer);
            }
        }
    }

    fn frame(&mut self, now_s: u64, peer: TransportKey, bytes: &[u8], rows: &dyn Rows) -> Result<(), RowsError> {
        if bytes.len() > limits::FRAME_BYTES {
            self.penalise(peer, "the frame is longer than allowed");
            return Ok(());
        }
        let Ok(frame) = ClientFrame::decode(bytes) else {
            self.penalise(peer, "the frame can't be read");
            return Ok(());
        };
        match frame {
            ClientFrame::Deposit(deposit) => self.deposit(now_s, peer, deposit, rows),
            ClientFrame::Watch(watch) => self.watch(peer, watch, rows),
            ClientFrame::Unwatch(topics) => {
                self.unwatch(peer, &topics);
                Ok(())
            }
            ClientFrame::Ack { bytes } => {
                self.ack(peer, bytes);
                Ok(())
            }
            ClientFrame::Unknown { .. } => Ok(()),
        }
    }

    fn watch(&mut self, peer: TransportKey, watch: Watch, rows: &dyn Rows) -> Result<(), RowsError> {
        let fresh = |state: &Peer| {
            let asked: BTreeSet<_> = watch.topics.iter().map(|(topic, _)| *topic).collect();
            asked.iter().filter(|topic| !state.watches.contains_key(topic)).count()
        };
        let has_room = self.peers.get(&peer).is_some_and(|state| {
            let fresh = fresh(state);
            state.watches.len() + fresh <= self.config.watches_per_peer && self.watches + fresh <= self.config.watches
        });
        if !has_room {
            self.count_refusal(Refusal::Busy);
            let refused = CustodianFrame::WatchRefused {
                request: watch.request,
                why: Refusal::Busy,
                retry_after_s: RETRY_S,
            };
            self.send(peer, &refused);
            return Ok(());
        }
        for (id, cursor) in watch.topics {
            let topic = self.topics.load(id, rows, &self.config)?;
            let (at, void) = start_of(&id, topic, cursor, self.epoch, rows)?;
            topic.watchers.insert(peer);
            let Some(state) = self.peers.get_mut(&peer) else {
                return Ok(());
            };
            let queued = state.watches.get(&id).is_some_and(|old| old.queued);
            let watching = Watching {
                at,
                void,
                told: false,
                queued,
            };
            if state.watches.insert(id, watching).is_none() {
                self.watches += 1;
            }
            self.wake(peer, id);
        }
        Ok(())
    }

    fn unwatch(&mut self, peer: TransportKey, topics: &[TopicId]) {
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let topics: BTreeSet<_> = topics.iter().copied().collect();
        state.ready.retain(|topic| !topics.contains(topic));
        for id in topics {
            if state.watches.remove(&id).is_none() {
                continue;
            }
            self.watches = self.watches.saturating_sub(1);
            if let Some(topic) = self.topics.get_mut(&id) {
                topic.watchers.remove(&peer);
            }
        }
    }

    fn committed(&mut self) {
        let Some(flight) = self.in_flight.pop_front() else {
            return;
        };
        if flight.expiry {
            self.expiring = false;
        }
        for id in flight.ids {
            self.recent.remove(&id);
        }
        for (id, head) in flight.heads {
            let Some(topic) = self.topics.get_mut(&id) else {
                continue;
            };
            topic.in_flight = topic.in_flight.saturating_sub(1);
            if head.position <= topic.flushed.position {
                continue;
            }
            topic.flushed = head;
            for peer in topic.watchers.iter().copied().collect::<Vec<_>>() {
                self.wake(peer, id);
            }
        }
    }

    /// Marks a topic as changed by the current step: its row is written once, when the step is drained.
    fn touch(&mut self, id: TopicId) {
        if !self.touched.insert(id) {
            return;
        }
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.in_flight += 1;
        }
    }

    fn send(&mut self, peer: TransportKey, frame: &CustodianFrame) {
        let frame = frame.encode();
        self.current_bytes += frame.len();
        self.current.effects.push(RelayEffect::Send { peer, frame });
    }

    fn penalise(&mut self, peer: TransportKey, reason: &'static str) {
        self.current.effects.push(RelayEffect::Penalise { peer, reason });
    }

    fn count_refusal(&mut self, why: Refusal) {
        *self.stats.refused.entry(why.name()).or_default() += 1;
    }
}

/// Where a reader begins, and whether its cursor is void.
///
/// A cursor from before the base can't be compared any more; all that it may have missed is gone or still to come.
fn start_of(
    id: &TopicId,
    topic: &Topic,
    cursor: Option<Cursor>,
    epoch: u64,
    rows: &dyn Rows,
) -> Result<(Head, bool), RowsError> {
    let oldest = topic.row.base;
    let Some(cursor) = cursor else {
        return Ok((oldest, false));
    };
    let claimed = Head {
        position: cursor.position,
        hash: cursor.hash,
    };
    if cursor.epoch != epoch || claimed.position > topic.flushed.position {
        return Ok((oldest, true));
    }
    if claimed.position < oldest.position {
        return Ok((oldest, false));
    }
    let is_ours = if claimed.position == topic.flushed.position {
        claimed == topic.flushed
    } else if claimed.position == oldest.position {
        claimed == oldest
    } else {
        match rows.get(Tree::RelayLog, &stored::log_key(id, claimed.position))? {
            Some(value) => LogRow::decode(&value)?.hash == claimed.hash,
            None => false,
        }
    };
    Ok(if is_ours { (claimed, false) } else { (oldest, true) })
}
