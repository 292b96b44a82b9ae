//! The relay: keeps envelopes, answers deposits with receipts, pushes topics to those who watch them.
//!
//! Several inputs may share one step, and more may be handled while an earlier step is being flushed: heads of topics and ids that
//! aren't durable yet are kept here in memory, while readers are served from what is durable alone. Every queue is bounded by
//! [`RelayConfig`], by the push window or by what the shell leaves uncommitted.

mod blob_expiry;
mod blob_rows;
mod blobs;
mod clock;
mod config;
mod damage;
mod deposit;
mod directory;
mod door;
mod expiry;
mod figures;
mod history;
mod meetings;
mod peers;
mod push;
mod reports;
mod stored;
#[cfg(test)]
mod tests;
mod topics;
mod windows;

pub use config::{ENVELOPE_OVERHEAD_BYTES, RelayConfig, RelayStats};
pub use deposit::Verified;
pub use door::Door;
pub use reports::CheckedReport;

use super::blobs::{BlobReceipt, BlobState};
use super::directory::Enlisted;
use super::frames::{ClientFrame, CustodianFrame, Receipt, Refusal, Refused};
use crate::Step;
use crate::keys::{BlobId, EnvelopeId, TopicId, TransportKey, TransportSecret, derive};
use crate::limits;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::{Reader, Wire};
use blobs::Changing;
use clock::Clock;
use config::{READ_ONLY_RETRY_S, SEEN_S};
use damage::Damage;
use directory::Directory;
use expiry::next_due;
use figures::Counts;
use meetings::Meetings;
use peers::Others;
use push::Peer;
use reports::Reporters;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use stored::{Head, Totals};
use topics::{Depositors, Topics};
use windows::Windows;

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
    /// A peer sent a deposit, which the shell has had verified.
    Deposit {
        /// Who.
        peer: TransportKey,
        /// What.
        deposit: Verified,
    },
    /// A peer sent a deposit and there is too much to do: it is told to try again later. Other frames are ignored.
    Shed {
        /// Who.
        peer: TransportKey,
        /// The frame.
        bytes: Vec<u8>,
        /// Seconds until a retry makes sense.
        retry_after_s: u32,
    },
    /// Our own stream to another relay is ready.
    OtherOpened {
        /// Which.
        peer: TransportKey,
    },
    /// Our own stream to another relay is gone.
    OtherClosed {
        /// Which.
        peer: TransportKey,
    },
    /// Another relay answers on our own stream.
    OtherFrame {
        /// Which.
        peer: TransportKey,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// What became of a report that [`RelayEffect::Report`] handed out.
    ReportKept {
        /// Who made it.
        peer: TransportKey,
        /// By which request.
        request: u64,
        /// Why it isn't kept, if it isn't.
        refused: Option<Refusal>,
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
        /// The frame; watchers at the same place share it.
        frame: Arc<[u8]>,
    },
    /// Send a frame on our own stream to another relay.
    Ask {
        /// To which.
        peer: TransportKey,
        /// The frame.
        frame: Arc<[u8]>,
    },
    /// Keep a report where the operator reads it, and say so by [`RelayInput::ReportKept`].
    Report {
        /// Who made it, to be answered.
        peer: TransportKey,
        /// By which request.
        request: u64,
        /// What is kept of it.
        report: Box<CheckedReport>,
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
    blobs: Vec<(TopicId, BlobId)>,
    removed: Vec<(Tree, Vec<u8>)>,
    expiry: bool,
}

/// The state machine of a relay.
pub struct Relay {
    config: RelayConfig,
    key: TransportSecret,
    door: Door,
    epoch: u64,
    clock: Clock,
    now_s: u64,
    topics: Topics,
    depositors: Depositors,
    totals: Totals,
    /// Until when envelopes are kept whose rows aren't durable yet.
    recent: BTreeMap<(TopicId, EnvelopeId), u64>,
    /// Blobs whose rows aren't durable yet.
    blobs: BTreeMap<(TopicId, BlobId), Changing>,
    windows: Windows,
    meetings: Meetings,
    directory: Directory,
    counts: Counts,
    reporters: Reporters,
    others: Others,
    peers: BTreeMap<TransportKey, Peer>,
    watches: usize,
    unacknowledged: u64,
    /// Peers that have something ready and room in their window, each once, in turn.
    runnable: VecDeque<TransportKey>,
    current: Step<RelayEffect>,
    /// Bytes of the current step's writes, about, and frames.
    current_bytes: usize,
    current_ids: Vec<(TopicId, EnvelopeId)>,
    current_blobs: Vec<(TopicId, BlobId)>,
    touched: BTreeSet<TopicId>,
    totals_changed: bool,
    /// An expiry chunk isn't durable yet, so the index still shows what it took.
    expiring: bool,
    expiry_in_current: bool,
    expiry_more: bool,
    in_flight: VecDeque<InFlight>,
    damage: Damage,
    /// The disk takes no writes: deposits are refused, watches served.
    read_only: bool,
    /// A commit has failed and what is on disk wasn't read since.
    stale: bool,
    stats: RelayStats,
}

impl Relay {
    /// Opens a relay's rows; a new store gets a storage epoch made from `seed`, 32 bytes of entropy. A damaged row costs what it said:
    /// without the epoch's, all cursors are void.
    ///
    /// # Errors
    /// When rows can't be read.
    pub fn load(
        config: RelayConfig,
        key: TransportSecret,
        seed: [u8; 32],
        rows: &dyn Rows,
        now_ms: u64,
    ) -> Result<Self, RowsError> {
        let mut current = Step::default();
        let stored = match rows.get(Tree::Meta, stored::EPOCH_KEY) {
            // A damaged epoch is replaced; a store that gives nothing isn't damaged but closed.
            Err(_) if rows.get(Tree::Meta, stored::TOTALS_KEY).is_ok() => None,
            stored => stored?,
        };
        let epoch = match stored.and_then(|value| Reader::new(&value).u64("epoch").ok()) {
            Some(epoch) => epoch,
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
        let mut damage = Damage::default();
        let totals = totals(rows, &mut damage)?;
        let depositors = Depositors::load(rows, config.depositors, &mut damage)?;
        let directory = Directory::load(rows, config.listings, &mut damage)?;
        let mut clock = Clock::new((totals.seen_s > 0).then_some(totals.seen_s));
        let now_s = clock.look(now_ms / 1000);
        Ok(Self {
            config,
            key,
            door: Door::Open,
            epoch,
            clock,
            now_s,
            topics: Topics::default(),
            depositors,
            totals,
            recent: BTreeMap::new(),
            blobs: BTreeMap::new(),
            windows: Windows::default(),
            meetings: Meetings::default(),
            directory,
            counts: Counts::default(),
            reporters: Reporters::default(),
            others: Others::default(),
            peers: BTreeMap::new(),
            watches: 0,
            unacknowledged: 0,
            runnable: VecDeque::new(),
            current,
            current_bytes: 0,
            current_ids: Vec::new(),
            current_blobs: Vec::new(),
            touched: BTreeSet::new(),
            totals_changed: false,
            expiring: false,
            expiry_in_current: false,
            expiry_more: true,
            in_flight: VecDeque::new(),
            damage,
            read_only: false,
            stale: false,
            stats: RelayStats::default(),
        })
    }

    /// Takes one input. `rows` shows committed rows.
    ///
    /// # Errors
    /// When no row can be read; the state stays consistent, and what was asked is answered partly or not at all. While the relay is
    /// read-only that is no error: deposits and watches are refused then.
    pub fn handle(&mut self, now_ms: u64, input: RelayInput, rows: &dyn Rows) -> Result<(), RowsError> {
        self.now_s = self.clock.look(now_ms / 1000);
        let now_s = self.now_s;
        if self.stale {
            self.stale = self.reset(rows).is_err();
        }
        match input {
            RelayInput::Connected { peer } => self.connected(peer),
            RelayInput::Disconnected { peer } => self.disconnected(&peer),
            RelayInput::Frame { peer, bytes } => self.frame(now_s, peer, &bytes, rows)?,
            RelayInput::Deposit { peer, deposit } => self.deposit(now_s, peer, deposit, rows)?,
            RelayInput::Shed {
                peer,
                bytes,
                retry_after_s,
            } => self.shed(peer, &bytes, retry_after_s),
            RelayInput::OtherOpened { peer } => self.other_opened(now_s, peer, rows)?,
            RelayInput::OtherClosed { peer } => self.other_closed(&peer),
            RelayInput::OtherFrame { peer, bytes } => self.other_frame(now_s, peer, &bytes, rows)?,
            RelayInput::ReportKept { peer, request, refused } => self.report_kept(peer, request, refused),
            RelayInput::Committed => self.committed(),
            RelayInput::Tick => self.tick(now_s, rows)?,
        }
        match self.pump(now_s, rows) {
            // Whoever waits is served once something can be read again.
            Err(_) if self.read_only => Ok(()),
            pumped => pumped,
        }
    }

    /// Takes out the writes and effects of all inputs since the last call, as one step. Unless both are empty, the shell commits
    /// it after the earlier ones, carries out its effects and then says `Committed`, also when there is nothing to write.
    pub fn drain(&mut self) -> Step<RelayEffect> {
        let mut step = Step {
            effects: std::mem::take(&mut self.current.effects),
            ..Step::default()
        };
        self.current_bytes = 0;
        for effect in &step.effects {
            if let RelayEffect::Send { peer, .. } = effect
                && let Some(peer) = self.peers.get_mut(peer)
            {
                peer.in_step = false;
            }
        }
        let mut flight = InFlight {
            ids: std::mem::take(&mut self.current_ids),
            blobs: std::mem::take(&mut self.current_blobs),
            expiry: std::mem::take(&mut self.expiry_in_current),
            ..InFlight::default()
        };
        if !self.read_only {
            flight.removed = self.damage.remove();
        }
        for (tree, key) in &flight.removed {
            step.batch.delete(*tree, key.clone());
        }
        step.batch.append(std::mem::take(&mut self.current.batch));
        for id in std::mem::take(&mut self.touched) {
            if let Some(topic) = self.topics.get_mut(&id) {
                topic.write(id, &mut step.batch);
                flight.heads.push((id, topic.row.head));
            }
        }
        self.depositors.write(&mut step.batch);
        if std::mem::take(&mut self.totals_changed) {
            self.totals.seen_s = self.now_s;
            step.batch.put(Tree::Meta, stored::TOTALS_KEY, self.totals.encode());
        }
        if !step.batch.is_empty() || !step.effects.is_empty() {
            self.in_flight.push_back(flight);
        }
        step
    }

    /// A drained step was not committed and never will be: the relay goes back to what is on disk and is read-only until
    /// [`Self::set_read_only`] says otherwise. Steps that were drained after it are void too. Peers stay; what the step promised is
    /// refused in the next one, and pages that it held are sent there, since they show only what was durable before.
    pub fn failed(&mut self, step: Step<RelayEffect>, rows: &dyn Rows) {
        self.read_only = true;
        self.in_flight.clear();
        self.recent.clear();
        self.blobs.clear();
        self.windows.clear();
        self.current_ids.clear();
        self.current_blobs.clear();
        self.touched.clear();
        self.totals_changed = false;
        (self.expiring, self.expiry_in_current, self.expiry_more) = (false, false, true);
        self.damage.reset();
        let current = std::mem::take(&mut self.current);
        for effect in step.effects.into_iter().chain(current.effects) {
            let RelayEffect::Send { peer, frame } = effect else {
                self.current.effects.push(effect);
                continue;
            };
            match CustodianFrame::decode(&frame) {
                Ok(CustodianFrame::Receipt(receipt)) => {
                    let receipt = self.taken_back(receipt);
                    self.send(peer, &CustodianFrame::Receipt(receipt));
                }
                Ok(
                    CustodianFrame::BlobReceipt(BlobReceipt { request, .. })
                    | CustodianFrame::BlobState(BlobState { request, .. }),
                ) => self.refuse_blob(peer, request, Refusal::ReadOnly, READ_ONLY_RETRY_S),
                Ok(CustodianFrame::Enlisted(Enlisted { request, .. })) => {
                    self.refuse_watch(peer, request, Refusal::ReadOnly, READ_ONLY_RETRY_S);
                }
                _ => self.send_bytes(peer, frame, 0),
            }
        }
        self.stale = self.reset(rows).is_err();
    }

    /// Says whether the disk takes writes. While it doesn't, deposits are refused with that reason, nothing expires, and no step has
    /// writes.
    pub fn set_read_only(&mut self, read_only: bool) {
        self.read_only = read_only;
    }

    /// Whether deposits are refused because the disk takes no writes.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Rows found damaged since the last call: they are passed over, and the next steps remove them.
    pub fn take_damaged(&mut self) -> Vec<(Tree, Vec<u8>)> {
        self.damage.take()
    }

    /// When the next envelope is to be removed, in Unix seconds; `None` if there is none.
    ///
    /// # Errors
    /// When no row can be read.
    pub fn next_expiry_s(&mut self, rows: &dyn Rows) -> Result<Option<u64>, RowsError> {
        next_due(rows, &mut self.damage)
    }

    /// The bounds it was loaded with.
    #[must_use]
    pub fn config(&self) -> &RelayConfig {
        &self.config
    }

    /// Whether pushing or expiry stopped at its bound: the shell hands in a `Tick` at once instead of waiting.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.stale && (!self.runnable.is_empty() || (self.expiry_more && !self.expiring && !self.read_only))
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
            blobs: self.totals.blobs,
            blob_bytes: self.totals.blob_bytes,
            peers: self.peers.len() as u64,
            watches: self.watches as u64,
            listings: self.directory.len() as u64,
            runnable: self.runnable.len() as u64,
            unacknowledged_bytes: self.unacknowledged,
            damaged: self.damage.found,
            clock_suspect: self.clock.is_suspect(),
            ..self.stats.clone()
        }
    }

    fn connected(&mut self, peer: TransportKey) {
        self.disconnected(&peer);
        if self.peers.len() < self.config.peers {
            self.peers.insert(peer, Peer::of(figures::mark(&self.key, &peer)));
        }
    }

    fn disconnected(&mut self, peer: &TransportKey) {
        self.windows.forget(peer);
        self.meetings.forget(self.epoch, peer);
        let Some(gone) = self.peers.remove(peer) else {
            return;
        };
        // What was meant for a stream that is gone must not reach its successor.
        if gone.in_step {
            self.current
                .effects
                .retain(|effect| !matches!(effect, RelayEffect::Send { peer: to, .. } if to == peer));
        }
        if gone.runnable {
            self.runnable.retain(|other| other != peer);
        }
        self.unacknowledged = self.unacknowledged.saturating_sub(gone.unacknowledged());
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
            ClientFrame::Deposit(deposit) => {
                let verified = Verified::of(deposit.request, &deposit.envelopes);
                self.deposit(now_s, peer, verified, rows)
            }
            ClientFrame::Watch(watch) => self.watch(now_s, peer, watch, rows),
            ClientFrame::Hello(token) => self.hello(now_s, peer, &token, rows),
            ClientFrame::PutBlob(put) => self.put_blob(now_s, peer, put, rows),
            ClientFrame::GetBlob(get) => self.get_blob(now_s, peer, get, rows),
            ClientFrame::History(ask) => self.history(now_s, peer, ask, rows),
            ClientFrame::Meet(meet) => {
                self.meet(peer, &meet);
                Ok(())
            }
            ClientFrame::Enlist(enlist) => self.enlist(now_s, peer, &enlist, rows),
            ClientFrame::Search(search) => {
                self.search(now_s, peer, &search);
                Ok(())
            }
            ClientFrame::Report(report) => self.report(now_s, peer, report, rows),
            ClientFrame::AskFigures(ask) => self.figures(now_s, peer, &ask, rows),
            ClientFrame::Reconcile(question) => self.reconcile(now_s, peer, question, rows),
            ClientFrame::Unwatch(topics) => {
                self.unwatch(peer, &topics);
                Ok(())
            }
            ClientFrame::Ack { bytes } => {
                self.ack(peer, bytes);
                Ok(())
            }
            // It reads no chat.
            ClientFrame::Compare(_) | ClientFrame::Unknown { .. } => Ok(()),
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
        for key in flight.blobs {
            self.blob_committed(&key);
        }
        for (tree, key) in flight.removed {
            self.damage.gone(tree, key);
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

    /// A topic that has no row gets one, and a number.
    fn found(&mut self, id: TopicId) {
        let Some(topic) = self.topics.get_mut(&id) else {
            return;
        };
        if !std::mem::replace(&mut topic.kept, true) {
            topic.row.number = self.totals.next_number;
            self.totals.next_number += 1;
            self.totals.topics += 1;
            self.totals_changed = true;
        }
    }

    /// An envelope's row is damaged: it is no longer kept, and its row goes with the next step.
    fn lose(&mut self, id: TopicId, position: u64) {
        let Some(topic) = self.topics.get_mut(&id).filter(|_| !self.read_only) else {
            return;
        };
        let key = stored::log_key(topic.row.number, position);
        if !self.damage.note(Tree::RelayLog, key) {
            return;
        }
        topic.row.count = topic.row.count.saturating_sub(1);
        self.totals.envelopes = self.totals.envelopes.saturating_sub(1);
        self.totals_changed = true;
        self.touch(id);
    }

    fn tick(&mut self, now_s: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        self.windows.tick(now_s);
        self.tick_others(now_s, rows)?;
        if self.read_only {
            return Ok(());
        }
        self.depositors.prune(now_s);
        self.expire_listings(now_s);
        self.totals_changed |= now_s.abs_diff(self.totals.seen_s) >= SEEN_S;
        if self.expiring {
            return Ok(());
        }
        self.expire(now_s, rows)?;
        self.expire_blobs(now_s, rows)
    }

    /// Reads what is on disk, after a step that will never be there.
    fn reset(&mut self, rows: &dyn Rows) -> Result<(), RowsError> {
        self.totals = totals(rows, &mut self.damage)?;
        self.depositors = Depositors::load(rows, self.config.depositors, &mut self.damage)?;
        self.directory = Directory::load(rows, self.config.listings, &mut self.damage)?;
        self.topics.reset(rows, &mut self.damage)
    }

    /// The receipt of a step that failed: nothing of it is kept.
    fn taken_back(&self, receipt: Receipt) -> Receipt {
        let mut refused = receipt.refused;
        refused.extend(receipt.accepted.iter().map(|accepted| Refused {
            id: accepted.id,
            why: Refusal::ReadOnly,
            retry_after_s: READ_ONLY_RETRY_S,
        }));
        Receipt::sign(&self.key, receipt.request, Vec::new(), refused)
    }

    fn send(&mut self, peer: TransportKey, frame: &CustodianFrame) {
        let frame: Arc<[u8]> = frame.encode().into();
        let cost = frame.len();
        self.send_bytes(peer, frame, cost);
    }

    fn send_bytes(&mut self, peer: TransportKey, frame: Arc<[u8]>, cost: usize) {
        self.current_bytes += cost;
        if let Some(state) = self.peers.get_mut(&peer) {
            state.in_step = true;
        }
        self.current.effects.push(RelayEffect::Send { peer, frame });
    }

    fn penalise(&mut self, peer: TransportKey, reason: &'static str) {
        self.current.effects.push(RelayEffect::Penalise { peer, reason });
    }

    fn count_refusal(&mut self, why: Refusal) {
        *self.stats.refused.entry(why.name()).or_default() += 1;
    }
}

/// The totals; where their row is damaged, what can be known from the topics' rows.
fn totals(rows: &dyn Rows, damage: &mut Damage) -> Result<Totals, RowsError> {
    if let Some(totals) = damage::get(rows, Tree::Meta, stored::TOTALS_KEY, damage)? {
        return Ok(totals);
    }
    topics::summed(rows, damage)
}
