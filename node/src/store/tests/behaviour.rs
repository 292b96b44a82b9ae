//! What a store does while nothing goes wrong.

use madang_protocol::rows::{MemoryRows, prefix_end};

use super::*;

#[test]
fn rows_survive_reopening() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let store = open(&dir);
    let mut batch = Batch::default();
    batch.put(Tree::Chats, b"a", b"1");
    batch.put(Tree::Chats, b"b", b"2");
    batch.put(Tree::Outbox, b"a", b"");
    store.commit(&batch).unwrap();
    let mut batch = Batch::default();
    batch.delete(Tree::Chats, b"b");
    batch.delete(Tree::Chats, b"never there");
    store.commit(&batch).unwrap();
    drop(store);

    let store = open(&dir);
    assert_eq!(store.get(Tree::Chats, b"a").unwrap(), Some(b"1".to_vec()));
    assert_eq!(store.get(Tree::Chats, b"b").unwrap(), None);
    assert_eq!(store.get(Tree::Outbox, b"a").unwrap(), Some(Vec::new()));
    assert_eq!(store.get(Tree::Ledger, b"a").unwrap(), None);
}

#[test]
fn the_last_write_of_a_key_wins() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    let mut batch = Batch::default();
    batch.put(Tree::Mls, b"k", vec![7; 50_000]);
    batch.put(Tree::Mls, b"k", b"short");
    batch.put(Tree::Mls, b"gone", b"x");
    batch.delete(Tree::Mls, b"gone");
    store.commit(&batch).unwrap();

    assert_eq!(store.get(Tree::Mls, b"k").unwrap(), Some(b"short".to_vec()));
    assert_eq!(store.get(Tree::Mls, b"gone").unwrap(), None);
    assert_eq!(entries(&store), 2, "the mark and one row");
}

#[test]
fn a_reader_sees_what_the_store_commits() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    let reader = store.reader();
    put(&store, Tree::Meta, b"k", b"v");
    assert_eq!(reader.get(Tree::Meta, b"k").unwrap(), Some(b"v".to_vec()));
    let all = reader.range(Tree::Meta, b"", b"z", 9, true).unwrap();
    assert_eq!(all, [(b"k".to_vec(), b"v".to_vec())]);
}

#[test]
fn large_values_are_split_and_leave_nothing_behind() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let store = open(dir);
    let large = Dice(3).bytes(1 << 20);
    put(&store, Tree::Mls, b"state", &large);
    assert_eq!(store.get(Tree::Mls, b"state").unwrap(), Some(large.clone()));
    drop(store);

    let store = open(dir);
    assert_eq!(store.get(Tree::Mls, b"state").unwrap(), Some(large));
    put(&store, Tree::Mls, b"state", &[1; 9000]);
    assert_eq!(entries(&store), 3 + 3, "mark, note of the tree, head, pieces");
    put(&store, Tree::Mls, b"state", b"small");
    assert_eq!(entries(&store), 3);
    put(&store, Tree::Mls, b"state", &[2; 20_000]);
    let mut batch = Batch::default();
    batch.delete(Tree::Mls, b"state");
    store.commit(&batch).unwrap();
    assert_eq!(store.get(Tree::Mls, b"state").unwrap(), None);
    assert_eq!(entries(&store), 2);
}

#[test]
fn sizes_around_a_piece_come_back() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    for len in [
        0,
        1,
        rows::PIECE - 1,
        rows::PIECE,
        rows::PIECE + 1,
        2 * rows::PIECE,
        65_536,
    ] {
        let value = Dice(len as u64 + 1).bytes(len);
        put(&store, Tree::RelayLog, b"k", &value);
        assert_eq!(store.get(Tree::RelayLog, b"k").unwrap(), Some(value), "{len}");
    }
}

#[test]
fn too_large_a_row_is_refused_and_nothing_applied() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    let mut batch = Batch::default();
    batch.put(Tree::Meta, b"ok", b"v");
    batch.put(Tree::Meta, vec![1; MAX_KEY + 1], b"v");
    let refused = store.commit(&batch);
    assert!(matches!(refused, Err(StoreError::RowTooLarge { part: "key", .. })));
    assert_eq!(store.get(Tree::Meta, b"ok").unwrap(), None);

    let mut batch = Batch::default();
    for key in 0..3u8 {
        batch.put(Tree::Meta, [key], vec![0; MAX_VALUE]);
    }
    assert!(matches!(store.commit(&batch), Err(StoreError::BatchTooLarge { .. })));
    assert_eq!(store.read_only(), None);
}

#[test]
fn a_batch_of_the_largest_size_is_taken() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let store = open(dir);
    let mut dice = Dice(11);
    // Scattered keys, so that the batch comes back to pages that it has left.
    let mut batch = Batch::default();
    for _ in 0..MAX_BATCH / 4200 {
        batch.put(Tree::RelayLog, dice.bytes(40), vec![5; 4096]);
    }
    for round in 0..2 {
        store.commit(&batch).unwrap();
        assert!(no_blobs(dir), "round {round}");
    }
    let rows = store.prefix(Tree::RelayLog, b"", usize::MAX).unwrap();
    assert_eq!(rows.len(), batch.ops.len());
}

