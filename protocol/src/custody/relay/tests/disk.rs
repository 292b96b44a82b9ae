//! Disks that are full, and rows that can't be read.

use super::*;
use crate::rows::{Batch, Row};

/// Rows of which some can't be read, or none.
#[derive(Default)]
struct Flaky {
    rows: MemoryRows,
    damaged: BTreeSet<(Tree, Vec<u8>)>,
    closed: bool,
}

fn unreadable() -> RowsError {
    RowsError {
        reason: "a record fails authentication".into(),
    }
}

impl Rows for Flaky {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, RowsError> {
        if self.closed || self.damaged.contains(&(tree, key.to_vec())) {
            return Err(unreadable());
        }
        self.rows.get(tree, key)
    }

    fn range(&self, tree: Tree, from: &[u8], to: &[u8], limit: usize, reverse: bool) -> Result<Vec<Row>, RowsError> {
        let found = self.rows.range(tree, from, to, limit, reverse)?;
        let bad = |(key, _): &Row| self.damaged.contains(&(tree, key.clone()));
        if self.closed || found.iter().any(bad) {
            return Err(unreadable());
        }
        Ok(found)
    }
}

impl Flaky {
    fn apply(&mut self, batch: &Batch) {
        for op in &batch.ops {
            let (crate::rows::Op::Put { tree, key, .. } | crate::rows::Op::Delete { tree, key }) = op;
            self.damaged.remove(&(*tree, key.clone()));
        }
        self.rows.apply(batch);
    }

    /// Damages the nth row of a tree.
    fn damage(&mut self, tree: Tree, n: usize) {
        let end = crate::rows::prefix_end(&[]);
        let (key, _) = self.rows.range(tree, &[], &end, n + 1, false).unwrap().remove(n);
        self.damaged.insert((tree, key));
    }
}

/// A relay on such rows that commits each step at once.
struct Sick {
    relay: Relay,
    disk: Flaky,
    now_ms: u64,
    received: Vec<(TransportKey, CustodianFrame)>,
}

impl Sick {
    fn open(disk: Flaky, now_ms: u64) -> Self {
        Self::open_with(RelayConfig::default(), disk, now_ms)
    }

    fn open_with(config: RelayConfig, disk: Flaky, now_ms: u64) -> Self {
        let relay = Relay::load(config, relay_key(), [5; 32], &disk, now_ms).unwrap();
        let mut sick = Self {
            relay,
            disk,
            now_ms,
            received: Vec::new(),
        };
        for peer in [ALICE, BOB, CAROL] {
            sick.input(RelayInput::Connected { peer });
        }
        sick
    }

    fn input(&mut self, input: RelayInput) {
        let mut next = Some(input);
        for _ in 0..10_000 {
            if let Some(input) = next.take() {
                self.relay.handle(self.now_ms, input, &self.disk).unwrap();
            }
            let step = self.relay.drain();
            if !step.batch.is_empty() || !step.effects.is_empty() {
                assert!(step.batch.is_empty() || !self.relay.is_read_only());
                self.disk.apply(&step.batch);
                for effect in step.effects {
                    if let RelayEffect::Send { peer, frame } = effect {
                        self.received.push((peer, CustodianFrame::decode(&frame).unwrap()));
                    }
                }
                next = Some(RelayInput::Committed);
            } else if self.relay.has_more() {
                next = Some(RelayInput::Tick);
            } else {
                return;
            }
        }
        panic!("the relay never comes to rest");
    }

    fn deposit(&mut self, envelopes: &[Envelope]) -> Receipt {
        let bytes = deposit_frame(1, envelopes);
        self.received.clear();
        self.input(RelayInput::Frame { peer: ALICE, bytes });
        let receipt = self.received.drain(..).find_map(|(_, frame)| match frame {
            CustodianFrame::Receipt(receipt) => Some(receipt),
            _ => None,
        });
        receipt.expect("each deposit is answered")
    }

    fn watch(&mut self, topic_n: u8, cursor: Option<Cursor>) -> Vec<CustodianFrame> {
        let topics = vec![(topic(topic_n).public(), cursor)];
        self.received.clear();
        let bytes = ClientFrame::Watch(Watch { request: 7, topics }).encode();
        self.input(RelayInput::Frame { peer: BOB, bytes });
        self.received
            .drain(..)
            .filter(|(to, _)| *to == BOB)
            .map(|(_, frame)| frame)
            .collect()
    }

    fn read(&mut self, topic_n: u8, cursor: Option<Cursor>) -> Read {
        let mut read = Read::default();
        for frame in self.watch(topic_n, cursor) {
            let CustodianFrame::Items(page) = frame else {
                panic!("{frame:?}")
            };
            read.void |= page.void;
            read.caught_up = page.caught_up;
            read.cursor = Some(page.cursor);
            read.positions.extend(page.items.iter().map(|item| item.position));
            read.envelopes.extend(page.items.into_iter().map(|item| item.envelope));
        }
        assert!(read.caught_up);
        read
    }
}

