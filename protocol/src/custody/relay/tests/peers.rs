//! Two relays that compare what both keep.

use super::*;
use crate::keys::EnvelopeId;
use std::collections::BTreeSet;

const HOUR_S: u64 = 3600;
const TTL_S: u32 = 20 * 86_400;

/// Two relays, each other's peer, and a wire between them that is always ready.
struct Pair {
    benches: [Bench; 2],
    keys: [TransportKey; 2],
}

impl Pair {
    fn new() -> Self {
        Self::with([RelayConfig::default(), RelayConfig::default()])
    }

    fn with(configs: [RelayConfig; 2]) -> Self {
        let [first, second] = configs;
        let secrets = [relay_key(), TransportSecret::from_bytes([10; 32])];
        let keys = secrets.each_ref().map(TransportSecret::public);
        let mut benches = [Bench::with(first), Bench::with(second)];
        for (place, bench) in benches.iter_mut().enumerate() {
            bench.relay.key = secrets[place].clone();
            bench.relay.set_others([keys[1 - place]], &bench.rows).unwrap();
        }
        Self { benches, keys }
    }

    /// One opens its stream to the other.
    fn open(&mut self, from: usize) {
        let (here, there) = (self.keys[from], self.keys[1 - from]);
        self.benches[1 - from].input(RelayInput::Connected { peer: here });
        self.benches[1 - from].settle();
        self.benches[from].input(RelayInput::OtherOpened { peer: there });
        self.run();
    }

    fn run(&mut self) {
        for _ in 0..10_000 {
            let mut quiet = true;
            for from in [0, 1] {
                let (here, there) = (self.keys[from], self.keys[1 - from]);
                self.benches[from].settle();
                for (to, bytes) in std::mem::take(&mut self.benches[from].asked) {
                    assert_eq!(to, there);
                    quiet = false;
                    self.benches[1 - from].input(RelayInput::Frame { peer: here, bytes });
                }
                self.benches[1 - from].settle();
                for frame in self.benches[1 - from].take(here) {
                    quiet = false;
                    let (peer, bytes) = (there, frame.encode());
                    self.benches[from].input(RelayInput::OtherFrame { peer, bytes });
                }
            }
            if quiet {
                return;
            }
        }
        panic!("the relays never come to rest");
    }

    fn wait(&mut self, seconds: u64) {
        for bench in &mut self.benches {
            bench.wait(seconds);
        }
        self.run();
    }

    fn kept(&mut self, place: usize, topic_n: u8) -> BTreeSet<EnvelopeId> {
        let read = self.benches[place].read_all(ALICE, topic_n, None);
        let ids = read.envelopes.iter().map(|bytes| Envelope::peek(bytes).unwrap().1);
        ids.collect()
    }
}

fn some(topic_n: u8, range: std::ops::Range<u32>) -> Vec<Envelope> {
    range.map(|n| envelope(topic_n, TTL_S, &n.to_be_bytes())).collect()
}

fn ids(envelopes: &[Envelope]) -> BTreeSet<EnvelopeId> {
    envelopes.iter().map(Envelope::id).collect()
}

#[test]
fn what_either_lacks_of_a_topic_that_both_keep_is_copied() {
    let mut pair = Pair::new();
    let all = some(1, 0..900);
    assert_eq!(pair.benches[0].keep(&all[..600]), 600);
    assert_eq!(pair.benches[1].keep(&all[500..]), 400);
    let alone = some(2, 0..5);
    assert_eq!(pair.benches[0].keep(&alone), 5);
    pair.wait(2 * HOUR_S);
    pair.open(0);
    assert_eq!(pair.kept(0, 1), ids(&all));
    assert_eq!(pair.kept(1, 1), ids(&all));
    assert!(
        pair.kept(1, 2).is_empty(),
        "a topic that only one hosts is nobody else's"
    );
    let stats = pair.benches[0].relay.stats();
    assert_eq!((stats.others_given, stats.others_taken), (500, 300));
}

