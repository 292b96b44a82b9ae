//! What holds before, during and after a compaction, and after one that was cut short.

use std::sync::Weak;
use std::sync::mpsc;
use std::time::Duration;

use madang_protocol::rows::{MemoryRows, prefix_end};

use super::*;
use crate::failpoint::COMPACTION_NAMES;
use crate::store::compact::{FLOOR, Hook};
use crate::store::generation::Current;

const TREES: [Tree; 4] = [Tree::Meta, Tree::Mls, Tree::Messages, Tree::RelayExpiry];

/// A store and rows in memory that are to be the same.
#[derive(Clone)]
struct Twin {
    store: Store,
    model: Arc<Mutex<(MemoryRows, Dice)>>,
}

impl Twin {
    fn new(dir: &Path, seed: u64) -> Self {
        Self {
            store: open(dir),
            model: Arc::new(Mutex::new((MemoryRows::default(), Dice(seed)))),
        }
    }

    /// Commits a batch of puts, overwrites and deletions, some of large rows.
    fn step(&self) {
        let (model, dice) = &mut *self.model.lock().unwrap();
        let mut batch = Batch::default();
        for _ in 0..=dice.roll(20) {
            let tree = TREES[dice.roll(4)];
            let key = [dice.roll(3) as u8, 255, 255, 255, dice.roll(60) as u8];
            match dice.roll(9) {
                0..=2 => batch.delete(tree, key),
                3 => {
                    let len = dice.roll(20_000);
                    batch.put(tree, key, dice.bytes(len));
                }
                _ => {
                    let len = dice.roll(400);
                    batch.put(tree, key, dice.bytes(len));
                }
            }
        }
        self.store.commit(&batch).unwrap();
        model.apply(&batch);
    }

    fn model(&self) -> MemoryRows {
        self.model.lock().unwrap().0.clone()
    }

    /// Compares some gets and ranges.
    fn sample(&self) {
        let (model, dice) = &mut *self.model.lock().unwrap();
        let tree = TREES[dice.roll(4)];
        let mut key = || [dice.roll(3) as u8, 255, 255, 255, dice.roll(60) as u8];
        let (from, to) = (key(), key());
        let limit = 1 + dice.roll(20);
        for reverse in [false, true] {
            assert_eq!(
                self.store.range(tree, &from, &to, limit, reverse).unwrap(),
                model.range(tree, &from, &to, limit, reverse).unwrap(),
            );
        }
        assert_eq!(self.store.get(tree, &from).unwrap(), model.get(tree, &from).unwrap());
    }

    fn hook(&self, mut act: impl FnMut(&Self, &'static str) -> Result<(), StoreError> + Send + 'static) {
        // Weak, so that the store can be dropped.
        let (inner, model) = (Arc::downgrade(&self.store.0), Arc::clone(&self.model));
        set_hook(
            &self.store,
            Box::new(move |point| {
                let Some(owner) = inner.upgrade() else { return Ok(()) };
                let twin = Self {
                    store: Store(owner),
                    model: Arc::clone(&model),
                };
                act(&twin, point)
            }),
        );
    }
}

fn set_hook(store: &Store, hook: Hook) {
    *store.0.compaction.hook.lock().unwrap() = Some(hook);
}

fn assert_same(store: &Store, model: &MemoryRows) {
    for tree in TREES {
        for reverse in [false, true] {
            let all = |rows: &dyn Rows| rows.range(tree, b"", &prefix_end(&[255]), usize::MAX, reverse).unwrap();
            assert!(all(store) == all(model), "{tree:?} {reverse}");
        }
    }
}

/// The names in a data directory that begin like those of generations.
fn generations(dir: &Path) -> Vec<u64> {
    generation::numbers(dir).unwrap()
}

fn full() -> StoreError {
    StoreError::Compaction {
        reason: "a test's disk is full".to_owned(),
    }
}

#[test]
fn rows_are_the_same_before_during_and_after_compactions() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let mut twin = Twin::new(dir, 0xc0ffee);
    for round in 0..6 {
        for _ in 0..30 {
            twin.step();
            twin.sample();
        }
        twin.hook(|twin, _| {
            for _ in 0..5 {
                twin.step();
                twin.sample();
            }
            assert_same(&twin.store, &twin.model());
            Ok(())
        });
        twin.store.compact_now().unwrap();
        assert_same(&twin.store, &twin.model());
        assert_eq!(generations(dir), [round + 2]);
        assert!(no_blobs(dir));
        if round % 2 == 1 {
            let model = twin.model();
            drop(twin.store);
            twin.store = open(dir);
            assert_same(&twin.store, &model);
        }
    }
}

