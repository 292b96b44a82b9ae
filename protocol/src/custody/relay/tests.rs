//! A relay over rows in memory: its steps are committed one by one, as a shell does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::custody::frames::{AdmissionToken, Cursor, Deposit, Items, Receipt, Watch};
use crate::envelope::Envelope;
use crate::keys::TopicSecret;
use crate::rows::MemoryRows;

mod admission;
mod blobs;
mod directory;
mod disk;
mod expiry;
mod faults;
mod figures;
mod history;
mod peers;
mod pushing;
mod reports;
mod windows;

pub(super) const ALICE: TransportKey = TransportKey([0xa1; 32]);
pub(super) const BOB: TransportKey = TransportKey([0xb0; 32]);
pub(super) const CAROL: TransportKey = TransportKey([0xca; 32]);
pub(super) const START_MS: u64 = 1_700_000_000_000;
/// How much later than it expires an envelope may be removed.
pub(super) const STRETCH_S: u64 = 3600;
pub(super) const DAY_MS: u64 = 24 * 3600 * 1000;

/// A relay, its disk and what its peers have seen.
pub(super) struct Bench {
    pub relay: Relay,
    pub rows: MemoryRows,
    pub now_ms: u64,
    flights: VecDeque<Step<RelayEffect>>,
    received: BTreeMap<TransportKey, Vec<CustodianFrame>>,
    penalised: Vec<(TransportKey, &'static str)>,
    /// Frames to other relays, on our own streams.
    asked: Vec<(TransportKey, Vec<u8>)>,
    /// What the operator has been shown, or why nothing.
    reports: Vec<CheckedReport>,
    refuses_reports: Option<Refusal>,
}

pub(super) fn relay_key() -> TransportSecret {
    TransportSecret::from_bytes([9; 32])
}

pub(super) fn topic(n: u8) -> TopicSecret {
    TopicSecret::from_bytes([n; 32])
}

pub(super) fn envelope(topic_n: u8, ttl_s: u32, body: &[u8]) -> Envelope {
    Envelope::sign(&topic(topic_n), ttl_s, body).unwrap()
}

/// Envelopes of one topic with distinct bodies of about `size` bytes.
pub(super) fn series(topic_n: u8, ttl_s: u32, count: u32, size: usize) -> Vec<Envelope> {
    let body = |i: u32| [i.to_be_bytes().as_slice(), &vec![0; size]].concat();
    (0..count).map(|i| envelope(topic_n, ttl_s, &body(i))).collect()
}

pub(super) fn deposit_frame(request: u64, envelopes: &[Envelope]) -> Vec<u8> {
    let envelopes = envelopes.iter().map(|envelope| envelope.bytes().to_vec()).collect();
    ClientFrame::Deposit(Deposit { request, envelopes }).encode()
}

impl Bench {
    pub fn new() -> Self {
        Self::with(RelayConfig::default())
    }

    pub fn with(config: RelayConfig) -> Self {
        Self::open(config, MemoryRows::default(), START_MS)
    }

    /// A relay process that starts on `rows`, with three peers connected.
    pub fn open(config: RelayConfig, rows: MemoryRows, now_ms: u64) -> Self {
        let relay = Relay::load(config, relay_key(), [5; 32], &rows, now_ms).unwrap();
        let mut bench = Self {
            relay,
            rows,
            now_ms,
            flights: VecDeque::new(),
            received: BTreeMap::new(),
            penalised: Vec::new(),
            asked: Vec::new(),
            reports: Vec::new(),
            refuses_reports: None,
        };
        for peer in [ALICE, BOB, CAROL] {
            bench.input(RelayInput::Connected { peer });
        }
        bench.settle();
        bench
    }

    pub fn input(&mut self, input: RelayInput) {
        self.relay.handle(self.now_ms, input, &self.rows).unwrap();
    }

    pub fn frame(&mut self, peer: TransportKey, frame: &ClientFrame) {
        let bytes = frame.encode();
        self.input(RelayInput::Frame { peer, bytes });
    }