#[test]
fn f29_a_failed_step_is_refused_and_watchers_are_served_on() {
    let mut bench = Bench::new();
    let kept = series(1, 600, 3, 10);
    bench.keep(&kept);
    bench.watch(BOB, &[(1, None)]);
    bench.drain();
    bench.deposit(ALICE, 5, &series(1, 600, 5, 10));
    bench.watch(CAROL, &[(1, None)]);
    bench.drain();

    bench.commit();
    bench.fail();
    bench.settle();

    let receipt = bench.receipts(ALICE).remove(0);
    receipt.verify(&relay_key().public()).unwrap();
    assert!(receipt.accepted.is_empty(), "nothing is promised that isn't on disk");
    assert!(
        receipt
            .refused
            .iter()
            .all(|refused| refused.why == Refusal::ReadOnly && refused.retry_after_s > 0)
    );
    assert_eq!(receipt.refused.len(), 5);
    for peer in [BOB, CAROL] {
        let items: Vec<_> = bench
            .pages(peer)
            .into_iter()
            .flat_map(|page| page.items)
            .map(|item| item.envelope)
            .collect();
        assert_eq!(
            items,
            bytes_of(&kept),
            "a page of the failed step showed what was durable"
        );
    }
    bench.deposit(ALICE, 6, &[kept[0].clone(), envelope(2, 600, b"x")]);
    bench.settle();
    let receipt = bench.receipts(ALICE).remove(0);
    assert_eq!((receipt.accepted.len(), receipt.refused[0].why), (1, Refusal::ReadOnly));
    assert_eq!(bench.read_all(CAROL, 1, None).envelopes, bytes_of(&kept));

    bench.relay.set_read_only(false);
    assert_eq!(bench.keep(&series(1, 600, 5, 10)), 5);
    assert_eq!(
        bench.pages(BOB).iter().map(|page| page.items.len()).sum::<usize>(),
        2,
        "the stream goes on where it was"
    );
    assert_eq!(bench.read_all(CAROL, 1, None).positions, [1, 2, 3, 4, 5]);
    assert_eq!(bench.relay.stats().envelopes, 5);
}

#[test]
fn f29_nothing_expires_while_the_disk_takes_no_writes() {
    let mut bench = Bench::new();
    bench.keep(&series(1, 600, 3, 10));
    bench.relay.set_read_only(true);
    bench.pass(7200);
    assert_eq!((bench.relay.stats().expired, bench.in_flight()), (0, 0));
    assert!(
        bench.read_all(BOB, 1, None).envelopes.is_empty(),
        "what has expired isn't shown all the same"
    );
    bench.relay.set_read_only(false);
    bench.tick();
    assert_eq!(bench.relay.stats().expired, 3);
}

#[test]
fn f29_a_store_that_gives_nothing_refuses_and_goes_on_when_it_is_back() {
    let mut sick = Sick::open(Flaky::default(), START_MS);
    let kept = series(1, 600, 3, 10);
    sick.deposit(&kept);
    sick.disk.closed = true;
    sick.relay.failed(Step::default(), &sick.disk);

    assert_eq!(sick.deposit(&kept).refused[0].why, Refusal::ReadOnly);
    let refused = sick.watch(2, None);
    assert!(
        matches!(
            refused[..],
            [CustodianFrame::WatchRefused {
                why: Refusal::ReadOnly,
                ..
            }]
        ),
        "{refused:?}"
    );

    sick.disk.closed = false;
    assert_eq!(sick.read(1, None).envelopes, bytes_of(&kept));
    sick.relay.set_read_only(false);
    assert_eq!(sick.deposit(&series(1, 600, 4, 10)).accepted.len(), 4);
    assert_eq!(sick.read(1, None).positions, [1, 2, 3, 4]);
}

#[test]
fn f30_a_damaged_envelope_is_passed_over_and_taken_again() {
    let kept = series(1, 600, 6, 10);
    for n in 0..6 {
        let mut sick = Sick::open(Flaky::default(), START_MS);
        sick.deposit(&kept);
        let cursors: Vec<_> = (1..=2).map(|_| sick.read(1, None).cursor).collect();
        sick.disk.damage(Tree::RelayLog, n);

        let read = sick.read(1, None);
        let mut left = bytes_of(&kept);
        left.remove(n);
        assert_eq!(read.envelopes, left, "row {n}");
        assert_eq!(sick.relay.take_damaged().len(), 1);
        assert_eq!(sick.relay.stats().envelopes, 5);
        assert!(sick.disk.damaged.is_empty(), "the row is removed");
        assert!(!sick.read(1, cursors[1]).void);

        assert_eq!(sick.deposit(&kept).accepted.len(), 6);
        assert_eq!(sick.relay.stats().envelopes, 6);
        let again = sick.read(1, read.cursor);
        assert_eq!(again.envelopes.last().unwrap(), kept[n].bytes());
        assert_eq!(
            again.void,
            n == 5,
            "a cursor at the very row can't be compared any more"
        );
        sick.now_ms += 3 * 3600 * 1000;
        sick.input(RelayInput::Tick);
        assert_eq!(sick.relay.stats().envelopes, 0);
        assert_eq!(sick.relay.stats().bytes, 0);
        assert_eq!(sick.disk.rows.count(Tree::RelayLog), 0);
    }
}