#[test]
fn f27_a_crash_at_each_step_of_a_compaction_loses_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let twin = Twin::new(&dir, 7);
    // The first compaction has no base below it, the second has.
    for round in 0..2 {
        for _ in 0..60 {
            twin.step();
        }
        let (copies, left) = mpsc::channel();
        let (from, into) = (dir.clone(), temp.path().join(format!("crash {round}")));
        let mut seen = BTreeSet::new();
        twin.hook(move |twin, point| {
            if !seen.insert(point) {
                return Ok(());
            }
            twin.step();
            // What a kill leaves is what the files hold.
            let copy = into.join(point);
            copy_dir(&from, &copy);
            copies.send((point, copy, twin.model())).unwrap();
            Ok(())
        });
        twin.store.compact_now().unwrap();
        set_hook(&twin.store, Box::new(|_| Ok(())));

        let left: Vec<_> = left.iter().collect();
        let points: Vec<_> = left.iter().map(|(point, ..)| *point).collect();
        assert_eq!(points, COMPACTION_NAMES);
        for (point, copy, model) in left {
            let before = generations(&copy).len();
            let store = open(&copy);
            assert_same(&store, &model);
            let named = Current::read(&copy).unwrap();
            if point == "compact.made" {
                assert_eq!((before, named.below), (2, None));
            }
            put(&store, Tree::Meta, b"after", point.as_bytes());
            store.compact_now().unwrap();
            assert_eq!(generations(&copy).len(), 1, "{point}");
            assert!(!copy.join(format!("g{}", named.newest)).join(BASE_TEMP).exists());
            drop(store);
            let mut model = model;
            let mut batch = Batch::default();
            batch.put(Tree::Meta, b"after", point.as_bytes());
            model.apply(&batch);
            assert_same(&open(&copy), &model);
        }
    }
}

#[test]
fn f29_a_compaction_that_fails_at_any_step_is_given_up_and_tried_again() {
    for fail_at in COMPACTION_NAMES {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        let twin = Twin::new(dir, 99);
        for _ in 0..60 {
            twin.step();
        }
        twin.hook(move |twin, point| {
            twin.step();
            if point == fail_at { Err(full()) } else { Ok(()) }
        });
        let result = twin.store.compact_now();
        // What comes after the switch is only a removal.
        assert_eq!(result.is_ok(), fail_at == "compact.before_remove", "{fail_at}");
        assert_eq!(twin.store.read_only(), None);
        twin.step();
        assert_same(&twin.store, &twin.model());
        let number = Current::read(dir).unwrap().newest;
        assert!(!generation::dir_of(dir, number).join(BASE_TEMP).exists(), "{fail_at}");

        let model = twin.model();
        if fail_at == "compact.copied_chunk" {
            // Nobody opens it in between.
            set_hook(&twin.store, Box::new(|_| Ok(())));
            twin.store.compact_now().unwrap();
            assert_same(&twin.store, &model);
            assert_eq!(generations(dir).len(), 1);
        }
        drop(twin);
        let store = open(dir);
        assert_same(&store, &model);
        store.compact_now().unwrap();
        assert_same(&store, &model);
        assert_eq!(generations(dir).len(), 1, "{fail_at}");
    }
}

#[test]
fn f29_a_commit_that_fails_during_a_compaction_heals() {
    let temp = tempfile::tempdir().unwrap();
    let twin = Twin::new(temp.path(), 3);
    for _ in 0..40 {
        twin.step();
    }
    let mut failures = 0;
    twin.hook(move |twin, _| {
        twin.store
            .0
            .fail_next_sync
            .store(true, std::sync::atomic::Ordering::SeqCst);
        let mut batch = Batch::default();
        failures += 1;
        batch.put(Tree::Meta, b"retried", [failures]);
        assert!(matches!(twin.store.commit(&batch), Err(StoreError::Commit { .. })));
        twin.store.commit(&batch).unwrap();
        twin.model.lock().unwrap().0.apply(&batch);
        assert_same(&twin.store, &twin.model());
        Ok(())
    });
    twin.store.compact_now().unwrap();
    assert_same(&twin.store, &twin.model());
}