    /// Closes the current step and hands it to the disk.
    pub fn drain(&mut self) {
        let step = self.relay.drain();
        if !step.batch.is_empty() || !step.effects.is_empty() {
            self.flights.push_back(step);
        }
    }

    /// The disk has flushed the oldest step: effects go out, the relay is told.
    pub fn commit(&mut self) {
        let Some(step) = self.flights.pop_front() else {
            return;
        };
        self.rows.apply(&step.batch);
        for effect in step.effects {
            match effect {
                RelayEffect::Send { peer, frame } => {
                    let frame = CustodianFrame::decode(&frame).unwrap();
                    self.received.entry(peer).or_default().push(frame);
                }
                RelayEffect::Ask { peer, frame } => self.asked.push((peer, frame.to_vec())),
                RelayEffect::Report { peer, request, report } => {
                    self.reports.push(*report);
                    let refused = self.refuses_reports;
                    self.input(RelayInput::ReportKept { peer, request, refused });
                }
                RelayEffect::Penalise { peer, reason } => self.penalised.push((peer, reason)),
            }
        }
        self.input(RelayInput::Committed);
    }

    /// Until nothing is left to do.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            self.drain();
            if !self.flights.is_empty() {
                self.commit();
            } else if self.relay.has_more() {
                self.input(RelayInput::Tick);
            } else {
                return;
            }
        }
        panic!("the relay never comes to rest");
    }

    pub fn tick(&mut self) {
        self.input(RelayInput::Tick);
        self.settle();
    }

    /// Waits for so long, and until all that expires in it is to be removed.
    pub fn pass(&mut self, seconds: u64) {
        self.wait(seconds + STRETCH_S);
    }

    /// Lets time pass with ticks on the way, none so far apart that the clock seems to leap.
    pub fn wait(&mut self, seconds: u64) {
        let end = self.now_ms + seconds * 1000;
        while self.now_ms < end {
            self.now_ms = end.min(self.now_ms + 6 * 3600 * 1000);
            self.tick();
        }
    }

    /// Deposits without the work of verifying, as a shell does that has had it done.
    pub fn deposit_verified(&mut self, peer: TransportKey, request: u64, envelopes: Vec<Envelope>) {
        let deposit = Verified::unchecked(request, envelopes);
        self.input(RelayInput::Deposit { peer, deposit });
    }

    /// The disk has refused the oldest step.
    pub fn fail(&mut self) {
        let step = self.flights.pop_front().unwrap();
        self.relay.failed(step, &self.rows);
    }

    pub fn deposit(&mut self, peer: TransportKey, request: u64, envelopes: &[Envelope]) {
        let bytes = deposit_frame(request, envelopes);
        self.input(RelayInput::Frame { peer, bytes });
    }

    /// Deposits in frames of at most 64 and returns how many were accepted.
    pub fn keep(&mut self, envelopes: &[Envelope]) -> usize {
        let mut accepted = 0;
        for chunk in envelopes.chunks(64) {
            self.deposit(ALICE, 0, chunk);
            self.settle();
            accepted += self
                .receipts(ALICE)
                .iter()
                .map(|receipt| receipt.accepted.len())
                .sum::<usize>();
        }
        accepted
    }

    pub fn watch(&mut self, peer: TransportKey, topics: &[(u8, Option<Cursor>)]) {
        let topics = topics.iter().map(|(n, cursor)| (topic(*n).public(), *cursor)).collect();
        self.frame(peer, &ClientFrame::Watch(Watch { request: 77, topics }));
    }

    /// Takes what a peer has received.
    pub fn take(&mut self, peer: TransportKey) -> Vec<CustodianFrame> {
        self.received.remove(&peer).unwrap_or_default()
    }

    pub fn receipts(&mut self, peer: TransportKey) -> Vec<Receipt> {
        let frames = self.take(peer).into_iter();
        frames
            .filter_map(|frame| match frame {
                CustodianFrame::Receipt(receipt) => Some(receipt),
                _ => None,
            })
            .collect()
    }

    pub fn pages(&mut self, peer: TransportKey) -> Vec<Items> {
        let frames = self.take(peer).into_iter();
        frames
            .filter_map(|frame| match frame {
                CustodianFrame::Items(items) => Some(items),
                _ => None,
            })
            .collect()
    }

    /// Reads a topic as a well-behaved client does: acknowledges every page until it has caught up.
    pub fn read_all(&mut self, peer: TransportKey, topic_n: u8, cursor: Option<Cursor>) -> Read {
        self.input(RelayInput::Connected { peer });
        self.settle();
        self.take(peer);
        self.watch(peer, &[(topic_n, cursor)]);
        let mut read = Read::default();
        for _ in 0..10_000 {
            self.settle();
            let pages = self.pages(peer);
            assert!(
                !pages.is_empty(),
                "nothing more comes, and the reader was never told that it has caught up"
            );
            for page in pages {
                assert!(!page.void || read.pages == 0, "only the first page says void");
                read.void |= page.void;
                read.pages += 1;
                read.cursor = Some(page.cursor);
                read.caught_up = page.caught_up;
                for item in page.items {
                    read.bytes += item.envelope.len() as u64;
                    read.positions.push(item.position);
                    read.envelopes.push(item.envelope);
                }
            }
            if read.caught_up {
                return read;
            }
            self.frame(peer, &ClientFrame::Ack { bytes: read.bytes });
        }
        panic!("the reader never catches up");
    }

    pub fn penalties(&mut self) -> Vec<(TransportKey, &'static str)> {
        std::mem::take(&mut self.penalised)
    }

    /// Writes of the newest step that isn't committed.
    pub fn writes_in_flight(&self) -> usize {
        self.flights.back().map_or(0, |step| step.batch.ops.len())
    }

    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }
}

