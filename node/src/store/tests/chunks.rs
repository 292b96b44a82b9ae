//! Chunks of blobs in files: there with their rows, gone with them.

use super::*;

const TREE: Tree = Tree::BlobChunks;

fn key(blob: u8, index: u32) -> Vec<u8> {
    [[blob; 33].as_slice(), &index.to_be_bytes()].concat()
}

fn chunk(seed: u8) -> Vec<u8> {
    vec![seed; 61_000]
}

fn files(dir: &Path) -> usize {
    fs::read_dir(dir.join("blobs")).unwrap().count()
}

fn delete(store: &Store, keys: &[Vec<u8>]) {
    let mut batch = Batch::default();
    keys.iter().for_each(|key| batch.delete(TREE, key.clone()));
    store.commit(&batch).unwrap();
}

#[test]
fn chunks_are_rows_in_one_file_a_blob_until_the_last_goes() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    for index in 0..3 {
        put(&store, TREE, &key(1, index), &chunk(index as u8));
    }
    put(&store, TREE, &key(2, 0), &chunk(9));
    assert_eq!(files(temp.path()), 2);
    drop(store);

    let store = open(temp.path());
    assert_eq!(store.get(TREE, &key(1, 2)).unwrap(), Some(chunk(2)));
    assert_eq!(store.prefix(TREE, &[1; 33], 9).unwrap().len(), 3);
    delete(&store, &[key(1, 0), key(1, 2)]);
    assert_eq!(store.get(TREE, &key(1, 1)).unwrap(), Some(chunk(1)));
    assert_eq!(store.get(TREE, &key(1, 2)).unwrap(), None);
    assert_eq!(files(temp.path()), 2);
    delete(&store, &[key(1, 1)]);
    assert_eq!(files(temp.path()), 1);
    put(&store, TREE, &key(1, 1), &chunk(4));
    assert_eq!(store.get(TREE, &key(1, 1)).unwrap(), Some(chunk(4)));
}

#[test]
fn a_compaction_leaves_chunks_where_they_are() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    for index in 0..64 {
        put(&store, TREE, &key(1, index), &chunk(index as u8));
    }
    store.compact_now().unwrap();
    let base = store.space().unwrap();
    assert!(base.live < 64 * 1024, "{base:?}");
    assert_eq!(store.get(TREE, &key(1, 63)).unwrap(), Some(chunk(63)));
    let all: Vec<_> = (0..64).map(|index| key(1, index)).collect();
    delete(&store, &all);
    assert_eq!(files(temp.path()), 0);
    assert_eq!(store.prefix(TREE, &[], 9).unwrap(), []);
}

#[test]
fn what_no_row_names_is_removed_at_opening_and_what_isnt_ours_stays() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    put(&store, TREE, &key(1, 0), &chunk(1));
    drop(store);
    let name = format!("29-{}", hex::encode([3; 33]));
    for stray in [name.as_str(), "notes.txt"] {
        fs::write(temp.path().join("blobs").join(stray), b"left behind").unwrap();
    }

    let store = open(temp.path());

    assert_eq!(files(temp.path()), 2);
    assert_eq!(store.get(TREE, &key(1, 0)).unwrap(), Some(chunk(1)));
}

#[test]
fn f30_a_damaged_or_lost_chunk_is_unreadable_and_can_be_put_aside() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    for index in 0..3 {
        put(&store, TREE, &key(1, index), &chunk(1));
    }
    let path = fs::read_dir(temp.path().join("blobs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = fs::read(&path).unwrap();
    bytes[500] ^= 1;
    bytes.truncate(100_000);
    fs::write(&path, bytes).unwrap();

    for index in [0, 1, 2] {
        assert!(store.get(TREE, &key(1, index)).is_err(), "{index}");
        assert!(store.quarantine(TREE, &key(1, index)).unwrap());
        assert_eq!(store.get(TREE, &key(1, index)).unwrap(), None);
    }
    put(&store, TREE, &key(1, 0), &chunk(1));
    assert!(!store.quarantine(TREE, &key(1, 0)).unwrap(), "it is well");
}

#[test]
fn a_chunk_that_cant_be_written_fails_its_batch_alone() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    put(&store, Tree::Meta, b"before", b"1");
    let blobs = temp.path().join("blobs");
    fs::remove_dir(&blobs).unwrap();
    fs::write(&blobs, b"in the way").unwrap();
    let mut batch = Batch::default();
    batch.put(Tree::Meta, b"beside".as_slice(), b"2".as_slice());
    batch.put(TREE, key(1, 0), chunk(1));

    assert!(matches!(store.commit(&batch), Err(StoreError::Commit { .. })));

    assert!(store.read_only().is_some());
    assert_eq!(store.get(Tree::Meta, b"beside").unwrap(), None);
    assert_eq!(store.get(Tree::Meta, b"before").unwrap(), Some(b"1".to_vec()));
    fs::remove_file(&blobs).unwrap();
    fs::create_dir(&blobs).unwrap();
    store.commit(&batch).unwrap();
    assert!(store.read_only().is_none());
    assert_eq!(store.get(TREE, &key(1, 0)).unwrap(), Some(chunk(1)));
}

#[test]
fn a_chunk_of_a_failed_commit_doesnt_count() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    store.0.fail_next_sync.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut batch = Batch::default();
    batch.put(TREE, key(1, 0), chunk(1));
    assert!(store.commit(&batch).is_err());
    // Wholly or not at all: with its bytes if the row is there.
    assert!(
        store
            .get(TREE, &key(1, 0))
            .unwrap()
            .is_none_or(|found| found == chunk(1))
    );
    store.commit(&batch).unwrap();
    assert_eq!(store.get(TREE, &key(1, 0)).unwrap(), Some(chunk(1)));
}

#[test]
fn keys_and_values_that_no_chunk_has_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path());
    for (key, value) in [
        (vec![1; 4], chunk(1)),
        (vec![1; 100], chunk(1)),
        (key(1, 0), vec![0; 64 * 1024 + 1]),
    ] {
        let mut batch = Batch::default();
        batch.put(TREE, key, value);
        assert!(matches!(store.commit(&batch), Err(StoreError::RowTooLarge { .. })));
    }
}