#[test]
fn a_read_only_store_is_not_compacted() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    put(&store, Tree::Meta, b"k", b"v");
    write(&store.0.live).failed = Some("a test's disk is full".to_owned());
    let refused = store.compact_now();
    assert!(matches!(refused, Err(StoreError::Compaction { .. })), "{refused:?}");
    assert_eq!(generations(temp.path()), [1]);
    put(&store, Tree::Meta, b"k", b"v");
    store.compact_now().unwrap();
}

#[test]
fn a_store_that_is_dropped_stops_its_compaction_and_the_next_finishes_it() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let store = open(dir);
    let (reached, arrived) = mpsc::channel();
    let inner: Weak<Inner> = Arc::downgrade(&store.0.inner);
    set_hook(
        &store,
        Box::new(move |point| {
            if point == "compact.copied_chunk" {
                reached.send(()).unwrap();
                while !inner.upgrade().unwrap().compaction.stopped() {
                    std::thread::yield_now();
                }
            }
            Ok(())
        }),
    );
    let rows = write_until_due(&store);
    arrived.recv_timeout(Duration::from_secs(60)).unwrap();
    drop(store);
    assert!(Current::read(dir).unwrap().below.is_some());
    assert!(arrived.try_recv().is_err(), "it went on after the next chunk");

    let store = open(dir);
    // By itself, without a commit.
    wait_for(|| read(&store.0.live).levels.frozen.is_none());
    wait_for(|| generations(dir).len() == 1);
    assert_eq!(store.prefix(Tree::Messages, b"", usize::MAX).unwrap().len(), rows);
}

#[test]
fn f29_a_background_compaction_that_failed_is_tried_again() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let store = open(dir);
    let mut failures = 2;
    set_hook(
        &store,
        Box::new(move |point| {
            if point == "compact.before_sync" && failures > 0 {
                failures -= 1;
                return Err(full());
            }
            Ok(())
        }),
    );
    let rows = write_until_due(&store);
    wait_for(|| Current::read(dir).unwrap().base && generations(dir).len() == 1);
    assert_eq!(store.prefix(Tree::Messages, b"", usize::MAX).unwrap().len(), rows);
}

#[test]
fn f65_an_old_generation_is_compacted_even_if_it_is_small() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    put(&open(dir), Tree::Mls, b"secret", b"value");
    let make_old = |number: u64| {
        let key = generation::dir_of(dir, number).join(DATA_KEY_FILE);
        let file = fs::OpenOptions::new().write(true).open(key).unwrap();
        let then = std::time::SystemTime::now() - Duration::from_secs(25 * 3600);
        file.set_modified(then).unwrap();
    };
    make_old(1);
    let store = open(dir);
    wait_for(|| generations(dir) == [2]);
    assert_eq!(store.get(Tree::Mls, b"secret").unwrap(), Some(b"value".to_vec()));
    drop(store);

    // Nothing was written since: nothing to erase.
    make_old(2);
    let store = open(dir);
    assert!(!store.0.is_old().unwrap());
    drop(store);
    assert_eq!(generations(dir), [2]);
}

/// Commits rows until a compaction is due, and returns how many.
fn write_until_due(store: &Store) -> usize {
    let mut rows = 0u32;
    let mut dice = Dice(1);
    let value = dice.bytes(3000);
    while disk(store.dir()) <= FLOOR + (1 << 20) && !store.dir().join("g2").exists() {
        let mut batch = Batch::default();
        for _ in 0..100 {
            batch.put(Tree::Messages, rows.to_be_bytes(), value.clone());
            rows += 1;
        }
        store.commit(&batch).unwrap();
    }
    rows as usize
}