#[derive(Default)]
pub(super) struct Read {
    pub envelopes: Vec<Vec<u8>>,
    pub positions: Vec<u64>,
    pub cursor: Option<Cursor>,
    pub void: bool,
    pub caught_up: bool,
    pub pages: usize,
    pub bytes: u64,
}

pub(super) fn bytes_of(envelopes: &[Envelope]) -> Vec<Vec<u8>> {
    envelopes.iter().map(|envelope| envelope.bytes().to_vec()).collect()
}

#[test]
fn a_deposit_is_answered_with_a_receipt_that_the_relay_signed() {
    let mut bench = Bench::new();
    let kept = envelope(1, 3600, b"hello");

    bench.deposit(ALICE, 42, std::slice::from_ref(&kept));
    bench.settle();

    let receipts = bench.receipts(ALICE);
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].request, 42);
    assert_eq!(
        receipts[0].accepted,
        [super::super::Accepted {
            id: kept.id(),
            until_s: START_MS / 1000 + 3600
        }]
    );
    assert!(receipts[0].refused.is_empty());
    receipts[0].verify(&relay_key().public()).unwrap();
    assert!(receipts[0].verify(&ALICE).is_err());
}

#[test]
fn an_envelope_is_kept_no_longer_than_the_relay_keeps_anything() {
    let mut bench = Bench::new();

    bench.deposit(ALICE, 1, &[envelope(1, u32::MAX, b"for ever")]);
    bench.settle();

    let until_s = bench.receipts(ALICE)[0].accepted[0].until_s;
    assert_eq!(until_s, START_MS / 1000 + u64::from(limits::CUSTODY_SECONDS));
}