#[test]
fn f30_a_deposit_finds_a_damaged_row_and_keeps_the_envelope_anew() {
    let mut sick = Sick::open(Flaky::default(), START_MS);
    let kept = series(1, 600, 3, 10);
    sick.deposit(&kept);
    sick.disk.damage(Tree::RelayLog, 1);
    sick.disk.damage(Tree::RelayIds, 0);

    assert_eq!(sick.deposit(&kept).accepted.len(), 3);

    let mut read = sick.read(1, None).envelopes;
    read.sort();
    read.dedup();
    let mut sent = bytes_of(&kept);
    sent.sort();
    assert_eq!(read, sent);
}

#[test]
fn f30_a_damaged_topic_begins_anew_and_others_do_not_notice() {
    let mut sick = Sick::open(Flaky::default(), START_MS);
    sick.deposit(&series(1, 600, 3, 10));
    sick.deposit(&series(2, 600, 3, 10));
    let cursor = sick.read(1, None).cursor;
    let mut disk = std::mem::take(&mut sick.disk);
    disk.damaged.insert((Tree::RelayTopics, topic(1).public().0.to_vec()));
    let mut sick = Sick::open(disk, START_MS);

    let read = sick.read(1, cursor);
    assert!(
        read.void && read.envelopes.is_empty(),
        "its reader knows that what it saw is gone"
    );
    assert_eq!(sick.read(2, None).positions, [1, 2, 3]);
    assert_eq!(sick.deposit(&series(1, 600, 3, 10)).accepted.len(), 3);
    assert_eq!(sick.read(1, None).positions, [1, 2, 3]);
    sick.now_ms += 3 * 3600 * 1000;
    sick.input(RelayInput::Tick);
    for tree in [Tree::RelayLog, Tree::RelayIds] {
        assert_eq!(sick.disk.rows.count(tree), 0, "{tree:?}: what it left behind is swept");
    }
    assert_eq!((sick.relay.stats().envelopes, sick.relay.stats().bytes), (0, 0));
}

#[test]
fn f30_damage_of_the_relays_own_rows_ends_nothing() {
    let own = [
        (Tree::RelayExpiry, 0),
        (Tree::RelayDepositors, 0),
        (Tree::Meta, 0),
        (Tree::Meta, 1),
    ];
    for (tree, n) in own {
        let config = RelayConfig {
            depositor_bytes_per_day: 400_000,
            ..RelayConfig::default()
        };
        let mut sick = Sick::open_with(config.clone(), Flaky::default(), START_MS);
        for topic in 1..4 {
            sick.deposit(&series(topic, 600, 200, 10));
        }
        sick.disk.damage(tree, n);
        let mut sick = Sick::open_with(config, std::mem::take(&mut sick.disk), START_MS);

        assert_eq!(sick.read(3, None).positions.len(), 200, "{tree:?}");
        assert_eq!(sick.deposit(&series(4, 600, 3, 10)).accepted.len(), 3, "{tree:?}");
        assert_eq!(sick.relay.stats().envelopes, 603, "{tree:?}");
        sick.now_ms += 3 * 3600 * 1000;
        sick.input(RelayInput::Tick);
        assert_eq!(sick.deposit(&series(4, 600, 3, 11)).accepted.len(), 3, "{tree:?}");
        assert!(sick.disk.damaged.is_empty(), "{tree:?}");
        let left = if tree == Tree::RelayExpiry { 203 } else { 3 };
        assert_eq!(
            sick.relay.stats().envelopes,
            left,
            "{tree:?}: what no index names stays until its topic is looked at"
        );
        assert!(sick.read(1, None).envelopes.is_empty() && sick.read(2, None).envelopes.is_empty());
    }
}

#[test]
fn f21_a_depositors_day_outlives_a_restart() {
    let config = RelayConfig {
        depositor_bytes_per_day: 20_000,
        ..RelayConfig::default()
    };
    let mut bench = Bench::with(config.clone());
    bench.keep(&series(1, 600, 14, 1000));
    assert_eq!(bench.relay.stats().refused.get("depositor_quota"), None);

    let mut again = Bench::open(config, bench.rows.clone(), bench.now_ms + 1000);
    let kept = again.keep(&series(2, 600, 14, 1000));

    assert!(kept <= 3, "{kept} more, of a sixteenth that a restart forgives");
    again.pass(24 * 3600);
    assert_eq!(
        again.rows.count(Tree::RelayDepositors),
        0,
        "days that are over leave no rows"
    );
    assert_eq!(again.keep(&series(2, 600, 14, 1000)), 14);
}