fn wait_for(mut done: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(std::time::Instant::now() < deadline, "it never happens");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A closed directory whose rows are in a base, and the number of its generation.
fn compacted(dir: &Path) -> PathBuf {
    let store = open(dir);
    let mut batch = Batch::default();
    for n in 0..200u8 {
        batch.put(Tree::Contacts, [n], vec![n; 100]);
        batch.put(Tree::Messages, [n], vec![n; 500]);
    }
    store.commit(&batch).unwrap();
    store.compact_now().unwrap();
    dir.join("g2").join(BASE_FILE)
}

#[test]
fn f28_a_base_that_lost_its_end_or_is_foreign_or_absent_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let base = compacted(&dir);
    let whole = fs::read(&base).unwrap();
    for len in (0..30).map(|step| (whole.len() - 1) * step / 29) {
        fs::write(&base, &whole[..len]).unwrap();
        let refused = Store::open(&dir, Unlock::KeyFile, StoreKind::Node).unwrap_err();
        assert!(matches!(refused, StoreError::Damaged { .. }), "{len}: {refused}");
    }
    let other = temp.path().join("other");
    fs::copy(compacted(&other), &base).unwrap();
    let refused = Store::open(&dir, Unlock::KeyFile, StoreKind::Node);
    assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");
    fs::remove_file(&base).unwrap();
    let refused = Store::open(&dir, Unlock::KeyFile, StoreKind::Node);
    assert!(
        matches!(refused, Err(StoreError::Missing { what: "base", .. })),
        "{refused:?}"
    );

    fs::write(&base, &whole).unwrap();
    assert_eq!(open(&dir).prefix(Tree::Messages, b"", usize::MAX).unwrap().len(), 200);
    fs::write(dir.join(CURRENT_FILE), "nonsense").unwrap();
    let refused = Store::open(&dir, Unlock::KeyFile, StoreKind::Node);
    assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");
}

#[test]
fn f28_a_key_of_another_generation_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let before = {
        drop(open(&dir));
        fs::read(dir.join("g1").join(DATA_KEY_FILE)).unwrap()
    };
    compacted(&dir);
    fs::write(dir.join("g2").join(DATA_KEY_FILE), before).unwrap();
    let refused = Store::open(&dir, Unlock::KeyFile, StoreKind::Node);
    assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");
}

#[test]
fn f30_a_flipped_bit_in_a_base_is_detected_and_can_be_put_aside() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let base = compacted(dir);
    let mut bytes = fs::read(&base).unwrap();
    // In the middle of the messages, which come first.
    let middle = bytes.len() / 3;
    bytes[middle] ^= 1;
    fs::write(&base, bytes).unwrap();

    let store = open(dir);
    let bad: Vec<u8> = (0..200).filter(|n| store.get(Tree::Messages, &[*n]).is_err()).collect();
    assert!((1..10).contains(&bad.len()), "{bad:?}");
    let error = store.get(Tree::Messages, &[bad[0]]).unwrap_err().reason;
    assert!(
        error.contains("Messages") && error.contains(&hex::encode([bad[0]])),
        "{error}"
    );
    store.range(Tree::Messages, b"", &[255], 300, false).unwrap_err();
    // One of the block is written again, and is no longer concerned.
    let rewritten = bad[1];
    put(&store, Tree::Messages, &[rewritten], b"again");

    let (tree, key) = store.unreadable()[0].clone();
    assert!(store.quarantine(tree, &key).unwrap());
    assert!(!store.quarantine(tree, &key).unwrap(), "once");
    assert!(!store.quarantine(Tree::Messages, &[bad[0] - 1]).unwrap(), "readable");
    let check = |store: &Store| {
        let rows = store.range(Tree::Messages, b"", &[255], 300, false).unwrap();
        assert_eq!(rows.len(), 200 - bad.len() + 1);
        assert_eq!(store.get(Tree::Messages, &[bad[0]]).unwrap(), None);
        let again = store.get(Tree::Messages, &[rewritten]).unwrap();
        assert_eq!(again, Some(b"again".to_vec()));
        assert_eq!(store.prefix(Tree::Contacts, b"", 300).unwrap().len(), 200);
    };
    check(&store);
    drop(store);
    let store = open(dir);
    check(&store);
    store.compact_now().unwrap();
    check(&store);
    assert_eq!(fs::read_dir(dir.join("quarantine")).unwrap().count(), 1);
}