#[test]
fn f26_no_receipt_and_no_push_before_the_flush() {
    let mut bench = Bench::new();
    bench.watch(BOB, &[(1, None)]);
    bench.settle();
    bench.take(BOB);

    bench.deposit(ALICE, 1, &[envelope(1, 60, b"x")]);
    bench.drain();
    bench.input(RelayInput::Tick);
    bench.drain();

    assert_eq!(bench.in_flight(), 1, "a tick with nothing to do makes no step");
    assert!(bench.take(ALICE).is_empty());
    bench.commit();
    assert_eq!(bench.receipts(ALICE).len(), 1, "the receipt goes out with the flush");
    assert!(
        bench.take(BOB).is_empty(),
        "the push is an effect of the commit, so it comes with the next step"
    );
    bench.settle();
    assert_eq!(bench.pages(BOB)[0].items.len(), 1);
}

#[test]
fn f26_a_watch_shows_only_what_is_durable() {
    let mut bench = Bench::new();
    bench.keep(&[envelope(1, 60, b"durable")]);
    bench.deposit(ALICE, 1, &[envelope(1, 60, b"not yet")]);
    bench.drain();

    bench.watch(BOB, &[(1, None)]);
    let step = bench.relay.drain();

    let RelayEffect::Send { frame, .. } = &step.effects[0] else {
        panic!()
    };
    let CustodianFrame::Items(page) = CustodianFrame::decode(frame).unwrap() else {
        panic!()
    };
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.cursor.position, 1);
}

#[test]
fn the_same_envelope_again_is_accepted_with_its_stored_expiry_and_kept_once() {
    let mut bench = Bench::new();
    let twice = envelope(1, 600, b"x");
    bench.deposit(ALICE, 1, &[twice.clone(), twice.clone()]);
    bench.drain();
    bench.now_ms += 5000;
    bench.deposit(BOB, 2, std::slice::from_ref(&twice));
    bench.drain();
    bench.settle();
    bench.now_ms += 5000;
    bench.deposit(CAROL, 3, std::slice::from_ref(&twice));
    bench.settle();

    let until_s = START_MS / 1000 + 600;
    for (peer, count) in [(ALICE, 2), (BOB, 1), (CAROL, 1)] {
        let receipt = bench.receipts(peer).remove(0);
        assert_eq!(receipt.accepted.len(), count);
        assert!(receipt.accepted.iter().all(|accepted| accepted.until_s == until_s));
    }
    assert_eq!(bench.rows.count(Tree::RelayLog), 1);
    assert_eq!(bench.relay.stats().accepted, 1);
    assert_eq!(bench.relay.stats().repeated, 3);
}

#[test]
fn steps_that_overlap_give_consecutive_positions() {
    let mut bench = Bench::new();
    let sent = series(1, 600, 6, 10);
    for (i, one) in sent.iter().enumerate() {
        bench.deposit(ALICE, i as u64, std::slice::from_ref(one));
        if i % 2 == 0 {
            bench.drain();
        }
    }
    bench.settle();

    let read = bench.read_all(BOB, 1, None);

    assert_eq!(read.positions, [1, 2, 3, 4, 5, 6]);
    assert_eq!(read.envelopes, bytes_of(&sent));
}

#[test]
fn f26_everything_receipted_is_there_after_a_restart_at_any_commit() {
    let sent = series(1, 600, 40, 10);
    for commits in 0..10 {
        let mut bench = Bench::new();
        for chunk in sent.chunks(4) {
            bench.deposit(ALICE, 0, chunk);
            bench.drain();
        }
        for _ in 0..commits {
            bench.commit();
        }
        let receipted: usize = bench.receipts(ALICE).iter().map(|receipt| receipt.accepted.len()).sum();

        let mut again = Bench::open(RelayConfig::default(), bench.rows.clone(), bench.now_ms);
        let read = again.read_all(BOB, 1, None);

        assert_eq!(receipted, commits * 4);
        assert_eq!(read.envelopes, bytes_of(&sent)[..receipted]);
        assert_eq!(again.relay.stats().envelopes, receipted as u64);
        assert_eq!(again.keep(&sent), sent.len(), "deposited again, each is kept once");
        assert_eq!(again.relay.stats().envelopes, sent.len() as u64);
    }
}