#[test]
fn behaves_like_rows_in_memory() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let mut store = open(dir);
    let mut model = MemoryRows::default();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let trees = [Tree::Meta, Tree::Mls, Tree::Events, Tree::RelayExpiry];
    for round in 0..300 {
        let mut batch = Batch::default();
        for _ in 0..=dice.roll(12) {
            let tree = trees[dice.roll(4)];
            let key = odd_key(&mut dice);
            match dice.roll(8) {
                0 | 1 => batch.delete(tree, key),
                2 => {
                    let len = dice.roll(20_000);
                    batch.put(tree, key, vec![round as u8; len]);
                }
                _ => {
                    let len = dice.roll(300);
                    batch.put(tree, key, dice.bytes(len));
                }
            }
        }
        store.commit(&batch).unwrap();
        model.apply(&batch);
        let tree = trees[dice.roll(4)];
        let (from, to) = (odd_key(&mut dice), odd_key(&mut dice));
        let limit = 1 + dice.roll(20);
        for reverse in [false, true] {
            assert_eq!(
                store.range(tree, &from, &to, limit, reverse).unwrap(),
                model.range(tree, &from, &to, limit, reverse).unwrap(),
            );
        }
        assert_eq!(store.get(tree, &from).unwrap(), model.get(tree, &from).unwrap());
        if round % 100 == 99 {
            drop(store);
            store = open(dir);
        }
    }
    for tree in trees {
        for reverse in [false, true] {
            let all = |rows: &dyn Rows| rows.range(tree, b"", &prefix_end(&[255]), usize::MAX, reverse).unwrap();
            assert_eq!(all(&store), all(&model), "{tree:?} {reverse}");
        }
    }
    assert!(no_blobs(dir));
}

#[test]
fn runs_of_0xff_in_keys_are_walked_backwards() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    let mut model = MemoryRows::default();
    let mut batch = Batch::default();
    for expiry in [1u64, u64::MAX >> 8, u64::MAX - 1, u64::MAX] {
        for topic in 0..60u8 {
            let mut key = expiry.to_be_bytes().to_vec();
            key.extend([255; 9]);
            key.push(topic);
            batch.put(Tree::RelayExpiry, key, [topic]);
        }
    }
    store.commit(&batch).unwrap();
    model.apply(&batch);
    for reverse in [false, true] {
        let all = |rows: &dyn Rows| rows.range(Tree::RelayExpiry, b"", &[255; 257], 1000, reverse).unwrap();
        assert_eq!(all(&store).len(), 240);
        assert_eq!(all(&store), all(&model));
    }
}

#[test]
fn no_page_ever_leaves_the_log() {
    // The worst case of the assertion in engine.rs: full leaves of the largest stored rows, split, merged and rewritten.
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let store = open(dir);
    let mut dice = Dice(5);
    let keys: Vec<_> = (0..400).map(|_| [dice.bytes(8), vec![255; 248]].concat()).collect();
    for round in 0..40u8 {
        let mut batch = Batch::default();
        for _ in 0..60 {
            let key = keys[dice.roll(400)].clone();
            match dice.roll(3) {
                0 if round > 20 => batch.delete(Tree::Mls, key),
                _ => batch.put(Tree::Mls, key, vec![round; rows::PIECE * (1 + dice.roll(3))]),
            }
        }
        store.commit(&batch).unwrap();
        assert!(no_blobs(dir), "round {round}");
    }
    drop(store);
    open(dir);
    assert!(no_blobs(dir));
}

#[test]
fn readers_go_on_between_back_to_back_commits() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    put(&store, Tree::Meta, b"k", b"v");
    let reader = store.reader();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                put(&store, Tree::Meta, b"k", b"v");
            }
        });
        for _ in 0..200 {
            assert!(reader.get(Tree::Meta, b"k").unwrap().is_some());
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[cfg(unix)]
#[test]
fn what_it_creates_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("deep/data");
    drop(open(&dir));
    let mode = |name: &str| fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("g1"), 0o700);
    assert_eq!(mode("g1/db"), 0o700);
    assert_eq!(mode("g1/key"), 0o600);
    assert_eq!(mode(KEY_FILE), 0o600);
    assert_eq!(mode(FORMAT_FILE), 0o600);
    assert!(!dir.join(CREATING_FILE).exists());
}

/// Keys that share prefixes, contain one another, and have runs of 0xff.
fn odd_key(dice: &mut Dice) -> Vec<u8> {
    let len = dice.roll(9);
    (0..len)
        .map(|_| [0, 1, 127, 254, 255, 255, 255, 255][dice.roll(8)])
        .collect()
}

/// The number of entries in the database, of any sort.
fn entries(store: &Store) -> usize {
    let live = read(&store.0.live);
    let engine = live.levels.top.engine().unwrap();
    engine.iter(&[], &[255; 300], false).count()
}