#[test]
fn a_round_looks_only_at_what_came_since_the_last_also_after_a_restart() {
    let mut pair = Pair::new();
    let first = some(1, 0..10);
    pair.benches[0].keep(&first[..9]);
    pair.benches[1].keep(&first[9..]);
    pair.wait(2 * HOUR_S);
    pair.open(0);
    assert_eq!(pair.kept(1, 1).len(), 10);
    let compared = pair.benches[0].relay.stats().others_compared;
    pair.wait(2 * HOUR_S);
    // What it took over from the other is new to it, once.
    pair.wait(2 * HOUR_S);
    pair.wait(2 * HOUR_S);
    let later = pair.benches[0].relay.stats().others_compared;
    assert!(later <= compared + 1, "{later} windows compared, {compared} before");

    let (rows, now_ms) = (pair.benches[0].rows.clone(), pair.benches[0].now_ms);
    pair.benches[0] = Bench::open(RelayConfig::default(), rows, now_ms);
    let peer = pair.keys[1];
    let bench = &mut pair.benches[0];
    bench.relay.set_others([peer], &bench.rows).unwrap();
    pair.open(0);
    assert_eq!(
        pair.benches[0].relay.stats().others_compared,
        0,
        "a restart compares all again"
    );
    let more = some(1, 10..12);
    pair.benches[0].keep(&more);
    pair.wait(2 * HOUR_S);
    assert_eq!(pair.kept(1, 1).len(), 12);
}

#[test]
fn a_window_that_is_too_large_is_compared_in_parts() {
    let mut pair = Pair::new();
    let most = limits::RECONCILE_ELEMENTS as u32;
    for part in 0..2 {
        let batch = some(1, part * most..part * most + most * 2 / 3);
        for chunk in batch.chunks(256) {
            pair.benches[0].deposit_verified(ALICE, 0, chunk.to_vec());
            pair.benches[0].settle();
        }
        pair.wait(HOUR_S);
    }
    pair.benches[1].keep(&some(1, 0..1));
    pair.wait(2 * HOUR_S);
    pair.open(0);
    assert_eq!(pair.benches[1].relay.stats().envelopes, u64::from(most * 2 / 3) * 2);
}

#[test]
fn f21_the_quotas_of_a_depositor_hold_for_other_relays() {
    let config = RelayConfig {
        depositor_bytes_per_day: 20_000,
        ..RelayConfig::default()
    };
    let mut pair = Pair::with([config, RelayConfig::default()]);
    let all = some(1, 0..200);
    pair.benches[0].keep(&all[..1]);
    pair.benches[1].keep(&all);
    pair.wait(2 * HOUR_S);
    pair.open(0);
    let copied = pair.benches[0].relay.stats().others_taken;
    assert!((10..100).contains(&copied), "{copied} envelopes copied");
}

#[test]
fn f20_another_relay_that_sends_what_was_not_asked_for_gives_nothing() {
    let mut pair = Pair::new();
    let all = some(1, 0..20);
    pair.benches[0].keep(&all[..1]);
    pair.benches[1].keep(&all);
    pair.wait(2 * HOUR_S);
    let (here, there) = (pair.keys[0], pair.keys[1]);
    pair.benches[1].input(RelayInput::Connected { peer: here });
    pair.benches[0].input(RelayInput::OtherOpened { peer: there });
    for _ in 0..10 {
        pair.benches[0].settle();
        for (_, bytes) in std::mem::take(&mut pair.benches[0].asked) {
            pair.benches[1].input(RelayInput::Frame { peer: here, bytes });
        }
        pair.benches[1].settle();
        for frame in pair.benches[1].take(here) {
            let frame = match frame {
                CustodianFrame::Reconciled(mut reconciled) => {
                    if let crate::custody::Answer::Fetched(envelopes) = &mut reconciled.answer {
                        *envelopes = some(1, 100..105).into_iter().map(Envelope::into_bytes).collect();
                    }
                    CustodianFrame::Reconciled(reconciled)
                }
                other => other,
            };
            let bytes = frame.encode();
            pair.benches[0].input(RelayInput::OtherFrame { peer: there, bytes });
        }
    }
    pair.benches[0].settle();
    assert_eq!(pair.kept(0, 1), ids(&all[..1]));
}

#[test]
fn guests_that_are_known_relays_may_bring_what_both_keep() {
    let mut pair = Pair::new();
    let all = some(1, 0..20);
    pair.benches[0].keep(&all[..10]);
    pair.benches[1].keep(&all[10..]);
    pair.benches[1].relay.set_door(Door::Peers([ALICE].into()));
    pair.wait(2 * HOUR_S);
    pair.open(0);
    assert_eq!(pair.kept(1, 1), ids(&all));
}