#[test]
fn f30_deleting_one_row_of_a_damaged_block_gives_its_block_up() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let base = compacted(dir);
    let mut bytes = fs::read(&base).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 1;
    fs::write(&base, bytes).unwrap();
    let store = open(dir);
    let is_bad = |store: &Store, n: u8| store.get(Tree::Messages, &[n]).is_err();
    let bad: Vec<u8> = (0..200).filter(|n| is_bad(&store, *n)).collect();

    // What lies before it can be read as far as there.
    let before = store
        .range(Tree::Messages, b"", &[255], usize::from(bad[0]), false)
        .unwrap();
    assert_eq!(before.len(), usize::from(bad[0]));
    put(&store, Tree::Messages, &[0], b"of the newest generation");
    let first = store.range(Tree::Messages, b"", &[255], 1, false).unwrap();
    assert_eq!(first[0].0, [0]);

    let mut batch = Batch::default();
    batch.delete(Tree::Messages, [bad[0]]);
    batch.delete(Tree::Messages, [bad[1]]);
    store.commit(&batch).unwrap();
    assert_eq!(store.prefix(Tree::Messages, b"", 300).unwrap().len(), 200 - bad.len());
    assert_eq!(fs::read_dir(dir.join("quarantine")).unwrap().count(), 1);
    drop(store);
    assert_eq!(
        open(dir).prefix(Tree::Messages, b"", 300).unwrap().len(),
        200 - bad.len()
    );
}

#[test]
fn f30_an_unreadable_row_can_be_put_aside_and_written_again() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    put(&store, Tree::Mls, b"a", &[1; 10_000]);
    put(&store, Tree::Mls, b"b", &[2; 10_000]);
    let piece = StoredKey::row(Tree::Mls, b"a").piece(1);
    let mut flipped = raw(&store, &piece);
    flipped[100] ^= 1;
    tamper(&store, &piece, Some(flipped));
    store.get(Tree::Mls, b"a").unwrap_err();
    assert_eq!(store.unreadable(), [(Tree::Mls, b"a".to_vec())]);

    assert!(store.quarantine(Tree::Mls, b"a").unwrap());
    assert_eq!(store.get(Tree::Mls, b"a").unwrap(), None);
    assert_eq!(store.prefix(Tree::Mls, b"", 9).unwrap().len(), 1);
    assert!(store.unreadable().is_empty());
    let kept = contents(&temp.path().join("quarantine"));
    assert_eq!(kept.len(), 1);
    assert!(kept.values().all(|bytes| bytes.len() > 10_000));
    put(&store, Tree::Mls, b"a", b"resynced");
    assert_eq!(store.get(Tree::Mls, b"a").unwrap(), Some(b"resynced".to_vec()));
}

#[test]
fn f30_a_compaction_puts_aside_what_it_cannot_read() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let base = compacted(dir);
    let mut bytes = fs::read(&base).unwrap();
    bytes[1000] ^= 1;
    fs::write(&base, bytes).unwrap();
    let store = open(dir);
    put(&store, Tree::Chats, b"bad", b"value");
    put(&store, Tree::Chats, b"good", b"value");
    let key = StoredKey::row(Tree::Chats, b"bad").0;
    let mut flipped = raw(&store, &key);
    flipped[30] ^= 1;
    tamper(&store, &key, Some(flipped));

    store.compact_now().unwrap();
    assert_eq!(store.get(Tree::Chats, b"good").unwrap(), Some(b"value".to_vec()));
    assert_eq!(store.get(Tree::Chats, b"bad").unwrap(), None);
    let left = store.prefix(Tree::Messages, b"", 300).unwrap().len();
    assert!((190..200).contains(&left), "{left}");
    let kept = contents(&dir.join("quarantine"));
    assert_eq!(kept.len(), 2);
    let names: Vec<_> = kept.keys().map(|path| path.to_string_lossy().into_owned()).collect();
    assert!(
        names[0].contains("row-tree3-626164") && names[1].contains("block-tree5"),
        "{names:?}"
    );
}
