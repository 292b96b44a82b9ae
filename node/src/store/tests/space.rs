//! What the store takes on disk.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::store::compact::FLOOR;

/// Bytes of keys and values of a node's short message, and of a relay's (guess: two or three rows).
const NODE_MESSAGE: u64 = 330;
const RELAY_MESSAGE: u64 = 310;
/// Ratchet rows, overwritten in turn.
const RATCHETS: u64 = 200;
const RATCHET: usize = 8000;

/// Writes a ratchet step and a message as often as said; tells after each commit how many rows live.
fn ratchet_writes(store: &Store, steps: u64, mut each: impl FnMut(u64)) {
    let mut dice = Dice(21);
    let noise = dice.bytes(RATCHET + 256);
    for step in 0..steps {
        let mut batch = Batch::default();
        let shift = (step % 256) as usize;
        batch.put(
            Tree::Mls,
            (step % RATCHETS).to_be_bytes(),
            &noise[shift..shift + RATCHET],
        );
        batch.put(Tree::Messages, step.to_be_bytes(), &noise[shift..shift + 200]);
        store.commit(&batch).unwrap();
        each(RATCHETS.min(step + 1) * (8 + RATCHET as u64) + (step + 1) * (8 + 200));
    }
}

/// The most that the directory takes beyond four times its live bytes, in bytes, while ratchets are written.
fn worst_excess(compacting: bool, steps: u64) -> i64 {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let store = open(dir);
    store.0.compaction.trigger_off.store(!compacting, Ordering::SeqCst);
    let worst = std::sync::atomic::AtomicI64::new(i64::MIN);
    let live = std::sync::atomic::AtomicU64::new(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Beside the commits, so that it sees what a compaction takes in between.
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let bound = 4 * live.load(Ordering::SeqCst) as i64;
                worst.fetch_max(disk(dir) as i64 - bound, Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        ratchet_writes(&store, steps, |bytes| live.store(bytes, Ordering::SeqCst));
        done.store(true, Ordering::SeqCst);
    });
    worst.load(Ordering::SeqCst)
}

#[test]
fn ratchet_writes_stay_within_four_times_what_lives() {
    let worst = worst_excess(true, 10_000);
    assert!(worst < 2 * FLOOR as i64, "{worst}");
}

#[test]
fn without_compaction_ratchet_writes_exceed_the_bound() {
    // The broken variant, which shows that the test above can fail.
    let worst = worst_excess(false, 10_000);
    assert!(worst > 2 * FLOOR as i64, "{worst}");
}

#[test]
fn a_short_message_is_within_its_budget_after_compaction() {
    for (kind, message, budget) in [
        (StoreKind::Node, NODE_MESSAGE, 500),
        (StoreKind::Relay, RELAY_MESSAGE, 400),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        let store = Store::open(dir, Unlock::KeyFile, kind).unwrap();
        let mut dice = Dice(9);
        let chats: Vec<_> = (0..10).map(|_| dice.bytes(32)).collect();
        let messages = 20_000u64;
        for n in (0..messages).step_by(100) {
            let mut batch = Batch::default();
            for n in n..n + 100 {
                let chat = &chats[dice.roll(10)];
                let id = dice.bytes(16);
                let key = [chat, n.to_be_bytes().as_slice(), n.to_be_bytes().as_slice(), &id].concat();
                let value = dice.bytes(message as usize - key.len() - 32);
                batch.put(Tree::Messages, key, value);
                batch.put(Tree::MessageIds, id, n.to_be_bytes());
            }
            store.commit(&batch).unwrap();
        }
        store.compact_now().unwrap();
        let open_size = disk(dir) / messages;
        drop(store);
        drop(Store::open(dir, Unlock::KeyFile, kind).unwrap());
        let closed_size = disk(dir) / messages;
        assert!(
            open_size < budget && closed_size < budget,
            "{kind}: {open_size}, {closed_size}"
        );
    }
}

#[test]
fn deletions_from_a_base_bring_the_next_compaction() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let store = open(dir);
    let mut dice = Dice(5);
    let mut batch = Batch::default();
    for n in 0..12_000u32 {
        batch.put(Tree::Messages, n.to_be_bytes(), dice.bytes(3000));
        if n % 1000 == 999 {
            store.commit(&batch).unwrap();
            batch = Batch::default();
        }
    }
    store.compact_now().unwrap();
    let full = store.space().unwrap();
    assert!(
        full.live > 12_000 * 3000 && full.on_disk < full.live + (1 << 20),
        "{full:?}"
    );
    for n in 0..11_900u32 {
        batch.delete(Tree::Messages, n.to_be_bytes());
        if n % 1000 == 899 {
            store.commit(&batch).unwrap();
            batch = Batch::default();
        }
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while disk(dir) > FLOOR + full.live / 8 {
        assert!(std::time::Instant::now() < deadline, "{:?}", store.space());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(store.prefix(Tree::Messages, b"", 1000).unwrap().len(), 100);
}

#[test]
fn many_tombstones_bring_a_compaction_before_space_does() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let store = open(dir);
    let rows = 40_000u32;
    let all = |change: &dyn Fn(&mut Batch, u32), numbers: std::ops::Range<u32>| {
        let mut batch = Batch::default();
        for n in numbers {
            change(&mut batch, n);
        }
        store.commit(&batch).unwrap();
    };
    all(&|batch, n| batch.put(Tree::Outbox, n.to_be_bytes(), [0; 8]), 0..rows);
    store.compact_now().unwrap();
    all(&|batch, n| batch.delete(Tree::Outbox, n.to_be_bytes()), 0..15_000);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while dir.join("g2").exists() {
        assert!(std::time::Instant::now() < deadline, "{:?}", store.space());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(disk(dir) < FLOOR / 2);
    let first = store.range(Tree::Outbox, b"", &[255], 1, false).unwrap();
    assert_eq!(first[0].0, 15_000u32.to_be_bytes());
}
